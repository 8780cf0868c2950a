//! The line at the bottom: what is being typed, what a second key press would do, or which keys there
//! are; above it, for a while, what just happened.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::action::{Action, Move, NodeDeed, PaneId, Travel};
use super::app::{App, Armed, WayBack};
use super::bindings::KEYS;
use super::fault::FaultPlan;
use super::host::{Objection, Severity};
use super::items::{self, Item};
use super::keys::{Binding, Hint};
use super::palette;
use super::prompt::{Prompt, PromptPurpose};
use super::text;
use super::theme::{Tone, selected};
use super::timeline;
use super::toast::Toast;
use super::view::{Target, View, severity_look};
use super::wave::WaveQuestion;
use crate::model::node::NodeRecord;
use crate::model::span_text;
use crate::model::timeline::TimelineMark;

/// Lines that an answer or news may take: more than the longest has at 80 columns. The notices keep
/// what is news.
const TOAST_LINES_MAX: usize = 4;

pub(crate) fn render(app: &App, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let columns = usize::from(area.width);
    if let Some(prompt) = &app.prompt {
        render_prompt(prompt, frame, area, view);
        return;
    }
    frame.render_widget(line(app, columns, view), area);
}

/// A key that is armed comes first, then the replay, then the keys.
fn line(app: &App, columns: usize, view: &View<'_>) -> Line<'static> {
    if let Some(armed) = &app.armed {
        return armed_line(armed, columns, view);
    }
    // A dialog shows its own keys.
    if !app.modals.is_empty() {
        return Line::default();
    }
    again(app, columns, view).unwrap_or_else(|| match timeline::told(app) {
        Some(mark) => mark_line(mark, app, columns, view),
        None => hints(app, columns, view),
    })
}

/// The answer or the news that is shown: not while something is typed or armed.
pub(crate) fn toast(app: &App) -> Option<&Toast> {
    app.toasts.shown().filter(|_| app.prompt.is_none() && app.armed.is_none())
}

/// Shows the answer or the news above `foot`, the line of keys, or on it if a dialog leaves it empty.
pub(crate) fn render_toast(app: &App, frame: &mut Frame<'_>, foot: Rect, view: &View<'_>) {
    let Some(toast) = toast(app) else { return };
    let lines = toast_lines(toast, usize::from(foot.width), view);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(foot.y);
    let bottom = if app.modals.is_empty() { foot.y } else { foot.bottom() };
    let area = Rect { y: bottom - height, height, ..foot };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines), area);
}

