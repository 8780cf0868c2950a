//! In which part of the overlay is this peer? (rule 9)
//!
//! Enough links for each peer do not make one graph: two cliques of five are happy forever. So the
//! network has a root, like the bridges of the spanning tree protocol (Perlman 1985): the peer with
//! the lowest address. Each tick it sends out a beacon, which rides on probes from neighbor to
//! neighbor. A peer that hears none is in another part, and dials as a bridge.
//!
//! *Seeds attest the root.* A seed names the lowest living address on its list, with each sample
//! and on each of its probes, so every peer hears it at least every three intervals. Any two peers
//! share a seed (see [`super::registration`]), so the lowest address that a peer's seeds attest is the same
//! for all. Beacons of others do not count: anybody can send one with an address below all others,
//! and in both parts. A liar can still repeat the beacons of the real root in a part that it is not
//! in; only a signature could prevent that.
//!
//! *Not all at once.* A peer waits for [`PATIENCE_TICKS`] without a beacon, and dials at a random
//! moment of a window that grows with the network. A peer that was the root until the seeds named a
//! lower one dials sooner: there is one such peer in a part. After a dial the peer waits for a
//! beacon, and longer each time that none comes: a malicious root that sends none costs everybody a
//! few links, and then ever fewer.

use std::time::Duration;

use smallvec::SmallVec;

use super::Membership;
use super::policy::{PolicyInUse, policy};
use crate::proto::addr::Addr;
use crate::proto::config::PeerConfig;
use crate::proto::cx::Cx;
use crate::proto::event::{LinkEvent, RepairReason};
use crate::proto::machine::Output;
use crate::proto::message::RootBeacon;
use crate::proto::random::{Random, Topic};
use crate::proto::time::Time;

/// Ticks for which an attestation holds: a seed renews it every three intervals.
const ATTESTED_TICKS: u32 = 4;
/// Ticks for which a beacon is forwarded. It crosses at least one link per tick, and the flow of
/// beacons does not thin out on the way; four ticks allow three to be lost in a row.
const FRESH_TICKS: u32 = 4;
/// Ticks without a beacon after which the overlay may be split. A root that hangs is found within
/// four; three more until all have heard of the next one, and at most eight until its beacon has
/// crossed the eight links of a network of 100,000.
const PATIENCE_TICKS: u32 = 16;
/// The same for a peer that was the root until now: there is one in a part, so it may be wrong.
const LED_PATIENCE_TICKS: u32 = 4;
/// Ticks within which all peers that hear no beacon dial: a few percent of a large network per
/// tick, ..
const WINDOW_TICKS_MAX: u32 = 32;
/// .. and in a small one this many peers per tick, ..
const DIALS_A_TICK: u32 = 4;
/// .. but no sooner than this.
const WINDOW_TICKS_MIN: u32 = 4;
/// Ticks that a new bridge has to bring a beacon before another one is tried, ..
const REST_TICKS: u32 = 8;
/// .. and that a peer that was the root waits before it dials again.
const LED_REST_TICKS: u32 = 3;
/// Doublings of these pauses: a real split has long been mended by then.
const DOUBLINGS_MAX: u32 = 4;
/// One in this many dials goes to the root itself, which is certainly in the right part. Not all of
/// them, or they would overwhelm it.
const ROOT_DIAL_SHARE: usize = 4;
/// The most that the clocks of two machines differ. A liar that names a later moment would be
/// fresher than the root forever.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(24 * 3600);
/// The least step of a clock.
const STEP: Duration = Duration::from_micros(1);

/// What a tick of the node asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proto) enum TickTask {
    Nothing,
    /// Fresh addresses, for a bridge.
    AskSeeds,
    /// They have come: a bridge.
    Bridge,
}

/// Which root one seed names.
#[derive(Debug, Clone, Copy)]
struct Attestation {
    seed: Addr,
    latest: (Addr, Time),
    /// The root that it named before.
    before: Option<(Addr, Time)>,
}

