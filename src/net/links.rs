//! What a node has to do with the network: its links, what waits for them, its dials, its events.
//!
//! The state machine puts its wishes in here ([`Output`]); they are carried out at the end of the
//! node's turn, so that a turn in which many messages were forwarded writes to each link once.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::link::{self, FromLink, Outbox, Reader};
use super::pending::{Frames, Pending};
use super::wire::{LinkContext, LinkDecoder};
use crate::event::{Batch, Event};
use crate::feed::Tap;
use crate::proto::addr::Addr;
use crate::proto::config::{HALF_OPEN_MAX, LINKS_MAX, REGISTRATIONS_MAX};
use crate::proto::event::{Direction, EventKind, LinkId, Purpose, Rule};
use crate::proto::machine::{CloseCause, Input, LinkChange, Output};
use crate::proto::message::{Dialect, Message, Role};
use crate::proto::time::Time;

/// Dials of one node under way at one time: one that does not answer must not hold up the next,
/// and a burst of more is of no use to a node that wants a handful of links.
const DIALS_MAX: usize = 16;
/// Dials that wait for one of those to end.
const DIALS_WAITING_MAX: usize = 256;
/// Links that were hung up and are closing politely; beyond this they are reset.
const CLOSING_MAX: usize = 256;

/// Who a node is on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) addr: Addr,
    pub(super) role: Role,
    pub(super) dialect: Dialect,
}

impl Identity {
    /// Connections of any state that such a node can have; the protocol's own limits are lower.
    fn links_max(self) -> usize {
        HALF_OPEN_MAX
            + match self.role {
                Role::Peer => LINKS_MAX,
                Role::Seed => REGISTRATIONS_MAX,
            }
    }

    /// What an accepted connection is for.
    fn inbound_purpose(self) -> Purpose {
        match self.role {
            Role::Peer => Purpose::Neighbor,
            Role::Seed => Purpose::Registration,
        }
    }
}

/// Everything of a node but its state machine and what it waits for.
pub(super) struct Links {
    me: Identity,
    taps: Arc<[Tap]>,
    /// Is there anybody to make events for.
    heard: bool,
    events: Vec<Event>,
    now: Time,
    open: HashMap<LinkId, Link, foldhash::fast::RandomState>,
    last: LinkId,
    /// Links that were sent something in this turn.
    unsent: Vec<LinkId>,
    frames: Frames,
    dialing: usize,
    dials: VecDeque<(Addr, Purpose)>,
    /// What the machine is still to be told of what came of its wishes.
    inputs: VecDeque<Input>,
    tasks: JoinSet<()>,
    inbox: mpsc::Sender<FromLink>,
}

struct Link {
    stream: Arc<TcpStream>,
    outbox: Arc<Outbox>,
    pending: Pending,
    reader: AbortHandle,
    writer: AbortHandle,
}

impl Link {
    /// Ends it as a crash would.
    fn reset(self) {
        self.reader.abort();
        self.writer.abort();
    }
}

impl Links {
    pub(super) fn new(me: Identity, taps: Arc<[Tap]>, inbox: mpsc::Sender<FromLink>, now: Time) -> Self {
        let heard = taps.iter().any(|tap| !tap.is_closed());
        Self {
            me,
            taps,
            heard,
            events: Vec::new(),
            now,
            open: HashMap::default(),
            last: LinkId(0),
            unsent: Vec::new(),
            frames: Frames::default(),
            dialing: 0,
            dials: VecDeque::new(),
            inputs: VecDeque::new(),
            tasks: JoinSet::new(),
            inbox,
        }
    }

