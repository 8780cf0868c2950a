//! The overlay: the neighbors of a peer, and how a link begins and ends (rules 2 to 4).
//!
//! After HyParView (Leitão, Pereira, Rodrigues 2007): a full peer refuses with a referral, but
//! never a joiner without neighbors (section 4.2, high-priority join).

use std::collections::BTreeSet;
use std::time::Duration;

use smallvec::{SmallVec, smallvec};

use super::liveness::Outstanding;
use super::reserve::{AddressSource, Reserve, ReserveBounds, draw};
use super::unheard::{UNHEARD_MAX, UnheardLinks};
use super::{Peer, PeerLink, Stage, death_cause};
use crate::proto::addr::Addr;
use crate::proto::bucket::Rate;
use crate::proto::config::{LINKS_MAX, REFERRAL_LEN, RESERVE_MAX};
use crate::proto::event::{Direction, LinkEnd, LinkEvent, LinkId, ProbeEvent, Purpose, Rule, Side};
use crate::proto::flat_map::grow_by_few;
use crate::proto::machine::{CloseCause, Gauge, Output};
use crate::proto::message::{
    DeathCause, Dialect, GoodbyeReason, Message, Priority, ProbeExtras, RefusalReason, RootNews,
};
use crate::proto::random::{Random, Topic};
use crate::proto::time::Time;

/// Addresses that are not dialed for a while; beyond this the oldest goes.
const AVOIDED_MAX: usize = 256;
/// Dials of neighbors at once, after a while without any. In a lab of 500 peers that starts at once none needs more than
/// nine; after the end of most of a network, several in a row find nobody.
const DIALS_BURST: u32 = 32;
/// Time between two dials of neighbors beyond that. Lists and referrals cost their sender nothing, and a stranger that
/// sends them without end must not decide how often we connect to others.
const DIAL_EVERY: Duration = Duration::from_millis(500);
pub(super) const DIAL_RATE: Rate = Rate { burst: DIALS_BURST, every: DIAL_EVERY };
/// Former neighbors that are remembered in the classic dialect; the lowest goes when there are more.
const PARTED_MAX: usize = 256;
/// Addresses that only gossip has named; beyond this the oldest goes. Gossip can name anybody.
const RUMORED_MAX: usize = 256;
/// Addresses that a classic peer, which is sent a list only once, remembers to dial: as many as may
/// be parked, and a reserve besides.
const CLASSIC_RESERVE_MAX: usize = UNHEARD_MAX + RESERVE_MAX;

/// A peer that we hold a link to.
#[derive(Debug)]
pub(super) struct Neighbor {
    pub(super) addr: Addr,
    /// One, or two in the classic dialect when both had dialed.
    pub(super) links: SmallVec<[LinkId; 1]>,
    pub(super) last_heard: Time,
    /// Unanswered probes in a row.
    pub(super) misses: u32,
    /// Probes without an answer, the latest last; as many as make it dead.
    pub(super) unanswered: SmallVec<[Outstanding; 1]>,
    pub(super) probes_sent: u64,
    /// How many neighbors it has, as it last said.
    pub(super) degree: Option<u16>,
    /// The link joined two parts of the overlay: it is not given up to make room.
    pub(super) bridge: bool,
    pub(super) entry: NeighborOrigin,
}

/// How a node became our neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeighborOrigin {
    Dialed,
    Joined,
    /// It dialed us and said that it had no neighbor, so we accepted it although we were full.
    PushedIn,
}

impl Neighbor {
    /// The link that we send on: the first of them.
    pub(super) fn link(&self) -> LinkId {
        self.links[0]
    }

    /// A second link, on which something was heard.
    fn add_link(&mut self, link: LinkId, now: Time) {
        self.links.push(link);
        self.last_heard = now;
    }
}

