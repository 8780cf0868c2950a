//! What a seed did about the reports of a death: about one of them, and about all together.

use super::{DeathCase, dispute};
use crate::event::{DeathEvent, DelistReason, Event, EventKind, ProbeEvent, ReportAction, SeedEvent};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// What a seed did about a report in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportOutcome {
    /// It took the node off its list, for this report or for another that came while it asked.
    Removed { at: Time, reason: DelistReason },
    /// The node was off its list already.
    AlreadyGone,
    /// The node was never on its list.
    NotListed,
    /// The node answered its probe.
    Disputed {
        /// Round-trip time in microseconds.
        rtt_us: u64,
    },
    /// The node registered again before it answered.
    CameBack,
    /// It got no answer; what it did then was not seen.
    NoAnswer,
    /// It waits for the answer.
    Asking,
}

impl DeathCase {
    /// What this seed did about this reporter's report; `None`: it has said nothing about it.
    pub fn outcome_of(&self, seed: Addr, reporter: Addr) -> Option<ReportOutcome> {
        let steps = self.steps_of(seed);
        let is_it = |step: &&Event| report(step).is_some_and(|(told, _)| told == reporter);
        outcome_from(&steps, steps.iter().position(is_it)?)
    }

    /// What this seed did in the end; `None`: nothing is known. A removal outweighs what came
    /// before and after it; otherwise the latest report counts.
    pub fn outcome_at(&self, seed: Addr) -> Option<ReportOutcome> {
        let steps = self.steps_of(seed);
        let latest = || outcome_from(&steps, steps.iter().rposition(|step| report(step).is_some())?);
        let unreported = || steps.iter().rev().find_map(|step| without_report(step));
        steps.iter().find_map(|step| removed(step)).or_else(latest).or_else(unreported)
    }

    fn steps_of(&self, seed: Addr) -> Vec<&Event> {
        self.steps.iter().filter(|step| step.node == seed).collect()
    }
}

/// The report that the seed got in this step: whose it was, and what the seed does about it.
const fn report(step: &Event) -> Option<(Addr, ReportAction)> {
    let EventKind::Death(DeathEvent::DeadReportReceived { reporter, action, .. }) = &step.kind else { return None };
    Some((*reporter, *action))
}

/// Why the seed took the node off its list in this step, if it did and said so.
pub(in crate::model) fn delisting(step: &Event) -> Option<DelistReason> {
    let EventKind::Seed(SeedEvent::PeerDelisted { reason, .. }) = &step.kind else { return None };
    Some(*reason)
}

const fn is_relisting(step: &Event) -> bool {
    matches!(step.kind, EventKind::Seed(SeedEvent::PeerListed { .. }))
}

/// The node did not answer the seed's probe.
const fn is_no_answer(step: &Event) -> bool {
    matches!(step.kind, EventKind::Probe(ProbeEvent::Missed { .. }))
}

/// When and why the seed took the node off its list, if it did so in this step.
pub(super) fn removal(step: &Event) -> Option<(Time, DelistReason)> {
    let by_report = |(reporter, action)| {
        (action == ReportAction::Removed).then_some(DelistReason::Reported { report: None, reporter })
    };
    Some((step.at, delisting(step).or_else(|| by_report(report(step)?))?))
}

fn removed(step: &Event) -> Option<ReportOutcome> {
    removal(step).map(|(at, reason)| ReportOutcome::Removed { at, reason })
}

fn disputed(step: &Event) -> Option<ReportOutcome> {
    dispute(step).map(|(_, rtt_us)| ReportOutcome::Disputed { rtt_us })
}

/// What became of the report that the seed got in this step.
fn outcome_from(steps: &[&Event], got: usize) -> Option<ReportOutcome> {
    let (_, action) = report(steps[got])?;
    let (before, since) = steps.split_at(got);
    match action {
        ReportAction::Removed => removed(steps[got]),
        ReportAction::Verifying => since.iter().find_map(|step| settled(step)).or(Some(waiting(since))),
        ReportAction::NotListed if before.iter().any(|step| removal(step).is_some()) => {
            Some(ReportOutcome::AlreadyGone)
        }
        ReportAction::NotListed => Some(ReportOutcome::NotListed),
    }
}

