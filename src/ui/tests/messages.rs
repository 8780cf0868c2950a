//! What the console tells the user: header, notices, reports.

use std::time::Duration;

use super::fixture::{P1, P2, P3, P4, S1, S2, Script, aftermath, at, command, dead, delivery, suspect};
use crate::command::Command;
use crate::event::{
    Attempt, DeathEvent, DelistReason, Event, EventKind, LinkEnd, LinkEvent, LinkId, NodeEvent, Purpose, Refusal,
    ReportAction, SeedEvent, SiteError,
};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Role};
use crate::scenario::{LineOutcome, Progress, ScenarioLine, ScenarioView};
use crate::ui::app::App;
use crate::ui::host::{FromHost, JournalState, Severity};
use crate::ui::options::Mode;

const LONG: &str = "the session is not recorded, because the disk is full and there is nothing here that could be thrown \
                    away; make room, or quit and begin again elsewhere";

fn failure() -> LineOutcome {
    LineOutcome::Failed(
        "after 300 ms the overlay is in one part again, since p3 dialed p4, which it had from the list of s1"
            .to_owned(),
    )
}

fn scenario(done: usize, failed: usize) -> FromHost {
    let line = |text: &str, outcome| ScenarioLine { text: text.to_owned(), outcome };
    FromHost::Scenario(Box::new(ScenarioView {
        progress: Progress { done, of: 9, failed },
        held: 3,
        is_over: done == 9,
        comment: "The wire is mended. The peers ask the seeds again, find the other side on their lists, and dial."
            .to_owned(),
        lines: vec![
            line("expect not connected for 2s", if failed > 0 { failure() } else { LineOutcome::Met }),
            line("heal", LineOutcome::Done),
            line("expect connected within 8s", LineOutcome::Waiting),
        ],
    }))
}

#[test]
fn a_scenario_is_told_in_a_strip_with_what_came_of_each_line() {
    let mut app = suspect();
    app.hear(scenario(4, 1));
    let top = |app: &mut App, columns, rows| app.picture(columns, rows).lines().take(7).collect::<Vec<_>>().join("\n");
    let shown = [(80, 24), (120, 40), (60, 16)].map(|(columns, rows)| top(&mut app, columns, rows)).join("\n---\n");
    insta::assert_snapshot!("scenario_strip", shown);
    app.hear(scenario(9, 1));
    assert!(app.picture(160, 50).contains("scenario over, 1 of 4 failed"));
    app.hear(scenario(9, 0));
    assert!(app.picture(160, 50).contains("scenario over, 3 expectations met"));
}

#[test]
fn a_failed_line_of_a_scenario_says_why_below_a_long_comment() {
    let mut app = suspect();
    app.hear(scenario(4, 1));
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let shown = app.picture(columns, rows);
        let strip = shown.lines().skip(1).take(6).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        let LineOutcome::Failed(why) = failure() else { panic!("a failure") };
        assert!(strip.contains(&format!("✗ failed expect not connected for 2s: {why}")), "{shown}");
        assert!(strip.contains("# The wire is mended.") && strip.contains("? waiting expect connected"), "{shown}");
    }
}

#[test]
fn every_comment_of_a_lesson_is_whole_at_80x24() {
    let lessons = [
        include_str!("../../../assets/scenarios/cap-of-4.txt"),
        include_str!("../../../assets/scenarios/death.txt"),
        include_str!("../../../assets/scenarios/lie.txt"),
        include_str!("../../../assets/scenarios/partition.txt"),
        include_str!("../../../assets/scenarios/spread.txt"),
    ];
    let mut app = suspect();
    for lesson in lessons {
        let lesson = crate::scenario::Script::parse(lesson).unwrap();
        let comments = lesson.steps.iter().map(|step| &step.comment).filter(|comment| !comment.is_empty());
        for comment in std::iter::once(&lesson.about).chain(comments) {
            let comment = comment.join(" ");
            let FromHost::Scenario(mut told) = scenario(4, 0) else { panic!("a scenario") };
            told.comment.clone_from(&comment);
            app.hear(FromHost::Scenario(told));
            let shown = app.picture(80, 24);
            let strip = shown.lines().skip(1).take(4).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
            assert!(strip.contains(&comment) && strip.contains("waiting"), "{comment}: {shown}");
        }
    }
}

