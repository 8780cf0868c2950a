//! Faults that the user has set: while messages are held up or lost on purpose, rules about their arrival say nothing.

use std::time::Duration;

use crate::event::{Event, EventKind};
use crate::proto::fault::{Fault, FaultClass};
use crate::proto::time::Time;

/// Which faults keep messages from arriving, and since when there is none.
#[derive(Debug, Default)]
pub(super) struct Disturbance {
    active: Vec<Fault>,
    until: Option<Time>,
}

impl Disturbance {
    /// Takes an event in.
    pub(super) fn take(&mut self, event: &Event) {
        if let EventKind::FaultSet { fault } = &event.kind
            && disturbs(fault)
        {
            self.active.push(fault.clone());
        }
        if let EventKind::FaultCleared { fault } = &event.kind
            && let Some(place) = self.active.iter().position(|active| active == fault)
        {
            self.active.swap_remove(place);
            // What was under way then still comes late.
            self.until = self.until.max(Some(event.at + fault.what.aftermath()));
        }
    }

    /// Was anything in the way at this time, less so long, or since?
    pub(super) fn was_since(&self, at: Time, grace: Duration) -> bool {
        !self.active.is_empty() || self.until.is_some_and(|until| until + grace >= at)
    }
}

/// Twice the same message, a wrong clock or a stranger's nonsense is no reason for anything not to arrive.
fn disturbs(fault: &Fault) -> bool {
    match fault.what.class() {
        FaultClass::Cut | FaultClass::Delay | FaultClass::Loss | FaultClass::Reorder | FaultClass::Slow => true,
        FaultClass::Duplicate | FaultClass::Skew | FaultClass::Junk => false,
    }
}
