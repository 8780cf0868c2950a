//! Events about probes.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{EventSubject, MessageLoss};
use crate::proto::addr::Addr;
use crate::proto::message::{ProbeId, ProbeSeq};
use crate::proto::time::{ClockTime, Time};

/// Something about a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum ProbeEvent {
    #[serde(rename = "probe_sent")]
    #[strum(serialize = "probe_sent")]
    Sent {
        peer: Addr,
        seq: ProbeSeq,
        /// Its number at the asker; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<ProbeId>,
    },
    /// A probe came in and was answered.
    #[serde(rename = "probe_received")]
    #[strum(serialize = "probe_received")]
    Received {
        peer: Addr,
        seq: ProbeSeq,
        /// The time in the probe.
        clock: ClockTime,
    },
    /// A probe was answered.
    #[serde(rename = "probe_answered")]
    #[strum(serialize = "probe_answered")]
    Answered {
        peer: Addr,
        seq: ProbeSeq,
        /// Its number at the asker; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<ProbeId>,
        /// The time that the probe had named.
        clock: ClockTime,
        /// From probe to answer.
        rtt_us: u64,
    },
    /// A probe was not answered in time.
    #[serde(rename = "probe_missed")]
    #[strum(serialize = "probe_missed")]
    Missed {
        peer: Addr,
        seq: ProbeSeq,
        /// Its number at the asker; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<ProbeId>,
        /// Misses in a row, this one included.
        misses: u32,
        /// Misses in a row at which it is dead.
        limit: u32,
        /// When anything was last heard from it.
        last_heard: Time,
    },
    /// A probe, or the answer to one, did not arrive.
    #[serde(rename = "probe_lost")]
    #[strum(serialize = "probe_lost")]
    Lost {
        part: ProbePart,
        seq: ProbeSeq,
        #[serde(flatten)]
        loss: MessageLoss,
    },
}

/// The two messages of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbePart {
    Question,
    Answer,
}

impl ProbeEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::Sent { peer, .. }
            | Self::Received { peer, .. }
            | Self::Answered { peer, .. }
            | Self::Missed { peer, .. } => EventSubject::peer(*peer),
            Self::Lost { loss, .. } => EventSubject::peer(loss.from),
        }
    }
}
