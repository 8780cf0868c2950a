//! What can be asked by name: `p7`, `p7 p3#12`, `p3#12`, `p1 p3`, `s1`, `views`.

use super::past::{lies_told, past_lines};
use super::{
    EvidenceLine, Explainer, Explanation, NETWORK_WORDS, NetworkSubject, about_message, about_node, in_order, why_dead,
    why_link, why_not, why_seed, with_doubt,
};
use crate::event::NodeState;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::{Model, Set};
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
    /// The network as a whole.
    Network(NetworkSubject),
}

/// Words that name nothing that can be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Neither one word nor a pair that makes sense.
    #[error(
        "expected a node (p7), a message (p3#12), a node and a message (p7 p3#12), two nodes (p1 p3), views [NODE], load, waits, or times"
    )]
    Unreadable,
    #[error("'{one}' and '{other}' are one node: a link has two")]
    OneNode { one: String, other: String },
    #[error("'{0}' asks about the whole network, and takes no other word")]
    TakesNothing(String),
    #[error("there is no node '{0}'")]
    NoNode(String),
    #[error("there is no message '{0}'")]
    NoMessage(String),
}

/// Where names are looked up.
pub trait NameLookup {
    type Error: From<SubjectError>;

    fn node(&mut self, name: &str) -> Result<Addr, Self::Error>;

    /// Asked after all nodes.
    fn message(&mut self, name: &str) -> Result<MessageId, Self::Error>;
}

impl NameLookup for &Model {
    type Error = SubjectError;

    fn node(&mut self, name: &str) -> Result<Addr, SubjectError> {
        self.nodes().find(name).map(|node| node.addr).ok_or_else(|| SubjectError::NoNode(name.to_owned()))
    }

    fn message(&mut self, name: &str) -> Result<MessageId, SubjectError> {
        self.find_message(name).ok_or_else(|| SubjectError::NoMessage(name.to_owned()))
    }
}

/// A word names a message.
pub fn is_message(word: &str) -> bool {
    word.contains('#')
}

impl NamedSubject {
    /// What these words name in a network.
    pub fn find<N: NameLookup>(words: &[&str], mut names: N) -> Result<Self, N::Error> {
        match *words {
            ["views"] => Ok(Self::Network(NetworkSubject::Views)),
            ["times"] => Ok(Self::Network(NetworkSubject::Times)),
            ["waits"] => Ok(Self::Network(NetworkSubject::Waits)),
            ["load"] => Ok(Self::Network(NetworkSubject::Load)),
            ["views", node] => Ok(Self::Network(NetworkSubject::ViewOf(names.node(node)?))),
            [word] if is_message(word) => Ok(Self::Message(names.message(word)?)),
            [word] => Ok(Self::Node(names.node(word)?)),
            [word, _] if NETWORK_WORDS.contains(&word) => Err(SubjectError::TakesNothing(word.to_owned()).into()),
            [one, other] => match (is_message(one), is_message(other)) {
                (false, false) => Self::link((one, names.node(one)?), (other, names.node(other)?)),
                (false, true) => Ok(Self::Lack { node: names.node(one)?, id: names.message(other)? }),
                (true, false) => Ok(Self::Lack { node: names.node(other)?, id: names.message(one)? }),
                (true, true) => Err(SubjectError::Unreadable.into()),
            },
            _ => Err(SubjectError::Unreadable.into()),
        }
    }

    fn link<E: From<SubjectError>>((one, from): (&str, Addr), (other, to): (&str, Addr)) -> Result<Self, E> {
        if from == to {
            return Err(SubjectError::OneNode { one: one.to_owned(), other: other.to_owned() }.into());
        }
        Ok(Self::Link(from, to))
    }

    /// The node, if it asks about the state of one.
    pub const fn node(self) -> Option<Addr> {
        match self {
            Self::Node(node) => Some(node),
            Self::Link(..) | Self::Message(_) | Self::Lack { .. } | Self::Network(_) => None,
        }
    }

    /// The answer, as the network is at this time.
    pub fn explain(self, model: &Model, now: Time, utc_offset_s: i32) -> Explanation {
        let why = match self {
            Self::Node(addr) => why_node(model, addr, now, utc_offset_s),
            Self::Link(one, other) => why_link(model, one, other, utc_offset_s),
            Self::Message(id) => about_message(model, id, utc_offset_s),
            Self::Lack { node, id } => why_not(model, node, id, utc_offset_s),
            Self::Network(asked) => asked.explain(model, utc_offset_s),
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
            why.evidence = joined(why.evidence, in_order(past_lines(explainer, addr)));
            why
        }
        Some(_) | None if node.is_some_and(has_list) => {
            let (mut why, list) = (about_node(model, addr, utc_offset_s), why_seed(model, addr, now, utc_offset_s));
            why.verdict = format!("{} {}", why.verdict, list.verdict);
            why.is_certain &= list.is_certain;
            why.rests_on.extend(list.rests_on);
            why.evidence = joined(list.evidence, why.evidence);
            why
        }
        Some(_) | None => about_node(model, addr, utc_offset_s),
    }
}

/// The evidence of two answers in order of time. What stands without a time behind other lines, such as
/// how many more there are, stays behind them.
fn joined(one: Vec<EvidenceLine>, other: Vec<EvidenceLine>) -> Vec<EvidenceLine> {
    let with_times = |lines: Vec<EvidenceLine>| {
        lines.into_iter().scan(None, |latest, line| {
            *latest = line.at.max(*latest);
            Some((line, *latest))
        })
    };
    let lines: Set<(EvidenceLine, Option<Time>)> = with_times(one).chain(with_times(other)).collect();
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(_, at)| *at);
    lines.into_iter().map(|(line, _)| line).collect()
}

/// A hung seed keeps its list as it was.
fn has_list(node: &NodeRecord) -> bool {
    node.role == Some(Role::Seed) && matches!(node.life(), Some(NodeState::Runs | NodeState::Hangs))
}
