//! A form for a new node: a seed, a peer, or a whole lab.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::Reply;
use super::form::{Form, FormOutcome};
use crate::command::words::{lab_peers, lab_seeds, placement};
use crate::command::{Command, NodeSpec};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::host::ToHost;
use crate::ui::keys::Key;
use crate::ui::options::FormDefaults;
use crate::ui::view::View;

const KIND: usize = 0;
const LISTEN: usize = 1;
const SEEDS: usize = 1;
const PEERS: usize = 2;

/// What to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeChoice {
    Seed,
    Peer,
    Lab,
}

impl NodeChoice {
    const ALL: [Self; 3] = [Self::Seed, Self::Peer, Self::Lab];

    const fn word(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Peer => "peer",
            Self::Lab => "lab",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Add {
    pub(crate) form: Form,
    kind: NodeChoice,
    defaults: FormDefaults,
}

impl Add {
    pub(crate) fn new(kind: NodeChoice, defaults: FormDefaults) -> Self {
        let form = form(kind, &defaults).focused(LISTEN);
        Self { form, kind, defaults }
    }

    pub(crate) fn press(&mut self, key: Key) -> Reply {
        match self.form.press(key) {
            FormOutcome::Stay => {}
            FormOutcome::Chosen => {
                self.kind = NodeChoice::ALL[self.form.chosen(KIND) % NodeChoice::ALL.len()];
                self.form = form(self.kind, &self.defaults).focused(KIND);
            }
            FormOutcome::Cancel => return Reply::Close,
            FormOutcome::Submit => {
                return match self.command() {
                    Ok(command) => Reply::Done(vec![ToHost::Command(command)]),
                    Err((field, fault)) => {
                        self.form.fault(field, fault);
                        Reply::Stay
                    }
                };
            }
        }
        Reply::Stay
    }

    /// The command in the form, or which field is wrong and why.
    fn command(&self) -> Result<Command, (usize, String)> {
        let node = |role| {
            let listen = placement(self.form.typed(LISTEN)).map_err(|fault| (LISTEN, fault.to_string()))?;
            Ok(Command::Start(NodeSpec { role, listen }))
        };
        match self.kind {
            NodeChoice::Seed => node(Role::Seed),
            NodeChoice::Peer => node(Role::Peer),
            NodeChoice::Lab => {
                let seeds = lab_seeds(self.form.typed(SEEDS)).map_err(|fault| (SEEDS, fault.to_string()))?;
                let peers = lab_peers(self.form.typed(PEERS)).map_err(|fault| (PEERS, fault.to_string()))?;
                Ok(Command::StartLab { seeds, peers })
            }
        }
    }

    pub(crate) fn render(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.form.render(frame, area, view);
    }
}

fn form(kind: NodeChoice, defaults: &FormDefaults) -> Form {
    let kinds = NodeChoice::ALL.iter().map(|kind| kind.word().to_owned()).collect();
    let form = Form::new("Start a node", "start").choice("What", kinds, kind as usize);
    let (form, note) = match kind {
        NodeChoice::Seed => (form.text("Listen", defaults.seed_listen.to_string()), seed_note(defaults)),
        NodeChoice::Peer => (form.text("Listen", defaults.peer_listen.to_string()), peer_note(defaults)),
        NodeChoice::Lab => (
            form.text("Seeds", defaults.lab_seeds.to_string()).text("Peers", defaults.lab_peers.to_string()),
            "A whole network in this process, on free ports of this machine.".to_owned(),
        ),
    };
    form.noted(note)
}

fn seed_note(defaults: &FormDefaults) -> String {
    format!("Peers find a seed by the list that they read: {}.", list(&defaults.seeds))
}

fn peer_note(defaults: &FormDefaults) -> String {
    format!("It registers with a majority of the seeds: {}.", list(&defaults.seeds))
}

fn list(seeds: &[Addr]) -> String {
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    if seeds.is_empty() { "none yet".to_owned() } else { crate::model::words::list_text(&seeds, 4) }
}
