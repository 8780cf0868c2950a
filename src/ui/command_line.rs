//! Commands by name, after `:`. Whatever a key does has a name here too.
//!
//! Commands for the network are read by [`crate::command::grammar`], which scenarios share;
//! commands for the console are read here.

use std::path::PathBuf;

use super::action::{Action, NodeDeed, PaneId};
use super::bindings::KEYS;
use super::explain::Subject;
use super::host::RerunWish;
use super::pane::{COLUMNS, ORDERS};
use super::speed::{NoSpeed, Speed};
use crate::command::Command;
use crate::command::grammar::{self, CommandHelp, GrammarError, Names, Word, at_most, split};
use crate::model::Model;
use crate::model::moment::{NoMoment, WrittenMoment};
use crate::model::node::NodeRecord;
use crate::model::why::{NETWORK_WORDS, NamedSubject, SubjectError};
use crate::proto::addr::Addr;

/// Messages that completion offers.
const MESSAGES_OFFERED: usize = 200;

/// Spans and speeds that completion offers; any other can be typed.
const TIMES: &[&str] = &["-10s", "-1m", "-10m", "-1h", "+10s", "+1m", "+10m", "+1h"];
const SPEEDS: &[&str] = &["1x", "2x", "4x", "10x", "100x", "1000x", "0.5x", "0.1x"];

const WHY_USAGE: &str = "why SUBJECT [NODE|MESSAGE] [as NODE]";
const RERUN_USAGE: &str = "rerun [set NAME VALUE] [without COMMAND] ..";

/// The commands for the console itself. Those for the network are in [`grammar::COMMANDS`], and the
/// names of the keys' actions are commands as well.
const COMMANDS: &[CommandHelp] = &[
    CommandHelp::new(
        "at",
        "at TIME",
        &[Word::Choice(TIMES)],
        "show this moment of the session: 03:12, 03:12:07, or from the one shown +90s or -10s",
    ),
    CommandHelp::new(
        "columns",
        "columns COLUMN ..",
        &[Word::Choice(COLUMNS)],
        "show these columns of the node list: all, or some of address, role, state, links, probes, rtt, 30s",
    ),
    CommandHelp::new(
        "diff",
        "diff TIME TIME",
        &[Word::Free, Word::Free],
        "tell what changed between two moments, such as 03:11 03:13, and why",
    ),
    CommandHelp::new(
        "export",
        "export [FILE]",
        &[Word::Free],
        "write the session to a file: .txt, .jsonl, .csv, .perfetto, .shiviz, .graphml or .dot",
    ),
    CommandHelp::new(
        "filter",
        "filter [TEXT]",
        &[Word::Free],
        "show only lines with TEXT; with !TEXT, only those without",
    ),
    CommandHelp::new(
        "rerun",
        RERUN_USAGE,
        &[Word::Choice(&["set", "without"]), Word::Free],
        "play the session again in virtual time, otherwise: rerun set max-dial 3 without cut p7 p8",
    ),
    CommandHelp::new(
        "save-scenario",
        "save-scenario FILE",
        &[Word::Free],
        "save what was done in this session as a scenario",
    ),
    CommandHelp::new(
        "speed",
        "speed SPEED",
        &[Word::Choice(SPEEDS)],
        "play the past this much faster than it was, 0.1x to 1000x",
    ),
    CommandHelp::new("sort", "sort [ORDER]", &[Word::Choice(ORDERS)], "sort connections by name, state, rtt or links"),
    // What may follow depends on what it is about: see `why_words`.
    CommandHelp::new(
        "why",
        WHY_USAGE,
        &[],
        "explain a node, a link (why p3 p4), a message at a node (why p7 p3#12), who knows whom (why views), who carries the load (why load), where messages wait (why waits), how long it took (why times); with as p3 at the end, as p3 alone saw it",
    ),
];

/// All commands that take arguments.
pub(crate) fn commands() -> impl Iterator<Item = &'static CommandHelp> {
    grammar::COMMANDS.iter().chain(COMMANDS)
}

