//! The commands of a line: the grammar of the command line, with the nodes of a scenario.

use crate::command::Command;
use crate::command::grammar::{COMMANDS, GrammarError, Names, parse, split};

/// The command that cannot stand in a line, because the lab is described at the top.
const NOT_HERE: &str = "lab";

/// Reads the commands of a line. The error names the word and what was expected.
pub(super) fn commands(text: &str, names: &dyn Names) -> Result<Vec<Command>, String> {
    parse(text, names).map_err(|error| match error {
        GrammarError::NoCommand { word } => {
            let known: Vec<&str> =
                COMMANDS.iter().map(|command| command.name).filter(|name| *name != NOT_HERE).collect();
            format!("no command '{word}': expected expect, end, {}", known.join(", "))
        }
        error @ GrammarError::Usage { .. } => format!("'{}': {error}", text.trim()),
        error @ (GrammarError::NoNode { .. }
        | GrammarError::Wrong { .. }
        | GrammarError::TooMuch { .. }
        | GrammarError::NotOurs { .. }) => {
            let (command, word) = (split(text).0, error.word());
            let told = error.to_string();
            if told.contains(&word) { told } else { format!("'{command} .. {word}': {told}") }
        }
    })
}

/// Letters of a word that an error quotes, and how many of them are from its end, where the closing
/// quotation mark is: enough to find it.
const WORD_MAX: (usize, usize) = (60, 8);
/// Letters of an error, and how many of them are from its end, where the reason is.
const ERROR_MAX: (usize, usize) = (600, 400);

/// An error as it is shown: of a long word or line, the beginning and the end.
pub(super) fn brief(error: &str) -> String {
    let words: Vec<String> = error.split(' ').map(|word| cut(word, WORD_MAX)).collect();
    cut(&words.join(" "), ERROR_MAX)
}

fn cut(text: &str, (most, from_end): (usize, usize)) -> String {
    let letters = text.chars().count();
    if letters <= most {
        return text.to_owned();
    }
    let begin: String = text.chars().take(most - from_end - 1).collect();
    let end: String = text.chars().skip(letters - from_end).collect();
    format!("{begin}…{end}")
}

/// The error for a name that no node has.
pub(super) fn unknown(name: &str) -> String {
    GrammarError::NoNode { word: name.to_owned() }.to_string()
}
