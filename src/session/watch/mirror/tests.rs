use std::path::Path;

use super::*;
use crate::event::Stop;
use crate::event::samples::{AT, event, peer, started};
use crate::proto::message::Role;
use crate::session::archive::{Archive, State};
use crate::session::journal::JournalRecord;
use crate::session::overview::SessionEnd;
use crate::session::replay::Recording;
use crate::session::watch::relay::Relay;

const NAME: &str = "2026-11-28T20-44-12-4711";
const HOUR: Duration = Duration::from_secs(3_600);

fn events() -> Vec<Event> {
    vec![event(peer(0), started("p1", Role::Peer)), event(peer(1), started("p2", Role::Peer))]
}

/// The lines that tell of a session with these events, which then ends.
fn relayed(dir: &Path, ending: impl FnOnce(Journal)) -> Vec<u8> {
    let path = dir.join(format!("{NAME}.jsonl.zst"));
    let mut journal = Journal::create(&path, &Header::new(AT, 0), u64::MAX).unwrap();
    journal.append(&events()).unwrap();
    journal.flush().unwrap();
    let mut lines = Vec::new();
    let mut relay = Relay::begin(dir.to_owned(), AT, &mut lines).unwrap();
    relay.look(AT).unwrap();
    ending(journal);
    relay.look(AT).unwrap();
    relay.look(AT).unwrap();
    lines
}

fn close(journal: Journal) {
    journal.close_as(Some(SessionEnd::Left)).unwrap();
}

/// What is kept of these lines, which come at that time.
fn mirrored(dir: &Path, lines: &[u8], now: Time) -> Mirror {
    let mut mirror = Mirror::new(dir.to_owned(), "max@lab/../x", u64::MAX);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        mirror.take(line, now).unwrap();
    }
    mirror
}

fn kept(dir: &Path) -> Vec<Event> {
    let path = dir.join(format!("max@lab_.._x-{NAME}.jsonl.zst"));
    let event = |record| match record {
        Ok(JournalRecord::Event { event, .. }) => event,
        other => panic!("{other:?}"),
    };
    Recording::open(&path).unwrap().map(event).collect()
}

#[test]
fn a_session_of_another_machine_is_kept_as_it_was() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = relayed(there.path(), close);
    let _mirror = mirrored(here.path(), &lines, AT);
    assert_eq!(kept(here.path()), events());
    let archive = Archive::open(here.path()).unwrap();
    assert_eq!(archive.sessions[0].state, State::Over);
}

#[test]
fn one_whose_process_was_killed_ends_without_last_words() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = relayed(there.path(), drop);
    let _mirror = mirrored(here.path(), &lines, AT);
    let end = crate::session::journal::glance(&Archive::open(here.path()).unwrap().sessions[0].path).unwrap().end;
    assert_eq!(end, crate::session::journal::JournalEnd::Open);
    let is_end = |event: &&Event| matches!(event.kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    assert_eq!(kept(here.path()).iter().filter(is_end).count(), 2, "its nodes were killed with it");
}

#[test]
fn one_whose_file_was_removed_ends_with_its_process() {
    let (there, here, gone) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let remove = |dir: &Path| std::fs::remove_file(dir.join(format!("{NAME}.jsonl.zst"))).unwrap();
    let mut running = None;
    let lines = relayed(there.path(), |journal| {
        remove(there.path());
        running = Some(journal);
    });
    let _mirror = mirrored(here.path(), &lines, AT);
    assert_eq!(kept(here.path()), events(), "it still runs");
    drop(running);
    let lines = relayed(there.path(), |journal| {
        remove(there.path());
        drop(journal);
    });
    let _mirror = mirrored(gone.path(), &lines, AT);
    assert_eq!(kept(gone.path()).len(), events().len() + 2, "its nodes were killed with it");
}

#[test]
fn a_clock_that_is_far_off_is_set_by_the_first_line() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = relayed(there.path(), close);
    let _mirror = mirrored(here.path(), &lines, AT + HOUR);
    let later: Vec<_> = events().into_iter().map(|event| Event { at: event.at + HOUR, ..event }).collect();
    assert_eq!(kept(here.path()), later);
}

#[test]
fn a_machine_takes_no_more_room_than_a_journal() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = relayed(there.path(), close);
    let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mirror = Mirror::new(here.path().to_owned(), "lab", 2 * 1024);
    let first = lines.iter().take(3).try_for_each(|line| mirror.take(line, AT).map(drop));
    assert!(first.is_ok(), "{first:?}");
    let full = lines[3..5].iter().cycle().take(100_000).find_map(|line| mirror.take(line, AT).err());
    assert!(matches!(full, Some(MirrorError::Full(_) | MirrorError::Journal(JournalError::Full { .. }))), "{full:?}");
}

#[test]
fn what_no_relay_tells_is_refused() {
    let here = tempfile::tempdir().unwrap();
    let begun = || {
        let mut mirror = Mirror::new(here.path().to_owned(), "lab", u64::MAX);
        let first = format!("{{\"relay\":{{\"version\":{RELAY_VERSION},\"gossipctl\":\"0.1.0\",\"now\":1}}}}\n");
        mirror.take(first.as_bytes(), Time::from_micros(1)).unwrap();
        mirror
    };
    let header = serde_json::to_string(&Header::new(AT, 0)).unwrap();
    let session = |name: &str| format!("{{\"session\":{{\"name\":\"{name}\",\"header\":{header}}}}}\n");
    let refused = |line: &str| begun().take(line.as_bytes(), AT).unwrap_err().to_string();
    assert!(refused("Welcome to lab!\n").contains("not 'Welcome to lab!'"));
    assert!(refused(&session("../../etc/passwd")).contains("no name of a session"));
    assert!(refused("{\"of\":3}\n").contains("session 3 of 0"));
    let newer = "{\"relay\":{\"version\":9,\"gossipctl\":\"9.0.0\",\"now\":1}}\n";
    let refused = Mirror::new(here.path().to_owned(), "lab", u64::MAX).take(newer.as_bytes(), AT).unwrap_err();
    assert!(matches!(refused, MirrorError::Version(9)), "{refused}");
    let mut mirror = begun();
    let many = (0..=SOURCES_MAX).map(|nth| mirror.take(session(&format!("s-{nth}")).as_bytes(), AT));
    let outcomes: Vec<_> = many.collect();
    assert!(matches!(outcomes.last(), Some(Err(MirrorError::TooMany))), "{:?}", outcomes.last());
}
