//! A network of nodes on real sockets that is broken at random and has to be whole again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::clock::Clock;
use gossipctl::command::Command;
use gossipctl::engine::Settings;
use gossipctl::event::{Event, EventKind, GossipEvent, LinkEvent, Purpose, Rule};
use gossipctl::feed::{Bounds, Delivery, Feed, Tap, bounded};
use gossipctl::model::Model;
use gossipctl::net::SocketEngine;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::proto::message::Dialect;
use gossipctl::proto::random::Random;
use tokio::time::{Instant, timeout, timeout_at};

use crate::hostile;

/// How long a network of the classic dialect may take to be whole again. Generous: its seeds were told lies.
const CLASSIC_SETTLE_LIMIT: Duration = Duration::from_secs(90);
/// How long one of the framed dialect may take once the hostile peer is silent.
const FRAMED_SETTLE_LIMIT: Duration = Duration::from_secs(20);
/// How long a message may take to reach all. Generous: the machine may be busy.
const REACH_LIMIT: Duration = Duration::from_secs(30);
/// What a node that comes back takes at least; before, the model may still show it as it was.
const RETURN: Duration = Duration::from_millis(500);
/// How far the test may be behind: it has to see everything, floods included, and takes more time for it than the console.
const BEHIND: Bounds = Bounds { batches: 1 << 15, events: 1 << 20, bytes: 256 << 20 };
/// Links that each peer aims for.
const MAX_DIAL: usize = 4;

pub(crate) struct Network {
    name: &'static str,
    dialect: Dialect,
    engine: SocketEngine,
    feed: Feed,
    pub(crate) model: Model,
    random: Random,
    pub(crate) seeds: Vec<Addr>,
    pub(crate) peers: Vec<Addr>,
    /// Killed or hung.
    down: BTreeSet<Addr>,
    cuts: BTreeSet<(Addr, Addr)>,
    /// Who received each text that is waited for, and how often.
    texts: BTreeMap<String, BTreeMap<Addr, u32>>,
    said: u64,
    pub(crate) figures: Figures,
}

/// What a run has seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    pub(crate) acts: BTreeMap<&'static str, u64>,
    pub(crate) deliveries_checked: u64,
    pub(crate) longest_settling: Duration,
    pub(crate) waiting_max: usize,
}

/// A feed without the gossip of the hostile peer, of which there is more than the test could fold. It is taken out on a
/// thread of its own, which is quick enough to miss nothing.
fn listener() -> (Tap, Feed) {
    let (tap, mut all) = bounded(BEHIND);
    let (kept, feed) = bounded(BEHIND);
    std::thread::spawn(move || {
        while let Some(Delivery { skipped, batch }) = all.blocking_recv() {
            let batch = batch.iter().filter(|event| !is_hostile_gossip(&event.kind)).cloned().collect();
            kept.deliver_blocking(Delivery { skipped, batch });
        }
    });
    (tap, feed)
}

fn is_hostile_gossip(kind: &EventKind) -> bool {
    match kind {
        EventKind::Gossip(GossipEvent::Received { id, .. } | GossipEvent::Duplicate { id, .. }) => {
            id.origin.ip() == hostile::HOME
        }
        _ => false,
    }
}

fn quick(seeds: Vec<Addr>, dialect: Dialect) -> PeerConfig {
    let mut config = PeerConfig::new(Addr::loopback(0), seeds);
    config.dialect = dialect;
    config.max_dial = MAX_DIAL;
    config.gossip_interval = Duration::from_secs(1);
    config.liveness_interval = Duration::from_secs(2);
    config.handshake_timeout = Duration::from_secs(2);
    config.backoff_min = Duration::from_millis(100);
    config.backoff_max = Duration::from_secs(2);
    config
}

impl Network {
    /// Seeds and peers on free ports. `beside`: a seed elsewhere that the peers know, too.
    pub(crate) async fn start(
        name: &'static str,
        dialect: Dialect,
        (seeds, peers): (usize, usize),
        beside: Option<Addr>,
        rng_seed: u64,
    ) -> Self {
        let bound = free_ports(seeds);
        let known: Vec<Addr> = bound.iter().copied().chain(beside).collect();
        let peer = quick(known, dialect);
        let mut settings = Settings::of_peers(peer, rng_seed);
        settings.seed.handshake_timeout = settings.peer.handshake_timeout;
        let (tap, feed) = listener();
        let engine = SocketEngine::new(settings, Clock::start(), vec![tap]);
        let mut network = Self {
            name,
            dialect,
            engine,
            feed,
            model: Model::new(),
            random: Random::new(rng_seed),
            seeds: Vec::new(),
            peers: Vec::new(),
            down: BTreeSet::new(),
            cuts: BTreeSet::new(),
            texts: BTreeMap::new(),
            said: 0,
            figures: Figures::default(),
        };
        network.start_nodes(&bound, peers).await;
        network
    }

