//! What keys do to the life of a node: kill, hang, restart, calm.

use super::fixture::{FAR, P1, P2, P3, P4, S1, Script, at, command, options, session, suspect, told};
use crate::command::{Command, FaultCommand};
use crate::event::{
    DeathEvent, Direction, EventKind, LinkEnd, LinkEvent, LinkId, Methods, NodeEvent, Pace, Purpose, Stop,
};
use crate::proto::message::{DeathCause, Dialect, Role};
use crate::ui::app::{ConsoleEffect, Ticked};
use crate::ui::host::ToHost;
use crate::ui::options::{Mode, Options};

#[test]
fn x_arms_and_only_x_again_kills() {
    let mut app = suspect();
    app.select("p4");
    assert_eq!(app.press("x"), []);
    assert_eq!(app.footer(), "x again kills p4");
    assert_eq!(app.press("x"), command(Command::Kill(P4)));
    assert_eq!(app.press("x"), [], "the next x arms anew");
}

#[test]
fn the_selection_begins_at_a_peer_so_that_x_twice_crashes_it() {
    let mut app = suspect();
    assert_eq!(app.press("x x"), command(Command::Kill(P1)));
    app.press("2 G x");
    assert_eq!(app.modals.len(), 1, "at the end are the seeds, and there a dialog asks");
}

#[test]
fn an_armed_kill_is_forgotten_after_two_seconds() {
    let mut app = suspect();
    app.select("p4");
    app.press("x");
    app.tick(at(15_199));
    assert_eq!(app.footer(), "x again kills p4");
    assert_eq!(app.tick(at(15_200)), Ticked::Picture);
    assert!(!app.footer().contains("again"));
    assert_eq!(app.press("x"), []);
}

#[test]
fn an_armed_kill_is_forgotten_at_any_other_key() {
    let mut app = suspect();
    app.select("p2");
    for key in ["down", "f12", "tab"] {
        app.press("x");
        app.press(key);
        assert!(app.armed.is_none(), "{key}");
    }
}

#[test]
fn a_seed_is_killed_only_by_choosing_so_in_a_dialog() {
    let mut app = suspect();
    app.select("s1");
    assert_eq!(app.press("x enter"), [], "Cancel is the answer at hand");
    assert_eq!(app.press("x right q"), [], "q leaves a dialog");
    assert_eq!(app.press("x right enter"), command(Command::Kill(S1)));
    assert_eq!(app.press("X enter"), [], "to hang it is asked in the same way");
    assert_eq!(app.press("X right enter"), command(Command::Hang(S1)));
}

#[test]
fn a_node_elsewhere_is_cut_off_and_the_footer_says_exactly_that() {
    let mut app = suspect();
    app.select("127.0.0.1:4000");
    app.press("x");
    assert_eq!(app.footer(), "x again cuts p1's link to :4000; p1 then treats it as dead");
    assert_eq!(app.press("x"), command(Command::Cut { node: P1, peer: FAR }));
    assert_eq!(app.press("X"), []);
    assert!(app.footer().contains("is not a node of this process"));
}

#[test]
fn a_link_that_was_cut_is_healed_by_the_key_that_restarts() {
    let mut app = suspect();
    let (cause, last_heard) = (DeathCause::Cut, at(12_000));
    let mut script = Script::default();
    script
        .at(13_100)
        .add(P1, EventKind::Death(DeathEvent::NeighborDied { missed: None, peer: FAR, cause, last_heard }));
    let (link, peer, purpose, end) = (LinkId(25), FAR, Purpose::Neighbor, LinkEnd::Dead { cause });
    script.add(P1, EventKind::Link(LinkEvent::Down { link, peer, purpose, end }));
    app.get(script.events);
    app.select("127.0.0.1:4000");
    let keys = app.footer();
    assert!(keys.contains("r heal :4000") && !keys.contains("x cut"), "{keys}");
    assert_eq!(app.press("r"), command(Command::Heal { node: P1, peer: FAR }));
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(app.footer().contains("allowing links to :4000 again"), "{}", app.footer());

    // Started anew, p1 knows of no cut any more, and C has nothing to end but p3, which hangs.
    let mut script = Script::default();
    script.at(13_150).add(P1, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed })).start(P1, "p1", Role::Peer);
    script.at(13_160).start(P3, "p3", Role::Peer);
    app.get(script.events);
    assert_eq!(app.press("r"), []);
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(app.footer().contains("nothing to end"), "{}", app.footer());
}

