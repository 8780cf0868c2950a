use super::*;
use crate::event::samples::{AT, any_event, event, one_of_each, peer};
use crate::event::{EventKind, NodeEvent};
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::Write;

fn new_journal(dir: &tempfile::TempDir) -> Journal {
    Journal::create(&dir.path().join("deep/er/session.jsonl"), &Header::new(AT, 3600), u64::MAX).unwrap()
}

fn records(path: &Path) -> Vec<Result<JournalRecord, String>> {
    read(path).unwrap().map(|record| record.map_err(|error| error.to_string())).collect()
}

/// As if somebody else had written to the file.
fn scribble(path: &Path, bytes: &[u8]) {
    File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// A journal in which eight events, a gap of two and three more events are.
fn begun(dir: &tempfile::TempDir) -> Journal {
    let mut journal = new_journal(dir);
    journal.append(&[1, 2, 3, 4, 5, 6, 7, 8].map(hung)).unwrap();
    journal.skipped(2).unwrap();
    journal.append(&[9, 10, 11].map(hung)).unwrap();
    journal.flush().unwrap();
    assert_eq!(journal.take_loss(), None);
    journal
}

/// Adds an event to a journal that somebody has meddled with, and tells what it says of that.
fn go_on(journal: &mut Journal) -> String {
    journal.append(&[hung(12)]).unwrap();
    journal.flush().unwrap();
    journal.take_loss().unwrap()
}

/// A disk without any room.
#[derive(Debug)]
struct Full;

impl Disk for Full {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn is_open(&self) -> bool {
        true
    }
}

fn hung(n: u16) -> Event {
    event(peer(n), EventKind::Node(NodeEvent::Hung))
}

#[test]
fn a_journal_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    let events: Vec<_> = one_of_each().into_iter().map(|kind| event(peer(1), kind)).collect();
    journal.append(&events).unwrap();
    journal.skipped(12).unwrap();
    journal.skipped(0).unwrap();
    journal.append(&[hung(2)]).unwrap();
    journal.flush().unwrap();
    let reader = read(journal.path()).unwrap();
    assert_eq!(reader.header(), &Header::new(AT, 3600));
    let mut expected: Vec<_> = events.into_iter().map(JournalRecord::Event).collect();
    expected.extend([JournalRecord::Skipped(12), JournalRecord::Event(hung(2))]);
    assert_eq!(reader.map(Result::unwrap).collect::<Vec<_>>(), expected);
}

#[test]
fn a_journal_or_its_directory_that_was_removed_is_begun_anew() {
    let remove_file = |path: &Path| fs::remove_file(path).unwrap();
    let remove_dir = |path: &Path| fs::remove_dir_all(path.parent().unwrap()).unwrap();
    for remove in [&remove_file as &dyn Fn(&Path), &remove_dir] {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begun(&dir);
        remove(journal.path());
        let path = journal.path().to_owned();
        let told = format!(
            "the journal {} was removed while it was written: it was begun anew; 11 events that it held missing",
            path.display()
        );
        assert_eq!(go_on(&mut journal), told);
        assert_eq!(records(&path), [Ok(JournalRecord::Skipped(13)), Ok(JournalRecord::Event(hung(12)))]);
        assert_eq!((journal.size(), journal.lost()), (fs::metadata(&path).unwrap().len(), 11));
        journal.close().unwrap();
        assert_eq!(crate::session::journal::overview(&path).unwrap().0.skipped, 13);
    }
}

#[test]
fn a_cut_journal_goes_on_behind_its_whole_lines() {
    for (lines, missing) in [(1, 13), (4, 10), (10, 3)] {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begun(&dir);
        let text = fs::read_to_string(journal.path()).unwrap();
        let left = text.split_inclusive('\n').take(lines).map(str::len).sum::<usize>();
        for cut in [left, left + 5] {
            fs::write(journal.path(), &text).unwrap();
            let file = File::options().write(true).open(journal.path()).unwrap();
            file.set_len(cut as u64).unwrap();
        }
        assert!(go_on(&mut journal).contains(" was cut while it was written: it was begun anew; "));
        let text = fs::read_to_string(journal.path()).unwrap();
        assert_eq!(text.lines().nth(lines).unwrap(), format!("{{\"skipped\":{missing}}}"), "{text}");
        assert_eq!(records(journal.path()).last(), Some(&Ok(JournalRecord::Event(hung(12)))));
        assert_eq!(journal.size(), text.len() as u64);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut journal = begun(&dir);
    File::options().write(true).open(journal.path()).unwrap().set_len(0).unwrap();
    go_on(&mut journal);
    assert_eq!(records(journal.path()), [Ok(JournalRecord::Skipped(13)), Ok(JournalRecord::Event(hung(12)))]);
}

#[test]
fn another_file_in_the_place_of_a_journal_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = begun(&dir);
    let path = journal.path().to_owned();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "somebody else's").unwrap();
    journal.append(&[hung(12)]).unwrap();
    assert!(matches!(journal.flush(), Err(JournalError::Create { .. })));
    assert_eq!(journal.take_loss().unwrap().split(": ").last(), Some("11 events that it held missing"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
    fs::remove_file(&path).unwrap();
    journal.append(&[hung(13)]).unwrap();
    journal.flush().unwrap();
    assert_eq!(records(&path), [Ok(JournalRecord::Skipped(14)), Ok(JournalRecord::Event(hung(13)))]);
}

#[test]
fn a_line_that_is_too_long_is_one_bad_line_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = begun(&dir);
    scribble(journal.path(), &[vec![b'x'; 3 * LINE_LEN_MAX], b"\n".to_vec()].concat());
    scribble(journal.path(), format!("{}\n", serde_json::to_string(&hung(12)).unwrap()).as_bytes());
    let records = records(journal.path());
    assert_eq!(records.len(), 14);
    assert!(records[12].as_ref().unwrap_err().ends_with("longer than 1048576 bytes"), "{:?}", records[12]);
    assert_eq!(records[13], Ok(JournalRecord::Event(hung(12))));
    journal.flush().unwrap();
}

