//! Distributions, measured beside predicted.

use std::time::Duration;

use hdrhistogram::Histogram;
use plotters::prelude::*;

use super::axes::Axis;
use super::{AxisSide, Drawn, HALF, PlotInk, framed, place, plot, rectangle};
use crate::model::recovery::DeathKind;
use crate::model::span_text;
use crate::session::report::SessionReport;

/// Steps of a distribution curve.
const CURVE_STEPS: u32 = 200;
/// Bars of a distribution.
const BARS_MAX: u64 = 24;
/// How many times the least of a distribution the most may be on a linear axis.
const TAIL: u64 = 200;
/// Widths of the bars of a distribution of ratios, in hundredths.
const RATIO_STEPS: [u64; 7] = [5, 10, 20, 50, 100, 200, 500];
/// Labels under them.
const LABELS_MAX: usize = 8;
/// Pixels under a plot, for labels and what they mean.
const UNDER: u32 = 48;
const BESIDE: u32 = 50;

/// A value, and two shares in percent: measured, and predicted.
type Pair = (f64, f64, f64);

/// The share of first copies that had arrived, by the time since their message began.
pub(in crate::session::report) fn delays(report: &SessionReport) -> Option<String> {
    let (measured, predicted) = (&report.messages.delays_us, &report.messages.delays_predicted_us);
    let most = measured.max().max(predicted.max()).max(1);
    let about = "The share of first copies that had arrived after a time, measured and predicted";
    plot(HALF, about, |root| {
        let least = low(measured).min(low(predicted)).max(1);
        // A long tail would hide all else.
        let axis = if most / least < TAIL {
            Axis::from_zero(place(most) * 1.03)
        } else {
            Axis::log(place(least), place(most) * 1.1)
        };
        let x = AxisSide { axis, what: "time since the message began", text: &tick_text, room: UNDER, has_grid: true };
        let mut chart = framed(root, x, percents(101.0))?;
        for (times, ink) in [(predicted, PlotInk::Predicted), (measured, PlotInk::Measured)] {
            chart.draw_series([PathElement::new(curve(times), ink.color().stroke_width(2))])?;
        }
        Ok(())
    })
}

/// `250 ms`, `4 s`: microseconds on an axis.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a span of an axis")]
fn tick_text(micros: f64) -> String {
    span_text(Duration::from_micros(micros.max(0.0).round() as u64)).replace(".0 ", " ")
}

/// An axis of shares up to this many percent.
fn percents(most: f64) -> AxisSide<'static> {
    AxisSide {
        axis: Axis::from_zero(most),
        what: "",
        text: &|percent| format!("{percent:.0}%"),
        room: BESIDE,
        has_grid: true,
    }
}

/// What all but one in a hundred exceed; of nothing, no bound.
fn low(times: &Histogram<u64>) -> u64 {
    if times.is_empty() { u64::MAX } else { times.value_at_quantile(0.01) }
}

fn least_of(measured: &Histogram<u64>, predicted: &Histogram<u64>) -> u64 {
    if predicted.is_empty() { measured.min() } else { measured.min().min(predicted.min()) }
}

/// Value and share in percent, from the least to the greatest.
fn curve(times: &Histogram<u64>) -> Vec<(f64, f64)> {
    let shares = (0..=CURVE_STEPS).map(|step| f64::from(step) * 100.0 / f64::from(CURVE_STEPS));
    let at = |share: f64| (place(times.value_at_percentile(share).max(1)), share);
    if times.is_empty() { Vec::new() } else { shares.map(at).collect() }
}

/// First copies by the links that they crossed.
pub(in crate::session::report) fn hops(report: &SessionReport) -> Option<String> {
    let (measured, predicted) = (&report.messages.hops, &report.messages.hops_predicted);
    let percent = |counts: &[u64], at: usize| {
        let all: u64 = counts.iter().sum();
        place(counts.get(at).copied().unwrap_or(0)) * 100.0 / place(all.max(1))
    };
    let pair = |at: usize| (place(at as u64), percent(measured, at), percent(predicted, at));
    let pairs: Vec<Pair> = (0..measured.len().max(predicted.len())).map(pair).collect();
    paired("First copies by hops, measured and predicted", "hops of a first copy", pairs, 1.0)
}

/// Messages by the copies that were sent for each delivery.
pub(in crate::session::report) fn copies(report: &SessionReport) -> Option<String> {
    let (measured, predicted) = (&report.messages.copies_percent, &report.messages.copies_predicted_percent);
    let (least, most) = (least_of(measured, predicted), measured.max().max(predicted.max()));
    let span = most.saturating_sub(least);
    let step = RATIO_STEPS.into_iter().find(|step| span / step <= BARS_MAX).unwrap_or(span / BARS_MAX);
    let percent = |times: &Histogram<u64>, at: u64| {
        place(times.count_between(at, at + step - 1)) * 100.0 / place(times.len().max(1))
    };
    let pair = |at: u64| (place(at) / 100.0, percent(measured, at), percent(predicted, at));
    let pairs: Vec<Pair> = (least / step..=most / step).map(|bin| pair(bin * step)).collect();
    let about = "Messages by copies for each delivery, measured and predicted";
    paired(about, "copies for each delivery", pairs, place(step) / 100.0)
}

