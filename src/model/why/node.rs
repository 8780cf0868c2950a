//! What is known about a node.

use super::{Evidence, Explanation, Teller};
use crate::model::Model;
use crate::model::link::Link;
use crate::model::node::{Node, NodeState};
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// What is known about this node: its state, its links, what it did, who doubts it.
pub fn about_node(model: &Model, addr: Addr, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let Some(node) = model.nodes().get(addr) else {
        let title = teller.name(addr);
        return Explanation { verdict: format!("Nothing is known of {title}."), title, evidence: Vec::new() };
    };
    let mut evidence = links(teller, node);
    evidence.extend(teller.faults(model.faults().on_node(addr)));
    evidence.extend(seeds(teller, node));
    evidence.extend(work(node));
    evidence.extend(doubts(teller, node));
    evidence.extend(disputes(teller, node));
    Explanation { title: title(teller, node), verdict: verdict(teller, node), evidence }
}

fn title(teller: Teller<'_>, node: &Node) -> String {
    let role = node.role.map_or_else(|| "node".to_owned(), |role| role.to_string());
    match &node.name {
        Some(_) => format!("{}, {role} at {}", teller.name(node.addr), node.addr),
        None => format!("{role} at {}", node.addr),
    }
}

fn verdict(teller: Teller<'_>, node: &Node) -> String {
    let (name, since) = (teller.name(node.addr), teller.clock(node.since));
    let place = if node.is_ours() { "in this process" } else { "elsewhere" };
    match node.state() {
        NodeState::Up => format!("{name} runs {place} and is up since {since}."),
        NodeState::Known => {
            format!("{name} was named by others; none of our nodes has a link to it, so its state is not certain.")
        }
        NodeState::Hung => format!("{name} hangs since {since}: its sockets are open, it says nothing."),
        NodeState::Suspect { misses, limit } => {
            format!("{name} is suspect since {since}: {misses} of {limit} probes in a row unanswered.")
        }
        NodeState::Dead => format!("{name} is taken for dead since {since}."),
        NodeState::Killed => format!("{name} was killed at {since}."),
        NodeState::Left => format!("{name} left politely at {since}."),
    }
}

fn links(teller: Teller<'_>, node: &Node) -> Vec<Evidence> {
    let links = teller.model.links();
    if node.is_ours() {
        let peers: Vec<_> = links.open_of(node.addr).filter(|link| link.is_up()).map(|link| link.key.peer).collect();
        return vec![linked("linked to", teller, &peers)];
    }
    let is_ours = |link: &&Link| link.key.peer == node.addr && link.is_up();
    let ours: Vec<_> = links.iter().filter(is_ours).map(|link| link.key.node).collect();
    vec![linked("our nodes linked to it:", teller, &ours)]
}

fn linked(what: &str, teller: Teller<'_>, peers: &[Addr]) -> Evidence {
    let names = if peers.is_empty() { "nobody".to_owned() } else { teller.names(peers) };
    Evidence::now(format!("{what} {names}"))
}

fn seeds(teller: Teller<'_>, node: &Node) -> Option<Evidence> {
    let seeds = teller.model.seeds();
    if node.role == Some(Role::Seed) {
        let view = seeds.get(node.addr)?;
        let listed = count_text(view.listed.len() as u64, "peer");
        return Some(Evidence::now(format!("{listed} on its list, {}", count_text(view.reports, "report"))));
    }
    let listing: Vec<_> = seeds.listing(node.addr).collect();
    let names = if listing.is_empty() { "no seed of ours".to_owned() } else { teller.names(&listing) };
    Some(Evidence::now(format!("on the list of {names}")))
}

fn work(node: &Node) -> Vec<Evidence> {
    if !node.is_ours() {
        return Vec::new();
    }
    let did = node.counters;
    let (generated, received, duplicates) = (did.generated, did.received, did.duplicates);
    let (sent, answered, missed) = (did.probes_sent, did.probes_answered, did.probes_missed);
    let starts = (node.starts > 1).then(|| Evidence::now(format!("started {} times", node.starts)));
    let gossip = format!("messages: {generated} generated, {received} received, {duplicates} further copies");
    let probes = format!("probes: {sent} sent, {answered} answered, {missed} missed");
    starts.into_iter().chain([Evidence::now(gossip), Evidence::now(probes)]).collect()
}

fn doubts(teller: Teller<'_>, node: &Node) -> Vec<Evidence> {
    let suspect = |suspicion: &crate::model::node::Suspicion| {
        let (by, misses, limit) = (teller.name(suspicion.by), suspicion.misses, suspicion.limit);
        Evidence::now(format!("{by} counts {misses}/{limit} missed"))
    };
    node.suspicions.iter().map(suspect).collect()
}

/// Who said that it is dead, though a seed had an answer from it.
fn disputes(teller: Teller<'_>, node: &Node) -> Vec<Evidence> {
    let case = teller.model.deaths().latest_of(node.addr).filter(|case| case.is_disputed());
    let told = case.into_iter().flat_map(|case| &case.testimonies);
    told.map(|told| Evidence::now(format!("{} reported it dead: disputed", teller.name(told.reporter)))).collect()
}
