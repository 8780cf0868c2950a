//! The packed form of a journal: a chain of zstd frames, each of which holds whole lines and can be unpacked alone.
//!
//! Before each frame stands a skippable one, which other programs pass over: a [`FramePlace`] that tells where in the
//! session the frame begins and how long it is. So a reader finds a time without unpacking what comes before
//! it, and what is behind a damaged frame is still read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::proto::time::Time;

/// Bytes that are read at a time.
pub(super) const CHUNK_LEN: usize = 256 * 1024;
/// The least that zstd does: of a journal's lines the higher levels make no less, in more time.
const LEVEL: i32 = 1;
/// The first bytes of a frame, and of the skippable frame (one of sixteen kinds) that holds a place.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const PLACE: [u8; 4] = [0x5a, 0x2a, 0x4d, 0x18];
const PLACE_BEGIN_LEN: i64 = 4;
/// Bytes of a skippable frame before its content.
const PLACE_HEAD_LEN: u64 = 8;
/// Bytes of a place: three numbers with their names take at most 90.
const PLACE_LEN_MAX: u64 = 128;
/// Bytes that are read around a place while frames are passed over.
const PLACES_CHUNK_LEN: usize = 160;
/// Places that are listed: a day of frames of a tenth of a second.
const PLACES_MAX: usize = 864_000;
/// Bytes of a frame, packed and unpacked: eight times what a block takes, so that one with the longest lines fits.
const FRAME_LEN_MAX: u64 = 4 * 1024 * 1024;

/// Where a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FramePlace {
    /// The number of the first event in it.
    pub(super) n: u64,
    /// When that was.
    pub(super) at: Time,
    /// Its bytes.
    len: u64,
}

/// Whether a file that begins with these bytes is packed.
pub(super) fn is_packed(first: &[u8]) -> bool {
    first.starts_with(&PLACE) || first.starts_with(&FRAME)
}

/// How the lines of a journal are kept in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As they are, for a file that is called `.jsonl`.
    Lines,
    /// As frames, for `.zst`.
    Frames,
}

impl Packing {
    pub(super) fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|ending| ending == "zst") { Self::Frames } else { Self::Lines }
    }

    /// Whole lines as they are kept: the first event in them has the number `n`, and none is earlier than `at`.
    pub(super) fn pack(self, n: u64, at: Time, lines: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Lines => Ok(lines),
            Self::Frames => frame(n, at, &lines),
        }
    }

    /// The length of a file up to the end of what is whole in it.
    pub(super) fn whole_len(self, file: &mut File) -> io::Result<u64> {
        match self {
            Self::Lines => whole_lines(file, 0),
            Self::Frames => whole_frames(file, 0),
        }
    }

    /// How far a file that is still written can be read from here, where a frame or a line begins: damaged parts
    /// included, a last one that is half written left out.
    pub(super) fn readable_end(self, file: &mut File, from: u64) -> io::Result<u64> {
        match self {
            Self::Lines => whole_lines(file, from),
            Self::Frames => readable_frames(file, from),
        }
    }
}

/// Whole lines as a frame behind its place.
fn frame(n: u64, at: Time, lines: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
    // A flipped bit is noticed before a line is taken for something else.
    packer.include_checksum(true)?;
    let frame = packer.compress(lines)?;
    let place = serde_json::to_vec(&FramePlace { n, at, len: frame.len() as u64 })?;
    let len = u32::try_from(place.len()).unwrap_or(u32::MAX);
    Ok([&PLACE[..], &len.to_le_bytes(), &place, &frame].concat())
}

fn whole_frames(file: &mut File, from: u64) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let mut whole = file.seek(SeekFrom::Start(from))?;
    while let Some(place) = read_place(file)? {
        let end = file.stream_position()?.saturating_add(place.len);
        if end > len {
            break;
        }
        whole = file.seek(SeekFrom::Start(end))?;
    }
    Ok(whole)
}

fn readable_frames(file: &mut File, from: u64) -> io::Result<u64> {
    let mut end = whole_frames(file, from)?;
    while let Some(next) = place_behind_damage(file, end)? {
        end = whole_frames(file, next)?;
    }
    Ok(end)
}

/// Where the next place is, if there is none here although one would fit.
fn place_behind_damage(file: &mut File, from: u64) -> io::Result<Option<u64>> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(from))?;
    if len.saturating_sub(from) < PLACE_HEAD_LEN + PLACE_LEN_MAX || read_place(file)?.is_some() {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(from + 1))?;
    let mut rest = BufReader::new(file.try_clone()?);
    skip_to_place(&mut rest)?;
    let next = rest.stream_position()?;
    Ok((next < len).then_some(next))
}

