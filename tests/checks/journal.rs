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

/// Memory that a reader may take beside what a line asks for.
const HELD_BASE: usize = 64 * 1024;
/// Memory that it may take a byte of the longest line: JSON's shortest value, `0,`, is a value of 32
/// bytes in memory, in a list that has just grown.
const HELD_PER_BYTE: usize = 64;

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
        Ok(JournalRecord::Event(event)) => Some(event),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    }
}

/// A file that was cut tells what the whole one tells up to the last line that is whole, then at most one thing more.
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
    // Behind the header's.
    let lines = cut.split(|byte| *byte == b'\n').count().saturating_sub(2);
    assert_eq!(short[..lines], whole[..lines], "whole lines of a cut file");
    assert!(short.len() <= lines + 1, "{:?} behind the last whole line", &short[lines..]);
    if let Some(last) = short.get(lines) {
        assert!(last.is_ok(), "half a line is torn, not wrong: {last:?}");
    }
}

/// Reading a line takes memory in proportion to the line, whatever the file's length.
fn reads_memory_bound(path: &Path, bytes: &[u8]) {
    let longest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or_default().min(LINE_LEN_MAX);
    let (_, held) = measured(|| journal::read(path).map(|reader| reader.for_each(drop)).is_ok());
    assert!(held <= HELD_BASE + HELD_PER_BYTE * longest, "{held} bytes held for lines of {longest}");
}

/// A replay tells everything once.
fn replays(path: &Path, records: &[Told]) {
    let replayed: Vec<_> = Recording::open(path).unwrap().collect();
    assert_eq!(replayed.len(), records.len());
    let events = |event: &Event| (event.at, event.node);
    let mut told: Vec<_> = replayed
        .iter()
        .filter_map(|record| match record {
            Ok(JournalRecord::Event(event)) => Some(events(event)),
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
            Ok(JournalRecord::Event(event)) => {
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
