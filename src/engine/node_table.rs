//! The nodes of this process: what they are called, how they are, and what can be asked of them. The same for nodes on
//! sockets, for nodes in virtual time, and for a scenario that is checked before anything runs.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexMap;

use crate::command::grammar::{self, Names};
use crate::command::words::WordError;
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::engine::fault::{self, FaultError, Standing};
use crate::net::wire::TextProblem;
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, Role};

/// How a node of this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// As it should.
    Runs,
    /// It keeps its sockets and says nothing.
    Hangs,
    /// It was crashed.
    Killed,
    /// It said goodbye.
    Left,
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runs => "runs",
            Self::Hangs => "hangs",
            Self::Killed => "was killed",
            Self::Left => "has left",
        })
    }
}

/// Why nothing was done. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No node of this process has this address.
    #[error("{0} is not a node of this process")]
    Unknown(Addr),
    /// A node of this process has the address, running or not.
    #[error("{addr} belongs to {name}, which {state}: choose another address")]
    Taken {
        addr: Addr,
        /// The node's name.
        name: String,
        /// How it is.
        state: NodeState,
    },
    /// The node is not in a state for it.
    #[error("{name} {state}")]
    NotRunning {
        /// The node's name.
        name: String,
        addr: Addr,
        /// How it is.
        state: NodeState,
    },
    /// Only a killed or hung node can be restarted.
    #[error("{name} runs: kill or hang it first")]
    Up {
        /// The node's name.
        name: String,
        addr: Addr,
    },
    /// Only a peer can do it.
    #[error("{name} is a seed, and seeds do not gossip: choose a peer")]
    NotAPeer {
        /// The node's name.
        name: String,
        addr: Addr,
    },
    /// The address is the node's name, and others could not reach it under this one.
    #[error("{0} cannot be dialed, and a node's address is its name: give one that other nodes reach")]
    NobodyThere(Addr),
    /// One network has one lab.
    #[error("there is a lab already: add to it with seed and peer")]
    SecondLab,
    /// There would be too many nodes.
    #[error("this process has room for {most} {role}s")]
    Full {
        /// Seeds or peers.
        role: Role,
        /// As many as there can be.
        most: usize,
    },
    /// There is no such fault.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A figure or a text is out of bounds.
    #[error(transparent)]
    Word(#[from] WordError),
    /// The text cannot be sent in the classic dialect.
    #[error(transparent)]
    Classic(#[from] TextProblem),
}

/// A node, through all its lives.
#[derive(Debug, Clone)]
pub struct NodeEntry {
    /// `s1`, `p7`.
    pub name: String,
    /// Seed or peer.
    pub role: Role,
    /// How it is.
    pub state: NodeState,
    /// How often it was restarted.
    pub life: u64,
}

/// All nodes of this process, in the order in which they were started first.
#[derive(Debug, Clone)]
pub struct NodeTable {
    /// What the nodes speak.
    pub(super) dialect: Dialect,
    /// A whole network was started at once.
    pub(super) has_lab: bool,
    nodes: IndexMap<Addr, NodeEntry>,
    names: IndexMap<String, Addr>,
    counts: Counts,
    /// Links that were cut at one of their ends, as the grammar has it of links to nodes elsewhere (a cut between two of
    /// ours is a fault): who of ours cut them, and to whom.
    cuts: BTreeSet<(Addr, Addr)>,
}

/// Seeds and peers that have a name so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    seeds: usize,
    peers: usize,
}

impl Counts {
    /// `s1`, `s2`, ..., `p1`, `p2`, ...: in the order in which nodes are started.
    fn next_name(&mut self, role: Role) -> String {
        let (letter, count) = match role {
            Role::Seed => ('s', &mut self.seeds),
            Role::Peer => ('p', &mut self.peers),
        };
        *count += 1;
        format!("{letter}{count}")
    }
}

impl NodeTable {
    /// Nobody is there yet; those that come will speak this.
    pub fn new(dialect: Dialect) -> Self {
        let (nodes, names, counts, cuts) = (IndexMap::new(), IndexMap::new(), Counts::default(), BTreeSet::new());
        Self { dialect, has_lab: false, nodes, names, counts, cuts }
    }

    /// From now on this network has its lab.
    pub fn note_lab(&mut self) {
        self.has_lab = true;
    }

