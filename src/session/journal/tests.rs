use super::*;
use crate::event::samples::{AT, any_event, clock, event, one_of_each, peer};
use crate::event::{EventKind, GossipEvent, NodeEvent, ProbeEvent};
use crate::proto::message::{MessageId, ProbeId, Trace};
use crate::proto::text::Body;
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

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

/// The event with this number.
fn record(number: u64, event: Event) -> JournalRecord {
    JournalRecord::Event { number, event }
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
    let mut expected: Vec<_> = (0..).zip(events).map(|(number, event)| record(number, event)).collect();
    let number = expected.len() as u64;
    expected.extend([JournalRecord::Skipped(12), record(number + 12, hung(2))]);
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
        assert_eq!(records(&path), [Ok(JournalRecord::Skipped(13)), Ok(record(13, hung(12)))]);
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
        assert_eq!(records(journal.path()).last(), Some(&Ok(record(13, hung(12)))));
        assert_eq!(journal.size(), text.len() as u64);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut journal = begun(&dir);
    File::options().write(true).open(journal.path()).unwrap().set_len(0).unwrap();
    go_on(&mut journal);
    assert_eq!(records(journal.path()), [Ok(JournalRecord::Skipped(13)), Ok(record(13, hung(12)))]);
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
    assert_eq!(records(&path), [Ok(JournalRecord::Skipped(14)), Ok(record(14, hung(13)))]);
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
    assert_eq!(records[13], Ok(record(13, hung(12))));
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
fn a_journal_stops_at_its_limit_and_says_how_much_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, size_max) = (dir.path().join("short.jsonl"), 3_000);
    let mut journal = Journal::create(&path, &Header::new(AT, 0), size_max).unwrap();
    let mut refusals = 0;
    for _ in 0..100 {
        let kept = journal.append(&[hung(1), hung(2)]).and(journal.flush());
        refusals += usize::from(matches!(kept, Err(JournalError::Full { size_max: 3_000, .. })));
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
fn a_half_full_journal_tells_when_it_will_be_full() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&dir.path().join("short.jsonl"), &Header::new(AT, 0), 10_000).unwrap();
    let mut seconds = 0;
    while journal.full_at().is_none() {
        seconds += 1;
        journal.append(&[Event { at: AT + Duration::from_secs(seconds), ..hung(1) }]).unwrap();
        journal.flush().unwrap();
    }
    let told = journal.full_at().unwrap();
    let mut last = seconds;
    while !journal.is_full() {
        last += 1;
        let _ = journal.append(&[Event { at: AT + Duration::from_secs(last), ..hung(1) }]).and(journal.flush());
    }
    // The header and the reserve for the last lines are not in the pace.
    let (from, to) = (AT + Duration::from_secs(last * 9 / 10), AT + Duration::from_secs(last * 12 / 10));
    assert!((from..to).contains(&told), "half full after {seconds} s, full after {last} s, told {told:?}");
    assert_eq!(journal.full_at(), None, "it is full");
}

#[test]
fn an_unfinished_last_line_is_told_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    journal.append(&[hung(1), hung(2)]).unwrap();
    journal.flush().unwrap();
    let len = fs::metadata(journal.path()).unwrap().len();
    File::options().write(true).open(journal.path()).unwrap().set_len(len - 5).unwrap();
    assert_eq!(records(journal.path()), [Ok(record(0, hung(1))), Ok(JournalRecord::Torn)]);
}

#[test]
fn a_bad_line_is_named_with_file_and_number_the_rest_is_read() {
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
    assert_eq!(told[3], Ok(record(1, hung(2))));
}

/// A message and the answer to a probe, so often.
fn copies(count: u64) -> Vec<Event> {
    let id = MessageId { origin: peer(1), run: 7, seq: 1 };
    let copy = |hop| {
        let trace = Some(Trace { sent: AT, hop });
        event(peer(2), GossipEvent::Duplicate { id, from: peer(1), trace }.into())
    };
    (0..count).map(|hop| copy(u16::try_from(hop).unwrap())).collect()
}

