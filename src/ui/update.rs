//! The user's input and its results: [`App`] changes, and collects what it wants done.

mod typing;

use crossterm::event::{Event, KeyEvent, KeyEventKind};

pub use self::typing::judge;
use self::typing::{apply_filter, on_prompt_key, save_scenario};
use super::action::{Action, Move, NodeDeed, PaneId};
use super::app::{ARMED_TIME, App, Armed, ConsoleEffect, WayBack, Zoom};
use super::decode::Paste;
use super::explain::{Subject, depicted};
use super::fault::{self, FaultPlan};
use super::filter::Filter;
use super::host::{FromHost, JournalState, Overwrite, Severity, ToHost};
use super::keys::{Key, Pressed, is_interrupt};
use super::modal::add::{NodeChoice, add};
use super::modal::confirm::Confirm;
use super::modal::differences::differences;
use super::modal::faults::FaultMenu;
use super::modal::help::help;
use super::modal::networks::networks;
use super::modal::path;
use super::modal::recordings::recordings;
use super::modal::rerun::rerun;
use super::modal::say::say;
use super::modal::wave::WaveTable;
use super::modal::why::WhyDialog;
use super::modal::{Covers, Reply};
use super::mouse::on_mouse;
use super::options::Mode;
use super::prompt::Prompt;
use super::seek::TimeDirection;
use super::travel;
use super::view::{Target, clock_span};
use super::watch;
use crate::command::{Command, FaultCommand, grammar};
use crate::proto::addr::Addr;

/// An event of the terminal; returns what is to be done.
pub(crate) fn on_event(app: &mut App, event: &Event) -> Vec<ConsoleEffect> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => on_key(app, *key),
        Event::Mouse(mouse) => on_mouse(app, *mouse),
        // Pastes come separately.
        Event::Key(_) | Event::Paste(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => {}
    }
    std::mem::take(&mut app.effects)
}

/// Pasted text goes into the line at the bottom or the dialog, and nowhere else.
pub(crate) fn on_paste(app: &mut App, paste: &Paste) {
    if let Some(prompt) = &mut app.prompt {
        prompt.paste(paste);
        apply_filter(app);
    } else if let Some(modal) = app.modals.last_mut() {
        modal.paste(paste);
    }
}

fn on_key(app: &mut App, event: KeyEvent) {
    let key = Key::from(event);
    let pressed = app.scene.keys.press(app.begun.take(), key);
    match pressed {
        // These work everywhere, or a user could be locked in.
        _ if is_interrupt(key) => app.effects.push(ConsoleEffect::Quit),
        Pressed::Action(Action::Suspend) => app.effects.push(ConsoleEffect::Suspend),
        Pressed::Action(Action::Quit) if key.typed().is_none() => app.effects.push(ConsoleEffect::Quit),
        _ if app.prompt.is_some() => on_prompt_key(app, key),
        _ if !app.modals.is_empty() => on_modal_key(app, key),
        Pressed::Action(action) => update(app, action),
        Pressed::Begun(key) => app.begun = Some(key),
        Pressed::Nothing => app.armed = None,
    }
}

fn on_modal_key(app: &mut App, key: Key) {
    let Some(modal) = app.modals.last_mut() else { return };
    let reply = modal.press(key, &app.scene.keys);
    if matches!(reply, Reply::Close | Reply::Type(_) | Reply::Done(_)) {
        app.modals.pop();
    }
    match reply {
        Reply::Stay | Reply::Close => {}
        Reply::Open(modal) => app.modals.push(modal),
        Reply::Ask(wanted) => tell_host(app, wanted),
        Reply::Type(command) => app.prompt = Some(Prompt::command(&command)),
        Reply::Explain(subject) => ask(app, subject),
        Reply::GoTo(at) => {
            app.modals.retain(|modal| modal.covers() == Covers::Screen);
            travel::stop_at(app, at);
        }
        Reply::Copy(text) => copy(app, text),
        Reply::Quit => app.effects.push(ConsoleEffect::Quit),
        Reply::Done(wanted) => {
            if wanted.iter().any(|wanted| matches!(wanted, ToHost::Command(_))) {
                app.modals.retain(|modal| modal.covers() != Covers::Screen);
            }
            for wanted in wanted {
                tell_host(app, wanted);
            }
        }
    }
}

