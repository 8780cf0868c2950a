//! gossipctl: a network console for gossip protocols.
//!
//! Everything that happens is an [`event::Event`], everything that a user wants is a
//! [`command::Command`], and all that is shown, stored, checked or reported is a fold over the
//! events. `docs/ARCHITECTURE.md` tells the whole story.

pub mod cli;
pub mod clock;
pub mod command;
pub mod engine;
pub mod event;
pub mod experiment;
pub mod feed;
pub mod model;
pub mod net;
pub mod platform;
pub mod proto;
pub mod request;
pub mod scenario;
pub mod session;
pub mod sim;
pub mod ui;
