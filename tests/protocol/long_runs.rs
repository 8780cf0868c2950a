//! Hours of virtual time under what networks suffer: rude nodes, churn, seeds that go and come back.
//!
//! Each run prints how to repeat it: the test's name and its rng seed are the whole of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::event::{DeathEvent, DelistReason, EventKind, GossipEvent, LinkEvent, Purpose, RepairReason, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::LINKS_MAX;
use gossipctl::proto::event::Rule;
use gossipctl::proto::message::{Dialect, MessageId};
use gossipctl::proto::random::Random;
use gossipctl::proto::time::Time;
use gossipctl::session::check::Invariant;

use crate::classic::classic;
use crate::rude::{ROUND, Rude};
use crate::virtual_time::{LIVENESS, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Longest time that a message may be on its way.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// Who got each message of which anybody of ours got a copy, and when it was first seen.
fn spread(network: &Network) -> BTreeMap<MessageId, (Time, Vec<Addr>)> {
    let mut spread = BTreeMap::<_, (Time, Vec<Addr>)>::new();
    for event in network.world.events() {
        if let EventKind::Gossip(GossipEvent::Generated { id, .. } | GossipEvent::Received { id, .. }) = &event.kind {
            spread.entry(*id).or_insert((event.at, Vec::new())).1.push(event.node);
        }
    }
    spread
}

/// Every message since then of which one of these got a copy reached each of them, once. How many there were.
fn assert_all_reached(network: &Network, all: &BTreeSet<Addr>, since: Time) -> usize {
    let until = network.world.now().as_micros() - u64::try_from(ON_THE_WAY.as_micros()).unwrap();
    let spread = spread(network);
    let due = spread.iter().filter(|(_, (at, _))| *at >= since && at.as_micros() <= until);
    let due = due.filter(|(_, (_, holders))| holders.iter().any(|holder| all.contains(holder)));
    let mut count = 0;
    for (id, (at, holders)) in due {
        count += 1;
        let once: BTreeSet<Addr> = holders.iter().copied().collect();

        assert_eq!(once.len(), holders.len(), "{id:?} of {at:?} came twice to somebody: {holders:?}");
        let missing: Vec<_> = all.difference(&once).collect();
        assert!(missing.is_empty(), "{id:?} of {at:?} never reached {missing:?}");
    }
    count
}

/// Everybody is registered with as many seeds as it wants, and on the list of each.
fn assert_registered(network: &Network) {
    for peer in network.peers() {
        let seeds: Vec<Addr> = network.peer(peer).registrations().collect();
        assert_eq!(seeds.len(), network.seeds.len() / 2 + 1, "registrations of {peer}");
        for seed in seeds {
            assert!(network.seed(seed).listed().any(|listed| listed == peer), "{peer} is off the list of {seed}");
        }
    }
}

/// What holds at any moment of any run.
fn assert_bounded(network: &Network) {
    for peer in network.peers() {
        let peer = network.peer(peer);
        assert!(peer.neighbors().count() <= LINKS_MAX);
        assert!(peer.seen() <= 2 * peer.config().seen_max);
    }
}

fn all_of(network: &Network) -> BTreeSet<Addr> {
    network.peers().into_iter().collect()
}

#[test]
fn an_hour_beside_a_python_like_node_that_breaks_every_rule() {
    const RNG_SEED: u64 = 61;
    let mut network = classic(2, RNG_SEED);
    // The rude one gives the names of others for its own: whoever has such a name knows of no link.
    network.expected = |breach| matches!(breach.rule, Invariant::Lopsided { .. });
    // More links than there are others of ours: each of them dials the rude one, too.
    network.peer_config.max_dial = 8;
    network.start_peers(1..=8);
    network.world.run_for(MINUTE * 2);
    let ours = all_of(&network);
    let since = network.world.now();
    let (rude, peers) = (peer_addr(66), ours.iter().copied().collect::<Vec<_>>());
    let mut newcomer = 8 + 1;
    for round in 0..12_u32 {
        // It dies and comes back now and then, as the rude do.
        network.world.kill(rude);
        network.start_double(rude, Rude::new(rude, &network.seeds, &peers, RNG_SEED + u64::from(round)));
        // A newcomer gets a list with the rude one on it, as a rule, and dials it: the others never ask again. The rude
        // one behaves by then, so that a link that it never says anything on stays.
        network.world.run_for(MINUTE * 7 / 2);
        network.world.kill(peer_addr(newcomer));
        newcomer += 1;
        network.start_peer(newcomer);
        // Up to the last moments of the round, in which it behaves.
        let end = gossipctl::sim::EPOCH + ROUND * round + ROUND * 99 / 100;
        network.world.run_for(end.since(network.world.now()));
        assert_bounded(&network);
        network.assert_symmetric_among(&ours);
        // Lies have emptied the seeds' lists by then, and a newcomer may stay alone.
        assert_eq!(
            network.parts(&ours.iter().copied().collect::<Vec<_>>()).len(),
            1,
            "{:?}",
            network.parts(&network.peers())
        );
    }
    let messages = assert_all_reached(&network, &ours, since);
    assert!(messages > 8 * 350, "{messages}");
    assert_was_rude(&network);
}

/// The run has seen all of it; otherwise it proves less than it says.
fn assert_was_rude(network: &Network) {
    let broke = |rule| {
        network.any(
            |kind| matches!(kind, EventKind::Link(LinkEvent::Violation { violation, .. }) if violation.rule == rule),
        )
    };
    for rule in [
        Rule::HelloExpected,
        Rule::HelloTwice,
        Rule::BadAddress,
        Rule::HandshakeTimeout,
        Rule::Unexpected,
        Rule::TooManyLinks,
    ] {
        assert!(broke(rule), "nobody broke the rule {rule}");
    }
    assert!(network.any(|kind| matches!(kind, EventKind::Link(LinkEvent::NotAccepted { .. }))));
    assert!(network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::DeadReportReceived { .. }))));
    assert!(network.any(|kind| matches!(kind, EventKind::Gossip(GossipEvent::Duplicate { .. }))));
}

