//! Reads a journal ahead, on a thread of its own.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::super::journal::{Bookmark, JournalError, JournalReader, JournalRecord};
use super::RecordSource;

/// Records that are handed over at a time, and such parts that wait: a moment's work.
const PART_LEN: usize = 2_048;
const PARTS_MAX: usize = 8;

/// A record, or a place at which a reader can begin.
#[derive(Debug)]
pub(super) enum ReaderStep {
    Record(Result<JournalRecord, JournalError>),
    Bookmark(Bookmark),
}

/// What a reader on another thread has read. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct ReadAhead {
    parts: Receiver<Vec<ReaderStep>>,
    part: std::vec::IntoIter<ReaderStep>,
}

pub(super) fn next(reader: &mut JournalReader) -> Option<ReaderStep> {
    if let Some(bookmark) = reader.take_bookmark() {
        return Some(ReaderStep::Bookmark(bookmark));
    }
    match reader.next() {
        Some(record) => Some(ReaderStep::Record(record)),
        None => reader.take_bookmark().map(ReaderStep::Bookmark),
    }
}

impl ReadAhead {
    /// Without a thread, the caller reads itself.
    pub(super) fn spawn(reader: JournalReader) -> RecordSource {
        let (to_caller, parts) = sync_channel(PARTS_MAX);
        let (hand_over, reader_of_thread) = sync_channel(1);
        let work = move || {
            if let Ok(reader) = reader_of_thread.recv() {
                read_on(reader, &to_caller);
            }
        };
        let started = std::thread::Builder::new().name("read ahead".to_owned()).spawn(work);
        match started {
            Ok(_) => match hand_over.send(reader) {
                Ok(()) => RecordSource::Ahead(Self { parts, part: Vec::new().into_iter() }),
                Err(unsent) => RecordSource::Here(Box::new(unsent.0)),
            },
            Err(_) => RecordSource::Here(Box::new(reader)),
        }
    }

    pub(super) fn next(&mut self) -> Option<ReaderStep> {
        if let Some(step) = self.part.next() {
            return Some(step);
        }
        self.part = self.parts.recv().ok()?.into_iter();
        self.part.next()
    }
}

fn read_on(mut reader: JournalReader, to_caller: &SyncSender<Vec<ReaderStep>>) {
    loop {
        let part: Vec<ReaderStep> = std::iter::from_fn(|| next(&mut reader)).take(PART_LEN).collect();
        // A caller that is gone wants no more.
        if part.is_empty() || to_caller.send(part).is_err() {
            return;
        }
    }
}
