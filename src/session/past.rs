//! Any moment of a recorded session: its network as it was then, and the events around it.

use std::path::{Path, PathBuf};

use super::journal::{Header, JournalError, JournalRecord, check_rereadable};
use super::replay::{Damage, Recording};
use crate::event::Event;
use crate::model::Model;
use crate::model::moment::SessionSpan;
use crate::proto::time::Time;

/// A recorded session at hand.
#[derive(Debug)]
pub struct Past {
    path: PathBuf,
    header: Header,
}

/// A network as it was, and what is missing in its recording up to then.
#[derive(Debug)]
pub struct PastMoment {
    pub model: Model,
    pub damage: Damage,
}

impl Past {
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        check_rereadable(path)?;
        let header = Recording::open(path)?.header().clone();
        Ok(Self { path: path.to_owned(), header })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The times of its first and its last event; the time of its header, if it has no event.
    pub fn span(&self) -> Result<SessionSpan, JournalError> {
        let (mut first, mut last) = (None, self.header.started);
        for record in Recording::open(&self.path)? {
            if let Ok(JournalRecord::Event { event, .. }) = record {
                first.get_or_insert(event.at);
                last = event.at.max(last);
            }
        }
        let first = first.unwrap_or(self.header.started);
        Ok(SessionSpan { first, last, utc_offset_s: self.header.utc_offset_s })
    }

    /// The network after all events up to this time, those of its microsecond included.
    pub fn at(&self, at: Time) -> Result<PastMoment, JournalError> {
        let mut moment = PastMoment { model: Model::new(), damage: Damage::default() };
        for record in Recording::open(&self.path)? {
            match record {
                Ok(JournalRecord::Event { event, .. }) if event.at > at => break,
                Ok(JournalRecord::Event { event, .. }) => moment.model.apply(&event),
                Ok(JournalRecord::Skipped(events)) => moment.model.note_skipped(events),
                Ok(JournalRecord::Torn) => {}
                Err(error) => {
                    moment.model.note_skipped(error.missing());
                    moment.damage.note(&error);
                }
            }
        }
        Ok(moment)
    }

    /// The events between two times, both included, in order.
    pub fn events(&self, from: Time, to: Time) -> Result<impl Iterator<Item = Event> + use<>, JournalError> {
        let events = Recording::open(&self.path)?.filter_map(|record| match record {
            Ok(JournalRecord::Event { event, .. }) => Some(event),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
        });
        Ok(events.skip_while(move |event| event.at < from).take_while(move |event| event.at <= to))
    }
}
