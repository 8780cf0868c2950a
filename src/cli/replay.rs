//! Reads what the console shows of a session's past, on a thread of its own.
//!
//! The console asks for moments and for what follows them. A moment takes a fold from an earlier one,
//! so a newer request takes the place of those that still wait.

use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::event::Event;
use crate::feed::Delivery;
use crate::model::words::sentence;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::session::export::damage_text;
use crate::session::journal::{JournalError, JournalRecord};
use crate::session::names::NodeNames;
use crate::session::past::{Past, PastDirection, Position, SearchOutcome};
use crate::session::replay::Damage;
use crate::ui::{
    Destination, FromHost, NoSuchMoment, OpenedRecording, Rest, Seek, SeekId, Severity, ShownMoment, Speed,
    TimeDirection, Upcoming,
};

/// Events in one delivery.
const BATCH_LEN: usize = 256;
/// Events in one answer: some pictures' worth.
const ANSWER_LEN: usize = 16_384;
/// Requests that may wait: the console has one of each kind under way, and drops the others.
const REQUESTS_MAX: usize = 64;

/// A recording, and where to begin.
#[derive(Debug, Clone)]
pub(crate) struct ReplayStart {
    pub(crate) file: PathBuf,
    /// Who reads it alone, and of which recording it is a part.
    pub(crate) part: Option<RecordingPart>,
    /// Its beginning, if not given.
    pub(crate) at: Option<Time>,
    pub(crate) speed: Speed,
}

impl ReplayStart {
    /// Its beginning, at its own pace.
    pub(crate) const fn of(file: PathBuf) -> Self {
        Self { file, part: None, at: None, speed: Speed::NORMAL }
    }

    /// The recording that the user named.
    pub(crate) fn source(&self) -> &Path {
        self.part.as_ref().map_or(&self.file, |part| &part.whole)
    }
}

/// What one node of a recording would have recorded alone.
#[derive(Debug, Clone)]
pub(crate) struct RecordingPart {
    pub(crate) whole: PathBuf,
    pub(crate) node: String,
}

/// What is asked of the thread.
#[derive(Debug)]
enum PastRequest {
    /// Read the whole recording: any moment of it is then quick, and its timeline known.
    Read { journal: PathBuf },
    Seek {
        journal: PathBuf,
        seek: Seek,
        /// A later seek makes this one void.
        stop: CancellationToken,
    },
    Follow {
        journal: PathBuf,
        id: SeekId,
        after: Time,
        /// The file holds all that happened up to then, if it is still written.
        until: Option<Time>,
    },
}

/// A handle to the thread; it ends with it.
#[derive(Debug, Clone)]
pub(crate) struct PastReader {
    requests: mpsc::Sender<PastRequest>,
    /// Stops the seek that was asked for last.
    seeking: Arc<Mutex<CancellationToken>>,
}

impl PastReader {
    pub(crate) fn start(answers: mpsc::Sender<FromHost>) -> io::Result<Self> {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let reader = PastServer { answers, past: None, cursor: None, told: 0 };
        std::thread::Builder::new().name("past".to_owned()).spawn(move || reader.serve(asked))?;
        Ok(Self { requests, seeking: Arc::default() })
    }

    /// Has a recording read from its beginning to its end, and its timeline told meanwhile.
    pub(crate) async fn read(&self, journal: PathBuf) {
        self.ask(PastRequest::Read { journal }).await;
    }

    pub(crate) async fn seek(&self, journal: PathBuf, seek: Seek) {
        let stop = CancellationToken::new();
        let before = std::mem::replace(&mut *self.seeking.lock().unwrap_or_else(PoisonError::into_inner), stop.clone());
        before.cancel();
        self.ask(PastRequest::Seek { journal, seek, stop }).await;
    }

    pub(crate) async fn follow(&self, journal: PathBuf, id: SeekId, after: Time, until: Option<Time>) {
        self.ask(PastRequest::Follow { journal, id, after, until }).await;
    }

    async fn ask(&self, request: PastRequest) {
        // The thread ends when the console is gone, which then needs no answer.
        let _ = self.requests.send(request).await;
    }
}

/// The session that was asked for last.
struct OpenedPast {
    path: PathBuf,
    past: Past,
    /// Stops the thread that reads it.
    reading: Option<DropGuard>,
}

/// The console is gone.
struct Gone;

/// What is recorded after a moment, and the request for it.
struct RecordCursor {
    id: SeekId,
    records: Peekable<Box<dyn Iterator<Item = RecordedStep> + Send>>,
    last: Time,
}

type RecordedStep = Result<JournalRecord, JournalError>;

struct PastServer {
    answers: mpsc::Sender<FromHost>,
    past: Option<OpenedPast>,
    cursor: Option<RecordCursor>,
    /// Damaged lines of the recording that the user was told of.
    told: u64,
}

