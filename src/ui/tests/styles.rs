//! What the terminal is told about colors, read back from a terminal.

use std::num::NonZeroU16;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use vt100::Color;

use super::fixture::{dead, options, press, session, suspect, told};
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

const YELLOW: Color = Color::Idx(3);
const RED: Color = Color::Idx(1);
const GREEN: Color = Color::Idx(2);
const CYAN: Color = Color::Idx(6);

#[test]
fn up_is_green_suspect_yellow_dead_red_and_a_seed_cyan() {
    let parser = shown(&mut suspect());
    assert_eq!(cell(&parser, "suspect 2/3", "suspect").fgcolor(), YELLOW);
    assert_eq!(cell(&parser, "s2     ", "s2").fgcolor(), CYAN);
    assert_eq!(cell(&parser, "p2     ", "up").fgcolor(), GREEN);
    let parser = shown(&mut dead());
    assert_eq!(cell(&parser, " p3 ", "dead").fgcolor(), RED);
}

#[test]
fn the_selected_line_is_reversed_and_no_other_is() {
    let mut app = suspect();
    let parser = shown(&mut app);
    assert!(cell(&parser, "p1     ", "p1").inverse());
    assert!(!cell(&parser, "p2     ", "p2").inverse());
    assert_eq!(cell(&parser, "p1     ", "p1").bgcolor(), Color::Default);
}

#[test]
fn without_color_the_selection_is_still_reversed_and_death_still_stands_out() {
    let mono = Options { theme: ThemeChoice::Mono, ..options() };
    let parser = shown(&mut told(mono, session(), 13_200));
    assert!(cell(&parser, "p1     ", "p1").inverse());
    assert!(cell(&parser, "suspect 2/3", "suspect").bold());
    let screen = parser.screen();
    let cells = (0..ROWS).flat_map(|row| (0..COLUMNS).filter_map(move |column| screen.cell(row, column)));
    let colored = cells.filter(|cell| cell.fgcolor() != Color::Default || cell.bgcolor() != Color::Default);
    assert_eq!(colored.count(), 0);
}

#[test]
fn text_from_the_network_cannot_color_the_screen_or_name_the_window() {
    let mut app = suspect();
    press(&mut app, "2 z");
    let parser = shown(&mut app);
    let contents = parser.screen().contents();
    assert!(contents.contains(r"hello 你好 \x1b[31mred"), "{contents}");
    press(&mut app, "5");
    let contents = shown(&mut app).screen().contents();
    assert!(contents.contains(r"GET / \x1b]0;owned\x07\r\n"), "{contents}");
}
