//! Strangers, and neighbors that do not behave: each kind of bad input ends in a line that a user reads,
//! and disturbs nobody else. What stands between each of them and harm is listed in docs/RELIABILITY.md.

mod commands;

mod dialects;
mod floods;
mod half_open;
mod neighbor;
mod registrations;
mod seed;
mod stranger;

use std::io::Write;
use std::net::TcpStream;

use bytes::BytesMut;
use gossipctl::event::{DeathEvent, Direction, Event, EventKind, LinkEvent, Purpose, Rule};
use gossipctl::model::Model;
use gossipctl::net::wire::{LinkContext, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{Dialect, Hello, Message, Priority, Role};
use gossipctl::session::lines::log_line;
use tokio_util::codec::Encoder;

use crate::sockets::Session;

fn violation(event: &Event) -> Option<Rule> {
    if let EventKind::Link(LinkEvent::Violation { violation, .. }) = &event.kind { Some(violation.rule) } else { None }
}

/// What the console's notices say.
fn notices(session: &Session) -> Vec<String> {
    let mut model = Model::new();
    session.seen.iter().for_each(|event| model.apply(event));
    model.notices().iter().map(|(_, notice)| model.notice_text(notice)).collect()
}

/// What the log files and `--headless` say.
fn log_lines(session: &Session) -> Vec<String> {
    session.seen.iter().filter_map(|event| log_line(event, 0)).collect()
}

/// One of these lines holds all of these words.
fn assert_a_line(lines: &[String], words: &[&str]) {
    let found = lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "no line with {words:?} in\n{}", lines.join("\n"));
}

/// Waits until `node` tells that a remote broke this rule, and sees that the user reads it on the screen
/// and in the log: the rule, who it was, and the first bytes, escaped.
async fn until_told(session: &mut Session, node: Addr, rule: Rule, who: &str, bytes: &str) {
    let is_it = |event: &Event| match &event.kind {
        EventKind::Link(LinkEvent::Violation { remote, peer, violation, .. }) => {
            let named = peer.is_some_and(|peer| peer.to_string() == who);
            event.node == node && violation.rule == rule && (remote.to_string() == who || named)
        }
        _ => false,
    };
    session.until_events(&format!("the violation '{rule}' at {node}"), 1, is_it).await;
    let rule = rule.to_string();
    // On the screen an address of this machine is its port.
    assert_a_line(&notices(session), &[&rule, &who.replace("127.0.0.1:", ":"), bytes]);
    let python = who.parse::<Addr>().map_or_else(|_| who.to_owned(), |addr| addr.python().to_string());
    let either = |line: &String| line.contains(who) || line.contains(&python);
    let lines: Vec<String> = log_lines(session).into_iter().filter(either).collect();
    assert_a_line(&lines, &[&rule, bytes]);
}

/// Messages still reach everybody, nobody was taken for dead, and no link between these is down.
async fn assert_undisturbed(session: &mut Session, peers: &[Addr]) {
    session.say_and_reach(peers[0], "we go on", peers).await;
    let harmed = |event: &Event| match event.kind {
        EventKind::Death(DeathEvent::NeighborDied { peer, .. }) | EventKind::Link(LinkEvent::Down { peer, .. }) => {
            peers.contains(&event.node) && peers.contains(&peer)
        }
        _ => false,
    };
    // Links that joining peers gave up for others are not meant.
    let settled = session.settled_at;
    assert_eq!(session.events(|event| harmed(event) && event.at > settled), []);
}

fn local_addr(stream: &TcpStream) -> String {
    stream.local_addr().unwrap().to_string()
}

fn context(dialect: Dialect, local: Addr) -> LinkContext {
    LinkContext { dialect, local, role: Role::Peer, purpose: Purpose::Neighbor, direction: Direction::Outbound }
}

fn encoded(dialect: Dialect, local: Addr, message: &Message) -> BytesMut {
    let mut bytes = BytesMut::new();
    LinkEncoder::new(context(dialect, local)).encode(message, &mut bytes).unwrap();
    bytes
}

fn hello(listen: Addr) -> Message {
    Message::Hello(Hello { listen, role: Role::Peer, priority: Priority::High })
}

/// Connects as a peer that listens at `listen`, and says hello.
fn introduce(dialect: Dialect, node: Addr, listen: Addr) -> TcpStream {
    let mut stream = TcpStream::connect(node.socket()).unwrap();
    stream.write_all(&encoded(dialect, listen, &hello(listen))).unwrap();
    stream
}

/// The same, and waits until the node has a link to it.
async fn join(session: &mut Session, dialect: Dialect, node: Addr, listen: Addr) -> TcpStream {
    let stream = introduce(dialect, node, listen);
    let is_up = |event: &Event| {
        event.node == node && matches!(event.kind, EventKind::Link(LinkEvent::Up { peer, .. }) if peer == listen)
    };
    session.until_events("a link to the newcomer", 1, is_up).await;
    stream
}
