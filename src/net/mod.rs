//! Nodes on tokio.

pub mod wire;
