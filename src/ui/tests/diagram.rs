//! The space-time diagram of what was selected.

use insta::assert_snapshot;

use super::fixture::{P1, P2, Script, aftermath, at, dead, empty, large_lab, options, recording, session, told};
use crate::event::{Event, EventKind, FaultEvent};
use crate::model::Model;
use crate::proto::fault::{Fault, FaultKind, Scope};
use crate::proto::time::Time;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::host::{EventsQuestion, EventsTold, FromHost, ToHost};
use crate::ui::options::{Glyphs, Options};
use crate::ui::seek::{Destination, ShownMoment};

/// What the pane asks, now that it is drawn.
fn asked(app: &mut App) -> Vec<EventsQuestion> {
    app.picture(120, 40);
    let question = |asked| match asked {
        ToHost::Events(question) => question,
        other => panic!("{other:?}"),
    };
    app.questions().into_iter().map(question).collect()
}

/// The host's answer to a question, from these events.
fn answer(app: &mut App, question: EventsQuestion, events: &[Event]) {
    let is_meant =
        |event: &&Event| (question.from..=question.to).contains(&event.at) && question.subject.concerns(event);
    let events: Vec<Event> = events.iter().filter(is_meant).cloned().collect();
    let told = EventsTold { events: events.into(), left_out: 0 };
    app.hear(FromHost::Events { question, answer: Ok(told) });
}

/// Draws, and answers what the pane asks as the host would; returns what it asked.
fn answered(app: &mut App, events: &[Event]) -> Vec<EventsQuestion> {
    let asked = asked(app);
    for question in &asked {
        answer(app, question.clone(), events);
    }
    app.picture(120, 40);
    asked
}

fn all_events() -> Vec<Event> {
    [session(), aftermath()].concat()
}

/// Selects p1#1 in the gossip log.
fn select_first_message(app: &mut App) {
    app.press("3 g g");
    for _ in 0..60 {
        if !app.line().contains("p1#1 ") {
            app.press("down");
        }
    }
}

/// The title of the pane.
fn title(app: &mut App) -> String {
    app.picture(120, 40).lines().find(|line| line.contains("8 Diagram")).unwrap_or_default().to_owned()
}

/// The sentence about the selected row, below the diagram.
fn sentence(app: &mut App) -> String {
    let line = app.line();
    line.split_once(' ').map(|(_, text)| text.to_owned()).unwrap()
}

/// p1 and p2 probe each other all the time: 200 rows in ten seconds.
fn busy(from: u64, to: u64) -> Vec<Event> {
    let mut script = Script::default();
    for number in from..to {
        script.at(16_000 + number * 100).ping(P1, P2, 100 + number, 300).ping(P2, P1, 100 + number, 300);
    }
    script.events
}

/// A recording, at this moment.
fn shown_at(app: &mut App, millis: u64) {
    let mut model = Model::new();
    all_events().iter().filter(|event| event.at <= at(millis)).for_each(|event| model.apply(event));
    let id = app.seeks.last;
    app.hear(FromHost::Moment(ShownMoment { id, at: at(millis), model: Box::new(model) }));
}

