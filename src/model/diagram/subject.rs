//! What a diagram is about, when that was, and which events say something of it.

use std::time::Duration;

use crate::event::{DeathEvent, Event, EventKind, FaultEvent, GossipEvent, NodeState, ProbeEvent};
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::link::{LinkHistory, first_sent};
use crate::model::rumor::DELIVERY_TIME;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// The length of a diagram of a span of time, unless another is asked for: some probes of each node.
pub const WINDOW: Duration = Duration::from_secs(10);
/// The longest: what happens in a longer time is too much to look through.
pub const WINDOW_MAX: Duration = Duration::from_secs(600);
/// How much before the first sign of a death, and after the last step of a seed, is drawn.
const MARGIN: Duration = Duration::from_millis(500);
/// A node that stopped this long before it was declared dead is why.
const SIGN_AGE_MAX: Duration = Duration::from_secs(60);

/// What a diagram is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiagramSubject {
    Message(MessageId),
    /// A death, by the moment at which its case begins.
    Death {
        dead: Addr,
        at: Time,
    },
    Node(Addr),
    Link(Addr, Addr),
    /// What these nodes did, and what went between them; none: all nodes.
    Window(Vec<Addr>),
}

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiagramSpan {
    pub from: Time,
    pub to: Time,
}

impl DiagramSpan {
    /// So much time around a moment.
    pub fn around(center: Time, length: Duration) -> Self {
        let half = length.min(WINDOW_MAX) / 2;
        Self { from: center - half, to: center + half }
    }

    fn meets(self, from: Time, to: Time) -> bool {
        from <= self.to && to >= self.from
    }
}

impl DiagramSubject {
    /// A node's death, if it has one that is not over, or one in this span of time; else the node.
    pub fn of_node(node: Addr, model: &Model, span: Option<DiagramSpan>) -> Self {
        let cases = || model.deaths().cases().iter().map(|(_, case)| case).filter(|case| case.dead == node);
        let case = match span {
            Some(span) => cases().find(|case| span.meets(case.at, case.latest_step_at())),
            None => cases().next_back().filter(|case| case.back_at.is_none()),
        };
        case.map_or(Self::Node(node), |case| Self::Death { dead: node, at: case.at })
    }

    /// When that was, as the model tells; of what has no beginning and end the time up to now.
    pub fn span(&self, model: &Model, wanted: Option<Duration>) -> DiagramSpan {
        let length = wanted.unwrap_or(WINDOW).min(WINDOW_MAX);
        let lately = DiagramSpan { from: model.now() - length, to: model.now() };
        match self {
            Self::Message(id) => model.rumors().get(*id).map_or(lately, |rumor| {
                let (from, last) = (rumor.began().min(rumor.first_seen), rumor.began().max(rumor.last_first));
                DiagramSpan { from, to: wanted.map_or(last + DELIVERY_TIME, |length| from + length.min(WINDOW_MAX)) }
            }),
            Self::Death { at, .. } if wanted.is_some() => DiagramSpan::around(*at, length),
            Self::Death { dead, at } => {
                let mut cases = model.deaths().cases().iter().map(|(_, case)| case);
                let case = cases.rfind(|case| case.dead == *dead && case.at == *at);
                case.map_or(lately, |case| death_span(case, model))
            }
            Self::Link(one, other) => match latest_end(*one, *other, model) {
                Some(end) if !end.is_up() => DiagramSpan::around(end.since, length),
                Some(_) | None => lately,
            },
            Self::Node(_) | Self::Window(_) => lately,
        }
    }

    /// It has no end of its own: its diagram ends with the moment of the model.
    pub fn goes_on(&self, model: &Model) -> bool {
        match self {
            Self::Message(_) | Self::Death { .. } => false,
            Self::Link(one, other) => latest_end(*one, *other, model).is_none_or(LinkHistory::is_up),
            Self::Node(_) | Self::Window(_) => true,
        }
    }

    /// The model knows when it was: it has begun, and is not forgotten.
    pub fn is_known(&self, model: &Model) -> bool {
        match self {
            Self::Message(id) => model.rumors().get(*id).is_some(),
            Self::Death { dead, at } => {
                model.deaths().cases().iter().any(|(_, case)| case.dead == *dead && case.at == *at)
            }
            Self::Node(_) | Self::Link(..) | Self::Window(_) => true,
        }
    }

    /// `p3#12`, `the death of p3`, `p1 and p3`.
    pub fn title(&self, model: &Model) -> String {
        let name = |node: Addr| model.name_of(node);
        match self {
            Self::Message(id) => model.message_name(*id),
            Self::Death { dead, .. } => format!("the death of {}", name(*dead)),
            Self::Node(node) => name(*node).into_owned(),
            Self::Link(one, other) => format!("{} and {}", name(*one), name(*other)),
            Self::Window(nodes) if nodes.is_empty() => "all nodes".to_owned(),
            Self::Window(nodes) => model.names_in_order(nodes.iter().copied(), 4),
        }
    }

