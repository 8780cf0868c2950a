//! Links: one row for each node of ours and each node that it was ever linked to.

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;

use super::{Map, Set};
use crate::event::{Direction, LinkEnd, LinkEvent, LinkId, Purpose};
use crate::proto::addr::Addr;
use crate::proto::message::ProbeSeq;
use crate::proto::time::Time;

/// Rows of ended links that are kept for their history.
pub const ENDED_MAX: usize = 4_096;
/// Steps of one link's history that are kept: several reconnects, each a dial, an up and a down.
pub const STEPS_MAX: usize = 24;
/// Probes of one link that are kept for its sparkline: 30 s at one a second.
pub const PINGS_MAX: usize = 30;
/// Misses in a row that are kept as evidence: five times the default limit.
pub const MISSES_MAX: usize = 16;
/// Unanswered probes of one link whose send time is remembered.
const IN_FLIGHT_MAX: usize = 4;

/// Names a row: one end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey {
    /// A node of ours.
    pub node: Addr,
    pub peer: Addr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    Dialing,
    /// Nothing was heard on it. It is kept in case the other side accepts some day.
    Parked,
    Up,
    /// Gone, or it never came up; the history says why.
    Ended,
}

/// The outcome of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// When the outcome was known.
    pub at: Time,
    /// Round-trip time in microseconds; `None`: no answer.
    pub rtt_us: Option<u64>,
}

/// An unanswered probe, as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Miss {
    pub seq: ProbeSeq,
    /// `None` if the sending was not seen.
    pub sent_at: Option<Time>,
    /// When its timeout ended.
    pub missed_at: Time,
    /// Misses in a row, this one included.
    pub misses: u32,
    /// Misses in a row at which the neighbor is dead.
    pub limit: u32,
    pub last_heard: Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStep {
    pub at: Time,
    pub what: StepKind,
    /// If the link went down: since when probes had gone unanswered at that time, if they had.
    pub unanswered_since: Option<Time>,
}

/// What happened to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// What our node said about it.
    Told(LinkEvent),
    /// Our node hung, and the node at the other end dropped the link.
    Dropped,
    /// Our node stopped or restarted, and its links ended with it.
    NodeStopped,
}

impl LinkStep {
    pub const fn event(&self) -> Option<&LinkEvent> {
        match &self.what {
            StepKind::Told(event) => Some(event),
            StepKind::Dropped | StepKind::NodeStopped => None,
        }
    }

    /// With this step a connection came up.
    pub const fn is_up(&self) -> bool {
        matches!(self.event(), Some(LinkEvent::Up { .. }))
    }

    /// Why it ended, if our node said so.
    pub const fn end(&self) -> Option<LinkEnd> {
        match self.event() {
            Some(LinkEvent::Down { end, .. }) => Some(*end),
            Some(_) | None => None,
        }
    }

    /// With this step the link was lost.
    pub const fn is_loss(&self) -> bool {
        match &self.what {
            StepKind::Told(_) => self.end().is_some(),
            StepKind::Dropped | StepKind::NodeStopped => true,
        }
    }
}

/// One row: a link as a node of ours has seen it.
#[derive(Debug, Clone)]
pub struct LinkHistory {
    pub key: LinkKey,
    pub purpose: Purpose,
    /// Who dialed last.
    pub direction: Direction,
    pub state: LinkState,
    /// Since when it is in that state.
    pub since: Time,
    /// The connections that are up; two between one pair count as one link.
    pub connections: SmallVec<[LinkId; 2]>,
    /// Round-trip time of the last answered probe, in microseconds.
    pub rtt_us: Option<u64>,
    /// The outcomes of the latest probes, oldest first.
    pub pings: VecDeque<Ping>,
    /// Misses in a row now.
    pub misses: u32,
    /// Misses at which the neighbor is dead; 0 until one is missed.
    pub limit: u32,
    /// The current misses in a row, oldest first.
    pub missed: SmallVec<[Miss; 3]>,
    pub last_heard: Option<Time>,
    /// Oldest first.
    pub history: VecDeque<LinkStep>,
    /// Steps that the history no longer holds.
    pub forgotten: u64,
    in_flight: SmallVec<[(ProbeSeq, Time); 2]>,
}

impl LinkHistory {
    fn new(key: LinkKey, purpose: Purpose, at: Time) -> Self {
        Self {
            key,
            purpose,
            direction: Direction::Outbound,
            state: LinkState::Ended,
            since: at,
            connections: SmallVec::new(),
            rtt_us: None,
            pings: VecDeque::new(),
            misses: 0,
            limit: 0,
            missed: SmallVec::new(),
            last_heard: None,
            history: VecDeque::new(),
            forgotten: 0,
            in_flight: SmallVec::new(),
        }
    }

    pub fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// Whether it was up at this time, as far as its history reaches.
    pub fn was_up_at(&self, at: Time) -> bool {
        let earlier = self.history.iter().rev().filter(|step| step.at <= at);
        let turn = earlier.filter(|step| step.is_up() || step.is_loss()).map(LinkStep::is_up).next();
        // Before the oldest step that is held, a link that is up and shows no other step was up.
        turn.unwrap_or(self.is_up() && self.since <= at)
    }

