//! What a machine asks of its links.

use super::{CLOSING_MAX, DIALS_WAITING_MAX, Links};
use crate::event::Event;
use crate::net::link::Closing;
use crate::proto::addr::Addr;
use crate::proto::event::{Attempt, ConnectionId, DialError, EventKind, GossipEvent, LinkId, NodeEvent, Purpose};
use crate::proto::machine::{Input, Output};
use crate::proto::message::Message;
use crate::proto::text::Body;
use crate::proto::time::Time;

impl Output for Links {
    fn send(&mut self, link: LinkId, message: &Message) {
        let Some(open) = self.open.get_mut(&link) else { return };
        if !std::mem::replace(&mut open.is_unsent, true) {
            self.unsent.push(link);
        }
        if let Message::Gossip(gossip) = message
            && open.outbox.is_crowded()
        {
            self.filling.add(gossip.body.len());
        }
        if let Err(error) = self.frames.add(message, &mut open.outbox) {
            self.emit(|| NodeEvent::failed(Attempt::Send, error));
        }
    }

    fn dial(&mut self, peer: Addr, purpose: Purpose) {
        if self.dials.len() < DIALS_WAITING_MAX {
            self.dials.push_back((peer, purpose));
        } else {
            self.inputs.push_back(Input::DialFailed { peer, error: DialError::TooManyDials });
        }
    }

    fn hang_up(&mut self, link: LinkId) {
        let Some(mut open) = self.remove(link) else { return };
        if self.closing.len() < CLOSING_MAX && open.write(self.clock).is_ok() {
            self.closing.insert(link, Closing::new(open, self.now));
            self.attend_closing(link);
        } else {
            self.close(open);
        }
    }

    fn pause(&mut self, link: LinkId, until: Time) {
        if let Some(open) = self.open.get_mut(&link) {
            open.pause(until);
        }
    }

    fn connection(&self, link: LinkId, _peer: Addr) -> Option<ConnectionId> {
        let closing = || self.closing.get(&link).map(Closing::connection);
        let ended = || self.ended.filter(|(ended, _)| *ended == link).map(|(_, connection)| connection);
        self.open.get(&link).map(|open| open.connection).or_else(closing).or_else(ended)?
    }

    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K) {
        if self.heard {
            let mut kind = event().into();
            if let EventKind::Gossip(GossipEvent::Received { body, .. }) = &mut kind
                && body.len() < Body::SHARED_LEN_MIN
            {
                *body = self.copies.copy(body);
            }
            self.events.push(Event { at: self.now, node: self.me.addr, kind });
        }
    }
}
