//! The console as a whole: a hand-written session, the pictures that it gives, what keys do to it.

mod actions;
mod chance;
mod commands;
mod evil;
mod fixture;
mod live;
mod mouse;
pub(crate) mod panic;
mod pictures;
mod sizes;
mod styles;
mod topology;
mod waves;
