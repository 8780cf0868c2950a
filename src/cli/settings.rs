//! The table of settings: one row for each.
//!
//! A row makes a flag, the key of the same name in the config file, `set` in a scenario, a line of
//! `gossipctl config`, and a line of a saved scenario. It has the help text, the bounds, and the
//! place of the value. What is set on the command line overrides a scenario, which overrides the
//! config file, the pace, and the defaults, in this order.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::builder::PossibleValuesParser;
use clap::{Args, Command};
use ipnet::Ipv4Net;
use toml::Value;

use super::failure::Failure;
use super::files::path_parser;
use super::values::{DAY_MS, GIB, KIB, PaceName, ValueChoice, count, network, size, span};
use crate::clock::Clock;
use crate::command::limits::{PEERS_MAX, SEEDS_MAX};
use crate::engine::Settings;
use crate::model::words::size_text;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, LINKS_MAX, Overlay, PeerConfig, SeedConfig};
use crate::proto::message::Dialect;
use crate::proto::reach::Reach;
use crate::session::recorder::Limits;
use crate::ui::{NODE_COLUMNS, ThemeChoice};

/// The highest seed of random choices: the range of a config file's integers.
pub(crate) const RNG_SEED_MAX: u64 = i64::MAX as u64;
/// A lab by default, seeds and peers: enough for gossip to take several hops, few enough to see each.
const LAB_SIZE: (usize, usize) = (2, 8);
/// Stands for an address that is not known yet.
const NOWHERE: Addr = Addr::loopback(0);

/// A group of settings, as far as the user has set them.
pub(crate) trait SettingGroup: Args + Default + Clone {
    /// What they are settings of.
    type Of;
    /// These settings, and the other's for those that are not set.
    #[must_use]
    fn over(self, other: &Self) -> Self;
    /// Puts what is set in its place.
    fn apply(&self, of: &mut Self::Of);
    /// All of them, with their values there.
    fn rows(&self, of: &Self::Of) -> Vec<SettingRow>;
}

/// A setting and its value.
pub(crate) struct SettingRow {
    /// The name of its flag.
    pub(crate) name: String,
    /// `None`: it has no value unless it is set.
    pub(crate) value: Option<Value>,
    /// What it could be then.
    pub(crate) example: &'static str,
    /// The user has set it.
    pub(crate) is_set: bool,
}

