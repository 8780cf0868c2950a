//! The gossip log: a line for each message, link and death, and the events that a reader expects
//! between them.
//!
//! A line stands where its first event came. What comes later is folded into it ([`Folded`]), so the
//! log of a busy network stays readable, and an event costs the same however long the log is.

use std::collections::VecDeque;
use std::time::Duration;

use super::Model;
use super::node::NodeRecords;
use super::ring::Ring;
use super::rumor::{BODIES_LEN_MAX, Counting, Coverage, Rumor};
use super::words::{GossipLine, NameOf, gossip_line, hops_text};
use crate::event::{Event, EventKind};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Lines that are kept: hours of a lab; 3 MB at about 150 bytes each.
pub const ENTRIES_MAX: usize = 20_000;
/// The two ends of a link tell of it within this time: ten times what a crowded loop takes.
pub(super) const BOTH_ENDS: Duration = Duration::from_secs(5);

/// A line of the gossip log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipEntry {
    pub at: Time,
    pub node: Addr,
    /// Its first event.
    pub kind: EventKind,
    pub folded: Folded,
}

/// What a line tells besides its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    Nothing,
    /// What the node at the other end of the link told about the same.
    OtherEnd(Box<Event>),
    /// How far the message came; `None` while the message is held and says so itself.
    Message(Option<Box<Spread>>),
    /// The number of the death's case.
    Death(u64),
}

/// How far a message came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    pub began: Time,
    /// Of the peers of this process.
    pub coverage: Coverage,
    /// Nodes of other processes that have it for certain.
    pub elsewhere: usize,
    /// See [`hops_text`].
    pub hops: Option<String>,
    /// From its beginning to the latest first copy.
    pub took: Duration,
    /// Copies that came, further ones included.
    pub copies: u64,
    /// Neighbors to which it was sent first, by the node of this process where it began.
    pub first_sent_to: u32,
}

impl Model {
    /// How far the message of this line came; `None` if it is about no message. O(nodes).
    pub fn spread(&self, line: &GossipEntry) -> Option<Spread> {
        match &line.folded {
            Folded::Message(Some(spread)) => Some((**spread).clone()),
            Folded::Message(None) => Some(Spread::of(self.rumors.get(line.message()?)?, &self.nodes)),
            Folded::Nothing | Folded::OtherEnd(_) | Folded::Death(_) => None,
        }
    }
}

impl Spread {
    /// O(nodes).
    pub(super) fn of(rumor: &Rumor, nodes: &NodeRecords) -> Self {
        let received = rumor.copies.values().filter(|copy| copy.from.is_some()).count();
        Self {
            began: rumor.began(),
            coverage: rumor.coverage(nodes, Counting::HadTime),
            elsewhere: rumor.elsewhere(nodes).count(),
            hops: hops_text(rumor),
            took: Duration::from_micros(rumor.spread_us()),
            copies: received as u64 + rumor.duplicates,
            first_sent_to: rumor.copies.values().find(|copy| copy.from.is_none()).map_or(0, |copy| copy.forwarded),
        }
    }
}

impl GossipEntry {
    /// The node at the other end, if any.
    pub fn peer(&self) -> Option<Addr> {
        self.kind.subject().peer
    }

    /// The message that the line is about, if any.
    pub fn message(&self) -> Option<MessageId> {
        self.kind.subject().message
    }

    /// The text of that message.
    pub fn body(&self) -> Option<&Body> {
        self.kind.subject().text
    }

    /// In words. `None` cannot happen: every event in the log has a line.
    pub fn line(&self, name: NameOf<'_>) -> Option<GossipLine> {
        gossip_line(&self.kind, self.node, name)
    }
}

/// The log: see [`Ring`] for its numbers.
pub type GossipLog = Ring<GossipEntry>;

/// The bodies that the log holds, ordered by line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Bodies {
    /// Line number and length in bytes.
    held: VecDeque<(u64, usize)>,
    len: usize,
}

impl Bodies {
    /// Notes a new body in this line. While bodies take too much memory, the oldest lines go.
    pub(super) fn hold(&mut self, log: &mut GossipLog, line: u64, len: usize) {
        self.held.push_back((line, len));
        self.len += len;
        while let Some((oldest, len)) = self.held.front().copied()
            && (oldest < log.first() || (self.len > BODIES_LEN_MAX && oldest < line))
        {
            while log.first() <= oldest {
                log.pop();
            }
            self.held.pop_front();
            self.len -= len;
        }
    }
}

pub(super) fn empty() -> GossipLog {
    Ring::new(ENTRIES_MAX)
}
