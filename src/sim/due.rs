//! Planned events. Entries of the wheel are small; the things on their way are kept beside it.

use super::ids::{End, NodeIx};
use crate::proto::addr::Addr;

#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// Check whether this node is to be woken.
    Wake(NodeIx),
    /// Something reaches this node: its place among the inputs on their way.
    Arrive(NodeIx, u32),
    /// A dial arrives: its place among the dials on their way.
    DialArrives(u32),
    /// This slow node reads what waits.
    Read(NodeIx),
    /// The gap after the last write at this end is over.
    Write(End),
    /// The pause in which this end is not read is over.
    Resume(End),
    /// A stranger sends junk to this node.
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
