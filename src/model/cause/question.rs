//! What can be asked.

use std::collections::BTreeSet;

use crate::event::{DeathEvent, Event, EventKind, LinkEnd, LinkEvent};
use crate::model::Model;
use crate::model::node::NodeRecord;
use crate::model::rumor::Counting;
use crate::model::warning::Finding;
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, MessageId};
use crate::proto::time::Time;

/// Something that happened, or that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// A peer declared another one dead, for this reason.
    Death { reporter: Addr, dead: Addr, at: Time, way: DeathCause },
    /// A peer that should have this message does not.
    Lack { node: Addr, message: MessageId },
    /// A link between two peers ended, as this end tells it.
    LinkEnd { node: Addr, peer: Addr, at: Time, end: LinkEnd },
    /// The list of a seed names a node that does not run.
    Stale { seed: Addr, peer: Addr },
    /// The list of a seed does not name a node that runs.
    Unlisted { seed: Addr, peer: Addr },
    /// No peer reaches a seed.
    NoSeed,
    /// A peer has no neighbor.
    Alone { node: Addr },
    /// The overlay is in several parts.
    Parted,
}

/// Which kind of question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuestionKind {
    Death,
    Lack,
    LinkEnd,
    Listing,
    Warning,
}

impl Question {
    pub const fn kind(&self) -> QuestionKind {
        match self {
            Self::Death { .. } => QuestionKind::Death,
            Self::Lack { .. } => QuestionKind::Lack,
            Self::LinkEnd { .. } => QuestionKind::LinkEnd,
            Self::Stale { .. } | Self::Unlisted { .. } => QuestionKind::Listing,
            Self::NoSeed | Self::Alone { .. } | Self::Parted => QuestionKind::Warning,
        }
    }

    /// What this event makes one ask.
    pub fn of_event(event: &Event) -> Option<Self> {
        let (node, at) = (event.node, event.at);
        match event.kind {
            EventKind::Death(DeathEvent::NeighborDied { peer, cause, .. }) => {
                Some(Self::Death { reporter: node, dead: peer, at, way: cause })
            }
            EventKind::Link(LinkEvent::Down { peer, end, .. }) => Some(Self::LinkEnd { node, peer, at, end }),
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => None,
        }
    }

    /// When it happened; `None` for what did not.
    pub const fn at(&self) -> Option<Time> {
        match self {
            Self::Death { at, .. } | Self::LinkEnd { at, .. } => Some(*at),
            Self::Lack { .. }
            | Self::Stale { .. }
            | Self::Unlisted { .. }
            | Self::NoSeed
            | Self::Alone { .. }
            | Self::Parted => None,
        }
    }

    /// The nodes that it is about.
    pub fn nodes(&self) -> Vec<Addr> {
        match *self {
            Self::Death { reporter, dead, .. } => vec![reporter, dead],
            Self::Lack { node, .. } | Self::Alone { node } => vec![node],
            Self::LinkEnd { node, peer, .. } => vec![node, peer],
            Self::Stale { seed, peer } | Self::Unlisted { seed, peer } => vec![seed, peer],
            Self::NoSeed | Self::Parted => Vec::new(),
        }
    }

    /// The message that it is about.
    pub const fn message(&self) -> Option<MessageId> {
        match *self {
            Self::Lack { message, .. } => Some(message),
            Self::Death { .. }
            | Self::LinkEnd { .. }
            | Self::Stale { .. }
            | Self::Unlisted { .. }
            | Self::NoSeed
            | Self::Alone { .. }
            | Self::Parted => None,
        }
    }

    /// The same about another message, if it is about one.
    #[must_use]
    pub fn about(self, other: MessageId) -> Self {
        let mut about = self;
        if let Self::Lack { message, .. } = &mut about {
            *message = other;
        }
        about
    }

