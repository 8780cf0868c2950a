//! What a fault did.

use super::{EvidenceLine, Explainer, Explanation, in_order};
use crate::event::LossReason;
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::words::span_text;

/// When a fault was set and cleared, and how many copies of messages it kept from arriving.
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
    let is_its = |why: LossReason| matches!(why, LossReason::Fault(id) if record.id == Some(id));
    let lost = model.lost.iter().filter(|(_, copy)| is_its(copy.why)).count() as u64;
    let copies = if lost == 1 { "copy of a message was" } else { "copies of messages were" };
    let lost = (lost > 0).then(|| EvidenceLine::now(format!("{lost} {copies} lost by it")));
    let evidence = in_order(explainer.fault_lines(record).into_iter().chain(lost).collect());
    Explanation { title: fault, verdict, evidence }
}
