//! The one table of what a user can ask for: the same on the command line, in the console, in a scenario, on sockets
//! and in virtual time. Lengths of texts are the dialects' own: [`BODY_LEN_MAX`], and what the classic one takes.

use std::time::Duration;

pub use crate::proto::config::BODY_LEN_MAX;

/// Seeds of a network in this process. More would only make every peer register longer.
pub const SEEDS_MAX: usize = 64;
/// Peers of a network in this process. On sockets there may be too few file
/// descriptors for so many, which is told with how many fit.
pub const PEERS_MAX: usize = 8_192;
/// A longer delay, or a clock that is more wrong, shows nothing that this does not.
pub const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// Messages or connections a second: more than a node handles at its best.
pub const RATE_MAX: u32 = 100_000;
