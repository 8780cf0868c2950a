//! A scenario without some of its commands.

use std::time::Duration;

use super::script::{Script, ScriptStep, Step};
use super::time::{When, split_time};
use crate::proto::fault::span_word;

/// Commands that an error lists: enough to find the one that was meant.
const LISTED_MAX: usize = 20;

/// There is no such command in the scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{wanted}' is not in it: {}", listed(there))]
pub struct NotInScript {
    wanted: String,
    /// The commands that there are, each with its time.
    there: Vec<String>,
}

impl Script {
    /// The scenario without this command, as it stands in a line: each time that it is given, or,
    /// with a time in front (`5s cut p7 p8`), only then. Blanks make no difference.
    pub fn without(&self, wanted: &str) -> Result<Self, NotInScript> {
        let not_there = || NotInScript { wanted: wanted.trim().to_owned(), there: self.commands_listed() };
        let (at, command) = match split_time(wanted.trim()) {
            Ok((When::At(at), command)) => (Some(at), command),
            Ok((When::Together, command)) => (None, command),
            Ok((When::After(_), _)) | Err(_) => return Err(not_there()),
        };
        let mut script = self.clone();
        script.steps.retain(|step| !step.is_command(at, command));
        if script.steps.len() == self.steps.len() { Err(not_there()) } else { Ok(script) }
    }

    /// From its start until its last line is done or decided.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(ScriptStep::decided_at).max().unwrap_or_default()
    }

    fn commands_listed(&self) -> Vec<String> {
        let commands = self.steps.iter().filter(|step| step.what == Step::Command);
        commands.map(|step| format!("{} {}", span_word(step.at), step.text)).collect()
    }
}

impl ScriptStep {
    fn is_command(&self, at: Option<Duration>, command: &str) -> bool {
        let is_then = at.is_none_or(|at| at == self.at);
        self.what == Step::Command && is_then && self.text.split_whitespace().eq(command.split_whitespace())
    }
}

fn listed(there: &[String]) -> String {
    let quoted: Vec<String> = there.iter().take(LISTED_MAX).map(|command| format!("'{command}'")).collect();
    match there.len() {
        0 => "nothing is done in it".to_owned(),
        all if all > LISTED_MAX => format!("there are {} and {} more", quoted.join(", "), all - LISTED_MAX),
        1 => format!("there is {}", quoted.join("")),
        _ => format!("there are {}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &Script) -> Vec<&str> {
        script.steps.iter().map(|step| step.text.as_str()).collect()
    }

    #[test]
    fn a_command_is_left_out_each_time_or_only_at_its_time() {
        let script = Script::parse("lab 1 3\n2s cut p1 p2\n4s heal p1 p2\n6s cut p1 p2\nexpect connected\n").unwrap();
        let without = script.without(" cut  p1 p2 ").unwrap();
        assert_eq!(texts(&without), ["heal p1 p2", "expect connected"]);
        let without = script.without("6s cut p1 p2").unwrap();
        assert_eq!(texts(&without), ["cut p1 p2", "heal p1 p2", "expect connected"]);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_lists_what_is() {
        let script = Script::parse("lab 1 3\n2s cut p1 p2\n4s heal p1 p2\nexpect connected\n").unwrap();
        let told = "there are '2s cut p1 p2', '4s heal p1 p2'";
        for wanted in ["kill p1", "3s cut p1 p2", "+2s heal p1 p2", "expect connected", "cut p1", "5x cut p1 p2"] {
            let error = script.without(wanted).unwrap_err().to_string();
            assert_eq!(error, format!("'{wanted}' is not in it: {told}"));
        }
        let nothing = Script::of_lab(1, 3).without("kill p1").unwrap_err().to_string();
        assert_eq!(nothing, "'kill p1' is not in it: nothing is done in it");
        let long = (1..=30).map(|second| format!("{second}s say p1 hello\n")).collect::<Vec<_>>().concat();
        let error = Script::parse(&format!("lab 1 3\n{long}")).unwrap().without("kill p1").unwrap_err().to_string();
        assert!(error.ends_with("'20s say p1 hello' and 10 more"), "{error}");
    }
}
