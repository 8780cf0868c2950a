//! Diagrams of runs in virtual time, where each copy arrives or is told as lost.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::grid::{GridStep, GridStyle, Strokes, columns_max, grid};
use super::item::{ItemKind, ItemRoute, ItemSubject};
use super::layout::{Extent, RowStep, lay_out, place_of, step_for};
use super::subject::{DiagramSpan, DiagramSubject};
use super::*;
use crate::command::Command;
use crate::engine::Settings;
use crate::event::{EventKind, GossipEvent};
use crate::proto::config::PeerConfig;
use crate::proto::fault::{Fault, FaultCommand, FaultKind, Percent, Scope};
use crate::proto::message::MessageId;
use crate::sim::{EPOCH, VirtualEngine};

/// A lab in virtual time, and the model of all that happened in it.
struct Lab {
    engine: VirtualEngine,
    events: Vec<Event>,
    model: Model,
}

impl Lab {
    /// Two seeds and these peers, settled, with a message a second and a probe every 500 ms.
    fn of(peers: usize, rng_seed: u64) -> Self {
        let mut peer = PeerConfig::new(Addr::loopback(0), Vec::new());
        (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_millis(500));
        let engine = VirtualEngine::new(Settings::of_peers(peer, rng_seed), EPOCH);
        let mut lab = Self { engine, events: Vec::new(), model: Model::new() };
        lab.tell(Command::StartLab { seeds: 2, peers });
        lab.pass(Duration::from_secs(10));
        lab
    }

    fn tell(&mut self, command: Command) {
        self.engine.apply(command).unwrap();
        self.pass(Duration::ZERO);
    }

    fn set(&mut self, what: FaultKind, on: Scope) {
        self.tell(Command::Fault(FaultCommand::Set(Fault { what, on })));
    }

    fn pass(&mut self, span: Duration) {
        self.engine.run_to(self.engine.now() + span);
        for event in self.engine.take_events() {
            self.model.apply(&event);
            self.events.push(event);
        }
    }

    fn node(&self, name: &str) -> Addr {
        self.model.nodes().find(name).unwrap().addr
    }

    fn draw(&self, subject: DiagramSubject, columns_max: usize) -> Diagram {
        let DiagramSpan { from, to } = subject.span(&self.model, None);
        let spec = DiagramSpec { subject, from, to, picked: Vec::new(), columns_max, utc_offset_s: 0 };
        diagram(&spec, &self.events, &self.model)
    }

    /// The newest message of `p1`.
    fn newest(&self) -> MessageId {
        let own = |id: &MessageId| id.origin == self.node("p1");
        self.model.rumors().ring().iter().rev().map(|(_, rumor)| rumor.id).find(own).unwrap()
    }
}

/// Sender, receiver and kind of each arrow.
fn arrows(diagram: &Diagram, kinds: &[ItemKind]) -> Vec<(Addr, Addr, ItemKind)> {
    let arrow = |item: &DiagramItem| match item.route {
        ItemRoute::Between { from, to, .. } if kinds.contains(&item.kind) => Some((from, to, item.kind)),
        ItemRoute::Between { .. } | ItemRoute::At(_) | ItemRoute::Across(_) | ItemRoute::Everywhere => None,
    };
    diagram.items.iter().filter_map(arrow).collect()
}

fn count(diagram: &Diagram, kind: ItemKind) -> usize {
    diagram.items.iter().filter(|item| item.kind == kind).count()
}

const COPIES: [ItemKind; 3] = [ItemKind::FirstCopy, ItemKind::Duplicate, ItemKind::LostCopy];

/// What the events say of the copies of a message.
fn told(events: &[Event], wanted: MessageId) -> Vec<(Addr, Addr, ItemKind)> {
    let copy = |event: &Event| match &event.kind {
        EventKind::Gossip(GossipEvent::Received { id, from, .. }) if *id == wanted => {
            Some((*from, event.node, ItemKind::FirstCopy))
        }
        EventKind::Gossip(GossipEvent::Duplicate { id, from, .. }) if *id == wanted => {
            Some((*from, event.node, ItemKind::Duplicate))
        }
        EventKind::Gossip(GossipEvent::Lost { id, loss }) if *id == wanted => {
            Some((loss.from, loss.to, ItemKind::LostCopy))
        }
        _ => None,
    };
    events.iter().filter_map(copy).collect()
}

