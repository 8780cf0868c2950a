//! Joining: registering with floor(n/2)+1 of the n seeds (rule 1).
//!
//! Any two peers of a network register with a majority of its seeds, so there is always a seed that
//! knows both.

use std::collections::BTreeSet;
use std::time::Duration;

use smallvec::SmallVec;

use super::reserve::AddressSource;
use super::{Peer, PeerLink, Stage};
use crate::proto::addr::Addr;
use crate::proto::config::{LIST_LEN_MAX, PeerConfig};
use crate::proto::event::{EventKind, LinkEnd, LinkEvent, LinkId, ProbeEvent, Purpose, Rule, SeedEvent, Side};
use crate::proto::machine::{CloseCause, Output};
use crate::proto::message::{
    Dialect, GoodbyeReason, Message, PeerSample, ProbeExtras, ProbeSeq, RefusalReason, Role, RootNews,
};
use crate::proto::random::{Random, Topic};
use crate::proto::time::Time;

/// Doublings after which a back-off has long reached any sensible maximum.
const DOUBLINGS_MAX: u32 = 16;

/// The state of a registration with one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RegistrationState {
    /// Not connected.
    Idle,
    /// Connecting, or waiting for its list.
    Coming,
    /// Registered, by this link.
    Up(LinkId),
}

#[derive(Debug)]
struct SeedContact {
    addr: Addr,
    state: RegistrationState,
    /// Not tried before this.
    retry_at: Option<Time>,
    /// Failures in a row.
    failures: u32,
    /// The open question whether it lists this peer, and since when.
    asked: Option<(ProbeSeq, Time)>,
}

/// The seeds, and the state of each registration.
#[derive(Debug)]
pub(super) struct Registrar {
    seeds: SmallVec<[SeedContact; 2]>,
    wanted: usize,
    /// Questions so far.
    asked: ProbeSeq,
    /// Peers of the network, as the seed said that last sent a sample.
    pub(super) listed: u32,
    /// The last report about having too few seeds.
    shortage_said: Option<usize>,
}

impl Registrar {
    pub(super) fn new(config: &PeerConfig) -> Self {
        let mut addrs = config.seeds.clone();
        addrs.sort_unstable();
        addrs.dedup();
        let idle =
            |addr| SeedContact { addr, state: RegistrationState::Idle, retry_at: None, failures: 0, asked: None };
        let seeds = addrs.into_iter().map(idle).collect();
        Self { seeds, wanted: config.seeds_wanted(), asked: 0, listed: 0, shortage_said: None }
    }

    pub(super) fn knows(&self, addr: Addr) -> bool {
        self.seeds.iter().any(|seed| seed.addr == addr)
    }

    pub(super) fn up(&self) -> impl Iterator<Item = (Addr, LinkId)> {
        self.seeds.iter().filter_map(|seed| match seed.state {
            RegistrationState::Up(link) => Some((seed.addr, link)),
            RegistrationState::Idle | RegistrationState::Coming => None,
        })
    }

    /// As many registrations as the peer wants.
    pub(super) fn complete(&self) -> bool {
        self.up().count() >= self.wanted
    }

