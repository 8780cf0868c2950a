//! Events as JSON, byte for byte as serde writes them, at a fraction of its cost.
//!
//! All but one in a hundred events of a session are copies of messages and probes. Their fields are
//! numbers and addresses, which need no escapes, so they are written directly into a buffer that
//! the caller reuses. Every other event goes through serde. The test below holds both to the same
//! bytes.

use crate::event::{Event, EventKind, GossipEvent, ProbeEvent};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, ProbeId, Trace};
use crate::proto::text::{Body, is_plain_ascii, printable_json};

/// Appends the event as one JSON object, without a line end.
pub fn push_event(out: &mut Vec<u8>, event: &Event) -> serde_json::Result<()> {
    if push_gossip(out, event)? || push_probe(out, event) { Ok(()) } else { serde_json::to_writer(out, event) }
}

/// Appends the event as a line without anything that acts on a terminal.
pub fn push_printed_line(out: &mut Vec<u8>, event: &Event) -> serde_json::Result<()> {
    let start = out.len();
    push_event(out, event)?;
    if !is_plain_ascii(&out[start..]) {
        let printed = printable_json(&String::from_utf8_lossy(&out[start..])).into_owned();
        out.truncate(start);
        out.extend_from_slice(printed.as_bytes());
    }
    out.push(b'\n');
    Ok(())
}

/// Appends an event about a message; for any other event appends nothing and returns false.
fn push_gossip(out: &mut Vec<u8>, event: &Event) -> serde_json::Result<bool> {
    if let EventKind::Gossip(GossipEvent::Duplicate { id, from, trace }) = &event.kind {
        push_start(out, event, b"duplicate");
        push_id(out, *id);
        push_addr(out, b",\"from\":", *from);
        push_trace(out, *trace);
    } else if let EventKind::Gossip(GossipEvent::Received { id, from, body, trace, forwarded }) = &event.kind {
        push_start(out, event, b"received");
        push_id(out, *id);
        push_addr(out, b",\"from\":", *from);
        push_body(out, body)?;
        push_trace(out, *trace);
        push_number(out, b",\"forwarded\":", *forwarded);
    } else if let EventKind::Gossip(GossipEvent::Generated { id, body, trace, forwarded }) = &event.kind {
        push_start(out, event, b"generated");
        push_id(out, *id);
        push_body(out, body)?;
        push_trace(out, *trace);
        push_number(out, b",\"forwarded\":", *forwarded);
    } else {
        return Ok(false);
    }
    out.push(b'}');
    Ok(true)
}

/// Appends an event about a probe that went well; for any other event appends nothing and returns
/// false.
fn push_probe(out: &mut Vec<u8>, event: &Event) -> bool {
    if let EventKind::Probe(ProbeEvent::Sent { peer, seq, probe }) = &event.kind {
        push_start(out, event, b"probe_sent");
        push_addr(out, b",\"peer\":", *peer);
        push_number(out, b",\"seq\":", *seq);
        push_probe_id(out, *probe);
    } else if let EventKind::Probe(ProbeEvent::Received { peer, seq, clock }) = &event.kind {
        push_start(out, event, b"probe_received");
        push_addr(out, b",\"peer\":", *peer);
        push_number(out, b",\"seq\":", *seq);
        push_number(out, b",\"clock\":", clock.seconds());
    } else if let EventKind::Probe(ProbeEvent::Answered { peer, seq, probe, clock, rtt_us }) = &event.kind {
        push_start(out, event, b"probe_answered");
        push_addr(out, b",\"peer\":", *peer);
        push_number(out, b",\"seq\":", *seq);
        push_probe_id(out, *probe);
        push_number(out, b",\"clock\":", clock.seconds());
        push_number(out, b",\"rtt_us\":", *rtt_us);
    } else {
        return false;
    }
    out.push(b'}');
    true
}

/// The beginning of every event.
fn push_start(out: &mut Vec<u8>, event: &Event, name: &[u8]) {
    push_number(out, b"{\"at\":", event.at.as_micros());
    push_addr(out, b",\"node\":", event.node);
    out.extend_from_slice(b",\"event\":\"");
    out.extend_from_slice(name);
    out.push(b'"');
}

