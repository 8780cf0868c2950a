//! Nodes: what they are, what became of them, and what others believe became of them.

mod records;

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

pub(super) use self::records::RecordIx;
pub use self::records::{NodeCounts, NodeRecords};
pub use super::life::{LifeChange, Lives};
use crate::event::{Methods, NodeState, Pace};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};
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
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRecord {
    /// Its id.
    pub addr: Addr,
    /// As far as known.
    pub role: Option<Role>,
    /// For a node of this process.
    pub dialect: Option<Dialect>,
    /// What the nodes of this process believe of it: it runs, left, or is dead (`Killed`); `None`:
    /// others named it, and nobody here has had a link to it yet.
    pub believed: Option<NodeState>,
    /// `p3`, for a node of this process.
    pub name: Option<Arc<str>>,
    /// For a node of this process.
    pub pace: Option<Pace>,
    /// For a peer of this process.
    pub methods: Methods,
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
#[derive(Debug, Clone, PartialEq, Default)]
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
            believed: None,
            name: None,
            pace: None,
            methods: Methods::default(),
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
        match (self.life(), self.believed) {
            (Some(NodeState::Killed), _) => ObservedState::Killed,
            (Some(NodeState::Left), _) | (None, Some(NodeState::Left)) => ObservedState::Left,
            (None | Some(NodeState::Runs | NodeState::Hangs), Some(NodeState::Killed)) => ObservedState::Dead,
            (Some(NodeState::Hangs), _) => self.suspected_or(ObservedState::Hung),
            (None, _) if self.linked == 0 => ObservedState::Known,
            (None | Some(NodeState::Runs), _) => self.suspected_or(ObservedState::Up),
        }
    }

    /// Somebody declared it dead, and there has been no sign of life since.
    pub fn is_believed_dead(&self) -> bool {
        self.believed == Some(NodeState::Killed)
    }

    /// It is a node of this process that runs.
    pub fn runs(&self) -> bool {
        self.life() == Some(NodeState::Runs)
    }

    /// It is a peer of this process that runs.
    pub fn is_running_peer(&self) -> bool {
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
