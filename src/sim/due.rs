//! What is planned. Entries of the wheel are small; what is on its way stands beside it.

use super::ids::{End, NodeIx};
use crate::proto::addr::Addr;

/// Something that will happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// It is looked whether this node is to be woken.
    Wake(NodeIx),
    /// Something reaches this node: what, by its place among the inputs on their way.
    Arrive(NodeIx, u32),
    /// A dial reaches its goal: which, by its place among the dials on their way.
    DialArrives(u32),
    /// This slow node reads what waits.
    Read(NodeIx),
    /// The gap after the last write at this end is over.
    Write(End),
    /// The pause in which this end is not read is over.
    Resume(End),
    /// Somebody sends nonsense to this node.
    Junk(NodeIx),
}

/// A dial on its way.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) from: NodeIx,
    pub(super) to: Addr,
    /// How often the dialer had dialed.
    pub(super) number: u32,
}
