use super::*;
use crate::event::{Methods, Pace};
use crate::proto::fault::{FaultKind, Scope};
use crate::proto::message::{Dialect, MessageId};
use crate::scenario::Script;

const P1: Addr = Addr::loopback(3000);
const P2: Addr = Addr::loopback(3001);
const S1: Addr = Addr::loopback(5001);
const BEGAN_US: u64 = 7_000_000;

fn at(us: u64) -> Time {
    Time::from_micros(BEGAN_US + us)
}

fn event(us: u64, node: Addr, kind: impl Into<EventKind>) -> Event {
    Event { at: at(us), node, kind: kind.into() }
}

fn started(us: u64, node: Addr, name: &str) -> Event {
    let role = if name.starts_with('s') { Role::Seed } else { Role::Peer };
    let pace = Pace { gossip_interval_us: 1_000_000, liveness_interval_us: 500_000, liveness_misses: 3 };
    let (name, dialect, methods) = (name.to_owned(), Dialect::Framed, Methods::default());
    event(us, node, NodeEvent::Started { name, role, dialect, pace, methods })
}

fn killed(us: u64, node: Addr) -> Event {
    event(us, node, NodeEvent::Stopped { how: Stop::Killed })
}

fn left(us: u64, node: Addr) -> Event {
    event(us, node, NodeEvent::Stopped { how: Stop::Left })
}

fn fault(on: Scope, is_set: bool) -> FaultEvent {
    let fault = Fault { what: FaultKind::Cut, on };
    if is_set { FaultEvent::Set { id: None, fault } } else { FaultEvent::Cleared { id: None, fault } }
}

fn lab() -> Vec<Event> {
    vec![started(0, S1, "s1"), started(0, P1, "p1"), started(0, P2, "p2")]
}

