//! How far apart the clocks of several recordings are, by the messages between them.
//!
//! A message arrives after it was sent. So the least delay from A to B, each time by its own clock, bounds
//! how far B's clock may be ahead of A's, and the least delay the other way bounds how far it may
//! be behind (Cristian 1989; NTP's clock filter, RFC 5905, section 10). The truth lies between the
//! two; the middle is taken, and half the distance is what is uncertain. Clocks that may be equal are
//! taken to be equal, so recordings of one machine stay as they are.
//!
//! One offset holds for a whole recording: how far two clocks drift apart meanwhile is part of the
//! error.

use std::time::Duration;

use crate::event::{ConnectionId, Direction, Event, EventKind, GossipEvent, LinkEvent, NodeEvent};
use crate::model::{FastHashMap, Map};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// Sendings, and receipts from other recordings, that are compared: the least delay of so many is as
/// good as that of all.
const COMPARED_MAX: usize = 1_000_000;

/// A recording among those that are merged, in the order in which they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceIx(pub(in crate::session) usize);

/// What is sent from one node to another, such that both ends name it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Parcel {
    /// A copy of a message.
    Copy { id: MessageId, from: Addr },
    /// The first words on a connection, from its dialer or to it.
    Greeting { dialer: Addr, acceptor: Addr, from: Direction },
}

/// Something arrived in this recording.
#[derive(Debug, Clone, Copy)]
struct ParcelArrival {
    parcel: Parcel,
    /// The node that sent it, if the parcel does not tell.
    at: Time,
    source: SourceIx,
}

/// Collects what nodes of one recording sent to those of another.
#[derive(Debug, Default)]
pub(super) struct ClockSurvey {
    /// The recording of each node that runs in one of them.
    homes: Map<Addr, SourceIx>,
    sent: FastHashMap<Parcel, Departure>,
    arrivals: Vec<ParcelArrival>,
}

/// When something was sent, and in which recording.
#[derive(Debug, Clone, Copy)]
struct Departure {
    at: Time,
    source: SourceIx,
    /// The name was used more than once, so it is not known which of them arrived.
    is_ambiguous: bool,
}

impl ClockSurvey {
    pub(super) fn take(&mut self, source: SourceIx, event: &Event) {
        let (at, node) = (event.at, event.node);
        self.learn_home(source, event);
        match &event.kind {
            EventKind::Gossip(GossipEvent::Generated { id, .. }) => {
                self.send(Parcel::Copy { id: *id, from: node }, at, source);
            }
            EventKind::Gossip(GossipEvent::Received { id, from, .. }) => {
                self.arrive(Parcel::Copy { id: *id, from: *from }, *from, at, source);
                // It goes on at once.
                self.send(Parcel::Copy { id: *id, from: node }, at, source);
            }
            EventKind::Gossip(GossipEvent::Duplicate { id, from, .. }) => {
                self.arrive(Parcel::Copy { id: *id, from: *from }, *from, at, source);
            }
            EventKind::Link(LinkEvent::Up { connection: Some(connection), peer, direction, .. }) => {
                self.link_up(*connection, *peer, *direction, at, source);
            }
            EventKind::Node(_)
            | EventKind::Link(_)
            | EventKind::Gossip(_)
            | EventKind::Probe(_)
            | EventKind::Death(_)
            | EventKind::Seed(_)
            | EventKind::Fault(_) => {}
        }
    }

    /// Takes note of where a node runs, and of nothing else.
    pub(super) fn learn_home(&mut self, source: SourceIx, event: &Event) {
        if let EventKind::Node(NodeEvent::Started { .. }) = &event.kind {
            self.homes.entry(event.node).or_insert(source);
        }
    }