    /// Where a node is in virtual time, which has no interfaces: all of them are 127.0.0.1.
    pub fn virtual_addr(&self, spec: &NodeSpec) -> Addr {
        match spec.listen {
            Placement::At(addr) | Placement::Everywhere(addr) if addr.ip().is_unspecified() => {
                Addr::loopback(addr.port())
            }
            Placement::At(addr) | Placement::Everywhere(addr) => addr,
            Placement::Auto => self.next_addr(spec.role),
        }
    }

    /// The node at this address.
    pub fn get(&self, addr: Addr) -> Option<&NodeEntry> {
        self.nodes.get(&addr)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Addr, &NodeEntry)> {
        self.nodes.iter().map(|(addr, entry)| (*addr, entry))
    }

    /// No node has this address, or had it.
    pub fn check_free(&self, addr: Addr) -> Result<(), Refusal> {
        match self.get(addr) {
            Some(NodeEntry { name, state, .. }) => Err(Refusal::Taken { addr, name: name.clone(), state: *state }),
            None => Ok(()),
        }
    }

    /// A new node runs at this address; its name.
    pub fn enter(&mut self, addr: Addr, role: Role) -> Result<String, Refusal> {
        self.check_free(addr)?;
        let name = self.counts.next_name(role);
        self.names.insert(name.clone(), addr);
        self.nodes.insert(addr, NodeEntry { name: name.clone(), role, state: NodeState::Runs, life: 0 });
        Ok(name)
    }

    /// The next free address of a network that has nobody else in it: seeds from 127.0.0.1:5001 on, peers from
    /// 127.0.0.1:3000 on.
    pub fn next_addr(&self, role: Role) -> Addr {
        let count = match role {
            Role::Seed => self.counts.seeds,
            Role::Peer => self.counts.peers,
        };
        // Of one more than there are nodes, one is free.
        let free = (count..=count + self.nodes.len())
            .map(|nth| nth_addr(role, nth))
            .find(|addr| !self.nodes.contains_key(addr));
        free.unwrap_or_else(|| nth_addr(role, count))
    }

    /// A running or hung node is crashed.
    pub fn kill(&mut self, addr: Addr) -> Result<(), Refusal> {
        let entry = self.entry(addr)?;
        match entry.state {
            NodeState::Runs | NodeState::Hangs => {
                entry.state = NodeState::Killed;
                // In another life it knows nothing of them.
                self.cuts.retain(|(node, _)| *node != addr);
                Ok(())
            }
            NodeState::Killed | NodeState::Left => Err(not_running(entry, addr)),
        }
    }

    /// A running node hangs.
    pub fn hang(&mut self, addr: Addr) -> Result<(), Refusal> {
        self.running(addr)?;
        self.entry(addr)?.state = NodeState::Hangs;
        Ok(())
    }

    /// A killed or hung node can live again. How it is.
    pub fn check_restart(&self, addr: Addr) -> Result<NodeState, Refusal> {
        let entry = self.get(addr).ok_or(Refusal::Unknown(addr))?;
        match entry.state {
            NodeState::Runs => Err(Refusal::Up { name: entry.name.clone(), addr }),
            NodeState::Left => Err(not_running(entry, addr)),
            state @ (NodeState::Hangs | NodeState::Killed) => Ok(state),
        }
    }

    /// A killed or hung node lives again. How it was.
    pub fn restart(&mut self, addr: Addr) -> Result<NodeState, Refusal> {
        let before = self.check_restart(addr)?;
        self.cuts.retain(|(node, _)| *node != addr);
        let entry = self.entry(addr)?;
        entry.state = NodeState::Runs;
        entry.life += 1;
        Ok(before)
    }

    /// A running node says goodbye.
    pub fn leave(&mut self, addr: Addr) -> Result<(), Refusal> {
        self.running(addr)?;
        self.entry(addr)?.state = NodeState::Left;
        Ok(())
    }

    /// A running peer gives up its link to another node and treats it as dead. It is meant for nodes elsewhere, but
    /// nothing here asks where the other runs: of one of ours it does the same.
    pub fn cut(&mut self, node: Addr, peer: Addr) -> Result<(), Refusal> {
        self.running_peer(node)?;
        self.cuts.insert((node, peer));
        Ok(())
    }

    /// A running peer may link to a node again that it was cut from.
    pub fn heal(&mut self, node: Addr, peer: Addr) -> Result<(), Refusal> {
        self.running_peer(node)?;
        self.cuts.remove(&(node, peer));
        Ok(())
    }

