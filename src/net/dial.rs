//! Opening connections.

use std::io;

use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;
use tokio::time::timeout;

use super::ending::{Endings, Introduction, prepare};
use crate::proto::addr::Addr;
use crate::proto::config::DIAL_TIMEOUT;
use crate::proto::event::Purpose;
use crate::proto::message::Dialect;

/// The outcome of a dial.
#[derive(Debug)]
pub(super) struct Dialed {
    pub(super) peer: Addr,
    pub(super) purpose: Purpose,
    /// The connection, or the system's error.
    pub(super) result: Result<TcpStream, String>,
}

/// Connects, and reports the outcome to the node.
pub(super) async fn dial(peer: Addr, purpose: Purpose, dialed: mpsc::Sender<Dialed>, endings: Endings) {
    let result = match timeout(DIAL_TIMEOUT, connect(peer, endings.dialect())).await {
        Ok(connected) => connected.map_err(|error| describe(&error)),
        Err(_) => Err(format!("no answer within {} s", DIAL_TIMEOUT.as_secs())),
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

/// The system's error, for people.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: nobody listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route to that address".to_owned(),
        _ => error.to_string(),
    }
}
