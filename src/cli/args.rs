//! The command line.
//!
//! The commands and what each of them takes. Settings, which may also stand in the config file, have
//! a table of their own: see [`settings`](super::settings).

mod why;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::why::{VantageArgs, WhyArgs, WhyFormat};
use super::address::WrittenAddress;
use super::examples::{
    DIAGRAM_EXAMPLES, DIFF_EXAMPLES, EXAMPLES, EXPORT_EXAMPLES, LAB_EXAMPLES, LONG_ABOUT, PEER_EXAMPLES,
    PROVE_EXAMPLES, REPLAY_EXAMPLES, REPORT_EXAMPLES, RERUN_EXAMPLES, SEED_EXAMPLES, SESSIONS_EXAMPLES, WATCH_EXAMPLES,
    WHY_EXAMPLES,
};
use super::files::path_parser;
use super::settings::{ConsoleArgs, JournalArgs, LabSize, NodeArgs, RNG_SEED_MAX};
use super::values::{DAY_MS, GIB, KIB, advertised, count, listen, remote_program, size, span, ssh_host};
use crate::model::moment::WrittenMoment;
use crate::session::export::FileFormat;
use crate::ui::Speed;

/// Where a seed listens by default.
const SEED_PLACE: &str = "the first address of config.txt that is free on this machine";
/// Where a peer listens by default.
const PEER_PLACE: &str = "the next free port of 127.0.0.1 from 3000";

fn listen_help(default: &str) -> String {
    format!(
        "Address to listen on: PORT (on 127.0.0.1), IP:PORT or NAME:PORT; 0.0.0.0:PORT listens on all interfaces \
         [default: {default}]"
    )
}

/// The longest line of a help text: longer ones are hard to read.
const HELP_WIDTH_MAX: usize = 100;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "gossipctl", version, about, long_about = LONG_ABOUT, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, max_term_width = HELP_WIDTH_MAX, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do; without it, the start screen.
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    /// The seed list that nodes started here use.
    #[command(flatten)]
    pub(crate) seeds: SeedsArgs,
    /// Settings of the nodes that are started here.
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// What is recorded.
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run a whole network in this process, on free ports of 127.0.0.1
    #[command(after_help = LAB_EXAMPLES)]
    Lab(LabArgs),
    /// Run a seed, which hands out the list of peers
    #[command(after_help = SEED_EXAMPLES, mut_arg("listen", |arg| arg.help(listen_help(SEED_PLACE))))]
    Seed(NodeTaskArgs),
    /// Run a peer, which registers with the seeds, links to other peers and gossips
    #[command(after_help = PEER_EXAMPLES, mut_arg("listen", |arg| arg.help(listen_help(PEER_PLACE))))]
    Peer(NodeTaskArgs),
    /// List the recorded sessions, or delete some
    #[command(after_help = SESSIONS_EXAMPLES)]
    Sessions(SessionsArgs),
    /// Print a recorded session, or write it to a file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Tell what changed between two moments of a recorded session, and why
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Explain something in a recorded session: a node, a message, a link, with the evidence
    #[command(after_help = WHY_EXAMPLES)]
    Why(WhyArgs),
    /// Draw what went between the nodes of a recorded session: a column a node, time downward
    #[command(after_help = DIAGRAM_EXAMPLES)]
    Diagram(DiagramArgs),
    /// Tell a recorded session on one page of HTML, to read, print or send
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Watch a recorded session in the console
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
    /// Watch the sessions that run on this machine and on others, live and as one network
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(WatchArgs),
    /// Play a recorded session, or a scenario, again in virtual time, otherwise, and tell what differs
    #[command(after_help = RERUN_EXAMPLES)]
    Rerun(RerunArgs),
    /// Prove each answer to "why" about a scenario by playing it again without what is named as the cause
    #[command(after_help = PROVE_EXAMPLES)]
    Prove(ProveArgs),
    /// Print the current settings as a commented config file
    Config,
    /// Print a shell completion script
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `lab`.
#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// How large the network is.
    #[command(flatten)]
    pub(crate) size: LabSize,
    /// What is done to it.
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What is done to a lab, and in which time.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(crate) struct ScenarioArgs {
    /// Play a scenario: a file that says what is done to the network when, and what is expected of it. See
    /// docs/SCENARIOS.md for the language and assets/scenarios for examples
    #[arg(long, value_name = "FILE", value_parser = path_parser(), conflicts_with_all = ["seeds", "peers"])]
    pub(crate) script: Option<PathBuf>,
    /// Use virtual time and no sockets. With --headless it runs as fast as it can; the same --rng-seed gives the
    /// same events to the byte
    #[arg(long = "virtual")]
    pub(crate) in_virtual_time: bool,
}