fn whole_lines(file: &mut File, from: u64) -> io::Result<u64> {
    let (mut whole, mut read, mut chunk) = (from, file.seek(SeekFrom::Start(from))?, vec![0; CHUNK_LEN]);
    loop {
        let len = file.read(&mut chunk)?;
        if len == 0 {
            return Ok(whole);
        }
        if let Some(end) = chunk[..len].iter().rposition(|byte| *byte == b'\n') {
            whole = read + end as u64 + 1;
        }
        read += len as u64;
    }
}

/// The lines of the last frame, if a place within the last `reach` bytes leads exactly to the end of the file.
pub(super) fn last_lines(file: &mut File, reach: u64) -> io::Result<Option<Vec<u8>>> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(reach)))?;
    let mut end = Vec::new();
    file.take(reach).read_to_end(&mut end)?;
    let places = end.windows(PLACE.len()).enumerate().rev().filter(|(_, bytes)| *bytes == PLACE);
    for (start, _) in places {
        let mut rest = &end[start..];
        let place = read_place(&mut rest)?;
        if place.is_some_and(|place| place.len == rest.len() as u64) {
            return unpack(rest).map(Some);
        }
    }
    Ok(None)
}

/// Reads a place, with what leads to it; nothing if there is something else.
fn read_place(file: &mut impl Read) -> io::Result<Option<FramePlace>> {
    let mut bytes = Vec::new();
    file.take(PLACE_HEAD_LEN).read_to_end(&mut bytes)?;
    let Some(len) = bytes.strip_prefix(&PLACE).and_then(|len| len.try_into().ok()).map(u32::from_le_bytes) else {
        return Ok(None);
    };
    let len = u64::from(len);
    if len > PLACE_LEN_MAX {
        return Ok(None);
    }
    bytes.clear();
    file.take(len).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes).ok().filter(|place: &FramePlace| place.len <= FRAME_LEN_MAX))
}

fn unpack(frame: &[u8]) -> io::Result<Vec<u8>> {
    let damaged = |_| io::Error::new(ErrorKind::InvalidData, "this part is damaged and cannot be unpacked");
    zstd::bulk::decompress(frame, usize::try_from(FRAME_LEN_MAX).unwrap_or(usize::MAX)).map_err(damaged)
}

/// The lines of a packed file. A damaged frame is an error ([`ErrorKind::InvalidData`]) in its place, after which the
/// rest can be read; so is an incomplete one at the end ([`ErrorKind::UnexpectedEof`]).
pub(super) struct FrameReader {
    source: FrameSource,
    /// What was unpacked, and how much of that was read.
    lines: Vec<u8>,
    read: usize,
    /// Where the frame begins whose lines these are.
    begun: Option<FrameStart>,
}

/// Where a frame of ours begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameStart {
    /// Bytes of the file before its place.
    pub(super) offset: u64,
    /// The number of the first event in it.
    pub(super) n: u64,
}

enum FrameSource {
    /// Frames with places before them.
    Ours {
        file: BufReader<File>,
        /// Bytes that were read of it.
        offset: u64,
        /// No frame is read from here on.
        end: u64,
    },
    /// What another program has packed: a frame may be as long as it likes.
    Others(Box<zstd::Decoder<'static, BufReader<File>>>),
}

impl FrameReader {
    pub(super) fn new(mut file: BufReader<File>) -> io::Result<Self> {
        let source = if file.fill_buf()?.starts_with(&PLACE) {
            FrameSource::Ours { file, offset: 0, end: u64::MAX }
        } else {
            FrameSource::Others(Box::new(zstd::Decoder::with_buffer(file)?))
        };
        Ok(Self { source, lines: Vec::new(), read: 0, begun: None })
    }

    /// Its frames have places before them.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.source, FrameSource::Ours { .. })
    }

    /// Goes on from the place behind so many bytes of a packed file, or of lines that another program has packed.
    pub(super) fn skip_to(&mut self, target: u64) -> io::Result<()> {
        (self.lines, self.read) = (Vec::new(), 0);
        match &mut self.source {
            FrameSource::Ours { file, offset, .. } => {
                *offset = file.seek(SeekFrom::Start(target))?;
            }
            FrameSource::Others(packed) => {
                io::copy(&mut packed.take(target), &mut io::sink())?;
            }
        }
        Ok(())
    }

