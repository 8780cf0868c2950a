//! A bounded log whose entries keep their numbers, and which is cheap to copy.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Entries that are copied together, once one of them changes that a copy of the log shares.
const CHUNK_LEN: usize = 32;

/// Holds the newest entries, up to a limit. Every entry has a number that never changes and is
/// never reused, so a selection stays on its entry, not on its row.
///
/// A copy shares its entries with the original until they change: models of many moments hold most
/// of them once.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    /// All but the first and the last have [`CHUNK_LEN`] entries; none is empty.
    chunks: VecDeque<Arc<VecDeque<T>>>,
    len: usize,
    first: u64,
    limit: usize,
}

/// Iterates over a [`Ring`] with numbers, from the oldest entry on or from both ends.
#[derive(Debug)]
pub struct Iter<'a, T> {
    ring: &'a Ring<T>,
    rows: Range<usize>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { ring: self.ring, rows: self.rows.clone() }
    }
}

impl<T: PartialEq> PartialEq for Ring<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.first, self.len, self.limit) == (other.first, other.len, other.limit) && self.iter().eq(other.iter())
    }
}

impl<T: Clone> Ring<T> {
    /// Adds an entry. Returns its number, and the oldest entry if that had to go.
    pub fn push(&mut self, entry: T) -> (u64, Option<T>) {
        let gone = if self.len == self.limit { self.pop() } else { None };
        if let Some(last) = self.chunks.back_mut().filter(|last| last.len() < CHUNK_LEN) {
            Arc::make_mut(last).push_back(entry);
        } else {
            let mut chunk = VecDeque::with_capacity(CHUNK_LEN);
            chunk.push_back(entry);
            self.chunks.push_back(Arc::new(chunk));
        }
        self.len += 1;
        (self.end() - 1, gone)
    }

    /// Removes the oldest entry.
    pub fn pop(&mut self) -> Option<T> {
        let first = self.chunks.front_mut()?;
        let gone = Arc::make_mut(first).pop_front();
        if first.is_empty() {
            self.chunks.pop_front();
        }
        self.first += 1;
        self.len -= 1;
        gone
    }

    /// As [`Ring::get`], for changing it.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let (chunk, place) = self.place(self.row(number)?)?;
        Arc::make_mut(self.chunks.get_mut(chunk)?).get_mut(place)
    }
}

impl<T> Ring<T> {
    /// An empty ring that holds at most `limit` entries, at least one.
    pub fn new(limit: usize) -> Self {
        Self { chunks: VecDeque::new(), len: 0, first: 0, limit: limit.max(1) }
    }

    /// The entry with this number, unless it is gone or not there yet.
    pub fn get(&self, number: u64) -> Option<&T> {
        self.entry(self.row(number)?)
    }

    /// The number of the oldest entry that is held, or of the next one if none is.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of the next entry; also the number of entries so far.
    pub fn end(&self) -> u64 {
        self.first + self.len as u64
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn last(&self) -> Option<(u64, &T)> {
        Some((self.end().checked_sub(1)?, self.chunks.back()?.back()?))
    }

    /// Oldest first, with numbers.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { ring: self, rows: 0..self.len }
    }

    /// The entries from this number on, oldest first.
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let row = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.len);
        Iter { ring: self, rows: row..self.len }
    }

    /// Bytes of memory of the entries that this other log does not share, by what one takes.
    pub(super) fn memory_len(&self, shared_with: Option<&Self>, len_of: impl Fn(&T) -> usize) -> usize {
        let shared: super::FastHashMap<*const VecDeque<T>, ()> =
            shared_with.iter().flat_map(|other| &other.chunks).map(|chunk| (Arc::as_ptr(chunk), ())).collect();
        let own = self.chunks.iter().filter(|chunk| !shared.contains_key(&Arc::as_ptr(chunk)));
        let of_chunk =
            |chunk: &Arc<VecDeque<T>>| chunk.capacity() * size_of::<T>() + chunk.iter().map(&len_of).sum::<usize>();
        own.map(of_chunk).sum::<usize>() + self.chunks.len() * size_of::<Arc<VecDeque<T>>>()
    }

    fn row(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    fn entry(&self, row: usize) -> Option<&T> {
        let (chunk, place) = self.place(row)?;
        self.chunks.get(chunk)?.get(place)
    }

    /// In which chunk this row is, and where.
    fn place(&self, row: usize) -> Option<(usize, usize)> {
        let first = self.chunks.front()?.len();
        Some(row.checked_sub(first).map_or((0, row), |behind| (1 + behind / CHUNK_LEN, behind % CHUNK_LEN)))
    }
}

impl<'a, T> IntoIterator for &'a Ring<T> {
    type Item = (u64, &'a T);
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> Iter<'a, T> {
    fn at(&self, row: usize) -> Option<(u64, &'a T)> {
        Some((self.ring.first + row as u64, self.ring.entry(row)?))
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (u64, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        self.at(row)
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        let row = self.rows.nth(n)?;
        self.at(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.rows.next_back()?;
        self.at(row)
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

    #[test]
    fn a_log_of_many_chunks_holds_what_a_queue_would() {
        let (mut ring, mut queue) = (Ring::new(100), VecDeque::new());
        for entry in 0..1_000_u64 {
            ring.push(entry);
            queue.push_back(entry);
            if queue.len() > 100 || entry % 7 == 0 {
                queue.pop_front();
            }
            if entry % 7 == 0 && ring.len() > queue.len() {
                ring.pop();
            }
            let first = ring.first();
            let held: Vec<(u64, u64)> = ring.iter().map(|(number, entry)| (number, *entry)).collect();
            let expected: Vec<(u64, u64)> = (first..).zip(queue.iter().copied()).collect();
            assert_eq!(held, expected);
            assert!(ring.iter().rev().map(|(_, entry)| entry).eq(queue.iter().rev()));
            assert_eq!(ring.get(first + 40), queue.get(40));
        }
    }

    #[test]
    fn a_copy_keeps_what_it_held_and_shares_what_stays_the_same() {
        let mut ring = Ring::new(1_000);
        (0..900).for_each(|entry| _ = ring.push(entry));
        let copy = ring.clone();
        *ring.get_mut(500).unwrap() = -1;
        ring.push(900);
        assert_eq!((copy.get(500), copy.len()), (Some(&500), 900));
        assert_eq!((ring.get(500), ring.len()), (Some(&-1), 901));
        let of_int = |_: &i32| 0;
        let (all, own) = (ring.memory_len(None, of_int), ring.memory_len(Some(&copy), of_int));
        assert!(own * 3 < all, "{own} of {all} bytes are its own");
    }
}
