//! Text that would like to do something to the terminal, or to be wider than it says.

use std::num::NonZeroU16;

use bytes::Bytes;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::fixture::{P1, P2, P3, P4, Script, at, options, session, told};
use crate::event::{
    Attempt, DialError, Event, EventKind, FailureReason, GossipEvent, LinkEvent, NodeEvent, Purpose, Rule, Violation,
};
use crate::proto::message::{MessageId, Trace};
use crate::proto::text::Body;
use crate::ui::app::App;
use crate::ui::draw::draw;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];
/// More than there are panes.
const PANES: usize = 8;

/// Escape sequences, NUL bytes, bytes that are no UTF-8, letters of two columns and of none.
fn evil() -> Vec<Body> {
    let texts: [&[u8]; 3] = [
        b"\x1b[2J\x1b[10;10H\x1b]0;owned\x07\x1b[41m\x1b[?1049l\r\n\t\x08\x7f \x9b31m \xc2\x9b31m",
        b"a\0b\0\0\0\0",
        b"\xff\xfe\xc0\x80 \xed\xa0\x80 \xf0\x9f\x98",
    ];
    let wide = [
        "好".repeat(4_000),
        "\u{1f469}\u{200d}\u{1f4bb}e\u{301}\u{fe0f}\u{202e}\u{ad}".repeat(600),
        "ｗ ".repeat(2_000),
    ];
    let texts = texts.iter().map(|text| Bytes::copy_from_slice(text)).chain(wide.into_iter().map(Bytes::from));
    texts.map(Body::from).collect()
}

/// The usual session, in which the stranger and the neighbor say these, and the system uses such words, too.
fn story(texts: &[Body]) -> Vec<Event> {
    let mut script = Script::default();
    // The terminal of the test leaves out replacement characters.
    let lossy = |text: &Body| String::from_utf8_lossy(text.as_bytes()).replace('\u{fffd}', "?");
    for (seq, text) in (100..).zip(texts) {
        let id = MessageId { origin: P1, run: 1, seq };
        let trace = |hop| Some(Trace { sent: at(13_000), hop });
        let (body, violation) = (text.clone(), Violation::new(Rule::Malformed, text.as_bytes()));
        script.at(13_000 + seq).add(
            P1,
            EventKind::Gossip(GossipEvent::Generated { id, body: body.clone(), trace: trace(0), forwarded: 2 }),
        );
        script.add(P2, EventKind::Gossip(GossipEvent::Received { id, from: P1, body, trace: trace(1), forwarded: 1 }));
        script.add(P2, EventKind::Link(LinkEvent::Violation { connection: None, remote: P1, peer: None, violation }));
        script.add(P4, NodeEvent::failed(Attempt::Quote(lossy(text)), FailureReason::Quote(lossy(text))).into());
        let (purpose, retry_at) = (Purpose::Neighbor, None);
        script.add(
            P3,
            EventKind::Link(LinkEvent::DialFailed {
                peer: P4,
                purpose,
                error: DialError::Quote(lossy(text)),
                retry_at,
            }),
        );
    }
    [session(), script.events].concat()
}

fn app(texts: &[Body]) -> App {
    told(options(), story(texts), 13_900)
}

/// What the console draws, and a terminal that was sent it.
fn drawn(app: &mut App, (columns, rows): (u16, u16)) -> (Buffer, vt100::Parser) {
    let mut test = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    test.draw(|frame| draw(app, frame)).unwrap();
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    let mut bytes = Vec::new();
    let mut terminal = Terminal::with_options(CrosstermBackend::new(&mut bytes), TerminalOptions { viewport }).unwrap();
    terminal.draw(|frame| draw(app, frame)).unwrap();
    drop(terminal);
    let size = |cells| NonZeroU16::new(cells).unwrap();
    let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
    parser.process(&bytes);
    (test.backend().buffer().clone(), parser)
}

/// The frames of the panes: in which cells they stand.
fn frames(buffer: &Buffer) -> Vec<(u16, u16, String)> {
    let area = buffer.area;
    let cells = (1..area.height).flat_map(|row| (0..area.width).map(move |column| (column, row)));
    let is_frame = |symbol: &str| ["│", "┌", "┐", "└", "┘"].contains(&symbol);
    cells
        .map(|(column, row)| (column, row, buffer[(column, row)].symbol().to_owned()))
        .filter(|(_, _, symbol)| is_frame(symbol))
        .collect()
}

fn assert_harmless(buffer: &Buffer, parser: &vt100::Parser, what: &str) {
    let acts = |c: char| {
        c.is_control() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{ad}')
    };
    for (place, cell) in buffer.content.iter().enumerate() {
        let symbol = cell.symbol();
        assert!(!symbol.chars().any(acts), "{what}: {symbol:?} in cell {place}");
    }
    let screen = parser.screen();
    for row in 0..buffer.area.height {
        let mut meant = String::new();
        let mut column = 0;
        while column < buffer.area.width {
            let symbol = buffer[(column, row)].symbol();
            meant.push_str(symbol);
            column += u16::try_from(crate::ui::text::width(symbol).max(1)).unwrap();
        }
        let shown = screen.rows(0, buffer.area.width).nth(usize::from(row)).unwrap();
        assert_eq!(shown.trim_end(), meant.trim_end(), "{what}: row {row} is not what was meant");
    }
}

#[test]
fn no_text_of_a_stranger_acts_on_the_terminal_or_moves_a_column() {
    let harmless: Vec<Body> = evil().iter().map(|_| Body::from("harmless")).collect();
    for size in SIZES {
        let (mut bad, mut good) = (app(&evil()), app(&harmless));
        for pane in 0..PANES {
            for zoom in ["", "z"] {
                let what = format!("{size:?}, pane {pane}, zoom '{zoom}'");
                for app in [&mut bad, &mut good] {
                    if !zoom.is_empty() {
                        app.press(zoom);
                    }
                }
                let ((shown, terminal), (model, _)) = (drawn(&mut bad, size), drawn(&mut good, size));
                assert_harmless(&shown, &terminal, &what);
                // What is said above the keys hides a part of the frames.
                let is_covered = [&bad, &good].iter().any(|app| crate::ui::footer::toast(app).is_some());
                if !is_covered {
                    assert_eq!(frames(&shown), frames(&model), "{what}: the frames have moved");
                }
                bad.toasts.dismiss();
                good.toasts.dismiss();
                bad.press("enter");
                good.press("enter");
                let (details, terminal) = drawn(&mut bad, size);
                assert_harmless(&details, &terminal, &format!("{what}, details"));
                bad.press("esc");
                good.press("esc");
            }
            for app in [&mut bad, &mut good] {
                app.press("z tab");
            }
        }
    }
}

#[test]
fn the_screen_shows_in_plain_letters_what_a_stranger_sent() {
    let mut app = app(&evil()[..1]);
    let mut rows = Vec::new();
    // On the whole screen there is room for long lines.
    app.press("z");
    for _ in 0..PANES {
        let (shown, _) = drawn(&mut app, (160, 50));
        let row = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
        rows.extend(shown.content.chunks(160).map(row));
        app.press("tab");
    }
    for words in [["+ p1#100", r"\x1b[2J"], ["Not done", r"\x1b[2J"], ["No connection", r"\x1b[2J"]] {
        assert!(rows.iter().any(|row| words.iter().all(|word| row.contains(word))), "no {words:?} in {rows:#?}");
    }
}
