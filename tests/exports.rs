//! What other programs get of a session, and what differs between two moments of it: of networks in
//! virtual time, read by parsers that are not ours.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use gossipctl::engine::{Refusal, Settings};
use gossipctl::event::{DeathEvent, Event, EventKind, GossipEvent, NodeEvent, ProbeEvent};
use gossipctl::model::Model;
use gossipctl::model::diff::{Change, Diff, DiffDocument, DifferenceKind, diff, lines};
use gossipctl::model::words::{clock_text, sentence};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::Dialect;
use gossipctl::proto::time::Time;
use gossipctl::scenario::played::ReplayedScenario;
use gossipctl::scenario::{Run, Script};
use gossipctl::session::export::{OverwritePolicy, export};
use gossipctl::session::journal::{Header, Journal};
use gossipctl::session::report::{SessionReport, page};
use gossipctl::sim::{EPOCH, Piece, ScenarioSink, VirtualEngine, play};
use serde_json::Value;

use virtual_time::peers_of;

/// Each side of a partition takes the other for dead; then they find each other, and a node dies.
const PARTITION: &str = "lab 2 8\n10s partition p1 p2 p3\n25s calm\n40s kill p8\n45s end\n";

/// Its events, which most tests look at.
static PARTED: LazyLock<Vec<Event>> = LazyLock::new(|| played(PARTITION, 7));
/// What Perfetto gets of them.
static TRACE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&Recorded::new(&PARTED).export("s.perfetto")).unwrap());

/// The events of a scenario, with a message a second and a probe every 500 ms.
fn played(script: &str, rng_seed: u64) -> Vec<Event> {
    played_to_its_end(script, rng_seed).0
}

/// The same, with what came of the scenario.
fn played_to_its_end(script: &str, rng_seed: u64) -> (Vec<Event>, Run) {
    let mut peer = peers_of(Dialect::Framed);
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_millis(500));
    let (mut run, mut events) = (Run::new(Script::parse(script).unwrap()), Vec::new());
    let listener = |piece: Piece<'_>| {
        if let Piece::Event(event) = piece {
            events.push(event.clone());
        }
        Ok::<(), Refusal>(())
    };
    let settings = Settings::of_peers(peer, rng_seed);
    play(VirtualEngine::with_sink(settings, EPOCH, ScenarioSink::new(&mut run, listener)), None).unwrap();
    (events, run)
}

#[test]
fn a_recorded_scenario_comes_out_as_it_was_played() {
    let text = "lab 2 8\n10s kill p3\n10s expect dead p3\nexpect dead p3 within 5s\n20s partition p1 p2 p4\n\
                +100ms say p1 is anybody there\nexpect coverage 100% within 3s\n40s heal partition\n\
                expect connected within 20s\n+1s expect no dead for 500ms\n70s end\n";
    for rng_seed in 1..=4 {
        let (events, run) = played_to_its_end(text, rng_seed);
        let mut again = ReplayedScenario::new(Script::parse(text).unwrap());
        let leaves = events.iter().position(|event| event.kind.is_leaving()).unwrap();
        events[..leaves].iter().for_each(|event| again.take(event));
        let outcome = again.finish(events[leaves].at);
        assert_eq!(outcome.summary, run.summary(), "--rng-seed {rng_seed}");
        assert!(outcome.summary.held > 0 && !outcome.summary.failed.is_empty(), "{:?}", outcome.summary);
        assert_eq!(outcome.lines.len(), 10, "all but the lab");
    }
}

#[test]
fn a_report_tells_the_scenario_with_its_verdict() {
    let text = "lab 2 3\n# p3 dies.\n5s kill p3\nexpect dead p3 within 5s\nexpect dead p2 within 3s\n20s end\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.jsonl");
    let header = Header {
        scenario: Some("death.txt".to_owned()),
        scenario_text: Some(text.to_owned()),
        ..Header::new(EPOCH, 0)
    };
    let mut journal = Journal::create(&path, &header, u64::MAX).unwrap();
    journal.append(&played(text, 3)).unwrap();
    journal.flush().unwrap();
    let page = page(&SessionReport::read(&path).unwrap());
    assert!(page.contains("</a>: 1 of 2 expectations held, 1 failed.</p>"), "{page}");
    let row = |line: &str| page.split("<tr>").find(|row| row.contains(line)).unwrap();
    assert!(row("expect dead p3 within 5s").contains("held"), "{page}");
    assert!(row("expect dead p2 within 3s").contains("failed: after 3 s"), "{page}");
    assert!(row("5s kill p3").contains("done") && row("# p3 dies.").contains("<td class=\"name\"></td>"), "{page}");
}

