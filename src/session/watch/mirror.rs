//! Sessions of another machine, kept as journals here while they are told: see [`relay`](super::relay).
//!
//! Nothing that comes from there is trusted. Lines and numbers of sessions have limits, names are those that sessions
//! have, and what is kept is written by our own writer, within the size that a journal may have.

use std::path::PathBuf;
use std::time::Duration;

use super::relay::{RELAY_VERSION, RelayLine};
use crate::event::revise::Revision;
use crate::event::{Event, EventKind, NodeEvent};
use crate::model::Set;
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::proto::fault::FaultId;
use crate::proto::time::Time;
use crate::session::journal::{Header, Journal, JournalError};
use crate::session::merge::SOURCES_MAX;

/// Characters of a session's name: twice those that one has.
const NAME_LEN_MAX: usize = 64;
/// Lines between two looks at how much room all sessions take.
const WEIGHED_EVERY: u64 = 1_024;
/// A clock that differs by less is taken to agree: the line that tells of it is on its way for a moment.
const CLOCKS_AGREE: Duration = Duration::from_secs(1);

/// What whoever reads the lines should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorNews {
    Nothing,
    /// This version of the program tells, and its clock is so many microseconds ahead.
    Began {
        gossipctl: String,
        ahead_us: i64,
    },
    /// All that was recorded there by now was told.
    Current,
}

