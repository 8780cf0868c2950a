//! Copies of messages that did not arrive.

use super::ring::Ring;
use crate::event::{LossReason, ProbePart};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, ProbeSeq};
use crate::proto::time::Time;

/// Losses that are kept, over all messages: 4 MB, and the last messages of a network that loses half
/// of them.
pub const LOSSES_MAX: usize = 65_536;

/// A copy that was sent and did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostCopy {
    pub at: Time,
    pub id: MessageId,
    pub from: Addr,
    pub to: Addr,
    pub why: LossReason,
}

pub(super) type LostCopies = Ring<LostCopy>;

/// Lost probes that are kept: the last minutes of a network that loses half of them.
pub const LOST_PROBES_MAX: usize = 16_384;

/// A probe, or the answer to one, that did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostProbe {
    pub at: Time,
    pub asker: Addr,
    pub target: Addr,
    pub seq: ProbeSeq,
    pub part: ProbePart,
    pub why: LossReason,
}

impl LostProbe {
    /// From whom it was, and to whom.
    pub const fn way(&self) -> (Addr, Addr) {
        match self.part {
            ProbePart::Question => (self.asker, self.target),
            ProbePart::Answer => (self.target, self.asker),
        }
    }
}

pub(super) type LostProbes = Ring<LostProbe>;
