//! The history of a connection.

use super::{Evidence, Explanation, Teller, in_order};
use crate::event::{Direction, Purpose};
use crate::model::Model;
use crate::model::link::{Link, LinkState, Step, StepKind};
use crate::model::sentence::{end_text, refused};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::text::Escaped;

/// What happened between these two nodes, as each of them that is ours tells it.
pub fn why_link(model: &Model, a: Addr, b: Addr, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let title = format!("{} and {}", teller.name(a), teller.name(b));
    let rows: Vec<_> = [model.links().get(a, b), model.links().get(b, a)].into_iter().flatten().collect();
    let mut evidence: Vec<Evidence> = rows.iter().flat_map(|link| lines(teller, link)).collect();
    evidence.extend(teller.faults_between(a, b));
    let verdict = match rows.first() {
        None => format!("There never was a link between {} and {}.", teller.name(a), teller.name(b)),
        Some(link) => verdict(teller, link),
    };
    Explanation { title, verdict, evidence: in_order(evidence) }
}

fn verdict(teller: Teller<'_>, link: &Link) -> String {
    let (node, peer, since) = (teller.name(link.key.node), teller.name(link.key.peer), teller.clock(link.since));
    match link.state {
        LinkState::Up => format!("{} since {since}: {}.", standing(&node, &peer, link), health(teller, link)),
        LinkState::Dialing => format!("{node} has been dialing {peer} since {since}."),
        LinkState::Ended => match link.history.back() {
            Some(step) => {
                let told = step_text(&node, &peer, step);
                let last = told.strip_prefix(&format!("{node}: ")).unwrap_or(&told);
                format!("{node} has no link to {peer} since {since}: {last}.")
            }
            None => format!("{node} has no link to {peer}; why is not certain."),
        },
    }
}

fn standing(node: &str, peer: &str, link: &Link) -> String {
    match (link.purpose, link.direction) {
        (Purpose::Registration, Direction::Outbound) => format!("{node} is registered with {peer}"),
        (Purpose::Registration, Direction::Inbound) => format!("{peer} is registered with {node}"),
        (Purpose::Neighbor, Direction::Outbound) => format!("{node} is linked to {peer}, which it dialled,"),
        (Purpose::Neighbor, Direction::Inbound) => format!("{node} is linked to {peer}, which dialled it,"),
    }
}

fn health(teller: Teller<'_>, link: &Link) -> String {
    if link.misses > 0 {
        let heard = link.last_heard.map_or_else(|| "never".to_owned(), |at| teller.clock(at));
        let misses = count_text(u64::from(link.misses), "probe");
        return format!("{misses} of {} unanswered, last heard at {heard}", link.limit);
    }
    match link.rtt_us {
        Some(rtt_us) => format!("the last probe was answered after {}", micros(rtt_us)),
        None => "no probe was answered yet, none missed".to_owned(),
    }
}

fn lines(teller: Teller<'_>, link: &Link) -> Vec<Evidence> {
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    let told = |step: &Step| Evidence::at(step.at, step_text(&node, &peer, step));
    let mut lines: Vec<_> = link.history.iter().map(told).collect();
    if link.forgotten > 0 {
        let earlier = count_text(link.forgotten, "earlier step");
        lines.push(Evidence::now(format!("{earlier} of {node} not kept")));
    }
    lines
}

fn step_text(node: &str, peer: &str, step: &Step) -> String {
    match &step.what {
        StepKind::Dialing => format!("{node} dialled {peer}"),
        StepKind::DialFailed { error, retry_at } => {
            let next = retry_at.map_or_else(
                || "not to be tried again by itself".to_owned(),
                |at| format!("next try after {}", span_text(at.since(step.at))),
            );
            format!("{node} could not connect to {peer}: {}; {next}", Escaped(error.as_bytes()))
        }
        StepKind::Refused { by, reason } => format!("{node}: {}", refused(peer, *by, *reason)),
        StepKind::NotAccepted { until } => {
            let wait = span_text(until.since(step.at));
            format!("{node} heard nothing from {peer}: not accepted; dialled no more for {wait}")
        }
        StepKind::HandshakeFailed => format!("{node}: the connection ended before {peer} had named itself"),
        StepKind::Violation { rule } => format!("{node}: {peer} broke the protocol: {rule}"),
        StepKind::OtherDialect { speaks } => format!("{node}: {peer} speaks the {speaks} dialect"),
        StepKind::Up { direction: Direction::Inbound } => format!("{node}: link up, {peer} had dialled"),
        StepKind::Up { direction: Direction::Outbound } => format!("{node}: link up, {node} had dialled"),
        StepKind::Down { end } => format!("{node}: link down, {}", end_text(*end)),
        StepKind::Dropped => format!("{peer} dropped the link while {node} hung"),
        StepKind::NodeStopped => format!("{node} stopped, and its links with it"),
    }
}

fn micros(micros: u64) -> String {
    span_text(std::time::Duration::from_micros(micros))
}
