//! A pane of lines, one of which is selected: what all of them have in common.

use std::ops::Range;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{Focus, Moved, Pane, Selection, Surface};
use crate::proto::addr::Addr;
use crate::ui::action::{Action, Move};
use crate::ui::filter::Filter;
use crate::ui::keys::Hint;
use crate::ui::line::{Parts, Sentence, fit, mark};
use crate::ui::list_view::{ListView, Rows, Untouched};
use crate::ui::text;
use crate::ui::view::View;

/// What the lines of a pane are.
pub(super) trait Lines: Default {
    /// What a line is about.
    type Key: Copy + PartialEq;
    type Rows: Rows<Self::Key>;
    /// What the lines of a picture are made from, in one walk through the model.
    type Facts;
    /// A log follows its newest line.
    const UNTOUCHED: Untouched;

    /// The lines that pass the filter, in order.
    fn rows(&self, filter: &Filter, view: &View<'_>) -> Self::Rows;

    /// What is needed for these lines, of which one may be selected.
    fn facts(&self, rows: &[Self::Key], selected: Option<Self::Key>, view: &View<'_>) -> Self::Facts;

    /// A line, for this many columns.
    fn line(&self, key: Self::Key, facts: &Self::Facts, columns: usize, view: &View<'_>) -> Sentence;

    /// What the title says.
    fn note(&self, list: &ListView<Self::Key>, rows: &Self::Rows, view: &View<'_>) -> String;

    /// What the pane says when it is empty.
    fn hint(&self, view: &View<'_>) -> String;

    /// What to do next, below lines that leave room for it.
    fn advice(&self, _view: &View<'_>) -> Option<String> {
        None
    }

    /// What a line is, in the hint of a filter that matches none; if there is no word, the filter
    /// is not mentioned.
    const WORD: Option<&'static str> = None;

    /// The lines in this window, in order.
    fn in_sight(
        &self,
        window: Range<usize>,
        _list: &ListView<Self::Key>,
        rows: &Self::Rows,
        _view: &View<'_>,
    ) -> Vec<Self::Key> {
        window.filter_map(|place| rows.item(place)).collect()
    }

    /// What a selected line is about.
    fn selection(&self, key: Self::Key, view: &View<'_>) -> Selection;

    /// Checks before drawing what is new.
    fn look(&mut self, _filter: &Filter, _view: &View<'_>) {}

    /// The line as text, for filters and the clipboard.
    fn plain(&self, key: Self::Key, view: &View<'_>) -> String {
        self.line(key, &self.facts(&[key], None, view), usize::MAX, view).text()
    }

    /// The line above the others, if there is one.
    fn heading(&self, _columns: usize, _view: &View<'_>) -> Option<Parts> {
        None
    }

    /// The line that is selected until the user selects one, if not the first or the newest.
    fn begin_at(&self, _rows: &Self::Rows, _view: &View<'_>) -> Option<Self::Key> {
        None
    }

    /// Does what a key asks before the selection moves; returns whether that was all.
    fn act(
        &mut self,
        _wanted: Move,
        _list: &mut ListView<Self::Key>,
        _chosen: Option<Self::Key>,
        _view: &View<'_>,
    ) -> Done {
        Done::No
    }

    /// The line of this node.
    fn of_node(&self, _node: Addr) -> Option<Self::Key> {
        None
    }

    /// Forgets what was found out about the lines of another moment.
    fn forget(&mut self) {}

    /// The keys that matter most while this line is selected.
    fn hints(&self, _chosen: Option<Self::Key>, _view: &View<'_>) -> Vec<(Action, Hint)> {
        Vec::new()
    }

    fn sort(&mut self, _order: &str) {}

    fn show_columns(&mut self, _columns: &[&'static str]) {}
}

/// Whether further lines stand below an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Folded,
    Unfolded,
}

impl Fold {
    /// In front of a line that can be unfolded.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Folded => "+",
            Self::Unfolded => "-",
        }
    }
}

/// The hint of the key that unfolds a line, or folds it; `rank` as in [`Hint`].
pub(super) const fn fold_hint(fold: Fold, rank: u8) -> (Action, Hint) {
    match fold {
        Fold::Folded => (Action::Move(Move::Right), Hint { word: "unfold", rank }),
        Fold::Unfolded => (Action::Move(Move::Left), Hint { word: "fold", rank }),
    }
}

/// Columns of a sentence in the narrowest pane beside others.
const SENTENCE_COLUMNS: usize = 26;

/// The rows that a sentence takes there.
pub(super) fn rows_wanted(sentence: &str) -> usize {
    rows_of(text::width(sentence))
}

/// The rows of a sentence of so many columns.
pub(super) fn rows_of(columns: usize) -> usize {
    columns.div_ceil(SENTENCE_COLUMNS)
}

/// Whether a key was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Yes,
    No,
}

/// A pane of such lines, and the reader's position.
pub(super) struct ListPane<L: Lines> {
    lines: L,
    list: ListView<L::Key>,
    /// What was in each row of the last drawing: a long line takes several.
    drawn: Vec<L::Key>,
}

impl<L: Lines + 'static> ListPane<L> {
    pub(super) fn boxed() -> Box<dyn Pane> {
        Box::new(Self { lines: L::default(), list: ListView::new(L::UNTOUCHED), drawn: Vec::new() })
    }

    fn rows(&self, view: &View<'_>) -> L::Rows {
        self.lines.rows(self.filter(), view)
    }

    fn selected(&self, view: &View<'_>) -> Option<L::Key> {
        self.selected_in(&self.rows(view), view)
    }

    fn selected_in(&self, rows: &L::Rows, view: &View<'_>) -> Option<L::Key> {
        let first = if self.list.is_untouched() { self.lines.begin_at(rows, view) } else { None };
        first.or_else(|| self.list.selected(rows))
    }

    fn hint(&self, view: &View<'_>) -> String {
        match L::WORD.filter(|_| !self.filter().is_all()) {
            Some(word) => {
                let back = view.keys.key_of(Action::Back);
                format!("No {word} matches '{}'. {back} shows all.", self.filter().typed())
            }
            None => self.lines.hint(view),
        }
    }

    /// The lines of these keys, which all have a row; in rows that are left, a long line continues.
    /// The line that is read is whole: others, the farthest first, make room for it.
    fn drawn_lines(
        &mut self,
        mut keys: Vec<L::Key>,
        (columns, rows): (usize, usize),
        (selected, read): (Option<L::Key>, Option<L::Key>),
        view: &View<'_>,
    ) -> Vec<Line<'static>> {
        let facts = self.lines.facts(&keys, selected, view);
        let whole = read.map_or(1, |key| self.lines.line(key, &facts, columns, view).lines(columns, rows, view).len());
        let too_many = (keys.len() + whole - 1).saturating_sub(rows);
        let above = keys.iter().position(|key| Some(*key) == read).unwrap_or(0).min(too_many);
        keys.drain(..above);
        keys.truncate(keys.len() - (too_many - above));
        self.list.leave_out(above, too_many - above);
        let mut free = rows.saturating_sub(keys.len() + whole - 1);
        self.drawn.clear();
        let mut drawn = Vec::with_capacity(rows);
        for key in keys {
            let room = if Some(key) == read { whole } else { free + 1 };
            let lines = self.lines.line(key, &facts, columns, view).lines(columns, room, view);
            if Some(key) != read {
                free -= lines.len() - 1;
            }
            self.drawn.resize(self.drawn.len() + lines.len(), key);
            drawn.extend(lines);
        }
        drawn
    }
}

impl<L: Lines + 'static> Pane for ListPane<L> {
    fn render(&mut self, surface: &mut Surface<'_, '_>, view: &View<'_>) {
        self.lines.look(&self.list.search.filter, view);
        let rows = self.rows(view);
        let columns = usize::from(surface.area.width.saturating_sub(2));
        let heading = self.lines.heading(columns, view);
        let headings = u16::from(heading.is_some());
        let height = usize::from(surface.area.height.saturating_sub(2 + headings));
        let selected = self.selected_in(&rows, view);
        if let Some(selected) = selected {
            self.list.begin_at(&rows, selected);
        }
        let window = self.list.window(&rows, height);
        let keys = self.lines.in_sight(window, &self.list, &rows, view);
        let read = selected.filter(|key| surface.focus == Focus::Here && keys.contains(key));
        let mut lines = self.drawn_lines(keys, (columns, height), (selected, read), view);
        let inside = surface.framed(&self.lines.note(&self.list, &rows, view), self.filter(), view);
        if L::UNTOUCHED == Untouched::First {
            surface.more(self.list.above(), self.list.below(&rows), view);
        }
        if rows.len() == 0 {
            return surface.hint(&self.hint(view), inside, view);
        }
        let [top, body] = Layout::vertical([Constraint::Length(headings), Constraint::Min(0)]).areas(inside);
        if let Some(heading) = heading {
            surface.frame.render_widget(fit(&heading, columns, view), top);
        }
        if surface.focus == Focus::Here {
            for (line, key) in lines.iter_mut().zip(&self.drawn) {
                if selected == Some(*key) {
                    mark(line, columns);
                }
            }
        }
        let drawn = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(body.height);
        surface.frame.render_widget(Paragraph::new(lines), body);
        // A blank line, and one for the advice.
        if body.height > drawn + 1
            && let Some(advice) = self.lines.advice(view)
        {
            let rest = Rect { y: body.y + drawn + 1, height: body.height - drawn - 1, ..body };
            surface.hint(&advice, rest, view);
        }
    }

    fn act(&mut self, wanted: Move, view: &View<'_>) -> Moved {
        let rows = self.rows(view);
        let chosen = self.selected_in(&rows, view);
        if self.lines.act(wanted, &mut self.list, chosen, view) == Done::No {
            self.list.act(&rows, wanted, |key| self.lines.plain(key, view));
        }
        Moved::Here
    }

    fn click(&mut self, at: Position, area: Rect, view: &View<'_>) -> Moved {
        let heading = u16::from(self.lines.heading(usize::from(area.width), view).is_some());
        let row = at.y.checked_sub(area.y + 1 + heading).filter(|_| at.y + 1 < area.bottom());
        if let Some(key) = row.and_then(|row| self.drawn.get(usize::from(row)).copied()) {
            self.list.select(key);
        }
        Moved::Here
    }

    fn new_below(&self, view: &View<'_>) -> Option<usize> {
        let is_left = L::UNTOUCHED == Untouched::Newest && !self.list.is_untouched();
        is_left.then(|| self.list.below(&self.rows(view)))
    }

    fn hints(&self, view: &View<'_>) -> Vec<(Action, Hint)> {
        let rows = self.rows(view);
        let mut hints = self.lines.hints(self.selected_in(&rows, view), view);
        if L::UNTOUCHED == Untouched::Newest && self.list.is_untouched() && rows.len() > 0 {
            hints.push((Action::Move(Move::Follow), Hint { word: "hold", rank: 5 }));
        }
        hints
    }

    fn filter(&self) -> &Filter {
        &self.list.search.filter
    }

    fn set_filter(&mut self, filter: Filter) {
        self.list.search.set(filter);
    }

    fn sought(&self) -> &Filter {
        &self.list.search.sought
    }

    fn selection(&self, view: &View<'_>) -> Selection {
        let selection = self.selected(view).map(|key| self.lines.selection(key, view)).unwrap_or_default();
        // The newest message is not chosen.
        let message = selection.message.filter(|_| !self.list.is_untouched());
        Selection { message, ..selection }
    }

    fn line(&self, view: &View<'_>) -> Option<String> {
        Some(self.lines.plain(self.selected(view)?, view))
    }

    fn describe(&self, node: Addr, view: &View<'_>) -> Option<String> {
        Some(self.lines.plain(self.lines.of_node(node)?, view))
    }

    fn select(&mut self, node: Option<Addr>, view: &View<'_>) {
        let row = node.and_then(|node| self.lines.of_node(node));
        if let Some(row) = row.filter(|row| self.rows(view).place(*row).is_some()) {
            self.list.select(row);
        }
    }

    fn follow_newest(&mut self) {
        self.list.let_go();
    }

    fn forget(&mut self) {
        self.lines.forget();
    }

    fn sort(&mut self, order: &str) {
        self.lines.sort(order);
    }

    fn show_columns(&mut self, columns: &[&'static str]) {
        self.lines.show_columns(columns);
    }
}
