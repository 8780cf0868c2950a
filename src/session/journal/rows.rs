//! Lines that stand for many events: the copies of one message, or the probes, of a block.
//!
//! The types here are the schema that docs/journal.md describes: what is written is what is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use strum::{EnumCount, EnumDiscriminants, VariantArray};

use crate::event::{Event, EventKind, GossipEvent, ProbeEvent};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, ProbeId, Trace};
use crate::proto::text::Body;
use crate::proto::time::{ClockTime, Time};

/// The events that are written as rows. Nodes are named by their numbers.
#[derive(Debug, Clone, Copy, EnumDiscriminants)]
#[strum_discriminants(name(RowKind), derive(PartialOrd, Ord, EnumCount, VariantArray, Serialize, Deserialize))]
#[strum_discriminants(serde(rename_all = "snake_case"))]
pub(super) enum EventRow {
    Generated { hop: Option<u16>, forwarded: usize },
    Received { from: u32, hop: Option<u16>, forwarded: usize },
    Duplicate { from: u32, hop: Option<u16> },
    ProbeSent { peer: u32, seq: u64, probe: Option<ProbeId> },
    ProbeReceived { peer: u32, seq: u64, clock: ClockTime },
    ProbeAnswered { peer: u32, seq: u64, probe: Option<ProbeId>, clock: ClockTime, rtt_us: u64 },
}

/// What all rows of a line have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RowSubject<'a> {
    /// `None`: they are about probes.
    pub(super) message: Option<MessageId>,
    pub(super) sent: Option<Time>,
    /// Not all rows have it.
    pub(super) body: Option<&'a Body>,
}

impl EventRow {
    /// The event as a row; `None` if it has a line of its own.
    pub(super) fn of(event: &EventKind, number: impl FnMut(Addr) -> u32) -> Option<(RowSubject<'_>, Self)> {
        match event {
            EventKind::Gossip(event) => Self::of_gossip(event, number),
            EventKind::Probe(event) => Self::of_probe(event, number).map(|row| (RowSubject::default(), row)),
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => None,
        }
    }

    fn of_gossip(event: &GossipEvent, mut number: impl FnMut(Addr) -> u32) -> Option<(RowSubject<'_>, Self)> {
        let about = |id: &MessageId, trace: &Option<Trace>, body| {
            let subject = RowSubject { message: Some(*id), sent: trace.map(|trace| trace.sent), body };
            (subject, trace.map(|trace| trace.hop))
        };
        if let GossipEvent::Duplicate { id, from, trace } = event {
            let (subject, hop) = about(id, trace, None);
            Some((subject, Self::Duplicate { from: number(*from), hop }))
        } else if let GossipEvent::Received { id, from, body, trace, forwarded } = event {
            let (subject, hop) = about(id, trace, Some(body));
            Some((subject, Self::Received { from: number(*from), hop, forwarded: *forwarded }))
        } else if let GossipEvent::Generated { id, body, trace, forwarded } = event {
            let (subject, hop) = about(id, trace, Some(body));
            Some((subject, Self::Generated { hop, forwarded: *forwarded }))
        } else {
            None
        }
    }

    fn of_probe(event: &ProbeEvent, mut number: impl FnMut(Addr) -> u32) -> Option<Self> {
        if let ProbeEvent::Sent { peer, seq, probe } = *event {
            Some(Self::ProbeSent { peer: number(peer), seq, probe })
        } else if let ProbeEvent::Received { peer, seq, clock } = *event {
            Some(Self::ProbeReceived { peer: number(peer), seq, clock })
        } else if let ProbeEvent::Answered { peer, seq, probe, clock, rtt_us } = *event {
            Some(Self::ProbeAnswered { peer: number(peer), seq, probe, clock, rtt_us })
        } else {
            None
        }
    }
}

/// A line of rows: the copies of a message, or probes if it names no message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageId>,
    /// When the message was sent. Absent: its copies carry no trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<Time>,
    /// Absent in a line that has nothing but duplicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
    /// The number of the line's first event, and when it was.
    pub(super) n: u64,
    pub(super) at: Time,
    pub(super) rows: RowsByKind,
}

/// The rows of a line. Kinds without rows are not in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<RowKind, RowColumns>")]
pub(super) struct RowsByKind([RowColumns; RowKind::COUNT]);

impl From<BTreeMap<RowKind, RowColumns>> for RowsByKind {
    fn from(read: BTreeMap<RowKind, RowColumns>) -> Self {
        let mut rows = Self::default();
        for (kind, read) in read {
            rows.0[kind as usize] = read;
        }
        rows
    }
}

impl Serialize for RowsByKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().filter(|(_, rows)| !rows.n.is_empty()))
    }
}

/// Events of one kind, a column a field. What the kind does not have is empty.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RowColumns {
    /// How much higher the event's number is than that of the row before; first, than the line's.
    n: Vec<u64>,
    /// How much later it was, in microseconds, in the same way.
    us: Vec<i64>,
    node: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hop: Vec<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forwarded: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    peer: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seq: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probe: Vec<Option<ProbeId>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clock: Vec<ClockTime>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rtt_us: Vec<u64>,
    /// The last row's number and time, while it is written.
    #[serde(skip)]
    last: Option<(u64, Time)>,
}

/// What is wrong with a line of rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowsError {
    #[error("a column is shorter than `n`")]
    ShortColumn,
    #[error("node {0} was not introduced")]
    UnknownNode(u32),
    #[error("copies without `message`")]
    NoMessage,
    #[error("first copies without `body`")]
    NoBody,
}

