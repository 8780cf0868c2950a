//! Whether somebody still writes a journal.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::platform::is_open_file_write_locked;

/// Follows the writer of a journal, also after somebody has removed the file: the writer finds that
/// out and begins it anew, unless it has ended.
#[derive(Debug)]
pub(super) struct WriterWatch {
    path: PathBuf,
    /// The file as it was last seen, which may have been removed since.
    file: Option<File>,
}

impl WriterWatch {
    pub(super) fn new(path: PathBuf) -> Self {
        let file = File::open(&path).ok();
        Self { path, file }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Somebody writes the file, or would if it had not been removed; also if that cannot be known.
    pub(super) fn is_there(&mut self) -> bool {
        match File::open(&self.path) {
            Ok(file) => self.file = Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return true,
        }
        let is_locked = |file: &File| is_open_file_write_locked(file, &self.path).unwrap_or(true);
        self.file.as_ref().is_some_and(is_locked)
    }
}
