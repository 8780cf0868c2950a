//! The faults in virtual time. What becomes of a message, [`Faults`](crate::engine::fault::Faults) decides; here
//! it is done.

use std::sync::Arc;

use super::{Connection, EventSink, What, World, ephemeral_port, link_of};
use crate::command::FaultCommand;
use crate::engine::fault::{FaultError, FaultTable, Nodes, Outcome, Route, junk};
use crate::proto::addr::Addr;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::{Rule, Violation};
use crate::proto::machine::{CloseCause, Input, LinkChange, Machine, NodeCommand};
use crate::proto::message::Message;
use crate::proto::time::Time;

/// Who sends junk: nobody that can be dialed.
const VANDAL: Addr = Addr::loopback(0);

impl<M: Machine, S: EventSink> World<M, S> {
    /// Does what a user wants of the faults. A lie is for the liar to tell: see [`World::command`].
    pub fn fault(&mut self, command: &FaultCommand, nodes: &dyn Nodes) -> Result<(), FaultError> {
        let mut table = self.faults.table().clone();
        let changes = table.apply(command, nodes)?;
        if let FaultCommand::Lie { liar, about } = command {
            self.command(*liar, NodeCommand::Lie(*about));
        }
        for change in changes {
            self.sink.take(change.into_event(self.now));
        }
        self.set_faults(Arc::new(table));
        Ok(())
    }

    /// The faults that are set.
    pub fn fault_table(&self) -> &FaultTable {
        self.faults.table()
    }

    /// From now on these faults, and no others.
    pub fn set_faults(&mut self, table: Arc<FaultTable>) {
        self.faults.set(table);
        self.let_through();
        let nodes: Vec<Addr> = self.addrs().collect();
        for node in nodes {
            self.command(node, NodeCommand::Skew(self.faults.table().skew_us(node)));
            self.plan_junk(node);
            self.read_anew(node);
        }
    }

    pub(super) fn set_clock(&mut self, node: Addr) {
        let ahead_us = self.faults.table().skew_us(node);
        if ahead_us != 0 {
            self.command(node, NodeCommand::Skew(ahead_us));
        }
    }

    /// A message that leaves at this time goes from one end of a connection to the other, or gets lost on the way.
    pub(super) fn carry(&mut self, leaves: Time, id: u64, end: usize, message: Message) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (from, to, there) = (connection.ends[end], connection.ends[1 - end], 1 - end);
        let arrive = |message| move |link| Input::Message { link, message };
        match self.faults.fate(leaves, Route { from, to, connection: id }) {
            Outcome::Now => self.deliver_from(leaves, id, there, arrive(message)),
            Outcome::Lost => {}
            Outcome::At(due) => self.deliver_from(due, id, there, arrive(message)),
            Outcome::Twice(due) => {
                self.deliver_from(due, id, there, arrive(message.clone()));
                self.deliver_from(due, id, there, arrive(message));
            }
            Outcome::Held(due) => self.plan(due, to, What::Deliver(arrive(message)(link_of(id, there)))),
        }
    }

    /// Nobody answers across a cut.
    pub(super) fn lose_dial(&mut self, from: Addr, to: Addr) {
        let error = format!("no answer within {} s", DIAL_TIMEOUT.as_secs());
        self.plan(self.now + DIAL_TIMEOUT, from, What::Deliver(Input::DialFailed { peer: to, error }));
    }

    /// Across a cut the other end does not hear that this one has closed, until the cut is healed.
    pub(super) fn is_withheld(&mut self, id: u64, end: usize, cause: &CloseCause) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        if !self.faults.is_cut(connection.ends[0], connection.ends[1]) || connection.closed[end] {
            return false;
        }
        connection.closed[end] = true;
        if connection.closed == [true; 2] {
            self.forget(id);
            self.withheld.retain(|(withheld, ..)| *withheld != id);
        } else {
            self.withheld.push((id, 1 - end, cause.clone()));
        }
        true
    }

    /// Tells the ends of connections that can be told now.
    fn let_through(&mut self) {
        for (id, end, cause) in std::mem::take(&mut self.withheld) {
            let Some(connection) = self.connections.get(&id) else { continue };
            let [one, other] = connection.ends;
            if self.faults.is_cut(one, other) {
                self.withheld.push((id, end, cause));
            } else {
                let (node, link) = (connection.ends[end], link_of(id, end));
                self.plan_in_a_while(node, What::Deliver(Input::Link { link, change: LinkChange::Closed { cause } }));
            }
        }
    }

    /// The next time that somebody sends nonsense to this node, if that is not planned yet.
    pub(super) fn plan_junk(&mut self, node: Addr) {
        if let Some(pause) = self.faults.table().junk_pause_of(node)
            && self.junked.insert(node)
        {
            self.plan(self.now + pause, node, What::Junk);
        }
    }

    /// Somebody connects to this node and sends nonsense, which its decoder would find.
    pub(super) fn vandalize(&mut self, node: Addr) {
        self.junked.remove(&node);
        if self.faults.table().junk_pause_of(node).is_none() || self.machine(node).is_none() {
            return;
        }
        self.plan_junk(node);
        let id = self.connections_made;
        self.connections_made += 1;
        let (ends, closed, pacers) = ([VANDAL, node], [true, false], [None, None]);
        let connection = Connection { ends, closed, arrives: [self.now; 2], pacers };
        self.connect(id, connection);
        let (link, remote) = (link_of(id, 1), node.with_port(ephemeral_port(id)).socket());
        self.handle(node, Input::Link { link, change: LinkChange::Accepted { remote } });
        let violation = Violation::new(Rule::FrameTooLong, &junk(&mut self.junk));
        let change = LinkChange::Closed { cause: CloseCause::Violation(violation) };
        self.plan_in_a_while(node, What::Deliver(Input::Link { link, change }));
    }
}
