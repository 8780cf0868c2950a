//! A session as one file, for people or for other programs.
//!
//! | extension | holds |
//! |-----------|-------|
//! | `.txt`    | the log lines of all nodes, with day, time and node in front |
//! | `.jsonl`  | the header and the events, as in a journal; it can be replayed |
//! | `.csv`    | one row per event: `time` (local, ISO 8601), `node`, `address`, `event`, `peer`, `message`, `text` (a message's body, escaped), `detail` (the event in words) |
//!
//! All are in order of time. The file is written beside its destination and renamed, so it is never
//! half there. A `.csv` cell that a spreadsheet would take for a formula gets a `'` in front.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::disk::{is_being_written, new_file_builder, without_temporary_name};
use super::journal::{Header, JournalError, JournalRecord};
use super::json::push_printed_line;
use super::lines::{iso_stamp, log_line, stamp};
use super::names::NodeNames;
use super::replay::{Damage, Recording};
use super::text::printed_json;
use crate::event::{Event, EventSubject};
use crate::model::words::count_text;
use crate::model::words::sentence;
use crate::proto::text::printable;

/// The columns of a `.csv` file.
const COLUMNS: [&str; 8] = ["time", "node", "address", "event", "peer", "message", "text", "detail"];
/// Symbolic links that are followed in a row: as many as Linux follows.
const LINKS_MAX: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// Log lines, for people and existing scripts.
    Txt,
    /// Events, for programs and for replay.
    Jsonl,
    /// A table.
    Csv,
}

impl FileFormat {
    /// The format that a path's extension asks for.
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

/// What to do about a file that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverwritePolicy {
    Refuse,
    Replace,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Events of the session, those without a line in a `.txt` included.
    pub events: u64,
    /// Events that are missing in the journal, and so here.
    pub skipped: u64,
    /// Lines of the recording that could not be read, and so are missing here.
    pub damage: Damage,
    pub bytes: u64,
    pub end: LastLine,
}

/// What this many damaged lines mean for an export.
pub fn damage_text(damaged: u64) -> String {
    format!("{} of the recording cannot be read; the export tells where", count_text(damaged, "line"))
}

/// How a journal that was read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastLine {
    /// With a whole line.
    #[default]
    Whole,
    /// In the middle of a line, which is left out: the program was killed, or is still writing.
    Cut,
}

/// Why there is no export. The destination is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The extension names no format.
    #[error("{}: the extension chooses the format: use .txt, .jsonl or .csv", path.display())]
    UnknownEnding { path: PathBuf },
    /// A file is there.
    #[error("{} exists already", path.display())]
    Exists { path: PathBuf },
    /// The destination is the source, by this name or another.
    #[error("{} is the recording being exported: choose another file", path.display())]
    IsJournal { path: PathBuf },
    /// The destination is the journal of another session, which would lose what it has and what it
    /// still writes.
    #[error("{} is the journal of a running session: choose another file", path.display())]
    IsRecording { path: PathBuf },
    #[error("cannot write {}: {reason}", path.display())]
    Write { path: PathBuf, reason: io::Error },
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Writes a journal's session to `dest`, in the format of its extension.
pub fn export(journal: &Path, dest: &Path, overwrite: OverwritePolicy) -> Result<Exported, ExportError> {
    export_as(FileFormat::from_path(dest)?, journal, dest, overwrite)
}

/// Writes a journal's session to `dest` in this format, whatever its extension.
pub fn export_as(
    format: FileFormat,
    journal: &Path,
    dest: &Path,
    overwrite: OverwritePolicy,
) -> Result<Exported, ExportError> {
    check_source(journal, dest)?;
    put(dest, overwrite, |sink| write(format, Recording::open(journal)?, BufWriter::new(sink)))
}

/// Whether what is made of a journal can be written there: for what takes a while to make.
pub fn check_dest(journal: &Path, dest: &Path, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    check_source(journal, dest)?;
    validate_dest(&target(dest), overwrite)
}

