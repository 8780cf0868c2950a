//! How connections end: the one place where the dialect decides it.
//!
//! In the framed dialect any end but a polite one is a reset (a linger time of zero), so that every neighbor notices a crash
//! at once. A Python node has no `except` around its `recv`, and a reset ends it. So no classic connection of ours ends in a
//! reset, not even in a crash: its writing side is shut down, which the remote sees as the end of stream that a killed Python
//! process leaves, and what still comes is read and thrown away until the remote ends its side, too. To close a socket while
//! something is unread, or before the remote has sent its last, would be a reset.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::proto::addr::Addr;
use crate::proto::message::Dialect;

/// How long a remote may go on after a classic connection has ended here: two of its liveness intervals, after which it has
/// noticed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections of one life of a node that are drained at one time: as many as a peer has links. Those of a seed beyond that
/// are closed once what has come is read; that is a reset only if the remote writes before it has read the end.
const DRAINS_MAX: usize = 64;
/// What is thrown away at once.
const SCRAP_LEN: usize = 4 * 1024;
/// Bytes that are thrown away of what waits at the end, and again of what comes after it: more than any Python node writes
/// in that time. Whoever floods is reset.
const DRAIN_LEN_MAX: usize = 1024 * 1024;

/// Does the remote know by now who we are?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Introduction {
    /// It does, or it has dialed us.
    Made,
    /// We have dialed and not said it yet. A Python node takes the first bytes for an address, and dies of an end instead.
    Due,
}

/// A link's sockets: no delay, so that a message leaves at once; in the framed dialect a linger time of zero, so that
/// any end but a polite one is a reset.
pub(super) fn prepare(stream: &TcpStream, dialect: Dialect) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match dialect {
        Dialect::Framed => SockRef::from(stream).set_linger(Some(Duration::ZERO)),
        Dialect::Classic => Ok(()),
    }
}

/// Ends the connections of one life of a node, whatever they end of.
#[derive(Debug, Clone)]
pub(super) struct Endings {
    addr: Addr,
    dialect: Dialect,
    drains: Arc<Semaphore>,
}

impl Endings {
    pub(super) fn new(addr: Addr, dialect: Dialect) -> Self {
        Self { addr, dialect, drains: Arc::new(Semaphore::new(DRAINS_MAX)) }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Ends a connection without a word more than the dialect needs.
    pub(super) fn end(&self, stream: TcpStream, introduction: Introduction) {
        match self.dialect {
            Dialect::Framed => drop(stream),
            Dialect::Classic => self.end_without_reset(stream, introduction),
        }
    }

    fn end_without_reset(&self, stream: TcpStream, introduction: Introduction) {
        let socket = SockRef::from(&stream);
        if introduction == Introduction::Due {
            // The first write on a connection is taken whole; one that is broken needs nothing.
            let _ = (&*socket).write(self.addr.python().to_string().as_bytes());
        }
        if socket.shutdown(Shutdown::Write).is_err() || has_ended(&socket) {
            return;
        }
        if let (Ok(runtime), Ok(permit)) = (Handle::try_current(), Arc::clone(&self.drains).try_acquire_owned()) {
            runtime.spawn(async move {
                let _ = timeout(DRAIN_TIMEOUT, drain(&stream)).await;
                drop((stream, permit));
            });
        }
    }

    /// Nobody is accepted any more. In the classic dialect whoever has connected already is not reset but sees an end.
    pub(super) fn close(&self, listener: TcpListener) {
        if self.dialect == Dialect::Framed || Handle::try_current().is_err() {
            return;
        }
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, _)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.end(stream, Introduction::Made);
            }
        }
    }
}

/// Throws away what has come; true when nothing more will come, or is wanted.
fn has_ended(socket: &SockRef<'_>) -> bool {
    let mut scrap = [0; SCRAP_LEN];
    let mut left = DRAIN_LEN_MAX;
    while left > 0 {
        match (&**socket).read(&mut scrap) {
            Ok(0) => return true,
            Ok(count) => left = left.saturating_sub(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
    true
}

async fn drain(stream: &TcpStream) {
    let mut left = DRAIN_LEN_MAX;
    while left > 0 && stream.readable().await.is_ok() {
        match stream.try_read(&mut [0; SCRAP_LEN]) {
            Ok(count @ 1..) => left = left.saturating_sub(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}
