//! Other moments of a session: what keys and commands ask of the host, and what is shown of its answers.

use crossterm::event::{MouseButton, MouseEventKind};
use insta::assert_snapshot;

use super::fixture::{aftermath, at, options, recording, session, suspect, told};
use crate::model::Model;
use crate::model::timeline::Timeline;
use crate::proto::time::Time;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::filter::Filter;
use crate::ui::host::{FromHost, ToHost};
use crate::ui::seek::{
    Destination, EventScope, NoSuchMoment, OpenedRecording, Seek, SeekId, ShownMoment, TimeDirection,
};

/// Where the console wants to go.
fn wanted(effects: &[ConsoleEffect]) -> Destination {
    match effects {
        [ConsoleEffect::Host(ToHost::Seek(Seek { to, .. }))] => to.clone(),
        others => panic!("{others:?}"),
    }
}

/// The network after these milliseconds.
fn model(millis: u64) -> Box<Model> {
    let mut model = Model::new();
    session().iter().filter(|event| event.at <= at(millis)).for_each(|event| model.apply(event));
    Box::new(model)
}

/// The host answers the latest request with this moment.
fn arrive(app: &mut App, millis: u64) {
    let id = app.seeks.last;
    app.hear(FromHost::Moment(ShownMoment { id, at: at(millis), model: model(millis) }));
}

fn header(app: &mut App) -> String {
    app.picture(120, 40).lines().next().unwrap().trim().to_owned()
}

/// A recording that is shown at this moment.
fn replay(millis: u64) -> App {
    let mut app = told(options(), Vec::new(), 0);
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    arrive(&mut app, millis);
    app.effects.clear();
    app
}

#[test]
fn keys_step_by_the_events_that_the_focused_pane_shows() {
    for (pane, scope) in [("1", EventScope::Overlay), ("3", EventScope::GossipLog), ("4", EventScope::Probes)] {
        for (key, direction) in [(",", TimeDirection::Back), (".", TimeDirection::Forward)] {
            let mut app = replay(9_000);
            let expected = Destination::Event { direction, scope: scope.clone() };
            assert_eq!(wanted(&app.press(&format!("{pane} {key}"))), expected);
        }
    }
}

#[test]
fn a_step_shows_the_moment_and_pauses() {
    let mut app = replay(9_000);
    app.press("3 ,");
    assert!(header(&mut app).contains("REPLAY 03:00:09 seeking"));
    arrive(&mut app, 3_000);
    assert!(header(&mut app).contains("REPLAY 03:00:03 paused"), "{}", header(&mut app));
    assert!(!app.picture(120, 40).contains("你好"), "the message of second 9 is not there yet");
}

#[test]
fn an_answer_to_an_older_request_is_thrown_away() {
    let mut app = replay(9_000);
    app.press("3 , , ,");
    let id = SeekId(app.seeks.last.0 - 1);
    app.hear(FromHost::Moment(ShownMoment { id, at: at(500), model: model(500) }));
    assert!(header(&mut app).contains("REPLAY 03:00:09 seeking"));
    arrive(&mut app, 3_000);
    assert!(header(&mut app).contains("REPLAY 03:00:03 paused"));
}

#[test]
fn where_no_event_is_left_nothing_moves_and_that_is_said() {
    let mut app = replay(9_000);
    app.press("5 ,");
    let id = app.seeks.last;
    app.hear(FromHost::NoMoment { id, why: NoSuchMoment::NoEvent(TimeDirection::Back) });
    assert!(app.footer().contains("no event of this pane before this moment"), "{}", app.footer());
    assert!(header(&mut app).contains("REPLAY 03:00:09 1x"));
}

#[test]
fn typed_times_are_moments_of_the_recording() {
    let mut app = replay(9_000);
    let time = |at: Time| Destination::Time(at);
    assert_eq!(wanted(&app.command("at 03:00:12")), time(at(12_000)));
    assert_eq!(wanted(&app.command("at -4s")), time(at(5_000)));
    assert_eq!(wanted(&app.command("at +90s")), time(at(20_000)), "as far as there is something");
    assert_eq!(wanted(&app.press("{")), time(at(0)));
    assert_eq!(wanted(&app.press("}")), time(at(20_000)));
    assert_eq!(app.command("at 04:00"), []);
    assert!(app.footer().contains("04:00 is not in this session, which lasted from 03:00:00"), "{}", app.footer());
    assert_eq!(app.command("at noon"), []);
    assert!(app.footer().contains("'noon' is no time: expected"), "{}", app.footer());
}

