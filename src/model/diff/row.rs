//! Differences for programs.

use serde::Serialize;

use super::words::{line, state_text};
use super::{Change, Diff, DifferenceKind, Incomplete, MomentDifference, OverlayParts};
use crate::event::Purpose;
use crate::model::Model;
use crate::model::rumor::Coverage;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// A [`Diff`] as JSON has it: nodes by name, times in microseconds since 1970.
#[derive(Debug, Serialize)]
pub struct DiffDocument {
    from: Time,
    to: Time,
    /// What is missing in the recording, which makes all of it less certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
    differences: Vec<DiffRow>,
}

#[derive(Debug, Serialize)]
struct DiffRow {
    #[serde(flatten)]
    what: RowKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// All of it in words.
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum RowKind {
    Overlay { before: Vec<Vec<String>>, after: Vec<Vec<String>> },
    Apart { from: Option<Time>, until: Option<Time>, parts: Vec<Vec<String>> },
    Fault { change: Change, fault: String },
    Node { node: String, address: Addr, before: String, after: String },
    Message { message: String, before: RowCoverage, after: RowCoverage },
    Messages { change: Change, began: usize, incomplete: Vec<RowIncomplete> },
    Link { change: Change, ends: [String; 2], purpose: Purpose },
    Listed { change: Change, seed: String, peer: String },
    HeldDead { change: Change, by: String, of: String },
    Suspicion { by: String, of: String, before: u32, after: u32, limit: u32 },
}

#[derive(Debug, Serialize)]
struct RowCoverage {
    have: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct RowIncomplete {
    message: String,
    #[serde(flatten)]
    coverage: RowCoverage,
    lacking: Vec<RowLack>,
}

#[derive(Debug, Serialize)]
struct RowLack {
    node: String,
    why: String,
}

impl From<Coverage> for RowCoverage {
    fn from(Coverage { have, of }: Coverage) -> Self {
        Self { have, of }
    }
}

impl DiffDocument {
    /// `model`: the later of the two, for the names.
    pub fn new(diff: &Diff, model: &Model, utc_offset_s: i32) -> Self {
        let row = |difference: &MomentDifference| DiffRow {
            what: subject(&difference.what, model),
            at: difference.at,
            why: difference.why.clone(),
            text: line(diff, difference, model, utc_offset_s),
        };
        let differences = diff.differences.iter().map(row).collect();
        Self { from: diff.from, to: diff.to, doubt: model.doubt(), differences }
    }
}

fn subject(what: &DifferenceKind, model: &Model) -> RowKind {
    let name = |addr: Addr| model.name_of(addr).into_owned();
    let parts = |parts: &OverlayParts| parts.iter().map(|part| part.iter().copied().map(name).collect()).collect();
    match what {
        DifferenceKind::Overlay { before, after } => RowKind::Overlay { before: parts(before), after: parts(after) },
        DifferenceKind::Apart(apart) => {
            RowKind::Apart { from: apart.from, until: apart.until, parts: parts(&apart.parts) }
        }
        DifferenceKind::Fault { change, fault } => RowKind::Fault { change: *change, fault: fault.text(&name) },
        DifferenceKind::Node { node, before, after } => {
            RowKind::Node { node: name(*node), address: *node, before: state_text(*before), after: state_text(*after) }
        }
        DifferenceKind::Message { message, before, after } => {
            RowKind::Message { message: model.message_name(*message), before: (*before).into(), after: (*after).into() }
        }
        DifferenceKind::Messages { change, began, incomplete: found } => {
            let incomplete = found.iter().map(|incomplete| row_incomplete(incomplete, model)).collect();
            RowKind::Messages { change: *change, began: *began, incomplete }
        }
        DifferenceKind::Link { change, ends, purpose } => {
            RowKind::Link { change: *change, ends: ends.map(name), purpose: *purpose }
        }
        DifferenceKind::Listed { change, seed, peer } => {
            RowKind::Listed { change: *change, seed: name(*seed), peer: name(*peer) }
        }
        DifferenceKind::HeldDead { change, by, of } => {
            RowKind::HeldDead { change: *change, by: name(*by), of: name(*of) }
        }
        DifferenceKind::Suspicion { by, of, before, after, limit } => {
            RowKind::Suspicion { by: name(*by), of: name(*of), before: *before, after: *after, limit: *limit }
        }
    }
}

fn row_incomplete(incomplete: &Incomplete, model: &Model) -> RowIncomplete {
    let lack = |(node, why): &(Addr, String)| RowLack { node: model.name_of(*node).into_owned(), why: why.clone() };
    RowIncomplete {
        message: model.message_name(incomplete.message),
        coverage: incomplete.coverage.into(),
        lacking: incomplete.lacking.iter().map(lack).collect(),
    }
}
