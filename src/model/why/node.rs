//! What is known about a node.

use std::time::Duration;

use super::link::{miss_lines, step_line, why_link};
use super::past::{lies_told, past_lines};
use super::{EvidenceLine, Explainer, Explanation, SourceKind, in_order, is_known};
use crate::event::{EventKind, LinkEvent, NodeState, Purpose, RepairReason, Side};
use crate::model::Model;
use crate::model::cause::{Question, Reason, reason, silence};
use crate::model::fault::FaultRecord;
use crate::model::link::{LinkHistory, LinkStep};
use crate::model::node::{Contact, NodeRecord, ObservedState};
use crate::model::seed::SeedView;
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::fault::Scope;
use crate::proto::message::{RefusalReason, Role};

/// Partitions and cuts that an answer about a node names; all are in the evidence.
const BARRIERS_MAX: usize = 3;
/// How long an answer still mentions that a node was suspect or declared dead.
const DOUBT_TOLD_FOR: Duration = Duration::from_secs(60);

/// What is known about this node: its state, its links, what it did, who doubts it.
pub fn about_node(model: &Model, addr: Addr, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let Some(node) = model.nodes().get(addr) else {
        let title = explainer.name(addr);
        let verdict = format!("Nothing is known of {title}.");
        return Explanation::unknown(title, verdict);
    };
    let mut evidence = links(explainer, node);
    evidence.extend(contact(explainer, node));
    evidence.extend(explainer.faults(model.faults().iter().filter(|record| concerns(record, addr))));
    evidence.extend(seeds(explainer, node));
    evidence.extend(work(node));
    evidence.extend(doubts(explainer, node));
    evidence.extend(heard_by_others(explainer, node));
    evidence.extend(attempts(explainer, node));
    evidence.extend(disputes(explainer, node));
    evidence.extend(past_lines(explainer, addr));
    let links = format!("{}{}", connection(explainer, node), shortage(explainer, node).unwrap_or_default());
    let lies = lies_told(explainer, addr).unwrap_or_default();
    let verdict = format!("{}{}{links}{lies}", verdict(explainer, node), barriers(explainer, node));
    let is_certain = is_settled(explainer, node);
    let rests_on = is_alone(explainer, node).then_some(Question::Alone { node: addr }).into_iter().collect();
    Explanation {
        title: title(explainer, node),
        verdict,
        is_certain,
        evidence: in_order(evidence),
        table: None,
        rests_on,
    }
}

/// Its state is known, and what made it so.
fn is_settled(explainer: Explainer<'_>, node: &NodeRecord) -> bool {
    let is_known = match node.state() {
        ObservedState::Known => false,
        ObservedState::Suspect { .. } => is_silence_explained(explainer, node),
        ObservedState::Up | ObservedState::Hung | ObservedState::Dead | ObservedState::Killed | ObservedState::Left => {
            true
        }
    };
    is_known && (!is_alone(explainer, node) || is_loneliness_settled(explainer, node))
}

/// A running peer without neighbors, as far as nobody else holds its links.
fn is_alone(explainer: Explainer<'_>, node: &NodeRecord) -> bool {
    node.is_running_peer() && explainer.model.live_neighbors(node.addr).next().is_none()
}

fn is_loneliness_settled(explainer: Explainer<'_>, node: &NodeRecord) -> bool {
    match why_alone(explainer, node) {
        Reason::NotCertain(deeds) if deeds.is_empty() => {
            let why = last_tried(explainer, node).map(|link| why_link(explainer.model, node.addr, link.key.peer, 0));
            why.is_none_or(|why| why.is_certain)
        }
        reason => is_known(&reason),
    }
}

/// What was done that leaves it without a neighbor.
fn why_alone(explainer: Explainer<'_>, node: &NodeRecord) -> Reason {
    reason(explainer.model, &Question::Alone { node: node.addr })
}

/// Its link with the latest step, of those that are not up.
fn last_tried<'a>(explainer: Explainer<'a>, node: &'a NodeRecord) -> Option<&'a LinkHistory> {
    tried(explainer, node).max_by_key(|(_, step)| step.at).map(|(link, _)| link)
}

