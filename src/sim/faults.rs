//! Faults in virtual time. [`Faults`](crate::engine::fault::Faults) decides what becomes of a
//! message; this carries it out.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{BySide, Connection};
use super::due::Due;
use super::ids::{End, LinkSide, NodeIx};
use super::luck::latency;
use super::sink::EventSink;
use super::world::World;
use crate::engine::fault::{FaultTable, Outcome, Route, junk};
use crate::proto::addr::Addr;
use crate::proto::chance::Topic;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::{DialError, LossReason, Rule, Violation};
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine};
use crate::proto::message::Message;
use crate::proto::time::{Time, micros};

/// The sender of junk: it cannot be dialed.
const JUNK_SOURCE: Addr = Addr::loopback(0);

impl<M: Machine, S: EventSink> World<M, S> {
    /// The faults that are set.
    pub fn fault_table(&self) -> &FaultTable {
        self.faults.table()
    }

    /// Messages meet these faults from now on, and no others. A wrong clock is the node's own: see
    /// [`NodeCommand::Skew`](crate::proto::machine::NodeCommand::Skew); for junk see
    /// [`World::set_junk`].
    pub fn set_faults(&mut self, table: &Arc<FaultTable>) {
        if !self.faults.set(Arc::clone(table)) {
            return;
        }
        self.let_through();
        let nodes: Vec<NodeIx> = self.nodes.iter().map(|(node, ..)| node).collect();
        for node in nodes {
            self.read_anew(node);
        }
    }

    /// A stranger sends junk to this node from now on, with this pause; `None`: no longer.
    pub fn set_junk(&mut self, addr: Addr, pause: Option<Duration>) {
        let Some(node) = self.nodes.find(addr) else { return };
        match pause {
            Some(pause) => {
                if self.junk_pauses.insert(node, pause).is_none() {
                    self.plan_junk(node);
                }
            }
            None => drop(self.junk_pauses.remove(&node)),
        }
    }

    /// A message that leaves at this time goes from one end of a connection to the other, or gets
    /// lost on its way.
    pub(super) fn carry(&mut self, leaves: Time, from: End, message: Message) {
        let Some(connection) = self.connections.get_mut(from) else { return };
        let luck = connection.luck_of_message(from.side(), &message);
        let to = from.other();
        let arrive = |message| move |link| Input::Message { link, message };
        if self.faults.is_quiet() {
            return self.deliver(leaves, to, luck, arrive(message));
        }
        let Some((node, way)) = self.way(from) else { return };
        match self.faults.outcome(leaves, way, luck.number(), &message) {
            Outcome::Now => self.deliver(leaves, to, luck, arrive(message)),
            Outcome::Lost(fault) => self.tell_lost(to, &message, LossReason::Fault(fault)),
            Outcome::At(due) => self.deliver(due, to, luck, arrive(message)),
            Outcome::Twice(due) => {
                self.deliver(due, to, luck, arrive(message.clone()));
                self.deliver(due, to, luck.of(1), arrive(message));
            }
            Outcome::Held(due) => self.plan_held(due, node, arrive(message)(to.link())),
            Outcome::HeldTwice(due) => {
                self.plan_held(due, node, arrive(message.clone())(to.link()));
                self.plan_held(due, node, arrive(message)(to.link()));
            }
        }
    }

    /// The path from this end to the other, and the node there.
    fn way(&self, from: End) -> Option<(NodeIx, Route)> {
        let to = self.connections.node(from.other())?;
        let [one, other] = self.addrs_at(from)?;
        // The same for both directions, and for no other connection.
        let connection = from.link().0 / 2;
        Some((to, Route { from: one, to: other, connection }))
    }

    /// The addresses at this end and at the other.
    fn addrs_at(&self, end: End) -> Option<[Addr; 2]> {
        let connection = self.connections.get(end)?;
        Some([end.side(), end.side().other()].map(|side| self.addr_of(connection.nodes[side])))
    }

    pub(super) fn addr_of(&self, node: NodeIx) -> Addr {
        if node == NodeIx::NOBODY { JUNK_SOURCE } else { self.nodes[node].addr }
    }

    /// Nothing passes between this end and the other.
    pub(super) fn is_across_a_cut(&self, end: End) -> bool {
        !self.faults.is_quiet() && self.addrs_at(end).is_some_and(|[one, other]| self.faults.is_cut(one, other))
    }

    /// Nobody answers across a cut.
    pub(super) fn lose_dial(&mut self, from: NodeIx, to: Addr) {
        let error = DialError::NoAnswer { within_us: micros(DIAL_TIMEOUT) };
        self.plan_input(self.now + DIAL_TIMEOUT, from, Input::DialFailed { peer: to, error });
    }

    /// Across a cut the other end does not hear that this one has closed, until the cut is healed.
    pub(super) fn is_withheld(&mut self, end: End, cause: &CloseCause) -> bool {
        if !self.is_across_a_cut(end) {
            return false;
        }
        let Some(connection) = self.connections.open(end) else { return false };
        connection.closed[end.side()] = true;
        if connection.closed[end.side().other()] {
            self.withheld.retain(|(withheld, _)| *withheld != end);
            self.forget_if_closed(end);
        } else {
            self.withheld.push((end.other(), cause.clone()));
        }
        true
    }

    /// Tells the ends of connections that can be told now.
    fn let_through(&mut self) {
        for (end, cause) in std::mem::take(&mut self.withheld) {
            if self.is_across_a_cut(end) {
                self.withheld.push((end, cause));
                continue;
            }
            let Some(connection) = self.connections.get(end) else { continue };
            let (node, luck) = (connection.nodes[end.side()], connection.luck_of_close(end.other().side()));
            let (link, change) = (end.link(), LinkChange::Closed { cause });
            self.plan_input(self.now + latency(luck), node, Input::Link { link, change });
        }
    }

    /// Plans the next junk to this node, unless it is planned already.
    fn plan_junk(&mut self, node: NodeIx) {
        if let Some(pause) = self.junk_pauses.get(&node).copied()
            && self.junked.insert(node)
        {
            self.plan(self.now + pause, Due::Junk(node));
        }
    }

    /// A stranger connects to this node and sends junk, which the node's decoder would find.
    pub(super) fn inject_junk(&mut self, node: NodeIx) {
        self.junked.remove(&node);
        let addr = self.nodes[node].addr;
        self.plan_junk(node);
        if !self.junk_pauses.contains_key(&node) || self.nodes.get(node).is_none() {
            return;
        }
        let luck = self.chance.of_node(addr).about(Topic::Junk).of(self.now.as_micros());
        let mut connection = Connection::new(BySide([NodeIx::NOBODY, node]), BySide([luck; 2]), 0, self.now);
        connection.closed[LinkSide::Dialer] = true;
        let link = self.connect(connection).other().link();
        let remote = addr.with_port(self.ephemeral_port());
        self.handle(node, Input::Link { link, change: LinkChange::Accepted { remote } });
        let violation = Violation::new(Rule::FrameTooLong, &junk(luck));
        let change = LinkChange::Closed { cause: CloseCause::Violation(violation) };
        self.plan_input(self.now + latency(luck), node, Input::Link { link, change });
    }
}
