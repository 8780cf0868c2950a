//! What can be asked about the network as a whole, in figures.

use super::Explanation;
use super::load::load;
use super::times::times;
use super::views::{view_of, views};
use super::waits::waits;
use crate::model::Model;
use crate::proto::addr::Addr;

/// What the figures are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkSubject {
    /// Who knows whom.
    Views,
    /// Whom this peer knows, or who is on the list of this seed.
    ViewOf(Addr),
    /// Who sends how many copies, and what falls apart without whom.
    Load,
    /// How long copies take over each link, and what met a full queue.
    Waits,
    /// How long it took to find deaths, to heal and to spread messages.
    Times,
}

/// Words that ask about the network.
pub const NETWORK_WORDS: &[&str] = &["views", "load", "waits", "times"];

impl NetworkSubject {
    pub fn explain(self, model: &Model, utc_offset_s: i32) -> Explanation {
        match self {
            Self::Views => views(model, utc_offset_s),
            Self::ViewOf(node) => view_of(model, node, utc_offset_s),
            Self::Load => load(model, utc_offset_s),
            Self::Waits => waits(model, utc_offset_s),
            Self::Times => times(model, utc_offset_s),
        }
    }
}
