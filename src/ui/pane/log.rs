//! A pane that shows a log of the model: a line is an entry, by its number.

use std::ops::Range;

use super::Selection;
use super::list::Lines;
use crate::model::ring::Ring;
use crate::ui::filter::Filter;
use crate::ui::line::Sentence;
use crate::ui::list_view::{Found, ListView, LogRows, Rows, Untouched};
use crate::ui::text;
use crate::ui::view::View;

/// Which log it is, and what its lines are.
pub(super) trait Log {
    type Entry;
    /// What a line is, in the hint of a filter that matches none; without a word, the hint is that
    /// of an empty log.
    const WORD: Option<&'static str> = None;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<Self::Entry>;

    /// A line, for this many columns.
    fn line(entry: &Self::Entry, columns: usize, view: &View<'_>) -> Sentence;

    /// What the pane says when it is empty.
    fn hint(view: &View<'_>) -> String;

    /// What the title says first.
    fn summary(lines: usize, _view: &View<'_>) -> Vec<String> {
        vec![text::count(lines)]
    }

    /// Lines above the window that are searched for such as stay in sight.
    const LOOK_BACK: usize = 0;

    /// It stays in sight while newer lines are followed.
    fn stays(_entry: &Self::Entry, _view: &View<'_>) -> bool {
        false
    }

    /// What an entry is about.
    fn selection(number: u64, entry: &Self::Entry, view: &View<'_>) -> Selection;
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

    /// `1 284, FOLLOW` or `1 284, 42 new below`.
    fn note(&self, list: &ListView<u64>, rows: &LogRows, view: &View<'_>) -> String {
        let mut items = L::summary(rows.len(), view);
        let below = text::count(list.below(rows));
        let place = if list.is_untouched() { "FOLLOW".to_owned() } else { format!("{below} new below") };
        if rows.len() > 0 {
            items.insert(items.len().min(1), place);
        }
        items.join(", ")
    }

    /// The newest lines, and above them as many older ones that stay as leave room for one.
    fn in_sight(&self, window: Range<usize>, list: &ListView<u64>, rows: &LogRows, view: &View<'_>) -> Vec<u64> {
        let number = |place: usize| rows.item(place);
        let stays = |place: &usize| {
            let entry = number(*place).and_then(|number| L::entries(view).get(number));
            entry.is_some_and(|entry| L::stays(entry, view))
        };
        let mut places: Vec<usize> = Vec::with_capacity(window.len());
        if list.is_untouched() && L::LOOK_BACK > 0 {
            let from = window.start.saturating_sub(L::LOOK_BACK);
            places.extend((from..window.end).rev().filter(stays).take(window.len().saturating_sub(1)));
        }
        for place in window.clone().rev() {
            if places.len() < window.len() && !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_unstable();
        places.into_iter().filter_map(number).collect()
    }

    fn hint(&self, view: &View<'_>) -> String {
        L::hint(view)
    }

    fn selection(&self, number: u64, view: &View<'_>) -> Selection {
        L::entries(view).get(number).map(|entry| L::selection(number, entry, view)).unwrap_or_default()
    }
}