/// Watches for the root: see the module.
#[derive(Debug, Default)]
pub(super) struct RootWatch {
    attested: SmallVec<[Attestation; 2]>,
    /// The freshest beacon of each attested root, and when it was heard.
    heard: SmallVec<[(RootBeacon, Time); 1]>,
    /// The moment in this peer's own beacon.
    own_fresh: Option<Time>,
    /// When this peer was last known to be in the root's part.
    whole_at: Option<Time>,
    /// It was the root, and has heard of no other since.
    has_led: bool,
    ticks: u32,
    bridge_tick: Option<u32>,
    /// Bridges in a row that brought no beacon.
    tries: u32,
    /// Fresh addresses were asked for at the last tick.
    has_asked: bool,
}

impl RootWatch {
    pub(super) fn whole_at(&self) -> Option<Time> {
        self.whole_at
    }

    /// This peer is now known to be in the root's part, or its silence does not suggest otherwise.
    pub(super) fn is_whole(&mut self, now: Time) {
        self.whole_at = Some(now);
        (self.bridge_tick, self.has_asked, self.tries) = (None, false, 0);
    }

    /// A seed names the root.
    pub(super) fn attest(&mut self, now: Time, seed: Addr, root: Addr, config: &PeerConfig) {
        let interval = config.liveness_interval;
        match self.attested.iter_mut().find(|known| known.seed == seed) {
            Some(known) if known.latest.0 == root => known.latest.1 = now,
            Some(known) => {
                known.before = Some(known.latest);
                known.latest = (root, now);
            }
            None => self.attested.push(Attestation { seed, latest: (root, now), before: None }),
        }
        self.has_led |= self.root(now, interval) == Some(config.listen);
    }

    /// The root, as the seeds attest it.
    pub(super) fn root(&self, now: Time, interval: Duration) -> Option<Addr> {
        let latest = self.attested.iter().map(|known| known.latest);
        latest.filter(|(_, at)| is_recent(now, *at, interval * ATTESTED_TICKS)).map(|(root, _)| root).min()
    }

    /// Whether a seed named this root lately.
    fn is_attested(&self, now: Time, root: Addr, interval: Duration) -> bool {
        is_attested_by(&self.attested, now, root, interval)
    }

    /// What this peer forwards: the beacon of the lowest root that it has heard of lately, or is
    /// itself.
    pub(super) fn beacon(&self, now: Time, config: &PeerConfig) -> Option<RootBeacon> {
        let (own, interval) = (config.listen, config.liveness_interval);
        let heard = self.heard.iter().filter(|(_, at)| is_recent(now, *at, interval * FRESH_TICKS));
        let heard = heard.map(|(beacon, _)| *beacon).filter(|beacon| self.is_attested(now, beacon.root, interval));
        let own = self.own_fresh.map(|fresh| RootBeacon { root: own, fresh });
        let own = own.filter(|own| self.is_attested(now, own.root, interval));
        heard.chain(own).min_by_key(|beacon| beacon.root)
    }

    pub(super) fn on_beacon(&mut self, now: Time, beacon: RootBeacon, config: &PeerConfig) {
        let (own, interval) = (config.listen, config.liveness_interval);
        if beacon.fresh > now + CLOCKS_APART_MAX {
            return;
        }
        if beacon.root == own {
            // An earlier life, or a liar: the root's own beacon must be fresher.
            self.own_fresh = self.own_fresh.max(Some(beacon.fresh + STEP));
            return;
        }
        if !self.is_attested(now, beacon.root, interval) {
            return;
        }
        match self.heard.iter_mut().find(|(heard, _)| heard.root == beacon.root) {
            Some((heard, _)) if heard.fresh >= beacon.fresh => return,
            Some(known) => *known = (beacon, now),
            None => {
                // A seed that lies names root after root: no more are kept than seeds can attest.
                let attested = &self.attested;
                self.heard.retain(|(heard, _)| is_attested_by(attested, now, heard.root, interval));
                self.heard.push((beacon, now));
            }
        }
        self.has_led = false;
        self.is_whole(now);
    }

