//! Recorded events in, what a reader of the screen should then see out.

use std::time::Duration;

use super::link::LinkState;
use super::node::ObservedState;
use super::notice::Severity;
use super::rumor::Counting;
use super::why::{Explanation, about_message, about_node, why_dead, why_link};
use super::{Model, gossip, rumor};
use crate::event::samples::link_up;
use crate::event::{
    DeathEvent, DelistReason, Direction, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LinkId, NodeEvent, Pace,
    ProbeEvent, Purpose, ReportAction, SeedEvent, Side, Stop,
};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Dialect, GoodbyeReason, MessageId, Role, Trace};
use crate::proto::text::Body;
use crate::proto::time::{ClockTime, Time};

mod causes;
mod depth;
mod elsewhere;
mod evidence;
mod lacking;
mod warnings;
mod words;

const SECOND: u64 = 1_000_000;
/// 03:13:00 on some day.
const START: u64 = (3 * 3600 + 13 * 60) * SECOND;

/// Tells a model a story, a second a line unless it says otherwise.
struct Story {
    model: Model,
    at: u64,
    links: u64,
}

fn s(n: u16) -> Addr {
    Addr::loopback(5000 + n)
}

fn p(n: u16) -> Addr {
    Addr::loopback(3000 + n)
}

fn clock() -> ClockTime {
    ClockTime::from_seconds(11_580).unwrap()
}

impl Story {
    fn new() -> Self {
        Self { model: Model::new(), at: START, links: 0 }
    }

