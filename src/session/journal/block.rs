//! What is written to a journal at a time: a second's events at most, or some thousands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::HeldEvents;
use super::line::{BlockHead, EventLine};
use super::rows::{EventRow, RowSubject, RowsByKind, RowsLine};
use crate::event::Event;
use crate::model::FastHashMap;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Bytes that a block takes, about: few writes, and little to lose. Some 20,000 events, or four
/// seconds of a lab of 50; and at most 18,000 nodes are named, in a line of at most 670 KB.
const LEN_MAX: usize = 512 * 1024;
/// Rows in a line: at most 130 bytes each, so that with the longest body, each byte of it escaped, a
/// line is shorter than [`super::LINE_LEN_MAX`].
const ROWS_MAX: usize = 4 * 1024;
/// Nodes whose numbers are kept from block to block: more than a lab can have, and few enough that
/// strangers who come and go do not fill the memory.
const NODES_MAX: usize = 128 * 1024;
/// The block of a node that none has named.
const NEVER: u64 = u64::MAX;
/// Bytes that a row, a line around rows and the name of a node take, about.
const ROW_LEN: usize = 24;
const ROWS_LINE_LEN: usize = 300;
const NODE_LEN: usize = 30;

/// The events that wait to be written.
#[derive(Debug, Default)]
pub(super) struct JournalBlock {
    /// The number of its first event.
    pub(super) first: u64,
    pub(super) held: HeldEvents,
    /// Events that have a line of their own.
    lines: Vec<u8>,
    rows: Vec<WaitingRow>,
    heads: Vec<RowsHead>,
    /// The latest of the heads for each message, and for probes.
    open: FastHashMap<Option<MessageId>, usize>,
    nodes: ShortNodes,
    /// About what the rows take in the file.
    rows_len: usize,
}

/// A row, in the order of events, and the place of its line's head.
#[derive(Debug)]
struct WaitingRow {
    head: usize,
    n: u64,
    at: Time,
    node: u32,
    row: EventRow,
}

/// What stands before the rows of a line.
#[derive(Debug)]
struct RowsHead {
    message: Option<MessageId>,
    sent: Option<Time>,
    /// In memory of its own: a body from the network keeps a whole buffer alive.
    body: Option<Body>,
    n: u64,
    at: Time,
    rows: usize,
}

impl RowsHead {
    /// Whether a row about the same can be in the line: what a sender says may differ.
    fn fits(&self, about: RowSubject<'_>) -> bool {
        let (own, other) = (self.body.as_ref(), about.body);
        self.rows < ROWS_MAX && self.sent == about.sent && (own.is_none() || other.is_none() || own == other)
    }
}

impl JournalBlock {
    pub(super) fn is_empty(&self) -> bool {
        self.held.events == 0 && self.held.skipped == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= LEN_MAX as u64
    }

    /// Bytes that it takes, about.
    pub(super) fn len(&self) -> u64 {
        (self.lines.len() + self.rows_len + NODE_LEN * self.nodes.named.len()) as u64
    }

    /// Takes the event with this number. On an error it is as it was.
    pub(super) fn push(&mut self, number: u64, event: &Event) -> serde_json::Result<()> {
        self.begin(number);
        match EventRow::of(&event.kind, |addr| self.nodes.number(addr)) {
            Some((about, row)) => self.push_row(number, event, about, row),
            None => self.push_line(number, event)?,
        }
        self.held.events += 1;
        Ok(())
    }

    /// Notes that this many events are missing, from this number on.
    pub(super) fn skip(&mut self, number: u64, events: u64) {
        self.begin(number);
        self.held.skipped += events;
        self.lines.extend_from_slice(format!("{{\"n\":{number},\"skipped\":{events}}}\n").as_bytes());
    }

    fn begin(&mut self, number: u64) {
        if self.is_empty() {
            self.first = number;
        }
    }

