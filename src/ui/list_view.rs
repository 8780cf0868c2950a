//! A window on lines that are made anew for every picture: the selection stays on its item, not on
//! its row. On a log it follows the newest line until the user selects another.

use std::ops::Range;

use super::action::Move;
use super::filter::{Filter, Search};
use crate::model::ring::Ring;

/// Items in the order of their lines.
pub(crate) trait Rows<K> {
    fn len(&self) -> usize;

    fn item(&self, place: usize) -> Option<K>;

    /// Where this item is; in a log that forgot it, the place of the first one after it.
    fn place(&self, item: K) -> Option<usize>;
}

impl<K: Copy + PartialEq> Rows<K> for Vec<K> {
    fn len(&self) -> usize {
        self.len()
    }

    fn item(&self, place: usize) -> Option<K> {
        self.get(place).copied()
    }

    fn place(&self, item: K) -> Option<usize> {
        self.iter().position(|other| *other == item)
    }
}

/// The numbers of a log's entries: all of them, or those that match a filter.
#[derive(Debug, Clone)]
pub(crate) enum LogRows {
    All(Range<u64>),
    Found(Vec<u64>),
}

impl Rows<u64> for LogRows {
    fn len(&self) -> usize {
        match self {
            Self::All(numbers) => usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX),
            Self::Found(numbers) => numbers.len(),
        }
    }

    fn item(&self, place: usize) -> Option<u64> {
        match self {
            Self::All(numbers) => Some(numbers.start + place as u64).filter(|number| *number < numbers.end),
            Self::Found(numbers) => numbers.get(place).copied(),
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        Some(match self {
            Self::All(all) => usize::try_from(number.clamp(all.start, all.end) - all.start).unwrap_or(usize::MAX),
            Self::Found(numbers) => numbers.partition_point(|found| *found < number),
        })
    }
}

/// The entries of a log that match a filter; each entry is checked once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    filter: Filter,
    numbers: Vec<u64>,
    /// Entries before this one were checked.
    looked: u64,
}

impl Found {
    /// Checks what is new in the log, and again what may have changed: the entries from `settled` on.
    /// `line`: the text of an entry.
    pub(crate) fn look<T>(&mut self, log: &Ring<T>, filter: &Filter, settled: u64, line: impl Fn(&T) -> String) {
        if *filter != self.filter {
            *self = Self { filter: filter.clone(), ..Self::default() };
        }
        if filter.is_all() {
            return;
        }
        self.numbers.truncate(self.numbers.partition_point(|number| *number < self.looked));
        let new = log.from(self.looked).filter(|(_, entry)| filter.matches(&line(entry)));
        self.numbers.extend(new.map(|(number, _)| number));
        self.looked = settled.min(log.end());
        let gone = self.numbers.partition_point(|number| *number < log.first());
        self.numbers.drain(..gone);
    }

    pub(crate) fn rows<T>(&self, log: &Ring<T>, filter: &Filter) -> LogRows {
        if filter.is_all() {
            LogRows::All(log.first()..log.end())
        } else if *filter == self.filter {
            LogRows::Found(self.numbers.clone())
        } else {
            LogRows::Found(Vec::new())
        }
    }
}

/// What is selected until the user selects something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Untouched {
    /// The first line, or the one that [`ListView::begin_at`] names.
    #[default]
    First,
    /// The newest line, whichever that is.
    Newest,
}

/// The window's position and selection.
#[derive(Debug, Clone)]
pub(crate) struct ListView<K> {
    untouched: Untouched,
    selected: Option<K>,
    /// Where the selected item was, in case it goes.
    place: usize,
    top: usize,
    /// The item in the first row.
    top_item: Option<K>,
    /// Rows at the last drawing: the size of a screen.
    rows: usize,
    /// Lines below the selected one that the next window is to show.
    below: usize,
    /// Items of the window that were left out above and below, for a long one.
    left_out: (usize, usize),
    pub(crate) search: Search,
}

