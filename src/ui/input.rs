//! Where keys come from: the terminal, or a test.

use std::io;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;

/// A source of what the user does.
pub(crate) trait Input {
    /// The next thing that the user does; `None` when there will be no more. Cancel safe. To be
    /// polled by one task only: crossterm wakes whoever asked first, and nobody else.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<Event>>> + Send;
}

/// The real keyboard.
pub(crate) struct Keyboard(EventStream);

impl Keyboard {
    pub(crate) fn new() -> Self {
        Self(EventStream::new())
    }
}

impl Input for Keyboard {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        self.0.next().await
    }
}
