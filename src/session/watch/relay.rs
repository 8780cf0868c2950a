//! What a `watch` tells another one on another machine: each session apart, line by line.
//!
//! ```text
//! {"relay":{"version":1,"gossipctl":"0.1.0","now":1795898595000000}}
//! {"session":{"name":"2026-11-28T20-44-12-4711","header":{..}}}
//! {"of":0}
//! {"at":1795898652031000,"node":"127.0.0.1:3000","event":"started",..}
//! {"current":{}}
//! ```
//!
//! Sessions are numbered in the order in which they are told. Events are those of the session that was named last.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::model::Set;
use crate::proto::time::Time;
use crate::session::archive::Archive;
use crate::session::journal::{Header, JournalEnd, JournalFollower, JournalRecord, glance};
use crate::session::json::push_printed_line;
use crate::session::overview::SessionEnd;
use crate::session::text::printed_json;
use crate::session::watch::is_watchable;
use crate::session::watch::nodes::FollowedNodes;
use crate::session::watch::writer::WriterWatch;

/// The version of these lines.
pub(super) const RELAY_VERSION: u32 = 1;
/// Looks without news after which a line is told all the same: whoever reads no more is noticed by that.
const QUIET_LOOKS_MAX: u32 = 8;

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RelayLine {
    /// The first line.
    Relay {
        version: u32,
        /// The version of the program.
        gossipctl: String,
        /// What the clock there shows.
        now: Time,
    },
    /// A session that runs.
    Session { name: String, header: Box<Header> },
    /// What follows is of this session.
    Of(usize),
    /// So many events are missing here.
    Skipped(u64),
    /// All that was recorded by now was told.
    Current {},
    Ended {
        session: usize,
        /// How, as far as it says.
        how: Option<SessionEnd>,
    },
    /// The process of this session was killed.
    Killed(usize),
}

/// Why nothing is told any more.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("{}: cannot be read: {reason}", dir.display())]
    Dir { dir: PathBuf, reason: io::Error },
    /// Nobody reads it, most likely.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Tells what the sessions of a directory record.
#[derive(Debug)]
pub struct Relay<W> {
    dir: PathBuf,
    known: Set<PathBuf>,
    sessions: Vec<RelayedSession>,
    /// The session of which events were told last.
    of: Option<usize>,
    quiet_looks: u32,
    pending: Vec<u8>,
    out: W,
}

#[derive(Debug)]
struct RelayedSession {
    writer: WriterWatch,
    follower: JournalFollower,
    state: RelayState,
    nodes: FollowedNodes,
    /// When it was last seen to run.
    seen_at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelayState {
    Running,
    /// Nobody writes to it any more, and what was written last is still to be told.
    Ending,
    Over,
}

impl<W: Write> Relay<W> {
    /// Tells who it is.
    pub fn begin(dir: PathBuf, now: Time, out: W) -> Result<Self, RelayError> {
        let (known, sessions, pending) = (Set::default(), Vec::new(), Vec::new());
        let mut relay = Self { dir, known, sessions, of: None, quiet_looks: 0, pending, out };
        let gossipctl = env!("CARGO_PKG_VERSION").to_owned();
        relay.push(&RelayLine::Relay { version: RELAY_VERSION, gossipctl, now })?;
        Ok(relay)
    }

    /// Tells what was recorded since.
    pub fn look(&mut self, now: Time) -> Result<(), RelayError> {
        self.find_sessions(now)?;
        for ix in 0..self.sessions.len() {
            self.tell(ix, now)?;
        }
        self.quiet_looks += 1;
        if !self.pending.is_empty() || self.quiet_looks >= QUIET_LOOKS_MAX {
            self.push(&RelayLine::Current {})?;
            self.quiet_looks = 0;
        }
        self.write()?;
        Ok(self.out.flush()?)
    }

    fn find_sessions(&mut self, now: Time) -> Result<(), RelayError> {
        let found = Archive::open_new(&self.dir, &mut self.known);
        let found = found.map_err(|reason| RelayError::Dir { dir: self.dir.clone(), reason })?;
        for session in found.sessions.into_iter().filter(is_watchable) {
            let Ok(follower) = JournalFollower::open(&session.path) else { continue };
            self.push(&RelayLine::Session { name: session.name, header: Box::new(session.header) })?;
            let (writer, state) = (WriterWatch::new(session.path), RelayState::Running);
            self.sessions.push(RelayedSession {
                writer,
                follower,
                state,
                nodes: FollowedNodes::default(),
                seen_at: now,
            });
        }
        Ok(())
    }

    fn tell(&mut self, ix: usize, now: Time) -> Result<(), RelayError> {
        let before = self.sessions[ix].state;
        if before == RelayState::Over {
            return Ok(());
        }
        // What is written before this is read below.
        let runs = self.sessions[ix].writer.is_there();
        while let Some(record) = self.sessions[ix].follower.next_record() {
            match record {
                Ok(JournalRecord::Event { event, .. }) => {
                    self.sessions[ix].nodes.take(&event);
                    self.push_event(ix, &event)?;
                }
                Ok(JournalRecord::Skipped(events)) => self.skip(ix, events)?,
                Ok(JournalRecord::Torn) => {}
                Err(error) => self.skip(ix, error.missing())?,
            }
            if self.pending.len() >= CHUNK_LEN {
                self.write()?;
            }
        }
        self.sessions[ix].state = match (before, runs) {
            // Also one that seemed to end: its writer had found its file removed, and has begun it anew.
            (RelayState::Running | RelayState::Ending, true) => {
                self.sessions[ix].seen_at = now;
                RelayState::Running
            }
            (RelayState::Running, false) => RelayState::Ending,
            (RelayState::Ending, false) | (RelayState::Over, _) => {
                self.tell_end(ix)?;
                RelayState::Over
            }
        };
        Ok(())
    }

    fn tell_end(&mut self, session: usize) -> Result<(), RelayError> {
        let end = glance(self.sessions[session].writer.path()).map_or(JournalEnd::Open, |glance| glance.end);
        match end {
            JournalEnd::Closed(how) => self.push(&RelayLine::Ended { session, how }),
            JournalEnd::Open => {
                let at = self.sessions[session].seen_at;
                // Its nodes ended with the process. Here it is known best when.
                for event in self.sessions[session].nodes.kill(at) {
                    self.push_event(session, &event)?;
                }
                self.push(&RelayLine::Killed(session))
            }
        }
    }

    fn push_event(&mut self, ix: usize, event: &Event) -> Result<(), RelayError> {
        self.switch_to(ix)?;
        push_printed_line(&mut self.pending, event).map_err(io::Error::from)?;
        Ok(())
    }

    fn skip(&mut self, ix: usize, events: u64) -> Result<(), RelayError> {
        self.switch_to(ix)?;
        self.push(&RelayLine::Skipped(events))
    }

    fn switch_to(&mut self, ix: usize) -> Result<(), RelayError> {
        if self.of.replace(ix) != Some(ix) {
            self.push(&RelayLine::Of(ix))?;
        }
        Ok(())
    }

    fn push(&mut self, line: &RelayLine) -> Result<(), RelayError> {
        self.pending.extend_from_slice(printed_json(line).map_err(io::Error::from)?.as_bytes());
        self.pending.push(b'\n');
        Ok(())
    }

    fn write(&mut self) -> Result<(), RelayError> {
        self.out.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }
}

/// Bytes of whole lines in one write.
const CHUNK_LEN: usize = 64 * 1024;
