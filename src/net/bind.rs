//! Where nodes listen: finds free addresses, and says what is wrong with one that is not.

use std::io;

use tokio::net::{TcpListener, TcpSocket};

use super::error::system_error;
use crate::engine::SiteError;
use crate::platform::take_address_again;
use crate::proto::addr::Addr;

/// Connections that the system holds for a node until it accepts them: a lab's peers all register
/// at the same moment.
const BACKLOG: u32 = 1024;

/// A listener on exactly this address; port 0 is any free port.
pub(super) fn listen(addr: Addr) -> Result<(TcpListener, Addr), SiteError> {
    let bound = reserve(addr).and_then(|socket| socket.listen(BACKLOG)).and_then(|listener| {
        let addr = Addr::try_from(listener.local_addr()?).map_err(io::Error::other)?;
        Ok((listener, addr))
    });
    bound.map_err(|error| refine(addr, &error))
}

/// A listener on the address of a node that restarts, which may have been reserved for it. Not
/// every system lets a second socket have an address that one of our own holds.
pub(super) fn listen_again(reserved: Option<TcpSocket>, addr: Addr) -> Result<(TcpListener, Addr), SiteError> {
    match reserved.map(|socket| socket.listen(BACKLOG)) {
        Some(Ok(listener)) => Ok((listener, addr)),
        Some(Err(_)) | None => listen(addr),
    }
}

/// A socket that holds the address without listening: nobody can connect to it, nobody else gets
/// it, and [`listen_again`] turns it into a listener.
pub(super) fn reserve(addr: Addr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    take_address_again(&socket)?;
    socket.bind(addr.socket())?;
    Ok(socket)
}

fn refine(addr: Addr, error: &io::Error) -> SiteError {
    match error.kind() {
        io::ErrorKind::AddrInUse => SiteError::InUse { addr, next: next_free(addr) },
        io::ErrorKind::AddrNotAvailable => SiteError::NotLocal(addr),
        io::ErrorKind::PermissionDenied => SiteError::Denied(addr),
        _ => SiteError::Io { addr, source: system_error(error) },
    }
}

/// A listener on the first of these addresses that is free.
pub(super) fn first_of(addrs: impl Iterator<Item = Addr>) -> Option<(TcpListener, Addr)> {
    addrs.map(listen_quickly).find_map(Result::ok)
}

/// As [`listen`], without a search for a better address.
fn listen_quickly(addr: Addr) -> io::Result<(TcpListener, Addr)> {
    Ok((reserve(addr)?.listen(BACKLOG)?, addr))
}

/// The first free port from this one on, on the same host, to suggest to a user.
pub fn next_free(from: Addr) -> Option<Addr> {
    ports_from(from).find(|addr| is_free(*addr))
}

/// This address and those with a higher port.
pub(super) fn ports_from(from: Addr) -> impl Iterator<Item = Addr> {
    (from.port().max(1)..=u16::MAX).map(move |port| from.with_port(port))
}

/// Nobody has the address, not even as a reserved one.
fn is_free(addr: Addr) -> bool {
    TcpSocket::new_v4().and_then(|socket| socket.bind(addr.socket())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_names_the_next_free_one() {
        let (_holder, taken) = listen(Addr::loopback(0)).unwrap();
        let error = listen(taken).unwrap_err();
        let SiteError::InUse { addr, next: Some(next) } = &error else { panic!("{error}") };
        assert_eq!(*addr, taken);
        assert!(next.port() > taken.port(), "{next}");
        assert_eq!(error.to_string(), format!("{taken} is in use; the next free address is {next}"));
    }

    #[tokio::test]
    async fn an_address_of_another_machine_says_so() {
        let error = listen("192.0.2.1:3000".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("192.0.2.1:3000 is not an address of this machine"), "{error}");
    }

    #[tokio::test]
    async fn a_reserved_address_is_kept_for_its_node() {
        let held = reserve(Addr::loopback(0)).unwrap();
        let addr = Addr::try_from(held.local_addr().unwrap()).unwrap();
        assert!(!is_free(addr));
        assert!(tokio::net::TcpStream::connect(addr.socket()).await.is_err());
        let (listener, bound) = listen_again(Some(held), addr).unwrap();
        assert_eq!(bound, addr);
        tokio::net::TcpStream::connect(addr.socket()).await.unwrap();
        drop(listener);
    }
}