#[test]
fn a_file_that_is_there_is_never_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_journal(&dir).path().to_owned();
    let before = fs::read(&path).unwrap();
    let error = Journal::create(&path, &Header::new(AT, 0), u64::MAX).unwrap_err().to_string();
    assert!(error.starts_with("cannot create the journal ") && error.contains("session.jsonl"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_journal_stops_at_its_limit_and_tells_at_its_end_how_much_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, size_max) = (dir.path().join("short.jsonl"), 3_000);
    let mut journal = Journal::create(&path, &Header::new(AT, 0), size_max).unwrap();
    let mut refusals = 0;
    for _ in 0..100 {
        let kept = journal.append(&[hung(1), hung(2)]);
        refusals += usize::from(matches!(kept, Err(JournalError::Full { size_max: 3_000, .. })));
        journal.flush().unwrap();
    }
    journal.skipped(7).unwrap_err();
    let lost = journal.lost();
    assert!(refusals > 50 && lost > 100, "{refusals} refusals, {lost} lost");
    journal.close().unwrap();
    assert!(fs::metadata(&path).unwrap().len() <= size_max);
    let records = records(&path);
    assert_eq!(records.len() as u64, 200 - lost + 1);
    assert_eq!(records.last(), Some(&Ok(JournalRecord::Skipped(lost + 7))));
}

#[test]
fn a_last_line_that_was_not_finished_is_told_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    journal.append(&[hung(1), hung(2)]).unwrap();
    journal.flush().unwrap();
    let len = fs::metadata(journal.path()).unwrap().len();
    File::options().write(true).open(journal.path()).unwrap().set_len(len - 5).unwrap();
    assert_eq!(records(journal.path()), [Ok(JournalRecord::Event(hung(1))), Ok(JournalRecord::Torn)]);
}

#[test]
fn a_bad_line_is_named_with_file_and_number_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    journal.append(&[hung(1)]).unwrap();
    journal.flush().unwrap();
    scribble(journal.path(), b"what is this\n{\"at\":1,\"node\":\"127.0.0.1:1\",\"event\":\"flew\"}\n");
    scribble(journal.path(), (serde_json::to_string(&hung(2)).unwrap() + "\n").as_bytes());
    let told = records(journal.path());
    let bad: Vec<_> = told.iter().filter_map(|record| record.as_ref().err()).collect();
    assert!(bad[0].contains("session.jsonl, line 3: expected an event as a JSON object"), "{}", bad[0]);
    assert!(bad[1].contains("line 4") && bad[1].contains("flew"), "{}", bad[1]);
    assert_eq!(told[3], Ok(JournalRecord::Event(hung(2))));
}

#[test]
fn what_is_no_journal_or_too_new_is_said_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.jsonl");
    fs::write(&path, "dear diary\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("notes.jsonl is not a recorded session: line 1: expected a header such as {\"format\""));
    let header = Header { version: 2, ..Header::new(AT, 0) };
    fs::write(&path, serde_json::to_string(&header).unwrap() + "\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.ends_with("has format version 2; this gossipctl reads version 1: use a newer one"), "{error}");
    let error = read(&dir.path().join("none.jsonl")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("none.jsonl"), "{error}");
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let journal = new_journal(&dir);
    scribble(journal.path(), &vec![b'x'; 3 * LINE_LEN_MAX]);
    let told = records(journal.path());
    assert_eq!(told.len(), 1);
    assert!(told[0].as_ref().unwrap_err().contains("longer than 1048576 bytes"));
}

#[test]
fn a_disk_that_was_full_for_a_while_leaves_a_whole_journal_that_tells_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    journal.append(&[hung(1)]).unwrap();
    journal.flush().unwrap();
    let good = std::mem::replace(&mut journal.disk, Box::new(Full));
    journal.append(&[hung(2), hung(3)]).unwrap();
    journal.skipped(10).unwrap();
    let error = journal.flush().unwrap_err().to_string();
    assert!(error.starts_with("cannot write the journal "), "{error}");
    journal.disk = good;
    journal.append(&[hung(4)]).unwrap();
    journal.flush().unwrap();
    journal.append(&[hung(5)]).unwrap();
    journal.flush().unwrap();
    assert_eq!(journal.lost(), 2);
    let told: Vec<_> = records(journal.path()).into_iter().map(Result::unwrap).collect();
    let event = |n| JournalRecord::Event(hung(n));
    assert_eq!(told, [event(1), JournalRecord::Skipped(12), event(4), event(5)]);
}

#[test]
fn there_is_a_sample_of_each_event_and_files_know_it_by_its_name() {
    let mut names: Vec<_> = one_of_each().iter().map(EventKind::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 45);
}

proptest! {
    #[test]
    fn any_event_survives_a_file(event in any_event()) {
        let json = serde_json::to_string(&event).unwrap();
        prop_assert!(!json.contains('\n'));
        let back: Event = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&back, &event);
        let tree: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&tree["event"], event.kind.name());
    }

    #[test]
    fn any_bytes_after_a_header_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        serde_json::to_writer(&mut file, &Header::new(AT, 0)).unwrap();
        file.write_all(b"\n").unwrap();
        file.write_all(&bytes).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').count();
        prop_assert!(read(file.path()).unwrap().count() <= lines);
        file.as_file().set_len(0).unwrap();
        fs::write(file.path(), &bytes).unwrap();
        prop_assert!(read(file.path()).is_err());
    }
}
