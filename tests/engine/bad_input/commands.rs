//! Commands that cannot be carried out.

use gossipctl::command::Command;
use gossipctl::event::{Attempt, Event, EventKind, GossipEvent, NodeEvent};
use gossipctl::proto::addr::Addr;

use crate::sockets::{ANYWHERE, Session, calm, classic, peer_at, seed_at};

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_the_dialect_cannot_carry_is_refused_and_not_sent() {
    let mut session = Session::new(classic(calm(Vec::new())));
    let node = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    for text in ["x".repeat(2_000), String::new(), "03.05.31:('127.0.0.1', 4000):mine".to_owned()] {
        session.engine.apply(Command::Say { node, body: text.into() }).await.unwrap_err();
    }
    session.apply(Command::Say { node, body: "fine".into() }).await;
    session
        .until("the good one", |seen| {
            seen.iter().any(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. })))
        })
        .await;
    assert_eq!(session.events(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }))).len(), 1);
    let failures = session.events(|event| matches!(event.kind, EventKind::Node(NodeEvent::Failed { .. })));
    assert_eq!(failures.len(), 3);
    let EventKind::Node(NodeEvent::Failed { what, why }) = &failures[0].kind else { unreachable!() };
    assert_eq!(*what, Attempt::Say(node));
    let why = why.to_string();
    assert!(why.contains("2000 bytes") && why.contains("shorten it"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_for_nodes_that_are_not_there_say_so() {
    let mut session = Session::new(calm(Vec::new()));
    let seed = session.engine.start(seed_at(ANYWHERE)).await.unwrap();
    let nobody = Addr::loopback(9);
    let error = session.engine.apply(Command::Kill(nobody)).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1:9 is not a node of this process");
    let error = session.engine.apply(Command::Say { node: seed, body: "hello".into() }).await.unwrap_err();
    let port = seed.port();
    assert_eq!(error.to_string(), format!(":{port} is a seed, and seeds do not gossip: choose a peer"));
    let failed = |event: &Event| matches!(event.kind, EventKind::Node(NodeEvent::Failed { .. }));
    session.until_events("both failures", 2, failed).await;
}
