//! Reads what the console shows of a session's past, on a thread of its own.
//!
//! The console asks for moments and for what follows them. A moment takes a fold from an earlier one,
//! so a newer request takes the place of those that still wait.

use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::event::Event;
use crate::feed::Delivery;
use crate::model::Model;
use crate::model::timeline::Timeline;
use crate::model::words::sentence;
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::session::export::damage_text;
use crate::session::journal::JournalError;
use crate::session::names::NodeNames;
use crate::session::past::Past;
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

/// Events after which the timeline of a recording is told again while it is read.
const TOLD_EVERY: u64 = 65_536;

/// The least time between two moments.
const STEP: Duration = Duration::from_micros(1);

/// A recording, and where to begin.
#[derive(Debug, Clone)]
pub(crate) struct ReplayStart {
    pub(crate) file: PathBuf,
    /// Its beginning, if not given.
    pub(crate) at: Option<Time>,
    pub(crate) speed: Speed,
}

impl ReplayStart {
    /// Its beginning, at its own pace.
    pub(crate) const fn of(file: PathBuf) -> Self {
        Self { file, at: None, speed: Speed::NORMAL }
    }
}

/// What is asked of the thread.
#[derive(Debug)]
enum PastRequest {
    Seek {
        journal: PathBuf,
        seek: Seek,
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
}

impl PastReader {
    pub(crate) fn start(answers: mpsc::Sender<FromHost>) -> io::Result<Self> {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let reader = PastServer { answers, past: None, cursor: None, told: 0 };
        std::thread::Builder::new().name("past".to_owned()).spawn(move || reader.serve(asked))?;
        Ok(Self { requests })
    }

    pub(crate) async fn seek(&self, journal: PathBuf, seek: Seek) {
        self.ask(PastRequest::Seek { journal, seek }).await;
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
}

/// The console is gone.
struct Gone;

/// The events after a moment, and the request for it.
struct EventCursor {
    id: SeekId,
    events: Peekable<Box<dyn Iterator<Item = Event> + Send>>,
    last: Time,
}

struct PastServer {
    answers: mpsc::Sender<FromHost>,
    past: Option<OpenedPast>,
    cursor: Option<EventCursor>,
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
            let newest = requests.iter().map(PastRequest::id).max();
            for request in requests.into_iter().filter(|request| Some(request.id()) == newest) {
                if self.answer(request).is_err() {
                    return;
                }
            }
        }
    }

    fn answer(&mut self, request: PastRequest) -> Result<(), Gone> {
        match request {
            PastRequest::Seek { journal, seek } => self.go(&journal, &seek),
            PastRequest::Follow { journal, id, after, until } => self.follow(&journal, id, after, until),
        }
    }

    fn send(&self, answer: FromHost) -> Result<(), Gone> {
        self.answers.blocking_send(answer).map_err(|_| Gone)
    }
}

/// Folds the timeline of a recording on a thread of its own, and tells it now and then.
pub(crate) fn tell_timeline(journal: PathBuf, answers: mpsc::Sender<FromHost>) -> io::Result<()> {
    let fold = move || -> Result<(), JournalError> {
        let (mut model, mut timeline) = (Model::new(), Timeline::new());
        for (events, event) in
            (1..).zip(Past::open(&journal)?.events(Time::from_micros(0), Time::from_micros(u64::MAX))?)
        {
            model.apply(&event);
            timeline.follow(&model, &event);
            let is_due = events % TOLD_EVERY == 0;
            if is_due && answers.blocking_send(FromHost::Timeline(Box::new(timeline.clone()))).is_err() {
                return Ok(());
            }
        }
        let _ = answers.blocking_send(FromHost::Timeline(Box::new(timeline)));
        Ok(())
    };
    // What is wrong with the file is told when a moment of it is shown.
    std::thread::Builder::new().name("timeline".to_owned()).spawn(move || drop(fold())).map(drop)
}

impl PastRequest {
    /// The request that makes those before it void.
    const fn id(&self) -> SeekId {
        match self {
            Self::Seek { seek, .. } => seek.id,
            Self::Follow { id, .. } => *id,
        }
    }
}

/// Looks at a recording. Waits for the disk.
pub(crate) fn open(start: &ReplayStart) -> Result<OpenedRecording, JournalError> {
    let span = Past::open(&start.file)?.span()?;
    let source = start.file.display().to_string();
    Ok(OpenedRecording { source, span, start: start.at.unwrap_or(span.first), speed: start.speed })
}

