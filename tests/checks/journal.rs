//! The reader of journals, and what is made of what it reads.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use gossipctl::event::Event;
use gossipctl::model::Model;
use gossipctl::session::journal::{self, JournalRecord, LINE_LEN_MAX};
use gossipctl::session::lines::log_line;
use gossipctl::session::replay::Recording;

use super::memory::measured;

/// Memory that a reader may take beside what its lines ask for: its buffer.
const HELD_BASE: usize = 320 * 1024;
/// Memory that it may take a byte of the lines that it puts in order together: an event of 128 bytes
/// in memory can be ten numbers of one digit in a row, and is held twice for a moment, in lists that
/// have just grown.
const HELD_PER_BYTE: usize = 128;
/// Bytes of lines that a reader puts in order together, besides the longest.
const WINDOW_LEN_MAX: usize = 4 * 1024 * 1024;

thread_local! {
    static FILE: RefCell<tempfile::NamedTempFile> = RefCell::new(tempfile::NamedTempFile::new().unwrap());
}

/// One line as a reader tells it.
type Told = Result<JournalRecord, String>;

/// Checks these bytes as a journal: whole, and cut off where their last bytes say.
pub(crate) fn check(bytes: &[u8]) {
    FILE.with_borrow(|file| {
        let path = file.path();
        let whole = read(path, bytes);
        reads_memory_bound(path, bytes);
        if let Ok(records) = &whole {
            replays(path, records);
            records.iter().filter_map(event).for_each(writes_the_same);
            folds(records);
        }
        let cut = &bytes[..place(bytes)];
        cut_loses_only_the_end(bytes, &whole, cut, &read(path, cut));
    });
}

/// Where the last bytes say that it is cut.
fn place(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3).fold(0, |place, byte| place << 8 | usize::from(*byte));
    last % (bytes.len() + 1)
}

/// What a reader tells of a file with these bytes; the error is that of its first line.
fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Told>, String> {
    fs::write(path, bytes).unwrap();
    let reader = journal::read(path).map_err(|error| error.to_string())?;
    Ok(reader.map(|record| record.map_err(|error| error.to_string())).collect())
}

fn event(told: &Told) -> Option<&Event> {
    match told {
        Ok(JournalRecord::Event { event, .. }) => Some(event),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    }
}

/// A file that was cut tells nothing that the whole one does not tell, in the same order, and at its end that it is cut.
fn cut_loses_only_the_end(
    bytes: &[u8],
    whole: &Result<Vec<Told>, String>,
    cut: &[u8],
    short: &Result<Vec<Told>, String>,
) {
    let has_long_line = bytes.split(|byte| *byte == b'\n').any(|line| line.len() >= LINE_LEN_MAX);
    let (Ok(whole), Ok(short)) = (whole, short) else { return };
    if has_long_line {
        return;
    }
    let is_torn = |told: &Told| matches!(told, Ok(JournalRecord::Torn));
    let (torn, lines): (Vec<_>, Vec<_>) = short.iter().partition(|told| is_torn(told));
    assert!(torn.len() <= 1 && short.iter().rev().skip(1).all(|told| !is_torn(told)), "{short:?}");
    let mut rest = whole.iter();
    for told in &lines {
        assert!(rest.any(|other| is_same(told, other)), "{told:?} of {short:?} is not in its place in {whole:?}");
    }
    if !bytes.windows(4).any(|bytes| bytes == b"rows") {
        // Behind the header's; a line tells one thing, or at its end nothing that counts.
        let whole_lines = cut.split(|byte| *byte == b'\n').count().saturating_sub(2);
        let silent = cut
            .split(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(b"{\"block\"") || line.starts_with(b"{\"closed\""))
            .count();
        assert!(lines.len() + silent >= whole_lines, "{whole_lines} lines, and {lines:?}");
    }
}

/// How many events are missing is known only from what follows.
fn is_same(told: &Told, other: &Told) -> bool {
    match (told, other) {
        (Err(told), Err(other)) => other.starts_with(told),
        (told, other) => told == other,
    }
}

/// Reading takes memory in proportion to what is put in order together, whatever the file's length.
fn reads_memory_bound(path: &Path, bytes: &[u8]) {
    let longest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or_default().min(LINE_LEN_MAX);
    let (_, held) = measured(|| journal::read(path).map(|reader| reader.for_each(drop)).is_ok());
    let together = bytes.len().min(longest + WINDOW_LEN_MAX);
    assert!(held <= HELD_BASE + HELD_PER_BYTE * together, "{held} bytes held for lines of {together}");
}

/// A replay tells everything once.
fn replays(path: &Path, records: &[Told]) {
    let replayed: Vec<_> = Recording::open(path).unwrap().collect();
    assert_eq!(replayed.len(), records.len());
    let events = |event: &Event| (event.at, event.node);
    let mut told: Vec<_> = replayed
        .iter()
        .filter_map(|record| match record {
            Ok(JournalRecord::Event { event, .. }) => Some(events(event)),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
        })
        .collect();
    let mut read: Vec<_> = records.iter().filter_map(event).map(events).collect();
    told.sort_unstable();
    read.sort_unstable();
    assert_eq!(told, read);
}

fn writes_the_same(event: &Event) {
    let line = serde_json::to_string(event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), *event, "{line}");
}

/// The model takes whatever was read, and every line that is shown is one line without a control character.
fn folds(records: &[Told]) {
    let mut model = Model::new();
    for told in records {
        match told {
            Ok(JournalRecord::Event { event, .. }) => {
                model.apply(event);
                let shown = [Some(model.sentence(&event.kind)), log_line(event, 0)];
                for line in shown.iter().flatten() {
                    assert!(!line.contains(char::is_control), "{line:?}");
                }
            }
            Ok(JournalRecord::Skipped(events)) => model.note_skipped(*events),
            Ok(JournalRecord::Torn) | Err(_) => {}
        }
    }
    let entries = model.gossip().iter();
    let name = |addr| model.name_of(addr).into_owned();
    entries.for_each(|(_, entry)| {
        let (line, body) = (entry.line(&name).unwrap().text, entry.body().map(ToString::to_string));
        assert!(!line.contains(char::is_control) && !body.is_some_and(|body| body.contains(char::is_control)));
    });
    let _ = (model.lasted(), model.messages_per_second(model.now()));
}
