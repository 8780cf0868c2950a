//! Does anybody listen at the address of a registration (framed dialect)?
//!
//! A registration costs nothing: a stranger that registers with many addresses where nobody listens
//! fills the list, and a newcomer that gets a part of it reaches nobody. So a newcomer is listed at
//! once, but as unproven, until this seed has dialed the address itself and a peer has named it
//! there. At most a quarter of what a seed sends is unproven, and no unproven address is the root.
//! The classic dialect has no words for this; there every address counts as proven.

use std::net::Ipv4Addr;

use super::Seed;
use super::list::Proof;
use super::proofs::Way;
use crate::proto::addr::Addr;
use crate::proto::event::{LinkId, Purpose, Rule};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, Message, RefusalReason, Role};
use crate::proto::random::Topic;
use crate::proto::reach::is_here;
use crate::proto::time::Time;

impl Seed {
    /// The proof that a newcomer must give.
    pub(super) fn proof_of_newcomers(&self) -> Proof {
        match self.config.dialect {
            Dialect::Framed => Proof::Wanted,
            Dialect::Classic => Proof::Given,
        }
    }

    /// Has a newcomer dialed back, if this seed may dial the address, which the machine `from`
    /// named.
    pub(super) fn want_proof(&mut self, peer: Addr, from: Ipv4Addr) {
        let own = self.config.listen;
        if self.config.reach.may_dial(own, peer) || (peer.ip().is_loopback() && is_here(own, from)) {
            let way = if from == peer.ip() { Way::Back } else { Way::Elsewhere };
            self.proofs.want(peer, way);
        }
    }

    /// Dials unproven addresses, as far as the budget allows, and gives up on silent ones.
    pub(super) fn seek_proofs(&mut self, now: Time, out: &mut impl Output) {
        while let Some(link) = self.proofs.take_silent(now) {
            out.hang_up(link);
            self.on_proof_closed(now, link);
        }
        let list = &self.list;
        let is_wanted = |peer| list.get(peer).is_some_and(|entry| entry.proof == Proof::Wanted);
        while let Some(peer) = self.proofs.choose(now, is_wanted, &mut self.choices.next(Topic::Proof)) {
            out.dial(peer, Purpose::Registration);
        }
    }

    pub(super) fn on_proof_dialed(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        if !self.proofs.dialed(link, peer, now + self.config.handshake_timeout) {
            return out.hang_up(link);
        }
        out.send(link, &Message::Hello(self.hello()));
    }

    pub(super) fn on_proof_dial_failed(&mut self, now: Time, peer: Addr) {
        self.proofs.dial_failed(peer, now + self.config.liveness_interval);
    }

    pub(super) fn on_proof_closed(&mut self, now: Time, link: LinkId) {
        self.proofs.closed(link, now + self.config.liveness_interval);
    }

    /// The first message from an address that we dialed.
    pub(super) fn on_proof(&mut self, now: Time, link: LinkId, message: &Message, out: &mut impl Output) {
        let Some(peer) = self.proofs.asked_on(link) else { return };
        out.hang_up(link);
        match message {
            Message::Hello(hello) if hello.role == Role::Seed => {
                self.proofs.answered(link);
                self.turn_out_seed(now, peer, out);
            }
            Message::Hello(hello) if hello.listen == peer => self.prove(link),
            // A peer that does not know this seed, or is older than this question.
            Message::Refusal { reason: RefusalReason::WrongRole, .. } => self.prove(link),
            Message::Hello(_)
            | Message::Refusal { .. }
            | Message::PeerList(_)
            | Message::ListRequest
            | Message::Gossip(_)
            | Message::Probe { .. }
            | Message::ProbeReply { .. }
            | Message::DeadReport { .. }
            | Message::Goodbye { .. } => self.on_proof_closed(now, link),
        }
    }

    fn prove(&mut self, link: LinkId) {
        let Some(peer) = self.proofs.answered(link) else { return };
        self.proofs.forget(peer);
        self.list.prove(peer);
    }

    /// A seed listens at an address that was registered as a peer's.
    fn turn_out_seed(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        if let Some(link) = self.list.link_of(peer) {
            self.protocol_violation(now, link, Rule::BadAddress, &peer.to_string(), out);
        }
    }
}
