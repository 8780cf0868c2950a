//! Why something is as it is, in words, with the evidence.
//!
//! An [`Explanation`] is structure without styling: a title, one verdict, and the lines that bear
//! it out. Where evidence is missing the words are "not certain".

mod cause;
mod death;
mod ending;
mod lack;
mod link;
mod message;
mod node;
mod seed;
mod warning;

pub use death::why_dead;
pub use lack::{Lack, why_not, why_not_each};
pub use link::why_link;
pub use message::about_message;
pub use node::about_node;
pub use seed::why_seed;
pub use warning::why_warning;

use super::fault::FaultRecord;
use super::words::{list_text, second_text};
use super::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Lines of evidence that are given; more than anybody reads.
pub const EVIDENCE_MAX: usize = 500;
/// Names that a sentence lists before it says how many more there are.
const NAMES_MAX: usize = 6;
/// Names that a line of evidence lists before it does.
const ALL_NAMES_MAX: usize = 60;

/// Why something is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it is about: `p3`, `p3#12`.
    pub title: String,
    /// The answer.
    pub verdict: String,
    /// What bears it out, in order of time where it has a time.
    pub evidence: Vec<EvidenceLine>,
}

/// One line of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EvidenceLine {
    /// When it happened; `None` for what holds now.
    pub at: Option<Time>,
    pub text: String,
}

impl EvidenceLine {
    fn at(at: Time, text: String) -> Self {
        Self { at: Some(at), text }
    }

    fn now(text: String) -> Self {
        Self { at: None, text }
    }
}

/// What the parts of a sentence are made with.
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

    /// Faults between two nodes, those that are over too.
    fn faults_between(self, a: Addr, b: Addr) -> Vec<EvidenceLine> {
        self.model.faults().ever_between(a, b).flat_map(|record| self.fault_lines(record)).collect()
    }

    /// When a fault began, and when it was over, if it is.
    fn fault_lines(self, record: &FaultRecord) -> Vec<EvidenceLine> {
        let over = record.until.map(|until| EvidenceLine::at(until, format!("no longer: {}", self.fault(record))));
        let set = EvidenceLine::at(record.since, format!("fault: {}", self.fault(record)));
        std::iter::once(set).chain(over).collect()
    }

    fn name(self, addr: Addr) -> String {
        self.model.name_of(addr).into_owned()
    }

    fn names(self, addrs: &[Addr]) -> String {
        let names: Vec<_> = addrs.iter().map(|addr| self.model.name_of(*addr)).collect();
        list_text(&names, NAMES_MAX)
    }

    /// As [`Explainer::names`], of those whose order says nothing: p2 before p10.
    fn names_in_order(self, addrs: &[Addr]) -> String {
        let mut addrs = addrs.to_vec();
        addrs.sort_by_cached_key(|addr| self.model.nodes().order_of(*addr));
        self.names(&addrs)
    }

    /// All of them, as many as anybody reads.
    fn all_names(self, addrs: &[Addr]) -> String {
        let names: Vec<_> = addrs.iter().map(|addr| self.model.name_of(*addr)).collect();
        list_text(&names, ALL_NAMES_MAX)
    }

    /// `03:13:02`: the millisecond stands with the evidence.
    fn clock(self, at: Time) -> String {
        second_text(at, self.utc_offset_s)
    }
}

/// In order of time, each line once, and no more than [`EVIDENCE_MAX`].
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
