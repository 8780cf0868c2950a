//! Who has a message and who lacks it; what is warned of; why.

use insta::assert_snapshot;

use super::fixture::{FAR, P1, P2, P3, P4, S1, Script, aftermath, at, options, session, told};
use crate::event::{Event, EventKind, FaultEvent, GossipEvent, LinkEnd, LinkEvent, LinkId, NodeEvent, Purpose};
use crate::proto::message::{DeathCause, Role};
use crate::ui::Options;
use crate::ui::app::App;
use crate::ui::options::Glyphs;

/// p1 - p2 - p3 - p4 in a row. The user cuts p4 off, and p1 says something that does not come to it.
fn events() -> Vec<Event> {
    let mut script = Script::default();
    script.start(S1, "s1", Role::Seed);
    for (peer, name) in [(P1, "p1"), (P2, "p2"), (P3, "p3"), (P4, "p4")] {
        script.at(100).start(peer, name, Role::Peer);
    }
    // The links of p3 - p4 are the fifth and the sixth.
    script.at(500).link(P1, P2).link(P2, P3).link(P3, P4);
    for (node, peer, link, cause) in [(P3, P4, 5, DeathCause::Cut), (P4, P3, 6, DeathCause::Closed)] {
        let (link, purpose, end) = (LinkId(link), Purpose::Neighbor, LinkEnd::Dead { cause });
        script.at(8_000).add(node, EventKind::Link(LinkEvent::Down { link, peer, purpose, end }));
    }
    script.at(9_000).gossip(1, "Gossip Message 1", &[(P1, P2, 1), (P2, P3, 2)]);
    script.duplicate(P1, 1, P3, P2);
    script.events
}

/// So long after the beginning, watched all the time.
fn watched(options: Options, millis: u64) -> App {
    let mut app = told(options, events(), 9_100);
    pass(&mut app, 9_500, millis);
    app
}

fn pass(app: &mut App, from: u64, to: u64) {
    for millis in (from..=to).step_by(500) {
        app.tick(at(millis));
    }
}

#[test]
fn who_lacks_a_message_and_why_is_two_keys_away() {
    let mut app = told(options(), events(), 10_000);
    app.press("3 enter");
    let picture = app.picture(120, 40);
    assert!(picture.contains("reached 3/4 in 2 hops and 6.0 ms, 1 lacks it"), "{picture}");
    assert!(picture.contains("✗ p4     it had no neighbor, its last link, p3 - p4, ended at 03:00:08, p3 took p4 for dead, link cut by the user"), "{picture}");
    assert_snapshot!("wave_120x40", picture);
}

#[test]
fn the_wave_fits_a_small_screen_and_can_do_with_ascii() {
    let mut app = told(options(), events(), 10_000);
    app.press("W");
    assert_snapshot!("wave_80x24", app.picture(80, 24));
    let mut app = told(Options { glyphs: Glyphs::Ascii, ..options() }, events(), 10_000);
    app.press("W");
    let ascii = app.picture(80, 24);
    assert!(ascii.is_ascii());
    assert_snapshot!("wave_ascii", ascii);
}

#[test]
fn each_line_of_the_wave_has_its_why() {
    let mut app = told(options(), events(), 10_000);
    app.picture(120, 40);
    app.press("W");
    app.picture(120, 40);
    app.press("enter");
    let why = app.picture(120, 40);
    assert!(why.contains("Why did p4 not get p1#1?"), "{why}");
    assert!(why.contains("link p3 - p4 ended: p3 took p4 for dead: link cut by the user"), "{why}");
    app.press("esc G enter");
    let got = app.picture(120, 40);
    assert!(got.contains("p3 did get p1#1: at 03:00:09 from p2, hop 2, 6.0 ms after it began"), "{got}");
    app.press("esc esc");
    assert!(app.modals.is_empty());
}

