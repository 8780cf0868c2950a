//! A split overlay becomes one, whatever happens to the root, to seeds and to peers meanwhile (rule 9).
//!
//! The oracle is always the same: the peers that live are one connected component.

use std::time::Duration;

use gossipctl::event::{EventKind, LinkEvent, LinkId, NodeEvent, Purpose, RepairReason};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{FaultKind, Scope};
use gossipctl::proto::machine::{Input, LinkChange};
use gossipctl::proto::message::{Hello, Message, Priority, Role};
use gossipctl::proto::random::Random;
use gossipctl::proto::time::Time;

use crate::faults::{calm, set};
use crate::virtual_time::alone::Ask;
use crate::virtual_time::{Double, LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

/// Peers that are content with one link, so that pairs and chains stay among themselves.
fn scattered(seeds: u16, peers: u16, rng_seed: u64) -> Network {
    let mut network = Network::new(seeds, rng_seed);
    (network.peer_config.max_dial, network.peer_config.messages) = (1, Some(0));
    network.start_peers(1..=peers);
    network.world.run_for(SECOND * 5);
    network
}

/// Those that are there and do not hang.
fn living(network: &Network) -> Vec<Addr> {
    let hung = |peer: Addr| {
        let told = network
            .kinds(peer)
            .filter(|kind| matches!(kind, EventKind::Node(NodeEvent::Hung | NodeEvent::Started { .. })))
            .last();
        matches!(told, Some(EventKind::Node(NodeEvent::Hung)))
    };
    network.peers().into_iter().filter(|peer| !hung(*peer)).collect()
}

/// What a driver does and says when a node is to hang.
fn hang(network: &mut Network, peer: Addr) {
    network.world.hang(peer);
    network.world.tell(peer, EventKind::Node(NodeEvent::Hung));
}

/// Intervals until those that live are one component.
fn intervals_until_whole(network: &mut Network, limit: u32) -> Option<u32> {
    (0..=limit).find(|_| {
        let whole = network.parts(&living(network)).len() <= 1;
        if !whole {
            network.world.run_for(LIVENESS);
        }
        whole
    })
}

fn bridges(network: &Network, since: Time) -> usize {
    let is_bridge = |kind: &EventKind| {
        matches!(kind, EventKind::Link(LinkEvent::Repairing { reason: RepairReason::SplitOverlay { .. }, .. }))
    };
    network.world.events().iter().filter(|event| event.at >= since && is_bridge(&event.kind)).count()
}

/// Registers with the lowest address, listens there, answers its seed, and links to nobody.
struct SilentRoot {
    own: Addr,
    seeds: Vec<Addr>,
    registrations: Vec<LinkId>,
}

impl SilentRoot {
    fn start(network: &mut Network) {
        let (own, seeds) = (Addr::loopback(1_000), network.seeds.clone());
        network.start_double(own, Self { own, seeds, registrations: Vec::new() });
    }
}

impl Double for SilentRoot {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        let hello = Message::Hello(Hello { listen: self.own, role: Role::Peer, priority: Priority::Low });
        match input {
            Input::Start => self.seeds.iter().map(|seed| Ask::Dial(*seed, Purpose::Registration)).collect(),
            Input::Link { link, change: LinkChange::Dialed { .. } } => {
                self.registrations.push(link);
                vec![Ask::Send(link, hello)]
            }
            Input::Message { link, message: Message::Hello(Hello { role: Role::Seed, .. }) }
                if !self.registrations.contains(&link) =>
            {
                vec![Ask::Send(link, hello)]
            }
            Input::Message { link, message: Message::Hello(_) } if !self.registrations.contains(&link) => {
                vec![Ask::HangUp(link)]
            }
            Input::Message { link, message: Message::Probe { seq, asker, clock, .. } } => {
                vec![Ask::Send(link, Message::ProbeReply { seq, asker, clock, extras: None })]
            }
            _ => Vec::new(),
        }
    }
}

#[test]
fn many_small_parts_become_one() {
    let scattered = (0..100).map(|rng_seed| (rng_seed, scattered(2, 40, 500 + rng_seed)));
    let split = scattered.filter(|(_, network)| network.parts(&network.peers()).len() > 2);
    let mut count = 0;
    for (rng_seed, mut network) in split.take(4) {
        count += 1;
        let taken = intervals_until_whole(&mut network, 60);
        assert!(taken.is_some(), "rng seed {rng_seed}: {:?}", network.parts(&network.peers()));
    }
    assert_eq!(count, 4, "so many of 100 overlays were split");
}

#[test]
fn two_halves_become_one() {
    for rng_seed in 0..4 {
        let mut network = Network::silent(2, 16, 510 + rng_seed);
        let half: Vec<Addr> = (1..=8).map(peer_addr).chain([seed_addr(1)]).collect();
        set(&mut network, FaultKind::Cut, Scope::border(half));
        network.world.run_for(LIVENESS * 12);
        assert_eq!(network.parts(&network.peers()).len(), 2, "rng seed {rng_seed}");
        calm(&mut network);
        let taken = intervals_until_whole(&mut network, 16);
        assert!(taken.is_some(), "rng seed {rng_seed}: {:?}", network.parts(&network.peers()));
        // Who was the root of the other half dials the root itself.
        let bridges = network.kinds(peer_addr(9)).filter_map(|kind| match kind {
            EventKind::Link(LinkEvent::Repairing { reason: RepairReason::SplitOverlay { other, .. }, .. }) => {
                Some(*other)
            }
            _ => None,
        });
        assert_eq!(bridges.collect::<Vec<_>>(), [peer_addr(1)], "rng seed {rng_seed}");
    }
}

