//! What a classic node has to say to one link, until its time has come: the counterpart of the outbox on sockets.
//!
//! What a node writes leaves no sooner than the write gap after what it wrote before on that link. Probes and all else that
//! keeps the network together go before gossip; each of the two keeps its order.

use std::collections::VecDeque;

use super::{Condition, EventSink, What, World, link_of};
use crate::proto::addr::Addr;
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine};
use crate::proto::message::{Dialect, Message};
use crate::proto::pacing::{
    CLASSIC_BACKLOG_TOLD, CLASSIC_QUEUE_MESSAGES_MAX, CLASSIC_WRITE_GAP, HANG_UP_TIMEOUT, backlog_told,
};
use crate::proto::time::Time;

/// One end of a connection that is written to in the classic dialect.
#[derive(Debug)]
pub(super) struct Pacer {
    next_write: Time,
    first: VecDeque<Message>,
    gossip: VecDeque<Message>,
}

impl Pacer {
    fn new(now: Time) -> Self {
        Self { next_write: now, first: VecDeque::new(), gossip: VecDeque::new() }
    }

    fn len(&self) -> usize {
        self.first.len() + self.gossip.len()
    }

    fn push(&mut self, message: Message) {
        let queue = if message.goes_first() { &mut self.first } else { &mut self.gossip };
        queue.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        self.first.pop_front().or_else(|| self.gossip.pop_front())
    }
}

impl<M: Machine, S: EventSink> World<M, S> {
    /// What keeps the messages of this node on a new connection apart, if anything does.
    pub(super) fn pacer_of(&self, addr: Addr) -> Option<Pacer> {
        match self.machine(addr)?.dialect() {
            Dialect::Framed => None,
            Dialect::Classic => Some(Pacer::new(self.now)),
        }
    }

    /// One end of a connection says something: at once, or when its time has come.
    pub(super) fn send(&mut self, id: u64, end: usize, message: Message) {
        let Some(connection) = self.connections.get_mut(&id).filter(|c| !c.closed[end]) else { return };
        let (from, now) = (connection.ends[end], self.now);
        let Some(pacer) = connection.pacers[end].as_mut() else { return self.carry(now, id, end, message) };
        if !message.has_words_in(Dialect::Classic) {
            return;
        }
        if pacer.len() == 0 && pacer.next_write <= now {
            pacer.next_write = now + CLASSIC_WRITE_GAP;
            return self.carry(now, id, end, message);
        }
        pacer.push(message);
        let (waiting, at) = (pacer.len(), pacer.next_write);
        if waiting == 1 {
            self.plan(at, from, What::Write(id, end));
        }
        self.weigh_backlog(id, end, waiting);
    }

    fn weigh_backlog(&mut self, id: u64, end: usize, waiting: usize) {
        let Some(from) = self.connections.get(&id).map(|connection| connection.ends[end]) else { return };
        if waiting >= CLASSIC_BACKLOG_TOLD
            && let Some(node) = self.nodes.get_mut(&from)
            && !std::mem::replace(&mut node.told_backlog, true)
        {
            self.emit(from, backlog_told);
        }
        if waiting > CLASSIC_QUEUE_MESSAGES_MAX {
            self.drop_too_slow(from, id, end);
        }
    }

    /// The remote is too far behind: as on sockets this end drops the link, and nothing that waits is written.
    fn drop_too_slow(&mut self, from: Addr, id: u64, end: usize) {
        let closed = |cause| move |link| Input::Link { link, change: LinkChange::Closed { cause } };
        self.deliver(id, 1 - end, closed(CloseCause::EndOfStream));
        self.handle(from, closed(CloseCause::TooSlow)(link_of(id, end)));
    }

    /// The gap after the last write is over: the next message leaves.
    pub(super) fn write(&mut self, from: Addr, id: u64, end: usize) {
        // A node that hangs writes nothing more.
        let is_up = self.nodes.get(&from).is_some_and(|node| node.condition == Condition::Up);
        let Some(connection) = self.connections.get_mut(&id).filter(|c| is_up && !c.closed[end]) else { return };
        let Some(pacer) = &mut connection.pacers[end] else { return };
        let Some(message) = pacer.pop() else { return };
        let (at, waiting) = (self.now + CLASSIC_WRITE_GAP, pacer.len());
        pacer.next_write = at;
        if waiting > 0 {
            self.plan(at, from, What::Write(id, end));
        }
        self.carry(self.now, id, end, message);
    }

    /// Whatever this node has still to write is lost.
    pub(super) fn drop_unwritten(&mut self, addr: Addr) {
        let Some(node) = self.nodes.get(&addr) else { return };
        for id in &node.connections {
            if let Some(connection) = self.connections.get_mut(id) {
                let end = usize::from(connection.ends[1] == addr);
                connection.pacers[end] = None;
            }
        }
    }

    /// This end closes its connection politely: what waits goes out first, as far as there is time. When that is done.
    pub(super) fn write_out(&mut self, id: u64, end: usize, cause: &CloseCause) -> Time {
        let connection = self.connections.get_mut(&id).filter(|_| *cause == CloseCause::EndOfStream);
        let Some(mut pacer) = connection.and_then(|connection| connection.pacers[end].take()) else { return self.now };
        let (mut leaves, by) = (pacer.next_write.max(self.now), self.now + HANG_UP_TIMEOUT);
        while leaves < by
            && let Some(message) = pacer.pop()
        {
            self.carry(leaves, id, end, message);
            leaves = leaves + CLASSIC_WRITE_GAP;
        }
        leaves.min(by)
    }
}
