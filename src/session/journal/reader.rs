//! Reads a journal block by block, from any file that may be one.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::{BlockHead, Line};
use super::window::{RecordWindow, Told};
use super::{FORMAT, Header, JournalError, JournalRecord, LINE_LEN_MAX, VERSION};
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::session::frames::{CHUNK_LEN, FrameReader, FrameStart, is_packed};
use crate::session::overview::{Footer, MissedEvents};

/// The byte order mark that some editors and shells put before UTF-8 text.
const BOM: &[u8] = "\u{feff}".as_bytes();
const UNPACK: &str = "unpack it first";
/// First bytes of other files in which people keep sessions, what each is, and what to do.
const KINDS: [(&[u8], &str, &str); 6] = [
    (b"\x1f\x8b", "compressed with gzip", UNPACK),
    (b"\xfd7zXZ", "compressed with xz", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
];

/// Nodes whose numbers are known when a block introduces others: all that the program knows.
const NODES_MAX: usize = 256 * 1024;

/// A journal that is being read, one block at a time.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    header: Header,
    lines: RecordedLines,
    pub(super) line: u64,
    /// Shared with the bookmarks that were given out.
    nodes: Arc<BTreeMap<u32, Addr>>,
    window: RecordWindow,
    /// Records in order.
    ready: VecDeque<Told>,
    /// The number of the next event, if none is missing.
    next: u64,
    ended: bool,
    /// Bytes of the lines that were read, and where the last one begins; of no meaning in frames of ours.
    offset: u64,
    line_start: u64,
    /// Records that were handed out, and bookmarks behind so many of them.
    handed: u64,
    bookmarks: VecDeque<(u64, Bookmark)>,
    marked: u64,
}

/// A place at which a reader can begin, behind all records that were read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session) struct Bookmark {
    /// In the file; in one that another program has packed, in what is unpacked.
    pub(in crate::session) offset: u64,
    line: u64,
    next: u64,
    nodes: Arc<BTreeMap<u32, Addr>>,
}

impl Bookmark {
    /// Bytes of memory that it takes, its nodes included.
    pub(in crate::session) fn memory_len(&self) -> usize {
        // A map takes about half as much again as what is in it.
        size_of::<Self>() + self.nodes.len() * size_of::<(u32, Addr)>() * 3 / 2
    }

    /// The same without the nodes that blocks before it have named: each block names those that it needs.
    pub(in crate::session) fn without_nodes(self) -> Self {
        Self { nodes: Arc::default(), ..self }
    }
}

/// Bytes between two bookmarks in a file that is not packed: what is read again in a moment.
const BOOKMARK_EVERY: u64 = 64 * 1024;

/// The lines of a file.
#[derive(Debug)]
enum RecordedLines {
    Plain(Take<BufReader<File>>),
    Packed(FrameReader),
}

impl RecordedLines {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(CHUNK_LEN, File::open(path)?);
        if is_packed(file.fill_buf()?) {
            FrameReader::new(file).map(Self::Packed)
        } else {
            Ok(Self::Plain(file.take(u64::MAX)))
        }
    }

    /// Reads nothing from `end` on; `offset` is where it is now.
    fn stop_at(&mut self, end: u64, offset: u64) {
        match self {
            Self::Plain(lines) => lines.set_limit(end.saturating_sub(offset)),
            Self::Packed(lines) => lines.stop_at(end),
        }
    }

    /// Goes on from here: see [`Bookmark::offset`].
    fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        match self {
            Self::Plain(lines) => lines.get_mut().seek(SeekFrom::Start(offset)).map(drop),
            Self::Packed(lines) => lines.skip_to(offset),
        }
    }

    /// Where a frame of ours begins whose first line comes next.
    fn frame_start(&mut self) -> io::Result<Option<FrameStart>> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Packed(lines) => lines.frame_start(),
        }
    }

    /// The next line with its line end, or as much of it as is allowed or there.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(lines) => read_line(lines),
            Self::Packed(lines) => read_line(lines),
        }
    }

    fn skip_line(&mut self) -> io::Result<usize> {
        match self {
            Self::Plain(lines) => lines.skip_until(b'\n'),
            Self::Packed(lines) => lines.skip_until(b'\n'),
        }
    }
}

