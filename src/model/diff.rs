//! What differs between two moments of a network, and why.
//!
//! [`diff`] compares two models and reads the events between them for what neither of them keeps. Each
//! difference comes with its cause in the words of [`super::why`], as the later moment knows it.
//! What happened in between and is over, such as a partition that was healed, is told, too.

mod evidence;
mod held;
mod parts;
mod row;
mod words;

use std::borrow::Borrow;

use serde::Serialize;

pub use self::evidence::Between;
pub use self::parts::{Apart, OverlayParts};
pub use self::row::DiffDocument;
pub use self::words::{DiffGroup, DiffLine, lines};
use super::link::LinkHistory;
use super::node::{NodeRecord, ObservedState};
use super::rumor::{Counting, Coverage, Rumor};
use super::why::{self, Explanation, why_dead, why_link, why_not_each};
use super::words::{delisted, second_text};
use super::{Model, Set};
use crate::event::{Event, Purpose};
use crate::proto::addr::Addr;
use crate::proto::fault::Fault;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// The differences between two moments, the most important first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    pub from: Time,
    pub to: Time,
    pub differences: Vec<MomentDifference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentDifference {
    pub what: DifferenceKind,
    /// When it came about, as far as that is known.
    pub at: Option<Time>,
    /// Its cause in words, as far as that is known.
    pub why: Option<String>,
}

/// On which side of a difference something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// At the first moment only.
    Gone,
    /// At the second moment only.
    New,
    /// At neither, but in between.
    Passed,
}

/// What is different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a comparison has some hundreds of them, and lives for a moment")]
pub enum DifferenceKind {
    /// The parts of the overlay between which nothing passes.
    Overlay {
        before: OverlayParts,
        after: OverlayParts,
    },
    /// For a time between the moments, the overlay was in parts.
    Apart(Apart),
    Fault {
        change: Change,
        fault: Fault,
    },
    /// `None`: nothing was known of the node. The same state twice: it began a new life.
    Node {
        node: Addr,
        before: Option<ObservedState>,
        after: Option<ObservedState>,
    },
    /// How many have a message that began before the first moment.
    Message {
        message: MessageId,
        before: Coverage,
        after: Coverage,
    },
    /// Messages that began between the moments.
    Messages {
        change: Change,
        began: usize,
        incomplete: Vec<Incomplete>,
    },
    Link {
        change: Change,
        ends: [Addr; 2],
        purpose: Purpose,
    },
    /// A peer on the list of a seed.
    Listed {
        change: Change,
        seed: Addr,
        peer: Addr,
    },
    /// A node that a peer holds for dead.
    HeldDead {
        change: Change,
        by: Addr,
        of: Addr,
    },
    /// Misses in a row that a node counts on another, of as many as make it dead.
    Suspicion {
        by: Addr,
        of: Addr,
        before: u32,
        after: u32,
        limit: u32,
    },
}

/// A message that did not reach everybody by the second moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    pub message: MessageId,
    pub coverage: Coverage,
    /// Who lacks it, and why.
    pub lacking: Vec<(Addr, String)>,
}

/// What differs between a moment and another, in either order. `between`: the events between the two.
pub fn diff(
    first: &Model,
    second: &Model,
    (from, to): (Time, Time),
    between: impl IntoIterator<Item: Borrow<Event>>,
    utc_offset_s: i32,
) -> Diff {
    if from > to {
        return diff(second, first, (to, from), between, utc_offset_s).reversed();
    }
    let comparison = Sides { before: first, after: second, utc_offset_s };
    let found = Between::read(first, between);
    let mut differences = parts::differences(comparison, &found.apart);
    differences.extend(comparison.faults(from));
    differences.extend(comparison.nodes());
    differences.extend(comparison.messages(from));
    differences.extend(comparison.links(&found));
    differences.extend(comparison.lists(&found));
    differences.extend(held::differences(comparison, from, to));
    differences.extend(comparison.suspicions());
    Diff { from, to, differences }
}

impl Diff {
    /// The same, told from the second moment to the first.
    fn reversed(self) -> Self {
        let differences = self
            .differences
            .into_iter()
            .map(|difference| MomentDifference { what: difference.what.reversed(), ..difference });
        Self { from: self.to, to: self.from, differences: differences.collect() }
    }
}

