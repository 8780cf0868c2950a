//! `:why .. as p3`: reads what one node alone knew at a moment of the session.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::NETWORK_NICENESS;
use crate::platform::lower_thread_priority;
use crate::session::vantage::alone_at;
use crate::ui::{FromHost, LoneQuestion};

/// A handle to the thread that reads; it ends with it. A newer question takes the place of the one before.
pub(crate) struct LoneServer {
    asked: watch::Sender<Option<(PathBuf, LoneQuestion)>>,
}

impl LoneServer {
    /// Within the runtime, which the thread waits on.
    pub(crate) fn start(answers: mpsc::Sender<FromHost>) -> io::Result<Self> {
        let (asked, questions) = watch::channel(None);
        let runtime = Handle::current();
        let serve = move || serve(&runtime, questions, &answers);
        std::thread::Builder::new().name("alone".to_owned()).spawn(serve)?;
        Ok(Self { asked })
    }

    pub(crate) fn read(&self, journal: PathBuf, question: LoneQuestion) {
        self.asked.send_replace(Some((journal, question)));
    }
}

fn serve(
    runtime: &Handle,
    mut questions: watch::Receiver<Option<(PathBuf, LoneQuestion)>>,
    answers: &mpsc::Sender<FromHost>,
) {
    lower_thread_priority(NETWORK_NICENESS);
    while runtime.block_on(questions.changed()).is_ok() {
        let Some((journal, question)) = questions.borrow_and_update().clone() else { continue };
        let is_wanted = || questions.has_changed().is_ok_and(|is_changed| !is_changed);
        let read = alone_at(&journal, question.node, question.at, &is_wanted);
        // One that was stopped needs no answer.
        if let Some(answer) = read.map(|model| model.map(Arc::new)).map_err(|error| error.to_string()).transpose() {
            let _ = answers.blocking_send(FromHost::Alone { question, answer });
        }
    }
}
