//! The framed dialect, met by strangers.

use std::sync::Arc;

use bytes::BytesMut;
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::super::testing::{StreamEnd, context, gossip_with, read, reading, whole};
use super::super::{EncodeError, FRAME_LEN_MAX, LinkDecoder, LinkEncoder, WireError};
use crate::proto::addr::Addr;
use crate::proto::config::{BODY_LEN_MAX, LIST_LEN_MAX};
use crate::proto::event::{Direction, Purpose, Rule, Unwritable};
use crate::proto::message::{Dialect, GoodbyeReason, Hello, Message, Priority, RefusalReason, Role, Trace};

const HELLO: [u8; 17] = *b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0";

fn hello() -> Message {
    Message::Hello(Hello { listen: Addr::loopback(3000), role: Role::Peer, priority: Priority::Low })
}

fn read_framed(bytes: &[u8]) -> (Vec<Message>, StreamEnd) {
    let context = reading(Dialect::Framed, Purpose::Neighbor, Direction::Inbound);
    let whole = read(context, [bytes]);
    assert_eq!(read(context, bytes.chunks(1)), whole, "byte by byte");
    whole
}

/// How a link ends on which this follows a hello.
fn after_hello(bytes: &[u8]) -> StreamEnd {
    let (messages, end) = read_framed(&[&HELLO, bytes].concat());
    assert_eq!(messages, [hello()]);
    end
}

fn frame(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap();
    [&len.to_be_bytes(), content].concat()
}