    /// A link is up once its end has heard the other, which spoke after the connection began there.
    fn link_up(&mut self, connection: ConnectionId, peer: Addr, direction: Direction, at: Time, source: SourceIx) {
        let ConnectionId { dialer, acceptor, began } = connection;
        let other = match direction {
            Direction::Inbound => Direction::Outbound,
            Direction::Outbound => Direction::Inbound,
        };
        self.send(Parcel::Greeting { dialer, acceptor, from: direction }, began, source);
        self.arrive(Parcel::Greeting { dialer, acceptor, from: other }, peer, at, source);
    }

    fn send(&mut self, parcel: Parcel, at: Time, source: SourceIx) {
        if self.sent.len() >= COMPARED_MAX {
            return;
        }
        let departure = Departure { at, source, is_ambiguous: false };
        self.sent.entry(parcel).and_modify(|sent| sent.is_ambiguous = true).or_insert(departure);
    }

    fn arrive(&mut self, parcel: Parcel, from: Addr, at: Time, source: SourceIx) {
        let is_within = self.homes.get(&from) == Some(&source);
        if !is_within && self.arrivals.len() < COMPARED_MAX {
            self.arrivals.push(ParcelArrival { parcel, at, source });
        }
    }

    /// The recording in which this node runs.
    pub(super) fn home(&self, node: Addr) -> Option<SourceIx> {
        self.homes.get(&node).copied()
    }

    /// How far each clock is ahead of the first recording's.
    pub(super) fn offsets(&self, sources: usize) -> Vec<ClockOffset> {
        let least = self.least_delays();
        let mut offsets = vec![ClockOffset::Unknown; sources];
        if let Some(first) = offsets.first_mut() {
            *first = ClockOffset::REFERENCE;
        }
        // From clock to clock, each time over the pair that leaves the least open.
        while let Some((next, offset)) = nearest(&offsets, &least) {
            offsets[next] = offset;
        }
        offsets
    }

    /// The least delay from one recording to another, in microseconds of their own clocks.
    fn least_delays(&self) -> Map<(SourceIx, SourceIx), i64> {
        let mut least: Map<(SourceIx, SourceIx), i64> = Map::default();
        for arrival in &self.arrivals {
            let Some(sent) = self.sent.get(&arrival.parcel).filter(|sent| !sent.is_ambiguous) else { continue };
            if sent.source != arrival.source {
                let delay = micros(arrival.at) - micros(sent.at);
                least
                    .entry((sent.source, arrival.source))
                    .and_modify(|least| *least = delay.min(*least))
                    .or_insert(delay);
            }
        }
        least
    }
}

fn micros(at: Time) -> i64 {
    // Half the range, so that a difference of any two fits.
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 2)
}

/// How far a recording's clock is ahead of the first one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockOffset {
    /// Messages went both ways.
    Known {
        /// Negative if it is behind.
        ahead_us: i64,
        /// It may be this much more or less.
        uncertain: Duration,
    },
    /// Messages went one way only: they took at least no time, which bounds one side.
    OneSided { ahead_us: i64 },
    /// No message went between them, so the clock is taken as it is.
    Unknown,
}

impl ClockOffset {
    const REFERENCE: Self = Self::Known { ahead_us: 0, uncertain: Duration::ZERO };

    /// Microseconds by which the clock is taken to be ahead.
    pub fn ahead_us(self) -> i64 {
        match self {
            Self::Known { ahead_us, .. } | Self::OneSided { ahead_us } => ahead_us,
            Self::Unknown => 0,
        }
    }

    /// The offset of a clock relative to another whose own is known.
    fn after(self, base: Self) -> Self {
        match (base, self) {
            (Self::Known { ahead_us, uncertain }, Self::Known { ahead_us: more, uncertain: of_more }) => {
                Self::Known { ahead_us: ahead_us.saturating_add(more), uncertain: uncertain + of_more }
            }
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Known { .. } | Self::OneSided { .. }, Self::Known { .. } | Self::OneSided { .. }) => {
                Self::OneSided { ahead_us: base.ahead_us().saturating_add(self.ahead_us()) }
            }
        }
    }

    /// What is better known comes first.
    fn doubt(self) -> (u8, Duration) {
        match self {
            Self::Known { uncertain, .. } => (0, uncertain),
            Self::OneSided { .. } => (1, Duration::ZERO),
            Self::Unknown => (2, Duration::ZERO),
        }
    }
}

