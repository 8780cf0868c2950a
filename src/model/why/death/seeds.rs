//! What the seeds did about a death, in the end; those that did the same together.

use super::{micros, reported_seeds};
use crate::event::{DelistReason, ReportAction};
use crate::model::death::{DeathCase, SeedAct, Testimony};
use crate::model::fault::Record;
use crate::model::why::Teller;
use crate::model::why::cause::is_barrier;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Times that a clause lists.
const TIMES_MAX: usize = 3;

/// What a seed did in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It took it off its list, for this reason.
    Removed(Reason),
    /// It had an answer.
    Kept,
    /// It had none, and what it did then was not seen.
    NoAnswer,
    /// It waits for one.
    Asking,
    /// It had it off its list already.
    NotListed,
    /// No report could reach it.
    CutOff,
    /// Nothing was heard of it.
    Silent,
}

/// Why a seed took somebody off its list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Unanswered,
    Reported,
    /// It could not ask: the registration had closed.
    NotReachable,
    Departed,
    Left,
}

/// One seed, what it did, when, and how long the answer took that it had.
struct Did {
    seed: Addr,
    outcome: Outcome,
    at: Option<Time>,
    rtt_us: u64,
}

/// A clause for each thing that seeds did, in the order in which the seeds were told.
pub(super) fn seed_clauses(teller: Teller<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<Vec<Did>> = Vec::new();
    for seed in case_seeds(case) {
        let did = outcome(teller, case, seed);
        let is_cut_off = did.outcome == Outcome::Silent && in_the_way(teller, case, seed).is_some();
        let did = if is_cut_off { Did { outcome: Outcome::CutOff, ..did } } else { did };
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.outcome == did.outcome)) {
            Some(group) => group.push(did),
            None => groups.push(vec![did]),
        }
    }
    // What is not known comes last.
    groups.sort_by_key(|group| group.first().is_some_and(|first| first.outcome == Outcome::Silent));
    groups.iter().filter_map(|group| clause(teller, case, group)).collect()
}

/// The seeds to say something about: those that were told, and those that did something.
fn case_seeds(case: &DeathCase) -> Vec<Addr> {
    let mut seeds = reported_seeds(case);
    seeds.extend(case.seeds().into_iter().filter(|seed| !reported_seeds(case).contains(seed)));
    seeds
}

/// What kept each report to this seed from arriving.
fn in_the_way<'a>(teller: Teller<'a>, case: &DeathCase, seed: Addr) -> Option<&'a Record> {
    let between = |told: &Testimony| {
        let was_set = |record: &&Record| is_barrier(record) && told.reported_at.is_some_and(|at| record.was_at(at));
        teller.model.faults().ever_between(told.reporter, seed).find(was_set)
    };
    let mut ways = case.testimonies.iter().filter(|told| told.seeds.contains(&seed)).map(between);
    let first = ways.next()??;
    ways.all(|way| way.is_some()).then_some(first)
}

fn outcome(teller: Teller<'_>, case: &DeathCase, seed: Addr) -> Did {
    let steps: Vec<_> = case.steps.iter().filter(|step| step.seed == seed).collect();
    let did = |outcome, at, rtt_us| Did { seed, outcome, at, rtt_us };
    // A removal outweighs what was said before and after it, then a dispute.
    let removal = steps.iter().find_map(|step| match step.act {
        SeedAct::Delisted { reason } => Some((step.at, removed_for(reason))),
        SeedAct::Received { .. } | SeedAct::NoAnswer | SeedAct::Disputed { .. } | SeedAct::Relisted => None,
    });
    if let Some((at, reason)) = removal {
        let could_ask = teller.model.links().get(seed, case.dead).is_none_or(|link| link.was_up_at(at));
        let reason = if reason == Reason::Reported && !could_ask { Reason::NotReachable } else { reason };
        return did(Outcome::Removed(reason), Some(at), 0);
    }
    let Some(last) = steps.iter().rev().find(|step| step.act != SeedAct::Relisted) else {
        return did(Outcome::Silent, None, 0);
    };
    match last.act {
        SeedAct::Disputed { rtt_us, .. } => did(Outcome::Kept, None, rtt_us),
        SeedAct::NoAnswer => did(Outcome::NoAnswer, None, 0),
        SeedAct::Received { action: ReportAction::Verifying, .. } => did(Outcome::Asking, None, 0),
        SeedAct::Received { action: ReportAction::Removed, .. } => {
            did(Outcome::Removed(Reason::Reported), Some(last.at), 0)
        }
        SeedAct::Received { action: ReportAction::NotListed, .. } => did(Outcome::NotListed, None, 0),
        SeedAct::Delisted { .. } | SeedAct::Relisted => did(Outcome::Silent, None, 0),
    }
}

const fn removed_for(reason: DelistReason) -> Reason {
    match reason {
        DelistReason::Unanswered { .. } => Reason::Unanswered,
        DelistReason::Reported { .. } => Reason::Reported,
        DelistReason::Departed => Reason::Departed,
        DelistReason::Left => Reason::Left,
    }
}

fn clause(teller: Teller<'_>, case: &DeathCase, group: &[Did]) -> Option<String> {
    let seeds: Vec<Addr> = group.iter().map(|did| did.seed).collect();
    let (who, is_one) = (teller.names_in_order(&seeds), seeds.len() == 1);
    let (list, is) = if is_one { ("its list", "is") } else { ("their lists", "are") };
    Some(match group.first()?.outcome {
        Outcome::Removed(reason) => removal(reason, &who, list, &times(teller, group)),
        Outcome::Kept => {
            let after = micros(group.iter().map(|did| did.rtt_us).max().unwrap_or_default());
            let at_most = if is_one { "" } else { " at most" };
            format!("{who} asked it, had an answer after {after}{at_most} and kept it on {list}")
        }
        Outcome::NoAnswer => format!("{who} asked it and had no answer"),
        Outcome::Asking => format!("{who} {is} asking it"),
        Outcome::NotListed => format!("{who} did not have it on {list}"),
        Outcome::CutOff => {
            let way = seeds.iter().find_map(|seed| in_the_way(teller, case, *seed));
            let named = way.map(|record| teller.named(record)).unwrap_or_default();
            format!("no report reached {who}, because of {named}")
        }
        Outcome::Silent => format!("what {who} did is not certain: nothing was heard of it"),
    })
}

fn removal(reason: Reason, who: &str, list: &str, at: &str) -> String {
    match reason {
        Reason::Unanswered => format!("{who} asked it, got no answer and took it off {list} {at}"),
        Reason::Reported => format!("{who} took it off {list} {at} without asking it"),
        Reason::NotReachable => {
            format!("{who} took it off {list} {at} and could not ask it: its registration had closed")
        }
        Reason::Departed => format!("{who} took it off {list} {at} because its registration had closed"),
        Reason::Left => format!("{who} took it off {list} {at} because it said goodbye"),
    }
}

/// `at 03:13:02`, `at 03:13:02 and 03:13:04`; of many: from when to when.
fn times(teller: Teller<'_>, group: &[Did]) -> String {
    let mut times: Vec<Time> = group.iter().filter_map(|did| did.at).collect();
    times.sort_unstable();
    let mut times: Vec<String> = times.into_iter().map(|at| teller.clock(at)).collect();
    times.dedup();
    match &times[..] {
        [first, .., last] if times.len() > TIMES_MAX => format!("from {first} to {last}"),
        some => format!("at {}", list_text(some, TIMES_MAX)),
    }
}
