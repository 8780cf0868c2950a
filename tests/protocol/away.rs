//! Nodes that were away accuse nobody, and whoever was taken for dead meanwhile is back on the lists by itself (rule 7
//! of peers, rules 3 and 5 of seeds).

use std::collections::BTreeSet;
use std::time::Duration;

use gossipctl::event::{
    Absence, DeathEvent, DelistReason, Event, EventKind, LinkEnd, LinkEvent, NodeEvent, ProbeEvent, Purpose, SeedEvent,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{DeadPolicy, PeerConfig};
use gossipctl::proto::fault::{FaultKind, Percent, Scope};
use gossipctl::proto::machine::{CloseCause, Input, LinkChange};
use gossipctl::proto::message::{DeathCause, Dialect, Hello, Message, Priority, Role};
use gossipctl::proto::peer::Peer;
use gossipctl::proto::random::Random;
use gossipctl::proto::time::Time;

use crate::faults::set;
use crate::virtual_time::alone::{Alone, Ask};
use crate::virtual_time::{Double, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);
/// A lab's pace.
const T: Duration = Duration::from_secs(2);
const SEEDS: u16 = 2;
const PEERS: u16 = 9;

/// A lively network, settled.
fn lively(dialect: Dialect, policy: DeadPolicy, rng_seed: u64) -> Network {
    let mut network = Network::new(0, rng_seed);
    (network.peer_config.dialect, network.seed_config.dialect) = (dialect, dialect);
    (network.peer_config.liveness_interval, network.seed_config.liveness_interval) = (T, T);
    network.peer_config.gossip_interval = SECOND * 3;
    network.seed_config.dead_policy = policy;
    network.seeds = (1..=SEEDS).map(seed_addr).collect();
    (1..=SEEDS).for_each(|number| network.start_seed(number));
    network.start_peers(1..=PEERS);
    network.world.run_for(T * 12);
    network
}

/// Stops these nodes for so long. They run again one after the other, within a few milliseconds. Whatever others make of
/// it may be told until `settle` is over.
fn away(network: &mut Network, who: &[Addr], span: Duration, settle: Duration) -> Time {
    let from = network.world.now();
    for addr in who {
        network.world.pause(*addr);
    }
    network.world.run_for(span);
    for addr in who {
        network.world.resume(*addr);
        network.world.run_for(Duration::from_millis(3));
    }
    let back = network.world.now();
    network.pauses.push((from - SECOND * 3, back + settle));
    back
}

fn accusations(events: &[Event], who: &[Addr], since: Time) -> Vec<Event> {
    let accuses = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. })
                | EventKind::Link(LinkEvent::Violation { .. })
        )
    };
    let is_it = |event: &&Event| event.at >= since && who.contains(&event.node) && accuses(&event.kind);
    events.iter().filter(is_it).cloned().collect()
}

fn assert_all_listed(network: &Network, what: &str) {
    let everybody: Vec<Addr> = (1..=PEERS).map(peer_addr).collect();
    for seed in 1..=SEEDS {
        assert_eq!(network.listed(seed), everybody, "{what}: seed {seed}");
    }
}

/// Who is away, by a name: one, all but one, all peers, all nodes, the seeds, any.
fn subsets(random: &mut Random) -> Vec<(&'static str, Vec<Addr>)> {
    let peers: Vec<Addr> = (1..=PEERS).map(peer_addr).collect();
    let seeds: Vec<Addr> = (1..=SEEDS).map(seed_addr).collect();
    let nodes: Vec<Addr> = peers.iter().chain(&seeds).copied().collect();
    let count = 2 + random.below(nodes.len() - 2);
    let some = random.sample(&nodes, count);
    vec![
        ("one peer", peers[..1].to_vec()),
        ("all peers but one", peers[1..].to_vec()),
        ("all peers", peers),
        ("a seed", seeds[..1].to_vec()),
        ("the seeds", seeds),
        ("all nodes", nodes),
        ("some nodes", some),
    ]
}

fn nobody_is_harmed_by_absences(dialect: Dialect, policy: DeadPolicy, rng_seed: u64) {
    let mut random = Random::new(rng_seed);
    for span in [T * 3 / 4, T * 3 / 2, T * 4, T * 4 + SECOND / 3, T * 30] {
        for (name, who) in subsets(&mut random) {
            let what = format!("{name} for {span:?}, {dialect}, {policy:?}, {rng_seed}: {who:?}");
            let mut network = lively(dialect, policy, rng_seed);
            let before = network.world.now();
            let back = away(&mut network, &who, span, T * 4);
            network.world.run_for(T * 2);
            assert_all_listed(&network, &what);
            network.world.run_for(T * 8);
            let accused = accusations(network.world.events(), &who, before);
            assert!(accused.is_empty(), "{what}: {accused:#?}");
            assert_all_listed(&network, &what);
            assert!(network.connected(), "{what}: {:?}", network.parts(&network.peers()));
            let peers = who.iter().filter(|addr| **addr < seed_addr(1)).copied().collect::<Vec<_>>();
            if span >= T * 2 {
                assert_told_once(&network, &peers, (before, back, span), &what);
            }
        }
    }
}

