//! A refusal ends in the state that it names, and both ends of a link agree, whatever is said at whatever stage.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::event::{EventKind, LinkEvent, LinkId, Purpose, Side};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::{Input, Machine, NodeCommand};
use gossipctl::proto::message::{
    DeathCause, GoodbyeReason, Gossip, Hello, Message, MessageId, Priority, RefusalReason, Role,
};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::random::Random;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::Time;

use crate::virtual_time::alone::{Ask, Asks};
use crate::virtual_time::{Double, Network, peer_addr, seed_addr};

const SECOND: Duration = Duration::from_secs(1);

/// Who believes to be registered.
fn registered(network: &Network) -> Vec<Addr> {
    let is_registered = |peer: &Addr| network.peer(*peer).registrations().count() == 1;
    network.peers().into_iter().filter(is_registered).collect()
}

#[test]
fn a_peer_that_a_full_seed_refuses_knows_and_tries_again() {
    let mut network = Network::new(0, 91);
    network.seed_config.list_max = 8;
    network.seeds = vec![seed_addr(1)];
    network.start_seed(1);
    network.start_peers(1..=12);
    network.world.run_for(SECOND * 60);
    let with_seat = registered(&network);
    assert_eq!(with_seat, network.listed(1), "who is refused does not believe to be registered");
    let refused = |kind: &EventKind| {
        matches!(kind, EventKind::Link(LinkEvent::Refused { by: Side::Them, reason: RefusalReason::Full, .. }))
    };
    let without = network.peers().into_iter().find(|peer| !with_seat.contains(peer)).unwrap();
    assert!((3..=30).contains(&network.count(without, refused)), "{}", network.count(without, refused));

    let leaver = with_seat[0];
    network.world.leave(leaver);
    network.world.run_for(SECOND * 60);
    assert_eq!(network.listed(1).len(), 8, "one of those who tried again has the seat");
    assert_eq!(registered(&network), network.listed(1));
}

/// A node of ours on whose links somebody else speaks now and then, until all is quiet.
struct Possessed {
    node: Node,
    own: Addr,
    random: Random,
    quiet_at: Time,
    links: Vec<LinkId>,
}

impl Double for Possessed {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask> {
        if let Input::Link { link, .. } | Input::Message { link, .. } = &input
            && !self.links.contains(link)
        {
            self.links.push(*link);
        }
        let mut acts = Asks::default();
        if self.random.below(2) == 0 {
            acts.0.extend(self.nonsense(now));
        }
        self.node.handle(now, input, &mut acts);
        acts.0.extend(self.nonsense(now));
        acts.0
    }

    fn next_deadline(&self) -> Option<Time> {
        self.node.next_deadline()
    }
}

impl Possessed {
    fn nonsense(&mut self, now: Time) -> Option<Ask> {
        if now >= self.quiet_at || self.links.is_empty() || self.random.below(3) != 0 {
            return None;
        }
        let link = self.random.pick(&self.links).unwrap();
        Some(Ask::Send(link, self.message(now)))
    }

    fn message(&mut self, now: Time) -> Message {
        let addrs = [self.own, peer_addr(1), peer_addr(2), peer_addr(9), seed_addr(1)];
        let mut addr = || self.random.pick(&addrs).unwrap();
        let (one, other, clock) = (addr(), addr(), now.clock(0));
        let role = [Role::Peer, Role::Seed][self.random.below(2)];
        let reason = [RefusalReason::Full, RefusalReason::Cut, RefusalReason::Myself, RefusalReason::WrongRole];
        let goodbye = [GoodbyeReason::Leaving, GoodbyeReason::MadeRoom, GoodbyeReason::Duplicate];
        match self.random.below(10) {
            0 => Message::Hello(Hello { listen: one, role, priority: Priority::High }),
            1 => Message::Hello(Hello { listen: self.own, role, priority: Priority::Low }),
            2 => Message::PeerList(vec![one, other].into()),
            3 => Message::ListRequest,
            4 => Message::Refusal { reason: reason[self.random.below(4)], referral: vec![one] },
            5 => Message::Goodbye { reason: goodbye[self.random.below(3)], referral: vec![one] },
            6 => Message::Probe { seq: 1, asker: one, clock, extras: None },
            7 => Message::ProbeReply { seq: 1, asker: one, clock, extras: None },
            8 => Message::DeadReport { dead: one, clock, reporter: other, cause: Some(DeathCause::Closed) },
            _ => {
                let id = MessageId { origin: one, run: 1, seq: self.random.number() >> 1 };
                Message::Gossip(std::sync::Arc::new(Gossip { id, body: "x".into(), trace: None }))
            }
        }
    }
}

