//! Selection, freezing, scrolling, filters and panes.

use super::fixture::{
    FAR, P1, P2, P3, P4, Script, aftermath, at, dead, large_lab, options, recording, session, suspect, told,
};
use crate::event::{Direction, EventKind, GossipEvent, ProbeEvent, Purpose};
use crate::proto::message::{MessageId, Role, Trace};
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::host::FromHost;
use crate::ui::options::Options;

#[test]
fn the_selection_follows_the_node_when_the_order_changes() {
    let mut app = suspect();
    app.select("p3");
    app.press("s");
    app.press("x");
    assert_eq!(app.footer(), "x again kills p3");
}

#[test]
fn a_frozen_picture_stays_as_it_is_and_counts_what_is_new() {
    let mut app = suspect();
    app.press("space");
    let before = app.picture(120, 40);
    app.tick(at(13_900));
    let events = aftermath();
    let count = events.len();
    app.get(events);
    let after = app.picture(120, 40);
    let header = after.lines().next().unwrap();
    assert!(header.contains(&format!("FROZEN +{count} new")), "{header}");
    // But for the timeline, which goes on, and the footer, and what it tells on up to four lines above.
    assert!(before.lines().skip(2).take(33).eq(after.lines().skip(2).take(33)));
    app.press("space");
    let thawed = app.picture(120, 40);
    assert!(thawed.contains("1 dead") && thawed.contains("LIVE"), "{thawed}");
}

#[test]
fn scrolling_up_in_the_log_leaves_follow_and_counts_below() {
    let mut app = suspect();
    app.press("3 g g");
    assert!(app.picture(120, 40).contains("new below"));
    app.press("G");
    assert!(app.picture(120, 40).contains("FOLLOW"));
    app.press("f");
    assert!(app.picture(120, 40).contains("0 new below"));
}

#[test]
fn a_filter_shows_its_effect_while_typed_and_esc_takes_it_back() {
    let mut app = suspect();
    app.press("3 /");
    app.type_text("PROBE");
    let picture_now = app.picture(120, 40);
    assert!(picture_now.contains("no answer (2/3)") && !picture_now.contains("+ p3#1 "), "{picture_now}");
    app.press("esc");
    assert!(app.picture(120, 40).contains("+ p3#1 "));
    app.press("/");
    app.type_text("!PROBE");
    app.press("enter");
    let picture_now = app.picture(120, 40);
    assert!(picture_now.contains("+ p3#1 ") && !picture_now.contains(" PROBE "), "{picture_now}");
    assert!(picture_now.contains(" /!PROBE ┐"), "{picture_now}");
}

#[test]
fn numbers_and_tab_lead_to_panes_and_a_hidden_pane_opens_whole() {
    let mut app = dead();
    app.picture(80, 24);
    app.press("6");
    let shown = app.picture(80, 24);
    assert!(shown.contains("6 Notices") && !shown.contains("1 Topology"), "{shown}");
    app.press("esc");
    assert!(app.picture(80, 24).contains("1 Topology"));
    app.press("tab tab tab z");
    let shown = app.picture(120, 40);
    assert!(shown.contains("4 Liveness") && !shown.contains("1 Topology"), "{shown}");
}

#[test]
fn a_node_elsewhere_has_its_short_name_in_all_lines() {
    let mut app = suspect();
    let lines = |app: &mut App| app.picture(120, 40).lines().map(str::to_owned).collect::<Vec<_>>();
    let shown = lines(&mut app);
    assert!(shown.iter().any(|line| line.contains("p1 → :4000 PROBE   4 no answer (1/3)")), "{shown:#?}");
    assert!(shown.iter().any(|line| line.contains("? :4000 ")), "among the connections: {shown:#?}");
    app.press("3 /");
    app.type_text("127.0.0.1:4000");
    app.press("enter");
    lines(&mut app);
    let copied = app.press("y");
    assert!(matches!(&copied[..], [ConsoleEffect::Copy(line)] if line.contains("→ :4000")), "{copied:?}");

    let mut script = Script::default();
    let id = MessageId { origin: FAR, run: 1, seq: 7 };
    script.at(13_050).add(
        P1,
        EventKind::Gossip(GossipEvent::Received { id, from: FAR, body: "far".into(), trace: None, forwarded: 1 }),
    );
    app.get(script.events);
    app.tick(at(16_000));
    app.press("esc");
    assert!(lines(&mut app)[0].contains(":4000#7"), "the newest message: {:#?}", lines(&mut app));

    let mut script = Script::default();
    let other_host = "10.0.0.7:4000".parse().unwrap();
    script.at(13_100).add(
        P1,
        EventKind::Probe(ProbeEvent::Missed {
            probe: None,
            peer: other_host,
            seq: 1,
            misses: 1,
            limit: 3,
            last_heard: at(0),
        }),
    );
    app.get(script.events);
    app.press("esc");
    let shown = lines(&mut app);
    assert!(shown.iter().any(|line| line.contains("→ :4000") && line.contains("PROBE")), "{shown:#?}");
}