/// `seed` and `peer`.
#[derive(Debug, Args)]
pub(crate) struct NodeTaskArgs {
    // What it is by default depends on the command, which says so.
    #[arg(long, value_name = "ADDRESS", value_parser = listen)]
    pub(crate) listen: Option<WrittenAddress>,
    /// With --listen 0.0.0.0:PORT: the address by which others know the node [default: the only address of this
    /// machine]
    #[arg(long, value_name = "IP", requires = "listen", value_parser = advertised)]
    pub(crate) advertise: Option<Ipv4Addr>,
    /// The seed list.
    #[command(flatten)]
    pub(crate) seeds: SeedsArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What all commands take that run nodes.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Settings of the nodes.
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// With or without a screen.
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// `sessions`.
#[derive(Debug, Args)]
pub(crate) struct SessionsArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
    /// Delete these sessions: names from the list, 'last', or 'all'. A running session is never deleted
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "format")]
    pub(crate) delete: Vec<String>,
}

/// How sessions are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// One line per session, for people
    Table,
    /// One JSON object per session
    Json,
}

/// `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// What else is read.
    #[command(flatten)]
    pub(crate) with: WithArgs,
    /// Output format [default: by the extension of FILE, else text]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FileFormat>,
    /// With graphml and dot: the moment of the overlay, such as 03:12, 03:12:07.250, +90s from the beginning or -10s
    /// from the end [default: the end, before the nodes left]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<WrittenMoment>,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// The first moment, such as 03:11, 03:11:07.250, +90s from the beginning or -10s from the end
    #[arg(value_name = "FROM", allow_hyphen_values = true)]
    pub(crate) from: WrittenMoment,
    /// The second moment
    #[arg(value_name = "TO", allow_hyphen_values = true)]
    pub(crate) to: WrittenMoment,
    /// What else is read.
    #[command(flatten)]
    pub(crate) with: WithArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub(crate) format: DiffFormat,
}

/// How differences are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// One line per difference, for people
    Text,
    /// One JSON object
    Json,
}

/// `diagram`.
#[derive(Debug, Args)]
pub(crate) struct DiagramArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// What it is about: a message (p3#12), a node or its death (p3), or a link (p1 p3) [default: the nodes of
    /// --nodes, or all]
    #[arg(value_name = "SUBJECT", num_args = 0..=2)]
    pub(crate) subject: Vec<String>,
    /// Around this moment: a time of day of the session (03:12, 03:12:07.250, with a date in front if need be), or
    /// counted from its beginning (+90s) or its end (-10s) [default: of a message its own time, of a node its
    /// latest death; else the end]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<WrittenMoment>,
    /// How much time is drawn [default: of a message and a death as long as it took; a minute around a TIME without
    /// seconds; else 10s]
    #[arg(long, value_name = "DURATION", value_parser = span(1, 600_000))]
    pub(crate) window: Option<Duration>,
    /// Give these nodes a column each; the others that take part share one
    #[arg(long, value_name = "NODE,..", value_delimiter = ',')]
    pub(crate) nodes: Vec<String>,
    /// Output format [default: by the extension of FILE, else text]
    #[arg(long, value_enum)]
    pub(crate) format: Option<DiagramFormat>,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) with: WithArgs,
    /// Draw a text with ASCII characters only
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// How a diagram is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagramFormat {
    /// A picture that every browser shows
    Svg,
    /// Characters, as wide as the terminal
    Text,
}

/// `report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// What else is read.
    #[command(flatten)]
    pub(crate) with: WithArgs,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// Begin at this moment of the session: a clock time (03:12, 03:12:07), with a date if it spans several days, or
    /// counted from its beginning (+90s) or its end (-10s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<WrittenMoment>,
    /// Play it this much faster than it was, 0.1x to 1000x
    #[arg(long, value_name = "SPEED", default_value = "1x")]
    pub(crate) speed: Speed,
    /// What else is read.
    #[command(flatten)]
    pub(crate) with: WithArgs,
    /// Who reads it.
    #[command(flatten)]
    pub(crate) vantage: VantageArgs,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// `watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Which network, if several run: its number in the list, the name of a session (an unambiguous beginning is
    /// enough), or the address of a node, such as 3000 or 127.0.0.1:3000
    #[arg(value_name = "NETWORK")]
    pub(crate) network: Option<String>,
    /// Watch the sessions of another machine, too, through your ssh, which must get in without asking for a password. May
    /// be repeated
    #[arg(long, value_name = "USER@HOST", value_parser = ssh_host)]
    pub(crate) ssh: Vec<String>,
    /// With --ssh: the gossipctl of those machines, if their shell does not find it, such as ~/.cargo/bin/gossipctl
    #[arg(long, value_name = "PATH", requires = "ssh", default_value = "gossipctl", value_parser = remote_program)]
    pub(crate) remote_program: String,
    /// Use no screen and print events to stdout
    #[arg(long)]
    pub(crate) headless: bool,
    /// With --headless: print what each session records by itself, for a 'watch --ssh' on another machine
    #[arg(long, requires = "headless", conflicts_with_all = ["network", "ssh", "format", "duration"])]
    pub(crate) relay: bool,
    /// What --headless prints
    #[arg(long, value_enum, default_value_t = PrintFormat::Text, requires = "headless")]
    pub(crate) format: PrintFormat,
    /// Leave after this time [default: with --headless when all sessions have ended, else stay]
    #[arg(long, value_name = "DURATION", value_parser = span(1, 365 * DAY_MS))]
    pub(crate) duration: Option<Duration>,
    /// How large the temporary file may grow by which the console goes back [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = size(64 * KIB, 1_024 * GIB))]
    pub(crate) journal_max: Option<ByteSize>,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// `rerun`.
