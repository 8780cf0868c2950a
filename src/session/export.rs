//! A session as one file, for people or for other programs.
//!
//! | ending   | holds |
//! |----------|-------|
//! | `.txt`   | the log lines of all nodes, with day, time and node in front |
//! | `.jsonl` | the header and the events, as in a journal; it can be replayed |
//! | `.csv`   | a row each event: `time` (local, ISO 8601), `node`, `address`, `event`, `peer`, `message`, `text` (a message's body, escaped), `detail` (the event in words) |
//!
//! All are in order of time. The file is written beside its place and renamed into it, so there is
//! never half of one. A cell of a `.csv` that a spreadsheet would take for a formula gets a `'` in
//! front.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::fields::{event_name, message, other_node};
use super::journal::{Header, JournalError, Record};
use super::lines::{log_line, stamp};
use super::names::Names;
use super::replay::Recording;
use crate::event::Event;
use crate::model::sentence::sentence;

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Log lines, for people and existing scripts.
    Txt,
    /// Events, for programs and for replay.
    Jsonl,
    /// A table.
    Csv,
}

impl Format {
    /// The kind of file that a path's ending asks for.
    pub fn from_path(path: &Path) -> Result<Self, ExportError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("txt") => Ok(Self::Txt),
            Some("jsonl") => Ok(Self::Jsonl),
            Some("csv") => Ok(Self::Csv),
            Some(_) | None => Err(ExportError::UnknownEnding { path: path.to_owned() }),
        }
    }
}

/// What to do about a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// Leave it, and say so.
    Refuse,
    /// Replace it.
    Replace,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Events of the session, those that leave no line in a `.txt` included.
    pub events: u64,
    /// Events that are missing in the journal, and so here.
    pub skipped: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Why there is no export. The destination is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ending names no format.
    #[error("{}: the ending says what to write: use .txt, .jsonl or .csv", path.display())]
    UnknownEnding {
        /// The destination.
        path: PathBuf,
    },
    /// A file is there.
    #[error("{} exists already", path.display())]
    Exists {
        /// The destination.
        path: PathBuf,
    },
    /// The destination is the journal itself.
    #[error("{} is the journal that is being written: choose another place", path.display())]
    IsJournal {
        /// The destination.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The destination.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Writes a journal's session to `dest`, in the format that its ending asks for.
pub fn export(journal: &Path, dest: &Path, overwrite: Overwrite) -> Result<Exported, ExportError> {
    let format = Format::from_path(dest)?;
    validate_place(journal, dest, overwrite)?;
    let recording = Recording::open(journal)?;
    let fail = |reason| ExportError::Write { path: dest.to_owned(), reason };
    let mut file = beside(dest).map_err(fail)?;
    let mut writer = Writer::new(format, recording.header(), BufWriter::new(file.as_file_mut())).map_err(fail)?;
    for record in recording {
        writer.take(&record?).map_err(fail)?;
    }
    let mut exported = writer.finish().map_err(fail)?;
    exported.bytes = file.as_file().metadata().map_err(fail)?.len();
    put_in_place(file, dest, overwrite)?;
    Ok(exported)
}

fn validate_place(journal: &Path, dest: &Path, overwrite: Overwrite) -> Result<(), ExportError> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(dest).is_some_and(|dest| real(journal) == Some(dest)) {
        return Err(ExportError::IsJournal { path: dest.to_owned() });
    }
    if dest.is_dir() {
        let reason = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(ExportError::Write { path: dest.to_owned(), reason });
    }
    if overwrite == Overwrite::Refuse && dest.symlink_metadata().is_ok() {
        return Err(ExportError::Exists { path: dest.to_owned() });
    }
    Ok(())
}

/// A file in the directory of the destination that vanishes unless it is put in place.
fn beside(dest: &Path) -> io::Result<NamedTempFile> {
    let dir = dest.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gossipctl-export-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file of the user's, not private as a temporary one: the umask still counts.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(dir).map_err(without_temporary_name)
}

/// The system's own words: the name of a temporary file, which tempfile adds to them, says nothing to the user.
fn without_temporary_name(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said.to_owned()),
        None => error,
    }
}