/// Opens a journal, or an export that ends in `.jsonl`; either may be packed with zstd.
pub fn read(path: &Path) -> Result<JournalReader, JournalError> {
    let fail = |reason| JournalError::Read { path: path.to_owned(), reason };
    let mut lines = RecordedLines::open(path).map_err(fail)?;
    let first = lines.next().map_err(|reason| not_unpacked(path, reason))?;
    let header = header(path, &first)?;
    Ok(JournalReader {
        path: path.to_owned(),
        header,
        lines,
        line: 1,
        nodes: Arc::default(),
        window: RecordWindow::default(),
        ready: VecDeque::new(),
        next: 0,
        ended: false,
        offset: first.len() as u64,
        line_start: 0,
        handed: 0,
        bookmarks: VecDeque::new(),
        marked: 0,
    })
}

/// Opens it to read on from a bookmark.
pub(in crate::session) fn read_from(path: &Path, bookmark: &Bookmark) -> Result<JournalReader, JournalError> {
    let fail = |reason| JournalError::Read { path: path.to_owned(), reason };
    let mut reader = read(path)?;
    if matches!(reader.lines, RecordedLines::Packed(_)) {
        // What was unpacked of others cannot be taken back.
        reader.lines = RecordedLines::open(path).map_err(fail)?;
    }
    reader.lines.skip_to(bookmark.offset).map_err(fail)?;
    (reader.line, reader.next, reader.nodes) = (bookmark.line, bookmark.next, Arc::clone(&bookmark.nodes));
    (reader.offset, reader.marked) = (bookmark.offset, bookmark.offset);
    reader.bookmarks.push_back((0, bookmark.clone()));
    Ok(reader)
}

/// Opens it to read from a bookmark, or from its beginning, up to `end`: see [`Packing::readable_end`].
///
/// [`Packing::readable_end`]: crate::session::frames::Packing::readable_end
pub(super) fn read_between(path: &Path, from: Option<&Bookmark>, end: u64) -> Result<JournalReader, JournalError> {
    let mut reader = from.map_or_else(|| read(path), |from| read_from(path, from))?;
    reader.lines.stop_at(end, reader.offset);
    Ok(reader)
}

/// Opens a file without a bookmark, at a line that begins here.
pub(in crate::session) fn read_at(path: &Path, offset: u64) -> Result<JournalReader, JournalError> {
    read_from(path, &Bookmark { offset, line: 1, next: 0, nodes: Arc::default() })
}

/// Why not even the first line can be read: the library's errors have one of these kinds.
fn not_unpacked(path: &Path, reason: io::Error) -> JournalError {
    let path = path.to_owned();
    match reason.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::Other => {
            let why = "it is compressed with zstd, and damaged or incomplete".to_owned();
            JournalError::NotAJournal { path, why }
        }
        _ => JournalError::Read { path, reason },
    }
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

fn read_line(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}

impl JournalReader {
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The bookmark at `end`, up to which it was read.
    pub(super) fn end_bookmark(&self, end: u64) -> Bookmark {
        Bookmark { offset: end, line: self.line.saturating_sub(1), next: self.next, nodes: Arc::clone(&self.nodes) }
    }

    /// The bookmark behind the records that were handed out so far, if there is one.
    pub(in crate::session) fn take_bookmark(&mut self) -> Option<Bookmark> {
        let mut latest = None;
        while self.bookmarks.front().is_some_and(|(after, _)| *after <= self.handed) {
            latest = self.bookmarks.pop_front();
        }
        latest.filter(|(after, _)| *after == self.handed).map(|(_, bookmark)| bookmark)
    }

    /// Notes that a reader can begin here, where nothing waits to be put in order.
    fn bookmark(&mut self, offset: u64, line: u64) {
        let bookmark = Bookmark { offset, line, next: self.next, nodes: Arc::clone(&self.nodes) };
        // Not every caller takes them.
        while self.bookmarks.front().is_some_and(|(after, _)| *after < self.handed) {
            self.bookmarks.pop_front();
        }
        self.bookmarks.push_back((self.handed + self.ready.len() as u64, bookmark));
        self.marked = offset;
    }

    /// The same in a file without frames of ours, if the last bookmark is far enough away.
    fn bookmark_line(&mut self, offset: u64, line: u64) {
        let has_frames = matches!(&self.lines, RecordedLines::Packed(lines) if lines.is_ours());
        if !has_frames && offset.saturating_sub(self.marked) >= BOOKMARK_EVERY {
            self.bookmark(offset, line);
        }
    }

    /// A frame is a block: what waits from the one before it is put in order.
    fn begin_frame(&mut self) -> io::Result<()> {
        if let Some(FrameStart { offset, n }) = self.lines.frame_start()? {
            self.put_in_order(self.window.has_bad().then_some(n));
            self.bookmark(offset, self.line - 1);
        }
        Ok(())
    }

    fn next_line(&mut self) -> io::Result<Vec<u8>> {
        self.begin_frame()?;
        self.line_start = self.offset;
        let line = self.lines.next()?;
        self.offset += line.len() as u64;
        Ok(line)
    }

