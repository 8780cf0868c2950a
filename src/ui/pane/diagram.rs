//! The space-time diagram: a column a node, time downward, what went from one to another.
//!
//! ```text
//! 8 Diagram p1#3, 8 nodes, a row 500 us
//!                p1        p4        p2        +5
//! 20:47:25.012   ◆ p1#3    │         │         │
//!                ├━━━━━━━━▸│ hop 1, 1.0 ms     │
//! p4: Received p1#3 from p1
//! known up to 20:47:25.013
//! ```
//!
//! The host tells it the events ([`told`]). What comes later than the moment shown is not drawn. A node and a
//! link go on as long as the session does: of them the newest rows are shown, until the reader selects
//! another row.

mod told;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use self::told::{ASK_EVERY, ToldEvents, Wanting};
use super::{Focus, Moved, Pane, PaneInfo, PanePlace, PaneSize, Selection, Surface};
use crate::event::Event;
use crate::model::diagram::grid::{CellPart, Grid, GridRow, GridStep, GridStyle, Strokes, columns_max, grid};
use crate::model::diagram::item::{DiagramItem, Ink, ItemSubject};
use crate::model::diagram::layout::RowStep;
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject};
use crate::model::diagram::{Diagram, DiagramSpec, LifeLine, diagram};
use crate::model::link::LinkKey;
use crate::model::words::count_text;
use crate::proto::time::Time;
use crate::ui::action::{Action, Move};
use crate::ui::explain::Subject;
use crate::ui::filter::Filter;
use crate::ui::host::{EventsQuestion, EventsTold};
use crate::ui::keys::Hint;
use crate::ui::options::Glyphs;
use crate::ui::seek::EventScope;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 8,
    title: "Diagram",
    word: "diagram",
    help: "space-time diagram of a message, a node or its death, or a link: a column a node, time downward",
    // It wants room, so it never stands beside other panes.
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(0) },
    rank: 15,
    rank_empty: None,
    ..PaneInfo::new(|| Box::new(DiagramPane::default()))
};

/// Screens that a diagram takes at most until the reader zooms.
const SCREENS: usize = 3;
/// Events that are drawn of what goes on: the newest, as many as are folded again each second within a
/// frame.
const NEWEST_MAX: usize = 3_000;

/// What is drawn.
struct DrawnDiagram {
    /// For what; `None`: it is to be drawn anew in any case.
    for_what: Option<DrawnFor>,
    diagram: Diagram,
    grid: Grid,
    /// It ends with the moment shown, and goes on with it.
    goes_on: bool,
    /// Events that came too many to be told or drawn.
    left_out: u64,
}

/// What a drawing depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DrawnFor {
    size: (u16, u16),
    name_width: usize,
    strokes: Strokes,
    step: Option<RowStep>,
    pan: usize,
    answers: u64,
    /// Events up to the moment that is shown.
    events: usize,
}

#[derive(Default)]
struct DiagramPane {
    /// There are no lines to filter.
    all: Filter,
    subject: Option<DiagramSubject>,
    /// When that was, as far as it was known at any moment shown.
    span: Option<DiagramSpan>,
    told: ToldEvents,
    drawn: Option<DrawnDiagram>,
    /// How much time a row stands for, once the reader has chosen.
    step: Option<RowStep>,
    /// Nodes to the left of the first column, where not all fit.
    pan: usize,
    /// The item that the reader selected; `None`: the newest of what goes on, else the first.
    chosen: Option<usize>,
    /// The first row in sight, and how many are.
    top: usize,
    height: usize,
}

