//! Who listens at the address by which it registers (framed dialect).
//!
//! A registration costs nothing: whoever registers with many names at which there is nobody fills the lists, and a newcomer
//! that gets them dials nobody who is there. So a newcomer is listed at once, but as unproven, until this seed has dialed
//! the address itself and a peer has named it there. Of what a seed sends the unproven are a quarter at most. The
//! classic dialect has no words for this; there everybody counts as proven.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::Seed;
use crate::proto::addr::Addr;
use crate::proto::bucket::TokenBucket;
use crate::proto::config::REGISTRATIONS_MAX;
use crate::proto::event::{LinkId, Purpose, Rule};
use crate::proto::machine::{Gauge, Output};
use crate::proto::message::{Dialect, Message, RefusalReason, Role};
use crate::proto::random::Random;
use crate::proto::reach::is_here;
use crate::proto::time::Time;

/// Dials at once: the peers of a lab of that size are proven as soon as they have registered.
const DIALS_BURST: u32 = 20;
/// Time between two dials beyond that: 20 a second. A seed that is flooded with names at which others listen must not
/// flood those others.
const DIAL_EVERY: Duration = Duration::from_millis(50);
/// Addresses that are asked at one time: a second's dials, should nobody answer.
const ASKED_MAX: usize = 20;
/// Unproven addresses that a list may hold where the proven are few: when a lab starts nobody is proven yet, and so many
/// are enough for a newcomer to find its four links.
const UNPROVEN_MIN: usize = 32;
/// Of what a seed sends, and where the proven are many, one of so many is unproven.
const UNPROVEN_SHARE: usize = 4;

/// Is it known that somebody listens at a listed address?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Given,
    Wanted,
}

/// The addresses that have to be dialed, and those that are.
#[derive(Debug)]
pub(super) struct Proofs {
    budget: TokenBucket,
    /// To be dialed, in no order.
    wanted: Vec<Addr>,
    /// Dialed without success, to be dialed again; by time.
    later: VecDeque<(Time, Addr)>,
    dialing: Vec<Addr>,
    /// Connections that came about, and until when a hello must come.
    asked: BTreeMap<LinkId, (Addr, Time)>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self {
            budget: TokenBucket::new(DIALS_BURST, DIAL_EVERY),
            wanted: Vec::new(),
            later: VecDeque::new(),
            dialing: Vec::new(),
            asked: BTreeMap::new(),
        }
    }
}

impl Proofs {
    pub(super) fn want(&mut self, peer: Addr) {
        self.wanted.push(peer);
    }

    /// This address is no longer listed, or proven.
    pub(super) fn forget(&mut self, peer: Addr) {
        self.wanted.retain(|wanted| *wanted != peer);
        self.later.retain(|(_, later)| *later != peer);
    }

    fn is_asking(&self, peer: Addr) -> bool {
        self.dialing.contains(&peer) || self.asked.values().any(|(asked, _)| *asked == peer)
    }

    pub(super) fn is_asked_by(&self, link: LinkId) -> bool {
        self.asked.contains_key(&link)
    }

    fn may_ask(&self) -> bool {
        self.dialing.len() + self.asked.len() < ASKED_MAX
    }

    /// Whom to dial now: anybody, so that whoever registers often does not keep the others waiting.
    fn choose(&mut self, now: Time, random: &mut Random) -> Option<Addr> {
        while self.later.front().is_some_and(|(at, _)| *at <= now) {
            self.wanted.extend(self.later.pop_front().map(|(_, peer)| peer));
        }
        if self.wanted.is_empty() || !self.may_ask() || !self.budget.take(now) {
            return None;
        }
        Some(self.wanted.swap_remove(random.below(self.wanted.len())))
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let dial = (!self.wanted.is_empty() && self.may_ask()).then(|| self.budget.ready_at());
        let again = self.later.front().map(|(at, _)| *at);
        let answer = self.asked.values().map(|(_, answer_by)| *answer_by).min();
        [dial, again, answer].into_iter().flatten().min()
    }

    pub(super) fn gauges(&self) -> [Gauge; 2] {
        let waiting = self.wanted.len() + self.later.len();
        [
            Gauge::new("addresses to prove", waiting, REGISTRATIONS_MAX),
            Gauge::new("addresses that are asked", self.dialing.len() + self.asked.len(), ASKED_MAX),
        ]
    }

    pub(super) fn clear(&mut self) {
        self.wanted.clear();
        self.later.clear();
        self.dialing.clear();
        self.asked.clear();
    }
}

