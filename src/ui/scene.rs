//! What is shown: the network as it is, as it was when the picture was frozen, or as it was at another
//! moment of the session.

use std::time::Duration;

use super::host::{WatchedPast, WatchedSession};
use super::keys::KeyMap;
use super::notices::NoticeLines;
use super::options::Mode;
use super::playback::{Motion, Playback};
use super::seek::{OpenedRecording, ShownMoment};
use super::speed::Speed;
use super::theme::Theme;
use super::view::{Aging, Lit, NameWidths, NoticeLine, View};
use crate::event::Event;
use crate::feed::Delivery;
use crate::model::Model;
use crate::model::elsewhere::Vantage;
use crate::model::moment::SessionSpan;
use crate::model::notice::{NOTICES_MAX, Severity};
use crate::model::ring::Ring;
use crate::model::timeline::Timeline;
use crate::model::warning::LOOK_GRACE;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// The network and the moment.
pub(crate) struct Scene {
    /// The network as it is; of a recording, as it was at the moment that is shown.
    pub(crate) live: Model,
    /// What happened when in the whole session, as far as that is known.
    pub(crate) timeline: Timeline,
    told: NoticeLines,
    held: Option<Box<HeldFrame>>,
    /// A session that is shown at a moment of its past: a recording, or one that runs.
    pub(crate) playback: Option<Playback>,
    /// Lines that are not about events.
    notes: Ring<NoticeLine>,
    pub(crate) mode: Mode,
    /// The node that reads the recording alone, if one does.
    pub(crate) reader: Option<String>,
    /// The sessions that are watched.
    pub(crate) watched: Vec<WatchedSession>,
    pub(crate) now: Time,
    /// Events are still on their way here: what seems to be missing may be among them.
    pub(crate) is_behind_events: bool,
    /// How far a network in virtual time is behind.
    pub(crate) behind: Duration,
    pub(crate) theme: Theme,
    pub(crate) keys: KeyMap,
    pub(crate) utc_offset_s: i32,
    aging: Aging,
}

/// Another picture than that of now: of when it was frozen, or of the moment that is played.
struct HeldFrame {
    model: Model,
    told: NoticeLines,
    /// When it was frozen.
    at: Time,
}

impl Scene {
    pub(crate) fn new(mode: Mode, theme: Theme, keys: KeyMap, now: Time, utc_offset_s: i32) -> Self {
        Self {
            live: Model::new(),
            timeline: Timeline::new(),
            told: NoticeLines::default(),
            held: None,
            playback: None,
            notes: Ring::new(NOTICES_MAX),
            mode,
            reader: None,
            watched: Vec::new(),
            now,
            is_behind_events: false,
            behind: Duration::ZERO,
            theme,
            keys,
            utc_offset_s,
            aging: Aging::default(),
        }
    }

    pub(crate) fn network_now(&self) -> Time {
        match self.mode {
            Mode::Live | Mode::Virtual | Mode::Watch => self.now - self.behind,
            Mode::Replay { .. } => self.playback.as_ref().map_or_else(|| self.live.now(), Playback::at),
        }
    }

