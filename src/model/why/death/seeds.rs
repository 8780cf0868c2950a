//! What the seeds did about a death in the end; those that did the same together.

use std::mem::discriminant;

use super::reported_seeds;
use crate::event::DelistReason;
use crate::model::death::{DeathCase, Evidence, ReportOutcome};
use crate::model::fault::FaultRecord;
use crate::model::why::{Explainer, micros};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Times that a clause lists.
const TIMES_MAX: usize = 3;

/// What one seed did in the end.
struct Did {
    seed: Addr,
    /// `None`: nothing is known of it.
    outcome: Option<ReportOutcome>,
    /// No report could reach it, or it could not ask the node that it removed: the registration had
    /// closed.
    is_hindered: bool,
}

impl Did {
    /// It did the same as the other, perhaps at another time.
    fn is_like(&self, other: &Self) -> bool {
        let kind = |did: &Self| {
            let reason = match did.outcome {
                Some(ReportOutcome::Removed { reason, .. }) => Some(discriminant(&reason)),
                Some(_) | None => None,
            };
            (did.outcome.map(|outcome| discriminant(&outcome)), reason, did.is_hindered)
        };
        kind(self) == kind(other)
    }
}

/// A clause for each thing that seeds did, in the order in which the seeds were told.
pub(super) fn seed_clauses(explainer: Explainer<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<Vec<Did>> = Vec::new();
    for seed in case_seeds(case) {
        let did = did(explainer, case, seed);
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.is_like(&did))) {
            Some(group) => group.push(did),
            None => groups.push(vec![did]),
        }
    }
    // What is unknown comes last.
    groups.sort_by_key(|group| group.first().is_some_and(|first| first.outcome.is_none() && !first.is_hindered));
    groups.iter().filter_map(|group| clause(explainer, case, group)).collect()
}

/// It is known what each of the seeds did that were told.
pub(super) fn are_known(explainer: Explainer<'_>, case: &DeathCase) -> bool {
    let dids = case_seeds(case).into_iter().map(|seed| did(explainer, case, seed));
    dids.into_iter().all(|did| did.outcome.is_some() || did.is_hindered)
}

/// The seeds that got a report, and those that did something.
fn case_seeds(case: &DeathCase) -> Vec<Addr> {
    let told = reported_seeds(case);
    let others = case.seeds().into_iter().filter(|seed| !told.contains(seed));
    told.iter().copied().chain(others).collect()
}

/// What kept each report to this seed from arriving.
fn in_the_way<'a>(explainer: Explainer<'a>, case: &DeathCase, seed: Addr) -> Option<&'a FaultRecord> {
    let between = |told: &Evidence| {
        let was_set =
            |record: &&FaultRecord| record.stops_all() && told.reported_at.is_some_and(|at| record.was_at(at));
        explainer.model.faults().ever_between(told.reporter, seed).find(was_set)
    };
    let mut ways = case.evidence.iter().filter(|told| told.seeds.contains(&seed)).map(between);
    let first = ways.next()??;
    ways.all(|way| way.is_some()).then_some(first)
}

fn did(explainer: Explainer<'_>, case: &DeathCase, seed: Addr) -> Did {
    let outcome = match case.outcome_at(seed) {
        Some(ReportOutcome::AlreadyGone) => Some(ReportOutcome::NotListed),
        other => other,
    };
    let was_down = |at: Time| explainer.model.links().get(seed, case.dead).is_some_and(|link| !link.was_up_at(at));
    let is_hindered = match outcome {
        None => in_the_way(explainer, case, seed).is_some(),
        Some(ReportOutcome::Removed { at, reason: DelistReason::Reported { .. } }) => was_down(at),
        Some(_) => false,
    };
    Did { seed, outcome, is_hindered }
}

fn clause(explainer: Explainer<'_>, case: &DeathCase, group: &[Did]) -> Option<String> {
    let seeds: Vec<Addr> = group.iter().map(|did| did.seed).collect();
    let (who, is_one) = (explainer.names_in_order(&seeds), seeds.len() == 1);
    let (list, is) = if is_one { ("its list", "is") } else { ("their lists", "are") };
    let Did { outcome, is_hindered, .. } = group.first()?;
    Some(match outcome {
        Some(ReportOutcome::Removed { reason, .. }) => {
            removal(*reason, *is_hindered, &who, &format!("{list} {}", times(explainer, group)))
        }
        Some(ReportOutcome::Disputed { .. }) => {
            let rtt = |did: &Did| match did.outcome {
                Some(ReportOutcome::Disputed { rtt_us }) => Some(rtt_us),
                Some(_) | None => None,
            };
            let after = micros(group.iter().filter_map(rtt).max().unwrap_or_default());
            let at_most = if is_one { "" } else { " at most" };
            format!("{who} asked it, had an answer after {after}{at_most} and kept it on {list}")
        }
        Some(ReportOutcome::NoAnswer) => format!("{who} asked it and had no answer"),
        Some(ReportOutcome::Asking) => format!("{who} {is} asking it"),
        Some(ReportOutcome::CameBack) => format!("{who} asked it, and had it on {list} again before an answer came"),
        Some(ReportOutcome::NotListed | ReportOutcome::AlreadyGone) => format!("{who} did not have it on {list}"),
        None if *is_hindered => {
            let way = seeds.iter().find_map(|seed| in_the_way(explainer, case, *seed));
            let named = way.map(|record| explainer.named(record)).unwrap_or_default();
            format!("no report reached {who}, because of {named}")
        }
        None => format!("what {who} did is not certain: nothing was heard of it"),
    })
}

/// `list`: off which list, and when.
fn removal(reason: DelistReason, is_hindered: bool, who: &str, list: &str) -> String {
    match reason {
        DelistReason::Unanswered { .. } => format!("{who} asked it, got no answer and took it off {list}"),
        DelistReason::Reported { .. } if is_hindered => {
            format!("{who} took it off {list} and could not ask it: its registration had closed")
        }
        DelistReason::Reported { .. } => format!("{who} took it off {list} without asking it"),
        DelistReason::Silent => format!("{who} heard nothing of it, asked it, got no answer and took it off {list}"),
        DelistReason::Departed => format!("{who} took it off {list} because its registration had closed"),
        DelistReason::Left => format!("{who} took it off {list} because it said goodbye"),
    }
}

/// `at 03:13:02`, `at 03:13:02 and 03:13:04`; for many, the first and the last.
fn times(explainer: Explainer<'_>, group: &[Did]) -> String {
    let removed = |did: &Did| match did.outcome {
        Some(ReportOutcome::Removed { at, .. }) => Some(at),
        Some(_) | None => None,
    };
    let mut times: Vec<Time> = group.iter().filter_map(removed).collect();
    times.sort_unstable();
    let mut times: Vec<String> = times.into_iter().map(|at| explainer.clock(at)).collect();
    times.dedup();
    match &times[..] {
        [first, .., last] if times.len() > TIMES_MAX => format!("from {first} to {last}"),
        some => format!("at {}", list_text(some, TIMES_MAX)),
    }
}
