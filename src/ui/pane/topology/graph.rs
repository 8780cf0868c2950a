//! The nodes and links that are drawn.

use crate::event::Purpose;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::{FastHashMap, Model};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::view::View;

/// Nodes known by hearsay alone that are drawn: enough for the neighbors of our neighbors.
const HEARSAY_SHOWN: usize = 120;

/// The drawn nodes: seeds first, then peers, ours first, each by name.
pub(super) struct DrawnGraph<'a> {
    pub(super) nodes: Vec<&'a NodeRecord>,
    /// In the order of the nodes.
    pub(super) ties: Vec<Tie>,
    /// Nodes known by hearsay alone that are not drawn.
    pub(super) more: usize,
    numbers: FastHashMap<Addr, usize>,
}

/// A link between two of the nodes, by their numbers; one line for both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tie {
    /// The lower number.
    pub(super) a: usize,
    /// The higher number.
    pub(super) b: usize,
    pub(super) kind: TieKind,
    /// Misses in a row that one end counts on the other.
    pub(super) misses: u32,
    /// The fault on it.
    pub(super) harm: Harm,
}

/// How a fault affects a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Harm {
    None,
    /// Delayed, lost, doubled or out of order.
    Faulty,
    /// Nothing passes.
    Cut,
}

/// A neighbor, or a registration with a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TieKind {
    Registration,
    Neighbor,
}

impl Tie {
    pub(super) fn touches(&self, node: usize) -> bool {
        self.a == node || self.b == node
    }

    /// The other end.
    pub(super) fn beyond(&self, node: usize) -> usize {
        if self.a == node { self.b } else { self.a }
    }
}

impl<'a> DrawnGraph<'a> {
    pub(super) fn of(view: &View<'a>) -> Self {
        let (mut nodes, more) = nodes(view.model);
        nodes.sort_by_cached_key(|node| {
            let is_peer = node.role != Some(Role::Seed);
            (is_peer, node.state() == ObservedState::Known, !node.is_ours(), view.by_name(node.addr))
        });
        let numbers = nodes.iter().enumerate().map(|(number, node)| (node.addr, number)).collect();
        let ties = ties(view.model, &numbers);
        Self { nodes, ties, more, numbers }
    }

    /// The number of the node at this address.
    pub(super) fn number(&self, addr: Addr) -> Option<usize> {
        self.numbers.get(&addr).copied()
    }

    /// The neighbors of a node.
    pub(super) fn neighbors(&self, node: usize) -> impl Iterator<Item = usize> {
        let near = self.ties.iter().filter(move |tie| tie.kind == TieKind::Neighbor && tie.touches(node));
        near.map(move |tie| tie.beyond(node))
    }
}

fn nodes(model: &Model) -> (Vec<&NodeRecord>, usize) {
    let mut hearsay = 0;
    let nodes = model.nodes().iter().filter(|node| {
        let is_hearsay = node.state() == ObservedState::Known && node.role != Some(Role::Seed);
        hearsay += usize::from(is_hearsay);
        !is_hearsay || hearsay <= HEARSAY_SHOWN
    });
    let nodes = nodes.collect();
    (nodes, hearsay.saturating_sub(HEARSAY_SHOWN))
}

fn harm(model: &Model, one: Addr, other: Addr) -> Harm {
    match model.faults() {
        faults if faults.is_cut(one, other) => Harm::Cut,
        faults if faults.on_link(one, other).next().is_some() => Harm::Faulty,
        _ => Harm::None,
    }
}

fn ties(model: &Model, numbers: &FastHashMap<Addr, usize>) -> Vec<Tie> {
    let mut ties: Vec<Tie> = Vec::new();
    for link in model.links().up() {
        let (Some(node), Some(peer)) = (numbers.get(&link.key.node), numbers.get(&link.key.peer)) else { continue };
        let kind = match link.purpose {
            Purpose::Registration => TieKind::Registration,
            Purpose::Neighbor => TieKind::Neighbor,
        };
        let harm = harm(model, link.key.node, link.key.peer);
        ties.push(Tie { a: *node.min(peer), b: *node.max(peer), kind, misses: link.misses, harm });
    }
    // Both ends of a link tell of it: the one with more to say counts.
    ties.sort_unstable_by_key(|tie| (tie.a, tie.b, tie.kind, std::cmp::Reverse(tie.misses)));
    ties.dedup_by_key(|tie| (tie.a, tie.b, tie.kind));
    ties
}
