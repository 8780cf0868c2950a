//! The `gossipctl` binary.

fn main() {}