    /// The nodes that it names.
    pub fn nodes(&self) -> Vec<Addr> {
        match self {
            Self::Message(id) => vec![id.origin],
            Self::Death { dead: node, .. } | Self::Node(node) => vec![*node],
            Self::Link(one, other) => vec![*one, *other],
            Self::Window(nodes) => nodes.clone(),
        }
    }

    /// Whether the event may be drawn: the rest need not be kept.
    pub fn concerns(&self, event: &Event) -> bool {
        let is_routine = matches!(&event.kind, EventKind::Probe(ProbeEvent::Received { .. }));
        !is_routine && (is_context(&event.kind) || self.is_about(event))
    }

    /// Whether the event is drawn by itself, for a reader who goes from one to the next: of a message what happens to
    /// it, of anything else what concerns it. A probe is drawn at its outcome.
    pub fn draws(&self, event: &Event) -> bool {
        let is_begun = matches!(&event.kind, EventKind::Probe(ProbeEvent::Sent { .. }));
        match self {
            Self::Message(id) => event.kind.subject().message == Some(*id),
            Self::Death { .. } | Self::Node(_) | Self::Link(..) | Self::Window(_) => !is_begun && self.concerns(event),
        }
    }

    fn is_about(&self, event: &Event) -> bool {
        let about = event.kind.subject();
        let is_at = |node: Addr| event.node == node || other_ends(event).contains(&Some(node));
        match self {
            Self::Message(id) => about.message == Some(*id) || matches!(event.kind, EventKind::Link(_)),
            Self::Death { dead, .. } => about.message.is_none() && is_at(*dead),
            Self::Node(node) => is_at(*node),
            Self::Link(one, other) => {
                is_at(*one) && is_at(*other) || (about.peer.is_none() && [*one, *other].contains(&event.node))
            }
            Self::Window(nodes) if nodes.is_empty() => true,
            // Who reports a death of another, for instance, is drawn at the seed that is asked for.
            Self::Window(nodes) => {
                let among = |node: Addr| nodes.contains(&node);
                among(event.node) || other_ends(event).into_iter().flatten().any(among)
            }
        }
    }
}

/// Events that are drawn beside whatever a diagram is about, where they meet its nodes.
const fn is_context(kind: &EventKind) -> bool {
    match kind {
        EventKind::Node(_) | EventKind::Fault(FaultEvent::Set { .. } | FaultEvent::Cleared { .. }) => true,
        EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_)
        | EventKind::Fault(FaultEvent::Lied { .. }) => false,
    }
}

/// Nodes besides its own that an event names.
fn other_ends(event: &Event) -> [Option<Addr>; 3] {
    let peer = event.kind.subject().peer;
    match &event.kind {
        EventKind::Gossip(GossipEvent::Lost { loss, .. }) | EventKind::Probe(ProbeEvent::Lost { loss, .. }) => {
            [peer, Some(loss.from), Some(loss.to)]
        }
        EventKind::Death(DeathEvent::ReportLost { dead, reporter, loss }) => {
            [Some(*dead), Some(*reporter), Some(loss.to)]
        }
        EventKind::Death(
            DeathEvent::DeadReportReceived { reporter, .. } | DeathEvent::ReportDisputed { reporter, .. },
        ) => [peer, Some(*reporter), None],
        EventKind::Node(_)
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Probe(_)
        | EventKind::Death(_)
        | EventKind::Seed(_)
        | EventKind::Fault(_) => [peer, None, None],
    }
}

/// The end of a link that tells the latest of it.
fn latest_end(one: Addr, other: Addr, model: &Model) -> Option<&LinkHistory> {
    let ends = [(one, other), (other, one)];
    ends.into_iter().filter_map(|(node, peer)| model.links().get(node, peer)).max_by_key(|end| end.since)
}

/// From the first sign of the death to the last that a seed did about it.
fn death_span(case: &DeathCase, model: &Model) -> DiagramSpan {
    let probes = case.evidence.iter().filter_map(|told| first_sent(told.missed()));
    let declared = case.evidence.iter().filter_map(|told| told.declared_at);
    let turn = model.nodes().get(case.dead).and_then(|node| node.lives.at(case.at));
    let stopped = turn.filter(|turn| turn.life != NodeState::Runs).map(|turn| turn.at);
    let stopped = stopped.filter(|since| case.at.since(*since) <= SIGN_AGE_MAX);
    let first = probes.chain(declared).chain(stopped).fold(case.at, Time::min);
    let told = case.evidence.iter().filter_map(|told| told.reported_at.max(told.declared_at));
    let last = told.fold(case.latest_step_at(), Time::max);
    let to = last.min(first + WINDOW_MAX) + MARGIN;
    DiagramSpan { from: first - MARGIN, to }
}
