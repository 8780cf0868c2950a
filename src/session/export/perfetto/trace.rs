//! Chrome's trace event format, as far as it is used here: see
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::proto::time::Time;
use crate::session::text::printed_json;

/// A process and a thread of the trace: here both stand for one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrackId(pub(super) u64);

/// Where an instant is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InstantScope {
    Track,
    /// Across all tracks.
    Everywhere,
}

/// What a trace has at a moment of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A slice begins; one on the same track ends before it, or around it.
    Begin,
    End,
    /// A slice of a microsecond: what happens takes no time, but an arrow needs a slice at each end.
    Moment,
    Instant(InstantScope),
    /// Slices with a number of their own, which may overlap.
    AsyncBegin(u64),
    AsyncEnd(u64),
    /// The two ends of an arrow: each belongs to the slice that is open there.
    FlowStart(u64),
    FlowEnd(u64),
}

/// One entry of the trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct TraceEntry<'a> {
    pub(super) track: TrackId,
    pub(super) at: Time,
    pub(super) phase: Phase,
    pub(super) name: &'a str,
    /// The kind of thing, by which a viewer filters.
    pub(super) category: &'static str,
    pub(super) args: Option<Args<'a>>,
}

/// What a viewer shows of an entry that is selected.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Args<'a> {
    /// On the session's own clock.
    pub(super) time: &'a str,
    pub(super) what: &'a str,
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    ph: &'static str,
    name: &'a str,
    cat: &'static str,
    /// Microseconds since the session began.
    ts: u64,
    pid: u64,
    tid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args<'a>>,
}

/// The name or the place of a track.
#[derive(Serialize)]
struct JsonAbout<'a> {
    ph: &'static str,
    name: &'static str,
    pid: u64,
    tid: u64,
    args: AboutTrack<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AboutTrack<'a> {
    Name(&'a str),
    Labels(&'a str),
    SortIndex(u64),
}

#[derive(Serialize)]
struct OtherData<'a> {
    gossipctl: &'a str,
    started: &'a str,
}

/// Writes the trace as one JSON object, whose end is to be written last.
#[derive(Debug, Default)]
pub(super) struct TraceWriter {
    /// What counts as zero: the first moment that was told.
    zero: Option<Time>,
    is_begun: bool,
}

impl TraceWriter {
    pub(super) fn begin(gossipctl: &str, started: &str, out: &mut Vec<u8>) -> io::Result<()> {
        let about = printed_json(&OtherData { gossipctl, started })?;
        writeln!(out, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[")
    }

    /// A track as a viewer shows it; `label` is added to its name.
    pub(super) fn name_track(&mut self, out: &mut Vec<u8>, track: TrackId, name: &str, label: &str) -> io::Result<()> {
        let TrackId(id) = track;
        let about = [
            ("process_name", AboutTrack::Name(name)),
            ("process_labels", AboutTrack::Labels(label)),
            ("process_sort_index", AboutTrack::SortIndex(id)),
            ("thread_name", AboutTrack::Name(name)),
        ];
        about
            .into_iter()
            .try_for_each(|(name, args)| self.push_json(out, &JsonAbout { ph: "M", name, pid: id, tid: id, args }))
    }

    pub(super) fn push(&mut self, out: &mut Vec<u8>, entry: TraceEntry<'_>) -> io::Result<()> {
        let TraceEntry { track: TrackId(track), at, phase, name, category: cat, args } = entry;
        let ts = at.micros_since(*self.zero.get_or_insert(at));
        let (ph, dur, id, s, bp) = match phase {
            Phase::Begin => ("B", None, None, None, None),
            Phase::End => ("E", None, None, None, None),
            Phase::Moment => ("X", Some(1), None, None, None),
            Phase::Instant(InstantScope::Track) => ("i", None, None, Some("t"), None),
            Phase::Instant(InstantScope::Everywhere) => ("i", None, None, Some("g"), None),
            Phase::AsyncBegin(id) => ("b", None, Some(id), None, None),
            Phase::AsyncEnd(id) => ("e", None, Some(id), None, None),
            Phase::FlowStart(id) => ("s", None, Some(id), None, None),
            Phase::FlowEnd(id) => ("f", None, Some(id), None, Some("e")),
        };
        let id = id.map(|id| format!("0x{id:x}"));
        self.push_json(out, &JsonEntry { ph, name, cat, ts, pid: track, tid: track, dur, id, s, bp, args })
    }

    fn push_json(&mut self, out: &mut Vec<u8>, json: &impl Serialize) -> io::Result<()> {
        if self.is_begun {
            out.extend_from_slice(b",\n");
        }
        self.is_begun = true;
        out.extend_from_slice(printed_json(json)?.as_bytes());
        Ok(())
    }

    pub(super) fn end(out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n]}\n");
    }
}
