//! Recorded sessions: listed, found by name, and deleted when they take too much room.
//!
//! A session's name is that of its journal without `.jsonl.zst`, or `.jsonl` if an earlier version wrote it. A session that is being written is
//! never deleted: its writer locks the journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::is_being_written;
use super::journal::{Glance, Header, JournalEnd, glance, read};
use crate::model::Set;
use crate::model::identity::SessionIdentity;

/// What the name of a journal ends with: today's, and that of earlier versions.
const EXTENSIONS: [&str; 2] = [".jsonl.zst", ".jsonl"];
/// The word for the newest session in which something was started.
pub const LAST: &str = "last";
/// How alike two names must be, from 0 to 1, for one to be taken for a typo of the other.
const ALIKE_MIN: f64 = 0.6;
/// Names that are proposed.
const NEAR_MAX: usize = 3;
/// Sessions that are listed for an ambiguous beginning of a name.
const FITTING_MAX: usize = 5;

/// Whether a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its process is recording it.
    Running,
    /// Nobody writes to it any more.
    Over,
}

/// A session on disk.
#[derive(Debug, Clone)]
pub struct Session {
    pub name: String,
    /// Its journal.
    pub path: PathBuf,
    /// When and where it was recorded.
    pub header: Header,
    /// Bytes of its journal and of the node logs beside it.
    pub size: u64,
    pub state: State,
}

/// The sessions in a directory.
#[derive(Debug, Default)]
pub struct Archive {
    /// Oldest first.
    pub sessions: Vec<Session>,
    /// Files that look like sessions but are not, one line each, with the reason.
    pub others: Vec<String>,
}

/// Why a session was not found.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FindError {
    #[error("there is no session '{name}': {}'gossipctl sessions' lists all", near_text(near))]
    Unknown {
        /// As it was given.
        name: String,
        /// Similar names.
        near: Vec<String>,
    },
    /// Several names begin like this.
    #[error("'{name}' could be {}: give more of the name", fitting_text(fitting))]
    Ambiguous {
        /// As it was given.
        name: String,
        /// The names that begin with it.
        fitting: Vec<String>,
    },
    /// There are no sessions.
    #[error("no session was recorded yet in {}", dir.display())]
    Nothing {
        /// Where they would be.
        dir: PathBuf,
    },
}

fn near_text(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) }
}

fn fitting_text(fitting: &[String]) -> String {
    let more = fitting.len().saturating_sub(FITTING_MAX);
    let told = fitting.iter().take(FITTING_MAX).map(String::as_str).collect::<Vec<_>>().join(" or ");
    if more > 0 { format!("{told} or {more} others") } else { told }
}

impl Session {
    /// Something was started in it; an open start screen of an earlier version has a journal, too. What
    /// cannot be read is not passed over: the reason is of use.
    fn holds_something(&self) -> bool {
        glance(&self.path).map_or(true, |glance| !glance.is_empty)
    }

    /// What ran in it: `lab of 2 seeds, 8 peers`, `peer 127.0.0.1:3000`, or the name of its scenario.
    pub fn what(&self, glance: &Glance) -> String {
        let nodes = || glance.what.map_or_else(|| "-".to_owned(), SessionIdentity::text);
        self.header.scenario.clone().unwrap_or_else(nodes)
    }

    /// How it ended, in a word or two.
    pub fn ending(&self, end: JournalEnd) -> String {
        match (self.state, end) {
            (State::Running, _) => "running".to_owned(),
            (State::Over, JournalEnd::Closed(Some(ended))) => ended.text(),
            (State::Over, JournalEnd::Closed(None)) => "ended".to_owned(),
            (State::Over, JournalEnd::Open) => "cut off".to_owned(),
        }
    }
}

