//! Questions whose answers are known, where causes mix: each was answered untruly once.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::time::Duration;

use gossipctl::engine::Settings;
use gossipctl::event::Event;
use gossipctl::experiment::run::{Experiment, Watcher};
use gossipctl::model::Model;
use gossipctl::model::cause::{Deed, Question, Reason, questions, reason};
use gossipctl::model::rumor::{Counting, Rumor};
use gossipctl::model::warning::Finding;
use gossipctl::model::why::{
    NetworkSubject, about_message, about_node, why_dead, why_link, why_not, why_not_each, why_seed,
};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::message::Dialect;
use gossipctl::scenario::Script;

use virtual_time::{peer_addr, seed_addr};

/// The network until its nodes begin to leave.
struct LastMoment {
    model: Model,
    is_over: bool,
}

impl Watcher for LastMoment {
    fn goes_on(&mut self, _played: Duration) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        self.is_over |= event.kind.is_leaving();
        if !self.is_over {
            self.model.apply(event);
        }
    }
}

/// Two seeds and eight peers, to whom this is done; nothing is said but what the lines say.
fn after(lines: &str) -> Model {
    after_in(Dialect::Framed, &format!("lab 2 8\n{lines}\n"))
}

fn after_in(dialect: Dialect, script: &str) -> Model {
    let script = Script::parse(script).unwrap();
    let mut peers = virtual_time::peers_of(dialect);
    (peers.messages, peers.liveness_interval) = (Some(0), Duration::from_secs(1));
    let mut last = LastMoment { model: Model::new(), is_over: false };
    Experiment::of_script(script, Settings::of_peers(peers, 5)).play(&mut last).unwrap();
    last.model
}

fn p(number: u16) -> Addr {
    peer_addr(number - 1)
}

fn dead(model: &Model, number: u16) -> String {
    why_dead(model, p(number), 0).verdict
}

fn said(model: &Model, place: usize) -> &Rumor {
    model.rumors().ring().iter().nth(place).map(|(_, rumor)| rumor).unwrap()
}

/// Why this peer lacks the message of this place.
fn lack(model: &Model, number: u16, place: usize) -> String {
    why_not(model, p(number), said(model, place).id, 0).verdict
}

fn reached(model: &Model, place: usize) -> (usize, usize) {
    let coverage = said(model, place).coverage(model.nodes(), Counting::HadTime);
    (coverage.have, coverage.of)
}

#[test]
fn a_partition_kept_a_message_from_a_peer_killed_later() {
    let model = after("5s partition p7\n5500ms say p1 x\n9s kill p7\n12s end");
    assert_eq!(reached(&model, 0), (7, 8), "p7 had time to get it");
    let told = lack(&model, 7, 0);
    assert!(told.contains("it is on the other side of 'partition p7', set at 00:00:05"), "{told}");
    let clause = &why_not_each(&model, said(&model, 0), &[p(7)], 0)[0];
    assert!(clause.why.contains("'partition p7'") && !clause.is_on_its_way, "{clause:?}");
}

#[test]
fn a_stop_in_the_last_seconds_excuses_nobody_either() {
    let model =
        after("5s cut p7 p1\n5s cut p7 p2\n5s cut p7 p3\n5s cut p7 p5\n5s cut p7 p6\n6s say p1 x\n7s hang p7\n8s end");
    assert_eq!(reached(&model, 0), (7, 8));
    let told = lack(&model, 7, 0);
    assert!(told.contains("because of 'cut p1 p7' since 00:00:05, 'cut p2 p7'"), "{told}");
}

#[test]
fn a_delayed_copy_is_lost_with_the_link_that_carried_it() {
    let model = after("5s delay p6 30s\n5500ms say p1 x\n7s end");
    assert!(lack(&model, 6, 0).contains("yet: it is on its way: 'delay p6 30s' since 00:00:05 holds it up"));
    let model = after("5s delay p6 30s\n5500ms say p1 x\n15s end");
    let told = lack(&model, 6, 0);
    let why = "because of 'delay p6 30s' since 00:00:05; p1 had it at 00:00:05, and it did not come to p6: the link that \
               carried it ended at 00:00:08";
    assert!(told.contains(why) && !told.contains("yet"), "{told}");
}

#[test]
fn only_the_reporter_that_was_cut_blames_the_cut() {
    let model = after("5s cut p7 p6\n7s hang p7\n25s end");
    let told = dead(&model, 7);
    assert!(told.contains("p6 had no answer to 3 probes in a row, because of 'cut p6 p7' since 00:00:05"), "{told}");
    assert!(
        told.contains("p1, p2, p3 and p5 had no answer to 3 probes in a row, because p7 hung at 00:00:07"),
        "{told}"
    );
}

