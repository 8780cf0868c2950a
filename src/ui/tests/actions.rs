//! What keys do.

use std::time::Duration;

use super::fixture::{
    FAR, P1, P2, P3, P4, S1, S2, Script, aftermath, at, dead, delivery, empty, options, picture, press, session,
    suspect, told, type_text,
};
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::event::{DelistReason, Direction, Event, EventKind, LinkEnd, LinkId, Pace, Purpose, ReportAction, Stop};
use crate::platform::CAN_SUSPEND;
use crate::proto::fault::{Fault, FaultClass, FaultKind, Percent, Scope};
use crate::proto::message::{DeathCause, Dialect, MessageId, Role};
use crate::scenario::Progress;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::command_line::complete;
use crate::ui::decode::Paste;
use crate::ui::host::{FromHost, JournalState, Objection, Overwrite, Severity, ToHost};
use crate::ui::keys::KeyOverrides;
use crate::ui::options::{FormDefaults, Mode, Options, StartScreen};
use crate::ui::update::{on_host, on_paste};

fn command(command: Command) -> Vec<ConsoleEffect> {
    vec![ConsoleEffect::Host(ToHost::Command(command))]
}

fn footer(app: &mut App) -> String {
    picture(app, 120, 40).lines().last().unwrap().trim().to_owned()
}

/// Puts the selection on this line of the connections.
fn select(app: &mut App, name: &str) {
    press(app, "2 g g");
    for _ in 0..40 {
        if app.panes.line_of(crate::ui::action::PaneId::Connections, &app.view()).unwrap().contains(name) {
            return;
        }
        press(app, "down");
    }
    panic!("no line with {name}");
}

#[test]
fn x_arms_and_only_x_again_kills() {
    let mut app = suspect();
    select(&mut app, "p4");
    assert_eq!(press(&mut app, "x"), []);
    assert_eq!(footer(&mut app), "x again kills p4");
    assert_eq!(press(&mut app, "x"), command(Command::Kill(P4)));
    assert_eq!(press(&mut app, "x"), [], "the next x arms anew");
}

#[test]
fn the_selection_begins_at_a_peer_so_that_x_twice_crashes_it() {
    let mut app = suspect();
    assert_eq!(press(&mut app, "x x"), command(Command::Kill(P1)));
    press(&mut app, "2 up x");
    assert_eq!(app.modals.len(), 1, "above it are the seeds, and there a dialog asks");
}

#[test]
fn an_armed_kill_is_forgotten_after_two_seconds() {
    let mut app = suspect();
    select(&mut app, "p4");
    press(&mut app, "x");
    app.tick(at(15_199));
    assert_eq!(footer(&mut app), "x again kills p4");
    assert!(app.tick(at(15_200)));
    assert!(!footer(&mut app).contains("again"));
    assert_eq!(press(&mut app, "x"), []);
}

#[test]
fn an_armed_kill_is_forgotten_at_any_other_key() {
    let mut app = suspect();
    select(&mut app, "p2");
    for key in ["down", "f12", "tab"] {
        press(&mut app, "x");
        press(&mut app, key);
        assert!(app.armed.is_none(), "{key}");
    }
}

#[test]
fn a_seed_is_killed_only_by_choosing_so_in_a_dialog() {
    let mut app = suspect();
    select(&mut app, "s1");
    assert_eq!(press(&mut app, "x enter"), [], "Cancel is the answer at hand");
    assert_eq!(press(&mut app, "x right enter"), command(Command::Kill(S1)));
}

#[test]
fn a_node_elsewhere_is_cut_off_and_the_footer_says_exactly_that() {
    let mut app = suspect();
    select(&mut app, "127.0.0.1:4000");
    press(&mut app, "x");
    assert_eq!(footer(&mut app), "x again cuts p1's link to 127.0.0.1:4000; p1 then treats it as dead");
    assert_eq!(press(&mut app, "x"), command(Command::Cut { node: P1, peer: FAR }));
    assert_eq!(press(&mut app, "X"), []);
    assert!(footer(&mut app).contains("is not a node of this process"));
}

