//! The console.
mod action;
mod host;
mod input;
mod keys;
mod options;
mod terminal;
mod text;
mod theme;
