//! Which moment stands where on the timeline.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::model::timeline::{Timeline, TimelineMark};
use crate::proto::time::Time;

/// Where the row was drawn, and which time its columns stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeScale {
    /// The columns of the bar.
    pub(crate) area: Rect,
    pub(crate) first: Time,
    /// Where the last column ends.
    pub(crate) end: Time,
}

impl TimeScale {
    fn columns(self) -> u64 {
        u64::from(self.area.width)
    }

    /// The moment at which this column begins.
    pub(crate) fn begin_of(self, column: u64) -> Time {
        let lasts = u128::from(self.end.micros_since(self.first)) + 1;
        let micros = lasts * u128::from(column) / u128::from(self.columns().max(1));
        self.first + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// The column of this moment.
    pub(crate) fn column_of(self, at: Time) -> u64 {
        let lasts = u128::from(self.end.micros_since(self.first)) + 1;
        let column = u128::from(at.micros_since(self.first)) * u128::from(self.columns()) / lasts;
        u64::try_from(column).unwrap_or(u64::MAX).min(self.columns().saturating_sub(1))
    }

    /// The moment that a click here means.
    pub(crate) fn moment_at(self, column: u16) -> Option<Time> {
        let inside = self.area.x <= column && column < self.area.right();
        inside.then(|| self.begin_of(u64::from(column - self.area.x)))
    }

    /// The marks in the column of this moment.
    pub(crate) fn marks_near(self, at: Time, timeline: &Timeline) -> &[TimelineMark] {
        let column = self.column_of(at);
        timeline.marks_between(self.begin_of(column), self.begin_of(column + 1) - Duration::from_micros(1))
    }
}