/// Each row: the help, the flag's attributes, the name and type, the place of the value and, if it
/// has none by default, an example.
macro_rules! settings {
    ($(#[$about:meta])* $args:ident of ($of:ident: $owner:ty) {
        $($(#[$flag:meta])* $name:ident: $kind:ty => $place:expr $(, such as $example:literal)?;)*
    }) => {
        #[derive(Debug, Default, Clone, Args)]
        $(#[$about])*
        pub(crate) struct $args { $($(#[$flag])* pub(crate) $name: $kind,)* }

        impl SettingGroup for $args {
            type Of = $owner;

            fn over(self, other: &Self) -> Self {
                Self { $($name: if self.$name.set().is_some() { self.$name } else { other.$name.clone() },)* }
            }

            fn apply(&self, $of: &mut $owner) {
                $(if let Some(value) = self.$name.set() { $place = value.clone().into(); })*
            }

            fn rows(&self, $of: &$owner) -> Vec<SettingRow> {
                vec![$(SettingRow {
                    name: stringify!($name).replace('_', "-"),
                    value: $place.value(),
                    example: concat!($($example)?),
                    is_set: self.$name.set().is_some(),
                }),*]
            }
        }
    };
}

settings! {
    /// Settings of a node.
    #[command(next_help_heading = "Node")]
    #[expect(clippy::doc_markdown, reason = "these are help texts for a terminal, where a backtick is a backtick")]
    NodeArgs of (node: NodeSettings) {
        /// The dialect that all nodes of the network speak [default: framed]
        #[arg(long, value_name = "DIALECT")]
        wire: Option<Dialect> => node.peer.dialect;
        /// How often messages and probes are sent [default: lively in a lab, else assignment]
        #[arg(long)]
        pace: Option<PaceName> => node.pace;
        /// Time between two messages of a peer [default: 10s; lively: 3s]
        #[arg(long, value_name = "DURATION", value_parser = span(1, DAY_MS))]
        gossip_interval: Option<Duration> => node.peer.gossip_interval;
        /// Messages that a peer generates; with 0 it only forwards [default: no limit]
        #[arg(long, value_name = "N", value_parser = count::<u64>(0, 1_000_000_000))]
        messages: Option<u64> => node.peer.messages, such as "100";
        // Below 10 ms an answer is late because the machine was busy.
        /// Time between two probes of a neighbor [default: 13s; lively: 2s]
        #[arg(long, value_name = "DURATION", value_parser = span(10, DAY_MS))]
        liveness_interval: Option<Duration> => node.peer.liveness_interval;
        // With more than 100, no neighbor ever would be dead.
        /// Unanswered probes in a row after which a neighbor is dead [default: 3]
        #[arg(long, value_name = "N", value_parser = count::<u32>(1, 100))]
        liveness_misses: Option<u32> => node.peer.liveness_misses;
        /// Time allowed for the answer to a probe, at most one liveness interval; classic: always one interval [default: 2s]
        #[arg(long, value_name = "DURATION", value_parser = span(10, DAY_MS))]
        probe_timeout: Option<Duration> => node.peer.probe_timeout;
        /// Links that a peer aims for and dials [default: 4]
        #[arg(long, value_name = "N", value_parser = count::<usize>(1, LINKS_MAX as u64))]
        max_dial: Option<usize> => node.peer.max_dial;
        /// Links up to which a peer accepts new ones [default: 8]
        #[arg(long, value_name = "N", value_parser = count::<usize>(1, LINKS_MAX as u64))]
        max_neighbors: Option<usize> => node.peer.max_neighbors;
        /// What a full peer does about a joiner without neighbors [default: make-room]
        #[arg(long, value_name = "POLICY")]
        join_policy: Option<Overlay> => node.peer.methods.overlay;
        /// What a seed does about a dead report [default: verify]
        #[arg(long, value_name = "POLICY")]
        dead_policy: Option<DeadPolicy> => node.seed.dead_policy;
        /// Network (or address) from which links are accepted, and which is dialed; may be repeated. This machine is
        /// always allowed [default: all that can reach the node]
        #[arg(long, value_name = "CIDR", value_parser = network)]
        allow: Option<Vec<Ipv4Net>> => node.allow, such as "[\"192.168.1.0/24\"]";
        /// Seed of all random choices; the same seed repeats them [default: a new one]
        #[arg(long, value_name = "N", value_parser = count::<u64>(0, RNG_SEED_MAX))]
        rng_seed: Option<u64> => node.rng_seed, such as "1";
        /// Directory for the nodes' log files, peer_log_PORT.txt and seed_log_PORT.txt [default: logs; of a lab, a folder
        /// beside the session's recording]
        #[arg(long, value_name = "DIR", value_parser = path_parser())]
        log_dir: Option<PathBuf> => node.log_dir, such as "\"logs\"";
    }
}

settings! {
    /// How large a lab is.
    LabSize of (lab: (usize, usize)) {
        /// Number of seeds [default: 2]
        #[arg(long, value_name = "N", value_parser = count::<usize>(1, SEEDS_MAX as u64))]
        seeds: Option<usize> => lab.0;
        /// Number of peers [default: 8]
        #[arg(long, value_name = "N", value_parser = count::<usize>(1, PEERS_MAX as u64))]
        peers: Option<usize> => lab.1;
    }
}

// What journals may take: from some hundred events to the disk of a large server.
settings! {
    /// What is recorded of a session.
    #[command(next_help_heading = "Session")]
    JournalArgs of (journal: JournalSettings) {
        /// Do not record the session
        #[arg(long)]
        no_journal: bool => journal.no_journal;
        /// The most that the session's journal may take [default: 1GiB]
        #[arg(long, value_name = "SIZE", value_parser = size(64 * KIB, 1_024 * GIB))]
        journal_max: Option<ByteSize> => journal.journal_max;
        /// The most that all journals together may take; the oldest sessions are deleted first [default: 4GiB]
        #[arg(long, value_name = "SIZE", value_parser = size(64 * KIB, 1_024 * GIB))]
        sessions_max: Option<ByteSize> => journal.sessions_max;
    }
}

settings! {
    /// How the console looks.
    #[command(next_help_heading = "Console")]
    ConsoleArgs of (console: ConsoleArgs) {
        /// Draw with ASCII characters only [default: if the locale or TERM asks for it]
        #[arg(long)]
        ascii: bool => console.ascii;
        /// Draw with Unicode, whatever the locale and TERM ask for
        #[arg(long, conflicts_with = "ascii")]
        unicode: bool => console.unicode;
        /// Use the mouse in the console; hold Shift to select text
        #[arg(long)]
        mouse: bool => console.mouse;
        /// Colors [default: auto]
        #[arg(long)]
        theme: Option<ThemeChoice> => console.theme, such as "\"auto\"";
        /// Column of the list of nodes; may be repeated [default: all that fit]
        #[arg(long, value_name = "COLUMN", value_parser = PossibleValuesParser::new(NODE_COLUMNS.iter().copied()))]
        columns: Option<Vec<String>> => console.columns, such as "[\"state\", \"links\", \"probes\"]";
    }
}

/// The settings of every node that is started in this session.
#[derive(Debug, Clone)]
pub(crate) struct NodeSettings {
    /// A peer's settings, without its address.
    pub(crate) peer: PeerConfig,
    /// A seed's settings, without its address.
    pub(crate) seed: SeedConfig,
    pace: PaceName,
    allow: Vec<Ipv4Net>,
    /// Seed of all random choices, if the user chose one.
    pub(crate) rng_seed: Option<u64>,
    /// Where each node's log file goes, if the user chose that.
    pub(crate) log_dir: Option<PathBuf>,
    /// Settings of the user that the dialect does not have.
    pub(crate) without_effect: Vec<String>,
}

/// What is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JournalSettings {
    pub(crate) no_journal: bool,
    journal_max: ByteSize,
    sessions_max: ByteSize,
}

impl NodeArgs {
    /// These settings, and the config file's for those that are not set. A pace that is set here
    /// overrides intervals that are set there.
    #[must_use]
    pub(crate) fn over_file(self, file: &Self) -> Self {
        let intervals = if self.pace.is_some() { (None, None) } else { (file.gossip_interval, file.liveness_interval) };
        let (gossip_interval, liveness_interval) = intervals;
        self.over(&Self { gossip_interval, liveness_interval, ..file.clone() })
    }
}

impl ConsoleArgs {
    /// These settings, and the config file's for those that are not set. The characters to draw
    /// with are one choice.
    #[must_use]
    pub(crate) fn over_file(self, file: &Self) -> Self {
        let is_chosen = self.ascii || self.unicode;
        let (ascii, unicode) = if is_chosen { (false, false) } else { (file.ascii, file.unicode) };
        self.over(&Self { ascii, unicode, ..file.clone() })
    }
}

impl NodeSettings {
    /// Settings from the user's choices and the default pace of the command.
    pub(crate) fn new(args: &NodeArgs, pace: PaceName, seeds: Vec<Addr>, utc_offset_s: i32) -> Result<Self, Failure> {
        let mut peer = PeerConfig::new(NOWHERE, seeds);
        (peer.gossip_interval, peer.liveness_interval) = args.pace.unwrap_or(pace).intervals();
        peer.utc_offset_s = utc_offset_s;
        let (seed, log_dir, without) = (SeedConfig::new(NOWHERE), None, Vec::new());
        let mut node = Self { peer, seed, pace, allow: Vec::new(), rng_seed: None, log_dir, without_effect: without };
        args.apply(&mut node);
        node.without_effect = without_effect(args, node.peer.dialect);
        let Self { peer, seed, allow, .. } = &mut node;
        peer.reach = Reach::new(allow.iter().copied());
        let (dial, accept) = (peer.max_dial, peer.max_neighbors);
        (peer.max_dial, peer.max_neighbors) =
            in_order((args.max_dial, dial), (args.max_neighbors, accept)).map_err(|(dial, accept)| {
                Failure::Usage(format!(
                    "--max-dial {dial} is more than --max-neighbors {accept}: a peer cannot aim for more links than it may have"
                ))
            })?;
        *seed = SeedConfig { dead_policy: seed.dead_policy, ..SeedConfig::beside(peer) };
        Ok(node)
    }

    /// The settings of a network with this seed of all random choices, this far from UTC.
    pub(crate) fn network(&self, rng_seed: u64, utc_offset_s: i32) -> Settings {
        let mut peer = self.peer.clone();
        peer.utc_offset_s = utc_offset_s;
        Settings { peer, seed: SeedConfig { utc_offset_s, ..self.seed.clone() }, rng_seed }
    }

    /// The settings of the nodes of a network in virtual time that is like a lab. `given`: what the
    /// user chose, all together.
    pub(crate) fn of_virtual_lab(given: &NodeArgs, utc_offset_s: i32) -> Result<Self, Failure> {
        Self::new(given, PaceName::Lively, Vec::new(), utc_offset_s)
    }

    /// Seed of all random choices: the user's, or a new one each time. No two sessions on one
    /// machine start in the same microsecond. It is within the range of the flag, so that it can be
    /// given again.
    pub(crate) fn rng_seed_or_new(&self, clock: Clock) -> u64 {
        let new = clock.epoch().as_micros() ^ u64::from(std::process::id()) << 48;
        self.rng_seed.unwrap_or(new & RNG_SEED_MAX)
    }

    /// The same settings with this seed of all random choices.
    pub(crate) fn with_rng_seed(&self, rng_seed: u64) -> Self {
        Self { rng_seed: Some(rng_seed), ..self.clone() }
    }

    /// The settings as a scenario has them: name and value. A scenario does not say who may link,
    /// or where files go, and the intervals stand for the pace.
    pub(crate) fn written(&self) -> Vec<(String, String)> {
        let dialect = self.peer.dialect;
        let is_left_out = |name: &str| match name {
            "pace" | "allow" | "log-dir" => true,
            "probe-timeout" => dialect.blocks_while_reading(),
            "join-policy" => !dialect.may_close(),
            "dead-policy" => !dialect.registrations_answer(),
            _ => false,
        };
        let rows = NodeArgs::default().rows(self).into_iter().filter(|row| !is_left_out(&row.name));
        rows.filter_map(|row| Some((row.name, word(&row.value?)))).collect()
    }
}

/// Explicit settings that have no effect in this dialect.
fn without_effect(args: &NodeArgs, dialect: Dialect) -> Vec<String> {
    let refuses = args.join_policy == Some(Overlay::Assignment { make_room: false });
    let verifies = args.dead_policy == Some(DeadPolicy::Verify);
    let asked = [
        (!dialect.may_close() && refuses, "join-policy refuse: full peers take every joiner; use --wire framed"),
        (
            dialect.blocks_while_reading() && args.probe_timeout.is_some(),
            "probe-timeout: an answer may take a liveness interval",
        ),
        (
            !dialect.registrations_answer() && verifies,
            "dead-policy verify: seeds trust every report; use --wire framed",
        ),
    ];
    let without = asked.into_iter().filter(|(is_asked, _)| *is_asked);
    without.map(|(_, what)| format!("the classic dialect has no {what}")).collect()
}

/// Two limits, each as it is set and as it is, of which the first may not exceed the second. If
/// only one is set, the other follows where it must.
fn in_order<T: Ord + Copy>(low: (Option<T>, T), high: (Option<T>, T)) -> Result<(T, T), (T, T)> {
    match (low, high) {
        ((Some(low), _), (Some(high), _)) if low > high => Err((low, high)),
        ((None, low), (_, high)) => Ok((low.min(high), high)),
        ((Some(_), low), (_, high)) => Ok((low, high.max(low))),
    }
}

impl JournalArgs {
    /// What is recorded, with defaults for what is not set.
    pub(crate) fn settings(&self) -> Result<JournalSettings, Failure> {
        let Limits { journal_size_max, archive_size_max } = Limits::default();
        let (journal_max, sessions_max) = (ByteSize(journal_size_max), ByteSize(archive_size_max));
        let mut journal = JournalSettings { no_journal: false, journal_max, sessions_max };
        self.apply(&mut journal);
        let limits = (self.journal_max, journal.journal_max);
        (journal.journal_max, journal.sessions_max) = in_order(limits, (self.sessions_max, journal.sessions_max))
            .map_err(|(journal, sessions)| {
                Failure::Usage(format!(
                    "--journal-max {} is more than --sessions-max {}: one journal cannot take more than all together",
                    size_text(journal.0),
                    size_text(sessions.0)
                ))
            })?;
        Ok(journal)
    }
}

impl JournalSettings {
    /// The limits of the journal; `None`: the session is not recorded.
    pub(crate) fn limits(self) -> Option<Limits> {
        let (journal_size_max, archive_size_max) = (self.journal_max.0, self.sessions_max.0);
        (!self.no_journal).then_some(Limits { journal_size_max, archive_size_max })
    }
}

impl LabSize {
    /// Seeds, then peers.
    pub(crate) fn settings(&self) -> (usize, usize) {
        let mut lab = LAB_SIZE;
        self.apply(&mut lab);
        lab
    }
}

/// Why something is no setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingError {
    /// There is none of this name, but these.
    NoSuchName(Vec<String>),
    /// It can only be one of these.
    NotOneOf(String, Vec<String>),
    /// What was expected.
    Wrong(String),
}

/// The names of all settings of a group.
pub(crate) fn names<S: SettingGroup>() -> Vec<String> {
    let flags = S::augment_args(Command::new("set"));
    flags.get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)).collect()
}

/// Reads one setting from a scenario or the config file, as its flag does.
pub(crate) fn read<S: SettingGroup>(name: &str, value: &Value) -> Result<S, SettingError> {
    let flags = S::augment_args(Command::new("set").no_binary_name(true));
    let Some(flag) = flags.get_arguments().find(|flag| flag.get_long() == Some(name)) else {
        return Err(SettingError::NoSuchName(names::<S>()));
    };
    let (takes_values, given) = (flag.get_action().takes_values(), word(value));
    let words = match value {
        Value::Array(several) if matches!(flag.get_action(), clap::ArgAction::Append) => {
            several.iter().map(|one| format!("--{name}={}", word(one))).collect()
        }
        Value::Boolean(is_on) if !takes_values => is_on.then(|| format!("--{name}")).into_iter().collect(),
        _ if !takes_values => return Err(SettingError::Wrong(format!("'{given}' is unknown: expected true or false"))),
        _ => vec![format!("--{name}={given}")],
    };
    flags.try_get_matches_from(words).and_then(|matches| S::from_arg_matches(&matches)).map_err(|e| plain(&e, given))
}

/// clap's message without its flags.
fn plain(error: &clap::Error, given: String) -> SettingError {
    use clap::error::{ContextKind, ContextValue};
    match (std::error::Error::source(error), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => SettingError::Wrong(source.to_string()),
        (None, Some(ContextValue::Strings(valid))) => SettingError::NotOneOf(given, valid.clone()),
        (None, _) => SettingError::Wrong(error.kind().to_string()),
    }
}

/// A value as it stands behind a flag.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A setting that the user may have set.
trait MaybeSet {
    type Value;
    fn set(&self) -> Option<&Self::Value>;
}

impl<T> MaybeSet for Option<T> {
    type Value = T;

    fn set(&self) -> Option<&T> {
        self.as_ref()
    }
}

impl MaybeSet for bool {
    type Value = bool;

    fn set(&self) -> Option<&bool> {
        self.then_some(self)
    }
}

/// A value as the config file has it; `None`: there is none.
trait Written {
    fn value(&self) -> Option<Value>;
}

impl<T: Written> Written for Option<T> {
    fn value(&self) -> Option<Value> {
        self.as_ref()?.value()
    }
}

impl Written for Vec<Ipv4Net> {
    fn value(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.iter().map(ToString::to_string).collect::<Vec<_>>().into())
    }
}

impl Written for Vec<String> {
    fn value(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.clone().into())
    }
}

