//! Which network it is, and how its nodes are set: as lines of a scenario, and as what they mean.

use std::fmt::Write as _;
use std::time::Duration;

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use super::Sizes;
use crate::engine::Settings;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, Overlay, PeerConfig, SeedConfig};
use crate::proto::fault::span_word;
use crate::proto::message::Dialect;

const SEEDS_MAX: usize = 3;
/// Of ten networks, those in which peers also generate messages.
const GENERATING_OF_TEN: u32 = 2;
const GENERATED_MAX: u64 = 3;
/// The pace of what is generated: that of a lab.
const GOSSIP_INTERVAL: Duration = Duration::from_secs(3);
/// Most deaths are to be found soon; some as late as in a slow network.
const LIVENESS_INTERVALS_S: [u64; 5] = [1, 1, 1, 1, 5];
const LIVENESS_MISSES: [u32; 4] = [3, 3, 3, 2];
/// Links that a peer aims for, and those that it takes; the usual ones more often.
const LINKS: [(usize, usize); 5] = [(4, 8), (4, 8), (3, 5), (2, 3), (4, 4)];
const DIALECTS: [Dialect; 4] = [Dialect::Framed, Dialect::Framed, Dialect::Framed, Dialect::Classic];
const OVERLAYS: [(Overlay, &str); 3] = [
    (Overlay::Assignment { make_room: true }, "make-room"),
    (Overlay::Assignment { make_room: true }, "make-room"),
    (Overlay::Assignment { make_room: false }, "refuse"),
];
const DEAD_POLICIES: [(DeadPolicy, &str); 3] =
    [(DeadPolicy::Verify, "verify"), (DeadPolicy::Verify, "verify"), (DeadPolicy::Trust, "trust")];

/// Short enough to be typed.
const RNG_SEEDS: std::ops::Range<u64> = 0..1_000_000;

/// A network.
#[derive(Debug, Clone)]
pub(super) struct NetworkChoice {
    pub(super) seeds: usize,
    pub(super) peers: usize,
    pub(super) liveness_interval: Duration,
    dialect: Dialect,
    misses: u32,
    links: (usize, usize),
    messages: u64,
    overlay: (Overlay, &'static str),
    dead_policy: (DeadPolicy, &'static str),
    rng_seed: u64,
}

impl NetworkChoice {
    pub(super) fn draw(rng: &mut Pcg64Mcg, sizes: Sizes) -> Self {
        // Small networks more often: more of them are played in the same time.
        let peers_max = rng.random_range(Sizes::PEERS_MIN..=sizes.peers_max);
        let generates = of_ten(rng, GENERATING_OF_TEN);
        Self {
            seeds: rng.random_range(1..=SEEDS_MAX),
            peers: rng.random_range(Sizes::PEERS_MIN..=peers_max),
            liveness_interval: Duration::from_secs(one_of(rng, &LIVENESS_INTERVALS_S)),
            dialect: one_of(rng, &DIALECTS),
            misses: one_of(rng, &LIVENESS_MISSES),
            links: one_of(rng, &LINKS),
            messages: if generates { rng.random_range(1..=GENERATED_MAX) } else { 0 },
            overlay: one_of(rng, &OVERLAYS),
            dead_policy: one_of(rng, &DEAD_POLICIES),
            rng_seed: rng.random_range(RNG_SEEDS),
        }
    }

    /// The lines with which the scenario begins. What a dialect does not have is not set.
    pub(super) fn text(&self) -> String {
        let mut text = format!("lab {} {}\n", self.seeds, self.peers);
        let mut set = |name: &str, value: &str| {
            let _ = writeln!(text, "set {name} {value}");
        };
        set("wire", &self.dialect.to_string());
        set("gossip-interval", &span_word(GOSSIP_INTERVAL));
        set("messages", &self.messages.to_string());
        set("liveness-interval", &span_word(self.liveness_interval));
        set("liveness-misses", &self.misses.to_string());
        set("max-dial", &self.links.0.to_string());
        set("max-neighbors", &self.links.1.to_string());
        if self.dialect.may_close() {
            set("join-policy", self.overlay.1);
        }
        if self.dialect.registrations_answer() {
            set("dead-policy", self.dead_policy.1);
        }
        set("rng-seed", &self.rng_seed.to_string());
        text
    }

    /// What the text means.
    pub(super) fn settings(&self) -> Settings {
        let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        peer.dialect = self.dialect;
        peer.gossip_interval = GOSSIP_INTERVAL;
        peer.messages = Some(self.messages);
        peer.liveness_interval = self.liveness_interval;
        peer.liveness_misses = self.misses;
        (peer.max_dial, peer.max_neighbors) = self.links;
        if self.dialect.may_close() {
            peer.methods.overlay = self.overlay.0;
        }
        let mut seed = SeedConfig::beside(&peer);
        if self.dialect.registrations_answer() {
            seed.dead_policy = self.dead_policy.0;
        }
        Settings { peer, seed, rng_seed: self.rng_seed }
    }
}

pub(super) fn one_of<T: Copy, const N: usize>(rng: &mut Pcg64Mcg, items: &[T; N]) -> T {
    items[rng.random_range(0..N)]
}

/// True so often of ten times.
pub(super) fn of_ten(rng: &mut Pcg64Mcg, count: u32) -> bool {
    rng.random_range(0..10) < count
}
