//! Does anybody listen at the address of a registration (framed dialect)?
//!
//! A registration costs nothing: a stranger that registers with many addresses where nobody listens
//! fills the list, and a newcomer that gets a part of it reaches nobody. So a newcomer is listed at
//! once, but as unproven, until this seed has dialed the address itself and a peer has named it
//! there. At most a quarter of what a seed sends is unproven, and no unproven address is the root.
//! The classic dialect has no words for this; there every address counts as proven.

use std::net::Ipv4Addr;

use super::list::Proof;
use super::proofs::Way;
use super::{Registry, SeedCx, hello};
use crate::proto::addr::Addr;
use crate::proto::config::SeedConfig;
use crate::proto::event::{LinkId, Purpose, Rule};
use crate::proto::machine::Output;
use crate::proto::message::{Message, RefusalReason, Role};
use crate::proto::random::Topic;
use crate::proto::reach::is_here;

/// The proof that a newcomer must give.
pub(super) fn proof_of_newcomers(config: &SeedConfig) -> Proof {
    if config.dialect.answers_hello() { Proof::Wanted } else { Proof::Given }
}

impl Registry {
    /// Has a newcomer dialed back, if this seed may dial the address, which the machine `from`
    /// named.
    pub(super) fn want_proof(&mut self, config: &SeedConfig, peer: Addr, from: Ipv4Addr) {
        let own = config.listen;
        if config.reach.may_dial(own, peer) || (peer.ip().is_loopback() && is_here(own, from)) {
            let way = if from == peer.ip() { Way::Back } else { Way::Elsewhere };
            self.proofs.want(peer, way);
        }
    }

    /// Dials unproven addresses, as far as the budget allows, and gives up on silent ones.
    pub(super) fn seek_proofs(&mut self, cx: &mut SeedCx<impl Output>) {
        while let Some(link) = self.proofs.take_silent(cx.now) {
            cx.out.hang_up(link);
            self.on_proof_closed(cx, link);
        }
        let list = &self.list;
        let is_wanted = |peer| list.get(peer).is_some_and(|entry| entry.proof == Proof::Wanted);
        while let Some(peer) = self.proofs.choose(cx.now, is_wanted, &mut cx.chance.next(Topic::Proof)) {
            cx.out.dial(peer, Purpose::Registration);
        }
    }

    pub(super) fn on_proof_dialed(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, peer: Addr) {
        if !self.proofs.dialed(link, peer, cx.now + cx.config.handshake_timeout) {
            return cx.out.hang_up(link);
        }
        cx.out.send(link, &hello(cx.config));
    }

    pub(super) fn on_proof_dial_failed<O>(&mut self, cx: &SeedCx<O>, peer: Addr) {
        self.proofs.dial_failed(peer, cx.now + cx.config.liveness_interval);
    }

    pub(super) fn on_proof_closed<O>(&mut self, cx: &SeedCx<O>, link: LinkId) {
        self.proofs.closed(link, cx.now + cx.config.liveness_interval);
    }

    /// The first message from an address that we dialed.
    pub(super) fn on_proof(&mut self, cx: &mut SeedCx<impl Output>, link: LinkId, message: &Message) {
        let Some(peer) = self.proofs.asked_on(link) else { return };
        cx.out.hang_up(link);
        match message {
            Message::Hello(hello) if hello.role == Role::Seed => {
                self.proofs.answered(link);
                self.turn_out_seed(cx, peer);
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
            | Message::Goodbye { .. } => self.on_proof_closed(cx, link),
        }
    }

    fn prove(&mut self, link: LinkId) {
        let Some(peer) = self.proofs.answered(link) else { return };
        self.proofs.forget(peer);
        self.list.prove(peer);
    }

    /// A seed listens at an address that was registered as a peer's.
    fn turn_out_seed(&mut self, cx: &mut SeedCx<impl Output>, peer: Addr) {
        if let Some(link) = self.list.link_of(peer) {
            self.protocol_violation(cx, link, Rule::BadAddress, &peer.to_string());
        }
    }
}
