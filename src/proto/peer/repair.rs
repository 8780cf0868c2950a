//! Repair: more links when some are missing, and a bridge when the overlay is split (rule 9).
//!
//! *Too few links.* The peer dials candidates, and when it knows none it asks its seeds again: at once
//! when it has lost a neighbor, then after pauses that grow, with jitter. The classic dialect has no such question: to
//! register once more is one, and a Python seed appends an entry each time until its list fits its readers no longer. So
//! a classic peer dials from the lists that it has, and whose gossip it has heard, and waits to be dialed.
//!
//! *A split overlay.* Enough links each do not make one graph: two cliques of five are happy for
//! ever. So each part elects a root, its lowest address, as bridges do in the spanning tree
//! protocol (Perlman 1985): the root's beacon rides on probes, and a root that is not heard of any
//! more is forgotten. Only a root asks its seeds, now and then, whether they list a node with a lower
//! address. In one connected overlay there is none. If there is, that node is in another part, and
//! the root dials it. Any two peers share a seed (see `join`), so the parts merge until one is left.
//! One question per part and round is all it costs, whatever the number of peers. The classic
//! dialect cannot carry beacons; there only missing links are repaired.
//!
//! *A false root.* Anybody can send a beacon with an address below all others, and in both parts. So whoever hears of a root
//! looks, too, at random and seldom, whether a seed lists that root. If none does at two looks in a row, the root is
//! no node of this network, and whether there is another part can not be told by it: then the peer dials somebody at random
//! as a bridge. That a root which is listed listens at all, only its seeds can tell.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Peer;
use super::join::growing;
use crate::proto::addr::Addr;
use crate::proto::config::{CANDIDATES_MAX, PeerConfig};
use crate::proto::event::{EventKind, RepairReason};
use crate::proto::machine::Output;
use crate::proto::message::{Dialect, RootBeacon};
use crate::proto::random::Random;
use crate::proto::time::Time;

/// How long a joining peer waits for the lists of the other seeds before it dials.
const JOIN_PATIENCE: Duration = Duration::from_millis(200);
/// Longest wait before a lost link is replaced: many peers lose the same neighbor at once.
const REPAIR_DELAY_MAX: Duration = Duration::from_secs(1);
/// Wait before the next candidate is dialed after the first refusal; doubles with each one in a row.
/// In a network that starts all at once many are refused once or twice.
const NEXT_TRY_DELAY: Duration = Duration::from_millis(30);
/// Doublings after which that wait is at its longest.
const DOUBLINGS_MAX: u32 = 6;
/// Beats without news of the root before it is taken for gone. News crosses at least a link a beat
/// and the stream of it does not thin out on the way; four lets three be lost in a row.
const ROOT_STALE_BEATS: u32 = 4;
/// Beats between two looks of a root at the seeds' lists; the answers have one beat to come in.
const LOOK_BEATS: u32 = 3;

/// Doublings of the beats between two looks that showed nobody but neighbors: 48 beats at most. Such a network has no
/// other part, and a newcomer dials.
const LOOK_DOUBLINGS_MAX: u32 = 4;
/// A peer that has any neighbor lets the pauses between two questions for a list grow this much longer than one that has
/// none, to five minutes: in a network smaller than `max_dial` there is nobody to be found.
const LINKED_PATIENCE: u32 = 10;

/// Beats within which a peer that hears of a root looks once all the same: long enough that a small network is asked
/// little, short enough that a false root keeps no overlay split for long.
const LONE_LOOK_BEATS: usize = 24;
/// The same where a list showed nobody but neighbors: there is no other part, and a newcomer dials.
const QUIET_LONE_LOOK_BEATS: usize = 1_536;
/// In a network of many peers that time grows by a beat for so many, so that all of them together ask twice
/// a beat, however many they are.
const LISTED_A_BEAT: usize = 2;

/// What a beat of the node asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TickTask {
    Quiet,
    /// A root asks its seeds for their lists.
    AskSeeds,
    /// A root has the lists.
    ReadLists,
}

/// Whether a list names somebody who could be dialed and is no neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    Named,
    None,
}

