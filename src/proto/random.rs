//! A node's random choices.
//!
//! A choice is a hash of the node's seed, its topic and how often the node has chosen on that
//! topic; it does not depend on choices on other topics. So a node that forwards one message more
//! still dials the same addresses.

use std::time::Duration;

use super::chance::Chance;
pub(super) use super::chance::Topic;

/// The choices of one node.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    chance: Chance,
    /// Choices so far, by topic.
    made: [u32; Topic::OWN],
}

impl Choices {
    /// No choices yet; the seed decides all of them.
    pub(super) const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), made: [0; Topic::OWN] }
    }

    /// The draws of the next choice on a topic.
    pub(super) fn next(&mut self, topic: Topic) -> Random {
        let made = &mut self.made[topic as usize];
        *made = made.wrapping_add(1);
        Random { chance: self.chance.about(topic).of(u64::from(*made)), drawn: 0 }
    }
}

/// The draws of one choice, one after the other.
#[derive(Debug, Clone)]
pub struct Random {
    chance: Chance,
    drawn: u64,
}

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), drawn: 0 }
    }

    fn draw(&mut self) -> Chance {
        self.drawn += 1;
        self.chance.of(self.drawn)
    }

    /// A number below `end`; zero if `end` is zero.
    pub fn below(&mut self, end: usize) -> usize {
        self.draw().below(end)
    }

    /// One of the items, if there are any.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items.get(self.below(items.len())).copied()
    }

    pub fn number(&mut self) -> u64 {
        self.draw().number()
    }

    /// A span between these percentages of `span`.
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
