//! The gossip log: the messages line by line, and the events that a reader expects between them.

use std::collections::VecDeque;

use super::ring::Ring;
use super::rumor::BODIES_LEN_MAX;
use super::sentence::{NameOf, action_text, end_text};
use super::words::count_text;
use crate::event::{Direction, LinkEnd, Purpose, ReportAction, Stop};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, MessageId, ProbeSeq};
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Lines that are kept: an hour of a lab; 3 MB at about 150 bytes each.
pub const ENTRIES_MAX: usize = 20_000;

/// A line of the gossip log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipEntry {
    pub at: Time,
    pub node: Addr,
    pub what: EntryKind,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A message began here.
    Generated {
        id: MessageId,
        body: Body,
        /// Neighbors that it was sent to.
        forwarded: usize,
    },
    /// A message was seen here for the first time.
    Received {
        id: MessageId,
        from: Addr,
        body: Body,
        /// Links that it had crossed, if known.
        hop: Option<u16>,
        /// Neighbors that it was forwarded to.
        forwarded: usize,
        /// Copies that came later.
        duplicates: u32,
    },
    ProbeMissed {
        peer: Addr,
        seq: ProbeSeq,
        /// Misses in a row.
        misses: u32,
        /// Misses at which the neighbor is dead.
        limit: u32,
    },
    Died {
        peer: Addr,
        cause: DeathCause,
    },
    ReportSent {
        dead: Addr,
        seeds: usize,
    },
    ReportReceived {
        dead: Addr,
        reporter: Addr,
        action: ReportAction,
    },
    /// A seed found the reported node alive.
    Disputed {
        /// The node that is alive.
        dead: Addr,
        /// Whose report was wrong.
        reporter: Addr,
    },
    LinkUp {
        peer: Addr,
        /// Who dialed.
        direction: Direction,
        purpose: Purpose,
    },
    LinkDown {
        peer: Addr,
        end: LinkEnd,
    },
    /// A node of ours runs.
    Started,
    /// A node of ours fell silent.
    Hung,
    Stopped {
        how: Stop,
    },
}

impl GossipEntry {
    /// The node at the other end, if any.
    pub fn peer(&self) -> Option<Addr> {
        match &self.what {
            EntryKind::Received { from: peer, .. }
            | EntryKind::ProbeMissed { peer, .. }
            | EntryKind::Died { peer, .. }
            | EntryKind::ReportSent { dead: peer, .. }
            | EntryKind::ReportReceived { dead: peer, .. }
            | EntryKind::Disputed { dead: peer, .. }
            | EntryKind::LinkUp { peer, .. }
            | EntryKind::LinkDown { peer, .. } => Some(*peer),
            EntryKind::Generated { .. } | EntryKind::Started | EntryKind::Hung | EntryKind::Stopped { .. } => None,
        }
    }

    /// The message that the line is about, if any.
    pub fn message(&self) -> Option<MessageId> {
        self.gossip().map(|(id, _)| id)
    }

    /// The text of that message.
    pub fn body(&self) -> Option<&Body> {
        self.gossip().map(|(_, body)| body)
    }

    fn gossip(&self) -> Option<(MessageId, &Body)> {
        match &self.what {
            EntryKind::Generated { id, body, .. } | EntryKind::Received { id, body, .. } => Some((*id, body)),
            EntryKind::ProbeMissed { .. }
            | EntryKind::Died { .. }
            | EntryKind::ReportSent { .. }
            | EntryKind::ReportReceived { .. }
            | EntryKind::Disputed { .. }
            | EntryKind::LinkUp { .. }
            | EntryKind::LinkDown { .. }
            | EntryKind::Started
            | EntryKind::Hung
            | EntryKind::Stopped { .. } => None,
        }
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
    if let Some(GossipEntry { what: EntryKind::Received { duplicates, .. }, .. }) = log.get_mut(number) {
        *duplicates = duplicates.saturating_add(1);
    }
}

/// A line as text, without its time: who, to or from whom, what. This is what the filter searches.
pub(super) fn text(entry: &GossipEntry, name: NameOf<'_>) -> String {
    let node = name(entry.node);
    match &entry.what {
        EntryKind::Generated { id, body, .. } => {
            format!("{node} GOSSIP {}{id} new \"{body}\"", name(id.origin))
        }
        EntryKind::Received { id, from, body, hop, duplicates, .. } => {
            let hop = hop.map_or_else(|| "hop ?".to_owned(), |hop| format!("hop {hop}"));
            let copies = if *duplicates > 0 { format!(" dup x{duplicates}") } else { String::new() };
            format!("{} > {node} GOSSIP {}{id} {hop}{copies} \"{body}\"", name(*from), name(id.origin))
        }
        EntryKind::ProbeMissed { peer, seq, misses, limit } => {
            format!("{node} > {} PROBE {seq} no answer ({misses}/{limit})", name(*peer))
        }
        EntryKind::Died { peer, cause } => format!("{node} DEAD {} {cause}", name(*peer)),
        EntryKind::ReportSent { dead, seeds } => {
            format!("{node} REPORT {} dead, to {}", name(*dead), count_text(*seeds as u64, "seed"))
        }
        EntryKind::ReportReceived { dead, reporter, action } => {
            format!("{} > {node} REPORT {} dead: {}", name(*reporter), name(*dead), action_text(*action))
        }
        EntryKind::Disputed { dead, reporter } => {
            format!("{node} DISPUTED {} is alive, {} was wrong", name(*dead), name(*reporter))
        }
        EntryKind::LinkUp { peer, direction: Direction::Outbound, .. } => format!("{node} > {} LINK up", name(*peer)),
        EntryKind::LinkUp { peer, direction: Direction::Inbound, .. } => format!("{} > {node} LINK up", name(*peer)),
        EntryKind::LinkDown { peer, end } => format!("{node} - {} LINK down: {}", name(*peer), end_text(*end)),
        EntryKind::Started => format!("{node} STARTED"),
        EntryKind::Hung => format!("{node} HUNG"),
        EntryKind::Stopped { how: Stop::Left } => format!("{node} LEFT"),
        EntryKind::Stopped { how: Stop::Killed } => format!("{node} KILLED"),
    }
}
