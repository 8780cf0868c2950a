//! The timeline: what happened when in the whole session, in one row.
//!
//! ```text
//!  20:44:12 |....,..,....!.....x..:..,....,....,..........!........,......| now   x deaths  ! warnings  : faults
//! ```
//!
//! A column is a part of the session: how much happened in it, or the gravest mark. Of a session that
//! runs, the columns have a fixed width, which doubles when the row is full: so the row changes at
//! most once in the time that a column stands for.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::App;
use super::options::Mode;
use super::text;
use super::theme::{Theme, Tone, selected};
use super::time_scale::TimeScale;
use super::view::View;
use crate::model::second_text;
use crate::model::timeline::{MarkKind, Timeline, TimelineMark};

/// Rows below which the panes need all of them.
const ROWS_MIN: u16 = 20;
/// Rows from which on it stands under the header.
pub(super) const ROWS_ABOVE_MIN: u16 = 30;
/// Columns that show something.
const COLUMNS_MIN: usize = 10;
/// The least time that a column stands for while a session runs.
const COLUMN_MIN: Duration = Duration::from_secs(1);
/// Time before the screen in which a mark is told that was just passed.
const TOLD_FOR: Duration = Duration::from_secs(5);

/// What stands below the row's signs, as many of them as there is room for.
const LEGEND: [MarkKind; 4] = [MarkKind::Death, MarkKind::Warning, MarkKind::Incomplete, MarkKind::FaultSet];

/// Rows that the timeline takes on a screen of this height.
pub(super) fn height(app: &App, rows: u16) -> u16 {
    u16::from(rows >= ROWS_MIN && app.scene.span().is_some())
}

/// Draws the row, and returns where its columns are.
pub(super) fn render(app: &App, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Option<TimeScale> {
    let (first, last) = app.scene.span()?;
    let begin = format!(" {} ", second_text(first, view.utc_offset_s));
    let is_replay = matches!(app.scene.mode, Mode::Replay { .. });
    let end = if is_replay { format!(" {} ", second_text(last, view.utc_offset_s)) } else { " now ".to_owned() };
    let legend = legend(usize::from(area.width), view);
    let (left, right) = (text::width(&begin), text::width(&end) + legend.width());
    let columns = usize::from(area.width).checked_sub(left + right + 2).filter(|columns| *columns >= COLUMNS_MIN)?;
    let bar = Rect {
        x: area.x + u16::try_from(left + 1).unwrap_or(u16::MAX),
        width: u16::try_from(columns).unwrap_or(u16::MAX),
        ..area
    };
    let end_of_scale = if is_replay { last } else { first + width_of(last.since(first), columns) };
    let scale = TimeScale { area: bar, first, end: end_of_scale };
    let cursor = app.scene.playback.as_ref().map(|playback| scale.column_of(playback.at()));
    let mut line = Line::from(vec![view.span(Tone::Stale, begin), view.span(Tone::Frame, edge(view.theme))]);
    line.spans.extend(cells(&app.scene.timeline, scale, cursor, view));
    line.push_span(view.span(Tone::Frame, edge(view.theme)));
    line.push_span(view.span(Tone::Stale, end));
    line.spans.extend(legend.spans);
    frame.render_widget(line, area);
    Some(scale)
}

/// The time that so many columns stand for while a session has lasted so long.
fn width_of(lasted: Duration, columns: usize) -> Duration {
    let columns = u32::try_from(columns).unwrap_or(u32::MAX);
    let mut column = COLUMN_MIN;
    while column.saturating_mul(columns) <= lasted {
        column = column.saturating_mul(2);
    }
    column.saturating_mul(columns).saturating_sub(Duration::from_micros(1))
}

fn edge(theme: Theme) -> &'static str {
    theme.sign("│", "|")
}

