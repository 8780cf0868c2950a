//! A recorded session, read back in order of time.
//!
//! Nodes run side by side, so a journal holds their events nearly in order; a short buffer sorts
//! them without holding the whole session in memory. A recording can be read on from a
//! [`Checkpoint`], and then tells the same records in the same order as if it were read from its
//! beginning.

mod ahead;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use self::ahead::{ReadAhead, ReaderStep};
use super::frames::is_packed;
use super::journal::{self, Bookmark, Header, JournalError, JournalReader, JournalRecord};
use crate::proto::time::Time;

/// How far events may be out of order: longer than any node holds its events back.
pub(super) const DISORDER_MAX: Duration = Duration::from_secs(2);
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
    reader: RecordSource,
    header: Header,
    /// By time, then by place in the file.
    waiting: BTreeMap<(Time, u64), PendingRecord>,
    waiting_bytes: usize,
    newest: Time,
    read: u64,
    /// The bookmarks behind which records wait, oldest first.
    trail: VecDeque<ReadTrace>,
    /// What was told before the checkpoint from which this is read.
    told: Option<ToldBefore>,
}

/// Where records come from.
#[derive(Debug)]
enum RecordSource {
    Here(Box<JournalReader>),
    /// A thread of its own.
    Ahead(ReadAhead),
}

/// What the buffer was like at a bookmark.
#[derive(Debug, Clone)]
struct ReadTrace {
    bookmark: Bookmark,
    read: u64,
    newest: Time,
}

/// A place at which a recording can be read on, between two of its records.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    /// Where the oldest record is that is still to be told.
    from: ReadTrace,
    /// Records up to this one were read; of those, only some are still to be told.
    read: u64,
    untold: Vec<Range<u64>>,
}

impl Checkpoint {
    /// Bytes of memory that it takes.
    pub(super) fn memory_len(&self) -> usize {
        size_of::<Self>() + self.from.bookmark.memory_len() + self.untold.len() * size_of::<Range<u64>>()
    }

    /// For a list of thousands: see [`Bookmark::without_nodes`].
    pub(super) fn without_nodes(self) -> Self {
        let bookmark = self.from.bookmark.without_nodes();
        Self { from: ReadTrace { bookmark, ..self.from }, ..self }
    }
}

#[derive(Debug)]
struct ToldBefore {
    read: u64,
    untold: Vec<Range<u64>>,
}

/// What comes next in a recording.
#[derive(Debug)]
pub(super) enum ReplayStep {
    Record(Result<JournalRecord, JournalError>),
    /// Here is a [`Checkpoint`].
    Checkpoint,
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
        journal::read(path).map(Self::of)
    }

    /// The same, to be read on from here.
    pub(super) fn open_at(path: &Path, checkpoint: &Checkpoint) -> Result<Self, JournalError> {
        let Checkpoint { from: ReadTrace { bookmark, read, newest }, .. } = checkpoint;
        let mut recording = Self::of(journal::read_from(path, bookmark)?);
        (recording.read, recording.newest) = (*read, *newest);
        recording.told = Some(ToldBefore { read: checkpoint.read, untold: checkpoint.untold.clone() });
        Ok(recording)
    }

    /// What this reader reads.
    pub(super) fn of(reader: JournalReader) -> Self {
        Self {
            header: reader.header().clone(),
            reader: RecordSource::Here(Box::new(reader)),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            newest: Time::from_micros(0),
            read: 0,
            trail: VecDeque::new(),
            told: None,
        }
    }

    /// Has it read, unpacked and parsed by another thread, for a caller that has as much to do with what comes. Nothing
    /// must have been read yet.
    pub(super) fn ahead(self) -> Self {
        match self.reader {
            RecordSource::Here(reader) => Self { reader: ReadAhead::spawn(*reader), ..self },
            RecordSource::Ahead(_) => self,
        }
    }

    /// When and where it was recorded.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where it can be read on. Only right behind [`ReplayStep::Checkpoint`].
    pub(super) fn checkpoint(&mut self) -> Option<Checkpoint> {
        let mut untold: Vec<u64> = self.waiting.keys().map(|(_, read)| *read).collect();
        untold.sort_unstable();
        let oldest = untold.first().copied().unwrap_or(self.read + 1);
        while self.trail.get(1).is_some_and(|trace| trace.read < oldest) {
            self.trail.pop_front();
        }
        let from = self.trail.front()?.clone();
        Some(Checkpoint { from, read: self.read, untold: ranges(&untold) })
    }

    /// The next record or checkpoint.
    pub(super) fn next_step(&mut self) -> Option<ReplayStep> {
        while !self.is_ready() {
            match self.reader.next() {
                Some(ReaderStep::Record(record)) => self.hold(record),
                Some(ReaderStep::Bookmark(bookmark)) => {
                    self.trail.push_back(ReadTrace { bookmark, read: self.read, newest: self.newest });
                    if self.told.as_ref().is_none_or(|told| told.read <= self.read) {
                        return Some(ReplayStep::Checkpoint);
                    }
                }
                None => break,
            }
        }
        let (_, first) = self.waiting.pop_first()?;
        self.waiting_bytes -= first.bytes;
        Some(ReplayStep::Record(first.record))
    }

    fn hold(&mut self, record: Result<JournalRecord, JournalError>) {
        // A line that is no event stays where it is: right after the line before it.
        let (at, bytes) = match &record {
            Ok(JournalRecord::Event { event, .. }) => (event.at, event.memory_len()),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => (self.newest, size_of::<PendingRecord>()),
        };
        self.newest = self.newest.max(at);
        self.read += 1;
        if self.told.as_ref().is_some_and(|told| told.has(self.read)) {
            return;
        }
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

impl ToldBefore {
    fn has(&self, read: u64) -> bool {
        if read > self.read {
            return false;
        }
        let place = self.untold.partition_point(|range| range.end <= read);
        self.untold.get(place).is_none_or(|range| !range.contains(&read))
    }
}

/// Numbers in order as ranges.
fn ranges(numbers: &[u64]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some(range) if range.end == *number => range.end += 1,
            Some(_) | None => ranges.push(*number..*number + 1),
        }
    }
    ranges
}

impl RecordSource {
    fn next(&mut self) -> Option<ReaderStep> {
        match self {
            Self::Here(reader) => ahead::next(reader),
            Self::Ahead(reader) => reader.next(),
        }
    }
}

impl Iterator for Recording {
    type Item = Result<JournalRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_step()? {
                ReplayStep::Record(record) => return Some(record),
                // Bookmarks behind which nothing waits any more are not needed.
                ReplayStep::Checkpoint => self.trail.clear(),
            }
        }
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
