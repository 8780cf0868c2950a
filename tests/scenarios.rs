//! Scenarios in virtual time: what their lines do, and what is said when an expectation fails.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::time::Duration;

use gossipctl::command::{Command, NodeSpec, Placement};
use gossipctl::engine::{Refusal, Settings};
use gossipctl::event::{Event, EventKind, FaultEvent, GossipEvent, LinkEvent, NodeEvent};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::config::DeadPolicy;
use gossipctl::proto::message::{Dialect, Role};
use gossipctl::scenario::{Run, Script, Summary};
use gossipctl::session::check::Checker;
use gossipctl::sim::{EPOCH, Piece, ScenarioSink, VirtualEngine, play};

use virtual_time::peers_of;

/// What came of a scenario.
struct Played {
    events: Vec<Event>,
    told: Vec<String>,
    summary: Summary,
}

/// Plays a scenario with a message a second and a probe every 500 ms.
fn played(text: &str) -> Played {
    played_after(Vec::new(), text)
}

/// The same in a network to which this was done before.
fn played_after(before: Vec<Command>, text: &str) -> Played {
    let script = Script::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut peer = peers_of(Dialect::Framed);
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_millis(500));
    let (mut run, mut events, mut told) = (Run::new(script), Vec::new(), Vec::new());
    let mut checker = Checker::new(DeadPolicy::Verify);
    let listener = |piece: Piece<'_>| {
        match piece {
            Piece::Event(event) => {
                checker.apply(event);
                events.push(event.clone());
            }
            Piece::Told(notice) => told.push(notice.text),
            Piece::OverBound { at, node, gauge } => checker.weigh_gauge(at, node, gauge),
        }
        Ok::<(), Refusal>(())
    };
    let settings = Settings::of_peers(peer, 7);
    let mut engine = VirtualEngine::with_sink(settings, EPOCH, ScenarioSink::new(&mut run, listener));
    for command in before {
        engine.apply(command).unwrap();
    }
    play(engine, None).unwrap();
    let end = events.last().map_or(EPOCH, |event| event.at);
    assert_eq!(checker.finish(end), (Vec::new(), 0), "what must always hold");
    Played { events, told, summary: run.summary() }
}

fn holds(text: &str) {
    let Played { summary, told, .. } = played(text);
    assert!(summary.is_good() && summary.skipped.is_empty(), "{summary:#?}\n{told:#?}");
}

fn failure(text: &str) -> String {
    let mut summary = played(text).summary;
    assert_eq!(summary.failed.len(), 1, "{summary:#?}");
    summary.failed.remove(0)
}

#[test]
fn a_message_reaches_everybody_and_the_overlay_is_one() {
    holds(
        "lab 2 8\n\
         expect connected within 2s\n\
         3s say p1 hello\n\
         expect coverage 100% within 1s\n\
         +1s expect coverage 100% of p3#2\n\
         expect no dead for 5s\n",
    );
}

#[test]
fn a_hung_node_is_found_dead_and_returns_when_restarted() {
    holds(
        "lab 2 8\n\
         3s hang p3\n\
         expect not dead p3\n\
         expect dead p3 within 3s\n\
         expect not listed p3 within 5s\n\
         +6s restart p3\n\
         expect not dead p3 within 2s\n\
         expect listed p3 within 2s\n\
         expect connected within 2s\n",
    );
}

#[test]
fn calm_brings_back_whoever_was_killed_or_hangs() {
    holds(
        "lab 2 8\n\
         3s hang p3\n\
         kill p5 s1\n\
         partition p1 p2\n\
         expect dead p3 within 5s\n\
         +8s calm\n\
         expect connected within 5s\n\
         expect listed p3 within 5s\n\
         +5s say p3 back\n\
         expect coverage 100% within 1s\n\
         +1s kill p3\n",
    );
}

