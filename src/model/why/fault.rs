//! What a fault did.

use super::death::{question_of, reason_of};
use super::{EvidenceLine, Explainer, Explanation, in_order};
use crate::model::cause::Reason;
use crate::model::death::Evidence;
use crate::model::fault::{FaultHarm, FaultRecord};
use crate::model::words::{list_text, span_text};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;

/// When a fault was set and cleared, what it swallowed, and who was taken for dead because of it.
pub fn why_fault(model: &Model, record: &FaultRecord, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let (fault, since) = (explainer.fault(record), explainer.clock(record.since));
    let verdict = match record.until {
        None => format!("'{fault}' has been set since {since}."),
        Some(until) => {
            let (cleared, span) = (explainer.clock(until), span_text(until.since(record.since)));
            format!("'{fault}' was set at {since} and cleared at {cleared}, after {span}.")
        }
    };
    let harm = harm_lines(record).into_iter().chain(deaths(explainer, record)).map(EvidenceLine::now);
    let evidence = in_order(explainer.fault_lines(record).into_iter().chain(harm).collect());
    let rests_on = blamed(explainer, record).filter(|(.., blame)| *blame == Blame::Sure);
    let rests_on = rests_on.filter_map(|(dead, told, _)| question_of(dead, told)).collect();
    Explanation { title: fault, verdict, is_certain: true, evidence, table: None, rests_on }
}

/// `lost by it: 12 copies of messages, 3 probes and 1 report of a death`.
fn harm_lines(record: &FaultRecord) -> Option<String> {
    let FaultHarm { copies, probes, answers, reports } = record.harm;
    let told = [
        (copies, "copy of a message", "copies of messages"),
        (probes, "probe", "probes"),
        (answers, "answer to a probe", "answers to probes"),
        (reports, "report of a death", "reports of deaths"),
    ];
    let counted = told.into_iter().filter(|(count, ..)| *count > 0);
    let told: Vec<String> =
        counted.map(|(count, one, more)| format!("{count} {}", if count == 1 { one } else { more })).collect();
    (!told.is_empty()).then(|| format!("lost by it: {}", list_text(&told, told.len())))
}

/// How sure it is that a death rests on a fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Blame {
    Sure,
    Perhaps,
}

/// Who was taken for dead because of it, and by whom.
fn deaths(explainer: Explainer<'_>, record: &FaultRecord) -> Vec<String> {
    let mut found: Map<(Addr, Blame), Vec<Addr>> = Map::default();
    for (dead, told, blame) in blamed(explainer, record) {
        found.entry((dead, blame)).or_default().push(told.reporter);
    }
    let line = |((dead, blame), by): (&(Addr, Blame), &Vec<Addr>)| {
        let (dead, by) = (explainer.name(*dead), explainer.names_in_order(by));
        let doubt = match blame {
            Blame::Sure => "",
            Blame::Perhaps => ", perhaps (not certain)",
        };
        format!("{dead} was taken for dead because of it by {by}{doubt}")
    };
    found.iter().map(line).collect()
}

/// The deaths that rest on it, as each reporter tells them.
fn blamed<'a>(
    explainer: Explainer<'a>,
    record: &'a FaultRecord,
) -> impl Iterator<Item = (Addr, &'a Evidence, Blame)> + use<'a> {
    let cases = explainer.model.deaths().cases();
    let told = cases.iter().flat_map(|(_, case)| case.evidence.iter().map(move |told| (case.dead, told)));
    let told = told.filter(move |(dead, told)| concerns(explainer, record, told, *dead));
    told.filter_map(move |(dead, told)| Some((dead, told, blame(explainer, record, told, dead)?)))
}

/// It was between the two before the death: no other fault is why, and a reason takes time to find.
fn concerns(explainer: Explainer<'_>, record: &FaultRecord, told: &Evidence, dead: Addr) -> bool {
    let is_before = told.declared_at.is_some_and(|at| record.since <= at);
    let mut between = explainer.model.faults().ever_between(told.reporter, dead);
    is_before && between.any(|other| other.deed() == record.deed())
}

fn blame(explainer: Explainer<'_>, record: &FaultRecord, told: &Evidence, dead: Addr) -> Option<Blame> {
    match reason_of(explainer, dead, told) {
        Reason::Deeds(causes) => causes.deeds().contains(&record.deed()).then_some(Blame::Sure),
        Reason::NotCertain(deeds) => deeds.contains(&record.deed()).then_some(Blame::Perhaps),
        Reason::Rule(_) => None,
    }
}
