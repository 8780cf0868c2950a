//! Reads a journal on while another process writes it.
//!
//! Only whole frames (or lines) are read. What is half written is no damage: it is read once the rest of it is there.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::reader::{Bookmark, JournalReader, check_rereadable, read, read_between};
use super::{Header, JournalError, JournalRecord};
use crate::platform::is_same_file;
use crate::session::frames::Packing;

/// A journal that grows.
#[derive(Debug)]
pub struct JournalFollower {
    path: PathBuf,
    header: Header,
    /// Up to where it was read; nothing if only its header was.
    read_to: Option<Bookmark>,
    /// The file as it was last looked at. It is kept open, so that no other gets its number.
    seen: Option<SeenFile>,
    part: Option<JournalPart>,
    /// It cannot be read, and that was told.
    is_failing: bool,
}

#[derive(Debug)]
struct SeenFile {
    _file: File,
    about: Metadata,
}

/// What can be read now.
#[derive(Debug)]
struct JournalPart {
    reader: JournalReader,
    end: u64,
}

impl JournalFollower {
    /// Begins with the first event.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        check_rereadable(path)?;
        let header = read(path)?.header().clone();
        Ok(Self { path: path.to_owned(), header, read_to: None, seen: None, part: None, is_failing: false })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next record; `None`: nothing more for now. A file that cannot be read is an error once. Records are in the order of the file, so an event may follow a
    /// later one of another node.
    pub fn next_record(&mut self) -> Option<Result<JournalRecord, JournalError>> {
        if self.part.is_none() {
            let grown = self.grown();
            let was_failing = std::mem::replace(&mut self.is_failing, grown.is_err());
            self.part = match grown {
                Ok(part) => Some(part?),
                Err(_) if was_failing => return None,
                Err(reason) => return Some(Err(JournalError::Read { path: self.path.clone(), reason })),
            };
        }
        let JournalPart { reader, end } = self.part.as_mut()?;
        let record = reader.next();
        if record.is_none() {
            self.read_to = Some(reader.end_bookmark(*end));
            self.part = None;
        }
        record
    }

    /// What was written since it was read last.
    fn grown(&mut self) -> io::Result<Option<JournalPart>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Whoever writes it begins it anew.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        let seen = self.seen.replace(SeenFile { _file: file.try_clone()?, about: about.clone() });
        let same = seen.as_ref().map(|seen| &seen.about).filter(|seen| is_same_file(seen, &about));
        let packing = Packing::of(&self.path);
        match (same, &mut self.read_to) {
            (None, read_to) => *read_to = None,
            (Some(seen), _) if seen.len() == about.len() => return Ok(None),
            // It was cut to what is whole in it, and goes on there.
            (Some(_), Some(read_to)) if read_to.offset > about.len() => {
                read_to.offset = packing.whole_len(&mut file)?;
            }
            (Some(_), _) => {}
        }
        let from = self.read_to.as_ref().map_or(0, |read_to| read_to.offset);
        let end = packing.readable_end(&mut file, from)?;
        if end <= from {
            return Ok(None);
        }
        let part = |reader| Some(JournalPart { reader, end });
        read_between(&self.path, self.read_to.as_ref(), end).map(part).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::event::{Event, EventKind, NodeEvent};
    use crate::proto::addr::Addr;
    use crate::proto::time::Time;
    use crate::session::journal::Journal;

    fn hung(ms: u64) -> Event {
        Event { at: Time::from_micros(ms * 1_000), node: Addr::loopback(1), kind: EventKind::Node(NodeEvent::Hung) }
    }

    fn new_journal(path: &Path) -> Journal {
        Journal::create(path, &Header::new(Time::from_micros(0), 0), u64::MAX).unwrap()
    }

    fn write(journal: &mut Journal, ms: &[u64]) {
        journal.append(&ms.iter().copied().map(hung).collect::<Vec<_>>()).unwrap();
        journal.flush().unwrap();
    }

