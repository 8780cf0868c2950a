//! The line at the top: what is shown, and its state.
//!
//! ```text
//! gossipctl lab  LIVE | 2 seeds  10 up  1 suspect  1 dead | 41 msg/s | p4#17 reached 11/14 in 3 hops | REC | 00:03:13
//! ```

use std::path::Path;

use ratatui::text::Line;

use super::app::App;
use super::host::{JournalState, WatchedSession};
use super::items::{self, Item, line};
use super::options::Mode;
use super::text;
use super::theme::Tone;
use super::view::{View, clock_span};
use crate::model::identity::SessionIdentity;
use crate::model::rumor::{Counting, Coverage};
use crate::model::second_text;
use crate::model::words::{count_text, hops_text};
use crate::scenario::{Progress, ScenarioView};

pub(crate) fn render(app: &App, columns: usize, view: &View<'_>) -> Line<'static> {
    let bar = view.theme.bar();
    let fits = |items: &Vec<Item>| {
        let kept: Vec<Item> = items.iter().filter(|item| item.rank < PROGRAM_RANK).cloned().collect();
        items::width(&kept, bar) <= columns
    };
    let told = [Source::Path, Source::FileName].map(|source| items(app, source, view)).into_iter().find(fits);
    let items = told.unwrap_or_else(|| items(app, Source::Untold, view));
    line(with_reach(items, columns, view), columns, bar, view)
}

/// Rather than leave out how far a message came, says it in fewer words.
fn with_reach(mut items: Vec<Item>, columns: usize, view: &View<'_>) -> Vec<Item> {
    for words in [ReachWords::WithoutHops, ReachWords::Bare] {
        let kept: Vec<Item> = items.iter().filter(|item| item.rank <= REACH_RANK).cloned().collect();
        let place = items.iter().position(|item| item.rank == REACH_RANK);
        if items::width(&kept, view.theme.bar()) > columns
            && let (Some(place), Some(short)) = (place, latest(words, view))
        {
            items[place] = short;
        }
    }
    items
}

/// The rank of the program's name: whoever sees the screen knows it.
const PROGRAM_RANK: u8 = 9;
/// The rank of how far a message came: it says more than the number of nodes.
const REACH_RANK: u8 = 5;

/// In how many words it is said how far a message came.
#[derive(Debug, Clone, Copy)]
enum ReachWords {
    /// `p4#17 reached 11/14 in 3 hops`
    Whole,
    /// `p4#17 reached 11/14`
    WithoutHops,
    /// `p4#17 11/14`
    Bare,
}

/// How the file of a recording is shown: as much of its name as leaves room for the rest. Whoever
/// opened it knows which it is.
#[derive(Debug, Clone, Copy)]
enum Source {
    Path,
    FileName,
    Untold,
}

fn items(app: &App, source: Source, view: &View<'_>) -> Vec<Item> {
    let mut items = identity(app, view);
    items.push(state(app, source));
    items.extend(nodes(view));
    items.extend(faults(view));
    if let Some(rate) = rate(view) {
        items.push(rate);
    }
    items.extend(latest(ReachWords::Whole, view));
    let skipped = view.model.totals().skipped;
    if skipped > 0 {
        let skipped = text::count(usize::try_from(skipped).unwrap_or(usize::MAX));
        items.push(Item::new(4, 2, Tone::Suspect, format!("{skipped} events skipped")));
    }
    items.extend(scenario(app));
    items.extend(journal(app));
    items.push(Item::new(6, 8, Tone::Plain, duration(app, view)));
    items
}

/// What runs here; of sessions that are watched, nothing does. Of a lab, the numbers of nodes say it as well.
fn identity(app: &App, view: &View<'_>) -> Vec<Item> {
    let program = |name| Item::new(0, PROGRAM_RANK, Tone::Strong, name);
    match view.model.identity().filter(|_| app.scene.mode != Mode::Watch) {
        None => vec![program("gossipctl")],
        Some(SessionIdentity::Lab { .. }) => vec![program("gossipctl lab")],
        Some(node @ SessionIdentity::Node { .. }) => {
            vec![program("gossipctl"), Item::new(0, 0, Tone::Strong, node.text())]
        }
    }
}

fn state(app: &App, told: Source) -> Item {
    let scene = &app.scene;
    let (tone, text) = match (&scene.mode, scene.behind_live()) {
        (_, _) if scene.is_frozen() => {
            let new = usize::try_from(scene.new_events()).unwrap_or(usize::MAX);
            (Tone::Suspect, format!("FROZEN +{} new", text::count(new)))
        }
        (Mode::Live | Mode::Virtual | Mode::Watch, Some(behind)) => {
            let motion = if scene.is_playing() { motion(app) } else { String::new() };
            (Tone::Suspect, format!("BEHIND {}{motion}", clock_span(behind)))
        }
        (Mode::Live, None) => (Tone::Up, "LIVE".to_owned()),
        (Mode::Virtual, None) => (Tone::Up, "VIRTUAL".to_owned()),
        (Mode::Watch, None) => watch(&scene.watched),
        (Mode::Replay { source }, _) => {
            let moment = second_text(scene.shown_at(), scene.utc_offset_s);
            let reader = scene.reader.as_ref().map_or_else(String::new, |node| format!("as {node} "));
            (Tone::Wave, format!("REPLAY {reader}{moment}{}{}", motion(app), recording(source, told)))
        }
    };
    Item::new(0, 0, tone, text)
}

/// `WATCH 4 sessions`, `WATCH 3 of 4 sessions` if one has ended.
fn watch(sessions: &[WatchedSession]) -> (Tone, String) {
    let all = count_text(sessions.len() as u64, "session");
    match sessions.iter().filter(|session| session.is_running).count() {
        _ if sessions.is_empty() => (Tone::Up, "WATCH".to_owned()),
        0 => (Tone::Suspect, "WATCH ended".to_owned()),
        running if running == sessions.len() => (Tone::Up, format!("WATCH {all}")),
        running => (Tone::Up, format!("WATCH {running} of {all}")),
    }
}

/// ` 4x`, ` paused`.
fn motion(app: &App) -> String {
    match &app.scene.playback {
        _ if app.seeks.is_pending() => " seeking".to_owned(),
        Some(playback) if playback.is_playing() => format!(" {}", playback.speed),
        Some(_) => " paused".to_owned(),
        None => String::new(),
    }
}

fn recording(source: &str, told: Source) -> String {
    let name = Path::new(source).file_name().and_then(|name| name.to_str()).unwrap_or(source);
    match told {
        Source::Path => format!(" {source}"),
        Source::FileName => format!(" {name}"),
        Source::Untold => String::new(),
    }
}

fn nodes(view: &View<'_>) -> Vec<Item> {
    let counts = view.model.nodes().counts();
    let seeds = match view.model.no_seed() {
        Some(_) => Item::new(1, 0, Tone::Dead, "no seed reachable"),
        None => Item::new(1, 4, Tone::Seed, count_text(counts.seeds as u64, "seed")),
    };
    let mut items = vec![seeds, Item::new(1, 3, Tone::Up, format!("{} up", counts.up))];
    if counts.suspect > 0 {
        items.push(Item::new(1, 1, Tone::Suspect, format!("{} suspect", counts.suspect)));
    }
    if counts.dead > 0 {
        items.push(Item::new(1, 1, Tone::Dead, format!("{} dead", counts.dead)));
    }
    let warnings = view.model.warnings().count();
    if warnings > 0 {
        items.push(Item::new(1, 1, Tone::Suspect, count_text(warnings as u64, "warning")));
    }
    items
}

/// Faults that are set, so that nobody looks for another reason.
fn faults(view: &View<'_>) -> Option<Item> {
    let count = view.model.faults().iter().len();
    (count > 0).then(|| Item::new(1, 1, Tone::Suspect, count_text(count as u64, "fault")))
}

fn rate(view: &View<'_>) -> Option<Item> {
    view.model.started()?;
    let rate = view.model.messages_per_second(view.now);
    let text = if rate > 0.0 && rate < 9.95 { format!("{rate:.1} msg/s") } else { format!("{rate:.0} msg/s") };
    Some(Item::new(2, 6, Tone::Plain, text))
}

/// How far the message came whose spread is shown; nothing in a process with one peer.
fn latest(words: ReachWords, view: &View<'_>) -> Option<Item> {
    let shown = view.wave.and_then(|wave| view.model.rumors().get(wave.id));
    let rumor = shown.or_else(|| view.model.latest_rumor())?;
    let name = view.model.message_name(rumor.id);
    let (reached, hops) = match words {
        ReachWords::Whole => (" reached", hops_text(rumor).map_or_else(String::new, |hops| format!(" in {hops}"))),
        ReachWords::WithoutHops => (" reached", String::new()),
        ReachWords::Bare => ("", String::new()),
    };
    let least = if view.model.is_complete(rumor) { "" } else { "at least " };
    let Coverage { have, of } = rumor.coverage(view.model.nodes(), Counting::HadTime);
    let elsewhere = rumor.elsewhere(view.model.nodes()).count();
    let beyond = view.model.beyond_text(elsewhere, view.vantage);
    let text = match (of, elsewhere) {
        (0 | 1, 0) => format!("latest {name}"),
        (0 | 1, _) => format!("{name}{reached} {have}{beyond}"),
        (_, _) => format!("{name}{reached} {least}{have}/{of}{beyond}{hops}"),
    };
    Some(Item::new(3, REACH_RANK, Tone::Wave, text))
}

/// The progress of the scenario that is played.
fn scenario(app: &App) -> Option<Item> {
    let ScenarioView { progress: Progress { done, of, failed }, held, is_over, .. } = *app.scenario.as_ref()?;
    Some(match (failed, is_over) {
        (0, false) => Item::new(5, 3, Tone::Plain, format!("scenario {done}/{of}")),
        (0, true) => {
            Item::new(5, 3, Tone::Up, format!("scenario over, {} met", count_text(held as u64, "expectation")))
        }
        (_, false) => Item::new(5, 1, Tone::Dead, format!("scenario {done}/{of}, {failed} failed")),
        (_, true) => Item::new(5, 1, Tone::Dead, format!("scenario over, {failed} of {} failed", held + failed)),
    })
}

fn journal(app: &App) -> Option<Item> {
    if matches!(app.scene.mode, Mode::Replay { .. }) {
        return None;
    }
    match &app.journal {
        JournalState::Off => None,
        JournalState::Recording { .. } => Some(Item::new(5, 7, Tone::Dead, "REC")),
        JournalState::Failed { .. } => Some(Item::new(5, 1, Tone::Dead, "REC FAILED")),
    }
}

fn duration(app: &App, view: &View<'_>) -> String {
    match app.scene.mode {
        Mode::Live | Mode::Virtual => text::uptime(app.scene.network_now().since(app.started)),
        Mode::Replay { .. } | Mode::Watch => {
            text::uptime(view.model.started().map(|at| view.now.since(at)).unwrap_or_default())
        }
    }
}
