//! The share of nodes that have the message, over time: measured as a line, predicted as dots.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke, Points};

use crate::model::wave::Wave;
use crate::model::words::span_text;
use crate::ui::options::Glyphs;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Columns of `100% `.
const SCALE: u16 = 5;
/// Dots of the predicted curve per column: two, as in Braille.
const DOTS: f64 = 2.0;

/// A curve as steps, in shares of the whole width and height.
type Steps = Vec<(f64, f64)>;

pub(super) fn render(wave: &Wave, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let [width, height] = [area.width.saturating_sub(SCALE), area.height.saturating_sub(2)];
    if width < 10 || height < 2 {
        return;
    }
    let (measured, predicted) = (wave.curve(), wave.predicted_curve());
    let last = |curve: &[(Duration, usize)]| curve.last().map_or(Duration::ZERO, |(at, _)| *at);
    let end = (last(&measured).max(last(&predicted)) * 21 / 20).max(Duration::from_micros(10));
    let of = wave.coverage().of.max(1);
    let plot = Rect { x: area.x + SCALE, y: area.y + 1, width, height };
    legend(!predicted.is_empty(), frame, Rect { height: 1, ..area }, view);
    let dots = dotted(&steps(&predicted, of, end), f64::from(width) * DOTS);
    let points = |context: &mut Context<'_>| {
        let color = view.style(Tone::Seed).fg.unwrap_or_default();
        context.draw(&Points { coords: &dots, color });
    };
    frame.render_widget(canvas('.', view).paint(points), plot);
    let line = steps(&measured, of, end);
    let strokes = |context: &mut Context<'_>| {
        let color = view.style(Tone::Wave).fg.unwrap_or_default();
        for pair in line.windows(2) {
            let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
            context.draw(&Stroke { x1, y1, x2, y2, color });
        }
    };
    frame.render_widget(canvas('*', view).paint(strokes), plot);
    scale(end, frame, area, view);
}

fn canvas<'a, F: Fn(&mut Context<'_>)>(ascii: char, view: &View<'_>) -> Canvas<'a, F> {
    let marker = match view.theme.glyphs {
        Glyphs::Unicode => Marker::Braille,
        Glyphs::Ascii => Marker::Custom(ascii),
    };
    Canvas::default().marker(marker).x_bounds([0.0, 1.0]).y_bounds([0.0, 1.0])
}

/// Turns the corners of a curve into steps up to the end.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn steps(curve: &[(Duration, usize)], of: usize, end: Duration) -> Steps {
    let mut steps: Steps = Vec::with_capacity(curve.len() * 2 + 1);
    for (at, have) in curve {
        let x = at.as_secs_f64() / end.as_secs_f64();
        if let Some((_, level)) = steps.last().copied() {
            steps.push((x, level));
        }
        steps.push((x, *have as f64 / of as f64));
    }
    if let Some((_, level)) = steps.last().copied() {
        steps.push((1.0, level));
    }
    steps
}

/// The levels of a curve as dots; `across`: dots in the whole width.
fn dotted(steps: &Steps, across: f64) -> Steps {
    let mut dots = Vec::new();
    for pair in steps.windows(2) {
        let [(from, level), (to, _)] = [pair[0], pair[1]];
        let mut x = from;
        while x < to {
            dots.push((x, level));
            // Every other one is left out: dots, not a line.
            x += 2.0 / across;
        }
    }
    dots
}

fn legend(is_predicted: bool, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let mut spans =
        vec![view.span(Tone::Stale, "coverage: "), view.span(Tone::Wave, view.theme.sign("─ measured", "* measured"))];
    if is_predicted {
        spans.push(view.span(Tone::Seed, view.theme.sign("  ┈ predicted", "  . predicted")));
    }
    frame.render_widget(Line::from(spans), area);
}

fn scale(end: Duration, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let at = |row: u16| Rect { y: area.y + row, height: 1, ..area };
    let label = |frame: &mut Frame<'_>, text: &str, row| frame.render_widget(view.span(Tone::Stale, text), at(row));
    label(frame, "100%", 1);
    label(frame, "  0%", area.height.saturating_sub(2));
    let end = span_text(end);
    let fill = usize::from(area.width).saturating_sub(usize::from(SCALE) + 1 + text::width(&end));
    label(frame, &format!("{:5}0{:fill$}{end}", "", ""), area.height.saturating_sub(1));
}
