//! A space-time diagram as a picture (SVG): text stays text, and it follows the reader's light or dark theme.
//!
//! It is written by hand: it has no axis with a scale and no curve, for which a library would plot. Rows
//! are those of [`layout`](crate::model::diagram::layout), so time is in order and not in proportion. What is
//! beside an arrow stands in full behind it, where a pointer shows it.

mod columns;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::columns::SvgColumns;
use crate::model::diagram::item::{ArrowStroke, DiagramItem, Ink, ItemKind, ItemRoute, Tip};
use crate::model::diagram::layout::{LayoutRow, lay_out, place_of, step_for, time_text};
use crate::model::diagram::{Diagram, LifeLine};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::text::printable;
use crate::proto::time::Time;

/// Pixels of a row, and of a character of the small monospace font.
const ROW: usize = 22;
const CHAR: usize = 7;
/// Pixels of the times on the left, and around everything.
const TIMES: usize = 104;
const MARGIN: usize = 14;
/// Pixels of a column.
const COLUMN_MIN: usize = 64;
const COLUMN_MAX: usize = 132;
/// The narrowest picture: a caption stays readable.
const WIDTH_MIN: usize = 560;
/// Rows of a picture in a file: some screens.
const FILE_ROWS_MAX: usize = 160;
/// Rows of a picture in a page: with its heading and its legend no more than a printed page holds.
const PAGE_ROWS_MAX: usize = 36;
/// Characters of what is said beside an item in a file; the rest is behind it.
const FILE_LABEL_LEN_MAX: usize = 72;
/// The same in a page, which is as wide as a sheet of paper.
const PAGE_LABEL_LEN_MAX: usize = 44;
/// Between two entries of the legend.
const LEGEND_GAP: usize = 20;
/// Pixels of the sample in front of an entry.
const SAMPLE: usize = 30;

/// The style of all pictures. A file has it within; a page has it once for all of its pictures.
pub const STYLE: &str = "\
.std{color-scheme:light dark;--ink:#1f2328;--ground:#ffffff;--faint:#848d97;--life:#c4ccd5;--wave:#9a1b97;--good:#1a7f37;--doubt:#8a5a00;\
--bad:#c8202c;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;\
fill:var(--ink)}\
@media(prefers-color-scheme:dark){.std{--ink:#d9dde3;--ground:#14171c;--faint:#828b96;--life:#3d4450;--wave:#e58be2;\
--good:#63c174;--doubt:#e0b050;--bad:#ff7b81}}\
@media print{.std{--ink:#000;--ground:#fff;--faint:#666;--life:#bbb;--wave:#80107d;--good:#116329;--doubt:#6b4600;\
--bad:#a40e1a}}\
.std .ground{fill:var(--ground)}.std .title{font-size:15px;font-weight:600}.std .head{font-weight:600;text-anchor:middle}\
.std .seed{fill:var(--good)}.std .note,.std .time{fill:var(--faint)}.std .time{text-anchor:end}\
.std .life{stroke:var(--life);stroke-width:2;fill:none}.std .hangs{stroke-dasharray:2 5}.std .elsewhere{stroke-dasharray:7 4}\
.std .fold{fill:var(--life);opacity:.25}\
.std .label,.std .sign{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}\
.std .sign{text-anchor:middle;font-size:14px;font-weight:700}\
.std .line{fill:none;stroke:currentColor;stroke-width:1.4}.std .strong{stroke-width:2.2}\
.std .thin{stroke-width:1;stroke-dasharray:1.5 3}.std .dashed{stroke-dasharray:6 4}.std .double{stroke-width:4;opacity:.55}\
.std .tip{fill:currentColor}.std .wave{color:var(--wave);fill:var(--wave)}.std .good{color:var(--good);fill:var(--good)}\
.std .plain{color:var(--ink);fill:var(--ink)}.std .faint{color:var(--faint);fill:var(--faint)}\
.std .doubt{color:var(--doubt);fill:var(--doubt)}.std .bad{color:var(--bad);fill:var(--bad)}";

