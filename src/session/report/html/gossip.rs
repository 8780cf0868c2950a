//! Messages: coverage, distributions beside theory, and those that did not reach everybody.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use maud::{Markup, html};

use super::story::{lacked_row, us_text};
use super::{both, diagram, figure, plots};
use crate::model::words::{count_text, list_text};
use crate::session::report::SessionReport;
use crate::session::report::messages::{ASKED_MAX, EXAMPLES_MAX, Lacked, LackedMessage, MessageFigures};
use crate::session::report::words::{exact_span, moment, share_text};

/// Reasons of which the messages are shown without unfolding them.
const OPEN_REASONS_MAX: usize = 2;

pub(super) fn messages(report: &SessionReport) -> Markup {
    let figures = &report.messages;
    html! {
        section id="messages" {
            h2 { "Messages" }
            @if figures.judged == 0 {
                p { "No message was judged: none began, or none had time to spread." }
            } @else {
                p { (verdict(figures)) }
                (figure(plots::coverage(report), "wide", &coverage_caption(figures)))
                h3 { "Measured, and predicted by theory" }
                (comparison(figures))
                (distributions(report))
                (incomplete(report))
            }
        }
    }
}

fn verdict(figures: &MessageFigures) -> String {
    let MessageFigures { judged, full, under_way, unjudged, .. } = figures;
    let mut text = format!(
        "{full} of {} ({}) reached every peer that ran when they began and for 5 s after.",
        count_text(*judged, "message"),
        share_text(*full, *judged)
    );
    let forgotten = "forgotten before they could be judged: more came than are kept";
    for (count, what) in [(*under_way, "still under way at the end"), (*unjudged, forgotten)] {
        if count > 0 {
            let were = if count == 1 { "was" } else { "were" };
            let _ = write!(text, " {} {were} {what}.", count_text(count, "message"));
        }
    }
    text
}

fn coverage_caption(figures: &MessageFigures) -> Markup {
    html! {
        "Coverage by the time at which messages began, a bar for " (exact_span(figures.coverage.width())) ". "
        span.key.measured {} "share of the peers that got them, " span.key.bad {} "the message that reached least."
    }
}

fn comparison(figures: &MessageFigures) -> Markup {
    let us = |times: &Histogram<u64>, quantile: f64| match times.len() {
        0 => "-".to_owned(),
        _ => us_text(times.value_at_quantile(quantile)),
    };
    let rows = [
        ("delay of a first copy, median", us(&figures.delays_us, 0.5), us(&figures.delays_predicted_us, 0.5)),
        ("99 of 100 within", us(&figures.delays_us, 0.99), us(&figures.delays_predicted_us, 0.99)),
        ("longest", us(&figures.delays_us, 1.0), us(&figures.delays_predicted_us, 1.0)),
        ("hops of a first copy, mean", mean_hops(&figures.hops), mean_hops(&figures.hops_predicted)),
        ("hops of a first copy, most", most_hops(&figures.hops), most_hops(&figures.hops_predicted)),
        ("copies for each delivery, mean", mean(&figures.copies_percent), mean(&figures.copies_predicted_percent)),
    ];
    html! {
        div.scroll { table {
            thead { tr { th { "Figure" } th.num { "Measured" } th.num { "Predicted" } } }
            @for (what, measured, predicted) in rows {
                tr { td { (what) } td.num { (measured) } td.num { (predicted) } }
            }
        } }
        p.soft.small {
            "Flooding is predicted for the overlay as it was when each message began: hops are the distance from the \
            origin; copies are the sum of the links of all nodes without one for each delivery; the delay is the hops \
            times the median time of a hop of that message. Copies for each delivery less one is the relative \
            message redundancy (Plumtree, section 4.1)."
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean for people")]
fn mean_hops(hops: &[u64]) -> String {
    let all: u64 = hops.iter().sum();
    let sum: u64 = (0..).zip(hops).map(|(hop, count)| hop * count).sum();
    if all == 0 { "-".to_owned() } else { format!("{:.2}", sum as f64 / all as f64) }
}

fn most_hops(hops: &[u64]) -> String {
    hops.iter().rposition(|count| *count > 0).map_or("-".to_owned(), |most| most.to_string())
}

fn mean(percents: &Histogram<u64>) -> String {
    if percents.is_empty() { "-".to_owned() } else { format!("{:.2}", percents.mean() / 100.0) }
}

fn distributions(report: &SessionReport) -> Markup {
    let delays =
        html! { (both()) "Share of the first copies that had arrived, by the time since their message began." };
    let hops = html! { (both()) "First copies by the number of links that they had crossed." };
    let copies = html! { (both()) "Messages by the copies that were sent for each delivery: redundancy, and one." };
    html! {
        div.halves {
            @if !report.messages.delays_us.is_empty() { (figure(plots::delays(report), "", &delays)) }
            (figure(plots::hops(report), "", &hops))
            @if !report.messages.copies_percent.is_empty() { (figure(plots::copies(report), "", &copies)) }
        }
    }
}

fn incomplete(report: &SessionReport) -> Markup {
    let figures = &report.messages;
    html! {
        h3 { "Messages that did not reach every peer" }
        @if figures.incomplete() == 0 { p { "There was none." } }
        @else {
            p { (count_text(figures.incomplete(), "message")) ", by the reason why the peers lack them:" }
            @for (nth, lacked) in figures.reasons.iter().enumerate() { (reason(report, nth, lacked)) }
            @if figures.other_reasons > 0 {
                p.soft.small {
                    (count_text(figures.other_reasons, "more message")) " whose reason was not looked into: the page \
                    asks for " (ASKED_MAX) " messages."
                }
            }
        }
    }
}

fn reason(report: &SessionReport, nth: usize, lacked: &Lacked) -> Markup {
    let utc = report.utc_offset_s();
    let (first, last) = (moment(lacked.first, utc), moment(lacked.last, utc));
    let nodes = report.model.names_in_order(lacked.nodes.keys().copied(), 16);
    let more = lacked.messages - lacked.examples.len() as u64;
    html! {
        details.case open[nth < OPEN_REASONS_MAX] {
            summary {
                span.mono { (first) @if last != first { " to " (last) } } " "
                (count_text(lacked.messages, "message")) ": " (list_text(&lacked.why, lacked.why.len()))
            }
            p.small { "Lacked by " (nodes) "." }
            div.scroll { table {
                thead { tr { th { "Began" } th { "Message" } th.num { "Reached" } th { "Lacked by" } th { "Text" } } }
                @for message in &lacked.examples { (lacked_row(report, message)) }
            } }
            @if more > 0 {
                p.soft.small {
                    "And " (count_text(more, "more message")) " of this reason; the page shows " (EXAMPLES_MAX) ". "
                    @if lacked.asked < lacked.messages {
                        "Of " (lacked.messages - lacked.asked) " the reason is taken from those right before them."
                    }
                }
            }
            @for (nth, message) in lacked.examples.iter().enumerate() { (spread(report, nth, message)) }
        }
    }
}

/// How far a message came; that of the first is open.
fn spread(report: &SessionReport, nth: usize, message: &LackedMessage) -> Markup {
    let name = &message.name;
    let caption =
        format!("{name}: a column a node, time downward. Larger, with all nodes: gossipctl diagram SESSION '{name}'");
    let drawn = diagram(report, &message.subject(), &caption);
    html! {
        @if nth == 0 { (drawn) }
        @else if report.diagrams.of(&message.subject()).is_some() {
            details { summary { "How far " (name) " came" } (drawn) }
        }
    }
}
