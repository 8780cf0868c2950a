//! What holds for every message and every way of cutting a stream into segments. For bytes that are no
//! messages, `tests/readers.rs` does the same.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::super::testing::{StreamEnd, context, read, reading};
use super::super::{LinkContext, LinkDecoder, LinkEncoder};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose};
use crate::proto::message::{
    DeathCause, Dialect, GoodbyeReason, Gossip, Hello, Message, MessageId, PeerSample, Priority, ProbeExtras,
    RefusalReason, Role, RootBeacon, RootNews, Trace,
};
use crate::proto::time::{ClockTime, Time};

fn addr() -> impl Strategy<Value = Addr> {
    (any::<[u8; 4]>(), any::<u16>())
        .prop_map(|(ip, port)| Addr::new(ip.into(), port))
        .prop_filter("dialable", |addr| addr.is_dialable())
}

fn clock() -> impl Strategy<Value = ClockTime> {
    (0..86_400_u32).prop_map(|seconds| ClockTime::from_seconds(seconds).unwrap())
}

fn time() -> impl Strategy<Value = Time> {
    any::<u64>().prop_map(Time::from_micros)
}

fn addrs() -> impl Strategy<Value = Vec<Addr>> {
    vec(addr(), 0..40)
}

fn extras() -> impl Strategy<Value = Option<ProbeExtras>> {
    let root = prop_oneof![
        Just(RootNews::Nothing),
        (addr(), time()).prop_map(|(root, fresh)| RootNews::Beacon(RootBeacon { root, fresh })),
        addr().prop_map(RootNews::Attested),
    ];
    proptest::option::of((any::<u16>(), root).prop_map(|(neighbors, root)| ProbeExtras { neighbors, root }))
}

fn cause() -> impl Strategy<Value = Option<DeathCause>> {
    proptest::option::of(prop_oneof![
        any::<u32>().prop_map(|misses| DeathCause::Misses { misses }),
        Just(DeathCause::LinkError),
        Just(DeathCause::Closed),
        Just(DeathCause::Cut),
        Just(DeathCause::Lie),
    ])
}

fn hello() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::Seed), Just(Role::Peer)];
    let priority = prop_oneof![Just(Priority::Low), Just(Priority::High), Just(Priority::Bridge)];
    (addr(), role, priority).prop_map(|(listen, role, priority)| Message::Hello(Hello { listen, role, priority }))
}

fn framed_gossip() -> impl Strategy<Value = Message> {
    let id = (addr(), any::<u64>(), any::<u64>()).prop_map(|(origin, run, seq)| MessageId { origin, run, seq });
    let trace = (time(), 1..=u16::MAX).prop_map(|(sent, hop)| Some(Trace { sent, hop }));
    let body = vec(any::<u8>(), 0..1_500).prop_map(Bytes::from);
    (id, body, trace).prop_map(|(id, body, trace)| Message::Gossip(Arc::new(Gossip { id, body: body.into(), trace })))
}

fn framed_message() -> impl Strategy<Value = Message> {
    use GoodbyeReason::{Duplicate, Leaving, MadeRoom, Replaced};
    use RefusalReason::{Cut, Full, Myself, WrongRole};
    let refusal = prop_oneof![Just(Full), Just(Cut), Just(Myself), Just(WrongRole)];
    let goodbye = prop_oneof![Just(Leaving), Just(MadeRoom), Just(Duplicate), Just(Replaced)];
    let probe = || (any::<u64>(), addr(), clock(), extras());
    prop_oneof![
        hello(),
        (addrs(), any::<u32>(), proptest::option::of(addr()))
            .prop_map(|(peers, listed, lowest)| Message::PeerList(PeerSample { peers, listed, lowest })),
        Just(Message::ListRequest),
        framed_gossip(),
        probe().prop_map(|(seq, asker, clock, extras)| Message::Probe { seq, asker, clock, extras }),
        probe().prop_map(|(seq, asker, clock, extras)| Message::ProbeReply { seq, asker, clock, extras }),
        (addr(), clock(), addr(), cause()).prop_map(|(dead, clock, reporter, cause)| Message::DeadReport {
            dead,
            clock,
            reporter,
            cause
        }),
        (refusal, addrs()).prop_map(|(reason, referral)| Message::Refusal { reason, referral }),
        (goodbye, addrs()).prop_map(|(reason, referral)| Message::Goodbye { reason, referral }),
    ]
}

/// Texts that are hard to tell from what follows them.
fn classic_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        (0..200_u64).prop_map(|k| format!("Gossip Message {k}")),
        "\\PC{0,20}",
        Just("03.05.".to_owned()),
        Just("03.05.31:".to_owned()),
        Just("Liveness Re".to_owned()),
        Just("Liveness Request:".to_owned()),
        Just("Dead Node:".to_owned()),
        Just("('127.0.0.1', 3000)".to_owned()),
        Just("\u{1b}\0\n".to_owned()),
    ];
    vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn classic_message() -> impl Strategy<Value = Message> {
    let gossip = (addr(), clock(), classic_text()).prop_map(|(origin, clock, text)| {
        let id = MessageId::classic(origin, clock, text.as_bytes());
        Message::Gossip(Arc::new(Gossip { id, body: text.into(), trace: None }))
    });
    let seq = |clock: ClockTime| u64::from(clock.seconds());
    prop_oneof![
        4 => gossip,
        1 => (addr(), clock()).prop_map(move |(asker, clock)| Message::Probe { seq: seq(clock), asker, clock, extras: None }),
        1 => (addr(), clock())
            .prop_map(move |(asker, clock)| Message::ProbeReply { seq: seq(clock), asker, clock, extras: None }),
        1 => (addr(), clock(), addr())
            .prop_map(|(dead, clock, reporter)| Message::DeadReport { dead, clock, reporter, cause: None }),
    ]
}

