//! A terminal's screens as a picture that moves, which every browser draws.
//!
//! Text stays text, in whatever monospace font the viewer has. No two fonts agree on how wide a cell is, and
//! Braille, frames and signs often come from yet another font. So each stretch of characters of one sort
//! is told where it begins and how long it is, and the columns stay under each other.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

/// A cell in pixels. A letter of most monospace fonts is 0.6 as wide as the font is high, and the lines of a
/// frame are 1.13 of it or more: at this height they touch.
const CELL_WIDTH: usize = 9;
const CELL_HEIGHT: usize = 17;
const FONT_SIZE: usize = 15;
/// From the top of a cell down to the foot of its letters.
const BASELINE: usize = 13;
/// Around all cells.
const MARGIN: usize = 12;
const FONTS: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

/// The terminal's own two colors.
const INK: &str = "#d4d7dd";
const GROUND: &str = "#14171c";
/// The 16 that programs ask for by number.
const PALETTE: [&str; 16] = [
    "#3b4048", "#e5656f", "#7fc46b", "#e2b45a", "#5d9df0", "#d670d6", "#45c1cb", "#c3c8d1", //
    "#6b7280", "#ff8790", "#a3e08f", "#ffd37a", "#86b9ff", "#f199f1", "#75dfe7", "#ffffff",
];

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: &'static str,
    /// What is behind it; nothing if that is the terminal's own ground.
    ground: Option<&'static str>,
    bold: bool,
    dim: bool,
    underlined: bool,
}

/// Characters that are equally wide in any font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Ascii,
    Frame,
    Braille,
    /// Nothing is known of it, so that it stands alone.
    Sign,
}

/// Characters of one look and one sort in a row.
#[derive(Debug)]
struct Run {
    column: usize,
    columns: usize,
    text: String,
    look: Look,
    sort: Sort,
}

/// A screen of a film, and how long it is shown.
pub(crate) struct Frame {
    pub(crate) screen: Screen,
    pub(crate) milliseconds: u32,
}

/// A film that begins anew when it is over; `title` is what is read to those who do not see it. All frames have the
/// same size. Whoever shows no motion shows the first.
pub(crate) fn film(frames: &[Frame], title: &str) -> String {
    let (rows, columns) = frames[0].screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let width = usize::from(columns) * CELL_WIDTH + 2 * MARGIN;
    let height = usize::from(rows) * CELL_HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\" fill=\"{INK}\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n",
        escaped(title)
    );
    for row in 0..rows {
        write_row_of_film(&mut svg, frames, row, columns);
    }
    svg + "</svg>\n"
}

/// Each look of a row once, with the times at which it is shown.
fn write_row_of_film(svg: &mut String, frames: &[Frame], row: u16, columns: u16) {
    let looks: Vec<String> = frames.iter().map(|frame| row_of(&frame.screen, row, columns)).collect();
    for (first, look) in looks.iter().enumerate() {
        if look.is_empty() || looks[..first].contains(look) {
            continue;
        }
        let shown: Vec<bool> = looks.iter().map(|other| other == look).collect();
        if shown.iter().all(|shown| *shown) {
            svg.push_str(look);
        } else {
            let visibility = visibility(shown[0]);
            let _ = write!(svg, "<g visibility=\"{visibility}\">{}\n{look}</g>\n", animation(frames, &shown));
        }
    }
}

/// When a group is seen: `shown` is a flag a frame.
fn animation(frames: &[Frame], shown: &[bool]) -> String {
    let total: u32 = frames.iter().map(|frame| frame.milliseconds).sum();
    let (mut values, mut times, mut begin) = (Vec::new(), Vec::new(), 0);
    for (index, frame) in frames.iter().enumerate() {
        if index == 0 || shown[index] != shown[index - 1] {
            values.push(visibility(shown[index]));
            times.push(format!("{:.4}", f64::from(begin) / f64::from(total)));
        }
        begin += frame.milliseconds;
    }
    format!(
        "<animate attributeName=\"visibility\" calcMode=\"discrete\" dur=\"{total}ms\" repeatCount=\"indefinite\" \
         values=\"{}\" keyTimes=\"{}\"/>",
        values.join(";"),
        times.join(";")
    )
}

fn visibility(shown: bool) -> &'static str {
    if shown { "visible" } else { "hidden" }
}

