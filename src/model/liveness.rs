//! The liveness log: every probe and its outcome.

use std::time::Duration;

use super::ring::Ring;
use super::window::Window;
use crate::proto::addr::Addr;
use crate::proto::message::ProbeSeq;
use crate::proto::time::Time;

/// Lines that are kept: the last quarter of an hour of a lab.
pub const PROBES_MAX: usize = 8_192;
/// Seconds over which the share of answered probes is taken.
pub const SHARE_WINDOW_S: usize = 60;

/// A line of the liveness log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEntry {
    pub at: Time,
    pub node: Addr,
    pub peer: Addr,
    pub seq: ProbeSeq,
    pub outcome: ProbeOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    Sent,
    Answered {
        /// Round-trip time in microseconds.
        rtt_us: u64,
    },
    Missed {
        /// Misses in a row.
        misses: u32,
        /// Misses at which the node is dead.
        limit: u32,
        last_heard: Time,
    },
}

/// The log, and the share of probes that were answered lately.
#[derive(Debug, Clone)]
pub struct LivenessLog {
    log: Ring<ProbeEntry>,
    answered: Window,
    missed: Window,
}

impl Default for LivenessLog {
    fn default() -> Self {
        let window = Window::new(SHARE_WINDOW_S, Duration::from_secs(1));
        Self { log: Ring::new(PROBES_MAX), answered: window.clone(), missed: window }
    }
}

impl LivenessLog {
    pub fn log(&self) -> &Ring<ProbeEntry> {
        &self.log
    }

    /// Percent of the last minute's probes that were answered, rounded down; `None` if there were
    /// none.
    pub fn answered_percent(&self, now: Time) -> Option<u8> {
        let (answered, missed) = (self.answered.sum(now), self.missed.sum(now));
        u8::try_from((answered * 100).checked_div(answered + missed)?).ok()
    }

    pub(super) fn note(&mut self, entry: ProbeEntry) {
        match entry.outcome {
            ProbeOutcome::Sent => {}
            ProbeOutcome::Answered { .. } => self.answered.count(entry.at),
            ProbeOutcome::Missed { .. } => self.missed.count(entry.at),
        }
        self.log.push(entry);
    }
}
