//! What happens at a node.
//!
//! Everything that is shown, stored, checked or reported is a fold over these. They come in
//! families, one file each. The core emits most of them; a driver adds the few about the node
//! itself and about its faults. In files an event is one JSON object, tagged by `event`; times and
//! durations are in microseconds.

mod death;
mod failure;
mod fault;
mod gossip;
mod link;
mod node;
mod probe;
mod refusal;
mod seed;
mod state;
mod system_error;

use derive_more::From;
use serde::Serialize;

use super::addr::Addr;
pub use super::config::{Methods, Pace};
use super::message::{GoodbyeReason, Message, MessageId};
pub use super::reason::{DelistReason, RepairReason};
use super::text::Body;
pub use super::violation::{Omission, Rule, Violation};

pub use death::{DeathEvent, ReportAction, Verification};
pub use failure::{Attempt, DialError, FailureReason, Unwritable};
pub use fault::FaultEvent;
pub use gossip::GossipEvent;
pub use link::{
    ConnectionId, Direction, LinkEnd, LinkEvent, LinkId, LossReason, MessageLoss, OffenderHost, Purpose, Side,
};
pub use node::{Absence, NodeEvent, Stop};
pub use probe::{ProbeEvent, ProbePart};
pub use refusal::{FaultError, Refusal, SiteError, TextProblem};
pub use seed::SeedEvent;
pub use state::NodeState;
pub use system_error::{SystemError, SystemErrorKind};

/// Something that happened at a node, by family.
#[derive(Debug, Clone, PartialEq, Eq, From, Serialize)]
#[serde(untagged)]
pub enum EventKind {
    Node(NodeEvent),
    Link(LinkEvent),
    Gossip(GossipEvent),
    Probe(ProbeEvent),
    Death(DeathEvent),
    Seed(SeedEvent),
    Fault(FaultEvent),
}

impl EventKind {
    /// The event's name in files: the value of `event` in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Node(event) => event.into(),
            Self::Link(event) => event.into(),
            Self::Gossip(event) => event.into(),
            Self::Probe(event) => event.into(),
            Self::Death(event) => event.into(),
            Self::Seed(event) => event.into(),
            Self::Fault(event) => event.into(),
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::Node(_) => EventSubject::default(),
            Self::Link(event) => event.subject(),
            Self::Gossip(event) => event.subject(),
            Self::Probe(event) => event.subject(),
            Self::Death(event) => event.subject(),
            Self::Seed(event) => event.subject(),
            Self::Fault(event) => event.subject(),
        }
    }

    /// A node of ours leaves, which it does only at the end of its session.
    pub fn is_leaving(&self) -> bool {
        let ours = LinkEnd::Goodbye { side: Side::Us, reason: GoodbyeReason::Leaving };
        match self {
            Self::Node(event) => *event == NodeEvent::Stopped { how: Stop::Left },
            Self::Link(LinkEvent::Down { end, .. }) => *end == ours,
            Self::Link(_) | Self::Gossip(_) | Self::Probe(_) | Self::Death(_) | Self::Seed(_) | Self::Fault(_) => false,
        }
    }

    /// Bytes of memory that the event points to, as far as a remote decides their number.
    pub fn heap_len(&self) -> usize {
        match self {
            Self::Link(event) => event.heap_len(),
            Self::Gossip(event) => event.subject().text.map_or(0, Body::len),
            Self::Seed(event) => event.heap_len(),
            Self::Node(_) | Self::Probe(_) | Self::Death(_) | Self::Fault(_) => 0,
        }
    }
}

impl MessageLoss {
    /// The event for this message; `None`: it is one that nobody misses, such as a goodbye.
    pub fn event(self, message: &Message) -> Option<EventKind> {
        let loss = self;
        match message {
            Message::Gossip(gossip) => Some(GossipEvent::Lost { id: gossip.id, loss }.into()),
            Message::Probe { seq, .. } => Some(ProbeEvent::Lost { part: ProbePart::Question, seq: *seq, loss }.into()),
            Message::ProbeReply { seq, .. } => {
                Some(ProbeEvent::Lost { part: ProbePart::Answer, seq: *seq, loss }.into())
            }
            Message::DeadReport { dead, reporter, .. } => {
                Some(DeathEvent::ReportLost { dead: *dead, reporter: *reporter, loss }.into())
            }
            Message::Hello(_)
            | Message::PeerList(_)
            | Message::ListRequest
            | Message::Refusal { .. }
            | Message::Goodbye { .. } => None,
        }
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

impl EventSubject<'_> {
    fn peer(peer: impl Into<Option<Addr>>) -> Self {
        Self { peer: peer.into(), message: None, text: None }
    }
}
