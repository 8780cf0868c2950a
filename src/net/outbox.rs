//! What a node has to send on one link, in bytes, until the system takes it.
//!
//! A gossip message is encoded once and then added to each link that it goes to: small frames are
//! copied one after the other into one buffer per link, large bodies are shared. At the end of a
//! turn each link is written to once. What the system does not take waits here: the node never
//! waits for a remote, and one that is too far behind loses its link. So two nodes that flood each
//! other cannot deadlock, and a remote that does not read holds up nobody else.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;

use super::wire::{LinkContext, LinkEncoder};
use crate::clock::Clock;
use crate::proto::event::Unwritable;
use crate::proto::message::{Gossip, Message};
use crate::proto::pacing::{CLASSIC_BACKLOG_TOLD, CLASSIC_QUEUE_MESSAGES_MAX};
use crate::proto::text::Body;
use crate::proto::time::Time;

/// The most bytes that wait for one remote: twice the largest burst of large bodies that a network
/// of a hundred busy nodes makes. A remote further behind is not slow but stuck.
pub(super) const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most messages that wait for one remote; at the usual 256 bytes each, as many as the bytes
/// allow.
pub(super) const QUEUE_MESSAGES_MAX: usize = 16_384;
/// Bytes and messages of a queue that gossip cannot use, reserved for what holds the network
/// together: probes and answers of a thousand neighbors, or all reports of a peer's life.
const RESERVE_BYTES: usize = 256 * 1024;
const RESERVE_MESSAGES: usize = 4_096;
/// From here on, a queue that the system takes nothing of is crowded: half its limit, so that what
/// is on its way from the links that fill it has room.
const CROWDED_BYTES: usize = QUEUE_BYTES_MAX / 2;
const CROWDED_MESSAGES: usize = QUEUE_MESSAGES_MAX / 2;
/// Slices of one vectored write: enough for a turn's share of large bodies, well under what systems
/// allow (1,024).
const SLICES_MAX: usize = 64;
/// Bytes that are copied into one buffer before a new one is begun.
const CHUNK_LEN: usize = 64 * 1024;
/// The buffer size that an idle link keeps: it serves most turns.
const KEPT_LEN: usize = 4 * 1024;

/// The message that was encoded last.
#[derive(Debug, Default)]
pub(super) struct Frames {
    gossip: Option<Arc<Gossip>>,
    head: BytesMut,
    body: Option<Bytes>,
}

impl Frames {
    /// Adds a message to a link's queue. On an error nothing was added.
    pub(super) fn add(&mut self, message: &Message, outbox: &mut Outbox) -> Result<(), Unwritable> {
        if !self.holds(message) {
            self.forget();
            self.body = outbox.encoder.encode_parts(message, &mut self.head)?;
            self.gossip = match message {
                // In neither dialect does a gossip message depend on the link.
                Message::Gossip(gossip) => Some(Arc::clone(gossip)),
                Message::Hello(_)
                | Message::PeerList(_)
                | Message::ListRequest
                | Message::Probe { .. }
                | Message::ProbeReply { .. }
                | Message::DeadReport { .. }
                | Message::Refusal { .. }
                | Message::Goodbye { .. } => None,
            };
        }
        let is_gossip = self.gossip.is_some();
        let overtakes = outbox.is_overtaken_by(message);
        if overtakes {
            outbox.seal();
        }
        let before = outbox.chunks.len();
        outbox.add(&self.head, self.body.as_ref());
        outbox.has_new_gossip |= is_gossip;
        if overtakes {
            outbox.seal();
            if outbox.chunks.len() > before {
                outbox.advance();
            }
        }
        Ok(())
    }

    fn holds(&self, message: &Message) -> bool {
        matches!((message, &self.gossip), (Message::Gossip(new), Some(old)) if Arc::ptr_eq(new, old))
    }

    /// Drops the message, whose body may keep much more memory alive.
    pub(super) fn forget(&mut self) {
        self.gossip = None;
        self.body = None;
        self.head.clear();
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct QueueLoad {
    messages: usize,
    bytes: usize,
}

impl QueueLoad {
    /// What is left of it once this many of its bytes are out: messages by their share of the
    /// bytes.
    fn without(self, bytes: usize) -> Self {
        let left = self.bytes.saturating_sub(bytes);
        Self { messages: (self.messages * left).div_ceil(self.bytes.max(1)), bytes: left }
    }
}

/// The remote is so far behind that nothing more can wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

/// The state of the writing side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteState {
    /// The system has taken everything so far.
    Free,
    /// The system takes nothing more now, and will wake the link.
    Blocked,
    /// The link is broken; its reading side tells the node.
    Failed,
}

/// Bytes that are written in one piece.
#[derive(Debug)]
struct Chunk {
    /// With what the system has taken of it already.
    bytes: Bytes,
    written: usize,
    /// It begins with the rest of a message whose head is in the chunk before: nothing goes between
    /// the two.
    is_body: bool,
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.written..]
    }
}

