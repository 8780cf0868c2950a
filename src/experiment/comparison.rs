//! What came out otherwise: the figures of runs side by side.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::figures::{Death, Figures};
use super::run::RunOutcome;
use crate::model::words::{count_text, list_text, span_text};
use crate::proto::fault::span_word;
use crate::scenario::Summary;

/// Lines that tell of one difference in detail: as many as anybody reads.
const DETAILS_MAX: usize = 12;
/// Peers that a line names.
const NAMES_MAX: usize = 6;
/// From here on, a span in whole minutes or hours names no moment.
const COARSE_FROM: Duration = Duration::from_secs(120);

/// A run, and what it is called in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComparedRun {
    pub run: String,
    #[serde(flatten)]
    pub figures: Figures,
    /// Expectations that failed or were not decided; absent for a recording, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_met: Option<Vec<String>>,
    /// Lines that were not done, or only in part; absent for a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_done: Option<Vec<String>>,
}

/// One figure of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    pub title: String,
    /// In the order of the runs.
    pub values: Vec<String>,
    /// Equal in the two runs that are compared.
    pub is_same: bool,
    /// How a sentence tells the difference: `no deaths instead of 2`.
    told: String,
}

/// A difference in detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub title: &'static str,
    pub lines: Vec<String>,
    /// Lines over the limit.
    pub more: usize,
}

/// Two runs that are compared, and perhaps the recording of which they repeat what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunComparison {
    /// The recording first, then the two that are compared.
    pub runs: Vec<ComparedRun>,
    pub rows: Vec<FigureRow>,
    pub details: Vec<Detail>,
}

impl ComparedRun {
    /// A run in virtual time.
    pub fn played(run: &str, RunOutcome { figures, summary }: RunOutcome) -> Self {
        let Summary { failed, undecided, skipped, .. } = summary;
        let not_met = failed.into_iter().chain(undecided).collect();
        Self { run: run.to_owned(), figures, not_met: Some(not_met), not_done: Some(skipped) }
    }

    /// A recording.
    pub fn recorded(run: &str, figures: Figures) -> Self {
        Self { run: run.to_owned(), figures, not_met: None, not_done: None }
    }

    fn is_same(&self, other: &Self) -> bool {
        let played = |run: &Self| (run.not_met.clone().unwrap_or_default(), run.not_done.clone().unwrap_or_default());
        self.figures == other.figures && played(self) == played(other)
    }
}

impl RunComparison {
    /// Compares `otherwise` with `before`; `recorded` is shown beside.
    pub fn of(recorded: Option<ComparedRun>, before: ComparedRun, otherwise: ComparedRun) -> Self {
        let details = details(&before, &otherwise);
        let runs: Vec<ComparedRun> = recorded.into_iter().chain([before, otherwise]).collect();
        let rows = COUNTS.iter().map(|count| count.row(&runs)).chain(DELAYS.iter().map(|delay| delay.row(&runs)));
        let rows = rows.filter(FigureRow::is_worth_showing).collect();
        Self { runs, rows, details }
    }

    /// Everything is the same in the two runs that are compared.
    pub fn is_same(&self) -> bool {
        match self.runs.as_slice() {
            [.., before, otherwise] => before.is_same(otherwise),
            [] | [_] => true,
        }
    }

    /// What came out otherwise, in a line without its period.
    pub fn verdict(&self) -> String {
        if self.is_same() {
            return "nothing came out otherwise".to_owned();
        }
        let told: Vec<&str> = self.rows.iter().filter(|row| !row.is_same).map(|row| row.told.as_str()).collect();
        match told.len() {
            0 => "the counts are the same, and details differ".to_owned(),
            all if all == self.rows.len() => told.join(", "),
            _ => format!("{}; the rest is the same", told.join(", ")),
        }
    }

    /// The figures as a table, and the differences in detail.
    pub fn lines(&self) -> Vec<String> {
        let mut table = vec![self.head()];
        let same = |row: &FigureRow| if row.is_same { "the same" } else { "" }.to_owned();
        let cells = |row: &FigureRow| [vec![row.title.clone()], row.values.clone(), vec![same(row)]].concat();
        table.extend(self.rows.iter().map(cells));
        let mut lines = in_columns(&table);
        for Detail { title, lines: told, more } in &self.details {
            lines.extend([String::new(), (*title).to_owned()]);
            lines.extend(told.iter().map(|line| format!("  {line}")));
            lines.extend((*more > 0).then(|| format!("  and {more} more")));
        }
        lines
    }

