//! Those who register by an address at which they do not listen.

use gossipctl::event::{EventKind, SeedEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::Dialect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{encoded, hello, introduce, join};
use crate::sockets::{ANYWHERE, LIMIT, Session, calm, peer_at, seed_at};

/// What a seed sends first: a frame of 13 bytes, `GSSP`, version 2, its address, its role, its priority.
const HELLO_LEN: usize = 17;
/// Where the role of a hello is: 0 for a seed.
const ROLE_AT: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_dials_newcomers_and_names_few_that_do_not_answer() {
    let mut elsewhere = Session::new(calm(Vec::new()));
    let seed = elsewhere.engine.start(seed_at(ANYWHERE)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proven = Addr::try_from(listener.local_addr().unwrap()).unwrap();
    let _registration = introduce(Dialect::Framed, seed, proven);

    let (mut asked, _) = timeout(LIMIT, listener.accept()).await.expect("the seed dials back").unwrap();
    let mut first = [0; HELLO_LEN];
    asked.read_exact(&mut first).await.unwrap();
    assert_eq!((&first[4..8], first[ROLE_AT]), (&b"GSSP"[..], 0));
    asked.write_all(&encoded(Dialect::Framed, proven, &hello(proven))).await.unwrap();
    let closed = timeout(LIMIT, asked.read(&mut first)).await.expect("the seed knows enough");
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");

    let mut nobody = Vec::new();
    for port in 1..=60 {
        let name = Addr::new([127, 9, 9, 9].into(), port);
        nobody.push(join(&mut elsewhere, Dialect::Framed, seed, name).await);
    }
    let mut session = Session::new(calm(vec![seed]));
    for _ in 0..3 {
        let newcomer = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
        let is_list = |event: &gossipctl::event::Event| {
            event.node == newcomer && matches!(event.kind, EventKind::Seed(SeedEvent::PeerListReceived { .. }))
        };
        let lists = session.until_events("a list", 1, is_list).await;
        let EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) = &lists[0].kind else { unreachable!() };
        assert!(peers.contains(&proven), "{peers:?}");
        let of_nobody = peers.iter().filter(|peer| peer.ip().octets()[1] == 9).count();
        assert!((20..=32).contains(&of_nobody), "{of_nobody} of 60");
    }
}
