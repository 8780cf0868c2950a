//! Any moment of a recorded session: it is what the session was, wherever it is looked at from.

mod damage;
mod sessions;

use std::time::Duration;

use gossipctl::event::{Event, EventKind, NodeEvent, Stop};
use gossipctl::model::Model;
use gossipctl::model::timeline::{MarkKind, Timeline};
use gossipctl::model::warning::LOOK_GRACE;
use gossipctl::proto::time::Time;
use gossipctl::scenario::leaving::LeavingWatch;
use gossipctl::session::past::{Past, PastDirection, Position, SearchOutcome};
use tokio_util::sync::CancellationToken;

use sessions::{Packing, Random, Session};

/// Its warnings with all their times.
fn warnings(model: &Model) -> Vec<String> {
    let told = |(number, warning)| format!("{number} {warning:?}");
    model.warnings().list().iter().map(told).collect()
}

/// The session as a console folds it: events in batches, and a clock that ticks between them.
fn folded_live(events: &[Event], random: &mut Random) -> Model {
    let mut model = Model::new();
    let mut rest = events;
    while let Some(first) = rest.first() {
        let batch = rest.len().min(1 + random.below(300));
        let (now, later) = rest.split_at(batch);
        for event in now {
            model.apply(event);
        }
        rest = later;
        // The clock goes on until the next event is there.
        let (mut clock, until) = (now.last().unwrap_or(first).at, rest.first().map(|event| event.at));
        while until.is_some_and(|until| clock < until) {
            clock = clock + Duration::from_millis(33 + random.below(1_000) as u64);
            model.pass(clock.min(until.unwrap_or(clock)) - LOOK_GRACE);
        }
    }
    model
}

#[test]
fn a_replay_warns_as_the_session_did() {
    let mut warned = 0;
    for seed in 1..=100 {
        let mut random = Random(seed);
        let session = Session::play(&mut random);
        let live = warnings(&folded_live(&session.events, &mut random));
        let recorded = session.record(Packing::Frames);
        let past = recorded.past();
        let replayed = past.at_position(Position(u64::MAX)).unwrap().model;
        assert_eq!(warnings(&replayed), live, "seed {seed}:\n{}", session.script);
        warned += live.len();
    }
    assert!(warned > 100, "{warned} warnings in 100 sessions with faults");
}

#[test]
fn a_moment_is_the_same_from_wherever_it_is_folded() {
    let mut random = Random(20_261_128);
    let session = Session::play_for(&mut random, Duration::from_secs(20));
    let (first, last) = (session.events[0].at, session.events.last().unwrap().at);
    // Without frames there is nothing to go on from but the beginning.
    for (packing, jumps) in [(Packing::Frames, 980), (Packing::Lines, 10), (Packing::Others, 10)] {
        let recorded = session.record(packing);
        let past = recorded.past();
        let stop = CancellationToken::new();
        past.read_on(&stop, |_| {}).unwrap();
        let lasted = usize::try_from(last.micros_since(first)).unwrap();
        let mut moment = || first + Duration::from_micros(random.below(lasted) as u64);
        let mut times: Vec<Time> = (0..jumps).map(|_| moment()).collect();
        times.push(last);
        let mut sorted: Vec<(usize, Time)> = times.iter().copied().enumerate().collect();
        sorted.sort_by_key(|(_, at)| *at);
        let jumped: Vec<_> = times.iter().map(|at| past.at(*at).unwrap()).collect();
        let (mut model, mut rest, mut position) = (Model::new(), session.events.iter().peekable(), 0);
        for (place, at) in sorted {
            while let Some(event) = rest.next_if(|event| event.at <= at) {
                model.apply(event);
                position += 1;
            }
            model.pass(at);
            let moment = &jumped[place];
            assert_eq!(moment.position, Position(position), "{packing:?}");
            assert!(moment.model == model, "{packing:?}: another model at {at:?}");
            let order = |model: &Model| model.nodes().iter().map(|node| node.addr).collect::<Vec<_>>();
            assert_eq!(order(&moment.model), order(&model));
            let links = |model: &Model| model.links().iter().map(|link| link.key).collect::<Vec<_>>();
            assert_eq!(links(&moment.model), links(&model));
        }
    }
}

