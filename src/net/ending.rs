//! How connections end: the one place where the dialect decides it.
//!
//! In the framed dialect any end but a polite one is a reset (a linger time of zero), so every
//! neighbor notices a crash at once. A Python node has no `except` around its `recv`, and a reset
//! ends it. So no classic connection of ours ends in a reset, not even in a crash. Its writing side
//! is shut down, which the remote sees as the end of stream that a killed Python process leaves,
//! and what still comes is read and discarded until the remote ends its side, too. Closing a socket
//! while something is unread, or before the remote has sent its last bytes, would be a reset.

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

/// How long a remote may go on after a classic connection has ended here: two of its liveness
/// intervals, after which it has noticed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections that one life of a node drains at one time: as many as a peer has links. A seed's
/// further ones are closed once what has come is read; that is a reset only if the remote writes
/// before it has read the end.
const DRAINS_MAX: usize = 64;
/// Bytes that are discarded at once.
const SCRAP_LEN: usize = 4 * 1024;
/// Bytes that are discarded of what waits at the end, and again of what comes after it: more than
/// any Python node writes in that time. A flooder is reset.
const DRAIN_LEN_MAX: usize = 1024 * 1024;

/// Whether the remote knows by now who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Introduction {
    /// It knows, or it dialed us.
    Made,
    /// We dialed and have not named ourselves yet. A Python node takes the first bytes for an
    /// address, and dies if the connection ends instead.
    Due,
}

/// Sets up a link's socket: no delay, so that a message leaves at once; in the framed dialect a
/// linger time of zero, so that any end but a polite one is a reset.
pub(super) fn prepare(stream: &TcpStream, dialect: Dialect) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if dialect.may_reset() { SockRef::from(stream).set_linger(Some(Duration::ZERO)) } else { Ok(()) }
}

/// Ends the connections of one life of a node, whatever the reason.
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

    /// Ends a connection, with no more bytes than the dialect needs.
    pub(super) fn end(&self, stream: TcpStream, introduction: Introduction) {
        if !self.dialect.may_reset() {
            self.end_without_reset(stream, introduction);
        }
    }

    fn end_without_reset(&self, stream: TcpStream, introduction: Introduction) {
        let socket = SockRef::from(&stream);
        if introduction == Introduction::Due {
            // The first write on a connection is taken whole; a broken one needs nothing.
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

    /// Accepts nobody any more. In the classic dialect, connections that wait to be accepted see an
    /// end, not a reset.
    pub(super) fn close(&self, listener: TcpListener) {
        if self.dialect.may_reset() || Handle::try_current().is_err() {
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

/// Discards what has come; true when nothing more will come, or is wanted.
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
