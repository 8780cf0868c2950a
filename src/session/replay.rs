//! A recorded session, read back in order of time.
//!
//! Nodes run side by side, so a journal holds their events nearly in order; a short buffer sorts
//! them without holding the whole session in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::time::Duration;

use super::journal::{self, Header, JournalError, JournalReader, JournalRecord};
use crate::event::Event;
use crate::proto::time::Time;

/// How far events may be out of order: longer than any node holds its events back.
const DISORDER_MAX: Duration = Duration::from_secs(2);
/// Records in the buffer, whatever their times.
const BUFFER_MAX: usize = 65_536;
/// Bytes of their lines: a peer list can be long.
const BUFFER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A recorded session: an iterator over its events, in order of time.
///
/// Where events are missing, a [`JournalRecord::Skipped`] stands in their place. A line that is no
/// event is an error in its place, after which reading continues.
#[derive(Debug)]
pub struct Recording {
    reader: JournalReader,
    waiting: BinaryHeap<Reverse<PendingRecord>>,
    waiting_bytes: usize,
    newest: Time,
    read: u64,
}

/// A record that waits for earlier ones; ordered by time, then by place in the file.
#[derive(Debug)]
struct PendingRecord {
    at: Time,
    place: u64,
    bytes: usize,
    record: Result<JournalRecord, JournalError>,
}

impl Recording {
    /// Opens a journal, or an export that ends in `.jsonl`.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let reader = journal::read(path)?;
        let (waiting, newest) = (BinaryHeap::new(), Time::from_micros(0));
        Ok(Self { reader, waiting, waiting_bytes: 0, newest, read: 0 })
    }

    /// When and where it was recorded.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    fn hold(&mut self, record: Result<JournalRecord, JournalError>) {
        // A line that is no event stays where it is: right after the line before it.
        let at = match &record {
            Ok(JournalRecord::Event(Event { at, .. })) => *at,
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => self.newest,
        };
        self.newest = self.newest.max(at);
        self.read += 1;
        let bytes = self.reader.line_len();
        self.waiting_bytes += bytes;
        self.waiting.push(Reverse(PendingRecord { at, place: self.read, bytes, record }));
    }

    /// Nothing earlier than the first in the buffer can still come.
    fn is_ready(&self) -> bool {
        let first = self.waiting.peek().map(|Reverse(waiting)| waiting.at);
        let is_full = self.waiting.len() >= BUFFER_MAX || self.waiting_bytes >= BUFFER_BYTES_MAX;
        first.is_some_and(|at| is_full || self.newest.since(at) > DISORDER_MAX)
    }
}

impl Iterator for Recording {
    type Item = Result<JournalRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_ready() {
            match self.reader.next() {
                Some(record) => self.hold(record),
                None => break,
            }
        }
        let Reverse(first) = self.waiting.pop()?;
        self.waiting_bytes -= first.bytes;
        Some(first.record)
    }
}

impl PartialEq for PendingRecord {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for PendingRecord {}

impl PartialOrd for PendingRecord {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PendingRecord {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.place).cmp(&(other.at, other.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, NodeEvent};
    use crate::proto::addr::Addr;
    use crate::session::journal::Journal;

    fn hung(ms: u64) -> Event {
        Event { at: Time::from_micros(ms * 1_000), node: Addr::loopback(1), kind: EventKind::Node(NodeEvent::Hung) }
    }

    #[test]
    fn events_that_were_written_out_of_order_are_told_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.jsonl");
        let mut journal = Journal::create(&path, &Header::new(Time::from_micros(0), 0), u64::MAX).unwrap();
        journal.append(&[hung(10), hung(30), hung(20), hung(9_000), hung(8_999)]).unwrap();
        journal.skipped(4).unwrap();
        journal.append(&[hung(9_001)]).unwrap();
        journal.flush().unwrap();
        let mut lines = std::fs::read_to_string(&path).unwrap();
        lines.insert_str(lines.find("{\"skipped\"").unwrap(), "{damaged}\n");
        std::fs::write(&path, lines).unwrap();
        let told: Vec<_> = Recording::open(&path)
            .unwrap()
            .map(|record| match record {
                Ok(JournalRecord::Event(event)) => event.at.as_micros() / 1_000,
                Ok(JournalRecord::Skipped(count)) => count,
                Ok(JournalRecord::Torn) => 0,
                Err(JournalError::BadLine { line, .. }) => line,
                Err(error) => panic!("{error}"),
            })
            .collect();
        assert_eq!(told, [10, 20, 30, 8_999, 9_000, 7, 4, 9_001]);
    }
}
