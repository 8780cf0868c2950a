//! Causes: what was done to the network that made something so, found in the events.
//!
//! A [`Question`] is about one thing that happened, or that did not. Its [`Reason`] names deeds of the
//! user, as sets of which each was enough: *because of X* means that without X it would not have been
//! so. In virtual time that can be tried (see `experiment::proof`), which is how these rules are held
//! to it. What the events do not settle is [`Reason::NotCertain`].

mod besides;
mod block;
mod crossing;
mod death;
mod deeds;
mod lack;
mod link;
mod listing;
mod overlay;
mod question;
mod reason;

use super::Model;
use super::link::{LinkHistory, LinkStep};
use crate::proto::addr::Addr;
pub(super) use lack::LackReasons;
pub use question::{Question, QuestionKind, questions};
pub use reason::{Causes, Deed, ProtocolRule, Reason, deeds_of};

/// Why it is so.
pub fn reason(model: &Model, question: &Question) -> Reason {
    match question {
        Question::Death { reporter, dead, at, .. } => death::reason(model, *reporter, *dead, *at),
        Question::Lack { node, message } => lack::reason(model, *node, *message),
        Question::LinkEnd { node, peer, at, .. } => link::reason(model, *node, *peer, *at),
        Question::Stale { peer, .. } => listing::stale(model, *peer),
        Question::Unlisted { seed, peer } => listing::missing(model, *seed, *peer),
        Question::NoSeed => overlay::no_seed(model),
        Question::Alone { node } => overlay::alone(model, *node),
        Question::Parted => overlay::parted(model, &parts(model)),
    }
}

/// Why the overlay is in these parts.
pub(super) fn parted_by(model: &Model, parts: &[Vec<Addr>]) -> Reason {
    overlay::parted(model, parts)
}

/// The parts of the overlay, as far as they have several nodes.
fn parts(model: &Model) -> Vec<Vec<Addr>> {
    let parts = model.overlay().with_one_elsewhere().parts();
    parts.into_iter().filter(|part| part.len() > 1).collect()
}

/// Why a link was lost with this step of its history.
pub(super) fn link_lost(model: &Model, link: &LinkHistory, step: &LinkStep) -> Reason {
    link::of_step(model, link, step)
}

/// Why a node has had no answer from its neighbor since its last one.
pub(super) fn silence(model: &Model, asker: Addr, target: Addr) -> Reason {
    death::silence(model, asker, target)
}