#[test]
fn a_link_that_was_cut_is_healed_by_the_key_that_restarts() {
    let mut app = suspect();
    let (cause, last_heard) = (DeathCause::Cut, at(12_000));
    let mut script = Script::default();
    script.at(13_100).add(P1, EventKind::NeighborDied { peer: FAR, cause, last_heard });
    let (link, peer, purpose, end) = (LinkId(25), FAR, Purpose::Neighbor, LinkEnd::Dead { cause });
    script.add(P1, EventKind::LinkDown { link, peer, purpose, end });
    app.take(&[delivery(script.events)]);
    select(&mut app, "127.0.0.1:4000");
    let keys = footer(&mut app);
    assert!(keys.contains("r heal 127.0.0.1:4000") && !keys.contains("x cut"), "{keys}");
    assert_eq!(press(&mut app, "r"), command(Command::Heal { node: P1, peer: FAR }));
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(footer(&mut app).contains("allowing links to 127.0.0.1:4000 again"), "{}", footer(&mut app));

    // Started anew, p1 knows of no cut any more, and C has nothing to end but p3, which hangs.
    let mut script = Script::default();
    script.at(13_150).add(P1, EventKind::Stopped { how: Stop::Killed }).start(P1, "p1", Role::Peer);
    script.at(13_160).start(P3, "p3", Role::Peer);
    app.take(&[delivery(script.events)]);
    assert_eq!(press(&mut app, "r"), []);
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(footer(&mut app).contains("nothing to end"), "{}", footer(&mut app));
}

#[test]
fn a_link_line_acts_on_the_node_at_its_other_end() {
    let mut app = suspect();
    select(&mut app, "p1");
    press(&mut app, "right down down down");
    press(&mut app, "x");
    assert_eq!(footer(&mut app), "x again kills p2");
    assert_eq!(press(&mut app, "x"), command(Command::Kill(P2)));
}

#[test]
fn a_node_that_hangs_is_restarted_and_one_that_runs_is_hung() {
    let mut app = suspect();
    select(&mut app, "p3");
    assert_eq!(press(&mut app, "r"), command(Command::Restart(P3)));
    assert_eq!(press(&mut app, "X"), []);
    select(&mut app, "p4");
    assert_eq!(press(&mut app, "X"), command(Command::Hang(P4)));
    assert_eq!(press(&mut app, "r"), []);
    assert!(footer(&mut app).contains("p4 runs: kill or hang it first"));
}

#[test]
fn the_selection_follows_the_node_when_the_order_changes() {
    let mut app = suspect();
    select(&mut app, "p3");
    press(&mut app, "s");
    press(&mut app, "x");
    assert_eq!(footer(&mut app), "x again kills p3");
}

#[test]
fn a_frozen_picture_stays_as_it_is_and_counts_what_is_new() {
    let mut app = suspect();
    press(&mut app, "space");
    let before = picture(&mut app, 120, 40);
    app.tick(at(13_900));
    let events = aftermath();
    let count = events.len();
    app.take(&[delivery(events)]);
    let after = picture(&mut app, 120, 40);
    let header = after.lines().next().unwrap();
    assert!(header.contains(&format!("FROZEN +{count} new")), "{header}");
    assert!(before.lines().skip(1).eq(after.lines().skip(1)));
    press(&mut app, "space");
    let thawed = picture(&mut app, 120, 40);
    assert!(thawed.contains("1 dead") && thawed.contains("LIVE"), "{thawed}");
}

#[test]
fn scrolling_up_in_the_log_leaves_follow_and_counts_what_is_below() {
    let mut app = suspect();
    press(&mut app, "3 g g");
    assert!(picture(&mut app, 120, 40).contains("new below"));
    press(&mut app, "G");
    assert!(picture(&mut app, 120, 40).contains("FOLLOW"));
    press(&mut app, "f");
    assert!(picture(&mut app, 120, 40).contains("0 new below"));
}

#[test]
fn a_filter_shows_its_effect_while_typed_and_esc_takes_it_back() {
    let mut app = suspect();
    press(&mut app, "3 /");
    type_text(&mut app, "PROBE");
    let picture_now = picture(&mut app, 120, 40);
    assert!(picture_now.contains("no answer (2/3)") && !picture_now.contains(" GOSSIP "), "{picture_now}");
    press(&mut app, "esc");
    assert!(picture(&mut app, 120, 40).contains(" GOSSIP "));
    press(&mut app, "/");
    type_text(&mut app, "!PROBE");
    press(&mut app, "enter");
    let picture_now = picture(&mut app, 120, 40);
    assert!(picture_now.contains(" GOSSIP ") && !picture_now.contains("no answer"), "{picture_now}");
    assert!(picture_now.contains("filter: !PROBE"));
}

#[test]
fn numbers_and_tab_lead_to_panes_and_a_hidden_pane_opens_whole() {
    let mut app = dead();
    press(&mut app, "5");
    let shown = picture(&mut app, 80, 24);
    assert!(shown.contains("5 Dead-node reports") && !shown.contains("1 Topology"), "{shown}");
    press(&mut app, "esc");
    assert!(picture(&mut app, 80, 24).contains("1 Topology"));
    press(&mut app, "tab tab tab z");
    let shown = picture(&mut app, 120, 40);
    assert!(shown.contains("4 Liveness") && !shown.contains("1 Topology"), "{shown}");
}

