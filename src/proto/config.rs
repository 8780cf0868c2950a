//! The figures of the protocol: the settings of a node, and the limits that are not settings.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::message::Dialect;
use super::reach::Reach;
use super::time::micros;

/// The longest body of a gossip message in bytes; a framed message with it fits a frame.
pub const BODY_LEN_MAX: usize = 60 * 1024;
/// Addresses of a seed's sample, and the most that any list may hold: enough for a newcomer to find
/// its links among them when most are full, and few enough for a seed to send one to each of a
/// million.
pub const LIST_LEN_MAX: usize = 64;
/// Addresses that a refusal or goodbye names: enough that one of them is alive and has room.
pub const REFERRAL_LEN: usize = 6;
/// Addresses that a peer remembers to dial: the passive view of HyParView (Leitão, Pereira,
/// Rodrigues 2007, section 5.1), which holds 30 where the active one holds 5.
pub const RESERVE_MAX: usize = 30;
/// Peers on one seed's list, by default and at most. Each takes some 400 bytes of the seed's
/// memory, its link included: 400 MiB in all.
pub const REGISTRATIONS_MAX: usize = 1_048_576;
/// Links of one peer, bridges and classic links included. A guess: eight times what it takes.
pub const LINKS_MAX: usize = 64;
/// Links that may wait for a hello at one time: when a large lab starts, all of its peers register
/// at the same moment. Each takes a few KiB, and no longer than the handshake's timeout.
pub const HALF_OPEN_MAX: usize = 512;
/// How long a dial may take: on any network that people run this on, an answer comes sooner.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// Of these, links from one machine other than this one: a single stranger must not keep everybody
/// else out. A machine that starts a lab of its own opens at once only a few links from each node.
pub const HALF_OPEN_PER_HOST_MAX: usize = 64;
/// Probes of a seed to a peer that may be dead: a lost one, and one that came at a bad moment, do
/// not make a death.
pub const CHECK_PROBES: u32 = 3;
/// Addresses that a classic seed sends: about 60 fill the 1,024 bytes that Python readers take.
pub const CLASSIC_LIST_LEN: usize = 40;

/// Settings of a peer. Copies share what they have in common, until one of them is changed: a hundred thousand peers
/// of a lab differ only in where they listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConfig {
    /// Where it listens, which is its id.
    pub listen: Addr,
    common: Arc<PeerSettings>,
}

impl Deref for PeerConfig {
    type Target = PeerSettings;

    fn deref(&self) -> &PeerSettings {
        &self.common
    }
}

impl DerefMut for PeerConfig {
    fn deref_mut(&mut self) -> &mut PeerSettings {
        Arc::make_mut(&mut self.common)
    }
}

/// What the peers of a network have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings {
    /// The seeds of the network.
    pub seeds: Vec<Addr>,
    pub dialect: Dialect,
    /// Time between two generated messages.
    pub gossip_interval: Duration,
    /// Messages to generate; `None`: no limit.
    pub messages: Option<u64>,
    /// Time between two probes of a neighbor.
    pub liveness_interval: Duration,
    /// Misses in a row that make a neighbor dead; at least 1.
    pub liveness_misses: u32,
    /// The longest time for the answer to a probe; see [`PeerSettings::answer_patience`].
    pub probe_timeout: Duration,
    /// Links that it aims for and dials.
    pub max_dial: usize,
    /// Links up to which it accepts new ones.
    pub max_neighbors: usize,
    /// How it spreads messages, chooses neighbors and finds dead ones.
    pub methods: Methods,
    /// How long a new connection may take to name its address.
    pub handshake_timeout: Duration,
    /// First wait after a seed could not be reached; doubles, with jitter, up to `backoff_max`.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// Message ids to remember at least.
    pub seen_max: usize,
    /// How long to remember them at least.
    pub seen_age: Duration,
    /// Seconds that the local clock is ahead of UTC.
    pub utc_offset_s: i32,
    /// Who may link, and who is dialed.
    pub reach: Reach,
}

impl PeerConfig {
    /// The figures of the original assignment.
    pub fn new(listen: Addr, seeds: Vec<Addr>) -> Self {
        let common = PeerSettings {
            seeds,
            dialect: Dialect::Framed,
            gossip_interval: Duration::from_secs(10),
            messages: None,
            liveness_interval: Duration::from_secs(13),
            liveness_misses: 3,
            probe_timeout: Duration::from_secs(2),
            max_dial: 4,
            max_neighbors: 8,
            methods: Methods::default(),
            handshake_timeout: Duration::from_secs(5),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            seen_max: 65_536,
            seen_age: Duration::from_secs(300),
            utc_offset_s: 0,
            reach: Reach::default(),
        };
        Self { listen, common: Arc::new(common) }
    }

