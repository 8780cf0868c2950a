//! Where keys come from: the terminal, or a test.

use std::io;

use crossterm::event::Event;
use tokio::sync::mpsc;

/// Keys that wait to be looked at: more than anybody types, or pastes, between two looks.
const KEYS_MAX: usize = 1_024;

/// A source of what the user does.
pub(crate) trait Input {
    /// The next thing that the user does; `None` when there will be no more. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<Event>>> + Send;
}

/// The real keyboard, read by a thread of its own: it waits for nobody, however busy the runtime's
/// threads are with the network.
pub(crate) struct Keyboard {
    keys: mpsc::Receiver<io::Result<Event>>,
}

impl Keyboard {
    /// A keyboard that is read from now on, until the program ends.
    pub(crate) fn new() -> io::Result<Self> {
        let (to_console, keys) = mpsc::channel(KEYS_MAX);
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            loop {
                let event = crossterm::event::read();
                let last = event.is_err();
                if to_console.blocking_send(event).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Self { keys })
    }
}

impl Input for Keyboard {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        self.keys.recv().await
    }
}
