//! Forms, files and the command line.

use super::fixture::{FAR, P1, P4, command, empty, options, recording, session, suspect, told};
use crate::command::{Command, FaultCommand, NodeSpec, Placement};
use crate::platform::CAN_SUSPEND;
use crate::proto::fault::{Fault, FaultKind, Scope};
use crate::proto::message::Role;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::command_line::{Typed, parse};
use crate::ui::decode::Paste;
use crate::ui::host::{FromHost, HostRefusal, NetworkRow, Overwrite, RecordingRow, RerunTold, RerunWish, ToHost};
use crate::ui::keys::KeyOverrides;
use crate::ui::options::{FormDefaults, Mode, Options, StartScreen};

#[test]
fn a_starts_a_peer_at_the_next_free_port() {
    let mut app = suspect();
    let spec = NodeSpec { role: Role::Peer, listen: Placement::At(crate::proto::addr::Addr::loopback(3004)) };
    assert_eq!(app.press("a enter"), command(Command::Start(spec)));
    assert!(app.modals.is_empty());
}

#[test]
fn the_form_names_the_seeds_that_a_new_peer_will_find() {
    let mut app = suspect();
    app.press("a");
    assert!(app.picture(100, 30).contains("a majority of the seeds: 127.0.0.1:5001 and"));

    let no_list = FormDefaults { seeds: Vec::new(), ..options().defaults };
    let mut lab = told(Options { defaults: no_list, ..options() }, session(), 13_200);
    lab.press("a");
    assert!(lab.picture(100, 30).contains("a majority of the seeds: 127.0.0.1:5001 and"));
}

#[test]
fn the_start_screen_starts_a_lab_with_two_keys() {
    let mut app = empty(Options { start_screen: StartScreen::Shown, ..options() });
    assert_eq!(app.press("enter enter"), command(Command::StartLab { seeds: 2, peers: 8 }));
    assert!(app.modals.is_empty(), "and gives way to the console");
}

#[test]
fn the_start_screen_stays_until_a_recording_is_open() {
    let mut app = empty(Options { start_screen: StartScreen::Shown, ..options() });
    assert_eq!(app.press("up enter"), [ConsoleEffect::Host(ToHost::ListRecordings)]);
    app.hear(FromHost::Recordings(Vec::new()));
    app.type_text("old.jsonl");
    assert_eq!(app.press("enter"), [ConsoleEffect::Host(ToHost::OpenRecording("old.jsonl".into()))]);
    assert_eq!(app.modals.len(), 1);
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    assert!(app.modals.is_empty());
    assert!(app.picture(120, 40).contains("REPLAY 03:00:00 seeking old.jsonl"));
}

#[test]
fn the_chosen_network_stays_chosen_when_the_list_changes() {
    let mut app = empty(Options { mode: Mode::Watch, ..options() });
    let row = |n: u16| NetworkRow {
        session: format!("session-{n}"),
        what: format!("peer 127.0.0.1:{n}"),
        since: "12:27:00".to_owned(),
    };
    app.hear(FromHost::Networks(vec![row(3000), row(4000)]));
    app.press("down");
    app.hear(FromHost::Networks(vec![row(1000), row(3000), row(4000)]));
    assert!(app.picture(80, 24).contains("Watch a network 3 of 3"), "{}", app.picture(80, 24));
    app.hear(FromHost::Networks(vec![row(4000)]));
    assert!(app.picture(80, 24).contains("Watch a network 1 of 1"));
    assert_eq!(app.press("enter"), [ConsoleEffect::Host(ToHost::WatchNetwork("session-4000".to_owned()))]);
    app.hear(FromHost::Networks(Vec::new()));
    let screen = app.picture(80, 24);
    assert!(screen.contains("No network runs here now") && !screen.contains("Enter show"), "{screen}");
}