    /// Two seeds and some peers, each linked to the next one and to both seeds.
    fn network(peers: u16) -> Self {
        let mut story = Self::new();
        (1..=2).for_each(|n| story.start(s(n), &format!("s{n}"), Role::Seed));
        (1..=peers).for_each(|n| story.start(p(n), &format!("p{n}"), Role::Peer));
        for n in 1..=peers {
            story.link(p(n), s(1), Purpose::Registration);
            story.link(p(n), s(2), Purpose::Registration);
            story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(n), again: false }));
            story.tell(s(2), EventKind::Seed(SeedEvent::PeerListed { peer: p(n), again: false }));
        }
        for n in 1..peers {
            story.link(p(n), p(n + 1), Purpose::Neighbor);
        }
        story
    }

    fn tell(&mut self, node: Addr, kind: EventKind) {
        self.model.apply(&Event { at: Time::from_micros(self.at), node, kind });
    }

    fn wait(&mut self, seconds: u64) {
        self.at += seconds * SECOND;
    }

    fn start(&mut self, node: Addr, name: &str, role: Role) {
        let pace = Pace { gossip_interval_us: 10 * SECOND, liveness_interval_us: 13 * SECOND, liveness_misses: 3 };
        self.tell(
            node,
            EventKind::Node(NodeEvent::Started { name: name.to_owned(), role, dialect: Dialect::Framed, pace }),
        );
    }

    fn link(&mut self, from: Addr, to: Addr, purpose: Purpose) {
        self.links += 1;
        let link = LinkId(self.links);
        self.tell(from, EventKind::Link(LinkEvent::Dialing { peer: to, purpose }));
        self.tell(from, link_up(link, to, Direction::Outbound, purpose));
        self.tell(to, link_up(link, from, Direction::Inbound, purpose));
    }

    fn probe(&mut self, node: Addr, peer: Addr, seq: u64) {
        self.tell(node, EventKind::Probe(ProbeEvent::Sent { probe: None, peer, seq }));
    }

    fn answer(&mut self, node: Addr, peer: Addr, seq: u64) {
        self.tell(node, EventKind::Probe(ProbeEvent::Answered { probe: None, peer, seq, clock: clock(), rtt_us: 400 }));
    }

    fn miss(&mut self, node: Addr, peer: Addr, seq: u64, misses: u32) {
        let last_heard = Time::from_micros(START);
        self.tell(node, EventKind::Probe(ProbeEvent::Missed { probe: None, peer, seq, misses, limit: 3, last_heard }));
    }

    /// `node` misses three probes in a row.
    fn three_misses(&mut self, node: Addr, peer: Addr) {
        for misses in 1..=3 {
            self.probe(node, peer, u64::from(misses));
            self.wait(2);
            self.miss(node, peer, u64::from(misses), misses);
        }
    }

    /// `node` declares `peer` dead and reports it to both seeds.
    fn declare(&mut self, node: Addr, peer: Addr, cause: DeathCause) {
        let last_heard = Time::from_micros(START);
        self.tell(node, EventKind::Death(DeathEvent::NeighborDied { missed: None, peer, cause, last_heard }));
        let end = LinkEnd::Dead { cause };
        self.tell(
            node,
            EventKind::Link(LinkEvent::Down { link: self.link_of(node, peer), peer, purpose: Purpose::Neighbor, end }),
        );
        self.tell(
            node,
            EventKind::Death(DeathEvent::DeadReportSent {
                report: None,
                dead: peer,
                clock: clock(),
                seeds: vec![s(1), s(2)],
                cause,
            }),
        );
    }

    fn link_of(&self, node: Addr, peer: Addr) -> LinkId {
        self.model.links().get(node, peer).and_then(|link| link.connections.first().copied()).unwrap_or(LinkId(0))
    }

    /// The node answered the seed after 900 us; it is the reporter's dispute of this number.
    fn dispute(&mut self, seed: Addr, dead: Addr, reporter: Addr, disputes: u32) {
        let rtt_us = 900;
        self.tell(
            seed,
            EventKind::Death(DeathEvent::ReportDisputed { report: None, dead, reporter, disputes, rtt_us }),
        );
    }

    fn report(&mut self, seed: Addr, dead: Addr, reporter: Addr, action: ReportAction) {
        self.tell(
            seed,
            EventKind::Death(DeathEvent::DeadReportReceived {
                report: None,
                dead,
                clock: clock(),
                reporter,
                cause: None,
                action,
            }),
        );
    }

    fn state(&self, node: Addr) -> ObservedState {
        self.model.nodes().get(node).unwrap().state()
    }

    fn generate(&mut self, node: Addr, seq: u64) -> MessageId {
        let id = MessageId { origin: node, run: 1, seq };
        let trace = Some(Trace { sent: Time::from_micros(self.at), hop: 0 });
        self.tell(node, EventKind::Gossip(GossipEvent::Generated { id, body: "hello".into(), trace, forwarded: 1 }));
        id
    }

    fn receive(&mut self, node: Addr, from: Addr, id: MessageId, hop: Option<u16>) {
        let trace = hop.map(|hop| Trace { sent: Time::from_micros(self.at), hop });
        self.tell(
            node,
            EventKind::Gossip(GossipEvent::Received { id, from, body: "hello".into(), trace, forwarded: 1 }),
        );
    }
}

fn says(explanation: &Explanation, words: &str) -> bool {
    explanation.evidence.iter().any(|line| line.text.contains(words))
}

/// p2 hangs; p1 and p3 notice; s1 asks it, s2 believes the report.
fn a_death_of_missed_probes() -> Story {
    let mut story = Story::network(3);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.three_misses(p(1), p(2));
    story.three_misses(p(3), p(2));
    let cause = DeathCause::Misses { misses: 3 };
    story.declare(p(1), p(2), cause);
    story.declare(p(3), p(2), cause);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.report(s(2), p(2), p(1), ReportAction::Removed);
    let reporter = p(1);
    story.tell(
        s(2),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: p(2),
            reason: DelistReason::Reported { report: None, reporter },
        }),
    );
    story.report(s(2), p(2), p(3), ReportAction::NotListed);
    story.wait(2);
    story.miss(s(1), p(2), 9, 3);
    story.tell(
        s(1),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: p(2),
            reason: DelistReason::Unanswered { report: None, reporter },
        }),
    );
    story
}

