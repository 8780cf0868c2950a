//! Whether a node runs.

use serde::{Deserialize, Serialize};

/// The state of a node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    Runs,
    /// It keeps its sockets and says nothing.
    Hangs,
    /// It was crashed.
    Killed,
    /// It said goodbye.
    Left,
}

impl NodeState {
    /// It runs, or hangs.
    pub const fn is_up(self) -> bool {
        match self {
            Self::Runs | Self::Hangs => true,
            Self::Killed | Self::Left => false,
        }
    }
}
