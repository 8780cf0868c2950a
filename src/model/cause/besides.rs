//! What else it may have been: by elimination, few deeds are left.
//!
//! Nothing parts nodes that run but a fault on the traffic between them, junk, or a lie. If all that may have done so is
//! over before a deed is done, or is too little for it, what follows would not have been so without that deed.

use std::time::Duration;

use super::block::DEEDS_MAX;
use super::deeds::{CROSSING_MAX, close_seen_within, is_old, turned, unchanged_until};
use super::reason::{Causes, Deed, Reason};
use crate::event::{LinkEnd, NodeState, Pace};
use crate::model::Model;
use crate::model::fault::{FaultRecord, Lie};
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::node::{Lives, NodeRecord};
use crate::proto::addr::Addr;
use crate::proto::config::{CHECK_PROBES, Overlay};
use crate::proto::dialect::Dialect;
use crate::proto::fault::FaultClass;
use crate::proto::message::{GoodbyeReason, Role};
use crate::proto::seed::check_pause;
use crate::proto::time::Time;

/// What one node has noticed of the other within this time, besides the time that a death takes.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What may go wrong between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// One of them gives up the other, or closes the link to it.
    Parting,
    /// A message does not cross the link at once.
    Loss,
}

/// A new link is given up if the other end has not named itself within this time.
const GREETING_TAKES: Duration = Duration::from_secs(5);

/// A deed that may part nodes, and how long it may.
#[derive(Debug, Clone, Copy)]
struct Trouble<'a> {
    deed: Deed,
    /// If it is a fault on the traffic.
    hinders: Option<&'a FaultRecord>,
    since: Time,
    /// `None`: it is not over.
    over: Option<Time>,
}

impl Trouble<'_> {
    fn is_within(&self, (since, until): (Time, Time)) -> bool {
        self.since < until && self.over.is_none_or(|over| over > since || self.since >= since)
    }

    fn stops(&self) -> bool {
        self.hinders.is_some_and(|record| record.stops_all() || record.stops_some())
    }
}

/// The deeds without which the two would not have been parted at this time, or else the reason as it is.
pub(super) fn or_only(model: &Model, (one, other): (Addr, Addr), at: Time, reason: Reason) -> Reason {
    let are_ours = [one, other].into_iter().all(|node| model.nodes().get(node).is_some_and(NodeRecord::is_ours));
    if !matches!(reason, Reason::NotCertain(_)) || is_old(model) || !are_ours || was_let_go(model, (one, other), at) {
        return reason;
    }
    // What is not there yet at that time may still come, until something else is done.
    let until = unchanged_until(model, at);
    let aftermath = aftermath(model, one, other);
    let up_at = model.links().both_ends(one, other).filter_map(|link| link.came_up_before(at)).max();
    // A stop or a lie before the link came up again has done what it could.
    let is_past = |deed: &Deed| {
        let is_over = |over: Time| up_at.is_some_and(|up_at| over < up_at);
        let found = troubles(model, one, other).into_iter().find(|trouble| trouble.deed == *deed);
        found.is_some_and(|trouble| trouble.hinders.is_none() && trouble.over.is_some_and(is_over))
    };
    let is_needed = |deed: &Deed| {
        let others = may_part(model, (one, other), (deed.at() - aftermath, until), &[*deed]);
        !is_past(deed) && others.iter().all(is_past)
    };
    // What was over long before is not why, whatever else there is.
    let recent = (at - aftermath, at + Duration::from_micros(1));
    let done = troubles(model, one, other).into_iter().filter(|trouble| trouble.is_within(recent));
    let done = done.map(|trouble| trouble.deed);
    needed(done.filter(is_needed)).map_or(reason, Reason::Deeds)
}

/// The other end had ended the link by a rule, of which the goodbye may not have come.
fn was_let_go(model: &Model, (one, other): (Addr, Addr), at: Time) -> bool {
    let since = at - close_seen_within(model, (one, other), at);
    let steps = model.links().get(other, one).into_iter().flat_map(LinkHistory::steps);
    let mut ends = steps.filter(|step| (since..=at).contains(&step.at)).filter_map(LinkStep::end);
    ends.any(is_by_rule)
}

