//! Why a link ended.

use std::time::Duration;

use super::besides::or_only;
use super::death;
use super::deeds::{downs_at, turned};
use super::reason::{Causes, ProtocolRule, Reason};
use crate::event::{LinkEnd, NodeState, Side};
use crate::model::Model;
use crate::model::link::{LinkHistory, LinkStep, StepKind};
use crate::model::node::{LifeChange, Lives};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, GoodbyeReason};
use crate::proto::time::Time;

/// The other end hears of a stop within this time.
const STOP_SEEN_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn reason(model: &Model, node: Addr, peer: Addr, at: Time) -> Reason {
    let link = model.links().get(node, peer);
    let step = link.and_then(|link| link.steps().rev().find(|step| step.is_loss() && step.at == at));
    match (link, step) {
        (Some(link), Some(step)) => of_step(model, link, step),
        (_, None) | (None, _) => Reason::NotCertain(Vec::new()),
    }
}

/// Why the link was lost with this step of its history.
pub(super) fn of_step(model: &Model, link: &LinkHistory, step: &LinkStep) -> Reason {
    let (node, peer, at) = (link.key.node, link.key.peer, step.at);
    match &step.what {
        StepKind::NodeStopped | StepKind::Dropped => stopped(model, node, at),
        StepKind::Told(_) => or_only(model, (node, peer), at, told(model, link, step)),
    }
}

/// Why the link was lost, as its node told of it.
fn told(model: &Model, link: &LinkHistory, step: &LinkStep) -> Reason {
    let (node, peer, at) = (link.key.node, link.key.peer, step.at);
    match step.end() {
        Some(LinkEnd::Dead { cause: DeathCause::Closed | DeathCause::LinkError } | LinkEnd::RegistrationLost) => {
            death::closed(model, node, peer, at)
        }
        Some(LinkEnd::Dead { .. }) => death::reason(model, node, peer, at),
        Some(LinkEnd::Goodbye { reason: GoodbyeReason::Leaving, side }) => {
            left(model, if side == Side::Us { node } else { peer }, at)
        }
        Some(LinkEnd::Goodbye { reason: GoodbyeReason::Duplicate | GoodbyeReason::Replaced, .. }) => {
            Reason::Rule(ProtocolRule::Doubled)
        }
        Some(LinkEnd::Goodbye { reason: GoodbyeReason::MadeRoom, .. } | LinkEnd::Refused { .. }) => {
            Reason::Rule(ProtocolRule::Full)
        }
        Some(LinkEnd::TooSlow) => Reason::NotCertain(death::slowing(model, peer, at)),
        Some(LinkEnd::Violation | LinkEnd::WhileAway) | None => {
            Reason::NotCertain(death::hindering(model, node, peer, at))
        }
    }
}

/// This node stopped just before.
fn stopped(model: &Model, node: Addr, at: Time) -> Reason {
    let turns = model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
    let is_it =
        |turn: &&LifeChange| turn.life != NodeState::Runs && turn.at <= at && at.since(turn.at) <= STOP_SEEN_WITHIN;
    let hangs = |turn: &&LifeChange| turn.life != NodeState::Runs && turn.at <= at;
    let turn = turns.iter().rev().find(is_it).or_else(|| turns.iter().rev().find(hangs));
    let Some(turn) = turn else { return Reason::NotCertain(Vec::new()) };
    // A restart of a node that hung: its links had no life left anyhow.
    if turns.iter().any(|next| next.at == turn.at && next.life == NodeState::Runs) {
        return Reason::NotCertain(downs_at(model, node, turn.at).map(|turn| turned(node, turn)).collect());
    }
    Reason::Deeds(Causes::one(turned(node, *turn)))
}

/// This node said that it leaves, and left.
fn left(model: &Model, node: Addr, at: Time) -> Reason {
    let turns = model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
    let is_it = |turn: &&LifeChange| turn.life == NodeState::Left && turn.at + STOP_SEEN_WITHIN >= at;
    let turn = turns.iter().find(is_it);
    turn.map_or(Reason::Rule(ProtocolRule::Goodbye), |turn| Reason::Deeds(Causes::one(turned(node, *turn))))
}