#[test]
fn a_link_line_acts_on_the_node_at_its_other_end() {
    let mut app = suspect();
    app.select("p1");
    app.press("right down down down");
    app.press("x");
    assert_eq!(app.footer(), "x again kills p2");
    assert_eq!(app.press("x"), command(Command::Kill(P2)));
}

#[test]
fn a_node_that_hangs_is_restarted_and_one_that_runs_is_hung() {
    let mut app = suspect();
    app.select("p3");
    assert_eq!(app.press("r"), command(Command::Restart(P3)));
    assert_eq!(app.press("X"), []);
    app.select("p4");
    assert_eq!(app.press("X"), []);
    assert_eq!(app.footer(), "X again hangs p4");
    assert_eq!(app.press("X"), command(Command::Hang(P4)));
    assert_eq!(app.press("r"), []);
    assert!(app.footer().contains("p4 runs: kill or hang it first"));
}

#[test]
fn killing_several_asks_once_for_all() {
    let mut app = suspect();
    assert_eq!(app.command("kill p1 p2"), []);
    let kills = [Command::Kill(P1), Command::Kill(P2)].map(|kill| ConsoleEffect::Host(ToHost::Command(kill)));
    assert_eq!(app.press("right enter"), kills);
}

#[test]
fn a_killed_node_is_shown_as_dead_at_once() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(13_150).add(P4, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    app.get(script.events);
    app.select("p4");
    let line = app.line();
    assert!(line.contains("dead 0 s"), "{line}");
    assert!(app.footer().contains("r restart p4") && !app.footer().contains("kill p4"));
}

#[test]
fn a_restart_beside_python_nodes_is_asked_about_first() {
    let (direction, purpose) = (Direction::Outbound, Purpose::Neighbor);
    let events = |dialect| {
        let mut script = Script::default();
        let pace = Pace { gossip_interval_us: 3_000_000, liveness_interval_us: 2_000_000, liveness_misses: 3 };
        let started = |name: &str| {
            EventKind::Node(NodeEvent::Started {
                name: name.to_owned(),
                role: Role::Peer,
                dialect,
                pace,
                methods: Methods::default(),
            })
        };
        script.at(100).add(P1, started("p1")).add(P2, started("p2"));
        script.at(500).add(
            P1,
            EventKind::Link(LinkEvent::Up { link: LinkId(1), connection: None, peer: FAR, direction, purpose }),
        );
        script.at(900).add(P1, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
        script.events
    };
    let mut app = told(options(), events(Dialect::Classic), 1_000);
    app.select("p1");
    assert_eq!(app.press("r"), []);
    let asked = app.picture(80, 24);
    assert!(asked.contains("Restart p1 at its address? A Python neighbor"), "{asked}");
    assert_eq!(app.press("enter"), [], "Cancel is the answer at hand");
    assert_eq!(app.press("r right enter"), command(Command::Restart(P1)));
    assert_eq!(app.press("C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(app.picture(160, 24).contains("starting p1 again. A Python neighbor (:4000)"));

    let mut app = told(options(), events(Dialect::Framed), 1_000);
    app.select("p1");
    assert_eq!(app.press("r"), command(Command::Restart(P1)));
}

#[test]
fn a_recording_cannot_be_changed() {
    let mode = Mode::Replay { source: "old.jsonl".to_owned() };
    let mut app = told(Options { mode, ..options() }, session(), 13_200);
    for keys in ["x", "X", "r", "m", "a"] {
        app.select("p4");
        assert_eq!(app.press(keys), [], "{keys}");
        assert!(app.footer().contains("this is a recording"), "{keys}");
    }
}
