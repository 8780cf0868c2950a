//! Gossip that is held back for nodes that may become neighbors with their first word.

use std::collections::VecDeque;

use crate::proto::addr::Addr;
use crate::proto::message::Message;

/// Messages that are held back for a node, the latest: what a peer that accepts at once misses
/// meanwhile.
const HELD_MAX: usize = 8;

/// The messages, by the node that they are held back for. Most peers never have any.
#[derive(Debug, Default)]
pub(super) struct HeldBack(Option<Box<HeldByPeer>>);

type HeldByPeer = Vec<(Addr, VecDeque<Message>)>;

impl HeldBack {
    pub(super) fn begin(&mut self, peer: Addr) {
        self.0.get_or_insert_default().push((peer, VecDeque::new()));
    }

    /// Ends that; returns what was held back.
    pub(super) fn end(&mut self, peer: Addr) -> VecDeque<Message> {
        let Some(held) = &mut self.0 else { return VecDeque::new() };
        let at = held.iter().position(|(own, _)| *own == peer);
        at.map(|at| held.remove(at).1).unwrap_or_default()
    }

    /// Holds a message back for all but its origin.
    pub(super) fn add(&mut self, message: &Message, origin: Addr) {
        for (_, held) in self.0.iter_mut().flat_map(|held| held.iter_mut()).filter(|(peer, _)| *peer != origin) {
            if held.len() >= HELD_MAX {
                held.pop_front();
            }
            held.push_back(message.clone());
        }
    }
}
