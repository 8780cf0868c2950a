//! Dead-node reports: who is said to be dead, by whom, to which seeds, what each of them made of it, and why.
//!
//! ```text
//! 4 Dead-node reports 2
//! 03:00:14 p9 by p3 → s1,s2 removed, 3 misses
//! 03:00:14 p9 by p5 → s1 removed, s2 already gone
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Focus, Parts, framed, log_note, plain_text, render_empty, render_log};
use crate::event::ReportAction;
use crate::model::death::{DeathCase, Report, SeedAct, SeedStep};
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::ui::action::PaneId;
use crate::ui::log_view::LogView;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Columns for the names of all seeds: three of a lab.
const SEEDS_WIDTH_MAX: usize = 10;
/// Of a seed of which nothing was heard.
const NO_WORD: &str = "no word";

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
    ];
    parts.extend(came_of_it(report, view));
    if let Some(cause) = report.cause {
        parts.push((Tone::Stale, format!(", {}", cause_word(cause))));
    }
    parts
}

/// What each seed made of it, those that did the same together: `s1 removed, s2 already gone`.
fn came_of_it(report: &Report, view: &View<'_>) -> Parts {
    let groups = outcomes(report, view);
    let [(outcome, all)] = &groups[..] else {
        let mut parts = Parts::new();
        for (outcome, some) in &groups {
            let (tone, word) = outcome.map_or((Tone::Stale, NO_WORD), Outcome::shown);
            parts.push((Tone::Plain, format!("{}{} ", if parts.is_empty() { "" } else { ", " }, seeds(some, view))));
            parts.push((tone, word.to_owned()));
        }
        return parts;
    };
    let (tone, word) = outcome.map_or((Tone::Stale, NO_WORD), Outcome::shown);
    let word = (!all.is_empty()).then(|| (tone, format!(" {word}")));
    std::iter::once((Tone::Plain, seeds(all, view))).chain(word).collect()
}

/// The seeds by what they made of it, in the order of their names.
fn outcomes(report: &Report, view: &View<'_>) -> Vec<(Option<Outcome>, Vec<Addr>)> {
    let case = view.model.deaths().cases().get(report.case);
    let mut named = report.seeds.to_vec();
    named.sort_by_cached_key(|seed| view.by_name(*seed));
    let mut groups: Vec<(Option<Outcome>, Vec<Addr>)> = Vec::new();
    for seed in named {
        let outcome = case.and_then(|case| Outcome::of(case, seed, report.reporter));
        match groups.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, some)) => some.push(seed),
            None => groups.push((outcome, vec![seed])),
        }
    }
    if groups.is_empty() { vec![(None, Vec::new())] } else { groups }
}

/// `s1,s2`, or how many they are where the names are long.
fn seeds(seeds: &[Addr], view: &View<'_>) -> String {
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

/// What one seed made of one report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The node is off its list since: for this report, or for another one that came while it asked.
    Removed,
    /// It had taken the node off before.
    AlreadyGone,
    /// The node was not on its list.
    NotListed,
    /// It had an answer from the node.
    Disputed,
    /// The node registered again before it had an answer.
    CameBack,
    /// It waits for the answer.
    Asking,
}

impl Outcome {
    /// `None`: this seed has said nothing about a report of this reporter.
    fn of(case: &DeathCase, seed: Addr, reporter: Addr) -> Option<Self> {
        let steps: Vec<&SeedStep> = case.steps.iter().filter(|step| step.seed == seed).collect();
        let is_it = |act: &SeedAct| matches!(act, SeedAct::Received { reporter: told, .. } if *told == reporter);
        let got = steps.iter().position(|step| is_it(&step.act))?;
        let SeedAct::Received { action, .. } = steps[got].act else { return None };
        Some(match action {
            ReportAction::Removed => Self::Removed,
            ReportAction::Verifying => steps[got..].iter().find_map(|step| settled(&step.act)).unwrap_or(Self::Asking),
            ReportAction::NotListed if steps[..got].iter().any(|step| settled(&step.act) == Some(Self::Removed)) => {
                Self::AlreadyGone
            }
            ReportAction::NotListed => Self::NotListed,
        })
    }

    const fn shown(self) -> (Tone, &'static str) {
        match self {
            Self::Removed => (Tone::Dead, "removed"),
            Self::AlreadyGone => (Tone::Stale, "already gone"),
            Self::NotListed => (Tone::Stale, "not listed"),
            Self::Disputed => (Tone::Suspect, "disputed"),
            Self::CameBack => (Tone::Up, "back"),
            Self::Asking => (Tone::Suspect, "asking it"),
        }
    }
}

/// What settles all reports that a seed has asked about.
const fn settled(act: &SeedAct) -> Option<Outcome> {
    match act {
        SeedAct::Delisted { .. } | SeedAct::Received { action: ReportAction::Removed, .. } => Some(Outcome::Removed),
        SeedAct::Disputed { .. } => Some(Outcome::Disputed),
        SeedAct::Relisted => Some(Outcome::CameBack),
        SeedAct::NoAnswer | SeedAct::Received { action: ReportAction::Verifying | ReportAction::NotListed, .. } => None,
    }
}
