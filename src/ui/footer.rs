//! The line at the bottom: what is being typed, what a second key press would do, what just
//! happened, or which keys there are.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::action::{Action, Deed, PaneId};
use super::app::{App, Armed};
use super::bindings::KEYS;
use super::fault::FaultPlan;
use super::host::Objection;
use super::items::{self, Item};
use super::keys::{Binding, Hint};
use super::options::Mode;
use super::palette;
use super::prompt::Prompt;
use super::text;
use super::theme::{Tone, selected};
use super::toast::Toast;
use super::view::{Target, View, severity_look};
use super::wave::Question;
use crate::model::span_text;

pub(crate) fn render(app: &App, hidden: &[PaneId], frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let columns = usize::from(area.width);
    if let Some(prompt) = &app.prompt {
        render_prompt(prompt, frame, area, view);
        return;
    }
    frame.render_widget(line(app, hidden, columns, view), area);
}

/// Answers to the user come first, then news, then the keys.
fn line(app: &App, hidden: &[PaneId], columns: usize, view: &View<'_>) -> Line<'static> {
    if let Some(armed) = &app.armed {
        return armed_line(armed, columns, view);
    }
    // A dialog shows its own keys.
    let is_covered = !app.modals.is_empty();
    match (app.toasts.shown(), again(app, columns, view).filter(|_| !is_covered)) {
        (Some(toast), Some(again)) if toast.is_news() => again,
        (Some(toast), _) => toast_line(toast, columns, view),
        (None, Some(again)) => again,
        (None, None) if is_covered => Line::default(),
        (None, None) => hints(app, hidden, columns, view),
    }
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

fn toast_line(toast: &Toast, columns: usize, view: &View<'_>) -> Line<'static> {
    let (tone, sign) = severity_look(toast.severity);
    let text = text::plain(format!(" {sign} {}", toast.text), view.theme.glyphs);
    let mut line = Line::from(view.span(tone, text::truncate(&text, columns, view.theme.glyphs)));
    if let Some(pane) = toast.pane {
        let key = |action| view.keys.key_of(action);
        let why = format!("{} {} why ", key(Action::Pane(pane)), key(Action::Details));
        let room = columns.saturating_sub(line.width() + text::width(&why));
        // A line that is cut has no room for the keys, either.
        if room > 1 {
            line.push_span(" ".repeat(room));
            line.push_span(view.span(Tone::Strong, why));
        }
    }
    line
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
    let offers = prompt.offers(view.model);
    let words: Vec<&str> = offers.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    let offers = if overflow.is_some() { String::new() } else { format!("   {}", words.join(" ")) };
    spans.push(view.span(Tone::Stale, text::truncate(&offers, columns.saturating_sub(used), view.theme.glyphs)));
    frame.render_widget(Line::from(spans), area);
    let x = area.x + 1 + u16::try_from(cursor).unwrap_or(u16::MAX).min(area.width.saturating_sub(2));
    frame.set_cursor_position(Position { x, y: area.y });
}

/// The keys, and the panes that are not on the screen with their counts.
fn hints(app: &App, hidden: &[PaneId], columns: usize, view: &View<'_>) -> Line<'static> {
    let mut items: Vec<Item> = hidden.iter().filter_map(|pane| count(*pane, view)).collect();
    let target = app.target(view);
    items.extend(KEYS.iter().filter_map(|binding| {
        let hint = binding.hint?;
        hint_item(binding, hint, target, app, view)
    }));
    let mut line = items::line(items, columns.saturating_sub(1), "  ", view);
    line.spans.insert(0, Span::raw(" "));
    line
}

/// `5 reports (1)`. Keys that do something outrank empty panes.
fn count(pane: PaneId, view: &View<'_>) -> Option<Item> {
    let info = pane.info();
    let (tone, rank, count) = match (info.count)(view) {
        (0, _) => (Tone::Stale, info.rank_empty?, 0),
        (count, tone) => (tone, info.rank, count),
    };
    let count = format!(" {} ({})", info.word, text::count(count));
    Some(Item { group: 0, rank, parts: vec![(Tone::Strong, pane.number().to_string()), (tone, count)] })
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
        None if binding.action == Action::Faults && target.is_none() => return None,
        None => (hint.word.to_owned(), hint.rank),
    };
    let is_recording = matches!(app.scene.mode, Mode::Replay { .. });
    if key.is_empty() || (changes_nodes(binding.action) && is_recording) {
        return None;
    }
    let parts = vec![(Tone::Strong, key), (Tone::Plain, format!(" {word}"))];
    Some(Item { group: 1, rank, parts })
}

/// Who has the message, or who lacks it: the first question when not everybody got it.
fn who(hint: Hint, view: &View<'_>) -> Option<(String, u8)> {
    Some(match view.question()? {
        Question::Has(_) => (hint.word.to_owned(), hint.rank),
        Question::Lacks(id) => (format!("who lacks {}", view.short_message(id)), 1),
    })
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
        (true, Action::Act(Deed::Kill)) => "cut",
        (true, Action::Act(Deed::Restart)) => "heal",
        (true | false, _) => hint.word,
    };
    format!("{word} {}", view.name(target.node()))
}

/// A recording takes no such key.
fn changes_nodes(action: Action) -> bool {
    use Action::{Act, Add, Faults, Message};
    matches!(action, Add | Message | Act(_) | Faults)
}
