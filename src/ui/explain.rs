//! What a line or a command asks about, and the answer.

use super::view::{Repeated, View};
use crate::event::NodeState;
use crate::model::diagram::subject::DiagramSubject;
use crate::model::fault::FaultRef;
use crate::model::link::LinkKey;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::why::{
    EvidenceLine, Explanation, about_message, about_node, why_dead, why_fault, why_link, why_not, why_seed, why_warning,
};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A node: why it is in its state.
    Node(Addr),
    /// A death, or why there is none.
    Death(Addr),
    /// A link, or why there is none.
    Link(LinkKey),
    /// A message, and who has it.
    Message(MessageId),
    /// A message at a node: why the node has it or not.
    Lack { node: Addr, id: MessageId },
    /// A fault: when it was set, and what it did.
    Fault(FaultRef),
    /// A warning, by its number.
    Warning(u64),
    /// A notice, by its number.
    Notice(u64),
}

/// The answer in words; `None` if its subject is gone. If the evidence may be incomplete, the
/// answer says so.
pub(crate) fn explain(subject: Subject, view: &View<'_>) -> Option<Explanation> {
    let mut why = answer(subject, view)?;
    let doubt = view.model.doubt().filter(|_| !matches!(subject, Subject::Notice(_)));
    why.evidence.extend(doubt.map(|text| EvidenceLine { at: None, text }));
    Some(why)
}

fn answer(subject: Subject, view: &View<'_>) -> Option<Explanation> {
    let (model, offset) = (view.model, view.utc_offset_s);
    Some(match subject {
        Subject::Node(addr) => about(addr, view),
        Subject::Death(addr) => why_dead(model, addr, offset),
        Subject::Link(LinkKey { node, peer }) => why_link(model, node, peer, offset),
        Subject::Message(id) => about_message(model, id, offset),
        Subject::Lack { node, id } => why_not(model, node, id, offset),
        Subject::Fault(fault) => why_fault(model, model.faults().find(fault)?, offset),
        Subject::Warning(number) => why_warning(model, model.warnings().list().get(number)?, view.now, offset),
        Subject::Notice(number) => {
            let line = view.lines.get(number)?;
            let title = format!("Notice of {}", view.second(line.at));
            let again = line.again.map(|Repeated { times, last }| EvidenceLine {
                at: Some(last),
                text: format!("the latest of {times} like this"),
            });
            Explanation { title, verdict: line.text.clone(), evidence: again.into_iter().collect() }
        }
    })
}

/// What a diagram of it is about; `None` if its subject is gone.
pub(crate) fn depicted(subject: Subject, view: &View<'_>) -> Option<DiagramSubject> {
    let of_node = |node: Addr| DiagramSubject::of_node(node, view.model, None);
    Some(match subject {
        Subject::Node(node) => of_node(node),
        Subject::Death(dead) => {
            let case = view.model.deaths().latest_of(dead);
            case.map_or(DiagramSubject::Node(dead), |case| DiagramSubject::Death { dead, at: case.at })
        }
        Subject::Link(LinkKey { node, peer }) => DiagramSubject::Link(node, peer),
        Subject::Message(id) | Subject::Lack { id, .. } => DiagramSubject::Message(id),
        Subject::Fault(_) => return None,
        Subject::Warning(number) => {
            let finding = &view.model.warnings().list().get(number)?.finding;
            finding.message().map(DiagramSubject::Message).or_else(|| finding.node().map(of_node))?
        }
        Subject::Notice(number) => of_node(view.lines.get(number)?.node?),
    })
}

/// For a dead node the answer is about its death, for a seed about its list, too.
fn about(addr: Addr, view: &View<'_>) -> Explanation {
    let (model, offset) = (view.model, view.utc_offset_s);
    let node = model.nodes().get(addr);
    let is_case = model.deaths().latest_of(addr).is_some();
    match node.map(NodeRecord::state) {
        Some(ObservedState::Dead | ObservedState::Killed) if is_case => why_dead(model, addr, offset),
        Some(_) | None if node.is_some_and(has_list) => {
            let (mut why, list) = (about_node(model, addr, offset), why_seed(model, addr, view.now, offset));
            why.verdict = format!("{} {}", why.verdict, list.verdict);
            why.evidence.splice(0..0, list.evidence);
            why
        }
        Some(_) | None => about_node(model, addr, offset),
    }
}

/// A hung seed keeps its list as it was.
fn has_list(node: &NodeRecord) -> bool {
    node.role == Some(Role::Seed) && matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs))
}
