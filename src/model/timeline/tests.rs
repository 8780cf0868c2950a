use super::*;
use crate::event::{GossipEvent, Methods, Pace};
use crate::proto::fault::{Fault, FaultKind, Scope};
use crate::proto::message::{DeathCause, Dialect, Role};

const PACE: Pace = Pace { gossip_interval_us: 5_000_000, liveness_interval_us: 1_000_000, liveness_misses: 3 };

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

/// A session from midnight on.
#[derive(Default)]
struct Session {
    model: Model,
    timeline: Timeline,
}

impl Session {
    fn tell(&mut self, ms: u64, node: Addr, kind: impl Into<EventKind>) {
        let event = Event { at: Time::from_micros(ms * 1_000), node, kind: kind.into() };
        self.model.apply(&event);
        self.timeline.follow(&self.model, &event);
    }

    fn start(&mut self, ms: u64, n: u16) {
        let (name, role, dialect, pace) = (format!("p{n}"), Role::Peer, Dialect::Framed, PACE);
        self.tell(ms, p(n), NodeEvent::Started { name, role, dialect, pace, methods: Methods::default() });
    }

    fn pass(&mut self, ms: u64) {
        self.model.pass(Time::from_micros(ms * 1_000));
        self.timeline.follow_looks(&self.model);
    }

    fn told(&self) -> Vec<String> {
        let told = |mark: &TimelineMark| format!("{} {:?}: {}", mark.at.as_micros() / 1_000, mark.kind, mark.summary());
        self.timeline.marks().iter().map(told).collect()
    }
}

#[test]
fn what_a_person_may_want_to_go_to_has_a_mark_that_says_it() {
    let mut session = Session::default();
    (1..=3).for_each(|n| session.start(0, n));
    let fault = Fault { what: FaultKind::Cut, on: Scope::Link(p(1), p(2)) };
    session.tell(1_000, p(1), FaultEvent::Set { id: None, fault: fault.clone() });
    let died = |peer| DeathEvent::NeighborDied {
        peer,
        cause: DeathCause::Misses { misses: 3 },
        last_heard: Time::from_micros(0),
        missed: None,
    };
    session.tell(2_000, p(1), died(p(2)));
    session.tell(2_100, p(3), died(p(2)));
    session.tell(3_000, p(1), FaultEvent::Cleared { id: None, fault });
    session.tell(4_000, p(3), NodeEvent::Stopped { how: Stop::Killed });
    session.tell(4_001, p(1), died(p(3)));
    session.start(4_100, 3);
    session.timeline.missing(Time::from_micros(4_200_000), 7);
    assert_eq!(
        session.told(),
        [
            "1000 FaultSet: set: cut p1 p2",
            "2000 Death: p2 is dead to p1: 3 probes in a row unanswered",
            "3000 FaultCleared: ended: cut p1 p2",
            "4000 Death: p3 crashed",
            "4100 Restart: p3 was started again",
            "4200 Gap: 7 events are missing here",
        ]
    );
}

#[test]
fn warnings_and_incomplete_messages_stand_where_they_were_found() {
    let mut session = Session::default();
    (1..=2).for_each(|n| session.start(0, n));
    session.pass(8_000);
    let id = MessageId { origin: p(1), run: 1, seq: 1 };
    session.tell(9_000, p(1), GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 0 });
    session.pass(20_000);
    let told = session.told();
    assert!(told.contains(&"5500 Warning: p1 has no live neighbor".to_owned()), "{told:?}");
    assert!(told.contains(&"14000 Incomplete: p1#1 did not reach p2".to_owned()), "{told:?}");
    let last = session.timeline.mark_before(Time::from_micros(14_000_001)).unwrap();
    assert!(last.at == Time::from_micros(14_000_000), "{last:?}");
    assert_eq!(session.timeline.mark_after(last.at), None);
}

#[test]
fn any_number_of_marks_takes_bounded_room_and_none_is_forgotten() {
    let mut timeline = Timeline::new();
    for second in 0..20_000 {
        timeline.missing(Time::from_micros(second * 1_000_000), 1);
    }
    let marks = timeline.marks();
    assert!((MARKS_MAX / 4..=MARKS_MAX).contains(&marks.len()), "{}", marks.len());
    assert_eq!(marks.iter().map(|mark| 1 + mark.more).sum::<u64>(), 20_000);
    assert!(marks.is_sorted_by_key(|mark| mark.at));
}

#[test]
fn the_density_holds_every_event_however_long_a_session_lasts() {
    let mut density = Density::default();
    let hour = 3_600_000_000;
    for second in 0..8 * 3_600 {
        density.count(Time::from_micros(hour + second * 1_000_000), 2);
    }
    let parts = density.between(Time::from_micros(hour), Time::from_micros(9 * hour - 1), 8);
    assert_eq!(parts, [7_200; 8]);
    density.count(Time::from_micros(0), 1);
    density.count(Time::from_micros(u64::MAX - 1), 1);
    let all = density.between(Time::from_micros(0), Time::from_micros(u64::MAX - 1), 4);
    assert_eq!((all[1], all[2]), (0, 0), "{all:?}");
    assert!(all[0] + all[3] >= 57_602, "{all:?}");
}

#[test]
fn a_single_event_is_seen_at_any_width() {
    let mut density = Density::default();
    density.count(Time::from_micros(5_000_000), 1);
    for parts in [1, 7, 80, 500] {
        let counts = density.between(Time::from_micros(0), Time::from_micros(10_000_000), parts);
        assert!(counts.len() == parts && counts.iter().any(|count| *count > 0), "{counts:?}");
    }
    assert_eq!(density.between(Time::from_micros(9_000_000), Time::from_micros(1), 3), [0; 3]);
    assert!(density.between(Time::from_micros(0), Time::from_micros(1), 0).is_empty());
}