/// Asks the host for something; a message that the user sends is followed.
fn tell_host(app: &mut App, wanted: ToHost) {
    if let ToHost::Command(Command::Say { node, body }) = &wanted {
        app.waves.look_out_for(*node, body.clone(), app.scene.network_now());
    }
    app.effects.push(ConsoleEffect::Host(wanted));
}

/// Does what a key or a command means.
pub(crate) fn update(app: &mut App, action: Action) {
    let armed = app.armed.take();
    if matches!(action, Action::Act(_) | Action::Calm) {
        app.toasts.outdate();
    }
    match action {
        Action::Move(Move::Follow) if travel::is_away(app) => travel::go_live(app),
        Action::Move(Move::NextMatch) => travel::find(app, TimeDirection::Forward),
        Action::Move(Move::PreviousMatch) => travel::find(app, TimeDirection::Back),
        Action::Move(wanted) => {
            let focus = app.focus;
            let (panes, view) = app.split();
            panes.act(focus, wanted, &view);
        }
        Action::Pane(pane) => app.focus = pane,
        Action::NextPane => app.focus = app.focus.next(),
        Action::PreviousPane => app.focus = app.focus.previous(),
        Action::Details => details(app),
        Action::Prove => no_answer(app),
        Action::Back => back(app),
        Action::Zoom | Action::Quit if app.is_alone() => app.show_all(),
        Action::Zoom => app.zoom = Zoom::On,
        Action::Freeze => travel::stop_or_go_on(app),
        Action::Travel(wanted) => travel::go(app, wanted),
        Action::Filter if !app.focus.has_lines() => no_lines(app),
        Action::Filter => app.prompt = Some(Prompt::filter(app.focus, app.panes.get(app.focus).filter().clone())),
        Action::CommandLine => app.prompt = Some(Prompt::command("")),
        Action::Add if is_live(app) => app.open(add(NodeChoice::Peer, app.form_defaults())),
        Action::Message if is_live(app) => write_message(app),
        Action::Faults if is_live(app) => faults(app),
        Action::Calm if is_live(app) => calm(app),
        Action::Add | Action::Message | Action::Faults | Action::Calm => {}
        Action::Act(deed) => act(app, deed, armed),
        Action::Copy => {
            if let Some(line) = app.panes.line_of(app.focus, &app.view()) {
                copy(app, line);
            }
        }
        Action::Export => app.open(path::export(&app.export_name, app.export_check)),
        Action::Wave => show_again(app),
        Action::WaveTable => who_has_it(app),
        Action::Diagram => draw_selection(app),
        Action::Layout => app.panes.each().for_each(|pane| pane.lay_out()),
        Action::Help => app.open(help(Some(app.focus))),
        Action::Suspend => app.effects.push(ConsoleEffect::Suspend),
        Action::Quit => app.effects.push(ConsoleEffect::Quit),
    }
}

/// The pane in front has nothing to filter.
fn no_lines(app: &mut App) {
    app.show(Severity::Warning, format!("{} has no lines to filter", app.focus.info().title));
}

/// Only an answer can be proven.
fn no_answer(app: &mut App) {
    let (prove, why) = (app.scene.keys.key_of(Action::Prove), app.scene.keys.key_of(Action::Details));
    app.show(Severity::Warning, format!("{prove} proves an answer: {why} opens the one about the selection"));
}

/// Leaves the innermost of what was entered.
fn back(app: &mut App) {
    match app.way_back() {
        WayBack::Replay => drop(app.waves.stop()),
        WayBack::Filter => app.panes.get_mut(app.focus).set_filter(Filter::default()),
        WayBack::AllPanes => app.show_all(),
        WayBack::Freeze => app.scene.toggle_freeze(),
        WayBack::Past => travel::go_live(app),
        WayBack::FirstPane => {
            app.focus = PaneId::FIRST;
            app.toasts.dismiss();
        }
    }
}

/// Replays the message, or stops the replay.
fn show_again(app: &mut App) {
    if app.waves.stop() {
        return;
    }
    let wave = app.view().wave;
    match wave.and_then(|wave| app.scene.view().model.rumors().get(wave.id)) {
        Some(rumor) => app.waves.show_again(rumor, app.scene.now),
        None => app.show(Severity::Warning, "no message to show yet"),
    }
}

