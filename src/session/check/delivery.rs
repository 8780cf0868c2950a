//! Who got which message, and who should have.

use std::collections::VecDeque;
use std::time::Duration;

use super::disturbance::Disturbance;
use super::lives::{Holders, LifeNumbers};
use super::network::{NetworkState, Part};
use super::{Breach, Invariant, REMEMBERED, SETTLE_TIME, SPREAD_TIME};
use crate::event::{Event, EventKind, GossipEvent, NodeEvent};
use crate::model::FastHashMap;
use crate::proto::message::MessageId;
use crate::proto::pacing::CLASSIC_WRITE_GAP;
use crate::proto::time::Time;

/// Memory for messages and who has them. Ten minutes of a lively lab of 500 peers fit; beyond that,
/// the oldest are forgotten early and not judged.
const HELD_MAX_BYTES: usize = 64 << 20;
/// How long a classic message may keep a link busy: its write gap, and as much again for the probes
/// that go before it.
const CLASSIC_BUSY: Duration = CLASSIC_WRITE_GAP.saturating_mul(2);
/// What a message takes besides the set of its holders.
const MESSAGE_BYTES: usize = 128;

/// The messages of the last [`REMEMBERED`], and who has them.
#[derive(Debug)]
pub(super) struct Deliveries {
    pub(super) lives: LifeNumbers,
    messages: FastHashMap<MessageId, HeldMessage>,
    /// When each of them was first seen.
    order: VecDeque<(Time, MessageId)>,
    /// Messages that have not had their time yet.
    open: VecDeque<SpreadingMessage>,
    /// How long one message may keep a link busy; zero unless there are write gaps.
    busy: Duration,
    /// When a link that carries all messages, one after the other, is free again.
    free_at: Time,
    /// Messages that were seen so far.
    seen: u32,
    /// Memory that they take, and the limit.
    held_bytes: usize,
    held_max_bytes: usize,
    /// The part of the overlay that was used last and the network's version, for as long as nothing
    /// changes.
    last: Option<(u64, Part)>,
}

#[derive(Debug, Clone, Copy)]
struct SpreadingMessage {
    id: MessageId,
    began: Time,
    /// How long the messages before it keep a link busy, itself included.
    waits: Duration,
    /// Messages that had been seen then, itself included.
    seen: u32,
}

/// A message that is held.
#[derive(Debug, Default)]
struct HeldMessage {
    holders: Holders,
    completeness: Completeness,
}

/// What is known of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    /// How it began was not seen.
    #[default]
    Partial,
    /// Everything: who lacks it can be judged.
    Whole,
    /// It began in two lives of its origin, so nobody can tell which of the two a node has: in the
    /// classic dialect a restarted node begins with the same texts, and both may fall into one
    /// second.
    Ambiguous,
}

impl Completeness {
    /// The message begins, in a life that did not have it or in one that did.
    const fn begun_again(self, is_first: bool) -> Self {
        match self {
            Self::Partial => Self::Whole,
            Self::Whole if is_first => Self::Ambiguous,
            Self::Whole | Self::Ambiguous => self,
        }
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        Self::within(HELD_MAX_BYTES)
    }
}

impl Deliveries {
    /// With this much memory for messages.
    pub(super) fn within(held_max_bytes: usize) -> Self {
        let (order, open) = (VecDeque::new(), VecDeque::new());
        let (lives, messages) = (LifeNumbers::default(), FastHashMap::default());
        let (busy, free_at, seen) = (Duration::ZERO, Time::from_micros(0), 0);
        Self { lives, messages, order, open, busy, free_at, seen, held_bytes: 0, held_max_bytes, last: None }
    }

