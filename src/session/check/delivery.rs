//! Who got which message, and who should have.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::disturbance::Disturbance;
use super::lives::{Holders, Lives};
use super::{Breach, Invariant, REMEMBERED, SETTLE_TIME, SPREAD_TIME};
use crate::event::{Event, EventKind};
use crate::model::Model;
use crate::model::graph::Graph;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// Memory for messages and who has them. Ten minutes of a lively lab of 500 peers fit; what is beyond it is forgotten
/// early, the oldest first, and then not judged.
const HELD_MAX_BYTES: usize = 64 << 20;
/// The least time that events tell apart.
const MOMENT: Duration = Duration::from_micros(1);
/// What a message takes besides the set of those who have it.
const MESSAGE_BYTES: usize = 128;

/// The messages of the last [`REMEMBERED`], and who has them.
#[derive(Debug)]
pub(super) struct Deliveries {
    pub(super) lives: Lives,
    messages: BTreeMap<MessageId, Message>,
    /// When each of them was first seen.
    order: VecDeque<(Time, MessageId)>,
    /// Messages that have not had their time yet.
    open: VecDeque<(Time, MessageId)>,
    /// What they take of memory, and may take.
    held_bytes: usize,
    held_max_bytes: usize,
    /// The overlay that was judged by last, while it stays the same.
    last: Option<(u64, Arc<Graph>)>,
}

/// A message that is held.
#[derive(Debug, Default)]
struct Message {
    holders: Holders,
    tale: Tale,
}

/// What was told of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tale {
    /// Not how it began.
    #[default]
    Partial,
    /// All of it: who lacks it can be judged.
    Whole,
    /// It began in two lives of its origin. So nobody can tell which of the two a node has: in the classic dialect a
    /// restarted node begins with the same texts, and both may fall into one second.
    Ambiguous,
}

impl Tale {
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
        let (lives, messages) = (Lives::default(), BTreeMap::new());
        Self { lives, messages, order, open, held_bytes: 0, held_max_bytes, last: None }
    }

    /// Takes an event in; a breach if it is a second delivery.
    pub(super) fn take(&mut self, event: &Event) -> Option<Breach> {
        if let EventKind::Generated { id, .. } | EventKind::Received { id, .. } = event.kind {
            let begins = matches!(event.kind, EventKind::Generated { .. });
            if begins {
                self.open.push_back((event.at, id));
            }
            let is_first = self.deliver(event, id, begins);
            self.make_room();
            let rule = Invariant::DeliveredTwice { id };
            return (!is_first).then_some(Breach { at: event.at, node: event.node, rule });
        }
        if matches!(event.kind, EventKind::Started { .. }) {
            // A new life remembers nothing.
            self.lives.begin(event.at, event.node);
        }
        None
    }

    /// Whether the node did not have the message, or nobody can tell.
    fn deliver(&mut self, event: &Event, id: MessageId, begins: bool) -> bool {
        let number = self.lives.number(event.at, event.node);
        let message = self.messages.entry(id).or_insert_with(|| {
            self.order.push_back((event.at, id));
            self.held_bytes += MESSAGE_BYTES;
            Message::default()
        });
        let before = message.holders.bytes();
        let is_first = message.holders.insert(number);
        self.held_bytes += message.holders.bytes() - before;
        if begins {
            message.tale = message.tale.begun_again(is_first);
        }
        is_first || message.tale == Tale::Ambiguous
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
        while let Some((began, id)) = self.open.front().copied().filter(|(began, _)| now.since(*began) > SPREAD_TIME) {
            self.open.pop_front();
            if !disturbance.was_since(began, SETTLE_TIME) {
                found.extend(self.undelivered(model, began, id));
            }
        }
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > REMEMBERED) {
            self.forget_oldest();
        }
        found
    }

    fn undelivered(&mut self, model: &Model, began: Time, id: MessageId) -> Vec<Breach> {
        let overlay = self.overlay(model, began);
        let Some(message) = self.messages.get(&id).filter(|message| message.tale == Tale::Whole) else {
            return Vec::new();
        };
        let has = |node: Addr| self.lives.find(node).is_some_and(|number| message.holders.contains(number));
        let lacking = overlay.distances(id.origin).into_iter().map(|(node, _)| node).filter(|node| !has(*node));
        lacking.map(|node| Breach { at: began, node, rule: Invariant::Undelivered { id } }).collect()
    }

    /// The links between nodes told of here that stood while a message spread. While nothing changes, it
    /// is the same for one message after the other.
    fn overlay(&mut self, model: &Model, began: Time) -> Arc<Graph> {
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
        let overlay = model.overlay_throughout(began - MOMENT, began + SPREAD_TIME);
        let graph = Arc::new(overlay.graph.only(|node| !overlay.elsewhere.contains(&node), |_, _| true));
        if is_quiet {
            self.last = Some((version, Arc::clone(&graph)));
        }
        graph
    }
}
