//! Why a node is considered dead.

mod certain;
mod seeds;

use self::certain::{is_settled, is_settled_without_case};
use self::seeds::seed_clauses;
use super::link::miss_lines;
use super::node::suspect;
use super::{EvidenceLine, EvidenceSource, Explainer, Explanation, SourceKind, in_order};
use crate::event::{Event, NodeState};
use crate::model::cause::{Deed, Question, Reason, reason};
use crate::model::death::{DeathCase, Evidence};
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
        let is_certain = node.is_some_and(|node| is_settled_without_case(explainer, node));
        let verdict = without_case(explainer, addr, node);
        return Explanation {
            title,
            verdict,
            is_certain,
            evidence: in_order(evidence),
            table: None,
            rests_on: Vec::new(),
        };
    };
    evidence.extend(case.evidence.iter().flat_map(|evidence| evidence_lines(explainer, addr, evidence)));
    let reporters = case.evidence.iter().map(|evidence| evidence.reporter);
    evidence.extend(reporters.flat_map(|reporter| explainer.faults_between(reporter, addr)));
    evidence.extend(case.steps.iter().map(|step| step_line(explainer, addr, step)));
    evidence.extend(case.back_at.map(|at| {
        EvidenceLine::at(at, format!("{} gave a sign of life", explainer.name(addr)))
            .told_by_any(SourceKind::Heard(addr))
    }));
    let testimonies = testimonies(explainer, case);
    evidence.extend(heard_since(explainer, case, &testimonies).map(|(node, at)| {
        let name = explainer.name(node);
        EvidenceLine::at(at, format!("{name} disagrees: its link is up, and it heard from it after that"))
            .told_by(node, SourceKind::Heard(addr))
    }));
    if case.omitted > 0 {
        evidence.push(EvidenceLine::now(format!("{} not kept", count_text(case.omitted, "further line"))));
    }
    let is_certain = is_settled(explainer, (case, &testimonies), node);
    let verdict = verdict(explainer, (case, &testimonies), node);
    let rests_on = case.evidence.iter().filter_map(|evidence| question_of(addr, evidence)).collect();
    Explanation { title, verdict, is_certain, evidence: in_order(evidence), table: None, rests_on }
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

fn verdict(
    explainer: Explainer<'_>,
    (case, testimonies): (&DeathCase, &[ReasonedEvidence<'_>]),
    node: Option<&NodeRecord>,
) -> String {
    let name = explainer.name(case.dead);
    let mut clauses = causes(explainer, testimonies);
    clauses.push(reports(explainer, case));
    clauses.extend(seed_clauses(explainer, case));
    clauses.extend(disagreement(explainer, case, testimonies));
    clauses.extend(doubts(case, node));
    format!("{}: {}.", state_text(explainer, &name, (case, testimonies), node), clauses.join("; "))
}

/// What one reporter says, and why it came to that.
struct ReasonedEvidence<'a> {
    evidence: &'a Evidence,
    /// Empty if nothing is known that could be why.
    reason: Reason,
}

impl ReasonedEvidence<'_> {
    fn is_explained(&self) -> bool {
        self.reason != Reason::NotCertain(Vec::new())
    }
}

fn testimonies<'a>(explainer: Explainer<'a>, case: &'a DeathCase) -> Vec<ReasonedEvidence<'a>> {
    let reasoned = |evidence| ReasonedEvidence { evidence, reason: reason_of(explainer, case.dead, evidence) };
    case.evidence.iter().map(reasoned).collect()
}

/// Why this reporter took the node for dead. A lie is a reason that its clause tells.
pub(super) fn reason_of(explainer: Explainer<'_>, dead: Addr, evidence: &Evidence) -> Reason {
    let question = question_of(dead, evidence);
    question.map_or(Reason::NotCertain(Vec::new()), |question| reason(explainer.model, &question))
}

/// What this reporter makes one ask; `None` if it runs elsewhere.
pub(super) fn question_of(dead: Addr, evidence: &Evidence) -> Option<Question> {
    let (at, way) = (evidence.declared_at?, evidence.cause?);
    Some(Question::Death { reporter: evidence.reporter, dead, at, way })
}

