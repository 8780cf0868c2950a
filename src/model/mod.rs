//! The network as the events tell it.
//!
//! [`Model`] is a plain fold: it takes one [`Event`] after another and knows nothing else, no
//! clock, no network and no screen, so a live session, a simulation and a recording look the same.
//! It holds data, not text: text is made when something is shown. Of every node and link it keeps
//! totals and state ([`node::NodeRecord`], [`link::LinkHistory`]), and a history from the first event
//! on that needs one (docs/ARCHITECTURE.md lists which). Whatever could grow without end
//! has a named limit, and logs number their entries so that a reader stays on an entry while older
//! ones go (see [`ring::Ring`]).

mod apply;
pub mod cause;
pub mod death;
pub mod diagram;
pub mod diff;
pub mod elsewhere;
pub mod fault;
pub mod gossip;
pub mod graph;
pub mod identity;
pub mod life;
pub mod link;
pub mod liveness;
pub mod loss;
mod memory;
pub mod moment;
pub mod node;
pub mod notice;
pub mod overlay;
pub mod partial_view;
pub mod rates;
pub mod recovery;
pub mod ring;
pub mod rumor;
pub mod seed;
#[cfg(test)]
mod tests;
pub mod theory;
pub mod timeline;
pub mod warning;
pub mod wave;
pub mod why;
pub mod window;
pub mod words;

use std::borrow::Cow;
use std::time::Duration;

pub use words::{clock_text, second_text, span_text};

use crate::event::{Event, EventKind};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, ProbeSeq, Role};
use crate::proto::time::Time;

/// A map that iterates in insertion order, whatever the keys hash to.
pub type Map<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;
/// A set that iterates in insertion order.
pub(crate) type Set<K> = indexmap::IndexSet<K, foldhash::fast::RandomState>;
/// A map that is never iterated.
pub(crate) type FastHashMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// Width and number of the buckets from which rates are taken: the last two minutes, the longest
/// interval at which anybody would watch peers gossip.
const RATE_BUCKET: Duration = Duration::from_millis(500);
const RATE_BUCKETS: usize = 240;
/// The least span over which a rate is taken. A span shorter than the senders' interval would show
/// the moment at which somebody looks.
const RATE_SPAN_MIN: Duration = Duration::from_secs(3);

/// The network as the events so far tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    nodes: node::NodeRecords,
    links: link::LinkTable,
    changes: overlay::Changes,
    gossip: gossip::GossipLog,
    bodies: gossip::Bodies,
    rumors: rumor::Rumors,
    probes: liveness::ProbeShare,
    probe_log: liveness::ProbeLog,
    deaths: death::Deaths,
    seeds: seed::SeedRecords,
    views: partial_view::PartialViews,
    notices: notice::Notices,
    faults: fault::FaultHistory,
    forgeries: rumor::Forgeries,
    lost: loss::LostCopies,
    lost_probes: loss::LostProbes,
    /// For a node whose neighbors were mostly ones that joined while it was full: those neighbors.
    joiners: Map<Addr, Vec<Addr>>,
    warnings: warning::Warnings,
    totals: Totals,
    messages: window::Window,
    rates: rates::Rates,
    started: Option<Time>,
    skipped_at: Option<Time>,
    /// The skipped events may include events of any kind.
    may_lack_links: bool,
    now: Time,
    /// Nothing that was not folded in happened before this time.
    passed: Time,
}

