//! A session on one page to hand on.
//!
//! A recording is read once, by [`ReportFold`]: a model, and beside it the folds of what the model
//! does not keep for a whole session ([`messages`], [`deaths`], [`overlay`], [`deeds`]). What comes
//! out is a [`SessionReport`], plain data, from which [`html`] makes the page. Whatever could grow with the
//! session has a named limit, and the page says how much is over it.
//!
//! It tells of the network before its nodes left at the end: what is said while they leave is not
//! counted.

mod bins;
pub mod deaths;
pub mod deeds;
pub mod diagrams;
pub mod episodes;
mod html;
pub mod messages;
pub mod overlay;
mod plots;
pub mod scenario;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;
use std::time::Duration;

pub use self::html::page;

use self::bins::{Bins, MergeBins};
use self::deaths::{DeathFigures, DeathFold};
use self::deeds::{DeedFold, ReportedDeed};
use self::diagrams::ReportDiagrams;
use self::episodes::{Episode, EpisodeSources};
use self::messages::{MessageFigures, MessageFold};
use self::overlay::{OverlayFigures, OverlayFold};
use self::scenario::{ScenarioFigures, ScenarioFold};
use super::journal::{Header, JournalEnd, JournalError, JournalRecord, RecordedLab, glance};
use super::replay::{Damage, Recording};
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::Model;
use crate::model::identity::SessionIdentity;
use crate::proto::time::Time;
use crate::scenario::leaving::UntilLeaving;

/// Of a larger network, a look at the overlay waits for as many events as it has nodes: reading takes no longer the
/// more nodes there are.
const SMALL_NETWORK_MAX: u64 = 1_000;

/// Characters of a node's name that are kept: ours have at most 24, and a recording may say anything.
const NAME_LEN_MAX: usize = 40;

/// A session as the page tells it.
#[derive(Debug)]
pub struct SessionReport {
    /// The file name of the recording, or the names of those that were merged.
    pub sources: Vec<String>,
    pub header: Header,
    /// How it ended, as far as the journal says.
    pub end: Option<JournalEnd>,
    pub first: Time,
    pub last: Time,
    pub gaps: Gaps,
    /// The network before its nodes left.
    pub model: Model,
    pub activity: Bins<Activity>,
    pub deeds: Vec<ReportedDeed>,
    pub more_deeds: u64,
    pub messages: MessageFigures,
    pub deaths: Vec<DeathFigures>,
    pub overlay: OverlayFigures,
    pub episodes: Vec<Episode>,
    pub more_episodes: usize,
    pub diagrams: ReportDiagrams,
    /// If a scenario was played.
    pub scenario: Option<ScenarioFigures>,
}

/// What the recording lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gaps {
    /// Events that are missing.
    pub events: u64,
    pub damage: Damage,
    /// The last line is incomplete.
    pub is_torn: bool,
}

impl Gaps {
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

/// Events in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    pub events: u64,
    pub missing: u64,
}

impl MergeBins for Activity {
    fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.missing = self.missing.saturating_add(other.missing);
    }
}

impl SessionReport {
    /// Reads a recording to its end.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let recording = Recording::open(path)?;
        let mut fold = ReportFold::new(recording.header());
        let header = recording.header().clone();
        for record in recording {
            fold.take(record);
        }
        let sources = sources(path, &header);
        // A pipe was read to its end and has nothing more to say.
        let end = path.is_file().then(|| glance(path).ok()).flatten().map(|glance| glance.end);
        let mut report = fold.finish(sources, header, end);
        let drawn = (report.deaths.as_slice(), &report.messages);
        report.diagrams = ReportDiagrams::draw(path, &report.model, drawn, report.utc_offset_s());
        Ok(report)
    }

    pub fn utc_offset_s(&self) -> i32 {
        self.header.utc_offset_s
    }

    pub fn lasted(&self) -> Duration {
        self.last.since(self.first)
    }
}

/// A recording on its way into a [`SessionReport`].
#[derive(Debug)]
struct ReportFold {
    model: Model,
    /// By the header, in the time of the events.
    started: Time,
    first: Option<Time>,
    looked_at: Option<Time>,
    /// Events since then.
    since_look: u64,
    until: UntilLeaving,
    gaps: Gaps,
    activity: Bins<Activity>,
    messages: MessageFold,
    deaths: DeathFold,
    overlay: OverlayFold,
    deeds: DeedFold,
    scenario: ScenarioFold,
}