/// What each kind of fault does to the network, in the words of scenarios.
#[test]
fn each_fault_that_stops_messages_fails_an_expectation() {
    let seen = [
        ("kill", "kill p3\nexpect dead p3 within 3s\n+3s restart p3\nexpect not dead p3 within 3s"),
        ("hang", "hang p3\nexpect dead p3 within 3s\n+3s restart p3\nexpect not dead p3 within 3s"),
        ("cut", "cut p1 p2\nexpect disputed p2 within 5s\nexpect connected for 5s"),
        (
            "partition",
            "partition p1 p2 s1\nexpect not connected within 5s\n+5s heal partition\nexpect connected within 9s",
        ),
        (
            "delay",
            "delay all 1s 500ms\nsay p1 late\nexpect not coverage 100% for 900ms\nexpect coverage 100% within 9s",
        ),
        (
            "loss",
            "loss p3 100%\nsay p1 lost\nexpect not coverage 100% for 1s\n+9s loss p3 off\nexpect connected within 9s",
        ),
        (
            "slow",
            "slow p3 1/s\n+500ms say p1 later\nexpect not coverage 100% for 1s\nexpect coverage 100% within 1100ms\n+1s calm",
        ),
        ("lie", "lie p1 p3\nexpect disputed p3 within 2s\nexpect listed p3 for 2s\nexpect no dead for 2s"),
    ];
    for (kind, lines) in seen {
        let Played { summary, told, .. } = played(&format!("lab 2 4\n3s {lines}\n"));
        assert!(summary.is_good() && summary.skipped.is_empty(), "{kind}: {summary:#?}\n{told:#?}");
    }
}

/// Counts what a fault does.
type Count<'a> = &'a dyn Fn(&[Event]) -> usize;

