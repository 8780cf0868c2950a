//! A command on its way to an engine, with a way back for the reason why it was not done.

use std::fmt::Display;

use tokio::sync::oneshot;

use crate::command::Command;

/// A command for an engine. Whoever gave it may wait for what came of it, or look later, or not at all.
#[derive(Debug)]
pub struct Order {
    command: Command,
    asker: Asker,
}

/// Whoever gave an order and may want to know what came of it.
#[derive(Debug)]
pub struct Asker(Option<oneshot::Sender<String>>);

/// What came of an order.
#[derive(Debug)]
pub struct Answer(oneshot::Receiver<String>);

impl Order {
    /// An order, and the way to learn what came of it.
    pub fn new(command: Command) -> (Self, Answer) {
        let (asker, answer) = oneshot::channel();
        (Self { command, asker: Asker(Some(asker)) }, Answer(answer))
    }

    /// What is wanted, and who is to hear what came of it.
    pub fn split(self) -> (Command, Asker) {
        (self.command, self.asker)
    }
}

impl Asker {
    /// It was carried out, or not for this reason.
    pub fn answer<E: Display>(self, result: Result<(), E>) {
        if let (Err(error), Some(asker)) = (result, self.0) {
            // Whoever asked may be gone.
            let _ = asker.send(error.to_string());
        }
    }
}

/// Nobody waits for what comes of it.
impl From<Command> for Order {
    fn from(command: Command) -> Self {
        Self { command, asker: Asker(None) }
    }
}

impl Answer {
    /// Why it was not done, if that is known by now.
    pub fn refusal(&mut self) -> Option<String> {
        self.0.try_recv().ok()
    }

    /// Waits until it was done, or is known not to be. What an engine that has ended did not do is nobody's fault.
    pub async fn wait(self) -> Result<(), String> {
        match self.0.await {
            Ok(why) => Err(why),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_gave_an_order_learns_why_it_was_not_done() {
        let give = |result: Result<(), &'static str>| {
            let (order, answer) = Order::new(Command::Quit);
            order.split().1.answer(result);
            answer
        };
        assert_eq!(give(Err("the door is locked")).wait().await, Err("the door is locked".to_owned()));
        assert_eq!(give(Err("the door is locked")).refusal(), Some("the door is locked".to_owned()));
        assert_eq!(give(Ok(())).wait().await, Ok(()));
        let (order, mut answer) = Order::new(Command::Quit);
        assert_eq!(answer.refusal(), None, "nothing is known yet");
        drop(order);
        assert_eq!(answer.wait().await, Ok(()));
    }
}