/// What a peer does about missing links and a split overlay.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// When links are looked after next.
    at: Option<Time>,
    /// Rounds in a row that asked the seeds and found nobody to dial.
    fruitless: u32,
    /// Dials in a row that came to nothing.
    refusals: u32,
    /// The peer has been through its first round; a later one is a repair.
    joined: bool,
    /// A shortage of links has been told.
    told: bool,
    /// The lowest address of this part of the overlay, if it is not ours.
    root: Option<Root>,
    /// The last beacon of a root that was taken for gone: only fresher news of it counts.
    gone: Option<RootBeacon>,
    /// When we were last known to live, as a root.
    own_fresh: Option<Time>,
    beats: u32,
    /// Addresses below our own in the lists, at the last look and at this one.
    lower_before: BTreeSet<Addr>,
    lower_now: BTreeSet<Addr>,
    /// The lists that come in belong to a look, and what they showed so far.
    looking: Option<Stranger>,
    /// Looks in a row that did not.
    quiet_looks: u32,
    /// Lists that came in at this look.
    lists: usize,
    /// Addresses in the latest list.
    listed: usize,
    /// The beat at which a peer that is no root looks next.
    lone_look_at: Option<u32>,
    /// Looks in a row at which no seed listed the root.
    doubts: u32,
}

#[derive(Debug, Clone, Copy)]
struct Root {
    beacon: RootBeacon,
    heard_at: Time,
}

impl Repair {
    pub(super) fn start(&mut self, now: Time) {
        self.own_fresh = Some(now);
    }

    pub(super) fn next_at(&self) -> Option<Time> {
        self.at
    }

    /// The peer has dialed its first links, or had nobody to dial.
    pub(super) fn joined(&self) -> bool {
        self.joined
    }

    /// A dial came to nothing: the next candidate is tried at once, then less and less eagerly.
    pub(super) fn try_next(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        let eager = NEXT_TRY_DELAY * (1 << self.refusals.min(DOUBLINGS_MAX));
        self.refusals = self.refusals.saturating_add(1);
        let longest = (config.liveness_interval / 2).min(REPAIR_DELAY_MAX).min(eager);
        self.no_later_than(now + random.jitter(longest, 50..=100));
    }

    /// Links are looked after at this time, if not before.
    pub(super) fn no_later_than(&mut self, at: Time) {
        self.at = Some(self.at.map_or(at, |before| before.min(at)));
    }

    /// A seed answered: the first lists are waited for together.
    pub(super) fn on_registered(&mut self, now: Time, complete: bool) {
        if !self.joined {
            self.no_later_than(if complete { now } else { now + JOIN_PATIENCE });
        }
    }

    pub(super) fn on_link_gained(&mut self) {
        (self.fruitless, self.refusals, self.told) = (0, 0, false);
        self.quiet_looks = 0;
    }

    /// A neighbor is gone: links are looked after within a random short while, and should there be nobody to dial, the
    /// seeds are asked without a further pause.
    pub(super) fn on_link_lost(&mut self, now: Time, config: &PeerConfig, random: &mut Random) {
        (self.fruitless, self.quiet_looks) = (1, 0);
        self.lone_look_at = None;
        let longest = (config.liveness_interval / 2).min(REPAIR_DELAY_MAX);
        self.no_later_than(now + random.jitter(longest, 10..=100));
    }

    /// A list came; does it name somebody who could be dialed and is no neighbor?
    pub(super) fn on_list(&mut self, peers: &[Addr], own: Addr, names_stranger: Stranger) {
        self.listed = peers.len();
        if names_stranger == Stranger::Named && self.quiet_looks > 0 {
            (self.quiet_looks, self.lone_look_at) = (0, None);
        }
        if let Some(seen) = &mut self.looking {
            if names_stranger == Stranger::Named {
                *seen = names_stranger;
            }
            self.lists += 1;
            let room = CANDIDATES_MAX.saturating_sub(self.lower_now.len());
            self.lower_now.extend(peers.iter().filter(|peer| **peer < own).take(room));
        }
    }

    /// The sign of life that we pass on: the root's, or our own.
    pub(super) fn beacon(&self, own: Addr) -> RootBeacon {
        match self.root {
            Some(root) => root.beacon,
            None => RootBeacon { root: own, fresh: self.own_fresh.unwrap_or(Time::from_micros(0)) },
        }
    }

    pub(super) fn on_beacon(&mut self, now: Time, beacon: RootBeacon, own: Addr) {
        let stale = self.gone.is_some_and(|gone| gone.root == beacon.root && beacon.fresh <= gone.fresh);
        if stale || beacon.root >= own {
            return;
        }
        let news = self.root.is_none_or(|root| {
            beacon.root < root.beacon.root || (beacon.root == root.beacon.root && beacon.fresh > root.beacon.fresh)
        });
        if news {
            self.root = Some(Root { beacon, heard_at: now });
        }
    }