/// Fails if the destination is the journal, by this name or another.
fn check_source(journal: &Path, dest: &Path) -> Result<(), ExportError> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(dest).is_some_and(|dest| real(journal) == Some(dest)) {
        return Err(ExportError::IsJournal { path: target(dest) });
    }
    Ok(())
}

/// Writes a text, whole or not at all.
pub fn write_text(dest: &Path, text: &str, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    put(dest, overwrite, |sink| Ok(sink.write_all(text.as_bytes())?))
}

/// Has `write_all` write a file that appears in its place when it is whole.
fn put<T>(
    dest: &Path,
    overwrite: OverwritePolicy,
    write_all: impl FnOnce(&mut File) -> Result<T, WriteError>,
) -> Result<T, ExportError> {
    let dest = &target(dest);
    validate_dest(dest, overwrite)?;
    let failed = |reason| ExportError::Write { path: dest.to_owned(), reason };
    let at_dest = |error| match error {
        WriteError::Sink(reason) => failed(reason),
        WriteError::Journal(error) => ExportError::Journal(error),
    };
    if takes_a_stream(dest) {
        return write_all(&mut File::options().write(true).open(dest).map_err(failed)?).map_err(at_dest);
    }
    let mut file = beside(dest).map_err(failed)?;
    let written = write_all(file.as_file_mut()).map_err(at_dest)?;
    put_in_place(file, dest, overwrite)?;
    Ok(written)
}

/// The target of a symbolic link, whether it exists or not: that is what is written, and the link
/// stays.
fn target(dest: &Path) -> PathBuf {
    let mut target = dest.to_owned();
    if takes_a_stream(dest) {
        // Such as /dev/stdout, which leads to something without a path.
        return target;
    }
    for _ in 0..LINKS_MAX {
        let Ok(next) = target.read_link() else { break };
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    target
}

/// A pipe or a device is written to directly. A file in its place would not reach its reader.
fn takes_a_stream(dest: &Path) -> bool {
    dest.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir())
}

/// Writes a session to `sink` while it is read from the journal. A line that cannot be read is
/// reported in its place, and the rest follows.
pub fn write(format: FileFormat, recording: Recording, mut sink: impl Write) -> Result<Exported, WriteError> {
    let (mut exported, mut line) = (Exported::default(), Vec::new());
    let mut lines = EventLines::begin(format, Stamps::Shown, recording.header(), &mut line)?;
    for record in recording {
        match record {
            Ok(JournalRecord::Event { event, .. }) => {
                exported.events += 1;
                lines.push(&mut line, &event)?;
            }
            Ok(JournalRecord::Skipped(events)) => {
                exported.skipped = exported.skipped.saturating_add(events);
                let are = if events == 1 { "event is" } else { "events are" };
                lines.push_missing(&mut line, events, &format!("{events} {are} missing here"))?;
            }
            Ok(JournalRecord::Torn) => exported.end = LastLine::Cut,
            Err(error @ JournalError::BadLine { line: nth, .. }) => {
                exported.damage.note(&error);
                lines.push_missing(
                    &mut line,
                    error.missing(),
                    &format!("line {nth} of the recording cannot be read"),
                )?;
            }
            Err(error) => return Err(error.into()),
        }
        exported.bytes += line.len() as u64;
        sink.write_all(&line)?;
        line.clear();
    }
    exported.bytes += line.len() as u64;
    sink.write_all(&line)?;
    sink.flush()?;
    Ok(exported)
}

/// Why a session could not be written to its end.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing more can be written.
    #[error(transparent)]
    Sink(#[from] io::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Fails unless the destination is free, or may be replaced.
fn validate_dest(dest: &Path, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    if dest.is_dir() {
        let reason = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(ExportError::Write { path: dest.to_owned(), reason });
    }
    // A path that is no file, or cannot be examined, is no journal that is being written.
    if dest.is_file() && is_being_written(dest).unwrap_or(false) {
        return Err(ExportError::IsRecording { path: dest.to_owned() });
    }
    if overwrite == OverwritePolicy::Refuse && dest.symlink_metadata().is_ok() && !takes_a_stream(dest) {
        return Err(ExportError::Exists { path: dest.to_owned() });
    }
    Ok(())
}

/// A file in the destination's directory that vanishes unless it is renamed into place.
fn beside(dest: &Path) -> io::Result<NamedTempFile> {
    let dir = dest.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    new_file_builder(".gossipctl-export-").tempfile_in(dir).map_err(without_temporary_name)
}

fn put_in_place(file: NamedTempFile, dest: &Path, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    let put = match overwrite {
        OverwritePolicy::Replace => file.persist(dest),
        OverwritePolicy::Refuse => file.persist_noclobber(dest),
    };
    let path = dest.to_owned();
    put.map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists { path },
        _ => ExportError::Write { path, reason: error.error },
    })
}

