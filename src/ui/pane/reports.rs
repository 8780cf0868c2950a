//! Dead-node reports: a line for each death, which unfolds to who reported it and what each seed did.
//!
//! ```text
//! 5 Dead-node reports 2
//! 03:00:14 - p9, by 6 peers: s1,s2 removed it, 3 misses
//! 03:00:14   by p3 → s1,s2 removed, 3 misses
//! 03:00:14   by p5 → s1 removed, s2 already gone
//! 03:01:20 + p4, by p1: s1 disputed
//! ```

use super::list::{Fold, ListPane};
use super::log::{Depth, Log, LogLines, PARTS_MAX};
use super::{PaneInfo, PanePlace, PaneSize, Selection};
use crate::model::death::{DeathCase, Evidence, ReportOutcome};
use crate::model::ring::Ring;
use crate::model::words::{count_text, delisted};
use crate::proto::addr::Addr;
use crate::proto::message::DeathCause;
use crate::proto::time::Time;
use crate::ui::action::{Action, NodeDeed};
use crate::ui::explain::Subject;
use crate::ui::line::{Parts, Sentence, plain_text};
use crate::ui::seek::EventScope;
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
    number: 5,
    title: "Dead-node reports",
    word: "reports",
    help: "dead-node reports, and what the seeds did",
    wide: PanePlace { strip: 1, size: PaneSize::UpTo(HEIGHT_MAX) },
    narrow: Some(PanePlace { strip: 2, size: PaneSize::Percent(57) }),
    wanted: |view| 2 + view.model.deaths().cases().len().max(HINT_LINES),
    scope: || EventScope::Deaths,
    count: Some(|view| (view.model.deaths().cases().len(), Tone::Dead)),
    ..PaneInfo::new(ListPane::<LogLines<ReportLog>>::boxed)
};

/// A line of a death, by its place among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeathPart {
    /// What somebody told of it.
    Evidence(usize),
    /// What a seed did about it.
    Seed(usize),
}

struct ReportLog;

impl Log for ReportLog {
    type Entry = DeathCase;
    type Part = DeathPart;
    type Fact = ();
    type PartsFact = ();
    const WORD: Option<&'static str> = Some("report");

    fn entries<'a>(view: &View<'a>) -> &'a Ring<DeathCase> {
        view.model.deaths().cases()
    }

    fn fact(_case: &DeathCase, _depth: Depth, _view: &View<'_>) {}

    fn line(case: &DeathCase, (): &(), fold: Fold, columns: usize, view: &View<'_>) -> Sentence {
        let head = vec![
            (Tone::Stale, format!("{} ", fold.sign())),
            (Tone::Dead, view.name(case.dead)),
            (Tone::Plain, if case.evidence.is_empty() { ": " } else { ", " }.to_owned()),
        ];
        let mut parts = [head, told(case, view)].concat();
        let moment = format!("{} ", view.second(case.at));
        // What the seeds did is worth more than when.
        if text::width(&moment) + text::width(&plain_text(&parts)) <= columns {
            parts.insert(0, (Tone::Stale, moment));
        }
        [parts, aftermath(case, view)].concat().into()
    }

    fn hint(view: &View<'_>) -> String {
        if view.is_past {
            return "Nobody had been reported dead at this moment.".to_owned();
        }
        if !view.takes_commands {
            return format!("{}.", nobody(view));
        }
        let kill = view.keys.key_of(Action::Act(NodeDeed::Kill));
        format!("{}. Select a node and press {kill} twice to see who notices.", nobody(view))
    }

    fn selection(_number: u64, case: &DeathCase, _part: Option<DeathPart>, _view: &View<'_>) -> Selection {
        Selection { node: Some(case.dead), subject: Some(Subject::Death(case.dead)), ..Selection::default() }
    }

    fn parts(case: &DeathCase, _view: &View<'_>) -> Vec<DeathPart> {
        death_parts(case)
    }

    fn part(case: &DeathCase, part: DeathPart, (): &(), _columns: usize, view: &View<'_>) -> Sentence {
        death_part(case, part, &|at| view.second(at), view).into()
    }

    /// Seeds may act on any of them.
    fn settled(view: &View<'_>) -> u64 {
        view.model.deaths().cases().first()
    }
}

/// `by 6 peers: s1,s2 removed it, 3 misses`.
pub(super) fn death(case: &DeathCase, view: &View<'_>) -> Parts {
    [told(case, view), aftermath(case, view)].concat()
}

/// `by 6 peers: s1,s2 removed it`.
fn told(case: &DeathCase, view: &View<'_>) -> Parts {
    let by = match case.evidence.as_slice() {
        [] => String::new(),
        [only] => format!("by {}: ", view.name(only.reporter)),
        all => format!("by {}: ", count_text(all.len() as u64, "peer")),
    };
    let mut parts = vec![(Tone::Plain, by)];
    parts.extend(came_of_it(case, view));
    parts
}

/// Clauses that a narrow line goes without.
fn aftermath(case: &DeathCase, view: &View<'_>) -> Parts {
    let mut parts = Parts::new();
    parts.extend(case.back_at.map(|at| (Tone::Up, format!(", back at {}", view.second(at)))));
    parts.extend(case.away.map(|_| (Tone::Up, ", was only away".to_owned())));
    let why = case.evidence.iter().find_map(|told| told.cause);
    parts.extend(why.map(|why| (Tone::Stale, format!(", {}", cause_word(why)))));
    parts
}

/// The reporters, then the seeds.
pub(super) fn death_parts(case: &DeathCase) -> Vec<DeathPart> {
    let evidence = (0..case.evidence.len().min(PARTS_MAX)).map(DeathPart::Evidence);
    evidence.chain((0..case.seeds().len().min(PARTS_MAX)).map(DeathPart::Seed)).collect()
}

