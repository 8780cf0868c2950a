//! Answers about the network as a whole, against counts that are made from the events alone.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gossipctl::engine::Settings;
use gossipctl::event::{
    DeathEvent, Event, EventKind, GossipEvent, LinkEnd, LinkEvent, LossReason, NodeEvent, ProbeEvent, Purpose,
    SeedEvent, Side,
};
use gossipctl::experiment::run::{Experiment, Watcher};
use gossipctl::model::Model;
use gossipctl::model::why::{AnswerCell, Explanation, NamedSubject};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::{Dialect, MessageId, RefusalReason, Role};
use gossipctl::proto::time::{Time, micros};
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
fn the_load_of_each_peer_is_what_the_events_count() {
    let recorded = Recorded::of(TURBULENT);
    let [sent, useful, redundant] = ["sent", "useful", "redundant"].map(|key| recorded.column(&["load"], key));
    let count = |cells: &BTreeMap<String, AnswerCell>, peer: Addr| match cells[&recorded.name(peer)] {
        AnswerCell::Count(count) => count,
        ref other => panic!("{other:?}"),
    };
    let mut total = [0; 3];
    for peer in recorded.all_peers() {
        let mut counted = [0; 3];
        for event in &recorded.events {
            match &event.kind {
                EventKind::Gossip(
                    GossipEvent::Generated { forwarded, .. } | GossipEvent::Received { forwarded, .. },
                ) if event.node == peer => counted[0] += *forwarded as u64,
                _ => {}
            }
            match &event.kind {
                EventKind::Gossip(GossipEvent::Received { from, .. }) if *from == peer => counted[1] += 1,
                EventKind::Gossip(GossipEvent::Duplicate { from, .. }) if *from == peer => counted[2] += 1,
                _ => {}
            }
        }
        assert_eq!([count(&sent, peer), count(&useful, peer), count(&redundant, peer)], counted, "{peer}");
        total = [total[0] + counted[0], total[1] + counted[1], total[2] + counted[2]];
    }
    assert!(total[0] > total[1] + total[2] && total[1] > 1_000 && total[2] > 1_000, "some were lost: {total:?}");
}

/// Peers that run, and the links that both ends have, by the events alone.
fn links(events: &[Event]) -> (BTreeSet<Addr>, BTreeSet<(Addr, Addr)>) {
    let (mut running, mut ends) = (BTreeSet::new(), BTreeMap::new());
    for event in events {
        match &event.kind {
            EventKind::Node(NodeEvent::Started { role: Role::Peer, .. }) => drop(running.insert(event.node)),
            EventKind::Node(NodeEvent::Stopped { .. } | NodeEvent::Hung) => drop(running.remove(&event.node)),
            EventKind::Link(LinkEvent::Up { link, peer, purpose: Purpose::Neighbor, .. }) => {
                ends.insert((event.node, *link), *peer);
            }
            EventKind::Link(LinkEvent::Down { link, .. }) => drop(ends.remove(&(event.node, *link))),
            _ => {}
        }
    }
    let pairs: BTreeSet<(Addr, Addr)> = ends.iter().map(|((node, _), peer)| (*node, *peer)).collect();
    let is_there = |(one, other): &(Addr, Addr)| {
        running.contains(one) && running.contains(other) && pairs.contains(&(*other, *one))
    };
    let links = pairs.iter().filter(|pair| is_there(pair)).copied().collect();
    (running, links)
}

