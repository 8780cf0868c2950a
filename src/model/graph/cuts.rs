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
    links: Vec<(usize, usize)>,
}

pub(super) fn cuts(graph: &Graph) -> Cuts {
    let len = graph.len();
    let mut search = CutSearch {
        graph,
        found: vec![0; len],
        low: vec![0; len],
        clock: 0,
        is_cut: vec![false; len],
        links: Vec::new(),
    };
    for root in 0..len {
        if search.found[root] == 0 {
            search.walk(root);
        }
    }
    let name = |place: usize| graph.names[place];
    Cuts {
        nodes: (0..len).filter(|place| search.is_cut[*place]).map(name).collect(),
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

    fn enter(&mut self, place: usize, parent: Option<usize>) -> Frame {
        self.clock += 1;
        self.found[place] = self.clock;
        self.low[place] = self.clock;
        Frame { place, parent, next: 0, children: 0 }
    }

    fn leave(&mut self, done: &Frame) {
        let Some(parent) = done.parent else {
            // The root parts the graph if it has two children: nothing else joins them.
            self.is_cut[done.place] = done.children > 1;
            return;
        };
        self.low[parent] = self.low[parent].min(self.low[done.place]);
        // For the root this always holds; whether it counts is decided when the walk leaves it,
        // last.
        if self.low[done.place] >= self.found[parent] {
            self.is_cut[parent] = true;
        }
        if self.low[done.place] > self.found[parent] {
            self.links.push((parent, done.place));
        }
    }
}
