//! What is warned of, when, and for how long; and why.

use super::*;
use crate::event::{FaultEvent, GossipEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent};
use crate::model::link::LinkKey;
use crate::model::warning::{ALONE_AFTER, FRAGILE_AFTER, Finding, PARTED_AFTER, Warning};
use crate::model::why::{why_seed, why_warning};
use crate::proto::fault::{Fault, FaultKind, Scope};

impl Story {
    /// Time passes, and the model is looked at twice a second.
    fn watch(&mut self, span: Duration) {
        for _ in 0..=span.as_millis() / 500 {
            self.model.pass(Time::from_micros(self.at));
            self.at += SECOND / 2;
        }
    }

    fn warnings(&self) -> Vec<String> {
        self.model.warnings().active().map(|(_, warning)| self.model.warning_text(&warning.finding)).collect()
    }

    fn latest(&self) -> Warning {
        self.model.warnings().list().last().unwrap().1.clone()
    }

    fn why_latest(&self) -> Explanation {
        why_warning(&self.model, &self.latest(), Time::from_micros(self.at), 0)
    }

    /// So many peers, each linked to the next, the last one to the first.
    fn ring(peers: u16) -> Self {
        let mut story = Self::network(peers);
        story.link(p(peers), p(1), Purpose::Neighbor);
        story.wait(30);
        story.watch(Duration::from_secs(20));
        assert_eq!(story.warnings(), [""; 0], "a sound network warns of nothing");
        story
    }
}

#[test]
fn a_network_that_starts_warns_of_nothing_while_it_settles() {
    let mut story = Story::new();
    (1..=6).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
    story.watch(ALONE_AFTER.saturating_sub(Duration::from_secs(1)));
    for (a, b) in [(1, 2), (2, 3), (3, 1), (4, 5), (5, 6), (6, 4)] {
        story.link(p(a), p(b), Purpose::Neighbor);
    }
    story.watch(PARTED_AFTER.saturating_sub(Duration::from_secs(1)));
    for (a, b) in [(1, 4), (3, 6)] {
        story.link(p(a), p(b), Purpose::Neighbor);
    }
    story.watch(Duration::from_secs(30));
    assert!(story.model.warnings().list().is_empty(), "{:?}", story.model.warnings().list());
}

#[test]
fn a_peer_that_reaches_no_seed_says_how_to_start_one() {
    let mut story = Story::new();
    let seed = Addr::loopback(5001);
    story.start(p(1), ":3001", Role::Peer);
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: seed, purpose: Purpose::Registration, repair: None }));
    story.watch(Duration::from_secs(5));
    assert_eq!(story.warnings(), [""; 0], "it may come");
    let none = EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, wanted: 1, known: 1 });
    story.tell(p(1), none.clone());
    story.watch(Duration::from_secs(3));
    let told = "no seed reachable (:5001): run 'gossipctl seed --listen 127.0.0.1:5001' in another terminal";
    assert_eq!(story.warnings(), [told]);
    let why = story.why_latest();
    assert!(why.verdict.contains("nobody new can join") && says(&why, ":3001"), "{why:?}");
    story.link(p(1), seed, Purpose::Registration);
    story.watch(Duration::from_secs(1));
    assert_eq!(story.warnings(), [""; 0]);
    // In a lab, the seed can be restarted.
    let mut story = Story::ring(3);
    (1..=3).for_each(|n| story.tell(p(n), none.clone()));
    story.watch(Duration::from_secs(3));
    assert_eq!(story.warnings(), ["no seed reachable (s1 and s2): restart s1"]);
}

#[test]
fn a_peer_that_stays_alone_is_warned_of_until_it_has_a_neighbor() {
    let mut story = Story::ring(5);
    story.cut(p(4), p(5));
    story.cut(p(5), p(1));
    story.watch(Duration::from_secs(4));
    assert_eq!(story.warnings(), [""; 0]);
    story.watch(Duration::from_secs(2));
    assert_eq!(story.warnings(), ["p5 has no live neighbor"]);
    let why = story.why_latest();
    assert!(why.verdict.contains("It has no neighbor. The link p5 - p1 ended at 03:13:"), "{}", why.verdict);
    assert!(says(&why, "p5: link down, taken for dead: link cut by the user"), "{why:?}");

    story.link(p(5), p(1), Purpose::Neighbor);
    story.watch(Duration::from_secs(2));
    let alone = &story.model.warnings().list().iter().next().unwrap().1.clone();
    assert!(alone.gone_at.is_some(), "it stays in the list, with the time at which it went");
}

