//! The panes: each draws one part of the model and moves a selection through it.
//!
//! A pane is a file here that implements [`Pane`], and a row in [`PANES`]. Keys, help, layout, tabs
//! and footer are made from the registry; nothing outside of this folder knows a pane by name.

mod connections;
mod diagram;
mod gossip;
mod list;
mod liveness;
mod log;
mod notices;
mod place;
mod rates;
mod reports;
mod topology;
mod warnings;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

pub(crate) use self::place::{PanePlace, PaneSize};
use super::action::{Action, Move, PaneId};
use super::explain::Subject;
use super::filter::Filter;
use super::host::{EventsQuestion, EventsTold};
use super::keys::Hint;
use super::seek::EventScope;
use super::text;
use super::theme::Tone;
use super::view::{Target, View};
use super::worker::{Made, Work};
use crate::model::diagram::subject::DiagramSubject;
use crate::model::notice::Severity;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// Every pane, in the order of its number.
const PANES: &[PaneInfo] = &[
    topology::PANE,
    connections::PANE,
    gossip::PANE,
    liveness::PANE,
    reports::PANE,
    notices::PANE,
    warnings::PANE,
    diagram::PANE,
    rates::PANE,
];

/// The orders in which panes can be sorted by name.
pub(crate) const ORDERS: &[&str] = connections::PANE.orders;

/// The columns that can be chosen by name, and `all`.
pub(crate) const COLUMNS: &[&str] = connections::PANE.columns;

/// What the console knows of a pane that it does not show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaneInfo {
    /// The key that leads there, from 1 to 9. Each pane has its own; a number may be free.
    pub(crate) number: usize,
    /// The title of its frame.
    pub(crate) title: &'static str,
    /// One word for tabs and counts.
    pub(crate) word: &'static str,
    /// What its key shows, for the help.
    pub(crate) help: &'static str,
    /// Its place on a screen with room for all panes.
    pub(crate) wide: PanePlace,
    /// Its place on a smaller screen, if it has one; else the footer counts it.
    pub(crate) narrow: Option<PanePlace>,
    /// Its rank in the footer: the highest is left out first.
    pub(crate) rank: u8,
    /// The same while there is nothing in it; `None` if it then needs neither room nor key.
    pub(crate) rank_empty: Option<u8>,
    /// The orders that [`Pane::sort`] takes.
    pub(crate) orders: &'static [&'static str],
    /// The columns that [`Pane::show_columns`] takes, after the word for all of them.
    pub(crate) columns: &'static [&'static str],
    /// News of this severity are explained there.
    pub(crate) explains: Option<Severity>,
    pub(crate) selects: Selects,
    /// The events among which the keys step that go to the event before and after.
    pub(crate) scope: fn() -> EventScope,
    /// How many lines there are, for the footer while the pane is not on the screen; `None`: it has no
    /// lines, so there is nothing to filter either.
    pub(crate) count: Option<LineCount>,
    /// Lines that it wants, frame included.
    pub(crate) wanted: fn(&View<'_>) -> usize,
    /// A pane in its first state.
    pub(crate) make: fn() -> Box<dyn Pane>,
}

/// How many lines a pane has, and the tone in which that is told.
pub(crate) type LineCount = fn(&View<'_>) -> (usize, Tone);

impl PaneInfo {
    /// What most panes have in common.
    const fn new(make: fn() -> Box<dyn Pane>) -> Self {
        Self {
            number: 0,
            title: "",
            word: "",
            help: "",
            wide: PanePlace { strip: 1, size: PaneSize::Rest },
            narrow: None,
            rank: 2,
            rank_empty: Some(8),
            orders: &[],
            columns: &[],
            explains: None,
            selects: Selects::Line,
            scope: || EventScope::All,
            count: None,
            wanted: |_| 0,
            make,
        }
    }
}

/// What is selected with a line of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selects {
    /// The line alone; keys act on the selection that panes share.
    Line,
    /// A message, whose spread all panes show.
    Message,
    /// A node, on which keys act while they go to this pane.
    Node,
    /// The same, and the other panes share it.
    NodeForAll,
}

/// What the selected line of a pane is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    pub(crate) node: Option<Addr>,
    /// What keys act on.
    pub(crate) target: Option<Target>,
    /// What Enter explains.
    pub(crate) subject: Option<Subject>,
    /// The message that is chosen, and shown instead of the newest.
    pub(crate) message: Option<MessageId>,
}

