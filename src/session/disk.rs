//! Writes whole lines or nothing, and locks a session that is being written.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::frames::Packing;
use crate::platform::{WriteLock, is_same_file, new_file_permissions};

pub(super) use crate::platform::is_write_locked as is_being_written;

/// Where a journal is written to.
pub(super) trait Disk: Debug + Send {
    /// Appends all of these bytes, or leaves everything as it was.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// There is a file to write to.
    fn is_open(&self) -> bool;

    /// Checks that what was written is still there. If not, whole lines are left, and the next
    /// [`Disk::append`] follows them.
    fn revise(&mut self) -> io::Result<Option<Loss>> {
        Ok(None)
    }
}

/// What somebody else did to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// It was removed, or another file has its name.
    Removed,
    /// It was cut to this many bytes.
    Cut(u64),
}

/// The file of a journal. It is created with its first line as soon as that is possible: a place
/// that refuses it now may take it later.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    packing: Packing,
    first: Vec<u8>,
    open: Option<OpenJournal>,
}

#[derive(Debug)]
struct OpenJournal {
    file: File,
    /// `None` on a file system without locks.
    _lock: Option<WriteLock>,
    /// Bytes of whole lines or frames.
    len: u64,
    /// Half a line may follow them.
    torn: bool,
}

impl JournalFile {
    /// A file to be created later, with this as its first line.
    pub(super) fn new(path: &Path, first: Vec<u8>) -> Self {
        Self { path: path.to_owned(), packing: Packing::of(path), first, open: None }
    }

    /// Creates the file. One that exists is never touched: that is an error.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            let (file, lock) = create_locked(&self.path, &self.first)?;
            self.open = Some(OpenJournal { file, _lock: lock, len: self.first.len() as u64, torn: false });
        }
        Ok(())
    }
}

impl Disk for JournalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open()?;
        self.open.as_mut().map_or(Ok(()), |open| open.append(bytes))
    }

    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn revise(&mut self) -> io::Result<Option<Loss>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        if !open.is_at(&self.path) {
            self.open = None;
            return Ok(Some(Loss::Removed));
        }
        open.mend(&self.first, self.packing)
    }
}

impl OpenJournal {
    /// The file with this name is the one that is open here. If that cannot be checked, the file is
    /// kept.
    fn is_at(&self, path: &Path) -> bool {
        match (fs::metadata(path), self.file.metadata()) {
            (Ok(named), Ok(open)) => is_same_file(&named, &open),
            (Err(error), _) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => false,
            (Ok(_) | Err(_), _) => true,
        }
    }

    /// A file that is shorter than what was written to it keeps its whole lines, or starts again
    /// with its first line.
    fn mend(&mut self, first: &[u8], packing: Packing) -> io::Result<Option<Loss>> {
        let len = self.file.metadata()?.len();
        if len >= self.len {
            return Ok(None);
        }
        let whole = packing.whole_len(&mut self.file)?;
        self.len = if whole >= first.len() as u64 { whole } else { 0 };
        self.file.set_len(self.len)?;
        self.torn = false;
        if self.len == 0 {
            self.append(first)?;
        }
        Ok(Some(Loss::Cut(self.len)))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            // The rest of a failed write would spoil the next line.
            self.file.set_len(self.len)?;
            self.torn = false;
        }
        self.file.seek(SeekFrom::Start(self.len))?;
        let written = self.file.write_all(bytes);
        match written {
            Ok(()) => self.len += bytes.len() as u64,
            Err(_) => self.torn = self.file.set_len(self.len).is_err(),
        }
        written
    }
}

/// Creates a file that holds this and is locked as long as it is open. It appears under its name
/// all at once, so nobody finds it without its first line or its lock.
fn create_locked(path: &Path, first: &[u8]) -> io::Result<(File, Option<WriteLock>)> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = new_file_builder(".starting-").tempfile_in(dir).map_err(without_temporary_name)?;
    // On a file system without locks the session is kept anyway; a list of sessions then cannot
    // tell that it runs.
    let lock = WriteLock::take(file.as_file(), path).ok();
    file.write_all(first)?;
    Ok((file.persist_noclobber(path).map_err(|refused| refused.error)?, lock))
}

/// Files that vanish unless they are renamed into place, with the permissions of any new file of
/// the user: the umask counts.
pub(super) fn new_file_builder(prefix: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    if let Some(permissions) = new_file_permissions() {
        builder.permissions(permissions);
    }
    builder
}

/// The system's own words. tempfile adds the name of a temporary file, which means nothing to the
/// user.
pub(super) fn without_temporary_name(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said.to_owned()),
        None => error,
    }
}

/// Appends all of these bytes to the file, or leaves it as it was: half a line would make the rest
/// unreadable. The error is that of the write.
pub(super) fn append_whole(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let written = file.write_all(bytes);
    if written.is_err() {
        // If this fails too, a reader finds a torn line and says so.
        let _ = file.set_len(end);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_for_as_long_as_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let mut file = JournalFile::new(&path, b"first\n".to_vec());
        file.append(b"second\n").unwrap();
        assert!(is_being_written(&path).unwrap() && is_being_written(&path).unwrap());
        drop(file);
        assert!(!is_being_written(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\nsecond\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left in the directory");
    }

    #[test]
    fn half_a_line_from_a_full_disk_is_removed_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let mut file = JournalFile::new(&path, b"first\n".to_vec());
        file.open().unwrap();
        let open = file.open.as_mut().unwrap();
        open.file.write_all(b"half a li").unwrap();
        open.torn = true;
        file.append(b"x\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\nx\n");
    }

    #[test]
    fn a_place_that_takes_no_file_at_first_takes_it_later() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("place");
        fs::write(&place, "in the way").unwrap();
        let mut file = JournalFile::new(&place.join("a.jsonl"), b"first\n".to_vec());
        assert!(file.append(b"lost\n").is_err() && !file.is_open());
        fs::remove_file(&place).unwrap();
        file.append(b"kept\n").unwrap();
        assert_eq!(fs::read_to_string(place.join("a.jsonl")).unwrap(), "first\nkept\n");
    }
}
