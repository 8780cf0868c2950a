//! Everything that happens in a session, as one stream.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Time,
    pub node: Addr,
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// Memory in bytes, what it points to included.
    pub fn memory_len(&self) -> usize {
        size_of::<Self>() + heap_len(&self.kind)
    }
}

/// Events that happened together, in order; shared by all listeners.
pub type Batch = Arc<[Event]>;

/// Bytes of memory that an event points to, as far as a remote decides their number.
fn heap_len(kind: &EventKind) -> usize {
    let list_len = |list: &[Addr]| size_of_val(list);
    match kind {
        EventKind::Generated { body, .. } | EventKind::Received { body, .. } => body.len(),
        EventKind::PeerListReceived { peers, .. } | EventKind::PeerListSent { peers, .. } => list_len(peers),
        EventKind::EclipseSuspected { joiners } => list_len(joiners),
        EventKind::LinkRefused { referral, .. } => list_len(referral),
        EventKind::Violation { remote, violation, .. } => remote.len() + violation.bytes.len(),
        EventKind::OtherDialect { remote, .. } | EventKind::HandshakeFailed { remote, .. } => remote.len(),
        EventKind::Started { .. }
        | EventKind::Exposed { .. }
        | EventKind::Stopped { .. }
        | EventKind::Hung
        | EventKind::Failed { .. }
        | EventKind::FaultSet { .. }
        | EventKind::FaultCleared { .. }
        | EventKind::Lied { .. }
        | EventKind::Dialing { .. }
        | EventKind::DialFailed { .. }
        | EventKind::LinkUp { .. }
        | EventKind::LinkDown { .. }
        | EventKind::NotAccepted { .. }
        | EventKind::MoreOffenses { .. }
        | EventKind::Flooding { .. }
        | EventKind::Omitted { .. }
        | EventKind::Repairing { .. }
        | EventKind::TooFewSeeds { .. }
        | EventKind::EnoughSeeds { .. }
        | EventKind::PeerListed { .. }
        | EventKind::PeerDelisted { .. }
        | EventKind::Duplicate { .. }
        | EventKind::WasAway { .. }
        | EventKind::ListedAlready { .. }
        | EventKind::Forged { .. }
        | EventKind::ProbeSent { .. }
        | EventKind::ProbeReceived { .. }
        | EventKind::ProbeAnswered { .. }
        | EventKind::ProbeMissed { .. }
        | EventKind::NeighborDied { .. }
        | EventKind::DeadReportSent { .. }
        | EventKind::DeadReportReceived { .. }
        | EventKind::ReportDisputed { .. } => 0,
    }
}
