use proptest::prelude::*;

use super::*;
use crate::command::FaultCommand;
use crate::engine::NodeTable;
use crate::event::{FaultEvent, NodeState};
use crate::proto::fault::{Fault, FaultClass, FaultId, Scope};
use crate::proto::message::{Hello, Priority, Role};

const A: Addr = Addr::loopback(3000);
const B: Addr = Addr::loopback(3001);
const C: Addr = Addr::loopback(3002);
const GONE: Addr = Addr::loopback(3003);
const FAR: Addr = Addr::loopback(4000);
const NOW: Time = Time::from_micros(1_000_000_000);

/// Three nodes of ours, one that was killed, and one elsewhere.
fn lab() -> NodeTable {
    let mut nodes = NodeTable::of_peers([A, B, C, GONE]);
    nodes.set_state(GONE, NodeState::Killed);
    nodes
}

fn set(what: FaultKind, on: Scope) -> FaultCommand {
    FaultCommand::Set(Fault { what, on })
}

fn with(seed: u64, wanted: &[(FaultKind, Scope)]) -> Faults {
    let mut table = FaultTable::default();
    for (what, on) in wanted {
        table.apply(&set(*what, on.clone()), &lab()).unwrap();
    }
    let mut faults = Faults::new(Chance::new(seed));
    faults.set(Arc::new(table));
    faults
}

/// Of a message that is neither the first nor the last of its connection.
fn outcome(faults: &mut Faults, now: Time, way: Route, key: u64) -> Outcome {
    faults.outcome(now, way, key, &Message::ListRequest)
}

fn way(from: Addr, to: Addr) -> Route {
    Route { from, to, connection: 1 }
}

fn percent(of_hundred: u8) -> Percent {
    Percent::new(of_hundred).unwrap()
}

fn refused(command: &FaultCommand) -> FaultError {
    let mut table = FaultTable::default();
    let error = table.apply(command, &lab()).unwrap_err();
    assert!(table.is_empty(), "nothing has changed");
    error
}

fn after(ms: u64) -> Time {
    NOW + Duration::from_millis(ms)
}

#[test]
fn without_faults_everything_arrives_as_it_would_have() {
    let mut faults = with(1, &[]);
    assert!(faults.is_quiet());
    assert_eq!(outcome(&mut faults, NOW, way(A, B), 0), Outcome::Now);
    faults.has_read(A, NOW);
    assert!(faults.may_read(A, NOW));
}

#[test]
fn a_loss_of_30_percent_loses_about_30_of_a_hundred() {
    let mut faults = with(7, &[(FaultKind::Loss { percent: percent(30) }, Scope::All)]);
    let lost = (0..10_000).filter(|key| matches!(outcome(&mut faults, NOW, way(A, B), *key), Outcome::Lost(_))).count();
    assert!((2_850..=3_150).contains(&lost), "{lost}");
}

#[test]
fn the_same_seed_gives_the_same_fates_and_another_seed_others() {
    let trouble = [
        (FaultKind::Loss { percent: percent(20) }, Scope::All),
        (FaultKind::Delay { by_us: 1_000, jitter_us: 9_000 }, Scope::Node(A)),
    ];
    let fates = |seed| {
        let mut faults = with(seed, &trouble);
        (0..100).map(|ms| outcome(&mut faults, after(ms), way(A, B), ms)).collect::<Vec<_>>()
    };
    assert_eq!(fates(1), fates(1));
    assert_ne!(fates(1), fates(2));
}

#[test]
fn duplicates_come_twice_and_at_100_percent_all_do() {
    let mut faults = with(3, &[(FaultKind::Duplicate { percent: percent(100) }, Scope::link(A, B))]);
    assert!((0..100).all(|key| outcome(&mut faults, NOW, way(B, A), key) == Outcome::Twice(NOW)));
    assert_eq!(outcome(&mut faults, NOW, way(A, C), 0), Outcome::Now, "another link");
}

