//! What is left to chance, as a hash of what it is about: common random numbers.
//!
//! No draw depends on how many others came before it. So two runs that differ in one message, one
//! fault or one setting share their luck wherever they ask the same questions, and a difference
//! between them has a cause.

use std::time::Duration;

use super::addr::Addr;

/// What a draw is about. Draws on one topic say nothing about those on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    // A node's own choices come first: it counts them by topic.
    /// The secret of the seen-cache.
    SeenCache,
    /// When the first message is generated.
    FirstGossip,
    /// When neighbors are first probed.
    FirstProbe,
    /// Which seed is tried.
    Seed,
    /// How long a peer waits before it tries a seed again.
    SeedRetry,
    /// When repair looks at the links.
    Repair,
    /// Which address is dialed.
    Dial,
    /// Which address in reserve gives way to another.
    Reserve,
    /// When another part of the overlay is dialed, and how.
    Bridge,
    /// Which neighbor makes room for a joiner.
    Room,
    /// To whom a joiner is referred.
    Referral,
    /// Which addresses a seed's sample names.
    List,
    /// Which address on its list a seed dials for proof that somebody listens there.
    Proof,
    /// The seed of a node's own choices.
    Node,
    /// What faults do to messages.
    Faults,
    /// The content of junk.
    Junk,
    /// Virtual time: the latency of a message that has a number of its own.
    Numbered,
    /// Virtual time: the latency of any other message.
    Unnumbered,
    /// Virtual time: the latency of a dial, and of its answer.
    Connect,
    /// Virtual time: the latency of the end of a connection.
    Close,
    /// Virtual time: what a resumed node sees first.
    Resume,
}

impl Topic {
    /// The number of topics that are a node's own.
    pub(super) const OWN: usize = Self::Proof as usize + 1;
}

/// A draw, and the root of all draws about parts of the same thing. Stateless: asked twice, it says
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The root of a world or a node.
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The draws about this part: a topic, a number, a moment.
    #[must_use]
    pub const fn of(self, key: u64) -> Self {
        // An odd constant makes a key of zero a key, too.
        Self(mix(self.0 ^ key.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    /// The draws on this topic.
    #[must_use]
    pub const fn about(self, topic: Topic) -> Self {
        self.of(topic as u64)
    }

    /// The draws about this node.
    #[must_use]
    pub const fn of_node(self, node: Addr) -> Self {
        self.of(node.number())
    }

    pub const fn number(self) -> u64 {
        self.0
    }

    /// A number below `end`; zero if `end` is zero.
    pub fn below(self, end: usize) -> usize {
        // The upper half of the product: as even as a remainder, and without a division.
        let scaled = u128::from(self.0) * end as u128;
        usize::try_from(scaled >> u64::BITS).unwrap_or(0)
    }

    /// A span between these percentages of `span`.
    pub fn jitter(self, span: Duration, percent: std::ops::RangeInclusive<u32>) -> Duration {
        let (least, most) = percent.into_inner();
        let width = most.saturating_sub(least) as usize + 1;
        span * (least + u32::try_from(self.below(width)).unwrap_or(0)) / 100
    }

    /// Up to `count` of the items, in random order.
    pub fn sample<T: Copy>(self, items: &[T], count: usize) -> Vec<T> {
        let mut all = items.to_vec();
        let count = count.min(all.len());
        for place in 0..count {
            let other = place + self.of(place as u64).below(all.len() - place);
            all.swap(place, other);
        }
        all.truncate(count);
        all
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood 2014): each bit of the key flips each bit of
/// the result with a probability of one half.
const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_what_it_is_about_and_on_nothing_else() {
        let [one, other] = [Chance::new(1), Chance::new(2)];
        assert_eq!(one.of(3).of(4), Chance::new(1).of(3).of(4));
        assert_ne!(one.of(3).of(4), one.of(4).of(3));
        assert_ne!(one.of(3), other.of(3));
        assert_ne!(one.of(0), one);
        // The same on every machine, forever: runs are repeated by their seed.
        assert_eq!(one.of(3).number(), 11_260_669_849_923_826_340);
    }

    #[test]
    fn numbers_are_even_over_keys_that_count_up() {
        let mut counts = [0_u32; 10];
        for key in 0..100_000 {
            counts[Chance::new(7).of(key).below(10)] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_sample_has_each_item_at_most_once_and_every_item_its_turn() {
        let items: Vec<u32> = (0..20).collect();
        let mut first = [0_u32; 20];
        for key in 0..2_000 {
            let mut sample = Chance::new(1).of(key).sample(&items, 5);
            first[sample[0] as usize] += 1;
            sample.sort_unstable();
            sample.dedup();
            assert_eq!(sample.len(), 5);
        }
        assert!(first.iter().all(|count| (60..150).contains(count)), "{first:?}");
        assert_eq!(Chance::new(1).sample(&items, 90).len(), 20);
        assert!(Chance::new(1).sample(&items[..0], 9).is_empty());
    }

    #[test]
    fn a_jitter_reaches_both_of_its_ends_and_nothing_beyond() {
        let second = Duration::from_secs(1);
        let spans: Vec<Duration> = (0..2_000).map(|key| Chance::new(1).of(key).jitter(second, 50..=100)).collect();
        assert_eq!(spans.iter().min(), Some(&(second / 2)));
        assert_eq!(spans.iter().max(), Some(&second));
    }
}
