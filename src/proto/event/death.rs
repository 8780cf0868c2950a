//! Events about deaths and the reports of them.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{EventSubject, MessageLoss};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, ProbeId, ReportId, VerificationId};
use crate::proto::time::{ClockTime, Time};

/// What a seed did about a dead report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportAction {
    /// Took the node off its list.
    Removed,
    /// Probes the node itself first.
    Verifying,
    /// Nothing: the node is not on its list.
    NotListed,
}

/// A seed's question to a node whether it is alive, as its outcome names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verification {
    pub id: VerificationId,
    /// The first of its probes, and the one that was answered, or the last that was not.
    pub probes: [ProbeId; 2],
}

/// Something about a death.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum DeathEvent {
    /// A neighbor was declared dead.
    NeighborDied {
        peer: Addr,
        cause: DeathCause,
        /// When anything was last heard from it.
        last_heard: Time,
        /// The first and the last of the probes that it did not answer, if it died of that; absent in
        /// older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missed: Option<[ProbeId; 2]>,
    },
    /// A death was reported to the seeds.
    DeadReportSent {
        /// Its number at the reporter; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<ReportId>,
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        seeds: Vec<Addr>,
        cause: DeathCause,
    },
    /// Seed: a report came in.
    DeadReportReceived {
        /// Its number at the seed; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<ReportId>,
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        reporter: Addr,
        /// If the report carries it.
        cause: Option<DeathCause>,
        action: ReportAction,
        /// The verification that it starts, or joins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification: Option<VerificationId>,
    },
    /// A dead report did not arrive.
    ReportLost {
        dead: Addr,
        reporter: Addr,
        #[serde(flatten)]
        loss: MessageLoss,
    },
    /// Seed: the node that was reported dead answered.
    ReportDisputed {
        /// The number of the report at this seed; absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<ReportId>,
        /// The node that is alive.
        dead: Addr,
        reporter: Addr,
        /// Reports of this reporter that were disputed so far.
        disputes: u32,
        /// From the seed's probe to the answer.
        rtt_us: u64,
        /// Absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification: Option<Verification>,
    },
}

impl DeathEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::NeighborDied { peer: dead, .. }
            | Self::DeadReportSent { dead, .. }
            | Self::DeadReportReceived { dead, .. }
            | Self::ReportLost { dead, .. }
            | Self::ReportDisputed { dead, .. } => EventSubject::peer(*dead),
        }
    }
}
