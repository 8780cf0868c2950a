//! A scenario that was played, decided once more by the events of its session.
//!
//! A recording has the text of the scenario and what happened, but not what came of each line. In virtual
//! time the same comes out as in the session. On sockets, commands come some milliseconds after their
//! time, so an expectation that was decided by less than that may come out otherwise.

use super::run::{LineOutcome, Run, ScenarioAction, Summary};
use super::script::Script;
use crate::command::Command;
use crate::engine::attempt;
use crate::event::{Event, EventKind, FailureReason, GossipEvent, NodeEvent};
use crate::model::{Map, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// A fold over the events of a session that played this scenario.
#[derive(Debug)]
pub struct ReplayedScenario {
    run: Run,
    /// Nodes that have started, until the lab is complete.
    started: Set<Addr>,
    /// Commands of the latest lines, with their steps: what is refused is one of them.
    asked: Vec<(usize, Command)>,
    newest: Time,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedOutcome {
    pub summary: Summary,
    /// By line number, counted from 1; lines that the session did not come to are absent.
    pub lines: Map<usize, LineOutcome>,
}

impl ReplayedScenario {
    pub fn new(script: Script) -> Self {
        Self { run: Run::new(script), started: Set::default(), asked: Vec::new(), newest: Time::from_micros(0) }
    }

    /// Takes an event; they come in order of time.
    pub fn take(&mut self, event: &Event) {
        let is_mark = is_mark(&event.kind);
        self.catch_up(|at| at < event.at || (is_mark && at == event.at));
        self.newest = self.newest.max(event.at);
        if let EventKind::Node(NodeEvent::Failed { what, why }) = &event.kind
            && let FailureReason::Refused(refusal) = why.as_ref()
            && let Some(place) = self.asked.iter().position(|(_, command)| attempt(command) == *what)
        {
            let (step, command) = self.asked.swap_remove(place);
            self.run.refused(step, &command, refusal.clone());
        }
        self.run.take(event);
        self.begin_if_complete(event);
    }

    /// This many events are missing here.
    pub fn note_skipped(&mut self, events: u64) {
        self.run.note_skipped(events);
    }

    /// The session ended at this time.
    pub fn finish(mut self, end: Time) -> PlayedOutcome {
        self.catch_up(|at| at <= end);
        PlayedOutcome { summary: self.run.summary(), lines: self.run.outcomes().collect() }
    }

    /// Times count from the moment when the lab is complete.
    fn begin_if_complete(&mut self, event: &Event) {
        let (seeds, peers) = self.run.lab();
        if self.started.len() < seeds + peers && matches!(event.kind, EventKind::Node(NodeEvent::Started { .. })) {
            self.started.insert(event.node);
            if self.started.len() == seeds + peers {
                self.run.begin(event.at);
            }
        }
    }

    /// Does what was due by then. Between two events one look tells as much as many.
    fn catch_up(&mut self, is_due: impl Fn(Time) -> bool) {
        let mut next = self.run.next_at();
        while let Some(at) = next.filter(|at| is_due(*at)) {
            let actions = self.run.wake(at.max(self.newest));
            let asked = actions.into_iter().filter_map(|action| match action {
                ScenarioAction::Do { step, command } => Some((step, command)),
                ScenarioAction::Tell(_) => None,
            });
            let asked: Vec<_> = asked.collect();
            if !asked.is_empty() {
                self.asked = asked;
            }
            next = self.run.next_turn_at();
        }
    }
}

/// A command leaves it: what is due at the same time came first.
const fn is_mark(kind: &EventKind) -> bool {
    match kind {
        EventKind::Node(_) | EventKind::Fault(_) => true,
        EventKind::Gossip(GossipEvent::Generated { id, .. }) => id.number().is_none(),
        EventKind::Gossip(_) | EventKind::Link(_) | EventKind::Probe(_) | EventKind::Death(_) | EventKind::Seed(_) => {
            false
        }
    }
}
