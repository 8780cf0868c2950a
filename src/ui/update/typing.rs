//! The line into which commands and filters are typed, and what they do.

use std::path::PathBuf;

use super::{ask, ask_alone, carry_out, give, no_lines, tell_host, update};
use crate::command::Command;
use crate::model::Model;
use crate::ui::action::{Action, NodeDeed};
use crate::ui::app::{App, ConsoleEffect};
use crate::ui::command_line::{Typed, parse};
use crate::ui::fault;
use crate::ui::filter::Filter;
use crate::ui::host::{Objection, Overwrite, Severity, ToHost, WantedDiff};
use crate::ui::keys::Key;
use crate::ui::prompt::{Prompt, PromptOutcome, PromptPurpose};
use crate::ui::travel;
use crate::ui::view::Target;

pub(super) fn on_prompt_key(app: &mut App, key: Key) {
    let Some(prompt) = &mut app.prompt else { return };
    match prompt.press(key, &app.history, &app.scene.live) {
        PromptOutcome::Stay => apply_filter(app),
        PromptOutcome::Cancel => {
            if let Some(Prompt { purpose: PromptPurpose::Filter { pane, before }, .. }) = app.prompt.take() {
                app.panes.get_mut(pane).set_filter(before);
            }
        }
        PromptOutcome::Submit => {
            if let Some(Prompt { purpose: PromptPurpose::Command, field, .. }) = app.prompt.take() {
                run_command(app, field.text());
            }
        }
    }
}

/// A filter shows its effect while it is typed.
pub(super) fn apply_filter(app: &mut App) {
    if let Some(Prompt { purpose: PromptPurpose::Filter { pane, .. }, field, .. }) = &app.prompt
        && app.panes.get(*pane).filter().typed() != field.text()
    {
        app.panes.get_mut(*pane).set_filter(Filter::new(field.text()));
    }
}

fn run_command(app: &mut App, line: &str) {
    let line = line.trim();
    if line.is_empty() {
        return;
    }
    app.history.push(line);
    app.toasts.outdate();
    match parse(line, &app.scene.live, app.scene.view().model) {
        Ok(typed) => run_typed(app, typed),
        Err(fault) => app.refuse(Severity::Error, line.to_owned(), Objection::Line(fault)),
    }
}

fn run_typed(app: &mut App, typed: Typed) {
    match typed {
        Typed::Action(Action::Quit) => app.effects.push(ConsoleEffect::Quit),
        Typed::Action(action) => update(app, action),
        Typed::Commands(commands) => give(app, commands),
        Typed::Act(deed, nodes) => {
            if deed == NodeDeed::Restart
                && let Some(risk) = fault::restart_risk(&app.scene.live, &nodes)
            {
                app.show(Severity::Warning, risk);
            }
            for (nodes, plan) in deed.plans(&app.scene.live, &nodes) {
                carry_out(app, deed, &nodes, Target::Node(nodes[0]), plan);
            }
        }
        Typed::Export(path) => match (app.export_check)(&path) {
            Ok(()) => tell_host(app, ToHost::Export { path, overwrite: Overwrite::Ask }),
            Err(fault) => app.show(Severity::Error, fault),
        },
        Typed::SaveScenario(path) => tell_host(app, save_scenario(app, path, Overwrite::Ask)),
        Typed::Rerun(wish) => tell_host(app, ToHost::Rerun(wish)),
        Typed::Filter(_) if !app.focus.has_lines() => no_lines(app),
        Typed::Filter(text) => app.panes.get_mut(app.focus).set_filter(Filter::new(&text)),
        Typed::Sort(order) => app.panes.each().for_each(|pane| pane.sort(order)),
        Typed::Columns(columns) => app.panes.each().for_each(|pane| pane.show_columns(&columns)),
        Typed::Why { subject, reader: None } => ask(app, subject),
        Typed::Why { subject, reader: Some(reader) } => ask_alone(app, subject, reader),
        Typed::Diff { from, to } => {
            let shown = app.view().now;
            tell_host(app, ToHost::Diff(WantedDiff { from, to, shown }));
        }
        Typed::At(moment) => travel::at(app, moment),
        Typed::Speed(speed) => travel::set_speed(app, speed),
    }
}

pub(super) fn save_scenario(app: &App, path: PathBuf, overwrite: Overwrite) -> ToHost {
    let ours = app.scene.live.nodes().iter().filter(|node| node.is_ours());
    let names = ours.filter_map(|node| Some((node.addr, node.name.as_deref()?.to_owned()))).collect();
    ToHost::SaveScenario { path, overwrite, names, refused: app.refused.clone() }
}

/// What a line typed after `:` asks of the network as it is shown, or why the console refuses it. A
/// command that would first need a question counts as confirmed.
pub fn judge(line: &str, model: &Model) -> Result<Vec<Command>, String> {
    match parse(line, model, model)? {
        Typed::Commands(commands) => Ok(commands),
        Typed::Act(deed, nodes) => {
            let plans = deed.plans(model, &nodes).into_iter().map(|(_, plan)| plan.confirmed());
            let commands = plans.collect::<Result<Vec<_>, _>>().map_err(|why| why.to_string())?;
            Ok(commands.concat())
        }
        Typed::Action(_)
        | Typed::Export(_)
        | Typed::SaveScenario(_)
        | Typed::Rerun(_)
        | Typed::Filter(_)
        | Typed::Sort(_)
        | Typed::Columns(_)
        | Typed::Why { .. }
        | Typed::Diff { .. }
        | Typed::At(_)
        | Typed::Speed(_) => Ok(Vec::new()),
    }
}
