//! Whatever is asked, no line of evidence says what another one has said.

use super::*;
use crate::event::{NodeEvent, SeedEvent};
use crate::model::link::LinkKey;
use crate::model::warning::{Finding, Warning};
use crate::model::why::{NamedSubject, SubjectError, why_not, why_seed, why_warning};
use crate::proto::fault::{FaultKind, Percent, Scope};

const PEERS: u16 = 8;

/// All that can be done to a network on purpose was done, each fault once: some are over, some are not.
fn eventful() -> (Story, Vec<MessageId>) {
    let mut story = Story::network(PEERS);
    story.link(p(8), p(1), Purpose::Neighbor);
    story.link(p(2), p(6), Purpose::Neighbor);
    let percent = Percent::new(60).unwrap();
    let border = Scope::border(vec![p(1), p(2), p(3), s(1)]);
    story.set(FaultKind::Loss { percent }, Scope::link(p(5), p(6)));
    story.set(FaultKind::Cut, border.clone());
    let mut messages = vec![story.generate(p(1), 1)];
    story.receive(p(2), p(1), messages[0], Some(1));
    for (a, b) in [(3, 4), (2, 6), (1, 8), (5, 6)] {
        story.give_up(p(a), p(b));
        story.wait(1);
        story.answer(p(7), p(b), 20);
    }
    story.set(FaultKind::Cut, Scope::link(p(4), p(5)));
    story.set(FaultKind::Delay { by_us: 3 * SECOND, jitter_us: 0 }, Scope::Node(p(5)));
    story.set(FaultKind::Slow { per_s: 2 }, Scope::Node(p(8)));
    story.set(FaultKind::Skew { by_us: 5_000_000 }, Scope::Node(p(1)));
    story.set(FaultKind::Duplicate { percent }, Scope::All);
    story.tell(p(7), EventKind::Node(NodeEvent::Hung));
    story.three_misses(p(8), p(7));
    story.tell(p(6), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    for seed in [s(1), s(2)] {
        story.report(seed, p(4), p(3), ReportAction::Verifying);
        let reason = DelistReason::Unanswered { report: None, reporter: p(3) };
        story.tell(seed, EventKind::Seed(SeedEvent::PeerDelisted { peer: p(4), verification: None, reason }));
        story.report(seed, p(2), p(6), ReportAction::Verifying);
        story.dispute(seed, p(2), p(6), 1);
    }
    story.wait(1);
    story.heal(FaultKind::Cut, border);
    story.start(p(6), "p6", Role::Peer);
    messages.push(story.generate(p(3), 1));
    story.link(p(2), p(6), Purpose::Neighbor);
    messages.push(story.generate(p(5), 1));
    story.wait(10);
    (story, messages)
}

fn findings(messages: &[MessageId]) -> Vec<Finding> {
    let nodes = || (1..=PEERS).map(p);
    let of_node = |node| {
        let link = LinkKey { node, peer: p(1) };
        let flapping = Finding::Flapping { node, times: 3, within: Duration::from_secs(60) };
        let disputed = Finding::Disputed { reporter: node, reports: 1 };
        [Finding::Alone { node }, flapping, Finding::OneWay { link }, disputed]
    };
    let mut findings: Vec<Finding> = nodes().flat_map(of_node).collect();
    findings.push(Finding::Parted { parts: vec![(1..=3).map(p).collect(), (4..=PEERS).map(p).collect()] });
    findings.push(Finding::Fragile { nodes: nodes().collect(), links: vec![(p(1), p(2)), (p(2), p(6))] });
    let lists = [s(1), s(2)].map(|seed| Finding::SeedList { seed, gone: vec![p(7)], missing: vec![p(4)] });
    findings.extend(lists);
    let unreached = |latest: &MessageId| Finding::Unreached { latest: *latest, lacking: vec![p(4)], messages: 1 };
    findings.extend(messages.iter().map(unreached));
    findings
}

/// Whatever can be asked of this network.
fn all_answers(story: &Story, messages: &[MessageId]) -> Vec<Explanation> {
    let (model, now) = (&story.model, Time::from_micros(story.at));
    let nodes: Vec<Addr> = (1..=PEERS).map(p).chain([s(1), s(2)]).collect();
    let mut answers = Vec::new();
    for node in &nodes {
        answers.extend([about_node(model, *node, 0), why_dead(model, *node, 0), why_seed(model, *node, now, 0)]);
        answers.extend(nodes.iter().map(|other| why_link(model, *node, *other, 0)));
        answers.extend(messages.iter().map(|id| why_not(model, *node, *id, 0)));
    }
    answers.extend(messages.iter().map(|id| about_message(model, *id, 0)));
    let warning =
        |finding| Warning { finding, since: Time::from_micros(START), at: Time::from_micros(START), gone_at: None };
    answers.extend(findings(messages).into_iter().map(|finding| why_warning(model, &warning(finding), now, 0)));
    answers
}

/// `partition p1 p2`, of a line that tells when that fault was set, in whatever form.
fn fault_set(line: &str) -> Option<&str> {
    let fault = line.strip_prefix("fault: ")?;
    Some(fault.split(", since ").next().unwrap_or(fault))
}

#[test]
fn evidence_of_a_node_stands_in_order_of_time() {
    let (story, _) = eventful();
    let nodes: Vec<Addr> = (1..=PEERS).map(p).chain([s(1), s(2)]).collect();
    let mut in_order = 0;
    for node in nodes {
        let why = NamedSubject::Node(node).explain(&story.model, Time::from_micros(story.at), 0);
        let times: Vec<Time> = why.evidence.iter().filter_map(|line| line.at).collect();
        assert!(times.is_sorted(), "{why:#?}");
        in_order += usize::from(times.len() > 1);
    }
    assert!(in_order > 5, "there is something to put in order");
}

#[test]
fn a_fault_and_its_end_stand_once_in_the_evidence() {
    let (story, messages) = eventful();
    let mut told = std::collections::BTreeSet::new();
    for why in all_answers(&story, &messages) {
        let faults: Vec<&str> = why.evidence.iter().filter_map(|line| fault_set(&line.text)).collect();
        let ends = why.evidence.iter().filter_map(|line| line.text.strip_prefix("no longer: ")).collect();
        for mut lines in [faults.clone(), ends] {
            lines.sort_unstable();
            assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{why:#?}");
        }
        told.extend(faults.into_iter().map(str::to_owned));
    }
    assert!(told.contains("partition p1 p2 p3 s1") && told.len() >= 6, "all were asked about: {told:?}");
}

#[test]
fn no_line_of_evidence_stands_twice_whatever_is_asked() {
    let (story, messages) = eventful();
    for why in all_answers(&story, &messages) {
        let mut lines: Vec<_> = why.evidence.iter().map(|line| (line.at, &line.text)).collect();
        lines.sort_unstable();
        assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{why:#?}");
    }
}

/// What a verdict says when it is not sure.
fn doubts(verdict: &str) -> bool {
    ["not certain", "perhaps", "may be", "may have"].iter().any(|word| verdict.contains(word))
}

#[test]
fn a_verdict_that_doubts_is_not_marked_as_certain() {
    let (story, messages) = eventful();
    let answers = all_answers(&story, &messages);
    for why in &answers {
        assert!(!(why.is_certain && doubts(&why.verdict)), "{why:#?}");
    }
    let certain = answers.iter().filter(|why| why.is_certain).count();
    assert!(certain > 50 && answers.len() - certain > 5, "{certain} of {}", answers.len());
}

#[test]
fn missing_events_make_every_answer_uncertain() {
    let (mut story, messages) = eventful();
    let asked = NamedSubject::Lack { node: p(2), id: messages[0] };
    let now = Time::from_micros(story.at);
    assert!(asked.explain(&story.model, now, 0).is_certain, "it has it");
    story.model.note_skipped(12);
    let why = asked.explain(&story.model, now, 0);
    assert!(!why.is_certain && says(&why, "not certain: 12 events were skipped"), "{why:#?}");
}

#[test]
fn words_name_nodes_links_and_messages_in_either_order() {
    let (story, messages) = eventful();
    let (model, id) = (&story.model, messages[0]);
    let name = model.message_name(id);
    let find = |words: &[&str]| NamedSubject::find(words, model);
    assert_eq!(find(&["p7"]), Ok(NamedSubject::Node(p(7))));
    assert_eq!(find(&["p1", "p3"]), Ok(NamedSubject::Link(p(1), p(3))));
    assert_eq!(find(&[&name]), Ok(NamedSubject::Message(id)));
    assert_eq!(find(&["p7", &name]), Ok(NamedSubject::Lack { node: p(7), id }));
    assert_eq!(find(&[&name, "p7"]), find(&["p7", &name]));
    assert_eq!(find(&["p99"]), Err(SubjectError::NoNode("p99".to_owned())));
    assert_eq!(find(&["p1", "p1#999"]), Err(SubjectError::NoMessage("p1#999".to_owned())));
    assert_eq!(find(&[&name, &name]), Err(SubjectError::Unreadable));
    let (one, other) = ("p1".to_owned(), p(1).to_string());
    assert_eq!(find(&["p1", &other]), Err(SubjectError::OneNode { one, other: other.clone() }));
}

#[test]
fn too_many_peers_for_a_matrix_are_counted_instead() {
    let mut story = Story::new();
    (1..=501).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
    let now = Time::from_micros(story.at);
    let why = NamedSubject::find(&["views"], &story.model).unwrap().explain(&story.model, now, 0);
    assert!(why.verdict.starts_with("501 peers run here") && why.table.is_none(), "{why:?}");
    let one = NamedSubject::find(&["views", "p7"], &story.model).unwrap().explain(&story.model, now, 0);
    assert!(one.verdict.starts_with("p7 knows 0 of 500 other peers that run here"), "{one:?}");
}
