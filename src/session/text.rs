//! Events as they come, one line each, for a terminal without a console or for a script.

use std::io::{self, Write};

use super::journal::Header;
use super::lines::log_line;
use super::names::NodeNames;
use super::overview::MissedEvents;
use crate::event::Event;
use crate::proto::text::{printable, printable_json};

/// Appends `p3 Received Gossip Message : ...`, the log line with the node's name in front; nothing
/// for an event without a log line.
pub fn push_text_line(out: &mut Vec<u8>, event: &Event, names: &NodeNames, utc_offset_s: i32) -> io::Result<()> {
    let Some(line) = log_line(event, utc_offset_s) else { return Ok(()) };
    writeln!(out, "{} {}", printable(&names.name(event.node)), printable(&line))
}

/// The first line of events as JSON, as in a journal, so that the output can be opened as a
/// recording.
pub fn json_header(header: &Header) -> serde_json::Result<String> {
    printed_json(header)
}

/// The line for this many missing events, as in a journal.
pub fn json_skipped(events: u64) -> serde_json::Result<String> {
    printed_json(&MissedEvents { skipped: events })
}

/// A line of JSON without anything that acts on a terminal.
pub fn printed_json(line: &impl serde::Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(line)?;
    Ok(match printable_json(&json) {
        std::borrow::Cow::Owned(printed) => printed,
        std::borrow::Cow::Borrowed(_) => json,
    })
}
