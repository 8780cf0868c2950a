//! What the screen looks like.

use insta::assert_snapshot;

use super::fixture::{FAR, P1, S1, S2, Script, at, dead, empty, options, suspect, told};
use crate::event::{DialError, Direction, EventKind, GossipEvent, LinkEvent, Purpose, SeedEvent};
use crate::proto::message::{MessageId, Role};
use crate::ui::options::{Glyphs, Mode, StartScreen};

#[test]
fn a_small_screen_shows_three_panes_and_counts_the_rest() {
    assert_snapshot!(suspect().picture(80, 24));
}

#[test]
fn a_middling_screen_shows_all_panes() {
    assert_snapshot!(dead().picture(120, 40));
}

#[test]
fn a_large_screen_shows_more_of_each() {
    assert_snapshot!(dead().picture(160, 50));
}

#[test]
fn ascii_needs_no_other_character() {
    let mut app = told(crate::ui::Options { glyphs: Glyphs::Ascii, ..options() }, super::fixture::session(), 13_200);
    let picture = app.picture(80, 24);
    assert!(picture.is_ascii());
    assert_snapshot!(picture);
}

#[test]
fn a_peer_without_a_seed_says_so_and_how_to_start_one() {
    let mut script = Script::default();
    script.at(0).start(P1, ":3000", Role::Peer);
    script.add(P1, EventKind::Link(LinkEvent::Dialing { peer: S1, purpose: Purpose::Registration, repair: None }));
    script.at(10).add(P1, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, wanted: 1, known: 1 }));
    let mut app = told(options(), script.events, 20);
    assert!(!app.picture(80, 24).contains("no seed"), "it may be on its way");
    app.tick(at(600));
    app.tick(at(3_000));
    let shown = app.picture(80, 24);
    let text = "no seed reachable (:5001): run 'gossipctl seed --listen";
    assert!(shown.lines().rev().take(4).any(|line| line.contains(text)), "{shown}");
    assert!(shown.lines().rev().nth(1).unwrap().ends_with(" 7 Enter why"), "above the keys: {shown}");
    assert_snapshot!("no_seed_80x24", shown);
    assert_eq!(app.title(), "peer 127.0.0.1:3000");
    app.tick(at(20_000));
    let warning = app.scene.live.warnings().list().iter().next().unwrap().1.clone();
    let whole = app.scene.live.warning_text(&warning.finding);
    for pane in ["6 Notices", "7 Warnings"] {
        let shown = app.picture(120, 40);
        let from = shown.lines().skip_while(|line| !line.contains(pane)).skip(1);
        let rows = from.take_while(|line| !line.ends_with('┘')).filter_map(|line| line.split('│').rev().nth(1));
        let said = rows.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        assert!(said.contains(&whole), "{whole} in {pane}: {shown}");
    }
    app.press("7");
    assert!(app.picture(80, 24).contains("no seed reachable (:5001): run 'gossipctl seed --listen"));
}

#[test]
fn a_seed_that_was_never_reached_is_not_drawn_as_one_that_lives() {
    let mut script = Script::default();
    script.at(0).start(P1, ":3000", Role::Peer).one_end(P1, S1, Direction::Outbound, Purpose::Registration);
    let refused = || LinkEvent::DialFailed {
        peer: S2,
        purpose: Purpose::Registration,
        error: DialError::Quote("connection refused: nobody listens there".to_owned()),
        retry_at: Some(at(60_000)),
    };
    let dialing = || LinkEvent::Dialing { peer: S2, purpose: Purpose::Registration, repair: None };
    for second in 0..12 {
        script.at(second * 1_000).add(P1, EventKind::Link(dialing()));
        script.at(second * 1_000).add(P1, EventKind::Link(refused()));
    }
    let mut app = told(options(), script.events, 15_000);
    let shown = app.picture(120, 40);
    assert!(shown.contains("■") && shown.contains("□") && shown.contains("□ seed, no link"), "{shown}");
    app.press("6");
    let shown = app.picture(200, 60);
    let told: Vec<_> = shown.lines().filter(|line| line.contains("No connection to :5002")).collect();
    assert!(matches!(told[..], [line] if line.contains("03:00:00 ! x12, last 03:00:11: :3000: No")), "{shown}");
    app.press("enter");
    assert!(app.picture(200, 60).contains("the latest of 12 like this"));
}

#[test]
fn the_header_drops_its_warning_once_a_peer_is_registered() {
    let mut script = Script::default();
    script.at(0).start(P1, ":3000", Role::Peer);
    script.at(10).add(P1, EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, wanted: 1, known: 1 }));
    let mut app = told(options(), script.events, 20);
    app.tick(at(600));
    app.tick(at(3_000));
    assert!(app.picture(80, 24).contains("no seed reachable"));
    let mut script = Script::default();
    script.at(3_001).one_end(P1, S1, Direction::Outbound, Purpose::Registration);
    app.get(script.events);
    let shown = app.picture(120, 40);
    assert!(!shown.lines().next().unwrap().contains("no seed") && !shown.contains("Nobody to gossip with"), "{shown}");
}

#[test]
fn a_window_of_seeds_says_nothing_of_links_between_peers() {
    let mut script = Script::default();
    script.at(0).start(S1, ":5001", Role::Seed).one_end(S1, FAR, Direction::Inbound, Purpose::Registration);
    let shown = told(options(), script.events, 1_000).picture(120, 40);
    assert!(shown.contains("2 nodes") && !shown.contains("0 links"), "{shown}");
}