impl Seed {
    /// What a newcomer has to give.
    pub(super) fn proof_of_newcomers(&self) -> Proof {
        match self.config.dialect {
            Dialect::Framed => Proof::Wanted,
            Dialect::Classic => Proof::Given,
        }
    }

    /// May this seed dial the address, which somebody on the machine `from` named?
    pub(super) fn may_prove(&self, peer: Addr, from: IpAddr) -> bool {
        let own = self.config.listen;
        self.config.reach.may_dial(own, peer) || (peer.ip().is_loopback() && is_here(own, from))
    }

    /// Dials unproven addresses, as far as may be, and gives up waiting for those that say nothing.
    pub(super) fn seek_proofs(&mut self, now: Time, out: &mut impl Output) {
        let late = |answer_by: Time| answer_by <= now;
        let silent: Vec<LinkId> =
            self.proofs.asked.iter().filter(|(_, (_, answer_by))| late(*answer_by)).map(|(link, _)| *link).collect();
        for link in silent {
            out.hang_up(link);
            self.on_proof_closed(now, link);
        }
        while let Some(peer) = self.proofs.choose(now, &mut self.random) {
            self.proofs.dialing.push(peer);
            out.dial(peer, Purpose::Registration);
        }
    }

    pub(super) fn on_proof_dialed(&mut self, now: Time, link: LinkId, peer: Addr, out: &mut impl Output) {
        let Some(at) = self.proofs.dialing.iter().position(|dialing| *dialing == peer) else {
            return out.hang_up(link);
        };
        self.proofs.dialing.swap_remove(at);
        self.proofs.asked.insert(link, (peer, now + self.config.handshake_timeout));
        out.send(link, &Message::Hello(self.hello()));
    }

    pub(super) fn on_proof_dial_failed(&mut self, now: Time, peer: Addr) {
        self.proofs.dialing.retain(|dialing| *dialing != peer);
        self.ask_again(now, peer);
    }

    pub(super) fn on_proof_closed(&mut self, now: Time, link: LinkId) {
        if let Some((peer, _)) = self.proofs.asked.remove(&link) {
            self.ask_again(now, peer);
        }
    }

    fn ask_again(&mut self, now: Time, peer: Addr) {
        let is_wanted = self.list.get(&peer).is_some_and(|entry| entry.proof == Proof::Wanted);
        if is_wanted && !self.proofs.is_asking(peer) {
            self.proofs.forget(peer);
            self.proofs.later.push_back((now + self.config.liveness_interval, peer));
        }
    }

    /// The first words of somebody whom we dialed.
    pub(super) fn on_proof(&mut self, now: Time, link: LinkId, message: &Message, out: &mut impl Output) {
        let Some((peer, _)) = self.proofs.asked.get(&link).copied() else { return };
        out.hang_up(link);
        match message {
            Message::Hello(hello) if hello.role == Role::Seed => {
                self.proofs.asked.remove(&link);
                self.turn_out_seed(now, peer, out);
            }
            Message::Hello(hello) if hello.listen == peer => self.prove(link, peer),
            // A peer that does not know this seed, or is older than this question.
            Message::Refusal { reason: RefusalReason::WrongRole, .. } => self.prove(link, peer),
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

    fn prove(&mut self, link: LinkId, peer: Addr) {
        self.proofs.asked.remove(&link);
        self.proofs.forget(peer);
        if let Some(entry) = self.list.get_mut(&peer) {
            entry.proof = Proof::Given;
        }
    }

    /// A seed listens at the address by which somebody registered as a peer.
    fn turn_out_seed(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        if let Some(link) = self.list.get(&peer).and_then(|entry| entry.link) {
            self.protocol_violation(now, link, Rule::BadAddress, &peer.to_string(), out);
        }
    }

    /// Whom to name to this peer: all the proven, and of the others so many that they are no more than their share.
    pub(super) fn others_to_name(&mut self, asker: Option<Addr>) -> Vec<Addr> {
        let others = self.list.iter().filter(|(listed, _)| Some(**listed) != asker);
        let (mut named, mut unproven) = (Vec::new(), Vec::new());
        for (listed, entry) in others {
            match entry.proof {
                Proof::Given => named.push(*listed),
                Proof::Wanted => unproven.push(*listed),
            }
        }
        let room = UNPROVEN_MIN.max(named.len() / (UNPROVEN_SHARE - 1));
        if unproven.len() > room {
            unproven = self.random.sample(&unproven, room);
        }
        named.extend(unproven);
        named.sort_unstable();
        named
    }
}
