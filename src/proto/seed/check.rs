//! A running check whether a node is alive.

use std::time::Duration;

use smallvec::SmallVec;

use crate::proto::addr::Addr;
use crate::proto::config::CHECK_PROBES;
use crate::proto::event::{DelistReason, Verification};
use crate::proto::message::{DeathCause, ProbeId, ProbeSeq, ReportId, VerificationId};
use crate::proto::time::{ClockTime, Time};

/// The longest pause between two probes of a check: an answer takes milliseconds.
const CHECK_PAUSE_MAX: Duration = Duration::from_secs(1);
/// The pause is no longer than this fraction of a liveness interval.
const CHECK_PAUSE_PART: u32 = 4;

/// A node that is checked.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: VerificationId,
    /// Who reported it dead, and in which report; empty if it was only silent.
    pub(super) reporters: Vec<(Addr, ReportId)>,
    /// The probes that were sent, and when; the latest last.
    pub(super) probes: SmallVec<[(ProbeSeq, Time); CHECK_PROBES as usize]>,
}

/// A dead report, as it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) dead: Addr,
    pub(super) clock: ClockTime,
    pub(super) reporter: Addr,
    pub(super) cause: Option<DeathCause>,
}

impl Check {
    pub(super) fn new(id: VerificationId) -> Self {
        Self { id, reporters: Vec::new(), probes: SmallVec::new() }
    }

    /// As its outcome names it: from the first probe to this one.
    pub(super) fn until(&self, last: ProbeSeq) -> Option<Verification> {
        let probes = [id_of(self.probes.first()?.0)?, id_of(last)?];
        Some(Verification { id: self.id, probes })
    }

    /// Why the node is taken off the list if it does not answer; `None`: nobody reported it.
    pub(super) fn unanswered(&self) -> Option<DelistReason> {
        let (reporter, report) = *self.reporters.first()?;
        Some(DelistReason::Unanswered { reporter, report: Some(report) })
    }

    /// The last probe, and when it was sent.
    pub(super) fn latest(&self) -> Option<(ProbeSeq, Time)> {
        self.probes.last().copied()
    }

    /// When the node was first probed.
    pub(super) fn asked_at(&self) -> Option<Time> {
        self.probes.first().map(|(_, at)| *at)
    }

    pub(super) fn sent_at(&self, seq: ProbeSeq) -> Option<Time> {
        self.probes.iter().find(|(sent, _)| *sent == seq).map(|(_, at)| *at)
    }
}

/// The number of a probe, which a seed writes in it.
pub(super) fn id_of(seq: ProbeSeq) -> Option<ProbeId> {
    seq.try_into().ok().map(ProbeId)
}

/// How long an answer is waited for before the next probe.
pub fn check_pause(liveness_interval: Duration) -> Duration {
    (liveness_interval / CHECK_PAUSE_PART).min(CHECK_PAUSE_MAX)
}