#[test]
fn a_damaged_line_of_copies_tells_how_many_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    for block in [&copies(40)[..], &[hung(3)], &copies(2)] {
        journal.append(block).unwrap();
        journal.flush().unwrap();
    }
    let path = journal.path().to_owned();
    journal.close().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for (line, missing) in [(3, 40), (4, 1), (6, 2)] {
        let mut lines: Vec<&str> = text.lines().collect();
        lines[line - 1] = &lines[line - 1][..20];
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = read(&path).unwrap().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (43 - missing, 1), "{text}");
        let bad = bad[0].as_ref().unwrap_err();
        assert_eq!(bad.missing(), missing as u64, "{bad}");
        let told = format!("; {} missing", count_text(missing as u64, "event"));
        assert!(bad.to_string().contains(&format!("line {line}: ")) && bad.to_string().ends_with(&told), "{bad}");
    }
}

#[test]
fn a_line_and_a_block_hold_no_more_than_they_may() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    let events = [copies(30_000), copies(30_000)].concat();
    journal.append(&events).unwrap();
    assert!(journal.is_dirty() && fs::metadata(journal.path()).unwrap().len() > 100_000, "some of it is on disk");
    journal.flush().unwrap();
    let text = fs::read_to_string(journal.path()).unwrap();
    let most = text.lines().filter(|line| line.contains("rows")).map(told_by).max();
    assert_eq!(most, Some(4 * 1024));
    assert_eq!(text.lines().filter(|line| is_head(line)).count(), 3);
    let told: Vec<_> = read(journal.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(told, (0..).zip(events).map(|(number, event)| record(number, event)).collect::<Vec<_>>());
}

#[test]
fn a_number_never_stands_for_two_nodes() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = new_journal(&dir);
    let id = MessageId { origin: peer(1), run: 7, seq: 1 };
    for n in 2..6 {
        let copy = GossipEvent::Duplicate { id, from: peer(n), trace: None };
        journal.append(&[event(peer(1), copy.into())]).unwrap();
        journal.flush().unwrap();
    }
    let text = fs::read_to_string(journal.path()).unwrap();
    let heads: Vec<_> = text.lines().filter(|line| is_head(line)).collect();
    assert_eq!(heads[3], r#"{"block":3,"nodes":{"1":"127.0.0.1:3001","4":"127.0.0.1:3005"}}"#);
    // Without its head, the last block names a node that nobody introduced.
    fs::write(journal.path(), text.replace(heads[3], "?")).unwrap();
    let told = records(journal.path());
    assert_eq!((told.len(), told.iter().filter(|told| told.is_ok()).count()), (5, 3));
    assert!(told[4].as_ref().unwrap_err().contains("node 4 was not introduced"), "{:?}", told[4]);
}

#[test]
fn a_block_without_end_does_not_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let journal = new_journal(&dir);
    let lines = (0..70_000_u64).rev().map(|n| format!("{{\"n\":{n},\"skipped\":1}}\n").into_bytes());
    scribble(journal.path(), &lines.collect::<Vec<_>>().concat());
    let mut reader = read(journal.path()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), JournalRecord::Skipped(1));
    assert!(reader.line < 66_000, "{} lines were read for the first record", reader.line);
    assert_eq!(reader.count(), 69_999);
}

