//! All links, and what changes them.

use std::collections::VecDeque;

use super::{CopyOrder, LinkHistory, LinkKey, LinkState, LinkStep, Miss, StepKind};
use crate::event::{Direction, LinkEvent, Purpose};
use crate::model::{Map, Set};
use crate::proto::addr::Addr;
use crate::proto::message::ProbeSeq;
use crate::proto::time::Time;

/// Rows of ended links that are kept for their history.
const ENDED_MAX: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinkTable {
    rows: Map<LinkKey, LinkHistory>,
    ended: VecDeque<(LinkKey, Time)>,
    /// Copies that came over links whose rows are no longer kept.
    forgotten_copies: u64,
    /// The nodes to which each node of ours has a link, or which it dials.
    open: Map<Addr, Set<Addr>>,
    /// The probes of every link are kept: see [`WATCHED_NODES_MAX`](super::WATCHED_NODES_MAX).
    pub(in crate::model) are_watched: bool,
}

impl LinkTable {
    pub fn get(&self, node: Addr, peer: Addr) -> Option<&LinkHistory> {
        self.rows.get(&LinkKey { node, peer })
    }

    /// All rows, ended ones included, in no stable order.
    pub fn iter(&self) -> impl Iterator<Item = &LinkHistory> {
        self.rows.values()
    }

    /// What each end of a link tells of it, as far as it is a node of ours.
    pub fn both_ends(&self, one: Addr, other: Addr) -> impl Iterator<Item = &LinkHistory> {
        [self.get(one, other), self.get(other, one)].into_iter().flatten()
    }

