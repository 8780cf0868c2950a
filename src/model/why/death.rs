//! Why a node is taken for dead.

mod seeds;

use self::seeds::seed_clauses;
use super::cause::{Cause, Silence};
use super::node::suspect;
use super::{Evidence, Explanation, Teller, in_order};
use crate::model::Model;
use crate::model::death::{DeathCase, SeedAct, SeedStep, Testimony};
use crate::model::link::{Miss, first_sent};
use crate::model::node::{Life, Node, NodeState, Turn};
use crate::model::sentence::{action_text, delisted};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;

/// Why the node at this address is taken for dead: who probed it when, what was missed, who
/// reported it to which seed, and what each seed did.
pub fn why_dead(model: &Model, addr: Addr, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let node = model.nodes().get(addr);
    let is_disputed = model.deaths().latest_of(addr).is_some_and(DeathCase::is_disputed);
    let (name, question) = (teller.name(addr), if is_disputed { "Is" } else { "Why is" });
    let title = format!("{question} {name} dead?");
    let mut evidence = teller.turns(addr);
    let Some(case) = model.deaths().latest_of(addr) else {
        return Explanation { title, verdict: without_case(teller, addr, node), evidence: in_order(evidence) };
    };
    evidence.extend(case.testimonies.iter().flat_map(|testimony| testimony_lines(teller, testimony)));
    let reporters = case.testimonies.iter().map(|testimony| testimony.reporter);
    evidence.extend(reporters.flat_map(|reporter| teller.faults_between(reporter, addr)));
    evidence.extend(case.steps.iter().map(|step| step_line(teller, step)));
    evidence.extend(case.back_at.map(|at| Evidence::at(at, format!("{} gave a sign of life", teller.name(addr)))));
    evidence.extend(heard_since(teller, case).map(|(node, at)| {
        let name = teller.name(node);
        Evidence::at(at, format!("{name} disagrees: its link is up, and it heard from it after that"))
    }));
    if case.omitted > 0 {
        evidence.push(Evidence::now(format!("{} not kept", count_text(case.omitted, "further line"))));
    }
    Explanation { title, verdict: verdict(teller, case, node), evidence: in_order(evidence) }
}

fn without_case(teller: Teller<'_>, addr: Addr, node: Option<&Node>) -> String {
    let name = teller.name(addr);
    let Some(node) = node else { return format!("Nothing is known of {name}.") };
    match node.state() {
        NodeState::Killed => {
            format!("{name} was killed at {}; nobody has noticed yet.", teller.clock(node.since))
        }
        NodeState::Hung => format!("{name} was made to hang at {}; nobody has noticed yet.", teller.clock(node.since)),
        NodeState::Suspect { misses, limit } => {
            format!("{name} is not dead yet. {}", suspect(teller, node, misses, limit))
        }
        NodeState::Left => format!("{name} is not dead: it left politely at {}.", teller.clock(node.since)),
        NodeState::Dead => format!("{name} is taken for dead; why is not certain: no evidence reached this session."),
        NodeState::Up | NodeState::Known => format!("{name} is not dead, as far as this session knows."),
    }
}

fn verdict(teller: Teller<'_>, case: &DeathCase, node: Option<&Node>) -> String {
    let name = teller.name(case.dead);
    let mut clauses = causes(teller, case);
    clauses.push(reports(teller, case));
    clauses.extend(seed_clauses(teller, case));
    clauses.extend(disagreement(teller, case));
    clauses.extend(doubts(case, node));
    format!("{}: {}.", standing(teller, &name, case, node), clauses.join("; "))
}

/// What is certain about it, and what was done on purpose that explains what the others think.
fn standing(teller: Teller<'_>, name: &str, case: &DeathCase, node: Option<&Node>) -> String {
    let causes = silences(teller, case);
    let because = teller.because(&causes).or_else(|| teller.because(&hindrances(teller, case)));
    let because = because.map_or_else(String::new, |because| format!(" {because}"));
    if let Some(span) = case.away {
        return format!("{name} was away for {}, and was taken for dead meanwhile", span_text(span));
    }
    if case.is_unfounded() {
        let but = if case.is_disputed() { "disputed" } else { "not so" };
        let runs = if node.is_some_and(|node| node.life == Life::Running) { "runs, and " } else { "" };
        return format!("{name} {runs}was reported dead{because}, which is {but}");
    }
    if let Some(back_at) = case.back_at {
        let back_at = teller.clock(back_at);
        return match ended_before(teller, case) {
            Some(turn) => format!("{name} {}, was taken for dead, and is back since {back_at}", teller.turn(turn)),
            None if is_apart(&causes) => {
                format!("{name} was taken for dead{because}, though others heard from it at {back_at}")
            }
            None => format!("{name} was taken for dead{because}, and is back since {back_at}"),
        };
    }
    let since = node.map(|node| teller.clock(node.life_since)).unwrap_or_default();
    match node.map(|node| node.life) {
        Some(Life::Killed) => format!("{name} was killed at {since}, and its neighbors noticed"),
        Some(Life::Hung) => format!("{name} hangs since {since}, and its neighbors take it for dead"),
        Some(Life::Left) => format!("{name} left at {since}, and is taken for dead"),
        Some(Life::Running) => format!("{name} runs, but is taken for dead{because}"),
        Some(Life::Elsewhere) | None if case.is_cut_only() => format!("{name} is treated as dead"),
        Some(Life::Elsewhere) | None => format!("{name} is taken for dead here"),
    }
}

