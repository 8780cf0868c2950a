//! What happened: episodes, what was done, deaths and warnings.

use maud::{Markup, html};

use super::{both, diagram, figure, folded, plots};
use crate::model::recovery::DeathKind;
use crate::model::why::Explanation;
use crate::model::words::{clock_text, count_text, second_text};
use crate::session::report::SessionReport;
use crate::session::report::deaths::{ANSWERS_MAX, DeathFigures, EVIDENCE_MAX, detection_us};
use crate::session::report::diagrams::DIAGRAMS_MAX;
use crate::session::report::episodes::{Episode, StepTone};
use crate::session::report::messages::LackedMessage;
use crate::session::report::words::{exact_span, moment};

/// Names in a cell.
const NAMES_MAX: usize = 8;
/// Rows of a table: more than anybody reads on paper.
const ROWS_MAX: usize = 500;
/// Steps that are shown without unfolding them.
const OPEN_STEPS_MAX: usize = 14;

pub(super) fn happened(report: &SessionReport) -> Markup {
    let caption = html! {
        "The whole session; an event bar is " (exact_span(report.activity.width())) " wide. "
        span.key.done {} "faults, " span.key.bad {} "what they did to the network, " span.key.quiet {} "warnings."
    };
    html! {
        section id="happened" {
            h2 { "What happened" }
            (figure(plots::timeline(report), "wide", &caption))
            @if report.episodes.is_empty() {
                p { "Nothing went wrong, and nothing was done to the network while it ran." }
            }
            @for episode in &report.episodes { (told(report, episode)) }
            @if report.more_episodes > 0 {
                p.soft { "And " (count_text(report.more_episodes as u64, "later episode")) ", not told here." }
            }
            (done(report))
        }
    }
}

fn told(report: &SessionReport, episode: &Episode) -> Markup {
    let utc = report.utc_offset_s();
    let (from, until) = (moment(episode.from, utc), moment(episode.until, utc));
    let steps = steps(report, episode);
    html! {
        article.episode {
            h3 { (from) " " span.mono { (episode.title) } }
            p.soft.small {
                @if episode.is_open { "From " (from) " to the end of the session." }
                @else if from == until { "At " (from) "." }
                @else {
                    "From " (from) " to " (until) ", " (exact_span(episode.until.since(episode.from))) "."
                }
            }
            @if !episode.facts.is_empty() {
                dl { @for (word, text) in &episode.facts { dt { (word) } dd { (text) } } }
            }
            @if episode.steps.len() > OPEN_STEPS_MAX {
                details { summary { "Step by step: " (count_text(episode.steps.len() as u64, "step")) } (steps) }
            } @else { (steps) }
        }
    }
}

fn steps(report: &SessionReport, episode: &Episode) -> Markup {
    html! {
        div.scroll { table.steps {
            @for step in &episode.steps {
                tr {
                    td.time.mono { (clock_text(step.at, report.utc_offset_s())) }
                    (tone(step.tone))
                    td.name { (step.text) }
                }
            }
        } }
        @if episode.more > 0 { p.soft.small { "And " (count_text(episode.more as u64, "more step")) "." } }
    }
}

/// A sign says the same as the color.
fn tone(tone: StepTone) -> Markup {
    let (class, sign, about) = match tone {
        StepTone::Done => ("done", "▸", "done"),
        StepTone::Bad => ("bad", "✗", "goes wrong"),
        StepTone::Good => ("good", "✓", "mends"),
    };
    html! { td class={ "tone " (class) } title=(about) { (sign) } }
}

/// Everything that was done, episodes or not.
fn done(report: &SessionReport) -> Markup {
    let rows = report.deeds.len().min(ROWS_MAX);
    let more = report.deeds.len() as u64 - rows as u64 + report.more_deeds;
    let table = html! {
        div.scroll { table.steps {
            thead { tr { th { "Time" } th { "What" } } }
            @for deed in &report.deeds[..rows] {
                tr {
                    td.time.mono { (clock_text(deed.at, report.utc_offset_s())) }
                    td.name.mono { (deed.text) }
                }
            }
        } }
        @if more > 0 { p.soft.small { "And " (count_text(more, "more command")) "." } }
    };
    let what = format!("All that was done: {}", count_text(rows as u64, "command"));
    html! {
        h3 { "What was done" }
        (folded(rows, &what, &table))
    }
}

