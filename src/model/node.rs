//! Nodes: what they are, what became of them, and what others believe became of them.

use std::time::Duration;

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Map;
pub use super::life::{LifeChange, Lives};
use crate::event::{NodeState, Pace};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};
use crate::proto::name::name_order;
use crate::proto::time::Time;

/// Nodes known by hearsay alone that are kept, so that no list from a stranger fills the memory. Nodes
/// of ours are always kept.
pub const HEARSAY_MAX: usize = 16_384;

/// Signs of life closer together than this are one return: the neighbors that had lost a node find
/// it again one by one.
pub const COMEBACK_SPACING: Duration = Duration::from_secs(2);

/// Returns that are kept for each node: as many as make it a flapping one.
pub const COMEBACKS_MAX: usize = 3;

/// Bytes that are kept of a node to which nothing happened: 20 MB for 100,000 nodes.
pub const NODE_LEN_MAX: usize = 200;
const _: () = assert!(size_of::<NodeRecord>() <= NODE_LEN_MAX);

/// What the nodes of this process believe about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Belief {
    /// Others named it; nobody here has had a link to it yet.
    Hearsay,
    /// It was heard from, and nothing suggests otherwise.
    Alive,
    /// It said goodbye.
    Left,
    /// Somebody declared it dead, and there has been no sign of life since.
    Dead,
}

/// A node's state in one word, from what is certain and what is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObservedState {
    /// It runs and is heard from.
    Up,
    /// Others named it, and none of our nodes has a link to it: nothing is known.
    Known,
    /// A node of ours that was hung, unnoticed so far.
    Hung,
    /// Somebody has had no answer from it lately.
    Suspect {
        /// The most misses in a row that one of our nodes counts.
        misses: u32,
        /// Misses at which it is dead.
        limit: u32,
    },
    /// Declared dead, and no sign of life since.
    Dead,
    /// A node of ours that was crashed.
    Killed,
    Left,
}

/// A node that counts misses on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    pub by: Addr,
    /// Misses in a row.
    pub misses: u32,
    /// Misses at which it is dead.
    pub limit: u32,
}

/// What a node has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub generated: u64,
    /// First receipts.
    pub received: u64,
    /// Copies after the first.
    pub duplicates: u64,
    /// Copies sent to neighbors.
    pub forwarded: u64,
    pub probes_sent: u64,
    /// Its own probes that were answered.
    pub probes_answered: u64,
    /// Its own probes that were not.
    pub probes_missed: u64,
    /// Connections on which a remote broke the protocol.
    pub violations: u64,
}

/// What a node elsewhere did, as far as our nodes saw it; all 0 for a node of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contact {
    /// When it last sent a message of any kind, and to whom.
    pub last_heard: Option<(Time, Addr)>,
    /// Probes of ours to it.
    pub probes_to_it: u64,
    /// Probes that it answered.
    pub answered: u64,
    /// Probes that it did not answer in time.
    pub missed: u64,
    /// Its probes to nodes of ours.
    pub probes_from_it: u64,
    /// Its own messages that reached a node of ours, from whichever neighbor.
    pub messages: u64,
    /// Copies of any message that it sent to nodes of ours.
    pub copies: u64,
}

impl Contact {
    pub(super) fn heard(&mut self, by: Addr, at: Time) {
        self.last_heard = self.last_heard.max(Some((at, by)));
    }
}

/// What is known of every node: totals and its state. At most [`NODE_LEN_MAX`] bytes, however much
/// happens; what happened to it is in its [`NodeHistory`].
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// Its id.
    pub addr: Addr,
    /// As far as known.
    pub role: Option<Role>,
    /// For a node of this process.
    pub dialect: Option<Dialect>,
    pub belief: Belief,
    /// `p3`, for a node of this process.
    pub name: Option<Arc<str>>,
    /// For a node of this process.
    pub pace: Option<Pace>,
    /// How it lived in this process, and when, earlier lives included. What it says is certain.
    pub lives: Lives,
    /// Since when it has been in the state that [`NodeRecord::state`] returns.
    pub since: Time,
    /// When it was first mentioned.
    pub first_seen: Time,
    /// Links of ours to it that are up.
    pub linked: u32,
    /// Its own links that are up, without registrations; 0 for a node elsewhere.
    pub neighbors: u32,
    /// Its registrations that are up; 0 for a node elsewhere.
    pub registrations: u32,
    /// How often it was started in this process.
    pub starts: u32,
    /// All 0 for a node elsewhere.
    pub counters: Counters,
    history: Option<Box<NodeHistory>>,
}

