//! What a run is told on its command line.

use std::collections::HashMap;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Throughput,
    Latency,
    Crash,
    Hang,
    Idle,
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "throughput" => Ok(Self::Throughput),
            "latency" => Ok(Self::Latency),
            "crash" => Ok(Self::Crash),
            "hang" => Ok(Self::Hang),
            "idle" => Ok(Self::Idle),
            _ => Err(()),
        }
    }
}

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// Peers.
    pub(crate) nodes: usize,
    /// Messages a publisher.
    pub(crate) messages: usize,
    /// Bytes of a body.
    pub(crate) body_len: usize,
    pub(crate) publishers: usize,
    /// Messages under way at most.
    pub(crate) window: usize,
    /// Messages a second, of all publishers, where the pace is given.
    pub(crate) rate: f64,
    pub(crate) secs: f64,
    /// Time between two probes.
    pub(crate) probe_ms: u64,
    /// What the graph of the links follows from.
    pub(crate) graph_seed: u64,
    /// Record and fold all that happens.
    pub(crate) with_journal: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Self {
        let given = named(args);
        let mode = get(&given, "mode", Mode::Throughput);
        // Those who find faults probe every second; the rest keeps the pace of the assignment.
        let probe_ms = if matches!(mode, Mode::Crash | Mode::Hang) { 1_000 } else { 13_000 };
        let lib: String = get(&given, "lib", String::new());
        Self {
            mode,
            nodes: get(&given, "n", 20),
            messages: get(&given, "m", 2_000),
            body_len: get(&given, "b", 256),
            publishers: get(&given, "r", 4),
            window: get(&given, "window", 128),
            rate: get(&given, "rate", 50.0),
            secs: get(&given, "secs", 10.0),
            probe_ms: get(&given, "probe-ms", probe_ms),
            graph_seed: get(&given, "seed", 20_261_122),
            with_journal: given.contains_key("with-journal") || lib.ends_with("-journal"),
        }
    }
}

/// `--name value` and `--flag`.
fn named(args: &[String]) -> HashMap<&str, &str> {
    let value = |at: usize| args.get(at + 1).map(String::as_str).filter(|next| !next.starts_with("--"));
    let names = args.iter().enumerate().filter_map(|(at, arg)| Some((at, arg.strip_prefix("--")?)));
    names.map(|(at, name)| (name, value(at).unwrap_or("true"))).collect()
}

/// What was given by this name.
fn get<T: FromStr>(given: &HashMap<&str, &str>, name: &str, default: T) -> T {
    let Some(text) = given.get(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("--{name} {text}: what is that?"))
}