    /// The source of an address that this seed names.
    fn source(&self, addr: Addr) -> AddressSource {
        let place = self.seeds.iter().position(|seed| seed.addr == addr);
        AddressSource::Seed(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX))
    }

    fn get_mut(&mut self, addr: Addr) -> Option<&mut SeedContact> {
        self.seeds.iter_mut().find(|seed| seed.addr == addr)
    }

    /// Asks this seed whether it lists this peer; returns the number of the question.
    pub(super) fn asks(&mut self, seed: Addr, now: Time) -> Option<ProbeSeq> {
        self.asked += 1;
        let seq = self.asked;
        self.get_mut(seed)?.asked = Some((seq, now));
        Some(seq)
    }

    /// The seed answers a question. Returns when it was asked, if it is open.
    pub(super) fn answered(&mut self, seed: Addr, seq: ProbeSeq) -> Option<Time> {
        self.get_mut(seed)?.asked.take_if(|(asked, _)| *asked == seq).map(|(_, at)| at)
    }

    /// Whether this number was ever asked. Its answer may come late or, with a fault, twice.
    pub(super) const fn has_asked(&self, seq: ProbeSeq) -> bool {
        seq >= 1 && seq <= self.asked
    }

    /// The peer is registered with this seed by this link from now on. Returns the link of the
    /// earlier registration.
    fn stand(&mut self, seed: Addr, link: LinkId) -> Option<LinkId> {
        let known = self.get_mut(seed)?;
        (known.failures, known.retry_at) = (0, None);
        match std::mem::replace(&mut known.state, RegistrationState::Up(link)) {
            RegistrationState::Up(old) => Some(old).filter(|old| *old != link),
            RegistrationState::Idle | RegistrationState::Coming => None,
        }
    }

    fn active(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.state != RegistrationState::Idle).count()
    }

    /// When an idle seed may be tried again, if one is needed.
    pub(super) fn next_retry(&self) -> Option<Time> {
        if self.active() >= self.wanted {
            return None;
        }
        self.seeds.iter().filter(|seed| seed.state == RegistrationState::Idle).filter_map(|seed| seed.retry_at).min()
    }

    fn choose(&self, now: Time, random: &mut Random) -> Option<Addr> {
        let ready =
            |seed: &&SeedContact| seed.state == RegistrationState::Idle && seed.retry_at.is_none_or(|at| at <= now);
        let ready: Vec<Addr> = self.seeds.iter().filter(ready).map(|seed| seed.addr).collect();
        ready.get(random.below(ready.len())).copied()
    }
}

/// The wait after this many failures in a row: doubling up to `longest`, between half and all of
/// the nominal span.
pub(super) fn growing(config: &PeerConfig, failures: u32, longest: Duration, random: &mut Random) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    let nominal = config.backoff_min.saturating_mul(1 << doublings).min(longest);
    random.jitter(nominal, 50..=100)
}

/// A Python seed appends at each registration: a peer that registered twice is on its list twice.
fn without_repetitions(peers: Vec<Addr>) -> Vec<Addr> {
    let mut seen = BTreeSet::new();
    peers.into_iter().filter(|peer| seen.insert(*peer)).collect()
}

fn dial_seed(seed: Addr, out: &mut impl Output) {
    let purpose = Purpose::Registration;
    out.emit(|| LinkEvent::Dialing { peer: seed, purpose });
    out.dial(seed, purpose);
}

impl Peer {
    /// Dials seeds at random until enough are up or on their way.
    pub(super) fn pursue_seeds(&mut self, now: Time, out: &mut impl Output) {
        while self.registrar.active() < self.registrar.wanted {
            let Some(seed) = self.registrar.choose(now, &mut self.choices.next(Topic::Seed)) else { break };
            if let Some(chosen) = self.registrar.get_mut(seed) {
                chosen.state = RegistrationState::Coming;
            }
            dial_seed(seed, out);
        }
        self.say_shortage(out);
    }

    /// Reports that too few seeds are reachable, or enough again, when that has changed.
    fn say_shortage(&mut self, out: &mut impl Output) {
        let (registered, wanted) = (self.registrar.up().count(), self.registrar.wanted);
        let known = self.registrar.seeds.len();
        if registered >= wanted {
            if self.registrar.shortage_said.take().is_some() {
                out.emit(|| SeedEvent::EnoughSeeds { registered });
            }
        } else if self.registrar.active() < wanted && self.registrar.shortage_said != Some(registered) {
            self.registrar.shortage_said = Some(registered);
            out.emit(|| SeedEvent::TooFewSeeds { registered, wanted, known });
        }
    }

    pub(super) fn on_seed_dialed(&self, link: LinkId, out: &mut impl Output) {
        match self.config.dialect {
            Dialect::Framed => out.send(link, &self.hello()),
            // The list comes first, then the name.
            Dialect::Classic => {}
        }
    }

    pub(super) fn on_seed_unreachable(&mut self, now: Time, seed: Addr, error: String, out: &mut impl Output) {
        let retry_at = self.seed_failed(now, seed);
        out.emit(|| LinkEvent::DialFailed { peer: seed, purpose: Purpose::Registration, error, retry_at });
        self.pursue_seeds(now, out);
    }