    /// Whether it is so in this model, whether or not the model asks it by itself: a message counts as
    /// lacked from its first moment on. `None`: the model does not tell; what happened stands in events.
    pub fn is_so_in(&self, model: &Model) -> Option<bool> {
        let runs = |node: Addr| model.nodes().get(node).is_some_and(NodeRecord::runs);
        let lists =
            |seed: Addr, peer: &Addr| model.seeds().get(seed).is_some_and(|view| view.listed.contains_key(peer));
        match self {
            Self::Lack { node, message } => {
                let rumor = model.rumors().get(*message)?;
                Some(model.nodes().get(*node).is_some() && !rumor.copies.contains_key(node))
            }
            Self::Stale { seed, peer } => Some(lists(*seed, peer) && !runs(*peer)),
            Self::Unlisted { seed, peer } => Some(!lists(*seed, peer) && runs(*peer)),
            Self::Alone { node } => {
                let has_none = || model.live_neighbors(*node).next().is_none();
                model.nodes().get(*node).map(|node| node.is_running_peer() && has_none())
            }
            Self::Death { .. } | Self::LinkEnd { .. } | Self::NoSeed | Self::Parted => None,
        }
    }

    /// The same subject, the same observer, the same way; at whatever time.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Death { reporter, dead, way, .. }, Self::Death { reporter: r, dead: d, way: w, .. }) => {
                (reporter, dead) == (r, d) && std::mem::discriminant(way) == std::mem::discriminant(w)
            }
            (Self::LinkEnd { node, peer, end, .. }, Self::LinkEnd { node: n, peer: p, end: e, .. }) => {
                (node, peer) == (n, p) && std::mem::discriminant(end) == std::mem::discriminant(e)
            }
            (
                Self::Death { .. }
                | Self::Lack { .. }
                | Self::LinkEnd { .. }
                | Self::Stale { .. }
                | Self::Unlisted { .. }
                | Self::NoSeed
                | Self::Alone { .. }
                | Self::Parted,
                _,
            ) => self == other,
        }
    }
}

/// All that can be asked of what this model holds, in a fixed order.
pub fn questions(model: &Model) -> Vec<Question> {
    let mut all = deaths(model);
    all.extend(lacks(model));
    all.extend(link_ends(model));
    all.extend(warnings(model));
    all
}

fn deaths(model: &Model) -> Vec<Question> {
    let cases = model.deaths().cases().iter();
    let told = cases.flat_map(|(_, case)| case.evidence.iter().map(move |told| (case.dead, told)));
    let question = |(dead, told): (Addr, &crate::model::death::Evidence)| {
        let (at, way) = (told.declared_at?, told.cause?);
        Some(Question::Death { reporter: told.reporter, dead, at, way })
    };
    told.filter_map(question).collect()
}

fn lacks(model: &Model) -> Vec<Question> {
    let rumors = model.rumors().ring().iter();
    let lacking = rumors
        .flat_map(|(_, rumor)| rumor.lacking(model.nodes(), Counting::HadTime).map(move |node| (node.addr, rumor.id)));
    lacking.map(|(node, message)| Question::Lack { node, message }).collect()
}

/// Links that nobody wanted to end: a death at this end is a question of its own.
fn link_ends(model: &Model) -> Vec<Question> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for link in model.links().iter() {
        for step in link.steps() {
            let Some(end) = step.end().filter(|end| !matches!(end, LinkEnd::Dead { .. })) else { continue };
            if seen.insert((link.key, step.at)) {
                all.push(Question::LinkEnd { node: link.key.node, peer: link.key.peer, at: step.at, end });
            }
        }
    }
    all
}

/// What is warned about now. Messages that nodes lack are questions of their own.
fn warnings(model: &Model) -> Vec<Question> {
    let mut all = Vec::new();
    for (_, warning) in model.warnings().active() {
        match &warning.finding {
            Finding::NoSeed { .. } => all.push(Question::NoSeed),
            Finding::Alone { node } => all.push(Question::Alone { node: *node }),
            Finding::Parted { .. } => all.push(Question::Parted),
            Finding::SeedList { seed, gone, missing } => {
                all.extend(gone.iter().map(|peer| Question::Stale { seed: *seed, peer: *peer }));
                all.extend(missing.iter().map(|peer| Question::Unlisted { seed: *seed, peer: *peer }));
            }
            Finding::Unreached { .. }
            | Finding::Fragile { .. }
            | Finding::Flapping { .. }
            | Finding::OneWay { .. }
            | Finding::Disputed { .. }
            | Finding::Forged { .. }
            | Finding::Eclipsed { .. } => {}
        }
    }
    all
}
