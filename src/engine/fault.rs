//! What faults do to messages: one pure machine that every driver asks.
//!
//! A [`FaultTable`] holds the faults of a session, and is the one place that decides which ones a
//! user can have. [`Faults`] is a driver's end of it: for each message it returns the [`Outcome`].
//! It reads no clock, and what is left to chance is a hash of the fault and of the message: another
//! fault changes nothing about what these do.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod arrivals;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use self::arrivals::Arrivals;
pub use self::table::FaultTable;
pub use crate::event::FaultError;
use crate::proto::addr::Addr;
use crate::proto::chance::Chance;
use crate::proto::fault::{Fault, FaultId, FaultKind, Percent, Scope};
use crate::proto::message::{Message, MessageId};
use crate::proto::time::Time;

/// Bytes of one piece of junk.
const JUNK_LEN: usize = 64;

/// The path of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub from: Addr,
    pub to: Addr,
    /// Which of their connections, as the driver numbers them: only messages on the same one keep
    /// their order.
    pub connection: u64,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It arrives as it would have.
    Now,
    /// It never arrives, because of this fault.
    Lost(FaultId),
    /// It arrives at this time.
    At(Time),
    /// It arrives at this time, and later messages may overtake it.
    Held(Time),
    /// It arrives at this time, twice.
    Twice(Time),
    /// It arrives at this time, twice, and later messages may overtake it.
    HeldTwice(Time),
}

/// The faults in the form that nodes get.
#[derive(Debug, Default)]
pub struct FaultView {
    /// The faults that are set.
    pub table: Arc<FaultTable>,
    /// The nodes of this process, while faults are set: messages between them meet faults where
    /// they arrive.
    pub ours: BTreeSet<Addr>,
}

impl FaultView {
    pub(super) fn new(table: Arc<FaultTable>, nodes: impl Iterator<Item = Addr>) -> Self {
        let ours = if table.is_empty() { BTreeSet::new() } else { nodes.collect() };
        Self { table, ours }
    }
}

/// A driver's end of the faults.
#[derive(Debug)]
pub struct Faults {
    table: Arc<FaultTable>,
    chance: Chance,
    /// What is left to chance for each fault in the table.
    chances: Vec<Chance>,
    arrivals: Arrivals,
    /// When a slow node reads again.
    reads: BTreeMap<Addr, Time>,
    /// There are no faults, and no effects of earlier ones.
    quiet: bool,
}

impl Faults {
    /// No faults; all that is left to chance follows from `chance`.
    pub fn new(chance: Chance) -> Self {
        Self {
            table: Arc::default(),
            chance,
            chances: Vec::new(),
            arrivals: Arrivals::new(),
            reads: BTreeMap::new(),
            quiet: true,
        }
    }

    /// Sets these faults in place of all earlier ones; returns whether anything has changed. The
    /// pauses of slow nodes go on when only the nodes have changed.
    pub fn set(&mut self, table: Arc<FaultTable>) -> bool {
        if table == self.table {
            return false;
        }
        self.table = table;
        self.chances = self.table.iter().map(|fault| self.chance.of(identity(fault))).collect();
        self.reads.clear();
        self.quiet = self.table.is_empty() && self.arrivals.is_empty();
        true
    }

    /// Everything arrives as it would have. While there are no faults, this is the only cost.
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub fn table(&self) -> &FaultTable {
        &self.table
    }

    /// Nothing passes between these two: no message, no dial, and no end of a connection.
    pub fn is_cut(&self, one: Addr, other: Addr) -> bool {
        !self.quiet && self.table.is_cut(one, other)
    }

    /// What becomes of a message that is sent now. `key`: which of the messages on this path it is,
    /// see [`key_of`].
    pub fn outcome(&mut self, now: Time, way: Route, key: u64, message: &Message) -> Outcome {
        if self.quiet {
            return Outcome::Now;
        }
        self.outcome_by_faults(now, way, key, message)
    }

