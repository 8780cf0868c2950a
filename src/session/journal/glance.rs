//! What a journal tells of its session without being read as a whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::reader::{JournalReader, read};
use super::{JournalError, JournalRecord, RecordedLab};
use crate::event::EventKind;
use crate::model::Model;
use crate::model::identity::SessionIdentity;
use crate::session::frames::last_lines;
use crate::session::overview::{FOOTER_LEN_MAX, Footer, Overview, SessionEnd, Tally};

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalEnd {
    /// With its footer: the session was ended, and how, as far as its version noted that.
    Closed(Option<SessionEnd>),
    /// With an event: the session still runs, or its process was killed.
    Open,
}

/// The overview of the session in this journal. A closed journal ends with it; any other, because
/// its process was killed or still runs, is read from its beginning.
pub fn overview(path: &Path) -> Result<(Overview, JournalEnd), JournalError> {
    let journal = read(path)?;
    match footer(path).map_err(|reason| JournalError::Read { path: path.to_owned(), reason })? {
        Some(Footer { closed, ended }) => Ok((closed, JournalEnd::Closed(ended))),
        None => Ok((count(journal)?, JournalEnd::Open)),
    }
}

/// What a session was, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// `None`: nothing was started in it.
    pub what: Option<SessionIdentity>,
    /// Its figures; `None` for an open journal, all of which would have to be read for them.
    pub overview: Option<Overview>,
    pub end: JournalEnd,
    /// Nothing happened in it.
    pub is_empty: bool,
}

/// Looks at the beginning and the end of a journal, however long it is.
pub fn glance(path: &Path) -> Result<Glance, JournalError> {
    let journal = read(path)?;
    let lab = journal.header().lab;
    let mut records = journal.peekable();
    let is_empty = lab.is_none() && records.peek().is_none_or(|record| matches!(record, Ok(JournalRecord::Torn)));
    let what = match lab {
        Some(RecordedLab { seeds, peers }) => Some(SessionIdentity::Lab { seeds, peers }),
        None => first_nodes(records),
    };
    let footer = footer(path).map_err(|reason| JournalError::Read { path: path.to_owned(), reason })?;
    let end = footer.map_or(JournalEnd::Open, |footer| JournalEnd::Closed(footer.ended));
    Ok(Glance { what, overview: footer.map(|footer| footer.closed), end, is_empty })
}

/// Nodes that start first in a session: more than a lab on sockets has.
const STARTED_MAX: usize = 4_096;

/// The nodes that were started before anything else happened.
fn first_nodes(records: impl Iterator<Item = Result<JournalRecord, JournalError>>) -> Option<SessionIdentity> {
    let mut model = Model::new().without_warnings();
    for record in records.take(STARTED_MAX) {
        match record {
            Ok(JournalRecord::Event { event, .. }) if matches!(event.kind, EventKind::Node(_)) => model.apply(&event),
            Ok(_) | Err(_) => break,
        }
    }
    model.identity()
}

/// What was read of a damaged journal counts.
fn count(journal: JournalReader) -> Result<Overview, JournalError> {
    let mut tally = Tally::new(journal.header().began());
    for record in journal {
        match record {
            Ok(JournalRecord::Event { event, .. }) => tally.take(&event),
            Ok(JournalRecord::Skipped(events)) => tally.skip(events),
            Ok(JournalRecord::Torn) | Err(JournalError::BadLine { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(tally.overview())
}

fn footer(path: &Path) -> io::Result<Option<Footer>> {
    let mut file = File::open(path)?;
    let end = end_of(&mut file)?;
    let last = end.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
    Ok(last.and_then(|line| serde_json::from_slice(line).ok()))
}

/// The last lines of a file, or the end of one that is packed by another program.
fn end_of(file: &mut File) -> io::Result<Vec<u8>> {
    let reach = FOOTER_LEN_MAX as u64;
    if let Some(lines) = last_lines(file, reach)? {
        return Ok(lines);
    }
    file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(reach)))?;
    let mut end = Vec::with_capacity(FOOTER_LEN_MAX);
    file.take(reach).read_to_end(&mut end)?;
    Ok(end)
}
