//! Dead-node reports: who is reported dead, by whom, to which seeds, what each seed did, and why.
//!
//! ```text
//! 5 Dead-node reports 2
//! 03:00:14 p9 by p3 → s1,s2 removed, 3 misses
//! 03:00:14 p9 by p5 → s1 removed, s2 already gone
//! ```

use super::list::ListPane;
use super::log::{Log, LogLines};
use super::{PaneInfo, PanePlace, PaneSize, Selection};
use crate::model::death::{ReportEntry, ReportOutcome};
use crate::model::ring::Ring;
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::ui::action::{Action, Deed};
use crate::ui::explain::Subject;
use crate::ui::line::{Parts, Sentence};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Columns for the names of all seeds: enough for three of a lab.
const SEEDS_WIDTH_MAX: usize = 10;
/// Lines of the pane, frame included, beside all others.
const HEIGHT_MAX: u16 = 10;
/// What it says while nobody was reported dead.
const HINT_LINES: usize = 2;
/// For a seed that is silent about it.
const NO_WORD: &str = "no word";

pub(super) const PANE: PaneInfo = PaneInfo {
    title: "Dead-node reports",
    word: "reports",
    help: "dead-node reports, and what the seeds did",
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(HEIGHT_MAX) },
    narrow: Some(PanePlace { strip: 2, size: PaneSize::Percent(50) }),
    wanted: |view| 2 + view.model.deaths().reports().len().max(HINT_LINES),
    count: |view| (view.model.deaths().reports().len(), Tone::Dead),
    ..PaneInfo::new(ListPane::<LogLines<ReportLog>>::boxed)
};

struct ReportLog;

impl Log for ReportLog {
    type Entry = ReportEntry;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<ReportEntry> {
        view.model.deaths().reports()
    }

    fn line(report: &ReportEntry, _columns: usize, view: &View<'_>) -> Sentence {
        parts(report, view).into()
    }

    fn hint(view: &View<'_>) -> String {
        let kill = view.keys.key_of(Action::Act(Deed::Kill));
        format!("Nobody was reported dead. Select a node and press {kill} twice to see who notices.")
    }

    fn selection(_number: u64, report: &ReportEntry, _view: &View<'_>) -> Selection {
        Selection { node: Some(report.dead), subject: Some(Subject::Death(report.dead)), ..Selection::default() }
    }
}

fn parts(report: &ReportEntry, view: &View<'_>) -> Parts {
    let mut parts = vec![
        (Tone::Stale, format!("{} ", view.second(report.at))),
        (Tone::Dead, view.name(report.dead)),
        (Tone::Plain, format!(" by {} {} ", view.name(report.reporter), view.theme.arrow())),
    ];
    parts.extend(came_of_it(report, view));
    if let Some(cause) = report.cause {
        parts.push((Tone::Stale, format!(", {}", cause_word(cause))));
    }
    parts
}

/// What each seed did, those that did the same together: `s1 removed, s2 already gone`.
fn came_of_it(report: &ReportEntry, view: &View<'_>) -> Parts {
    let groups = outcomes(report, view);
    let [((tone, word), all)] = &groups[..] else {
        let mut parts = Parts::new();
        for ((tone, word), some) in &groups {
            parts.push((Tone::Plain, format!("{}{} ", if parts.is_empty() { "" } else { ", " }, seeds(some, view))));
            parts.push((*tone, (*word).to_owned()));
        }
        return parts;
    };
    let word = (!all.is_empty()).then(|| (*tone, format!(" {word}")));
    std::iter::once((Tone::Plain, seeds(all, view))).chain(word).collect()
}

/// The seeds grouped by what they did, sorted by name.
fn outcomes(report: &ReportEntry, view: &View<'_>) -> Vec<((Tone, &'static str), Vec<Addr>)> {
    let case = view.model.deaths().cases().get(report.case);
    let mut named = report.seeds.to_vec();
    named.sort_by_cached_key(|seed| view.by_name(*seed));
    let mut groups: Vec<((Tone, &str), Vec<Addr>)> = Vec::new();
    for seed in named {
        let outcome = shown(case.and_then(|case| case.outcome_of(seed, report.reporter)));
        match groups.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, some)) => some.push(seed),
            None => groups.push((outcome, vec![seed])),
        }
    }
    if groups.is_empty() { vec![(shown(None), Vec::new())] } else { groups }
}

/// `s1,s2`, or their number if the names are long.
fn seeds(seeds: &[Addr], view: &View<'_>) -> String {
    let names = seeds.iter().map(|seed| view.name(*seed)).collect::<Vec<_>>().join(",");
    match seeds.len() {
        0 => "no seed".to_owned(),
        len if text::width(&names) > SEEDS_WIDTH_MAX => count_text(len as u64, "seed"),
        _ => names,
    }
}

/// The cause in a word or two: the details have more.
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

/// What a seed did about a report, in a word or two, and its color.
const fn shown(outcome: Option<ReportOutcome>) -> (Tone, &'static str) {
    match outcome {
        Some(ReportOutcome::Removed { .. }) => (Tone::Dead, "removed"),
        Some(ReportOutcome::AlreadyGone) => (Tone::Stale, "already gone"),
        Some(ReportOutcome::NotListed) => (Tone::Stale, "not listed"),
        Some(ReportOutcome::Disputed { .. }) => (Tone::Suspect, "disputed"),
        Some(ReportOutcome::CameBack) => (Tone::Up, "back"),
        Some(ReportOutcome::NoAnswer) => (Tone::Suspect, "no answer"),
        Some(ReportOutcome::Asking) => (Tone::Suspect, "asking it"),
        None => (Tone::Stale, NO_WORD),
    }
}
