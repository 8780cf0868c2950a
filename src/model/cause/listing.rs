//! Why a seed's list differs from what is.

use super::deeds::{downs_at, turned};
use super::reason::{Causes, Deed, Reason};
use super::{death, link};
use crate::event::{DelistReason, Event, EventKind, SeedEvent};
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::fault::FaultRecord;
use crate::proto::addr::Addr;

/// The node is on the list of this seed, and does not run.
pub(super) fn stale(model: &Model, peer: Addr) -> Reason {
    let downs: Vec<Deed> = downs_at(model, peer, model.now()).map(|turn| turned(peer, turn)).collect();
    match downs[..] {
        [deed] => Reason::Deeds(Causes::one(deed)),
        _ => Reason::NotCertain(downs),
    }
}

/// The node runs, and is not on the list of this seed.
pub(super) fn missing(model: &Model, seed: Addr, peer: Addr) -> Reason {
    let case = model.deaths().latest_of(peer);
    let off = case.and_then(|case| Some((case, case.steps.iter().rev().find_map(|step| removal(step, seed))?)));
    match off {
        Some((case, DelistReason::Reported { reporter, .. } | DelistReason::Unanswered { reporter, .. })) => {
            reported(model, peer, case, reporter)
        }
        Some((_, DelistReason::Silent | DelistReason::Departed | DelistReason::Left)) | None => {
            registration_lost(model, seed, peer)
        }
    }
}

/// Why this seed took the node of the step off its list.
fn removal(step: &Event, seed: Addr) -> Option<DelistReason> {
    let EventKind::Seed(SeedEvent::PeerDelisted { reason, .. }) = &step.kind else { return None };
    (step.node == seed).then_some(*reason)
}

/// It was reported dead; a seed that asked had no answer. A fault on either, besides what made the
/// reporter say so, may have come to the same.
fn reported(model: &Model, peer: Addr, case: &DeathCase, reporter: Addr) -> Reason {
    let told = case.evidence.iter().find(|told| told.reporter == reporter);
    let reason = match told.and_then(|told| told.declared_at) {
        Some(at) => death::reason(model, reporter, peer, at),
        None => death::lied(model, reporter, peer, case.latest_step_at()),
    };
    alone(model, reason)
}

/// The reason, if no other fault ever hindered anybody: those who report a node, and whom seeds ask, hang
/// together.
fn alone(model: &Model, reason: Reason) -> Reason {
    let Reason::Deeds(causes) = reason else { return reason };
    causes.unless(model.faults().ever().filter(|record| record.hinders()).map(FaultRecord::deed))
}

fn registration_lost(model: &Model, seed: Addr, peer: Addr) -> Reason {
    let ends = model.links().both_ends(seed, peer);
    let lost = ends
        .filter(|link| !link.is_up())
        .filter_map(|link| Some((link, link.steps().rev().find(|step| step.is_loss())?)));
    let first = lost.min_by_key(|(_, step)| step.at);
    let reason = first.map(|(link, step)| link::of_step(model, link, step));
    alone(model, reason.unwrap_or_else(|| Reason::NotCertain(Vec::new())))
}
