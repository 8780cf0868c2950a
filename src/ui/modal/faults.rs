//! The fault menu of the selected node or link: each possible fault as the command that sets it,
//! and each set fault as the command that ends it. Choosing one puts the command into the command
//! line, where it can be changed first: nothing happens by accident, and the user learns the
//! language of scenarios.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{ChosenItem, Covers, Modal, Reply, action, columns, foot, framed};
use crate::command::Command;
use crate::command::grammar::{self, CommandHelp, FaultPlace};
use crate::engine::judge_node;
use crate::event::NodeState;
use crate::model::Model;
use crate::proto::addr::Addr;
use crate::ui::action::{Action, Move};
use crate::ui::fault::entry;
use crate::ui::keys::{Key, KeyMap};
use crate::ui::text;
use crate::ui::theme::{Tone, selected};
use crate::ui::view::{Target, View};

const WIDTH_MAX: u16 = 64;
/// Rows that describe the chosen command.
const ABOUT_ROWS: u16 = 3;

/// What can be done here: a node that is down can be restarted, and one elsewhere is not ours to
/// change.
fn possible(target: Target, model: &Model, name: &dyn Fn(Addr) -> String) -> Vec<Offer> {
    let (node, peer, state) = match target {
        Target::Link(link) => (link.node, Some(name(link.peer)), Some(NodeState::Runs)),
        Target::Node(node) => (node, None, entry(model, node).map(|entry| entry.state)),
    };
    let is_possible = |command: &CommandHelp, place| match state {
        // Traffic between us and a node elsewhere meets faults at our end.
        None => place == FaultPlace::NodeOrLink || command.name == "cut",
        Some(state) => state.is_up(),
    };
    let restart = Command::Restart(node);
    let can_restart = peer.is_none() && judge_node(&restart, entry(model, node).as_ref()).is_ok();
    let restart = can_restart.then(|| described(grammar::text(&restart, name), "restart"));
    let faults = grammar::COMMANDS.iter().filter_map(|command| {
        let (place, amounts) = command.offer.filter(|(place, _)| is_possible(command, *place))?;
        Some(described(offered(command.name, place, amounts, &name(node), peer.as_deref()), command.name))
    });
    restart.into_iter().chain(faults).collect()
}

/// A command that can be chosen.
#[derive(Debug)]
struct Offer {
    command: String,
    about: String,
}

/// The commands, and which one is chosen.
#[derive(Debug)]
pub(crate) struct FaultMenu {
    title: String,
    /// Those that set a fault, then those that end one.
    offers: Vec<Offer>,
    /// How many of them set one.
    setting: usize,
    choice: ChosenItem,
    begun: Option<Key>,
}

impl FaultMenu {
    /// `None` if there is nothing to choose.
    pub(crate) fn new(target: Target, model: &Model) -> Option<Self> {
        let name = |addr| model.name_of(addr).into_owned();
        let (node, peer) = match target {
            Target::Node(node) => (name(node), None),
            Target::Link(link) => (name(link.node), Some(name(link.peer))),
        };
        let mut offers = possible(target, model, &name);
        let setting = offers.len();
        for fault in model.faults().iter().map(|record| &record.fault) {
            let (command, about) = (fault.end_text(&name), format!("ends: {}", fault.text(&name)));
            // Partitions end together.
            match offers.iter_mut().skip(setting).find(|offer| offer.command == command) {
                Some(offer) => "ends all partitions".clone_into(&mut offer.about),
                None => offers.push(Offer { command, about }),
            }
        }
        let title = match peer {
            None => format!("Faults at {node}"),
            Some(peer) => format!("Faults at {node} and at its link to {peer}"),
        };
        let choice = ChosenItem::of(offers.len());
        (!offers.is_empty()).then_some(Self { title, offers, setting, choice, begun: None })
    }

    /// The commands as lines, and which line is the chosen one.
    fn list(&self, columns: usize, view: &View<'_>) -> (Vec<Line<'static>>, usize) {
        let (mut lines, mut chosen_at) = (Vec::new(), 0);
        for (index, offer) in self.offers.iter().enumerate() {
            if index == self.setting {
                lines.push(Line::from(view.span(Tone::Stale, "To end what is set now:")));
            }
            if index == self.choice.chosen {
                chosen_at = lines.len();
            }
            lines.push(self.line(index, offer, columns, view));
        }
        (lines, chosen_at)
    }

    fn line(&self, index: usize, offer: &Offer, columns: usize, view: &View<'_>) -> Line<'static> {
        let sign = if index == self.choice.chosen { ">" } else { " " };
        let line = text::left(&format!("{sign} {}", offer.command), columns, view.theme.glyphs);
        if index == self.choice.chosen {
            return Line::from(Span::styled(line, selected(view.style(Tone::Strong))));
        }
        Line::from(view.span(Tone::Plain, line))
    }
}

impl Modal for FaultMenu {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut self.begun, keys) {
            Some(Action::Details | Action::Move(Move::Right)) => {
                Reply::Type(self.offers[self.choice.chosen].command.clone())
            }
            Some(Action::Back | Action::Faults | Action::Quit) => Reply::Close,
            Some(action) => {
                self.choice.press(action);
                Reply::Stay
            }
            None => Reply::Stay,
        }
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let columns = columns(WIDTH_MAX, area);
        let (list, chosen_at) = self.list(columns, view);
        let about = view.wrapped(&self.offers[self.choice.chosen].about, Tone::Plain, columns);
        let inside = framed(&self.title, (columns, list.len() + 1 + usize::from(ABOUT_ROWS)), frame, area, view);
        let rows = usize::from(inside.height).saturating_sub(usize::from(ABOUT_ROWS) + 1);
        // The chosen line is always in view.
        let top = (chosen_at + 1).saturating_sub(rows);
        let window = list.into_iter().skip(top).take(rows).collect::<Vec<_>>();
        let lower = Rect { y: inside.bottom().saturating_sub(ABOUT_ROWS), height: ABOUT_ROWS, ..inside };
        frame.render_widget(Paragraph::new(window), inside);
        frame.render_widget(Paragraph::new(about), lower.intersection(inside));
        let key = |action, what| format!("{} {what}", view.keys.key_of(action));
        foot(&[key(Action::Details, "writes the command"), key(Action::Back, "closes")], frame, inside, view);
    }

    fn scroll(&mut self, wanted: Move) {
        self.choice.act(wanted);
    }

    fn covers(&self) -> Covers {
        Covers::Header
    }
}

/// If something is left to be typed, such as a second node, the line ends with a space, and Tab
/// completes.
fn offered(name: &str, place: FaultPlace, amounts: &str, node: &str, peer: Option<&str>) -> String {
    match (place, peer) {
        (FaultPlace::Pair, None) => format!("{name} {node} "),
        (FaultPlace::Pair | FaultPlace::NodeOrLink, Some(peer)) => {
            format!("{name} {node} {peer} {amounts}").trim_end().to_owned()
        }
        (FaultPlace::Node, _) | (FaultPlace::NodeOrLink, None) => {
            format!("{name} {node} {amounts}").trim_end().to_owned()
        }
    }
}

fn described(command: String, name: &str) -> Offer {
    let help = grammar::COMMANDS.iter().find(|command| command.name == name);
    Offer { command, about: help.map_or_else(String::new, |command| format!("{}: {}", command.usage, command.help)) }
}