    /// What is left to do when the faults of the table have ended and nothing shall be wrong any more: whoever hangs or
    /// was killed is started again, and links that were cut are healed. Who said goodbye wanted to go.
    pub fn remedies(&self) -> Vec<Command> {
        let has_fallen = |state| match state {
            NodeState::Hangs | NodeState::Killed => true,
            NodeState::Runs | NodeState::Left => false,
        };
        let fallen = self.iter().filter(|(_, entry)| has_fallen(entry.state));
        let restarts = fallen.map(|(addr, _)| Command::Restart(addr));
        // A node that hangs forgets its cuts when it is started again.
        let cuts = self.cuts.iter().filter(|(node, _)| self.running(*node).is_ok());
        cuts.map(|(node, peer)| Command::Heal { node: *node, peer: *peer }).chain(restarts).collect()
    }

    /// This node, if it runs.
    pub fn running(&self, addr: Addr) -> Result<&NodeEntry, Refusal> {
        let entry = self.get(addr).ok_or(Refusal::Unknown(addr))?;
        match entry.state {
            NodeState::Runs => Ok(entry),
            NodeState::Hangs | NodeState::Killed | NodeState::Left => Err(not_running(entry, addr)),
        }
    }

    /// This node, if it is a peer that runs.
    pub fn running_peer(&self, addr: Addr) -> Result<&NodeEntry, Refusal> {
        match self.get(addr) {
            Some(entry) if entry.role == Role::Seed => Err(Refusal::NotAPeer { name: entry.name.clone(), addr }),
            Some(_) | None => self.running(addr),
        }
    }

    fn entry(&mut self, addr: Addr) -> Result<&mut NodeEntry, Refusal> {
        self.nodes.get_mut(&addr).ok_or(Refusal::Unknown(addr))
    }
}

impl Names for NodeTable {
    fn find(&self, word: &str) -> Option<Addr> {
        let named = self.names.get(word).copied();
        named.or_else(|| word.parse().ok().filter(|addr| self.nodes.contains_key(addr)))
    }

    fn is_ours(&self, node: Addr) -> bool {
        self.nodes.contains_key(&node)
    }
}

impl fault::Nodes for NodeTable {
    fn standing(&self, node: Addr) -> Standing {
        match self.get(node).map(|entry| entry.state) {
            Some(NodeState::Runs | NodeState::Hangs) => Standing::Ours,
            Some(NodeState::Killed | NodeState::Left) => Standing::Gone,
            None => Standing::Elsewhere,
        }
    }

    fn ours(&self) -> Vec<Addr> {
        self.iter().map(|(addr, _)| addr).filter(|addr| self.standing(*addr) == Standing::Ours).collect()
    }

    fn name(&self, node: Addr) -> String {
        self.get(node).map_or_else(|| node.to_string(), |entry| entry.name.clone())
    }
}

pub(super) fn not_running(entry: &NodeEntry, addr: Addr) -> Refusal {
    Refusal::NotRunning { name: entry.name.clone(), addr, state: entry.state }
}

/// Where the first seed and the first peer of a network of its own are.
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

/// The node that a command is about; `127.0.0.1:0` when it names none.
pub fn subject(command: &Command) -> Addr {
    match command {
        Command::Start(NodeSpec { listen: Placement::At(addr) | Placement::Everywhere(addr), .. })
        | Command::Kill(addr)
        | Command::Hang(addr)
        | Command::Restart(addr)
        | Command::Cut { node: addr, .. }
        | Command::Heal { node: addr, .. }
        | Command::Say { node: addr, .. } => *addr,
        Command::Fault(FaultCommand::Set(fault)) => fault.subject(),
        Command::Fault(FaultCommand::Lie { liar, .. }) => *liar,
        Command::Fault(
            FaultCommand::Clear { .. } | FaultCommand::HealPartitions | FaultCommand::HealAll | FaultCommand::Calm,
        )
        | Command::Start(NodeSpec { listen: Placement::Auto, .. })
        | Command::StartLab { .. }
        | Command::Quit => Addr::loopback(0),
    }
}

