//! The command line.
//!
//! Every setting of a node and of the console may stand on the command line or, under the same name
//! without dashes, in the config file: [`NodeArgs`] and [`ConsoleArgs`] are read from either, and
//! the command line wins.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use super::files::{path_of_file, path_parser};
use super::values::{
    GossipInterval, Joiners, JournalSize, LabPeers, LabSeeds, LinkCount, Listen, LivenessInterval, Messages, Misses,
    Network, PaceName, Policy, ProbeTimeout, RngSeed, SessionLength, ThemeName, Wire,
};

const LONG_ABOUT: &str = "\
A network console for gossip protocols: start seeds and peers, watch gossip spread, break things, and see \
which nodes notice.

Without a command it opens the start screen.";

const EXAMPLES: &str = "\
Examples:
  gossipctl lab                   a whole network in this process, on free ports
  gossipctl lab --peers 20        the same with 20 peers
  gossipctl seed                  the next seed of config.txt
  gossipctl peer                  a peer on the next free port from 3000
  gossipctl peer --headless       no screen, log lines on stdout
  gossipctl sessions              what was recorded
  gossipctl export last -o s.csv  the latest session as a table

Exit codes: 0 done, 1 failure, 2 wrong usage, 130 or 143 ended by a second SIGINT or SIGTERM.";

const LAB_EXAMPLES: &str = "\
Examples:
  gossipctl lab
  gossipctl lab --seeds 3 --peers 20 --pace assignment
  gossipctl lab --gossip-interval 200ms --liveness-interval 1s
  gossipctl lab --headless --duration 60s --format json > events.jsonl
  gossipctl lab --script assets/scenarios/death.txt
  gossipctl lab --script assets/scenarios/death.txt --headless --virtual --rng-seed 7

With --script and --headless, the exit code is 1 when an expectation fails.";

const SEED_EXAMPLES: &str = "\
Examples:
  gossipctl seed                          the first address of config.txt that is free
  gossipctl seed --listen 5001            127.0.0.1:5001
  gossipctl seed --dead-policy trust      believe every dead report
  gossipctl seed --wire classic           serve Python peers";

const PEER_EXAMPLES: &str = "\
Examples:
  gossipctl peer                          the next free port from 3000
  gossipctl peer --listen 3000            127.0.0.1:3000
  gossipctl peer --listen 0.0.0.0:3000 --allow 192.168.1.0/24
                                          open to the machines of that network
  gossipctl peer --messages 10            generate ten messages, then only forward
  gossipctl peer --wire classic           join a network of Python nodes";

const SESSIONS_EXAMPLES: &str = "\
Examples:
  gossipctl sessions
  gossipctl sessions --format json
  gossipctl sessions --delete 2026-11-22T03-13-02-4711
  gossipctl sessions --delete all";

const EXPORT_EXAMPLES: &str = "\
Examples:
  gossipctl export last
  gossipctl export last -o session.csv
  gossipctl export 2026-11-22T03 --format json | jq .event
  gossipctl export ./session.jsonl --format text";

const REPLAY_EXAMPLES: &str = "\
Examples:
  gossipctl replay last
  gossipctl replay 2026-11-22T03-13-02-4711
  gossipctl replay ./session.jsonl";

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
    #[command(after_help = SEED_EXAMPLES)]
    Seed(SeedArgs),
    /// Run a peer, which registers with the seeds, links to other peers and gossips
    #[command(after_help = PEER_EXAMPLES)]
    Peer(PeerArgs),
    /// List the recorded sessions, or delete some
    #[command(after_help = SESSIONS_EXAMPLES)]
    Sessions(SessionsArgs),
    /// Print a recorded session, or write it to a file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Watch a recorded session in the console
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
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
    /// Settings of its nodes.
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// With or without a screen.
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
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

