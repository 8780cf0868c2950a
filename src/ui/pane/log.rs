//! A pane that shows a log of the model: a line is an entry, by its number.

use super::list::Lines;
use crate::model::ring::Ring;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::ui::explain::Subject;
use crate::ui::filter::Filter;
use crate::ui::line::Sentence;
use crate::ui::list_view::{Found, ListView, LogRows, Rows, Untouched};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Which log it is, and what its lines are.
pub(super) trait Log {
    type Entry;
    /// What a line is, in the hint of a filter that matches none; without a word, the hint is that
    /// of an empty log.
    const WORD: Option<&'static str> = None;
    /// The color of their number in the footer.
    const TONE: Tone;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<Self::Entry>;

    /// A line, for this many columns.
    fn line(entry: &Self::Entry, columns: usize, view: &View<'_>) -> Sentence;

    /// What the pane says when it is empty.
    fn hint(view: &View<'_>) -> String;

    /// The node that an entry is about.
    fn node(entry: &Self::Entry) -> Option<Addr>;

    /// What Enter explains.
    fn subject(number: u64, entry: &Self::Entry, view: &View<'_>) -> Subject;

    /// The message that is shown while the line is selected.
    fn message(_entry: &Self::Entry) -> Option<MessageId> {
        None
    }

    /// The newest message is to be followed again.
    fn follow_newest(_list: &mut ListView<u64>) {}
}

/// The lines of such a log.
pub(super) struct LogLines<L> {
    found: Found,
    log: std::marker::PhantomData<L>,
}

impl<L> Default for LogLines<L> {
    fn default() -> Self {
        Self { found: Found::default(), log: std::marker::PhantomData }
    }
}

impl<L: Log> Lines for LogLines<L> {
    type Key = u64;
    type Rows = LogRows;
    type Facts = ();
    const UNTOUCHED: Untouched = Untouched::Newest;
    const WORD: Option<&'static str> = L::WORD;

    fn look(&mut self, filter: &Filter, view: &View<'_>) {
        let full = view.in_full();
        self.found.look(L::entries(view), filter, |entry| L::line(entry, usize::MAX, &full).text());
    }

    fn rows(&self, filter: &Filter, view: &View<'_>) -> LogRows {
        self.found.rows(L::entries(view), filter)
    }

    fn facts(&self, _rows: &[u64], _selected: Option<u64>, _view: &View<'_>) {}

    fn line(&self, number: u64, (): &(), columns: usize, view: &View<'_>) -> Sentence {
        L::entries(view).get(number).map(|entry| L::line(entry, columns, view)).unwrap_or_default()
    }

    /// `1 284, FOLLOW` or `1 284, 42 new below`, and the filter.
    fn note(&self, list: &ListView<u64>, rows: &LogRows, _view: &View<'_>) -> String {
        let filter = &list.search.filter;
        if rows.len() == 0 && filter.is_all() {
            return "0".to_owned();
        }
        let below = text::count(list.below(rows));
        let place = if list.is_untouched() { "FOLLOW".to_owned() } else { format!("{below} new below") };
        format!("{}, {place}, {}", text::count(rows.len()), filter.note())
    }

    fn hint(&self, view: &View<'_>) -> String {
        L::hint(view)
    }

    fn node(&self, number: u64, view: &View<'_>) -> Option<Addr> {
        L::node(L::entries(view).get(number)?)
    }

    fn subject(&self, number: u64, view: &View<'_>) -> Option<Subject> {
        Some(L::subject(number, L::entries(view).get(number)?, view))
    }

    fn count(&self, view: &View<'_>) -> (usize, Tone) {
        (L::entries(view).len(), L::TONE)
    }

    fn message(&self, number: u64, view: &View<'_>) -> Option<MessageId> {
        L::message(L::entries(view).get(number)?)
    }

    fn follow_newest(&self, list: &mut ListView<u64>) {
        L::follow_newest(list);
    }
}
