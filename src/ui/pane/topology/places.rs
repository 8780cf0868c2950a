//! Where the nodes are. Placed nodes stay where they are; a newcomer appears near its neighbors; a
//! dead node keeps its place.

use std::time::Duration;

use rand::SeedableRng;
use rand_pcg::Pcg32;

use super::graph::{DrawnGraph, TieKind};
use super::layout::{self, Effort, Hold, Job, Point};
use crate::model::Map;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// How long a newcomer may be moved: until it has found its neighbors.
const SETTLE_TIME: Duration = Duration::from_secs(3);
/// How long links must stay unchanged before everything is moved again.
const QUIET_TIME: Duration = Duration::from_millis(200);
/// Nodes up to which the layout is made at once: a millisecond or two. Larger ones are made
/// elsewhere.
const AT_ONCE_MAX: usize = 60;
/// Nodes without a link in one row.
const DOCKS_A_ROW: usize = 24;
/// The step from one of them to the next; it has no divisor in common with the row, so all places
/// are used.
const DOCK_STEP: usize = 5;
/// Places of nodes that are no longer drawn that are remembered.
const FORGOTTEN_MAX: usize = 1_024;

/// A layout to be made elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayoutRequest {
    pub(super) who: Vec<Addr>,
    pub(super) job: Job,
}

/// A layout that was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delivered {
    places: Vec<(Addr, Point)>,
}

impl LayoutRequest {
    /// Computes the layout, which takes a while.
    pub(super) fn carry_out(&self) -> Delivered {
        let points = layout::place(&self.job);
        Delivered { places: self.who.iter().copied().zip(points).collect() }
    }
}

#[derive(Debug, Clone, Copy)]
struct NodePosition {
    point: Point,
    /// Until then it may be moved.
    settles: Time,
}

/// Where all nodes are.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Nodes that are or were linked to a neighbor.
    linked: Map<Addr, NodePosition>,
    /// The others: the number of each at the lower edge.
    docks: Map<Addr, usize>,
    /// The links at the last look, and since when.
    ties: Vec<(Addr, Addr)>,
    changed: Option<Time>,
    /// The number of links at the last full layout.
    ties_then: usize,
    is_ordered: bool,
}

impl Positions {
    /// The place of each node of the graph, in its order.
    pub(super) fn points(&self, graph: &DrawnGraph<'_>) -> Vec<Point> {
        let mut seeds = 0;
        let place = |node: &&crate::model::node::NodeRecord| match (self.linked.get(&node.addr), node.role) {
            (Some(place), _) => place.point,
            (None, Some(Role::Seed)) => {
                seeds += 1;
                seed_point(seeds - 1)
            }
            (None, Some(Role::Peer) | None) => dock_point(self.docks.get(&node.addr).copied().unwrap_or(0)),
        };
        graph.nodes.iter().map(place).collect()
    }

    /// Checks which nodes and links there are now. Returns a layout that takes more than a moment,
    /// to be made elsewhere; its result comes by [`Positions::take`].
    pub(super) fn update(&mut self, graph: &DrawnGraph<'_>, now: Time) -> Option<LayoutRequest> {
        let ties = Self::ties_of(graph);
        if ties != self.ties {
            let is_first = self.ties.is_empty();
            self.ties = ties;
            self.welcome(graph, now);
            // The first picture is laid out at once, the next ones when the links are there.
            self.changed = Some(if is_first { Time::from_micros(0) } else { now });
        }
        self.dock(graph);
        let quiet = self.changed.is_some_and(|changed| now.since(changed) >= QUIET_TIME);
        if !quiet || self.is_ordered {
            return None;
        }
        self.changed = None;
        let order = self.order(now)?;
        if order.who.len() <= AT_ONCE_MAX {
            self.take(&order.carry_out());
            return None;
        }
        self.is_ordered = true;
        Some(order)
    }

    /// A layout has been made; nodes that came or went meanwhile are not in it.
    pub(super) fn take(&mut self, delivered: &Delivered) {
        self.is_ordered = false;
        for (addr, point) in &delivered.places {
            if let Some(place) = self.linked.get_mut(addr) {
                place.point = *point;
            }
        }
    }

    /// Everything is laid out again at the next look.
    pub(super) fn shake(&mut self) {
        self.linked.clear();
        self.ties.clear();
        self.ties_then = 0;
    }

    fn ties_of(graph: &DrawnGraph<'_>) -> Vec<(Addr, Addr)> {
        let neighbors = graph.ties.iter().filter(|tie| tie.kind == TieKind::Neighbor);
        neighbors.map(|tie| (graph.nodes[tie.a].addr, graph.nodes[tie.b].addr)).collect()
    }

