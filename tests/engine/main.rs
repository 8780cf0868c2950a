//! Real nodes on real sockets: what a user who starts, breaks and watches them would notice.

mod bad_input;
mod classic;
mod ending;
mod faults;
mod network;
mod python;
mod support;
mod trouble;