/// The links that each node holds for up, by the number of the connection.
fn up(network: &Network) -> BTreeMap<u64, BTreeSet<Addr>> {
    let mut up: BTreeMap<u64, BTreeSet<Addr>> = BTreeMap::new();
    for event in network.world.events() {
        match event.kind {
            EventKind::Link(LinkEvent::Up { link, .. }) => {
                up.entry(link.0 / 2).or_default().insert(event.node);
            }
            EventKind::Link(LinkEvent::Down { link, .. }) => {
                up.entry(link.0 / 2).or_default().remove(&event.node);
            }
            _ => {}
        }
    }
    up
}

/// Two peers and a seed, each of which says on its links what it would say, and nonsense besides, for a while.
fn both_ends_agree(rng_seed: u64) {
    let mut network = Network::new(0, rng_seed);
    network.expected = |_| true;
    let start = network.world.now();
    let quiet_at = start + SECOND * 20;
    let mut random = Random::new(rng_seed);
    let mut possess = |node: Node, own: Addr| {
        let random = Random::new(random.number());
        Possessed { node, own, random, quiet_at, links: Vec::new() }
    };
    let mut config = SeedConfig::new(seed_addr(1));
    config.list_max = 1 + usize::try_from(rng_seed % 3).unwrap();
    let handshake = config.handshake_timeout;
    let seed = possess(Seed::new(config, rng_seed).into(), seed_addr(1));
    network.start_double(seed_addr(1), seed);
    for number in 1..=2 {
        let config = PeerConfig::new(peer_addr(number), vec![seed_addr(1)]);
        let peer = possess(Peer::new(config, rng_seed ^ u64::from(number)).into(), peer_addr(number));
        network.start_double(peer_addr(number), peer);
    }
    network.world.run_to(quiet_at + handshake);
    let lopsided: Vec<_> = up(&network).into_iter().filter(|(_, ends)| ends.len() == 1).collect();
    // A link that came about in this very moment has one end until the answer is there.
    network.world.run_for(SECOND);
    let still = up(&network);
    let lopsided: Vec<_> = lopsided.into_iter().filter(|(link, ends)| still.get(link) == Some(ends)).collect();
    assert!(lopsided.is_empty(), "repeat with both_ends_agree({rng_seed}): {lopsided:?}");
    network.world.command(peer_addr(1), NodeCommand::Leave);
}

#[test]
fn both_ends_agree_whatever_is_said_at_whatever_stage() {
    (1..=200).for_each(both_ends_agree);
}

/// A seed that greets whoever comes and owes them the list for ever.
struct NoList;

impl Double for NoList {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Ask> {
        let Input::Message { link, message: Message::Hello(_) } = input else { return Vec::new() };
        let hello = Hello { listen: seed_addr(1), role: Role::Seed, priority: Priority::Low };
        vec![Ask::Send(link, Message::Hello(hello))]
    }
}

#[test]
fn a_peer_that_gets_no_list_is_not_registered_and_tries_again() {
    let mut network = Network::new(0, 92);
    network.expected = |_| true;
    network.seeds = vec![seed_addr(1)];
    network.start_double(seed_addr(1), NoList);
    network.start_peers(1..=1);
    network.world.run_for(SECOND * 30);
    assert!(registered(&network).is_empty());
    let dials =
        |kind: &EventKind| matches!(kind, EventKind::Link(LinkEvent::Dialing { purpose: Purpose::Registration, .. }));
    let dials = network.count(peer_addr(1), dials);
    assert!((3..=7).contains(&dials), "one each handshake's timeout, with pauses that grow: {dials}");
}
