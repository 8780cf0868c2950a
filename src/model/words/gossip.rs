//! Messages in words.

use super::{GossipLine, LineTone, LogPlace, NameOf, Readers, Severity, Words, count_text, lost, message};
use crate::event::GossipEvent;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Trace};
use crate::proto::text::Body;
use crate::proto::time::ClockTime;

impl Words for GossipEvent {
    fn readers(&self) -> Readers {
        match self {
            Self::Generated { .. } | Self::Received { .. } => Readers::BOTH_LOGS,
            // The first receipt is told.
            Self::Duplicate { .. } | Self::Lost { .. } => Readers::NOBODY,
            Self::Forged { .. } => Readers::LOG_FILE.and_user(Severity::Warning),
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::Generated { id, body, forwarded, .. } => {
                let to = count_text(*forwarded as u64, "neighbor");
                format!("Generated {} \"{body}\", sent to {to}", message(*id, name))
            }
            Self::Received { id, from, body, .. } => {
                format!("Received {} \"{body}\" from {}", message(*id, name), name(*from))
            }
            Self::Duplicate { id, from, .. } => format!("Another copy of {} from {}", message(*id, name), name(*from)),
            Self::Lost { id, loss } => lost(&message(*id, name), loss, name),
            Self::Forged { id, from } => {
                let (message, from) = (message(*id, name), name(*from));
                format!("Forged: {message} came from {from}, and {} never sent it", name(id.origin))
            }
        }
    }

    fn line(&self, node: Addr, name: NameOf<'_>) -> Option<GossipLine> {
        match self {
            Self::Generated { id, forwarded, .. } => {
                let text = format!("{} begins, to {forwarded}", message(*id, name));
                Some(GossipLine { from: node, to: None, tag: "GOSSIP", tone: LineTone::Good, text })
            }
            Self::Received { id, from, .. } => {
                let text = format!("{} new", message(*id, name));
                Some(GossipLine { from: *from, to: Some(node), tag: "GOSSIP", tone: LineTone::Plain, text })
            }
            Self::Duplicate { .. } | Self::Forged { .. } | Self::Lost { .. } => None,
        }
    }

    fn python_line(&self, place: LogPlace) -> Option<String> {
        let line = |what, id: MessageId, body: &Body, trace| {
            let clock = message_clock(place, id, trace);
            Some(format!("{what} Gossip Message : {clock}:{}:{body}", id.origin.python()))
        };
        match self {
            Self::Generated { id, body, trace, .. } => line("Generated", *id, body, *trace),
            Self::Received { id, body, trace, .. } => line("Received", *id, body, *trace),
            Self::Duplicate { .. } | Self::Forged { .. } | Self::Lost { .. } => None,
        }
    }
}

/// The time that a message carries: when its origin generated it. It is part of a classic message's
/// identity; a framed message has it in its trace.
fn message_clock(place: LogPlace, id: MessageId, trace: Option<Trace>) -> ClockTime {
    let classic = || u32::try_from(id.run).ok().and_then(ClockTime::from_seconds);
    match trace {
        Some(trace) => trace.sent.clock(place.utc_offset_s),
        None => classic().unwrap_or_else(|| place.at.clock(place.utc_offset_s)),
    }
}