#[test]
fn recordings_are_chosen_from_a_list() {
    let mut app = empty(Options { start_screen: StartScreen::Shown, ..options() });
    let row = |day: u32, what: &str, lasted: &str, ended: &str| RecordingRow {
        path: format!("{day}.jsonl").into(),
        when: format!("2026-11-{day} 12:27"),
        what: what.to_owned(),
        lasted: lasted.to_owned(),
        ended: ended.to_owned(),
        holds: format!("{day} nodes, 412 messages, 1 death, 1.2 MB"),
    };
    let rows = vec![
        row(28, "lab of 2 seeds, 8 peers", "13 min", "left"),
        row(27, "partition.txt", "25 s", "2 expectations failed"),
        row(26, "peer 127.0.0.1:3000", "", "cut off"),
    ];
    app.press("up enter");
    app.hear(FromHost::Recordings(rows.clone()));
    app.press("down");
    insta::assert_snapshot!("recordings_80x24", app.picture(80, 24));
    assert_eq!(app.press("enter"), [ConsoleEffect::Host(ToHost::OpenRecording("27.jsonl".into()))]);
    app.hear(FromHost::Recordings(rows));
    app.press("up enter");
    assert!(app.picture(80, 24).contains("File"), "any other file can be named");
    app.press("esc esc");
    assert!(app.picture(80, 24).contains("Start a lab"));
    // Of a long list, the part around the chosen one.
    app.hear(FromHost::Recordings((0..60).map(|n| row(n + 100, "peer 127.0.0.1:3000", "1 s", "left")).collect()));
    app.press("pagedown pagedown pagedown");
    let shown = app.picture(80, 24);
    assert!(shown.contains("31 of 60") && shown.contains("130 nodes"), "{shown}");
}

#[test]
fn m_sends_a_message_from_the_selected_peer() {
    let mut app = suspect();
    app.select("p4");
    app.press("m");
    assert_eq!(app.press("enter"), [], "a message needs a text");
    app.type_text("hi there");
    assert_eq!(app.press("enter"), command(Command::Say { node: P4, body: "hi there".into() }));
}

#[test]
fn an_export_asks_before_it_replaces_a_file() {
    let mut app = suspect();
    let path = std::path::PathBuf::from("session.jsonl");
    let export = |overwrite| [ConsoleEffect::Host(ToHost::Export { path: path.clone(), overwrite })];
    assert_eq!(app.press("e enter"), export(Overwrite::Ask));
    app.hear(FromHost::ExportExists { path: path.clone() });
    assert_eq!(app.press("enter"), [], "Cancel is the answer at hand");
    app.hear(FromHost::ExportExists { path: path.clone() });
    assert_eq!(app.press("tab enter"), export(Overwrite::Allowed));
    app.hear(FromHost::ExportFailed { path, why: "the disk is full".to_owned() });
    assert_eq!(app.footer(), "Error: not exported to session.jsonl: the disk is full");
}

#[test]
fn a_session_is_saved_as_a_scenario_and_replaces_none_unasked() {
    let mut app = suspect();
    let type_command = |app: &mut App, line: &str| app.command(line);
    assert_eq!(type_command(&mut app, "save-scenario"), []);
    assert!(app.footer().contains("expected save-scenario FILE"));
    let effects = type_command(&mut app, "save-scenario mine.txt");
    let [ConsoleEffect::Host(ToHost::SaveScenario { path, overwrite: Overwrite::Ask, names, .. })] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(names.contains(&(P4, "p4".to_owned())), "{names:?}");
    app.hear(FromHost::ScenarioExists { path: path.clone() });
    assert_eq!(app.press("enter"), [], "Cancel is the answer at hand");
    app.hear(FromHost::ScenarioExists { path: path.clone() });
    let effects = app.press("tab enter");
    assert!(matches!(effects[..], [ConsoleEffect::Host(ToHost::SaveScenario { overwrite: Overwrite::Allowed, .. })]));
    app.hear(FromHost::ScenarioSaved { path: path.clone() });
    assert!(app.footer().contains("saved as a scenario: gossipctl lab --script mine.txt"));
}

