//! One connection of a node.
//!
//! A link has no task and waits for nothing: when the runtime wakes it, or its alarm goes off, the
//! node reads and decodes what has come, up to its share of a turn, and writes what waits. While a
//! node is busy nothing is read, so TCP slows a remote that sends too fast.

use std::collections::BTreeSet;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;
use tokio_util::io::poll_read_buf;

use super::ending::{Endings, Introduction};
use super::outbox::{Outbox, QueueFull};
use super::ready_set::LinkWaker;
use super::wire::{LinkContext, LinkDecoder, WireError};
use crate::clock::Clock;
use crate::proto::addr::Addr;
use crate::proto::event::{ConnectionId, Direction, LinkId};
use crate::proto::machine::CloseCause;
use crate::proto::message::Message;
use crate::proto::pacing::HANG_UP_TIMEOUT;
use crate::proto::time::Time;

/// What an idle link reads at first: most reads are one small message.
const READ_MIN: usize = 4 * 1024;
/// What a busy link reads at once, and in one turn: beyond this a read costs no less per byte.
const READ_MAX: usize = 64 * 1024;
/// What a classic link takes off the system while its node is slow: minutes of a network's gossip.
const HELD_MAX: usize = 256 * 1024;

/// What a link has for its node.
#[derive(Debug)]
pub(super) enum Pulled {
    Message(Message),
    /// Nothing more will come.
    Ended(CloseCause),
}

/// The state of the reading side.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// More may come.
    Open,
    /// Nothing more will come, but what came is not all decoded.
    Ending(CloseCause),
    /// The node was told.
    Ended,
}

/// The outcome of an attempt to read.
enum Read {
    Some,
    Nothing,
    End(CloseCause),
}

/// One connection: see the module.
pub(super) struct Link {
    /// Unknown if the system does not name its ends.
    pub(super) connection: Option<ConnectionId>,
    /// The node that was dialed, or that has named itself.
    pub(super) peer: Option<Addr>,
    stream: TcpStream,
    context: LinkContext,
    call: Arc<LinkWaker>,
    waker: Waker,
    decoder: LinkDecoder,
    pub(super) outbox: Outbox,
    /// What was read and is no whole message yet. Usually empty, without memory of its own.
    received: BytesMut,
    /// What is read at once: more while the remote sends much.
    read_len: usize,
    /// What was read in this turn.
    turn_len: usize,
    reading: Reading,
    /// When a message counts as complete though more could follow, as only classic gossip can.
    quiet_at: Option<Time>,
    /// Its place among the node's alarms.
    pub(super) alarm_at: Option<Time>,
    /// It was sent something in this turn.
    pub(super) is_unsent: bool,
    /// Not read before this: it brings more than it may.
    paused_until: Option<Time>,
    /// Not read before this: what it brings fills a queue.
    resting_until: Option<Time>,
    /// Its node is slow, and does not decode what has come.
    is_held: bool,
}

/// What both ends call this connection.
fn name(stream: &TcpStream, direction: Direction, began: Time) -> Option<ConnectionId> {
    let (here, there) = (stream.local_addr().ok()?.try_into().ok()?, stream.peer_addr().ok()?.try_into().ok()?);
    let (dialer, acceptor) = match direction {
        Direction::Outbound => (here, there),
        Direction::Inbound => (there, here),
    };
    Some(ConnectionId { dialer, acceptor, began })
}

impl Link {
    pub(super) fn new(context: LinkContext, stream: TcpStream, call: Arc<LinkWaker>, now: Time) -> Self {
        Self {
            connection: name(&stream, context.direction, now),
            peer: None,
            stream,
            context,
            waker: Waker::from(Arc::clone(&call)),
            call,
            decoder: LinkDecoder::new(context),
            outbox: Outbox::new(context),
            received: BytesMut::new(),
            read_len: READ_MIN,
            turn_len: 0,
            reading: Reading::Open,
            quiet_at: None,
            alarm_at: None,
            is_unsent: false,
            paused_until: None,
            resting_until: None,
            is_held: false,
        }
    }

    /// Nothing more is read from it before then.
    pub(super) fn pause(&mut self, until: Time) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// The same, unless the queue that it fills has room earlier.
    pub(super) fn rest(&mut self, until: Time) {
        self.resting_until = Some(until);
    }

    /// The queue that it filled has room.
    pub(super) fn release(&mut self) {
        if self.resting_until.take().is_some() {
            self.call.make();
        }
    }

    /// It is not read now.
    fn rests(&mut self, now: Time) -> bool {
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.resting_until = self.resting_until.filter(|until| *until > now);
        self.paused_until.is_some() || self.resting_until.is_some()
    }

