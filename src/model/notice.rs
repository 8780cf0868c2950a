//! Notices to the user, one line each.

use super::ring::Ring;
use crate::event::Event;
use crate::proto::time::Time;

/// Notices that are kept: more than anybody scrolls back through.
pub const NOTICES_MAX: usize = 1_000;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something went wrong, and the network deals with it.
    Warning,
    /// Something that the user wanted was not done, or only the user can fix it.
    Error,
}

/// A notice. Its text is made when it is shown: see `Model::notice_text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub at: Time,
    pub severity: Severity,
    pub event: Event,
}

/// The notices: see [`Ring`] for their numbers.
pub type Notices = Ring<Notice>;

pub(super) fn empty() -> Notices {
    Ring::new(NOTICES_MAX)
}
