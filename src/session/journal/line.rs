//! A line of a journal after the first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rows::RowsLine;
use crate::event::Event;
use crate::proto::addr::Addr;
use crate::session::overview::{Footer, MissedEvents};

/// The first line of a block: the nodes that its rows name by number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockHead {
    /// The number of the block's first event.
    pub(super) block: u64,
    pub(super) nodes: BTreeMap<u32, Addr>,
}

/// An event with a line of its own: its number, and what it is everywhere.
#[derive(Debug, Serialize)]
pub(super) struct EventLine<'a> {
    pub(super) n: u64,
    #[serde(flatten)]
    pub(super) event: &'a Event,
}

/// The number of an event, whatever else its line has. In an export it has none.
#[derive(Debug, Deserialize)]
struct Number {
    n: Option<u64>,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    Head(BlockHead),
    Rows(Box<RowsLine>),
    Event { n: Option<u64>, event: Event },
    Missed(MissedEvents),
    Footer(Footer),
}

impl Line {
    /// Reads a line. Lines are told apart by their fields, in whatever order these are.
    pub(super) fn parse(line: &[u8]) -> serde_json::Result<Self> {
        // What most lines of an older journal or of an export are is tried first.
        if line.starts_with(b"{\"at\":")
            && let Ok(event) = Self::event(line)
        {
            return Ok(event);
        }
        let no_rows = match serde_json::from_slice(line) {
            Ok(rows) => return Ok(Self::Rows(rows)),
            Err(why) => why,
        };
        let no_event = match Self::event(line) {
            Ok(event) => return Ok(event),
            Err(why) => why,
        };
        let missed = serde_json::from_slice(line).map(Self::Missed);
        let others = missed.or_else(|_| serde_json::from_slice(line).map(Self::Head));
        let others = others.or_else(|_| serde_json::from_slice(line).map(Self::Footer));
        others.map_err(|_| if is_about_rows(line) { no_rows } else { no_event })
    }

    fn event(line: &[u8]) -> serde_json::Result<Self> {
        let event = serde_json::from_slice(line)?;
        Ok(Self::Event { n: serde_json::from_slice::<Number>(line)?.n, event })
    }
}

/// A line that cannot be read was one of rows, by its looks.
fn is_about_rows(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"rows\":";
    line.windows(KEY.len()).any(|bytes| bytes == KEY)
}