#[test]
fn a_death_before_the_kill_is_not_laid_to_it() {
    let model = after("5s loss p7 100%\n9s kill p7\n12s end");
    let told = dead(&model, 7);
    let why = "p7 was taken for dead because of 'loss p7 100%' since 00:00:05, and was killed at 00:00:09 after that";
    assert!(told.starts_with(why), "{told}");
}

#[test]
fn a_delay_that_cannot_be_why_is_not_named() {
    let model = after("5s delay p7 1ms\n5s loss p7 95%\n6s say p1 x\n12s end");
    let (death, lack) = (dead(&model, 7), lack(&model, 7, 0));
    assert!(death.contains("because of 'loss p7 95%' since 00:00:05") && !death.contains("delay"), "{death}");
    assert!(lack.contains("dropped by 'loss p7 95%'") && !lack.contains("delay"), "{lack}");
}

#[test]
fn of_two_partitions_either_alone_would_have_done_it() {
    let model = after("5s partition p1 p2\n5s partition p2 p3\n6s say p1 x\n12s end");
    let told = lack(&model, 3, 0);
    let why = "because of 'partition p1 p2' since 00:00:05 or because of 'partition p2 p3' since 00:00:05 (either alone \
               would have done it)";
    assert!(told.contains(why), "{told}");
    assert!(lack(&model, 2, 0).contains("'partition p2 p3'") && lack(&model, 5, 0).contains("'partition p1 p2'"));
    assert!(dead(&model, 2).contains(why), "{}", dead(&model, 2));
}

#[test]
fn a_message_whose_origin_dies_at_once_began_here() {
    let model = after("5s say p1 x\n5s kill p1\n8s end");
    let told = about_message(&model, said(&model, 0).id, 0).verdict;
    assert!(told.contains("\"x\", generated by p1 at 00:00:05"), "{told}");
    assert!(!told.contains("elsewhere"), "{told}");
}

#[test]
fn a_handshake_that_a_delay_kept_is_no_offense() {
    let model = after("5s delay p6 30s\n20s end");
    for other in (1..=8).filter(|other| *other != 6) {
        let told = why_link(&model, p(6), p(other), 0).verdict;
        assert!(
            !told.contains("broke the protocol") && told.contains("'delay p6 30s' since 00:00:05"),
            "p{other}: {told}"
        );
    }
    let told = about_node(&model, p(6), 0).verdict;
    assert!(told.contains("delay p6 30s"), "{told}");
}

#[test]
fn who_was_cut_from_all_but_a_hung_one_says_both() {
    let cuts: String = [1, 2, 3, 4, 5, 7].map(|number| format!("6s cut p8 p{number}\n")).concat();
    let model = after(&format!("5s hang p6\n{cuts}7s say p1 x\n14s end"));
    let told = "p8 does not have p1#~0001 because of 'cut p1 p8' since 00:00:06, 'cut p3 p8' since 00:00:06, 'cut p4 p8' \
                since 00:00:06 and 'cut p5 p8' since 00:00:06 and because p6 hung at 00:00:05; p1 had it at 00:00:07, \
                and it did not come to p8.";
    assert_eq!(lack(&model, 8, 0), told);
    assert!(dead(&model, 6).starts_with("p6 hangs since 00:00:05"), "{}", dead(&model, 6));
    let other = dead(&model, 1);
    assert!(other.starts_with("p1 runs, and was reported dead because of 'cut p1 p8' since 00:00:06"), "{other}");
}

#[test]
fn without_any_seed_nothing_says_that_all_is_well() {
    let model = after("5s kill s1\n6s kill s2\n15s end");
    let warned = model.warnings().active().any(|(_, warning)| matches!(warning.finding, Finding::NoSeed { .. }));
    assert!(warned, "no seed runs");
    let told = about_node(&model, p(1), 0);
    let on_lists = told.evidence.iter().find(|line| line.text.contains("on the list of")).unwrap();
    assert_eq!(on_lists.text, "on the list of no seed of ours");
    let seed = about_node(&model, seed_addr(1), 0).verdict;
    assert!(seed.contains("was killed"), "{seed}");
}

#[test]
fn with_one_fault_every_answer_names_it() {
    for fault in [
        "cut p7 p6",
        "partition p7",
        "partition p1 p2 p3",
        "loss p7 100%",
        "loss p7 60%",
        "delay p7 3s",
        "reorder p7 100% 5s",
        "slow p7 1/s",
        "junk p7 5/s",
        "hang p7",
        "kill p7",
    ] {
        let model = after(&format!("4s say p7 x\n5s {fault}\n6s say p1 y\n20s end"));
        for question in questions(&model) {
            let told = reason(&model, &question);
            let names_it = match &told {
                Reason::Deeds(causes) => {
                    causes.only().is_some_and(|deed| deed.at() == model.started().unwrap() + Duration::from_secs(5))
                }
                Reason::Rule(_) => true,
                Reason::NotCertain(_) => false,
            };
            assert!(names_it, "{fault}: {question:?}: {told:?}");
        }
    }
}

