//! What users break, and who notices.

use std::collections::BTreeSet;
use std::time::Duration;

use gossipctl::command::{Command, FaultCommand};
use gossipctl::event::{
    Attempt, DeathEvent, Event, EventKind, FaultEvent, LinkEvent, NodeEvent, ProbeEvent, SeedEvent, Stop,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::fault::{Fault, FaultKind, Scope};
use gossipctl::proto::message::DeathCause;

use crate::sockets::{ANYWHERE, Session, calm, links, peer_at};

fn neighbors_of(session: &mut Session, node: Addr) -> BTreeSet<Addr> {
    session.catch_up();
    let linked = links(&session.seen).into_iter().filter(|(_, neighbors)| neighbors.contains(&node));
    linked.map(|(neighbor, _)| neighbor).collect()
}

fn death_of(victim: Addr) -> impl Fn(&Event) -> bool {
    move |event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, .. }) if peer == victim)
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbors_notice_a_killed_peer_and_seeds_delist_it() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 2, 5).await;
    let victim = peers[2];
    let neighbors = neighbors_of(&mut session, victim);
    session.apply(Command::Kill(victim)).await;
    let deaths = session.until_events("the neighbors to notice", neighbors.len(), death_of(victim)).await;
    assert_eq!(deaths.iter().map(|event| event.node).collect::<BTreeSet<_>>(), neighbors);
    for death in &deaths {
        assert!(
            matches!(death.kind, EventKind::Death(DeathEvent::NeighborDied { cause: DeathCause::LinkError, .. })),
            "{death:?}"
        );
    }
    let delisted =
        |event: &Event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerDelisted { peer, .. }) if peer == victim);
    let by = session.until_events("both seeds to take it off", 2, delisted).await;
    assert_eq!(by.iter().map(|event| event.node).collect::<BTreeSet<_>>(), seeds.into_iter().collect());

    let stopped = session.seen.iter().rposition(|event| event.node == victim).unwrap();
    assert_eq!(session.seen[stopped].kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let survivors: Vec<Addr> = peers.into_iter().filter(|peer| *peer != victim).collect();
    session.until_connected(&survivors).await;
    session.say_and_reach(survivors[0], "we go on", &survivors).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_peer_is_missed_once_twice_three_times_and_then_dead() {
    let mut config = calm(Vec::new());
    config.liveness_interval = Duration::from_millis(250);
    let (mut session, _, peers) = Session::lab(config, 1, 3).await;
    let victim = peers[1];
    session.apply(Command::Hang(victim)).await;
    session.until_events("a death", 1, death_of(victim)).await;
    let reporter = session.events(death_of(victim))[0].node;
    let misses: Vec<u32> = session.seen.iter().filter_map(|event| miss(event, reporter, victim)).collect();
    assert!(misses.ends_with(&[1, 2, 3]), "{misses:?}");
    let death = &session.events(death_of(victim))[0].kind;
    assert!(
        matches!(death, EventKind::Death(DeathEvent::NeighborDied { cause: DeathCause::Misses { misses: 3 }, .. })),
        "{death:?}"
    );

    let last = session.seen.iter().rfind(|event| event.node == victim).unwrap();
    assert_eq!(last.kind, EventKind::Node(NodeEvent::Hung), "a hung node says nothing");
}

fn miss(event: &Event, node: Addr, of: Addr) -> Option<u32> {
    match event.kind {
        EventKind::Probe(ProbeEvent::Missed { peer, misses, .. }) if event.node == node && peer == of => Some(misses),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_peer_keeps_its_name_and_address_and_rejoins() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 2, 4).await;
    let victim = peers[3];
    let refused = session.engine.apply(Command::Restart(victim)).await.unwrap_err();
    assert_eq!(refused.to_string(), "p4 runs: kill or hang it first");
    session.apply(Command::Kill(victim)).await;
    let refused = session.engine.apply(Command::Hang(victim)).await.unwrap_err();
    assert_eq!(refused.to_string(), "p4 was killed");
    session.apply(Command::Restart(victim)).await;
    session.catch_up();
    let lives = |event: &Event| {
        event.node == victim && matches!(&event.kind, EventKind::Node(NodeEvent::Started { name, .. }) if name == "p4")
    };
    session.until_events("its second life", 2, lives).await;
    session.until_connected(&peers).await;
    session.say_and_reach(peers[0], "welcome back", &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_peer_that_is_restarted_is_crashed_first_and_rejoins() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    session.apply(Command::Hang(peers[0])).await;
    session.apply(Command::Restart(peers[0])).await;
    let stopped = |event: &Event| event.kind == EventKind::Node(NodeEvent::Stopped { how: Stop::Killed });
    session.until_events("its end", 1, stopped).await;
    session.until_connected(&peers).await;
    session.say_and_reach(peers[1], "welcome back", &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_seed_can_be_restarted_and_the_peers_register_again() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    session.apply(Command::Kill(seeds[0])).await;
    let shortage = |event: &Event| matches!(event.kind, EventKind::Seed(SeedEvent::TooFewSeeds { .. }));
    session.until_events("everybody to miss the seed", peers.len(), shortage).await;
    session.apply(Command::Restart(seeds[0])).await;
    let enough = |event: &Event| matches!(event.kind, EventKind::Seed(SeedEvent::EnoughSeeds { .. }));
    session.until_events("everybody to register again", peers.len(), enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calm_ends_all_faults_and_restarts_killed_and_hung_nodes() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 4).await;
    let cut = Fault { what: FaultKind::Cut, on: Scope::link(peers[2], peers[3]) };
    session.apply(Command::Fault(FaultCommand::Set(cut))).await;
    for command in [Command::Kill(seeds[0]), Command::Kill(peers[0]), Command::Hang(peers[1])] {
        session.apply(command).await;
    }
    session.apply(Command::Fault(FaultCommand::Calm)).await;
    let fallen = [seeds[0], peers[0], peers[1]];
    let again = |event: &Event| {
        fallen.contains(&event.node) && matches!(event.kind, EventKind::Node(NodeEvent::Started { .. }))
    };
    session.until_events("second lives", 2 * fallen.len(), again).await;
    session
        .until_events("the end of the cut", 1, |event| {
            matches!(event.kind, EventKind::Fault(FaultEvent::Cleared { .. }))
        })
        .await;
    session.until_connected(&peers).await;
    session.say_and_reach(peers[1], "all of us", &peers).await;
    let nothing_left = session.engine.apply(Command::Fault(FaultCommand::Calm)).await;
    nothing_left.expect("to calm what is calm does nothing");
    session.catch_up();
    assert_eq!(session.events(again).len(), 2 * fallen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn calm_heals_a_link_to_a_node_elsewhere_that_was_cut() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 1).await;
    let mut elsewhere = Session::new(calm(seeds));
    let other = elsewhere.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let linked = |seen: &[Event]| links(seen).values().any(|neighbors| neighbors.contains(&other));
    session.until("a link", linked).await;
    session.apply(Command::Cut { node: peers[0], peer: other }).await;
    session.until_events("a death", 1, death_of(other)).await;
    session.apply(Command::Fault(FaultCommand::Calm)).await;
    session.until("a link again", linked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_address_keeps_no_other_from_returning() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    for peer in &peers[..2] {
        session.apply(Command::Kill(*peer)).await;
    }
    let _taken = std::net::TcpListener::bind(peers[0].socket()).unwrap();
    session.apply(Command::Fault(FaultCommand::Calm)).await;
    let failed = |event: &Event| matches!(event.kind, EventKind::Node(NodeEvent::Failed { .. }));
    let told = session.until_events("why not", 1, failed).await;
    let EventKind::Node(NodeEvent::Failed { what, why }) = &told[0].kind else { unreachable!() };
    assert_eq!(*what, Attempt::Restart(peers[0]));
    assert!(why.to_string().starts_with(&format!("{} is in use", peers[0])), "{why}");
    let back =
        |event: &Event| event.node == peers[1] && matches!(event.kind, EventKind::Node(NodeEvent::Started { .. }));
    session.until_events("the other one", 2, back).await;
    session.until_connected(&peers[1..]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_dropped_crashes_its_nodes() {
    let (mut session, seeds, _) = Session::lab(calm(Vec::new()), 1, 2).await;
    let mut visitor = Session::new(calm(seeds));
    let victim = visitor.engine.start(peer_at(ANYWHERE)).await.unwrap();
    session
        .until("a link to the visitor", |seen| links(seen).values().any(|neighbors| neighbors.contains(&victim)))
        .await;
    drop(visitor);
    let deaths = session.until_events("a death", 1, death_of(victim)).await;
    assert!(
        matches!(deaths[0].kind, EventKind::Death(DeathEvent::NeighborDied { cause: DeathCause::LinkError, .. })),
        "{deaths:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_the_user_cuts_is_a_death_for_both_ends() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 1).await;
    let mut elsewhere = Session::new(calm(seeds));
    let other = elsewhere.engine.start(peer_at(ANYWHERE)).await.unwrap();
    session.until("a link", |seen| links(seen).values().any(|neighbors| neighbors.contains(&other))).await;
    elsewhere.until("a link", |seen| links(seen).values().any(|neighbors| neighbors.contains(&peers[0]))).await;
    session.apply(Command::Cut { node: peers[0], peer: other }).await;
    let deaths = session.until_events("a death", 1, death_of(other)).await;
    assert!(
        matches!(deaths[0].kind, EventKind::Death(DeathEvent::NeighborDied { cause: DeathCause::Cut, .. })),
        "{deaths:?}"
    );
    elsewhere
        .until_events(
            "the other end to notice",
            1,
            |event| matches!(event.kind, EventKind::Link(LinkEvent::Down { peer, .. }) if peer == peers[0]),
        )
        .await;
    session.apply(Command::Heal { node: peers[0], peer: other }).await;
    session.until("a link again", |seen| links(seen).values().any(|neighbors| neighbors.contains(&other))).await;
}
