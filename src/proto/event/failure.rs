//! What was to be done and was not, and why.
//!
//! Where only words are known, as in recordings made before these were typed, they are a quotation.

use derive_more::From;
use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, TextProblem};
use super::system_error::{SystemError, SystemErrorKind};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultCommand;
use crate::proto::message::Role;

/// What was to be done: by the command of a user, or by the node or the program of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    Start(Role),
    StartLab {
        seeds: usize,
        peers: usize,
    },
    Kill(Addr),
    Hang(Addr),
    Restart(Addr),
    /// Cut the link of a node of ours to one that runs elsewhere.
    Cut {
        node: Addr,
        peer: Addr,
    },
    /// Let it link to it again.
    Heal {
        node: Addr,
        peer: Addr,
    },
    /// Send a message of the user.
    Say(Addr),
    Fault(FaultCommand),
    Quit,
    /// A node's task.
    Run,
    Accept,
    Send,
    SendInTime,
    SendBeforeLeaving,
    /// Virtual time follows the clock.
    KeepUp,
    /// An invariant of the network.
    HoldInvariant,
    #[serde(untagged)]
    Quote(String),
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, From, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The command is refused.
    #[from]
    Refused(Refusal),
    #[from]
    System(SystemError),
    /// The message cannot be written.
    #[from]
    Unwritable(Unwritable),
    /// In the classic dialect nobody could tell it from what was said in the same second.
    SaidAlready,
    /// More messages wait for a classic link than it takes.
    Backlog {
        messages: usize,
        /// It takes one in this time.
        gap_us: u64,
    },
    /// This many messages were still waiting to be written.
    Unsent { messages: usize },
    /// A fault in this program.
    Panic,
    /// This machine is too slow for the network.
    SlowMachine,
    #[serde(untagged)]
    Quote(String),
}

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, From, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwritable {
    /// Not as a text of the classic dialect.
    #[from]
    Text(TextProblem),
    /// Lengths in bytes.
    BodyTooLong { len: usize, max: usize },
    /// A list of the classic dialect; lengths in bytes.
    ListTooLong { len: usize, max: usize },
    /// A list of the framed dialect; lengths in addresses.
    TooManyAddresses { len: usize, max: usize },
    /// A message without a time and a hop count, in the framed dialect.
    NoTrace,
    /// A message without a time of day, in the classic dialect.
    NoTime,
}

/// Why a dial did not come up.
#[derive(Debug, Clone, PartialEq, Eq, From, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialError {
    #[from]
    System(SystemError),
    NoAnswer {
        /// Within this time.
        within_us: u64,
    },
    /// The node had too many dials to make.
    TooManyDials,
    #[serde(untagged)]
    Quote(String),
}

impl DialError {
    /// Nobody listens there.
    pub const REFUSED: Self = Self::System(SystemError { kind: SystemErrorKind::ConnectionRefused, code: None });
}
