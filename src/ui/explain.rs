//! What a line or a command asks about, and the answer.

use super::view::{Repeated, View};
use crate::model::diagram::subject::DiagramSubject;
use crate::model::fault::FaultRef;
use crate::model::link::LinkKey;
use crate::model::why::{
    EvidenceLine, Explanation, NamedSubject, NetworkSubject, about_message, why_dead, why_fault, why_link, why_node,
    why_not, why_warning, with_doubt,
};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;

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
    /// The network as a whole.
    Network(NetworkSubject),
    /// A fault: when it was set, and what it did.
    Fault(FaultRef),
    /// A warning, by its number.
    Warning(u64),
    /// A notice, by its number.
    Notice(u64),
}

impl From<NamedSubject> for Subject {
    fn from(named: NamedSubject) -> Self {
        match named {
            NamedSubject::Node(node) => Self::Node(node),
            NamedSubject::Link(node, peer) => Self::Link(LinkKey { node, peer }),
            NamedSubject::Message(id) => Self::Message(id),
            NamedSubject::Lack { node, id } => Self::Lack { node, id },
            NamedSubject::Network(asked) => Self::Network(asked),
        }
    }
}

impl Subject {
    /// The nodes that the question names.
    pub(crate) fn nodes(self) -> Vec<Addr> {
        match self {
            Self::Node(node)
            | Self::Death(node)
            | Self::Lack { node, .. }
            | Self::Network(NetworkSubject::ViewOf(node)) => vec![node],
            Self::Link(LinkKey { node, peer }) => vec![node, peer],
            Self::Message(_)
            | Self::Network(
                NetworkSubject::Views | NetworkSubject::Load | NetworkSubject::Waits | NetworkSubject::Times,
            )
            | Self::Fault(_)
            | Self::Warning(_)
            | Self::Notice(_) => Vec::new(),
        }
    }

    /// The node, if it asks about the state of one.
    pub(crate) const fn node(self) -> Option<Addr> {
        match self {
            Self::Node(node) | Self::Death(node) => Some(node),
            Self::Link(_)
            | Self::Message(_)
            | Self::Lack { .. }
            | Self::Network(_)
            | Self::Fault(_)
            | Self::Warning(_)
            | Self::Notice(_) => None,
        }
    }
}

/// The answer in words; `None` if its subject is gone. If the evidence may be incomplete, the
/// answer says so.
pub(crate) fn explain(subject: Subject, view: &View<'_>) -> Option<Explanation> {
    let why = answer(subject, view)?;
    Some(if matches!(subject, Subject::Notice(_)) { why } else { with_doubt(view.model, why) })
}

fn answer(subject: Subject, view: &View<'_>) -> Option<Explanation> {
    let (model, offset) = (view.model, view.utc_offset_s);
    Some(match subject {
        Subject::Node(addr) => why_node(model, addr, view.now, offset),
        Subject::Death(addr) => why_dead(model, addr, offset),
        Subject::Link(LinkKey { node, peer }) => why_link(model, node, peer, offset),
        Subject::Message(id) => about_message(model, id, offset),
        Subject::Lack { node, id } => why_not(model, node, id, offset),
        Subject::Network(asked) => asked.explain(model, offset),
        Subject::Fault(fault) => why_fault(model, model.faults().find(fault)?, offset),
        Subject::Warning(number) => why_warning(model, model.warnings().list().get(number)?, view.now, offset),
        Subject::Notice(number) => {
            let line = view.lines.get(number)?;
            let title = format!("Notice of {}", view.second(line.at));
            let again = line.again.map(|Repeated { times, last }| EvidenceLine {
                at: Some(last),
                text: format!("the latest of {times} like this"),
                source: None,
            });
            let (verdict, evidence) = (line.text.clone(), again.into_iter().collect());
            Explanation { title, verdict, is_certain: true, evidence, table: None, rests_on: Vec::new() }
        }
    })
}

/// What a diagram of it is about; `None` if its subject is gone.
pub(crate) fn depicted(subject: Subject, view: &View<'_>) -> Option<DiagramSubject> {
    let of_node = |node: Addr| DiagramSubject::of_node(node, view.model, None);
    Some(match subject {
        Subject::Node(node) | Subject::Network(NetworkSubject::ViewOf(node)) => of_node(node),
        Subject::Death(dead) => {
            let case = view.model.deaths().latest_of(dead);
            case.map_or(DiagramSubject::Node(dead), |case| DiagramSubject::Death { dead, at: case.at })
        }
        Subject::Link(LinkKey { node, peer }) => DiagramSubject::Link(node, peer),
        Subject::Message(id) | Subject::Lack { id, .. } => DiagramSubject::Message(id),
        Subject::Fault(_)
        | Subject::Network(
            NetworkSubject::Views | NetworkSubject::Load | NetworkSubject::Waits | NetworkSubject::Times,
        ) => return None,
        Subject::Warning(number) => {
            let finding = &view.model.warnings().list().get(number)?.finding;
            finding.message().map(DiagramSubject::Message).or_else(|| finding.node().map(of_node))?
        }
        Subject::Notice(number) => of_node(view.lines.get(number)?.node?),
    })
}