#[test]
fn a_hung_node_turns_suspect_and_then_dead() {
    let mut story = Story::network(3);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    assert_eq!(story.state(p(2)), ObservedState::Hung);
    story.probe(p(1), p(2), 1);
    story.wait(2);
    story.miss(p(1), p(2), 1, 1);
    assert_eq!(story.state(p(2)), ObservedState::Suspect { misses: 1, limit: 3 });
    let counts = story.model.nodes().counts();
    assert_eq!((counts.up, counts.suspect, counts.dead, counts.seeds), (4, 1, 0, 2));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    assert_eq!(story.state(p(2)), ObservedState::Dead);
    assert_eq!(story.model.nodes().counts().dead, 1);
}

#[test]
fn an_answer_clears_the_suspicion_of_the_one_who_asked_only() {
    let mut story = Story::network(3);
    story.miss(p(1), p(2), 1, 2);
    story.miss(p(3), p(2), 1, 1);
    story.answer(p(1), p(2), 2);
    assert_eq!(story.state(p(2)), ObservedState::Suspect { misses: 1, limit: 3 });
    story.answer(p(3), p(2), 2);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    let link = story.model.links().get(p(1), p(2)).unwrap();
    assert_eq!((link.misses, link.rtt_us), (0, Some(400)));
    assert_eq!(link.pings().map(|ping| ping.rtt_us).collect::<Vec<_>>(), [None, Some(400)]);
}

#[test]
fn why_dead_names_the_witnesses_and_what_each_seed_did() {
    let story = a_death_of_missed_probes();
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(
        why.verdict,
        "p2 hangs since 03:13:00, and its neighbors take it for dead: p1 and p3 had no answer to 3 probes in a row; \
         it was reported to s1 and s2; s1 asked it, got no answer and took it off its list at 03:13:14; \
         s2 took it off its list at 03:13:12 without asking it."
    );
    for words in [
        "p1 sent it probe 2",
        "p1: no answer to probe 3 after 2 s (3/3)",
        "p3 declared it dead: 3 probes in a row unanswered",
        "p1 reported it to s1 and s2",
        "s1 got the report of p1: asking the node itself first",
        "s1 asked it and had no answer",
        "s2 got the report of p3: not on the list, nothing to do",
    ] {
        assert!(says(&why, words), "'{words}' is missing from {:#?}", why.evidence);
    }
    let timed: Vec<_> = why.evidence.iter().filter_map(|line| line.at).collect();
    assert!(timed.is_sorted());
}

#[test]
fn the_evidence_of_a_death_outlives_the_logs() {
    let mut story = a_death_of_missed_probes();
    for seq in 0..30_000 {
        story.probe(p(1), p(3), seq);
        story.answer(p(1), p(3), seq);
        story.generate(p(1), seq);
    }
    assert_eq!(story.model.gossip().len(), gossip::ENTRIES_MAX);
    assert!(says(&why_dead(&story.model, p(2), 0), "p1: no answer to probe 3 after 2 s (3/3)"));
}

#[test]
fn each_report_counts_once_whichever_side_is_seen_first() {
    let mut story = Story::network(3);
    let dead = p(2);
    story.report(s(1), dead, p(1), ReportAction::Verifying);
    story.declare(p(1), dead, DeathCause::LinkError);
    story.report(s(2), dead, p(1), ReportAction::Removed);
    let elsewhere = p(99);
    story.report(s(1), dead, elsewhere, ReportAction::Verifying);
    story.report(s(2), dead, elsewhere, ReportAction::NotListed);
    let case = story.model.deaths().latest_of(dead).unwrap();
    let reports: Vec<_> = case.evidence.iter().map(|told| (told.reporter, told.seeds.len())).collect();
    assert_eq!(reports, [(p(1), 2), (elsewhere, 2)]);
    assert_eq!(story.model.deaths().cases().len(), 1);
}

