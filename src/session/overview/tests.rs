use std::fs::File;

use super::*;
use crate::event::samples::{AT, any_event, event, peer, received, seed, started};
use crate::event::{
    DeathEvent, DelistReason, Direction, EventKind, FaultEvent, GossipEvent, LinkEvent, LinkId, NodeEvent, ProbeEvent,
    Purpose, ReportAction, SeedEvent, Stop,
};
use crate::proto::fault::{Fault, FaultKind, Percent, Scope};
use crate::proto::message::{DeathCause, MessageId, Role};
use crate::proto::time::ClockTime;
use crate::session::journal::{Header, Journal, JournalEnd, JournalRecord, overview, read};
use proptest::prelude::*;

fn journal(dir: &tempfile::TempDir) -> Journal {
    Journal::create(&dir.path().join("session.jsonl"), &Header::new(AT, 0), u64::MAX).unwrap()
}

fn died(reporter: u16, dead: u16) -> Event {
    let cause = DeathCause::LinkError;
    event(
        peer(reporter),
        EventKind::Death(DeathEvent::NeighborDied { missed: None, peer: peer(dead), cause, last_heard: AT }),
    )
}

fn generated(node: u16, seq: u64) -> Event {
    let id = MessageId { origin: peer(node), run: 1, seq };
    event(peer(node), EventKind::Gossip(GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 1 }))
}

/// A seed, three peers, a message that all see, one that is lost, a death that two notice, and 90 seconds.
fn story() -> Vec<Event> {
    let mut events = vec![event(seed(), started("s1", Role::Seed))];
    events.extend((1..=3).map(|n| event(peer(n), started(&format!("p{n}"), Role::Peer))));
    events.extend([generated(1, 1), generated(3, 1), event(peer(2), received("x")), event(peer(3), received("x"))]);
    events.push(event(peer(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed })));
    events.extend([died(1, 3), died(2, 3)]);
    events.push(Event { at: AT + Duration::from_secs(90), ..event(peer(1), EventKind::Node(NodeEvent::Hung)) });
    events
}

const STORY: Overview =
    Overview { lasted_us: 90_000_000, nodes: 4, messages: 2, deaths: 1, disputed: 0, events: 12, skipped: 0 };

#[test]
fn a_closed_journal_sums_itself_up_in_its_last_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let path = journal.path().to_owned();
    journal.append(&story()).unwrap();
    journal.skipped(5).unwrap();
    journal.close().unwrap();
    assert_eq!(overview(&path).unwrap(), (Overview { skipped: 5, ..STORY }, JournalEnd::Closed(None)));
    let records: Vec<_> = read(&path).unwrap().map(Result::unwrap).collect();
    assert_eq!((records.len(), records.last()), (13, Some(&JournalRecord::Skipped(5))), "last words are no event");
}

#[test]
fn a_torn_journal_is_counted_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let path = journal.path().to_owned();
    journal.append(&story()).unwrap();
    journal.append(&[generated(1, 2)]).unwrap();
    journal.flush().unwrap();
    drop(journal);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 3).unwrap();
    assert_eq!(overview(&path).unwrap(), (STORY, JournalEnd::Open));
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

/// p1 gives p3 up across a partition, while p2 hears from it; then p1 finds it again, if the partition is healed, and p3
/// is killed.
fn partition_and_kill(heals: Option<u64>, killed: u64) -> Vec<(u64, Event)> {
    let answered = EventKind::Probe(ProbeEvent::Answered {
        probe: None,
        peer: peer(3),
        seq: 1,
        clock: ClockTime::from_seconds(60).unwrap(),
        rtt_us: 9,
    });
    let (link, direction, purpose) = (LinkId(7), Direction::Outbound, Purpose::Neighbor);
    let found = EventKind::Link(LinkEvent::Up { link, connection: None, peer: peer(3), direction, purpose });
    let last_heard = AT + Duration::from_secs(killed);
    let mut events: Vec<_> = (1..=3).map(|n| (0, event(peer(n), started(&format!("p{n}"), Role::Peer)))).collect();
    events.push((1, died(1, 3)));
    events.push((2, event(peer(2), answered)));
    events.extend(heals.map(|at| (at, event(peer(1), found))));
    events.push((killed, event(peer(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }))));
    let (dead, cause) = (peer(3), DeathCause::LinkError);
    events.push((
        killed + 1,
        event(peer(2), EventKind::Death(DeathEvent::NeighborDied { missed: None, peer: dead, cause, last_heard })),
    ));
    events
}

