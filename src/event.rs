//! Everything that happens in a session, as one stream.

mod read;
pub mod revise;
#[cfg(test)]
pub(crate) mod samples;

use std::sync::Arc;

use serde::Serialize;

use crate::proto::addr::Addr;
pub use crate::proto::event::*;
use crate::proto::time::Time;

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
