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

/// What an event is about besides the node at which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSubject<'a> {
    /// The node at the other end, or the one that is reported dead.
    pub peer: Option<Addr>,
    /// The gossip message.
    pub message: Option<MessageId>,
    /// Its text, if the event carries it.
    pub text: Option<&'a Body>,
}

/// What the event is about.
pub fn subject(kind: &EventKind) -> EventSubject<'_> {
    match kind {
        EventKind::Generated { id, body, .. } => EventSubject { peer: None, message: Some(*id), text: Some(body) },
        EventKind::Received { from, id, body, .. } => {
            EventSubject { peer: Some(*from), message: Some(*id), text: Some(body) }
        }
        EventKind::Duplicate { from, id, .. } | EventKind::Forged { from, id, .. } => {
            EventSubject { peer: Some(*from), message: Some(*id), text: None }
        }
        EventKind::Violation { peer, .. }
        | EventKind::OtherDialect { peer, .. }
        | EventKind::HandshakeFailed { peer, .. }
        | EventKind::PeerListSent { peer, .. } => EventSubject { peer: *peer, ..EventSubject::default() },
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
        | EventKind::ProbeSent { peer, .. }
        | EventKind::ProbeReceived { peer, .. }
        | EventKind::ProbeAnswered { peer, .. }
        | EventKind::ProbeMissed { peer, .. }
        | EventKind::NeighborDied { peer, .. }
        | EventKind::Lied { about: peer }
        | EventKind::DeadReportSent { dead: peer, .. }
        | EventKind::DeadReportReceived { dead: peer, .. }
        | EventKind::ReportDisputed { dead: peer, .. } => EventSubject { peer: Some(*peer), ..EventSubject::default() },
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
        | EventKind::EnoughSeeds { .. } => EventSubject::default(),
    }
}