/// Bars of what was measured, and beside them what was predicted.
fn paired(about: &str, what: &str, mut pairs: Vec<Pair>, step: f64) -> Option<String> {
    let is_some = |(_, measured, predicted): &Pair| *measured > 0.0 || *predicted > 0.0;
    pairs.truncate(pairs.iter().rposition(is_some)? + 1);
    pairs.drain(..pairs.iter().position(is_some)?);
    let (first, last) = (pairs.first()?.0, pairs.last()?.0);
    let most = pairs.iter().map(|(_, measured, predicted)| measured.max(*predicted)).fold(1.0, f64::max);
    let digits = if step < 1.0 { 2 } else { 0 };
    let ticks = pairs.iter().step_by(pairs.len().div_ceil(LABELS_MAX)).map(|(at, ..)| *at).collect();
    plot(HALF, about, |root| {
        // A few bars are no wider than many.
        let side = step * 0.6 + (6.0 * step - (last - first)).max(0.0) / 2.0;
        let axis = Axis::with_ticks(first - side..last + side, ticks);
        let text = |value: f64| format!("{value:.digits$}");
        let x = AxisSide { axis, what, text: &text, room: UNDER, has_grid: false };
        let mut chart = framed(root, x, percents((most * 1.08).min(101.0)))?;
        for (at, measured, predicted) in &pairs {
            let bars = [(-0.42, -0.02, *measured, PlotInk::Measured), (0.02, 0.42, *predicted, PlotInk::Predicted)];
            let bar = |(from, to, high, ink)| rectangle((at + step * from, 0.0), (at + step * to, high), ink);
            chart.draw_series(bars.map(bar))?;
        }
        Ok(())
    })
}

/// Peers by their links at the end.
pub(in crate::session::report) fn degrees(report: &SessionReport) -> Option<String> {
    let mut peers = vec![0_u64; report.overlay.degrees.iter().map(|(_, degree)| degree + 1).max()?];
    report.overlay.degrees.iter().for_each(|(_, degree)| peers[*degree] += 1);
    let last = place(peers.len() as u64 - 1);
    let most = place(peers.iter().copied().max().unwrap_or(1).max(1));
    let ticks = (0..peers.len() as u64).step_by(peers.len().div_ceil(12)).map(place).collect();
    plot(HALF, "Peers by their number of links at the end", |root| {
        let axis = Axis::with_ticks(-0.6..last + 0.6, ticks);
        let whole = |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() };
        let x = AxisSide { axis, what: "links of a peer", text: &whole, room: UNDER, has_grid: false };
        let y =
            AxisSide { axis: Axis::from_zero(most * 1.08), what: "peers", text: &whole, room: BESIDE, has_grid: true };
        let mut chart = framed(root, x, y)?;
        let bar = |(degree, count): (u64, &u64)| {
            rectangle((place(degree) - 0.4, 0.0), (place(degree) + 0.4, place(*count)), PlotInk::Measured)
        };
        chart.draw_series((0_u64..).zip(&peers).map(bar))?;
        Ok(())
    })
}

/// The detection time of each death, by how the node died, and the bounds that theory gives.
pub(in crate::session::report) fn detections(report: &SessionReport) -> Option<String> {
    let times = |kind| {
        let of_kind = report.deaths.iter().filter(move |death| death.kind == kind);
        of_kind.filter_map(|death| death.detection).map(|time| time.as_secs_f64())
    };
    let kinds = [(DeathKind::Hang, 0.5), (DeathKind::Crash, 1.5)];
    let expected = report.model.silence_found();
    let most = kinds.iter().flat_map(|(kind, _)| times(*kind)).fold(0.001, f64::max);
    let most = expected.map_or(most, |(_, late)| most.max(late.as_secs_f64()));
    plot((HALF.0, 170), "The detection time of each death", |root| -> Drawn {
        let text = |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
        let what = "seconds until the first neighbor noticed";
        let x = AxisSide { axis: Axis::from_zero(most * 1.05), what, text: &text, room: UNDER, has_grid: true };
        let word = |y: f64| if y < 1.0 { "hung".to_owned() } else { "crashed".to_owned() };
        let axis = Axis::with_ticks(0.0..2.0, vec![0.5, 1.5]);
        let mut chart = framed(root, x, AxisSide { axis, what: "", text: &word, room: 70, has_grid: false })?;
        if let Some((early, late)) = expected {
            let band = PlotInk::Predicted.color().mix(0.45).filled();
            chart.draw_series([Rectangle::new([(early.as_secs_f64(), 0.1), (late.as_secs_f64(), 0.9)], band)])?;
        }
        for (kind, y) in kinds {
            chart.draw_series(times(kind).map(|time| Circle::new((time, y), 4, PlotInk::Measured.solid())))?;
        }
        Ok(())
    })
}