    async fn start_nodes(&mut self, seeds: &[Addr], peers: usize) {
        use gossipctl::command::{NodeSpec, Placement};
        use gossipctl::proto::message::Role;
        for seed in seeds {
            let spec = NodeSpec { role: Role::Seed, listen: Placement::At(*seed) };
            self.seeds.push(self.engine.start(spec).await.unwrap());
        }
        for _ in 0..peers {
            let spec = NodeSpec { role: Role::Peer, listen: Placement::At(Addr::loopback(0)) };
            self.peers.push(self.engine.start(spec).await.unwrap());
        }
    }

    fn take(&mut self, events: &[Event]) {
        for event in events {
            self.model.apply(event);
            self.check(event);
            if let EventKind::Gossip(GossipEvent::Received { body, .. }) = &event.kind
                && let Some(holders) = self.texts.get_mut(&body.to_string())
            {
                *holders.entry(event.node).or_default() += 1;
            }
        }
    }

    /// Among nodes of ours nobody breaks a rule; but one that hangs does not say hello, and the hostile peer takes
    /// places and names that belong to others.
    fn check(&self, event: &Event) {
        if let EventKind::Link(LinkEvent::Violation { violation, remote, .. }) = &event.kind {
            let is_hostile = remote.ip() == hostile::HOME;
            let crowded_out = [Rule::HandshakeTimeout, Rule::TooManyLinks, Rule::NameTaken].contains(&violation.rule);
            let is_excused = self.dialect == Dialect::Classic || is_hostile || crowded_out;
            assert!(is_excused, "{}: {event:?}", self.name);
        }
    }

    /// Follows what happens until then.
    async fn follow_until(&mut self, end: Instant) {
        while let Ok(delivery) = timeout_at(end, self.feed.recv()).await {
            let delivery = delivery.expect("the engine is gone");
            assert_eq!(delivery.skipped, 0, "{}: the test is too slow", self.name);
            self.figures.waiting_max = self.figures.waiting_max.max(self.feed.waiting());
            self.take(&delivery.batch);
        }
    }

    async fn follow(&mut self, span: Duration) {
        self.follow_until(Instant::now() + span).await;
    }

