//! What waits to be read at a slow node, or at one that does not run.
//!
//! A node that is not slow reads whatever reaches it at once. A slow one reads one thing in each pause, in the order in
//! which they came; when it is slow no longer, it reads all that waits.

use super::{Condition, EventSink, What, World, connection_of};
use crate::proto::addr::Addr;
use crate::proto::event::Absence;
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine};

/// What may wait at one node: as much as the queue of a link holds on sockets. Whoever sends more gives up its link.
pub(super) const UNREAD_MAX: usize = 16_384;

impl<M: Machine, S: EventSink> World<M, S> {
    /// Something reaches a node, unless it does not read that link now.
    pub(super) fn arrive(&mut self, addr: Addr, input: Input) {
        if let Some(input) = self.hold_back(input) {
            self.take_in(addr, input);
        }
    }

    /// A node reads this now, or later if it is slow.
    pub(super) fn take_in(&mut self, addr: Addr, input: Input) {
        // Nobody is slow, and so nothing waits.
        if self.faults.is_quiet() || !is_read(&input) {
            return self.handle(addr, input);
        }
        let Some(waiting) = self.nodes.get(&addr).map(|node| node.unread.len()) else {
            return self.handle(addr, input);
        };
        if self.is_paused(addr) {
            return self.keep(addr, input);
        }
        if waiting == 0 && self.faults.may_read(addr, self.now) {
            return self.read_one(addr, input);
        }
        self.keep(addr, input);
        self.plan_reading(addr);
    }

    /// Has something wait for the node. Whoever sends more than fits gives up its link.
    pub(super) fn keep(&mut self, addr: Addr, input: Input) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&addr) else { return };
        if node.unread.len() >= UNREAD_MAX && matches!(input, Input::Message { .. }) {
            return self.give_up(&input);
        }
        // A node that runs again is woken anyway.
        if !matches!(input, Input::Wake) {
            node.unread.push_back((now, input));
        }
    }

    /// Tells a node that is slow how late it reads.
    pub(super) fn tell_late(&mut self, addr: Addr) {
        let since = self.nodes.get(&addr).and_then(|node| node.unread.front()).map(|(since, _)| *since);
        if let Some(since) = since
            && !self.is_paused(addr)
        {
            self.handle(addr, Input::Late { by: self.now.since(since), why: Absence::ReadsLate });
        }
    }

    pub(super) fn is_paused(&self, addr: Addr) -> bool {
        self.nodes.get(&addr).is_some_and(|node| node.condition == Condition::Paused)
    }

    /// The node does not run from now on, as when its process is stopped: its connections stand, and what reaches it
    /// waits.
    pub fn pause(&mut self, addr: Addr) {
        if let Some(node) = self.nodes.get_mut(&addr).filter(|node| node.condition == Condition::Up) {
            node.condition = Condition::Paused;
        }
    }

    /// It runs again. Which it sees first, what has waited or that its deadline is over, is left to chance.
    pub fn resume(&mut self, addr: Addr) {
        let Some(node) = self.nodes.get_mut(&addr).filter(|node| node.condition == Condition::Paused) else { return };
        node.condition = Condition::Up;
        let waiting = std::mem::take(&mut node.unread);
        let connections: Vec<u64> = node.connections.iter().copied().collect();
        if self.random.below(2) == 0 {
            self.handle(addr, Input::Wake);
        }
        for (_, input) in waiting {
            self.arrive(addr, input);
        }
        self.handle(addr, Input::Wake);
        for id in connections {
            let end = usize::from(self.connections.get(&id).is_some_and(|connection| connection.ends[1] == addr));
            self.plan(self.now, addr, What::Write(id, end));
        }
    }

    /// It is time to read.
    pub(super) fn read(&mut self, addr: Addr) {
        let now = self.now;
        // Another time may have been planned since.
        if self.nodes.get_mut(&addr).and_then(|node| node.reads_at.take_if(|at| *at == now)).is_none()
            || self.is_paused(addr)
        {
            return;
        }
        self.tell_late(addr);
        while self.faults.may_read(addr, self.now)
            && let Some((_, input)) = self.nodes.get_mut(&addr).and_then(|node| node.unread.pop_front())
        {
            self.read_one(addr, input);
        }
        self.plan_reading(addr);
    }

    /// The faults are others: a node that is slow no longer reads all that waits, before anything else comes.
    pub(super) fn read_anew(&mut self, addr: Addr) {
        if let Some(node) = self.nodes.get_mut(&addr).filter(|node| !node.unread.is_empty()) {
            node.reads_at = Some(self.now);
            self.read(addr);
        }
    }

    /// The next time that this node reads, if something waits.
    fn plan_reading(&mut self, addr: Addr) {
        let at = self.faults.reads_again(addr).map_or(self.now, |again| again.max(self.now));
        let Some(node) = self.nodes.get_mut(&addr) else { return };
        if !node.unread.is_empty() && node.reads_at.replace(at) != Some(at) {
            self.plan(at, addr, What::Read);
        }
    }

    fn read_one(&mut self, addr: Addr, input: Input) {
        self.faults.has_read(addr, self.now);
        self.handle(addr, input);
    }

    /// Whoever sent this has a full queue: it drops the link, and the node hears of that after all that waits. Across a
    /// cut neither end hears anything: what was still on its way is lost.
    pub(super) fn give_up(&mut self, input: &Input) {
        let Input::Message { link, .. } = input else { return };
        let (id, end) = connection_of(*link);
        if self
            .connections
            .get(&id)
            .is_some_and(|connection| self.faults.is_cut(connection.ends[0], connection.ends[1]))
        {
            return;
        }
        let closed = |cause| move |link| Input::Link { link, change: LinkChange::Closed { cause } };
        self.deliver(id, end, closed(CloseCause::EndOfStream));
        let Some(sender) = self.connections.get(&id).map(|connection| connection.ends[1 - end]) else { return };
        self.handle(sender, closed(CloseCause::TooSlow)(super::link_of(id, 1 - end)));
    }
}

/// Is it read from a connection?
pub(super) fn is_read(input: &Input) -> bool {
    match input {
        Input::Message { .. } | Input::Link { change: LinkChange::Closed { .. }, .. } => true,
        Input::Start
        | Input::Link { change: LinkChange::Accepted { .. } | LinkChange::Dialed { .. }, .. }
        | Input::Rejected { .. }
        | Input::DialFailed { .. }
        | Input::Late { .. }
        | Input::Command(_)
        | Input::Wake => false,
    }
}