/// What happened to a node, from the first such event on: it came back, a probe of it was missed,
/// or, for a node elsewhere, it spoke to one of ours.
#[derive(Debug, Clone, Default)]
struct NodeHistory {
    comebacks: SmallVec<[Time; COMEBACKS_MAX]>,
    suspicions: SmallVec<[Suspicion; 2]>,
    contact: Contact,
}

impl NodeRecord {
    fn new(addr: Addr, at: Time) -> Self {
        Self {
            addr,
            role: None,
            dialect: None,
            belief: Belief::Hearsay,
            name: None,
            pace: None,
            lives: Lives::default(),
            since: at,
            first_seen: at,
            linked: 0,
            neighbors: 0,
            registrations: 0,
            starts: 0,
            counters: Counters::default(),
            history: None,
        }
    }

    /// What is certain; `None` for a node elsewhere, of which only its neighbors can tell.
    pub fn life(&self) -> Option<NodeState> {
        self.lives.now().map(|turn| turn.life)
    }

    pub fn life_since(&self) -> Time {
        self.lives.now().map_or(self.first_seen, |turn| turn.at)
    }

    /// When it last came back: restarted, or heard from after it had been declared dead.
    pub fn comebacks(&self) -> &[Time] {
        self.history.as_ref().map_or(&[], |history| &history.comebacks)
    }

    /// Nodes that count misses on it now.
    pub fn suspicions(&self) -> &[Suspicion] {
        self.history.as_ref().map_or(&[], |history| &history.suspicions)
    }

    /// All 0 for a node of ours.
    pub fn contact(&self) -> Contact {
        self.history.as_ref().map(|history| history.contact).unwrap_or_default()
    }

    /// Something happened to it.
    fn history(&mut self) -> &mut NodeHistory {
        self.history.get_or_insert_default()
    }

    /// It runs, or ran, in this process.
    pub fn is_ours(&self) -> bool {
        self.lives.now().is_some()
    }

    /// The most serious suspicion against it.
    pub fn suspicion(&self) -> Option<Suspicion> {
        self.suspicions().iter().copied().max_by_key(|suspicion| suspicion.misses)
    }

    /// What is certain outweighs what is believed, except that a hung node is shown as others see
    /// it: that is the point of hanging it.
    pub fn state(&self) -> ObservedState {
        match (self.life(), self.belief) {
            (Some(NodeState::Killed), _) => ObservedState::Killed,
            (Some(NodeState::Left), _) | (None, Belief::Left) => ObservedState::Left,
            (None | Some(NodeState::Runs | NodeState::Hangs), Belief::Dead) => ObservedState::Dead,
            (Some(NodeState::Hangs), _) => self.suspected_or(ObservedState::Hung),
            (None, _) if self.linked == 0 => ObservedState::Known,
            (None | Some(NodeState::Runs), _) => self.suspected_or(ObservedState::Up),
        }
    }

    /// It is a node of this process that runs.
    pub fn runs(&self) -> bool {
        self.life() == Some(NodeState::Runs)
    }

    fn is_running_peer(&self) -> bool {
        self.runs() && self.role == Some(Role::Peer)
    }

    fn suspected_or(&self, otherwise: ObservedState) -> ObservedState {
        match self.suspicion() {
            Some(Suspicion { misses, limit, .. }) => ObservedState::Suspect { misses, limit },
            None => otherwise,
        }
    }

    fn came_back(&mut self, at: Time) {
        // The nodes that had lost it hear from it one by one: that is one return.
        if self.comebacks().last().is_some_and(|last| at.since(*last) < COMEBACK_SPACING) {
            return;
        }
        let comebacks = &mut self.history().comebacks;
        if comebacks.len() == COMEBACKS_MAX {
            comebacks.remove(0);
        }
        comebacks.push(at);
    }

    /// This node no longer counts misses on it.
    fn clear_of(&mut self, by: Addr) {
        if let Some(history) = &mut self.history {
            history.suspicions.retain(|suspicion| suspicion.by != by);
        }
    }

    /// Changes something, and notes the time if the state changes with it.
    fn change(&mut self, at: Time, change: impl FnOnce(&mut Self)) {
        let before = self.state();
        change(self);
        if std::mem::discriminant(&before) != std::mem::discriminant(&self.state()) {
            self.since = at;
        }
    }
}

/// Where the record of a node stands. No record is ever removed, so the place remains.
pub(super) type RecordIx = usize;

