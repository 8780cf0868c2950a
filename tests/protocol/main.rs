//! Every numbered rule of the protocol, in virtual time.

mod classic;
mod floods;
mod invariants;
mod long_runs;
mod memory;
mod network;
mod peer_rules;
mod rude;
mod seed_rules;
mod strangers;
mod trouble;
