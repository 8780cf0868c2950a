//! Which deeds were in force where, and when.

use std::time::Duration;

use super::block::Blockage;
use super::reason::Deed;
use crate::event::NodeState;
use crate::model::Model;
use crate::model::fault::{FaultRecord, FaultRef};
use crate::model::node::{LifeChange, Lives};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultKind;
use crate::proto::time::Time;

/// Faults in a row of which each replaced the one before.
const REPLACED_MAX: usize = 16;
/// The other end hears of a close within this time, if nothing delays it.
const CLOSE_SEEN_WITHIN: Duration = Duration::from_millis(500);
/// A message is everywhere within this time if nothing is in its way.
pub(super) const FLOODED_WITHIN: Duration = Duration::from_secs(1);
/// What lasts so long leads to all that it can lead to.
const LASTS: Duration = Duration::from_secs(60 * 60);
/// The longest that a message takes from node to node if nothing delays it.
pub(super) const CROSSING_MAX: Duration = Duration::from_millis(50);

impl FaultRecord {
    /// That it was set.
    pub fn deed(&self) -> Deed {
        Deed::Fault(FaultRef { id: self.id, at: self.since })
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

/// The faults on traffic between two nodes that were set at some time of this span.
pub(super) fn faults_within(
    model: &Model,
    one: Addr,
    other: Addr,
    (since, until): (Time, Time),
) -> impl Iterator<Item = &FaultRecord> {
    let is_it = move |record: &&FaultRecord| record.since <= until && record.until.is_none_or(|over| since < over);
    model.faults().ever_between(one, other).filter(is_it)
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
    delaying_within(model, one, other, (at, at))
}

/// The same at some time of this span.
pub(super) fn delaying_within(
    model: &Model,
    one: Addr,
    other: Addr,
    (since, until): (Time, Time),
) -> impl Iterator<Item = &FaultRecord> {
    let lingers = |record: &FaultRecord| record.delay_max().unwrap_or_default();
    let is_it = move |record: &&FaultRecord| {
        record.delays() && record.since <= until && record.until.is_none_or(|over| since < over + lingers(record))
    };
    model.faults().ever_between(one, other).filter(is_it)
}

/// What stops everything between these two at this time, and what may stop some of it: faults, and
/// either of the two that is down.
pub(super) fn kept_apart(model: &Model, from: Addr, to: Addr, at: Time) -> Blockage {
    let mut block = Blockage::default();
    for record in faults_at(model, from, to, at) {
        if record.stops_all() {
            block.by_fault(model, record, Sureness::Sure);
        } else if record.stops_some() {
            block.by_fault(model, record, Sureness::Perhaps);
        }
    }
    for node in [from, to] {
        block.sure.extend(downs_at(model, node, at).map(|turn| vec![turned(node, turn)]));
    }
    block
}

/// The most by which a message between these two may be delayed that is sent at this time; `None` if
/// that has no bound.
pub(super) fn delay_within(model: &Model, one: Addr, other: Addr, at: Time) -> Option<Duration> {
    let spans = delaying_at(model, one, other, at).map(FaultRecord::delay_max);
    spans.into_iter().try_fold(Duration::ZERO, |sum, span| Some(sum + span?))
}

/// The deed is that a cut was set.
pub(super) fn is_cut(model: &Model, deed: Deed) -> bool {
    cut_of(model, deed).is_some()
}

/// The cut that was set with this deed.
pub(super) fn cut_of(model: &Model, deed: Deed) -> Option<&FaultRecord> {
    let Deed::Fault(fault) = deed else { return None };
    model.faults().find(fault).filter(|record| record.fault.what == FaultKind::Cut)
}

/// How this node had stopped, if it did not run at this time: a node that hung and was then killed
/// would have been silent by either.
pub(super) fn downs_at(model: &Model, node: Addr, at: Time) -> impl Iterator<Item = LifeChange> {
    let turns = model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
    let before = turns.iter().rev().skip_while(move |turn| turn.at > at);
    before.take_while(|turn| turn.life != NodeState::Runs).copied()
}

/// The first deed after this time; what has not come yet is left out.
pub(super) fn next_after(model: &Model, at: Time) -> Option<Time> {
    let set = model.faults().ever().flat_map(|record| [Some(record.since), record.until]).flatten();
    let turns = model.nodes().iter().flat_map(|node| node.lives.turns()).map(|turn| turn.at);
    let lies = model.faults().lies().map(|lie| lie.at);
    set.chain(turns).chain(lies).filter(|then| *then > at).min()
}

/// Nothing else is done between this time and that one. What is not over by the end of what is known lasts.
pub(super) fn unchanged_until(model: &Model, at: Time) -> Time {
    next_after(model, at).unwrap_or(model.known_until().max(at) + LASTS)
}

/// Faults have no number in the recording: it is from before losses were told.
pub(super) fn is_old(model: &Model) -> bool {
    model.faults().ever().any(|record| record.id.is_none())
}

/// Up to this time a node sees that the other one closed the connection at most so late.
pub(super) fn close_seen_within(model: &Model, (node, peer): (Addr, Addr), at: Time) -> Duration {
    // The end of a cut lets through what had closed during it.
    let healed = |record: &&FaultRecord| {
        record.fault.what == FaultKind::Cut
            && record.until.is_some_and(|until| until <= at && at.since(until) <= CROSSING_MAX)
    };
    let withheld = model.faults().ever_between(node, peer).find(healed).map(|record| at.since(record.since));
    CLOSE_SEEN_WITHIN + delays(model, node, peer, at) + withheld.unwrap_or_default()
}

/// How long a message between the two may be delayed.
fn delays(model: &Model, one: Addr, other: Addr, at: Time) -> Duration {
    let spans = model.faults().ever_between(one, other).filter(|record| record.since <= at);
    spans.filter_map(FaultRecord::holds_up_for).fold(Duration::ZERO, |sum, span| sum + span)
}
