//! Looks for an event, forward or back, in as much of a recording as it takes.

use tokio_util::sync::CancellationToken;

use super::{Goal, Past, Position};
use crate::event::Event;
use crate::proto::time::Time;
use crate::session::journal::{JournalError, JournalRecord};

/// Events that [`Past::step`] looks at: what is read within a second.
pub const STEP_EVENTS_MAX: u64 = 250_000;
/// Events between two looks at whether to stop.
const LOOK_EVERY: u64 = 1_024;

/// Which way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastDirection {
    Forward,
    Back,
}

/// An event that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEvent {
    /// Right behind it: its moment shows what it did.
    pub position: Position,
    pub event: Event,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchOutcome {
    Found(FoundEvent),
    /// There is none up to the end of the recording.
    Nothing,
    /// It was stopped; there is none up to here.
    Stopped {
        looked_to: Position,
    },
}

impl Past {
    /// The next event that is wanted, after the position or before the one that leads to it. `tell` is told now and
    /// then which time was reached.
    pub fn find(
        &self,
        from: Position,
        direction: PastDirection,
        wanted: impl FnMut(&Event) -> bool,
        stop: &CancellationToken,
        tell: impl FnMut(Time),
    ) -> Result<SearchOutcome, JournalError> {
        let mut look = EventLook { wanted, stop, tell, looked: 0, looks_max: u64::MAX };
        self.search(from, direction, &mut look)
    }

    /// The same for an answer at once: it gives up after [`STEP_EVENTS_MAX`] events.
    pub fn step(
        &self,
        from: Position,
        direction: PastDirection,
        wanted: impl FnMut(&Event) -> bool,
    ) -> Result<SearchOutcome, JournalError> {
        let stop = CancellationToken::new();
        let mut look = EventLook { wanted, stop: &stop, tell: |_| {}, looked: 0, looks_max: STEP_EVENTS_MAX };
        self.search(from, direction, &mut look)
    }

    fn search<W: FnMut(&Event) -> bool, T: FnMut(Time)>(
        &self,
        from: Position,
        direction: PastDirection,
        look: &mut EventLook<'_, W, T>,
    ) -> Result<SearchOutcome, JournalError> {
        match direction {
            PastDirection::Forward => self.search_forward(from, look),
            PastDirection::Back => self.search_back(from, look),
        }
    }

    fn search_forward<W: FnMut(&Event) -> bool, T: FnMut(Time)>(
        &self,
        from: Position,
        look: &mut EventLook<'_, W, T>,
    ) -> Result<SearchOutcome, JournalError> {
        for told in self.numbered(from)? {
            let (before, event) = told?;
            if before < from {
                continue;
            }
            if look.is_over(&event) {
                return Ok(SearchOutcome::Stopped { looked_to: before });
            }
            if (look.wanted)(&event) {
                return Ok(SearchOutcome::Found(FoundEvent { position: Position(before.0 + 1), event }));
            }
        }
        Ok(SearchOutcome::Nothing)
    }

    /// Part by part of the index, each forward.
    fn search_back<W: FnMut(&Event) -> bool, T: FnMut(Time)>(
        &self,
        from: Position,
        look: &mut EventLook<'_, W, T>,
    ) -> Result<SearchOutcome, JournalError> {
        // The event right before it is the one that is shown.
        let mut end = Position(from.0.saturating_sub(1));
        while end > Position(0) {
            let begin = self.part_before(end);
            let mut found = None;
            for told in self.numbered(begin)? {
                let (before, event) = told?;
                if before >= end {
                    break;
                }
                if look.is_over(&event) {
                    return Ok(SearchOutcome::Stopped { looked_to: end });
                }
                if before >= begin && (look.wanted)(&event) {
                    found = Some(FoundEvent { position: Position(before.0 + 1), event });
                }
            }
            if let Some(found) = found {
                return Ok(SearchOutcome::Found(found));
            }
            end = begin;
        }
        Ok(SearchOutcome::Nothing)
    }

    /// The last indexed position before this one.
    fn part_before(&self, end: Position) -> Position {
        let point = self.shelf().point_before(Goal::Position(Position(end.0.saturating_sub(1))));
        point.map_or(Position(0), |point| point.position)
    }

    /// The events from an indexed place before this position on, each with how many come before it.
    fn numbered(
        &self,
        from: Position,
    ) -> Result<impl Iterator<Item = Result<(Position, Event), JournalError>> + use<>, JournalError> {
        let (mut before, recording) = self.open_at(from)?;
        Ok(recording.filter_map(move |record| match record {
            Ok(JournalRecord::Event { event, .. }) => {
                let told = (before, event);
                before.0 += 1;
                Some(Ok(told))
            }
            // What cannot be read is passed over, as in the fold.
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
        }))
    }
}

struct EventLook<'a, W, T> {
    wanted: W,
    stop: &'a CancellationToken,
    tell: T,
    looked: u64,
    looks_max: u64,
}

impl<W, T: FnMut(Time)> EventLook<'_, W, T> {
    /// It was stopped, or has looked at enough.
    fn is_over(&mut self, event: &Event) -> bool {
        self.looked += 1;
        if self.looked.is_multiple_of(LOOK_EVERY) {
            (self.tell)(event.at);
            return self.stop.is_cancelled() || self.looked > self.looks_max;
        }
        self.looked > self.looks_max
    }
}
