//! The sessions that were recorded before: kept until they take too much room.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How much room the journals of all sessions may take: the oldest go first.
pub const ARCHIVE_SIZE_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Deletes the oldest journals in `dir` until the rest fits into `size_max` bytes, and tells which
/// went. Names begin with the time, so their order is that of the sessions. A journal for which
/// `is_in_use` holds stays; so does every file that is no journal.
pub fn prune(dir: &Path, size_max: u64, is_in_use: impl Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut journals = journals(dir)?;
    let mut size: u64 = journals.iter().map(|(_, len)| len).sum();
    journals.sort();
    let mut gone = Vec::new();
    for (path, len) in journals {
        if size <= size_max {
            break;
        }
        if !is_in_use(&path) {
            fs::remove_file(&path)?;
            size -= len;
            gone.push(path);
        }
    }
    Ok(gone)
}

fn journals(dir: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_journal = entry.path().extension().is_some_and(|ending| ending == "jsonl");
        // What goes away while we look is gone.
        if let Some(about) = entry.metadata().ok().filter(|about| is_journal && about.is_file()) {
            journals.push((entry.path(), about.len()));
        }
    }
    Ok(journals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sessions_go_first_and_neither_a_running_one_nor_another_file_ever() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["2026-01-01T00-00-00-1.jsonl", "2026-01-02T00-00-00-2.jsonl", "2026-01-03T00-00-00-3.jsonl"];
        for name in names.iter().chain(&["2025-notes.txt"]) {
            fs::write(dir.path().join(name), [b'x'; 100]).unwrap();
        }
        let oldest = dir.path().join(names[0]);
        assert_eq!(prune(dir.path(), 300, |_| false).unwrap(), Vec::<PathBuf>::new());
        let gone = prune(dir.path(), 200, |path| path == oldest).unwrap();
        assert_eq!(gone, [dir.path().join(names[1])]);
        let gone = prune(dir.path(), 0, |path| path == oldest).unwrap();
        assert_eq!(gone, [dir.path().join(names[2])]);
        assert!(oldest.exists() && dir.path().join("2025-notes.txt").exists());
    }
}
