//! The doubles of the Python nodes are as strict as these: a test a rule of `python_rules`.

use gossipctl::event::LinkId;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::time::Time;
use gossipctl::sim::EPOCH;

use crate::python_rules::{Act, Dials, Habits, Process, RECV_LEN, Recv, pickle};
use crate::virtual_time::{LIVENESS, peer_addr, seed_addr};

const GOSSIP: &str = "03.05.31:('127.0.0.1', 3001):Gossip Message 1";
const PROBE: &str = "Liveness Request:03.05.29:('127.0.0.1', 3001)";

fn name(peer: Addr) -> String {
    peer.python().to_string()
}

fn hear(process: &mut Process, link: u64, text: &str) -> Vec<Act> {
    process.received(EPOCH, LinkId(link), Recv::Bytes(text.as_bytes()))
}

/// A peer with a seed on link 0 and so many neighbors, 3001 and up, on links 1 and up.
fn peer_with(neighbors: u16) -> Process {
    let own = peer_addr(50);
    let mut peer = Process::peer(own, &[seed_addr(1)], Dials::These(Vec::new()), Habits::default());
    assert!(matches!(peer.start(EPOCH)[..], [Act::Dial(seed)] if seed == seed_addr(1)));
    assert!(peer.dialed(EPOCH, LinkId(0), seed_addr(1)).is_empty());
    peer.received(EPOCH, LinkId(0), Recv::Bytes(&pickle::dumps(&[])));
    for number in 1..=neighbors {
        accept(&mut peer, u64::from(number), peer_addr(number));
    }
    peer
}

fn accept(process: &mut Process, link: u64, remote: Addr) {
    assert!(process.accepts());
    process.accepted(LinkId(link));
    hear(process, link, &name(remote));
    assert_eq!(process.died(), None);
}

/// To which links these were written, and what.
fn written(acts: &[Act]) -> Vec<(u64, String)> {
    let text = |act: &Act| match act {
        Act::Write(link, bytes) => Some((link.0, String::from_utf8(bytes.clone()).unwrap())),
        Act::Dial(_) | Act::Close(_) => None,
    };
    acts.iter().filter_map(text).collect()
}

#[test]
fn a_python_node_dies_of_whatever_is_not_one_message() {
    let joined = [GOSSIP, PROBE].concat();
    for text in [&joined, "", "x", "03.05.31:('127.0.0.1', 3001)", "Liveness Request:3.5.29:('127.0.0.1', 3001)"] {
        let mut peer = peer_with(1);
        hear(&mut peer, 1, text);
        assert!(peer.died().is_some(), "{text}");
        assert!(!peer.reads(LinkId(1)) && !peer.accepts());
    }
    let mut peer = peer_with(1);
    peer.received(EPOCH, LinkId(1), Recv::Bytes(b"03.05.31:('127.0.0.1', 3001):\xff"));
    assert!(peer.died().unwrap().starts_with("UnicodeDecodeError"));
}

#[test]
fn a_python_peer_answers_probes_and_forwards_gossip_once() {
    let mut peer = peer_with(3);
    let answer = "Liveness Reply:03.05.29:('127.0.0.1', 3001):('127.0.0.1', 3050)";
    assert_eq!(written(&hear(&mut peer, 1, PROBE)), [(1, answer.to_owned())]);
    assert_eq!(written(&hear(&mut peer, 1, GOSSIP)), [(2, GOSSIP.to_owned()), (3, GOSSIP.to_owned())]);
    assert_eq!(written(&hear(&mut peer, 2, GOSSIP)), []);
    assert_eq!(peer.died(), None);
}

#[test]
fn a_python_peer_dies_of_a_reset_and_reports_an_end() {
    let mut peer = peer_with(2);
    let acts = peer.received(EPOCH, LinkId(1), Recv::End);
    let report = "Dead Node:('127.0.0.1', 3001):00.00.00:('127.0.0.1', 3050)";
    assert_eq!(written(&acts), [(0, report.to_owned())]);
    assert!(matches!(acts[1], Act::Close(LinkId(1))));
    assert_eq!(peer.died(), None);
    peer.received(EPOCH, LinkId(2), Recv::Reset);
    assert_eq!(peer.died(), Some("ConnectionResetError"));
}

#[test]
fn a_full_python_peer_accepts_as_soon_as_a_slot_frees() {
    let mut peer = peer_with(4);
    assert!(!peer.accepts());
    peer.received(EPOCH, LinkId(2), Recv::End);
    accept(&mut peer, 5, peer_addr(5));
    assert!(!peer.accepts());
    peer.received(EPOCH, LinkId(3), Recv::End);
    peer.accepted(LinkId(6));
    hear(&mut peer, 6, &[&name(peer_addr(6)), GOSSIP].concat());
    assert!(peer.died().is_some());
}