    /// Once a liveness interval.
    pub(super) fn on_beat(&mut self, now: Time, config: &PeerConfig, random: &mut Random) -> TickTask {
        let patience = config.liveness_interval * ROOT_STALE_BEATS;
        if let Some(root) = self.root.take_if(|root| now.since(root.heard_at) > patience) {
            self.gone = Some(root.beacon);
        }
        self.beats = self.beats.wrapping_add(1);
        self.own_fresh = Some(now);
        if config.dialect == Dialect::Classic {
            return TickTask::Quiet;
        }
        if self.looking.is_some() {
            return TickTask::ReadLists;
        }
        let is_due = match self.root {
            None => self.beats.is_multiple_of(LOOK_BEATS << self.quiet_looks.min(LOOK_DOUBLINGS_MAX)),
            Some(_) => self.lone_look_is_due(random),
        };
        if !is_due {
            return TickTask::Quiet;
        }
        (self.looking, self.lists) = (Some(Stranger::None), 0);
        TickTask::AskSeeds
    }

    fn lone_look_span(&self) -> usize {
        LONE_LOOK_BEATS.max(self.listed / LISTED_A_BEAT)
    }

    fn lone_look_is_due(&mut self, random: &mut Random) -> bool {
        let is_due = self.lone_look_at.is_some_and(|at| at <= self.beats);
        if is_due || self.lone_look_at.is_none() {
            // The first looks spread over all of the time, and the later ones keep apart.
            let span = if self.quiet_looks > 0 { QUIET_LONE_LOOK_BEATS } else { self.lone_look_span() };
            let least = if is_due { span / 2 } else { 0 };
            let pause = u32::try_from(least + random.below(span) + 1).unwrap_or(u32::MAX);
            self.lone_look_at = Some(self.beats.saturating_add(pause));
        }
        is_due
    }

    /// At the end of a look: the root that is heard of, if no seed has listed it at two looks in a row. `seeds`: lists that
    /// were asked for.
    fn false_root(&mut self, seeds: usize) -> Option<Addr> {
        let root = self.root?.beacon.root;
        if self.lists < seeds || self.lower_now.contains(&root) {
            self.doubts = 0;
            return None;
        }
        self.doubts += 1;
        if self.doubts < 2 {
            self.lone_look_at = Some(self.beats.saturating_add(LOOK_BEATS));
            return None;
        }
        self.doubts = 0;
        Some(root)
    }

    /// The listed addresses below our own, in order, that were listed at the last look as well: news
    /// of a newcomer needs a while to get around.
    fn take_lower(&mut self) -> Vec<Addr> {
        self.quiet_looks = match self.looking.take() {
            Some(Stranger::Named) => 0,
            Some(Stranger::None) | None => self.quiet_looks.saturating_add(1),
        };
        let lower = std::mem::take(&mut self.lower_now);
        let twice = lower.intersection(&self.lower_before).copied().collect();
        self.lower_before = lower;
        twice
    }
}

impl Peer {
    pub(super) fn repair_if_due(&mut self, now: Time, out: &mut impl Output) {
        if self.repair.at.is_none_or(|at| at > now) {
            return;
        }
        self.repair.at = None;
        self.fill_links(now, out);
        let (have, want) = (self.overlay.neighbors.len(), self.config.max_dial);
        self.tell_repair(have, want, out);
        self.repair.joined = true;
        let may_dial = self.dial_budget.ready_at() <= now;
        if self.busy().len() < want && may_dial {
            self.ask_again(now, out);
        }
    }

    fn tell_repair(&mut self, have: usize, want: usize, out: &mut impl Output) {
        if have < want && self.repair.joined && !self.repair.told {
            self.repair.told = true;
            out.emit(|| EventKind::Repairing { reason: RepairReason::TooFewLinks { have, want } });
        }
    }

    /// Nobody left to dial: the seeds may know somebody by now, or an address that failed may be worth another try.
    fn ask_again(&mut self, now: Time, out: &mut impl Output) {
        if self.repair.fruitless > 0 {
            self.ask_seeds(out);
        }
        self.repair.fruitless = self.repair.fruitless.saturating_add(1);
        let patience = if self.overlay.neighbors.is_empty() { 1 } else { LINKED_PATIENCE };
        let longest = self.config.backoff_max.saturating_mul(patience);
        self.repair.no_later_than(now + growing(&self.config, self.repair.fruitless, longest, &mut self.random));
    }

