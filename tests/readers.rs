//! Any bytes at all, cut anywhere, into every reader of what strangers send or files hold.
//!
//! What must hold is told in `checks`: the same result as whole, no panic, no more memory than the limit.

mod checks;

use checks::{journal, wire};
use gossipctl::net::wire::LinkContext;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::event::{Direction, Purpose};
use gossipctl::proto::message::{Dialect, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What the start of a good framed stream, or the middle of a bad one, is made of.
const FRAMES: [&[u8]; 11] = [
    b"\0\0\0\x0dGSSP\x02\x7f\0\0\x01\x0b\xb8\x01\0",
    b"\0\0\0\x22\x03\x7f\0\0\x01\x0f\xa0\0\0\0\0j\xb1;\x80\0\0\0\0\0\0\0\x0c\0\x06[\xff\x02\x980\x15\0\x02x",
    b"\0\0\0\x09\x01\0\x01\x7f\0\0\x01\x0b\xb9",
    b"\0\0\0\x01\x02",
    b"\0\0\0\x16\x04\0\0\0\0\0\0\0\x07\x7f\0\0\x01\x0b\xb8\0\0+y\x01\0\x04",
    b"\0\0\0\x16\x06\x7f\0\0\x01\x0f\xa0\0\0+\x93\x7f\0\0\x01\x0b\xb8\x01\0\0\0\x03",
    b"\0\0\0\x04\x07\0\0\0",
    b"\0\0\0\x04\x08\x01\0\0",
    b"\0\0\xff\xff",
    b"\0\x01\0\0",
    b"\x7f\0\0\x01\0\0",
];

/// The same of classic texts and pickles.
const TEXTS: [&[u8]; 20] = [
    b"03.05.31:('127.0.0.1', 4000):",
    b"Gossip Message 1",
    b"Liveness Request:",
    b"Liveness Reply:03.05.29:('127.0.0.1', 3000):",
    b"('127.0.0.1', 3000)",
    b"(\"127.0.0.1\", 3000)",
    b"Dead Node:",
    b"03.05.31:",
    b"\xc3",
    b"\xa9",
    &[b'x'; 330],
    b"\x80\x04\x95\x15\0\0\0\0\0\0\0]\x94\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94a.",
    b"\x80\x02]q\0(",
    b"X\t\0\0\x00127.0.0.1q\x01M\xb9\x0b\x86q\x02",
    b"e.",
    b"h\0",
    b"r\xff\xff\xff\xff",
    b"\x8c\x09localhost",
    b"((((",
    b"\0\0\0\x0dGSSP",
];

/// Lines of a journal, good and bad.
const LINES: [&str; 17] = [
    "{\"format\":\"gossipctl session\",\"version\":2,\"started\":1,\"utc_offset_s\":0,\"gossipctl\":\"0\"}\n",
    "{\"at\":2,\"node\":\"127.0.0.1:1\",\"event\":\"hung\"}\n",
    "{\"at\":1,\"node\":\"127.0.0.1:2\",\"event\":\"stopped\",\"how\":\"left\"}\n",
    "{\"at\":3000000,\"node\":\"127.0.0.1:2\",\"event\":\"stopped\",\"how\":\"killed\"}\n",
    "{\"skipped\":18446744073709551615}\n",
    "{\"skipped\":-1}\n",
    "\n",
    "{\"at\":18446744073709551615,",
    "\"node\":\"127.0.0.1:1\",\"event\":\"failed\",\"what\":\"\\u001b[2J\",\"why\":\"\\n\"}\n",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"block\":0,\"nodes\":{\"0\":\"127.0.0.1:1\",\"1\":\"127.0.0.1:2\"}}\n",
    "{\"block\":9,\"nodes\":{\"7\":\"127.0.0.1:7\"}}\n",
    "{\"message\":{\"origin\":\"127.0.0.1:1\",\"run\":7,\"seq\":1},\"sent\":5,\"body\":\"a\",\"n\":0,\"at\":6,\"rows\":{\"received\":\
     {\"n\":[0,2],\"us\":[0,-9],\"node\":[0,1],\"from\":[1,0],\"hop\":[1,2],\"forwarded\":[1,0]},\
     \"duplicate\":{\"n\":[1],\"us\":[3],\"node\":[0],\"from\":[1],\"hop\":[2]}}}\n",
    "{\"n\":3,\"at\":7,\"rows\":{\"probe_answered\":{\"n\":[0],\"us\":[0],\"node\":[7],\"peer\":[0],\"seq\":[1],\"probe\":[null],\"clock\":[5],\"rtt_us\":[9]}}}\n",
    "{\"n\":18446744073709551615,\"at\":18446744073709551615,\"rows\":{\"probe_sent\":\
     {\"n\":[1,18446744073709551615],\"us\":[9223372036854775807,-1],\"node\":[0,0],\"peer\":[1,1],\"seq\":[0,0],\"probe\":[1,null]}}}\n",
    "{\"n\":4,\"at\":2,\"node\":\"127.0.0.1:1\",\"event\":\"hung\"}\n",
    "{\"n\":5,\"skipped\":4}\n",
];

fn stream(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![8 => select(pieces).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..6)];
    // What comes last says where it is cut.
    (vec(piece, 0..10), vec(any::<u8>(), 0..4)).prop_map(|(pieces, last)| [pieces.concat(), last].concat())
}

fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line =
        prop_oneof![8 => select(&LINES[..]).prop_map(|line| line.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..8)];
    vec(line, 0..10).prop_map(|lines| [LINES[0].as_bytes(), &lines.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn framed_bytes_read_the_same_however_they_are_cut(bytes in stream(&FRAMES)) {
        wire::framed(&bytes);
    }

    #[test]
    fn classic_bytes_read_the_same_however_they_are_cut(bytes in stream(&TEXTS)) {
        wire::classic(&bytes);
    }

    #[test]
    fn random_bytes_stop_no_reader(bytes in vec(any::<u8>(), 0..300)) {
        wire::framed(&bytes);
        wire::classic(&bytes);
        journal::check(&bytes);
    }

    #[test]
    fn journal_lines_read_the_same_up_to_a_cut(bytes in lines()) {
        journal::check(&bytes);
    }
}

/// The most that a link holds while `head`, and then `rest` without end, comes in.
fn most_held(dialect: Dialect, purpose: Purpose, head: &[u8], rest: &[u8]) -> usize {
    let link =
        LinkContext { dialect, local: Addr::loopback(1), role: Role::Peer, purpose, direction: Direction::Outbound };
    let stream: Vec<u8> = head.iter().chain(rest.iter().cycle()).copied().take(1_000_000).collect();
    wire::most_held(link, stream.chunks(1_024))
}

#[test]
fn an_endless_pickle_stays_within_its_memory_limit() {
    let far: Vec<u8> = (0..40_000_u32).flat_map(|index| [&b"r"[..], &(index * 7_919).to_le_bytes()].concat()).collect();
    let pairs = b"\x8c\x091.1.1.1.1K\x01\x86\x94".to_vec();
    for (head, rest) in [
        (&b"\x80\x04]K\x01"[..], far),
        (b"\x80\x04](", b"K\x01".to_vec()),
        (b"\x80\x04]\x94(", b"K\x01\x94".to_vec()),
        (b"\x80\x04]\x94(", pairs),
        (b"\x80\x04]\x94", b"(\x8c\x01xK\x01te".to_vec()),
        (b"\x80\x04]\x94", b"\x8c\xff".iter().copied().chain([b'x'; 255]).collect()),
        (b"\x80\x04]\x94\x8c\x071.1.1.1\x94K\x01\x94\x86\x94", b"h\x01h\x02\x86\x94".to_vec()),
    ] {
        let held = most_held(Dialect::Classic, Purpose::Registration, head, &rest);
        println!("{held} bytes for {}", rest[..rest.len().min(20)].escape_ascii());
        assert!(held <= wire::PICKLE_HELD_MAX, "{held} bytes for {}", rest[..rest.len().min(20)].escape_ascii());
    }
}

#[test]
fn an_endless_text_stays_within_its_memory_limit() {
    let gossip = b"03.05.31:('127.0.0.1', 4000):";
    for rest in [&b"x"[..], b"1", b"Dead Node:(", gossip, b"\xc3\xa9", b"03.05.31:"] {
        let held = most_held(Dialect::Classic, Purpose::Neighbor, gossip, rest);
        assert!(held <= wire::TEXT_HELD_MAX, "{held} bytes for {}", rest.escape_ascii());
    }
}

#[test]
fn endless_frames_stay_within_their_memory_limit() {
    let list = [&b"\0\0\xc0\x03\x01\x20\0"[..], &b"\x7f\0\0\x01\0\x01".repeat(8_192)].concat();
    let text = [&b"\0\0\xf0\x21"[..], &FRAMES[1][4..37], &vec![b'x'; 61_440]].concat();
    for rest in [&list, &text, &b"\0\x01\0\0\x01".to_vec(), &b"\xff\xff\xff\xff".to_vec(), &FRAMES[4].to_vec()] {
        let held = most_held(Dialect::Framed, Purpose::Neighbor, FRAMES[0], rest);
        println!("{held} bytes for {}", rest[..rest.len().min(20)].escape_ascii());
        assert!(held <= wire::FRAMED_HELD_MAX, "{held} bytes for {}", rest[..rest.len().min(20)].escape_ascii());
    }
}
