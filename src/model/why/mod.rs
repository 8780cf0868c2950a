//! Why something is as it is, in words, with the evidence.
//!
//! An [`Explanation`] is structure without styling: a title, one verdict, and the lines of evidence
//! for it. What the evidence does not settle is marked "not certain". The questions that it rests on can
//! be asked of another run of the same network (see `experiment::proof`).

mod asked;
mod because;
mod death;
mod ending;
mod fault;
mod lack;
mod link;
mod load;
mod matrix;
mod message;
mod network;
mod node;
mod past;
mod seed;
mod source;
mod subject;
mod table;
mod times;
mod views;
mod waits;
mod warning;

pub use asked::{AskedAnswer, AskedQuestion, because, why_unprovable};
pub use because::{NamedDeed, named_deeds};
pub use death::why_dead;
pub use fault::why_fault;
pub use lack::{Lack, why_not, why_not_each};
pub use link::why_link;
pub use message::about_message;
pub use network::{NETWORK_WORDS, NetworkSubject};
pub use node::about_node;
pub(super) use node::why_state;
pub use seed::why_seed;
pub use source::{EvidenceSource, SourceKind};
pub use subject::{NameLookup, NamedSubject, SubjectError, is_message, why_node};
pub use table::{AnswerCell, AnswerColumn, AnswerTable};
pub use warning::why_warning;

use std::time::Duration;

use super::cause::{Question, Reason};
use super::fault::FaultRecord;
use super::words::{list_text, second_text, span_text};
use super::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Lines of evidence in an answer: more than anybody reads.
pub const EVIDENCE_MAX: usize = 500;
/// Names that a sentence lists before it says how many more there are.
const NAMES_MAX: usize = 6;
/// The same for a line of evidence.
const ALL_NAMES_MAX: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The subject: `p3`, `p3#12`.
    pub title: String,
    pub verdict: String,
    /// The events settle the verdict: nothing in it is a guess, or rests on what is not known here.
    pub is_certain: bool,
    /// In order of time where it has a time.
    pub evidence: Vec<EvidenceLine>,
    /// The figures, if the answer has some.
    pub table: Option<AnswerTable>,
    /// What is explained: empty if the verdict says of nothing that it was made so.
    pub rests_on: Vec<Question>,
}

impl Explanation {
    /// What is asked about is not known here, or not held.
    fn unknown(title: String, verdict: String) -> Self {
        Self { title, verdict, is_certain: false, evidence: Vec::new(), table: None, rests_on: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EvidenceLine {
    /// `None` for what holds now.
    pub at: Option<Time>,
    pub text: String,
    /// `None`: it rests on no single event.
    pub source: Option<EvidenceSource>,
}

impl EvidenceLine {
    fn at(at: Time, text: String) -> Self {
        Self { at: Some(at), text, source: None }
    }

    fn now(text: String) -> Self {
        Self { at: None, text, source: None }
    }

    /// It rests on an event at this node.
    fn told_by(self, node: Addr, kind: SourceKind) -> Self {
        self.resting_on(EvidenceSource::at(node, kind))
    }

    /// It rests on an event at whichever node.
    fn told_by_any(self, kind: SourceKind) -> Self {
        self.resting_on(EvidenceSource { by: None, kind })
    }

    fn resting_on(self, source: EvidenceSource) -> Self {
        Self { source: Some(source), ..self }
    }
}

/// The events settle why.
fn is_known(reason: &Reason) -> bool {
    match reason {
        Reason::Deeds(_) | Reason::Rule(_) => true,
        Reason::NotCertain(_) => false,
    }
}

impl Explanation {
    /// It is what this node alone could tell.
    #[must_use]
    pub fn as_seen_by(self, node: &str) -> Self {
        Self { title: format!("{} (as {node} alone saw it)", self.title), ..self }
    }
}

/// If events are missing, they may be the ones that would have told something else.
pub fn with_doubt(model: &Model, mut why: Explanation) -> Explanation {
    if let Some(doubt) = model.doubt() {
        why.is_certain = false;
        why.evidence.push(EvidenceLine::now(doubt));
    }
    why
}

/// The first of these faults and how many more there are: `'cut p1 p5' since 03:13:02 and 6 more`.
pub(super) fn named_faults(model: &Model, faults: &[&FaultRecord], utc_offset_s: i32) -> Option<String> {
    Explainer { model, utc_offset_s }.named_first(faults)
}

/// Makes the parts of sentences.
#[derive(Clone, Copy)]
struct Explainer<'a> {
    model: &'a Model,
    utc_offset_s: i32,
}

impl<'a> Explainer<'a> {
    /// Faults that are set now: `Fault: loss p1 p2 30%, since 03:13:02`.
    fn faults(self, records: impl Iterator<Item = &'a FaultRecord>) -> Vec<EvidenceLine> {
        let line = |record: &FaultRecord| {
            EvidenceLine::now(format!("fault: {}, since {}", self.fault(record), self.clock(record.since)))
        };
        records.map(line).collect()
    }

    /// Faults between two nodes, past ones included.
    fn faults_between(self, a: Addr, b: Addr) -> Vec<EvidenceLine> {
        self.model.faults().ever_between(a, b).flat_map(|record| self.fault_lines(record)).collect()
    }

    /// When a fault began, and when it ended, if it did.
    fn fault_lines(self, record: &FaultRecord) -> Vec<EvidenceLine> {
        let line = |at, text| EvidenceLine::at(at, text).resting_on(EvidenceSource::of_fault(record));
        let over = record.until.map(|until| line(until, format!("no longer: {}", self.fault(record))));
        let set = line(record.since, format!("fault: {}", self.fault(record)));
        std::iter::once(set).chain(over).collect()
    }

    fn name(self, addr: Addr) -> String {
        self.model.name_of(addr).into_owned()
    }

    fn names(self, addrs: &[Addr]) -> String {
        let names: Vec<_> = addrs.iter().map(|addr| self.model.name_of(*addr)).collect();
        list_text(&names, NAMES_MAX)
    }

    /// As [`Explainer::names`], sorted, for nodes in no particular order: p2 before p10.
    fn names_in_order(self, addrs: &[Addr]) -> String {
        self.model.names_in_order(addrs.iter().copied(), NAMES_MAX)
    }

    /// As many names as anybody reads.
    fn all_names(self, addrs: &[Addr]) -> String {
        let names: Vec<_> = addrs.iter().map(|addr| self.model.name_of(*addr)).collect();
        list_text(&names, ALL_NAMES_MAX)
    }

    /// `03:13:02`: milliseconds are for the evidence.
    fn clock(self, at: Time) -> String {
        second_text(at, self.utc_offset_s)
    }
}

fn micros(micros: u64) -> String {
    span_text(Duration::from_micros(micros))
}

/// In order of time, each line once, and at most [`EVIDENCE_MAX`].
fn in_order(evidence: Vec<EvidenceLine>) -> Vec<EvidenceLine> {
    let mut evidence: Vec<EvidenceLine> = evidence.into_iter().collect::<Set<_>>().into_iter().collect();
    evidence.sort_by_key(|line| line.at);
    if evidence.len() > EVIDENCE_MAX {
        let more = evidence.len() - EVIDENCE_MAX;
        evidence.truncate(EVIDENCE_MAX);
        evidence.push(EvidenceLine::now(format!("and {more} more")));
    }
    evidence
}
