//! Messages: who has them, by which way, and what is kept of them.

use super::*;
use crate::model::rumor;

#[test]
fn copies_of_a_message_fold_into_one_line() {
    let mut story = Story::network(4);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.receive(p(3), p(2), id, Some(2));
    for from in [p(2), p(4), p(4)] {
        story.tell(p(3), EventKind::Gossip(GossipEvent::Duplicate { id, from, trace: None }));
    }
    let rumor = story.model.latest_rumor().unwrap();
    let coverage = rumor.coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of, rumor.hop_max), (3, 4, 2));
    let copy = rumor.copies[&p(3)];
    assert_eq!((copy.from, copy.hop, copy.duplicates), (Some(p(2)), Some(2), 3));
    let lines = story.model.gossip().iter().filter(|(_, line)| line.message() == Some(id));
    let [(_, entry)] = lines.collect::<Vec<_>>()[..] else { panic!("not one line") };
    assert_eq!((entry.node, entry.body()), (p(1), Some(&"hello".into())));
    let spread = story.model.spread(entry).unwrap();
    assert_eq!((spread.coverage, spread.copies), (coverage, 5));
    assert_eq!((spread.hops.as_deref(), spread.elsewhere), (Some("2 hops"), 0));
    let about = about_message(&story.model, id, 0);
    assert!(about.verdict.contains("reached 3 of 4 peers here in 2 hops"), "{}", about.verdict);
    assert!(says(&about, "p3 from p2, hop 2, dup x3"));
}

#[test]
fn hops_that_no_message_tells_come_from_the_way_seen() {
    let mut story = Story::network(3);
    let id = MessageId::classic(p(1), clock(), b"Gossip Message 1");
    story.tell(
        p(1),
        EventKind::Gossip(GossipEvent::Generated { id, body: "Gossip Message 1".into(), trace: None, forwarded: 1 }),
    );
    story.receive(p(2), p(1), id, None);
    story.receive(p(3), p(2), id, None);
    assert_eq!(story.model.latest_rumor().unwrap().copies[&p(3)].hop, Some(2));
    let elsewhere = Addr::loopback(9);
    let id = MessageId::classic(elsewhere, clock(), b"Gossip Message 1");
    story.receive(p(2), Addr::loopback(10), id, None);
    assert_eq!(story.model.latest_rumor().unwrap().copies[&p(2)].hop, None);
    assert!(says(&about_message(&story.model, id, 0), "hop not certain"));
}

#[test]
fn messages_and_their_copies_are_bounded_and_the_latest_stays() {
    let mut story = Story::network(2);
    for seq in 1..=rumor::RUMORS_MAX as u64 + 10 {
        let id = story.generate(p(1), seq);
        story.receive(p(2), p(1), id, Some(1));
    }
    assert_eq!(story.model.rumors().ring().len(), rumor::RUMORS_MAX);
    assert_eq!(story.model.latest_rumor().unwrap().id.seq, rumor::RUMORS_MAX as u64 + 10);
    assert!(story.model.rumors().get(MessageId { origin: p(1), run: 1, seq: 1 }).is_none());
}

#[test]
fn rates_and_shares_follow_the_time_of_the_events() {
    let mut story = Story::network(2);
    for seq in 1..=6 {
        story.generate(p(1), seq);
        story.answer(p(1), p(2), seq);
        story.at += SECOND / 2;
    }
    story.miss(p(1), p(2), 7, 1);
    let now = Time::from_micros(story.at);
    assert!((story.model.messages_per_second(now) - 2.0).abs() < 1e-9);
    assert_eq!(story.model.liveness().answered_percent(now), Some(85));
    let later = now + Duration::from_secs(120);
    assert!(story.model.messages_per_second(later).abs() < 1e-9);
    assert_eq!(story.model.liveness().answered_percent(later), None);
    story.model.note_skipped(12);
    assert_eq!(story.model.totals().skipped, 12);
}

#[test]
fn a_rate_spans_an_interval_of_the_senders() {
    let mut story = Story::network(1);
    // A message every ten seconds, as long as its peers' interval.
    for seq in 1..=6 {
        story.generate(p(1), seq);
        story.wait(10);
    }
    for tenths in 0..50 {
        let rate = story.model.messages_per_second(Time::from_micros(story.at + tenths * SECOND / 10 - 5 * SECOND));
        assert!((rate - 0.1).abs() < 0.01, "{rate} after {tenths} tenths of a second");
    }
}