/// The past cannot be changed, and what is watched not from here; then that is said.
fn is_live(app: &mut App) -> bool {
    takes(app, None)
}

/// The same for a command that is known.
fn takes(app: &mut App, command: Option<&Command>) -> bool {
    let why = match (&app.scene.mode, app.scene.behind_live()) {
        (Mode::Live | Mode::Virtual, None) => return true,
        (Mode::Live | Mode::Virtual, Some(behind)) => {
            let live = app.scene.keys.key_of(Action::Move(Move::Follow));
            format!("this was {} ago, and nodes run now: {live} goes back to live", clock_span(behind))
        }
        (Mode::Watch, _) => watch::refusal(&app.scene, command),
        (Mode::Replay { .. }, _) => "this is a recording: nothing can be done to its nodes".to_owned(),
    };
    app.show(Severity::Warning, why);
    false
}

fn write_message(app: &mut App) {
    let preferred = app.target(&app.view()).map(Target::node);
    match say(&app.scene.live, preferred) {
        Some(form) => app.open(form),
        None => app.show(Severity::Warning, "no peer of this process runs: start one first"),
    }
}

/// Does this to the selected node; to kill or hang it takes a second key press.
fn act(app: &mut App, deed: NodeDeed, armed: Option<Armed>) {
    let Some(target) = selected_target(app) else { return };
    let is_second = |armed: &Armed| armed.deed == deed && armed.target == target && armed.until > app.scene.now;
    if let Some(armed) = armed.filter(is_second) {
        give(app, armed.commands);
    } else {
        let plan = deed.plan(&app.scene.live, target);
        carry_out(app, deed, &[target.node()], target, plan);
    }
}

fn faults(app: &mut App) {
    if let Some(target) = selected_target(app) {
        match FaultMenu::new(target, &app.scene.live) {
            Some(menu) => app.open(menu),
            None => app.show(Severity::Warning, format!("{} has left", app.scene.live.name_of(target.node()))),
        }
    }
}

/// Ends all faults, and says which nodes come back with that. A key that does nothing says so.
fn calm(app: &mut App) {
    let model = &app.scene.live;
    match (fault::calming(model), fault::calming_risk(model)) {
        (what, Some(risk)) => app.show(Severity::Warning, format!("{what}. {risk}")),
        (what, None) => app.show(Severity::Info, what),
    }
    give(app, vec![Command::Fault(FaultCommand::Calm)]);
}

fn selected_target(app: &mut App) -> Option<Target> {
    let target = app.target(&app.view());
    if target.is_none() {
        let text = format!("no node is selected: press {} to start one", app.scene.keys.key_of(Action::Add));
        app.show(Severity::Warning, text);
    }
    target
}

/// Gives these commands.
fn give(app: &mut App, commands: Vec<Command>) {
    if takes(app, commands.first()) {
        for command in commands {
            tell_host(app, ToHost::Command(command));
        }
    }
}

/// Carries out the plan for a deed; a refusal is remembered as it would be typed.
fn carry_out(app: &mut App, deed: NodeDeed, nodes: &[Addr], target: Target, plan: FaultPlan) {
    let first = nodes.first().map(|node| deed.command(*node));
    if !takes(app, first.as_ref()) {
        return;
    }
    match plan {
        FaultPlan::Now(commands) => give(app, commands),
        FaultPlan::Arm { what, commands } => {
            app.armed = Some(Armed { what, deed, target, commands, until: app.scene.now + ARMED_TIME });
        }
        FaultPlan::Ask { question, word, commands } => {
            app.open(Confirm::new(question, word, commands.into_iter().map(ToHost::Command).collect()));
        }
        FaultPlan::Refuse(why) => {
            let model = &app.scene.live;
            let name = |node| model.name_of(node).into_owned();
            let wishes = nodes.iter().map(|node| grammar::text(&deed.command(*node), &name));
            let what = wishes.collect::<Vec<_>>().join("; ");
            app.refuse(Severity::Warning, what, why);
        }
    }
}

fn copy(app: &mut App, text: String) {
    app.show(Severity::Info, "copied, if the terminal allows it (OSC 52)");
    app.effects.push(ConsoleEffect::Copy(text));
}

