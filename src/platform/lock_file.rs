//! A file that is being written has a locked file beside it: `x.jsonl` has `x.jsonl.lock`. On
//! Windows a lock on the file itself would keep readers out, and a recording must be readable while
//! it grows.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Marks a file that somebody is writing. The system drops the lock when the process ends, however
/// it ends; whoever checks next removes the lock file.
#[derive(Debug)]
pub struct WriteLock {
    path: PathBuf,
    /// Locked until it is closed.
    _file: File,
}

impl WriteLock {
    /// Marks the file that is to have this name. An error if it is marked already, or if the file
    /// system has no locks.
    pub fn take(_file: &File, path: &Path) -> io::Result<Self> {
        if is_locked(&beside(path))? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // It appears under its name when it is locked: an unlocked one was left behind.
        let lock = tempfile::Builder::new().prefix(".locking-").tempfile_in(dir)?;
        lock.as_file().try_lock()?;
        let path = beside(path);
        let file = lock.persist_noclobber(&path).map_err(|refused| refused.error)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // If it stays, whoever checks next removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether somebody holds a [`WriteLock`] on this file. An error if that cannot be known, as on a
/// file system without locks.
pub fn is_write_locked(path: &Path) -> io::Result<bool> {
    File::open(path)?;
    is_locked(&beside(path))
}

/// The same of a file that was opened under this name, which may be gone by now.
pub fn is_open_file_write_locked(_file: &File, path: &Path) -> io::Result<bool> {
    is_locked(&beside(path))
}

/// Checks the lock file, and removes one that a process left behind.
fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = fs::remove_file(path);
            Ok(false)
        }
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_a_killed_process_left_behind_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let left = dir.path().join("a.jsonl.lock");
        let file = File::create_new(&path).unwrap();
        fs::write(&left, "").unwrap();
        assert!(!is_write_locked(&path).unwrap() && !left.exists());
        fs::write(&left, "").unwrap();
        let lock = WriteLock::take(&file, &path).unwrap();
        assert!(is_write_locked(&path).unwrap());
        drop(lock);
        assert!(!left.exists());
    }
}
