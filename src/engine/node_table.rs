//! The nodes of this process, by address and by name.

use indexmap::IndexMap;

use super::{NodeEntry, NodeName};
use crate::command::Placement;
use crate::command::grammar::Names;
use crate::event::NodeState;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// All nodes of this process, in the order of their first start. None is ever removed.
#[derive(Debug, Clone, Default)]
pub struct NodeTable {
    nodes: IndexMap<Addr, NodeEntry>,
    /// The addresses of the seeds and of the peers, by their numbers.
    seeds: Vec<Addr>,
    peers: Vec<Addr>,
}

impl NodeTable {
    /// Running peers at these addresses.
    pub fn of_peers(addrs: impl IntoIterator<Item = Addr>) -> Self {
        let mut nodes = Self::default();
        addrs.into_iter().for_each(|addr| nodes.enter(addr, Role::Peer));
        nodes
    }

    pub fn get(&self, addr: Addr) -> Option<&NodeEntry> {
        self.nodes.get(&addr)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Addr, &NodeEntry)> {
        self.nodes.iter().map(|(addr, entry)| (*addr, entry))
    }

    /// Addresses of the nodes from this index on.
    pub fn addrs_from(&self, first: usize) -> impl Iterator<Item = Addr> {
        self.nodes.keys().skip(first).copied()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Nodes of this role, whatever became of them.
    pub const fn count(&self, role: Role) -> usize {
        self.numbered(role).len()
    }

    const fn numbered(&self, role: Role) -> &Vec<Addr> {
        match role {
            Role::Seed => &self.seeds,
            Role::Peer => &self.peers,
        }
    }

    /// The node's state; `None`: it is no node of ours.
    pub fn state(&self, node: Addr) -> Option<NodeState> {
        self.get(node).map(|entry| entry.state)
    }

    /// All nodes that run or hang.
    pub fn up(&self) -> impl Iterator<Item = Addr> {
        self.iter().filter(|(_, entry)| entry.state.is_up()).map(|(addr, _)| addr)
    }

    /// The display name of a node.
    pub fn name(&self, node: Addr) -> String {
        self.get(node).map_or_else(|| node.to_string(), |entry| entry.name.to_string())
    }

    /// A new node runs at this free address.
    pub(super) fn enter(&mut self, addr: Addr, role: Role) {
        let numbered = match role {
            Role::Seed => &mut self.seeds,
            Role::Peer => &mut self.peers,
        };
        numbered.push(addr);
        let name = NodeName { role, number: u32::try_from(numbered.len()).unwrap_or(u32::MAX) };
        self.nodes.insert(addr, NodeEntry { name, state: NodeState::Runs, life: 0 });
    }

    pub(super) fn set_state(&mut self, addr: Addr, state: NodeState) {
        if let Some(entry) = self.nodes.get_mut(&addr) {
            entry.state = state;
        }
    }

    pub(super) fn begin_life(&mut self, addr: Addr) {
        if let Some(entry) = self.nodes.get_mut(&addr) {
            entry.state = NodeState::Runs;
            entry.life += 1;
        }
    }

    /// The next free addresses of a network without other nodes: seeds from 127.0.0.1:5001 on,
    /// peers from 127.0.0.1:3000 on.
    pub fn free_addrs(&self, role: Role) -> impl Iterator<Item = Addr> {
        let first = self.count(role);
        (first..).map(move |nth| nth_addr(role, nth)).filter(|addr| !self.nodes.contains_key(addr))
    }
}

impl Names for NodeTable {
    fn find(&self, word: &str) -> Option<Addr> {
        match word.parse::<NodeName>() {
            Ok(NodeName { role, number }) => {
                let index = usize::try_from(number).ok()?.checked_sub(1)?;
                self.numbered(role).get(index).copied()
            }
            Err(_) => word.parse().ok().filter(|addr| self.nodes.contains_key(addr)),
        }
    }

    fn is_ours(&self, node: Addr) -> bool {
        self.nodes.contains_key(&node)
    }
}

/// The first seed of a network in virtual time.
const FIRST_SEED_PORT: u16 = 5001;
/// Peers on one host of such a network: the next port would be the first seed's.
const PEERS_PER_HOST: usize = 2_000;

fn nth_addr(role: Role, nth: usize) -> Addr {
    let (first, per_host) = match role {
        Role::Seed => (FIRST_SEED_PORT, usize::from(u16::MAX - FIRST_SEED_PORT)),
        Role::Peer => (Placement::FIRST_PEER_PORT, PEERS_PER_HOST),
    };
    let host = u32::try_from(nth / per_host).unwrap_or(u32::MAX);
    let ip = std::net::Ipv4Addr::from_bits(std::net::Ipv4Addr::LOCALHOST.to_bits().saturating_add(host));
    Addr::new(ip, first + u16::try_from(nth % per_host).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_and_placed_in_order_of_their_start() {
        let mut table = NodeTable::default();
        let mut start = |role| {
            let addr = table.free_addrs(role).next().unwrap();
            table.enter(addr, role);
            (table.get(addr).unwrap().name.to_string(), addr.to_string())
        };
        assert_eq!(start(Role::Seed), ("s1".to_owned(), "127.0.0.1:5001".to_owned()));
        assert_eq!(start(Role::Peer), ("p1".to_owned(), "127.0.0.1:3000".to_owned()));
        for _ in 2..=PEERS_PER_HOST {
            start(Role::Peer);
        }
        assert_eq!(start(Role::Peer), ("p2001".to_owned(), "127.0.0.2:3000".to_owned()));
        assert_eq!(table.find("p2001"), Some("127.0.0.2:3000".parse().unwrap()));
        assert_eq!(table.find("p2002"), None);
    }
}
