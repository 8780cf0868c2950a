//! Who lacks a message and why; what theory says of a wave.

use super::*;
use crate::event::{FaultEvent, GossipEvent, LinkEvent, NodeEvent};
use crate::model::graph::Graph;
use crate::model::theory::Strategy;
use crate::model::why::{why_not, why_not_each};
use crate::proto::fault::{FaultKind, Percent, Scope};

impl Story {
    /// The link ends at both of its ends, as one of them says and the other one then sees.
    pub(super) fn unlink(&mut self, a: Addr, b: Addr, end: LinkEnd, seen: LinkEnd) {
        let purpose = Purpose::Neighbor;
        self.tell(a, EventKind::Link(LinkEvent::Down { link: self.link_of(a, b), peer: b, purpose, end }));
        self.tell(b, EventKind::Link(LinkEvent::Down { link: self.link_of(b, a), peer: a, purpose, end: seen }));
    }

    pub(super) fn cut(&mut self, a: Addr, b: Addr) {
        let dead = |cause| LinkEnd::Dead { cause };
        self.unlink(a, b, dead(DeathCause::Cut), dead(DeathCause::Closed));
    }

    pub(super) fn pass_ms(&mut self, millis: u64) {
        self.at += millis * 1_000;
    }

    fn verdict(&self, node: Addr, id: MessageId) -> String {
        why_not(&self.model, node, id, 0).verdict
    }
}

/// p1 - p2 - p3 - p4 in a row; p1 says something that comes to p2.
fn spread_to_two(before: impl Fn(&mut Story)) -> (Story, MessageId) {
    let mut story = Story::network(4);
    story.wait(60);
    before(&mut story);
    story.wait(2);
    let id = story.generate(p(1), 1);
    story.pass_ms(3);
    story.receive(p(2), p(1), id, Some(1));
    (story, id)
}

#[test]
fn a_node_beyond_a_cut_link_is_told_which_link_and_who_cut_it() {
    let (mut story, id) = spread_to_two(|story| story.cut(p(2), p(3)));
    story.wait(10);
    assert_eq!(
        story.verdict(p(4), id),
        "p4 does not have p1#1: it and 1 other were in another part of the overlay than p1; the last link between the \
         two sides, p2 - p3, ended at 03:14:00: p2 took p3 for dead: link cut by the user."
    );
    let why = why_not(&story.model, p(4), id, 0);
    assert!(says(&why, "p1#1 began at p1"), "{why:?}");
    assert!(says(&why, "p3, linked to p4 when it began, does not have it either"), "{why:?}");
    assert!(says(&why, "link p2 - p3 ended: p2 took p3 for dead: link cut by the user"), "{why:?}");
}

#[test]
fn a_link_that_ends_under_way_is_told_with_what_was_lost_in_it() {
    let (mut story, id) = spread_to_two(|_| {});
    story.pass_ms(5);
    let closed = LinkEnd::Dead { cause: DeathCause::Closed };
    story.unlink(p(2), p(3), LinkEnd::TooSlow, closed);
    story.wait(10);
    assert_eq!(
        story.verdict(p(3), id),
        "p3 does not have p1#1: the link p2 - p3 ended at 03:14:02: p2 dropped it, because p3 read too slowly: the queue \
         was full, and what was in it is lost; p2 had it at 03:14:02."
    );
    let clauses = why_not_each(&story.model, story.model.rumors().get(id).unwrap(), &[p(4)], 0);
    assert!(
        clauses[0].why.starts_with("the link p2 - p3, on the way to it, ended at 03:14:02: p2 dropped it"),
        "{clauses:?}"
    );
}

#[test]
fn a_node_that_was_down_or_came_later_is_told_since_when() {
    let killed = |story: &mut Story| story.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let (mut story, id) = spread_to_two(killed);
    story.wait(2);
    story.start(p(5), "p5", Role::Peer);
    assert_eq!(
        story.verdict(p(4), id),
        "p4 does not have p1#1: it was down when the message began: it was killed at 03:14:00."
    );
    assert_eq!(
        story.verdict(p(5), id),
        "p5 does not have p1#1: it started at 03:14:04, 2.0 s after the message began, and nobody repeats it."
    );
    let coverage = story.model.rumors().get(id).unwrap().coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of), (2, 3), "p3 alone lacks it: p4 was down, p5 came later");
}

#[test]
fn a_node_that_restarts_within_the_spread_is_excused() {
    let (mut story, id) = spread_to_two(|_| {});
    story.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(1);
    story.start(p(4), "p4", Role::Peer);
    let rumor = story.model.rumors().get(id).unwrap();
    assert_eq!(rumor.lacking(story.model.nodes(), Counting::HadTime).map(|node| node.addr).collect::<Vec<_>>(), [p(3)]);
}

