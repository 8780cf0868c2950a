//! The columns of a table of events: an event's name, its other node, its message.

use crate::event::EventKind;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;

/// The event's name in files: the value of `event` in its JSON.
pub fn event_name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Started { .. } => "started",
        EventKind::Exposed { .. } => "exposed",
        EventKind::Stopped { .. } => "stopped",
        EventKind::Hung => "hung",
        EventKind::WasAway { .. } => "was_away",
        EventKind::Failed { .. } => "failed",
        EventKind::FaultSet { .. } => "fault_set",
        EventKind::FaultCleared { .. } => "fault_cleared",
        EventKind::Lied { .. } => "lied",
        EventKind::Dialing { .. } => "dialing",
        EventKind::DialFailed { .. } => "dial_failed",
        EventKind::LinkUp { .. } => "link_up",
        EventKind::LinkDown { .. } => "link_down",
        EventKind::LinkRefused { .. } => "link_refused",
        EventKind::NotAccepted { .. } => "not_accepted",
        EventKind::Violation { .. } => "violation",
        EventKind::MoreOffenses { .. } => "more_offenses",
        EventKind::Flooding { .. } => "flooding",
        EventKind::Omitted { .. } => "omitted",
        EventKind::OtherDialect { .. } => "other_dialect",
        EventKind::HandshakeFailed { .. } => "handshake_failed",
        EventKind::EclipseSuspected { .. } => "eclipse_suspected",
        EventKind::Repairing { .. } => "repairing",
        EventKind::TooFewSeeds { .. } => "too_few_seeds",
        EventKind::ListedAlready { .. } => "listed_already",
        EventKind::EnoughSeeds { .. } => "enough_seeds",
        EventKind::PeerListReceived { .. } => "peer_list_received",
        EventKind::PeerListSent { .. } => "peer_list_sent",
        EventKind::PeerListed { .. } => "peer_listed",
        EventKind::PeerDelisted { .. } => "peer_delisted",
        EventKind::Generated { .. } => "generated",
        EventKind::Received { .. } => "received",
        EventKind::Duplicate { .. } => "duplicate",
        EventKind::Forged { .. } => "forged",
        EventKind::ProbeSent { .. } => "probe_sent",
        EventKind::ProbeReceived { .. } => "probe_received",
        EventKind::ProbeAnswered { .. } => "probe_answered",
        EventKind::ProbeMissed { .. } => "probe_missed",
        EventKind::NeighborDied { .. } => "neighbor_died",
        EventKind::DeadReportSent { .. } => "dead_report_sent",
        EventKind::DeadReportReceived { .. } => "dead_report_received",
        EventKind::ReportDisputed { .. } => "report_disputed",
    }
}

/// The node at the other end, or the one that is reported dead, if any.
pub fn other_node(kind: &EventKind) -> Option<Addr> {
    match kind {
        EventKind::Violation { peer, .. }
        | EventKind::OtherDialect { peer, .. }
        | EventKind::HandshakeFailed { peer, .. }
        | EventKind::PeerListSent { peer, .. } => *peer,
        EventKind::Dialing { peer, .. }
        | EventKind::DialFailed { peer, .. }
        | EventKind::LinkUp { peer, .. }
        | EventKind::LinkDown { peer, .. }
        | EventKind::LinkRefused { peer, .. }
        | EventKind::NotAccepted { peer, .. }
        | EventKind::Flooding { peer, .. }
        | EventKind::ListedAlready { seed: peer }
        | EventKind::PeerListReceived { seed: peer, .. }
        | EventKind::PeerListed { peer, .. }
        | EventKind::PeerDelisted { peer, .. }
        | EventKind::Received { from: peer, .. }
        | EventKind::Duplicate { from: peer, .. }
        | EventKind::Forged { from: peer, .. }
        | EventKind::ProbeSent { peer, .. }
        | EventKind::ProbeReceived { peer, .. }
        | EventKind::ProbeAnswered { peer, .. }
        | EventKind::ProbeMissed { peer, .. }
        | EventKind::NeighborDied { peer, .. }
        | EventKind::Lied { about: peer }
        | EventKind::DeadReportSent { dead: peer, .. }
        | EventKind::DeadReportReceived { dead: peer, .. }
        | EventKind::ReportDisputed { dead: peer, .. } => Some(*peer),
        EventKind::Started { .. }
        | EventKind::Exposed { .. }
        | EventKind::Stopped { .. }
        | EventKind::Hung
        | EventKind::WasAway { .. }
        | EventKind::Failed { .. }
        | EventKind::FaultSet { .. }
        | EventKind::FaultCleared { .. }
        | EventKind::MoreOffenses { .. }
        | EventKind::Omitted { .. }
        | EventKind::EclipseSuspected { .. }
        | EventKind::Repairing { .. }
        | EventKind::TooFewSeeds { .. }
        | EventKind::EnoughSeeds { .. }
        | EventKind::Generated { .. } => None,
    }
}

/// The gossip message that the event is about, and its text if the event carries it.
pub fn message(kind: &EventKind) -> Option<(MessageId, Option<&Body>)> {
    match kind {
        EventKind::Generated { id, body, .. } | EventKind::Received { id, body, .. } => Some((*id, Some(body))),
        EventKind::Duplicate { id, .. } | EventKind::Forged { id, .. } => Some((*id, None)),
        EventKind::Started { .. }
        | EventKind::Exposed { .. }
        | EventKind::Stopped { .. }
        | EventKind::Hung
        | EventKind::WasAway { .. }
        | EventKind::Failed { .. }
        | EventKind::FaultSet { .. }
        | EventKind::FaultCleared { .. }
        | EventKind::Lied { .. }
        | EventKind::Dialing { .. }
        | EventKind::DialFailed { .. }
        | EventKind::LinkUp { .. }
        | EventKind::LinkDown { .. }
        | EventKind::LinkRefused { .. }
        | EventKind::NotAccepted { .. }
        | EventKind::Violation { .. }
        | EventKind::MoreOffenses { .. }
        | EventKind::Flooding { .. }
        | EventKind::Omitted { .. }
        | EventKind::OtherDialect { .. }
        | EventKind::HandshakeFailed { .. }
        | EventKind::EclipseSuspected { .. }
        | EventKind::Repairing { .. }
        | EventKind::TooFewSeeds { .. }
        | EventKind::ListedAlready { .. }
        | EventKind::EnoughSeeds { .. }
        | EventKind::PeerListReceived { .. }
        | EventKind::PeerListSent { .. }
        | EventKind::PeerListed { .. }
        | EventKind::PeerDelisted { .. }
        | EventKind::ProbeSent { .. }
        | EventKind::ProbeReceived { .. }
        | EventKind::ProbeAnswered { .. }
        | EventKind::ProbeMissed { .. }
        | EventKind::NeighborDied { .. }
        | EventKind::DeadReportSent { .. }
        | EventKind::DeadReportReceived { .. }
        | EventKind::ReportDisputed { .. } => None,
    }
}
