//! A node's side of the network: its links and their queues, its dials, its events.
//!
//! The state machine puts its requests in here ([`Output`]); they are carried out at the end of the
//! node's turn, so a turn that forwards many messages writes to each link once.

mod output;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use hashbrown::HashMap;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::copies::TextCopies;
use super::dial::{Dialed, dial};
use super::ending::{Endings, Introduction, prepare};
use super::link::{Closing, EndState, Link, Pulled, set_alarm};
use super::outbox::Frames;
use super::pressure::{self, Filling, Pressure};
use super::ready_set::ReadySet;
use super::wire::LinkContext;
use crate::clock::Clock;
use crate::event::{Batch, Event};
use crate::feed::Tap;
use crate::proto::addr::Addr;
use crate::proto::config::{HALF_OPEN_MAX, LINKS_MAX, REGISTRATIONS_MAX};
use crate::proto::event::{ConnectionId, Direction, LinkId, LossReason, MessageLoss, Purpose, Rule};
use crate::proto::machine::{CloseCause, Input, LinkChange, Output};
use crate::proto::message::{Dialect, Role};
use crate::proto::pacing::backlog_told;
use crate::proto::time::Time;

/// Dials of one node in progress: one that does not answer must not hold up the next, and a node
/// that wants a handful of links has no use for more.
pub(super) const DIALS_MAX: usize = 16;
/// Dials that wait for one of those to end.
const DIALS_WAITING_MAX: usize = 256;
/// Links that were hung up and are closing politely; beyond this they end as in a crash.
const CLOSING_MAX: usize = 256;
/// Links that one turn handles: at 64 KiB a read, less than a link's queue holds.
const TURN_LINKS_MAX: usize = 16;

/// A node's identity on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) addr: Addr,
    pub(super) role: Role,
    pub(super) dialect: Dialect,
}

impl Identity {
    /// Connections in any state that such a node can have; the protocol's own limits are lower.
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
    endings: Endings,
    taps: Arc<[Tap]>,
    /// Somebody listens to events.
    heard: bool,
    events: Vec<Event>,
    copies: TextCopies,
    clock: Clock,
    now: Time,
    open: LinkMap<Link>,
    closing: LinkMap<Closing>,
    last: LinkId,
    /// The link that ended last, whose end the machine is told now.
    ended: Option<(LinkId, Option<ConnectionId>)>,
    /// The links that have something for us.
    ready: ReadySet,
    /// When each link must be handled; each link once at most.
    alarms: BTreeSet<(Time, LinkId)>,
    /// A read buffer; links without an incomplete message share it.
    spare: BytesMut,
    /// The user was told that more waits to be written than a classic link takes.
    told_backlog: bool,
    /// Links that were sent something in this turn.
    unsent: Vec<LinkId>,
    frames: Frames,
    pressure: Pressure,
    /// What the current link has brought for crowded queues.
    filling: Filling,
    /// Messages that did not go out before their link was closed.
    unsent_count: usize,
    dialing: usize,
    dials: VecDeque<(Addr, Purpose)>,
    /// Results of the machine's requests that it has not been told yet.
    inputs: VecDeque<Input>,
    /// Dials in progress.
    dialers: JoinSet<()>,
    dialed: mpsc::Sender<Dialed>,
}

type LinkMap<T> = HashMap<LinkId, T, foldhash::fast::RandomState>;

impl Links {
    pub(super) fn new(
        endings: Endings,
        me: Identity,
        taps: Arc<[Tap]>,
        dialed: mpsc::Sender<Dialed>,
        clock: Clock,
    ) -> Self {
        let heard = taps.iter().any(|tap| !tap.is_closed());
        Self {
            me,
            endings,
            taps,
            heard,
            events: Vec::new(),
            copies: TextCopies::default(),
            clock,
            now: clock.now(),
            open: HashMap::default(),
            closing: HashMap::default(),
            last: LinkId(0),
            ended: None,
            ready: ReadySet::default(),
            alarms: BTreeSet::new(),
            spare: BytesMut::new(),
            told_backlog: false,
            unsent: Vec::new(),
            frames: Frames::default(),
            pressure: Pressure::default(),
            filling: Filling::default(),
            unsent_count: 0,
            dialing: 0,
            dials: VecDeque::new(),
            inputs: VecDeque::new(),
            dialers: JoinSet::new(),
            dialed,
        }
    }

