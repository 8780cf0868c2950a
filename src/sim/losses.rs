//! Messages that do not arrive, told one by one. Without a listener nothing of this is done.

use super::connection::Pacer;
use super::gone::ConnectionName;
use super::ids::{End, LinkSide, NodeIx};
use super::sink::EventSink;
use super::world::World;
use crate::event::{ConnectionId, LossReason, MessageLoss};
use crate::proto::machine::{Input, Machine};
use crate::proto::message::Message;
use crate::proto::time::Time;

impl<M: Machine, S: EventSink> World<M, S> {
    /// Tells that a message to this end does not arrive.
    pub(super) fn tell_lost(&mut self, to: End, message: &Message, why: LossReason) {
        if !self.sink.listens() {
            return;
        }
        let known = self.connections.get(to).map(ConnectionName::from);
        let Some(name) = known.or_else(|| self.gone.name(to)) else { return };
        let [dialer, acceptor] = [LinkSide::Dialer, LinkSide::Acceptor].map(|side| self.addr_of(name.nodes[side]));
        let (from, to) = match to.side() {
            LinkSide::Dialer => (acceptor, dialer),
            LinkSide::Acceptor => (dialer, acceptor),
        };
        let connection = Some(ConnectionId { dialer: dialer.with_port(name.port), acceptor, began: name.began });
        if let Some(event) = (MessageLoss { from, to, connection, why }).event(message) {
            self.emit(to, || event);
        }
    }

    /// The same of whatever was on its way.
    pub(super) fn tell_input_lost(&mut self, input: &Input, why: LossReason) {
        if let Input::Message { link, message } = input {
            self.tell_lost(End::of(*link), message, why);
        }
    }

    /// Plans a message that later ones may overtake.
    pub(super) fn plan_held(&mut self, at: Time, node: NodeIx, input: Input) {
        self.gone.hold_until(at);
        self.plan_input(at, node, input);
    }

    /// The connection is closed: what waits at this end, to be read or to be written, is lost.
    pub(super) fn lose_waiting(&mut self, end: End) {
        for input in self.pauses.remove(&end).into_iter().flat_map(|pause| pause.held) {
            self.tell_input_lost(&input, LossReason::LinkEnded);
        }
        let pacer = self.connections.get_mut(end).and_then(|connection| connection.pacers[end.side()].take());
        if let Some(pacer) = pacer {
            self.lose_unwritten(end, *pacer);
        }
    }

    /// Nothing more is written from this end.
    pub(super) fn lose_unwritten(&mut self, end: End, mut pacer: Pacer) {
        while let Some(message) = pacer.pop() {
            self.tell_lost(end.other(), &message, LossReason::LinkEnded);
        }
    }

    /// Keeps the name of a connection that will be forgotten, for whoever listens.
    pub(super) fn remember_name(&mut self, end: End) {
        if let Some(connection) = self.connections.get(end).filter(|_| self.sink.listens()) {
            self.gone.remember(self.now, end, connection);
        }
    }
}
