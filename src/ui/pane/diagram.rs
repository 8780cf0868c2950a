//! The space-time diagram: a column a node, time downward, what went from one to another.
//!
//! ```text
//! 8 Diagram p1#3, 8 nodes, a row 500 us
//!                p1        p4        p2        +5
//! 20:47:25.012   ◆ p1#3    │         │         │
//!                ├━━━━━━━━▸│ hop 1, 1.0 ms     │
//! known up to 20:47:25.013
//! p4: Received p1#3 from p1
//! ```
//!
//! The model holds no events, so the pane asks the host for those of its span, and again while more may
//! come. In the past, or in a frozen picture, what comes later than the moment shown is not drawn.

use std::time::Duration;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Focus, Moved, Pane, PaneInfo, PanePlace, PaneSize, Selection, Surface};
use crate::model::diagram::grid::{CellPart, Grid, GridRow, GridStep, GridStyle, Strokes, columns_max, grid};
use crate::model::diagram::item::{Ink, ItemSubject};
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
use crate::ui::options::Glyphs;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::View;

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 8,
    title: "Diagram",
    word: "diagram",
    help: "space-time diagram: a message, a death, a link or a node, from node to node",
    // It wants room, so it never stands beside other panes.
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(0) },
    rank: 15,
    rank_empty: None,
    ..PaneInfo::new(|| Box::new(DiagramPane::default()))
};

/// Time between two questions while more may come.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// After this time without an answer it is asked once more: a busy host may have dropped the question.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Screens that a diagram takes at most until the reader zooms.
const SCREENS: usize = 3;

/// What the host has told.
struct ToldEvents {
    question: EventsQuestion,
    answer: Result<EventsTold, String>,
}

/// What is drawn.
struct DrawnDiagram {
    /// For what; anything else is drawn anew.
    at: DrawnFor,
    diagram: Diagram,
    grid: Grid,
    /// Events that came too many to be told.
    left_out: u64,
}

/// What a drawing depends on, besides what was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DrawnFor {
    size: (u16, u16),
    name_width: usize,
    strokes: Strokes,
    step: Option<RowStep>,
    /// The last moment that is in it.
    until: Time,
}

#[derive(Default)]
struct DiagramPane {
    /// There are no lines to filter.
    all: Filter,
    subject: Option<DiagramSubject>,
    /// The question that was asked last, and when.
    asked: Option<(EventsQuestion, Time)>,
    /// The question to be asked next.
    wanted: Option<EventsQuestion>,
    told: Option<ToldEvents>,
    drawn: Option<DrawnDiagram>,
    /// How much time a row stands for, once the reader has chosen.
    step: Option<RowStep>,
    /// The selected item.
    selected: usize,
    /// The first row in sight, and how many are.
    top: usize,
    height: usize,
}

