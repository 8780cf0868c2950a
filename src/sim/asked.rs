//! What a machine wants done, until the simulator does it.

use super::sink::EventSink;
use crate::event::{Event, EventKind, LinkId, Purpose};
use crate::proto::addr::Addr;
use crate::proto::machine::Output;
use crate::proto::message::Message;
use crate::proto::time::Time;

/// What a machine asks for in one turn: acts wait until the turn is over, events go on at once.
#[derive(Debug)]
pub(super) struct Asked<'a, S> {
    pub(super) at: Time,
    pub(super) node: Addr,
    pub(super) acts: &'a mut Vec<Act>,
    pub(super) sink: &'a mut S,
}

#[derive(Debug)]
pub(super) enum Act {
    Send(LinkId, Message),
    Dial(Addr),
    HangUp(LinkId),
    Pause(LinkId, Time),
}

impl<S: EventSink> Output for Asked<'_, S> {
    fn send(&mut self, link: LinkId, message: &Message) {
        self.acts.push(Act::Send(link, message.clone()));
    }

    fn dial(&mut self, peer: Addr, _purpose: Purpose) {
        self.acts.push(Act::Dial(peer));
    }

    fn hang_up(&mut self, link: LinkId) {
        self.acts.push(Act::HangUp(link));
    }

    fn pause(&mut self, link: LinkId, until: Time) {
        self.acts.push(Act::Pause(link, until));
    }

    fn emit(&mut self, event: impl FnOnce() -> EventKind) {
        if self.sink.listens() {
            self.sink.take(Event { at: self.at, node: self.node, kind: event() });
        }
    }
}
