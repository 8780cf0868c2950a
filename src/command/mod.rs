//! Everything that a user can want of a running session.

pub mod grammar;
pub mod limits;
pub mod words;

use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultClass, Scope};
use crate::proto::message::Role;
use crate::proto::text::Body;

/// Something that a user wants done. What cannot be done comes back as a `Failed` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start a node in this process.
    Start(NodeSpec),
    /// Start a whole network in this process, on free ports of loopback.
    StartLab {
        /// How many seeds.
        seeds: usize,
        /// How many peers, registered with those seeds.
        peers: usize,
    },
    /// Crash a node of this process: its sockets break off, nobody is told.
    Kill(Addr),
    /// Let a node of this process keep its sockets and say nothing.
    Hang(Addr),
    /// Start a killed or hung node of this process again, at the same address.
    Restart(Addr),
    /// Cut `node`'s link to `peer`, which runs elsewhere, and have `node` treat it as dead.
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
    /// Send a message of the user's own.
    Say {
        /// The peer of this process that sends it.
        node: Addr,
        /// What it says.
        body: Body,
    },
    /// Something wrong on purpose, or an end of it.
    Fault(FaultCommand),
    /// All nodes of this process say goodbye and stop.
    Quit,
}

/// What a user wants of the faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultCommand {
    /// From now on. A fault of the same kind at the same place is replaced.
    Set(Fault),
    /// No longer.
    Clear {
        /// The fault of this kind,
        kind: FaultClass,
        /// at this place.
        on: Scope,
    },
    /// No partitions any more.
    HealPartitions,
    /// No cuts and no partitions any more.
    HealAll,
    /// A peer tells its seeds that this node is dead, which it is not.
    Lie {
        /// A peer of this process.
        liar: Addr,
        /// Any other node.
        about: Addr,
    },
    /// No faults at all any more: those that are set end, and nodes that were killed or hang start again.
    Calm,
}

/// What a new node should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpec {
    /// Seed or peer.
    pub role: Role,
    /// Where it listens.
    pub listen: Placement,
}

/// Where a new node listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// A seed: the first address of the seed list that is free on this machine. A peer: the next
    /// free port from [`Placement::FIRST_PEER_PORT`] on. In a lab: any free port.
    Auto,
    /// Here, or not at all. At `0.0.0.0`: on all interfaces of this machine, named by its only address.
    At(Addr),
    /// On all interfaces of this machine; others know the node by this address.
    Everywhere(Addr),
}

impl Placement {
    /// Where peers begin to look for a free port.
    pub const FIRST_PEER_PORT: u16 = 3000;
}
