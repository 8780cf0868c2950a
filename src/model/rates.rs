//! Rates over time: what each of the last seconds brought, for charts.

use std::collections::VecDeque;

use crate::proto::time::Time;

/// Seconds that charts show: five minutes.
const SECONDS_SHOWN: u64 = 300;
/// Seconds that are kept: the columns of a chart are aligned, so the oldest reaches further back by up
/// to a column; at most 120 kB.
const SECONDS_KEPT: u64 = SECONDS_SHOWN + 60;
/// Round-trip times that are kept of a second, the first ones: all of those of a lab of 8, and
/// enough for the median of a large one.
const RTTS_MAX: usize = 64;

const SECOND_US: u64 = 1_000_000;

/// What happened in one second. Seconds in which nothing did are not kept.
#[derive(Debug, Clone, PartialEq, Default)]
struct Second {
    number: u64,
    counts: Counts,
    rtts_us: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Counts {
    messages: u32,
    answered: u32,
    missed: u32,
    deaths: u32,
    faults: u32,
}

/// The last [`SECONDS_KEPT`] seconds, by the time of the events.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    seconds: VecDeque<Second>,
    /// The first second of the session.
    first: Option<u64>,
}

/// What a column of a chart shows: one or more seconds. There is no value where nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RateColumn {
    /// First copies and new messages a second.
    pub messages_per_s: Option<f64>,
    /// Percent of the probes with an outcome that were answered.
    pub answered_percent: Option<f64>,
    /// The median of the round-trip times.
    pub rtt_us: Option<u64>,
    /// A node was taken for dead by a neighbor.
    pub has_death: bool,
    /// A fault was set.
    pub has_fault: bool,
}

/// Columns from the oldest to the newest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateColumns {
    /// Seconds that each column stands for.
    pub step_s: u64,
    pub columns: Vec<RateColumn>,
}

impl Rates {
    pub(super) fn message(&mut self, at: Time) {
        self.count(at, |second| second.counts.messages += 1);
    }

    pub(super) fn answered(&mut self, at: Time, rtt_us: u64) {
        self.count(at, |second| {
            second.counts.answered += 1;
            if second.rtts_us.len() < RTTS_MAX {
                second.rtts_us.push(u32::try_from(rtt_us).unwrap_or(u32::MAX));
            }
        });
    }

    pub(super) fn missed(&mut self, at: Time) {
        self.count(at, |second| second.counts.missed += 1);
    }

    pub(super) fn death(&mut self, at: Time) {
        self.count(at, |second| second.counts.deaths += 1);
    }

    pub(super) fn fault(&mut self, at: Time) {
        self.count(at, |second| second.counts.faults += 1);
    }

    /// Counts something, unless it is older than what is kept.
    fn count(&mut self, at: Time, note: impl FnOnce(&mut Second)) {
        let number = at.as_micros() / SECOND_US;
        self.first = Some(self.first.map_or(number, |first| first.min(number)));
        let newest = self.seconds.back().map_or(number, |second| second.number.max(number));
        if newest - number >= SECONDS_KEPT {
            return;
        }
        // Nearly always the newest second; nodes run side by side, so some events come late.
        let place = match self.seconds.back() {
            Some(second) if second.number == number => self.seconds.len() - 1,
            Some(_) | None => self.seconds.partition_point(|second| second.number < number),
        };
        if self.seconds.get(place).is_none_or(|second| second.number != number) {
            self.seconds.insert(place, Second { number, ..Second::default() });
        }
        if let Some(second) = self.seconds.get_mut(place) {
            note(second);
        }
        while self.seconds.front().is_some_and(|second| newest - second.number >= SECONDS_KEPT) {
            self.seconds.pop_front();
        }
    }

    /// The last five minutes before `now`, in at most so many columns, each as short as possible. A
    /// column that is not over yet or partly forgotten would mislead, and is left out.
    pub fn columns(&self, now: Time, columns: usize) -> RateColumns {
        let end = now.as_micros() / SECOND_US;
        let Some(first) = self.first.filter(|first| *first < end && columns > 0) else { return RateColumns::default() };
        let least = (end - first).min(SECONDS_SHOWN).div_ceil(columns as u64);
        let step_s = (least..SECONDS_SHOWN).find(|step| SECONDS_SHOWN.is_multiple_of(*step)).unwrap_or(SECONDS_SHOWN);
        // A column holds the same seconds in each picture, so that it moves and does not flicker.
        let newest = end / step_s;
        let oldest = first.max(end.saturating_sub(SECONDS_KEPT)).div_ceil(step_s);
        let whole = oldest.max(newest.saturating_sub(SECONDS_SHOWN / step_s))..newest;
        let columns = whole.map(|number| self.column(number * step_s, (number + 1) * step_s));
        RateColumns { step_s, columns: columns.collect() }
    }

