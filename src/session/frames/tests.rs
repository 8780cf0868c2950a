use std::fs;

use proptest::prelude::*;

use super::*;
use crate::event::samples::{AT, event, peer};
use crate::event::{Event, EventKind, NodeEvent};
use crate::session::journal::{Header, Journal, JournalEnd, JournalRecord, overview, read};

fn hung(n: u16) -> Event {
    event(peer(n), EventKind::Node(NodeEvent::Hung))
}

/// A packed journal with this many frames of three events each, not closed; and where each of its frames ends, the
/// first of which holds its header.
fn journal(dir: &tempfile::TempDir, frames: u16) -> (Journal, Vec<u64>) {
    let path = dir.path().join("session.jsonl.zst");
    let mut journal = Journal::create(&path, &Header::new(AT, 0), u64::MAX).unwrap();
    let mut ends = vec![journal.size()];
    for frame in 0..frames {
        journal.append(&[0, 1, 2].map(|n| hung(3 * frame + n))).unwrap();
        journal.flush().unwrap();
        ends.push(journal.size());
    }
    (journal, ends)
}

/// The numbers of the events that are read, and how often something else is told.
fn told(path: &Path) -> (Vec<u64>, usize) {
    let records: Vec<_> = read(path).unwrap().collect();
    let number = |record: &Result<JournalRecord, _>| match record {
        Ok(JournalRecord::Event { number, .. }) => Some(*number),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    };
    let numbers: Vec<u64> = records.iter().filter_map(number).collect();
    let others = records.len() - numbers.len();
    (numbers, others)
}

#[test]
fn other_programs_unpack_a_journal_and_each_frame_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, ends) = journal(&dir, 3);
    let bytes = fs::read(journal.path()).unwrap();
    let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    assert_eq!(text.lines().count(), 1 + 9);
    for (pair, line) in ends.windows(2).zip([1, 4, 7]) {
        let frame = &bytes[usize::try_from(pair[0]).unwrap()..usize::try_from(pair[1]).unwrap()];
        let lines = String::from_utf8(zstd::decode_all(frame).unwrap()).unwrap();
        assert_eq!(lines.lines().collect::<Vec<_>>(), text.lines().skip(line).take(3).collect::<Vec<_>>());
    }
}

#[test]
fn a_place_tells_where_in_the_session_a_frame_begins() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, ends) = journal(&dir, 3);
    let mut file = File::open(journal.path()).unwrap();
    for (start, n) in [(0, 0), (ends[0], 0), (ends[1], 3), (ends[2], 6)] {
        file.seek(SeekFrom::Start(start)).unwrap();
        let place = read_place(&mut file).unwrap().unwrap();
        assert_eq!((place.n, place.at), (n, AT));
        assert!(ends.contains(&(file.stream_position().unwrap() + place.len)));
    }
}

#[test]
fn the_end_of_a_packed_journal_sums_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = journal(&dir, 3);
    let path = journal.path().to_owned();
    assert_eq!(overview(&path).unwrap().1, JournalEnd::Open);
    let (counted, _) = overview(&path).unwrap();
    journal.close().unwrap();
    assert_eq!(overview(&path).unwrap(), (counted, JournalEnd::Closed(None)));
}

#[test]
fn a_cut_journal_goes_on_behind_its_whole_frames() {
    for (left, missing) in [(0, 9), (1, 6), (2, 3)] {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, ends) = journal(&dir, 3);
        File::options().write(true).open(journal.path()).unwrap().set_len(ends[left] + 7).unwrap();
        journal.append(&[hung(9)]).unwrap();
        journal.flush().unwrap();
        let loss = journal.take_loss().unwrap();
        assert!(loss.contains(&format!("{missing} events that it held missing")), "{loss}");
        let records: Vec<_> = read(journal.path()).unwrap().skip(3 * left).map(Result::unwrap).collect();
        let last = JournalRecord::Event { number: 9, event: hung(9) };
        assert_eq!(records, [JournalRecord::Skipped(missing), last]);
    }
}

#[test]
fn what_another_program_has_packed_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = journal(&dir, 1_500);
    let text = zstd::decode_all(File::open(journal.path()).unwrap()).unwrap();
    let path = dir.path().join("packed.jsonl.zst");
    let packed = zstd::encode_all(&text[..], 3).unwrap();
    fs::write(&path, &packed).unwrap();
    assert_eq!(told(&path), ((0..4_500).collect(), 0));
    fs::write(&path, &packed[..packed.len() - 5]).unwrap();
    let (numbers, others) = told(&path);
    assert!(numbers.len() > 1_000 && others == 1, "what is missing at the end is told: {} read", numbers.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_frame_costs_its_own_events_alone(place in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let dir = tempfile::tempdir().unwrap();
        let (journal, ends) = journal(&dir, 4);
        let mut bytes = fs::read(journal.path()).unwrap();
        let header = usize::try_from(ends[0]).unwrap();
        let place = header + place.index(bytes.len() - header);
        bytes[place] ^= bits;
        fs::write(journal.path(), &bytes).unwrap();
        let hit = ends.iter().position(|end| place < usize::try_from(*end).unwrap()).unwrap() as u64 - 1;
        let (numbers, others) = told(journal.path());
        let rest: Vec<u64> = numbers.iter().copied().filter(|number| number / 3 != hit).collect();
        prop_assert_eq!(rest, (0..12).filter(|number| number / 3 != hit).collect::<Vec<_>>());
        // A place may be wrong about the session and still lead to its frame.
        prop_assert!(others > 0 || numbers.len() == 12);
    }

    #[test]
    fn of_a_torn_journal_every_whole_frame_is_read(len in any::<prop::sample::Index>()) {
        let dir = tempfile::tempdir().unwrap();
        let (journal, ends) = journal(&dir, 4);
        let (first, last) = (ends[0], ends[4]);
        let len = first + len.index(usize::try_from(last - first).unwrap()) as u64;
        File::options().write(true).open(journal.path()).unwrap().set_len(len).unwrap();
        let whole = ends.iter().filter(|end| **end <= len).count() as u64 - 1;
        let (numbers, others) = told(journal.path());
        prop_assert_eq!(numbers, (0..3 * whole).collect::<Vec<_>>());
        prop_assert_eq!(others, usize::from(!ends.contains(&len)));
    }

    #[test]
    fn any_bytes_in_a_packed_file_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let dir = tempfile::tempdir().unwrap();
        let (journal, _) = journal(&dir, 1);
        let mut file = fs::read(journal.path()).unwrap();
        file.extend([&PLACE[..], &bytes[..]].concat());
        fs::write(journal.path(), &file).unwrap();
        prop_assert!(told(journal.path()).0.len() >= 3);
        for magic in [PLACE, FRAME] {
            fs::write(journal.path(), [&magic[..], &bytes[..]].concat()).unwrap();
            prop_assert!(read(journal.path()).is_err());
        }
    }
}