#[test]
fn the_speed_is_typed_and_shown() {
    let mut app = replay(9_000);
    app.command("speed 10x");
    assert!(header(&mut app).contains("REPLAY 03:00:09 10x"));
    app.command("speed 5000x");
    assert!(app.footer().contains("'5000x' is no speed: expected 0.1x to 1000x"), "{}", app.footer());
    let mut live = suspect();
    live.command("speed 2x");
    assert!(live.footer().contains("this is now, which has no speed"), "{}", live.footer());
}

#[test]
fn a_session_that_runs_goes_back_and_comes_back() {
    let mut app = suspect();
    assert_eq!(
        wanted(&app.press("3 ,")),
        Destination::Event { direction: TimeDirection::Back, scope: EventScope::GossipLog }
    );
    arrive(&mut app, 3_200);
    assert!(header(&mut app).contains("BEHIND 00:10"), "{}", header(&mut app));
    app.tick(at(45_200));
    assert!(header(&mut app).contains("BEHIND 00:42"), "it stands still while time goes on");
    assert!(app.footer().starts_with("Space play  f live"), "{}", app.footer());
    for back in ["f", "esc", "}"] {
        app.press(back);
        assert!(header(&mut app).contains("LIVE"), "{back}");
        app.press("3 ,");
        arrive(&mut app, 3_200);
    }
}

#[test]
fn nobody_is_killed_from_the_past() {
    let mut app = suspect();
    app.select("p4");
    app.press(",");
    arrive(&mut app, 8_200);
    for keys in ["x x", "X", "r", "m", "C"] {
        assert_eq!(app.press(keys), [], "{keys}");
        assert!(
            app.footer().contains("this was 00:05 ago, and nodes run now: f goes back to live"),
            "{}",
            app.footer()
        );
    }
    assert_eq!(app.command("kill p4"), []);
}

#[test]
fn a_session_that_is_not_recorded_says_so() {
    let mut app = suspect();
    app.press(",");
    let id = app.seeks.last;
    app.hear(FromHost::NoMoment { id, why: NoSuchMoment::NotRecorded });
    assert!(app.footer().contains("this session is not recorded: there is no way back"), "{}", app.footer());
    assert!(header(&mut app).contains("LIVE"));
}

#[test]
fn what_plays_behind_catches_up_with_the_session() {
    let mut app = suspect();
    app.press(",");
    arrive(&mut app, 9_000);
    app.command("speed 10x");
    app.press("space");
    assert!(header(&mut app).contains("BEHIND 00:04 10x"), "{}", header(&mut app));
    let id = app.seeks.last;
    app.effects.clear();
    app.tick(at(13_300));
    assert_eq!(app.effects, [ConsoleEffect::Host(ToHost::Follow { id, after: at(9_000) })]);
    let upcoming =
        crate::ui::seek::Upcoming { id, deliveries: Vec::new(), until: at(13_300), rest: crate::ui::seek::Rest::End };
    app.hear(FromHost::Upcoming(upcoming));
    app.tick(at(13_600));
    assert!(header(&mut app).contains("LIVE"), "{}", header(&mut app));
}

#[test]
fn a_search_goes_on_beyond_the_lines_of_the_pane() {
    let mut app = replay(13_000);
    app.press("3 /");
    app.type_text("Hung");
    app.press("enter esc");
    let sought = Filter::new("Hung");
    let (direction, scope) = (TimeDirection::Back, EventScope::GossipLog);
    let mut effects = Vec::new();
    for _ in 0..9 {
        effects = app.press("N");
        if !effects.is_empty() {
            break;
        }
    }
    assert_eq!(wanted(&effects), Destination::Match { direction, scope, sought });
    arrive(&mut app, 9_100);
    assert!(app.footer().contains("found at 03:00:09, 3 s back"), "{}", app.footer());
}

