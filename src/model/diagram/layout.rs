//! What stands in which row of a diagram.
//!
//! Rows are in order of time and not in proportion to it: a message crosses a network in a millisecond, and
//! the next probe is seconds away. Items within a step of each other share a row as far as they do not
//! overlap; a time without items takes as many empty rows as it has steps, up to a few.

use std::time::Duration;

use super::item::DiagramItem;
use crate::model::words::{clock_text, span_text};
use crate::proto::time::Time;

/// Empty rows for one silence: more tell no more.
const SILENCE_ROWS_MAX: u32 = 3;
/// Of so many rows one may be empty, unless the reader wants to see time pass.
const EMPTY_SHARE: usize = 4;
/// A silence of this length is told in words.
const SILENCE_TOLD: Duration = Duration::from_secs(1);
/// The steps of time that a row can stand for, in microseconds: 1, 2 and 5 of each power of ten, up to
/// about an hour.
const STEPS_US: [u64; 30] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
];

/// How much time a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowStep(usize);

impl RowStep {
    const LONGEST: Self = Self(STEPS_US.len() - 1);

    pub fn span(self) -> Duration {
        Duration::from_micros(STEPS_US.get(self.0).copied().unwrap_or(u64::MAX))
    }

    #[must_use]
    pub const fn shorter(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    #[must_use]
    pub fn longer(self) -> Self {
        Self(self.0 + 1).min(Self::LONGEST)
    }
}

/// The part of a row that an item takes, in whatever unit whoever draws counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub left: usize,
    /// The first place after it.
    pub right: usize,
}

impl Extent {
    pub const fn overlaps(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutRow {
    pub at: Time,
    /// Places in [`super::Diagram::items`].
    pub items: Vec<usize>,
    /// Nothing happens in this time, for which this row and the empty ones after it stand.
    pub silence: Option<Duration>,
}

/// Rows for these items, which are in order. Whoever draws says which part of a row each takes; of those that
/// take none, any number share a row.
pub fn lay_out(
    items: &[DiagramItem],
    step: RowStep,
    extent: impl Fn(&DiagramItem) -> Option<Extent>,
) -> Vec<LayoutRow> {
    let mut rows: Vec<LayoutRow> = Vec::new();
    let mut taken: Vec<Extent> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let extent = extent(item);
        let is_free = extent.is_none_or(|extent| !taken.iter().any(|other| other.overlaps(extent)));
        if let Some(row) = rows.last_mut().filter(|row| is_free && item.at.since(row.at) < step.span()) {
            row.items.push(place);
        } else {
            if let Some(last) = rows.last() {
                let silent = silence(last.at, item.at, step);
                rows.extend(silent);
            }
            rows.push(LayoutRow { at: item.at, items: vec![place], silence: None });
            taken.clear();
        }
        taken.extend(extent);
    }
    rows
}

/// Empty rows between two moments.
fn silence(from: Time, to: Time, step: RowStep) -> Vec<LayoutRow> {
    let gap = to.since(from);
    let steps = gap.as_micros() / step.span().as_micros().max(1);
    let count = u32::try_from(steps).unwrap_or(u32::MAX).saturating_sub(1).min(SILENCE_ROWS_MAX);
    let row = |number: u32| LayoutRow {
        at: from + gap / (count + 1) * number,
        items: Vec::new(),
        silence: (number == 1 && gap >= SILENCE_TOLD).then_some(gap),
    };
    (1..=count).map(row).collect()
}

/// When a row is: the time of day; of rows that a clock shows alike how much later it is than the row before;
/// nothing if it is the same time.
pub fn time_text(at: Time, before: Option<Time>, utc_offset_s: i32) -> String {
    let clock = |at: Time| clock_text(at, utc_offset_s);
    match before {
        Some(before) if before == at => String::new(),
        Some(before) if clock(before) == clock(at) => format!("+{}", span_text(at.since(before))),
        Some(_) | None => clock(at),
    }
}

/// The shortest step at which there are no more rows than these, and few empty ones; if there is none, the
/// longest.
pub fn step_for(rows_max: usize, rows: impl Fn(RowStep) -> usize) -> RowStep {
    let full = rows(RowStep::LONGEST);
    let most = rows_max.min(full + full / EMPTY_SHARE);
    // The longer the step, the fewer rows.
    let fits = (0..STEPS_US.len()).collect::<Vec<_>>().partition_point(|step| rows(RowStep(*step)) > most);
    RowStep(fits).min(RowStep::LONGEST)
}

/// The same for a reader who scrolls: what needs more rows than these whatever the step, as it does not fit side
/// by side, only gets few empty ones, so that a row stands for a readable time.
pub fn scrolled_step_for(rows_max: usize, rows: impl Fn(RowStep) -> usize) -> RowStep {
    let is_too_much = rows(RowStep::LONGEST) > rows_max;
    step_for(if is_too_much { usize::MAX } else { rows_max }, rows)
}

/// Where a moment is among the rows, from 0 on: between two rows in proportion to its time between theirs.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
pub fn place_of(rows: &[LayoutRow], at: Time) -> f64 {
    let after = rows.partition_point(|row| row.at <= at);
    let Some(before) = after.checked_sub(1) else { return 0.0 };
    let (from, place) = (rows[before].at, before as f64);
    match rows.get(after) {
        Some(next) => place + at.since(from).as_secs_f64() / next.at.since(from).as_secs_f64().max(1e-6),
        None => place,
    }
}
