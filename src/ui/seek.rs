//! Moments that the console asks the host for, and what the host answers.
//!
//! The console cannot go back by itself: a fold has no way back, and the file is the host's. It asks
//! for a moment with a number; the host folds in a thread of its own, and an answer to an older
//! number is thrown away.

use crate::event::{DeathEvent, Event, EventKind, GossipEvent, ProbeEvent};
use crate::feed::Delivery;
use crate::model::Model;
use crate::model::diagram::subject::DiagramSubject;
use crate::model::moment::SessionSpan;
use crate::model::words::readers;
use crate::proto::time::Time;

use super::filter::Filter;
use super::speed::Speed;

/// The number of a request: a later one has a larger number, and makes the earlier ones void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SeekId(pub u64);

/// Asks for the network at another moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seek {
    pub id: SeekId,
    /// The moment that is shown.
    pub from: Time,
    pub to: Destination,
}

/// Where to go in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// This moment, all its events included.
    Time(Time),
    /// The nearest event of these, before or after the moment that is shown.
    Event { direction: TimeDirection, scope: EventScope },
    /// The nearest of these events that a search finds.
    Match { direction: TimeDirection, scope: EventScope, sought: Filter },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeDirection {
    Back,
    Forward,
}

impl TimeDirection {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Back => "before this moment",
            Self::Forward => "after this moment",
        }
    }
}

/// Which events a pane shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventScope {
    All,
    /// Nodes, links and where messages come.
    Overlay,
    /// Nodes, links and probes.
    Connections,
    GossipLog,
    /// Probes with an outcome.
    Probes,
    Deaths,
    Notices,
    /// What is drawn of this.
    Diagram(DiagramSubject),
}

impl EventScope {
    /// A pane of this scope shows this event.
    pub fn shows(&self, event: &Event) -> bool {
        let kind = &event.kind;
        match self {
            Self::All => true,
            Self::Overlay => match kind {
                EventKind::Node(_) | EventKind::Link(_) | EventKind::Death(_) | EventKind::Fault(_) => true,
                EventKind::Gossip(event) => {
                    matches!(event, GossipEvent::Generated { .. } | GossipEvent::Received { .. })
                }
                EventKind::Probe(_) | EventKind::Seed(_) => false,
            },
            Self::Connections => match kind {
                EventKind::Node(_) | EventKind::Link(_) | EventKind::Death(_) | EventKind::Fault(_) => true,
                EventKind::Probe(event) => is_outcome(event),
                EventKind::Gossip(_) | EventKind::Seed(_) => false,
            },
            // Copies of a message are parts of its line.
            Self::GossipLog => {
                readers(kind).gossip_log && !matches!(kind, EventKind::Gossip(GossipEvent::Received { .. }))
            }
            Self::Probes => matches!(kind, EventKind::Probe(event) if is_outcome(event)),
            Self::Deaths => match kind {
                EventKind::Death(event) => !matches!(event, DeathEvent::ReportLost { .. }),
                EventKind::Node(_)
                | EventKind::Link(_)
                | EventKind::Gossip(_)
                | EventKind::Probe(_)
                | EventKind::Seed(_)
                | EventKind::Fault(_) => false,
            },
            Self::Notices => readers(kind).notice.is_some(),
            Self::Diagram(subject) => subject.draws(event),
        }
    }
}

fn is_outcome(event: &ProbeEvent) -> bool {
    matches!(event, ProbeEvent::Answered { .. } | ProbeEvent::Missed { .. })
}

/// A recording that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedRecording {
    /// Where it was read from.
    pub source: String,
    /// The node that reads it alone, if one does.
    pub reader: Option<String>,
    pub span: SessionSpan,
    /// The moment to show first.
    pub start: Time,
    pub speed: Speed,
}

/// The network at the moment that was asked for.
#[derive(Debug, Clone)]
pub struct ShownMoment {
    pub id: SeekId,
    pub at: Time,
    pub model: Box<Model>,
}

/// What happened next in a session.
#[derive(Debug, Clone)]
pub struct Upcoming {
    /// The request for the moment after which it happened.
    pub id: SeekId,
    /// In order of time.
    pub deliveries: Vec<Delivery>,
    /// Nothing else happened up to then.
    pub until: Time,
    pub rest: Rest,
}

/// Whether more is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    More,
    /// These were the last events, as far as is known.
    End,
}

/// Why a moment cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchMoment {
    /// There is no such event that way.
    #[error("no event of this pane {}", .0.word())]
    NoEvent(TimeDirection),
    #[error("nothing {} matches '{}'", .0.word(), .1)]
    NoMatch(TimeDirection, String),
    #[error("this session is not recorded: there is no way back")]
    NotRecorded,
    /// What is wrong with the file.
    #[error("{0}")]
    File(String),
}