    fn head(&self) -> Vec<String> {
        let runs = self.runs.iter().map(|run| run.run.to_uppercase());
        std::iter::once(String::new()).chain(runs).chain([String::new()]).collect()
    }
}

impl FigureRow {
    /// Not a figure that is zero in all runs and always would be.
    fn is_worth_showing(&self) -> bool {
        self.values.iter().any(|value| value != "-")
    }
}

/// A figure that counts something.
struct Count {
    /// What is counted, one of it.
    one: &'static str,
    /// What follows the number and that word.
    suffix: &'static str,
    /// `None`: this run has no such figure.
    of: fn(&ComparedRun) -> Option<u64>,
}

const fn count(one: &'static str, suffix: &'static str, of: fn(&ComparedRun) -> Option<u64>) -> Count {
    Count { one, suffix, of }
}

const COUNTS: &[Count] = &[
    count("death", "", |run| Some(run.figures.deaths.len() as u64)),
    count("false death", "", |run| Some(run.figures.false_deaths.len() as u64)),
    count("message", "", |run| Some(run.figures.messages)),
    count("incomplete message", "", |run| Some(run.figures.incomplete)),
    count("link", " made", |run| Some(run.figures.links_made)),
    count("link", " ended", |run| Some(run.figures.links_ended)),
    count("link", " at the end", |run| Some(run.figures.links_at_end.len() as u64)),
    count("warning", "", |run| Some(run.figures.warnings.len() as u64)),
    count("expectation", " not met", |run| of_lines(run.not_met.as_ref())),
    count("line", " not done", |run| of_lines(run.not_done.as_ref())),
];

fn of_lines(lines: Option<&Vec<String>>) -> Option<u64> {
    lines.map(|lines| lines.len() as u64).filter(|lines| *lines > 0)
}

impl Count {
    fn row(&self, runs: &[ComparedRun]) -> FigureRow {
        let counts: Vec<Option<u64>> = runs.iter().map(self.of).collect();
        let (before, otherwise) = last_two(&counts);
        let zero = |count: Option<u64>| count.unwrap_or(0);
        let what = match zero(otherwise) {
            0 => format!("no {}s", self.one),
            count => count_text(count, self.one),
        };
        // A figure that only one of the compared runs has is zero in the other.
        let is_any = counts.iter().any(Option::is_some);
        let value = |count: &Option<u64>| match count {
            Some(count) => count.to_string(),
            None => if is_any { "0" } else { "-" }.to_owned(),
        };
        FigureRow {
            title: format!("{}s{}", self.one, self.suffix),
            values: counts.iter().map(value).collect(),
            is_same: zero(before) == zero(otherwise),
            told: format!("{what}{} instead of {}", self.suffix, zero(before)),
        }
    }
}

/// A figure that is a delay.
struct DelayFigure {
    title: &'static str,
    of: fn(&Figures) -> Option<u64>,
}

const DELAYS: &[DelayFigure] = &[
    DelayFigure { title: "median delay", of: |figures| figures.delay_us.map(|delay| delay.median) },
    DelayFigure { title: "95th percentile", of: |figures| figures.delay_us.map(|delay| delay.p95) },
];

impl DelayFigure {
    fn row(&self, runs: &[ComparedRun]) -> FigureRow {
        let values: Vec<String> =
            runs.iter().map(|run| (self.of)(&run.figures).map_or_else(none, delay_text)).collect();
        let (before, otherwise) = last_two(&values);
        let told = format!("{} {otherwise} instead of {before}", self.title);
        let is_same = before == otherwise;
        FigureRow { title: self.title.to_owned(), is_same, told, values }
    }
}

fn none() -> String {
    "-".to_owned()
}

fn last_two<T: Clone + Default>(values: &[T]) -> (T, T) {
    match values {
        [.., before, otherwise] => (before.clone(), otherwise.clone()),
        [] | [_] => (T::default(), T::default()),
    }
}

/// `840 us`, `1.812 ms`, `18.12 ms`, `181.2 ms`, `1.812 s`: four digits, rounded down.
fn delay_text(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..10_000 => format!("{}.{:03} ms", us / 1_000, us % 1_000),
        10_000..100_000 => format!("{}.{:02} ms", us / 1_000, us / 10 % 100),
        100_000..1_000_000 => format!("{}.{} ms", us / 1_000, us / 100 % 10),
        _ => format!("{}.{:03} s", us / 1_000_000, us / 1_000 % 1_000),
    }
}

/// The first column on the left, the others aligned under their titles.
pub(super) fn in_columns(table: &[Vec<String>]) -> Vec<String> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| table.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

