//! Faults: what is broken on purpose now, and what was.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::{LossReason, ProbePart};
use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultClass, FaultId, FaultKind, Hindrance};
use crate::proto::time::Time;

/// Past faults and lies that are kept: more than anybody asks about.
pub const PAST_MAX: usize = 1_000;

/// No probe is late because of a delay this short.
const NEGLIGIBLE: Duration = Duration::from_millis(100);

/// A fault, and when it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRecord {
    /// Its number; unknown in older recordings.
    pub id: Option<FaultId>,
    pub fault: Fault,
    pub since: Time,
    /// `None`: the fault is still set.
    pub until: Option<Time>,
    pub harm: FaultHarm,
}

/// What a fault swallowed, as far as that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultHarm {
    /// Copies of messages.
    pub copies: u64,
    pub probes: u64,
    /// Answers to probes.
    pub answers: u64,
    /// Reports of deaths.
    pub reports: u64,
}

impl FaultHarm {
    fn add(&mut self, what: Swallowed) {
        let count = match what {
            Swallowed::Copy => &mut self.copies,
            Swallowed::Probe => &mut self.probes,
            Swallowed::Answer => &mut self.answers,
            Swallowed::Report => &mut self.reports,
        };
        *count += 1;
    }
}

/// What a fault can swallow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swallowed {
    Copy,
    Probe,
    Answer,
    Report,
}

/// Which fault: one of this number, or in older recordings one that was set or cleared at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultRef {
    pub id: Option<FaultId>,
    pub at: Time,
}

/// A peer that reported a node dead on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lie {
    pub at: Time,
    pub liar: Addr,
    pub about: Addr,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultHistory {
    active: Vec<FaultRecord>,
    past: VecDeque<FaultRecord>,
    lies: VecDeque<Lie>,
}

impl From<ProbePart> for Swallowed {
    fn from(part: ProbePart) -> Self {
        match part {
            ProbePart::Question => Self::Probe,
            ProbePart::Answer => Self::Answer,
        }
    }
}

impl FaultRecord {
    /// The longest delay that it adds to a message, if it delays messages.
    pub fn holds_up_for(&self) -> Option<Duration> {
        // A slow reader has no bound; a neighbor whose queue is full drops the link, which is an
        // event.
        self.delays().then(|| self.fault.what.delay_max())
    }

