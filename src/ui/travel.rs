//! Going to other moments of a session, and playing it from there.

use super::action::{Move, Travel};
use super::app::{App, ConsoleEffect};
use super::host::{Severity, ToHost, WatchedPast};
use super::modal::Covers;
use super::options::Mode;
use super::playback::{Motion, Playback};
use super::seek::{Destination, NoSuchMoment, OpenedRecording, Seek, SeekId, ShownMoment, TimeDirection};
use super::seeks::AfterSeek;
use super::speed::Speed;
use super::text::rough_text;
use super::wave::Waves;
use crate::model::moment::{Anchor, SessionSpan, WrittenMoment};
use crate::model::second_text;
use crate::proto::time::Time;

/// A recording was opened.
pub(crate) fn open(app: &mut App, recording: OpenedRecording) {
    let start = recording.start;
    app.begin_again(recording);
    seek(app, Destination::Time(start), AfterSeek::GoOn);
}

/// Other sessions are shown as they are by now, from their beginning.
pub(crate) fn watch(app: &mut App, past: WatchedPast) {
    app.modals.retain(|modal| modal.covers() != Covers::Screen);
    app.scene.watch(past);
    look_again(app);
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
        app.toasts.forget_news();
        return;
    }
    let (at, span) = (playback.at(), playback.span);
    if is_replay && at >= span.last && at > span.first {
        return seek(app, Destination::Time(span.first), AfterSeek::Play);
    }
    playback.play(now);
}

/// Does what a key asks.
pub(crate) fn go(app: &mut App, wanted: Travel) {
    let pane = app.focus;
    let scope = app.panes.scope(pane);
    let event = |direction| Destination::Event { direction, scope: scope.clone() };
    match wanted {
        Travel::EventBack => seek(app, event(TimeDirection::Back), AfterSeek::StopAt(pane)),
        Travel::EventForward if is_now(app) => app.show(Severity::Info, "this is now"),
        Travel::EventForward => seek(app, event(TimeDirection::Forward), AfterSeek::StopAt(pane)),
        Travel::MarkBack => go_to_mark(app, TimeDirection::Back),
        Travel::MarkForward => go_to_mark(app, TimeDirection::Forward),
        Travel::Beginning => match first(app) {
            Some(first) => seek(app, Destination::Time(first), AfterSeek::GoOn),
            None => app.show(Severity::Info, "nothing has happened yet"),
        },
        Travel::End => match &app.scene.playback {
            Some(Playback { span, .. }) if matches!(app.scene.mode, Mode::Replay { .. }) => {
                let last = span.last;
                seek(app, Destination::Time(last), AfterSeek::Stop);
            }
            Some(_) | None if is_now(app) => app.show(Severity::Info, "this is now"),
            Some(_) | None => go_live(app),
        },
    }
}

fn go_to_mark(app: &mut App, direction: TimeDirection) {
    let (shown, timeline) = (app.scene.shown_at(), &app.scene.timeline);
    let mark = match direction {
        TimeDirection::Back => timeline.mark_before(shown),
        TimeDirection::Forward => timeline.mark_after(shown),
    };
    match mark.map(|mark| mark.at) {
        Some(at) => seek(app, Destination::Time(at), AfterSeek::Stop),
        None => app.show(Severity::Info, no_mark(app, direction)),
    }
}

/// A recording may still be read, and what lies behind is then not known.
fn no_mark(app: &App, direction: TimeDirection) -> String {
    let none = format!("no mark {}", direction.word());
    let is_replay = matches!(app.scene.mode, Mode::Replay { .. });
    let Some(Playback { span, .. }) = app.scene.playback.as_ref().filter(|_| is_replay) else { return none };
    match app.scene.timeline.last() {
        Some(read_to) if read_to < span.last => {
            format!("{none} so far: the recording is read up to {}", span.text_of(read_to))
        }
        Some(_) => none,
        None => format!("{none} so far: the recording is being read"),
    }
}

/// Shows the moment on which the timeline was clicked.
pub(crate) fn click(app: &mut App, at: Time) {
    let last = app.scene.span().map_or(at, |(_, last)| last);
    if at >= last && !matches!(app.scene.mode, Mode::Replay { .. }) {
        return go_live(app);
    }
    seek(app, Destination::Time(at.min(last)), AfterSeek::GoOn);
}

