//! Liveness of the network as a whole: who probed whom and what came of it, and the share of probes
//! that were answered lately.

use std::time::Duration;

use super::ring::Ring;
use super::window::Window;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Seconds over which the share of answered probes is taken.
pub const SHARE_WINDOW_S: usize = 60;

/// Probes that are kept: some three minutes of a lab of 8 at the lively pace; 200 kB.
pub const PROBES_MAX: usize = 4_096;

/// A probe, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEntry {
    /// When the outcome was known.
    pub at: Time,
    pub asker: Addr,
    pub asked: Addr,
    pub outcome: ProbeOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    Answered {
        rtt_us: u64,
    },
    /// A node of ours answered one elsewhere, which alone knows how long that took.
    Replied,
    Missed {
        /// Misses in a row, this one included.
        misses: u32,
        /// Misses at which it is dead.
        limit: u32,
    },
}

/// The probes of the session, by when their outcome was known: see [`Ring`] for their numbers.
pub type ProbeLog = Ring<ProbeEntry>;

pub(super) fn no_probes() -> ProbeLog {
    Ring::new(PROBES_MAX)
}

/// Probes that were answered lately, and those that were not.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeShare {
    pub(super) answered: Window,
    pub(super) missed: Window,
}

impl Default for ProbeShare {
    fn default() -> Self {
        let window = Window::new(SHARE_WINDOW_S, Duration::from_secs(1));
        Self { answered: window.clone(), missed: window }
    }
}

impl ProbeShare {
    /// Percent of the last minute's probes that were answered, rounded down; `None` if there were
    /// none.
    pub fn answered_percent(&self, now: Time) -> Option<u8> {
        let (answered, missed) = (self.answered.sum(now), self.missed.sum(now));
        u8::try_from((answered * 100).checked_div(answered + missed)?).ok()
    }
}