pub(super) fn deaths(report: &SessionReport) -> Markup {
    html! {
        section id="deaths" {
            h2 { "Deaths" }
            @if report.deaths.is_empty() {
                p { "No node was taken for dead." @if let Some(doubt) = report.model.doubt() { " This is " (doubt) "." } }
            } @else {
                (detection(report))
                (death_table(report))
                (answers(report))
            }
        }
    }
}

fn detection(report: &SessionReport) -> Markup {
    let caption = html! {
        (both()) "From when a node stopped or fell silent to the first neighbor that declared it dead. A crash \
        ends its connections, so it is noticed at once; silence takes a row of missed probes."
    };
    let rows = [(DeathKind::Hang, "hung, silent"), (DeathKind::Crash, "crashed")];
    let timed = rows.map(|(kind, word)| (kind, word, detection_us(&report.deaths, kind)));
    let span = |us: u64| exact_span(std::time::Duration::from_micros(us));
    html! {
        @if timed.iter().any(|(_, _, times)| !times.is_empty()) {
            div.halves {
                (figure(plots::detections(report), "", &caption))
                div.scroll { table {
                    caption.small { "Detection times" }
                    thead { tr { th { "How" } th.num { "Deaths" } th.num { "Least" } th.num { "Median" } th.num { "Most" } th.num { "Predicted" } } }
                    @for (kind, word, times) in timed.iter().filter(|(_, _, times)| !times.is_empty()) {
                        tr {
                            td { (word) }
                            td.num { (times.len()) }
                            td.num { (span(times.min())) }
                            td.num { (span(times.value_at_quantile(0.5))) }
                            td.num { (span(times.max())) }
                            td.num { (predicted(report, *kind)) }
                        }
                    }
                } }
            }
        }
    }
}

fn predicted(report: &SessionReport, kind: DeathKind) -> String {
    match (kind, report.model.silence_found()) {
        (DeathKind::Crash, _) => "at once".to_owned(),
        (DeathKind::Hang, Some((early, late))) => format!("{} to {}", exact_span(early), exact_span(late)),
        (DeathKind::Hang, None)
        | (DeathKind::Left | DeathKind::Unheard | DeathKind::Unfounded | DeathKind::Elsewhere, _) => "-".to_owned(),
    }
}

const fn kind_text(kind: DeathKind) -> &'static str {
    match kind {
        DeathKind::Crash => "crashed",
        DeathKind::Hang => "hung",
        DeathKind::Left => "left",
        DeathKind::Unheard => "ran, unheard",
        DeathKind::Unfounded => "not dead",
        DeathKind::Elsewhere => "runs elsewhere",
    }
}

fn death_table(report: &SessionReport) -> Markup {
    let rows = report.deaths.len().min(ROWS_MAX);
    let utc = report.utc_offset_s();
    let names = |nodes: &[_]| report.model.names_in_order(nodes.iter().copied(), NAMES_MAX);
    let seeds = |death: &DeathFigures| names(&death.removed.iter().map(|(seed, _)| *seed).collect::<Vec<_>>());
    let table = html! {
        div.scroll { table {
            thead { tr {
                th { "At" } th { "Node" } th { "In truth" } th.num { "Found after" } th { "By" }
                th { "Off the list of" } th { "Back" }
            } }
            @for death in &report.deaths[..rows] {
                tr {
                    td.time.mono { (second_text(death.at, utc)) }
                    td.name { (report.model.name_of(death.dead)) }
                    td { (kind_text(death.kind)) }
                    td.num { (death.detection.map_or("-".to_owned(), exact_span)) }
                    td.name { (names(&death.reporters)) }
                    td.name { (seeds(death)) }
                    td.time.mono { (death.back_at.map_or("-".to_owned(), |at| second_text(at, utc))) }
                }
            }
        } }
        @if report.deaths.len() > rows {
            p.soft.small { "And " (count_text((report.deaths.len() - rows) as u64, "later death")) "." }
        }
    };
    let gone = report.model.deaths().cases().first();
    html! {
        (folded(rows, &format!("All deaths: {}", count_text(rows as u64, "row")), &table))
        @if gone > 0 && report.deaths.len() < usize::try_from(report.model.deaths().cases().end()).unwrap_or(usize::MAX) {
            p.soft.small { "Some of the first " (gone) " deaths are no longer known one by one." }
        }
    }
}