    fn outcome_by_faults(&mut self, now: Time, way: Route, key: u64, message: &Message) -> Outcome {
        let table = Arc::clone(&self.table);
        let (mut due, mut held) = (now, Duration::ZERO);
        let (mut lost_by, mut twice) = (None, false);
        let at_faults = table.numbered().zip(&self.chances);
        for ((id, fault), chance) in at_faults.filter(|((_, fault), _)| fault.on.is_between(way.from, way.to)) {
            let chance = chance.of_node(way.from).of_node(way.to).of(key);
            match fault.what {
                FaultKind::Cut => return Outcome::Lost(id),
                FaultKind::Delay { by_us, jitter_us } => due = due + micros(by_us) + up_to(jitter_us, chance),
                FaultKind::Loss { percent } => {
                    if lost_by.is_none() && happens(percent, chance) {
                        lost_by = Some(id);
                    }
                }
                FaultKind::Duplicate { percent } => twice |= happens(percent, chance),
                FaultKind::Reorder { percent, window_us } => {
                    if happens(percent, chance) {
                        held += up_to(window_us, chance.of(1));
                    }
                }
                FaultKind::Slow { .. } | FaultKind::Skew { .. } | FaultKind::Junk { .. } => {}
            }
        }
        if let Some(fault) = lost_by {
            return Outcome::Lost(fault);
        }
        if begins_a_connection(message) {
            (twice, held) = (false, Duration::ZERO);
        }
        let due = self.in_order(now, way, due);
        match (twice, held.is_zero(), due == now) {
            (true, true, _) => Outcome::Twice(due),
            (true, false, _) => Outcome::HeldTwice(due + held),
            (false, false, _) => Outcome::Held(due + held),
            (false, true, true) => Outcome::Now,
            (false, true, false) => Outcome::At(due),
        }
    }

    /// Not before what was sent earlier.
    fn in_order(&mut self, now: Time, way: Route, due: Time) -> Time {
        let due = self.arrivals.in_order(now, way, due);
        if self.table.is_empty() {
            self.quiet = self.arrivals.are_over(now);
        }
        due
    }

    /// Whether a node may read something now. A slow one waits until the pause after its last read
    /// is over.
    pub fn may_read(&self, node: Addr, now: Time) -> bool {
        self.quiet || self.reads_again(node).is_none_or(|again| again <= now)
    }

    /// A node has read something: if it is slow, a pause begins.
    pub fn has_read(&mut self, node: Addr, now: Time) {
        if !self.quiet
            && let Some(pause) = self.table.pause_of(node)
        {
            self.reads.insert(node, now + pause);
        }
    }

    /// Until when a node reads nothing; `None`: it is not slow, or has read nothing since the
    /// faults changed.
    pub fn reads_again(&self, node: Addr) -> Option<Time> {
        self.reads.get(&node).copied()
    }
}

/// A hello arrives first and once. Otherwise the handshake would fail and no connection would come about; on TCP neither
/// can happen.
const fn begins_a_connection(message: &Message) -> bool {
    matches!(message, Message::Hello(_))
}

fn happens(percent: Percent, chance: Chance) -> bool {
    chance.below(100) < usize::from(percent.get())
}

fn up_to(most_us: u64, chance: Chance) -> Duration {
    micros(chance.number() % most_us.saturating_add(1).max(1))
}

/// Which message this is of all on the same path, if it says so itself: a copy by its id and hop, a
/// probe and its answer by their number.
pub fn key_of(message: &Message) -> Option<u64> {
    let about = Chance::new(0);
    let key = match message {
        Message::Gossip(gossip) => {
            let MessageId { origin, run, seq } = gossip.id;
            let hop = gossip.trace.map_or(0, |trace| trace.hop);
            about.of_node(origin).of(run).of(seq).of(u64::from(hop))
        }
        Message::Probe { seq, .. } => about.of(1).of(*seq),
        Message::ProbeReply { seq, .. } => about.of(2).of(*seq),
        Message::Hello(_)
        | Message::PeerList(_)
        | Message::ListRequest
        | Message::DeadReport { .. }
        | Message::Refusal { .. }
        | Message::Goodbye { .. } => return None,
    };
    Some(key.number())
}

/// The kind of a fault and its place, whichever others there are. Its strength makes no difference:
/// what 20% lose, 30% lose, too.
fn identity(fault: &Fault) -> u64 {
    let kind = Chance::new(fault.what.class() as u64);
    let place = match &fault.on {
        Scope::All => kind,
        Scope::Node(node) => kind.of(1).of_node(*node),
        Scope::Link(one, other) => kind.of(2).of_node(*one).of_node(*other),
        Scope::Border(inside) => inside.iter().fold(kind.of(3), |chance, node| chance.of_node(*node)),
    };
    place.number()
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Bytes that are no message of any dialect: too long a frame, and no text.
pub fn junk(chance: Chance) -> Vec<u8> {
    let mut bytes = vec![0xff; 4];
    bytes.extend((0..JUNK_LEN as u64 / 8).flat_map(|word| chance.of(word).number().to_le_bytes()));
    bytes
}
