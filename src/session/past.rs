//! Any moment of a recorded session: its network as it was then, and the events around it.
//!
//! A moment is folded from the nearest keyframe before it: a copy of the model, with the place in
//! the file from which to read on. [`Past::read_on`] makes keyframes in one pass over the
//! recording, which a host runs on a thread of its own; with it come an index of places and the
//! [`Timeline`]. Until the pass has come by, everything works, from the keyframes that are there.
//!
//! All copies of a `Past` are one: they share what was read. A session that still runs grows; see
//! [`Past::has_grown`].

mod ends;
mod keyframes;
mod pass;
mod search;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::keyframes::{KEYFRAMES_LEN_MAX, KEYFRAMES_MAX, Kept, PassProgress};
use self::keyframes::{Keyframe, Shelf};
pub use self::search::{FoundEvent, PastDirection, STEP_EVENTS_MAX, SearchOutcome};
use super::journal::{Header, JournalError, JournalRecord, check_rereadable};
use super::replay::{Damage, Recording, ReplayStep};
use crate::event::{Event, EventKind, NodeEvent, Stop};
use crate::model::Model;
use crate::model::moment::SessionSpan;
use crate::model::timeline::Timeline;
use crate::proto::time::Time;
use crate::scenario::leaving::LeavingWatch;

/// A place between two events of a recording: how many come before it, in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// Events after which a fold looks whether it is stopped: some milliseconds.
const LOOK_EVERY: u64 = 1_024;

/// A recorded session at hand.
#[derive(Debug, Clone)]
pub struct Past {
    path: PathBuf,
    header: Header,
    shelf: Arc<Mutex<Shelf>>,
    /// Held by the pass: there is one at a time.
    reading: Arc<Mutex<()>>,
}

/// A network as it was, and what is missing in its recording up to then.
#[derive(Debug, Clone, PartialEq)]
pub struct PastMoment {
    pub model: Model,
    pub damage: Damage,
    pub position: Position,
}

impl PastMoment {
    fn beginning() -> Self {
        Self { model: Model::new(), damage: Damage::default(), position: Position(0) }
    }

    fn take(&mut self, event: &Event) {
        self.model.apply(event);
        self.position.0 += 1;
    }

    /// Whether to look here if the fold goes on.
    const fn is_time_to_look(&self) -> bool {
        self.position.0.is_multiple_of(LOOK_EVERY)
    }
}

/// Until where to fold.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// All events up to this time, those of its microsecond included.
    Time(Time),
    Position(Position),
}

impl Goal {
    /// This event, which comes after so many, is behind it.
    fn is_passed(self, event: &Event, position: Position) -> bool {
        match self {
            Self::Time(at) => event.at > at,
            Self::Position(wanted) => position >= wanted,
        }
    }
}

