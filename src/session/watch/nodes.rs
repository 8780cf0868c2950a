//! The nodes of a session that is followed, and their end with its process.

use crate::event::{Event, EventKind, NodeEvent, Stop};
use crate::model::Map;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// Nodes in the order of their first start.
#[derive(Debug, Default)]
pub(super) struct FollowedNodes(Map<Addr, FollowedNode>);

#[derive(Debug, Clone, Copy)]
struct FollowedNode {
    role: Role,
    is_running: bool,
}

impl FollowedNodes {
    pub(super) fn take(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Node(NodeEvent::Started { role, .. }) => {
                self.0.insert(event.node, FollowedNode { role: *role, is_running: true });
            }
            EventKind::Node(NodeEvent::Stopped { .. }) => {
                self.0.entry(event.node).and_modify(|node| node.is_running = false);
            }
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = Addr> {
        self.0.keys().copied()
    }

    /// The one that started first.
    pub(super) fn first(&self) -> Option<(Addr, Role)> {
        self.0.first().map(|(addr, node)| (*addr, node.role))
    }

    /// Their process was killed at this time: the end of each that ran.
    pub(super) fn kill(&mut self, at: Time) -> Vec<Event> {
        let killed =
            self.0.iter_mut().filter_map(|(node, about)| std::mem::take(&mut about.is_running).then_some(*node));
        let kind = EventKind::Node(NodeEvent::Stopped { how: Stop::Killed });
        killed.map(|node| Event { at, node, kind: kind.clone() }).collect()
    }
}
