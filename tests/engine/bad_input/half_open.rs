//! Many bad connections at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use gossipctl::clock::Clock;
use gossipctl::event::{Event, EventKind, LinkEvent, Rule};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::HALF_OPEN_MAX;

use super::{assert_a_line, assert_undisturbed, notices, violation};
use crate::sockets::{LIMIT, Session, calm};

const LINKS: usize = 10_000;
/// Connections that are opened before the closed ones among them are let go: with those that the node
/// keeps, and the node's own ends of both, few enough for a limit of 2,048 descriptors.
const WAVE: usize = 64;

/// Has the node closed it?
fn is_closed(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0; 16]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Opens so many connections to the node and says nothing; those that it keeps. In waves, each of which ends
/// when the node has looked at it: what it does not keep it closes at once.
fn open_silently(node: Addr, count: usize) -> Vec<TcpStream> {
    let (mut kept, clock) = (Vec::new(), Clock::start());
    for _ in 0..count / WAVE {
        for _ in 0..WAVE {
            let stream = TcpStream::connect(node.socket()).unwrap();
            stream.set_nonblocking(true).unwrap();
            kept.push(stream);
        }
        let patience = clock.now() + LIMIT;
        while kept.len() > HALF_OPEN_MAX {
            assert!(clock.now() < patience, "the node keeps {} connections that say nothing", kept.len());
            std::thread::yield_now();
            kept.retain_mut(|stream| !is_closed(stream));
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_silent_links_take_their_share_and_no_more() {
    let mut config = calm(Vec::new());
    // They are not to make room for each other by running out of time.
    config.handshake_timeout = Duration::from_secs(600);
    let (mut session, seeds, peers) = Session::lab(config, 1, 3).await;
    for node in [peers[0], seeds[0]] {
        let opening = tokio::task::spawn_blocking(move || open_silently(node, LINKS));
        // Meanwhile, and while they stay.
        session.say_and_reach(peers[0], &format!("while {node} is flooded"), &peers).await;
        let kept = opening.await.unwrap();
        assert!(kept.len() <= HALF_OPEN_MAX, "{} kept", kept.len());
        let turned_away = |event: &Event| event.node == node && violation(event) == Some(Rule::TooManyLinks);
        let told = session.until_events("a line about them", 1, turned_away).await.len();
        assert!(told <= 6, "{told} lines for one flood");
        assert_a_line(&notices(&session), &["more connections than allowed", "127.0.0.1:"]);
        assert_undisturbed(&mut session, &peers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_garbage_is_told_as_a_few_lines_and_a_number() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let node = peers[0];
    let flood = tokio::task::spawn_blocking(move || {
        for _ in 0..500 {
            let mut stranger = TcpStream::connect(node.socket()).unwrap();
            stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            // Closed or reset: it has been looked at.
            let _ = stranger.read(&mut [0; 16]);
        }
    });
    flood.await.unwrap();
    let more = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::MoreOffenses { .. }));
    session.until_events("the number of the others", 1, more).await;
    let told = session.events(|event| violation(event).is_some()).len() as u64;
    let counted: u64 = (session.seen.iter())
        .map(|event| if let EventKind::Link(LinkEvent::MoreOffenses { count, .. }) = event.kind { count } else { 0 })
        .sum();
    assert!(told <= 6, "{told} lines for one flood");
    assert!(counted > 400 && told + counted <= 500, "{told} told, {counted} counted");
    assert_a_line(&notices(&session), &["more like it from 127.0.0.1 in 10 s"]);
    assert_undisturbed(&mut session, &peers).await;
}