impl Selection {
    /// A node, on which keys act, and which Enter explains.
    const fn of_node(node: Addr) -> Self {
        let (target, subject) = (Some(Target::Node(node)), Some(Subject::Node(node)));
        Self { node: Some(node), target, subject, message: None }
    }
}

impl PaneId {
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..PANES.len()).map(Self)
    }

    pub(crate) fn info(self) -> &'static PaneInfo {
        &PANES[self.0 % PANES.len()]
    }

    /// The key that leads there.
    pub(crate) fn number(self) -> usize {
        self.info().number
    }

    /// The names by which a command leads there: its word, and its title in one word.
    pub(crate) fn names(self) -> [String; 2] {
        let info = self.info();
        [info.word.to_owned(), info.title.to_lowercase().replace(' ', "-")]
    }

    /// The pane of this name or number.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::all().find(|pane| pane.number().to_string() == word || pane.names().contains(&word.to_lowercase()))
    }

    /// It has lines, so it can be filtered.
    pub(crate) fn has_lines(self) -> bool {
        self.info().count.is_some()
    }

    /// The pane after this one; the first after the last.
    pub(crate) const fn next(self) -> Self {
        Self((self.0 + 1) % PANES.len())
    }

    /// The pane before this one; the last before the first.
    pub(crate) const fn previous(self) -> Self {
        Self((self.0 + PANES.len() - 1) % PANES.len())
    }

    /// The pane that draws what is selected in another, in time.
    pub(crate) fn of_diagrams() -> Self {
        Self(PANES.iter().position(|pane| pane.title == diagram::PANE.title).unwrap_or_default())
    }

    /// The pane that explains news of this severity.
    pub(crate) fn explaining(severity: Severity) -> Option<Self> {
        Self::all().find(|pane| pane.info().explains == Some(severity))
    }
}

