//! A diagram drawn with characters, for the console and for a plain text.
//!
//! ```text
//!                p1        p4        p2        +5
//! 20:47:25.012   ◆         │         │         │     p1#3
//!        +1 ms   ├────────▸│         │         │     hop 1, 1.0 ms
//!      +120 us   │         ├─────────┼────────▸│
//!                │         ├────────✗│         │     lost: cut p2 p4
//! ```

use std::time::Duration;

use unicode_width::UnicodeWidthChar as _;

use super::item::{ArrowStroke, DiagramItem, Ink, ItemKind, ItemRoute, Tip};
use super::layout::{Extent, LayoutRow, RowStep, lay_out, scrolled_step_for, time_text};
use super::{COLUMNS_MAX, COLUMNS_MIN, Diagram, LifeLine};
use crate::model::words::{clock_text, span_text};
use crate::proto::time::Time;

/// Characters of the time in front of a row: `20:47:25.012`, and two blanks.
const TIME_WIDTH: usize = 14;
/// Characters that a column takes at least, and that it is not wider than.
const COLUMN_WIDTH_MIN: usize = 6;
const COLUMN_WIDTH_MAX: usize = 14;
/// Characters that are left for what is said beside the last column, where there is room.
const LABEL_WIDTH: usize = 24;

/// With which characters it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strokes {
    Box,
    Ascii,
}

/// What a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellPart {
    Blank,
    /// The time of its row.
    Time,
    Life(LifeLine),
    Item(Ink),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridCell {
    /// One column wide.
    pub symbol: char,
    pub part: CellPart,
}

/// A row of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    pub at: Time,
    pub cells: Vec<GridCell>,
    /// Places of what is drawn in it in [`Diagram::items`].
    pub items: Vec<usize>,
}

impl GridRow {
    /// The row as text, without blanks at its end.
    pub fn text(&self) -> String {
        let text: String = self.cells.iter().map(|cell| cell.symbol).collect();
        text.trim_end().to_owned()
    }
}

/// A diagram in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The names above the columns.
    pub head: GridRow,
    pub rows: Vec<GridRow>,
    /// How much time a row stands for.
    pub step: RowStep,
}

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridStyle {
    pub strokes: Strokes,
    /// Characters of a row.
    pub width: usize,
    /// How much time a row stands for.
    pub step: GridStep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GridStep {
    Of(RowStep),
    /// The shortest that needs no more rows than this, as far as there is one.
    Rows(usize),
}

/// Columns that rows of this width have room for, if the widest name takes so many characters.
pub fn columns_max(width: usize, name_width: usize) -> usize {
    let column = (name_width + 2).clamp(COLUMN_WIDTH_MIN, COLUMN_WIDTH_MAX);
    (width.saturating_sub(TIME_WIDTH) / column).clamp(COLUMNS_MIN, COLUMNS_MAX)
}

/// Draws it.
pub fn grid(diagram: &Diagram, style: GridStyle) -> Grid {
    let pen = Pen::new(diagram, style);
    let lay_out = |step: RowStep| lay_out(&diagram.items, step, |item| pen.extent(item));
    let step = match style.step {
        GridStep::Of(step) => step,
        GridStep::Rows(most) => scrolled_step_for(most, |step| lay_out(step).len()),
    };
    let mut before = None;
    let rows = lay_out(step).into_iter().map(|row| {
        let drawn = pen.row(&row, before);
        before = Some(row.at).filter(|_| !row.items.is_empty()).or(before);
        drawn
    });
    let rows = rows.collect();
    Grid { head: pen.head(), rows, step }
}

/// The glyphs of one kind of line: along it, and where it leaves a node to the right and to the left.
struct LineGlyphs {
    along: char,
    head: [char; 2],
}

/// What draws one diagram.
struct Pen<'a> {
    diagram: &'a Diagram,
    style: GridStyle,
    /// Where the middle of each column is.
    middles: Vec<usize>,
}

