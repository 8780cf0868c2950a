//! The faults that the console shows, offers and ends.

use super::fixture::{
    P1, P2, P3, P4, Script, at, command, delivery, footer, picture, press, select, suspect, type_text,
};
use crate::command::{Command, FaultCommand};
use crate::event::{Event, EventKind, FaultEvent, NodeEvent, Stop};
use crate::proto::fault::{Fault, FaultClass, FaultKind, Percent, Scope};
use crate::proto::message::Role;
use crate::ui::app::ConsoleEffect;
use crate::ui::command_line::complete;
use crate::ui::host::{Objection, Severity, ToHost};

#[test]
fn faults_are_counted_in_the_header_told_in_the_details_and_go_with_one_key() {
    let fault = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on: Scope::link(P1, P4) };
    let event = |kind| Event { at: at(12_000), node: P1, kind };
    let mut app = suspect();
    app.take(&[delivery(vec![event(EventKind::Fault(FaultEvent::Set { fault: fault.clone() }))])]);
    let shown = picture(&mut app, 120, 40);
    assert!(shown.contains("1 fault") && shown.contains("┈ faulty"), "{shown}");
    select(&mut app, "p4");
    press(&mut app, "enter");
    let details = picture(&mut app, 120, 40);
    assert!(details.contains("fault: loss p1 p4 30%"), "{details}");
    press(&mut app, "esc");
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(footer(&mut app).contains("ending loss p1 p4 30%, starting p3 again"), "{}", footer(&mut app));

    app.take(&[delivery(vec![event(EventKind::Fault(FaultEvent::Cleared { fault }))])]);
    assert!(!picture(&mut app, 120, 40).contains("1 fault"));
    let mut script = Script::default();
    script.at(13_000).start(P3, "p3", Role::Peer);
    app.take(&[delivery(script.events)]);
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)), "the network may know of more");
    assert_eq!(footer(&mut app), "i calm: nothing to end, as far as is known here");
}

#[test]
fn f_writes_the_command_of_each_fault_and_of_its_end_and_enter_gives_it() {
    let mut app = suspect();
    select(&mut app, "p4");
    assert_eq!(press(&mut app, "F down down down enter"), [], "nothing is done yet");
    assert_eq!(footer(&mut app), ":loss p4 30%");
    let loss = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on: Scope::Node(P4) };
    assert_eq!(press(&mut app, "enter"), command(Command::Fault(FaultCommand::Set(loss.clone()))));

    // Where a second node is needed, it is left to be typed.
    press(&mut app, "F enter");
    type_text(&mut app, "p1");
    let cut = Fault { what: FaultKind::Cut, on: Scope::link(P1, P4) };
    assert_eq!(press(&mut app, "enter"), command(Command::Fault(FaultCommand::Set(cut.clone()))));

    let set =
        [loss, cut].map(|fault| Event { at: at(12_000), node: P4, kind: EventKind::Fault(FaultEvent::Set { fault }) });
    app.take(&[delivery(set.to_vec())]);
    let map = picture(&mut app, 120, 40);
    assert!(map.contains("╳ cut") && map.matches('╳').count() == 2, "once on the link, once in the legend\n{map}");
    press(&mut app, "F G up");
    let menu = picture(&mut app, 80, 24);
    assert!(menu.contains("> loss p4 off") && menu.contains("  heal p1 p4"), "{menu}");
    let clear = |kind, on| command(Command::Fault(FaultCommand::Clear { kind, on }));
    assert_eq!(press(&mut app, "enter"), []);
    assert_eq!(press(&mut app, "enter"), clear(FaultClass::Loss, Scope::Node(P4)));
    assert_eq!(press(&mut app, "F G enter enter"), clear(FaultClass::Cut, Scope::link(P1, P4)));
}

#[test]
fn partitions_end_together_so_f_offers_that_once() {
    let mut app = suspect();
    let border = |nodes| Fault { what: FaultKind::Cut, on: Scope::border(nodes) };
    let set = [border(vec![P1]), border(vec![P1, P2])].map(|fault| {
        let kind = EventKind::Fault(FaultEvent::Set { fault });
        Event { at: at(12_000), node: P4, kind }
    });
    app.take(&[delivery(set.to_vec())]);
    press(&mut app, "F G");
    let menu = picture(&mut app, 80, 40);
    assert_eq!(menu.matches("heal partition").count(), 1, "{menu}");
    assert!(menu.contains("ends all partitions"), "{menu}");
}

