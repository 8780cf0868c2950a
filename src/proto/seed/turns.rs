//! Whose turn it is to get the list in the classic dialect, where it comes before the name.
//!
//! Two peers that connect at the same moment would both get a list without the other, and neither asks again: a network
//! that starts all at once would never form. A Python seed does nothing else until a new connection has named its address,
//! so each list names all that connected before. A seed of ours does the same, one list at a time, but waits for nobody longer
//! than [`TURN`].

use std::collections::VecDeque;
use std::time::Duration;

use crate::proto::config::HALF_OPEN_MAX;
use crate::proto::event::LinkId;
use crate::proto::time::Time;

/// How long the next one waits for a name at most: longer than any way there and back in one place. So somebody who connects and
/// says nothing holds up the others by no more than that.
const TURN: Duration = Duration::from_millis(100);

/// Connections that wait for the list; each is one that has not named itself, so there is a limit to them.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: VecDeque<LinkId>,
    /// Who got the list last, and until when its name is waited for.
    current: Option<(LinkId, Time)>,
}

impl Turns {
    /// The link waits from now on; how long at most, before its turn comes. `is_open`: who of those that wait is still there.
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

    /// Who got the list last is still waited for, unless that has no name to say any more.
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
