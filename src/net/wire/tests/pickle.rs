//! Pickles as Python 3.11 writes them, and as nobody should.

use super::super::testing::{StreamEnd, read, reading, whole};
use crate::net::wire::pickle::PYTHON_LIST_LEN_MAX;
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose, Rule};
use crate::proto::message::{Dialect, Message};

/// `pickle.dumps([('127.0.0.1', 3001), ('127.0.0.1', 3002), ('10.0.0.7', 80)], protocol)`
const BY_PROTOCOL: [(u8, &[u8]); 4] = [
    (2, b"\x80\x02]q\0(X\t\0\0\x00127.0.0.1q\x01M\xb9\x0b\x86q\x02X\t\0\0\x00127.0.0.1q\x03M\xba\x0b\x86q\x04X\x08\0\0\x0010.0.0.7q\x05KP\x86q\x06e."),
    (3, b"\x80\x03]q\0(X\t\0\0\x00127.0.0.1q\x01M\xb9\x0b\x86q\x02X\t\0\0\x00127.0.0.1q\x03M\xba\x0b\x86q\x04X\x08\0\0\x0010.0.0.7q\x05KP\x86q\x06e."),
    (4, b"\x80\x04\x956\0\0\0\0\0\0\0]\x94(\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94\x8c\t127.0.0.1\x94M\xba\x0b\x86\x94\x8c\x0810.0.0.7\x94KP\x86\x94e."),
    (5, b"\x80\x05\x956\0\0\0\0\0\0\0]\x94(\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94\x8c\t127.0.0.1\x94M\xba\x0b\x86\x94\x8c\x0810.0.0.7\x94KP\x86\x94e."),
];

/// `ip = '192.168.1.9'; t = (ip, 4000); pickle.dumps([t, (ip, 4001), t], protocol)`
const SHARED: [&[u8]; 2] = [
    b"\x80\x02]q\0(X\x0b\0\0\x00192.168.1.9q\x01M\xa0\x0f\x86q\x02h\x01M\xa1\x0f\x86q\x03h\x02e.",
    b"\x80\x04\x95!\0\0\0\0\0\0\0]\x94(\x8c\x0b192.168.1.9\x94M\xa0\x0f\x86\x94h\x01M\xa1\x0f\x86\x94h\x02e.",
];

/// `pickle.dumps([], protocol)`
const EMPTY: [&[u8]; 4] = [b"\x80\x02]q\0.", b"\x80\x03]q\0.", b"\x80\x04]\x94.", b"\x80\x05]\x94."];

/// `pickle.dumps([('127.0.0.1', 3001)], 4)`
const ONE: &[u8] = b"\x80\x04\x95\x15\0\0\0\0\0\0\0]\x94\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94a.";

fn read_list(pickle: &[u8]) -> (Vec<Message>, StreamEnd) {
    let context = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
    let whole = read(context, [pickle]);
    assert_eq!(read(context, pickle.chunks(1)), whole, "byte by byte");
    whole
}

fn list(addrs: &[&str]) -> (Vec<Message>, StreamEnd) {
    (
        vec![Message::PeerList(addrs.iter().map(|addr| addr.parse().unwrap()).collect::<Vec<_>>().into())],
        StreamEnd::Clean,
    )
}

fn broken(rule: Rule) -> (Vec<Message>, StreamEnd) {
    (vec![], StreamEnd::Broken(rule))
}

#[test]
fn the_lists_of_a_python_seed_are_read_in_every_protocol() {
    for (protocol, pickle) in BY_PROTOCOL {
        let expected = list(&["127.0.0.1:3001", "127.0.0.1:3002", "10.0.0.7:80"]);
        assert_eq!(read_list(pickle), expected, "protocol {protocol}");
    }
    for pickle in SHARED {
        assert_eq!(read_list(pickle), list(&["192.168.1.9:4000", "192.168.1.9:4001", "192.168.1.9:4000"]));
    }
    for pickle in EMPTY {
        assert_eq!(read_list(pickle), list(&[]));
    }
    assert_eq!(read_list(ONE), list(&["127.0.0.1:3001"]));
}

#[test]
fn our_lists_are_the_bytes_that_python_writes() {
    let written = |addrs: &[&str]| whole(Dialect::Classic, &list(addrs).0);
    assert_eq!(written(&["127.0.0.1:3001", "127.0.0.1:3002", "10.0.0.7:80"]), BY_PROTOCOL[2].1);
    assert_eq!(written(&["127.0.0.1:3001"]), ONE);
    assert_eq!(written(&[]), EMPTY[2]);
}

#[test]
fn a_seed_talks_on_behind_its_list() {
    let stream = [ONE, b"Liveness Request:03.05.29:('127.0.0.1', 5001)"].concat();
    let (messages, end) = read_list(&stream);
    assert_eq!(messages.len(), 2);
    assert!(matches!(messages[1], Message::Probe { asker, .. } if asker == Addr::loopback(5001)));
    assert_eq!(end, StreamEnd::Clean);
}

#[test]
fn entries_at_which_nobody_can_be_dialed_are_left_out() {
    // [('localhost', 3001), ('127.0.0.1', 0), ('127.0.0.1', 70000), ('127.0.0.1', -1), ('10.0.0.7', 80)]
    let pickle = b"\x80\x04]\x94(\x8c\tlocalhostM\xb9\x0b\x86\x8c\t127.0.0.1K\0\x86\x8c\t127.0.0.1Jp\x11\x01\0\x86\
        \x8c\t127.0.0.1J\xff\xff\xff\xff\x86\x8c\x0810.0.0.7KP\x86e.";
    assert_eq!(read_list(pickle), list(&["10.0.0.7:80"]));
}

