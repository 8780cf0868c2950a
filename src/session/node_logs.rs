//! A log for each node: `peer_log_<port>.txt` and `seed_log_<port>.txt`.
//!
//! A new run never mixes with an old one and never loses it: the old file is kept as
//! `peer_log_<port>.1.txt`, or under the next free number. A node that restarts in the same run
//! continues its file.
//!
//! A full log continues in a new file: the one before is kept as `peer_log_<port>.earlier.txt`, and
//! anything older is gone. So the latest events are always there, and neither weeks nor a flood
//! fill the disk.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use indexmap::{IndexMap, IndexSet};

use super::disk::append_whole;
use super::lines::log_line;
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// Bytes of one log that wait before a flush is due.
const PENDING_MAX: usize = 64 * 1024;
/// Old files of one node: more than anybody keeps, so that the search for a free number ends.
const OLD_FILES_MAX: u32 = 100_000;
/// Bytes of one file of a log: some 150,000 lines, hours of a busy node, and an editor still opens
/// it.
pub const LOG_LEN_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of all logs of a session: as much as its journal. With so many nodes that two full files
/// each would take more, files are shorter.
pub const LOGS_LEN_MAX: u64 = 1024 * 1024 * 1024;

/// A log that could not be created or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log {}: {reason}", path.display())]
pub struct LogError {
    /// A file or a directory.
    pub path: PathBuf,
    pub reason: io::Error,
}

/// The logs of all nodes of this process.
///
/// Files are open only while they are written: a lab of a thousand nodes needs its descriptors for
/// sockets.
#[derive(Debug)]
pub struct NodeLogs {
    dir: PathBuf,
    utc_offset_s: i32,
    logs: IndexMap<Addr, NodeLog>,
    taken: IndexSet<PathBuf>,
    dirty: IndexSet<Addr>,
    /// Events that were skipped in this run, of all nodes.
    skipped: u64,
    /// The limit of a file, whatever the number of nodes.
    log_len_max: u64,
    /// A line for the user: the first log has reached its limit.
    note: Option<String>,
    /// There was such a line: once is enough.
    is_noted: bool,
}

#[derive(Debug)]
struct NodeLog {
    path: PathBuf,
    pending: Vec<u8>,
    pending_lines: u64,
    lost_lines: u64,
    /// How many of the skipped events this log has mentioned.
    skipped_told: u64,
    failed: bool,
}

impl NodeLogs {
    /// Logs in this directory, which is created if it is missing.
    pub fn open(dir: &Path, utc_offset_s: i32) -> Result<Self, LogError> {
        fs::create_dir_all(dir).map_err(|reason| LogError { path: dir.to_owned(), reason })?;
        let (logs, taken, dirty) = (IndexMap::new(), IndexSet::new(), IndexSet::new());
        let (dir, log_len_max, note) = (dir.to_owned(), LOG_LEN_MAX, None);
        Ok(Self { dir, utc_offset_s, logs, taken, dirty, skipped: 0, log_len_max, note, is_noted: false })
    }

    /// The files of this run.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.logs.values().map(|log| log.path.as_path())
    }

    /// Takes an event. Its line is in the file after [`NodeLogs::flush`], or earlier. A log that
    /// cannot be written is an error once; the lines that it lost are counted in it when it can be
    /// written again.
    pub fn write(&mut self, event: &Event) -> Result<(), LogError> {
        let opened = if let EventKind::Node(NodeEvent::Started { role, .. }) = event.kind {
            self.begin(event.node, role)
        } else {
            Ok(())
        };
        let (Some(log), Some(line)) = (self.logs.get_mut(&event.node), log_line(event, self.utc_offset_s)) else {
            return opened;
        };
        log.tell_skipped(self.skipped);
        log.push(&line);
        self.dirty.insert(event.node);
        let is_due = log.pending.len() > PENDING_MAX;
        if is_due { opened.and(self.flush_one(event.node)) } else { opened }
    }

    /// A line for the user, once, when the first log has reached its limit.
    pub fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }

    /// The limit of one file: each log has two at most.
    fn file_len_max(&self) -> u64 {
        let share = LOGS_LEN_MAX / 2 / (self.logs.len().max(1) as u64);
        self.log_len_max.min(share)
    }

    fn flush_one(&mut self, node: Addr) -> Result<(), LogError> {
        let len_max = self.file_len_max();
        let Some(log) = self.logs.get_mut(&node) else { return Ok(()) };
        if log.flush(len_max)? && !std::mem::replace(&mut self.is_noted, true) {
            self.note = Some(format!(
                "the log {} has reached its limit of {}: it goes on in a new file; one earlier file is kept of each log",
                log.path.display(),
                size_text(len_max)
            ));
        }
        Ok(())
    }

    /// This many events are missing here, of whichever nodes. Each log says so before its next
    /// line, or at its end.
    pub fn skip(&mut self, events: u64) {
        self.skipped += events;
    }

    /// Makes each log say what it has not said yet. Flush it afterwards.
    pub fn end(&mut self) {
        for (node, log) in &mut self.logs {
            if log.tell_skipped(self.skipped) {
                self.dirty.insert(*node);
            }
        }
    }

    /// Something waits to be written.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Writes what waits; returns the logs whose writing begins to fail.
    pub fn flush(&mut self) -> Vec<LogError> {
        let mut errors = Vec::new();
        for node in std::mem::take(&mut self.dirty) {
            errors.extend(self.flush_one(node).err());
        }
        errors
    }

    /// The log of a node that starts: the one that it has in this run, or a new file.
    fn begin(&mut self, node: Addr, role: Role) -> Result<(), LogError> {
        if self.logs.contains_key(&node) {
            return Ok(());
        }
        let path = self.path_for(node, role);
        let made = keep_earlier(&path).and_then(|()| make_new(&path));
        let made = made.map_err(|reason| LogError { path: path.clone(), reason });
        self.taken.insert(path.clone());
        // Events that were skipped before the node began are not missing in its log.
        self.logs.insert(node, NodeLog { skipped_told: self.skipped, ..NodeLog::new(path, made.is_err()) });
        made
    }

    /// Two nodes of one process can have the same port at different addresses; the later one's file
    /// has the whole address in its name.
    fn path_for(&self, node: Addr, role: Role) -> PathBuf {
        let short = self.dir.join(format!("{role}_log_{}.txt", node.port()));
        if self.taken.contains(&short) {
            self.dir.join(format!("{role}_log_{}_{}.txt", node.ip(), node.port()))
        } else {
            short
        }
    }
}

