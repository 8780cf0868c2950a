//! Whose turn it is to get the list in the classic dialect, where the list comes before the name.
//!
//! Two peers that connect at the same moment would both get a list without the other, and neither
//! asks again: a network that starts all at once would never form. A Python seed does nothing else
//! until a new connection has named its address, so each list names all that connected before. A
//! seed of ours also hands out one list at a time, but waits no longer than [`TURN`].

use std::collections::VecDeque;
use std::time::Duration;

use crate::proto::config::HALF_OPEN_MAX;
use crate::proto::event::LinkId;
use crate::proto::time::Time;

/// How long the next one waits for a name: longer than any round trip in one place. So a connection
/// that says nothing holds up the others no longer than that.
const TURN: Duration = Duration::from_millis(100);

/// Connections that wait for the list. None has named itself, so their number is limited.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: VecDeque<LinkId>,
    /// Who got the list last, and until when its name is waited for.
    current: Option<(LinkId, Time)>,
}

impl Turns {
    /// The link waits from now on. Returns the longest time until its turn. `is_open`: which of
    /// those that wait are still there.
    pub(super) fn add(&mut self, link: LinkId, is_open: impl Fn(LinkId) -> bool) -> Duration {
        if self.waiting.len() >= HALF_OPEN_MAX {
            self.waiting.retain(|waiting| is_open(*waiting));
        }
        self.waiting.push_back(link);
        TURN * u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// When the next turn comes if no name does.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.current.filter(|_| !self.waiting.is_empty()).map(|(_, until)| until)
    }

    /// The one that got the list last is still waited for, unless it has named itself or is gone.
    pub(super) fn is_taken(&self, now: Time, is_nameless: impl Fn(LinkId) -> bool) -> bool {
        self.current.is_some_and(|(link, until)| until > now && is_nameless(link))
    }

    /// Whose turn is next.
    pub(super) fn next(&mut self) -> Option<LinkId> {
        self.current = None;
        self.waiting.pop_front()
    }

    /// This one gets the list now.
    pub(super) fn give(&mut self, now: Time, link: LinkId) {
        self.current = Some((link, now + TURN));
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