impl<T: ValueChoice> Written for T {
    fn value(&self) -> Option<Value> {
        Some(self.name().into())
    }
}

macro_rules! written {
    ($($kind:ty: |$value:ident| $written:expr;)*) => {
        $(impl Written for $kind {
            fn value(&self) -> Option<Value> {
                let $value = self;
                Some($written)
            }
        })*
    };
}

written! {
    bool: |is_on| Value::Boolean(*is_on);
    u32: |number| Value::Integer(i64::from(*number));
    u64: |number| Value::Integer(number.cast_signed());
    usize: |number| Value::Integer((*number as u64).cast_signed());
    Duration: |span| humantime::format_duration(*span).to_string().into();
    ByteSize: |bytes| size_text(bytes.0).into();
    PathBuf: |path| path.display().to_string().into();
}
#[cfg(test)]
mod tests {
    use super::super::config_file::ConfigFile;
    use super::*;

    fn settings(flags: &str, file: &str, pace: PaceName) -> Result<NodeSettings, Failure> {
        use clap::Parser as _;
        let cli = super::super::args::Cli::try_parse_from(std::iter::once("gossipctl").chain(flags.split(' ')));
        let file = ConfigFile::parse("config.toml".as_ref(), format!("[node]\n{file}").as_bytes()).unwrap();
        NodeSettings::new(&cli.unwrap().node.over_file(&file.node), pace, Vec::new(), 0)
    }

