//! The styles of one event agree with who reads it.

use proptest::prelude::*;

use super::*;
use crate::event::samples::{AT, any_event, clock, event, one_of_each, peer, seed};
use crate::event::{DeathEvent, Direction, GossipEvent, LinkEvent, ProbeEvent, Purpose, SeedEvent};
use crate::proto::message::Trace;
use crate::proto::time::ClockTime;

#[test]
fn an_event_has_a_line_in_the_log_exactly_if_it_is_read_there() {
    for kind in one_of_each() {
        let line = gossip_line(&kind, peer(1), &|addr| addr.to_string());
        assert_eq!(line.is_some(), readers(&kind).gossip_log, "{kind:?}");
    }
}

#[test]
fn a_line_of_the_original_programs_is_in_a_log_file() {
    for kind in one_of_each() {
        let place = LogPlace { at: AT, node: peer(1), utc_offset_s: 0 };
        let is_known = words(&kind).python_line(place).is_some();
        assert!(!is_known || log_line(&event(peer(1), kind.clone()), 0).is_some(), "{kind:?}");
    }
}

fn line(node: Addr, kind: EventKind) -> String {
    log_line(&event(node, kind), 0).unwrap()
}

fn up(peer: Addr, purpose: Purpose) -> EventKind {
    EventKind::Link(LinkEvent::Up {
        link: crate::event::LinkId(1),
        connection: None,
        peer,
        direction: Direction::Inbound,
        purpose,
    })
}

#[test]
fn the_lines_of_the_original_programs_come_out_byte_for_byte() {
    let (p0, p1, clock) = (peer(0), Addr::loopback(4000), clock());
    let trace = Some(Trace { sent: Time::from_micros(11_087 * 1_000_000 + 999_999), hop: 1 });
    let id = MessageId { origin: p0, run: 5, seq: 1 };
    let body = "Gossip Message 1";
    assert_eq!(
        line(
            p0,
            EventKind::Seed(SeedEvent::PeerListReceived { seed: seed(), peers: vec![peer(1), peer(2)], listed: None })
        ),
        "List of Peers : [('127.0.0.1', 3001), ('127.0.0.1', 3002)]"
    );
    assert_eq!(
        line(seed(), EventKind::Seed(SeedEvent::PeerListSent { peer: None, peers: vec![], listed: None })),
        "List of Peers : []"
    );
    assert_eq!(line(p0, up(p1, Purpose::Neighbor)), "New connection from ('127.0.0.1', 4000)");
    assert_eq!(
        line(p0, EventKind::Gossip(GossipEvent::Generated { id, body: body.into(), trace, forwarded: 0 })),
        "Generated Gossip Message : 03.04.47:('127.0.0.1', 3000):Gossip Message 1"
    );
    let id = MessageId::classic(p1, ClockTime::parse(b"03.05.31").unwrap(), body.as_bytes());
    assert_eq!(
        line(
            p0,
            EventKind::Gossip(GossipEvent::Received { id, from: p1, body: body.into(), trace: None, forwarded: 0 })
        ),
        "Received Gossip Message : 03.05.31:('127.0.0.1', 4000):Gossip Message 1"
    );
    let seq = 1;
    assert_eq!(
        line(p1, EventKind::Probe(ProbeEvent::Received { peer: p0, seq, clock })),
        "Liveness Request:03.05.29:('127.0.0.1', 3000)"
    );
    assert_eq!(
        line(p0, EventKind::Probe(ProbeEvent::Answered { probe: None, peer: p1, seq, clock, rtt_us: 1 })),
        "Liveness Reply:03.05.29:('127.0.0.1', 3000):('127.0.0.1', 4000)"
    );
    let (cause, clock) = (crate::proto::message::DeathCause::Closed, ClockTime::parse(b"03.05.55").unwrap());
    let dead_node = "Dead Node:('127.0.0.1', 4000):03.05.55:('127.0.0.1', 3000)";
    assert_eq!(
        line(
            p0,
            EventKind::Death(DeathEvent::DeadReportSent { report: None, dead: p1, clock, seeds: vec![seed()], cause })
        ),
        dead_node
    );
    let action = crate::event::ReportAction::Removed;
    let report = EventKind::Death(DeathEvent::DeadReportReceived {
        report: None,
        verification: None,
        dead: p1,
        clock,
        reporter: p0,
        cause: None,
        action,
    });
    assert_eq!(line(seed(), report), dead_node);
    assert_eq!(line(seed(), up(p0, Purpose::Registration)), "Connection accepted from  ('127.0.0.1', 3000)");
}

