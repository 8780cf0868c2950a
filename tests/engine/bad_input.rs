//! Strangers, and neighbors that do not behave.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use gossipctl::command::Command;
use gossipctl::event::{Direction, Event, EventKind, LinkEnd, Purpose, Rule};
use gossipctl::net::wire::{LinkContext, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{Dialect, Hello, Message, Priority, Role};
use gossipctl::proto::text::Body;
use tokio_util::codec::Encoder;

use crate::support::{ANYWHERE, Session, calm, classic, peer_at, seed_at};

fn violation(event: &Event) -> Option<Rule> {
    if let EventKind::Violation { violation, .. } = &event.kind { Some(violation.rule) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_one_violation_and_disturbs_nobody() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    for node in [peers[0], seeds[0]] {
        let mut stranger = TcpStream::connect(node.socket()).unwrap();
        stranger.write_all(b"\x1b[2J garbage \xff\xfe and more of it\r\n\r\n").unwrap();
        session.until("a violation", |seen| seen.iter().any(|at| at.node == node && violation(at).is_some())).await;
        let EventKind::Violation { remote, violation, .. } =
            &session.events(|event| event.node == node && violation(event).is_some())[0].kind
        else {
            unreachable!()
        };
        assert_eq!(*remote, stranger.local_addr().unwrap().to_string());
        assert!(violation.bytes.to_string().starts_with(r"\x1b[2J garbage"), "{violation:?}");
    }
    session.say_and_reach(peers[0], "we go on", &peers).await;
    assert_eq!(session.events(|event| violation(event).is_some()).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_says_nothing_is_dropped_in_time() {
    let mut config = calm(Vec::new());
    config.handshake_timeout = Duration::from_millis(200);
    let mut session = Session::new(config);
    let node = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let _silent = TcpStream::connect(node.socket()).unwrap();
    session.until("a violation", |seen| seen.iter().any(|at| violation(at) == Some(Rule::HandshakeTimeout))).await;
}

/// Connects as a peer that listens at `listen`, and says hello.
fn join(node: Addr, listen: Addr) -> TcpStream {
    introduce(Dialect::Framed, node, listen)
}

fn introduce(dialect: Dialect, node: Addr, listen: Addr) -> TcpStream {
    let context = LinkContext {
        dialect,
        local: listen,
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Outbound,
    };
    let hello = Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::High });
    let mut bytes = BytesMut::new();
    LinkEncoder::new(context).encode(&hello, &mut bytes).unwrap();
    let mut stream = TcpStream::connect(node.socket()).unwrap();
    stream.write_all(&bytes).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbor_that_never_reads_is_dropped_as_too_slow_and_holds_up_nobody() {
    let mut config = calm(Vec::new());
    config.liveness_interval = Duration::from_secs(600);
    let (mut session, _, peers) = Session::lab(config, 1, 2).await;
    let stuck = Addr::loopback(9);
    let _held = join(peers[0], stuck);
    session
        .until("a link to it", |seen| {
            seen.iter().any(|event| matches!(event.kind, EventKind::LinkUp { peer, .. } if peer == stuck))
        })
        .await;
    let too_slow =
        |event: &Event| matches!(event.kind, EventKind::LinkDown { peer, end: LinkEnd::TooSlow, .. } if peer == stuck);
    let body = Body::from("x".repeat(60_000));
    let mut said = 0;
    while session.events(too_slow).is_empty() {
        session.apply(Command::Say { node: peers[0], body: body.clone() }).await;
        said += 1;
        assert!(said < 1_000, "{} MB and never too slow", said * 60_000 / 1_000_000);
        session.catch_up();
    }
    let received = |event: &Event| event.node == peers[1] && matches!(event.kind, EventKind::Received { .. });
    session.until_events("all messages at the other neighbor", said, received).await;
    assert_eq!(session.events(|event| event.node == peers[1] && matches!(event.kind, EventKind::LinkDown { .. })), []);
}

/// A session whose nodes speak this.
fn speaking(dialect: Dialect, seeds: Vec<Addr>) -> Session {
    let mut config = calm(seeds);
    config.dialect = dialect;
    Session::new(config)
}

/// Both sides of a link say what the other one speaks, the one that dialled by the address that it dialled.
async fn both_say_so(dialler: &mut Session, target: Addr, accepter: &mut Session, speaks: [Dialect; 2]) {
    let says = |dialect| move |event: &Event| matches!(event.kind, EventKind::OtherDialect { speaks, .. } if speaks == dialect);
    let seen = dialler.until_events("what the dialled node speaks", 1, says(speaks[1])).await;
    let EventKind::OtherDialect { remote, .. } = &seen[0].kind else { unreachable!() };
    assert_eq!(*remote, target.to_string());
    accepter.until_events("what the dialling node speaks", 1, says(speaks[0])).await;
}

const EITHER_WAY: [[Dialect; 2]; 2] = [[Dialect::Framed, Dialect::Classic], [Dialect::Classic, Dialect::Framed]];

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_and_a_seed_of_the_other_dialect_both_say_what_the_other_speaks() {
    for speaks in EITHER_WAY {
        let mut elsewhere = speaking(speaks[1], Vec::new());
        let seed = elsewhere.engine.start(seed_at(ANYWHERE)).await.unwrap();
        let mut session = speaking(speaks[0], vec![seed]);
        session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        both_say_so(&mut session, seed, &mut elsewhere, speaks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_peers_of_different_dialects_both_say_what_the_other_speaks() {
    for speaks in EITHER_WAY {
        let mut elsewhere = speaking(speaks[1], Vec::new());
        let stranger = elsewhere.engine.start(peer_at(ANYWHERE)).await.unwrap();
        let mut session = speaking(speaks[0], Vec::new());
        let seed = session.engine.start_lab(1, 0).await.unwrap()[0];
        // The stranger is on the list, as a node would be that was restarted with another dialect.
        let _registered = introduce(speaks[0], seed, stranger);
        let listed = |event: &Event| matches!(event.kind, EventKind::PeerListed { peer, .. } if peer == stranger);
        session.until_events("the stranger on the list", 1, listed).await;
        session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        both_say_so(&mut session, stranger, &mut elsewhere, speaks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_the_dialect_cannot_carry_is_refused_and_not_sent() {
    let mut session = Session::new(classic(calm(Vec::new())));
    let node = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    for text in ["x".repeat(2_000), String::new(), "03.05.31:('127.0.0.1', 4000):mine".to_owned()] {
        session.engine.apply(Command::Say { node, body: text.into() }).await.unwrap_err();
    }
    session.apply(Command::Say { node, body: "fine".into() }).await;
    session
        .until("the good one", |seen| seen.iter().any(|event| matches!(event.kind, EventKind::Generated { .. })))
        .await;
    assert_eq!(session.events(|event| matches!(event.kind, EventKind::Generated { .. })).len(), 1);
    let failures = session.events(|event| matches!(event.kind, EventKind::Failed { .. }));
    assert_eq!(failures.len(), 3);
    let EventKind::Failed { what, why } = &failures[0].kind else { unreachable!() };
    assert_eq!(*what, format!("send a message from {node}"));
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
    assert_eq!(error.to_string(), format!("s1 ({seed}) is a seed, and seeds do not gossip: choose a peer"));
    let failed = |event: &Event| matches!(event.kind, EventKind::Failed { .. });
    session.until_events("both failures", 2, failed).await;
}
