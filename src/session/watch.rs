//! Follows the sessions that run, and reads those of one network as one.
//!
//! Each session records itself in a file that others may read, so nobody is asked and no port is opened: the journals
//! are read on while they grow ([`JournalFollower`]), and their events are put into one order ([`order`]) by the
//! rules of [`merge`](super::merge). Sessions whose nodes had links to each other, or to one seed, are of one network;
//! one that begins later joins as soon as it has such a link.

mod mirror;
mod news;
mod nodes;
mod order;
mod relay;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::mirror::{Mirror, MirrorError, MirrorNews};
pub use self::news::WatchNews;
use self::nodes::FollowedNodes;
use self::order::LiveOrder;
pub use self::order::{LiveRecord, ReadProgress};
pub use self::relay::{Relay, RelayError};
use self::writer::WriterWatch;
use super::archive::{Archive, Session, State};
use super::journal::{Header, JournalEnd, JournalFollower, JournalRecord, RecordedLab, glance};
use super::merge::{LinkedNodes, Merge, MergeError, SOURCES_MAX, SourceIx, networks};
use super::recorder::FLUSH_INTERVAL;
use crate::event::Event;
use crate::model::Set;
use crate::model::identity::SessionIdentity;
use crate::proto::addr::Addr;
use crate::proto::time::Time;

/// How often the files are looked at.
pub const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How long an event waits for earlier ones of other sessions: until their recorders must have written them, and they
/// were read.
pub const ORDER_DELAY: Duration = FLUSH_INTERVAL.saturating_add(POLL_INTERVAL.saturating_mul(2));

/// The same if some of them are on other machines, and their events two looks and a way longer under way.
pub const REMOTE_DELAY: Duration = ORDER_DELAY.saturating_add(POLL_INTERVAL.saturating_mul(4));

/// A directory of sessions.
#[derive(Debug)]
pub struct WatchedDir {
    path: PathBuf,
    /// Files that were looked at.
    known: Set<PathBuf>,
}

impl WatchedDir {
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: Set::default() }
    }
}

/// It runs, and not ahead of the clock: that is over before anybody could watch it.
fn is_watchable(session: &Session) -> bool {
    session.state == State::Running && session.header.epoch.is_none()
}

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchedState {
    Running,
    /// Nobody writes to it any more; what was written last is read by the next look.
    Ending,
    Over(JournalEnd),
    /// The machine on which it runs tells nothing more of it.
    Lost,
}

/// A session that runs, or ran when it was found.
#[derive(Debug)]
pub struct RunningSession {
    pub session: Session,
    pub state: WatchedState,
    nodes: FollowedNodes,
    links: LinkedNodes,
    /// When it was last seen to run.
    seen_at: Time,
    writer: WriterWatch,
    /// Reads it for its nodes and links; `None`: it is shown, and read for that.
    follower: Option<JournalFollower>,
    /// It cannot be shown with the others.
    is_left_out: bool,
}

impl RunningSession {
    fn new(session: Session, seen_at: Time) -> Self {
        let follower = JournalFollower::open(&session.path).ok();
        Self {
            writer: WriterWatch::new(session.path.clone()),
            session,
            state: WatchedState::Running,
            nodes: FollowedNodes::default(),
            links: LinkedNodes::default(),
            seen_at,
            follower,
            is_left_out: false,
        }
    }

    pub fn name(&self) -> &str {
        &self.session.name
    }

    pub fn nodes(&self) -> impl Iterator<Item = Addr> {
        self.nodes.addresses()
    }

    /// `peer 127.0.0.1:3000`, `lab of 2 seeds, 8 peers`.
    pub fn what(&self) -> String {
        let lab = self.session.header.lab.map(|RecordedLab { seeds, peers }| SessionIdentity::Lab { seeds, peers });
        let first = self.nodes.first().map(|(addr, role)| {
            let more = self.nodes.len() - 1;
            SessionIdentity::Node { role, addr, more }
        });
        lab.or(first).map_or_else(|| "nothing yet".to_owned(), SessionIdentity::text)
    }

