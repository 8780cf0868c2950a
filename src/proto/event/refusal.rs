//! Why a command is not carried out.

use std::net::Ipv4Addr;

use derive_more::From;
use serde::{Deserialize, Serialize};

use super::state::NodeState;
use super::system_error::SystemError;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::name::NodeName;

/// Why a command is not carried out. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, From, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It is not a node of this process.
    Unknown(Addr),
    /// A node of this process has the address, running or not.
    Taken {
        addr: Addr,
        name: NodeName,
        state: NodeState,
    },
    /// The node is not in a state for it.
    NotRunning {
        name: NodeName,
        addr: Addr,
        state: NodeState,
    },
    /// Only a killed or hung node can be restarted.
    Up {
        name: NodeName,
        addr: Addr,
    },
    /// Only a peer can do it.
    NotAPeer {
        name: NodeName,
        addr: Addr,
    },
    /// The address is the node's name, and others could not reach the node under this one.
    NobodyThere(Addr),
    /// One network has one lab.
    SecondLab,
    /// A lab without nodes of this role.
    NoNodes {
        role: Role,
        /// The limit.
        most: usize,
    },
    /// There would be too many nodes.
    Full {
        role: Role,
        /// The limit.
        most: usize,
    },
    /// A node needs the seed list, which could not be read; what whoever tried says of it.
    NoSeedList(String),
    #[from]
    Fault(FaultError),
    NoText,
    /// The message is longer than any message may be.
    TextTooLong {
        /// In bytes.
        len: usize,
    },
    /// The text cannot be sent in the classic dialect.
    #[from]
    Classic(TextProblem),
    /// There is no place for the node.
    #[from]
    Site(SiteError),
}

impl Refusal {
    /// Whether the user can correct it in the command itself.
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::NoNodes { .. }
            | Self::NoText
            | Self::TextTooLong { .. }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteError {
    /// Somebody else listens there.
    InUse {
        addr: Addr,
        /// The next free one.
        next: Option<Addr>,
    },
    /// To listen on all interfaces a node needs a name, and there are several to choose from.
    WhichInterface {
        port: u16,
        /// At least two.
        found: Vec<Ipv4Addr>,
    },
    /// The same, and there is none.
    NoInterface { port: u16 },
    /// None of the seed list's addresses is free.
    NoSeedAddress(Vec<Addr>),
    /// From this one on.
    NoFreePort(Addr),
    /// The address is another machine's.
    NotLocal(Addr),
    /// The system does not allow it.
    Denied(Addr),
    /// Any other error of the system.
    Io { addr: Addr, source: SystemError },
    /// This many nodes need more file descriptors than this process may have.
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

/// Why there is no such fault. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultError {
    /// The node was killed, or has left.
    Gone { name: String },
    /// None of the nodes runs here.
    Elsewhere { name: String },
    /// A node has no link to itself, and cannot report itself.
    Itself { name: String },
    /// A partition of no node.
    Nobody,
    /// A partition of all nodes.
    Everybody,
    /// There is nothing to clear.
    None {
        /// What was to be cleared, as in the command.
        what: String,
    },
    /// This many are set.
    TooMany { most: usize },
}

/// Why a text cannot be the body of a classic gossip message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextProblem {
    Empty,
    /// Longer than a classic reader takes at once; lengths in bytes.
    TooLong {
        len: usize,
        max: usize,
    },
    /// Python nodes fail on such bytes.
    NotUtf8,
    /// Python nodes print texts unescaped.
    Control(char),
    /// Without frames, this would be taken for the start of another message.
    Boundary(String),
}