#[test]
fn a_hello_comes_first_and_once() {
    let all = percent(100);
    let reorder = FaultKind::Reorder { percent: all, window_us: 1_000_000 };
    let mut faults = with(3, &[(FaultKind::Duplicate { percent: all }, Scope::All), (reorder, Scope::All)]);
    let hello = Message::Hello(Hello { listen: A, role: Role::Peer, priority: Priority::Low });
    assert!((0..100).all(|key| faults.outcome(NOW, way(A, B), key, &hello) == Outcome::Now));
    assert_ne!(outcome(&mut faults, NOW, way(A, B), 0), Outcome::Now);
    let delay = FaultKind::Delay { by_us: 50_000, jitter_us: 0 };
    let mut faults = with(3, &[(delay, Scope::All)]);
    assert_eq!(faults.outcome(NOW, way(A, B), 0, &hello), Outcome::At(after(50)), "it takes as long as anything");
}

#[test]
fn faults_in_combination_each_do_what_they_do_alone() {
    let all = percent(100);
    let kinds = [
        FaultKind::Loss { percent: all },
        FaultKind::Duplicate { percent: all },
        FaultKind::Reorder { percent: all, window_us: 1_000_000 },
        FaultKind::Delay { by_us: 50_000, jitter_us: 0 },
    ];
    for set in 0..16 {
        let has = |kind: usize| set >> kind & 1 == 1;
        let chosen: Vec<_> = (0..4).filter(|kind| has(*kind)).map(|kind| (kinds[kind], Scope::All)).collect();
        let outcome = outcome(&mut with(5, &chosen), NOW, way(A, B), 0);
        let in_time = if has(3) { after(50) } else { NOW };
        match (has(0), has(1), has(2)) {
            (true, _, _) => assert_eq!(outcome, Outcome::Lost(FaultId(1))),
            (false, true, false) => assert_eq!(outcome, Outcome::Twice(in_time)),
            (false, true, true) => assert!(matches!(outcome, Outcome::HeldTwice(due) if due > in_time), "{outcome:?}"),
            (false, false, true) => assert!(matches!(outcome, Outcome::Held(due) if due > in_time), "{outcome:?}"),
            (false, false, false) if has(3) => assert_eq!(outcome, Outcome::At(in_time)),
            (false, false, false) => assert_eq!(outcome, Outcome::Now),
        }
    }
}

#[test]
fn what_is_reordered_is_overtaken_by_what_comes_after_it() {
    let reorder = FaultKind::Reorder { percent: percent(50), window_us: 100_000 };
    let mut faults = with(5, &[(reorder, Scope::All)]);
    let due: Vec<Time> = (0..100)
        .map(|ms| match outcome(&mut faults, after(ms), way(A, B), ms) {
            Outcome::Now => after(ms),
            Outcome::Held(due) => due,
            other @ (Outcome::Lost(_) | Outcome::At(_) | Outcome::Twice(_) | Outcome::HeldTwice(_)) => {
                panic!("{other:?}")
            }
        })
        .collect();
    let overtaken = due.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(overtaken > 20, "{overtaken}");
}

#[test]
fn a_cut_and_a_partition_let_nothing_through_either_way() {
    let mut faults = with(1, &[(FaultKind::Cut, Scope::link(A, B)), (FaultKind::Cut, Scope::border(vec![C]))]);
    assert_eq!(outcome(&mut faults, NOW, way(A, B), 0), Outcome::Lost(FaultId(1)));
    assert_eq!(outcome(&mut faults, NOW, way(B, A), 0), Outcome::Lost(FaultId(1)));
    assert_eq!(
        outcome(&mut faults, NOW, way(FAR, C), 0),
        Outcome::Lost(FaultId(2)),
        "whoever is not named is on the other side"
    );
    assert_eq!(outcome(&mut faults, NOW, way(A, FAR), 0), Outcome::Now);
    assert!(faults.is_cut(C, A) && !faults.is_cut(A, FAR));
}

