//! What the seeds did about a death in the end; those that did the same together.

use super::{micros, reported_seeds};
use crate::event::DelistReason;
use crate::model::death::{DeathCase, Evidence, ReportOutcome};
use crate::model::fault::FaultRecord;
use crate::model::why::Explainer;
use crate::model::why::cause::is_barrier;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Times that a clause lists.
const TIMES_MAX: usize = 3;

/// What a seed did in the end, for a clause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SeedAction {
    Removed(RemovalReason),
    /// It got an answer.
    Kept,
    /// It got no answer; what it did then was not seen.
    NoAnswer,
    /// It waits for an answer.
    Asking,
    /// The node registered again before it answered.
    CameBack,
    /// The node was off its list already.
    NotListed,
    /// No report could reach it.
    CutOff,
    /// Nothing is known of it.
    Silent,
}

/// Why a seed took a node off its list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RemovalReason {
    Unanswered,
    Reported,
    /// It could not probe the node: the registration had closed.
    NotReachable,
    Silent,
    Departed,
    Left,
}

/// What one seed did and when, and how long an answer took, if it got one.
struct Did {
    seed: Addr,
    deed: SeedAction,
    at: Option<Time>,
    rtt_us: u64,
}

/// A clause for each thing that seeds did, in the order in which the seeds were told.
pub(super) fn seed_clauses(explainer: Explainer<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<Vec<Did>> = Vec::new();
    for seed in case_seeds(case) {
        let did = did(explainer, case, seed);
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.deed == did.deed)) {
            Some(group) => group.push(did),
            None => groups.push(vec![did]),
        }
    }
    // What is unknown comes last.
    groups.sort_by_key(|group| group.first().is_some_and(|first| first.deed == SeedAction::Silent));
    groups.iter().filter_map(|group| clause(explainer, case, group)).collect()
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
            |record: &&FaultRecord| is_barrier(record) && told.reported_at.is_some_and(|at| record.was_at(at));
        explainer.model.faults().ever_between(told.reporter, seed).find(was_set)
    };
    let mut ways = case.evidence.iter().filter(|told| told.seeds.contains(&seed)).map(between);
    let first = ways.next()??;
    ways.all(|way| way.is_some()).then_some(first)
}

fn did(explainer: Explainer<'_>, case: &DeathCase, seed: Addr) -> Did {
    let did = |deed, at, rtt_us| Did { seed, deed, at, rtt_us };
    match case.outcome_at(seed) {
        Some(ReportOutcome::Removed { at, reason }) => {
            let could_ask = explainer.model.links().get(seed, case.dead).is_none_or(|link| link.was_up_at(at));
            let reason = removed_for(reason);
            let reason =
                if reason == RemovalReason::Reported && !could_ask { RemovalReason::NotReachable } else { reason };
            did(SeedAction::Removed(reason), Some(at), 0)
        }
        Some(ReportOutcome::Disputed { rtt_us }) => did(SeedAction::Kept, None, rtt_us),
        Some(ReportOutcome::NoAnswer) => did(SeedAction::NoAnswer, None, 0),
        Some(ReportOutcome::Asking) => did(SeedAction::Asking, None, 0),
        Some(ReportOutcome::CameBack) => did(SeedAction::CameBack, None, 0),
        Some(ReportOutcome::NotListed | ReportOutcome::AlreadyGone) => did(SeedAction::NotListed, None, 0),
        None if in_the_way(explainer, case, seed).is_some() => did(SeedAction::CutOff, None, 0),
        None => did(SeedAction::Silent, None, 0),
    }
}

const fn removed_for(reason: DelistReason) -> RemovalReason {
    match reason {
        DelistReason::Unanswered { .. } => RemovalReason::Unanswered,
        DelistReason::Reported { .. } => RemovalReason::Reported,
        DelistReason::Silent => RemovalReason::Silent,
        DelistReason::Departed => RemovalReason::Departed,
        DelistReason::Left => RemovalReason::Left,
    }
}

fn clause(explainer: Explainer<'_>, case: &DeathCase, group: &[Did]) -> Option<String> {
    let seeds: Vec<Addr> = group.iter().map(|did| did.seed).collect();
    let (who, is_one) = (explainer.names_in_order(&seeds), seeds.len() == 1);
    let (list, is) = if is_one { ("its list", "is") } else { ("their lists", "are") };
    Some(match group.first()?.deed {
        SeedAction::Removed(reason) => removal(reason, &who, list, &times(explainer, group)),
        SeedAction::Kept => {
            let after = micros(group.iter().map(|did| did.rtt_us).max().unwrap_or_default());
            let at_most = if is_one { "" } else { " at most" };
            format!("{who} asked it, had an answer after {after}{at_most} and kept it on {list}")
        }
        SeedAction::NoAnswer => format!("{who} asked it and had no answer"),
        SeedAction::Asking => format!("{who} {is} asking it"),
        SeedAction::CameBack => format!("{who} asked it, and had it on {list} again before an answer came"),
        SeedAction::NotListed => format!("{who} did not have it on {list}"),
        SeedAction::CutOff => {
            let way = seeds.iter().find_map(|seed| in_the_way(explainer, case, *seed));
            let named = way.map(|record| explainer.named(record)).unwrap_or_default();
            format!("no report reached {who}, because of {named}")
        }
        SeedAction::Silent => format!("what {who} did is not certain: nothing was heard of it"),
    })
}

fn removal(reason: RemovalReason, who: &str, list: &str, at: &str) -> String {
    match reason {
        RemovalReason::Unanswered => format!("{who} asked it, got no answer and took it off {list} {at}"),
        RemovalReason::Reported => format!("{who} took it off {list} {at} without asking it"),
        RemovalReason::NotReachable => {
            format!("{who} took it off {list} {at} and could not ask it: its registration had closed")
        }
        RemovalReason::Silent => {
            format!("{who} heard nothing of it, asked it, got no answer and took it off {list} {at}")
        }
        RemovalReason::Departed => format!("{who} took it off {list} {at} because its registration had closed"),
        RemovalReason::Left => format!("{who} took it off {list} {at} because it said goodbye"),
    }
}

/// `at 03:13:02`, `at 03:13:02 and 03:13:04`; for many, the first and the last.
fn times(explainer: Explainer<'_>, group: &[Did]) -> String {
    let mut times: Vec<Time> = group.iter().filter_map(|did| did.at).collect();
    times.sort_unstable();
    let mut times: Vec<String> = times.into_iter().map(|at| explainer.clock(at)).collect();
    times.dedup();
    match &times[..] {
        [first, .., last] if times.len() > TIMES_MAX => format!("from {first} to {last}"),
        some => format!("at {}", list_text(some, TIMES_MAX)),
    }
}