/// The queue of a link: see the module.
#[derive(Debug)]
pub(super) struct Outbox {
    encoder: LinkEncoder,
    /// Written before `open`.
    chunks: VecDeque<Chunk>,
    /// The chunk with the head of the message whose rest is in front.
    begun: Option<Chunk>,
    /// The number of chunks in front that nothing may overtake.
    ahead: usize,
    /// Gossip was added since the last write.
    has_new_gossip: bool,
    /// What waited when the link broke.
    unwritten: Vec<Message>,
    /// Bytes that the system has taken.
    taken: u64,
    /// The buffer that is being filled.
    open: BytesMut,
    load: QueueLoad,
    messages_max: usize,
    state: WriteState,
    /// With write gaps: the next write comes no earlier.
    next_write: Time,
}

impl Outbox {
    pub(super) fn new(context: LinkContext) -> Self {
        let messages_max = if context.dialect.writes_apart() { CLASSIC_QUEUE_MESSAGES_MAX } else { QUEUE_MESSAGES_MAX };
        Self {
            encoder: LinkEncoder::new(context),
            chunks: VecDeque::new(),
            begun: None,
            unwritten: Vec::new(),
            ahead: 0,
            has_new_gossip: false,
            taken: 0,
            open: BytesMut::new(),
            load: QueueLoad::default(),
            messages_max,
            state: WriteState::Free,
            next_write: Time::from_micros(0),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.load == QueueLoad::default()
    }

    /// The link broke during a write.
    pub(super) fn has_failed(&self) -> bool {
        self.state == WriteState::Failed
    }

    /// When to write, if nothing happens first; `None`: when the system wakes the link.
    pub(super) fn alarm(&self) -> Option<Time> {
        let waits = self.state == WriteState::Free && self.encoder.write_gap().is_some();
        (waits && !self.is_empty()).then_some(self.next_write)
    }

    /// With write gaps: something was written.
    pub(super) fn has_written(&self) -> bool {
        self.next_write > Time::from_micros(0)
    }

    /// Nothing waits, and the gap after the last message is over.
    pub(super) fn is_done(&self, now: Time) -> bool {
        self.is_empty() && self.next_write <= now
    }

    /// When that will be, if there is nothing more to write.
    pub(super) fn done_at(&self) -> Time {
        self.next_write
    }

    fn add(&mut self, head: &[u8], body: Option<&Bytes>) {
        if head.is_empty() || self.has_failed() {
            return;
        }
        self.load.messages += 1;
        self.load.bytes += head.len() + body.map_or(0, Bytes::len);
        self.open.extend_from_slice(head);
        match body {
            // It may wait for long, and would keep the buffer alive that it was read into.
            Some(body) if self.state == WriteState::Blocked && body.len() < Body::SHARED_LEN_MIN => {
                self.open.extend_from_slice(body);
            }
            Some(body) => {
                self.seal();
                self.chunks.push_back(Chunk { bytes: body.clone(), written: 0, is_body: true });
            }
            None => {}
        }
        if self.open.len() >= CHUNK_LEN || self.encoder.write_gap().is_some() {
            self.seal();
        }
    }

    /// Whether this message goes before the gossip that waits. With write gaps, everything but
    /// gossip does; otherwise only what concerns liveness, and only if the system takes nothing:
    /// else all that waits goes out at once.
    fn is_overtaken_by(&self, message: &Message) -> bool {
        match self.encoder.write_gap() {
            Some(_) => message.goes_first(),
            None => self.state == WriteState::Blocked && message.tells_life(),
        }
    }

    /// Moves the message that was added last, a chunk of its own, before all gossip.
    fn advance(&mut self) {
        let Some(message) = self.chunks.pop_back() else { return };
        while self.chunks.get(self.ahead).is_some_and(|chunk| chunk.is_body) {
            self.ahead += 1;
        }
        self.chunks.insert(self.ahead.min(self.chunks.len()), message);
        self.ahead += 1;
    }

    /// So much waits here that whoever fills the queue should wait, too. Never true in the classic
    /// dialect, where each message takes its time and a Python node waits for nobody.
    pub(super) fn is_crowded(&self) -> bool {
        let is_much = self.load.bytes > CROWDED_BYTES || self.load.messages > CROWDED_MESSAGES;
        is_much && self.state == WriteState::Blocked && self.encoder.write_gap().is_none()
    }

    /// So little waits here that whoever waited for room can go on.
    pub(super) fn has_room(&self) -> bool {
        self.load.bytes < CROWDED_BYTES / 2 && self.load.messages < CROWDED_MESSAGES / 2
    }

    /// Bytes that the system has taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Messages that wait.
    pub(super) fn waiting(&self) -> usize {
        self.load.messages
    }

    /// The messages that wait, or waited when the link broke, as far as the system has not taken all
    /// of them. They are read back from their bytes, so that only a link that ends costs anything.
    pub(super) fn take_unwritten(&mut self) -> Vec<Message> {
        self.seal();
        let chunks = self.begun.take().into_iter().chain(self.chunks.drain(..));
        let pieces: Vec<(Bytes, usize)> = chunks.map(|chunk| (chunk.bytes, chunk.written)).collect();
        let mut unwritten = std::mem::take(&mut self.unwritten);
        unwritten.extend(self.encoder.read_back(&pieces));
        (self.load, self.ahead) = (QueueLoad::default(), 0);
        unwritten
    }

    /// More messages wait than should, with write gaps.
    pub(super) fn is_late(&self) -> bool {
        self.encoder.write_gap().is_some() && self.load.messages >= CLASSIC_BACKLOG_TOLD
    }

    /// Nothing more goes into the buffer that is being filled.
    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.chunks.push_back(Chunk { bytes: self.open.split().freeze(), written: 0, is_body: false });
        }
    }

    /// The system may take something again.
    pub(super) fn unblock(&mut self) {
        if self.state == WriteState::Blocked {
            self.state = WriteState::Free;
        }
    }

    /// Writes as much as the system takes now; it calls `call` when it takes more.
    pub(super) fn write(&mut self, stream: &TcpStream, call: &mut Context<'_>, clock: Clock) -> Result<(), QueueFull> {
        while self.state == WriteState::Free && !self.is_empty() {
            let written = match self.encoder.write_gap() {
                None => self.write_together(stream),
                Some(_) if clock.now() < self.next_write => break,
                Some(gap) => self.write_apart(stream, clock, gap),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(stream, call),
                Err(_) => self.fail(),
                Ok(()) => {}
            }
        }
        if self.is_full() { Err(QueueFull) } else { Ok(()) }
    }

    /// Gossip leaves the reserve free.
    fn is_full(&mut self) -> bool {
        let has_new_gossip = std::mem::take(&mut self.has_new_gossip);
        let (bytes, messages) = if has_new_gossip { (0, 0) } else { (RESERVE_BYTES, RESERVE_MESSAGES) };
        self.load.bytes > QUEUE_BYTES_MAX + bytes || self.load.messages > self.messages_max + messages
    }

    /// One write of as much as there is.
    fn write_together(&mut self, stream: &TcpStream) -> io::Result<()> {
        if self.chunks.is_empty() {
            let written = stream.try_write(&self.open)?;
            self.take_off_open(written);
            return Ok(());
        }
        self.seal();
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        let written = stream.try_write_vectored(&slices[..self.chunks.len().min(SLICES_MAX)])?;
        self.take_off_chunks(written);
        Ok(())
    }

    /// One write of one message: a reader without framing takes what comes at once for one message.
    fn write_apart(&mut self, stream: &TcpStream, clock: Clock, gap: Duration) -> io::Result<()> {
        let Some(message) = self.chunks.front() else { return Ok(()) };
        let len = message.len();
        let written = stream.try_write(message)?;
        self.take_off_chunks(written);
        if written == len {
            self.next_write = clock.now() + gap;
        }
        Ok(())
    }

    fn take_off_open(&mut self, written: usize) {
        if written < self.open.len() {
            self.seal();
            return self.take_off_chunks(written);
        }
        self.load = self.load.without(written);
        self.taken += written as u64;
        if self.open.capacity() > KEPT_LEN {
            self.open = BytesMut::new();
        } else {
            self.open.clear();
        }
    }

    fn take_off_chunks(&mut self, mut written: usize) {
        self.load = self.load.without(written);
        self.taken += written as u64;
        while let Some(chunk) = self.chunks.front_mut() {
            if written < chunk.len() {
                chunk.written += written;
                // What has begun is finished first.
                self.ahead = self.ahead.max(usize::from(written > 0));
                return;
            }
            written -= chunk.len();
            let whole = self.chunks.pop_front().map(|chunk| Chunk { written: chunk.bytes.len(), ..chunk });
            self.begun = whole.filter(|_| self.chunks.front().is_some_and(|next| next.is_body));
            self.ahead = self.ahead.saturating_sub(1);
        }
    }

    fn wait(&mut self, stream: &TcpStream, call: &mut Context<'_>) {
        match stream.poll_write_ready(call) {
            Poll::Pending => self.state = WriteState::Blocked,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => self.fail(),
        }
    }

    fn fail(&mut self) {
        self.unwritten = self.take_unwritten();
        self.state = WriteState::Failed;
        self.chunks = VecDeque::new();
        self.ahead = 0;
        self.open = BytesMut::new();
        self.load = QueueLoad::default();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::proto::addr::Addr;
    use crate::proto::event::{Direction, Purpose};
    use crate::proto::message::{Dialect, MessageId, Role, Trace};

    const CONTEXT: LinkContext = LinkContext {
        dialect: Dialect::Framed,
        local: Addr::loopback(3000),
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Outbound,
    };

    /// A connection with small buffers, and the end that is read.
    async fn narrow() -> (TcpStream, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        socket2::SockRef::from(&listener).set_recv_buffer_size(1).unwrap();
        let dialed = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        socket2::SockRef::from(&dialed).set_send_buffer_size(1).unwrap();
        dialed.writable().await.unwrap();
        (dialed, listener.accept().await.unwrap().0)
    }

    fn gossip(body: &Body) -> Message {
        let id = MessageId { origin: Addr::loopback(3000), run: 0, seq: 1 };
        let trace = Some(Trace { sent: Time::from_micros(0), hop: 1 });
        Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }))
    }

    fn write(outbox: &mut Outbox, stream: &TcpStream) -> Result<(), QueueFull> {
        outbox.write(stream, &mut Context::from_waker(Waker::noop()), Clock::start())
    }

    #[tokio::test]
    async fn what_was_written_at_once_does_not_count_as_waiting() {
        let (stream, remote) = narrow().await;
        let (mut frames, mut outbox) = (Frames::default(), Outbox::new(CONTEXT));
        let count = QUEUE_MESSAGES_MAX + 1;
        (0..count).for_each(|_| frames.add(&Message::ListRequest, &mut outbox).unwrap());
        assert_eq!(write(&mut outbox, &stream), Ok(()), "some of it is on its way already");
        drop(remote);
    }

    fn numbered(seq: u64, text: &str) -> Message {
        let id = MessageId { origin: Addr::loopback(3000), run: 0, seq };
        let trace = Some(Trace { sent: Time::from_micros(0), hop: 1 });
        Message::Gossip(Arc::new(Gossip { id, body: Body::from(text), trace }))
    }

    fn numbers(messages: &[Message]) -> Vec<u64> {
        let number = |message: &Message| match message {
            Message::Gossip(gossip) => gossip.id.seq,
            _ => 0,
        };
        messages.iter().map(number).collect()
    }

    /// Whatever the system has taken by then: whole messages, parts, the head of a large one alone.
    #[test]
    fn what_is_not_wholly_written_when_a_link_ends_is_known() {
        let large = "x".repeat(Body::SHARED_LEN_MIN);
        let messages = [numbered(1, "one"), numbered(2, &large), numbered(3, "three"), Message::ListRequest];
        let full = || {
            let (mut frames, mut outbox) = (Frames::default(), Outbox::new(CONTEXT));
            for message in &messages {
                frames.add(message, &mut outbox).unwrap();
            }
            outbox.seal();
            outbox
        };
        let len = full().load.bytes;
        let mut seen = vec![4];
        for taken in (0..=len).filter(|taken| *taken < 200 || len - taken < 200 || taken % 97 == 0) {
            for parts in [[taken, 0], [taken / 2, taken - taken / 2]] {
                let mut outbox = full();
                for part in parts {
                    outbox.take_off_chunks(part);
                }
                let left = numbers(&outbox.take_unwritten());
                assert!(
                    [1, 2, 3, 0].ends_with(&left) && left.len() <= seen[seen.len() - 1],
                    "{taken} of {len}: {left:?}"
                );
                assert!(outbox.is_empty() && outbox.take_unwritten().is_empty());
                seen.push(left.len());
            }
        }
        assert!((0..=4).all(|count| seen.contains(&count)), "{seen:?}");
    }

    #[test]
    fn what_waits_in_the_classic_dialect_is_known_too() {
        let mut outbox = Outbox::new(LinkContext { dialect: Dialect::Classic, ..CONTEXT });
        let mut frames = Frames::default();
        for second in [5, 6, 7] {
            let body = Body::from("Gossip Message 4");
            let clock = crate::proto::time::ClockTime::from_seconds(second).unwrap();
            let id = MessageId::classic(Addr::loopback(3000), clock, body.as_bytes());
            frames.add(&Message::Gossip(Arc::new(Gossip { id, body, trace: None })), &mut outbox).unwrap();
        }
        outbox.take_off_chunks(outbox.chunks[0].len() + 3);
        let runs = outbox.take_unwritten().into_iter().map(|message| match message {
            Message::Gossip(gossip) => gossip.id.run,
            other => panic!("{other:?}"),
        });
        assert_eq!(runs.collect::<Vec<_>>(), [6, 7]);
    }

    #[test]
    fn probes_overtake_classic_gossip_that_has_not_begun() {
        let (mut frames, mut outbox) =
            (Frames::default(), Outbox::new(LinkContext { dialect: Dialect::Classic, ..CONTEXT }));
        let mut add = |message: &Message, outbox: &mut Outbox| frames.add(message, outbox).unwrap();
        let probe = |second| {
            let clock = crate::proto::time::ClockTime::from_seconds(second).unwrap();
            Message::Probe { seq: 1, asker: Addr::loopback(3000), clock, extras: None }
        };
        add(&gossip(&"one".into()), &mut outbox);
        outbox.take_off_chunks(3);
        for message in [gossip(&"two".into()), probe(1), gossip(&"three".into()), probe(2)] {
            add(&message, &mut outbox);
        }
        let waits: Vec<String> =
            outbox.chunks.iter().map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect();
        let ends = ["one", "Liveness Request:00.00.01", "Liveness Request:00.00.02", "two", "three"];
        assert_eq!(waits.len(), ends.len(), "{waits:?}");
        assert!(waits.iter().zip(ends).all(|(text, part)| text.contains(part)), "{waits:?}");
        let len = waits[0].len();
        outbox.take_off_chunks(len);
        add(&probe(3), &mut outbox);
        assert!(outbox.chunks[2].ends_with(b"00.00.03:('127.0.0.1', 3000)"), "{:?}", outbox.chunks);
    }

    #[test]
    fn gossip_leaves_room_for_what_keeps_the_network_together() {
        let (mut frames, mut outbox) = (Frames::default(), Outbox::new(CONTEXT));
        let text = gossip(&Body::from("x".repeat(1_000)));
        while outbox.load.bytes + 2_000 < QUEUE_BYTES_MAX {
            frames.add(&text, &mut outbox).unwrap();
        }
        assert!(!outbox.is_full());
        while outbox.load.bytes <= QUEUE_BYTES_MAX {
            frames.add(&Message::ListRequest, &mut outbox).unwrap();
        }
        assert!(!outbox.is_full(), "it may use the reserve");
        frames.add(&text, &mut outbox).unwrap();
        assert!(outbox.is_full(), "and gossip may not");
    }

    #[tokio::test]
    async fn small_bodies_that_wait_keep_no_read_buffer_alive() {
        let (stream, _remote) = narrow().await;
        let (mut frames, mut outbox) = (Frames::default(), Outbox::new(CONTEXT));
        let large = gossip(&Body::from("x".repeat(60_000)));
        while outbox.state == WriteState::Free {
            frames.add(&large, &mut outbox).unwrap();
            write(&mut outbox, &stream).unwrap();
        }
        let body = Bytes::from(vec![b'y'; 1_000]);
        frames.add(&gossip(&Body::from(body.clone())), &mut outbox).unwrap();
        frames.forget();
        assert!(body.is_unique(), "nothing but the test holds the memory");
        assert!(outbox.load.bytes > 1_000);
    }
}