    /// Once per liveness interval. `is_joined`: there is nothing to bridge, because this peer has
    /// no neighbor or is linked to this root. `listed`: how many peers the network has.
    pub(super) fn on_tick(
        &mut self,
        now: Time,
        config: &PeerConfig,
        is_joined: impl Fn(Option<Addr>) -> bool,
        listed: u32,
        random: &mut Random,
    ) -> TickTask {
        let interval = config.liveness_interval;
        self.ticks = self.ticks.wrapping_add(1);
        self.own_fresh = self.own_fresh.map(|fresh| fresh + STEP).max(Some(now));
        self.heard.retain(|(_, at)| is_recent(now, *at, interval * PATIENCE_TICKS));
        let root = self.root(now, interval);
        if !config.dialect.carries_extras() || root == Some(config.listen) || is_joined(root) {
            self.is_whole(now);
            return TickTask::Nothing;
        }
        let patience = interval * if self.has_led { LED_PATIENCE_TICKS } else { PATIENCE_TICKS };
        if is_recent(now, *self.whole_at.get_or_insert(now), patience) {
            return TickTask::Nothing;
        }
        self.bridge_task(listed, random)
    }

    /// The overlay may be split: whether it is time for a bridge.
    fn bridge_task(&mut self, listed: u32, random: &mut Random) -> TickTask {
        if std::mem::take(&mut self.has_asked) {
            return TickTask::Bridge;
        }
        let window = (listed / DIALS_A_TICK).clamp(WINDOW_TICKS_MIN, WINDOW_TICKS_MAX);
        let mut below = |ticks: u32| u32::try_from(random.below(ticks as usize)).unwrap_or(0);
        let first = if self.has_led { 0 } else { below(window) };
        if *self.bridge_tick.get_or_insert(self.ticks.wrapping_add(first)) > self.ticks {
            return TickTask::Nothing;
        }
        let pause = if self.has_led { LED_REST_TICKS << self.tries } else { REST_TICKS + below(window << self.tries) };
        self.bridge_tick = Some(self.ticks.wrapping_add(1 + pause));
        self.tries = (self.tries + 1).min(DOUBLINGS_MAX);
        self.has_asked = true;
        TickTask::AskSeeds
    }
}

fn is_attested_by(attested: &[Attestation], now: Time, root: Addr, interval: Duration) -> bool {
    let is_it = |(named, at)| named == root && is_recent(now, at, interval * ATTESTED_TICKS);
    attested.iter().any(|known| is_it(known.latest) || known.before.is_some_and(is_it))
}

/// Whether that was no longer ago than `span`.
fn is_recent(now: Time, at: Time, span: Duration) -> bool {
    now.since(at) <= span
}

impl Membership {
    /// A seed says what it knows of the root.
    pub(super) fn on_attested<O>(&mut self, cx: &Cx<O>, seed: Addr, root: Option<Addr>) {
        if let Some(root) = root.filter(|_| cx.config.dialect.carries_extras()) {
            self.root.attest(cx.now, seed, root, cx.config);
        }
    }

    /// Once per liveness interval.
    pub(super) fn root_task<O>(&mut self, cx: &mut Cx<O>) -> TickTask {
        let neighbors = &self.neighbors;
        let is_joined = |root: Option<Addr>| neighbors.is_empty() || root.is_none_or(|root| neighbors.has(root));
        let random = &mut cx.chance.next(Topic::Bridge);
        self.root.on_tick(cx.now, cx.config, is_joined, self.registrar.listed(), random)
    }

