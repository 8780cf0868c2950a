//! What a picture is made from: the model as it is shown, the moment, and what is highlighted.

use std::cell::Cell;
use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::action::Action;
use super::keys::KeyMap;
use super::text;
use super::theme::{Theme, Tone};
use super::wave::{WaveKind, WaveQuestion, WaveView};
use crate::model::elsewhere::Vantage;
use crate::model::link::LinkKey;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::notice::Severity;
use crate::model::ring::Ring;
use crate::model::rumor::{Counting, DELIVERY_TIME, Rumor};
use crate::model::words::count_text;
use crate::model::{Model, clock_text, second_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::Time;

/// Everything that panes and dialogs may read.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The network as it is shown: as it is, or as it was when the picture was frozen.
    pub(crate) model: &'a Model,
    pub(crate) vantage: Vantage,
    /// Notices as they were when they came.
    pub(crate) lines: &'a Ring<NoticeLine>,
    /// What is shown is over: a recording, or the past of a session that runs. Nothing can be done there.
    pub(crate) is_past: bool,
    /// Something can be done to the nodes.
    pub(crate) takes_commands: bool,
    pub(crate) theme: Theme,
    pub(crate) keys: &'a KeyMap,
    /// The moment that is shown.
    pub(crate) now: Time,
    /// Seconds that local time is ahead of UTC.
    pub(crate) utc_offset_s: i32,
    /// Columns that names take.
    pub(crate) names: NameWidths,
    /// What keys act on, unless the pane with the keys lists nodes itself.
    pub(crate) selected: Option<Target>,
    /// What is highlighted in every pane.
    pub(crate) lit: Lit,
    /// The message whose spread is shown.
    pub(crate) wave: Option<WaveView>,
    /// The message that the footer names because a peer lacks it.
    pub(crate) lacked: Option<MessageId>,
    pub(crate) aging: &'a Aging,
}

/// How long what is shown stays as it is while nothing happens: whoever shows how long ago something
/// was says when that will read differently.
#[derive(Debug, Default)]
pub(crate) struct Aging(Cell<Option<Duration>>);

impl Aging {
    /// Something changes after this time.
    pub(crate) fn note(&self, span: Duration) {
        self.0.set(Some(self.0.get().map_or(span, |other| other.min(span))));
    }

    /// The time until the first change noted since the last call.
    pub(crate) fn take(&self) -> Option<Duration> {
        self.0.take()
    }
}

impl View<'_> {
    /// `12 links`, as far as neighbors are linked; nothing in a process of seeds, which do not see how
    /// their peers are linked.
    pub(crate) fn links_text(&self, links: usize) -> Option<String> {
        let sees_them = || self.model.nodes().iter().any(|node| node.is_ours() && node.role == Some(Role::Peer));
        (links > 0 || sees_them()).then(|| count_text(links as u64, "link"))
    }

    /// What an empty pane says: there are none of these, and how to start a node.
    pub(crate) fn none_yet(&self, what: &str, how: &str) -> String {
        if self.is_past {
            format!("No {what} at this moment of the session.")
        } else if !self.takes_commands {
            format!("No {what} yet.")
        } else {
            format!("No {what} yet. Press {} to start {how}.", self.keys.key_of(Action::Add))
        }
    }

    /// The message to ask about: the one that the user chose, else the one with a warning because
    /// it did not reach everybody, else the one that is followed. While messages come all the time,
    /// nobody could select the one that matters in time.
    pub(crate) fn question(&self) -> Option<WaveQuestion> {
        let model = self.model;
        let is_held = |id: MessageId| model.rumors().get(id).is_some();
        let lacked = || self.lacked.or(model.warnings().unreached()).filter(|id| is_held(*id)).map(WaveQuestion::Lacks);
        let newest = || model.latest_rumor().map(|rumor| WaveQuestion::Has(rumor.id));
        match self.wave {
            Some(WaveView { id, kind: WaveKind::Chosen | WaveKind::Again(_) }) => Some(self.asked(id)),
            Some(WaveView { id, kind: WaveKind::Newest }) => lacked().or(Some(WaveQuestion::Has(id))),
            None => lacked().or_else(newest),
        }
    }

    fn asked(&self, id: MessageId) -> WaveQuestion {
        let is_late = |rumor: &&Rumor| self.is_older(rumor.began(), DELIVERY_TIME);
        let rumor = self.model.rumors().get(id).filter(is_late);
        let is_lacked = rumor.is_some_and(|rumor| !rumor.coverage(self.model.nodes(), Counting::HadTime).is_full());
        if is_lacked { WaveQuestion::Lacks(id) } else { WaveQuestion::Has(id) }
    }
}