#[test]
fn t_draws_the_selected_message_in_every_size() {
    let mut app = dead();
    select_first_message(&mut app);
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
    app.press("5 g g t");
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

#[test]
fn t_on_a_dead_node_draws_its_death() {
    let mut app = dead();
    app.select("p3");
    app.press("t");
    answered(&mut app, &all_events());
    assert!(title(&mut app).contains("8 Diagram the death of p3, "), "{}", title(&mut app));
    let picture = app.picture(120, 40);
    for told in ["no answer 3/3", "p3 is dead", "report: ", "p3 off the list"] {
        assert!(picture.contains(told), "{told}: {picture}");
    }
    app.press("esc");
    assert_eq!(app.focused(), "nodes");
}

#[test]
fn t_on_a_link_draws_what_goes_between_its_ends_lately() {
    let events = [all_events(), busy(0, 3)].concat();
    let mut app = told(options(), events.clone(), 16_400);
    app.select("p1");
    app.press("right down");
    while !app.line().contains("p2 ") {
        app.press("down");
    }
    app.press("t");
    answered(&mut app, &events);
    assert!(title(&mut app).contains("8 Diagram p1 and p2, 2 nodes, "), "{}", title(&mut app));
    assert_eq!(sentence(&mut app), "p2: Probe 102 answered by p1 after 300 us", "the newest");
}

#[test]
fn a_busy_node_has_readable_rows_the_newest_in_sight() {
    let events = [all_events(), busy(0, 100)].concat();
    let mut app = told(options(), events.clone(), 26_000);
    app.select("p1");
    app.press("t");
    answered(&mut app, &events);
    app.toasts.dismiss();
    assert_snapshot!("diagram_busy_node_80x24", app.picture(80, 24));
    let title = title(&mut app);
    let step = title.split_once(", a row ").unwrap().1;
    assert!(step.contains(" us, FOLLOW") || step.contains(" ms, FOLLOW"), "{title}");
    assert_eq!(sentence(&mut app), "p2: Probe 199 answered by p1 after 300 us");
}

#[test]
fn a_diagram_scrolls_to_either_end_and_by_pages() {
    let mut app = dead();
    app.press("5 g g t");
    answered(&mut app, &all_events());
    app.picture(80, 14);
    let first = sentence(&mut app);
    app.press("down");
    let second = sentence(&mut app);
    app.press("pagedown");
    let later = sentence(&mut app);
    app.press("end");
    let last = sentence(&mut app);
    assert!(first != second && second != later && later != last, "{first}, {second}, {later}, {last}");
    app.press("pageup home");
    assert_eq!(sentence(&mut app), first);
}

#[test]
fn what_goes_on_waits_while_an_older_row_is_read() {
    let events = [all_events(), busy(0, 60)].concat();
    let mut app = told(options(), events[..events.len() - 120].to_vec(), 19_000);
    app.select("p1");
    app.press("t");
    answered(&mut app, &events);
    app.press("up up up");
    let read = app.line();
    app.toasts.dismiss();
    assert!(app.footer().contains("f follow"), "{}", app.footer());
    app.tick(at(22_000));
    app.get(events[events.len() - 120..].to_vec());
    assert!(answered(&mut app, &events).is_empty(), "it waits");
    assert_eq!(app.line(), read);
    app.press("f");
    answered(&mut app, &events);
    assert_eq!(sentence(&mut app), "p2: Probe 159 answered by p1 after 300 us");
    assert!(title(&mut app).contains("FOLLOW"));
}

#[test]
fn a_live_diagram_asks_once_a_second_for_what_is_new() {
    let events = [all_events(), busy(0, 100)].concat();
    let (old, new) = events.split_at(events.len() - 4 * 80);
    let mut app = told(options(), old.to_vec(), 18_000);
    app.select("p1");
    app.press("t");
    let [first] = answered(&mut app, &events).try_into().unwrap();
    assert_eq!((first.from, first.to), (at(7_900), at(17_900)), "ten seconds up to the last event");
    let mut questions = Vec::new();
    for (number, batch) in new.chunks(4).enumerate() {
        app.tick(at(18_000 + 100 * number as u64));
        app.get(batch.to_vec());
        questions.extend(answered(&mut app, &events));
    }
    assert!((7..=8).contains(&questions.len()), "80 pictures, 8 s: {questions:?}");
    for pair in questions.windows(2) {
        assert!(pair[1].from > pair[0].from && pair[1].to.since(pair[1].from).as_millis() <= 2_200, "{pair:?}");
    }
    // Nothing happens any more: nothing is asked, and no picture is due for it.
    for seconds in 27..30 {
        app.tick(at(seconds * 1_000));
        answered(&mut app, &events);
    }
    app.tick(at(40_000));
    assert!(asked(&mut app).is_empty());
}

#[test]
fn nodes_without_room_share_a_column_that_is_named() {
    let events = large_lab(30);
    let mut app = told(options(), events.clone(), 12_000);
    app.press("8");
    answered(&mut app, &events);
    let picture = app.picture(80, 24);
    assert_snapshot!("diagram_folded_80x24", picture);
    assert!(picture.contains("8 Diagram p1#1, 30 nodes, "), "{picture}");
}

#[test]
fn right_shows_the_nodes_that_had_no_room() {
    let events = large_lab(30);
    let mut app = told(options(), events.clone(), 12_000);
    app.press("8");
    answered(&mut app, &events);
    let heads = |app: &mut App| -> Vec<String> {
        let picture = app.picture(80, 24);
        let head = picture.lines().find(|line| line.contains(" +2")).unwrap();
        head.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let first = heads(&mut app);
    app.press("right right");
    let later = heads(&mut app);
    assert_eq!(later[..later.len() - 3], first[2..first.len() - 1], "{first:?} {later:?}");
    assert_eq!(later.last(), first.last(), "as many as before share the last column");
    app.press("left left");
    assert_eq!(heads(&mut app), first);
    (0..40).for_each(|_| drop(app.press("right")));
    let last = heads(&mut app);
    app.press("left");
    assert_ne!(heads(&mut app), last, "what was pressed too often is forgotten");
}

#[test]
fn a_step_in_a_diagram_leads_to_the_next_that_it_draws() {
    let mut app = told(options(), Vec::new(), 0);
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    shown_at(&mut app, 13_000);
    select_first_message(&mut app);
    app.press("t");
    answered(&mut app, &all_events());
    app.effects.clear();
    let effects = app.press(",");
    let Some(ConsoleEffect::Host(ToHost::Seek(seek))) = effects.first() else { panic!("{effects:?}") };
    let Destination::Event { scope, .. } = &seek.to else { panic!("{seek:?}") };
    let (drawn, other): (Vec<_>, Vec<_>) = all_events().into_iter().partition(|event| scope.shows(event));
    assert!(drawn.iter().all(|event| matches!(event.kind, EventKind::Gossip(_))), "{drawn:?}");
    assert!(drawn.len() > 3 && other.iter().any(|event| matches!(event.kind, EventKind::Gossip(_))), "of one message");
}

#[test]
fn a_recording_shows_nothing_later_than_its_moment() {
    let mut app = empty(options());
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    shown_at(&mut app, 16_000);
    select_first_message(&mut app);
    app.press("t");
    answered(&mut app, &all_events());
    let whole = app.picture(120, 40);
    assert!(whole.contains("8 Diagram p1#1") && whole.contains("hop 2"), "{whole}");
    let latest = |app: &mut App, millis: u64| {
        app.press("{");
        shown_at(app, millis);
        let questions: Vec<Time> = answered(app, &all_events()).iter().map(|question| question.to).collect();
        assert!(questions.iter().all(|to| *to <= at(millis)), "{questions:?}");
        app.picture(120, 40)
    };
    let midway = latest(&mut app, 3_006);
    assert!(midway.contains("hop 1") && !midway.contains("hop 2"), "{midway}");
    assert!(midway.contains("known up to 03:00:03.006"), "{midway}");
    let before = latest(&mut app, 2_000);
    assert!(before.contains("nothing of p1#1 yet: it begins at 03:00:03.000"), "{before}");
    assert_eq!(latest(&mut app, 16_000), whole);
}

#[test]
fn enter_explains_the_row_in_words_and_esc_leads_back() {
    let mut app = dead();
    app.press("8");
    answered(&mut app, &all_events());
    app.press("down");
    assert_eq!(sentence(&mut app), "p2: Received p3#1 \"hello 你好 \\x1b[31mred\" from p3");
    let before = app.picture(80, 24);
    app.press("enter");
    assert_snapshot!("diagram_enter_80x24", app.picture(80, 24));
    app.press("esc");
    assert_eq!(app.picture(80, 24), before);
}

#[test]
fn enter_on_a_fault_says_when_it_was_set() {
    let mut script = Script::default();
    let fault = Fault { what: FaultKind::Cut, on: Scope::border(vec![P1, P2]) };
    script.at(15_900).add(P1, EventKind::Fault(FaultEvent::Set { id: None, fault }));
    let events = [all_events(), script.events].concat();
    let mut app = told(options(), events.clone(), 16_000);
    app.select("p1");
    app.press("t");
    answered(&mut app, &events);
    app.press("end enter");
    let picture = app.picture(120, 40);
    assert!(picture.contains("'partition p1 p2' has been set since 03:00:15."), "{picture}");
}

#[test]
fn t_in_a_diagram_draws_what_its_row_is_about() {
    let events = [all_events(), busy(0, 3)].concat();
    let mut app = told(options(), events.clone(), 16_400);
    app.select("p1");
    app.press("t");
    answered(&mut app, &events);
    app.press("t");
    answered(&mut app, &events);
    assert!(title(&mut app).contains("8 Diagram p2 and p1, 2 nodes"), "{}", title(&mut app));
}