    /// Outcomes of the probes of the last `span`, oldest first.
    pub fn pings_since(&self, now: Time, span: Duration) -> impl Iterator<Item = Ping> {
        self.pings.iter().copied().filter(move |ping| now.since(ping.at) <= span)
    }

    fn told(&mut self, at: Time, event: &LinkEvent) {
        self.note(at, StepKind::Told(without_list(event)));
    }

    fn note(&mut self, at: Time, what: StepKind) {
        if self.history.len() == STEPS_MAX {
            self.history.pop_front();
            self.forgotten += 1;
        }
        let mut step = LinkStep { at, what, unanswered_since: None };
        step.unanswered_since = first_sent(&self.missed).filter(|_| step.end().is_some());
        self.history.push_back(step);
    }

    fn enter(&mut self, state: LinkState, at: Time) {
        if self.state != state {
            self.state = state;
            self.since = at;
        }
    }

    fn came_up(&mut self, link: LinkId, direction: Direction, at: Time) {
        if !self.is_up() {
            self.misses = 0;
            self.missed.clear();
            self.in_flight.clear();
            self.pings.clear();
            self.rtt_us = None;
        }
        self.direction = direction;
        self.last_heard = Some(at);
        self.connections.push(link);
        self.enter(LinkState::Up, at);
    }

    fn went_down(&mut self, link: LinkId, at: Time) {
        self.connections.retain(|connection| *connection != link);
        if self.connections.is_empty() {
            self.enter(LinkState::Ended, at);
        }
    }

    fn ping(&mut self, ping: Ping) {
        if self.pings.len() == PINGS_MAX {
            self.pings.pop_front();
        }
        self.pings.push_back(ping);
    }

    fn probed(&mut self, seq: ProbeSeq, at: Time) {
        if self.in_flight.len() == IN_FLIGHT_MAX {
            self.in_flight.remove(0);
        }
        self.in_flight.push((seq, at));
    }

    fn answered(&mut self, seq: ProbeSeq, rtt_us: u64, at: Time) {
        self.in_flight.retain(|(sent, _)| *sent != seq);
        self.rtt_us = Some(rtt_us);
        self.misses = 0;
        self.missed.clear();
        self.last_heard = Some(at);
        self.ping(Ping { at, rtt_us: Some(rtt_us) });
    }

    fn missed(&mut self, mut miss: Miss) {
        let sent = self.in_flight.iter().position(|(sent, _)| *sent == miss.seq);
        miss.sent_at = sent.map(|place| self.in_flight.remove(place).1);
        self.misses = miss.misses;
        self.limit = miss.limit;
        if miss.misses == 1 {
            self.missed.clear();
        }
        if self.missed.len() == MISSES_MAX {
            self.missed.remove(0);
        }
        self.missed.push(miss);
        self.ping(Ping { at: miss.missed_at, rtt_us: None });
    }
}

/// The event as it is kept: nobody asks whom else a refusal named.
fn without_list(event: &LinkEvent) -> LinkEvent {
    match event {
        LinkEvent::Refused { peer, by, reason, referral: _ } => {
            LinkEvent::Refused { peer: *peer, by: *by, reason: *reason, referral: Vec::new() }
        }
        other => other.clone(),
    }
}

pub fn first_sent(missed: &[Miss]) -> Option<Time> {
    missed.first().map(|miss| miss.sent_at.unwrap_or(miss.missed_at))
}

#[derive(Debug, Clone, Default)]
pub struct LinkTable {
    rows: Map<LinkKey, LinkHistory>,
    ended: VecDeque<(LinkKey, Time)>,
    /// The nodes to which each node of ours has a link, or which it dials.
    open: Map<Addr, Set<Addr>>,
}

impl LinkTable {
    pub fn get(&self, node: Addr, peer: Addr) -> Option<&LinkHistory> {
        self.rows.get(&LinkKey { node, peer })
    }

    /// All rows, ended ones included, in no stable order.
    pub fn iter(&self) -> impl Iterator<Item = &LinkHistory> {
        self.rows.values()
    }

