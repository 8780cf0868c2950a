//! What blocked one attempt to get something across, and what follows if several attempts failed.
//!
//! An attempt (a probe, a copy of a message) fails if all deeds of one of its sure sets were done, and
//! may fail if one of its perhaps deeds was. Whoever asks says what failing attempts make of the whole;
//! [`solve`] then finds the deeds without which it would not have been so. Truth lies between two
//! readings: the perhaps deeds block nothing, and they block always. What both bear out is certain.

use super::reason::{Causes, Deed, Reason};

/// Deeds that are weighed for one question.
pub(super) const DEEDS_MAX: usize = 48;
/// Deeds among which alternatives are sought, and the most in one alternative.
const SOUGHT_MAX: usize = 12;
const TOGETHER_MAX: usize = 3;

/// What blocked one attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Blockage {
    /// Each set blocks it by itself; an empty set: something else does.
    pub(super) sure: Vec<Vec<Deed>>,
    /// Each of these may block it.
    pub(super) perhaps: Vec<Deed>,
    /// Something that is not known may block it, too.
    pub(super) is_doubtful: bool,
}

impl Blockage {
    /// Nothing that the user did, or did not do, changes it.
    pub(super) fn always() -> Self {
        Self { sure: vec![Vec::new()], ..Self::default() }
    }

    pub(super) fn by(&mut self, deed: Deed) {
        self.sure.push(vec![deed]);
    }

    /// It failed because of what this reason is about.
    pub(super) fn because(reason: Reason) -> Self {
        match reason {
            Reason::Deeds(causes) => Self { sure: causes.alternatives().to_vec(), ..Self::default() },
            Reason::Rule(_) => Self::always(),
            Reason::NotCertain(perhaps) if perhaps.is_empty() => Self::always(),
            Reason::NotCertain(perhaps) => Self { perhaps, is_doubtful: true, ..Self::default() },
        }
    }

    /// It took each of these deeds as well.
    pub(super) fn together_with(&mut self, deed: Deed) {
        self.sure.iter_mut().for_each(|set| set.push(deed));
    }

    /// Nothing blocks it, as far as is known.
    pub(super) fn is_nothing(&self) -> bool {
        self.sure.is_empty() && self.perhaps.is_empty()
    }

    fn deeds(&self) -> impl Iterator<Item = Deed> {
        self.sure.iter().flatten().chain(&self.perhaps).copied()
    }
}

/// Some of the deeds that are weighed, as bits.
type DeedBits = u64;

/// The deeds that are weighed, and what they block.
pub(super) struct Weighing {
    deeds: Vec<Deed>,
    /// Of each attempt; `None`: more deeds than [`DEEDS_MAX`].
    blocks: Option<Vec<BlockBits>>,
}

struct BlockBits {
    sure: Vec<DeedBits>,
    perhaps: DeedBits,
    is_doubtful: bool,
}

/// How what may block an attempt is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum DoubtReading {
    /// It blocks nothing.
    Lenient,
    /// It blocks always.
    Strict,
}

/// What would be so if these deeds alone were done.
#[derive(Clone, Copy)]
pub(super) struct Supposition<'a> {
    deeds: &'a [Deed],
    blocks: &'a [BlockBits],
    done: DeedBits,
    reading: DoubtReading,
}

impl Supposition<'_> {
    /// Of the suppositions of one weighing, those with the same key block the same.
    pub(super) const fn key(&self) -> (u64, DoubtReading) {
        (self.done, self.reading)
    }

    /// If what may block an attempt blocks it: the deeds that are not done, the first first. What came to be after that
    /// one need not have come to be then.
    pub(super) fn undone(&self) -> Vec<Deed> {
        let is_undone = |place: &usize| self.done & (1 << place) == 0 && self.reading == DoubtReading::Strict;
        (0..self.deeds.len()).filter(is_undone).map(|place| self.deeds[place]).collect()
    }

    /// Whether the attempt of this number fails then.
    pub(super) fn blocks(&self, attempt: usize) -> bool {
        let block = &self.blocks[attempt];
        let is_strict = self.reading == DoubtReading::Strict;
        let perhaps = is_strict && (block.is_doubtful || block.perhaps & self.done != 0);
        perhaps || block.sure.iter().any(|set| set & self.done == *set)
    }
}