    /// Nothing more is told of it.
    pub fn is_over(&self) -> bool {
        match self.state {
            WatchedState::Running | WatchedState::Ending => false,
            WatchedState::Over(_) | WatchedState::Lost => true,
        }
    }

    /// Nothing of its nodes is known yet.
    fn is_starting(&self) -> bool {
        self.nodes.is_empty()
    }

    fn take(&mut self, event: &Event) {
        self.nodes.take(event);
        // Addresses in virtual time may be those of nodes on sockets, which they never meet.
        if !self.session.header.virtual_time {
            self.links.take(event);
        }
    }

    /// Reads what was written since, for its nodes and links. What cannot be read is told when it is shown.
    fn read_on(&mut self) {
        let Some(mut follower) = self.follower.take() else { return };
        while let Some(record) = follower.next_record() {
            if let Ok(JournalRecord::Event { event, .. }) = record {
                self.take(&event);
            }
        }
        self.follower = Some(follower);
    }
}

/// What is to be done about sessions that come too late for the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateJoin {
    /// Begin anew, with what they recorded in its place.
    BeginAnew,
    /// Go on: what they recorded before comes late.
    GoOn,
}

/// How the network goes on with more sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    GoesOn,
    /// Everything is told once more.
    BegunAnew,
}

/// What was seen at a look.
#[derive(Debug, Default)]
pub struct WatchReport {
    pub news: Vec<WatchNews>,
    /// Sessions that belong to the network that is shown, and are not part of it yet.
    pub joining: Vec<usize>,
}

/// The sessions that run, and the network of which is shown.
#[derive(Debug)]
pub struct Watch {
    dirs: Vec<WatchedDir>,
    delay: Duration,
    sessions: Vec<RunningSession>,
    shown: Option<ShownNetwork>,
    /// Addresses that were known when it was last looked who belongs to whom.
    known: usize,
}

/// Sessions that are shown as one.
#[derive(Debug)]
struct ShownNetwork {
    merge: Merge,
    order: LiveOrder,
    /// The sessions, in the order of the merge.
    members: Vec<usize>,
    is_over: bool,
}

impl Watch {
    pub fn new(dirs: Vec<WatchedDir>, delay: Duration) -> Self {
        Self { dirs, delay, sessions: Vec::new(), shown: None, known: 0 }
    }

    /// How long an event waits for earlier ones.
    pub const fn delay(&self) -> Duration {
        self.delay
    }

    pub fn sessions(&self) -> &[RunningSession] {
        &self.sessions
    }

    /// The sessions of the network that is shown.
    pub fn members(&self) -> impl Iterator<Item = &RunningSession> {
        let members = self.shown.iter().flat_map(|shown| &shown.members);
        members.filter_map(|member| self.sessions.get(*member))
    }

    /// Some session has begun so recently that its nodes may not be linked yet.
    pub fn is_settling(&self, now: Time) -> bool {
        let is_young = |session: &RunningSession| now.since(session.session.header.started) < self.delay;
        self.sessions.iter().any(|session| !session.is_over() && (session.is_starting() || is_young(session)))
    }

    /// Looks for sessions that have begun or ended, and for links between those that run.
    pub fn look(&mut self, now: Time) -> io::Result<WatchReport> {
        let mut look = WatchReport::default();
        self.note_ends(&mut look.news, now);
        self.find_sessions(now)?;
        self.sessions.iter_mut().filter(|session| !session.is_over()).for_each(RunningSession::read_on);
        look.joining = self.joining();
        if let Some(shown) = &mut self.shown {
            shown.order.look_again();
        }
        Ok(look)
    }

    fn find_sessions(&mut self, now: Time) -> io::Result<()> {
        for dir in &mut self.dirs {
            let found = Archive::open_new(&dir.path, &mut dir.known)?.sessions;
            let watched = found.into_iter().filter(is_watchable).map(|session| RunningSession::new(session, now));
            self.sessions.extend(watched);
        }
        Ok(())
    }

