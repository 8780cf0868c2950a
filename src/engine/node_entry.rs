//! What the engine knows of a node.

use crate::event::NodeState;
use crate::proto::message::Role;
use crate::proto::name::NodeName;

/// A node, through all its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEntry {
    pub name: NodeName,
    pub role: Role,
    pub state: NodeState,
    /// How often it was restarted.
    pub life: u64,
}