#[test]
fn a_starts_a_peer_at_the_next_free_port() {
    let mut app = suspect();
    let spec = NodeSpec { role: Role::Peer, listen: Placement::At(crate::proto::addr::Addr::loopback(3004)) };
    assert_eq!(press(&mut app, "a enter"), command(Command::Start(spec)));
    assert!(app.modals.is_empty());
}

#[test]
fn the_form_names_the_seeds_that_a_new_peer_will_find() {
    let mut app = suspect();
    press(&mut app, "a");
    assert!(picture(&mut app, 100, 30).contains("a majority of the seeds: 127.0.0.1:5001 and"));

    let no_list = FormDefaults { seeds: Vec::new(), ..options().defaults };
    let mut lab = told(Options { defaults: no_list, ..options() }, session(), 13_200);
    press(&mut lab, "a");
    assert!(picture(&mut lab, 100, 30).contains("a majority of the seeds: 127.0.0.1:5001 and"));
}

#[test]
fn the_start_screen_starts_a_lab_with_two_keys() {
    let mut app = empty(Options { start_screen: StartScreen::Shown, ..options() });
    assert_eq!(press(&mut app, "enter enter"), command(Command::StartLab { seeds: 2, peers: 8 }));
    assert!(app.modals.is_empty(), "and gives way to the console");
}

#[test]
fn the_start_screen_opens_a_recording_and_stays_until_it_is_open() {
    let mut app = empty(Options { start_screen: StartScreen::Shown, ..options() });
    press(&mut app, "up enter");
    assert!(picture(&mut app, 80, 24).contains("File  sessions/last.jsonl"), "the last session is at hand");
    press(&mut app, "ctrl-u");
    type_text(&mut app, "old.jsonl");
    assert_eq!(press(&mut app, "enter"), [ConsoleEffect::Host(ToHost::OpenRecording("old.jsonl".into()))]);
    assert_eq!(app.modals.len(), 1);
    on_host(&mut app, FromHost::Opened(Mode::Replay { source: "old.jsonl".to_owned() }));
    assert!(app.modals.is_empty());
    assert!(picture(&mut app, 120, 40).contains("REPLAY old.jsonl"));
}

#[test]
fn m_sends_a_message_from_the_selected_peer() {
    let mut app = suspect();
    select(&mut app, "p4");
    press(&mut app, "m");
    assert_eq!(press(&mut app, "enter"), [], "a message needs a text");
    type_text(&mut app, "hi there");
    assert_eq!(press(&mut app, "enter"), command(Command::Say { node: P4, body: "hi there".into() }));
}

#[test]
fn an_export_asks_before_it_replaces_a_file() {
    let mut app = suspect();
    let path = std::path::PathBuf::from("session.jsonl");
    let export = |overwrite| [ConsoleEffect::Host(ToHost::Export { path: path.clone(), overwrite })];
    assert_eq!(press(&mut app, "e enter"), export(Overwrite::Ask));
    on_host(&mut app, FromHost::ExportExists { path: path.clone() });
    assert_eq!(press(&mut app, "enter"), [], "Cancel is the answer at hand");
    on_host(&mut app, FromHost::ExportExists { path: path.clone() });
    assert_eq!(press(&mut app, "tab enter"), export(Overwrite::Allowed));
    on_host(&mut app, FromHost::ExportFailed { path, why: "the disk is full".to_owned() });
    assert_eq!(footer(&mut app), "x not exported to session.jsonl: the disk is full");
}

#[test]
fn what_was_done_is_saved_as_a_scenario_and_a_file_is_not_replaced_unasked() {
    let mut app = suspect();
    let type_command = |app: &mut App, line: &str| {
        press(app, ":");
        type_text(app, line);
        press(app, "enter")
    };
    assert_eq!(type_command(&mut app, "save-scenario"), []);
    assert!(footer(&mut app).contains("expected save-scenario FILE"));
    let effects = type_command(&mut app, "save-scenario mine.txt");
    let [ConsoleEffect::Host(ToHost::SaveScenario { path, overwrite: Overwrite::Ask, names, .. })] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(names.contains(&(P4, "p4".to_owned())), "{names:?}");
    on_host(&mut app, FromHost::ScenarioExists { path: path.clone() });
    assert_eq!(press(&mut app, "enter"), [], "Cancel is the answer at hand");
    on_host(&mut app, FromHost::ScenarioExists { path: path.clone() });
    let effects = press(&mut app, "tab enter");
    assert!(matches!(effects[..], [ConsoleEffect::Host(ToHost::SaveScenario { overwrite: Overwrite::Allowed, .. })]));
    on_host(&mut app, FromHost::ScenarioSaved { path: path.clone() });
    assert!(footer(&mut app).contains("saved as a scenario: gossipctl lab --script mine.txt"));
}

