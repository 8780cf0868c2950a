//! The overlay: the graph of links between peers, now and at any moment that is still remembered.
//!
//! The model keeps the current links and a log of every change. The overlay at an earlier moment is
//! the current one with the later changes undone, the latest first. So remembering costs a few
//! bytes per change, and nothing while nothing changes.
//!
//! A link between two peers of this process counts while both ends hold it; a link to a peer
//! elsewhere counts while our end holds it. A hung or stopped peer is not part of the overlay,
//! because it forwards nothing. Neither are seeds.

use super::graph::Graph;
use super::link::{LinkHistory, LinkKey};
use super::node::{NodeRecord, NodeRecords};
use super::ring::Ring;
use super::{FastHashMap, Model, Set};
use crate::event::NodeState;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Changes that are remembered: an hour of a restless lab of 200 peers; 2.6 MB at 40 bytes each.
pub const CHANGES_MAX: usize = 65_536;
/// The most by which events of two nodes may come out of order.
const DISORDER: std::time::Duration = std::time::Duration::from_secs(5);

/// What changed at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The node has a link to this peer now.
    Up(Addr),
    /// It no longer has one.
    Down(Addr),
    /// Its state changed; this is the one before.
    Life(Option<NodeState>),
}

/// A change at one node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverlayChange {
    pub at: Time,
    pub node: Addr,
    pub what: ChangeKind,
}

/// The changes, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    log: Ring<OverlayChange>,
    /// The time of the latest change that is no longer remembered.
    forgotten: Option<Time>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { log: Ring::new(CHANGES_MAX), forgotten: None }
    }
}

impl Changes {
    /// The number of changes so far: while it stays the same, so does the overlay.
    pub fn version(&self) -> u64 {
        self.log.end()
    }

    /// Bytes of memory that are not shared with this other log.
    pub(super) fn memory_len(&self, shared_with: Option<&Self>) -> usize {
        self.log.memory_len(shared_with.map(|other| &other.log), |_| 0)
    }

    /// All changes since then are remembered.
    pub fn reach_back_to(&self, at: Time) -> bool {
        self.forgotten.is_none_or(|forgotten| forgotten < at)
    }

    pub(super) fn note(&mut self, at: Time, node: Addr, what: ChangeKind) {
        if let (_, Some(gone)) = self.log.push(OverlayChange { at, node, what }) {
            self.forgotten = self.forgotten.max(Some(gone.at));
        }
    }

    /// The changes after this moment, latest first.
    pub(super) fn after(&self, at: Time) -> impl Iterator<Item = &OverlayChange> {
        let changes = self.log.iter().rev().map(|(_, change)| change);
        changes.take_while(move |change| change.at + DISORDER >= at).filter(move |change| change.at > at)
    }
}

/// The overlay at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlaySnapshot {
    /// Peers of this process that ran, peers elsewhere linked to them, and the links.
    pub graph: Graph,
    /// The nodes in the graph that run elsewhere: their other links are not known.
    pub elsewhere: Set<Addr>,
    /// All changes since then were seen and are remembered.
    pub is_certain: bool,
    lives: FastHashMap<Addr, Option<NodeState>>,
}

impl OverlaySnapshot {
    /// The node's state then, if it differs from the one now.
    pub(super) fn life(&self, nodes: &NodeRecords, node: Addr) -> Option<NodeState> {
        self.lives.get(&node).copied().or_else(|| nodes.get(node).map(NodeRecord::life)).flatten()
    }

    /// The same overlay with all peers elsewhere merged into one, as they may be linked to each
    /// other without our knowing. The first of them stands for all.
    pub fn with_one_elsewhere(&self) -> Graph {
        let outside = self.elsewhere.first().copied();
        let name = |node: Addr| if self.elsewhere.contains(&node) { outside.unwrap_or(node) } else { node };
        let mut graph = Graph::default();
        for node in self.graph.nodes() {
            graph.add(name(node));
            self.graph.neighbors(node).for_each(|neighbor| graph.join(name(node), name(neighbor)));
        }
        graph
    }
}

impl Model {
    pub fn overlay(&self) -> OverlaySnapshot {
        self.overlay_of(&self.ends_up(), FastHashMap::default(), true)
    }

    /// While this stays the same, so does the overlay.
    pub fn overlay_version(&self) -> u64 {
        self.changes.version()
    }

    /// Whether the overlay may have been another at this time than now.
    pub fn overlay_changed_since(&self, at: Time) -> bool {
        !self.changes.reach_back_to(at) || self.changes.after(at).next().is_some()
    }

    pub fn overlay_at(&self, at: Time) -> OverlaySnapshot {
        let (mut ends, mut lives) = (self.ends_up(), FastHashMap::default());
        for change in self.changes.after(at) {
            match change.what {
                ChangeKind::Up(peer) => drop(ends.swap_remove(&LinkKey { node: change.node, peer })),
                ChangeKind::Down(peer) => drop(ends.insert(LinkKey { node: change.node, peer })),
                ChangeKind::Life(before) => drop(lives.insert(change.node, before)),
            }
        }
        let is_certain = self.changes.reach_back_to(at) && self.skipped_at.is_none_or(|skipped_at| skipped_at < at);
        self.overlay_of(&ends, lives, is_certain)
    }

    /// The neighbors that this node has in the overlay of now, as far as it runs itself.
    pub fn live_neighbors(&self, node: Addr) -> impl Iterator<Item = Addr> {
        let held = self.links.open_of(node).filter(|link| link.is_neighbor()).map(|link| link.key.peer);
        held.filter(move |peer| match self.nodes.get(*peer).and_then(NodeRecord::life) {
            None => true,
            Some(life) => life == NodeState::Runs && self.links.get(*peer, node).is_some_and(LinkHistory::is_neighbor),
        })
    }

    /// Links between neighbors, one entry for each end of ours that is up.
    fn ends_up(&self) -> Set<LinkKey> {
        self.links.iter().filter(|link| link.is_neighbor()).map(|link| link.key).collect()
    }

    fn overlay_of(
        &self,
        ends: &Set<LinkKey>,
        lives: FastHashMap<Addr, Option<NodeState>>,
        is_certain: bool,
    ) -> OverlaySnapshot {
        let mut overlay = OverlaySnapshot { graph: Graph::default(), elsewhere: Set::default(), is_certain, lives };
        let lives = |overlay: &OverlaySnapshot, node| overlay.life(&self.nodes, node);
        for node in self.nodes.iter().filter(|node| node.is_ours() && node.role == Some(Role::Peer)) {
            if lives(&overlay, node.addr) == Some(NodeState::Runs) {
                overlay.graph.add(node.addr);
            }
        }
        for LinkKey { node, peer } in ends.iter().copied() {
            if lives(&overlay, node) != Some(NodeState::Runs) {
                continue;
            }
            let is_elsewhere = self.nodes.get(peer).is_none_or(|peer| !peer.is_ours());
            if is_elsewhere {
                overlay.elsewhere.insert(peer);
                overlay.graph.join(node, peer);
            } else if lives(&overlay, peer) == Some(NodeState::Runs)
                && ends.contains(&LinkKey { node: peer, peer: node })
            {
                overlay.graph.join(node, peer);
            }
        }
        overlay
    }
}
