//! The line into which commands and filters are typed, and what they do.

use std::path::PathBuf;

use super::{ask, carry_out, give, update};
use crate::command::Command;
use crate::model::Model;
use crate::model::node::NodeRecord;
use crate::proto::addr::Addr;
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::command_line::{Typed, parse};
use crate::ui::fault::{self, FaultPlan};
use crate::ui::filter::Filter;
use crate::ui::host::{Objection, Overwrite, Severity, ToHost};
use crate::ui::keys::Key;
use crate::ui::prompt::{Prompt, PromptOutcome, PromptPurpose};
use crate::ui::view::Target;

pub(super) fn on_prompt_key(app: &mut App, key: Key) -> Vec<ConsoleEffect> {
    let Some(prompt) = &mut app.prompt else { return Vec::new() };
    match prompt.press(key, &app.history, &app.scene.live) {
        PromptOutcome::Stay => apply_filter(app),
        PromptOutcome::Cancel => {
            if let Some(Prompt { purpose: PromptPurpose::Filter { pane, before }, .. }) = app.prompt.take() {
                app.panes.get_mut(pane).set_filter(before);
            }
        }
        PromptOutcome::Submit => {
            if let Some(Prompt { purpose: PromptPurpose::Command, field, .. }) = app.prompt.take() {
                return run_command(app, field.text());
            }
        }
    }
    Vec::new()
}

/// A filter shows its effect while it is typed.
pub(super) fn apply_filter(app: &mut App) {
    if let Some(Prompt { purpose: PromptPurpose::Filter { pane, .. }, field, .. }) = &app.prompt
        && app.panes.get(*pane).filter().typed() != field.text()
    {
        app.panes.get_mut(*pane).set_filter(Filter::new(field.text()));
    }
}

fn run_command(app: &mut App, line: &str) -> Vec<ConsoleEffect> {
    let line = line.trim();
    if line.is_empty() {
        return Vec::new();
    }
    app.history.push(line);
    app.toasts.outdate();
    match parse(line, &app.scene.live) {
        Ok(typed) => run_typed(app, typed),
        Err(fault) => {
            app.refuse(Severity::Error, line.to_owned(), Objection::Line(fault));
            Vec::new()
        }
    }
}

fn run_typed(app: &mut App, typed: Typed) -> Vec<ConsoleEffect> {
    let model = &app.scene.live;
    match typed {
        Typed::Action(action) => return update(app, action),
        Typed::Commands(commands) => return give(app, commands),
        Typed::Kill(nodes) => {
            let plan = fault::kill_several(model, &nodes);
            let Some(first) = nodes.first() else { return Vec::new() };
            let wish: Vec<Command> = nodes.iter().copied().map(Command::Kill).collect();
            return carry_out(app, Target::Node(*first), &wish, plan);
        }
        Typed::Hang(nodes) => return each(app, Command::Hang, &nodes, fault::hang),
        Typed::Restart(nodes) => {
            if let Some(risk) = fault::restart_risk(model, &nodes) {
                app.show(Severity::Warning, risk);
            }
            return each(app, Command::Restart, &nodes, fault::restart);
        }
        Typed::Export(path) => match (app.export_check)(&path) {
            Ok(()) => return vec![ConsoleEffect::Host(ToHost::Export { path, overwrite: Overwrite::Ask })],
            Err(fault) => app.show(Severity::Error, fault),
        },
        Typed::SaveScenario(path) => return vec![save_scenario(app, path, Overwrite::Ask)],
        Typed::Filter(text) => app.panes.get_mut(app.focus).set_filter(Filter::new(&text)),
        Typed::Sort(sort) => app.panes.each().for_each(|pane| pane.sort(sort)),
        Typed::Why(subject) => ask(app, subject),
    }
    Vec::new()
}

pub(super) fn save_scenario(app: &App, path: PathBuf, overwrite: Overwrite) -> ConsoleEffect {
    let ours = app.scene.live.nodes().iter().filter(|node| node.is_ours());
    let names = ours.filter_map(|node| Some((node.addr, node.name.as_deref()?.to_owned()))).collect();
    ConsoleEffect::Host(ToHost::SaveScenario { path, overwrite, names, refused: app.refused.clone() })
}

fn each(
    app: &mut App,
    wanted: fn(Addr) -> Command,
    nodes: &[Addr],
    plan: impl Fn(&Model, Addr) -> FaultPlan,
) -> Vec<ConsoleEffect> {
    nodes
        .iter()
        .flat_map(|node| {
            let plan = typed_plan(&app.scene.live, *node, wanted, &plan);
            carry_out(app, Target::Node(*node), &[wanted(*node)], plan)
        })
        .collect()
}

/// The plan for a command that was typed with the node's name. For a node of ours the engine
/// decides: what was typed a moment ago is done there, and not seen here yet.
fn typed_plan(
    model: &Model,
    node: Addr,
    wanted: fn(Addr) -> Command,
    plan: &impl Fn(&Model, Addr) -> FaultPlan,
) -> FaultPlan {
    let is_ours = model.nodes().get(node).is_some_and(NodeRecord::is_ours);
    if is_ours { FaultPlan::Now(vec![wanted(node)]) } else { plan(model, node) }
}

/// What a line typed after `:` asks of the network as it is shown, or why the console refuses it. A
/// command that would first need a question counts as confirmed.
pub fn judge(line: &str, model: &Model) -> Result<Vec<Command>, String> {
    let each = |nodes: Vec<Addr>, wanted, plan: fn(&Model, Addr) -> FaultPlan| {
        let plans = nodes.into_iter().map(|node| judged(typed_plan(model, node, wanted, &plan)));
        plans.collect::<Result<Vec<_>, _>>().map(|commands| commands.concat())
    };
    match parse(line, model)? {
        Typed::Commands(commands) => Ok(commands),
        Typed::Kill(nodes) => judged(fault::kill_several(model, &nodes)),
        Typed::Hang(nodes) => each(nodes, Command::Hang, fault::hang),
        Typed::Restart(nodes) => each(nodes, Command::Restart, fault::restart),
        Typed::Action(_)
        | Typed::Export(_)
        | Typed::SaveScenario(_)
        | Typed::Filter(_)
        | Typed::Sort(_)
        | Typed::Why(_) => Ok(Vec::new()),
    }
}

fn judged(plan: FaultPlan) -> Result<Vec<Command>, String> {
    match plan {
        FaultPlan::Now(commands) | FaultPlan::Arm { commands, .. } | FaultPlan::Ask { commands, .. } => Ok(commands),
        FaultPlan::Refuse(why) => Err(why.to_string()),
    }
}