#[test]
fn a_first_peer_is_not_called_alone() {
    let mut story = Story::new();
    story.start(p(1), "p1", Role::Peer);
    story.watch(Duration::from_secs(20));
    assert_eq!(story.warnings(), [""; 0]);
    story.tell(p(1), EventKind::Seed(SeedEvent::PeerListReceived { seed: s(1), peers: vec![p(9)], listed: None }));
    story.watch(Duration::from_secs(10));
    assert_eq!(story.warnings(), ["p1 has no live neighbor"]);
}

#[test]
fn two_parts_are_named_with_the_last_link_that_joined_them() {
    let mut story = Story::ring(6);
    story.cut(p(1), p(6));
    story.wait(2);
    story.cut(p(3), p(4));
    story.watch(Duration::from_secs(6));
    assert_eq!(story.warnings(), ["the overlay is in 2 parts: p1, p2 and p3 | p4, p5 and p6"]);
    let why = story.why_latest();
    assert!(
        why.verdict.starts_with(
            "The overlay is in 2 parts: no link joins the parts; the last one that did, p3 - p4, ended at"
        ) && why.verdict.ends_with("p3 took p4 for dead: link cut by the user."),
        "{}",
        why.verdict
    );
    assert!(says(&why, "part 1, 3 nodes: p1, p2 and p3"), "{why:?}");
    story.link(p(3), p(4), Purpose::Neighbor);
    story.link(p(1), p(6), Purpose::Neighbor);
    story.watch(Duration::from_secs(20));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn weak_spots_of_the_overlay_are_named_once_they_last() {
    let mut story = Story::ring(6);
    story.start(p(7), "p7", Role::Peer);
    story.link(p(7), p(2), Purpose::Neighbor);
    story.watch(FRAGILE_AFTER.saturating_sub(Duration::from_secs(1)));
    assert_eq!(story.warnings(), [""; 0]);
    story.watch(Duration::from_secs(2));
    assert_eq!(story.warnings(), ["the loss of p2, or of the link p2 - p7, would part the overlay"],);
    let why = story.why_latest();
    assert!(says(&why, "without p2: p7 would be apart from the other nodes"), "{why:?}");
    assert!(says(&why, "without the link p2 - p7: p7 would be apart from the other nodes"), "{why:?}");
}

#[test]
fn peers_elsewhere_may_be_linked_so_nothing_is_warned_of() {
    let mut story = Story::network(3);
    story.cut(p(1), p(2));
    story.cut(p(2), p(3));
    for node in 1..=3 {
        for far in [40, 50] {
            let (link, peer, purpose) = (LinkId(900 + u64::from(node * far)), p(far + node), Purpose::Neighbor);
            story.tell(
                p(node),
                EventKind::Link(LinkEvent::Up {
                    link,
                    connection: None,
                    peer,
                    direction: Direction::Outbound,
                    purpose,
                }),
            );
        }
    }
    story.watch(Duration::from_secs(30));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn a_link_that_only_one_end_knows_is_warned_of() {
    let mut story = Story::ring(5);
    let end = LinkEnd::Dead { cause: DeathCause::Closed };
    let (link, purpose) = (story.link_of(p(2), p(1)), Purpose::Neighbor);
    story.tell(p(2), EventKind::Link(LinkEvent::Down { link, peer: p(1), purpose, end }));
    story.watch(Duration::from_secs(6));
    let text = "one-way link: p1 holds a link to p2, and p2 has none to p1";
    assert_eq!(story.warnings().last().unwrap(), text);
    let finding = Finding::OneWay { link: LinkKey { node: p(1), peer: p(2) } };
    assert_eq!(story.latest().finding, finding);
    let why = story.why_latest();
    assert!(why.verdict.starts_with("The link p2 - p1 ended at"), "{}", why.verdict);
}

#[test]
fn dead_nodes_on_a_list_and_live_ones_off_it_are_warned_of() {
    let mut story = Story::ring(5);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.link(p(2), p(4), Purpose::Neighbor);
    let reason = DelistReason::Reported { report: None, reporter: p(1) };
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerDelisted { peer: p(3), verification: None, reason }));
    story.report(s(1), p(5), p(1), ReportAction::Removed);
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerDelisted { peer: p(5), verification: None, reason }));
    story.watch(Duration::from_secs(60));
    assert_eq!(story.warnings(), [""; 0], "the network has time to notice");
    story.watch(Duration::from_secs(20));
    assert_eq!(
        story.warnings(),
        [
            "the list of s1 is wrong: p5 is registered and not on it",
            "the list of s2 is wrong: p3 is on it and not alive"
        ]
    );
    let now = Time::from_micros(story.at);
    let s1 = why_seed(&story.model, s(1), now, 0);
    assert!(
        s1.verdict.starts_with(
            "s1 has 3 peers on its list, 4 run here: p5 runs and is registered, but was taken off the list at 03:13:5"
        ) && s1.verdict.contains("p1 reported it dead, and the seed did not ask it"),
        "{}",
        s1.verdict
    );
    let s2 = why_seed(&story.model, s(2), now, 0);
    assert!(
        s2.verdict.contains("p3 was killed at 03:13:5") && s2.verdict.contains(", and nobody has reported it"),
        "{}",
        s2.verdict
    );
}

