//! The same again, otherwise: what is played again is what was done, and what differs has the cause
//! that was changed.

#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use std::fmt::Write as _;
use std::time::Duration;

use gossipctl::engine::Settings;
use gossipctl::event::Event;
use gossipctl::experiment::comparison::{ComparedRun, Comparison};
use gossipctl::experiment::figures::Figures;
use gossipctl::experiment::recorded::RecordedSession;
use gossipctl::experiment::run::{Experiment, NODES_MAX, Outcome, RunError, Unwatched, Watcher};
use gossipctl::proto::message::Dialect;
use gossipctl::scenario::Script;
use gossipctl::session::journal::{Header, Journal, RecordedLab};
use gossipctl::sim::EPOCH;
use proptest::prelude::*;

use virtual_time::peers_of;

/// Settings with a message a second and a probe every 500 ms.
fn settings(rng_seed: u64) -> Settings {
    let mut peer = peers_of(Dialect::Framed);
    (peer.gossip_interval, peer.liveness_interval) = (Duration::from_secs(1), Duration::from_millis(500));
    Settings::of_peers(peer, rng_seed)
}

#[derive(Default)]
struct Kept(Vec<Event>);

impl Watcher for Kept {
    fn goes_on(&mut self, _played: Duration) -> bool {
        true
    }