#[test]
fn overview_and_model_count_the_same_deaths() {
    for (heals, killed) in [(Some(5), 20), (Some(5), 200), (None, 200)] {
        let (mut tally, mut model) = (Tally::new(AT), Model::new());
        for (second, event) in partition_and_kill(heals, killed) {
            let event = Event { at: AT + Duration::from_secs(second), ..event };
            tally.take(&event);
            model.apply(&event);
        }
        assert_eq!(model.deaths().counts().deaths, 2, "healed at {heals:?}, killed at {killed}");
        assert_eq!(tally.overview().deaths, 2, "healed at {heals:?}, killed at {killed}");
    }
}

/// p1 says of p2, which runs, that it is dead, and a seed asks p2.
fn lie_and_dispute() -> [Event; 4] {
    let (dead, reporter, clock) = (peer(2), peer(1), ClockTime::from_seconds(60).unwrap());
    let (cause, action) = (DeathCause::Misses { misses: 3 }, ReportAction::Verifying);
    [
        event(reporter, EventKind::Fault(FaultEvent::Lied { about: dead })),
        event(
            reporter,
            EventKind::Death(DeathEvent::DeadReportSent { report: None, dead, clock, seeds: vec![seed()], cause }),
        ),
        event(
            seed(),
            EventKind::Death(DeathEvent::DeadReportReceived {
                report: None,
                verification: None,
                dead,
                clock,
                reporter,
                cause: Some(cause),
                action,
            }),
        ),
        event(
            seed(),
            EventKind::Death(DeathEvent::ReportDisputed {
                report: None,
                verification: None,
                dead,
                reporter,
                disputes: 1,
                rtt_us: 900,
            }),
        ),
    ]
}

#[test]
fn a_disputed_lie_is_no_death_in_overview_and_summary() {
    let (mut tally, mut model) = (Tally::new(AT), Model::new());
    let mut tell = |event: &Event| {
        tally.take(event);
        model.apply(event);
    };
    story().iter().for_each(&mut tell);
    lie_and_dispute().iter().for_each(&mut tell);
    let told = tally.overview();
    assert_eq!((told.deaths, told.disputed), (1, 1), "the death of the story, and the lie");
    let summary = crate::session::summary::summary(&model, None, 0);
    let line = |what: &str| summary.lines().find(|line| line.trim_start().starts_with(what)).map(str::to_owned);
    assert_eq!(line("deaths").unwrap().matches(" at ").count(), 1, "{summary}");
    assert!(line("disputes").unwrap().contains("p1 reported p2 dead: false"), "{summary}");
}

#[test]
fn a_lie_counts_as_a_death_only_if_a_seed_believed_it() {
    let mut tally = Tally::new(AT);
    let [lied, sent, received, _] = lie_and_dispute();
    for event in [&lied, &sent, &received] {
        tally.take(event);
    }
    assert_eq!((tally.overview().deaths, tally.overview().disputed), (0, 1));
    let reason = DelistReason::Reported { report: None, reporter: peer(1) };
    tally.take(&event(seed(), EventKind::Seed(SeedEvent::PeerDelisted { peer: peer(2), verification: None, reason })));
    assert_eq!((tally.overview().deaths, tally.overview().disputed), (1, 0));
}

#[test]
fn where_a_fault_is_set_is_no_node_of_the_session() {
    let mut tally = Tally::new(AT);
    tally.take(&event(peer(1), started("p1", Role::Peer)));
    let fault = Fault { what: FaultKind::Loss { percent: Percent::new(5).unwrap() }, on: Scope::All };
    for kind in [
        EventKind::Fault(FaultEvent::Set { id: None, fault: fault.clone() }),
        EventKind::Fault(FaultEvent::Cleared { id: None, fault: fault.clone() }),
    ] {
        tally.take(&event(fault.subject(), kind));
    }
    assert_eq!((tally.overview().nodes, tally.overview().events), (1, 3));
}

#[test]
fn the_last_line_of_a_journal_of_an_earlier_version_is_read() {
    let line = r#"{"closed":{"lasted_us":1,"nodes":2,"messages":3,"deaths":4,"events":5,"skipped":6}}"#;
    let Footer { closed, .. } = serde_json::from_str(line).unwrap();
    assert_eq!((closed.deaths, closed.disputed, closed.skipped), (4, 0, 6));
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

proptest! {
    #[test]
    fn a_session_that_was_killed_comes_to_what_its_events_do(events in proptest::collection::vec(any_event(), 0..20)) {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = journal(&dir);
        let mut told = Tally::new(AT);
        for event in &events {
            told.take(event);
            journal.append(std::slice::from_ref(event)).unwrap();
        }
        journal.flush().unwrap();
        prop_assert_eq!(overview(journal.path()).unwrap(), (told.overview(), JournalEnd::Open));
    }
}
