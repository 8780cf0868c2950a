//! What a peer does when it notices that it was away (rule 7): see [`crate::proto::absence`].
//!
//! It accuses nobody for that time, drops what has closed meanwhile, and looks after its links and
//! registrations. What the others made of its silence may still be on its way, so it asks its seeds
//! a little later whether they list it.

use super::Peer;
use super::reserve::AddressSource;
use crate::proto::absence::WasAway;
use crate::proto::addr::Addr;
use crate::proto::event::{LinkEnd, LinkId, ProbeEvent, Rule};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, Message, ProbeSeq};
use crate::proto::takeover::Takeovers;
use crate::proto::time::{ClockTime, Time};

impl Peer {
    pub(super) fn on_absence(&mut self, now: Time, was_away: Option<WasAway>, out: &mut impl Output) {
        let Some(was_away) = was_away else { return };
        self.liveness.ask_seeds_at = Some(now + self.presence.tolerance());
        self.overlay.excuse_all();
        self.root.is_whole(now);
        self.prolong_handshakes(now);
        if let Some(event) = was_away.event() {
            out.emit(|| event);
        }
    }

    /// A greeting that was due on a new connection may wait to be read.
    fn prolong_handshakes(&mut self, now: Time) {
        let at_least = now + self.config.handshake_timeout;
        self.links.prolong_handshakes(at_least);
        self.takeovers
            .postpone(now + Takeovers::patience(self.config.handshake_timeout, self.config.liveness_interval));
    }

    /// A neighbor closed the link, as it had every reason to: it is dialed again, even if there are
    /// enough links. It may have declared all its neighbors dead, and know nobody to dial.
    pub(super) fn part_while_away(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        self.part(now, peer, LinkEnd::WhileAway, out);
        self.learn(&[peer], AddressSource::Peer);
        if self.may_dial(now, peer) {
            self.dial_neighbor(peer, out);
        }
    }

    /// Has every seed put this peer on its list again, in case it was taken off. The classic
    /// dialect has no such question: there the peer registers again.
    pub(super) fn get_listed_if_due(&mut self, now: Time, out: &mut impl Output) {
        if self.liveness.ask_seeds_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        match self.config.dialect {
            Dialect::Framed => self.probe_seeds(now, out),
            Dialect::Classic => self.register_anew(out),
        }
    }

    /// A seed lists any peer that probes it on an open registration.
    fn probe_seeds(&mut self, now: Time, out: &mut impl Output) {
        let clock = self.own_time(now).clock(self.config.utc_offset_s);
        let (asker, extras) = (self.config.listen, self.extras(now));
        let up: Vec<(Addr, LinkId)> = self.registrar.up().collect();
        for (seed, link) in up {
            let Some(seq) = self.registrar.asks(seed, now) else { continue };
            out.send(link, &Message::Probe { seq, asker, clock, extras });
            out.emit(|| ProbeEvent::Sent { peer: seed, seq });
        }
    }

    pub(super) fn on_seed_answer(
        &mut self,
        now: Time,
        link: LinkId,
        seed: Addr,
        (seq, clock): (ProbeSeq, ClockTime),
        out: &mut impl Output,
    ) {
        if !self.registrar.has_asked(seq) {
            return self.protocol_violation(now, link, Rule::Unexpected, "liveness reply", out);
        }
        let Some(asked_at) = self.registrar.answered(seed, seq) else { return };
        let rtt_us = u64::try_from(now.since(asked_at).as_micros()).unwrap_or(u64::MAX);
        out.emit(|| ProbeEvent::Answered { peer: seed, seq, clock, rtt_us });
    }
}
