//! Where keys come from: the terminal, or a test.

use std::io;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// Keys that wait to be looked at: more than anybody types, or pastes, between two looks.
const KEYS_MAX: usize = 1_024;

/// A source of what the user does.
pub(crate) trait Input {
    /// The next thing that the user does; `None` when there will be no more. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<Event>>> + Send;
}

/// The real keyboard, read by a task of its own: to ask crossterm whether there is a key costs a
/// fight for its lock, so it is asked when there is one, not whenever anything happens. It also
/// wakes whoever asked first, and nobody else.
pub(crate) struct Keyboard {
    keys: mpsc::Receiver<io::Result<Event>>,
    _reader: AbortOnDropHandle<()>,
}

impl Keyboard {
    /// A keyboard that is read from now on. To be called within a runtime.
    pub(crate) fn new() -> Self {
        let (to_console, keys) = mpsc::channel(KEYS_MAX);
        let reader = tokio::spawn(async move {
            let mut events = EventStream::new();
            while let Some(event) = events.next().await {
                if to_console.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { keys, _reader: AbortOnDropHandle::new(reader) }
    }
}

impl Input for Keyboard {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        self.keys.recv().await
    }
}