    /// Breaks things at random for so long.
    pub(crate) async fn disturb(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.break_something().await;
            let pause = Duration::from_millis(50 + self.random.below(900) as u64);
            self.follow_until((Instant::now() + pause).min(end)).await;
        }
    }

    fn a_peer(&mut self, wanted: impl Fn(&Self, Addr) -> bool) -> Option<Addr> {
        let peers: Vec<Addr> = self.peers.iter().copied().filter(|peer| wanted(self, *peer)).collect();
        self.random.pick(&peers)
    }

    fn is_up(&self, peer: Addr) -> bool {
        !self.down.contains(&peer)
    }

    async fn apply(&mut self, act: &'static str, command: Command) {
        *self.figures.acts.entry(act).or_default() += 1;
        let (name, shown) = (self.name, format!("{command:?}"));
        self.engine.apply(command).await.unwrap_or_else(|error| panic!("{name}: {shown}: {error}"));
    }

    async fn break_something(&mut self) {
        let up = self.a_peer(Self::is_up);
        let may_fall = self.down.len() < self.peers.len() / 2;
        match (self.random.below(12), up) {
            (0 | 1, Some(peer)) if may_fall => {
                self.down.insert(peer);
                self.apply("kill", Command::Kill(peer)).await;
            }
            (2, Some(peer)) if may_fall => {
                self.down.insert(peer);
                self.apply("hang", Command::Hang(peer)).await;
            }
            (3 | 4, _) => self.restart_one().await,
            (5, Some(peer)) => self.cut_a_link_of(peer).await,
            (6, _) => self.heal_one().await,
            (7, _) => {
                let seed = self.random.pick(&self.seeds).unwrap();
                self.restart_seeds("restart a seed", &[seed]).await;
            }
            (8, _) if self.random.below(4) == 0 => {
                let seeds = self.seeds.clone();
                self.restart_seeds("all seeds gone and back", &seeds).await;
            }
            (_, Some(peer)) => {
                let text = self.text();
                self.apply("say", Command::Say { node: peer, body: text.as_str().into() }).await;
            }
            (_, None) => {}
        }
    }

    fn text(&mut self) -> String {
        self.said += 1;
        format!(
            "a text of my own, the {}th of the {} network {}",
            self.said,
            self.name,
            "x".repeat(self.random.below(600))
        )
    }

    async fn restart_one(&mut self) {
        let Some(peer) = self.a_peer(|this, peer| !this.is_up(peer)) else { return };
        self.down.remove(&peer);
        self.apply("restart", Command::Restart(peer)).await;
    }

    async fn cut_a_link_of(&mut self, node: Addr) {
        let others: Vec<Addr> = self.neighbors(node).into_iter().filter(|peer| self.peers.contains(peer)).collect();
        let Some(peer) = self.random.pick(&others) else { return };
        self.cuts.insert((node, peer));
        self.apply("cut", Command::Cut { node, peer }).await;
    }

    async fn heal_one(&mut self) {
        let Some((node, peer)) = self.cuts.pop_first() else { return };
        // A node that was restarted meanwhile knows of no cut, and one that is down cannot be told.
        if self.is_up(node) {
            self.apply("heal", Command::Heal { node, peer }).await;
        }
    }

    async fn restart_seeds(&mut self, act: &'static str, seeds: &[Addr]) {
        *self.figures.acts.entry(act).or_default() += 1;
        for seed in seeds {
            self.engine.apply(Command::Kill(*seed)).await.unwrap();
        }
        let pause = Duration::from_millis(self.random.below(3_000) as u64);
        self.follow(pause).await;
        for seed in seeds {
            self.engine.apply(Command::Restart(*seed)).await.unwrap();
        }
    }

    /// Everybody comes back, and the network has to be whole again.
    pub(crate) async fn recover(&mut self) {
        for peer in std::mem::take(&mut self.down) {
            self.apply("restart", Command::Restart(peer)).await;
        }
        while !self.cuts.is_empty() {
            self.heal_one().await;
        }
        self.forget_lies().await;
        let begun = Instant::now();
        self.follow(RETURN).await;
        while !self.is_whole() {
            assert!(begun.elapsed() < self.settle_limit(), "{} is not whole again: {}", self.name, self.picture());
            self.follow(Duration::from_millis(100)).await;
        }
        self.figures.longest_settling = self.figures.longest_settling.max(begun.elapsed());
        self.reach_all().await;
    }

    fn settle_limit(&self) -> Duration {
        match self.dialect {
            Dialect::Framed => FRAMED_SETTLE_LIMIT,
            Dialect::Classic => CLASSIC_SETTLE_LIMIT,
        }
    }

    /// A classic seed believes whoever reports the living, and they stay off its list for as long as they see
    /// no reason to register again: who comes back then is told of nobody. A new seed is told of all.
    async fn forget_lies(&mut self) {
        if self.dialect == Dialect::Classic {
            for seed in self.seeds.clone() {
                self.restart_seeds("restart a seed", &[seed]).await;
            }
        }
    }

    pub(crate) fn neighbors(&self, node: Addr) -> BTreeSet<Addr> {
        let links = self.model.links().open_of(node);
        let links = links.filter(|link| link.is_up() && link.purpose == Purpose::Neighbor);
        links.map(|link| link.key.peer).collect()
    }

    fn registrations(&self, node: Addr) -> usize {
        let links = self.model.links().open_of(node);
        links.filter(|link| link.is_up() && link.purpose == Purpose::Registration).count()
    }

    /// One connected graph, both ends of each link agree, each peer has enough links and seeds.
    fn is_whole(&self) -> bool {
        let ours = |peer: &Addr| -> BTreeSet<Addr> {
            self.neighbors(*peer).into_iter().filter(|other| self.peers.contains(other)).collect()
        };
        let agree = |peer: &Addr| ours(peer).iter().all(|other| self.neighbors(*other).contains(peer));
        let enough = |peer: &Addr| ours(peer).len() >= MAX_DIAL && self.registrations(*peer) >= self.seeds.len().min(2);
        self.peers.iter().all(|peer| enough(peer) && agree(peer))
            && self.reachable(self.peers[0]).len() == self.peers.len()
    }

    fn reachable(&self, from: Addr) -> BTreeSet<Addr> {
        let mut reached = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(peer) = open.pop() {
            for other in self.neighbors(peer).into_iter().filter(|other| self.peers.contains(other)) {
                if reached.insert(other) {
                    open.push(other);
                }
            }
        }
        reached
    }

    fn picture(&self) -> String {
        let lines = self.peers.iter().map(|peer| {
            format!("\n  {peer}: {} seeds, linked to {:?}", self.registrations(*peer), self.neighbors(*peer))
        });
        lines.collect()
    }

    /// A text from each reaches everybody else, once.
    async fn reach_all(&mut self) {
        for peer in self.peers.clone() {
            let text = self.text();
            self.texts.insert(text.clone(), BTreeMap::new());
            self.apply("say", Command::Say { node: peer, body: text.as_str().into() }).await;
        }
        let others = self.peers.len() - 1;
        let begun = Instant::now();
        while self.texts.values().any(|holders| holders.len() < others) {
            assert!(begun.elapsed() < REACH_LIMIT, "{}: who has what: {:?} {}", self.name, self.texts, self.picture());
            self.follow(Duration::from_millis(50)).await;
        }
        assert!(self.texts.values().all(|holders| holders.values().all(|times| *times == 1)), "{:?}", self.texts);
        self.figures.deliveries_checked += (self.texts.len() * others) as u64;
        self.texts.clear();
    }

    /// Connections that the nodes say they have; each is a file of this process.
    pub(crate) fn connections(&self) -> usize {
        self.model.links().up().map(|link| link.connections.len()).sum()
    }

    /// Lets what is on its way arrive.
    pub(crate) async fn rest(&mut self, span: Duration) {
        self.follow(span).await;
    }

    pub(crate) async fn quit(mut self) -> Figures {
        timeout(Duration::from_secs(20), self.engine.apply(Command::Quit)).await.expect("all leave").unwrap();
        self.figures
    }
}

fn free_ports(count: usize) -> Vec<Addr> {
    let listeners: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| Addr::try_from(listener.local_addr().unwrap()).unwrap()).collect()
}
