//! Why there is a warning.

use std::time::Duration;

use super::death::{question_of, reason_of};
use super::ending::{LinkLoss, one_by_link};
use super::{
    EvidenceLine, EvidenceSource, Explainer, Explanation, SourceKind, about_message, about_node, in_order, is_known,
    why_link, why_not, why_seed,
};
use crate::event::Event;
use crate::model::Model;
use crate::model::cause::{self, Question, reason};
use crate::model::death::{DeathCase, dispute};
use crate::model::graph::Graph;
use crate::model::rumor::Forgery;
use crate::model::warning::{Finding, Warning};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Role};
use crate::proto::time::Time;

/// Links that an answer names.
const LINKS_MAX: usize = 12;

/// Why there is this warning, as far as is known now.
pub fn why_warning(model: &Model, warning: &Warning, now: Time, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let finding = &warning.finding;
    let mut why = match finding {
        Finding::Alone { node } => about_node(model, *node, utc_offset_s),
        Finding::NoSeed { seeds, .. } => no_seed(explainer, seeds),
        Finding::Parted { parts } => parted(explainer, warning, parts),
        Finding::Fragile { nodes, links } => fragile(explainer, nodes, links),
        Finding::SeedList { seed, .. } => why_seed(model, *seed, now, utc_offset_s),
        Finding::Flapping { node, .. } => flapping(explainer, *node),
        Finding::OneWay { link } => why_link(model, link.node, link.peer, utc_offset_s),
        Finding::Unreached { latest, lacking, .. } => match lacking.first() {
            Some(node) => why_not(model, *node, *latest, utc_offset_s),
            None => about_message(model, *latest, utc_offset_s),
        },
        Finding::Disputed { reporter, .. } => disputed(explainer, *reporter),
        Finding::Forged { latest, .. } => forged(explainer, latest.origin),
        Finding::Eclipsed { node, joiners, .. } => eclipsed(explainer, *node, joiners),
    };
    let text = model.warning_text(finding);
    let when = match warning.gone_at {
        None => {
            format!(
                "warned of since {}, for {} now",
                explainer.clock(warning.since),
                span_text(now.since(warning.since))
            )
        }
        Some(gone_at) => format!("it was so from {} to {}", explainer.clock(warning.since), explainer.clock(gone_at)),
    };
    why.evidence.insert(0, EvidenceLine::now(format!("{text}: {when}")));
    why
}

fn no_seed(explainer: Explainer<'_>, seeds: &[Addr]) -> Explanation {
    let (model, utc_offset_s) = (explainer.model, explainer.utc_offset_s);
    let peers = model.nodes().iter().filter(|node| node.runs() && node.role == Some(Role::Peer));
    let attempts = peers.flat_map(|peer| seeds.iter().map(move |seed| (peer.addr, *seed))).take(LINKS_MAX);
    let attempts = attempts.map(|(peer, seed)| EvidenceLine::now(why_link(model, peer, seed, utc_offset_s).verdict));
    let reason = reason(model, &Question::NoSeed);
    let because = explainer.because(&reason);
    let because = because.map_or_else(String::new, |because| format!("No peer reaches a seed {because}. "));
    let verdict = format!(
        "{because}Peers find each other by the lists of seeds, and report deaths to them. The links that stand stay, and \
         messages spread over them; but nobody new can join, a peer that loses its neighbors finds no others, and no \
         death is recorded. The peers go on trying, so it is enough to start a seed."
    );
    let title = "Why is no seed reachable?".to_owned();
    let rests_on = vec![Question::NoSeed];
    Explanation { title, verdict, is_certain: is_known(&reason), evidence: attempts.collect(), table: None, rests_on }
}

