//! Warnings in words.

use super::Finding;
use crate::model::sentence::NameOf;
use crate::model::words::{count_text, list_text, span_text};
use crate::proto::addr::Addr;

/// Names that a warning lists before it says how many more there are.
const NAMES_MAX: usize = 4;

pub(super) fn text(finding: &Finding, name: NameOf<'_>) -> String {
    match finding {
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
            let reports = count_text(u64::from(*reports), "report");
            format!("{reports} of {} disputed: who was called dead had answered", name(*reporter))
        }
    }
}

fn names(addrs: &[Addr], name: NameOf<'_>) -> String {
    let names: Vec<String> = addrs.iter().map(|addr| name(*addr)).collect();
    list_text(&names, NAMES_MAX)
}

fn fragile(nodes: &[Addr], links: &[(Addr, Addr)], name: NameOf<'_>) -> String {
    let pairs: Vec<String> = links.iter().map(|(a, b)| format!("{} - {}", name(*a), name(*b))).collect();
    let pairs = list_text(&pairs, NAMES_MAX);
    let what = match (nodes, links) {
        (nodes, []) => names(nodes, name),
        ([], [_]) => format!("the link {pairs}"),
        ([], _) => format!("the links {pairs}"),
        (nodes, [_]) => format!("{}, or of the link {pairs}", names(nodes, name)),
        (nodes, _) => format!("{}, or of the links {pairs}", names(nodes, name)),
    };
    let any = if nodes.len() + links.len() > 1 { "any one of " } else { "" };
    format!("the loss of {any}{what} would part the overlay")
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
