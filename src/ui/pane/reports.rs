//! Dead-node reports: who is said to be dead, by whom, to which seeds, why, and what came of it.
//!
//! ```text
//! 4 Dead-node reports 1
//! 03:00:14 p9 by p3 → s1,s2 removed, 3 misses
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, Parts, framed, log_note, plain_text, render_empty, render_log};
use crate::event::{DelistReason, ReportAction};
use crate::model::death::{DeathCase, Report, SeedAct, SeedStep};
use crate::model::words::{count_text, list_text};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::ui::action::PaneId;
use crate::ui::log_view::LogView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Seeds that a line names when they did not do the same.
const SEEDS_SHOWN: usize = 3;
/// Columns for the names of all seeds: three of a lab.
const SEEDS_WIDTH_MAX: usize = 10;
/// Weights of what seeds do, see [`weigh`].
const REMOVED: u8 = 3;
const ASKED: u8 = 2;
const NOT_LISTED: u8 = 1;

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
    let mut parts = vec![
        (Tone::Stale, format!("{} ", view.second(report.at))),
        (Tone::Dead, view.name(report.dead)),
        (Tone::Plain, format!(" by {} {} ", view.name(report.reporter), view.theme.arrow())),
        (Tone::Plain, seeds(&report.seeds, view)),
    ];
    if let Some((tone, came_of_it)) = outcome(report, view) {
        parts.push((tone, format!(" {came_of_it}")));
    }
    if let Some(cause) = report.cause {
        parts.push((Tone::Stale, format!(", {}", cause_word(cause))));
    }
    parts
}

/// `s1,s2`, or how many they are where the names are long.
fn seeds(seeds: &[Addr], view: &View<'_>) -> String {
    let mut seeds: Vec<Addr> = seeds.to_vec();
    seeds.sort_by_cached_key(|seed| view.by_name(*seed));
    let names = seeds.iter().map(|seed| view.name(*seed)).collect::<Vec<_>>().join(",");
    match seeds.len() {
        0 => "no seed".to_owned(),
        len if text::width(&names) > SEEDS_WIDTH_MAX => count_text(len as u64, "seed"),
        _ => names,
    }
}

/// Why, in a word or two: the details have more.
fn cause_word(cause: DeathCause) -> String {
    match cause {
        DeathCause::Misses { misses: 1 } => "1 miss".to_owned(),
        DeathCause::Misses { misses } => format!("{misses} misses"),
        DeathCause::LinkError => "reset".to_owned(),
        DeathCause::Closed => "closed".to_owned(),
        DeathCause::Cut => "link cut".to_owned(),
        DeathCause::Lie => "a false report".to_owned(),
    }
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
    // A seed that asks acts on the first report, and that settles the others.
    let (tone, word) = match (weight, seeds.iter().all(|seed| removed(case, *seed))) {
        (ASKED, true) => (Tone::Dead, "removed"),
        (NOT_LISTED, true) => (tone, "already gone"),
        (_, true | false) => (tone, word),
    };
    let all_removed = weight == REMOVED && report.seeds.iter().all(|seed| removed(case, *seed));
    if all_removed || seeds.len() == report.seeds.len() {
        return Some((tone, word.to_owned()));
    }
    let names: Vec<String> = seeds.iter().map(|seed| view.name(*seed)).collect();
    Some((tone, format!("{word} by {}", list_text(&names, SEEDS_SHOWN))))
}

/// This seed took the node off its list, on whichever report.
fn removed(case: &DeathCase, seed: Addr) -> bool {
    let is_removal = |step: &&SeedStep| step.seed == seed && matches!(weigh(&step.act), Some((REMOVED, ..)));
    case.steps.iter().any(|step| is_removal(&step))
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
            Some((REMOVED, Tone::Dead, "removed"))
        }
        SeedAct::NoAnswer | SeedAct::Received { action: ReportAction::Verifying, .. } => {
            Some((ASKED, Tone::Suspect, "asking it"))
        }
        SeedAct::Received { action: ReportAction::NotListed, .. } => Some((NOT_LISTED, Tone::Stale, "not listed")),
        SeedAct::Relisted => None,
    }
}