/// Counts of the whole session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Events that were folded in.
    pub events: u64,
    /// Events that this model never got.
    pub skipped: u64,
    pub generated: u64,
    /// First receipts.
    pub received: u64,
    /// Copies after the first.
    pub duplicates: u64,
    /// Deaths declared by nodes of ours.
    pub deaths_declared: u64,
    /// Reports that seeds of ours found to be wrong.
    pub disputes: u64,
    /// Connections on which a remote broke the protocol.
    pub violations: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            nodes: node::NodeRecords::default(),
            links: link::LinkTable::default(),
            changes: overlay::Changes::default(),
            gossip: gossip::empty(),
            bodies: gossip::Bodies::default(),
            rumors: rumor::Rumors::default(),
            probes: liveness::ProbeShare::default(),
            probe_log: liveness::no_probes(),
            deaths: death::Deaths::default(),
            seeds: seed::SeedRecords::default(),
            views: partial_view::PartialViews::default(),
            notices: notice::empty(),
            faults: fault::FaultHistory::default(),
            forgeries: rumor::no_forgeries(),
            lost: loss::LostCopies::new(loss::LOSSES_MAX),
            lost_probes: loss::LostProbes::new(loss::LOST_PROBES_MAX),
            joiners: Map::default(),
            warnings: warning::Warnings::default(),
            totals: Totals::default(),
            messages: window::Window::new(RATE_BUCKETS, RATE_BUCKET),
            rates: rates::Rates::default(),
            started: None,
            skipped_at: None,
            may_lack_links: false,
            now: Time::from_micros(0),
            passed: Time::from_micros(0),
        }
    }
}

impl Model {
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds one event in. Events of one node come in order.
    pub fn apply(&mut self, event: &Event) {
        apply::apply(self, event);
    }

    /// This many events will never come: what they said is missing here.
    pub fn note_skipped(&mut self, events: u64) {
        self.note_thinned(events);
        self.may_lack_links |= events > 0;
    }

    /// This many copies of messages and probes were left out; all other events came.
    pub fn note_thinned(&mut self, events: u64) {
        // A damaged journal can name any number.
        self.totals.skipped = self.totals.skipped.saturating_add(events);
        if events > 0 {
            self.note_incomplete();
        }
    }

    /// Events that were noted as missing may be missing up to here.
    pub fn note_incomplete(&mut self) {
        self.skipped_at = Some(self.now);
    }

    /// What to add to a claim that rests on the absence of an event: `not certain: 12 events were
    /// skipped`. `None` if no event is missing.
    pub fn doubt(&self) -> Option<String> {
        let skipped = self.totals.skipped;
        let were = if skipped == 1 { "was" } else { "were" };
        (skipped > 0).then(|| format!("not certain: {} {were} skipped", words::count_text(skipped, "event")))
    }

    /// Whether all events of this message came. If some were skipped since it began, it reached at
    /// least those that are known to have it.
    pub fn is_complete(&self, rumor: &rumor::Rumor) -> bool {
        self.skipped_at.is_none_or(|skipped_at| skipped_at < rumor.first_seen)
    }

    pub fn nodes(&self) -> &node::NodeRecords {
        &self.nodes
    }

    pub fn links(&self) -> &link::LinkTable {
        &self.links
    }

    pub fn gossip(&self) -> &gossip::GossipLog {
        &self.gossip
    }

    pub fn rumors(&self) -> &rumor::Rumors {
        &self.rumors
    }

    /// The message that was first seen last.
    pub fn latest_rumor(&self) -> Option<&rumor::Rumor> {
        self.rumors.latest()
    }

    pub fn liveness(&self) -> &liveness::ProbeShare {
        &self.probes
    }

    /// Who probed whom, and what came of it.
    pub fn probes(&self) -> &liveness::ProbeLog {
        &self.probe_log
    }

    pub fn deaths(&self) -> &death::Deaths {
        &self.deaths
    }

    pub fn seeds(&self) -> &seed::SeedRecords {
        &self.seeds
    }

    pub fn notices(&self) -> &notice::Notices {
        &self.notices
    }

    /// Current and past faults.
    pub fn faults(&self) -> &fault::FaultHistory {
        &self.faults
    }

    /// How this node spreads messages; of a node elsewhere that is not known, and taken to be the
    /// default.
    pub fn strategy_of(&self, node: Addr) -> theory::Strategy {
        self.nodes.get(node).map(|node| node.methods.strategy).unwrap_or_default()
    }

    /// Messages that were forged in the name of our nodes.
    pub fn forgeries(&self) -> &rumor::Forgeries {
        &self.forgeries
    }

