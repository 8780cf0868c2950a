//! One connection: a task that reads it, a task that writes it, and the queue between the node and
//! the writer.
//!
//! The reader decodes all that has come and hands it to the node in one piece; it waits while the
//! node is busy, so that a remote that sends too fast is slowed by TCP. The node never waits for a
//! writer: a queue that is full ends the link. So two nodes that flood each other cannot lock up,
//! and a remote that does not read holds up nobody else.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::codec::Decoder;

use super::wire::{CLASSIC_WRITE_GAP, LinkDecoder, WireError};
use crate::proto::addr::Addr;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::{LinkId, Purpose};
use crate::proto::machine::CloseCause;
use crate::proto::message::{Dialect, Message};

/// Bytes that wait for one remote at most: twice the largest burst of large bodies that a network
/// of a hundred busy nodes makes. A remote further behind is not slow but stuck.
pub(super) const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Messages that wait for one remote at most; at the usual 256 bytes each, as many as the bytes allow.
pub(super) const QUEUE_MESSAGES_MAX: usize = 16_384;
/// The same in the classic dialect, where each message takes [`CLASSIC_WRITE_GAP`]: half a minute's worth.
pub(super) const CLASSIC_QUEUE_MESSAGES_MAX: usize = 1_024;
/// How long a link that was hung up may take to write out its queue and be closed by the remote.
pub(super) const HANG_UP_TIMEOUT: Duration = Duration::from_secs(1);
/// What an idle link reads at first: most reads are one small message.
const READ_MIN: usize = 4 * 1024;
/// What a busy link reads at once: beyond this a read costs no less per byte.
const READ_MAX: usize = 64 * 1024;
/// Slices of one vectored write: enough for a whole queue of small messages, well under what
/// systems allow (1,024).
const SLICES_MAX: usize = 64;

/// What a link's tasks tell their node.
#[derive(Debug)]
pub(super) enum FromLink {
    /// Messages came, and then the link perhaps ended.
    Read {
        /// Which link.
        link: LinkId,
        /// What came, in order.
        messages: Vec<Message>,
        /// Why nothing more will come.
        closed: Option<CloseCause>,
    },
    /// A dial ended.
    Dialed {
        /// Whom.
        peer: Addr,
        /// What for.
        purpose: Purpose,
        /// The connection, or what the system said.
        result: Result<TcpStream, String>,
    },
}

/// What waits to be written to one remote. The lock is never held across an await.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    work: Notify,
    hung_up: Notify,
    messages_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Bytes>,
    waiting: Load,
    /// What the writer took and has not written out yet.
    writing: Load,
    hung_up: bool,
    failed: bool,
}

/// How much there is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Load {
    /// What is left of it when so many of its bytes are: messages by their share of the bytes.
    pub(super) fn left(self, bytes: usize) -> Self {
        let messages = (self.messages * bytes).div_ceil(self.bytes.max(1));
        Self { messages, bytes }
    }
}

/// The remote is so far behind that nothing more can wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

enum Next {
    Write,
    Finish,
    Wait,
}

