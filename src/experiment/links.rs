//! The links between peers: how many were made and ended, and which there are.

use std::collections::BTreeSet;

use crate::event::{ConnectionId, Direction, Event, EventKind, LinkEvent, LinkId, Purpose};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::name::name_order;

/// What both ends call a connection. Older recordings have no name for it: then the pair of nodes
/// stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RunConnection {
    Named { dialer: Addr, acceptor: Addr },
    Pair(Addr, Addr),
}

/// Links between peers so far.
#[derive(Debug, Default)]
pub(super) struct RunLinks {
    pub(super) made: u64,
    pub(super) ended: u64,
    /// The connection of a link, by the node and its number there.
    ends: Map<(Addr, LinkId), RunConnection>,
    /// Links that are up, each with its nodes.
    up: Map<RunConnection, (Addr, Addr)>,
}

impl RunLinks {
    pub(super) fn take(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Link(LinkEvent::Up { link, connection, peer, direction, purpose: Purpose::Neighbor }) => {
                self.came_up((event.node, *link), connection.as_ref(), *peer, *direction);
            }
            EventKind::Link(LinkEvent::Down { link, purpose: Purpose::Neighbor, .. }) => {
                let connection = self.ends.swap_remove(&(event.node, *link));
                if connection.and_then(|connection| self.up.swap_remove(&connection)).is_some() {
                    self.ended += 1;
                }
            }
            EventKind::Link(_)
            | EventKind::Node(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => {}
        }
    }

    /// On sockets each end takes the beginning from its own clock, so it is no part of the name.
    fn came_up(&mut self, end: (Addr, LinkId), connection: Option<&ConnectionId>, peer: Addr, direction: Direction) {
        let node = end.0;
        let connection = match connection {
            Some(ConnectionId { dialer, acceptor, .. }) => {
                RunConnection::Named { dialer: *dialer, acceptor: *acceptor }
            }
            None => RunConnection::Pair(node.min(peer), node.max(peer)),
        };
        self.ends.insert(end, connection);
        match direction {
            Direction::Outbound => {
                self.made += 1;
                self.up.insert(connection, (node, peer));
            }
            // The dialer may have ended it by the time that this end knows of it.
            Direction::Inbound => {}
        }
    }

    /// The links that are up, by the names of their nodes. Those of which both ends were killed are
    /// not.
    pub(super) fn at_end(&self, model: &Model) -> BTreeSet<String> {
        let runs = |addr: &Addr| model.nodes().get(*addr).is_some_and(super::super::model::node::NodeRecord::runs);
        let alive = self.up.values().filter(|(one, other)| runs(one) && runs(other));
        alive.map(|(one, other)| pair(&model.name_of(*one), &model.name_of(*other))).collect()
    }
}

/// `p1-p4`, whoever dialed.
fn pair(one: &str, other: &str) -> String {
    let (first, second) = if name_order(one) <= name_order(other) { (one, other) } else { (other, one) };
    format!("{first}-{second}")
}
