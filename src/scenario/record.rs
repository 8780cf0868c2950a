//! Writes what was done in a session as a scenario.

use std::fmt::Write as _;
use std::time::Duration;

use super::rehearsal::{Rehearsal, spoken};
use super::run::Skipped;
use super::script::{ScriptStep, Step};
use crate::command::limits::NetworkLimits;
use crate::command::{Command, NodeSpec, Placement, grammar};
use crate::proto::addr::Addr;
use crate::proto::fault::span_word;
use crate::proto::time::micros;

/// Commands that are remembered: more than anybody types.
pub const DEEDS_MAX: usize = 10_000;

/// What happened in a session, at a time since its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedLine {
    pub(super) at: Duration,
    what: Happened,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Happened {
    Expected(String),
    /// A line of commands was done, or as much of it as could be.
    Done(String),
    NotDone {
        what: String,
        why: String,
    },
}

/// What a scenario tells of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Seeds at the start.
    pub seeds: usize,
    /// Peers at the start.
    pub peers: usize,
    /// Settings of its nodes: name and value, as flags have them.
    pub settings: Vec<(String, String)>,
    /// Lines of the scenario that was played, in order.
    pub steps: Vec<ScriptStep>,
    /// Lines of it that were not done.
    pub skipped: Vec<Skipped>,
    /// What the user wanted besides, in order.
    pub deeds: Vec<RecordedLine>,
    /// Commands over the limit, which were not kept.
    pub more: usize,
    /// How long the session has lasted.
    pub lasted: Duration,
    /// How exactly times are written.
    pub precision: Precision,
}

/// How exactly a record tells times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Whole milliseconds: nobody is quicker.
    #[default]
    Milliseconds,
    /// Microseconds: in virtual time the same comes out only at the same microsecond.
    Microseconds,
}

impl Precision {
    fn of(self, span: Duration) -> Duration {
        match self {
            Self::Milliseconds => Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Self::Microseconds => Duration::from_micros(micros(span)),
        }
    }
}

impl SessionRecord {
    /// The scenario that repeats the session. What did not work would not work again, so it becomes a
    /// comment; so does what is possible only in this session.
    pub fn text(&self) -> String {
        let mut text = "# Saved from a session.\n\n".to_owned();
        let _ = writeln!(text, "lab {} {}", self.seeds, self.peers);
        for (name, value) in &self.settings {
            let _ = writeln!(text, "set {name} {value}");
        }
        text.push('\n');
        let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // It ran, so there is room for it somewhere.
        let mut rehearsal = match Rehearsal::new(self.seeds, self.peers, spoken(settings), NetworkLimits::VIRTUAL) {
            Ok(rehearsal) => rehearsal,
            Err(refusal) => return comment(&refusal.to_string()),
        };
        for line in self.lines() {
            text.push_str(&line.written(self.precision.of(line.at), &mut rehearsal));
        }
        if self.more > 0 {
            text.push_str(&comment(&format!("{} more commands were too many to be kept", self.more)));
        }
        let _ = writeln!(text, "{} end", span_word(self.end()));
        text
    }

    fn lines(&self) -> Vec<RecordedLine> {
        let steps = self.steps.iter().filter(|step| step.at <= self.lasted);
        let steps = steps.filter_map(|step| Some(RecordedLine { at: step.at, what: self.came_of(step)? }));
        let mut lines: Vec<RecordedLine> = steps.chain(self.deeds.iter().cloned()).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }

    /// The result of a line of the scenario; nothing for its end.
    fn came_of(&self, step: &ScriptStep) -> Option<Happened> {
        let what = step.text.clone();
        let skipped = self.skipped.iter().find(|skipped| skipped.line == step.line);
        match (&step.what, skipped) {
            (Step::End, _) => None,
            (Step::Expect(_), _) => Some(Happened::Expected(what)),
            // If a line was done in part, a rehearsal finds out which part.
            (Step::Command, Some(skipped)) if skipped.is_whole() => {
                Some(Happened::NotDone { what, why: skipped.why() })
            }
            (Step::Command, Some(_) | None) => Some(Happened::Done(what)),
        }
    }

