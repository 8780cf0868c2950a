//! Remotes that keep the protocol and send too much.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use gossipctl::command::Command;
use gossipctl::event::{Event, EventKind, GossipEvent, LinkEvent, ProbeEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::budget::{BURST, MESSAGES_A_SECOND};
use gossipctl::proto::message::{Dialect, Gossip, Message, MessageId, Trace};
use gossipctl::proto::text::Body;
use gossipctl::proto::time::{ClockTime, Time};

use super::{assert_a_line, assert_undisturbed, encoded, join, notices};
use crate::sockets::{Session, calm};

const STRANGER: Addr = Addr::loopback(9);

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_probes_is_read_slowly_and_told() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let mut stream = join(&mut session, Dialect::Framed, peers[0], STRANGER).await;
    let clock = ClockTime::from_seconds(0).unwrap();
    let probe = Message::Probe { seq: 1, asker: STRANGER, clock, extras: None };
    let many = encoded(Dialect::Framed, STRANGER, &probe).repeat(1_000);
    // Ends when the node closes the link, at the latest with the test.
    let flood = std::thread::spawn(move || while stream.write_all(&many).is_ok() {});
    let told =
        |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Flooding { peer, .. }) if peer == STRANGER);
    session.until_events("the flood", 1, told).await;
    let answered = session
        .events(|event| matches!(event.kind, EventKind::Probe(ProbeEvent::Received { peer, .. }) if peer == STRANGER));
    let lasted = answered[answered.len() - 1].at.since(answered[0].at);
    let most = u64::from(BURST) + u64::from(MESSAGES_A_SECOND) * (lasted.as_secs() + 1);
    assert!(answered.len() as u64 <= most, "{} in {lasted:?}", answered.len());
    assert_a_line(&notices(&session), &[":9 sends more than 400 messages a second besides gossip"]);
    assert_undisturbed(&mut session, &peers).await;
    drop(session);
    flood.join().unwrap();
}

fn received(event: &Event) -> bool {
    matches!(&event.kind, EventKind::Gossip(GossipEvent::Received { body, .. }) if body.len() == LONG)
}

const LONG: usize = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_big_messages_on_one_link_drops_nobody() {
    const COUNT: u64 = 400;
    let mut config = calm(Vec::new());
    config.liveness_interval = Duration::from_secs(600);
    let (mut session, _, peers) = Session::lab(config, 1, 6).await;
    let mut stream = join(&mut session, Dialect::Framed, peers[0], STRANGER).await;
    let body = Body::from("x".repeat(LONG));
    let gossip = move |seq| {
        let (id, trace) =
            (MessageId { origin: STRANGER, run: 0, seq }, Some(Trace { sent: Time::from_micros(0), hop: 1 }));
        Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }))
    };
    let burst = std::thread::spawn(move || {
        (1..=COUNT).for_each(|seq| stream.write_all(&encoded(Dialect::Framed, STRANGER, &gossip(seq))).unwrap());
        stream
    });
    session.until_events("the burst at all", usize::try_from(COUNT).unwrap() * peers.len(), received).await;
    assert_undisturbed(&mut session, &peers).await;
    drop(burst.join().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_flooding_peers_neither_drop_nor_stand_still() {
    const COUNT: usize = 200;
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let body = Body::from("x".repeat(LONG));
    for _ in 0..COUNT {
        for peer in &peers {
            session.apply(Command::Say { node: *peer, body: body.clone() }).await;
        }
        session.catch_up();
    }
    session.until_events("all at all", COUNT * peers.len() * (peers.len() - 1), received).await;
    assert_undisturbed(&mut session, &peers).await;
}
