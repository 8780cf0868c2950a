//! Why one node took another for dead.

use std::time::Duration;

use super::besides::{aftermath, death_takes, is_by_rule, may_part, or_only};
use super::block::{Blockage, Supposition, solve};
use super::deeds::{
    CROSSING_MAX, Sureness, close_seen_within, cut_of, delaying_within, downs_at, faults_at, faults_within, is_cut,
    is_old, next_after, turned, unchanged_until,
};
use super::reason::{Causes, Deed, Reason};
use crate::event::{LinkEnd, LinkEvent, LossReason, NodeState};
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep, Miss};
use crate::model::node::{LifeChange, Lives, NodeRecord};
use crate::proto::addr::Addr;
use crate::proto::fault::{FaultKind, Scope};
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// Deaths that follow from each other.
const DEPTH_MAX: usize = 4;
/// Probes after a death that are supposed, to see what else would have come to it.
const SUPPOSED_MAX: usize = 64;
/// The same after the newest event, in intervals: more than the misses that make a node dead.
const AHEAD_MAX: u32 = 8;

pub(super) fn reason(model: &Model, reporter: Addr, dead: Addr, at: Time) -> Reason {
    or_only(model, (reporter, dead), at, reason_within(model, reporter, dead, at, DEPTH_MAX))
}

