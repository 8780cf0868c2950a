//! Where the user is, and what leads back: filters, scrolled logs, frozen pictures, whole screens.

use super::fixture::{P1, P3, S1, S2, Script, at, dead, empty, lab_peer, large_lab, options, session, suspect, told};
use crate::event::{EventKind, ProbeEvent};
use crate::proto::message::Role;
use crate::ui::action::PaneId;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::options::{Glyphs, Options};

fn footer(app: &mut App) -> String {
    app.picture(80, 24).lines().last().unwrap().to_owned()
}

/// The upper edge of the frame with this title.
fn title(app: &mut App, title: &str) -> String {
    app.picture(80, 24).lines().find(|line| line.contains(title)).unwrap_or_default().to_owned()
}

#[test]
fn at_80_by_24_links_gossip_liveness_and_reports_are_all_there() {
    let shown = dead().picture(80, 24);
    for pane in ["1 Topology", "2 Connections", "3 Gossip log", "4 Liveness", "5 Dead-node reports"] {
        assert!(shown.contains(pane), "{pane} in {shown}");
    }
    for said in ["3/3 missed", "1/3 missed", "answered", "p4 asked p3, no answer", "p3, by 2 peers: s1,s2 removed it"] {
        assert!(shown.contains(said), "{said} in {shown}");
    }
    let lines: Vec<&str> = shown.lines().collect();
    let row = |name: &str| lines.iter().position(|line| line.contains(name)).unwrap();
    let order = ["✗ p3 ", "? :4000 ", "● p1 ", "● s1 "].map(row);
    assert!(order.is_sorted(), "dead ones, suspects, the others: {shown}");
}

#[test]
fn a_filter_that_is_on_is_seen_whatever_pane_has_the_keys() {
    let mut app = suspect();
    app.picture(80, 24);
    app.press("3 /");
    app.type_text("PROBE");
    app.press("enter 1");
    assert!(title(&mut app, "3 Gossip log").ends_with(" /PROBE ┐"));
    app.press("6 /");
    app.type_text("p2");
    app.press("enter");
    assert!(footer(&mut app).contains("Esc show all lines"), "{}", footer(&mut app));
    app.press("1");
    assert!(footer(&mut app).contains("6 notices (1) /p2"), "{}", footer(&mut app));
    assert!(app.picture(50, 14).contains("3 gossip /"), "and on its tab");
}

#[test]
fn while_a_filter_is_typed_the_line_says_what_its_keys_do() {
    let mut app = suspect();
    app.press("3 /");
    app.type_text("p3");
    assert_eq!(footer(&mut app), "/p3   Enter keeps it  Esc undoes it  ! in front: only the others");
}

#[test]
fn after_scrolling_the_footer_leads_back_to_the_newest_line() {
    let mut app = suspect();
    app.picture(80, 24);
    app.press("3 g g");
    let said = footer(&mut app);
    assert!(said.starts_with(" f follow, ") && said.contains(" new"), "{said}");
    app.press("f");
    assert!(!footer(&mut app).contains("follow"));
    assert!(title(&mut app, "3 Gossip log").contains("FOLLOW"));
}

#[test]
fn a_frozen_picture_says_which_key_lets_it_go_on() {
    let mut app = suspect();
    app.press("space");
    assert!(footer(&mut app).starts_with(" Space go on"), "{}", footer(&mut app));
    app.press("space");
    assert!(!footer(&mut app).contains("go on"));
}

#[test]
fn a_list_that_goes_on_says_by_how_much() {
    let mut app = told(options(), large_lab(20), 12_000);
    let edge = |app: &mut App| app.picture(80, 24).lines().find(|line| line.contains("more ")).unwrap().to_owned();
    assert!(edge(&mut app).ends_with(" 15 more below ┘"), "{}", edge(&mut app));
    app.press("2 G");
    assert!(edge(&mut app).ends_with(" 15 more above ┘"), "{}", edge(&mut app));
}

#[test]
fn esc_and_q_leave_a_whole_screen_and_only_then_q_quits() {
    let mut app = suspect();
    app.picture(80, 24);
    for (keys, back) in [("7", "esc"), ("7", "q"), ("3 z", "esc"), ("3 z", "q"), ("3 z", "z")] {
        app.press(keys);
        assert!(footer(&mut app).contains("Esc back to all panes"), "{keys}: {}", footer(&mut app));
        assert_eq!(app.press(back), []);
        assert!(app.picture(80, 24).contains("1 Topology"), "{keys} {back}");
    }
    assert_eq!(app.focused(), "gossip", "the keys go where they went before");
    app.press("7");
    footer(&mut app);
    assert_eq!(app.command("quit"), [ConsoleEffect::Quit], "by name it quits from anywhere");
    app.press("esc");
    assert_eq!(app.press("q"), [ConsoleEffect::Quit]);
}