#[test]
fn a_killed_node_stays_killed_until_it_starts_again() {
    let mut story = Story::network(3);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(why.verdict, "p2 was killed at 03:13:00; nobody has noticed yet.");
    story.declare(p(1), p(2), DeathCause::LinkError);
    story.wait(1);
    story.answer(p(3), p(2), 1);
    assert_eq!(story.state(p(2)), ObservedState::Killed, "a late answer brings no crashed node back");
    story.wait(1);
    story.start(p(2), "p2", Role::Peer);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    let why = why_dead(&story.model, p(2), 0);
    let told = "p2 was killed at 03:13:00, was taken for dead, and is back since 03:13:02";
    assert!(why.verdict.starts_with(told), "{}", why.verdict);
}

#[test]
fn a_link_that_the_user_cut_is_not_told_as_a_certain_death() {
    let mut story = Story::network(1);
    let elsewhere: Addr = "10.0.0.7:3000".parse().unwrap();
    story.links += 1;
    let up = |link| {
        EventKind::Link(LinkEvent::Up {
            link,
            connection: None,
            peer: elsewhere,
            direction: Direction::Inbound,
            purpose: Purpose::Neighbor,
        })
    };
    story.tell(p(1), up(LinkId(77)));
    story.declare(p(1), elsewhere, DeathCause::Cut);
    let why = why_dead(&story.model, elsewhere, 0);
    assert!(why.verdict.contains("our link to it was cut by you; p1 treats it as dead"), "{}", why.verdict);
    assert!(why.verdict.contains("the process itself may be alive"), "{}", why.verdict);
    assert!(why.verdict.contains("what s1 and s2 did is not certain"), "{}", why.verdict);
    assert_eq!(story.state(elsewhere), ObservedState::Dead);
}

#[test]
fn a_report_of_a_live_node_elsewhere_is_told_as_disputed() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.dispute(s(1), p(2), p(1), 1);
    let why = why_dead(&story.model, p(2), 0);
    assert_eq!(why.title, "Is 127.0.0.1:3002 dead?");
    assert!(why.verdict.starts_with("127.0.0.1:3002 was reported dead, which is disputed:"), "{}", why.verdict);
    assert!(why.verdict.contains("s1 asked it, had an answer after 900 us and kept it on its list"), "{}", why.verdict);
    assert!(!why.verdict.contains("is dead:"), "{}", why.verdict);
    assert!(says(&about_node(&story.model, p(2), 0), "127.0.0.1:3001 reported it dead: disputed"));
}

#[test]
fn a_cut_in_another_process_is_not_told_as_done_here() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    let cut = Some(DeathCause::Cut);
    let action = ReportAction::Removed;
    story.tell(
        s(1),
        EventKind::Death(DeathEvent::DeadReportReceived {
            report: None,
            dead: p(2),
            reporter: p(1),
            cause: cut,
            action,
            clock: clock(),
        }),
    );
    let verdict = why_dead(&story.model, p(2), 0).verdict;
    assert!(verdict.contains("the link of 127.0.0.1:3001 to it was cut there"), "{verdict}");
    assert!(!verdict.contains("by you"), "{verdict}");
}

#[test]
fn a_hung_node_has_no_link_left_to_those_who_dropped_it() {
    let mut story = Story::network(3);
    assert_eq!(story.model.nodes().get(p(2)).unwrap().neighbors, 2);
    story.tell(p(2), EventKind::Node(NodeEvent::Hung));
    story.declare(p(1), p(2), DeathCause::Misses { misses: 3 });
    assert_eq!(story.model.nodes().get(p(2)).unwrap().neighbors, 1);
    assert_eq!(story.model.links().get(p(2), p(1)).unwrap().state, LinkState::Ended);
    assert_eq!(story.model.nodes().get(p(1)).unwrap().linked, 2, "its two seeds");
    assert!(says(&why_link(&story.model, p(2), p(1), 0), "p1 dropped the link while p2 hung"));
}

