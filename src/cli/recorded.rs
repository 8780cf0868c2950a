//! `sessions`, `export` and `replay`: commands for recorded sessions.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytesize::ByteSize;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::args::{ExportArgs, ListFormat, SessionsArgs};
use super::failure::Failure;
use super::files;
use super::output;
use super::output::{say, warn};
use crate::clock::utc_offset_s_at;
use crate::model::span_text;
use crate::model::words::count_text;
use crate::proto::text::printable;
use crate::session::archive::{self, Archive, LAST, Session, State};
use crate::session::export::{self, Exported, FileFormat, LastLine, OverwritePolicy, WriteError};
use crate::session::journal::{Glance, JournalEnd, glance, overview};
use crate::session::lines::{iso_stamp, stamp};
use crate::session::overview::Overview;
use crate::session::replay::Recording;
use crate::session::text::printed_json;
use crate::ui::RecordingRow;

/// The word for every session.
const ALL: &str = "all";
/// The headings of the table.
const COLUMNS: [&str; 9] = ["NAME", "WHEN", "WHAT", "LASTED", "NODES", "MESSAGES", "DEATHS", "SIZE", "ENDED"];
/// Columns whose cells are numbers.
const NUMBERS: std::ops::Range<usize> = 3..8;
/// What a narrow terminal leaves out, first to last: the name begins with the time.
const SPARE: [&str; 5] = ["WHEN", "SIZE", "NODES", "MESSAGES", "DEATHS"];
/// Between two columns.
const GAP: &str = "  ";
/// Bytes that are handed to stdout at a time.
const CHUNK_LEN: usize = 64 * 1024;

/// A session and its overview.
struct Listed {
    session: Session,
    glance: Glance,
    overview: Overview,
}

pub(crate) fn sessions(args: &SessionsArgs) -> Result<ExitCode, Failure> {
    let (dir, archive) = archive()?;
    if !args.delete.is_empty() {
        return delete(&dir, &archive, &args.delete);
    }
    archive.others.iter().for_each(warn);
    if archive.sessions.is_empty() {
        say(format_args!("no session was recorded yet in {}", dir.display()));
        return Ok(ExitCode::SUCCESS);
    }
    // The latest first: it is the one that most people look for.
    let listed: Vec<_> = archive.sessions.into_iter().rev().filter_map(looked_at).collect();
    match args.format {
        ListFormat::Table => {
            let (empty, told): (Vec<_>, Vec<_>) = listed.iter().partition(|entry| entry.glance.is_empty);
            let (shown, more) = if told.is_empty() { (&empty, 0) } else { (&told, empty.len()) };
            let rows: Vec<_> = shown.iter().map(|entry| row(entry)).collect();
            let table = table(&rows, terminal_columns().unwrap_or(usize::MAX));
            output::print_lines(&format!("{table}{}", left_out(more)))
        }
        ListFormat::Json => output::print(json(&listed)?.as_bytes()),
    }
}

/// The line below a list without so many sessions in which nothing was started.
fn left_out(sessions: usize) -> String {
    match sessions {
        0 => String::new(),
        more => format!("not listed: {} in which nothing was started\n", count_text(more as u64, "session")),
    }
}

/// Recordings that the console lists: more than anybody looks through.
const ROWS_MAX: usize = 200;

/// The sessions that are over, for the console, newest first. Of each, the beginning and the end are
/// read.
pub(crate) fn rows() -> Vec<RecordingRow> {
    let sessions = archive().map(|(_, archive)| archive.sessions).unwrap_or_default();
    let over = sessions.into_iter().rev().filter(|session| session.state == State::Over).take(ROWS_MAX);
    let looked = over.filter_map(|session| glance(&session.path).ok().map(|glance| (session, glance)));
    let (empty, told): (Vec<_>, Vec<_>) = looked.partition(|(_, glance)| glance.is_empty);
    let shown = if told.is_empty() { empty } else { told };
    shown.iter().map(|(session, glance)| recording_row(session, glance)).collect()
}

fn recording_row(session: &Session, glance: &Glance) -> RecordingRow {
    let size = ByteSize(session.size);
    let holds = glance.overview.map(|overview| {
        let counts = [(overview.nodes, "node"), (overview.messages, "message"), (overview.deaths, "death")];
        counts.map(|(count, what)| count_text(count, what)).join(", ")
    });
    RecordingRow {
        path: session.path.clone(),
        when: day_text(session).chars().take("2026-11-22 03:13".len()).collect(),
        what: printable(&session.what(glance)).into_owned(),
        lasted: glance.overview.map(|overview| span_text(overview.lasted())).unwrap_or_default(),
        ended: session.ending(glance.end),
        holds: holds.map_or_else(|| size.to_string(), |holds| format!("{holds}, {size}")),
    }
}

/// When it began, by the reader's clock, wherever the session was recorded.
fn day_text(session: &Session) -> String {
    stamp(session.header.started, utc_offset_s_at(session.header.started))
}

