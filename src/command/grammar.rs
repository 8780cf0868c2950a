//! The one grammar of commands: what is typed after `:`, and what stands in a scenario.
//!
//! [`parse`] reads a command, [`text`] writes one that reads back as it was. Nodes are looked up
//! through [`Names`].

use super::words::{AmountWord, WordError, body_fault, lab_peers, lab_seeds, placement};
use super::{Command, FaultCommand, NodeSpec, Placement};
use crate::proto::addr::Addr;
use crate::proto::fault::{Amount, Fault, FaultClass, FaultKind, Scope};
use crate::proto::message::Role;
use crate::proto::text::Body;

/// Looks up the nodes of a session.
pub trait Names {
    /// The node of this name or address.
    fn find(&self, word: &str) -> Option<Addr>;
    /// It runs in this process, or did.
    fn is_ours(&self, node: Addr) -> bool;
}

/// What a word of a command can be, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The name or address of a node, or one of these words.
    Node(&'static [&'static str]),
    /// One of these words.
    Choice(&'static [&'static str]),
    Free,
}

/// One line of the table of commands.
#[derive(Debug, Clone, Copy)]
pub struct CommandHelp {
    /// Its first word.
    pub name: &'static str,
    /// With its arguments.
    pub usage: &'static str,
    /// What it does, in a line.
    pub help: &'static str,
    /// Its arguments; if the usage ends with `..`, the last one can be repeated.
    pub words: &'static [Word],
    /// Where the fault menu offers it, and with which amounts.
    pub offer: Option<(FaultPlace, &'static str)>,
    read: Syntax,
}

/// Where a fault can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPlace {
    /// On a node as a whole.
    Node,
    /// On a node, or on a single link.
    NodeOrLink,
    /// Between two nodes.
    Pair,
}

