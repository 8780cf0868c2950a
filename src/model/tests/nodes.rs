//! Nodes and the links between them.

use super::*;
use crate::event::DialError;
use crate::model::gossip::Folded;

#[test]
fn a_hung_node_has_no_link_left_to_those_who_dropped_it() {
    let mut story = Story::network(3);
    assert_eq!(story.model.nodes().get(p(2)).unwrap().neighbors, 2);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    assert_eq!(story.model.nodes().get(p(2)).unwrap().neighbors, 1);
    assert_eq!(story.model.links().get(p(2), p(1)).unwrap().state, LinkState::Ended);
    assert_eq!(story.model.nodes().get(p(1)).unwrap().linked, 2, "its two seeds");
    assert!(says(&why_link(&story.model, p(2), p(1), 0), "p1 dropped the link while p2 hung"));
}

#[test]
fn a_connection_tells_its_history() {
    let mut story = Story::network(2);
    let elsewhere = Addr::loopback(9);
    let (purpose, error) = (Purpose::Neighbor, DialError::Quote("Connection refused\u{1b}[2J".to_owned()));
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: elsewhere, purpose, repair: None }));
    story.tell(p(1), EventKind::Link(LinkEvent::DialFailed { peer: elsewhere, purpose, error, retry_at: None }));
    let why = why_link(&story.model, p(1), elsewhere, 0);
    assert!(why.verdict.contains(r"it could not connect to :9: Connection refused\x1b[2J"), "{}", why.verdict);
    assert_eq!(why.evidence.len(), 2);

    story.answer(p(1), p(2), 1);
    let why = why_link(&story.model, p(1), p(2), 0);
    assert!(why.verdict.contains("p1 is linked to p2") && why.verdict.contains("its probes are answered"), "{why:?}");
    assert!(says(&why, "the last probe was answered after 400 us"), "{why:?}");
    let end = LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Leaving };
    story.wait(5);
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: story.link_of(p(1), p(2)), peer: p(2), purpose, end }));
    let verdict = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(
        verdict.contains("link p1 - p2 ended at 03:13:05, after 5 s: p2 closed it and said goodbye: leaving"),
        "{verdict}"
    );
    assert_eq!(
        why_link(&story.model, s(1), s(2), 0).verdict,
        "There never was a link between s1 and s2: seeds do not link to each other."
    );
}

#[test]
fn a_link_that_is_dialed_again_says_why_it_had_ended() {
    let mut story = Story::network(2);
    let (purpose, end) = (Purpose::Neighbor, LinkEnd::Dead { cause: DeathCause::Misses { misses: 3 } });
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: story.link_of(p(1), p(2)), peer: p(2), purpose, end }));
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: p(2), purpose, repair: None }));
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let why = why_link(&story.model, p(1), p(2), 0);
    assert!(why.verdict.starts_with("p1 has been dialing p2 since 03:13:00"), "{}", why.verdict);
    assert!(why.verdict.contains("The one before ended at 03:13:00: "), "{}", why.verdict);
    assert_eq!(why.rests_on.len(), 1);
}

#[test]
fn a_dial_that_meets_the_other_dialect_does_not_stay_dialing() {
    let mut story = Story::network(1);
    let elsewhere = Addr::loopback(9);
    story.tell(
        p(1),
        EventKind::Link(LinkEvent::Dialing { peer: elsewhere, purpose: Purpose::Registration, repair: None }),
    );
    let dialing = story.model.links().get(p(1), elsewhere).unwrap().state;
    story.tell(
        p(1),
        EventKind::Link(LinkEvent::OtherDialect {
            connection: None,
            remote: elsewhere,
            peer: None,
            speaks: Dialect::Classic,
        }),
    );
    let ended = story.model.links().get(p(1), elsewhere).unwrap().state;
    assert_eq!((dialing, ended), (LinkState::Dialing, LinkState::Ended));
    let (_, notice) = story.model.notices().last().unwrap();
    assert_eq!(
        story.model.notice_text(notice),
        "p1: 127.0.0.1:9 speaks the classic dialect; start this node with --wire classic"
    );
    assert!(why_link(&story.model, p(1), elsewhere, 0).verdict.contains("speaks the classic dialect"));
}

#[test]
fn two_connections_of_a_pair_are_one_link_until_both_end() {
    let mut story = Story::network(2);
    let (first, second) = (story.link_of(p(1), p(2)), LinkId(500));
    let (peer, purpose, direction) = (p(2), Purpose::Neighbor, Direction::Inbound);
    story.tell(p(1), EventKind::Link(LinkEvent::Up { link: second, connection: None, peer, direction, purpose }));
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 1);
    let end = LinkEnd::TooSlow;
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: first, peer, purpose, end }));
    assert!(story.model.links().get(p(1), p(2)).unwrap().is_up());
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: second, peer, purpose, end }));
    assert!(!story.model.links().get(p(1), p(2)).unwrap().is_up());
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 0);
    let (_, notice) = story.model.notices().last().unwrap();
    assert_eq!(notice.severity, Severity::Warning);
    assert_eq!(
        story.model.notice_text(notice),
        "p1: Link to p2 down: the other side read too slowly: its queue was full"
    );
}

