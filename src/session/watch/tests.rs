use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::event::samples::{AT, link_up, peer, started};
use crate::event::{Direction, EventKind, LinkId, NodeEvent, Purpose, Stop};
use crate::proto::message::Role;
use crate::session::journal::Journal;

/// Sessions on disk, and the watch that reads them.
struct Scene {
    dir: TempDir,
    watch: Watch,
}

/// So long an event waits here.
const DELAY: Duration = Duration::from_secs(2);

fn at(s: u64) -> Time {
    AT + Duration::from_secs(s)
}

fn event(s: u64, n: u16, kind: EventKind) -> Event {
    Event { at: at(s), node: peer(n), kind }
}

fn linked_to(n: u16) -> EventKind {
    link_up(LinkId(1), peer(n), Direction::Outbound, Purpose::Neighbor)
}

fn hung() -> EventKind {
    EventKind::Node(NodeEvent::Hung)
}

fn session(dir: &Path, n: u16, s: u64, events: &[Event]) -> Journal {
    let mut journal = Journal::create(&dir.join(format!("session-{n}.jsonl.zst")), &Header::new(at(s), 0), u64::MAX);
    let begun = journal.as_mut().unwrap();
    begun.append(&[event(s, n, started(&format!("p{n}"), Role::Peer))]).unwrap();
    begun.append(events).unwrap();
    begun.flush().unwrap();
    journal.unwrap()
}

fn write(journal: &mut Journal, event: Event) {
    journal.append(&[event]).unwrap();
    journal.flush().unwrap();
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch::new(vec![WatchedDir::new(dir.path().to_owned())], DELAY);
        Self { dir, watch }
    }

    /// Two sessions of one network, which is shown.
    fn of_two() -> (Self, Journal, Journal) {
        let mut scene = Self::new();
        let one = session(scene.dir.path(), 1, 0, &[event(1, 1, linked_to(2))]);
        let other = session(scene.dir.path(), 2, 0, &[]);
        scene.watch.look(at(1)).unwrap();
        let networks = scene.watch.networks();
        assert_eq!(networks.len(), 1);
        scene.watch.open(networks[0].clone()).unwrap();
        (scene, one, other)
    }

    /// Who did something, and in which second, as it is told at this time.
    fn told(&mut self, s: u64) -> Vec<(u16, u64)> {
        self.watch.look(at(s)).unwrap();
        let (records, progress) = self.watch.advance(at(s));
        assert_eq!(progress, ReadProgress::Current);
        let told = |record| match record {
            Ok(JournalRecord::Event { event, .. }) => Some(event),
            other => panic!("{other:?}"),
        };
        let second = |event: Event| (event.node.port() - peer(0).port(), event.at.since(AT).as_secs());
        records.into_iter().filter_map(told).map(second).collect()
    }
}

#[test]
fn events_of_several_sessions_are_told_in_order_of_time() {
    let (mut scene, mut one, mut other) = Scene::of_two();
    assert_eq!(scene.told(4), [(1, 0), (2, 0), (1, 1)]);
    write(&mut one, event(6, 1, hung()));
    assert!(scene.told(6).is_empty(), "an earlier one may still come");
    write(&mut other, event(5, 2, hung()));
    assert_eq!(scene.told(9), [(2, 5), (1, 6)]);
    assert_eq!(scene.watch.take_late(), 0);
}

#[test]
fn an_event_that_comes_too_late_is_told_and_counted() {
    let (mut scene, mut one, mut other) = Scene::of_two();
    write(&mut one, event(6, 1, hung()));
    assert_eq!(scene.told(9).last(), Some(&(1, 6)));
    write(&mut other, event(5, 2, hung()));
    assert_eq!((scene.told(9), scene.watch.take_late(), scene.watch.take_late()), (vec![(2, 5)], 1, 0));
}

#[test]
fn a_process_that_was_killed_takes_its_nodes_with_it() {
    let (mut scene, one, other) = Scene::of_two();
    scene.told(4);
    drop(other);
    scene.told(5);
    let news = scene.watch.look(at(6)).unwrap().news;
    assert!(matches!(&news[..], [WatchNews::Killed { name, .. }] if name == "session-2"), "{news:?}");
    let (records, _) = scene.watch.advance(at(9));
    let killed = EventKind::Node(NodeEvent::Stopped { how: Stop::Killed });
    let is_end = |record: &LiveRecord| matches!(record, Ok(JournalRecord::Event { event, .. }) if event.kind == killed);
    assert_eq!(records.iter().filter(|record| is_end(record)).count(), 1);
    one.close().unwrap();
    scene.told(10);
    let news = scene.watch.look(at(11)).unwrap().news;
    assert!(matches!(&news[..], [WatchNews::Ended { .. }, WatchNews::AllEnded]), "{news:?}");
}

#[test]
fn an_end_is_noticed_though_its_file_is_gone() {
    let (mut scene, _one, other) = Scene::of_two();
    scene.told(4);
    std::fs::remove_file(scene.dir.path().join("session-2.jsonl.zst")).unwrap();
    for s in 5..8 {
        assert_eq!(scene.watch.look(at(s)).unwrap().news, [], "it still runs");
    }
    drop(other);
    scene.told(8);
    let news = scene.watch.look(at(9)).unwrap().news;
    assert!(matches!(&news[..], [WatchNews::Killed { name, .. }] if name == "session-2"), "{news:?}");
}

#[test]
fn a_session_joins_with_its_first_link() {
    let (mut scene, _one, _other) = Scene::of_two();
    scene.told(4);
    let mut third = session(scene.dir.path(), 3, 3, &[]);
    assert!(scene.watch.look(at(4)).unwrap().joining.is_empty());
    write(&mut third, event(4, 3, linked_to(2)));
    let joining = scene.watch.look(at(4)).unwrap().joining;
    assert_eq!(joining.len(), 1);
    assert_eq!(scene.watch.join(&joining, LateJoin::BeginAnew).unwrap(), Joined::GoesOn);
    assert_eq!(scene.told(7), [(3, 3), (3, 4)]);
}

#[test]
fn a_session_that_joins_late_has_all_told_once_more() {
    let (mut scene, _one, _other) = Scene::of_two();
    let mut third = session(scene.dir.path(), 3, 0, &[]);
    scene.told(20);
    write(&mut third, event(20, 3, linked_to(2)));
    let joining = scene.watch.look(at(21)).unwrap().joining;
    assert_eq!(scene.watch.join(&joining, LateJoin::BeginAnew).unwrap(), Joined::BegunAnew);
    assert_eq!(scene.told(30), [(1, 0), (2, 0), (3, 0), (1, 1), (3, 20)]);
}

#[test]
fn sessions_of_another_network_stay_apart() {
    let (mut scene, _one, _other) = Scene::of_two();
    let _third = session(scene.dir.path(), 3, 0, &[event(1, 3, linked_to(9))]);
    assert!(scene.watch.look(at(2)).unwrap().joining.is_empty());
    assert_eq!(scene.watch.networks(), [vec![0, 1], vec![2]]);
}
