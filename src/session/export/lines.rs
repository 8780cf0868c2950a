//! Events as lines of text: log lines, JSON, or rows of a table.

use std::borrow::Cow;
use std::io::{self, Write as _};

use super::EventWriter;
use crate::event::{Event, EventSubject};
use crate::model::words::sentence;
use crate::proto::text::printable;
use crate::session::journal::Header;
use crate::session::json::push_printed_line;
use crate::session::lines::{iso_stamp, log_line, stamp};
use crate::session::names::NodeNames;
use crate::session::text::printed_json;

/// The columns of a `.csv` file.
const COLUMNS: [&str; 8] = ["time", "node", "address", "event", "peer", "message", "text", "detail"];

/// A form in which each event has a line of its own, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineFormat {
    /// Log lines, for people and existing scripts.
    Txt,
    /// Events, for programs and for replay.
    Jsonl,
    /// A table.
    Csv,
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
    format: LineFormat,
    stamps: Stamps,
    names: NodeNames,
    utc_offset_s: i32,
}

impl EventLines {
    /// Appends what comes before all events.
    pub fn begin(format: LineFormat, stamps: Stamps, header: &Header, out: &mut Vec<u8>) -> io::Result<Self> {
        match format {
            LineFormat::Txt => {}
            LineFormat::Jsonl => writeln!(out, "{}", printed_json(header)?)?,
            LineFormat::Csv => push_row(out, &COLUMNS.map(str::to_owned)),
        }
        Ok(Self { format, stamps, names: NodeNames::new(), utc_offset_s: header.utc_offset_s })
    }

    /// Appends the line of an event; nothing for one without a log line.
    pub fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        match self.format {
            LineFormat::Txt => {
                let Some(line) = log_line(event, self.utc_offset_s) else { return Ok(()) };
                if self.stamps == Stamps::Shown {
                    write!(out, "{} ", stamp(event.at, self.utc_offset_s))?;
                }
                writeln!(out, "{} {}", printable(&self.names.name(event.node)), printable(&line))?;
            }
            LineFormat::Jsonl => push_printed_line(out, event)?,
            LineFormat::Csv => push_row(out, &row(event, &self.names, self.utc_offset_s)),
        }
        Ok(())
    }

    /// Appends that this many events are missing here, which `words` explain.
    pub fn push_missing(&self, out: &mut Vec<u8>, events: u64, words: &str) -> io::Result<()> {
        match self.format {
            LineFormat::Txt => writeln!(out, "({words})"),
            LineFormat::Jsonl => writeln!(out, "{{\"skipped\":{events}}}"),
            LineFormat::Csv => {
                push_row(out, &["", "", "", "skipped", "", "", "", words].map(str::to_owned));
                Ok(())
            }
        }
    }
}

impl EventWriter for EventLines {
    fn push(&mut self, out: &mut Vec<u8>, event: &Event) -> io::Result<()> {
        Self::push(self, out, event)
    }

    fn push_missing(&mut self, out: &mut Vec<u8>, events: u64, words: &str) -> io::Result<()> {
        Self::push_missing(self, out, events, words)
    }

    fn end(&mut self, _out: &mut Vec<u8>) -> io::Result<()> {
        Ok(())
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