    /// Begins to handle the link in this turn: writes what had to wait. What the turn itself has to
    /// send goes out at its end, in one piece.
    pub(super) fn begin(&mut self, clock: Clock) {
        self.call.rearm();
        (self.turn_len, self.is_held) = (0, false);
        self.outbox.unblock();
        if !self.is_unsent || self.outbox.alarm().is_some() {
            // A queue that is only written out does not become full.
            let _ = self.write(clock);
        }
    }

    /// Writes what waits, as far as the system takes it.
    pub(super) fn write(&mut self, clock: Clock) -> Result<(), QueueFull> {
        self.outbox.write(&self.stream, &mut Context::from_waker(&self.waker), clock)
    }

    /// The next message, or the end; `None` when there is nothing now, or the link has had its
    /// share of the turn. Reads into `spare` while it has no memory of its own.
    pub(super) fn pull(&mut self, now: Time, spare: &mut BytesMut) -> Option<Pulled> {
        if self.rests(now) {
            return None;
        }
        loop {
            if let Some(pulled) = self.decode() {
                return Some(pulled);
            }
            if self.reading == Reading::Ended {
                return None;
            }
            if self.turn_len >= READ_MAX {
                self.call.make();
                return None;
            }
            match self.read(spare) {
                Read::Some => {}
                Read::Nothing => return self.decode_quiet(now),
                Read::End(cause) => self.reading = Reading::Ending(cause),
            }
        }
    }

    fn decode(&mut self) -> Option<Pulled> {
        let decoded = match &self.reading {
            Reading::Open if self.received.is_empty() => return None,
            Reading::Open => self.decoder.decode(&mut self.received),
            Reading::Ending(_) => self.decoder.decode_eof(&mut self.received),
            Reading::Ended => return None,
        };
        match (decoded, &mut self.reading) {
            (Ok(Some(message)), _) => {
                if let Message::Hello(hello) = &message {
                    self.peer.get_or_insert(hello.listen);
                }
                Some(Pulled::Message(message))
            }
            (Err(error), _) => Some(self.end(cause(error))),
            (Ok(None), Reading::Ending(cause)) => {
                let cause = cause.clone();
                Some(self.end(cause))
            }
            (Ok(None), Reading::Open | Reading::Ended) => None,
        }
    }

    fn end(&mut self, cause: CloseCause) -> Pulled {
        self.reading = Reading::Ended;
        self.received = BytesMut::new();
        Pulled::Ended(cause)
    }

    /// Nothing followed for a while, so the last classic message is complete.
    fn decode_quiet(&mut self, now: Time) -> Option<Pulled> {
        self.quiet_at.filter(|at| *at <= now)?;
        match self.decoder.flush(&mut self.received) {
            Ok(Some(message)) => Some(Pulled::Message(message)),
            Ok(None) => None,
            Err(error) => Some(self.end(cause(error))),
        }
    }

    fn read(&mut self, spare: &mut BytesMut) -> Read {
        let mut call = Context::from_waker(&self.waker);
        if self.stream.poll_read_ready(&mut call).is_pending() {
            return Read::Nothing;
        }
        if self.received.is_empty() && spare.capacity() > self.received.capacity() {
            std::mem::swap(&mut self.received, spare);
        }
        self.received.reserve(self.read_len);
        match poll_read_buf(Pin::new(&mut self.stream), &mut call, &mut self.received) {
            Poll::Pending => Read::Nothing,
            Poll::Ready(Ok(0)) => Read::End(self.end_of_stream()),
            Poll::Ready(Ok(count)) => {
                self.count(count);
                Read::Some
            }
            Poll::Ready(Err(_)) => Read::End(CloseCause::Error),
        }
    }

    /// Takes what has come without decoding it, in the classic dialect: what is unread when a
    /// process dies becomes a reset, which kills a Python node.
    pub(super) fn hold(&mut self, spare: &mut BytesMut) {
        if self.context.dialect.may_reset() {
            return;
        }
        self.is_held = true;
        while self.reading == Reading::Open && self.received.len() < HELD_MAX {
            match self.read(spare) {
                Read::Some => {}
                Read::Nothing => return,
                Read::End(cause) => self.reading = Reading::Ending(cause),
            }
        }
    }

    /// Discards what has come, as a link of a hung node; see [`Link::hold`].
    pub(super) fn discard(&mut self, scrap: &mut BytesMut) {
        self.call.rearm();
        self.turn_len = 0;
        self.throw_away(scrap);
    }

    /// Reads and discards; returns why nothing more will come, if so.
    fn throw_away(&mut self, scrap: &mut BytesMut) -> Option<CloseCause> {
        loop {
            self.received.clear();
            match self.read(scrap) {
                Read::Some if self.turn_len < READ_MAX => {}
                Read::Some => {
                    self.call.make();
                    return None;
                }
                Read::Nothing => return None,
                Read::End(cause) => return Some(cause),
            }
        }
    }

    /// Ends the connection without another word.
    pub(super) fn close(self, endings: &Endings) {
        let is_nameless = self.context.direction == Direction::Outbound && !self.outbox.has_written();
        endings.end(self.stream, if is_nameless { Introduction::Due } else { Introduction::Made });
    }