#[test]
fn a_disputed_report_counts_against_its_reporter() {
    let mut story = Story::network(3);
    story.declare(p(1), p(2), DeathCause::LinkError);
    story.report(s(1), p(2), p(1), ReportAction::Verifying);
    story.wait(1);
    story.dispute(s(1), p(2), p(1), 1);
    assert_eq!(story.model.seeds().get(s(1)).unwrap().disputes[&p(1)].reports, 1);
    assert_eq!(story.state(p(2)), ObservedState::Up);
    assert_eq!(story.model.seeds().listing(p(2)).count(), 2);
    let why = why_dead(&story.model, p(2), 0);
    assert!(why.verdict.contains("s1 asked it, had an answer after 900 us and kept it on its list"), "{}", why.verdict);
}

#[test]
fn copies_of_a_message_fold_into_one_line() {
    let mut story = Story::network(4);
    let id = story.generate(p(1), 1);
    story.receive(p(2), p(1), id, Some(1));
    story.receive(p(3), p(2), id, Some(2));
    for from in [p(2), p(4), p(4)] {
        story.tell(p(3), EventKind::Gossip(GossipEvent::Duplicate { id, from, trace: None }));
    }
    let rumor = story.model.latest_rumor().unwrap();
    let coverage = rumor.coverage(story.model.nodes(), Counting::HadTime);
    assert_eq!((coverage.have, coverage.of, rumor.hop_max), (3, 4, 2));
    let copy = rumor.copies[&p(3)];
    assert_eq!((copy.from, copy.hop, copy.duplicates), (Some(p(2)), Some(2), 3));
    let lines = story.model.gossip().iter().filter(|(_, line)| line.message() == Some(id));
    let [(_, entry)] = lines.collect::<Vec<_>>()[..] else { panic!("not one line") };
    assert_eq!((entry.node, entry.body()), (p(1), Some(&"hello".into())));
    let spread = story.model.spread(entry).unwrap();
    assert_eq!((spread.coverage, spread.copies), (coverage, 5));
    assert_eq!((spread.hops.as_deref(), spread.elsewhere), (Some("2 hops"), 0));
    let about = about_message(&story.model, id, 0);
    assert!(about.verdict.contains("reached 3 of 4 peers here in 2 hops"), "{}", about.verdict);
    assert!(says(&about, "p3 from p2, hop 2, dup x3"));
}

#[test]
fn hops_that_no_message_tells_come_from_the_way_seen() {
    let mut story = Story::network(3);
    let id = MessageId::classic(p(1), clock(), b"Gossip Message 1");
    story.tell(
        p(1),
        EventKind::Gossip(GossipEvent::Generated { id, body: "Gossip Message 1".into(), trace: None, forwarded: 1 }),
    );
    story.receive(p(2), p(1), id, None);
    story.receive(p(3), p(2), id, None);
    assert_eq!(story.model.latest_rumor().unwrap().copies[&p(3)].hop, Some(2));
    let elsewhere = Addr::loopback(9);
    let id = MessageId::classic(elsewhere, clock(), b"Gossip Message 1");
    story.receive(p(2), Addr::loopback(10), id, None);
    assert_eq!(story.model.latest_rumor().unwrap().copies[&p(2)].hop, None);
    assert!(says(&about_message(&story.model, id, 0), "hop not certain"));
}

#[test]
fn messages_and_their_copies_are_bounded_and_the_latest_stays() {
    let mut story = Story::network(2);
    for seq in 1..=rumor::RUMORS_MAX as u64 + 10 {
        let id = story.generate(p(1), seq);
        story.receive(p(2), p(1), id, Some(1));
    }
    assert_eq!(story.model.rumors().ring().len(), rumor::RUMORS_MAX);
    assert_eq!(story.model.latest_rumor().unwrap().id.seq, rumor::RUMORS_MAX as u64 + 10);
    assert!(story.model.rumors().get(MessageId { origin: p(1), run: 1, seq: 1 }).is_none());
}

