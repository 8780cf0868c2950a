//! Errors of the system, as events tell them.

use std::io::{self, ErrorKind};

use crate::event::{SystemError, SystemErrorKind};

pub(super) fn system_error(error: &io::Error) -> SystemError {
    let kind = match error.kind() {
        ErrorKind::ConnectionRefused => SystemErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset => SystemErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted => SystemErrorKind::ConnectionAborted,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => SystemErrorKind::NoRoute,
        ErrorKind::NetworkDown => SystemErrorKind::NetworkDown,
        ErrorKind::AddrInUse => SystemErrorKind::AddressInUse,
        ErrorKind::AddrNotAvailable => SystemErrorKind::AddressNotAvailable,
        ErrorKind::PermissionDenied => SystemErrorKind::PermissionDenied,
        ErrorKind::TimedOut => SystemErrorKind::TimedOut,
        ErrorKind::OutOfMemory => SystemErrorKind::OutOfMemory,
        _ => SystemErrorKind::Other,
    };
    SystemError { kind, code: error.raw_os_error() }
}