/// Why a line cannot be taken. What was told before stays.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("expected what 'gossipctl watch --relay' tells, not '{0}'")]
    Line(String),
    #[error(
        "it relays in version {0}; this gossipctl reads version {RELAY_VERSION}: use the same version at both ends"
    )]
    Version(u32),
    #[error("more than {SOURCES_MAX} sessions")]
    TooMany,
    #[error("its sessions take more than {} here: --journal-max sets a higher limit", size_text(*.0))]
    Full(u64),
    #[error("'{0}' is no name of a session")]
    Name(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The sessions of a machine.
#[derive(Debug)]
pub struct Mirror {
    dir: PathBuf,
    /// Stands before the names of its sessions.
    prefix: String,
    /// Bytes of all journals together, and of those that have ended.
    size_max: u64,
    ended_size: u64,
    /// Lines that were taken.
    lines: u64,
    began: bool,
    clock: RemoteClock,
    /// The journals in the order in which they were told; `None`: it has ended.
    sessions: Vec<Option<Journal>>,
    of: usize,
}

/// How times there become times here.
#[derive(Debug, Default)]
struct RemoteClock {
    ahead_us: i64,
    /// Nodes that use it.
    nodes: Set<Addr>,
}

impl Revision for RemoteClock {
    fn time(&self, at: Time) -> Time {
        at.skewed(self.ahead_us.saturating_neg())
    }

    fn time_at(&self, origin: Addr, at: Time) -> Time {
        if self.nodes.contains(&origin) { self.time(at) } else { at }
    }

    fn fault(&self, id: FaultId) -> FaultId {
        id
    }
}

impl Mirror {
    pub fn new(dir: PathBuf, host: &str, size_max: u64) -> Self {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "@.-".contains(c) { c } else { '_' };
        let prefix = host.chars().take(NAME_LEN_MAX).map(safe).collect();
        Self {
            dir,
            prefix,
            size_max,
            ended_size: 0,
            lines: 0,
            began: false,
            clock: RemoteClock::default(),
            sessions: Vec::new(),
            of: 0,
        }
    }

    /// Takes a line that came now.
    pub fn take(&mut self, line: &[u8], now: Time) -> Result<MirrorNews, MirrorError> {
        self.lines += 1;
        if self.lines.is_multiple_of(WEIGHED_EVERY) {
            self.check_size()?;
        }
        if self.began
            && line.starts_with(b"{\"at\":")
            && let Ok(event) = serde_json::from_slice(line)
        {
            self.event(event)?;
            return Ok(MirrorNews::Nothing);
        }
        match serde_json::from_slice(line) {
            Ok(RelayLine::Relay { version, gossipctl, now: there }) if !self.began => {
                self.begin(version, gossipctl, there, now)
            }
            Ok(line) if self.began => self.take_line(line),
            Ok(_) | Err(_) => {
                let told: String = String::from_utf8_lossy(line).trim_end().chars().take(NAME_LEN_MAX).collect();
                Err(MirrorError::Line(told))
            }
        }
    }

    fn begin(&mut self, version: u32, gossipctl: String, there: Time, now: Time) -> Result<MirrorNews, MirrorError> {
        if version != RELAY_VERSION {
            return Err(MirrorError::Version(version));
        }
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let ahead_us = if there > now { micros(there.since(now)) } else { -micros(now.since(there)) };
        if Duration::from_micros(ahead_us.unsigned_abs()) >= CLOCKS_AGREE {
            self.clock.ahead_us = ahead_us;
        }
        self.began = true;
        Ok(MirrorNews::Began { gossipctl, ahead_us: self.clock.ahead_us })
    }

    fn take_line(&mut self, line: RelayLine) -> Result<MirrorNews, MirrorError> {
        match line {
            RelayLine::Session { name, header } => self.add(&name, *header)?,
            RelayLine::Of(session) if session < self.sessions.len() => self.of = session,
            RelayLine::Of(session) => {
                return Err(MirrorError::Line(format!("session {session} of {}", self.sessions.len())));
            }
            RelayLine::Skipped(events) => self.journal(self.of).map_or(Ok(()), |journal| journal.skipped(events))?,
            RelayLine::Ended { session, how } => {
                self.end(session).map_or(Ok(()), |journal| journal.close_as(how))?;
            }
            RelayLine::Killed(session) => self.kill(session)?,
            RelayLine::Current {} => {
                self.sessions.iter_mut().flatten().try_for_each(Journal::flush)?;
                return Ok(MirrorNews::Current);
            }
            RelayLine::Relay { .. } => {}
        }
        Ok(MirrorNews::Nothing)
    }

    fn add(&mut self, name: &str, header: Header) -> Result<(), MirrorError> {
        if self.sessions.len() >= SOURCES_MAX {
            return Err(MirrorError::TooMany);
        }
        let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || name.len() > NAME_LEN_MAX || !name.chars().all(is_safe) {
            return Err(MirrorError::Name(name.chars().take(NAME_LEN_MAX).collect()));
        }
        let path = self.dir.join(format!("{}-{name}.jsonl.zst", self.prefix));
        // It is written here, in the form of this version.
        let Header { format, version, .. } = Header::new(header.started, header.utc_offset_s);
        let header = Header { format, version, started: self.clock.time(header.started), epoch: None, ..header };
        self.sessions.push(Some(Journal::create(&path, &header, self.size_max)?));
        Ok(())
    }

    fn event(&mut self, mut event: Event) -> Result<(), MirrorError> {
        if matches!(event.kind, EventKind::Node(NodeEvent::Started { .. })) && self.clock.nodes.len() < NODES_MAX {
            self.clock.nodes.insert(event.node);
        }
        event.revise(&self.clock);
        Ok(self.journal(self.of).map_or(Ok(()), |journal| journal.append(&[event]))?)
    }

    fn check_size(&self) -> Result<(), MirrorError> {
        let size: u64 = self.sessions.iter().flatten().map(Journal::size).sum();
        if size + self.ended_size > self.size_max { Err(MirrorError::Full(self.size_max)) } else { Ok(()) }
    }

    /// A session that has ended takes as much room as before.
    fn end(&mut self, session: usize) -> Option<Journal> {
        let journal = self.sessions.get_mut(session).and_then(Option::take)?;
        self.ended_size += journal.size();
        Some(journal)
    }

    /// It ends without its last words, as that of the session did.
    fn kill(&mut self, session: usize) -> Result<(), MirrorError> {
        Ok(self.end(session).map_or(Ok(()), |mut journal| journal.flush())?)
    }

    fn journal(&mut self, session: usize) -> Option<&mut Journal> {
        self.sessions.get_mut(session)?.as_mut()
    }
}

/// Nodes of a machine whose clock is known: more than sockets allow.
const NODES_MAX: usize = 65_536;

#[cfg(test)]
mod tests;
