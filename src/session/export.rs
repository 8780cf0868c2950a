//! A session as one file, for people or for other programs.
//!
//! | extension   | holds |
//! |-------------|-------|
//! | `.txt`      | the log lines of all nodes, with day, time and node in front |
//! | `.jsonl`    | the header and the events, as in a journal; it can be replayed |
//! | `.csv`      | one row per event: `time` (local, ISO 8601), `node`, `address`, `event`, `peer`, `message`, `text` (a message's body, escaped), `detail` (the event in words) |
//! | `.perfetto` | a trace for ui.perfetto.dev: see [`perfetto`] |
//! | `.shiviz`   | events with vector clocks for `ShiViz`: see [`shiviz`] |
//! | `.graphml`  | the overlay at a moment, for graph programs: see [`super::overlay`] |
//! | `.dot`      | the same for Graphviz |
//!
//! All are in order of time. The file is written beside its destination and renamed, so it is never
//! half there. A `.csv` cell that a spreadsheet would take for a formula gets a `'` in front.

mod lines;
mod perfetto;
mod recent;
mod shiviz;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use self::lines::{EventLines, LineFormat, Stamps};
use self::perfetto::PerfettoTrace;
use self::shiviz::ShivizLog;
use super::disk::{is_being_written, new_file_builder, without_temporary_name};
use super::document::{Document, DocumentFormat};
use super::journal::{Header, JournalError, JournalRecord};
use super::overlay::{OverlayFormat, overlay_text};
use super::past::{Past, PastMoment};
use super::replay::{Damage, Recording};
use crate::event::Event;
use crate::model::words::count_text;
use crate::proto::time::Time;

/// Symbolic links that are followed in a row: as many as Linux follows.
const LINKS_MAX: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    Lines(LineFormat),
    /// A trace in Chrome's JSON.
    Perfetto,
    /// Events with vector clocks.
    Shiviz,
    /// The overlay, before the nodes left at the end.
    Overlay(OverlayFormat),
}

/// The extension of each format.
const EXTENSIONS: [(&str, FileFormat); 8] = [
    ("txt", FileFormat::Lines(LineFormat::Txt)),
    ("jsonl", FileFormat::Lines(LineFormat::Jsonl)),
    ("csv", FileFormat::Lines(LineFormat::Csv)),
    ("perfetto", FileFormat::Perfetto),
    ("shiviz", FileFormat::Shiviz),
    ("graphml", FileFormat::Overlay(OverlayFormat::Graphml)),
    ("dot", FileFormat::Overlay(OverlayFormat::Dot)),
    ("gv", FileFormat::Overlay(OverlayFormat::Dot)),
];

impl FileFormat {
    /// The format that a path's extension asks for.
    pub fn from_path(path: &Path) -> Result<Self, ExportError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let found = EXTENSIONS.iter().find(|(extension, _)| ending.as_deref() == Some(extension));
        found.map(|(_, format)| *format).ok_or_else(|| ExportError::UnknownEnding { path: path.to_owned() })
    }

    /// A writer of this format, which has appended what comes before all events.
    fn begin(self, header: &Header, out: &mut Vec<u8>) -> io::Result<Box<dyn EventWriter>> {
        Ok(match self {
            Self::Lines(format) => Box::new(EventLines::begin(format, Stamps::Shown, header, out)?),
            Self::Perfetto => Box::new(PerfettoTrace::begin(header, out)?),
            Self::Shiviz => Box::new(ShivizLog::begin(header, out)?),
            Self::Overlay(format) => Box::new(Document::new(DocumentFormat::Overlay(format), header)),
        })
    }
}

/// Turns events, in order of time, into one of the formats.
trait EventWriter {
    fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()>;

    /// This many events are missing here, which `words` explain.
    fn push_missing(&mut self, out: &mut Vec<u8>, events: u64, words: &str) -> io::Result<()>;

    /// Appends what comes after all events.
    fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// All of it at its end.
impl EventWriter for Document {
    fn push(&mut self, _out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        self.take(event);
        Ok(())
    }

    fn push_missing(&mut self, _out: &mut Vec<u8>, events: u64, _words: &str) -> io::Result<()> {
        self.note_missing(events);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        out.extend_from_slice(self.text().as_bytes());
        Ok(())
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
    #[error("{}: the extension chooses the format: use {}", path.display(), extensions_text())]
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

/// `.txt, .jsonl or .csv`.
fn extensions_text() -> String {
    let [others @ .., last] = EXTENSIONS.map(|(extension, _)| format!(".{extension}"));
    format!("{} or {last}", others.join(", "))
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

/// The overlay of a recorded session after all events up to this time, and what could not be read.
pub fn overlay_at(format: OverlayFormat, past: &Past, at: Time) -> Result<(String, Damage), JournalError> {
    let PastMoment { model, damage, .. } = past.at(at)?;
    Ok((overlay_text(format, &model), damage))
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
/// reported in its place, and the rest follows. What was written is whole in its format even if the
/// journal cannot be read to its end.
pub fn write(format: FileFormat, recording: Recording, mut sink: impl Write) -> Result<Exported, WriteError> {
    let (mut exported, mut chunk) = (Exported::default(), Vec::new());
    let mut writer = format.begin(recording.header(), &mut chunk)?;
    let mut failed = None;
    for record in recording {
        if let Err(error) = write_record(writer.as_mut(), record, &mut exported, &mut chunk)? {
            failed = Some(error);
            break;
        }
        exported.bytes += chunk.len() as u64;
        sink.write_all(&chunk)?;
        chunk.clear();
    }
    writer.end(&mut chunk)?;
    exported.bytes += chunk.len() as u64;
    sink.write_all(&chunk)?;
    sink.flush()?;
    failed.map_or(Ok(exported), |error| Err(error.into()))
}

/// Writes one record. The inner error: nothing more can be read.
fn write_record(
    writer: &mut dyn EventWriter,
    record: Result<JournalRecord, JournalError>,
    exported: &mut Exported,
    chunk: &mut Vec<u8>,
) -> io::Result<Result<(), JournalError>> {
    match record {
        Ok(JournalRecord::Event { event, .. }) => {
            exported.events += 1;
            writer.push(chunk, &event)?;
        }
        Ok(JournalRecord::Skipped(events)) => {
            exported.skipped = exported.skipped.saturating_add(events);
            let are = if events == 1 { "event is" } else { "events are" };
            writer.push_missing(chunk, events, &format!("{events} {are} missing here"))?;
        }
        Ok(JournalRecord::Torn) => exported.end = LastLine::Cut,
        Err(error @ JournalError::BadLine { line: nth, .. }) => {
            exported.damage.note(&error);
            writer.push_missing(chunk, error.missing(), &format!("line {nth} of the recording cannot be read"))?;
        }
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(()))
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

#[cfg(test)]
mod tests;
