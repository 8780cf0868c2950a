//! Why a command is not carried out.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;

use super::NodeName;
use super::fault::FaultError;
use crate::command::limits::NetworkLimits;
use crate::command::words::WordError;
use crate::event::NodeState;
use crate::net::wire::TextProblem;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// Why a command is not carried out. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is not a node of this process")]
    Unknown(Addr),
    /// A node of this process has the address, running or not.
    #[error("{addr} belongs to {name}, which {state}: choose another address")]
    Taken { addr: Addr, name: NodeName, state: NodeState },
    /// The node is not in a state for it.
    #[error("{name} {state}")]
    NotRunning { name: NodeName, addr: Addr, state: NodeState },
    /// Only a killed or hung node can be restarted.
    #[error("{name} runs: kill or hang it first")]
    Up { name: NodeName, addr: Addr },
    /// Only a peer can do it.
    #[error("{name} is a seed, and seeds do not gossip: choose a peer")]
    NotAPeer { name: NodeName, addr: Addr },
    /// The address is the node's name, and others could not reach the node under this one.
    #[error("{0} cannot be dialed, and a node's address is its name: give one that other nodes can reach")]
    NobodyThere(Addr),
    /// One network has one lab.
    #[error("there is a lab already: add nodes with 'seed' and 'peer'")]
    SecondLab,
    /// There would be too many nodes.
    #[error("this process has room for {most} {role}s{}", room_elsewhere(*role, *most))]
    Full {
        role: Role,
        /// The limit.
        most: usize,
    },
    /// A node needs the seed list, which could not be read.
    #[error("{0}")]
    NoSeedList(String),
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A number or a text is out of bounds.
    #[error(transparent)]
    Word(#[from] WordError),
    /// The text cannot be sent in the classic dialect.
    #[error(transparent)]
    Classic(#[from] TextProblem),
    /// There is no place for the node.
    #[error(transparent)]
    Site(#[from] SiteError),
}

impl Refusal {
    /// Whether the user can correct it in the command itself.
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::Word(_)
            | Self::Site(SiteError::WhichInterface { .. } | SiteError::NoInterface { .. }) => true,
            Self::Unknown(_)
            | Self::Taken { .. }
            | Self::NotRunning { .. }
            | Self::Up { .. }
            | Self::NotAPeer { .. }
            | Self::NobodyThere(_)
            | Self::SecondLab
            | Self::NoSeedList(_)
            | Self::Fault(_)
            | Self::Classic(_)
            | Self::Site(_) => false,
        }
    }
}

/// Why there is no place for a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// Somebody else listens there.
    #[error("{addr} is in use{}", next_text(*.next))]
    InUse {
        addr: Addr,
        /// The next free one.
        next: Option<Addr>,
    },
    /// To listen on all interfaces a node needs a name, and there are several to choose from.
    #[error(
        "this machine has several addresses ({}), and a node's address is its name: choose one with --advertise {}, \
         or listen on one of them, such as {}:{port}",
        list(found), found[0], found[0]
    )]
    WhichInterface {
        port: u16,
        /// At least two.
        found: Vec<Ipv4Addr>,
    },
    /// The same, and there is none.
    #[error(
        "this machine has no address that others can reach, and a node's address is its name: name one with --advertise, \
         or listen on 127.0.0.1:{port}"
    )]
    NoInterface { port: u16 },
    /// None of the seed list's addresses is free.
    #[error("no address of the seed list is free on this machine ({}): choose one with --listen", list(.0))]
    NoSeedAddress(Vec<Addr>),
    #[error("no free port from {0} on: choose an address with --listen")]
    NoFreePort(Addr),
    /// The address is another machine's.
    #[error("{0} is not an address of this machine: listen on one that is, such as 127.0.0.1:{port}", port = .0.port())]
    NotLocal(Addr),
    /// The system does not allow it.
    #[error("no permission to listen on {0}: choose a port from 1024 on")]
    Denied(Addr),
    /// Any other error of the system.
    #[error("cannot listen on {addr}: {source}")]
    Io { addr: Addr, source: SystemError },
    /// This many nodes need more file descriptors than this process may have.
    #[error(
        "{nodes} more nodes need about {need} file descriptors in all, and this process may have {limit}: {} too few; \
         start fewer ({peers_max} peers fit), or raise the limit with 'ulimit -n {need}'",
        .need.saturating_sub(*.limit)
    )]
    TooManyFiles {
        /// Nodes that were asked for.
        nodes: usize,
        /// Descriptors that are needed in all.
        need: u64,
        /// Descriptors that this process may have.
        limit: u64,
        /// The most peers that fit.
        peers_max: u64,
    },
}

/// An error of the system that can be compared and kept: its number, or its kind if it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemError {
    code: Option<i32>,
    kind: io::ErrorKind,
}

impl From<&io::Error> for SystemError {
    fn from(error: &io::Error) -> Self {
        Self { code: error.raw_os_error(), kind: error.kind() }
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => io::Error::from_raw_os_error(code).fmt(f),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for SystemError {}

fn room_elsewhere(role: Role, most: usize) -> String {
    let elsewhere = match role {
        Role::Seed => NetworkLimits::VIRTUAL.seeds,
        Role::Peer => NetworkLimits::VIRTUAL.peers,
    };
    if most < elsewhere {
        format!("; in virtual time (--virtual) there is room for {elsewhere}")
    } else {
        String::new()
    }
}

fn next_text(next: Option<Addr>) -> String {
    next.map_or_else(String::new, |next| format!("; the next free address is {next}"))
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    if items.is_empty() {
        return "it is empty".to_owned();
    }
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
