//! Our own diagnostics: to a file, if asked for, and never to the screen.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// What to write, as tracing filters are written: `debug`, `gossipctl::net=trace`.
const VARIABLE: &str = "GOSSIPCTL_LOG";
/// The file in the state directory.
const FILE: &str = "gossipctl.log";

/// Begins to write diagnostics if the user asked for them. They are written until the guard is
/// dropped. A filter that is wrong, or a directory that cannot be made, is told in one line.
pub(crate) fn start(state_dir: &Path) -> Result<Option<WorkerGuard>, String> {
    let Some(wanted) = std::env::var(VARIABLE).ok().filter(|wanted| !wanted.is_empty()) else { return Ok(None) };
    let filter = EnvFilter::try_new(&wanted)
        .map_err(|error| format!("{VARIABLE}={wanted}: {error}: expected a level such as debug"))?;
    std::fs::create_dir_all(state_dir)
        .map_err(|error| format!("{}: cannot be created: {error}", state_dir.display()))?;
    let (writer, guard) = tracing_appender::non_blocking(tracing_appender::rolling::never(state_dir, FILE));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).init();
    Ok(Some(guard))
}
