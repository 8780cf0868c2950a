//! The one harness for virtual time: a network of seeds and peers, and questions about it
//! ([`Network`]), a network that takes commands ([`lab`]), and a node on its own
//! ([`alone::Alone`]).

pub(crate) mod alone;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::command::Command;
use gossipctl::engine::Settings;
use gossipctl::event::{Event, EventKind, GossipEvent, Methods, NodeEvent, Pace};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::{PeerConfig, SeedConfig};
use gossipctl::proto::machine::{Gauge, Input, Machine, NodeCommand, Output};
use gossipctl::proto::message::{Dialect, MessageId, Role};
use gossipctl::proto::node::Node;
use gossipctl::proto::peer::Peer;
use gossipctl::proto::seed::Seed;
use gossipctl::proto::time::Time;
use gossipctl::session::check::{Breach, Checker, Invariant};
use gossipctl::sim::{EPOCH, EventSink, VirtualEngine, World};

use alone::Ask;

/// The figures that the rules name, so that the tests read like the rules.
pub(crate) const GOSSIP: Duration = Duration::from_secs(10);
pub(crate) const LIVENESS: Duration = Duration::from_secs(13);

/// A node of ours or a test double.
pub(crate) enum Anyone {
    Ours(Node),
    Double(Box<dyn Double>),
}

/// A node made up by a test. `Output` has a generic method, so a double collects what it wants done.
pub(crate) trait Double {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Ask>;
    fn next_deadline(&self) -> Option<Time> {
        None
    }
    fn gauges(&self) -> Vec<Gauge> {
        Vec::new()
    }
    /// What is written in the classic dialect leaves a write gap apart.
    fn dialect(&self) -> Dialect {
        Dialect::Framed
    }
}

impl Machine for Anyone {
    fn handle(&mut self, now: Time, input: Input, out: &mut impl Output) {
        match self {
            Anyone::Ours(node) => node.handle(now, input, out),
            Anyone::Double(double) => {
                for ask in double.handle(now, input) {
                    match ask {
                        Ask::Send(link, message) => out.send(link, &message),
                        Ask::Dial(peer, purpose) => out.dial(peer, purpose),
                        Ask::HangUp(link) => out.hang_up(link),
                        Ask::Emit(kind) => out.emit(|| kind),
                    }
                }
            }
        }
    }

    fn dialect(&self) -> Dialect {
        match self {
            Anyone::Ours(node) => node.dialect(),
            Anyone::Double(double) => double.dialect(),
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        match self {
            Anyone::Ours(node) => node.next_deadline(),
            Anyone::Double(double) => double.next_deadline(),
        }
    }

    fn gauges(&self, tell: &mut dyn FnMut(Gauge)) {
        match self {
            Self::Ours(node) => node.gauges(tell),
            Self::Double(double) => double.gauges().into_iter().for_each(tell),
        }
    }
}

/// How often it is looked whether all is within its bounds.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A world in which it is looked for what is over its bounds while time passes, and not in the end alone, when queues
/// are empty again.
pub(crate) struct Watched {
    world: World<Anyone>,
    over: Vec<(Time, Addr, Gauge)>,
}

impl Watched {
    fn new(rng_seed: u64) -> Self {
        Self { world: World::new(rng_seed), over: Vec::new() }
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run_to(self.world.now() + span);
    }

    pub(crate) fn run_to(&mut self, until: Time) {
        while self.world.now() < until {
            self.world.run_to(until.min(self.world.now() + LOOK_EVERY));
            self.look();
        }
    }

    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&World<Anyone>) -> bool) -> bool {
        let until = self.world.now() + limit;
        loop {
            let part = LOOK_EVERY.min(until.since(self.world.now()));
            let is_done = self.world.run_until(part, &mut done);
            self.look();
            if is_done || self.world.now() >= until {
                return is_done;
            }
        }
    }

    fn look(&mut self) {
        let now = self.world.now();
        self.over.extend(self.world.over_bounds().into_iter().map(|(node, gauge)| (now, node, gauge)));
    }
}

impl std::ops::Deref for Watched {
    type Target = World<Anyone>;

    fn deref(&self) -> &World<Anyone> {
        &self.world
    }
}

impl std::ops::DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut World<Anyone> {
        &mut self.world
    }
}