    /// As a root: dials a node of another part, if the lists show one. Under a root that no seed lists: dials anybody.
    pub(super) fn bridge_if_split(&mut self, now: Time, out: &mut impl Output) {
        let false_root = self.repair.false_root(self.registrar.up().count().max(1));
        let (own, lower) = (self.config.listen, self.repair.take_lower());
        if self.overlay.bridge.is_some() || self.overlay.neighbors.is_empty() || !self.may_take_a_bridge() {
            return;
        }
        let found = if let Some(root) = false_root {
            let other = self.overlay.choose(now, &self.busy(), &mut self.random);
            other.map(|other| (other, RepairReason::FalseRoot { root, other }))
        } else if self.repair.root.is_none() {
            let others: Vec<Addr> = lower.into_iter().filter(|addr| self.may_dial(now, *addr)).collect();
            let other = others.get(self.random.below(others.len())).copied();
            other.map(|other| (other, RepairReason::SplitOverlay { root: own, other }))
        } else {
            None
        };
        let Some((other, reason)) = found else { return };
        self.overlay.bridge = Some(other);
        out.emit(|| EventKind::Repairing { reason });
        self.dial_neighbor(other, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_sends_list_after_list_fills_nothing() {
        let mut repair = Repair { looking: Some(Stranger::None), ..Repair::default() };
        let own = Addr::new([127, 1, 0, 1].into(), 3000);
        for ip in 1..=200 {
            let list: Vec<Addr> = (1..=1_000).map(|port| Addr::new([127, 0, 0, ip].into(), port)).collect();
            repair.on_list(&list, own, Stranger::Named);
        }
        assert_eq!(repair.lower_now.len(), CANDIDATES_MAX);
    }

    #[test]
    fn of_lists_that_come_outside_of_a_look_nothing_is_remembered() {
        let (low, own) = (Addr::loopback(1), Addr::loopback(2));
        let mut repair = Repair::default();
        repair.on_list(&[low], own, Stranger::Named);
        assert!(repair.lower_now.is_empty(), "before the first look");
        repair.looking = Some(Stranger::None);
        repair.on_list(&[low, own, Addr::loopback(3)], own, Stranger::Named);
        assert_eq!(repair.lower_now, BTreeSet::from([low]), "only who is lower is of interest");
        repair.take_lower();
        repair.on_list(&[low], own, Stranger::Named);
        assert!(repair.lower_now.is_empty(), "too late");
    }

    #[test]
    fn a_root_of_which_nothing_new_is_heard_is_gone_and_only_fresher_news_brings_it_back() {
        let (low, own) = (Addr::loopback(1), Addr::loopback(2));
        let config = PeerConfig::new(own, Vec::new());
        let at = |beats: u32| Time::from_micros(1_000_000) + config.liveness_interval * beats;
        let mut random = Random::new(1);
        let news = |fresh| RootBeacon { root: low, fresh };
        let mut repair = Repair::default();
        repair.start(at(0));
        repair.on_beacon(at(0), news(at(0)), own);
        repair.on_beat(at(ROOT_STALE_BEATS), &config, &mut random);
        assert_eq!(repair.beacon(own).root, low, "patience");
        repair.on_beat(at(ROOT_STALE_BEATS + 1), &config, &mut random);
        assert_eq!(repair.beacon(own).root, own, "gone");
        repair.on_beacon(at(ROOT_STALE_BEATS + 1), news(at(0)), own);
        assert_eq!(repair.beacon(own).root, own, "old news");
        repair.on_beacon(at(ROOT_STALE_BEATS + 1), news(at(1)), own);
        assert_eq!(repair.beacon(own).root, low, "a sign of life");
    }

    #[test]
    fn only_who_was_listed_at_two_looks_in_a_row_is_another_part() {
        let (newcomer, other, own) = (Addr::loopback(1), Addr::loopback(2), Addr::loopback(9));
        let mut repair = Repair::default();
        let mut look = |list: &[Addr]| {
            repair.looking = Some(Stranger::None);
            repair.on_list(list, own, Stranger::Named);
            repair.take_lower()
        };
        assert_eq!(look(&[other]), []);
        assert_eq!(look(&[newcomer, other]), [other]);
        assert_eq!(look(&[newcomer]), [newcomer]);
        assert_eq!(look(&[other]), [], "it was gone in between");
    }
}