/// What keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Node(Addr),
    /// A link of a node, named by the node at its other end.
    Link(LinkKey),
}

impl Target {
    /// The node that keys act on.
    pub(crate) const fn node(self) -> Addr {
        match self {
            Self::Node(addr) => addr,
            Self::Link(LinkKey { peer, .. }) => peer,
        }
    }
}

/// What is selected in one pane and highlighted in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lit {
    /// A node: its links.
    pub(crate) node: Option<Addr>,
    /// A message: its path.
    pub(crate) message: Option<MessageId>,
}

/// A notice as it was when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoticeLine {
    pub(crate) at: Time,
    pub(crate) severity: Severity,
    pub(crate) text: String,
    /// The node that it is about.
    pub(crate) node: Option<Addr>,
    /// What came again and again, if it did.
    pub(crate) again: Option<Repeated>,
}

/// Further notices that say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated {
    /// With the first one.
    pub(crate) times: u64,
    pub(crate) last: Time,
}

impl NoticeLine {
    pub(crate) const fn new(at: Time, severity: Severity, text: String, node: Option<Addr>) -> Self {
        Self { at, severity, text, node, again: None }
    }

    /// The same came once more.
    pub(crate) fn repeat(&mut self, at: Time) {
        let times = self.again.map_or(1, |again| again.times);
        self.again = Some(Repeated { times: times.saturating_add(1), last: at });
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
/// Up to which age [`span_text`] counts in which unit; above, in hours.
const AGE_UNITS: [(Duration, Duration); 2] =
    [(Duration::from_secs(120), Duration::from_secs(1)), (Duration::from_secs(7_200), Duration::from_secs(60))];

/// The widest name for which a column is kept: `127.0.0.1:65535`.
const NAME_WIDTH_MAX: usize = 15;

/// Columns that names take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameWidths {
    /// The widest name of a node of this process.
    pub(crate) ours: usize,
    /// The widest name of all linked nodes.
    pub(crate) all: usize,
    /// `p2 → p4`. With many nodes here, most lines are about two of them, and an address only
    /// widens its own line; with one node, every line has an address.
    pub(crate) route: usize,
}

impl NameWidths {
    pub(crate) fn of(model: &Model) -> Self {
        let (mut nodes, mut ours, mut all) = (0, 2, 2);
        for node in model.nodes().iter().filter(|node| node.is_ours() || node.linked > 0) {
            let width = text::width(&model.name_of(node.addr)).min(NAME_WIDTH_MAX);
            all = all.max(width);
            if node.is_ours() {
                (nodes, ours) = (nodes + 1, ours.max(width));
            }
        }
        let other = if nodes > 1 { ours } else { all };
        Self { ours, all, route: ours + " > ".len() + other }
    }
}

/// `00:42`, or with hours.
pub(crate) fn clock_span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours:02}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") }
}

