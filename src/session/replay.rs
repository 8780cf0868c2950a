//! A recorded session, read back in order of time.
//!
//! Nodes run side by side, so a journal holds their events nearly in order; a short buffer sorts
//! them without holding the whole session in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::frames::is_packed;
use super::journal::{self, Header, JournalError, JournalReader, JournalRecord};
use crate::proto::time::Time;

/// How far events may be out of order: longer than any node holds its events back.
const DISORDER_MAX: Duration = Duration::from_secs(2);
/// Records in the buffer, whatever their times.
const BUFFER_MAX: usize = 65_536;
/// Bytes of memory that they take: a peer list can be long.
const BUFFER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Whether a file is a recording, by its first bytes, and not a text that somebody wrote. What cannot
/// be read, or only once, is none.
pub fn looks_like_recording(path: &Path) -> bool {
    let mut head = Vec::new();
    let is_file = path.metadata().is_ok_and(|about| about.is_file());
    let read = is_file && File::open(path).and_then(|file| file.take(4).read_to_end(&mut head)).is_ok();
    read && (head.starts_with(b"{") || is_packed(&head))
}

/// A recorded session: an iterator over its events, in order of time.
///
/// Where events are missing, a [`JournalRecord::Skipped`] stands in their place. A line that is no
/// event is an error in its place, after which reading continues.
#[derive(Debug)]
pub struct Recording {
    reader: JournalReader,
    /// By time, then by place in the file.
    waiting: BTreeMap<(Time, u64), PendingRecord>,
    waiting_bytes: usize,
    newest: Time,
    read: u64,
}

/// A record that waits for earlier ones.
#[derive(Debug)]
struct PendingRecord {
    bytes: usize,
    record: Result<JournalRecord, JournalError>,
}

/// Lines of a recording that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    pub lines: u64,
    /// What is wrong with the first few: enough to see what happened to a file.
    pub told: Vec<String>,
}

impl Damage {
    /// Lines that are reported one by one.
    pub const TOLD_MAX: usize = 5;

    pub fn note(&mut self, error: &JournalError) {
        self.lines += 1;
        if self.told.len() < Self::TOLD_MAX {
            self.told.push(error.to_string());
        }
    }
}

impl Recording {
    /// Opens a journal, or an export that ends in `.jsonl`.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let reader = journal::read(path)?;
        let (waiting, newest) = (BTreeMap::new(), Time::from_micros(0));
        Ok(Self { reader, waiting, waiting_bytes: 0, newest, read: 0 })
    }

    /// When and where it was recorded.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    fn hold(&mut self, record: Result<JournalRecord, JournalError>) {
        // A line that is no event stays where it is: right after the line before it.
        let (at, bytes) = match &record {
            Ok(JournalRecord::Event { event, .. }) => (event.at, event.memory_len()),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => (self.newest, size_of::<PendingRecord>()),
        };
        self.newest = self.newest.max(at);
        self.read += 1;
        self.waiting_bytes += bytes;
        self.waiting.insert((at, self.read), PendingRecord { bytes, record });
    }

    /// Nothing earlier than the first in the buffer can still come.
    fn is_ready(&self) -> bool {
        let first = self.waiting.first_key_value().map(|((at, _), _)| *at);
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
        let (_, first) = self.waiting.pop_first()?;
        self.waiting_bytes -= first.bytes;
        Some(first.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventKind, NodeEvent};
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
        lines.insert_str(lines.find("{\"n\":5,\"skipped\"").unwrap(), "{damaged}\n");
        std::fs::write(&path, lines).unwrap();
        let told: Vec<_> = Recording::open(&path)
            .unwrap()
            .map(|record| match record {
                Ok(JournalRecord::Event { event, .. }) => event.at.as_micros() / 1_000,
                Ok(JournalRecord::Skipped(count)) => count,
                Ok(JournalRecord::Torn) => 0,
                Err(JournalError::BadLine { line, .. }) => line,
                Err(error) => panic!("{error}"),
            })
            .collect();
        assert_eq!(told, [10, 20, 30, 8_999, 9_000, 7, 4, 9_001]);
    }
}