#[test]
fn f_offers_a_node_that_does_not_run_to_be_started_again_and_of_one_elsewhere_what_passes_between() {
    let mut app = suspect();
    app.take(&[delivery(vec![Event {
        at: at(12_000),
        node: P4,
        kind: EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }),
    }])]);
    select(&mut app, "p4");
    press(&mut app, "F");
    let menu = picture(&mut app, 80, 24);
    assert!(menu.contains("> restart p4") && !menu.contains("loss p4"), "{menu}");
    press(&mut app, "esc");
    select(&mut app, ":4000");
    press(&mut app, "F");
    let menu = picture(&mut app, 80, 24);
    assert!(menu.contains("loss 127.0.0.1:4000 30%") && !menu.contains("skew") && !menu.contains("lie"), "{menu}");
}

#[test]
fn what_was_typed_a_moment_ago_is_for_the_engine_to_know_and_its_answer_outdates_the_one_before() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "lie p1");
    press(&mut app, "enter");
    assert!(footer(&mut app).contains("expected lie PEER NODE"));
    press(&mut app, ":");
    type_text(&mut app, "restart p4");
    // p4 was killed a moment ago, which is not seen here yet.
    assert_eq!(press(&mut app, "enter"), command(Command::Restart(P4)));
    assert!(!footer(&mut app).contains("expected lie"), "an answer to something else");
}

#[test]
fn with_a_link_selected_f_is_about_that_link() {
    let mut app = suspect();
    select(&mut app, "p1");
    press(&mut app, "right down down down");
    press(&mut app, "F enter");
    let cut = footer(&mut app);
    assert!(cut.starts_with(":cut p1 p"), "{cut}");
    let ConsoleEffect::Host(ToHost::Command(Command::Fault(FaultCommand::Set(fault)))) = &press(&mut app, "enter")[0]
    else {
        panic!("{cut} sets no fault");
    };
    assert!(matches!(fault.on, Scope::Link(..)), "{fault:?}");
}

#[test]
fn calm_says_which_nodes_are_started_again_and_counts_a_node_that_hangs_as_a_fault() {
    let mut app = suspect();
    let event = |node, kind| Event { at: at(12_000), node, kind };
    let hung = [event(P1, EventKind::Node(NodeEvent::Hung)), event(P4, EventKind::Node(NodeEvent::Hung))];
    app.take(&[delivery(hung.to_vec())]);
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    let said = footer(&mut app);
    assert!(said.contains("starting p1, p3 and p4 again"), "{said}");
}

#[test]
fn tab_completes_faults_and_what_they_are_about() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "part");
    press(&mut app, "tab");
    type_text(&mut app, " p4 p");
    let offers = app.prompt.as_ref().unwrap().offers(&app.scene.live);
    assert!(offers.contains(&"partition p4 p1".to_owned()), "{offers:?}");
    assert_eq!(complete("loss a", &app.scene.live), ["loss all"]);
    assert_eq!(complete("heal pa", &app.scene.live), ["heal partition"]);
    assert_eq!(complete("delay p1 p4 o", &app.scene.live), ["delay p1 p4 off"]);
}

#[test]
fn what_the_console_refuses_is_handed_on_with_what_was_done() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "kill p9");
    assert_eq!(press(&mut app, "enter"), []);
    for (node, key) in [("p3", "X"), ("p1", "r"), ("p4", "r")] {
        select(&mut app, node);
        assert_eq!(press(&mut app, key), []);
    }
    press(&mut app, ":");
    type_text(&mut app, "save-scenario a.txt");
    let effects = press(&mut app, "enter");
    let [ConsoleEffect::Host(ToHost::SaveScenario { refused, .. })] = &effects[..] else { panic!("{effects:?}") };
    let refused: Vec<String> =
        refused.kept.iter().map(|refused| format!("{}: {}", refused.what, refused.why)).collect();
    assert_eq!(
        refused,
        [
            "kill p9: no node 'p9': expected a name such as p1, or an address",
            "hang p3: p3 hangs",
            "restart p1: p1 runs: kill or hang it first",
            "restart p4: p4 runs: kill or hang it first",
        ]
    );
}

#[test]
fn what_is_refused_beyond_a_thousand_is_counted() {
    let mut app = suspect();
    for _ in 0..1_003 {
        app.refuse(Severity::Warning, "hang p3".to_owned(), Objection::Line("p3 hangs already".to_owned()));
    }
    type_text(&mut app, ":save-scenario a.txt");
    let effects = press(&mut app, "enter");
    let [ConsoleEffect::Host(ToHost::SaveScenario { refused, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((refused.kept.len(), refused.more), (1_000, 3));
}