impl View<'_> {
    pub(crate) fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// A piece of text; what `--ascii` cannot show is escaped.
    pub(crate) fn span(&self, tone: Tone, text: impl Into<String>) -> Span<'static> {
        Span::styled(text::plain(text.into(), self.theme.glyphs), self.style(tone))
    }

    /// Lines of text in this many columns.
    pub(crate) fn wrapped(&self, text: &str, tone: Tone, columns: usize) -> Vec<Line<'static>> {
        text::wrap(text, columns).into_iter().map(|line| Line::from(self.span(tone, line))).collect()
    }

    /// `p3`, or the address of a node outside of a lab: `:3000`.
    pub(crate) fn name(&self, addr: Addr) -> String {
        self.model.name_of(addr).into_owned()
    }

    /// The sort key by name: see [`crate::model::node::NodeRecords::order_of`].
    pub(crate) fn by_name(&self, addr: Addr) -> impl Ord + use<> {
        self.model.nodes().order_of(addr)
    }

    /// A name in a column that is at least as wide as our own names.
    pub(crate) fn padded_name(&self, addr: Addr) -> String {
        let name = self.model.name_of(addr);
        let fill = self.names.ours.saturating_sub(text::width(&name));
        format!("{name}{:fill$}", "")
    }

    /// The time of day with milliseconds, as in explanations and log files.
    pub(crate) fn moment(&self, at: Time) -> String {
        clock_text(at, self.utc_offset_s)
    }

    /// The time of day in seconds, for tight places.
    pub(crate) fn second(&self, at: Time) -> String {
        second_text(at, self.utc_offset_s)
    }

    /// How long ago that was, in whole seconds or longer units.
    pub(crate) fn age(&self, at: Time) -> String {
        let span = self.now.since(at);
        let text = span_text(Duration::from_secs(span.as_secs()));
        let unit = AGE_UNITS.into_iter().find(|(limit, _)| span < *limit).map_or(HOUR, |(_, unit)| unit);
        let next_s = (span.as_secs() / unit.as_secs() + 1) * unit.as_secs();
        self.aging.note(Duration::from_secs(next_s).saturating_sub(span));
        text
    }

    /// Whether that was longer ago than this.
    pub(crate) fn is_older(&self, at: Time, span: Duration) -> bool {
        let left = span.checked_sub(self.now.since(at));
        left.inspect(|left| self.aging.note(*left + Duration::from_micros(1))).is_none()
    }

    /// The style of a node's name: the color of its state, or of a seed.
    pub(crate) fn node_tone(&self, addr: Addr) -> Tone {
        match self.model.nodes().get(addr) {
            Some(node) => name_tone(node),
            None => Tone::Stale,
        }
    }
}

pub(crate) const fn state_tone(state: ObservedState) -> Tone {
    match state {
        ObservedState::Up => Tone::Up,
        ObservedState::Hung | ObservedState::Suspect { .. } => Tone::Suspect,
        ObservedState::Dead | ObservedState::Killed => Tone::Dead,
        ObservedState::Left | ObservedState::Known => Tone::Stale,
    }
}

pub(crate) const fn state_sign(theme: Theme, state: ObservedState) -> &'static str {
    match state {
        ObservedState::Up => theme.sign("●", "*"),
        ObservedState::Hung => theme.sign("‖", "="),
        ObservedState::Suspect { .. } => "?",
        ObservedState::Dead | ObservedState::Killed => theme.sign("✗", "x"),
        ObservedState::Left => theme.sign("◌", "_"),
        ObservedState::Known => theme.sign("·", "."),
    }
}

fn name_tone(node: &NodeRecord) -> Tone {
    let state = node.state();
    if node.role == Some(Role::Seed) && state == ObservedState::Up { Tone::Seed } else { state_tone(state) }
}

/// The nodes that panes list: ours, those linked to ours, and gone ones; not those that are known by
/// hearsay alone.
pub(crate) fn nodes_shown<'a>(view: &View<'a>) -> impl Iterator<Item = &'a NodeRecord> + use<'a> {
    view.model.nodes().iter().filter(|node| node.is_ours() || !matches!(node.state(), ObservedState::Known))
}

/// The color and the sign of a notice.
pub(crate) const fn severity_look(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Info => (Tone::Stale, "i"),
        Severity::Warning => (Tone::Suspect, "!"),
        Severity::Error => (Tone::Dead, "E"),
    }
}