fn reached(from: Addr, links: &BTreeSet<(Addr, Addr)>, without: Option<Addr>) -> BTreeSet<Addr> {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(node) = open.pop() {
        for (_, next) in links.iter().filter(|(one, other)| *one == node && Some(*other) != without) {
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    seen
}

#[test]
fn who_would_be_cut_off_is_what_taking_the_peer_out_shows() {
    // A line: each peer but the ends holds the others together.
    let line = "lab 2 6\nset max-dial 1\n4s end";
    let cuts = "lab 2 8\n2s cut p1 p2\n2s cut p1 p3\n2s cut p1 p4\n2s cut p1 p5\n2s cut p1 p6\n2s cut p1 p7\n4s end";
    let mut splits = 0;
    for scenario in [TURBULENT, cuts, line] {
        let recorded = Recorded::of(scenario);
        let (running, links) = links(&recorded.events);
        let told = recorded.column(&["load"], "cut_off");
        for peer in &running {
            let whole = reached(*peer, &links, None);
            let sides = whole.iter().filter(|node| *node != peer).map(|node| reached(*node, &links, Some(*peer)).len());
            let cut_off = whole.len() - 1 - sides.max().unwrap_or(0);
            assert_eq!(told[&recorded.name(*peer)], AnswerCell::Count(cut_off as u64), "{peer}: {scenario}");
            splits += usize::from(cut_off > 0);
        }
    }
    assert!(splits > 0, "one held others together");
}

#[test]
fn delays_of_links_are_what_the_events_count() {
    let recorded = Recorded::of("lab 2 8\n2s delay p1 40ms\n6s slow p3 5/s\n14s end");
    let table = recorded.ask(&["waits"]).table.unwrap();
    // When each node first had each message.
    let mut had = BTreeMap::new();
    let mut delays: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    let mut full: BTreeMap<(String, String), u64> = BTreeMap::new();
    let names = |from: Addr, to: Addr| (recorded.name(from), recorded.name(to));
    for Event { at, node, kind } in &recorded.events {
        match kind {
            EventKind::Gossip(GossipEvent::Generated { id, .. }) => drop(had.insert((*node, *id), *at)),
            EventKind::Gossip(GossipEvent::Received { id, from, .. }) => {
                let took = at.since(had[&(*from, *id)]);
                delays.entry(names(*from, *node)).or_default().push(micros(took));
                had.insert((*node, *id), *at);
            }
            EventKind::Gossip(GossipEvent::Lost { loss, .. }) | EventKind::Probe(ProbeEvent::Lost { loss, .. })
                if loss.why == LossReason::QueueFull =>
            {
                *full.entry(names(loss.from, loss.to)).or_default() += 1;
            }
            EventKind::Link(LinkEvent::Down { peer, end: LinkEnd::TooSlow, .. }) => {
                *full.entry(names(*node, *peer)).or_default() += 1;
            }
            _ => {}
        }
    }
    let mut last = (u64::MAX, u64::MAX);
    let mut seen = 0;
    for row in table.rows() {
        let row: BTreeMap<&str, AnswerCell> = row.map(|(key, cell)| (key, cell.clone())).collect();
        let (AnswerCell::Text(from), AnswerCell::Text(to)) = (&row["from"], &row["to"]) else { panic!("{row:?}") };
        let way = (from.clone(), to.clone());
        let of_link = delays.get(&way).cloned().unwrap_or_default();
        assert_eq!(row["copies"], AnswerCell::Count(of_link.len() as u64), "{way:?}");
        let longest = of_link.iter().max().copied();
        assert_eq!(row["delay_max_us"], longest.map_or(AnswerCell::Nothing, AnswerCell::Micros), "{way:?}");
        let queue_full = full.get(&way).copied().unwrap_or(0);
        assert_eq!(row["queue_full"], AnswerCell::Count(queue_full), "{way:?}");
        let worst = (queue_full, longest.unwrap_or(0));
        assert!(worst <= last, "the worst first: {way:?}");
        last = worst;
        seen += of_link.len();
    }
    assert!(seen > 100 && delays.values().flatten().max() >= Some(&40_000), "{seen}");
}

/// The value at this rank, counted in another way: the least that is no less than so many of all.
fn ranked(values: &[u64], percent: usize) -> u64 {
    let is_enough =
        |value: &&u64| values.iter().filter(|other| *other <= *value).count() * 100 >= values.len() * percent;
    *values.iter().filter(is_enough).min().unwrap()
}

#[test]
fn times_are_what_the_events_show() {
    let recorded = Recorded::of(
        "lab 2 10\n3s hang p4\n4s hang p5\n8s kill p6\n9s kill p7\n12s partition p1 p2 p3\n20s calm\n29s end",
    );
    let (mut stopped, mut found) = (BTreeMap::new(), BTreeMap::new());
    for Event { at, node, kind } in &recorded.events {
        match kind {
            EventKind::Node(NodeEvent::Hung) => {
                stopped.entry(*node).or_insert((*at, "a hang is found"));
            }
            EventKind::Node(NodeEvent::Stopped { .. }) => {
                stopped.entry(*node).or_insert((*at, "a crash is found"));
            }
            EventKind::Death(DeathEvent::NeighborDied { peer, .. }) => {
                if let Some((since, how)) = stopped.get(peer) {
                    found.entry(*peer).or_insert((*how, micros(at.since(*since))));
                }
            }
            _ => {}
        }
    }
    let table = recorded.ask(&["times"]).table.unwrap();
    let rows: BTreeMap<String, BTreeMap<&str, AnswerCell>> = table
        .rows()
        .map(|row| row.map(|(key, cell)| (key, cell.clone())).collect::<BTreeMap<_, _>>())
        .map(|row| (format!("{:?}", row["what"]).split('"').nth(1).unwrap().to_owned(), row))
        .collect();
    let check = |what: &str, times: &[u64]| {
        let row = &rows[what];
        assert_eq!(row["count"], AnswerCell::Count(times.len() as u64), "{what} {times:?}");
        assert_eq!(row["least_us"], AnswerCell::Micros(*times.iter().min().unwrap()), "{what}");
        assert_eq!(row["median_us"], AnswerCell::Micros(ranked(times, 50)), "{what}");
        assert_eq!(row["p95_us"], AnswerCell::Micros(ranked(times, 95)), "{what}");
        assert_eq!(row["most_us"], AnswerCell::Micros(*times.iter().max().unwrap()), "{what}");
    };
    for what in ["a hang is found", "a crash is found"] {
        let times: Vec<u64> = found.values().filter(|(how, _)| *how == what).map(|(_, took)| *took).collect();
        assert_eq!(times.len(), 2, "{found:?}");
        check(what, &times);
    }
    let silent = &rows["a hang is found"];
    let theory = (silent["theory_least_us"].clone(), silent["theory_most_us"].clone());
    assert_eq!(theory, (AnswerCell::Micros(1_000_000), AnswerCell::Micros(2_000_000)), "three misses, every 500 ms");
}

#[test]
fn messages_that_everybody_has_are_timed() {
    let recorded = Recorded::of("lab 2 6\n12s end");
    let (mut began, mut copies): (BTreeMap<MessageId, Time>, BTreeMap<MessageId, Vec<Time>>) = Default::default();
    for Event { at, kind, .. } in &recorded.events {
        match kind {
            EventKind::Gossip(GossipEvent::Generated { id, .. }) => drop(began.insert(*id, *at)),
            EventKind::Gossip(GossipEvent::Received { id, .. }) => copies.entry(*id).or_default().push(*at),
            _ => {}
        }
    }
    let complete = copies.iter().filter(|(_, copies)| copies.len() == 5);
    let times: Vec<u64> = complete.map(|(id, copies)| micros(copies.iter().max().unwrap().since(began[id]))).collect();
    assert!(times.len() > 30, "{times:?}");
    let median = recorded.column(&["times"], "median_us");
    assert_eq!(median["a message has spread"], AnswerCell::Micros(ranked(&times, 50)));
    let count = recorded.column(&["times"], "count");
    assert_eq!(count["a message has spread"], AnswerCell::Count(times.len() as u64));
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