impl Archive {
    /// Reads a directory; a missing one holds nothing.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_new(dir, &mut Set::default())
    }

    /// The same without the files that are known, which all are afterwards.
    pub fn open_new(dir: &Path, known: &mut Set<PathBuf>) -> io::Result<Self> {
        let mut archive = Self::default();
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(archive),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if known.insert(path.clone()) {
                archive.add(&path);
            }
        }
        archive.sessions.sort_by(|a, b| (a.header.started, &a.name).cmp(&(b.header.started, &b.name)));
        archive.others.sort();
        Ok(archive)
    }

    fn add(&mut self, path: &Path) {
        let Some(name) = name_of(path) else { return };
        // A file that vanishes meanwhile is skipped.
        let Some(about) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else { return };
        let looked = read(path).map(|journal| journal.header().clone());
        match looked {
            Ok(header) => {
                // If that cannot be known, it is listed as over, and not deleted.
                let is_written = is_being_written(path).unwrap_or(false);
                let state = if is_written { State::Running } else { State::Over };
                self.sessions.push(Session {
                    name,
                    path: path.to_owned(),
                    header,
                    size: about.len() + logs_len(path),
                    state,
                });
            }
            Err(error) => self.others.push(error.to_string()),
        }
    }

    /// The session with this name, or [`LAST`].
    pub fn find(&self, dir: &Path, name: &str) -> Result<&Session, FindError> {
        if name == LAST {
            let told = self.sessions.iter().rev().find(|session| session.holds_something());
            return told.or(self.sessions.last()).ok_or_else(|| FindError::Nothing { dir: dir.to_owned() });
        }
        let name = without_extension(name).unwrap_or(name);
        let found = self.sessions.iter().find(|session| session.name == name);
        found.ok_or_else(|| FindError::Unknown { name: name.to_owned(), near: self.near(name) })
    }

    /// The same, by the beginning of its name if no other begins so.
    pub fn find_by_beginning(&self, dir: &Path, beginning: &str) -> Result<&Session, FindError> {
        let exact = self.find(dir, beginning);
        if exact.is_ok() || beginning == LAST || beginning.is_empty() {
            return exact;
        }
        let fitting: Vec<_> = self.sessions.iter().filter(|session| session.name.starts_with(beginning)).collect();
        match fitting[..] {
            [] => exact,
            [session] => Ok(session),
            [_, _, ..] => Err(FindError::Ambiguous {
                name: beginning.to_owned(),
                fitting: fitting.iter().map(|session| session.name.clone()).collect(),
            }),
        }
    }

    fn near(&self, name: &str) -> Vec<String> {
        let last = (!self.sessions.is_empty()).then_some(LAST);
        let names = self.sessions.iter().map(|session| session.name.as_str()).chain(last);
        let mut near: Vec<_> =
            names.map(|known| (strsim::normalized_damerau_levenshtein(name, known), known)).collect();
        near.retain(|(alike, _)| *alike >= ALIKE_MIN);
        near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        near.into_iter().take(NEAR_MAX).map(|(_, name)| name.to_owned()).collect()
    }
}

/// The name of the session in this file, or the name of the file.
pub(super) fn session_name(path: &Path) -> String {
    let file =
        || path.file_name().map_or_else(|| path.display().to_string(), |file| file.to_string_lossy().into_owned());
    name_of(path).unwrap_or_else(file)
}

/// The session's name; `None` if the file is no journal by its name.
fn name_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_string_lossy();
    without_extension(&file).map(str::to_owned)
}

fn without_extension(file: &str) -> Option<&str> {
    EXTENSIONS.iter().find_map(|extension| file.strip_suffix(extension))
}

/// Why a session was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is being written.
    #[error("{name} is running: quit it before you delete it")]
    Running { name: String },
    /// The system refuses.
    #[error("{name}: cannot be deleted: {reason}")]
    Refused { name: String, reason: io::Error },
}

/// Deletes a session that is over. Checks that now, not when it was listed.
pub fn delete(session: &Session) -> Result<(), DeleteError> {
    let refused = |reason| DeleteError::Refused { name: session.name.clone(), reason };
    if is_being_written(&session.path).map_err(refused)? {
        return Err(DeleteError::Running { name: session.name.clone() });
    }
    fs::remove_file(&session.path).map_err(refused)?;
    match fs::remove_dir_all(logs_dir(&session.path)) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(refused(reason)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The folder of a session's node logs, beside its journal; it goes with the session.
pub fn logs_dir(journal: &Path) -> PathBuf {
    journal.with_file_name(format!("{}.logs", name_of(journal).unwrap_or_else(|| "session".to_owned())))
}

fn logs_len(journal: &Path) -> u64 {
    let files = fs::read_dir(logs_dir(journal)).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|about| about.len()).sum()
}

/// Deletes the oldest sessions in `dir` until the rest fits into `size_max` bytes, and returns the
/// deleted ones. Sessions that are being written stay, and so do all other files.
pub fn prune(dir: &Path, size_max: u64) -> io::Result<Vec<PathBuf>> {
    let archive = Archive::open(dir)?;
    let mut size: u64 = archive.sessions.iter().map(|session| session.size).sum();
    let mut gone = Vec::new();
    for session in archive.sessions {
        if size <= size_max {
            break;
        }
        match delete(&session) {
            Ok(()) => {
                size -= session.size;
                gone.push(session.path);
            }
            Err(DeleteError::Running { .. }) => {}
            // Another process that makes room was quicker.
            Err(DeleteError::Refused { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                size -= session.size;
            }
            Err(DeleteError::Refused { reason, .. }) => return Err(reason),
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests;