impl<'a> Pen<'a> {
    fn new(diagram: &'a Diagram, style: GridStyle) -> Self {
        let columns = diagram.width().max(1);
        let room = style.width.saturating_sub(TIME_WIDTH);
        let beside = if room >= columns * COLUMN_WIDTH_MIN + LABEL_WIDTH { LABEL_WIDTH } else { 0 };
        let width = ((room - beside.min(room)) / columns).clamp(COLUMN_WIDTH_MIN.min(room / columns), COLUMN_WIDTH_MAX);
        let middles = (0..columns).map(|column| TIME_WIDTH + column * width + width / 2).collect();
        Self { diagram, style, middles }
    }

    const fn pick(&self, (unicode, ascii): (char, char)) -> char {
        match self.style.strokes {
            Strokes::Box => unicode,
            Strokes::Ascii => ascii,
        }
    }

    fn blank(&self) -> Vec<GridCell> {
        vec![GridCell { symbol: ' ', part: CellPart::Blank }; self.style.width]
    }

    /// The part of a row that it takes, what is said beside it included if that matters; `None` if it is
    /// between nodes that share a column.
    fn extent(&self, item: &DiagramItem) -> Option<Extent> {
        if self.diagram.is_inside_fold(item) && item.kind.is_quiet() {
            return None;
        }
        let (first, last) = self.diagram.reach(item)?;
        let (left, right) = (*self.middles.get(first)?, self.middles.get(last)? + 1);
        let label = self.label_place(item, left, right).filter(|_| !item.kind.is_quiet());
        let beside = label.map_or(Extent { left, right }, |at| Extent { left: at, right: at + width(&item.label) });
        Some(Extent { left: left.min(beside.left), right: right.max(beside.right + 1) })
    }

    /// Where its label begins: after it, else before it, else nowhere.
    fn label_place(&self, item: &DiagramItem, left: usize, right: usize) -> Option<usize> {
        let wide = width(&item.label);
        let after = right + 1;
        if wide == 0 {
            None
        } else if after + wide <= self.style.width {
            Some(after)
        } else {
            left.checked_sub(wide + 1).filter(|at| *at >= TIME_WIDTH)
        }
    }

    fn head(&self) -> GridRow {
        let mut cells = self.blank();
        let mut free = TIME_WIDTH.saturating_sub(1);
        for (name, middle) in self.diagram.heads().iter().zip(&self.middles) {
            let begin = middle.saturating_sub(width(name) / 2).max(free);
            self.write(&mut cells, begin, name, CellPart::Time);
            free = begin + width(name) + 1;
        }
        GridRow { at: self.diagram.from, cells, items: Vec::new() }
    }

    fn row(&self, row: &LayoutRow, before: Option<Time>) -> GridRow {
        let mut cells = self.blank();
        self.draw_lives(&mut cells, row.at);
        let time = match row.silence {
            Some(silence) => aside(&format!("{} {}", self.pick(('⋮', ':')), span_text(silence))),
            None if row.items.is_empty() => String::new(),
            None => self.time_text(row.at, before),
        };
        self.write(&mut cells, 0, &time, CellPart::Time);
        for item in row.items.iter().filter_map(|place| self.diagram.items.get(*place)) {
            self.draw(&mut cells, item);
        }
        for item in row.items.iter().filter_map(|place| self.diagram.items.get(*place)) {
            self.draw_label(&mut cells, item);
        }
        self.draw_inside_fold(&mut cells, row);
        GridRow { at: row.at, cells, items: row.items.clone() }
    }

    fn time_text(&self, at: Time, before: Option<Time>) -> String {
        let text = time_text(at, before, self.diagram.utc_offset_s);
        if text.starts_with('+') { aside(&text) } else { text }
    }

