//! The addresses that a peer could dial, those that it dials, and those that it leaves alone.

use std::collections::BTreeSet;
use std::time::Duration;

use super::reserve::{AddressSource, Reserve, ReserveBounds, draw};
use super::unheard::UNHEARD_MAX;
use crate::proto::addr::Addr;
use crate::proto::bucket::{Rate, TokenBucket};
use crate::proto::config::{PeerConfig, RESERVE_MAX};
use crate::proto::cx::Cx;
use crate::proto::event::{LinkEvent, Purpose};
use crate::proto::machine::{Gauge, Output};
use crate::proto::message::RepairId;
use crate::proto::random::{Random, Topic};
use crate::proto::time::Time;

/// Addresses that are not dialed for a while; beyond this the oldest goes.
const AVOIDED_MAX: usize = 256;
/// Dials of neighbors at once, after a while without any. In a lab of 500 peers that starts at once
/// none needs more than nine; after the end of most of a network, several in a row find nobody.
const DIALS_BURST: u32 = 32;
/// Time between two dials of neighbors beyond that. Lists and referrals cost their sender nothing,
/// and a stranger that sends them without end must not decide how often we connect to others.
const DIAL_EVERY: Duration = Duration::from_millis(500);
const DIAL_RATE: Rate = Rate { burst: DIALS_BURST, every: DIAL_EVERY };
/// Former neighbors that are remembered in the classic dialect; the lowest goes when there are more.
const PARTED_MAX: usize = 256;
/// Addresses that only gossip has named; beyond this the oldest goes. Gossip can name anybody.
const RUMORED_MAX: usize = 256;
/// Addresses that a classic peer, which is sent a list only once, remembers to dial: as many as may
/// be parked, and a reserve besides.
const CLASSIC_RESERVE_MAX: usize = UNHEARD_MAX + RESERVE_MAX;

/// The addresses: see the module.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Addresses that seeds and peers have named.
    reserve: Reserve,
    /// Addresses that only gossip has named, the latest last: dialed when there is no other.
    rumored: Vec<Addr>,
    /// Dials in progress.
    pub(super) dialing: Vec<Addr>,
    /// What is left to dial with.
    budget: TokenBucket,
    /// Not dialed before the time.
    avoided: Vec<(Addr, Time)>,
    /// Former neighbors, in the classic dialect: see [`Candidates::learn_origin`].
    parted: BTreeSet<Addr>,
    /// Links that the user cut: neither dialed nor accepted.
    pub(super) cut: BTreeSet<Addr>,
    /// The address that is dialed because it is in another part of the overlay.
    pub(super) bridge: Option<Addr>,
}

/// Whether this address, whoever named it, can be dialed as a peer's.
pub(super) fn is_candidate(config: &PeerConfig, addr: Addr) -> bool {
    let own = config.listen;
    addr.is_dialable() && addr != own && !config.has_seed(addr) && config.reach.may_dial(own, addr)
}

/// How long an address that failed us is left alone: until its death should be known.
fn cool_down(config: &PeerConfig) -> Duration {
    config.liveness_interval * (config.liveness_misses + 1)
}

/// What may be dialed.
impl Candidates {
    /// Remembers addresses to dial.
    pub(super) fn learn<O>(&mut self, cx: &mut Cx<O>, addrs: impl Iterator<Item = Addr>, source: AddressSource) {
        let all = if cx.config.dialect.registrations_answer() { RESERVE_MAX } else { CLASSIC_RESERVE_MAX };
        let bounds = ReserveBounds::shared(all, cx.config.seeds_wanted());
        for addr in addrs.filter(|addr| is_candidate(cx.config, *addr)) {
            self.reserve.add(addr, source, bounds, &mut cx.chance.next(Topic::Reserve));
        }
    }

    /// Where no seed can be asked for another list, origins of gossip may be dialed, too. Not former
    /// neighbors: a Python node that declared us dead keeps the old socket, and dies of it when we
    /// come back. One that a new list names has registered again, so it has restarted.
    pub(super) fn learn_origin(&mut self, config: &PeerConfig, origin: Addr) {
        if config.dialect.registrations_answer() || self.parted.contains(&origin) || self.rumored.contains(&origin) {
            return;
        }
        if is_candidate(config, origin) {
            if self.rumored.len() == RUMORED_MAX {
                self.rumored.remove(0);
            }
            self.rumored.push(origin);
        }
    }