fn answers(report: &SessionReport) -> Markup {
    let answered = report.deaths.iter().filter_map(|death| Some((death, death.answer.as_ref()?)));
    let left = report.deaths.iter().filter(|death| death.answer.is_none()).count();
    html! {
        h3 { "Why each was taken for dead" }
        @for (nth, (death, answer)) in answered.enumerate() {
            details.case open[nth == 0] id={ "death-" (death.at.as_micros()) "-" (death.dead.port()) } {
                summary { span.mono { (second_text(death.at, report.utc_offset_s())) } " " (answer.verdict) }
                (evidence(report, answer))
                (diagram(report, &death.subject(), &death_caption(report, death)))
            }
        }
        @if left > 0 {
            p.soft.small {
                (count_text(left as u64, "more death")) " in the table above without an answer here: the page tells at \
                most " (ANSWERS_MAX) " in full. 'gossipctl replay' answers for each."
            }
        }
    }
}

/// How to read the picture, and how to get a larger one.
fn death_caption(report: &SessionReport, death: &DeathFigures) -> String {
    let name = report.model.name_of(death.dead);
    let at = second_text(death.at, report.utc_offset_s());
    format!("A column a node, time downward. Larger, with all nodes: gossipctl diagram SESSION {name} --at {at}")
}

/// What the page has no diagram of.
pub(super) fn without_diagram(report: &SessionReport) -> Markup {
    let drawings = &report.diagrams;
    html! {
        @match &drawings.why_none {
            Some(why) => p.soft.small { "There are no space-time diagrams: " (why) "." },
            None => {
                @if drawings.left_out > 0 {
                    p.soft.small {
                        (drawings.left_out) " of the deaths and messages that are told above are not drawn: a page has at most "
                        (DIAGRAMS_MAX) " space-time diagrams. 'gossipctl diagram' draws each."
                    }
                }
            }
        }
    }
}

fn evidence(report: &SessionReport, answer: &Explanation) -> Markup {
    html! {
        div.scroll { table.steps {
            @for line in answer.evidence.iter().take(EVIDENCE_MAX) {
                tr {
                    td.time.mono { (line.at.map_or(String::new(), |at| clock_text(at, report.utc_offset_s()))) }
                    td.name { (line.text) }
                }
            }
        } }
        @if answer.evidence.len() > EVIDENCE_MAX { p.soft.small { "And more lines, which a replay shows." } }
    }
}

pub(super) fn warnings(report: &SessionReport) -> Markup {
    let list = report.model.warnings().list();
    let utc = report.utc_offset_s();
    let table = html! {
        div.scroll { table {
            thead { tr { th { "From" } th { "To" } th.num { "For" } th { "Warning" } } }
            @for (_, warning) in list {
                tr {
                    td.time.mono { (second_text(warning.since, utc)) }
                    td.time.mono { (warning.gone_at.map_or("the end".to_owned(), |at| second_text(at, utc))) }
                    td.num.time { (exact_span(warning.gone_at.unwrap_or(report.last).since(warning.since))) }
                    td.name { (report.model.warning_text(&warning.finding)) }
                }
            }
        } }
    };
    html! {
        section id="warnings" {
            h2 { "Warnings" }
            @if list.end() == 0 { p { "There was none." } }
            @else { (folded(list.len(), &format!("All warnings: {}", count_text(list.len() as u64, "row")), &table)) }
            @if list.first() > 0 { p.soft.small { "And " (count_text(list.first(), "earlier warning")) ", no longer known." } }
        }
    }
}

/// A message that did not reach everybody, in a row.
pub(super) fn lacked_row(report: &SessionReport, message: &LackedMessage) -> Markup {
    html! {
        tr {
            td.time.mono { (clock_text(message.began, report.utc_offset_s())) }
            td.name { (message.name) }
            td.num { (message.coverage.have) "/" (message.coverage.of) }
            td.name { (report.model.names_in_order(message.lacking.iter().copied(), NAMES_MAX)) }
            td.name { (message.body) }
        }
    }
}

/// A span of microseconds on the page.
pub(super) fn us_text(us: u64) -> String {
    exact_span(std::time::Duration::from_micros(us))
}