/// A recording of these events, and a place for its exports.
struct Recorded {
    dir: tempfile::TempDir,
    journal: PathBuf,
}

impl Recorded {
    fn new(events: &[Event]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.jsonl");
        let mut journal = Journal::create(&path, &Header::new(EPOCH, 0), u64::MAX).unwrap();
        journal.append(events).unwrap();
        journal.flush().unwrap();
        Self { dir, journal: path }
    }

    fn export(&self, name: &str) -> String {
        let dest = self.dir.path().join(name);
        export(&self.journal, &dest, OverwritePolicy::Refuse).unwrap();
        std::fs::read_to_string(dest).unwrap()
    }
}

fn names(events: &[Event]) -> BTreeMap<Addr, String> {
    let named = events.iter().filter_map(|event| match &event.kind {
        EventKind::Node(NodeEvent::Started { name, .. }) => Some((event.node, name.clone())),
        _ => None,
    });
    named.collect()
}

fn of_phase<'a>(trace: &'a Value, phase: &'a str) -> impl Iterator<Item = &'a Value> {
    trace["traceEvents"].as_array().unwrap().iter().filter(move |entry| entry["ph"] == phase)
}

#[test]
fn a_trace_has_an_arrow_for_each_copy_that_came() {
    let (events, trace) = (&*PARTED, &*TRACE);
    let copies = events.iter().filter(|event| {
        matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. } | GossipEvent::Duplicate { .. }))
    });
    let starts: BTreeMap<&str, &Value> =
        of_phase(trace, "s").map(|entry| (entry["id"].as_str().unwrap(), entry)).collect();
    let ends: Vec<&Value> = of_phase(trace, "f").filter(|entry| entry["name"] == "copy").collect();
    let losses = of_phase(trace, "X").filter(|entry| entry["cat"] == "loss").count();
    assert_eq!(ends.len(), copies.count() + losses);
    let slices: BTreeSet<(u64, u64)> =
        of_phase(trace, "X").map(|entry| (entry["pid"].as_u64().unwrap(), entry["ts"].as_u64().unwrap())).collect();
    for end in ends {
        let start = starts[end["id"].as_str().unwrap()];
        // What a fault swallows is lost when it is sent.
        assert!(start["ts"].as_u64() <= end["ts"].as_u64() && start["pid"] != end["pid"], "{start} {end}");
        for entry in [start, end] {
            let place = (entry["pid"].as_u64().unwrap(), entry["ts"].as_u64().unwrap());
            assert!(slices.contains(&place), "an arrow needs a slice at each end: {entry}");
        }
    }
}

#[test]
fn a_trace_has_a_track_a_node_and_what_begins_there_ends() {
    let trace = &*TRACE;
    let tracks: BTreeSet<&str> = of_phase(trace, "M")
        .filter(|entry| entry["name"] == "process_name")
        .map(|entry| entry["args"]["name"].as_str().unwrap())
        .collect();
    let expected = ["faults", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "s1", "s2"];
    assert_eq!(tracks.into_iter().collect::<Vec<_>>(), expected);
    for (begin, end) in [("B", "E"), ("b", "e")] {
        let of = |phase| {
            let mut ids: Vec<String> = of_phase(trace, phase)
                .map(|entry| format!("{} {} {}", entry["pid"], entry["id"], entry["name"]))
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(of(begin), of(end), "{begin}");
    }
    let fault = |phase| of_phase(trace, phase).find(|entry| entry["name"] == "partition p1 p2 p3").unwrap();
    assert_eq!((fault("b")["ts"].as_u64(), fault("e")["ts"].as_u64()), (Some(10_000_000), Some(25_000_000)));
    assert!(of_phase(trace, "i").any(|entry| entry["name"] == "takes p1 for dead"));
}

/// A line of a `ShiViz` log: the host, its clock, and what happened.
struct Told {
    host: String,
    clock: BTreeMap<String, u64>,
    text: String,
}

fn shiviz_log(text: &str) -> Vec<Told> {
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], [r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)", ""]);
    let told = lines[2..].chunks(2).map(|pair| {
        let (host, clock) = pair[0].split_once(' ').unwrap();
        Told { host: host.to_owned(), clock: serde_json::from_str(clock).unwrap(), text: pair[1].to_owned() }
    });
    told.collect()
}

