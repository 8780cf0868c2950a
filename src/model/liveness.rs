//! The liveness log: every probe and what became of it.

use std::time::Duration;

use super::ring::Ring;
use super::window::Window;
use crate::proto::addr::Addr;
use crate::proto::message::ProbeSeq;
use crate::proto::time::Time;

/// Lines that are kept: a lab's last quarter of an hour.
pub const PROBES_MAX: usize = 8_192;
/// Seconds over which the share of answered probes is taken.
pub const SHARE_WINDOW_S: usize = 60;

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEntry {
    pub at: Time,
    /// The node that probes.
    pub node: Addr,
    /// The node that is probed.
    pub peer: Addr,
    /// Which probe.
    pub seq: ProbeSeq,
    /// What became of it.
    pub outcome: ProbeOutcome,
}

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It went out.
    Sent,
    /// It was answered.
    Answered {
        /// From probe to answer, in microseconds.
        rtt_us: u64,
    },
    /// It was not answered in time.
    Missed {
        /// Misses in a row.
        misses: u32,
        /// So many make the node dead.
        limit: u32,
        /// When anything was last heard from it.
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
    /// The log.
    pub fn log(&self) -> &Ring<ProbeEntry> {
        &self.log
    }

    /// Percent of the last minute's probes that were answered, rounded down; `None` when there were
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
