//! Why a seed's list differs from what is.

use super::besides::{Mishap, aftermath, done_by, may_go_wrong, needed, weighable};
use super::deeds::{downs_at, turned};
use super::reason::{Causes, Deed, Reason, deeds_of};
use super::{death, link};
use crate::event::{DelistReason, Event, EventKind, SeedEvent};
use crate::model::Model;
use crate::model::death::Evidence;
use crate::model::node::NodeRecord;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// The node is on the list of this seed, and does not run.
pub(super) fn stale(model: &Model, peer: Addr) -> Reason {
    let downs: Vec<Deed> = downs_at(model, peer, model.known_until()).map(|turn| turned(peer, turn)).collect();
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
    alone(model, way, off_since.or(at), &reason)
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
fn alone(model: &Model, way: ListRemoval, at: Option<Time>, reason: &Reason) -> Reason {
    let is_needed = |deed: &Deed| may_delist(model, way, deed.at(), &[*deed]).next().is_none();
    let causes = at.and_then(|at| needed(weighable(model, done_by(model, at)).into_iter().filter(is_needed)));
    causes.map_or_else(|| Reason::NotCertain(deeds_of(reason)), Reason::Deeds)
}

/// What may lead to it since this time that the peer is off the list, if the deeds of `without` are not done: whatever
/// parts it from the seed, or from any node that may report it.
fn may_delist<'a>(
    model: &'a Model,
    ListRemoval { seed, peer, is_verified }: ListRemoval,
    since: Time,
    without: &'a [Deed],
) -> impl Iterator<Item = Deed> + 'a {
    // One that was never linked to it might have been.
    let is_other = move |node: &&NodeRecord| node.role == Some(Role::Peer) && node.is_ours() && node.addr != peer;
    let reporters = model.nodes().iter().filter(is_other).map(|node| node.addr).filter(move |_| !is_verified);
    reporters.chain([seed]).flat_map(move |asker| {
        let span = (since - aftermath(model, asker, peer), model.known_until());
        // If a goodbye is lost, too, who says it is taken for dead.
        let matters = move |deed: &Deed| match deed {
            Deed::Turned { node, .. } => *node == peer || *node == seed,
            Deed::Lied { about, .. } => *about == peer,
            Deed::Fault(_) => true,
        };
        may_go_wrong(model, (asker, peer), Mishap::Loss, span, without).into_iter().filter(matters)
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