#[test]
fn why_a_node_was_declared_dead_is_two_keys_away() {
    let mut app = told(options(), session(), 13_200);
    let deaths = aftermath().into_iter().filter(|event| event.at < at(14_900));
    app.get(deaths.collect());
    app.press("5 enter");
    let why = app.picture(120, 40);
    assert!(why.contains("Why is p3 dead?") && why.contains("had no answer to 3 probes in a row"), "{why}");
}

#[test]
fn a_warning_is_told_once_counted_and_listed_with_its_why() {
    let mut app = watched(options(), 12_000);
    assert!(!app.picture(120, 40).contains("1 warning"), "a network may repair itself");
    pass(&mut app, 12_500, 14_000);
    assert!(app.footer().starts_with("! p4 has no live neighbor"), "{}", app.footer());
    pass(&mut app, 14_500, 15_500);
    let raised = app.picture(120, 40);
    assert!(raised.lines().next().unwrap().contains("2 warnings"), "{raised}");
    assert!(app.footer().starts_with("! p1#1 did not reach p4"), "{}", app.footer());
    assert_snapshot!("warning_120x40", raised);
    app.press("7 enter");
    let why = app.picture(120, 40);
    assert!(why.contains("It has no neighbor. The link p3 - p4 ended at"), "{why}");
    assert!(why.contains("p4 has no live neighbor: warned of since 03:00:08"), "{why}");
}

#[test]
fn a_warning_waits_until_the_answer_in_the_footer_is_read() {
    let mut app = watched(options(), 12_000);
    app.type_text(":why p4 p1#9");
    app.press("enter");
    pass(&mut app, 12_500, 16_500);
    assert!(app.footer().contains("no message 'p1#9'"), "{}", app.footer());
    pass(&mut app, 17_000, 17_500);
    assert!(app.footer().starts_with("! p1#1 did not reach p4"), "{}", app.footer());
}

/// After the message that did not come to p4, p2 says something every second that comes to everybody.
fn talkative() -> App {
    let mut app = watched(options(), 15_500);
    for second in 16..19 {
        let mut script = Script::default();
        script.at(second * 1_000).gossip(second, "newer", &[(P2, P1, 1), (P2, P3, 1), (P3, P4, 2)]);
        app.get(script.events);
        pass(&mut app, second * 1_000, second * 1_000 + 500);
    }
    pass(&mut app, 19_000, 21_500);
    app
}

#[test]
fn who_lacks_a_message_is_one_key_away_despite_newer_ones() {
    let mut app = talkative();
    let shown = app.picture(80, 24);
    assert!(shown.lines().next().unwrap().contains("p2#18 reached 4/4") || shown.contains("wave p2#18"), "{shown}");
    assert!(shown.lines().last().unwrap().contains("W who lacks p1#1"), "{shown}");
    app.press("W");
    let table = app.picture(80, 24);
    assert!(table.contains("reached 3/4") && table.contains("✗ p4     it had no neighbor"), "{table}");
    app.press("esc 3 up");
    assert!(app.picture(160, 40).lines().last().unwrap().contains("W who has it"), "what is selected goes first");
}

#[test]
fn the_message_named_in_the_footer_stays_there_for_a_while() {
    let mut app = watched(options(), 15_500);
    let footer = |app: &mut App| app.picture(80, 24).lines().last().unwrap().to_owned();
    // Every second p2 says something that does not come to p4, either, and each is warned of five seconds later.
    let mut opened = Vec::new();
    for second in 16..34 {
        let mut script = Script::default();
        script.at(second * 1_000).gossip(second, "newer", &[(P2, P1, 1), (P2, P3, 1)]);
        app.get(script.events);
        pass(&mut app, second * 1_000, second * 1_000 + 500);
        if let Some((_, named)) = footer(&mut app).split_once("W who lacks ") {
            opened.push(named.split(' ').next().unwrap().to_owned());
        }
    }
    opened.dedup();
    assert!(
        opened.len() > 1 && opened.len() <= 5,
        "a name stays for some seconds, and is another one later: {opened:?}"
    );
    let named = opened.last().unwrap();
    app.press("W");
    let table = app.picture(80, 24);
    assert!(table.contains(&format!(" {named} ")), "{named}: {table}");
}