impl Change {
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Gone => Self::New,
            Self::New => Self::Gone,
            Self::Passed => Self::Passed,
        }
    }

    /// Of what is there before, or after; `None` if that is the same.
    const fn of(before: Existence, after: Existence) -> Option<Self> {
        match (before, after) {
            (Existence::There, Existence::NotThere) => Some(Self::Gone),
            (Existence::NotThere, Existence::There) => Some(Self::New),
            (Existence::There, Existence::There) | (Existence::NotThere, Existence::NotThere) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existence {
    There,
    NotThere,
}

impl Existence {
    fn of<T>(found: Option<T>) -> Self {
        found.map_or(Self::NotThere, |_| Self::There)
    }
}

impl DifferenceKind {
    fn reversed(self) -> Self {
        match self {
            Self::Overlay { before, after } => Self::Overlay { before: after, after: before },
            Self::Apart(apart) => Self::Apart(apart),
            Self::Fault { change, fault } => Self::Fault { change: change.reversed(), fault },
            Self::Node { node, before, after } => Self::Node { node, before: after, after: before },
            Self::Message { message, before, after } => Self::Message { message, before: after, after: before },
            Self::Messages { change, began, incomplete } => {
                Self::Messages { change: change.reversed(), began, incomplete }
            }
            Self::Link { change, ends, purpose } => Self::Link { change: change.reversed(), ends, purpose },
            Self::Listed { change, seed, peer } => Self::Listed { change: change.reversed(), seed, peer },
            Self::HeldDead { change, by, of } => Self::HeldDead { change: change.reversed(), by, of },
            Self::Suspicion { by, of, before, after, limit } => {
                Self::Suspicion { by, of, before: after, after: before, limit }
            }
        }
    }
}

/// The earlier moment and the later one.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a Model,
    after: &'a Model,
    utc_offset_s: i32,
}

impl Sides<'_> {
    fn name(self, addr: Addr) -> String {
        self.after.name_of(addr).into_owned()
    }

    /// Nodes of either moment, p2 before p10.
    fn in_order(self, nodes: impl Iterator<Item = Addr>) -> Vec<Addr> {
        let mut nodes: Vec<Addr> = nodes.collect::<Set<Addr>>().into_iter().collect();
        nodes.sort_by_cached_key(|node| self.after.nodes().order_of(*node));
        nodes
    }

    fn faults(self, from: Time) -> Vec<MomentDifference> {
        let is_set =
            |model: &Model, fault: &Fault| Existence::of(model.faults().iter().find(|set| set.fault == *fault));
        let told = |change, fault: &Fault, at| MomentDifference {
            what: DifferenceKind::Fault { change, fault: fault.clone() },
            at: Some(at),
            why: None,
        };
        let ever = self.after.faults().ever();
        let changed = ever.filter_map(|record| {
            let (before, after) = (is_set(self.before, &record.fault), is_set(self.after, &record.fault));
            match Change::of(before, after) {
                Some(Change::New) => record.until.is_none().then(|| told(Change::New, &record.fault, record.since)),
                Some(Change::Gone) => {
                    let until = record.until.filter(|until| *until > from)?;
                    (record.since <= from).then(|| told(Change::Gone, &record.fault, until))
                }
                Some(Change::Passed) | None => {
                    let until = record.until.filter(|_| record.since > from)?;
                    Some(told(Change::Passed, &record.fault, until))
                }
            }
        });
        changed.collect()
    }

    fn nodes(self) -> Vec<MomentDifference> {
        let all = [self.before, self.after].into_iter().flat_map(|model| model.nodes().iter()).map(|node| node.addr);
        let told = |node: Addr| {
            let (before, after) = (self.before.nodes().get(node), self.after.nodes().get(node));
            if !is_changed(before, after) {
                return None;
            }
            let [before, after] = [before, after].map(|record| record.map(NodeRecord::state));
            let at = self.after.nodes().get(node).map(|record| record.since);
            let what = DifferenceKind::Node { node, before, after };
            Some(MomentDifference { what, at, why: Some(self.why_state(node, before, after)) })
        };
        self.in_order(all).into_iter().filter_map(told).collect()
    }

    fn why_state(self, node: Addr, before: Option<ObservedState>, after: Option<ObservedState>) -> String {
        let since = self.after.nodes().get(node).map(|record| record.since);
        if let (Some(ObservedState::Suspect { .. }), Some(ObservedState::Up), Some(since)) = (before, after, since) {
            return format!(
                "whoever missed its answers has heard from it, since {}",
                second_text(since, self.utc_offset_s)
            );
        }
        match after {
            Some(ObservedState::Dead) => why_dead(self.after, node, self.utc_offset_s).verdict,
            Some(
                ObservedState::Up
                | ObservedState::Known
                | ObservedState::Hung
                | ObservedState::Suspect { .. }
                | ObservedState::Killed
                | ObservedState::Left,
            )
            | None => why::why_state(self.after, node, self.utc_offset_s),
        }
    }

    /// Messages that began since, together; of earlier ones those that more nodes got meanwhile.
    fn messages(self, from: Time) -> Vec<MomentDifference> {
        let coverage = |model: &Model, rumor: &Rumor| rumor.coverage(model.nodes(), Counting::HadTime);
        let held = || self.after.rumors().ring().iter().map(|(_, rumor)| rumor);
        let new: Vec<&Rumor> = held().filter(|rumor| self.before.rumors().get(rumor.id).is_none()).collect();
        let new: Vec<&Rumor> = new.into_iter().filter(|rumor| rumor.first_seen > from).collect();
        let incomplete: Vec<Incomplete> = new.iter().filter_map(|rumor| self.incomplete(rumor)).collect();
        let earlier = held().filter_map(|rumor| {
            let before = coverage(self.before, self.before.rumors().get(rumor.id)?);
            let after = coverage(self.after, rumor);
            let what = DifferenceKind::Message { message: rumor.id, before, after };
            (before.have != after.have).then_some(MomentDifference { what, at: Some(rumor.last_first), why: None })
        });
        let began = (!new.is_empty()).then(|| MomentDifference {
            what: DifferenceKind::Messages { change: Change::New, began: new.len(), incomplete },
            at: None,
            why: None,
        });
        began.into_iter().chain(earlier).collect()
    }

    fn incomplete(self, rumor: &Rumor) -> Option<Incomplete> {
        let coverage = rumor.coverage(self.after.nodes(), Counting::HadTime);
        let lacking: Vec<Addr> = rumor.lacking(self.after.nodes(), Counting::HadTime).map(|node| node.addr).collect();
        let lacks = why_not_each(self.after, rumor, &lacking, self.utc_offset_s);
        let is_late = lacks.iter().any(|lack| !lack.is_on_its_way);
        let lacking = lacking.into_iter().zip(lacks.into_iter().map(|lack| lack.why)).collect();
        is_late.then_some(Incomplete { message: rumor.id, coverage, lacking })
    }

    fn links(self, found: &Between) -> Vec<MomentDifference> {
        let (before, after) = (links_of(self.before), links_of(self.after));
        let told = |ends: &[Addr; 2], purpose: Purpose| {
            let [a, b] = *ends;
            let change = Change::of(
                Existence::of(before.get(ends).filter(|was| **was == purpose)),
                Existence::of(after.get(ends).filter(|is| **is == purpose)),
            )?;
            let (at, why) = match change {
                Change::Gone => (ended_at(self.after, *ends), Some(self.why_gone(a, b))),
                Change::New | Change::Passed => (up_since(self.after, *ends), self.why_new(found, *ends)),
            };
            let what = DifferenceKind::Link { change, ends: *ends, purpose };
            Some((change, MomentDifference { what, at, why }))
        };
        let all: Set<(&[Addr; 2], Purpose)> =
            before.iter().chain(&after).map(|(ends, purpose)| (ends, *purpose)).collect();
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_cached_key(|(ends, purpose)| {
            (*purpose == Purpose::Registration, ends.map(|end| self.after.nodes().order_of(end)))
        });
        let mut links: Vec<(Change, MomentDifference)> =
            all.into_iter().filter_map(|(ends, purpose)| told(ends, purpose)).collect();
        links.sort_by_key(|(change, _)| *change != Change::Gone);
        links.into_iter().map(|(_, difference)| difference).collect()
    }

    fn why_gone(self, a: Addr, b: Addr) -> String {
        let Explanation { verdict, .. } = why_link(self.after, a, b, self.utc_offset_s);
        verdict
    }

    /// Who dialed, and why it looked for links.
    fn why_new(self, found: &Between, ends: [Addr; 2]) -> Option<String> {
        let [a, b] = ends;
        let (dialer, sentence) = [(a, b), (b, a)].into_iter().find_map(|(node, peer)| found.dialed(node, peer))?;
        let peer = if dialer == a { b } else { a };
        let (dialer, peer) = (self.name(dialer), self.name(peer));
        Some(match sentence {
            Some(event) => {
                let told = self.after.sentence(event);
                format!("{dialer} dialed {peer}: {}", lowercase_first(&told))
            }
            None => format!("{dialer} dialed {peer}"),
        })
    }

    fn lists(self, found: &Between) -> Vec<MomentDifference> {
        let seeds = self.in_order(
            [self.before, self.after].into_iter().flat_map(|model| model.seeds().iter()).map(|(seed, _)| seed),
        );
        seeds.into_iter().flat_map(|seed| self.list(seed, found)).collect()
    }

    fn list(self, seed: Addr, found: &Between) -> Vec<MomentDifference> {
        let listed =
            |model: &Model, peer: Addr| model.seeds().get(seed).and_then(|view| view.listed.get(&peer)).copied();
        let on_either = [self.before, self.after].into_iter().filter_map(|model| model.seeds().get(seed));
        let peers = self.in_order(on_either.flat_map(|view| view.listed.keys().copied()));
        let told = |peer: Addr| {
            let after = listed(self.after, peer);
            let change = Change::of(Existence::of(listed(self.before, peer)), Existence::of(after))?;
            let delisting = found.delisted(seed, peer);
            let (at, why) = match change {
                Change::Gone => (
                    delisting.map(|(at, _)| at),
                    delisting.map(|(_, reason)| delisted(reason, &|addr| self.name(addr))),
                ),
                Change::New | Change::Passed => (after, Some("it registered".to_owned())),
            };
            Some(MomentDifference { what: DifferenceKind::Listed { change, seed, peer }, at, why })
        };
        peers.into_iter().filter_map(told).collect()
    }

    fn suspicions(self) -> Vec<MomentDifference> {
        let all = [self.before, self.after].into_iter().flat_map(suspicions_of).map(|(pair, _)| pair);
        let pairs: Set<(Addr, Addr)> = all.collect();
        let misses = |model: &Model, (by, of): (Addr, Addr)| {
            let mut suspicions = model.nodes().get(of)?.suspicions().iter();
            suspicions.find(|suspicion| suspicion.by == by).copied()
        };
        let told = |pair: (Addr, Addr)| {
            let (before, after) = (misses(self.before, pair), misses(self.after, pair));
            let limit = after.or(before)?.limit;
            let [before, after] = [before, after].map(|found| found.map_or(0, |suspicion| suspicion.misses));
            let (by, of) = pair;
            let what = DifferenceKind::Suspicion { by, of, before, after, limit };
            (before != after).then_some(MomentDifference { what, at: None, why: None })
        };
        pairs.into_iter().filter_map(told).collect()
    }
}