#[test]
fn a_node_that_comes_back_again_and_again_is_flapping() {
    let mut story = Story::ring(5);
    for _ in 0..3 {
        story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
        story.wait(1);
        story.start(p(3), "p3", Role::Peer);
        story.link(p(3), p(2), Purpose::Neighbor);
        story.link(p(3), p(4), Purpose::Neighbor);
        story.watch(Duration::from_secs(3));
    }
    let is_flapping = |text: &String| text.starts_with("p3 came back 3 times within");
    assert!(story.warnings().iter().any(is_flapping), "{:?}", story.warnings());
    assert!(says(&story.why_latest(), "p3 came back"));
    story.watch(Duration::from_secs(120));
    assert!(!story.warnings().iter().any(is_flapping));
}

#[test]
fn a_message_that_missed_somebody_is_warned_of_in_time() {
    let mut story = Story::ring(5);
    let spread = |story: &mut Story, seq| {
        let id = story.generate(p(1), seq);
        for (node, from) in [(p(2), p(1)), (p(3), p(2)), (p(5), p(1))] {
            story.receive(node, from, id, Some(1));
        }
    };
    spread(&mut story, 1);
    story.watch(Duration::from_secs(4));
    assert_eq!(story.warnings(), [""; 0]);
    story.watch(Duration::from_secs(2));
    assert_eq!(story.warnings(), ["p1#1 did not reach p4"]);
    spread(&mut story, 2);
    story.watch(Duration::from_secs(6));
    assert_eq!(story.warnings(), ["p1#2 did not reach p4, and 1 more of the last minute did not reach everyone"]);
    assert_eq!(story.model.warnings().list().len(), 1, "that is one warning, not one a message");
    assert_eq!(story.why_latest().title, "Why did p4 not get p1#2?");
    story.watch(Duration::from_secs(90));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn a_peer_that_had_just_started_need_not_have_had_the_message() {
    let mut story = Story::ring(5);
    story.start(p(6), "p6", Role::Peer);
    story.wait(1);
    let id = story.generate(p(1), 1);
    (2..=5).for_each(|n| story.receive(p(n), p(1), id, Some(1)));
    story.link(p(6), p(1), Purpose::Neighbor);
    story.link(p(6), p(2), Purpose::Neighbor);
    story.watch(Duration::from_secs(20));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn a_reporter_that_was_wrong_is_warned_of() {
    let mut story = Story::ring(5);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.dispute(s(1), p(2), p(1), 1);
    story.watch(Duration::from_secs(1));
    assert_eq!(story.warnings(), ["p1 made 1 report that was disputed: who was called dead had answered"]);
    let why = story.why_latest();
    assert_eq!(why.verdict, "p1 reported p2 dead, and p2 answered s1.");
    assert!(says(&why, "s1 asked p2, which answered after 900 us"), "{why:?}");
}

#[test]
fn a_report_that_two_seeds_find_false_counts_once() {
    let mut story = Story::ring(5);
    let on = Scope::link(p(1), p(2));
    story.tell(p(1), EventKind::Fault(FaultEvent::Set { id: None, fault: Fault { what: FaultKind::Cut, on } }));
    story.three_misses(p(1), p(2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    for seed in [s(1), s(2)] {
        story.report(seed, p(2), p(1), ReportAction::Verifying);
        story.dispute(seed, p(2), p(1), 1);
    }
    story.watch(Duration::from_secs(1));
    assert_eq!(story.warnings(), ["p1 made 1 report that was disputed: who was called dead had answered"]);
    let why = story.why_latest().verdict;
    assert!(why.starts_with("p1 reported p2 dead because of 'cut p1 p2' since 03:1"), "{why}");
    assert!(why.ends_with(", and p2 answered s1 and s2."), "{why}");
}

#[test]
fn a_report_that_a_restart_made_false_blames_nobody() {
    let mut story = Story::ring(5);
    story.tell(p(3), EventKind::Node(NodeEvent::Hung));
    story.wait(6);
    story.start(p(3), "p3", Role::Peer);
    story.link(p(3), s(1), Purpose::Registration);
    story.link(p(3), s(2), Purpose::Registration);
    for reporter in [p(2), p(4)] {
        story.declare(reporter, p(3), DeathCause::Misses { misses: 3 });
        story.report(s(1), p(3), reporter, ReportAction::Verifying);
        story.dispute(s(1), p(3), reporter, 1);
        story.link(p(3), reporter, Purpose::Neighbor);
    }
    story.watch(Duration::from_secs(9));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn a_partition_is_not_told_once_more_for_each_link_across_it() {
    let mut story = Story::ring(5);
    let on = Scope::border(vec![p(1), p(2)]);
    let (link, purpose) = (story.link_of(p(3), p(2)), Purpose::Neighbor);
    let end = LinkEnd::Dead { cause: DeathCause::Misses { misses: 3 } };
    story.tell(p(1), EventKind::Fault(FaultEvent::Set { id: None, fault: Fault { what: FaultKind::Cut, on } }));
    story.tell(p(3), EventKind::Link(LinkEvent::Down { link, peer: p(2), purpose, end }));
    story.watch(Duration::from_secs(9));
    assert!(!story.warnings().iter().any(|text| text.starts_with("one-way link")), "{:?}", story.warnings());
}

#[test]
fn the_list_of_a_hung_seed_is_compared_as_well() {
    let mut story = Story::ring(5);
    story.tell(s(1), EventKind::Node(NodeEvent::Hung));
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.link(p(2), p(4), Purpose::Neighbor);
    story.watch(Duration::from_secs(80));
    let text = "the list of s1 is wrong: p3 is on it and not alive".to_owned();
    assert!(story.warnings().contains(&text), "{:?}", story.warnings());
}

#[test]
fn a_suspicion_names_its_probes_and_who_does_not_share_it() {
    let mut story = Story::network(3);
    story.probe(p(1), p(2), 1);
    story.wait(2);
    story.miss(p(1), p(2), 1, 1);
    story.probe(p(3), p(2), 1);
    story.answer(p(3), p(2), 1);
    let why = about_node(&story.model, p(2), 0);
    assert!(
        why.verdict.contains("p1 had no answer to 1 probe (3 in a row count as dead), while others still hear from it"),
        "{}",
        why.verdict
    );
    assert!(says(&why, "p1: no answer to probe 1 after 2 s (1/3)"), "{why:?}");
    assert!(says(&why, "p3, which misses nothing, last heard from it"), "{why:?}");
}

#[test]
fn a_death_with_which_another_neighbor_disagrees_says_so() {
    let mut story = Story::network(3);
    story.three_misses(p(1), p(2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    story.tell(p(3), EventKind::Probe(ProbeEvent::Received { peer: p(2), seq: 9, clock: clock() }));
    story.wait(1);
    story.tell(p(3), EventKind::Probe(ProbeEvent::Received { peer: p(2), seq: 10, clock: clock() }));
    let why = why_dead(&story.model, p(2), 0);
    assert!(why.verdict.contains("p3 disagrees: the link is up, and it was heard from since"), "{}", why.verdict);
}

#[test]
fn a_closed_link_says_who_closed_it_and_with_what_last_words() {
    let mut story = Story::network(3);
    story.wait(34);
    let said = |side| LinkEnd::Goodbye { side, reason: GoodbyeReason::MadeRoom };
    story.unlink(p(1), p(2), said(Side::Us), said(Side::Them));
    let told = why_link(&story.model, p(2), p(1), 0).verdict;
    assert_eq!(
        told,
        "The link p2 - p1 ended at 03:13:34, after 34 s: p1 closed it and said goodbye: made room for a node without \
         neighbors."
    );
    let violation = crate::event::Violation::new(crate::event::Rule::Malformed, b"GET /");
    let remote = Addr::loopback(55_001);
    story.tell(p(2), EventKind::Link(LinkEvent::Violation { connection: None, remote, peer: Some(p(3)), violation }));
    story.unlink(p(2), p(3), LinkEnd::Violation, LinkEnd::Dead { cause: DeathCause::Closed });
    let why = why_link(&story.model, p(3), p(2), 0);
    assert!(says(&why, "GET /"), "{why:?}");
}

#[test]
fn why_two_nodes_are_not_linked_is_told_by_what_was_tried() {
    let mut story = Story::network(3);
    let purpose = Purpose::Neighbor;
    assert_eq!(
        why_link(&story.model, p(1), p(3), 0).verdict,
        "There never was a link between p1 and p3: neither dialed the other. A peer dials only until it has the links \
         that it aims for; p1 has 1 neighbor, p3 has 1 neighbor."
    );
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: p(3), purpose, repair: None }));
    story.tell(p(1), EventKind::Link(LinkEvent::NotAccepted { peer: p(3) }));
    assert_eq!(
        why_link(&story.model, p(1), p(3), 0).verdict,
        "p3 has not accepted p1's connection: parked since 03:13:00. It is kept and read, p3 is not dialed again, and it becomes \
         a link when p3 says something."
    );
}

#[test]
fn a_warning_that_may_rest_on_skipped_events_says_so() {
    let mut story = Story::ring(5);
    story.cut(p(4), p(5));
    story.cut(p(5), p(1));
    story.model.note_thinned(7);
    story.watch(Duration::from_secs(6));
    assert_eq!(story.warnings(), ["p5 has no live neighbor"], "of links all was told");
    story.model.note_skipped(65_775);
    assert_eq!(story.warnings(), ["p5 has no live neighbor; not certain: 65782 events were skipped"]);
}

#[test]
fn a_message_with_skipped_events_is_not_said_to_be_lost() {
    let mut story = Story::ring(5);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.model.note_skipped(1);
    story.watch(Duration::from_secs(10));
    assert_eq!(story.warnings(), [""; 0]);
    let id = story.generate(p(1), 2);
    story.receive(p(2), p(1), id, Some(1));
    story.watch(Duration::from_secs(6));
    story.model.note_thinned(1);
    let [warning] = &story.warnings()[..] else { panic!("{:?}", story.warnings()) };
    assert!(
        warning.contains("did not reach") && warning.ends_with("; not certain: 2 events were skipped"),
        "{warning}"
    );
}

#[test]
fn a_forged_message_is_warned_of_for_two_minutes() {
    let mut story = Story::ring(5);
    let id = MessageId { origin: p(1), run: 7, seq: 13 };
    // The others take it for one of p1.
    let body = Body::from("not me");
    for n in [2, 3, 4, 5] {
        story.tell(
            p(n),
            EventKind::Gossip(GossipEvent::Received {
                id,
                from: p(n - 1),
                body: body.clone(),
                trace: None,
                forwarded: 1,
            }),
        );
    }
    story.tell(p(1), EventKind::Gossip(GossipEvent::Forged { id, from: p(5) }));
    story.watch(Duration::from_secs(1));
    assert_eq!(story.warnings(), ["somebody sends messages in the name of p1: p1#13 came from p5"]);
    let why = story.why_latest();
    assert!(why.verdict.starts_with("p1 got messages in its own name that it never sent."), "{}", why.verdict);
    assert!(says(&why, "p1 got p1#13 from p5 and had not sent it"), "{why:?}");
    story.watch(Duration::from_secs(30));
    assert_eq!(story.warnings().len(), 1, "nobody lacks it: p1 did not send it");
    story.watch(Duration::from_secs(100));
    assert_eq!(story.warnings(), [""; 0]);
}

#[test]
fn neighbors_that_pushed_in_are_warned_of_while_they_are_most() {
    let mut story = Story::ring(5);
    for n in [11, 12, 13] {
        story.link(p(n), p(1), Purpose::Neighbor);
    }
    story.tell(p(1), EventKind::Link(LinkEvent::EclipseSuspected { joiners: [11, 12, 13].map(p).to_vec() }));
    story.watch(Duration::from_secs(1));
    let warning = "p1 may be cut off by strangers: 3 of its 5 neighbors joined when it was full";
    assert_eq!(story.warnings(), [warning]);
    let why = story.why_latest();
    assert!(says(&why, ":3012 joined p1"), "{why:?}");
    story.cut(p(1), p(12));
    story.watch(Duration::from_secs(1));
    assert!(!story.warnings().iter().any(|text| text.contains("strangers")), "{:?}", story.warnings());
}