#[test]
fn copying_hands_the_line_to_the_terminal() {
    let mut app = suspect();
    app.select("p4");
    let [ConsoleEffect::Copy(text)] = &app.press("y")[..] else { panic!("nothing was copied") };
    assert!(text.contains("p4") && text.contains("127.0.0.1:3003"), "{text}");
}

#[test]
fn a_message_is_a_line_that_unfolds_to_its_hops() {
    let mut app = suspect();
    app.press("3 z");
    while !app.line().contains("p1#1") {
        app.press("up");
    }
    assert!(
        app.line().starts_with("03:00:03.000 + p1#1    4/4 of ours in 2 hops  9.0 ms   5 copies"),
        "{}",
        app.line()
    );
    app.press("right");
    let shown = app.picture(100, 30);
    for line in ["- p1#1", "p1      begins, to 2 neighbors", "p2 → p3 hop 2 +9.0 ms, dup x1"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    app.press("down down down down");
    assert!(app.line().contains("p2 → p3 hop 2"), "{}", app.line());
    let copied = app.press("y");
    assert!(matches!(&copied[..], [ConsoleEffect::Copy(line)] if line.contains("p2 → p3 hop 2")), "{copied:?}");
    app.press("1");
    assert!(app.picture(100, 30).contains("wave p1#1"), "a hop lights the wave of its message");
    app.press("3 enter");
    let shown = app.picture(100, 30);
    assert!(shown.contains("p3 did get p1#1: at 03:00:03 from p2"), "{shown}");
    app.press("esc left");
    assert!(app.line().contains("+ p1#1"), "{}", app.line());
    assert!(!app.picture(100, 30).contains("begins"));
}

#[test]
fn filter_and_search_go_through_folded_and_unfolded_lines() {
    let mut app = suspect();
    app.press("3 z g g /");
    app.type_text("copies");
    app.picture(100, 30);
    app.press("enter g g right");
    let shown = app.picture(100, 30);
    assert!(shown.contains("- p1#1") && shown.contains("+ p3#1") && shown.contains("dup x1"), "{shown}");
    assert!(!shown.contains("PROBE") && shown.contains("3 Gossip log 2,"), "{shown}");
    app.press("G");
    assert!(app.line().contains("p3#1"), "{}", app.line());
    app.press("esc N N");
    assert!(app.line().contains("p1#1"), "{}", app.line());
    app.press("n");
    assert!(app.line().contains("p3#1"), "{}", app.line());
}

#[test]
fn a_filter_follows_a_line_that_changes() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(13_150).gossip(2, "late", &[(P1, P2, 1)]);
    app.get(script.events);
    app.press("3 /");
    app.type_text("4/4");
    app.press("enter");
    let count = |app: &mut App| app.picture(120, 40).lines().filter(|line| line.contains("+ p1#2")).count();
    assert_eq!(count(&mut app), 0);
    let mut script = Script::default();
    let id = MessageId { origin: P1, run: 1, seq: 2 };
    for to in [P3, P4] {
        let (from, trace) = (P1, None);
        let copy = GossipEvent::Received { id, from, body: "late".into(), trace, forwarded: 0 };
        script.at(13_190).add(to, EventKind::Gossip(copy));
    }
    app.get(script.events);
    assert_eq!(count(&mut app), 1);
}