impl PastServer {
    fn go(&mut self, journal: &Path, seek: &Seek) -> Result<(), Gone> {
        let file = |error: JournalError| NoSuchMoment::File(error.to_string());
        let shown = self.past(journal).map_err(file).and_then(|past| {
            let at = destination(past, seek)?;
            past.at(at).map_err(file).map(|shown| (at, shown))
        });
        match shown {
            Ok((at, shown)) => {
                self.tell(&shown.damage)?;
                self.send(FromHost::Moment(ShownMoment { id: seek.id, at, model: Box::new(shown.model) }))
            }
            Err(why) => self.send(FromHost::NoMoment { id: seek.id, why }),
        }
    }

    fn follow(&mut self, journal: &Path, id: SeekId, after: Time, until: Option<Time>) -> Result<(), Gone> {
        let cursor = self.cursor.take().filter(|cursor| cursor.id == id && cursor.last == after);
        let begin = || EventCursor::after(self.past(journal)?, id, after);
        let mut cursor = match cursor.map_or_else(begin, Ok) {
            Ok(cursor) => cursor,
            Err(error) => return self.warn(error.to_string()),
        };
        let events = cursor.take(ANSWER_LEN);
        let rest = if events.is_empty() { Rest::End } else { Rest::More };
        let until = match rest {
            Rest::More => cursor.last,
            // Of a recording the console knows the end.
            Rest::End => until.unwrap_or(cursor.last),
        };
        let batches = events.chunks(BATCH_LEN).map(|batch| Delivery { skipped: 0, batch: batch.into() });
        let upcoming = Upcoming { id, deliveries: batches.collect(), until, rest };
        // What is appended to a file that is still written is read anew.
        self.cursor = Some(cursor).filter(|_| rest == Rest::More);
        self.send(FromHost::Upcoming(upcoming))
    }

    /// The session of this file. What was read of it before makes it quicker.
    fn past(&mut self, journal: &Path) -> Result<&Past, JournalError> {
        let past = match self.past.take().filter(|past| past.path == journal) {
            Some(past) => past,
            None => OpenedPast { path: journal.to_owned(), past: Past::open(journal)? },
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

impl EventCursor {
    fn after(past: &Past, id: SeekId, after: Time) -> Result<Self, JournalError> {
        let events = past.events(after + STEP, Time::from_micros(u64::MAX))?;
        let events: Box<dyn Iterator<Item = Event> + Send> = Box::new(events);
        Ok(Self { id, events: events.peekable(), last: after })
    }

    /// So many events, and all others of the last one's microsecond.
    fn take(&mut self, most: usize) -> Vec<Event> {
        let mut taken: Vec<Event> = self.events.by_ref().take(most).collect();
        if let Some(last) = taken.last().map(|event| event.at) {
            taken.extend(std::iter::from_fn(|| self.events.next_if(|event| event.at == last)));
        }
        self.last = taken.last().map_or(self.last, |event| event.at);
        taken
    }
}

/// The moment that is asked for.
fn destination(past: &Past, seek: &Seek) -> Result<Time, NoSuchMoment> {
    let file = |error: JournalError| NoSuchMoment::File(error.to_string());
    match seek.to {
        Destination::Time(at) => Ok(at),
        Destination::Event { direction: TimeDirection::Forward, scope } => {
            let mut later = past.events(seek.from + STEP, Time::from_micros(u64::MAX)).map_err(file)?;
            let found = later.find(|event| scope.shows(event));
            found.map(|event| event.at).ok_or(NoSuchMoment::NoEvent(TimeDirection::Forward))
        }
        Destination::Match { direction, scope, ref sought } => {
            let mut names = NodeNames::new();
            let found = past.events(Time::from_micros(0), Time::from_micros(u64::MAX)).map_err(file)?;
            let mut found = found.filter(|event| {
                names.learn(event);
                let name = |addr| names.name(addr).into_owned();
                scope.shows(event) && sought.matches(&text_of(event, &name))
            });
            let at = match direction {
                TimeDirection::Forward => found.map(|event| event.at).find(|at| *at > seek.from),
                TimeDirection::Back => found.by_ref().map(|event| event.at).take_while(|at| *at < seek.from).last(),
            };
            at.ok_or_else(|| NoSuchMoment::NoMatch(direction, sought.typed().to_owned()))
        }
        Destination::Event { direction: TimeDirection::Back, scope } => {
            let earlier = past.events(Time::from_micros(0), seek.from - STEP).map_err(file)?;
            let found = earlier.filter(|event| scope.shows(event)).last();
            found.map(|event| event.at).ok_or(NoSuchMoment::NoEvent(TimeDirection::Back))
        }
    }
}

/// What a search looks at: who, and what happened.
fn text_of(event: &Event, name: &dyn Fn(Addr) -> String) -> String {
    format!("{}: {}", name(event.node), sentence(&event.kind, name))
}