/// How the words of a command are read.
#[derive(Debug, Clone, Copy)]
enum Syntax {
    /// Not here: it is a command for the console itself.
    Elsewhere,
    One(fn(&CommandReader<'_>) -> Result<Command, GrammarError>),
    /// One command for each node.
    Each(fn(Addr) -> Command),
    /// A fault with these amounts.
    Fault(FaultClass, &'static [AmountWord]),
}

impl CommandHelp {
    /// A command for the console itself.
    pub const fn new(name: &'static str, usage: &'static str, words: &'static [Word], help: &'static str) -> Self {
        Self { name, usage, help, words, offer: None, read: Syntax::Elsewhere }
    }

    const fn read(self, read: Syntax) -> Self {
        Self { read, ..self }
    }

    const fn offered(self, place: FaultPlace, amounts: &'static str) -> Self {
        Self { offer: Some((place, amounts)), ..self }
    }

    /// A command that sets a fault, or ends it. `offer`: the amounts in the fault menu.
    const fn fault(
        kind: FaultClass,
        usage: &'static str,
        amounts: &'static [AmountWord],
        offer: &'static str,
        help: &'static str,
    ) -> Self {
        let row = kind.row();
        let (place, words): (_, &[Word]) = match (row.meets_messages, amounts) {
            (false, _) => (FaultPlace::Node, &[SCOPE, AMOUNT]),
            (true, [_, _, ..]) => (FaultPlace::NodeOrLink, &[SCOPE, MORE, AMOUNT, Word::Free]),
            (true, _) => (FaultPlace::NodeOrLink, &[SCOPE, MORE, AMOUNT]),
        };
        Self::new(row.word, usage, words, help).read(Syntax::Fault(kind, amounts)).offered(place, offer)
    }

    /// The argument at this index.
    pub fn word(&self, place: usize) -> Option<Word> {
        if self.usage.ends_with("..") { self.words.last().copied() } else { self.words.get(place).copied() }
    }
}

const NODE: Word = Word::Node(&[]);
const SCOPE: Word = Word::Node(&["all"]);
const AMOUNT: Word = Word::Choice(&["off"]);
/// A second node, or the amount.
const MORE: Word = Word::Node(&["off"]);

/// How long a reordered message is held back by default: some gossip messages pass it.
const WINDOW_DEFAULT: Amount = Amount::Span(100_000);
/// Connections of junk by default.
const JUNK_DEFAULT: Amount = Amount::PerSecond(1);

/// The one table of commands: a row for each.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the path of a method is tied to one lifetime")]
pub const COMMANDS: &[CommandHelp] = &[
    CommandHelp::new("seed", "seed [ADDRESS]", &[Word::Free], "start a seed; 5003 means 127.0.0.1:5003")
        .read(Syntax::One(|line| line.start(Role::Seed))),
    CommandHelp::new("peer", "peer [ADDRESS]", &[Word::Free], "start a peer")
        .read(Syntax::One(|line| line.start(Role::Peer))),
    CommandHelp::new("lab", "lab SEEDS PEERS", &[Word::Free, Word::Free], "start a whole network in this process")
        .read(Syntax::One(|line| line.lab())),
    CommandHelp::new("kill", "kill NODE..", &[NODE], "crash nodes of this process, or cut our links to others")
        .read(Syntax::Each(Command::Kill)),
    CommandHelp::new("hang", "hang NODE..", &[NODE], "make nodes fall silent with their sockets open")
        .read(Syntax::Each(Command::Hang)),
    CommandHelp::new("restart", "restart NODE..", &[NODE], "restart killed or hung nodes")
        .read(Syntax::Each(Command::Restart)),
    CommandHelp::new(
        "cut",
        "cut NODE NODE",
        &[NODE, NODE],
        "block all messages between two nodes without telling them; a node elsewhere is treated as dead",
    )
    .read(Syntax::One(|line| line.cut()))
    .offered(FaultPlace::Pair, ""),
    CommandHelp::new("partition", "partition NODE..", &[NODE], "separate these nodes from all others")
        .read(Syntax::One(|line| line.partition()))
        .offered(FaultPlace::Node, ""),
    CommandHelp::new(
        "heal",
        "heal [NODE NODE]",
        &[Word::Node(&["partition"]), NODE],
        "mend one cut, or all cuts and partitions; heal partition mends all partitions",
    )
    .read(Syntax::One(|line| line.heal())),
    CommandHelp::fault(
        FaultClass::Delay,
        "delay WHERE TIME [MORE]",
        &[AmountWord::SPAN, AmountWord::SPAN.or(Amount::Span(0))],
        "200ms 100ms",
        "delay messages by TIME, and up to MORE at random; WHERE is NODE, NODE NODE or all",
    ),
    CommandHelp::fault(
        FaultClass::Loss,
        "loss WHERE PERCENT",
        &[AmountWord::PERCENT],
        "30%",
        "lose this share of the messages",
    ),
    CommandHelp::fault(
        FaultClass::Duplicate,
        "duplicate WHERE PERCENT",
        &[AmountWord::PERCENT],
        "30%",
        "deliver this share of the messages twice",
    ),
    CommandHelp::fault(
        FaultClass::Reorder,
        "reorder WHERE PERCENT",
        &[AmountWord::PERCENT, AmountWord::SPAN.or(WINDOW_DEFAULT)],
        "30% 200ms",
        "hold back this share of the messages, by up to 100ms or the TIME that follows",
    ),
    CommandHelp::fault(
        FaultClass::Slow,
        "slow NODE COUNT/s",
        &[AmountWord::RATE],
        "10/s",
        "make the node read only this many messages a second; the rest waits",
    ),
    CommandHelp::fault(
        FaultClass::Skew,
        "skew NODE +TIME",
        &[AmountWord::OFFSET],
        "+5s",
        "set the node's clock wrong, and so the times that it writes",
    ),
    CommandHelp::fault(
        FaultClass::Junk,
        "junk NODE [COUNT/s]",
        &[AmountWord::RATE.or(JUNK_DEFAULT)],
        "5/s",
        "connect to the node and send it nonsense",
    ),
    CommandHelp::new("lie", "lie PEER NODE", &[NODE, NODE], "make PEER tell its seeds that NODE is dead")
        .read(Syntax::One(|line| line.lie()))
        .offered(FaultPlace::Pair, ""),
    CommandHelp::new(
        "calm",
        "calm",
        &[],
        "end all faults and restart killed or hung nodes; off as the amount ends one fault",
    )
    .read(Syntax::One(|line| line.at_most::<0>().map(|()| Command::Fault(FaultCommand::Calm)))),
    CommandHelp::new("say", "say NODE TEXT", &[NODE, Word::Free], "send a message of your own")
        .read(Syntax::One(|line| line.say())),
];

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrammarError {
    #[error("no command '{word}'")]
    NoCommand { word: String },
    #[error("no node '{word}': expected a name such as p1, or an address")]
    NoNode { word: String },
    /// A word is not what it should be.
    #[error("{fault}")]
    Wrong {
        word: String,
        /// What was expected.
        fault: WordError,
    },
    /// There are too few words.
    #[error("expected {usage}")]
    Usage { name: &'static str, usage: &'static str },
    /// There is a word too many.
    #[error("{}: unexpected '{word}'", takes(usage))]
    TooMuch {
        usage: &'static str,
        /// The first word that does not belong.
        word: String,
    },
    /// Both nodes run elsewhere.
    #[error("neither {one} nor {other} runs in this process")]
    NotOurs { one: Addr, other: Addr },
}

impl GrammarError {
    /// The word that is wrong; if there are too few words, the command's name.
    pub fn word(&self) -> String {
        match self {
            Self::NoCommand { word }
            | Self::NoNode { word }
            | Self::Wrong { word, .. }
            | Self::TooMuch { word, .. } => word.clone(),
            Self::Usage { name, .. } => (*name).to_owned(),
            Self::NotOurs { one, .. } => one.to_string(),
        }
    }
}

/// What a command takes: `lab takes SEEDS PEERS`, `calm takes nothing`.
fn takes(usage: &str) -> String {
    match split(usage) {
        (name, "") => format!("{name} takes nothing"),
        (name, words) => format!("{name} takes {words}"),
    }
}

/// The words of a command that takes at most `N` of them. The error names the first one too many.
pub fn at_most<const N: usize>(usage: &'static str, rest: &str) -> Result<(), GrammarError> {
    match rest.split_whitespace().nth(N) {
        Some(word) => Err(GrammarError::TooMuch { usage, word: word.to_owned() }),
        None => Ok(()),
    }
}

/// Reads one line; several nodes give several commands.
pub fn parse(line: &str, names: &dyn Names) -> Result<Vec<Command>, GrammarError> {
    let (name, rest) = split(line);
    let Some(help) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(GrammarError::NoCommand { word: name.to_owned() });
    };
    let reader = CommandReader { help, rest, words: rest.split_whitespace().collect(), names };
    match help.read {
        Syntax::Each(command) => Ok(reader.nodes()?.into_iter().map(command).collect()),
        Syntax::One(read) => Ok(vec![read(&reader)?]),
        Syntax::Fault(kind, amounts) => Ok(vec![Command::Fault(reader.fault(kind, amounts)?)]),
        Syntax::Elsewhere => Err(GrammarError::NoCommand { word: name.to_owned() }),
    }
}

/// The first word, and what comes after it.
pub fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (name, rest.trim())
}

/// A command that is being read.
struct CommandReader<'a> {
    help: &'static CommandHelp,
    rest: &'a str,
    words: Vec<&'a str>,
    names: &'a dyn Names,
}