    pub fn up(&self) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(|link| link.is_up())
    }

    /// The rows of one node of ours.
    pub fn of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(move |link| link.key.node == node)
    }

    /// The rows of links that this node of ours has now, or dials.
    pub fn open_of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        let peers = self.open.get(&node).into_iter().flatten();
        peers.filter_map(move |peer| self.get(node, *peer))
    }

    /// The registrations with this seed that are up, as our peers see them.
    pub fn registered_with(&self, seed: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.up().filter(move |link| link.purpose == Purpose::Registration && link.key.peer == seed)
    }

    /// The rows with this node at either end.
    pub fn touching(&self, addr: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(move |link| link.key.node == addr || link.key.peer == addr)
    }

    pub(super) fn dialing(&mut self, key: LinkKey, purpose: Purpose, at: Time, event: &LinkEvent) {
        let link = self.row(key, purpose, at);
        if !link.is_up() {
            link.direction = Direction::Outbound;
            link.purpose = purpose;
            link.enter(LinkState::Dialing, at);
        }
        link.told(at, event);
        self.open.entry(key.node).or_default().insert(key.peer);
    }

    /// Nothing was heard on a connection, which is kept.
    pub(super) fn parked(&mut self, key: LinkKey, at: Time, event: &LinkEvent) {
        let link = self.row(key, Purpose::Neighbor, at);
        link.told(at, event);
        if !link.is_up() {
            link.enter(LinkState::Parked, at);
            self.open.entry(key.node).or_default().insert(key.peer);
        }
    }

    /// Something kept a link from coming up.
    pub(super) fn failed(&mut self, key: LinkKey, purpose: Purpose, at: Time, event: &LinkEvent) {
        let link = self.row(key, purpose, at);
        link.told(at, event);
        if !link.is_up() {
            link.enter(LinkState::Ended, at);
            self.retire(key, at);
        }
    }

    /// A dial of this node of ours ended; nothing happens if it had none.
    pub(super) fn dial_ended(&mut self, key: LinkKey, at: Time, event: &LinkEvent) {
        let dialing = |link: &&LinkHistory| matches!(link.state, LinkState::Dialing | LinkState::Parked);
        if let Some(purpose) = self.rows.get(&key).filter(dialing).map(|link| link.purpose) {
            self.failed(key, purpose, at, event);
        }
    }

    /// A connection came up. Returns whether this brought the link up.
    pub(super) fn came_up(&mut self, node: Addr, at: Time, event: &LinkEvent) -> bool {
        let LinkEvent::Up { link, peer, direction, purpose, .. } = *event else { return false };
        let row = self.row(LinkKey { node, peer }, purpose, at);
        let is_new = !row.is_up();
        row.purpose = purpose;
        row.came_up(link, direction, at);
        row.told(at, event);
        self.open.entry(node).or_default().insert(peer);
        is_new
    }

    /// A connection ended. Returns whether this took the link down.
    pub(super) fn went_down(&mut self, node: Addr, at: Time, event: &LinkEvent) -> bool {
        let LinkEvent::Down { link, peer, purpose, .. } = *event else { return false };
        let key = LinkKey { node, peer };
        let row = self.row(key, purpose, at);
        let was_up = row.is_up();
        row.went_down(link, at);
        row.told(at, event);
        if row.is_up() {
            return false;
        }
        self.retire(key, at);
        was_up
    }

    /// The other end dropped the link to a hung node of ours, which cannot tell. Returns the link's
    /// purpose if it was up.
    pub(super) fn dropped(&mut self, key: LinkKey, at: Time) -> Option<Purpose> {
        let link = self.rows.get_mut(&key).filter(|link| link.is_up())?;
        let purpose = link.purpose;
        link.connections.clear();
        link.enter(LinkState::Ended, at);
        link.note(at, StepKind::Dropped);
        self.retire(key, at);
        Some(purpose)
    }

    /// A node of ours stopped or restarts, and all its links are gone. Returns their keys.
    pub(super) fn cleared(&mut self, node: Addr, at: Time) -> Vec<LinkKey> {
        let peers = self.open.get(&node).into_iter().flatten();
        let gone: Vec<_> = peers.map(|peer| LinkKey { node, peer: *peer }).collect();
        let up = gone.iter().copied().filter(|key| self.rows.get(key).is_some_and(LinkHistory::is_up)).collect();
        for key in gone {
            if let Some(link) = self.rows.get_mut(&key) {
                link.connections.clear();
                link.enter(LinkState::Ended, at);
                link.note(at, StepKind::NodeStopped);
            }
            self.retire(key, at);
        }
        up
    }

    pub(super) fn heard(&mut self, key: LinkKey, at: Time) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.last_heard = Some(at);
        }
    }

    pub(super) fn probed(&mut self, key: LinkKey, seq: ProbeSeq, at: Time) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.probed(seq, at);
        }
    }

    pub(super) fn answered(&mut self, key: LinkKey, seq: ProbeSeq, rtt_us: u64, at: Time) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.answered(seq, rtt_us, at);
        }
    }

    pub(super) fn missed(&mut self, key: LinkKey, miss: Miss) {
        if let Some(link) = self.rows.get_mut(&key) {
            link.missed(miss);
        }
    }

    fn row(&mut self, key: LinkKey, purpose: Purpose, at: Time) -> &mut LinkHistory {
        self.rows.entry(key).or_insert_with(|| LinkHistory::new(key, purpose, at))
    }

    /// Marks an ended row to be forgotten, and forgets the one that ended longest ago if there are
    /// too many.
    fn retire(&mut self, key: LinkKey, at: Time) {
        if let Some(open) = self.open.get_mut(&key.node) {
            open.swap_remove(&key.peer);
        }
        self.ended.push_back((key, at));
        while self.ended.len() > ENDED_MAX {
            let Some((key, ended_at)) = self.ended.pop_front() else { return };
            let same = |link: &LinkHistory| {
                link.state == LinkState::Ended && link.history.back().is_none_or(|s| s.at == ended_at)
            };
            if self.rows.get(&key).is_some_and(same) {
                self.rows.swap_remove(&key);
            }
        }
    }
}