/// A row of a screen, in its place.
fn row_of(screen: &Screen, row: u16, columns: u16) -> String {
    let mut svg = String::new();
    let cells: Vec<(usize, &Cell)> = (0..columns)
        .filter_map(|column| Some((usize::from(column), screen.cell(row, column)?)))
        .filter(|(_, cell)| !cell.is_wide_continuation())
        .collect();
    let top = usize::from(row) * CELL_HEIGHT + MARGIN;
    write_grounds(&mut svg, top, &cells);
    write_runs(&mut svg, top, &runs(&cells));
    svg
}

/// What is behind the characters of a row, where that is not the terminal's own ground.
fn write_grounds(svg: &mut String, top: usize, cells: &[(usize, &Cell)]) {
    let end = |cells: &[(usize, &Cell)]| cells.last().map_or(0, |(column, cell)| column + width(cell));
    for alike in cells.chunk_by(|(_, left), (_, right)| look(left).ground == look(right).ground) {
        let (begin, first) = alike[0];
        if let Some(color) = look(first).ground {
            let (x, width) = (begin * CELL_WIDTH + MARGIN, (end(alike) - begin) * CELL_WIDTH);
            let place = format!("x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{CELL_HEIGHT}\"");
            let _ = writeln!(svg, "<rect {place} fill=\"{color}\"/>");
        }
    }
}

fn write_runs(svg: &mut String, top: usize, runs: &[Run]) {
    for run in runs {
        let (x, y) = (run.column * CELL_WIDTH + MARGIN, top + BASELINE);
        let length = run.columns * CELL_WIDTH;
        let place = format!("x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"");
        let _ = writeln!(svg, "<text {place}{}>{}</text>", attributes(run.look), escaped(&run.text));
    }
}

/// A row without its blanks. A single blank between words of one look stays; more might be taken for one.
fn runs(cells: &[(usize, &Cell)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (column, cell) in cells {
        let text = cell.contents();
        if text.trim().is_empty() {
            continue;
        }
        let (look, sort) = (look(cell), sort(text));
        match runs.last_mut().filter(|run| run.look == look && run.sort == sort && sort != Sort::Sign) {
            Some(run) if run.column + run.columns == *column => run.push("", text),
            Some(run) if run.column + run.columns + 1 == *column && sort == Sort::Ascii => run.push(" ", text),
            Some(_) | None => {
                runs.push(Run { column: *column, columns: width(cell), text: text.to_owned(), look, sort });
            }
        }
    }
    runs
}

impl Run {
    fn push(&mut self, blank: &str, text: &str) {
        self.columns += blank.len() + 1;
        self.text.push_str(blank);
        self.text.push_str(text);
    }
}

fn width(cell: &Cell) -> usize {
    if cell.is_wide() { 2 } else { 1 }
}

fn sort(text: &str) -> Sort {
    match text.chars().next() {
        Some('!'..='~') if text.len() == 1 => Sort::Ascii,
        Some('\u{2500}'..='\u{257f}') => Sort::Frame,
        Some('\u{2800}'..='\u{28ff}') => Sort::Braille,
        Some(_) | None => Sort::Sign,
    }
}

fn look(cell: &Cell) -> Look {
    let (ink, ground) = (color(cell.fgcolor()), color(cell.bgcolor()));
    let (ink, ground) = if cell.inverse() {
        (ground.unwrap_or(GROUND), Some(ink.unwrap_or(INK)))
    } else {
        (ink.unwrap_or(INK), ground)
    };
    Look { ink, ground, bold: cell.bold(), dim: cell.dim(), underlined: cell.underline() }
}

/// Nothing if it is the terminal's own.
fn color(color: Color) -> Option<&'static str> {
    match color {
        Color::Default => None,
        Color::Idx(number @ 0..16) => Some(PALETTE[usize::from(number)]),
        Color::Idx(_) | Color::Rgb(..) => panic!("the console keeps to the terminal's 16 colors, this is {color:?}"),
    }
}

fn attributes(look: Look) -> String {
    let mut attributes = String::new();
    if look.ink != INK {
        let _ = write!(attributes, " fill=\"{}\"", look.ink);
    }
    for (is_so, attribute) in [
        (look.bold, " font-weight=\"bold\""),
        (look.dim, " fill-opacity=\"0.6\""),
        (look.underlined, " text-decoration=\"underline\""),
    ] {
        attributes.push_str(if is_so { attribute } else { "" });
    }
    attributes
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture of a screen of two rows and twenty columns, to which a program has written this.
fn picture(written: &str) -> String {
    film(&[frame(written, 1)], "a <small> screen")
}

/// A screen of two rows and twenty columns, to which a program has written this, shown for so long.
fn frame(written: &str, milliseconds: u32) -> Frame {
    let cells = |count| std::num::NonZeroU16::new(count).unwrap();
    let mut parser = vt100::Parser::new(cells(2), cells(20), 0);
    parser.process(written.as_bytes());
    Frame { screen: parser.screen().clone(), milliseconds }
}

/// All elements of this name, a line each.
fn elements<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
    svg.lines().filter(|line| line.starts_with(&format!("<{name} "))).collect()
}

#[test]
fn text_of_the_screen_is_text_of_the_picture_and_never_markup() {
    let svg = picture("<script> & \"x\"");
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("<title>a &lt;small&gt; screen</title>"), "{svg}");
    assert!(elements(&svg, "text")[0].ends_with(">&lt;script&gt; &amp; \"x\"</text>"), "{svg}");
    assert!(!svg.contains("<script>"), "{svg}");
}

