//! The one harness for nodes on sockets: starts a network in the test, sends it commands, and waits, with a limit, for
//! what happens in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::clock::Clock;
use gossipctl::command::{Command, NodeSpec, Placement};
use gossipctl::engine::Settings;
use gossipctl::event::{Event, EventKind, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, Purpose, SeedEvent};
use gossipctl::feed::{Bounds, Feed, bounded};
use gossipctl::net::SocketEngine;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::proto::message::{Dialect, Role};
use gossipctl::proto::time::Time;
use tokio::time::timeout;

/// How long anything may take. Reached only when a test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Links that each peer aims for.
const MAX_DIAL: usize = 4;

/// How far the test may be behind: it looks at everything.
const BOUNDS: Bounds = Bounds { batches: 1 << 16, events: usize::MAX, bytes: usize::MAX };

pub(crate) struct Session {
    pub(crate) engine: SocketEngine,
    pub(crate) feed: Feed,
    pub(crate) seen: Vec<Event>,
    /// When all peers of a lab were connected; the beginning of time before that.
    pub(crate) settled_at: Time,
}

/// Peers that join and repair quickly, and that do nothing by themselves: no gossip, and probes so
/// rare that a busy machine does not make anybody look dead.
pub(crate) fn calm(seeds: Vec<Addr>) -> PeerConfig {
    let mut config = PeerConfig::new(Addr::loopback(0), seeds);
    config.max_dial = MAX_DIAL;
    config.gossip_interval = Duration::from_millis(100);
    config.messages = Some(0);
    config.liveness_interval = Duration::from_secs(5);
    config.backoff_min = Duration::from_millis(50);
    config.backoff_max = Duration::from_millis(200);
    config
}

pub(crate) fn peer_at(listen: Placement) -> NodeSpec {
    NodeSpec { role: Role::Peer, listen }
}

pub(crate) fn seed_at(listen: Placement) -> NodeSpec {
    NodeSpec { role: Role::Seed, listen }
}

/// Any free port.
pub(crate) const ANYWHERE: Placement = Placement::At(Addr::loopback(0));

impl Session {
    pub(crate) fn new(peer: PeerConfig) -> Self {
        let (tap, feed) = bounded(BOUNDS);
        Self {
            engine: SocketEngine::new(Settings::of_peers(peer, 7), Clock::start(), vec![tap]),
            feed,
            seen: Vec::new(),
            settled_at: Time::from_micros(0),
        }
    }

    /// Seeds and peers in one network, once every peer has a link to another and all are connected.
    pub(crate) async fn lab(peer: PeerConfig, seeds: usize, peers: usize) -> (Self, Vec<Addr>, Vec<Addr>) {
        let mut session = Self::new(peer);
        let seed_addrs = session.engine.start_lab(seeds, peers).await.unwrap();
        let peer_addrs = seed_addrs[seeds..].to_vec();
        session.until_connected(&peer_addrs).await;
        (session, seed_addrs[..seeds].to_vec(), peer_addrs)
    }

    pub(crate) async fn until_connected(&mut self, peers: &[Addr]) {
        self.until("one connected network", |seen| is_settled(&links(seen), peers)).await;
        self.settled_at = self.seen.last().map_or(self.settled_at, |event| event.at);
    }

    pub(crate) async fn apply(&mut self, command: Command) {
        self.engine.apply(command).await.unwrap();
    }

    /// Waits until this is true of all events so far.
    pub(crate) async fn until(&mut self, what: &str, mut done: impl FnMut(&[Event]) -> bool) {
        let waiting = async {
            while !done(&self.seen) {
                let delivery = self.feed.recv().await.expect("the engine is gone");
                assert_eq!(delivery.skipped, 0, "the test is too slow");
                self.seen.extend_from_slice(&delivery.batch);
                self.catch_up();
            }
        };
        let came = timeout(LIMIT, waiting).await.is_ok();
        assert!(came, "waited in vain for {what}; the last events:\n{}", last(&self.seen));
    }