#[test]
fn what_is_no_journal_or_too_new_is_said_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.jsonl");
    fs::write(&path, "dear diary\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("notes.jsonl is not a recorded session: line 1: expected a header such as {\"format\""));
    let header = Header { version: 3, ..Header::new(AT, 0) };
    fs::write(&path, serde_json::to_string(&header).unwrap() + "\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.ends_with("has format version 3; this gossipctl reads version 2: use a newer one"), "{error}");
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
fn a_disk_full_for_a_while_leaves_a_whole_journal_with_its_gap() {
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
    assert_eq!(told, [record(0, hung(1)), JournalRecord::Skipped(12), record(13, hung(4)), record(14, hung(5))]);
}

#[test]
fn each_event_has_a_sample_and_a_name_in_files() {
    let mut names: Vec<_> = one_of_each().iter().map(EventKind::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 45);
}

/// Events as a network makes them: copies of few messages and probes among few nodes, and a few of any kind.
fn traffic() -> impl Strategy<Value = Vec<Event>> {
    let node = || (1..5_u16).prop_map(peer);
    let trace = || prop_oneof![Just(None), (0..3_u16).prop_map(|hop| Some(Trace { sent: AT, hop }))];
    let id = || (node(), 1..3_u64).prop_map(|(origin, seq)| MessageId { origin, run: 7, seq });
    let body = || prop_oneof![4 => Just(Body::from("one")), 1 => Just(Body::from("two"))];
    let gossip = prop_oneof![
        (id(), body(), trace()).prop_map(|(id, body, trace)| GossipEvent::Generated { id, body, trace, forwarded: 2 }),
        (id(), node(), body(), trace()).prop_map(|(id, from, body, trace)| GossipEvent::Received {
            id,
            from,
            body,
            trace,
            forwarded: 3
        }),
        (id(), node(), trace()).prop_map(|(id, from, trace)| GossipEvent::Duplicate { id, from, trace }),
    ];
    let probe_id = || proptest::option::of((0..9_u32).prop_map(ProbeId));
    let probe = prop_oneof![
        (node(), 0..9_u64, probe_id()).prop_map(|(peer, seq, probe)| ProbeEvent::Sent { peer, seq, probe }),
        (node(), 0..9_u64).prop_map(|(peer, seq)| ProbeEvent::Received { peer, seq, clock: clock() }),
        (node(), any::<u64>(), probe_id()).prop_map(|(peer, seq, probe)| ProbeEvent::Answered {
            peer,
            seq,
            probe,
            clock: clock(),
            rtt_us: 9
        }),
    ];
    let kind = prop_oneof![gossip.prop_map(EventKind::from), probe.prop_map(EventKind::from)];
    let hot =
        (0..99_u64, node(), kind).prop_map(|(us, node, kind)| Event { at: AT + Duration::from_micros(us), node, kind });
    proptest::collection::vec(prop_oneof![6 => hot, 1 => any_event()], 0..60)
}

/// Writes events in blocks that end after these numbers of events, and after each tells that so many are missing.
fn written(dir: &tempfile::TempDir, events: &[Event], blocks: &[(usize, u64)]) -> (PathBuf, Vec<JournalRecord>) {
    let mut journal = new_journal(dir);
    let (mut rest, mut number, mut expected) = (events, 0, Vec::new());
    for (len, missing) in blocks.iter().chain([&(events.len(), 0)]) {
        let (block, after) = rest.split_at((*len).min(rest.len()));
        journal.append(block).unwrap();
        expected.extend((number..).zip(block).map(|(number, event)| record(number, event.clone())));
        journal.skipped(*missing).unwrap();
        expected.extend((*missing > 0).then_some(JournalRecord::Skipped(*missing)));
        number += block.len() as u64 + missing;
        // Not each gap ends a block.
        if missing % 2 == 0 {
            journal.flush().unwrap();
        }
        rest = after;
    }
    journal.flush().unwrap();
    (journal.path().to_owned(), expected)
}

fn is_head(line: &str) -> bool {
    line.starts_with("{\"block\":")
}

/// How many records a line is.
fn told_by(line: &str) -> usize {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    match line["rows"].as_object() {
        Some(rows) => rows.values().map(|rows| rows["n"].as_array().unwrap().len()).sum(),
        None => usize::from(line["block"].is_null()),
    }
}

fn blocks() -> impl Strategy<Value = Vec<(usize, u64)>> {
    proptest::collection::vec((0..20_usize, 0..4_u64), 0..6)
}

proptest! {
    #[test]
    fn any_events_are_read_as_written_whatever_the_blocks(events in traffic(), blocks in blocks()) {
        let dir = tempfile::tempdir().unwrap();
        let (path, expected) = written(&dir, &events, &blocks);
        let told: Vec<_> = read(&path).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn a_damaged_line_costs_its_own_events_alone(
        events in traffic(),
        blocks in blocks(),
        place in any::<prop::sample::Index>(),
        garbage in "[ -~]{0,9}",
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, expected) = written(&dir, &events, &blocks);
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        prop_assume!(lines.len() > 1);
        let place = 1 + place.index(lines.len() - 1);
        // Rows cannot be read without the head of their block, unless an earlier block names the same nodes.
        let block = lines[place + 1..].iter().take_while(|line| !is_head(line));
        let rows = if is_head(lines[place]) { block.map(|line| told_by(line)).sum() } else { 0 };
        let own = told_by(std::mem::replace(&mut lines[place], &garbage));
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let left: Vec<_> = records(&path).into_iter().filter_map(Result::ok).collect();
        let mut rest = expected.iter();
        prop_assert!(left.iter().all(|record| rest.any(|other| other == record)), "what is left is in order");
        let lost = expected.len() - left.len();
        prop_assert!((own..=own + rows).contains(&lost), "{} lost with a line of {} and {} rows", lost, own, rows);
    }

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
