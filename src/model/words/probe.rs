//! Probes in words.

use super::{GossipLine, LineTone, LogPlace, NameOf, Readers, Words, lost, micros};
use crate::event::{ProbeEvent, ProbePart};
use crate::proto::addr::Addr;

impl Words for ProbeEvent {
    fn readers(&self) -> Readers {
        match self {
            // What comes of it is told: its answer, or a miss.
            Self::Sent { .. } | Self::Lost { .. } => Readers::NOBODY,
            Self::Received { .. } | Self::Answered { .. } => Readers::LOG_FILE,
            Self::Missed { .. } => Readers::BOTH_LOGS,
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::Sent { peer, seq, .. } => format!("Probe {seq} to {}", name(*peer)),
            Self::Received { peer, seq, .. } => format!("Probe {seq} from {}, answered", name(*peer)),
            Self::Answered { peer, seq, rtt_us, .. } => {
                format!("Probe {seq} answered by {} after {}", name(*peer), micros(*rtt_us))
            }
            Self::Missed { peer, seq, misses, limit, .. } => {
                format!("No answer from {} to probe {seq} ({misses}/{limit})", name(*peer))
            }
            Self::Lost { part: ProbePart::Question, seq, loss } => lost(&format!("Probe {seq}"), loss, name),
            Self::Lost { part: ProbePart::Answer, seq, loss } => {
                lost(&format!("The answer to probe {seq}"), loss, name)
            }
        }
    }

    fn line(&self, node: Addr, _name: NameOf<'_>) -> Option<GossipLine> {
        let Self::Missed { peer, seq, misses, limit, .. } = self else { return None };
        let text = format!("{seq} no answer ({misses}/{limit})");
        Some(GossipLine { from: node, to: Some(*peer), tag: "PROBE", tone: LineTone::Doubtful, text })
    }

    fn python_line(&self, place: LogPlace) -> Option<String> {
        match self {
            Self::Received { peer, clock, .. } => Some(format!("Liveness Request:{clock}:{}", peer.python())),
            Self::Answered { peer, clock, .. } => {
                Some(format!("Liveness Reply:{clock}:{}:{}", place.node.python(), peer.python()))
            }
            Self::Sent { .. } | Self::Missed { .. } | Self::Lost { .. } => None,
        }
    }
}
