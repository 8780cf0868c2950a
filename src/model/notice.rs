//! Notices to the user, one line each.

use super::ring::Ring;
use crate::event::{Event, EventKind, LinkEnd};
use crate::proto::time::Time;

/// Notices that are kept: more than anybody scrolls back through.
pub const NOTICES_MAX: usize = 1_000;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something went wrong, and the network deals with it.
    Warning,
    /// Something that the user wanted was not done, or only the user can fix it.
    Error,
}

/// A notice. Its text is made when it is shown: see `Model::notice_text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub at: Time,
    pub severity: Severity,
    pub event: Event,
}

/// The notices: see [`Ring`] for their numbers.
pub type Notices = Ring<Notice>;

pub(super) fn empty() -> Notices {
    Ring::new(NOTICES_MAX)
}

/// How much an event matters to a user who did not look for it; `None`: not at all.
pub fn severity(kind: &EventKind) -> Option<Severity> {
    match kind {
        EventKind::Failed { .. } | EventKind::OtherDialect { .. } => Some(Severity::Error),
        EventKind::Exposed { .. }
        | EventKind::Violation { .. }
        | EventKind::MoreOffenses { .. }
        | EventKind::Flooding { .. }
        | EventKind::Omitted { .. }
        | EventKind::EclipseSuspected { .. }
        | EventKind::Forged { .. }
        | EventKind::HandshakeFailed { .. }
        | EventKind::DialFailed { .. }
        | EventKind::NotAccepted { .. }
        | EventKind::TooFewSeeds { .. }
        | EventKind::ListedAlready { .. }
        | EventKind::ReportDisputed { .. }
        | EventKind::WasAway { .. }
        | EventKind::LinkDown { end: LinkEnd::TooSlow, .. } => Some(Severity::Warning),
        EventKind::Repairing { .. }
        | EventKind::EnoughSeeds { .. }
        | EventKind::LinkRefused { .. }
        | EventKind::FaultSet { .. }
        | EventKind::FaultCleared { .. }
        | EventKind::Lied { .. } => Some(Severity::Info),
        EventKind::LinkDown { end, .. } => (*end == LinkEnd::RegistrationLost).then_some(Severity::Info),
        EventKind::Started { .. }
        | EventKind::Stopped { .. }
        | EventKind::Hung
        | EventKind::Dialing { .. }
        | EventKind::LinkUp { .. }
        | EventKind::PeerListReceived { .. }
        | EventKind::PeerListSent { .. }
        | EventKind::PeerListed { .. }
        | EventKind::PeerDelisted { .. }
        | EventKind::Generated { .. }
        | EventKind::Received { .. }
        | EventKind::Duplicate { .. }
        | EventKind::ProbeSent { .. }
        | EventKind::ProbeReceived { .. }
        | EventKind::ProbeAnswered { .. }
        | EventKind::ProbeMissed { .. }
        | EventKind::NeighborDied { .. }
        | EventKind::DeadReportSent { .. }
        | EventKind::DeadReportReceived { .. } => None,
    }
}
