//! The one place that reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{Local, Offset};
use tokio::time::Instant;

use crate::proto::time::Time;

/// A clock that starts at the wall clock's time and then never goes back, whatever is done to the
/// wall clock. Copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    epoch: Time,
}

impl Clock {
    /// A clock that runs from now on.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { started: Instant::now(), epoch: Time::from_micros(0) + since_epoch }
    }

    /// What time it is.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Time {
        self.epoch + (Instant::now() - self.started)
    }

    /// The moment at which this clock shows `time`, for sleeping until then.
    pub fn instant(&self, time: Time) -> Instant {
        self.started + time.since(self.epoch)
    }

    /// When the clock was started.
    pub fn epoch(&self) -> Time {
        self.epoch
    }
}

/// Seconds that the local time of this machine is ahead of UTC now.
pub fn utc_offset_s() -> i32 {
    Local::now().offset().fix().local_minus_utc()
}
