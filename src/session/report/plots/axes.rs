//! Axes with ticks where people expect them.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::place;
use crate::proto::time::Time;

/// Ticks of an axis of time, at most.
const CLOCK_TICKS_MAX: u64 = 10;
/// Distances in seconds between two of them.
const CLOCK_STEPS_S: [u64; 16] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 2 * 3_600, 6 * 3_600, 24 * 3_600];
/// Ticks of any other axis.
const TICKS_MAX: f64 = 6.0;
/// Decades up to which a logarithmic axis has ticks between them.
const FINE_DECADES: i32 = 3;

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    /// Of values above 0.
    Log,
}

/// An axis from one value to another.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    scale: Scale,
}

impl Axis {
    pub(super) const fn with_ticks(range: Range<f64>, ticks: Vec<f64>) -> Self {
        Self { range, ticks, scale: Scale::Linear }
    }

    /// From 0 on, with ticks in round figures.
    pub(super) fn from_zero(to: f64) -> Self {
        let ticks = round_ticks(to);
        Self::with_ticks(0.0..to, ticks)
    }

    /// Logarithmic, with ticks at 1, 2 and 5 of each decade, or at the decades if those are many.
    #[expect(clippy::cast_possible_truncation, reason = "exponents of ten: a float has few")]
    pub(super) fn log(from: f64, to: f64) -> Self {
        let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
        let is_fine = decades.end() - decades.start() <= FINE_DECADES;
        let steps: &[f64] = if is_fine { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        Self { ticks: ticks.filter(|tick| (from..=to).contains(tick)).collect(), range: from..to, scale: Scale::Log }
    }

    /// Its place, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let Range { start, end } = self.range;
        let share = match self.scale {
            Scale::Linear => (value - start) / (end - start),
            Scale::Log => (value.ln() - start.ln()) / (end.ln() - start.ln()),
        };
        if share.is_finite() { share } else { 0.0 }
    }
}

impl From<Range<f64>> for Axis {
    fn from(range: Range<f64>) -> Self {
        Self::with_ticks(range, Vec::new())
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "a share of a number of pixels")]
    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (f64::from(to - from) * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// At multiples of 1, 2 or 5 of a power of ten.
fn round_ticks(to: f64) -> Vec<f64> {
    let least = (to / TICKS_MAX).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= least * 0.999);
    let step = step.unwrap_or(to);
    let ticks = (0_u32..).map(f64::from).take_while(|tick| *tick <= TICKS_MAX + 1.0);
    ticks.map(|tick| tick * step).take_while(|tick| *tick <= to).collect()
}

/// Moments between these that a clock shows in round figures, in seconds after the first.
pub(super) fn clock_ticks(first: Time, last: Time, utc_offset_s: i32) -> Vec<f64> {
    let local_us = |at: Time| at.as_micros().saturating_add_signed(i64::from(utc_offset_s) * 1_000_000);
    let (from, to) = (local_us(first), local_us(last));
    let span_s = to.saturating_sub(from) / 1_000_000;
    let fits = |step: &u64| span_s / step <= CLOCK_TICKS_MAX;
    let step = CLOCK_STEPS_S.into_iter().find(fits).unwrap_or_else(|| (span_s / CLOCK_TICKS_MAX).max(1));
    let step_us = step.saturating_mul(1_000_000);
    let begin = from.div_ceil(step_us);
    let ticks = (begin..=begin + CLOCK_TICKS_MAX + 1).map(|tick| tick.saturating_mul(step_us));
    ticks.take_while(|tick| *tick <= to).map(|tick| place(tick - from) / 1_000_000.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_time_are_round_on_the_clock_of_the_session() {
        let at = |s: u64| Time::from_micros(s * 1_000_000);
        let hours = clock_ticks(at(0), at(8 * 3_600), 0);
        assert_eq!(hours, (0..=8).map(|hour| f64::from(hour) * 3_600.0).collect::<Vec<_>>());
        assert_eq!(clock_ticks(at(1_790), at(1_817), 3_600), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(clock_ticks(at(5), at(5), 0), [0.0]);
    }

    #[test]
    fn ticks_of_figures_are_round_and_few() {
        assert_eq!(round_ticks(8.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(round_ticks(101.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(Axis::log(800.0, 30_000.0).ticks, [1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0]);
    }

    #[test]
    fn an_axis_without_extent_puts_everything_at_its_beginning() {
        assert_eq!(Axis::from_zero(0.0).map(&3.0, (10, 90)), 10);
        assert_eq!(Axis::log(5.0, 5.0).map(&5.0, (10, 90)), 10);
    }
}