#[test]
fn a_node_that_stops_takes_its_links_and_its_suspicions_with_it() {
    let mut story = Story::network(2);
    story.miss(p(1), p(2), 1, 2);
    story.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    assert_eq!(story.state(p(2)), ObservedState::Up);
    assert_eq!(story.model.links().open_of(p(1)).count(), 0);
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 0);
}

#[test]
fn a_node_is_found_by_its_name_or_its_address() {
    let story = Story::network(2);
    assert_eq!(story.model.nodes().find("p2").unwrap().addr, p(2));
    assert_eq!(story.model.nodes().find("127.0.0.1:3002").unwrap().addr, p(2));
    assert!(story.model.nodes().find("p9").is_none());
    assert_eq!(story.model.name_of(Addr::loopback(9)), ":9");
    let about = about_node(&story.model, p(2), 0);
    assert_eq!(about.title, "p2, peer at 127.0.0.1:3002");
    assert!(says(&about, "on the list of s1 and s2") && says(&about, "linked to p1, s1 and s2"), "{about:#?}");
}

#[test]
fn a_node_that_was_only_named_by_others_is_not_claimed_to_be_up() {
    let mut story = Story::network(1);
    let elsewhere = Addr::loopback(9);
    story.tell(
        p(1),
        EventKind::Seed(SeedEvent::PeerListReceived { seed: s(1), peers: vec![p(1), elsewhere], listed: None }),
    );
    assert_eq!(story.state(elsewhere), ObservedState::Known);
    assert!(about_node(&story.model, elsewhere, 0).verdict.contains("not certain"));
    let (peer, direction, purpose) = (elsewhere, Direction::Inbound, Purpose::Neighbor);
    story.tell(p(1), EventKind::Link(LinkEvent::Up { link: LinkId(9), connection: None, peer, direction, purpose }));
    assert_eq!(story.state(elsewhere), ObservedState::Up);
}

#[test]
fn a_flood_of_names_leaves_room_for_our_own_nodes() {
    let mut story = Story::network(1);
    for host in 0..3_u8 {
        let addr = |port| Addr::new([10, 0, 0, host].into(), port);
        story.tell(
            p(1),
            EventKind::Seed(SeedEvent::PeerListReceived {
                seed: s(1),
                peers: (1..=8_000).map(addr).collect(),
                listed: None,
            }),
        );
    }
    let nodes = story.model.nodes();
    assert_eq!(nodes.len(), crate::model::node::HEARSAY_MAX + 3);
    story.start(p(2), "p2", Role::Peer);
    assert_eq!(story.state(p(2)), ObservedState::Up);
}

#[test]
fn nodes_whose_start_was_skipped_are_counted_once() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    // p1 is at work before anybody says that it is a peer; p2 is known as a peer before it is at work.
    story.tell(p(1), EventKind::Probe(ProbeEvent::Received { peer: p(9), seq: 1, clock: clock() }));
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(1), again: false }));
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(2), again: false }));
    story.tell(p(2), EventKind::Probe(ProbeEvent::Received { peer: p(9), seq: 1, clock: clock() }));
    let running = |story: &Story| story.model.nodes().running_peers().count();
    assert_eq!(running(&story), 2);
    story.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    assert_eq!(running(&story), 1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    assert_eq!(running(&story), 0);
}

#[test]
fn a_link_is_one_line_of_the_log_whichever_end_tells_first() {
    let mut story = Story::network(3);
    let lines = |story: &Story| {
        let links = story.model.gossip().iter().filter(|(_, line)| matches!(line.kind, EventKind::Link(_)));
        links
            .map(|(_, line)| (line.node, line.kind.name(), matches!(line.folded, Folded::OtherEnd(_))))
            .collect::<Vec<_>>()
    };
    let before = lines(&story);
    assert!(before.iter().all(|(_, name, both)| *name == "link_up" && *both), "{before:?}");
    let down = |peer| {
        let end = LinkEnd::TooSlow;
        EventKind::Link(LinkEvent::Down { link: LinkId(1), peer, purpose: Purpose::Neighbor, end })
    };
    story.tell(p(2), down(p(1)));
    story.tell(p(1), down(p(2)));
    assert_eq!(lines(&story)[before.len()..], [(p(2), "link_down", true)]);
    story.tell(p(1), down(p(2)));
    assert_eq!(lines(&story).len(), before.len() + 2, "a third one is another link's");
}
