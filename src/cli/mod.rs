//! The command line: reads what the user wants, wires the rooms together, and reports the outcome.

mod address;
mod alone;
mod args;
mod command_log;
mod config_file;
mod console;
mod diagnostics;
mod diagram;
mod diff;
mod events;
mod examples;
mod failure;
mod files;
mod glyphs;
mod headless;
mod host;
mod manual;
mod named;
mod nodes;
mod output;
mod plan;
mod printer;
mod proof;
mod prove;
mod recorded;
mod records;
mod replay;
mod report;
mod rerun;
mod rerun_subject;
mod scenario_runner;
mod script_file;
mod seeds_file;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod values;
mod virtual_run;
mod virtual_time;
mod watch;
mod why;
mod with;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, ReplayArgs, Task};
use config_file::ConfigFile;
use failure::Failure;
use plan::{EngineKind, Plan, ScreenMode};
use replay::{RecordingPart, ReplayStart};

use crate::model::moment::Anchor;
use crate::platform::lower_thread_priority;
use crate::proto::text::{printable_json, printable_lines};
use crate::session::past::Past;
use crate::session::vantage::LoneNode;

/// Does what the command line says.
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    explain_panics();
    let diagnostics = files::state_dir().map(|dir| diagnostics::start(&dir));
    diagnostics.iter().filter_map(|started| started.as_ref().err()).for_each(output::warn);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return answer_usage(&error),
    };
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            output::say(format_args!("error: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Prints the help, or the error in the command line. The error repeats words of it, which may be
/// anything.
fn answer_usage(error: &clap::Error) -> ExitCode {
    let plain = error.render().to_string();
    let printed = printable_lines(&plain);
    // A reader that has gone is no failure.
    let _ = if printed == plain { error.print() } else { write!(io::stderr(), "{printed}") };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// A panic is a fault of ours; says so. The console's hook runs before this one and gives the
/// terminal back.
fn explain_panics() {
    let hooks = color_eyre::config::HookBuilder::default();
    let installed =
        hooks.panic_section("This is a fault in gossipctl. The session's journal holds what led to it.").install();
    if let Err(report) = installed {
        output::warn(report);
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.task {
        Some(Task::Completions { shell }) => output::print(&manual::completions(shell)),
        Some(Task::Man) => output::print(&manual::man().map_err(Failure::system)?),
        Some(Task::Config) => print_config(),
        Some(Task::Lab(args)) => run_session(plan::lab(args, &read_config()?)?),
        Some(Task::Seed(args)) => run_session(plan::seed(args, &read_config()?)?),
        Some(Task::Peer(args)) => run_session(plan::peer(args, &read_config()?)?),
        Some(Task::Sessions(args)) => recorded::sessions(&args),
        Some(Task::Export(args)) => recorded::export(&args, || with::open(&args.session, &args.with)),
        Some(Task::Diff(args)) => diff::diff(&args, with::open(&args.session, &args.with)?.as_ref()),
        Some(Task::Report(args)) => report::report(&args),
        Some(Task::Diagram(args)) => diagram::run(&args),
        Some(Task::Why(args)) => why::run(&args),
        Some(Task::Replay(args)) => replay_session(args),
        Some(Task::Watch(args)) => watch::run(args, &read_config()?),
        Some(Task::Prove(args)) => finish(prove::run(args, read_config()?)),
        Some(Task::Rerun(args)) => finish(rerun::run(args, read_config()?)),
        None => run_session(plan::choice(cli, &read_config()?)?),
    }
}

/// A file that is no recording, or a time that is not in it, is reported before the screen is taken.
fn replay_session(args: ReplayArgs) -> Result<ExitCode, Failure> {
    let file = with::open(&args.session, &args.with)?.read_by(&args.vantage)?;
    let span = Past::open(file.path())?.span()?;
    let start = args.at.map_or(Ok(span.first), |at| at.resolve(span, Anchor::Ends));
    let start = start.map_err(|error| Failure::usage(format_args!("--at: {error}")))?;
    let part = |node: &LoneNode| RecordingPart { whole: file.whole().to_owned(), node: node.name().to_owned() };
    let part = file.vantage().map(part);
    let recording = ReplayStart { file: file.path().to_owned(), part, at: Some(start), speed: args.speed };
    run_session(plan::replay(recording, args.console, &read_config()?)?)
}

/// How much nicer the network's threads are than the console's: they get about a third of its share
/// when both want the same core.
const NETWORK_NICENESS: i32 = 5;

fn run_session(plan: Plan) -> Result<ExitCode, Failure> {
    match plan.screen.clone() {
        ScreenMode::Headless(format) => match plan.world {
            EngineKind::Sockets => finish(headless::run(plan, format)),
            EngineKind::Virtual => virtual_run::run(&plan, format),
        },
        ScreenMode::Console(looks) if io::stdout().is_terminal() => finish(console::run(plan, looks)),
        ScreenMode::Console(_) => Err(plan.begin.without_terminal()),
    }
}

/// Runs a session to its end. What it left running is not waited for.
fn finish(session: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(yield_to_the_console)
        .build()
        .map_err(Failure::system)?;
    let ending = runtime.block_on(session);
    runtime.shutdown_background();
    ending
}

/// The session runs on the main thread, the network on the runtime's threads. When the network
/// keeps all cores busy, a key must still show at once.
fn yield_to_the_console() {
    lower_thread_priority(NETWORK_NICENESS);
}

fn print_config() -> Result<ExitCode, Failure> {
    let file = files::config_file();
    let config = read_config()?;
    config.warnings.iter().for_each(output::warn);
    let template = template::template(&config, file.as_deref())?;
    // Strings of TOML have the same escapes.
    let lines = template.split('\n').map(printable_json).collect::<Vec<_>>();
    output::print(lines.join("\n").as_bytes())
}

/// The config file's settings; none for a user without a home.
fn read_config() -> Result<ConfigFile, Failure> {
    match files::config_file() {
        Some(file) => Ok(ConfigFile::read(&file)?),
        None => Ok(ConfigFile::default()),
    }
}
