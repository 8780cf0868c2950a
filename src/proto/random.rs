//! What a node leaves to chance, choice by choice.
//!
//! A choice is a hash of the node's seed, its topic and how often the node has chosen on that topic; it does not depend on what
//! was chosen on others. So a node that forwards one message more still dials the same addresses.

use std::time::Duration;

use super::chance::Chance;

/// What a choice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// The secret of the seen-cache.
    SeenCache,
    /// When the first message is generated.
    FirstGossip,
    /// When neighbors are probed first.
    FirstProbe,
    /// Which seed is tried.
    Seed,
    /// How long it is waited before a seed is tried again.
    SeedRetry,
    /// When links are looked after.
    Repair,
    /// Which address is dialed.
    Dial,
    /// Which address in reserve gives way to another.
    Reserve,
    /// When another part of the overlay is dialed, and how.
    Bridge,
    /// Which neighbor makes room for a joiner.
    Room,
    /// Whom a joiner is referred to.
    Referral,
    /// Whom a seed's list names.
    List,
    /// Which address on its list a seed dials to see that somebody listens there.
    Proof,
}

impl Topic {
    const COUNT: usize = Self::Proof as usize + 1;
}

/// The choices of one node.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    chance: Chance,
    /// How many there were, by topic.
    made: [u32; Topic::COUNT],
}

impl Choices {
    /// None yet; the seed decides all of them.
    pub(super) const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), made: [0; Topic::COUNT] }
    }

    /// The draws of the next choice on a topic.
    pub(super) fn next(&mut self, topic: Topic) -> Random {
        let made = &mut self.made[topic as usize];
        *made = made.wrapping_add(1);
        Random { chance: self.chance.of(topic as u64).of(u64::from(*made)), drawn: 0 }
    }
}

/// The draws of one choice, one after the other.
#[derive(Debug, Clone)]
pub struct Random {
    chance: Chance,
    drawn: u64,
}

impl Random {
    /// Draws that follow from a seed.
    pub const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), drawn: 0 }
    }

    fn draw(&mut self) -> Chance {
        self.drawn += 1;
        self.chance.of(self.drawn)
    }

    /// A number below `end`; zero when `end` is zero.
    pub fn below(&mut self, end: usize) -> usize {
        self.draw().below(end)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.draw().number()
    }

    /// A span between `least` and `most` of `span`, in hundredths.
    pub fn jitter(&mut self, span: Duration, percent: std::ops::RangeInclusive<u32>) -> Duration {
        self.draw().jitter(span, percent)
    }

    /// Up to `count` of the items, in random order.
    pub fn sample<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        self.draw().sample(items, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_does_not_depend_on_those_about_something_else() {
        let (mut few, mut many) = (Choices::new(1), Choices::new(1));
        for _ in 0..5 {
            many.next(Topic::Repair).number();
        }
        let dials = |choices: &mut Choices| [(); 8].map(|()| choices.next(Topic::Dial).below(1_000));
        let before = dials(&mut few);
        assert_eq!(before, dials(&mut many));
        assert_ne!(before, dials(&mut few), "the next choices are others");
        assert_ne!(few.next(Topic::Room).number(), few.next(Topic::Proof).number());
    }
}