    /// The milliseconds of the events that can be read now.
    fn told(follower: &mut JournalFollower) -> Vec<u64> {
        let records = std::iter::from_fn(|| follower.next_record());
        let ms = |record| match record {
            Ok(JournalRecord::Event { event, .. }) => event.at.as_micros() / 1_000,
            other => panic!("{other:?}"),
        };
        records.map(ms).collect()
    }

    #[test]
    fn a_journal_is_read_on_as_it_grows() {
        for name in ["a.jsonl.zst", "a.jsonl"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(name);
            let mut journal = new_journal(&path);
            let mut follower = JournalFollower::open(&path).unwrap();
            assert!(told(&mut follower).is_empty(), "{name}");
            write(&mut journal, &[1, 2]);
            assert_eq!(told(&mut follower), [1, 2], "{name}");
            assert!(told(&mut follower).is_empty(), "{name}");
            write(&mut journal, &[3]);
            write(&mut journal, &[4]);
            journal.close().unwrap();
            assert_eq!(told(&mut follower), [3, 4], "{name}");
        }
    }

    #[test]
    fn a_half_written_end_is_read_when_it_is_whole() {
        for name in ["a.jsonl.zst", "a.jsonl"] {
            let dir = tempfile::tempdir().unwrap();
            let (whole, part) = (dir.path().join(name), dir.path().join(format!("part-{name}")));
            let mut journal = new_journal(&whole);
            write(&mut journal, &[1]);
            let first = usize::try_from(journal.size()).unwrap();
            write(&mut journal, &[2]);
            let bytes = fs::read(&whole).unwrap();
            fs::write(&part, &bytes[..first]).unwrap();
            let mut follower = JournalFollower::open(&part).unwrap();
            assert_eq!(told(&mut follower), [1], "{name}");
            for len in first + 1..bytes.len() {
                fs::write(&part, &bytes[..len]).unwrap();
                assert!(told(&mut follower).is_empty(), "{name}: {len} bytes");
            }
            fs::write(&part, &bytes).unwrap();
            assert_eq!(told(&mut follower), [2], "{name}");
        }
    }

    #[test]
    fn a_damaged_frame_does_not_hide_what_follows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl.zst");
        let mut journal = new_journal(&path);
        let damaged = usize::try_from(journal.size()).unwrap();
        write(&mut journal, &[1]);
        write(&mut journal, &[2, 3]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[damaged + 1] ^= 0xff;
        fs::write(&path, bytes).unwrap();
        let mut follower = JournalFollower::open(&path).unwrap();
        assert!(matches!(follower.next_record(), Some(Err(JournalError::BadLine { .. }))));
        assert_eq!(told(&mut follower), [2, 3]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl.zst");
        write(&mut new_journal(&path), &[1]);
        let mut follower = JournalFollower::open(&path).unwrap();
        let aside = dir.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        let records: Vec<_> = std::iter::from_fn(|| follower.next_record()).collect();
        assert!(matches!(records[..], [Err(JournalError::Read { .. })]), "{records:?}");
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        assert_eq!(told(&mut follower), [1]);
    }

    #[test]
    fn a_journal_that_was_begun_anew_is_read_from_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl.zst");
        let mut journal = new_journal(&path);
        write(&mut journal, &[1, 2]);
        let mut follower = JournalFollower::open(&path).unwrap();
        assert_eq!(told(&mut follower), [1, 2]);
        fs::remove_file(&path).unwrap();
        assert!(told(&mut follower).is_empty());
        // The file that was removed is open until then, so the new one is another.
        write(&mut journal, &[3]);
        let records: Vec<_> = std::iter::from_fn(|| follower.next_record()).collect();
        let is_three =
            |record: &Result<_, _>| matches!(record, Ok(JournalRecord::Event { event, .. }) if *event == hung(3));
        assert!(records.iter().any(is_three), "{records:?}");
    }
}