/// Why each of those who had no answer heard nothing.
fn silences<'a>(teller: Teller<'a>, case: &DeathCase) -> Vec<Cause<'a>> {
    case.testimonies.iter().filter_map(|testimony| silence(teller, case.dead, testimony)).collect()
}

/// Why this reporter heard nothing.
pub(super) fn silence<'a>(teller: Teller<'a>, dead: Addr, testimony: &Testimony) -> Option<Cause<'a>> {
    let (Some(DeathCause::Misses { .. }), Some(until)) = (testimony.cause, testimony.declared_at) else { return None };
    let from = first_sent(&testimony.missed).unwrap_or(until);
    teller.cause_of(testimony.reporter, dead, Silence { from, until })
}

/// What may have broken the connections of those who saw no more than that theirs closed, of a node that ran then: of one
/// that had stopped that is no question.
fn hindrances<'a>(teller: Teller<'a>, case: &DeathCase) -> Vec<Cause<'a>> {
    let ran = teller.lives(case.dead).is_some_and(|lives| lives.running_since(case.at).is_some());
    let broken = case
        .testimonies
        .iter()
        .filter(|testimony| ran && matches!(testimony.cause, Some(DeathCause::Closed | DeathCause::LinkError)));
    let broke = |testimony: &Testimony| teller.hindrance_at(testimony.reporter, case.dead, testimony.declared_at?);
    broken.filter_map(broke).collect()
}

/// Nothing passes now between those who say so and the node: it is not back for them.
fn is_apart(causes: &[Cause<'_>]) -> bool {
    causes.iter().any(|cause| match cause {
        Cause::Barrier(record) => record.until.is_none(),
        Cause::Gone(..) | Cause::Made(_) | Cause::Perhaps(_) => false,
    })
}

/// How its life ended before the others noticed.
fn ended_before(teller: Teller<'_>, case: &DeathCase) -> Option<Turn> {
    let gone = silences(teller, case).into_iter().find_map(|cause| match cause {
        Cause::Gone(_, turn) => Some(turn),
        Cause::Barrier(_) | Cause::Made(_) | Cause::Perhaps(_) => None,
    });
    gone.or_else(|| teller.lives(case.dead)?.at(case.at).filter(|turn| turn.life != Life::Running))
}

/// Who says why, those of this process with the same reason together, and those elsewhere.
fn causes(teller: Teller<'_>, case: &DeathCase) -> Vec<String> {
    let mut groups: Vec<(Option<DeathCause>, Whose, Vec<Addr>)> = Vec::new();
    for testimony in &case.testimonies {
        let is_ours = teller.model.nodes().get(testimony.reporter).is_some_and(Node::is_ours);
        let whose = if is_ours { Whose::Ours } else { Whose::Others };
        match groups.iter_mut().find(|(cause, those, _)| (*cause, *those) == (testimony.cause, whose)) {
            Some((.., who)) => who.push(testimony.reporter),
            None => groups.push((testimony.cause, whose, vec![testimony.reporter])),
        }
    }
    let clause = |(cause, whose, who): &(Option<DeathCause>, Whose, Vec<Addr>)| {
        let told = cause_clause(*cause, *whose, &teller.names_in_order(who), who.len());
        let because = unless_standing_tells(teller, case, who).map(|because| format!(", {because}"));
        format!("{told}{}", because.unwrap_or_default())
    };
    groups.iter().map(clause).collect()
}

/// Of a node that is down, the standing tells that: a fault that had kept these reporters from it before stands with them.
fn unless_standing_tells(teller: Teller<'_>, case: &DeathCase, who: &[Addr]) -> Option<String> {
    let is_down = case.back_at.is_none() && teller.lives(case.dead)?.turns().last()?.life != Life::Running;
    let theirs = case.testimonies.iter().filter(|testimony| who.contains(&testimony.reporter));
    let causes: Vec<Cause<'_>> = theirs.filter_map(|testimony| silence(teller, case.dead, testimony)).collect();
    teller.because(&causes).filter(|_| is_down)
}

/// Whose users did what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
}

