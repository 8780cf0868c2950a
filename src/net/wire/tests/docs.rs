//! docs/wire.md shows bytes; these are the bytes.

use super::super::testing::{StreamEnd, context, read, reading, whole};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose};
use crate::proto::message::{
    DeathCause, Dialect, GoodbyeReason, Gossip, Hello, Message, MessageId, PeerSample, Priority, ProbeExtras,
    RefusalReason, Role, RootBeacon, RootNews, Trace,
};
use crate::proto::time::{ClockTime, Time};

const DOC: &str = include_str!("../../../../docs/wire.md");

/// The contents of the code blocks of this kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    DOC.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The bytes in front of the remarks.
fn bytes(block: &str) -> Vec<u8> {
    let hex = block.lines().map(|line| line.split_once("  ").map_or(line, |(hex, _)| hex));
    hex.flat_map(str::split_whitespace).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn clock(text: &str) -> ClockTime {
    ClockTime::parse(text.as_bytes()).unwrap()
}

fn framed_examples() -> Vec<Message> {
    let (p3000, p3001, p4000) = (Addr::loopback(3000), Addr::loopback(3001), Addr::loopback(4000));
    let moment = Time::from_micros(1_790_000_123_456_789);
    let beacon = RootBeacon { root: Addr::loopback(1000), fresh: moment };
    let asked = clock("03.05.29");
    vec![
        Message::Hello(Hello { listen: p3000, role: Role::Peer, priority: Priority::High }),
        Message::PeerList(PeerSample {
            peers: vec![p3001, Addr::loopback(3002)],
            listed: 1_000,
            lowest: Some(Addr::loopback(1_000)),
        }),
        Message::ListRequest,
        Message::Gossip(
            Gossip {
                id: MessageId { origin: p4000, run: 1_790_000_000_000_000, seq: 12 },
                body: "Gossip Message 1".into(),
                trace: Some(Trace { sent: moment, hop: 2 }),
            }
            .into(),
        ),
        Message::Probe {
            seq: 7,
            asker: p3000,
            clock: asked,
            extras: Some(ProbeExtras { neighbors: 4, root: RootNews::Nothing }),
        },
        Message::ProbeReply {
            seq: 7,
            asker: p3000,
            clock: asked,
            extras: Some(ProbeExtras { neighbors: 3, root: RootNews::Beacon(beacon) }),
        },
        Message::DeadReport {
            dead: p4000,
            clock: clock("03.05.55"),
            reporter: p3000,
            cause: Some(DeathCause::Misses { misses: 3 }),
        },
        Message::Refusal { reason: RefusalReason::Full, referral: vec![p3001] },
        Message::Goodbye { reason: GoodbyeReason::Leaving, referral: vec![] },
    ]
}

#[test]
fn the_framed_examples_of_the_docs_are_what_is_written_and_read() {
    let bytes: Vec<u8> = blocks("hex").into_iter().flat_map(bytes).collect();
    assert_eq!(whole(Dialect::Framed, &framed_examples()), bytes);
    assert_eq!(read(context(Dialect::Framed), [&bytes[..]]), (framed_examples(), StreamEnd::Clean));
}

#[test]
fn the_classic_examples_of_the_docs_are_written_and_read() {
    let lines: Vec<&str> = blocks("classic").into_iter().flat_map(str::lines).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        let (messages, end) = read(context(Dialect::Classic), [line.as_bytes()]);
        assert_eq!((messages.len(), end), (1, StreamEnd::Clean), "{line}");
        assert_eq!(String::from_utf8(whole(Dialect::Classic, &messages)).unwrap(), line);
    }
}

#[test]
fn the_pickle_of_the_docs_is_what_is_written_and_read() {
    let bytes = bytes(blocks("hex-pickle")[0]);
    let list = Message::PeerList(vec![Addr::loopback(3001), "10.0.0.7:80".parse().unwrap()].into());
    assert_eq!(whole(Dialect::Classic, std::slice::from_ref(&list)), bytes);
    let context = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
    assert_eq!(read(context, [&bytes[..]]), (vec![list], StreamEnd::Clean));
}