impl Past {
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_within(path, KEYFRAMES_LEN_MAX)
    }

    /// The same with another limit of bytes for its keyframes.
    pub fn open_within(path: &Path, keyframes_len_max: usize) -> Result<Self, JournalError> {
        check_rereadable(path)?;
        let header = Recording::open(path)?.header().clone();
        let shelf = Arc::new(Mutex::new(Shelf::within(keyframes_len_max)));
        Ok(Self { path: path.to_owned(), header, shelf, reading: Arc::default() })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The times of its first and its last event; the time of its header, if it has no event.
    pub fn span(&self) -> Result<SessionSpan, JournalError> {
        let known = self.shelf().span();
        let (first, last) = match known {
            Some(known) => known,
            None => ends::times(&self.path)?.unwrap_or((self.header.began(), self.header.began())),
        };
        Ok(SessionSpan { first, last: last.max(self.header.began()), utc_offset_s: self.header.utc_offset_s })
    }

    /// The network after all events up to this time, those of its microsecond included. What has lasted long enough by
    /// then is warned of.
    pub fn at(&self, at: Time) -> Result<PastMoment, JournalError> {
        let mut moment = self.fold_to(Goal::Time(at), &CancellationToken::new())?;
        moment.model.pass(at);
        Ok(moment)
    }

    /// The same, unless it is stopped: then nothing.
    pub fn at_unless(&self, at: Time, stop: &CancellationToken) -> Result<Option<PastMoment>, JournalError> {
        let mut moment = self.fold_to(Goal::Time(at), stop)?;
        if stop.is_cancelled() {
            return Ok(None);
        }
        moment.model.pass(at);
        Ok(Some(moment))
    }

    /// The network after this many events; after all of them, if there are fewer.
    pub fn at_position(&self, position: Position) -> Result<PastMoment, JournalError> {
        self.fold_to(Goal::Position(position), &CancellationToken::new())
    }

    /// The events between two times, both included, in order.
    pub fn events(&self, from: Time, to: Time) -> Result<impl Iterator<Item = Event> + use<>, JournalError> {
        Ok(self.numbered_events(from, to)?.map(|(_, event)| event))
    }

    /// The same with the number of each event in the session.
    pub fn numbered_events(
        &self,
        from: Time,
        to: Time,
    ) -> Result<impl Iterator<Item = (u64, Event)> + use<>, JournalError> {
        let events = self.open_before(from)?.filter_map(|record| match record {
            Ok(JournalRecord::Event { number, event }) => Some((number, event)),
            Ok(JournalRecord::Skipped(_) | JournalRecord::Torn) | Err(_) => None,
        });
        Ok(events.skip_while(move |(_, event)| event.at < from).take_while(move |(_, event)| event.at <= to))
    }

    /// The last moment before its nodes left at its end; its end, if they did not.
    pub fn before_leaving(&self) -> Result<Time, JournalError> {
        let span @ SessionSpan { first, last, .. } = self.span()?;
        let near = first.max(last - LeavingWatch::SPAN);
        let began = match self.leaving_from(near, span)? {
            // Whether those that were killed hung stands further back.
            LeavingLook { kills: true, .. } if near > first => self.leaving_from(first, span)?.began,
            LeavingLook { began, .. } => began,
        };
        Ok(began.map_or(last, |began| first.max(began - Duration::from_micros(1))))
    }

    fn leaving_from(&self, from: Time, span: SessionSpan) -> Result<LeavingLook, JournalError> {
        let (mut watch, mut kills) = (LeavingWatch::new(self.header.precision()), false);
        for event in self.events(from, span.last)? {
            watch.take(&event);
            kills |= matches!(event.kind, EventKind::Node(NodeEvent::Stopped { how: Stop::Killed }));
        }
        Ok(LeavingLook { began: watch.began(), kills })
    }

    /// What is recorded from a position on: to go on from the model of [`Past::at_position`].
    pub fn records_from(
        &self,
        position: Position,
    ) -> Result<impl Iterator<Item = Result<JournalRecord, JournalError>> + use<>, JournalError> {
        let (mut before, recording) = self.open_at(position)?;
        let is_event = |record: &Result<_, _>| matches!(record, Ok(JournalRecord::Event { .. }));
        // What is missing right behind the position is known in its model.
        Ok(recording.skip_while(move |record| {
            let is_told = !is_event(record) || before < position;
            before.0 += u64::from(is_event(record));
            is_told
        }))
    }

    /// What happened when, as far as the pass has read.
    pub fn timeline(&self) -> Timeline {
        self.shelf().timeline.clone()
    }

    /// How far the pass has read.
    pub fn progress(&self) -> PassProgress {
        self.shelf().progress
    }

    /// What is kept of it.
    pub fn kept(&self) -> Kept {
        self.shelf().kept()
    }

    /// The file has grown, or was replaced, since a pass read it to its end: [`Past::read_on`] reads what is new.
    pub fn has_grown(&self) -> bool {
        let len = std::fs::metadata(&self.path).map(|about| about.len()).unwrap_or_default();
        self.shelf().has_grown(len)
    }

    /// A panic elsewhere leaves whole keyframes.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// If it is stopped, this is some earlier moment.
    fn fold_to(&self, goal: Goal, stop: &CancellationToken) -> Result<PastMoment, JournalError> {
        let (base, near) = {
            let held = self.shelf();
            (held.before(goal), held.index_before(goal))
        };
        let mut walk = PastWalk::from(&self.path, base.as_deref())?;
        let mut kept = walk.moment.position;
        let result = loop {
            match walk.next() {
                Walked::Event(event) if goal.is_passed(&event, walk.moment.position) => break walk.moment,
                Walked::Event(_) if walk.moment.is_time_to_look() && stop.is_cancelled() => break walk.moment,
                Walked::Event(event) => walk.moment.take(&event),
                Walked::Checkpoint => {
                    let position = walk.moment.position;
                    let is_near = near.contains(&position) && position > kept;
                    if is_near || position.0.saturating_sub(kept.0) >= keyframes::NEAR_EVERY {
                        kept = position;
                        if let Some(keyframe) = walk.keyframe() {
                            self.shelf().keep_recent(keyframe);
                        }
                    }
                }
                Walked::Gap { .. } => {}
                Walked::End => break walk.moment,
            }
        };
        Ok(result)
    }

    /// The recording at the last indexed place before this position, and the position there.
    fn open_at(&self, position: Position) -> Result<(Position, Recording), JournalError> {
        let point = self.shelf().point_before(Goal::Position(position));
        match point {
            Some(point) => Ok((point.position, Recording::open_at(&self.path, &point.checkpoint)?)),
            None => Ok((Position(0), Recording::open(&self.path)?)),
        }
    }

    /// The recording from a place on that has all events from this time on behind it.
    fn open_before(&self, at: Time) -> Result<Recording, JournalError> {
        let point = self.shelf().point_before(Goal::Time(at - Duration::from_micros(1)));
        match point {
            Some(point) => Recording::open_at(&self.path, &point.checkpoint),
            None => ends::open_before(&self.path, at),
        }
    }
}

