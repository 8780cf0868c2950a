//! What is to be done.

use std::sync::Arc;
use std::time::Duration;

use super::Refusal;
use super::fault::FaultView;
use crate::event::EventKind;
use crate::proto::addr::Addr;
use crate::proto::machine::NodeCommand;

/// What a command comes to.
#[derive(Debug)]
pub struct CommandOutcome<S> {
    /// What is to be done, in order. Of a refused command that is only to tell so.
    pub effects: Vec<Effect<S>>,
    /// Whether the command is carried out.
    pub result: Result<(), Refusal>,
}

/// Something that whoever runs the nodes is to do. `S` is where a node runs: see [`Sites`](super::Sites).
#[derive(Debug)]
pub enum Effect<S> {
    /// Tell all listeners, in order.
    Publish(Vec<Publication>),
    /// Let the node run, as [`Engine::machine`](super::Engine::machine) makes it. Its `Started` has been published.
    Start { node: Addr, site: S },
    /// End the node as a crash does: nobody is told.
    Crash(Addr),
    /// Let the node keep its sockets and do nothing.
    Hang(Addr),
    /// Hand this to the node's machine.
    Tell(Addr, NodeCommand),
    /// All nodes meet these faults from now on.
    Faults(Arc<FaultView>),
    /// Somebody connects to the node and sends junk, with this pause; `None`: no longer.
    Junk { node: Addr, pause: Option<Duration> },
    /// The end of the network.
    Leave {
        /// These say goodbye, the earliest first.
        goodbyes: Vec<Goodbye>,
        /// These are crashed meanwhile.
        crashes: Vec<Addr>,
    },
}

/// Something to be told to all listeners, at the time at which it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Which node it is about.
    pub node: Addr,
    pub kind: EventKind,
}

/// A node that leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goodbye {
    pub node: Addr,
    /// How long after the command.
    pub after: Duration,
}