/// One cell for each column.
fn cells(timeline: &Timeline, scale: TimeScale, cursor: Option<u64>, view: &View<'_>) -> Vec<Span<'static>> {
    let density = timeline.density(scale.first, scale.end, usize::from(scale.area.width));
    let most = density.iter().copied().max().unwrap_or(0);
    let cells = (0..).zip(density).map(|(column, events)| {
        let marks =
            timeline.marks_between(scale.begin_of(column), scale.begin_of(column + 1) - Duration::from_micros(1));
        let gravest = marks.iter().map(|mark| mark.kind).min();
        let (tone, sign) =
            gravest.map_or_else(|| (Tone::Stale, shade(events, most, view.theme)), |kind| look(kind, view.theme));
        let style = view.style(tone);
        Span::styled(sign, if cursor == Some(column) { selected(style) } else { style })
    });
    cells.collect()
}

/// How much happened, beside the part in which the most did: each shade is four times the one before.
fn shade(events: u64, most: u64, theme: Theme) -> &'static str {
    match (events, most / events.max(1)) {
        (0, _) => " ",
        (_, 0..4) => theme.sign("▒", "="),
        (_, 4..16) => theme.sign("░", "-"),
        (_, 16..64) => theme.sign("·", ","),
        (_, _) => theme.sign("·", "."),
    }
}

const fn look(kind: MarkKind, theme: Theme) -> (Tone, &'static str) {
    match kind {
        MarkKind::Death => (Tone::Dead, theme.sign("✗", "x")),
        MarkKind::Warning => (Tone::Suspect, "!"),
        MarkKind::Incomplete => (Tone::Suspect, theme.sign("○", "o")),
        MarkKind::FaultSet => (Tone::Wave, ":"),
        MarkKind::FaultCleared => (Tone::Up, ";"),
        MarkKind::Restart => (Tone::Up, "+"),
        MarkKind::Gap => (Tone::Stale, "#"),
    }
}

const fn word(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Death => "deaths",
        MarkKind::Warning => "warnings",
        MarkKind::Incomplete => "not everywhere",
        MarkKind::FaultSet => "faults",
        MarkKind::FaultCleared => "faults ended",
        MarkKind::Restart => "restarts",
        MarkKind::Gap => "missing",
    }
}

/// The signs with their words, on a screen that has room for them beside the bar.
fn legend(columns: usize, view: &View<'_>) -> Line<'static> {
    if columns < 110 {
        return Line::default();
    }
    let spans = LEGEND.iter().flat_map(|kind| {
        let (tone, sign) = look(*kind, view.theme);
        [view.span(tone, format!(" {sign}")), view.span(Tone::Stale, format!(" {} ", word(*kind)))]
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// The mark under the cursor: the last one up to the moment that is shown; of a moment between marks
/// that stand in one column, the gravest of them.
pub(super) fn told(app: &App) -> Option<&TimelineMark> {
    let playback = app.scene.playback.as_ref()?;
    let (at, scale) = (playback.at(), app.time_scale?);
    let marks = scale.marks_near(at, &app.scene.timeline);
    let passed = marks.iter().rev().find(|mark| mark.at <= at);
    if playback.is_playing() {
        return passed.filter(|mark| playback.speed.of_screen(at.since(mark.at)) <= TOLD_FOR);
    }
    passed.or_else(|| marks.iter().min_by_key(|mark| mark.kind))
}

/// The mark in words: `03:12:00 ! the overlay is in 2 parts`.
pub(super) fn mark_line(mark: &TimelineMark, columns: usize, view: &View<'_>) -> Line<'static> {
    let (tone, sign) = look(mark.kind, view.theme);
    let told = format!("{sign} {}", mark.summary());
    let time = format!(" {} ", second_text(mark.at, view.utc_offset_s));
    let told = text::truncate(&told, columns.saturating_sub(text::width(&time)), view.theme.glyphs).into_owned();
    Line::from(vec![view.span(Tone::Stale, time), view.span(tone, told)])
}
