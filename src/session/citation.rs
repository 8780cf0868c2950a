//! Which events of a recording an answer rests on, by their numbers.
//!
//! An answer is made from the model, which keeps times and not numbers. So the recording is read a
//! second time: an event at the time of a line of evidence that is what the line tells of is the event
//! that the line rests on.

use std::fmt;

use serde::{Serialize, Serializer};

use super::merge::Merge;
use super::past::Past;
use crate::event::Event;
use crate::model::FastHashMap;
use crate::model::why::EvidenceLine;
use crate::proto::time::Time;
use crate::session::journal::JournalError;

/// The place of an event in the journal of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNumber {
    /// Which session, if several were put together.
    pub session: Option<String>,
    /// Events of the session before it, those that are missing included.
    pub number: u64,
}

impl fmt::Display for EventNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.session {
            Some(session) => write!(f, "{session}:{}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

impl Serialize for EventNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.session {
            Some(_) => serializer.collect_str(self),
            None => serializer.serialize_u64(self.number),
        }
    }
}

/// The events of a recording that these lines rest on, line by line; `None` for a line that rests on no
/// single event.
pub fn cite(past: &Past, lines: &[EvidenceLine]) -> Result<Vec<Option<EventNumber>>, JournalError> {
    let mut search = CitationSearch::of(lines);
    if let Some((from, to)) = search.span() {
        for (number, event) in past.numbered_events(from, to)? {
            search.take(&event, || EventNumber { session: None, number });
        }
    }
    Ok(search.finish())
}

/// The same for recordings that were put together: the numbers are those of each recording itself.
pub fn cite_merged(merge: &Merge, lines: &[EvidenceLine]) -> Result<Vec<Option<EventNumber>>, JournalError> {
    let mut search = CitationSearch::of(lines);
    if let Some((_, to)) = search.span() {
        for (source, number, event) in merge.numbered_events(to)? {
            search.take(&event, || EventNumber { session: merge.session(source), number });
        }
    }
    Ok(search.finish())
}

/// Lines whose events are looked for.
struct CitationSearch<'a> {
    lines: &'a [EvidenceLine],
    /// The places of the lines with this time.
    at: FastHashMap<Time, Vec<usize>>,
    found: Vec<Option<EventNumber>>,
}

impl<'a> CitationSearch<'a> {
    fn of(lines: &'a [EvidenceLine]) -> Self {
        let mut at: FastHashMap<Time, Vec<usize>> = FastHashMap::default();
        for (place, line) in lines.iter().enumerate() {
            if let Some(time) = line.at.filter(|_| line.source.is_some()) {
                at.entry(time).or_default().push(place);
            }
        }
        Self { lines, at, found: vec![None; lines.len()] }
    }

    /// The times of the first and the last of them.
    fn span(&self) -> Option<(Time, Time)> {
        let times = || self.at.keys().copied();
        times().min().zip(times().max())
    }

    /// Lines that tell alike of one moment rest on one event each, in their order.
    fn take(&mut self, event: &Event, number: impl Fn() -> EventNumber) {
        let mut taken = Vec::new();
        for place in self.at.get(&event.at).into_iter().flatten() {
            let Some(source) = self.lines[*place].source.filter(|source| source.fits(event)) else { continue };
            if self.found[*place].is_none() && !taken.contains(&source) {
                self.found[*place] = Some(number());
                taken.push(source);
            }
        }
    }

    /// If there were fewer events than lines that tell alike, the last ones rest on the same.
    fn finish(mut self) -> Vec<Option<EventNumber>> {
        for places in self.at.values() {
            for place in places {
                if self.found[*place].is_none() {
                    let alike = |other: &&usize| self.lines[**other].source == self.lines[*place].source;
                    let found = places.iter().filter(alike).rev().find_map(|other| self.found[*other].clone());
                    self.found[*place] = found;
                }
            }
        }
        self.found
    }
}

#[cfg(test)]
mod tests;
