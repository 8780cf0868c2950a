//! What is known of nodes of other processes: what they sent, and no more.

use super::*;
use crate::event::{GossipEvent, LinkEvent, ProbeEvent};
use crate::model::why::{why_not, why_not_each};

/// Run elsewhere.
const FAR: Addr = Addr::loopback(4000);
const OTHER: Addr = Addr::loopback(4001);

/// p1 and p2 are linked to FAR, not to each other; p3 to p2; p1 to OTHER as well. p1 says something in the classic dialect.
fn said() -> (Story, MessageId) {
    let mut story = Story::new();
    (1..=3).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
    for (node, peer) in [(p(1), FAR), (p(2), FAR), (p(1), OTHER)] {
        let link = LinkId(u64::from(node.port()) * 10_000 + u64::from(peer.port()));
        let (direction, purpose) = (Direction::Outbound, Purpose::Neighbor);
        story.tell(node, EventKind::Link(LinkEvent::Up { link, connection: None, peer, direction, purpose }));
    }
    story.link(p(2), p(3), Purpose::Neighbor);
    story.wait(1);
    let id = MessageId::classic(p(1), clock(), b"hello");
    story.tell(p(1), EventKind::Gossip(GossipEvent::Generated { id, body: "hello".into(), trace: None, forwarded: 2 }));
    (story, id)
}

fn proven(story: &Story, id: MessageId) -> Vec<Addr> {
    story.model.rumors().get(id).unwrap().elsewhere(story.model.nodes()).map(|(node, _)| node).collect()
}

#[test]
fn a_copy_that_we_sent_elsewhere_proves_nothing() {
    let (story, id) = said();
    assert_eq!(proven(&story, id), []);
    let why = why_not(&story.model, FAR, id, 0);
    assert!(why.verdict.contains("that is not certain: it does not run in this process"), "{}", why.verdict);
    let about = about_message(&story.model, id, 0);
    assert!(about.verdict.contains("reached 1 of 3 peers here in 0 hops"), "{}", about.verdict);
}

#[test]
fn a_copy_that_comes_from_elsewhere_proves_who_has_it() {
    let (mut story, id) = said();
    story.receive(p(2), FAR, id, None);
    story.receive(p(3), p(2), id, None);
    story.tell(p(1), EventKind::Gossip(GossipEvent::Duplicate { id, from: OTHER, trace: None }));
    assert_eq!(proven(&story, id), [FAR, OTHER]);
    let about = about_message(&story.model, id, 0);
    assert!(about.verdict.contains("reached 3 of 3 peers here and 2 elsewhere in ~3 hops and"), "{}", about.verdict);
    assert!(says(&about, ":4000, which runs elsewhere, sent a copy to p2"));
    assert!(says(&about, "p2 from :4000, hop not certain (2 by the links known here)"));
    let why = why_not(&story.model, FAR, id, 0);
    let has = ":4000 has p1#~";
    assert!(
        why.verdict.starts_with(has) && why.verdict.contains("it sent a copy to p2 at 03:13:01"),
        "{}",
        why.verdict
    );
    assert!(why.verdict.ends_with("from whom it had it is not certain, perhaps from p1."), "{}", why.verdict);
    let coverage = story.model.latest_rumor().unwrap().coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of), (3, 3), "nodes elsewhere are no part of what is exact");
}

#[test]
fn a_way_over_a_node_elsewhere_has_uncertain_hops() {
    let (mut story, id) = said();
    story.receive(p(2), FAR, id, None);
    let rumor = story.model.latest_rumor().unwrap();
    let copy = rumor.copies[&p(2)];
    assert_eq!((copy.hop, copy.hop_known, rumor.hop_max, rumor.is_hop_uncertain), (None, Some(2), 2, true));
    let wave = story.model.wave(id).unwrap();
    assert_eq!(wave.hops_told.as_deref(), Some("~2 hops"));
    assert_eq!(
        wave.elsewhere.iter().map(|(node, proof)| (*node, proof.perhaps_from)).collect::<Vec<_>>(),
        [(FAR, Some(p(1)))]
    );
    // p3 lacks it: it is known to have come as far as p2.
    let lack = why_not_each(&story.model, rumor, &[p(3)], 0).remove(0);
    assert!(lack.why.contains("p2 had it at 03:13:01"), "{}", lack.why);
}

#[test]
fn a_holder_elsewhere_is_where_the_way_to_who_lacks_it_begins() {
    let (mut story, id) = said();
    story.tell(p(1), EventKind::Gossip(GossipEvent::Duplicate { id, from: FAR, trace: None }));
    let rumor = story.model.latest_rumor().unwrap();
    let lack = why_not_each(&story.model, rumor, &[p(2)], 0).remove(0);
    assert!(lack.why.contains(":4000 had it at 03:13:01"), "{}", lack.why);
}

#[test]
fn what_a_message_tells_of_its_hops_counts_more_than_links() {
    let mut story = Story::network(3);
    let (direction, purpose) = (Direction::Outbound, Purpose::Neighbor);
    for node in [p(1), p(3)] {
        story.tell(
            node,
            EventKind::Link(LinkEvent::Up { link: LinkId(900), connection: None, peer: FAR, direction, purpose }),
        );
    }
    let id = story.generate(p(1), 1);
    story.receive(p(3), FAR, id, Some(5));
    let rumor = story.model.latest_rumor().unwrap();
    assert_eq!((rumor.copies[&p(3)].hop, rumor.is_hop_uncertain), (Some(5), false));
    let (_, proof) = rumor.elsewhere(story.model.nodes()).next().unwrap();
    assert_eq!(proof.perhaps_from, None, "p1 is one hop away from it, and it had crossed four links there");
}

#[test]
fn what_came_from_a_node_elsewhere_is_told_about_it() {
    let (mut story, id) = said();
    story.probe(p(1), FAR, 1);
    story.answer(p(1), FAR, 1);
    story.probe(p(2), FAR, 2);
    story.wait(13);
    story.miss(p(2), FAR, 2, 1);
    story.tell(p(1), EventKind::Probe(ProbeEvent::Received { peer: FAR, seq: 7, clock: clock() }));
    story.receive(p(2), FAR, id, None);
    let own = MessageId::classic(FAR, clock(), b"Gossip Message 1");
    story.receive(p(1), FAR, own, None);
    story.receive(p(2), FAR, own, None);
    let why = about_node(&story.model, FAR, 0);
    assert!(why.verdict.contains(":4000"), "{}", why.verdict);
    assert!(says(&why, "probes: 2 to it, 1 answered, 1 missed; 1 from it"), "{why:#?}");
    assert!(says(&why, "1 message of its own came here; it sent 3 copies of all messages"), "{why:#?}");
    assert!(why.evidence.iter().any(|line| line.at.is_some() && line.text == "p2 last heard from it"), "{why:#?}");
    story.answer(p(2), FAR, 2);
    let why = about_node(&story.model, FAR, 0);
    assert!(why.verdict.ends_with("; p2 heard from it last at 03:13:14."), "{}", why.verdict);
    let ours = about_node(&story.model, p(1), 0);
    assert!(!says(&ours, "from it"), "{ours:#?}");
}
