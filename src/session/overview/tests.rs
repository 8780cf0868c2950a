use super::*;
use crate::event::{EventKind, Stop};
use crate::proto::message::{DeathCause, MessageId, Role};
use crate::session::journal::{Header, Journal, Record};
use crate::session::samples::{AT, any_event, event, one_of_each, peer, received, seed, started};
use proptest::prelude::*;

fn journal(dir: &tempfile::TempDir) -> Journal {
    Journal::create(&dir.path().join("session.jsonl"), &Header::new(AT, 0), u64::MAX).unwrap()
}

fn died(reporter: u16, dead: u16) -> Event {
    let cause = DeathCause::LinkError;
    event(peer(reporter), EventKind::NeighborDied { peer: peer(dead), cause, last_heard: AT })
}

fn generated(node: u16, seq: u64) -> Event {
    let id = MessageId { origin: peer(node), run: 1, seq };
    event(peer(node), EventKind::Generated { id, body: "x".into(), trace: None, forwarded: 1 })
}

/// A seed, three peers, a message that all see, one that is lost, a death that two notice, and 90 seconds.
fn story() -> Vec<Event> {
    let mut events = vec![event(seed(), started("s1", Role::Seed))];
    events.extend((1..=3).map(|n| event(peer(n), started(&format!("p{n}"), Role::Peer))));
    events.extend([generated(1, 1), generated(3, 1), event(peer(2), received("x")), event(peer(3), received("x"))]);
    events.push(event(peer(3), EventKind::Stopped { how: Stop::Killed }));
    events.extend([died(1, 3), died(2, 3)]);
    events.push(Event { at: AT + Duration::from_secs(90), ..event(peer(1), EventKind::Hung) });
    events
}

const STORY: Overview = Overview { lasted_us: 90_000_000, nodes: 4, messages: 2, deaths: 1, events: 12, skipped: 0 };

#[test]
fn a_session_that_was_ended_tells_what_it_came_to_in_its_last_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let path = journal.path().to_owned();
    journal.append(&story()).unwrap();
    journal.skipped(5).unwrap();
    journal.close().unwrap();
    assert_eq!(overview(&path).unwrap(), (Overview { skipped: 5, ..STORY }, End::Closed));
    let records: Vec<_> = read(&path).unwrap().map(Result::unwrap).collect();
    assert_eq!((records.len(), records.last()), (13, Some(&Record::Skipped(5))), "last words are no event");
}

#[test]
fn a_session_that_was_killed_is_read_to_its_torn_end_and_comes_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let path = journal.path().to_owned();
    journal.append(&story()).unwrap();
    journal.append(&[generated(1, 2)]).unwrap();
    journal.flush().unwrap();
    drop(journal);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 3).unwrap();
    assert_eq!(overview(&path).unwrap(), (STORY, End::Open));
}

#[test]
fn a_node_that_dies_twice_is_two_deaths() {
    let mut tally = Tally::new(AT);
    let mut tell = |second: u64, event: Event| tally.take(&Event { at: AT + Duration::from_secs(second), ..event });
    tell(0, event(peer(3), started("p3", Role::Peer)));
    tell(1, died(1, 3));
    tell(1, died(2, 3));
    tell(2, event(peer(3), started("p3", Role::Peer)));
    tell(90, died(1, 3));
    assert_eq!(tally.overview().deaths, 2);
}

#[test]
fn a_process_with_one_peer_counts_the_messages_that_it_saw() {
    let mut tally = Tally::new(AT);
    tally.take(&event(peer(1), started("p1", Role::Peer)));
    tally.take(&generated(1, 1));
    for _ in 0..5 {
        tally.take(&event(peer(1), received("theirs")));
    }
    assert_eq!(tally.overview().messages, 6);
}

#[test]
fn a_glance_knows_the_line_of_each_kind_of_event() {
    for kind in one_of_each() {
        let event = event(peer(1), kind);
        let line = serde_json::to_string(&event).unwrap() + "\n";
        let glance = Glance::at(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((glance.at, glance.node, glance.event), (event.at, event.node, event_name(&event.kind)));
    }
}

proptest! {
    #[test]
    fn lines_come_to_the_same_as_the_events_in_them(events in proptest::collection::vec(any_event(), 0..20)) {
        let (mut told, mut read) = (Tally::new(AT), Tally::new(AT));
        for event in &events {
            told.take(event);
            read.line((serde_json::to_string(event).unwrap() + "\n").as_bytes());
        }
        prop_assert_eq!(told.overview(), read.overview());
    }

    #[test]
    fn any_line_is_taken_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut tally = Tally::new(AT);
        tally.line(&line);
        tally.line(&[b"{\"at\":1,\"node\":\"", &line[..]].concat());
    }
}
