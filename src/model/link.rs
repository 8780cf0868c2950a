//! Links: one row for each node of ours and each node that it was ever linked to.

mod table;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

pub use self::table::LinkTable;
use crate::event::{ConnectionId, Direction, LinkEnd, LinkEvent, LinkId, Purpose};
use crate::proto::addr::Addr;
use crate::proto::message::ProbeSeq;
use crate::proto::time::Time;

/// Steps of one link's history that are kept: several reconnects, each a dial, an up and a down.
pub const STEPS_MAX: usize = 24;
/// Probes of one link that are kept for its sparkline: 30 s at one a second.
pub const PINGS_MAX: usize = 30;
/// Misses in a row that are kept as evidence: five times the default limit.
pub const MISSES_MAX: usize = 16;
/// While there are at most this many nodes of ours, the probes of every link are kept for its
/// sparkline: more links than fit on a screen of any size. Of more nodes those of a link are kept once
/// something happened to it: a step after it came up, or a miss.
pub const WATCHED_NODES_MAX: usize = 1_024;
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
    /// If the link was lost: the probes that had gone unanswered by then.
    missed: Option<MissRow>,
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
    const fn of(at: Time, event: LinkEvent) -> Self {
        Self::new(at, StepKind::Told(event))
    }

    const fn new(at: Time, what: StepKind) -> Self {
        Self { at, what, missed: None }
    }

    /// If the link was lost with this step: the probes that had gone unanswered in a row by then, oldest first.
    pub fn missed(&self) -> &[Miss] {
        self.missed.as_deref().map_or(&[], Vec::as_slice)
    }

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

/// Copies of messages, by whether the node had the message already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyCounts {
    pub first: u32,
    pub further: u32,
}

/// What a copy was to the node that received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyOrder {
    First,
    Further,
}

/// One row: a link as a node of ours has seen it. Of every link totals and its state are kept, of
/// one to which something happened also its steps: see [`LinkHistory::steps`].
#[derive(Debug, Clone, PartialEq)]
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
    /// When that answer came.
    answered_at: Option<Time>,
    /// Copies of messages that came over it since the session began.
    pub copies: CopyCounts,
    /// Misses in a row now.
    pub misses: u32,
    /// Misses at which the neighbor is dead; 0 until one is missed.
    pub limit: u32,
    pub last_heard: Option<Time>,
    missed: Option<MissRow>,
    in_flight: SmallVec<[(ProbeSeq, Time); 2]>,
    pings: VecDeque<Ping>,
    /// Of a link that came up and to which nothing else happened: when it was dialed, and its
    /// connection.
    dialed: Option<Time>,
    connection: Option<ConnectionId>,
    /// The latest line of the gossip log in which its node tells of it.
    pub(super) line: Option<u64>,
    past: Option<Box<LinkPast>>,
}

/// Unanswered probes in a row, oldest first. Stored once: the link and the evidence of a death hold
/// the same.
pub(super) type MissRow = Arc<Vec<Miss>>;

