//! How a registration begins: who is accepted, who is refused, and who has to wait because it names
//! the address of a registered peer (see [`crate::proto::takeover`]).

use std::net::Ipv4Addr;
use std::time::Duration;

use super::Seed;
use super::list::{Before, Proof};
use crate::proto::addr::Addr;
use crate::proto::event::{EventKind, LinkEnd, LinkEvent, LinkId, Rule, Side};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, GoodbyeReason, Hello, Message, RefusalReason, Role};
use crate::proto::reach::is_here;
use crate::proto::takeover::{Takeover, Takeovers};
use crate::proto::time::Time;

/// One machine other than this one may fill a quarter of the list: that leaves room for others, and
/// is a large lab.
const MACHINE_SHARE: usize = 4;

impl Seed {
    pub(super) fn on_hello(&mut self, now: Time, link: LinkId, hello: Hello, out: &mut impl Output) {
        let (peer, own) = (hello.listen, self.config.listen);
        let Some(remote) = self.links.get(link).map(|open| open.remote) else { return };
        if !peer.is_dialable() || !self.config.reach.can_be_named(own, remote.ip(), peer) {
            return self.protocol_violation(now, link, Rule::BadAddress, &peer.to_string(), out);
        }
        if let Some(reason) = self.objection(hello, remote.ip()) {
            return self.refuse(now, link, peer, reason, out);
        }
        if self.config.dialect == Dialect::Framed && self.names_a_live_peer(now, link, hello, out) {
            return;
        }
        self.register(now, link, peer, out);
    }

    fn objection(&self, hello: Hello, from: Ipv4Addr) -> Option<RefusalReason> {
        let peer = hello.listen;
        if peer == self.config.listen {
            Some(RefusalReason::Myself)
        } else if hello.role == Role::Seed {
            Some(RefusalReason::WrongRole)
        } else if self.is_full_for(peer, from) {
            Some(RefusalReason::Full)
        } else {
            None
        }
    }

    /// A list that is full, or has its share of one other machine, takes nobody new.
    fn is_full_for(&self, peer: Addr, from: Ipv4Addr) -> bool {
        let list_max = self.config.list_max;
        let is_elsewhere = !is_here(self.config.listen, from);
        let is_full_of_it = || is_elsewhere && self.list.registered_from(from) >= list_max / MACHINE_SHARE;
        (self.list.len() >= list_max || is_full_of_it()) && !self.list.contains(peer)
    }

    /// How long the holder of an address may take to answer, see [`Takeovers::patience`].
    pub(super) fn takeover_patience(&self) -> Duration {
        Takeovers::patience(self.config.handshake_timeout, self.config.liveness_interval)
    }

    /// True if a registration by this address is up: the newcomer waits while its holder is probed.
    /// See [`crate::proto::takeover`].
    fn names_a_live_peer(&mut self, now: Time, link: LinkId, hello: Hello, out: &mut impl Output) -> bool {
        let named = hello.listen;
        let Some(holder) = self.list.link_of(named) else { return false };
        if self.takeovers.has(named) {
            self.protocol_violation(now, link, Rule::NameTaken, &named.to_string(), out);
            return true;
        }
        let seq = self.probe(now, holder, named, out);
        let decide_by = now + self.takeover_patience();
        if let Some(open) = self.links.get_mut(link) {
            open.hello_by = decide_by + self.config.handshake_timeout;
        }
        self.takeovers.add(link, hello, seq, decide_by);
        true
    }

    /// Newcomers take the place of a holder that is gone, or has not answered in time.
    pub(super) fn settle_takeovers(&mut self, now: Time, out: &mut impl Output) {
        loop {
            let is_decided = |takeover: &Takeover| {
                let holder = self.list.link_of(takeover.hello.listen);
                !self.links.contains_key(takeover.link) || holder.is_none()
            };
            let Some(takeover) = self.takeovers.take_decided(now, is_decided) else { return };
            if self.links.contains_key(takeover.link) {
                self.register(now, takeover.link, takeover.hello.listen, out);
            }
        }
    }

    fn register(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let (again, was_told) = self.replace_registration(now, link, peer, out);
        let from = self.links.get(link).map(|open| open.remote.ip());
        if from.is_none_or(|from| self.visits.came(now, link, from)) {
            self.tell_registered(link, peer, again && was_told, out);
        }
        if self.config.dialect == Dialect::Framed {
            self.send_list(now, link, out);
        }
    }

    /// Puts the peer on the list with this link. Returns whether it had been on it, and whether
    /// that was announced.
    fn replace_registration(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) -> (bool, bool) {
        let Some(host) = self.links.name(link, peer) else { return (false, false) };
        self.schedule(link);
        let Some(before) = self.list.register(peer, link, host, self.proof_of_newcomers()) else {
            if self.proof_of_newcomers() == Proof::Wanted {
                self.want_proof(peer, host);
            }
            return (false, false);
        };
        let Before { link: old, is_told } = before;
        if let Some(old) = old {
            let reason = GoodbyeReason::Replaced;
            self.links.remove(old);
            out.send(old, &Message::Goodbye { reason, referral: Vec::new() });
            out.hang_up(old);
            self.registration_ended(now, old, peer, LinkEnd::Goodbye { side: Side::Us, reason }, out);
        }
        (true, is_told)
    }

    /// Whether the peer is on the list by this registration.
    pub(super) fn is_listed_by(&self, link: LinkId, peer: Addr) -> bool {
        self.list.link_of(peer) == Some(link)
    }

    /// A peer that was taken off the list while its registration is up asks the seed, so it is
    /// alive: it is listed again, unless the list is full by now. Returns whether it is listed.
    pub(super) fn list_again(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) -> bool {
        let Some(from) = self.links.get(link).map(|open| open.remote.ip()) else { return false };
        if self.is_full_for(peer, from) {
            self.registration_ended(now, link, peer, LinkEnd::RegistrationLost, out);
            self.refuse(now, link, peer, RefusalReason::Full, out);
            return false;
        }
        let (again, was_told) = self.replace_registration(now, link, peer, out);
        if !self.visits.is_untold(link) {
            self.tell_listed(peer, again && was_told, out);
        }
        true
    }

    pub(super) fn refuse(&mut self, now: Time, link: LinkId, peer: Addr, reason: RefusalReason, out: &mut impl Output) {
        let Some(open) = self.links.remove(link) else { return };
        out.send(link, &Message::Refusal { reason, referral: Vec::new() });
        out.hang_up(link);
        let event = || EventKind::Link(LinkEvent::Refused { peer, by: Side::Us, reason, referral: Vec::new() });
        self.offenses.tell(now, open.remote.ip(), event, out);
    }
}
