//! Reads a journal line by line, from any file that may be one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{FORMAT, Header, JournalError, JournalRecord, LINE_LEN_MAX, VERSION};
use crate::event::Event;
use crate::proto::time::Time;
use crate::session::overview::{FOOTER_LEN_MAX, Footer, MissedEvents, Overview, Tally};

/// Bytes that are read at a time.
const CHUNK_LEN: usize = 256 * 1024;
/// The byte order mark that some editors and shells put before UTF-8 text.
const BOM: &[u8] = "\u{feff}".as_bytes();
const UNPACK: &str = "unpack it first";
/// First bytes of other files in which people keep sessions, what each is, and what to do.
const KINDS: [(&[u8], &str, &str); 7] = [
    (b"\x1f\x8b", "compressed with gzip", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (b"\xfd7zXZ", "compressed with xz", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
];

/// A journal that is being read, one line at a time.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    header: Header,
    lines: BufReader<File>,
    line: u64,
    line_len: usize,
    ended: bool,
}

/// Opens a journal, or an export that ends in `.jsonl`.
pub fn read(path: &Path) -> Result<JournalReader, JournalError> {
    let fail = |reason| JournalError::Read { path: path.to_owned(), reason };
    let mut lines = BufReader::new(File::open(path).map_err(fail)?);
    let first = read_line(&mut lines).map_err(fail)?;
    let header = header(path, &first)?;
    Ok(JournalReader { path: path.to_owned(), header, lines, line: 1, line_len: first.len(), ended: false })
}

fn header(path: &Path, line: &[u8]) -> Result<Header, JournalError> {
    match serde_json::from_slice::<Header>(line.strip_prefix(BOM).unwrap_or(line)) {
        Ok(header) if header.format == FORMAT && header.version > VERSION => {
            Err(JournalError::TooNew { path: path.to_owned(), version: header.version })
        }
        Ok(header) if header.format == FORMAT => Ok(header),
        Ok(_) | Err(_) => Err(JournalError::NotAJournal { path: path.to_owned(), why: mistaken_for(line) }),
    }
}

/// What somebody took for a journal, by its first bytes.
fn mistaken_for(line: &[u8]) -> String {
    let kind = KINDS.iter().find(|(first, ..)| line.starts_with(first));
    match kind {
        Some((_, kind, remedy)) => format!("it is {kind}: {remedy}"),
        None if line.is_empty() => "it is empty".to_owned(),
        None => {
            let example = serde_json::to_string(&Header::new(Time::from_micros(0), 0)).unwrap_or_default();
            format!("line 1: expected a header such as {example}")
        }
    }
}

/// A path that can be read twice: no pipe, and no device.
pub fn check_rereadable(path: &Path) -> Result<(), JournalError> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() && !about.is_dir() => Err(JournalError::ReadOnce { path: path.to_owned() }),
        // A missing file or a directory is reported by whoever reads it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The next line with its line end, or as much of it as is allowed or there.
fn read_line(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}

impl JournalReader {
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The number of the last line that was read, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The length of that line in bytes.
    pub fn line_len(&self) -> usize {
        self.line_len
    }

    /// Skips to the next line, however long this one is.
    fn skip_rest(&mut self, line: &[u8]) {
        if line.len() == LINE_LEN_MAX && !line.ends_with(b"\n") {
            // A read error comes again with the next line, and is reported there.
            let _ = self.lines.skip_until(b'\n');
        }
    }

    /// The content of this line; `None` for the footer, which adds nothing.
    fn record(&mut self, line: &[u8]) -> Result<Option<JournalRecord>, JournalError> {
        let is_whole = line.ends_with(b"\n");
        let why = match serde_json::from_slice::<Event>(line) {
            Ok(event) => return Ok(Some(JournalRecord::Event(event))),
            Err(why) => why,
        };
        if let Ok(MissedEvents { skipped }) = serde_json::from_slice(line) {
            return Ok(Some(JournalRecord::Skipped(skipped)));
        }
        if serde_json::from_slice::<Footer>(line).is_ok() {
            return Ok(None);
        }
        if !is_whole && line.len() < LINE_LEN_MAX {
            self.ended = true;
            return Ok(Some(JournalRecord::Torn));
        }
        let why = if is_whole { why.to_string() } else { format!("longer than {LINE_LEN_MAX} bytes") };
        Err(JournalError::BadLine { path: self.path.clone(), line: self.line, why })
    }
}

/// Continues after a bad line; ends at the end of the file, at a torn line or at a read error.
impl Iterator for JournalReader {
    type Item = Result<JournalRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            match read_line(&mut self.lines) {
                Ok(line) if line.is_empty() => self.ended = true,
                Ok(line) => {
                    self.line_len = line.len();
                    self.skip_rest(&line);
                    if let Some(record) = self.record(&line).transpose() {
                        return Some(record);
                    }
                }
                Err(reason) => {
                    self.ended = true;
                    return Some(Err(JournalError::Read { path: self.path.clone(), reason }));
                }
            }
        }
        None
    }
}

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalEnd {
    /// With its footer: the session was ended.
    Closed,
    /// With an event: the session still runs, or its process was killed.
    Open,
}

/// The overview of the session in this journal. A closed journal ends with it; any other, because
/// its process was killed or still runs, is read from its beginning.
pub fn overview(path: &Path) -> Result<(Overview, JournalEnd), JournalError> {
    let started = read(path)?.header().started;
    let counted = match footer(path) {
        Ok(Some(overview)) => return Ok((overview, JournalEnd::Closed)),
        Ok(None) => count(path, started),
        Err(error) => Err(error),
    };
    counted
        .map(|overview| (overview, JournalEnd::Open))
        .map_err(|reason| JournalError::Read { path: path.to_owned(), reason })
}

fn footer(path: &Path) -> io::Result<Option<Overview>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(FOOTER_LEN_MAX as u64)))?;
    let mut end = Vec::with_capacity(FOOTER_LEN_MAX);
    file.take(FOOTER_LEN_MAX as u64).read_to_end(&mut end)?;
    let last = end.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
    Ok(last.and_then(|line| serde_json::from_slice::<Footer>(line).ok()).map(|footer| footer.closed))
}

fn count(path: &Path, started: Time) -> io::Result<Overview> {
    let mut lines = BufReader::with_capacity(CHUNK_LEN, File::open(path)?);
    let mut tally = Tally::new(started);
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.by_ref().take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(tally.overview());
        }
        tally.line(&line);
    }
}