/// The reason, if all reporters have the same.
fn common_reason<'a>(testimonies: &'a [ReasonedEvidence<'_>]) -> Option<&'a Reason> {
    let mut explained = testimonies.iter().filter(|told| told.is_explained());
    let first = &explained.next()?.reason;
    explained.all(|told| told.reason == *first).then_some(first)
}

/// How the life of the node ended, if that is why all of them took it for dead.
fn ended(dead: Addr, testimonies: &[ReasonedEvidence<'_>]) -> Option<LifeChange> {
    match common_reason(testimonies)? {
        Reason::Deeds(causes) => match causes.only()? {
            Deed::Turned { node, at, to } if node == dead => Some(LifeChange { at, life: to }),
            Deed::Turned { .. } | Deed::Fault(_) | Deed::Lied { .. } => None,
        },
        Reason::Rule(_) | Reason::NotCertain(_) => None,
    }
}

/// What is certain about it, and why all say so if they have one reason.
fn state_text(
    explainer: Explainer<'_>,
    name: &str,
    (case, testimonies): (&DeathCase, &[ReasonedEvidence<'_>]),
    node: Option<&NodeRecord>,
) -> String {
    let because = common_reason(testimonies).and_then(|reason| explainer.because(reason));
    let because = because.map_or_else(String::new, |because| format!(" {because}"));
    if let Some(span) = case.away {
        return format!("{name} was away for {}, and was taken for dead meanwhile", span_text(span));
    }
    if case.is_unfounded() {
        let but = if case.is_disputed() { "disputed" } else { "not so" };
        let runs = if node.is_some_and(NodeRecord::runs) { "runs, and " } else { "" };
        return format!("{name} {runs}was reported dead{because}, which is {but}");
    }
    let ended = ended(case.dead, testimonies);
    let now = node.and_then(|node| node.lives.now());
    if let Some(back_at) = case.back_at {
        let later = now.filter(|turn| turn.life != NodeState::Runs && turn.at > back_at);
        let later = later.map_or_else(String::new, |turn| format!(", and {} after that", explainer.turn(turn)));
        let back_at = explainer.clock(back_at);
        let is_back = if later.is_empty() { "is back since" } else { "was back at" };
        return match ended {
            Some(turn) => {
                format!("{name} {}, was taken for dead, and {is_back} {back_at}{later}", explainer.turn(turn))
            }
            None if is_apart(explainer, testimonies) => {
                format!("{name} was taken for dead{because}, though others heard from it at {back_at}{later}")
            }
            None => format!("{name} was taken for dead{because}, and {is_back} {back_at}{later}"),
        };
    }
    let is_over = |ended: LifeChange| ended.life != NodeState::Runs && now.is_some_and(|now| ended.at <= now.at);
    let again = now.filter(|now| now.life == NodeState::Runs && ended.is_some_and(is_over));
    match (ended, down_since(node)) {
        (Some(turn), _) if let Some(again) = again => {
            let taken = if node.is_some_and(NodeRecord::is_believed_dead) { "is" } else { "was" };
            let (turn, again) = (explainer.turn(turn), explainer.clock(again.at));
            format!("{name} {turn}, {taken} taken for dead, and runs again since {again}")
        }
        (Some(turn), _) => noticed(explainer, name, turn),
        (None, Some(turn)) if because.is_empty() && turn.at <= case.at => noticed(explainer, name, turn),
        (None, Some(turn)) if turn.at > case.at => {
            format!("{name} was taken for dead{because}, and {} after that", explainer.turn(turn))
        }
        (None, Some(turn)) => format!("{name} {}, and is taken for dead{because}", explainer.turn(turn)),
        (None, None) if node.is_some_and(NodeRecord::runs) => format!("{name} runs, but is taken for dead{because}"),
        (None, None) if case.is_cut_only() => format!("{name} is treated as dead"),
        (None, None) => format!("{name} is taken for dead here"),
    }
}

fn noticed(explainer: Explainer<'_>, name: &str, turn: LifeChange) -> String {
    let at = explainer.clock(turn.at);
    match turn.life {
        NodeState::Killed => format!("{name} was killed at {at}, and its neighbors noticed"),
        NodeState::Hangs => format!("{name} hangs since {at}, and its neighbors take it for dead"),
        NodeState::Left => format!("{name} left at {at}, and is taken for dead"),
        NodeState::Runs => format!("{name} was started again at {at}, and its neighbors noticed"),
    }
}

/// How a node of ours came to be down, if it is.
fn down_since(node: Option<&NodeRecord>) -> Option<LifeChange> {
    node?.lives.now().filter(|turn| turn.life != NodeState::Runs)
}

/// Nothing passes now between the reporters and the node: it is not back for them.
fn is_apart(explainer: Explainer<'_>, testimonies: &[ReasonedEvidence<'_>]) -> bool {
    let is_set = |deed: &Deed| match deed {
        Deed::Fault(fault) => {
            explainer.model.faults().find(*fault).is_some_and(|record| record.stops_all() && record.until.is_none())
        }
        Deed::Turned { .. } | Deed::Lied { .. } => false,
    };
    testimonies.iter().any(|told| match &told.reason {
        Reason::Deeds(causes) => causes.deeds().iter().any(is_set),
        Reason::Rule(_) | Reason::NotCertain(_) => false,
    })
}

/// Reporters that say the same, for the same reason.
struct ReporterGroup<'a> {
    cause: Option<DeathCause>,
    whose: Reporters,
    reason: &'a Reason,
    who: Vec<Addr>,
}

/// Who says what: those of this process with the same reason together, and those elsewhere. The
/// reasons follow unless all have the same.
fn causes(explainer: Explainer<'_>, testimonies: &[ReasonedEvidence<'_>]) -> Vec<String> {
    let mut groups: Vec<ReporterGroup<'_>> = Vec::new();
    for ReasonedEvidence { evidence, reason } in testimonies {
        let is_ours = explainer.model.nodes().get(evidence.reporter).is_some_and(NodeRecord::is_ours);
        let whose = if is_ours { Reporters::Ours } else { Reporters::Others };
        let same = |group: &&mut ReporterGroup<'_>| {
            (group.cause, group.whose, group.reason) == (evidence.cause, whose, reason)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.who.push(evidence.reporter),
            None => {
                groups.push(ReporterGroup { cause: evidence.cause, whose, reason, who: vec![evidence.reporter] });
            }
        }
    }
    let is_common = common_reason(testimonies).is_some();
    let clause = |group: &ReporterGroup<'_>| {
        let told = cause_clause(group.cause, group.whose, &explainer.names_in_order(&group.who), group.who.len());
        match explainer.because(group.reason).filter(|_| !is_common && group.cause != Some(DeathCause::Lie)) {
            Some(because) => format!("{told}, {because}"),
            None => told,
        }
    };
    groups.iter().map(clause).collect()
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
fn heard_since<'a>(
    explainer: Explainer<'a>,
    case: &'a DeathCase,
    testimonies: &[ReasonedEvidence<'_>],
) -> impl Iterator<Item = (Addr, Time)> + use<'a> {
    let is_back = case.back_at.is_some() && !is_apart(explainer, testimonies);
    let links = explainer.model.links().up().filter(move |link| !is_back && link.key.peer == case.dead);
    links.filter_map(|link| Some((link.key.node, link.last_heard.filter(|at| *at > case.at)?)))
}

