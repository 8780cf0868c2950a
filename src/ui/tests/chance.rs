//! Whatever a person, a network and a window do to the console, in any order: it goes on.
//!
//! The steps are random, and the same each time. `GOSSIPCTL_CONSOLE_STEPS` makes them more; see docs/RELIABILITY.md.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossterm::event::{Event as Typed, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::Value;

use super::fixture::{S1, aftermath, at, empty, lab_peer, large_lab, options, recording, session};
use crate::event::samples::one_of_each;
use crate::event::{Batch, Event};
use crate::feed::Delivery;
use crate::proto::addr::Addr;
use crate::ui::app::App;
use crate::ui::bindings::KEYS;
use crate::ui::decode::Paste;
use crate::ui::draw::draw;
use crate::ui::host::{FromHost, HostRefusal, JournalState, Severity};
use crate::ui::options::{Glyphs, Mode, Options, StartScreen};
use crate::ui::update::{on_event, update};

/// Steps if nothing else is asked for.
const STEPS: usize = 3_000;
/// Steps with one console, before the next one begins.
const STEPS_OF_ONE: usize = 100;
/// Consoles over which windows grow to their full size: small ones first.
const GROWTH: usize = 30;

/// Texts that are typed, pasted and sent.
const TEXTS: &[&str] = &[
    "",
    "p1",
    "!p3",
    "kill p1 p2",
    "why p1 p2",
    "hello 你好 \u{1b}[31mred",
    "👩‍👩‍👧x\u{202e}\u{300}\u{300}لا",
    "a; b: c, d: e; f",
    "one\r\ntwo\tthree",
    "127.0.0.1:3000",
    "a-very-long-word-that-does-not-fit-into-any-small-window-whatever-is-done-with-it-and-goes-on-and-on",
];

struct Chance {
    rng: Pcg64Mcg,
    samples: Vec<Value>,
    now: u64,
}