#[test]
fn a_rerun_is_asked_for_part_by_part_and_told_in_a_dialog() {
    let mut app = suspect();
    let wish = |line: &str| match parse(line, &app.scene.live, &app.scene.live) {
        Ok(Typed::Rerun(RerunWish { set, without })) => Ok((set.join("|"), without.join("|"))),
        Ok(other) => panic!("{other:?}"),
        Err(why) => Err(why),
    };
    let parts = |set: &str, without: &str| Ok((set.to_owned(), without.to_owned()));
    assert_eq!(wish("rerun"), parts("", ""));
    assert_eq!(wish("rerun set max-dial 3 without cut p7 p8"), parts("max-dial 3", "cut p7 p8"));
    let quoted = r#"rerun without 'say p1 set it' without "5s heal" set 'wire classic'"#;
    assert_eq!(wish(quoted), parts("wire classic", "say p1 set it|5s heal"));
    for line in ["rerun max-dial 3", "rerun set", "rerun without set wire classic", "rerun set 'max-dial 3"] {
        assert!(wish(line).is_err_and(|why| why.starts_with("expected rerun [set NAME VALUE]")), "{line}");
    }

    let effects = app.command("rerun set max-dial 3");
    let wish = RerunWish { set: vec!["max-dial 3".to_owned()], without: Vec::new() };
    assert_eq!(effects, [ConsoleEffect::Host(ToHost::Rerun(wish))]);
    app.hear(FromHost::RerunPlays("rerun: as it was, 40% played".to_owned()));
    assert!(app.footer().ends_with("rerun: as it was, 40% played"));
    let mut lines: Vec<String> = (1..=40).map(|line| format!("line {line}")).collect();
    lines.push("  p3#4: as it was, p1, p2, p3, p4, p5 and p6 lack it; otherwise, nobody lacks it".to_owned());
    app.hear(FromHost::Rerun(RerunTold { verdict: "With max-dial 3: nothing.".to_owned(), lines }));
    let picture = app.picture(80, 24);
    assert!(picture.contains("Played again") && picture.contains("With max-dial 3: nothing."), "{picture}");
    assert!(picture.contains("more below"), "{picture}");
    app.press("G");
    let picture = app.picture(80, 24);
    assert!(picture.contains("│   lacks it") && !picture.contains("line 1 "), "{picture}");
    app.press("esc");
    assert!(app.modals.is_empty());
    app.hear(FromHost::Refused { why: HostRefusal::RerunPlays });
    assert!(app.footer().ends_with("a rerun is being played: wait for its table"));
}

