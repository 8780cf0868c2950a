//! Broadcast alone: neighbors come and go, and messages come in.

use super::*;
use crate::proto::message::Dialect;
use crate::proto::testing::Surroundings;

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

/// A peer at 3000 with neighbors at 3001 to 3003.
fn broadcast() -> (Broadcast, Surroundings) {
    let mut around = Surroundings::new(3000, &[]);
    let mut broadcast = Broadcast::new(&around.config, 1);
    broadcast.start(&mut around.cx());
    (1..=3).for_each(|n| broadcast.neighbor_up(p(n)));
    (broadcast, around)
}

fn gossip(origin: u16, seq: u64) -> Arc<Gossip> {
    let id = MessageId { origin: p(origin), run: 1, seq };
    let trace = Some(Trace { sent: Time::from_micros(1), hop: 2 });
    Arc::new(Gossip { id, body: Body::from("hello".to_owned()), trace })
}

/// The neighbors that were sent something since the last look.
fn told(around: &mut Surroundings) -> Vec<Addr> {
    around.take().sent_to.into_iter().map(|(peer, _)| peer).collect()
}

#[test]
fn a_new_message_goes_to_all_neighbors_but_its_sender() {
    let (mut broadcast, mut around) = broadcast();
    assert!(broadcast.on_gossip(&mut around.cx(), p(2), gossip(9, 1)));
    let wishes = around.take();
    assert_eq!(wishes.sent_to.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), [p(1), p(3)]);
    let is_next_hop = |message: &Message| matches!(message, Message::Gossip(gossip) if gossip.trace.unwrap().hop == 3);
    assert!(wishes.sent_to.iter().all(|(_, message)| is_next_hop(message)));
    assert!(!broadcast.on_gossip(&mut around.cx(), p(1), gossip(9, 1)), "a further copy");
    assert!(told(&mut around).is_empty());
}

#[test]
fn a_neighbor_that_is_gone_is_sent_nothing() {
    let (mut broadcast, mut around) = broadcast();
    broadcast.neighbor_down(p(1));
    broadcast.say(&mut around.cx(), Body::from("hi".to_owned()));
    assert_eq!(told(&mut around), [p(2), p(3)]);
}

#[test]
fn messages_are_generated_when_due_until_there_are_enough() {
    let (_, mut around) = broadcast();
    around.config.messages = Some(2);
    let mut broadcast = Broadcast::new(&around.config, 1);
    broadcast.start(&mut around.cx());
    broadcast.neighbor_up(p(1));
    let mut sent = 0;
    while let Some(at) = broadcast.next_deadline() {
        broadcast.generate_if_due(&mut around.cx());
        assert!(told(&mut around).is_empty(), "not yet");
        around.now = at;
        broadcast.generate_if_due(&mut around.cx());
        sent += told(&mut around).len();
    }
    assert_eq!(sent, 2);
}

#[test]
fn a_node_that_was_waited_for_gets_the_last_messages_once() {
    let (mut broadcast, mut around) = broadcast();
    broadcast.hold_back_for(p(4));
    (1..=20).for_each(|seq| _ = broadcast.on_gossip(&mut around.cx(), p(1), gossip(9, seq)));
    broadcast.on_gossip(&mut around.cx(), p(1), gossip(4, 1));
    around.take();
    broadcast.release(&mut around.cx(), p(4));
    let held = around.take().sent_to;
    assert!(held.len() == 8 && held.iter().all(|(peer, _)| *peer == p(4)), "{held:?}");
    assert!(held.iter().all(|(_, message)| matches!(message, Message::Gossip(gossip) if gossip.id.origin == p(9))));
    broadcast.release(&mut around.cx(), p(4));
    assert!(told(&mut around).is_empty());
}

#[test]
fn a_message_in_our_name_that_we_did_not_send_goes_nowhere() {
    let (mut broadcast, mut around) = broadcast();
    let mut forged = Arc::unwrap_or_clone(gossip(0, 7));
    forged.id.run = around.now.as_micros();
    for _ in 0..3 {
        assert!(!broadcast.on_gossip(&mut around.cx(), p(1), Arc::new(forged.clone())));
    }
    let wishes = around.take();
    assert!(wishes.sent_to.is_empty());
    assert_eq!(wishes.events.len(), 1, "told once in ten seconds: {:?}", wishes.events);
}

#[test]
fn the_same_text_in_the_same_second_is_not_sent_twice() {
    let (_, mut around) = broadcast();
    around.config.dialect = Dialect::Classic;
    let mut broadcast = Broadcast::new(&around.config, 1);
    broadcast.neighbor_up(p(1));
    (0..2).for_each(|_| broadcast.say(&mut around.cx(), Body::from("hi".to_owned())));
    assert_eq!(told(&mut around), [p(1)]);
    around.now = around.now + CLOCK_STEP;
    broadcast.say(&mut around.cx(), Body::from("hi".to_owned()));
    assert_eq!(told(&mut around), [p(1)]);
}
