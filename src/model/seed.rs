//! Seeds: who is on whose list, as the seeds of this process tell it.

use super::{Map, Set};
use crate::proto::addr::Addr;
use crate::proto::config::REGISTRATIONS_MAX;

use crate::proto::time::Time;

/// Delisted peers, and reporters that were wrong, that are remembered for each seed: more than
/// anybody looks at.
const PAST_MAX: usize = 8_192;

/// False reports of one reporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispute {
    pub reports: u32,
    /// When the latest was found false.
    pub at: Time,
}

/// What is known of one seed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeedView {
    /// Who is on its list, and since when; known for a seed of this process only.
    pub listed: Map<Addr, Time>,
    /// Who was taken off its list and has not come back to it, and when.
    pub delisted: Map<Addr, Time>,
    /// False reports, by reporter.
    pub disputes: Map<Addr, Dispute>,
    /// Reports that it received.
    pub reports: u64,
    /// Lists that it sent, or that a peer of ours got from it.
    pub lists_sent: u64,
    /// When it last sent a list, and how many were on it.
    pub last_list: Option<(Time, usize)>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeedRecords {
    seeds: Map<Addr, SeedView>,
    /// Peers that said that no seed is reachable, and did not register since.
    without: Set<Addr>,
}

impl SeedRecords {
    /// Seeds that are kept; a user names them in a file, so there are few.
    pub const SEEDS_MAX: usize = 4_096;

    pub fn get(&self, seed: Addr) -> Option<&SeedView> {
        self.seeds.get(&seed)
    }

    /// In the order in which they were first heard of.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Addr, &SeedView)> + ExactSizeIterator {
        self.seeds.iter().map(|(addr, seed)| (*addr, seed))
    }

    /// The seeds of this process that have this peer on their list.
    pub fn listing(&self, peer: Addr) -> impl Iterator<Item = Addr> {
        self.iter().filter(move |(_, seed)| seed.listed.contains_key(&peer)).map(|(addr, _)| addr)
    }

    /// This peer tried all seeds, and none could be reached.
    pub fn are_out_of_reach(&self, peer: Addr) -> bool {
        self.without.contains(&peer)
    }

    pub(super) fn out_of_reach(&mut self, peer: Addr) {
        self.without.insert(peer);
    }

    pub(super) fn reached(&mut self, peer: Addr) {
        self.without.swap_remove(&peer);
    }

    pub(super) fn started(&mut self, seed: Addr) {
        self.change(seed, |view| {
            view.listed.clear();
            view.delisted.clear();
        });
    }

    pub(super) fn listed(&mut self, seed: Addr, peer: Addr, at: Time) {
        self.change(seed, |view| {
            if view.listed.len() < REGISTRATIONS_MAX {
                view.listed.entry(peer).or_insert(at);
            }
            view.delisted.swap_remove(&peer);
        });
    }

    pub(super) fn delisted(&mut self, seed: Addr, peer: Addr, at: Time) {
        self.change(seed, |view| {
            view.listed.swap_remove(&peer);
            if view.delisted.len() >= PAST_MAX {
                view.delisted.swap_remove_index(0);
            }
            view.delisted.insert(peer, at);
        });
    }

    pub(super) fn sent_list(&mut self, seed: Addr, len: usize, at: Time) {
        self.change(seed, |view| {
            view.lists_sent += 1;
            view.last_list = Some((at, len));
        });
    }

    pub(super) fn got_report(&mut self, seed: Addr) {
        self.change(seed, |view| view.reports += 1);
    }

    pub(super) fn disputed(&mut self, seed: Addr, reporter: Addr, reports: u32, at: Time) {
        self.change(seed, |view| {
            if view.disputes.len() < PAST_MAX || view.disputes.contains_key(&reporter) {
                view.disputes.insert(reporter, Dispute { reports, at });
            }
        });
    }

    fn change(&mut self, seed: Addr, change: impl FnOnce(&mut SeedView)) {
        if self.seeds.len() < Self::SEEDS_MAX || self.seeds.contains_key(&seed) {
            change(self.seeds.entry(seed).or_default());
        }
    }
}
