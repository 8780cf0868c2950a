//! Of every node and link totals and state, of those to which something happened a history.

use super::*;
use crate::model::link::WATCHED_NODES_MAX;
use crate::model::node::{NODE_LEN_MAX, NodeRecord};

#[test]
fn a_node_without_history_takes_at_most_200_bytes() {
    assert!(size_of::<NodeRecord>() <= NODE_LEN_MAX, "{}", size_of::<NodeRecord>());
    assert_eq!(NODE_LEN_MAX, 200);
}

#[test]
fn a_link_to_which_nothing_happened_tells_how_it_came_up() {
    let mut story = Story::network(2);
    story.wait(60);
    let link = story.model.links().get(p(1), p(2)).unwrap();
    assert_eq!((link.steps().count(), link.quiet_steps().len()), (0, 2));
    let before = why_link(&story.model, p(1), p(2), 0);
    assert!(says(&before, "p1 dialed p2") && says(&before, "p1: link up, p1 had dialed"), "{before:?}");
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: p(2), purpose: Purpose::Neighbor, repair: None }));
    let link = story.model.links().get(p(1), p(2)).unwrap();
    assert_eq!((link.steps().count(), link.quiet_steps().len()), (3, 0));
    let after = why_link(&story.model, p(1), p(2), 0);
    let is_kept = |line| after.evidence.contains(line);
    assert!(before.evidence.iter().all(is_kept), "what was known stays known: {after:?}");
}

#[test]
fn a_large_lab_keeps_probes_of_eventful_links_alone() {
    let mut story = Story::network(2);
    let pings = |story: &Story, to| story.model.links().get(p(1), to).unwrap().pings().count();
    let ports = 10_000..10_000 + u16::try_from(WATCHED_NODES_MAX).unwrap();
    let peers: Vec<Addr> = ports.map(Addr::loopback).collect();
    let list = SeedEvent::PeerListReceived { seed: s(1), peers: peers.clone(), listed: None };
    story.tell(p(1), EventKind::Seed(list));
    story.answer(p(1), p(2), 0);
    assert_eq!(pings(&story, p(2)), 1, "nodes elsewhere do not count");
    for peer in &peers {
        story.start(*peer, "p9", Role::Peer);
    }
    story.link(p(1), peers[0], Purpose::Neighbor);
    for seq in 1..4 {
        story.answer(p(1), peers[0], seq);
    }
    assert_eq!(pings(&story, peers[0]), 0);
    story.miss(p(1), peers[0], 4, 1);
    story.answer(p(1), peers[0], 5);
    assert_eq!(pings(&story, peers[0]), 2);
}
