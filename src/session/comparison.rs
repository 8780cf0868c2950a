//! What differs between two moments of a recorded session.

use super::journal::JournalError;
use super::past::Past;
use super::replay::Damage;
use crate::model::Model;
use crate::model::diff::{Diff, DiffDocument, DiffLine, diff, lines};
use crate::proto::time::Time;

/// Two moments of a session, compared.
#[derive(Debug)]
pub struct Comparison {
    pub diff: Diff,
    /// What could not be read up to the later moment.
    pub damage: Damage,
    later: Model,
    utc_offset_s: i32,
}

impl Comparison {
    /// Reads the session up to both moments, and what happened between them.
    pub fn between(past: &Past, from: Time, to: Time) -> Result<Self, JournalError> {
        let utc_offset_s = past.header().utc_offset_s;
        let (earlier, later) = (past.at(from.min(to))?, past.at(from.max(to))?);
        // The earlier moment has the events of its own microsecond.
        let events = past.events(from.min(to), from.max(to))?.filter(|event| event.at > from.min(to));
        let (first, second) = if from <= to { (&earlier, &later) } else { (&later, &earlier) };
        let diff = diff(&first.model, &second.model, (from, to), events, utc_offset_s);
        Ok(Self { diff, damage: later.damage, later: later.model, utc_offset_s })
    }

    /// In words, the most important first.
    pub fn lines(&self) -> Vec<DiffLine> {
        lines(&self.diff, &self.later, self.utc_offset_s)
    }

    /// For programs.
    pub fn document(&self) -> DiffDocument {
        DiffDocument::new(&self.diff, &self.later, self.utc_offset_s)
    }

    /// What makes it less certain: `not certain: 12 events were skipped`.
    pub fn doubt(&self) -> Option<String> {
        self.later.doubt()
    }
}
