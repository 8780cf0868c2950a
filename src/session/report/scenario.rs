//! The scenario that the session played: its text, and what came of each line.

use crate::event::Event;
use crate::proto::time::Time;
use crate::scenario::Script;
use crate::scenario::played::{PlayedOutcome, ReplayedScenario};
use crate::session::journal::{Header, SCENARIO_LEN_MAX};

/// A scenario as the page tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioFigures {
    /// The name of its file.
    pub name: String,
    /// `None`: an older recording does not have it, or it was too long for it.
    pub text: Option<String>,
    /// What came of it, decided by the recorded events; the error says why the text cannot be read.
    pub outcome: Option<Result<PlayedOutcome, String>>,
}

/// A scenario on its way into the report.
#[derive(Debug)]
pub(super) struct ScenarioFold {
    named: Option<String>,
    text: Option<String>,
    played: Option<Result<ReplayedScenario, String>>,
}

impl ScenarioFold {
    pub(super) fn new(header: &Header) -> Self {
        let read = |text: &String| Script::parse(text).map(ReplayedScenario::new).map_err(|error| error.to_string());
        let played = header.scenario_text.as_ref().filter(|text| text.len() <= SCENARIO_LEN_MAX).map(read);
        Self {
            named: header.scenario.clone(),
            text: header.scenario_text.clone().filter(|text| text.len() <= SCENARIO_LEN_MAX),
            played,
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        if let Some(Ok(played)) = &mut self.played {
            played.take(event);
        }
    }

    pub(super) fn note_skipped(&mut self, events: u64) {
        if let Some(Ok(played)) = &mut self.played {
            played.note_skipped(events);
        }
    }

    /// `end`: when the nodes left, or the time of the latest event.
    pub(super) fn finish(self, end: Time) -> Option<ScenarioFigures> {
        let outcome = self.played.map(|played| played.map(|played| played.finish(end)));
        Some(ScenarioFigures { name: self.named?, text: self.text, outcome })
    }
}