fn parted(explainer: Explainer<'_>, warning: &Warning, parts: &[Vec<Addr>]) -> Explanation {
    let side = |addr: Addr| parts.iter().position(|part| part.contains(&addr));
    let crosses = |a: Addr, b: Addr| matches!((side(a), side(b)), (Some(a), Some(b)) if a != b);
    let mut evidence: Vec<EvidenceLine> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let (count, names) = (count_text(part.len() as u64, "node"), explainer.all_names(part));
        evidence.push(EvidenceLine::now(format!("part {}, {count}: {names}", number + 1)));
    }
    let lost = losses(explainer, crosses);
    let parted_by = warning.since + Duration::from_secs(1);
    let latest = lost.iter().find(|lost| lost.step.at <= parted_by).or(lost.first());
    let verdict = match latest {
        Some(lost) => format!("no link joins the parts; the last one that did, {}", lost.text(explainer)),
        None => "no link ever joined these parts, as far as is known here".to_owned(),
    };
    evidence.extend(lost.iter().take(LINKS_MAX).map(|lost| {
        let source = EvidenceSource::of_step(lost.link.key, lost.step);
        EvidenceLine::at(lost.step.at, format!("link {}", lost.text(explainer))).resting_on(source)
    }));
    let count = count_text(parts.len() as u64, "part");
    let reason = cause::parted_by(explainer.model, parts);
    let because = explainer.because(&reason);
    let because = because.map_or_else(String::new, |because| format!(" {because}"));
    let verdict = format!("The overlay is in {count}{because}: {verdict}.");
    let title = "Why is the overlay in parts?".to_owned();
    let rests_on = vec![Question::Parted];
    Explanation { title, verdict, is_certain: is_known(&reason), evidence: in_order(evidence), table: None, rests_on }
}

