//! How a link ended: who closed it and why, and what the user did that explains it.

use std::time::Duration;

use super::Explainer;
use super::cause::{Cause, Silence};
use crate::event::{LinkEnd, LinkEvent, NodeState};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep, StepKind};
use crate::model::node::{LifeChange, Lives};
use crate::model::words::link::ended_by;
use crate::proto::addr::Addr;
use crate::proto::fault::FaultClass;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// The other end knows of a stop within this time.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// This end only saw the connection go; the other may know why.
pub(super) fn is_seen_only(step: &LinkStep) -> bool {
    let end = step.end();
    matches!(end, Some(LinkEnd::Dead { cause: DeathCause::Closed | DeathCause::LinkError } | LinkEnd::RegistrationLost))
}

/// If this link is lost, when and how: `p2 - p3, ended at 03:13:02: p2 was killed`.
pub(super) fn last_loss(explainer: Explainer<'_>, link: &LinkHistory) -> Option<(Time, String)> {
    let step = link.steps().rev().find(|step| step.is_loss()).filter(|_| !link.is_up())?;
    let (node, peer) = (explainer.name(link.key.node), explainer.name(link.key.peer));
    let why = end_of(explainer, link, step);
    Some((step.at, format!("{node} - {peer}, ended at {}: {why}", explainer.clock(step.at))))
}

/// Why a link ended, seen from outside: who ended it, and what explains it.
pub(super) fn end_of(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> String {
    let told = told_end_of(explainer, link, step);
    match cause_of_end(explainer, link, step) {
        Some(cause) => format!("{told}; {}", explainer.cause_clause(cause, "the two")),
        None => told,
    }
}

/// As [`end_of`], seen from the end whose history this is.
pub(super) fn told_end_of(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> String {
    let (node, peer) = (explainer.name(link.key.node), explainer.name(link.key.peer));
    match &step.what {
        StepKind::Told(LinkEvent::Down { end, .. }) => ended_by(&node, &peer, *end),
        StepKind::Told(_) => "not certain why".to_owned(),
        StepKind::Dropped => format!("{peer} dropped it, because {node} hung"),
        StepKind::NodeStopped => format!("{node} {}", stop_text(explainer, link.key.node, step.at)),
    }
}

fn stop_text(explainer: Explainer<'_>, node: Addr, at: Time) -> &'static str {
    // A node that restarts at the moment of its end has two changes then.
    let turns = explainer.lives(node).map(Lives::turns).unwrap_or_default();
    let stop = turns.iter().find(|turn| turn.at == at && turn.life != NodeState::Runs);
    match stop.map(|turn| turn.life) {
        Some(NodeState::Killed) => "was killed",
        Some(NodeState::Left) => "left politely",
        Some(NodeState::Hangs | NodeState::Runs) | None => "stopped",
    }
}

/// What the user did that explains this end of the link.
pub(super) fn cause_of_end<'a>(explainer: Explainer<'a>, link: &LinkHistory, step: &LinkStep) -> Option<Cause<'a>> {
    let (node, peer) = (link.key.node, link.key.peer);
    let end = match &step.what {
        StepKind::Told(_) => step.end()?,
        StepKind::Dropped => {
            let hung = explainer.lives(node)?.at(step.at).filter(|turn| turn.life == NodeState::Hangs);
            return hung.map(|turn| Cause::Gone(node, turn));
        }
        StepKind::NodeStopped => return None,
    };
    match end {
        LinkEnd::Dead { cause: DeathCause::Misses { .. } } => {
            let from = step.unanswered_since.unwrap_or(step.at);
            explainer.cause_of(node, peer, Silence { from, until: step.at })
        }
        LinkEnd::Dead { cause: DeathCause::Closed | DeathCause::LinkError } | LinkEnd::RegistrationLost => {
            stopped_just_before(explainer, peer, step.at).or_else(|| explainer.hindrance_at(node, peer, step.at))
        }
        LinkEnd::TooSlow => slow(explainer, peer, step.at),
        LinkEnd::Dead { cause: DeathCause::Cut | DeathCause::Lie }
        | LinkEnd::Goodbye { .. }
        | LinkEnd::Violation
        | LinkEnd::Refused { .. }
        | LinkEnd::WhileAway => None,
    }
}

fn stopped_just_before(explainer: Explainer<'_>, node: Addr, at: Time) -> Option<Cause<'_>> {
    let is_it =
        |turn: &&LifeChange| turn.life != NodeState::Runs && turn.at <= at && at.since(turn.at) <= NOTICED_WITHIN;
    explainer.lives(node)?.turns().iter().rev().find(is_it).map(|turn| Cause::Gone(node, *turn))
}

fn slow(explainer: Explainer<'_>, node: Addr, at: Time) -> Option<Cause<'_>> {
    let mut records = explainer.model.faults().ever_on_node(node);
    let is_it = |record: &&FaultRecord| record.fault.what.class() == FaultClass::Slow && record.was_at(at);
    records.find(is_it).map(Cause::Made)
}
