//! Opening connections.

use std::io;

use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;
use tokio::time::timeout;

use super::ending::{Endings, Introduction, prepare};
use super::error::system_error;
use crate::proto::addr::Addr;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::{DialError, Purpose};
use crate::proto::message::Dialect;
use crate::proto::time::micros;

/// The outcome of a dial.
#[derive(Debug)]
pub(super) struct Dialed {
    pub(super) peer: Addr,
    pub(super) purpose: Purpose,
    pub(super) result: Result<TcpStream, DialError>,
}

/// Connects, and reports the outcome to the node.
pub(super) async fn dial(peer: Addr, purpose: Purpose, dialed: mpsc::Sender<Dialed>, endings: Endings) {
    let result = match timeout(DIAL_TIMEOUT, connect(peer, endings.dialect())).await {
        Ok(connected) => connected.map_err(|error| system_error(&error).into()),
        Err(_) => Err(DialError::NoAnswer { within_us: micros(DIAL_TIMEOUT) }),
    };
    if let Err(SendError(Dialed { result: Ok(stream), .. })) = dialed.send(Dialed { peer, purpose, result }).await {
        // The node is gone.
        endings.end(stream, Introduction::Due);
    }
}

async fn connect(peer: Addr, dialect: Dialect) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Otherwise a node could not listen again on a port that the system gave to this connection.
    socket.set_reuseaddr(true)?;
    let stream = socket.connect(peer.socket()).await?;
    prepare(&stream, dialect)?;
    if stream.local_addr()? == stream.peer_addr()? {
        // The system may give a dialer the very port that it dials, which then answers itself.
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}