/// `seed`.
#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// Address to listen on: PORT (on 127.0.0.1), IP:PORT or NAME:PORT; 0.0.0.0:PORT listens on all interfaces
    /// [default: the first address of config.txt that is free on this machine]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<Listen>,
    /// With --listen 0.0.0.0:PORT: the address by which others know the node [default: the only address of this
    /// machine]
    #[arg(long, value_name = "IP", requires = "listen", value_parser = super::values::advertised)]
    pub(crate) advertise: Option<Ipv4Addr>,
    /// The seed list.
    #[command(flatten)]
    pub(crate) seeds: SeedsArgs,
    /// Settings of the node.
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// With or without a screen.
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// `peer`.
#[derive(Debug, Args)]
pub(crate) struct PeerArgs {
    /// Address to listen on: PORT (on 127.0.0.1), IP:PORT or NAME:PORT; 0.0.0.0:PORT listens on all interfaces
    /// [default: the next free port of 127.0.0.1 from 3000]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<Listen>,
    /// With --listen 0.0.0.0:PORT: the address by which others know the node [default: the only address of this
    /// machine]
    #[arg(long, value_name = "IP", requires = "listen", value_parser = super::values::advertised)]
    pub(crate) advertise: Option<Ipv4Addr>,
    /// The seed list.
    #[command(flatten)]
    pub(crate) seeds: SeedsArgs,
    /// Settings of the node.
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
    /// Output format [default: by the extension of FILE, else text]
    #[arg(long, value_enum)]
    pub(crate) format: Option<ExportFormat>,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) output: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// In which form a session is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The log lines of all nodes, with date, time and node in front
    Text,
    /// A header, then one JSON object per event: a recording that can be replayed
    Json,
    /// A table with one row per event
    Csv,
}

/// `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// A file, 'last', or a name from 'gossipctl sessions'; an unambiguous beginning of the name is enough
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,
    /// How the console looks.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

/// Which seed list.
#[derive(Debug, Args)]
pub(crate) struct SeedsArgs {
    /// File with the list of seeds: one IP:PORT or NAME:PORT per line; '#' begins a comment
    #[arg(long, value_name = "FILE", value_parser = path_parser(), default_value = "config.txt")]
    pub(crate) config: PathBuf,
}

/// How large a lab is.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct LabSize {
    /// Number of seeds [default: 2]
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<LabSeeds>,
    /// Number of peers [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) peers: Option<LabPeers>,
}

/// Settings of a node. What is not set is left to the pace and to the protocol.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[command(next_help_heading = "Node")]
#[expect(clippy::doc_markdown, reason = "these are help texts for a terminal, where a backtick is a backtick")]
pub(crate) struct NodeArgs {
    /// The dialect that all nodes of the network speak [default: framed]
    #[arg(long, value_name = "DIALECT")]
    pub(crate) wire: Option<Wire>,
    /// How often messages and probes are sent [default: lively in a lab, else assignment]
    #[arg(long)]
    pub(crate) pace: Option<PaceName>,
    /// Time between two messages of a peer [default: 10s; lively: 3s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) gossip_interval: Option<GossipInterval>,
    /// Messages that a peer generates; with 0 it only forwards [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) messages: Option<Messages>,
    /// Time between two probes of a neighbor [default: 13s; lively: 2s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) liveness_interval: Option<LivenessInterval>,
    /// Unanswered probes in a row after which a neighbor is dead [default: 3]
    #[arg(long, value_name = "N")]
    pub(crate) liveness_misses: Option<Misses>,
    /// Time allowed for the answer to a probe, at most one liveness interval; classic: always one interval [default: 2s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) probe_timeout: Option<ProbeTimeout>,
    /// Links that a peer aims for and dials [default: 4]
    #[arg(long, value_name = "N")]
    pub(crate) max_dial: Option<LinkCount>,
    /// Links up to which a peer accepts new ones [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) max_neighbors: Option<LinkCount>,
    /// What a full peer does about a joiner without neighbors [default: make-room]
    #[arg(long, value_name = "POLICY")]
    pub(crate) join_policy: Option<Joiners>,
    /// What a seed does about a dead report [default: verify]
    #[arg(long, value_name = "POLICY")]
    pub(crate) dead_policy: Option<Policy>,
    /// Network (or address) from which links are accepted, and which is dialed; may be repeated. This machine is
    /// always allowed [default: all that can reach the node]
    #[arg(long, value_name = "CIDR")]
    pub(crate) allow: Vec<Network>,
    /// Seed of all random choices; the same seed repeats them [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) rng_seed: Option<RngSeed>,
    /// Directory for the nodes' log files, peer_log_PORT.txt and seed_log_PORT.txt [default: logs]
    #[arg(long, value_name = "DIR", value_parser = path_parser())]
    #[serde(deserialize_with = "path_of_file")]
    pub(crate) log_dir: Option<PathBuf>,
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
    #[arg(long, value_name = "DURATION")]
    pub(crate) duration: Option<SessionLength>,
    /// What is recorded.
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
}

