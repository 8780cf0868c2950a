//! Liveness of the network as a whole: the share of probes that were answered lately.

use std::time::Duration;

use super::window::Window;
use crate::proto::time::Time;

/// Seconds over which the share of answered probes is taken.
pub const SHARE_WINDOW_S: usize = 60;

/// Probes that were answered lately, and those that were not.
#[derive(Debug, Clone)]
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
