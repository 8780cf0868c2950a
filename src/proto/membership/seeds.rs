//! What seeds say to a peer: lists, who the root is, and that they are full.

use std::collections::BTreeSet;

use super::Membership;
use super::links::{PeerLink, Stage};
use crate::proto::addr::Addr;
use crate::proto::config::LIST_LEN_MAX;
use crate::proto::cx::Cx;
use crate::proto::event::{
    ConnectionId, EventKind, LinkEnd, LinkEvent, LinkId, ProbeEvent, Purpose, Rule, SeedEvent, Side,
};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{GoodbyeReason, Message, PeerSample, ProbeExtras, ProbeSeq, RefusalReason, Role, RootNews};
use crate::proto::time::{ClockTime, micros};

/// A Python seed appends at each registration: a peer that registered twice is on its list twice.
fn without_repetitions(peers: Vec<Addr>) -> Vec<Addr> {
    let mut seen = BTreeSet::new();
    peers.into_iter().filter(|peer| seen.insert(*peer)).collect()
}

impl Membership {
    pub(super) fn on_seed_message(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr, message: Message) {
        let said = message.name();
        match message {
            Message::Hello(_) if !self.is_opening(link) => self.protocol_violation(cx, link, Rule::HelloTwice, said),
            Message::Hello(hello) if hello.role == Role::Peer => self.on_wrong_role(cx, link, seed),
            Message::Hello(_) => {
                // Its list shows whether it takes the peer; a full seed refuses instead.
                let list_by = cx.now + cx.config.handshake_timeout;
                self.links.set_stage(link, Stage::Greeted { list_by });
            }
            Message::PeerList(sample) => self.on_peer_list(cx, link, seed, sample),
            Message::Probe { seq, asker, clock, extras } => {
                self.note_attested(cx, seed, extras);
                let extras = self.extras(cx);
                cx.out.send(link, &Message::ProbeReply { seq, asker, clock, extras });
                cx.out.emit(|| ProbeEvent::Received { peer: seed, seq, clock });
            }
            Message::ProbeReply { seq, clock, extras, .. } => {
                self.note_attested(cx, seed, extras);
                self.on_seed_answer(cx, link, seed, seq, clock);
            }
            Message::Refusal { reason, referral } => {
                self.end_registration(cx, link, seed, LinkEnd::Refused { reason });
                let connection = cx.out.connection(link, seed);
                cx.out.emit(|| LinkEvent::Refused { peer: seed, by: Side::Them, reason, referral, connection });
                self.registrar.on_lost(cx, seed, link);
            }
            Message::Goodbye { reason, .. } => {
                self.end_registration(cx, link, seed, LinkEnd::Goodbye { side: Side::Them, reason });
                self.registrar.on_lost(cx, seed, link);
            }
            Message::Gossip(_) | Message::ListRequest | Message::DeadReport { .. } => {
                self.protocol_violation(cx, link, Rule::Unexpected, said);
            }
        }
    }