#[test]
fn a_message_has_an_arrow_a_copy_from_when_its_sender_had_it() {
    let mut lab = Lab::of(6, 3);
    lab.pass(Duration::from_secs(3));
    let id = lab.newest();
    let diagram = lab.draw(DiagramSubject::Message(id), 20);
    assert_eq!(arrows(&diagram, &COPIES), told(&lab.events, id));
    assert_eq!(count(&diagram, ItemKind::FirstCopy), 5);
    assert_eq!(diagram.columns[0].name, "p1", "the origin comes first");
    let mut had: BTreeMap<Addr, Time> = BTreeMap::new();
    for item in &diagram.items {
        match &item.route {
            ItemRoute::At(node) => drop(had.insert(*node, item.at)),
            ItemRoute::Between { from, to, sent } => {
                assert_eq!(*sent, had.get(from).copied(), "{item:?}");
                assert!(sent.unwrap() < item.at, "{item:?}");
                if item.kind == ItemKind::FirstCopy {
                    had.insert(*to, item.at);
                }
            }
            ItemRoute::Across(_) | ItemRoute::Everywhere => {}
        }
    }
    let (first, last) = (diagram.items.first().unwrap(), diagram.items.last().unwrap());
    assert_eq!((first.kind, diagram.from, diagram.to), (ItemKind::Origin, first.at, last.at));
}

#[test]
fn a_lost_copy_is_a_cross_that_names_the_fault() {
    let mut lab = Lab::of(6, 3);
    let on = Scope::border(vec![lab.node("p1"), lab.node("p2")]);
    lab.set(FaultKind::Cut, on);
    lab.pass(Duration::from_millis(1_200));
    let diagram = lab.draw(DiagramSubject::Message(lab.newest()), 20);
    let crosses: Vec<_> = diagram.items.iter().filter(|item| item.kind == ItemKind::LostCopy).collect();
    assert!(!crosses.is_empty());
    for cross in crosses {
        assert!(cross.label.ends_with("lost: partition p1 p2"), "{}", cross.label);
        assert!(matches!(cross.about, ItemSubject::Copy { node, .. } if diagram.place_of(node).is_some()));
    }
    assert_eq!(diagram.standing, ["partition p1 p2"]);
    assert_eq!(diagram.notes(), ["set before: partition p1 p2"]);
}

#[test]
fn a_death_goes_from_the_hang_to_the_last_verdict() {
    let mut lab = Lab::of(6, 3);
    let p3 = lab.node("p3");
    lab.tell(Command::Hang(p3));
    lab.pass(Duration::from_secs(6));
    let subject = DiagramSubject::of_node(p3, &lab.model, None);
    assert!(matches!(subject, DiagramSubject::Death { dead, .. } if dead == p3));
    let diagram = lab.draw(subject, 20);
    assert_eq!(diagram.title, "the death of p3");
    let case = lab.model.deaths().latest_of(p3).unwrap();
    assert_eq!(count(&diagram, ItemKind::Hang), 1);
    assert_eq!(count(&diagram, ItemKind::Death), case.evidence.len());
    // Each reporter tells both seeds.
    assert_eq!(count(&diagram, ItemKind::Report), 2 * case.evidence.len());
    assert_eq!(count(&diagram, ItemKind::Verdict), 2);
    let askers: Vec<Addr> = arrows(&diagram, &[ItemKind::Probe]).into_iter().map(|(asker, ..)| asker).collect();
    let once: std::collections::BTreeSet<_> = askers.iter().copied().collect();
    assert_eq!(askers.len(), once.len(), "the last answer of each neighbor alone");
    for told in &case.evidence {
        let missed =
            arrows(&diagram, &[ItemKind::MissedProbe]).into_iter().filter(|(asker, ..)| *asker == told.reporter);
        assert_eq!(missed.count(), told.missed().len());
    }
    let hang = diagram.items.iter().find(|item| item.kind == ItemKind::Hang).unwrap().at;
    let column = &diagram.columns[0];
    assert_eq!(column.name, "p3");
    assert_eq!(column.life_at(hang - Duration::from_micros(1)), LifeLine::Runs);
    assert_eq!(column.life_at(hang), LifeLine::Hangs);
}

