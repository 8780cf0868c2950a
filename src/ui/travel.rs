//! Going to other moments of a session, and playing it from there.

use super::action::{PaneId, Travel};
use super::app::{App, ConsoleEffect};
use super::host::{Severity, ToHost};
use super::options::Mode;
use super::pane::Panes;
use super::playback::{Motion, Playback};
use super::seek::{Destination, Direction, NoSuchMoment, OpenedRecording, PastMoment, Seek, SeekId};
use super::wave::Waves;
use crate::proto::time::Time;

/// The moments that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Seeks {
    last: SeekId,
    /// What is to be done when the last one is shown.
    pending: Option<Arrival>,
}

/// How it goes on from a moment that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// As it was before.
    GoOn,
    /// It stands still.
    Stop,
    /// It stands still, and this pane shows what happened then.
    StopAt(PaneId),
}

impl Seeks {
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }
}

/// A recording was opened.
pub(crate) fn open(app: &mut App, recording: OpenedRecording) {
    let start = recording.start;
    app.scene.open(recording);
    app.panes = Panes::default();
    app.modals.clear();
    app.waves = Waves::default();
    seek(app, Destination::Time(start), Arrival::GoOn);
}

/// Another moment than now is shown of a session that runs.
pub(crate) fn is_away(app: &App) -> bool {
    app.scene.is_frozen() || app.scene.behind_live().is_some()
}

pub(crate) fn go_live(app: &mut App) {
    app.scene.go_live();
    app.seeks.pending = None;
    look_again(app);
}

/// Plays or pauses what is shown of the past; else freezes the picture, or lets it go on.
pub(crate) fn stop_or_go_on(app: &mut App) {
    let (is_replay, now) = (matches!(app.scene.mode, Mode::Replay { .. }), app.scene.now);
    let Some(playback) = &mut app.scene.playback else { return app.scene.toggle_freeze() };
    if playback.is_playing() {
        playback.motion = Motion::Paused;
        // What was followed for a glance gives way to what a pause here always shows.
        app.waves = Waves::default();
        return;
    }
    playback.play(now);
    let (at, span) = (playback.at(), playback.span);
    if is_replay && at >= span.last && at > span.first {
        seek(app, Destination::Time(span.first), Arrival::GoOn);
    }
}

/// Does what a key asks.
pub(crate) fn go(app: &mut App, wanted: Travel) {
    let pane = app.focus;
    let event = |direction| Destination::Event { direction, scope: pane.info().scope };
    match wanted {
        Travel::EventBack => seek(app, event(Direction::Back), Arrival::StopAt(pane)),
        Travel::EventForward if is_now(app) => app.show(Severity::Info, "this is now"),
        Travel::EventForward => seek(app, event(Direction::Forward), Arrival::StopAt(pane)),
        Travel::MarkBack | Travel::MarkForward => {}
        Travel::Beginning => match first(app) {
            Some(first) => seek(app, Destination::Time(first), Arrival::GoOn),
            None => app.show(Severity::Info, "nothing has happened yet"),
        },
        Travel::End => match &app.scene.playback {
            Some(Playback { span, .. }) if matches!(app.scene.mode, Mode::Replay { .. }) => {
                let last = span.last;
                seek(app, Destination::Time(last), Arrival::Stop);
            }
            Some(_) | None if is_now(app) => app.show(Severity::Info, "this is now"),
            Some(_) | None => go_live(app),
        },
    }
}

fn is_now(app: &App) -> bool {
    !matches!(app.scene.mode, Mode::Replay { .. }) && !is_away(app)
}

/// When the first event happened.
fn first(app: &App) -> Option<Time> {
    match (&app.scene.mode, &app.scene.playback) {
        (Mode::Replay { .. }, playback) => playback.as_ref().map(|playback| playback.span.first),
        (Mode::Live | Mode::Virtual, _) => app.scene.live.started(),
    }
}

fn seek(app: &mut App, to: Destination, then: Arrival) {
    app.seeks.last.0 += 1;
    app.seeks.pending = Some(then);
    let from = app.scene.shown_at();
    app.effects.push(ConsoleEffect::Host(ToHost::Seek(Seek { id: app.seeks.last, from, to })));
}

/// The moment that was asked for is here, unless it is too late for that.
pub(crate) fn arrive(app: &mut App, moment: PastMoment) {
    if moment.id != app.seeks.last {
        return;
    }
    let Some(then) = app.seeks.pending.take() else { return };
    let first = first(app).unwrap_or(moment.at);
    app.scene.show(moment, first);
    if let (Arrival::Stop | Arrival::StopAt(_), Some(playback)) = (then, &mut app.scene.playback) {
        playback.motion = Motion::Paused;
    }
    look_again(app);
    if let Arrival::StopAt(pane) = then {
        app.panes.get_mut(pane).follow_newest();
    }
}

/// The moment that was asked for cannot be shown.
pub(crate) fn stay(app: &mut App, id: SeekId, why: &NoSuchMoment) {
    if id == app.seeks.last && app.seeks.pending.take().is_some() {
        app.show(Severity::Warning, why.to_string());
    }
}

/// What panes remember of another moment does not hold for this one.
fn look_again(app: &mut App) {
    app.waves = Waves::default();
    app.panes.each().for_each(|pane| pane.forget());
}
