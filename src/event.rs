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

/// Events that happened together, in order; shared by all who listen.
pub type Batch = Arc<[Event]>;
