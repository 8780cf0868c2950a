//! The graph of links: distances, parts, and the nodes and links that hold it together.
//!
//! Distances come from breadth-first search. The nodes and links whose loss parts the graph come
//! from Tarjan's low-link walk ("Depth-first search and linear graph algorithms", 1972), without
//! recursion, so a line of 100,000 nodes needs no deep stack. All of it takes O(nodes + links).

mod cuts;

pub use cuts::{Cuts, Split};

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::Set;
use crate::proto::addr::Addr;

/// An undirected graph without loops; each link counts once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    names: Set<Addr>,
    /// Neighbors of each node. Nodes are named by their index in `names`.
    neighbors: Vec<SmallVec<[usize; 8]>>,
}

impl Graph {
    /// Adds a node without links, unless it is there, and returns its index.
    pub fn add(&mut self, node: Addr) -> usize {
        let (place, is_new) = self.names.insert_full(node);
        if is_new {
            self.neighbors.push(SmallVec::new());
        }
        place
    }

    /// Adds a link between two nodes, and the nodes, unless they are there.
    pub fn join(&mut self, a: Addr, b: Addr) {
        let (a, b) = (self.add(a), self.add(b));
        if a == b || self.neighbors[a].contains(&b) {
            return;
        }
        self.neighbors[a].push(b);
        self.neighbors[b].push(a);
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// In the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = Addr> {
        self.names.iter().copied()
    }

    pub fn contains(&self, node: Addr) -> bool {
        self.names.contains(&node)
    }

    pub fn neighbors(&self, node: Addr) -> impl Iterator<Item = Addr> {
        let places = self.names.get_index_of(&node).map(|place| self.neighbors[place].as_slice());
        places.unwrap_or_default().iter().map(|place| self.names[*place])
    }

    pub fn degree(&self, node: Addr) -> usize {
        self.names.get_index_of(&node).map_or(0, |place| self.neighbors[place].len())
    }

    /// The nodes that can be reached from this one, each with its distance in links: itself first,
    /// then by distance.
    pub fn distances(&self, from: Addr) -> Vec<(Addr, u32)> {
        let walk = self.walk([from]);
        walk.order
            .iter()
            .map(|place| (self.names[*place], walk.steps[*place].map_or(0, |step| step.distance)))
            .collect()
    }

    /// The shortest paths from the nearest of `from` to every node, found in one walk.
    pub fn ways(&self, from: impl IntoIterator<Item = Addr>) -> Ways {
        Ways { names: self.names.clone(), walk: self.walk(from) }
    }

    /// The connected parts, largest first; of equal ones, the one whose node was added first.
    pub fn parts(&self) -> Vec<Vec<Addr>> {
        let mut seen = vec![false; self.len()];
        let mut parts: Vec<Vec<Addr>> = Vec::new();
        for place in 0..self.len() {
            if !seen[place] {
                parts.push(self.part_of(place, &mut seen).into_iter().map(|place| self.names[place]).collect());
            }
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts
    }

    /// Nodes without a link, and the parts of several nodes: an overlay is in as many parts as those.
    pub fn alone_and_parts(&self) -> (Vec<Addr>, Vec<Vec<Addr>>) {
        let (alone, parts): (Vec<_>, Vec<_>) = self.parts().into_iter().partition(|part| part.len() == 1);
        (alone.into_iter().flatten().collect(), parts)
    }

    /// What can be reached from here, by distance; all of it is seen then.
    fn part_of(&self, from: usize, seen: &mut [bool]) -> Vec<usize> {
        let (mut part, mut next) = (vec![from], 0);
        seen[from] = true;
        while let Some(place) = part.get(next).copied() {
            next += 1;
            let new = self.neighbors[place].iter().filter(|place| !std::mem::replace(&mut seen[**place], true));
            part.extend(new);
        }
        part
    }

    /// The nodes and links whose loss would part the graph further.
    pub fn cuts(&self) -> Cuts {
        cuts::cuts(self)
    }

    #[must_use]
    pub fn without(&self, node: Addr) -> Self {
        self.only(|other| other != node, |_, _| true)
    }

    #[must_use]
    pub fn without_link(&self, a: Addr, b: Addr) -> Self {
        self.only(|_| true, |one, other| (one, other) != (a, b) && (one, other) != (b, a))
    }

    /// The same graph, reduced to these nodes and links.
    #[must_use]
    pub fn only(&self, keep: impl Fn(Addr) -> bool, keep_link: impl Fn(Addr, Addr) -> bool) -> Self {
        let mut rest = Self::default();
        for node in self.nodes().filter(|node| keep(*node)) {
            rest.add(node);
            let neighbors = self.neighbors(node).filter(|neighbor| keep(*neighbor) && keep_link(node, *neighbor));
            neighbors.for_each(|neighbor| rest.join(node, neighbor));
        }
        rest
    }

    fn walk(&self, from: impl IntoIterator<Item = Addr>) -> Walk {
        let mut walk = Walk { steps: vec![None; self.len()], order: Vec::new() };
        let mut open: VecDeque<usize> = from.into_iter().filter_map(|node| self.names.get_index_of(&node)).collect();
        for place in &open {
            walk.steps[*place] = Some(PathStep { from: None, distance: 0 });
        }
        while let Some(place) = open.pop_front() {
            walk.order.push(place);
            let distance = walk.steps[place].map_or(0, |step| step.distance) + 1;
            for neighbor in &self.neighbors[place] {
                if walk.steps[*neighbor].is_none() {
                    walk.steps[*neighbor] = Some(PathStep { from: Some(place), distance });
                    open.push_back(*neighbor);
                }
            }
        }
        walk
    }
}

/// The shortest paths from some nodes to all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Ways {
    names: Set<Addr>,
    walk: Walk,
}

impl Ways {
    /// The path to this node, both ends included; empty if there is none.
    pub fn to(&self, node: Addr) -> Vec<Addr> {
        let Some(mut place) = self.names.get_index_of(&node) else { return Vec::new() };
        let mut way = Vec::new();
        while let Some(step) = self.walk.steps[place] {
            way.push(self.names[place]);
            match step.from {
                Some(before) => place = before,
                None => break,
            }
        }
        way.reverse();
        way
    }
}

/// What a breadth-first search found.
#[derive(Debug, Clone, PartialEq)]
struct Walk {
    /// How each node was reached, if it was.
    steps: Vec<Option<PathStep>>,
    /// The nodes that were reached, nearest first.
    order: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PathStep {
    from: Option<usize>,
    distance: u32,
}

#[cfg(test)]
mod tests;