#[test]
fn everything_has_a_name_on_the_command_line() {
    let run = |line: &str| {
        let mut app = suspect();
        let effects = app.command(line);
        (effects, app.footer())
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
    assert_eq!(
        run("loss p1 p4 130%").1,
        "Error: '130%': expected a percentage such as 30%, from 1% to 100%; off to end it"
    );
    assert_eq!(run("delay p1").1, "Error: expected delay WHERE TIME [MORE]");
    assert_eq!(run("say p4 a  b").0, command(Command::Say { node: P4, body: "a  b".into() }));
    assert_eq!(run("lab 1 3").0, command(Command::StartLab { seeds: 1, peers: 3 }));
    let seed = NodeSpec { role: Role::Seed, listen: Placement::At(crate::proto::addr::Addr::loopback(5003)) };
    assert_eq!(run("seed 5003").0, command(Command::Start(seed)));
    assert_eq!(run("quit").0, [ConsoleEffect::Quit]);
    assert_eq!(run("kill p77").1, "Error: no node 'p77': expected a name such as p1, or an address");
    assert_eq!(run("frobnicate").1, "Error: no command 'frobnicate': help shows all");
}

#[test]
fn a_word_too_many_is_named_and_nothing_is_done() {
    let mut app = suspect();
    let mut run = |line: &str| {
        let effects = app.command(line);
        (effects, app.footer())
    };
    let takes_arguments: Vec<&str> = super::super::command_line::commands().map(|command| command.name).collect();
    let actions = super::super::bindings::KEYS.iter().map(|binding| &*binding.name);
    for name in actions.filter(|name| !takes_arguments.contains(name)).chain(["q"]) {
        let told = format!("Error: {name} takes nothing: unexpected 'now'");
        assert_eq!(run(&format!("{name} now")), (Vec::new(), told));
    }
    assert_eq!(run("sort name rtt").1, "Error: sort takes [ORDER]: unexpected 'rtt'");
    assert_eq!(run("pane 1 2").1, "Error: pane takes NUMBER: unexpected '2'");
    assert_eq!(run("why p1 p4 s1").1, "Error: why takes SUBJECT [NODE|MESSAGE] [as NODE]: unexpected 's1'");
    assert_eq!(run("lab 1 3 x").1, "Error: lab takes SEEDS PEERS: unexpected 'x'");
}

#[test]
fn a_command_without_a_node_acts_as_its_key_does() {
    let mut app = suspect();
    app.select("p4");
    assert_eq!(app.command("kill"), []);
    assert_eq!(app.footer(), "x again kills p4");
}

#[test]
fn tab_completes_words_and_up_brings_the_last_command_back() {
    let mut app = suspect();
    app.press(":");
    app.type_text("ki");
    app.press("tab");
    app.type_text(" p");
    app.press("tab tab");
    assert!(app.footer().starts_with(":kill p2"), "{}", app.footer());
    app.press("enter");
    app.press(": up");
    assert!(app.footer().starts_with(":kill p2"));
}

#[test]
fn ctrl_c_and_ctrl_z_work_in_the_middle_of_typing() {
    let mut app = suspect();
    app.press(":");
    app.type_text("kil");
    assert_eq!(app.press("ctrl-z"), if CAN_SUSPEND { vec![ConsoleEffect::Suspend] } else { vec![] });
    assert_eq!(app.press("ctrl-c"), [ConsoleEffect::Quit]);
    app.press("esc a");
    assert_eq!(app.press("ctrl-c"), [ConsoleEffect::Quit]);
}

#[test]
fn a_paste_that_does_not_fit_says_how_much_of_it_is_there() {
    let paste = Paste { text: "x".repeat(5_003), len: 5_003 };
    for keys in ["m", ":", "/"] {
        let mut app = suspect();
        app.press(keys);
        app.paste(&paste);
        for (columns, rows) in [(40, 10), (80, 24)] {
            let shown = app.picture(columns, rows);
            assert!(shown.contains("full: 4,096 of 5,003 bytes"), "{keys} at {columns}x{rows}:\n{shown}");
        }
    }
}

#[test]
fn lines_that_are_pasted_are_joined_with_a_space() {
    let mut app = suspect();
    app.press("m");
    app.paste(&Paste { text: "first line\nsecond line\n".to_owned(), len: 23 });
    let effects = app.press("enter");
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
        app.press(before);
        assert_eq!(app.press("ctrl-c"), [ConsoleEffect::Quit], "after {before}");
    }
}

#[test]
fn candidates_of_a_command_are_told_in_a_line_each() {
    let mut app = suspect();
    app.press(":");
    app.type_text("re");
    let shown = app.picture(80, 24);
    assert!(shown.contains("restart                restart killed or hung nodes"), "{shown}");
    app.press("esc :");
    app.type_text("delay p1 ");
    let shown = app.picture(80, 24);
    assert!(
        shown.contains("delay WHERE TIME") && shown.contains("p3                     peer, suspect 2/3"),
        "{shown}"
    );
    app.press("tab");
    let chosen = app.prompt.as_ref().unwrap().field.text().to_owned();
    assert!(chosen.starts_with("delay p1 ") && chosen.len() > "delay p1 ".len(), "{chosen}");
    app.picture(40, 10);
}

#[test]
fn the_help_begins_with_the_pane_and_is_searched() {
    let mut app = suspect();
    app.press("3 ?");
    let shown = app.picture(80, 24);
    assert!(shown.lines().nth(1).unwrap().contains("3 Gossip log") && shown.contains("in 2 hops"), "{shown}");
    assert!(shown.contains("/ searches"), "{shown}");
    app.press("/");
    app.type_text("disputed");
    let shown = app.picture(80, 24);
    assert!(shown.contains("/disputed_  1 line") && shown.contains("the report is false"), "{shown}");
    app.press("esc /");
    app.type_text("probe");
    app.press("enter");
    let first = app.picture(80, 24);
    app.press("n");
    let second = app.picture(80, 24);
    assert!(first != second && second.contains("'probe' in "), "{second}");
    app.press("N");
    assert_eq!(app.picture(80, 24), first);
    app.press("esc");
    assert!(app.modals.is_empty());
}
