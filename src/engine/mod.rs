//! What a command means, the same on sockets, in virtual time and in the rehearsal of a scenario: which nodes there are,
//! what they are called, how they are, which faults are set, and what can be asked of them. No IO.

pub mod fault;
mod judge;
mod node_table;

pub use node_table::{NodeEntry, NodeState, NodeTable, Refusal, derive_seed, describe, mix, subject};