impl CommandReader<'_> {
    fn usage(&self) -> GrammarError {
        GrammarError::Usage { name: self.help.name, usage: self.help.usage }
    }

    fn at_most<const N: usize>(&self) -> Result<(), GrammarError> {
        at_most::<N>(self.help.usage, self.rest)
    }

    /// Its words, if there are exactly `N`.
    fn exactly<const N: usize>(&self) -> Result<[&str; N], GrammarError> {
        self.at_most::<N>()?;
        <[&str; N]>::try_from(self.words.as_slice()).map_err(|_| self.usage())
    }

    fn node(&self, word: &str) -> Result<Addr, GrammarError> {
        self.names.find(word).ok_or_else(|| GrammarError::NoNode { word: word.to_owned() })
    }

    fn nodes(&self) -> Result<Vec<Addr>, GrammarError> {
        if self.words.is_empty() {
            return Err(self.usage());
        }
        self.words.iter().map(|word| self.node(word)).collect()
    }

    fn start(&self, role: Role) -> Result<Command, GrammarError> {
        self.at_most::<1>()?;
        let listen = placement(self.rest).map_err(|fault| wrong(self.rest, fault))?;
        Ok(Command::Start(NodeSpec { role, listen }))
    }

    fn lab(&self) -> Result<Command, GrammarError> {
        let [seeds, peers] = self.exactly()?;
        Ok(Command::StartLab { seeds: read(seeds, lab_seeds)?, peers: read(peers, lab_peers)? })
    }

    fn say(&self) -> Result<Command, GrammarError> {
        let (name, text) = split(self.rest);
        if name.is_empty() {
            return Err(self.usage());
        }
        let node = self.node(name)?;
        let said = unquoted(text).unwrap_or_else(|| text.to_owned());
        body_fault(said.len())
            .map_or_else(|| Ok(Command::Say { node, body: said.clone().into() }), |fault| Err(wrong(text, fault)))
    }

    /// Two nodes, one of this process first.
    fn pair(&self) -> Result<(Addr, Addr), GrammarError> {
        let [one, other] = self.exactly()?;
        let (one, other) = (self.node(one)?, self.node(other)?);
        match (self.names.is_ours(one), self.names.is_ours(other)) {
            (true, _) => Ok((one, other)),
            (false, true) => Ok((other, one)),
            (false, false) => Err(GrammarError::NotOurs { one, other }),
        }
    }

    /// Between two nodes of ours the wire is cut; a link to another process is cut at our end.
    fn cut(&self) -> Result<Command, GrammarError> {
        let (node, peer) = self.pair()?;
        if !self.names.is_ours(peer) {
            return Ok(Command::Cut { node, peer });
        }
        Ok(Command::Fault(FaultCommand::Set(Fault { what: FaultKind::Cut, on: Scope::link(node, peer) })))
    }

    fn heal(&self) -> Result<Command, GrammarError> {
        match self.words[..] {
            [] => return Ok(Command::Fault(FaultCommand::HealAll)),
            ["partition", ..] => {
                return self.at_most::<1>().map(|()| Command::Fault(FaultCommand::HealPartitions));
            }
            _ => {}
        }
        let (node, peer) = self.pair()?;
        if !self.names.is_ours(peer) {
            return Ok(Command::Heal { node, peer });
        }
        Ok(Command::Fault(FaultCommand::Clear { kind: FaultClass::Cut, on: Scope::link(node, peer) }))
    }

    fn partition(&self) -> Result<Command, GrammarError> {
        let on = Scope::border(self.nodes()?);
        Ok(Command::Fault(FaultCommand::Set(Fault { what: FaultKind::Cut, on })))
    }

    fn lie(&self) -> Result<Command, GrammarError> {
        let [liar, about] = self.exactly()?;
        Ok(Command::Fault(FaultCommand::Lie { liar: self.node(liar)?, about: self.node(about)? }))
    }

    fn fault(&self, kind: FaultClass, amounts: &[AmountWord]) -> Result<FaultCommand, GrammarError> {
        let (on, given) = self.scope(kind)?;
        let (command, taken) = if given.first() == Some(&"off") {
            (FaultCommand::Clear { kind, on }, 1)
        } else {
            let amount = |(nth, amount): (usize, &AmountWord)| match given.get(nth) {
                Some(word) => read(word, amount.read),
                None => amount.default.ok_or_else(|| self.usage()),
            };
            let read = amounts.iter().enumerate().map(amount).collect::<Result<Vec<_>, _>>()?;
            let what = kind.with(&read).ok_or_else(|| self.usage())?;
            (FaultCommand::Set(Fault { what, on }), amounts.len())
        };
        match given.get(taken) {
            None => Ok(command),
            Some(word) => Err(GrammarError::TooMuch { usage: self.help.usage, word: (*word).to_owned() }),
        }
    }

    /// The place of a fault, and the words after it. A second word is a node if it is no amount.
    fn scope(&self, kind: FaultClass) -> Result<(Scope, &[&str]), GrammarError> {
        let (first, rest) = self.words.split_first().ok_or_else(|| self.usage())?;
        if *first == "all" {
            return Ok((Scope::All, rest));
        }
        let node = self.node(first)?;
        match rest {
            [second, rest @ ..] if kind.row().meets_messages && !looks_like_amount(second) => {
                Ok((Scope::link(node, self.node(second)?), rest))
            }
            _ => Ok((Scope::Node(node), rest)),
        }
    }
}