/// Each of these told that it was away, once, and for how long.
fn assert_told_once(network: &Network, who: &[Addr], (from, back, span): (Time, Time, Duration), what: &str) {
    for addr in who {
        let told: Vec<u64> = network
            .world
            .events()
            .iter()
            .filter(|event| event.node == *addr && (from..=back + SECOND).contains(&event.at))
            .filter_map(|event| match event.kind {
                EventKind::Node(NodeEvent::WasAway { why: Absence::Stopped, span_us }) => Some(span_us),
                _ => None,
            })
            .collect();
        let told: Vec<Duration> = told.into_iter().map(Duration::from_micros).collect();
        let [span_told] = told[..] else { panic!("{what}: {addr} told {told:?}") };
        let tolerance = T + SECOND / 10;
        assert!(span_told >= span && span_told <= span + tolerance, "{what}: {addr} told {span_told:?}");
    }
}

#[test]
fn framed_nodes_that_were_away_harm_nobody_under_verify() {
    nobody_is_harmed_by_absences(Dialect::Framed, DeadPolicy::Verify, 71);
}

#[test]
fn framed_nodes_that_were_away_harm_nobody_under_trust() {
    nobody_is_harmed_by_absences(Dialect::Framed, DeadPolicy::Trust, 72);
}

#[test]
fn classic_nodes_that_were_away_harm_nobody() {
    nobody_is_harmed_by_absences(Dialect::Classic, DeadPolicy::Verify, 73);
}

#[test]
fn a_classic_peer_registers_once_more_an_absence() {
    let mut network = lively(Dialect::Classic, DeadPolicy::Trust, 74);
    let (peer, seed) = (peer_addr(2), seed_addr(1));
    let listed = |kind: &EventKind| matches!(kind, EventKind::Seed(SeedEvent::PeerListed { peer: listed, .. }) if *listed == peer);
    let before = network.count(seed, listed);
    let back = away(&mut network, &[peer], T * 5, T * 4);
    network.world.run_for(T);
    assert_eq!(network.count(seed, listed), before + 1, "at {back:?}");
}

#[test]
fn a_death_after_an_absence_is_still_found_and_reported() {
    let mut network = lively(Dialect::Framed, DeadPolicy::Verify, 75);
    let peer = peer_addr(2);
    away(&mut network, &[peer], T * 4, T * 4);
    network.world.run_for(T * 6);
    let victim = *network.neighbors(peer).first().expect("it has neighbors again");
    network.world.kill(victim);
    network.world.run_for(SECOND);
    let died =
        |kind: &EventKind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { peer, .. }) if *peer == victim);
    assert_eq!(network.count(peer, died), 1);
}

#[test]
fn what_closed_while_a_node_was_away_is_told_so() {
    let mut network = lively(Dialect::Framed, DeadPolicy::Verify, 76);
    let peer = peer_addr(2);
    let lost = network.neighbors(peer).len();
    away(&mut network, &[peer], T * 6, T * 4);
    network.world.run_for(T);
    let while_away =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::WhileAway, .. }));
    assert_eq!(network.count(peer, while_away), lost);
}

#[test]
fn a_slow_reader_accuses_nobody() {
    use gossipctl::command::FaultCommand;
    use gossipctl::proto::fault::{Fault, FaultKind, Scope};
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let mut network = lively(dialect, DeadPolicy::Trust, 77);
        let slow = peer_addr(1);
        let fault = Fault { what: FaultKind::Slow { per_s: 1 }, on: Scope::Node(slow) };
        crate::faults::fault(&mut network, &FaultCommand::Set(fault)).unwrap();
        let since = network.world.now();
        network.world.run_for(T * 30);
        let accused = accusations(network.world.events(), &[slow], since);
        assert!(accused.is_empty(), "{dialect}: {accused:#?}");
        let told =
            |kind: &EventKind| matches!(kind, EventKind::Node(NodeEvent::WasAway { why: Absence::ReadsLate, .. }));
        let told = network.count(slow, told);
        assert!((1..=3).contains(&told), "told {told} times");
        crate::faults::fault(&mut network, &FaultCommand::Calm).unwrap();
        network.world.run_for(T * 2);
        assert_all_listed(&network, "calm again");
    }
}

#[test]
fn rule_7_a_death_is_found_2t_and_a_timeout_after_the_silence() {
    let mut network = Network::new(2, 78);
    network.peer_config.messages = Some(0);
    network.start_peers(1..=200);
    network.world.run_for(LIVENESS * 4);
    let silent: BTreeSet<Addr> = (1..=160).map(peer_addr).collect();
    for addr in &silent {
        network.world.hang(*addr);
    }
    let since = network.world.now();
    network.world.run_for(LIVENESS * 5);
    for event in network.world.events().iter().filter(|event| event.at >= since) {
        if let EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::Misses { .. }, .. }) = event.kind {
            let after = event.at.since(since).as_secs_f64();
            assert!(silent.contains(&peer) && (27.9..=41.1).contains(&after), "{peer} found dead after {after} s");
        }
    }
    let alive: Vec<Addr> = (161..=200).map(peer_addr).collect();
    assert_eq!((network.listed(1), network.listed(2)), (alive.clone(), alive));
    let unwatched = |kind: &EventKind| {
        matches!(kind, EventKind::Seed(SeedEvent::PeerDelisted { reason: DelistReason::Silent, .. }))
    };
    assert!(network.count(seed_addr(1), unwatched) > 0, "some had no neighbor left that lives");
}