    fn event(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

fn played(experiment: Experiment) -> (Outcome, Vec<Event>) {
    let mut kept = Kept::default();
    let outcome = experiment.play(&mut kept).unwrap_or_else(|error| panic!("{error}"));
    (outcome, kept.0)
}

fn figures(script: &Script) -> Figures {
    played(Experiment::of_script(script.clone(), settings(7))).0.figures
}

/// The session as it is recorded, and read back.
fn recorded(script: &Script, events: &[Event]) -> RecordedSession {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.jsonl.zst");
    let lab = Some(RecordedLab { seeds: script.seeds, peers: script.peers });
    let header = Header { lab, virtual_time: true, ..Header::new(EPOCH, 0) };
    let mut journal = Journal::create(&path, &header, u64::MAX).unwrap();
    journal.append(events).unwrap();
    journal.close().unwrap();
    RecordedSession::read(&path).unwrap()
}

/// Plays what a recording holds again.
fn again(session: &RecordedSession, rng_seed: u64) -> (Outcome, Vec<Event>) {
    let text = session.scenario(Vec::new()).unwrap();
    let script = Script::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (epoch, length) = (session.began, Some(session.lasted));
    played(Experiment { script, settings: settings(rng_seed), epoch, length })
}

const LESSON: &str = "lab 2 6\n\
    2s kill p6\n\
    5s cut p1 p2\n\
    cut p1 p3\n\
    cut p1 p4\n\
    cut p1 p5\n\
    6s say p2 who hears me\n\
    9s heal\n\
    12s end\n";

fn without(script: &Script, commands: &[&str]) -> Script {
    commands.iter().fold(script.clone(), |script, command| script.without(command).unwrap())
}

#[test]
fn without_its_cuts_a_network_lacks_nothing_and_its_death_remains() {
    let script = Script::parse(LESSON).unwrap();
    let before = figures(&script);
    let cuts = ["cut p1 p2", "cut p1 p3", "cut p1 p4", "cut p1 p5"];
    let otherwise = figures(&without(&script, &cuts));
    let said = before.lacked.iter().find(|(message, _)| message.starts_with("p2#~"));
    assert_eq!(said.map(|(_, lacking)| lacking.clone()), Some(vec!["p1".to_owned()]), "{before:#?}");
    assert!(otherwise.lacked.is_empty() && otherwise.incomplete == 0, "{:?}", otherwise.lacked);
    assert!(before.incomplete > 0 && before.incomplete == before.lacked.len() as u64);
    let dead = |figures: &Figures| figures.deaths.iter().map(|death| death.node.clone()).collect::<Vec<_>>();
    assert_eq!((dead(&before), dead(&otherwise)), (vec!["p6".to_owned()], vec!["p6".to_owned()]));
    assert_eq!(before.deaths, otherwise.deaths, "what came before the cut is the same");
    assert!(before.false_deaths.iter().any(|death| death.node == "p1"), "{before:#?}");
    assert_eq!(otherwise.false_deaths, []);
}

#[test]
fn a_comparison_tells_what_differs_and_says_what_is_the_same() {
    let script = Script::parse(LESSON).unwrap();
    let run = |name, script: Script| ComparedRun::played(name, played(Experiment::of_script(script, settings(7))).0);
    let otherwise = without(&script, &["cut p1 p2", "cut p1 p3", "cut p1 p4", "cut p1 p5"]);
    let comparison = Comparison::of(None, run("as it was", script.clone()), run("otherwise", otherwise));
    let verdict = comparison.verdict();
    assert!(verdict.contains("no incomplete messages instead of "), "{verdict}");
    assert!(!verdict.contains("no deaths") && verdict.ends_with("; the rest is the same"), "{verdict}");
    let lines = comparison.lines();
    let row = |title: &str| lines.iter().find(|line| line.starts_with(title)).cloned().unwrap_or_default();
    assert!(row("deaths ").ends_with("the same"), "{lines:#?}");
    assert!(!row("incomplete messages").ends_with("the same"), "{lines:#?}");
    let said = lines.iter().find(|line| line.contains("p2#~"));
    assert!(
        said.is_some_and(|line| line.ends_with(": as it was, p1 lacks it; otherwise, nobody lacks it")),
        "{lines:#?}"
    );
    let same = Comparison::of(None, run("as it was", script.clone()), run("otherwise", script));
    assert!(same.is_same() && same.details.is_empty());
    assert_eq!(same.verdict(), "nothing came out otherwise");
}

#[test]
fn another_number_of_links_is_seen_in_the_links() {
    let script = Script::parse("lab 2 8\n10s end\n").unwrap();
    let of = |max_dial| {
        let mut settings = settings(7);
        settings.peer.max_dial = max_dial;
        played(Experiment::of_script(script.clone(), settings)).0.figures
    };
    let (four, one) = (of(4), of(1));
    assert!(one.links_at_end.len() < four.links_at_end.len(), "{one:#?} {four:#?}");
    assert!(one.links_made < four.links_made);
    assert!(one.links_made >= one.links_at_end.len() as u64);
    assert_eq!((one.deaths, one.false_deaths), (Vec::new(), Vec::new()));
}

#[test]
fn a_command_whose_cause_is_left_out_is_told_as_not_done() {
    let script = without(&Script::parse("lab 2 4\n3s cut p1 p2\n5s heal p1 p2\n").unwrap(), &["cut p1 p2"]);
    let (outcome, _) = played(Experiment::of_script(script, settings(7)));
    let skipped = &outcome.summary.skipped;
    assert!(skipped.len() == 1 && skipped[0].contains("heal p1 p2"), "{skipped:?}");
}

#[test]
fn a_run_beyond_the_limits_is_refused_before_it_begins() {
    let error = |text: &str| {
        let script = Script::parse(text).unwrap();
        Experiment::of_script(script, settings(7)).play(&mut Unwatched).unwrap_err()
    };
    assert_eq!(error("lab 1 1000\n1s end\n"), RunError::TooManyNodes { nodes: NODES_MAX + 1 });
    let too_long = error("lab 2 98\n23h end\n");
    assert_eq!(too_long, RunError::TooLong { length: Duration::from_secs(23 * 3_600), nodes: 100 });
    assert!(too_long.to_string().starts_with("it takes 23h with 100 nodes"), "{too_long}");
}

#[test]
fn a_run_ends_when_its_watcher_has_had_enough() {
    struct Impatient;
    impl Watcher for Impatient {
        fn goes_on(&mut self, played: Duration) -> bool {
            played < Duration::from_secs(5)
        }
    }
    let script = Script::parse("lab 2 8\n10h end\n").unwrap();
    assert_eq!(Experiment::of_script(script, settings(7)).play(&mut Impatient), Err(RunError::Interrupted));
}

/// Something that is done, so many milliseconds after what was done before. It may be refused.
fn deed() -> impl Strategy<Value = (u64, String)> {
    let peer = || (1..=4_u8).prop_map(|number| format!("p{number}"));
    let command = prop_oneof![
        peer().prop_map(|node| format!("kill {node}")),
        peer().prop_map(|node| format!("hang {node}")),
        peer().prop_map(|node| format!("restart {node}")),
        peer().prop_map(|node| format!("say {node} hello \"you\"")),
        peer().prop_map(|node| format!("partition {node}")),
        peer().prop_map(|node| format!("slow {node} 20/s")),
        peer().prop_map(|node| format!("skew {node} +5s")),
        (peer(), peer()).prop_map(|(one, other)| format!("cut {one} {other}")),
        (peer(), peer()).prop_map(|(one, other)| format!("heal {one} {other}")),
        (peer(), peer()).prop_map(|(one, other)| format!("lie {one} {other}")),
        (peer(), 1..=99_u8).prop_map(|(node, percent)| format!("loss {node} {percent}%")),
        (1..=200_u8).prop_map(|ms| format!("delay all {ms}ms 20ms")),
        Just("heal".to_owned()),
        Just("calm".to_owned()),
        Just("peer".to_owned()),
        Just("seed".to_owned()),
    ];
    (0..2_000_u64, command)
}

/// A scenario of those that can be done.
fn scenario(deeds: &[(u64, String)]) -> Script {
    let mut text = "lab 2 4\n".to_owned();
    let mut at = 1_000;
    for (after, command) in deeds {
        let longer = format!("{text}{}ms {command}\n", at + after);
        if Script::parse(&longer).is_ok() {
            at += after;
            text = longer;
        }
    }
    let _ = writeln!(text, "{}ms end", at + 2_000);
    Script::parse(&text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_recorded_is_played_again_to_the_last_event(
        deeds in proptest::collection::vec(deed(), 0..10),
        rng_seed in any::<u64>(),
    ) {
        let script = scenario(&deeds);
        let (first, events) = played(Experiment::of_script(script.clone(), settings(rng_seed)));
        let session = recorded(&script, &events);
        let (second, repeated) = again(&session, rng_seed);
        let differs = events.iter().zip(&repeated).find(|(one, other)| one != other);
        prop_assert!(differs.is_none(), "{differs:#?}\n{:#?}", script.steps);
        prop_assert_eq!(events.len(), repeated.len());
        prop_assert_eq!(&second.figures, &session.figures);
        prop_assert_eq!(&first.figures.deaths, &second.figures.deaths);
        let [before, otherwise] = ["as it was", "otherwise"].map(|name| ComparedRun::recorded(name, second.figures.clone()));
        prop_assert_eq!(Comparison::of(None, before, otherwise).verdict(), "nothing came out otherwise");
    }
}