/// Where a picture is shown, and what is written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvgStyle {
    pub place: SvgPlace,
    /// The first line: what it is about.
    pub title: String,
    /// Lines below the title: session, times, command.
    pub caption: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SvgPlace {
    /// In a file of its own, on a ground of its own.
    File,
    /// In a page that has [`STYLE`], on the page's ground; smaller.
    Page,
}

impl SvgPlace {
    const fn rows_max(self) -> usize {
        match self {
            Self::File => FILE_ROWS_MAX,
            Self::Page => PAGE_ROWS_MAX,
        }
    }

    const fn label_len_max(self) -> usize {
        match self {
            Self::File => FILE_LABEL_LEN_MAX,
            Self::Page => PAGE_LABEL_LEN_MAX,
        }
    }
}

/// Draws a diagram.
pub fn svg(diagram: &Diagram, style: &SvgStyle) -> String {
    SvgPicture::new(diagram, style).draw()
}

/// A point in pixels.
#[derive(Debug, Clone, Copy)]
struct SvgPoint {
    x: f64,
    y: f64,
}

struct SvgPicture<'a> {
    diagram: &'a Diagram,
    style: &'a SvgStyle,
    rows: Vec<LayoutRow>,
    columns: SvgColumns<'a>,
    width: usize,
    /// Where the first row is.
    top: usize,
    /// Lines below the rows.
    notes: Vec<String>,
}

impl<'a> SvgPicture<'a> {
    fn new(diagram: &'a Diagram, style: &'a SvgStyle) -> Self {
        let widest = diagram.heads().iter().map(|name| name.chars().count() * CHAR + 18).max().unwrap_or(0);
        let column = widest.clamp(COLUMN_MIN, COLUMN_MAX);
        let middles = (0..diagram.width()).map(|place| MARGIN + TIMES + place * column + column / 2).collect();
        let columns = SvgColumns { diagram, middles, label_len_max: style.place.label_len_max() };
        let (rows, cut) = rows(&columns, style.place);
        let drawn = rows.iter().flat_map(|row| &row.items).filter_map(|place| diagram.items.get(*place));
        let end = |item: &DiagramItem| Some(columns.extent(item)?.right);
        let body = MARGIN + TIMES + diagram.width() * column;
        let width = drawn.filter_map(end).fold(body.max(WIDTH_MIN), usize::max) + MARGIN;
        let fits = |text: &String| wrapped(text, (width - 2 * MARGIN) / CHAR);
        let cut = (cut > 0).then(|| format!("not drawn: {} after that", count_text(cut as u64, "item")));
        let notes = cut.iter().chain(&diagram.notes()).flat_map(fits).collect();
        let caption = style.caption.iter().flat_map(fits).count();
        let top = MARGIN + (usize::from(!style.title.is_empty()) + caption) * ROW + 2 * ROW;
        Self { diagram, style, rows, columns, width, top, notes }
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    fn y_at(&self, at: Time) -> f64 {
        self.top as f64 + place_of(&self.rows, at) * ROW as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    fn x_of(&self, node: Addr) -> Option<f64> {
        self.columns.middles.get(self.diagram.place_of(node)?).map(|middle| *middle as f64)
    }

    const fn bottom(&self) -> usize {
        self.top + self.rows.len() * ROW
    }

    fn draw(&self) -> String {
        let mut body = String::new();
        self.draw_heading(&mut body);
        self.draw_lives(&mut body);
        self.draw_times(&mut body);
        // Above all lines, so that none crosses them.
        let mut labels = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let items = || row.items.iter().filter_map(|place| self.diagram.items.get(*place));
            items().for_each(|item| self.draw_item(&mut body, item, index));
            items().for_each(|item| self.draw_label(&mut labels, item, index));
            self.draw_inside_fold(&mut body, items(), index);
        }
        body += &labels;
        let mut y = self.bottom() + ROW;
        self.draw_legend(&mut body, &mut y);
        for note in &self.notes {
            push_text(&mut body, "note", MARGIN, y, note);
            y += ROW;
        }
        let (width, height, title) = (self.width, y, escaped(&self.title()));
        let ground = match self.style.place {
            SvgPlace::File => {
                format!("<style>{STYLE}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n")
            }
            SvgPlace::Page => String::new(),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"std\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             {ground}{body}</svg>\n"
        )
    }

    fn title(&self) -> String {
        let title = if self.style.title.is_empty() { &self.diagram.title } else { &self.style.title };
        format!("Space-time diagram of {title}")
    }

    fn draw_heading(&self, svg: &mut String) {
        let mut y = MARGIN + 15;
        if !self.style.title.is_empty() {
            push_text(svg, "title", MARGIN, y, &self.style.title);
            y += ROW;
        }
        for line in self.style.caption.iter().flat_map(|text| wrapped(text, (self.width - 2 * MARGIN) / CHAR)) {
            push_text(svg, "note", MARGIN, y, &line);
            y += ROW;
        }
        let seeds = self.diagram.columns.iter().map(|column| column.role == Some(crate::proto::message::Role::Seed));
        let seeds = seeds.chain([false]);
        for ((name, middle), is_seed) in self.diagram.heads().iter().zip(&self.columns.middles).zip(seeds) {
            let class = if is_seed { "head seed" } else { "head" };
            push_text(svg, class, *middle, self.top - ROW, name);
        }
    }

    fn draw_lives(&self, svg: &mut String) {
        let (top, bottom) = (self.top - ROW + 6, self.bottom());
        for (column, middle) in self.diagram.columns.iter().zip(&self.columns.middles) {
            let lives = &column.lives[..self.lives_drawn(&column.lives)];
            for (index, (since, life)) in lives.iter().enumerate() {
                #[expect(clippy::cast_precision_loss, reason = "pixels")]
                let edge =
                    |at: Option<&(Time, LifeLine)>, other: usize| at.map_or(other as f64, |(at, _)| self.y_at(*at));
                let from = edge(Some(&(*since, *life)).filter(|_| index > 0), top);
                let to = edge(lives.get(index + 1), bottom);
                let class = match life {
                    LifeLine::Runs => "life",
                    LifeLine::Hangs => "life hangs",
                    LifeLine::Elsewhere => "life elsewhere",
                    LifeLine::Gone => continue,
                };
                let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{middle} {from:.1}V{to:.1}\"/>");
            }
        }
        if let Some(middle) = self.columns.middles.last().filter(|_| !self.diagram.folded.is_empty()) {
            let (x, height) = (middle - 12, bottom - top);
            let _ = writeln!(svg, "<rect class=\"fold\" x=\"{x}\" y=\"{top}\" width=\"24\" height=\"{height}\"/>");
        }
    }

