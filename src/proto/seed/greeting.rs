//! How a registration begins: who is accepted, who is refused, and who has to wait because it names
//! the address of a registered peer (see [`crate::proto::takeover`]).

use std::net::Ipv4Addr;
use std::time::Duration;

use super::list::{Before, Proof};
use super::proof::proof_of_newcomers;
use super::{Registry, SeedCx};
use crate::proto::addr::Addr;
use crate::proto::config::SeedConfig;
use crate::proto::event::{EventKind, LinkEnd, LinkEvent, LinkId, Rule, Side};
use crate::proto::machine::Output;
use crate::proto::message::{GoodbyeReason, Hello, Message, RefusalReason, Role};
use crate::proto::reach::is_here;
use crate::proto::takeover::{Takeover, Takeovers};

/// One machine other than this one may fill a quarter of the list: that leaves room for others, and
/// is a large lab.
const MACHINE_SHARE: usize = 4;

/// How long the holder of an address may take to answer, see [`Takeovers::patience`].
pub(super) fn takeover_patience(config: &SeedConfig) -> Duration {
    Takeovers::patience(config.handshake_timeout, config.liveness_interval)
}

impl Registry {
    pub(super) fn on_hello(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, hello: Hello) {
        let (peer, own) = (hello.listen, cx.config.listen);
        let Some(remote) = self.links.get(link).map(|open| open.remote) else { return };
        if !peer.is_dialable() || !cx.config.reach.can_be_named(own, remote.ip(), peer) {
            return self.protocol_violation(cx, link, Rule::BadAddress, &peer.to_string());
        }
        if let Some(reason) = self.objection(cx.config, hello, remote.ip()) {
            return self.refuse(cx, link, peer, reason);
        }
        if cx.config.dialect.registrations_answer() && self.names_a_live_peer(cx, link, hello) {
            return;
        }
        self.register(cx, link, peer);
    }

    fn objection(&self, config: &SeedConfig, hello: Hello, from: Ipv4Addr) -> Option<RefusalReason> {
        let peer = hello.listen;
        if peer == config.listen {
            Some(RefusalReason::Myself)
        } else if hello.role == Role::Seed {
            Some(RefusalReason::WrongRole)
        } else if self.is_full_for(config, peer, from) {
            Some(RefusalReason::Full)
        } else {
            None
        }
    }

    /// A list that is full, or has its share of one other machine, takes nobody new.
    fn is_full_for(&self, config: &SeedConfig, peer: Addr, from: Ipv4Addr) -> bool {
        let list_max = config.list_max;
        let is_elsewhere = !is_here(config.listen, from);
        let is_full_of_it = || is_elsewhere && self.list.registered_from(from) >= list_max / MACHINE_SHARE;
        (self.list.len() >= list_max || is_full_of_it()) && !self.list.contains(peer)
    }

    /// True if a registration by this address is up: the newcomer waits while its holder is probed.
    /// See [`crate::proto::takeover`].
    fn names_a_live_peer(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, hello: Hello) -> bool {
        let named = hello.listen;
        let Some(holder) = self.list.link_of(named) else { return false };
        if self.takeovers.has(named) {
            self.protocol_violation(cx, link, Rule::NameTaken, &named.to_string());
            return true;
        }
        let seq = self.probe(cx, holder, named);
        let decide_by = cx.now + takeover_patience(cx.config);
        if let Some(open) = self.links.get_mut(link) {
            open.hello_by = decide_by + cx.config.handshake_timeout;
        }
        self.takeovers.add(link, hello, seq, decide_by);
        true
    }

    /// Newcomers take the place of a holder that is gone, or has not answered in time.
    pub(super) fn settle_takeovers(&mut self, cx: &mut SeedCx<impl Output>) {
        loop {
            let is_decided = |takeover: &Takeover| {
                let holder = self.list.link_of(takeover.hello.listen);
                !self.links.contains_key(takeover.link) || holder.is_none()
            };
            let Some(takeover) = self.takeovers.take_decided(cx.now, is_decided) else { return };
            if self.links.contains_key(takeover.link) {
                self.register(cx, takeover.link, takeover.hello.listen);
            }
        }
    }

    fn register(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) {
        let (again, was_told) = self.replace_registration(cx, link, peer);
        let from = self.links.get(link).map(|open| open.remote.ip());
        if from.is_none_or(|from| self.visits.came(cx.now, link, from)) {
            self.tell_registered(cx, link, peer, again && was_told);
        }
        if !cx.config.dialect.list_comes_first() {
            self.send_list(cx, link);
        }
    }

    /// Puts the peer on the list with this link. Returns whether it had been on it, and whether
    /// that was announced.
    fn replace_registration(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) -> (bool, bool) {
        let Some(host) = self.links.name(link, peer) else { return (false, false) };
        self.schedule(cx.config, link);
        let Some(before) = self.list.register(peer, link, host, proof_of_newcomers(cx.config)) else {
            if proof_of_newcomers(cx.config) == Proof::Wanted {
                self.want_proof(cx.config, peer, host);
            }
            return (false, false);
        };
        let Before { link: old, is_told } = before;
        if let Some(old) = old {
            let reason = GoodbyeReason::Replaced;
            self.links.remove(old);
            cx.out.send(old, &Message::Goodbye { reason, referral: Vec::new() });
            cx.out.hang_up(old);
            self.registration_ended(cx, old, peer, LinkEnd::Goodbye { side: Side::Us, reason });
        }
        (true, is_told)
    }

    /// Whether the peer is on the list by this registration.
    pub(super) fn is_listed_by(&self, link: LinkId, peer: Addr) -> bool {
        self.list.link_of(peer) == Some(link)
    }

    /// A peer that was taken off the list while its registration is up asks the seed, so it is
    /// alive: it is listed again, unless the list is full by now. Returns whether it is listed.
    pub(super) fn list_again(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) -> bool {
        let Some(from) = self.links.get(link).map(|open| open.remote.ip()) else { return false };
        if self.is_full_for(cx.config, peer, from) {
            self.registration_ended(cx, link, peer, LinkEnd::RegistrationLost);
            self.refuse(cx, link, peer, RefusalReason::Full);
            return false;
        }
        let (again, was_told) = self.replace_registration(cx, link, peer);
        if !self.visits.is_untold(link) {
            self.tell_listed(cx, peer, again && was_told);
        }
        true
    }

    pub(super) fn refuse(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr, reason: RefusalReason) {
        let Some(open) = self.links.remove(link) else { return };
        cx.out.send(link, &Message::Refusal { reason, referral: Vec::new() });
        cx.out.hang_up(link);
        let connection = cx.out.connection(link, peer);
        let event =
            || EventKind::Link(LinkEvent::Refused { peer, by: Side::Us, reason, referral: Vec::new(), connection });
        self.offenses.tell(cx, open.remote.ip(), event);
    }
}