    /// The seconds from `start` to before `end`.
    fn column(&self, start: u64, end: u64) -> RateColumn {
        let place = |number: u64| self.seconds.partition_point(|second| second.number < number);
        let mut sum = Counts::default();
        let mut rtts_us = Vec::new();
        for second in self.seconds.range(place(start)..place(end)) {
            let Counts { messages, answered, missed, deaths, faults } = second.counts;
            sum.messages += messages;
            sum.answered += answered;
            sum.missed += missed;
            sum.deaths += deaths;
            sum.faults += faults;
            rtts_us.extend_from_slice(&second.rtts_us);
        }
        let probes = f64::from(sum.answered) + f64::from(sum.missed);
        #[expect(clippy::cast_precision_loss, reason = "at most a few hundred seconds")]
        let seconds = (end - start) as f64;
        RateColumn {
            messages_per_s: Some(f64::from(sum.messages) / seconds),
            answered_percent: Some(f64::from(sum.answered) * 100.0 / probes).filter(|_| probes > 0.0),
            rtt_us: median(&mut rtts_us),
            has_death: sum.deaths > 0,
            has_fault: sum.faults > 0,
        }
    }
}

fn median(values: &mut [u32]) -> Option<u64> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, median, _) = values.select_nth_unstable(middle);
    Some(u64::from(*median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * SECOND_US + 1)
    }

    #[test]
    fn each_whole_second_is_a_column_while_there_is_room() {
        let mut rates = Rates::default();
        for s in [100, 100, 102] {
            rates.message(at(s));
        }
        for (s, rtt_us) in [(101, 900), (101, 100), (101, 300), (102, 50)] {
            rates.answered(at(s), rtt_us);
        }
        rates.missed(at(101));
        rates.death(at(101));
        rates.fault(at(100));
        let RateColumns { step_s, columns } = rates.columns(at(102), 10);
        let column = |messages, percent, rtt_us| RateColumn {
            messages_per_s: Some(messages),
            answered_percent: percent,
            rtt_us,
            ..RateColumn::default()
        };
        let first = RateColumn { has_fault: true, ..column(2.0, None, None) };
        let second = RateColumn { has_death: true, ..column(0.0, Some(75.0), Some(300)) };
        assert_eq!((step_s, columns), (1, vec![first, second]), "the second 102 is not over yet");
    }

    #[test]
    fn a_longer_time_is_shown_in_longer_columns() {
        let mut rates = Rates::default();
        (0..1_000).for_each(|s| rates.message(at(s)));
        let RateColumns { step_s, columns } = rates.columns(at(1_000), 70);
        assert_eq!((step_s, columns.len()), (5, 60));
        assert_eq!(rates.columns(at(1_002), 70).columns.len(), 60, "the column that is not over is left out");
        assert!(columns.iter().all(|column| column.messages_per_s == Some(1.0)), "{columns:?}");
    }

    #[test]
    fn seconds_older_than_five_minutes_are_forgotten() {
        let mut rates = Rates::default();
        (0..2_000).for_each(|s| rates.answered(at(s), 7));
        rates.message(at(3));
        assert_eq!(rates.seconds.len() as u64, SECONDS_KEPT);
        rates.message(at(900_000));
        assert_eq!(rates.seconds.len(), 1);
        (0..1_000).for_each(|_| rates.answered(at(900_000), 7));
        assert_eq!(rates.seconds[0].rtts_us.len(), RTTS_MAX);
    }

    #[test]
    fn an_event_that_comes_late_counts_in_its_own_second() {
        let mut rates = Rates::default();
        for second in [10, 12, 11, 10] {
            rates.message(at(second));
        }
        let columns = rates.columns(at(13), 10).columns;
        let messages: Vec<_> = columns.iter().filter_map(|column| column.messages_per_s).collect();
        assert_eq!(messages, [2.0, 1.0, 1.0]);
    }

    #[test]
    fn without_a_whole_second_or_room_there_are_no_columns() {
        let mut rates = Rates::default();
        assert_eq!(rates.columns(at(5), 10), RateColumns::default());
        rates.message(at(5));
        assert_eq!(rates.columns(at(5), 10), RateColumns::default());
        assert_eq!(rates.columns(at(8), 0), RateColumns::default());
    }
}
