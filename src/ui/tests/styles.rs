//! What the terminal is told about colors, read back from a terminal.

use std::num::NonZeroU16;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use vt100::Color;

use super::fixture::{dead, options, session, suspect, told};
use crate::ui::app::App;
use crate::ui::draw::draw;
use crate::ui::options::{Options, ThemeChoice};
use crate::ui::theme::take_color_from_theme_alone;

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;

/// A terminal that shows the picture.
fn shown(app: &mut App) -> vt100::Parser {
    take_color_from_theme_alone();
    let viewport = Viewport::Fixed(Rect::new(0, 0, COLUMNS, ROWS));
    let mut bytes = Vec::new();
    let mut terminal = Terminal::with_options(CrosstermBackend::new(&mut bytes), TerminalOptions { viewport }).unwrap();
    terminal.draw(|frame| draw(app, frame)).unwrap();
    drop(terminal);
    let size = |cells| NonZeroU16::new(cells).unwrap();
    let mut parser = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
    parser.process(&bytes);
    parser
}

/// The first cell of this text on the first line that also holds `line`.
fn cell(parser: &vt100::Parser, line: &str, text: &str) -> vt100::Cell {
    let screen = parser.screen();
    let rows: Vec<String> = screen.rows(0, COLUMNS).collect();
    let row = rows.iter().position(|row| row.contains(line)).unwrap_or_else(|| panic!("no '{line}' in {rows:#?}"));
    let byte = rows[row].find(text).unwrap();
    let column = crate::ui::text::width(&rows[row][..byte]);
    let cell = screen.cell(u16::try_from(row).unwrap(), u16::try_from(column).unwrap());
    cell.unwrap().clone()
}

/// The name of a node in its line among the connections.
fn row(parser: &vt100::Parser, name: &str) -> vt100::Cell {
    let line = format!("● {name} ");
    let rows: Vec<String> = parser.screen().rows(0, COLUMNS).collect();
    let row = rows.iter().position(|row| row.contains(&line)).unwrap_or_else(|| panic!("no '{line}' in {rows:#?}"));
    let byte = rows[row].rfind(&line).unwrap() + "● ".len();
    let column = u16::try_from(crate::ui::text::width(&rows[row][..byte])).unwrap();
    parser.screen().cell(u16::try_from(row).unwrap(), column).unwrap().clone()
}

const MAGENTA: Color = Color::Idx(5);
const YELLOW: Color = Color::Idx(3);
const RED: Color = Color::Idx(1);
const GREEN: Color = Color::Idx(2);
const CYAN: Color = Color::Idx(6);

#[test]
fn up_is_green_suspect_yellow_dead_red_and_a_seed_cyan() {
    let parser = shown(&mut suspect());
    assert_eq!(cell(&parser, "2/3 missed", "suspect").fgcolor(), YELLOW);
    assert_eq!(row(&parser, "s2").fgcolor(), CYAN);
    assert_eq!(cell(&parser, "● p2 ", "up").fgcolor(), GREEN);
    let parser = shown(&mut dead());
    assert_eq!(cell(&parser, " p3 ", "dead").fgcolor(), RED);
}

#[test]
fn in_the_topology_wave_death_and_selection_have_their_styles() {
    let mut app = dead();
    let parser = shown(&mut app);
    assert_eq!(cell(&parser, " ■ s1", "■").fgcolor(), CYAN);
    assert_eq!(cell(&parser, "❷ has it, by hop", "❷").fgcolor(), MAGENTA);
    let (sign, link) = (cell(&parser, "❶", "❶"), cell(&parser, "1 Topology", "1"));
    assert!(sign.fgcolor() == MAGENTA && !sign.inverse() && link.bold());
    assert_eq!(cell(&parser, "✗", "✗").fgcolor(), RED);
    let selected = cell(&parser, "[❷]", "❷");
    assert!(selected.inverse() && selected.fgcolor() == MAGENTA);
    assert!(cell(&parser, "[❷]", "[").bold());
    let lines = |parser: &vt100::Parser, color: Color| {
        let cells = (0..ROWS).flat_map(|row| (0..70).filter_map(move |column| parser.screen().cell(row, column)));
        let is_dots = |cell: &&vt100::Cell| cell.contents().chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        cells.filter(is_dots).filter(|cell| cell.fgcolor() == color).count()
    };
    assert!(lines(&parser, MAGENTA) > 20, "the way of the message");
    assert!(lines(&parser, CYAN) > 5, "the registrations of the selected node");
    assert!(lines(&shown(&mut suspect()), YELLOW) > 5, "a link on which nothing is answered");
}

#[test]
fn the_selected_line_is_reversed_and_no_other_is() {
    let mut app = suspect();
    app.press("2");
    let parser = shown(&mut app);
    assert!(row(&parser, "p1").inverse());
    assert!(!row(&parser, "p2").inverse());
    assert_eq!(row(&parser, "p1").bgcolor(), Color::Default);
    assert_eq!(row(&parser, "p1").fgcolor(), Color::Default, "in one color");
    assert_eq!(cell(&parser, "● p1 ", "up").fgcolor(), Color::Default);
}

#[test]
fn without_color_selection_and_death_still_stand_out() {
    let mono = Options { theme: ThemeChoice::Mono, ..options() };
    let mut app = told(mono, session(), 13_200);
    app.press("2");
    let parser = shown(&mut app);
    assert!(row(&parser, "p1").inverse());
    assert!(cell(&parser, "2/3 missed", "suspect").bold());
    let screen = parser.screen();
    let cells = (0..ROWS).flat_map(|row| (0..COLUMNS).filter_map(move |column| screen.cell(row, column)));
    let colored = cells.filter(|cell| cell.fgcolor() != Color::Default || cell.bgcolor() != Color::Default);
    assert_eq!(colored.count(), 0);
}

#[test]
fn text_from_the_network_cannot_style_screen_or_window() {
    let mut app = suspect();
    app.press("3 z");
    let parser = shown(&mut app);
    let contents = parser.screen().contents();
    assert!(contents.contains(r"hello 你好 \x1b[31mred"), "{contents}");
    app.press("6");
    let contents = shown(&mut app).screen().contents();
    assert!(contents.contains(r"GET / \x1b]0;owned\x07\r\n"), "{contents}");
}