impl PastServer {
    fn serve(mut self, mut asked: mpsc::Receiver<PastRequest>) {
        while let Some(request) = asked.blocking_recv() {
            let mut requests = vec![request];
            while let Ok(request) = asked.try_recv() {
                requests.push(request);
            }
            let newest = requests.iter().filter_map(PastRequest::id).max();
            for request in requests.into_iter().filter(|request| request.id().is_none_or(|id| Some(id) == newest)) {
                if self.answer(request).is_err() {
                    return;
                }
            }
        }
    }

    fn answer(&mut self, request: PastRequest) -> Result<(), Gone> {
        match request {
            PastRequest::Read { journal } => self.read(&journal),
            PastRequest::Seek { journal, seek, stop } => self.go(&journal, &seek, &stop),
            PastRequest::Follow { journal, id, after, until } => self.follow(&journal, id, after, until),
        }
    }

    fn send(&self, answer: FromHost) -> Result<(), Gone> {
        self.answers.blocking_send(answer).map_err(|_| Gone)
    }
}

impl PastRequest {
    /// The request that makes those before it void, if it is one of them.
    const fn id(&self) -> Option<SeekId> {
        match self {
            Self::Read { .. } => None,
            Self::Seek { seek, .. } => Some(seek.id),
            Self::Follow { id, .. } => Some(*id),
        }
    }
}

/// Looks at a recording. Waits for the disk.
pub(crate) fn open(start: &ReplayStart) -> Result<OpenedRecording, JournalError> {
    let span = Past::open(&start.file)?.span()?;
    let source = start.source().display().to_string();
    let reader = start.part.as_ref().map(|part| part.node.clone());
    Ok(OpenedRecording { source, reader, span, start: start.at.unwrap_or(span.first), speed: start.speed })
}

impl PastServer {
    /// Reads on a thread of its own, so that moments are shown meanwhile. What is wrong with the file
    /// is told when a moment of it is shown.
    fn read(&mut self, journal: &Path) -> Result<(), Gone> {
        let Ok(past) = self.past(journal).cloned() else { return Ok(()) };
        let (answers, stop) = (self.answers.clone(), CancellationToken::new());
        if let Some(opened) = &mut self.past {
            opened.reading = Some(stop.clone().drop_guard());
        }
        let read = move || {
            let tell = |_| {
                if answers.blocking_send(FromHost::Timeline(Box::new(past.timeline()))).is_err() {
                    stop.cancel();
                }
            };
            drop(past.read_on(&stop, tell));
        };
        match std::thread::Builder::new().name("past-pass".to_owned()).spawn(read) {
            Ok(_) => Ok(()),
            Err(error) => self.warn(format!("cannot read the recording ahead: {error}")),
        }
    }

    /// Shows the moment; a seek that is stopped meanwhile needs no answer.
    fn go(&mut self, journal: &Path, seek: &Seek, stop: &CancellationToken) -> Result<(), Gone> {
        let file = |error: JournalError| NoSuchMoment::File(error.to_string());
        let shown = self.past(journal).map_err(file).and_then(|past| {
            let at = destination(past, seek, stop)?;
            past.at_unless(at, stop).map_err(file).map(|shown| (at, shown))
        });
        match shown {
            _ if stop.is_cancelled() => Ok(()),
            Ok((_, None)) => Ok(()),
            Ok((at, Some(shown))) => {
                self.tell(&shown.damage)?;
                self.send(FromHost::Moment(ShownMoment { id: seek.id, at, model: Box::new(shown.model) }))
            }
            Err(why) => self.send(FromHost::NoMoment { id: seek.id, why }),
        }
    }

    fn follow(&mut self, journal: &Path, id: SeekId, after: Time, until: Option<Time>) -> Result<(), Gone> {
        let cursor = self.cursor.take().filter(|cursor| cursor.id == id && cursor.last == after);
        let begin = || RecordCursor::after(self.past(journal)?, id, after);
        let mut cursor = match cursor.map_or_else(begin, Ok) {
            Ok(cursor) => cursor,
            Err(error) => return self.warn(error.to_string()),
        };
        let deliveries = cursor.take(ANSWER_LEN);
        let rest = if deliveries.is_empty() { Rest::End } else { Rest::More };
        let until = match rest {
            Rest::More => cursor.last,
            Rest::End => until.unwrap_or_else(|| self.end(journal).max(cursor.last)),
        };
        let upcoming = Upcoming { id, deliveries, until, rest };
        // What is appended to a file that is still written is read anew.
        self.cursor = Some(cursor).filter(|_| rest == Rest::More);
        self.send(FromHost::Upcoming(upcoming))
    }

    /// When a recording ends; its beginning, if it cannot be read any more.
    fn end(&mut self, journal: &Path) -> Time {
        let span = self.past(journal).and_then(Past::span);
        span.map_or(Time::from_micros(0), |span| span.last)
    }

    /// The session of this file. What was read of it before makes it quicker.
    fn past(&mut self, journal: &Path) -> Result<&Past, JournalError> {
        let past = match self.past.take().filter(|past| past.path == journal) {
            Some(past) => past,
            None => OpenedPast { path: journal.to_owned(), past: Past::open(journal)?, reading: None },
        };
        Ok(&self.past.insert(past).past)
    }

