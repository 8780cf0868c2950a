//! The gossip log: what was said, line by line, with what else a reader expects between the lines.

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

/// Lines that are kept: an hour of a lab, at about 150 bytes each 3 MB.
pub const ENTRIES_MAX: usize = 20_000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GossipEntry {
    pub at: Time,
    /// At which node.
    pub node: Addr,
    pub what: EntryKind,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A message began its way here.
    Generated {
        id: MessageId,
        /// What it says.
        body: Body,
        /// Neighbors that it was sent to.
        forwarded: usize,
    },
    /// A message was seen here for the first time.
    Received {
        id: MessageId,
        /// The neighbor that sent it.
        from: Addr,
        /// What it says.
        body: Body,
        /// Links that it had crossed, if that is known.
        hop: Option<u16>,
        /// Neighbors that it was sent on to.
        forwarded: usize,
        /// Further copies that came later.
        duplicates: u32,
    },
    /// A probe was not answered in time.
    ProbeMissed {
        /// By whom.
        peer: Addr,
        seq: ProbeSeq,
        /// Misses in a row.
        misses: u32,
        /// So many make it dead.
        limit: u32,
    },
    /// A neighbor was taken for dead.
    Died { peer: Addr, cause: DeathCause },
    /// A death was reported.
    ReportSent {
        /// Who is dead.
        dead: Addr,
        /// To how many seeds the report went.
        seeds: usize,
    },
    /// A seed got a report.
    ReportReceived {
        /// Who is said to be dead.
        dead: Addr,
        /// Who says so.
        reporter: Addr,
        /// What the seed does about it.
        action: ReportAction,
    },
    /// A seed found the reported node alive.
    Disputed {
        /// Who is alive.
        dead: Addr,
        /// Who had said otherwise.
        reporter: Addr,
    },
    /// A link is in use from now on.
    LinkUp {
        /// To whom.
        peer: Addr,
        /// Who dialed.
        direction: Direction,
        /// What for.
        purpose: Purpose,
    },
    /// A link is gone.
    LinkDown {
        /// To whom.
        peer: Addr,
        end: LinkEnd,
    },
    /// A node of ours runs.
    Started,
    /// A node of ours says nothing any more.
    Hung,
    /// A node of ours ended.
    Stopped { how: Stop },
}

impl GossipEntry {
    /// The node at the other end, if there is one.
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

    /// The message that it is about, if it is about one.
    pub fn message(&self) -> Option<MessageId> {
        self.gossip().map(|(id, _)| id)
    }

    /// What that message says.
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

/// The bodies that the log holds, in the order of the lines that told them first: further lines of a message share its
/// body.
#[derive(Debug, Clone, Default)]
pub(super) struct Bodies {
    /// Line and length.
    held: VecDeque<(u64, usize)>,
    len: usize,
}

impl Bodies {
    /// The log has a new body, in this line. The oldest lines go while there is too much of them.
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

/// An empty log.
pub(super) fn empty() -> GossipLog {
    Ring::new(ENTRIES_MAX)
}

/// Another copy of the message that this line tells the first receipt of.
pub(super) fn count_duplicate(log: &mut GossipLog, number: u64) {
    if let Some(GossipEntry { what: EntryKind::Received { duplicates, .. }, .. }) = log.get_mut(number) {
        *duplicates = duplicates.saturating_add(1);
    }
}

/// A line as text, without its time: who, to or from whom, what. It is what a filter looks at.
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