impl Chance {
    fn new(seed: u64) -> Self {
        let kinds = one_of_each().into_iter();
        let samples = kinds.map(|kind| serde_json::to_value(Event { at: at(0), node: S1, kind }).unwrap());
        Self { rng: Pcg64Mcg::seed_from_u64(seed), samples: samples.collect(), now: 0 }
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.rng).unwrap().clone()
    }

    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    fn cells(&mut self, end: usize) -> u16 {
        u16::try_from(self.below(end)).unwrap()
    }

    /// Of a network that the console knows, or a stranger.
    fn addr(&mut self) -> Addr {
        match self.below(10) {
            0 => Addr::new([10, 0, 0, 7].into(), 65_535),
            1 => S1,
            2 => lab_peer(u16::try_from(1 + self.below(100)).unwrap()),
            _ => Addr::loopback(u16::try_from(3_000 + self.below(5)).unwrap()),
        }
    }

    fn number(&mut self) -> u64 {
        match self.below(12) {
            0 => u64::MAX,
            1 => 0,
            2 => u64::from(u32::MAX),
            3 => 1_700_000_000_000_000,
            _ => 1 + self.below(6) as u64,
        }
    }

    /// An event of any kind about any nodes, that could be in a file.
    fn event(&mut self) -> Event {
        loop {
            let mut value = self.one_of(&self.samples.clone());
            self.change(&mut value);
            value["at"] = match self.below(20) {
                0 => self.number(),
                _ => at(self.now).as_micros(),
            }
            .into();
            // A number that does not fit was put somewhere: another try.
            if let Ok(event) = serde_json::from_value(value) {
                return event;
            }
        }
    }

    fn change(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.parse::<Addr>().is_ok() => *text = self.addr().to_string(),
            Value::String(text) if self.below(30) == 0 => *text = self.one_of(TEXTS).to_owned(),
            Value::Number(_) if self.below(2) == 0 => *value = self.number().into(),
            Value::Array(all) => {
                for one in all.iter_mut() {
                    self.change(one);
                }
                if self.below(10) == 0 {
                    all.clear();
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(|one| self.change(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn options(&mut self) -> Options {
        Options {
            glyphs: self.one_of(&[Glyphs::Unicode, Glyphs::Ascii]),
            mode: self.one_of(&[Mode::Live, Mode::Live, Mode::Virtual, Mode::Replay { source: TEXTS[10].to_owned() }]),
            start_screen: self.one_of(&[StartScreen::Skipped, StartScreen::Skipped, StartScreen::Shown]),
            ..options()
        }
    }

    /// What the console is told before anything is done with it.
    fn story(&mut self) -> Vec<Event> {
        match self.below(6) {
            0 => Vec::new(),
            1 => session(),
            2 => [session(), aftermath()].concat(),
            _ => {
                let peers = self.one_of(&[1, 2, 3, 9, 9, 9, 30, 100]);
                large_lab(peers)
            }
        }
    }

    fn key(&mut self) -> KeyEvent {
        const CODES: [KeyCode; 14] = [
            KeyCode::Enter,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Backspace,
        ];
        let letter = KeyCode::Char(char::from(b' ' + u8::try_from(self.below(95)).unwrap()));
        let control = KeyCode::Char(char::from(b'a' + u8::try_from(self.below(26)).unwrap()));
        match self.below(10) {
            0..4 => KeyEvent::new(self.one_of(&CODES), KeyModifiers::NONE),
            4 => KeyEvent::new(control, KeyModifiers::CONTROL),
            _ => KeyEvent::new(letter, KeyModifiers::NONE),
        }
    }

    fn mouse(&mut self) -> MouseEvent {
        let left = MouseEventKind::Down(MouseButton::Left);
        let kind = self.one_of(&[MouseEventKind::ScrollUp, MouseEventKind::ScrollDown, left]);
        let (column, row) = (self.cells(140), self.cells(50));
        MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
    }

    fn size(&mut self, console: usize) -> (u16, u16) {
        let grown = console.min(GROWTH);
        let (columns, rows) = match self.below(8) {
            0 => (200, 60),
            1 => (40, 10),
            2..5 => (40 + grown, 10 + grown / 2),
            _ => (60 + grown * 3, 16 + grown),
        };
        (1 + self.cells(columns), 1 + self.cells(rows))
    }

    fn answer(&mut self) -> FromHost {
        let text = self.one_of(TEXTS).to_owned();
        match self.below(8) {
            0 => FromHost::ExportExists { path: text.into() },
            1 => FromHost::ExportFailed { path: text.clone().into(), why: text },
            2 => FromHost::Exported { path: text.into(), events: self.number() },
            3 => FromHost::JournalState(JournalState::Failed { why: text }),
            4 => FromHost::Refused { why: HostRefusal::File(text) },
            5 if self.below(20) == 0 => FromHost::Opened(Box::new(recording(&text))),
            _ => FromHost::Notice { severity: self.one_of(&[Severity::Info, Severity::Error]), text },
        }
    }

    fn step(&mut self, app: &mut App, terminal: &mut Terminal<TestBackend>, console: usize) {
        match self.below(40) {
            0..16 => drop(on_event(app, &Typed::Key(self.key()))),
            16..20 => update(app, KEYS.choose(&mut self.rng).unwrap().action),
            20 => drop(app.press("z")),
            21..24 => drop(on_event(app, &Typed::Mouse(self.mouse()))),
            24 => {
                let text = self.one_of(TEXTS).repeat(1 + self.below(50));
                app.paste(&Paste { len: text.len() + self.below(2), text });
            }
            25..28 => {
                let (columns, rows) = self.size(console);
                terminal.backend_mut().resize(columns, rows);
            }
            28..35 => {
                let batch: Batch = (0..=self.below(12)).map(|_| self.event()).collect();
                let skipped = if self.below(10) == 0 { self.number() } else { 0 };
                app.take(&[Delivery { skipped, batch }]);
            }
            35 => app.hear(self.answer()),
            36 => app.work(),
            37 => app.scene.behind = Duration::from_millis(self.below(10_000) as u64),
            _ => {
                self.now += self.one_of(&[1, 30, 300, 2_000, 60_000, 3_600_000]);
                app.tick(at(self.now));
                app.next_tick();
            }
        }
        terminal.draw(|frame| draw(app, frame)).unwrap();
    }
}

fn number_in(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Tries these consoles, one after the other; which of them panicked.
fn try_consoles(consoles: impl Iterator<Item = usize>) -> Vec<String> {
    let mut failed = Vec::new();
    for console in consoles {
        let mut chance = Chance::new(console as u64);
        let mut app = empty(chance.options());
        let story = chance.story();
        app.take(&[Delivery { skipped: 0, batch: Batch::from(story) }]);
        chance.now = 20_000;
        app.tick(at(chance.now));
        let (columns, rows) = chance.size(console);
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut step = 0;
        let steps = AssertUnwindSafe(|| {
            while step < STEPS_OF_ONE {
                chance.step(&mut app, &mut terminal, console);
                step += 1;
            }
        });
        if catch_unwind(steps).is_err() {
            failed.push(format!("console {console}, step {step}: GOSSIPCTL_CONSOLE_FIRST={console} begins with it"));
        }
    }
    failed
}

#[test]
fn nothing_that_is_done_to_the_console_makes_it_panic() {
    let first = number_in("GOSSIPCTL_CONSOLE_FIRST").unwrap_or(0);
    let consoles = number_in("GOSSIPCTL_CONSOLE_STEPS").unwrap_or(STEPS).div_ceil(STEPS_OF_ONE);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let each = |thread| scope.spawn(move || try_consoles((first + thread..first + consoles).step_by(threads)));
        let all: Vec<_> = (0..threads).map(each).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