/// The links of a peer and the addresses that it could dial.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub(super) neighbors: Vec<Neighbor>,
    /// Nodes that may become neighbors with the first message from them.
    pub(super) unheard: UnheardLinks,
    /// Addresses that seeds and peers have named.
    pub(super) reserve: Reserve,
    /// Addresses that only gossip has named, the latest last: dialed when there is no other.
    rumored: Vec<Addr>,
    /// Dials in progress.
    pub(super) dialing: Vec<Addr>,
    /// Not dialed before the time.
    avoided: Vec<(Addr, Time)>,
    /// Former neighbors, in the classic dialect: see [`Peer::learn_origin`].
    parted: BTreeSet<Addr>,
    /// Links that the user cut: neither dialed nor accepted.
    pub(super) cut: BTreeSet<Addr>,
    /// The address that is dialed because it is in another part of the overlay.
    pub(super) bridge: Option<Addr>,
}

impl Overlay {
    pub(super) fn get(&self, addr: Addr) -> Option<&Neighbor> {
        self.neighbors.iter().find(|neighbor| neighbor.addr == addr)
    }

    pub(super) fn get_mut(&mut self, addr: Addr) -> Option<&mut Neighbor> {
        self.neighbors.iter_mut().find(|neighbor| neighbor.addr == addr)
    }

    pub(super) fn gauges(&self) -> [Gauge; 6] {
        [
            Gauge::new("links on which nothing was heard", self.unheard.len(), UNHEARD_MAX),
            Gauge::new("addresses of gossip", self.rumored.len(), RUMORED_MAX),
            Gauge::new("neighbors of before", self.parted.len(), PARTED_MAX),
            Gauge::new("neighbors", self.neighbors.len(), LINKS_MAX),
            Gauge::new("addresses to dial", self.reserve.len(), CLASSIC_RESERVE_MAX),
            Gauge::new("addresses not to dial", self.avoided.len(), AVOIDED_MAX),
        ]
    }

    /// What has not been answered so far counts against nobody.
    pub(super) fn excuse_all(&mut self) {
        for neighbor in &mut self.neighbors {
            neighbor.misses = 0;
            neighbor.unanswered.iter_mut().for_each(Outstanding::excuse);
        }
    }

    /// When the next probe that is still waiting runs out of patience.
    pub(super) fn next_judgment(&self, patience: Duration) -> Option<Time> {
        let unanswered = self.neighbors.iter().flat_map(|neighbor| &neighbor.unanswered);
        unanswered.filter_map(|probe| probe.missed_at(patience)).min()
    }

    fn remove(&mut self, addr: Addr) -> Option<Neighbor> {
        let at = self.neighbors.iter().position(|neighbor| neighbor.addr == addr)?;
        Some(self.neighbors.remove(at))
    }

    fn remember_parted(&mut self, addr: Addr) {
        if self.parted.len() >= PARTED_MAX {
            self.parted.pop_first();
        }
        self.parted.insert(addr);
    }

    fn forget_candidate(&mut self, addr: Addr) {
        self.reserve.forget(addr);
        self.rumored.retain(|rumored| *rumored != addr);
    }

    pub(super) fn avoid(&mut self, addr: Addr, until: Time) {
        self.avoided.retain(|(avoided, _)| *avoided != addr);
        if self.avoided.len() >= AVOIDED_MAX {
            self.avoided.remove(0);
        }
        self.avoided.push((addr, until));
    }

    /// If this address was dialed as a bridge, that has failed, and another one may be tried.
    pub(super) fn give_up_bridge(&mut self, addr: Addr) {
        self.bridge = self.bridge.filter(|bridge| *bridge != addr);
    }

    /// Whether this address may be dialed now, unless there is a link or a dial to it.
    fn is_welcome(&self, now: Time, addr: Addr) -> bool {
        let avoided = self.avoided.iter().any(|(avoided, until)| *avoided == addr && *until > now);
        !avoided && !self.cut.contains(&addr) && !self.unheard.has(addr)
    }

    /// A random address that may be dialed and is not among the busy ones.
    pub(super) fn choose(&self, now: Time, busy: &[Addr], random: &mut Random) -> Option<Addr> {
        let free = |addr: Addr| !busy.contains(&addr) && self.is_welcome(now, addr);
        let rumored = |at: usize| self.rumored[at];
        self.reserve.draw(free, random).or_else(|| draw(self.rumored.len(), rumored, free, random))
    }
}

