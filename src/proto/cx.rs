//! What the parts of a node need of the moment.

use std::num::NonZeroU32;
use std::time::Duration;

use super::addr::Addr;
use super::config::PeerConfig;
use super::event::EventKind;
use super::message::{Message, ProbeId, RepairId, ReportId, VerificationId};
use super::random::Choices;
use super::time::{ClockTime, Time};

/// The time, the settings, luck, and where to put what is wanted.
#[derive(Debug)]
pub(super) struct Cx<'a, O, C = PeerConfig> {
    pub(super) now: Time,
    pub(super) config: &'a C,
    pub(super) chance: &'a mut Choices,
    pub(super) numbers: &'a mut NodeNumbers,
    /// How far the node's clock is ahead of `now`, in microseconds.
    pub(super) skew_us: i64,
    pub(super) out: &'a mut O,
}

/// What a node numbers. It counts whether anybody listens or not.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeNumbers {
    probes: u32,
    reports: u32,
    /// Repairs of a peer, verifications of a seed.
    turns: u32,
}

impl NodeNumbers {
    /// The number of the next probe that this node sends.
    pub(super) fn next_probe(&mut self) -> ProbeId {
        self.probes = self.probes.wrapping_add(1);
        ProbeId(self.probes)
    }

    /// The number of the next dead report: at a peer, that it sends; at a seed, that it receives.
    pub(super) fn next_report(&mut self) -> ReportId {
        self.reports = self.reports.wrapping_add(1);
        ReportId(self.reports)
    }

    /// The number of the next repair of a peer.
    pub(super) fn next_repair(&mut self) -> RepairId {
        self.turns = self.turns.wrapping_add(1);
        RepairId(NonZeroU32::new(self.turns).unwrap_or(NonZeroU32::MIN))
    }

    /// The number of the next verification of a seed.
    pub(super) fn next_verification(&mut self) -> VerificationId {
        self.turns = self.turns.wrapping_add(1);
        VerificationId(self.turns)
    }
}

impl<O, C> Cx<'_, O, C> {
    /// The time by the node's own clock, which it writes in messages.
    pub(super) const fn own_time(&self) -> Time {
        self.now.skewed(self.skew_us)
    }
}

impl<O> Cx<'_, O> {
    /// The time of day by the node's own clock.
    pub(super) fn clock(&self) -> ClockTime {
        self.own_time().clock(self.config.utc_offset_s)
    }
}

/// Where a part that knows neighbors, but no links, puts what it wants.
pub(super) trait NeighborOutput {
    /// Send this to that neighbor. If it is none any more, nothing happens.
    fn send(&mut self, peer: Addr, message: &Message);
    /// Something happened. The event is made only if somebody listens.
    fn emit<K: Into<EventKind>>(&mut self, event: impl FnOnce() -> K);
}

/// One interval after the last turn; after a pause (a stopped process) missed turns are not made up
/// for.
pub(super) fn next_turn(last: Time, now: Time, interval: Duration) -> Time {
    (last + interval).max(now + interval / 2)
}