#[test]
fn the_header_tells_how_far_a_scenario_is_and_what_failed() {
    let mut app = suspect();
    let header = |app: &mut App| picture(app, 160, 50).lines().next().unwrap().to_owned();
    on_host(&mut app, FromHost::Scenario(Progress { done: 4, of: 9, failed: 0 }));
    assert!(header(&mut app).contains("scenario 4/9 "));
    on_host(&mut app, FromHost::Scenario(Progress { done: 5, of: 9, failed: 1 }));
    assert!(header(&mut app).contains("scenario 5/9, 1 failed"));
}

#[test]
fn everything_has_a_name_on_the_command_line() {
    let run = |line: &str| {
        let mut app = suspect();
        press(&mut app, ":");
        type_text(&mut app, line);
        let effects = press(&mut app, "enter");
        (effects, footer(&mut app))
    };
    assert_eq!(run("kill p4").0, command(Command::Kill(P4)));
    assert_eq!(run("kill s1").0, [], "a seed asks first");
    assert_eq!(run("hang p4").0, command(Command::Hang(P4)));
    assert_eq!(run("cut 127.0.0.1:4000 p1").0, command(Command::Cut { node: P1, peer: FAR }));
    assert_eq!(run("heal p1 127.0.0.1:4000").0, command(Command::Heal { node: P1, peer: FAR }));
    let fault = |what, on| command(Command::Fault(FaultCommand::Set(Fault { what, on })));
    assert_eq!(run("cut p1 p4").0, fault(FaultKind::Cut, Scope::link(P1, P4)));
    assert_eq!(run("partition p4 p1").0, fault(FaultKind::Cut, Scope::border(vec![P1, P4])));
    assert_eq!(run("skew p4 -2s").0, fault(FaultKind::Skew { by_us: -2_000_000 }, Scope::Node(P4)));
    assert_eq!(run("lie p1 p4").0, command(Command::Fault(FaultCommand::Lie { liar: P1, about: P4 })));
    assert_eq!(run("heal").0, command(Command::Fault(FaultCommand::HealAll)));
    assert_eq!(run("loss p1 p4 130%").1, "x '130%': expected a percentage such as 30%, from 1% to 100%; off to end it");
    assert_eq!(run("delay p1").1, "x expected delay WHERE TIME [MORE]");
    assert_eq!(run("say p4 a  b").0, command(Command::Say { node: P4, body: "a  b".into() }));
    assert_eq!(run("lab 1 3").0, command(Command::StartLab { seeds: 1, peers: 3 }));
    let seed = NodeSpec { role: Role::Seed, listen: Placement::At(crate::proto::addr::Addr::loopback(5003)) };
    assert_eq!(run("seed 5003").0, command(Command::Start(seed)));
    assert_eq!(run("quit").0, [ConsoleEffect::Quit]);
    assert_eq!(run("kill p77").1, "x no node 'p77': expected a name such as p1, or an address");
    assert_eq!(run("frobnicate").1, "x no command 'frobnicate': help shows all");
}

#[test]
fn a_word_too_many_is_named_and_nothing_is_done() {
    let mut app = suspect();
    let mut run = |line: &str| {
        press(&mut app, ":");
        type_text(&mut app, line);
        let effects = press(&mut app, "enter");
        (effects, footer(&mut app))
    };
    let takes_arguments: Vec<&str> = super::super::command_line::commands().map(|command| command.name).collect();
    let actions = super::super::keys::KEYS.iter().map(|binding| binding.name);
    for name in actions.filter(|name| !takes_arguments.contains(name)).chain(["q"]) {
        let told = format!("x {name} takes nothing: unexpected 'now'");
        assert_eq!(run(&format!("{name} now")), (Vec::new(), told));
    }
    assert_eq!(run("sort name rtt").1, "x sort takes [ORDER]: unexpected 'rtt'");
    assert_eq!(run("pane 1 2").1, "x pane takes NUMBER: unexpected '2'");
    assert_eq!(run("why p1 p4 s1").1, "x why takes NODE [NODE|MESSAGE]: unexpected 's1'");
    assert_eq!(run("lab 1 3 x").1, "x lab takes SEEDS PEERS: unexpected 'x'");
}

