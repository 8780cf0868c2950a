//! Why something that a user wanted was not done, in words for people.

use std::io;
use std::net::Ipv4Addr;

use crate::engine::Refusal;
use crate::proto::addr::Addr;

/// Why a node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error("{addr} is in use{}", next_text(*.next))]
    InUse {
        addr: Addr,
        /// The next one that is free.
        next: Option<Addr>,
    },
    /// A node of this process has the address, running or not.
    #[error(transparent)]
    Ours(#[from] Refusal),
    /// To listen on all interfaces a node needs a name, and there are several to choose from.
    #[error(
        "this machine has several addresses ({}), and a node's address is its name: choose one with --advertise {}, \
         or listen on one of them, such as {}:{port}",
        ips(found), found[0], found[0]
    )]
    WhichInterface {
        /// The port.
        port: u16,
        /// The addresses; at least two.
        found: Vec<Ipv4Addr>,
    },
    /// The same, and there is none.
    #[error(
        "this machine has no address that others reach, and a node's address is its name: name one with --advertise, \
         or listen on 127.0.0.1:{port}"
    )]
    NoInterface {
        /// The port.
        port: u16,
    },
    /// None of the seed list's addresses can be had.
    #[error("no seed address of the list is free on this machine ({}): choose one with --listen", list(.0))]
    NoSeedAddress(Vec<Addr>),
    /// No port is left.
    #[error("no free port from {0} on: choose an address with --listen")]
    NoFreePort(Addr),
    /// The address is another machine's.
    #[error("{0} is not an address of this machine: listen on one that is, such as 127.0.0.1:{port}", port = .0.port())]
    NotLocal(Addr),
    /// The system does not allow it.
    #[error("no permission to listen on {0}: choose a port from 1024 on")]
    Denied(Addr),
    /// The system said something else.
    #[error("cannot listen on {addr}: {source}")]
    Io {
        addr: Addr,
        /// What the system said.
        source: io::Error,
    },
    /// So many nodes need more file descriptors than this process may have.
    #[error(
        "{nodes} more nodes need about {need} file descriptors in all, and this process may have {limit}: {} too few; \
         start fewer ({peers_max} peers fit), or raise the limit with 'ulimit -n {need}'",
        .need.saturating_sub(*.limit)
    )]
    TooManyFiles {
        /// Nodes that were asked for.
        nodes: usize,
        /// Descriptors that it takes in all.
        need: u64,
        /// Descriptors that there can be.
        limit: u64,
        /// Peers that there can be in all.
        peers_max: u64,
    },
}

fn ips(found: &[Ipv4Addr]) -> String {
    found.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(", ")
}

fn next_text(next: Option<Addr>) -> String {
    next.map_or_else(String::new, |next| format!("; the next free address is {next}"))
}

fn list(addrs: &[Addr]) -> String {
    if addrs.is_empty() {
        return "it is empty".to_owned();
    }
    addrs.iter().map(Addr::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a command was not carried out. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A node could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The node is not there, or not in a state for it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}
