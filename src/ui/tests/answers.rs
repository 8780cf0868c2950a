//! Open answers: they follow, say what changed, and lead to the moments that they rest on.

use insta::assert_snapshot;

use super::fixture::{S1, aftermath, at, dead, lab_peer, large_lab, options, suspect, told};
use crate::event::{Event, SeedEvent};
use crate::model::Model;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::command_line::complete;
use crate::ui::host::ToHost;
use crate::ui::seek::{Destination, Seek};

/// Asks in a live session.
fn asked(mut app: App, question: &str) -> App {
    app.command(&format!("why {question}"));
    app
}

#[test]
fn enter_on_a_line_of_evidence_goes_to_its_moment() {
    let mut app = asked(dead(), "p3");
    assert!(app.picture(120, 40).contains("chooses a moment"));
    app.press("down");
    let picture = app.picture(120, 40);
    assert!(picture.contains("goes to 03:00:09.000"), "the first line of evidence is chosen: {picture}");
    let effects = app.press("enter");
    let [ConsoleEffect::Host(ToHost::Seek(Seek { to, .. }))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*to, Destination::Time(at(9_000)));
    assert!(!app.picture(120, 40).contains("Why is p3 dead?"), "the answer gives way to what it leads to");
}

#[test]
fn enter_without_a_chosen_line_closes_the_answer() {
    let mut app = asked(dead(), "p3");
    app.picture(120, 40);
    assert!(app.press("down up enter").is_empty());
    assert!(!app.picture(120, 40).contains("Why is p3 dead?"));
}

#[test]
fn a_line_without_a_time_leads_nowhere() {
    let mut app = asked(suspect(), "p1");
    app.picture(120, 40);
    app.press("down");
    assert!(!app.picture(120, 40).contains("goes to"), "which links it has is so now");
    assert!(app.press("enter").is_empty());
    assert!(app.picture(120, 40).contains("p1, peer at"), "it stays open");
}

#[test]
fn an_open_answer_follows_and_says_what_it_was() {
    let mut app = asked(suspect(), "p3");
    let before = app.picture(120, 40);
    assert!(before.contains("p3 is suspect since") && before.contains("as of 03:00:13"), "{before}");
    assert!(!before.contains("changed since"), "{before}");
    app.get(aftermath());
    app.tick(at(16_000));
    let after = app.picture(120, 40);
    assert!(
        after.contains("as of 03:00:16") && after.contains("changed since 03:00:13: was \"p3 is suspect"),
        "{after}"
    );
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn what_does_not_fit_is_reached_line_by_line() {
    let mut app = asked(dead(), "p3");
    app.picture(44, 10);
    for _ in 0..60 {
        app.press("down");
        app.picture(44, 10);
    }
    assert!(!app.picture(44, 10).contains("more below"), "{}", app.picture(44, 10));
    app.press("g g");
    assert!(app.picture(44, 10).contains("p3 hangs since 03:00:09"), "{}", app.picture(44, 10));
}

#[test]
fn the_chosen_line_stays_chosen_when_others_come() {
    let mut app = asked(suspect(), "p3");
    app.picture(120, 40);
    app.press("G");
    let chosen = |app: &mut App| {
        let picture = app.picture(120, 40);
        let note = picture.lines().find(|line| line.contains("goes to")).unwrap_or_default().to_owned();
        note.split("goes to ").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned)
    };
    let before = chosen(&mut app);
    assert!(before.is_some());
    app.get(aftermath().into_iter().take(2).collect());
    app.tick(at(15_000));
    assert_eq!(chosen(&mut app), before);
}

/// A lab of 48 peers, to whom a seed named all, but p7 only to some.
fn large() -> App {
    let mut events = large_lab(48);
    for number in 1..=48 {
        let peers = (1..=48).filter(|other| *other != 7 || number % 5 > 0).map(lab_peer).collect();
        let kind = SeedEvent::PeerListReceived { seed: S1, peers, listed: Some(48) };
        events.push(Event { at: at(900), node: lab_peer(number), kind: kind.into() });
    }
    told(options(), events, 9_000)
}

#[test]
fn who_knows_whom_among_many_folds_equal_rows() {
    let mut app = asked(large(), "views");
    assert_snapshot!(app.picture(80, 24));
    assert!(!app.picture(80, 24).contains("changed since"));
    app.press("G");
    assert!(!app.picture(80, 24).contains("more below"), "{}", app.picture(80, 24));
}

#[test]
fn whom_one_peer_knows_is_told_line_by_line() {
    let mut app = asked(dead(), "views p1");
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn the_load_is_told_peer_by_peer() {
    let mut app = asked(large(), "load");
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn the_links_on_which_messages_wait_longest_come_first() {
    let mut app = asked(large(), "waits");
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn how_long_it_took_stands_beside_theory() {
    let mut app = asked(dead(), "times");
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn figures_are_asked_for_by_name_with_completion() {
    let mut model = Model::new();
    for event in &large_lab(12) {
        model.apply(event);
    }
    assert_eq!(complete("why v", &model), ["why views"]);
    assert_eq!(complete("why views p12", &model), ["why views p12"]);
}
