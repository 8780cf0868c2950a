//! `p` in an answer, and `why --prove`: plays what was done again without the cause.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::NETWORK_NICENESS;
use super::rerun_subject::{RAN_ON_SOCKETS, RerunSubject};
use crate::clock::Clock;
use crate::experiment::proof::asked::{AnswerProof, ProofOutcome};
use crate::experiment::run::RunError;
use crate::model::cause::reason;
use crate::model::why::AskedAnswer;
use crate::platform::lower_thread_priority;
use crate::ui::{FromHost, ProofTold, ProofVerdict};

/// An answer about a recorded session.
#[derive(Debug, Clone)]
struct ProofOrder {
    journal: PathBuf,
    answer: AskedAnswer,
}

/// A handle to the thread that proves; it ends with it. A newer order takes the place of the one before.
pub(crate) struct Prover {
    order: watch::Sender<Option<ProofOrder>>,
}

impl Prover {
    /// Within the runtime, which the thread waits on.
    pub(crate) fn start(answers: mpsc::Sender<FromHost>) -> io::Result<Self> {
        let (order, orders) = watch::channel(None);
        let runtime = Handle::current();
        let serve = move || serve(&runtime, orders, &answers);
        std::thread::Builder::new().name("proof".to_owned()).spawn(serve)?;
        Ok(Self { order })
    }

    pub(crate) fn prove(&self, journal: PathBuf, answer: AskedAnswer) {
        self.order.send_replace(Some(ProofOrder { journal, answer }));
    }

    /// Stops the proof that runs, if one does.
    pub(crate) fn stop(&self) {
        self.order.send_replace(None);
    }
}

fn serve(runtime: &Handle, mut orders: watch::Receiver<Option<ProofOrder>>, answers: &mpsc::Sender<FromHost>) {
    lower_thread_priority(NETWORK_NICENESS);
    while runtime.block_on(orders.changed()).is_ok() {
        let Some(ProofOrder { journal, answer }) = orders.borrow_and_update().clone() else { continue };
        let is_wanted = || orders.has_changed().is_ok_and(|is_changed| !is_changed);
        // One that was stopped has no outcome.
        if let Some(told) = prove(&journal, &answer, &is_wanted) {
            let told = ProofTold { verdict: told.verdict(), text: told.text, notes: told.notes };
            let _ = answers.blocking_send(FromHost::Proof { answer, told });
        }
    }
}

/// A proof, and what is to be known of the rerun.
#[derive(Debug, Serialize)]
pub(super) struct NotedProof {
    pub(super) outcome: ProofOutcome,
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

impl NotedProof {
    /// One that cannot be tried.
    pub(super) fn open(why: &str) -> Self {
        Self { outcome: ProofOutcome::Open, text: format!("Cannot be proven: {why}"), notes: Vec::new() }
    }

    fn verdict(&self) -> ProofVerdict {
        match self.outcome {
            ProofOutcome::Proven => ProofVerdict::Holds,
            ProofOutcome::False => ProofVerdict::Fails,
            ProofOutcome::Tried | ProofOutcome::Open => ProofVerdict::Open,
        }
    }
}

/// Proves an answer about the session of this recording. `None`: it was stopped.
pub(super) fn prove(journal: &Path, answer: &AskedAnswer, goes_on: &impl Fn() -> bool) -> Option<NotedProof> {
    let subject = RerunSubject::of_recording(journal, Clock::start()).map(|subject| subject.until(answer.as_of));
    let experiment = subject.and_then(|subject| Ok((subject.as_it_was()?, subject)));
    let (experiment, mut subject) = match experiment {
        Ok(found) => found,
        Err(failure) => {
            let (why, file) = (failure.to_string(), format!("{}: ", journal.display()));
            return Some(NotedProof::open(why.strip_prefix(&file).unwrap_or(&why)));
        }
    };
    let mut notes = std::mem::take(&mut subject.notes);
    if subject.recorded.as_ref().is_some_and(|recorded| !recorded.is_virtual) {
        notes.insert(0, RAN_ON_SOCKETS.to_owned());
    }
    match AnswerProof::of(&experiment, answer, reason, goes_on) {
        Ok(AnswerProof { outcome, text }) => Some(NotedProof { outcome, text, notes }),
        Err(RunError::Interrupted) => None,
        Err(why) => Some(NotedProof::open(&why.to_string())),
    }
}
