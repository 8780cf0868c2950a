//! The event on which a line of evidence rests.
//!
//! The model keeps times, not the numbers of events: of an event it is known here when it happened, at
//! which node, and what it was about. That is enough to find it in the recording, and its number with
//! it (see `session::citation`).

use crate::event::{
    DeathEvent, Event, EventKind, FaultEvent, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent,
};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkKey, LinkStep, StepKind};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::message::MessageId;

/// Which event a line rests on. It happened at the time of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvidenceSource {
    /// The node at which it happened; `None`: at whichever node.
    pub by: Option<Addr>,
    pub kind: SourceKind,
}

/// What kind of event it is, and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Something that became of a connection to this node.
    Link(Addr),
    ProbeSent(Addr),
    ProbeMissed(Addr),
    /// Something came from this node.
    Heard(Addr),
    /// This node was declared dead.
    Declared(Addr),
    /// This node was reported dead.
    Reported(Addr),
    /// A seed did something about this node: the name of the event.
    SeedStep(Addr, &'static str),
    /// A fault was set or cleared; older recordings do not number them.
    Fault(Option<FaultId>),
    /// The node started, stopped or hung.
    Life,
    /// A lie about this node was asked for.
    Lie(Addr),
    /// This message began, or a copy of it came, or was lost.
    Copy(MessageId),
}

impl EvidenceSource {
    pub(super) const fn at(by: Addr, kind: SourceKind) -> Self {
        Self { by: Some(by), kind }
    }

    pub(super) const fn of_fault(record: &FaultRecord) -> Self {
        Self { by: None, kind: SourceKind::Fault(record.id) }
    }

    pub(super) const fn of_step(key: LinkKey, step: &LinkStep) -> Self {
        match step.what {
            StepKind::Told(_) => Self::at(key.node, SourceKind::Link(key.peer)),
            StepKind::Dropped => Self::at(key.peer, SourceKind::Link(key.node)),
            StepKind::NodeStopped => Self::at(key.node, SourceKind::Life),
        }
    }

    /// What a seed did about this node.
    pub(super) fn of_seed_step(dead: Addr, step: &Event) -> Self {
        Self::at(step.node, SourceKind::SeedStep(dead, step.kind.name()))
    }

    /// Of the events at the time of the line, this may be the one.
    pub fn fits(&self, event: &Event) -> bool {
        self.by.is_none_or(|by| by == event.node) && self.kind.fits(&event.kind)
    }
}

impl SourceKind {
    fn fits(self, kind: &EventKind) -> bool {
        let is_about = |node: Addr| kind.subject().peer == Some(node);
        match self {
            Self::Link(peer) => matches!(kind, EventKind::Link(_)) && is_about(peer),
            Self::ProbeSent(peer) => matches!(kind, EventKind::Probe(ProbeEvent::Sent { .. })) && is_about(peer),
            Self::ProbeMissed(peer) => matches!(kind, EventKind::Probe(ProbeEvent::Missed { .. })) && is_about(peer),
            Self::Heard(from) => is_heard(from, kind),
            Self::Declared(dead) => matches!(kind, EventKind::Death(DeathEvent::NeighborDied { .. })) && is_about(dead),
            Self::Reported(dead) => {
                matches!(kind, EventKind::Death(DeathEvent::DeadReportSent { .. })) && is_about(dead)
            }
            Self::SeedStep(dead, name) => kind.name() == name && is_about(dead),
            Self::Fault(wanted) => matches!(
                kind,
                EventKind::Fault(FaultEvent::Set { id, .. } | FaultEvent::Cleared { id, .. })
                    if wanted.is_none() || *id == wanted
            ),
            Self::Life => {
                matches!(kind, EventKind::Node(NodeEvent::Started { .. } | NodeEvent::Stopped { .. } | NodeEvent::Hung))
            }
            Self::Lie(about) => matches!(kind, EventKind::Fault(FaultEvent::Lied { .. })) && is_about(about),
            Self::Copy(id) => matches!(kind, EventKind::Gossip(_)) && kind.subject().message == Some(id),
        }
    }
}

/// With this event something came from that node.
fn is_heard(from: Addr, kind: &EventKind) -> bool {
    match kind {
        EventKind::Death(DeathEvent::DeadReportReceived { reporter, .. }) => *reporter == from,
        EventKind::Death(DeathEvent::ReportDisputed { .. })
        | EventKind::Link(LinkEvent::Up { .. } | LinkEvent::Refused { .. })
        | EventKind::Gossip(
            GossipEvent::Received { .. } | GossipEvent::Duplicate { .. } | GossipEvent::Forged { .. },
        )
        | EventKind::Probe(ProbeEvent::Received { .. } | ProbeEvent::Answered { .. })
        | EventKind::Seed(SeedEvent::PeerListReceived { .. } | SeedEvent::PeerListed { .. }) => {
            kind.subject().peer == Some(from)
        }
        EventKind::Node(_)
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_)
        | EventKind::Fault(_) => false,
    }
}
