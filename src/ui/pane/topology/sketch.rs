//! Lines, signs and labels on cells: what every drawing of the overlay is made of.
//!
//! Lines are drawn on ratatui's canvas with Braille dots, two across and four down in a cell. The
//! canvas knows only colors, so a line is drawn in a stand-in color, which then becomes the style
//! of its tone.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::widgets::canvas::{Canvas, Painter, Shape};

use super::look::{Look, cut_sign};
use crate::proto::addr::Addr;
use crate::ui::options::Glyphs;
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

/// Dots of a cell.
const ACROSS: f64 = 2.0;
const DOWN: f64 = 4.0;
/// The tones of lines; the index of each is its stand-in color.
const TONES: [Tone; 6] = [Tone::Stale, Tone::Seed, Tone::Suspect, Tone::Plain, Tone::Dead, Tone::Wave];

/// A line between two cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) from: Position,
    pub(super) to: Position,
    /// How much of it is drawn, from 0 to 1.
    pub(super) part: f64,
    pub(super) tone: Tone,
    pub(super) dash: Dash,
}

impl Stroke {
    fn middle(&self) -> Position {
        Position { x: self.from.x.midpoint(self.to.x), y: self.from.y.midpoint(self.to.y) }
    }
}

/// The pattern of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dash {
    /// Every dot.
    Solid,
    /// Some of them.
    Dotted,
    /// Some of them, with [`cut_sign`] in the middle.
    Cut,
}

/// A node on a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) addr: Addr,
    pub(super) at: Position,
    pub(super) look: Look,
    /// The text beside it, if there is room.
    pub(super) label: Option<(Tone, String)>,
    pub(super) rank: Rank,
}

/// Whether the keys act on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Selected,
    Other,
}

/// Draws everything: lines below signs below labels.
pub(super) fn draw(strokes: &[Stroke], marks: &[Mark], frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    draw_strokes(strokes, frame, area, view);
    let buffer = frame.buffer_mut();
    for stroke in strokes.iter().filter(|stroke| stroke.dash == Dash::Cut) {
        let at = stroke.middle();
        buffer[at].set_symbol(cut_sign(view.theme)).set_style(view.style(stroke.tone));
    }
    for mark in marks {
        let tone = view.style(mark.look.tone);
        buffer[mark.at].set_symbol(mark.look.sign).set_style(tone);
    }
    let mut ground = Ground::new(area, marks);
    for mark in marks {
        ground.write_trouble(mark, buffer, view);
    }
    for mark in marks {
        if let Some((tone, label)) = &mark.label {
            ground.write(mark, *tone, label, buffer, view);
        }
    }
    for mark in marks.iter().filter(|mark| mark.rank == Rank::Selected) {
        emphasize(mark, &ground, buffer, view);
    }
}

/// The selected node is reversed and stands in brackets, on the frame if it stands beside that.
fn emphasize(mark: &Mark, ground: &Ground, buffer: &mut Buffer, view: &View<'_>) {
    let style = buffer[mark.at].style();
    buffer[mark.at].set_style(selected(style));
    let sides = [(mark.at.x.checked_sub(1), "["), (mark.at.x.checked_add(ground.signs(mark)), "]")];
    for (x, bracket) in sides {
        let at = x.map(|x| Position { x, ..mark.at });
        if let Some(at) = at.filter(|at| ground.is_free(*at) || (ground.is_beside(*at) && buffer.area.contains(*at))) {
            buffer[at].set_symbol(bracket).set_style(view.style(Tone::Strong));
        }
    }
}

fn draw_strokes(strokes: &[Stroke], frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    if area.is_empty() || strokes.is_empty() {
        return;
    }
    let marker = match view.theme.glyphs {
        Glyphs::Unicode => Marker::Braille,
        Glyphs::Ascii => Marker::Custom('.'),
    };
    // A unit is a dot, so that a circle is round; the canvas counts from below.
    let bounds = |cells: u16, dots: f64| [0.0, f64::from(cells) * dots - 1.0];
    let canvas = Canvas::default()
        .marker(marker)
        .x_bounds(bounds(area.width, ACROSS))
        .y_bounds(bounds(area.height, DOWN))
        .paint(|context| strokes.iter().for_each(|stroke| context.draw(&OnCanvas { stroke, area })));
    frame.render_widget(canvas, area);
    let buffer = frame.buffer_mut();
    for at in area.positions() {
        let Color::Indexed(number) = buffer[at].fg else { continue };
        if let Some(tone) = TONES.get(usize::from(number)) {
            buffer[at].fg = Color::Reset;
            buffer[at].set_style(view.style(*tone));
        }
    }
}

/// A stroke as the canvas takes it.
struct OnCanvas<'a> {
    stroke: &'a Stroke,
    area: Rect,
}

impl Shape for OnCanvas<'_> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dots of a screen")]
    fn draw(&self, painter: &mut Painter<'_, '_>) {
        let number = TONES.iter().position(|tone| *tone == self.stroke.tone).unwrap_or(0);
        let color = Color::Indexed(u8::try_from(number).unwrap_or(0));
        let (from, to) = (self.dot(self.stroke.from), self.dot(self.stroke.to));
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let steps = across.abs().max(down.abs()).max(1.0) as u32;
        let shown = (f64::from(steps) * self.stroke.part).round() as u32;
        for step in (0..=shown).filter(|step| self.stroke.dash == Dash::Solid || step % 4 == 0) {
            let share = f64::from(step) / f64::from(steps);
            if let Some((x, y)) = painter.get_point(from.0 + across * share, from.1 + down * share) {
                painter.paint(x, y, color);
            }
        }
    }
}

