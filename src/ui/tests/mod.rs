//! The console as a whole: a hand-written session, the pictures that it gives, what keys do to it.

mod alone;
mod answers;
mod browsing;
mod chance;
mod commands;
mod diagram;
mod differences;
mod evil;
mod faults;
mod fixture;
mod live;
mod lives;
mod messages;
mod mouse;
pub(crate) mod panic;
mod past;
mod pictures;
mod proofs;
mod rates;
mod sizes;
mod styles;
mod topology;
mod typing;
mod waves;
mod ways;
