//! Violations of the invariants.

use std::fmt;

use crate::model::clock_text;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// One violation of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub at: Time,
    pub node: Addr,
    pub rule: Invariant,
}

/// A rule, and how it was violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invariant {
    /// A live, connected peer did not get a message.
    Undelivered { id: MessageId },
    /// A message was delivered twice to the user of a node.
    DeliveredTwice { id: MessageId },
    /// A seed that verifies removed a node that was alive and registered with it.
    RemovedAlive { peer: Addr, reporter: Addr },
    /// The node holds a link that the other end does not know.
    Lopsided { peer: Addr },
    /// There is more of something than allowed.
    OverBound { what: &'static str, count: usize, limit: usize },
}

impl fmt::Display for Breach {
    /// `03:13:02.418 127.0.0.1:3000: did not get 127.0.0.1:3001#12, though ...`, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", clock_text(self.at, 0), self.node, self.rule)
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undelivered { id } => {
                write!(f, "did not get {}{id}, though a way of links that stood all the time led to it", id.origin)
            }
            Self::DeliveredTwice { id } => write!(f, "got {}{id} twice", id.origin),
            Self::RemovedAlive { peer, reporter } => {
                write!(f, "removed {peer}, which was alive and registered, on the report of {reporter}")
            }
            Self::Lopsided { peer } => write!(f, "holds a link to {peer}, which knows of none"),
            Self::OverBound { what, count, limit } => write!(f, "{count} {what}, at most {limit} are allowed"),
        }
    }
}
