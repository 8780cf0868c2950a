//! The list of a seed: its peers, and random samples of them.
//!
//! A seed of a large network has a hundred thousand peers on its list, so nothing here walks all of
//! them: a sample costs as much as it is long, everything else the logarithm of the list's length.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::proto::addr::Addr;
use crate::proto::event::LinkId;
use crate::proto::random::Random;
use crate::proto::time::Time;

/// Unproven addresses in a sample while few are proven: when a lab starts nobody is proven yet, and
/// this many are enough for a newcomer to find its four links.
const UNPROVEN_MIN: usize = 32;
/// When many are proven, one in this many addresses of a sample is unproven.
const UNPROVEN_SHARE: usize = 4;

/// Whether it is known that somebody listens at a listed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Given,
    Wanted,
}

/// A peer on the list.
#[derive(Debug)]
pub(super) struct ListEntry {
    /// Its registration, while that is open.
    pub(super) link: Option<LinkId>,
    /// When its registration closed.
    departed_at: Time,
    /// The machine that it registered from.
    host: Ipv4Addr,
    pub(super) proof: Proof,
    /// It was announced that the peer is on the list.
    pub(super) is_told: bool,
    /// Its index among the proven or the unproven.
    place: usize,
}

/// The former entry of a peer that registers again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) link: Option<LinkId>,
    pub(super) is_told: bool,
}

/// The list: see the module.
#[derive(Debug, Default)]
pub(super) struct PeerList {
    entries: BTreeMap<Addr, ListEntry>,
    /// Listed addresses in no order, to draw from.
    proven: Vec<Addr>,
    unproven: Vec<Addr>,
    /// Proven addresses with an open registration.
    living: BTreeSet<Addr>,
    /// How many registered from each machine.
    hosts: BTreeMap<Ipv4Addr, usize>,
    /// Addresses whose registration has closed, by when it did.
    departures: BTreeSet<(Time, Addr)>,
}

impl PeerList {
    pub(super) fn get(&self, peer: Addr) -> Option<&ListEntry> {
        self.entries.get(&peer)
    }

    /// The registration of a peer, if it is open.
    pub(super) fn link_of(&self, peer: Addr) -> Option<LinkId> {
        self.get(peer)?.link
    }