    /// Back to idle, to be tried again later; a registration that is up stays.
    fn seed_failed(&mut self, now: Time, addr: Addr) -> Option<Time> {
        let seed = self.registrar.seeds.iter_mut().find(|seed| seed.addr == addr)?;
        if matches!(seed.state, RegistrationState::Up(_)) {
            return None;
        }
        seed.state = RegistrationState::Idle;
        seed.failures = seed.failures.saturating_add(1);
        seed.retry_at = Some(
            now + growing(
                &self.config,
                seed.failures,
                self.config.backoff_max,
                &mut self.choices.next(Topic::SeedRetry),
            ),
        );
        seed.retry_at
    }

    pub(super) fn on_seed_message(
        &mut self,
        now: Time,
        link: LinkId,
        seed: Addr,
        message: Message,
        out: &mut impl Output,
    ) {
        let said = message.name();
        match message {
            Message::Hello(_) if !self.is_opening(link) => {
                self.protocol_violation(now, link, Rule::HelloTwice, said, out);
            }
            Message::Hello(hello) if hello.role == Role::Peer => self.not_a_seed(now, link, seed, out),
            Message::Hello(_) => self.greeted(now, link),
            Message::PeerList(sample) => self.on_peer_list(now, link, seed, sample, out),
            Message::Probe { seq, asker, clock, extras } => {
                self.note_attested(now, seed, extras);
                let extras = self.extras(now);
                out.send(link, &Message::ProbeReply { seq, asker, clock, extras });
                out.emit(|| ProbeEvent::Received { peer: seed, seq, clock });
            }
            Message::ProbeReply { seq, clock, extras, .. } => {
                self.note_attested(now, seed, extras);
                self.on_seed_answer(now, link, seed, (seq, clock), out);
            }
            Message::Refusal { reason, referral } => {
                self.end_registration(link, seed, LinkEnd::Refused { reason }, out);
                out.emit(|| LinkEvent::Refused { peer: seed, by: Side::Them, reason, referral });
                self.registration_lost(now, link, seed, out);
            }
            Message::Goodbye { reason, .. } => self.on_seed_goodbye(now, link, seed, reason, out),
            Message::Gossip(_) | Message::ListRequest | Message::DeadReport { .. } => {
                self.protocol_violation(now, link, Rule::Unexpected, said, out);
            }
        }
    }

