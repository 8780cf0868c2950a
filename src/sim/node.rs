//! Nodes, and the table of them.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

use hashbrown::HashMap;

use super::ids::{ConnIx, NodeIx};
use crate::proto::addr::Addr;
use crate::proto::machine::Input;
use crate::proto::time::Time;

/// An address at which a node was started, and the node if it is still there.
#[derive(Debug)]
pub(super) struct NodeSite<M> {
    pub(super) addr: Addr,
    /// How often nodes here have dialed.
    pub(super) dials: u32,
    pub(super) node: Option<SimulatedNode<M>>,
}

/// A node that is there, hung or not.
#[derive(Debug)]
pub(super) struct SimulatedNode<M> {
    pub(super) machine: M,
    pub(super) condition: Condition,
    /// The user was told that more waits to be written than a classic link takes.
    pub(super) told_backlog: bool,
    /// When the machine wants to be woken.
    pub(super) wake_at: Option<Time>,
    /// When that is checked next; never after it.
    pub(super) look_at: Option<Time>,
    /// When the node reads next, if something waits.
    pub(super) reads_at: Option<Time>,
    /// What waits because the node is slow or paused, and since when.
    pub(super) unread: VecDeque<(Time, Input)>,
    /// Its connections that are not closed at both ends.
    pub(super) connections: Vec<ConnIx>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Up,
    Hung,
    Paused,
}

impl<M> SimulatedNode<M> {
    pub(super) const fn new(machine: M) -> Self {
        Self {
            machine,
            condition: Condition::Up,
            told_backlog: false,
            wake_at: None,
            look_at: None,
            reads_at: None,
            unread: VecDeque::new(),
            connections: Vec::new(),
        }
    }
}

/// All addresses at which nodes were started.
#[derive(Debug)]
pub(super) struct NodeSites<M> {
    sites: Vec<NodeSite<M>>,
    /// The hash is fixed, and nothing depends on the order of the map.
    by_addr: HashMap<Addr, NodeIx, foldhash::fast::FixedState>,
}

impl<M> NodeSites<M> {
    pub(super) fn new() -> Self {
        Self { sites: Vec::new(), by_addr: HashMap::default() }
    }

    /// The number of an address, which gets one if it has none.
    pub(super) fn enter(&mut self, addr: Addr) -> NodeIx {
        let sites = &mut self.sites;
        *self.by_addr.entry(addr).or_insert_with(|| {
            sites.push(NodeSite { addr, dials: 0, node: None });
            // There are fewer addresses at which a user can start nodes.
            NodeIx(u32::try_from(sites.len() - 1).unwrap_or(u32::MAX - 1))
        })
    }

    /// The node at an address, if one is there.
    pub(super) fn find(&self, addr: Addr) -> Option<NodeIx> {
        self.by_addr.get(&addr).copied().filter(|node| self.get(*node).is_some())
    }

    pub(super) fn get(&self, node: NodeIx) -> Option<&SimulatedNode<M>> {
        self.sites.get(node.0 as usize)?.node.as_ref()
    }

    pub(super) fn get_mut(&mut self, node: NodeIx) -> Option<&mut SimulatedNode<M>> {
        self.sites.get_mut(node.0 as usize)?.node.as_mut()
    }

    /// The nodes that are there, in the order of the first start at their addresses.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeIx, &NodeSite<M>, &SimulatedNode<M>)> {
        self.range(0, self.len())
    }

    /// The nodes that are there, among this many addresses from this one on.
    pub(super) fn range(
        &self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = (NodeIx, &NodeSite<M>, &SimulatedNode<M>)> {
        let numbered = (0..).map(NodeIx).zip(&self.sites).skip(first).take(count);
        numbered.filter_map(|(node, site)| site.node.as_ref().map(|there| (node, site, there)))
    }

    /// Addresses, whether nodes are there or not.
    pub(super) fn len(&self) -> usize {
        self.sites.len()
    }
}

impl<M> Index<NodeIx> for NodeSites<M> {
    type Output = NodeSite<M>;

    fn index(&self, node: NodeIx) -> &NodeSite<M> {
        &self.sites[node.0 as usize]
    }
}

impl<M> IndexMut<NodeIx> for NodeSites<M> {
    fn index_mut(&mut self, node: NodeIx) -> &mut NodeSite<M> {
        &mut self.sites[node.0 as usize]
    }
}
