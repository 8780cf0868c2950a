//! Planned events in the order in which they will happen: a hierarchical timing wheel (Varghese and
//! Lauck 1987).
//!
//! A slot of the first level is one microsecond; a slot of the next is as long as the whole level
//! below. A distant event waits in a long slot; when time reaches that slot, its entries move down.
//! Each slot is a queue, and a slot is emptied into the level below before anything is put there
//! directly. So events of the same microsecond happen in the order in which they were planned,
//! without a number for each entry.

use crate::proto::time::Time;

/// Slots of a level, as a power of two: most messages (at most two milliseconds on their way) go
/// directly to the first level, and most deadlines of nodes to the second.
const BITS: u32 = 12;
const SLOTS: usize = 1 << BITS;
const MASK: u64 = SLOTS as u64 - 1;
/// Levels that together span all of time.
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;
/// The end of a list.
const NONE: u32 = u32::MAX;

/// Entries by their time.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    /// All entries, with free ones between them.
    entries: Vec<Planned<T>>,
    free: u32,
    levels: [Level; LEVELS],
    /// No entry is before this.
    cursor: u64,
}

#[derive(Debug, Clone, Copy)]
struct Planned<T> {
    at: u64,
    item: T,
    /// The next entry in the same slot.
    next: u32,
}

/// A first-in, first-out queue of entries.
#[derive(Debug, Clone, Copy)]
struct WheelSlot {
    first: u32,
    last: u32,
}

impl WheelSlot {
    const EMPTY: Self = Self { first: NONE, last: NONE };
}

#[derive(Debug, Default)]
struct Level {
    /// Empty until it is used.
    slots: Vec<WheelSlot>,
    /// A bit for each slot that is not empty.
    used: Vec<u64>,
    /// A bit for each word of `used` that is not zero.
    words: u64,
}

impl Level {
    /// The first slot that is not empty.
    fn first(&self) -> Option<usize> {
        (self.words != 0).then(|| {
            let word = self.words.trailing_zeros() as usize;
            word * 64 + self.used[word].trailing_zeros() as usize
        })
    }

    fn slot(&mut self, slot: usize) -> &mut WheelSlot {
        if self.slots.is_empty() {
            (self.slots, self.used) = (vec![WheelSlot::EMPTY; SLOTS], vec![0; SLOTS / 64]);
        }
        self.used[slot / 64] |= 1 << (slot % 64);
        self.words |= 1 << (slot / 64);
        &mut self.slots[slot]
    }

    fn take(&mut self, slot: usize) -> WheelSlot {
        self.unmark(slot);
        std::mem::replace(&mut self.slots[slot], WheelSlot::EMPTY)
    }

    fn unmark(&mut self, slot: usize) {
        self.used[slot / 64] &= !(1 << (slot % 64));
        if self.used[slot / 64] == 0 {
            self.words &= !(1 << (slot / 64));
        }
    }
}

/// The level on which an entry waits, seen from `cursor`: that of the highest digit in which the
/// two differ.
const fn level_of(at: u64, cursor: u64) -> usize {
    let differing = u64::BITS - (at ^ cursor).leading_zeros();
    if differing == 0 { 0 } else { ((differing - 1) / BITS) as usize }
}

#[expect(clippy::cast_possible_truncation, reason = "there are six levels")]
const fn slot_of(at: u64, level: usize) -> usize {
    ((at >> (level as u32 * BITS)) & MASK) as usize
}

/// When a slot of a level begins, seen from `cursor`.
fn begin_of(slot: usize, level: usize, cursor: u64) -> u64 {
    let shift = u32::try_from(level).unwrap_or(0) * BITS;
    let above = u64::MAX.checked_shl(shift + BITS).unwrap_or(0);
    cursor & above | (slot as u64) << shift
}

/// The places of the bits that are set.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(at)
    })
}

impl<T: Copy> Wheel<T> {
    /// Nothing is planned, and nothing will be before this moment.
    pub(super) fn new(begin: Time) -> Self {
        let levels = std::array::from_fn(|_| Level::default());
        Self { entries: Vec::new(), free: NONE, levels, cursor: begin.as_micros() }
    }

    /// Plans something for this moment, or for now if that is over.
    pub(super) fn push(&mut self, at: Time, item: T) {
        let entry = Planned { at: at.as_micros().max(self.cursor), item, next: NONE };
        let index = if self.free == NONE {
            self.entries.push(entry);
            // Four billion entries would not fit into the memory of any machine that this runs on.
            u32::try_from(self.entries.len() - 1).unwrap_or(NONE)
        } else {
            let index = self.free;
            self.free = std::mem::replace(&mut self.entries[index as usize], entry).next;
            index
        };
        self.append(index);
    }

    fn append(&mut self, index: u32) {
        let at = self.entries[index as usize].at;
        let level = level_of(at, self.cursor);
        let slot = self.levels[level].slot(slot_of(at, level));
        let last = std::mem::replace(&mut slot.last, index);
        if last == NONE {
            slot.first = index;
        } else {
            self.entries[last as usize].next = index;
        }
    }

    /// Takes what happens next, if that is no later than `until`.
    pub(super) fn pop(&mut self, until: Time) -> Option<(Time, T)> {
        loop {
            let (level, slot) = self.first()?;
            let begin = begin_of(slot, level, self.cursor);
            if begin > until.as_micros() {
                return None;
            }
            self.cursor = begin;
            if level == 0 {
                return Some((Time::from_micros(begin), self.take_first(slot)));
            }
            self.move_down(level, slot);
        }
    }

