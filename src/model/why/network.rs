//! What can be asked about the network as a whole, in figures.

use super::Explanation;
use super::views::{view_of, views};
use crate::model::Model;
use crate::proto::addr::Addr;

/// What the figures are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkSubject {
    /// Who knows whom.
    Views,
    /// Whom this peer knows, or who is on the list of this seed.
    ViewOf(Addr),
}

/// Words that ask about the network.
pub const NETWORK_WORDS: &[&str] = &["views"];

impl NetworkSubject {
    pub fn explain(self, model: &Model, utc_offset_s: i32) -> Explanation {
        match self {
            Self::Views => views(model, utc_offset_s),
            Self::ViewOf(node) => view_of(model, node, utc_offset_s),
        }
    }
}