/// What is recorded of a session.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[command(next_help_heading = "Session")]
pub(crate) struct JournalArgs {
    /// Do not record the session
    #[arg(long)]
    pub(crate) no_journal: bool,
    /// The most that the session's journal may take [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) journal_max: Option<JournalSize>,
    /// The most that all journals together may take; the oldest sessions are deleted first [default: 4GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) sessions_max: Option<JournalSize>,
}

/// What `--headless` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrintFormat {
    /// Log lines with the node's name in front
    Text,
    /// A header, then one JSON object per event: a recording that can be replayed
    Json,
}

/// How the console looks.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[command(next_help_heading = "Console")]
pub(crate) struct ConsoleArgs {
    /// Draw with ASCII characters only [default: if the locale or TERM asks for it]
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Draw with Unicode, whatever the locale and TERM ask for
    #[arg(long, conflicts_with = "ascii")]
    pub(crate) unicode: bool,
    /// Use the mouse in the console; hold Shift to select text
    #[arg(long)]
    pub(crate) mouse: bool,
    /// Colors [default: auto]
    #[arg(long)]
    pub(crate) theme: Option<ThemeName>,
}

impl LabSize {
    /// These settings, and the other's for those that are not set.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        Self { seeds: self.seeds.or(other.seeds), peers: self.peers.or(other.peers) }
    }
}

impl NodeArgs {
    /// These settings, and the other's for those that are not set. A pace that is set here
    /// overrides intervals that are set there.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        let intervals = self.pace.is_none().then_some(other);
        Self {
            wire: self.wire.or(other.wire),
            pace: self.pace.or(other.pace),
            gossip_interval: self.gossip_interval.or(intervals.and_then(|other| other.gossip_interval)),
            messages: self.messages.or(other.messages),
            liveness_interval: self.liveness_interval.or(intervals.and_then(|other| other.liveness_interval)),
            liveness_misses: self.liveness_misses.or(other.liveness_misses),
            probe_timeout: self.probe_timeout.or(other.probe_timeout),
            max_dial: self.max_dial.or(other.max_dial),
            max_neighbors: self.max_neighbors.or(other.max_neighbors),
            join_policy: self.join_policy.or(other.join_policy),
            dead_policy: self.dead_policy.or(other.dead_policy),
            allow: if self.allow.is_empty() { other.allow.clone() } else { self.allow },
            rng_seed: self.rng_seed.or(other.rng_seed),
            log_dir: self.log_dir.or_else(|| other.log_dir.clone()),
        }
    }
}

impl JournalArgs {
    /// These settings, and the other's for those that are not set.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            no_journal: self.no_journal || other.no_journal,
            journal_max: self.journal_max.or(other.journal_max),
            sessions_max: self.sessions_max.or(other.sessions_max),
        }
    }
}

impl ConsoleArgs {
    /// These settings, and the other's for those that are not set.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        let glyphs = if self.ascii || self.unicode { &self } else { other };
        let (ascii, unicode) = (glyphs.ascii, glyphs.unicode);
        Self { ascii, unicode, mouse: self.mouse || other.mouse, theme: self.theme.or(other.theme) }
    }
}
