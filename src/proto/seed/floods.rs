//! What a seed does about remotes that keep the protocol but send, or come, too often: see
//! [`crate::proto::budget`] and [`crate::proto::visits`].

use super::Seed;
use super::links::SeedLink;
use crate::proto::addr::Addr;
use crate::proto::budget::Bearer;
use crate::proto::event::{Direction, LinkEnd, LinkEvent, LinkId, Purpose, Rule, SeedEvent};
use crate::proto::machine::Output;
use crate::proto::message::Message;
use crate::proto::time::Time;

impl Seed {
    /// Whether this link may bring such a message. A link that brings too many is read slowly, then
    /// reported, then dropped.
    pub(super) fn is_within_budget(
        &mut self,
        now: Time,
        link: LinkId,
        message: &Message,
        out: &mut impl Output,
    ) -> bool {
        let Some(open) = self.links.get_mut(link) else { return false };
        let bearer = Bearer { link, remote: open.remote.ip(), peer: open.peer() };
        let is_within = open.budget.admits(now, message, bearer, &mut self.offenses, out);
        if !is_within {
            self.protocol_violation(now, link, Rule::TooManyMessages, message.name(), out);
        }
        is_within
    }

    /// Announces the end of a registration, if its beginning was announced.
    pub(super) fn registration_ended(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        end: LinkEnd,
        out: &mut impl Output,
    ) {
        if self.visits.went(now, link, out) {
            out.emit(|| LinkEvent::Down { link, peer, purpose: Purpose::Registration, end });
        }
    }

    pub(super) fn tell_registered(&mut self, link: LinkId, peer: Addr, again: bool, out: &mut impl Output) {
        out.emit(|| LinkEvent::Up { link, peer, direction: Direction::Inbound, purpose: Purpose::Registration });
        self.tell_listed(peer, again, out);
    }

    pub(super) fn tell_listed(&mut self, peer: Addr, again: bool, out: &mut impl Output) {
        self.list.note_told(peer);
        out.emit(|| SeedEvent::PeerListed { peer, again });
    }

    /// Announces registrations that have lasted although many from the same machine come and go.
    pub(super) fn tell_stayed(&mut self, now: Time, out: &mut impl Output) {
        for link in self.visits.take_stayed(now) {
            if let Some(peer) = self.links.get(link).and_then(SeedLink::peer) {
                let again = self.list.get(peer).is_some_and(|entry| entry.is_told);
                self.tell_registered(link, peer, again, out);
            }
        }
    }
}
