//! A command on its way to an engine, with a way back for the reason why it was not done.

use tokio::sync::oneshot;

use crate::command::Command;
use crate::engine::Refusal;

/// A command for an engine. Whoever gave it may wait for what came of it, or look later, or not at all.
#[derive(Debug)]
pub struct Request {
    command: Command,
    responder: Responder,
}

/// Whoever gave a request and may want to know what came of it.
#[derive(Debug)]
pub struct Responder(Option<oneshot::Sender<Refusal>>);

/// What came of a request.
#[derive(Debug)]
pub struct Response(oneshot::Receiver<Refusal>);

impl Request {
    /// A request, and the way to learn what came of it.
    pub fn new(command: Command) -> (Self, Response) {
        let (responder, answer) = oneshot::channel();
        (Self { command, responder: Responder(Some(responder)) }, Response(answer))
    }

    /// What is wanted, and who is to hear what came of it.
    pub fn split(self) -> (Command, Responder) {
        (self.command, self.responder)
    }
}

impl Responder {
    /// It was carried out, or not for this reason.
    pub fn answer(self, result: Result<(), Refusal>) {
        if let (Err(refusal), Some(responder)) = (result, self.0) {
            // Whoever asked may be gone.
            let _ = responder.send(refusal);
        }
    }
}

/// Nobody waits for what comes of it.
impl From<Command> for Request {
    fn from(command: Command) -> Self {
        Self { command, responder: Responder(None) }
    }
}

impl Response {
    /// Why it was not done, if that is known by now.
    pub fn refusal(&mut self) -> Option<Refusal> {
        self.0.try_recv().ok()
    }

    /// Waits until it was done, or is known not to be. What an engine that has ended did not do is nobody's fault.
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
