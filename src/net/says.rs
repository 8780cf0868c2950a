//! Messages of the user that wait because a queue is crowded: what a node originates waits like
//! what others send.

use std::collections::VecDeque;

use super::pressure::STUCK_AFTER;
use crate::proto::machine::NodeCommand;
use crate::proto::time::Time;

/// Messages that are sent in one turn once there is room: each may be as long as any.
const TURN_MAX: usize = 16;

/// The waiting messages: see the module.
#[derive(Debug, Default)]
pub(super) struct Says {
    waiting: VecDeque<NodeCommand>,
    /// When the next one is sent, whatever the state of the queues.
    next_at: Option<Time>,
}

impl Says {
    pub(super) fn push(&mut self, say: NodeCommand) {
        self.waiting.push_back(say);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn next_at(&self) -> Option<Time> {
        self.next_at
    }

    /// What to send now: all that a turn takes once no queue is crowded, and one message every
    /// [`STUCK_AFTER`] in any case.
    pub(super) fn take_due(&mut self, now: Time, is_crowded: bool) -> Vec<NodeCommand> {
        let planned = self.next_at.filter(|at| *at > now);
        let is_due = self.next_at.is_some() && planned.is_none();
        let count = if is_crowded { usize::from(is_due) } else { TURN_MAX };
        let due = self.waiting.drain(..count.min(self.waiting.len())).collect();
        self.next_at = match (self.waiting.is_empty(), is_crowded) {
            (true, _) => None,
            (false, true) => planned.or(Some(now + STUCK_AFTER)),
            (false, false) => Some(now),
        };
        due
    }
}