    /// The same for a peer that listens there.
    #[must_use]
    pub fn at(&self, listen: Addr) -> Self {
        Self { listen, common: Arc::clone(&self.common) }
    }
}

impl PeerSettings {
    /// Seeds that a peer registers with: floor(n/2)+1 of n, none of none.
    pub fn seeds_wanted(&self) -> usize {
        if self.seeds.is_empty() { 0 } else { self.seeds.len() / 2 + 1 }
    }

    /// Whether this is the address of a seed.
    pub fn has_seed(&self, addr: Addr) -> bool {
        self.seeds.contains(&addr)
    }

    /// How long an answer to a probe may take: the setting, but no longer than an interval; a whole
    /// interval in the classic dialect, whose nodes block while they read.
    pub fn answer_patience(&self) -> Duration {
        if self.dialect.blocks_while_reading() {
            return self.liveness_interval;
        }
        self.probe_timeout.min(self.liveness_interval)
    }

    /// The intervals that a reader of its events needs.
    pub fn pace(&self) -> Pace {
        pace(self.gossip_interval, self.liveness_interval, self.liveness_misses)
    }
}

/// How a peer spreads messages, who becomes its neighbor, and how it finds out who is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Methods {
    #[serde(skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    #[serde(skip_serializing_if = "is_default")]
    pub overlay: Overlay,
    #[serde(skip_serializing_if = "is_default")]
    pub detector: Detector,
}

/// Whether a file need not tell it.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How messages spread: see `proto::broadcast`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A node sends a new message to all neighbors but the one that it came from.
    #[default]
    Flood,
}

/// How dead neighbors are found: see `proto::liveness`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// Each neighbor is probed in each interval, and is dead after some misses in a row.
    #[default]
    Ping,
}

/// The overlay policy of a peer: see `proto::membership::policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlay {
    /// The assignment's: links up to a limit, to nodes drawn from the seeds' lists.
    Assignment {
        /// A full peer makes room for a joiner without neighbors, and accepts one that links two
        /// parts of the overlay beyond its limit. Otherwise it refuses both like everybody else, and
        /// dials nobody to link two parts, which is a known fault of the original protocol: with a
        /// limit of 4 the first five peers link to each other, and every later one is cut off. For
        /// demonstration, not for use. The classic dialect, in which nobody is refused, knows no
        /// difference.
        make_room: bool,
    },
}

impl Default for Overlay {
    fn default() -> Self {
        Self::Assignment { make_room: true }
    }
}

/// What a seed does about a dead report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadPolicy {
    /// Probe the node first, if it is registered here. The classic dialect cannot.
    #[default]
    Verify,
    /// Believe every report.
    Trust,
}

/// The intervals of a node that a reader of its events needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Microseconds between two generated messages.
    pub gossip_interval_us: u64,
    /// Microseconds between two probes of a neighbor.
    pub liveness_interval_us: u64,
    /// Misses in a row that make a neighbor dead.
    pub liveness_misses: u32,
}

/// Settings of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedConfig {
    /// Where it listens, which is its id.
    pub listen: Addr,
    pub dialect: Dialect,
    pub dead_policy: DeadPolicy,
    /// How long a peer whose registration closed stays on the list; a third of the silence after
    /// which a registered peer is probed.
    pub liveness_interval: Duration,
    /// Peers on its list; at most [`REGISTRATIONS_MAX`].
    pub list_max: usize,
    /// How long a new connection may take to name its address.
    pub handshake_timeout: Duration,
    /// Seconds that the local clock is ahead of UTC.
    pub utc_offset_s: i32,
    /// Who may link.
    pub reach: Reach,
}

impl SeedConfig {
    /// The figures of the original assignment.
    pub fn new(listen: Addr) -> Self {
        Self {
            listen,
            dialect: Dialect::Framed,
            dead_policy: DeadPolicy::Verify,
            liveness_interval: Duration::from_secs(13),
            list_max: REGISTRATIONS_MAX,
            handshake_timeout: Duration::from_secs(5),
            utc_offset_s: 0,
            reach: Reach::default(),
        }
    }

    /// A seed beside peers like these: the same dialect, intervals, clock and reach.
    pub fn beside(peer: &PeerConfig) -> Self {
        Self {
            dialect: peer.dialect,
            liveness_interval: peer.liveness_interval,
            utc_offset_s: peer.utc_offset_s,
            reach: peer.reach.clone(),
            ..Self::new(peer.listen)
        }
    }

    /// The intervals that a reader of its events needs: a seed generates nothing.
    pub fn pace(&self) -> Pace {
        pace(Duration::ZERO, self.liveness_interval, CHECK_PROBES)
    }
}

fn pace(gossip: Duration, liveness: Duration, misses: u32) -> Pace {
    Pace { gossip_interval_us: micros(gossip), liveness_interval_us: micros(liveness), liveness_misses: misses }
}
