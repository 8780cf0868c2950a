//! The overlay over time: when it was in several parts, and who was in which.

use std::time::Duration;

use crate::model::graph::Graph;
use crate::model::node::NodeRecord;
use crate::model::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// How often the overlay is looked at, if it changes: times are as exact as that.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A break shorter than this is one that a repair was already mending.
pub const BLIP: Duration = Duration::from_secs(1);
/// Partings that are kept.
pub const PARTINGS_MAX: usize = 200;

/// A time in which the overlay was in several parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    pub from: Time,
    /// `None`: it still was at the end.
    pub until: Option<Time>,
    /// The parts for most of that time, largest first.
    pub parts: Vec<Vec<Addr>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OverlayFigures {
    /// When the overlay first was one part.
    pub whole_since: Option<Time>,
    pub partings: Vec<Parting>,
    /// Partings over the limit.
    pub more: u64,
    /// Partings of less than [`BLIP`].
    pub blips: u64,
    /// Links of each peer at the end.
    pub degrees: Vec<(Addr, usize)>,
    /// Links between peers at the end.
    pub links: usize,
    /// Parts at the end.
    pub parts: usize,
}

/// A parting that is not over.
#[derive(Debug)]
struct OpenParting {
    from: Time,
    parts: Vec<Vec<Addr>>,
    /// Since when these are the parts.
    since: Time,
    longest: (Duration, Vec<Vec<Addr>>),
}

impl OpenParting {
    fn new(at: Time, parts: Vec<Vec<Addr>>) -> Self {
        Self { from: at, longest: (Duration::ZERO, parts.clone()), parts, since: at }
    }

    fn changes(&mut self, at: Time, parts: Vec<Vec<Addr>>) {
        if at.since(self.since) >= self.longest.0 {
            self.longest = (at.since(self.since), std::mem::take(&mut self.parts));
        }
        (self.parts, self.since) = (parts, at);
    }

    fn end(mut self, at: Time, until: Option<Time>) -> Parting {
        self.changes(at, Vec::new());
        Parting { from: self.from, until, parts: self.longest.1 }
    }
}

#[derive(Debug, Default)]
pub(super) struct OverlayFold {
    figures: OverlayFigures,
    version: u64,
    /// Peers that have had a neighbor in the life that began then: a peer that has just started is
    /// not cut off.
    joined: Set<(Addr, Time)>,
    open: Option<OpenParting>,
}

impl OverlayFold {
    pub(super) fn look(&mut self, model: &Model) {
        if model.overlay_version() == self.version {
            return;
        }
        self.version = model.overlay_version();
        let parts = self.parts(model);
        let at = model.now();
        match (self.open.take(), parts.len()) {
            (None, 0 | 1) => {
                let is_whole = parts.first().is_some_and(|part| part.len() > 1);
                self.figures.whole_since = self.figures.whole_since.or(is_whole.then_some(at));
            }
            (None, _) if self.figures.whole_since.is_none() => {}
            (None, _) => self.open = Some(OpenParting::new(at, sorted(model, parts))),
            (Some(open), 0 | 1) => self.keep(open.end(at, Some(at))),
            (Some(mut open), _) => {
                open.changes(at, sorted(model, parts));
                self.open = Some(open);
            }
        }
    }

    pub(super) fn finish(mut self, model: &Model) -> OverlayFigures {
        self.look(model);
        if let Some(open) = self.open.take() {
            self.keep(open.end(model.now(), None));
        }
        let graph = model.overlay().graph;
        let runs = |node: &Addr| model.nodes().get(*node).is_some_and(NodeRecord::is_ours);
        self.figures.degrees = graph.nodes().filter(runs).map(|node| (node, graph.degree(node))).collect();
        self.figures.links = graph.nodes().map(|node| graph.degree(node)).sum::<usize>() / 2;
        self.figures.parts = graph.parts().len();
        self.figures
    }

    fn parts(&mut self, model: &Model) -> Vec<Vec<Addr>> {
        let graph = model.overlay().with_one_elsewhere();
        let life = |node: Addr| model.nodes().get(node).map(|node| (node.addr, node.life_since()));
        let linked = graph.nodes().filter(|node| graph.degree(*node) > 0);
        self.joined.extend(linked.filter_map(life));
        let joined: Graph = graph.only(|node| life(node).is_none_or(|life| self.joined.contains(&life)), |_, _| true);
        joined.parts()
    }

    fn keep(&mut self, parting: Parting) {
        if parting.until.is_some_and(|until| until.since(parting.from) < BLIP) {
            self.figures.blips += 1;
        } else if self.figures.partings.len() == PARTINGS_MAX {
            self.figures.more += 1;
        } else {
            self.figures.partings.push(parting);
        }
    }
}

fn sorted(model: &Model, mut parts: Vec<Vec<Addr>>) -> Vec<Vec<Addr>> {
    for part in &mut parts {
        part.sort_by_cached_key(|node| model.nodes().order_of(*node));
    }
    parts
}
