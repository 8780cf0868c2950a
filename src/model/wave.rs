//! The wave: the measured spread of one message through the network, beside the theoretical
//! prediction.
//!
//! Last delivery hop and relative message redundancy are those of the Plumtree paper (Leitão,
//! Pereira, Rodrigues: "Epidemic Broadcast Trees", 2007, section 4.1). [`Counting::HadTime`] says
//! who counts for the coverage.

use std::time::Duration;

use super::Model;
use super::fault::FaultRecord;
use super::overlay::OverlaySnapshot;
use super::rumor::ForeignCopy;
use super::rumor::{Counting, Coverage, DELIVERY_TIME, Rumor};
use super::theory::Prediction;
use super::words::hops_text;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// The first copy at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaveRow {
    pub node: Addr,
    /// `None` at the origin.
    pub from: Option<Addr>,
    /// Links that it had crossed, if known.
    pub hop: Option<u16>,
    /// Links of the shortest path known here, if it came over nodes elsewhere.
    pub hop_known: Option<u16>,
    /// How long after the message began.
    pub delay: Duration,
    /// Copies that came later.
    pub duplicates: u32,
}

/// The spread of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    pub id: MessageId,
    pub began: Time,
    /// Who has it, in the order in which it came.
    pub rows: Vec<WaveRow>,
    /// Nodes elsewhere that have it for certain, in the order in which they proved it.
    pub elsewhere: Vec<(Addr, ForeignCopy)>,
    /// Who should have it and does not.
    pub lacking: Vec<Addr>,
    /// Some of them may still get it: links lead there, and there was not enough time yet.
    pub is_under_way: bool,
    /// No event about it was skipped.
    pub is_complete: bool,
    /// Last delivery hop: the most links that a first copy had crossed, as far as known.
    pub hops: u16,
    /// No copy came over nodes elsewhere, where the number of links is unknown.
    pub is_hop_certain: bool,
    /// The last delivery hop in words: see [`hops_text`].
    pub hops_told: Option<String>,
    /// Relative message redundancy, measured.
    pub redundancy: Option<f64>,
    /// The median time of one hop of a first copy, where both its ends are here.
    pub hop_time: Option<Duration>,
    /// The prediction for the overlay at the moment when the message began.
    pub prediction: Option<Prediction>,
}

impl Wave {
    pub fn coverage(&self) -> Coverage {
        Coverage { have: self.rows.len(), of: self.rows.len() + self.lacking.len() }
    }

    /// How many had it when: the corners of the measured curve, in order of time.
    pub fn curve(&self) -> Vec<(Duration, usize)> {
        let mut delays: Vec<_> = self.rows.iter().map(|row| row.delay).collect();
        delays.sort_unstable();
        delays.into_iter().enumerate().map(|(before, delay)| (delay, before + 1)).collect()
    }

    /// How many should have had it when, by theory and the measured time of a hop.
    pub fn predicted_curve(&self) -> Vec<(Duration, usize)> {
        let (Some(prediction), Some(hop_time)) = (&self.prediction, self.hop_time) else { return Vec::new() };
        prediction.curve(hop_time).collect()
    }
}

impl Model {
    /// The spread of this message, if it is still held. O(nodes + links + changes since it began).
    pub fn wave(&self, id: MessageId) -> Option<Wave> {
        let rumor = self.rumors.get(id)?;
        Some(self.wave_on(rumor, &self.overlay_at(rumor.began())))
    }

    /// The spread of this message; `overlay`: as it was when it began.
    pub fn wave_on(&self, rumor: &Rumor, overlay: &OverlaySnapshot) -> Wave {
        let (id, began) = (rumor.id, rumor.began());
        let rows = rumor.copies.iter().map(|(node, copy)| WaveRow {
            node: *node,
            from: copy.from,
            hop: copy.hop,
            hop_known: copy.hop_known,
            delay: copy.at.since(began),
            duplicates: copy.duplicates,
        });
        let lacking: Vec<Addr> = rumor.lacking(&self.nodes, Counting::HadTime).map(|node| node.addr).collect();
        Wave {
            id,
            began,
            rows: rows.collect(),
            elsewhere: rumor.elsewhere(&self.nodes).collect(),
            is_under_way: self.is_under_way(rumor, overlay, &lacking),
            lacking,
            is_complete: self.is_complete(rumor),
            hops: rumor.hop_max,
            is_hop_certain: !rumor.is_hop_uncertain,
            hops_told: hops_text(rumor),
            redundancy: rumor.redundancy(),
            hop_time: hop_time(rumor),
            prediction: self.strategy_of(id.origin).predict(overlay, id.origin),
        }
    }

    /// Somebody got it a moment ago, or a fault may delay it, and it has somewhere to go.
    fn is_under_way(&self, rumor: &Rumor, overlay: &OverlaySnapshot, lacking: &[Addr]) -> bool {
        let latest = rumor.last_first.max(rumor.began());
        let was_set = self.faults.ever().filter(|record| record.was_at(latest));
        let held_up = was_set.filter_map(FaultRecord::holds_up_for).max().unwrap_or_default();
        if self.now >= latest + DELIVERY_TIME + held_up {
            return false;
        }
        let ways = overlay.graph.ways(rumor.holders(&self.nodes));
        lacking.iter().any(|node| !ways.to(*node).is_empty())
    }
}

fn hop_time(rumor: &Rumor) -> Option<Duration> {
    let mut crossed: Vec<Duration> = rumor.crossings().map(|crossing| crossing.took).collect();
    crossed.sort_unstable();
    crossed.get(crossed.len() / 2).copied()
}
