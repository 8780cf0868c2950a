//! Neighbors that take no messages, and messages that are no plain text.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gossipctl::command::Command;
use gossipctl::event::{Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LossReason, Rule};
use gossipctl::model::Model;
use gossipctl::model::gossip::GossipEntry;
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{Dialect, Gossip, Message, MessageId, Trace};
use gossipctl::proto::text::Body;
use gossipctl::proto::time::Time;

use super::{assert_a_line, assert_undisturbed, encoded, join, log_lines, notices, until_told};
use crate::sockets::{Session, calm, classic};

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbor_that_never_reads_is_dropped_as_too_slow() {
    let mut config = calm(Vec::new());
    config.liveness_interval = Duration::from_secs(600);
    let (mut session, _, peers) = Session::lab(config, 1, 2).await;
    let stuck = Addr::loopback(9);
    let _held = join(&mut session, Dialect::Framed, peers[0], stuck).await;
    let too_slow = |event: &Event| matches!(event.kind, EventKind::Link(LinkEvent::Down { peer, end: LinkEnd::TooSlow, .. }) if peer == stuck);
    let received =
        |event: &Event| event.node == peers[1] && matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. }));
    let body = Body::from("x".repeat(60_000));
    let mut said = 0;
    while session.events(too_slow).is_empty() {
        session.apply(Command::Say { node: peers[0], body: body.clone() }).await;
        said += 1;
        assert!(said < 1_000, "{} MB and never too slow", said * 60_000 / 1_000_000);
        // While the one queue fills, the other neighbor gets each message at once.
        session.until_events("the message at the other neighbor", said, received).await;
    }
    // What waited in the queue is told as lost: all but those that the system took or that were said later.
    let of = |kind: &EventKind| match kind {
        EventKind::Gossip(GossipEvent::Lost { id, loss }) if loss.to == stuck && loss.why == LossReason::LinkEnded => {
            Some(id.seq)
        }
        _ => None,
    };
    let lost: Vec<u64> = session.seen.iter().filter_map(|event| of(&event.kind)).collect();
    let generated = |kind: &EventKind| match kind {
        EventKind::Gossip(GossipEvent::Generated { id, .. }) => Some(id.seq),
        _ => None,
    };
    let generated: Vec<u64> = session.seen.iter().filter_map(|event| generated(&event.kind)).collect();
    let is_row = generated.windows(lost.len().max(1)).any(|row| row == lost);
    assert!(lost.len() >= 10 && is_row, "{lost:?} of {generated:?}");
    assert_a_line(&notices(&session), &["Link to :9 down", "read too slowly: its queue was full"]);
    assert_eq!(
        session.events(|event| event.node == peers[1] && matches!(event.kind, EventKind::Link(LinkEvent::Down { .. }))),
        []
    );
}

/// Texts that would do something to a terminal, or to whoever thinks that a letter is a column and a byte.
fn texts() -> [Vec<u8>; 4] {
    [
        b"\x1b[2J\x1b]0;owned\x07\x1b[31mred\r\n\x9b31m \xc2\x9b31m".to_vec(),
        b"before\0after\0".to_vec(),
        b"\xff\xfe\xc0\x80 \xed\xa0\x80 \xf0\x9f\x98".to_vec(),
        "\u{1f469}\u{200d}\u{1f4bb}好\u{202e}".repeat(1_000).into_bytes(),
    ]
}

fn gossip(origin: Addr, seq: u64, text: &[u8]) -> Message {
    let trace = Some(Trace { sent: Time::from_micros(0), hop: 1 });
    let body = Bytes::copy_from_slice(text).into();
    Message::Gossip(Arc::new(Gossip { id: MessageId { origin, run: 0, seq }, body, trace }))
}

/// What the gossip log of the console says.
fn log_of_the_console(session: &Session) -> Vec<String> {
    let mut model = Model::new();
    session.seen.iter().for_each(|event| model.apply(event));
    let name = |addr| model.name_of(addr).into_owned();
    let text = |entry: &GossipEntry| {
        let body = entry.body().map(ToString::to_string).unwrap_or_default();
        format!("{} {body}", entry.line(&name).unwrap().text)
    };
    model.gossip().iter().map(|(_, entry)| text(entry)).collect()
}

fn assert_printable(lines: &[String]) {
    let acts = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    let bad: Vec<&String> = lines.iter().filter(|line| line.chars().any(acts)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_spreads_untouched_and_is_shown_escaped() {
    let (mut session, _, peers) = Session::lab(calm(Vec::new()), 1, 3).await;
    let evil = Addr::loopback(9);
    let mut neighbor = join(&mut session, Dialect::Framed, peers[0], evil).await;
    for (seq, text) in (1..).zip(texts()) {
        neighbor.write_all(&encoded(Dialect::Framed, evil, &gossip(evil, seq, &text))).unwrap();
        for peer in &peers {
            let got = |event: &Event| match &event.kind {
                EventKind::Gossip(GossipEvent::Received { body, .. }) => event.node == *peer && body.as_bytes() == text,
                _ => false,
            };
            session.until_events(&format!("text {seq} at {peer}, byte for byte"), 1, got).await;
        }
    }
    for lines in [log_of_the_console(&session), log_lines(&session)] {
        assert_printable(&lines);
        assert_a_line(&lines, &[r"\x1b[2J\x1b]0;owned\x07\x1b[31mred\r\n\x9b31m \u{9b}31m"]);
        assert_a_line(&lines, &[r"before\x00after\x00"]);
        assert_a_line(&lines, &[r"\xff\xfe\xc0\x80 \xed\xa0\x80 \xf0\x9f\x98"]);
        assert_a_line(&lines, &["\u{1f469}\\u{200d}\u{1f4bb}好\\u{202e}\u{1f469}"]);
    }
    assert_undisturbed(&mut session, &peers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classic_text_that_is_not_utf8_is_a_violation() {
    let (mut session, _, peers) = Session::lab(classic(calm(Vec::new())), 1, 3).await;
    let mut neighbor = join(&mut session, Dialect::Classic, peers[0], Addr::loopback(9)).await;
    neighbor.write_all(b"03.05.31:('127.0.0.1', 9):\x1b[2J\0\x07").unwrap();
    for peer in &peers {
        let got = |event: &Event| {
            event.node == *peer
                && matches!(&event.kind, EventKind::Gossip(GossipEvent::Received { body, .. }) if body.as_bytes() == b"\x1b[2J\0\x07")
        };
        session.until_events(&format!("the text at {peer}"), 1, got).await;
    }
    assert_printable(&log_lines(&session));
    assert_a_line(&log_lines(&session), &[r"('127.0.0.1', 9):\x1b[2J\x00\x07"]);
    neighbor.write_all(b"03.05.32:('127.0.0.1', 9):\xff\xfe\xfd and more").unwrap();
    until_told(&mut session, peers[0], Rule::Malformed, "127.0.0.1:9", r"03.05.32:('127.0.0.1', 9):\xff\xfe\xfd").await;
    assert_undisturbed(&mut session, &peers).await;
}