/// A world with names: seeds at 5001, 5002, ..., peers at 3001, 3002, ...
pub(crate) struct Network {
    pub(crate) world: Watched,
    pub(crate) seeds: Vec<Addr>,
    rng_seed: u64,
    pub(crate) peer_config: PeerConfig,
    pub(crate) seed_config: SeedConfig,
    /// Breaches that a test is about.
    pub(crate) expected: fn(&Breach) -> bool,
    /// Spans in which nodes did not run, and what others found out about that: nothing is judged then that takes a
    /// node that runs.
    pub(crate) pauses: Vec<(Time, Time)>,
}

/// Whatever a test looks at: at the end of each run the rules that hold always are held against all that
/// happened.
impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut checker = Checker::new(self.seed_config.dead_policy);
        self.world.events().iter().for_each(|event| checker.apply(event));
        self.world.look();
        for (at, node, gauge) in self.world.over.drain(..) {
            checker.weigh_gauge(at, node, gauge);
        }
        let expected = self.expected;
        let breaches: Vec<String> = checker
            .finish(self.world.now())
            .0
            .iter()
            .filter(|breach| !expected(breach) && !self.is_paused(breach))
            .map(ToString::to_string)
            .collect();
        assert!(breaches.is_empty(), "rules that always hold were broken:\n{}", breaches.join("\n"));
    }
}

/// A network that takes commands, with peers that have these settings and seeds beside them.
pub(crate) fn lab<S: EventSink>(
    peer: PeerConfig,
    (seeds, peers): (usize, usize),
    rng_seed: u64,
    sink: S,
) -> VirtualEngine<S> {
    let mut engine = VirtualEngine::with_sink(Settings::of_peers(peer, rng_seed), EPOCH, sink);
    engine.apply(Command::StartLab { seeds, peers }).unwrap();
    engine
}

/// Settings of peers that have no address yet.
pub(crate) fn peers_of(dialect: Dialect) -> PeerConfig {
    let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
    peer.dialect = dialect;
    peer
}

pub(crate) fn seed_addr(number: u16) -> Addr {
    Addr::loopback(5000 + number)
}

pub(crate) fn peer_addr(number: u16) -> Addr {
    Addr::loopback(3000 + number)
}

impl Network {
    fn is_paused(&self, breach: &Breach) -> bool {
        let is_during = self.pauses.iter().any(|(from, until)| (*from..=*until).contains(&breach.at));
        match breach.rule {
            Invariant::Undelivered { .. } | Invariant::RemovedAlive { .. } | Invariant::Lopsided { .. } => is_during,
            Invariant::DeliveredTwice { .. } | Invariant::OverBound { .. } => false,
        }
    }

    /// So many seeds, no peer yet.
    pub(crate) fn new(seeds: u16, rng_seed: u64) -> Self {
        println!("repeat this run with Network::new({seeds}, {rng_seed})");
        let nowhere = Addr::loopback(1);
        let mut network = Self {
            world: Watched::new(rng_seed),
            seeds: (1..=seeds).map(seed_addr).collect(),
            rng_seed,
            peer_config: PeerConfig::new(nowhere, Vec::new()),
            seed_config: SeedConfig::new(nowhere),
            expected: |_| false,
            pauses: Vec::new(),
        };
        for number in 1..=seeds {
            network.start_seed(number);
        }
        network
    }

    /// Seeds and peers, settled.
    pub(crate) fn settled(seeds: u16, peers: u16, rng_seed: u64) -> Self {
        Self::new(seeds, rng_seed).with_peers(peers)
    }

    /// The same where nobody says anything, for what gossip has no part in: it is most of what a simulation has to do.
    pub(crate) fn silent(seeds: u16, peers: u16, rng_seed: u64) -> Self {
        let mut network = Self::new(seeds, rng_seed);
        network.peer_config.messages = Some(0);
        network.with_peers(peers)
    }

    fn with_peers(mut self, peers: u16) -> Self {
        self.start_peers(1..=peers);
        self.world.run_for(LIVENESS * 12);
        self
    }

    pub(crate) fn start_seed(&mut self, number: u16) {
        let addr = seed_addr(number);
        let config = SeedConfig { listen: addr, ..self.seed_config.clone() };
        self.tell_start(addr, format!("s{number}"), Role::Seed, config.dialect, config.pace());
        self.world.start(addr, Anyone::Ours(Seed::new(config, self.rng_seed + u64::from(number)).into()));
    }

    pub(crate) fn start_peers(&mut self, numbers: impl IntoIterator<Item = u16>) {
        for number in numbers {
            self.start_peer(number);
        }
    }

    pub(crate) fn start_peer(&mut self, number: u16) {
        let addr = peer_addr(number);
        let mut config = self.peer_config.at(addr);
        config.seeds.clone_from(&self.seeds);
        self.tell_start(addr, format!("p{number}"), Role::Peer, config.dialect, config.pace());
        let random = self.rng_seed ^ u64::from(number) << 20 ^ self.world.now().as_micros();
        self.world.start(addr, Anyone::Ours(Peer::new(config, random).into()));
    }

