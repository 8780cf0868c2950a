//! Everything that happens in a session, as one stream.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::proto::addr::Addr;
pub use crate::proto::event::*;
use crate::proto::time::Time;

/// One thing that happened at one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Time,
    /// At which node.
    pub node: Addr,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// Bytes of memory that it takes, what it points to included.
    pub fn memory_len(&self) -> usize {
        size_of::<Self>() + self.kind.heap_len()
    }
}

/// Events that happened together, in order; shared by all who listen.
pub type Batch = Arc<[Event]>;