    /// Skips to the next line, however long this one is.
    fn skip_rest(&mut self, line: &[u8]) {
        if line.len() == LINE_LEN_MAX && !line.ends_with(b"\n") {
            // A read error comes again with the next line, and is reported there.
            self.offset += self.lines.skip_line().unwrap_or(0) as u64;
        }
    }

    /// Reads a line, after which records may be ready.
    fn advance(&mut self) {
        self.line += 1;
        match self.next_line() {
            Ok(line) if line.is_empty() => self.end(),
            Ok(line) => {
                self.skip_rest(&line);
                self.take(&line);
            }
            Err(damage) if damage.kind() == ErrorKind::InvalidData => self.take_damage(damage.to_string()),
            Err(torn) if torn.kind() == ErrorKind::UnexpectedEof => self.end_torn(),
            Err(reason) => {
                self.end();
                self.ready.push_back(Err(JournalError::Read { path: self.path.clone(), reason }));
            }
        }
    }

    /// Takes a line, or notes that it cannot be read.
    fn take(&mut self, line: &[u8]) {
        let is_whole = line.ends_with(b"\n");
        let said = Line::parse(line).map_err(|why| why.to_string());
        let why = match said.and_then(|said| self.take_content(said, line.len())) {
            Ok(()) => return,
            Err(why) if is_whole => why,
            Err(_) if line.len() == LINE_LEN_MAX => format!("longer than {LINE_LEN_MAX} bytes"),
            Err(_) => return self.end_torn(),
        };
        self.take_damage(why);
    }

    /// Notes that something cannot be read, and why.
    fn take_damage(&mut self, why: String) {
        let (path, line) = (self.path.clone(), self.line);
        self.window.take_bad(JournalError::BadLine { path, line, why, events: None });
        if self.window.is_full() {
            self.put_in_order(None);
        }
    }

    /// The error says why the line cannot be read.
    fn take_content(&mut self, said: Line, len: usize) -> Result<(), String> {
        match said {
            Line::Rows(rows) => self.window.take_rows(&rows, &self.nodes, len).map_err(|why| why.to_string())?,
            Line::Event { n, event } => self.place(n, |number| JournalRecord::Event { number, event }, len),
            Line::Missed(MissedEvents { n, skipped }) => self.place(n, |_| JournalRecord::Skipped(skipped), len),
            Line::Head(BlockHead { block, nodes }) => {
                self.put_in_order(Some(block));
                self.bookmark_line(self.line_start, self.line - 1);
                self.introduce(nodes);
            }
            // It sums up what was read. Events that could not be written it counts twice.
            Line::Footer(Footer { closed, .. }) => self.put_in_order((closed.skipped == 0).then_some(closed.events)),
        }
        if self.window.is_full() {
            self.put_in_order(None);
            self.bookmark_line(self.offset, self.line);
        }
        Ok(())
    }

    /// A record without a number follows what was read before it.
    fn place(&mut self, number: Option<u64>, record: impl FnOnce(u64) -> JournalRecord, len: usize) {
        if let Some(number) = number {
            return self.window.take(number, record(number), len);
        }
        self.put_in_order(None);
        self.bookmark_line(self.line_start, self.line - 1);
        let record = record(self.next);
        self.next = self.next.saturating_add(record.events());
        self.ready.push_back(Ok(record));
    }

    /// Makes what waits ready; `end` is the number of the first event after it, if that is known.
    fn put_in_order(&mut self, end: Option<u64>) {
        self.next = self.window.empty_into(&mut self.ready, self.next, end);
    }

    /// Each block names all nodes that it needs, so others can be forgotten.
    fn introduce(&mut self, mut nodes: BTreeMap<u32, Addr>) {
        if self.nodes.len() > NODES_MAX {
            self.nodes = Arc::default();
        }
        nodes.retain(|number, addr| self.nodes.get(number) != Some(addr));
        if !nodes.is_empty() {
            Arc::make_mut(&mut self.nodes).append(&mut nodes);
        }
    }

    fn end_torn(&mut self) {
        self.end();
        self.ready.push_back(Ok(JournalRecord::Torn));
    }

    fn end(&mut self) {
        self.put_in_order(None);
        self.ended = true;
    }
}

/// Continues after a bad line; ends at the end of the file, at a torn line or at a read error.
impl Iterator for JournalReader {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        while self.ready.is_empty() && !self.ended {
            self.advance();
        }
        let told = self.ready.pop_front()?;
        self.handed += 1;
        Some(told)
    }
}
