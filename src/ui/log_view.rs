//! A window on a log whose entries keep their numbers. It follows the newest line, or stays on the
//! selected line, whatever comes and goes around it.

use std::collections::VecDeque;

use super::action::Move;
use super::filter::Filter;
use super::list_view::scrolled_to;
use crate::model::ring::Ring;

/// The window's position and contents.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogView {
    /// The selected entry; `None`: the newest, whichever that is.
    selected: Option<u64>,
    /// The entry in the first row, unless the window follows the newest.
    top: Option<u64>,
    filter: Filter,
    /// What `n` and `N` search for after the filter was removed.
    sought: Filter,
    found: Found,
    /// Rows at the last drawing: the size of a screen.
    rows: usize,
}

/// The entries that match the filter; each entry is checked once.
#[derive(Debug, Clone, Default)]
struct Found {
    numbers: VecDeque<u64>,
    /// Entries before this one were checked.
    looked: u64,
}

/// The entries that can be shown, in order.
#[derive(Debug, Clone, Copy)]
enum Shown<'a> {
    Range(u64, u64),
    Found(&'a VecDeque<u64>),
}

impl Shown<'_> {
    fn len(self) -> usize {
        match self {
            Self::Range(first, end) => usize::try_from(end - first).unwrap_or(usize::MAX),
            Self::Found(numbers) => numbers.len(),
        }
    }

    fn get(self, place: usize) -> Option<u64> {
        match self {
            Self::Range(first, end) => Some(first + place as u64).filter(|number| *number < end),
            Self::Found(numbers) => numbers.get(place).copied(),
        }
    }

    /// The index of this entry, or of the first one after it.
    fn place(self, number: u64) -> usize {
        match self {
            Self::Range(first, end) => usize::try_from(number.clamp(first, end) - first).unwrap_or(usize::MAX),
            Self::Found(numbers) => numbers.partition_point(|found| *found < number),
        }
    }
}

/// What a pane draws: the entries in its rows, and what is around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogWindow {
    /// From top to bottom.
    pub(crate) numbers: Vec<u64>,
    /// The selected entry.
    pub(crate) selected: Option<u64>,
    /// Entries that match the filter.
    pub(crate) len: usize,
    /// Entries below the last row.
    pub(crate) below: usize,
}

