//! A discrete-event simulator: the same machines that run on sockets, in virtual time.
//!
//! A [`World`] holds nodes and the connections between them. Messages arrive after a latency, in
//! order on each connection; dials to nobody are refused; a killed node's connections break; a hung
//! node keeps them and does nothing; faults do to messages what they do on sockets. The same seed
//! gives the same run, to the last event, on every machine and whoever listens.
//!
//! It is made for size: nodes and connections are dense numbers inside, and addresses appear only
//! at its edge; planned events are small entries of a timing wheel; events go to a sink while time
//! passes; and what is left to chance is a hash of what it is about.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod ahead;
mod asked;
mod bounds;
mod connection;
mod due;
mod engine;
mod faults;
mod gone;
mod ids;
mod inbox;
mod losses;
mod luck;
mod node;
mod pacing;
mod pauses;
mod play;
mod sink;
mod slab;
mod wheel;
mod world;

pub use engine::VirtualEngine;
pub use play::{Piece, ScenarioSink, play};
pub use sink::{EventSink, NoEvents};
pub use world::{EPOCH, World};
