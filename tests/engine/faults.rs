//! Faults on real sockets: what passes, what does not, and who finds out.

use std::time::Duration;

use gossipctl::command::{Command, FaultCommand};
use gossipctl::event::{
    DeathEvent, DialError, Event, EventKind, FaultEvent, GossipEvent, LinkEnd, LinkEvent, LossReason, NodeEvent,
    ReportAction,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::proto::fault::{Fault, FaultId, FaultKind, Percent, Scope};
use gossipctl::proto::message::DeathCause;

use crate::sockets::{ANYWHERE, Session, calm, classic, links, peer_at, received};

/// Probes often enough to notice a cut.
fn watchful() -> PeerConfig {
    let mut config = calm(Vec::new());
    config.liveness_interval = Duration::from_millis(300);
    config
}

async fn set(session: &mut Session, what: FaultKind, on: Scope) {
    session.apply(Command::Fault(FaultCommand::Set(Fault { what, on }))).await;
}

async fn calm_down(session: &mut Session) {
    session.apply(Command::Fault(FaultCommand::Calm)).await;
}

fn death_of(victim: Addr, by: Addr) -> impl Fn(&Event) -> bool {
    move |event| {
        event.node == by
            && matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, .. }) if peer == victim)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_dies_at_both_ends_and_is_renewed_once_healed() {
    let (mut session, _, peers) = Session::lab(watchful(), 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Cut, Scope::link(a, b)).await;
    for (victim, by) in [(a, b), (b, a)] {
        let death = session.until_events("a death", 1, death_of(victim, by)).await.remove(0);
        let is_missed = matches!(
            death.kind,
            EventKind::Death(DeathEvent::NeighborDied { cause: DeathCause::Misses { misses: 3 }, .. })
        );
        assert!(is_missed, "nobody is told, so it takes three misses: {death:?}");
    }
    let failed = |event: &Event| {
        matches!(&event.kind, EventKind::Link(LinkEvent::DialFailed { error: DialError::NoAnswer { .. }, .. }))
    };
    session.until_events("a dial that nobody answers", 1, failed).await;
    session.apply(Command::Fault(FaultCommand::HealAll)).await;
    session.until("a link", |seen| links(seen).get(&a).is_some_and(|neighbors| neighbors.contains(&b))).await;
    session.say_and_reach(a, "here again", &[b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_stay_on_their_side_until_a_partition_ends() {
    let (mut session, _, peers) = Session::lab(watchful(), 1, 6).await;
    let (inside, outside) = peers.split_at(3);
    set(&mut session, FaultKind::Cut, Scope::border(inside.to_vec())).await;
    session.say_and_reach(inside[0], "within", inside).await;
    session.say_and_reach(outside[0], "without", outside).await;
    // What is still on its way when a partition ends arrives: so nobody may be linked across any more.
    let crosses = |node: &Addr, neighbor: &Addr| inside.contains(node) != inside.contains(neighbor);
    let is_parted = |seen: &[Event]| {
        let links = links(seen);
        let peers = links.iter().filter(|(node, _)| peers.contains(node));
        peers.into_iter().all(|(node, neighbors)| !neighbors.iter().any(|neighbor| crosses(node, neighbor)))
    };
    session.until("two overlays", is_parted).await;
    calm_down(&mut session).await;
    session.until_connected(&peers).await;
    session.say_and_reach(inside[1], "all", &peers).await;
    let got_over = session.events(|event| {
        outside.iter().any(|peer| received(event, *peer, "within"))
            || inside.iter().any(|peer| received(event, *peer, "without"))
    });
    assert!(got_over.is_empty(), "{got_over:?}");
}

async fn delayed(config: PeerConfig) {
    let (mut session, _, peers) = Session::lab(config, 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Delay { by_us: 300_000, jitter_us: 0 }, Scope::link(a, b)).await;
    session.say_and_reach(a, "one", &[b]).await;
    let at = |fits: &dyn Fn(&Event) -> bool| session.seen.iter().find(|event| fits(event)).unwrap().at;
    let sent = at(&|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. })));
    let came = at(&|event| received(event, b, "one"));
    let took = came.since(sent);
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}: it is dealt with at one end, not at both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_makes_messages_late_once() {
    delayed(calm(Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_works_in_the_classic_dialect_too() {
    delayed(classic(calm(Vec::new()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_a_link_that_loses_all_never_arrives() {
    let (mut session, _, peers) = Session::lab(watchful(), 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    let percent = Percent::new(100).unwrap();
    set(&mut session, FaultKind::Loss { percent }, Scope::link(a, b)).await;
    session.apply(Command::Say { node: a, body: "lost".into() }).await;
    session.until_events("probes that are lost, too", 1, death_of(a, b)).await;
    calm_down(&mut session).await;
    session.until_connected(&peers).await;
    session.say_and_reach(a, "found", &[b]).await;
    assert!(session.events(|event| received(event, b, "lost")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubled_message_is_received_once_and_counted_as_a_copy() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Duplicate { percent: Percent::new(100).unwrap() }, Scope::Node(b)).await;
    session.say_and_reach(a, "twice", &[b]).await;
    let copy =
        |event: &Event| event.node == b && matches!(event.kind, EventKind::Gossip(GossipEvent::Duplicate { .. }));
    session.until_events("a copy", 1, copy).await;
    assert_eq!(session.events(|event| received(event, b, "twice")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_to_a_slow_reader_fills_until_its_link_is_dropped() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    let (fast, slow) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Slow { per_s: 1 }, Scope::Node(slow)).await;
    let body = "x".repeat(60 * 1024);
    let too_slow = |event: &Event| {
        event.node == fast
            && matches!(event.kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::TooSlow, peer, .. }) if peer == slow)
    };
    // What the queue holds, and what the system's buffers may.
    for _ in 0..400 {
        session.apply(Command::Say { node: fast, body: body.as_str().into() }).await;
        session.catch_up();
        if !session.events(too_slow).is_empty() {
            break;
        }
    }
    session.until_events("the link to the slow one dropped", 1, too_slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_that_recovers_reads_the_backlog_in_order() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    let (talker, slow) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Slow { per_s: 1 }, Scope::Node(slow)).await;
    let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
    for line in &lines {
        session.apply(Command::Say { node: talker, body: line.as_str().into() }).await;
    }
    let said =
        |event: &Event| event.node == talker && matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
    session.until_events("all to be said", lines.len(), said).await;
    calm_down(&mut session).await;
    session.until_events("the last line", 1, |event| received(event, slow, "line 29")).await;
    let cleared =
        session.events(|event| matches!(event.kind, EventKind::Fault(FaultEvent::Cleared { .. }))).remove(0).at;
    let heard = session
        .events(|event| event.node == slow && matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. })));
    let bodies: Vec<String> = heard
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Gossip(GossipEvent::Received { body, .. }) => Some(body.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(bodies, lines);
    let took = heard.last().unwrap().at.since(cleared);
    assert!(took < Duration::from_secs(5), "{took:?}: at its pace it would have taken half a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_disputed_and_its_victim_stays_linked() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let (liar, about) = (peers[0], peers[1]);
    session.apply(Command::Fault(FaultCommand::Lie { liar, about })).await;
    let disputed = |event: &Event| matches!(event.kind, EventKind::Death(DeathEvent::ReportDisputed { dead, reporter, .. }) if dead == about && reporter == liar);
    let dispute = session.until_events("a dispute", 1, disputed).await.remove(0);
    assert_eq!(dispute.node, seeds[0]);
    let lied = |event: &Event| event.node == liar && matches!(event.kind, EventKind::Fault(FaultEvent::Lied { .. }));
    assert_eq!(session.until_events("the lie", 1, lied).await.len(), 1);
    let verifying = |event: &Event| matches!(event.kind, EventKind::Death(DeathEvent::DeadReportReceived { action: ReportAction::Verifying, dead, .. }) if dead == about);
    assert_eq!(session.events(verifying).len(), 1);
    session.say_and_reach(about, "I live", &peers).await;
    let refused = session.engine.apply(Command::Fault(FaultCommand::Lie { liar: seeds[0], about })).await.unwrap_err();
    assert!(refused.to_string().contains("seeds do not gossip"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_is_a_violation_at_its_target_until_it_ends() {
    for config in [calm(Vec::new()), classic(calm(Vec::new()))] {
        let (mut session, seeds, peers) = Session::lab(config, 1, 2).await;
        for node in [seeds[0], peers[1]] {
            set(&mut session, FaultKind::Junk { per_s: 20 }, Scope::Node(node)).await;
            let violation = |event: &Event| {
                event.node == node && matches!(event.kind, EventKind::Link(LinkEvent::Violation { .. }))
            };
            session.until_events("violations", 2, violation).await;
        }
        calm_down(&mut session).await;
        session.say_and_reach(peers[0], "unharmed", &peers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_shows_in_messages_and_survives_a_restart() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Skew { by_us: 60_000_000 }, Scope::Node(a)).await;
    for text in ["before", "after"] {
        session.say_and_reach(a, text, &[b]).await;
        let event = session.events(|event| received(event, b, text)).remove(0);
        let EventKind::Gossip(GossipEvent::Received { trace: Some(trace), .. }) = event.kind else {
            panic!("{event:?}")
        };
        let ahead = trace.sent.since(event.at);
        assert!(ahead > Duration::from_secs(50), "{text}: {ahead:?}");
        session.apply(Command::Kill(a)).await;
        session.until_events("a death", 1, death_of(a, b)).await;
        session.apply(Command::Restart(a)).await;
        session.until_connected(&peers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_faults_are_refused_with_a_reason() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    session.apply(Command::Kill(peers[1])).await;
    let cut = |on| Command::Fault(FaultCommand::Set(Fault { what: FaultKind::Cut, on }));
    let refused = session.engine.apply(cut(Scope::link(peers[0], peers[1]))).await.unwrap_err();
    assert_eq!(refused.to_string(), "p2 is gone: restart it first");
    let mut everybody = peers.clone();
    everybody.extend(session.seen.iter().map(|event| event.node).filter(|node| node.port() != 0));
    everybody.retain(|node| *node != peers[1]);
    let refused = session.engine.apply(cut(Scope::border(everybody))).await.unwrap_err();
    assert!(refused.to_string().starts_with("these are all nodes of this process"), "{refused}");
    let said = |event: &Event| matches!(&event.kind, EventKind::Node(NodeEvent::Failed { why, .. }) if why.to_string().contains("p2 is gone"));
    session.until_events("word of it", 1, said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_to_a_session_with_faults_meets_them_once() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 2).await;
    set(&mut session, FaultKind::Delay { by_us: 200_000, jitter_us: 0 }, Scope::All).await;
    let newcomer = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let everybody = [peers[0], peers[1], newcomer];
    session.until_connected(&everybody).await;
    session.say_and_reach(newcomer, "hello", &everybody).await;
    let of = |node: Addr| session.seen.iter().find(|event| received(event, node, "hello")).unwrap().at;
    let sent = session
        .seen
        .iter()
        .find(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. })))
        .unwrap()
        .at;
    let first = of(peers[0]).min(of(peers[1])).since(sent);
    assert!(first >= Duration::from_millis(200) && first < Duration::from_millis(390), "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fault_swallows_is_told_with_its_connection() {
    let (mut session, _, peers) = Session::lab(watchful(), 1, 2).await;
    let (a, b) = (peers[0], peers[1]);
    set(&mut session, FaultKind::Loss { percent: Percent::new(100).unwrap() }, Scope::link(a, b)).await;
    session.apply(Command::Say { node: a, body: "lost".into() }).await;
    let is_lost = |event: &Event| matches!(event.kind, EventKind::Gossip(GossipEvent::Lost { .. }));
    let lost = session.until_events("a loss", 1, is_lost).await.remove(0);
    let EventKind::Gossip(GossipEvent::Lost { id, loss }) = lost.kind else { panic!("{lost:?}") };
    let is_said = |event: &Event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }));
    let said = session.until_events("the message", 1, is_said).await;
    assert!(matches!(said[0].kind, EventKind::Gossip(GossipEvent::Generated { id: of, .. }) if of == id), "{said:?}");
    assert_eq!((lost.node, loss.from, loss.to, loss.why), (b, a, b, LossReason::Fault(FaultId(1))));
    let ends = session.events(
        |event| matches!(event.kind, EventKind::Link(LinkEvent::Up { peer, .. }) if [a, b].contains(&peer) && [a, b].contains(&event.node)),
    );
    let names: Vec<_> = ends
        .iter()
        .map(|event| match event.kind {
            EventKind::Link(LinkEvent::Up { connection, .. }) => connection.map(|name| (name.dialer, name.acceptor)),
            _ => None,
        })
        .collect();
    let told = loss.connection.map(|name| (name.dialer, name.acceptor));
    assert_eq!(names, [told, told], "both ends and the loss name the same connection");
}
