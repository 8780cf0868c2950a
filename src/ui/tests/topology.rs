//! The overlay: what is drawn at which size, that nobody jumps, and the way of a message.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Position;
use ratatui::style::Color;

use super::fixture::{FAR, P1, P3, P4, Script, at, dead, empty, lab_peer, large_lab, options, session, suspect, told};
use crate::command::Command;
use crate::event::{Batch, Direction, EventKind, GossipEvent, LinkEvent, LinkId, NodeEvent, Purpose, SeedEvent, Stop};
use crate::feed::Delivery;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::ui::app::{App, ConsoleEffect, Ticked};
use crate::ui::draw::draw;
use crate::ui::host::ToHost;
use crate::ui::options::{Glyphs, Mode, Options};

/// A lab of so many peers, two seconds after its message, with its layout made.
fn lab(peers: u16) -> App {
    let mut app = told(options(), large_lab(peers), 12_000);
    settle(&mut app);
    app
}

/// Draws, and makes the layout that the loop would order elsewhere.
fn settle(app: &mut App) {
    app.picture(160, 50);
    app.work();
}

/// Where each node stands on the screen.
fn spots(app: &mut App) -> Vec<(Addr, Position)> {
    app.picture(160, 50);
    let mut spots = app.drawn().to_vec();
    spots.sort_unstable();
    spots
}

fn title(app: &mut App) -> String {
    let shown = app.picture(160, 50);
    shown
        .lines()
        .find(|line| line.starts_with('┌'))
        .unwrap()
        .split('┐')
        .next()
        .unwrap()
        .trim_end_matches('─')
        .to_owned()
}

#[test]
fn a_lab_of_eight_is_drawn_with_names_and_links() {
    for (columns, rows) in [(80, 24), (120, 40), (160, 50)] {
        assert_snapshot!(format!("lab_of_8_{columns}x{rows}"), lab(8).picture(columns, rows));
    }
}

#[test]
fn a_lab_of_sixty_shows_the_message_and_the_selected_links() {
    for (columns, rows) in [(80, 24), (120, 40), (160, 50)] {
        assert_snapshot!(format!("lab_of_60_{columns}x{rows}"), lab(60).picture(columns, rows));
    }
}

#[test]
fn a_lab_of_five_hundred_is_a_grid_beside_a_neighborhood() {
    for (columns, rows) in [(80, 24), (120, 40), (160, 50)] {
        assert_snapshot!(format!("lab_of_500_{columns}x{rows}"), lab(500).picture(columns, rows));
    }
}

/// The cells around one, those on the screen.
fn around(at: Position, columns: u16, rows: u16) -> impl Iterator<Item = Position> {
    let all = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))).filter(|by| *by != (0, 0));
    let shifted = all.filter_map(move |(dx, dy)| {
        Some(Position { x: at.x.checked_add_signed(dx)?, y: at.y.checked_add_signed(dy)? })
    });
    shifted.filter(move |at| at.x < columns && at.y < rows)
}