#[test]
fn a_connection_tells_its_history() {
    let mut story = Story::network(2);
    let elsewhere = Addr::loopback(9);
    let (purpose, error) = (Purpose::Neighbor, "Connection refused\u{1b}[2J".to_owned());
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: elsewhere, purpose }));
    story.tell(p(1), EventKind::Link(LinkEvent::DialFailed { peer: elsewhere, purpose, error, retry_at: None }));
    let why = why_link(&story.model, p(1), elsewhere, 0);
    assert!(why.verdict.contains(r"it could not connect to 127.0.0.1:9: Connection refused\x1b[2J"), "{}", why.verdict);
    assert_eq!(why.evidence.len(), 2);

    story.answer(p(1), p(2), 1);
    let verdict = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(verdict.contains("p1 is linked to p2") && verdict.contains("answered after 400 us"), "{verdict}");
    let end = LinkEnd::Goodbye { side: Side::Them, reason: GoodbyeReason::Leaving };
    story.wait(5);
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: story.link_of(p(1), p(2)), peer: p(2), purpose, end }));
    let verdict = why_link(&story.model, p(1), p(2), 0).verdict;
    assert!(
        verdict.contains("link p1 - p2 ended at 03:13:05, after 5 s: p2 closed it and said goodbye: leaving"),
        "{verdict}"
    );
    assert_eq!(
        why_link(&story.model, s(1), s(2), 0).verdict,
        "There never was a link between s1 and s2: seeds do not link to each other."
    );
}

#[test]
fn a_dial_that_meets_the_other_dialect_does_not_stay_dialing() {
    let mut story = Story::network(1);
    let elsewhere = Addr::loopback(9);
    story.tell(p(1), EventKind::Link(LinkEvent::Dialing { peer: elsewhere, purpose: Purpose::Registration }));
    let dialing = story.model.links().get(p(1), elsewhere).unwrap().state;
    story.tell(
        p(1),
        EventKind::Link(LinkEvent::OtherDialect {
            remote: elsewhere.to_string(),
            peer: None,
            speaks: Dialect::Classic,
        }),
    );
    let ended = story.model.links().get(p(1), elsewhere).unwrap().state;
    assert_eq!((dialing, ended), (LinkState::Dialing, LinkState::Ended));
    let (_, notice) = story.model.notices().last().unwrap();
    assert_eq!(
        story.model.notice_text(notice),
        "p1: 127.0.0.1:9 speaks the classic dialect; start this node with --wire classic"
    );
    assert!(why_link(&story.model, p(1), elsewhere, 0).verdict.contains("speaks the classic dialect"));
}

#[test]
fn two_connections_of_a_pair_are_one_link_until_both_end() {
    let mut story = Story::network(2);
    let (first, second) = (story.link_of(p(1), p(2)), LinkId(500));
    let (peer, purpose, direction) = (p(2), Purpose::Neighbor, Direction::Inbound);
    story.tell(p(1), EventKind::Link(LinkEvent::Up { link: second, connection: None, peer, direction, purpose }));
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 1);
    let end = LinkEnd::TooSlow;
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: first, peer, purpose, end }));
    assert!(story.model.links().get(p(1), p(2)).unwrap().is_up());
    story.tell(p(1), EventKind::Link(LinkEvent::Down { link: second, peer, purpose, end }));
    assert!(!story.model.links().get(p(1), p(2)).unwrap().is_up());
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 0);
    let (_, notice) = story.model.notices().last().unwrap();
    assert_eq!(notice.severity, Severity::Warning);
    assert_eq!(
        story.model.notice_text(notice),
        "p1: Link to p2 down: the other side read too slowly: its queue was full"
    );
}

#[test]
fn a_node_that_stops_takes_its_links_and_its_suspicions_with_it() {
    let mut story = Story::network(2);
    story.miss(p(1), p(2), 1, 2);
    story.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    assert_eq!(story.state(p(2)), ObservedState::Up);
    assert_eq!(story.model.links().open_of(p(1)).count(), 0);
    assert_eq!(story.model.nodes().get(p(1)).unwrap().neighbors, 0);
}