#[test]
fn faults_are_counted_in_the_header_told_in_the_details_and_go_with_one_key() {
    let fault = Fault { what: FaultKind::Loss { percent: Percent::new(30).unwrap() }, on: Scope::link(P1, P4) };
    let event = |kind| Event { at: at(12_000), node: P1, kind };
    let mut app = suspect();
    app.take(&[delivery(vec![event(EventKind::FaultSet { fault: fault.clone() })])]);
    let shown = picture(&mut app, 120, 40);
    assert!(shown.contains("1 fault") && shown.contains("┈ faulty"), "{shown}");
    select(&mut app, "p4");
    press(&mut app, "enter");
    let details = picture(&mut app, 120, 40);
    assert!(details.contains("fault: loss p1 p4 30%"), "{details}");
    press(&mut app, "esc");
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(footer(&mut app).contains("ending loss p1 p4 30%, starting p3 again"), "{}", footer(&mut app));

    app.take(&[delivery(vec![event(EventKind::FaultCleared { fault })])]);
    assert!(!picture(&mut app, 120, 40).contains("1 fault"));
    let mut script = Script::default();
    script.at(13_000).start(P3, "p3", Role::Peer);
    app.take(&[delivery(script.events)]);
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)), "the network may know of more");
    assert_eq!(footer(&mut app), "i calm: nothing to end, as far as is known here");
}

const LONG: &str = "the session is not recorded, because the disk is full and there is nothing here that could be thrown \
                    away; make room, or quit and begin again elsewhere";

#[test]
fn a_long_notice_goes_on_in_the_rows_that_are_free_and_is_cut_where_there_are_none() {
    let mut app = suspect();
    on_host(&mut app, FromHost::Notice { severity: Severity::Error, text: LONG.to_owned() });
    app.tick(at(60_000));
    press(&mut app, "6 z");
    let shown = picture(&mut app, 80, 24);
    let row = shown.lines().position(|line| line.contains("the session is not recorded")).expect(&shown);
    let text = |row: usize| shown.lines().nth(row).unwrap().trim_matches(['│', ' ']).to_owned();
    let head = "03:00:13 x ";
    let sentence = [text(row).replace(head, ""), text(row + 1), text(row + 2)].join(" ");
    assert_eq!(sentence.trim(), LONG);
    let continued = shown.lines().nth(row + 1).unwrap();
    assert_eq!(continued.find(&text(row + 1)), Some("│".len() + head.len()), "under the sentence: {shown}");

    for _ in 0..40 {
        on_host(&mut app, FromHost::Notice { severity: Severity::Error, text: LONG.to_owned() });
    }
    app.tick(at(70_000));
    let full = picture(&mut app, 80, 24);
    assert_eq!(full.lines().filter(|line| line.contains("x the session is not recorded")).count(), 20, "{full}");
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

    let set = [loss, cut].map(|fault| Event { at: at(12_000), node: P4, kind: EventKind::FaultSet { fault } });
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
        let kind = EventKind::FaultSet { fault };
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
    app.take(&[delivery(vec![Event { at: at(12_000), node: P4, kind: EventKind::Stopped { how: Stop::Killed } }])]);
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
    let hung = [event(P1, EventKind::Hung), event(P4, EventKind::Hung)];
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
fn a_command_without_a_node_acts_on_the_selected_one_as_its_key_does() {
    let mut app = suspect();
    select(&mut app, "p4");
    press(&mut app, ":");
    type_text(&mut app, "kill");
    assert_eq!(press(&mut app, "enter"), []);
    assert_eq!(footer(&mut app), "x again kills p4");
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

#[test]
fn killing_several_asks_once_for_all() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "kill p1 p2");
    assert_eq!(press(&mut app, "enter"), []);
    let kills = [Command::Kill(P1), Command::Kill(P2)].map(|kill| ConsoleEffect::Host(ToHost::Command(kill)));
    assert_eq!(press(&mut app, "right enter"), kills);
}

#[test]
fn tab_completes_commands_and_nodes_and_up_brings_the_last_command_back() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "ki");
    press(&mut app, "tab");
    type_text(&mut app, " p");
    press(&mut app, "tab tab");
    assert!(footer(&mut app).starts_with(":kill p2"), "{}", footer(&mut app));
    press(&mut app, "enter");
    press(&mut app, ": up");
    assert!(footer(&mut app).starts_with(":kill p2"));
}

#[test]
fn a_recording_cannot_be_changed() {
    let mode = Mode::Replay { source: "old.jsonl".to_owned() };
    let mut app = told(Options { mode, ..options() }, session(), 13_200);
    for keys in ["x", "X", "r", "m", "a"] {
        select(&mut app, "p4");
        assert_eq!(press(&mut app, keys), [], "{keys}");
        assert!(footer(&mut app).contains("this is a recording"), "{keys}");
    }
}

