use super::*;
use crate::event::{Event, EventKind, NodeEvent};
use crate::proto::addr::Addr;

fn at(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

/// A recording of 100 s that plays at this speed from its beginning, at which the screen's clock shows 0.
fn playing(speed: &str) -> Playback {
    let span = SessionSpan { first: at(0), last: at(100_000), utc_offset_s: 0 };
    let mut playback = Playback::new(span, speed.parse().unwrap(), Motion::Playing, at(0));
    playback.jump(SeekId(1), at(0), at(0));
    playback
}

fn events(millis: &[u64]) -> Delivery {
    let event =
        |millis: &u64| Event { at: at(*millis), node: Addr::loopback(1), kind: EventKind::Node(NodeEvent::Hung) };
    Delivery { skipped: 0, batch: millis.iter().map(event).collect() }
}

fn came(playback: &mut Playback, millis: &[u64], rest: Rest) {
    let until = if rest == Rest::End { playback.span.last } else { at(millis[millis.len() - 1]) };
    playback.supply(Upcoming { id: playback.id, deliveries: vec![events(millis)], until, rest });
}

/// The times of the events that are due when the screen's clock shows this.
fn due(playback: &mut Playback, now: u64) -> Vec<u64> {
    let deliveries = playback.advance(at(now)).deliveries;
    let all = deliveries.iter().flat_map(|delivery| delivery.batch.iter());
    all.map(|event| event.at.as_micros() / 1_000).collect()
}

#[test]
fn events_are_due_when_their_time_has_come() {
    let mut playback = playing("1x");
    assert_eq!(playback.take_ask(), Some(at(0)));
    assert_eq!(playback.take_ask(), None, "it was asked already");
    came(&mut playback, &[10, 500, 500, 1_500], Rest::More);
    assert_eq!(due(&mut playback, 400), [10]);
    assert_eq!(due(&mut playback, 500), [500, 500]);
    assert_eq!((due(&mut playback, 1_000), playback.at()), (vec![], at(1_000)));
    assert_eq!(playback.next_step(), Some(at(1_000)), "more is to be asked for");
    assert!(playback.take_ask().is_some());
    assert_eq!(playback.next_step(), Some(at(1_500)));
}

#[test]
fn at_four_times_the_speed_a_second_takes_a_quarter() {
    let mut playback = playing("4x");
    came(&mut playback, &[999, 1_000, 1_001], Rest::More);
    assert_eq!(due(&mut playback, 250), [999, 1_000]);
    let mut playback = playing("0.1x");
    came(&mut playback, &[99_000], Rest::End);
    assert_eq!(playback.next_step(), Some(at(10_000)), "the clock's next second");
}

#[test]
fn the_moment_waits_for_events_that_are_not_here_yet() {
    let mut playback = playing("1x");
    came(&mut playback, &[100], Rest::More);
    assert_eq!((due(&mut playback, 5_000), playback.at()), (vec![100], at(100)));
    came(&mut playback, &[200, 300], Rest::More);
    assert_eq!(due(&mut playback, 5_100), [200], "what it waited is not caught up");
}

#[test]
fn a_long_silence_is_passed_over_and_said() {
    let mut playback = playing("1x");
    came(&mut playback, &[100, 60_100], Rest::End);
    assert_eq!(due(&mut playback, 200), [100]);
    let elapsed = playback.advance(at(300));
    assert_eq!((elapsed.silence, playback.at()), (Some(Duration::from_millis(59_900)), at(59_200)));
    assert_eq!(due(&mut playback, 1_200), [60_100]);
}

#[test]
fn at_the_end_it_pauses_once() {
    let mut playback = playing("1000x");
    came(&mut playback, &[100, 99_000], Rest::End);
    assert!(!playback.advance(at(50)).is_over);
    assert!(playback.advance(at(200)).is_over);
    assert_eq!((playback.at(), playback.is_playing(), playback.next_step()), (at(100_000), false, None));
    assert!(!playback.advance(at(300)).is_over);
}

#[test]
fn a_session_that_goes_on_is_not_silent_where_it_was_not_read() {
    let mut playback = playing("0.1x");
    playback.supply(Upcoming { id: playback.id, deliveries: vec![events(&[10])], until: at(20), rest: Rest::More });
    playback.supply(Upcoming { id: playback.id, deliveries: Vec::new(), until: at(20), rest: Rest::End });
    playback.go_on_until(at(60_000));
    assert_eq!(due(&mut playback, 150), [10]);
    let elapsed = playback.advance(at(10_000));
    assert_eq!((elapsed.silence, elapsed.is_over, playback.at()), (None, false, at(20)));
    playback.go_on_until(at(60_000));
    assert_eq!(playback.take_ask(), Some(at(20)));
}

#[test]
fn paused_nothing_moves_and_nothing_is_caught_up_later() {
    let mut playback = playing("1x");
    came(&mut playback, &[100, 200], Rest::End);
    playback.motion = Motion::Paused;
    assert_eq!((due(&mut playback, 9_000), playback.next_step()), (vec![], None));
    playback.motion = Motion::Playing;
    assert_eq!(due(&mut playback, 9_150), [100]);
}

#[test]
fn what_follows_another_moment_is_thrown_away() {
    let mut playback = playing("1x");
    let id = playback.id;
    playback.jump(SeekId(2), at(50_000), at(0));
    playback.supply(Upcoming { id, deliveries: vec![events(&[50_001])], until: at(50_001), rest: Rest::More });
    assert_eq!((due(&mut playback, 100), playback.at()), (vec![], at(50_000)));
}