/// Which message is replayed, its progress, and the key that stops it.
fn again(app: &App, columns: usize, view: &View<'_>) -> Option<Line<'static>> {
    let (id, gone, lasts) = app.waves.again(app.scene.now)?;
    let rumor = view.model.rumors().get(id)?;
    let key = |action| view.keys.key_of(action);
    let name = view.model.message_name(id);
    let took = span_text(Duration::from_micros(rumor.spread_us()));
    let slowly = format!("{took} in {}, slowly", span_text(lasts));
    let items = vec![
        Item::new(0, 0, Tone::Wave, format!("{name} once more")),
        Item::new(0, 1, Tone::Plain, slowly),
        Item::new(0, 0, Tone::Plain, format!("{:.0} of {:.0} s", gone.as_secs_f64(), lasts.as_secs_f64())),
        Item::new(0, 0, Tone::Strong, format!("{} or {} stops it", key(Action::Wave), key(Action::Back))),
    ];
    let mut line = items::line(items, columns.saturating_sub(1), "  ", view);
    line.spans.insert(0, Span::raw(" "));
    Some(line)
}

fn armed_line(armed: &Armed, columns: usize, view: &View<'_>) -> Line<'static> {
    let text = format!(" {} again {}", view.keys.key_of(Action::Act(armed.deed)), armed.what);
    let text = text::truncate(&text, columns, view.theme.glyphs).into_owned();
    Line::from(Span::styled(text, selected(view.style(Tone::Dead))))
}

/// The whole text, and the keys that lead to its reason.
fn toast_lines(toast: &Toast, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let (tone, sign) = match toast.severity {
        Severity::Error => (Tone::Dead, "Error:"),
        Severity::Warning | Severity::Info => severity_look(toast.severity),
    };
    let text = text::plain(format!("{sign} {}", toast.text), view.theme.glyphs);
    let key = |action| view.keys.key_of(action);
    let why = toast.pane.map(|pane| format!("  {} {} why ", key(Action::Pane(pane)), key(Action::Details)));
    let room = columns.saturating_sub(2 + why.as_deref().map_or(0, text::width));
    let mut texts = text::wrap(&text, room.max(1));
    if texts.len() > TOAST_LINES_MAX {
        let rest = texts.split_off(TOAST_LINES_MAX - 1).join(" ");
        texts.push(text::truncate(&rest, room, view.theme.glyphs).into_owned());
    }
    let mut lines: Vec<Line<'static>> =
        texts.into_iter().map(|text| Line::from(view.span(tone, format!(" {text}")))).collect();
    if let (Some(why), Some(last)) = (why, lines.last_mut()) {
        last.push_span(" ".repeat((room + 2).saturating_sub(last.width())));
        last.push_span(view.span(Tone::Strong, why));
    }
    lines
}

fn render_prompt(prompt: &Prompt, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    palette::render(prompt, frame, area, view);
    let columns = usize::from(area.width);
    let overflow = prompt.field.overflow().map(|overflow| format!("  {overflow}"));
    let room = columns.saturating_sub(1 + overflow.as_deref().map_or(0, text::width));
    let (shown, cursor) = prompt.field.window(room);
    let used = 1 + text::width(&shown);
    let mut spans = vec![view.span(Tone::Strong, prompt.sign().to_string()), view.span(Tone::Plain, shown)];
    spans.extend(overflow.iter().map(|overflow| view.span(Tone::Dead, overflow.clone())));
    if overflow.is_none() {
        let room = columns.saturating_sub(used);
        spans.push(view.span(Tone::Stale, beside(prompt, room)));
    }
    frame.render_widget(Line::from(spans), area);
    let x = area.x + 1 + u16::try_from(cursor).unwrap_or(u16::MAX).min(area.width.saturating_sub(2));
    frame.set_cursor_position(Position { x, y: area.y });
}

/// The keys of a filter, beside it. What a command can become stands above it.
fn beside(prompt: &Prompt, columns: usize) -> String {
    let notes: &[&str] = match prompt.purpose {
        PromptPurpose::Command => &[],
        PromptPurpose::Filter { .. } => &["   Enter keeps it", "  Esc undoes it", "  ! in front: only the others"],
    };
    let fits = |count: &usize| text::width(&notes[..*count].concat()) <= columns;
    let count = (0..=notes.len()).rev().find(fits).unwrap_or(0);
    notes[..count].concat()
}

/// The ways back, the panes that are not on the screen with their counts, and the keys.
fn hints(app: &App, columns: usize, view: &View<'_>) -> Line<'static> {
    let mut items = ways_back(app, view);
    items.extend(app.hidden.iter().filter(|pane| **pane != app.focus).filter_map(|pane| count(*pane, app, view)));
    let (target, own) = (app.target(view), app.panes.get(app.focus).hints(view));
    items.extend(own.into_iter().filter_map(|(action, hint)| {
        let key = view.keys.key_of(action);
        let parts = vec![(Tone::Strong, key), (Tone::Wave, format!(" {}", hint.word))];
        (!parts[0].1.is_empty()).then_some(Item { group: 1, rank: hint.rank, parts })
    }));
    items.extend(KEYS.iter().filter_map(|binding| {
        let hint = binding.hint?;
        hint_item(binding, hint, target, app, view)
    }));
    let room = columns.saturating_sub(1);
    let mut line = items::line(items::fitting(items, room, "  "), room, "  ", view);
    line.spans.insert(0, Span::raw(" "));
    line
}

/// What happened at the mark under the cursor, and the keys that lead on.
fn mark_line(mark: &TimelineMark, app: &App, columns: usize, view: &View<'_>) -> Line<'static> {
    let keys = [Travel::MarkBack, Travel::MarkForward].map(|way| view.keys.key_of(Action::Travel(way)));
    let mut items = ways_back(app, view);
    items.push(Item {
        group: 0,
        rank: 0,
        parts: vec![(Tone::Strong, keys.join(" ")), (Tone::Plain, " marks".to_owned())],
    });
    let keys = items::line(items, columns / 2, "  ", view);
    let room = columns.saturating_sub(keys.width() + 2);
    let mut line = timeline::mark_line(mark, room, view);
    line.push_span(" ".repeat(columns.saturating_sub(line.width() + keys.width() + 1)));
    line.spans.extend(keys.spans);
    line
}

/// Where the user has gone, and the key that leads back. The last to be left out.
fn ways_back(app: &App, view: &View<'_>) -> Vec<Item> {
    let item = |action, word: String| {
        let key = view.keys.key_of(action);
        Item { group: 0, rank: 0, parts: vec![(Tone::Strong, key), (Tone::Wave, format!(" {word}"))] }
    };
    let esc = match app.way_back() {
        WayBack::Filter => Some("show all lines"),
        WayBack::AllPanes => Some("back to all panes"),
        WayBack::Replay | WayBack::Freeze | WayBack::Past | WayBack::FirstPane => None,
    };
    let mut items: Vec<Item> = esc.map(|word| item(Action::Back, word.to_owned())).into_iter().collect();
    if app.scene.is_frozen() {
        items.push(item(Action::Freeze, "go on".to_owned()));
    }
    if app.scene.playback.is_some() {
        let word = if app.scene.is_playing() { "pause" } else { "play" };
        items.push(item(Action::Freeze, word.to_owned()));
    }
    if app.scene.behind_live().is_some() {
        items.push(item(Action::Move(Move::Follow), "live".to_owned()));
        return items;
    }
    if let Some(below) = app.panes.get(app.focus).new_below(view) {
        let new = if below == 0 { String::new() } else { format!(", {} new", text::count(below)) };
        items.push(item(Action::Move(Move::Follow), format!("follow{new}")));
    }
    items
}

/// `5 reports (1)`, and the filter that is on; `9 rates` of a pane without lines. Keys that do something
/// outrank empty panes.
fn count(pane: PaneId, app: &App, view: &View<'_>) -> Option<Item> {
    let info = pane.info();
    let filter = app.panes.get(pane).filter();
    let (tone, rank, count) = match info.count.map(|count| count(view)) {
        None => (Tone::Plain, Some(info.rank), String::new()),
        Some((0, _)) => (Tone::Stale, info.rank_empty, " (0)".to_owned()),
        Some((count, tone)) => (tone, Some(info.rank), format!(" ({})", text::count(count))),
    };
    let rank = if filter.is_all() { rank? } else { 0 };
    let count = format!(" {}{count}", info.word);
    let mut parts = vec![(Tone::Strong, pane.number().to_string()), (tone, count)];
    if !filter.is_all() {
        parts.push((Tone::Suspect, format!(" /{}", filter.typed())));
    }
    Some(Item { group: 0, rank, parts })
}

/// A key, what it does, and to which node. Keys that would only be refused are left out.
fn hint_item(binding: &Binding, hint: Hint, target: Option<Target>, app: &App, view: &View<'_>) -> Option<Item> {
    let key = view.keys.key_of(binding.action);
    let (word, rank) = match plan(binding.action, target, view) {
        Some(FaultPlan::Refuse(_)) => return None,
        Some(FaultPlan::Now(_) | FaultPlan::Arm { .. } | FaultPlan::Ask { .. }) => {
            (acting(binding.action, hint, target?, view), hint.rank)
        }
        None if binding.action == Action::WaveTable => who(hint, view)?,
        None if is_idle(binding.action, target, app, view) => return None,
        None => (hint.word.to_owned(), hint.rank),
    };
    if key.is_empty() || (changes_nodes(binding.action) && !app.scene.takes_commands()) {
        return None;
    }
    let parts = vec![(Tone::Strong, key), (Tone::Plain, format!(" {word}"))];
    Some(Item { group: 1, rank, parts })
}

/// Who has the message, or who lacks it: the first question when not everybody got it.
fn who(hint: Hint, view: &View<'_>) -> Option<(String, u8)> {
    Some(match view.question()? {
        WaveQuestion::Has(_) => (hint.word.to_owned(), hint.rank),
        WaveQuestion::Lacks(id) => (format!("who lacks {}", view.model.message_name(id)), 2),
    })
}

/// There is nothing for this key to act on, or another item says what it does now.
fn is_idle(action: Action, target: Option<Target>, app: &App, view: &View<'_>) -> bool {
    let runs_a_peer = || view.model.nodes().iter().any(NodeRecord::is_running_peer);
    (action == Action::Faults && target.is_none())
        || (action == Action::Message && !runs_a_peer())
        || (action == Action::Wave && view.wave.is_none())
        || (action == Action::Freeze && (app.scene.is_frozen() || app.scene.playback.is_some()))
        || (matches!(action, Action::Travel(_)) && app.scene.playback.is_none())
        || (action == Action::Filter && !app.focus.has_lines())
        || (matches!(action, Action::Zoom | Action::Quit) && app.is_alone())
}

/// What a key would do to the selected node, if it acts on nodes.
fn plan(action: Action, target: Option<Target>, view: &View<'_>) -> Option<FaultPlan> {
    let Action::Act(deed) = action else { return None };
    let nothing = FaultPlan::Refuse(Objection::NothingSelected);
    Some(target.map_or(nothing, |target| deed.plan(view.model, target)))
}

/// `kill p4`; for a node elsewhere the word is another.
fn acting(action: Action, hint: Hint, target: Target, view: &View<'_>) -> String {
    let is_elsewhere = view.model.nodes().get(target.node()).is_some_and(|node| !node.is_ours());
    let word = match (is_elsewhere, action) {
        (true, Action::Act(NodeDeed::Kill)) => "cut",
        (true, Action::Act(NodeDeed::Restart)) => "heal",
        (true | false, _) => hint.word,
    };
    format!("{word} {}", view.name(target.node()))
}

/// The past takes no such key, and neither does what is only watched.
fn changes_nodes(action: Action) -> bool {
    use Action::{Act, Add, Faults, Message};
    matches!(action, Add | Message | Act(_) | Faults)
}