    #[test]
    fn the_assignments_figures_are_the_default_and_a_lab_is_quicker() {
        let of = |pace| settings("--ascii", "", pace).unwrap().peer;
        let figures = |peer: PeerConfig| (peer.gossip_interval.as_secs(), peer.liveness_interval.as_secs());
        assert_eq!(of(PaceName::Assignment), PeerConfig::new(NOWHERE, Vec::new()));
        assert_eq!(figures(of(PaceName::Lively)), (3, 2));
        assert_eq!(figures(settings("--pace assignment", "", PaceName::Lively).unwrap().peer), (10, 13));
    }

    #[test]
    fn a_flag_wins_over_the_config_file_and_both_over_the_pace() {
        let file = "gossip-interval = \"20s\"\nmax-dial = 3\nwire = \"classic\"";
        let peer = settings("--max-dial 5", file, PaceName::Lively).unwrap().peer;
        assert_eq!((peer.gossip_interval.as_secs(), peer.liveness_interval.as_secs(), peer.max_dial), (20, 2, 5));
        assert_eq!(peer.dialect, Dialect::Classic);
    }

    #[test]
    fn columns_are_those_that_the_console_has() {
        let columns = |words: &[&str]| {
            let value = Value::Array(words.iter().map(|word| (*word).into()).collect());
            read::<ConsoleArgs>("columns", &value).map(|console| console.columns)
        };
        assert_eq!(columns(&["state", "30s"]), Ok(Some(vec!["state".to_owned(), "30s".to_owned()])));
        let known = NODE_COLUMNS.iter().map(|column| (*column).to_owned()).collect();
        assert_eq!(columns(&["speed"]).unwrap_err(), SettingError::NotOneOf("[\"speed\"]".to_owned(), known));
    }