/// The lines of the scenario after its lab.
fn told(precision: Precision, after: &[Event]) -> Vec<String> {
    let mut deeds = Deeds::new(None, precision);
    lab().iter().chain(after).for_each(|event| deeds.take(event));
    let text = deeds.record(Vec::new()).unwrap().text();
    let script = Script::parse(&text).unwrap();
    assert_eq!((script.seeds, script.peers), (1, 2));
    text.lines().skip(4).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn each_command_is_found_in_its_marks_to_the_microsecond() {
    let said = MessageId { origin: P1, run: 1, seq: MessageId::own_text(1) };
    let own = MessageId { seq: 1, ..said };
    let generated =
        |us, id| event(us, P1, GossipEvent::Generated { id, body: "are you there".into(), trace: None, forwarded: 1 });
    let lines = told(
        Precision::Microseconds,
        &[
            event(1_000_001, P1, fault(Scope::link(P1, P2), true)),
            generated(1_500_000, own),
            generated(2_000_000, said),
            event(2_500_000, P1, fault(Scope::link(P1, P2), false)),
            event(3_000_000, P1, FaultEvent::Lied { about: P2 }),
            killed(4_000_000, P2),
            started(5_000_000, P2, "p2"),
            started(6_000_000, Addr::loopback(4000), "p3"),
            left(7_000_000, P1),
        ],
    );
    let expected = [
        "1s1us cut p1 p2",
        "2s say p1 are you there",
        "2s500ms heal p1 p2",
        "3s lie p1 p2",
        "4s kill p2",
        "5s restart p2",
        "6s peer",
        "7s end",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_hung_node_that_is_restarted_was_not_killed_by_the_user() {
    let marks = |killed_at, last| vec![event(1_000_000, P2, NodeEvent::Hung), killed(killed_at, P2), last];
    let on_sockets = |killed_at, last| told(Precision::Milliseconds, &marks(killed_at, last));
    let restarted = || started(2_000_300, P2, "p2");
    assert_eq!(on_sockets(2_000_000, restarted()), ["1s hang p2", "2s restart p2", "2s end"]);
    let ended = on_sockets(2_000_000, left(2_000_100, P1));
    assert_eq!(ended, ["1s hang p2", "2s end"], "it was ended with the session");
    assert_eq!(on_sockets(2_000_000, left(9_000_000, P1)), ["1s hang p2", "2s kill p2", "9s end"]);
    let exact = |killed_at| told(Precision::Microseconds, &marks(killed_at, restarted()));
    assert_eq!(exact(2_000_300), ["1s hang p2", "2s300us restart p2", "2s300us end"]);
    assert_eq!(exact(2_000_000), ["1s hang p2", "2s kill p2", "2s300us restart p2", "2s300us end"]);
}

#[test]
fn a_session_goes_on_when_another_terminal_leaves() {
    let lines = told(Precision::Milliseconds, &[left(2_000_000, P1), killed(9_000_000, P2), left(20_000_000, S1)]);
    assert_eq!(lines, ["9s kill p2", "20s end"]);
}

#[test]
fn partitions_end_together_and_a_fault_replaces_its_like() {
    let [one, other] = [Scope::border(vec![P1]), Scope::border(vec![P2])];
    let lines = told(
        Precision::Microseconds,
        &[
            event(1_000_000, P1, fault(one.clone(), true)),
            event(2_000_000, P1, fault(one.clone(), false)),
            event(2_000_000, P1, fault(one.clone(), true)),
            event(3_000_000, P2, fault(other.clone(), true)),
            event(4_000_000, P1, fault(one, false)),
            event(4_000_000, P2, fault(other, false)),
            left(5_000_000, P1),
        ],
    );
    assert_eq!(lines, ["1s partition p1", "2s partition p1", "3s partition p2", "4s heal partition", "5s end"]);
}

#[test]
fn a_session_without_a_lab_at_its_beginning_is_no_scenario() {
    let outcome = |events: &[Event]| {
        let mut deeds = Deeds::new(None, Precision::Milliseconds);
        for event in events {
            deeds.take(event);
        }
        deeds.record(Vec::new()).map(drop)
    };
    assert_eq!(outcome(&[]), Err(NoScenario::Empty));
    assert_eq!(outcome(&[started(0, P1, ":3000"), started(5, S1, ":5001")]), Err(NoScenario::NoLab));
    assert_eq!(outcome(&[started(0, S1, "s1"), started(9, P1, "p1")]), Err(NoScenario::NoLab));
    assert_eq!(outcome(&lab()), Ok(()));
    let mut deeds = Deeds::new(Some((1, 7)), Precision::Milliseconds);
    for event in &lab() {
        deeds.take(event);
    }
    let record = deeds.record(Vec::new());
    assert_eq!(record.unwrap_err(), NoScenario::NoLab, "it was cut off while the lab started");
}

#[test]
fn what_an_older_recording_does_not_say_its_nodes_do() {
    let mut deeds = Deeds::new(None, Precision::Milliseconds);
    for event in &lab() {
        deeds.take(event);
    }
    let told = deeds.settings_told();
    let told: Vec<_> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("wire", "framed"),
        ("gossip-interval", "1000000us"),
        ("liveness-interval", "500000us"),
        ("liveness-misses", "3"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_ended_at_once_was_ended_by_one_command() {
    let slow = |is_set| {
        let fault = Fault { what: FaultKind::Slow { per_s: 5 }, on: Scope::Node(P1) };
        if is_set { FaultEvent::Set { id: None, fault } } else { FaultEvent::Cleared { id: None, fault } }
    };
    let cut = |us, is_set| event(us, P1, fault(Scope::link(P1, P2), is_set));
    let border = |us, is_set| event(us, P2, fault(Scope::border(vec![P2]), is_set));
    let broken =
        || vec![cut(1_000_000, true), border(1_000_000, true), event(2_000_000, P1, slow(true)), killed(3_000_000, P2)];
    let then = |after: Vec<Event>| told(Precision::Microseconds, &[broken(), after].concat()).split_off(4);
    let cuts = || vec![cut(4_000_000, false), border(4_000_000, false)];
    assert_eq!(then(cuts()), ["4s heal", "4s end"]);
    let all = || [cuts(), vec![event(4_000_000, P1, slow(false))]].concat();
    assert_eq!(then([all(), vec![started(4_000_000, P2, "p2")]].concat()), ["4s calm", "4s end"]);
    let one_by_one = ["4s heal p1 p2", "4s heal partition", "4s slow p1 off", "4s end"];
    assert_eq!(then(all()), one_by_one, "p2 was left as it is");
}
