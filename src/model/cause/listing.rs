//! Why a seed's list differs from what is.

use super::besides::{aftermath, done_by, may_part, needed, weighable};
use super::deeds::{downs_at, turned};
use super::reason::{Causes, Deed, Reason};
use super::{death, link};
use crate::event::{DelistReason, Event, EventKind, SeedEvent};
use crate::model::Model;
use crate::model::death::Evidence;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

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
    let steps = model.deaths().latest_of(peer).map(|case| case.steps.as_slice()).unwrap_or_default();
    let removed = steps.iter().rev().find_map(|step| Some((step.at, removal(step, seed)?)));
    let way = ListRemoval { seed, peer, is_verified: matches!(removed, Some((_, DelistReason::Unanswered { .. }))) };
    let (at, reason) = match removed {
        Some((at, DelistReason::Reported { reporter, .. } | DelistReason::Unanswered { reporter, .. })) => {
            (Some(at), reported(model, peer, reporter))
        }
        Some((at, DelistReason::Silent | DelistReason::Departed | DelistReason::Left)) => {
            (Some(at), registration_lost(model, seed, peer).1)
        }
        None => registration_lost(model, seed, peer),
    };
    // It may have come off the list before the death that is told of last.
    let off_since = model.seeds().get(seed).and_then(|view| view.delisted.get(&peer)).copied();
    alone(model, way, off_since.or(at), reason)
}

/// How a peer may come off the list of a seed.
#[derive(Debug, Clone, Copy)]
struct ListRemoval {
    seed: Addr,
    peer: Addr,
    /// The seed believes a report only after the peer has not answered itself.
    is_verified: bool,
}

/// Why this seed took the node of the step off its list.
fn removal(step: &Event, seed: Addr) -> Option<DelistReason> {
    let EventKind::Seed(SeedEvent::PeerDelisted { reason, .. }) = &step.kind else { return None };
    (step.node == seed).then_some(*reason)
}

/// It was reported dead.
fn reported(model: &Model, peer: Addr, reporter: Addr) -> Reason {
    let case = model.deaths().latest_of(peer);
    let told = case.and_then(|case| Some((case, case.evidence.iter().find(|told| told.reporter == reporter)?)));
    match told {
        Some((_, Evidence { declared_at: Some(at), .. })) => death::reason(model, reporter, peer, *at),
        Some((case, _)) => death::lied(model, reporter, peer, case.latest_step_at()),
        None => Reason::NotCertain(Vec::new()),
    }
}

/// The peer was off the list from this time on. Whoever reported it, and whatever kept it off since: it is sure only
/// if nothing else could have come to the same.
fn alone(model: &Model, way: ListRemoval, at: Option<Time>, reason: Reason) -> Reason {
    let is_needed = |deed: &Deed| may_delist(model, way, deed.at(), &[*deed]).next().is_none();
    let causes = at.and_then(|at| needed(weighable(model, done_by(model, at)).into_iter().filter(is_needed)));
    match (causes, reason) {
        (Some(causes), _) => Reason::Deeds(causes),
        (None, Reason::Deeds(causes)) => {
            let named = causes.deeds();
            if at.is_some_and(|at| named.iter().any(|deed| deed.at() > at)) {
                return Reason::NotCertain(named);
            }
            let since = named.first().map_or(model.now(), Deed::at);
            causes.unless(may_delist(model, way, since, &named))
        }
        (None, reason) => reason,
    }
}

/// What may lead to it since this time that the peer is off the list, if the deeds of `without` are not done: whatever
/// parts it from the seed, or from any node that may report it.
fn may_delist<'a>(
    model: &'a Model,
    ListRemoval { seed, peer, is_verified }: ListRemoval,
    since: Time,
    without: &'a [Deed],
) -> impl Iterator<Item = Deed> + 'a {
    let reporters = model.links().of(peer).map(|link| link.key.peer).filter(move |_| !is_verified);
    reporters.chain([seed]).flat_map(move |asker| {
        let span = (since - aftermath(model, asker, peer), model.now());
        let matters = move |deed: &Deed| match deed {
            Deed::Turned { node, .. } => *node == peer || *node == seed,
            Deed::Lied { about, .. } => *about == peer,
            Deed::Fault(_) => true,
        };
        may_part(model, (asker, peer), span, without).into_iter().filter(matters)
    })
}

/// The registration was lost, and when, if it was.
fn registration_lost(model: &Model, seed: Addr, peer: Addr) -> (Option<Time>, Reason) {
    let ends = model.links().both_ends(seed, peer);
    let lost = ends
        .filter(|link| !link.is_up())
        .filter_map(|link| Some((link, link.steps().rev().find(|step| step.is_loss())?)));
    let first = lost.min_by_key(|(_, step)| step.at);
    let reason = first.map(|(link, step)| link::of_step(model, link, step));
    (first.map(|(_, step)| step.at), reason.unwrap_or_else(|| Reason::NotCertain(Vec::new())))
}