    #[test]
    fn a_pace_flag_overrides_the_config_files_intervals() {
        let file = "gossip-interval = \"20s\"";
        let peer = settings("--pace lively --liveness-interval 1s", file, PaceName::Assignment).unwrap().peer;
        assert_eq!((peer.gossip_interval.as_secs(), peer.liveness_interval.as_secs()), (3, 1));
    }

    #[test]
    fn settings_that_classic_lacks_are_warned_about() {
        let of = |flags| settings(flags, "dead-policy = \"verify\"", PaceName::Lively).unwrap().without_effect;
        let told = of("--wire classic --join-policy refuse");
        assert!(told[0].starts_with("the classic dialect has no join-policy refuse: "), "{told:?}");
        assert!(told[1].starts_with("the classic dialect has no dead-policy verify: "), "{told:?}");
        assert_eq!(of("--wire classic --join-policy make-room --dead-policy trust"), [""; 0]);
        assert_eq!(of("--join-policy refuse"), [""; 0]);
    }

    #[test]
    fn of_two_limits_on_links_the_one_that_is_not_set_follows() {
        let of =
            |flags| settings(flags, "", PaceName::Lively).map(|node| (node.peer.max_dial, node.peer.max_neighbors));
        assert_eq!(of("--max-dial 12").unwrap(), (12, 12));
        assert_eq!(of("--max-neighbors 2").unwrap(), (2, 2));
        let error = of("--max-dial 6 --max-neighbors 5").unwrap_err().to_string();
        assert!(error.contains("--max-dial 6") && error.contains("--max-neighbors 5"), "{error}");
    }

    #[test]
    fn networks_given_as_flags_replace_the_config_files() {
        let file = "allow = [\"10.0.0.0/8\", \"192.168.1.7\"]";
        let of = |flags| {
            let node = settings(flags, file, PaceName::Lively).unwrap();
            assert_eq!(node.peer.reach, node.seed.reach);
            node.peer.reach.allowed().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of("--ascii"), ["10.0.0.0/8", "192.168.1.7/32"]);
        assert_eq!(of("--allow 172.16.0.0/12 --allow 10.1.0.0/16"), ["172.16.0.0/12", "10.1.0.0/16"]);
    }

    #[test]
    fn seeds_follow_the_same_settings() {
        let seed = settings("--liveness-interval 1s --dead-policy trust", "", PaceName::Lively).unwrap().seed;
        assert_eq!((seed.liveness_interval.as_secs(), seed.dead_policy), (1, DeadPolicy::Trust));
    }
}
