//! What happened to a node before: its earlier deaths and lives, who accused it and who lied about it,
//! and who refused, pruned or dropped it.

use super::{EvidenceLine, EvidenceSource, Explainer, SourceKind};
use crate::event::{LinkEnd, LinkEvent, Purpose, Side};
use crate::model::Map;
use crate::model::death::{DeathCase, Evidence};
use crate::model::fault::Lie;
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::message::{GoodbyeReason, RefusalReason};
use crate::proto::time::Time;

/// Lines about links that others did not want; the tally has all of them.
const REJECTIONS_MAX: usize = 30;
/// Lies that a sentence names.
const LIES_MAX: usize = 3;
/// Nodes that a tally names for each way.
const NAMES_MAX: usize = 4;

/// How another node got rid of this one, or did not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rejection {
    Refused(RefusalReason),
    /// It closed the link to make room for another node.
    Pruned,
    TooSlow,
    Violation,
}

impl Rejection {
    const fn word(self) -> &'static str {
        match self {
            Self::Refused(RefusalReason::Full) => "refused as one too many",
            Self::Refused(RefusalReason::Cut) => "refused over a link that was cut",
            Self::Refused(RefusalReason::Myself | RefusalReason::WrongRole) => "refused",
            Self::Pruned => "pruned to make room",
            Self::TooSlow => "dropped as too slow",
            Self::Violation => "dropped for breaking the protocol",
        }
    }
}

/// One such moment, as one end of the link tells it.
struct Rejected<'a> {
    by: Addr,
    how: Rejection,
    link: &'a LinkHistory,
    step: &'a LinkStep,
    /// Whom it made room for.
    room_for: Option<Addr>,
}

/// The past of this node, as evidence.
pub(super) fn past_lines(explainer: Explainer<'_>, node: Addr) -> Vec<EvidenceLine> {
    let rejected = rejections(explainer, node);
    let mut lines = explainer.turns(node);
    lines.extend(earlier_deaths(explainer, node));
    lines.extend(explainer.model.faults().lies().filter(|lie| lie.about == node || lie.liar == node).map(|lie| {
        let (liar, about) = (explainer.name(lie.liar), explainer.name(lie.about));
        let told = format!("{liar} reported {about} dead on purpose: a lie, as the user told it to");
        EvidenceLine::at(lie.at, told).told_by(lie.liar, SourceKind::Lie(lie.about))
    }));
    lines.extend(tally(explainer, &rejected).map(EvidenceLine::now));
    let latest = rejected.iter().skip(rejected.len().saturating_sub(REJECTIONS_MAX));
    lines.extend(latest.map(|rejected| rejection_line(explainer, node, rejected)));
    lines
}

/// ` It lied: it reported p6 dead at 03:13:02.`
pub(super) fn lies_told(explainer: Explainer<'_>, node: Addr) -> Option<String> {
    let lies: Vec<&Lie> = explainer.model.faults().lies().filter(|lie| lie.liar == node).collect();
    let told = |lie: &&Lie| format!("{} dead at {}", explainer.name(lie.about), explainer.clock(lie.at));
    let told: Vec<String> = lies.iter().map(told).collect();
    (!told.is_empty()).then(|| format!(" It lied: it reported {}.", list_text(&told, LIES_MAX)))
}

/// When it was taken for dead before, by whom, and what came of it.
fn earlier_deaths(explainer: Explainer<'_>, node: Addr) -> Vec<EvidenceLine> {
    let is_over = |case: &&DeathCase| case.back_at.is_some() || case.is_unfounded();
    let cases = explainer.model.deaths().cases().iter().map(|(_, case)| case);
    cases.filter(|case| case.dead == node).filter(is_over).map(|case| earlier_death(explainer, case)).collect()
}

fn earlier_death(explainer: Explainer<'_>, case: &DeathCase) -> EvidenceLine {
    let by: Vec<Addr> = case.evidence.iter().map(|told| told.reporter).collect();
    let outcome = match case.back_at {
        Some(_) | None if case.away.is_some() => ", while it was away".to_owned(),
        Some(_) | None if case.is_disputed() => ", which was disputed".to_owned(),
        Some(back_at) => format!("; a sign of life came at {}", explainer.clock(back_at)),
        None => String::new(),
    };
    let by = if by.is_empty() { "a seed".to_owned() } else { explainer.names_in_order(&by) };
    let line = EvidenceLine::at(case.at, format!("{} was taken for dead by {by}{outcome}", explainer.name(case.dead)));
    let first = |told: &&Evidence| told.declared_at == Some(case.at) || told.reported_at == Some(case.at);
    match case.evidence.iter().find(first) {
        Some(told) if told.declared_at == Some(case.at) => line.told_by(told.reporter, SourceKind::Declared(case.dead)),
        Some(told) => line.told_by(told.reporter, SourceKind::Reported(case.dead)),
        None => match case.steps.first().filter(|step| step.at == case.at) {
            Some(step) => line.resting_on(EvidenceSource::of_seed_step(case.dead, step)),
            None => line,
        },
    }
}

