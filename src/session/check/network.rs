//! Which nodes run, which are linked, and since when: all that the rules need of a network.
//!
//! No histories are kept. The only question about the past is whether something has been up since a
//! moment, so each node and each link remembers when it last changed. A link costs some 70 bytes
//! per end, and is forgotten when both ends are down.

use std::time::Duration;

use smallvec::SmallVec;

use crate::event::{Event, EventKind, LinkEvent, LinkId, NodeEvent, NodeState, Pace, Purpose};
use crate::model::{FastHashMap, Map};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};
use crate::proto::time::Time;

/// The index of a node in the list of all.
pub(super) type NodePlace = usize;

/// The nodes and links in the events so far.
#[derive(Debug, Default)]
pub(super) struct NetworkState {
    places: FastHashMap<Addr, NodePlace>,
    nodes: Vec<NodeStatus>,
    /// The number of changes so far.
    version: u64,
    /// When the latest was.
    changed_at: Option<Time>,
}

/// A node that appeared in an event.
#[derive(Debug)]
pub(super) struct NodeStatus {
    addr: Addr,
    role: Option<Role>,
    dialect: Option<Dialect>,
    pace: Option<Pace>,
    life: Option<NodeState>,
    /// Since when it has been in this state.
    since: Time,
    /// Neighbors that it holds a link to.
    neighbors: usize,
    /// Its links, and those that others hold to it.
    links: Map<NodePlace, LinkStatus>,
}

/// One end of a link, and what is known of the other.
#[derive(Debug)]
struct LinkStatus {
    purpose: Purpose,
    /// The connections that are up; two between one pair count as one link.
    connections: SmallVec<[LinkId; 1]>,
    /// Since when this end holds it.
    here: Option<Time>,
    /// Since when the other end holds it.
    there: Option<Time>,
}

impl LinkStatus {
    /// Since when both ends hold it.
    fn stands_since(&self) -> Option<Time> {
        self.here.zip(self.there).map(|(here, there)| here.max(there))
    }

    fn is_neighbor_since_before(&self, moment: Time) -> bool {
        self.purpose == Purpose::Neighbor && self.stands_since().is_some_and(|since| since < moment)
    }
}

/// Some of the nodes.
#[derive(Debug)]
pub(super) struct Part {
    /// Nearest first.
    places: Vec<NodePlace>,
    is_in: Vec<bool>,
}

