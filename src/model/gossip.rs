//! The gossip log: the messages line by line, and the events that a reader expects between them.

use std::collections::VecDeque;

use super::ring::Ring;
use super::rumor::BODIES_LEN_MAX;
use super::words::{GossipLine, NameOf, Receipt, gossip_line};
use crate::event::EventKind;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Lines that are kept: an hour of a lab; 3 MB at about 150 bytes each.
pub const ENTRIES_MAX: usize = 20_000;

/// A line of the gossip log: an event, and what is counted up later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipEntry {
    pub at: Time,
    pub node: Addr,
    pub kind: EventKind,
    pub receipt: Receipt,
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
        gossip_line(&self.kind, self.node, self.receipt, name)
    }
}

/// The log: see [`Ring`] for its numbers.
pub type GossipLog = Ring<GossipEntry>;

/// The bodies that the log holds, ordered by the line that first told them; later lines of a
/// message share its body.
#[derive(Debug, Clone, Default)]
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

/// Counts another copy of the message whose first receipt this line tells.
pub(super) fn count_duplicate(log: &mut GossipLog, number: u64) {
    if let Some(entry) = log.get_mut(number) {
        entry.receipt.duplicates = entry.receipt.duplicates.saturating_add(1);
    }
}
