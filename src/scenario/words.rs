//! The commands of a line: the grammar of the command line, with the nodes of a scenario.

use crate::command::Command;
use crate::command::grammar::{COMMANDS, GrammarError, Names, parse, split};

/// Commands of the grammar that a line of a scenario cannot be: its network stands at its top.
const NOT_HERE: &str = "lab";

/// Reads the commands of a line. The error names the word and what was expected.
pub(super) fn commands(text: &str, names: &dyn Names) -> Result<Vec<Command>, String> {
    parse(text, names).map_err(|error| match error {
        GrammarError::NoCommand { word } => {
            let known: Vec<&str> =
                COMMANDS.iter().map(|command| command.name).filter(|name| *name != NOT_HERE).collect();
            format!("no command '{word}': expected expect, end, {}", known.join(", "))
        }
        GrammarError::Usage { usage, .. } => format!("'{}' is not complete or too long: expected {usage}", text.trim()),
        error @ (GrammarError::NoNode { .. } | GrammarError::Wrong { .. } | GrammarError::NotOurs { .. }) => {
            let (command, word) = (split(text).0, error.word());
            let told = error.to_string();
            if told.contains(&word) { told } else { format!("'{command} .. {word}': {told}") }
        }
    })
}

/// What to say of a name that nobody has.
pub(super) fn unknown(name: &str) -> String {
    GrammarError::NoNode { word: name.to_owned() }.to_string()
}
