//! Errors of the operating system.

use serde::{Deserialize, Serialize};

/// An error of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemError {
    pub kind: SystemErrorKind,
    /// Its number on the system where it occurred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemErrorKind {
    ConnectionRefused,
    ConnectionReset,
    ConnectionAborted,
    NoRoute,
    NetworkDown,
    AddressInUse,
    AddressNotAvailable,
    PermissionDenied,
    TimedOut,
    OutOfMemory,
    /// None of these: its number says which.
    Other,
}
