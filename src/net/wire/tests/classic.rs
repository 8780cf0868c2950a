//! The classic dialect: texts without frames, and the Python nodes at the other end.

use std::sync::Arc;

use bytes::BytesMut;
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::super::testing::{StreamEnd, context, gossip_with, read, reading, whole};
use super::super::{CLASSIC_QUIET, LinkContext, LinkDecoder, LinkEncoder, classic_text_problem};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose, Rule};
use crate::proto::message::{
    DeathCause, Dialect, GoodbyeReason, Gossip, Hello, Message, MessageId, Priority, ProbeExtras, RefusalReason, Role,
    RootNews,
};
use crate::proto::pacing::CLASSIC_WRITE_GAP;
use crate::proto::time::ClockTime;

const GOSSIP: &str = "03.05.31:('127.0.0.1', 4000):Gossip Message 1";

/// A link to a peer that we dialed: text at once.
fn text() -> LinkContext {
    context(Dialect::Classic)
}

/// A link that the other side dialed: its address first.
fn accepted() -> LinkContext {
    reading(Dialect::Classic, Purpose::Neighbor, Direction::Inbound)
}

fn clock(text: &str) -> ClockTime {
    ClockTime::parse(text.as_bytes()).unwrap()
}

fn gossip(port: u16, time: &str, body: &str) -> Message {
    let id = MessageId::classic(Addr::loopback(port), clock(time), body.as_bytes());
    Message::Gossip(Arc::new(Gossip { id, body: body.into(), trace: None }))
}

fn hello(port: u16) -> Message {
    Message::Hello(Hello { listen: Addr::loopback(port), role: Role::Peer, priority: Priority::Low })
}

fn probe(port: u16, time: &str) -> Message {
    let clock = clock(time);
    Message::Probe { seq: clock.seconds().into(), asker: Addr::loopback(port), clock, extras: None }
}

/// What is read of these bytes, whole and byte by byte.
fn read_all(context: LinkContext, bytes: impl AsRef<[u8]>) -> (Vec<Message>, StreamEnd) {
    let bytes = bytes.as_ref();
    let whole = read(context, [bytes]);
    assert_eq!(read(context, bytes.chunks(1)), whole, "byte by byte: {}", bytes.escape_ascii());
    whole
}

#[test]
fn joined_messages_come_apart_where_the_grammar_says() {
    let joined = "03.05.31:('127.0.0.1', 4000):Gossip Message 103.05.31:('127.0.0.1', 4001):Gossip Message 12\
        Liveness Request:03.05.29:('127.0.0.1', 3000)03.05.32:('127.0.0.1', 4000):hello, world\
        Liveness Reply:03.05.29:('127.0.0.1', 3000):('127.0.0.1', 4000)03.05.33:('127.0.0.1', 4000):x\
        Dead Node:('127.0.0.1', 4000):03.05.55:('127.0.0.1', 3000)03.05.34:('127.0.0.1', 4000):Gossip Message 2";
    let (asked, died) = (clock("03.05.29"), clock("03.05.55"));
    let (p3000, p4000) = (Addr::loopback(3000), Addr::loopback(4000));
    let expected = vec![
        gossip(4000, "03.05.31", "Gossip Message 1"),
        gossip(4001, "03.05.31", "Gossip Message 12"),
        probe(3000, "03.05.29"),
        gossip(4000, "03.05.32", "hello, world"),
        Message::ProbeReply { seq: asked.seconds().into(), asker: p3000, clock: asked, extras: None },
        gossip(4000, "03.05.33", "x"),
        Message::DeadReport { dead: p4000, clock: died, reporter: p3000, cause: None },
        gossip(4000, "03.05.34", "Gossip Message 2"),
    ];
    assert_eq!(read_all(text(), joined), (expected, StreamEnd::Clean));
}

#[test]
fn who_dials_names_itself() {
    let stream = format!("('127.0.0.1', 3000){GOSSIP}");
    let expected = vec![hello(3000), gossip(4000, "03.05.31", "Gossip Message 1")];
    assert_eq!(read_all(accepted(), &stream), (expected.clone(), StreamEnd::Clean));
    let seed = LinkContext { role: Role::Seed, ..reading(Dialect::Classic, Purpose::Registration, Direction::Inbound) };
    assert_eq!(read_all(seed, &stream), (expected, StreamEnd::Clean));

    assert_eq!(whole(Dialect::Classic, &[hello(3000)]), b"('127.0.0.1', 3000)");
}

