//! The faults that the console shows, offers and ends.

use super::fixture::{P1, P2, P3, P4, Script, at, command, suspect};
use crate::command::{Command, FaultCommand};
use crate::event::{Event, EventKind, FaultEvent, NodeEvent, Stop};
use crate::proto::fault::{Fault, FaultClass, FaultKind, Percent, Scope};
use crate::proto::message::Role;
use crate::ui::app::ConsoleEffect;
use crate::ui::command_line::complete;
use crate::ui::host::{Objection, Severity, ToHost};

#[test]
fn faults_are_counted_explained_and_ended_with_one_key() {
    let fault = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on: Scope::link(P1, P4) };
    let event = |kind| Event { at: at(12_000), node: P1, kind };
    let mut app = suspect();
    app.get(vec![event(EventKind::Fault(FaultEvent::Set { id: None, fault: fault.clone() }))]);
    let shown = app.picture(120, 40);
    assert!(shown.contains("1 fault") && shown.contains("┈ faulty"), "{shown}");
    app.select("p4");
    app.press("enter");
    let details = app.picture(120, 40);
    assert!(details.contains("fault: loss p1 p4 30%"), "{details}");
    app.press("esc");
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(app.footer().contains("ending loss p1 p4 30%, starting p3 again"), "{}", app.footer());

    app.get(vec![event(EventKind::Fault(FaultEvent::Cleared { id: None, fault }))]);
    assert!(!app.picture(120, 40).contains("1 fault"));
    let mut script = Script::default();
    script.at(13_000).start(P3, "p3", Role::Peer);
    app.get(script.events);
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)), "the network may know of more");
    assert_eq!(app.footer(), "i calm: nothing to end, as far as is known here");
}

#[test]
fn f_writes_the_command_of_a_fault_and_enter_gives_it() {
    let mut app = suspect();
    app.select("p4");
    assert_eq!(app.press("F down down down enter"), [], "nothing is done yet");
    assert_eq!(app.footer(), ":loss p4 30%");
    let loss = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on: Scope::Node(P4) };
    assert_eq!(app.press("enter"), command(Command::Fault(FaultCommand::Set(loss.clone()))));

    // Where a second node is needed, it is left to be typed.
    app.press("F enter");
    app.type_text("p1");
    let cut = Fault { what: FaultKind::Cut, on: Scope::link(P1, P4) };
    assert_eq!(app.press("enter"), command(Command::Fault(FaultCommand::Set(cut.clone()))));

    let set = [loss, cut].map(|fault| Event {
        at: at(12_000),
        node: P4,
        kind: EventKind::Fault(FaultEvent::Set { id: None, fault }),
    });
    app.get(set.to_vec());
    let map = app.picture(120, 40);
    assert!(map.contains("╳ cut") && map.matches('╳').count() == 2, "once on the link, once in the legend\n{map}");
    app.press("F G up");
    let menu = app.picture(80, 24);
    assert!(menu.contains("> loss p4 off") && menu.contains("  heal p1 p4"), "{menu}");
    let clear = |kind, on| command(Command::Fault(FaultCommand::Clear { kind, on }));
    assert_eq!(app.press("enter"), []);
    assert_eq!(app.press("enter"), clear(FaultClass::Loss, Scope::Node(P4)));
    assert_eq!(app.press("F G enter enter"), clear(FaultClass::Cut, Scope::link(P1, P4)));
}

#[test]
fn partitions_end_together_so_f_offers_that_once() {
    let mut app = suspect();
    let border = |nodes| Fault { what: FaultKind::Cut, on: Scope::border(nodes) };
    let set = [border(vec![P1]), border(vec![P1, P2])].map(|fault| {
        let kind = EventKind::Fault(FaultEvent::Set { id: None, fault });
        Event { at: at(12_000), node: P4, kind }
    });
    app.get(set.to_vec());
    app.press("F G");
    let menu = app.picture(80, 40);
    assert_eq!(menu.matches("heal partition").count(), 1, "{menu}");
    assert!(menu.contains("ends all partitions"), "{menu}");
}

#[test]
fn f_offers_restart_of_a_down_node_and_link_faults_elsewhere() {
    let mut app = suspect();
    app.get(vec![Event { at: at(12_000), node: P4, kind: EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }) }]);
    app.select("p4");
    app.press("F");
    let menu = app.picture(80, 24);
    assert!(menu.contains("> restart p4") && !menu.contains("loss p4"), "{menu}");
    app.press("esc");
    app.select(":4000");
    app.press("F");
    let menu = app.picture(80, 24);
    assert!(menu.contains("loss :4000 30%") && !menu.contains("skew") && !menu.contains("lie"), "{menu}");
}

#[test]
fn the_engine_judges_what_was_typed_a_moment_ago() {
    let mut app = suspect();
    app.command("lie p1");
    assert!(app.footer().contains("expected lie PEER NODE"));
    app.press(":");
    app.type_text("restart p4");
    // p4 was killed a moment ago, which is not seen here yet.
    assert_eq!(app.press("enter"), command(Command::Restart(P4)));
    assert!(!app.footer().contains("expected lie"), "an answer to something else");
}

#[test]
fn with_a_link_selected_f_is_about_that_link() {
    let mut app = suspect();
    app.select("p1");
    app.press("right down down down");
    app.press("F enter");
    let cut = app.footer();
    assert!(cut.starts_with(":cut p1 p"), "{cut}");
    let ConsoleEffect::Host(ToHost::Command(Command::Fault(FaultCommand::Set(fault)))) = &app.press("enter")[0] else {
        panic!("{cut} sets no fault");
    };
    assert!(matches!(fault.on, Scope::Link(..)), "{fault:?}");
}

#[test]
fn calm_names_the_nodes_that_restart_hung_ones_included() {
    let mut app = suspect();
    let event = |node, kind| Event { at: at(12_000), node, kind };
    let hung = [event(P1, EventKind::Node(NodeEvent::Hung)), event(P4, EventKind::Node(NodeEvent::Hung))];
    app.get(hung.to_vec());
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)));
    let said = app.footer();
    assert!(said.contains("starting p1, p3 and p4 again"), "{said}");
}

#[test]
fn tab_completes_faults_and_what_they_are_about() {
    let mut app = suspect();
    app.press(":");
    app.type_text("part");
    app.press("tab");
    app.type_text(" p4 p");
    let offers = app.prompt.as_ref().unwrap().offers(&app.scene.live);
    assert!(offers.contains(&"partition p4 p1".to_owned()), "{offers:?}");
    assert_eq!(complete("loss a", &app.scene.live), ["loss all"]);
    assert_eq!(complete("heal pa", &app.scene.live), ["heal partition"]);
    assert_eq!(complete("delay p1 p4 o", &app.scene.live), ["delay p1 p4 off"]);
}

#[test]
fn what_the_console_refuses_is_handed_on_with_what_was_done() {
    let mut app = suspect();
    assert_eq!(app.command("kill p9"), []);
    for (node, key) in [("p3", "X"), ("p1", "r"), ("p4", "r")] {
        app.select(node);
        assert_eq!(app.press(key), []);
    }
    let effects = app.command("save-scenario a.txt");
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
    app.type_text(":save-scenario a.txt");
    let effects = app.press("enter");
    let [ConsoleEffect::Host(ToHost::SaveScenario { refused, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((refused.kept.len(), refused.more), (1_000, 3));
}
