//! States of the nodes of this process.

use std::fmt;

use super::NodeName;

/// The state of a node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runs => "runs",
            Self::Hangs => "hangs",
            Self::Killed => "was killed",
            Self::Left => "has left",
        })
    }
}

/// A node, through all its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEntry {
    /// Includes its role.
    pub name: NodeName,
    pub state: NodeState,
    /// How often it was restarted.
    pub life: u64,
}
