//! A recorded session, as far as it can be played again.

use std::path::Path;
use std::time::Duration;

use super::figures::{Figures, FiguresFold};
use crate::proto::time::Time;
use crate::scenario::deeds::{Deeds, NoScenario};
use crate::session::journal::{Header, JournalError, JournalRecord};
use crate::session::replay::{Damage, Recording};

/// What a recording tells of a session.
#[derive(Debug)]
pub struct RecordedSession {
    pub header: Header,
    /// The session in figures.
    pub figures: Figures,
    /// When its first node started.
    pub began: Time,
    pub lasted: Duration,
    /// Lines that cannot be read.
    pub damage: Damage,
    deeds: Deeds,
}

impl RecordedSession {
    /// Reads a recording to its end.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let recording = Recording::open(path)?;
        let header = recording.header().clone();
        let (mut deeds, mut fold) = (header.deeds(), FiguresFold::new(header.precision()));
        let mut damage = Damage::default();
        for record in recording {
            match record {
                Ok(JournalRecord::Event { event, .. }) => {
                    deeds.take(&event);
                    fold.take(&event);
                }
                Ok(JournalRecord::Skipped(events)) => fold.note_skipped(events),
                Ok(JournalRecord::Torn) => {}
                Err(error) => {
                    fold.note_skipped(error.missing());
                    damage.note(&error);
                }
            }
        }
        let (began, lasted) = (deeds.began().unwrap_or(header.started), deeds.lasted());
        Ok(Self { header, figures: fold.finish(lasted), began, lasted, damage, deeds })
    }

    /// It tells with which settings its nodes ran.
    pub fn has_settings(&self) -> bool {
        !self.header.settings.is_empty()
    }

    /// The settings of its nodes, as flags have them; of an older recording, those that the nodes
    /// tell themselves.
    pub fn settings(&self) -> Vec<(String, String)> {
        if self.has_settings() {
            self.header.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        } else {
            self.deeds.settings_told()
        }
    }

    /// The scenario that repeats what was done. `settings`: with which nodes.
    pub fn scenario(&self, settings: Vec<(String, String)>) -> Result<String, NoScenario> {
        Ok(self.deeds.record(settings)?.text())
    }
}
