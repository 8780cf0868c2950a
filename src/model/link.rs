//! The links: one row for each node of ours and each node that it was ever linked to.

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;

use super::{Map, Set};
use crate::event::{Direction, LinkEnd, LinkId, Purpose, Rule, Side};
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, ProbeSeq, RefusalReason};
use crate::proto::time::Time;

/// Rows of links that are not up which are kept, for their history.
pub const ENDED_MAX: usize = 4_096;
/// Steps of one link's history that are kept: some reconnects, each a dial, an up and a down.
pub const STEPS_MAX: usize = 24;
/// Probes of one link that are kept for its sparkline: 30 s at a probe each second.
pub const PINGS_MAX: usize = 30;
/// Misses in a row that are kept as evidence: five times the default limit.
pub const MISSES_MAX: usize = 16;
/// Unanswered probes of one link whose time of sending is remembered.
const IN_FLIGHT_MAX: usize = 4;

/// Which row: a node of ours, and the node at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey {
    /// The node of ours.
    pub node: Addr,
    /// The node at the other end.
    pub peer: Addr,
}

/// Is the link there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Being opened.
    Dialing,
    /// Nothing was heard on it: it is kept, for the day on which the other side accepts.
    Parked,
    /// In use.
    Up,
    /// Gone, or never came about; the history says why.
    Ended,
}

/// What became of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// When that was known.
    pub at: Time,
    /// The round-trip time in microseconds; `None`: no answer.
    pub rtt_us: Option<u64>,
}

/// A probe that was not answered, as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Miss {
    /// Which probe.
    pub seq: ProbeSeq,
    /// When it went out, if that was seen.
    pub sent_at: Option<Time>,
    /// When its time was up.
    pub missed_at: Time,
    /// Misses in a row, this one included.
    pub misses: u32,
    /// So many in a row make the neighbor dead.
    pub limit: u32,
    /// When anything was last heard from it.
    pub last_heard: Time,
}

/// One step of a link's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStep {
    pub at: Time,
    pub what: StepKind,
}

/// What happened to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Our node opened a connection.
    Dialing,
    /// That came to nothing.
    DialFailed {
        /// What the system said.
        error: Box<str>,
        /// Not before this again; `None`: whenever repair comes to it.
        retry_at: Option<Time>,
    },
    Refused {
        /// By whom.
        by: Side,
        reason: RefusalReason,
    },
    /// Nothing was ever heard on it.
    NotAccepted,
    /// It ended before both ends had named themselves.
    HandshakeFailed,
    /// The other end broke the protocol.
    Violation {
        /// What it did.
        rule: Rule,
    },
    /// The other end speaks the other dialect.
    OtherDialect {
        /// What it speaks.
        speaks: Dialect,
    },
    /// In use from now on.
    Up {
        /// Who dialed.
        direction: Direction,
    },
    Down {
        end: LinkEnd,
        /// Since when probes had gone unanswered then, if they had.
        unanswered_since: Option<Time>,
    },
    /// Our node hung, and the node at the other end dropped it.
    Dropped,
    /// Our node stopped or started anew, and its links with it.
    NodeStopped,
}

/// One row.
#[derive(Debug, Clone)]
pub struct LinkHistory {
    /// Which node of ours, and to whom.
    pub key: LinkKey,
    /// What it is for.
    pub purpose: Purpose,
    /// Who dialed, last time.
    pub direction: Direction,
    /// Is it there?
    pub state: LinkState,
    /// Since when it is in that state.
    pub since: Time,
    /// The connections that are up; two between one pair count as one link.
    pub connections: SmallVec<[LinkId; 2]>,
    /// Round-trip time of the last answered probe, in microseconds.
    pub rtt_us: Option<u64>,
    /// What became of the latest probes, oldest first.
    pub pings: VecDeque<Ping>,
    /// Misses in a row now.
    pub misses: u32,
    /// So many make the neighbor dead; 0 while nothing was missed yet.
    pub limit: u32,
    /// The misses in a row now, oldest first.
    pub missed: SmallVec<[Miss; 3]>,
    /// When anything was last heard on it.
    pub last_heard: Option<Time>,
    /// Its history, oldest first.
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

    /// It is in use.
    pub fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// It was in use at this time, as far as its history tells.
    pub fn was_up_at(&self, at: Time) -> bool {
        let turn = self.history.iter().rev().filter(|step| step.at <= at).find_map(|step| match step.what {
            StepKind::Up { .. } => Some(true),
            StepKind::Down { .. } | StepKind::Dropped | StepKind::NodeStopped => Some(false),
            StepKind::Dialing
            | StepKind::DialFailed { .. }
            | StepKind::Refused { .. }
            | StepKind::NotAccepted
            | StepKind::HandshakeFailed
            | StepKind::Violation { .. }
            | StepKind::OtherDialect { .. } => None,
        });
        // Older steps than the history holds: a link that stands and tells nothing else has stood.
        turn.unwrap_or(self.is_up() && self.since <= at)
    }

    /// What became of the probes of the last `span`, oldest first.
    pub fn pings_since(&self, now: Time, span: Duration) -> impl Iterator<Item = Ping> {
        self.pings.iter().copied().filter(move |ping| now.since(ping.at) <= span)
    }

    fn note(&mut self, at: Time, what: StepKind) {
        if self.history.len() == STEPS_MAX {
            self.history.pop_front();
            self.forgotten += 1;
        }
        self.history.push_back(LinkStep { at, what });
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
        self.note(at, StepKind::Up { direction });
    }

