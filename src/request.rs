//! A command on its way to an engine, with a way back for a refusal.

use tokio::sync::oneshot;

use crate::command::Command;
use crate::engine::Refusal;

/// A command for an engine. Its sender may wait for the outcome, or look later, or not at all.
#[derive(Debug)]
pub struct Request {
    command: Command,
    responder: Responder,
}

/// The engine's end of a request: takes the outcome.
#[derive(Debug)]
pub struct Responder(Option<oneshot::Sender<Refusal>>);

/// The sender's end of a request: the outcome.
#[derive(Debug)]
pub struct Response(oneshot::Receiver<Refusal>);

impl Request {
    /// A request, and the way to learn its outcome.
    pub fn new(command: Command) -> (Self, Response) {
        let (responder, answer) = oneshot::channel();
        (Self { command, responder: Responder(Some(responder)) }, Response(answer))
    }

    /// The command, and the end that takes its outcome.
    pub fn split(self) -> (Command, Responder) {
        (self.command, self.responder)
    }
}

impl Responder {
    /// The command was carried out, or refused.
    pub fn answer(self, result: Result<(), Refusal>) {
        if let (Err(refusal), Some(responder)) = (result, self.0) {
            // The sender may be gone.
            let _ = responder.send(refusal);
        }
    }
}

/// A request whose outcome nobody waits for.
impl From<Command> for Request {
    fn from(command: Command) -> Self {
        Self { command, responder: Responder(None) }
    }
}

impl Response {
    /// Why it was refused, if that is known by now.
    pub fn refusal(&mut self) -> Option<Refusal> {
        self.0.try_recv().ok()
    }

    /// Waits until it was carried out or refused. If the engine has ended, that counts as carried
    /// out.
    pub async fn wait(self) -> Result<(), Refusal> {
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
    async fn whoever_gives_a_command_learns_why_it_was_refused() {
        let give = |result: Result<(), Refusal>| {
            let (request, response) = Request::new(Command::Quit);
            request.split().1.answer(result);
            response
        };
        assert_eq!(give(Err(Refusal::SecondLab)).wait().await, Err(Refusal::SecondLab));
        assert_eq!(give(Err(Refusal::SecondLab)).refusal(), Some(Refusal::SecondLab));
        assert_eq!(give(Ok(())).wait().await, Ok(()));
        let (request, mut response) = Request::new(Command::Quit);
        assert_eq!(response.refusal(), None, "nothing is known yet");
        drop(request);
        assert_eq!(response.wait().await, Ok(()));
    }
}
