//! Checks that everything that nodes keep, and what waits for them, is within its bounds.

use std::time::Duration;

use super::sink::EventSink;
use super::world::{UNREAD_MAX, World};
use crate::proto::addr::Addr;
use crate::proto::machine::{Gauge, Machine};

/// How often the bounds are checked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Nodes that are checked each time, in turn: all of a usual network, and of a large one so few
/// that the time goes to the network and not to the checks.
const LOOK_NODES_MAX: usize = 4_096;

impl<M: Machine, S: EventSink> World<M, S> {
    /// Everything that is over its bound, in the nodes and in what waits for them.
    pub fn over_bounds(&self) -> Vec<(Addr, Gauge)> {
        self.over_bounds_among(0, self.nodes.len())
    }

    /// The same, at most every half second, else empty. In a large network each check covers a part
    /// of the nodes.
    pub fn over_bounds_if_due(&mut self) -> Vec<(Addr, Gauge)> {
        if self.now < self.next_look {
            return Vec::new();
        }
        self.next_look = self.now + LOOK_EVERY;
        let first = if self.look_from < self.nodes.len() { self.look_from } else { 0 };
        self.look_from = first + LOOK_NODES_MAX;
        self.over_bounds_among(first, LOOK_NODES_MAX)
    }

    fn over_bounds_among(&self, first: usize, count: usize) -> Vec<(Addr, Gauge)> {
        let mut over = Vec::new();
        for (_, site, node) in self.nodes.range(first, count) {
            let mut weigh = |gauge: Gauge| over.extend(gauge.is_over().then_some((site.addr, gauge)));
            node.machine.gauges(&mut weigh);
            // For each connection, its end waits, too.
            let unread_max = UNREAD_MAX + node.connections.len();
            weigh(Gauge::new("things to be read", node.unread.len(), unread_max));
        }
        over
    }
}