#[test]
fn a_message_that_did_not_reach_everybody_says_who_lacks_it() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(3_500).gossip(2, "hello again", &[(P1, P2, 1), (P1, P4, 1)]);
    app.get(script.events);
    app.tick(at(14_000));
    app.press("3 z");
    while !app.line().contains("p1#2") {
        app.press("up");
    }
    let shown = app.picture(100, 30);
    let line = shown.lines().find(|line| line.contains("+ p1#2 ")).unwrap();
    assert!(line.contains("3/4, p3 lacks it ") && line.contains("\"hello again\""), "no room for the reason: {shown}");
    let wide = app.picture(200, 60);
    assert!(wide.contains("3/4, p3 lacks it: what became of its copy is not certain: p2 had it at 03:00:03"), "{wide}");
    app.press("right down down down down");
    assert!(app.line().contains("p3 lacks it: what became"), "{}", app.line());
}

#[test]
fn an_unfolded_message_follows_the_network() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(3_500).gossip(2, "hello again", &[(P1, P2, 1)]);
    app.get(script.events);
    app.tick(at(14_000));
    app.press("3 z");
    while !app.line().contains("p1#2") {
        app.press("up");
    }
    app.press("right");
    let reasons = |app: &mut App| {
        let shown = app.picture(200, 60);
        let lines = shown.lines().filter_map(|line| line.trim_matches(['│', ' ']).split_once(" lacks it: "));
        lines.map(|(node, why)| (node.to_owned(), why.trim().to_owned())).collect::<Vec<_>>()
    };
    let before = reasons(&mut app);
    let [(p3, of_p3), (p4, of_p4)] = before.as_slice() else { panic!("{before:?}") };
    assert_eq!((p3.as_str(), p4.as_str()), ("p3", "p4"));
    assert!(of_p3.contains("p2 had it") && of_p4.contains("p1 had it"), "{before:?}");
    assert_eq!(reasons(&mut app), before, "drawn again");
    let mut script = Script::default();
    let id = MessageId { origin: P1, run: 1, seq: 2 };
    let copy = GossipEvent::Received { id, from: P2, body: "hello again".into(), trace: None, forwarded: 0 };
    script.at(14_000).add(P3, EventKind::Gossip(copy));
    app.get(script.events);
    let after = reasons(&mut app);
    let [(p4, of_p4)] = after.as_slice() else { panic!("{after:?}") };
    assert!(p4 == "p4" && of_p4.contains("p1 had it"), "the line of p3 is gone, and its reason with it: {after:?}");
}

