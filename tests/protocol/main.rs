//! Every numbered rule of the protocol, in virtual time.

mod classic;
mod invariants;
mod network;
mod peer_rules;
mod seed_rules;
mod strangers;