fn archive() -> Result<(PathBuf, Archive), Failure> {
    let dir = files::sessions_dir()
        .ok_or_else(|| Failure::usage("no home directory to keep sessions in: set XDG_STATE_HOME"))?;
    let archive = Archive::open(&dir)
        .map_err(|error| Failure::other(format_args!("{}: cannot be read: {error}", dir.display())))?;
    Ok((dir, archive))
}

fn looked_at(session: Session) -> Option<Listed> {
    let looked = glance(&session.path).and_then(|glance| {
        let overview = glance.overview.map_or_else(|| Ok(overview(&session.path)?.0), Ok)?;
        Ok((glance, overview))
    });
    match looked {
        Ok((glance, overview)) => Some(Listed { session, glance, overview }),
        Err(error) => {
            warn(error);
            None
        }
    }
}

/// Columns of the terminal, if the list goes to one.
fn terminal_columns() -> Option<usize> {
    let (columns, _) = io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten()?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

/// The rows in columns, those that a terminal of `room` columns has no place for left out and named
/// below.
fn table(rows: &[[String; COLUMNS.len()]], room: usize) -> String {
    let head = COLUMNS.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(&head).chain(rows).collect();
    let widths: Vec<_> =
        (0..COLUMNS.len()).map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let mut shown: Vec<_> = (0..COLUMNS.len()).collect();
    let mut left_out = Vec::new();
    for spare in SPARE {
        if shown.iter().map(|column| widths[*column] + GAP.len()).sum::<usize>() <= room.saturating_add(GAP.len()) {
            break;
        }
        shown.retain(|column| COLUMNS[*column] != spare);
        left_out.push(spare);
    }
    let cell = |row: &[String; COLUMNS.len()], column: usize| {
        let fill = " ".repeat(widths[column].saturating_sub(row[column].width()));
        if NUMBERS.contains(&column) { fill + &row[column] } else { row[column].clone() + &fill }
    };
    let line = |row: &[String; COLUMNS.len()]| {
        let cells: Vec<_> = shown.iter().map(|column| cell(row, *column)).collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    let lines: String = rows.into_iter().map(line).collect();
    if left_out.is_empty() { lines } else { format!("{lines}{room} columns: no {}\n", left_out.join(", ")) }
}

fn row(listed: &Listed) -> [String; COLUMNS.len()] {
    let Listed { session, glance, overview } = listed;
    let seconds = std::time::Duration::from_secs(overview.lasted().as_secs());
    [
        printable(&session.name).into_owned(),
        day_text(session).chars().take("2026-11-22 03:13:02".len()).collect(),
        printable(&session.what(glance)).into_owned(),
        humantime::format_duration(seconds).to_string(),
        overview.nodes.to_string(),
        at_least(overview.messages, overview.skipped),
        at_least(overview.deaths, overview.skipped),
        ByteSize(session.size).to_string(),
        match overview.skipped {
            0 => session.ending(glance.end),
            missing => format!("{}, {} missing", session.ending(glance.end), count_text(missing, "event")),
        },
    ]
}

/// `12`, or `12+` if events are missing.
fn at_least(count: u64, missing: u64) -> String {
    if missing > 0 { format!("{count}+") } else { count.to_string() }
}

/// A session's state in a word or two, for programs.
const fn state(listed: &Listed) -> &'static str {
    match (listed.session.state, listed.glance.end) {
        (State::Running, _) => "running",
        (State::Over, JournalEnd::Closed(_)) => "ended",
        (State::Over, JournalEnd::Open) => "cut off",
    }
}

/// A session as programs read it.
#[derive(Serialize)]
struct SessionRow<'a> {
    name: &'a str,
    path: &'a Path,
    started: String,
    /// What ran in it.
    what: String,
    state: &'static str,
    /// How it ended.
    ended: String,
    size: u64,
    #[serde(flatten)]
    overview: Overview,
}

fn json(listed: &[Listed]) -> Result<String, Failure> {
    let mut lines = String::new();
    for entry in listed {
        let session = &entry.session;
        let row = SessionRow {
            name: &session.name,
            path: &session.path,
            started: iso_stamp(session.header.started, session.header.utc_offset_s),
            what: session.what(&entry.glance),
            state: state(entry),
            ended: session.ending(entry.glance.end),
            size: session.size,
            overview: entry.overview,
        };
        lines += &printed_json(&row).map_err(|error| Failure::Stdout(error.into()))?;
        lines.push('\n');
    }
    Ok(lines)
}

/// Deletes the named sessions. If one of them is missing or running, none is deleted.
fn delete(dir: &Path, archive: &Archive, names: &[String]) -> Result<ExitCode, Failure> {
    let is_all = |name: &String| name == ALL;
    let (kept, chosen): (Vec<&Session>, Vec<&Session>) = if names.iter().any(is_all) {
        archive.sessions.iter().partition(|session| session.state == State::Running)
    } else {
        (Vec::new(), chosen(dir, archive, names)?)
    };
    let mut told = String::new();
    for session in chosen {
        let deleted = archive::delete(session);
        if deleted.is_err() {
            output::print_lines(&told)?;
        }
        deleted?;
        let _ = writeln!(told, "deleted {} ({})", session.name, ByteSize(session.size));
    }
    for session in kept {
        let _ = writeln!(told, "kept {}: it is running", session.name);
    }
    if told.is_empty() {
        say(format_args!("no session was recorded yet in {}", dir.display()));
    }
    output::print_lines(&told)
}

