//! The console as a whole: a hand-written session, the pictures that it gives, what keys do to it.

mod actions;
mod commands;
mod evil;
mod fixture;
mod live;
mod mouse;
mod panic;
mod pictures;
mod styles;
mod topology;
mod waves;
