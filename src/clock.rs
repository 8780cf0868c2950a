//! The one place that reads the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local, Offset};
use tokio::time::Instant;

use crate::proto::time::Time;

/// A clock that starts at the wall clock's time and then never goes back, whatever happens to the
/// wall clock. Copies agree.
///
/// A network in virtual time may be slower than the clock; all copies know how far it is behind.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    epoch: Time,
    /// How far the network is behind, in microseconds. Leaked: there is one per session.
    behind_us: &'static AtomicU64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let behind_us = Box::leak(Box::new(AtomicU64::new(0)));
        Self { started: Instant::now(), epoch: Time::from_micros(0) + since_epoch, behind_us }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Time {
        self.epoch + (Instant::now() - self.started)
    }

    /// The moment at which this clock shows `time`, for sleeping until then.
    pub fn instant(&self, time: Time) -> Instant {
        self.started + time.since(self.epoch)
    }

    /// How far the network is behind; zero on sockets.
    pub fn behind(&self) -> Duration {
        Duration::from_micros(self.behind_us.load(Ordering::Relaxed))
    }

    /// The network has fallen further behind, by this much.
    pub fn fall_behind(&self, by: Duration) {
        self.behind_us.fetch_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The network's time.
    pub fn network_now(&self) -> Time {
        self.now() - self.behind()
    }

    /// The moment at which the network's time is `time`, unless it falls behind further.
    pub fn network_instant(&self, time: Time) -> Instant {
        self.instant(time + self.behind())
    }

    /// When the clock was started.
    pub fn epoch(&self) -> Time {
        self.epoch
    }
}

/// Seconds that this machine's local time was ahead of UTC at that time.
pub fn utc_offset_s_at(time: Time) -> i32 {
    let at = DateTime::from_timestamp_micros(i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
    at.map_or(0, |at| at.with_timezone(&Local).offset().fix().local_minus_utc())
}

/// Seconds that this machine's local time is ahead of UTC now.
pub fn utc_offset_s() -> i32 {
    Local::now().offset().fix().local_minus_utc()
}