    fn draw_lives(&self, cells: &mut [GridCell], at: Time) {
        let folded = Some(LifeLine::Runs).filter(|_| !self.diagram.folded.is_empty());
        let lives = self.diagram.columns.iter().map(|column| column.life_at(at)).chain(folded);
        for (life, middle) in lives.zip(&self.middles) {
            let symbol = match life {
                LifeLine::Runs => self.pick(('│', '|')),
                LifeLine::Hangs => self.pick(('┊', ':')),
                LifeLine::Gone => ' ',
                LifeLine::Elsewhere => self.pick(('╎', '|')),
            };
            put(cells, *middle, symbol, CellPart::Life(life));
        }
    }

    fn draw(&self, cells: &mut [GridCell], item: &DiagramItem) {
        let part = CellPart::Item(item.kind.ink());
        match &item.route {
            ItemRoute::Between { from, to, .. } => {
                let ends = [from, to].map(|end| self.diagram.place_of(*end).and_then(|at| self.middles.get(at)));
                let [Some(from), Some(to)] = ends else { return };
                self.draw_arrow(cells, item.kind, (*from, *to), part);
            }
            ItemRoute::At(node) => {
                let middle = self.diagram.place_of(*node).and_then(|place| self.middles.get(place));
                if let Some(middle) = middle {
                    put(cells, *middle, self.pick(item.kind.sign()), part);
                }
            }
            ItemRoute::Across(nodes) => {
                let places = nodes.iter().filter_map(|node| self.diagram.place_of(*node));
                self.draw_across(cells, &places.collect::<Vec<_>>(), item.kind, part);
            }
            ItemRoute::Everywhere => {
                self.draw_across(cells, &(0..self.diagram.width()).collect::<Vec<_>>(), item.kind, part);
            }
        }
    }

    fn draw_across(&self, cells: &mut [GridCell], places: &[usize], kind: ItemKind, part: CellPart) {
        let middles = || places.iter().filter_map(|place| self.middles.get(*place)).copied();
        let (Some(left), Some(right)) = (middles().min(), middles().max()) else { return };
        (left..=right).for_each(|at| put(cells, at, self.pick(('═', '=')), part));
        middles().for_each(|at| put(cells, at, self.pick(kind.sign()), part));
    }

    fn draw_arrow(&self, cells: &mut [GridCell], kind: ItemKind, (from, to): (usize, usize), part: CellPart) {
        if from == to {
            return put(cells, from, self.pick(kind.sign()), part);
        }
        let LineGlyphs { along, head } = self.glyphs(kind.stroke());
        let is_right = from < to;
        let (left, right) = (from.min(to), from.max(to));
        for at in left + 1..right {
            let is_crossing = self.middles.contains(&at) && cells.get(at).is_some_and(|cell| cell.symbol != ' ');
            let crossed = if kind.stroke() == ArrowStroke::Double { ('╪', '+') } else { ('┼', '+') };
            put(cells, at, if is_crossing { self.pick(crossed) } else { along }, part);
        }
        let start = if is_right { ('├', '|') } else { ('┤', '|') };
        put(cells, from, self.pick(start), part);
        let (before_end, after_start) = if is_right { (to - 1, from + 1) } else { (to + 1, from - 1) };
        match kind.tip() {
            Tip::Head => put(cells, before_end, head[usize::from(!is_right)], part),
            Tip::Heads => {
                put(cells, before_end, head[usize::from(!is_right)], part);
                put(cells, after_start, head[usize::from(is_right)], part);
            }
            Tip::Cross => put(cells, before_end, self.pick(('✗', 'x')), part),
            Tip::None => {}
        }
    }

    const fn glyphs(&self, stroke: ArrowStroke) -> LineGlyphs {
        let (along, head) = match (self.style.strokes, stroke) {
            (Strokes::Box, ArrowStroke::Strong) => ('━', ['▸', '◂']),
            (Strokes::Box, ArrowStroke::Plain) => ('─', ['▸', '◂']),
            (Strokes::Box, ArrowStroke::Faint) => ('┈', ['▹', '◃']),
            (Strokes::Box, ArrowStroke::Dashed) => ('╌', ['▹', '◃']),
            (Strokes::Box, ArrowStroke::Double) => ('═', ['▸', '◂']),
            (Strokes::Ascii, ArrowStroke::Strong | ArrowStroke::Plain) => ('-', ['>', '<']),
            (Strokes::Ascii, ArrowStroke::Faint) => ('.', ['>', '<']),
            (Strokes::Ascii, ArrowStroke::Dashed) => ('~', ['>', '<']),
            (Strokes::Ascii, ArrowStroke::Double) => ('=', ['>', '<']),
        };
        LineGlyphs { along, head }
    }

