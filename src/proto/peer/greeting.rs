//! How a link between two peers begins: who is accepted, who is refused, and which of two links
//! stays (rules 3 and 4).

use super::overlay::NeighborOrigin;
use super::reserve::AddressSource;
use super::{Peer, PeerLink};
use crate::proto::addr::Addr;
use crate::proto::config::{LINKS_MAX, REFERRAL_LEN};
use crate::proto::event::{Direction, EventKind, LinkEvent, LinkId, Omission, Purpose, Rule, Side};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{Dialect, GoodbyeReason, Hello, Message, Priority, RefusalReason, Role};
use crate::proto::random::Topic;
use crate::proto::time::Time;

/// Links between one pair in the classic dialect: each side may have dialed, and a restarted node
/// may dial again before the end of its old link is noticed.
const LINKS_PER_PAIR_MAX: usize = 4;

impl Peer {
    pub(super) fn on_neighbor_dialed(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let before = self.overlay.dialing.len();
        self.overlay.dialing.retain(|dialing| *dialing != peer);
        let asked_for = self.overlay.dialing.len() < before;
        if !asked_for || (self.framed() && self.overlay.get(peer).is_some()) {
            // It dialed us meanwhile, and that link stays.
            self.links.remove(link);
            if !self.framed() {
                // A Python node takes the first bytes for an address, and dies if the connection
                // ends instead.
                out.send(link, &self.hello());
            }
            return out.hang_up(link);
        }
        let bridge = self.overlay.bridge == Some(peer);
        let priority = if bridge { Priority::Bridge } else { self.priority() };
        out.send(link, &Message::Hello(Hello { listen: self.config.listen, role: Role::Peer, priority }));
        match self.config.dialect {
            Dialect::Framed => {}
            // No hello comes back; whether it accepted the link shows when something is heard.
            Dialect::Classic => self.await_word(now, link, peer),
        }
    }

    /// The first message on a link between peers.
    pub(super) fn on_neighbor_greeting(&mut self, now: Time, link: LinkId, message: Message, out: &mut impl Output) {
        let Some(open) = self.links.get(link) else { return };
        let said = message.name();
        match (open.direction, open.peer, message) {
            (Direction::Inbound, _, Message::Hello(hello)) => self.on_joiner(now, link, hello, out),
            (Direction::Outbound, Some(peer), Message::Hello(hello)) => {
                self.on_accepted_by(now, link, peer, hello, out);
            }
            (Direction::Outbound, Some(peer), Message::Refusal { reason, referral }) => {
                self.on_refused(now, link, peer, reason, referral, out);
            }
            (Direction::Outbound, Some(peer), Message::Goodbye { reason, referral }) => {
                self.on_turned_down(now, link, peer, reason, &referral, out);
            }
            (Direction::Inbound, _, Message::Goodbye { .. }) => {
                // It had dialed as we dialed it, and gives way.
                self.links.remove(link);
                out.hang_up(link);
            }
            (_, _, _) => self.protocol_violation(now, link, Rule::HelloExpected, said, out),
        }
    }

    /// The peer that we dialed says goodbye before it has accepted the link.
    fn on_turned_down(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        reason: GoodbyeReason,
        referral: &[Addr],
        out: &mut impl Output,
    ) {
        self.links.remove(link);
        out.hang_up(link);
        self.learn(&referral[..referral.len().min(REFERRAL_LEN)], AddressSource::Peer);
        self.overlay.avoid(peer, now + self.config.liveness_interval);
        match reason {
            // Its own dial is the link that stays.
            GoodbyeReason::Duplicate => {}
            GoodbyeReason::Leaving | GoodbyeReason::MadeRoom | GoodbyeReason::Replaced => {
                self.overlay.give_up_bridge(peer);
                out.emit(|| LinkEvent::HandshakeFailed { remote: peer.to_string(), peer: Some(peer) });
            }
        }
        self.repair.try_next(now, &self.config, &mut self.choices.next(Topic::Repair));
    }

    /// A joiner wants to be our neighbor.
    pub(super) fn on_joiner(&mut self, now: Time, link: LinkId, hello: Hello, out: &mut impl Output) {
        let peer = hello.listen;
        if !self.can_be_named(link, peer) {
            return self.protocol_violation(now, link, Rule::BadAddress, &peer.to_string(), out);
        }
        if self.framed() && hello.role == Role::Seed && self.registrar.knows(peer) {
            return self.tell_seed(link, out);
        }
        if let Some(reason) = self.objection(hello) {
            return self.refuse(now, link, peer, reason, out);
        }
        if self.overlay.get(peer).is_some_and(|neighbor| neighbor.links.len() >= LINKS_PER_PAIR_MAX) {
            return self.protocol_violation(now, link, Rule::TooManyLinks, &peer.to_string(), out);
        }
        let known = self.overlay.get(peer).is_some();
        if self.framed() && !self.settle_double(now, link, hello, out) {
            return;
        }
        let full = !known && self.overlay.neighbors.len() >= self.neighbors_max();
        if full && !self.make_room(now, hello.priority, out) {
            return self.refuse(now, link, peer, RefusalReason::Full, out);
        }
        if self.framed() {
            out.send(link, &self.hello());
        }
        self.add_neighbor(now, link, peer, hello.priority, out);
        if !self.framed() {
            // A peer of ours that dialed waits for a message before it sends anything more.
            self.probe_on(now, peer, link, out);
        }
        if full
            && hello.priority == Priority::High
            && let Some(neighbor) = self.overlay.get_mut(peer)
        {
            neighbor.entry = NeighborOrigin::PushedIn;
        }
    }

