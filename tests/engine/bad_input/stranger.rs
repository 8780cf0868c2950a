//! Whoever connects and does not speak the protocol.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use gossipctl::event::{DeathEvent, Event, EventKind, Rule};
use gossipctl::net::wire::FRAME_LEN_MAX;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{DeathCause, Dialect};

use super::{assert_a_line, assert_undisturbed, encoded, hello, join, local_addr, log_lines, until_told, violation};
use crate::sockets::{Session, calm, classic};

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_one_violation_and_disturbs_nobody() {
    for config in [calm(Vec::new()), classic(calm(Vec::new()))] {
        let (mut session, seeds, peers) = Session::lab(config, 1, 3).await;
        for node in [peers[0], seeds[0]] {
            let mut stranger = TcpStream::connect(node.socket()).unwrap();
            stranger.write_all(b"\x1b[2J garbage \xff\xfe and more of it\r\n\r\n").unwrap();
            let who = local_addr(&stranger);
            until_told(&mut session, node, Rule::HelloExpected, &who, r"\x1b[2J garbage \xff\xfe").await;
        }
        assert_undisturbed(&mut session, &peers).await;
        assert_eq!(session.events(|event| violation(event).is_some()).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_is_told_as_what_it_is_and_disturbs_nobody() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let listen = Addr::loopback(9);
    // Of a hello: that is no way to begin.
    for node in [peers[0], seeds[0]] {
        let mut stranger = TcpStream::connect(node.socket()).unwrap();
        stranger.write_all(&encoded(Dialect::Framed, listen, &hello(listen))[..9]).unwrap();
        let who = local_addr(&stranger);
        drop(stranger);
        until_told(&mut session, node, Rule::Malformed, &who, r"\x00\x00\x00\rGSSP\x02").await;
    }
    // Of a later message: a neighbor that was cut off, and is dead.
    let mut neighbor = join(&mut session, Dialect::Framed, peers[0], listen).await;
    neighbor.write_all(b"\0\0\0\x31\x03\x7f\0").unwrap();
    drop(neighbor);
    let died = |event: &Event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::LinkError, .. }) if peer == listen);
    session.until_events("the death of who was cut off", 1, died).await;
    assert_a_line(&log_lines(&session), &["('127.0.0.1', 9) is dead: connection reset"]);
    assert_undisturbed(&mut session, &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_frame_is_refused_by_its_length() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    for (port, length) in [(9, u32::try_from(FRAME_LEN_MAX).unwrap() + 1), (10, u32::MAX)] {
        let listen = Addr::loopback(port);
        let mut neighbor = join(&mut session, Dialect::Framed, peers[0], listen).await;
        // Nothing of it has to come.
        neighbor.write_all(&[&length.to_be_bytes()[..], b"\x03"].concat()).unwrap();
        let shown = if length == u32::MAX { r"\xff\xff\xff\xff\x03" } else { r"\x00\x01\x00\x01\x03" };
        until_told(&mut session, peers[0], Rule::FrameTooLong, &listen.to_string(), shown).await;
    }
    assert_undisturbed(&mut session, &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_link_is_closed_in_time() {
    let mut config = calm(Vec::new());
    config.handshake_timeout = Duration::from_millis(500);
    let (mut session, _, peers) = Session::lab(config, 1, 3).await;
    let silent = TcpStream::connect(peers[0].socket()).unwrap();
    until_told(&mut session, peers[0], Rule::HandshakeTimeout, &local_addr(&silent), "").await;
    // Half a hello and then nothing is no better.
    let mut drip = TcpStream::connect(peers[1].socket()).unwrap();
    drip.write_all(b"\0\0\0").unwrap();
    until_told(&mut session, peers[1], Rule::HandshakeTimeout, &local_addr(&drip), "").await;
    assert_undisturbed(&mut session, &peers).await;
}