/// The state of a node, since when, and why.
pub(in crate::model) fn why_state(model: &Model, addr: Addr, utc_offset_s: i32) -> String {
    let explainer = Explainer { model, utc_offset_s };
    match model.nodes().get(addr) {
        Some(node) => verdict(explainer, node),
        None => format!("Nothing is known of {}.", explainer.name(addr)),
    }
}

fn title(explainer: Explainer<'_>, node: &NodeRecord) -> String {
    let role = node.role.map_or_else(|| "node".to_owned(), |role| role.to_string());
    match &node.name {
        Some(_) => format!("{}, {role} at {}", explainer.name(node.addr), node.addr),
        None => format!("{role} at {}", node.addr),
    }
}

fn verdict(explainer: Explainer<'_>, node: &NodeRecord) -> String {
    let (name, since) = (explainer.name(node.addr), explainer.clock(node.since));
    match node.state() {
        ObservedState::Up => up(explainer, node),
        ObservedState::Known => {
            format!("{name} was named by others; none of our nodes has a link to it, so its state is not certain.")
        }
        ObservedState::Hung => format!("{name} hangs since {since}: its sockets are open, it says nothing."),
        ObservedState::Suspect { misses, limit } => suspect(explainer, node, misses, limit),
        ObservedState::Dead => format!("{name} is taken for dead since {since}."),
        ObservedState::Killed => format!("{name} was killed at {since}."),
        ObservedState::Left => format!("{name} left politely at {since}."),
    }
}

/// The latest start of a node of ours is certain; of one elsewhere, only since when it is known
/// here. Earlier doubts are mentioned for as long as somebody may wonder about them.
fn up(explainer: Explainer<'_>, node: &NodeRecord) -> String {
    let name = explainer.name(node.addr);
    let (told, from) = if node.is_ours() {
        (format!("{name} runs in this process since {}", explainer.clock(node.life_since())), node.life_since())
    } else {
        let heard = node.contact().last_heard.map_or_else(String::new, |(at, by)| {
            format!("; {} heard from it last at {}", explainer.name(by), explainer.clock(at))
        });
        let known = format!("{name} runs elsewhere and is known here since {}", explainer.clock(node.first_seen));
        (format!("{known}{heard}"), node.first_seen)
    };
    let was_doubted = node.is_ours() && node.since > from && explainer.model.now().since(node.since) <= DOUBT_TOLD_FOR;
    let doubted =
        if was_doubted { format!("; it was doubted until {}", explainer.clock(node.since)) } else { String::new() };
    format!("{told}{doubted}.")
}

/// The fault names this node, is everywhere, or has the node on one of its sides.
fn concerns(record: &FaultRecord, node: Addr) -> bool {
    record.fault.on.names(node) || record.fault.on.is_at(node) || record.fault.is_partition()
}

/// Which of our nodes a running peer is cut off from (for a seed, the answer about its list says
/// so): `Nothing passes between it and p5: 'cut p1 p5' since 03:13:02.` Links that were cut one by
/// one are named together.
fn barriers(explainer: Explainer<'_>, node: &NodeRecord) -> String {
    let is_asked = node.state() == ObservedState::Up && node.role == Some(Role::Peer);
    let records = explainer.model.faults().iter().filter(|record| is_asked && record.stops_all());
    let (links, others): (Vec<&FaultRecord>, Vec<&FaultRecord>) =
        records.partition(|record| matches!(record.fault.on, Scope::Link(..)));
    let groups = std::iter::once(links).chain(others.into_iter().map(|record| vec![record]));
    groups.filter_map(|records| barrier(explainer, node, &records)).take(BARRIERS_MAX).collect()
}

fn barrier(explainer: Explainer<'_>, node: &NodeRecord, records: &[&FaultRecord]) -> Option<String> {
    let is_between = |record: &FaultRecord, other: Addr| record.fault.on.is_between(node.addr, other);
    let is_beyond = |other: &&NodeRecord| {
        let is_it = other.addr != node.addr && other.is_ours() && other.runs();
        is_it && records.iter().any(|record| is_between(record, other.addr))
    };
    let beyond: Vec<Addr> = explainer.model.nodes().iter().filter(is_beyond).map(|other| other.addr).collect();
    let keeps = |record: &&&FaultRecord| beyond.iter().any(|other| is_between(record, *other));
    let records: Vec<&FaultRecord> = records.iter().filter(keeps).copied().collect();
    let named = explainer.named_first(&records)?;
    Some(format!(" Nothing passes between it and {}: {named}.", explainer.names_in_order(&beyond)))
}

