//! Several recordings of one network, read as one.
//!
//! A process records its own nodes. What it knows of the others is hearsay, and their own recordings
//! tell it for certain. [`Merge`] puts the events of all in one order, by the clock of the first
//! ([`clocks`]), and writes them as a journal like any other.

mod clocks;
mod network;

use std::path::{Path, PathBuf};

use self::clocks::ClockSurvey;
pub use self::clocks::{ClockOffset, SourceIx};
pub use self::network::{LinkedNodes, networks};
use super::archive::session_name;
use super::journal::{Header, Journal, JournalError, JournalRecord, RecordedSource, check_rereadable};
use super::replay::{Damage, Recording};
use crate::event::revise::Revision;
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::words::span_text;
use crate::model::{Map, Set};
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::time::Time;

/// Recordings that are merged: a file of each is open at a time.
pub const SOURCES_MAX: usize = 64;

/// Why recordings are not merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error("{} recordings: at most {SOURCES_MAX} are merged", .0)]
    TooMany(usize),
    /// The same file twice, by whatever path.
    #[error("{} is given twice", .0.display())]
    Twice(PathBuf),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Recordings that can be merged.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<MergeSource>,
    survey: ClockSurvey,
    names: NameSurvey,
}

#[derive(Debug)]
struct MergeSource {
    path: PathBuf,
    header: Header,
    offset: ClockOffset,
    /// It is of the same network as the first.
    belongs: bool,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Merged {
    pub events: u64,
    /// Lines that could not be read.
    pub damage: Damage,
}

impl Merge {
    /// Reads the recordings once, for their clocks and their nodes.
    pub fn survey(paths: &[PathBuf]) -> Result<Self, MergeError> {
        check_paths(paths)?;
        let mut survey = ClockSurvey::default();
        let (mut sources, mut hoods, mut names) = (Vec::new(), Vec::new(), NameSurvey::default());
        for (ix, path) in paths.iter().enumerate() {
            check_rereadable(path)?;
            let recording = Recording::open(path)?;
            let header = recording.header().clone();
            let mut hood = LinkedNodes::default();
            for event in events(recording) {
                survey.take(SourceIx(ix), &event);
                hood.take(&event);
                names.take(&event);
            }
            hoods.push(hood);
            sources.push(MergeSource { path: path.clone(), header, offset: ClockOffset::Unknown, belongs: false });
        }
        let offsets = survey.offsets(sources.len());
        let first = networks(&hoods).into_iter().next().unwrap_or_default();
        for (ix, (source, offset)) in sources.iter_mut().zip(offsets).enumerate() {
            (source.offset, source.belongs) = (offset, first.contains(&ix));
        }
        Ok(Self { sources, survey, names })
    }

    /// What the user should know of each recording but the first: its clock, and whether it is of the
    /// same network.
    pub fn told(&self) -> Vec<String> {
        self.sources.iter().skip(1).map(MergeSource::told).collect()
    }

    /// The same of those whose clock is not that of the first.
    pub fn told_clocks(&self) -> Vec<String> {
        let is_apart = |source: &&MergeSource| source.offset.ahead_us() != 0;
        self.sources.iter().skip(1).filter(is_apart).map(MergeSource::told).collect()
    }

    /// The header of the merged journal.
    pub fn header(&self) -> Header {
        let started = self.sources.iter().map(MergeSource::started).min().unwrap_or(Time::from_micros(0));
        let utc_offset_s = self.sources.first().map_or(0, |first| first.header.utc_offset_s);
        let merged = self.sources.iter().map(MergeSource::recorded).collect();
        Header { merged, ..Header::new(started, utc_offset_s) }
    }

    /// Writes all events as one journal to a new file.
    pub fn write(&self, dest: &Path) -> Result<Merged, JournalError> {
        let mut journal = Journal::create(dest, &self.header(), u64::MAX)?;
        let mut merged = Merged::default();
        for record in self.records()? {
            match record {
                Ok(JournalRecord::Event { event, .. }) => {
                    merged.events += 1;
                    journal.append(std::slice::from_ref(&event))?;
                }
                Ok(JournalRecord::Skipped(events)) => journal.skipped(events)?,
                Ok(JournalRecord::Torn) => {}
                Err(error) => {
                    journal.skipped(error.missing())?;
                    merged.damage.note(&error);
                }
            }
        }
        journal.close()?;
        Ok(merged)
    }

    /// The records of all in one order.
    fn records(&self) -> Result<MergedRecords<'_>, JournalError> {
        let open = |(ix, source): (usize, &MergeSource)| {
            let recording = Recording::open(&source.path)?;
            Ok::<_, JournalError>(SourceRecords {
                source: SourceIx(ix),
                recording,
                next: None,
                at: Time::from_micros(0),
            })
        };
        let streams = self.sources.iter().enumerate().map(open).collect::<Result<_, _>>()?;
        Ok(MergedRecords { merge: self, streams })
    }