#[test]
fn a_small_memory_gives_the_same_moments() {
    let session = Session::play_for(&mut Random(4), Duration::from_secs(50));
    let recorded = session.record(Packing::Frames);
    let large = recorded.past();
    large.read_on(&CancellationToken::new(), |_| {}).unwrap();
    let limit = large.kept().bytes / 2;
    let small = Past::open_within(&recorded.path, limit).unwrap();
    small.read_on(&CancellationToken::new(), |_| {}).unwrap();
    assert!(small.kept().bytes <= limit && small.kept().keyframes < large.kept().keyframes, "{:?}", small.kept());
    for position in (0..session.events.len() as u64).step_by(997) {
        let (one, other) =
            (small.at_position(Position(position)).unwrap(), large.at_position(Position(position)).unwrap());
        assert!(one == other, "another moment at {position}");
    }
}

#[test]
fn a_pass_that_is_stopped_goes_on_where_it_was() {
    let session = Session::play_for(&mut Random(5), Duration::from_secs(60));
    let recorded = session.record(Packing::Frames);
    let (stopped, whole) = (recorded.past(), recorded.past());
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(!stopped.read_on(&stop, |_| {}).unwrap().is_whole);
    let mut told = Vec::new();
    let read = stopped.read_on(&CancellationToken::new(), |progress| told.push(progress)).unwrap();
    assert!(read.is_whole && read.events == session.events.len() as u64, "{read:?}");
    assert_eq!(told.last(), Some(&read));
    whole.read_on(&CancellationToken::new(), |_| {}).unwrap();
    assert_eq!(stopped.timeline(), whole.timeline());
}

#[test]
fn a_fold_that_is_stopped_gives_no_moment() {
    let session = Session::play_for(&mut Random(10), Duration::from_secs(30));
    let recorded = session.record(Packing::Lines);
    let (past, stop) = (recorded.past(), CancellationToken::new());
    let last = session.events.last().unwrap().at;
    assert_eq!(past.at_unless(last, &stop).unwrap(), Some(past.at(last).unwrap()));
    stop.cancel();
    assert_eq!(past.at_unless(last, &stop).unwrap(), None);
}

#[test]
fn the_timeline_of_a_recording_is_that_of_the_session() {
    let session = Session::play(&mut Random(11));
    let (mut model, mut timeline) = (Model::new(), Timeline::new());
    for event in &session.events {
        model.apply(event);
        timeline.follow(&model, event);
    }
    let recorded = session.record(Packing::Frames);
    let past = recorded.past();
    past.read_on(&CancellationToken::new(), |_| {}).unwrap();
    assert_eq!(past.timeline().marks(), timeline.marks());
    assert!(timeline.marks().iter().any(|mark| mark.kind == MarkKind::FaultSet), "{:?}", timeline.marks());
}

#[test]
fn a_step_leads_to_the_event_before_and_after_that_is_wanted() {
    let session = Session::play_for(&mut Random(6), Duration::from_secs(60));
    let wanted = |event: &Event| matches!(event.kind, EventKind::Seed(_));
    let places: Vec<u64> =
        (1..).zip(&session.events).filter(|(_, event)| wanted(event)).map(|(position, _)| position).collect();
    for is_read in [false, true] {
        let recorded = session.record(Packing::Frames);
        let past = recorded.past();
        if is_read {
            past.read_on(&CancellationToken::new(), |_| {}).unwrap();
        }
        let step = |from, direction| match past.step(Position(from), direction, wanted).unwrap() {
            SearchOutcome::Found(found) => Some(found.position.0),
            SearchOutcome::Nothing => None,
            SearchOutcome::Stopped { .. } => panic!("few events"),
        };
        for pair in places.windows(2).step_by(7) {
            assert_eq!(step(pair[0], PastDirection::Forward), Some(pair[1]));
            assert_eq!(step(pair[1], PastDirection::Back), Some(pair[0]));
        }
        assert_eq!(step(places[0], PastDirection::Back), None);
        assert_eq!(step(*places.last().unwrap(), PastDirection::Forward), None);
    }
}

