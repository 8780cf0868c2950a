//! Why a seed's list differs from what is.

use super::deeds::{downs_at, turned};
use super::reason::{Causes, Deed, Reason};
use super::{death, link};
use crate::event::{DeathEvent, DelistReason, Event, EventKind, SeedEvent};
use crate::model::Model;
use crate::model::death::DeathCase;
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
            reported(model, (seed, peer), case, reporter)
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

/// It was reported dead; a seed that asked had no answer.
fn reported(model: &Model, (seed, peer): (Addr, Addr), case: &DeathCase, reporter: Addr) -> Reason {
    let told = case.evidence.iter().find(|told| told.reporter == reporter);
    let reason = match told.and_then(|told| told.declared_at) {
        Some(at) => death::reason(model, reporter, peer, at),
        None => lied(case, reporter, peer)
            .map_or_else(|| Reason::NotCertain(Vec::new()), |deed| Reason::Deeds(Causes::one(deed))),
    };
    match registration_lost(model, seed, peer) {
        // The same made the reporter and the seed lose it.
        Reason::Deeds(causes) if Reason::Deeds(causes.clone()) == reason => reason,
        Reason::Deeds(_) | Reason::Rule(_) => Reason::NotCertain(super::reason::deeds_of(&reason)),
        Reason::NotCertain(deeds) if deeds.is_empty() => reason,
        Reason::NotCertain(deeds) => Reason::NotCertain(deeds),
    }
}

fn lied(case: &DeathCase, liar: Addr, about: Addr) -> Option<Deed> {
    let is_its = |step: &&Event| matches!(&step.kind, EventKind::Death(DeathEvent::DeadReportReceived { reporter, .. }) if *reporter == liar);
    case.steps.iter().find(is_its).map(|step| Deed::Lied { liar, about, at: step.at })
}

fn registration_lost(model: &Model, seed: Addr, peer: Addr) -> Reason {
    let ends = [model.links().get(seed, peer), model.links().get(peer, seed)].into_iter().flatten();
    let lost = ends
        .filter(|link| !link.is_up())
        .filter_map(|link| Some((link, link.steps().rev().find(|step| step.is_loss())?)));
    let first = lost.min_by_key(|(_, step)| step.at);
    first.map_or_else(|| Reason::NotCertain(Vec::new()), |(link, step)| link::of_step(model, link, step))
}
