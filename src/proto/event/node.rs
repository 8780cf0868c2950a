//! Events about a node as a whole.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::failure::{Attempt, FailureReason};
use super::state::NodeState;
use crate::proto::addr::Addr;
use crate::proto::config::{Methods, Pace, is_default};
use crate::proto::message::{Dialect, Role};

/// Why a node was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// It did not run: a stopped process, a closed lid, a computer that stood still.
    Stopped,
    /// It read so slowly that messages waited.
    ReadsLate,
}

/// How a node of ours ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It left politely.
    Left,
    /// It was crashed: its sockets end as those of a dead process of its dialect do, without a
    /// goodbye.
    Killed,
}

impl From<Stop> for NodeState {
    fn from(how: Stop) -> Self {
        match how {
            Stop::Left => Self::Left,
            Stop::Killed => Self::Killed,
        }
    }
}

/// Something about the node itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum NodeEvent {
    /// A node of this process runs and listens. If it comes again at the same address: it
    /// restarted.
    Started {
        /// `s1`, `p7`.
        name: String,
        role: Role,
        dialect: Dialect,
        /// Its intervals.
        pace: Pace,
        /// How it works, if it is a peer; the default in older recordings.
        #[serde(default, skip_serializing_if = "is_default")]
        methods: Methods,
    },
    /// A node of this process listens where other machines can reach it.
    Exposed {
        /// Where it listens: an address of this machine, or `0.0.0.0` for all of them.
        bind: Addr,
        /// The addresses of this machine that this opens.
        opened: Vec<Addr>,
        /// Networks whose machines may link; empty: all.
        allow: Vec<String>,
    },
    /// A node of this process ended.
    Stopped { how: Stop },
    /// A node of this process keeps its sockets and says nothing from now on.
    Hung,
    /// The node was away, and has noticed that itself. It declares nobody dead for that time.
    WasAway {
        why: Absence,
        /// For how long, in microseconds.
        span_us: u64,
    },
    /// Something was not done: what a user asked for, or what the node does of its own.
    Failed { what: Attempt, why: Box<FailureReason> },
}

impl NodeEvent {
    pub fn failed(what: Attempt, why: impl Into<FailureReason>) -> Self {
        Self::Failed { what, why: Box::new(why.into()) }
    }
}
