//! Which deeds were in force where, and when.

use std::time::Duration;

use super::block::Blockage;
use super::reason::Deed;
use crate::event::NodeState;
use crate::model::Model;
use crate::model::fault::{FaultRecord, FaultRef};
use crate::model::node::{LifeChange, Lives};
use crate::proto::addr::Addr;
use crate::proto::fault::{FaultClass, FaultKind};
use crate::proto::time::Time;

/// No probe is late because of a delay this short.
const NEGLIGIBLE: Duration = Duration::from_millis(100);
/// Faults in a row of which each replaced the one before.
const REPLACED_MAX: usize = 16;
/// The longest that a message takes from node to node if nothing delays it.
pub(super) const CROSSING_MAX: Duration = Duration::from_millis(50);

impl FaultRecord {
    /// That it was set.
    pub fn deed(&self) -> Deed {
        Deed::Fault(FaultRef { id: self.id, at: self.since })
    }

    /// It stops everything.
    pub(in crate::model) fn stops_all(&self) -> bool {
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
        matches!(self.fault.what.class(), FaultClass::Delay | FaultClass::Reorder | FaultClass::Slow)
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
}

/// The node changed so.
pub(super) fn turned(node: Addr, turn: LifeChange) -> Deed {
    Deed::Turned { node, at: turn.at, to: turn.life }
}

/// The faults on traffic between two nodes at this time.
pub(super) fn faults_at(model: &Model, one: Addr, other: Addr, at: Time) -> impl Iterator<Item = &FaultRecord> {
    model.faults().ever_between(one, other).filter(move |record| record.was_at(at))
}

/// The faults that this one replaced: without it they would have stayed.
pub(super) fn replaced_by<'a>(model: &'a Model, record: &FaultRecord) -> Vec<&'a FaultRecord> {
    let before = |record: &FaultRecord| {
        let (fault, since) = (record.fault.clone(), record.since);
        let is_it = move |other: &&'a FaultRecord| other.until == Some(since) && fault.replaces(&other.fault);
        model.faults().ever().find(is_it)
    };
    std::iter::successors(before(record), |record| before(record)).take(REPLACED_MAX).collect()
}

/// How sure a fault is to block something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sureness {
    /// It does.
    Sure,
    /// It does now and then.
    Perhaps,
}

impl Blockage {
    /// This fault blocks it, and what it replaced would have, or may have.
    pub(super) fn by_fault(&mut self, model: &Model, record: &FaultRecord, sureness: Sureness) {
        match sureness {
            Sureness::Sure => self.by(record.deed()),
            Sureness::Perhaps => self.perhaps.push(record.deed()),
        }
        for earlier in replaced_by(model, record) {
            if sureness == Sureness::Sure && earlier.stops_all() && record.stops_all() {
                self.by(earlier.deed());
            } else {
                self.perhaps.push(earlier.deed());
            }
        }
    }
}

/// What delays messages between two nodes at this time. What was sent while a fault was set stays
/// delayed, and nothing overtakes it.
pub(super) fn delaying_at(model: &Model, one: Addr, other: Addr, at: Time) -> impl Iterator<Item = &FaultRecord> {
    let lingers = |record: &FaultRecord| record.delay_max().unwrap_or_default();
    let is_it = move |record: &&FaultRecord| {
        record.delays() && record.since <= at && record.until.is_none_or(|until| at < until + lingers(record))
    };
    model.faults().ever_between(one, other).filter(is_it)
}

/// The faults that stop everything between these two at this time, and those that may stop some of it.
pub(super) fn barrier(model: &Model, from: Addr, to: Addr, at: Time) -> Blockage {
    let mut block = Blockage::default();
    for record in faults_at(model, from, to, at) {
        if record.stops_all() {
            block.by_fault(model, record, Sureness::Sure);
        } else if record.stops_some() {
            block.by_fault(model, record, Sureness::Perhaps);
        }
    }
    block
}

/// How this node had stopped, if it did not run at this time: a node that hung and was then killed
/// would have been silent by either.
pub(super) fn downs_at(model: &Model, node: Addr, at: Time) -> impl Iterator<Item = LifeChange> {
    let turns = lives(model, node).map(Lives::turns).unwrap_or_default();
    let before = turns.iter().rev().skip_while(move |turn| turn.at > at);
    before.take_while(|turn| turn.life != NodeState::Runs).copied()
}

pub(super) fn lives(model: &Model, node: Addr) -> Option<&Lives> {
    model.nodes().get(node).map(|node| &node.lives)
}

/// The first deed after this time; what has not come yet is left out.
pub(super) fn next_after(model: &Model, at: Time) -> Option<Time> {
    let set = model.faults().ever().flat_map(|record| [Some(record.since), record.until]).flatten();
    let turns = model.nodes().iter().flat_map(|node| node.lives.turns()).map(|turn| turn.at);
    set.chain(turns).filter(|then| *then > at).min()
}

/// Faults have no number in the recording: it is from before losses were told.
pub(super) fn is_old(model: &Model) -> bool {
    model.faults().ever().any(|record| record.id.is_none())
}
