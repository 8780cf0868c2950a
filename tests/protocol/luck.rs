//! What the same random seed gives: the same run, whoever listens; and what is left to chance about one thing is left as it
//! was by all others.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use gossipctl::command::{Command, FaultCommand};
use gossipctl::event::{DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LossReason, ProbeEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{Fault, FaultId, FaultKind, Percent, Scope};
use gossipctl::proto::message::{Dialect, MessageId};
use gossipctl::sim::{EPOCH, EventSink, NoEvents, VirtualEngine};

use crate::virtual_time::{lab, peers_of};

const PEERS: usize = 12;
const SECOND: Duration = Duration::from_secs(1);

fn peer(number: u16) -> Addr {
    Addr::loopback(2999 + number)
}

fn fault(what: FaultKind, on: Scope) -> Command {
    Command::Fault(FaultCommand::Set(Fault { what, on }))
}

fn percent(percent: u8) -> Percent {
    Percent::new(percent).unwrap()
}

/// Loss, jitter, duplicates, disorder, a slow node, a clock that is ahead, junk, a crash, a hang and a cut.
fn trouble() -> Vec<(u64, Command)> {
    vec![
        (4, fault(FaultKind::Loss { percent: percent(10) }, Scope::All)),
        (4, fault(FaultKind::Delay { by_us: 5_000, jitter_us: 20_000 }, Scope::Node(peer(3)))),
        (5, fault(FaultKind::Duplicate { percent: percent(20) }, Scope::Node(peer(4)))),
        (5, fault(FaultKind::Reorder { percent: percent(20), window_us: 50_000 }, Scope::Node(peer(5)))),
        (6, fault(FaultKind::Slow { per_s: 3 }, Scope::Node(peer(6)))),
        (6, fault(FaultKind::Skew { by_us: -4_000_000 }, Scope::Node(peer(7)))),
        (7, fault(FaultKind::Junk { per_s: 3 }, Scope::Node(peer(8)))),
        (9, Command::Kill(peer(9))),
        (10, Command::Hang(peer(10))),
        (11, fault(FaultKind::Cut, Scope::link(peer(1), peer(2)))),
        (18, Command::Restart(peer(9))),
        (20, Command::Fault(FaultCommand::Calm)),
    ]
}

/// Half a minute of a lab to which this is done.
fn run<S: EventSink>(dialect: Dialect, rng_seed: u64, sink: S, steps: &[(u64, Command)]) -> VirtualEngine<S> {
    let mut peer = peers_of(dialect);
    (peer.gossip_interval, peer.liveness_interval) = (3 * SECOND, 2 * SECOND);
    let mut engine = lab(peer, (2, PEERS), rng_seed, sink);
    for (at_s, command) in steps {
        engine.run_to(EPOCH + SECOND * u32::try_from(*at_s).unwrap());
        engine.apply(command.clone()).unwrap();
    }
    engine.run_to(EPOCH + 30 * SECOND);
    engine
}

fn text(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let of = |rng_seed| text(&run(dialect, rng_seed, Vec::new(), &trouble()).take_events());
        let one = of(7);
        assert!(one == of(7), "two runs with one seed differ in the {dialect} dialect");
        assert!(one != of(8));
    }
}

#[test]
fn who_listens_changes_nothing() {
    /// Keeps nothing, but has every event made.
    struct Listener(u64);
    impl fmt::Debug for Listener {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            NoEvents.fmt(f)
        }
    }
    impl EventSink for Listener {
        fn take(&mut self, _event: Event) {
            self.0 += 1;
        }
    }
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let deaf = run(dialect, 7, NoEvents, &trouble());
        let heard = run(dialect, 7, Listener(0), &trouble());
        assert!(heard.sink().0 > 1_000);
        assert_eq!(deaf.next_at(), heard.next_at());
        // All that the nodes know, and all that is planned.
        assert!(format!("{deaf:?}") == format!("{heard:?}"), "listening changed the {dialect} dialect");
    }
}

#[test]
fn a_fault_that_does_nothing_changes_no_byte_of_the_run() {
    let nothing = (5, fault(FaultKind::Loss { percent: percent(0) }, Scope::link(peer(1), peer(2))));
    for dialect in [Dialect::Framed, Dialect::Classic] {
        for steps in [Vec::new(), trouble()] {
            let mut more = steps.clone();
            more.push(nothing.clone());
            more.sort_by_key(|(at_s, _)| *at_s);
            let of = |steps: &[(u64, Command)]| {
                let mut events = run(dialect, 7, Vec::new(), steps).take_events();
                events.retain(|event| !is_about(event, &nothing.1));
                events.iter_mut().for_each(forget_fault_number);
                text(&events)
            };
            assert!(of(&steps) == of(&more), "{} faults, {dialect}", steps.len());
        }
    }
}

/// One more fault takes a number.
fn forget_fault_number(event: &mut Event) {
    match &mut event.kind {
        EventKind::Fault(FaultEvent::Set { id, .. } | FaultEvent::Cleared { id, .. }) => *id = None,
        EventKind::Gossip(GossipEvent::Lost { loss, .. })
        | EventKind::Probe(ProbeEvent::Lost { loss, .. })
        | EventKind::Death(DeathEvent::ReportLost { loss, .. }) => {
            if let LossReason::Fault(id) = &mut loss.why {
                *id = FaultId(0);
            }
        }
        _ => {}
    }
}

fn is_about(event: &Event, command: &Command) -> bool {
    let EventKind::Fault(FaultEvent::Set { fault, .. } | FaultEvent::Cleared { fault, .. }) = &event.kind else {
        return false;
    };
    *command == Command::Fault(FaultCommand::Set(fault.clone()))
}

/// How long each copy took on its link, by who sent it to whom and which message it was.
fn latencies(events: &[Event]) -> BTreeMap<(Addr, Addr, MessageId), Duration> {
    let (mut sent, mut took) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let at = event.at;
        match &event.kind {
            EventKind::Gossip(GossipEvent::Generated { id, .. }) => drop(sent.insert((event.node, *id), at)),
            EventKind::Gossip(GossipEvent::Received { id, from, .. } | GossipEvent::Duplicate { id, from, .. }) => {
                let left = sent[&(*from, *id)];
                took.insert((*from, event.node, *id), at.since(left));
                sent.entry((event.node, *id)).or_insert(at);
            }
            _ => {}
        }
    }
    took
}

#[test]
fn one_message_more_leaves_the_latency_of_all_others_as_it_was() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let say = (10, Command::Say { node: peer(1), body: "one more".into() });
        let of = |steps: &[(u64, Command)]| latencies(&run(dialect, 7, Vec::new(), steps).take_events());
        let (few, more) = (of(&[]), of(&[say]));
        let (both, changed): (usize, Vec<_>) = few.iter().fold((0, Vec::new()), |(both, mut changed), (copy, took)| {
            let other = more.get(copy);
            changed.extend(other.filter(|other| *other != took).map(|other| (copy, took, other)));
            (both + usize::from(other.is_some()), changed)
        });
        assert!(more.len() > few.len() && both == few.len() && both > 1_000, "{both} of {}", few.len());
        assert!(changed.is_empty(), "{dialect}: {changed:?}");
    }
}