fn cause_clause(cause: Option<DeathCause>, whose: Whose, who: &str, people: usize) -> String {
    match cause {
        Some(DeathCause::Cut) if whose == Whose::Others => format!("the link of {who} to it was cut there"),
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

fn reports(teller: Teller<'_>, case: &DeathCase) -> String {
    let seeds = reported_seeds(case);
    if seeds.is_empty() {
        return "no report to a seed was seen".to_owned();
    }
    format!("it was reported to {}", teller.names_in_order(&seeds))
}

fn reported_seeds(case: &DeathCase) -> Vec<Addr> {
    let mut seeds: Vec<Addr> = Vec::new();
    for seed in case.testimonies.iter().flat_map(|testimony| &testimony.seeds) {
        if !seeds.contains(seed) {
            seeds.push(*seed);
        }
    }
    seeds
}

/// Nodes of ours that have a link to it and heard from it since it was called dead; of one that was down and is back
/// that is nothing to tell.
fn heard_since<'a>(teller: Teller<'a>, case: &'a DeathCase) -> impl Iterator<Item = (Addr, Time)> {
    let is_back = case.back_at.is_some() && !is_apart(&silences(teller, case));
    let links = teller.model.links().up().filter(move |link| !is_back && link.key.peer == case.dead);
    links.filter_map(|link| Some((link.key.node, link.last_heard.filter(|at| *at > case.at)?)))
}

fn disagreement(teller: Teller<'_>, case: &DeathCase) -> Option<String> {
    let heard: Vec<Addr> = heard_since(teller, case).map(|(node, _)| node).collect();
    if heard.is_empty() || case.back_at.is_some() {
        return None;
    }
    let disagrees = if heard.len() == 1 { "disagrees" } else { "disagree" };
    Some(format!("{} {disagrees}: the link is up, and it was heard from since", teller.names_in_order(&heard)))
}

/// What the evidence does not settle.
fn doubts(case: &DeathCase, node: Option<&Node>) -> Option<String> {
    let is_elsewhere = node.is_none_or(|node| !node.is_ours());
    let is_open = is_elsewhere && !case.is_disputed() && case.back_at.is_none();
    is_open.then(|| {
        let doubt =
            if case.is_cut_only() { "the process itself may be alive" } else { "whether it runs is not certain" };
        doubt.to_owned()
    })
}

fn testimony_lines(teller: Teller<'_>, testimony: &Testimony) -> Vec<Evidence> {
    let who = teller.name(testimony.reporter);
    let mut lines = Vec::new();
    if let Some(at) = testimony.last_heard {
        lines.push(Evidence::at(at, format!("{who} last heard from it")));
    }
    lines.extend(testimony.missed.iter().flat_map(|miss| miss_lines(&who, miss)));
    if let Some(at) = testimony.declared_at {
        let cause = testimony.cause.map_or_else(|| "not certain why".to_owned(), |cause| cause.to_string());
        lines.push(Evidence::at(at, format!("{who} declared it dead: {cause}")));
    }
    if let Some(at) = testimony.reported_at {
        let to = match testimony.seeds.as_slice() {
            [] => "no seed: it is registered with none".to_owned(),
            seeds => teller.names_in_order(seeds),
        };
        lines.push(Evidence::at(at, format!("{who} reported it to {to}")));
    }
    lines
}

/// A probe and that it was not answered.
pub(super) fn miss_lines(who: &str, miss: &Miss) -> Vec<Evidence> {
    let Miss { seq, misses, limit, .. } = *miss;
    let waited = miss.sent_at.map(|sent| span_text(miss.missed_at.since(sent)));
    let after = waited.map_or_else(|| "when it was sent is not certain".to_owned(), |span| format!("after {span}"));
    let missed = Evidence::at(miss.missed_at, format!("{who}: no answer to probe {seq} {after} ({misses}/{limit})"));
    let sent = miss.sent_at.map(|at: Time| Evidence::at(at, format!("{who} sent it probe {seq}")));
    sent.into_iter().chain([missed]).collect()
}

/// As in the answer to why a node is dead, with the name of the node.
pub(super) fn step_line_of(teller: Teller<'_>, dead: Addr, step: &SeedStep) -> Evidence {
    let line = step_line(teller, step);
    Evidence { text: format!("{}: {}", teller.name(dead), line.text), ..line }
}

fn step_line(teller: Teller<'_>, step: &SeedStep) -> Evidence {
    let seed = teller.name(step.seed);
    let text = match step.act {
        SeedAct::Received { reporter, action, .. } => {
            format!("{seed} got the report of {}: {}", teller.name(reporter), action_text(action))
        }
        SeedAct::NoAnswer => format!("{seed} asked it and had no answer"),
        SeedAct::Disputed { reporter, rtt_us } => {
            let (reporter, after) = (teller.name(reporter), micros(rtt_us));
            format!("{seed} asked it and had an answer after {after}: the report of {reporter} is disputed")
        }
        SeedAct::Delisted { reason } => {
            let why = delisted(reason, &|addr| teller.name(addr));
            format!("{seed} took it off its list: {why}")
        }
        SeedAct::Relisted => format!("{seed} put it on its list again"),
    };
    Evidence::at(step.at, text)
}

fn micros(micros: u64) -> String {
    span_text(std::time::Duration::from_micros(micros))
}
