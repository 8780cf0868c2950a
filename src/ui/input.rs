//! The source of keys: the terminal, or a test.

use std::io;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;

use super::decode::{Decoder, Paste, UserInput};
use crate::clock::Clock;
use crate::platform::{self, SignalStream, TerminalRead};

/// Keys that wait to be handled: more than anybody types in between.
const KEYS_MAX: usize = 1_024;
/// How often to check whether the terminal is ours again. What is typed meanwhile is the shell's.
const BACKGROUND_LOOK: Duration = Duration::from_millis(100);

/// A source of user input.
pub(crate) trait InputSource {
    /// The next input; `None` when there will be no more. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<UserInput>>> + Send;
}

/// The real keyboard, read on a thread of its own, which waits for nobody, however busy the network
/// keeps the runtime's threads.
pub(crate) struct Keyboard {
    keys: mpsc::Receiver<io::Result<UserInput>>,
    resized: SignalStream,
    continued: SignalStream,
}

impl Keyboard {
    /// A keyboard that is read until the program ends.
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

/// Reads until the terminal or the console is gone. Never in the background: a process that reads
/// there is stopped.
fn read_keys(
    keys: &mut platform::TerminalReader,
    clock: Clock,
    to_console: &mpsc::Sender<io::Result<UserInput>>,
) -> io::Result<()> {
    let mut decoder = Decoder::default();
    loop {
        let wait = decoder.deadline().map(|deadline| deadline.since(clock.now()));
        let heard = if keys.is_readable(wait)? {
            // What is typed after the console is gone is the shell's.
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