#[test]
fn a_reach_is_a_lower_bound_once_events_were_skipped() {
    let mut story = Story::network(3);
    let id = MessageId { origin: p(1), run: 1, seq: 1 };
    let generated = |id| EventKind::Gossip(GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 1 });
    story.tell(p(1), generated(id));
    assert!(story.model.is_complete(story.model.rumors().get(id).unwrap()));
    story.model.note_skipped(5);
    assert!(!story.model.is_complete(story.model.rumors().get(id).unwrap()));
    let verdict = about_message(&story.model, id, 0).verdict;
    assert!(verdict.contains("reached at least 1 of 3"), "{verdict}");
    story.wait(1);
    let later = MessageId { seq: 2, ..id };
    story.tell(p(1), generated(later));
    assert!(story.model.is_complete(story.model.rumors().get(later).unwrap()));
}

#[test]
fn a_kept_message_keeps_no_buffer_of_the_network_alive() {
    let mut story = Story::network(3);
    let id = MessageId { origin: p(1), run: 1, seq: 1 };
    // Each node reads the message into a buffer of its own, with much else around it.
    for n in 2..=3 {
        let buffer = bytes::Bytes::from(vec![b'x'; 64 * 1024]);
        let body: Body = buffer.slice(100..105).into();
        story.tell(
            p(n),
            EventKind::Gossip(GossipEvent::Received { id, from: p(n - 1), body, trace: None, forwarded: 0 }),
        );
        assert!(buffer.is_unique(), "p{n}");
    }
    let rumor = story.model.rumors().get(id).unwrap();
    let line = story.model.gossip().get(rumor.line).unwrap();
    assert_eq!((line.node, rumor.reached()), (p(2), 2));
    let bodies = [line.body().unwrap(), &rumor.body].map(|body| body.as_bytes().as_ptr());
    assert_eq!(bodies[0], bodies[1], "one copy for all");
}

#[test]
fn long_texts_take_no_more_memory_than_a_limit() {
    let mut story = Story::network(2);
    let text = Body::from("x".repeat(60_000));
    for seq in 1..=1_000 {
        let id = MessageId { origin: p(1), run: 1, seq };
        let trace = Some(Trace { sent: Time::from_micros(story.at), hop: 1 });
        story.tell(
            p(2),
            EventKind::Gossip(GossipEvent::Received { id, from: p(1), body: text.clone(), trace, forwarded: 0 }),
        );
    }
    let rumors: usize = story.model.rumors().ring().iter().map(|(_, rumor)| rumor.body.len()).sum();
    let lines: usize = story.model.gossip().iter().filter_map(|(_, line)| line.body()).map(Body::len).sum();
    for held in [rumors, lines] {
        assert!((rumor::BODIES_LEN_MAX / 2..=rumor::BODIES_LEN_MAX).contains(&held), "{held} bytes");
    }
    let latest = story.model.rumors().latest().unwrap();
    assert_eq!(latest.id.seq, 1_000, "the oldest go");
}

#[test]
fn a_line_says_how_far_it_came_once_its_message_is_forgotten() {
    let mut story = Story::network(3);
    let first = story.generate(p(1), 1);
    story.receive(p(2), p(1), first, Some(1));
    for seq in 2..=rumor::RUMORS_MAX as u64 + 1 {
        story.generate(p(1), seq);
    }
    assert!(story.model.rumors().get(first).is_none());
    let (_, line) = story.model.gossip().iter().find(|(_, line)| line.message() == Some(first)).unwrap();
    let spread = story.model.spread(line).unwrap();
    assert_eq!((spread.coverage.have, spread.coverage.of, spread.copies), (2, 3, 1));
}

#[test]
fn a_message_with_another_text_at_one_node_has_a_line_there() {
    let mut story = Story::network(3);
    let id = story.generate(p(1), 1);
    let (from, trace) = (p(1), None);
    story.tell(p(2), EventKind::Gossip(GossipEvent::Received { id, from, body: "other".into(), trace, forwarded: 0 }));
    let lines = story.model.gossip().iter().filter(|(_, line)| line.message() == Some(id));
    let bodies: Vec<_> = lines.filter_map(|(_, line)| line.body().map(ToString::to_string)).collect();
    assert_eq!(bodies, ["hello", "other"]);
}
