//! Why one node took another for dead.

use std::time::Duration;

use super::block::{Blockage, Supposition, solve};
use super::deeds::{
    CROSSING_MAX, Sureness, cut_of, delay_within, delaying_at, downs_at, faults_at, is_cut, is_old, next_after, turned,
};
use super::reason::{Causes, Deed, Reason};
use crate::event::{LinkEnd, LossReason, NodeState};
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep, Miss};
use crate::model::node::{LifeChange, Lives, NodeRecord};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultKind;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// The other end hears of a close within this time, if nothing delays it.
const CLOSE_SEEN_WITHIN: Duration = Duration::from_millis(500);
/// Deaths that follow from each other.
const DEPTH_MAX: usize = 4;
/// Probes after a death that are supposed, to see what else would have come to it.
const SUPPOSED_MAX: usize = 64;
/// The same after the newest event, in intervals: more than the misses that make a node dead.
const AHEAD_MAX: u32 = 8;

pub(super) fn reason(model: &Model, reporter: Addr, dead: Addr, at: Time) -> Reason {
    reason_within(model, reporter, dead, at, DEPTH_MAX)
}

fn reason_within(model: &Model, reporter: Addr, dead: Addr, at: Time, depth: usize) -> Reason {
    let cases = model.deaths().cases().iter().filter(|(_, case)| case.dead == dead);
    let told = cases.flat_map(|(_, case)| &case.evidence);
    let Some(told) = told.rev().find(|told| told.reporter == reporter && told.declared_at == Some(at)) else {
        return of_misses(model, (reporter, dead), missed_by(model, reporter, dead, at), at);
    };
    match told.cause {
        Some(DeathCause::Misses { .. }) => of_misses(model, (reporter, dead), told.missed(), at),
        Some(DeathCause::Closed | DeathCause::LinkError) => of_close(model, (reporter, dead), at, depth),
        Some(DeathCause::Lie) => lied(model, reporter, dead, at),
        Some(DeathCause::Cut) | None => Reason::NotCertain(Vec::new()),
    }
}

/// It reported the other dead on purpose.
pub(super) fn lied(model: &Model, liar: Addr, about: Addr, at: Time) -> Reason {
    let lie = model.faults().lie_before(liar, about, at);
    let deed = lie.map(|lie| Deed::Lied { liar, about, at: lie.at });
    deed.map_or_else(|| Reason::NotCertain(Vec::new()), |deed| Reason::Deeds(Causes::one(deed)))
}

/// The probes that this node, a seed say, had missed at this time, if it still holds them.
fn missed_by(model: &Model, asker: Addr, target: Addr, at: Time) -> &[Miss] {
    let row = model.links().get(asker, target).map(LinkHistory::missed).unwrap_or_default();
    if row.last().is_some_and(|last| last.missed_at == at) { row } else { &[] }
}

/// Each probe of the row had to fail. What would have failed later ones, too, would have come to the
/// same before anything else was done.
fn of_misses(model: &Model, (reporter, dead): (Addr, Addr), row: &[Miss], at: Time) -> Reason {
    let Some(last) = row.last() else { return Reason::NotCertain(Vec::new()) };
    let limit = last.limit as usize;
    let mut blocks: Vec<Blockage> = row.iter().map(|miss| missed(model, (reporter, dead), miss)).collect();
    let is_doubtful = blocks.iter().any(|block| block.is_doubtful);
    blocks.extend(supposed(model, (reporter, dead), row, at));
    blocks.iter_mut().skip(row.len()).for_each(|block| block.is_doubtful = is_doubtful);
    if limit == 0 || blocks.len() < limit {
        return Reason::NotCertain(Vec::new());
    }
    let reason = solve(&blocks, |supposed: Supposition<'_>| {
        (0..=blocks.len() - limit).any(|first| (first..first + limit).all(|probe| supposed.blocks(probe)))
    });
    match reason {
        Reason::Deeds(causes) if !causes.are_all_needed() && !last_until(model, &causes, (dead, at)) => {
            Reason::NotCertain(causes.deeds())
        }
        reason => reason,
    }
}

