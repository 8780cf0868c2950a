//! Why a node is considered dead.

mod seeds;

use self::seeds::seed_clauses;
use super::cause::{Cause, Silence};
use super::link::miss_lines;
use super::node::suspect;
use super::{EvidenceLine, Explainer, Explanation, in_order};
use crate::event::{Event, NodeState};
use crate::model::death::{DeathCase, Evidence};
use crate::model::link::first_sent;
use crate::model::node::{LifeChange, NodeRecord, ObservedState};
use crate::model::words::death::seed_step;
use crate::model::words::{count_text, span_text};
use crate::model::{Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// Why the node at this address is considered dead: who probed it and when, what was missed, who
/// reported it to which seed, and what each seed did.
pub fn why_dead(model: &Model, addr: Addr, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let node = model.nodes().get(addr);
    let is_disputed = model.deaths().latest_of(addr).is_some_and(DeathCase::is_disputed);
    let (name, question) = (explainer.name(addr), if is_disputed { "Is" } else { "Why is" });
    let title = format!("{question} {name} dead?");
    let mut evidence = explainer.turns(addr);
    let Some(case) = model.deaths().latest_of(addr) else {
        return Explanation { title, verdict: without_case(explainer, addr, node), evidence: in_order(evidence) };
    };
    evidence.extend(case.evidence.iter().flat_map(|evidence| evidence_lines(explainer, evidence)));
    let reporters = case.evidence.iter().map(|evidence| evidence.reporter);
    evidence.extend(reporters.flat_map(|reporter| explainer.faults_between(reporter, addr)));
    evidence.extend(case.steps.iter().map(|step| step_line(explainer, step)));
    evidence
        .extend(case.back_at.map(|at| EvidenceLine::at(at, format!("{} gave a sign of life", explainer.name(addr)))));
    evidence.extend(heard_since(explainer, case).map(|(node, at)| {
        let name = explainer.name(node);
        EvidenceLine::at(at, format!("{name} disagrees: its link is up, and it heard from it after that"))
    }));
    if case.omitted > 0 {
        evidence.push(EvidenceLine::now(format!("{} not kept", count_text(case.omitted, "further line"))));
    }
    Explanation { title, verdict: verdict(explainer, case, node), evidence: in_order(evidence) }
}

fn without_case(explainer: Explainer<'_>, addr: Addr, node: Option<&NodeRecord>) -> String {
    let name = explainer.name(addr);
    let Some(node) = node else { return format!("Nothing is known of {name}.") };
    match node.state() {
        ObservedState::Killed => {
            format!("{name} was killed at {}; nobody has noticed yet.", explainer.clock(node.since))
        }
        ObservedState::Hung => {
            format!("{name} was made to hang at {}; nobody has noticed yet.", explainer.clock(node.since))
        }
        ObservedState::Suspect { misses, limit } => {
            format!("{name} is not dead yet. {}", suspect(explainer, node, misses, limit))
        }
        ObservedState::Left => format!("{name} is not dead: it left politely at {}.", explainer.clock(node.since)),
        ObservedState::Dead => {
            format!("{name} is taken for dead; why is not certain: no evidence reached this session.")
        }
        ObservedState::Up | ObservedState::Known => format!("{name} is not dead, as far as this session knows."),
    }
}

fn verdict(explainer: Explainer<'_>, case: &DeathCase, node: Option<&NodeRecord>) -> String {
    let name = explainer.name(case.dead);
    let mut clauses = causes(explainer, case);
    clauses.push(reports(explainer, case));
    clauses.extend(seed_clauses(explainer, case));
    clauses.extend(disagreement(explainer, case));
    clauses.extend(doubts(case, node));
    format!("{}: {}.", state_text(explainer, &name, case, node), clauses.join("; "))
}

/// What is certain about it, and what the user did that explains what the others think.
fn state_text(explainer: Explainer<'_>, name: &str, case: &DeathCase, node: Option<&NodeRecord>) -> String {
    let causes = silences(explainer, case);
    let because = explainer.because(&causes).or_else(|| explainer.because(&hindrances(explainer, case)));
    let because = because.map_or_else(String::new, |because| format!(" {because}"));
    if let Some(span) = case.away {
        return format!("{name} was away for {}, and was taken for dead meanwhile", span_text(span));
    }
    if case.is_unfounded() {
        let but = if case.is_disputed() { "disputed" } else { "not so" };
        let runs = if node.is_some_and(NodeRecord::runs) { "runs, and " } else { "" };
        return format!("{name} {runs}was reported dead{because}, which is {but}");
    }
    if let Some(back_at) = case.back_at {
        let back_at = explainer.clock(back_at);
        return match ended_before(explainer, case) {
            Some(turn) => format!("{name} {}, was taken for dead, and is back since {back_at}", explainer.turn(turn)),
            None if is_apart(&causes) => {
                format!("{name} was taken for dead{because}, though others heard from it at {back_at}")
            }
            None => format!("{name} was taken for dead{because}, and is back since {back_at}"),
        };
    }
    let since = node.map(|node| explainer.clock(node.life_since())).unwrap_or_default();
    match node.and_then(NodeRecord::life) {
        Some(NodeState::Killed) => format!("{name} was killed at {since}, and its neighbors noticed"),
        Some(NodeState::Hangs) => format!("{name} hangs since {since}, and its neighbors take it for dead"),
        Some(NodeState::Left) => format!("{name} left at {since}, and is taken for dead"),
        Some(NodeState::Runs) => format!("{name} runs, but is taken for dead{because}"),
        None if case.is_cut_only() => format!("{name} is treated as dead"),
        None => format!("{name} is taken for dead here"),
    }
}

/// Why each reporter that got no answer heard nothing.
fn silences<'a>(explainer: Explainer<'a>, case: &DeathCase) -> Vec<Cause<'a>> {
    case.evidence.iter().filter_map(|evidence| silence(explainer, case.dead, evidence)).collect()
}