#[test]
fn delays_that_are_over_before_a_death_are_no_candidates() {
    let model = after("5s partition p7\n5500ms reorder p7 100% 900ms\n6s delay p7 20ms\n12s end");
    let deaths = questions(&model).into_iter().filter(|question| matches!(question, Question::Death { .. }));
    let told: Vec<Reason> = deaths.map(|question| reason(&model, &question)).collect();
    assert!(told.len() >= 7, "{told:?}");
    for reason in told {
        let Reason::Deeds(causes) = &reason else { panic!("{reason:?}") };
        assert!(
            matches!(causes.only(), Some(Deed::Fault(fault)) if fault.id.is_some_and(|id| id.0 == 1)),
            "{reason:?}"
        );
    }
}

#[test]
fn a_node_that_runs_is_not_gone_because_others_gave_it_up() {
    let model = after_in(Dialect::Classic, "lab 2 4\n5s partition p1 p3 p4\n30s end\n");
    assert!(model.nodes().get(p(2)).unwrap().is_believed_dead());
    let gone = model.warnings().active().find_map(|(_, warning)| match &warning.finding {
        Finding::SeedList { gone, .. } => Some(gone.clone()),
        _ => None,
    });
    assert_eq!(gone.unwrap_or_default(), [], "p2 is on the lists, and runs");
}

#[test]
fn a_report_of_a_node_that_restarted_says_that_it_runs() {
    let model = after("5s reorder p7 100% 5s\n5152ms hang p7\n5771ms restart p7\n6200ms end");
    let told = dead(&model, 7);
    assert!(told.contains("taken for dead, and runs again since 00:00:05"), "{told}");
    let model = after("5s kill p7\n8s restart p7\n12s kill p7\n12001ms end");
    let told = dead(&model, 7);
    let why = "p7 was killed at 00:00:05, was taken for dead, and was back at 00:00:08, and was killed at 00:00:12 after that";
    assert!(told.starts_with(why), "{told}");
}

#[test]
fn a_dropped_link_is_told_by_who_dropped_it() {
    let model = after("5s partition p1 p2\n5001ms hang p2\n20s end");
    let dropped = (3..=8).map(|other| why_link(&model, p(2), p(other), 0).verdict);
    let told: Vec<String> = dropped.filter(|verdict| verdict.starts_with("The link")).collect();
    assert!(!told.is_empty());
    for verdict in told {
        assert!(verdict.contains("'partition p1 p2'") && verdict.contains("p2 hung at"), "{verdict}");
    }
}

#[test]
fn what_took_a_peer_off_a_list_is_named_before_a_later_cut() {
    let model = after("5s loss p4 95%\n20s partition p4\n25s end");
    let list = why_seed(&model, seed_addr(1), model.now(), 0).verdict;
    assert!(list.contains("p4 runs, but is cut off from it by 'partition p4'"), "{list}");
    assert!(list.contains("because of 'loss p4 95%' since 00:00:05"), "{list}");
}

#[test]
fn a_copy_lost_with_its_link_is_laid_to_what_ended_the_link() {
    let model = after("5s delay p6 30s\n5500ms say p1 x\n15s end");
    let told = lack(&model, 6, 0);
    assert!(told.contains("because of 'delay p6 30s' since 00:00:05"), "{told}");
}

/// Whom all others gave up holds links that nobody else has.
#[test]
fn a_peer_that_is_alone_says_so_though_it_holds_links() {
    let model = after_in(Dialect::Classic, "lab 2 4\nset max-dial 4\n5397ms hang p4\n5400ms slow p2 1/s\n20s end\n");
    let alone: Vec<Addr> = model
        .warnings()
        .active()
        .filter_map(|(_, warning)| match warning.finding {
            Finding::Alone { node } => Some(node),
            _ => None,
        })
        .collect();
    let holding = alone.iter().filter(|node| model.nodes().get(**node).is_some_and(|node| node.neighbors > 0));
    let holding: Vec<&Addr> = holding.collect();
    assert!(!holding.is_empty(), "{alone:?}");
    for node in holding {
        let why = about_node(&model, *node, 0);
        assert!(why.verdict.contains("It has no live neighbor") && !why.rests_on.is_empty(), "{}", why.verdict);
    }
}

#[test]
fn a_peer_that_is_alone_is_no_part_wherever_it_is_said() {
    let model = after("5s partition p1 p2\n5s cut p8 p1\n5s partition p8\n20s end");
    let parts = model.warnings().active().find_map(|(_, warning)| match &warning.finding {
        Finding::Parted { parts } => Some(parts.len()),
        _ => None,
    });
    assert_eq!(parts, Some(2));
    let load = NetworkSubject::Load.explain(&model, 0).verdict;
    assert!(load.contains("The overlay is in 2 parts. p8 is alone."), "{load}");
}