    /// What follows happens at this time.
    pub(super) fn set_now(&mut self, now: Time) {
        self.now = now;
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn is_open(&self, link: LinkId) -> bool {
        self.open.contains_key(&link)
    }

    /// Something that the machine must be told before anything else.
    pub(super) fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// Takes a connection that came in, or drops it when there are too many.
    pub(super) fn accept(&mut self, stream: TcpStream, remote: SocketAddr) -> Option<Input> {
        if self.open.len() >= self.me.links_max() {
            return Some(Input::TurnedAway { remote, rule: Rule::TooManyLinks });
        }
        link::prepare(&stream).ok()?;
        let link = self.open(stream, self.me.inbound_purpose(), Direction::Inbound);
        Some(Input::Link { link, change: LinkChange::Accepted { remote } })
    }

    /// Takes what came of a dial.
    pub(super) fn dialed(&mut self, peer: Addr, purpose: Purpose, result: Result<TcpStream, String>) -> Input {
        self.dialing -= 1;
        match result {
            Ok(stream) => {
                let link = self.open(stream, purpose, Direction::Outbound);
                Input::Link { link, change: LinkChange::Dialed { peer } }
            }
            Err(error) => Input::DialFailed { peer, error },
        }
    }

    fn open(&mut self, stream: TcpStream, purpose: Purpose, direction: Direction) -> LinkId {
        self.last = LinkId(self.last.0 + 1);
        let link = self.last;
        let Identity { addr: local, role, dialect } = self.me;
        let stream = Arc::new(stream);
        let outbox = Arc::new(Outbox::new(dialect));
        let context = LinkContext { dialect, local, role, purpose, direction };
        let reader = Reader {
            link,
            stream: Arc::clone(&stream),
            decoder: LinkDecoder::new(context),
            outbox: Arc::clone(&outbox),
            inbox: self.inbox.clone(),
        };
        let reader = self.tasks.spawn(reader.run());
        let writer = self.tasks.spawn(link::write(Arc::clone(&stream), Arc::clone(&outbox), dialect));
        let pending = Pending::new(context);
        self.open.insert(link, Link { stream, outbox, pending, reader, writer });
        link
    }

    /// Forgets a link that ended by itself; `false`: it had been forgotten.
    pub(super) fn forget(&mut self, link: LinkId) -> bool {
        self.open.remove(&link).map(Link::reset).is_some()
    }

    /// Starts the dials that there is room for.
    fn start_dials(&mut self) {
        while self.dialing < DIALS_MAX {
            let Some((peer, purpose)) = self.dials.pop_front() else { return };
            self.dialing += 1;
            self.tasks.spawn(link::dial(peer, purpose, self.inbox.clone()));
        }
    }

    /// Hands what the turn has to say to the links' writers. Links that are too far behind are
    /// dropped, which the machine is to be told: see [`Links::next_input`].
    pub(super) fn send_pending(&mut self) {
        self.start_dials();
        let mut unsent = std::mem::take(&mut self.unsent);
        for id in unsent.drain(..) {
            let full = match self.open.get_mut(&id) {
                Some(link) => link.pending.send(&link.stream, &link.outbox).is_err(),
                None => false,
            };
            if full {
                self.forget(id);
                self.inputs
                    .push_back(Input::Link { link: id, change: LinkChange::Closed { cause: CloseCause::TooSlow } });
            }
        }
        self.unsent = unsent;
    }

    /// Publishes what happened in the turn, as one batch.
    pub(super) fn publish(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        self.frames.forget();
        self.heard = self.taps.iter().any(|tap| !tap.is_closed());
        if self.events.is_empty() {
            return;
        }
        let batch: Batch = self.events.drain(..).collect();
        for tap in &*self.taps {
            tap.publish(&batch);
        }
    }

    /// From now on nothing is read and nothing written; the sockets stay open.
    pub(super) fn hang(&mut self) {
        self.tasks.abort_all();
    }

    /// Hangs up every link that is left.
    pub(super) fn hang_up_all(&mut self) {
        let links: Vec<LinkId> = self.open.keys().copied().collect();
        for link in links {
            self.hang_up(link);
        }
    }

    /// Waits until all links are closed; without a bound of its own.
    pub(super) async fn closed(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Links that were hung up and are not closed yet; every open one has two tasks.
    fn closing(&self) -> usize {
        self.tasks.len().saturating_sub(2 * self.open.len() + self.dialing)
    }
}

impl Output for Links {
    fn send(&mut self, link: LinkId, message: &Message) {
        let Some(open) = self.open.get_mut(&link) else { return };
        if open.pending.is_empty() {
            self.unsent.push(link);
        }
        if let Err(error) = self.frames.add(message, &mut open.pending) {
            self.emit(|| EventKind::Failed { what: "send a message".to_owned(), why: error.to_string() });
        }
    }

    fn dial(&mut self, peer: Addr, purpose: Purpose) {
        if self.dials.len() < DIALS_WAITING_MAX {
            self.dials.push_back((peer, purpose));
        } else {
            let error = "too many dials at once".to_owned();
            self.inputs.push_back(Input::DialFailed { peer, error });
        }
    }

    fn hang_up(&mut self, link: LinkId) {
        let crowded = self.closing() >= CLOSING_MAX;
        let Some(mut link) = self.open.remove(&link) else { return };
        if crowded || link.pending.send(&link.stream, &link.outbox).is_err() {
            return link.reset();
        }
        link.reader.abort();
        link.outbox.hang_up();
    }

    fn emit(&mut self, event: impl FnOnce() -> EventKind) {
        if self.heard {
            self.events.push(Event { at: self.now, node: self.me.addr, kind: event() });
        }
    }
}
