//! Nodes that meet the other dialect.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use gossipctl::event::{Event, EventKind, LinkEvent, Rule, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::Dialect;

use super::{assert_a_line, introduce, local_addr, notices, until_told};
use crate::sockets::{ANYWHERE, Session, calm, peer_at, seed_at};

/// A session whose nodes speak this.
fn speaking(dialect: Dialect, seeds: Vec<Addr>) -> Session {
    let mut config = calm(seeds);
    config.dialect = dialect;
    Session::new(config)
}

/// Both sides of a link say what the other one speaks, the one that dialed by the address that it dialed.
async fn both_say_so(dialer: &mut Session, target: Addr, accepter: &mut Session, speaks: [Dialect; 2]) {
    let says = |dialect| move |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::OtherDialect { speaks, .. }) if speaks == dialect);
    let seen = dialer.until_events("what the dialed node speaks", 1, says(speaks[1])).await;
    let EventKind::Link(LinkEvent::OtherDialect { remote, .. }) = &seen[0].kind else { unreachable!() };
    assert_eq!(*remote, target);
    accepter.until_events("what the dialing node speaks", 1, says(speaks[0])).await;
}

const EITHER_WAY: [[Dialect; 2]; 2] = [[Dialect::Framed, Dialect::Classic], [Dialect::Classic, Dialect::Framed]];

#[tokio::test(flavor = "multi_thread")]
async fn peer_and_seed_both_say_that_the_dialects_differ() {
    for speaks in EITHER_WAY {
        let mut elsewhere = speaking(speaks[1], Vec::new());
        let seed = elsewhere.engine.start(seed_at(ANYWHERE)).await.unwrap();
        let mut session = speaking(speaks[0], vec![seed]);
        session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        both_say_so(&mut session, seed, &mut elsewhere, speaks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_peers_both_say_that_their_dialects_differ() {
    for speaks in EITHER_WAY {
        let mut elsewhere = speaking(speaks[1], Vec::new());
        let stranger = elsewhere.engine.start(peer_at(ANYWHERE)).await.unwrap();
        let mut seeds = speaking(speaks[0], Vec::new());
        let seed = seeds.engine.start(seed_at(ANYWHERE)).await.unwrap();
        // The stranger is on the list, as a node would be that was restarted with another dialect.
        let _registered = introduce(speaks[0], seed, stranger);
        let listed = |event: &Event| matches!(event.kind, EventKind::Seed(SeedEvent::PeerListed { peer, .. }) if peer == stranger);
        seeds.until_events("the stranger on the list", 1, listed).await;
        let mut session = speaking(speaks[0], vec![seed]);
        session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        both_say_so(&mut session, stranger, &mut elsewhere, speaks).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dials_in_the_other_dialect_is_told_by_where_it_listens() {
    for [ours, theirs] in EITHER_WAY {
        let mut session = speaking(ours, Vec::new());
        let node = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        let stranger = introduce(theirs, node, Addr::loopback(9));
        let remote = stranger.local_addr().unwrap();
        let met = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::OtherDialect { .. }));
        session.until_events("the other dialect", 1, met).await;
        let words = format!("127.0.0.1:9 (connected from {remote}) speaks the {theirs} dialect");
        assert_a_line(&notices(&session), &[&words, &format!("--wire {theirs}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_version_can_read_which_one_we_speak() {
    let (mut session, seeds, peers) = Session::lab(calm(Vec::new()), 1, 1).await;
    for node in [seeds[0], peers[0]] {
        let mut old = TcpStream::connect(node.socket()).unwrap();
        let who = local_addr(&old);
        old.write_all(b"\0\0\0\x0dGSSP\x01\x7f\0\0\x01\x0b\xb8\x01\0").unwrap();
        until_told(&mut session, node, Rule::UnknownVersion, &who, "GSSP").await;
        old.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut start = [0; 9];
        old.read_exact(&mut start).unwrap();
        assert_eq!(&start[4..], b"GSSP\x02", "{node}");
    }
}