fn put_in_place(file: NamedTempFile, dest: &Path, overwrite: Overwrite) -> Result<(), ExportError> {
    let put = match overwrite {
        Overwrite::Replace => file.persist(dest),
        Overwrite::Refuse => file.persist_noclobber(dest),
    };
    let path = dest.to_owned();
    put.map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists { path },
        _ => ExportError::Write { path, reason: error.error },
    })
}

/// One export under way.
struct Writer<W: Write> {
    sink: Sink<W>,
    names: Names,
    utc_offset_s: i32,
    exported: Exported,
}

enum Sink<W: Write> {
    Txt(W),
    Jsonl(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Writer<W> {
    fn new(format: Format, header: &Header, mut file: W) -> io::Result<Self> {
        let sink = match format {
            Format::Txt => Sink::Txt(file),
            Format::Jsonl => {
                json_line(&mut file, header)?;
                Sink::Jsonl(file)
            }
            Format::Csv => {
                let mut table = csv::Writer::from_writer(file);
                table.write_record(["time", "node", "address", "event", "peer", "message", "text", "detail"])?;
                Sink::Csv(Box::new(table))
            }
        };
        let exported = Exported { events: 0, skipped: 0, bytes: 0 };
        Ok(Self { sink, names: Names::new(), utc_offset_s: header.utc_offset_s, exported })
    }

    fn take(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Event(event) => {
                self.exported.events += 1;
                self.names.learn(event);
                self.event(event)
            }
            Record::Skipped(events) => {
                self.exported.skipped += events;
                self.skipped(*events)
            }
            Record::Torn => Ok(()),
        }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &mut self.sink {
            Sink::Txt(file) => match log_line(event, self.utc_offset_s) {
                Some(line) => {
                    let at = stamp(event.at, self.utc_offset_s);
                    writeln!(file, "{at} {} {line}", self.names.name(event.node))
                }
                None => Ok(()),
            },
            Sink::Jsonl(file) => json_line(file, event),
            Sink::Csv(table) => Ok(table.write_record(row(event, &self.names, self.utc_offset_s))?),
        }
    }

    fn skipped(&mut self, events: u64) -> io::Result<()> {
        let words = format!("{events} events are missing here");
        match &mut self.sink {
            Sink::Txt(file) => writeln!(file, "({words})"),
            Sink::Jsonl(file) => writeln!(file, "{{\"skipped\":{events}}}"),
            Sink::Csv(table) => Ok(table.write_record(["", "", "", "skipped", "", "", "", &words])?),
        }
    }

    fn finish(self) -> io::Result<Exported> {
        match self.sink {
            Sink::Txt(mut file) | Sink::Jsonl(mut file) => file.flush()?,
            Sink::Csv(mut table) => table.flush()?,
        }
        Ok(self.exported)
    }
}

fn json_line(file: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

/// The cells of one event.
fn row(event: &Event, names: &Names, utc_offset_s: i32) -> [String; 8] {
    let name = |addr| names.name(addr).into_owned();
    let (id, body) = message(&event.kind).map_or((None, None), |(id, body)| (Some(id), body));
    [
        iso_time(event, utc_offset_s),
        name(event.node),
        event.node.to_string(),
        event_name(&event.kind).to_owned(),
        other_node(&event.kind).map(name).unwrap_or_default(),
        id.map(|id| format!("{}{id}", name(id.origin))).unwrap_or_default(),
        body.map(ToString::to_string).unwrap_or_default(),
        sentence(&event.kind, &name),
    ]
    .map(no_formula)
}

/// `2026-11-22T03:13:02.418123+05:30`.
fn iso_time(event: &Event, utc_offset_s: i32) -> String {
    let micros = i64::try_from(event.at.as_micros()).unwrap_or(i64::MAX);
    let utc = chrono::DateTime::from_timestamp_micros(micros);
    match utc.zip(chrono::FixedOffset::east_opt(utc_offset_s)) {
        Some((utc, offset)) => utc.with_timezone(&offset).to_rfc3339_opts(chrono::SecondsFormat::Micros, false),
        None => event.at.as_micros().to_string(),
    }
}

/// Spreadsheets run what begins like this, and a message's text is anybody's.
fn no_formula(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests;
