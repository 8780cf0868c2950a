//! Commands by name, after `:`. Whatever a key does has a name here too.

use std::path::PathBuf;

use super::action::{Action, PaneId};
use super::explain::Subject;
use super::keys::KEYS;
use super::modal::add::{number, placement};
use super::modal::say::body_fault;
use super::pane::connections::Sort;
use crate::command::{Command, NodeSpec};
use crate::model::Model;
use crate::model::link::LinkKey;
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};

/// Messages that completion offers.
const MESSAGES_OFFERED: usize = 200;

/// What a word of a command can be, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The name or address of a node.
    Node,
    /// The name of a node, or of a message.
    NodeOrMessage,
    /// The name of an order.
    Order,
    /// Anything.
    Free,
}

/// One line of the table of commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandHelp {
    name: &'static str,
    /// With its arguments.
    pub(crate) usage: &'static str,
    /// What it does, in a line.
    pub(crate) help: &'static str,
    words: &'static [Word],
}

const fn command(name: &'static str, usage: &'static str, words: &'static [Word], help: &'static str) -> CommandHelp {
    CommandHelp { name, usage, help, words }
}

/// The commands that take arguments. The names of the keys' actions are commands as well.
pub(crate) const COMMANDS: &[CommandHelp] = &[
    command("seed", "seed [ADDRESS]", &[Word::Free], "start a seed; 5003 means 127.0.0.1:5003"),
    command("peer", "peer [ADDRESS]", &[Word::Free], "start a peer"),
    command("lab", "lab [SEEDS PEERS]", &[Word::Free, Word::Free], "start a whole network in this process"),
    command("kill", "kill NODE..", &[Word::Node], "crash nodes of this process, or cut our links to others"),
    command("hang", "hang NODE..", &[Word::Node], "let nodes fall silent with their sockets open"),
    command("restart", "restart NODE..", &[Word::Node], "start killed or hung nodes again"),
    command("cut", "cut NODE PEER", &[Word::Node, Word::Node], "cut a link; NODE then treats PEER as dead"),
    command("heal", "heal NODE PEER", &[Word::Node, Word::Node], "let NODE link to PEER again"),
    command("say", "say NODE TEXT", &[Word::Node, Word::Free], "send a message of your own"),
    command("export", "export [FILE]", &[Word::Free], "write the session to a .txt, .jsonl or .csv file"),
    command("filter", "filter [TEXT]", &[Word::Free], "show only lines with TEXT, with !TEXT only those without"),
    command("sort", "sort [ORDER]", &[Word::Order], "connections by name, state, rtt or links"),
    command(
        "why",
        "why NODE [NODE|MESSAGE]",
        &[Word::Node, Word::NodeOrMessage],
        "about a node, a link (why p3 p4), or a message at a node (why p7 p3#12)",
    ),
];

/// What a typed command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The same as a key.
    Action(Action),
    /// Commands that need no question.
    Commands(Vec<Command>),
    /// Kill these.
    Kill(Vec<Addr>),
    /// Hang these.
    Hang(Vec<Addr>),
    /// Restart these.
    Restart(Vec<Addr>),
    /// Write the session here.
    Export(PathBuf),
    /// Show other lines in the pane with the keys.
    Filter(String),
    /// Another order of the connections.
    Sort(Sort),
    /// Explain this.
    Why(Subject),
}

/// Reads a command. The error says what was expected.
pub(crate) fn parse(line: &str, model: &Model) -> Result<Typed, String> {
    let (name, rest) = split(line);
    let words: Vec<&str> = rest.split_whitespace().collect();
    if words.is_empty()
        && let Some(binding) = KEYS.iter().find(|binding| binding.name == name)
    {
        return Ok(Typed::Action(binding.action));
    }
    let reader = Reader { name, rest, words, model };
    match name {
        "seed" => reader.start(Role::Seed),
        "peer" => reader.start(Role::Peer),
        "lab" => reader.lab(),
        "kill" => reader.nodes().map(Typed::Kill),
        "hang" => reader.nodes().map(Typed::Hang),
        "restart" => reader.nodes().map(Typed::Restart),
        "cut" => reader.pair().map(|(node, peer)| Typed::Commands(vec![Command::Cut { node, peer }])),
        "heal" => reader.pair().map(|(node, peer)| Typed::Commands(vec![Command::Heal { node, peer }])),
        "say" => reader.say(),
        "export" => Ok(Typed::Export(PathBuf::from(rest))),
        "filter" => Ok(Typed::Filter(rest.to_owned())),
        "sort" => reader.sort(),
        "why" => reader.why().map(Typed::Why),
        "pane" => reader.pane(),
        "q" | "quit" => Ok(Typed::Action(Action::Quit)),
        _ => Err(format!("no command '{name}': {} shows all", "help")),
    }
}

fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (name, rest.trim())
}

/// A command that is being read.
struct Reader<'a> {
    name: &'a str,
    rest: &'a str,
    words: Vec<&'a str>,
    model: &'a Model,
}

