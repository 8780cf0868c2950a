//! Whether the events settle why a node is considered dead.

use super::seeds::are_known;
use super::{ReasonedEvidence, doubts};
use crate::model::death::DeathCase;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::why::{Explainer, is_known, node};
use crate::proto::message::DeathCause;

/// Nothing in the verdict is a guess.
pub(super) fn is_settled(
    explainer: Explainer<'_>,
    (case, testimonies): (&DeathCase, &[ReasonedEvidence<'_>]),
    node: Option<&NodeRecord>,
) -> bool {
    testimonies.iter().all(is_explained) && doubts(case, node).is_none() && are_known(explainer, case)
}

/// It is known why this reporter says so; of one elsewhere no more is told than what it says.
fn is_explained(told: &ReasonedEvidence<'_>) -> bool {
    let is_elsewhere = told.evidence.declared_at.is_none();
    match told.evidence.cause {
        Some(_) if is_elsewhere => true,
        Some(DeathCause::Lie | DeathCause::Cut) => true,
        Some(DeathCause::Misses { .. } | DeathCause::LinkError | DeathCause::Closed) => is_known(&told.reason),
        None => false,
    }
}

pub(super) fn is_settled_without_case(explainer: Explainer<'_>, node: &NodeRecord) -> bool {
    match node.state() {
        ObservedState::Dead => false,
        ObservedState::Suspect { .. } => node::is_silence_explained(explainer, node),
        ObservedState::Killed
        | ObservedState::Hung
        | ObservedState::Left
        | ObservedState::Up
        | ObservedState::Known => true,
    }
}