impl OnCanvas<'_> {
    /// The middle of a cell, in dots from the lower left.
    fn dot(&self, at: Position) -> (f64, f64) {
        let x = f64::from(at.x - self.area.x) * ACROSS + 0.5;
        let y = f64::from(self.area.bottom() - 1 - at.y) * DOWN + 1.5;
        (x, y)
    }
}

/// Which cells are taken by signs and labels.
pub(super) struct Ground {
    area: Rect,
    taken: Vec<bool>,
    /// Nodes with a second sign to the right.
    broad: Vec<Position>,
}

impl Ground {
    pub(super) fn new(area: Rect, marks: &[Mark]) -> Self {
        let cells = usize::from(area.width) * usize::from(area.height);
        let mut ground = Self { area, taken: vec![false; cells], broad: Vec::new() };
        for mark in marks {
            ground.take(mark.at);
        }
        ground
    }

    pub(super) fn take(&mut self, at: Position) {
        if let Some(place) = self.place(at) {
            self.taken[place] = true;
        }
    }

    /// Inside, and nothing on it.
    pub(super) fn is_free(&self, at: Position) -> bool {
        self.place(at).is_some_and(|place| !self.taken[place])
    }

    /// Right beside the area.
    fn is_beside(&self, at: Position) -> bool {
        at.x + 1 == self.area.x || at.x == self.area.right()
    }

    fn place(&self, at: Position) -> Option<usize> {
        let inside = self.area.contains(at);
        inside.then(|| usize::from(at.y - self.area.y) * usize::from(self.area.width) + usize::from(at.x - self.area.x))
    }

    /// Writes what is wrong with a node to the right of its sign, or in its place if that is taken:
    /// trouble matters more than the wave.
    fn write_trouble(&mut self, mark: &Mark, buffer: &mut Buffer, view: &View<'_>) {
        let Some(trouble) = mark.look.trouble else { return };
        let beside = Position { x: mark.at.x.saturating_add(1), ..mark.at };
        let at = if self.is_free(beside) { beside } else { mark.at };
        buffer[at].set_symbol(trouble.sign(view.theme)).set_style(view.style(mark.look.tone));
        if at == beside {
            self.take(at);
            self.broad.push(mark.at);
        }
    }

    /// Cells that the signs of a node take.
    fn signs(&self, mark: &Mark) -> u16 {
        if self.broad.contains(&mark.at) { 2 } else { 1 }
    }

    /// Beside its node, where it covers the least; nowhere if it would cover another label.
    fn write(&mut self, mark: &Mark, tone: Tone, label: &str, buffer: &mut Buffer, view: &View<'_>) {
        let label = text::plain(label.to_owned(), view.theme.glyphs);
        let Ok(width) = u16::try_from(text::width(&label)) else { return };
        let signs = self.signs(mark);
        let places = beside(mark.at, signs, width).into_iter().flatten().enumerate();
        let fitting = places.filter(|(_, at)| self.has_room(*at, width));
        let best = fitting.min_by_key(|(order, at)| 2 * covered(*at, width, buffer) + order);
        // In a crowd, the selected node is named anyway.
        let least = || self.least_bad(mark, width).filter(|_| mark.rank == Rank::Selected);
        let Some(at) = best.map(|(_, at)| at).or_else(least) else { return };
        let style = view.style(tone);
        let style = if mark.rank == Rank::Selected { selected(style) } else { style };
        for x in at.x..at.x + width {
            self.take(Position { x, ..at });
            buffer[(x, at.y)].reset();
        }
        buffer.set_string(at.x, at.y, label, style);
    }

    /// The place beside a node that covers the fewest signs and labels.
    fn least_bad(&self, mark: &Mark, width: u16) -> Option<Position> {
        let cells = |at: Position| (at.x..at.x.saturating_add(width)).map(move |x| Position { x, ..at });
        let inside = |at: &Position| cells(*at).all(|cell| self.area.contains(cell));
        let places = beside(mark.at, self.signs(mark), width).into_iter().flatten().filter(inside);
        places.min_by_key(|at| cells(*at).filter(|cell| !self.is_free(*cell)).count())
    }

    /// This many free cells, with no other label or sign right beside them.
    fn has_room(&self, at: Position, width: u16) -> bool {
        let free = (at.x..at.x.saturating_add(width)).all(|x| self.is_free(Position { x, ..at }));
        let is_label = |x: Option<u16>| {
            let beside = x.map(|x| Position { x, ..at });
            beside.is_some_and(|beside| self.area.contains(beside) && !self.is_free(beside))
        };
        free && !is_label(at.x.checked_sub(1)) && !is_label(at.x.checked_add(width))
    }
}

/// Where the label of a node with this many signs can begin, the best place first.
fn beside(at: Position, signs: u16, width: u16) -> [Option<Position>; 8] {
    let place = |x: Option<u16>, y: Option<u16>| Some(Position { x: x?, y: y? });
    let (right, left) = (at.x.checked_add(signs + 1), at.x.checked_sub(width + 1));
    let (above, here, below) = (at.y.checked_sub(1), Some(at.y), at.y.checked_add(1));
    let middle = at.x.checked_sub(width / 2);
    let (after, before) = (at.x.checked_add(signs), at.x.checked_sub(width));
    [
        place(right, here),
        place(left, here),
        place(middle, below),
        place(middle, above),
        place(after, below),
        place(after, above),
        place(before, below),
        place(before, above),
    ]
}

/// Cells with lines that a label would cover.
fn covered(at: Position, width: u16, buffer: &Buffer) -> usize {
    (at.x..at.x + width).filter(|x| buffer[(*x, at.y)].symbol() != " ").count()
}