/// Each of these kept, or would have kept, both ends silent until this time, so that neither saw a
/// close.
fn last_until(model: &Model, causes: &Causes, (dead, at): (Addr, Time)) -> bool {
    causes.deeds().iter().all(|deed| match deed {
        Deed::Fault(_) => cut_of(model, *deed).is_some_and(|cut| cut.until.is_none_or(|until| until > at)),
        Deed::Turned { at: since, .. } => downs_at(model, dead, at).any(|turn| turn.at == *since),
        Deed::Lied { .. } => false,
    })
}

/// Each probe that was missed in a row had to fail.
pub(super) fn silence(model: &Model, asker: Addr, target: Addr) -> Reason {
    let row = model.links().get(asker, target).map(LinkHistory::missed).unwrap_or_default();
    let blocks: Vec<Blockage> = row.iter().map(|miss| missed(model, (asker, target), miss)).collect();
    solve(&blocks, |supposed| (0..blocks.len()).all(|probe| supposed.blocks(probe)))
}

/// What failed this probe.
fn missed(model: &Model, (asker, target): (Addr, Addr), miss: &Miss) -> Blockage {
    let sent = miss.sent_at.unwrap_or(miss.missed_at);
    let timeout = miss.missed_at.since(sent);
    let lost = model.lost_probe(asker, target, miss.seq, sent).filter(|lost| lost.at <= miss.missed_at);
    let mut block = unanswered(model, (asker, target), (sent, timeout));
    match lost.map(|lost| lost.why) {
        Some(LossReason::Fault(id)) => {
            if let Some(record) = model.faults().numbered(id) {
                block.by_fault(model, record, Sureness::Sure);
            }
        }
        Some(LossReason::Hung) => {
            let hung = lost.into_iter().flat_map(|lost| downs_at(model, target, lost.at));
            block.sure.extend(hung.map(|turn| vec![turned(target, turn)]));
        }
        Some(LossReason::QueueFull | LossReason::LinkEnded) | None => {}
    }
    late(model, (asker, target), (sent, timeout), &mut block);
    // A node elsewhere may have been down, and older recordings do not tell of lost probes.
    let is_told = lost.is_some() || !block.perhaps.is_empty() && is_ours(model, target) && !is_old(model);
    block.is_doubtful = block.sure.is_empty() && !is_told;
    block
}

fn is_ours(model: &Model, node: Addr) -> bool {
    model.nodes().get(node).is_some_and(NodeRecord::is_ours)
}

/// What stops a probe at this time, or its answer. A node that is killed leaves no probe unanswered:
/// its connections close.
///
/// What would have silenced both ends may have made the other one give up first, and then this one
/// would have seen a close: only a cut, which lets no close through, and a hang are sure to have left
/// it at missed probes.
fn unanswered(model: &Model, (asker, target): (Addr, Addr), (sent, timeout): (Time, Duration)) -> Blockage {
    let mut block = Blockage::default();
    for record in faults_at(model, asker, target, sent) {
        if record.fault.what == FaultKind::Cut {
            block.by_fault(model, record, Sureness::Sure);
        } else if record.stops_all() || record.stops_some() {
            block.by_fault(model, record, Sureness::Perhaps);
        }
    }
    let is_over = |turn: &LifeChange| {
        model.nodes().lives(target).and_then(|lives| lives.after(turn.at)).is_some_and(|next| next.at <= sent + timeout)
    };
    let hung = downs_at(model, target, sent).filter(|turn| turn.life == NodeState::Hangs && !is_over(turn));
    block.sure.extend(hung.map(|turn| vec![turned(target, turn)]));
    block
}

