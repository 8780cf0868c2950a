//! The report as one page of HTML: no script, no request to anywhere, light and dark, printable.
//!
//! maud escapes every text that is put in. What could act on a terminal, or turn the direction of
//! text, is escaped in the whole page at the end, so that nothing can be forgotten.

mod again;
mod facts;
mod gossip;
mod scenario;
mod story;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::SessionReport;
use super::plots;
use super::words::{exact_span, share_text};
use crate::model::diagram::subject::DiagramSubject;
use crate::model::words::count_text;
use crate::proto::text::printable_lines;
use crate::session::diagram_svg;
use crate::session::journal::JournalEnd;
use crate::session::lines::stamp;

const STYLE: &str = include_str!("html/style.css");
/// Nothing is loaded and nothing runs, whatever a recording says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// Rows of a table that stands open; a longer one is folded.
const OPEN_ROWS_MAX: usize = 16;

/// The page. The same report gives the same bytes.
pub fn page(report: &SessionReport) -> String {
    let title = format!("{}, {}", what(report), day(report));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style {
                    (PreEscaped(STYLE))
                    @if !report.diagrams.is_empty() { (PreEscaped(diagram_svg::STYLE)) }
                }
            }
            body {
                (head(report))
                main { (sections(report)) }
                footer { (foot(report)) }
            }
        }
    };
    printable_lines(&page.into_string())
}

/// `lab of 2 seeds, 8 peers`.
fn what(report: &SessionReport) -> String {
    report
        .model
        .identity()
        .map_or_else(|| "A session without nodes".to_owned(), crate::model::identity::SessionIdentity::text)
}

fn day(report: &SessionReport) -> String {
    stamp(report.first, report.utc_offset_s()).chars().take("2026-11-22 03:13".len()).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn head(report: &SessionReport) -> Markup {
    html! {
        header {
            h1 { (capital(&what(report))) }
            p.soft { (facts::when(report)) }
            (scenario::verdict(report))
            ul.tiles {
                @for (figure, of) in tiles(report) { li { b { (figure) } span { (of) } } }
            }
            (missing(report))
            @if report.model.totals().events > 0 {
                nav aria-label="Contents" {
                    @for (id, name) in CONTENTS.iter().filter(|(id, _)| *id != "scenario" || report.scenario.is_some()) { a href={ "#" (id) } { (name) } }
                }
            }
        }
    }
}

/// The sections, each with its anchor.
const CONTENTS: [(&str, &str); 9] = [
    ("happened", "What happened"),
    ("scenario", "Scenario"),
    ("ran", "What ran"),
    ("messages", "Messages"),
    ("overlay", "Overlay"),
    ("deaths", "Deaths"),
    ("warnings", "Warnings"),
    ("nodes", "Nodes"),
    ("again", "Run it again"),
];

fn tiles(report: &SessionReport) -> Vec<(String, &'static str)> {
    let (messages, totals) = (&report.messages, report.model.totals());
    let deaths = report.model.deaths().counts();
    let least = if report.gaps.events > 0 { "at least " } else { "" };
    let full = match messages.judged {
        0 => "-".to_owned(),
        judged => share_text(messages.full, judged),
    };
    vec![
        (exact_span(report.lasted()), "it lasted"),
        (format!("{least}{}", totals.generated), "messages generated"),
        (
            full,
            if messages.unjudged > 0 {
                "of judged messages reached every peer"
            } else {
                "of messages reached every peer"
            },
        ),
        (format!("{least}{}", deaths.deaths), "deaths"),
        (report.model.warnings().list().end().to_string(), "warnings"),
        (report.episodes.len().saturating_add(report.more_episodes).to_string(), "episodes, told below"),
    ]
}

/// What the recording lacks, and what follows from that.
fn missing(report: &SessionReport) -> Markup {
    let (gaps, sight) = (&report.gaps, report.model.sight());
    html! {
        @if report.model.totals().events == 0 {
            p.note { "Nothing happened in this session: its recording holds no event." }
        }
        @if gaps.events > 0 {
            p.note.bad {
                (count_text(gaps.events, "event")) " of the session are missing in the recording. Figures are of \
                the events that are there, and what rests on the absence of an event is not certain."
            }
        }
        @if gaps.damage.lines > 0 {
            div.note.bad {
                p { (count_text(gaps.damage.lines, "line")) " of the recording cannot be read:" }
                ul { @for told in &gaps.damage.told { li { code { (told) } } } }
            }
        }
        @if gaps.is_torn {
            p.note { "The last line of the recording is cut: the program was stopped, or is still writing." }
        }
        @if report.end == Some(JournalEnd::Open) && !gaps.is_torn {
            p.note { "The recording has no closing line: it is an export, or its process was killed or still runs." }
        }
        @if report.model.totals().events > 0 && !sight.is_whole() {
            p.note {
                "This process knows " (sight.text()) ": what nodes elsewhere did is known only as far as they \
                told it to these. Coverage counts the peers of this process."
            }
        }
    }
}

fn sections(report: &SessionReport) -> Markup {
    if report.model.totals().events == 0 {
        return html! { (again::again(report)) };
    }
    html! {
        (story::happened(report))
        (scenario::scenario(report))
        (facts::ran(report))
        (gossip::messages(report))
        (facts::overlay(report))
        (story::deaths(report))
        (story::without_diagram(report))
        (story::warnings(report))
        (facts::nodes(report))
        (again::again(report))
    }
}

fn foot(report: &SessionReport) -> Markup {
    html! {
        p {
            "Made by gossipctl " (env!("CARGO_PKG_VERSION")) " from " span.mono { (report.sources.join(", ")) } ", which gossipctl "
            (report.header.gossipctl) " recorded. Times are those of the session's own clock ("
            (facts::zone(report)) "). Docs: docs/REPORT.md."
        }
    }
}

/// A plot with its caption; nothing if there is nothing to draw.
fn figure(plot: Option<String>, class: &str, caption: &Markup) -> Markup {
    html! {
        @if let Some(svg) = plot {
            figure {
                div class={ "plot " (class) } { (PreEscaped(svg)) }
                figcaption { (caption) }
            }
        }
    }
}

/// The space-time diagram of something, if the page has one, with what is said of it.
fn diagram(report: &SessionReport, subject: &DiagramSubject, caption: &str) -> Markup {
    html! {
        @if let Some(svg) = report.diagrams.of(subject) {
            figure {
                div.diagram { (PreEscaped(svg)) }
                figcaption { (caption) }
            }
        }
    }
}

/// The colors of a plot with both.
fn both() -> Markup {
    html! { span.key.measured {} "measured, " span.key.predicted {} "predicted. " }
}

/// A table that is folded if it is long.
fn folded(rows: usize, what: &str, table: &Markup) -> Markup {
    html! {
        @if rows > OPEN_ROWS_MAX {
            details { summary { (what) } (table) }
        } @else { (table) }
    }
}