#[test]
fn a_node_is_found_by_its_name_or_its_address() {
    let story = Story::network(2);
    assert_eq!(story.model.nodes().find("p2").unwrap().addr, p(2));
    assert_eq!(story.model.nodes().find("127.0.0.1:3002").unwrap().addr, p(2));
    assert!(story.model.nodes().find("p9").is_none());
    assert_eq!(story.model.name_of(Addr::loopback(9)), "127.0.0.1:9");
    let about = about_node(&story.model, p(2), 0);
    assert_eq!(about.title, "p2, peer at 127.0.0.1:3002");
    assert!(says(&about, "on the list of s1 and s2") && says(&about, "linked to p1, s1 and s2"), "{about:#?}");
}

#[test]
fn a_node_that_was_only_named_by_others_is_not_claimed_to_be_up() {
    let mut story = Story::network(1);
    let elsewhere = Addr::loopback(9);
    story.tell(
        p(1),
        EventKind::Seed(SeedEvent::PeerListReceived { seed: s(1), peers: vec![p(1), elsewhere], listed: None }),
    );
    assert_eq!(story.state(elsewhere), ObservedState::Known);
    assert!(about_node(&story.model, elsewhere, 0).verdict.contains("not certain"));
    let (peer, direction, purpose) = (elsewhere, Direction::Inbound, Purpose::Neighbor);
    story.tell(p(1), EventKind::Link(LinkEvent::Up { link: LinkId(9), connection: None, peer, direction, purpose }));
    assert_eq!(story.state(elsewhere), ObservedState::Up);
}

#[test]
fn a_flood_of_names_leaves_room_for_our_own_nodes() {
    let mut story = Story::network(1);
    for host in 0..3_u8 {
        let addr = |port| Addr::new([10, 0, 0, host].into(), port);
        story.tell(
            p(1),
            EventKind::Seed(SeedEvent::PeerListReceived {
                seed: s(1),
                peers: (1..=8_000).map(addr).collect(),
                listed: None,
            }),
        );
    }
    let nodes = story.model.nodes();
    assert_eq!(nodes.len(), super::node::HEARSAY_MAX + 3);
    assert_eq!(nodes.unlisted(), 24_000 - super::node::HEARSAY_MAX as u64);
    story.start(p(2), "p2", Role::Peer);
    assert_eq!(story.state(p(2)), ObservedState::Up);
}

#[test]
fn rates_and_shares_follow_the_time_of_the_events() {
    let mut story = Story::network(2);
    for seq in 1..=6 {
        story.generate(p(1), seq);
        story.answer(p(1), p(2), seq);
        story.at += SECOND / 2;
    }
    story.miss(p(1), p(2), 7, 1);
    let now = Time::from_micros(story.at);
    assert!((story.model.messages_per_second(now) - 2.0).abs() < 1e-9);
    assert_eq!(story.model.liveness().answered_percent(now), Some(85));
    let later = now + Duration::from_secs(120);
    assert!(story.model.messages_per_second(later).abs() < 1e-9);
    assert_eq!(story.model.liveness().answered_percent(later), None);
    story.model.note_skipped(12);
    assert_eq!(story.model.totals().skipped, 12);
}

#[test]
fn a_reach_is_a_lower_bound_once_events_were_skipped() {
    let mut story = Story::network(3);
    let id = MessageId { origin: p(1), run: 1, seq: 1 };
    let generated = |id| EventKind::Gossip(GossipEvent::Generated { id, body: "x".into(), trace: None, forwarded: 1 });
    story.tell(p(1), generated(id));
    assert!(story.model.is_complete(story.model.rumors().get(id).unwrap()));
    story.model.note_skipped(5);
    assert!(!story.model.is_complete(story.model.rumors().get(id).unwrap()));
    let verdict = about_message(&story.model, id, 0).verdict;
    assert!(verdict.contains("reached at least 1 of 3"), "{verdict}");
    story.wait(1);
    let later = MessageId { seq: 2, ..id };
    story.tell(p(1), generated(later));
    assert!(story.model.is_complete(story.model.rumors().get(later).unwrap()));
}

