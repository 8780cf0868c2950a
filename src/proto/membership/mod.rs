//! Membership: which nodes a peer is linked to, and how it gets to know them.
//!
//! It owns all connections. To the other parts it speaks of neighbors only, and of a node as a
//! neighbor only once something was heard from it. What they must know or do, it says as [`NeighborNews`].
//!
//! - [`registration`]: registers with a majority of the seeds; [`seeds`]: what they say;
//! - [`neighbors`], [`candidates`], [`reserve`]: the neighbors, and the addresses that may be dialed;
//! - [`greeting`]: begins links, and refuses some (HyParView); [`ending`]: how links end;
//! - [`delivery`]: how the other parts reach neighbors;
//! - [`mod@policy`]: who is accepted, and who is given up for a joiner;
//! - [`takeover`]: handles newcomers that name the address of a neighbor;
//! - [`repair`]: looks for links when some are missing;
//! - [`root`]: notices that the overlay is split, and links its parts;
//! - [`unheard`]: keeps links of the classic dialect on which nothing was heard yet.

mod candidates;
mod delivery;
mod ending;
mod greeting;
mod links;
mod neighbors;
mod policy;
mod registration;
mod repair;
mod reserve;
mod root;
mod seeds;
mod takeover;
#[cfg(test)]
mod tests;
mod unheard;

use self::candidates::{Candidates, is_candidate};
use self::links::{PeerLink, PeerLinks, Stage};
use self::neighbors::{Neighbor, NeighborOrigin, Neighbors};
use self::policy::{PolicyInUse, policy};
use self::registration::Registrar;
use self::repair::Repair;
use self::reserve::AddressSource;
use self::root::RootWatch;
pub(super) use self::root::TickTask;
use self::unheard::{UNHEARD_MAX, UnheardLinks};
use super::addr::Addr;
use super::budget::Budget;
use super::config::{HALF_OPEN_MAX, LINKS_MAX, PeerConfig, REFERRAL_LEN};
use super::cx::Cx;
use super::event::{DialError, Direction, LinkEnd, LinkEvent, LinkId, Purpose, Rule, Side};
use super::machine::{Gauge, Output};
use super::message::{DeathCause, GoodbyeReason, Hello, Message, Priority, ProbeExtras, RefusalReason, Role, RootNews};
use super::offenses::Offenses;
use super::takeover::Takeovers;
use super::time::Time;
use super::visits::Visits;

/// What the other parts of a peer must know or do.
#[derive(Debug, Clone, Copy)]
pub(super) enum NeighborNews {
    /// This node is a neighbor.
    Up(Addr),
    /// It is one no longer.
    Down(Addr),
    /// Its link failed, so it is dead.
    Died { peer: Addr, cause: DeathCause },
    /// This node may become a neighbor: it was dialed, and nothing was heard yet.
    Awaited(Addr),
    /// Something was heard from it.
    Heard(Addr),
    /// It is not waited for any more.
    GivenUp(Addr),
    /// Something must be said on this link, so that the neighbor hears that it was accepted.
    Greeted { peer: Addr, link: LinkId },
    /// A newcomer on this link names the address of a neighbor, which must be probed.
    Contested { link: LinkId, hello: Hello },
}

/// Who said something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heard {
    /// A neighbor; `is_calm`: its link does not bring too much.
    Neighbor { peer: Addr, is_calm: bool },
    /// Somebody else: [`Membership::on_message`] handles it.
    Other,
    /// Nobody any more.
    Nobody,
}

/// The part: see the module.
#[derive(Debug)]
pub(super) struct Membership {
    links: PeerLinks,
    registrar: Registrar,
    neighbors: Neighbors,
    /// Nodes that may become neighbors with the first message from them.
    unheard: UnheardLinks,
    candidates: Candidates,
    repair: Repair,
    policy: PolicyInUse,
    root: RootWatch,
    offenses: Offenses,
    visits: Visits,
    takeovers: Takeovers,
    /// What happens until then may be due to an absence of this node.
    excused_until: Option<Time>,
    news: Vec<NeighborNews>,
}

