//! What a machine wants done, until the simulator does it.

use crate::event::{EventKind, LinkId, Purpose};
use crate::proto::addr::Addr;
use crate::proto::machine::Output;
use crate::proto::message::Message;
use crate::proto::time::Time;

/// What a machine asked for in one turn.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) acts: Vec<Act>,
    pub(super) events: Vec<EventKind>,
}

#[derive(Debug)]
pub(super) enum Act {
    Send(LinkId, Message),
    Dial(Addr),
    HangUp(LinkId),
    Pause(LinkId, Time),
}

impl Output for Asked {
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
        self.events.push(event());
    }
}