#[test]
fn a_stranger_that_does_not_say_hello_is_told_apart() {
    let cases: [(&[u8], StreamEnd); 10] = [
        (b"GET / HTTP/1.1\r\n\r\n", StreamEnd::Broken(Rule::HelloExpected)),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", StreamEnd::Broken(Rule::HelloExpected)),
        (b"\0\0\0\x01\x02", StreamEnd::Broken(Rule::HelloExpected)),
        (b"\0\0\0\0", StreamEnd::Broken(Rule::HelloExpected)),
        (b"\0\0\x01\0GSSP\x02", StreamEnd::Broken(Rule::HelloExpected)),
        (b"\0\0\0\x0dGSSP\x01\x7f\0\0\x01\x0b\xb8\x01\0", StreamEnd::Broken(Rule::UnknownVersion)),
        (b"\0\0\0\x10GSSP\x03 and whatever", StreamEnd::Broken(Rule::UnknownVersion)),
        (b"\0\0\0\x06GSSP\x02\x7f", StreamEnd::Broken(Rule::Malformed)),
        (b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\0\0\x01\0", StreamEnd::Broken(Rule::BadAddress)),
        (b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x02\0", StreamEnd::Broken(Rule::Malformed)),
    ];
    for (bytes, end) in cases {
        assert_eq!(read_framed(bytes), (vec![], end), "{}", bytes.escape_ascii());
    }
}

#[test]
fn whoever_does_not_want_a_link_says_so_instead_of_hello() {
    let referral = vec![Addr::loopback(3001)];
    for message in [
        Message::Refusal { reason: RefusalReason::Full, referral: referral.clone() },
        Message::Goodbye { reason: GoodbyeReason::Duplicate, referral },
        // Shorter than any hello: the length alone must not decide.
        Message::Goodbye { reason: GoodbyeReason::MadeRoom, referral: Vec::new() },
    ] {
        let bytes = whole(Dialect::Framed, std::slice::from_ref(&message));
        assert_eq!(read_framed(&bytes).0, [message]);
    }
}

#[test]
fn a_classic_node_is_recognized_by_whatever_it_says_first() {
    let first: [&[u8]; 6] = [
        b"('127.0.0.1', 3000)",
        b"\x80\x04\x95\x15\0\0\0\0\0\0\0]\x94",
        b"\x80\x02]q\0.",
        b"03.05.31:('127.0.0.1', 4000):Gossip Message 1",
        b"Liveness Request:03.05.29:('127.0.0.1', 3000)",
        b"Dead Node:('127.0.0.1', 4000):03.05.55:('127.0.0.1', 3000)",
    ];
    for bytes in first {
        assert_eq!(read_framed(bytes), (vec![], StreamEnd::Speaks(Dialect::Classic)), "{}", bytes.escape_ascii());
    }
    let error = WireError::OtherDialect { speaks: Dialect::Classic, named: None }.to_string();
    assert_eq!(error, "it speaks the classic dialect; start this node with --wire classic");
}

#[test]
fn bytes_that_are_no_message_break_a_rule() {
    let gossip_without_text = [&b"\x03\x7f\0\0\x01\x0f\xa0"[..], &[0; 24], &[0, 0]].concat();
    let gossip_of_no_time = [&b"\x03\x7f\0\0\x01\x0f\xa0"[..], &[0; 16], &[0xff; 8], &[0, 1], b"text"].concat();
    let cases: [(Vec<u8>, Rule); 13] = [
        (frame(b""), Rule::Malformed),
        (frame(b"\x00"), Rule::Malformed),
        (frame(b"\x09"), Rule::Malformed),
        (frame(b"\x02 "), Rule::Malformed),
        (frame(b"\x01\0\x02\x7f\0\0\x01\x0b\xb9"), Rule::Malformed),
        (frame(b"\x01\0\x01\xff\xff\xff\xff\x0b\xb9"), Rule::BadAddress),
        (frame(b"\x01\x20\x01"), Rule::ListTooLong),
        (frame(b"\x07\x04\0\0"), Rule::Malformed),
        (frame(b"\x03\x7f\0\0\x01\x0f\xa0"), Rule::Malformed),
        (frame(&gossip_without_text), Rule::Malformed),
        (frame(&gossip_of_no_time), Rule::Malformed),
        (frame(b"\x06\x7f\0\0\x01\x0f\xa0\0\x01\x51\x80\x7f\0\0\x01\x0b\xb8\0"), Rule::Malformed),
        (frame(b"GSSQ\x01\x7f\0\0\x01\x0b\xb8\x01\0"), Rule::Malformed),
    ];
    for (bytes, rule) in cases {
        assert_eq!(after_hello(&bytes), StreamEnd::Broken(rule), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_second_hello_is_read_so_that_the_node_can_object() {
    assert_eq!(read_framed(&[HELLO, HELLO].concat()), (vec![hello(), hello()], StreamEnd::Clean));
}

#[test]
fn what_is_too_long_is_refused_by_its_first_bytes() {
    assert_eq!(after_hello(&u32::to_be_bytes(65_537)), StreamEnd::Broken(Rule::FrameTooLong));
    assert_eq!(after_hello(b"\xff\xff\xff\xff"), StreamEnd::Broken(Rule::FrameTooLong));
    assert_eq!(after_hello(&[&u32::to_be_bytes(61_474)[..], b"\x03"].concat()), StreamEnd::Broken(Rule::TextTooLong));
}

#[test]
fn a_violation_shows_the_first_bytes_of_the_offense() {
    let mut decoder = LinkDecoder::new(context(Dialect::Framed));
    let mut src = BytesMut::from(&b"GET / HTTP/1.1\r\nHost: gossip.example.com\r\n"[..]);
    let error = decoder.decode(&mut src).unwrap_err().to_string();
    assert_eq!(error, r"something else than its address came first: 'GET / HTTP/1.1\r\nHost: gossip.exa'");
}

#[test]
fn a_node_that_dies_within_a_frame_has_broken_no_rule() {
    assert_eq!(after_hello(b"\0\0\0\x31\x03\x7f\0"), StreamEnd::CutOff);
    assert_eq!(after_hello(b"\0"), StreamEnd::CutOff);
    assert_eq!(read_framed(&HELLO[..9]), (vec![], StreamEnd::Broken(Rule::Malformed)));
    assert_eq!(read_framed(b""), (vec![], StreamEnd::Clean));
}

#[test]
fn the_longest_text_and_list_pass_and_no_longer_ones() {
    let longest = [
        hello(),
        Message::Gossip(Arc::new(gossip_with(vec![0xff; BODY_LEN_MAX].into()))),
        Message::PeerList(vec![Addr::loopback(3001); LIST_LEN_MAX].into()),
    ];
    let bytes = whole(Dialect::Framed, &longest);
    assert_eq!(read(context(Dialect::Framed), bytes.chunks(16_384)), (longest.to_vec(), StreamEnd::Clean));

    let mut encoder = LinkEncoder::new(context(Dialect::Framed));
    let mut dst = BytesMut::from("before");
    let text = Message::Gossip(Arc::new(gossip_with(vec![0; BODY_LEN_MAX + 1].into())));
    let error = encoder.encode(&text, &mut dst).unwrap_err();
    assert_eq!(error.to_string(), "a text of 61441 bytes is too long: the framed dialect takes up to 61440");
    let list = Message::PeerList(vec![Addr::loopback(3001); LIST_LEN_MAX + 1].into());
    let error = encoder.encode(&list, &mut dst).unwrap_err();
    assert_eq!(error.to_string(), "a list of 65 addresses is too long: the framed dialect takes up to 64");
    assert_eq!(dst, "before");
}

#[test]
fn gossip_that_never_had_a_hop_count_is_not_written() {
    let mut encoder = LinkEncoder::new(context(Dialect::Framed));
    for trace in [None, gossip_with("x".into()).trace.map(|trace| Trace { hop: 0, ..trace })] {
        let gossip = crate::proto::message::Gossip { trace, ..gossip_with("x".into()) };
        let error = encoder.encode(&Message::Gossip(Arc::new(gossip)), &mut BytesMut::new()).unwrap_err();
        assert!(matches!(error, EncodeError::Unwritable(Unwritable::NoTrace)));
    }
}

#[test]
fn a_gossip_body_is_a_slice_of_the_read_buffer() {
    let message = Message::Gossip(Arc::new(gossip_with("somewhere in the buffer".into())));
    let mut src = BytesMut::from(&whole(Dialect::Framed, &[hello(), message])[..]);
    let memory = src.as_ptr_range();
    let mut decoder = LinkDecoder::new(context(Dialect::Framed));
    decoder.decode(&mut src).unwrap();
    let Some(Message::Gossip(gossip)) = decoder.decode(&mut src).unwrap() else { panic!("gossip was sent") };
    assert!(memory.contains(&gossip.body.as_bytes().as_ptr()));
    assert!(src.is_empty());
}

#[test]
fn a_frame_makes_room_for_itself_and_no_more() {
    let mut decoder = LinkDecoder::new(context(Dialect::Framed));
    let mut src = BytesMut::from(&HELLO[..]);
    decoder.decode(&mut src).unwrap();
    src.extend_from_slice(&u32::to_be_bytes(u32::try_from(FRAME_LEN_MAX).unwrap()));
    assert!(decoder.decode(&mut src).unwrap().is_none());
    assert!(src.capacity() >= 4 + FRAME_LEN_MAX && src.capacity() <= 2 * FRAME_LEN_MAX, "{}", src.capacity());
}
