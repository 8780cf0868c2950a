//! What a seed did about the reports of a death: about one of them, and about all together.

use super::{DeathCase, SeedAct, SeedStep};
use crate::event::{DelistReason, ReportAction};
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
        let is_it = |step: &&SeedStep| matches!(step.act, SeedAct::Received { reporter: told, .. } if told == reporter);
        outcome_from(&steps, steps.iter().position(is_it)?)
    }

    /// What this seed did in the end; `None`: nothing is known. A removal outweighs what came
    /// before and after it; otherwise the latest report counts.
    pub fn outcome_at(&self, seed: Addr) -> Option<ReportOutcome> {
        let steps = self.steps_of(seed);
        let is_report = |step: &&SeedStep| matches!(step.act, SeedAct::Received { .. });
        let latest = || outcome_from(&steps, steps.iter().rposition(is_report)?);
        let unreported = || steps.iter().rev().find_map(|step| without_report(step));
        steps.iter().find_map(|step| removal(step)).or_else(latest).or_else(unreported)
    }

    fn steps_of(&self, seed: Addr) -> Vec<&SeedStep> {
        self.steps.iter().filter(|step| step.seed == seed).collect()
    }
}

/// What became of the report that the seed got in this step.
fn outcome_from(steps: &[&SeedStep], got: usize) -> Option<ReportOutcome> {
    let SeedAct::Received { action, .. } = steps[got].act else { return None };
    let (before, since) = steps.split_at(got);
    match action {
        ReportAction::Removed => removal(steps[got]),
        ReportAction::Verifying => since.iter().find_map(|step| settled(step)).or(Some(waiting(since))),
        ReportAction::NotListed if before.iter().any(|step| removal(step).is_some()) => {
            Some(ReportOutcome::AlreadyGone)
        }
        ReportAction::NotListed => Some(ReportOutcome::NotListed),
    }
}

fn waiting(since: &[&SeedStep]) -> ReportOutcome {
    let had_none = since.iter().any(|step| step.act == SeedAct::NoAnswer);
    if had_none { ReportOutcome::NoAnswer } else { ReportOutcome::Asking }
}

/// What settles all reports that a seed has asked about.
fn settled(step: &SeedStep) -> Option<ReportOutcome> {
    match step.act {
        SeedAct::Delisted { .. } | SeedAct::Received { .. } => removal(step),
        SeedAct::Disputed { rtt_us, .. } => Some(ReportOutcome::Disputed { rtt_us }),
        SeedAct::Relisted => Some(ReportOutcome::CameBack),
        SeedAct::NoAnswer => None,
    }
}

fn removal(step: &SeedStep) -> Option<ReportOutcome> {
    let at = step.at;
    match step.act {
        SeedAct::Delisted { reason } => Some(ReportOutcome::Removed { at, reason }),
        SeedAct::Received { action: ReportAction::Removed, reporter, .. } => {
            Some(ReportOutcome::Removed { at, reason: DelistReason::Reported { reporter } })
        }
        SeedAct::Received { action: ReportAction::Verifying | ReportAction::NotListed, .. }
        | SeedAct::NoAnswer
        | SeedAct::Disputed { .. }
        | SeedAct::Relisted => None,
    }
}

/// The outcome of a step whose report was not seen; a relisting says nothing about a report.
fn without_report(step: &SeedStep) -> Option<ReportOutcome> {
    match step.act {
        SeedAct::NoAnswer => Some(ReportOutcome::NoAnswer),
        SeedAct::Disputed { rtt_us, .. } => Some(ReportOutcome::Disputed { rtt_us }),
        SeedAct::Relisted | SeedAct::Received { .. } | SeedAct::Delisted { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Addr = Addr::loopback(5001);

    fn case(acts: &[SeedAct]) -> DeathCase {
        let mut case = DeathCase::new(Addr::loopback(3003), at(0));
        let steps = acts.iter().zip(1..).map(|(act, second)| SeedStep { at: at(second), seed: SEED, act: *act });
        case.steps.extend(steps);
        case
    }

    fn at(second: u64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn report(n: u16, action: ReportAction) -> SeedAct {
        SeedAct::Received { reporter: Addr::loopback(n), cause: None, action }
    }

    #[test]
    fn a_report_that_was_disputed_stays_so_and_the_seed_that_removed_the_node_for_a_later_one_did_remove_it() {
        let reason = DelistReason::Unanswered { reporter: Addr::loopback(2) };
        let disputed = SeedAct::Disputed { reporter: Addr::loopback(1), rtt_us: 9 };
        let case = case(&[
            report(1, ReportAction::Verifying),
            disputed,
            report(2, ReportAction::Verifying),
            SeedAct::NoAnswer,
            SeedAct::Delisted { reason },
            report(3, ReportAction::NotListed),
            SeedAct::Relisted,
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
    fn a_node_that_registers_again_while_a_seed_asks_it_is_back_for_whoever_looks() {
        let acts = [report(1, ReportAction::Verifying), SeedAct::Relisted];
        let asked = case(&acts[..1]);
        assert_eq!(asked.outcome_at(SEED), Some(ReportOutcome::Asking));
        let back = case(&acts);
        assert_eq!(back.outcome_at(SEED), Some(ReportOutcome::CameBack));
        assert_eq!(back.outcome_of(SEED, Addr::loopback(1)), Some(ReportOutcome::CameBack));
    }
}