fn chosen<'a>(dir: &Path, archive: &'a Archive, names: &[String]) -> Result<Vec<&'a Session>, Failure> {
    let mut chosen: Vec<&Session> = Vec::new();
    for name in names {
        let session = archive.find(dir, name)?;
        if chosen.iter().all(|other| other.name != session.name) {
            chosen.push(session);
        }
    }
    match chosen.iter().find(|session| session.state == State::Running) {
        Some(session) => Err(Failure::other(format_args!(
            "{} is running: quit it before you delete it; nothing was deleted",
            session.name
        ))),
        None => Ok(chosen),
    }
}

/// The journal that is meant: a file, or a session by its name.
pub(crate) fn find(session: &str) -> Result<PathBuf, Failure> {
    let path = files::from_home(PathBuf::from(session));
    // A pipe is as good as a file.
    let is_there = || path.metadata().is_ok_and(|about| !about.is_dir());
    if session.contains(std::path::MAIN_SEPARATOR) || (session != LAST && is_there()) {
        return Ok(path);
    }
    let (dir, archive) = archive()?;
    Ok(archive.find_by_beginning(&dir, session)?.path.clone())
}

/// Exports the journal that is opened once it is clear that it can be exported so.
pub(crate) fn export<J: AsRef<Path>>(
    args: &ExportArgs,
    open: impl FnOnce() -> Result<J, Failure>,
) -> Result<ExitCode, Failure> {
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, Some(file)) => FileFormat::from_path(file)?,
        (None, None) => FileFormat::Txt,
    };
    let opened = open()?;
    let journal = opened.as_ref();
    match &args.output {
        Some(dest) => {
            let overwrite = if args.force { OverwritePolicy::Replace } else { OverwritePolicy::Refuse };
            let exported = export::export_as(format, journal, dest, overwrite)?;
            let told = format!("{} exported to {}\n", events(&exported), dest.display());
            output::print_lines(&told)?;
            Ok(complain(&exported))
        }
        None => to_stdout(format, journal),
    }
}

/// A reader that closes the pipe has had enough, which is no failure.
fn to_stdout(format: FileFormat, journal: &Path) -> Result<ExitCode, Failure> {
    let recording = Recording::open(journal)?;
    let mut out = BufWriter::with_capacity(CHUNK_LEN, io::stdout().lock());
    match export::write(format, recording, &mut out) {
        Ok(exported) => Ok(complain(&exported)),
        Err(WriteError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(WriteError::Sink(error)) => Err(Failure::Stdout(error)),
        Err(WriteError::Journal(error)) => {
            // What was read is good; the reader gets it before the error.
            let _ = out.flush();
            Err(error.into())
        }
    }
}

/// Reports what the export lacks. A failure if lines of the recording could not be read.
fn complain(exported: &Exported) -> ExitCode {
    if exported.skipped > 0 {
        let lacks = count_text(exported.skipped, "event");
        warn(format_args!("{lacks} missing in the journal: the export tells where"));
    }
    match exported.end {
        LastLine::Whole => {}
        LastLine::Cut => warn(format_args!("the last line is cut: {} exported", events(exported))),
    }
    exported.damage.told.iter().for_each(warn);
    if exported.damage.lines == 0 {
        return ExitCode::SUCCESS;
    }
    warn(export::damage_text(exported.damage.lines));
    ExitCode::FAILURE
}

fn events(exported: &Exported) -> String {
    count_text(exported.events, "event")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_leaves_columns_out_where_it_has_no_room() {
        let cells = ["2026-11-28T13-44-05-10821", "2026-11-28 13:44:05", "lab of 2 seeds, 8 peers", "3m 7s", "10"];
        let more = ["408", "2", "745.3 KiB", "interrupted"];
        let row: Vec<_> = cells.into_iter().chain(more).map(str::to_owned).collect();
        let rows = [row.try_into().unwrap()];
        let heads = |room| table(&rows, room).lines().next().unwrap().split_whitespace().map(str::to_owned).collect();
        let all: Vec<String> = heads(usize::MAX);
        assert_eq!(all, COLUMNS);
        let at_100: Vec<String> = heads(100);
        assert_eq!(at_100, ["NAME", "WHAT", "LASTED", "NODES", "MESSAGES", "DEATHS", "ENDED"]);
        let narrow = table(&rows, 80);
        assert!(narrow.lines().all(|line| line.width() <= 80), "{narrow}");
        assert!(narrow.ends_with("  interrupted\n80 columns: no WHEN, SIZE, NODES, MESSAGES\n"), "{narrow}");
        assert!(!table(&rows, usize::MAX).contains("columns"));
    }
}
