//! Everything that a user can want of a running session.

pub mod grammar;
pub mod limits;
pub mod words;

use crate::proto::addr::Addr;
pub use crate::proto::fault::FaultCommand;
use crate::proto::message::Role;
use crate::proto::text::Body;

/// Something that a user wants done. A refusal comes back as a `Failed` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start a node in this process.
    Start(NodeSpec),
    /// Start a whole network in this process, on free ports of loopback.
    StartLab {
        seeds: usize,
        /// Peers, registered with those seeds.
        peers: usize,
    },
    /// Crash a node of this process: its sockets break off, and nobody is told.
    Kill(Addr),
    /// Make a node of this process keep its sockets and say nothing.
    Hang(Addr),
    /// Restart a killed or hung node of this process at the same address.
    Restart(Addr),
    /// Cut `node`'s link to `peer`, which runs elsewhere, and make `node` treat it as dead.
    Cut {
        /// A node of this process.
        node: Addr,
        /// Its neighbor.
        peer: Addr,
    },
    /// Let `node` link to `peer` again.
    Heal {
        /// A node of this process.
        node: Addr,
        /// Its former neighbor.
        peer: Addr,
    },
    /// Send a message of the user.
    Say {
        /// The peer of this process that sends it.
        node: Addr,
        body: Body,
    },
    /// Set a fault, or end one.
    Fault(FaultCommand),
    /// All nodes of this process say goodbye and stop.
    Quit,
}

/// What a new node should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpec {
    pub role: Role,
    pub listen: Placement,
}

/// Where a new node listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// A seed: the first address of the seed list that is free on this machine. A peer: the next
    /// free port from [`Placement::FIRST_PEER_PORT`] on. In a lab: any free port.
    Auto,
    /// Here, or not at all. With `0.0.0.0`: on all interfaces of this machine, named by its only
    /// address.
    At(Addr),
    /// On all interfaces of this machine; others know the node by this address.
    Everywhere(Addr),
}

impl Placement {
    /// The first port that is tried for peers.
    pub const FIRST_PEER_PORT: u16 = 3000;
}
