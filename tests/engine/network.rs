//! Networks that work.

use std::time::Duration;

use gossipctl::command::{Command, Placement};
use gossipctl::engine::{Refusal, SiteError};
use gossipctl::event::{
    Attempt, DeathEvent, EventKind, GossipEvent, LinkEnd, LinkEvent, NodeEvent, SeedEvent, Side, Stop,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{GoodbyeReason, Role};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::sockets::{ANYWHERE, LIMIT, Session, calm, links, peer_at, received, seed_at};

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_is_one_network_and_a_message_reaches_each_peer_once() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 2, 8).await;
    session.say_and_reach(peers[0], "hello", &peers).await;
    for peer in &peers[1..] {
        assert_eq!(session.events(|event| received(event, *peer, "hello")).len(), 1);
    }
    let names: Vec<String> = session.seen.iter().filter_map(|event| started(&event.kind)).collect();
    assert_eq!(names, ["s1", "s2", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"]);
    let lists = |event: &gossipctl::event::Event| {
        seeds.contains(&event.node) && matches!(event.kind, EventKind::Seed(SeedEvent::PeerListed { .. }))
    };
    session.until_events("every peer on the list of both seeds", 2 * peers.len(), lists).await;
}

fn started(kind: &EventKind) -> Option<String> {
    if let EventKind::Node(NodeEvent::Started { name, .. }) = kind { Some(name.clone()) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbered_messages_reach_every_other_peer() {
    let mut config = calm(Vec::new());
    config.messages = Some(3);
    config.gossip_interval = Duration::from_millis(200);
    let mut session = Session::new(config);
    session.engine.start_lab(1, 3).await.unwrap();
    let generated =
        |event: &gossipctl::event::Event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
    let all = session.until_events("three messages of each", 9, generated).await;
    let texts: Vec<String> = all.iter().filter_map(|event| body(&event.kind)).collect();
    for k in 1..=3 {
        assert_eq!(texts.iter().filter(|text| **text == format!("Gossip Message {k}")).count(), 3);
    }
    session
        .until_events(
            "the last messages everywhere",
            6,
            |event| matches!(&event.kind, EventKind::Gossip(GossipEvent::Received { body, .. }) if body.as_bytes() == b"Gossip Message 3"),
        )
        .await;
}

fn body(kind: &EventKind) -> Option<String> {
    if let EventKind::Gossip(GossipEvent::Generated { body, .. }) = kind { Some(body.to_string()) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_added_to_a_lab_joins_its_network() {
    let (mut session, _, mut peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    peers.push(session.engine.start(peer_at(Placement::Auto)).await.unwrap());
    session.until_connected(&peers).await;
    session.say_and_reach(peers[3], "here I am", &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_arrive_whole() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 4).await;
    let text = "0123456789".repeat(6_000);
    session.say_and_reach(peers[0], &text, &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_takes_the_first_free_address_of_the_list() {
    let (first, second) = (free().await, free().await);
    let mut session = Session::new(calm(vec![first, second]));
    assert_eq!(session.engine.start(seed_at(Placement::Auto)).await.unwrap(), first);
    assert_eq!(session.engine.start(seed_at(Placement::Auto)).await.unwrap(), second);
    let error = session.engine.start(seed_at(Placement::Auto)).await.unwrap_err();
    assert!(matches!(error, Refusal::Site(SiteError::NoSeedAddress(_))));
    assert!(error.to_string().contains(&second.to_string()), "{error}");
    // A killed seed's address is not given to another.
    session.apply(Command::Kill(first)).await;
    session.engine.start(seed_at(Placement::Auto)).await.unwrap_err();
}

async fn free() -> Addr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    Addr::try_from(listener.local_addr().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_takes_the_next_free_port_from_3000_on() {
    let mut session = Session::new(calm(Vec::new()));
    let first = session.engine.start(peer_at(Placement::Auto)).await.unwrap();
    let second = session.engine.start(peer_at(Placement::Auto)).await.unwrap();
    assert!(first.port() >= Placement::FIRST_PEER_PORT && second.port() > first.port(), "{first} {second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named_with_the_next_free_one() {
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = Addr::try_from(holder.local_addr().unwrap()).unwrap();
    let mut session = Session::new(calm(Vec::new()));
    session.engine.apply(Command::Start(peer_at(Placement::At(taken)))).await.unwrap_err();
    let failed = session.until_events("the failure", 1, |event| event.node == taken).await;
    let EventKind::Node(NodeEvent::Failed { what, why }) = &failed[0].kind else { panic!("{failed:?}") };
    assert_eq!(*what, Attempt::Start(Role::Peer));
    assert!(why.to_string().starts_with(&format!("{taken} is in use; the next free address is 127.0.0.1:")), "{why}");
    session.engine.start(peer_at(ANYWHERE)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_politely_is_missed_by_nobody() {
    let (mut session, seeds, _) = Session::lab(calm(Vec::new()), 1, 3).await;
    let mut visitor = Session::new(calm(seeds.clone()));
    let leaver = visitor.engine.start(peer_at(ANYWHERE)).await.unwrap();
    visitor.until("links to all", |seen| links(seen).get(&leaver).is_some_and(|all| all.len() == 3)).await;
    session.until("links to it", |seen| links(seen).values().filter(|all| all.contains(&leaver)).count() == 3).await;

    let (commands, receiver) = mpsc::channel(1);
    commands.send(Command::Quit.into()).await.unwrap();
    timeout(LIMIT, visitor.engine.run(receiver)).await.unwrap();
    while let Some(delivery) = visitor.feed.recv().await {
        visitor.seen.extend_from_slice(&delivery.batch);
    }
    assert_eq!(visitor.seen.last().unwrap().kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));

    let end = LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Leaving };
    let departures = session
        .until_events(
            "departures",
            4,
            |event| matches!(&event.kind, EventKind::Link(LinkEvent::Down { peer, end: how, .. }) if *peer == leaver && *how == end),
        )
        .await;
    assert!(departures.iter().any(|event| seeds.contains(&event.node)), "{departures:?}");
    session
        .until_events(
            "the seed to take it off its list",
            1,
            |event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerDelisted { peer, .. }) if peer == leaver),
        )
        .await;
    assert_eq!(session.events(|event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { .. }))), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_quit_together_nobody_reports_a_death() {
    let (mut session, _, _) = Session::lab(calm(Vec::new()), 2, 6).await;
    let (commands, receiver) = mpsc::channel(1);
    commands.send(Command::Quit.into()).await.unwrap();
    timeout(LIMIT, session.engine.run(receiver)).await.unwrap();
    while let Some(delivery) = session.feed.recv().await {
        session.seen.extend_from_slice(&delivery.batch);
    }
    let count = |kind: fn(&EventKind) -> bool| session.seen.iter().filter(|event| kind(&event.kind)).count();
    assert_eq!(count(|kind| matches!(kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Left }))), 8);
    assert_eq!(
        count(|kind| matches!(
            kind,
            EventKind::Death(DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. })
        )),
        0
    );
    let roles = session
        .seen
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Node(NodeEvent::Started { role: Role::Seed, .. })));
    assert_eq!(roles.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_peers_are_one_network_within_seconds() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 2, 200).await;
    session.say_and_reach(peers[0], "hello, all of you", &peers).await;
}