impl<K> ListView<K> {
    pub(crate) fn new(untouched: Untouched) -> Self {
        Self {
            untouched,
            selected: None,
            place: 0,
            top: 0,
            top_item: None,
            rows: 0,
            below: 0,
            left_out: (0, 0),
            search: Search::default(),
        }
    }
}

impl<K> Default for ListView<K> {
    fn default() -> Self {
        Self::new(Untouched::default())
    }
}

impl<K: Copy> ListView<K> {
    pub(crate) fn select(&mut self, item: K) {
        self.selected = Some(item);
    }

    /// The selected line was unfolded to this many: the next window shows as many of them as fit.
    pub(crate) fn show_below(&mut self, lines: usize) {
        self.below = lines;
    }

    /// The user has not moved the selection yet, or follows the newest line again.
    pub(crate) fn is_untouched(&self) -> bool {
        self.selected.is_none()
    }

    /// The selection goes back to where it is without the user.
    pub(crate) fn let_go(&mut self) {
        self.selected = None;
    }

    /// Where the selection is until the user moves it.
    pub(crate) fn begin_at(&mut self, items: &impl Rows<K>, item: K) {
        if self.is_untouched() {
            self.place = items.place(item).unwrap_or(0);
        }
    }

    /// The selected item, or what took its place.
    pub(crate) fn selected(&self, items: &impl Rows<K>) -> Option<K> {
        items.item(self.place_in(items))
    }

    fn place_in(&self, items: &impl Rows<K>) -> usize {
        let last = items.len().saturating_sub(1);
        match (self.selected.and_then(|selected| items.place(selected)), self.untouched) {
            (Some(place), _) => place.min(last),
            (None, Untouched::Newest) => last,
            (None, Untouched::First) => self.place.min(last),
        }
    }

    /// What to draw in this many rows; the selected item is always among them.
    pub(crate) fn window(&mut self, items: &impl Rows<K>, rows: usize) -> Range<usize> {
        self.place = self.place_in(items);
        self.rows = rows;
        self.left_out = (0, 0);
        let last_top = items.len().saturating_sub(rows);
        // The order of a list changes, and its window stays; a log grows, and its window moves on.
        let top = self.top_in(items).filter(|_| self.untouched == Untouched::First || !self.is_untouched());
        let below = (self.place + std::mem::take(&mut self.below)).min(items.len().saturating_sub(1));
        let top = scrolled_to(below, top.unwrap_or(last_top).min(last_top), rows);
        self.top = scrolled_to(self.place, top, rows);
        self.top_item = items.item(self.top).filter(|_| rows > 0);
        self.top..items.len().min(self.top + rows)
    }

    /// So many items at the ends of the window gave their rows to a long one.
    pub(crate) fn leave_out(&mut self, above: usize, below: usize) {
        self.left_out = (above, below);
    }

    /// Items above the window.
    pub(crate) fn above(&self) -> usize {
        self.top + self.left_out.0
    }

    /// Items below the window.
    pub(crate) fn below(&self, items: &impl Rows<K>) -> usize {
        items.len().saturating_sub(self.top + self.rows) + self.left_out.1
    }

    fn top_in(&self, items: &impl Rows<K>) -> Option<usize> {
        match self.untouched {
            Untouched::First => Some(self.top),
            Untouched::Newest => self.top_item.and_then(|item| items.place(item)),
        }
    }