    /// Of the states of a node those that it has by the last row.
    fn lives_drawn(&self, lives: &[(Time, LifeLine)]) -> usize {
        let last = self.rows.last().map_or(self.diagram.to, |row| row.at);
        lives.partition_point(|(since, _)| *since <= last).max(1).min(lives.len())
    }

    fn draw_times(&self, svg: &mut String) {
        let mut before = None;
        for (index, row) in self.rows.iter().enumerate() {
            let text = match row.silence {
                Some(silence) => format!("⋮ {}", span_text(silence)),
                None if row.items.is_empty() => String::new(),
                None => time_text(row.at, before, self.diagram.utc_offset_s),
            };
            if !text.is_empty() {
                push_text(svg, "time", MARGIN + TIMES - 16, self.top + index * ROW + 4, &text);
            }
            before = Some(row.at).filter(|_| !row.items.is_empty()).or(before);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    fn draw_item(&self, svg: &mut String, item: &DiagramItem, row: usize) {
        let y = (self.top + row * ROW) as f64;
        let mut shape = String::new();
        match &item.route {
            ItemRoute::Between { from, to, sent } => {
                let (Some(from), Some(to)) = (self.x_of(*from), self.x_of(*to)) else { return };
                let begin = sent.map_or(y, |sent| self.y_at(sent).min(y));
                if item.kind == ItemKind::MissedProbe && sent.is_some() {
                    // Nobody knows that it came: the line is where it was sent, the sign where the time was over.
                    let end = SvgPoint { x: to, y: begin + ROW as f64 / 2.0 };
                    draw_arrow(&mut shape, item.kind, SvgPoint { x: from, y: begin }, end);
                    draw_sign(&mut shape, item.kind, SvgPoint { x: from, y });
                } else {
                    draw_arrow(&mut shape, item.kind, SvgPoint { x: from, y: begin }, SvgPoint { x: to, y });
                }
            }
            ItemRoute::At(node) => {
                let Some(x) = self.x_of(*node) else { return };
                draw_sign(&mut shape, item.kind, SvgPoint { x, y });
            }
            ItemRoute::Across(nodes) => {
                let xs: Vec<f64> = nodes.iter().filter_map(|node| self.x_of(*node)).collect();
                draw_across(&mut shape, item.kind, &xs, y);
            }
            ItemRoute::Everywhere => {
                let xs: Vec<f64> = self.columns.middles.iter().map(|middle| *middle as f64).collect();
                draw_across(&mut shape, item.kind, &xs, y);
            }
        }
        let text = escaped(&item.text);
        let _ = writeln!(svg, "<g class=\"{}\"><title>{text}</title>{}</g>", ink(item.kind), shape.replace('\n', ""));
    }

    fn draw_label(&self, svg: &mut String, item: &DiagramItem, row: usize) {
        let place = self.columns.label_place(item);
        if let Some(at) = place.filter(|_| self.has_label(item, row)) {
            push_text(
                svg,
                &format!("label {}", ink(item.kind)),
                at,
                self.top + row * ROW + 4,
                &self.columns.label(item),
            );
        }
    }

    /// Its label is in nobody's way.
    fn has_label(&self, item: &DiagramItem, row: usize) -> bool {
        if !item.kind.is_quiet() {
            return true;
        }
        let Some(own) = self.columns.label_extent(item) else { return false };
        let others = self.rows[row].items.iter().filter_map(|place| self.diagram.items.get(*place));
        let is_taken =
            |other: &DiagramItem| other != item && self.columns.room(other).is_some_and(|taken| taken.overlaps(own));
        !self.diagram.is_inside_fold(item) && !others.into_iter().any(is_taken)
    }

    /// How much went on among the nodes that share a column.
    fn draw_inside_fold<'d>(&self, svg: &mut String, items: impl Iterator<Item = &'d DiagramItem>, row: usize) {
        let inside = items.filter(|item| item.kind.is_quiet() && self.diagram.is_inside_fold(item)).count();
        if let Some(middle) = self.columns.middles.last().filter(|_| inside > 1) {
            push_text(svg, "note", middle + 16, self.top + row * ROW + 4, &format!("x{inside}"));
        }
    }

    /// What each kind of line and sign in it means.
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    fn draw_legend(&self, svg: &mut String, y: &mut usize) {
        let mut seen = BTreeSet::new();
        let kinds = self.diagram.items.iter().map(|item| (item, item.kind.word()));
        let kinds: Vec<&DiagramItem> = kinds.filter(|(_, word)| seen.insert(*word)).map(|(item, _)| item).collect();
        let mut x = MARGIN;
        for item in &kinds {
            let word = item.kind.word();
            let wide = SAMPLE + 8 + word.len() * CHAR + LEGEND_GAP;
            if x + wide > self.width && x > MARGIN {
                (x, *y) = (MARGIN, *y + ROW);
            }
            let (from, to) =
                (SvgPoint { x: x as f64, y: *y as f64 - 4.0 }, SvgPoint { x: (x + SAMPLE) as f64, y: *y as f64 - 4.0 });
            let mut shape = String::new();
            match item.route {
                ItemRoute::Between { .. } => draw_arrow(&mut shape, item.kind, from, to),
                ItemRoute::At(_) | ItemRoute::Across(_) | ItemRoute::Everywhere => {
                    draw_sign(&mut shape, item.kind, SvgPoint { x: f64::midpoint(from.x, to.x), y: from.y });
                }
            }
            let _ = writeln!(svg, "<g class=\"{}\">{}</g>", ink(item.kind), shape.replace('\n', ""));
            push_text(svg, "note", x + SAMPLE + 8, *y, word);
            x += wide;
        }
        *y += if kinds.is_empty() { 0 } else { ROW };
    }
}

/// The rows of a picture, and how many items come after them. A page has no room for more rows than it may.
fn rows(columns: &SvgColumns<'_>, place: SvgPlace) -> (Vec<LayoutRow>, usize) {
    let items = &columns.diagram.items;
    let lay_out = |step| lay_out(items, step, |item| columns.room(item));
    let mut rows = lay_out(step_for(place.rows_max(), |step| lay_out(step).len()));
    match place {
        SvgPlace::File => {}
        SvgPlace::Page => rows.truncate(place.rows_max()),
    }
    let drawn: usize = rows.iter().map(|row| row.items.len()).sum();
    (rows, items.len() - drawn)
}

const fn ink(kind: ItemKind) -> &'static str {
    match kind.ink() {
        Ink::Wave => "wave",
        Ink::Good => "good",
        Ink::Plain => "plain",
        Ink::Faint => "faint",
        Ink::Doubtful => "doubt",
        Ink::Bad => "bad",
    }
}