/// A peer lets go of a neighbor for another one.
pub(super) const fn is_by_rule(end: LinkEnd) -> bool {
    matches!(end, LinkEnd::Goodbye { reason: GoodbyeReason::MadeRoom, .. } | LinkEnd::Refused { .. })
}

/// When nodes started after the session began, for the first time or again.
pub(super) fn late_starts(model: &Model) -> Vec<Time> {
    let turns = model.nodes().iter().flat_map(|node| node.lives.turns());
    let starts = turns.filter(|turn| turn.life == NodeState::Runs && Some(turn.at) > model.started());
    starts.map(|turn| turn.at).collect()
}

/// When one of the two may last have let go of the other, up to this time: for a node without neighbors, one that had
/// just started. `starts`: [`late_starts`].
pub(super) fn let_go_by(model: &Model, (one, other): (Addr, Addr), starts: &[Time], until: Time) -> Option<Time> {
    let makes_room = |node: &NodeRecord| {
        let Overlay::Assignment { make_room } = node.methods.overlay;
        make_room && node.dialect.is_some_and(Dialect::may_close)
    };
    let last = starts.iter().copied().filter(|at| *at <= until).max()?;
    let mut ends = [one, other].into_iter().filter_map(|node| model.nodes().get(node));
    ends.any(makes_room).then_some(last)
}

/// All of these, if there are any.
pub(super) fn needed(deeds: impl Iterator<Item = Deed>) -> Option<Causes> {
    let mut deeds: Vec<Deed> = deeds.collect();
    deeds.sort_unstable_by_key(|deed| (deed.at(), *deed));
    deeds.dedup();
    (!deeds.is_empty()).then(|| Causes::all(deeds))
}

/// Everything that was done to the network up to this time that may part nodes, whichever.
pub(super) fn done_by(model: &Model, at: Time) -> impl Iterator<Item = Deed> {
    let faults = model.faults().ever().filter(|record| is_trouble(record)).map(FaultRecord::deed);
    let lies = model.faults().lies().map(|lie| of_lie(lie).deed);
    let turns = model.nodes().iter().flat_map(|node| turns(&node.lives, node.addr)).map(|trouble| trouble.deed);
    faults.chain(lies).chain(turns).filter(move |deed| deed.at() <= at)
}

/// These deeds if they can be weighed: none in an older recording, and none if there are more than [`DEEDS_MAX`].
pub(super) fn weighable(model: &Model, deeds: impl Iterator<Item = Deed>) -> Vec<Deed> {
    let deeds: Vec<Deed> = deeds.take(DEEDS_MAX + 1).collect();
    if is_old(model) || deeds.len() > DEEDS_MAX { Vec::new() } else { deeds }
}

/// How long one of two nodes may take to notice what became of the other.
pub(super) fn aftermath(model: &Model, one: Addr, other: Addr) -> Duration {
    death_takes(model, one).max(death_takes(model, other)) + AFTERMATH
}

/// What may part the two in this span, its end not included, if the deeds of `without` are not done: see
/// [`may_go_wrong`].
pub(super) fn may_part(model: &Model, ends: (Addr, Addr), span: (Time, Time), without: &[Deed]) -> Vec<Deed> {
    may_go_wrong(model, ends, Mishap::Parting, span, without)
}

