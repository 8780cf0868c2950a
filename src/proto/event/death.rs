//! Events about deaths and the reports of them.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::EventSubject;
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
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
    },
    /// A death was reported to the seeds.
    DeadReportSent {
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        seeds: Vec<Addr>,
        cause: DeathCause,
    },
    /// Seed: a report came in.
    DeadReportReceived {
        dead: Addr,
        /// The time in the report.
        clock: ClockTime,
        reporter: Addr,
        /// If the report carries it.
        cause: Option<DeathCause>,
        action: ReportAction,
    },
    /// Seed: the node that was reported dead answered.
    ReportDisputed {
        /// The node that is alive.
        dead: Addr,
        reporter: Addr,
        /// Reports of this reporter that were disputed so far.
        disputes: u32,
        /// From the seed's probe to the answer.
        rtt_us: u64,
    },
}

impl DeathEvent {
    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::NeighborDied { peer: dead, .. }
            | Self::DeadReportSent { dead, .. }
            | Self::DeadReportReceived { dead, .. }
            | Self::ReportDisputed { dead, .. } => EventSubject::peer(*dead),
        }
    }
}