#[test]
fn a_link_has_what_went_between_its_ends_and_nothing_else() {
    let mut lab = Lab::of(6, 3);
    let (p1, p2) = (lab.node("p1"), lab.node("p2"));
    lab.set(FaultKind::Cut, Scope::link(p1, p2));
    lab.pass(Duration::from_secs(4));
    let DiagramSpan { from, to } =
        DiagramSpan::around(lab.model.now() - Duration::from_secs(3), Duration::from_secs(6));
    let subject = DiagramSubject::Link(p1, p2);
    let spec = DiagramSpec { subject, from, to, picked: Vec::new(), columns_max: 20, utc_offset_s: 0 };
    let diagram = diagram(&spec, &lab.events, &lab.model);
    let names: Vec<_> = diagram.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, diagram.folded.len()), (vec!["p1", "p2"], 0));
    assert!(diagram.items.iter().all(|item| item.route.nodes().iter().all(|node| [p1, p2].contains(node))));
    assert_eq!((count(&diagram, ItemKind::Fault), count(&diagram, ItemKind::Death)), (1, 2));
    assert!(count(&diagram, ItemKind::LostProbe) >= 3, "{diagram:?}");
}

#[test]
fn what_fits_no_screen_still_has_rows_of_a_readable_time() {
    let lab = Lab::of(12, 3);
    let diagram = lab.draw(DiagramSubject::Node(lab.node("p1")), 20);
    let style = GridStyle { strokes: Strokes::Box, width: 80, step: GridStep::Rows(10) };
    let grid = grid(&diagram, style);
    assert!(grid.rows.len() > 10, "more rows than asked for: {}", grid.rows.len());
    assert!(grid.step.span() <= Duration::from_secs(1), "a row {}", grid.step_text());
}

#[test]
fn nodes_without_a_column_share_the_last_and_are_named() {
    let mut lab = Lab::of(12, 3);
    lab.pass(Duration::from_secs(3));
    let id = lab.newest();
    let diagram = lab.draw(DiagramSubject::Message(id), 5);
    assert_eq!((diagram.columns.len(), diagram.folded.len(), diagram.width()), (4, 8, 5));
    assert_eq!(diagram.heads().last().unwrap(), "+8");
    assert!(diagram.notes()[0].starts_with("+8 is 8 nodes: p"), "{:?}", diagram.notes());
    // Chosen nodes have theirs, whoever comes first.
    let picked = vec![lab.node("p11"), lab.node("p12")];
    let DiagramSpan { from, to } = DiagramSubject::Message(id).span(&lab.model, None);
    let spec = DiagramSpec { subject: DiagramSubject::Message(id), from, to, picked, columns_max: 20, utc_offset_s: 0 };
    let chosen = super::diagram(&spec, &lab.events, &lab.model);
    assert_eq!(chosen.heads(), ["p11", "p12", "+10"]);
    assert_eq!(arrows(&chosen, &COPIES), told(&lab.events, id), "what is among the others is drawn, too");
}

#[test]
fn columns_keep_their_order_while_time_goes_on() {
    let mut lab = Lab::of(6, 3);
    let known: Vec<Addr> = lab.model.nodes().iter().map(|node| node.addr).collect();
    let place = |node: &Addr| known.iter().position(|other| other == node);
    for _ in 0..10 {
        let from = lab.engine.now();
        lab.pass(Duration::from_millis(700));
        let (subject, to) = (DiagramSubject::Node(lab.node("p3")), lab.engine.now());
        let spec = DiagramSpec { subject, from, to, picked: Vec::new(), columns_max: 20, utc_offset_s: 0 };
        let diagram = diagram(&spec, &lab.events, &lab.model);
        let (first, others) = diagram.nodes().split_first().unwrap();
        assert_eq!(*first, lab.node("p3"));
        assert!(others.len() > 1 && others.is_sorted_by_key(place), "{:?}", diagram.heads());
    }
}

#[test]
fn what_is_over_the_limit_is_counted() {
    let mut lab = Lab::of(2, 3);
    lab.pass(Duration::from_secs(2));
    let one = lab.events.iter().find(|event| matches!(event.kind, EventKind::Probe(_))).unwrap().clone();
    let (from, to) = (one.at, one.at);
    let answered = lab.events.iter().find(|event| event.kind.name() == "probe_answered").unwrap();
    let many = vec![Event { at: one.at, ..answered.clone() }; ITEMS_MAX + 7];
    let subject = DiagramSubject::Window(Vec::new());
    let spec = DiagramSpec { subject, from, to, picked: Vec::new(), columns_max: 9, utc_offset_s: 0 };
    let diagram = diagram(&spec, &many, &lab.model);
    assert_eq!((diagram.items.len(), diagram.left_out.items), (ITEMS_MAX, 7));
    assert_eq!(diagram.notes(), ["7 items more left out: choose a shorter time or fewer nodes"]);
}

