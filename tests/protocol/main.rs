//! Every numbered rule of the protocol, in virtual time.

mod away;
mod classic;
mod faults;
mod floods;
mod hostile;
mod hostile_seed;
mod invariants;
mod long_runs;
mod losses;
mod luck;
mod memory;
mod mixed;
mod numbers;
mod peer_rules;
mod python;
#[path = "../python_rules/mod.rs"]
#[expect(dead_code, reason = "the double on sockets uses the rest")]
mod python_rules;
mod python_table;
mod refusals;
mod rude;
mod seed_rules;
mod split;
mod strangers;
#[path = "../virtual_time/mod.rs"]
mod virtual_time;
