//! What a node's answer says of its past, and a fault's of its harm.

use super::*;
use crate::event::{FaultEvent, LossReason, MessageLoss, ProbePart};
use crate::model::fault::FaultRef;
use crate::model::why::{NamedSubject, why_fault};
use crate::proto::fault::{Fault, FaultId, FaultKind, Scope};
use crate::proto::message::RefusalReason;

fn of(story: &Story, node: Addr) -> Explanation {
    NamedSubject::Node(node).explain(&story.model, Time::from_micros(story.at), 0)
}

/// p3 makes room for p5, which dials it: it says goodbye to p2.
fn prune(story: &mut Story) {
    let end = |side| LinkEnd::Goodbye { side, reason: GoodbyeReason::MadeRoom };
    let down = |link, peer, side| {
        EventKind::Link(LinkEvent::Down { link: LinkId(link), peer, purpose: Purpose::Neighbor, end: end(side) })
    };
    let link = story.links_between(p(2), p(3));
    story.start(p(5), "p5", Role::Peer);
    story.wait(1);
    story.link(p(5), p(3), Purpose::Neighbor);
    story.tell(p(3), down(link, p(2), Side::Us));
    story.wait(1);
    story.tell(p(2), down(link, p(3), Side::Them));
}

impl Story {
    /// The number of the link that is up between these.
    fn links_between(&self, node: Addr, peer: Addr) -> u64 {
        self.model.links().get(node, peer).unwrap().connections[0].0
    }

    pub(super) fn refuse(&mut self, node: Addr, peer: Addr) {
        let (by, reason, referral) = (Side::Them, RefusalReason::Full, Vec::new());
        self.tell(node, EventKind::Link(LinkEvent::Refused { peer, by, reason, referral, connection: None }));
        self.wait(1);
    }
}

#[test]
fn a_node_tells_who_pruned_and_refused_it_and_for_whom() {
    let mut story = Story::network(4);
    prune(&mut story);
    story.refuse(p(2), p(4));
    story.refuse(p(2), p(4));
    let why = of(&story, p(2));
    assert!(says(&why, "pruned to make room by p3 for p5; refused as one too many by p4 (2 times)"), "{why:#?}");
    assert!(says(&why, "p3 pruned p2 to make room for p5") && says(&why, "p4 refused p2: "), "{why:#?}");
    assert!(!says(&of(&story, p(3)), "pruned"), "it lost nobody that it wanted");
}

#[test]
fn a_node_that_read_too_slowly_knows_who_dropped_it() {
    let mut story = Story::network(3);
    let (link, purpose) = (LinkId(story.links_between(p(1), p(2))), Purpose::Neighbor);
    story.wait(1);
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link, peer: p(2), purpose, end: LinkEnd::TooSlow }));
    let why = of(&story, p(2));
    assert!(says(&why, "dropped as too slow by p1") && says(&why, "p1 dropped p2: it read too slowly"), "{why:#?}");
    assert!(!says(&of(&story, p(1)), "dropped"));
}

#[test]
fn earlier_deaths_and_lives_belong_to_the_answer() {
    let mut story = a_death_of_missed_probes();
    story.wait(1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    story.wait(1);
    story.start(p(2), "p2", Role::Peer);
    let why = of(&story, p(2));
    assert!(why.verdict.starts_with("p2 runs in this process"), "{}", why.verdict);
    assert!(says(&why, "p2 was taken for dead by p1 and p3; a sign of life came at 03:13:16"), "{why:#?}");
    assert!(says(&why, "p2 was killed: links broken off") && says(&why, "p2 was started again"), "{why:#?}");
}

#[test]
fn of_a_liar_its_answer_says_that_it_lied() {
    let mut story = Story::network(3);
    story.wait(1);
    story.tell(p(1), EventKind::Fault(FaultEvent::Lied { about: p(3) }));
    let liar = of(&story, p(1));
    assert!(liar.verdict.ends_with("It lied: it reported p3 dead at 03:13:01."), "{}", liar.verdict);
    assert!(says(&liar, "p1 reported p3 dead on purpose"));
    let victim = of(&story, p(3));
    assert!(says(&victim, "p1 reported p3 dead on purpose") && !victim.verdict.contains("lied"), "{victim:#?}");
    assert!(!says(&of(&story, p(2)), "on purpose"));
}

#[test]
fn a_fault_tells_how_much_it_swallowed_and_who_died_of_it() {
    let mut story = Story::network(3);
    let id = FaultId(7);
    let fault = Fault { what: FaultKind::Cut, on: Scope::link(p(1), p(2)) };
    story.tell(p(1), EventKind::Fault(FaultEvent::Set { id: Some(id), fault }));
    let since = Time::from_micros(story.at);
    let lost = |from, to| MessageLoss { from, to, connection: None, why: LossReason::Fault(id) };
    let message = story.generate(p(1), 1);
    story.tell(p(2), EventKind::Gossip(GossipEvent::Lost { id: message, loss: lost(p(1), p(2)) }));
    for seq in 1..=2 {
        let part = ProbePart::Question;
        story.tell(p(2), EventKind::Probe(ProbeEvent::Lost { part, seq, loss: lost(p(1), p(2)) }));
    }
    story.three_misses(p(1), p(2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    let record = story.model.faults().find(FaultRef { id: Some(id), at: since }).unwrap();
    let why = why_fault(&story.model, record, 0);
    assert!(says(&why, "lost by it: 1 copy of a message and 2 probes"), "{why:#?}");
    assert!(says(&why, "p2 was taken for dead because of it by p1"), "{why:#?}");
}