#[test]
fn an_empty_recording_offers_nothing_that_cannot_be_done() {
    let source = "empty.jsonl.zst".to_owned();
    let mut app = told(crate::ui::Options { mode: Mode::Replay { source }, ..options() }, Vec::new(), 0);
    let shown = app.picture(120, 40);
    assert!(shown.contains("No nodes at this moment of the session.") && !shown.contains("Press a"), "{shown}");
    assert!(shown.contains("Nobody had been reported dead") && !shown.contains("press x twice"), "{shown}");
}

#[test]
fn of_one_node_nothing_is_said_of_the_whole_network() {
    let mut script = Script::default();
    script.at(0).start(P1, ":3000", Role::Peer).one_end(P1, S1, Direction::Outbound, Purpose::Registration);
    let mut app = told(options(), script.events, 3_000);
    let shown = app.picture(120, 40);
    assert!(shown.contains("No report was seen here") && !shown.contains("Nobody was reported"), "{shown}");
    app.press("7");
    let shown = app.picture(120, 40);
    assert!(shown.contains("What is known of") && !shown.contains("Nothing is wrong"), "{shown}");
}

#[test]
fn only_a_message_that_was_sent_to_nobody_is_here_alone() {
    for (forwarded, told_of_it) in [(0, "here alone"), (2, "sent to 2")] {
        let mut script = Script::default();
        let id = MessageId { origin: P1, run: 1, seq: 1 };
        let said = GossipEvent::Generated { id, body: "hello".into(), trace: None, forwarded };
        script.at(0).start(P1, ":3000", Role::Peer).at(1).add(P1, EventKind::Gossip(said));
        let shown = told(options(), script.events, 2_000).picture(120, 40);
        let line = shown.lines().find(|line| line.contains("\"hello\"")).unwrap();
        assert!(line.contains(told_of_it) && !line.contains("hops") && !line.contains("copies"), "{line}");
    }
}

#[test]
fn nothing_yet_says_what_to_do_next() {
    assert_snapshot!(empty(options()).picture(120, 40));
}

#[test]
fn the_start_screen_offers_what_can_be_started() {
    let mut app = empty(crate::ui::Options { start_screen: StartScreen::Shown, ..options() });
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn a_form_is_filled_in_and_says_what_is_wrong_beside_the_field() {
    let mut app = suspect();
    app.press("a");
    assert_snapshot!("form", app.picture(80, 24));
    app.type_text("99");
    app.press("enter");
    assert_snapshot!("form_fault", app.picture(80, 24));
}

#[test]
fn the_links_of_a_node_unfold_below_it() {
    let mut app = suspect();
    app.press("2 right down down");
    assert_snapshot!(app.picture(100, 30));
}

#[test]
fn a_dead_node_is_explained_with_its_evidence() {
    let mut app = dead();
    app.press("5 enter");
    assert_snapshot!(app.picture(120, 40));
}

#[test]
#[cfg_attr(any(not(unix), feature = "portable"), ignore = "a key less, and so a line less")]
fn the_help_names_every_key_and_command() {
    let mut app = suspect();
    app.press("?");
    assert_snapshot!(app.picture(100, 91));
}

#[test]
fn a_seed_is_only_killed_after_a_question() {
    let mut app = suspect();
    app.press("2 g g x");
    assert_snapshot!(app.picture(80, 24));
}

#[test]
fn a_narrow_screen_shows_one_pane_and_tabs() {
    assert_snapshot!(suspect().picture(50, 14));
}

#[test]
fn a_tiny_screen_says_what_it_needs() {
    assert_snapshot!(suspect().picture(39, 9), @"needs 40x10, is 39x9");
}

#[test]
fn no_size_at_all_makes_it_panic() {
    for (columns, rows) in [(1, 1), (40, 10), (59, 16), (60, 15), (60, 16), (99, 30), (100, 29), (300, 10), (40, 100)] {
        let mut app = dead();
        for keys in ["?", "esc 5 enter", "esc a", "esc e", "esc m", "esc :", "esc z"] {
            app.press(keys);
            app.picture(columns, rows);
        }
    }
}

#[test]
fn a_recording_is_labeled_as_one() {
    let mode = Mode::Replay { source: "session.jsonl".to_owned() };
    let mut app = super::fixture::told(crate::ui::Options { mode, ..options() }, super::fixture::session(), 99_000);
    let picture = app.picture(120, 40);
    let header = picture.lines().next().unwrap();
    assert_snapshot!(header);
}

#[test]
fn the_path_of_a_recording_gives_way_to_what_is_in_it() {
    let source = "/home/somebody/.local/state/gossipctl/sessions/2026-11-22T03-13-02-4711.jsonl".to_owned();
    let mode = Mode::Replay { source };
    let mut app = super::fixture::told(crate::ui::Options { mode, ..options() }, super::fixture::session(), 99_000);
    let mut headers = String::new();
    for columns in [200, 140, 100, 80] {
        headers.push_str(app.picture(columns, 16).lines().next().unwrap());
        headers.push('\n');
    }
    assert_snapshot!(headers);
}

#[test]
fn the_header_drops_whole_items_the_least_important_first() {
    let mut headers = String::new();
    for columns in [120, 100, 80, 60, 40] {
        let picture = dead().picture(columns, 16);
        headers.push_str(picture.lines().next().unwrap());
        headers.push('\n');
    }
    assert_snapshot!(headers);
}
