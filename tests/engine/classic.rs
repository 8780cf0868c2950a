//! Networks that speak the classic dialect, with and without Python nodes.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use gossipctl::command::Command;
use gossipctl::event::{DeathEvent, Event, EventKind, GossipEvent, LinkEvent, ProbeEvent, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;

use crate::python::{Python, eventually};
use crate::python_rules::Habits;
use crate::sockets::{ANYWHERE, Session, calm, classic, links, peer_at, received};

fn config(seeds: Vec<Addr>) -> PeerConfig {
    let mut config = classic(calm(seeds));
    config.liveness_interval = Duration::from_millis(500);
    config.liveness_misses = 6;
    config
}

fn answered_by(peer: Addr) -> impl Fn(&Event) -> bool {
    move |event| matches!(event.kind, EventKind::Probe(ProbeEvent::Answered { peer: by, .. }) if by == peer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classic_lab_forms_one_network_that_gossips_and_probes() {
    let (mut session, _, peers) = Session::lab(config(Vec::new()), 2, 5).await;
    session.say_and_reach(peers[0], "hello", &peers).await;
    session.say_and_reach(peers[4], "and back", &peers).await;
    session
        .until_events("answers", 4, |event| matches!(event.kind, EventKind::Probe(ProbeEvent::Answered { .. })))
        .await;
    let trouble = |event: &Event| {
        matches!(
            event.kind,
            EventKind::Link(LinkEvent::Violation { .. }) | EventKind::Death(DeathEvent::NeighborDied { .. })
        )
    };
    assert_eq!(session.events(trouble), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_peer_is_a_full_member_until_its_death_is_noticed() {
    let (mut session, seeds, peers) = Session::lab(config(Vec::new()), 1, 2).await;
    let python = Python::peer(seeds[0], &peers);
    let linked = |seen: &[Event]| links(seen).values().filter(|all| all.contains(&python.addr)).count() == 2;
    session.until("links to the Python peer", linked).await;
    session
        .until("the seed to list it", |seen| {
            seen.iter().any(|event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerListed { peer, .. }) if peer == python.addr))
        })
        .await;

    // Ours reaches it, and no two messages are ever read as one, however quickly they come.
    for k in 0..5 {
        session.apply(Command::Say { node: peers[0], body: format!("ours {k}").into() }).await;
    }
    session.until_events("its answers to probes", 4, answered_by(python.addr)).await;
    session.until("our messages there", |_| (0..5).all(|k| python.has_received(&format!("ours {k}")))).await;

    // Its own come as Python writes them: joined.
    let me = python.addr.python();
    python.write_to_all(&format!("03.05.31:{me}:Gossip Message 103.05.31:{me}:Gossip Message 2"));
    python.write_to_all(&format!("Liveness Request:03.05.32:{me}"));
    for peer in &peers {
        for body in ["Gossip Message 1", "Gossip Message 2"] {
            session.until(body, |seen| seen.iter().any(|event| received(event, *peer, body))).await;
        }
        session.until("our answers to its probe", |_| python.was_answered_by(*peer)).await;
    }
    assert_eq!(python.died(), None);

    python.kill();
    let died = |event: &Event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, .. }) if peer == python.addr);
    session.until_events("both neighbors to notice", 2, died).await;
    let delisted = |event: &Event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerDelisted { peer, .. }) if peer == python.addr);
    session.until_events("the seed to take it off", 1, delisted).await;
    let violation = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Violation { .. }));
    assert_eq!(session.events(violation), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_peers_join_and_report_through_a_python_seed() {
    let seed = Python::seed();
    let mut session = Session::new(config(vec![seed.addr]));
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(session.engine.start(peer_at(ANYWHERE)).await.unwrap());
    }
    session.until_connected(&peers).await;
    session.say_and_reach(peers[0], "hello", &peers).await;
    session.apply(Command::Kill(peers[2])).await;
    let reported = |event: &Event| matches!(&event.kind, EventKind::Death(DeathEvent::DeadReportSent { dead, .. }) if *dead == peers[2]);
    session.until_events("a report", 1, reported).await;
    let dead = format!("Dead Node:{}:", peers[2].python());
    session.until("the report at the seed", |_| seed.heard().iter().any(|text| text.starts_with(&dead))).await;
    assert_eq!(seed.died(), None, "{:?}", seed.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn python_nodes_survive_our_leaving() {
    let seed = Python::seed();
    let mut session = Session::new(config(vec![seed.addr]));
    let peers = [
        session.engine.start(peer_at(ANYWHERE)).await.unwrap(),
        session.engine.start(peer_at(ANYWHERE)).await.unwrap(),
    ];
    session.until_connected(&peers).await;
    let python = Python::peer(seed.addr, &peers);
    let linked =
        |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Up { peer, .. }) if peer == python.addr);
    session.until_events("links to the Python peer", 2, linked).await;
    session.apply(Command::Quit).await;
    let reports = || seed.heard().iter().filter(|text| text.starts_with("Dead Node:")).count();
    let died = || python.died().or(seed.died());
    eventually("the reports at the seed", || reports() == 2 || died().is_some()).await;
    assert_eq!(died(), None, "{:?}", seed.heard());
    assert_eq!((seed.list(), python.neighbors()), (vec![python.addr], Vec::new()), "{:?}", seed.heard());
}