/// What a typed command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The same as a key.
    Action(Action),
    /// Commands that need no question.
    Commands(Vec<Command>),
    /// To be planned first, as for a key.
    Act(NodeDeed, Vec<Addr>),
    /// Write the session to this file.
    Export(PathBuf),
    /// Write the session's commands to this file, as a scenario.
    SaveScenario(PathBuf),
    /// Play the session again, otherwise.
    Rerun(RerunWish),
    /// Filter the focused pane.
    Filter(String),
    /// Sort the panes that have this order.
    Sort(&'static str),
    /// Show these columns in the panes that have them; none: all.
    Columns(Vec<&'static str>),
    Why {
        subject: Subject,
        /// The node that is to answer alone.
        reader: Option<Addr>,
    },
    /// Compare two moments.
    Diff {
        from: WrittenMoment,
        to: WrittenMoment,
    },
    At(WrittenMoment),
    Speed(Speed),
}

impl Names for Model {
    fn find(&self, word: &str) -> Option<Addr> {
        self.nodes().find(word).map(|node| node.addr)
    }

    fn is_ours(&self, node: Addr) -> bool {
        self.nodes().get(node).is_some_and(NodeRecord::is_ours)
    }
}

/// Reads a command for this network; what is asked about is looked up in the one that is shown. The error says what
/// was expected.
pub(crate) fn parse(line: &str, model: &Model, shown: &Model) -> Result<Typed, String> {
    let (name, rest) = split(line);
    if let Some(binding) = KEYS.iter().find(|binding| binding.name == name)
        && (rest.is_empty() || !commands().any(|command| command.name == name))
    {
        return at_most::<0>(&binding.name, rest).map(|()| Typed::Action(binding.action)).map_err(|error| told(&error));
    }
    match name {
        "export" => Ok(Typed::Export(PathBuf::from(rest))),
        "save-scenario" if rest.is_empty() => Err("expected save-scenario FILE".to_owned()),
        "save-scenario" => Ok(Typed::SaveScenario(PathBuf::from(rest))),
        "rerun" => rerun(rest),
        "filter" => Ok(Typed::Filter(rest.to_owned())),
        "columns" => columns(rest),
        "at" => rest.parse().map(Typed::At).map_err(|error: NoMoment| error.to_string()),
        "speed" => rest.parse().map(Typed::Speed).map_err(|error: NoSpeed| error.to_string()),
        "sort" => sort(rest),
        "why" => why(rest, shown),
        "diff" => diff(rest),
        "pane" => pane(rest),
        name if rest.is_empty() && PaneId::named(name).is_some() => pane(name),
        "q" => at_most::<0>("q", rest).map(|()| Typed::Action(Action::Quit)).map_err(|error| told(&error)),
        _ => grammar::parse(line, model).map(typed).map_err(|error| told(&error)),
    }
}

fn typed(commands: Vec<Command>) -> Typed {
    let deeds: Option<Vec<(NodeDeed, Addr)>> = commands.iter().map(NodeDeed::of).collect();
    match deeds.as_deref() {
        Some([(deed, _), ..]) => Typed::Act(*deed, deeds.iter().flatten().map(|(_, node)| *node).collect()),
        Some([]) | None => Typed::Commands(commands),
    }
}

fn told(error: &GrammarError) -> String {
    match error {
        GrammarError::NoCommand { .. } => format!("{error}: help shows all"),
        GrammarError::Usage { .. }
        | GrammarError::NoNode { .. }
        | GrammarError::Wrong { .. }
        | GrammarError::TooMuch { .. }
        | GrammarError::NotOurs { .. } => error.to_string(),
    }
}

/// A part ends where the next `set` or `without` begins; one in quotes ends with them.
fn rerun(rest: &str) -> Result<Typed, String> {
    let usage = || format!("expected {RERUN_USAGE}, such as rerun set max-dial 3 without cut p7 p8");
    let mut wish = RerunWish::default();
    let mut rest = rest.trim();
    while !rest.is_empty() {
        let (word, after) = split(rest);
        let (part, next) = rerun_part(after).filter(|(part, _)| !part.is_empty()).ok_or_else(usage)?;
        match word {
            "set" => wish.set.push(part),
            "without" => wish.without.push(part),
            _ => return Err(usage()),
        }
        rest = next;
    }
    Ok(Typed::Rerun(wish))
}

/// What is set or left out, and what follows; `None` if a quotation mark is never closed.
fn rerun_part(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|quote| matches!(quote, '\'' | '"')) {
        let (part, rest) = text[1..].split_once(quote)?;
        return Some((part.trim().to_owned(), rest.trim()));
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = split(rest);
        if matches!(word, "set" | "without") {
            break;
        }
        words.push(word);
        rest = after;
    }
    Some((words.join(" "), rest))
}

fn sort(word: &str) -> Result<Typed, String> {
    at_most::<1>("sort [ORDER]", word).map_err(|error| told(&error))?;
    let order = ORDERS.iter().find(|order| **order == word);
    order.map(|order| Typed::Sort(order)).ok_or_else(|| format!("no sort order '{word}': expected {}", either(ORDERS)))
}

fn columns(rest: &str) -> Result<Typed, String> {
    if rest.trim().is_empty() {
        return Err(format!("expected columns COLUMN ..: {}", either(COLUMNS)));
    }
    chosen_columns(rest.split_whitespace()).map(Typed::Columns)
}

/// The columns of these names; none if all are to be shown.
pub(crate) fn chosen_columns<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<&'static str>, String> {
    let known = |word: &str| COLUMNS.iter().find(|column| **column == word).copied();
    let known = |word: &'a str| known(word).ok_or_else(|| format!("no column '{word}': expected {}", either(COLUMNS)));
    let chosen = words.map(known).collect::<Result<Vec<_>, _>>()?;
    Ok(if chosen.contains(&"all") { Vec::new() } else { chosen })
}