/// A part of the screen with a frame, a selection and a filter.
pub(crate) trait Pane {
    /// Draws it. Everything that it must compute first was asked for by [`Pane::update`].
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>);

    /// Does what a key asks.
    fn act(&mut self, wanted: Move, view: &View<'_>) -> Moved;

    /// Selects what was drawn at this place inside of the frame, if anything.
    fn click(&mut self, at: Position, area: Rect, view: &View<'_>) -> Moved;

    fn filter(&self) -> &Filter;

    fn set_filter(&mut self, filter: Filter);

    /// What the keys for matches look for; nothing, if nothing was typed yet.
    fn sought(&self) -> &Filter {
        self.filter()
    }

    /// What is selected.
    fn selection(&self, view: &View<'_>) -> Selection;

    /// The selected line as text; `None`: that of the selected node.
    fn line(&self, view: &View<'_>) -> Option<String>;

    /// A line about this node as text, of the pane that lists all nodes.
    fn describe(&self, _node: Addr, _view: &View<'_>) -> Option<String> {
        None
    }

    /// A node was selected in another pane, or none.
    fn select(&mut self, _node: Option<Addr>, _view: &View<'_>) {}

    /// The newest message is to be followed again.
    fn follow_newest(&mut self) {}

    /// The keys that matter here more than elsewhere, for the footer.
    fn hints(&self, _view: &View<'_>) -> Vec<(Action, Hint)> {
        Vec::new()
    }

    /// Sorts by one of the orders in its row of the registry.
    fn sort(&mut self, _order: &str) {}

    /// Shows these columns of its row of the registry; none: all.
    fn show_columns(&mut self, _columns: &[&'static str]) {}

    /// New lines below what is shown, if the newest are not followed.
    fn new_below(&self, _view: &View<'_>) -> Option<usize> {
        None
    }

    /// The events that it shows now, if that depends on what it shows.
    fn scope(&self) -> Option<EventScope> {
        None
    }

    /// Forgets what it found out about the lines of another moment.
    fn forget(&mut self) {}

    /// Forgets where things stand, to lay them out again.
    fn lay_out(&mut self) {}

    /// Draws this from now on, if it draws what was selected elsewhere; nothing: the newest message.
    fn depict(&mut self, _subject: Option<DiagramSubject>, _view: &View<'_>) {}

    /// What it has to ask the host at this time of the clock on the wall, now that it was drawn.
    fn question(&mut self, _now: Time) -> Option<EventsQuestion> {
        None
    }

    /// The host's answer.
    fn hear_events(&mut self, _question: EventsQuestion, _answer: Result<EventsTold, String>) {}

    /// Looks before drawing at what is new. Returns what takes more than a moment and is to be
    /// computed elsewhere.
    fn update(&mut self, _view: &View<'_>, _now: Time) -> Option<Work> {
        None
    }

    /// The result of that work.
    fn take(&mut self, _made: Made) {}

    /// Where nodes were last drawn.
    #[cfg(test)]
    fn spots(&self) -> &[(Addr, Position)] {
        &[]
    }
}

/// What an action in one pane means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// Nothing.
    Here,
    /// This node is selected in all panes that share a selection.
    Selected(Option<Addr>),
    /// The newest message is followed.
    Newest,
}

/// The state of each pane.
pub(crate) struct Panes {
    panes: Vec<Box<dyn Pane>>,
    /// Where the panes were last drawn, for clicks.
    pub(crate) areas: Vec<(PaneId, Rect)>,
}

impl Default for Panes {
    fn default() -> Self {
        Self { panes: PANES.iter().map(|pane| (pane.make)()).collect(), areas: Vec::new() }
    }
}

impl Panes {
    /// Panes in their first state, which show these columns; none: all.
    pub(crate) fn with_columns(columns: &[&'static str]) -> Self {
        let mut panes = Self::default();
        panes.each().for_each(|pane| pane.show_columns(columns));
        panes
    }

    pub(crate) fn get(&self, pane: PaneId) -> &dyn Pane {
        &*self.panes[pane.0]
    }

    /// The events among which the keys step that go to the event before and after.
    pub(crate) fn scope(&self, pane: PaneId) -> EventScope {
        self.get(pane).scope().unwrap_or_else(|| (pane.info().scope)())
    }

    pub(crate) fn get_mut(&mut self, pane: PaneId) -> &mut dyn Pane {
        &mut *self.panes[pane.0]
    }

    /// Does what a key asks of a pane.
    pub(crate) fn act(&mut self, pane: PaneId, wanted: Move, view: &View<'_>) {
        let moved = self.get_mut(pane).act(wanted, view);
        self.tell_others(pane, moved, view);
    }

    /// Selects the line or node that this pane has drawn here, if any.
    pub(crate) fn click(&mut self, pane: PaneId, at: Position, view: &View<'_>) {
        let Some((_, area)) = self.areas.iter().find(|(drawn, _)| *drawn == pane).copied() else { return };
        let moved = self.get_mut(pane).click(at, area, view);
        self.tell_others(pane, moved, view);
    }

    fn tell_others(&mut self, from: PaneId, moved: Moved, view: &View<'_>) {
        let moved = match from.info().selects {
            Selects::NodeForAll => Moved::Selected(self.get(from).selection(view).node),
            Selects::Line | Selects::Message | Selects::Node => moved,
        };
        for (id, pane) in PaneId::all().zip(&mut self.panes).filter(|(pane, _)| *pane != from) {
            match moved {
                Moved::Selected(node) => pane.select(node, view),
                Moved::Newest if id.info().selects == Selects::Message => pane.follow_newest(),
                Moved::Newest | Moved::Here => {}
            }
        }
    }

    pub(crate) fn each(&mut self) -> impl Iterator<Item = &mut Box<dyn Pane>> {
        self.panes.iter_mut()
    }

    /// Prepares all panes for drawing; returns work to be done elsewhere, and for whom.
    pub(crate) fn update(&mut self, view: &View<'_>, now: Time) -> Vec<(PaneId, Work)> {
        PaneId::all().zip(&mut self.panes).filter_map(|(id, pane)| Some((id, pane.update(view, now)?))).collect()
    }

    fn that_select(&self, what: Selects, view: &View<'_>) -> Option<Selection> {
        let (_, pane) = PaneId::all().zip(&self.panes).find(|(pane, _)| pane.info().selects == what)?;
        Some(pane.selection(view))
    }

    /// The selection that panes share.
    pub(crate) fn shared(&self, view: &View<'_>) -> Option<Target> {
        self.that_select(Selects::NodeForAll, view)?.target
    }

    /// The message that is chosen in one of them.
    pub(crate) fn message(&self, view: &View<'_>) -> Option<MessageId> {
        self.that_select(Selects::Message, view)?.message
    }

    /// What the keys act on while they go to this pane.
    pub(crate) fn target(&self, pane: PaneId, view: &View<'_>) -> Option<Target> {
        match pane.info().selects {
            Selects::Line | Selects::Message => view.selected,
            Selects::Node | Selects::NodeForAll => self.get(pane).selection(view).target,
        }
    }

    /// The selected line of a pane as text, or else a line about the selected node.
    pub(crate) fn line_of(&self, pane: PaneId, view: &View<'_>) -> Option<String> {
        let pane = self.get(pane);
        let described = || {
            let node = pane.selection(view).node?;
            self.panes.iter().find_map(|pane| pane.describe(node, view))
        };
        pane.line(view).or_else(described)
    }
}

/// Whether the keys go to a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    Here,
    Elsewhere,
}

/// Where a pane is drawn.
pub(crate) struct Surface<'a, 'f> {
    pub(crate) frame: &'a mut Frame<'f>,
    pub(crate) pane: PaneId,
    pub(crate) area: Rect,
    pub(crate) focus: Focus,
}

impl Surface<'_, '_> {
    /// Draws the frame, with as many notes (`a, b, c`) after the title as fit, and the filter that is
    /// on; returns the area inside.
    pub(crate) fn framed(&mut self, note: &str, filter: &Filter, view: &View<'_>) -> Rect {
        let tone = if self.focus == Focus::Here { Tone::Strong } else { Tone::Frame };
        let sign = if self.focus == Focus::Here { view.theme.sign("▸", ">") } else { " " };
        let room = usize::from(self.area.width).saturating_sub(4);
        let title = format!("{} {}", self.pane.number(), self.pane.info().title);
        let filter = filter.sign(room.saturating_sub(text::width(&title) + 1), view);
        let room = room.saturating_sub(filter.as_ref().map_or(0, |filter| filter.width() + 1));
        let text = title_text(&title, note, room);
        let title = Line::from(vec![Span::styled(format!("{sign}{text} "), view.style(tone))]);
        let mut block = Block::bordered().border_set(view.theme.border()).border_style(view.style(tone)).title(title);
        if let Some(filter) = filter {
            block = block.title(Line::from(filter).right_aligned());
        }
        let inside = block.inner(self.area);
        self.frame.render_widget(block, self.area);
        inside
    }

    /// Says on the lower edge of the frame how far a list goes on.
    pub(crate) fn more(&mut self, above: usize, below: usize, view: &View<'_>) {
        let parts = [(above, "more above"), (below, "more below")];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let text = parts.map(|(count, what)| format!("{} {what}", text::count(*count))).collect::<Vec<_>>().join(", ");
        let room = usize::from(self.area.width).saturating_sub(4);
        if !text.is_empty() && text::width(&text) <= room && self.area.height > 0 {
            let line = Line::from(view.span(Tone::Strong, format!(" {text} "))).right_aligned();
            let edge = Rect { x: self.area.x + 1, y: self.area.bottom() - 1, width: self.area.width - 2, height: 1 };
            self.frame.render_widget(line, edge);
        }
    }

    /// What an empty pane says: what to do next. Sentences that do not fit are left out whole.
    pub(crate) fn hint(&mut self, hint: &str, inside: Rect, view: &View<'_>) {
        let columns = usize::from(inside.width);
        let wrapped = |sentences: &[&str]| view.wrapped(&sentences.join(" "), Tone::Stale, columns);
        let mut sentences: Vec<&str> = hint.split_inclusive(". ").map(str::trim_end).collect();
        while sentences.len() > 1 && wrapped(&sentences).len() > usize::from(inside.height) {
            sentences.pop();
        }
        self.frame.render_widget(Paragraph::new(wrapped(&sentences)), inside);
    }
}

/// The title with as many of its notes as fit whole.
fn title_text(title: &str, note: &str, room: usize) -> String {
    let mut text = title.to_owned();
    for (index, item) in note.split(", ").filter(|item| !item.is_empty()).enumerate() {
        let gap = if index == 0 { " " } else { ", " };
        if text::width(&text) + gap.len() + text::width(item) > room {
            break;
        }
        text.push_str(gap);
        text.push_str(item);
    }
    text
}