#[test]
fn a_search_says_how_far_it_looked_when_it_is_stopped() {
    let session = Session::play_for(&mut Random(7), Duration::from_secs(60));
    let recorded = session.record(Packing::Frames);
    let past = recorded.past();
    past.read_on(&CancellationToken::new(), |_| {}).unwrap();
    let stop = CancellationToken::new();
    let told = past.find(Position(0), PastDirection::Forward, |_| false, &stop, |_| stop.cancel()).unwrap();
    assert!(matches!(told, SearchOutcome::Stopped { looked_to: Position(to) } if to > 0 && to < 2_000), "{told:?}");
    let never = CancellationToken::new();
    let mut reached = Vec::new();
    let told = past.find(Position(u64::MAX), PastDirection::Back, |_| false, &never, |at| reached.push(at)).unwrap();
    assert!(told == SearchOutcome::Nothing && !reached.is_empty());
}

#[test]
fn the_ends_and_the_events_of_any_time_are_known_at_once() {
    let session = Session::play_for(&mut Random(8), Duration::from_secs(60));
    let (first, last) = (session.events[0].at, session.events.last().unwrap().at);
    let (from, to) = (first + Duration::from_secs(31), first + Duration::from_secs(33));
    let expected: Vec<&Event> = session.events.iter().filter(|event| (from..=to).contains(&event.at)).collect();
    for packing in [Packing::Frames, Packing::Lines, Packing::Others] {
        let recorded = session.record(packing);
        let past = recorded.past();
        for is_read in [false, true] {
            if is_read {
                past.read_on(&CancellationToken::new(), |_| {}).unwrap();
            }
            let span = past.span().unwrap();
            assert_eq!((span.first, span.last), (first, last), "{packing:?}");
            let events: Vec<Event> = past.events(from, to).unwrap().collect();
            assert!(events.iter().eq(expected.iter().copied()), "{packing:?}, read: {is_read}");
        }
    }
}

#[test]
fn the_end_is_known_without_reading_all_of_a_session() {
    let mut ends_of_hung = 0;
    for seed in 1..=40 {
        let mut random = Random(seed);
        let session = Session::play(&mut random);
        let recorded = session.record(Packing::Frames);
        let past = recorded.past();
        let mut watch = LeavingWatch::new(past.header().precision());
        session.events.iter().for_each(|event| watch.take(event));
        let began = watch.began().expect("a played session ends with its nodes' leaving");
        assert_eq!(past.before_leaving().unwrap(), began - Duration::from_micros(1), "seed {seed}");
        let is_killed = |event: &&Event| {
            event.at == began && matches!(event.kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }))
        };
        ends_of_hung += session.events.iter().filter(is_killed).count();
    }
    assert!(ends_of_hung > 0, "no node hung at the end");
}

#[test]
fn what_comes_after_a_moment_leads_to_every_later_one() {
    let session = Session::play_for(&mut Random(9), Duration::from_secs(40));
    let recorded = session.record(Packing::Frames);
    let past = recorded.past();
    past.read_on(&CancellationToken::new(), |_| {}).unwrap();
    let half = Position(session.events.len() as u64 / 2);
    let mut moment = past.at_position(half).unwrap();
    for record in past.records_from(half).unwrap() {
        if let gossipctl::session::journal::JournalRecord::Event { event, .. } = record.unwrap() {
            moment.model.apply(&event);
        }
    }
    assert!(moment.model == past.at_position(Position(u64::MAX)).unwrap().model);
}