    /// When all expectations are decided.
    fn end(&self) -> Duration {
        let kept = self.steps.iter().filter(|step| step.at <= self.lasted);
        kept.map(ScriptStep::decided_at).fold(self.precision.of(self.lasted), Duration::max)
    }
}

impl RecordedLine {
    /// The user's command was done. `None`: it is none that a scenario repeats.
    pub fn done(at: Duration, command: &Command, name: &dyn Fn(Addr) -> String) -> Option<Self> {
        let done = || Happened::Done(grammar::text(&anywhere(command), name));
        (*command != Command::Quit).then(|| Self { at, what: done() })
    }

    /// What the user typed was not done.
    pub fn not_done(at: Duration, what: String, why: &impl ToString) -> Self {
        Self { at, what: Happened::NotDone { what, why: why.to_string() } }
    }

    fn written(&self, at: Duration, rehearsal: &mut Rehearsal) -> String {
        let at = span_word(at);
        match &self.what {
            Happened::Expected(text) => format!("{at} {text}\n"),
            Happened::NotDone { what, why } => comment(&format!("at {at}, not done: '{what}': {why}")),
            Happened::Done(text) => {
                let each = rehearsal.try_each(text).into_iter().map(|(text, done)| match done {
                    Ok(()) => format!("{at} {text}\n"),
                    Err(why) => comment(&format!("at {at}, not done: {why}")),
                });
                each.collect()
            }
        }
    }
}

/// A comment that does not belong to the line below it.
fn comment(text: &str) -> String {
    format!("# {}\n\n", text.replace(char::is_control, " "))
}

