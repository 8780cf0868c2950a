//! What waits to be read at a node that is slow or does not run.
//!
//! A node that is not slow reads everything at once. A slow one reads one thing in each pause, in
//! the order of arrival; when it is no longer slow, it reads all that waits.

use super::due::Due;
use super::ids::{End, NodeIx};
use super::node::Condition;
use super::sink::EventSink;
use super::world::{UNREAD_MAX, World};
use crate::proto::addr::Addr;
use crate::proto::chance::Topic;
use crate::proto::event::{Absence, LossReason};
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine};

impl<M: Machine, S: EventSink> World<M, S> {
    /// Something reaches a node, unless it does not read that link now.
    pub(super) fn arrive(&mut self, node: NodeIx, input: Input) {
        if let Some(input) = self.hold_back(input) {
            self.take_in(node, input);
        }
    }

    /// A node reads this now, or later if it is slow.
    pub(super) fn take_in(&mut self, node: NodeIx, input: Input) {
        // No node is slow, so nothing waits.
        if self.faults.is_quiet() || !is_read(&input) {
            return self.handle(node, input);
        }
        let Some(waiting) = self.nodes.get(node).map(|node| node.unread.len()) else { return self.handle(node, input) };
        if self.is_paused(node) {
            return self.keep(node, input);
        }
        if waiting == 0 && self.faults.may_read(self.nodes[node].addr, self.now) {
            return self.read_one(node, input);
        }
        self.keep(node, input);
        self.plan_reading(node);
    }

    /// Makes something wait for the node. A sender of more than fits gives up its link.
    pub(super) fn keep(&mut self, node: NodeIx, input: Input) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(node) else { return };
        if node.unread.len() >= UNREAD_MAX && matches!(input, Input::Message { .. }) {
            return self.give_up(&input);
        }
        // A node that runs again is woken anyway.
        if !matches!(input, Input::Wake) {
            node.unread.push_back((now, input));
        }
    }

    /// Tells a slow node how late it reads.
    pub(super) fn tell_late(&mut self, node: NodeIx) {
        let since = self.nodes.get(node).and_then(|node| node.unread.front()).map(|(since, _)| *since);
        if let Some(since) = since
            && !self.is_paused(node)
        {
            self.handle(node, Input::Late { by: self.now.since(since), why: Absence::ReadsLate });
        }
    }

    pub(super) fn is_paused(&self, node: NodeIx) -> bool {
        self.nodes.get(node).is_some_and(|node| node.condition == Condition::Paused)
    }

    /// The node stops running, as when its process is stopped: its connections stay up, and what
    /// reaches it waits.
    pub fn pause(&mut self, addr: Addr) {
        let node = self.nodes.find(addr).and_then(|node| self.nodes.get_mut(node));
        if let Some(node) = node.filter(|node| node.condition == Condition::Up) {
            node.condition = Condition::Paused;
        }
    }

    /// It runs again. Whether it first sees what has waited, or that its deadline is over, is left
    /// to chance.
    pub fn resume(&mut self, addr: Addr) {
        let Some(node) = self.nodes.find(addr) else { return };
        let Some(here) = self.nodes.get_mut(node).filter(|node| node.condition == Condition::Paused) else { return };
        here.condition = Condition::Up;
        let waiting = std::mem::take(&mut here.unread);
        let connections = here.connections.clone();
        if self.chance.of_node(addr).about(Topic::Resume).of(self.now.as_micros()).below(2) == 0 {
            self.handle(node, Input::Wake);
        }
        for (_, input) in waiting {
            self.arrive(node, input);
        }
        self.handle(node, Input::Wake);
        for connection in connections {
            let end = self.connections.end_of(connection, node);
            self.plan(self.now, Due::Write(end));
        }
    }

    /// It is time to read.
    pub(super) fn read(&mut self, node: NodeIx) {
        let (now, addr) = (self.now, self.nodes[node].addr);
        // Another time may have been planned since.
        if self.nodes.get_mut(node).and_then(|node| node.reads_at.take_if(|at| *at == now)).is_none()
            || self.is_paused(node)
        {
            return;
        }
        self.tell_late(node);
        while self.faults.may_read(addr, self.now)
            && let Some((_, input)) = self.nodes.get_mut(node).and_then(|node| node.unread.pop_front())
        {
            self.read_one(node, input);
        }
        self.plan_reading(node);
    }

    /// The faults have changed: a node that is no longer slow reads all that waits, before anything
    /// else comes.
    pub(super) fn read_anew(&mut self, node: NodeIx) {
        if let Some(here) = self.nodes.get_mut(node).filter(|node| !node.unread.is_empty()) {
            here.reads_at = Some(self.now);
            self.read(node);
        }
    }

    /// Plans when this node reads next, if something waits.
    fn plan_reading(&mut self, node: NodeIx) {
        let at = self.faults.reads_again(self.nodes[node].addr).map_or(self.now, |again| again.max(self.now));
        let Some(here) = self.nodes.get_mut(node) else { return };
        if !here.unread.is_empty() && here.reads_at.replace(at) != Some(at) {
            self.plan(at, Due::Read(node));
        }
    }

    fn read_one(&mut self, node: NodeIx, input: Input) {
        self.faults.has_read(self.nodes[node].addr, self.now);
        self.handle(node, input);
    }

    /// The sender of this has a full queue: it drops the link, and the node hears of that after all
    /// that waits. Across a cut neither end hears anything: what was still on its way is lost.
    pub(super) fn give_up(&mut self, input: &Input) {
        let Input::Message { link, .. } = input else { return };
        self.tell_input_lost(input, LossReason::QueueFull);
        let end = End::of(*link);
        if self.is_across_a_cut(end) {
            return;
        }
        self.drop_too_slow(end.other());
    }

    /// The remote is too far behind: as on sockets, this end drops the link, and nothing that waits
    /// is written.
    pub(super) fn drop_too_slow(&mut self, end: End) {
        self.tell_closed(self.now, end, CloseCause::EndOfStream);
        let Some(node) = self.connections.node(end) else { return };
        self.handle(node, Input::Link { link: end.link(), change: LinkChange::Closed { cause: CloseCause::TooSlow } });
    }
}

/// Whether it is read from a connection.
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