#[test]
fn the_header_tells_how_far_a_scenario_is_and_what_failed() {
    let mut app = suspect();
    let header = |app: &mut App| app.picture(160, 50).lines().next().unwrap().to_owned();
    app.hear(scenario(4, 0));
    assert!(header(&mut app).contains("scenario 4/9 "));
    app.hear(scenario(5, 1));
    assert!(header(&mut app).contains("scenario 5/9, 1 failed"));
}

#[test]
fn a_long_notice_continues_in_free_rows_and_else_is_cut() {
    let mut app = suspect();
    app.hear(FromHost::Notice { severity: Severity::Error, text: LONG.to_owned() });
    app.tick(at(60_000));
    app.press("6 z");
    let shown = app.picture(80, 24);
    let row = shown.lines().position(|line| line.contains("the session is not recorded")).expect(&shown);
    let text = |row: usize| shown.lines().nth(row).unwrap().trim_matches(['│', ' ']).to_owned();
    let head = "03:00:13 E ";
    let sentence = [text(row).replace(head, ""), text(row + 1), text(row + 2)].join(" ");
    assert_eq!(sentence.trim(), LONG);
    let continued = shown.lines().nth(row + 1).unwrap();
    assert_eq!(continued.find(&text(row + 1)), Some("│".len() + head.len()), "under the sentence: {shown}");

    for _ in 0..40 {
        app.hear(FromHost::Notice { severity: Severity::Error, text: LONG.to_owned() });
    }
    app.tick(at(70_000));
    let full = app.picture(80, 24);
    assert!(full.contains("x41, last 03:01:00: "), "what comes again is counted: {full}");
    assert_eq!(full.matches("the session is not recorded").count(), 1, "{full}");

    for number in 0..40 {
        app.hear(FromHost::Notice { severity: Severity::Error, text: format!("{number}: {LONG}") });
    }
    app.tick(at(90_000));
    let full = app.picture(80, 24);
    assert_eq!(
        full.matches(": the session is not recorded").count(),
        17,
        "the one that is read has three rows: {full}"
    );
    assert!(full.contains("39: the session") && full.contains("elsewhere"), "{full}");
}

#[test]
fn a_cut_notice_may_begin_with_the_name_of_a_node() {
    let mut app = suspect();
    for number in 0..40 {
        let text = format!(":3003: No connection to :5991: refused: nobody listens there; try {number} of many");
        app.hear(FromHost::Notice { severity: Severity::Warning, text });
    }
    app.tick(at(60_000));
    app.press("6 z");
    let shown = app.picture(60, 24);
    assert!(shown.lines().filter(|line| line.contains("! :3003: No connection to :5991")).count() > 15, "{shown}");
}

#[test]
fn a_failed_start_is_told_in_the_footer_and_in_the_notices() {
    let mut app = suspect();
    let mut script = Script::default();
    let in_use = SiteError::InUse { addr: Addr::loopback(3000), next: Some(Addr::loopback(3005)) };
    script.at(13_100).add(P1, NodeEvent::failed(Attempt::Start(Role::Peer), Refusal::from(in_use)).into());
    app.get(script.events);
    assert!(
        app.footer().contains("127.0.0.1:3000 is in use; the next free address is 127.0.0.1:3005"),
        "{}",
        app.footer()
    );
    app.tick(at(30_000));
    assert!(!app.footer().contains("in use"));
    app.press("6");
    assert!(app.picture(80, 24).contains("127.0.0.1:3000 is in use"));
}