    /// It stops everything.
    pub(super) fn stops_all(&self) -> bool {
        match self.fault.what {
            FaultKind::Cut => true,
            FaultKind::Loss { percent } => percent.get() == 100,
            FaultKind::Delay { .. }
            | FaultKind::Duplicate { .. }
            | FaultKind::Reorder { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Skew { .. }
            | FaultKind::Junk { .. } => false,
        }
    }

    /// It stops some messages.
    pub(super) fn stops_some(&self) -> bool {
        matches!(self.fault.what, FaultKind::Loss { percent } if (1..100).contains(&percent.get()))
    }

    /// It keeps messages from arriving in time, or may.
    pub(super) fn hinders(&self) -> bool {
        let delays = self.delays() && self.delay_max().is_none_or(|most| most >= NEGLIGIBLE);
        self.stops_all() || self.stops_some() || delays
    }

    /// It delays messages, or may.
    pub(super) fn delays(&self) -> bool {
        self.fault.what.class().row().hindrance == Hindrance::Delays
    }

    /// The most that it adds to a message; `None` if that has no bound.
    pub(super) fn delay_max(&self) -> Option<Duration> {
        (self.fault.what.class() != FaultClass::Slow).then(|| self.fault.what.delay_max())
    }

    /// The least delay that it adds to every message.
    pub(super) fn delay_min(&self) -> Duration {
        match self.fault.what {
            FaultKind::Delay { by_us, .. } => Duration::from_micros(by_us),
            FaultKind::Cut
            | FaultKind::Loss { .. }
            | FaultKind::Duplicate { .. }
            | FaultKind::Reorder { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Skew { .. }
            | FaultKind::Junk { .. } => Duration::ZERO,
        }
    }

    pub fn was_at(&self, at: Time) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

impl FaultHistory {
    pub(super) fn set(&mut self, id: Option<FaultId>, fault: &Fault, since: Time) {
        self.active.push(FaultRecord { id, fault: fault.clone(), since, until: None, harm: FaultHarm::default() });
    }

    pub(super) fn cleared(&mut self, fault: &Fault, at: Time) {
        let Some(place) = self.active.iter().position(|record| record.fault == *fault) else { return };
        let record = self.active.remove(place);
        keep(&mut self.past, FaultRecord { until: Some(at), ..record });
    }

    /// Something was lost: if to a fault, it is counted there.
    pub(super) fn lost(&mut self, why: LossReason, what: Swallowed) {
        let LossReason::Fault(id) = why else { return };
        let record = self.active.iter_mut().chain(&mut self.past).find(|record| record.id == Some(id));
        if let Some(record) = record {
            record.harm.add(what);
        }
    }

    /// The lies that are kept, oldest first.
    pub fn lies(&self) -> impl DoubleEndedIterator<Item = &Lie> {
        self.lies.iter()
    }

    pub(super) fn lied(&mut self, lie: Lie) {
        keep(&mut self.lies, lie);
    }

    /// The faults that are set now, in the order in which they were set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &FaultRecord> {
        self.active.iter()
    }

    pub fn numbered(&self, id: FaultId) -> Option<&FaultRecord> {
        self.ever().find(|record| record.id == Some(id))
    }

    pub fn find(&self, wanted: FaultRef) -> Option<&FaultRecord> {
        let turned = |record: &&FaultRecord| record.since == wanted.at || record.until == Some(wanted.at);
        wanted.id.map_or_else(|| self.ever().find(turned), |id| self.numbered(id))
    }

    /// All faults, past ones first.
    pub fn ever(&self) -> impl Iterator<Item = &FaultRecord> {
        self.past.iter().chain(&self.active)
    }

    /// The faults that are set on traffic between these two nodes.
    pub fn on_link(&self, one: Addr, other: Addr) -> impl Iterator<Item = &FaultRecord> {
        self.iter().filter(move |record| {
            record.fault.what.class().row().meets_messages && record.fault.on.is_between(one, other)
        })
    }

    /// Nothing passes between these two now.
    pub fn is_cut(&self, one: Addr, other: Addr) -> bool {
        self.on_link(one, other).any(|record| record.fault.what == FaultKind::Cut)
    }

    /// All faults that ever affected traffic between these two, a slow reader at either end
    /// included.
    pub fn ever_between(&self, one: Addr, other: Addr) -> impl Iterator<Item = &FaultRecord> {
        let is_slow = move |record: &FaultRecord| {
            record.fault.what.class() == FaultClass::Slow
                && (record.fault.on.is_at(one) || record.fault.on.is_at(other))
        };
        let meets = move |record: &FaultRecord| {
            record.fault.what.class().row().meets_messages && record.fault.on.is_between(one, other)
        };
        self.ever().filter(move |record| meets(record) || is_slow(record))
    }

    /// All faults that this node ever had, past ones first.
    pub fn ever_on_node(&self, node: Addr) -> impl Iterator<Item = &FaultRecord> {
        self.ever().filter(move |record| record.fault.on.names(node) || record.fault.on.is_at(node))
    }

    /// Whether this node's clock was wrong then, so that the times it wrote mean little.
    pub fn was_skewed(&self, node: Addr, at: Time) -> bool {
        let is_skew = |record: &&FaultRecord| record.fault.what.class() == FaultClass::Skew && record.was_at(at);
        self.past.iter().chain(&self.active).filter(is_skew).any(|record| record.fault.on.is_at(node))
    }

    /// The latest lie of this node about the other, up to this time.
    pub fn lie_before(&self, liar: Addr, about: Addr, at: Time) -> Option<Lie> {
        self.lies.iter().rev().find(|lie| (lie.liar, lie.about) == (liar, about) && lie.at <= at).copied()
    }

    /// Whether this lie was told, at this time.
    pub(super) fn is_lie(&self, lie: Lie) -> bool {
        self.lies.iter().rev().take_while(|other| other.at >= lie.at).any(|other| *other == lie)
    }
}

fn keep<T>(kept: &mut VecDeque<T>, new: T) {
    if kept.len() >= PAST_MAX {
        kept.pop_front();
    }
    kept.push_back(new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::fault::Scope;

    const A: Addr = Addr::loopback(3000);
    const B: Addr = Addr::loopback(3001);
    const C: Addr = Addr::loopback(3002);

    fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    #[test]
    fn a_fault_that_is_over_is_still_known_where_it_was() {
        let mut faults = FaultHistory::default();
        let cut = Fault { what: FaultKind::Cut, on: Scope::link(A, B) };
        faults.set(None, &cut, at(10));
        assert!(faults.is_cut(B, A) && !faults.is_cut(A, C));
        assert_eq!(faults.ever_on_node(A).count(), 1);
        faults.cleared(&cut, at(20));
        assert!(faults.iter().len() == 0 && !faults.is_cut(A, B));
        let was: Vec<_> =
            faults.ever_between(A, B).map(|record| [5, 10, 19, 20].map(|ms| record.was_at(at(ms)))).collect();
        assert_eq!(was, [[false, true, true, false]]);
    }

    #[test]
    fn a_wrong_clock_is_wrong_while_it_is_skewed() {
        let mut faults = FaultHistory::default();
        faults.set(None, &Fault { what: FaultKind::Skew { by_us: 1 }, on: Scope::Node(A) }, at(10));
        assert!(faults.was_skewed(A, at(11)) && !faults.was_skewed(A, at(9)) && !faults.was_skewed(B, at(11)));
        assert_eq!(faults.on_link(A, B).count(), 0, "a clock meets no message");
    }
}