impl Peer {
    /// The addresses that we are linked to, or are about to be.
    pub(super) fn busy(&self) -> Vec<Addr> {
        let opening = |link: &&PeerLink| {
            let is_opening = matches!(link.stage, Stage::Opening { .. });
            link.purpose == Purpose::Neighbor && link.direction == Direction::Outbound && is_opening
        };
        let opening = self.links.iter().map(|(_, open)| open).filter(opening).filter_map(|link| link.peer);
        let hopeful = self.overlay.unheard.hopeful().filter(|addr| self.overlay.get(*addr).is_none());
        self.neighbors().chain(self.overlay.dialing.iter().copied()).chain(opening).chain(hopeful).collect()
    }

    /// Whether this address may be dialed now.
    pub(super) fn may_dial(&self, now: Time, addr: Addr) -> bool {
        self.is_candidate(addr) && self.overlay.is_welcome(now, addr) && !self.busy().contains(&addr)
    }

    /// Whether this address, whoever named it, can be dialed as a peer's.
    pub(super) fn is_candidate(&self, addr: Addr) -> bool {
        let own = self.config.listen;
        addr.is_dialable() && addr != own && !self.registrar.knows(addr) && self.config.reach.may_dial(own, addr)
    }

    /// Remembers addresses to dial.
    pub(super) fn learn(&mut self, addrs: &[Addr], source: AddressSource) {
        let all = match self.config.dialect {
            Dialect::Framed => RESERVE_MAX,
            Dialect::Classic => CLASSIC_RESERVE_MAX,
        };
        let bounds = ReserveBounds::shared(all, self.config.seeds_wanted());
        for addr in addrs.iter().copied() {
            if self.is_candidate(addr) && self.overlay.get(addr).is_none() {
                self.overlay.reserve.add(addr, source, bounds, &mut self.choices.next(Topic::Reserve));
            }
        }
    }

    /// In the classic dialect no seed is asked for a list again, so origins of gossip may be
    /// dialed, too. Not former neighbors: a Python node that declared us dead keeps the old socket,
    /// and dies of it when we come back. One that a new list names has registered again, so it has
    /// restarted.
    pub(super) fn learn_origin(&mut self, origin: Addr) {
        let is_new = !self.overlay.parted.contains(&origin) && !self.overlay.rumored.contains(&origin);
        if !self.framed() && is_new && self.is_candidate(origin) {
            if self.overlay.rumored.len() == RUMORED_MAX {
                self.overlay.rumored.remove(0);
            }
            self.overlay.rumored.push(origin);
        }
    }

    /// Dials random candidates until there are as many links as the peer aims for, or its budget is
    /// spent.
    pub(super) fn fill_links(&mut self, now: Time, out: &mut impl Output) {
        let mut busy = self.busy();
        while busy.len() < self.config.max_dial && self.overlay.unheard.len() + self.overlay.dialing.len() < UNHEARD_MAX
        {
            let Some(peer) = self.overlay.choose(now, &busy, &mut self.choices.next(Topic::Dial)) else { break };
            if !self.dial_budget.take(now, DIAL_RATE) {
                self.repair.no_later_than(self.dial_budget.ready_at(DIAL_RATE));
                break;
            }
            busy.push(peer);
            self.dial_neighbor(peer, out);
        }
    }

    pub(super) fn dial_neighbor(&mut self, peer: Addr, out: &mut impl Output) {
        let purpose = Purpose::Neighbor;
        self.overlay.dialing.push(peer);
        out.emit(|| LinkEvent::Dialing { peer, purpose });
        out.dial(peer, purpose);
    }

    /// How much we want a link now.
    pub(super) fn priority(&self) -> Priority {
        if self.overlay.neighbors.is_empty() { Priority::High } else { Priority::Low }
    }

    pub(super) fn on_neighbor_unreachable(&mut self, now: Time, peer: Addr, error: String, out: &mut impl Output) {
        self.overlay.dialing.retain(|dialing| *dialing != peer);
        let until = now + self.cool_down();
        match self.config.dialect {
            Dialect::Framed => self.lost_candidate(peer, until),
            // No seed will name it again: it is tried again in its turn.
            Dialect::Classic => self.overlay.avoid(peer, until),
        }
        let (purpose, retry_at) = (Purpose::Neighbor, None);
        out.emit(|| LinkEvent::DialFailed { peer, purpose, error, retry_at });
        self.repair.try_next(now, &self.config, &mut self.choices.next(Topic::Repair));
    }