fn details(app: &mut App) {
    if let Some(subject) = app.panes.get(app.focus).selection(&app.view()).subject {
        ask(app, subject);
    }
}

/// Opens the answer that this node alone could give.
fn ask_alone(app: &mut App, subject: Subject, reader: Addr) {
    let dialog = WhyDialog::alone(subject, reader, &app.view());
    app.open(dialog);
}

/// Opens the answer; for a message, its table.
fn ask(app: &mut App, subject: Subject) {
    if let Subject::Message(id) = subject {
        app.open(WaveTable::new(id));
    } else if let Some(dialog) = WhyDialog::new(subject, &app.view()) {
        app.open(dialog);
    }
}

/// Draws what is selected in the pane in front, in time; in a diagram, what its selected item is about.
fn draw_selection(app: &mut App) {
    let (from, pane) = (app.focus, PaneId::of_diagrams());
    let (panes, view) = app.split();
    let subject = panes.get(from).selection(&view).subject.and_then(|subject| depicted(subject, &view));
    if from != pane || subject.is_some() {
        panes.get_mut(pane).depict(subject, &view);
    }
    app.leave_for(pane);
}

/// The table of the message in question.
fn who_has_it(app: &mut App) {
    match app.view().question() {
        Some(question) => ask(app, Subject::Message(question.id())),
        None => app.show(Severity::Warning, "no message to show yet"),
    }
}

/// A message from the host.
pub(crate) fn on_host(app: &mut App, message: FromHost) {
    match message {
        FromHost::Exported { path, events } => {
            let events = crate::model::words::count_text(events, "event");
            app.note(Severity::Info, &format!("exported {events} to {}", path.display()));
        }
        FromHost::ExportExists { path } => {
            let question = format!("{} exists. Replace it?", path.display());
            let wanted = vec![ToHost::Export { path, overwrite: Overwrite::Allowed }];
            app.open(Confirm::new(question, "Replace", wanted));
        }
        FromHost::ExportFailed { path, why } => {
            app.note(Severity::Error, &format!("not exported to {}: {why}", path.display()));
        }
        FromHost::ScenarioSaved { path } => {
            app.note(Severity::Info, &format!("saved as a scenario: gossipctl lab --script {}", path.display()));
        }
        FromHost::ScenarioExists { path } => {
            let question = format!("{} exists. Replace it?", path.display());
            app.open(Confirm::new(question, "Replace", vec![save_scenario(app, path, Overwrite::Allowed)]));
        }
        FromHost::Differences(found) => app.open(differences(*found)),
        FromHost::RerunPlays(progress) => app.show(Severity::Info, progress),
        FromHost::Rerun(told) => app.open(rerun(told)),
        FromHost::Proof { answer, told } => app.hear_proof(&answer, &told),
        FromHost::Alone { question, answer } => app.hear_alone(question, &answer),
        FromHost::Events { question, answer } => {
            app.panes.get_mut(PaneId::of_diagrams()).hear_events(question, answer);
        }
        FromHost::Recordings(rows) => app.modals.push(recordings(rows)),
        FromHost::Networks(rows) => {
            let is_listed = app.modals.first_mut().is_some_and(|modal| modal.hear_networks(&rows));
            if !is_listed {
                app.modals = vec![networks(rows)];
            }
        }
        FromHost::Watching(past) => travel::watch(app, *past),
        FromHost::Watched(sessions) => app.scene.watched = sessions,
        FromHost::Opened(recording) => travel::open(app, *recording),
        FromHost::Moment(moment) => travel::arrive(app, moment),
        FromHost::NoMoment { id, why } => travel::stay(app, id, &why),
        FromHost::Timeline(timeline) => app.scene.timeline = *timeline,
        FromHost::Upcoming(upcoming) => {
            if let Some(playback) = &mut app.scene.playback {
                playback.supply(upcoming);
            }
        }
        FromHost::Notice { severity, text } => app.tell(severity, &text),
        FromHost::Refused { why } => app.note(Severity::Error, &why.to_string()),
        FromHost::Scenario(view) => app.scenario = Some(*view),
        FromHost::JournalState(state) => {
            if let JournalState::Failed { why } = &state {
                app.tell(Severity::Error, &format!("the session is not recorded: {why}"));
            }
            app.journal = state;
        }
    }
}