impl RowsByKind {
    fn iter(&self) -> impl Iterator<Item = (RowKind, &RowColumns)> {
        RowKind::VARIANTS.iter().copied().zip(&self.0)
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(RowColumns::clear);
    }

    /// Adds a row behind those of its kind, in a line that begins with this number and time.
    pub(super) fn push(&mut self, first: (u64, Time), n: u64, at: Time, node: u32, row: &EventRow) {
        let rows = &mut self.0[RowKind::from(row) as usize];
        let (last_n, last_at) = rows.last.replace((n, at)).unwrap_or(first);
        rows.n.push(n.wrapping_sub(last_n));
        rows.us.push(at.as_micros().wrapping_sub(last_at.as_micros()).cast_signed());
        rows.node.push(node);
        match *row {
            EventRow::Generated { hop, forwarded } => {
                rows.hop.extend(hop);
                rows.forwarded.push(forwarded);
            }
            EventRow::Received { from, hop, forwarded } => {
                rows.from.push(from);
                rows.hop.extend(hop);
                rows.forwarded.push(forwarded);
            }
            EventRow::Duplicate { from, hop } => {
                rows.from.push(from);
                rows.hop.extend(hop);
            }
            EventRow::ProbeSent { peer, seq, probe } => {
                rows.peer.push(peer);
                rows.seq.push(seq);
                rows.probe.push(probe);
            }
            EventRow::ProbeReceived { peer, seq, clock } => {
                rows.peer.push(peer);
                rows.seq.push(seq);
                rows.clock.push(clock);
            }
            EventRow::ProbeAnswered { peer, seq, probe, clock, rtt_us } => {
                rows.peer.push(peer);
                rows.seq.push(seq);
                rows.probe.push(probe);
                rows.clock.push(clock);
                rows.rtt_us.push(rtt_us);
            }
        }
    }
}

impl RowColumns {
    fn clear(&mut self) {
        let Self { n, us, node, from, hop, forwarded, peer, seq, probe, clock, rtt_us, last } = self;
        [node, from, peer].into_iter().for_each(Vec::clear);
        [n, seq, rtt_us].into_iter().for_each(Vec::clear);
        us.clear();
        hop.clear();
        forwarded.clear();
        probe.clear();
        clock.clear();
        *last = None;
    }
}

impl RowsLine {
    /// Hands over each event with its number; all that came before an error are good.
    pub(super) fn read(&self, nodes: &BTreeMap<u32, Addr>, mut take: impl FnMut(u64, Event)) -> Result<(), RowsError> {
        for (kind, rows) in self.rows.iter() {
            let (mut n, mut at) = (self.n, self.at.as_micros());
            for (row, step) in rows.n.iter().enumerate() {
                n = n.wrapping_add(*step);
                at = at.wrapping_add_signed(cell(&rows.us, row)?);
                let node = known(nodes, cell(&rows.node, row)?)?;
                take(n, Event { at: Time::from_micros(at), node, kind: self.event(kind, rows, row, nodes)? });
            }
        }
        Ok(())
    }

    fn event(
        &self,
        kind: RowKind,
        rows: &RowColumns,
        row: usize,
        nodes: &BTreeMap<u32, Addr>,
    ) -> Result<EventKind, RowsError> {
        let id = || self.message.ok_or(RowsError::NoMessage);
        let body = || self.body.clone().ok_or(RowsError::NoBody);
        let from = || known(nodes, cell(&rows.from, row)?);
        let peer = || known(nodes, cell(&rows.peer, row)?);
        let trace = || self.sent.map(|sent| Ok(Trace { sent, hop: cell(&rows.hop, row)? })).transpose();
        let (forwarded, seq) = (|| cell(&rows.forwarded, row), || cell(&rows.seq, row));
        let (clock, rtt_us) = (|| cell(&rows.clock, row), || cell(&rows.rtt_us, row));
        let probe = || cell(&rows.probe, row);
        Ok(match kind {
            RowKind::Generated => {
                GossipEvent::Generated { id: id()?, body: body()?, trace: trace()?, forwarded: forwarded()? }.into()
            }
            RowKind::Received => GossipEvent::Received {
                id: id()?,
                from: from()?,
                body: body()?,
                trace: trace()?,
                forwarded: forwarded()?,
            }
            .into(),
            RowKind::Duplicate => GossipEvent::Duplicate { id: id()?, from: from()?, trace: trace()? }.into(),
            RowKind::ProbeSent => ProbeEvent::Sent { peer: peer()?, seq: seq()?, probe: probe()? }.into(),
            RowKind::ProbeReceived => ProbeEvent::Received { peer: peer()?, seq: seq()?, clock: clock()? }.into(),
            RowKind::ProbeAnswered => {
                ProbeEvent::Answered { peer: peer()?, seq: seq()?, probe: probe()?, clock: clock()?, rtt_us: rtt_us()? }
                    .into()
            }
        })
    }
}

fn cell<T: Copy>(column: &[T], row: usize) -> Result<T, RowsError> {
    column.get(row).copied().ok_or(RowsError::ShortColumn)
}

fn known(nodes: &BTreeMap<u32, Addr>, number: u32) -> Result<Addr, RowsError> {
    nodes.get(&number).copied().ok_or(RowsError::UnknownNode(number))
}