impl Reader<'_> {
    fn usage(&self) -> String {
        let usage =
            COMMANDS.iter().find(|command| command.name == self.name).map_or(self.name, |command| command.usage);
        format!("expected :{usage}")
    }

    fn node(&self, name: &str) -> Result<Addr, String> {
        match self.model.nodes().find(name) {
            Some(node) => Ok(node.addr),
            None if name.is_empty() => Err(self.usage()),
            None => Err(format!("no node '{name}': expected a name such as p1, or an address")),
        }
    }

    fn nodes(&self) -> Result<Vec<Addr>, String> {
        if self.words.is_empty() {
            return Err(self.usage());
        }
        self.words.iter().map(|name| self.node(name)).collect()
    }

    /// A node of this process and another one, in whichever order they were typed.
    fn pair(&self) -> Result<(Addr, Addr), String> {
        let [one, other] = self.words[..] else { return Err(self.usage()) };
        let (one, other) = (self.node(one)?, self.node(other)?);
        let is_ours = |addr| self.model.nodes().get(addr).is_some_and(crate::model::node::Node::is_ours);
        match (is_ours(one), is_ours(other)) {
            (true, _) => Ok((one, other)),
            (false, true) => Ok((other, one)),
            (false, false) => Err(format!("neither {one} nor {other} runs in this process")),
        }
    }

    fn why(&self) -> Result<Subject, String> {
        let one = |word: &str| match word.contains('#') {
            true => self.message(word).map(Subject::Message),
            false => self.node(word).map(Subject::Node),
        };
        match self.words[..] {
            [word] => one(word),
            [first, second] => match (one(first)?, one(second)?) {
                (Subject::Node(node), Subject::Node(peer)) => Ok(Subject::Link(LinkKey { node, peer })),
                (Subject::Node(node), Subject::Message(id)) | (Subject::Message(id), Subject::Node(node)) => {
                    Ok(Subject::Lack { node, id })
                }
                _ => Err(self.usage()),
            },
            _ => Err(self.usage()),
        }
    }

    /// The latest message of that name: a node that started again counts from 1 again.
    fn message(&self, name: &str) -> Result<MessageId, String> {
        let named =
            self.model.rumors().ring().iter().rev().find(|(_, rumor)| self.model.message_name(rumor.id) == name);
        named
            .map(|(_, rumor)| rumor.id)
            .ok_or_else(|| format!("no message '{name}': expected one such as p3#12 that is still held"))
    }

    fn start(&self, role: Role) -> Result<Typed, String> {
        Ok(Typed::Commands(vec![Command::Start(NodeSpec { role, listen: placement(self.rest)? })]))
    }

    fn lab(&self) -> Result<Typed, String> {
        let [seeds, peers] = self.words[..] else { return Err(self.usage()) };
        match (number(seeds)?, number(peers)?) {
            (0, _) => Err("a lab needs a seed".to_owned()),
            (seeds, peers) => Ok(Typed::Commands(vec![Command::StartLab { seeds, peers }])),
        }
    }

    fn say(&self) -> Result<Typed, String> {
        let (name, text) = split(self.rest);
        let node = self.node(name)?;
        match body_fault(text) {
            None => Ok(Typed::Commands(vec![Command::Say { node, body: text.into() }])),
            Some(fault) => Err(fault),
        }
    }

    fn sort(&self) -> Result<Typed, String> {
        let sort = Sort::ALL.into_iter().find(|sort| sort.word() == self.rest);
        sort.map(Typed::Sort).ok_or_else(|| format!("no order '{}': expected name, state, rtt or links", self.rest))
    }

    fn pane(&self) -> Result<Typed, String> {
        let pane = PaneId::ALL.into_iter().find(|pane| pane.number().to_string() == self.rest);
        pane.map(|pane| Typed::Action(Action::Pane(pane))).ok_or_else(|| "expected :pane 1 to :pane 7".to_owned())
    }
}

/// Whole lines that the last word of this one could be completed to.
pub(crate) fn complete(line: &str, model: &Model) -> Vec<String> {
    let (before, last) = line.rfind(' ').map_or(("", line), |at| line.split_at(at + 1));
    let place = before.split_whitespace().count();
    let options: Vec<String> = match before.split_whitespace().next() {
        None => names(),
        Some(name) => match word_at(name, place - 1) {
            Some(Word::Node) => node_names(model),
            Some(Word::NodeOrMessage) => node_names(model).into_iter().chain(message_names(model)).collect(),
            Some(Word::Order) => Sort::ALL.iter().map(|sort| sort.word().to_owned()).collect(),
            Some(Word::Free) | None => Vec::new(),
        },
    };
    options.into_iter().filter(|option| option.starts_with(last)).map(|option| format!("{before}{option}")).collect()
}

fn word_at(name: &str, place: usize) -> Option<Word> {
    let command = COMMANDS.iter().find(|command| command.name == name)?;
    // `NODE..` takes as many as are typed.
    if command.usage.ends_with("..") { command.words.last().copied() } else { command.words.get(place).copied() }
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = COMMANDS.iter().map(|command| command.name.to_owned()).collect();
    names.extend(KEYS.iter().map(|binding| binding.name.to_owned()));
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
