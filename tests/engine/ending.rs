//! How classic nodes of ours end, as the Python nodes beside them see it: never with a reset.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use gossipctl::command::Command;
use gossipctl::event::{DeathEvent, Event, EventKind, LinkEnd, LinkEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::LINKS_MAX;
use gossipctl::proto::message::DeathCause;
use gossipctl::proto::pacing::CLASSIC_QUEUE_MESSAGES_MAX;

use crate::python::{Python, eventually};
use crate::sockets::{ANYWHERE, LIMIT, Session, calm, classic, peer_at};

/// A Python seed, and a Python peer that keeps what it sends short.
async fn python_network() -> (Python, Python) {
    let seed = Python::seed();
    let python = Python::peer(seed.addr, &[]);
    eventually("its registration", || seed.list().contains(&python.addr)).await;
    (seed, python)
}

fn assert_live(pythons: &[&Python], what: &str) {
    for python in pythons {
        assert_eq!(python.died(), None, "{} died of {what}", python.addr);
    }
}

/// A peer of ours that has a link to the Python peer.
async fn neighbor_of(seed: &Python, python: &Python, session: &mut Session) -> Addr {
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    eventually("a link to the Python peer", || {
        assert_live(&[seed, python], "a newcomer");
        python.neighbors().contains(&ours)
    })
    .await;
    ours
}

/// The Python peer has noticed the end, and the Python seed has heard of it.
async fn until_noticed(seed: &Python, python: &Python, ended: Addr) {
    assert_live(&[seed, python], "an end");
    eventually("the Python peer to notice", || !python.neighbors().contains(&ended)).await;
    eventually("its report", || !seed.list().contains(&ended)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_hangs_and_cuts_of_classic_peers_end_no_python_node() {
    end_nodes(6).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two hundred nodes: run by hand"]
async fn two_hundred_ends_of_classic_peers_end_no_python_node() {
    end_nodes(200).await;
}

/// Ends classic peers of this process, so many and one more.
async fn end_nodes(rounds: usize) {
    let (seed, python) = python_network().await;
    let mut session = Session::new(classic(calm(vec![seed.addr])));
    for round in 0..rounds {
        let ours = neighbor_of(&seed, &python, &mut session).await;
        let gossip = format!("03.05.31:{}:Gossip Message 1{round}", python.addr.python());
        let what = match round % 3 {
            0 => "a kill",
            1 => {
                python.write_to_all(&gossip);
                "a kill in the middle of a message"
            }
            _ => {
                session.apply(Command::Hang(ours)).await;
                // What a node that hangs has not read is read when it ends.
                python.write_to_all(&gossip);
                "the kill of one that hangs"
            }
        };
        session.apply(Command::Kill(ours)).await;
        until_noticed(&seed, &python, ours).await;
        assert_live(&[&seed, &python], what);
    }
    // The last, because it has the Python seed take the Python peer off its list.
    let ours = neighbor_of(&seed, &python, &mut session).await;
    session.apply(Command::Cut { node: ours, peer: python.addr }).await;
    until_noticed(&seed, &python, ours).await;
    assert_live(&[&seed, &python], "a cut");
}

/// A node of ours in a process of its own, which ends with it.
struct Ours(Child);

impl Ours {
    fn start(seed: Addr, dir: &std::path::Path) -> Self {
        std::fs::write(dir.join("config.txt"), seed.to_string()).unwrap();
        let args = ["peer", "--headless", "--no-journal", "--wire", "classic"];
        let child = Process::new(env!("CARGO_BIN_EXE_gossipctl"))
            .args(args)
            .current_dir(dir)
            .env("XDG_CONFIG_HOME", "/no/such/place")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn until_line(&mut self, part: &str) {
        let lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line.contains(part)), "it ended before it said {part}");
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills processes with a classic peer each, so many times.
async fn kill_processes(rounds: usize) {
    let (seed, python) = python_network().await;
    let dir = tempfile::tempdir().unwrap();
    for round in 0..rounds {
        let mut ours = Ours::start(seed.addr, dir.path());
        eventually("a link to the Python peer", || {
            assert_live(&[&seed, &python], "a newcomer");
            python.neighbors().len() == 1
        })
        .await;
        let addr = python.neighbors()[0];
        eventually("its registration", || seed.list().contains(&addr)).await;
        // What the process has told of, it has read.
        python.write_to_all(&format!("03.05.31:{}:Gossip Message 1{round}", python.addr.python()));
        ours.until_line("Received Gossip Message");
        ours.kill();
        until_noticed(&seed, &python, addr).await;
        assert_live(&[&seed, &python], "a kill -9");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_9_of_a_classic_peer_ends_no_python_node() {
    kill_processes(3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two hundred processes: run by hand"]
async fn two_hundred_kills_with_signal_9_end_no_python_node() {
    kill_processes(200).await;
}

/// A stranger's link to a peer of ours, which says this.
fn say_to(peer: Addr, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(peer.socket()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(words).unwrap();
    stream
}

/// What a blocking reader sees of an end: no error, then or after it has written once more.
fn assert_ends_without_reset(mut stream: TcpStream, what: &str) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    for _ in 0..3 {
        stream.write_all(b"Liveness Request").unwrap_or_else(|error| panic!("{what}, then a write: {error}"));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(
            stream.read(&mut [0; 8]).unwrap_or_else(|error| panic!("{what}, then a read: {error}")),
            0,
            "{what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_end_of_a_classic_link_of_ours_is_a_reset() {
    let mut session = Session::new(classic(calm(Vec::new())));
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let name = |port: u16| Addr::loopback(port).python().to_string().into_bytes();

    // Much is unread behind what breaks the rule.
    let offender = say_to(ours, &[name(9), vec![b'x'; 200_000]].concat());
    session
        .until_events("a violation", 1, |event| matches!(event.kind, EventKind::Link(LinkEvent::Violation { .. })))
        .await;
    tokio::task::spawn_blocking(move || assert_ends_without_reset(offender, "a violation")).await.unwrap();

    let slow = say_to(ours, &name(10));
    let linked = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }));
    session.until_events("a link", 1, linked).await;
    for n in 0..2 * CLASSIC_QUEUE_MESSAGES_MAX {
        session.apply(Command::Say { node: ours, body: format!("m{n}").into() }).await;
    }
    let too_slow = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Down { end: LinkEnd::TooSlow, .. }));
    session.until_events("a full queue", 1, too_slow).await;
    tokio::task::spawn_blocking(move || assert_ends_without_reset(slow, "a full queue")).await.unwrap();

    let neighbor = say_to(ours, &name(11));
    session.until_events("another link", 2, linked).await;
    session.apply(Command::Kill(ours)).await;
    tokio::task::spawn_blocking(move || assert_ends_without_reset(neighbor, "a kill")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_classic_peer_closes_without_an_error() {
    let (mut session, _, peers) = Session::lab(classic(calm(Vec::new())), 1, 3).await;
    session.say_and_reach(peers[0], "heard", &peers).await;
    session.apply(Command::Kill(peers[0])).await;
    let died = |event: &Event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { peer, cause: DeathCause::Closed, .. }) if peer == peers[0]);
    session.until_events("its death", 2, died).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_to_be_accepted_by_a_classic_peer_is_not_reset() {
    let mut session = Session::new(classic(calm(Vec::new())));
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    session.apply(Command::Hang(ours)).await;
    let waiting = say_to(ours, Addr::loopback(9).python().to_string().as_bytes());
    session.apply(Command::Kill(ours)).await;
    tokio::task::spawn_blocking(move || assert_ends_without_reset(waiting, "the kill of one that hangs"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_classic_link_too_many_is_not_reset() {
    let mut session = Session::new(classic(calm(Vec::new())));
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let name = |number: usize| Addr::loopback(u16::try_from(number).unwrap()).python().to_string().into_bytes();
    let linked = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }));
    let mut links = Vec::new();
    for number in 1..=LINKS_MAX {
        links.push(say_to(ours, &name(number)));
        session.until_events("a link", number, linked).await;
    }
    let one_more = say_to(ours, &name(LINKS_MAX + 1));
    tokio::task::spawn_blocking(move || assert_ends_without_reset(one_more, "a link too many")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_classic_node_leaves_nothing_unread_in_the_system() {
    // More than any system keeps for a connection.
    const MUCH: usize = 32 * 1024 * 1024;
    let mut session = Session::new(classic(calm(Vec::new())));
    let ours = session.engine.start(peer_at(ANYWHERE)).await.unwrap();
    let mut stream = say_to(ours, Addr::loopback(9).python().to_string().as_bytes());
    session.until_events("a link", 1, |event| matches!(event.kind, EventKind::Link(LinkEvent::Up { .. }))).await;
    session.apply(Command::Hang(ours)).await;
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    tokio::task::spawn_blocking(move || stream.write_all(&vec![b'x'; MUCH])).await.unwrap().unwrap();
}