pub(super) fn death_part(case: &DeathCase, part: DeathPart, moment: &dyn Fn(Time) -> String, view: &View<'_>) -> Parts {
    match part {
        DeathPart::Evidence(place) => case.evidence.get(place).map(|told| report(told, case, moment, view)),
        DeathPart::Seed(place) => case.seeds().get(place).map(|seed| did(*seed, case, moment, view)),
    }
    .unwrap_or_default()
}

/// `03:00:14   by p3 → s1 removed, s2 already gone, 3 misses`.
fn report(told: &Evidence, case: &DeathCase, moment: &dyn Fn(Time) -> String, view: &View<'_>) -> Parts {
    let at = told.reported_at.or(told.declared_at).unwrap_or(case.at);
    let by = format!("by {} {} ", view.name(told.reporter), view.theme.arrow());
    let mut parts = vec![(Tone::Stale, format!("{}   ", moment(at))), (Tone::Plain, by)];
    let outcomes = outcomes(&told.seeds, |seed| case.outcome_of(seed, told.reporter), Of::Report, view);
    parts.extend(grouped(&outcomes, "no seed", view));
    parts.extend(told.cause.map(|cause| (Tone::Stale, format!(", {}", cause_word(cause)))));
    parts
}

/// `03:00:14   s1 removed it: p3 reported it dead`.
fn did(seed: Addr, case: &DeathCase, moment: &dyn Fn(Time) -> String, view: &View<'_>) -> Parts {
    let outcome = case.outcome_at(seed);
    let (at, why) = match outcome {
        Some(ReportOutcome::Removed { at, reason }) => (at, format!(": {}", delisted(reason, &|addr| view.name(addr)))),
        Some(ReportOutcome::Disputed { rtt_us }) => {
            (case.latest_step_at(), format!(": answered in {}", text::rtt(rtt_us)))
        }
        Some(
            ReportOutcome::AlreadyGone
            | ReportOutcome::NotListed
            | ReportOutcome::CameBack
            | ReportOutcome::NoAnswer
            | ReportOutcome::Asking,
        )
        | None => (case.latest_step_at(), String::new()),
    };
    let (tone, word) = shown(outcome, Of::Death);
    vec![
        (Tone::Stale, format!("{}   ", moment(at))),
        (Tone::Seed, format!("{} ", view.name(seed))),
        (tone, word.to_owned()),
        (Tone::Stale, why),
    ]
}

/// What the seeds did in the end, those that did the same together: `s1,s2 removed it`.
fn came_of_it(case: &DeathCase, view: &View<'_>) -> Parts {
    let mut seeds = case.seeds();
    for seed in case.evidence.iter().flat_map(|told| &told.seeds) {
        if !seeds.contains(seed) {
            seeds.push(*seed);
        }
    }
    grouped(&outcomes(&seeds, |seed| case.outcome_at(seed), Of::Death, view), "not reported to a seed", view)
}

/// Seeds with what they did.
type Outcomes = Vec<((Tone, &'static str), Vec<Addr>)>;

/// The seeds grouped by what they did, sorted by name.
fn outcomes(seeds: &[Addr], of: impl Fn(Addr) -> Option<ReportOutcome>, what: Of, view: &View<'_>) -> Outcomes {
    let mut named = seeds.to_vec();
    named.sort_by_cached_key(|seed| view.by_name(*seed));
    let mut groups = Outcomes::new();
    for seed in named {
        let outcome = shown(of(seed), what);
        match groups.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, some)) => some.push(seed),
            None => groups.push((outcome, vec![seed])),
        }
    }
    groups
}

fn grouped(groups: &Outcomes, none: &str, view: &View<'_>) -> Parts {
    if groups.is_empty() {
        return vec![(Tone::Stale, none.to_owned())];
    }
    let mut parts = Parts::new();
    for ((tone, word), some) in groups {
        parts.push((Tone::Plain, format!("{}{} ", if parts.is_empty() { "" } else { ", " }, seeds(some, view))));
        parts.push((*tone, (*word).to_owned()));
    }
    parts
}

/// `s1,s2`, or their number if the names are long.
fn seeds(seeds: &[Addr], view: &View<'_>) -> String {
    let names = seeds.iter().map(|seed| view.name(*seed)).collect::<Vec<_>>().join(",");
    if text::width(&names) > SEEDS_WIDTH_MAX { count_text(seeds.len() as u64, "seed") } else { names }
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

/// What a seed acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Report,
    Death,
}

/// What a seed did, in a word or two, and its color.
const fn shown(outcome: Option<ReportOutcome>, of: Of) -> (Tone, &'static str) {
    match (outcome, of) {
        (Some(ReportOutcome::Removed { .. }), Of::Report) => (Tone::Dead, "removed"),
        (Some(ReportOutcome::Removed { .. }), Of::Death) => (Tone::Dead, "removed it"),
        (Some(ReportOutcome::AlreadyGone), _) => (Tone::Stale, "already gone"),
        (Some(ReportOutcome::NotListed), _) => (Tone::Stale, "not listed"),
        (Some(ReportOutcome::Disputed { .. }), _) => (Tone::Suspect, "disputed"),
        (Some(ReportOutcome::CameBack), _) => (Tone::Up, "back"),
        (Some(ReportOutcome::NoAnswer), _) => (Tone::Suspect, "no answer"),
        (Some(ReportOutcome::Asking), _) => (Tone::Suspect, "asking it"),
        (None, _) => (Tone::Stale, NO_WORD),
    }
}

/// A node may have been reported by others, to others.
fn nobody(view: &View<'_>) -> &'static str {
    if view.model.sight().is_whole() { "Nobody was reported dead" } else { "No report was seen here" }
}