#[test]
fn both_ends_of_a_link_and_all_of_a_death_are_one_line_each() {
    let mut app = dead();
    app.press("3 z /");
    app.type_text("p2 → p3 LINK    up");
    app.picture(100, 30);
    app.press("enter right");
    let shown = app.picture(100, 30);
    assert!(shown.contains("p2: Linked to p3") && shown.contains("p3: Linked to p2, which dialed"), "{shown}");
    app.press("esc /");
    app.type_text("DEATH");
    app.picture(100, 30);
    app.press("enter g g right");
    let shown = app.picture(100, 30);
    for line in ["- p3      DEATH   by 2 peers: s1,s2 removed it", "by p4 → s1,s2 removed", "+ p4      DEATH"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[test]
fn the_head_shows_the_order_of_the_nodes_and_s_turns_it() {
    let mut app = suspect();
    let nodes = |app: &mut App| {
        let shown = app.picture(120, 40);
        let lines = shown.lines().filter_map(|line| line.split("││").nth(1).or_else(|| line.split("┐┌").nth(1)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let names = |lines: &[String]| {
        let named = lines.iter().filter_map(|line| ["p1 ", "p2 ", "p4 "].into_iter().find(|name| line.contains(name)));
        named.take(3).collect::<Vec<_>>()
    };
    app.press("2 s");
    let by_name = nodes(&mut app);
    assert!(by_name.iter().any(|line| line.contains("NODE▼")), "{by_name:#?}");
    assert_eq!(names(&by_name), ["p1 ", "p2 ", "p4 "]);
    app.press("S");
    let reversed = nodes(&mut app);
    assert!(reversed.iter().any(|line| line.contains("NODE▲")), "{reversed:#?}");
    assert_eq!(names(&reversed), ["p4 ", "p2 ", "p1 "]);
    app.press("s");
    assert!(nodes(&mut app).iter().any(|line| line.contains("▼RTT")));
}

#[test]
fn columns_are_chosen_by_name_and_all_come_back() {
    let mut app = suspect();
    let head = |app: &mut App| app.picture(120, 40).lines().find(|line| line.contains("NODE")).unwrap().to_owned();
    let before = head(&mut app);
    assert!(before.contains("STATE▼") && before.contains("PROBES"), "{before}");
    app.command("columns rtt links");
    let chosen = head(&mut app);
    assert!(
        chosen.contains("NODE   LINKS   RTT") && !chosen.contains("STATE") && !chosen.contains("PROBES"),
        "{chosen}"
    );
    app.press("2 /");
    app.type_text("suspect");
    app.press("enter");
    assert!(app.line().contains("suspect"), "the filter still finds what is not shown");
    app.press("esc");
    app.command("columns links speed");
    assert!(app.footer().starts_with("Error: no column 'speed': expected all, address, role"), "{}", app.footer());
    assert_eq!(head(&mut app), chosen);
    app.command("columns all");
    assert_eq!(head(&mut app), before);
}

#[test]
fn what_the_bottom_line_unfolds_to_comes_into_the_window() {
    let mut app = suspect();
    let mut script = Script::default();
    script.at(13_100).gossip(2, "the last", &[(P1, P2, 1), (P1, P4, 1)]);
    app.get(script.events);
    app.press("3");
    app.picture(80, 24);
    app.press("right");
    let shown = app.picture(80, 24);
    assert!(shown.contains("\"the last\"") && shown.matches(" hop 1 +").count() == 2, "{shown}");
}

#[test]
fn what_a_command_can_become_is_said_once() {
    let mut app = suspect();
    app.press(":");
    app.type_text("kill p");
    let shown = app.picture(80, 24);
    assert_eq!(shown.lines().last(), Some(":kill p"));
    assert!(shown.contains("│p4 "), "{shown}");
}

#[test]
fn the_sign_of_the_order_keeps_the_heads_apart() {
    let mut app = suspect();
    app.command("sort links");
    let shown = app.picture(80, 24);
    assert!(shown.contains(" ▼LINKS PROBES"), "{shown}");
    app.press("2 S");
    assert!(app.picture(80, 24).contains(" ▲LINKS PROBES"));
}

#[test]
fn columns_of_the_config_file_are_those_of_the_command() {
    let mut app = told(Options { columns: vec!["links".to_owned(), "rtt".to_owned()], ..options() }, session(), 13_200);
    let head = |app: &mut App| app.picture(120, 40).lines().find(|line| line.contains("NODE")).unwrap().to_owned();
    assert!(head(&mut app).contains("LINKS   RTT") && !head(&mut app).contains("STATE"), "{}", head(&mut app));
    app.hear(FromHost::Opened(Box::new(recording("old.jsonl"))));
    app.get(session());
    assert!(!head(&mut app).contains("STATE"), "{}", head(&mut app));
}

#[test]
fn the_text_of_a_message_keeps_its_number_at_80x24() {
    let moment = at;
    let mut script = Script::default();
    script.start(P1, ":3000", Role::Peer);
    script.at(500).one_end(P1, FAR, Direction::Inbound, Purpose::Neighbor);
    let id = |seq| MessageId { origin: FAR, run: 1, seq };
    for seq in 0..12 {
        let (body, at) = (format!("Gossip Message {}", seq + 1), 3_000 + 10 * seq);
        let trace = Some(Trace { sent: moment(at - 400), hop: 1 });
        let kind = GossipEvent::Received { id: id(seq), from: FAR, body: body.as_str().into(), trace, forwarded: 0 };
        script.at(at).add(P1, EventKind::Gossip(kind));
    }
    let mut app = told(options(), script.events, 4_000);
    let shown = app.picture(80, 24);
    assert!(shown.contains("\"Gossip Message 12\""), "{shown}");
    let wide = app.picture(200, 60);
    assert!(wide.contains(" 1 copy  \"Gossip Message 12\""), "{wide}");
}

#[test]
fn a_node_at_the_edge_stands_in_both_brackets() {
    let mut at_the_edge = 0;
    for peers in 3..12 {
        let mut app = told(options(), large_lab(peers), 12_000);
        app.picture(80, 24);
        for (node, at) in app.drawn().to_vec() {
            app.select_drawn(node);
            let shown = app.picture(80, 24);
            let row: Vec<char> = shown.lines().nth(usize::from(at.y)).unwrap().chars().collect();
            // Inside of the frame, the columns are 1 to 31.
            if at.x >= 30 {
                at_the_edge += 1;
                assert_eq!(row[usize::from(at.x) + 1], ']', "{shown}");
            }
        }
    }
    assert!(at_the_edge > 3, "{at_the_edge}");
}
