//! Nodes and links whose loss parts a graph.

use super::Graph;
use crate::proto::addr::Addr;

/// The cut points, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cuts {
    /// Without any one of these, others would lose each other.
    pub nodes: Vec<Addr>,
    /// Without any one of these, its two ends would lose each other.
    pub links: Vec<(Addr, Addr)>,
    /// What the loss of each of these nodes would leave, in their order.
    pub splits: Vec<Split>,
}

/// What the part that a node is in would fall into without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    pub node: Addr,
    /// Parts that would be left.
    pub parts: usize,
    /// Nodes in all of them but the largest.
    pub cut_off: usize,
}

/// What hangs on a node alone.
#[derive(Debug, Clone, Copy, Default)]
struct Hanging {
    parts: usize,
    nodes: usize,
    /// Nodes in the largest of these parts.
    largest: usize,
}

/// A node of the depth-first walk that is not done yet.
struct Frame {
    place: usize,
    parent: Option<usize>,
    /// Index of the neighbor that comes next.
    next: usize,
    children: usize,
}

struct CutSearch<'a> {
    graph: &'a Graph,
    /// When each node was found; 0: not yet.
    found: Vec<u32>,
    /// The earliest found node that each node's descendants reach by one link back.
    low: Vec<u32>,
    clock: u32,
    is_cut: Vec<bool>,
    /// Nodes below each node of the walk, itself included.
    below: Vec<usize>,
    hanging: Vec<Hanging>,
    /// Nodes of the part that each node is in.
    part: Vec<usize>,
    links: Vec<(usize, usize)>,
    /// The nodes in the order in which they were found.
    order: Vec<usize>,
}

pub(super) fn cuts(graph: &Graph) -> Cuts {
    let len = graph.len();
    let mut search = CutSearch {
        graph,
        found: vec![0; len],
        low: vec![0; len],
        clock: 0,
        is_cut: vec![false; len],
        below: vec![1; len],
        hanging: vec![Hanging::default(); len],
        part: vec![0; len],
        links: Vec::new(),
        order: Vec::with_capacity(len),
    };
    for root in 0..len {
        if search.found[root] == 0 {
            let before = search.order.len();
            search.walk(root);
            for at in before..search.order.len() {
                search.part[search.order[at]] = search.order.len() - before;
            }
        }
    }
    let name = |place: usize| graph.names[place];
    let cut = || (0..len).filter(|place| search.is_cut[*place]);
    Cuts {
        nodes: cut().map(name).collect(),
        splits: cut().map(|place| search.split(place)).collect(),
        links: search.links.iter().map(|(a, b)| (name(*a), name(*b))).collect(),
    }
}

impl CutSearch<'_> {
    fn walk(&mut self, root: usize) {
        let mut stack = vec![self.enter(root, None)];
        while let Some(frame) = stack.last_mut() {
            let neighbor = self.graph.neighbors[frame.place].get(frame.next).copied();
            frame.next += 1;
            match neighbor {
                Some(neighbor) if Some(neighbor) == frame.parent => {}
                Some(neighbor) if self.found[neighbor] > 0 => {
                    self.low[frame.place] = self.low[frame.place].min(self.found[neighbor]);
                }
                Some(neighbor) => {
                    frame.children += 1;
                    let parent = Some(frame.place);
                    stack.push(self.enter(neighbor, parent));
                }
                None => {
                    if let Some(done) = stack.pop() {
                        self.leave(&done);
                    }
                }
            }
        }
    }

    /// What hangs on the node, and the rest of the part that it is in.
    fn split(&self, place: usize) -> Split {
        let Hanging { parts, nodes, largest } = self.hanging[place];
        let rest = self.part[place] - 1 - nodes;
        let cut_off = nodes + rest - largest.max(rest);
        Split { node: self.graph.names[place], parts: parts + usize::from(rest > 0), cut_off }
    }

    fn enter(&mut self, place: usize, parent: Option<usize>) -> Frame {
        self.clock += 1;
        self.found[place] = self.clock;
        self.low[place] = self.clock;
        self.order.push(place);
        Frame { place, parent, next: 0, children: 0 }
    }

    fn leave(&mut self, done: &Frame) {
        let Some(parent) = done.parent else {
            // The root parts the graph if it has two children: nothing else joins them.
            self.is_cut[done.place] = done.children > 1;
            return;
        };
        self.low[parent] = self.low[parent].min(self.low[done.place]);
        self.below[parent] += self.below[done.place];
        // For the root this always holds; whether it counts is decided when the walk leaves it,
        // last.
        if self.low[done.place] >= self.found[parent] {
            self.is_cut[parent] = true;
            let (hanging, nodes) = (&mut self.hanging[parent], self.below[done.place]);
            hanging.parts += 1;
            hanging.nodes += nodes;
            hanging.largest = hanging.largest.max(nodes);
        }
        if self.low[done.place] > self.found[parent] {
            self.links.push((parent, done.place));
        }
    }
}