/// Whose probes it does not answer, and what explains that.
pub(super) fn suspect(explainer: Explainer<'_>, node: &NodeRecord, misses: u32, limit: u32) -> String {
    let (name, since) = (explainer.name(node.addr), explainer.clock(node.since));
    let by: Vec<Addr> = node.suspicions().iter().map(|suspicion| suspicion.by).collect();
    let others = if hearing(explainer, node).next().is_some() { ", while others still hear from it" } else { "" };
    let because = reason_of_silence(explainer, node).and_then(|reason| explainer.because(&reason));
    let because = because.map_or_else(String::new, |because| format!(" {because}"));
    let hung = match node.life() {
        Some(NodeState::Hangs) => format!("; it hangs since {}", explainer.clock(node.life_since())),
        None | Some(NodeState::Runs | NodeState::Left | NodeState::Killed) => String::new(),
    };
    let by = explainer.names_in_order(&by);
    let probes = unanswered(misses, limit);
    format!("{name} is suspect since {since}{because}: {by} had no answer to {probes}{others}{hung}.")
}

/// `3 probes in a row`; if fewer than make a node dead, also how many do.
fn unanswered(misses: u32, limit: u32) -> String {
    let row = if misses == 1 { "" } else { " in a row" };
    let dead = if misses < limit { format!(" ({limit} in a row count as dead)") } else { String::new() };
    format!("{}{row}{dead}", count_text(u64::from(misses), "probe"))
}

/// It is known why each of the nodes that miss its answers hears nothing.
pub(super) fn is_silence_explained(explainer: Explainer<'_>, node: &NodeRecord) -> bool {
    node.suspicions().iter().all(|suspicion| is_known(&silence(explainer.model, suspicion.by, node.addr)))
}

/// Why the nodes that miss its answers hear nothing; `None` if not all have the same reason.
fn reason_of_silence(explainer: Explainer<'_>, node: &NodeRecord) -> Option<Reason> {
    let mut reasons = node.suspicions().iter().map(|suspicion| silence(explainer.model, suspicion.by, node.addr));
    let first = reasons.next()?;
    reasons.all(|reason| reason == first).then_some(first)
}

fn links(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    let links = explainer.model.links();
    if node.is_ours() {
        let peers: Vec<_> = links.open_of(node.addr).filter(|link| link.is_up()).map(|link| link.key.peer).collect();
        return vec![linked("linked to", explainer, &peers)];
    }
    let is_ours = |link: &&LinkHistory| link.key.peer == node.addr && link.is_up();
    let ours: Vec<_> = links.iter().filter(is_ours).map(|link| link.key.node).collect();
    vec![linked("our nodes linked to it:", explainer, &ours)]
}

fn linked(what: &str, explainer: Explainer<'_>, peers: &[Addr]) -> EvidenceLine {
    let names = if peers.is_empty() { "nobody".to_owned() } else { explainer.names_in_order(peers) };
    EvidenceLine::now(format!("{what} {names}"))
}

fn seeds(explainer: Explainer<'_>, node: &NodeRecord) -> Option<EvidenceLine> {
    let seeds = explainer.model.seeds();
    if node.role == Some(Role::Seed) {
        let view = seeds.get(node.addr);
        if !node.is_ours() {
            return Some(EvidenceLine::now(list_elsewhere(explainer, view)));
        }
        let (listed, reports) = view.map_or((0, 0), |view| (view.listed.len() as u64, view.reports));
        let (listed, reports) = (count_text(listed, "peer"), count_text(reports, "report"));
        return Some(EvidenceLine::now(format!("{listed} on its list, {reports}")));
    }
    let is_our_seed = |node: &NodeRecord| node.is_ours() && node.role == Some(Role::Seed);
    if !explainer.model.nodes().iter().any(is_our_seed) {
        return None;
    }
    let runs = |seed: &Addr| explainer.model.nodes().get(*seed).is_some_and(NodeRecord::runs);
    let listing: Vec<_> = seeds.listing(node.addr).filter(runs).collect();
    let names = if listing.is_empty() { "no seed of ours".to_owned() } else { explainer.names_in_order(&listing) };
    Some(EvidenceLine::now(format!("on the list of {names}")))
}

