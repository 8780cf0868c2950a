//! The journal: every event of a session, in a file of lines that docs/journal.md describes.
//!
//! The first line is a [`Header`]. Then come blocks, each with the events of a second at most: most
//! events are rows of a line that stands for many, the others have a line each. A session that was
//! ended has a footer as its last line, which sums it up. Each event has a number, its place in the
//! session, by which a reader puts a block in order.

mod block;
mod follow;
mod glance;
mod header;
mod line;
mod reader;
mod rows;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::block::JournalBlock;
pub use self::follow::JournalFollower;
pub use self::glance::{Glance, JournalEnd, glance, overview};
pub use self::header::{FORMAT, Header, RecordedLab, RecordedSource, SCENARIO_LEN_MAX, VERSION};
pub(super) use self::reader::{Bookmark, read_at, read_from};
pub use self::reader::{JournalReader, check_rereadable, read};
use super::disk::{Disk, JournalFile, Loss};
use super::frames::Packing;
use super::overview::{FOOTER_LEN_MAX, Footer, SessionEnd, Tally};
use crate::event::Event;
use crate::model::words::{count_text, size_text};
use crate::proto::time::Time;

/// The longest line that is read: a full peer list, or the longest body with each byte escaped,
/// takes less than half.
pub const LINE_LEN_MAX: usize = 1024 * 1024;
/// How much of a session's time a block holds. In virtual time hours of it pass within a second of the clock.
const BLOCK_SPAN_MAX: Duration = Duration::from_millis(1_500);
/// Bytes of a journal's size that are reserved for the lines about missing events and for the
/// footer.
const LAST_WORDS_LEN: u64 = 64 + FOOTER_LEN_MAX as u64;

/// What a journal tells, in the order of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalRecord {
    Event {
        /// Events of the session before it, those that are missing included.
        number: u64,
        event: Event,
    },
    /// This many events are missing here.
    Skipped(u64),
    /// The last line is incomplete: the program was stopped, or is still writing.
    Torn,
}

impl JournalRecord {
    /// How many events it tells, or tells to be missing.
    fn events(&self) -> u64 {
        match self {
            Self::Event { .. } => 1,
            Self::Skipped(events) => *events,
            Self::Torn => 0,
        }
    }
}

/// What can go wrong with a journal. The file stays readable up to there.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot create the journal {}: {reason}", path.display())]
    Create { path: PathBuf, reason: io::Error },
    /// Events of the last moments are lost.
    #[error("cannot write the journal {}: {reason}", path.display())]
    Write { path: PathBuf, reason: io::Error },
    /// It has reached its limit; later events are lost.
    #[error("the journal {} has reached its limit of {}", path.display(), size_text(*size_max))]
    Full {
        path: PathBuf,
        /// In bytes.
        size_max: u64,
    },
    #[error("cannot read {}: {reason}", path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("{} is not a recorded session: {why}", path.display())]
    NotAJournal {
        path: PathBuf,
        /// What it is, or what was expected.
        why: String,
    },
    /// It can be read only once.
    #[error(
        "{} is a pipe or a device, and a replay reads its file more than once: save it to a file first", path.display()
    )]
    ReadOnce { path: PathBuf },
    /// A newer program wrote it.
    #[error("{} has format version {version}; this gossipctl reads version {VERSION}: use a newer one", path.display())]
    TooNew { path: PathBuf, version: u32 },
    /// A line is not an event.
    #[error("{}, line {line}: expected an event as a JSON object: {why}{}", path.display(), missing_text(*events))]
    BadLine {
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        why: String,
        /// The events that were in it, if it is known how many are missing.
        events: Option<u64>,
    },
}

fn missing_text(events: Option<u64>) -> String {
    events.map(|events| format!("; {} missing", count_text(events, "event"))).unwrap_or_default()
}

impl JournalError {
    /// The same for a line whose events are counted.
    fn with_events(self, missing: Option<u64>) -> Self {
        match self {
            Self::BadLine { path, line, why, .. } => Self::BadLine { path, line, why, events: missing },
            other => other,
        }
    }

