//! A form for a new node: a seed, a peer, or a whole lab.

use super::form::{Form, Values};
use crate::command::words::{lab_peers, lab_seeds, placement};
use crate::command::{Command, NodeSpec};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::host::ToHost;
use crate::ui::options::FormDefaults;

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

const KINDS: [(NodeChoice, &str); 3] =
    [(NodeChoice::Seed, "seed"), (NodeChoice::Peer, "peer"), (NodeChoice::Lab, "lab")];

/// The form; another kind that is chosen in it has other fields.
pub(crate) fn add(kind: NodeChoice, defaults: FormDefaults) -> Form {
    let wanted = move |values: &Values| Ok(vec![ToHost::Command(command(kind, values)?)]);
    let kinds = KINDS.iter().map(|(_, word)| (*word).to_owned()).collect();
    let form = Form::new("Start a node", "start", wanted).choice("What", kinds, kind as usize).focused(LISTEN);
    let form = match kind {
        NodeChoice::Seed => form
            .text("Listen", defaults.seed_listen.to_string())
            .noted(format!("Peers find a seed by the list that they read: {}.", list(&defaults.seeds))),
        NodeChoice::Peer => form
            .text("Listen", defaults.peer_listen.to_string())
            .noted(format!("It registers with a majority of the seeds: {}.", list(&defaults.seeds))),
        NodeChoice::Lab => form
            .text("Seeds", defaults.lab_seeds.to_string())
            .text("Peers", defaults.lab_peers.to_string())
            .noted("A whole network in this process, on free ports of this machine."),
    };
    form.on_choice(move |chosen| add(KINDS[chosen % KINDS.len()].0, defaults.clone()).focused(KIND))
}

/// The command in the form, or which field is wrong and why.
fn command(kind: NodeChoice, values: &Values) -> Result<Command, (usize, String)> {
    let node = |role| {
        let listen = placement(values.typed(LISTEN)).map_err(|fault| (LISTEN, fault.to_string()))?;
        Ok(Command::Start(NodeSpec { role, listen }))
    };
    match kind {
        NodeChoice::Seed => node(Role::Seed),
        NodeChoice::Peer => node(Role::Peer),
        NodeChoice::Lab => {
            let seeds = lab_seeds(values.typed(SEEDS)).map_err(|fault| (SEEDS, fault.to_string()))?;
            let peers = lab_peers(values.typed(PEERS)).map_err(|fault| (PEERS, fault.to_string()))?;
            Ok(Command::StartLab { seeds, peers })
        }
    }
}

fn list(seeds: &[Addr]) -> String {
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    if seeds.is_empty() { "none yet".to_owned() } else { list_text(&seeds, 4) }
}