/// Who did not want a link to this node, in order of time: each once, by the node's own word if it is
/// one of ours.
fn rejections<'a>(explainer: Explainer<'a>, node: Addr) -> Vec<Rejected<'a>> {
    let links = explainer.model.links();
    let has_own = |link: &LinkHistory| links.get(node, link.key.node).is_some();
    let concerns =
        |link: &&LinkHistory| link.purpose == Purpose::Neighbor && (link.key.node == node || link.key.peer == node);
    let mut found: Vec<Rejected<'a>> = Vec::new();
    for link in links.iter().filter(concerns) {
        let is_own = link.key.node == node;
        let by = if is_own { link.key.peer } else { link.key.node };
        for step in link.steps() {
            let how = if is_own { told_by_it(step) } else { told_by_other(step, has_own(link)) };
            let Some(how) = how else { continue };
            let room_for = (how == Rejection::Pruned).then(|| room_for(explainer, by, node, step.at)).flatten();
            found.push(Rejected { by, how, link, step, room_for });
        }
    }
    found.sort_by_key(|rejected| rejected.step.at);
    found
}

/// What the rejected node's own link tells.
fn told_by_it(step: &LinkStep) -> Option<Rejection> {
    match step.end() {
        Some(LinkEnd::Refused { reason }) => Some(Rejection::Refused(reason)),
        Some(end) if end == made_room(Side::Them) => Some(Rejection::Pruned),
        Some(_) | None => refused_by(Side::Them, step),
    }
}

/// What the other end tells; the rejected node tells some of it itself, if it is ours.
fn told_by_other(step: &LinkStep, is_told: bool) -> Option<Rejection> {
    match step.end() {
        Some(LinkEnd::TooSlow) => Some(Rejection::TooSlow),
        Some(LinkEnd::Violation) => Some(Rejection::Violation),
        Some(_) | None if is_told => None,
        Some(end) if end == made_room(Side::Us) => Some(Rejection::Pruned),
        Some(_) | None => refused_by(Side::Us, step),
    }
}

fn refused_by(side: Side, step: &LinkStep) -> Option<Rejection> {
    match step.event()? {
        LinkEvent::Refused { by, reason, .. } => (*by == side).then_some(Rejection::Refused(*reason)),
        LinkEvent::Dialing { .. }
        | LinkEvent::DialFailed { .. }
        | LinkEvent::Up { .. }
        | LinkEvent::Down { .. }
        | LinkEvent::NotAccepted { .. }
        | LinkEvent::Violation { .. }
        | LinkEvent::MoreOffenses { .. }
        | LinkEvent::Flooding { .. }
        | LinkEvent::Omitted { .. }
        | LinkEvent::OtherDialect { .. }
        | LinkEvent::HandshakeFailed { .. }
        | LinkEvent::EclipseSuspected { .. }
        | LinkEvent::Repairing { .. } => None,
    }
}

const fn made_room(side: Side) -> LinkEnd {
    LinkEnd::Goodbye { side, reason: GoodbyeReason::MadeRoom }
}

/// The node that came to the one that pruned, at the moment when it did, if there was one.
fn room_for(explainer: Explainer<'_>, by: Addr, pruned: Addr, at: Time) -> Option<Addr> {
    // What the pruned node tells comes a moment after the pruner did it.
    let own = explainer.model.links().get(by, pruned);
    let is_it = |step: &&LinkStep| step.at <= at && step.end() == Some(made_room(Side::Us));
    let at = own.and_then(|link| link.steps().rfind(is_it)).map_or(at, |step| step.at);
    let came = |link: &&LinkHistory| {
        let quiet = link.quiet_steps();
        link.key.peer != pruned && link.steps().chain(&quiet).any(|step| step.is_up() && step.at == at)
    };
    explainer.model.links().of(by).find(came).map(|link| link.key.peer)
}

fn rejection_line(explainer: Explainer<'_>, node: Addr, rejected: &Rejected<'_>) -> EvidenceLine {
    let (by, name) = (explainer.name(rejected.by), explainer.name(node));
    let text = match (rejected.how, rejected.room_for) {
        (Rejection::Pruned, Some(other)) => format!("{by} pruned {name} to make room for {}", explainer.name(other)),
        (Rejection::Pruned, None) => format!("{by} pruned {name} to make room"),
        (Rejection::Refused(reason), _) => format!("{by} refused {name}: {reason}"),
        (Rejection::TooSlow, _) => format!("{by} dropped {name}: it read too slowly"),
        (Rejection::Violation, _) => format!("{by} dropped {name}: it broke the protocol"),
    };
    let source = EvidenceSource::of_step(rejected.link.key, rejected.step);
    EvidenceLine::at(rejected.step.at, text).resting_on(source)
}

/// `refused as one too many: by p1 (3 times) and p2; pruned to make room: by p4 for p9`.
fn tally(explainer: Explainer<'_>, rejected: &[Rejected<'_>]) -> Option<String> {
    let mut ways: Map<Rejection, Map<(Addr, Option<Addr>), u32>> = Map::default();
    for Rejected { by, how, room_for, .. } in rejected {
        *ways.entry(*how).or_default().entry((*by, *room_for)).or_default() += 1;
    }
    let who = |((by, room_for), times): (&(Addr, Option<Addr>), &u32)| {
        let room = room_for.map_or_else(String::new, |other| format!(" for {}", explainer.name(other)));
        let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
        format!("{}{room}{times}", explainer.name(*by))
    };
    let way = |(how, by): (&Rejection, &Map<(Addr, Option<Addr>), u32>)| {
        let by: Vec<String> = by.iter().map(who).collect();
        format!("{} by {}", how.word(), list_text(&by, NAMES_MAX))
    };
    let told: Vec<String> = ways.iter().map(way).collect();
    (!told.is_empty()).then(|| told.join("; "))
}