/// The list of a seed in another process is known only as far as it sent it to a peer of ours.
fn list_elsewhere(explainer: Explainer<'_>, view: Option<&SeedView>) -> String {
    let last = view.and_then(|view| view.last_list).map_or_else(String::new, |(at, len)| {
        format!(
            "; the last one that came from it, at {}, named {}",
            explainer.clock(at),
            count_text(len as u64, "peer")
        )
    });
    format!("its list is not known here{last}")
}

fn work(node: &NodeRecord) -> Vec<EvidenceLine> {
    if !node.is_ours() {
        return Vec::new();
    }
    let did = node.counters;
    let (generated, received, duplicates) = (did.generated, did.received, did.duplicates);
    let (sent, answered, missed) = (did.probes_sent, did.probes_answered, did.probes_missed);
    let starts = (node.starts > 1).then(|| EvidenceLine::now(format!("started {} times", node.starts)));
    let gossip = format!("messages: {generated} generated, {received} received, {duplicates} further copies");
    let probes = format!("probes: {sent} sent, {answered} answered, {missed} missed");
    starts.into_iter().chain([EvidenceLine::now(gossip), EvidenceLine::now(probes)]).collect()
}

/// What a node elsewhere sent.
fn contact(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    if node.is_ours() {
        return Vec::new();
    }
    let Contact { last_heard, probes_to_it, answered, missed, probes_from_it, messages, copies } = node.contact();
    let heard = last_heard.map(|(at, by)| {
        let heard = EvidenceLine::at(at, format!("{} last heard from it", explainer.name(by)));
        heard.told_by(by, SourceKind::Heard(node.addr))
    });
    let mut lines: Vec<EvidenceLine> = heard.into_iter().collect();
    if probes_to_it + probes_from_it > 0 {
        let ours = format!("{probes_to_it} to it, {answered} answered, {missed} missed");
        lines.push(EvidenceLine::now(format!("probes: {ours}; {probes_from_it} from it")));
    }
    if messages + copies > 0 {
        let own = count_text(messages, "message");
        let copies = if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") };
        lines.push(EvidenceLine::now(format!("{own} of its own came here; it sent {copies} of all messages")));
    }
    lines
}

fn doubts(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    let mut lines = Vec::new();
    for suspicion in node.suspicions() {
        let (by, misses, limit) = (explainer.name(suspicion.by), suspicion.misses, suspicion.limit);
        lines.push(EvidenceLine::now(format!("{by} counts {misses}/{limit} missed")));
        if let Some(link) = explainer.model.links().get(suspicion.by, node.addr) {
            lines.extend(link.missed().iter().flat_map(|miss| miss_lines((suspicion.by, &by), node.addr, miss)));
            lines.extend(link.last_heard.map(|at| {
                let heard = EvidenceLine::at(at, format!("{by} last heard from it"));
                heard.told_by(suspicion.by, SourceKind::Heard(node.addr))
            }));
        }
    }
    lines
}

/// Nodes that have a link to a suspect, miss nothing, and have heard from it since it became one.
fn hearing<'a>(explainer: Explainer<'a>, node: &'a NodeRecord) -> impl Iterator<Item = &'a LinkHistory> {
    let is_suspect = !node.suspicions().is_empty();
    let hears = move |link: &&LinkHistory| link.misses == 0 && link.last_heard.is_some_and(|at| at >= node.since);
    explainer.model.links().up().filter(move |link| is_suspect && link.key.peer == node.addr && hears(link))
}

fn heard_by_others(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    let line = |link: &LinkHistory| {
        let by = explainer.name(link.key.node);
        let heard = EvidenceLine::at(link.last_heard?, format!("{by}, which misses nothing, last heard from it"));
        Some(heard.told_by(link.key.node, SourceKind::Heard(node.addr)))
    };
    hearing(explainer, node).filter_map(line).collect()
}