/// What the others do stands in the log, and on the screen.
#[test]
fn each_fault_that_lets_messages_pass_shows_in_the_events() {
    let p3 = Addr::loopback(3002);
    let copies = |events: &[Event]| {
        let is_copy =
            |event: &&Event| event.node == p3 && matches!(event.kind, EventKind::Gossip(GossipEvent::Duplicate { .. }));
        events.iter().filter(is_copy).count()
    };
    let overtaken = |events: &[Event]| {
        let mut latest = 0;
        let heard = events.iter().filter_map(|event| match &event.kind {
            EventKind::Gossip(GossipEvent::Received { id, .. })
                if event.node == p3 && id.origin == Addr::loopback(3000) =>
            {
                Some(id.seq)
            }
            _ => None,
        });
        let is_overtaken = |seq: &u64| {
            let before = latest;
            latest = before.max(*seq);
            before > *seq
        };
        heard.filter(is_overtaken).count()
    };
    let wrong_times = |events: &[Event]| {
        let sent = events.iter().filter_map(|event| match &event.kind {
            EventKind::Gossip(GossipEvent::Generated { trace: Some(trace), .. }) if event.node == p3 => {
                Some((event.at, trace.sent))
            }
            _ => None,
        });
        sent.filter(|(at, sent)| at != sent).count()
    };
    let violations = |events: &[Event]| {
        let is_violation =
            |event: &&Event| event.node == p3 && matches!(event.kind, EventKind::Link(LinkEvent::Violation { .. }));
        events.iter().filter(is_violation).count()
    };
    let kinds: [(&str, Count<'_>); 4] = [
        ("duplicate p3 100%", &copies),
        ("reorder all 50% 3s", &overtaken),
        ("skew p3 +5s", &wrong_times),
        ("junk p3 5/s", &violations),
    ];
    let quiet = played("lab 1 3\n60s end\n").events;
    for (line, count) in kinds {
        let events = played(&format!("lab 1 3\n3s {line}\n60s end\n")).events;
        assert!(count(&events) > count(&quiet), "{line}: {} and {} without", count(&events), count(&quiet));
    }
}

/// Everything that leaves something to chance, and everything else that can be done to a network.
const EVERY_FAULT: &str = "lab 2 8\n\
    2s delay p1 20ms 50ms\n\
    loss p2 20%\n\
    duplicate p3 30%\n\
    reorder all 20% 200ms\n\
    slow p4 20/s\n\
    skew p5 -3s\n\
    junk p6 3/s\n\
    +3s lie p1 p7\n\
    partition p1 p2 s1\n\
    +4s hang p8\n\
    kill p7 s2\n\
    cut p3 p4\n\
    +5s restart p7\n\
    say p3 \" still\\nhere\"\n\
    heal partition\n\
    peer\n\
    +3s calm\n\
    +5s expect connected\n";

#[test]
fn with_every_fault_one_seed_gives_the_same_bytes() {
    let bytes =
        || played(EVERY_FAULT).events.iter().map(|event| serde_json::to_string(event).unwrap()).collect::<Vec<_>>();
    let first = bytes();
    assert_eq!(first.len(), bytes().len());
    assert!(first == bytes());
    let Played { summary, events, .. } = played(EVERY_FAULT);
    assert!(summary.is_good() && summary.skipped.is_empty(), "{summary:#?}");
    let set = events.iter().filter(|event| matches!(event.kind, EventKind::Fault(FaultEvent::Set { .. }))).count();
    let cleared =
        events.iter().filter(|event| matches!(event.kind, EventKind::Fault(FaultEvent::Cleared { .. }))).count();
    assert_eq!((set, cleared), (9, 9), "all that was set has ended");
}

/// Four peers that the scenario does not know of, and that have its first names: p2 runs, the others were killed.
fn with_strangers() -> Vec<Command> {
    let start = |port| Command::Start(NodeSpec { role: Role::Peer, listen: Placement::At(Addr::loopback(port)) });
    let kill = |port| Command::Kill(Addr::loopback(port));
    [3_900, 3_901, 3_902, 3_903].map(start).into_iter().chain([3_900, 3_902, 3_903].map(kill)).collect()
}

#[test]
fn a_refused_command_is_skipped_and_the_rest_of_its_line_done() {
    let text = "lab 1 4\n1s say p1 hello\n+1s kill p1 p2\n+1s kill p3 p4\n+1s end\n";
    let Played { events, told, summary } = played_after(with_strangers(), text);
    let skipped = [
        "line 2: say p1 hello: skipped: p1 was killed",
        "line 3: kill p1 p2: skipped: 'kill p1': p1 was killed",
        "line 4: kill p3 p4: skipped: 'kill p3': p3 was killed; \
         'kill p4': p4 was killed",
    ];
    assert_eq!(summary.skipped, skipped);
    assert_eq!(summary.text(), "done; nothing was expected, 2 lines skipped, 1 line done in part");
    let of_line_4: Vec<&String> = told.iter().filter(|line| line.starts_with("line 4: ")).collect();
    let second = "line 4: kill p3 p4: skipped: 'kill p4': p4 was killed";
    assert_eq!(of_line_4[1], second, "nothing is told twice");
    let stopped = |event: &&Event| {
        event.node == Addr::loopback(3_901) && matches!(event.kind, EventKind::Node(NodeEvent::Stopped { .. }))
    };
    let at = events.iter().find(stopped).unwrap().at;
    assert_eq!(at.since(EPOCH), Duration::from_secs(2), "what could be done was done");
}

#[test]
fn an_expectation_that_fails_says_in_words_what_is_so() {
    let coverage = failure("lab 2 8\n3s expect coverage 100% of p3#9 within 2s\n");
    assert_eq!(coverage, "line 2: expect coverage 100% of p3#9 within 2s: after 2 s no such message had begun");
    let dead = failure("lab 2 8\n3s expect dead p3 within 2s\n");
    assert_eq!(dead, "line 2: expect dead p3 within 2s: after 2 s nobody had declared p3 dead");
    let nobody = failure("lab 2 8\n3s kill p3\nexpect no dead for 5s\n");
    assert!(nobody.contains(" had declared p3 dead"), "{nobody}");
    let disputed = failure("lab 2 8\n3s expect disputed p3\n");
    assert_eq!(disputed, "line 2: expect disputed p3: no seed had disputed a report that p3 is dead");
}

#[test]
fn a_line_ends_the_scenario_and_everybody_leaves() {
    let Played { events, told, .. } = played("# A quiet minute.\n\nlab 1 3\n1m end\n");
    let last = events.last().unwrap();
    assert_eq!(last.at.since(EPOCH).as_secs(), 60);
    assert!(matches!(last.kind, EventKind::Node(NodeEvent::Stopped { .. })));
    assert_eq!(told, ["# A quiet minute.", "1m: the scenario ends"]);
}

#[test]
fn a_claim_about_nothing_holds_neither_way() {
    assert_eq!(
        failure("lab 1 3\n2s kill p1 p2 p3\nexpect not coverage 1% within 1s\n"),
        "line 3: expect not coverage 1% within 1s: after 1 s no such message had begun"
    );
    let of_nobody = failure("lab 1 3\n2s say p1 x\nexpect coverage 100% within 2s\nkill p1 p2 p3\n");
    assert!(of_nobody.ends_with(": after 2 s no peer that ran when p1#~0001 began still ran"), "{of_nobody}");
}

#[test]
fn expectations_right_after_a_say_are_about_its_message() {
    holds(
        "lab 1 6\n\
         2s partition p6\n\
         say p1 hello\n\
         expect coverage 10% for 2s\n\
         expect not coverage 100% for 2s\n\
         expect coverage 80% within 1s\n",
    );
}