    /// What is said beside it, where nothing but the lines of time is in the way.
    fn draw_label(&self, cells: &mut [GridCell], item: &DiagramItem) {
        let Some((first, last)) = self.diagram.reach(item) else { return };
        let (Some(left), Some(right)) = (self.middles.get(first), self.middles.get(last)) else { return };
        let Some(at) = self.label_place(item, *left, right + 1) else { return };
        if self.diagram.is_inside_fold(item) && item.kind.is_quiet() {
            return;
        }
        let place = at.saturating_sub(1)..(at + width(&item.label) + 1).min(cells.len());
        if cells.get(place).is_some_and(|there| !there.iter().any(|cell| matches!(cell.part, CellPart::Item(_)))) {
            self.write(cells, at, &item.label, CellPart::Item(item.kind.ink()));
        }
    }

    /// How much went on among the nodes that share a column.
    fn draw_inside_fold(&self, cells: &mut [GridCell], row: &LayoutRow) {
        let items = row.items.iter().filter_map(|place| self.diagram.items.get(*place));
        let inside = items.filter(|item| item.kind.is_quiet() && self.diagram.is_inside_fold(item)).count();
        let Some(middle) = self.middles.last().filter(|_| inside > 1) else { return };
        let text = format!("x{inside}");
        let place = middle + 1..middle + 2 + text.len();
        // A label stands there as well.
        if cells.get(place).is_some_and(|there| !there.iter().any(|cell| matches!(cell.part, CellPart::Item(_)))) {
            self.write(cells, middle + 2, &text, CellPart::Item(Ink::Faint));
        }
    }

    fn write(&self, cells: &mut [GridCell], from: usize, text: &str, part: CellPart) {
        for (at, symbol) in (from..).zip(text.chars()) {
            let is_plain = symbol.width() == Some(1) && (self.style.strokes == Strokes::Box || symbol.is_ascii());
            put(cells, at, if is_plain { symbol } else { '?' }, part);
        }
    }
}

fn put(cells: &mut [GridCell], at: usize, symbol: char, part: CellPart) {
    if let Some(cell) = cells.get_mut(at) {
        *cell = GridCell { symbol, part };
    }
}

/// Characters of a text: each is drawn one column wide.
fn width(text: &str) -> usize {
    text.chars().count()
}

impl Grid {
    /// The row in which an item is drawn.
    pub fn row_of(&self, item: usize) -> Option<usize> {
        self.rows.iter().position(|row| row.items.contains(&item))
    }

    /// Some rows, from the one at this place on, as they are seen alone: the first tells the time of day, as the
    /// row before it is not there.
    pub fn part(&self, top: usize, height: usize, utc_offset_s: i32) -> Vec<GridRow> {
        let mut rows: Vec<GridRow> = self.rows.iter().skip(top).take(height).cloned().collect();
        if let Some(first) = rows.first_mut().filter(|row| !row.items.is_empty()) {
            let clock = clock_text(first.at, utc_offset_s);
            for (at, symbol) in clock.chars().chain(std::iter::repeat(' ')).take(TIME_WIDTH - 1).enumerate() {
                put(&mut first.cells, at, symbol, CellPart::Time);
            }
        }
        rows
    }

    /// The span that a row stands for, in words.
    pub fn step_text(&self) -> String {
        span_text(self.step.span().max(Duration::from_micros(1)))
    }
}

/// A text that ends where times end.
fn aside(text: &str) -> String {
    let fill = (TIME_WIDTH - 2).saturating_sub(width(text));
    format!("{:fill$}{text}", "")
}