#[test]
fn rows_keep_the_order_of_time_and_share_what_does_not_overlap() {
    let mut lab = Lab::of(6, 3);
    lab.pass(Duration::from_secs(3));
    let diagram = lab.draw(DiagramSubject::Window(Vec::new()), 20);
    assert!(diagram.items.len() > 50);
    let extent = |item: &DiagramItem| diagram.reach(item).map(|(left, right)| Extent { left, right: right + 1 });
    let mut before = usize::MAX;
    let mut step = step_for(usize::MAX, |step| lay_out(&diagram.items, step, extent).len());
    for _ in 0..12 {
        let rows = lay_out(&diagram.items, step, extent);
        let drawn: Vec<usize> = rows.iter().flat_map(|row| row.items.iter().copied()).collect();
        assert_eq!(drawn, (0..diagram.items.len()).collect::<Vec<_>>(), "each once, in order");
        assert!(rows.is_sorted_by_key(|row| row.at));
        assert!(rows.len() <= before, "a longer step needs no more rows");
        let last = rows.last().unwrap();
        assert!(place_of(&rows, last.at) + 1.0 >= f64::from(u32::try_from(rows.len()).unwrap()));
        (before, step) = (rows.len(), step.longer());
    }
    assert!(step.shorter() < step && step > RowStep::longer(step.shorter().shorter()));
}

#[test]
fn a_grid_of_ascii_says_the_same_in_ascii() {
    let mut lab = Lab::of(5, 3);
    lab.pass(Duration::from_secs(2));
    let diagram = lab.draw(DiagramSubject::Message(lab.newest()), columns_max(80, 2));
    let drawn = |strokes| {
        let grid = grid(&diagram, GridStyle { strokes, width: 80, step: GridStep::Rows(100) });
        let rows = std::iter::once(&grid.head).chain(&grid.rows);
        rows.map(|row| row.text() + "\n").collect::<String>()
    };
    let (unicode, ascii) = (drawn(Strokes::Box), drawn(Strokes::Ascii));
    assert!(ascii.is_ascii(), "{ascii}");
    assert!(unicode.lines().chain(ascii.lines()).all(|line| line.chars().count() <= 80));
    assert_eq!(unicode.lines().count(), ascii.lines().count());
    assert_eq!(unicode.matches('▸').count() + unicode.matches('◂').count(), count(&diagram, ItemKind::FirstCopy));
    assert!(unicode.contains("◆ p1#"), "{unicode}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is broken, and however few columns there are.
    #[test]
    fn each_copy_is_one_arrow_whose_ends_have_a_place(
        rng_seed in 0_u64..1_000,
        peers in 2_usize..14,
        loss in 0_u8..60,
        cut in proptest::bool::ANY,
        columns in 2_usize..16,
    ) {
        let mut lab = Lab::of(peers, rng_seed);
        lab.set(FaultKind::Loss { percent: Percent::new(loss).unwrap() }, Scope::All);
        if cut {
            let on = Scope::border(vec![lab.node("p1"), lab.node("p2")]);
            lab.set(FaultKind::Cut, on);
        }
        lab.pass(Duration::from_millis(1_900));

        let id = lab.newest();
        let diagram = lab.draw(DiagramSubject::Message(id), columns);
        let (mut drawn, mut expected) = (arrows(&diagram, &COPIES), told(&lab.events, id));
        let key = |(from, to, kind): &(Addr, Addr, ItemKind)| (*from, *to, format!("{kind:?}"));
        drawn.sort_by_key(key);
        expected.sort_by_key(key);
        prop_assert_eq!(&drawn, &expected);
        for (from, to, _) in drawn {
            for end in [from, to] {
                let place = diagram.place_of(end);
                prop_assert!(place.is_some_and(|place| place < diagram.width()));
            }
        }
        prop_assert!(diagram.width() <= columns);
        let grid = grid(&diagram, GridStyle { strokes: Strokes::Box, width: 80, step: GridStep::Rows(50) });
        prop_assert!((0..diagram.items.len()).all(|item| grid.row_of(item).is_some()));
    }
}
