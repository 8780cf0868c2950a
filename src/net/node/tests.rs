//! The driver with a machine that does one thing.

use crate::event::{LinkEvent, NodeEvent};
use std::io::{self, Read};

use super::*;
use crate::feed::{Feed, feed};
use crate::net::bind;
use crate::net::wire::{LinkContext, LinkDecoder};
use crate::platform::raise_descriptor_limit;
use crate::proto::chance::Chance;
use crate::proto::config::{HALF_OPEN_MAX, LINKS_MAX};
use crate::proto::event::{Direction, Purpose, Violation};
use crate::proto::message::{Dialect, GoodbyeReason, Hello, Message, Priority, Role};
use tokio_util::codec::Decoder as _;

/// Keeps every connection, or says hello and goodbye and hangs up; tells who is turned away.
struct Doorman {
    me: Addr,
    keeps: bool,
}

impl Machine for Doorman {
    fn handle(&mut self, _now: Time, input: Input, out: &mut impl Output) {
        if let Input::Rejected { remote, rule } = input {
            let violation = Violation::new(rule, b"");
            out.emit(|| LinkEvent::Violation { connection: None, remote, peer: None, violation });
        } else if let Input::Link { link, change: LinkChange::Accepted { .. } } = input
            && !self.keeps
        {
            let hello = Hello { listen: self.me, role: Role::Peer, priority: Priority::Low };
            out.send(link, &Message::Hello(hello));
            out.send(link, &goodbye());
            out.hang_up(link);
        }
    }

    fn next_deadline(&self) -> Option<Time> {
        None
    }
}

fn goodbye() -> Message {
    Message::Goodbye { reason: GoodbyeReason::Leaving, referral: vec![Addr::loopback(3000); 64] }
}

fn start(keeps: bool) -> (Addr, Handle, Feed) {
    start_within(keeps, Reach::default())
}

fn start_within(keeps: bool, reach: Reach) -> (Addr, Handle, Feed) {
    let (tap, feed) = feed(1_024);
    let (listener, addr) = bind::listen(Addr::loopback(0)).unwrap();
    let me = Identity { addr, role: Role::Peer, dialect: Dialect::Framed };
    let faults = NodeFaults::new(addr, Chance::new(1), Arc::default());
    let setup = Setup { me, listener, reach, clock: Clock::start(), taps: Arc::new([tap]), faults };
    (addr, spawn(Doorman { me: addr, keeps }, setup), feed)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_at_once() {
    raise_descriptor_limit();
    let (addr, _node, mut feed) = start(true);
    let max = HALF_OPEN_MAX + LINKS_MAX;
    let mut inside = Vec::new();
    for _ in 0..max {
        inside.push(tokio::net::TcpStream::connect(addr.socket()).await.unwrap());
    }
    for _ in 0..20 {
        let refused = tokio::net::TcpStream::connect(addr.socket()).await.unwrap();
        assert_closed(&refused).await;
        assert_eq!(told(&mut feed).await, (Addr::try_from(refused.local_addr().unwrap()).unwrap(), Rule::TooManyLinks));
    }
    for stream in inside {
        assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}

async fn assert_closed(stream: &tokio::net::TcpStream) {
    let read = async {
        stream.readable().await?;
        stream.try_read(&mut [0; 1])
    };
    let end = timeout(Duration::from_secs(10), read).await.unwrap();
    assert!(!matches!(end, Ok(1..)), "{end:?}");
}

/// Who was turned away, and why.
async fn told(feed: &mut Feed) -> (Addr, Rule) {
    let delivery = timeout(Duration::from_secs(10), feed.recv()).await.unwrap().unwrap();
    match &delivery.batch[0].kind {
        EventKind::Link(LinkEvent::Violation { remote, violation, .. }) => (*remote, violation.rule),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_a_hang_up_arrives() {
    let (addr, _node, _feed) = start(false);
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(addr.socket()).unwrap();
        std::io::Write::write_all(&mut stream, &[0; 1_000]).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).map(|_| all)
    });
    let bytes = timeout(Duration::from_secs(10), read).await.unwrap().unwrap().unwrap();
    let context = LinkContext {
        dialect: Dialect::Framed,
        local: addr,
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Outbound,
    };
    let (mut decoder, mut buffer) = (LinkDecoder::new(context), bytes[..].into());
    assert!(matches!(decoder.decode(&mut buffer).unwrap(), Some(Message::Hello(_))));
    assert_eq!(decoder.decode(&mut buffer).unwrap(), Some(goodbye()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_that_never_closes_delays_a_leaver_only_so_long() {
    let (addr, mut node, mut feed) = start(false);
    let _open = tokio::net::TcpStream::connect(addr.socket()).await.unwrap();
    node.control.send(Control::Leave { after: Duration::ZERO }).await.unwrap();
    timeout(LEAVE_TIMEOUT + Duration::from_secs(5), node.ended()).await.unwrap();
    let last = feed.recv().await.unwrap();
    assert_eq!(last.batch[0].kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_link_is_closed_before_anything_of_it_is_read() {
    let (listener, addr) = bind::listen(Addr::loopback(0)).unwrap();
    let clock = Clock::start();
    let connected = async || {
        let client = tokio::net::TcpStream::connect(addr.socket()).await.unwrap();
        client.try_write(b"let me in").unwrap();
        (client, listener.accept().await.unwrap().0)
    };
    let (refused, allowed) = (connected().await, connected().await);
    let me = Identity { addr, role: Role::Peer, dialect: Dialect::Framed };
    let reach = Reach::new(["10.0.0.0/8".parse().unwrap()]);
    let (_control, controls) = mpsc::channel(1);
    let (listener, _) = bind::listen(Addr::loopback(0)).unwrap();
    let faults = NodeFaults::new(addr, Chance::new(1), Arc::default());
    let setup = Setup { me, listener, reach, clock, taps: Arc::new([]), faults };
    let mut node = NodeTask::new(Doorman { me: addr, keeps: true }, setup, controls);
    let input = node.accept(refused.1, ([192, 0, 2, 9], 4711).into());
    assert!(matches!(input, Some(Input::Rejected { rule: Rule::NotAllowed, .. })), "{input:?}");
    assert_closed(&refused.0).await;
    assert!(!node.links.is_open(LinkId(1)), "no link, so no reader");
    let input = node.accept(allowed.1, ([10, 0, 0, 9], 4711).into());
    assert!(matches!(input, Some(Input::Link { link: LinkId(1), .. })), "{input:?}");
}
