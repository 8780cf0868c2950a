//! Recordings that are damaged, cut, without an index, or not what they claim to be.

use std::fs;
use std::time::Duration;

use gossipctl::event::{Event, EventKind, NodeEvent};
use gossipctl::model::timeline::{MarkKind, TimelineMark};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::time::Time;
use gossipctl::session::journal::{Header, Journal, JournalError};
use gossipctl::session::past::{Past, Position};
use gossipctl::sim::EPOCH;
use tokio_util::sync::CancellationToken;

use super::sessions::{Packing, Random, Recorded, Session};

fn session() -> Session {
    Session::play_for(&mut Random(3), Duration::from_secs(40))
}

fn read(past: &Past) {
    past.read_on(&CancellationToken::new(), |_| {}).unwrap();
}

fn gaps(past: &Past) -> Vec<String> {
    let timeline = past.timeline();
    timeline.marks().iter().filter(|mark| mark.kind == MarkKind::Gap).map(TimelineMark::summary).collect()
}

/// Every moment from the keyframes is what a fold from the beginning gives.
fn is_one(past: &Past, events: u64) {
    let fresh = Past::open(past.path()).unwrap();
    for position in (0..=events).step_by(991) {
        let (jumped, folded) = (past.at_position(Position(position)), fresh.at_position(Position(position)));
        assert!(jumped.unwrap() == folded.unwrap(), "another moment at {position}");
    }
}

#[test]
fn a_damaged_part_is_a_mark_and_the_rest_is_shown() {
    let session = session();
    for packing in [Packing::Frames, Packing::Lines] {
        let recorded = session.record(packing);
        let mut bytes = fs::read(&recorded.path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(b'#');
        fs::write(&recorded.path, bytes).unwrap();
        let past = recorded.past();
        read(&past);
        let gaps = gaps(&past);
        assert!(!gaps.is_empty() && gaps.len() < 10, "{gaps:?}");
        let end = past.at_position(Position(u64::MAX)).unwrap();
        assert!(end.damage.lines > 0 && end.model.totals().skipped > 0, "{packing:?} {:?}", end.damage);
        assert_eq!(end.model.now(), session.events.last().unwrap().at);
        is_one(&past, end.position.0);
    }
}

#[test]
fn a_cut_recording_is_shown_up_to_the_cut() {
    let session = session();
    for packing in [Packing::Frames, Packing::Lines, Packing::Others] {
        let recorded = session.record(packing);
        let bytes = fs::read(&recorded.path).unwrap();
        fs::write(&recorded.path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        let past = recorded.past();
        read(&past);
        let end = past.at_position(Position(u64::MAX)).unwrap();
        assert!(end.position > Position(100) && end.position.0 < session.events.len() as u64, "{packing:?}");
        assert_eq!(gaps(&past), ["the recording ends in the middle of a line"], "{packing:?}");
        is_one(&past, end.position.0);
    }
}

#[test]
fn a_newer_recording_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.jsonl");
    let header = Header { version: 99, ..Header::new(EPOCH, 0) };
    fs::write(&path, serde_json::to_string(&header).unwrap() + "\n").unwrap();
    assert!(matches!(Past::open(&path), Err(JournalError::TooNew { version: 99, .. })));
}

#[test]
fn times_that_go_back_do_not_confuse_anybody() {
    let mut session = session();
    let (middle, hour) = (session.events.len() / 2, Duration::from_secs(3_600));
    for event in &mut session.events[middle..] {
        event.at = event.at - hour;
    }
    for packing in [Packing::Frames, Packing::Lines] {
        let recorded = session.record(packing);
        let past = recorded.past();
        read(&past);
        let end = past.at_position(Position(u64::MAX)).unwrap();
        assert_eq!(end.position.0, session.events.len() as u64);
        let first = past.at(session.events[0].at).unwrap();
        assert!(first.position < end.position);
        assert!(past.timeline().marks().is_sorted_by_key(|mark| mark.at));
    }
}

#[test]
fn an_event_at_the_end_of_time_ends_the_recording() {
    let mut session = session();
    let last = session.events.len() - 1;
    session.events[last].at = Time::from_micros(u64::MAX - 1);
    let recorded = session.record(Packing::Frames);
    let past = recorded.past();
    read(&past);
    assert_eq!(past.span().unwrap().last, session.events[last].at);
    assert_eq!(past.at(EPOCH + Duration::from_secs(3_600)).unwrap().position.0, last as u64);
}

#[test]
fn a_recording_of_very_many_nodes_takes_bounded_memory() {
    const NODES: u32 = 100_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.jsonl.zst");
    let mut journal = Journal::create(&path, &Header::new(EPOCH, 0), u64::MAX).unwrap();
    for part in 0..NODES / 1_000 {
        let hung = |n: u32| Event {
            at: EPOCH + Duration::from_micros(u64::from(part * 1_000 + n) * 5),
            node: Addr::new((0x0a00_0000 + part * 1_000 + n).into(), 1),
            kind: EventKind::Node(NodeEvent::Hung),
        };
        journal.append(&(0..1_000).map(hung).collect::<Vec<_>>()).unwrap();
        journal.flush().unwrap();
    }
    journal.close().unwrap();
    let past = Past::open_within(&path, 32 * 1024 * 1024).unwrap();
    read(&past);
    assert!(past.kept().bytes <= 32 * 1024 * 1024, "{:?}", past.kept());
    assert_eq!(past.at_position(Position(75_000)).unwrap().model.nodes().len(), 75_000);
}

#[test]
fn a_recording_that_grows_is_read_on() {
    let session = session();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("growing.jsonl.zst");
    let mut journal = Journal::create(&path, &Header::new(EPOCH, 0), u64::MAX).unwrap();
    let past = Past::open(&path).unwrap();
    for part in session.events.chunks(3_000) {
        journal.append(part).unwrap();
        journal.flush().unwrap();
        read(&past);
        assert!(!past.has_grown());
        // A frame that is being written.
        let whole = fs::read(&path).unwrap();
        let copy = Recorded::of(&whole[..whole.len() - 5]);
        let cut = copy.past();
        read(&cut);
        assert!(cut.progress().events < past.progress().events);
        fs::write(&copy.path, &whole).unwrap();
        assert!(cut.has_grown());
        read(&cut);
        assert_eq!(cut.progress().events, past.progress().events);
    }
    journal.close().unwrap();
    assert!(past.has_grown());
    read(&past);
    let recorded = session.record(Packing::Frames);
    let (end, whole) = (past.at_position(Position(u64::MAX)).unwrap(), recorded.past());
    assert!(end.model == whole.at_position(Position(u64::MAX)).unwrap().model);
    is_one(&past, end.position.0);
}
