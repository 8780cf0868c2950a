//! Messages of a classic node that wait for one link: the counterpart of the outbox on sockets.
//!
//! A message leaves no sooner than the write gap after the one before on that link. Probes and
//! everything else that holds the network together go before gossip; each of the two keeps its
//! order.

use super::due::Due;
use super::ids::{End, NodeIx};
use super::node::Condition;
use super::sink::EventSink;
use super::world::World;
use crate::proto::machine::{CloseCause, Machine};
use crate::proto::message::{Dialect, Message};
use crate::proto::pacing::{
    CLASSIC_BACKLOG_TOLD, CLASSIC_QUEUE_MESSAGES_MAX, CLASSIC_WRITE_GAP, HANG_UP_TIMEOUT, backlog_told,
};
use crate::proto::time::Time;

impl<M: Machine, S: EventSink> World<M, S> {
    /// One end of a connection sends something: at once, or when its time has come.
    pub(super) fn send(&mut self, end: End, message: Message) {
        let now = self.now;
        let Some(connection) = self.connections.open(end) else { return };
        let Some(pacer) = connection.pacers[end.side()].as_mut() else { return self.carry(now, end, message) };
        if !message.has_words_in(Dialect::Classic) {
            return;
        }
        if pacer.len() == 0 && pacer.next_write <= now {
            pacer.next_write = now + CLASSIC_WRITE_GAP;
            return self.carry(now, end, message);
        }
        pacer.push(message);
        let (waiting, at) = (pacer.len(), pacer.next_write);
        if waiting == 1 {
            self.plan(at, Due::Write(end));
        }
        self.weigh_backlog(end, waiting);
    }

    fn weigh_backlog(&mut self, end: End, waiting: usize) {
        let Some(from) = self.connections.node(end) else { return };
        if waiting >= CLASSIC_BACKLOG_TOLD
            && let Some(node) = self.nodes.get_mut(from)
            && !std::mem::replace(&mut node.told_backlog, true)
        {
            self.emit(self.nodes[from].addr, backlog_told);
        }
        if waiting > CLASSIC_QUEUE_MESSAGES_MAX {
            self.drop_too_slow(end);
        }
    }

    /// The gap after the last write is over: the next message leaves.
    pub(super) fn write(&mut self, end: End) {
        let from = self.connections.node(end).and_then(|node| self.nodes.get(node));
        // A hung node writes nothing more.
        let is_up = from.is_some_and(|node| node.condition == Condition::Up);
        let Some(connection) = self.connections.open(end).filter(|_| is_up) else { return };
        let Some(pacer) = &mut connection.pacers[end.side()] else { return };
        let Some(message) = pacer.pop() else { return };
        let (at, waiting) = (self.now + CLASSIC_WRITE_GAP, pacer.len());
        pacer.next_write = at;
        if waiting > 0 {
            self.plan(at, Due::Write(end));
        }
        self.carry(self.now, end, message);
    }

    /// Whatever this node has not written yet is lost.
    pub(super) fn drop_unwritten(&mut self, node: NodeIx) {
        let Some(here) = self.nodes.get(node) else { return };
        let mut unwritten = Vec::new();
        for connection in &here.connections {
            let end = self.connections.end_of(*connection, node);
            unwritten.extend(self.connections.at_mut(*connection).pacers[end.side()].take().map(|pacer| (end, pacer)));
        }
        for (end, pacer) in unwritten {
            self.lose_unwritten(end, *pacer);
        }
    }

    /// This end closes its connection politely: waiting messages go out first, as far as time
    /// allows. Returns when that is done.
    pub(super) fn write_out(&mut self, end: End, cause: &CloseCause) -> Time {
        let connection = self.connections.get_mut(end).filter(|_| *cause == CloseCause::EndOfStream);
        let pacer = connection.and_then(|connection| connection.pacers[end.side()].take());
        let Some(mut pacer) = pacer else { return self.now };
        let (mut leaves, by) = (pacer.next_write.max(self.now), self.now + HANG_UP_TIMEOUT);
        while leaves < by
            && let Some(message) = pacer.pop()
        {
            self.carry(leaves, end, message);
            leaves = leaves + CLASSIC_WRITE_GAP;
        }
        self.lose_unwritten(end, *pacer);
        leaves.min(by)
    }
}
