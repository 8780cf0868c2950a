//! The command line: reads what the user wants, puts the rooms together, and says what came of it.

mod args;
mod config_file;
mod failure;
mod files;
mod manual;
mod places;
mod seeds_file;
mod settings;
mod template;
mod values;