    /// How many events are missing in its place, or one if that is not known.
    pub fn missing(&self) -> u64 {
        match self {
            Self::BadLine { events, .. } => events.unwrap_or(1),
            Self::Create { .. }
            | Self::Write { .. }
            | Self::Full { .. }
            | Self::Read { .. }
            | Self::NotAJournal { .. }
            | Self::ReadOnce { .. }
            | Self::TooNew { .. } => 1,
        }
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    packing: Packing,
    disk: Box<dyn Disk>,
    /// Bytes in the file, and the limit.
    size: u64,
    size_max: u64,
    /// Bytes of its first line.
    header_len: u64,
    full: bool,
    block: JournalBlock,
    /// When the session began, and when the first event of the block was.
    started: Time,
    at: Time,
    /// The number of the next event.
    next: u64,
    lost: u64,
    untold: u64,
    held: HeldEvents,
    loss: Option<String>,
    tally: Tally,
}

/// The events that the file, or a block, accounts for.
#[derive(Debug, Clone, Copy, Default)]
struct HeldEvents {
    events: u64,
    /// Events that it says are missing.
    skipped: u64,
}

impl Journal {
    /// Creates a journal here, and the directories above it. A file that exists is never touched:
    /// that is an error. The file never grows beyond `size_max` bytes; events that do not fit are
    /// counted as missing.
    pub fn create(path: &Path, header: &Header, size_max: u64) -> Result<Self, JournalError> {
        let (journal, created) = Self::begin(path, header, size_max);
        created.map(|()| journal)
    }

    /// The same, for a caller that continues without a file: each flush tries again to create it,
    /// and missing events are counted.
    pub fn begin(path: &Path, header: &Header, size_max: u64) -> (Self, Result<(), JournalError>) {
        let fail = |reason| JournalError::Create { path: path.to_owned(), reason };
        let line = serde_json::to_vec(header).map(|line| [line, b"\n".to_vec()].concat()).map_err(io::Error::from);
        let (first, written) = match line.and_then(|line| Packing::of(path).pack(0, header.began(), line)) {
            Ok(first) => (first, Ok(())),
            Err(error) => (Vec::new(), Err(fail(error))),
        };
        let size = first.len() as u64;
        let mut file = JournalFile::new(path, first);
        let created = written.and_then(|()| file.open().map_err(fail));
        (Self { size, header_len: size, ..Self::on(Box::new(file), path, header, size_max) }, created)
    }