    /// Notes which sessions have ended, one look after their last events could be read.
    fn note_ends(&mut self, news: &mut Vec<WatchNews>, now: Time) {
        for ix in 0..self.sessions.len() {
            let session = &mut self.sessions[ix];
            if !session.is_over() && session.writer.is_there() {
                // Also one that seemed to end: its writer had found its file removed, and has begun it anew.
                (session.state, session.seen_at) = (WatchedState::Running, now);
                continue;
            }
            match session.state {
                WatchedState::Running => session.state = WatchedState::Ending,
                WatchedState::Ending => {
                    let end = glance(&session.session.path).map_or(JournalEnd::Open, |glance| glance.end);
                    session.state = WatchedState::Over(end);
                    news.extend(self.note_end(ix, end));
                }
                WatchedState::Over(_) | WatchedState::Lost => {}
            }
        }
        if let Some(shown) = &mut self.shown
            && !shown.is_over
            && shown.members.iter().all(|member| self.sessions[*member].is_over())
        {
            shown.is_over = true;
            news.push(WatchNews::AllEnded);
        }
    }

    /// Nothing more comes from the machine whose sessions are in this directory: they are shown as they were.
    pub fn lose(&mut self, dir: &Path) {
        for (ix, session) in self.sessions.iter_mut().enumerate().filter(|(_, it)| !it.is_over()) {
            if session.session.path.starts_with(dir) {
                session.state = WatchedState::Lost;
                if let Some(shown) = &mut self.shown
                    && let Some(source) = shown.members.iter().position(|member| *member == ix)
                {
                    shown.order.end(SourceIx(source));
                }
            }
        }
    }

    /// The end of a session that is shown.
    fn note_end(&mut self, ix: usize, end: JournalEnd) -> Option<WatchNews> {
        let shown = self.shown.as_mut()?;
        let source = SourceIx(shown.members.iter().position(|member| *member == ix)?);
        let session = &mut self.sessions[ix];
        let (name, what) = (session.name().to_owned(), session.what());
        shown.order.end(source);
        match end {
            JournalEnd::Closed(how) => Some(WatchNews::Ended { name, what, how }),
            JournalEnd::Open => {
                // Its nodes ended with the process, after it was last seen and after its last event.
                let seen_at = session.seen_at.max(shown.order.told_until());
                let last = shown.order.newest(source).map_or(seen_at, |newest| newest.max(seen_at));
                for event in session.nodes.kill(last) {
                    shown.order.hold(source, Ok(JournalRecord::Event { number: 0, event }), last);
                }
                Some(WatchNews::Killed { name, what })
            }
        }
    }

    /// The networks of the sessions that run, each by its sessions. A session of which no node is known is of none.
    pub fn networks(&self) -> Vec<Vec<usize>> {
        let is_counted = |session: &RunningSession| !session.is_starting() && !session.is_over();
        let counted: Vec<usize> = (0..self.sessions.len()).filter(|ix| is_counted(&self.sessions[*ix])).collect();
        self.networks_of(&counted)
    }

    fn networks_of(&self, sessions: &[usize]) -> Vec<Vec<usize>> {
        let links: Vec<&LinkedNodes> = sessions.iter().map(|ix| &self.sessions[*ix].links).collect();
        let of_network = |places: Vec<usize>| places.into_iter().map(|place| sessions[place]).collect();
        networks(&links).into_iter().map(of_network).collect()
    }

    /// Sessions outside of the network that is shown which are linked to it by now.
    fn joining(&mut self) -> Vec<usize> {
        let known = self.sessions.iter().map(|session| session.links.known()).sum();
        let Some(shown) = self.shown.as_ref().filter(|_| known != self.known) else { return Vec::new() };
        self.known = known;
        let is_member = |ix: &usize| shown.members.contains(ix);
        let is_candidate =
            |ix: &usize| is_member(ix) || !(self.sessions[*ix].is_over() || self.sessions[*ix].is_left_out);
        let candidates: Vec<usize> = (0..self.sessions.len()).filter(is_candidate).collect();
        let mut ours = self.networks_of(&candidates).into_iter().filter(|network| network.iter().any(is_member));
        ours.next().into_iter().flatten().filter(|ix| !is_member(ix)).collect()
    }

    /// The news that this session has joined.
    pub fn joined(&self, ix: usize) -> WatchNews {
        let session = self.sessions.get(ix);
        let name = session.map(|session| session.name().to_owned()).unwrap_or_default();
        WatchNews::Joined { name, what: session.map(RunningSession::what).unwrap_or_default() }
    }