    /// Forgets an address and does not dial it for a while, even if a seed names it again.
    pub(super) fn lost_candidate(&mut self, peer: Addr, until: Time) {
        self.overlay.forget_candidate(peer);
        self.overlay.avoid(peer, until);
        self.overlay.give_up_bridge(peer);
    }

    /// How long an address that failed us is left alone: until its death should be known.
    pub(super) fn cool_down(&self) -> Duration {
        self.config.liveness_interval * (self.config.liveness_misses + 1)
    }

    pub(super) fn add_neighbor(
        &mut self,
        now: Time,
        link: LinkId,
        addr: Addr,
        priority: Priority,
        out: &mut impl Output,
    ) {
        self.link_up(now, link, addr, out);
        let bridge = priority == Priority::Bridge || self.overlay.bridge.take_if(|bridge| *bridge == addr).is_some();
        if let Some(neighbor) = self.overlay.get_mut(addr) {
            return neighbor.add_link(link, now);
        }
        let direction = self.links.get(link).map_or(Direction::Inbound, |open| open.direction);
        grow_by_few(&mut self.overlay.neighbors);
        self.overlay.neighbors.push(Neighbor {
            addr,
            links: smallvec![link],
            last_heard: now,
            misses: 0,
            unanswered: SmallVec::new(),
            probes_sent: 0,
            degree: None,
            bridge,
            entry: if direction == Direction::Outbound { NeighborOrigin::Dialed } else { NeighborOrigin::Joined },
        });
        self.overlay.reserve.forget(addr);
        self.repair.on_link_gained();
    }

    /// Hangs up on a neighbor, for this reason, and looks for another.
    pub(super) fn part(&mut self, now: Time, peer: Addr, end: LinkEnd, out: &mut impl Output) -> Option<Neighbor> {
        let neighbor = self.overlay.remove(peer)?;
        if !self.framed() {
            self.overlay.remember_parted(peer);
        }
        for link in neighbor.links.iter().copied() {
            if self.links.remove(link).is_some() {
                out.hang_up(link);
            }
            self.tell_down(now, link, peer, end, out);
        }
        self.repair.on_link_lost(now, &self.config, &mut self.choices.next(Topic::Repair));
        Some(neighbor)
    }

    /// Announces that a link is gone, if it was announced that it was up.
    fn tell_down(&mut self, now: Time, link: LinkId, peer: Addr, end: LinkEnd, out: &mut impl Output) {
        if self.visits.went(now, link, out) {
            out.emit(|| LinkEvent::Down { link, peer, purpose: Purpose::Neighbor, end });
        }
    }

    /// A message from a neighbor.
    pub(super) fn on_neighbor_message(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        message: Message,
        out: &mut impl Output,
    ) {
        if let Some(neighbor) = self.overlay.get_mut(peer) {
            neighbor.last_heard = now;
        }
        let said = message.name();
        match message {
            Message::Gossip(gossip) => self.on_gossip(now, peer, gossip, out),
            Message::Probe { seq, asker, clock, extras } => {
                self.note_extras(now, peer, extras);
                let extras = self.extras(now);
                out.send(link, &Message::ProbeReply { seq, asker, clock, extras });
                out.emit(|| ProbeEvent::Received { peer, seq, clock });
            }
            Message::ProbeReply { seq, asker: _, clock, extras } => {
                self.note_extras(now, peer, extras);
                self.on_probe_reply(now, peer, seq, clock, out);
            }
            Message::Goodbye { reason, referral } => {
                self.learn(&referral[..referral.len().min(REFERRAL_LEN)], AddressSource::Peer);
                self.overlay.avoid(peer, now + self.config.liveness_interval);
                self.part(now, peer, LinkEnd::Goodbye { side: Side::Them, reason }, out);
            }
            // It dialed us as a seed, and has our hello by now.
            Message::Refusal { reason, .. } => self.part_coldly(now, peer, LinkEnd::Refused { reason }, out),
            Message::Hello(_) => self.protocol_violation(now, link, Rule::HelloTwice, said, out),
            Message::PeerList(_) | Message::ListRequest | Message::DeadReport { .. } => {
                self.protocol_violation(now, link, Rule::Unexpected, said, out);
            }
        }
    }