    /// Reads no frame of ours from there on, as if the file ended.
    pub(super) fn stop_at(&mut self, stop: u64) {
        match &mut self.source {
            FrameSource::Ours { end, .. } => *end = stop,
            FrameSource::Others(_) => {}
        }
    }

    /// Where the frame of ours begins of which nothing was read yet; nothing in the middle of one and at the end.
    pub(super) fn frame_start(&mut self) -> io::Result<Option<FrameStart>> {
        if self.read < self.lines.len() {
            return Ok(None);
        }
        self.begun = None;
        Ok(if self.fill_buf()?.is_empty() { None } else { self.begun })
    }

    /// Unpacks what comes next; nothing at the end.
    fn advance(&mut self) -> io::Result<()> {
        self.lines.clear();
        self.read = 0;
        match &mut self.source {
            FrameSource::Ours { offset, end, .. } if *offset >= *end => {}
            FrameSource::Ours { file, offset, .. } => {
                let begin = *offset;
                let (n, lines) = next_frame(file, offset)?;
                self.begun = Some(FrameStart { offset: begin, n });
                self.lines = lines;
            }
            FrameSource::Others(packed) => {
                let read = packed.take(CHUNK_LEN as u64).read_to_end(&mut self.lines);
                // An error comes again behind what was unpacked before it.
                read.map(drop).or_else(|error| if self.lines.is_empty() { Err(error) } else { Ok(()) })?;
            }
        }
        Ok(())
    }
}

/// The lines of the next frame, and the number of the first event in them; none at the end. Counts what it reads.
fn next_frame(file: &mut BufReader<File>, offset: &mut u64) -> io::Result<(u64, Vec<u8>)> {
    if file.fill_buf()?.is_empty() {
        return Ok((0, Vec::new()));
    }
    let start = *offset;
    let place = read_place(file)?;
    *offset = file.stream_position()?;
    let Some(place) = place else {
        // What was read of it may have reached into the next one.
        file.seek(SeekFrom::Start(start + 1))?;
        skip_to_place(file)?;
        *offset = file.stream_position()?;
        return Err(io::Error::new(ErrorKind::InvalidData, "this part is damaged: it does not begin as it should"));
    };
    let (begin, mut frame) = (*offset, Vec::new());
    *offset += file.take(place.len).read_to_end(&mut frame)? as u64;
    let is_whole = frame.len() as u64 == place.len;
    let lines = if is_whole { unpack(&frame) } else { Err(ErrorKind::UnexpectedEof.into()) };
    if lines.is_err() {
        // Its length may be what is damaged: nothing behind the next place is lost with it.
        file.seek(SeekFrom::Start(begin))?;
        skip_to_place(file)?;
        *offset = file.stream_position()?;
    }
    Ok((place.n, lines?))
}

/// Passes over everything before the next place.
fn skip_to_place(file: &mut BufReader<File>) -> io::Result<()> {
    let mut last = [0; PLACE.len()];
    while let Some(&byte) = file.fill_buf()?.first() {
        file.consume(1);
        last.rotate_left(1);
        last[PLACE.len() - 1] = byte;
        if last == PLACE {
            return file.seek_relative(-PLACE_BEGIN_LEN);
        }
    }
    Ok(())
}

/// The places of a packed file and where each stands, from place to place, up to the first that is damaged or cut.
/// Nothing is unpacked. A file without places has none.
pub(super) fn places(file: File) -> io::Result<Vec<(u64, FramePlace)>> {
    let len = file.metadata()?.len();
    let mut file = BufReader::with_capacity(PLACES_CHUNK_LEN, file);
    let (mut places, mut offset) = (Vec::new(), 0);
    while places.len() < PLACES_MAX {
        let Some(place) = read_place(&mut file)? else { break };
        let behind = file.stream_position()?;
        let end = behind.saturating_add(place.len);
        if end > len {
            break;
        }
        places.push((offset, place));
        offset = end;
        file.seek_relative(i64::try_from(place.len).unwrap_or(0))?;
    }
    Ok(places)
}

impl Read for FrameReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let len = self.fill_buf()?.read(bytes)?;
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for FrameReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.lines.len() {
            self.advance()?;
        }
        Ok(&self.lines[self.read..])
    }

    fn consume(&mut self, len: usize) {
        self.read += len;
    }
}

impl std::fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameReader").field("waiting", &(self.lines.len() - self.read)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
