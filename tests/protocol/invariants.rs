//! What must hold whatever happens.

use std::time::Duration;

use gossipctl::event::{DeathEvent, DialError, EventKind, GossipEvent, LinkEvent, LinkId};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{LINKS_MAX, PeerConfig, REFERRAL_LEN, SeedConfig};
use gossipctl::proto::machine::{CloseCause, Gauge, Input, LinkChange, Machine, NodeCommand, Output};
use gossipctl::proto::message::{
    DeathCause, Dialect, GoodbyeReason, Gossip, Hello, Message, MessageId, Priority, Role,
};
use gossipctl::proto::peer::Peer;
use gossipctl::proto::random::Random;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::{ClockTime, Time};
use gossipctl::sim::World;
use proptest::prelude::*;

use crate::virtual_time::alone::{Alone, Ask};
use crate::virtual_time::{Double, LIVENESS, Network, peer_addr};

/// Where strangers connect from.
const REMOTE: ([u8; 4], u16) = ([127, 0, 0, 1], 40_000);

#[test]
fn the_same_seed_gives_the_same_run_to_the_last_event() {
    let run = |rng_seed| {
        let mut network = Network::settled(2, 12, rng_seed);
        network.world.kill(peer_addr(3));
        network.world.run_for(LIVENESS * 4);
        network.world.events().to_vec()
    };
    let first = run(51);
    assert!(first.len() > 1_000);
    assert!(first == run(51), "two runs with one seed differ");
    assert!(first != run(52), "another seed makes another run");
}

#[test]
fn a_large_network_starts_at_once_and_settles_without_a_death() {
    let mut network = Network::new(2, 55);
    network.peer_config.messages = Some(0);
    network.start_peers(1..=250);
    network.world.run_for(LIVENESS * 8 + Duration::from_secs(1));
    let wrong = |kind: &EventKind| {
        matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. }) | EventKind::Link(LinkEvent::Violation { .. }))
    };
    let first = network.first(|event| wrong(&event.kind));
    assert_eq!(first, None);
    assert!(network.connected());
    network.assert_symmetric();
    for peer in network.peers() {
        let links = network.neighbors(peer).len();
        // Lone joiners and bridges are taken beyond the eight, and given up one an interval.
        assert!((4..=12).contains(&links), "{peer} has {links} links");
    }
}

#[test]
fn strangers_that_say_nothing_are_refused_in_a_few_lines() {
    let mut peer = Alone::new(Peer::new(PeerConfig::new(Addr::loopback(500), Vec::new()), 1));
    for _ in 0..10_000 {
        peer.accept(REMOTE);
    }
    assert_eq!(peer.asks.count(|kind| matches!(kind, EventKind::Link(LinkEvent::Violation { .. }))), 3);
}

/// Keeps what it is told, without end.
struct Hoarder(usize);

impl Machine for Hoarder {
    fn handle(&mut self, _now: Time, input: Input, _out: &mut impl Output) {
        self.0 += usize::from(matches!(input, Input::Command(_)));
    }

    fn next_deadline(&self) -> Option<Time> {
        None
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        tell(Gauge::new("commands", self.0, 2));
    }
}

#[test]
fn a_node_that_keeps_more_than_it_may_is_found_in_virtual_time() {
    let mut world = World::new(1);
    world.start(peer_addr(1), Hoarder(0));
    for found in [0, 0, 1] {
        world.command(peer_addr(1), NodeCommand::Say("more".into()));
        assert_eq!(world.over_bounds().len(), found);
    }
    assert_eq!(world.over_bounds(), [(peer_addr(1), Gauge::new("commands", 3, 2))]);
}

/// Has too much of something for two seconds.
struct Glutton(Time);

impl Double for Glutton {
    fn handle(&mut self, now: Time, _input: Input) -> Vec<Ask> {
        self.0 = now;
        Vec::new()
    }

    fn next_deadline(&self) -> Option<Time> {
        (self.0 == gossipctl::sim::EPOCH).then_some(self.0 + Duration::from_secs(2))
    }

    fn gauges(&self) -> Vec<Gauge> {
        let count = if self.0 == gossipctl::sim::EPOCH { 3 } else { 0 };
        vec![Gauge::new("meals", count, 2)]
    }
}

#[test]
#[should_panic(expected = "127.0.0.1:3001: 3 meals, at most 2 are allowed")]
fn a_node_over_its_bound_for_a_while_is_found_at_the_end() {
    let mut network = Network::new(1, 1);
    network.start_double(peer_addr(1), Glutton(gossipctl::sim::EPOCH));
    network.world.run_for(Duration::from_secs(60));
    assert_eq!(network.world.over_bounds(), [], "in the end it has not");
}