impl Part {
    fn add(&mut self, place: NodePlace) {
        if !std::mem::replace(&mut self.is_in[place], true) {
            self.places.push(place);
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = NodePlace> {
        self.places.iter().copied()
    }
}

impl NodeStatus {
    fn elsewhere(addr: Addr) -> Self {
        let (life, since) = (None, Time::from_micros(0));
        Self { addr, role: None, dialect: None, pace: None, life, since, neighbors: 0, links: Map::default() }
    }

    /// It runs in this process.
    fn runs(&self) -> bool {
        self.life == Some(NodeState::Runs)
    }

    /// It is a peer of this process that has run since before this moment.
    fn ran_as_peer_before(&self, moment: Time) -> bool {
        self.runs() && self.role == Some(Role::Peer) && self.since < moment
    }

    /// Its dialect, if its start was seen.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Time between two of its probes; zero if its start was not seen.
    pub(super) fn liveness_interval(&self) -> Duration {
        Duration::from_micros(self.pace.map_or(0, |pace| pace.liveness_interval_us))
    }

    /// Its end of the link to this node, or a new one that nobody holds yet.
    fn end(&mut self, peer: NodePlace, purpose: Purpose) -> &mut LinkStatus {
        let unheld = || LinkStatus { purpose, connections: SmallVec::new(), here: None, there: None };
        self.links.entry(peer).or_insert_with(unheld)
    }

    /// A connection came up. Returns whether this end did not hold the link before.
    fn hold(&mut self, peer: NodePlace, purpose: Purpose, link: LinkId, at: Time) -> bool {
        let end = self.end(peer, purpose);
        end.connections.push(link);
        if end.here.is_some() {
            return false;
        }
        (end.here, end.purpose) = (Some(at), purpose);
        self.neighbors += usize::from(purpose == Purpose::Neighbor);
        true
    }

    /// A connection ended, or all of them. Returns whether this end has lost the link.
    fn let_go(&mut self, peer: NodePlace, link: Option<LinkId>) -> bool {
        let Some(end) = self.links.get_mut(&peer) else { return false };
        end.connections.retain(|held| link.is_some_and(|gone| *held != gone));
        if !end.connections.is_empty() || end.here.take().is_none() {
            return false;
        }
        self.neighbors -= usize::from(end.purpose == Purpose::Neighbor);
        self.forget_unheld(peer);
        true
    }

    /// The node at the other end no longer holds the link.
    fn other_let_go(&mut self, peer: NodePlace) {
        if let Some(end) = self.links.get_mut(&peer) {
            end.there = None;
            self.forget_unheld(peer);
        }
    }

    fn forget_unheld(&mut self, peer: NodePlace) {
        if self.links.get(&peer).is_some_and(|end| end.here.is_none() && end.there.is_none()) {
            self.links.swap_remove(&peer);
        }
    }
}

impl NetworkState {
    /// Takes an event, if it changes a node or a link. Returns the links that it may have changed,
    /// each as the indexes of its two ends.
    pub(super) fn take(&mut self, event: &Event) -> Vec<(NodePlace, NodePlace)> {
        let at = event.at;
        if let EventKind::Link(LinkEvent::Up { link, peer, purpose, .. }) = event.kind {
            let (node, peer) = (self.at_work(event), self.place(peer));
            self.hold(node, peer, purpose, link, at);
            vec![(node, peer)]
        } else if let EventKind::Link(LinkEvent::Down { link, peer, .. }) = event.kind {
            let (node, peer) = (self.at_work(event), self.place(peer));
            self.let_go(node, peer, Some(link), at);
            // A hung node emits nothing when its link is dropped, but the link is gone all the
            // same.
            if self.nodes[peer].life == Some(NodeState::Hangs) {
                self.let_go(peer, node, None, at);
            }
            vec![(node, peer)]
        } else if let EventKind::Node(NodeEvent::Started { role, dialect, pace, .. }) = event.kind {
            let node = self.at_work(event);
            let touched = self.clear(node, at);
            let status = &mut self.nodes[node];
            (status.role, status.dialect, status.pace) = (Some(role), Some(dialect), Some(pace));
            self.turn(node, NodeState::Runs, at);
            touched
        } else if let EventKind::Node(NodeEvent::Stopped { how }) = event.kind {
            let node = self.at_work(event);
            let touched = self.clear(node, at);
            self.turn(node, how.into(), at);
            touched
        } else if event.kind == EventKind::Node(NodeEvent::Hung) {
            let node = self.at_work(event);
            self.turn(node, NodeState::Hangs, at);
            self.touching(node)
        } else {
            Vec::new()
        }
    }

    pub(super) fn get(&self, node: Addr) -> Option<&NodeStatus> {
        self.places.get(&node).map(|place| &self.nodes[*place])
    }

    /// The address of the node at this index.
    pub(super) fn addr(&self, place: NodePlace) -> Addr {
        self.nodes[place].addr
    }

    /// The number of neighbors that this node holds a link to.
    pub(super) fn neighbors(&self, node: Addr) -> usize {
        self.get(node).map_or(0, |node| node.neighbors)
    }

    /// The node holds a link to a peer that knows of none, and both run.
    pub(super) fn is_lopsided(&self, node: NodePlace, peer: NodePlace) -> bool {
        let link = self.nodes[node].links.get(&peer);
        let is_held = link.is_some_and(|link| link.here.is_some() && link.there.is_none());
        is_held && self.nodes[node].runs() && self.nodes[peer].runs()
    }

    /// Both run here, and both have held the link between them for this long.
    pub(super) fn stood_for(&self, node: Addr, peer: Addr, span: Duration, now: Time) -> bool {
        let (Some(node), Some(peer)) = (self.get(node), self.places.get(&peer)) else { return false };
        let since = node.links.get(peer).and_then(LinkStatus::stands_since);
        self.nodes[*peer].runs() && since.is_some_and(|since| now.since(since) >= span)
    }

    /// While this stays the same, so do the nodes and links.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Nothing has changed since before this moment.
    pub(super) fn is_unchanged_since(&self, moment: Time) -> bool {
        self.changed_at.is_none_or(|changed_at| changed_at < moment)
    }

    /// The peers of this process that this one reaches over links that have all been up since
    /// before this moment. Empty if the origin has not run since then.
    pub(super) fn part_of(&self, origin: Addr, moment: Time) -> Part {
        let mut part = Part { places: Vec::new(), is_in: vec![false; self.nodes.len()] };
        let stood = |place: &NodePlace| self.nodes[*place].ran_as_peer_before(moment);
        if let Some(origin) = self.places.get(&origin).copied().filter(stood) {
            part.add(origin);
        }
        let mut next = 0;
        while let Some(place) = part.places.get(next).copied() {
            next += 1;
            for (peer, link) in &self.nodes[place].links {
                if link.is_neighbor_since_before(moment) && stood(peer) {
                    part.add(*peer);
                }
            }
        }
        part
    }

    pub(super) fn is_in(&self, part: &Part, node: Addr) -> bool {
        self.places.get(&node).is_some_and(|place| part.is_in.get(*place) == Some(&true))
    }

    /// A connection of a link that is up at this node.
    #[cfg(test)]
    pub(super) fn connection(&self, node: Addr, peer: Addr) -> Option<LinkId> {
        self.get(node)?.links.get(self.places.get(&peer)?)?.connections.first().copied()
    }

    fn place(&mut self, addr: Addr) -> NodePlace {
        *self.places.entry(addr).or_insert_with(|| {
            self.nodes.push(NodeStatus::elsewhere(addr));
            self.nodes.len() - 1
        })
    }

    /// The index of the event's node, which is therefore one of this process.
    fn at_work(&mut self, event: &Event) -> NodePlace {
        let place = self.place(event.node);
        if self.nodes[place].life.is_none() {
            self.turn(place, NodeState::Runs, event.at);
        }
        place
    }

    fn turn(&mut self, node: NodePlace, life: NodeState, at: Time) {
        let status = &mut self.nodes[node];
        (status.life, status.since) = (Some(life), at);
        self.note_change(at);
    }

    fn note_change(&mut self, at: Time) {
        self.version += 1;
        self.changed_at = self.changed_at.max(Some(at));
    }

    fn hold(&mut self, node: NodePlace, peer: NodePlace, purpose: Purpose, link: LinkId, at: Time) {
        if self.nodes[node].hold(peer, purpose, link, at) {
            self.nodes[peer].end(node, purpose).there = Some(at);
            self.note_change(at);
        }
    }

    fn let_go(&mut self, node: NodePlace, peer: NodePlace, link: Option<LinkId>, at: Time) {
        if self.nodes[node].let_go(peer, link) {
            self.nodes[peer].other_let_go(node);
            self.note_change(at);
        }
    }

    /// A node's links end with it. Returns all links that it or others held.
    fn clear(&mut self, node: NodePlace, at: Time) -> Vec<(NodePlace, NodePlace)> {
        let touched = self.touching(node);
        for (_, peer) in &touched {
            self.let_go(node, *peer, None, at);
        }
        touched
    }

    fn touching(&self, node: NodePlace) -> Vec<(NodePlace, NodePlace)> {
        self.nodes[node].links.keys().map(|peer| (node, *peer)).collect()
    }
}