impl Pane for DiagramPane {
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>) {
        self.settle_subject(view);
        self.want_events(view);
        self.redraw(surface.area, view);
        let Some(drawn) = &self.drawn else {
            let inside = surface.framed("", &self.all, view);
            return surface.hint(&self.hint(view), inside, view);
        };
        let nodes = count_text((drawn.diagram.columns.len() + drawn.diagram.folded.len()) as u64, "node");
        let note = format!("{}, {nodes}, a row {}", drawn.diagram.title, drawn.grid.step_text());
        let inside = surface.framed(&note, &self.all, view);
        self.render_inside(surface, inside, view);
    }

    fn act(&mut self, wanted: Move, view: &View<'_>) -> Moved {
        let page = self.height.max(1);
        match wanted {
            Move::Up => self.select_by(-1),
            Move::Down => self.select_by(1),
            Move::PageUp => self.turn_page(page, Turn::Back),
            Move::PageDown => self.turn_page(page, Turn::On),
            Move::Top => self.selected = 0,
            Move::Bottom => self.selected = usize::MAX,
            Move::ZoomIn => self.zoom(RowStep::shorter),
            Move::ZoomOut => self.zoom(RowStep::longer),
            Move::Follow => self.draw_anew(newest(view)),
            Move::Left | Move::Right | Move::NextMatch | Move::PreviousMatch | Move::Sort | Move::Reverse => {}
        }
        self.keep_selection();
        Moved::Here
    }

    fn click(&mut self, at: Position, area: Rect, _view: &View<'_>) -> Moved {
        // The frame and the names of the nodes stand above the rows.
        let row = usize::from(at.y).checked_sub(usize::from(area.y) + 2).map(|row| row + self.top);
        let rows = self.drawn.as_ref().map(|drawn| &drawn.grid.rows);
        if let Some(item) = row.and_then(|row| rows?.get(row)?.items.first()) {
            self.selected = *item;
        }
        Moved::Here
    }

    fn filter(&self) -> &Filter {
        &self.all
    }

    fn set_filter(&mut self, _filter: Filter) {}

    fn selection(&self, _view: &View<'_>) -> Selection {
        let item = self.drawn.as_ref().and_then(|drawn| drawn.diagram.items.get(self.selected));
        let subject = item.and_then(|item| explained(item.about));
        Selection { subject, ..Selection::default() }
    }

    fn line(&self, view: &View<'_>) -> Option<String> {
        let item = self.drawn.as_ref()?.diagram.items.get(self.selected)?;
        Some(format!("{} {}", view.moment(item.at), item.text))
    }

    fn depict(&mut self, subject: Option<DiagramSubject>, view: &View<'_>) {
        self.draw_anew(subject.or_else(|| newest(view)));
    }

    fn question(&mut self, now: Time) -> Option<EventsQuestion> {
        let question = self.wanted.take()?;
        self.asked = Some((question.clone(), now));
        Some(question)
    }

    fn forget(&mut self) {
        self.drawn = None;
    }

    fn hear_events(&mut self, question: EventsQuestion, answer: Result<EventsTold, String>) {
        if self.subject.as_ref() == Some(&question.subject) {
            (self.asked, self.drawn) = (None, None);
            self.told = Some(ToldEvents { question, answer });
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
    /// The newest message, if nothing was chosen; it stays that one.
    fn settle_subject(&mut self, view: &View<'_>) {
        if self.subject.is_none() {
            self.subject = newest(view);
        }
    }

    fn draw_anew(&mut self, subject: Option<DiagramSubject>) {
        if self.subject != subject {
            *self = Self { subject, height: self.height, ..Self::default() };
        }
    }

    /// Asks for the events of its span, if they were not told up to the moment that is shown.
    fn want_events(&mut self, view: &View<'_>) {
        let Some(subject) = &self.subject else { return };
        let DiagramSpan { from, to } = subject.span(view.model, None);
        if to > view.now {
            view.aging.note(ASK_AGAIN);
        }
        let question = EventsQuestion { subject: subject.clone(), from, to: to.min(view.now) };
        let is_known = self.told.as_ref().is_some_and(|told| {
            let before = &told.question;
            before.from <= question.from && (before.to >= question.to || view.now.since(before.to) < ASK_AGAIN)
        });
        let is_asked = self.asked.as_ref().is_some_and(|(_, at)| view.now.since(*at) < ANSWER_TIME);
        if !is_known && !is_asked {
            self.wanted = Some(question);
        }
    }

    /// Folds what was told for this much room, unless that was done already.
    fn redraw(&mut self, area: Rect, view: &View<'_>) {
        let Some(ToldEvents { question, answer: Ok(told) }) = &self.told else {
            self.drawn = None;
            return;
        };
        let strokes = match view.theme.glyphs {
            Glyphs::Unicode => Strokes::Box,
            Glyphs::Ascii => Strokes::Ascii,
        };
        let (size, name_width) = ((area.width, area.height), view.names.ours);
        let at = DrawnFor { size, name_width, strokes, step: self.step, until: question.to.min(view.now) };
        if self.drawn.as_ref().is_some_and(|drawn| drawn.at == at) {
            return;
        }
        let (width, height) = (usize::from(area.width.saturating_sub(2)), usize::from(area.height.saturating_sub(2)));
        let spec = DiagramSpec {
            subject: question.subject.clone(),
            from: question.from,
            to: at.until,
            picked: Vec::new(),
            columns_max: columns_max(width, name_width),
            utc_offset_s: view.utc_offset_s,
        };
        let diagram = diagram(&spec, told.events.iter(), view.model);
        let step = self.step.map_or(GridStep::Rows(SCREENS * height.max(1)), GridStep::Of);
        let grid = grid(&diagram, GridStyle { strokes, width, step });
        self.drawn = Some(DrawnDiagram { at, diagram, grid, left_out: told.left_out });
        self.keep_selection();
    }

    fn hint(&self, view: &View<'_>) -> String {
        match (&self.told, &self.subject) {
            (Some(ToldEvents { answer: Err(why), .. }), _) => format!("No diagram: {why}."),
            (_, Some(subject)) => format!("{}: reading the events ..", subject.title(view.model)),
            (_, None) => {
                let key = view.keys.key_of(Action::Diagram);
                format!("No message yet. Select a message, a death, a link or a node in its pane and press {key}.")
            }
        }
    }

    fn render_inside(&mut self, surface: &mut Surface<'_, '_>, inside: Rect, view: &View<'_>) {
        let Some(drawn) = &self.drawn else { return };
        let notes = self.notes(drawn, inside, view);
        let below = u16::try_from(notes.len()).unwrap_or(0).min(inside.height.saturating_sub(2));
        let parts = [Constraint::Length(1), Constraint::Min(0), Constraint::Length(below)];
        let [head, body, foot] = Layout::vertical(parts).areas(inside);
        self.height = usize::from(body.height);
        let chosen = drawn.grid.row_of(self.selected);
        self.top = scrolled(self.top, chosen.unwrap_or(0), self.height, drawn.grid.rows.len());
        surface.frame.render_widget(line(&drawn.grid.head, None, view), head);
        let marked = chosen.filter(|_| surface.focus == Focus::Here);
        let rows = drawn.grid.rows.iter().enumerate().skip(self.top).take(self.height);
        let rows: Vec<Line<'static>> =
            rows.map(|(index, row)| line(row, marked.filter(|chosen| *chosen == index), view)).collect();
        surface.frame.render_widget(Paragraph::new(rows), body);
        surface.frame.render_widget(Paragraph::new(notes), foot);
        let (rows, shown) = (drawn.grid.rows.len(), self.top + self.height);
        surface.more(self.top, rows.saturating_sub(shown), view);
    }

    /// What stands below the rows: the selected item in a sentence, then what a reader must know besides, as much
    /// as a third of the pane has room for.
    fn notes(&self, drawn: &DrawnDiagram, inside: Rect, view: &View<'_>) -> Vec<Line<'static>> {
        let item = drawn.diagram.items.get(self.selected).map(|item| (Tone::Strong, item.text.clone()));
        let ends = drawn.diagram.subject.span(view.model, None).to;
        let open =
            (ends > drawn.at.until).then(|| (Tone::Stale, format!("known up to {}", view.moment(drawn.at.until))));
        let left_out = (drawn.left_out > 0)
            .then(|| (Tone::Stale, format!("{} left out: too many in this time", count_text(drawn.left_out, "event"))));
        let notes = drawn.diagram.notes().into_iter().map(|note| (Tone::Stale, note));
        let all = item.into_iter().chain(open).chain(left_out).chain(notes);
        let lines = all.flat_map(|(tone, text)| view.wrapped(&text, tone, usize::from(inside.width)));
        lines.take(usize::from(inside.height / 3)).collect()
    }

    fn select_by(&mut self, by: isize) {
        self.selected = self.selected.saturating_add_signed(by);
    }

    /// Selects the first item of the row a page away.
    fn turn_page(&mut self, page: usize, turn: Turn) {
        let Some(drawn) = &self.drawn else { return };
        let row = drawn.grid.row_of(self.selected).unwrap_or(0);
        let rows = &drawn.grid.rows;
        let found = match turn {
            Turn::Back => rows.iter().take(row.saturating_sub(page) + 1).rev().find(|row| !row.items.is_empty()),
            Turn::On => rows.iter().skip(row + page).find(|row| !row.items.is_empty()),
        };
        let edge = match turn {
            Turn::Back => 0,
            Turn::On => usize::MAX,
        };
        self.selected = found.and_then(|row| row.items.first().copied()).unwrap_or(edge);
    }

    fn keep_selection(&mut self) {
        let items = self.drawn.as_ref().map_or(0, |drawn| drawn.diagram.items.len());
        self.selected = self.selected.min(items.saturating_sub(1));
    }

    fn zoom(&mut self, step: fn(RowStep) -> RowStep) {
        self.step = self.drawn.as_ref().map(|drawn| step(drawn.grid.step)).or(self.step);
    }
}

/// The message whose spread is shown, or the newest.
fn newest(view: &View<'_>) -> Option<DiagramSubject> {
    let shown = view.wave.map(|wave| wave.id);
    shown.or_else(|| view.model.latest_rumor().map(|rumor| rumor.id)).map(DiagramSubject::Message)
}

/// What explains an item.
const fn explained(about: ItemSubject) -> Option<Subject> {
    match about {
        ItemSubject::Copy { id, node } => Some(Subject::Lack { node, id }),
        ItemSubject::Death(dead) => Some(Subject::Death(dead)),
        ItemSubject::Link { node, peer } => Some(Subject::Link(LinkKey { node, peer })),
        ItemSubject::Node(node) => Some(Subject::Node(node)),
        ItemSubject::Nothing => None,
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