impl Outbox {
    pub(super) fn new(dialect: Dialect) -> Self {
        let messages_max = match dialect {
            Dialect::Framed => QUEUE_MESSAGES_MAX,
            Dialect::Classic => CLASSIC_QUEUE_MESSAGES_MAX,
        };
        Self { queue: Mutex::default(), work: Notify::new(), hung_up: Notify::new(), messages_max }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues these chunks, which hold `load`, and leaves `chunks` empty.
    pub(super) fn push(&self, chunks: &mut VecDeque<Bytes>, load: Load) -> Result<(), QueueFull> {
        let mut queue = self.lock();
        let messages = queue.waiting.messages + queue.writing.messages + load.messages;
        let bytes = queue.waiting.bytes + queue.writing.bytes + load.bytes;
        if messages > self.messages_max || bytes > QUEUE_BYTES_MAX {
            return Err(QueueFull);
        }
        queue.waiting.messages += load.messages;
        queue.waiting.bytes += load.bytes;
        queue.chunks.extend(chunks.drain(..));
        drop(queue);
        self.work.notify_one();
        Ok(())
    }

    /// The writer has nothing to do, and gets nothing but by [`Outbox::push`].
    pub(super) fn is_idle(&self) -> bool {
        let queue = self.lock();
        queue.waiting == Load::default() && queue.writing == Load::default() && !queue.failed
    }

    /// Lets the writer close the connection once all is written.
    pub(super) fn hang_up(&self) {
        self.lock().hung_up = true;
        self.work.notify_one();
        self.hung_up.notify_one();
    }

    /// Moves all that waits into `batch`, which has been written out; `false`: nothing will come.
    async fn take(&self, batch: &mut VecDeque<Bytes>) -> bool {
        loop {
            match self.try_take(batch) {
                Next::Write => return true,
                Next::Finish => return false,
                Next::Wait => self.work.notified().await,
            }
        }
    }

    fn try_take(&self, batch: &mut VecDeque<Bytes>) -> Next {
        let mut queue = self.lock();
        queue.writing = std::mem::take(&mut queue.waiting);
        std::mem::swap(&mut queue.chunks, batch);
        match (batch.is_empty(), queue.hung_up) {
            (false, _) => Next::Write,
            (true, true) => Next::Finish,
            (true, false) => Next::Wait,
        }
    }

    /// A link that was hung up has had its time.
    async fn overdue(&self) {
        self.hung_up.notified().await;
        sleep(HANG_UP_TIMEOUT).await;
    }

    pub(super) fn fail(&self) {
        self.lock().failed = true;
    }

    fn has_failed(&self) -> bool {
        self.lock().failed
    }
}

/// A link's sockets: no delay, so that a message leaves at once; a linger time of zero, so that
/// any end but a polite one is a reset.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Writes what comes into the outbox until the link fails or is hung up.
pub(super) async fn write(stream: Arc<TcpStream>, outbox: Arc<Outbox>, dialect: Dialect) {
    tokio::select! {
        biased;
        result = write_until_hung_up(&stream, &outbox, dialect) => match result {
            Ok(()) => {}
            Err(_) => outbox.fail(),
        },
        () = outbox.overdue() => {}
    }
}

async fn write_until_hung_up(stream: &TcpStream, outbox: &Outbox, dialect: Dialect) -> io::Result<()> {
    let mut batch = VecDeque::new();
    while outbox.take(&mut batch).await {
        match dialect {
            Dialect::Framed => write_all(stream, &mut batch).await?,
            Dialect::Classic => write_apart(stream, &mut batch).await?,
        }
    }
    close(stream).await
}

/// Writes all chunks with as few system calls as it takes.
async fn write_all(stream: &TcpStream, batch: &mut VecDeque<Bytes>) -> io::Result<()> {
    while !batch.is_empty() {
        poll_fn(|cx| stream.poll_write_ready(cx)).await?;
        match try_write(stream, batch) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// One vectored write; what went out is taken off the front.
pub(super) fn try_write(stream: &TcpStream, batch: &mut VecDeque<Bytes>) -> io::Result<()> {
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let used = fill(&mut slices, batch);
    let written = stream.try_write_vectored(&slices[..used])?;
    advance(batch, written);
    Ok(())
}

fn fill<'a>(slices: &mut [IoSlice<'a>; SLICES_MAX], batch: &'a VecDeque<Bytes>) -> usize {
    for (slice, chunk) in slices.iter_mut().zip(batch) {
        *slice = IoSlice::new(chunk);
    }
    batch.len().min(SLICES_MAX)
}

fn advance(batch: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(chunk) = batch.front_mut() {
        if written < chunk.len() {
            chunk.advance(written);
            return;
        }
        written -= chunk.len();
        batch.pop_front();
    }
}

/// Writes each chunk, which is one message, by itself: who reads these without framing takes what
/// comes at once for one message.
async fn write_apart(stream: &TcpStream, batch: &mut VecDeque<Bytes>) -> io::Result<()> {
    while let Some(message) = batch.pop_front() {
        write_all(stream, &mut VecDeque::from([message])).await?;
        sleep(CLASSIC_WRITE_GAP).await;
    }
    Ok(())
}

/// Says that nothing more comes, and waits for the remote to say the same: closing with something
/// unread would be a reset, and a reset can overtake the goodbye.
async fn close(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_linger(None)?;
    socket.shutdown(Shutdown::Write)?;
    let mut scrap = BytesMut::with_capacity(READ_MIN);
    while read_some(stream, &mut scrap, READ_MIN).await? > 0 {
        scrap.clear();
    }
    Ok(())
}

/// Reads once, up to `max` bytes; 0 is the end.
async fn read_some(stream: &TcpStream, buffer: &mut BytesMut, max: usize) -> io::Result<usize> {
    loop {
        poll_fn(|cx| stream.poll_read_ready(cx)).await?;
        buffer.reserve(max);
        match stream.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

/// Reads a link, decodes it and hands what came to the node.
pub(super) struct Reader {
    pub(super) link: LinkId,
    pub(super) stream: Arc<TcpStream>,
    pub(super) decoder: LinkDecoder,
    pub(super) outbox: Arc<Outbox>,
    pub(super) inbox: mpsc::Sender<FromLink>,
}

impl Reader {
    /// Until the link ends or the node is gone.
    pub(super) async fn run(mut self) {
        let mut buffer = BytesMut::new();
        let mut size = READ_MIN;
        loop {
            let mut messages = Vec::new();
            let closed = self.read_messages(&mut buffer, &mut size, &mut messages).await.err();
            let ended = closed.is_some();
            if !messages.is_empty() || ended {
                let read = FromLink::Read { link: self.link, messages, closed };
                if self.inbox.send(read).await.is_err() || ended {
                    return;
                }
            }
        }
    }

    /// One read, or one pause of a classic remote, and all messages that it completes.
    async fn read_messages(
        &mut self,
        buffer: &mut BytesMut,
        size: &mut usize,
        messages: &mut Vec<Message>,
    ) -> Result<(), CloseCause> {
        let read = match self.decoder.quiet(buffer) {
            Some(quiet) => timeout(quiet, self.read(buffer, size)).await.ok(),
            None => Some(self.read(buffer, size).await),
        };
        match read {
            Some(Ok(0)) => Err(self.decode_end(buffer, messages).unwrap_or_else(|| self.end_of_stream())),
            Some(Err(_)) => Err(self.decode_end(buffer, messages).unwrap_or(CloseCause::Error)),
            Some(Ok(_)) => self.decode(buffer, messages),
            None => self.decode_quiet(buffer, messages),
        }
    }

    /// A remote that fails ends its stream, too; what it was, the writer may have found.
    fn end_of_stream(&self) -> CloseCause {
        if self.outbox.has_failed() { CloseCause::Error } else { CloseCause::EndOfStream }
    }

    /// Reads once, more at a time while the remote sends much.
    async fn read(&self, buffer: &mut BytesMut, size: &mut usize) -> io::Result<usize> {
        let count = read_some(&self.stream, buffer, *size).await?;
        if count >= *size {
            *size = (*size * 2).min(READ_MAX);
        } else if count < *size / 4 {
            *size = (*size / 2).max(READ_MIN);
        }
        Ok(count)
    }

    fn decode(&mut self, buffer: &mut BytesMut, messages: &mut Vec<Message>) -> Result<(), CloseCause> {
        while let Some(message) = self.decoder.decode(buffer).map_err(cause)? {
            messages.push(message);
        }
        if buffer.is_empty() {
            // An idle link holds no buffer.
            *buffer = BytesMut::new();
        }
        Ok(())
    }

    /// Nothing followed for a while, so the last classic message is complete.
    fn decode_quiet(&mut self, buffer: &mut BytesMut, messages: &mut Vec<Message>) -> Result<(), CloseCause> {
        while let Some(message) = self.decoder.flush(buffer).map_err(cause)? {
            messages.push(message);
        }
        Ok(())
    }

    /// Nothing will follow; what is wrong with the last bytes, if they are no whole message.
    fn decode_end(&mut self, buffer: &mut BytesMut, messages: &mut Vec<Message>) -> Option<CloseCause> {
        loop {
            match self.decoder.decode_eof(buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return None,
                Err(error) => return Some(cause(error)),
            }
        }
    }
}

fn cause(error: WireError) -> CloseCause {
    match error {
        WireError::Io(_) => CloseCause::Error,
        WireError::Violation(violation) => CloseCause::Violation(violation),
        WireError::OtherDialect { speaks, named } => CloseCause::OtherDialect { speaks, named },
    }
}

/// Connects, and tells the node how it went.
pub(super) async fn dial(peer: Addr, purpose: Purpose, inbox: mpsc::Sender<FromLink>) {
    let result = match timeout(DIAL_TIMEOUT, connect(peer)).await {
        Ok(connected) => connected.map_err(|error| describe(&error)),
        Err(_) => Err(format!("no answer within {} s", DIAL_TIMEOUT.as_secs())),
    };
    // If the node is gone there is nobody to tell.
    let _ = inbox.send(FromLink::Dialed { peer, purpose, result }).await;
}

async fn connect(peer: Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Else a node could not listen again on a port that the system gave to this connection.
    socket.set_reuseaddr(true)?;
    let stream = socket.connect(peer.socket()).await?;
    prepare(&stream)?;
    if stream.local_addr()? == stream.peer_addr()? {
        // The system may give a dialler the very port that it dials, which then answers itself.
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// What the system said, for people.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: nobody listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route to that address".to_owned(),
        _ => error.to_string(),
    }
}