/// Its state is another one, or the same in a new life.
fn is_changed(before: Option<&NodeRecord>, after: Option<&NodeRecord>) -> bool {
    let state = |node: &NodeRecord| (std::mem::discriminant(&node.state()), node.starts);
    before.map(state) != after.map(state)
}

/// Who counts misses on whom.
fn suspicions_of(model: &Model) -> impl Iterator<Item = ((Addr, Addr), u32)> {
    let of = |node: &NodeRecord| {
        let node_addr = node.addr;
        node.suspicions().iter().map(move |suspicion| ((suspicion.by, node_addr), suspicion.misses)).collect::<Vec<_>>()
    };
    model.nodes().iter().flat_map(of)
}

/// The links that are up at either end, each once, by its ends in order of address.
fn links_of(model: &Model) -> super::Map<[Addr; 2], Purpose> {
    let ends = |link: &LinkHistory| {
        let (node, peer) = (link.key.node, link.key.peer);
        [node.min(peer), node.max(peer)]
    };
    model.links().up().map(|link| (ends(link), link.purpose)).collect()
}

/// When the first of its ends knew that a link was gone.
fn ended_at(model: &Model, ends: [Addr; 2]) -> Option<Time> {
    model
        .links()
        .both_ends(ends[0], ends[1])
        .filter_map(|link| link.steps().rev().find(|step| step.is_loss()))
        .map(|step| step.at)
        .min()
}

fn up_since(model: &Model, ends: [Addr; 2]) -> Option<Time> {
    model.links().both_ends(ends[0], ends[1]).filter(|link| link.is_up()).map(|link| link.since).min()
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