/// No name of a node begins with a digit, and an address has a colon.
fn looks_like_amount(word: &str) -> bool {
    word == "off" || (word.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') && !word.contains(':'))
}

/// The content of a text in double quotes, written as in JSON; `None` for any other text.
fn unquoted(text: &str) -> Option<String> {
    text.starts_with('"').then(|| serde_json::from_str(text).ok()).flatten()
}

/// A text as it stands on a line: in quotes if it would not read back otherwise.
fn quoted(body: &Body) -> String {
    let text = String::from_utf8_lossy(body.as_bytes());
    let reads_back = text.trim() == text && !text.contains(char::is_control) && unquoted(&text).is_none();
    if reads_back { text.into_owned() } else { serde_json::Value::from(text).to_string() }
}

fn read<T>(word: &str, amount: impl Fn(&str) -> Result<T, WordError>) -> Result<T, GrammarError> {
    amount(word).map_err(|fault| wrong(word, fault))
}

fn wrong(word: &str, fault: WordError) -> GrammarError {
    GrammarError::Wrong { word: word.to_owned(), fault }
}

/// The command as it is typed; it reads back as it was if the nodes have these names.
pub fn text(command: &Command, name: &dyn Fn(Addr) -> String) -> String {
    match command {
        Command::Start(NodeSpec { role, listen: Placement::Auto }) => role.to_string(),
        Command::Start(NodeSpec { role, listen: Placement::At(addr) | Placement::Everywhere(addr) }) => {
            format!("{role} {addr}")
        }
        Command::StartLab { seeds, peers } => format!("lab {seeds} {peers}"),
        Command::Kill(node) => format!("kill {}", name(*node)),
        Command::Hang(node) => format!("hang {}", name(*node)),
        Command::Restart(node) => format!("restart {}", name(*node)),
        Command::Cut { node, peer } => format!("cut {} {}", name(*node), name(*peer)),
        Command::Heal { node, peer } => format!("heal {} {}", name(*node), name(*peer)),
        Command::Say { node, body } => format!("say {} {}", name(*node), quoted(body)),
        Command::Fault(fault) => fault_text(fault, name),
        Command::Quit => "quit".to_owned(),
    }
}

fn fault_text(command: &FaultCommand, name: &dyn Fn(Addr) -> String) -> String {
    match command {
        FaultCommand::Set(fault) => fault.text(name),
        FaultCommand::Clear { kind, on } => on.end_text(*kind, name),
        FaultCommand::HealPartitions => "heal partition".to_owned(),
        FaultCommand::HealAll => "heal".to_owned(),
        FaultCommand::Lie { liar, about } => format!("lie {} {}", name(*liar), name(*about)),
        FaultCommand::Calm => "calm".to_owned(),
    }
}

#[cfg(test)]
mod tests;