    /// Takes an event; returns a breach if it is a second delivery.
    pub(super) fn take(&mut self, event: &Event) -> Option<Breach> {
        if let EventKind::Gossip(GossipEvent::Generated { id, .. } | GossipEvent::Received { id, .. }) = event.kind {
            let begins = matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
            let is_first = self.deliver(event, id, begins);
            if begins {
                let (began, waits) = (event.at, self.free_at.since(event.at));
                self.open.push_back(SpreadingMessage { id, began, waits, seen: self.seen });
            }
            self.make_room();
            let rule = Invariant::DeliveredTwice { id };
            return (!is_first).then_some(Breach { at: event.at, node: event.node, rule });
        }
        if let EventKind::Node(NodeEvent::Started { dialect, .. }) = event.kind {
            if dialect.writes_apart() {
                self.busy = CLASSIC_BUSY;
            }
            // A new life remembers nothing.
            self.lives.begin(event.at, event.node);
        }
        None
    }

    /// When everyone should have the message. Where links are slow it may wait for all those before
    /// it, and at the next node for those that began since. A message that is forgotten by then is
    /// not judged.
    fn due(&self, open: SpreadingMessage) -> Time {
        let since = self.busy.saturating_mul(self.seen.saturating_sub(open.seen));
        open.began + SPREAD_TIME + open.waits.saturating_add(since).min(REMEMBERED)
    }

    /// Whether the node did not have the message, or nobody can tell.
    fn deliver(&mut self, event: &Event, id: MessageId, begins: bool) -> bool {
        let number = self.lives.number(event.at, event.node);
        let message = self.messages.entry(id).or_insert_with(|| {
            self.order.push_back((event.at, id));
            self.held_bytes += MESSAGE_BYTES;
            self.free_at = self.free_at.max(event.at) + self.busy;
            self.seen = self.seen.saturating_add(1);
            HeldMessage::default()
        });
        let before = message.holders.bytes();
        let is_first = message.holders.insert(number);
        self.held_bytes += message.holders.bytes() - before;
        if begins {
            message.completeness = message.completeness.begun_again(is_first);
        }
        is_first || message.completeness == Completeness::Ambiguous
    }

    fn make_room(&mut self) {
        while self.held_bytes > self.held_max_bytes {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, id)) = self.order.pop_front() else { return };
        if let Some(message) = self.messages.remove(&id) {
            self.held_bytes -= MESSAGE_BYTES + message.holders.bytes();
        }
    }

    /// Some message has had its time.
    pub(super) fn are_due(&self, now: Time) -> bool {
        self.open.front().is_some_and(|open| self.due(*open) < now)
    }

    /// Judges the messages whose time is over. Called before the network changes after that time,
    /// so what was up before a message began was up until its time was over.
    pub(super) fn judge(&mut self, network: &NetworkState, disturbance: &Disturbance, now: Time) -> Vec<Breach> {
        let mut found = Vec::new();
        while let Some(open) = self.open.front().copied().filter(|open| self.due(*open) < now) {
            self.open.pop_front();
            if !disturbance.was_since(open.began, SETTLE_TIME) {
                found.extend(self.undelivered(network, open));
            }
        }
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > REMEMBERED) {
            self.forget_oldest();
        }
        found
    }

    fn undelivered(&mut self, network: &NetworkState, open: SpreadingMessage) -> Vec<Breach> {
        let SpreadingMessage { began, id, .. } = open;
        self.find_part(network, open);
        let Some((_, part)) = &self.last else { return Vec::new() };
        let Some(message) = self.messages.get(&id).filter(|message| message.completeness == Completeness::Whole) else {
            return Vec::new();
        };
        let has = |node| self.lives.find(node).is_some_and(|number| message.holders.contains(number));
        let lacking = part.places().map(|place| network.addr(place)).filter(|node| !has(*node));
        lacking.map(|node| Breach { at: began, node, rule: Invariant::Undelivered { id } }).collect()
    }

    /// Finds the part of the overlay that was up while a message spread. While nothing changes, it
    /// is the same for every message.
    fn find_part(&mut self, network: &NetworkState, SpreadingMessage { began, id, .. }: SpreadingMessage) {
        let is_same = |(version, part): &(u64, Part)| {
            *version == network.version() && network.is_unchanged_since(began) && network.is_in(part, id.origin)
        };
        if !self.last.as_ref().is_some_and(is_same) {
            // A life that ended or began in the same moment is a break, too: there need be no time
            // between two lives.
            self.last = Some((network.version(), network.part_of(id.origin, began)));
        }
    }
}
