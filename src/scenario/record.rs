//! What was done in a session, written down as a scenario.

use std::fmt::Write as _;
use std::time::Duration;

use super::rehearsal::Rehearsal;
use super::script::{Step, What};
use super::time::word_of;
use crate::command::{Command, grammar};
use crate::proto::addr::Addr;

/// Commands that are remembered, to be written down: more than anybody types.
pub const DEEDS_MAX: usize = 10_000;

/// Something that a user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// How long after the start.
    pub at: Duration,
    /// What.
    pub command: Command,
}

/// What a session was, as far as a scenario tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Seeds that it began with.
    pub seeds: usize,
    /// Peers that it began with.
    pub peers: usize,
    /// Settings of its nodes: name and value, as flags have them.
    pub settings: Vec<(String, String)>,
    /// Lines of the scenario that was being played, in order.
    pub steps: Vec<Step>,
    /// What the user did besides, in order.
    pub deeds: Vec<Deed>,
    /// How long it lasted so far.
    pub lasted: Duration,
}

/// A line to come.
struct Line {
    at: Duration,
    text: String,
    is_expectation: bool,
}

impl Record {
    /// The scenario that does the same. Where it names a node it does so by `name`. What did not work does not work
    /// again, and stands there as a comment.
    pub fn text(&self, name: &dyn Fn(Addr) -> String) -> String {
        let mut text = "# Saved from a session.\n\n".to_owned();
        let _ = writeln!(text, "lab {} {}", self.seeds, self.peers);
        for (name, value) in &self.settings {
            let _ = writeln!(text, "set {name} {value}");
        }
        text.push('\n');
        let mut rehearsal = Rehearsal::new(self.seeds, self.peers);
        for line in self.lines(name) {
            let at = word_of(line.at);
            let done = if line.is_expectation { Ok(()) } else { rehearsal.try_out(0, &line.text).map(drop) };
            let _ = match done {
                Ok(()) => writeln!(text, "{at} {}", line.text),
                Err(why) => writeln!(text, "# at {at}, not done: {why}"),
            };
        }
        let _ = writeln!(text, "{} end", word_of(self.end()));
        text
    }

    fn lines(&self, name: &dyn Fn(Addr) -> String) -> Vec<Line> {
        let steps = self.steps.iter().filter(|step| step.at <= self.lasted).filter_map(|step| {
            let is_expectation = match step.what {
                What::Command => false,
                What::Expect(_) => true,
                What::End => return None,
            };
            Some(Line { at: step.at, text: step.text.clone(), is_expectation })
        });
        let deeds = self.deeds.iter().filter(|deed| deed.command != Command::Quit).map(|deed| {
            let text = grammar::text(&deed.command, name);
            Line { at: millis(deed.at), text, is_expectation: false }
        });
        let mut lines: Vec<Line> = steps.chain(deeds).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }

    /// All that is expected is decided by then.
    fn end(&self) -> Duration {
        let kept = self.steps.iter().filter(|step| step.at <= self.lasted);
        kept.map(Step::decided_at).fold(millis(self.lasted), Duration::max)
    }
}

/// Whole milliseconds: nobody is quicker.
fn millis(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{NodeSpec, Placement};
    use crate::proto::message::Role;
    use crate::scenario::Script;

    fn name(addr: Addr) -> String {
        format!("p{}", addr.port() - 2999)
    }

    fn deed(millis: u64, command: Command) -> Deed {
        Deed { at: Duration::from_millis(millis), command }
    }

    fn record(deeds: Vec<Deed>, steps: Vec<Step>) -> Record {
        let settings = vec![("gossip-interval".to_owned(), "1s".to_owned())];
        Record { seeds: 2, peers: 3, settings, steps, deeds, lasted: Duration::from_millis(9_500) }
    }

    #[test]
    fn what_was_done_reads_back_as_a_scenario() {
        let p2 = Addr::loopback(3001);
        let deeds = vec![
            deed(1_234, Command::Hang(p2)),
            deed(2_000, Command::Say { node: Addr::loopback(3000), body: "are you there".into() }),
            deed(5_000, Command::Restart(p2)),
            deed(6_000, Command::Start(NodeSpec { role: Role::Peer, listen: Placement::Auto })),
        ];
        let text = record(deeds, Vec::new()).text(&name);
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
        let text = record(vec![deed(1_000, Command::Kill(p1)), deed(2_000, Command::Kill(p1))], Vec::new()).text(&name);
        assert!(text.contains("1s kill p1\n# at 2s, not done: 'kill p1': p1 was killed"), "{text}");
        Script::parse(&text).unwrap();
    }

    #[test]
    fn what_a_scenario_did_and_expected_is_saved_with_what_the_user_did() {
        let steps = Script::parse("lab 2 3\n1s kill p1\n8s expect dead p1 within 3s\n20s kill p2\n").unwrap().steps;
        let text = record(vec![deed(3_000, Command::Hang(Addr::loopback(3002)))], steps).text(&name);
        assert!(text.ends_with("1s kill p1\n3s hang p3\n8s expect dead p1 within 3s\n11s end\n"), "{text}");
        Script::parse(&text).unwrap();
    }
}
