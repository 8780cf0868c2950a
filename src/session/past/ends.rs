//! What is known of a recording without reading all of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use crate::proto::time::Time;
use crate::session::frames::places;
use crate::session::journal::{JournalError, JournalRecord, read_at};
use crate::session::replay::{DISORDER_MAX, Recording};

/// Bytes before the end of a file that is not packed in which its last events are looked for: some seconds.
const TAIL_LEN: u64 = 1024 * 1024;

/// The times of the first and the last event; nothing if there is none.
pub(super) fn times(path: &Path) -> Result<Option<(Time, Time)>, JournalError> {
    let Some(first) = Recording::open(path)?.find_map(time) else { return Ok(None) };
    let last = match open_tail(path)?.and_then(latest) {
        Some(last) => Some(last),
        None => latest(Recording::open(path)?),
    };
    Ok(Some((first, last.unwrap_or(first))))
}

/// The recording from a place on that has all events from this time on behind it: from its beginning, if it is not
/// packed in frames of ours.
pub(super) fn open_before(path: &Path, at: Time) -> Result<Recording, JournalError> {
    let fail = |reason| JournalError::Read { path: path.to_owned(), reason };
    let places = File::open(path).and_then(places).map_err(fail)?;
    // Events of a block may be earlier than its place says; and those that wait there come too soon.
    let is_before = |time: Time| time + DISORDER_MAX + DISORDER_MAX < at;
    let end = places.partition_point(|(_, place)| is_before(place.at));
    match end.checked_sub(1).and_then(|last| places.get(last)) {
        Some((offset, _)) => read_at(path, *offset).map(Recording::of),
        None => Recording::open(path),
    }
}

fn open_tail(path: &Path) -> Result<Option<Recording>, JournalError> {
    let fail = |reason| JournalError::Read { path: path.to_owned(), reason };
    let places = File::open(path).and_then(places).map_err(fail)?;
    if let Some((_, end)) = places.last() {
        // The last block may hold the footer alone.
        let start = places.partition_point(|(_, place)| place.at + DISORDER_MAX < end.at).saturating_sub(1);
        return places.get(start).map(|(offset, _)| read_at(path, *offset).map(Recording::of)).transpose();
    }
    let start = line_near_the_end(path).map_err(fail)?;
    start.map(|start| read_at(path, start).map(Recording::of)).transpose()
}

/// Where a line begins near the end of a file that is not packed.
fn line_near_the_end(path: &Path) -> std::io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut first = BufReader::new(&mut file);
    if len <= TAIL_LEN || !first.fill_buf()?.starts_with(b"{") {
        return Ok(None);
    }
    let start = len - TAIL_LEN;
    file.seek(SeekFrom::Start(start))?;
    let skipped = BufReader::new(file).skip_until(b'\n')?;
    Ok(Some(start + skipped as u64))
}

fn latest(recording: Recording) -> Option<Time> {
    recording.filter_map(time).max()
}

fn time(record: Result<JournalRecord, JournalError>) -> Option<Time> {
    match record {
        Ok(JournalRecord::Event { event, .. }) => Some(event.at),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    }
}