#[test]
fn what_is_under_way_when_a_delay_ends_is_not_overtaken() {
    let mut faults = with(1, &[(FaultKind::Delay { by_us: 50_000, jitter_us: 0 }, Scope::All)]);
    assert_eq!(outcome(&mut faults, NOW, way(A, B), 0), Outcome::At(after(50)));
    faults.set(Arc::default());
    let other = Route { connection: 2, ..way(A, B) };
    assert_eq!(outcome(&mut faults, after(10), other, 0), Outcome::Now, "another connection");
    assert_eq!(outcome(&mut faults, after(10), way(A, B), 0), Outcome::At(after(50)));
    assert_eq!(outcome(&mut faults, after(60), way(A, B), 0), Outcome::Now);
    assert!(faults.is_quiet(), "and then all is as before");
}

#[test]
fn a_slow_node_reads_one_message_after_the_other() {
    let mut faults = with(1, &[(FaultKind::Slow { per_s: 10 }, Scope::Node(A))]);
    let mut read = Vec::new();
    for ms in 0..=250 {
        if faults.may_read(A, after(ms)) {
            faults.has_read(A, after(ms));
            read.push(ms);
        }
        faults.has_read(B, after(ms));
        assert!(faults.may_read(B, after(ms)), "the other is not slow");
    }
    assert_eq!(read, [0, 100, 200]);
    faults.set(Arc::default());
    assert!(faults.may_read(A, after(251)), "and is slow no longer");
}

#[test]
fn clocks_are_wrong_by_what_all_faults_together_say() {
    let faults =
        with(1, &[(FaultKind::Skew { by_us: 5 }, Scope::Node(A)), (FaultKind::Skew { by_us: -2 }, Scope::All)]);
    assert_eq!([A, B].map(|node| faults.table().skew_us(node)), [3, -2]);
}

#[test]
fn a_fault_of_the_same_kind_at_the_same_place_is_replaced() {
    let loss = |of_hundred| Fault { what: FaultKind::Loss { percent: percent(of_hundred) }, on: Scope::link(A, B) };
    let mut table = FaultTable::default();
    table.apply(&FaultCommand::Set(loss(10)), &lab()).unwrap();
    let changes = table.apply(&FaultCommand::Set(loss(20)), &lab()).unwrap();
    let [first, second] = [1, 2].map(|number| Some(FaultId(number)));
    let wanted = [FaultEvent::Cleared { id: first, fault: loss(10) }, FaultEvent::Set { id: second, fault: loss(20) }];
    assert_eq!(changes, wanted);
    assert_eq!(table.iter().count(), 1);
}

#[test]
fn healing_leaves_the_other_faults_and_calm_leaves_none() {
    let mut table = FaultTable::default();
    let mut done = |command: &FaultCommand| table.apply(command, &lab()).unwrap().len();
    done(&set(FaultKind::Cut, Scope::link(A, B)));
    done(&set(FaultKind::Cut, Scope::border(vec![A, B])));
    done(&set(FaultKind::Loss { percent: percent(1) }, Scope::All));
    assert_eq!(done(&FaultCommand::HealPartitions), 1);
    assert_eq!(done(&FaultCommand::HealAll), 1);
    assert_eq!(done(&FaultCommand::Calm), 1);
    assert_eq!(done(&FaultCommand::Calm), 0);
}

#[test]
fn a_fault_that_makes_no_sense_is_refused_and_changes_nothing() {
    let says = |command: FaultCommand| refused(&command).to_string();
    let cut = |on| says(set(FaultKind::Cut, on));
    assert_eq!(cut(Scope::Border(Vec::new())), "a partition needs nodes: name those to separate from the others");
    assert_eq!(
        cut(Scope::border(vec![A, B, C])),
        "these are all nodes of this process: leave at least one for the other side"
    );
    assert_eq!(cut(Scope::link(A, GONE)), "p4 is gone: restart it first");
    assert_eq!(cut(Scope::link(A, A)), "p1 is named twice: name two different nodes");
    assert_eq!(cut(Scope::Node(FAR)), ":4000 runs in another process: a fault needs a node of this one");
    assert_eq!(says(FaultCommand::Lie { liar: A, about: A }), "p1 is named twice: name two different nodes");
    let clear = FaultCommand::Clear { kind: FaultClass::Loss, on: Scope::link(A, B) };
    assert_eq!(says(clear), "no such fault is set: loss p1 p2");
    assert_eq!(says(FaultCommand::HealPartitions), "no such fault is set: partition");
}