    /// A failed remote ends its stream, too; a write may have found the failure.
    fn end_of_stream(&self) -> CloseCause {
        if self.outbox.has_failed() { CloseCause::Error } else { CloseCause::EndOfStream }
    }

    fn count(&mut self, count: usize) {
        self.quiet_at = None;
        self.turn_len += count;
        if count >= self.read_len {
            self.read_len = (self.read_len * 2).min(READ_MAX);
        } else if count < self.read_len / 4 {
            self.read_len = (self.read_len / 2).max(READ_MIN);
        }
    }

    /// The turn goes on to other links: gives memory that is not needed back to `spare`, and
    /// returns when to come back if the runtime does not wake the link first.
    pub(super) fn finish(&mut self, now: Time, spare: &mut BytesMut) -> Option<Time> {
        if self.received.is_empty() {
            let mut free = std::mem::take(&mut self.received);
            // Long bodies share it for a while yet.
            if free.try_reclaim(self.read_len) {
                *spare = free;
            }
        }
        let quiet = self.decoder.quiet(&self.received).filter(|_| self.reading == Reading::Open && !self.is_held);
        self.quiet_at = quiet.map(|quiet| self.quiet_at.filter(|at| *at > now).unwrap_or(now + quiet));
        self.alarm()
    }

    /// When to handle it, if the runtime does not wake it first.
    pub(super) fn alarm(&self) -> Option<Time> {
        let alarms = [self.quiet_at, self.outbox.alarm(), self.paused_until, self.resting_until];
        alarms.into_iter().flatten().min()
    }
}

/// A link that was hung up: writes out its queue, says that nothing more comes, and waits for the
/// remote to say the same. Closing with something unread would be a reset, and a reset can overtake
/// the goodbye. In the classic dialect [`Endings`] does the waiting.
pub(super) struct Closing {
    link: Link,
    by: Time,
    /// It has said that nothing more comes.
    said: bool,
    /// Its place among the node's alarms.
    pub(super) alarm_at: Option<Time>,
}

/// How far a link's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndState {
    /// There is nothing more to do.
    Over,
    /// Handle it then, if the runtime does not wake it first.
    Until(Time),
}

impl Closing {
    pub(super) fn new(link: Link, now: Time) -> Self {
        Self { link, by: now + HANG_UP_TIMEOUT, said: false, alarm_at: None }
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.link.connection
    }

    /// Messages that still wait.
    pub(super) fn waiting(&self) -> usize {
        self.link.outbox.waiting()
    }

    /// The link, however far its end is.
    pub(super) fn into_link(self) -> Link {
        self.link
    }

    /// Continues closing.
    pub(super) fn attend(&mut self, clock: Clock, scrap: &mut BytesMut) -> EndState {
        self.link.begin(clock);
        let now = clock.now();
        if self.link.outbox.has_failed() || self.by <= now {
            return EndState::Over;
        }
        let may_reset = self.link.context.dialect.may_reset();
        if !may_reset {
            self.link.throw_away(scrap);
        }
        if !self.link.outbox.is_empty() {
            return EndState::Until(self.link.outbox.alarm().map_or(self.by, |at| at.min(self.by)));
        }
        if !self.link.outbox.is_done(now) {
            return EndState::Until(self.link.outbox.done_at().min(self.by));
        }
        if !may_reset {
            return EndState::Over;
        }
        if !std::mem::replace(&mut self.said, true) && self.say_end().is_err() {
            return EndState::Over;
        }
        self.wait_for_end(scrap)
    }

    /// Ends the connection, however far it is.
    pub(super) fn close(self, endings: &Endings) {
        self.link.close(endings);
    }

    fn say_end(&self) -> io::Result<()> {
        let socket = SockRef::from(&self.link.stream);
        socket.set_linger(None)?;
        socket.shutdown(Shutdown::Write)
    }

    fn wait_for_end(&mut self, scrap: &mut BytesMut) -> EndState {
        self.link.throw_away(scrap).map_or(EndState::Until(self.by), |_| EndState::Over)
    }
}

/// Changes when a link is handled next.
pub(super) fn set_alarm(
    alarms: &mut BTreeSet<(Time, LinkId)>,
    link: LinkId,
    set: &mut Option<Time>,
    alarm: Option<Time>,
) {
    if *set == alarm {
        return;
    }
    if let Some(before) = std::mem::replace(set, alarm) {
        alarms.remove(&(before, link));
    }
    alarms.extend(alarm.map(|at| (at, link)));
}

fn cause(error: WireError) -> CloseCause {
    match error {
        WireError::Io(_) => CloseCause::Error,
        WireError::Violation(violation) => CloseCause::Violation(violation),
        WireError::OtherDialect { speaks, named } => CloseCause::OtherDialect { speaks, named },
    }
}
