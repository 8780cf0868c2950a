//! What a seed does about remotes that keep the protocol but send, or come, too often: see
//! [`crate::proto::budget`] and [`crate::proto::visits`].

use super::links::SeedLink;
use super::{Registry, SeedCx};
use crate::proto::addr::Addr;
use crate::proto::budget::Bearer;
use crate::proto::event::{Direction, LinkEnd, LinkEvent, LinkId, Purpose, Rule, SeedEvent};
use crate::proto::machine::Output;
use crate::proto::message::Message;

impl Registry {
    /// Whether this link may bring such a message. A link that brings too many is read slowly, then
    /// reported, then dropped.
    pub(super) fn is_within_budget(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, message: &Message) -> bool {
        let Some(open) = self.links.get_mut(link) else { return false };
        let bearer = Bearer { link, remote: open.remote.ip(), peer: open.peer() };
        let is_within = open.budget.admits(cx, message, bearer, &mut self.offenses);
        if !is_within {
            self.protocol_violation(cx, link, Rule::TooManyMessages, message.name());
        }
        is_within
    }

    /// Announces the end of a registration, if its beginning was announced.
    pub(super) fn registration_ended(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr, end: LinkEnd) {
        if self.visits.went(cx, link) {
            cx.out.emit(|| LinkEvent::Down { link, peer, purpose: Purpose::Registration, end });
        }
    }

    pub(super) fn tell_registered(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr, again: bool) {
        let connection = cx.out.connection(link, peer);
        let (direction, purpose) = (Direction::Inbound, Purpose::Registration);
        cx.out.emit(|| LinkEvent::Up { link, connection, peer, direction, purpose });
        self.tell_listed(cx, peer, again);
    }

    pub(super) fn tell_listed(&mut self, cx: &mut SeedCx<impl Output>, peer: Addr, again: bool) {
        self.list.note_told(peer);
        cx.out.emit(|| SeedEvent::PeerListed { peer, again });
    }

    /// Announces registrations that have lasted although many from the same machine come and go.
    pub(super) fn tell_stayed(&mut self, cx: &mut SeedCx<impl Output>) {
        for link in self.visits.take_stayed(cx.now) {
            if let Some(peer) = self.links.get(link).and_then(SeedLink::peer) {
                let again = self.list.get(peer).is_some_and(|entry| entry.is_told);
                self.tell_registered(cx, link, peer, again);
            }
        }
    }
}
