//! What the command line does with bad input, and with a panic.

mod panics;
mod properties;
