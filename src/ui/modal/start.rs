//! The start screen of a bare `gossipctl`.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::add::{NodeChoice, add};
use super::help::help;
use super::{ChosenItem, Covers, Modal, Reply, action, columns, framed, key_line};
use crate::ui::action::{Action, Move};
use crate::ui::host::ToHost;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::options::FormDefaults;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 76;
const INTRO: &str =
    "A network console for gossip protocols: start nodes, watch messages spread, break things, see who notices.";

/// What can be started; the last one opens a recording.
const ITEMS: [(Option<NodeChoice>, &str, &str); 4] = [
    (Some(NodeChoice::Lab), "Start a lab", "a whole network in this process: the quickest way to see gossip spread"),
    (Some(NodeChoice::Seed), "Start a seed", "keeps the list of peers by which they find each other"),
    (Some(NodeChoice::Peer), "Start a peer", "registers with the seeds, links to others and gossips"),
    (None, "Open a recording", "watch a session that was recorded or exported"),
];

#[derive(Debug)]
pub(crate) struct Start {
    items: ChosenItem,
    defaults: FormDefaults,
}

impl Start {
    pub(crate) fn new(defaults: FormDefaults) -> Self {
        Self { items: ChosenItem::of(ITEMS.len()), defaults }
    }

    fn open(&self) -> Reply {
        match ITEMS[self.items.chosen].0 {
            Some(kind) => Reply::Open(Box::new(add(kind, self.defaults.clone()))),
            None => Reply::Ask(ToHost::ListRecordings),
        }
    }

    /// The items, each with its description if it is chosen.
    fn lines(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for (index, (_, title, what)) in ITEMS.iter().enumerate() {
            lines.push(self.items.line(index, title, columns, view));
            if index != self.items.chosen {
                continue;
            }
            let mut what = view.wrapped(what, Tone::Stale, columns.saturating_sub(4));
            for line in &mut what {
                line.spans.insert(0, Span::raw("    "));
            }
            lines.extend(what);
        }
        lines
    }
}

impl Modal for Start {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut None, keys) {
            Some(Action::Details | Action::Move(Move::Right)) => self.open(),
            Some(Action::Add) => Reply::Open(Box::new(add(NodeChoice::Peer, self.defaults.clone()))),
            Some(Action::Help) => Reply::Open(Box::new(help(None))),
            Some(Action::Quit | Action::Back) => Reply::Quit,
            Some(action) => {
                self.items.press(action);
                Reply::Stay
            }
            None => Reply::Stay,
        }
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let key = |action| view.keys.key_of(action);
        let keys = [
            ("Up Down".to_owned(), "choose"),
            (key(Action::Details), "start"),
            (key(Action::Help), "help"),
            (key(Action::Quit), "quit"),
        ];
        let mut lines = view.wrapped(INTRO, Tone::Plain, columns);
        lines.push(Line::default());
        lines.extend(self.lines(columns, view));
        lines.extend([Line::default(), key_line(keys, view)]);
        let inside = framed("gossipctl", (columns, lines.len()), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
    }

    fn covers(&self) -> Covers {
        Covers::Screen
    }
}