    /// Does what a key asks. `line`: the text of an item, for searching.
    pub(crate) fn act(&mut self, items: &impl Rows<K>, wanted: Move, line: impl Fn(K) -> String) {
        if items.len() == 0 {
            return;
        }
        let (place, page) = (self.place_in(items), self.rows.max(2) - 1);
        let matches = |place: &usize| items.item(*place).is_some_and(|item| self.search.sought.matches(&line(item)));
        let to = match wanted {
            Move::Up => Some(place.saturating_sub(1)),
            Move::Down => Some(place + 1),
            Move::PageUp => Some(place.saturating_sub(page)),
            Move::PageDown => Some(place + page),
            Move::Top => Some(0),
            Move::Bottom => Some(items.len()),
            Move::NextMatch => (place + 1..items.len()).find(matches),
            Move::PreviousMatch => (0..place).rev().find(matches),
            Move::Follow if self.untouched == Untouched::First => None,
            Move::Follow => Some(if self.is_untouched() { place } else { items.len() }),
            Move::Left | Move::Right | Move::Sort | Move::Reverse | Move::ZoomIn | Move::ZoomOut => None,
        };
        let Some(to) = to else { return };
        self.place = to.min(items.len() - 1);
        // Past the end of a log the newest line is followed again.
        let is_past = self.untouched == Untouched::Newest && to >= items.len();
        self.selected = items.item(self.place).filter(|_| !is_past);
    }
}