/// Registers, and says nothing from then on but answers.
struct Quiet;

impl Double for Quiet {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        match input {
            Input::Start => vec![Ask::Dial(seed_addr(1), Purpose::Registration)],
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                let hello = Hello { listen: peer_addr(1), role: Role::Peer, priority: Priority::Low };
                vec![Ask::Send(link, Message::Hello(hello))]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }
}

#[test]
fn rule_5_a_silent_registration_is_asked_and_may_answer() {
    let mut network = Network::new(1, 79);
    network.start_double(peer_addr(1), Quiet);
    network.world.run_for((LIVENESS * 3).saturating_sub(SECOND));
    let asked = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Sent { .. }));
    assert_eq!(network.count(seed_addr(1), asked), 0);
    network.world.run_for(SECOND * 2);
    assert_eq!(network.count(seed_addr(1), asked), 1);
    network.world.run_for(LIVENESS * 9);
    assert_eq!(network.count(seed_addr(1), asked), 4, "once in three intervals");
    assert_eq!(network.listed(1), [peer_addr(1)]);
}

#[test]
fn rule_5_all_fall_silent_at_once_and_the_lists_are_empty() {
    let mut network = Network::new(1, 81);
    network.start_peers(1..=8);
    network.world.run_for(LIVENESS * 2);
    let since = network.world.now();
    (1..=8).for_each(|number| network.world.hang(peer_addr(number)));
    network.world.run_for(LIVENESS * 5);
    assert!(network.listed(1).is_empty(), "nobody is left who could report them");
    let missed = |kind: &EventKind| matches!(kind, EventKind::Probe(ProbeEvent::Missed { limit: 3, .. }));
    assert_eq!(network.count(seed_addr(1), missed), 3 * 8, "three probes each");
    let first = network
        .first(|event| event.at >= since && matches!(event.kind, EventKind::Seed(SeedEvent::PeerDelisted { .. })));
    assert!(first.is_some_and(|event| event.at.since(since) > SECOND * 3));
}

#[test]
fn rule_7_a_short_probe_timeout_finds_a_death_sooner() {
    let mut network = Network::new(1, 80);
    network.peer_config.probe_timeout = SECOND / 2;
    network.start_peers(1..=4);
    network.world.run_for(LIVENESS * 6);
    network.world.hang(peer_addr(1));
    let since = network.world.now();
    network.world.run_for(LIVENESS * 3 + SECOND * 3 / 5);
    let found = network
        .first(|event| event.at >= since && matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { .. })));
    let after = found.expect("it is found").at.since(since);
    assert!(after >= LIVENESS * 2 + SECOND / 2, "{after:?}");
}

#[test]
fn a_seed_whose_answer_comes_twice_breaks_no_rule() {
    let mut network = lively(Dialect::Framed, DeadPolicy::Verify, 41);
    set(&mut network, FaultKind::Duplicate { percent: Percent::new(100).unwrap() }, Scope::All);
    // Not when the seed asks whether it lives, every three intervals.
    network.world.run_for(T);
    let back = away(&mut network, &[peer_addr(1)], T, T * 2);
    network.world.run_for(T * 4);
    let answered = |event: &Event| {
        event.at >= back
            && matches!(event.kind, EventKind::Probe(ProbeEvent::Answered { peer, .. }) if peer == seed_addr(1))
    };
    assert!(network.world.events().iter().any(answered), "it asked its seed");
    assert!(!network.any(|kind| matches!(kind, EventKind::Link(LinkEvent::Violation { .. }))));
}

#[test]
fn a_node_whose_machine_slept_accuses_nobody() {
    let mut peer = Alone::new(Peer::new(PeerConfig::new(peer_addr(1), Vec::new()), 7));
    let link = peer.joins(peer_addr(2), peer_addr(2), Priority::High);
    // Its clock stood still: nothing but the driver knows.
    peer.input(Input::Late { by: SECOND * 3_600, why: Absence::Stopped });
    peer.ends(link, CloseCause::EndOfStream);
    let told = |wanted: fn(&EventKind) -> bool| peer.asks.told().any(wanted);
    assert!(told(|kind| matches!(kind, EventKind::Node(NodeEvent::WasAway { why: Absence::Stopped, .. }))));
    assert!(told(|kind| matches!(kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::WhileAway, .. }))));
    let accuses = told(|kind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. })));
    assert!(!accuses, "{:?}", peer.asks);
}