impl Membership {
    pub(super) fn new(config: &PeerConfig) -> Self {
        Self {
            links: PeerLinks::default(),
            registrar: Registrar::new(config),
            neighbors: Neighbors::default(),
            unheard: UnheardLinks::default(),
            candidates: Candidates::default(),
            repair: Repair::default(),
            policy: config.methods.overlay.into(),
            root: RootWatch::default(),
            offenses: Offenses::default(),
            visits: Visits::default(),
            takeovers: Takeovers::default(),
            excused_until: None,
            news: Vec::new(),
        }
    }

    pub(super) fn neighbors(&self) -> impl Iterator<Item = Addr> {
        self.neighbors.iter().map(|neighbor| neighbor.addr)
    }

    /// The seeds that it is registered with.
    pub(super) fn registrations(&self) -> impl Iterator<Item = Addr> {
        self.registrar.up().map(|(seed, _)| seed)
    }

    pub(super) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// What the other parts do not know yet, in order.
    pub(super) fn take_news(&mut self) -> Vec<NeighborNews> {
        std::mem::take(&mut self.news)
    }

    /// Nothing waits to be settled once the input in hand is dealt with.
    pub(super) fn is_settled(&self) -> bool {
        self.takeovers.is_empty() && self.news.is_empty()
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let deadlines = [
            self.links.handshake_deadline(),
            self.registrar.next_deadline(),
            self.repair.next_at(),
            self.offenses.next_deadline(),
            self.visits.next_deadline(),
            self.takeovers.next_deadline(),
            self.unheard.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub(super) fn gauges(&self) -> impl Iterator<Item = Gauge> {
        let own = [
            Gauge::new("connections that have not named themselves", self.links.half_open().len(), HALF_OPEN_MAX),
            Gauge::new("links on which nothing was heard", self.unheard.len(), UNHEARD_MAX),
            Gauge::new("neighbors", self.neighbors.len(), LINKS_MAX),
        ];
        own.into_iter().chain(self.candidates.gauges())
    }

    fn hello<O>(&self, cx: &Cx<O>) -> Message {
        Message::Hello(Hello { listen: cx.config.listen, role: Role::Peer, priority: self.priority() })
    }

    /// How much we want a link now.
    fn priority(&self) -> Priority {
        if self.neighbors.is_empty() { Priority::High } else { Priority::Low }
    }

    /// What rides on our probes and answers; nothing in the classic dialect.
    pub(super) fn extras<O>(&self, cx: &Cx<O>) -> Option<ProbeExtras> {
        let neighbors = u16::try_from(self.neighbors.len()).unwrap_or(u16::MAX);
        let root = || self.root.beacon(cx.now, cx.config).map_or(RootNews::Nothing, RootNews::Beacon);
        cx.config.dialect.carries_extras().then(|| ProbeExtras { neighbors, root: root() })
    }

    /// What rode on a neighbor's.
    pub(super) fn on_extras<O>(&mut self, cx: &Cx<O>, peer: Addr, extras: Option<ProbeExtras>) {
        let Some(extras) = extras else { return };
        if let Some(neighbor) = self.neighbors.get_mut(peer) {
            neighbor.degree = Some(extras.neighbors);
        }
        match extras.root {
            RootNews::Beacon(beacon) => self.root.on_beacon(cx.now, beacon, cx.config),
            // Only a seed can attest a root, and only on a registration.
            RootNews::Nothing | RootNews::Attested(_) => {}
        }
    }
}

/// The addresses to dial.
impl Membership {
    /// The addresses that we are linked to, or are about to be.
    fn busy(&self) -> Vec<Addr> {
        let is_opening = |open: &&PeerLink| {
            let is_opening = matches!(open.stage, Stage::Opening { .. });
            open.purpose == Purpose::Neighbor && open.direction == Direction::Outbound && is_opening
        };
        let opening = self.links.iter().map(|(_, open)| open).filter(is_opening).filter_map(|open| open.peer);
        let hopeful = self.unheard.hopeful().filter(|addr| !self.neighbors.has(*addr));
        self.neighbors().chain(self.candidates.dialing.iter().copied()).chain(opening).chain(hopeful).collect()
    }

    /// Whether this address may be dialed now.
    fn may_dial<O>(&self, cx: &Cx<O>, addr: Addr) -> bool {
        let is_welcome = self.candidates.is_welcome(cx.now, addr) && !self.unheard.has(addr);
        is_candidate(cx.config, addr) && is_welcome && !self.busy().contains(&addr)
    }

    /// Remembers addresses to dial.
    fn learn<O>(&mut self, cx: &mut Cx<O>, addrs: &[Addr], source: AddressSource) {
        let neighbors = &self.neighbors;
        self.candidates.learn(cx, addrs.iter().copied().filter(|addr| !neighbors.has(*addr)), source);
    }

    fn learn_referral<O>(&mut self, cx: &mut Cx<O>, referral: &[Addr]) {
        self.learn(cx, &referral[..referral.len().min(REFERRAL_LEN)], AddressSource::Peer);
    }

    /// Gossip names the node that it comes from.
    pub(super) fn learn_origin<O>(&mut self, cx: &Cx<O>, origin: Addr) {
        self.candidates.learn_origin(cx.config, origin);
    }
}

/// Connections, and what comes on them.
impl Membership {
    pub(super) fn start(&mut self, cx: &mut Cx<impl Output>) {
        self.root.is_whole(cx.now);
        self.registrar.pursue(cx);
    }

    pub(super) fn on_accepted(&mut self, cx: &mut Cx<impl Output>, link: LinkId, remote: Addr) {
        if !self.links.half_open().admits(remote.ip()) {
            cx.out.hang_up(link);
            return self.on_rejected(cx, remote, Rule::TooManyLinks);
        }
        self.open(cx, link, remote, None, Purpose::Neighbor);
    }

    /// A connection begins: to this node, if we dialed it.
    fn open<O>(&mut self, cx: &Cx<O>, link: LinkId, remote: Addr, peer: Option<Addr>, purpose: Purpose) {
        let stage = Stage::Opening { hello_by: cx.now + cx.config.handshake_timeout };
        let direction = if peer.is_some() { Direction::Outbound } else { Direction::Inbound };
        self.links.insert(link, PeerLink { remote, peer, direction, purpose, stage, budget: Budget::default() });
    }

    pub(super) fn on_dialed(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr) {
        if !cx.config.has_seed(peer) {
            self.open(cx, link, peer, Some(peer), Purpose::Neighbor);
            return self.on_neighbor_dialed(cx, link, peer);
        }
        self.open(cx, link, peer, Some(peer), Purpose::Registration);
        if !cx.config.dialect.list_comes_first() {
            cx.out.send(link, &self.hello(cx));
        }
    }

    pub(super) fn on_dial_failed(&mut self, cx: &mut Cx<impl Output>, peer: Addr, error: DialError) {
        if cx.config.has_seed(peer) {
            return self.registrar.on_unreachable(cx, peer, error);
        }
        self.candidates.on_unreachable(cx, peer);
        cx.out.emit(|| LinkEvent::DialFailed { peer, purpose: Purpose::Neighbor, error, retry_at: None });
        self.repair.try_next(cx);
    }

    /// A message has come on a link. One that brings too many is read slowly, then reported, then
    /// dropped.
    pub(super) fn hear(&mut self, cx: &mut Cx<impl Output>, link: LinkId, message: &Message) -> Heard {
        let Some((from, budget)) = self.links.hear(link) else { return Heard::Nobody };
        if !budget.admits(cx, message, from.bearer(link), &mut self.offenses) {
            self.protocol_violation(cx, link, Rule::TooManyMessages, message.name());
            return Heard::Nobody;
        }
        let is_calm = !budget.is_exceeded();
        match (from.purpose, from.stage, from.peer) {
            (Purpose::Neighbor, Stage::Up, Some(peer)) => Heard::Neighbor { peer, is_calm },
            (Purpose::Neighbor, Stage::Unheard, Some(peer)) => {
                self.on_first_word(cx, link, peer);
                Heard::Neighbor { peer, is_calm }
            }
            (Purpose::Neighbor | Purpose::Registration, _, _) => Heard::Other,
        }
    }

    /// A message from a seed, or from somebody who is not a neighbor yet.
    pub(super) fn on_message(&mut self, cx: &mut Cx<impl Output>, link: LinkId, message: Message) {
        let Some(open) = self.links.get(link) else { return };
        match (open.purpose, open.peer) {
            (Purpose::Neighbor, _) => self.on_neighbor_greeting(cx, link, message),
            (Purpose::Registration, Some(seed)) => self.on_seed_message(cx, link, seed, message),
            (Purpose::Registration, None) => self.protocol_violation(cx, link, Rule::HelloExpected, message.name()),
        }
    }

    /// What a neighbor says that is neither gossip nor a probe nor an answer.
    pub(super) fn on_neighbor_message(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr, message: Message) {
        let said = message.name();
        match message {
            Message::Goodbye { reason, referral } => {
                self.learn_referral(cx, &referral);
                self.candidates.avoid(cx, peer);
                self.part(cx, peer, LinkEnd::Goodbye { side: Side::Them, reason });
            }
            // It dialed us as a seed, and has our hello by now.
            Message::Refusal { reason, .. } => self.part_coldly(cx, peer, LinkEnd::Refused { reason }),
            Message::Hello(_) => self.protocol_violation(cx, link, Rule::HelloTwice, said),
            Message::PeerList(_)
            | Message::ListRequest
            | Message::Gossip(_)
            | Message::Probe { .. }
            | Message::ProbeReply { .. }
            | Message::DeadReport { .. } => self.protocol_violation(cx, link, Rule::Unexpected, said),
        }
    }

    /// Marks a link as in use.
    fn link_up(&mut self, cx: &mut Cx<impl Output>, link: LinkId, peer: Addr) {
        let Some(open) = self.links.up(link, peer) else { return };
        let (direction, purpose) = (open.direction, open.purpose);
        if direction == Direction::Outbound || self.visits.came(cx.now, link, open.remote.ip()) {
            let connection = cx.out.connection(link, peer);
            cx.out.emit(|| LinkEvent::Up { link, connection, peer, direction, purpose });
        }
    }

    /// This link, on which something was heard, is one with a neighbor.
    fn add_neighbor(
        &mut self,
        cx: &mut Cx<impl Output>,
        link: LinkId,
        addr: Addr,
        entry: NeighborOrigin,
        priority: Priority,
    ) {
        self.link_up(cx, link, addr);
        let bridge = priority == Priority::Bridge || self.candidates.give_up_bridge(addr);
        if let Some(neighbor) = self.neighbors.get_mut(addr) {
            return neighbor.links.push(link);
        }
        self.neighbors.push(Neighbor::new(addr, link, entry, bridge));
        self.candidates.on_linked(addr);
        self.repair.on_link_gained();
        self.news.push(NeighborNews::Up(addr));
    }
}

/// Time, and the user.
impl Membership {
    pub(super) fn on_wake(&mut self, cx: &mut Cx<impl Output>) {
        self.end_handshakes(cx);
        self.offenses.end_windows(cx);
        self.visits.end_windows(cx);
        self.tell_stayed(cx);
        self.registrar.pursue(cx);
    }

    /// After an absence, once the messages that waited are out.
    pub(super) fn get_listed_if_due(&mut self, cx: &mut Cx<impl Output>) {
        if self.registrar.is_listing_due(cx.now) {
            let extras = self.extras(cx);
            self.registrar.get_listed(cx, extras);
        }
    }

    /// Once the dead are buried.
    pub(super) fn mend(&mut self, cx: &mut Cx<impl Output>) {
        self.park_if_due(cx);
        self.repair_if_due(cx);
    }

    /// Once per liveness interval. Returns what is to be done when the neighbors have been probed.
    pub(super) fn on_tick(&mut self, cx: &mut Cx<impl Output>) -> TickTask {
        let task = self.root_task(cx);
        if let Some(peer) = policy!(self, it => it.surplus(cx, &self.neighbors)) {
            self.give_up(cx, peer);
        }
        policy!(self, it => it.watch(cx, &self.neighbors));
        task
    }

    pub(super) fn carry_out(&mut self, cx: &mut Cx<impl Output>, task: TickTask) {
        match task {
            TickTask::Nothing => {}
            TickTask::AskSeeds => self.registrar.ask_for_lists(cx),
            TickTask::Bridge => self.build_bridge(cx),
        }
    }

    /// Announces links that have lasted although many from the same machine come and go.
    fn tell_stayed(&mut self, cx: &mut Cx<impl Output>) {
        for link in self.visits.take_stayed(cx.now) {
            if let Some(PeerLink { peer: Some(peer), direction, purpose, .. }) = self.links.get(link) {
                let (peer, direction, purpose) = (*peer, *direction, *purpose);
                let connection = cx.out.connection(link, peer);
                cx.out.emit(|| LinkEvent::Up { link, connection, peer, direction, purpose });
            }
        }
    }

    fn end_handshakes(&mut self, cx: &mut Cx<impl Output>) {
        for link in self.links.late_handshakes(cx.now) {
            self.protocol_violation(cx, link, Rule::HandshakeTimeout, "");
        }
    }

    /// This node was away: it accuses nobody for that time, drops what has closed meanwhile, and
    /// looks after its links and registrations. What the others made of its silence may still be on
    /// its way, so it asks its seeds a little later whether they list it.
    pub(super) fn on_absence<O>(&mut self, cx: &Cx<O>, excused_until: Time) {
        self.excused_until = Some(excused_until);
        self.registrar.on_absence(excused_until);
        self.root.is_whole(cx.now);
        // A greeting that was due on a new connection may wait to be read.
        self.links.prolong_handshakes(cx.now + cx.config.handshake_timeout);
        let patience = Takeovers::patience(cx.config.handshake_timeout, cx.config.liveness_interval);
        self.takeovers.postpone(cx.now + patience);
    }

    /// The user wants this neighbor treated as dead. Once it is, [`Self::give_up_dial`] ends the rest.
    pub(super) fn cut(&mut self, peer: Addr) {
        self.candidates.cut.insert(peer);
        if self.neighbors.has(peer) {
            self.news.push(NeighborNews::Died { peer, cause: DeathCause::Cut });
        }
    }

    /// Gives up a dial to this address that is in progress.
    pub(super) fn give_up_dial(&mut self, cx: &mut Cx<impl Output>, peer: Addr) {
        if !self.busy().contains(&peer) && !self.unheard.has(peer) {
            return;
        }
        self.unheard.forget(peer);
        self.news.push(NeighborNews::GivenUp(peer));
        self.candidates.end_dial(peer);
        self.candidates.give_up_bridge(peer);
        let opening = |open: &PeerLink| open.peer == Some(peer) && open.purpose == Purpose::Neighbor;
        let links: Vec<LinkId> = self.links.iter().filter(|(_, open)| opening(open)).map(|(link, _)| link).collect();
        for link in links {
            self.links.remove(link);
            cx.out.hang_up(link);
        }
        let (by, reason) = (Side::Us, RefusalReason::Cut);
        cx.out.emit(|| LinkEvent::Refused { peer, by, reason, referral: Vec::new(), connection: None });
    }

    /// The user takes that back: the address is dialed at once.
    pub(super) fn heal(&mut self, cx: &mut Cx<impl Output>, peer: Addr) {
        if self.candidates.heal(peer) && self.may_dial(cx, peer) {
            self.candidates.dial(cx, peer, None);
        }
    }

    /// Reports a node dead to the seeds, whatever is known of it.
    pub(super) fn report_death(&self, cx: &mut Cx<impl Output>, dead: Addr, cause: DeathCause) {
        self.registrar.report_death(cx, dead, cause);
    }

    /// Says goodbye to everybody.
    pub(super) fn leave(&mut self, cx: &mut Cx<impl Output>) {
        let reason = GoodbyeReason::Leaving;
        for (link, open) in std::mem::take(&mut self.links).into_open() {
            cx.out.send(link, &Message::Goodbye { reason, referral: Vec::new() });
            cx.out.hang_up(link);
            let (Stage::Up, Some(peer), true) = (open.stage, open.peer, self.visits.went(cx, link)) else {
                continue;
            };
            let (purpose, end) = (open.purpose, LinkEnd::Goodbye { side: Side::Us, reason });
            cx.out.emit(|| LinkEvent::Down { link, peer, purpose, end });
        }
        self.visits.end(cx);
        self.neighbors = Neighbors::default();
        self.unheard.clear();
        self.takeovers.clear();
    }
}