    fn is_opening(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|open| matches!(open.stage, Stage::Opening { .. }))
    }

    /// A seed takes the connection. Its list shows whether it takes the peer; a full seed refuses
    /// instead.
    fn greeted(&mut self, now: Time, link: LinkId) {
        let list_by = now + self.config.handshake_timeout;
        self.links.set_stage(link, Stage::Greeted { list_by });
    }

    /// Hangs up on a seed, and reports it if the peer was registered by this link.
    fn end_registration(&mut self, link: LinkId, seed: Addr, end: LinkEnd, out: &mut impl Output) {
        let was_up = self.is_up(link);
        self.links.remove(link);
        out.hang_up(link);
        if was_up {
            out.emit(|| LinkEvent::Down { link, peer: seed, purpose: Purpose::Registration, end });
        }
    }

    fn is_up(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|open| open.stage == Stage::Up)
    }

    fn not_a_seed(&mut self, now: Time, link: LinkId, seed: Addr, out: &mut impl Output) {
        let reason = RefusalReason::WrongRole;
        self.links.remove(link);
        out.send(link, &Message::Refusal { reason, referral: Vec::new() });
        out.hang_up(link);
        out.emit(|| LinkEvent::Refused { peer: seed, by: Side::Us, reason, referral: Vec::new() });
        self.seed_failed(now, seed);
        self.pursue_seeds(now, out);
    }

    fn registered(&mut self, now: Time, link: LinkId, seed: Addr, out: &mut impl Output) {
        self.link_up(now, link, seed, out);
        if let Some(old) = self.registrar.stand(seed, link) {
            self.close_renewed(old, seed, out);
        }
        self.say_shortage(out);
        self.repair.on_registered(now, self.registrar.complete());
    }

    /// The new registration is up; the old one with the same seed goes.
    fn close_renewed(&mut self, old: LinkId, seed: Addr, out: &mut impl Output) {
        if self.links.remove(old).is_none() {
            return;
        }
        out.hang_up(old);
        let end = LinkEnd::Goodbye { side: Side::Us, reason: GoodbyeReason::Replaced };
        out.emit(|| LinkEvent::Down { link: old, peer: seed, purpose: Purpose::Registration, end });
    }

    fn note_attested(&mut self, now: Time, seed: Addr, extras: Option<ProbeExtras>) {
        if let Some(ProbeExtras { root: RootNews::Attested(root), .. }) = extras {
            self.on_attested(now, seed, Some(root));
        }
    }

    fn on_peer_list(&mut self, now: Time, link: LinkId, seed: Addr, sample: PeerSample, out: &mut impl Output) {
        let PeerSample { peers, listed, lowest } = sample;
        if self.framed() && peers.len() > LIST_LEN_MAX {
            return self.protocol_violation(now, link, Rule::ListTooLong, "peer list", out);
        }
        if !self.is_up(link) {
            if self.framed() && self.is_opening(link) {
                return self.protocol_violation(now, link, Rule::HelloExpected, "peer list", out);
            }
            if !self.framed() {
                if peers.contains(&self.config.listen) && !self.repair.joined() {
                    out.emit(|| SeedEvent::ListedAlready { seed });
                }
                // A Python seed blocks its whole loop until it has the address.
                out.send(link, &self.hello());
            }
            self.registered(now, link, seed, out);
        }
        self.on_attested(now, seed, lowest);
        self.registrar.listed = listed;
        let peers = without_repetitions(peers);
        self.learn(&peers, self.registrar.source(seed));
        let listed = match self.config.dialect {
            Dialect::Framed => listed,
            Dialect::Classic => u32::try_from(peers.len()).unwrap_or(u32::MAX),
        };
        out.emit(|| {
            let peers = peers.into_iter().take(LIST_LEN_MAX).collect();
            EventKind::Seed(SeedEvent::PeerListReceived { seed, peers, listed: Some(listed) })
        });
        self.repair_if_due(now, out);
        if self.repair.joined() {
            self.fill_links(now, out);
        }
    }

    fn on_seed_goodbye(&mut self, now: Time, link: LinkId, seed: Addr, reason: GoodbyeReason, out: &mut impl Output) {
        self.end_registration(link, seed, LinkEnd::Goodbye { side: Side::Them, reason }, out);
        self.registration_lost(now, link, seed, out);
    }

    pub(super) fn on_registration_closed(
        &mut self,
        now: Time,
        link: LinkId,
        seed: Addr,
        open: &PeerLink,
        cause: &CloseCause,
        out: &mut impl Output,
    ) {
        if open.stage == Stage::Up {
            let end = match cause {
                CloseCause::Violation(_) | CloseCause::OtherDialect { .. } => LinkEnd::Violation,
                CloseCause::TooSlow => LinkEnd::TooSlow,
                CloseCause::EndOfStream | CloseCause::Error => LinkEnd::RegistrationLost,
            };
            out.emit(|| LinkEvent::Down { link, peer: seed, purpose: Purpose::Registration, end });
        } else if matches!(cause, CloseCause::EndOfStream | CloseCause::Error) {
            let remote = open.remote.to_string();
            out.emit(|| LinkEvent::HandshakeFailed { remote, peer: Some(seed) });
        }
        self.registration_lost(now, link, seed, out);
    }

    fn registration_lost(&mut self, now: Time, link: LinkId, seed: Addr, out: &mut impl Output) {
        if let Some(known) = self.registrar.get_mut(seed) {
            match known.state {
                // A renewal failed, or the link that it was to replace went early.
                RegistrationState::Up(current) if current != link => return,
                RegistrationState::Up(_) | RegistrationState::Coming | RegistrationState::Idle => {
                    known.state = RegistrationState::Idle;
                }
            }
        }
        self.seed_failed(now, seed);
        self.pursue_seeds(now, out);
    }

    /// Registers again with every seed, whatever it thinks.
    pub(super) fn register_anew(&self, out: &mut impl Output) {
        self.registrar.up().for_each(|(seed, _)| dial_seed(seed, out));
    }

    /// Asks every seed for a fresh sample. The classic dialect has no message for that, and a
    /// Python seed appends a peer that registers again: see [`super::repair`].
    pub(super) fn ask_seeds(&mut self, out: &mut impl Output) {
        match self.config.dialect {
            Dialect::Framed => self.registrar.up().for_each(|(_, link)| out.send(link, &Message::ListRequest)),
            Dialect::Classic => {}
        }
    }
}