    fn push_line(&mut self, number: u64, event: &Event) -> serde_json::Result<()> {
        let start = self.lines.len();
        let written = push_line(&mut self.lines, &EventLine { n: number, event });
        if written.is_err() {
            self.lines.truncate(start);
        }
        written
    }

    fn push_row(&mut self, n: u64, event: &Event, about: RowSubject<'_>, row: EventRow) {
        let (at, node) = (event.at, self.nodes.number(event.node));
        let place = self.head(about, n, at);
        let head = &mut self.heads[place];
        head.rows += 1;
        if head.body.is_none() {
            head.body = about.body.map(Body::detached);
        }
        self.rows.push(WaitingRow { head: place, n, at, node, row });
        self.rows_len += ROW_LEN;
    }

    /// Where the head for a row about this is: an earlier one that it fits, or a new one.
    fn head(&mut self, about: RowSubject<'_>, n: u64, at: Time) -> usize {
        let open = self.open.get(&about.message).copied();
        if let Some(place) = open.filter(|place| self.heads[*place].fits(about)) {
            return place;
        }
        let RowSubject { message, sent, body } = about;
        self.open.insert(message, self.heads.len());
        self.rows_len += ROWS_LINE_LEN + body.map_or(0, Body::len);
        self.heads.push(RowsHead { message, sent, body: None, n, at, rows: 0 });
        self.heads.len() - 1
    }

    /// Appends the block as lines, and begins the next.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let written = self.append(out);
        self.lines.clear();
        self.rows.clear();
        self.heads.clear();
        self.open.clear();
        (self.held, self.rows_len) = (HeldEvents::default(), 0);
        written
    }

    fn append(&mut self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let nodes = self.nodes.end_block();
        if !nodes.is_empty() {
            push_line(out, &BlockHead { block: self.first, nodes })?;
        }
        out.extend_from_slice(&self.lines);
        let order = self.rows_by_head();
        let (mut order, mut rows) = (&order[..], RowsByKind::default());
        for RowsHead { message, sent, body, n, at, rows: len } in self.heads.drain(..) {
            let (own, rest) = order.split_at(len);
            order = rest;
            rows.clear();
            for WaitingRow { n: number, at: time, node, row, .. } in own.iter().map(|place| &self.rows[*place]) {
                rows.push((n, at), *number, *time, *node, row);
            }
            let line = RowsLine { message, sent, body, n, at, rows };
            push_line(out, &line)?;
            rows = line.rows;
        }
        Ok(())
    }

    /// The places of the rows of the first head, then of the second, and so on, each in order.
    fn rows_by_head(&self) -> Vec<usize> {
        let mut next: Vec<usize> = Vec::with_capacity(self.heads.len());
        let mut before = 0;
        for head in &self.heads {
            next.push(before);
            before += head.rows;
        }
        let mut order = vec![0; self.rows.len()];
        for (place, row) in self.rows.iter().enumerate() {
            order[next[row.head]] = place;
            next[row.head] += 1;
        }
        order
    }
}

fn push_line(out: &mut Vec<u8>, line: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}

/// Short numbers for nodes. One that was given never means another node in the same file, so rows
/// behind a damaged head are read right or not at all.
#[derive(Debug, Default)]
struct ShortNodes {
    /// Each node's number, and the block that named it last.
    known: FastHashMap<Addr, (u32, u64)>,
    next: u32,
    block: u64,
    /// The nodes of this block.
    named: BTreeMap<u32, Addr>,
}

impl ShortNodes {
    fn number(&mut self, addr: Addr) -> u32 {
        let next = self.next;
        let (number, named_in) = self.known.entry(addr).or_insert((next, NEVER));
        if *number == next {
            self.next = next.wrapping_add(1);
        }
        if std::mem::replace(named_in, self.block) != self.block {
            self.named.insert(*number, addr);
        }
        *number
    }

    /// The nodes of the block that ends here.
    fn end_block(&mut self) -> BTreeMap<u32, Addr> {
        self.block += 1;
        if self.known.len() > NODES_MAX {
            self.known.clear();
        }
        std::mem::take(&mut self.named)
    }
}
