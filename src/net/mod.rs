//! The driver: runs nodes on tokio, over real TCP connections.
//!
//! [`engine::SocketEngine`] owns all nodes of this process and carries out commands. A node
//! (`node`) is one task that owns its state machine and its connections (`link`), each with a
//! bounded queue (`outbox`). No decision of the protocol is made here: this room moves bytes, keeps
//! limits, and breaks things when the user asks for it.
//!
//! An unforeseen end is like a crash. In the framed dialect all sockets have a linger time of zero,
//! so a killed node, an aborted task and a dead process all reset their connections; only a link
//! that is hung up, or a node that leaves, takes the time to close politely. In the classic dialect
//! nothing is ever reset (`ending`).

mod bind;
mod copies;
mod dial;
mod ending;
pub mod engine;
mod error;
mod files;
mod interfaces;
mod link;
mod links;
mod node;
mod node_faults;
mod outbox;
mod pressure;
mod ready_set;
mod says;
mod sites;
mod sources;
pub mod wire;

pub use bind::next_free;
pub use engine::SocketEngine;
pub use interfaces::name_everywhere;
