//! Faults that the user has set: while messages are delayed or lost on purpose, rules about their
//! arrival do not apply.

use std::time::Duration;

use crate::event::{Event, EventKind, FaultEvent};
use crate::proto::fault::{Fault, Hindrance};
use crate::proto::time::Time;

/// Which faults keep messages from arriving, and since when there is none.
#[derive(Debug, Default)]
pub(super) struct Disturbance {
    active: Vec<Fault>,
    until: Option<Time>,
}

impl Disturbance {
    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        if let EventKind::Fault(FaultEvent::Set { fault, .. }) = &event.kind
            && fault.what.class().row().hindrance != Hindrance::None
        {
            self.active.push(fault.clone());
        }
        if let EventKind::Fault(FaultEvent::Cleared { fault, .. }) = &event.kind
            && let Some(place) = self.active.iter().position(|active| active == fault)
        {
            self.active.swap_remove(place);
            // What was on its way then still arrives late.
            self.until = self.until.max(Some(event.at + fault.what.delay_max()));
        }
    }

    /// Whether anything was in the way at this time, `grace` before it, or since.
    pub(super) fn was_since(&self, at: Time, grace: Duration) -> bool {
        !self.active.is_empty() || self.until.is_some_and(|until| until + grace >= at)
    }
}
