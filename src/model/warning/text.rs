//! Warnings in words.

use super::Finding;
use crate::model::words::{NameOf, count_text, list_text, span_text};
use crate::proto::addr::Addr;

/// Names that a warning lists before it says how many more there are.
const NAMES_MAX: usize = 4;

pub(super) fn text(finding: &Finding, name: NameOf<'_>) -> String {
    match finding {
        Finding::NoSeed { seeds, are_ours } => {
            format!("no seed reachable{}: {}", known(seeds, name), way_out(seeds, *are_ours, name))
        }
        Finding::Alone { node } => format!("{} has no live neighbor", name(*node)),
        Finding::Parted { parts } => {
            let sides: Vec<String> = parts.iter().map(|part| names(part, name)).collect();
            format!("the overlay is in {} parts: {}", parts.len(), sides.join(" | "))
        }
        Finding::Fragile { nodes, links } => fragile(nodes, links, name),
        Finding::SeedList { seed, gone, missing } => seed_list(&name(*seed), gone, missing, name),
        Finding::Flapping { node, times, within } => {
            format!("{} came back {times} times within {}", name(*node), span_text(*within))
        }
        Finding::OneWay { link } => {
            let (node, peer) = (name(link.node), name(link.peer));
            format!("one-way link: {node} holds a link to {peer}, and {peer} has none to {node}")
        }
        Finding::Unreached { latest, lacking, messages } => {
            let latest = format!("{}{latest}", name(latest.origin));
            let more = match messages.saturating_sub(1) {
                0 => String::new(),
                more => format!(", and {more} more of the last minute did not reach everyone"),
            };
            format!("{latest} did not reach {}{more}", names(lacking, name))
        }
        Finding::Disputed { reporter, reports } => {
            let (reporter, count) = (name(*reporter), count_text(u64::from(*reports), "report"));
            let were = if *reports == 1 { "was" } else { "were" };
            format!("{reporter} made {count} that {were} disputed: who was called dead had answered")
        }
        Finding::Eclipsed { node, joiners, neighbors } => {
            let (node, joiners) = (name(*node), joiners.len());
            format!(
                "{node} may be cut off by strangers: {joiners} of its {neighbors} neighbors joined when it was full"
            )
        }
        Finding::Forged { latest, from } => {
            let (victim, from) = (name(latest.origin), name(*from));
            format!("somebody sends messages in the name of {victim}: {victim}{latest} came from {from}")
        }
    }
}

fn known(seeds: &[Addr], name: NameOf<'_>) -> String {
    if seeds.is_empty() { String::new() } else { format!(" ({})", names(seeds, name)) }
}

/// How to get a seed.
fn way_out(seeds: &[Addr], are_ours: bool, name: NameOf<'_>) -> String {
    match seeds.first() {
        Some(seed) if are_ours => format!("restart {}", name(*seed)),
        Some(seed) if !seed.ip().is_loopback() => format!("run 'gossipctl seed' at {seed}"),
        Some(seed) => format!("run 'gossipctl seed --listen {seed}' in another terminal"),
        None => "run 'gossipctl seed' in another terminal".to_owned(),
    }
}

fn names(addrs: &[Addr], name: NameOf<'_>) -> String {
    let names: Vec<String> = addrs.iter().map(|addr| name(*addr)).collect();
    list_text(&names, NAMES_MAX)
}

fn fragile(nodes: &[Addr], links: &[(Addr, Addr)], name: NameOf<'_>) -> String {
    let pairs: Vec<String> = links.iter().map(|(a, b)| format!("{} - {}", name(*a), name(*b))).collect();
    let pairs = list_text(&pairs, NAMES_MAX);
    let any = |count: usize| if count > 1 { "any one of " } else { "" };
    let node = format!("{}{}", any(nodes.len()), names(nodes, name));
    let link = if links.len() == 1 { format!("the link {pairs}") } else { format!("any one of the links {pairs}") };
    let what = match (nodes, links) {
        (_, []) => node,
        ([], _) => link,
        (_, _) => format!("{node}, or of {link},"),
    };
    format!("the loss of {what} would part the overlay")
}

fn seed_list(seed: &str, gone: &[Addr], missing: &[Addr], name: NameOf<'_>) -> String {
    let is = |addrs: &[Addr]| if addrs.len() == 1 { "is" } else { "are" };
    let mut clauses = Vec::new();
    if !gone.is_empty() {
        clauses.push(format!("{} {} on it and not alive", names(gone, name), is(gone)));
    }
    if !missing.is_empty() {
        clauses.push(format!("{} {} registered and not on it", names(missing, name), is(missing)));
    }
    format!("the list of {seed} is wrong: {}", clauses.join("; "))
}