    /// What follows happens now.
    pub(super) fn set_now(&mut self) {
        self.now = self.clock.now();
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

    /// Takes an incoming connection, or ends it when there are too many.
    pub(super) fn accept(&mut self, stream: TcpStream, remote: Addr) -> Option<Input> {
        if self.open.len() >= self.me.links_max() {
            return Some(self.turn_away(stream, remote, Rule::TooManyLinks));
        }
        prepare(&stream, self.me.dialect).ok()?;
        let link = self.open(stream, self.me.inbound_purpose(), Direction::Inbound);
        Some(Input::Link { link, change: LinkChange::Accepted { remote } })
    }

    /// Ends an incoming connection.
    pub(super) fn turn_away(&self, stream: TcpStream, remote: Addr, rule: Rule) -> Input {
        self.endings.end(stream, Introduction::Made);
        Input::Rejected { remote, rule }
    }

    /// Takes the outcome of a dial.
    pub(super) fn dialed(&mut self, Dialed { peer, purpose, result }: Dialed) -> Input {
        self.dialing -= 1;
        match result {
            Ok(stream) => {
                let link = self.open(stream, purpose, Direction::Outbound);
                if let Some(open) = self.open.get_mut(&link) {
                    open.peer = Some(peer);
                }
                Input::Link { link, change: LinkChange::Dialed { peer } }
            }
            Err(error) => Input::DialFailed { peer, error },
        }
    }

    fn open(&mut self, stream: TcpStream, purpose: Purpose, direction: Direction) -> LinkId {
        self.last = LinkId(self.last.0 + 1);
        let link = self.last;
        let Identity { addr: local, role, dialect } = self.me;
        if dialect.may_reset() {
            pressure::bound_buffers(&stream);
        }
        let context = LinkContext { dialect, local, role, purpose, direction };
        self.open.insert(link, Link::new(context, stream, self.ready.new_link(link), self.now));
        link
    }

    /// Waits for links that have something for the node; at most as many as a turn handles.
    pub(super) fn poll_ready(&self, cx: &Context<'_>, links: &mut Vec<LinkId>) -> Poll<()> {
        self.ready.poll(cx, links, TURN_LINKS_MAX)
    }

    /// When a link must be handled, if it does not wake the node first.
    pub(super) fn next_alarm(&self) -> Option<Time> {
        let due = self.alarms.first().map(|(at, _)| *at);
        [due, self.pressure.next_deadline()].into_iter().flatten().min()
    }

    /// Some queue is crowded: whoever has more to send should wait.
    pub(super) fn is_crowded(&self) -> bool {
        self.pressure.is_on()
    }

    /// Drops links whose queues stand still; the machine learns of that by [`Links::next_input`].
    pub(super) fn drop_stuck(&mut self) {
        if self.pressure.is_on() {
            self.pressure.stuck(self.now).into_iter().for_each(|link| self.drop_too_slow(link));
        }
    }

    fn drop_too_slow(&mut self, link: LinkId) {
        self.forget(link);
        self.inputs.push_back(Input::Link { link, change: LinkChange::Closed { cause: CloseCause::TooSlow } });
    }

    /// A queue has room again: links that were held for it may be read.
    fn release_held(&mut self) {
        for link in self.pressure.release() {
            if let Some(open) = self.open.get_mut(&link) {
                open.release();
            }
        }
    }

    /// The links whose alarms go off now.
    pub(super) fn take_due(&mut self) -> Vec<LinkId> {
        let mut due = Vec::new();
        while let Some((at, link)) = self.alarms.first().copied().filter(|(at, _)| *at <= self.now) {
            self.alarms.remove(&(at, link));
            if let Some(open) = self.open.get_mut(&link) {
                open.alarm_at = None;
            } else if let Some(closing) = self.closing.get_mut(&link) {
                closing.alarm_at = None;
            }
            due.push(link);
        }
        due
    }

    /// Begins to handle a link that was woken or is due: see [`Links::pull`].
    pub(super) fn begin(&mut self, link: LinkId) {
        self.filling = Filling::default();
        if let Some(open) = self.open.get_mut(&link) {
            open.begin(self.clock);
            if self.pressure.is_on() && self.pressure.weigh(self.now, link, &open.outbox) {
                self.release_held();
            }
        } else if self.closing.contains_key(&link) {
            self.attend_closing(link);
        }
    }

    /// What a link has for the node; `None`: nothing more in this turn.
    pub(super) fn pull(&mut self, link: LinkId) -> Option<Pulled> {
        self.filling.next_message();
        if self.filling.is_enough() {
            return None;
        }
        self.open.get_mut(&link)?.pull(self.now, &mut self.spare)
    }

    /// Reads and keeps what has come on a link, if the dialect does not let it wait in the system.
    pub(super) fn hold(&mut self, link: LinkId) {
        if let Some(open) = self.open.get_mut(&link) {
            open.hold(&mut self.spare);
        }
    }

    /// Reads and discards what has come on a link, if the dialect does not let it wait in the system.
    pub(super) fn discard(&mut self, link: LinkId) {
        if let Some(open) = self.open.get_mut(&link) {
            open.discard(&mut self.spare);
        }
    }

    /// Keeps an incoming connection, and does nothing with it.
    pub(super) fn keep(&mut self, stream: TcpStream) {
        if self.open.len() < self.me.links_max() {
            self.open(stream, self.me.inbound_purpose(), Direction::Inbound);
        } else {
            self.endings.end(stream, Introduction::Made);
        }
    }

    /// Ends the handling of a link.
    pub(super) fn finish(&mut self, link: LinkId) {
        let rest = std::mem::take(&mut self.filling).rest();
        if let Some(open) = self.open.get_mut(&link) {
            if !rest.is_zero() {
                open.rest(self.now + rest);
                self.pressure.hold(link);
            }
            let alarm = open.finish(self.now, &mut self.spare);
            set_alarm(&mut self.alarms, link, &mut open.alarm_at, alarm);
        }
    }

    /// Forgets a link that ended by itself, as a crash would; `false`: it had been forgotten.
    pub(super) fn forget(&mut self, link: LinkId) -> bool {
        let Some(open) = self.remove(link) else { return false };
        self.ended = Some((link, open.connection));
        self.close(open);
        true
    }

    /// Ends a connection. What waited on it is lost, as it is when virtual time ends one.
    fn close(&mut self, mut link: Link) {
        if let Some(to) = link.peer.filter(|_| self.heard) {
            let loss = MessageLoss { from: self.me.addr, to, connection: link.connection, why: LossReason::LinkEnded };
            for message in link.outbox.take_unwritten() {
                if let Some(event) = loss.event(&message) {
                    self.emit(|| event);
                }
            }
        }
        link.close(&self.endings);
    }

    fn remove(&mut self, link: LinkId) -> Option<Link> {
        let mut open = self.open.remove(&link)?;
        set_alarm(&mut self.alarms, link, &mut open.alarm_at, None);
        if self.pressure.forget(link) {
            self.release_held();
        }
        Some(open)
    }

    fn attend_closing(&mut self, link: LinkId) {
        let Some(closing) = self.closing.get_mut(&link) else { return };
        match closing.attend(self.clock, &mut self.spare) {
            EndState::Until(at) => set_alarm(&mut self.alarms, link, &mut closing.alarm_at, Some(at)),
            EndState::Over => {
                self.unsent_count += closing.waiting();
                set_alarm(&mut self.alarms, link, &mut closing.alarm_at, None);
                if let Some(closing) = self.closing.remove(&link) {
                    self.close(closing.into_link());
                }
            }
        }
    }

    /// Starts the dials that there is room for.
    fn start_dials(&mut self) {
        while self.dialing < DIALS_MAX {
            let Some((peer, purpose)) = self.dials.pop_front() else { return };
            self.dialing += 1;
            self.dialers.spawn(dial(peer, purpose, self.dialed.clone(), self.endings.clone()));
        }
    }

    /// Writes what the turn has to send. Links that are too far behind are dropped; the machine
    /// learns of that by [`Links::next_input`].
    pub(super) fn send_pending(&mut self) {
        self.start_dials();
        let mut unsent = std::mem::take(&mut self.unsent);
        for id in unsent.drain(..) {
            let Some(link) = self.open.get_mut(&id) else { continue };
            link.is_unsent = false;
            if link.write(self.clock).is_err() {
                self.drop_too_slow(id);
            } else {
                if self.pressure.weigh(self.now, id, &link.outbox) {
                    self.release_held();
                    continue;
                }
                let (alarm, is_late) = (link.alarm(), link.outbox.is_late());
                set_alarm(&mut self.alarms, id, &mut link.alarm_at, alarm);
                if is_late && !std::mem::replace(&mut self.told_backlog, true) {
                    self.emit(backlog_told);
                }
            }
        }
        self.unsent = unsent;
    }

    /// Publishes the turn's events as one batch.
    pub(super) fn publish(&mut self) {
        while self.dialers.try_join_next().is_some() {}
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

    /// Dials nobody from now on.
    pub(super) fn stop_dialing(&mut self) {
        self.dials.clear();
        if self.me.dialect.may_close() {
            self.dialers.abort_all();
        } else {
            // A remote that has accepted a dial already must be told an address before the end.
            self.dialers.detach_all();
        }
    }

    /// Nothing more is written or timed.
    pub(super) fn fall_silent(&mut self) {
        self.alarms.clear();
    }

    /// Hangs up every remaining link.
    pub(super) fn hang_up_all(&mut self) {
        let links: Vec<LinkId> = self.open.keys().copied().collect();
        for link in links {
            self.hang_up(link);
        }
    }

    /// Messages that waited for links that were hung up, and did not go out.
    pub(super) fn unsent(&self) -> usize {
        self.unsent_count + self.closing.values().map(Closing::waiting).sum::<usize>()
    }

    /// Links that were hung up have not closed yet.
    pub(super) fn is_closing(&self) -> bool {
        !self.closing.is_empty()
    }
}

/// However a node ends, its links end as its dialect requires.
impl Drop for Links {
    fn drop(&mut self) {
        self.stop_dialing();
        self.open.drain().for_each(|(_, open)| open.close(&self.endings));
        self.closing.drain().for_each(|(_, closing)| closing.close(&self.endings));
    }
}