    pub fn up(&self) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(|link| link.is_up())
    }

    /// The rows of one node of ours.
    pub fn of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(move |link| link.key.node == node)
    }

    /// The rows of links that this node of ours has now, or dials.
    pub fn open_of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        let peers = self.open.get(&node).into_iter().flatten();
        peers.filter_map(move |peer| self.get(node, *peer))
    }

    /// The registrations with this seed that are up, as our peers see them.
    pub fn registered_with(&self, seed: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.up().filter(move |link| link.purpose == Purpose::Registration && link.key.peer == seed)
    }

    pub(in crate::model) fn dialing(&mut self, key: LinkKey, purpose: Purpose, at: Time, event: &LinkEvent) {
        let link = self.row(key, purpose, at);
        link.told(at, event);
        if !link.is_up() {
            link.direction = Direction::Outbound;
            link.purpose = purpose;
            link.enter(LinkState::Dialing, at);
        }
        self.open.entry(key.node).or_default().insert(key.peer);
    }

    /// Nothing was heard on a connection, which is kept.
    pub(in crate::model) fn parked(&mut self, key: LinkKey, at: Time, event: &LinkEvent) {
        let link = self.row(key, Purpose::Neighbor, at);
        link.told(at, event);
        if !link.is_up() {
            link.enter(LinkState::Parked, at);
            self.open.entry(key.node).or_default().insert(key.peer);
        }
    }

    /// Something kept a link from coming up.
    pub(in crate::model) fn failed(&mut self, key: LinkKey, purpose: Purpose, at: Time, event: &LinkEvent) {
        let link = self.row(key, purpose, at);
        link.told(at, event);
        if !link.is_up() {
            link.enter(LinkState::Ended, at);
            self.retire(key, at);
        }
    }

    /// A dial of this node of ours ended; nothing happens if it had none.
    pub(in crate::model) fn dial_ended(&mut self, key: LinkKey, at: Time, event: &LinkEvent) {
        let dialing = |link: &&LinkHistory| matches!(link.state, LinkState::Dialing | LinkState::Parked);
        if let Some(purpose) = self.rows.get(&key).filter(dialing).map(|link| link.purpose) {
            self.failed(key, purpose, at, event);
        }
    }

    /// A connection came up. Returns whether this brought the link up.
    pub(in crate::model) fn came_up(&mut self, node: Addr, at: Time, event: &LinkEvent) -> bool {
        let LinkEvent::Up { link, connection, peer, direction, purpose } = *event else { return false };
        let row = self.row(LinkKey { node, peer }, purpose, at);
        let is_new = !row.is_up();
        if row.comes_up_quietly() {
            row.connection = connection;
        } else {
            row.told(at, event);
        }
        row.purpose = purpose;
        row.came_up(link, direction, at);
        self.open.entry(node).or_default().insert(peer);
        is_new
    }

    /// The node told of this link in this line of the gossip log.
    pub(in crate::model) fn logged(&mut self, key: LinkKey, line: u64) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.line = Some(line);
        }
    }

    /// A connection ended. Returns whether this took the link down.
    pub(in crate::model) fn went_down(&mut self, node: Addr, at: Time, event: &LinkEvent) -> bool {
        let LinkEvent::Down { link, peer, purpose, .. } = *event else { return false };
        let key = LinkKey { node, peer };
        let row = self.row(key, purpose, at);
        let was_up = row.is_up();
        row.told(at, event);
        row.went_down(link, at);
        if row.is_up() {
            return false;
        }
        self.retire(key, at);
        was_up
    }

    /// The other end dropped the link to a hung node of ours, which cannot tell. Returns the link's
    /// purpose if it was up.
    pub(in crate::model) fn dropped(&mut self, key: LinkKey, at: Time) -> Option<Purpose> {
        let link = self.rows.get_mut(&key).filter(|link| link.is_up())?;
        let purpose = link.purpose;
        link.note(LinkStep::new(at, StepKind::Dropped));
        link.connections.clear();
        link.enter(LinkState::Ended, at);
        self.retire(key, at);
        Some(purpose)
    }

    /// A node of ours stopped or restarts, and all its links are gone. Returns their keys.
    pub(in crate::model) fn cleared(&mut self, node: Addr, at: Time) -> Vec<LinkKey> {
        let peers = self.open.get(&node).into_iter().flatten();
        let gone: Vec<_> = peers.map(|peer| LinkKey { node, peer: *peer }).collect();
        let up = gone.iter().copied().filter(|key| self.rows.get(key).is_some_and(LinkHistory::is_up)).collect();
        for key in gone {
            if let Some(link) = self.rows.get_mut(&key) {
                link.note(LinkStep::new(at, StepKind::NodeStopped));
                link.connections.clear();
                link.enter(LinkState::Ended, at);
            }
            self.retire(key, at);
        }
        up
    }

    /// Copies that came over links that ended so long ago that they are no longer kept.
    pub const fn forgotten_copies(&self) -> u64 {
        self.forgotten_copies
    }

    /// A copy of a message came.
    pub(in crate::model) fn copy_came(&mut self, key: LinkKey, at: Time, order: CopyOrder) {
        let Some(link) = self.rows.get_mut(&key) else { return };
        link.last_heard = Some(at);
        let count = match order {
            CopyOrder::First => &mut link.copies.first,
            CopyOrder::Further => &mut link.copies.further,
        };
        *count = count.saturating_add(1);
    }

    pub(in crate::model) fn heard(&mut self, key: LinkKey, at: Time) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.last_heard = Some(at);
        }
    }

    pub(in crate::model) fn probed(&mut self, key: LinkKey, seq: ProbeSeq, at: Time) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.probed(seq, at);
        }
    }

    pub(in crate::model) fn answered(&mut self, key: LinkKey, seq: ProbeSeq, rtt_us: u64, at: Time) {
        let is_watched = self.are_watched;
        if let Some(link) = self.rows.get_mut(&key) {
            link.answered(seq, rtt_us, at, is_watched);
        }
    }

    pub(in crate::model) fn missed(&mut self, key: LinkKey, miss: Miss) {
        let is_watched = self.are_watched;
        if let Some(link) = self.rows.get_mut(&key) {
            link.miss(miss, is_watched);
        }
    }

    fn row(&mut self, key: LinkKey, purpose: Purpose, at: Time) -> &mut LinkHistory {
        self.rows.entry(key).or_insert_with(|| LinkHistory::new(key, purpose, at))
    }

    /// Marks an ended row to be forgotten, and forgets the one that ended longest ago if there are
    /// too many.
    fn retire(&mut self, key: LinkKey, at: Time) {
        if let Some(open) = self.open.get_mut(&key.node) {
            open.swap_remove(&key.peer);
        }
        self.ended.push_back((key, at));
        while self.ended.len() > ENDED_MAX {
            let Some((key, ended_at)) = self.ended.pop_front() else { return };
            let same = |link: &LinkHistory| {
                link.state == LinkState::Ended && link.steps().next_back().is_none_or(|step| step.at == ended_at)
            };
            if let Some(gone) = self.rows.get(&key).is_some_and(same).then(|| self.rows.swap_remove(&key)).flatten() {
                let copies = u64::from(gone.copies.first) + u64::from(gone.copies.further);
                self.forgotten_copies = self.forgotten_copies.saturating_add(copies);
            }
        }
    }
}