/// A Python peer with four links to strangers that never answer: it takes each of them for dead after four of its intervals, and then
/// accepts whoever waits. And a peer of ours that has waited for many of its own.
async fn full_python() -> (Session, Python, Python, Addr, Vec<TcpStream>) {
    let seed = Python::seed();
    let habits = Habits { liveness_interval: Duration::from_millis(300), ..Habits::default() };
    let python = Python::peer_with(seed.addr, &[], habits);
    let stranger = |port: u16| {
        let mut stream = TcpStream::connect(python.addr.socket()).unwrap();
        stream.write_all(Addr::loopback(port).python().to_string().as_bytes()).unwrap();
        stream
    };
    let strangers = (1..=4).map(stranger).collect();
    eventually("four links", || python.neighbors().len() == 4).await;
    let mut config = config(vec![seed.addr]);
    (config.liveness_interval, config.liveness_misses) = (Duration::from_millis(100), 3);
    config.messages = None;
    let mut session = Session::new(config);
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let dialing =
        |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Dialing { peer, .. }) if peer == python.addr);
    session.until_events("a dial", 1, dialing).await;
    (session, seed, python, ours, strangers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_python_peer_lives_when_a_slot_frees() {
    let (mut session, seed, python, ours, strangers) = full_python().await;
    let died = || python.died().or(seed.died());
    eventually("a slot, and our link in it", || python.neighbors() == [ours] || died().is_some()).await;
    assert_eq!(died(), None);
    let answered = |event: &Event| answered_by(python.addr)(event);
    session.until_events("its answers to probes", 2, answered).await;
    session.apply(Command::Say { node: ours, body: "hello".into() }).await;
    session.until("our message there", |_| python.has_received("hello")).await;
    assert_eq!(died(), None);
    let reported = |event: &Event| {
        matches!(event.kind, EventKind::Death(DeathEvent::DeadReportSent { .. } | DeathEvent::NeighborDied { .. }))
    };
    assert_eq!(session.events(reported), []);
    drop(strangers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_python_peer_lives_when_who_waits_is_killed() {
    let (mut session, seed, python, ours, strangers) = full_python().await;
    let generated = |event: &Event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
    session.until_events("messages that it has to say", 3, generated).await;
    session.apply(Command::Kill(ours)).await;
    let of_us = format!("Dead Node:{}:", ours.python());
    let noticed = || seed.heard().iter().any(|text| text.starts_with(&of_us));
    let died = || python.died().or(seed.died());
    eventually("a slot, our link in it, and its end", || noticed() || died().is_some()).await;
    assert_eq!(died(), None);
    drop(strangers);
}
