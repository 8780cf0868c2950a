//! What a fault did.

use super::death::reason_of;
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
    Explanation { title: fault, verdict, is_certain: true, evidence }
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

/// Who was taken for dead because of it, and by whom.
fn deaths(explainer: Explainer<'_>, record: &FaultRecord) -> Vec<String> {
    let blamed = |told: &Evidence, dead| match reason_of(explainer, dead, told) {
        Reason::Deeds(causes) => causes.deeds().contains(&record.deed()).then_some(""),
        Reason::NotCertain(deeds) => deeds.contains(&record.deed()).then_some(", perhaps, which is not certain"),
        Reason::Rule(_) => None,
    };
    let mut found: Map<(Addr, &str), Vec<Addr>> = Map::default();
    for (_, case) in explainer.model.deaths().cases() {
        for told in &case.evidence {
            if let Some(doubt) = blamed(told, case.dead) {
                found.entry((case.dead, doubt)).or_default().push(told.reporter);
            }
        }
    }
    let line = |((dead, doubt), by): (&(Addr, &str), &Vec<Addr>)| {
        let (dead, by) = (explainer.name(*dead), explainer.names_in_order(by));
        format!("{dead} was taken for dead because of it by {by}{doubt}")
    };
    found.iter().map(line).collect()
}