/// The losses of links between these pairs, latest first.
fn losses(explainer: Explainer<'_>, wanted: impl Fn(Addr, Addr) -> bool) -> Vec<LinkLoss<'_>> {
    let model = explainer.model;
    let links = model.links().iter().filter(|link| !link.is_up() && wanted(link.key.node, link.key.peer));
    one_by_link(links.filter_map(|link| LinkLoss::last(link, model.now())).collect())
}

fn fragile(explainer: Explainer<'_>, nodes: &[Addr], links: &[(Addr, Addr)]) -> Explanation {
    let graph = explainer.model.overlay().with_one_elsewhere();
    let whole = graph.parts().len();
    let mut evidence = Vec::new();
    for node in nodes {
        evidence.extend(apart(explainer, &explainer.name(*node), &graph.without(*node), whole));
    }
    for (a, b) in links {
        let link = format!("the link {} - {}", explainer.name(*a), explainer.name(*b));
        evidence.extend(apart(explainer, &link, &graph.without_link(*a, *b), whole));
    }
    let verdict = if evidence.is_empty() {
        "No single node or link would part the overlay any more.".to_owned()
    } else {
        "Each of these holds the overlay together alone: were it lost, messages would not come to all until the overlay \
         has repaired itself."
            .to_owned()
    };
    let title = "What would part the overlay?".to_owned();
    Explanation { title, verdict, is_certain: true, evidence, table: None, rests_on: Vec::new() }
}

/// Which nodes would lose each other without this.
fn apart(explainer: Explainer<'_>, what: &str, rest: &Graph, whole: usize) -> Option<EvidenceLine> {
    let parts = rest.parts();
    if parts.len() <= whole {
        return None;
    }
    let smaller: Vec<String> = parts.iter().skip(1).map(|part| explainer.names(part)).collect();
    Some(EvidenceLine::now(format!("without {what}: {} would be apart from the other nodes", smaller.join("; "))))
}

fn flapping(explainer: Explainer<'_>, node: Addr) -> Explanation {
    let mut why = super::about_node(explainer.model, node, explainer.utc_offset_s);
    let name = explainer.name(node);
    let Some(known) = explainer.model.nodes().get(node) else { return why };
    why.evidence.extend(
        known
            .comebacks()
            .iter()
            .map(|at| EvidenceLine::at(*at, format!("{name} came back")).told_by_any(SourceKind::Heard(node))),
    );
    why.evidence = in_order(std::mem::take(&mut why.evidence));
    why
}

fn disputed(explainer: Explainer<'_>, reporter: Addr) -> Explanation {
    let name = explainer.name(reporter);
    let (mut told, mut evidence, mut rests_on) = (Vec::new(), Vec::new(), Vec::new());
    for (_, case) in explainer.model.deaths().cases() {
        let answers = answers(explainer, case, reporter);
        if !answers.is_empty() {
            told.push(disputed_report(explainer, case, reporter, &answers));
            evidence.extend(answers.into_iter().map(|(_, line)| line));
            evidence.extend(explainer.faults_between(reporter, case.dead));
            evidence.extend(explainer.turns(case.dead));
            let of_reporter = case.evidence.iter().filter(|told| told.reporter == reporter);
            rests_on.extend(of_reporter.filter_map(|told| question_of(case.dead, told)));
        }
    }
    let verdict = match told.split_last() {
        None => format!("{name} reported a node that then answered; which is no longer known."),
        Some((latest, [])) => format!("{name} {latest}."),
        Some((latest, earlier)) => {
            let earlier = count_text(earlier.len() as u64, "report");
            format!("{name} {latest}; {earlier} of it before that turned out false, too.")
        }
    };
    let title = format!("Is {name} to be believed?");
    Explanation { title, verdict, is_certain: !told.is_empty(), evidence: in_order(evidence), table: None, rests_on }
}

fn forged(explainer: Explainer<'_>, victim: Addr) -> Explanation {
    let name = explainer.name(victim);
    let forgeries = explainer.model.forgeries().iter().filter(|(_, forgery)| forgery.id.origin == victim);
    let line = |forgery: &Forgery| {
        let from = explainer.name(forgery.from);
        EvidenceLine::at(forgery.at, format!("{name} got {name}{} from {from} and had not sent it", forgery.id))
            .told_by(victim, SourceKind::Copy(forgery.id))
    };
    let evidence = forgeries.map(|(_, forgery)| line(forgery)).collect();
    let verdict = format!(
        "{name} got messages in its own name that it never sent. Nodes forward what they get, so a neighbor that brought \
         one need not have made it. {name} dropped them and began a new run, so that its next message reaches everyone; \
         others took a forged message for one of {name}."
    );
    let title = format!("Who speaks for {name}?");
    Explanation { title, verdict, is_certain: true, evidence: in_order(evidence), table: None, rests_on: Vec::new() }
}

fn eclipsed(explainer: Explainer<'_>, node: Addr, joiners: &[Addr]) -> Explanation {
    let name = explainer.name(node);
    let line = |joiner: &Addr| {
        let link = explainer.model.links().get(node, *joiner)?;
        let joined = EvidenceLine::at(link.since, format!("{} joined {name}", explainer.name(*joiner)));
        Some(joined.told_by(node, SourceKind::Link(*joiner)))
    };
    let evidence = joiners.iter().filter_map(line).collect();
    let verdict = format!(
        "Each of these said that it had no neighbor, and {name} took it although it was full. In a network that grows fast \
         that is so for a while; if it stays, somebody may want to decide what {name} gets to hear. {name} keeps the two \
         newest links that it dialed itself, and gives up no more than one neighbor a liveness interval. --allow limits \
         whose links it takes."
    );
    let title = format!("Who are the neighbors of {name}?");
    Explanation { title, verdict, is_certain: true, evidence: in_order(evidence), table: None, rests_on: Vec::new() }
}

/// Which seeds got an answer from a node that this reporter had declared dead.
fn answers(explainer: Explainer<'_>, case: &DeathCase, reporter: Addr) -> Vec<(Addr, EvidenceLine)> {
    let answer = |step: &Event| {
        let (_, rtt_us) = dispute(step).filter(|(told, _)| *told == reporter)?;
        let (seed, dead) = (explainer.name(step.node), explainer.name(case.dead));
        let after = super::micros(rtt_us);
        let line = EvidenceLine::at(step.at, format!("{seed} asked {dead}, which answered after {after}"));
        Some((step.node, line.resting_on(EvidenceSource::of_seed_step(case.dead, step))))
    };
    case.steps.iter().filter_map(answer).collect()
}

/// `reported p2 dead, because of 'cut p1 p2' since 03:13:02, and p2 answered s1 and s2`.
fn disputed_report(
    explainer: Explainer<'_>,
    case: &DeathCase,
    reporter: Addr,
    answers: &[(Addr, EvidenceLine)],
) -> String {
    let dead = explainer.name(case.dead);
    let mut seeds: Vec<Addr> = answers.iter().map(|(seed, _)| *seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let reason = case.evidence.iter().find(|told| told.reporter == reporter).and_then(|told| {
        if told.cause == Some(DeathCause::Lie) {
            return Some(" on purpose, as the user told it to".to_owned());
        }
        explainer.because(&reason_of(explainer, case.dead, told)).map(|because| format!(" {because}"))
    });
    let reason = reason.unwrap_or_default();
    format!("reported {dead} dead{reason}, and {dead} answered {}", explainer.names_in_order(&seeds))
}