/// Seeds and peers of one dialect, settled.
fn settled(dialect: Dialect, seeds: u16, peers: u16, rng_seed: u64) -> Network {
    match dialect {
        Dialect::Framed => Network::settled(seeds, peers, rng_seed),
        Dialect::Classic => {
            let mut network = classic(seeds, rng_seed);
            network.start_peers(1..=peers);
            network.world.run_for(LIVENESS * 12);
            network
        }
    }
}

#[test]
fn a_restarted_seed_relists_its_peers_and_no_message_is_lost() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        for seeds in [1, 3] {
            let mut network = settled(dialect, seeds, 12, 62);
            let (ours, since) = (all_of(&network), network.world.now());
            network.world.kill(seed_addr(1));
            network.world.run_for(SECOND * 20);
            network.start_seed(1);
            network.world.run_for(MINUTE * 2);
            assert_registered(&network);
            assert_eq!(
                network.seeds.iter().flat_map(|seed| network.seed(*seed).listed()).collect::<BTreeSet<_>>(),
                ours
            );
            assert!(network.connected());
            network.assert_symmetric();
            let messages = assert_all_reached(&network, &ours, since);
            assert!(messages > 100, "{messages}");
            assert!(
                !network.any(|kind| matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. }))),
                "{dialect}: nobody died"
            );
        }
    }
}

#[test]
fn without_seeds_gossip_goes_on_and_lists_recover_with_them() {
    for dialect in [Dialect::Framed, Dialect::Classic] {
        let mut network = settled(dialect, 3, 12, 63);
        let since = network.world.now();
        for seed in network.seeds.clone() {
            network.world.kill(seed);
        }
        network.world.run_for(MINUTE * 5);
        // One crashes while there is nobody to tell, and one comes that nobody can introduce.
        network.world.kill(peer_addr(12));
        network.start_peer(13);
        network.world.run_for(MINUTE * 5);
        let gone = MINUTE * 10;
        assert_backed_off(&network, since, gone);
        for number in 1..=3 {
            network.start_seed(number);
        }
        network.world.run_for(MINUTE * 3);
        assert_registered(&network);
        assert!(network.seeds.iter().all(|seed| network.seed(*seed).listed().all(|peer| peer != peer_addr(12))));
        assert!(network.connected(), "the newcomer, too");
        network.assert_symmetric();
        let stayed: BTreeSet<Addr> = (1..=11).map(peer_addr).collect();
        assert!(assert_all_reached(&network, &stayed, since) > 500);
        let told = network
            .count(peer_addr(1), |kind| matches!(kind, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, .. })));
        assert_eq!(told, 1, "told once, not at each try");
        assert_eq!(
            network.count(peer_addr(1), |kind| matches!(kind, EventKind::Seed(SeedEvent::EnoughSeeds { .. }))),
            1
        );
    }
}