    /// What happens next, as far as it is on the first level, in order.
    pub(super) fn ahead(&self) -> impl Iterator<Item = T> {
        let level = &self.levels[0];
        let slots = ones(level.words).flat_map(|word| ones(level.used[word]).map(move |bit| word * 64 + bit));
        let first = slots.map(|slot| level.slots[slot].first);
        first.flat_map(|first| {
            let entry = |index: u32| self.entries.get(index as usize);
            std::iter::successors(entry(first), move |planned| entry(planned.next)).map(|planned| planned.item)
        })
    }

    fn first(&self) -> Option<(usize, usize)> {
        self.levels.iter().enumerate().find_map(|(level, slots)| Some((level, slots.first()?)))
    }

    fn take_first(&mut self, slot: usize) -> T {
        let index = self.levels[0].slots[slot].first;
        let Planned { item, next, .. } = self.entries[index as usize];
        self.levels[0].slots[slot].first = next;
        if next == NONE {
            self.levels[0].take(slot);
        }
        self.entries[index as usize].next = self.free;
        self.free = index;
        item
    }

    /// Time has come to a long slot: its entries move to the levels below, in their order.
    fn move_down(&mut self, level: usize, slot: usize) {
        let mut index = self.levels[level].take(slot).first;
        while index != NONE {
            let next = std::mem::replace(&mut self.entries[index as usize].next, NONE);
            self.append(index);
            index = next;
        }
    }

    /// When something happens next.
    pub(super) fn next_at(&self) -> Option<Time> {
        let (level, slot) = self.first()?;
        let mut index = self.levels[level].slots[slot].first;
        let mut earliest = u64::MAX;
        while index != NONE {
            let entry = &self.entries[index as usize];
            earliest = earliest.min(entry.at);
            // All entries of a slot of the first level are at one moment.
            index = if level == 0 { NONE } else { entry.next };
        }
        Some(Time::from_micros(earliest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sim::due::Due;

    fn at(us: u64) -> Time {
        Time::from_micros(us)
    }

    fn drain(wheel: &mut Wheel<u32>, until: u64) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| wheel.pop(at(until))).map(|(at, item)| (at.as_micros(), item)).collect()
    }

    #[test]
    fn plans_for_one_moment_happen_in_the_order_of_planning() {
        let mut wheel = Wheel::new(at(0));
        // From far away, from nearer, and from the slot itself.
        wheel.push(at(20_000_000), 1);
        wheel.push(at(19_000_000), 0);
        assert_eq!(drain(&mut wheel, 19_000_000), [(19_000_000, 0)]);
        wheel.push(at(20_000_000), 2);
        wheel.push(at(19_999_999), 3);
        assert_eq!(drain(&mut wheel, 19_999_999), [(19_999_999, 3)]);
        wheel.push(at(20_000_000), 4);
        assert_eq!(drain(&mut wheel, u64::MAX), [(20_000_000, 1), (20_000_000, 2), (20_000_000, 4)]);
    }

    /// The wheel holds a wake-up for each node and everything that is on its way.
    #[test]
    fn an_entry_takes_no_more_than_24_bytes() {
        assert!(size_of::<Planned<Due>>() <= 24, "{}", size_of::<Planned<Due>>());
    }

    #[test]
    fn the_last_moment_of_all_can_be_planned_and_a_past_one_is_now() {
        const LAST: u64 = u64::MAX - 1;
        let mut wheel = Wheel::new(at(5_000));
        wheel.push(at(LAST), 1);
        wheel.push(at(3), 2);
        assert_eq!(wheel.next_at(), Some(at(5_000)));
        assert_eq!(drain(&mut wheel, 6_000), [(5_000, 2)]);
        assert_eq!(wheel.next_at(), Some(at(LAST)));
        assert_eq!(drain(&mut wheel, LAST), [(LAST, 1)]);
        assert_eq!(wheel.next_at(), None);
    }

    proptest! {
        #[test]
        fn a_wheel_does_what_a_sorted_list_does(
            steps in proptest::collection::vec((0_u32..40, 0_u64..64, 0_u32..40, 0_u64..64), 1..200),
        ) {
            let begin = 1_767_225_600_000_000;
            let (mut wheel, mut list, mut now) = (Wheel::new(at(begin)), Vec::<(u64, u32)>::new(), begin);
            for (item, (shift, times, pass_shift, pass_times)) in steps.into_iter().enumerate() {
                let (when, item) = (now + (times << shift >> 6), u32::try_from(item).unwrap());
                wheel.push(at(when), item);
                list.push((when, item));
                now += pass_times << pass_shift >> 10;
                prop_assert_eq!(wheel.next_at(), list.iter().map(|(when, _)| at(*when)).min());
                let ahead: Vec<u32> = wheel.ahead().collect();
                let mut due: Vec<(u64, u32)> = list.extract_if(.., |(when, _)| *when <= now).collect();
                due.sort_unstable();
                prop_assert!(ahead.iter().zip(&due).all(|(item, (_, due))| item == due), "{ahead:?} are next");
                prop_assert_eq!(drain(&mut wheel, now), due);
            }
        }
    }
}