/// The deeds without which the attempts would not have failed so that it came to this: see
/// [`Weighing::solve`].
pub(super) fn solve(blocks: &[Blockage], comes_to_it: impl Fn(Supposition<'_>) -> bool) -> Reason {
    Weighing::new(blocks).solve(comes_to_it)
}

impl Weighing {
    pub(super) fn new(blocks: &[Blockage]) -> Self {
        let mut deeds: Vec<Deed> = blocks.iter().flat_map(Blockage::deeds).collect();
        deeds.sort_unstable_by_key(|deed| (deed.at(), *deed));
        deeds.dedup();
        if deeds.len() > DEEDS_MAX {
            deeds.truncate(DEEDS_MAX);
            return Self { deeds, blocks: None };
        }
        let bit = |deed: &Deed| deeds.iter().position(|other| other == deed).map_or(0, |place| 1_u64 << place);
        let bits = |set: &[Deed]| set.iter().map(bit).fold(0, |bits, bit| bits | bit);
        let blocks = blocks.iter().map(|block| BlockBits {
            sure: block.sure.iter().map(|set| bits(set)).collect(),
            perhaps: bits(&block.perhaps),
            is_doubtful: block.is_doubtful,
        });
        let blocks = Some(blocks.collect());
        Self { deeds, blocks }
    }

    /// The deeds without which the attempts would not have failed so that it came to this. `comes_to_it`:
    /// whether that follows from what a supposition blocks; more deeds never undo it.
    pub(super) fn solve(&self, comes_to_it: impl Fn(Supposition<'_>) -> bool) -> Reason {
        let Some(blocks) = self.blocks.as_deref().filter(|_| !self.deeds.is_empty()) else {
            return Reason::NotCertain(self.deeds.clone());
        };
        let all = self.all();
        let holds = |done, reading| comes_to_it(Supposition { deeds: &self.deeds, blocks, done, reading });
        if !holds(all, DoubtReading::Strict) || holds(0, DoubtReading::Strict) {
            return Reason::NotCertain(self.likely(blocks));
        }
        let is_needed = |place: &usize| !holds(all & !(1 << place), DoubtReading::Strict);
        let needed: Vec<Deed> = (0..self.deeds.len()).filter(is_needed).map(|place| self.deeds[place]).collect();
        if !needed.is_empty() {
            return Reason::Deeds(Causes::all(needed));
        }
        self.alternatives(&holds).map_or_else(|| Reason::NotCertain(self.likely(blocks)), Reason::Deeds)
    }

    fn all(&self) -> DeedBits {
        (1 << self.deeds.len()) - 1
    }

    /// All deeds, those that block for sure first.
    fn likely(&self, blocks: &[BlockBits]) -> Vec<Deed> {
        let sure = blocks.iter().flat_map(|block| &block.sure).fold(0, |bits, set| bits | set);
        let mut deeds: Vec<(bool, Deed)> =
            self.deeds.iter().enumerate().map(|(place, deed)| (sure & (1 << place) == 0, *deed)).collect();
        deeds.sort_by_key(|(is_perhaps, _)| *is_perhaps);
        deeds.into_iter().map(|(_, deed)| deed).collect()
    }

    /// The smallest sets that were enough, if without all of them it would not have been so.
    fn alternatives(&self, holds: &impl Fn(DeedBits, DoubtReading) -> bool) -> Option<Causes> {
        let mut found: Vec<DeedBits> = Vec::new();
        if self.deeds.len() > SOUGHT_MAX {
            return None;
        }
        let mut sets: Vec<DeedBits> =
            (1..=self.all()).filter(|set| set.count_ones() as usize <= TOGETHER_MAX).collect();
        sets.sort_by_key(|set| set.count_ones());
        for set in sets {
            if !found.iter().any(|smaller| smaller & set == *smaller) && holds(set, DoubtReading::Lenient) {
                found.push(set);
            }
        }
        let union = found.iter().fold(0, |all, set| all | set);
        let is_whole = !found.is_empty() && !holds(self.all() & !union, DoubtReading::Strict);
        let is_tight = |set: &DeedBits| {
            let rest = self.all() & !union;
            self.each(*set).all(|bit| set.is_power_of_two() || !holds(rest | (set & !bit), DoubtReading::Strict))
        };
        let causes = || found.iter().map(|set| self.deeds_in(*set)).collect();
        (is_whole && found.iter().all(is_tight)).then(causes).and_then(Causes::any)
    }

    fn each(&self, set: DeedBits) -> impl Iterator<Item = DeedBits> {
        (0..self.deeds.len()).map(|place| 1 << place).filter(move |bit| set & bit != 0)
    }

    fn deeds_in(&self, set: DeedBits) -> Vec<Deed> {
        self.deeds.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0).map(|(_, deed)| *deed).collect()
    }
}