    /// Waits until as many events as wanted fit, and returns them.
    pub(crate) async fn until_events(&mut self, what: &str, count: usize, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.until(what, |seen| seen.iter().filter(|event| fits(event)).count() >= count).await;
        self.events(fits)
    }

    /// All events that fit, of those that have been waited for.
    pub(crate) fn events(&self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.seen.iter().filter(|event| fits(event)).cloned().collect()
    }

    /// Takes what has come without waiting.
    pub(crate) fn catch_up(&mut self) {
        while let Some(delivery) = self.feed.try_recv() {
            self.seen.extend_from_slice(&delivery.batch);
        }
    }

    /// Sends a text from one peer and waits until each of these has received it.
    pub(crate) async fn say_and_reach(&mut self, from: Addr, text: &str, to: &[Addr]) {
        self.apply(Command::Say { node: from, body: text.into() }).await;
        for peer in to.iter().copied().filter(|peer| *peer != from) {
            self.until(&format!("'{text}' at {peer}"), |seen| seen.iter().any(|event| received(event, peer, text)))
                .await;
        }
    }
}

pub(crate) fn received(event: &Event, at: Addr, text: &str) -> bool {
    matches!(&event.kind, EventKind::Gossip(GossipEvent::Received { body, .. }) if event.node == at && body.as_bytes() == text.as_bytes())
}

/// Who is linked to whom as neighbors, as the nodes themselves say.
pub(crate) fn links(events: &[Event]) -> BTreeMap<Addr, BTreeSet<Addr>> {
    let mut links = BTreeMap::<Addr, BTreeMap<_, Addr>>::new();
    for event in events {
        let of_node = links.entry(event.node).or_default();
        match &event.kind {
            EventKind::Link(LinkEvent::Up { link, peer, purpose: Purpose::Neighbor, .. }) => {
                of_node.insert(*link, *peer);
            }
            EventKind::Link(LinkEvent::Down { link, .. }) => {
                of_node.remove(link);
            }
            EventKind::Node(NodeEvent::Stopped { .. }) => of_node.clear(),
            _ => {}
        }
    }
    links.into_iter().map(|(node, links)| (node, links.into_values().collect())).collect()
}

/// Everybody has as many links as it aims for, both ends of each agree, and all are connected: no
/// link will come or go.
fn is_settled(links: &BTreeMap<Addr, BTreeSet<Addr>>, peers: &[Addr]) -> bool {
    let none = BTreeSet::new();
    let of = |peer: &Addr| links.get(peer).unwrap_or(&none);
    let enough = MAX_DIAL.min(peers.len() - 1);
    let agree = |peer: &Addr| of(peer).iter().all(|neighbor| !peers.contains(neighbor) || of(neighbor).contains(peer));
    peers.iter().all(|peer| of(peer).len() >= enough && agree(peer)) && is_connected(links, peers)
}

fn is_connected(links: &BTreeMap<Addr, BTreeSet<Addr>>, peers: &[Addr]) -> bool {
    let mut reached = BTreeSet::from([peers[0]]);
    let mut next = vec![peers[0]];
    while let Some(peer) = next.pop() {
        for neighbor in links.get(&peer).into_iter().flatten() {
            if reached.insert(*neighbor) {
                next.push(*neighbor);
            }
        }
    }
    peers.iter().all(|peer| reached.contains(peer))
}

/// The last events, without those that repeat all the time.
fn last(events: &[Event]) -> String {
    let routine = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Seed(SeedEvent::PeerListSent { .. } | SeedEvent::PeerListReceived { .. })
                | EventKind::Probe(ProbeEvent::Sent { .. } | ProbeEvent::Received { .. } | ProbeEvent::Answered { .. })
        )
    };
    let told: Vec<&Event> = events.iter().filter(|event| !routine(&event.kind)).collect();
    let line = |event: &&Event| format!("{} {} {:?}\n", event.at.as_micros(), event.node, event.kind);
    told[told.len().saturating_sub(60)..].iter().map(line).collect()
}

pub(crate) fn classic(mut config: PeerConfig) -> PeerConfig {
    config.dialect = Dialect::Classic;
    config
}