#[test]
fn a_narrow_header_keeps_reach_longer_than_the_message_rate() {
    let mut app = talkative();
    let shown = app.picture(68, 24);
    let header = shown.lines().next().unwrap();
    assert!(header.contains("warning") && header.contains("p2#18 reached 4/4"), "{header}");
    assert!(!header.contains("msg/s"), "{header}");
    let narrow = app.picture(55, 24);
    let header = narrow.lines().next().unwrap();
    assert!(header.contains("p2#18 reached 4/4") && !header.contains("hop"), "{header}");
    assert!(app.picture(200, 24).lines().next().unwrap().contains("msg/s"));
}

#[test]
fn a_delayed_message_is_on_its_way_until_its_time_is_over() {
    use crate::proto::fault::{Fault, FaultKind, Scope};
    let mut script = Script::default();
    for (peer, name) in [(P1, "p1"), (P2, "p2"), (P3, "p3")] {
        script.at(100).start(peer, name, Role::Peer);
    }
    script.at(500).link(P1, P2).link(P2, P3);
    let what = FaultKind::Delay { by_us: 6_000_000, jitter_us: 500_000 };
    script.at(1_000).add(P1, EventKind::Fault(FaultEvent::Set { id: None, fault: Fault { what, on: Scope::All } }));
    let id = crate::proto::message::MessageId { origin: P1, run: 1, seq: 1 };
    script
        .at(9_000)
        .add(P1, EventKind::Gossip(GossipEvent::Generated { id, body: "slow".into(), trace: None, forwarded: 1 }));
    // Time passes: something happens.
    let later = |millis| Script::default().at(millis).ping(P2, P3, 1, 400).events.clone();
    let mut app = told(options(), script.events, 9_500);
    app.press("W");
    let young = app.picture(120, 40);
    assert!(young.contains("reached 1/3 so far in 0 hops") && young.contains("2 lack it still"), "{young}");
    for node in ["p2", "p3"] {
        let row = young.lines().find(|line| line.contains(&format!("○ {node} "))).expect(&young);
        assert!(row.contains("it is on its way, 'delay all 6s 500ms' since 03:00:01 holds it up"), "{row}");
    }
    assert!(!young.contains('✗'), "{young}");
    app.get(later(19_000));
    pass(&mut app, 19_000, 19_500);
    assert!(app.picture(120, 40).contains("○ p2 "), "past the time for delivery, and within that and the delay");
    app.get(later(40_000));
    pass(&mut app, 40_000, 40_500);
    let old = app.picture(120, 40);
    assert!(old.contains("reached 1/3 in 0 hops") && old.contains(", 2 lack it"), "{old}");
    assert!(!old.contains('○') && old.contains("✗ p2"), "{old}");
    assert!(old.contains("'delay all 6s 500ms' since 03:00:01 may have kept it, which is not certain"), "{old}");
}

#[test]
fn a_seed_that_hangs_is_asked_about_its_list_too() {
    let mut script = Script::default();
    script.start(S1, "s1", Role::Seed).start(P1, "p1", Role::Peer).register(P1, S1);
    script.at(1_000).add(S1, EventKind::Node(NodeEvent::Hung));
    script.at(2_000).add(P1, EventKind::Node(NodeEvent::Stopped { how: crate::event::Stop::Killed }));
    let mut app = told(options(), script.events, 3_000);
    app.type_text(":why s1");
    app.press("enter");
    let shown = app.picture(160, 50);
    assert!(shown.contains("s1 hangs since 03:00:01") && shown.contains("p1 was killed at 03:00:02, which"), "{shown}");
}

