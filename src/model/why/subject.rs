//! What can be asked by name: `p7`, `p7 p3#12`, `p3#12`, `p1 p3`, `s1`.

use super::past::{lies_told, past_lines};
use super::{
    Explainer, Explanation, about_message, about_node, in_order, why_dead, why_link, why_not, why_seed, with_doubt,
};
use crate::event::NodeState;
use crate::model::Model;
use crate::model::node::{NodeRecord, ObservedState};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedSubject {
    /// A node: why it is in its state.
    Node(Addr),
    /// A link, or why there is none.
    Link(Addr, Addr),
    /// A message, and who has it.
    Message(MessageId),
    /// A message at a node: why the node has it or not.
    Lack { node: Addr, id: MessageId },
}

/// Words that name nothing that can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectError {
    /// Neither one word nor a pair that makes sense.
    Unreadable,
    NoNode(String),
    NoMessage(String),
}

/// A word names a message.
pub fn is_message(word: &str) -> bool {
    word.contains('#')
}

impl NamedSubject {
    /// What these words name in this network.
    pub fn find(words: &[&str], model: &Model) -> Result<Self, SubjectError> {
        let node = |word: &str| {
            let node = model.nodes().find(word).map(|node| node.addr);
            node.ok_or_else(|| SubjectError::NoNode(word.to_owned()))
        };
        let message = |word: &str| model.find_message(word).ok_or_else(|| SubjectError::NoMessage(word.to_owned()));
        match *words {
            [word] if is_message(word) => Ok(Self::Message(message(word)?)),
            [word] => Ok(Self::Node(node(word)?)),
            [one, other] => match (is_message(one), is_message(other)) {
                (false, false) => Ok(Self::Link(node(one)?, node(other)?)),
                (false, true) => Ok(Self::Lack { node: node(one)?, id: message(other)? }),
                (true, false) => Ok(Self::Lack { node: node(other)?, id: message(one)? }),
                (true, true) => Err(SubjectError::Unreadable),
            },
            _ => Err(SubjectError::Unreadable),
        }
    }

    /// The answer, as the network is at this time.
    pub fn explain(self, model: &Model, now: Time, utc_offset_s: i32) -> Explanation {
        let why = match self {
            Self::Node(addr) => why_node(model, addr, now, utc_offset_s),
            Self::Link(one, other) => why_link(model, one, other, utc_offset_s),
            Self::Message(id) => about_message(model, id, utc_offset_s),
            Self::Lack { node, id } => why_not(model, node, id, utc_offset_s),
        };
        with_doubt(model, why)
    }
}

/// What there is to say of a node: of a dead one it is about its death, of a seed about its list, too.
pub fn why_node(model: &Model, addr: Addr, now: Time, utc_offset_s: i32) -> Explanation {
    let node = model.nodes().get(addr);
    let is_case = model.deaths().latest_of(addr).is_some();
    match node.map(NodeRecord::state) {
        Some(ObservedState::Dead | ObservedState::Killed) if is_case => {
            let explainer = Explainer { model, utc_offset_s };
            let mut why = why_dead(model, addr, utc_offset_s);
            why.verdict.push_str(&lies_told(explainer, addr).unwrap_or_default());
            why.evidence.extend(past_lines(explainer, addr));
            Explanation { evidence: in_order(why.evidence), ..why }
        }
        Some(_) | None if node.is_some_and(has_list) => {
            let (mut why, list) = (about_node(model, addr, utc_offset_s), why_seed(model, addr, now, utc_offset_s));
            why.verdict = format!("{} {}", why.verdict, list.verdict);
            why.is_certain &= list.is_certain;
            why.evidence.splice(0..0, list.evidence);
            why
        }
        Some(_) | None => about_node(model, addr, utc_offset_s),
    }
}

/// A hung seed keeps its list as it was.
fn has_list(node: &NodeRecord) -> bool {
    node.role == Some(Role::Seed) && matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs))
}
