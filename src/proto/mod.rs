//! The protocol: [`peer::Peer`] and [`seed::Seed`] as pure state machines.
//!
//! Nothing here knows a clock, a socket, a task or a global random number generator: see
//! [`machine`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod absence;
pub mod addr;
mod broadcast;
mod bucket;
pub mod budget;
pub mod chance;
pub mod config;
mod cx;
pub mod dialect;
pub mod event;
pub mod fault;
mod flat_map;
mod half_open;
mod liveness;
pub mod machine;
mod membership;
pub mod message;
pub mod name;
pub mod node;
mod offenses;
pub mod pacing;
pub mod peer;
pub mod random;
pub mod reach;
pub mod reason;
pub mod seed;
mod takeover;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time;
pub mod violation;
mod visits;
