//! What ran, the overlay and the nodes.

use maud::{Markup, html};

use super::{figure, folded, plots};
use crate::event::{Methods, Pace};
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::theory::Detector;
use crate::model::words::count_text;
use crate::proto::config::Overlay;
use crate::proto::message::{Dialect, Role};
use crate::session::journal::{JournalEnd, RecordedSource};
use crate::session::lines::stamp;
use crate::session::report::SessionReport;
use crate::session::report::overlay::{BLIP, Parting};
use crate::session::report::words::{exact_span, moment};

/// Nodes in the table.
const NODES_MAX: usize = 1_000;
/// Names of one side.
const NAMES_MAX: usize = 24;

/// `2026-11-22 03:13:02, for 8 h`.
pub(super) fn when(report: &SessionReport) -> String {
    let text = |at| stamp(at, report.utc_offset_s()).chars().take("2026-11-22 03:13:02".len()).collect::<String>();
    let ended = match report.end {
        Some(JournalEnd::Closed(Some(ended))) => format!("; ended: {}", ended.text()),
        Some(JournalEnd::Closed(None) | JournalEnd::Open) | None => String::new(),
    };
    format!("{} to {}{ended}", text(report.first), text(report.last))
}

/// `UTC+05:30`.
pub(super) fn zone(report: &SessionReport) -> String {
    let (sign, s) = (if report.utc_offset_s() < 0 { '-' } else { '+' }, report.utc_offset_s().unsigned_abs());
    if s == 0 { "UTC".to_owned() } else { format!("UTC{sign}{:02}:{:02}", s / 3_600, s / 60 % 60) }
}

/// How a group of nodes works.
pub(super) type NodeSetup = (Option<Role>, Option<Dialect>, Option<Pace>, Methods);

pub(super) fn setups(report: &SessionReport) -> Vec<(NodeSetup, Vec<&NodeRecord>)> {
    let mut setups: Vec<(NodeSetup, Vec<&NodeRecord>)> = Vec::new();
    for node in report.model.nodes().iter().filter(|node| node.is_ours()) {
        let setup = (node.role, node.dialect, node.pace, node.methods);
        match setups.iter_mut().find(|(known, _)| *known == setup) {
            Some((_, nodes)) => nodes.push(node),
            None => setups.push((setup, vec![node])),
        }
    }
    setups
}

pub(super) fn ran(report: &SessionReport) -> Markup {
    html! {
        section id="ran" {
            h2 { "What ran" }
            @if let Some(lab) = report.header.lab {
                p { "It began with a lab of " (count_text(lab.seeds as u64, "seed")) " and " (count_text(lab.peers as u64, "peer")) "." }
            }
            @if let Some(scenario) = &report.header.scenario {
                p { "The scenario " a href="#scenario" { span.mono { (scenario) } } " was played." }
            }
            @for source in &report.header.merged {
                p.small { "Merged from " span.mono { (source.session) } ", whose clock was " (ahead_text(source)) "." }
            }
            div.scroll { table {
                thead { tr { th { "Nodes" } th { "Dialect" } th { "Gossip" } th { "Liveness" } th { "Methods" } } }
                @for ((role, dialect, pace, methods), nodes) in setups(report) {
                    tr {
                        td.name { (role_text(role, nodes.len())) ": " (report.model.names_in_order(nodes.iter().map(|node| node.addr), 6)) }
                        td { (dialect.map_or("-".to_owned(), |dialect| dialect.to_string())) }
                        td { (gossip_text(role, pace)) }
                        td { (liveness_text(role, pace)) }
                        td { (methods_text(role, methods)) }
                    }
                }
            } }
        }
    }
}

/// `1.2 ms ahead of the first one's, give or take 300 us`.
fn ahead_text(source: &RecordedSource) -> String {
    let span = |us| exact_span(std::time::Duration::from_micros(us));
    let way = if source.ahead_us < 0 { "behind" } else { "ahead of" };
    let uncertain = match source.uncertain_us {
        Some(us) => format!("give or take {}", span(us)),
        None => "how exactly is not known".to_owned(),
    };
    format!("{} {way} the first one's, {uncertain}", span(source.ahead_us.unsigned_abs()))
}

fn role_text(role: Option<Role>, nodes: usize) -> String {
    count_text(nodes as u64, &role.map_or("node".to_owned(), |role| role.to_string()))
}

fn gossip_text(role: Option<Role>, pace: Option<Pace>) -> String {
    match (role, pace) {
        (Some(Role::Peer), Some(pace)) => {
            format!("a message every {}", exact_span(std::time::Duration::from_micros(pace.gossip_interval_us)))
        }
        (Some(Role::Peer | Role::Seed) | None, _) => "-".to_owned(),
    }
}

fn liveness_text(role: Option<Role>, pace: Option<Pace>) -> String {
    let Some(pace) = pace else { return "-".to_owned() };
    let every = exact_span(std::time::Duration::from_micros(pace.liveness_interval_us));
    match role {
        Some(Role::Seed) => format!("interval {every}"),
        Some(Role::Peer) | None => {
            format!("a probe every {every}, dead after {}", misses_text(pace.liveness_misses))
        }
    }
}

fn misses_text(misses: u32) -> String {
    if misses == 1 { "1 miss".to_owned() } else { format!("{misses} misses in a row") }
}