#[derive(Debug, Args)]
pub(crate) struct RerunArgs {
    /// A recorded session (a file, 'last', or a name from 'gossipctl sessions', of which an unambiguous beginning is
    /// enough), or the file of a scenario
    #[arg(value_name = "SESSION|SCENARIO")]
    pub(crate) subject: String,
    /// A setting to change, such as 'max-dial 3': the settings are those of 'set' in a scenario. May be repeated
    #[arg(long, value_name = "NAME VALUE")]
    pub(crate) set: Vec<String>,
    /// A command to leave out, as it stands in the scenario, such as 'cut p7 p8': each time that it is given, or with
    /// a time in front ('5s cut p7 p8') only then. May be repeated
    #[arg(long, value_name = "COMMAND")]
    pub(crate) without: Vec<String>,
    /// Seed of all random choices of both runs [default: that of the recording or scenario, else a new one]
    #[arg(long, value_name = "N", value_parser = count::<u64>(0, RNG_SEED_MAX))]
    pub(crate) rng_seed: Option<u64>,
    /// Output format
    #[arg(long, value_enum, default_value_t = RerunFormat::Text)]
    pub(crate) format: RerunFormat,
}

/// How a rerun is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RerunFormat {
    /// A sentence, a table, and what differs, for people
    Text,
    /// One JSON object with all figures of all runs
    Json,
}

/// `prove`.
#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// The file of a scenario, or a recorded session (a file, 'last', or a name from 'gossipctl sessions', of which an
    /// unambiguous beginning is enough)
    #[arg(value_name = "SCENARIO|SESSION", required_unless_present = "random", conflicts_with = "random")]
    pub(crate) subject: Option<String>,
    /// Prove the answers about this many random scenarios
    #[arg(long, value_name = "N", value_parser = count::<u64>(1, 10_000_000))]
    pub(crate) random: Option<u64>,
    /// Seed of all random choices; with --random, the number of the first scenario [default: that of the scenario or
    /// recording, else a new one]
    #[arg(long, value_name = "N", value_parser = count::<u64>(0, RNG_SEED_MAX))]
    pub(crate) rng_seed: Option<u64>,
    /// With --random: prove this many scenarios at a time [default: one on each core]
    #[arg(long, value_name = "N", value_parser = count::<usize>(1, 1_024), conflicts_with = "subject")]
    pub(crate) jobs: Option<usize>,
    /// With --random: make scenarios with a false answer as small as they go, by leaving out lines and nodes
    #[arg(long, conflicts_with = "subject")]
    pub(crate) shrink: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = ProveFormat::Text)]
    pub(crate) format: ProveFormat,
}

/// How proofs are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProveFormat {
    /// A sentence, a table, and what is false or not certain, for people
    Text,
    /// One JSON object
    Json,
}

/// What the recorded session is read together with.
#[derive(Debug, Args)]
pub(crate) struct WithArgs {
    /// Read this session, too, and both as one network; may be given several times. A file, or a name as SESSION. The
    /// clocks are set by the messages between them
    #[arg(long, value_name = "SESSION")]
    pub(crate) with: Vec<String>,
}

/// Which seed list.
#[derive(Debug, Args)]
pub(crate) struct SeedsArgs {
    /// File with the list of seeds: one IP:PORT or NAME:PORT per line; '#' begins a comment
    #[arg(long, value_name = "FILE", value_parser = path_parser(), default_value = "config.txt")]
    pub(crate) config: PathBuf,
}

/// With or without a screen, and for how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionArgs {
    /// Use no screen and print events to stdout
    #[arg(long)]
    pub(crate) headless: bool,
    /// What --headless prints
    #[arg(long, value_enum, default_value_t = PrintFormat::Text, requires = "headless")]
    pub(crate) format: PrintFormat,
    /// Leave politely after this time [default: stay]
    #[arg(long, value_name = "DURATION", value_parser = span(1, 365 * DAY_MS))]
    pub(crate) duration: Option<Duration>,
    /// What is recorded.
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
}

/// What `--headless` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrintFormat {
    /// Log lines with the node's name in front
    Text,
    /// A header, then one JSON object per event: a recording that can be replayed
    Json,
    /// A table of the events
    Csv,
    /// At the end, the totals for Prometheus (text exposition format)
    Prometheus,
    /// At the end, the overlay for Graphviz
    Dot,
    /// At the end, the overlay for yEd, Gephi and networkx
    Graphml,
    /// At the end, tables of nodes, messages and deaths in Markdown
    Markdown,
}