/// Why this reporter heard nothing.
pub(super) fn silence<'a>(explainer: Explainer<'a>, dead: Addr, evidence: &Evidence) -> Option<Cause<'a>> {
    let (Some(DeathCause::Misses { .. }), Some(until)) = (evidence.cause, evidence.declared_at) else { return None };
    let from = first_sent(evidence.missed()).unwrap_or(until);
    explainer.cause_of(evidence.reporter, dead, Silence { from, until })
}

/// What may have broken the connections of reporters that only saw theirs close, if the node was
/// running then; if it had stopped, there is nothing to explain.
fn hindrances<'a>(explainer: Explainer<'a>, case: &DeathCase) -> Vec<Cause<'a>> {
    let ran = explainer.lives(case.dead).is_some_and(|lives| lives.running_since(case.at).is_some());
    let broken = case
        .evidence
        .iter()
        .filter(|evidence| ran && matches!(evidence.cause, Some(DeathCause::Closed | DeathCause::LinkError)));
    let broke = |evidence: &Evidence| explainer.hindrance_at(evidence.reporter, case.dead, evidence.declared_at?);
    broken.filter_map(broke).collect()
}

/// Nothing passes now between the reporters and the node: it is not back for them.
fn is_apart(causes: &[Cause<'_>]) -> bool {
    causes.iter().any(|cause| match cause {
        Cause::Barrier(record) => record.until.is_none(),
        Cause::Gone(..) | Cause::Made(_) | Cause::Perhaps(_) => false,
    })
}

/// How its life ended before the others noticed.
fn ended_before(explainer: Explainer<'_>, case: &DeathCase) -> Option<LifeChange> {
    let gone = silences(explainer, case).into_iter().find_map(|cause| match cause {
        Cause::Gone(_, turn) => Some(turn),
        Cause::Barrier(_) | Cause::Made(_) | Cause::Perhaps(_) => None,
    });
    gone.or_else(|| explainer.lives(case.dead)?.at(case.at).filter(|turn| turn.life != NodeState::Runs))
}

/// Who gives which reason: those of this process with the same reason together, and those
/// elsewhere.
fn causes(explainer: Explainer<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<(Option<DeathCause>, Reporters, Vec<Addr>)> = Vec::new();
    for evidence in &case.evidence {
        let is_ours = explainer.model.nodes().get(evidence.reporter).is_some_and(NodeRecord::is_ours);
        let whose = if is_ours { Reporters::Ours } else { Reporters::Others };
        match groups.iter_mut().find(|(cause, those, _)| (*cause, *those) == (evidence.cause, whose)) {
            Some((.., who)) => who.push(evidence.reporter),
            None => groups.push((evidence.cause, whose, vec![evidence.reporter])),
        }
    }
    let clause = |(cause, whose, who): &(Option<DeathCause>, Reporters, Vec<Addr>)| {
        let told = cause_clause(*cause, *whose, &explainer.names_in_order(who), who.len());
        let because = unless_relation_tells(explainer, case, who).map(|because| format!(", {because}"));
        format!("{told}{}", because.unwrap_or_default())
    };
    groups.iter().map(clause).collect()
}

/// If the node is down, `state_text` says so, together with a fault that had separated these
/// reporters from it before.
fn unless_relation_tells(explainer: Explainer<'_>, case: &DeathCase, who: &[Addr]) -> Option<String> {
    let is_down = case.back_at.is_none() && explainer.lives(case.dead)?.turns().last()?.life != NodeState::Runs;
    let theirs = case.evidence.iter().filter(|evidence| who.contains(&evidence.reporter));
    let causes: Vec<Cause<'_>> = theirs.filter_map(|evidence| silence(explainer, case.dead, evidence)).collect();
    explainer.because(&causes).filter(|_| is_down)
}

/// Where the reporters run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reporters {
    Ours,
    Others,
}

