//! The log lines, in the words that existing scripts know.
//!
//! The lines of the original programs come out byte for byte; anything else that belongs in a log
//! is a sentence. What came from the network is escaped, so a line is always one line.

use std::fmt::Write as _;

use crate::event::{DeathEvent, Direction, Event, EventKind, GossipEvent, LinkEvent, ProbeEvent, Purpose, SeedEvent};
use crate::model::sentence::sentence;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Trace};
use crate::proto::time::{ClockTime, Time};

/// The line that this event leaves in its node's log, without a line end; `None` if it leaves none.
/// Times of day are those of a clock `utc_offset_s` seconds ahead of UTC.
pub fn log_line(event: &Event, utc_offset_s: i32) -> Option<String> {
    let known = match &event.kind {
        EventKind::Link(link) => link_line(link),
        EventKind::Gossip(gossip) => gossip_line(event.at, gossip, utc_offset_s),
        EventKind::Probe(probe) => probe_line(event.node, probe),
        EventKind::Death(death) => death_line(event.node, death),
        EventKind::Seed(seed) => seed_line(seed),
        EventKind::Node(_) | EventKind::Fault(_) => LogLine::Sentence,
    };
    match known {
        LogLine::Known(line) => Some(line),
        LogLine::Sentence => Some(sentence(&event.kind, &|addr| addr.python().to_string())),
        LogLine::Nothing => None,
    }
}

/// What an event leaves in a log.
enum LogLine {
    /// A line of the original programs.
    Known(String),
    /// What people read elsewhere, too.
    Sentence,
    /// Nothing: another line covers it, or it is not for a log.
    Nothing,
}

fn link_line(event: &LinkEvent) -> LogLine {
    match event {
        LinkEvent::Up { peer, direction: Direction::Inbound, purpose, .. } => LogLine::Known(match purpose {
            Purpose::Neighbor => format!("New connection from {}", peer.python()),
            Purpose::Registration => format!("Connection accepted from  {}", peer.python()),
        }),
        // Its outcome is told.
        LinkEvent::Dialing { .. } => LogLine::Nothing,
        LinkEvent::Up { direction: Direction::Outbound, .. }
        | LinkEvent::DialFailed { .. }
        | LinkEvent::Down { .. }
        | LinkEvent::Refused { .. }
        | LinkEvent::NotAccepted { .. }
        | LinkEvent::Violation { .. }
        | LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::OtherDialect { .. }
        | LinkEvent::HandshakeFailed { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::Repairing { .. } => LogLine::Sentence,
    }
}

fn gossip_line(at: Time, event: &GossipEvent, utc_offset_s: i32) -> LogLine {
    let line = |what, id: MessageId, body, trace| {
        let clock = message_clock(at, id, trace, utc_offset_s);
        LogLine::Known(format!("{what} Gossip Message : {clock}:{}:{body}", id.origin.python()))
    };
    match event {
        GossipEvent::Generated { id, body, trace, .. } => line("Generated", *id, body, *trace),
        GossipEvent::Received { id, body, trace, .. } => line("Received", *id, body, *trace),
        // The first receipt is told.
        GossipEvent::Duplicate { .. } => LogLine::Nothing,
        GossipEvent::Forged { .. } => LogLine::Sentence,
    }
}

fn probe_line(node: Addr, event: &ProbeEvent) -> LogLine {
    match event {
        // Its answer is told.
        ProbeEvent::Sent { .. } => LogLine::Nothing,
        ProbeEvent::Received { peer, clock, .. } => {
            LogLine::Known(format!("Liveness Request:{clock}:{}", peer.python()))
        }
        ProbeEvent::Answered { peer, clock, .. } => {
            LogLine::Known(format!("Liveness Reply:{clock}:{}:{}", node.python(), peer.python()))
        }
        ProbeEvent::Missed { .. } => LogLine::Sentence,
    }
}

fn death_line(node: Addr, event: &DeathEvent) -> LogLine {
    let line = |dead: Addr, clock, reporter: Addr| {
        LogLine::Known(format!("Dead Node:{}:{clock}:{}", dead.python(), reporter.python()))
    };
    match event {
        DeathEvent::DeadReportSent { dead, clock, .. } => line(*dead, clock, node),
        DeathEvent::DeadReportReceived { dead, clock, reporter, .. } => line(*dead, clock, *reporter),
        DeathEvent::NeighborDied { .. } | DeathEvent::ReportDisputed { .. } => LogLine::Sentence,
    }
}

fn seed_line(event: &SeedEvent) -> LogLine {
    match event {
        SeedEvent::PeerListReceived { peers, .. } | SeedEvent::PeerListSent { peers, .. } => {
            LogLine::Known(list_line(peers))
        }
        // Its link is told.
        SeedEvent::PeerListed { .. } => LogLine::Nothing,
        SeedEvent::TooFewSeeds { .. }
        | SeedEvent::EnoughSeeds { .. }
        | SeedEvent::ListedAlready { .. }
        | SeedEvent::PeerDelisted { .. } => LogLine::Sentence,
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
