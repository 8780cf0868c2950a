//! The overlay: the graph of links between peers, now and as it was at any moment that is still
//! remembered.
//!
//! The model keeps what is up now, and a log of every change. The overlay at an earlier moment is
//! what is up now with the later changes taken back, the latest first. So remembering costs a few
//! bytes a change, and nothing while nothing changes.
//!
//! A link between two peers of this process counts while both ends hold it; one to a peer elsewhere
//! while our end does. A peer that hangs or has stopped is no part of the overlay: it forwards
//! nothing. Seeds have no place in it.

use super::graph::Graph;
use super::link::LinkKey;
use super::node::{Life, NodeRecords};
use super::ring::Ring;
use super::{FastHashMap, Model, Set};
use crate::event::Purpose;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Changes that are remembered: an hour of a restless lab of 200 peers, at 40 bytes each 2.6 MB.
pub const CHANGES_MAX: usize = 65_536;
/// Events of two nodes may come in another order than that of their times, by no more than this.
const DISORDER: std::time::Duration = std::time::Duration::from_secs(5);

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The node has a link to this peer from now on.
    Up(Addr),
    /// It has none from now on.
    Down(Addr),
    /// It lives in another way from now on; before it was this.
    Life(Life),
}

/// One change at one node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverlayChange {
    pub at: Time,
    /// At which node.
    pub node: Addr,
    pub what: ChangeKind,
}

/// The changes, oldest first.
#[derive(Debug, Clone)]
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
    /// Those that are remembered.
    pub fn log(&self) -> &Ring<OverlayChange> {
        &self.log
    }

    /// How many changes there ever were: while this stays the same, so does the overlay.
    pub fn version(&self) -> u64 {
        self.log.end()
    }

    /// All that changed since then is remembered.
    pub fn reach_back_to(&self, at: Time) -> bool {
        self.forgotten.is_none_or(|forgotten| forgotten < at)
    }

    pub(super) fn note(&mut self, at: Time, node: Addr, what: ChangeKind) {
        if let (_, Some(gone)) = self.log.push(OverlayChange { at, node, what }) {
            self.forgotten = self.forgotten.max(Some(gone.at));
        }
    }

    /// The changes after this moment, the latest first.
    pub(super) fn after(&self, at: Time) -> impl Iterator<Item = &OverlayChange> {
        let changes = self.log.iter().rev().map(|(_, change)| change);
        changes.take_while(move |change| change.at + DISORDER >= at).filter(move |change| change.at > at)
    }
}

/// The overlay at one moment.
#[derive(Debug, Clone)]
pub struct OverlaySnapshot {
    /// Peers of this process that ran, peers elsewhere that these were linked to, and the links.
    pub graph: Graph,
    /// Those of them that run elsewhere: what links they have besides is not known.
    pub elsewhere: Set<Addr>,
    /// All changes since were seen and are remembered.
    pub is_certain: bool,
    lives: FastHashMap<Addr, Life>,
}

impl OverlaySnapshot {
    /// How this node lived then, if that differs from how it lives now.
    pub(super) fn life(&self, nodes: &NodeRecords, node: Addr) -> Option<Life> {
        self.lives.get(&node).copied().or_else(|| nodes.get(node).map(|node| node.life))
    }

    /// The same overlay with all peers elsewhere as one: they may be linked to each other, for all that
    /// is known here. The place of that one is taken by the first of them.
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
    /// The overlay as it is.
    pub fn overlay(&self) -> OverlaySnapshot {
        self.overlay_of(&self.ends_up(), FastHashMap::default(), true)
    }

    /// The overlay as it was at this moment.
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

    /// The overlay of the links and peers that were there from `since` to `until` without a break.
    pub fn overlay_throughout(&self, since: Time, until: Time) -> OverlaySnapshot {
        let mut overlay = self.overlay_at(until);
        let (mut nodes, mut links) = (Set::default(), Set::default());
        for change in self.changes.after(since).filter(|change| change.at <= until) {
            match change.what {
                ChangeKind::Up(peer) | ChangeKind::Down(peer) => {
                    links.extend([(change.node, peer), (peer, change.node)]);
                }
                ChangeKind::Life(_) => drop(nodes.insert(change.node)),
            }
        }
        overlay.graph = overlay.graph.only(|node| !nodes.contains(&node), |a, b| !links.contains(&(a, b)));
        overlay.is_certain &= self.changes.reach_back_to(since);
        overlay
    }

    /// Links between neighbors, an entry for each end of ours that is up.
    fn ends_up(&self) -> Set<LinkKey> {
        self.links.up().filter(|link| link.purpose == Purpose::Neighbor).map(|link| link.key).collect()
    }

    fn overlay_of(&self, ends: &Set<LinkKey>, lives: FastHashMap<Addr, Life>, is_certain: bool) -> OverlaySnapshot {
        let mut overlay = OverlaySnapshot { graph: Graph::default(), elsewhere: Set::default(), is_certain, lives };
        let lives = |overlay: &OverlaySnapshot, node| overlay.life(&self.nodes, node);
        for node in self.nodes.iter().filter(|node| node.is_ours() && node.role == Some(Role::Peer)) {
            if lives(&overlay, node.addr) == Some(Life::Running) {
                overlay.graph.add(node.addr);
            }
        }
        for LinkKey { node, peer } in ends.iter().copied() {
            if lives(&overlay, node) != Some(Life::Running) {
                continue;
            }
            let is_elsewhere = self.nodes.get(peer).is_none_or(|peer| !peer.is_ours());
            if is_elsewhere {
                overlay.elsewhere.insert(peer);
                overlay.graph.join(node, peer);
            } else if lives(&overlay, peer) == Some(Life::Running) && ends.contains(&LinkKey { node: peer, peer: node })
            {
                overlay.graph.join(node, peer);
            }
        }
        overlay
    }
}