/// Shows the moment of a line of evidence, and pauses there.
pub(crate) fn stop_at(app: &mut App, at: Time) {
    seek(app, Destination::Time(at), AfterSeek::Stop);
}

fn is_now(app: &App) -> bool {
    !matches!(app.scene.mode, Mode::Replay { .. }) && !is_away(app)
}

/// When the first event happened.
fn first(app: &App) -> Option<Time> {
    match (&app.scene.mode, &app.scene.playback) {
        (Mode::Replay { .. }, playback) => playback.as_ref().map(|playback| playback.span.first),
        (Mode::Live | Mode::Virtual | Mode::Watch, _) => app.scene.live.started(),
    }
}

fn seek(app: &mut App, to: Destination, then: AfterSeek) {
    app.seeks.last.0 += 1;
    app.seeks.pending = Some(then);
    let from = app.scene.shown_at();
    app.effects.push(ConsoleEffect::Host(ToHost::Seek(Seek { id: app.seeks.last, from, to })));
}

/// Shows a moment that was typed.
pub(crate) fn at(app: &mut App, moment: WrittenMoment) {
    let Some(first) = first(app) else { return app.show(Severity::Info, "nothing has happened yet") };
    let last = match (&app.scene.mode, &app.scene.playback) {
        (Mode::Replay { .. }, Some(playback)) => playback.span.last,
        (Mode::Replay { .. } | Mode::Live | Mode::Virtual | Mode::Watch, _) => app.scene.network_now(),
    };
    let span = SessionSpan { first, last, utc_offset_s: app.scene.utc_offset_s };
    match moment.resolve(span, Anchor::Shown(app.scene.shown_at())) {
        Ok(at) => seek(app, Destination::Time(at), AfterSeek::GoOn),
        Err(error) => app.show(Severity::Error, error.to_string()),
    }
}

pub(crate) fn set_speed(app: &mut App, speed: Speed) {
    match &mut app.scene.playback {
        Some(playback) => {
            playback.speed = speed;
            app.show(Severity::Info, format!("the past plays at {speed}"));
        }
        None => app.show(Severity::Warning, "this is now, which has no speed: go back first"),
    }
}

/// Goes to the next line that matches, of the pane or else of the whole session.
pub(crate) fn find(app: &mut App, direction: TimeDirection) {
    let (focus, before) = (app.focus, app.panes.line_of(app.focus, &app.view()));
    let wanted = match direction {
        TimeDirection::Back => Move::PreviousMatch,
        TimeDirection::Forward => Move::NextMatch,
    };
    let (panes, view) = app.split();
    panes.act(focus, wanted, &view);
    let sought = app.panes.get(focus).sought().clone();
    if sought.is_all() || app.panes.line_of(focus, &app.view()) != before {
        return;
    }
    if direction == TimeDirection::Forward && is_now(app) {
        return app.show(Severity::Info, format!("nothing after this matches '{}'", sought.typed()));
    }
    let scope = app.panes.scope(focus);
    seek(app, Destination::Match { direction, scope, sought }, AfterSeek::Found(focus));
}

/// `03:12:07, 14 min back`.
fn found_text(app: &App, at: Time) -> String {
    let shown = app.scene.shown_at();
    let (span, way) = if at < shown { (shown.since(at), "back") } else { (at.since(shown), "on") };
    format!("found at {}, {} {way}", second_text(at, app.scene.utc_offset_s), rough_text(span))
}

/// The moment that was asked for is here, unless it is too late for that.
pub(crate) fn arrive(app: &mut App, moment: ShownMoment) {
    if moment.id != app.seeks.last {
        return;
    }
    let Some(then) = app.seeks.pending.take() else { return };
    let first = first(app).unwrap_or(moment.at);
    let found = found_text(app, moment.at);
    app.scene.show(moment, first);
    look_again(app);
    let pane = match then {
        AfterSeek::GoOn => return,
        AfterSeek::Play => return app.scene.play(),
        AfterSeek::Stop => None,
        AfterSeek::StopAt(pane) => Some(pane),
        AfterSeek::Found(pane) => {
            app.show(Severity::Info, found);
            Some(pane)
        }
    };
    if let Some(playback) = &mut app.scene.playback {
        playback.motion = Motion::Paused;
    }
    if let Some(pane) = pane {
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
    app.toasts.forget_news();
    app.panes.each().for_each(|pane| pane.forget());
}
