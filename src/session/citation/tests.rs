use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::Model;
use crate::model::why::{EvidenceLine, NamedSubject, NetworkSubject, SourceKind, why_dead};
use crate::proto::addr::Addr;
use crate::session::past::PastMoment;

const RECORDINGS: [&str; 4] = ["virtual-framed", "virtual-classic", "sockets-framed", "sockets-classic"];

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal-v1-{name}.jsonl"))
}

fn at_the_end(past: &Past) -> Model {
    let PastMoment { model, .. } = past.at(past.before_leaving().unwrap()).unwrap();
    model
}

/// All that can be asked by name, as lines of evidence.
fn evidence(model: &Model) -> Vec<EvidenceLine> {
    let nodes: Vec<Addr> = model.nodes().iter().filter(|node| node.is_ours()).map(|node| node.addr).collect();
    let messages: Vec<_> = model.rumors().ring().iter().map(|(_, rumor)| rumor.id).collect();
    let mut asked: Vec<NamedSubject> = messages.iter().map(|id| NamedSubject::Message(*id)).collect();
    let figures = [NetworkSubject::Views, NetworkSubject::Load, NetworkSubject::Waits, NetworkSubject::Times];
    asked.extend(figures.map(NamedSubject::Network));
    for node in &nodes {
        asked.extend([NamedSubject::Node(*node), NamedSubject::Network(NetworkSubject::ViewOf(*node))]);
        asked.extend(nodes.iter().filter(|other| *other > node).map(|other| NamedSubject::Link(*node, *other)));
        asked.extend(messages.iter().map(|id| NamedSubject::Lack { node: *node, id: *id }));
    }
    let answers = asked.into_iter().flat_map(|subject| subject.explain(model, model.now(), 0).evidence);
    answers.chain(nodes.iter().flat_map(|node| why_dead(model, *node, 0).evidence)).collect()
}

/// The time and the node of each event, by its number.
fn events(past: &Past) -> BTreeMap<u64, Event> {
    let span = past.span().unwrap();
    past.numbered_events(span.first, span.last).unwrap().collect()
}

#[test]
fn every_line_with_a_time_leads_to_an_event_of_that_time() {
    for name in RECORDINGS {
        let past = Past::open(&recording(name)).unwrap();
        let (lines, events) = (evidence(&at_the_end(&past)), events(&past));
        assert!(lines.len() > 200, "{name}: {}", lines.len());
        for (line, found) in lines.iter().zip(cite(&past, &lines).unwrap()) {
            let Some(at) = line.at else {
                assert_eq!(found, None, "{line:?}");
                continue;
            };
            let source = line.source.unwrap_or_else(|| panic!("{name}: no source for {line:?}"));
            let Some(EventNumber { number, .. }) = found else {
                // A node hears what is told as no event, too.
                assert!(matches!(source.kind, SourceKind::Heard(_)), "{name}: no event for {line:?}");
                continue;
            };
            let event = &events[&number];
            assert_eq!(event.at, at, "{line:?}");
            assert!(source.fits(event), "{line:?}: {event:?}");
        }
    }
}

#[test]
fn lines_that_tell_alike_of_one_moment_rest_on_one_event_each() {
    let past = Past::open(&recording("virtual-framed")).unwrap();
    let model = at_the_end(&past);
    let dead = model.nodes().find("p4").unwrap().addr;
    let lines = why_dead(&model, dead, 0).evidence;
    let numbers: Vec<u64> = cite(&past, &lines).unwrap().into_iter().flatten().map(|found| found.number).collect();
    let once: std::collections::BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(once.len(), numbers.len(), "{numbers:?}");
}

#[test]
fn a_number_in_several_recordings_names_its_session() {
    let paths = ["v1-sockets-framed", "v2-sockets-framed"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal-{name}.jsonl")));
    let merge = Merge::survey(&paths).unwrap();
    let alone = Past::open(&paths[0]).unwrap();
    let model = at_the_end(&alone);
    let lines = why_dead(&model, model.nodes().find("p4").unwrap().addr, 0).evidence;
    let own = cite(&alone, &lines).unwrap();
    let merged = cite_merged(&merge, &lines).unwrap();
    assert!(own.iter().flatten().count() > 5);
    for (own, merged) in own.iter().zip(merged) {
        let named = merged.as_ref().map(ToString::to_string);
        assert_eq!(named, own.as_ref().map(|own| format!("journal-v1-sockets-framed:{own}")));
    }
}
