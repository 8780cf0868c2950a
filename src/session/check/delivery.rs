//! Who got which message, and who should have.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::disturbance::Disturbance;
use super::lives::{Holders, LifeNumbers};
use super::{Breach, Invariant, REMEMBERED, SETTLE_TIME, SPREAD_TIME};
use crate::event::{Event, EventKind};
use crate::model::Model;
use crate::model::graph::Graph;
use crate::proto::addr::Addr;
use crate::proto::message::{Dialect, MessageId};
use crate::proto::pacing::CLASSIC_WRITE_GAP;
use crate::proto::time::Time;

/// Memory for messages and who has them. Ten minutes of a lively lab of 500 peers fit; what is beyond it is forgotten
/// early, the oldest first, and then not judged.
const HELD_MAX_BYTES: usize = 64 << 20;
/// How long a classic message may keep a link busy: its write gap, and as much again for the probes that go before it.
const CLASSIC_BUSY: Duration = CLASSIC_WRITE_GAP.saturating_mul(2);
/// The least time that events tell apart.
const MOMENT: Duration = Duration::from_micros(1);
/// What a message takes besides the set of those who have it.
const MESSAGE_BYTES: usize = 128;

/// The messages of the last [`REMEMBERED`], and who has them.
#[derive(Debug)]
pub(super) struct Deliveries {
    pub(super) lives: LifeNumbers,
    messages: BTreeMap<MessageId, HeldMessage>,
    /// When each of them was first seen.
    order: VecDeque<(Time, MessageId)>,
    /// Messages that have not had their time yet.
    open: VecDeque<SpreadingMessage>,
    /// How long a link may be busy with one message: nothing, unless messages are written apart.
    busy: Duration,
    /// When a link is free again over which all messages go, one after the other.
    free_at: Time,
    /// Messages that were seen so far.
    seen: u32,
    /// What they take of memory, and may take.
    held_bytes: usize,
    held_max_bytes: usize,
    /// The overlay that was judged by last, while it stays the same.
    last: Option<(u64, Arc<Graph>)>,
}

/// A message that spreads.
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

/// What was told of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    /// Not how it began.
    #[default]
    Partial,
    /// All of it: who lacks it can be judged.
    Whole,
    /// It began in two lives of its origin. So nobody can tell which of the two a node has: in the classic dialect a
    /// restarted node begins with the same texts, and both may fall into one second.
    Ambiguous,
}

impl Completeness {
    /// The message begins; in a life that did not have it, or in one that did.
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
    /// With so much memory for what is held.
    pub(super) fn within(held_max_bytes: usize) -> Self {
        let (order, open) = (VecDeque::new(), VecDeque::new());
        let (lives, messages) = (LifeNumbers::default(), BTreeMap::new());
        let (busy, free_at, seen) = (Duration::ZERO, Time::from_micros(0), 0);
        Self { lives, messages, order, open, busy, free_at, seen, held_bytes: 0, held_max_bytes, last: None }
    }

    /// Takes an event in; a breach if it is a second delivery.
    pub(super) fn take(&mut self, event: &Event) -> Option<Breach> {
        if let EventKind::Generated { id, .. } | EventKind::Received { id, .. } = event.kind {
            let begins = matches!(event.kind, EventKind::Generated { .. });
            let is_first = self.deliver(event, id, begins);
            if begins {
                let (began, waits) = (event.at, self.free_at.since(event.at));
                self.open.push_back(SpreadingMessage { id, began, waits, seen: self.seen });
            }
            self.make_room();
            let rule = Invariant::DeliveredTwice { id };
            return (!is_first).then_some(Breach { at: event.at, node: event.node, rule });
        }
        if let EventKind::Started { dialect, .. } = event.kind {
            if dialect == Dialect::Classic {
                self.busy = CLASSIC_BUSY;
            }
            // A new life remembers nothing.
            self.lives.begin(event.at, event.node);
        }
        None
    }

    /// When everyone has a message. Where links are slow it may have to wait for all those before it, and at the next node
    /// for those that began since. Not judged at all is what is forgotten by then.
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

    /// Judges the messages whose time is over.
    pub(super) fn judge(&mut self, model: &Model, disturbance: &Disturbance, now: Time) -> Vec<Breach> {
        let mut found = Vec::new();
        while let Some(open) = self.open.front().copied().filter(|open| self.due(*open) < now) {
            self.open.pop_front();
            if !disturbance.was_since(open.began, SETTLE_TIME) {
                let due = self.due(open);
                found.extend(self.undelivered(model, open, due));
            }
        }
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > REMEMBERED) {
            self.forget_oldest();
        }
        found
    }

    fn undelivered(
        &mut self,
        model: &Model,
        SpreadingMessage { began, id, .. }: SpreadingMessage,
        due: Time,
    ) -> Vec<Breach> {
        let overlay = self.overlay(model, began, due);
        let Some(message) = self.messages.get(&id).filter(|message| message.completeness == Completeness::Whole) else {
            return Vec::new();
        };
        let has = |node: Addr| self.lives.find(node).is_some_and(|number| message.holders.contains(number));
        let lacking = overlay.distances(id.origin).into_iter().map(|(node, _)| node).filter(|node| !has(*node));
        lacking.map(|node| Breach { at: began, node, rule: Invariant::Undelivered { id } }).collect()
    }

    /// The links between nodes told of here that stood while a message spread. While nothing changes, it
    /// is the same for one message after the other.
    fn overlay(&mut self, model: &Model, began: Time, due: Time) -> Arc<Graph> {
        let version = model.changes().version();
        let latest = model.changes().log().last().map(|(_, change)| change.at);
        let is_quiet = latest.is_none_or(|latest| latest < began);
        if let Some((judged, graph)) = &self.last
            && is_quiet
            && *judged == version
        {
            return Arc::clone(graph);
        }
        // A life that ended or began in the same moment is a break, too: between two lives there need be no time.
        let overlay = model.overlay_throughout(began - MOMENT, due);
        let graph = Arc::new(overlay.graph.only(|node| !overlay.elsewhere.contains(&node), |_, _| true));
        if is_quiet {
            self.last = Some((version, Arc::clone(&graph)));
        }
        graph
    }
}