/// What delays an answer beyond its time. A late answer is a sign of life as well, so only what delays
/// answers for longer than a death takes is sure to lead to one.
fn late(model: &Model, (asker, target): (Addr, Addr), (sent, timeout): (Time, Duration), block: &mut Blockage) {
    let patience = patience(model, asker, timeout);
    // There and back.
    let most = delay_within(model, asker, target, sent);
    if most.is_some_and(|most| most * 2 + CROSSING_MAX < timeout) {
        return;
    }
    for record in delaying_at(model, asker, target, sent) {
        let is_sure = record.delay_min() * 2 > patience && record.was_at(sent);
        block.by_fault(model, record, if is_sure { Sureness::Sure } else { Sureness::Perhaps });
    }
}

/// The time from the first missed probe to a death.
fn patience(model: &Model, asker: Addr, timeout: Duration) -> Duration {
    let pace = model.nodes().get(asker).and_then(|node| node.pace);
    let waits = |pace: crate::event::Pace| {
        Duration::from_micros(pace.liveness_interval_us) * pace.liveness_misses.saturating_sub(1)
    };
    timeout + pace.map(waits).unwrap_or_default()
}

/// These are cuts and hangs, which leave both ends unaware of what the other does.
fn are_cuts_and_hangs(model: &Model, set: &[Deed]) -> bool {
    set.iter().all(|deed| matches!(deed, Deed::Turned { .. }) || is_cut(model, *deed))
}

/// The time between two probes of this row, and how long an answer may take.
fn rhythm(model: &Model, asker: Addr, row: &[Miss]) -> (Duration, Duration) {
    let timeout = row.last().and_then(|last| Some(last.missed_at.since(last.sent_at?))).unwrap_or_default();
    let pace = || Some(Duration::from_micros(model.nodes().get(asker)?.pace?.liveness_interval_us));
    let between = match row {
        [.., one, other] => Some(other.missed_at.since(one.missed_at)),
        [_] | [] => pace(),
    };
    (between.unwrap_or_default(), timeout)
}

/// The probes that would have followed, had it not been declared dead, until something else was done.
fn supposed(model: &Model, (asker, target): (Addr, Addr), row: &[Miss], at: Time) -> Vec<Blockage> {
    let (interval, timeout) = rhythm(model, asker, row);
    // What is not over yet may still change.
    let end = next_after(model, at).unwrap_or(model.now() + interval * AHEAD_MAX);
    let mut blocks = Vec::new();
    let mut sent = at + interval.saturating_sub(timeout);
    while !interval.is_zero() && sent + timeout <= end && blocks.len() < SUPPOSED_MAX {
        let mut block = unanswered(model, (asker, target), (sent, timeout));
        let passes = unanswered(model, (asker, target), (sent + CROSSING_MAX, timeout));
        // What is over before the answer could come may not have blocked it.
        let (stays, ends): (Vec<_>, Vec<_>) = block.sure.into_iter().partition(|set| passes.sure.contains(set));
        block.sure = stays;
        block
            .perhaps
            .extend(ends.into_iter().chain(passes.sure).flatten().filter(|deed| !block.sure.contains(&vec![*deed])));
        late(model, (asker, target), (sent, timeout), &mut block);
        // Only a cut or a hang is sure to leave it at missed probes: see `unanswered`.
        let is_silent = |set: &Vec<Deed>| are_cuts_and_hangs(model, set);
        let (silent, noticed): (Vec<_>, Vec<_>) = block.sure.into_iter().partition(is_silent);
        block.sure = silent;
        block.perhaps.extend(noticed.into_iter().flatten());
        if sent + timeout > model.now() {
            block.perhaps.extend(block.sure.drain(..).flatten());
        }
        blocks.push(block);
        sent = sent + interval;
    }
    blocks
}

/// Why one end saw the connection close.
pub(super) fn closed(model: &Model, node: Addr, peer: Addr, at: Time) -> Reason {
    of_close(model, (node, peer), at, DEPTH_MAX)
}