#[test]
fn leaving_long_after_a_message_does_not_excuse() {
    let (mut story, id) = spread_to_two(|_| {});
    story.wait(60);
    story.tell(p(3), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    let coverage = story.model.rumors().get(id).unwrap().coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of), (2, 4));
}

#[test]
fn a_holder_that_dies_with_the_message_is_named() {
    let (mut story, id) = spread_to_two(|_| {});
    story.pass_ms(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.wait(10);
    assert_eq!(story.verdict(p(3), id), "p3 does not have p1#1: p2 had it at 03:14:02, but hung at 03:14:02.");
}

#[test]
fn a_holder_killed_before_it_had_a_message_did_not_lose_it() {
    let mut story = Story::network(4);
    story.wait(60);
    let id = story.generate(p(1), 1);
    story.wait(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.pass_ms(500);
    story.start(p(2), "p2", Role::Peer);
    story.link(p(2), p(1), Purpose::Neighbor);
    story.pass_ms(500);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(10);
    assert_eq!(
        story.verdict(p(3), id),
        "p3 does not have p1#1, perhaps because p2 was killed at 03:14:01 (not certain); p2 had it at 03:14:02, and it did \
         not come to p3."
    );
}

#[test]
fn what_nothing_explains_is_not_certain_or_under_way() {
    let (mut story, id) = spread_to_two(|_| {});
    assert!(story.verdict(p(3), id).contains("it may be on its way: p2 had it"));
    story.wait(10);
    story.tell(p(1), EventKind::Node(NodeEvent::Hung));
    let told = story.verdict(p(3), id);
    assert!(
        told.contains("what became of its copy is not certain: p2 had it")
            && told.ends_with("was open, as far as is known here."),
        "{told}"
    );
    story.model.note_skipped(7);
    assert!(story.verdict(p(3), id).contains("not all of that time is known here"));
}

#[test]
fn a_node_that_has_it_is_told_when_and_from_whom() {
    let (mut story, id) = spread_to_two(|_| {});
    story.tell(p(2), EventKind::Gossip(GossipEvent::Duplicate { id, from: p(3), trace: None }));
    assert_eq!(
        story.verdict(p(2), id),
        "p2 did get p1#1: at 03:14:02 from p1, hop 1, 3.0 ms after it began; 1 further copy came later."
    );
    assert_eq!(story.verdict(s(1), id), "s1 does not have p1#1: it is a seed, and seeds do not gossip.");
}

#[test]
fn the_overlay_is_remembered_as_it_was() {
    let mut story = Story::network(4);
    let before = Time::from_micros(story.at);
    story.wait(5);
    story.cut(p(2), p(3));
    story.tell(p(4), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(5);
    story.start(p(4), "p4", Role::Peer);
    story.link(p(4), p(1), Purpose::Neighbor);
    let links = |graph: &Graph| graph.nodes().map(|node| graph.degree(node)).sum::<usize>() / 2;
    let are_linked = |graph: &Graph, a, b| graph.neighbors(a).any(|neighbor| neighbor == b);
    let then = story.model.overlay_at(before).graph;
    assert_eq!((then.len(), links(&then), are_linked(&then, p(2), p(3))), (4, 3, true));
    let now = story.model.overlay().graph;
    assert_eq!((now.len(), links(&now), are_linked(&now, p(4), p(1))), (4, 2, true));
}

#[test]
fn theory_predicts_hops_and_copies_of_a_flood() {
    let mut story = Story::network(4);
    story.link(p(4), p(1), Purpose::Neighbor);
    let prediction = Strategy::Flood.predict(&story.model.overlay(), p(1)).unwrap();
    assert_eq!((prediction.after_hops, prediction.hops), (vec![1, 3, 4], 2));
    // A ring of four: 8 ends, less one for each of 3 deliveries, makes 5 copies for 3 deliveries.
    assert!((prediction.redundancy.unwrap() - (5.0 / 3.0 - 1.0)).abs() < 1e-9);

    let id = story.generate(p(1), 1);
    for (node, from, hop) in [(p(2), p(1), 1), (p(4), p(1), 1), (p(3), p(2), 2)] {
        story.pass_ms(2);
        story.receive(node, from, id, Some(hop));
    }
    for (node, from) in [(p(3), p(4)), (p(4), p(3))] {
        story.tell(node, EventKind::Gossip(GossipEvent::Duplicate { id, from, trace: None }));
    }
    let wave = story.model.wave(id).unwrap();
    assert!((wave.redundancy.unwrap() - (5.0 / 3.0 - 1.0)).abs() < 1e-9, "measured as predicted");
    assert_eq!((wave.hops, wave.coverage().have, wave.coverage().of), (2, 4, 4));
    let ms = Duration::from_millis;
    assert_eq!(wave.curve(), [(ms(0), 1), (ms(2), 2), (ms(4), 3), (ms(6), 4)]);
    assert_eq!(wave.predicted_curve(), [(ms(0), 1), (ms(4), 3), (ms(8), 4)], "a hop took 4 ms in the middle of all");
}

#[test]
fn theory_is_silent_about_copies_of_peers_elsewhere() {
    let mut story = Story::network(2);
    let (peer, purpose) = (p(40), Purpose::Neighbor);
    story.tell(
        p(2),
        EventKind::Link(LinkEvent::Up {
            link: LinkId(99),
            connection: None,
            peer,
            direction: Direction::Inbound,
            purpose,
        }),
    );
    let prediction = Strategy::Flood.predict(&story.model.overlay(), p(1)).unwrap();
    assert_eq!((prediction.redundancy, prediction.is_certain), (None, false));
    assert_eq!(prediction.after_hops, [1, 2], "those of this process count");
}

#[test]
fn a_link_that_was_lost_and_found_again_before_is_not_blamed() {
    let (mut story, id) = spread_to_two(|story| {
        story.cut(p(2), p(3));
        story.wait(2);
        story.link(p(3), p(2), Purpose::Neighbor);
    });
    story.wait(10);
    story.tell(p(1), EventKind::Node(NodeEvent::Hung));
    let told = story.verdict(p(3), id);
    assert!(told.contains("the link p2 - p3 was open"), "{told}");
}

#[test]
fn a_fault_on_the_link_is_told_as_what_kept_the_message() {
    use crate::proto::fault::{Fault, FaultKind, Percent, Scope};
    let set = |what| {
        move |story: &mut Story| {
            let fault = Fault { what, on: Scope::link(p(2), p(3)) };
            story.tell(p(2), EventKind::Fault(FaultEvent::Set { id: None, fault }));
        }
    };
    let (story, id) = spread_to_two(set(FaultKind::Cut));
    let told = story.verdict(p(3), id);
    assert_eq!(
        told,
        "p3 does not have p1#1: it was cut from p2, which had it at 03:14:02, by 'cut p2 p3' since 03:14:00."
    );
    assert!(
        story
            .verdict(p(4), id)
            .starts_with("p4 does not have p1#1: p3, on the way to it, was cut from p2, which had it"),
        "{}",
        story.verdict(p(4), id)
    );
    let (story, id) = spread_to_two(set(FaultKind::Loss { percent: Percent::new(30).unwrap() }));
    let told = story.verdict(p(3), id);
    assert!(
        told.ends_with(
            "'loss p2 p3 30%' since 03:14:00 may have kept it, which is not certain: p2 had it at 03:14:02."
        ),
        "{told}"
    );
    assert!(says(&why_not(&story.model, p(3), id, 0), "fault: loss"));
}

#[test]
fn a_message_of_a_peer_that_all_refuse_is_lacked_by_a_rule() {
    let mut story = Story::network(3);
    story.start(p(4), "p4", Role::Peer);
    for other in [p(1), p(2), p(3)] {
        story.refuse(p(4), other);
    }
    story.wait(60);
    let id = story.generate(p(4), 1);
    story.wait(10);
    let lacking = why_not(&story.model, p(1), id, 0);
    assert_eq!(
        lacking.verdict,
        "p1 does not have p4#1: p4 had no neighbor yet: all that it asked have as many as they take."
    );
    assert!(lacking.is_certain);
    // A fault may be why instead.
    let mut story = Story::network(3);
    story.set(FaultKind::Loss { percent: Percent::new(90).unwrap() }, Scope::Node(p(4)));
    story.start(p(4), "p4", Role::Peer);
    story.refuse(p(4), p(1));
    story.wait(60);
    let id = story.generate(p(4), 1);
    story.wait(10);
    assert!(!why_not(&story.model, p(1), id, 0).is_certain);
}

#[test]
fn parts_that_were_never_joined_are_no_fault_of_a_later_one() {
    let mut story = Story::new();
    for (number, name) in [(1, "p1"), (2, "p2"), (3, "p3"), (4, "p4")] {
        story.start(p(number), name, Role::Peer);
    }
    story.link(p(1), p(2), Purpose::Neighbor);
    story.link(p(3), p(4), Purpose::Neighbor);
    story.wait(60);
    story.set(FaultKind::Cut, Scope::link(p(2), p(3)));
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.wait(10);
    let lacking = why_not(&story.model, p(4), id, 0);
    assert_eq!(
        lacking.verdict,
        "p4 does not have p1#1: no path led to it from p1: the overlay was in several parts before anything was done."
    );
    assert!(lacking.is_certain);
}