    /// A journal on this disk, which has its header already.
    pub(super) fn on(disk: Box<dyn Disk>, path: &Path, header: &Header, size_max: u64) -> Self {
        Self {
            path: path.to_owned(),
            packing: Packing::of(path),
            disk,
            size: 0,
            size_max,
            header_len: 0,
            full: false,
            block: JournalBlock::default(),
            started: header.began(),
            at: header.began(),
            next: 0,
            lost: 0,
            untold: 0,
            held: HeldEvents::default(),
            loss: None,
            tally: Tally::new(header.began()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The most bytes that it may take.
    pub fn size_max(&self) -> u64 {
        self.size_max
    }

    /// The file exists.
    pub fn is_there(&self) -> bool {
        self.disk.is_open()
    }

    /// Events that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// It has reached its limit and takes nothing more.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// When it will be full if it goes on growing as it has, once it is half full.
    pub fn full_at(&self) -> Option<Time> {
        if self.full || self.size < self.size_max / 2 {
            return None;
        }
        let lasted = self.at.since(self.started).as_micros();
        let micros = lasted.checked_mul(u128::from(self.size_max))? / u128::from(self.size);
        Some(self.started + Duration::from_micros(u64::try_from(micros).ok()?))
    }

    /// What somebody else did to the file since the last call, as a line for the user.
    pub fn take_loss(&mut self) -> Option<String> {
        self.loss.take()
    }

    /// Something waits to be written.
    pub fn is_dirty(&self) -> bool {
        !self.block.is_empty()
    }

    /// Takes these events. They are in the file after [`Journal::flush`], or earlier. On an error
    /// some are lost, and the journal says so as soon as it can be written again.
    pub fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        let mut kept = Ok(());
        for event in events {
            self.tally.take(event);
            if self.block.is_empty() {
                self.at = event.at;
            } else if event.at.since(self.at) >= BLOCK_SPAN_MAX {
                kept = kept.and(self.flush());
                self.at = event.at;
            }
            let number = self.next;
            self.next += 1;
            let taken = self.block.push(number, event).map_err(|reason| self.not_written(reason.into()));
            if taken.is_err() {
                (self.lost, self.untold) = (self.lost + 1, self.untold + 1);
            }
            kept = kept.and(taken).and(self.flush_if_due());
        }
        kept
    }

    /// Notes that this many events are missing here.
    pub fn skipped(&mut self, events: u64) -> Result<(), JournalError> {
        if events == 0 {
            return Ok(());
        }
        self.tally.skip(events);
        self.block.skip(self.next, events);
        self.next = self.next.saturating_add(events);
        self.flush_if_due()
    }

    /// Writes what waits, how many events are missing at the end, and the footer.
    pub fn close(self) -> Result<(), JournalError> {
        self.close_as(None)
    }

    /// The same for a session that ended so.
    pub fn close_as(mut self, ended: Option<SessionEnd>) -> Result<(), JournalError> {
        let flushed = self.flush();
        let mut last = self.told();
        self.tally.skip(self.lost);
        last.extend(serde_json::to_vec(&Footer { closed: self.tally.overview(), ended }).unwrap_or_default());
        last.push(b'\n');
        let packed = self.packing.pack(self.next, self.at, last).map_err(|reason| self.not_written(reason));
        flushed.and(packed.and_then(|last| self.write(&last)))
    }

    /// Writes what waits. A file that was removed or cut meanwhile is started again: see
    /// [`Journal::take_loss`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        let loss = self.revise();
        if self.block.is_empty() && loss.is_none() {
            return Ok(());
        }
        let written = self.write_block();
        if let Some((loss, gone)) = loss {
            self.loss = Some(self.loss_text(loss, gone));
        }
        written
    }

    /// Writes a block that is large enough, or may be the last that fits into the file.
    fn flush_if_due(&mut self) -> Result<(), JournalError> {
        let room = self.size_max.saturating_sub(self.size + LAST_WORDS_LEN);
        if self.full {
            self.write_block()
        } else if self.block.is_full() || self.block.len() > room {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes the block, or counts its events as lost.
    fn write_block(&mut self) -> Result<(), JournalError> {
        let HeldEvents { events, skipped } = self.block.held;
        let written = self.lines().and_then(|lines| self.write(&lines));
        if written.is_ok() {
            self.held.events += events;
            self.held.skipped += skipped + std::mem::take(&mut self.untold);
        } else {
            self.lost += events;
            self.untold += events + skipped;
        }
        written
    }

    /// The lines of the block, packed, after the number of events that an earlier failure lost.
    fn lines(&mut self) -> Result<Vec<u8>, JournalError> {
        let mut lines = self.told();
        let written = self.block.write(&mut lines).map_err(io::Error::from);
        let packed = written.and_then(|()| self.packing.pack(self.block.first, self.at, lines));
        let lines = packed.map_err(|reason| self.not_written(reason))?;
        self.full |= self.size + lines.len() as u64 + LAST_WORDS_LEN > self.size_max;
        if self.full {
            return Err(JournalError::Full { path: self.path.clone(), size_max: self.size_max });
        }
        Ok(lines)
    }

    /// The line that says how many events are missing in its place, if any are.
    fn told(&self) -> Vec<u8> {
        if self.untold > 0 { format!("{{\"skipped\":{}}}\n", self.untold).into_bytes() } else { Vec::new() }
    }

    /// Counts as missing what somebody else took out of the file, and returns how much that is.
    fn revise(&mut self) -> Option<(Loss, u64)> {
        // What cannot be examined now cannot be written either, and that is reported.
        let loss = self.disk.revise().ok().flatten()?;
        let (left, size) = match loss {
            Loss::Removed => (HeldEvents::default(), self.header_len),
            Loss::Cut(size) => (held(&self.path), size),
        };
        let gone = self.held.events.saturating_sub(left.events);
        self.lost += gone;
        self.untold += gone + self.held.skipped.saturating_sub(left.skipped);
        (self.held, self.size, self.full) = (left, size, false);
        Some((loss, gone))
    }

    fn loss_text(&self, loss: Loss, gone: u64) -> String {
        let done = match loss {
            Loss::Removed => "removed",
            Loss::Cut(_) => "cut",
        };
        let anew = if self.disk.is_open() { "it was begun anew; " } else { "" };
        let (gone, path) = (count_text(gone, "event"), self.path.display());
        format!("the journal {path} was {done} while it was written: {anew}{gone} that it held missing")
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.disk.append(bytes).map_err(|reason| self.not_written(reason))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn not_written(&self, reason: io::Error) -> JournalError {
        let path = self.path.clone();
        if self.disk.is_open() { JournalError::Write { path, reason } } else { JournalError::Create { path, reason } }
    }
}

/// What a cut file still holds.
fn held(path: &Path) -> HeldEvents {
    let mut held = HeldEvents::default();
    for record in read(path).into_iter().flatten().flatten() {
        match record {
            JournalRecord::Event { .. } => held.events += 1,
            JournalRecord::Skipped(events) => held.skipped += events,
            JournalRecord::Torn => {}
        }
    }
    held
}

#[cfg(test)]
mod tests;