#[test]
fn the_way_of_the_message_leads_to_every_node_that_has_it() {
    for (columns, rows) in [(120, 40), (160, 50), (200, 60)] {
        let mut app = lab(60);
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(&mut app, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let is_wave = |at: &Position| buffer[*at].fg == Color::Magenta;
        let reached = app.drawn().iter().filter(|(_, at)| is_wave(at));
        let mut count = 0;
        for (addr, at) in reached {
            count += 1;
            // A line, or right beside it the node that it has it from.
            assert!(around(*at, columns, rows).any(|at| is_wave(&at)), "{addr} at {at} of {columns}x{rows}");
        }
        assert_eq!(count, 60);
    }
}

#[test]
fn a_frozen_picture_stays_with_the_message_that_it_shows() {
    let mut app = lab(8);
    let id = MessageId { origin: lab_peer(2), run: 1, seq: 1 };
    let kind = EventKind::Gossip(GossipEvent::Generated { id, body: "newer".into(), trace: None, forwarded: 1 });
    let mut script = Script::default();
    script.at(12_100).add(lab_peer(2), kind);
    app.get(script.events);
    assert!(title(&mut app).contains("wave p1#1"), "the one before is not seen yet: {}", title(&mut app));
    app.press("space");
    app.tick(at(20_000));
    assert!(title(&mut app).contains("wave p1#1"), "{}", title(&mut app));
    app.press("space");
    assert!(title(&mut app).contains("wave p2#1"), "{}", title(&mut app));
}

/// What stands at a node and to the right of it.
fn signs(app: &mut App, node: Addr, columns: u16, rows: u16) -> String {
    let shown = app.picture(columns, rows);
    let at = app.drawn().iter().find(|(addr, _)| *addr == node).unwrap().1;
    let line: Vec<char> = shown.lines().nth(usize::from(at.y)).unwrap().chars().collect();
    line[usize::from(at.x)..=usize::from(at.x) + 1].iter().collect()
}

#[test]
fn a_node_in_trouble_also_shows_whether_it_has_the_message() {
    let trouble = |kinds: Vec<EventKind>| {
        let mut app = lab(8);
        let mut script = Script::default();
        for kind in kinds {
            script.at(12_100).add(lab_peer(4), kind);
        }
        app.get(script.events);
        signs(&mut app, lab_peer(4), 160, 50)
    };
    assert_eq!(trouble(vec![EventKind::Node(NodeEvent::Hung)]), "❷‖");
    assert_eq!(trouble(vec![EventKind::Node(NodeEvent::Stopped { how: Stop::Killed })]), "❷✗");
    assert_eq!(
        trouble(vec![EventKind::Node(NodeEvent::Stopped { how: Stop::Left })]),
        "❷◌",
        "as all have when a recording ends"
    );
    let id = MessageId { origin: lab_peer(2), run: 1, seq: 1 };
    let mut app = suspect();
    app.select_drawn(P1);
    assert_eq!(signs(&mut app, P3, 120, 40), "◆?", "p3 said hello, then fell silent");
    let mut script = Script::default();
    script
        .at(13_100)
        .add(P1, EventKind::Gossip(GossipEvent::Generated { id, body: "newer".into(), trace: None, forwarded: 1 }));
    app.get(script.events);
    app.tick(at(15_000));
    assert_eq!(signs(&mut app, P3, 120, 40), "○?", "it does not get what is said now");
}

#[test]
fn the_legend_has_a_word_for_each_sign_at_every_size() {
    let mut app = lab(8);
    let mut script = Script::default();
    script.at(12_100).add(lab_peer(4), EventKind::Node(NodeEvent::Hung));
    script.add(lab_peer(5), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    script.add(lab_peer(6), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    let late = Addr::loopback(9_000);
    script.start(late, "p9", Role::Peer).link(late, lab_peer(1)).miss(lab_peer(1), lab_peer(2), 1, 2);
    let (direction, purpose) = (Direction::Inbound, Purpose::Neighbor);
    script.add(
        late,
        EventKind::Link(LinkEvent::Up { link: LinkId(900), connection: None, peer: FAR, direction, purpose }),
    );
    script.add(
        lab_peer(1),
        EventKind::Seed(SeedEvent::PeerListReceived {
            seed: super::fixture::S1,
            peers: vec![Addr::loopback(9_001)],
            listed: None,
        }),
    );
    app.get(script.events);
    for (columns, rows) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let shown = app.picture(columns, rows);
        for word in
            ["■seed", "◆start", "hop", "○not yet", "◇elsewhere", "?suspect", "‖hung", "✗dead", "◌left", "·heard"]
        {
            let long = match word {
                "◆start" => "◆ begins".to_owned(),
                "◇elsewhere" => "◇ elsewhere".to_owned(),
                "·heard" => "· heard of".to_owned(),
                word => format!("{} {}", word.chars().next().unwrap(), word.chars().skip(1).collect::<String>()),
            };
            assert!(shown.contains(word) || shown.contains(&long), "{word} at {columns}x{rows}: {shown}");
        }
    }
    assert_snapshot!("legend_80x24", app.picture(80, 24));
}

#[test]
fn the_legend_tells_not_yet_from_never_and_from_not_seen() {
    let mut app = lab(8);
    let late = Addr::loopback(9_000);
    let mut script = Script::default();
    script.at(12_100).start(late, "p9", Role::Peer);
    app.get(script.events);
    assert!(app.picture(160, 50).contains("○ not yet"));
    app.tick(at(16_000));
    assert!(app.picture(160, 50).contains("○ lacks it"));
    app.take(&[Delivery { skipped: 7, batch: Batch::from(Vec::new()) }]);
    assert!(app.picture(160, 50).contains("○ not seen"), "{}", app.picture(160, 50));
}

#[test]
fn the_whole_screen_draws_more_than_eighty_nodes_whole() {
    let mut app = lab(100);
    let rows = |app: &mut App| spots(app).iter().map(|(_, at)| at.y).collect::<BTreeSet<_>>().len();
    assert!(rows(&mut app) <= 6, "a grid of twenty a row");
    app.press("z");
    assert!(rows(&mut app) > 30, "a map");
}

#[test]
fn the_picture_is_the_same_every_time() {
    assert_eq!(lab(25).picture(120, 40), lab(25).picture(120, 40));
    assert_eq!(spots(&mut lab(100)), spots(&mut lab(100)));
}

#[test]
fn no_name_is_cut_and_no_two_names_run_into_each_other() {
    for (columns, rows) in [(60, 16), (80, 24), (120, 40)] {
        let mut app = told(options(), large_lab(23), 12_000);
        app.press("z");
        let shown = app.picture(columns, rows);
        let is_timeline = |line: &&str| line.starts_with(" 03:00:00 ");
        let lines: Vec<&str> = shown.lines().filter(|line| !is_timeline(line)).collect();
        let map = lines[2..lines.len() - 2].join("\n");
        let words: Vec<&str> =
            map.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let names: BTreeSet<String> = (1..=23).map(|n| format!("p{n}")).chain(["s1".into(), "s2".into()]).collect();
        assert!(words.len() > 12, "{columns}x{rows}: {map}");
        assert!(words.iter().all(|word| names.contains(*word)), "{columns}x{rows}: {map}");
    }
}

#[test]
fn who_is_placed_stays_when_another_comes_and_when_one_dies() {
    let mut app = lab(12);
    let before = spots(&mut app);
    app.tick(at(20_000));
    let mut script = Script::default();
    let newcomer = Addr::loopback(9_000);
    script.at(20_000).start(newcomer, "p13", Role::Peer).link(newcomer, lab_peer(3)).link(newcomer, lab_peer(4));
    script.add(lab_peer(7), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    app.get(script.events);
    spots(&mut app);
    app.tick(at(21_000));
    let after = spots(&mut app);
    assert!(after.iter().any(|(addr, _)| *addr == newcomer));
    let of_before: Vec<_> = after.into_iter().filter(|(addr, _)| *addr != newcomer).collect();
    assert_eq!(of_before, before);
    assert!(app.picture(160, 50).contains("✗ p7"));
}

#[test]
fn a_newcomer_appears_nearer_to_its_neighbors_than_to_the_rest() {
    let mut app = lab(20);
    app.tick(at(20_000));
    let mut script = Script::default();
    let newcomer = Addr::loopback(9_000);
    script.at(20_000).start(newcomer, "p21", Role::Peer).link(newcomer, lab_peer(3)).link(newcomer, lab_peer(4));
    app.get(script.events);
    spots(&mut app);
    app.tick(at(21_000));
    let spots = spots(&mut app);
    let at = |addr| spots.iter().find(|(other, _)| *other == addr).unwrap().1;
    let apart = |a: Addr, b: Addr| {
        let (a, b) = (at(a), at(b));
        f64::hypot(f64::from(a.x) - f64::from(b.x), 2.0 * (f64::from(a.y) - f64::from(b.y)))
    };
    let near = f64::midpoint(apart(newcomer, lab_peer(3)), apart(newcomer, lab_peer(4)));
    let all = (1..=20).map(|number| apart(newcomer, lab_peer(number))).sum::<f64>() / 20.0;
    assert!(near < all, "{near} and {all}");
}

#[test]
fn a_large_layout_is_ordered_once_and_then_nobody_moves() {
    let mut app = told(options(), large_lab(150), 12_000);
    app.press("z");
    let at_first = spots(&mut app);
    let ordered = std::mem::take(&mut app.work);
    assert_eq!(ordered.len(), 1, "a layout is ordered");
    spots(&mut app);
    assert!(app.work.is_empty(), "one at a time");
    app.work = ordered;
    app.work();
    let laid_out = spots(&mut app);
    assert_ne!(laid_out, at_first);
    for seconds in 13..20 {
        app.tick(at(seconds * 1_000));
        assert_eq!(spots(&mut app), laid_out);
        assert!(app.work.is_empty());
    }
}

#[test]
fn arrows_lead_to_the_nearest_node_and_connections_follow() {
    let mut app = lab(8);
    let spots = spots(&mut app);
    let at = |addr| spots.iter().find(|(other, _)| *other == addr).unwrap().1;
    let mut selected = app.selected().unwrap();
    for (key, is_ahead) in [
        ("right", (|from: Position, to: Position| to.x > from.x) as fn(Position, Position) -> bool),
        ("left", |from, to| to.x < from.x),
        ("down", |from, to| to.y > from.y),
        ("up", |from, to| to.y < from.y),
    ] {
        app.press(key);
        let next = app.selected().unwrap();
        assert!(next == selected || is_ahead(at(selected), at(next)), "{key}: {selected} to {next}");
        selected = next;
    }
    let name = app.view().name(selected);
    assert!(app.picture(120, 40).contains(&format!(">● {name} ")));
    app.press("2 up 1");
    let next = app.selected().unwrap();
    assert_ne!(next, selected);
    let kill = [ConsoleEffect::Host(ToHost::Command(Command::Kill(next)))];
    assert_eq!(app.press("x x"), kill, "and the keys act on it");
}

#[test]
fn every_node_can_be_reached_with_the_arrows() {
    let mut app = lab(12);
    let all: BTreeSet<Addr> = spots(&mut app).into_iter().map(|(addr, _)| addr).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![app.selected().unwrap()];
    while let Some(addr) = open.pop() {
        if !seen.insert(addr) {
            continue;
        }
        for key in ["up", "down", "left", "right"] {
            app.select_drawn(addr);
            app.press(key);
            open.extend(app.selected());
        }
    }
    assert_eq!(seen, all);
}

#[test]
fn nodes_elsewhere_and_nodes_only_named_have_marks_of_their_own() {
    let mut app = suspect();
    let named = Addr::loopback(4_001);
    let mut script = Script::default();
    script.at(13_100).add(
        P1,
        EventKind::Seed(SeedEvent::PeerListReceived { seed: super::fixture::S1, peers: vec![named], listed: None }),
    );
    app.get(script.events);
    let shown = app.picture(120, 40);
    for text in ["· :4001", "· heard of", ":4000"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    assert!(title(&mut app).contains("1 heard of"), "{}", title(&mut app));
    // FAR has missed a probe; once it answers it is a node elsewhere like any other.
    let mut script = Script::default();
    script.at(13_200).ping(P1, FAR, 5, 9_000);
    app.get(script.events);
    let shown = app.picture(120, 40);
    assert!(shown.contains("◇") && shown.contains("◇ elsewhere"), "{shown}");
}

#[test]
fn the_newest_message_is_followed_and_a_chosen_one_stays() {
    let mut app = suspect();
    assert!(title(&mut app).contains("wave p3#1, hop 2, 4/4 of ours have it"), "{}", title(&mut app));
    app.press("3");
    while !app.line().contains("p1#1") {
        app.press("up");
    }
    app.press("1");
    let chosen = title(&mut app);
    assert!(chosen.contains("wave p1#1, hop 2, 4/4 of ours have it"), "{chosen}");
    assert!(app.picture(120, 40).lines().next().unwrap().contains("p1#1 reached 4/4 of ours in 2 hops"));
    app.press("f");
    assert!(title(&mut app).contains("wave p3#1"));
}

#[test]
fn w_shows_the_way_once_more_hop_by_hop_and_ends_by_itself() {
    let mut app = lab(8);
    app.picture(120, 40);
    app.press("w");
    assert!(title(&mut app).contains("wave p1#1 again, hop 0, 1/8 have it"), "{}", title(&mut app));
    let mut have: Vec<usize> = Vec::new();
    while let Some(at) = app.waves.next_tick(app.scene.now) {
        assert_eq!(app.tick(at), Ticked::Picture, "there is something new to see");
        let shown = title(&mut app);
        have.push(shown.split("/8 have it").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap());
    }
    assert!(have.is_sorted() && have[0] == 1 && have.last() == Some(&8), "{have:?}");
    let steps: BTreeSet<usize> = have.into_iter().collect();
    assert!(steps.len() > 5, "one after the other: {steps:?}");
    assert!(!title(&mut app).contains("again"));
    let now = app.scene.now;
    let next = app.next_tick().unwrap();
    assert_eq!(next.since(app.started).as_millis() % 1_000, 0, "then only the clock ticks");
    assert!(next > now);
}

#[test]
fn during_a_replay_the_footer_says_how_far_and_how_to_stop() {
    let mut app = lab(8);
    app.tick(at(20_000));
    app.tell(crate::ui::Severity::Warning, "something else");
    app.press("w");
    app.tick(at(21_500));
    for (columns, rows) in [(80, 24), (120, 40)] {
        let shown = app.picture(columns, rows);
        let footer = shown.lines().last().unwrap();
        assert_eq!(footer, " p1#1 once more  21 ms in 3 s, slowly  2 of 3 s  w or Esc stops it");
        assert!(shown.contains("not yet"), "what did not come so far is on its way: {shown}");
    }
    app.tick(at(30_000));
    assert!(!app.picture(80, 24).contains("once more"));
}

#[test]
fn a_replay_ends_with_esc_or_w_and_works_frozen_and_recorded() {
    let mode = Mode::Replay { source: "old.jsonl".to_owned() };
    let recording = || told(Options { mode: mode.clone(), ..options() }, session(), 13_200);
    let frozen = || {
        let mut app = suspect();
        app.press("space");
        app
    };
    for mut app in [suspect(), frozen(), recording()] {
        for end in ["w", "esc"] {
            app.picture(120, 40);
            app.press("w");
            let now = app.scene.now + std::time::Duration::from_millis(100);
            assert_eq!(app.tick(now), Ticked::Picture);
            assert!(title(&mut app).contains("again, hop 0, 1/4"), "{}", title(&mut app));
            app.press(end);
            assert!(!title(&mut app).contains("again"), "{end}");
        }
    }
    assert!(frozen().scene.is_frozen(), "escape ends one thing at a time");
}

#[test]
fn w_without_a_message_says_so() {
    let mut app = empty(options());
    app.press("w");
    assert!(app.picture(120, 40).contains("no message to show yet"));
}

#[test]
fn s_draws_all_registrations_and_takes_them_back() {
    let mut app = lab(8);
    let before = app.picture(120, 40);
    app.press("s");
    let with = app.picture(120, 40);
    let dots = |shown: &str| shown.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    assert!(dots(&with) > dots(&before) + 20);
    app.press("s");
    assert_eq!(app.picture(120, 40), before);
}

#[test]
fn ascii_draws_the_overlay_without_any_other_character() {
    let mut app = told(Options { glyphs: Glyphs::Ascii, ..options() }, large_lab(8), 12_000);
    let shown = app.picture(120, 40);
    assert!(shown.is_ascii());
    assert!(shown.contains("s seed") && shown.contains("1 2 has it, by hop"), "{shown}");
}

#[test]
fn a_filter_finds_nodes_by_name_role_and_state() {
    let mut app = dead();
    app.picture(120, 40);
    app.press("/");
    app.type_text("dead");
    app.press("enter n");
    assert_eq!(app.selected(), Some(P3));
    assert!(app.picture(160, 50).contains(" /dead ┐"));
    app.press("esc");
    assert!(!app.picture(160, 50).contains("/dead"));
}

#[test]
fn a_seed_alone_shows_its_peers_and_their_registrations() {
    let mut script = Script::default();
    script.start(super::fixture::S1, "s1", Role::Seed);
    for (link, peer) in [(1, FAR), (2, P4)] {
        let kind = EventKind::Link(LinkEvent::Up {
            link: LinkId(link),
            connection: None,
            peer,
            direction: Direction::Inbound,
            purpose: Purpose::Registration,
        });
        script.at(500).add(super::fixture::S1, kind);
    }
    let mut app = told(options(), script.events, 1_000);
    let shown = app.picture(120, 40);
    assert!(shown.contains(":4000") && shown.contains(":3003") && shown.contains("◇ elsewhere"), "{shown}");
    let dots = shown.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    assert!(dots > 20, "{shown}");
}

#[test]
fn no_size_and_no_number_of_nodes_makes_it_panic() {
    for peers in [0, 1, 2, 26, 90] {
        let mut app = lab(peers);
        for (columns, rows) in [(40, 10), (60, 16), (61, 40), (100, 30), (250, 70), (300, 12)] {
            for keys in ["z", "w right", "z s down"] {
                app.press(keys);
                app.picture(columns, rows);
            }
        }
    }
}