#[test]
fn anything_else_in_a_log_is_a_sentence() {
    let lines: Vec<_> = one_of_each()
        .into_iter()
        .map(|kind| {
            let name = kind.name();
            let told = log_line(&event(peer(1), kind), 0).unwrap_or_else(|| "-".to_owned());
            format!("{name}: {told}")
        })
        .collect();
    let expected = r#"started: Started as peer p1, framed dialect
exposed: Listens on 127.0.0.1:3002; 10.0.0.0/8 may link, and this machine
stopped: Killed: links broken off, no goodbye
hung: Hung: keeps its sockets and says nothing
was_away: Was away for 8.2 s: takes nobody for dead for that time
failed: Not done: start a peer: no permission to listen on 127.0.0.1:80: choose a port from 1024 on
fault_set: Fault: delay ('127.0.0.1', 3001) ('127.0.0.1', 3002) 100ms 50ms
fault_cleared: No longer: partition ('127.0.0.1', 3001) ('127.0.0.1', 3002)
lied: Lies to its seeds, as told: ('127.0.0.1', 3002) is dead
dialing: -
dial_failed: No connection to ('127.0.0.1', 3002): connection refused: nobody listens there; will try again
link_up: Linked to ('127.0.0.1', 3002)
link_down: Link to ('127.0.0.1', 3002) down: taken for dead: 3 probes in a row unanswered
link_refused: ('127.0.0.1', 3002) refused a link: it has as many neighbors as it takes
not_accepted: Not accepted by ('127.0.0.1', 3002) so far: the connect succeeded, and nothing was heard; the connection is parked
violation: Violation: bytes that are no message, by 10.0.0.1:4711: "\x1b["
more_offenses: 3117 more like it from 10.0.0.1 in 10 s
flooding: ('127.0.0.1', 3002) sends more than 400 messages a second besides gossip (liveness request): it is read slowly
omitted: 19936 more links from 10.0.0.1 came and went in 10 s
other_dialect: 10.0.0.1:4711 speaks the classic dialect; start this node with --wire classic
handshake_failed: Connection with ('127.0.0.1', 3002) ended before it named itself
eclipse_suspected: May be cut off from the others: 2 neighbors joined when it was full, which is most of them
repairing: Has 1 of 4 neighbors, looks for more
too_few_seeds: Registered with 1 of 3 seeds, wants 2; still trying
enough_seeds: Registered with 1 seed, which is enough
listed_already: ('127.0.0.1', 5001) lists this address already: a Python neighbor of the node that was here keeps its old socket, takes this one for dead and later dies of it; start it at another port
peer_list_received: List of Peers : [('127.0.0.1', 3001), ('127.0.0.1', 3002)]
peer_list_sent: List of Peers : [('127.0.0.1', 3001), ('127.0.0.1', 3002)]
peer_listed: -
peer_delisted: ('127.0.0.1', 3002) is off the list: ('127.0.0.1', 3001) reported it dead, and it did not answer
generated: Generated Gossip Message : 03.13.02:('127.0.0.1', 3001):Gossip Message 12
received: Received Gossip Message : 03.13.02:('127.0.0.1', 3001):Gossip Message 12
duplicate: -
forged: Forged: ('127.0.0.1', 3001)#12 came from ('127.0.0.1', 3002), and ('127.0.0.1', 3001) never sent it
message_lost: -
probe_sent: -
probe_received: Liveness Request:03.05.29:('127.0.0.1', 3002)
probe_answered: Liveness Reply:03.05.29:('127.0.0.1', 3001):('127.0.0.1', 3002)
probe_missed: No answer from ('127.0.0.1', 3002) to probe 88 (2/3)
probe_lost: -
neighbor_died: ('127.0.0.1', 3002) is dead: 3 probes in a row unanswered
dead_report_sent: Dead Node:('127.0.0.1', 3002):03.05.29:('127.0.0.1', 3001)
dead_report_received: Dead Node:('127.0.0.1', 3002):03.05.29:('127.0.0.1', 3001)
report_lost: -
report_disputed: ('127.0.0.1', 3002) is alive (answered after 420 us): ('127.0.0.1', 3001) was wrong, 2 times now"#;
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn the_time_of_a_message_follows_the_clock_of_the_reader() {
    let told = log_line(&event(peer(1), crate::event::samples::received("hi")), 3600).unwrap();
    assert_eq!(told, "Received Gossip Message : 04.13.02:('127.0.0.1', 3002):hi");
}

proptest! {
    #[test]
    fn a_log_line_is_one_printable_line(event in any_event()) {
        if let Some(line) = log_line(&event, 0) {
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}
