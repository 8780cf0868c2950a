//! What the seeds did about a death, in the end; those that did the same together.

use super::{micros, reported_seeds};
use crate::event::DelistReason;
use crate::model::death::{DeathCase, Outcome, Testimony};
use crate::model::fault::Record;
use crate::model::why::Teller;
use crate::model::why::cause::is_barrier;
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Times that a clause lists.
const TIMES_MAX: usize = 3;

/// What a seed did in the end, as a clause tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// It took it off its list, for this reason.
    Removed(Reason),
    /// It had an answer.
    Kept,
    /// It had none, and what it did then was not seen.
    NoAnswer,
    /// It waits for one.
    Asking,
    /// The node registered again before that.
    CameBack,
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
    Silent,
    Departed,
    Left,
}

/// One seed, what it did, when, and how long the answer took that it had.
struct Did {
    seed: Addr,
    deed: Deed,
    at: Option<Time>,
    rtt_us: u64,
}

/// A clause for each thing that seeds did, in the order in which the seeds were told.
pub(super) fn seed_clauses(teller: Teller<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<Vec<Did>> = Vec::new();
    for seed in case_seeds(case) {
        let did = did(teller, case, seed);
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.deed == did.deed)) {
            Some(group) => group.push(did),
            None => groups.push(vec![did]),
        }
    }
    // What is not known comes last.
    groups.sort_by_key(|group| group.first().is_some_and(|first| first.deed == Deed::Silent));
    groups.iter().filter_map(|group| clause(teller, case, group)).collect()
}

/// The seeds to say something about: those that were told, and those that did something.
fn case_seeds(case: &DeathCase) -> Vec<Addr> {
    let told = reported_seeds(case);
    let others = case.seeds().into_iter().filter(|seed| !told.contains(seed));
    told.iter().copied().chain(others).collect()
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

fn did(teller: Teller<'_>, case: &DeathCase, seed: Addr) -> Did {
    let did = |deed, at, rtt_us| Did { seed, deed, at, rtt_us };
    match case.outcome_at(seed) {
        Some(Outcome::Removed { at, reason }) => {
            let could_ask = teller.model.links().get(seed, case.dead).is_none_or(|link| link.was_up_at(at));
            let reason = removed_for(reason);
            let reason = if reason == Reason::Reported && !could_ask { Reason::NotReachable } else { reason };
            did(Deed::Removed(reason), Some(at), 0)
        }
        Some(Outcome::Disputed { rtt_us }) => did(Deed::Kept, None, rtt_us),
        Some(Outcome::NoAnswer) => did(Deed::NoAnswer, None, 0),
        Some(Outcome::Asking) => did(Deed::Asking, None, 0),
        Some(Outcome::CameBack) => did(Deed::CameBack, None, 0),
        Some(Outcome::NotListed | Outcome::AlreadyGone) => did(Deed::NotListed, None, 0),
        None if in_the_way(teller, case, seed).is_some() => did(Deed::CutOff, None, 0),
        None => did(Deed::Silent, None, 0),
    }
}

const fn removed_for(reason: DelistReason) -> Reason {
    match reason {
        DelistReason::Unanswered { .. } => Reason::Unanswered,
        DelistReason::Reported { .. } => Reason::Reported,
        DelistReason::Silent => Reason::Silent,
        DelistReason::Departed => Reason::Departed,
        DelistReason::Left => Reason::Left,
    }
}

fn clause(teller: Teller<'_>, case: &DeathCase, group: &[Did]) -> Option<String> {
    let seeds: Vec<Addr> = group.iter().map(|did| did.seed).collect();
    let (who, is_one) = (teller.names_in_order(&seeds), seeds.len() == 1);
    let (list, is) = if is_one { ("its list", "is") } else { ("their lists", "are") };
    Some(match group.first()?.deed {
        Deed::Removed(reason) => removal(reason, &who, list, &times(teller, group)),
        Deed::Kept => {
            let after = micros(group.iter().map(|did| did.rtt_us).max().unwrap_or_default());
            let at_most = if is_one { "" } else { " at most" };
            format!("{who} asked it, had an answer after {after}{at_most} and kept it on {list}")
        }
        Deed::NoAnswer => format!("{who} asked it and had no answer"),
        Deed::Asking => format!("{who} {is} asking it"),
        Deed::CameBack => format!("{who} asked it, and had it on {list} again before an answer came"),
        Deed::NotListed => format!("{who} did not have it on {list}"),
        Deed::CutOff => {
            let way = seeds.iter().find_map(|seed| in_the_way(teller, case, *seed));
            let named = way.map(|record| teller.named(record)).unwrap_or_default();
            format!("no report reached {who}, because of {named}")
        }
        Deed::Silent => format!("what {who} did is not certain: nothing was heard of it"),
    })
}

fn removal(reason: Reason, who: &str, list: &str, at: &str) -> String {
    match reason {
        Reason::Unanswered => format!("{who} asked it, got no answer and took it off {list} {at}"),
        Reason::Reported => format!("{who} took it off {list} {at} without asking it"),
        Reason::NotReachable => {
            format!("{who} took it off {list} {at} and could not ask it: its registration had closed")
        }
        Reason::Silent => format!("{who} heard nothing of it, asked it, got no answer and took it off {list} {at}"),
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