    /// Shows these sessions as one network, from their beginning.
    pub fn open(&mut self, mut members: Vec<usize>) -> Result<(), MergeError> {
        members.truncate(SOURCES_MAX);
        let merge = self.survey(&members)?;
        self.begin(merge, members)
    }

    fn begin(&mut self, merge: Merge, members: Vec<usize>) -> Result<(), MergeError> {
        let mut order = LiveOrder::new(self.delay);
        for follower in self.followers(&members)? {
            order.add(follower);
        }
        self.shown = Some(ShownNetwork { merge, order, members, is_over: false });
        Ok(())
    }

    /// Readers of these sessions from their beginning. From now on each is read once, by these.
    fn followers(&mut self, members: &[usize]) -> Result<Vec<JournalFollower>, MergeError> {
        let open = |ix: &usize| JournalFollower::open(&self.sessions[*ix].session.path);
        let followers = members.iter().map(open).collect::<Result<_, _>>()?;
        for ix in members {
            self.sessions[*ix].follower = None;
        }
        Ok(followers)
    }

    fn survey(&self, members: &[usize]) -> Result<Merge, MergeError> {
        let paths: Vec<PathBuf> = members.iter().map(|ix| self.sessions[*ix].session.path.clone()).collect();
        Merge::survey(&paths)
    }

    /// Adds sessions to the network that is shown.
    pub fn join(&mut self, joining: &[usize], late: LateJoin) -> Result<Joined, MergeError> {
        let joined = self.try_join(joining, late);
        if joined.is_err() {
            // Asked again at each look, they would fail again.
            for ix in joining {
                self.sessions[*ix].is_left_out = true;
            }
        }
        joined
    }

    fn try_join(&mut self, joining: &[usize], late: LateJoin) -> Result<Joined, MergeError> {
        let before = self.shown.as_ref().map(|shown| shown.members.clone()).unwrap_or_default();
        let members = [before.as_slice(), joining].concat();
        let merge = self.survey(&members)?;
        let told_until = self.shown.as_ref().map_or(Time::from_micros(0), |shown| shown.order.told_until());
        let mut sources = (before.len()..members.len()).map(SourceIx).zip(joining);
        let is_in_time = |(source, ix): (SourceIx, &usize)| {
            merge.on_first_clock(source, self.sessions[*ix].session.header.started) >= told_until
        };
        if late == LateJoin::BeginAnew && !sources.all(is_in_time) {
            self.begin(merge, members)?;
            return Ok(Joined::BegunAnew);
        }
        let followers = self.followers(joining)?;
        if let Some(shown) = &mut self.shown {
            for follower in followers {
                shown.order.add(follower);
            }
            (shown.merge, shown.members, shown.is_over) = (merge, members, false);
        }
        Ok(Joined::GoesOn)
    }

    /// The header of what is shown, as of a recording.
    pub fn header(&self) -> Option<Header> {
        self.shown.as_ref().map(|shown| shown.merge.header())
    }

    /// What was found out about clocks that differ from that of the first session.
    pub fn told_clocks(&self) -> Vec<String> {
        self.shown.as_ref().map(|shown| shown.merge.told_clocks()).unwrap_or_default()
    }

    /// What was recorded since, in order, as far as it is complete; and whether more can be read at once.
    pub fn advance(&mut self, now: Time) -> (Vec<LiveRecord>, ReadProgress) {
        let Some(ShownNetwork { merge, order, members, .. }) = &mut self.shown else {
            return (Vec::new(), ReadProgress::Current);
        };
        let sessions = &mut self.sessions;
        let progress = order.read_on(now, merge, |SourceIx(source), event| {
            if let Some(session) = members.get(source).and_then(|ix| sessions.get_mut(*ix)) {
                session.take(event);
            }
        });
        (order.release(now), progress)
    }

    /// Events that came later than they could be told in their place, since the last call.
    pub fn take_late(&mut self) -> u64 {
        self.shown.as_mut().map_or(0, |shown| shown.order.take_late())
    }
}

#[cfg(test)]
mod tests;