    /// Says which lines cannot be read, once.
    fn tell(&mut self, damage: &Damage) -> Result<(), Gone> {
        let known = usize::try_from(self.told).unwrap_or(usize::MAX);
        damage.told.iter().skip(known).try_for_each(|line| self.warn(line.clone()))?;
        if damage.lines > self.told && damage.lines > Damage::TOLD_MAX as u64 {
            self.warn(damage_text(damage.lines))?;
        }
        self.told = self.told.max(damage.lines);
        Ok(())
    }

    fn warn(&self, text: String) -> Result<(), Gone> {
        self.send(FromHost::Notice { severity: Severity::Warning, text })
    }
}

impl RecordCursor {
    fn after(past: &Past, id: SeekId, after: Time) -> Result<Self, JournalError> {
        let records = past.records_from(past.at(after)?.position)?;
        let records: Box<dyn Iterator<Item = RecordedStep> + Send> = Box::new(records);
        Ok(Self { id, records: records.peekable(), last: after })
    }

    /// So many records, and all others of the last one's microsecond.
    fn take(&mut self, most: usize) -> Vec<Delivery> {
        let mut batches = Batches::default();
        for taken in 0.. {
            let last = self.last;
            let Some(record) = self.records.next_if(|record| taken < most || is_at(record, last)) else { break };
            match record {
                Ok(JournalRecord::Event { event, .. }) => {
                    self.last = event.at;
                    batches.push(event);
                }
                Ok(JournalRecord::Skipped(events)) => batches.skip(events),
                Ok(JournalRecord::Torn) => {}
                Err(error) => batches.skip(error.missing()),
            }
        }
        batches.finish()
    }
}

fn is_at(record: &RecordedStep, at: Time) -> bool {
    matches!(record, Ok(JournalRecord::Event { event, .. }) if event.at == at)
}

/// Makes deliveries of events, in which what is missing stands in its place.
#[derive(Default)]
pub(super) struct Batches {
    whole: Vec<Delivery>,
    skipped: u64,
    batch: Vec<Event>,
}

impl Batches {
    pub(super) fn push(&mut self, event: Event) {
        self.batch.push(event);
        if self.batch.len() >= BATCH_LEN {
            self.close();
        }
    }

    pub(super) fn skip(&mut self, events: u64) {
        self.close();
        self.skipped = self.skipped.saturating_add(events);
    }

    fn close(&mut self) {
        let (skipped, batch) = (std::mem::take(&mut self.skipped), std::mem::take(&mut self.batch));
        if skipped > 0 || !batch.is_empty() {
            self.whole.push(Delivery { skipped, batch: batch.into() });
        }
    }

    pub(super) fn finish(mut self) -> Vec<Delivery> {
        self.close();
        self.whole
    }
}

/// The moment that is asked for.
fn destination(past: &Past, seek: &Seek, stop: &CancellationToken) -> Result<Time, NoSuchMoment> {
    let file = |error: JournalError| NoSuchMoment::File(error.to_string());
    match seek.to {
        Destination::Time(at) => Ok(at),
        Destination::Event { direction, ref scope } => {
            let found = find(past, seek.from, direction, stop, |event| scope.shows(event)).map_err(file)?;
            found.ok_or(NoSuchMoment::NoEvent(direction))
        }
        Destination::Match { direction, ref scope, ref sought } => {
            let then = past.at(seek.from).map_err(file)?.model;
            let mut names = NodeNames::new();
            let found = find(past, seek.from, direction, stop, |event| {
                names.learn(event);
                let is_known = |addr| then.nodes().get(addr).is_some();
                let name = |addr| if is_known(addr) { then.name_of(addr) } else { names.name(addr) }.into_owned();
                scope.shows(event) && sought.matches(&text_of(event, &name))
            });
            found.map_err(file)?.ok_or_else(|| NoSuchMoment::NoMatch(direction, sought.typed().to_owned()))
        }
    }
}

/// When the next event happened that is wanted, before this time or after it.
fn find(
    past: &Past,
    from: Time,
    direction: TimeDirection,
    stop: &CancellationToken,
    mut wanted: impl FnMut(&Event) -> bool,
) -> Result<Option<Time>, JournalError> {
    let Position(before) = past.at(from)?.position;
    // The search back leaves out the event right before its position.
    let (position, direction, is_beyond): (_, _, fn(Time, Time) -> bool) = match direction {
        TimeDirection::Forward => (Position(before), PastDirection::Forward, |at, from| at > from),
        TimeDirection::Back => (Position(before + 1), PastDirection::Back, |at, from| at < from),
    };
    let is_wanted = |event: &Event| is_beyond(event.at, from) && wanted(event);
    match past.find(position, direction, is_wanted, stop, |_| {})? {
        SearchOutcome::Found(found) => Ok(Some(found.event.at)),
        SearchOutcome::Nothing | SearchOutcome::Stopped { .. } => Ok(None),
    }
}

/// What a search looks at: who, and what happened.
fn text_of(event: &Event, name: &dyn Fn(Addr) -> String) -> String {
    format!("{}: {}", name(event.node), sentence(&event.kind, name))
}
