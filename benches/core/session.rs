//! A peer with neighbors, a message, and the events of a lab.

use std::sync::Arc;
use std::time::Duration;

use gossipctl::event::{Direction, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, NodeEvent, Purpose};
use gossipctl::model::Model;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::event::{Methods, Pace};
use gossipctl::proto::machine::{Input, LinkChange, Machine, Output};
use gossipctl::proto::message::{DeathCause, Dialect, Gossip, Hello, Message, MessageId, Priority, Role, Trace};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::text::Body;
use gossipctl::proto::time::Time;
use gossipctl::sim::World;

/// Who sends.
pub(crate) const FROM: Addr = Addr::loopback(4000);
pub(crate) const NOW: Time = Time::from_micros(1_000_000_000);
const NEIGHBORS: u16 = 4;

/// Where a machine's wishes go, with or without somebody who listens.
pub(crate) struct Sink {
    pub(crate) emits: bool,
}

impl Output for Sink {
    fn send(&mut self, link: LinkId, message: &Message) {
        std::hint::black_box((link, message));
    }

    fn dial(&mut self, peer: Addr, purpose: Purpose) {
        std::hint::black_box((peer, purpose));
    }

    fn pause(&mut self, _link: LinkId, _until: Time) {}

    fn hang_up(&mut self, link: LinkId) {
        std::hint::black_box(link);
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        if self.emits {
            std::hint::black_box(event().into());
        }
    }
}

pub(crate) fn gossip(dialect: Dialect, seq: u64, len: usize) -> Message {
    let text = "x".repeat(len);
    let (id, trace) = match dialect {
        Dialect::Framed => (MessageId { origin: FROM, run: 1, seq }, Some(Trace { sent: NOW, hop: 1 })),
        Dialect::Classic => (MessageId::classic(FROM, NOW.clock(0), text.as_bytes()), None),
    };
    Message::Gossip(Arc::new(Gossip { id, body: Body::from(text), trace }))
}

/// A peer with four neighbors, and their links.
pub(crate) fn joined_peer() -> (Peer, Vec<LinkId>) {
    let mut config = PeerConfig::new(Addr::loopback(3000), Vec::new());
    config.messages = Some(0);
    let mut peer = Peer::new(config, 7);
    let mut sink = Sink { emits: false };
    peer.handle(NOW, Input::Start, &mut sink);
    let links: Vec<LinkId> = (1..=u64::from(NEIGHBORS)).map(LinkId).collect();
    for (link, port) in links.iter().copied().zip(4000..) {
        let remote = Addr::loopback(port);
        peer.handle(NOW, Input::Link { link, change: LinkChange::Accepted { remote } }, &mut sink);
        let hello = Hello { listen: Addr::loopback(port), role: Role::Peer, priority: Priority::Low };
        peer.handle(NOW, Input::Message { link, message: Message::Hello(hello) }, &mut sink);
    }
    assert_eq!(peer.neighbors().count(), usize::from(NEIGHBORS));
    (peer, links)
}

/// What happens in a lab of two seeds and a hundred peers at the lab's pace: half a minute of virtual
/// time, some thousand messages, more lines than the log holds.
pub(crate) fn lab_events() -> Vec<Event> {
    let seeds = [Addr::loopback(2000), Addr::loopback(2001)];
    let peers: Vec<Addr> = (3000..3100).map(Addr::loopback).collect();
    let mut world: World<Node> = World::new(7);
    for seed in seeds {
        let mut config = SeedConfig::new(seed);
        config.liveness_interval = Duration::from_secs(2);
        world.start(seed, Seed::new(config, u64::from(seed.port())).into());
    }
    for peer in &peers {
        let mut config = PeerConfig::new(*peer, seeds.to_vec());
        (config.gossip_interval, config.liveness_interval) = (Duration::from_secs(3), Duration::from_secs(2));
        world.start(*peer, Peer::new(config, u64::from(peer.port())).into());
    }
    world.run_for(Duration::from_secs(30));
    // The driver says this of its nodes.
    let started = |(index, node): (usize, &Addr)| {
        let role = if seeds.contains(node) { Role::Seed } else { Role::Peer };
        let pace = Pace { gossip_interval_us: 3_000_000, liveness_interval_us: 2_000_000, liveness_misses: 3 };
        let kind = EventKind::Node(NodeEvent::Started {
            name: format!("n{index}"),
            role,
            dialect: Dialect::Framed,
            pace,
            methods: Methods::default(),
        });
        Event { at: world.events()[0].at, node: *node, kind }
    };
    let nodes = seeds.iter().chain(&peers).enumerate().map(started);
    nodes.chain(world.events().iter().cloned()).collect()
}

/// A lab of so many peers whose overlay fell into two halves, and a message that only the first half has.
pub(crate) fn parted_model(peers: u16) -> (Model, MessageId) {
    let (events, id) = parted_lab(peers, peers / 2);
    let mut model = Model::new();
    for event in &events {
        model.apply(event);
    }
    (model, id)
}

/// The events of such a lab, with a message that only so many of its first half have.
pub(crate) fn parted_lab(peers: u16, holders: u16) -> (Vec<Event>, MessageId) {
    let half = peers / 2;
    let peer = |index: u16| Addr::loopback(3000 + index);
    let mut events = Vec::new();
    let mut tell = |second: u64, node: Addr, kind: EventKind| {
        events.push(Event { at: NOW + Duration::from_secs(second), node, kind });
    };
    for index in 0..peers {
        let pace = Pace { gossip_interval_us: 3_000_000, liveness_interval_us: 2_000_000, liveness_misses: 3 };
        let (name, dialect) = (format!("p{index}"), Dialect::Framed);
        tell(
            0,
            peer(index),
            EventKind::Node(NodeEvent::Started { name, role: Role::Peer, dialect, pace, methods: Methods::default() }),
        );
    }
    // In each half a ring with chords; and a link from each peer to its like in the other half.
    let within = |index: u16, step: u16| index / half * half + (index % half + step) % half;
    let inner = (0..peers).flat_map(|index| [1, 7, 31].map(|step| (index, within(index, step))));
    let across: Vec<(u16, u16)> = (0..half).map(|index| (index, index + half)).collect();
    for (a, b) in inner.chain(across.iter().copied()) {
        for (node, other, direction) in [(a, b, Direction::Outbound), (b, a, Direction::Inbound)] {
            let (link, purpose) = (LinkId(u64::from(a) << 16 | u64::from(b)), Purpose::Neighbor);
            tell(
                1,
                peer(node),
                EventKind::Link(LinkEvent::Up { link, connection: None, peer: peer(other), direction, purpose }),
            );
        }
    }
    for (a, b) in across {
        for (node, other) in [(a, b), (b, a)] {
            let (link, purpose) = (LinkId(u64::from(a) << 16 | u64::from(b)), Purpose::Neighbor);
            let end = LinkEnd::Dead { cause: DeathCause::Misses { misses: 3 } };
            tell(20, peer(node), EventKind::Link(LinkEvent::Down { link, peer: peer(other), purpose, end }));
        }
    }
    let id = MessageId { origin: peer(0), run: 1, seq: 1 };
    tell(30, peer(0), EventKind::Gossip(GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 6 }));
    for index in 1..holders {
        let from = peer(within(index, half - 1));
        tell(
            30,
            peer(index),
            EventKind::Gossip(GossipEvent::Received { id, from, body: "x".into(), trace: None, forwarded: 5 }),
        );
    }
    (events, id)
}