    /// Places each node that has its first link near its neighbors.
    fn welcome(&mut self, graph: &DrawnGraph<'_>, now: Time) {
        let mut near: Map<Addr, Vec<Addr>> = Map::default();
        for (a, b) in &self.ties {
            near.entry(*a).or_default().push(*b);
            near.entry(*b).or_default().push(*a);
        }
        let len = layout::link_len(near.len());
        for (addr, neighbors) in &near {
            if !self.linked.contains_key(addr) {
                let point = self.near(*addr, neighbors, len);
                self.linked.insert(*addr, NodePosition { point, settles: now + SETTLE_TIME });
            }
        }
        if self.linked.len() > near.len() + FORGOTTEN_MAX {
            self.linked.retain(|addr, _| graph.number(*addr).is_some());
        }
    }

    /// Amid the placed neighbors, a little to the side, depending on its address.
    #[expect(clippy::cast_precision_loss, reason = "a count of neighbors")]
    fn near(&self, addr: Addr, neighbors: &[Addr], len: f64) -> Point {
        let seed = u64::from(u32::from(addr.ip())) << 16 | u64::from(addr.port());
        let aside = layout::anywhere(&mut Pcg32::seed_from_u64(seed));
        let placed: Vec<Point> =
            neighbors.iter().filter_map(|neighbor| self.linked.get(neighbor)).map(|place| place.point).collect();
        if placed.is_empty() {
            return aside;
        }
        let (x, y) = placed.iter().fold((0.0, 0.0), |(x, y), point| (x + point.x, y + point.y));
        let (x, y) = (x / placed.len() as f64, y / placed.len() as f64);
        let aside = Point::new(aside.x / layout::WIDTH - 0.5, aside.y / layout::HEIGHT - 0.5);
        layout::inside(Point::new(x + aside.x * len * 2.0, y + aside.y * len * 2.0))
    }

    /// Gives a dock to each peer that was never linked, and takes it from those that are.
    fn dock(&mut self, graph: &DrawnGraph<'_>) {
        let is_docked = |addr: Addr| !self.linked.contains_key(&addr);
        self.docks.retain(|addr, _| is_docked(*addr) && graph.number(*addr).is_some());
        let mut taken: Vec<usize> = self.docks.values().copied().collect();
        taken.sort_unstable();
        for node in graph.nodes.iter().filter(|node| node.role != Some(Role::Seed) && is_docked(node.addr)) {
            if !self.docks.contains_key(&node.addr) {
                let free = taken.iter().enumerate().position(|(at, dock)| at != *dock).unwrap_or(taken.len());
                taken.insert(free, free);
                self.docks.insert(node.addr, free);
            }
        }
    }

    /// What there is to lay out, if anything may still be moved.
    fn order(&mut self, now: Time) -> Option<LayoutRequest> {
        let is_free = |place: &NodePosition| place.settles > now;
        if !self.linked.values().any(is_free) {
            return None;
        }
        let all_free = self.linked.values().all(is_free);
        let effort = if all_free && self.ties.len() * 3 >= self.ties_then * 4 {
            self.ties_then = self.ties.len();
            Effort::Anew
        } else {
            Effort::Adjust
        };
        let body = |place: &NodePosition| (place.point, if is_free(place) { Hold::Free } else { Hold::Pinned });
        let bodies = self.linked.values().map(body).collect();
        let place_of = |addr| self.linked.get_index_of(addr);
        let ties = self.ties.iter().filter_map(|(a, b)| Some((place_of(a)?, place_of(b)?))).collect();
        Some(LayoutRequest { who: self.linked.keys().copied().collect(), job: Job { bodies, ties, effort } })
    }
}

/// Seeds stand along the upper edge.
fn seed_point(number: usize) -> Point {
    const ACROSS: [f64; 7] = [0.36, 0.64, 0.5, 0.22, 0.78, 0.08, 0.92];
    let shift = if (number / ACROSS.len()).is_multiple_of(2) { 0.0 } else { 0.07 };
    Point::new(layout::WIDTH * (ACROSS[number % ACROSS.len()] + shift), 0.0)
}

/// Nodes without a link stand along the lower edge, the first ones far apart.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn dock_point(number: usize) -> Point {
    let (row, at) = (number / DOCKS_A_ROW, number % DOCKS_A_ROW);
    let column = (DOCKS_A_ROW / 2 + at * DOCK_STEP) % DOCKS_A_ROW;
    let x = layout::WIDTH * (column as f64 + 0.5) / DOCKS_A_ROW as f64;
    Point::new(x, (layout::HEIGHT - 0.06 * row as f64).max(0.0))
}