    /// What a driver says when it starts a node; one that is there already is killed first.
    fn tell_start(&mut self, addr: Addr, name: String, role: Role, dialect: Dialect, pace: Pace) {
        self.world.kill(addr);
        self.world
            .tell(addr, EventKind::Node(NodeEvent::Started { name, role, dialect, pace, methods: Methods::default() }));
    }

    pub(crate) fn start_double(&mut self, addr: Addr, double: impl Double + 'static) {
        self.world.start(addr, Anyone::Double(Box::new(double)));
    }

    pub(crate) fn peer(&self, addr: Addr) -> &Peer {
        match self.world.machine(addr) {
            Some(Anyone::Ours(Node::Peer(peer))) => peer,
            _ => panic!("{addr} is no peer of ours"),
        }
    }

    pub(crate) fn seed(&self, addr: Addr) -> &Seed {
        match self.world.machine(addr) {
            Some(Anyone::Ours(Node::Seed(seed))) => seed,
            _ => panic!("{addr} is no seed of ours"),
        }
    }

    pub(crate) fn listed(&self, seed: u16) -> Vec<Addr> {
        self.seed(seed_addr(seed)).listed().collect()
    }

    /// The peers that are there, hung or not.
    pub(crate) fn peers(&self) -> Vec<Addr> {
        self.world
            .addrs()
            .filter(|addr| matches!(self.world.machine(*addr), Some(Anyone::Ours(Node::Peer(_)))))
            .collect()
    }

    pub(crate) fn neighbors(&self, addr: Addr) -> BTreeSet<Addr> {
        self.peer(addr).neighbors().collect()
    }

    /// The parts of the overlay that these peers form by links that both ends hold.
    pub(crate) fn parts(&self, among: &[Addr]) -> Vec<BTreeSet<Addr>> {
        let mut left: BTreeSet<Addr> = among.iter().copied().collect();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let (mut part, mut open) = (BTreeSet::from([first]), vec![first]);
            while let Some(addr) = open.pop() {
                for other in self.neighbors(addr) {
                    if left.contains(&other) && self.neighbors(other).contains(&addr) {
                        left.remove(&other);
                        part.insert(other);
                        open.push(other);
                    }
                }
            }
            parts.push(part);
        }
        parts
    }

    pub(crate) fn connected(&self) -> bool {
        self.parts(&self.peers()).len() == 1
    }

    /// Both ends of every link know it.
    pub(crate) fn assert_symmetric(&self) {
        for addr in self.peers() {
            for other in self.neighbors(addr) {
                assert!(self.neighbors(other).contains(&addr), "{addr} holds a link to {other}, not the other way");
            }
        }
    }

    /// The same of links among these only.
    pub(crate) fn assert_symmetric_among(&self, among: &BTreeSet<Addr>) {
        for addr in among {
            for other in self.neighbors(*addr).intersection(among) {
                assert!(self.neighbors(*other).contains(addr), "{addr} holds a link to {other}, not the other way");
            }
        }
    }

    pub(crate) fn command(&mut self, addr: Addr, command: NodeCommand) {
        self.world.command(addr, command);
    }

    pub(crate) fn kinds(&self, node: Addr) -> impl Iterator<Item = &EventKind> {
        self.world.events().iter().filter(move |event| event.node == node).map(|event| &event.kind)
    }

    pub(crate) fn count(&self, node: Addr, wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.kinds(node).filter(|kind| wanted(kind)).count()
    }

    pub(crate) fn first(&self, wanted: impl Fn(&Event) -> bool) -> Option<&Event> {
        self.world.events().iter().find(|event| wanted(event))
    }

    pub(crate) fn any(&self, wanted: impl Fn(&EventKind) -> bool) -> bool {
        self.world.events().iter().any(|event| wanted(&event.kind))
    }

    /// Who generated or received each message, and how often.
    pub(crate) fn holders(&self) -> BTreeMap<MessageId, BTreeMap<Addr, usize>> {
        let mut holders: BTreeMap<MessageId, BTreeMap<Addr, usize>> = BTreeMap::new();
        for event in self.world.events() {
            if let EventKind::Gossip(GossipEvent::Generated { id, .. } | GossipEvent::Received { id, .. }) = &event.kind
            {
                *holders.entry(*id).or_default().entry(event.node).or_default() += 1;
            }
        }
        holders
    }
}
