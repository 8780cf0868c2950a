//! Bounded reports of remotes' offenses: a stranger that floods us with bad connections must not
//! flood the screen, the journal and the log files.
//!
//! The first few offenses from one machine are reported one by one, and the rest of the same
//! [`WINDOW`] as one number at its end. A name costs a remote nothing, so machines are told apart
//! by address alone; beyond a limit they are counted together.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::cx::Cx;
use super::event::{EventKind, LinkEvent, OffenderHost};
use super::flat_map::FlatMap;
use super::machine::Output;
use super::time::{Time, micros};

/// Offenses from one machine that are reported one by one in a window: enough to see what they are.
const OFFENSES_TOLD_MAX: u32 = 3;
/// How long further ones are counted before their number is reported.
const WINDOW: Duration = Duration::from_secs(10);
/// Machines that are told apart; further ones in the same window are counted together.
const HOSTS_MAX: usize = 32;

/// The offenses of one host in the current window.
#[derive(Debug)]
struct OffenseWindow {
    ends: Time,
    told: u32,
    untold: u64,
}

/// What was reported lately, and how much was only counted.
#[derive(Debug, Default)]
pub(super) struct Offenses {
    windows: FlatMap<OffenderHost, OffenseWindow>,
}

impl Offenses {
    /// Reports an offense from this machine, or counts it.
    pub(super) fn tell(
        &mut self,
        cx: &mut Cx<impl Output, impl Sized>,
        from: Ipv4Addr,
        event: impl FnOnce() -> EventKind,
    ) {
        self.end_windows(cx);
        let host = self.host(from);
        let window =
            self.windows.get_or_insert_with(host, || OffenseWindow { ends: cx.now + WINDOW, told: 0, untold: 0 });
        if window.told < OFFENSES_TOLD_MAX {
            window.told += 1;
            cx.out.emit(event);
        } else {
            window.untold += 1;
        }
    }

    fn host(&self, from: Ipv4Addr) -> OffenderHost {
        let host = OffenderHost::One(from);
        if self.windows.contains_key(host) || self.windows.len() < HOSTS_MAX { host } else { OffenderHost::Others }
    }

    /// Reports how much was counted in the windows that are over.
    pub(super) fn end_windows(&mut self, cx: &mut Cx<impl Output, impl Sized>) {
        self.windows.retain(|host, window| {
            let over = window.ends <= cx.now;
            if over && window.untold > 0 {
                cx.out.emit(|| summary(host, window.untold));
            }
            !over
        });
    }

    /// When there is a number to report.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.windows.values().filter(|window| window.untold > 0).map(|window| window.ends).min()
    }
}

fn summary(host: OffenderHost, count: u64) -> EventKind {
    EventKind::Link(LinkEvent::MoreOffenses { host, count, span_us: micros(WINDOW) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::addr::Addr;
    use crate::proto::event::{Rule, Violation};
    use crate::proto::testing::{Surroundings, Wishes};

    fn offense() -> EventKind {
        EventKind::Link(LinkEvent::Violation {
            remote: Addr::loopback(0),
            peer: None,
            violation: Violation::new(Rule::Malformed, b""),
            connection: None,
        })
    }

    fn more(told: &Wishes) -> Vec<(OffenderHost, u64)> {
        let more = |kind: &'_ EventKind| matches!(kind, EventKind::Link(LinkEvent::MoreOffenses { .. }));
        let of = |kind| match kind {
            &EventKind::Link(LinkEvent::MoreOffenses { host, count, .. }) => (host, count),
            _ => unreachable!(),
        };
        told.events.iter().filter(|kind| more(kind)).map(of).collect()
    }

    #[test]
    fn offenses_of_too_many_machines_are_bounded_and_none_is_lost() {
        let (mut offenses, mut around) = (Offenses::default(), Surroundings::new(3000, &[]));
        for n in 0..100_000_u32 {
            offenses.tell(&mut around.cx(), (0x0a00_0000 + n).into(), offense);
        }
        assert!(offenses.windows.len() <= HOSTS_MAX + 1);
        let one_by_one = around.take().events.len();
        assert!(one_by_one <= HOSTS_MAX + OFFENSES_TOLD_MAX as usize, "{one_by_one}");
        around.now = around.now + WINDOW;
        offenses.end_windows(&mut around.cx());
        assert_eq!(more(&around.take()), [(OffenderHost::Others, 100_000 - one_by_one as u64)]);
        assert_eq!((offenses.windows.len(), offenses.next_deadline()), (0, None));
    }

    #[test]
    fn a_single_offense_needs_no_number() {
        let (mut offenses, mut around) = (Offenses::default(), Surroundings::new(3000, &[]));
        for _ in 0..5 {
            offenses.tell(&mut around.cx(), [10, 0, 0, 9].into(), offense);
            assert_eq!(offenses.next_deadline(), None);
            around.now = around.now + WINDOW;
        }
        let told = around.take();
        assert_eq!((told.events.len(), more(&told).len()), (5, 0));
    }
}
