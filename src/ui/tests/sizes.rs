//! Every opener, dialog and pane at every small size: nothing that a person does to a window may panic.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

use super::fixture::{at, dead, empty, large_lab, options, suspect, told};
use crate::ui::action::PaneId;
use crate::ui::app::App;
use crate::ui::draw::draw;
use crate::ui::options::{Glyphs, Options, StartScreen};
use crate::ui::pane::{Focus, Surface};

/// The sizes that are tried: every width with every height.
const COLUMNS_MAX: u16 = 60;
const ROWS_MAX: u16 = 20;

/// Keys that open something, and text that is typed after them.
const OPENERS: &[(&str, &str)] = &[
    ("?", ""),
    ("a", ""),
    ("a right right", ""),
    ("m", "hello"),
    ("e", "a/very/long/name/of/a/file/that/does/not/fit.txt"),
    ("F", ""),
    ("F end", ""),
    ("W", ""),
    ("W end", ""),
    ("W enter", ""),
    ("enter", ""),
    ("2 right down enter", ""),
    ("3 enter", ""),
    ("3 home enter", ""),
    ("4 enter", ""),
    ("5 enter", ""),
    ("6 enter", ""),
    ("7 enter", ""),
    ("8", ""),
    ("9", ""),
    ("3 t", ""),
    ("2 x", ""),
    ("2 end x", ""),
    (":", "kill p1 p2"),
    ("3 /", "p1"),
    ("w", ""),
    ("space", ""),
    ("C", ""),
    ("g g", ""),
];

/// Of so many sizes one is tried, another one each time, unless all are asked for; see docs/RELIABILITY.md.
const STRIDE: usize = 16;

/// The sizes, small ones first: around the smallest in which the console is drawn all of them.
fn sizes(number: usize) -> impl Iterator<Item = (u16, u16)> {
    let wants_all = std::env::var_os("GOSSIPCTL_CONSOLE_SIZES").is_some();
    let all = (1..=COLUMNS_MAX).flat_map(|columns| (1..=ROWS_MAX).map(move |rows| (columns, rows)));
    let is_tried = move |(place, (columns, rows)): &(usize, (u16, u16))| {
        wants_all || (place + number).is_multiple_of(STRIDE) || ((39..43).contains(columns) && (9..13).contains(rows))
    };
    all.enumerate().filter(is_tried).map(|(_, size)| size)
}

/// Consoles with much to tell, with a network too large for the screen, and with nothing at all.
fn consoles() -> Vec<App> {
    let ascii = Options { glyphs: Glyphs::Ascii, ..options() };
    vec![dead(), told(ascii, large_lab(100), 20_000), empty(options())]
}

/// Draws the uppermost dialog where the window is too small for the console, and the whole console elsewhere.
fn draw_at_sizes(app: &mut App, number: usize, what: &str) {
    let mut terminal = Terminal::new(TestBackend::new(1, 1)).unwrap();
    for (columns, rows) in sizes(number) {
        let _named = Named(|| format!("{what} at {columns}x{rows}"));
        terminal.backend_mut().resize(columns, rows);
        let view = app.scene.view();
        match app.modals.last_mut() {
            Some(modal) if columns < 40 || rows < 10 => {
                terminal.draw(|frame| modal.render(frame, frame.area(), &view)).unwrap();
            }
            Some(_) | None => drop(terminal.draw(|frame| draw(app, frame)).unwrap()),
        }
    }
}

/// Says what was being done when a test panicked.
struct Named<F: Fn() -> String>(F);

impl<F: Fn() -> String> Drop for Named<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", (self.0)());
        }
    }
}

#[test]
fn every_opener_can_be_drawn_at_every_size() {
    for (number, mut console) in consoles().into_iter().enumerate() {
        // Of the large and the empty one, those that show something else there.
        for (opener, (keys, text)) in OPENERS.iter().enumerate().step_by(if number == 0 { 1 } else { 4 }) {
            console.press(keys);
            console.type_text(text);
            draw_at_sizes(&mut console, opener, &format!("console {number}, {keys} {text}"));
            console.modals.clear();
            console.prompt = None;
        }
    }
}

#[test]
fn the_start_screen_and_its_forms_can_be_drawn_at_every_size() {
    for (number, keys) in ["tab", "enter", "down enter", "down down enter", "up enter", "?"].into_iter().enumerate() {
        let mut console = empty(Options { start_screen: StartScreen::Shown, ..options() });
        console.press(keys);
        draw_at_sizes(&mut console, number, keys);
    }
}

#[test]
fn every_pane_can_be_drawn_in_an_area_of_every_size() {
    for (number, mut console) in consoles().into_iter().enumerate() {
        console.tick(at(20_000));
        console.prepare();
        for pane in PaneId::all() {
            console.focus = pane;
            let mut terminal = Terminal::new(TestBackend::new(COLUMNS_MAX + 2, ROWS_MAX + 2)).unwrap();
            for (width, height) in sizes(number + pane.number()) {
                let _named = Named(|| format!("console {number}, {pane:?} at {width}x{height}"));
                let area = Rect { x: 1, y: 1, width, height };
                let (panes, view) = console.split();
                terminal
                    .draw(|frame| {
                        panes.get_mut(pane).render(&mut Surface { frame, pane, area, focus: Focus::Here }, &view);
                    })
                    .unwrap();
            }
        }
    }
}

#[test]
fn the_way_of_a_message_fits_into_the_smallest_window() {
    for keys in ["W", "enter"] {
        for (columns, rows) in [(40, 10), (41, 10), (60, 10)] {
            let mut console = suspect();
            // Enter on a line of the log about a message.
            console.press("3 /");
            console.type_text("Gossip");
            console.picture(columns, rows);
            console.press("enter");
            console.press(keys);
            let shown = console.picture(columns, rows);
            assert!(shown.contains("reached") && shown.contains("NODE"), "{keys} at {columns}x{rows}:\n{shown}");
        }
    }
}
