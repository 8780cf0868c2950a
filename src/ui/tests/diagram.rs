//! The space-time diagram of what was selected.

use insta::assert_snapshot;

use super::fixture::{aftermath, at, dead, empty, options, session, told};
use crate::event::Event;
use crate::ui::app::App;
use crate::ui::host::{EventsQuestion, EventsTold, FromHost, ToHost};
use crate::ui::options::{Glyphs, Options};

/// Draws, and answers what the pane asks as the host would; returns what it asked.
fn answered(app: &mut App, events: &[Event]) -> Vec<EventsQuestion> {
    app.picture(120, 40);
    let asked: Vec<EventsQuestion> = app
        .questions()
        .into_iter()
        .map(|asked| match asked {
            ToHost::Events(question) => question,
            other => panic!("{other:?}"),
        })
        .collect();
    for question in &asked {
        let is_meant =
            |event: &&Event| (question.from..=question.to).contains(&event.at) && question.subject.concerns(event);
        let events: Vec<Event> = events.iter().filter(is_meant).cloned().collect();
        let told = EventsTold { events: events.into(), left_out: 0 };
        app.hear(FromHost::Events { question: question.clone(), answer: Ok(told) });
    }
    asked
}

fn all_events() -> Vec<Event> {
    [session(), aftermath()].concat()
}

#[test]
fn t_draws_the_selected_message_in_every_size() {
    let mut app = dead();
    app.press("3 g g");
    for _ in 0..60 {
        if !app.line().contains("p1#1 ") {
            app.press("down");
        }
    }
    app.press("t");
    let asked = answered(&mut app, &all_events());
    assert_eq!(asked.len(), 1, "it asks once");
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        assert_snapshot!(format!("diagram_message_{columns}x{rows}"), app.picture(columns, rows));
    }
    assert!(answered(&mut app, &all_events()).is_empty(), "what it was told is enough");
}

#[test]
fn t_on_a_report_draws_the_death_and_enter_explains_it() {
    let mut app = dead();
    app.press("5 g g");
    app.picture(120, 40);
    app.press("t");
    answered(&mut app, &all_events());
    assert_snapshot!("diagram_death_80x24", app.picture(80, 24));
    assert_snapshot!("diagram_death_120x40", app.picture(120, 40));
    app.press("end enter");
    assert!(app.picture(120, 40).contains("Why "), "{}", app.picture(120, 40));
    app.press("esc esc");
    assert_eq!(app.focused(), "reports", "back where it came from");
}

#[test]
fn a_diagram_is_drawn_in_ascii_alone_too() {
    let mut app = told(Options { glyphs: Glyphs::Ascii, ..options() }, session(), 13_200);
    app.press("8");
    answered(&mut app, &session());
    let picture = app.picture(80, 24);
    assert!(picture.is_ascii(), "{picture}");
    assert!(picture.contains("8 Diagram p"), "{picture}");
}

#[test]
fn zooming_gives_the_same_time_more_rows_or_fewer() {
    let mut app = dead();
    app.press("5 g g t");
    answered(&mut app, &all_events());
    let row = |app: &mut App| {
        let picture = app.picture(120, 40);
        let (_, rest) = picture.split_once(", a row ").unwrap();
        rest.split_once(' ').map(|(number, rest)| format!("{number} {}", rest.split(' ').next().unwrap())).unwrap()
    };
    let before = row(&mut app);
    app.press("+");
    let closer = row(&mut app);
    app.press("-");
    assert!(closer != before && row(&mut app) == before, "{before}, {closer}");
}

#[test]
fn without_a_journal_the_diagram_says_so() {
    let mut app = dead();
    app.press("8");
    app.picture(80, 24);
    let Some(ToHost::Events(question)) = app.questions().pop() else { panic!("it asks") };
    app.hear(FromHost::Events { question, answer: Err("this session is not recorded".to_owned()) });
    assert!(app.picture(80, 24).contains("No diagram: this session is not recorded."));
}

#[test]
fn without_a_message_the_diagram_says_what_to_select() {
    let mut app = empty(options());
    app.tick(at(0));
    app.press("8");
    assert!(app.picture(80, 24).contains("No message yet."));
    assert!(app.questions().is_empty());
}