/// What happened in the session and after it.
fn timeline() -> Timeline {
    let (mut model, mut timeline) = (Model::new(), Timeline::new());
    for event in [session(), aftermath()].concat() {
        model.apply(&event);
        timeline.follow(&model, &event);
    }
    timeline
}

/// A recording with its timeline, paused at this moment.
fn paused(millis: u64) -> App {
    let mut app = replay(millis);
    app.hear(FromHost::Timeline(Box::new(timeline())));
    app.press("space");
    app
}

fn row(app: &mut App, columns: u16, rows: u16) -> String {
    let place = if rows < 30 { rows - 2 } else { 1 };
    app.picture(columns, rows).lines().nth(place.into()).unwrap().to_owned()
}

#[test]
fn the_timeline_shows_the_whole_session_in_one_row() {
    let mut app = paused(9_100);
    let sizes = [(80, 24), (120, 40), (200, 60)];
    assert_snapshot!(sizes.map(|(columns, rows)| row(&mut app, columns, rows)).join("\n"));
    assert!(row(&mut app, 80, 19).contains('┘'), "the panes need all rows");
}

#[test]
fn keys_go_from_mark_to_mark_and_the_footer_tells_what_it_is() {
    let mut app = paused(9_000);
    assert_eq!(wanted(&app.press("]")), Destination::Time(at(9_100)));
    arrive(&mut app, 9_100);
    app.picture(120, 40);
    let footer = app.footer();
    assert!(footer.contains("p3 hangs") && footer.contains("[ ] marks"), "{footer}");
    assert_eq!(wanted(&app.press("]")), Destination::Time(at(14_000)));
    arrive(&mut app, 14_000);
    assert!(app.footer().contains("p3 is dead to p2"), "{}", app.footer());
    assert_eq!(wanted(&app.press("[")), Destination::Time(at(9_100)));
}

#[test]
fn beyond_the_last_mark_nothing_moves_and_that_is_said() {
    let mut app = paused(20_000);
    assert_eq!(app.press("]"), []);
    assert!(app.footer().contains("no mark after this moment"), "{}", app.footer());
}

#[test]
fn marks_that_are_not_read_yet_are_not_said_to_be_absent() {
    let mut app = replay(9_000);
    app.press("]");
    assert!(app.footer().contains("so far: the recording is being read"), "{}", app.footer());
}

#[test]
fn a_click_on_the_timeline_shows_that_moment() {
    let mut app = paused(9_000);
    let bar = row(&mut app, 120, 40);
    let edges: Vec<usize> = bar.chars().enumerate().filter(|(_, sign)| *sign == '│').map(|(place, _)| place).collect();
    let middle = u16::try_from(edges[0].midpoint(edges[1])).unwrap();
    let effects = app.mouse(MouseEventKind::Down(MouseButton::Left), (middle, 1));
    match wanted(&effects) {
        Destination::Time(moment) => assert!(at(9_500) < moment && moment < at(10_500), "{moment:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_timeline_of_a_session_that_runs_changes_once_a_column() {
    let mut app = suspect();
    let before = row(&mut app, 120, 40);
    app.tick(at(13_700));
    assert_eq!(row(&mut app, 120, 40), before);
    assert!(before.contains("now"), "{before}");
}

#[test]
fn a_question_is_about_the_moment_that_is_shown() {
    let mut app = told(options(), session(), 13_200);
    app.press(",");
    arrive(&mut app, 1_000);
    app.command("why p4 p1#2");
    let picture = app.picture(120, 40);
    assert!(picture.contains("no message 'p1#2' is remembered at this moment"), "{picture}");
}

#[test]
fn a_recording_that_one_node_reads_says_so() {
    let mut app = told(options(), Vec::new(), 0);
    let opened = OpenedRecording { reader: Some("p3".to_owned()), ..recording("old.jsonl") };
    app.hear(FromHost::Opened(Box::new(opened)));
    arrive(&mut app, 9_000);
    assert!(header(&mut app).contains("REPLAY as p3 03:00:09"), "{}", header(&mut app));
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    arrive(&mut app, 9_000);
    assert!(header(&mut app).contains("REPLAY 03:00:09"), "{}", header(&mut app));
}
