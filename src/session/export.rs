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
use super::replay::Recording;
use super::text::printed_json;
use crate::event::{Event, EventSubject};
use crate::model::words::count_text;
use crate::model::words::sentence;
use crate::proto::text::printable;

/// Symbolic links that are followed in a row: as many as Linux follows.
const LINKS_MAX: usize = 40;
/// Damaged lines that are reported one by one: enough to see what happened to a file.
const DAMAGE_TOLD_MAX: usize = 5;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Events of the session, those without a line in a `.txt` included.
    pub events: u64,
    /// Events that are missing in the journal, and so here.
    pub skipped: u64,
    /// Lines of the recording that could not be read, and so are missing here.
    pub damaged: u64,
    /// What is wrong with the first few of them.
    pub damage: Vec<String>,
    pub bytes: u64,
    pub end: LastLine,
}

/// What this many damaged lines mean for an export.
pub fn damage_text(damaged: u64) -> String {
    format!("{} of the recording cannot be read; the export tells where", count_text(damaged, "line"))
}

/// How a journal that was read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLine {
    /// With a whole line.
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
    let dest = &target(dest);
    validate_place(journal, dest, overwrite)?;
    let recording = Recording::open(journal)?;
    let fail = |reason| ExportError::Write { path: dest.to_owned(), reason };
    if takes_a_stream(dest) {
        let sink = File::options().write(true).open(dest).map_err(fail)?;
        return write(format, recording, BufWriter::new(sink)).map_err(|error| error.at(dest));
    }
    let mut file = beside(dest).map_err(fail)?;
    let exported = write(format, recording, BufWriter::new(file.as_file_mut())).map_err(|error| error.at(dest))?;
    put_in_place(file, dest, overwrite)?;
    Ok(exported)
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
pub fn write(format: FileFormat, recording: Recording, sink: impl Write) -> Result<Exported, WriteError> {
    let mut writer = ExportWriter::new(format, recording.header(), Counted { sink, bytes: 0 })?;
    for record in recording {
        match record {
            Ok(record) => writer.take(&record)?,
            Err(error @ JournalError::BadLine { line, .. }) => writer.damaged(line, &error)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(writer.finish()?)
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

impl WriteError {
    fn at(self, dest: &Path) -> ExportError {
        match self {
            Self::Sink(reason) => ExportError::Write { path: dest.to_owned(), reason },
            Self::Journal(error) => ExportError::Journal(error),
        }
    }
}

/// Counts the bytes that pass through.
struct Counted<W> {
    sink: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

fn validate_place(journal: &Path, dest: &Path, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(dest).is_some_and(|dest| real(journal) == Some(dest)) {
        return Err(ExportError::IsJournal { path: dest.to_owned() });
    }
    validate_dest(dest, overwrite)
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

/// Writes a text, whole or not at all.
pub fn write_text(dest: &Path, text: &str, overwrite: OverwritePolicy) -> Result<(), ExportError> {
    let dest = &target(dest);
    validate_dest(dest, overwrite)?;
    let failed = |reason| ExportError::Write { path: dest.to_owned(), reason };
    if takes_a_stream(dest) {
        return File::options()
            .write(true)
            .open(dest)
            .and_then(|mut sink| sink.write_all(text.as_bytes()))
            .map_err(failed);
    }
    let mut file = beside(dest).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    put_in_place(file, dest, overwrite)
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

/// An export in progress.
struct ExportWriter<W: Write> {
    sink: ExportSink<W>,
    names: NodeNames,
    utc_offset_s: i32,
    exported: Exported,
}

enum ExportSink<W: Write> {
    Txt(Counted<W>),
    /// With the buffer in which a line is made.
    Jsonl(Counted<W>, Vec<u8>),
    Csv(Box<csv::Writer<Counted<W>>>),
}

impl<W: Write> ExportWriter<W> {
    fn new(format: FileFormat, header: &Header, mut file: Counted<W>) -> io::Result<Self> {
        let sink = match format {
            FileFormat::Txt => ExportSink::Txt(file),
            FileFormat::Jsonl => {
                writeln!(file, "{}", printed_json(header)?)?;
                ExportSink::Jsonl(file, Vec::new())
            }
            FileFormat::Csv => {
                let mut table = csv::Writer::from_writer(file);
                table
                    .write_record(["time", "node", "address", "event", "peer", "message", "text", "detail"])
                    .map_err(of_system)?;
                ExportSink::Csv(Box::new(table))
            }
        };
        let exported =
            Exported { events: 0, skipped: 0, damaged: 0, damage: Vec::new(), bytes: 0, end: LastLine::Whole };
        Ok(Self { sink, names: NodeNames::new(), utc_offset_s: header.utc_offset_s, exported })
    }

    fn take(&mut self, record: &JournalRecord) -> io::Result<()> {
        match record {
            JournalRecord::Event(event) => {
                self.exported.events += 1;
                self.names.learn(event);
                self.event(event)
            }
            JournalRecord::Skipped(events) => {
                self.exported.skipped = self.exported.skipped.saturating_add(*events);
                self.skipped(*events)
            }
            JournalRecord::Torn => {
                self.exported.end = LastLine::Cut;
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match &mut self.sink {
            ExportSink::Txt(file) => match log_line(event, self.utc_offset_s) {
                Some(line) => {
                    let at = stamp(event.at, self.utc_offset_s);
                    let line = format!("{at} {} {line}", self.names.name(event.node));
                    writeln!(file, "{}", printable(&line))
                }
                None => Ok(()),
            },
            ExportSink::Jsonl(file, line) => {
                line.clear();
                push_printed_line(line, event)?;
                file.write_all(line)
            }
            ExportSink::Csv(table) => table.write_record(row(event, &self.names, self.utc_offset_s)).map_err(of_system),
        }
    }

    fn skipped(&mut self, events: u64) -> io::Result<()> {
        let are = if events == 1 { "event is" } else { "events are" };
        self.missing(events, &format!("{events} {are} missing here"))
    }

    fn damaged(&mut self, line: u64, error: &JournalError) -> io::Result<()> {
        self.exported.damaged += 1;
        if self.exported.damage.len() < DAMAGE_TOLD_MAX {
            self.exported.damage.push(error.to_string());
        }
        self.missing(1, &format!("line {line} of the recording cannot be read"))
    }

    /// Writes in their place that this many events are missing.
    fn missing(&mut self, events: u64, words: &str) -> io::Result<()> {
        match &mut self.sink {
            ExportSink::Txt(file) => writeln!(file, "({words})"),
            ExportSink::Jsonl(file, _) => writeln!(file, "{{\"skipped\":{events}}}"),
            ExportSink::Csv(table) => table.write_record(["", "", "", "skipped", "", "", "", words]).map_err(of_system),
        }
    }

    fn finish(self) -> io::Result<Exported> {
        let mut file = match self.sink {
            ExportSink::Txt(file) | ExportSink::Jsonl(file, _) => file,
            ExportSink::Csv(mut table) => {
                table.flush()?;
                table.into_inner().map_err(|error| io::Error::from(error.error().kind()))?
            }
        };
        file.flush()?;
        Ok(Exported { bytes: file.bytes, ..self.exported })
    }
}

/// The system's own error: the reader of a pipe may have had enough.
fn of_system(error: csv::Error) -> io::Error {
    let said = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other(said),
    }
}

/// The cells of one event.
fn row(event: &Event, names: &NodeNames, utc_offset_s: i32) -> [String; 8] {
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