impl ReportFold {
    fn new(header: &Header) -> Self {
        Self {
            model: Model::new(),
            started: header.began(),
            first: None,
            looked_at: None,
            since_look: 0,
            until: UntilLeaving::new(header.precision()),
            gaps: Gaps::default(),
            activity: Bins::new(),
            messages: MessageFold::new(header.utc_offset_s),
            deaths: DeathFold::new(header.utc_offset_s),
            overlay: OverlayFold::default(),
            deeds: DeedFold::new(header),
            scenario: ScenarioFold::new(header),
        }
    }

    fn take(&mut self, record: Result<JournalRecord, JournalError>) {
        match record {
            Ok(JournalRecord::Event { event, .. }) => self.event(&with_short_name(event)),
            Ok(JournalRecord::Skipped(events)) => self.missing(events),
            Ok(JournalRecord::Torn) => self.gaps.is_torn = true,
            Err(error) => {
                self.gaps.damage.note(&error);
                self.missing(error.missing());
            }
        }
    }

    fn event(&mut self, event: &Event) {
        for event in self.until.take(event) {
            self.fold(&event);
        }
    }

    fn fold(&mut self, event: &Event) {
        self.first.get_or_insert(event.at);
        self.activity.at(event.at).events += 1;
        self.look_if_due(event.at);
        self.scenario.take(event);
        self.deaths.before(&self.model, event);
        self.model.apply(event);
        self.deeds.take(&self.model, event);
    }

    fn missing(&mut self, events: u64) {
        self.gaps.events = self.gaps.events.saturating_add(events);
        self.model.note_skipped(events);
        self.scenario.note_skipped(events);
        let bin = self.activity.at(self.first.map_or(self.started, |_| self.model.now()));
        bin.missing = bin.missing.saturating_add(events);
    }

    fn look_if_due(&mut self, now: Time) {
        self.since_look += 1;
        let nodes = self.model.nodes().len() as u64;
        let is_cheap = nodes <= SMALL_NETWORK_MAX || self.since_look >= nodes;
        if is_cheap && self.looked_at.is_none_or(|looked_at| now.since(looked_at) >= overlay::LOOK_EVERY) {
            (self.looked_at, self.since_look) = (Some(now), 0);
            self.overlay.look(&self.model);
            self.messages.look(&self.model, now);
        }
    }

    fn finish(mut self, sources: Vec<String>, header: Header, end: Option<JournalEnd>) -> SessionReport {
        for event in self.until.finish() {
            self.fold(&event);
        }
        let model = self.model;
        let last = model.now().max(header.began());
        let (messages, overlay) = (self.messages.finish(&model), self.overlay.finish(&model));
        let (deaths, (deeds, more_deeds)) = (self.deaths.finish(&model), self.deeds.finish(&model));
        let scenario = self.scenario.finish(self.until.began().unwrap_or(last));
        let told = EpisodeSources {
            model: &model,
            deeds: &deeds,
            deaths: &deaths,
            partings: &overlay.partings,
            spells: &messages.spells,
            end: last,
            utc_offset_s: header.utc_offset_s,
        };
        let (episodes, more_episodes) = episodes::episodes(told);
        SessionReport {
            sources,
            end,
            first: self.first.unwrap_or(header.began()),
            last,
            header,
            gaps: self.gaps,
            activity: self.activity,
            deeds,
            more_deeds,
            messages,
            deaths,
            overlay,
            episodes,
            more_episodes,
            diagrams: ReportDiagrams::default(),
            scenario,
            model,
        }
    }
}

fn sources(path: &Path, header: &Header) -> Vec<String> {
    if header.merged.is_empty() {
        return vec![path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()];
    }
    header.merged.iter().map(|source| source.session.clone()).collect()
}

/// A name is cut where no name of ours would end.
fn with_short_name(mut event: Event) -> Event {
    if let EventKind::Node(NodeEvent::Started { name, .. }) = &mut event.kind
        && let Some((end, _)) = name.char_indices().nth(NAME_LEN_MAX)
    {
        name.truncate(end);
        name.push('…');
    }
    event
}

/// The lab that ran, for a recording that does not say so.
fn lab_of(model: &Model) -> Option<RecordedLab> {
    match model.identity()? {
        SessionIdentity::Lab { seeds, peers } => Some(RecordedLab { seeds, peers }),
        SessionIdentity::Node { .. } => None,
    }
}