const fn stroke(kind: ItemKind) -> &'static str {
    match kind.stroke() {
        ArrowStroke::Strong => "line strong",
        ArrowStroke::Plain => "line",
        ArrowStroke::Faint => "line thin",
        ArrowStroke::Dashed => "line dashed",
        ArrowStroke::Double => "line double",
    }
}

fn draw_arrow(svg: &mut String, kind: ItemKind, from: SvgPoint, to: SvgPoint) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy);
    if dx.abs() < 1.0 {
        return draw_sign(svg, kind, to);
    }
    let along = |distance: f64| SvgPoint { x: from.x + dx / length * distance, y: from.y + dy / length * distance };
    let (SvgPoint { x: x1, y: y1 }, SvgPoint { x: x2, y: y2 }) = (from, along(length - 3.0));
    let _ = writeln!(svg, "<path class=\"{}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>", stroke(kind));
    let mut head = |tip: SvgPoint, base: SvgPoint| {
        let (nx, ny) = (-dy / length * 4.0, dx / length * 4.0);
        let _ = writeln!(
            svg,
            "<path class=\"tip\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/>",
            tip.x,
            tip.y,
            base.x + nx,
            base.y + ny,
            base.x - nx,
            base.y - ny
        );
    };
    match kind.tip() {
        Tip::Head => head(along(length - 1.0), along(length - 10.0)),
        Tip::Heads => {
            head(along(length - 1.0), along(length - 10.0));
            head(along(1.0), along(10.0));
        }
        Tip::Cross => {
            let SvgPoint { x, y } = along(length - 12.0);
            let (left, right, above, below) = (x - 5.0, x + 5.0, y - 5.0, y + 5.0);
            let _ = writeln!(
                svg,
                "<path class=\"line strong\" d=\"M{left:.1} {above:.1}L{right:.1} {below:.1}M{left:.1} {below:.1}L{right:.1} \
                 {above:.1}\"/>"
            );
        }
        Tip::None => {}
    }
}

fn draw_sign(svg: &mut String, kind: ItemKind, at: SvgPoint) {
    let _ = writeln!(svg, "<text class=\"sign\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", at.x, at.y + 5.0, kind.sign().0);
}

fn draw_across(svg: &mut String, kind: ItemKind, xs: &[f64], y: f64) {
    let (left, right) = (xs.iter().copied().fold(f64::MAX, f64::min), xs.iter().copied().fold(f64::MIN, f64::max));
    if left < right {
        let _ = writeln!(svg, "<path class=\"line double\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>");
    }
    for x in xs {
        draw_sign(svg, kind, SvgPoint { x: *x, y });
    }
}

fn push_text(svg: &mut String, class: &str, x: usize, y: usize, text: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
}

/// The text with no character that a reader of XML does not take as text.
fn escaped(text: &str) -> String {
    printable(text)
        .replace(['\u{fffe}', '\u{ffff}'], "?")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The text in lines of at most so many characters, broken between words.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= columns) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
