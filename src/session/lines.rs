//! The log lines, in the words that existing scripts know.
//!
//! The lines of the original programs come out byte for byte; anything else that belongs in a log
//! is a sentence. What came from the network is escaped, so a line is always one line.

use std::fmt::Write as _;

use crate::event::{Direction, Event, EventKind, Purpose};
use crate::model::sentence::sentence;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Trace};
use crate::proto::time::{ClockTime, Time};

/// The line that this event leaves in its node's log, without a line end; `None` if it leaves none.
/// Times of day are those of a clock `utc_offset_s` seconds ahead of UTC.
pub fn log_line(event: &Event, utc_offset_s: i32) -> Option<String> {
    let node = event.node.python();
    match &event.kind {
        EventKind::PeerListReceived { peers, .. } | EventKind::PeerListSent { peers, .. } => Some(list_line(peers)),
        EventKind::LinkUp { peer, direction: Direction::Inbound, purpose: Purpose::Neighbor, .. } => {
            Some(format!("New connection from {}", peer.python()))
        }
        EventKind::LinkUp { peer, direction: Direction::Inbound, purpose: Purpose::Registration, .. } => {
            Some(format!("Connection accepted from  {}", peer.python()))
        }
        EventKind::Generated { id, body, trace, .. } => {
            let clock = message_clock(event.at, *id, *trace, utc_offset_s);
            Some(format!("Generated Gossip Message : {clock}:{}:{body}", id.origin.python()))
        }
        EventKind::Received { id, body, trace, .. } => {
            let clock = message_clock(event.at, *id, *trace, utc_offset_s);
            Some(format!("Received Gossip Message : {clock}:{}:{body}", id.origin.python()))
        }
        EventKind::ProbeReceived { peer, clock, .. } => Some(format!("Liveness Request:{clock}:{}", peer.python())),
        EventKind::ProbeAnswered { peer, clock, .. } => {
            Some(format!("Liveness Reply:{clock}:{node}:{}", peer.python()))
        }
        EventKind::DeadReportSent { dead, clock, .. } => Some(format!("Dead Node:{}:{clock}:{node}", dead.python())),
        EventKind::DeadReportReceived { dead, clock, reporter, .. } => {
            Some(format!("Dead Node:{}:{clock}:{}", dead.python(), reporter.python()))
        }
        EventKind::Started { .. }
        | EventKind::Exposed { .. }
        | EventKind::Stopped { .. }
        | EventKind::Hung
        | EventKind::WasAway { .. }
        | EventKind::Failed { .. }
        | EventKind::FaultSet { .. }
        | EventKind::FaultCleared { .. }
        | EventKind::Lied { .. }
        | EventKind::DialFailed { .. }
        | EventKind::LinkUp { direction: Direction::Outbound, .. }
        | EventKind::LinkDown { .. }
        | EventKind::LinkRefused { .. }
        | EventKind::NotAccepted { .. }
        | EventKind::Violation { .. }
        | EventKind::MoreOffenses { .. }
        | EventKind::Flooding { .. }
        | EventKind::Omitted { .. }
        | EventKind::Forged { .. }
        | EventKind::OtherDialect { .. }
        | EventKind::HandshakeFailed { .. }
        | EventKind::EclipseSuspected { .. }
        | EventKind::Repairing { .. }
        | EventKind::TooFewSeeds { .. }
        | EventKind::ListedAlready { .. }
        | EventKind::EnoughSeeds { .. }
        | EventKind::PeerDelisted { .. }
        | EventKind::ProbeMissed { .. }
        | EventKind::NeighborDied { .. }
        | EventKind::ReportDisputed { .. } => Some(sentence(&event.kind, &|addr| addr.python().to_string())),
        // Each of these is covered by another line, or is not for a log: a dial by its outcome, a
        // registration by its link, a probe by its answer, a copy by the first receipt.
        EventKind::Dialing { .. }
        | EventKind::PeerListed { .. }
        | EventKind::Duplicate { .. }
        | EventKind::ProbeSent { .. } => None,
    }
}

/// `2026-11-22 03:13:02.418`: day and time on a clock `utc_offset_s` seconds ahead of UTC.
pub fn stamp(at: Time, utc_offset_s: i32) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX).saturating_add(i64::from(utc_offset_s) * 1_000_000);
    match chrono::DateTime::from_timestamp_micros(micros) {
        Some(local) => local.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => format!("{} us", at.as_micros()),
    }
}

/// `2026-11-22T03:13:02.418123+05:30`: the same with its offset, for programs.
pub fn iso_stamp(at: Time, utc_offset_s: i32) -> String {
    let utc = chrono::DateTime::from_timestamp_micros(i64::try_from(at.as_micros()).unwrap_or(i64::MAX));
    match utc.zip(chrono::FixedOffset::east_opt(utc_offset_s)) {
        Some((utc, offset)) => utc.with_timezone(&offset).to_rfc3339_opts(chrono::SecondsFormat::Micros, false),
        None => at.as_micros().to_string(),
    }
}

fn list_line(peers: &[Addr]) -> String {
    let mut line = "List of Peers : [".to_owned();
    for (place, peer) in peers.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        let _ = write!(line, "{comma}{}", peer.python());
    }
    line.push(']');
    line
}

/// The time that a message carries: when its origin generated it. It is part of a classic message's
/// identity; a framed message has it in its trace.
fn message_clock(at: Time, id: MessageId, trace: Option<Trace>, utc_offset_s: i32) -> ClockTime {
    let classic = || u32::try_from(id.run).ok().and_then(ClockTime::from_seconds);
    match trace {
        Some(trace) => trace.sent.clock(utc_offset_s),
        None => classic().unwrap_or_else(|| at.clock(utc_offset_s)),
    }
}

#[cfg(test)]
mod tests;
