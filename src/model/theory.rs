//! What theory predicts for a message, to be compared with what it did.
//!
//! A spread strategy is one arm here: all that the model takes for granted about how messages spread,
//! it asks of [`Strategy`]. Table and curve of a message ask for the prediction, the path over nodes
//! elsewhere asks who sends to whom, and the warning about messages that did not reach everybody
//! asks whether they should. For an overlay and an origin a strategy says how many links each node
//! is away from the message, and how many copies are sent. For flooding this is exact: a message
//! reaches each node by a shortest path, so its hops are the breadth-first distance, the last
//! delivery hop is the eccentricity of the origin, and each node sends to all its neighbors but the
//! one that it got the message from: sum of degrees - (n - 1) copies at n nodes.
//!
//! (A copy may come first by a longer path of faster links. Then more hops are measured, not more
//! time.)

use std::time::Duration;

use super::graph::Graph;
use super::overlay::OverlaySnapshot;
use super::rumor::redundancy;
use crate::event::Pace;
use crate::proto::addr::Addr;
pub use crate::proto::config::{Detector, Strategy};

impl Strategy {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flood => "flood",
        }
    }

    /// Whether a node sends a message on to this neighbor. `from`: the neighbor that it came from;
    /// `None` at its origin.
    pub fn sends_to(self, neighbor: Addr, from: Option<Addr>) -> bool {
        match self {
            Self::Flood => from != Some(neighbor),
        }
    }

    /// Whether a message reaches every node to which a path of open links leads, so that something is
    /// wrong if it does not.
    pub const fn reaches_everybody(self) -> bool {
        match self {
            Self::Flood => true,
        }
    }

    /// What this strategy does with a message of `origin` on this overlay; `None` if the origin is
    /// not in it.
    pub fn predict(self, overlay: &OverlaySnapshot, origin: Addr) -> Option<Prediction> {
        if !overlay.graph.contains(origin) {
            return None;
        }
        Some(match self {
            Self::Flood => flood(overlay, origin),
        })
    }
}

impl Detector {
    /// After which time the first neighbor finds a node dead that fell silent: at the earliest and at
    /// the latest. A probe is missed no later than an interval after it was sent, so a row of n misses
    /// is full n - 1 to n + 1 intervals after the last answer.
    pub fn silence_found(self, pace: Pace) -> (Duration, Duration) {
        match self {
            Self::Ping => {
                let interval = Duration::from_micros(pace.liveness_interval_us);
                let misses = pace.liveness_misses;
                (interval.saturating_mul(misses.saturating_sub(1)), interval.saturating_mul(misses.saturating_add(1)))
            }
        }
    }
}

/// What should happen to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    pub strategy: Strategy,
    /// Peers of this process that have it after each number of hops, from 0 on.
    pub after_hops: Vec<usize>,
    /// Last delivery hop: the most hops of any first copy.
    pub hops: u32,
    /// Relative message redundancy; `None` if peers elsewhere are involved, whose links are
    /// unknown.
    pub redundancy: Option<f64>,
    /// The origin had no link when it began.
    pub is_alone: bool,
    /// The overlay of that moment is known for certain.
    pub is_certain: bool,
}

impl Prediction {
    /// How many have it when, if each hop takes this long: the corners of the curve.
    pub fn curve(&self, hop_time: Duration) -> impl Iterator<Item = (Duration, usize)> {
        let time = move |hop: usize| hop_time.saturating_mul(u32::try_from(hop).unwrap_or(u32::MAX));
        self.after_hops.iter().enumerate().map(move |(hop, have)| (time(hop), *have))
    }
}

fn flood(overlay: &OverlaySnapshot, origin: Addr) -> Prediction {
    let reached = overlay.graph.distances(origin);
    let ours = || reached.iter().filter(|(node, _)| !overlay.elsewhere.contains(node));
    let hops = ours().map(|(_, distance)| *distance).max().unwrap_or(0);
    let mut after_hops = vec![0; hops as usize + 1];
    for (_, distance) in ours() {
        after_hops[*distance as usize] += 1;
    }
    for hop in 1..after_hops.len() {
        after_hops[hop] += after_hops[hop - 1];
    }
    let is_all_ours = reached.iter().all(|(node, _)| !overlay.elsewhere.contains(node));
    let redundancy = if is_all_ours { flood_redundancy(&overlay.graph, &reached) } else { None };
    Prediction {
        strategy: Strategy::Flood,
        after_hops,
        hops,
        redundancy,
        is_alone: overlay.graph.degree(origin) == 0,
        is_certain: overlay.is_certain && is_all_ours,
    }
}

fn flood_redundancy(graph: &Graph, reached: &[(Addr, u32)]) -> Option<f64> {
    let degrees: usize = reached.iter().map(|(node, _)| graph.degree(*node)).sum();
    let deliveries = reached.len() - 1;
    redundancy((degrees - deliveries) as u64, deliveries)
}