/// A node that is started again finds another place.
fn anywhere(command: &Command) -> Command {
    match command {
        Command::Start(NodeSpec { role, .. }) => Command::Start(NodeSpec { role: *role, listen: Placement::Auto }),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Refusal;
    use crate::proto::message::Role;
    use crate::scenario::Script;
    use crate::scenario::run::RefusedCommand;

    fn refused(what: &str) -> RefusedCommand {
        RefusedCommand { what: what.to_owned(), why: Refusal::NoSeedList("no list".to_owned()).into() }
    }

    fn name(addr: Addr) -> String {
        format!("p{}", addr.port() - 2999)
    }

    fn deed(millis: u64, command: &Command) -> RecordedLine {
        RecordedLine::done(Duration::from_millis(millis), command, &name).unwrap()
    }

    fn record(deeds: Vec<RecordedLine>, steps: Vec<ScriptStep>) -> SessionRecord {
        let settings = vec![("gossip-interval".to_owned(), "1s".to_owned())];
        let (skipped, more, lasted) = (Vec::new(), 0, Duration::from_millis(9_500));
        let precision = Precision::Milliseconds;
        SessionRecord { seeds: 2, peers: 3, settings, steps, skipped, deeds, more, lasted, precision }
    }

    #[test]
    fn what_was_done_reads_back_as_a_scenario() {
        let p2 = Addr::loopback(3001);
        let deeds = vec![
            deed(1_234, &Command::Hang(p2)),
            deed(2_000, &Command::Say { node: Addr::loopback(3000), body: "are you there".into() }),
            deed(5_000, &Command::Restart(p2)),
            deed(6_000, &Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto })),
        ];
        let text = record(deeds, Vec::new()).text();
        let lines = "lab 2 3\nset gossip-interval 1s\n\n1s234ms hang p2\n2s say p1 are you there\n5s restart p2\n6s peer\n\
                     9s500ms end\n";
        assert_eq!(text, format!("# Saved from a session.\n\n{lines}"));
        let script = Script::parse(&text).unwrap();
        let steps: Vec<(u64, &str)> =
            script.steps.iter().map(|step| (u64::try_from(step.at.as_millis()).unwrap(), step.text.as_str())).collect();
        assert_eq!(
            steps,
            [
                (1_234, "hang p2"),
                (2_000, "say p1 are you there"),
                (5_000, "restart p2"),
                (6_000, "peer"),
                (9_500, "end")
            ]
        );
    }

    #[test]
    fn what_did_not_work_stands_there_as_a_comment() {
        let p1 = Addr::loopback(3000);
        let text = record(vec![deed(1_000, &Command::Kill(p1)), deed(2_000, &Command::Kill(p1))], Vec::new()).text();
        assert!(text.contains("1s kill p1\n# at 2s, not done: 'kill p1': p1 was killed"), "{text}");
        Script::parse(&text).unwrap();
    }

    #[test]
    fn refusals_are_recorded_with_their_reasons_as_comments() {
        let refused = |millis, what: &str, why: &str| {
            RecordedLine::not_done(Duration::from_millis(millis), what.to_owned(), &why)
        };
        let p1 = Addr::loopback(3000);
        let deeds = vec![
            refused(1_000, "kill p1", "no\nreason"),
            deed(2_000, &Command::Kill(p1)),
            refused(3_000, "peer 127.0.0.1:80", "no permission"),
            deed(4_000, &Command::Start(NodeSpec { role: Role::Peer, listen: Placement::At(p1) })),
            deed(5_000, &Command::Kill(Addr::loopback(3003))),
        ];
        let text = SessionRecord { more: 2, ..record(deeds, Vec::new()) }.text();
        let lines = "# at 1s, not done: 'kill p1': no reason\n\n2s kill p1\n\
                     # at 3s, not done: 'peer 127.0.0.1:80': no permission\n\n4s peer\n5s kill p4\n\
                     # 2 more commands were too many to be kept\n\n9s500ms end\n";
        assert!(text.ends_with(lines), "{text}");
        let comments = Script::parse(&text).unwrap().steps.into_iter().flat_map(|step| step.comment);
        assert_eq!(comments.count(), 0, "a comment of this kind says nothing about the line below it");
    }

    #[test]
    fn of_a_line_about_several_nodes_what_was_done_is_saved() {
        let steps = Script::parse("lab 2 3\n2s kill p1 p2\n3s say p3 \" a \"\n").unwrap().steps;
        let skipped = vec![
            Skipped { line: 2, text: String::new(), refused: vec![refused("kill p1")], of: 2 },
            Skipped { line: 3, text: String::new(), refused: vec![refused("say p3 \" a \"")], of: 1 },
        ];
        let deeds = vec![deed(1_000, &Command::Kill(Addr::loopback(3000)))];
        let text = SessionRecord { skipped, ..record(deeds, steps) }.text();
        let lines = "1s kill p1\n# at 2s, not done: 'kill p1': p1 was killed\n\n2s kill p2\n\
                     # at 3s, not done: 'say p3 \" a \"': no list\n\n9s500ms end\n";
        assert!(text.ends_with(lines), "{text}");
        Script::parse(&text).unwrap();
    }

    #[test]
    fn a_line_of_which_nothing_was_done_becomes_a_comment() {
        let steps = Script::parse("lab 2 3\n2s kill p1 p2\n").unwrap().steps;
        let refused = vec![refused("kill p1"), refused("kill p2")];
        let skipped = vec![Skipped { line: 2, text: String::new(), refused, of: 2 }];
        let text = SessionRecord { skipped, ..record(Vec::new(), steps) }.text();
        assert!(
            text.ends_with(
                "\n# at 2s, not done: 'kill p1 p2': 'kill p1': no list; 'kill p2': no list\n\n9s500ms end\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_scenarios_lines_are_saved_with_the_users_commands() {
        let steps = Script::parse("lab 2 3\n1s kill p1\n8s expect dead p1 within 3s\n20s kill p2\n").unwrap().steps;
        let text = record(vec![deed(3_000, &Command::Hang(Addr::loopback(3002)))], steps).text();
        assert!(text.ends_with("1s kill p1\n3s hang p3\n8s expect dead p1 within 3s\n11s end\n"), "{text}");
        Script::parse(&text).unwrap();
    }
}
