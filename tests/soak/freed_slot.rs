//! A Python peer with four links that frees a slot after more than a minute, with a peer of ours in its backlog all the
//! while.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use gossipctl::clock::Clock;
use gossipctl::command::{Command, NodeSpec, Placement};
use gossipctl::engine::Settings;
use gossipctl::net::SocketEngine;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::PeerConfig;
use gossipctl::proto::message::{Dialect, Role};

use crate::python::{Python, eventually};
use crate::python_rules::Habits;

/// Four of these, and it takes who never answers for dead: 75 s.
const LIVENESS: Duration = Duration::from_millis(18_750);
const FREED_AFTER: Duration = Duration::from_secs(70);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes 80 seconds of real time: cargo test --test soak -- --ignored"]
async fn a_python_peer_lives_when_a_slot_frees_after_75_seconds() {
    let seed = Python::seed();
    let habits = Habits { liveness_interval: LIVENESS, ..Habits::default() };
    let python = Python::peer_with(seed.addr, &[], habits);
    let stranger = |port: u16| {
        let mut stream = TcpStream::connect(python.addr.socket()).unwrap();
        stream.write_all(Addr::loopback(port).python().to_string().as_bytes()).unwrap();
        stream
    };
    let strangers: Vec<TcpStream> = (1..=4).map(stranger).collect();
    eventually("four links", || python.neighbors().len() == 4).await;

    let mut peer = PeerConfig::new(Addr::loopback(0), vec![seed.addr]);
    peer.dialect = Dialect::Classic;
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_secs(2));
    let mut engine = SocketEngine::new(Settings::of_peers(peer, 7), Clock::start(), Vec::new());
    let listen = Placement::At(Addr::loopback(0));
    let ours = engine.start(NodeSpec { role: Role::Peer, listen }).await.unwrap();
    tokio::time::sleep(FREED_AFTER).await;
    assert!(!python.neighbors().contains(&ours), "it was full until now");

    let died = || python.died().or(seed.died());
    eventually("a slot, and our link in it", || python.neighbors().contains(&ours) || died().is_some()).await;
    assert_eq!(died(), None);
    // It says something itself, if late, so that our peer takes it for a neighbor.
    tokio::time::sleep(LIVENESS).await;
    engine.apply(Command::Say { node: ours, body: "hello".into() }).await.unwrap();
    eventually("our message there", || python.has_received("hello") || died().is_some()).await;
    assert_eq!((died(), python.neighbors()), (None, vec![ours]));
    drop(strangers);
}
