//! Everything that happens in a session, as one stream.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::proto::addr::Addr;
pub use crate::proto::event::*;
use crate::proto::time::Time;

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