fn reason_within(model: &Model, reporter: Addr, dead: Addr, at: Time, depth: usize) -> Reason {
    let cases = model.deaths().cases().iter().filter(|(_, case)| case.dead == dead);
    let told = cases.flat_map(|(_, case)| &case.evidence);
    let Some(told) = told.rev().find(|told| told.reporter == reporter && told.declared_at == Some(at)) else {
        return of_misses(model, (reporter, dead), missed_by(model, reporter, dead, at), at);
    };
    match told.cause {
        Some(DeathCause::Misses { .. }) => of_misses(model, (reporter, dead), told.missed(), at),
        Some(DeathCause::LinkError) => of_reset(model, (reporter, dead), at, depth),
        Some(DeathCause::Closed) => of_close(model, (reporter, dead), at, depth),
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

/// The probes that this node, a seed say, had missed at this time, if they are still held.
fn missed_by(model: &Model, asker: Addr, target: Addr, at: Time) -> &[Miss] {
    let Some(link) = model.links().get(asker, target) else { return &[] };
    let mut rows = std::iter::once(link.missed()).chain(link.steps().rev().map(LinkStep::missed));
    rows.find(|row| row.last().is_some_and(|last| last.missed_at == at)).unwrap_or_default()
}

/// As many probes as make a node dead had to fail: those of the row, or later ones. What would have failed later ones
/// would have come to the same before anything else was done.
fn of_misses(model: &Model, (reporter, dead): (Addr, Addr), row: &[Miss], at: Time) -> Reason {
    let Some(last) = row.last() else { return Reason::NotCertain(Vec::new()) };
    let limit = last.limit as usize;
    let mut probes: Vec<FailedProbe> = row.iter().map(|miss| missed(model, (reporter, dead), miss)).collect();
    let unanswered = |probe: &FailedProbe| probe.unanswered_until(model, (reporter, dead), at);
    let is_doubtful = probes.iter().any(|probe| unanswered(probe).is_doubtful);
    probes.extend(supposed(model, (reporter, dead), row, at));
    probes.iter_mut().skip(row.len()).for_each(|probe| probe.block.is_doubtful = is_doubtful);
    if limit == 0 || probes.len() < limit {
        return Reason::NotCertain(Vec::new());
    }
    // Of each row of probes that makes a node dead, each probe.
    let of_row = |probes: &[FailedProbe]| -> Vec<Blockage> {
        let died_at = probes.last().map_or(at, FailedProbe::missed_at);
        probes.iter().map(|probe| probe.unanswered_until(model, (reporter, dead), died_at)).collect()
    };
    let blocks: Vec<Blockage> = probes.windows(limit).flat_map(of_row).collect();
    let reason = solve(&blocks, |supposed: Supposition<'_>| {
        (0..blocks.len()).step_by(limit).any(|first| (first..first + limit).all(|probe| supposed.blocks(probe)))
    });
    let is_sure = |causes: &Causes| {
        let are_known =
            causes.are_all_needed() || last_until(model, causes, (reporter, dead), at) && isolate(model, causes);
        are_known && nothing_while_down(model, causes, (reporter, dead), at)
    };
    match reason {
        Reason::Deeds(causes) if !is_sure(&causes) => Reason::NotCertain(causes.deeds()),
        reason => reason,
    }
}

/// Since the first of these was done the link had not been down while something else could have come to the same.
fn nothing_while_down(model: &Model, causes: &Causes, (reporter, dead): (Addr, Addr), at: Time) -> bool {
    let named = causes.deeds();
    let first = named.first().map_or(at, Deed::at);
    let steps = || model.links().get(reporter, dead).into_iter().flat_map(LinkHistory::steps);
    let losses = steps().filter(|step| step.is_loss() && (first..at).contains(&step.at));
    let mut downs =
        losses.map(|step| (step.at, steps().find(|up| up.is_up() && up.at > step.at).map_or(at, |up| up.at)));
    downs.all(|down| may_part(model, (reporter, dead), down, &named).is_empty())
}

/// Each of these kept, or would have kept, both ends silent until this time, so that neither saw a
/// close: of the one that the other might have seen stop, say.
fn last_until(model: &Model, causes: &Causes, (reporter, dead): (Addr, Addr), at: Time) -> bool {
    let named = causes.deeds();
    let first = named.first().map_or(at, Deed::at);
    let turns = [reporter, dead].into_iter().filter_map(|node| model.nodes().lives(node)).flat_map(Lives::turns);
    let mut others = turns.filter(|turn| first < turn.at && turn.at <= at && turn.life != NodeState::Hangs);
    others.next().is_none()
        && named.iter().all(|deed| match deed {
            Deed::Fault(_) => cut_of(model, *deed).is_some_and(|cut| cut.until.is_none_or(|until| until > at)),
            Deed::Turned { at: since, .. } => downs_at(model, dead, at).any(|turn| turn.at == *since),
            Deed::Lied { .. } => false,
        })
}

/// No partition among these leaves several nodes together where peers are full: one of them, alone now, may ask either end
/// to make room, and then that drops the link before it is found dead.
fn isolate(model: &Model, causes: &Causes) -> bool {
    let is_of_several = |cut: &FaultRecord| match &cut.fault.on {
        Scope::Border(inside) => inside.len() > 1,
        Scope::All | Scope::Node(_) | Scope::Link(..) => false,
    };
    let is_full =
        |step: &LinkStep| matches!(step.event(), Some(LinkEvent::Refused { .. })) || step.end().is_some_and(is_by_rule);
    let are_full = || model.links().iter().any(|link| link.steps().any(is_full));
    !causes.deeds().into_iter().filter_map(|deed| cut_of(model, deed)).any(is_of_several) || !are_full()
}

/// Each probe that was missed in a row had to fail.
pub(super) fn silence(model: &Model, asker: Addr, target: Addr) -> Reason {
    let row = model.links().get(asker, target).map(LinkHistory::missed).unwrap_or_default();
    let until = row.last().map_or(model.known_until(), |last| last.missed_at);
    let unanswered = |miss| missed(model, (asker, target), miss).unanswered_until(model, (asker, target), until);
    let blocks: Vec<Blockage> = row.iter().map(unanswered).collect();
    solve(&blocks, |supposed| (0..blocks.len()).all(|probe| supposed.blocks(probe)))
}

/// A probe that had no answer in time, or would have had none.
struct FailedProbe {
    sent: Time,
    timeout: Duration,
    /// What swallowed it or its answer, or may have.
    block: Blockage,
    /// That is known by an event.
    is_told: bool,
    /// It was never sent.
    is_supposed: bool,
}

impl FailedProbe {
    fn missed_at(&self) -> Time {
        self.sent + self.timeout
    }

    /// What kept any answer to it away until this time: a late one is a sign of life as well.
    fn unanswered_until(&self, model: &Model, (asker, target): (Addr, Addr), until: Time) -> Blockage {
        let mut block = self.block.clone();
        late(model, (asker, target), self, until, &mut block);
        if self.is_supposed {
            // Only a cut or a hang is sure to leave it at missed probes: see `unanswered`.
            let is_silent = |set: &Vec<Deed>| are_cuts_and_hangs(model, set) && self.missed_at() <= model.known_until();
            let (silent, noticed): (Vec<_>, Vec<_>) = block.sure.into_iter().partition(is_silent);
            block.sure = silent;
            block.perhaps.extend(noticed.into_iter().flatten());
        } else {
            // A node elsewhere may have been down, and older recordings do not tell of lost probes.
            let is_told = self.is_told || !block.perhaps.is_empty() && is_ours(model, target) && !is_old(model);
            block.is_doubtful = block.sure.is_empty() && !is_told;
        }
        block
    }
}

/// This probe, and what swallowed it.
fn missed(model: &Model, (asker, target): (Addr, Addr), miss: &Miss) -> FailedProbe {
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
    FailedProbe { sent, timeout, block, is_told: lost.is_some(), is_supposed: false }
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
    for record in faults_within(model, asker, target, (sent, sent + timeout)) {
        if record.fault.what == FaultKind::Cut && record.was_at(sent) {
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

/// What delays an answer to this probe beyond this time. Delays that are too short for that, even all together, are
/// not why. Only what delays answers for longer than a death takes is sure to lead to one.
fn late(model: &Model, (asker, target): (Addr, Addr), probe: &FailedProbe, until: Time, block: &mut Blockage) {
    let patience = probe.timeout + death_takes(model, asker);
    let mut delaying: Vec<&FaultRecord> = delaying_within(model, asker, target, (probe.sent, until)).collect();
    delaying.sort_by_key(|record| (record.delay_max().is_none(), record.delay_max()));
    // There and back.
    let mut most = CROSSING_MAX;
    let is_short = |record: &&FaultRecord| {
        most = record.delay_max().map_or(Duration::MAX, |delay| most + delay * 2);
        most < until.since(probe.sent)
    };
    for record in delaying.into_iter().skip_while(is_short) {
        let is_sure = record.delay_min() * 2 > patience && record.was_at(probe.sent);
        block.by_fault(model, record, if is_sure { Sureness::Sure } else { Sureness::Perhaps });
    }
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
fn supposed(model: &Model, (asker, target): (Addr, Addr), row: &[Miss], at: Time) -> Vec<FailedProbe> {
    let (interval, timeout) = rhythm(model, asker, row);
    // What is not over yet may still change.
    let end = next_after(model, at).unwrap_or(model.known_until() + interval * AHEAD_MAX);
    let mut probes = Vec::new();
    let mut sent = at + interval.saturating_sub(timeout);
    while !interval.is_zero() && sent + timeout <= end && probes.len() < SUPPOSED_MAX {
        let mut block = unanswered(model, (asker, target), (sent, timeout));
        let passes = unanswered(model, (asker, target), (sent + CROSSING_MAX, timeout));
        // What is over before the answer could come may not have blocked it.
        let (stays, ends): (Vec<_>, Vec<_>) = block.sure.into_iter().partition(|set| passes.sure.contains(set));
        block.sure = stays;
        block
            .perhaps
            .extend(ends.into_iter().chain(passes.sure).flatten().filter(|deed| !block.sure.contains(&vec![*deed])));
        probes.push(FailedProbe { sent, timeout, block, is_told: false, is_supposed: true });
        sent = sent + interval;
    }
    probes
}

/// Why one end saw the connection close.
pub(super) fn closed(model: &Model, node: Addr, peer: Addr, at: Time) -> Reason {
    of_close(model, (node, peer), at, DEPTH_MAX)
}

/// Why one end saw the connection fail: only a node that stops leaves it so.
fn of_reset(model: &Model, (node, peer): (Addr, Addr), at: Time, depth: usize) -> Reason {
    let stop = stop_seen(model, (node, peer), at);
    stop.map_or_else(|| of_close(model, (node, peer), at, depth), |stop| Reason::Deeds(Causes::one(stop)))
}

/// The stop of the peer that closed the connection.
fn stop_seen(model: &Model, (node, peer): (Addr, Addr), at: Time) -> Option<Deed> {
    let within = close_seen_within(model, (node, peer), at);
    let turns = model.nodes().lives(peer).map(Lives::turns).unwrap_or_default();
    // A start breaks no connection unless the node had some, and a hung one keeps its connections.
    let closes = |(place, turn): &(usize, &LifeChange)| match turn.life {
        NodeState::Hangs => false,
        NodeState::Runs => place.checked_sub(1).is_some_and(|before| !is_stop(turns[before].life)),
        NodeState::Killed | NodeState::Left => true,
    };
    let near = turns.iter().enumerate().rev().filter(|(_, turn)| turn.at <= at && at.since(turn.at) <= within);
    let (_, turn) = near.take(2).find(closes)?;
    let again = model.nodes().lives(peer).and_then(|lives| lives.after(turn.at)).filter(|next| next.at == turn.at);
    Some(turned(peer, again.unwrap_or(*turn)))
}

const fn is_stop(life: NodeState) -> bool {
    matches!(life, NodeState::Killed | NodeState::Left)
}

/// Why the connection closed is known at the other end.
fn of_close(model: &Model, (node, peer): (Addr, Addr), at: Time, depth: usize) -> Reason {
    if let Some(stop) = stop_seen(model, (node, peer), at) {
        return sole(model, (node, peer), Causes::one(stop), at);
    }
    let within = close_seen_within(model, (node, peer), at);
    let is_near = |then: Time| then <= at && at.since(then) <= within;
    let other = model.links().get(peer, node);
    let step = other.and_then(|link| link.steps().rev().find(|step| step.is_loss() && is_near(step.at)));
    match step.and_then(LinkStep::end) {
        Some(LinkEnd::Dead { .. }) if depth > 0 => {
            let given_up_at = step.map_or(at, |step| step.at);
            match reason_within(model, peer, node, given_up_at, depth - 1) {
                // What would have come to the same there need not have come to a close here.
                Reason::Deeds(causes) => sole(model, (node, peer), causes, at),
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

/// These made one end close the connection, and the other one see it at this time. Certain only if all were needed and
/// nothing else could have made one give up the other, since the first was done and before anything else was, which
/// would have come to the same.
fn sole(model: &Model, (node, peer): (Addr, Addr), causes: Causes, at: Time) -> Reason {
    let until = unchanged_until(model, at);
    let named = causes.deeds();
    let since = named.first().map_or(at, Deed::at) - aftermath(model, node, peer);
    // A cut lets no close through before it ends, and a node that hangs closes nothing. A restart is one deed, of two
    // turns.
    let lets_through = |cut: &FaultRecord| cut.until.is_some_and(|over| over < until);
    let closes = |deed: &Deed| match *deed {
        Deed::Turned { node: who, at, to } => {
            (who != peer || to != NodeState::Hangs)
                && !named.iter().any(|deed| is_turn_of(*deed, who) && deed.at() == at)
        }
        deed => cut_of(model, deed).is_none_or(lets_through),
    };
    let others = may_part(model, (node, peer), (since, until), &named);
    causes.unless(others.into_iter().filter(closes))
}

fn is_turn_of(deed: Deed, node: Addr) -> bool {
    matches!(deed, Deed::Turned { node: who, .. } if who == node)
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
