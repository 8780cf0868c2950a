//! Which lines there are, and their order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::event::Purpose;
use crate::model::link::{LinkHistory, LinkState};
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::view::{Target, View, nodes_shown};

/// The order of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    /// Seeds, then peers, each by name.
    #[default]
    Name,
    /// Problems first.
    State,
    /// Slow answers first.
    Rtt,
    /// Many links first.
    Links,
}

impl Sort {
    pub(super) const ALL: [Self; 4] = [Self::Name, Self::State, Self::Rtt, Self::Links];
    /// Their names, in the same order.
    pub(super) const WORDS: &'static [&'static str] = &["name", "state", "rtt", "links"];

    pub(super) const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    pub(super) const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

/// The lines, nodes in this order, each unfolded one with its links below it.
pub(super) fn rows(view: &View<'_>, sort: Sort, open: &BTreeSet<Addr>) -> Vec<Target> {
    let mut nodes: Vec<&NodeRecord> = nodes_shown(view).collect();
    order(&mut nodes, sort, view);
    let mut rows = Vec::with_capacity(nodes.len());
    for node in nodes {
        rows.push(Target::Node(node.addr));
        if open.contains(&node.addr) {
            rows.extend(links_of(node.addr, view));
        }
    }
    rows
}

/// Pairs of linked nodes; a link of two nodes of ours is seen from both ends.
pub(super) fn pairs_linked(view: &View<'_>) -> u64 {
    let twice = |link: &LinkHistory| {
        let back = view.model.links().get(link.key.peer, link.key.node);
        link.key.peer < link.key.node && back.is_some_and(LinkHistory::is_up)
    };
    view.model.links().up().filter(|link| !twice(link)).count() as u64
}

fn links_of(node: Addr, view: &View<'_>) -> Vec<Target> {
    let mut links: Vec<&LinkHistory> =
        view.model.links().of(node).filter(|link| link.state != LinkState::Ended).collect();
    links.sort_by_key(|link| (link.purpose == Purpose::Neighbor, view.by_name(link.key.peer)));
    links.into_iter().map(|link| Target::Link(link.key)).collect()
}

fn order(nodes: &mut [&NodeRecord], sort: Sort, view: &View<'_>) {
    let rtts = if sort == Sort::Rtt { rtts(view) } else { BTreeMap::new() };
    nodes.sort_by_cached_key(|node| {
        let first = match sort {
            Sort::Name => 0,
            Sort::State => trouble(node.state()),
            Sort::Rtt => rtts.get(&node.addr).copied().unwrap_or(0),
            Sort::Links => u64::from(node.neighbors.max(node.registrations).max(node.linked)),
        };
        (Reverse(first), !node.is_ours(), node.role != Some(Role::Seed), view.by_name(node.addr))
    });
}

/// The newest answer of each node.
fn rtts(view: &View<'_>) -> BTreeMap<Addr, u64> {
    let mut answers = BTreeMap::new();
    for link in view.model.links().up() {
        let newest = answers.entry(link.key.peer).or_default();
        *newest = link.answer().max(*newest);
    }
    answers.into_iter().filter_map(|(node, answer)| Some((node, answer?.1))).collect()
}

fn trouble(state: ObservedState) -> u64 {
    match state {
        ObservedState::Suspect { misses, .. } => 100 + u64::from(misses),
        ObservedState::Hung => 100,
        ObservedState::Dead | ObservedState::Killed => 3,
        ObservedState::Up => 2,
        ObservedState::Left => 1,
        ObservedState::Known => 0,
    }
}