/// What a message is called by whoever sends it and whoever gets it.
fn sent_and_received(event: &Event) -> [Option<String>; 2] {
    let node = event.node;
    match &event.kind {
        EventKind::Gossip(GossipEvent::Generated { id, .. }) => [Some(format!("{id:?} by {node}")), None],
        EventKind::Gossip(GossipEvent::Received { id, from, .. }) => {
            [Some(format!("{id:?} by {node}")), Some(format!("{id:?} by {from}"))]
        }
        EventKind::Gossip(GossipEvent::Duplicate { id, from, .. }) => [None, Some(format!("{id:?} by {from}"))],
        EventKind::Probe(ProbeEvent::Sent { peer, seq, .. }) => [Some(format!("probe {node} {peer} {seq}")), None],
        EventKind::Probe(ProbeEvent::Received { peer, seq, .. }) => {
            [Some(format!("answer {node} {peer} {seq}")), Some(format!("probe {peer} {node} {seq}"))]
        }
        EventKind::Probe(ProbeEvent::Answered { peer, seq, .. }) => [None, Some(format!("answer {peer} {node} {seq}"))],
        EventKind::Death(DeathEvent::DeadReportSent { dead, clock, .. }) => {
            [Some(format!("report {node} {dead} {clock}")), None]
        }
        EventKind::Death(DeathEvent::DeadReportReceived { dead, clock, reporter, .. }) => {
            [None, Some(format!("report {reporter} {dead} {clock}"))]
        }
        _ => [None, None],
    }
}

/// Of each event of the log the places of all events that could have caused it, found by walking
/// from event to event.
fn pasts(log: &[Told], events: &[Event]) -> Vec<BTreeSet<usize>> {
    let names = names(events);
    let (mut events, mut pasts) = (events.iter(), Vec::<BTreeSet<usize>>::new());
    let (mut last, mut sent) = (BTreeMap::<&str, usize>::new(), BTreeMap::<String, usize>::new());
    for (place, told) in log.iter().enumerate() {
        let is_it = |event: &&Event| {
            let what = sentence(&event.kind, &|addr| names[&addr].clone());
            names[&event.node] == told.host && told.text == format!("{} {what}", clock_text(event.at, 0))
        };
        let [sends, receives] = sent_and_received(events.find(is_it).expect("each line tells an event, in order"));
        let causes =
            last.insert(&told.host, place).into_iter().chain(receives.and_then(|name| sent.get(&name).copied()));
        let past = causes.flat_map(|cause| pasts[cause].iter().copied().chain([cause])).collect();
        pasts.push(past);
        sends.and_then(|name| sent.insert(name, place));
    }
    pasts
}

#[test]
fn vector_clocks_are_in_order_exactly_if_causes_are() {
    for rng_seed in 1..=3 {
        let script = "lab 2 4\n1200ms kill p2\n2s partition p1\n2500ms calm\n4s end\n";
        let events = played(script, rng_seed);
        let log = shiviz_log(&Recorded::new(&events).export("s.shiviz"));
        let pasts = pasts(&log, &events);
        assert!(log.len() > 200 && log.len() < 1_500, "{}", log.len());
        let precedes = |one: &Told, other: &Told| {
            let is_within =
                one.clock.iter().all(|(host, count)| other.clock.get(host).is_some_and(|more| count <= more));
            is_within && one.clock != other.clock
        };
        for (place, told) in log.iter().enumerate() {
            for (earlier, cause) in log[..place].iter().enumerate() {
                let could_cause = pasts[place].contains(&earlier);
                assert_eq!(precedes(cause, told), could_cause, "{rng_seed}: {} and {}", cause.text, told.text);
                assert!(!precedes(told, cause), "{rng_seed}: {} is later", told.text);
            }
        }
    }
}