#[test]
fn a_pickle_that_would_run_something_in_python_is_hostile() {
    // pickle.dumps(object whose __reduce__ is (os.system, ('id',))), protocols 2 and 4
    let protocol_2 = b"\x80\x02cposix\nsystem\nq\0X\x02\0\0\0idq\x01\x85q\x02Rq\x03.";
    let protocol_4 =
        b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.";
    assert_eq!(read_list(protocol_2), broken(Rule::HostilePickle));
    assert_eq!(read_list(protocol_4), broken(Rule::HostilePickle));
}

#[test]
fn a_pickle_that_is_no_list_of_addresses_is_hostile() {
    let shapes: [(&str, &[u8]); 15] = [
        ("an address alone", b"\x80\x04\x8c\t127.0.0.1M\xb9\x0b\x86."),
        ("a list of strings", b"\x80\x04](\x8c\t127.0.0.1e."),
        ("a list of lists", b"\x80\x04](]e."),
        ("a list that holds itself", b"\x80\x04]\x94h\0a."),
        ("a tuple of two strings", b"\x80\x04](\x8c\x01a\x8c\x01b\x86e."),
        ("a tuple of three", b"\x80\x04]((\x8c\x01aK\x01K\x02te."),
        ("an empty tuple", b"\x80\x04])a."),
        ("a dictionary", b"\x80\x04}."),
        ("a float", b"\x80\x04]G\0\0\0\0\0\0\0\0a."),
        ("a boolean as port", b"\x80\x04](\x8c\x01a\x88\x86e."),
        ("nothing at all", b"\x80\x04."),
        ("an open mark", b"\x80\x04](."),
        ("a memo slot that was never filled", b"\x80\x04](h\x07e."),
        ("an entry that jumps over a mark", b"\x80\x04](\x8c\t127.0.0.1K\x01\x86ae."),
        ("a tuple that reaches below a mark", b"\x80\x04]\x8c\t127.0.0.1(K\x01\x86."),
    ];
    for (name, pickle) in shapes {
        assert_eq!(read_list(pickle), broken(Rule::HostilePickle), "{name}");
    }
}

#[test]
fn protocols_that_no_seed_speaks_are_refused() {
    assert_eq!(read_list(b"(lp0\n."), broken(Rule::Malformed));
    assert_eq!(read_list(b"\x80\x01]."), broken(Rule::HostilePickle));
    assert_eq!(read_list(b"\x80\x06]."), broken(Rule::HostilePickle));
    assert_eq!(read_list(b"HTTP/1.1 400 Bad Request"), broken(Rule::Malformed));
}

#[test]
fn a_list_of_the_greatest_length_is_read_and_one_more_is_not() {
    let entry = b"\x8c\t127.0.0.1\x94M\xb9\x0b\x86\x94";
    // In batches of 1,000, as Python writes them.
    let batches = |len: usize| -> Vec<u8> {
        let mut pickle = b"\x80\x04]\x94".to_vec();
        for start in (0..len).step_by(1_000) {
            let batch = entry.repeat((len - start).min(1_000));
            pickle.extend([&b"("[..], &batch, b"e"].concat());
        }
        pickle.push(b'.');
        pickle
    };
    let (messages, end) = read_list(&batches(PYTHON_LIST_LEN_MAX));
    assert!(matches!(&messages[..], [Message::PeerList(list)] if list.peers.len() == PYTHON_LIST_LEN_MAX));
    assert_eq!(end, StreamEnd::Clean);
    assert_eq!(read_list(&batches(PYTHON_LIST_LEN_MAX + 1)), broken(Rule::ListTooLong));
}

#[test]
fn a_pickle_bomb_is_refused_before_it_grows() {
    // One entry, fetched from the memo again and again: three bytes an entry.
    let fetched = [&b"\x80\x04]\x94\x8c\t127.0.0.1M\xb9\x0b\x86q\x01a("[..], &b"h\x01".repeat(20_000), b"e."].concat();
    assert_eq!(read_list(&fetched), broken(Rule::ListTooLong));
    // A list of lists of lists.
    let nested = [&b"\x80\x04"[..], &b"]".repeat(20_000)].concat();
    assert_eq!(read_list(&nested), broken(Rule::HostilePickle));
    let marks = [&b"\x80\x04]"[..], &b"(".repeat(20_000)].concat();
    assert_eq!(read_list(&marks), broken(Rule::HostilePickle));
    // Steps that do nothing, without end.
    let idle = [&b"\x80\x04]"[..], &b"q\0".repeat(400_000)].concat();
    let context = reading(Dialect::Classic, Purpose::Registration, Direction::Outbound);
    assert_eq!(read(context, [&idle[..]]), broken(Rule::HostilePickle));
    // A string that claims four gigabytes.
    assert_eq!(read_list(b"\x80\x02]q\0(X\xff\xff\xff\xff"), broken(Rule::TextTooLong));
}

#[test]
fn a_seed_that_dies_within_its_list_has_broken_no_rule() {
    assert_eq!(read_list(&ONE[..20]), (vec![], StreamEnd::CutOff));
    assert_eq!(read_list(&ONE[..2]), (vec![], StreamEnd::CutOff));
}