#[test]
fn a_lone_seed_is_offered_neither_a_message_nor_a_wave() {
    let mut script = Script::default();
    script.start(S1, "s1", Role::Seed);
    let mut app = told(options(), script.events, 1_000);
    let said = app.footer();
    assert!(!said.contains(" say") && !said.contains("wave") && said.contains("a add"), "{said}");
    let mut app = suspect();
    assert!(app.footer().contains("m say") && app.footer().contains("w wave"));
}

/// After the misses of the session, this many probes that are answered.
fn answered_since(probes: u64) -> App {
    let mut script = Script::default();
    for seq in 0..probes {
        script.at(13_200 + seq).ping(P1, S2, 100 + seq, 300);
    }
    let mut app = suspect();
    app.tick(at(14_000));
    app.get(script.events);
    app
}

#[test]
fn a_miss_stays_in_sight_for_half_a_minute() {
    let mut app = answered_since(100);
    let shown = app.picture(80, 24);
    assert!(shown.contains("p1 asked :4000, no answer"), "{shown}");
    assert!(shown.contains("p1 asked s2, 0.3ms"), "and below it the newest: {shown}");
    app.tick(at(50_000));
    let strip = |line: &&str| line.contains(" asked ");
    assert!(!app.picture(80, 24).lines().filter(strip).any(|line| line.contains("no answer")));
}

#[test]
fn a_probe_from_elsewhere_is_told_by_the_node_that_replied() {
    let mut script = Script::default();
    let clock = crate::proto::time::ClockTime::from_seconds(10_800).unwrap();
    let kind = |peer| EventKind::Probe(ProbeEvent::Received { peer, seq: 9, clock });
    script.at(13_100).add(P1, kind(super::fixture::FAR)).add(P1, kind(P3));
    let mut app = told(options(), session(), 13_200);
    app.get(script.events);
    app.press("4 z");
    let shown = app.picture(80, 24);
    assert!(shown.contains(":4000 asked p1, replied") && !shown.contains("p3 asked p1, replied"), "{shown}");
}

#[test]
fn an_empty_pane_takes_little_room_and_says_what_to_do() {
    let mut app = empty(options());
    let shown = app.picture(120, 40);
    assert!(!shown.contains("6 Notices") && !shown.contains("7 Warnings"), "{shown}");
    let rows = |title: &str| {
        let from = shown.lines().skip_while(|line| !line.contains(title));
        from.skip(1).take_while(|line| line.trim_end().ends_with('│')).count()
    };
    assert_eq!([rows("4 Liveness"), rows("5 Dead-node reports")], [2, 2], "{shown}");
    assert!(shown.contains("press x twice to see who notices"), "{shown}");
}

#[test]
fn every_size_is_whole_in_ascii_too() {
    for (columns, rows) in [(60, 16), (80, 24), (100, 30), (120, 40), (132, 24), (200, 60)] {
        let mut app = told(Options { glyphs: Glyphs::Ascii, ..options() }, large_lab(8), 12_000);
        let shown = app.picture(columns, rows);
        assert!(shown.is_ascii(), "{shown}");
        let named = PaneId::all().take(5).all(|pane| shown.contains(pane.info().title));
        assert!(named, "all that this is about at {columns}x{rows}: {shown}");
        assert!(shown.contains(app.view().name(lab_peer(1)).as_str()));
    }
}

#[test]
fn each_pane_hints_at_keys_of_its_own_at_80_columns() {
    let mut app = dead();
    app.tick(at(40_000));
    app.picture(80, 24);
    let mut footers = Vec::new();
    for (pane, own) in [
        ("1", "7 warnings (1)"),
        ("2", "s sort  S reverse"),
        ("3", "Right unfold"),
        ("4", "f hold"),
        ("5", "Right unfold"),
    ] {
        app.press(pane);
        let said = footer(&mut app);
        for keys in [own, "/ filter", ": command", "Enter why", "? help"] {
            assert!(said.contains(keys), "{keys} in pane {pane}: {said}");
        }
        footers.push(said);
    }
    app.press("right");
    assert!(footer(&mut app).contains("Left fold"), "{}", footer(&mut app));
    footers.dedup();
    assert!(footers.len() > 4, "{footers:#?}");
}