impl Pane for DiagramPane {
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>) {
        self.settle(view);
        self.redraw(surface.area, view);
        let Some(drawn) = self.drawn.as_ref().filter(|_| self.has_begun(view)) else {
            let inside = surface.framed("", &self.all, view);
            return surface.hint(&self.hint(view), inside, view);
        };
        let nodes = count_text((drawn.diagram.columns.len() + drawn.diagram.folded.len()) as u64, "node");
        let follow = if drawn.goes_on && self.chosen.is_none() { ", FOLLOW" } else { "" };
        let note = format!("{}, {nodes}, a row {}{follow}", drawn.diagram.title, drawn.grid.step_text());
        let inside = surface.framed(&note, &self.all, view);
        self.render_inside(surface, inside, view);
    }

    fn act(&mut self, wanted: Move, view: &View<'_>) -> Moved {
        let page = self.height.max(1);
        match wanted {
            Move::Up => self.choose(self.selected().saturating_sub(1)),
            Move::Down => self.choose(self.selected() + 1),
            Move::PageUp => self.turn_page(page, Turn::Back),
            Move::PageDown => self.turn_page(page, Turn::On),
            Move::Top => self.choose(0),
            Move::Bottom => self.choose(usize::MAX),
            Move::ZoomIn => self.zoom(RowStep::shorter),
            Move::ZoomOut => self.zoom(RowStep::longer),
            Move::Follow => self.follow(view),
            Move::Left => self.pan = self.pan.min(self.folded()).saturating_sub(1),
            Move::Right => self.pan += usize::from(self.pan < self.folded()),
            Move::NextMatch | Move::PreviousMatch | Move::Sort | Move::Reverse => {}
        }
        Moved::Here
    }

    fn click(&mut self, at: Position, area: Rect, _view: &View<'_>) -> Moved {
        // The frame and the names of the nodes stand above the rows.
        let row = usize::from(at.y).checked_sub(usize::from(area.y) + 2).map(|row| row + self.top);
        let rows = self.drawn.as_ref().map(|drawn| &drawn.grid.rows);
        if let Some(item) = row.and_then(|row| rows?.get(row)?.items.first().copied()) {
            self.choose(item);
        }
        Moved::Here
    }

    fn filter(&self) -> &Filter {
        &self.all
    }

    fn set_filter(&mut self, _filter: Filter) {}

    fn selection(&self, _view: &View<'_>) -> Selection {
        let subject = self.item().map(|item| explained(item.about));
        Selection { subject, ..Selection::default() }
    }

    fn line(&self, view: &View<'_>) -> Option<String> {
        let item = self.item()?;
        Some(format!("{} {}", view.moment(item.at), item.text))
    }

    fn hints(&self, view: &View<'_>) -> Vec<(Action, Hint)> {
        let Some(subject) = self.subject.as_ref().filter(|_| self.drawn.is_some()) else { return Vec::new() };
        let hint = |wanted, word| (Action::Move(wanted), Hint { word, rank: 2 });
        let is_newest = newest(view).as_ref() == Some(subject);
        let newest = matches!(subject, DiagramSubject::Message(_)) && !is_newest;
        let newest = newest.then(|| hint(Move::Follow, "newest message"));
        let others = (self.folded() > 0).then(|| hint(Move::Right, "other nodes"));
        [hint(Move::ZoomIn, "zoom"), hint(Move::ZoomOut, "out")].into_iter().chain(others).chain(newest).collect()
    }

    fn new_below(&self, _view: &View<'_>) -> Option<usize> {
        self.is_held().then_some(0)
    }

    fn scope(&self) -> Option<EventScope> {
        self.subject.clone().map(EventScope::Diagram)
    }

    fn depict(&mut self, subject: Option<DiagramSubject>, view: &View<'_>) {
        self.draw_anew(subject.or_else(|| newest(view)));
    }

    fn question(&mut self, now: Time) -> Option<EventsQuestion> {
        self.told.question(now)
    }

    fn forget(&mut self) {
        self.told.jump();
        if self.is_held() {
            self.chosen = None;
        }
        if let Some(drawn) = &mut self.drawn {
            drawn.for_what = None;
        }
    }

    fn hear_events(&mut self, question: EventsQuestion, answer: Result<EventsTold, String>) {
        if self.subject.as_ref() == Some(&question.subject) {
            self.told.hear(&question, answer);
        }
    }
}

/// To which side a page is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Back,
    On,
}