fn cause_clause(cause: Option<DeathCause>, whose: Reporters, who: &str, people: usize) -> String {
    match cause {
        Some(DeathCause::Cut) if whose == Reporters::Others => format!("the link of {who} to it was cut there"),
        Some(DeathCause::Misses { misses }) => {
            let row = if misses == 1 { "" } else { " in a row" };
            format!("{who} had no answer to {}{row}", count_text(u64::from(misses), "probe"))
        }
        Some(DeathCause::LinkError) => format!("the connection of {who} to it was reset"),
        Some(DeathCause::Closed) => format!("the connection of {who} to it closed without a goodbye"),
        Some(DeathCause::Cut) => {
            let treat = if people == 1 { "treats" } else { "treat" };
            format!("our link to it was cut by you; {who} {treat} it as dead")
        }
        Some(DeathCause::Lie) => format!("{who} made a false report, on purpose"),
        None => format!("{who} reported it; why is not certain, the report does not tell"),
    }
}

fn reports(explainer: Explainer<'_>, case: &DeathCase) -> String {
    let seeds = reported_seeds(case);
    if seeds.is_empty() {
        return "no report to a seed was seen".to_owned();
    }
    format!("it was reported to {}", explainer.names_in_order(&seeds))
}

fn reported_seeds(case: &DeathCase) -> Vec<Addr> {
    let seeds: Set<Addr> = case.evidence.iter().flat_map(|evidence| &evidence.seeds).copied().collect();
    seeds.into_iter().collect()
}

/// Nodes of ours that have a link to it and have heard from it since it was declared dead; empty if
/// it was down and is back.
fn heard_since<'a>(explainer: Explainer<'a>, case: &'a DeathCase) -> impl Iterator<Item = (Addr, Time)> {
    let is_back = case.back_at.is_some() && !is_apart(&silences(explainer, case));
    let links = explainer.model.links().up().filter(move |link| !is_back && link.key.peer == case.dead);
    links.filter_map(|link| Some((link.key.node, link.last_heard.filter(|at| *at > case.at)?)))
}

fn disagreement(explainer: Explainer<'_>, case: &DeathCase) -> Option<String> {
    let heard: Vec<Addr> = heard_since(explainer, case).map(|(node, _)| node).collect();
    if heard.is_empty() || case.back_at.is_some() {
        return None;
    }
    let disagrees = if heard.len() == 1 { "disagrees" } else { "disagree" };
    Some(format!("{} {disagrees}: the link is up, and it was heard from since", explainer.names_in_order(&heard)))
}

/// What the evidence does not settle.
fn doubts(case: &DeathCase, node: Option<&NodeRecord>) -> Option<String> {
    let is_elsewhere = node.is_none_or(|node| !node.is_ours());
    let is_open = is_elsewhere && !case.is_disputed() && case.back_at.is_none();
    is_open.then(|| {
        let doubt =
            if case.is_cut_only() { "the process itself may be alive" } else { "whether it runs is not certain" };
        doubt.to_owned()
    })
}

fn evidence_lines(explainer: Explainer<'_>, evidence: &Evidence) -> Vec<EvidenceLine> {
    let who = explainer.name(evidence.reporter);
    let mut lines = Vec::new();
    if let Some(at) = evidence.last_heard {
        lines.push(EvidenceLine::at(at, format!("{who} last heard from it")));
    }
    lines.extend(evidence.missed().iter().flat_map(|miss| miss_lines(&who, miss)));
    if let Some(at) = evidence.declared_at {
        let cause = evidence.cause.map_or_else(|| "not certain why".to_owned(), |cause| cause.to_string());
        lines.push(EvidenceLine::at(at, format!("{who} declared it dead: {cause}")));
    }
    if let Some(at) = evidence.reported_at {
        let to = match evidence.seeds.as_slice() {
            [] => "no seed: it is registered with none".to_owned(),
            seeds => explainer.names_in_order(seeds),
        };
        lines.push(EvidenceLine::at(at, format!("{who} reported it to {to}")));
    }
    lines
}

fn step_line(explainer: Explainer<'_>, step: &Event) -> EvidenceLine {
    EvidenceLine::at(step.at, seed_step(step, &|addr| explainer.name(addr)))
}

/// A step as in the answer to why a node is dead, with the node's name.
pub(super) fn step_line_of(explainer: Explainer<'_>, dead: Addr, step: &Event) -> EvidenceLine {
    let line = step_line(explainer, step);
    EvidenceLine { text: format!("{}: {}", explainer.name(dead), line.text), ..line }
}
