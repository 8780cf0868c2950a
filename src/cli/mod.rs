//! The command line: reads what the user wants, puts the rooms together, and says what came of it.

mod args;
mod config_file;
mod diagnostics;
mod failure;
mod files;
mod manual;
mod output;
mod places;
mod plan;
mod seeds_file;
mod settings;
mod signals;
mod template;
mod values;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Task};
use config_file::ConfigFile;
use failure::Failure;

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.task {
        Some(Task::Completions { shell }) => output::print(&manual::completions(shell)),
        Some(Task::Man) => output::print(&manual::man().map_err(Failure::System)?),
        Some(Task::Config) => print_config(),
        None | Some(Task::Lab(_) | Task::Seed(_) | Task::Peer(_)) => unreachable!(),
    }
}

fn print_config() -> Result<ExitCode, Failure> {
    let file = places::config_file();
    let config = read_config()?;
    output::print(template::template(&config, file.as_deref())?.as_bytes())
}

/// What the config file sets; nothing for a user without a home.
fn read_config() -> Result<ConfigFile, Failure> {
    match places::config_file() {
        Some(file) => Ok(ConfigFile::read(&file)?),
        None => Ok(ConfigFile::default()),
    }
}