impl LogView {
    /// The newest line stays in view.
    pub(crate) fn follows(&self) -> bool {
        self.selected.is_none()
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn set_filter(&mut self, filter: Filter) {
        if !filter.is_all() {
            self.sought = filter.clone();
        }
        self.filter = filter;
        self.found = Found::default();
    }

    /// The selected entry.
    pub(crate) fn selected<T>(&self, log: &Ring<T>) -> Option<u64> {
        let shown = self.shown(log);
        match self.selected {
            Some(number) => shown.get(shown.place(number).min(shown.len().checked_sub(1)?)),
            None => shown.get(shown.len().checked_sub(1)?),
        }
    }

    /// Checks what is new in the log. `line`: the text of an entry, for the filter.
    pub(crate) fn look<T>(&mut self, log: &Ring<T>, line: impl Fn(&T) -> String) {
        if self.filter.is_all() {
            return;
        }
        let new = log.from(self.found.looked).filter(|(_, entry)| self.filter.matches(&line(entry)));
        self.found.numbers.extend(new.map(|(number, _)| number));
        self.found.looked = log.end();
        let gone = self.found.numbers.partition_point(|number| *number < log.first());
        self.found.numbers.drain(..gone);
    }

    /// What to draw in this many rows. The selected line is always among them.
    pub(crate) fn window<T>(&mut self, log: &Ring<T>, rows: usize) -> LogWindow {
        self.rows = rows;
        let selected = self.selected(log);
        let shown = self.shown(log);
        let last_top = shown.len().saturating_sub(rows);
        let mut top = match (self.selected, self.top) {
            (Some(_), Some(top)) => shown.place(top).min(last_top),
            (Some(_) | None, _) => last_top,
        };
        if let Some(place) = selected.map(|number| shown.place(number)) {
            top = scrolled_to(place, top, rows);
        }
        let numbers: Vec<u64> = (top..shown.len().min(top + rows)).filter_map(|place| shown.get(place)).collect();
        let below = shown.len() - (top + numbers.len()).min(shown.len());
        let len = shown.len();
        self.top = numbers.first().copied();
        LogWindow { numbers, selected, len, below }
    }

    /// Does what a key asks.
    pub(crate) fn act<T>(&mut self, log: &Ring<T>, wanted: Move, line: impl Fn(&T) -> String) {
        match wanted {
            Move::Up => self.step(log, |place, _| place.saturating_sub(1)),
            Move::Down => self.step(log, |place, _| place + 1),
            Move::PageUp => self.step(log, |place, rows| place.saturating_sub(rows.max(2) - 1)),
            Move::PageDown => self.step(log, |place, rows| place + rows.max(2) - 1),
            Move::Top => self.step(log, |_, _| 0),
            Move::Follow if self.follows() => self.selected = self.selected(log),
            Move::Follow | Move::Bottom => self.selected = None,
            Move::NextMatch => self.seek(log, line, true),
            Move::PreviousMatch => self.seek(log, line, false),
            Move::Row(row) => self.select_row(log, row),
            Move::Left | Move::Right | Move::Sort => {}
        }
    }

    /// Selects the line in this row on the screen; there is none below the last.
    fn select_row<T>(&mut self, log: &Ring<T>, row: usize) {
        let shown = self.shown(log);
        let line = self.top.and_then(|top| shown.get(shown.place(top) + row));
        self.selected = line.filter(|_| row < self.rows).or(self.selected);
    }

    /// Selects another line; stepping past the end follows the newest again.
    fn step<T>(&mut self, log: &Ring<T>, to: impl Fn(usize, usize) -> usize) {
        let Some(from) = self.selected(log) else { return };
        let shown = self.shown(log);
        let place = to(shown.place(from), self.rows);
        self.selected = if place >= shown.len() { None } else { shown.get(place) };
    }

    fn seek<T>(&mut self, log: &Ring<T>, line: impl Fn(&T) -> String, forward: bool) {
        let Some(from) = self.selected(log) else { return };
        let matches = |(_, entry): &(u64, &T)| self.sought.matches(&line(entry));
        let found = if forward {
            log.from(from + 1).find(matches)
        } else {
            log.iter().rev().skip_while(|(number, _)| *number >= from).find(matches)
        };
        if let Some((number, _)) = found {
            self.selected = Some(number);
        }
    }

    fn shown<T>(&self, log: &Ring<T>) -> Shown<'_> {
        if self.filter.is_all() { Shown::Range(log.first(), log.end()) } else { Shown::Found(&self.found.numbers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(len: u32, limit: usize) -> Ring<u32> {
        let mut log = Ring::new(limit);
        for entry in 0..len {
            log.push(entry);
        }
        log
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what a log hands out")]
    fn text(entry: &u32) -> String {
        entry.to_string()
    }

    #[test]
    fn scrolling_up_stays_on_the_line_and_counts_what_comes_below() {
        let mut log = log(20, 100);
        let mut view = LogView::default();
        assert_eq!(view.window(&log, 5).numbers, [15, 16, 17, 18, 19]);
        view.act(&log, Move::PageUp, text);
        let before = view.window(&log, 5);
        assert_eq!((before.numbers.clone(), before.selected, before.below), (vec![15, 16, 17, 18, 19], Some(15), 0));
        for entry in 20..62 {
            log.push(entry);
        }
        let after = view.window(&log, 5);
        assert_eq!((after.numbers, after.selected, after.below), (before.numbers, Some(15), 42));
        view.act(&log, Move::Bottom, text);
        assert_eq!(view.window(&log, 5).numbers.last(), Some(&61));
        assert!(view.follows());
    }

    #[test]
    fn a_line_that_the_log_forgot_gives_way_to_the_oldest_that_is_left() {
        let mut log = log(5, 5);
        let mut view = LogView::default();
        view.act(&log, Move::Top, text);
        assert_eq!(view.selected(&log), Some(0));
        log.push(5);
        log.push(6);
        assert_eq!(view.window(&log, 3).numbers, [2, 3, 4]);
        assert_eq!(view.selected(&log), Some(2));
    }

    #[test]
    fn a_filter_finds_new_lines_as_they_come_and_forgets_old_ones() {
        let mut log = log(12, 12);
        let mut view = LogView::default();
        view.set_filter(Filter::new("1"));
        view.look(&log, text);
        assert_eq!(view.window(&log, 5).numbers, [1, 10, 11]);
        log.push(12);
        log.push(13);
        view.look(&log, text);
        assert_eq!(view.window(&log, 5).numbers, [10, 11, 12, 13]);
        view.set_filter(Filter::default());
        view.act(&log, Move::PreviousMatch, text);
        assert_eq!(view.selected(&log), Some(12));
    }

    #[test]
    fn stepping_below_the_last_line_follows_again() {
        let log = log(3, 10);
        let mut view = LogView::default();
        view.window(&log, 5);
        view.act(&log, Move::Up, text);
        assert_eq!(view.selected(&log), Some(1));
        view.act(&log, Move::Down, text);
        assert!(!view.follows());
        view.act(&log, Move::Down, text);
        assert!(view.follows());
    }

    #[test]
    fn a_click_selects_the_line_in_that_row_and_below_the_last_one_nothing() {
        let log = log(20, 100);
        let mut view = LogView::default();
        view.window(&log, 5);
        view.act(&log, Move::Row(5), text);
        assert!(view.follows());
        view.act(&log, Move::Row(1), text);
        assert_eq!((view.selected(&log), view.window(&log, 5).numbers[0]), (Some(16), 15));
    }

    #[test]
    fn a_window_without_rows_shows_nothing_and_keeps_the_selection() {
        let log = log(20, 100);
        let mut view = LogView::default();
        view.act(&log, Move::Top, text);
        assert_eq!(view.window(&log, 0).numbers, [0; 0]);
        assert_eq!((view.selected(&log), view.window(&log, 2).numbers), (Some(0), vec![0, 1]));
    }

    #[test]
    fn an_empty_log_selects_nothing() {
        let log = log(0, 10);
        let mut view = LogView::default();
        view.act(&log, Move::Up, text);
        assert_eq!(view.window(&log, 5), LogWindow { numbers: vec![], selected: None, len: 0, below: 0 });
    }
}