#[test]
fn a_kept_message_keeps_no_buffer_of_the_network_alive() {
    let mut story = Story::network(3);
    let id = MessageId { origin: p(1), run: 1, seq: 1 };
    // Each node reads the message into a buffer of its own, with much else around it.
    for n in 2..=3 {
        let buffer = bytes::Bytes::from(vec![b'x'; 64 * 1024]);
        let body: Body = buffer.slice(100..105).into();
        story.tell(
            p(n),
            EventKind::Gossip(GossipEvent::Received { id, from: p(n - 1), body, trace: None, forwarded: 0 }),
        );
        assert!(buffer.is_unique(), "p{n}");
    }
    let lines = story.model.gossip().iter().map(|(_, entry)| entry);
    let received = lines.filter(|entry| matches!(entry.kind, EventKind::Gossip(GossipEvent::Received { .. })));
    let bodies = received.filter_map(|entry| Some(entry.body()?.as_bytes().as_ptr()));
    let held: Vec<_> = bodies.collect();
    assert_eq!((held.len(), held[0]), (2, held[1]), "one copy for all");
}

#[test]
fn nodes_whose_start_was_skipped_are_counted_once() {
    let mut story = Story::new();
    story.start(s(1), "s1", Role::Seed);
    // p1 is at work before anybody says that it is a peer; p2 is known as a peer before it is at work.
    story.tell(p(1), EventKind::Probe(ProbeEvent::Received { peer: p(9), seq: 1, clock: clock() }));
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(1), again: false }));
    story.tell(s(1), EventKind::Seed(SeedEvent::PeerListed { peer: p(2), again: false }));
    story.tell(p(2), EventKind::Probe(ProbeEvent::Received { peer: p(9), seq: 1, clock: clock() }));
    assert_eq!(story.model.nodes().peers_running(), 2);
    story.tell(p(1), EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
    assert_eq!(story.model.nodes().peers_running(), 1);
    story.tell(p(2), EventKind::Node(NodeEvent::Stopped { how: Stop::Left }));
    assert_eq!(story.model.nodes().peers_running(), 0);
}

#[test]
fn long_texts_take_no_more_memory_than_a_limit() {
    let mut story = Story::network(2);
    let text = Body::from("x".repeat(60_000));
    for seq in 1..=1_000 {
        let id = MessageId { origin: p(1), run: 1, seq };
        let trace = Some(Trace { sent: Time::from_micros(story.at), hop: 1 });
        story.tell(
            p(2),
            EventKind::Gossip(GossipEvent::Received { id, from: p(1), body: text.clone(), trace, forwarded: 0 }),
        );
    }
    let rumors: usize = story.model.rumors().ring().iter().map(|(_, rumor)| rumor.body.len()).sum();
    let lines: usize = story.model.gossip().iter().filter_map(|(_, line)| line.body()).map(Body::len).sum();
    for held in [rumors, lines] {
        assert!((rumor::BODIES_LEN_MAX / 2..=rumor::BODIES_LEN_MAX).contains(&held), "{held} bytes");
    }
    let latest = story.model.rumors().latest().unwrap();
    assert_eq!(latest.id.seq, 1_000, "the oldest go");
}

#[test]
fn a_seed_is_not_shown_dead_because_somebody_took_its_name() {
    let mut story = Story::network(3);
    story.three_misses(p(1), s(1));
    story.declare(p(1), s(1), DeathCause::Closed);
    story.tell(
        s(2),
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: s(1),
            reason: DelistReason::Reported { report: None, reporter: p(1) },
        }),
    );
    assert_eq!(story.model.nodes().get(s(1)).unwrap().state(), ObservedState::Up);
}
