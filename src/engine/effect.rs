//! What the engine wants done.

use std::sync::Arc;
use std::time::Duration;

use super::Refusal;
use super::fault::FaultView;
use crate::event::EventKind;
use crate::proto::addr::Addr;
use crate::proto::machine::NodeCommand;

/// The outcome of a command.
#[derive(Debug)]
pub struct CommandOutcome<S> {
    /// What to do, in order. For a refused command, only to publish that.
    pub effects: Vec<Effect<S>>,
    /// Whether the command is carried out.
    pub result: Result<(), Refusal>,
}

/// Something for the driver to do. `S` is where a node runs: see [`Sites`](super::Sites).
#[derive(Debug)]
pub enum Effect<S> {
    /// Tell all listeners, in order.
    Publish(Vec<Publication>),
    /// Let the node run, with the machine from [`Engine::machine`](super::Engine::machine). Its
    /// `Started` has been published.
    Start { node: Addr, site: S },
    /// End the node as a crash does: nobody is told.
    Crash(Addr),
    /// Make the node keep its sockets and do nothing.
    Hang(Addr),
    /// Hand this to the node's machine.
    Tell(Addr, NodeCommand),
    /// All nodes meet these faults from now on.
    Faults(Arc<FaultView>),
    /// Connect to the node and send junk, with this pause; `None`: stop doing so.
    Junk { node: Addr, pause: Option<Duration> },
    /// The end of the network.
    Leave {
        /// These nodes say goodbye, the earliest first.
        goodbyes: Vec<Goodbye>,
        /// These are crashed meanwhile.
        crashes: Vec<Addr>,
    },
}

/// Something to tell all listeners, at the time when it is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
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
