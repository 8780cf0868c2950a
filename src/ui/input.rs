//! Where keys come from: the terminal, or a test.

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;

use super::decode::{Decoder, Paste, UserInput};
use crate::clock::Clock;
use crate::platform::{self, SignalStream, TerminalRead};

/// Keys that wait to be looked at: more than anybody types between two looks.
const KEYS_MAX: usize = 1_024;
/// How often to look whether the terminal is ours again. What is typed meanwhile is the shell's.
const BACKGROUND_LOOK: Duration = Duration::from_millis(100);

/// A source of what the user does.
pub(crate) trait InputSource {
    /// The next thing that the user does; `None` when there will be no more. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<UserInput>>> + Send;
}

/// The real keyboard, read by a thread of its own: it waits for nobody, however busy the runtime's
/// threads are with the network.
pub(crate) struct Keyboard {
    keys: mpsc::Receiver<io::Result<UserInput>>,
    resized: SignalStream,
    continued: SignalStream,
}

impl Keyboard {
    /// A keyboard that is read from now on, until the program ends.
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let (to_console, keys) = mpsc::channel(KEYS_MAX);
        let mut terminal = platform::TerminalReader::open()?;
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            if let Err(error) = read_keys(&mut terminal, clock, &to_console) {
                // A console that is gone has no use for it.
                let _ = to_console.blocking_send(Err(error));
            }
        })?;
        Ok(Self { keys, resized: SignalStream::resized()?, continued: SignalStream::continued()? })
    }
}

impl InputSource for Keyboard {
    async fn next(&mut self) -> Option<io::Result<UserInput>> {
        tokio::select! {
            biased;
            () = self.continued.next() => Some(Ok(UserInput::Continued)),
            heard = self.keys.recv() => heard,
            () = self.resized.next() => {
                Some(crossterm::terminal::size().map(|(columns, rows)| UserInput::Event(Event::Resize(columns, rows))))
            }
        }
    }
}

/// Reads until the terminal or the console is gone. Never in the background: who reads there is stopped.
fn read_keys(
    keys: &mut platform::TerminalReader,
    clock: Clock,
    to_console: &mpsc::Sender<io::Result<UserInput>>,
) -> io::Result<()> {
    let mut decoder = Decoder::default();
    loop {
        let wait = decoder.deadline().map(|deadline| deadline.since(clock.now()));
        let heard = if keys.is_readable(wait)? {
            // What is typed when the console is gone is the shell's.
            if to_console.is_closed() {
                return Ok(());
            }
            if !keys.is_ours() {
                std::thread::sleep(BACKGROUND_LOOK);
                continue;
            }
            match keys.read()? {
                TerminalRead::Bytes(bytes) => decoder.take(bytes, clock.now()),
                TerminalRead::Event(Event::Paste(text)) => vec![UserInput::Pasted(Paste { len: text.len(), text })],
                TerminalRead::Event(event) => vec![UserInput::Event(event)],
                TerminalRead::Nothing => continue,
                TerminalRead::End => return Ok(()),
            }
        } else if decoder.deadline().is_some_and(|deadline| deadline <= clock.now()) {
            decoder.give_up()
        } else {
            continue;
        };
        for heard in heard {
            if to_console.blocking_send(Ok(heard)).is_err() {
                return Ok(());
            }
        }
    }
}
