//! What faults do to messages: one pure machine that every driver asks.
//!
//! A [`FaultTable`] holds the faults of a session, and is the one place that decides which of them a
//! user can have. [`Faults`] is a driver's end of it: asked for each message, it tells its [`Outcome`].
//! It reads no clock and owns a small random generator, so that the same seed gives the same fates.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod arrivals;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::arrivals::Arrivals;
pub use self::table::{Change, FaultError, FaultTable, Nodes, Standing};
use crate::proto::addr::Addr;
use crate::proto::fault::{FaultKind, Percent};
use crate::proto::random::Random;
use crate::proto::time::Time;

/// Bytes of one helping of junk.
const JUNK_LEN: usize = 64;

/// The way of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Who sends it.
    pub from: Addr,
    /// To whom.
    pub to: Addr,
    /// By which of their connections, as the driver numbers them: only what goes by the same one keeps its
    /// order.
    pub connection: u64,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It arrives as it would have.
    Now,
    /// It never arrives.
    Lost,
    /// It arrives at this time.
    At(Time),
    /// It arrives at this time, and what was sent later may arrive before.
    Held(Time),
    /// It arrives at this time, twice.
    Twice(Time),
}

/// A driver's end of the faults.
#[derive(Debug)]
pub struct Faults {
    table: Arc<FaultTable>,
    random: Random,
    arrivals: Arrivals,
    /// When a slow node reads again.
    reads: BTreeMap<Addr, Time>,
    /// There are no faults, and no effects of earlier ones.
    quiet: bool,
}

impl Faults {
    /// No faults; `seed` decides all that is left to chance.
    pub fn new(seed: u64) -> Self {
        Self {
            table: Arc::default(),
            random: Random::new(seed),
            arrivals: Arrivals::new(),
            reads: BTreeMap::new(),
            quiet: true,
        }
    }

    /// From now on these faults, and no others.
    pub fn set(&mut self, table: Arc<FaultTable>) {
        self.table = table;
        self.reads.clear();
        self.quiet = self.table.is_empty() && self.arrivals.is_empty();
    }

    /// Does everything arrive as it would have? One branch, while there are no faults.
    pub const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The faults.
    pub fn table(&self) -> &FaultTable {
        &self.table
    }

    /// Does nothing pass between these two: no message, no dial, and no end of a connection?
    pub fn is_cut(&self, one: Addr, other: Addr) -> bool {
        !self.quiet && self.table.is_cut(one, other)
    }

    /// What becomes of a message that is sent now.
    pub fn fate(&mut self, now: Time, way: Route) -> Outcome {
        if self.quiet {
            return Outcome::Now;
        }
        self.fate_in_trouble(now, way)
    }

    fn fate_in_trouble(&mut self, now: Time, way: Route) -> Outcome {
        let table = Arc::clone(&self.table);
        let (mut due, mut held) = (now, Duration::ZERO);
        let (mut lost, mut twice) = (false, false);
        for fault in table.iter().filter(|fault| fault.on.is_between(way.from, way.to)) {
            match fault.what {
                FaultKind::Cut => return Outcome::Lost,
                FaultKind::Delay { by_us, jitter_us } => due = due + micros(by_us) + self.up_to(jitter_us),
                FaultKind::Loss { percent } => lost |= self.happens(percent),
                FaultKind::Duplicate { percent } => twice |= self.happens(percent),
                FaultKind::Reorder { percent, window_us } => {
                    if self.happens(percent) {
                        held += self.up_to(window_us);
                    }
                }
                FaultKind::Slow { .. } | FaultKind::Skew { .. } | FaultKind::Junk { .. } => {}
            }
        }
        if lost {
            return Outcome::Lost;
        }
        let due = self.in_order(now, way, due);
        match (twice, held.is_zero(), due == now) {
            (true, _, _) => Outcome::Twice(due),
            (false, false, _) => Outcome::Held(due + held),
            (false, true, true) => Outcome::Now,
            (false, true, false) => Outcome::At(due),
        }
    }

    /// Not before what was sent before it.
    fn in_order(&mut self, now: Time, way: Route, due: Time) -> Time {
        let due = self.arrivals.in_order(now, way, due);
        if self.table.is_empty() {
            self.quiet = self.arrivals.are_over(now);
        }
        due
    }

    /// May a node read something now? If it is slow, not before the pause after the last thing is over.
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

    /// Until when a node reads nothing; `None`: it is not slow, or has read nothing since the faults changed.
    pub fn reads_again(&self, node: Addr) -> Option<Time> {
        self.reads.get(&node).copied()
    }

    fn happens(&mut self, percent: Percent) -> bool {
        self.random.below(100) < usize::from(percent.get())
    }

    fn up_to(&mut self, most_us: u64) -> Duration {
        micros(if most_us == 0 { 0 } else { self.random.number() % (most_us.saturating_add(1)) })
    }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Bytes that are no message of any dialect: too long a frame, and no text.
pub fn junk(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0xff; 4];
    bytes.extend((0..JUNK_LEN / 8).flat_map(|_| random.number().to_le_bytes()));
    bytes
}