#[test]
fn a_failed_start_is_said_in_the_footer_and_kept_among_the_notices() {
    let mut app = suspect();
    let mut script = Script::default();
    let what = "start a peer at 127.0.0.1:3000".to_owned();
    let why = "the port is in use; 127.0.0.1:3005 is free".to_owned();
    script.at(13_100).add(P1, EventKind::Failed { what, why });
    app.take(&[delivery(script.events)]);
    assert!(footer(&mut app).contains("the port is in use; 127.0.0.1:3005 is free"), "{}", footer(&mut app));
    app.tick(at(30_000));
    assert!(!footer(&mut app).contains("in use"));
    press(&mut app, "6");
    assert!(picture(&mut app, 80, 24).contains("the port is in use"));
}

#[test]
fn what_comes_together_is_shown_in_order_of_time_whichever_node_told_first() {
    let mut app = suspect();
    let event = |millis, node, kind| delivery(vec![Event { at: at(millis), node, kind }]);
    let heard = event(
        13_102,
        P2,
        EventKind::LinkDown { link: LinkId(99), peer: P4, purpose: Purpose::Neighbor, end: LinkEnd::TooSlow },
    );
    app.take(&[heard, event(13_101, P1, EventKind::Hung)]);
    press(&mut app, "3 z");
    let shown = picture(&mut app, 100, 30);
    let (first, second) = (shown.find("03:00:13.101 p1"), shown.find("03:00:13.102 p2"));
    assert!(first.is_some() && first < second, "{shown}");
}