    /// One of our seeds dials us to see that we listen where we say. It wants to know no more.
    fn tell_seed(&mut self, link: LinkId, out: &mut impl Output) {
        self.links.remove(link);
        out.send(link, &self.hello());
        out.hang_up(link);
    }

    /// Whether the remote of this link could listen there.
    fn can_be_named(&self, link: LinkId, peer: Addr) -> bool {
        let from = self.links.get(link).map(|open| open.remote.ip());
        let reach = &self.config.reach;
        peer.is_dialable() && from.is_some_and(|from| reach.can_be_named(self.config.listen, from, peer))
    }

    fn objection(&self, hello: Hello) -> Option<RefusalReason> {
        if hello.listen == self.config.listen {
            Some(RefusalReason::Myself)
        } else if hello.role == Role::Seed || self.registrar.knows(hello.listen) {
            // As a neighbor, a seed would be reported dead when that link breaks.
            Some(RefusalReason::WrongRole)
        } else if self.overlay.cut.contains(&hello.listen) {
            Some(RefusalReason::Cut)
        } else {
            None
        }
    }

    /// A Python node takes a closed link for a death, so in the classic dialect nobody is refused
    /// below the hard limit.
    fn neighbors_max(&self) -> usize {
        match self.config.dialect {
            Dialect::Framed => self.config.max_neighbors,
            Dialect::Classic => LINKS_MAX,
        }
    }

    fn refuse(&mut self, now: Time, link: LinkId, peer: Addr, reason: RefusalReason, out: &mut impl Output) {
        let referral = match reason {
            RefusalReason::Full => self.referral(peer),
            RefusalReason::Cut | RefusalReason::Myself | RefusalReason::WrongRole => Vec::new(),
        };
        let open = self.links.remove(link);
        out.send(link, &Message::Refusal { reason, referral: referral.clone() });
        out.hang_up(link);
        let event = || EventKind::Link(LinkEvent::Refused { peer, by: Side::Us, reason, referral });
        match (reason, open.filter(|open| open.direction == Direction::Inbound)) {
            (RefusalReason::Myself | RefusalReason::WrongRole, Some(open)) => {
                self.offenses.tell(now, open.remote.ip(), event, out);
            }
            // These are part of the protocol, and of the overlay's story.
            (RefusalReason::Full | RefusalReason::Cut, Some(open)) => {
                self.visits.tell(now, open.remote.ip(), Omission::Refusals, event, out);
            }
            (_, None) => out.emit(event),
        }
    }

    /// Two links between one pair become one: the one that the lower address dialed. True if the
    /// new one stays; one that would replace a link that is up must wait.
    fn settle_double(&mut self, now: Time, link: LinkId, hello: Hello, out: &mut impl Output) -> bool {
        let peer = hello.listen;
        let ours = |open: &PeerLink| {
            open.peer == Some(peer) && open.direction == Direction::Outbound && open.purpose == Purpose::Neighbor
        };
        let dialed = self.links.iter().find(|(_, open)| ours(open)).map(|(link, _)| link);
        let ours_stands = dialed.is_some() && self.config.listen < peer;
        if ours_stands {
            self.dismiss(link, out);
        } else if self.overlay.get(peer).is_some() {
            self.await_takeover(now, link, hello, out);
            return false;
        } else if let Some(dialed) = dialed {
            self.dismiss(dialed, out);
        }
        !ours_stands
    }

    /// Closes a connection that another one between the same two nodes makes superfluous.
    fn dismiss(&mut self, link: LinkId, out: &mut impl Output) {
        self.links.remove(link);
        out.send(link, &Message::Goodbye { reason: GoodbyeReason::Duplicate, referral: Vec::new() });
        out.hang_up(link);
    }

    /// The peer that we dialed has accepted the link.
    fn on_accepted_by(&mut self, now: Time, link: LinkId, peer: Addr, hello: Hello, out: &mut impl Output) {
        // Except for its priority, a hello that comes back is judged like one that comes in.
        if let Some(reason) = self.objection(hello) {
            self.lost_candidate(peer, now + self.cool_down());
            return self.refuse(now, link, peer, reason, out);
        }
        if self.overlay.get(peer).is_some() {
            return self.dismiss(link, out);
        }
        self.add_neighbor(now, link, peer, hello.priority, out);
    }

    fn on_refused(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        reason: RefusalReason,
        referral: Vec<Addr>,
        out: &mut impl Output,
    ) {
        self.links.remove(link);
        out.hang_up(link);
        self.overlay.avoid(peer, now + self.config.liveness_interval);
        self.overlay.give_up_bridge(peer);
        if reason != RefusalReason::Full {
            self.lost_candidate(peer, now + self.cool_down());
        }
        self.learn(&referral[..referral.len().min(REFERRAL_LEN)], AddressSource::Peer);
        out.emit(|| LinkEvent::Refused { peer, by: Side::Them, reason, referral });
        self.repair.try_next(now, &self.config, &mut self.choices.next(Topic::Repair));
    }

    /// A connection closed before it became a link.
    pub(super) fn on_opening_closed(
        &mut self,
        now: Time,
        peer: Addr,
        open: &PeerLink,
        cause: &CloseCause,
        out: &mut impl Output,
    ) {
        self.lost_candidate(peer, now + self.cool_down());
        if matches!(cause, CloseCause::EndOfStream | CloseCause::Error) {
            let remote = open.remote.to_string();
            out.emit(|| LinkEvent::HandshakeFailed { remote, peer: Some(peer) });
        }
        self.repair.try_next(now, &self.config, &mut self.choices.next(Topic::Repair));
    }
}