#[test]
fn whatever_ends_a_root_no_bridge_is_dialed_for_it() {
    for how in 0..4 {
        let mut network = Network::silent(2, 20, 520 + how);
        let (began, root) = (network.world.now(), peer_addr(1));
        match how {
            0 => network.world.kill(root),
            1 => hang(&mut network, root),
            2 => network.world.leave(root),
            // A lower one comes.
            _ => {
                network.world.kill(peer_addr(1));
                network.world.run_for(LIVENESS * 30);
                network.start_peer(1);
            }
        }
        network.world.run_for(LIVENESS * 40);
        assert_eq!(bridges(&network, began), 0, "way {how}");
        assert_eq!(intervals_until_whole(&mut network, 0), Some(0), "way {how}");
    }
}

#[test]
fn a_seed_that_dies_splits_nothing() {
    let mut network = Network::silent(3, 20, 530);
    let began = network.world.now();
    network.world.kill(seed_addr(1));
    network.world.run_for(LIVENESS * 40);
    assert_eq!(bridges(&network, began), 0);
    assert_eq!(intervals_until_whole(&mut network, 0), Some(0));
}

#[test]
fn a_low_name_where_nobody_listens_is_no_root() {
    let mut network = Network::silent(1, 12, 540);
    let began = network.world.now();
    let name = Addr::new([127, 0, 0, 0].into(), 1);
    network.start_double(peer_addr(99), crate::hostile::Lister { seed: seed_addr(1), name });
    network.world.run_for(LIVENESS * 40);
    assert!(network.listed(1).contains(&name), "it is listed");
    assert_eq!(bridges(&network, began), 0);
}

#[test]
fn a_root_that_sends_no_beacon_keeps_no_parts_apart() {
    let mut network = scattered(1, 24, 550);
    SilentRoot::start(&mut network);
    let taken = intervals_until_whole(&mut network, 100);
    assert!(taken.is_some(), "{:?}", network.parts(&network.peers()));
    network.world.run_for(LIVENESS * 200);
    let (since, count) = (network.world.now(), network.peers().len());
    network.world.run_for(LIVENESS * 100);
    let dialed = bridges(&network, since);
    assert!(dialed <= count, "one dial of each in a hundred intervals: {dialed}");
}

#[test]
fn peers_that_reach_only_some_seeds_are_in_one_overlay() {
    for rng_seed in 0..3 {
        let mut network = Network::new(3, 560 + rng_seed);
        network.peer_config.max_dial = 1;
        network.start_peers(1..=18);
        for number in 1..=18 {
            let (peer, seed) = (peer_addr(number), seed_addr(1 + number % 3));
            set(&mut network, FaultKind::Cut, Scope::link(peer, seed));
        }
        network.world.run_for(SECOND * 5);
        let taken = intervals_until_whole(&mut network, 80);
        assert!(taken.is_some(), "rng seed {rng_seed}: {:?}", network.parts(&network.peers()));
    }
}

/// One thing that goes wrong.
fn disturb(network: &mut Network, random: &mut Random, peers: u16) {
    let some = |random: &mut Random| peer_addr(1 + u16::try_from(random.below(usize::from(peers))).unwrap());
    let lowest = living(network).into_iter().min();
    match random.below(7) {
        0 => lowest.into_iter().for_each(|root| network.world.kill(root)),
        1 => lowest.into_iter().for_each(|root| hang(network, root)),
        2 => lowest.into_iter().for_each(|root| network.world.leave(root)),
        3 => {
            let peer = some(random);
            network.world.kill(peer);
        }
        4 => {
            let number = 1 + u16::try_from(random.below(network.seeds.len())).unwrap();
            network.world.kill(seed_addr(number));
            network.world.run_for(LIVENESS * 2);
            network.start_seed(number);
        }
        5 => {
            let half = living(network).into_iter().filter(|peer| *peer <= peer_addr(peers / 2));
            let half: Vec<Addr> = half.chain([seed_addr(1)]).collect();
            set(network, FaultKind::Cut, Scope::border(half));
            network.world.run_for(LIVENESS * u32::try_from(1 + random.below(8)).unwrap());
            calm(network);
        }
        _ => network.start_peer(peers + 1),
    }
    network.world.run_for(SECOND * u32::try_from(1 + random.below(60)).unwrap());
}

#[test]
fn after_any_troubles_those_that_live_are_one_overlay() {
    for rng_seed in 0..10 {
        println!("random troubles with {rng_seed}");
        let random = &mut Random::new(rng_seed);
        let (seeds, peers) =
            (1 + u16::try_from(random.below(3)).unwrap(), 8 + u16::try_from(random.below(12)).unwrap());
        let mut network = Network::new(seeds, 600 + rng_seed);
        network.expected = |_| true;
        network.peer_config.max_dial = 1 + random.below(3);
        network.start_peers(1..=peers);
        network.world.run_for(LIVENESS);
        for _ in 0..3 {
            disturb(&mut network, random, peers);
        }
        let taken = intervals_until_whole(&mut network, 100);
        assert!(taken.is_some(), "rng seed {rng_seed}: {:?}", network.parts(&living(&network)));
    }
}
