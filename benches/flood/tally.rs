//! What was delivered, where and how quickly; the links; who noticed what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use gossipctl::event::{DeathEvent, Event, EventKind, GossipEvent, LinkEvent, LinkId, Purpose};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::text::Body;
use tokio::sync::Notify;

use crate::options::Options;

/// Bytes in front of each body: whether it counts, which publisher, which of its messages, when. Text, as
/// what people send is: a journal writes other bytes in another way.
pub(crate) const HEAD_LEN: usize = 1 + 4 + 8 + 16;
const COUNTS: char = 'c';
const WARM_UP: char = 'w';

/// Which message of which publisher, and whether it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    pub(crate) publisher: usize,
    pub(crate) number: usize,
    pub(crate) counts: bool,
}

/// A body that says when it was sent.
pub(crate) fn body(which: Which, at_ns: u64, fill: &str) -> Body {
    let Which { publisher, number, counts } = which;
    let mark = if counts { COUNTS } else { WARM_UP };
    Body::from(format!("{mark}{publisher:04x}{number:08x}{at_ns:016x}{fill}"))
}

fn field(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value << 4 | u64::from(char::from(*digit).to_digit(16).unwrap()))
}

pub(crate) struct Tally {
    pub(crate) epoch: Instant,
    nodes: HashMap<Addr, usize>,
    publishers: usize,
    messages: usize,
    /// Latency and one, by node, publisher and message; 0: not delivered.
    cells: Vec<AtomicU64>,
    pub(crate) delivered: AtomicUsize,
    pub(crate) again: AtomicUsize,
    pub(crate) warm: AtomicUsize,
    pub(crate) skipped: AtomicU64,
    pub(crate) forwarded: AtomicU64,
    pub(crate) last_ns: AtomicU64,
    pub(crate) progress: Notify,
    links: Mutex<BTreeMap<(Addr, LinkId), Addr>>,
    pub(crate) faulty: AtomicBool,
    pub(crate) fault_ns: AtomicU64,
    noticed: Mutex<BTreeMap<Addr, (Addr, u64, String)>>,
}

impl Tally {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    pub(crate) fn new(options: &Options) -> Self {
        let cells = options.nodes * options.publishers * options.messages;
        Self {
            epoch: Instant::now(),
            nodes: HashMap::new(),
            publishers: options.publishers,
            messages: options.messages,
            cells: (0..cells).map(|_| AtomicU64::new(0)).collect(),
            delivered: AtomicUsize::new(0),
            again: AtomicUsize::new(0),
            warm: AtomicUsize::new(0),
            skipped: AtomicU64::new(0),
            forwarded: AtomicU64::new(0),
            last_ns: AtomicU64::new(0),
            progress: Notify::new(),
            links: Mutex::default(),
            faulty: AtomicBool::new(false),
            fault_ns: AtomicU64::new(0),
            noticed: Mutex::default(),
        }
    }

    pub(crate) fn name_nodes(&mut self, nodes: &[Addr]) {
        self.nodes = nodes.iter().enumerate().map(|(index, node)| (*node, index)).collect();
    }

    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn take(&self, event: &Event) {
        match &event.kind {
            EventKind::Gossip(GossipEvent::Received { body, forwarded, .. }) => {
                self.forwarded.fetch_add(*forwarded as u64, Relaxed);
                self.deliver(event.node, body.as_bytes());
            }
            EventKind::Gossip(GossipEvent::Generated { forwarded, .. }) => {
                self.forwarded.fetch_add(*forwarded as u64, Relaxed);
            }
            EventKind::Link(LinkEvent::Up { link, peer, purpose: Purpose::Neighbor, .. }) => {
                self.links.lock().unwrap().insert((event.node, *link), *peer);
            }
            EventKind::Link(LinkEvent::Down { link, purpose: Purpose::Neighbor, .. }) => {
                self.links.lock().unwrap().remove(&(event.node, *link));
            }
            EventKind::Death(DeathEvent::NeighborDied { peer, cause, .. }) if self.faulty.load(Relaxed) => {
                let took = self.now_ns() - self.fault_ns.load(Relaxed);
                self.noticed.lock().unwrap().entry(event.node).or_insert((*peer, took, cause.to_string()));
            }
            _ => {}
        }
    }

    fn deliver(&self, node: Addr, body: &[u8]) {
        let Some(head) = body.first_chunk::<HEAD_LEN>() else { return };
        if char::from(head[0]) != COUNTS {
            self.warm.fetch_add(1, Relaxed);
            return;
        }
        let index = |digits| usize::try_from(field(digits)).unwrap();
        let (publisher, number, sent) = (index(&head[1..5]), index(&head[5..13]), field(&head[13..]));
        let Some(node) = self.nodes.get(&node) else { return };
        let now = self.now_ns();
        let cell = &self.cells[(node * self.publishers + publisher) * self.messages + number];
        if cell.compare_exchange(0, now.saturating_sub(sent) + 1, Relaxed, Relaxed).is_err() {
            self.again.fetch_add(1, Relaxed);
            return;
        }
        self.last_ns.fetch_max(now, Relaxed);
        let delivered = self.delivered.fetch_add(1, Relaxed) + 1;
        if delivered.is_multiple_of(self.nodes.len() - 1) {
            self.progress.notify_waiters();
        }
    }

    /// All latencies in nanoseconds, in order.
    pub(crate) fn latencies(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.cells.iter().filter_map(|cell| cell.load(Relaxed).checked_sub(1)).collect();
        all.sort_unstable();
        all
    }

    /// Who is linked to whom.
    pub(crate) fn graph(&self) -> BTreeMap<Addr, BTreeSet<Addr>> {
        let mut graph: BTreeMap<Addr, BTreeSet<Addr>> =
            self.nodes.keys().map(|node| (*node, BTreeSet::new())).collect();
        for ((node, _), peer) in self.links.lock().unwrap().iter() {
            graph.entry(*node).or_default().insert(*peer);
        }
        graph
    }

    /// Those who took the victim for dead: how long it took each, in order, and on what evidence.
    pub(crate) fn noticed(&self, victim: Addr) -> (Vec<f64>, BTreeSet<String>) {
        let noticed = self.noticed.lock().unwrap();
        let of_victim = || noticed.values().filter(|(dead, ..)| *dead == victim);
        #[expect(clippy::cast_precision_loss, reason = "less than a minute in nanoseconds")]
        let mut times: Vec<f64> = of_victim().map(|(_, took, _)| *took as f64 / 1e9).collect();
        times.sort_by(f64::total_cmp);
        (times, of_victim().map(|(_, _, how)| how.clone()).collect())
    }
}

/// Everybody at both ends of each link agrees, and everybody can be reached.
pub(crate) fn is_settled(graph: &BTreeMap<Addr, BTreeSet<Addr>>) -> bool {
    let agreed =
        graph.iter().all(|(node, peers)| peers.iter().all(|peer| graph.get(peer).is_some_and(|of| of.contains(node))));
    let Some(first) = graph.keys().next() else { return true };
    let mut reached = BTreeSet::from([*first]);
    let mut next = vec![*first];
    while let Some(node) = next.pop() {
        next.extend(graph[&node].iter().copied().filter(|peer| graph.contains_key(peer) && reached.insert(*peer)));
    }
    agreed && reached.len() == graph.len()
}
