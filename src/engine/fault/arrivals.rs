//! When the last message on its way arrives, for each delayed connection: the next one does not
//! overtake it.

use std::collections::BTreeMap;

use super::Route;
use crate::proto::time::Time;

/// Connections whose order is watched before finished ones are removed.
pub(super) const SWEEP_MIN: usize = 4_096;

/// The messages on their way, as far as their order matters.
#[derive(Debug)]
pub(super) struct Arrivals {
    last: BTreeMap<Route, Time>,
    /// When all of them have arrived.
    latest: Time,
    /// With this many connections, finished ones are removed. At least half of them are new by
    /// then, so a message costs no more however many there are, and there are never more than twice
    /// as many as needed.
    sweep_at: usize,
}

impl Arrivals {
    pub(super) const fn new() -> Self {
        Self { last: BTreeMap::new(), latest: Time::from_micros(0), sweep_at: SWEEP_MIN }
    }

    /// A message that would arrive at `due` does not arrive before what was sent earlier.
    pub(super) fn in_order(&mut self, now: Time, way: Route, due: Time) -> Time {
        let due = self.last.get(&way).map_or(due, |last| due.max(*last));
        if due <= now {
            self.last.remove(&way);
            return due;
        }
        self.latest = self.latest.max(due);
        self.last.insert(way, due);
        if self.last.len() >= self.sweep_at {
            self.last.retain(|_, last| *last > now);
            self.sweep_at = SWEEP_MIN.max(self.last.len() * 2);
        }
        due
    }

    /// Nothing is on its way any more.
    pub(super) fn are_over(&mut self, now: Time) -> bool {
        if self.latest <= now {
            self.last.clear();
            self.sweep_at = SWEEP_MIN;
        }
        self.last.is_empty()
    }

    /// Nothing was delayed, or all of it is over.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;

    fn way(connection: u64) -> Route {
        Route { from: Addr::loopback(1), to: Addr::loopback(2), connection }
    }

    fn at(us: u64) -> Time {
        Time::from_micros(us)
    }

    #[test]
    fn of_many_connections_those_that_are_done_are_forgotten() {
        let mut arrivals = Arrivals::new();
        let (delay, many) = (3_000, 100_000);
        for now in 0..many {
            arrivals.in_order(at(now), way(now), at(now + delay));
            assert!(arrivals.last.len() <= 2 * SWEEP_MIN, "{} at {now}", arrivals.last.len());
        }
    }

    #[test]
    fn sweeping_costs_the_same_however_much_is_on_its_way() {
        let mut arrivals = Arrivals::new();
        let mut looks = 0_usize;
        let many = 20 * SWEEP_MIN as u64;
        for connection in 0..many {
            let (before, len) = (arrivals.sweep_at, arrivals.last.len());
            arrivals.in_order(at(connection), way(connection), at(u64::MAX / 2));
            looks += if arrivals.sweep_at == before { 0 } else { len };
        }
        assert_eq!(arrivals.last.len() as u64, many, "all are still on their way");
        assert!(looks <= 2 * arrivals.last.len(), "{looks} for {many} messages");
        assert!(!arrivals.are_over(at(many)));
        assert!(arrivals.are_over(at(u64::MAX / 2)) && arrivals.is_empty());
    }

    #[test]
    fn what_is_sent_later_never_arrives_before() {
        let mut arrivals = Arrivals::new();
        assert_eq!(arrivals.in_order(at(0), way(1), at(500)), at(500));
        assert_eq!(arrivals.in_order(at(10), way(1), at(20)), at(500));
        assert_eq!(arrivals.in_order(at(10), way(2), at(20)), at(20), "by another connection it may");
        assert_eq!(arrivals.in_order(at(600), way(1), at(600)), at(600));
    }
}