#[test]
fn a_text_is_delivered_once_the_link_is_quiet() {
    let mut decoder = LinkDecoder::new(text());
    let mut src = BytesMut::from(GOSSIP);
    assert_eq!(decoder.decode(&mut src).unwrap(), None, "a 2 may follow");
    assert_eq!(decoder.quiet(&src), Some(CLASSIC_QUIET));
    src.extend_from_slice(b"2");
    assert_eq!(decoder.decode(&mut src).unwrap(), None);
    assert_eq!(decoder.flush(&mut src).unwrap(), Some(gossip(4000, "03.05.31", "Gossip Message 12")));
    assert_eq!((decoder.quiet(&src), src.len()), (None, 0));
    assert_eq!(decoder.flush(&mut src).unwrap(), None);
}

#[test]
fn a_message_split_by_the_network_waits_for_its_rest() {
    let starts = ["03.05.31:('127.0.0.1', 40", "03.05.31:('127.0.0.1', 4000):", "Liveness Requ", "Dead Node:("];
    let tails = ["Liven", "03.05", "03.05.31:", "Liveness Request:03.05.29:", "Dead Node:"]
        .map(|tail| format!("{GOSSIP}{tail}"));
    let in_character = [GOSSIP.as_bytes(), b"\xc3"].concat();
    let cut =
        starts.iter().map(|text| text.as_bytes()).chain(tails.iter().map(String::as_bytes)).chain([&in_character[..]]);
    for bytes in cut {
        let mut decoder = LinkDecoder::new(text());
        let mut src = BytesMut::from(bytes);
        assert!(decoder.decode(&mut src).unwrap().is_none(), "{}", bytes.escape_ascii());
        assert_eq!(decoder.quiet(&src), None, "{}", bytes.escape_ascii());
        assert!(decoder.flush(&mut src).unwrap().is_none(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_message_that_is_followed_by_another_waits_for_nothing() {
    let mut decoder = LinkDecoder::new(text());
    let mut src = BytesMut::from(&format!("{GOSSIP}03.05.32:('127")[..]);
    assert_eq!(decoder.decode(&mut src).unwrap(), Some(gossip(4000, "03.05.31", "Gossip Message 1")));
    assert_eq!(src, "03.05.32:('127");
}

#[test]
fn silence_is_shorter_than_the_gap_between_two_writes() {
    assert!(CLASSIC_QUIET < CLASSIC_WRITE_GAP);
    assert_eq!(LinkEncoder::new(text()).write_gap(), Some(CLASSIC_WRITE_GAP));
    assert_eq!(LinkEncoder::new(context(Dialect::Framed)).write_gap(), None);
}

#[test]
fn what_only_looks_like_a_message_is_part_of_the_text() {
    let texts = [
        "at 03.05.31: lunch",
        "29.61.00:('127.0.0.1', 3000)",
        "Liveness Request: are you there?",
        "Dead Node: none",
        "('127.0.0.1', 3000)",
        "\u{1b}[31mred\0\n",
        "Liveness Reply:99.99.99:('127.0.0.1', 3000)",
    ];
    for body in texts {
        let stream = format!("03.05.31:('127.0.0.1', 4000):{body}{GOSSIP}");
        let expected = vec![gossip(4000, "03.05.31", body), gossip(4000, "03.05.31", "Gossip Message 1")];
        assert_eq!(read_all(text(), &stream), (expected.clone(), StreamEnd::Clean), "{body}");
        assert_eq!(whole(Dialect::Classic, &expected), stream.as_bytes(), "forwarded as it came");
    }
}

#[test]
fn bytes_that_are_no_message_break_a_rule() {
    let long = format!("03.05.31:('127.0.0.1', 4000):{}", "x".repeat(1_000));
    let cases: [(&[u8], Rule); 14] = [
        (b"hello", Rule::Malformed),
        (b"\n", Rule::Malformed),
        (b"3.05.31:('127.0.0.1', 4000):x", Rule::Malformed),
        (b"24.00.00:('127.0.0.1', 4000):x", Rule::Malformed),
        (b"03.05.31:(127.0.0.1, 4000):x", Rule::Malformed),
        (b"03.05.31:('127.0.0.1',4000):x", Rule::Malformed),
        (b"03.05.31:('127.0.0.1', +400):x", Rule::Malformed),
        (b"03.05.31:('127.0.0.1', 04000):x", Rule::Malformed),
        (b"03.05.31:__import__('os'):x", Rule::Malformed),
        (b"03.05.31:('localhost', 4000):x", Rule::BadAddress),
        (b"03.05.31:('0.0.0.0', 4000):x", Rule::BadAddress),
        (b"03.05.31:('127.0.0.1', 70000):x", Rule::BadAddress),
        (b"03.05.31:('127.0.0.1', 4000):\xff", Rule::Malformed),
        (long.as_bytes(), Rule::TextTooLong),
    ];
    for (bytes, rule) in cases {
        assert_eq!(read_all(text(), bytes), (vec![], StreamEnd::Broken(rule)), "{}", bytes.escape_ascii());
    }
    let empty = format!("03.05.31:('127.0.0.1', 4000):{GOSSIP}");
    assert_eq!(read_all(text(), empty), (vec![], StreamEnd::Broken(Rule::Malformed)));
}

#[test]
fn a_text_of_the_greatest_length_is_read_and_no_longer_one() {
    let head = "03.05.31:('127.0.0.1', 4000):";
    let longest = "x".repeat(1_000 - head.len());
    let expected = vec![gossip(4000, "03.05.31", &longest), gossip(4000, "03.05.31", "Gossip Message 1")];
    assert_eq!(read_all(text(), format!("{head}{longest}{GOSSIP}")), (expected, StreamEnd::Clean));
    let longer = format!("{head}{longest}x{GOSSIP}");
    assert_eq!(read_all(text(), longer), (vec![], StreamEnd::Broken(Rule::TextTooLong)));
}

#[test]
fn an_address_that_is_none_is_told_from_something_else() {
    assert_eq!(read_all(accepted(), "GET / HTTP/1.1"), (vec![], StreamEnd::Broken(Rule::HelloExpected)));
    assert_eq!(read_all(accepted(), GOSSIP), (vec![], StreamEnd::Broken(Rule::HelloExpected)));
    assert_eq!(read_all(accepted(), "('localhost', 3000)"), (vec![], StreamEnd::Broken(Rule::BadAddress)));
    assert_eq!(read_all(accepted(), "('127.0.0.1', 0)"), (vec![], StreamEnd::Broken(Rule::BadAddress)));
    assert_eq!(read_all(accepted(), "('255.255.255.2555', 1)"), (vec![], StreamEnd::Broken(Rule::BadAddress)));
    assert_eq!(read_all(accepted(), "(\"127.0.0.1\", 3000)"), (vec![hello(3000)], StreamEnd::Clean));
}

#[test]
fn a_framed_node_is_recognized_by_its_hello() {
    let framed = whole(Dialect::Framed, &[hello(3000)]);
    let list = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
    for context in [text(), accepted(), list] {
        assert_eq!(read_all(context, &framed), (vec![], StreamEnd::Speaks(Dialect::Framed)));
    }
    assert_eq!(read_all(accepted(), b"\0\0\0\x05ABCDE"), (vec![], StreamEnd::Broken(Rule::HelloExpected)));
}

#[test]
fn a_node_that_dies_within_a_message_has_broken_no_rule() {
    assert_eq!(read_all(text(), "Liveness Request:03.05"), (vec![], StreamEnd::CutOff));
    assert_eq!(read_all(text(), "03.05.31:('127.0.0.1', 4000):"), (vec![], StreamEnd::CutOff));
    assert_eq!(read_all(text(), ""), (vec![], StreamEnd::Clean));
    assert_eq!(read_all(accepted(), "('127.0"), (vec![], StreamEnd::Broken(Rule::Malformed)));
    assert_eq!(read_all(accepted(), ""), (vec![], StreamEnd::Clean));
}

#[test]
fn a_text_that_would_be_taken_for_a_message_is_not_written() {
    let refused = [
        ("see 03.05.31:('127.0.0.1', 1)", "'03.05.31:('127.0' in the text would start another message"),
        ("Liveness Request", "'Liveness Request' in the text would start another message"),
        ("a Dead Node", "'Dead Node' in the text would start another message"),
        ("\u{1b}[2J", r"the control character '\x1b', which acts on the terminals of classic nodes"),
        ("", "the text is empty"),
    ];
    for (body, problem) in refused {
        let said = classic_text_problem(body.as_bytes()).unwrap().to_string();
        assert!(said.contains(problem), "{said}");
        let mut dst = BytesMut::new();
        assert!(LinkEncoder::new(text()).encode(&gossip(3000, "03.05.31", body), &mut dst).is_err(), "{body}");
        assert_eq!(dst, "");
    }
    assert!(classic_text_problem(b"\xff").unwrap().to_string().contains("not UTF-8"));
    assert_eq!(classic_text_problem("it is 03.05.31: héllo (all)".as_bytes()), None);
    assert_eq!(classic_text_problem(&[b'x'; 964]), None);
    let said = classic_text_problem(&[b'x'; 965]).unwrap().to_string();
    assert_eq!(said, "the text has 965 bytes and the classic dialect takes 964: shorten it");
}

#[test]
fn a_classic_text_is_passed_on_unless_it_runs_into_the_next() {
    let pass = |body: &str| LinkEncoder::new(text()).encode(&gossip(4000, "03.05.31", body), &mut BytesMut::new());
    pass("is it a Dead Node\u{7}").unwrap();
    pass("Liveness Request:").unwrap_err();
    pass("x Dead Node:(").unwrap_err();
    pass(&"x".repeat(971)).unwrap();
    pass(&"x".repeat(972)).unwrap_err();
}

#[test]
fn what_the_dialect_has_no_words_for_writes_nothing() {
    let silent = [
        Message::ListRequest,
        Message::Refusal { reason: RefusalReason::Full, referral: vec![Addr::loopback(3001)] },
        Message::Goodbye { reason: GoodbyeReason::Leaving, referral: vec![] },
    ];
    assert_eq!(whole(Dialect::Classic, &silent), b"");
    assert!(silent.iter().all(|message| !message.has_words_in(Dialect::Classic)));
    let clock = clock("03.05.29");
    let (p3000, extras) = (Addr::loopback(3000), Some(ProbeExtras { neighbors: 4, root: RootNews::Nothing }));
    let rich = [
        Message::ProbeReply { seq: 1, asker: Addr::loopback(4000), clock, extras },
        Message::DeadReport { dead: p3000, clock, reporter: p3000, cause: Some(DeathCause::Closed) },
    ];
    let plain = "Liveness Reply:03.05.29:('127.0.0.1', 4000):('127.0.0.1', 3000)\
        Dead Node:('127.0.0.1', 3000):03.05.29:('127.0.0.1', 3000)";
    assert_eq!(String::from_utf8(whole(Dialect::Classic, &rich)).unwrap(), plain);
}

#[test]
fn gossip_and_lists_that_python_cannot_take_are_not_written() {
    let mut encoder = LinkEncoder::new(text());
    let foreign = Message::Gossip(Arc::new(gossip_with("x".into())));
    let error = encoder.encode(&foreign, &mut BytesMut::new()).unwrap_err();
    assert_eq!(error.to_string(), "a gossip message without a time of day cannot be sent in the classic dialect");

    let list = |len: u16| {
        Message::PeerList((0..len).map(|i| Addr::new([192, 168, 100, 100].into(), 3000 + i)).collect::<Vec<_>>().into())
    };
    let limit = u16::try_from(crate::proto::config::CLASSIC_LIST_LEN).unwrap();
    encoder.encode(&list(limit), &mut BytesMut::new()).unwrap();
    let error = encoder.encode(&list(60), &mut BytesMut::new()).unwrap_err();
    assert_eq!(error.to_string(), "a peer list of 1396 bytes is too long: the classic dialect takes up to 1024");
}