/// What may lead to the mishap in this span, its end not included, if the deeds of `without` are not done. To a parting:
/// faults that stop probes for as long as a death takes, delays if all of them together are as long, and what happens
/// at once.
pub(super) fn may_go_wrong(
    model: &Model,
    (one, other): (Addr, Addr),
    mishap: Mishap,
    span: (Time, Time),
    without: &[Deed],
) -> Vec<Deed> {
    let mut found = troubles(model, one, other);
    found.retain(|trouble| !without.contains(&trouble.deed) && trouble.is_within(span));
    let takes = match mishap {
        Mishap::Parting => death_takes(model, one).min(death_takes(model, other)).min(GREETING_TAKES),
        Mishap::Loss => Duration::ZERO,
    };
    let faults = || found.iter().filter(|trouble| trouble.hinders.is_some());
    let first = faults().map(|trouble| trouble.since).min();
    let last = faults().map(|trouble| trouble.over.unwrap_or(span.1).min(span.1)).max();
    let is_brief = first.zip(last).is_none_or(|(first, last)| last.since(first) < takes);
    // There and back.
    let mut delays = faults().filter(|trouble| !trouble.stops()).filter_map(|trouble| trouble.hinders);
    let most = delays.try_fold(CROSSING_MAX, |sum, record| Some(sum + record.delay_max()? * 2));
    let are_short = most.is_some_and(|most| most < takes) && !faults().any(Trouble::stops);
    found.retain(|trouble| trouble.hinders.is_none() || !is_brief && !are_short);
    found.into_iter().map(|trouble| trouble.deed).collect()
}

/// The time from a node's first missed probe of another to the last one that makes it dead, without the patience for
/// that.
pub(super) fn death_takes(model: &Model, asker: Addr) -> Duration {
    let Some(node) = model.nodes().get(asker) else { return Duration::ZERO };
    let takes = |pace: Pace| {
        let interval = Duration::from_micros(pace.liveness_interval_us);
        match node.role {
            // A seed probes a node that was reported dead.
            Some(Role::Seed) => check_pause(interval) * CHECK_PROBES.saturating_sub(1),
            Some(Role::Peer) | None => interval * pace.liveness_misses.saturating_sub(1),
        }
    };
    node.pace.map(takes).unwrap_or_default()
}

fn is_trouble(record: &FaultRecord) -> bool {
    record.hinders() || record.fault.what.class() == FaultClass::Junk
}

/// Everything that may part these two, ever.
fn troubles(model: &Model, one: Addr, other: Addr) -> Vec<Trouble<'_>> {
    let is_at = |record: &&FaultRecord| record.fault.on.is_at(one) || record.fault.on.is_at(other);
    let junk = model.faults().ever().filter(|record| record.fault.what.class() == FaultClass::Junk).filter(is_at);
    let faults = model.faults().ever_between(one, other).filter(|record| is_trouble(record)).chain(junk);
    let lies = model.faults().lies().filter(|lie| lie.about == one || lie.about == other);
    let nodes = [one, other].into_iter().filter_map(|node| Some((node, model.nodes().lives(node)?)));
    let turns = nodes.flat_map(|(node, lives)| turns(lives, node));
    faults.map(|record| of_fault(model, record)).chain(lies.map(of_lie)).chain(turns).collect()
}

fn of_fault<'a>(model: &Model, record: &'a FaultRecord) -> Trouble<'a> {
    // Without what replaced it, it would have stayed.
    let is_replaced =
        |over: Time| model.faults().ever().any(|other| other.since == over && other.fault.replaces(&record.fault));
    let lingers = record.delay_max().unwrap_or_default();
    let over = record.until.filter(|over| !is_replaced(*over)).map(|over| over + lingers);
    Trouble { deed: record.deed(), hinders: Some(record).filter(|record| record.hinders()), since: record.since, over }
}

fn of_lie<'a>(lie: &Lie) -> Trouble<'a> {
    let deed = Deed::Lied { liar: lie.liar, about: lie.about, at: lie.at };
    Trouble { deed, hinders: None, since: lie.at, over: Some(lie.at) }
}

/// The first start of a node parts nobody.
fn turns(lives: &Lives, node: Addr) -> impl Iterator<Item = Trouble<'_>> {
    let turns = lives.turns().iter().enumerate();
    turns.filter(|(place, turn)| *place > 0 || turn.life != NodeState::Runs).map(move |(_, turn)| {
        let next = lives.after(turn.at).map(|next| next.at);
        let over = if turn.life == NodeState::Runs { Some(turn.at) } else { next };
        Trouble { deed: turned(node, *turn), hinders: None, since: turn.at, over }
    })
}