/// What differs between two runs, by what it is about.
fn details(before: &ComparedRun, otherwise: &ComparedRun) -> Vec<Detail> {
    let labels = [before.run.as_str(), otherwise.run.as_str()];
    let (a, b) = (&before.figures, &otherwise.figures);
    let lacking = |figures: &Figures, message: &String| {
        figures.lacked.get(message).map_or_else(
            || "nobody lacks it".to_owned(),
            |names| format!("{} {} it", list_text(names, NAMES_MAX), if names.len() == 1 { "lacks" } else { "lack" }),
        )
    };
    let messages = a.lacked.keys().chain(b.lacked.keys()).collect::<BTreeSet<_>>();
    let warnings = |figures: &Figures| figures.warnings.iter().map(|warning| warning.text.clone()).collect();
    let links = |figures: &Figures| figures.links_at_end.iter().cloned().collect();
    let told = |lines: &Option<Vec<String>>| lines.clone().unwrap_or_default();
    let all = [
        ("Deaths", of_deaths(labels, [&a.deaths, &b.deaths])),
        ("False deaths", of_deaths(labels, [&a.false_deaths, &b.false_deaths])),
        ("Incomplete messages", pairs(labels, messages, |message| [lacking(a, message), lacking(b, message)])),
        ("Links at the end", only_in(labels, [links(a), links(b)])),
        ("Warnings", only_in(labels, [warnings(a), warnings(b)])),
        ("Expectations not met", only_in(labels, [told(&before.not_met), told(&otherwise.not_met)])),
        ("Lines not done", only_in(labels, [told(&before.not_done), told(&otherwise.not_done)])),
    ];
    let differing = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    let detail = |(title, mut lines): (&'static str, Vec<String>)| {
        let more = lines.len().saturating_sub(DETAILS_MAX);
        lines.truncate(DETAILS_MAX);
        Detail { title, lines, more }
    };
    differing.map(detail).collect()
}

/// A line for each thing of which the two runs tell differently.
fn pairs<'a>(
    [before, otherwise]: [&str; 2],
    things: impl IntoIterator<Item = &'a String>,
    told: impl Fn(&String) -> [String; 2],
) -> Vec<String> {
    let line = |thing: &String| {
        let [a, b] = told(thing);
        (a != b).then(|| format!("{thing}: {before}, {a}; {otherwise}, {b}"))
    };
    things.into_iter().filter_map(line).collect()
}

fn of_deaths(labels: [&str; 2], deaths: [&[Death]; 2]) -> Vec<String> {
    let nodes: BTreeSet<&String> = deaths.iter().flat_map(|deaths| deaths.iter()).map(|death| &death.node).collect();
    let told = |deaths: &[Death], node: &String| {
        let of_node: Vec<String> = deaths.iter().filter(|death| death.node == *node).map(death_text).collect();
        if of_node.is_empty() { "none".to_owned() } else { of_node.join(" and ") }
    };
    pairs(labels, nodes, |node| deaths.map(|deaths| told(deaths, node)))
}

/// `at 7.2 s by 4 peers, off 2 lists`.
fn death_text(death: &Death) -> String {
    let at = moment_text(Duration::from_micros(death.at_us));
    let (by, off) = (count_text(death.by as u64, "peer"), count_text(death.removed_by as u64, "list"));
    let off = if death.removed_by == 0 { "on all lists".to_owned() } else { format!("off {off}") };
    format!("at {at} by {by}, {off}")
}

/// `7.2 s`, or `3h12m3s` where a span in one unit would name no moment.
fn moment_text(since_start: Duration) -> String {
    let seconds = Duration::from_secs(since_start.as_secs());
    if seconds < COARSE_FROM { span_text(since_start) } else { span_word(seconds) }
}

/// What only one of two lists has; what stands in a list twice must do so in the other.
fn only_in([before, otherwise]: [&str; 2], [a, b]: [Vec<String>; 2]) -> Vec<String> {
    let [gone, new] = [rest(&a, &b), rest(&b, &a)];
    let line = |run: &str, text: String| format!("only {run}: {text}");
    gone.into_iter().map(|text| line(before, text)).chain(new.into_iter().map(|text| line(otherwise, text))).collect()
}

/// The first list without what the second has.
fn rest(of: &[String], without: &[String]) -> Vec<String> {
    let mut without = without.to_vec();
    let mut kept = Vec::new();
    for text in of {
        match without.iter().position(|other| other == text) {
            Some(place) => drop(without.swap_remove(place)),
            None => kept.push(text.clone()),
        }
    }
    kept
}