#[test]
fn all_nodes_are_looked_through_at_most_twice_a_second() {
    let mut world = World::new(1);
    world.start(peer_addr(1), Hoarder(3));
    let mut looks = 0;
    for _ in 0..100 {
        looks += world.over_bounds_if_due().len();
        world.run_for(Duration::from_millis(50));
    }
    assert_eq!(looks, 10, "in five seconds");
}

#[test]
fn a_flooded_peer_and_seed_keep_their_bounds() {
    for mut node in Alone::peer_and_seed(Addr::loopback(500)) {
        for _ in 0..10_000 {
            node.accept(REMOTE);
        }
        let mut gauges = Vec::new();
        node.machine.gauges(&mut |gauge| gauges.push(gauge));
        assert!(gauges.iter().all(|gauge| !gauge.is_over()), "{gauges:?}");
        let waiting = gauges.iter().find(|gauge| gauge.what.starts_with("connections")).unwrap();
        assert_eq!(waiting.count, waiting.limit, "as many as there may be wait");
    }
}

#[test]
fn every_live_connected_peer_gets_every_message_exactly_once() {
    let network = Network::settled(2, 40, 53);
    let settled = Time::from_micros(gossipctl::sim::EPOCH.as_micros()) + LIVENESS * 6;
    let last = network.world.now() - Duration::from_secs(1);
    let mut checked = 0;
    for (id, holders) in network.holders() {
        let sent = network.first(
            |e| matches!(&e.kind, EventKind::Gossip(GossipEvent::Generated { id: generated, .. }) if *generated == id),
        );
        let sent_at = sent.expect("generated").at;
        if sent_at < settled || sent_at > last {
            continue;
        }
        checked += 1;
        assert_eq!(holders.len(), 40, "{id:?}");
        assert!(holders.values().all(|times| *times == 1), "{id:?}");
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn under_churn_nobody_alive_is_removed_and_the_overlay_heals() {
    let mut network = Network::silent(3, 30, 54);
    let mut random = Random::new(54);
    for _ in 0..60 {
        let number = u16::try_from(1 + random.below(30)).unwrap();
        match random.below(3) {
            0 => network.world.kill(peer_addr(number)),
            1 => network.world.leave(peer_addr(number)),
            _ => network.start_peer(number),
        }
        network.world.run_for(Duration::from_millis(random.below(8_000) as u64));
    }
    network.world.run_for(LIVENESS * 40);
    assert!(network.connected(), "{:?}", network.parts(&network.peers()));
    network.assert_symmetric();
    for peer in network.peers() {
        let seeds: Vec<Addr> = network.peer(peer).registrations().collect();
        assert_eq!(seeds.len(), 2);
        for seed in seeds {
            assert!(network.seed(seed).listed().any(|listed| listed == peer), "{peer} is alive and off {seed}'s list");
        }
    }
}

/// Whom a peer without seeds dials in a minute, to no avail, after its only neighbor has said this.
fn dialed_after(parting: &Message) -> Vec<Addr> {
    let mut peer = Alone::new(Peer::new(PeerConfig::new(Addr::loopback(500), Vec::new()), 1));
    let end = peer.now + Duration::from_secs(60);
    let link = peer.joins(Addr::loopback(501), Addr::loopback(501), Priority::High);
    peer.say(link, parting.clone());
    let mut failed = 0;
    while let Some(at) = peer.machine.next_deadline().filter(|at| *at < end) {
        peer.now = peer.now.max(at);
        peer.input(Input::Wake);
        while let Some(dialed) = peer.asks.dialed().get(failed).copied() {
            failed += 1;
            peer.input(Input::DialFailed { peer: dialed, error: DialError::REFUSED });
        }
    }
    peer.asks.dialed()
}

#[test]
fn who_parts_introduces_a_few_others_however_many_it_names() {
    let referral: Vec<Addr> = (1_000..1_100).map(Addr::loopback).collect();
    let dialed = dialed_after(&Message::Goodbye { reason: GoodbyeReason::MadeRoom, referral });
    assert_eq!(dialed.len(), REFERRAL_LEN, "{dialed:?}");
}

fn addrs() -> impl Strategy<Value = Addr> {
    (0_u16..30).prop_map(|port| Addr::loopback(port * 100))
}

fn messages() -> impl Strategy<Value = Message> {
    let clock = || (0_u32..86_400).prop_map(|s| ClockTime::from_seconds(s).unwrap());
    prop_oneof![
        (addrs(), any::<bool>(), 0_usize..3).prop_map(|(listen, seed, priority)| Message::Hello(Hello {
            listen,
            role: if seed { Role::Seed } else { Role::Peer },
            priority: [Priority::Low, Priority::High, Priority::Bridge][priority],
        })),
        prop::collection::vec(addrs(), 0..20).prop_map(|list| Message::PeerList(list.into())),
        Just(Message::ListRequest),
        (addrs(), 0_u64..50).prop_map(|(origin, seq)| {
            let id = MessageId { origin, run: 1, seq };
            Message::Gossip(std::sync::Arc::new(Gossip { id, body: "x".into(), trace: None }))
        }),
        (0_u64..9, addrs(), clock()).prop_map(|(seq, asker, clock)| Message::Probe { seq, asker, clock, extras: None }),
        (0_u64..9, addrs(), clock()).prop_map(|(seq, asker, clock)| Message::ProbeReply {
            seq,
            asker,
            clock,
            extras: None
        }),
        (addrs(), clock(), addrs()).prop_map(|(dead, clock, reporter)| Message::DeadReport {
            dead,
            clock,
            reporter,
            cause: Some(DeathCause::Closed)
        }),
        prop::collection::vec(addrs(), 0..20)
            .prop_map(|referral| Message::Goodbye { reason: GoodbyeReason::MadeRoom, referral }),
    ]
}

fn inputs() -> impl Strategy<Value = Input> {
    let link = || (0_u64..40).prop_map(LinkId);
    prop_oneof![
        8 => (link(), messages()).prop_map(|(link, message)| Input::Message { link, message }),
        2 => link().prop_map(|link| Input::Link { link, change: LinkChange::Accepted { remote: ([127, 0, 0, 1], 40_000).into() } }),
        2 => (link(), addrs()).prop_map(|(link, peer)| Input::Link { link, change: LinkChange::Dialed { peer } }),
        1 => link().prop_map(|link| Input::Link { link, change: LinkChange::Closed { cause: CloseCause::Error } }),
        1 => addrs().prop_map(|peer| Input::DialFailed { peer, error: DialError::REFUSED }),
        1 => addrs().prop_map(|peer| Input::Command(NodeCommand::Cut(peer))),
        1 => addrs().prop_map(|peer| Input::Command(NodeCommand::Heal(peer))),
        1 => Just(Input::Command(NodeCommand::Say("hi".into()))),
        4 => Just(Input::Wake),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_leave_a_peer_within_its_bounds(
        steps in prop::collection::vec((0_u64..3_000, inputs()), 1..300),
        classic in any::<bool>(),
        rng_seed in any::<u64>(),
    ) {
        let own = Addr::loopback(500);
        let mut config = PeerConfig::new(own, vec![Addr::loopback(1_000), Addr::loopback(1_100)]);
        config.dialect = if classic { Dialect::Classic } else { Dialect::Framed };
        let mut alone = Alone::new(Peer::new(config, rng_seed));
        for (wait_ms, input) in steps {
            alone.now = alone.now + Duration::from_millis(wait_ms);
            alone.input(input);
            let peer = &alone.machine;
            let neighbors: Vec<Addr> = peer.neighbors().collect();
            prop_assert!(neighbors.len() <= LINKS_MAX);
            prop_assert!(!neighbors.contains(&own), "linked to itself");
            let mut once = neighbors.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), neighbors.len(), "the same neighbor twice");
            prop_assert!(peer.registrations().count() <= 2);
            prop_assert!(peer.next_deadline().is_some(), "a live peer always has something ahead");
        }
        prop_assert!(alone.asks.dialed().iter().all(|dialed| *dialed != own && dialed.is_dialable()));
    }

    #[test]
    fn any_inputs_leave_a_seed_within_its_bounds(
        steps in prop::collection::vec((0_u64..3_000, inputs()), 1..300),
        classic in any::<bool>(),
    ) {
        let mut config = SeedConfig::new(Addr::loopback(500));
        config.dialect = if classic { Dialect::Classic } else { Dialect::Framed };
        let mut seed = Alone::new(Seed::new(config, 1));
        let began = seed.now;
        for (wait_ms, input) in steps {
            seed.now = seed.now + Duration::from_millis(wait_ms);
            seed.input(input);
            prop_assert!(seed.machine.listed().all(|listed| listed.is_dialable() && listed.port() != 500));
        }
        let dials_max = if classic { 0 } else { 20 + seed.now.since(began).as_millis() / 50 };
        prop_assert!(seed.asks.dialed().len() as u128 <= dials_max, "a seed dials back those it lists, twenty a second");
        // Once all is quiet for long, only open registrations remain and nothing is waited for.
        for _ in 0..200 {
            let Some(at) = seed.machine.next_deadline() else { break };
            seed.now = seed.now.max(at);
            seed.input(Input::Wake);
        }
        prop_assert_eq!(seed.machine.next_deadline(), None);
    }
}