/// For a running peer without neighbors: why it has none.
fn connection(explainer: Explainer<'_>, node: &NodeRecord) -> String {
    if !is_alone(explainer, node) {
        return String::new();
    }
    let because = explainer.because(&why_alone(explainer, node));
    let because = because.map_or_else(String::new, |because| format!(", {because}"));
    if node.neighbors > 0 {
        let held = explainer.model.links().open_of(node.addr);
        let held: Vec<Addr> = held.filter(|link| link.is_neighbor()).map(|link| link.key.peer).collect();
        let (names, is) = (explainer.names_in_order(&held), if held.len() == 1 { "is" } else { "are" });
        return format!(" It has no live neighbor{because}: its link to {names} {is} gone at the other end.");
    }
    let why = match last_tried(explainer, node) {
        Some(link) => why_link(explainer.model, node.addr, link.key.peer, explainer.utc_offset_s).verdict,
        None if node.registrations == 0 => "It is registered with no seed that could name others.".to_owned(),
        None => "Nobody dialed it, and it dialed nobody.".to_owned(),
    };
    format!(" It has no neighbor{because}. {why}")
}

/// For a running peer with fewer neighbors than it aims for: who refused it, or could not be
/// reached.
fn shortage(explainer: Explainer<'_>, node: &NodeRecord) -> Option<String> {
    if !node.runs() || is_alone(explainer, node) {
        return None;
    }
    let notices = explainer.model.notices().iter().rev().map(|(_, notice)| notice);
    let since = notices.take_while(|notice| notice.at >= node.life_since());
    let aim = since.filter(|notice| notice.event.node == node.addr).find_map(|notice| {
        let EventKind::Link(LinkEvent::Repairing { repair: None, reason: RepairReason::TooFewLinks { want, .. } }) =
            notice.event.kind
        else {
            return None;
        };
        Some(want)
    })?;
    let have = node.neighbors;
    let kept = kept_from(explainer, node);
    let kept = if kept.is_empty() { String::new() } else { format!(": {}", kept.join("; ")) };
    let is_short = usize::try_from(have).is_ok_and(|have| have < aim);
    is_short.then(|| format!(" It aims for {aim} links and has {have}{kept}. It goes on looking for more."))
}

/// The outcomes of its last tries in this life, equal ones together.
fn kept_from(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<String> {
    let mut full = Vec::new();
    let mut refused = Vec::new();
    let mut unreached = Vec::new();
    for (link, step) in tried(explainer, node).filter(|(_, step)| step.at >= node.life_since()) {
        match step.event() {
            Some(LinkEvent::Refused { by: Side::Them, reason: RefusalReason::Full, .. }) => full.push(link.key.peer),
            Some(LinkEvent::Refused { by: Side::Them, .. }) => refused.push(link.key.peer),
            Some(LinkEvent::DialFailed { .. } | LinkEvent::NotAccepted { .. }) => unreached.push(link.key.peer),
            Some(_) | None => {}
        }
    }
    let they_take = if full.len() == 1 { "it takes" } else { "they take" };
    let told = [
        (&full, "refused by ", format!(" (as many neighbors as {they_take})")),
        (&refused, "refused by ", String::new()),
        (&unreached, "no connection to ", String::new()),
    ];
    let told = told.iter().filter(|(peers, ..)| !peers.is_empty());
    told.map(|(peers, what, why)| format!("{what}{}{why}", explainer.names_in_order(peers))).collect()
}

/// The last step of each of its links to a peer.
fn tried<'a>(explainer: Explainer<'a>, node: &'a NodeRecord) -> impl Iterator<Item = (&'a LinkHistory, &'a LinkStep)> {
    let links = explainer.model.links().of(node.addr).filter(|link| link.purpose == Purpose::Neighbor && !link.is_up());
    links.filter_map(|link| Some((link, link.steps().next_back()?)))
}

/// For a peer without neighbors: what it tried.
fn attempts(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    if !is_alone(explainer, node) {
        return Vec::new();
    }
    let line = |(link, step): (&LinkHistory, &LinkStep)| step_line(explainer, link, step);
    tried(explainer, node).map(line).collect()
}

/// Who reported it dead, though it answered a seed.
fn disputes(explainer: Explainer<'_>, node: &NodeRecord) -> Vec<EvidenceLine> {
    let case = explainer.model.deaths().latest_of(node.addr).filter(|case| case.is_disputed());
    let told = case.into_iter().flat_map(|case| &case.evidence);
    told.map(|told| EvidenceLine::now(format!("{} reported it dead: disputed", explainer.name(told.reporter))))
        .collect()
}