    /// It is a neighbor now.
    pub(super) fn on_linked(&mut self, addr: Addr) {
        self.reserve.forget(addr);
    }

    /// It is none any more.
    pub(super) fn on_parted(&mut self, config: &PeerConfig, addr: Addr) {
        if config.dialect.registrations_answer() {
            return;
        }
        if self.parted.len() >= PARTED_MAX {
            self.parted.pop_first();
        }
        self.parted.insert(addr);
    }

    /// Does not dial this address for a liveness interval.
    pub(super) fn avoid<O>(&mut self, cx: &Cx<O>, addr: Addr) {
        self.avoid_until(addr, cx.now + cx.config.liveness_interval);
    }

    fn avoid_until(&mut self, addr: Addr, until: Time) {
        self.avoided.retain(|(avoided, _)| *avoided != addr);
        if self.avoided.len() >= AVOIDED_MAX {
            self.avoided.remove(0);
        }
        self.avoided.push((addr, until));
    }

    /// Forgets an address and does not dial it for a while, even if a seed names it again.
    pub(super) fn lose<O>(&mut self, cx: &Cx<O>, addr: Addr) {
        self.reserve.forget(addr);
        self.rumored.retain(|rumored| *rumored != addr);
        self.avoid_until(addr, cx.now + cool_down(cx.config));
        self.give_up_bridge(addr);
    }

    /// An address could not be reached.
    pub(super) fn on_unreachable<O>(&mut self, cx: &Cx<O>, addr: Addr) {
        self.end_dial(addr);
        if cx.config.dialect.registrations_answer() {
            self.lose(cx, addr);
        } else {
            // No seed will name it again: it is tried again in its turn.
            self.avoid_until(addr, cx.now + cool_down(cx.config));
        }
    }

    /// Whether this address may be dialed now, unless there is a link or a dial to it.
    pub(super) fn is_welcome(&self, now: Time, addr: Addr) -> bool {
        !self.avoided.iter().any(|(avoided, until)| *avoided == addr && *until > now) && !self.cut.contains(&addr)
    }

    /// A random address that may be dialed and is free.
    pub(super) fn choose(&self, now: Time, is_free: impl Fn(Addr) -> bool, random: &mut Random) -> Option<Addr> {
        let free = |addr: Addr| is_free(addr) && self.is_welcome(now, addr);
        let rumored = |at: usize| self.rumored[at];
        self.reserve.draw(free, random).or_else(|| draw(self.rumored.len(), rumored, free, random))
    }

    pub(super) fn gauges(&self) -> [Gauge; 4] {
        [
            Gauge::new("addresses of gossip", self.rumored.len(), RUMORED_MAX),
            Gauge::new("neighbors of before", self.parted.len(), PARTED_MAX),
            Gauge::new("addresses to dial", self.reserve.len(), CLASSIC_RESERVE_MAX),
            Gauge::new("addresses not to dial", self.avoided.len(), AVOIDED_MAX),
        ]
    }
}

/// Dials.
impl Candidates {
    pub(super) fn dial(&mut self, cx: &mut Cx<impl Output>, peer: Addr, repair: Option<RepairId>) {
        let purpose = Purpose::Neighbor;
        self.dialing.push(peer);
        cx.out.emit(|| LinkEvent::Dialing { peer, purpose, repair });
        cx.out.dial(peer, purpose);
    }

    /// A dial is over. Returns whether it was in progress.
    pub(super) fn end_dial(&mut self, peer: Addr) -> bool {
        let before = self.dialing.len();
        self.dialing.retain(|dialing| *dialing != peer);
        self.dialing.len() < before
    }

    /// Pays for a dial, if the budget allows one.
    pub(super) fn spend(&mut self, now: Time) -> bool {
        self.budget.take(now, DIAL_RATE)
    }

    /// When the budget allows the next dial.
    pub(super) fn ready_at(&self) -> Time {
        self.budget.ready_at(DIAL_RATE)
    }

    /// If this address was dialed as a bridge, that is over, and another one may be tried. Returns
    /// whether it was.
    pub(super) fn give_up_bridge(&mut self, addr: Addr) -> bool {
        self.bridge.take_if(|bridge| *bridge == addr).is_some()
    }
}

impl Candidates {
    /// The user takes that back. Returns whether it was cut.
    pub(super) fn heal(&mut self, addr: Addr) -> bool {
        let was_cut = self.cut.remove(&addr);
        if was_cut {
            self.avoided.retain(|(avoided, _)| *avoided != addr);
        }
        was_cut
    }
}