/// All nodes, in the order in which they were first mentioned.
#[derive(Debug, Clone, Default)]
pub struct NodeRecords {
    by_addr: Map<Addr, NodeRecord>,
    hearsay: usize,
    peers_running: usize,
    unlisted: u64,
}

/// The number of nodes in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounts {
    pub up: usize,
    /// Suspect, or hung and not noticed yet.
    pub suspect: usize,
    /// Killed, or declared dead.
    pub dead: usize,
    pub left: usize,
    /// Named by others, with no link to them now.
    pub known: usize,
    /// Seeds among those that are up or suspect.
    pub seeds: usize,
}

impl NodeRecords {
    pub fn get(&self, addr: Addr) -> Option<&NodeRecord> {
        self.by_addr.get(&addr)
    }

    /// The node with this name or address.
    pub fn find(&self, name: &str) -> Option<&NodeRecord> {
        let named = self.iter().find(|node| node.name.as_deref() == Some(name));
        named.or_else(|| self.get(name.parse().ok()?))
    }

    /// The display name: the node's name, or the address of a node elsewhere.
    pub fn name_of(&self, addr: Addr) -> Cow<'_, str> {
        match self.get(addr).and_then(|node| node.name.as_deref()) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(addr.to_string()),
        }
    }

    /// A sort key by name: `p2` before `p10`, and nodes elsewhere last, by address.
    pub fn order_of(&self, addr: Addr) -> impl Ord + use<> {
        let name = self.get(addr).and_then(|node| node.name.as_deref());
        (name.is_none(), name.map(name_order), addr)
    }

    /// In the order in which they were first mentioned.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &NodeRecord> + ExactSizeIterator {
        self.by_addr.values()
    }

    pub fn len(&self) -> usize {
        self.by_addr.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_addr.is_empty()
    }

    /// Peers of this process that run.
    pub fn peers_running(&self) -> usize {
        self.peers_running
    }

    /// Mentions that were dropped because of [`HEARSAY_MAX`].
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    pub fn counts(&self) -> NodeCounts {
        let mut counts = NodeCounts::default();
        for node in self.iter() {
            let place = match node.state() {
                ObservedState::Up => &mut counts.up,
                ObservedState::Suspect { .. } | ObservedState::Hung => &mut counts.suspect,
                ObservedState::Dead | ObservedState::Killed => &mut counts.dead,
                ObservedState::Left => &mut counts.left,
                ObservedState::Known => &mut counts.known,
            };
            *place += 1;
            let is_up = matches!(node.state(), ObservedState::Up | ObservedState::Suspect { .. } | ObservedState::Hung);
            counts.seeds += usize::from(is_up && node.role == Some(Role::Seed));
        }
        counts
    }

    pub(super) fn ix_of(&self, addr: Addr) -> Option<RecordIx> {
        self.by_addr.get_index_of(&addr)
    }

    pub(super) fn at(&self, node: RecordIx) -> &NodeRecord {
        &self.by_addr[node]
    }

    pub(super) fn at_mut(&mut self, node: RecordIx) -> &mut NodeRecord {
        &mut self.by_addr[node]
    }

    /// Whether it is known and runs elsewhere.
    pub(super) fn is_elsewhere(&self, addr: Addr) -> bool {
        self.hearsay > 0 && self.get(addr).is_some_and(|node| !node.is_ours())
    }

    /// An event happened at this node, so it is one of ours. Returns also what was certain of it
    /// before.
    pub(super) fn at_work(&mut self, addr: Addr, at: Time) -> (RecordIx, Option<NodeState>) {
        let known = self.ix_of(addr);
        let ix = known.unwrap_or_else(|| self.by_addr.insert_full(addr, NodeRecord::new(addr, at)).0);
        let node = &mut self.by_addr[ix];
        let life = node.life();
        if life.is_none() {
            self.hearsay -= usize::from(known.is_some());
            node.change(at, |node| {
                node.lives.turn(at, NodeState::Runs);
                node.belief = Belief::Alive;
            });
            // Its start was among the events that were skipped.
            self.peers_running += usize::from(node.is_running_peer());
        }
        (ix, life)
    }

    /// Counts what a known node elsewhere does; nothing for a node of ours.
    pub(super) fn contact(&mut self, addr: Addr, note: impl FnOnce(&mut Contact)) {
        if self.hearsay == 0 {
            return;
        }
        if let Some(node) = self.by_addr.get_mut(&addr).filter(|node| !node.is_ours()) {
            note(&mut node.history().contact);
        }
    }

    pub(super) fn mention(&mut self, addr: Addr, at: Time) -> Option<&mut NodeRecord> {
        let ix = match self.ix_of(addr) {
            Some(ix) => ix,
            None if self.hearsay >= HEARSAY_MAX => {
                self.unlisted += 1;
                return None;
            }
            None => {
                self.hearsay += 1;
                self.by_addr.insert_full(addr, NodeRecord::new(addr, at)).0
            }
        };
        Some(&mut self.by_addr[ix])
    }

    /// As [`NodeRecords::mention`], with its role.
    pub(super) fn mention_as(&mut self, addr: Addr, role: Role, at: Time) {
        let Some(node) = self.mention(addr, at) else { return };
        if node.role.is_none() {
            node.role = Some(role);
            let runs = node.is_running_peer();
            self.peers_running += usize::from(runs);
        }
    }

    pub(super) fn started(&mut self, node: RecordIx, at: Time, name: &str, role: Role) {
        self.set_life(node, at, NodeState::Runs, |node| {
            node.belief = Belief::Alive;
            if let Some(history) = &mut node.history {
                history.suspicions.clear();
            }
            node.name = Some(name.into());
            node.role = Some(role);
            node.starts += 1;
            if node.starts > 1 {
                node.came_back(at);
            }
        });
    }

    pub(super) fn set_life(&mut self, node: RecordIx, at: Time, life: NodeState, change: impl FnOnce(&mut NodeRecord)) {
        let node = &mut self.by_addr[node];
        let ran = node.is_running_peer();
        node.change(at, |node| {
            node.lives.turn(at, life);
            change(node);
        });
        let runs = node.is_running_peer();
        self.peers_running = self.peers_running + usize::from(runs) - usize::from(ran);
    }

    /// `by` heard from this node. Returns whether it had been declared dead.
    pub(super) fn heard(&mut self, addr: Addr, by: Addr, at: Time) -> bool {
        let Some(node) = self.mention(addr, at) else { return false };
        if node.belief == Belief::Alive && node.suspicions().is_empty() {
            return false;
        }
        let gone = matches!(node.life(), Some(NodeState::Killed | NodeState::Left));
        let was_dead = node.belief == Belief::Dead && !gone && node.since < at;
        node.change(at, |node| {
            node.clear_of(by);
            if was_dead || matches!(node.belief, Belief::Hearsay | Belief::Left) {
                node.belief = Belief::Alive;
            }
        });
        was_dead
    }

    /// It is back, after it had been declared dead.
    pub(super) fn came_back(&mut self, addr: Addr, at: Time) {
        if let Some(node) = self.by_addr.get_mut(&addr) {
            node.came_back(at);
        }
    }

    /// It is no seed. Only neighbors are declared dead, and a seed is nobody's neighbor: a claim
    /// otherwise is about somebody that took its name.
    pub(super) fn can_be_neighbor(&self, addr: Addr) -> bool {
        self.get(addr).is_none_or(|node| node.role != Some(Role::Seed))
    }

    /// `by` got no answer from this node.
    pub(super) fn suspected(&mut self, addr: Addr, suspicion: Suspicion, at: Time) {
        if !self.can_be_neighbor(addr) {
            return;
        }
        let Some(node) = self.mention(addr, at) else { return };
        node.change(at, |node| {
            node.clear_of(suspicion.by);
            node.history().suspicions.push(suspicion);
        });
    }

    /// `by` no longer watches this node.
    pub(super) fn unwatched(&mut self, addr: Addr, by: Addr, at: Time) {
        if let Some(node) = self.by_addr.get_mut(&addr).filter(|node| !node.suspicions().is_empty()) {
            node.change(at, |node| node.clear_of(by));
        }
    }

    pub(super) fn believe(&mut self, addr: Addr, belief: Belief, at: Time) {
        if belief == Belief::Dead && !self.can_be_neighbor(addr) {
            return;
        }
        if let Some(node) = self.mention(addr, at) {
            node.change(at, |node| node.belief = belief);
        }
    }

    /// A seed took this node off its list as dead; what its neighbors know outweighs that.
    pub(super) fn presume_dead(&mut self, addr: Addr, at: Time) {
        if self.get(addr).is_some_and(|node| node.linked == 0 && !node.is_ours()) {
            self.believe(addr, Belief::Dead, at);
        }
    }

    /// A link of ours to this node came up or ended.
    pub(super) fn linked(&mut self, addr: Addr, at: Time, by: i32) {
        if let Some(node) = self.mention(addr, at) {
            node.change(at, |node| node.linked = node.linked.saturating_add_signed(by));
        }
    }
}
