//! Real nodes on real sockets: what a user who starts, breaks and watches them would notice.

mod bad_input;
mod classic;
mod crashes;
mod ending;
mod faults;
mod network;
mod python;
#[path = "../python_rules/mod.rs"]
#[expect(dead_code, reason = "the double in virtual time uses the rest")]
mod python_rules;
#[path = "../sockets/mod.rs"]
mod sockets;