#[test]
fn the_table_says_why_each_node_lacks_it_when_scrolled_too() {
    // A message that p1 of sixty said a moment ago, and that came to nobody yet.
    let events = super::fixture::large_lab(60);
    let begins =
        events.iter().position(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }))).unwrap();
    let mut app = told(options(), events[..=begins].to_vec(), 11_000);
    app.press("W");
    let why = |shown: &str| {
        let lines = shown.lines().filter(|line| line.contains("○ p"));
        let (said, empty): (Vec<_>, Vec<_>) = lines.partition(|line| line.contains("it may be on its way"));
        (said.len(), empty.len())
    };
    let first = app.picture(80, 24);
    let (said, empty) = why(&first);
    assert!(said > 5 && empty == 0, "{first}");
    app.press("G up");
    let last = app.picture(80, 24);
    let (said, empty) = why(&last);
    assert!(said > 5 && empty == 0 && last != first, "{last}");
}

#[test]
fn nothing_is_predicted_for_a_peer_without_links() {
    let mut script = Script::default();
    for (peer, name) in [(P1, "p1"), (P2, "p2"), (P3, "p3")] {
        script.at(100).start(peer, name, Role::Peer);
    }
    script.at(500).link(P1, P2);
    let id = crate::proto::message::MessageId { origin: P3, run: 1, seq: 1 };
    let kind = EventKind::Gossip(GossipEvent::Generated { id, body: "alone".into(), trace: None, forwarded: 0 });
    script.at(9_000).add(P3, kind);
    let mut app = told(options(), script.events, 10_000);
    app.press("W");
    let table = app.picture(120, 40);
    assert!(table.contains("p3 had no link when it began: nothing to predict"), "{table}");
    assert!(!table.contains("elsewhere"), "{table}");
}

#[test]
fn enter_on_the_warning_of_a_message_tells_who_lacks_it_and_why() {
    let mut app = talkative();
    app.press("7 down enter");
    let table = app.picture(120, 40);
    assert!(table.contains("reached 3/4") && table.contains("✗ p4     it had no neighbor"), "{table}");
    app.press("enter");
    assert!(app.picture(120, 40).contains("Why did p4 not get p1#1?"));
}

#[test]
fn the_warning_that_explains_the_most_is_said_and_listed_first() {
    let mut app = told(options(), super::fixture::large_lab(12), 12_000);
    pass(&mut app, 12_000, 26_000);
    let mut script = Script::default();
    // s1 gives up p1, which does not know it; p1 and p2 are linked to each other alone.
    let (p1, p2) = (super::fixture::lab_peer(1), super::fixture::lab_peer(2));
    let is_island = |addr| addr == p1 || addr == p2;
    let links: Vec<_> = app.scene.live.links().up().map(|link| (link.key, link.purpose, link.connections[0])).collect();
    script.at(26_500);
    for (key, purpose, link) in links {
        let is_cut = match purpose {
            Purpose::Neighbor => is_island(key.node) != is_island(key.peer),
            Purpose::Registration => key.node == S1 && key.peer == p1,
        };
        if is_cut {
            let end = LinkEnd::Dead { cause: DeathCause::Cut };
            script.add(key.node, EventKind::Link(LinkEvent::Down { link, peer: key.peer, purpose, end }));
        }
    }
    app.get(script.events);
    pass(&mut app, 27_000, 33_000);
    let shown = app.picture(120, 40);
    assert!(shown.lines().rev().nth(1).unwrap().starts_with(" ! the overlay is in 2 parts"), "{shown}");
    app.press("7 z");
    let listed = app.picture(120, 40);
    let of = |text: &str| listed.lines().position(|line| line.contains(text)).expect(&listed);
    assert_eq!((of("the overlay is in 2 parts"), of("one-way link")), (3, 4));
}

#[test]
fn a_warning_that_is_gone_stays_in_the_list_alone() {
    let mut app = watched(options(), 15_500);
    let mut script = Script::default();
    for (node, peer, link) in [(P4, P1, 90), (P1, P4, 91), (P4, P3, 92), (P3, P4, 93)] {
        let (link, direction, purpose) = (LinkId(link), crate::event::Direction::Outbound, Purpose::Neighbor);
        script
            .at(16_000)
            .add(node, EventKind::Link(LinkEvent::Up { link, connection: None, peer, direction, purpose }));
    }
    app.get(script.events);
    pass(&mut app, 16_000, 17_500);
    app.press("7 z");
    let gone = app.picture(80, 24);
    assert!(gone.contains("p4 has no live neighbor, gone at 03:00:16"), "{gone}");
    assert!(gone.lines().next().unwrap().contains("1 warning"), "that p4 lacks the message is still so: {gone}");
    assert!(gone.contains("! p1#1 did not reach p4"), "{gone}");
}

