//! What happened over time.

use std::time::Duration;

use super::axes::{Axis, clock_ticks};
use super::{Area, AxisSide, Chart, Drawn, PlotInk, WHOLE, framed, place, plot, rectangle};
use crate::model::words::second_text;
use crate::proto::time::Time;
use crate::session::report::SessionReport;

/// The rows of the timeline, top to bottom.
const LANES: [&str; 6] = ["events", "faults", "overlay parted", "not everybody", "deaths", "warnings"];
const LANE_HEIGHT: u32 = 28;
/// Of the timeline, with its axis.
#[expect(clippy::cast_possible_truncation, reason = "a few rows")]
const TIMELINE_HEIGHT: u32 = LANE_HEIGHT * LANES.len() as u32 + 50;
/// Half the least width of a mark, in parts of the whole: a pixel.
const MARK_MIN: f64 = 0.001_3;
/// Pixels for the names of the rows, and of the percents under them, so that their times agree.
const LABELS: u32 = 108;

/// Activity, and marks for what went wrong.
pub(in crate::session::report) fn timeline(report: &SessionReport) -> Option<String> {
    let about = "A timeline of the session: events, faults, partings, incomplete messages, deaths, warnings";
    plot((WHOLE, TIMELINE_HEIGHT), about, |root| draw_timeline(root, report))
}

/// A mark from one time to another, in a lane.
struct LaneMark {
    lane: usize,
    from: Time,
    until: Time,
    ink: PlotInk,
}

fn marks(report: &SessionReport) -> Vec<LaneMark> {
    let mark = |lane, ink, from, until: Option<Time>| LaneMark { lane, from, until: until.unwrap_or(report.last), ink };
    let faults = report.model.faults().ever().map(|record| mark(1, PlotInk::Done, record.since, record.until));
    let partings = report.overlay.partings.iter().map(|parting| mark(2, PlotInk::Bad, parting.from, parting.until));
    let spells = report.messages.spells.iter().map(|spell| mark(3, PlotInk::Bad, spell.from, Some(spell.until)));
    let deaths = report.deaths.iter().map(|death| mark(4, PlotInk::Bad, death.at, Some(death.at)));
    let warnings = report.model.warnings().list().iter();
    let warnings = warnings.map(|(_, warning)| mark(5, PlotInk::Quiet, warning.since, warning.gone_at));
    faults.chain(partings).chain(spells).chain(deaths).chain(warnings).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the middle of one of the rows")]
fn draw_timeline(root: &Area<'_>, report: &SessionReport) -> Drawn {
    let lanes = place(LANES.len() as u64);
    let centers: Vec<f64> = (0..LANES.len() as u64).map(|lane| place(lane) + 0.5).collect();
    let name = |y: f64| LANES.get((lanes - y) as usize).map_or_else(String::new, |name| (*name).to_owned());
    let mut chart = over_time(root, report, Axis::with_ticks(0.0..lanes, centers), &name)?;
    let low = |lane: usize| lanes - 1.0 - place(lane as u64);
    let seconds = seconds(report);
    let most = place(report.activity.iter().map(|(_, bin)| bin.events).max().unwrap_or(1).max(1));
    for (at, bin) in report.activity.iter() {
        let (from, to) = bar(report, at, report.activity.width());
        let high = low(0) + 0.08 + 0.84 * place(bin.events) / most;
        chart.draw_series([rectangle((from, low(0) + 0.08), (to, high), PlotInk::Measured)])?;
    }
    for mark in marks(report) {
        let half = seconds * MARK_MIN;
        let (from, until) = (after(report, mark.from) - half, after(report, mark.until) + half);
        let corners = ((from.max(0.0), low(mark.lane) + 0.2), (until.min(seconds), low(mark.lane) + 0.8));
        chart.draw_series([rectangle(corners.0, corners.1, mark.ink)])?;
    }
    Ok(())
}

/// The share of the peers that messages reached, by when they began.
pub(in crate::session::report) fn coverage(report: &SessionReport) -> Option<String> {
    let about = "The share of peers that have each message, by the time at which it began: the mean and the least";
    plot((WHOLE, 220), about, |root| draw_coverage(root, report))
}

fn draw_coverage(root: &Area<'_>, report: &SessionReport) -> Drawn {
    let percents = Axis::with_ticks(0.0..103.0, vec![0.0, 25.0, 50.0, 75.0, 100.0]);
    let mut chart = over_time(root, report, percents, &|percent| format!("{percent:.0}%"))?;
    for (at, bin) in report.messages.coverage.iter() {
        let (from, to) = bar(report, at, report.messages.coverage.width());
        let mean = place(bin.have) * 100.0 / place(bin.of.max(1));
        chart.draw_series([rectangle((from, 0.0), (to, mean), PlotInk::Measured)])?;
        let least = bin.least.map(|least| place(least) / 100.0).filter(|least| *least < 100.0);
        if let Some(least) = least {
            chart.draw_series([rectangle((from, least - 1.2), (to, least + 1.2), PlotInk::Bad)])?;
        }
    }
    Ok(())
}

/// A chart whose x axis is the session's clock.
fn over_time<'a, 'b>(
    root: &'a Area<'b>,
    report: &SessionReport,
    y: Axis,
    y_text: &dyn Fn(f64) -> String,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    let ticks = clock_ticks(report.first, report.last, report.utc_offset_s());
    let moment = |seconds: f64| report.first + Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    let clock = |x: f64| second_text(moment(x + 0.000_5), report.utc_offset_s());
    let axis = Axis::with_ticks(0.0..seconds(report), ticks);
    let x = AxisSide { axis, what: "", text: &clock, room: 30, has_grid: true };
    framed(root, x, AxisSide { axis: y, what: "", text: y_text, room: LABELS, has_grid: true })
}

fn seconds(report: &SessionReport) -> f64 {
    report.lasted().as_secs_f64().max(0.001)
}

fn after(report: &SessionReport, at: Time) -> f64 {
    at.since(report.first).as_secs_f64()
}

/// Where a bin begins and ends.
fn bar(report: &SessionReport, at: Time, width: Duration) -> (f64, f64) {
    (after(report, at), after(report, at + width).min(seconds(report)))
}