impl DiagramPane {
    /// Finds out when the subject was, and which events of it are missing. If nothing was chosen, it is the newest
    /// message, and stays that one.
    fn settle(&mut self, view: &View<'_>) {
        if self.subject.is_none() {
            self.subject = newest(view);
        }
        let Some(subject) = &self.subject else { return };
        if !self.is_held() && subject.is_known(view.model) {
            self.span = Some(subject.span(view.model, None));
        }
        let Some(span) = self.span.filter(|_| self.has_begun(view)) else { return };
        let shown = DiagramSpan { to: span.to.min(view.now), ..span };
        if self.told.want(subject, shown, view.model.totals().events) == Wanting::Events {
            view.aging.note(ASK_EVERY);
        }
    }

    /// The moment shown is not before all of it.
    fn has_begun(&self, view: &View<'_>) -> bool {
        self.span.is_some_and(|span| span.from <= view.now)
    }

    /// The reader looks at something in a diagram that goes on: it waits.
    fn is_held(&self) -> bool {
        self.chosen.is_some() && self.drawn.as_ref().is_some_and(|drawn| drawn.goes_on)
    }

    fn draw_anew(&mut self, subject: Option<DiagramSubject>) {
        if self.subject != subject {
            *self = Self { subject, height: self.height, ..Self::default() };
        }
    }

    /// Folds what was told for this much room, unless that was done already.
    fn redraw(&mut self, area: Rect, view: &View<'_>) {
        let (Some(subject), Some(told)) = (&self.subject, self.told.span()) else {
            self.drawn = None;
            return;
        };
        let events = self.told.up_to(view.now);
        let strokes = match view.theme.glyphs {
            Glyphs::Unicode => Strokes::Box,
            Glyphs::Ascii => Strokes::Ascii,
        };
        let for_what = Some(DrawnFor {
            size: (area.width, area.height),
            name_width: view.names.ours,
            strokes,
            step: self.step,
            pan: self.pan,
            answers: self.told.answers(),
            events: events.len(),
        });
        if self.drawn.as_ref().is_some_and(|drawn| drawn.for_what == for_what) {
            return;
        }
        let goes_on = subject.goes_on(view.model);
        let too_many = if goes_on { events.len().saturating_sub(NEWEST_MAX) } else { 0 };
        let events = events.get(too_many..).unwrap_or_default();
        let first = events.first().filter(|_| too_many > 0).map(|event| event.at);
        let (width, height) = (usize::from(area.width.saturating_sub(2)), usize::from(area.height.saturating_sub(2)));
        let spec = DiagramSpec {
            subject: subject.clone(),
            from: first.unwrap_or(told.from),
            to: told.to.min(view.now),
            picked: Vec::new(),
            columns_max: columns_max(width, view.names.ours),
            utc_offset_s: view.utc_offset_s,
        };
        let diagram = panned(&spec, self.pan, events, view);
        let step = self.step.map_or(GridStep::Rows(SCREENS * height.max(1)), GridStep::Of);
        let grid = grid(&diagram, GridStyle { strokes, width, step });
        self.chosen = self.chosen.and_then(|chosen| self.found_again(chosen, &diagram.items));
        let left_out = self.told.left_out() + too_many as u64;
        self.drawn = Some(DrawnDiagram { for_what, diagram, grid, goes_on, left_out });
    }

    /// Nodes that share the last column.
    fn folded(&self) -> usize {
        self.drawn.as_ref().map_or(0, |drawn| drawn.diagram.folded.len())
    }

    /// The place of a selected item in a new drawing, or of the first after its time.
    fn found_again(&self, chosen: usize, items: &[DiagramItem]) -> Option<usize> {
        let before = self.drawn.as_ref()?.diagram.items.get(chosen)?;
        let is_it = |item: &DiagramItem| (item.at, item.kind) == (before.at, before.kind) && item.text == before.text;
        let later = items.partition_point(|item| item.at < before.at);
        items.iter().position(is_it).or(Some(later))
    }