    fn note_extras(&mut self, now: Time, peer: Addr, extras: Option<ProbeExtras>) {
        let Some(extras) = extras else { return };
        if let Some(neighbor) = self.overlay.get_mut(peer) {
            neighbor.degree = Some(extras.neighbors);
        }
        self.on_root_news(now, extras.root);
    }

    /// What rides on our probes and answers; nothing in the classic dialect.
    pub(super) fn extras(&self, now: Time) -> Option<ProbeExtras> {
        let neighbors = u16::try_from(self.overlay.neighbors.len()).unwrap_or(u16::MAX);
        let root = || self.root.beacon(now, &self.config).map_or(RootNews::Nothing, RootNews::Beacon);
        self.framed().then(|| ProbeExtras { neighbors, root: root() })
    }

    pub(super) fn on_neighbor_closed(
        &mut self,
        now: Time,
        link: LinkId,
        peer: Addr,
        cause: &CloseCause,
        out: &mut impl Output,
    ) {
        let Some(neighbor) = self.overlay.get_mut(peer) else { return };
        if neighbor.links.len() > 1 {
            // The other link of the pair carries on.
            neighbor.links.retain(|other| *other != link);
            let end = LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Duplicate };
            return self.tell_down(now, link, peer, end, out);
        }
        match cause {
            CloseCause::TooSlow => self.part_coldly(now, peer, LinkEnd::TooSlow, out),
            CloseCause::Violation(_) | CloseCause::OtherDialect { .. } => {
                self.part_coldly(now, peer, LinkEnd::Violation, out);
            }
            CloseCause::EndOfStream | CloseCause::Error if self.presence.is_excused(now) => {
                self.part_while_away(now, peer, out);
            }
            CloseCause::EndOfStream | CloseCause::Error => self.bury(now, peer, death_cause(cause), out),
        }
    }

    /// Parts for a while from a neighbor that is not dead but not wanted either.
    fn part_coldly(&mut self, now: Time, peer: Addr, end: LinkEnd, out: &mut impl Output) {
        self.lost_candidate(peer, now + self.cool_down());
        self.part(now, peer, end, out);
    }

    /// The user wants this neighbor treated as dead.
    pub(super) fn cut(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        self.overlay.cut.insert(peer);
        if self.overlay.get(peer).is_some() {
            self.bury(now, peer, DeathCause::Cut, out);
        }
        self.give_up_dial(peer, out);
    }

    /// Gives up a dial to this address that is in progress.
    fn give_up_dial(&mut self, peer: Addr, out: &mut impl Output) {
        if !self.busy().contains(&peer) && !self.overlay.unheard.has(peer) {
            return;
        }
        self.overlay.unheard.forget(peer);
        self.overlay.dialing.retain(|dialing| *dialing != peer);
        self.overlay.give_up_bridge(peer);
        let opening = |open: &PeerLink| open.peer == Some(peer) && open.purpose == Purpose::Neighbor;
        let links: Vec<LinkId> = self.links.iter().filter(|(_, open)| opening(open)).map(|(link, _)| link).collect();
        for link in links {
            self.links.remove(link);
            out.hang_up(link);
        }
        let (by, reason) = (Side::Us, RefusalReason::Cut);
        out.emit(|| LinkEvent::Refused { peer, by, reason, referral: Vec::new() });
    }

    /// The user takes that back: the address is dialed at once.
    pub(super) fn heal(&mut self, now: Time, peer: Addr, out: &mut impl Output) {
        if !self.overlay.cut.remove(&peer) {
            return;
        }
        self.overlay.avoided.retain(|(avoided, _)| *avoided != peer);
        if self.may_dial(now, peer) {
            self.dial_neighbor(peer, out);
        }
    }
}
