//! Registering with floor(n/2)+1 of the n seeds (rule 1), and what a peer asks and tells them.
//!
//! Any two peers of a network register with a majority of its seeds, so there is always a seed that
//! knows both. What seeds say in return: see [`super::seeds`].

use std::time::Duration;

use smallvec::SmallVec;

use super::reserve::AddressSource;
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::cx::Cx;
use crate::proto::event::{DeathEvent, DialError, LinkEvent, LinkId, ProbeEvent, Purpose, SeedEvent};
use crate::proto::machine::Output;
use crate::proto::message::{DeathCause, Message, ProbeExtras, ProbeId, ProbeSeq};
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

/// A probe of a seed that is not answered yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct AskedSeed {
    seq: u32,
    pub(super) probe: ProbeId,
    pub(super) at: Time,
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
    asked: Option<AskedSeed>,
}

/// The seeds, and the state of each registration.
#[derive(Debug)]
pub(super) struct Registrar {
    seeds: SmallVec<[SeedContact; 2]>,
    wanted: usize,
    /// Questions so far.
    asked: u32,
    /// Peers of the network, as the seed said that last sent a sample.
    listed: u32,
    /// The last report about having too few seeds.
    shortage_said: Option<u32>,
    /// When it asks its seeds whether they list it, after an absence.
    ask_at: Option<Time>,
}

impl Registrar {
    pub(super) fn new(config: &PeerConfig) -> Self {
        let mut addrs = config.seeds.clone();
        addrs.sort_unstable();
        addrs.dedup();
        let idle =
            |addr| SeedContact { addr, state: RegistrationState::Idle, retry_at: None, failures: 0, asked: None };
        let seeds = addrs.into_iter().map(idle).collect();
        Self { seeds, wanted: config.seeds_wanted(), asked: 0, listed: 0, shortage_said: None, ask_at: None }
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
    pub(super) fn source(&self, addr: Addr) -> AddressSource {
        let place = self.seeds.iter().position(|seed| seed.addr == addr);
        AddressSource::Seed(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX))
    }

    /// Peers of the network, as far as a seed said.
    pub(super) const fn listed(&self) -> u32 {
        self.listed
    }

    pub(super) const fn note_listed(&mut self, listed: u32) {
        self.listed = listed;
    }

    fn get_mut(&mut self, addr: Addr) -> Option<&mut SeedContact> {
        self.seeds.iter_mut().find(|seed| seed.addr == addr)
    }