/// Whether the time stands in front of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    Shown,
    Hidden,
}

/// Events as lines of one of the formats.
#[derive(Debug)]
pub struct EventLines {
    format: FileFormat,
    stamps: Stamps,
    names: NodeNames,
    utc_offset_s: i32,
}

impl EventLines {
    /// Appends what comes before all events.
    pub fn begin(format: FileFormat, stamps: Stamps, header: &Header, out: &mut Vec<u8>) -> io::Result<Self> {
        match format {
            FileFormat::Txt => {}
            FileFormat::Jsonl => writeln!(out, "{}", printed_json(header)?)?,
            FileFormat::Csv => push_row(out, &COLUMNS.map(str::to_owned)),
        }
        Ok(Self { format, stamps, names: NodeNames::new(), utc_offset_s: header.utc_offset_s })
    }

    /// Appends the line of an event; nothing for one without a log line.
    pub fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        match self.format {
            FileFormat::Txt => {
                let Some(line) = log_line(event, self.utc_offset_s) else { return Ok(()) };
                if self.stamps == Stamps::Shown {
                    write!(out, "{} ", stamp(event.at, self.utc_offset_s))?;
                }
                writeln!(out, "{} {}", printable(&self.names.name(event.node)), printable(&line))?;
            }
            FileFormat::Jsonl => push_printed_line(out, event)?,
            FileFormat::Csv => push_row(out, &row(event, &self.names, self.utc_offset_s)),
        }
        Ok(())
    }

    /// Appends that this many events are missing here, which `words` explain.
    pub fn push_missing(&self, out: &mut Vec<u8>, events: u64, words: &str) -> io::Result<()> {
        match self.format {
            FileFormat::Txt => writeln!(out, "({words})"),
            FileFormat::Jsonl => writeln!(out, "{{\"skipped\":{events}}}"),
            FileFormat::Csv => {
                push_row(out, &["", "", "", "skipped", "", "", "", words].map(str::to_owned));
                Ok(())
            }
        }
    }
}

/// Appends a row of a `.csv` file (RFC 4180, with the line ends of Unix).
fn push_row(out: &mut Vec<u8>, cells: &[String; COLUMNS.len()]) {
    for (nth, cell) in cells.iter().enumerate() {
        out.extend((nth > 0).then_some(b','));
        if cell.contains(['"', ',', '\r', '\n']) {
            out.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.push(b'\n');
}

/// The cells of one event.
fn row(event: &Event, names: &NodeNames, utc_offset_s: i32) -> [String; COLUMNS.len()] {
    let name = |addr| names.name(addr).into_owned();
    let EventSubject { peer, message, text } = event.kind.subject();
    [
        iso_stamp(event.at, utc_offset_s),
        name(event.node),
        event.node.to_string(),
        event.kind.name().to_owned(),
        peer.map(name).unwrap_or_default(),
        message.map(|id| format!("{}{id}", name(id.origin))).unwrap_or_default(),
        text.map(ToString::to_string).unwrap_or_default(),
        sentence(&event.kind, &name),
    ]
    .map(harmless)
}

/// A cell without anything that acts on a terminal or a spreadsheet: spreadsheets run cells that
/// begin like this, and a message's text can be anybody's.
fn harmless(cell: String) -> String {
    let cell = match printable(&cell) {
        Cow::Owned(printed) => printed,
        Cow::Borrowed(_) => cell,
    };
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests;
