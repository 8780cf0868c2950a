//! Causes: what was done to the network that made something so, found in the events.
//!
//! A [`Question`] is about one thing that happened, or that did not. Its [`Reason`] names deeds of the
//! user, as sets of which each was enough: *because of X* means that without X it would not have been
//! so. In virtual time that can be tried (see `experiment::proof`), which is how these rules are held
//! to it. What the events do not settle is [`Reason::NotCertain`].

mod block;
mod death;
mod deeds;
mod lack;
mod link;
mod question;
mod reason;

use super::Model;
use super::link::{LinkHistory, LinkStep};
use crate::proto::addr::Addr;
pub(super) use lack::LackReasons;
pub use question::{Question, QuestionKind, questions};
pub use reason::{Causes, Deed, ProtocolRule, Reason};

/// Why it is so.
pub fn reason(model: &Model, question: &Question) -> Reason {
    match question {
        Question::Death { reporter, dead, at, .. } => death::reason(model, *reporter, *dead, *at),
        Question::Lack { node, message } => lack::reason(model, *node, *message),
        Question::LinkEnd { node, peer, at, .. } => link::reason(model, *node, *peer, *at),
    }
}

/// Why a link was lost with this step of its history.
pub(super) fn link_lost(model: &Model, link: &LinkHistory, step: &LinkStep) -> Reason {
    link::of_step(model, link, step)
}

/// Why a node has had no answer from its neighbor since its last one.
pub(super) fn silence(model: &Model, asker: Addr, asked: Addr) -> Reason {
    death::silence(model, asker, asked)
}
