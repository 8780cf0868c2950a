//! `:why .. as p3`: what is asked of the host, and what the answer says of who gives it.

use std::sync::Arc;

use insta::assert_snapshot;

use super::fixture::{P1, P3, at, dead, session, suspect};
use crate::model::Model;
use crate::ui::app::App;
use crate::ui::command_line::{Typed, complete, parse};
use crate::ui::host::{FromHost, LoneQuestion, ToHost};

/// What the host is asked to read, once the picture was drawn.
fn asked(app: &mut App) -> Vec<LoneQuestion> {
    app.picture(80, 24);
    let read = |ask| if let ToHost::ReadAlone(question) = ask { Some(question) } else { None };
    app.questions().into_iter().filter_map(read).collect()
}

/// What p1 knew by then: the tests on recordings check what that is.
fn known_to_p1(question: LoneQuestion) -> FromHost {
    let mut model = Model::new();
    session().iter().filter(|event| event.node == P1 && event.at <= question.at).for_each(|event| model.apply(event));
    FromHost::Alone { question, answer: Ok(Arc::new(model)) }
}

/// A console in which this was asked, and the only question to the host.
fn reading(mut app: App, line: &str) -> (App, LoneQuestion) {
    app.command(line);
    match asked(&mut app).as_slice() {
        [question] => (app, *question),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_of_one_node_says_whose_it_is() {
    let (mut app, question) = reading(suspect(), "why p3 as p1");
    assert_eq!((question.node, question.at), (P1, at(13_200)));
    assert!(app.picture(80, 24).contains("Reading what p1 alone knew .."), "{}", app.picture(80, 24));
    assert_eq!(asked(&mut app), [], "it is asked once");
    app.hear(known_to_p1(question));
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn of_a_node_that_it_never_heard_of_it_can_say_nothing() {
    let (mut app, question) = reading(suspect(), "why p3 as p1");
    let answer = Ok(Arc::new(Model::new()));
    app.hear(FromHost::Alone { question, answer });
    assert!(app.picture(80, 24).contains("p1 had not heard of p3 by 03:00:13."), "{}", app.picture(80, 24));
}

#[test]
fn what_cannot_be_read_is_said() {
    let (mut app, question) = reading(dead(), "why views as p3");
    assert_eq!(question.node, P3);
    app.hear(FromHost::Alone { question, answer: Err("this session is not recorded".to_owned()) });
    assert!(app.picture(80, 24).contains("That cannot be read: this session is not recorded."));
}

#[test]
fn it_is_read_again_while_time_goes_on_one_at_a_time() {
    let (mut app, question) = reading(suspect(), "why load as p1");
    app.tick(at(16_000));
    assert_eq!(asked(&mut app), [], "one is under way");
    app.hear(known_to_p1(question));
    let again = asked(&mut app);
    assert_eq!(again, [], "it is drawn first");
    let again = asked(&mut app);
    assert_eq!(again, [LoneQuestion { node: P1, at: at(16_000) }]);
    app.hear(known_to_p1(again[0]));
    assert!(app.picture(80, 24).contains("as of 03:00:16"), "{}", app.picture(80, 24));
    app.tick(at(17_000));
    assert_eq!(asked(&mut app), [], "two seconds have not passed");
}

#[test]
fn the_same_can_be_asked_again_and_a_stale_answer_is_dropped() {
    let (mut app, question) = reading(suspect(), "why load as p1");
    app.hear(known_to_p1(question));
    app.picture(80, 24);
    app.press("esc");
    let (mut app, same) = reading(app, "why load as p1");
    assert_eq!(same, question);
    app.hear(known_to_p1(LoneQuestion { node: P3, ..same }));
    assert!(app.picture(80, 24).contains("Reading what p1 alone knew .."));
}

#[test]
fn what_was_done_cannot_be_taken_away_from_one_node() {
    let (mut app, question) = reading(dead(), "why p3 as p1");
    app.hear(known_to_p1(question));
    let picture = app.picture(80, 24);
    assert!(!picture.contains("p proves"), "{picture}");
    app.press("p");
    let picture = app.picture(80, 24);
    assert!(picture.contains("Cannot be proven: one node alone does not know what was done"), "{picture}");
}

#[test]
fn as_stands_behind_any_question() {
    let app = dead();
    let model = &app.scene.live;
    let read = |line: &str| parse(line, model, model);
    for subject in ["p3", "p3 p1", "p4 p1#1", "p1#1", "views", "views p3", "load"] {
        let whole = read(&format!("why {subject}")).unwrap();
        let alone = read(&format!("why {subject} as p1")).unwrap();
        let (Typed::Why { subject: one, reader: None }, Typed::Why { subject: other, reader: Some(P1) }) =
            (whole, alone)
        else {
            panic!("{subject}");
        };
        assert_eq!(one, other);
    }
    assert_eq!(read("why p3 as").unwrap_err(), "expected a node after 'as', such as p3");
    assert_eq!(read("why p3 as p99").unwrap_err(), "no node 'p99': expected a name such as p1, or an address");
    assert!(read("why as p1").unwrap_err().starts_with("expected a node (p7), "));
    assert!(read("why p3 p1 p4 as p1").is_err());
}

#[test]
fn as_and_its_node_are_completed() {
    let app = dead();
    let complete = |line: &str| complete(line, &app.scene.live);
    assert_eq!(complete("why views a"), ["why views as"]);
    assert_eq!(complete("why p3 p1#1 a"), ["why p3 p1#1 as"]);
    assert_eq!(complete("why views as p1"), ["why views as p1"]);
    assert!(complete("why p3 ").contains(&"why p3 p1#1".to_owned()), "{:?}", complete("why p3 "));
    assert_eq!(complete("why views as p1 "), Vec::<String>::new());
}