#[test]
fn why_is_asked_of_a_message_at_a_node_and_of_a_link_by_name() {
    let mut app = told(options(), events(), 10_000);
    for (line, answer) in [
        (":why p4 p1#1", "Why did p4 not get p1#1?"),
        (":why p1#1 p4", "Why did p4 not get p1#1?"),
        (":why p3 p4", "The link p3 - p4 ended at 03:00:08, after 7.5 s: p3 took p4 for dead: link cut by the user."),
        (":why p1#1", "reached 3/4 in 2 hops"),
        (":why s1", "s1 has 0 peers on its list, 4 run here:"),
        (":why p1", "p1 runs in this process since 03:00:00."),
    ] {
        app.type_text(line);
        app.press("enter");
        let shown = app.picture(160, 50);
        assert!(shown.contains(answer), "{line}: {shown}");
        app.press("esc");
    }
    app.type_text(":why p4 p1#9");
    app.press("enter");
    assert!(
        app.picture(120, 40).contains("no message 'p1#9' is remembered at this moment: expected one such as p3#12")
    );
    app.type_text(":why p4 p1#");
    app.press("tab enter");
    assert!(app.picture(120, 40).contains("Why did p4 not get p1#1?"), "a name is completed");
}

/// The only peer here, linked to one elsewhere: it says something, and that one passes it on or does not.
fn with_one_elsewhere(comes_back: bool) -> Vec<Event> {
    let mut script = Script::default();
    script.start(P1, "p1", Role::Peer);
    let (direction, purpose) = (crate::event::Direction::Outbound, Purpose::Neighbor);
    script
        .at(500)
        .add(P1, EventKind::Link(LinkEvent::Up { link: LinkId(1), connection: None, peer: FAR, direction, purpose }));
    let id = crate::proto::message::MessageId { origin: P1, run: 1, seq: 1 };
    script
        .at(9_000)
        .add(P1, EventKind::Gossip(GossipEvent::Generated { id, body: "hi".into(), trace: None, forwarded: 1 }));
    if comes_back {
        script.at(9_004).duplicate(P1, 1, FAR, P1);
    }
    script.events
}

#[test]
fn who_elsewhere_has_a_message_is_told_only_when_that_is_proven() {
    let mut app = told(options(), with_one_elsewhere(false), 10_000);
    app.press("W");
    let sent = app.picture(120, 40);
    assert!(!sent.contains("1 elsewhere") && sent.contains("reached 1/1 of ours in 0 hops"), "{sent}");
    let mut app = told(options(), with_one_elsewhere(true), 10_000);
    assert!(app.picture(120, 40).contains("p1#1 reached 1 of ours, 1 elsewhere"));
    app.press("W");
    let proven = app.picture(120, 40);
    assert!(proven.contains("reached 1/1 of ours, 1 elsewhere in 0 hops"), "{proven}");
    assert!(proven.contains("◇ :4000"), "{proven}");
    assert!(proven.contains("sent a copy to p1"), "{proven}");
}

#[test]
fn after_skipped_events_nobody_is_said_to_lack_a_message() {
    let mut app = told(options(), events(), 20_000);
    app.press("W");
    assert!(app.picture(120, 40).contains("1 lacks it"), "{}", app.picture(120, 40));
    let mut app = told(options(), events(), 20_000);
    app.take(&[crate::feed::Delivery { skipped: 12, batch: crate::event::Batch::from([]) }]);
    app.press("W");
    let shown = app.picture(120, 40);
    assert!(shown.contains("not seen to have it") && shown.contains("at least"), "{shown}");
    app.press("esc 2 enter");
    let shown = app.picture(120, 40);
    assert!(shown.contains("not certain: 12 events were skipped"), "{shown}");
}
