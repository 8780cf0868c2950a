//! Messages that somebody sent in the name of another node.

use super::ring::Ring;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// Forgeries that are kept: one in ten seconds for each node, so the last minutes of an attack on a
/// whole lab.
pub const FORGERIES_MAX: usize = 256;

/// A node got a message in its own name that it had not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgery {
    pub at: Time,
    /// Its origin is the node in whose name it was forged.
    pub id: MessageId,
    /// The neighbor that brought it.
    pub from: Addr,
}

pub type Forgeries = Ring<Forgery>;

pub(super) fn empty() -> Forgeries {
    Ring::new(FORGERIES_MAX)
}
