//! The start screen of a bare `gossipctl`.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::add::{Add, NodeChoice};
use super::help::Help;
use super::path::PathPrompt;
use super::{Modal, Reply, framed};
use crate::ui::action::{Action, Move};
use crate::ui::keys::{Key, KeyMap, Pressed};
use crate::ui::options::FormDefaults;
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

const WIDTH_MAX: u16 = 76;

/// What can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StartItem {
    Lab,
    Seed,
    Peer,
    Open,
}

impl StartItem {
    const ALL: [Self; 4] = [Self::Lab, Self::Seed, Self::Peer, Self::Open];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Lab => ("Start a lab", "a whole network in this process: the quickest way to see gossip spread"),
            Self::Seed => ("Start a seed", "keeps the list of peers by which they find each other"),
            Self::Peer => ("Start a peer", "registers with the seeds, links to others and gossips"),
            Self::Open => ("Open a recording", "watch a session that was recorded or exported"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Start {
    chosen: usize,
    defaults: FormDefaults,
}

impl Start {
    pub(crate) fn new(defaults: FormDefaults) -> Self {
        Self { chosen: 0, defaults }
    }

    pub(crate) fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        let len = StartItem::ALL.len();
        match keys.press(None, key) {
            Pressed::Action(Action::Move(Move::Up) | Action::PreviousPane) => {
                self.chosen = (self.chosen + len - 1) % len;
            }
            Pressed::Action(Action::Move(Move::Down) | Action::NextPane) => self.chosen = (self.chosen + 1) % len,
            Pressed::Action(Action::Details | Action::Move(Move::Right)) => return Reply::Open(Box::new(self.open())),
            Pressed::Action(Action::Add) => return Reply::Open(Box::new(self.add(NodeChoice::Peer))),
            Pressed::Action(Action::Help) => return Reply::Open(Box::new(Modal::Help(Help::default()))),
            Pressed::Action(Action::Quit | Action::Back) => return Reply::Quit,
            Pressed::Action(_) | Pressed::Begun(_) | Pressed::Nothing => {}
        }
        Reply::Stay
    }

    fn open(&self) -> Modal {
        match StartItem::ALL[self.chosen % StartItem::ALL.len()] {
            StartItem::Lab => self.add(NodeChoice::Lab),
            StartItem::Seed => self.add(NodeChoice::Seed),
            StartItem::Peer => self.add(NodeChoice::Peer),
            StartItem::Open => Modal::Path(PathPrompt::open(self.defaults.recording.as_deref())),
        }
    }

    fn add(&self, kind: NodeChoice) -> Modal {
        Modal::Add(Add::new(kind, self.defaults.clone()))
    }

    pub(crate) fn render(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let width = WIDTH_MAX.min(area.width);
        let columns = usize::from(width.saturating_sub(4));
        let intro = "A network console for gossip protocols: start nodes, watch messages spread, break things, see who \
                     notices.";
        let intro = text::wrap(intro, columns).into_iter();
        let mut lines: Vec<Line<'_>> = intro.map(|line| Line::from(view.span(Tone::Plain, line))).collect();
        lines.push(Line::default());
        lines.extend(
            StartItem::ALL.iter().enumerate().flat_map(|(index, item)| self.item_lines(index, *item, columns, view)),
        );
        lines.push(Line::default());
        lines.push(foot(view));
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        let inside = framed("gossipctl", (width, height), frame, area, view);
        frame.render_widget(Paragraph::new(lines), inside);
    }

    /// The item, and its description if it is chosen.
    fn item_lines(&self, index: usize, item: StartItem, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let (title, what) = item.words();
        if index != self.chosen {
            return vec![Line::from(view.span(Tone::Plain, format!("  {title}")))];
        }
        let title = format!("> {title}");
        let fill = columns.saturating_sub(text::width(&title));
        let style = selected(view.style(Tone::Strong));
        let mut lines = vec![Line::from(Span::styled(format!("{title}{:fill$}", ""), style))];
        let what = text::wrap(what, columns.saturating_sub(4)).into_iter();
        lines.extend(what.map(|line| Line::from(view.span(Tone::Stale, format!("    {line}")))));
        lines
    }
}

fn foot(view: &View<'_>) -> Line<'static> {
    let keys = [
        ("Up Down".to_owned(), "choose"),
        (view.keys.key_of(Action::Details), "start"),
        (view.keys.key_of(Action::Help), "help"),
        (view.keys.key_of(Action::Quit), "quit"),
    ];
    let spans = keys
        .into_iter()
        .flat_map(|(key, what)| [view.span(Tone::Strong, key), view.span(Tone::Plain, format!(" {what}   "))]);
    Line::from(spans.collect::<Vec<_>>())
}