impl NodeLog {
    fn new(path: PathBuf, failed: bool) -> Self {
        Self { path, pending: Vec::new(), pending_lines: 0, lost_lines: 0, skipped_told: 0, failed }
    }

    /// Writes how many events are missing here; false if none are.
    fn tell_skipped(&mut self, skipped: u64) -> bool {
        let missing = skipped - std::mem::replace(&mut self.skipped_told, skipped);
        if missing > 0 {
            let events = if missing == 1 { "event is" } else { "events are" };
            self.push(&format!("({missing} {events} missing here, of this node or others: they came too fast)"));
        }
        missing > 0
    }

    fn push(&mut self, line: &str) {
        if self.pending.is_empty() && self.lost_lines > 0 {
            let told = format!("({} lines are missing here: the file could not be written)\n", self.lost_lines);
            self.pending.extend_from_slice(told.as_bytes());
        }
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
        self.pending_lines += 1;
    }

    /// Writes what waits, into a new file if this one would grow beyond `len_max`: then true.
    fn flush(&mut self, len_max: u64) -> Result<bool, LogError> {
        let (pending, lines) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_lines));
        if pending.is_empty() {
            return Ok(false);
        }
        match self.append(&pending, len_max) {
            Ok(is_new_file) => {
                (self.failed, self.lost_lines) = (false, 0);
                Ok(is_new_file)
            }
            Err(reason) => {
                self.lost_lines += lines;
                let is_news = !std::mem::replace(&mut self.failed, true);
                let error = LogError { path: self.path.clone(), reason };
                if is_news { Err(error) } else { Ok(false) }
            }
        }
    }

    fn append(&self, lines: &[u8], len_max: u64) -> io::Result<bool> {
        let mut file = open(&self.path)?;
        let len = file.metadata()?.len();
        if len == 0 || len + lines.len() as u64 <= len_max {
            append_whole(&mut file, lines)?;
            return Ok(false);
        }
        let earlier = earlier(&self.path);
        fs::rename(&self.path, &earlier)?;
        let name = earlier.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let first = format!("(the lines before these are in {name}, and what came before those is gone)\n");
        append_whole(&mut open(&self.path)?, &[first.as_bytes(), lines].concat())?;
        Ok(true)
    }
}

fn open(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Where the earlier lines of a full log are kept.
fn earlier(path: &Path) -> PathBuf {
    path.with_extension("earlier.txt")
}

/// Moves the earlier part of this log, left by an old run, to a numbered name.
fn keep_earlier(path: &Path) -> io::Result<()> {
    let earlier = earlier(path);
    if earlier.exists() { keep_old(&earlier) } else { Ok(()) }
}

/// Creates a file, after moving an existing one to a numbered name.
fn make_new(path: &Path) -> io::Result<()> {
    loop {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => keep_old(path)?,
            Err(error) => return Err(error),
        }
    }
}

/// Moves a file to the next free numbered name. An empty file claims the name first, which no other
/// program can claim then, so two programs never overwrite each other's files.
fn keep_old(path: &Path) -> io::Result<()> {
    for number in 1..=OLD_FILES_MAX {
        let numbered = path.with_extension(format!("{number}.txt"));
        match OpenOptions::new().write(true).create_new(true).open(&numbered) {
            Ok(_) => return move_to_claimed(path, &numbered),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{OLD_FILES_MAX} old files are kept already: remove some")))
}

fn move_to_claimed(path: &Path, numbered: &Path) -> io::Result<()> {
    match fs::rename(path, numbered) {
        Ok(()) => Ok(()),
        Err(error) => {
            // Only the empty claim goes; the old file is where it was.
            let _ = fs::remove_file(numbered);
            // Another program moved it meanwhile, and nothing is left to keep.
            if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
        }
    }
}

#[cfg(test)]
mod tests;