#[test]
fn what_comes_together_is_shown_in_order_of_time() {
    let mut app = suspect();
    let event = |millis, node, kind| delivery(vec![Event { at: at(millis), node, kind }]);
    let heard = event(
        13_102,
        P2,
        EventKind::Link(LinkEvent::Down {
            link: LinkId(99),
            peer: P4,
            purpose: Purpose::Neighbor,
            end: LinkEnd::TooSlow,
        }),
    );
    app.take(&[heard, event(13_101, P1, EventKind::Node(NodeEvent::Hung))]);
    app.press("3 z");
    let shown = app.picture(100, 30);
    let (first, second) = (shown.find("03:00:13.101   p1"), shown.find("03:00:13.102   p2"));
    assert!(first.is_some() && first < second, "{shown}");
}

#[test]
fn a_report_says_what_the_seed_did_even_about_another_report() {
    let report = |reporter, action| {
        let (clock, cause) = (crate::proto::time::ClockTime::from_seconds(0).unwrap(), Some(DeathCause::Closed));
        EventKind::Death(DeathEvent::DeadReportReceived {
            report: None,
            verification: None,
            dead: P3,
            clock,
            reporter,
            cause,
            action,
        })
    };
    let mut script = Script::default();
    script.at(14_000).add(S1, report(P2, ReportAction::Verifying));
    script.add(S1, report(P4, ReportAction::Verifying));
    let mut app = suspect();
    app.get(script.events);
    app.press("5 z");
    app.press("right");
    let shown = app.picture(80, 24);
    assert!(
        shown.contains("- p3, by 2 peers: s1 asking it") && shown.contains("by p4 → s1 asking it, closed"),
        "{shown}"
    );

    let mut script = Script::default();
    let reason = DelistReason::Unanswered { report: None, reporter: P2 };
    script.at(15_000).add(S1, EventKind::Seed(SeedEvent::PeerDelisted { peer: P3, verification: None, reason }));
    script.add(S1, report(P1, ReportAction::NotListed));
    app.get(script.events);
    let shown = app.picture(80, 24);
    let reports = ["by p2 → s1 removed", "by p4 → s1 removed", "by p1 → s1 already gone"];
    for line in reports.into_iter().chain(["p3, by 3 peers: s1 removed it", "s1 removed it: p2 reported it dead, and"])
    {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    app.press("left");
    let shown = app.picture(80, 24);
    assert!(shown.contains("+ p3, by 3 peers: s1 removed it") && !shown.contains("already gone"), "{shown}");
}

#[test]
fn a_report_says_for_each_seed_what_that_seed_did() {
    let (clock, cause) = (crate::proto::time::ClockTime::from_seconds(0).unwrap(), DeathCause::Misses { misses: 3 });
    let sent =
        || EventKind::Death(DeathEvent::DeadReportSent { report: None, dead: P3, clock, seeds: vec![S1, S2], cause });
    let got = |reporter, action| {
        EventKind::Death(DeathEvent::DeadReportReceived {
            report: None,
            verification: None,
            dead: P3,
            clock,
            reporter,
            cause: Some(cause),
            action,
        })
    };
    let mut script = Script::default();
    script.at(14_000).add(P2, sent());
    script.add(S1, got(P2, ReportAction::Verifying));
    script.add(S2, got(P2, ReportAction::Removed));
    script.add(
        S2,
        EventKind::Seed(SeedEvent::PeerDelisted {
            peer: P3,
            verification: None,
            reason: DelistReason::Reported { report: None, reporter: P2 },
        }),
    );
    script.at(14_100).add(P4, sent());
    script.add(S1, got(P4, ReportAction::Verifying));
    script.add(S2, got(P4, ReportAction::NotListed));
    script.at(14_200).add(P1, sent());
    script.add(S2, got(P1, ReportAction::NotListed));
    let mut app = suspect();
    app.get(script.events);
    app.press("5 z right");
    let shown = app.picture(80, 24);
    for line in [
        "p3, by 3 peers: s1 asking it, s2 removed it, 3 misses",
        "by p2 → s1 asking it, s2 removed, 3 misses",
        "by p4 → s1 asking it, s2 already gone, 3 misses",
        "by p1 → s1 no word, s2 already gone, 3 misses",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let mut script = Script::default();
    script.at(15_000).add(
        S1,
        EventKind::Death(DeathEvent::ReportDisputed {
            report: None,
            verification: None,
            dead: P3,
            reporter: P2,
            disputes: 1,
            rtt_us: 900,
        }),
    );
    app.get(script.events);
    let shown = app.picture(80, 24);
    for line in ["by p2 → s1 disputed, s2 removed", "by p4 → s1 disputed, s2 already gone"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[test]
fn enter_on_a_notice_shows_all_of_it() {
    let mut app = dead();
    app.press("6 up up enter");
    let shown = app.picture(80, 24);
    assert!(shown.contains("Notice of 03:00:09"), "{shown}");
    let words = [r#"p2: Violation: bytes that are no message, by 127.0.0.1:55001: "GET /"#, r"\x1b]0;owned\x07\r\n"];
    assert!(words.iter().all(|words| shown.contains(words)), "{shown}");
}

#[test]
fn what_the_screen_skipped_is_shown() {
    let mut app = suspect();
    let mut skipped = delivery(aftermath());
    skipped.skipped = 1_234;
    app.take(&[skipped]);
    assert!(app.picture(120, 40).lines().next().unwrap().contains("1 234 events skipped"));
}

#[test]
fn a_recording_that_fails_is_said_and_stays_in_the_header() {
    let mut app = suspect();
    app.hear(FromHost::JournalState(JournalState::Failed { why: "the disk is full".to_owned() }));
    assert!(app.footer().contains("the session is not recorded: the disk is full"));
    assert!(app.picture(80, 24).lines().next().unwrap().contains("REC FAILED"));
    app.hear(FromHost::Notice { severity: Severity::Info, text: "hello".to_owned() });
    assert_eq!(app.footer(), "i hello");
}

/// A network in virtual time that is a minute behind, as on a slow machine.
fn behind() -> App {
    let mut app = suspect();
    app.scene.mode = Mode::Virtual;
    app.scene.behind = Duration::from_secs(60);
    app.tick(at(73_200));
    app
}

#[test]
fn a_message_of_the_user_is_followed_in_a_network_behind() {
    let mut app = behind();
    app.type_text(":say p4 mine");
    assert_eq!(app.press("enter"), command(Command::Say { node: P4, body: "mine".into() }));
    let mut script = Script::default();
    script.at(13_210).gossip(1, "mine", &[(P4, P1, 1)]).gossip(7, "another", &[(P2, P1, 1)]);
    app.get(script.events);
    let shown = app.picture(120, 40);
    assert!(shown.lines().next().unwrap().contains("p4#1 reached"), "{shown}");
}

#[test]
fn a_network_behind_has_one_time_in_header_and_notices() {
    let mut app = behind();
    assert!(app.picture(120, 40).lines().next().unwrap().ends_with("00:00:13"));
    app.hear(FromHost::Notice { severity: Severity::Info, text: "a line of the program".to_owned() });
    let shown = app.picture(120, 40);
    assert!(shown.contains("03:00:13 i a line of the program"), "{shown}");
}

#[test]
fn a_long_answer_is_whole_above_the_keys() {
    let mut app = suspect();
    app.command("columns bogus");
    let shown = app.picture(80, 24);
    let lines: Vec<&str> = shown.lines().rev().take(3).collect();
    assert!(lines[0].contains("? help"), "the keys stay: {shown}");
    let whole = format!("{} {}", lines[2].trim(), lines[1].trim());
    assert_eq!(
        whole, "Error: no column 'bogus': expected all, address, role, state, links, probes, rtt or 30s",
        "{shown}"
    );
    app.tick(at(13_200 + 5_100));
    assert!(!app.picture(80, 24).contains("bogus"));
}
