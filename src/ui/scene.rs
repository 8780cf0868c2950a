//! What is shown: the network as it is, or as it was when the picture was frozen.

use std::time::Duration;

use super::keys::KeyMap;
use super::options::Mode;
use super::theme::Theme;
use super::view::{Aging, Lit, NameWidths, NoticeLine, View};
use crate::event::{Event, EventKind, LinkEvent};
use crate::model::Model;
use crate::model::notice::{NOTICES_MAX, Severity};
use crate::model::ring::Ring;
use crate::model::timeline::Timeline;
use crate::model::warning::{Finding, LOOK_GRACE};
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// Notices back to which a line is looked for that says the same: several screens.
const REPEATED_WITHIN: usize = 256;

/// The network and the moment.
pub(crate) struct Scene {
    /// The network as it is.
    pub(crate) live: Model,
    /// What happened when.
    pub(crate) timeline: Timeline,
    lines: Ring<NoticeLine>,
    /// Notices of the model before this number were taken over.
    taken: u64,
    /// Warnings before this number were shown.
    warned: u64,
    held: Option<Box<FrozenFrame>>,
    pub(crate) mode: Mode,
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

/// The picture when it was frozen.
struct FrozenFrame {
    model: Model,
    lines: Ring<NoticeLine>,
    at: Time,
}

impl Scene {
    pub(crate) fn new(mode: Mode, theme: Theme, keys: KeyMap, now: Time, utc_offset_s: i32) -> Self {
        let (live, lines) = (Model::new(), Ring::new(NOTICES_MAX));
        Self {
            live,
            timeline: Timeline::new(),
            lines,
            taken: 0,
            warned: 0,
            held: None,
            mode,
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
            Mode::Live | Mode::Virtual => self.now - self.behind,
            Mode::Replay { .. } => self.live.now(),
        }
    }

    /// What panes and dialogs read.
    pub(crate) fn view(&self) -> View<'_> {
        let (model, lines) = match &self.held {
            Some(held) => (&held.model, &held.lines),
            None => (&self.live, &self.lines),
        };
        View {
            model,
            lines,
            is_recorded: matches!(self.mode, Mode::Replay { .. }),
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

    /// When the picture just drawn will look different if nothing happens. A frozen one never will.
    pub(crate) fn changes_at(&self) -> Option<Time> {
        let span = self.aging.take();
        span.filter(|_| !self.is_frozen()).map(|span| self.now + span)
    }

    /// The moment that is shown: now, when the picture was frozen, or the position of the replay.
    fn shown_at(&self) -> Time {
        self.held.as_ref().map_or_else(|| self.network_now(), |held| held.at)
    }

    /// Takes events, of which this many were skipped and this many plentiful ones left out. Returns
    /// what the user must know at once.
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
        let mut urgent = None;
        for (number, notice) in self.live.notices().from(self.taken) {
            let is_node = self.live.nodes().get(notice.event.node).is_some();
            // What failed may be the start of a node, which then has no name to put in front.
            let text = if is_node { self.live.notice_text(notice) } else { self.live.sentence(&notice.event.kind) };
            if notice.severity == Severity::Error {
                urgent = Some((notice.severity, text.clone()));
            }
            let line = NoticeLine::new(notice.at, notice.severity, text, Some(notice.event.node));
            // A dial is tried again and again, between others.
            let is_dial = matches!(notice.event.kind, EventKind::Link(LinkEvent::DialFailed { .. }));
            keep(&mut self.lines, line, if is_dial { REPEATED_WITHIN } else { 1 });
            self.taken = number + 1;
        }
        urgent.or(self.tell_warnings())
    }

    /// Time passes without events. New problems of the network are shown once.
    pub(crate) fn pass_time(&mut self) -> Option<(Severity, String)> {
        // A recording's time comes with its events.
        if !self.is_behind_events && !matches!(self.mode, Mode::Replay { .. }) {
            self.live.pass(self.network_now() - LOOK_GRACE);
            self.timeline.follow_looks(&self.live);
        }
        self.tell_warnings()
    }

    fn tell_warnings(&mut self) -> Option<(Severity, String)> {
        let new: Vec<_> = self.live.warnings().list().from(self.warned).map(|(_, warning)| warning.clone()).collect();
        let gravest = new.iter().rev().min_by_key(|warning| gravity(&warning.finding));
        let gravest = gravest.map(|warning| self.live.warning_text(&warning.finding));
        for warning in new {
            let (text, node) = (self.live.warning_text(&warning.finding), warning.finding.node());
            keep(&mut self.lines, NoticeLine::new(warning.at, Severity::Warning, text, node), 1);
        }
        self.warned = self.live.warnings().list().end();
        gravest.map(|text| (Severity::Warning, text))
    }

    /// A line for the notices that is not about a node.
    pub(crate) fn note(&mut self, severity: Severity, text: &str) {
        let line = NoticeLine::new(self.network_now(), severity, text.to_owned(), None);
        keep(&mut self.lines, line, 1);
    }

    /// Forgets the network; another one is shown from now on.
    pub(crate) fn open(&mut self, mode: Mode) {
        (self.live, self.timeline) = (Model::new(), Timeline::new());
        self.held = None;
        (self.taken, self.warned) = (0, 0);
        self.mode = mode;
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.held.is_some()
    }

    /// Freezes the picture, or lets it go on.
    pub(crate) fn toggle_freeze(&mut self) {
        if self.held.take().is_none() {
            let (model, lines, at) = (self.live.clone(), self.lines.clone(), self.shown_at());
            self.held = Some(Box::new(FrozenFrame { model, lines, at }));
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

/// Adds a line, or counts it in one of so many before that says the same.
fn keep(lines: &mut Ring<NoticeLine>, line: NoticeLine, within: usize) {
    let is_same = |earlier: &NoticeLine| {
        (earlier.severity, &earlier.text, earlier.node) == (line.severity, &line.text, line.node)
    };
    let earlier = lines.iter().rev().take(within).find(|(_, earlier)| is_same(earlier)).map(|(number, _)| number);
    match earlier.and_then(|number| lines.get_mut(number)) {
        Some(earlier) => earlier.repeat(line.at),
        None => _ = lines.push(line),
    }
}

/// The sort order of a warning: what explains the most comes first. One cut makes an overlay of two
/// parts, and a dozen one-way links.
pub(crate) const fn gravity(finding: &Finding) -> u8 {
    match finding {
        Finding::Parted { .. } => 0,
        Finding::NoSeed { .. } | Finding::Alone { .. } => 1,
        Finding::Unreached { .. } => 2,
        Finding::Forged { .. } => 3,
        Finding::Eclipsed { .. } => 4,
        Finding::SeedList { .. } => 5,
        Finding::Disputed { .. } => 6,
        Finding::Fragile { .. } => 7,
        Finding::OneWay { .. } => 8,
        Finding::Flapping { .. } => 9,
    }
}
