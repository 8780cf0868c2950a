//! The scenario: its text, and what came of each line.

use maud::{Markup, html};

use super::super::scenario::ScenarioFigures;
use crate::model::words::count_text;
use crate::scenario::LineOutcome;
use crate::scenario::played::PlayedOutcome;
use crate::session::report::SessionReport;

/// Lines that are shown: more than anybody writes.
const LINES_MAX: usize = 400;

/// At the top of the page: whether what was expected came about.
pub(super) fn verdict(report: &SessionReport) -> Markup {
    let decided =
        report.scenario.as_ref().and_then(|scenario| Some((scenario, scenario.outcome.as_ref()?.as_ref().ok()?)));
    html! {
        @if let Some((scenario, outcome)) = decided {
            p class={ "note " (if outcome.summary.is_good() { "good" } else { "bad" }) } {
                "Scenario " a href="#scenario" { span.mono { (scenario.name) } } ": " (outcome.summary.text()) "."
            }
        }
    }
}

pub(super) fn scenario(report: &SessionReport) -> Markup {
    html! {
        @if let Some(scenario) = &report.scenario {
            section id="scenario" {
                h2 { "Scenario" }
                @match (&scenario.text, &scenario.outcome) {
                    (Some(text), Some(Ok(outcome))) => (told(report, scenario, text, outcome)),
                    (Some(text), Some(Err(why))) => {
                        p { "Its text in the recording cannot be read as a scenario: " (why) "." }
                        pre { code { (text) } }
                    }
                    (None, _) | (_, None) => p {
                        span.mono { (scenario.name) } " was played. The recording does not have its text: it was made by \
                        an earlier version, or the text is too long for it."
                    }
                }
            }
        }
    }
}

fn told(report: &SessionReport, scenario: &ScenarioFigures, text: &str, outcome: &PlayedOutcome) -> Markup {
    let lines = text.lines().count();
    html! {
        p { span.mono { (scenario.name) } ": " (outcome.summary.text()) "." }
        div.scroll { table.script {
            thead { tr { th.num { "Line" } th { "Text" } th {} th { "What came of it" } } }
            @for (number, line) in (1_usize..).zip(text.lines()).take(LINES_MAX).filter(|(_, line)| !line.trim().is_empty()) {
                tr {
                    td.num { (number) }
                    td.name.mono { (line) }
                    (came_of(line, outcome, number))
                }
            }
        } }
        @if lines > LINES_MAX { p.soft.small { "And " (count_text((lines - LINES_MAX) as u64, "more line")) "." } }
        p.soft.small {
            "Decided by the recorded events"
            @if report.header.virtual_time { "." }
            @else { ": on sockets, commands come some milliseconds after their time, so what was decided by less may \
                     have come out otherwise." }
        }
    }
}

/// A sign, and the outcome in words.
fn came_of(line: &str, outcome: &PlayedOutcome, number: usize) -> Markup {
    let is_comment = line.trim_start().starts_with('#');
    let is_expectation = !is_comment && line.split_whitespace().any(|word| word == "expect");
    let (class, sign, words) = match outcome.lines.get(&number) {
        Some(LineOutcome::Met) => ("good", "✓", "held".to_owned()),
        Some(LineOutcome::Failed(why)) => ("bad", "✗", format!("failed: {why}")),
        Some(LineOutcome::Skipped(why)) => ("bad", "✗", format!("not done: {why}")),
        Some(LineOutcome::Waiting) => ("bad", "?", "not decided by the end".to_owned()),
        Some(LineOutcome::Done) => ("done", "▸", "done".to_owned()),
        None if is_expectation => ("bad", "?", "not reached".to_owned()),
        None => ("", "", String::new()),
    };
    html! {
        td class={ "tone " (class) } { (sign) }
        td.name { (words) }
    }
}
