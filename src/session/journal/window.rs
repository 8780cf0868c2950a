//! Records that are put in the order of their numbers: those of a block, and no more at a time than
//! memory allows.

use std::collections::{BTreeMap, VecDeque};

use super::rows::{RowsError, RowsLine};
use super::{JournalError, JournalRecord};
use crate::proto::addr::Addr;

/// Records that wait: more than the program writes in a block.
const RECORDS_MAX: usize = 64 * 1024;
/// Bytes of their lines.
const LEN_MAX: usize = 4 * 1024 * 1024;
/// Damaged lines among them.
const BAD_MAX: usize = 64;

/// A record, or what is wrong with a line.
pub(super) type Told = Result<JournalRecord, JournalError>;

#[derive(Debug, Default)]
pub(super) struct RecordWindow {
    /// By number; a damaged line has that of the record before it.
    records: Vec<(u64, Told)>,
    last: u64,
    bad: usize,
    len: usize,
}

impl RecordWindow {
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS_MAX || self.len >= LEN_MAX || self.bad >= BAD_MAX
    }

    /// A damaged line is among what waits.
    pub(super) fn has_bad(&self) -> bool {
        self.bad > 0
    }

    /// Takes a record from a line of this length.
    pub(super) fn take(&mut self, number: u64, record: JournalRecord, len: usize) {
        self.records.push((number, Ok(record)));
        self.last = number;
        self.len += len;
    }

    /// Takes all events of a line, or none.
    pub(super) fn take_rows(
        &mut self,
        line: &RowsLine,
        nodes: &BTreeMap<u32, Addr>,
        len: usize,
    ) -> Result<(), RowsError> {
        let start = self.records.len();
        let take = |number, event| self.records.push((number, Ok(JournalRecord::Event { number, event })));
        let read = line.read(nodes, take);
        if read.is_err() {
            self.records.truncate(start);
        }
        self.last = self.records.last().map_or(self.last, |(number, _)| *number);
        self.len += len;
        read
    }

    /// Takes what is wrong with a line.
    pub(super) fn take_bad(&mut self, error: JournalError) {
        self.records.push((self.last, Err(error)));
        self.bad += 1;
    }

    /// Hands over everything in order. `next` is the number of the first event if none is missing
    /// before it, `end` that of the first event behind all of these, if it is known. Returns the
    /// number of the next event.
    pub(super) fn empty_into(&mut self, ready: &mut VecDeque<Told>, next: u64, end: Option<u64>) -> u64 {
        self.records.sort_by_key(|(number, _)| *number);
        let (mut after, mut missing) = (next, 0_u64);
        for (number, told) in &self.records {
            let Ok(record) = told else { continue };
            missing = missing.saturating_add(number.saturating_sub(after));
            after = after.max(*number).saturating_add(record.events());
        }
        let missing = end.map(|end| missing.saturating_add(end.saturating_sub(after))).filter(|_| self.bad == 1);
        let next = match end {
            Some(end) => end.max(after),
            // Without numbers, a line is an event.
            None if self.records.len() == self.bad => after.saturating_add(self.bad as u64),
            None => after,
        };
        for (_, told) in self.records.drain(..) {
            ready.push_back(told.map_err(|error| error.with_events(missing)));
        }
        (self.bad, self.len) = (0, 0);
        next
    }
}
