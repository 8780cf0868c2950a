//! The journal: every event of a session, one JSON object a line, as it happened.
//!
//! The first line is a [`Header`]. Every other line is an event (`{"at": .., "node": ..,
//! "event": ..}`) or tells how many events are missing at this place (`{"skipped": 12}`). The last
//! line of a session that was ended tells what it came to (`{"closed": ..}`).

mod reader;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::reader::{JournalEnd, JournalReader, check_rereadable, overview, read};
use super::disk::{Disk, JournalFile, Loss};
use super::json::push_event;
use super::overview::{FOOTER_LEN_MAX, Footer, MissedEvents, Tally};
use crate::event::Event;
use crate::model::words::{count_text, size_text};
use crate::proto::time::Time;

/// What the first line calls the format.
pub const FORMAT: &str = "gossipctl session";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// Longest line that is read: a full peer list, or the longest body with each byte escaped, is less
/// than half of it.
pub const LINE_LEN_MAX: usize = 1024 * 1024;
/// What is kept free of a journal's size for the lines that tell how much is missing and what the
/// session came to.
const LAST_WORDS_LEN: u64 = 64 + FOOTER_LEN_MAX as u64;
/// Bytes that wait to be written before a flush is due by itself: few writes, little to lose.
const PENDING_MAX: usize = 256 * 1024;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`] at the time of writing.
    pub version: u32,
    /// When the session started.
    pub started: Time,
    /// Seconds that the clock of its machine was ahead of UTC.
    pub utc_offset_s: i32,
    /// The version of the program that wrote it.
    pub gossipctl: String,
}

impl Header {
    /// The header of a session that starts now, written by this program.
    pub fn new(started: Time, utc_offset_s: i32) -> Self {
        let gossipctl = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT.to_owned(), version: VERSION, started, utc_offset_s, gossipctl }
    }
}

/// One line of a journal after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalRecord {
    /// Something happened.
    Event(Event),
    /// So many events are missing here.
    Skipped(u64),
    /// The last line was not written to its end: the program was stopped, or is still writing.
    Torn,
}

/// What can go wrong with a journal. Each leaves the file readable up to there.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be made.
    #[error("cannot create the journal {}: {reason}", path.display())]
    Create {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It could not be written; the events of the last moments are not in it.
    #[error("cannot write the journal {}: {reason}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is as long as it may be; what happens from now on is not in it.
    #[error("the journal {} has reached its limit of {}", path.display(), size_text(*size_max))]
    Full {
        /// Which file.
        path: PathBuf,
        /// How long it may be, in bytes.
        size_max: u64,
    },
    /// It could not be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is no journal.
    #[error("{} is not a recorded session: {why}", path.display())]
    NotAJournal {
        /// Which file.
        path: PathBuf,
        /// What it is, or what was expected.
        why: String,
    },
    /// It can be read once only.
    #[error(
        "{} is a pipe or a device, and a replay reads its file more than once: save it to a file first", path.display()
    )]
    ReadOnce {
        /// Which file.
        path: PathBuf,
    },
    /// It was written by a newer program.
    #[error("{} has format version {version}; this gossipctl reads version {VERSION}: use a newer one", path.display())]
    TooNew {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A line is no event.
    #[error("{}, line {line}: expected an event as a JSON object: {why}", path.display())]
    BadLine {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Box<dyn Disk>,
    /// Bytes in the file, and how many there may be.
    size: u64,
    size_max: u64,
    /// Bytes of its first line.
    header_len: u64,
    full: bool,
    pending: Vec<u8>,
    pending_events: u64,
    pending_skipped: u64,
    lost: u64,
    untold: u64,
    held: HeldEvents,
    loss: Option<String>,
    tally: Tally,
}

/// Events that the file tells of.
#[derive(Debug, Clone, Copy, Default)]
struct HeldEvents {
    events: u64,
    /// Those that it says are missing.
    skipped: u64,
}

impl Journal {
    /// Makes a new journal here, and the directories above it. A file that is there is never
    /// touched: that is an error. The file never grows beyond `size_max` bytes; what does not fit is
    /// counted as missing.
    pub fn create(path: &Path, header: &Header, size_max: u64) -> Result<Self, JournalError> {
        let (journal, created) = Self::begin(path, header, size_max);
        created.map(|()| journal)
    }

    /// The same for who goes on without a file: each flush tries again to make it, and what is
    /// missing is counted.
    pub fn begin(path: &Path, header: &Header, size_max: u64) -> (Self, Result<(), JournalError>) {
        let fail = |reason| JournalError::Create { path: path.to_owned(), reason };
        let (first, written) = match serde_json::to_vec(header) {
            Ok(line) => ([line, b"\n".to_vec()].concat(), Ok(())),
            Err(error) => (Vec::new(), Err(fail(error.into()))),
        };
        let size = first.len() as u64;
        let mut file = JournalFile::new(path, first);
        let created = written.and_then(|()| file.open().map_err(fail));
        (Self { size, header_len: size, ..Self::on(Box::new(file), path, header, size_max) }, created)
    }

    /// A journal on this disk, where its header is already.
    pub(super) fn on(disk: Box<dyn Disk>, path: &Path, header: &Header, size_max: u64) -> Self {
        Self {
            path: path.to_owned(),
            disk,
            size: 0,
            size_max,
            header_len: 0,
            full: false,
            pending: Vec::new(),
            pending_events: 0,
            pending_skipped: 0,
            lost: 0,
            untold: 0,
            held: HeldEvents::default(),
            loss: None,
            tally: Tally::new(header.started),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// There is a file.
    pub fn is_there(&self) -> bool {
        self.disk.is_open()
    }

    /// Events that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// It has reached its limit; nothing more goes in.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// What somebody else did to the file since this was asked last, in a line for the user.
    pub fn take_loss(&mut self) -> Option<String> {
        self.loss.take()
    }

    /// Something waits to be written.
    pub fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes these events in. They are in the file after [`Journal::flush`], or earlier; on an error
    /// they are lost, and the journal will say so as soon as it can be written again.
    pub fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        for event in events {
            self.tally.take(event);
        }
        for (at, event) in events.iter().enumerate() {
            if let Err(error) = self.push(|pending| push_event(pending, event)) {
                let rest = (events.len() - at) as u64;
                (self.lost, self.untold) = (self.lost + rest, self.untold + rest);
                return Err(error);
            }
            self.pending_events += 1;
        }
        if self.pending.len() > PENDING_MAX { self.flush() } else { Ok(()) }
    }

    /// Writes what waits, how much is missing at the end, and what the session came to.
    pub fn close(mut self) -> Result<(), JournalError> {
        let flushed = self.flush();
        let missing = if self.untold > 0 { told(self.untold) } else { Vec::new() };
        self.tally.skip(self.lost);
        let mut closed = serde_json::to_vec(&Footer { closed: self.tally.overview() }).unwrap_or_default();
        closed.push(b'\n');
        let written = self.write(&[missing, closed].concat());
        flushed.and(written)
    }

    /// Notes that so many events are missing here.
    pub fn skipped(&mut self, events: u64) -> Result<(), JournalError> {
        if events == 0 {
            return Ok(());
        }
        self.tally.skip(events);
        let noted = self.push(|pending| serde_json::to_writer(pending, &MissedEvents { skipped: events }));
        if noted.is_ok() {
            self.pending_skipped += events;
        } else {
            self.untold += events;
        }
        noted
    }

    /// Writes what waits. A file that was removed or cut meanwhile is begun anew: see [`Journal::take_loss`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        let loss = self.revise();
        if self.pending.is_empty() && loss.is_none() {
            return Ok(());
        }
        let pending = self.take_pending();
        let (events, skipped) = (std::mem::take(&mut self.pending_events), std::mem::take(&mut self.pending_skipped));
        let written = self.write(&pending);
        match &written {
            // What a full journal lost is told at its end.
            Ok(()) if self.full => {}
            Ok(()) => self.held.skipped += std::mem::take(&mut self.untold),
            Err(_) => self.untold += events + skipped,
        }
        if written.is_ok() {
            self.held = HeldEvents { events: self.held.events + events, skipped: self.held.skipped + skipped };
        } else {
            self.lost += events;
        }
        if let Some((loss, gone)) = loss {
            self.loss = Some(self.loss_text(loss, gone));
        }
        written
    }

    /// Counts what somebody else took out of the file as missing; how much that is.
    fn revise(&mut self) -> Option<(Loss, u64)> {
        // What cannot be looked at now cannot be written either, and that is told.
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
        let written = self.disk.append(bytes);
        self.size += if written.is_ok() { bytes.len() as u64 } else { 0 };
        let path = self.path.clone();
        let is_open = self.disk.is_open();
        written.map_err(|reason| {
            if is_open { JournalError::Write { path, reason } } else { JournalError::Create { path, reason } }
        })
    }

    /// What waits; first of all, how many events an earlier failure left out.
    fn take_pending(&mut self) -> Vec<u8> {
        let mut pending = std::mem::take(&mut self.pending);
        if self.untold > 0 && !self.full {
            pending.splice(0..0, told(self.untold));
        }
        pending
    }

    /// Takes in a line that `write` appends.
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) -> Result<(), JournalError> {
        let start = self.pending.len();
        let written = if self.full { Ok(()) } else { write(&mut self.pending) };
        self.pending.push(b'\n');
        self.full |= self.size + self.pending.len() as u64 + LAST_WORDS_LEN > self.size_max;
        if self.full || written.is_err() {
            self.pending.truncate(start);
        }
        let path = || self.path.clone();
        match written {
            Err(error) => Err(JournalError::Write { path: path(), reason: error.into() }),
            Ok(()) if self.full => Err(JournalError::Full { path: path(), size_max: self.size_max }),
            Ok(()) => Ok(()),
        }
    }
}

/// What a file that was cut still tells of.
fn held(path: &Path) -> HeldEvents {
    let mut held = HeldEvents::default();
    for record in read(path).into_iter().flatten().flatten() {
        match record {
            JournalRecord::Event(_) => held.events += 1,
            JournalRecord::Skipped(events) => held.skipped += events,
            JournalRecord::Torn => {}
        }
    }
    held
}

/// The line that tells how many events are missing at its place.
fn told(skipped: u64) -> Vec<u8> {
    format!("{{\"skipped\":{skipped}}}\n").into_bytes()
}

#[cfg(test)]
mod tests;