    /// Dials a node as a bridge to the root's part.
    pub(super) fn build_bridge(&mut self, cx: &mut Cx<impl Output>) {
        let is_possible = self.candidates.bridge.is_none()
            && !self.neighbors.is_empty()
            && policy!(self, it => it.may_take_a_bridge(cx.config, &self.neighbors));
        let root = self.root.root(cx.now, cx.config.liveness_interval);
        let Some(root) = root.filter(|_| is_possible) else { return };
        let is_direct = self.root.has_led || cx.chance.next(Topic::Bridge).below(ROOT_DIAL_SHARE) == 0;
        let direct = Some(root).filter(|root| is_direct && self.may_dial(cx, *root));
        let busy = self.busy();
        let is_free = |addr: Addr| !busy.contains(&addr) && !self.unheard.has(addr);
        let Some(other) = direct.or_else(|| self.candidates.choose(cx.now, is_free, &mut cx.chance.next(Topic::Dial)))
        else {
            return;
        };
        let repair = Some(cx.numbers.next_repair());
        cx.out.emit(|| LinkEvent::Repairing { repair, reason: RepairReason::SplitOverlay { root, other } });
        self.candidates.bridge = Some(other);
        self.candidates.dial(cx, other, repair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u16; 2] = [5001, 5002];

    /// A peer at 3009 that has neighbors, none of which is the root.
    struct Watch {
        config: PeerConfig,
        root: RootWatch,
        random: Random,
        now: Time,
    }

    fn watch(rng_seed: u64) -> Watch {
        let config = PeerConfig::new(Addr::loopback(3009), SEEDS.map(Addr::loopback).to_vec());
        let mut root = RootWatch::default();
        let now = Time::from_micros(1_000_000_000);
        root.is_whole(now);
        Watch { config, root, random: Random::new(rng_seed), now }
    }

    impl Watch {
        fn attest(&mut self, seed: u16, root: u16) {
            self.root.attest(self.now, Addr::loopback(seed), Addr::loopback(root), &self.config);
        }

        fn hear(&mut self, root: u16, fresh: Time) {
            self.root.on_beacon(self.now, RootBeacon { root: Addr::loopback(root), fresh }, &self.config);
        }

        fn tick(&mut self, listed: u32) -> TickTask {
            self.now = self.now + self.config.liveness_interval;
            self.root.on_tick(self.now, &self.config, |root| root.is_none(), listed, &mut self.random)
        }

        /// The root that is forwarded.
        fn said(&self) -> Option<u16> {
            self.root.beacon(self.now, &self.config).map(|beacon| beacon.root.port())
        }

        /// Ticks up to the first bridge, while both seeds attest this root.
        fn ticks_to_bridge(&mut self, root: u16, listed: u32) -> Option<u32> {
            (1..=2_000).find(|_| {
                for seed in SEEDS {
                    self.attest(seed, root);
                }
                self.tick(listed) == TickTask::Bridge
            })
        }
    }

    #[test]
    fn a_beacon_counts_while_a_seed_attests_its_root() {
        let mut watch = watch(1);
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), None, "nobody attests it");
        watch.attest(5001, 3001);
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), Some(3001));
        watch.attest(5001, 3002);
        (0..ATTESTED_TICKS).for_each(|_| assert_eq!(watch.tick(9), TickTask::Nothing));
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), Some(3001), "it was attested four intervals ago");
        watch.tick(9);
        watch.attest(5001, 3002);
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), None, "no longer");
    }

    #[test]
    fn a_root_that_a_seed_no_longer_names_is_forgotten() {
        let mut watch = watch(1);
        watch.attest(5001, 3001);
        for _ in 0..=ATTESTED_TICKS {
            watch.attest(5001, 3002);
            watch.tick(9);
        }
        watch.attest(5001, 3002);
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), None, "the seed has named another for five intervals");
        for _ in 0..=ATTESTED_TICKS {
            watch.tick(9);
        }
        assert_eq!(watch.root.root(watch.now, watch.config.liveness_interval), None, "and then none at all");
    }

    #[test]
    fn a_seed_that_names_root_after_root_fills_nothing() {
        let mut watch = watch(1);
        for root in 2_000..3_000 {
            watch.attest(5001, root);
            watch.hear(root, watch.now);
            assert_eq!(watch.said(), Some(root.max(2_001) - 1), "it and the one before are attested");
        }
        assert!(watch.root.heard.len() <= 3, "{:?}", watch.root.heard);
    }

    #[test]
    fn a_root_whose_clock_was_set_back_counts_again_after_a_while() {
        let mut watch = watch(1);
        watch.attest(5001, 3001);
        watch.hear(3001, watch.now + Duration::from_secs(3600));
        for _ in 0..PATIENCE_TICKS {
            watch.tick(9);
            watch.attest(5001, 3001);
            watch.hear(3001, watch.now);
        }
        assert_eq!(watch.said(), None, "it may be old news");
        watch.tick(9);
        watch.attest(5001, 3001);
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), Some(3001));
    }

    #[test]
    fn a_former_root_that_hears_another_is_as_patient_as_anybody() {
        let mut watch = watch(1);
        watch.attest(5001, 3009);
        watch.tick(9);
        watch.attest(5001, 3001);
        watch.attest(5002, 3001);
        watch.hear(3001, watch.now);
        assert!(watch.ticks_to_bridge(3001, 9).unwrap() > PATIENCE_TICKS);
    }

    #[test]
    fn whoever_is_linked_to_the_root_or_to_nobody_dials_no_bridge() {
        let mut watch = watch(1);
        for _ in 0..PATIENCE_TICKS * 4 {
            watch.attest(5001, 3001);
            watch.now = watch.now + watch.config.liveness_interval;
            let task = watch.root.on_tick(watch.now, &watch.config, |root| root.is_some(), 9, &mut watch.random);
            assert_eq!(task, TickTask::Nothing);
        }
    }

    #[test]
    fn of_two_roots_the_lower_is_passed_on_and_old_news_is_not() {
        let mut watch = watch(1);
        watch.attest(5001, 3002);
        watch.attest(5002, 3001);
        let before = watch.now;
        watch.hear(3002, before);
        assert_eq!(watch.said(), Some(3002));
        watch.hear(3001, before);
        assert_eq!(watch.said(), Some(3001));
        for _ in 0..=FRESH_TICKS {
            watch.tick(9);
            watch.attest(5001, 3001);
            watch.attest(5002, 3001);
            watch.hear(3001, before);
        }
        assert_eq!(watch.said(), None, "the same news again and again is none");
        watch.hear(3001, watch.now);
        assert_eq!(watch.said(), Some(3001));
    }

    #[test]
    fn a_root_is_fresher_than_whoever_speaks_in_its_name() {
        let mut watch = watch(1);
        watch.attest(5001, 3009);
        watch.tick(9);
        assert_eq!(watch.said(), Some(3009), "it is the root itself");
        let forged = watch.now + Duration::from_secs(3600);
        watch.hear(3009, forged);
        assert!(watch.root.beacon(watch.now, &watch.config).unwrap().fresh > forged);
        watch.hear(3009, watch.now + CLOCKS_APART_MAX * 2);
        assert!(watch.root.beacon(watch.now, &watch.config).unwrap().fresh < watch.now + CLOCKS_APART_MAX);
    }

    #[test]
    fn whoever_hears_no_beacon_dials_within_a_window() {
        for (listed, last) in [(9, 16 + 4 + 2), (100_000, 16 + 32 + 2)] {
            for rng_seed in 0..100 {
                let taken = watch(rng_seed).ticks_to_bridge(3001, listed).unwrap();
                assert!((18..=last).contains(&taken), "{taken} ticks of {listed}");
            }
        }
    }

    #[test]
    fn who_was_the_root_dials_the_next_one_sooner() {
        let mut watch = watch(1);
        watch.attest(5001, 3009);
        watch.tick(9);
        assert!(watch.ticks_to_bridge(3001, 9).unwrap() <= LED_PATIENCE_TICKS + 2);
    }

    #[test]
    fn a_root_that_sends_no_beacon_is_dialed_ever_less() {
        let mut watch = watch(1);
        let pauses: Vec<u32> = (0..7).filter_map(|_| watch.ticks_to_bridge(3001, 100_000)).collect();
        assert_eq!(pauses.len(), 7);
        let [early, late]: [u32; 2] = [pauses[1..3].iter().sum(), pauses[5..7].iter().sum()];
        assert!(late > early * 2, "{pauses:?}");
    }

    #[test]
    fn many_that_hear_no_beacon_do_not_dial_at_once() {
        let mut at = [0; 64];
        for rng_seed in 0..3_200 {
            let taken = watch(rng_seed).ticks_to_bridge(3001, 100_000).unwrap();
            at[taken as usize] += 1;
        }
        assert!(at.iter().all(|dials| *dials < 3_200 / 20), "under 5 percent a tick: {at:?}");
    }
}