/// Why the connection closed is known at the other end.
fn of_close(model: &Model, (node, peer): (Addr, Addr), at: Time, depth: usize) -> Reason {
    // The end of a cut lets through what had closed during it.
    let healed = |record: &&FaultRecord| {
        record.fault.what == FaultKind::Cut
            && record.until.is_some_and(|until| until <= at && at.since(until) <= CROSSING_MAX)
    };
    let withheld = model.faults().ever_between(node, peer).find(healed).map(|record| at.since(record.since));
    let within = CLOSE_SEEN_WITHIN + delays(model, node, peer, at) + withheld.unwrap_or_default();
    let is_near = |then: Time| then <= at && at.since(then) <= within;
    // The first start of a node breaks no connection, and a hung one keeps its connections.
    let turns = model.nodes().lives(peer).map(Lives::turns).unwrap_or_default().iter().enumerate().rev();
    let closes = |(place, turn): &(usize, &LifeChange)| {
        is_near(turn.at) && turn.life != NodeState::Hangs && (*place > 0 || turn.life != NodeState::Runs)
    };
    if let Some((_, turn)) = turns.filter(|(_, turn)| turn.at <= at).take(2).find(closes) {
        let again = model.nodes().lives(peer).and_then(|lives| lives.after(turn.at)).filter(|next| next.at == turn.at);
        return sole(model, (node, peer), Causes::one(turned(peer, again.unwrap_or(*turn))), (turn.at, at));
    }
    let other = model.links().get(peer, node);
    let step = other.and_then(|link| link.steps().rev().find(|step| step.is_loss() && is_near(step.at)));
    match step.and_then(LinkStep::end) {
        Some(LinkEnd::Dead { .. }) if depth > 0 => {
            let given_up_at = step.map_or(at, |step| step.at);
            match reason_within(model, peer, node, given_up_at, depth - 1) {
                // What would have come to the same there need not have come to a close here.
                Reason::Deeds(causes) => sole(model, (node, peer), causes, (given_up_at, at)),
                reason => reason,
            }
        }
        Some(LinkEnd::TooSlow) => Reason::NotCertain(slowing(model, node, at)),
        Some(
            LinkEnd::Dead { .. }
            | LinkEnd::Goodbye { .. }
            | LinkEnd::Violation
            | LinkEnd::Refused { .. }
            | LinkEnd::RegistrationLost
            | LinkEnd::WhileAway,
        )
        | None => Reason::NotCertain(hindering(model, node, peer, at)),
    }
}

/// These made one end close the connection, at the first of these times, and the other one see it, at
/// the second. Certain only if all were needed and no other fault between the two could have made one
/// give up the other, which would have come to the same.
fn sole(model: &Model, (node, peer): (Addr, Addr), causes: Causes, (since, at): (Time, Time)) -> Reason {
    let until = next_after(model, at).unwrap_or(model.now());
    let may = |record: &&FaultRecord| {
        record.since <= until && record.until.is_none_or(|over| over > since) && record.fault.what != FaultKind::Cut
    };
    let hindering = model.faults().ever_between(node, peer).filter(may).filter(|record| record.hinders());
    causes.unless(hindering.map(FaultRecord::deed))
}

/// How long a message between the two may be delayed.
fn delays(model: &Model, one: Addr, other: Addr, at: Time) -> Duration {
    let spans = model.faults().ever_between(one, other).filter(|record| record.since <= at);
    spans.filter_map(FaultRecord::holds_up_for).fold(Duration::ZERO, |sum, span| sum + span)
}

/// What makes this node read slowly, or delays what goes to it.
pub(super) fn slowing(model: &Model, node: Addr, at: Time) -> Vec<Deed> {
    let slow = model.faults().ever_on_node(node).filter(|record| record.was_at(at) && record.delays());
    slow.map(FaultRecord::deed).collect()
}

/// What may have broken the connection between two nodes.
pub(super) fn hindering(model: &Model, one: Addr, other: Addr, at: Time) -> Vec<Deed> {
    faults_at(model, one, other, at).map(FaultRecord::deed).collect()
}