    /// What panes and dialogs read.
    pub(crate) fn view(&self) -> View<'_> {
        let (model, told) = match &self.held {
            Some(held) => (&held.model, &held.told),
            None => (&self.live, &self.told),
        };
        View {
            model,
            vantage: if self.mode == Mode::Watch { Vantage::Watch } else { Vantage::Session },
            lines: &told.lines,
            is_past: self.playback.is_some() || matches!(self.mode, Mode::Replay { .. }),
            takes_commands: self.takes_commands(),
            theme: self.theme,
            keys: &self.keys,
            now: self.shown_at(),
            utc_offset_s: self.utc_offset_s,
            names: NameWidths::of(model),
            selected: None,
            lit: Lit::default(),
            wave: None,
            lacked: None,
            aging: &self.aging,
        }
    }

    /// When the picture just drawn will look different if nothing happens. One that stands still
    /// never will.
    pub(crate) fn changes_at(&self) -> Option<Time> {
        let span = self.aging.take();
        match &self.playback {
            Some(playback) => {
                span.filter(|_| playback.is_playing()).map(|span| self.now + playback.speed.of_screen(span))
            }
            None => span.filter(|_| !self.is_frozen()).map(|span| self.now + span),
        }
    }

    /// The moment that is shown: now, when the picture was frozen, or that of the playback.
    pub(crate) fn shown_at(&self) -> Time {
        match (&self.playback, &self.held) {
            (Some(playback), _) => playback.at(),
            (None, Some(held)) => held.at,
            (None, None) => self.network_now(),
        }
    }

    /// Takes events of the network that runs, of which this many were skipped and this many plentiful
    /// ones left out. Returns what the user must know at once.
    pub(crate) fn take(&mut self, skipped: u64, thinned: u64, events: &[&Event]) -> Option<(Severity, String)> {
        self.live.note_skipped(skipped);
        self.live.note_thinned(thinned);
        for event in events {
            self.live.apply(event);
            self.timeline.follow(&self.live, event);
        }
        self.timeline.thinned(self.live.now(), thinned);
        self.timeline.missing(self.live.now(), skipped);
        // Where they are missing is not known, so the last of them may be incomplete.
        if skipped + thinned > 0 {
            self.live.note_incomplete();
        }
        self.told.take(&self.live).or(self.told.warn(&self.live))
    }

    /// Takes what happened up to the moment that is played.
    pub(crate) fn take_past(&mut self, deliveries: &[Delivery]) -> Option<(Severity, String)> {
        let at = self.shown_at();
        let (model, told) = match &mut self.held {
            Some(held) => (&mut held.model, &mut held.told),
            None => (&mut self.live, &mut self.told),
        };
        for delivery in deliveries {
            model.note_skipped(delivery.skipped);
            delivery.batch.iter().for_each(|event| model.apply(event));
        }
        model.pass(at);
        told.take(model).or(told.warn(model))
    }

    /// Time passes without events. New problems of the network that runs are shown once.
    pub(crate) fn pass_time(&mut self) -> Option<(Severity, String)> {
        // A recording's time comes with its events.
        if !self.is_behind_events && !matches!(self.mode, Mode::Replay { .. }) {
            self.live.pass(self.network_now() - LOOK_GRACE);
            self.timeline.follow_looks(&self.live);
        }
        self.told.warn(&self.live)
    }

    /// When the session that is shown began, and its end or now; nothing before its first event.
    pub(crate) fn span(&self) -> Option<(Time, Time)> {
        match (&self.mode, &self.playback) {
            (Mode::Replay { .. }, playback) => {
                playback.as_ref().map(|playback| (playback.span.first, playback.span.last))
            }
            (Mode::Live | Mode::Virtual | Mode::Watch, _) => {
                self.live.started().map(|first| (first, self.network_now().max(first)))
            }
        }
    }

    /// A line for the notices that is not about a node.
    pub(crate) fn note(&mut self, severity: Severity, text: &str) {
        let line = NoticeLine::new(self.network_now(), severity, text.to_owned(), None);
        self.notes.push(line.clone());
        self.told.keep(line, 1);
    }

    /// Forgets the network; a recording is shown from now on, as soon as its first moment comes.
    pub(crate) fn open(&mut self, recording: OpenedRecording) {
        let OpenedRecording { source, reader, span, speed, .. } = recording;
        (self.live, self.timeline) = (Model::new(), Timeline::new());
        self.told = NoticeLines::default();
        self.held = None;
        self.utc_offset_s = span.utc_offset_s;
        self.playback = Some(Playback::new(span, speed, Motion::Playing, self.now));
        (self.mode, self.reader) = (Mode::Replay { source }, reader);
    }

    /// Shows what other sessions have recorded up to now; what was shown before is forgotten.
    pub(crate) fn watch(&mut self, past: WatchedPast) {
        self.told = NoticeLines::at(&past.model, &self.notes, self.network_now());
        (self.live, self.timeline) = (past.model, past.timeline);
    }

    /// Something can be done to the nodes that are shown: they are of this process, and it is now.
    pub(crate) fn takes_commands(&self) -> bool {
        self.playback.is_none() && matches!(self.mode, Mode::Live | Mode::Virtual)
    }

    /// Shows this moment of the past; in a session that runs, it stands still.
    pub(crate) fn show(&mut self, moment: ShownMoment, begun: Time) {
        let ShownMoment { id, at, model } = moment;
        let told = NoticeLines::at(&model, &self.notes, at);
        let last = self.network_now();
        match self.mode {
            Mode::Replay { .. } => (self.live, self.told) = (*model, told),
            Mode::Live | Mode::Virtual | Mode::Watch => {
                self.held = Some(Box::new(HeldFrame { model: *model, told, at }));
                let span = SessionSpan { first: begun, last, utc_offset_s: self.utc_offset_s };
                let still = || Playback::new(span, Speed::NORMAL, Motion::Paused, self.now);
                self.playback.get_or_insert_with(still);
            }
        }
        let now = self.now;
        if let Some(playback) = &mut self.playback {
            playback.jump(id, at, now);
        }
    }

    /// The moment of the past moves on.
    pub(crate) fn play(&mut self) {
        if let Some(playback) = &mut self.playback {
            playback.play(self.now);
        }
    }

    /// Shows the network as it is again.
    pub(crate) fn go_live(&mut self) {
        if !matches!(self.mode, Mode::Replay { .. }) {
            (self.held, self.playback) = (None, None);
        }
    }

    /// The picture stands still as it was when it was frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        self.held.is_some() && self.playback.is_none()
    }

    /// Nothing moves in the picture.
    pub(crate) fn is_still(&self) -> bool {
        self.playback.as_ref().map_or(self.held.is_some(), |playback| !playback.is_playing())
    }

    /// A moment of the past moves on by itself.
    pub(crate) fn is_playing(&self) -> bool {
        self.playback.as_ref().is_some_and(Playback::is_playing)
    }

    /// How long ago that was what is shown of a session that runs, if it was gone back to.
    pub(crate) fn behind_live(&self) -> Option<Duration> {
        let is_replay = matches!(self.mode, Mode::Replay { .. });
        let playback = self.playback.as_ref().filter(|_| !is_replay)?;
        Some(self.network_now().since(playback.at()))
    }

    /// Freezes the picture, or lets it go on.
    pub(crate) fn toggle_freeze(&mut self) {
        if self.held.take().is_none() {
            let (model, told, at) = (self.live.clone(), self.told.clone(), self.shown_at());
            self.held = Some(Box::new(HeldFrame { model, told, at }));
        }
    }

    /// Events that came since the picture was frozen.
    pub(crate) fn new_events(&self) -> u64 {
        let then = self.held.as_ref().map(|held| held.model.totals().events);
        then.map_or(0, |then| self.live.totals().events.saturating_sub(then))
    }

    /// A node is known at this address.
    pub(crate) fn is_taken(&self, addr: Addr) -> bool {
        self.live.nodes().get(addr).is_some()
    }
}
