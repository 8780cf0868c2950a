//! Which lines there are, and their order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::SortDirection;
use super::cells::Seen;
use crate::event::Purpose;
use crate::model::link::{LinkHistory, LinkState};
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::addr::Addr;
use crate::ui::view::{Target, View, nodes_shown};

/// The order of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    /// Dead ones, then suspects, then the others, each by name.
    #[default]
    State,
    Name,
    /// Slow answers first.
    Rtt,
    /// Many links first.
    Links,
}

impl Sort {
    pub(super) const ALL: [Self; 4] = [Self::State, Self::Name, Self::Rtt, Self::Links];
    /// Their names, in the same order.
    pub(super) const WORDS: &'static [&'static str] = &["state", "name", "rtt", "links"];

    pub(super) const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// In the title of the pane.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::State => "trouble first",
            Self::Name => "by name",
            Self::Rtt => "slow first",
            Self::Links => "most links first",
        }
    }

    /// The head of the column that it goes by.
    pub(super) const fn head(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Name => "NODE",
            Self::Rtt => "RTT",
            Self::Links => "LINKS",
        }
    }

    pub(super) const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

/// The lines, nodes in this order, each unfolded one with its links below it.
pub(super) fn rows(view: &View<'_>, (sort, direction): (Sort, SortDirection), open: &BTreeSet<Addr>) -> Vec<Target> {
    let mut nodes: Vec<&NodeRecord> = nodes_shown(view).collect();
    order(&mut nodes, sort, view);
    if direction == SortDirection::Reversed {
        nodes.reverse();
    }
    let mut rows = Vec::with_capacity(nodes.len());
    for node in nodes {
        rows.push(Target::Node(node.addr));
        if open.contains(&node.addr) {
            rows.extend(links_of(node.addr, view));
        }
    }
    rows
}

/// Pairs of linked neighbors; a link of two nodes of ours is seen from both ends.
pub(super) fn neighbors_linked(view: &View<'_>) -> usize {
    let twice = |link: &LinkHistory| {
        let back = view.model.links().get(link.key.peer, link.key.node);
        link.key.peer < link.key.node && back.is_some_and(LinkHistory::is_up)
    };
    view.model.links().up().filter(|link| link.purpose == Purpose::Neighbor && !twice(link)).count()
}

pub(super) fn links_of(node: Addr, view: &View<'_>) -> Vec<Target> {
    let mut links: Vec<&LinkHistory> =
        view.model.links().of(node).filter(|link| link.state != LinkState::Ended).collect();
    links.sort_by_key(|link| (link.purpose == Purpose::Neighbor, view.by_name(link.key.peer)));
    links.into_iter().map(|link| Target::Link(link.key)).collect()
}

fn order(nodes: &mut [&NodeRecord], sort: Sort, view: &View<'_>) {
    let targets: Vec<Target> = nodes.iter().map(|node| Target::Node(node.addr)).collect();
    let seen = if sort == Sort::Rtt { Seen::of(view, &targets, None) } else { Seen::default() };
    nodes.sort_by_cached_key(|node| {
        let first = match sort {
            Sort::Name => 0,
            Sort::State => trouble(node.state()),
            Sort::Rtt => seen.rtt_us(node.addr),
            Sort::Links => u64::from(node.neighbors.max(node.registrations).max(node.linked)),
        };
        (Reverse(first), view.by_name(node.addr))
    });
}

fn trouble(state: ObservedState) -> u64 {
    match state {
        ObservedState::Dead | ObservedState::Killed => 3,
        ObservedState::Hung | ObservedState::Suspect { .. } => 2,
        ObservedState::Up | ObservedState::Known => 1,
        ObservedState::Left => 0,
    }
}