#[test]
fn a_report_says_what_came_of_it_even_if_the_seed_acted_on_another_one() {
    let report = |reporter, action| {
        let (clock, cause) = (crate::proto::time::ClockTime::from_seconds(0).unwrap(), Some(DeathCause::Closed));
        EventKind::DeadReportReceived { dead: P3, clock, reporter, cause, action }
    };
    let mut script = Script::default();
    script.at(14_000).add(S1, report(P2, ReportAction::Verifying));
    script.add(S1, report(P4, ReportAction::Verifying));
    let mut app = suspect();
    app.take(&[delivery(script.events)]);
    press(&mut app, "5");
    assert!(picture(&mut app, 80, 24).contains("p3 by p4 → s1 asking it, closed"));

    let mut script = Script::default();
    let reason = DelistReason::Unanswered { reporter: P2 };
    script.at(15_000).add(S1, EventKind::PeerDelisted { peer: P3, reason });
    script.add(S1, report(P1, ReportAction::NotListed));
    app.take(&[delivery(script.events)]);
    let shown = picture(&mut app, 80, 24);
    for line in ["p3 by p2 → s1 removed", "p3 by p4 → s1 removed", "p3 by p1 → s1 already gone"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[test]
fn a_report_tells_of_each_seed_what_that_seed_did_and_stops_asking_when_another_report_decides() {
    let (clock, cause) = (crate::proto::time::ClockTime::from_seconds(0).unwrap(), DeathCause::Misses { misses: 3 });
    let sent = || EventKind::DeadReportSent { dead: P3, clock, seeds: vec![S1, S2], cause };
    let got =
        |reporter, action| EventKind::DeadReportReceived { dead: P3, clock, reporter, cause: Some(cause), action };
    let mut script = Script::default();
    script.at(14_000).add(P2, sent());
    script.add(S1, got(P2, ReportAction::Verifying));
    script.add(S2, got(P2, ReportAction::Removed));
    script.add(S2, EventKind::PeerDelisted { peer: P3, reason: DelistReason::Reported { reporter: P2 } });
    script.at(14_100).add(P4, sent());
    script.add(S1, got(P4, ReportAction::Verifying));
    script.add(S2, got(P4, ReportAction::NotListed));
    script.at(14_200).add(P1, sent());
    script.add(S2, got(P1, ReportAction::NotListed));
    let mut app = suspect();
    app.take(&[delivery(script.events)]);
    press(&mut app, "5");
    let shown = picture(&mut app, 80, 24);
    for line in [
        "p3 by p2 → s1 asking it, s2 removed, 3 misses",
        "p3 by p4 → s1 asking it, s2 already gone, 3 misses",
        "p3 by p1 → s1 no word, s2 already gone, 3 misses",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let mut script = Script::default();
    script.at(15_000).add(S1, EventKind::ReportDisputed { dead: P3, reporter: P2, disputes: 1, rtt_us: 900 });
    app.take(&[delivery(script.events)]);
    let shown = picture(&mut app, 80, 24);
    for line in ["p3 by p2 → s1 disputed, s2 removed", "p3 by p4 → s1 disputed, s2 already gone"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[test]
fn enter_on_a_notice_shows_all_of_it() {
    let mut app = dead();
    press(&mut app, "6 up up enter");
    let shown = picture(&mut app, 80, 24);
    assert!(shown.contains("Notice of 03:00:09"), "{shown}");
    let words = [r#"p2: Violation: bytes that are no message, by 127.0.0.1:55001: "GET /"#, r"\x1b]0;owned\x07\r\n"];
    assert!(words.iter().all(|words| shown.contains(words)), "{shown}");
}

#[test]
fn what_the_screen_skipped_is_shown() {
    let mut app = suspect();
    let mut skipped = delivery(aftermath());
    skipped.skipped = 1_234;
    app.take(&[skipped]);
    assert!(picture(&mut app, 120, 40).lines().next().unwrap().contains("1 234 events skipped"));
}

#[test]
fn a_killed_node_is_shown_as_killed_at_once() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(13_150).add(P4, EventKind::Stopped { how: Stop::Killed });
    app.take(&[delivery(script.events)]);
    select(&mut app, "p4");
    let line = app.panes.line_of(crate::ui::action::PaneId::Connections, &app.view()).unwrap();
    assert!(line.contains("killed"), "{line}");
    assert!(footer(&mut app).contains("r restart p4") && !footer(&mut app).contains("kill p4"));
}

#[test]
fn a_host_that_is_the_same_for_all_goes_without_saying_but_is_copied_and_found() {
    let mut app = suspect();
    let lines = |app: &mut App| picture(app, 120, 40).lines().map(str::to_owned).collect::<Vec<_>>();
    let shown = lines(&mut app);
    assert!(shown.iter().any(|line| line.contains("p1 → :4000 PROBE   4 no answer (1/3)")), "{shown:#?}");
    assert!(shown.iter().any(|line| line.contains("? :4000 ")), "among the connections: {shown:#?}");
    press(&mut app, "3 /");
    type_text(&mut app, "127.0.0.1:4000");
    press(&mut app, "enter");
    lines(&mut app);
    let copied = press(&mut app, "y");
    assert!(matches!(&copied[..], [ConsoleEffect::Copy(line)] if line.contains("→ 127.0.0.1:4000")), "{copied:?}");

    let mut script = Script::default();
    let id = MessageId { origin: FAR, run: 1, seq: 7 };
    script.at(13_050).add(P1, EventKind::Received { id, from: FAR, body: "far".into(), trace: None, forwarded: 1 });
    app.take(&[delivery(script.events)]);
    app.tick(at(16_000));
    press(&mut app, "esc");
    assert!(lines(&mut app)[0].contains(":4000#7"), "the newest message: {:#?}", lines(&mut app));

    let mut script = Script::default();
    let other_host = "10.0.0.7:4000".parse().unwrap();
    script
        .at(13_100)
        .add(P1, EventKind::ProbeMissed { peer: other_host, seq: 1, misses: 1, limit: 3, last_heard: at(0) });
    app.take(&[delivery(script.events)]);
    press(&mut app, "esc");
    let shown = lines(&mut app);
    assert!(shown.iter().any(|line| line.contains("→ 127.0.0.1:4000") && line.contains("PROBE")), "{shown:#?}");
}

#[test]
fn copying_hands_the_line_to_the_terminal() {
    let mut app = suspect();
    select(&mut app, "p4");
    let [ConsoleEffect::Copy(text)] = &press(&mut app, "y")[..] else { panic!("nothing was copied") };
    assert!(text.contains("p4") && text.contains("127.0.0.1:3003"), "{text}");
}

#[test]
fn ctrl_c_and_ctrl_z_work_in_the_middle_of_typing() {
    let mut app = suspect();
    press(&mut app, ":");
    type_text(&mut app, "kil");
    assert_eq!(press(&mut app, "ctrl-z"), if CAN_SUSPEND { vec![ConsoleEffect::Suspend] } else { vec![] });
    assert_eq!(press(&mut app, "ctrl-c"), [ConsoleEffect::Quit]);
    press(&mut app, "esc a");
    assert_eq!(press(&mut app, "ctrl-c"), [ConsoleEffect::Quit]);
}

#[test]
fn a_recording_that_fails_is_said_and_stays_in_the_header() {
    let mut app = suspect();
    on_host(&mut app, FromHost::JournalState(JournalState::Failed { why: "the disk is full".to_owned() }));
    assert!(footer(&mut app).contains("the session is not recorded: the disk is full"));
    assert!(picture(&mut app, 80, 24).lines().next().unwrap().contains("REC FAILED"));
    on_host(&mut app, FromHost::Notice { severity: Severity::Info, text: "hello".to_owned() });
    assert_eq!(footer(&mut app), "i hello");
}

/// A network in virtual time that is a minute behind, as on a slow machine.
fn behind() -> App {
    let mut app = suspect();
    app.scene.mode = Mode::Virtual;
    app.scene.behind = Duration::from_secs(60);
    app.tick(at(73_200));
    app
}

#[test]
fn what_is_said_in_a_network_that_is_behind_is_followed_all_the_same() {
    let mut app = behind();
    type_text(&mut app, ":say p4 mine");
    assert_eq!(press(&mut app, "enter"), command(Command::Say { node: P4, body: "mine".into() }));
    let mut script = Script::default();
    script.at(13_210).gossip(1, "mine", &[(P4, P1, 1)]).gossip(7, "another", &[(P2, P1, 1)]);
    app.take(&[delivery(script.events)]);
    let shown = picture(&mut app, 120, 40);
    assert!(shown.lines().next().unwrap().contains("p4#1 reached"), "{shown}");
}

#[test]
fn a_network_that_is_behind_has_one_time_in_the_header_and_in_the_notices() {
    let mut app = behind();
    assert!(picture(&mut app, 120, 40).lines().next().unwrap().ends_with("00:00:13"));
    on_host(&mut app, FromHost::Notice { severity: Severity::Info, text: "a line of the program".to_owned() });
    let shown = picture(&mut app, 120, 40);
    assert!(shown.contains("03:00:13 i a line of the program"), "{shown}");
}

#[test]
fn a_restart_beside_python_nodes_is_asked_about_first() {
    let (direction, purpose) = (Direction::Outbound, Purpose::Neighbor);
    let events = |dialect| {
        let mut script = Script::default();
        let pace = Pace { gossip_interval_us: 3_000_000, liveness_interval_us: 2_000_000, liveness_misses: 3 };
        let started = |name: &str| EventKind::Started { name: name.to_owned(), role: Role::Peer, dialect, pace };
        script.at(100).add(P1, started("p1")).add(P2, started("p2"));
        script.at(500).add(P1, EventKind::LinkUp { link: LinkId(1), peer: FAR, direction, purpose });
        script.at(900).add(P1, EventKind::Stopped { how: Stop::Killed });
        script.events
    };
    let mut app = told(options(), events(Dialect::Classic), 1_000);
    select(&mut app, "p1");
    assert_eq!(press(&mut app, "r"), []);
    let asked = picture(&mut app, 80, 24);
    assert!(asked.contains("Restart p1 at its address? A Python neighbor"), "{asked}");
    assert_eq!(press(&mut app, "enter"), [], "Cancel is the answer at hand");
    assert_eq!(press(&mut app, "r right enter"), command(Command::Restart(P1)));
    assert_eq!(press(&mut app, "C"), command(Command::Fault(FaultCommand::Calm)));
    assert!(picture(&mut app, 160, 24).contains("starting p1 again. A Python neighbor (127.0.0.1:4000)"));

    let mut app = told(options(), events(Dialect::Framed), 1_000);
    select(&mut app, "p1");
    assert_eq!(press(&mut app, "r"), command(Command::Restart(P1)));
}

#[test]
fn a_paste_that_does_not_fit_says_how_much_of_it_is_there() {
    let paste = Paste { text: "x".repeat(5_003), len: 5_003 };
    for keys in ["m", ":", "/"] {
        let mut app = suspect();
        press(&mut app, keys);
        on_paste(&mut app, &paste);
        for (columns, rows) in [(40, 10), (80, 24)] {
            let shown = picture(&mut app, columns, rows);
            assert!(shown.contains("full: 4,096 of 5,003 bytes"), "{keys} at {columns}x{rows}:\n{shown}");
        }
    }
}

#[test]
fn lines_that_are_pasted_are_joined_with_a_space() {
    let mut app = suspect();
    press(&mut app, "m");
    on_paste(&mut app, &Paste { text: "first line\nsecond line\n".to_owned(), len: 23 });
    let effects = press(&mut app, "enter");
    let said = matches!(&effects[..], [ConsoleEffect::Host(ToHost::Command(Command::Say { body, .. }))]
        if body.to_string() == "first line second line");
    assert!(said, "{effects:?}");
}

#[test]
fn ctrl_c_quits_whatever_the_keys_are_and_wherever_one_is() {
    let none = |name: &str| (name.to_owned(), Vec::new());
    let copy = ("copy".to_owned(), vec!["ctrl-c".to_owned(), "y".to_owned()]);
    let keys = KeyOverrides::new([none("quit"), none("command"), copy]).unwrap();
    for before in ["g", "?", "m", "/", "W", "enter"] {
        let mut app = told(Options { keys: keys.clone(), ..options() }, session(), 13_200);
        press(&mut app, before);
        assert_eq!(press(&mut app, "ctrl-c"), [ConsoleEffect::Quit], "after {before}");
    }
}