fn disagreement(explainer: Explainer<'_>, case: &DeathCase, testimonies: &[ReasonedEvidence<'_>]) -> Option<String> {
    let heard: Vec<Addr> = heard_since(explainer, case, testimonies).map(|(node, _)| node).collect();
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

fn evidence_lines(explainer: Explainer<'_>, dead: Addr, evidence: &Evidence) -> Vec<EvidenceLine> {
    let (by, who) = (evidence.reporter, explainer.name(evidence.reporter));
    let mut lines = Vec::new();
    if let Some(at) = evidence.last_heard {
        lines.push(EvidenceLine::at(at, format!("{who} last heard from it")).told_by(by, SourceKind::Heard(dead)));
    }
    lines.extend(evidence.missed().iter().flat_map(|miss| miss_lines((by, &who), dead, miss)));
    if let Some(at) = evidence.declared_at {
        let cause = evidence.cause.map_or_else(|| "not certain why".to_owned(), |cause| cause.to_string());
        lines.push(
            EvidenceLine::at(at, format!("{who} declared it dead: {cause}")).told_by(by, SourceKind::Declared(dead)),
        );
    }
    if let Some(at) = evidence.reported_at {
        let to = match evidence.seeds.as_slice() {
            [] => "no seed: it is registered with none".to_owned(),
            seeds => explainer.names_in_order(seeds),
        };
        lines.push(EvidenceLine::at(at, format!("{who} reported it to {to}")).told_by(by, SourceKind::Reported(dead)));
    }
    lines
}

fn step_line(explainer: Explainer<'_>, dead: Addr, step: &Event) -> EvidenceLine {
    EvidenceLine::at(step.at, seed_step(step, &|addr| explainer.name(addr)))
        .resting_on(EvidenceSource::of_seed_step(dead, step))
}

/// A step as in the answer to why a node is dead, with the node's name.
pub(super) fn step_line_of(explainer: Explainer<'_>, dead: Addr, step: &Event) -> EvidenceLine {
    let line = step_line(explainer, dead, step);
    EvidenceLine { text: format!("{}: {}", explainer.name(dead), line.text), ..line }
}
