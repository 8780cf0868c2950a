//! How a link ended: who closed it and why, and what the user did that explains it.

use std::collections::BTreeSet;

use super::Explainer;
use crate::event::{LinkEnd, LinkEvent, NodeState};
use crate::model::cause::{Reason, link_lost};
use crate::model::link::{LinkHistory, LinkStep, StepKind};
use crate::model::node::Lives;
use crate::model::words::link::ended_by;
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// This end only saw the connection go, or hung and saw nothing; the other may know why.
pub(super) fn is_seen_only(step: &LinkStep) -> bool {
    match &step.what {
        StepKind::Dropped => true,
        StepKind::Told(_) | StepKind::NodeStopped => matches!(
            step.end(),
            Some(LinkEnd::Dead { cause: DeathCause::Closed | DeathCause::LinkError } | LinkEnd::RegistrationLost)
        ),
    }
}

/// A link that ended, as one of its ends tells it.
#[derive(Clone, Copy)]
pub(super) struct LinkLoss<'a> {
    pub(super) link: &'a LinkHistory,
    pub(super) step: &'a LinkStep,
}

impl<'a> LinkLoss<'a> {
    /// The latest end of this link up to this time.
    pub(super) fn last(link: &'a LinkHistory, until: Time) -> Option<Self> {
        let step = link.steps().rev().find(|step| step.is_loss() && step.at <= until)?;
        Some(Self { link, step })
    }

    pub(super) fn touches(&self, node: Addr) -> bool {
        self.link.key.node == node || self.link.key.peer == node
    }

    /// `p2 - p3, ended at 03:13:02: p2 was killed`.
    pub(super) fn text(&self, explainer: Explainer<'_>) -> String {
        let (node, peer) = (explainer.name(self.link.key.node), explainer.name(self.link.key.peer));
        let why = end_of(explainer, self.link, self.step);
        format!("{node} - {peer}, ended at {}: {why}", explainer.clock(self.step.at))
    }
}

/// Of these, one for each link, latest first: the end that noticed first knows why.
pub(super) fn one_by_link(mut all: Vec<LinkLoss<'_>>) -> Vec<LinkLoss<'_>> {
    all.sort_by_key(|lost| (lost.step.at, is_seen_only(lost.step), lost.link.key));
    let mut pairs = BTreeSet::new();
    all.retain(|LinkLoss { link, .. }| {
        pairs.insert((link.key.node.min(link.key.peer), link.key.node.max(link.key.peer)))
    });
    all.reverse();
    all
}

/// Why a link ended, seen from outside: who ended it, and what explains it.
pub(super) fn end_of(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> String {
    let told = told_end_of(explainer, link, step);
    match reason_of_end(explainer, link, step).and_then(|reason| explainer.reason_clause(&reason)) {
        Some(why) => format!("{told}; {why}"),
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
    let turns = explainer.model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
    let stop = turns.iter().find(|turn| turn.at == at && turn.life != NodeState::Runs);
    match stop.map(|turn| turn.life) {
        Some(NodeState::Killed) => "was killed",
        Some(NodeState::Left) => "left politely",
        Some(NodeState::Hangs | NodeState::Runs) | None => "stopped",
    }
}

/// Why the link ended; `None` if what is told of it says so.
pub(super) fn reason_of_end(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> Option<Reason> {
    let end = match &step.what {
        StepKind::Told(_) => step.end()?,
        StepKind::Dropped => return Some(link_lost(explainer.model, link, step)),
        StepKind::NodeStopped => return None,
    };
    match end {
        LinkEnd::Dead { cause: DeathCause::Misses { .. } | DeathCause::Closed | DeathCause::LinkError }
        | LinkEnd::RegistrationLost
        | LinkEnd::TooSlow => Some(link_lost(explainer.model, link, step)),
        LinkEnd::Dead { cause: DeathCause::Cut | DeathCause::Lie }
        | LinkEnd::Goodbye { .. }
        | LinkEnd::Violation
        | LinkEnd::Refused { .. }
        | LinkEnd::WhileAway => None,
    }
}
