//! Liveness: which neighbors are alive (rule 7), and whether this node itself was there to see it.
//!
//! A failure detector a file; today there is one, [`ping`]. It hears of neighbors, and sends them
//! probes by their addresses. What rides on probes it passes on unread.

mod ping;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::ping::PingDetector;
use super::absence::{Presence, WasAway};
use super::addr::Addr;
use super::config::{Detector, PeerConfig};
use super::cx::{Cx, NeighborOutput, next_turn};
use super::event::{Absence, ProbeEvent};
use super::machine::Touched;
use super::message::{Message, ProbeExtras, ProbeId, ProbeSeq};
use super::random::Topic;
use super::time::{ClockTime, Time};

/// A probe of a neighbor, as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) seq: ProbeSeq,
    pub(super) asker: Addr,
    pub(super) clock: ClockTime,
}

/// A neighbor is dead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dead {
    pub(super) peer: Addr,
    /// Probes that it did not answer, in a row.
    pub(super) misses: u32,
    pub(super) last_heard: Time,
    /// The first and the last of these probes.
    pub(super) missed: [ProbeId; 2],
}

/// The failure detector in use. All have the same methods, as [`Liveness`] tells them.
#[derive(Debug)]
enum DetectorInUse {
    Ping(PingDetector),
}

impl From<Detector> for DetectorInUse {
    fn from(detector: Detector) -> Self {
        match detector {
            Detector::Ping => Self::Ping(PingDetector::default()),
        }
    }
}

/// Calls the detector in use.
macro_rules! detector {
    ($in_use:expr, $detector:ident => $call:expr) => {
        match $in_use {
            DetectorInUse::Ping($detector) => $call,
        }
    };
}

/// The part: see the module.
#[derive(Debug)]
pub(super) struct Liveness {
    presence: Presence,
    /// When the next interval begins.
    next_at: Option<Time>,
    detector: DetectorInUse,
}

impl Liveness {
    pub(super) fn new(config: &PeerConfig) -> Self {
        Self {
            presence: Presence::new(config.liveness_interval),
            next_at: None,
            detector: config.methods.detector.into(),
        }
    }

    pub(super) fn start<O>(&mut self, cx: &mut Cx<O>) {
        // Nodes that start together do not probe together.
        self.next_at = Some(cx.now + cx.chance.next(Topic::FirstProbe).jitter(cx.config.liveness_interval, 50..=100));
    }

    /// See [`Machine::touch`](super::machine::Machine::touch).
    pub(super) fn touch(&self, what: Touched<'_>) -> u64 {
        match what {
            Touched::Itself => self.next_deadline().map_or(0, Time::as_micros),
            Touched::Kept(_) => detector!(&self.detector, it => it.touch_kept()),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        detector!(&self.detector, it => it.next_deadline()).into_iter().chain(self.next_at).min()
    }

    pub(super) fn neighbor_up(&mut self, now: Time, peer: Addr) {
        detector!(&mut self.detector, it => it.up(now, peer));
    }

    pub(super) fn neighbor_down(&mut self, peer: Addr) {
        detector!(&mut self.detector, it => it.down(peer));
    }

    /// Something was heard from this neighbor.
    pub(super) fn heard(&mut self, now: Time, peer: Addr) {
        detector!(&mut self.detector, it => it.heard(now, peer));
    }

    pub(super) fn last_heard(&self, peer: Addr) -> Option<Time> {
        detector!(&self.detector, it => it.last_heard(peer))
    }

    /// Whether an interval is over. If so, [`Self::tick`] is due, and the next one begins.
    pub(super) fn is_due<O>(&mut self, cx: &Cx<O>) -> bool {
        let Some(at) = self.next_at.filter(|at| *at <= cx.now) else { return false };
        self.next_at = Some(next_turn(at, cx.now, cx.config.liveness_interval));
        true
    }

    /// Asks whom it must.
    pub(super) fn tick(&mut self, cx: &mut Cx<impl NeighborOutput>, extras: Option<ProbeExtras>) {
        detector!(&mut self.detector, it => it.tick(cx, extras));
    }

    /// Asks this neighbor now; returns the number of the probe, if it is one. This cannot become a
    /// miss: a stranger that often names a neighbor's address must not hurry its death.
    pub(super) fn probe(
        &mut self,
        cx: &mut Cx<impl NeighborOutput>,
        peer: Addr,
        extras: Option<ProbeExtras>,
    ) -> Option<ProbeSeq> {
        detector!(&mut self.detector, it => it.probe(cx, peer, extras))
    }

    /// Reports what was missed by now, up to the next death.
    pub(super) fn judge(&mut self, cx: &mut Cx<impl NeighborOutput>) -> Option<Dead> {
        detector!(&mut self.detector, it => it.judge(cx))
    }

    pub(super) fn on_reply(&mut self, cx: &mut Cx<impl NeighborOutput>, peer: Addr, seq: ProbeSeq, clock: ClockTime) {
        detector!(&mut self.detector, it => it.on_reply(cx, peer, seq, clock));
    }
}

/// Answers a neighbor's probe.
pub(super) fn answer(cx: &mut Cx<impl NeighborOutput>, peer: Addr, probe: Probe, extras: Option<ProbeExtras>) {
    let Probe { seq, asker, clock } = probe;
    cx.out.send(peer, &Message::ProbeReply { seq, asker, clock, extras });
    cx.out.emit(|| ProbeEvent::Received { peer, seq, clock });
}

/// This node's own health.
impl Liveness {
    /// The node is handed something. `deadline`: when it wanted to be woken at the latest. Returns
    /// until when others are excused, if it was away.
    pub(super) fn runs(&mut self, cx: &mut Cx<impl NeighborOutput>, deadline: Option<Time>) -> Option<Time> {
        let overdue = deadline.filter(|_| self.presence.may_have_been_away(cx.now));
        let was_away = self.presence.runs(cx.now, overdue)?;
        Some(self.on_absence(cx, was_away))
    }

    /// The driver says that the node was away for this long.
    pub(super) fn late(&mut self, cx: &mut Cx<impl NeighborOutput>, by: Duration, why: Absence) -> Option<Time> {
        let was_away = self.presence.late(cx.now, by, why)?;
        Some(self.on_absence(cx, was_away))
    }

    fn on_absence(&mut self, cx: &mut Cx<impl NeighborOutput>, was_away: WasAway) -> Time {
        detector!(&mut self.detector, it => it.excuse_all());
        if let Some(event) = was_away.event() {
            cx.out.emit(|| event);
        }
        cx.now + self.presence.tolerance()
    }
}
