//! What was asked for of the past, and how it goes on from there.

use super::action::PaneId;
use super::seek::SeekId;

/// The moments that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Seeks {
    pub(crate) last: SeekId,
    /// What is to be done when the last one is shown.
    pub(crate) pending: Option<AfterSeek>,
}

/// How it goes on from a moment that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterSeek {
    /// As it was before.
    GoOn,
    /// It plays.
    Play,
    /// It stands still.
    Stop,
    /// It stands still, and this pane shows what happened then.
    StopAt(PaneId),
    /// The same, and it is said where it was found.
    Found(PaneId),
}

impl Seeks {
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }
}