/// The best known of the clocks that are not known yet, and its offset.
fn nearest(offsets: &[ClockOffset], least: &Map<(SourceIx, SourceIx), i64>) -> Option<(usize, ClockOffset)> {
    let indices = || (0..offsets.len()).map(SourceIx);
    let known = indices().filter(|ix| offsets[ix.0] != ClockOffset::Unknown);
    let pairs = known.flat_map(|base| {
        let unknown = indices().filter(|ix| offsets[ix.0] == ClockOffset::Unknown);
        unknown.map(move |other| (base, other))
    });
    let steps = pairs.map(|(base, other)| {
        let there = least.get(&(base, other)).copied();
        let back = least.get(&(other, base)).copied();
        (other.0, between(there, back).after(offsets[base.0]))
    });
    steps.filter(|(_, offset)| *offset != ClockOffset::Unknown).min_by_key(|(_, offset)| offset.doubt())
}

/// How far the other clock is ahead, by the least delay to it and from it.
fn between(there: Option<i64>, back: Option<i64>) -> ClockOffset {
    match (there, back) {
        (Some(there), Some(back)) => {
            // The true delays are not negative, so the offset lies from -back to there.
            let (low, high) = (-back, there);
            let ahead_us = if (low..=high).contains(&0) { 0 } else { low.midpoint(high) };
            let uncertain = high.abs_diff(ahead_us).max(ahead_us.abs_diff(low));
            ClockOffset::Known { ahead_us, uncertain: Duration::from_micros(uncertain) }
        }
        // It is at most so far ahead, or at least; equal clocks are likelier than any other.
        (Some(there), None) => ClockOffset::OneSided { ahead_us: there.min(0) },
        (None, Some(back)) => ClockOffset::OneSided { ahead_us: (-back).max(0) },
        (None, None) => ClockOffset::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ahead_us: i64, uncertain_us: u64) -> ClockOffset {
        ClockOffset::Known { ahead_us, uncertain: Duration::from_micros(uncertain_us) }
    }

    #[test]
    fn a_clock_lies_between_the_least_delays_both_ways() {
        // An hour ahead, 200 us there and 400 us back.
        let hour = 3_600_000_000;
        assert_eq!(between(Some(hour + 200), Some(400 - hour)), known(hour - 100, 300));
        assert_eq!(between(Some(200 - hour), Some(hour + 400)), known(-hour - 100, 300));
    }

    #[test]
    fn clocks_that_may_be_equal_are_equal() {
        assert_eq!(between(Some(900), Some(100)), known(0, 900));
    }

    #[test]
    fn messages_one_way_bound_one_side() {
        assert_eq!(between(Some(-5_000), None), ClockOffset::OneSided { ahead_us: -5_000 });
        assert_eq!(between(Some(5_000), None), ClockOffset::OneSided { ahead_us: 0 });
        assert_eq!(between(None, Some(-5_000)), ClockOffset::OneSided { ahead_us: 5_000 });
        assert_eq!(between(None, None), ClockOffset::Unknown);
    }

    #[test]
    fn a_clock_without_messages_to_the_first_is_known_by_another() {
        let (a, b, c) = (SourceIx(0), SourceIx(1), SourceIx(2));
        let least = [((a, b), 1_010), ((b, a), -990), ((b, c), 1_020), ((c, b), -980)];
        let least: Map<_, _> = least.into_iter().collect();
        let mut offsets = vec![ClockOffset::REFERENCE, ClockOffset::Unknown, ClockOffset::Unknown];
        while let Some((next, offset)) = nearest(&offsets, &least) {
            offsets[next] = offset;
        }
        assert_eq!(offsets[1..], [known(1_000, 10), known(2_000, 30)]);
    }
}
