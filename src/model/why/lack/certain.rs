//! Whether the events settle why a node does not have a message.

use super::{CrossingOutcome, Diagnosis, LackReason};
use crate::model::cause::Reason;
use crate::model::why::ending::{LinkLoss, reason_of_end};
use crate::model::why::is_known;
use crate::proto::addr::Addr;

impl Diagnosis<'_> {
    /// Nothing in the verdict is a guess.
    pub(super) fn is_settled(&self, node: Addr, reason: &LackReason<'_>) -> bool {
        let proven = self.deeds.of(node);
        let is_told = match &proven {
            Reason::NotCertain(deeds) if !deeds.is_empty() => return false,
            Reason::Deeds(_) | Reason::Rule(_) | Reason::NotCertain(_) => {
                self.explainer.because(&proven).is_some() && !self.tells(node, reason, &proven)
            }
        };
        self.is_certain() && (is_told || self.is_path_settled(node, reason))
    }

    /// The same if what is seen on the path is all that is told.
    fn is_path_settled(&self, node: Addr, reason: &LackReason<'_>) -> bool {
        match reason {
            LackReason::NotOurs | LackReason::Forgotten => false,
            LackReason::Seed
            | LackReason::Later { .. }
            | LackReason::Down { .. }
            | LackReason::WentDown { .. }
            | LackReason::Behind { .. } => true,
            LackReason::Alone { lost } => lost.first().is_none_or(|lost| self.is_end_settled(lost)),
            LackReason::Apart { lost, .. } => {
                let is_rule = matches!(self.deeds.of(node), Reason::Rule(_));
                is_rule || lost.first().is_some_and(|lost| self.is_end_settled(lost))
            }
            LackReason::Stuck { outcome, .. } => match outcome {
                CrossingOutcome::Faulty(record) => record.stops_all() || self.is_on_its_way(node, reason),
                CrossingOutcome::Ended(lost) => self.is_end_settled(lost),
                CrossingOutcome::HolderDown(_)
                | CrossingOutcome::NextDown(_)
                | CrossingOutcome::Lost(_)
                | CrossingOutcome::Late => true,
                CrossingOutcome::Open => false,
            },
        }
    }

    fn is_end_settled(&self, lost: &LinkLoss<'_>) -> bool {
        reason_of_end(self.explainer, lost.link, lost.step).as_ref().is_none_or(is_known)
    }
}
