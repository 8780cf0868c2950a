//! Notices to the user, one line each.

use super::ring::Ring;
use crate::event::{DeathEvent, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, NodeEvent, SeedEvent};
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
        EventKind::Node(event) => of_node(event),
        EventKind::Link(event) => of_link(event),
        EventKind::Gossip(event) => matches!(event, GossipEvent::Forged { .. }).then_some(Severity::Warning),
        EventKind::Probe(_) => None,
        EventKind::Death(event) => matches!(event, DeathEvent::ReportDisputed { .. }).then_some(Severity::Warning),
        EventKind::Seed(event) => of_seed(event),
        EventKind::Fault(_) => Some(Severity::Info),
    }
}

fn of_node(event: &NodeEvent) -> Option<Severity> {
    match event {
        NodeEvent::Failed { .. } => Some(Severity::Error),
        NodeEvent::Exposed { .. } | NodeEvent::WasAway { .. } => Some(Severity::Warning),
        NodeEvent::Started { .. } | NodeEvent::Stopped { .. } | NodeEvent::Hung => None,
    }
}

fn of_link(event: &LinkEvent) -> Option<Severity> {
    match event {
        LinkEvent::OtherDialect { .. } => Some(Severity::Error),
        LinkEvent::Violation { .. }
        | LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::HandshakeFailed { .. }
        | LinkEvent::DialFailed { .. }
        | LinkEvent::NotAccepted { .. }
        | LinkEvent::Down { end: LinkEnd::TooSlow, .. } => Some(Severity::Warning),
        LinkEvent::Repairing { .. }
        | LinkEvent::Refused { .. }
        | LinkEvent::Down { end: LinkEnd::RegistrationLost, .. } => Some(Severity::Info),
        LinkEvent::Dialing { .. } | LinkEvent::Up { .. } | LinkEvent::Down { .. } => None,
    }
}

fn of_seed(event: &SeedEvent) -> Option<Severity> {
    match event {
        SeedEvent::TooFewSeeds { .. } | SeedEvent::ListedAlready { .. } => Some(Severity::Warning),
        SeedEvent::EnoughSeeds { .. } => Some(Severity::Info),
        SeedEvent::PeerListReceived { .. }
        | SeedEvent::PeerListSent { .. }
        | SeedEvent::PeerListed { .. }
        | SeedEvent::PeerDelisted { .. } => None,
    }
}