    fn hint(&self, view: &View<'_>) -> String {
        let Some(subject) = &self.subject else {
            let key = view.keys.key_of(Action::Diagram);
            return format!("No message yet. Select a message, a death, a link or a node in its pane and press {key}.");
        };
        let title = subject.title(view.model);
        match (self.told.failed(), self.span) {
            (Some(why), _) => format!("No diagram: {why}."),
            (None, Some(span)) if span.from > view.now => {
                format!("At this moment there is nothing of {title} yet: it begins at {}.", view.moment(span.from))
            }
            (None, Some(_)) => format!("{title}: reading the events .."),
            (None, None) => format!("Nothing is known of {title} at this moment."),
        }
    }

    fn render_inside(&mut self, surface: &mut Surface<'_, '_>, inside: Rect, view: &View<'_>) {
        let Some(drawn) = &self.drawn else { return };
        let notes = self.notes(drawn, inside, view);
        let below = u16::try_from(notes.len()).unwrap_or(0).min(inside.height.saturating_sub(2));
        let parts = [Constraint::Length(1), Constraint::Min(0), Constraint::Length(below)];
        let [head, body, foot] = Layout::vertical(parts).areas(inside);
        self.height = usize::from(body.height);
        let chosen = drawn.grid.row_of(self.selected());
        self.top = scrolled(self.top, chosen.unwrap_or(0), self.height, drawn.grid.rows.len());
        surface.frame.render_widget(line(&drawn.grid.head, None, view), head);
        let marked = chosen.filter(|_| surface.focus == Focus::Here);
        let rows = (self.top..).zip(drawn.grid.part(self.top, self.height, view.utc_offset_s));
        let rows: Vec<Line<'static>> =
            rows.map(|(index, row)| line(&row, marked.filter(|chosen| *chosen == index), view)).collect();
        surface.frame.render_widget(Paragraph::new(rows), body);
        surface.frame.render_widget(Paragraph::new(notes), foot);
        let (rows, shown) = (drawn.grid.rows.len(), self.top + self.height);
        surface.more(self.top, rows.saturating_sub(shown), view);
    }