/// Nobody hammers where a seed was: the longest wait between two tries of one seed is 30 s, the shortest by then 15 s.
fn assert_backed_off(network: &Network, since: Time, gone: Duration) {
    let tries = |peer: Addr, seed: Addr| {
        let failed = network.world.events().iter().filter(|event| event.node == peer && event.at >= since);
        failed.filter(|event| matches!(event.kind, EventKind::Link(LinkEvent::DialFailed { peer, purpose: Purpose::Registration, .. }) if peer == seed)).count()
    };
    for peer in (1..=11).map(peer_addr) {
        for seed in &network.seeds {
            let tries = tries(peer, *seed);
            let (least, most) = (gone.as_secs() / 31, gone.as_secs() / 15 + 12);
            assert!((least..=most).contains(&(tries as u64)), "{peer} tried {seed} {tries} times");
        }
    }
}

/// When each node was up.
#[derive(Default)]
struct Lives(BTreeMap<Addr, Vec<(Time, Option<Time>)>>);

impl Lives {
    fn begin(&mut self, addr: Addr, at: Time) {
        self.0.entry(addr).or_default().push((at, None));
    }

    fn end(&mut self, addr: Addr, at: Time) {
        if let Some((_, end @ None)) = self.0.get_mut(&addr).and_then(|lives| lives.last_mut()) {
            *end = Some(at);
        }
    }

    fn up(&self, addr: Addr) -> bool {
        self.0.get(&addr).and_then(|lives| lives.last()).is_some_and(|(_, end)| end.is_none())
    }

    /// Was it up all the time from `span` before `at` on?
    fn through(&self, addr: Addr, at: Time, span: Duration) -> bool {
        let lives = self.0.get(&addr).into_iter().flatten();
        lives.into_iter().any(|(begin, end)| *begin + span <= at && end.is_none_or(|end| end >= at))
    }
}

#[test]
fn an_hour_of_trouble_delists_nobody_alive() {
    const PEERS: u16 = 14;
    let mut network = Network::settled(3, PEERS, 64);
    let (mut random, mut lives) = (Random::new(64), Lives::default());
    let begun = network.world.now();
    network.peers().into_iter().for_each(|peer| lives.begin(peer, begun));
    for round in 0..30 {
        disturb(&mut network, &mut random, &mut lives, PEERS, round);
        // All come back, and all is well again.
        for number in 1..=PEERS {
            if !lives.up(peer_addr(number)) {
                network.world.kill(peer_addr(number));
                network.start_peer(number);
                lives.begin(peer_addr(number), network.world.now());
            }
        }
        network.world.run_for(MINUTE * 4 / 3);
        assert_bounded(&network);
        assert!(network.connected(), "round {round}: {:?}", network.parts(&network.peers()));
        network.assert_symmetric();
        assert_registered(&network);
        let (ours, since) = (all_of(&network), network.world.now());
        network.world.run_for(SECOND * 15);
        assert!(assert_all_reached(&network, &ours, since) > 10);
    }
    assert_nobody_alive_was_removed(&network, &lives);
}

/// Some twenty seconds in which anything goes.
fn disturb(network: &mut Network, random: &mut Random, lives: &mut Lives, peers: u16, round: u16) {
    for _ in 0..8 {
        let peer = peer_addr(1 + u16::try_from(random.below(peers.into())).unwrap());
        let now = network.world.now();
        match random.below(4) {
            0 => network.world.kill(peer),
            1 => network.world.leave(peer),
            2 => network.world.hang(peer),
            _ => {
                let seed = 1 + round % 3;
                network.world.kill(seed_addr(seed));
                network.world.run_for(SECOND);
                network.start_seed(seed);
                continue;
            }
        }
        lives.end(peer, now);
        network.world.run_for(Duration::from_millis(random.below(5_000) as u64));
    }
}

fn assert_nobody_alive_was_removed(network: &Network, lives: &Lives) {
    let mut removed = 0;
    for event in network.world.events() {
        let EventKind::Seed(SeedEvent::PeerDelisted {
            peer,
            reason: reason @ (DelistReason::Reported { .. } | DelistReason::Unanswered { .. }),
            ..
        }) = event.kind
        else {
            continue;
        };
        removed += 1;
        let alive = lives.through(peer, event.at, LIVENESS * 2);
        assert!(!alive, "{} took {peer} off its list at {:?} for {reason:?}", event.node, event.at);
    }
    assert!(removed > 50, "{removed} of the dead were removed");
    let split = |kind: &EventKind| {
        matches!(kind, EventKind::Link(LinkEvent::Repairing { reason: RepairReason::TooFewLinks { .. }, .. }))
    };
    assert!(network.any(split), "links were repaired");
}
