//! What a machine wants done, until the simulator does it.

use super::connection::ConnTable;
use super::ids::{End, LinkSide};
use super::sink::EventSink;
use crate::event::{ConnectionId, Event, EventKind, LinkId, Purpose};
use crate::proto::addr::Addr;
use crate::proto::machine::Output;
use crate::proto::message::Message;
use crate::proto::time::Time;

/// What a machine asks for in one turn: requests wait until the turn is over, events go on at once.
#[derive(Debug)]
pub(super) struct Asked<'a, S> {
    pub(super) at: Time,
    pub(super) node: Addr,
    pub(super) connections: &'a ConnTable,
    pub(super) requests: &'a mut Vec<MachineRequest>,
    pub(super) sink: &'a mut S,
}

#[derive(Debug)]
pub(super) enum MachineRequest {
    Send(LinkId, Message),
    Dial(Addr),
    HangUp(LinkId),
    Pause(LinkId, Time),
}

impl<S: EventSink> Output for Asked<'_, S> {
    fn send(&mut self, link: LinkId, message: &Message) {
        self.requests.push(MachineRequest::Send(link, message.clone()));
    }

    fn dial(&mut self, peer: Addr, _purpose: Purpose) {
        self.requests.push(MachineRequest::Dial(peer));
    }

    fn hang_up(&mut self, link: LinkId) {
        self.requests.push(MachineRequest::HangUp(link));
    }

    fn pause(&mut self, link: LinkId, until: Time) {
        self.requests.push(MachineRequest::Pause(link, until));
    }

    fn connection(&self, link: LinkId, peer: Addr) -> Option<ConnectionId> {
        let end = End::of(link);
        let connection = self.connections.get(end)?;
        let (dialer, acceptor) = match end.side() {
            LinkSide::Dialer => (self.node, peer),
            LinkSide::Acceptor => (peer, self.node),
        };
        Some(ConnectionId { dialer: dialer.with_port(connection.port), acceptor, began: connection.began })
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        if self.sink.listens() {
            self.sink.take(Event { at: self.at, node: self.node, kind: event().into() });
        }
    }
}