    /// What stands below the rows: the selected item in a sentence, then what a reader must know besides, as much
    /// as a third of the pane has room for.
    fn notes(&self, drawn: &DrawnDiagram, inside: Rect, view: &View<'_>) -> Vec<Line<'static>> {
        let item = self.item().map(|item| (Tone::Strong, item.text.clone()));
        let until = self.told.span().map_or(view.now, |told| told.to.min(view.now));
        let is_open = self.span.is_some_and(|span| span.to > until) && !drawn.goes_on;
        let open = is_open.then(|| (Tone::Stale, format!("known up to {}", view.moment(until))));
        let left_out = (drawn.left_out > 0)
            .then(|| (Tone::Stale, format!("{} left out: too many in this time", count_text(drawn.left_out, "event"))));
        let notes = drawn.diagram.notes().into_iter().map(|note| (Tone::Stale, note));
        let all = item.into_iter().chain(open).chain(left_out).chain(notes);
        let lines = all.flat_map(|(tone, text)| view.wrapped(&text, tone, usize::from(inside.width)));
        lines.take(usize::from(inside.height / 3)).collect()
    }

    /// The place of the selected item.
    fn selected(&self) -> usize {
        let Some(drawn) = &self.drawn else { return 0 };
        let last = drawn.diagram.items.len().saturating_sub(1);
        let unchosen = if drawn.goes_on { last } else { 0 };
        self.chosen.unwrap_or(unchosen).min(last)
    }

    fn item(&self) -> Option<&DiagramItem> {
        self.drawn.as_ref()?.diagram.items.get(self.selected())
    }

    /// Selects an item; with the newest of what goes on, that goes on.
    fn choose(&mut self, item: usize) {
        let Some(drawn) = &self.drawn else { return };
        let last = drawn.diagram.items.len().saturating_sub(1);
        self.chosen = Some(item).filter(|item| *item < last || !drawn.goes_on).map(|item| item.min(last));
        if self.is_held() {
            self.span = self.told.span();
        }
    }

    /// Goes to the newest: message, or row.
    fn follow(&mut self, view: &View<'_>) {
        match self.subject {
            None | Some(DiagramSubject::Message(_)) => self.draw_anew(newest(view)),
            Some(
                DiagramSubject::Death { .. }
                | DiagramSubject::Node(_)
                | DiagramSubject::Link(..)
                | DiagramSubject::Window(_),
            ) => self.choose(usize::MAX),
        }
    }

    /// Selects the first item of the row a page away.
    fn turn_page(&mut self, page: usize, turn: Turn) {
        let Some(drawn) = &self.drawn else { return };
        let row = drawn.grid.row_of(self.selected()).unwrap_or(0);
        let rows = &drawn.grid.rows;
        let (found, edge) = match turn {
            Turn::Back => (rows.iter().take(row.saturating_sub(page) + 1).rev().find(|row| !row.items.is_empty()), 0),
            Turn::On => (rows.iter().skip(row + page).find(|row| !row.items.is_empty()), usize::MAX),
        };
        self.choose(found.and_then(|row| row.items.first().copied()).unwrap_or(edge));
    }

    fn zoom(&mut self, step: fn(RowStep) -> RowStep) {
        self.step = self.drawn.as_ref().map(|drawn| step(drawn.grid.step)).or(self.step);
    }
}

/// The diagram with other nodes in its columns: so many more to the right. The subject gives way, too.
fn panned(spec: &DiagramSpec, pan: usize, events: &[Event], view: &View<'_>) -> Diagram {
    let first = diagram(spec, events, view.model);
    let pan = pan.min(first.folded.len());
    if pan == 0 {
        return first;
    }
    let picked = first.nodes().iter().copied().skip(pan).take(first.columns.len()).collect();
    diagram(&DiagramSpec { picked, ..spec.clone() }, events, view.model)
}

/// The message whose spread is shown, or the newest.
fn newest(view: &View<'_>) -> Option<DiagramSubject> {
    let shown = view.wave.map(|wave| wave.id);
    shown.or_else(|| view.model.latest_rumor().map(|rumor| rumor.id)).map(DiagramSubject::Message)
}

/// What explains an item.
const fn explained(about: ItemSubject) -> Subject {
    match about {
        ItemSubject::Copy { id, node } => Subject::Lack { node, id },
        ItemSubject::Death(dead) => Subject::Death(dead),
        ItemSubject::Link { node, peer } => Subject::Link(LinkKey { node, peer }),
        ItemSubject::Node(node) => Subject::Node(node),
        ItemSubject::Fault(fault) => Subject::Fault(fault),
    }
}

/// The first row in sight, so that the chosen one is.
fn scrolled(top: usize, chosen: usize, height: usize, rows: usize) -> usize {
    let least = (chosen + 1).saturating_sub(height);
    top.clamp(least, chosen.max(least)).min(rows.saturating_sub(height))
}

fn line(row: &GridRow, marked: Option<usize>, view: &View<'_>) -> Line<'static> {
    let runs = row.cells.chunk_by(|one, other| one.part == other.part);
    let spans = runs.map(|run| {
        let text: String = run.iter().map(|cell| cell.symbol).collect();
        let style = view.style(tone(run.first().map_or(CellPart::Blank, |cell| cell.part)));
        Span::styled(text, if marked.is_some() { selected(style) } else { style })
    });
    Line::from(spans.collect::<Vec<_>>())
}

const fn tone(part: CellPart) -> Tone {
    match part {
        CellPart::Blank => Tone::Plain,
        CellPart::Time | CellPart::Life(LifeLine::Runs | LifeLine::Elsewhere | LifeLine::Gone) => Tone::Stale,
        CellPart::Life(LifeLine::Hangs) => Tone::Suspect,
        CellPart::Item(ink) => match ink {
            Ink::Wave => Tone::Wave,
            Ink::Good => Tone::Up,
            Ink::Plain => Tone::Plain,
            Ink::Faint => Tone::Stale,
            Ink::Doubtful => Tone::Suspect,
            Ink::Bad => Tone::Dead,
        },
    }
}