/// The first row of a window of `rows` rows that begins at `top`, moved as little as needed to
/// contain `place`. A window without rows begins there.
fn scrolled_to(place: usize, top: usize, rows: usize) -> usize {
    top.clamp((place + 1).saturating_sub(rows.max(1)), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_the_item_when_the_order_changes() {
        let mut view = ListView::default();
        view.act(&vec![1, 2, 3, 4], Move::Down, |item| item.to_string());
        assert_eq!(view.selected(&vec![4, 3, 2, 1]), Some(2));
        assert_eq!(view.window(&vec![4, 3, 2, 1], 2), 1..3);
        assert_eq!(view.selected(&vec![4, 3, 1]), Some(1), "its neighbor takes its place when it is gone");
        assert_eq!(view.selected(&vec![]), None);
    }

    #[test]
    fn a_window_without_rows_keeps_the_selection() {
        let mut view = ListView::default();
        view.act(&vec![1, 2, 3], Move::Bottom, |item| item.to_string());
        assert!(view.window(&vec![1, 2, 3], 0).is_empty());
        assert_eq!((view.selected(&vec![1, 2, 3]), view.window(&vec![1, 2, 3], 2)), (Some(3), 1..3));
    }

    #[test]
    fn n_goes_to_the_next_item_that_matches_what_was_sought() {
        let mut view = ListView::default();
        view.search.set(Filter::new("3"));
        view.search.set(Filter::default());
        view.act(&vec![1, 2, 3, 33], Move::NextMatch, |item| item.to_string());
        assert_eq!(view.selected(&vec![1, 2, 3, 33]), Some(3));
        view.act(&vec![1, 2, 3, 33], Move::Bottom, |item| item.to_string());
        view.act(&vec![1, 2, 3, 33], Move::PreviousMatch, |item| item.to_string());
        assert_eq!(view.selected(&vec![1, 2, 3, 33]), Some(3));
    }

    /// A view on a log, with what a picture of it shows.
    struct LogView {
        view: ListView<u64>,
        found: Found,
    }

    /// What a picture shows of a log.
    #[derive(Debug, PartialEq, Eq)]
    struct LogWindow {
        numbers: Vec<u64>,
        selected: Option<u64>,
        len: usize,
        below: usize,
    }

    impl LogView {
        fn new() -> Self {
            Self { view: ListView::new(Untouched::Newest), found: Found::default() }
        }

        fn filter(&mut self, typed: &str, log: &Ring<u32>) {
            self.view.search.set(Filter::new(typed));
            self.look(log);
        }

        fn look(&mut self, log: &Ring<u32>) {
            self.found.look(log, &self.view.search.filter, u64::MAX, u32::to_string);
        }

        fn rows(&self, log: &Ring<u32>) -> LogRows {
            self.found.rows(log, &self.view.search.filter)
        }

        fn window(&mut self, log: &Ring<u32>, rows: usize) -> LogWindow {
            let items = self.rows(log);
            let window = self.view.window(&items, rows);
            let (len, below, selected) = (items.len(), self.view.below(&items), self.view.selected(&items));
            LogWindow { numbers: window.filter_map(|place| items.item(place)).collect(), selected, len, below }
        }

        fn act(&mut self, log: &Ring<u32>, wanted: Move) {
            let items = self.rows(log);
            self.view.act(&items, wanted, |number| log.get(number).unwrap().to_string());
        }

        fn selected(&self, log: &Ring<u32>) -> Option<u64> {
            self.view.selected(&self.rows(log))
        }

        fn follows(&self) -> bool {
            self.view.is_untouched()
        }
    }

    fn log(len: u32, limit: usize) -> Ring<u32> {
        let mut log = Ring::new(limit);
        for entry in 0..len {
            log.push(entry);
        }
        log
    }

    #[test]
    fn scrolling_up_stays_on_the_line_and_counts_those_below() {
        let mut log = log(20, 100);
        let mut view = LogView::new();
        assert_eq!(view.window(&log, 5).numbers, [15, 16, 17, 18, 19]);
        view.act(&log, Move::PageUp);
        let before = view.window(&log, 5);
        assert_eq!((before.numbers.clone(), before.selected, before.below), (vec![15, 16, 17, 18, 19], Some(15), 0));
        for entry in 20..62 {
            log.push(entry);
        }
        let after = view.window(&log, 5);
        assert_eq!((after.numbers, after.selected, after.below), (before.numbers, Some(15), 42));
        view.act(&log, Move::Bottom);
        assert_eq!(view.window(&log, 5).numbers.last(), Some(&61));
        assert!(view.follows());
    }

    #[test]
    fn a_forgotten_line_gives_way_to_the_oldest_that_is_left() {
        let mut log = log(5, 5);
        let mut view = LogView::new();
        view.act(&log, Move::Top);
        assert_eq!(view.selected(&log), Some(0));
        log.push(5);
        log.push(6);
        assert_eq!(view.window(&log, 3).numbers, [2, 3, 4]);
        assert_eq!(view.selected(&log), Some(2));
    }

    #[test]
    fn a_filter_finds_new_log_lines_and_forgets_old_ones() {
        let mut log = log(12, 12);
        let mut view = LogView::new();
        view.filter("1", &log);
        assert_eq!(view.window(&log, 5).numbers, [1, 10, 11]);
        log.push(12);
        log.push(13);
        view.look(&log);
        assert_eq!(view.window(&log, 5).numbers, [10, 11, 12, 13]);
        view.filter("", &log);
        view.act(&log, Move::PreviousMatch);
        assert_eq!(view.selected(&log), Some(12));
    }

    #[test]
    fn stepping_below_the_last_line_follows_again() {
        let log = log(3, 10);
        let mut view = LogView::new();
        view.window(&log, 5);
        view.act(&log, Move::Up);
        assert_eq!(view.selected(&log), Some(1));
        view.act(&log, Move::Down);
        assert!(!view.follows());
        view.act(&log, Move::Down);
        assert!(view.follows());
    }

    #[test]
    fn a_log_line_that_is_selected_in_the_window_leaves_it_be() {
        let log = log(20, 100);
        let mut view = LogView::new();
        view.window(&log, 5);
        assert!(view.follows());
        view.view.select(16);
        assert_eq!((view.selected(&log), view.window(&log, 5).numbers[0]), (Some(16), 15));
    }

    #[test]
    fn a_log_without_rows_keeps_its_selection() {
        let log = log(20, 100);
        let mut view = LogView::new();
        view.act(&log, Move::Top);
        assert_eq!(view.window(&log, 0).numbers, [0; 0]);
        assert_eq!((view.selected(&log), view.window(&log, 2).numbers), (Some(0), vec![0, 1]));
    }

    #[test]
    fn an_empty_log_selects_nothing() {
        let log = log(0, 10);
        let mut view = LogView::new();
        view.act(&log, Move::Up);
        assert_eq!(view.window(&log, 5), LogWindow { numbers: vec![], selected: None, len: 0, below: 0 });
    }
}
