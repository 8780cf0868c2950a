//! Answers about the network as a whole, against counts that are made from the events alone.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::engine::Settings;
use gossipctl::event::{Event, EventKind, LinkEnd, LinkEvent, NodeEvent, Purpose, SeedEvent, Side};
use gossipctl::experiment::run::{Experiment, Watcher};
use gossipctl::model::Model;
use gossipctl::model::why::{AnswerCell, Explanation, NamedSubject};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{Dialect, RefusalReason};
use gossipctl::scenario::Script;

use virtual_time::{peer_addr, peers_of};

/// A network until its nodes begin to leave, and all that happened in it.
struct Recorded {
    model: Model,
    events: Vec<Event>,
    /// How much of it is recorded, if not all.
    limit: Option<Duration>,
    is_over: bool,
}

impl Watcher for Recorded {
    fn goes_on(&mut self, _played: Duration) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        let began = self.events.first().map_or(event.at, |first| first.at);
        self.is_over |= event.kind.is_leaving() || self.limit.is_some_and(|limit| event.at.since(began) >= limit);
        if !self.is_over {
            self.model.apply(event);
            self.events.push(event.clone());
        }
    }
}

impl Recorded {
    fn of(scenario: &str) -> Self {
        Self::until(None, scenario)
    }

    fn until(limit: Option<Duration>, scenario: &str) -> Self {
        let mut peers = peers_of(Dialect::Framed);
        (peers.messages, peers.liveness_interval) = (Some(20), Duration::from_millis(500));
        peers.gossip_interval = Duration::from_secs(1);
        let mut recorded = Self { model: Model::new(), events: Vec::new(), limit, is_over: false };
        let script = Script::parse(scenario).unwrap();
        Experiment::of_script(script, Settings::of_peers(peers, 5)).play(&mut recorded).unwrap();
        recorded
    }

    fn ask(&self, words: &[&str]) -> Explanation {
        let subject = NamedSubject::find(words, &self.model).unwrap();
        subject.explain(&self.model, self.model.now(), 0)
    }

    /// The value of each row of an answer, by what the row is about.
    fn column(&self, words: &[&str], key: &str) -> BTreeMap<String, AnswerCell> {
        let table = self.ask(words).table.unwrap();
        let rows = table.rows().map(|row| {
            let row: Vec<(&str, &AnswerCell)> = row.collect();
            let AnswerCell::Text(subject) = row[0].1.clone() else { panic!("{row:?}") };
            (subject, row.iter().find(|(name, _)| *name == key).unwrap().1.clone())
        });
        rows.collect()
    }

    fn name(&self, addr: Addr) -> String {
        self.model.name_of(addr).into_owned()
    }

    fn all_peers(&self) -> Vec<Addr> {
        let peers = self.events.iter().filter(|event| self.name(event.node).starts_with('p'));
        peers.map(|event| event.node).collect::<BTreeSet<Addr>>().into_iter().collect()
    }
}

const TURBULENT: &str = "lab 3 12
    3s kill p3
    5s hang p4
    7s partition p1 p2
    11s calm
    13s cut p8 p9
    15s kill p5
    16s lie p6 p7
    19s end";

/// What a peer makes of an address with this event: learns it, loses it, or neither.
fn effect(event: &Event, known: Addr) -> Option<bool> {
    match &event.kind {
        EventKind::Seed(SeedEvent::PeerListReceived { peers, .. }) if peers.contains(&known) => Some(true),
        EventKind::Link(LinkEvent::Refused { referral, .. }) if referral.contains(&known) => Some(true),
        EventKind::Link(LinkEvent::Refused { peer, by: Side::Them, reason, .. })
            if *peer == known && *reason != RefusalReason::Full =>
        {
            Some(false)
        }
        EventKind::Link(LinkEvent::Up { peer, .. } | LinkEvent::Dialing { peer, .. }) if *peer == known => Some(true),
        EventKind::Link(LinkEvent::Down { peer, end, .. }) if *peer == known && *end != LinkEnd::WhileAway => {
            Some(false)
        }
        EventKind::Link(LinkEvent::DialFailed { peer, .. } | LinkEvent::HandshakeFailed { peer: Some(peer), .. })
            if *peer == known =>
        {
            Some(false)
        }
        EventKind::Node(NodeEvent::Started { .. }) => Some(false),
        _ => None,
    }
}

#[test]
fn who_knows_whom_is_what_the_events_tell() {
    let recorded = Recorded::of(TURBULENT);
    let told = recorded.column(&["views"], "known");
    assert!(told.len() >= 13, "{told:?}");
    let peers = recorded.all_peers();
    let mut pairs = (0, 0);
    for viewer in &peers {
        let Some(AnswerCell::Names(known)) = told.get(&recorded.name(*viewer)) else { continue };
        for other in peers.iter().filter(|other| *other != viewer) {
            let mut own = recorded.events.iter().rev().filter(|event| event.node == *viewer);
            let is_known = own.find_map(|event| effect(event, *other)).unwrap_or(false);
            assert_eq!(known.contains(&recorded.name(*other)), is_known, "{viewer} {other}");
            if is_known { pairs.0 += 1 } else { pairs.1 += 1 }
        }
    }
    assert!(pairs.0 > 50 && pairs.1 > 10, "{pairs:?}");
}

#[test]
fn a_list_of_a_seed_is_told_beside_what_is_so() {
    let why = Recorded::of("lab 1 4\n4s kill p2\n9s end").ask(&["views", "s1"]);
    assert_eq!(why.verdict, "s1 lists 3 of 3 peers that run here. It lists nobody that does not run.");
    let soon = Some(Duration::from_millis(4_300));
    let early = Recorded::until(soon, "lab 1 4\n4s hang p2\n9s end").ask(&["views", "s1"]);
    assert!(early.verdict.contains("It still lists p2, which hangs since 00:00:04"), "{}", early.verdict);
    let listed = early.evidence.iter().filter(|line| line.text.contains("is on the list")).count();
    assert_eq!(listed, 4, "{early:#?}");
}

#[test]
fn a_view_tells_since_when_and_from_whom() {
    let recorded = Recorded::of(TURBULENT);
    let why = recorded.ask(&["views", "p1"]);
    let p1 = peer_addr(0);
    let mut checked = 0;
    for line in why.evidence.iter().filter(|line| line.at.is_some()) {
        let (at, source) = (line.at.unwrap(), line.source.unwrap());
        assert_eq!(source.by, Some(p1));
        let event = recorded.events.iter().find(|event| event.at == at && source.fits(event));
        let event = event.unwrap_or_else(|| panic!("no event for {line:?}"));
        match &event.kind {
            EventKind::Seed(SeedEvent::PeerListReceived { seed, .. }) => {
                assert!(line.text.starts_with(&format!("{} named", recorded.name(*seed))), "{line:?}");
            }
            EventKind::Link(LinkEvent::Up { peer, purpose: Purpose::Neighbor, .. }) => {
                assert!(line.text.starts_with(&format!("{} dialed it", recorded.name(*peer))), "{line:?}");
            }
            other => assert!(line.text.contains("not told") || line.text.contains("refused"), "{line:?} {other:?}"),
        }
        checked += 1;
    }
    assert!(checked >= 5, "{why:#?}");
}