    fn active(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.state != RegistrationState::Idle).count()
    }

    /// A seed that has not failed so far may still answer.
    fn is_first_attempt_open(&self) -> bool {
        self.seeds.iter().any(|seed| seed.state == RegistrationState::Coming && seed.failures == 0)
    }

    /// When it wants to do something.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.next_retry().into_iter().chain(self.ask_at).min()
    }

    /// When an idle seed may be tried again, if one is needed.
    fn next_retry(&self) -> Option<Time> {
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

fn dial_seed(cx: &mut Cx<impl Output>, seed: Addr) {
    let purpose = Purpose::Registration;
    cx.out.emit(|| LinkEvent::Dialing { peer: seed, purpose, repair: None });
    cx.out.dial(seed, purpose);
}

/// Which registrations are up.
impl Registrar {
    /// Dials seeds at random until enough are up or on their way.
    pub(super) fn pursue(&mut self, cx: &mut Cx<impl Output>) {
        while self.active() < self.wanted {
            let Some(seed) = self.choose(cx.now, &mut cx.chance.next(Topic::Seed)) else { break };
            if let Some(chosen) = self.get_mut(seed) {
                chosen.state = RegistrationState::Coming;
            }
            dial_seed(cx, seed);
        }
        self.say_shortage(cx);
    }

    /// Reports that too few seeds are reachable, or enough again, when that has changed.
    pub(super) fn say_shortage(&mut self, cx: &mut Cx<impl Output>) {
        let (registered, wanted, known) = (self.up().count(), self.wanted, self.seeds.len());
        if registered >= wanted {
            if self.shortage_said.take().is_some() {
                cx.out.emit(|| SeedEvent::EnoughSeeds { registered });
            }
        } else if self.active() < wanted
            && !self.is_first_attempt_open()
            && self.shortage_said != u32::try_from(registered).ok()
        {
            self.shortage_said = u32::try_from(registered).ok();
            cx.out.emit(|| SeedEvent::TooFewSeeds { registered, wanted, known });
        }
    }

    /// The peer is registered with this seed by this link from now on. Returns the link of the
    /// earlier registration.
    pub(super) fn on_registered(&mut self, seed: Addr, link: LinkId) -> Option<LinkId> {
        let known = self.get_mut(seed)?;
        (known.failures, known.retry_at) = (0, None);
        match std::mem::replace(&mut known.state, RegistrationState::Up(link)) {
            RegistrationState::Up(old) => Some(old).filter(|old| *old != link),
            RegistrationState::Idle | RegistrationState::Coming => None,
        }
    }

    pub(super) fn on_unreachable(&mut self, cx: &mut Cx<impl Output>, seed: Addr, error: DialError) {
        let retry_at = self.failed(cx, seed);
        cx.out.emit(|| LinkEvent::DialFailed { peer: seed, purpose: Purpose::Registration, error, retry_at });
        self.pursue(cx);
    }

    /// Back to idle, to be tried again later; a registration that is up stays.
    fn failed<O>(&mut self, cx: &mut Cx<O>, seed: Addr) -> Option<Time> {
        let seed = self.get_mut(seed)?;
        if matches!(seed.state, RegistrationState::Up(_)) {
            return None;
        }
        seed.state = RegistrationState::Idle;
        seed.failures = seed.failures.saturating_add(1);
        let random = &mut cx.chance.next(Topic::SeedRetry);
        seed.retry_at = Some(cx.now + growing(cx.config, seed.failures, cx.config.backoff_max, random));
        seed.retry_at
    }

    /// No seed listens there.
    pub(super) fn on_no_seed(&mut self, cx: &mut Cx<impl Output>, addr: Addr) {
        self.failed(cx, addr);
        self.pursue(cx);
    }

    /// The registration by this link, or the attempt at one, is over.
    pub(super) fn on_lost(&mut self, cx: &mut Cx<impl Output>, seed: Addr, link: LinkId) {
        if let Some(known) = self.get_mut(seed) {
            match known.state {
                // A renewal failed, or the link that it was to replace went early.
                RegistrationState::Up(current) if current != link => return,
                RegistrationState::Up(_) | RegistrationState::Coming | RegistrationState::Idle => {
                    known.state = RegistrationState::Idle;
                }
            }
        }
        self.on_no_seed(cx, seed);
    }
}

/// What seeds are asked and told.
impl Registrar {
    /// Asks every seed for a fresh sample. Where there is no such question, nothing happens: a Python
    /// seed appends a peer that registers again, see [`super::repair`].
    pub(super) fn ask_for_lists(&self, cx: &mut Cx<impl Output>) {
        if cx.config.dialect.registrations_answer() {
            self.up().for_each(|(_, link)| cx.out.send(link, &Message::ListRequest));
        }
    }

    /// The peer was away: it looks at that time whether it is still listed.
    pub(super) const fn on_absence(&mut self, ask_at: Time) {
        self.ask_at = Some(ask_at);
    }

    /// It is time for that; [`Self::get_listed`] follows.
    pub(super) fn is_listing_due(&mut self, now: Time) -> bool {
        self.ask_at.take_if(|at| *at <= now).is_some()
    }

    /// Has every seed put this peer on its list again, in case it was taken off. Where there is no
    /// such question, the peer registers again.
    pub(super) fn get_listed(&mut self, cx: &mut Cx<impl Output>, extras: Option<ProbeExtras>) {
        if cx.config.dialect.registrations_answer() {
            self.probe(cx, extras);
        } else {
            self.up().for_each(|(seed, _)| dial_seed(cx, seed));
        }
    }

    /// A seed lists any peer that probes it on an open registration.
    fn probe(&mut self, cx: &mut Cx<impl Output>, extras: Option<ProbeExtras>) {
        let (asker, clock) = (cx.config.listen, cx.clock());
        for seed in &mut self.seeds {
            let RegistrationState::Up(link) = seed.state else { continue };
            self.asked = self.asked.wrapping_add(1);
            let (peer, seq) = (seed.addr, ProbeSeq::from(self.asked));
            let probe = cx.numbers.next_probe();
            seed.asked = Some(AskedSeed { seq: self.asked, probe, at: cx.now });
            cx.out.send(link, &Message::Probe { seq, asker, clock, extras });
            cx.out.emit(|| ProbeEvent::Sent { peer, seq, probe: Some(probe) });
        }
    }

    /// The seed answers a question. Returns the question, if it is open.
    pub(super) fn answered(&mut self, seed: Addr, seq: ProbeSeq) -> Option<AskedSeed> {
        self.get_mut(seed)?.asked.take_if(|asked| ProbeSeq::from(asked.seq) == seq)
    }

    /// Whether this number was ever asked. Its answer may come late or, with a fault, twice.
    pub(super) fn has_asked(&self, seq: ProbeSeq) -> bool {
        seq >= 1 && seq <= ProbeSeq::from(self.asked)
    }

    /// Tells every seed that this node is dead.
    pub(super) fn report_death(&self, cx: &mut Cx<impl Output>, dead: Addr, cause: DeathCause) {
        let (reporter, clock) = (cx.config.listen, cx.clock());
        let (told, report) = (cx.config.dialect.carries_extras().then_some(cause), cx.numbers.next_report());
        self.up().for_each(|(_, link)| cx.out.send(link, &Message::DeadReport { dead, clock, reporter, cause: told }));
        cx.out.emit(|| DeathEvent::DeadReportSent {
            report: Some(report),
            dead,
            clock,
            seeds: self.up().map(|(seed, _)| seed).collect(),
            cause,
        });
    }
}