/// `name, state, rtt or links`.
fn either(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        few => few.concat(),
    }
}

fn why(rest: &str, model: &Model) -> Result<Typed, String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (words, reader) = match words.as_slice() {
        [subject @ .., "as", reader] => (subject, Some(why_reader(reader, model)?)),
        [.., "as"] => return Err("expected a node after 'as', such as p3".to_owned()),
        subject => (subject, None),
    };
    at_most::<2>(WHY_USAGE, &words.join(" ")).map_err(|error| told(&error))?;
    let named = NamedSubject::find(words, model).map_err(|error| match error {
        error @ (SubjectError::Unreadable | SubjectError::OneNode { .. } | SubjectError::TakesNothing(_)) => {
            error.to_string()
        }
        SubjectError::NoNode(word) => told(&GrammarError::NoNode { word }),
        SubjectError::NoMessage(name) => {
            format!("no message '{name}' is remembered at this moment: expected one such as p3#12")
        }
    })?;
    Ok(Typed::Why { subject: named.into(), reader })
}

/// The node that is to answer alone: what it knows is recorded here.
fn why_reader(name: &str, model: &Model) -> Result<Addr, String> {
    let no_node = || told(&GrammarError::NoNode { word: name.to_owned() });
    let node = model.find(name).ok_or_else(no_node)?;
    if !model.is_ours(node) {
        return Err(format!("'{name}' runs in another process: what it alone knows is not recorded here"));
    }
    Ok(node)
}

/// What may follow in a question.
fn why_words(before: &str, model: &Model) -> Vec<String> {
    let given: Vec<&str> = before.split_whitespace().skip(1).collect();
    let further = || "as".to_owned();
    match given.as_slice() {
        [] => node_names(model).into_iter().chain(owned(NETWORK_WORDS)).collect(),
        [.., "as"] => node_names(model),
        [_] => node_names(model).into_iter().chain(message_names(model)).chain([further()]).collect(),
        [_, second] if *second != "as" => vec![further()],
        _ => Vec::new(),
    }
}

fn diff(rest: &str) -> Result<Typed, String> {
    at_most::<2>("diff TIME TIME", rest).map_err(|error| told(&error))?;
    let Some((from, to)) = rest.split_once(char::is_whitespace) else {
        return Err("expected diff TIME TIME, such as diff 03:11 03:13".to_owned());
    };
    let moment = |word: &str| word.parse::<WrittenMoment>().map_err(|error| error.to_string());
    Ok(Typed::Diff { from: moment(from)?, to: moment(to)? })
}

fn pane(word: &str) -> Result<Typed, String> {
    at_most::<1>("pane NUMBER", word).map_err(|error| told(&error))?;
    let known = || PaneId::all().map(|pane| format!("{} {}", pane.number(), pane.info().word)).collect::<Vec<_>>();
    let expected = || format!("expected the number or the name of a pane: {}", known().join(", "));
    PaneId::named(word).map(|pane| Typed::Action(Action::Pane(pane))).ok_or_else(expected)
}

/// Whole lines to which the last word of this one could be completed.
pub(crate) fn complete(line: &str, model: &Model) -> Vec<String> {
    let (before, last) = line.rfind(' ').map_or(("", line), |at| line.split_at(at + 1));
    let place = before.split_whitespace().count();
    let options: Vec<String> = match before.split_whitespace().next() {
        None => names(),
        Some("why") => why_words(before, model),
        Some(name) => match word_at(name, place - 1) {
            Some(Word::Node(others)) => node_names(model).into_iter().chain(owned(others)).collect(),
            Some(Word::Choice(words)) => owned(words).collect(),
            Some(Word::Free) | None => Vec::new(),
        },
    };
    options.into_iter().filter(|option| option.starts_with(last)).map(|option| format!("{before}{option}")).collect()
}

fn owned(words: &[&str]) -> impl Iterator<Item = String> {
    words.iter().map(|word| (*word).to_owned())
}

fn word_at(name: &str, place: usize) -> Option<Word> {
    commands().find(|command| command.name == name)?.word(place)
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = commands().map(|command| command.name.to_owned()).collect();
    names.extend(KEYS.iter().map(|binding| binding.name.to_string()));
    names.extend(PaneId::all().flat_map(PaneId::names));
    names.sort_unstable();
    names.dedup();
    names
}

/// The newest first, as many as anybody looks through.
fn message_names(model: &Model) -> Vec<String> {
    let rumors = model.rumors().ring().iter().rev().take(MESSAGES_OFFERED);
    rumors.map(|(_, rumor)| model.message_name(rumor.id)).collect()
}

fn node_names(model: &Model) -> Vec<String> {
    let nodes = model.nodes().iter().filter(|node| node.is_ours() || node.linked > 0);
    nodes.map(|node| model.name_of(node.addr).into_owned()).collect()
}
