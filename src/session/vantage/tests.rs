use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::event::Purpose;
use crate::model::Model;
use crate::model::link::LinkHistory;
use crate::session::past::{Past, PastMoment};

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal-v2-{name}.jsonl"))
}

fn events(path: &Path) -> Vec<Event> {
    Recording::open(path).unwrap().filter_map(event_of).collect()
}

/// What this node alone would have recorded, in a file that lives as long as the directory.
fn alone(source: &Path, name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alone.jsonl.zst");
    let damage = LoneNode::find(source, name).unwrap().write(source, &path).unwrap();
    assert_eq!(damage.lines, 0);
    (dir, path)
}

fn at_the_end(path: &Path) -> Model {
    let past = Past::open(path).unwrap();
    let PastMoment { model, .. } = past.at(past.before_leaving().unwrap()).unwrap();
    model
}

#[test]
fn a_node_alone_has_its_own_events_and_no_others() {
    for name in ["sockets-framed", "sockets-classic"] {
        let source = recording(name);
        let p1 = LoneNode::find(&source, "p1").unwrap().node();
        let (_dir, path) = alone(&source, "p1");
        let is_known = |event: &Event| {
            let text = serde_json::to_string(event).unwrap();
            let is_fault = text.contains("\"event\":\"fault_set\"") || text.contains("\"event\":\"fault_cleared\"");
            event.node == p1 && !is_fault && !text.contains("_lost\"")
        };
        let (all, own) = (events(&source), events(&path));
        assert!(own.len() > 50 && own.iter().all(|event| event.node == p1), "{name}: {}", own.len());
        let expected: Vec<Event> = all.into_iter().filter(is_known).collect();
        let told: Vec<Event> = own.into_iter().filter(is_known).collect();
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn to_a_node_alone_the_others_are_hearsay() {
    let source = recording("sockets-framed");
    let (_dir, path) = alone(&source, "p1");
    let (whole, model) = (at_the_end(&source), at_the_end(&path));
    let p1 = whole.nodes().find("p1").unwrap().addr;
    let ours: Vec<Addr> = model.nodes().iter().filter(|node| node.is_ours()).map(|node| node.addr).collect();
    assert_eq!(ours, [p1]);
    let linked = |model: &Model| {
        let links = model.links().of(p1).filter(|link| link.is_up() && link.purpose == Purpose::Neighbor);
        links.map(|link: &LinkHistory| link.key.peer).collect::<std::collections::BTreeSet<Addr>>()
    };
    assert!(!linked(&whole).is_empty());
    assert_eq!(linked(&model), linked(&whole), "its own links are what they were");
    assert!(whole.faults().ever().count() > 0 && model.faults().ever().count() == 0);
    assert_eq!(model.sight().ours, 1);
}

#[test]
fn a_node_that_is_not_there_is_told_with_those_that_are() {
    let error = LoneNode::find(&recording("sockets-framed"), "p99").unwrap_err();
    assert_eq!(error.to_string(), "there is no node 'p99' in this session: it has p1, p2, p3, p4 and s1");
}

/// The console reads without a file between.
#[test]
fn a_node_alone_is_read_in_place_as_it_would_record() {
    for (name, node) in [("sockets-framed", "p1"), ("sockets-classic", "p2"), ("sockets-framed", "s1")] {
        let source = recording(name);
        let addr = LoneNode::find(&source, node).unwrap().node();
        let (_dir, path) = alone(&source, node);
        let past = Past::open(&path).unwrap();
        let span = Past::open(&source).unwrap().span().unwrap();
        for at in [span.first, span.first + Duration::from_secs(5), span.last] {
            let model = alone_at(&source, addr, at, &|| true).unwrap().unwrap();
            assert_eq!(model, past.at(at).unwrap().model, "{name} {node}");
        }
        assert!(alone_at(&source, addr, span.last, &|| false).unwrap().is_none(), "it was stopped");
    }
}