    /// Copies that did not arrive, as far as they are kept, oldest first.
    pub fn all_lost_copies(&self) -> impl Iterator<Item = &loss::LostCopy> {
        self.lost.iter().map(|(_, lost)| lost)
    }

    /// The same of probes and their answers.
    pub fn all_lost_probes(&self) -> impl Iterator<Item = &loss::LostProbe> {
        self.lost_probes.iter().map(|(_, lost)| lost)
    }

    /// Copies of this message that did not arrive, as far as they are kept.
    pub fn lost_copies(&self, id: MessageId) -> impl Iterator<Item = &loss::LostCopy> {
        self.lost.iter().map(|(_, lost)| lost).filter(move |lost| lost.id == id)
    }

    /// What became of this probe, or of its answer, if either was lost after it was sent.
    pub fn lost_probe(&self, asker: Addr, target: Addr, seq: ProbeSeq, sent: Time) -> Option<&loss::LostProbe> {
        let since = self.lost_probes.iter().rev().map(|(_, lost)| lost).take_while(|lost| lost.at >= sent);
        since.filter(|lost| (lost.asker, lost.target, lost.seq) == (asker, target, seq)).last()
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// First receipts and new messages per second at our nodes: over the longest interval at which one
    /// of our peers gossips, and over three seconds at least.
    pub fn messages_per_second(&self, now: Time) -> f64 {
        let peers = self.nodes.iter().filter(|node| node.runs() && node.role == Some(Role::Peer));
        let intervals = peers.filter_map(|node| node.pace).map(|pace| Duration::from_micros(pace.gossip_interval_us));
        self.messages.per_second(now, intervals.max().unwrap_or_default().max(RATE_SPAN_MIN))
    }

    /// Rates over the last minutes.
    pub fn rates(&self) -> &rates::Rates {
        &self.rates
    }

    pub fn started(&self) -> Option<Time> {
        self.started
    }

    /// The time of the latest event.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Up to this time everything is known: that of the latest event, or a later one up to which nothing happened.
    pub(in crate::model) fn known_until(&self) -> Time {
        self.now.max(self.passed)
    }

    /// The time from the first event to the latest.
    pub fn lasted(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| self.now.since(started))
    }

    /// The display name of a node: `p3`, or the address of a node elsewhere.
    pub fn name_of(&self, addr: Addr) -> Cow<'_, str> {
        self.nodes.name_of(addr)
    }

    /// The names of nodes in no particular order, p2 before p10; of more than `most`, how many more.
    pub fn names_in_order(&self, addrs: impl IntoIterator<Item = Addr>, most: usize) -> String {
        let mut addrs: Vec<Addr> = addrs.into_iter().collect();
        addrs.sort_by_cached_key(|addr| self.nodes.order_of(*addr));
        let names: Vec<_> = addrs.into_iter().map(|addr| self.name_of(addr)).collect();
        words::list_text(&names, most)
    }

    /// The display name of a message: `p3#12`.
    pub fn message_name(&self, id: MessageId) -> String {
        format!("{}{id}", self.name_of(id.origin))
    }

    /// The latest message of that name that is still held, such as `p3#12`: a restarted node counts from 1
    /// again.
    pub fn find_message(&self, name: &str) -> Option<MessageId> {
        let (origin, number) = name.split_at(name.find('#')?);
        let origin = self.nodes.find(origin)?.addr;
        let is_it = |id: &MessageId| id.origin == origin && id.to_string() == number;
        self.rumors.ring().iter().rev().map(|(_, rumor)| rumor.id).find(is_it)
    }

    /// A notice as text: `p3: Registered with 1 of 4 seeds, wants 3; still trying`.
    pub fn notice_text(&self, notice: &notice::Notice) -> String {
        format!("{}: {}", self.name_of(notice.event.node), self.sentence(&notice.event.kind))
    }

    /// An event in words, with nodes by name. Its subject, the node where it happened, is not
    /// named.
    pub fn sentence(&self, kind: &EventKind) -> String {
        words::sentence(kind, &|addr| self.name_of(addr).into_owned())
    }
}