fn methods_text(role: Option<Role>, methods: Methods) -> String {
    if role != Some(Role::Peer) {
        return "-".to_owned();
    }
    let overlay = match methods.overlay {
        Overlay::Assignment { make_room: true } => "assignment",
        Overlay::Assignment { make_room: false } => "assignment, refusing joiners",
    };
    let detector = match methods.detector {
        Detector::Ping => "ping",
    };
    format!("{}; overlay {overlay}; detector {detector}", methods.strategy.word())
}

pub(super) fn overlay(report: &SessionReport) -> Markup {
    let figures = &report.overlay;
    let peers = figures.degrees.len();
    let caption = html! { "Peers by their number of links, at the end, before the nodes left." };
    html! {
        section id="overlay" {
            h2 { "Overlay" }
            p {
                "At the end: " (count_text(peers as u64, "running peer")) ", " (count_text(figures.links as u64, "link"))
                " between peers, " (degree_text(report)) (count_text(figures.parts as u64, "part")) "."
                @if let Some(at) = figures.whole_since {
                    " It first was one part " (exact_span(at.since(report.first))) " after the session began."
                } @else { " It never was one part." }
            }
            @if !figures.degrees.is_empty() {
                div.halves {
                    (figure(plots::degrees(report), "", &caption))
                    (partings(report))
                }
            } @else { (partings(report)) }
        }
    }
}

fn degree_text(report: &SessionReport) -> String {
    let degrees = || report.overlay.degrees.iter().map(|(_, degree)| *degree);
    match (degrees().min(), degrees().max()) {
        (Some(least), Some(most)) => format!("{least} to {most} links a peer, "),
        (Some(_) | None, _) => String::new(),
    }
}

fn partings(report: &SessionReport) -> Markup {
    let figures = &report.overlay;
    let table = html! {
        div.scroll { table {
            thead { tr { th { "From" } th { "To" } th { "Parts" } th.num { "Healed" } } }
            @for parting in &figures.partings { (parting_row(report, parting)) }
        } }
    };
    html! {
        div {
            h3 { "When it was in parts" }
            @if figures.partings.is_empty() { p { "Never, once it was whole." } }
            @else {
                (folded(figures.partings.len(), &format!("All partings: {}", figures.partings.len()), &table))
                p.soft.small {
                    "Healed: how long after the end of the fault that had parted it. Times are exact to 0.1 s. Theory \
                    predicts that it becomes one part again, not when."
                }
            }
            @if figures.more > 0 { p.soft.small { "And " (count_text(figures.more, "later parting")) "." } }
            @if figures.blips > 0 {
                p.soft.small { (count_text(figures.blips, "parting")) " of less than " (exact_span(BLIP)) " not shown." }
            }
        }
    }
}

fn parting_row(report: &SessionReport, parting: &Parting) -> Markup {
    let utc = report.utc_offset_s();
    let healed = crate::session::report::episodes::healed_fault(&report.model, parting);
    html! {
        tr {
            td.time.mono { (moment(parting.from, utc)) }
            td.time.mono { (parting.until.map_or("the end".to_owned(), |until| moment(until, utc))) }
            td.name {
                @for (nth, part) in parting.parts.iter().enumerate() {
                    @if nth > 0 { " | " }
                    (report.model.names_in_order(part.iter().copied(), NAMES_MAX))
                }
            }
            td.num.time { (healed.map_or("-".to_owned(), |(_, took)| format!("after {}", exact_span(took)))) }
        }
    }
}

pub(super) fn nodes(report: &SessionReport) -> Markup {
    let ours: Vec<&NodeRecord> = report.model.nodes().iter().filter(|node| node.is_ours()).collect();
    let rows = ours.len().min(NODES_MAX);
    let table = html! {
        div.scroll { table {
            thead { tr {
                th { "Node" } th { "Address" } th { "State" } th.num { "Links" } th.num { "Generated" }
                th.num { "Received" } th.num { "Further copies" } th.num { "Probes answered" } th.num { "Missed" }
                th.num { "Starts" }
            } }
            @for node in &ours[..rows] { (node_row(report, node)) }
        } }
        @if ours.len() > rows { p.soft.small { "And " (count_text((ours.len() - rows) as u64, "more node")) "." } }
    };
    html! {
        section id="nodes" {
            h2 { "Nodes" }
            (folded(rows, &format!("All nodes of this process: {rows}"), &table))
            p.soft.small { "Counts are of the whole session; the state is that at the end, before the nodes left." }
        }
    }
}

fn node_row(report: &SessionReport, node: &NodeRecord) -> Markup {
    let counters = node.counters;
    let links = if node.role == Some(Role::Seed) { node.registrations } else { node.neighbors };
    html! {
        tr {
            td.name { (report.model.name_of(node.addr)) }
            td.mono.time { (node.addr) }
            td { (state_text(node.state())) }
            td.num { (links) }
            td.num { (counters.generated) }
            td.num { (counters.received) }
            td.num { (counters.duplicates) }
            td.num { (counters.probes_answered) }
            td.num { (counters.probes_missed) }
            td.num { (node.starts) }
        }
    }
}

const fn state_text(state: ObservedState) -> &'static str {
    crate::session::overlay::state_name(state)
}
