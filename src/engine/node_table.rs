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
    naming: Naming,
}

/// What new nodes are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Naming {
    #[default]
    Numbered,
    ByAddress,
}

impl NodeTable {
    /// A table whose nodes are called by their addresses.
    pub(super) fn by_address() -> Self {
        Self { naming: Naming::ByAddress, ..Self::default() }
    }

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
        self.get(node).map_or_else(|| node.name(), |entry| entry.name.to_string())
    }

    /// A new node runs at this free address.
    pub(super) fn enter(&mut self, addr: Addr, role: Role) {
        let numbered = match role {
            Role::Seed => &mut self.seeds,
            Role::Peer => &mut self.peers,
        };
        numbered.push(addr);
        let name = match self.naming {
            Naming::Numbered => NodeName::Numbered { role, number: u32::try_from(numbered.len()).unwrap_or(u32::MAX) },
            Naming::ByAddress => NodeName::Address(addr),
        };
        self.nodes.insert(addr, NodeEntry { name, role, state: NodeState::Runs, life: 0 });
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
        match (self.naming, word.parse()) {
            (Naming::Numbered, Ok(NodeName::Numbered { role, number })) => {
                let index = usize::try_from(number).ok()?.checked_sub(1)?;
                self.numbered(role).get(index).copied()
            }
            (Naming::Numbered | Naming::ByAddress, _) => {
                Addr::by_name(word).filter(|addr| self.nodes.contains_key(addr))
            }
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

    #[test]
    fn a_node_outside_of_a_lab_is_called_by_its_address() {
        let mut table = NodeTable::by_address();
        let (here, there) = (Addr::loopback(3_000), Addr::new([192, 168, 1, 5].into(), 3_000));
        table.enter(here, Role::Peer);
        table.enter(there, Role::Seed);
        assert_eq!([here, there].map(|addr| table.name(addr)), [":3000", "192.168.1.5:3000"]);
        let found = [":3000", "127.0.0.1:3000", "192.168.1.5:3000", "p1", ":3001"].map(|word| table.find(word));
        assert_eq!(found, [Some(here), Some(here), Some(there), None, None]);
    }
}
