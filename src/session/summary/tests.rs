use std::path::PathBuf;

use super::*;
use crate::event::samples::{AT, event, peer, seed, started};
use crate::event::{DeathEvent, Event, EventKind, GossipEvent, NodeEvent, SeedEvent, Stop};
use crate::proto::message::{DeathCause, MessageId};
use crate::proto::time::Time;

fn model() -> Model {
    let mut model = Model::new();
    model.apply(&event(seed(), started("s1", Role::Seed)));
    for n in 1..=3 {
        model.apply(&event(peer(n), started(&format!("p{n}"), Role::Peer)));
    }
    let id = MessageId { origin: peer(1), run: 1, seq: 1 };
    model.apply(&event(
        peer(1),
        EventKind::Gossip(GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 1 }),
    ));
    let received =
        EventKind::Gossip(GossipEvent::Received { id, from: peer(1), body: "x".into(), trace: None, forwarded: 0 });
    model.apply(&event(peer(2), received));
    // Long enough after the message that p3 should have had it.
    for n in [2, 3] {
        let stopped = event(peer(n), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
        model.apply(&Event { at: AT + std::time::Duration::from_secs(60), ..stopped });
    }
    let died = EventKind::Death(DeathEvent::NeighborDied {
        missed: None,
        peer: peer(2),
        cause: DeathCause::LinkError,
        last_heard: AT,
    });
    let mut died = event(peer(1), died);
    died.at = AT + std::time::Duration::from_secs(90);
    model.apply(&died);
    model
}

#[test]
fn quitting_tells_what_happened_and_where_the_files_are() {
    let record = RecorderReport {
        events: 9,
        lost: 1,
        journal: Some(PathBuf::from("state/session.jsonl")),
        logs: vec![PathBuf::from("logs/seed_log_5001.txt"), PathBuf::from("logs/peer_log_3001.txt")],
        ..RecorderReport::default()
    };
    let mut model = model();
    model.note_skipped(40);
    assert_eq!(
        summary(&model, Some(&record), 0),
        "The session lasted 90 s.\n  \
         nodes     1 seed, 3 peers, 2 killed\n  \
         messages  at least 1 generated, 1 first receipt, 0 further copies\n  \
         coverage  at least 0 of 1 message reached every peer; the last, p1#1: at least\n            \
         2/3 in 1 hop\n  \
         deaths    p2 at 03:14:32, noticed by p1; p3 killed, not noticed by anybody;\n            \
         not certain: 40 events were skipped\n  \
         missing   40 events not shown: the screen was too slow; 1 event not recorded:\n            \
         the journal was full or could not be written\n  \
         logs      logs (2 files)\n  \
         journal   state/session.jsonl\n"
    );
}

#[test]
fn a_path_that_is_too_long_for_the_column_has_a_line_of_its_own() {
    let long = format!("/home/{}/session.jsonl", "x".repeat(60));
    assert_eq!(summary_line("journal", &long), format!("  journal\n{long}\n"));
    assert_eq!(summary_line("logs", &format!("{long} (2 files)")), format!("  logs\n{long}\n            (2 files)\n"));
}

#[test]
fn of_one_peer_among_others_nothing_is_said_of_the_network() {
    let mut model = Model::new();
    model.apply(&event(peer(1), started(":3001", Role::Peer)));
    let id = MessageId { origin: peer(2), run: 1, seq: 1 };
    let received =
        EventKind::Gossip(GossipEvent::Received { id, from: peer(2), body: "x".into(), trace: None, forwarded: 0 });
    model.apply(&event(peer(1), received));
    let id = MessageId { origin: peer(1), run: 1, seq: 1 };
    let mine = GossipEvent::Generated { id, body: "y".into(), trace: None, forwarded: 1 };
    model.apply(&event(peer(1), EventKind::Gossip(mine)));
    let told = summary(&model, None, 0);
    assert!(told.contains("known of 1 of 2 nodes alone: 2 messages seen here, 1 of them known"), "{told}");
    let tried = event(peer(1), EventKind::Seed(SeedEvent::TooFewSeeds { registered: 0, wanted: 1, known: 1 }));
    model.apply(&tried);
    for seconds in [0, 3] {
        model.pass(tried.at + std::time::Duration::from_secs(seconds));
    }
    assert!(summary(&model, None, 0).contains("  seeds     none reachable since 03:13:02\n"), "{told}");
}

#[test]
fn a_session_without_anything_says_so() {
    let text = summary(&Model::new(), None, 0);
    assert!(text.contains("no message was seen") && text.contains("deaths    none"), "{text}");
    assert!(!text.contains("missing") && !text.contains("journal"), "{text}");
    assert_eq!(Model::new().now(), Time::from_micros(0));
}
