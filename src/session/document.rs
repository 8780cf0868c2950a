//! A network as one document: totals for a monitoring system, the overlay for a graph drawer, tables
//! for a text.
//!
//! It tells of the network before its nodes left at the end: what is said while they leave is not
//! counted.

use std::fmt::Write as _;

use super::journal::Header;
use super::overlay::{OverlayFormat, degree, overlay_text, role_text, state_name};
use crate::event::Event;
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::rumor::Counting;
use crate::model::words::{clock_text, count_text, span_text};
use crate::scenario::leaving::UntilLeaving;

/// Messages that the tables list, the latest.
const MESSAGES_MAX: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// The text exposition format of Prometheus.
    Prometheus,
    Overlay(OverlayFormat),
    /// Tables in Markdown.
    Markdown,
}

/// Events on their way into such a document.
#[derive(Debug)]
pub struct Document {
    format: DocumentFormat,
    model: Model,
    until: UntilLeaving,
    utc_offset_s: i32,
}

impl Document {
    /// Of a session with this header.
    pub fn new(format: DocumentFormat, header: &Header) -> Self {
        let until = UntilLeaving::new(header.precision());
        Self { format, model: Model::new().without_warnings(), until, utc_offset_s: header.utc_offset_s }
    }

    pub fn take(&mut self, event: &Event) {
        for event in self.until.take(event) {
            self.model.apply(&event);
        }
    }

    /// This many events never came.
    pub fn note_missing(&mut self, events: u64) {
        self.model.note_skipped(events);
    }

    /// The document of all that came; no more comes.
    pub fn text(&mut self) -> String {
        for event in self.until.finish() {
            self.model.apply(&event);
        }
        match self.format {
            DocumentFormat::Prometheus => prometheus(&self.model),
            DocumentFormat::Overlay(format) => overlay_text(format, &self.model),
            DocumentFormat::Markdown => markdown(&self.model, self.utc_offset_s),
        }
    }
}

fn ours(model: &Model) -> impl Iterator<Item = &NodeRecord> {
    model.nodes().iter().filter(|node| node.is_ours())
}

/// Name, type, help and value of a figure of each node.
type NodeFigure = (&'static str, &'static str, &'static str, fn(&NodeRecord) -> u64);

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
fn prometheus(model: &Model) -> String {
    let mut text = String::new();
    let totals = model.totals();
    let counters = [
        ("messages_generated", "Messages that nodes began.", totals.generated),
        ("messages_received", "First copies that came.", totals.received),
        ("messages_duplicate", "Copies after the first.", totals.duplicates),
        ("deaths_declared", "Neighbors that were taken for dead.", totals.deaths_declared),
        ("reports_disputed", "Dead reports that a seed found false.", totals.disputes),
        ("violations", "Connections on which a remote broke the protocol.", totals.violations),
        ("events", "Events of the session.", totals.events),
        ("events_skipped", "Events that were not counted.", totals.skipped),
    ];
    for (name, help, value) in counters {
        let _ = writeln!(text, "# HELP gossipctl_{name}_total {help}\n# TYPE gossipctl_{name}_total counter");
        let _ = writeln!(text, "gossipctl_{name}_total {value}");
    }
    let figures: [NodeFigure; 5] = [
        ("node_up", "gauge", "Whether the node runs and is heard from.", |node| {
            u64::from(node.state() == ObservedState::Up)
        }),
        ("node_links", "gauge", "Links to neighbors; of a seed, registered peers.", links),
        ("node_probes_answered_total", "counter", "Probes that were answered.", |node| node.counters.probes_answered),
        ("node_probes_missed_total", "counter", "Probes that were not.", |node| node.counters.probes_missed),
        ("node_messages_received_total", "counter", "First copies that came.", |node| node.counters.received),
    ];
    for (name, kind, help, figure) in figures {
        let _ = writeln!(text, "# HELP gossipctl_{name} {help}\n# TYPE gossipctl_{name} {kind}");
        for node in ours(model) {
            let labels = format!("node=\"{}\",role=\"{}\"", quoted(&model.name_of(node.addr)), role_text(node.role));
            let _ = writeln!(text, "gossipctl_{name}{{{labels}}} {}", figure(node));
        }
    }
    text
}

fn links(node: &NodeRecord) -> u64 {
    degree(node).into()
}

/// In a string of Prometheus's format.
fn quoted(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

fn markdown(model: &Model, utc_offset_s: i32) -> String {
    let mut text = format!("# A gossip network, {}\n", span_text(model.lasted()));
    if let Some(doubt) = model.doubt() {
        let _ = writeln!(text, "\nFigures are {doubt}.");
    }
    text += "\n| node | role | state | links | began | received | duplicates | probes answered | missed |\n";
    text += "|---|---|---|---:|---:|---:|---:|---:|---:|\n";
    for node in ours(model) {
        let (name, counters) = (cell(&model.name_of(node.addr)), node.counters);
        let figures = [
            links(node),
            counters.generated,
            counters.received,
            counters.duplicates,
            counters.probes_answered,
            counters.probes_missed,
        ];
        let figures = figures.map(|figure| figure.to_string()).join(" | ");
        let _ = writeln!(text, "| {name} | {} | {} | {figures} |", role_text(node.role), state_name(node.state()));
    }
    text += "\n| message | began | reached, of the peers here | copies |\n|---|---|---:|---:|\n";
    for (_, rumor) in model.rumors().ring().iter().rev().take(MESSAGES_MAX) {
        let coverage = rumor.coverage(model.nodes(), Counting::HadTime);
        let copies = rumor.copies.values().filter(|copy| copy.from.is_some()).count() as u64 + rumor.duplicates;
        let (name, began) = (cell(&model.message_name(rumor.id)), clock_text(rumor.began(), utc_offset_s));
        let _ = writeln!(text, "| {name} | {began} | {}/{} | {copies} |", coverage.have, coverage.of);
    }
    text += "\n| dead node | at | reported by | by seeds |\n|---|---|---|---|\n";
    if model.deaths().cases().is_empty() {
        text += "| none | | | |\n";
    }
    for (_, case) in model.deaths().cases() {
        let _ = writeln!(text, "| {} |", death(case, model, utc_offset_s).map(|text| cell(&text)).join(" | "));
    }
    text
}

fn death(case: &DeathCase, model: &Model, utc_offset_s: i32) -> [String; 4] {
    let removed = |seed: &crate::proto::addr::Addr| {
        let is_it = matches!(case.outcome_at(*seed), Some(crate::model::death::ReportOutcome::Removed { .. }));
        let did = if is_it { "removed it" } else { "kept it" };
        format!("{} {did}", model.name_of(*seed))
    };
    let seeds = case.seeds().iter().map(removed).collect::<Vec<_>>().join(", ");
    let by = count_text(case.evidence.len() as u64, "peer");
    [model.name_of(case.dead).into_owned(), clock_text(case.at, utc_offset_s), by, seeds]
}

/// Without what ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::time::Time;

    #[test]
    fn a_report_without_deaths_says_none() {
        let text = Document::new(DocumentFormat::Markdown, &Header::new(Time::from_micros(0), 0)).text();
        assert!(
            text.ends_with("| dead node | at | reported by | by seeds |\n|---|---|---|---|\n| none | | | |\n"),
            "{text}"
        );
    }
}