#[test]
fn a_nodes_own_entry_counts_its_events_one_by_one() {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for told in shiviz_log(&Recorded::new(&PARTED).export("s.shiviz")) {
        let count = counts.entry(told.host.clone()).or_default();
        *count += 1;
        assert_eq!(told.clock[&told.host], *count, "{}", told.text);
    }
    assert_eq!(counts.len(), 10);
}

#[test]
fn the_overlay_is_graphml_with_states_roles_and_degrees() {
    let text = Recorded::new(&PARTED).export("s.graphml");
    let document = roxmltree::Document::parse(&text).unwrap();
    let data = |node: roxmltree::Node<'_, '_>, key: &str| {
        node.children().find(|data| data.attribute("key") == Some(key)).and_then(|data| data.text()).map(str::to_owned)
    };
    let keys: BTreeSet<_> =
        document.descendants().filter(|node| node.has_tag_name("key")).filter_map(|key| key.attribute("id")).collect();
    let edges: Vec<_> = document.descendants().filter(|node| node.has_tag_name("edge")).collect();
    let nodes: Vec<_> = document.descendants().filter(|node| node.has_tag_name("node")).collect();
    assert_eq!(nodes.len(), 10);
    for node in nodes {
        let id = node.attribute("id").unwrap();
        let links =
            edges.iter().filter(|edge| [edge.attribute("source"), edge.attribute("target")].contains(&Some(id)));
        let is_seed = id.starts_with('s');
        let neighbors = links.filter(|edge| is_seed || data(**edge, "purpose").as_deref() == Some("neighbor")).count();
        assert_eq!(data(node, "degree"), Some(neighbors.to_string()), "{id}");
        assert_eq!(data(node, "state").as_deref(), Some(if id == "p8" { "killed" } else { "up" }), "{id}");
        assert_eq!(data(node, "role").as_deref(), Some(if is_seed { "seed" } else { "peer" }));
        assert!(node.children().filter_map(|data| data.attribute("key")).all(|key| keys.contains(key)));
    }
}

/// A run, and any moment of it.
struct PastRun {
    events: Vec<Event>,
    /// Moments that were asked for, with the number of events up to each.
    folded: RefCell<BTreeMap<Time, (usize, Model)>>,
}

impl PastRun {
    fn new(events: Vec<Event>) -> Self {
        Self { events, folded: RefCell::default() }
    }

    fn at(&self, at: Time) -> Model {
        let mut folded = self.folded.borrow_mut();
        let before = folded.range(..=at).next_back().map(|(_, moment)| moment.clone());
        let (start, mut model) = before.unwrap_or_default();
        let end = self.events.partition_point(|event| event.at <= at);
        self.events[start..end].iter().for_each(|event| model.apply(event));
        folded.insert(at, (end, model.clone()));
        model
    }

    fn diff(&self, from: Time, to: Time) -> Diff {
        let (low, high) = (from.min(to), from.max(to));
        let between = self.events.iter().filter(|event| event.at > low && event.at <= high);
        diff(&self.at(from), &self.at(to), (from, to), between, 0)
    }

    fn lines(&self, from: Time, to: Time) -> Vec<String> {
        lines(&self.diff(from, to), &self.at(from.max(to)), 0).into_iter().map(|line| line.text).collect()
    }
}

fn second(second: u64) -> Time {
    EPOCH + Duration::from_secs(second)
}

#[test]
fn a_difference_tells_who_was_cut_off_and_since_when() {
    let run = PastRun::new(PARTED.clone());
    let told = run.lines(second(9), second(20));
    assert_eq!(
        told[..2],
        [
            "in 2 parts since 00:00:10: p4, p5, p6, p7 and p8 | p1, p2 and p3; cause: 'partition p1 p2 p3' since 00:00:10",
            "+ partition p1 p2 p3, set at 00:00:10",
        ]
    );
    let gone: Vec<&String> = told.iter().filter(|line| line.starts_with("- link ")).collect();
    assert!(!gone.is_empty());
    let is_told = |line: &&String| line.ends_with("by 'partition p1 p2 p3' since 00:00:10.");
    assert!(gone.iter().all(is_told), "{gone:#?}");
}

