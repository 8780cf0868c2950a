//! `watch`: the sessions that run on this machine, live and as one network.

mod choice;
mod console;
mod headless;
mod marked_dir;
mod ssh;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use self::choice::Choice;
use self::ssh::RemoteHosts;
use super::args::WatchArgs;
use super::config_file::ConfigFile;
use super::failure::Failure;
use super::output::say;
use super::replay::Batches;
use super::settings::{JournalArgs, SettingGroup as _};
use super::{files, finish, plan};
use crate::clock::{Clock, utc_offset_s};
use crate::feed::Delivery;
use crate::session::export::damage_text;
use crate::session::journal::JournalRecord;
use crate::session::recorder::Limits;
use crate::session::replay::Damage;
use crate::session::watch::{
    LiveRecord, ORDER_DELAY, POLL_INTERVAL, REMOTE_DELAY, Relay, RelayError, Watch, WatchReport, WatchedDir,
};

const NOTHING_RUNS: &str = "no session runs here under this user: start one in another terminal, with \
                            'gossipctl lab', or with 'gossipctl seed' and 'gossipctl peer'";

/// What is said if that takes long.
const READING: &str = "reading what was recorded so far";
/// After how long it is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is chosen is known before the screen is taken.
pub(crate) fn run(args: WatchArgs, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let is_headless = args.headless;
    if !is_headless && !io::stdout().is_terminal() {
        return Err(plan::Begin::Watch.without_terminal());
    }
    let limits = limits(&args, config)?;
    let clock = Clock::start();
    if args.relay {
        return relay(clock);
    }
    let mut sources = WatchSources::connect(&args, limits, clock)?;
    if_it_takes_long(|| say(READING), || sources.settle(clock))?;
    let networks = choice::networks(&sources.watch, utc_offset_s());
    let choice = choice::choose(&sources.watch, &networks, args.network.as_deref())?;
    match (choice, is_headless) {
        (Choice::Nothing, _) => Err(Failure::other(NOTHING_RUNS)),
        (Choice::Network(members), true) => finish(headless::run(
            sources,
            members,
            headless::Print { format: args.format, length: args.duration },
            clock,
        )),
        (Choice::Several, true) => {
            choice::list(&networks).iter().for_each(say);
            let example = "choose one by its number, a session or a node's address, such as";
            Err(Failure::usage(format_args!("{example} 'gossipctl watch 1 --headless'")))
        }
        (choice @ (Choice::Network(_) | Choice::Several), false) => {
            let mut plan = plan::watch(args.console, config)?;
            plan.length = args.duration;
            let shown = console::Shown { networks, choice, limits };
            finish(console::run(sources, shown, plan, clock))
        }
    }
}

/// Does some work; tells the user of it once [`PATIENCE`] is over.
fn if_it_takes_long<T>(tell: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    let (working, done) = sync_channel::<()>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        });
        let result = work();
        drop(working);
        result
    })
}

/// The limits of what is recorded for going back.
fn limits(args: &WatchArgs, config: &ConfigFile) -> Result<Limits, Failure> {
    let set = JournalArgs { journal_max: args.journal_max, ..JournalArgs::default() };
    // With --no-journal in the config file nothing is kept of a session; this is not kept anyway.
    Ok(set.over(&config.session).settings()?.limits().unwrap_or_default())
}

fn sessions_dir() -> Result<PathBuf, Failure> {
    files::sessions_dir().ok_or_else(|| Failure::usage("no home directory to find sessions in: set XDG_STATE_HOME"))
}

/// The sessions of this machine, and those that others tell.
#[derive(Debug)]
struct WatchSources {
    watch: Watch,
    hosts: Option<RemoteHosts>,
}

impl WatchSources {
    fn connect(args: &WatchArgs, limits: Limits, clock: Clock) -> Result<Self, Failure> {
        let here = WatchedDir::new(sessions_dir()?);
        if args.ssh.is_empty() {
            return Ok(Self { watch: Watch::new(vec![here], ORDER_DELAY), hosts: None });
        }
        let hosts = RemoteHosts::connect(&args.ssh, &args.remote_program, limits.journal_size_max, clock)?;
        let dirs = std::iter::once(here).chain(hosts.dirs()).collect();
        Ok(Self { watch: Watch::new(dirs, REMOTE_DELAY), hosts: Some(hosts) })
    }

    /// Waits until sessions that have just begun have had the time to link.
    fn settle(&mut self, clock: Clock) -> Result<(), Failure> {
        let latest = clock.now() + self.watch.delay() + POLL_INTERVAL;
        loop {
            self.look(clock)?;
            if !self.watch.is_settling(clock.now()) || clock.now() >= latest {
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn look(&mut self, clock: Clock) -> Result<WatchReport, Failure> {
        self.watch.look(clock.now()).map_err(|error| Failure::other(format_args!("cannot look for sessions: {error}")))
    }

    /// What other machines said since. Those that say nothing more are lost.
    fn hear_hosts(&mut self) -> Vec<String> {
        let Some(hosts) = &mut self.hosts else { return Vec::new() };
        let (mut lines, lost) = hosts.take_news();
        for host in lost {
            self.watch.lose(&host.dir);
            lines.push(format!("{}: its sessions are shown as they were", host.text));
        }
        lines
    }
}

/// Tells another machine what the sessions here record, until nobody reads it.
fn relay(clock: Clock) -> Result<ExitCode, Failure> {
    let told = Relay::begin(sessions_dir()?, clock.now(), io::stdout().lock()).and_then(|mut relay| {
        loop {
            relay.look(clock.now())?;
            std::thread::sleep(POLL_INTERVAL);
        }
    });
    match told {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(RelayError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(RelayError::Write(error)) => Err(Failure::Stdout(error)),
        Err(error @ RelayError::Dir { .. }) => Err(Failure::other(error)),
    }
}

/// What was read, to be shown, and what cannot be read.
fn deliveries(records: Vec<LiveRecord>, damage: &mut Damage) -> Vec<Delivery> {
    let mut batches = Batches::default();
    for record in records {
        match record {
            Ok(JournalRecord::Event { event, .. }) => batches.push(event),
            Ok(JournalRecord::Skipped(events)) => batches.skip(events),
            Ok(JournalRecord::Torn) => {}
            Err(error) => {
                damage.note(&error);
                batches.skip(error.missing());
            }
        }
    }
    batches.finish()
}

/// What to say of damage that was not told yet.
fn damage_lines(damage: &Damage, told: &mut u64) -> Vec<String> {
    let known = usize::try_from(*told).unwrap_or(usize::MAX);
    let mut lines: Vec<String> = damage.told.iter().skip(known).cloned().collect();
    if damage.lines > *told && damage.lines > Damage::TOLD_MAX as u64 {
        lines.push(damage_text(damage.lines));
    }
    *told = damage.lines;
    lines
}

/// What to say of events that came late.
fn late_text(watch: &mut Watch) -> Option<String> {
    let late = watch.take_late();
    let delay = crate::model::span_text(watch.delay());
    let events = crate::model::words::count_text(late, "event");
    (late > 0).then(|| format!("{events} came more than {delay} late: shown now, not where they belong"))
}