    pub(super) fn contains(&self, peer: Addr) -> bool {
        self.entries.contains_key(&peer)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Addr> {
        self.entries.keys().copied()
    }

    pub(super) fn registered_from(&self, host: Ipv4Addr) -> usize {
        self.hosts.get(&host).copied().unwrap_or_default()
    }

    /// The lowest address that is known to be alive: proven, and registered now.
    pub(super) fn lowest(&self) -> Option<Addr> {
        self.living.first().copied()
    }

    /// The first departure.
    pub(super) fn first_departed(&self) -> Option<(Time, Addr)> {
        self.departures.first().copied()
    }

    /// Puts a peer on the list, or renews its entry; returns its former entry. `proof`: the proof
    /// that a newcomer must give.
    pub(super) fn register(&mut self, peer: Addr, link: LinkId, host: Ipv4Addr, proof: Proof) -> Option<Before> {
        let Some(entry) = self.entries.get_mut(&peer) else {
            let place = self.pool(proof).len();
            self.pool(proof).push(peer);
            let departed_at = Time::from_micros(0);
            self.entries.insert(peer, ListEntry { link: Some(link), departed_at, host, proof, is_told: false, place });
            self.count_host(host);
            self.note_living(peer, proof);
            return None;
        };
        let before = Before { link: entry.link, is_told: entry.is_told };
        let (old_host, departed_at, proof) = (entry.host, entry.departed_at, entry.proof);
        (entry.link, entry.host) = (Some(link), host);
        self.departures.remove(&(departed_at, peer));
        self.forget_host(old_host);
        self.count_host(host);
        self.note_living(peer, proof);
        Some(before)
    }

    /// The registration of a peer by this link is over. Returns the proof that it had to give;
    /// `None`: it is not listed by this link.
    pub(super) fn depart(&mut self, now: Time, peer: Addr, link: LinkId) -> Option<Proof> {
        let entry = self.entries.get_mut(&peer).filter(|entry| entry.link == Some(link))?;
        (entry.link, entry.departed_at) = (None, now);
        self.departures.insert((now, peer));
        self.living.remove(&peer);
        Some(entry.proof)
    }

    pub(super) fn remove(&mut self, peer: Addr) -> Option<ListEntry> {
        let entry = self.entries.remove(&peer)?;
        self.take_place(entry.proof, entry.place);
        self.departures.remove(&(entry.departed_at, peer));
        self.living.remove(&peer);
        self.forget_host(entry.host);
        Some(entry)
    }

    /// Somebody listens at the address.
    pub(super) fn prove(&mut self, peer: Addr) {
        let Some(entry) = self.entries.get(&peer).filter(|entry| entry.proof == Proof::Wanted) else { return };
        let is_open = entry.link.is_some();
        self.take_place(Proof::Wanted, entry.place);
        let place = self.proven.len();
        self.proven.push(peer);
        if let Some(entry) = self.entries.get_mut(&peer) {
            (entry.proof, entry.place) = (Proof::Given, place);
        }
        if is_open {
            self.living.insert(peer);
        }
    }

    /// It has been announced that the peer is on the list.
    pub(super) fn note_told(&mut self, peer: Addr) {
        if let Some(entry) = self.entries.get_mut(&peer) {
            entry.is_told = true;
        }
    }

    /// Up to `len_max` addresses of the list drawn at random, in order, without `but`. Unproven
    /// ones get no more than their share.
    pub(super) fn sample(&self, but: Option<Addr>, len_max: usize, random: &mut Random) -> Vec<Addr> {
        let share = len_max / UNPROVEN_SHARE;
        let room = len_max - self.proven.len().min(len_max - share);
        let mut sample = draw(&self.unproven, room.min(UNPROVEN_MIN.max(share)), but, random);
        let rest = len_max - sample.len();
        sample.extend(draw(&self.proven, rest, but, random));
        sample.sort_unstable();
        sample
    }

    fn pool(&mut self, proof: Proof) -> &mut Vec<Addr> {
        match proof {
            Proof::Given => &mut self.proven,
            Proof::Wanted => &mut self.unproven,
        }
    }

    /// Empties a place; the last one of the pool moves there.
    fn take_place(&mut self, proof: Proof, place: usize) {
        let pool = self.pool(proof);
        pool.swap_remove(place);
        let Some(moved) = pool.get(place).copied() else { return };
        if let Some(entry) = self.entries.get_mut(&moved) {
            entry.place = place;
        }
    }

    fn note_living(&mut self, peer: Addr, proof: Proof) {
        if proof == Proof::Given {
            self.living.insert(peer);
        }
    }

    fn count_host(&mut self, host: Ipv4Addr) {
        *self.hosts.entry(host).or_default() += 1;
    }

    fn forget_host(&mut self, host: Ipv4Addr) {
        let Some(count) = self.hosts.get_mut(&host) else { return };
        *count -= 1;
        if *count == 0 {
            self.hosts.remove(&host);
        }
    }
}

/// `count` addresses drawn at random, or all that there are, without `but`. Costs as much as it
/// draws (Floyd's sampling, Bentley and Floyd 1987).
fn draw(from: &[Addr], count: usize, but: Option<Addr>, random: &mut Random) -> Vec<Addr> {
    let one_more = (count + 1).min(from.len());
    let mut places: Vec<usize> = Vec::with_capacity(one_more);
    for last in from.len() - one_more..from.len() {
        let place = random.below(last + 1);
        places.push(if places.contains(&place) { last } else { place });
    }
    let mut drawn: Vec<Addr> = places.into_iter().map(|place| from[place]).collect();
    drawn.retain(|addr| Some(*addr) != but);
    if drawn.len() > count {
        drawn.swap_remove(random.below(drawn.len()));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

    fn addr(n: usize) -> Addr {
        Addr::new((0x0a00_0000 + u32::try_from(n).unwrap()).into(), 4_000)
    }

    /// This many peers; those below `proven` are proven.
    fn list(len: usize, proven: usize) -> PeerList {
        let mut list = PeerList::default();
        for n in 0..len {
            let proof = if n < proven { Proof::Given } else { Proof::Wanted };
            list.register(addr(n), LinkId(n as u64), HOST, proof);
        }
        list
    }

    #[test]
    fn a_sample_names_nobody_twice_and_not_who_asks() {
        let random = &mut Random::new(1);
        for (len, proven) in [(0, 0), (1, 1), (2, 1), (40, 0), (64, 64), (65, 65), (66, 60), (1_000, 900), (1_000, 10)]
        {
            let list = list(len, proven);
            for _ in 0..200 {
                let sample = list.sample(Some(addr(0)), 64, random);
                assert!(sample.is_sorted_by(|a, b| a < b) && !sample.contains(&addr(0)), "{len}, {proven}: {sample:?}");
                let unproven = sample.iter().filter(|peer| **peer >= addr(proven)).count();
                let share = if proven >= 64 { 16 } else { 32 };
                assert!(unproven <= share, "{len}, {proven}: {unproven} unproven");
                let others = proven.saturating_sub(1).min(64 - unproven) + unproven;
                assert_eq!(sample.len(), others, "{len}, {proven}");
            }
        }
    }

    #[test]
    fn everybody_on_a_list_is_drawn_equally_often() {
        let (list, random, rounds) = (list(256, 256), &mut Random::new(2), 4_000);
        let mut counts = vec![0_usize; 256];
        for _ in 0..rounds {
            for peer in list.sample(None, 64, random) {
                counts[(0..256).find(|n| addr(*n) == peer).unwrap()] += 1;
            }
        }
        // A thousand each, give or take six standard deviations.
        let far = counts.iter().filter(|count| count.abs_diff(rounds / 4) > 165).count();
        assert_eq!(far, 0, "{counts:?}");
    }

    #[test]
    fn the_lowest_is_proven_and_registered() {
        let (mut list, now) = (list(10, 0), Time::from_micros(5));
        assert_eq!(list.lowest(), None, "nobody is proven");
        list.prove(addr(7));
        list.prove(addr(3));
        assert_eq!(list.lowest(), Some(addr(3)));
        assert_eq!(list.depart(now, addr(3), LinkId(9)), None, "not by that link");
        list.depart(now, addr(3), LinkId(3));
        assert_eq!(list.lowest(), Some(addr(7)));
        list.register(addr(3), LinkId(20), HOST, Proof::Wanted);
        assert_eq!(list.lowest(), Some(addr(3)), "it comes back with its proof");
        list.remove(addr(3));
        assert_eq!((list.lowest(), list.len()), (Some(addr(7)), 9));
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing_behind() {
        let (mut list, random) = (PeerList::default(), &mut Random::new(3));
        for round in 0..20_000_u64 {
            let peer = addr(random.below(50));
            let now = Time::from_micros(round);
            match random.below(4) {
                0 => drop(list.register(peer, LinkId(round), HOST, Proof::Wanted)),
                1 => list.prove(peer),
                2 => drop(list.link_of(peer).and_then(|link| list.depart(now, peer, link))),
                _ => drop(list.remove(peer)),
            }
            assert_eq!(list.proven.len() + list.unproven.len(), list.len());
            assert_eq!(list.registered_from(HOST), list.len());
            for (peer, entry) in &list.entries {
                let pool = if entry.proof == Proof::Given { &list.proven } else { &list.unproven };
                assert_eq!(pool[entry.place], *peer);
                assert_eq!(list.living.contains(peer), entry.proof == Proof::Given && entry.link.is_some());
                assert_eq!(list.departures.contains(&(entry.departed_at, *peer)), entry.link.is_none());
            }
        }
    }
}
