//! How long the network took to find deaths, to heal and to spread messages, and what theory says.

use std::time::Duration;

use super::table::{AnswerCell, AnswerColumn, AnswerTable, NetworkAnswer};
use super::{EvidenceLine, Explainer, Explanation, SourceKind, in_order};
use crate::model::Model;
use crate::model::death::DeathCase;
use crate::model::recovery::{DeathKind, Detection};
use crate::model::rumor::{Counting, Rumor};
use crate::model::span_text;
use crate::model::warning::{Finding, PARTED_AFTER};
use crate::model::words::count_text;
use crate::proto::time::micros;

/// First copies of the messages that are looked at, the latest messages: theory is asked about each.
const COPIES_MAX: usize = 32_768;
/// Messages that are looked at: theory takes a walk over the overlay for each.
const MESSAGES_MAX: usize = 256;
/// Messages that are told as evidence, the slowest ones.
const SLOWEST_TOLD: usize = 5;

const COLUMNS: &[AnswerColumn] = &[
    AnswerColumn { title: "TIME UNTIL", key: "what" },
    AnswerColumn { title: "TIMES", key: "count" },
    AnswerColumn { title: "LEAST", key: "least_us" },
    AnswerColumn { title: "MEDIAN", key: "median_us" },
    AnswerColumn { title: "95%", key: "p95_us" },
    AnswerColumn { title: "MOST", key: "most_us" },
    AnswerColumn { title: "THEORY", key: "theory_least_us" },
    AnswerColumn { title: "TO", key: "theory_most_us" },
];

/// What is measured, in the order of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    /// From the stop of a node to the first neighbor that declares it dead.
    CrashFound,
    /// From when a node hangs to the first neighbor that declares it dead.
    SilenceFound,
    /// From the first declaration of a death to the last seed that takes the node off its list.
    OffLists,
    /// From the end of the fault that parted the overlay to when it is one part.
    Healed,
    /// From the beginning of a message to its last first copy, if everybody has it.
    Spread,
}

const ALL: [(Measured, &str); 5] = [
    (Measured::CrashFound, "a crash is found"),
    (Measured::SilenceFound, "a hang is found"),
    (Measured::OffLists, "seeds delist it"),
    (Measured::Healed, "the overlay heals"),
    (Measured::Spread, "a message has spread"),
];

/// One time that was measured.
struct Measurement {
    what: Measured,
    took: Duration,
    line: EvidenceLine,
}

/// What theory expects, at the least and at the most.
type TheoryBounds = Option<(Duration, Duration)>;

pub(super) fn times(model: &Model, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let (spreads, predicted) = explainer.spreads();
    let mut measured: Vec<Measurement> = explainer.detections();
    measured.extend(explainer.healings());
    measured.extend(spreads);
    let theory = |what| match what {
        Measured::SilenceFound => model.silence_found(),
        Measured::CrashFound | Measured::OffLists | Measured::Healed => None,
        Measured::Spread => predicted,
    };
    let row = |(what, word): &(Measured, &str)| {
        let times: Vec<Duration> = measured.iter().filter(|one| one.what == *what).map(|one| one.took).collect();
        row(word, times, theory(*what))
    };
    let table = AnswerTable::new(COLUMNS, ALL.iter().map(row).collect());
    let verdict = verdict_of_times(&measured, theory);
    let mut evidence = measured_lines(measured);
    evidence.extend(untold());
    NetworkAnswer { title: "How long it took", verdict, is_certain: true, evidence, table }.into()
}

fn row(word: &str, mut times: Vec<Duration>, theory: TheoryBounds) -> Vec<AnswerCell> {
    times.sort_unstable();
    let span = |span: Option<Duration>| span.map_or(AnswerCell::Nothing, |span| AnswerCell::Micros(micros(span)));
    vec![
        AnswerCell::Text(word.to_owned()),
        AnswerCell::Count(times.len() as u64),
        span(times.first().copied()),
        span(quantile(&times, 50)),
        span(quantile(&times, 95)),
        span(times.last().copied()),
        span(theory.map(|(least, _)| least)),
        span(theory.map(|(_, most)| most)),
    ]
}

