//! A bounded log whose entries keep their numbers.

use std::collections::VecDeque;
use std::collections::vec_deque;
use std::iter::Enumerate;

/// Holds the newest entries, up to a limit. Every entry has a number that never changes and is
/// never reused, so a selection stays on its entry, not on its row.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    entries: VecDeque<T>,
    first: u64,
    limit: usize,
}

/// Iterates over a [`Ring`] with numbers, from the oldest entry on or from both ends.
#[derive(Debug, Clone)]
pub struct Iter<'a, T> {
    entries: Enumerate<vec_deque::Iter<'a, T>>,
    first: u64,
}

impl<T> Ring<T> {
    /// An empty ring that holds at most `limit` entries, at least one.
    pub fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), first: 0, limit: limit.max(1) }
    }

    /// Adds an entry. Returns its number, and the oldest entry if that had to go.
    pub fn push(&mut self, entry: T) -> (u64, Option<T>) {
        let gone = if self.entries.len() == self.limit { self.pop() } else { None };
        self.entries.push_back(entry);
        (self.end() - 1, gone)
    }

    /// Removes the oldest entry.
    pub fn pop(&mut self) -> Option<T> {
        let gone = self.entries.pop_front()?;
        self.first += 1;
        Some(gone)
    }

    /// The entry with this number, unless it is gone or not there yet.
    pub fn get(&self, number: u64) -> Option<&T> {
        self.entries.get(self.row(number)?)
    }

    /// As [`Ring::get`], for changing it.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let row = self.row(number)?;
        self.entries.get_mut(row)
    }

    /// The number of the oldest entry that is held, or of the next one if none is.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of the next entry; also the number of entries so far.
    pub fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn last(&self) -> Option<(u64, &T)> {
        Some((self.end().checked_sub(1)?, self.entries.back()?))
    }

    /// Oldest first, with numbers.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { entries: self.entries.iter().enumerate(), first: self.first }
    }

    /// The entries from this number on, oldest first.
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let row = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.len());
        let first = self.first + row as u64;
        self.entries.range(row..).enumerate().map(move |(row, entry)| (first + row as u64, entry))
    }

    fn row(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

impl<'a, T> IntoIterator for &'a Ring<T> {
    type Item = (u64, &'a T);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (u64, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let (row, entry) = self.entries.next()?;
        Some((self.first + row as u64, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (row, entry) = self.entries.next_back()?;
        Some((self.first + row as u64, entry))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_keeps_its_number_while_older_ones_go() {
        let mut ring = Ring::new(3);
        for letter in ['a', 'b', 'c', 'd', 'e'] {
            ring.push(letter);
        }
        assert_eq!((ring.first(), ring.end(), ring.len()), (2, 5, 3));
        assert_eq!(ring.get(1), None);
        assert_eq!(ring.get(3), Some(&'d'));
        assert_eq!(ring.get(5), None);
        assert_eq!(ring.from(3).map(|(number, _)| number).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(ring.from(0).next(), Some((2, &'c')));
        assert_eq!(ring.iter().next_back(), Some((4, &'e')));
        assert_eq!(ring.last(), Some((4, &'e')));
        assert_eq!(ring.push('f'), (5, Some('c')));
    }
}