/// What was wanted, for `Failed` events.
pub fn describe(command: &Command, name: &dyn Fn(Addr) -> String) -> String {
    match command {
        Command::Start(spec) => format!("start a {}", spec.role),
        Command::StartLab { seeds, peers } => format!("start a lab of {seeds} seeds and {peers} peers"),
        Command::Kill(node) => format!("kill {node}"),
        Command::Hang(node) => format!("hang {node}"),
        Command::Restart(node) => format!("restart {node}"),
        Command::Cut { node, peer } => format!("cut {node} from {peer}"),
        Command::Heal { node, peer } => format!("link {node} to {peer} again"),
        Command::Say { node, .. } => format!("send a message from {node}"),
        Command::Fault(_) | Command::Quit => grammar::text(command, name),
    }
}

/// What a node's random choices follow from: the session's seed, who it is, and which life it
/// lives. The mixing is that of `SplitMix64`.
pub fn derive_seed(session: u64, addr: Addr, life: u64) -> u64 {
    let node = u64::from(addr.ip().to_bits()) << 16 | u64::from(addr.port());
    mix(mix(session ^ mix(node)).wrapping_add(life))
}

/// Another number, as random as this one.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_and_every_life_of_it_chooses_differently_and_the_same_in_every_run() {
        let (one, other) = (Addr::loopback(3000), Addr::loopback(3001));
        assert_eq!(derive_seed(7, one, 0), derive_seed(7, one, 0));
        let seeds = [derive_seed(7, one, 0), derive_seed(7, one, 1), derive_seed(7, other, 0), derive_seed(8, one, 0)];
        for (at, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..at].contains(seed), "{seeds:?}");
        }
    }

    #[test]
    fn nodes_are_named_and_placed_in_the_order_in_which_they_are_started() {
        let mut table = NodeTable::new(Dialect::Framed);
        let mut start = |role| {
            let addr = table.next_addr(role);
            (table.enter(addr, role).unwrap(), addr.to_string())
        };
        assert_eq!(start(Role::Seed), ("s1".to_owned(), "127.0.0.1:5001".to_owned()));
        assert_eq!(start(Role::Peer), ("p1".to_owned(), "127.0.0.1:3000".to_owned()));
        for _ in 2..=PEERS_PER_HOST {
            start(Role::Peer);
        }
        assert_eq!(start(Role::Peer), ("p2001".to_owned(), "127.0.0.2:3000".to_owned()));
    }

    #[test]
    fn what_cannot_be_asked_of_a_node_is_refused_by_name() {
        let mut table = NodeTable::new(Dialect::Framed);
        let (seed, peer) = (Addr::loopback(5001), Addr::loopback(3000));
        table.enter(seed, Role::Seed).unwrap();
        table.enter(peer, Role::Peer).unwrap();
        assert_eq!(table.restart(peer).unwrap_err().to_string(), "p1 runs: kill or hang it first");
        table.kill(peer).unwrap();
        assert_eq!(table.kill(peer).unwrap_err().to_string(), "p1 was killed");
        assert_eq!(table.running_peer(seed).unwrap_err(), Refusal::NotAPeer { name: "s1".to_owned(), addr: seed });
        assert_eq!(table.restart(peer), Ok(NodeState::Killed));
        assert_eq!(table.get(peer).unwrap().life, 1);
        assert_eq!(table.find("p1"), Some(peer));
    }

    #[test]
    fn to_calm_a_network_is_to_start_again_what_fell_and_to_heal_what_was_cut_but_nobody_who_left() {
        let mut table = NodeTable::new(Dialect::Framed);
        let [hung, killed, left, cut, healed, kept] = [0, 1, 2, 3, 4, 5].map(|nth| Addr::loopback(3000 + nth));
        for peer in [hung, killed, left, cut, healed, kept] {
            table.enter(peer, Role::Peer).unwrap();
        }
        let far = Addr::loopback(9);
        table.cut(hung, far).unwrap();
        table.cut(cut, far).unwrap();
        table.cut(healed, far).unwrap();
        table.heal(healed, far).unwrap();
        table.hang(hung).unwrap();
        table.kill(killed).unwrap();
        table.leave(left).unwrap();
        let remedies = [Command::Heal { node: cut, peer: far }, Command::Restart(hung), Command::Restart(killed)];
        assert_eq!(table.remedies(), remedies);
        table.restart(hung).unwrap();
        table.restart(killed).unwrap();
        table.heal(cut, far).unwrap();
        assert_eq!(table.remedies(), []);
    }
}
