//! Rates: messages, answered probes and round-trip times over the last minutes, as charts.
//!
//! ```text
//! 9 Rates last 5 min, 5 s a column, x death, ! fault
//! messages/s  now 2.4, min 0, max 8.6
//!  8.6 |     #
//!    0 |#.#.:#:..
//! answered  now 100%, min 75%, max 100%
//! ..
//!             x !
//!       -5 min                         now
//! ```

use std::time::Duration;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::symbols::bar;
use ratatui::text::Line;
use ratatui::widgets::Sparkline;

use super::{Moved, Pane, PaneInfo, PanePlace, PaneSize, Selection, Surface};
use crate::model::rates::{RateColumn, RateColumns};
use crate::model::span_text;
use crate::ui::action::Move;
use crate::ui::filter::Filter;
use crate::ui::options::Glyphs;
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};
use crate::ui::view::View;

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 9,
    title: "Rates",
    word: "rates",
    help: "rates: messages, answered probes and round-trip time over five minutes",
    // Charts want room, so they never stand beside other panes.
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(0) },
    rank: 8,
    ..PaneInfo::new(|| Box::new(RatesPane::default()))
};

/// Columns of the scale: `12.5ms` and a blank.
const SCALE: u16 = 7;
/// Rows of the marks and of the axis of time.
const AXIS: u16 = 2;
/// Rows of a chart: its figures, and a bar of two.
const CHART_HEIGHT_MIN: u16 = 3;

/// A bar of eight steps in ASCII.
const ASCII_BARS: bar::Set<'static> = bar::Set {
    full: "#",
    seven_eighths: "#",
    three_quarters: "|",
    five_eighths: "|",
    half: ":",
    three_eighths: ":",
    one_quarter: ".",
    one_eighth: ".",
    empty: " ",
};

/// One of the charts.
struct RateChart {
    title: &'static str,
    tone: Tone,
    /// The top of the scale is at least this.
    top_min: f64,
    value: fn(&RateColumn) -> Option<f64>,
    /// The figure for now where it is another one than that of the newest column.
    now: Option<fn(&View<'_>) -> f64>,
    text: fn(f64) -> String,
}

const CHARTS: [RateChart; 3] = [
    RateChart {
        title: "messages/s",
        tone: Tone::Plain,
        top_min: 1.0,
        value: |column| column.messages_per_s,
        // As in the header: a column is shorter than the interval of the senders.
        now: Some(|view| view.model.messages_per_second(view.now)),
        text: rate_text,
    },
    RateChart {
        title: "answered",
        tone: Tone::Up,
        top_min: 100.0,
        value: |column| column.answered_percent,
        now: None,
        text: |percent| format!("{:.0}%", percent.floor()),
    },
    RateChart {
        title: "round trip",
        tone: Tone::Seed,
        top_min: 1.0,
        #[expect(clippy::cast_precision_loss, reason = "a picture")]
        value: |column| column.rtt_us.map(|rtt_us| rtt_us as f64),
        now: None,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count of microseconds")]
        text: |rtt_us| if rtt_us > 0.0 { text::rtt_coarse(rtt_us as u64) } else { "0".to_owned() },
    },
];

/// `0`, `2.4` or `120`.
fn rate_text(rate: f64) -> String {
    match rate {
        0.0 => "0".to_owned(),
        0.0..100.0 => format!("{rate:.1}"),
        _ => format!("{rate:.0}"),
    }
}

#[derive(Default)]
struct RatesPane {
    /// There are no lines to filter.
    all: Filter,
    /// Columns of the last drawing.
    columns: usize,
}

impl Pane for RatesPane {
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>) {
        self.columns = usize::from(surface.area.width.saturating_sub(2 + SCALE));
        let rates = view.model.rates().columns(view.now, self.columns);
        let seconds = rates.step_s * rates.columns.len() as u64;
        let (span, dead) = (span_text(Duration::from_secs(seconds)), view.theme.sign("✗", "x"));
        let note = format!("last {span}, {} s a column, {dead} death, ! fault", rates.step_s);
        // The charts move on with the next second.
        view.aging.note(Duration::from_micros(1_000_000 - view.now.as_micros() % 1_000_000));
        if rates.columns.is_empty() {
            let inside = surface.framed("", &self.all, view);
            return surface.hint("Nothing was measured yet. The charts begin after the first second.", inside, view);
        }
        let inside = surface.framed(&note, &self.all, view);
        let [charts, marks, axis] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inside);
        let is_high = inside.height >= AXIS + CHART_HEIGHT_MIN * 3;
        // Without room for charts the figures are left.
        let (charts, rows) = if is_high { (charts, Constraint::Fill(1)) } else { (inside, Constraint::Length(1)) };
        let areas: [Rect; CHARTS.len()] = Layout::vertical([rows; CHARTS.len()]).areas(charts);
        for (chart, area) in CHARTS.iter().zip(areas) {
            chart.render(&rates, surface, area, view);
        }
        if is_high {
            render_marks(&rates, surface, marks, view);
            render_axis(&rates, seconds, surface, axis, view);
        }
    }

    fn act(&mut self, _wanted: Move, _view: &View<'_>) -> Moved {
        Moved::Here
    }

    fn click(&mut self, _at: Position, _area: Rect, _view: &View<'_>) -> Moved {
        Moved::Here
    }

    fn filter(&self) -> &Filter {
        &self.all
    }

    fn set_filter(&mut self, _filter: Filter) {}

    fn selection(&self, _view: &View<'_>) -> Selection {
        Selection::default()
    }

    fn line(&self, view: &View<'_>) -> Option<String> {
        let rates = view.model.rates().columns(view.now, self.columns);
        Some(CHARTS.map(|chart| format!("{} {}", chart.title, chart.figures(&rates, view))).join("; "))
    }
}

