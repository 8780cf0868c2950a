//! Feeds a recorded session to the console.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::event::Event;
use crate::feed::{Delivery, Tap};
use crate::session::journal::{JournalRecord, check_rereadable};
use crate::session::replay::{Damage, Recording};
use crate::ui::{FromHost, Mode, Severity};

/// Events in one batch.
const BATCH_LEN: usize = 256;

/// Opens a recording, tells the console, and feeds it on a thread of its own, as fast as the
/// console takes it: nothing is skipped. The error is a line for the user.
pub(crate) async fn open(path: PathBuf, console: Tap, answers: mpsc::Sender<FromHost>) -> Result<(), String> {
    let source = path.display().to_string();
    let open = move || check_rereadable(&path).and_then(|()| Recording::open(&path));
    let opened = tokio::task::spawn_blocking(open).await;
    let recording = opened.map_err(|panic| format!("internal error: {panic}"))?.map_err(|error| error.to_string())?;
    // Before the first event: the console forgets what it showed, and must not forget this.
    let _ = answers.send(FromHost::Opened(Mode::Replay { source })).await;
    std::thread::Builder::new()
        .name("replay".to_owned())
        .spawn(move || play(recording, &console, &answers))
        .map(drop)
        .map_err(|error| format!("cannot read the recording: {error}"))
}

fn play(recording: Recording, console: &Tap, answers: &mpsc::Sender<FromHost>) {
    let mut batch = Vec::with_capacity(BATCH_LEN);
    let (mut damage, mut torn) = (Damage::default(), None);
    for record in recording {
        match record {
            Ok(JournalRecord::Event { event, .. }) => batch.push(event),
            Ok(JournalRecord::Skipped(events)) => hand_on(console, &mut batch, events),
            Ok(JournalRecord::Torn) => torn = Some("the recording ends in the middle of a line".to_owned()),
            Err(error) => {
                damage.note(&error);
                hand_on(console, &mut batch, error.missing());
            }
        }
        if batch.len() >= BATCH_LEN {
            hand_on(console, &mut batch, 0);
        }
        if console.is_closed() {
            return;
        }
    }
    hand_on(console, &mut batch, 0);
    let lines = damage.lines;
    let more = (lines > Damage::TOLD_MAX as u64).then(|| format!("{lines} lines of the recording cannot be read"));
    for fault in damage.told.into_iter().chain(torn).chain(more) {
        warn(answers, fault);
    }
}

/// Hands on the collected events; after them, this many are missing.
fn hand_on(console: &Tap, batch: &mut Vec<Event>, missing: u64) {
    for (skipped, events) in [(0, std::mem::take(batch)), (missing, Vec::new())] {
        if skipped > 0 || !events.is_empty() {
            console.deliver_blocking(Delivery { skipped, batch: Arc::from(events) });
        }
    }
}

fn warn(answers: &mpsc::Sender<FromHost>, text: String) {
    let _ = answers.blocking_send(FromHost::Notice { severity: Severity::Warning, text });
}
