//! The records of all nodes, and what changes them.

use std::borrow::Cow;

use super::{Contact, HEARSAY_MAX, Lives, NodeRecord, ObservedState, Suspicion};
use crate::event::NodeState;
use crate::model::Map;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::name::name_order;
use crate::proto::time::Time;

/// Where the record of a node stands. No record is ever removed, so the place remains.
pub(in crate::model) type RecordIx = usize;

/// All nodes, in the order in which they were first mentioned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeRecords {
    by_addr: Map<Addr, NodeRecord>,
    hearsay: usize,
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

    /// When this node ran, if it is known.
    pub fn lives(&self, addr: Addr) -> Option<&Lives> {
        self.get(addr).map(|node| &node.lives)
    }

    /// The node with this name or address.
    pub fn find(&self, name: &str) -> Option<&NodeRecord> {
        let named = self.iter().find(|node| node.name.as_deref() == Some(name));
        named.or_else(|| self.get(Addr::by_name(name)?))
    }

    /// The display name: the node's name, or the address of a node elsewhere.
    pub fn name_of(&self, addr: Addr) -> Cow<'_, str> {
        match self.get(addr).and_then(|node| node.name.as_deref()) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(addr.name()),
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
    pub fn running_peers(&self) -> impl Iterator<Item = &NodeRecord> {
        self.iter().filter(|node| node.is_running_peer())
    }

    /// Nodes of this process, those that stopped included.
    pub(in crate::model) fn ours(&self) -> usize {
        self.len() - self.hearsay
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

    pub(in crate::model) fn ix_of(&self, addr: Addr) -> Option<RecordIx> {
        self.by_addr.get_index_of(&addr)
    }

    pub(in crate::model) fn at(&self, node: RecordIx) -> &NodeRecord {
        &self.by_addr[node]
    }

    pub(in crate::model) fn at_mut(&mut self, node: RecordIx) -> &mut NodeRecord {
        &mut self.by_addr[node]
    }

    /// Whether it is known and runs elsewhere.
    pub(in crate::model) fn is_elsewhere(&self, addr: Addr) -> bool {
        self.hearsay > 0 && self.get(addr).is_some_and(|node| !node.is_ours())
    }

    /// An event happened at this node, so it is one of ours. Returns also what was certain of it
    /// before.
    pub(in crate::model) fn at_work(&mut self, addr: Addr, at: Time) -> (RecordIx, Option<NodeState>) {
        let known = self.ix_of(addr);
        let ix = known.unwrap_or_else(|| self.by_addr.insert_full(addr, NodeRecord::new(addr, at)).0);
        let node = &mut self.by_addr[ix];
        let life = node.life();
        if life.is_none() {
            self.hearsay -= usize::from(known.is_some());
            node.change(at, |node| {
                node.lives.turn(at, NodeState::Runs);
                node.believed = Some(NodeState::Runs);
            });
        }
        (ix, life)
    }

    /// Counts what a known node elsewhere does; nothing for a node of ours.
    pub(in crate::model) fn contact(&mut self, addr: Addr, note: impl FnOnce(&mut Contact)) {
        if self.hearsay == 0 {
            return;
        }
        if let Some(node) = self.by_addr.get_mut(&addr).filter(|node| !node.is_ours()) {
            note(&mut node.history().contact);
        }
    }

    pub(in crate::model) fn mention(&mut self, addr: Addr, at: Time) -> Option<&mut NodeRecord> {
        let ix = match self.ix_of(addr) {
            Some(ix) => ix,
            None if self.hearsay >= HEARSAY_MAX => return None,
            None => {
                self.hearsay += 1;
                self.by_addr.insert_full(addr, NodeRecord::new(addr, at)).0
            }
        };
        Some(&mut self.by_addr[ix])
    }

    /// As [`NodeRecords::mention`], with its role.
    pub(in crate::model) fn mention_as(&mut self, addr: Addr, role: Role, at: Time) {
        let Some(node) = self.mention(addr, at) else { return };
        node.role.get_or_insert(role);
    }

    pub(in crate::model) fn started(&mut self, node: RecordIx, at: Time, name: &str, role: Role) {
        self.set_life(node, at, NodeState::Runs, |node| {
            node.believed = Some(NodeState::Runs);
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

    pub(in crate::model) fn set_life(
        &mut self,
        node: RecordIx,
        at: Time,
        life: NodeState,
        change: impl FnOnce(&mut NodeRecord),
    ) {
        self.by_addr[node].change(at, |node| {
            node.lives.turn(at, life);
            change(node);
        });
    }

    /// `by` heard from this node. Returns whether it had been declared dead.
    pub(in crate::model) fn heard(&mut self, addr: Addr, by: Addr, at: Time) -> bool {
        let Some(node) = self.mention(addr, at) else { return false };
        if node.believed == Some(NodeState::Runs) && node.suspicions().is_empty() {
            return false;
        }
        let gone = matches!(node.life(), Some(NodeState::Killed | NodeState::Left));
        let was_dead = node.is_believed_dead() && !gone && node.since < at;
        node.change(at, |node| {
            node.clear_of(by);
            if was_dead || matches!(node.believed, None | Some(NodeState::Left)) {
                node.believed = Some(NodeState::Runs);
            }
        });
        was_dead
    }

    /// It is back, after it had been declared dead.
    pub(in crate::model) fn came_back(&mut self, addr: Addr, at: Time) {
        if let Some(node) = self.by_addr.get_mut(&addr) {
            node.came_back(at);
        }
    }

    /// It is no seed. Only neighbors are declared dead, and a seed is nobody's neighbor: a claim
    /// otherwise is about somebody that took its name.
    pub(in crate::model) fn can_be_neighbor(&self, addr: Addr) -> bool {
        self.get(addr).is_none_or(|node| node.role != Some(Role::Seed))
    }

    /// `by` got no answer from this node.
    pub(in crate::model) fn suspected(&mut self, addr: Addr, suspicion: Suspicion, at: Time) {
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
    pub(in crate::model) fn unwatched(&mut self, addr: Addr, by: Addr, at: Time) {
        if let Some(node) = self.by_addr.get_mut(&addr).filter(|node| !node.suspicions().is_empty()) {
            node.change(at, |node| node.clear_of(by));
        }
    }

    pub(in crate::model) fn believe(&mut self, addr: Addr, state: NodeState, at: Time) {
        if state == NodeState::Killed && !self.can_be_neighbor(addr) {
            return;
        }
        if let Some(node) = self.mention(addr, at) {
            node.change(at, |node| node.believed = Some(state));
        }
    }

    /// A seed took this node off its list as dead; what its neighbors know outweighs that.
    pub(in crate::model) fn presume_dead(&mut self, addr: Addr, at: Time) {
        if self.get(addr).is_some_and(|node| node.linked == 0 && !node.is_ours()) {
            self.believe(addr, NodeState::Killed, at);
        }
    }

    /// A link of ours to this node came up or ended.
    pub(in crate::model) fn linked(&mut self, addr: Addr, at: Time, by: i32) {
        if let Some(node) = self.mention(addr, at) {
            node.change(at, |node| node.linked = node.linked.saturating_add_signed(by));
        }
    }
}