/// What the start of a good stream, or the middle of a bad one, is made of.
const PIECES: [&[u8]; 17] = [
    b"03.05.31:('127.0.0.1', 4000):",
    b"Gossip Message 1",
    b"Liveness Request:",
    b"Liveness Reply:03.05.29:('127.0.0.1', 3000):",
    b"('127.0.0.1', 3000)",
    b"Dead Node:",
    b"03.05.31:",
    b"\xc3",
    b"\xa9",
    &[b'x'; 330],
    b"\x80\x04\x95\x15\0\0\0\0\0\0\0]\x94\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94a.",
    b"\x80\x02]q\0(",
    b"X\t\0\0\x00127.0.0.1q\x01M\xb9\x0b\x86q\x02",
    b"e.",
    b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0",
    b"\0\0\0\x22\x03\x7f\0\0\x01\x0f\xa0\0\0\0\0j\xb1;\x80\0\0\0\0\0\0\0\x0c\0\x06[\xff\x02\x980\x15\0\x02x",
    b"\0\0\0\x09\x01\0\x01\x7f\0\0\x01\x0b\xb9",
];

/// Bytes that get a decoder some way before they turn out to be wrong, or not.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let known = proptest::sample::select(&PIECES[..]).prop_map(<[u8]>::to_vec);
    let piece = prop_oneof![8 => known, 1 => vec(any::<u8>(), 0..6)];
    vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// A gossip message up to its first character.
const GOSSIP: &[u8] = b"03.05.31:('127.0.0.1', 4000):x";

/// The stream in segments of these lengths, again and again.
fn cut<'a>(stream: &'a [u8], lens: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut segments = Vec::new();
    for len in lens.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (segment, behind) = rest.split_at(rest.len().min(*len));
        segments.push(segment);
        rest = behind;
    }
    segments
}

fn segment_lens() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..4_usize, 1..100_usize], 1..8)
}

/// Those of the messages that can be written, and the bytes of each.
fn written(messages: Vec<Message>, context: LinkContext) -> (Vec<Message>, Vec<Bytes>) {
    let mut encoder = LinkEncoder::new(context);
    let pairs = messages.into_iter().filter_map(|message| {
        let mut bytes = BytesMut::new();
        encoder.encode(&message, &mut bytes).ok()?;
        Some((message, bytes.freeze()))
    });
    pairs.unzip()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_framed_message_reads_back_however_it_is_cut(
        hello in hello(), rest in vec(framed_message(), 0..8), lens in segment_lens(),
    ) {
        let messages: Vec<Message> = std::iter::once(hello).chain(rest).collect();
        let (written, bytes) = written(messages.clone(), context(Dialect::Framed));
        prop_assert_eq!(&written, &messages);
        let stream = bytes.concat();
        prop_assert_eq!(read(context(Dialect::Framed), cut(&stream, &lens)), (messages, StreamEnd::Clean));
    }

    #[test]
    fn classic_messages_read_back_however_they_are_joined_and_cut(
        messages in vec(classic_message(), 0..8), lens in segment_lens(),
    ) {
        let (messages, bytes) = written(messages, context(Dialect::Classic));
        let stream = bytes.concat();
        prop_assert_eq!(read(context(Dialect::Classic), cut(&stream, &lens)), (messages, StreamEnd::Clean));
    }

    #[test]
    fn every_list_reads_back_from_its_pickle(list in vec(addr(), 0..40), lens in segment_lens()) {
        let messages = vec![Message::PeerList(list.into())];
        let (written, bytes) = written(messages.clone(), context(Dialect::Classic));
        prop_assert_eq!(written.len(), 1);
        let link = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
        prop_assert_eq!(read(link, cut(&bytes[0], &lens)), (messages, StreamEnd::Clean));
    }

    #[test]
    fn classic_messages_with_silence_between_are_read_one_by_one(messages in vec(classic_message(), 0..8)) {
        let (messages, bytes) = written(messages, context(Dialect::Classic));
        let mut decoder = LinkDecoder::new(context(Dialect::Classic));
        let mut src = BytesMut::new();
        let mut got = Vec::new();
        for segment in bytes {
            src.extend_from_slice(&segment);
            while let Some(message) = decoder.decode(&mut src).unwrap() {
                got.push(message);
            }
            got.extend(decoder.quiet(&src).and_then(|_| decoder.flush(&mut src).unwrap()));
        }
        got.extend(decoder.decode_eof(&mut src).unwrap());
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn gossip_is_passed_on_byte_for_byte(stream in bytes()) {
        let link = context(Dialect::Classic);
        let (messages, _) = read(link, [GOSSIP, &stream].concat().chunks(7));
        let gossip = messages.into_iter().filter(|message| matches!(message, Message::Gossip(_))).collect();
        let stream = [GOSSIP, &stream].concat();
        for bytes in written(gossip, link).1 {
            prop_assert!(stream.windows(bytes.len()).any(|window| window == bytes), "{}", bytes.escape_ascii());
        }
    }
}