    fn went_down(&mut self, link: LinkId, end: LinkEnd, at: Time) {
        self.connections.retain(|connection| *connection != link);
        if self.connections.is_empty() {
            self.enter(LinkState::Ended, at);
        }
        self.note(at, StepKind::Down { end, unanswered_since: first_sent(&self.missed) });
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

/// When the first of these probes went out.
pub fn first_sent(missed: &[Miss]) -> Option<Time> {
    missed.first().map(|miss| miss.sent_at.unwrap_or(miss.missed_at))
}

/// All rows, by key.
#[derive(Debug, Clone, Default)]
pub struct LinkTable {
    rows: Map<LinkKey, LinkHistory>,
    ended: VecDeque<(LinkKey, Time)>,
    /// Whom each node of ours has a link to, or dials.
    open: Map<Addr, Set<Addr>>,
}

impl LinkTable {
    /// The row of this node of ours to that node.
    pub fn get(&self, node: Addr, peer: Addr) -> Option<&LinkHistory> {
        self.rows.get(&LinkKey { node, peer })
    }

    /// All rows, those that ended too, in no order that stays.
    pub fn iter(&self) -> impl Iterator<Item = &LinkHistory> {
        self.rows.values()
    }

    /// The rows that are up.
    pub fn up(&self) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(|link| link.is_up())
    }

    /// The rows of one node of ours.
    pub fn of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(move |link| link.key.node == node)
    }

    /// Those whom this node of ours has a link to now, or dials.
    pub fn open_of(&self, node: Addr) -> impl Iterator<Item = &LinkHistory> {
        let peers = self.open.get(&node).into_iter().flatten();
        peers.filter_map(move |peer| self.get(node, *peer))
    }

    /// The registrations with this seed that are up, as the peers of ours tell it.
    pub fn registered_with(&self, seed: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.up().filter(move |link| link.purpose == Purpose::Registration && link.key.peer == seed)
    }

    /// The rows in which this node is at either end.
    pub fn touching(&self, addr: Addr) -> impl Iterator<Item = &LinkHistory> {
        self.iter().filter(move |link| link.key.node == addr || link.key.peer == addr)
    }

    pub(super) fn dialing(&mut self, key: LinkKey, purpose: Purpose, at: Time) {
        let link = self.row(key, purpose, at);
        if !link.is_up() {
            link.direction = Direction::Outbound;
            link.purpose = purpose;
            link.enter(LinkState::Dialing, at);
        }
        link.note(at, StepKind::Dialing);
        self.open.entry(key.node).or_default().insert(key.peer);
    }

    /// Nothing is heard on a connection, which is kept.
    pub(super) fn parked(&mut self, key: LinkKey, at: Time) {
        let link = self.row(key, Purpose::Neighbor, at);
        link.note(at, StepKind::NotAccepted);
        if !link.is_up() {
            link.enter(LinkState::Parked, at);
            self.open.entry(key.node).or_default().insert(key.peer);
        }
    }

    /// Something kept a link from coming about.
    pub(super) fn failed(&mut self, key: LinkKey, purpose: Purpose, at: Time, why: StepKind) {
        let link = self.row(key, purpose, at);
        link.note(at, why);
        if !link.is_up() {
            link.enter(LinkState::Ended, at);
            self.retire(key, at);
        }
    }

    /// A dial that this node of ours had under way ended so; nothing if it had none.
    pub(super) fn dial_ended(&mut self, key: LinkKey, at: Time, why: StepKind) {
        let dialing = |link: &&LinkHistory| matches!(link.state, LinkState::Dialing | LinkState::Parked);
        if let Some(purpose) = self.rows.get(&key).filter(dialing).map(|link| link.purpose) {
            self.failed(key, purpose, at, why);
        }
    }

    /// A connection came up. Whether the link was not up before.
    pub(super) fn came_up(
        &mut self,
        key: LinkKey,
        link: LinkId,
        direction: Direction,
        purpose: Purpose,
        at: Time,
    ) -> bool {
        let row = self.row(key, purpose, at);
        let is_new = !row.is_up();
        row.purpose = purpose;
        row.came_up(link, direction, at);
        self.open.entry(key.node).or_default().insert(key.peer);
        is_new
    }

    /// A connection went. Whether the link was up before and is not now.
    pub(super) fn went_down(&mut self, key: LinkKey, link: LinkId, purpose: Purpose, end: LinkEnd, at: Time) -> bool {
        let row = self.row(key, purpose, at);
        let was_up = row.is_up();
        row.went_down(link, end, at);
        if row.is_up() {
            return false;
        }
        self.retire(key, at);
        was_up
    }

    /// The other end dropped the link to a node of ours that hangs and will not tell. What it was
    /// for, if it was up.
    pub(super) fn dropped(&mut self, key: LinkKey, at: Time) -> Option<Purpose> {
        let link = self.rows.get_mut(&key).filter(|link| link.is_up())?;
        let purpose = link.purpose;
        link.connections.clear();
        link.enter(LinkState::Ended, at);
        link.note(at, StepKind::Dropped);
        self.retire(key, at);
        Some(purpose)
    }

    /// A node of ours stopped or starts anew: all that it had is gone. The peers it was linked to.
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

    /// Anything was heard on this link.
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

    /// Queues a row that ended to be forgotten, and forgets the one that ended longest ago if
    /// there are too many.
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
