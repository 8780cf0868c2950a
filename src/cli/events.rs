//! The events of a span of time, for the console: read from the recording of what it shows.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::event::Event;
use crate::session::journal::JournalError;
use crate::session::past::Past;
use crate::ui::{EventsQuestion, EventsTold, FromHost};

/// Events of one answer: what a diagram has room for, and what the console takes in a moment; 8 MB.
const EVENTS_MAX: usize = 40_000;

/// Reads what is asked for on a thread that may wait for the disk, and answers. `journal` has all events up to
/// now, or says why there is none.
pub(crate) fn tell(journal: Result<PathBuf, String>, question: EventsQuestion, answers: &mpsc::Sender<FromHost>) {
    let answers = answers.clone();
    let read = move || {
        let answer = journal.and_then(|journal| read(&journal, &question).map_err(|error| error.to_string()));
        // A console that is gone needs no answer.
        let _ = answers.blocking_send(FromHost::Events { question, answer });
    };
    // The network and the console go on meanwhile.
    drop(tokio::task::spawn_blocking(read));
}

/// The events that concern the subject; of too many, the first.
fn read(journal: &Path, question: &EventsQuestion) -> Result<EventsTold, JournalError> {
    let concerning = Past::open(journal)?.events(question.from, question.to)?;
    let mut told: Vec<Event> = Vec::new();
    let mut left_out = 0;
    for event in concerning.filter(|event| question.subject.concerns(event)) {
        if told.len() < EVENTS_MAX {
            told.push(event);
        } else {
            left_out += 1;
        }
    }
    Ok(EventsTold { events: told.into(), left_out })
}
