//! The addresses that need proof that somebody listens there: which of them is dialed when.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::proto::addr::Addr;
use crate::proto::bucket::{Rate, TokenBucket};
use crate::proto::config::REGISTRATIONS_MAX;
use crate::proto::event::LinkId;
use crate::proto::machine::Gauge;
use crate::proto::random::Random;
use crate::proto::time::Time;

/// Where a dial goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the machine from which the address was registered.
    Back,
    /// To another one, which has not asked for it.
    Elsewhere,
}

impl Way {
    /// How fast it dials. The burst elsewhere is enough for the peers of a small lab to be proven as soon as they have
    /// registered. A seed that is flooded with addresses of others must not flood those others, so they get 20 dials a
    /// second. A flooder that names its own addresses gets what it asked for: a thousand a second, so that a lab of many
    /// thousands is proven within a minute or two.
    const fn rate(self) -> Rate {
        match self {
            Self::Back => Rate { burst: 256, every: Duration::from_millis(1) },
            Self::Elsewhere => Rate { burst: 20, every: Duration::from_millis(50) },
        }
    }

    /// Addresses that are asked at one time: a second's dials, should nobody answer, but no more
    /// sockets than half of those that may wait for a hello.
    const fn asked_max(self) -> usize {
        match self {
            Self::Back => 256,
            Self::Elsewhere => 20,
        }
    }
}

/// Addresses that wait to be dialed one way.
#[derive(Debug, Default)]
struct ProofQueue {
    budget: TokenBucket,
    items: Vec<Addr>,
    places: BTreeMap<Addr, usize>,
    /// Addresses that are being dialed or asked.
    asking: usize,
    /// The lowest address has been dialed last.
    was_lowest: bool,
}

impl ProofQueue {
    fn push(&mut self, peer: Addr) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.places.entry(peer) {
            place.insert(self.items.len());
            self.items.push(peer);
        }
    }

    fn remove(&mut self, peer: Addr) {
        let Some(place) = self.places.remove(&peer) else { return };
        self.items.swap_remove(place);
        if let Some(moved) = self.items.get(place) {
            self.places.insert(*moved, place);
        }
    }

    fn ready_at(&self, way: Way) -> Option<Time> {
        (!self.items.is_empty() && self.asking < way.asked_max()).then(|| self.budget.ready_at(way.rate()))
    }

    /// Whom to dial now: in turn the lowest address, which may be the root's, and a random one, so
    /// that a stranger that registers low addresses does not keep the others waiting.
    fn choose(&mut self, now: Time, way: Way, random: &mut Random) -> Option<Addr> {
        if self.ready_at(way).is_none_or(|at| at > now) || !self.budget.take(now, way.rate()) {
            return None;
        }
        let lowest = self.places.first_key_value().map(|(peer, _)| *peer).filter(|_| !self.was_lowest);
        let chosen = lowest.or_else(|| random.pick(&self.items))?;
        self.was_lowest = !self.was_lowest;
        self.remove(chosen);
        Some(chosen)
    }
}

/// The addresses that must be dialed, and those that are being dialed.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    back: ProofQueue,
    elsewhere: ProofQueue,
    /// Dialed without success, to be dialed again; by time. Some may have left the list meanwhile.
    later: VecDeque<(Time, Addr, Way)>,
    dialing: BTreeMap<Addr, Way>,
    /// Connections that came up.
    asked: BTreeMap<LinkId, (Addr, Way)>,
    /// By when a hello must come on each; some have come, and some are gone.
    answers: VecDeque<(Time, LinkId)>,
}

impl Proofs {
    fn queue(&mut self, way: Way) -> &mut ProofQueue {
        match way {
            Way::Back => &mut self.back,
            Way::Elsewhere => &mut self.elsewhere,
        }
    }

    pub(super) fn want(&mut self, peer: Addr, way: Way) {
        self.queue(way).push(peer);
    }

    /// This address is no longer listed, or is proven.
    pub(super) fn forget(&mut self, peer: Addr) {
        self.back.remove(peer);
        self.elsewhere.remove(peer);
    }

    /// The address that is asked on this connection.
    pub(super) fn asked_on(&self, link: LinkId) -> Option<Addr> {
        self.asked.get(&link).map(|(peer, _)| *peer)
    }

    /// Whom to dial now. `is_wanted`: whether an address still needs proof.
    pub(super) fn choose(&mut self, now: Time, is_wanted: impl Fn(Addr) -> bool, random: &mut Random) -> Option<Addr> {
        while self.later.front().is_some_and(|(at, _, _)| *at <= now) {
            let Some((_, peer, way)) = self.later.pop_front() else { break };
            if is_wanted(peer) {
                self.want(peer, way);
            }
        }
        for way in [Way::Back, Way::Elsewhere] {
            while let Some(peer) = self.queue(way).choose(now, way, random) {
                if !self.dialing.contains_key(&peer) {
                    self.queue(way).asking += 1;
                    self.dialing.insert(peer, way);
                    return Some(peer);
                }
            }
        }
        None
    }

    /// A dial came up. Returns whether it was asked for.
    pub(super) fn dialed(&mut self, link: LinkId, peer: Addr, answer_by: Time) -> bool {
        let Some(way) = self.dialing.remove(&peer) else { return false };
        self.asked.insert(link, (peer, way));
        self.answers.push_back((answer_by, link));
        true
    }

    /// A dial failed: it is tried again at that time.
    pub(super) fn dial_failed(&mut self, peer: Addr, again_at: Time) {
        let Some(way) = self.dialing.remove(&peer) else { return };
        self.queue(way).asking -= 1;
        self.later.push_back((again_at, peer, way));
    }

    /// This connection has brought its answer. Returns the address that it was about.
    pub(super) fn answered(&mut self, link: LinkId) -> Option<Addr> {
        let (peer, way) = self.asked.remove(&link)?;
        self.queue(way).asking -= 1;
        Some(peer)
    }

    /// This connection will bring no answer: it is tried again at that time.
    pub(super) fn closed(&mut self, link: LinkId, again_at: Time) {
        let Some((peer, way)) = self.asked.remove(&link) else { return };
        self.queue(way).asking -= 1;
        self.later.push_back((again_at, peer, way));
    }

    /// A connection on which nothing was said in time.
    pub(super) fn take_silent(&mut self, now: Time) -> Option<LinkId> {
        while let Some((answer_by, link)) = self.answers.front().copied() {
            let is_open = self.asked.contains_key(&link);
            if is_open && answer_by > now {
                return None;
            }
            self.answers.pop_front();
            if is_open {
                return Some(link);
            }
        }
        None
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let dials = [self.back.ready_at(Way::Back), self.elsewhere.ready_at(Way::Elsewhere)];
        let again = self.later.front().map(|(at, _, _)| *at);
        let answer = self.answers.front().map(|(answer_by, _)| *answer_by);
        dials.into_iter().chain([again, answer]).flatten().min()
    }

    pub(super) fn gauges(&self) -> [Gauge; 2] {
        let waiting = self.back.items.len() + self.elsewhere.items.len() + self.later.len();
        let asked_max = Way::Back.asked_max() + Way::Elsewhere.asked_max();
        [
            Gauge::new("addresses to prove", waiting, REGISTRATIONS_MAX),
            Gauge::new("addresses that are asked", self.dialing.len() + self.asked.len(), asked_max),
        ]
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