proptest! {
    /// Whatever the delay and its jitter, and whenever it is sent.
    #[test]
    fn delays_keep_the_order_of_a_link_and_their_length(
        seed: u64,
        by_us in 0..100_000_u64,
        jitter_us in 0..100_000_u64,
        pauses in prop::collection::vec(0..20_000_u64, 1..50),
    ) {
        let mut faults = with(seed, &[(FaultKind::Delay { by_us, jitter_us }, Scope::link(A, B))]);
        let (mut now, mut last) = (NOW, NOW);
        for pause in pauses {
            now = now + micros(pause);
            let due = match outcome(&mut faults, now, way(A, B), now.as_micros()) {
                Outcome::Now => now,
                Outcome::At(due) => due,
                other @ (Outcome::Lost(_) | Outcome::Held(_) | Outcome::Twice(_) | Outcome::HeldTwice(_)) => panic!("{other:?}"),
            };
            prop_assert!(due >= now + micros(by_us) && due >= last);
            prop_assert!(due <= (now + micros(by_us + jitter_us)).max(last));
            last = due;
        }
    }
}

#[test]
fn traffic_with_nodes_elsewhere_can_meet_faults_they_cannot() {
    let loss = FaultKind::Loss { percent: percent(100) };
    let mut faults = with(7, &[(loss, Scope::Node(FAR))]);
    assert_eq!(outcome(&mut faults, NOW, way(A, FAR), 0), Outcome::Lost(FaultId(1)));
    assert_eq!(outcome(&mut faults, NOW, way(FAR, B), 0), Outcome::Lost(FaultId(1)));
    assert_eq!(outcome(&mut faults, NOW, way(A, B), 0), Outcome::Now);
    let slow = refused(&set(FaultKind::Slow { per_s: 5 }, Scope::Node(FAR)));
    assert_eq!(slow, FaultError::Elsewhere { name: FAR.name() });
    assert_eq!(refused(&set(loss, Scope::Node(GONE))), FaultError::Gone { name: "p4".to_owned() });
}

#[test]
fn a_fault_more_changes_nothing_about_what_the_others_do() {
    let loss = (FaultKind::Loss { percent: percent(30) }, Scope::link(A, B));
    let jitter = (FaultKind::Delay { by_us: 0, jitter_us: 9_000 }, Scope::All);
    let none = (FaultKind::Loss { percent: percent(0) }, Scope::All);
    let fates = |faults: &[(FaultKind, Scope)]| {
        let mut faults = with(1, faults);
        (0..1_000).map(|ms| outcome(&mut faults, after(ms * 10), way(A, B), ms)).collect::<Vec<_>>()
    };
    let two = fates(&[loss.clone(), jitter.clone()]);
    // Which number a fault has depends on those before.
    let numbered =
        |outcome: &Outcome| if *outcome == Outcome::Lost(FaultId(1)) { Outcome::Lost(FaultId(3)) } else { *outcome };
    assert_eq!(fates(&[none, jitter.clone(), loss]), two.iter().map(numbered).collect::<Vec<_>>());
    let more = (FaultKind::Loss { percent: percent(50) }, Scope::link(A, B));
    let more = fates(&[more, jitter]);
    let is_worse = |(few, many): (&Outcome, &Outcome)| few == many || matches!(many, Outcome::Lost(_));
    assert!(two.iter().zip(&more).all(is_worse), "what 30% lose, 50% lose, too");
    assert_ne!(two, more);
}

#[test]
fn there_are_at_most_256_faults() {
    let mut table = FaultTable::default();
    let delay = |port| set(FaultKind::Delay { by_us: 1, jitter_us: 0 }, Scope::Node(Addr::loopback(port)));
    for port in 4_000..4_256 {
        table.apply(&delay(port), &lab()).unwrap();
    }
    assert_eq!(table.apply(&delay(5_000), &lab()), Err(FaultError::TooMany { most: 256 }));
    table.apply(&delay(4_000), &lab()).unwrap();
}
