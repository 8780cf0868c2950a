//! The addresses that a peer could dial: HyParView's passive view (Leitão, Pereira, Rodrigues 2007,
//! section 4.3).
//!
//! It holds some thirty, whatever the size of the network, and no neighbors. Further addresses take
//! the place of random others. So that nobody owns it by naming the most, each seed may fill no
//! more than its share, and all peers together a third; beyond its share, a source replaces only
//! what it named itself.

use crate::proto::addr::Addr;
use crate::proto::random::Random;

/// All peers together may fill one in this many places.
const PEERS_PART: usize = 3;
/// How often a random address is drawn before all are tried in order.
const DRAWS_MAX: usize = 16;

/// Who named an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressSource {
    /// A seed, by its index among the seeds.
    Seed(u8),
    /// Some peer.
    Peer,
}

/// The addresses: see the module.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    items: Vec<(Addr, AddressSource)>,
}

/// How many addresses there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReserveBounds {
    pub(super) all: usize,
    pub(super) of_a_seed: usize,
}

impl ReserveBounds {
    /// Room for `all`, shared by this many seeds.
    pub(super) fn shared(all: usize, seeds: usize) -> Self {
        Self { all, of_a_seed: all.div_ceil(seeds.max(1)) }
    }

    fn of(self, source: AddressSource) -> usize {
        match source {
            AddressSource::Seed(_) => self.of_a_seed,
            AddressSource::Peer => self.all / PEERS_PART,
        }
    }
}

impl Reserve {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Remembers an address, in place of another one if it must.
    pub(super) fn add(&mut self, addr: Addr, source: AddressSource, bounds: ReserveBounds, random: &mut Random) {
        // One pass without an early end: lists name dozens of addresses, and most are not known.
        let (is_known, own) = self.items.iter().fold((false, 0), |(is_known, own), (known, from)| {
            (is_known || *known == addr, own + usize::from(*from == source))
        });
        if is_known {
            return;
        }
        if own >= bounds.of(source) {
            self.replace(addr, source, random.below(own), |from| from == source);
        } else if self.items.len() >= bounds.all {
            let count = self.items.len();
            self.replace(addr, source, random.below(count), |_| true);
        } else {
            self.items.push((addr, source));
        }
    }

    /// Replaces the nth address from that source.
    fn replace(&mut self, addr: Addr, source: AddressSource, nth: usize, from: impl Fn(AddressSource) -> bool) {
        if let Some(item) = self.items.iter_mut().filter(|(_, named_by)| from(*named_by)).nth(nth) {
            *item = (addr, source);
        }
    }

    pub(super) fn forget(&mut self, addr: Addr) {
        if let Some(at) = self.items.iter().position(|(known, _)| *known == addr) {
            self.items.swap_remove(at);
        }
    }

    /// A random free address.
    pub(super) fn draw(&self, free: impl Fn(Addr) -> bool, random: &mut Random) -> Option<Addr> {
        draw(self.items.len(), |at| self.items[at].0, free, random)
    }
}

/// A random free one of these addresses.
pub(super) fn draw(
    count: usize,
    addr: impl Fn(usize) -> Addr,
    free: impl Fn(Addr) -> bool,
    random: &mut Random,
) -> Option<Addr> {
    let drawn = (0..DRAWS_MAX.min(count)).map(|_| addr(random.below(count))).find(|addr| free(*addr));
    drawn.or_else(|| {
        let first = random.below(count);
        (first..count).chain(0..first).map(addr).find(|addr| free(*addr))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: ReserveBounds = ReserveBounds { all: 30, of_a_seed: 15 };

    fn addr(ip: u8, port: u16) -> Addr {
        Addr::new([10, 0, 0, ip].into(), port)
    }

    fn held(reserve: &Reserve, ip: u8) -> usize {
        reserve.items.iter().filter(|(addr, _)| addr.ip().octets()[3] == ip).count()
    }

    #[test]
    fn whoever_names_the_most_does_not_own_the_reserve() {
        let (mut reserve, random) = (Reserve::default(), &mut Random::new(1));
        let mut name = |ip, source, count| {
            (1..=count).for_each(|port| reserve.add(addr(ip, port), source, BOUNDS, random));
            [1, 2, 3].map(|ip| held(&reserve, ip))
        };
        assert_eq!(name(1, AddressSource::Seed(1), 10_000), [15, 0, 0], "half of it for one of two seeds");
        assert_eq!(name(3, AddressSource::Peer, 10_000), [15, 0, 10]);
        assert_eq!(name(2, AddressSource::Seed(0), 5), [15, 5, 10]);
        let [bad, good, peers] = name(2, AddressSource::Seed(0), 10_000);
        assert!(good == 15 && bad + peers == 15, "the other seed has its share as well: {bad}, {peers}");
    }

    #[test]
    fn nobody_is_remembered_twice_and_whoever_is_forgotten_is_gone() {
        let (mut reserve, random) = (Reserve::default(), &mut Random::new(1));
        (0..5).for_each(|_| reserve.add(addr(1, 1), AddressSource::Peer, BOUNDS, random));
        assert_eq!(reserve.len(), 1);
        assert_eq!(reserve.draw(|_| true, random), Some(addr(1, 1)));
        assert_eq!(reserve.draw(|_| false, random), None);
        reserve.forget(addr(1, 1));
        assert_eq!(reserve.draw(|_| true, random), None);
    }
}