#[test]
fn each_kind_of_character_starts_at_its_column() {
    let svg = picture("│⠉⠒ a bc  d❶e\r\n語x");
    let place = |column: usize, row: usize, columns: usize| {
        let (x, y) = (12 + 9 * column, 12 + 13 + 17 * row);
        format!("<text x=\"{x}\" y=\"{y}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">", 9 * columns)
    };
    let wanted = [
        (place(0, 0, 1), "│"),
        (place(1, 0, 2), "⠉⠒"),
        (place(4, 0, 4), "a bc"),
        (place(10, 0, 1), "d"),
        (place(11, 0, 1), "❶"),
        (place(12, 0, 1), "e"),
        (place(0, 1, 2), "語"),
        (place(2, 1, 1), "x"),
    ];
    let wanted: Vec<String> = wanted.iter().map(|(place, text)| format!("{place}{text}</text>")).collect();
    assert_eq!(elements(&svg, "text"), wanted);
}

#[test]
fn colors_and_weights_are_those_of_the_screen() {
    let svg = picture("\x1b[31mred\x1b[0m \x1b[1;95mbold\x1b[0m \x1b[2mdim\x1b[0m \x1b[4mline");
    let texts = elements(&svg, "text");
    let looks: Vec<&str> =
        texts.iter().filter_map(|text| text.split_once("spacingAndGlyphs\"")).map(|it| it.1).collect();
    let wanted = [
        " fill=\"#e5656f\">red</text>",
        " fill=\"#f199f1\" font-weight=\"bold\">bold</text>",
        " fill-opacity=\"0.6\">dim</text>",
        " text-decoration=\"underline\">line</text>",
    ];
    assert_eq!(looks, wanted);
    assert_eq!(elements(&svg, "rect").len(), 1, "nothing but the terminal's own ground: {svg}");
}

#[test]
fn what_is_reversed_lies_on_its_color_blanks_included() {
    let svg = picture("ab\x1b[7;32mcd \x1b[0mef");
    let grounds = elements(&svg, "rect");
    assert_eq!(grounds[1..], ["<rect x=\"30\" y=\"12\" width=\"27\" height=\"17\" fill=\"#7fc46b\"/>"]);
    assert!(elements(&svg, "text")[1].ends_with(" fill=\"#14171c\">cd</text>"), "{svg}");
}

#[test]
fn of_a_film_only_the_rows_that_change_move() {
    let film = film(&[frame("still\r\none", 1000), frame("still\r\ntwo", 500), frame("still\r\none", 500)], "a film");
    assert_eq!(film.matches(">still<").count(), 1, "{film}");
    let (still, moving) = film.split_once("<g ").unwrap();
    assert!(still.contains(">still<"), "{film}");
    let shown = |values: &str, times: &str| {
        format!(
            "<animate attributeName=\"visibility\" calcMode=\"discrete\" dur=\"2000ms\" repeatCount=\"indefinite\" \
             values=\"{values}\" keyTimes=\"{times}\"/>"
        )
    };
    let (one, two) = moving.split_once("<g ").unwrap();
    assert!(one.starts_with("visibility=\"visible\">") && one.contains(">one<"), "{film}");
    assert!(one.contains(&shown("visible;hidden;visible", "0.0000;0.5000;0.7500")), "{film}");
    assert!(two.starts_with("visibility=\"hidden\">") && two.contains(">two<"), "{film}");
    assert!(two.contains(&shown("hidden;visible;hidden", "0.0000;0.5000;0.7500")), "{film}");
}