    /// The events of all up to this time, in one order, each with its recording and its number there.
    pub fn numbered_events(
        &self,
        to: Time,
    ) -> Result<impl Iterator<Item = (SourceIx, u64, Event)> + use<'_>, JournalError> {
        let mut records = self.records()?;
        let events = std::iter::from_fn(move || records.next_of_source()).filter_map(|(source, record)| match record {
            Ok(JournalRecord::Event { number, event }) => Some((source, number, event)),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
        });
        Ok(events.take_while(move |(_, _, event)| event.at <= to))
    }

    /// The session of this recording.
    pub fn session(&self, SourceIx(source): SourceIx) -> Option<String> {
        self.sources.get(source).map(|source| session_name(&source.path))
    }

    /// Takes note of the node that starts with this event, for a recording that has grown since the survey.
    pub(super) fn learn(&mut self, source: SourceIx, event: &Event) {
        self.survey.learn_home(source, event);
        self.names.take(event);
    }

    /// An event as the first recording's clock would have it.
    pub(super) fn revise(&self, source: SourceIx, event: &mut Event) {
        event.revise(&SourceRevision { merge: self, source });
        if let EventKind::Node(NodeEvent::Started { name, .. }) = &mut event.kind
            && self.names.clashing.contains(name)
        {
            *name = event.node.name();
        }
    }

    pub(super) fn on_first_clock(&self, source: SourceIx, at: Time) -> Time {
        let ahead = self.sources.get(source.0).map_or(0, |source| source.offset.ahead_us());
        at.skewed(ahead.saturating_neg())
    }
}

/// All paths lead to different files, and to no more than can be open.
fn check_paths(paths: &[PathBuf]) -> Result<(), MergeError> {
    if paths.len() > SOURCES_MAX {
        return Err(MergeError::TooMany(paths.len()));
    }
    let mut seen = Set::default();
    for path in paths {
        // One that leads nowhere is reported by whoever opens it.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.insert(real) {
            return Err(MergeError::Twice(path.clone()));
        }
    }
    Ok(())
}

fn events(recording: Recording) -> impl Iterator<Item = Event> {
    recording.filter_map(|record| match record {
        Ok(JournalRecord::Event { event, .. }) => Some(event),
        Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
    })
}

/// Finds the names that several nodes have.
#[derive(Debug, Default)]
struct NameSurvey {
    nodes: Map<String, Addr>,
    clashing: Set<String>,
}

impl NameSurvey {
    fn take(&mut self, event: &Event) {
        if let EventKind::Node(NodeEvent::Started { name, .. }) = &event.kind
            && *self.nodes.entry(name.clone()).or_insert(event.node) != event.node
        {
            self.clashing.insert(name.clone());
        }
    }
}

impl MergeSource {
    /// When it began, by the first recording's clock.
    fn started(&self) -> Time {
        self.header.started.skewed(self.offset.ahead_us().saturating_neg())
    }

    fn recorded(&self) -> RecordedSource {
        let uncertain_us = match self.offset {
            ClockOffset::Known { uncertain, .. } => u64::try_from(uncertain.as_micros()).ok(),
            ClockOffset::OneSided { .. } | ClockOffset::Unknown => None,
        };
        RecordedSource { session: session_name(&self.path), ahead_us: self.offset.ahead_us(), uncertain_us }
    }

    fn told(&self) -> String {
        let name = session_name(&self.path);
        if !self.belongs {
            return format!("{name} shares no link and no seed with the first recording: it is of another network");
        }
        let ahead = self.offset.ahead_us();
        let by = span_text(std::time::Duration::from_micros(ahead.unsigned_abs()));
        let side = if ahead < 0 { "behind" } else { "ahead" };
        match self.offset {
            ClockOffset::Known { ahead_us: 0, uncertain } => {
                format!("{name}: its clock agrees, to within {}", span_text(uncertain))
            }
            ClockOffset::Known { uncertain, .. } => {
                format!("{name}: its clock is {by} {side}, to within {}", span_text(uncertain))
            }
            ClockOffset::OneSided { ahead_us: 0 } => {
                format!("{name}: messages went one way only; its clock is taken to agree")
            }
            ClockOffset::OneSided { .. } => {
                format!("{name}: messages went one way only; its clock is at least {by} {side}")
            }
            ClockOffset::Unknown => format!("{name}: no message tells of its clock, which is taken to agree"),
        }
    }
}

/// What changes in an event of this recording.
struct SourceRevision<'a> {
    merge: &'a Merge,
    source: SourceIx,
}

impl Revision for SourceRevision<'_> {
    fn time(&self, at: Time) -> Time {
        self.merge.on_first_clock(self.source, at)
    }

    fn time_at(&self, origin: Addr, at: Time) -> Time {
        self.merge.survey.home(origin).map_or(at, |home| self.merge.on_first_clock(home, at))
    }

    /// Each session numbers its own, so they are dealt out in turn, whichever sessions join later.
    fn fault(&self, FaultId(id): FaultId) -> FaultId {
        FaultId(id.saturating_mul(SOURCES_MAX as u64).saturating_add(self.source.0 as u64))
    }
}

/// The records of several recordings, in order of the first one's clock.
struct MergedRecords<'a> {
    merge: &'a Merge,
    streams: Vec<SourceRecords>,
}

/// A recording of which the next record is known.
struct SourceRecords {
    source: SourceIx,
    recording: Recording,
    next: Option<Result<JournalRecord, JournalError>>,
    /// When that was; what is no event stays with the event before it.
    at: Time,
}

impl SourceRecords {
    fn look(&mut self, merge: &Merge) {
        if self.next.is_some() {
            return;
        }
        self.next = self.recording.next();
        if let Some(Ok(JournalRecord::Event { event, .. })) = &mut self.next {
            merge.revise(self.source, event);
            self.at = event.at;
        }
    }
}

impl MergedRecords<'_> {
    fn next_of_source(&mut self) -> Option<(SourceIx, Result<JournalRecord, JournalError>)> {
        self.streams.iter_mut().for_each(|stream| stream.look(self.merge));
        let with_next = self.streams.iter_mut().filter(|stream| stream.next.is_some());
        let earliest = with_next.min_by_key(|stream| (stream.at, stream.source))?;
        Some((earliest.source, earliest.next.take()?))
    }
}

impl Iterator for MergedRecords<'_> {
    type Item = Result<JournalRecord, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_of_source().map(|(_, record)| record)
    }
}