fn waiting(since: &[&Event]) -> ReportOutcome {
    if since.iter().any(|step| is_no_answer(step)) { ReportOutcome::NoAnswer } else { ReportOutcome::Asking }
}

/// What settles all reports that a seed has asked about.
fn settled(step: &Event) -> Option<ReportOutcome> {
    let came_back = is_relisting(step).then_some(ReportOutcome::CameBack);
    removed(step).or_else(|| disputed(step)).or(came_back)
}

/// The outcome of a step whose report was not seen; a relisting says nothing about a report.
fn without_report(step: &Event) -> Option<ReportOutcome> {
    let no_answer = is_no_answer(step).then_some(ReportOutcome::NoAnswer);
    no_answer.or_else(|| disputed(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Addr = Addr::loopback(5001);

    const DEAD: Addr = Addr::loopback(3003);

    fn case(acts: &[EventKind]) -> DeathCase {
        let mut case = DeathCase::new(DEAD, at(0));
        let steps = acts.iter().zip(1..).map(|(act, second)| Event { at: at(second), node: SEED, kind: act.clone() });
        case.steps.extend(steps);
        case
    }

    fn at(second: u64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn report(n: u16, action: ReportAction) -> EventKind {
        let (reporter, clock) = (Addr::loopback(n), at(0).clock(0));
        DeathEvent::DeadReportReceived {
            report: None,
            verification: None,
            dead: DEAD,
            clock,
            reporter,
            cause: None,
            action,
        }
        .into()
    }

    fn relisted() -> EventKind {
        SeedEvent::PeerListed { peer: DEAD, again: true }.into()
    }

    #[test]
    fn a_disputed_report_stays_so_when_a_later_one_removes_the_node() {
        let reason = DelistReason::Unanswered { report: None, reporter: Addr::loopback(2) };
        let disputed = DeathEvent::ReportDisputed {
            report: None,
            verification: None,
            dead: DEAD,
            reporter: Addr::loopback(1),
            disputes: 1,
            rtt_us: 9,
        }
        .into();
        let no_answer =
            ProbeEvent::Missed { probe: None, peer: DEAD, seq: 1, misses: 1, limit: 1, last_heard: at(0) }.into();
        let case = case(&[
            report(1, ReportAction::Verifying),
            disputed,
            report(2, ReportAction::Verifying),
            no_answer,
            SeedEvent::PeerDelisted { peer: DEAD, verification: None, reason }.into(),
            report(3, ReportAction::NotListed),
            relisted(),
        ]);
        let removed = ReportOutcome::Removed { at: at(5), reason };
        let of = |n| case.outcome_of(SEED, Addr::loopback(n));
        assert_eq!(of(1), Some(ReportOutcome::Disputed { rtt_us: 9 }));
        assert_eq!(of(2), Some(removed));
        assert_eq!(of(3), Some(ReportOutcome::AlreadyGone));
        assert_eq!((of(4), case.outcome_at(Addr::loopback(5002))), (None, None), "nothing was heard of these");
        assert_eq!(case.outcome_at(SEED), Some(removed));
    }

    #[test]
    fn a_node_that_registers_while_a_seed_asks_it_is_back() {
        let acts = [report(1, ReportAction::Verifying), relisted()];
        let asked = case(&acts[..1]);
        assert_eq!(asked.outcome_at(SEED), Some(ReportOutcome::Asking));
        let back = case(&acts);
        assert_eq!(back.outcome_at(SEED), Some(ReportOutcome::CameBack));
        assert_eq!(back.outcome_of(SEED, Addr::loopback(1)), Some(ReportOutcome::CameBack));
    }
}