/// The least of these times that so many in a hundred do not exceed. They are sorted.
fn quantile(times: &[Duration], percent: usize) -> Option<Duration> {
    times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

fn untold() -> [EvidenceLine; 2] {
    let parted = span_text(PARTED_AFTER);
    [
        "theory: a crash is found as soon as its connections end; it does not say when seeds delist, or when the overlay \
         heals"
            .to_owned(),
        format!("only partings that lasted {parted} are counted, to half a second; deaths and messages as far as they are kept"),
    ]
    .map(EvidenceLine::now)
}

impl Explainer<'_> {
    fn detections(self) -> Vec<Measurement> {
        let cases = self.model.deaths().cases().iter().map(|(_, case)| case);
        cases.flat_map(|case| self.detections_of(case)).collect()
    }

    fn detections_of(self, case: &DeathCase) -> Vec<Measurement> {
        let Detection { kind, after, removed } = self.model.detection(case);
        let name = self.name(case.dead);
        let (what, stopped) = match kind {
            DeathKind::Crash => (Measured::CrashFound, "crashed"),
            DeathKind::Hang => (Measured::SilenceFound, "fell silent"),
            DeathKind::Left | DeathKind::Unheard | DeathKind::Unfounded | DeathKind::Elsewhere => return Vec::new(),
        };
        let first = case.evidence.iter().filter(|told| told.declared_at.is_some()).min_by_key(|told| told.declared_at);
        let found =
            after.zip(first.and_then(|first| Some((first.reporter, first.declared_at?)))).map(|(took, (by, at))| {
                let text = format!("{} found {name} dead {} after it {stopped}", self.name(by), span_text(took));
                Measurement {
                    what,
                    took,
                    line: EvidenceLine::at(at, text).told_by(by, SourceKind::Declared(case.dead)),
                }
            });
        let last = removed.into_iter().max_by_key(|(_, at)| *at);
        let delisted = last.map(|(seed, at)| {
            let took = at.since(case.at);
            let text = format!(
                "{} was the last to take {name} off its list, {} after the first declared it dead",
                self.name(seed),
                span_text(took)
            );
            let line = EvidenceLine::at(at, text).told_by(seed, SourceKind::SeedStep(case.dead, "peer_delisted"));
            Measurement { what: Measured::OffLists, took, line }
        });
        found.into_iter().chain(delisted).collect()
    }

    /// Partings that are over, if a fault had parted the overlay.
    fn healings(self) -> Vec<Measurement> {
        let warnings = self.model.warnings().list().iter().map(|(_, warning)| warning);
        let parted = warnings.filter(|warning| matches!(warning.finding, Finding::Parted { .. }));
        let healed = parted.filter_map(|warning| {
            let gone_at = warning.gone_at?;
            let (record, took) = self.model.healed_fault(warning.since, gone_at)?;
            // A look finds it, and no single event.
            let (at, took_text) = (self.clock(gone_at), span_text(took));
            let text =
                format!("at {at} the overlay was whole again, {took_text} after the end of {}", self.fault(record));
            Some(Measurement { what: Measured::Healed, took, line: EvidenceLine::now(text) })
        });
        healed.collect()
    }

    /// The messages that everybody has, and the bounds of what theory expects of them.
    fn spreads(self) -> (Vec<Measurement>, TheoryBounds) {
        let now = self.model.overlay();
        let mut copies = 0;
        let newest = self.model.rumors().ring().iter().rev().map(|(_, rumor)| rumor).take(MESSAGES_MAX);
        let fitting = newest.take_while(|rumor| {
            copies += rumor.reached();
            copies <= COPIES_MAX
        });
        let full = fitting
            .filter(|rumor| rumor.reached() > 1 && rumor.coverage(self.model.nodes(), Counting::HadTime).is_full());
        let (mut measured, mut bounds): (_, TheoryBounds) = (Vec::new(), None);
        for rumor in full {
            let overlay = self.model.overlay_changed_since(rumor.began()).then(|| self.model.overlay_at(rumor.began()));
            let wave = self.model.wave_on(rumor, overlay.as_ref().unwrap_or(&now));
            if wave.is_under_way {
                continue;
            }
            let predicted = wave.predicted_curve().last().map(|(time, _)| *time);
            if let Some(time) = predicted {
                bounds = Some(bounds.map_or((time, time), |(least, most)| (least.min(time), most.max(time))));
            }
            measured.push(self.spread(rumor, predicted));
        }
        (measured, bounds)
    }

    fn spread(self, rumor: &Rumor, predicted: Option<Duration>) -> Measurement {
        let took = Duration::from_micros(rumor.spread_us());
        let theory = predicted.map_or_else(String::new, |time| format!("; theory: {}", span_text(time)));
        let name = self.model.message_name(rumor.id);
        let text = format!("{name} was everywhere {} after it began{theory}", span_text(took));
        let line = EvidenceLine::at(rumor.last_first, text).told_by_any(SourceKind::Copy(rumor.id));
        Measurement { what: Measured::Spread, took, line }
    }
}

/// All but messages, and of those the slowest.
fn measured_lines(measured: Vec<Measurement>) -> Vec<EvidenceLine> {
    let (mut spreads, others): (Vec<_>, Vec<_>) = measured.into_iter().partition(|one| one.what == Measured::Spread);
    spreads.sort_by_key(|one| std::cmp::Reverse(one.took));
    spreads.truncate(SLOWEST_TOLD);
    in_order(others.into_iter().chain(spreads).map(|one| one.line).collect())
}

fn verdict_of_times(measured: &[Measurement], theory: impl Fn(Measured) -> TheoryBounds) -> String {
    let clause = |(what, _): &(Measured, &str)| {
        let mut times: Vec<Duration> = measured.iter().filter(|one| one.what == *what).map(|one| one.took).collect();
        times.sort_unstable();
        let count = times.len() as u64;
        let median = span_text(quantile(&times, 50)?);
        let theory = theory(*what).map_or_else(String::new, |(least, most)| {
            let (late, early) =
                (times.iter().filter(|took| **took > most).count(), times.iter().filter(|took| **took < least).count());
            let outside =
                if late + early == 0 { "all within it".to_owned() } else { format!("{late} later, {early} sooner") };
            format!(" (theory: {} to {}; {outside})", span_text(least), span_text(most))
        });
        Some(match what {
            Measured::CrashFound => format!(
                "{} {median} to find{theory}",
                if count == 1 { "1 crash took".to_owned() } else { format!("{count} crashes took") }
            ),
            Measured::SilenceFound => format!("{} took {median} to find{theory}", count_text(count, "silent node")),
            Measured::OffLists => format!("the last seed delisted them after {median} more"),
            Measured::Healed => {
                format!("the overlay was whole again {median} after {}", count_text(count, "parting"))
            }
            Measured::Spread => format!("{} took {median} to be everywhere{theory}", count_text(count, "message")),
        })
    };
    let clauses: Vec<String> = ALL.iter().filter_map(clause).collect();
    if clauses.is_empty() {
        return "Nobody died, the overlay was not parted, and no message is everywhere yet.".to_owned();
    }
    format!("By the median, {}.", clauses.join("; "))
}
