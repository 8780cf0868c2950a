//! Everything that happens in a session, as one stream.

mod read;
#[cfg(test)]
pub(crate) mod samples;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::proto::addr::Addr;
pub use crate::proto::event::*;
use crate::proto::time::Time;

/// The state of a node of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl From<Stop> for NodeState {
    fn from(how: Stop) -> Self {
        match how {
            Stop::Left => Self::Left,
            Stop::Killed => Self::Killed,
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

/// One thing that happened at one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub at: Time,
    pub node: Addr,
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// Memory in bytes, what it points to included.
    pub fn memory_len(&self) -> usize {
        size_of::<Self>() + self.kind.heap_len()
    }
}

/// Events that happened together, in order; shared by all listeners.
pub type Batch = Arc<[Event]>;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds hold many thousands.
    #[test]
    fn an_event_stays_small() {
        assert!(size_of::<Event>() <= 104, "{}", size_of::<Event>());
    }
}
