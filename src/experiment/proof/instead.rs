//! What happens in a rerun in place of what is asked.

use std::time::Duration;

use crate::model::Model;
use crate::model::cause::Question;
use crate::model::node::NodeRecord;
use crate::proto::time::Time;

/// What is so in a rerun, of the subject of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instead {
    /// Nothing of that kind happened.
    Nothing,
    /// It happened at another time, or in another way.
    Otherwise(Question),
    /// The message came. `hop`: links that it had crossed; `after`: since it began.
    Came {
        hop: Option<u16>,
        after: Duration,
    },
    /// Nobody sent the message.
    NotSent,
    /// The peer is on the list, and it runs.
    Listed {
        is_listed: bool,
        runs: bool,
    },
    Neighbors(u32),
    /// The node was not started.
    NotStarted,
}

impl Instead {
    /// At the end of this run, in which that much was so; of what happened, the first from this time on
    /// that is not among what was so `before`.
    pub(super) fn of(question: &Question, (model, so): (&Model, &[Question]), before: &[Question], from: Time) -> Self {
        match question {
            Question::Death { .. } | Question::LinkEnd { .. } => {
                let is_new = |so: &&Question| so.at().is_some_and(|at| from <= at) && !before.contains(so);
                let found = so.iter().filter(|so| is_akin(so, question)).find(is_new);
                found.map_or(Self::Nothing, |found| Self::Otherwise(*found))
            }
            Question::Lack { node, message } => match model.rumors().get(*message) {
                None => Self::NotSent,
                Some(_) if model.nodes().get(*node).is_none() => Self::NotStarted,
                Some(rumor) => rumor
                    .copies
                    .get(node)
                    .map_or(Self::Nothing, |copy| Self::Came { hop: copy.hops(), after: copy.at.since(rumor.began()) }),
            },
            Question::Stale { seed, peer } | Question::Unlisted { seed, peer } => Self::Listed {
                is_listed: model.seeds().get(*seed).is_some_and(|view| view.listed.contains_key(peer)),
                runs: model.nodes().get(*peer).is_some_and(NodeRecord::runs),
            },
            Question::Alone { node } => {
                model.nodes().get(*node).map_or(Self::NotStarted, |node| Self::Neighbors(node.neighbors))
            }
            Question::NoSeed | Question::Parted => Self::Nothing,
        }
    }
}

/// The same subject and the same observer, in whatever way.
fn is_akin(one: &Question, other: &Question) -> bool {
    match (one, other) {
        (Question::Death { reporter, dead, .. }, Question::Death { reporter: r, dead: d, .. }) => {
            (reporter, dead) == (r, d)
        }
        (Question::LinkEnd { node, peer, .. }, Question::LinkEnd { node: n, peer: p, .. }) => (node, peer) == (n, p),
        (
            Question::Death { .. }
            | Question::Lack { .. }
            | Question::LinkEnd { .. }
            | Question::Stale { .. }
            | Question::Unlisted { .. }
            | Question::NoSeed
            | Question::Alone { .. }
            | Question::Parted,
            _,
        ) => false,
    }
}