/// What the events up to the end of a session tell of it.
struct LeavingLook {
    began: Option<Time>,
    /// Nodes were killed.
    kills: bool,
}

/// A fold over a recording, between two of its events.
struct PastWalk {
    recording: Recording,
    moment: PastMoment,
}

/// What comes next on a walk.
enum Walked {
    /// It is not folded yet.
    Event(Event),
    /// This many events are missing here, as far as that is known; the model knows it.
    Gap {
        events: u64,
        why: Option<String>,
    },
    /// Here it can be taken up again.
    Checkpoint,
    End,
}

impl PastWalk {
    fn from(path: &Path, keyframe: Option<&Keyframe>) -> Result<Self, JournalError> {
        Ok(match keyframe {
            None => Self { recording: Recording::open(path)?, moment: PastMoment::beginning() },
            Some(keyframe) => {
                Self { recording: Recording::open_at(path, &keyframe.checkpoint)?, moment: keyframe.moment.clone() }
            }
        })
    }

    fn next(&mut self) -> Walked {
        match self.recording.next_step() {
            None => Walked::End,
            Some(ReplayStep::Checkpoint) => Walked::Checkpoint,
            Some(ReplayStep::Record(Ok(JournalRecord::Event { event, .. }))) => Walked::Event(event),
            Some(ReplayStep::Record(Ok(JournalRecord::Skipped(events)))) => self.gap(events, None),
            Some(ReplayStep::Record(Ok(JournalRecord::Torn))) => {
                Walked::Gap { events: 0, why: Some("the recording ends in the middle of a line".to_owned()) }
            }
            Some(ReplayStep::Record(Err(error))) => {
                self.moment.damage.note(&error);
                self.gap(error.missing(), Some(error.to_string()))
            }
        }
    }

    fn gap(&mut self, events: u64, why: Option<String>) -> Walked {
        self.moment.model.note_skipped(events);
        Walked::Gap { events, why }
    }

    /// A copy of it, right behind a checkpoint.
    fn keyframe(&mut self) -> Option<Keyframe> {
        let checkpoint = self.recording.checkpoint()?;
        Some(Keyframe { checkpoint, moment: self.moment.clone() })
    }
}