impl RateChart {
    fn values(&self, rates: &RateColumns) -> impl DoubleEndedIterator<Item = f64> {
        rates.columns.iter().filter_map(self.value)
    }

    /// `now 2.4, min 0, max 8.6`.
    fn figures(&self, rates: &RateColumns, view: &View<'_>) -> String {
        let newest = || rates.columns.last().and_then(self.value);
        let now = self.now.map_or_else(newest, |now| Some(now(view))).map_or_else(|| "-".to_owned(), self.text);
        match (self.values(rates).reduce(f64::min), self.values(rates).reduce(f64::max)) {
            (Some(min), Some(max)) => format!("now {now}, min {}, max {}", (self.text)(min), (self.text)(max)),
            (_, _) => "nothing measured".to_owned(),
        }
    }

    fn render(&self, rates: &RateColumns, surface: &mut Surface<'_, '_>, area: Rect, view: &View<'_>) {
        let [head, plot] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let title = view.span(Tone::Strong, format!("{}  ", self.title));
        let figures = view.span(Tone::Plain, self.figures(rates, view));
        surface.frame.render_widget(Line::from(vec![title, figures]), head);
        let top = self.values(rates).fold(self.top_min, f64::max);
        let scale = [(plot.top(), top), (plot.bottom().saturating_sub(1), 0.0)];
        for (y, value) in scale.into_iter().take(usize::from(plot.height)) {
            let label = format!("{:>width$}", (self.text)(value), width = usize::from(SCALE - 1));
            let area = Rect { y, height: 1, width: SCALE.min(plot.width), ..plot };
            surface.frame.render_widget(view.span(Tone::Stale, label), area);
        }
        // In eighths of a row. What is not zero is seen.
        let eighths = f64::from(plot.height) * 8.0;
        let height = |value: f64| if value > 0.0 { (value / top * eighths).max(1.0) } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the height")]
        let bars = rates.columns.iter().map(|column| (self.value)(column).map(|value| height(value).round() as u64));
        let line = Sparkline::default()
            .data(bars.collect::<Vec<Option<u64>>>())
            .max(u64::from(plot.height.max(1)) * 8)
            .bar_set(bars_of(view.theme))
            .style(view.style(self.tone));
        surface.frame.render_widget(line, across(rates, plot));
    }
}

const fn bars_of(theme: Theme) -> bar::Set<'static> {
    match theme.glyphs {
        Glyphs::Unicode => bar::NINE_LEVELS,
        Glyphs::Ascii => ASCII_BARS,
    }
}

/// Where the columns stand: the newest on the right edge.
fn across(rates: &RateColumns, area: Rect) -> Rect {
    let width = u16::try_from(rates.columns.len()).unwrap_or(u16::MAX).min(area.width);
    Rect { x: area.right() - width, width, ..area }
}

/// When nodes were taken for dead, and faults were set.
fn render_marks(rates: &RateColumns, surface: &mut Surface<'_, '_>, area: Rect, view: &View<'_>) {
    let mark = |column: &RateColumn| match (column.has_death, column.has_fault) {
        (true, _) => view.span(Tone::Dead, view.theme.sign("✗", "x")),
        (false, true) => view.span(Tone::Suspect, "!"),
        (false, false) => view.span(Tone::Plain, " "),
    };
    let line = Line::from(rates.columns.iter().map(mark).collect::<Vec<_>>());
    surface.frame.render_widget(line, across(rates, area));
}

/// `-5 min` below the oldest column, `now` below the newest.
fn render_axis(rates: &RateColumns, seconds: u64, surface: &mut Surface<'_, '_>, area: Rect, view: &View<'_>) {
    let first = format!("-{}", span_text(Duration::from_secs(seconds)));
    let fill = rates.columns.len().saturating_sub(text::width(&first) + "now".len()).max(1);
    let line = Line::from(view.span(Tone::Stale, format!("{first}{:fill$}now", ""))).right_aligned();
    surface.frame.render_widget(line, area);
}
