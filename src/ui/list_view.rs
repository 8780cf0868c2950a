//! A window on a list that is rebuilt for every picture: the selection stays on its item, not on
//! its row.

use std::ops::Range;

use super::action::Move;
use super::filter::Filter;

/// The window's position and selection.
#[derive(Debug, Clone)]
pub(crate) struct ListView<K> {
    selected: Option<K>,
    /// Where the selected item was, in case it goes.
    place: usize,
    top: usize,
    /// Rows at the last drawing: the size of a screen.
    rows: usize,
    filter: Filter,
    /// What `n` and `N` search for after the filter was removed.
    sought: Filter,
}

impl<K> Default for ListView<K> {
    fn default() -> Self {
        let (filter, sought) = (Filter::default(), Filter::default());
        Self { selected: None, place: 0, top: 0, rows: 0, filter, sought }
    }
}

impl<K: Copy + PartialEq> ListView<K> {
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        if !filter.is_all() {
            self.sought = filter.clone();
        }
        self.filter = filter;
    }

    pub(crate) fn select(&mut self, item: K) {
        self.selected = Some(item);
    }

    /// The user has not moved the selection yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.selected.is_none()
    }

    /// Where the selection is until the user moves it.
    pub(crate) fn begin_at(&mut self, items: &[K], item: K) {
        if self.is_untouched() {
            self.place = items.iter().position(|other| *other == item).unwrap_or(0);
        }
    }

    /// The selected item, or what took its place.
    pub(crate) fn selected(&self, items: &[K]) -> Option<K> {
        items.get(self.place_in(items)).copied()
    }

    fn place_in(&self, items: &[K]) -> usize {
        let place = self.selected.and_then(|selected| items.iter().position(|item| *item == selected));
        place.unwrap_or_else(|| self.place.min(items.len().saturating_sub(1)))
    }

    /// What to draw in this many rows; the selected item is always among them.
    pub(crate) fn window(&mut self, items: &[K], rows: usize) -> Range<usize> {
        self.place = self.place_in(items);
        self.rows = rows;
        self.top = self.top.min(items.len().saturating_sub(rows));
        self.top = scrolled_to(self.place, self.top, rows);
        self.top..items.len().min(self.top + rows)
    }

    /// Does what a key asks. `line`: the text of an item, for searching.
    pub(crate) fn act(&mut self, items: &[K], wanted: Move, line: impl Fn(K) -> String) {
        let (place, page) = (self.place_in(items), self.rows.max(2) - 1);
        let matches = |place: &usize| items.get(*place).is_some_and(|item| self.sought.matches(&line(*item)));
        let to = match wanted {
            Move::Up => place.saturating_sub(1),
            Move::Down => place + 1,
            Move::PageUp => place.saturating_sub(page),
            Move::PageDown => place + page,
            Move::Top => 0,
            Move::Bottom => items.len(),
            Move::NextMatch => (place + 1..items.len()).find(matches).unwrap_or(place),
            Move::PreviousMatch => (0..place).rev().find(matches).unwrap_or(place),
            Move::Row(row) if row < self.rows && self.top + row < items.len() => self.top + row,
            Move::Row(_) | Move::Left | Move::Right | Move::Follow | Move::Sort => return,
        };
        self.place = to.min(items.len().saturating_sub(1));
        self.selected = items.get(self.place).copied();
    }
}

/// The first row of a window of `rows` rows that begins at `top`, moved as little as needed to
/// contain `place`. A window without rows begins there.
pub(super) fn scrolled_to(place: usize, top: usize, rows: usize) -> usize {
    top.clamp((place + 1).saturating_sub(rows.max(1)), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_the_item_when_the_order_changes() {
        let mut view = ListView::default();
        view.act(&[1, 2, 3, 4], Move::Down, |item| item.to_string());
        assert_eq!(view.selected(&[4, 3, 2, 1]), Some(2));
        assert_eq!(view.window(&[4, 3, 2, 1], 2), 1..3);
        assert_eq!(view.selected(&[4, 3, 1]), Some(1), "its neighbor takes its place when it is gone");
        assert_eq!(view.selected(&[]), None);
    }

    #[test]
    fn a_window_without_rows_shows_nothing_and_keeps_the_selection() {
        let mut view = ListView::default();
        view.act(&[1, 2, 3], Move::Bottom, |item| item.to_string());
        assert!(view.window(&[1, 2, 3], 0).is_empty());
        assert_eq!((view.selected(&[1, 2, 3]), view.window(&[1, 2, 3], 2)), (Some(3), 1..3));
    }

    #[test]
    fn a_click_selects_the_item_in_that_row_and_below_the_last_one_nothing() {
        let mut view = ListView::default();
        let items = [1, 2, 3, 4, 5];
        view.act(&items, Move::Bottom, |item| item.to_string());
        assert_eq!(view.window(&items, 3), 2..5);
        view.act(&items, Move::Row(1), |item| item.to_string());
        assert_eq!((view.selected(&items), view.window(&items, 3)), (Some(4), 2..5));
        view.act(&items, Move::Row(3), |item| item.to_string());
        assert_eq!(view.selected(&items), Some(4));
    }

    #[test]
    fn n_goes_to_the_next_item_that_matches_what_was_sought_last() {
        let mut view = ListView::default();
        view.set_filter(Filter::new("3"));
        view.set_filter(Filter::default());
        view.act(&[1, 2, 3, 33], Move::NextMatch, |item| item.to_string());
        assert_eq!(view.selected(&[1, 2, 3, 33]), Some(3));
        view.act(&[1, 2, 3, 33], Move::Bottom, |item| item.to_string());
        view.act(&[1, 2, 3, 33], Move::PreviousMatch, |item| item.to_string());
        assert_eq!(view.selected(&[1, 2, 3, 33]), Some(3));
    }
}