#[test]
fn a_difference_tells_when_the_overlay_was_whole_again() {
    let run = PastRun::new(PARTED.clone());
    let told = run.lines(second(20), second(39));
    assert!(told[0].starts_with("whole again since 00:00:2"), "{told:#?}");
    let apart = "it was in 2 parts: p4, p5, p6, p7 and p8 | p1, p2 and p3; cause: the new link p";
    assert!(told[0].contains(apart), "{told:#?}");
    assert_eq!(told[1], "- partition p1 p2 p3, ended at 00:00:25");
    // Over both, it is over, and told all the same.
    let no_longer = told.iter().find(|line| line.starts_with("- p") && line.contains(" held p"));
    assert!(no_longer.unwrap().ends_with(": it was heard from again"), "{told:#?}");
    let told = run.lines(second(9), second(39));
    let passed = told.iter().find(|line| line.contains(" for dead for a time until 00:00:2"));
    assert!(passed.is_some(), "{told:#?}");
    assert!(told[0].starts_with("in up to 3 parts from 00:00:10 until 00:00:25, for 15 s: "), "{told:#?}");
    assert_eq!(told[1], "  partition p1 p2 p3, set and ended at 00:00:25");
}

#[test]
fn a_killed_node_and_its_links_are_gone_because_of_that() {
    let run = PastRun::new(PARTED.clone());
    let told = run.lines(second(39), second(44));
    assert!(told.contains(&"p8: up -> killed: p8 was killed at 00:00:40.".to_owned()), "{told:#?}");
    let links: Vec<&String> = told.iter().filter(|line| line.starts_with("- ") && line.contains(" - ")).collect();
    assert!(links.iter().all(|line| line.contains("p8 was killed")) && links.len() > 2, "{links:#?}");
    assert!(told.iter().any(|line| line.starts_with("- p8 off the list of s1 at 00:00:4")), "{told:#?}");
    let holds = told.iter().filter(|line| line.contains(" holds p8 for dead since 00:00:40: connection reset"));
    assert!(holds.count() > 1, "{told:#?}");
    let document = serde_json::to_value(DiffDocument::new(&run.diff(second(39), second(44)), &run.at(second(44)), 0));
    let document = document.unwrap();
    let node = document["differences"].as_array().unwrap().iter().find(|row| row["kind"] == "node").unwrap();
    assert_eq!((&node["node"], &node["before"], &node["after"]), (&"p8".into(), &"up".into(), &"killed".into()));
    assert_eq!(node["text"], "p8: up -> killed: p8 was killed at 00:00:40.");
}

/// Links and list entries that a difference names.
fn changed(diff: &Diff, wanted: Change) -> BTreeSet<String> {
    let told = diff.differences.iter().filter_map(|difference| match &difference.what {
        DifferenceKind::Link { change, ends, purpose } if *change == wanted => Some(format!("{ends:?} {purpose:?}")),
        DifferenceKind::Listed { change, seed, peer } if *change == wanted => Some(format!("{seed} lists {peer}")),
        DifferenceKind::Fault { change, fault } if *change == wanted => Some(format!("{fault:?}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_moment_equals_itself_and_reversed_gone_is_new() {
    for rng_seed in 1..=3 {
        let run = PastRun::new(played(PARTITION, rng_seed));
        let moments = [0, 3, 12, 18, 24, 26, 33, 41, 44].map(second);
        for (place, from) in moments.into_iter().enumerate() {
            assert_eq!(run.diff(from, from).differences, [], "{from:?}");
            let to = moments[(place + 3) % moments.len()];
            let (there, back) = (run.diff(from, to), run.diff(to, from));
            assert_eq!(changed(&there, Change::Gone), changed(&back, Change::New));
            assert_eq!(changed(&there, Change::New), changed(&back, Change::Gone));
            assert_eq!(there.differences.len(), back.differences.len());
            // What is there at one of them is what that model has.
            let listed = |at: Time| {
                let model = run.at(at);
                let lists = model.seeds().iter().flat_map(|(seed, view)| {
                    view.listed.keys().map(move |peer| format!("{seed} lists {peer}")).collect::<Vec<_>>()
                });
                lists.collect::<BTreeSet<_>>()
            };
            let (before, after) = (listed(from), listed(to));
            let is_list = |text: &String| text.contains(" lists ");
            let gone: BTreeSet<String> = changed(&there, Change::Gone).into_iter().filter(is_list).collect();
            assert_eq!(gone, before.difference(&after).cloned().collect());
        }
    }
}
