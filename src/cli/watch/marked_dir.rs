//! Temporary directories that say whether somebody uses them.
//!
//! A process that is killed cannot remove its own. The system ends the lock on the mark in it, so the next `watch`
//! finds and removes it.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::platform::{WriteLock, belongs_to_user, is_write_locked};

const PREFIX: &str = "gossipctl-watch-";
/// The name of the mark.
const MARK: &str = "in-use";

/// A temporary directory of this process, which is removed with this.
#[derive(Debug)]
pub(super) struct MarkedDir {
    dir: TempDir,
    /// `None` on a file system without locks, where nobody removes what others left behind.
    _mark: Option<LockedMark>,
}

/// A file that is locked as long as its directory is in use.
#[derive(Debug)]
struct LockedMark {
    _lock: WriteLock,
    _file: File,
}

impl MarkedDir {
    /// Makes one, and removes those that others left behind.
    pub(super) fn make() -> io::Result<Self> {
        let temporary = std::env::temp_dir();
        remove_leftovers(&temporary);
        Self::make_in(&temporary, WriteLock::take)
    }

    fn make_in(parent: &Path, lock: impl FnOnce(&File, &Path) -> io::Result<WriteLock>) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let mark = LockedMark::make_in(dir.path(), lock)?;
        Ok(Self { dir, _mark: mark })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl LockedMark {
    /// `None` if it cannot be locked: an unlocked mark would say that its directory was left behind. So it gets
    /// its name once it is locked.
    fn make_in(dir: &Path, lock: impl FnOnce(&File, &Path) -> io::Result<WriteLock>) -> io::Result<Option<Self>> {
        let file = tempfile::Builder::new().prefix(".marking-").tempfile_in(dir)?;
        let path = dir.join(MARK);
        let Ok(lock) = lock(file.as_file(), &path) else { return Ok(None) };
        let file = file.persist(&path).map_err(|refused| refused.error)?;
        Ok(Some(Self { _lock: lock, _file: file }))
    }
}

/// Removes what processes of this user that have ended left here. What cannot be removed stays.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(is_leftover) {
        let _ = fs::remove_dir_all(entry.path());
    }
}

/// A directory without a mark is one that is being made, and one of somebody else is not looked into.
fn is_leftover(entry: &DirEntry) -> bool {
    let has_name = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
    let is_own = || entry.metadata().is_ok_and(|about| about.is_dir() && belongs_to_user(&about));
    has_name && is_own() && is_write_locked(&entry.path().join(MARK)).is_ok_and(|locked| !locked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_uses_any_more_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let used = MarkedDir::make_in(parent.path(), WriteLock::take).unwrap();
        fs::write(used.path().join("watched-1.jsonl.zst"), "much").unwrap();
        let names = ["gossipctl-watch-killed", "gossipctl-watch-begun", "another"];
        let [killed, begun, another] = names.map(|name| parent.path().join(name));
        for dir in [&killed, &begun, &another] {
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("watched-1.jsonl.zst"), "much").unwrap();
        }
        fs::write(killed.join(MARK), "").unwrap();
        fs::write(another.join(MARK), "").unwrap();
        remove_leftovers(parent.path());
        assert!(!killed.exists() && begun.exists() && another.exists() && used.path().exists());
        let own = used.path().to_owned();
        drop(used);
        assert!(!own.exists(), "the one in use is removed with its owner");
    }

    #[test]
    fn a_directory_that_cannot_be_locked_is_not_taken_for_left() {
        let parent = tempfile::tempdir().unwrap();
        let used = MarkedDir::make_in(parent.path(), |_, _| Err(io::ErrorKind::Unsupported.into())).unwrap();
        remove_leftovers(parent.path());
        assert!(used.path().exists());
    }
}
