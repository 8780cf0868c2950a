//! Dead-node reports: who is said to be dead, by whom, to which seeds, why, and what came of it.
//!
//! ```text
//! 4 Dead-node reports 1
//! 03:00:14 p9 by p3 → s1 and s2: removed (3 probes in a row unanswered)
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, Parts, framed, log_note, plain_text, render_empty, render_log};
use crate::event::{DelistReason, ReportAction};
use crate::model::death::{Report, SeedAct};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::ui::action::PaneId;
use crate::ui::log_view::LogView;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Seeds that a line names.
const SEEDS_SHOWN: usize = 3;

pub(crate) fn render(log: &mut LogView, frame: &mut Frame<'_>, area: Rect, view: &View<'_>, focus: Focus) {
    let reports = view.model.deaths().reports();
    log.look(reports, |report| plain(report, view));
    let window = log.window(reports, usize::from(area.height.saturating_sub(2)));
    let inside = framed(PaneId::Reports, &log_note(log, &window), frame, area, view, focus);
    if window.numbers.is_empty() {
        let kill = view.keys.key_of(crate::ui::action::Action::Kill);
        let hint = format!("Nobody was reported dead. Select a node and press {kill} twice to see who notices.");
        render_empty(&hint, frame, inside, view);
        return;
    }
    render_log(&window, frame, inside, view, focus, |number| Some(parts(reports.get(number)?, view)));
}

/// The line as text.
pub(crate) fn plain(report: &Report, view: &View<'_>) -> String {
    plain_text(&parts(report, view))
}

fn parts(report: &Report, view: &View<'_>) -> Parts {
    let seeds: Vec<String> = report.seeds.iter().map(|seed| view.name(*seed)).collect();
    let to = if seeds.is_empty() { "no seed".to_owned() } else { list_text(&seeds, SEEDS_SHOWN) };
    let mut parts = vec![
        (Tone::Stale, format!("{} ", view.second(report.at))),
        (Tone::Dead, view.name(report.dead)),
        (Tone::Plain, format!(" by {} {} {to}", view.name(report.reporter), view.theme.arrow())),
    ];
    if let Some((tone, came_of_it)) = outcome(report, view) {
        parts.push((tone, format!(": {came_of_it}")));
    }
    if let Some(cause) = report.cause {
        parts.push((Tone::Stale, format!(" ({cause})")));
    }
    parts
}

/// The weightiest thing that the seeds did about it; which of them, unless all did.
fn outcome(report: &Report, view: &View<'_>) -> Option<(Tone, String)> {
    let case = view.model.deaths().cases().get(report.case)?;
    let steps = case.steps.iter().filter(|step| reporter(&step.act).is_none_or(|reporter| reporter == report.reporter));
    let acts: Vec<_> = steps.filter_map(|step| weigh(&step.act).map(|weighed| (step.seed, weighed))).collect();
    let (weight, tone, word) = acts.iter().map(|(_, weighed)| *weighed).max_by_key(|(weight, ..)| *weight)?;
    let mut seeds: Vec<_> = acts.iter().filter(|(_, (other, ..))| *other == weight).map(|(seed, _)| *seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    if seeds.len() == report.seeds.len() {
        return Some((tone, word.to_owned()));
    }
    let names: Vec<String> = seeds.iter().map(|seed| view.name(*seed)).collect();
    Some((tone, format!("{word} by {}", list_text(&names, SEEDS_SHOWN))))
}

/// Whose report a seed acts on.
const fn reporter(act: &SeedAct) -> Option<Addr> {
    match act {
        SeedAct::Received { reporter, .. } | SeedAct::Disputed { reporter, .. } => Some(*reporter),
        SeedAct::Delisted { reason: DelistReason::Reported { reporter } | DelistReason::Unanswered { reporter } } => {
            Some(*reporter)
        }
        SeedAct::Delisted { reason: DelistReason::Departed | DelistReason::Left }
        | SeedAct::NoAnswer
        | SeedAct::Relisted => None,
    }
}

/// How much an act of a seed matters, and what it is in a word.
const fn weigh(act: &SeedAct) -> Option<(u8, Tone, &'static str)> {
    match act {
        SeedAct::Disputed { .. } => Some((4, Tone::Suspect, "disputed")),
        SeedAct::Delisted { .. } | SeedAct::Received { action: ReportAction::Removed, .. } => {
            Some((3, Tone::Dead, "removed"))
        }
        SeedAct::NoAnswer | SeedAct::Received { action: ReportAction::Verifying, .. } => {
            Some((2, Tone::Suspect, "being asked"))
        }
        SeedAct::Received { action: ReportAction::NotListed, .. } => Some((1, Tone::Stale, "not listed")),
        SeedAct::Relisted => None,
    }
}
