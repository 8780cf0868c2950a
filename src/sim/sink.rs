//! Where the events of a world go.

use crate::event::Event;

/// Takes the events of a world, one by one and in order, while time passes.
///
/// A world without listeners makes no event: no text, no allocation. What happens in it is the
/// same.
pub trait EventSink {
    /// Whether anybody listens; asked before each event is made.
    fn listens(&self) -> bool {
        true
    }

    fn take(&mut self, event: Event);
}

/// Keeps all events: for short runs and tests.
impl EventSink for Vec<Event> {
    fn take(&mut self, event: Event) {
        self.push(event);
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn listens(&self) -> bool {
        false
    }

    fn take(&mut self, _event: Event) {}
}
