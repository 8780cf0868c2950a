//! Experiments: the same again, otherwise.
//!
//! A run of a scenario in virtual time is folded into [`figures`], and so is a recording
//! ([`recorded`]). [`run`] plays a scenario, [`comparison`] tells what differs between the figures
//! of several runs. Runs with the same random seed share their luck as far as they ask the same
//! questions (see [`crate::proto::chance`]), so what differs has a cause.
//! By that, [`proof`] holds each answer to "why" to its word.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod comparison;
mod coverage;
pub mod figures;
mod links;
pub mod proof;
pub mod recorded;
pub mod report;
pub mod run;