fn push_probe_id(out: &mut Vec<u8>, probe: Option<ProbeId>) {
    if let Some(ProbeId(probe)) = probe {
        push_number(out, b",\"probe\":", probe);
    }
}

fn push_id(out: &mut Vec<u8>, id: MessageId) {
    push_addr(out, b",\"id\":{\"origin\":", id.origin);
    push_number(out, b",\"run\":", id.run);
    push_number(out, b",\"seq\":", id.seq);
    out.push(b'}');
}

fn push_body(out: &mut Vec<u8>, body: &Body) -> serde_json::Result<()> {
    out.extend_from_slice(b",\"body\":");
    serde_json::to_writer(out, body)
}

fn push_trace(out: &mut Vec<u8>, trace: Option<Trace>) {
    let Some(trace) = trace else { return out.extend_from_slice(b",\"trace\":null") };
    push_number(out, b",\"trace\":{\"sent\":", trace.sent.as_micros());
    push_number(out, b",\"hop\":", trace.hop);
    out.push(b'}');
}

fn push_addr(out: &mut Vec<u8>, key: &[u8], addr: Addr) {
    out.extend_from_slice(key);
    out.push(b'"');
    for part in addr.ip().octets() {
        push_octet(out, part);
    }
    // In place of the dot after the last part.
    out.pop();
    push_number(out, b":", addr.port());
    out.push(b'"');
}

/// Appends the number and a dot. Copies of a fixed length, shortened afterwards, take two thirds of
/// the time that digits one by one take, and most of a line is addresses.
fn push_octet(out: &mut Vec<u8>, octet: u8) {
    let (digits, len) = OCTETS[usize::from(octet)];
    let end = out.len() + len;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

/// Each part of an IPv4 address with a dot behind it, and the length of both.
const OCTETS: [([u8; 4], usize); 256] = {
    let mut all = [([b'.'; 4], 0); 256];
    let mut octet = 0_u8;
    loop {
        let (hundreds, tens, ones) = (b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10);
        all[octet as usize] = match octet {
            0..10 => ([ones, b'.', 0, 0], 2),
            10..100 => ([tens, ones, b'.', 0], 3),
            100.. => ([hundreds, tens, ones, b'.'], 4),
        };
        if octet == u8::MAX {
            break all;
        }
        octet += 1;
    }
};

fn push_number(out: &mut Vec<u8>, key: &[u8], number: impl itoa::Integer) {
    out.extend_from_slice(key);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::samples::{any_event, event, one_of_each, peer};

    fn json(event: &Event) -> String {
        let mut out = b"before".to_vec();
        push_event(&mut out, event).unwrap();
        String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
    }

    fn printed(event: &Event) -> String {
        let mut out = b"before\n".to_vec();
        push_printed_line(&mut out, event).unwrap();
        String::from_utf8(out).unwrap().strip_prefix("before\n").unwrap().to_owned()
    }

    #[test]
    fn each_kind_of_event_is_written_as_serde_writes_it() {
        for kind in one_of_each() {
            let event = event(peer(1), kind);
            assert_eq!(json(&event), serde_json::to_string(&event).unwrap());
        }
    }

    #[test]
    fn every_part_of_an_address_is_written_as_serde_writes_it() {
        for part in 0..=u8::MAX {
            let addr = Addr::new([part, 255 - part, 0, part].into(), u16::from(part) * 257);
            let mut out = Vec::new();
            push_addr(&mut out, b"", addr);
            assert_eq!(out, serde_json::to_vec(&addr).unwrap());
        }
    }

    #[test]
    fn nothing_in_a_printed_line_acts_on_a_terminal() {
        for body in ["a\x1b[31m\n", "x\u{202e}y", "\u{9b}2J \u{7f}"] {
            let event = event(peer(1), crate::event::samples::received(body));
            let line = printed(&event);
            let text = line.strip_suffix('\n').unwrap();
            assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
            assert_eq!(serde_json::from_str::<Event>(text).unwrap(), event);
        }
    }

    proptest! {
        #[test]
        fn any_event_is_written_as_serde_writes_it(event in any_event()) {
            let expected = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(json(&event), expected.as_str());
            prop_assert_eq!(printed(&event), format!("{}\n", printable_json(&expected)));
        }
    }
}
