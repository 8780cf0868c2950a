//! What the engine knows of a node.

use crate::event::NodeState;
use crate::proto::name::NodeName;

/// A node, through all its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEntry {
    /// Its role is in it.
    pub name: NodeName,
    pub state: NodeState,
    /// How often it was restarted.
    pub life: u64,
}