    fn is_opening(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|open| matches!(open.stage, Stage::Opening { .. }))
    }

    fn is_up(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|open| open.stage == Stage::Up)
    }

    /// Hangs up on a seed, and reports it if the peer was registered by this link.
    fn end_registration(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr, end: LinkEnd) {
        let Some(open) = self.links.remove(link) else { return };
        cx.out.hang_up(link);
        if open.stage == Stage::Up {
            cx.out.emit(|| LinkEvent::Down { link, peer: seed, purpose: Purpose::Registration, end });
        }
    }

    /// A peer listens where a seed was expected.
    fn on_wrong_role(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr) {
        let reason = RefusalReason::WrongRole;
        self.links.remove(link);
        cx.out.send(link, &Message::Refusal { reason, referral: Vec::new() });
        cx.out.hang_up(link);
        let connection = cx.out.connection(link, seed);
        cx.out.emit(|| LinkEvent::Refused { peer: seed, by: Side::Us, reason, referral: Vec::new(), connection });
        self.registrar.on_no_seed(cx, seed);
    }

    fn note_attested<O>(&mut self, cx: &Cx<O>, seed: Addr, extras: Option<ProbeExtras>) {
        if let Some(ProbeExtras { root: RootNews::Attested(root), .. }) = extras {
            self.on_attested(cx, seed, Some(root));
        }
    }

    fn on_peer_list(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr, sample: PeerSample) {
        let PeerSample { peers, listed, lowest } = sample;
        let dialect = cx.config.dialect;
        if dialect.lists_are_samples() && peers.len() > LIST_LEN_MAX {
            return self.protocol_violation(cx, link, Rule::ListTooLong, "peer list");
        }
        if !self.is_up(link) {
            if !dialect.list_comes_first() && self.is_opening(link) {
                return self.protocol_violation(cx, link, Rule::HelloExpected, "peer list");
            }
            self.register(cx, link, seed, &peers);
        }
        self.on_attested(cx, seed, lowest);
        self.registrar.note_listed(listed);
        let peers = without_repetitions(peers);
        self.learn(cx, &peers, self.registrar.source(seed));
        let listed = if dialect.lists_are_samples() { listed } else { u32::try_from(peers.len()).unwrap_or(u32::MAX) };
        cx.out.emit(|| {
            let peers = peers.into_iter().take(LIST_LEN_MAX).collect();
            EventKind::Seed(SeedEvent::PeerListReceived { seed, peers, listed: Some(listed) })
        });
        self.repair_if_due(cx);
        if self.repair.joined() {
            self.fill_links(cx);
        }
    }

    /// The list has come, so the peer is registered.
    fn register(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr, peers: &[Addr]) {
        if cx.config.dialect.list_comes_first() {
            if peers.contains(&cx.config.listen) && !self.repair.joined() {
                cx.out.emit(|| SeedEvent::ListedAlready { seed });
            }
            // A Python seed blocks its whole loop until it has the address.
            cx.out.send(link, &self.hello(cx));
        }
        self.link_up(cx, link, seed);
        if let Some(old) = self.registrar.on_registered(seed, link) {
            self.end_registration(cx, old, seed, LinkEnd::Goodbye { side: Side::Us, reason: GoodbyeReason::Replaced });
        }
        self.registrar.say_shortage(cx);
        self.repair.on_registered(cx.now, self.registrar.complete());
    }

    fn on_seed_answer(&mut self, cx: &mut Cx<impl Output>, link: LinkId, seed: Addr, seq: ProbeSeq, clock: ClockTime) {
        if !self.registrar.has_asked(seq) {
            return self.protocol_violation(cx, link, Rule::Unexpected, "liveness reply");
        }
        if let Some(asked) = self.registrar.answered(seed, seq) {
            let (probe, rtt_us) = (Some(asked.probe), micros(cx.now.since(asked.at)));
            cx.out.emit(|| ProbeEvent::Answered { peer: seed, seq, probe, clock, rtt_us });
        }
    }

    pub(super) fn on_registration_closed(
        &mut self,
        cx: &mut Cx<impl Output>,
        link: LinkId,
        (seed, connection): (Addr, Option<ConnectionId>),
        open: &PeerLink,
        cause: &CloseCause,
    ) {
        if open.stage == Stage::Up {
            let end = match cause {
                CloseCause::Violation(_) | CloseCause::OtherDialect { .. } => LinkEnd::Violation,
                CloseCause::TooSlow => LinkEnd::TooSlow,
                CloseCause::EndOfStream | CloseCause::Error => LinkEnd::RegistrationLost,
            };
            cx.out.emit(|| LinkEvent::Down { link, peer: seed, purpose: Purpose::Registration, end });
        } else if cause.is_plain_end() {
            let remote = open.remote;
            cx.out.emit(|| LinkEvent::HandshakeFailed { remote, peer: Some(seed), connection });
        }
        self.registrar.on_lost(cx, seed, link);
    }
}
