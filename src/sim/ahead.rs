//! Reading ahead what the next steps need.
//!
//! In a large network almost everything that a step needs is far from the processor, and the step waits for one thing
//! after the other: the node, what it points to, the connection. The processor can wait for a dozen at one time. So
//! before some steps are taken, all that they need is read, first what is found at once, then what that points to.
//! Nothing depends on what is read.

use std::hint::black_box;

use super::due::Due;
use super::ids::End;
use super::node::SimulatedNode;
use super::sink::EventSink;
use super::world::World;
use crate::proto::machine::{Input, Machine, Touched};

/// Steps that are read ahead at one time: what they need fits into the nearest cache.
const STEPS: usize = 16;
/// Fewer nodes fit into the processor's caches.
const NODES_MIN: usize = 4_000;
/// Connections that are read of a node that is woken: as many as a peer has neighbors, and no more of a seed.
const CONNECTIONS_MAX: usize = 8;

/// A step that is taken soon.
struct Ahead<'a, M> {
    node: &'a SimulatedNode<M>,
    /// `None`: the node is woken.
    input: Option<&'a Input>,
}

impl<M: Machine, S: EventSink> World<M, S> {
    /// Reads what some steps need, and returns how many.
    pub(super) fn read_ahead(&self) -> usize {
        if self.nodes.len() < NODES_MIN {
            return STEPS;
        }
        let steps = || self.wheel.ahead().take(STEPS);
        let mut next = [const { None }; STEPS];
        steps().zip(&mut next).for_each(|(due, next)| *next = self.ahead(due));
        let next = || next.iter().flatten();
        let nodes = next().map(|next| next.node.machine.touch(Touched::Itself) ^ self.touch_connection(next));
        let nodes = nodes.fold(0, |all, one| all ^ one);
        let kept = next().map(|next| next.node.machine.touch(Touched::Kept(next.input)) ^ self.touch_connections(next));
        black_box(kept.fold(nodes, |all, one| all ^ one));
        steps().count().max(1)
    }

    fn ahead(&self, due: Due) -> Option<Ahead<'_, M>> {
        let (node, input) = match due {
            Due::Wake(node) => (node, None),
            Due::Arrive(node, input) => (node, self.inputs.get(input)),
            Due::DialArrives(_) | Due::Read(_) | Due::Write(_) | Due::Resume(_) | Due::Junk(_) => return None,
        };
        Some(Ahead { node: self.nodes.get(node)?, input })
    }

    /// The connection on which something comes.
    fn touch_connection(&self, ahead: &Ahead<'_, M>) -> u64 {
        let Some(Input::Message { link, .. } | Input::Link { link, .. }) = ahead.input else { return 0 };
        self.connections.get(End::of(*link)).map_or(0, |connection| u64::from(connection.dial))
    }

    /// The connections on which a node that is woken may send.
    fn touch_connections(&self, ahead: &Ahead<'_, M>) -> u64 {
        if ahead.input.is_some() {
            return 0;
        }
        let connections = ahead.node.connections.iter().take(CONNECTIONS_MAX);
        connections.fold(0, |all, connection| all ^ u64::from(self.connections.at(*connection).dial))
    }
}
