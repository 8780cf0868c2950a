//! Events about what the user breaks.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::EventSubject;
use crate::proto::addr::Addr;
use crate::proto::fault::{Fault, FaultId};

/// Something that the user breaks, or mends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum FaultEvent {
    /// A fault is set. The event is at the first node that the fault names, or at `127.0.0.1:0` if
    /// it is everywhere.
    #[serde(rename = "fault_set")]
    #[strum(serialize = "fault_set")]
    Set {
        /// Absent in older recordings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FaultId>,
        fault: Fault,
    },
    /// A fault is cleared.
    #[serde(rename = "fault_cleared")]
    #[strum(serialize = "fault_cleared")]
    Cleared {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FaultId>,
        /// The fault as it was set.
        fault: Fault,
    },
    /// Peer: the user makes it report to its seeds that a live node is dead; the report follows as
    /// `DeadReportSent`.
    Lied { about: Addr },
}

impl FaultEvent {
    /// The fault that is set or cleared.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Set { fault, .. } | Self::Cleared { fault, .. } => Some(fault),
            Self::Lied { .. } => None,
        }
    }

    pub(super) fn subject(&self) -> EventSubject<'_> {
        match self {
            Self::Lied { about } => EventSubject::peer(*about),
            Self::Set { .. } | Self::Cleared { .. } => EventSubject::default(),
        }
    }
}