/// What happened to a link, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
struct LinkPast {
    steps: VecDeque<LinkStep>,
    /// Steps that are no longer held.
    forgotten: u64,
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
            answered_at: None,
            copies: CopyCounts::default(),
            misses: 0,
            limit: 0,
            last_heard: None,
            missed: None,
            in_flight: SmallVec::new(),
            pings: VecDeque::new(),
            dialed: None,
            connection: None,
            line: None,
            past: None,
        }
    }

    /// The steps that are held, oldest first. None of a link that came up and to which nothing else
    /// happened: those are [`LinkHistory::quiet_steps`].
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &LinkStep> + Clone {
        self.past.iter().flat_map(|past| &past.steps)
    }

    /// How a link came up to which nothing happened since.
    pub fn quiet_steps(&self) -> Vec<LinkStep> {
        if self.past.is_some() {
            return Vec::new();
        }
        let (peer, purpose, direction) = (self.key.peer, self.purpose, self.direction);
        let up = self.connections.first().map(|link| {
            LinkStep::of(
                self.since,
                LinkEvent::Up { link: *link, connection: self.connection, peer, direction, purpose },
            )
        });
        let dialed = self.dialed.map(|at| LinkStep::of(at, LinkEvent::Dialing { peer, purpose, repair: None }));
        dialed.into_iter().chain(up).collect()
    }

    /// Steps that are no longer held.
    pub fn forgotten(&self) -> u64 {
        self.past.as_ref().map_or(0, |past| past.forgotten)
    }

    /// The current misses in a row, oldest first.
    pub fn missed(&self) -> &[Miss] {
        self.missed.as_deref().map_or(&[], Vec::as_slice)
    }

    pub(super) fn missed_row(&self) -> Option<MissRow> {
        self.missed.clone()
    }

    /// The outcomes of the latest probes, oldest first.
    pub fn pings(&self) -> impl Iterator<Item = Ping> {
        self.pings.iter().copied()
    }

    pub fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// It is up, and no registration.
    pub fn is_neighbor(&self) -> bool {
        self.is_up() && self.purpose == Purpose::Neighbor
    }

    /// When it last came up before this time, as far as its history reaches.
    pub fn came_up_before(&self, at: Time) -> Option<Time> {
        self.steps().rev().find(|step| step.is_up() && step.at < at).map(|step| step.at)
    }

    /// Whether it was up at this time, as far as its history reaches.
    pub fn was_up_at(&self, at: Time) -> bool {
        let earlier = self.steps().rev().filter(|step| step.at <= at);
        let turn = earlier.filter(|step| step.is_up() || step.is_loss()).map(LinkStep::is_up).next();
        // Before the oldest step that is held, a link that is up and shows no other step was up.
        turn.unwrap_or(self.is_up() && self.since <= at)
    }

    /// If it was up at this time: when it had come up.
    pub fn up_since(&self, at: Time) -> Option<Time> {
        let came_up = self.steps().rev().find(|step| step.is_up() && step.at <= at);
        self.was_up_at(at).then(|| came_up.map_or(self.since, |step| step.at))
    }

    /// Outcomes of the probes of the last `span`, oldest first.
    pub fn pings_since(&self, now: Time, span: Duration) -> impl Iterator<Item = Ping> {
        self.pings().filter(move |ping| now.since(ping.at) <= span)
    }

    fn told(&mut self, at: Time, event: &LinkEvent) {
        self.note(LinkStep::of(at, without_list(event)));
    }

    fn note(&mut self, mut step: LinkStep) {
        if step.is_loss() {
            step.missed.clone_from(&self.missed);
        }
        if self.past.is_none() {
            let steps = self.quiet_steps().into();
            self.past = Some(Box::new(LinkPast { steps, forgotten: 0 }));
        }
        let Some(past) = &mut self.past else { return };
        if past.steps.len() == STEPS_MAX {
            past.steps.pop_front();
            past.forgotten += 1;
        }
        past.steps.push_back(step);
    }

    /// Nothing happened to it yet but that it was dialed, if it was. When, is then all that its first
    /// connection leaves of its past.
    fn comes_up_quietly(&mut self) -> bool {
        let Some(past) = &self.past else { return !self.is_up() };
        let [LinkStep { at, what: StepKind::Told(LinkEvent::Dialing { .. }), .. }] = past.steps.as_slices().0 else {
            return false;
        };
        let is_all = past.steps.len() == 1 && past.forgotten == 0 && !self.is_up();
        if is_all {
            self.dialed = Some(*at);
            self.past = None;
        }
        is_all
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
            self.missed = None;
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

    fn ping(&mut self, ping: Ping, is_watched: bool) {
        let is_event = self.past.is_some() || !self.pings.is_empty() || ping.rtt_us.is_none();
        if !is_watched && !is_event {
            return;
        }
        if self.pings.len() == PINGS_MAX {
            self.pings.pop_front();
        }
        self.pings.push_back(ping);
    }

    /// When the newest answered probe was answered, and its round-trip time in microseconds. Of all
    /// links to a node, the newest of these is the node's round-trip time.
    pub fn answer(&self) -> Option<(Time, u64)> {
        self.answered_at.zip(self.rtt_us)
    }

    fn probed(&mut self, seq: ProbeSeq, at: Time) {
        if self.in_flight.len() == IN_FLIGHT_MAX {
            self.in_flight.remove(0);
        }
        self.in_flight.push((seq, at));
    }

    fn answered(&mut self, seq: ProbeSeq, rtt_us: u64, at: Time, is_watched: bool) {
        self.in_flight.retain(|(sent, _)| *sent != seq);
        (self.rtt_us, self.answered_at) = (Some(rtt_us), Some(at));
        self.misses = 0;
        self.missed = None;
        self.last_heard = Some(at);
        self.ping(Ping { at, rtt_us: Some(rtt_us) }, is_watched);
    }

    fn miss(&mut self, mut miss: Miss, is_watched: bool) {
        let sent = self.in_flight.iter().position(|(sent, _)| *sent == miss.seq);
        miss.sent_at = sent.map(|place| self.in_flight.remove(place).1);
        self.misses = miss.misses;
        self.limit = miss.limit;
        self.ping(Ping { at: miss.missed_at, rtt_us: None }, is_watched);
        if miss.misses == 1 {
            self.missed = None;
        }
        let missed = Arc::make_mut(self.missed.get_or_insert_default());
        if missed.len() == MISSES_MAX {
            missed.remove(0);
        }
        missed.push(miss);
    }
}

/// The event as it is kept: nobody asks whom else a refusal named.
fn without_list(event: &LinkEvent) -> LinkEvent {
    match event {
        LinkEvent::Refused { peer, by, reason, connection, referral: _ } => {
            LinkEvent::Refused { connection: *connection, peer: *peer, by: *by, reason: *reason, referral: Vec::new() }
        }
        other => other.clone(),
    }
}

pub fn first_sent(missed: &[Miss]) -> Option<Time> {
    missed.first().map(|miss| miss.sent_at.unwrap_or(miss.missed_at))
}
