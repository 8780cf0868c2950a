//! A node that was away: its process was stopped, the lid of its laptop was closed, or it reads so
//! slowly that messages wait.
//!
//! To such a node all others seem dead: their answers came while it did not look. So it doubts
//! itself before it doubts others. This is the local health of Lifeguard (Dadgar, Phillips, Currey
//! 2018, arXiv 1707.00788), with one threshold instead of a score: a quarter of a liveness
//! interval.

use std::time::Duration;

use super::event::{Absence, EventKind, NodeEvent};
use super::time::{Time, micros};

/// A node that is late by more than this fraction of a liveness interval was away. Ordinary delays
/// are far shorter, and to be declared dead meanwhile takes two whole intervals.
const TOLERANCE_PART: u32 = 4;

/// Whether a machine has been running without a break.
#[derive(Debug)]
pub(super) struct Presence {
    tolerance_us: u64,
    /// When it was last handed something.
    ran_at: Option<Time>,
    /// When the last absence was noticed.
    back_at: Option<Time>,
}

/// The machine has just noticed that it was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WasAway {
    why: Absence,
    span: Duration,
    /// This absence was reported already.
    is_told: bool,
}

impl WasAway {
    /// The event about it, if it was not reported yet.
    pub(super) fn event(self) -> Option<EventKind> {
        let span_us = micros(self.span);
        (!self.is_told).then_some(EventKind::Node(NodeEvent::WasAway { why: self.why, span_us }))
    }
}

impl Presence {
    pub(super) fn new(liveness_interval: Duration) -> Self {
        Self { tolerance_us: micros(liveness_interval / TOLERANCE_PART), ran_at: None, back_at: None }
    }

    /// How late a machine may be, and for how long it excuses others after it was away.
    pub(super) fn tolerance(&self) -> Duration {
        Duration::from_micros(self.tolerance_us)
    }

    /// Nothing has reached the machine for so long that it may have missed its deadline.
    pub(super) fn may_have_been_away(&self, now: Time) -> bool {
        self.ran_at.is_some_and(|ran_at| now.micros_since(ran_at) > self.tolerance_us)
    }

    /// The machine is handed something at this time. `overdue`: its deadline, if it may have missed
    /// that.
    pub(super) fn runs(&mut self, now: Time, overdue: Option<Time>) -> Option<WasAway> {
        let ran_at = self.ran_at.replace(now)?;
        let missed = overdue.is_some_and(|deadline| now.micros_since(deadline) > self.tolerance_us);
        missed.then(|| self.note(now, Absence::Stopped, now.since(ran_at)))
    }

    /// The driver says that the machine was away for this long.
    pub(super) fn late(&mut self, now: Time, by: Duration, why: Absence) -> Option<WasAway> {
        (by > self.tolerance()).then(|| self.note(now, why, by))
    }

    fn note(&mut self, now: Time, why: Absence, span: Duration) -> WasAway {
        let is_told = self.is_excused(now);
        self.back_at = Some(now);
        WasAway { why, span, is_told }
    }

    /// When the last absence was noticed. Whatever was due before that says nothing about others.
    pub(super) fn back_at(&self) -> Option<Time> {
        self.back_at
    }

    /// What happens now may still be due to the absence.
    pub(super) fn is_excused(&self, now: Time) -> bool {
        self.back_at.is_some_and(|back_at| now.since(back_at) <= self.tolerance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(4);

    fn at(ms: u64) -> Time {
        Time::from_micros(1_000_000 + ms * 1_000)
    }

    #[test]
    fn a_deadline_missed_by_a_quarter_interval_is_an_absence() {
        for (ran, deadline, now, span_ms) in
            [(0, 500, 1_500, None), (0, 500, 1_501, Some(1_501)), (1_000, 900, 1_950, None), (0, 9_000, 8_000, None)]
        {
            let mut presence = Presence::new(T);
            presence.runs(at(ran), None);
            let overdue = presence.may_have_been_away(at(now)).then_some(at(deadline));
            let told = presence.runs(at(now), overdue).map(|was_away| was_away.span.as_millis());
            assert_eq!(told, span_ms, "ran at {ran}, deadline {deadline}, now {now}");
        }
    }

    #[test]
    fn one_absence_is_told_once_and_the_next_one_again() {
        let mut presence = Presence::new(T);
        presence.runs(at(0), None);
        let mut told = |ms, by| {
            presence.late(at(ms), Duration::from_millis(by), Absence::ReadsLate).and_then(WasAway::event).is_some()
        };
        assert!(!told(0, 1_000), "within the tolerance");
        assert!(told(100, 1_100));
        assert!(!told(900, 1_900), "still the same");
        assert!(!told(1_900, 2_000), "still the same");
        assert!(told(3_000, 1_100), "another one");
    }
}