#[test]
fn a_python_node_dies_of_a_newcomer_without_a_name() {
    for mut process in [peer_with(0), Process::seed(seed_addr(1))] {
        process.accepted(LinkId(9));
        process.received(EPOCH, LinkId(9), Recv::End);
        assert_eq!(process.died(), Some("SyntaxError: eval('')"));
    }
}

#[test]
fn a_python_peer_buries_after_three_misses() {
    let mut peer = peer_with(1);
    let probe_at = |beat: u32| EPOCH + LIVENESS * beat;
    for beat in 1..=3 {
        let acts = peer.wake(probe_at(beat));
        assert!(written(&acts).iter().any(|(_, text)| text.starts_with("Liveness Request:")), "{acts:?}");
    }
    let acts = peer.wake(probe_at(4));
    assert!(written(&acts).iter().any(|(link, text)| *link == 0 && text.starts_with("Dead Node:")), "{acts:?}");
    assert_eq!(peer.neighbors().count(), 0);
    let mut answered = peer_with(1);
    for beat in 1..=9 {
        answered.wake(probe_at(beat));
        hear(&mut answered, 1, "Liveness Reply:03.05.29:('127.0.0.1', 3050):('127.0.0.1', 3001)");
    }
    assert_eq!((answered.neighbors().count(), answered.died()), (1, None));
}

#[test]
fn a_python_peer_says_ten_messages_and_no_more() {
    let mut peer = peer_with(1);
    let said = |acts: &[Act]| written(acts).into_iter().filter(|(_, text)| text.contains("Gossip Message")).count();
    let times = (1..=20).map(|n: u32| EPOCH + Habits::default().gossip_interval * n);
    let mut beat = |at: Time| {
        hear(&mut peer, 1, "Liveness Reply:03.05.29:('127.0.0.1', 3050):('127.0.0.1', 3001)");
        said(&peer.wake(at))
    };
    let counts: Vec<usize> = times.map(&mut beat).collect();
    assert_eq!(counts, [vec![1; 10], vec![0; 10]].concat());
}

#[test]
fn a_python_seed_appends_and_takes_one_off() {
    let mut seed = Process::seed(seed_addr(1));
    for link in 1..=3 {
        assert!(seed.accepts());
        let acts = seed.accepted(LinkId(link));
        assert!(!seed.accepts() && !seed.reads(LinkId(0)), "its whole loop waits for the name");
        let Act::Write(_, list) = &acts[0] else { panic!("{acts:?}") };
        assert_eq!(pickle::loads(list), Ok(vec![peer_addr(1); usize::try_from(link).unwrap() - 1]));
        hear(&mut seed, link, &name(peer_addr(1)));
    }
    hear(&mut seed, 1, "Dead Node:('127.0.0.1', 3001):03.05.29:('127.0.0.1', 3002)");
    assert_eq!(seed.list(), [peer_addr(1); 2]);
    seed.received(EPOCH, LinkId(2), Recv::End);
    assert_eq!((seed.list().len(), seed.died()), (2, None));
    hear(&mut seed, 1, GOSSIP);
    assert!(seed.died().is_some());
}

#[test]
fn a_python_peer_dies_of_a_list_of_over_1024_bytes() {
    for (entries, lives) in [(40, true), (60, false)] {
        let list: Vec<Addr> = (1..=entries).map(peer_addr).collect();
        let list = pickle::dumps(&list);
        let mut peer = Process::peer(peer_addr(50), &[seed_addr(1)], Dials::These(Vec::new()), Habits::default());
        peer.start(EPOCH);
        peer.dialed(EPOCH, LinkId(0), seed_addr(1));
        peer.received(EPOCH, LinkId(0), Recv::Bytes(&list[..list.len().min(RECV_LEN)]));
        assert_eq!(peer.died(), (!lives).then_some("UnpicklingError: pickle data was truncated"), "{entries}");
    }
}

#[test]
fn a_python_peer_keeps_the_older_of_two_sockets() {
    let mut peer = peer_with(1);
    accept(&mut peer, 2, peer_addr(1));
    let acts = peer.received(EPOCH, LinkId(1), Recv::End);
    assert_eq!(written(&acts).len(), 1, "a false death is reported: {acts:?}");
    assert_eq!(peer.neighbors().collect::<Vec<_>>(), [(peer_addr(1), LinkId(1))], "the closed one is written to");
    peer.write_failed("BrokenPipeError");
    assert!(peer.died().is_some());
}
