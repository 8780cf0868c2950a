//! The names of nodes, from their own events.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::event::{Event, EventKind, NodeEvent};
use crate::proto::addr::Addr;

/// Names of the nodes of this process.
#[derive(Debug, Clone, Default)]
pub struct NodeNames {
    known: IndexMap<Addr, String>,
}

impl NodeNames {
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from a `Started` event; ignores any other.
    pub fn learn(&mut self, event: &Event) {
        if let EventKind::Node(NodeEvent::Started { name, .. }) = &event.kind {
            self.known.insert(event.node, name.clone());
        }
    }

    /// `p3`, or the address of a node elsewhere.
    pub fn name(&self, addr: Addr) -> Cow<'_, str> {
        match self.known.get(&addr) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(addr.name()),
        }
    }
}
