//! Flooding: a message that is new goes to every neighbor but the one that it came from (rule 6).

use crate::proto::addr::Addr;
use crate::proto::cx::{Cx, NeighborOutput};
use crate::proto::flat_map::grow_by_few;
use crate::proto::message::Message;

/// The strategy: see the module.
#[derive(Debug, Default)]
pub(super) struct Flood {
    neighbors: Vec<Addr>,
}

impl Flood {
    pub(super) fn up(&mut self, peer: Addr) {
        grow_by_few(&mut self.neighbors);
        self.neighbors.push(peer);
    }

    pub(super) fn down(&mut self, peer: Addr) {
        self.neighbors.retain(|neighbor| *neighbor != peer);
    }

    pub(super) fn spread(&self, cx: &mut Cx<impl NeighborOutput>, message: &Message, from: Option<Addr>) -> usize {
        let mut sent = 0;
        for neighbor in self.neighbors.iter().copied().filter(|neighbor| Some(*neighbor) != from) {
            cx.out.send(neighbor, message);
            sent += 1;
        }
        sent
    }
}
