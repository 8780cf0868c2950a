//! The effective settings: the flags, then the config file, then the pace, then the defaults.

use std::path::PathBuf;

use super::args::{JournalArgs, LabSize, NodeArgs};
use super::failure::Failure;
use super::values::{BoundedCount, Joiners, PaceName, Policy, RNG_SEED_MAX, Size, Span, name_of};
use crate::clock::Clock;
use crate::proto::addr::Addr;
use crate::proto::config::{DeadPolicy, Overlay, PeerConfig, SeedConfig};
use crate::proto::message::Dialect;
use crate::proto::reach::Reach;
use crate::session::recorder::Limits;

const LAB_SEEDS: usize = 2;
/// Peers of a lab: enough for gossip to take several hops, few enough to see each.
const LAB_PEERS: usize = 8;

/// The settings of every node that is started in this session.
#[derive(Debug, Clone)]
pub(crate) struct NodeSettings {
    /// A peer's settings, without its address.
    pub(crate) peer: PeerConfig,
    /// A seed's settings, without its address.
    pub(crate) seed: SeedConfig,
    /// Seed of all random choices, if the user chose one.
    pub(crate) rng_seed: Option<u64>,
    /// Where each node's log file goes.
    pub(crate) log_dir: PathBuf,
    /// Settings of the user that the dialect does not have.
    pub(crate) without_effect: Vec<String>,
}

/// Stands for an address that is not known yet.
const NOWHERE: Addr = Addr::loopback(0);

impl NodeSettings {
    /// Settings from the user's choices and the default pace of the command.
    pub(crate) fn new(args: &NodeArgs, pace: PaceName, seeds: Vec<Addr>, utc_offset_s: i32) -> Result<Self, Failure> {
        let mut peer = PeerConfig::new(NOWHERE, seeds);
        let pace = args.pace.unwrap_or(pace);
        peer.utc_offset_s = utc_offset_s;
        peer.dialect = args.wire.map_or(peer.dialect, Into::into);
        peer.gossip_interval = args.gossip_interval.map_or(pace.gossip_interval(), Span::get);
        peer.liveness_interval = args.liveness_interval.map_or(pace.liveness_interval(), Span::get);
        peer.messages = args.messages.map(BoundedCount::get);
        peer.liveness_misses = args.liveness_misses.map_or(peer.liveness_misses, BoundedCount::as_u32);
        peer.probe_timeout = args.probe_timeout.map_or(peer.probe_timeout, Span::get);
        (peer.max_dial, peer.max_neighbors) = links(args, &peer)?;
        peer.overlay = args.join_policy.map_or(peer.overlay, Into::into);
        peer.reach = Reach::new(args.allow.iter().map(|network| network.0));
        let seed = seed_config(args, &peer);
        let log_dir = args.log_dir.clone().unwrap_or_else(|| PathBuf::from("logs"));
        let without_effect = without_effect(args, peer.dialect);
        Ok(Self { peer, seed, rng_seed: args.rng_seed.map(BoundedCount::get), log_dir, without_effect })
    }

    /// Seed of all random choices: the user's, or a new one each time. No two sessions on one
    /// machine start in the same microsecond. It is within the range of the flag, so that it can be
    /// given again.
    pub(crate) fn rng_seed_or_new(&self, clock: Clock) -> u64 {
        let new = clock.epoch().as_micros() ^ u64::from(std::process::id()) << 48;
        self.rng_seed.unwrap_or(new & RNG_SEED_MAX)
    }
}

/// Explicit settings that have no effect in this dialect.
fn without_effect(args: &NodeArgs, dialect: Dialect) -> Vec<String> {
    let mut told = Vec::new();
    if !dialect.may_close() && matches!(args.join_policy, Some(Joiners::Refuse)) {
        told.push(
            "the classic dialect has no join-policy refuse: full peers take every joiner; use --wire framed".into(),
        );
    }
    if dialect.blocks_while_reading() && args.probe_timeout.is_some() {
        told.push("the classic dialect has no probe-timeout: an answer may take a liveness interval".into());
    }
    if !dialect.registrations_answer() && matches!(args.dead_policy, Some(Policy::Verify)) {
        told.push("the classic dialect has no dead-policy verify: seeds trust every report; use --wire framed".into());
    }
    told
}

/// Links to aim for, and links to accept. If only one is set, the other follows where it must.
fn links(args: &NodeArgs, default: &PeerConfig) -> Result<(usize, usize), Failure> {
    match (args.max_dial.map(BoundedCount::as_usize), args.max_neighbors.map(BoundedCount::as_usize)) {
        (Some(dial), Some(accept)) if dial > accept => Err(Failure::TooFewNeighbors { dial, accept }),
        (Some(dial), Some(accept)) => Ok((dial, accept)),
        (Some(dial), None) => Ok((dial, default.max_neighbors.max(dial))),
        (None, Some(accept)) => Ok((default.max_dial.min(accept), accept)),
        (None, None) => Ok((default.max_dial, default.max_neighbors)),
    }
}

fn seed_config(args: &NodeArgs, peer: &PeerConfig) -> SeedConfig {
    let seed = SeedConfig::new(NOWHERE);
    SeedConfig {
        dialect: peer.dialect,
        dead_policy: args.dead_policy.map_or(seed.dead_policy, Into::into),
        liveness_interval: peer.liveness_interval,
        utc_offset_s: peer.utc_offset_s,
        reach: peer.reach.clone(),
        ..seed
    }
}

/// The effective settings as a scenario has them: name and value.
pub(crate) fn written(node: &NodeSettings) -> Vec<(String, String)> {
    let peer = &node.peer;
    let span = |span| humantime::format_duration(span).to_string();
    let mut settings = vec![
        ("wire", peer.dialect.to_string()),
        ("gossip-interval", span(peer.gossip_interval)),
        ("liveness-interval", span(peer.liveness_interval)),
        ("liveness-misses", peer.liveness_misses.to_string()),
        ("max-dial", peer.max_dial.to_string()),
        ("max-neighbors", peer.max_neighbors.to_string()),
    ];
    if !peer.dialect.blocks_while_reading() {
        settings.push(("probe-timeout", span(peer.probe_timeout)));
    }
    if peer.dialect.may_close() {
        settings.push(("join-policy", name_of(&joiners(peer.overlay))));
    }
    if peer.dialect.registrations_answer() {
        settings.push(("dead-policy", name_of(&policy(node.seed.dead_policy))));
    }
    settings.extend(peer.messages.map(|messages| ("messages", messages.to_string())));
    settings.extend(node.rng_seed.map(|seed| ("rng-seed", seed.to_string())));
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The policy as the flag has it.
pub(super) const fn joiners(overlay: Overlay) -> Joiners {
    match overlay {
        Overlay::Assignment { make_room: true } => Joiners::MakeRoom,
        Overlay::Assignment { make_room: false } => Joiners::Refuse,
    }
}

/// The policy as the flag has it.
pub(super) const fn policy(policy: DeadPolicy) -> Policy {
    match policy {
        DeadPolicy::Verify => Policy::Verify,
        DeadPolicy::Trust => Policy::Trust,
    }
}

/// Limits of journals. If only one is set, the other follows where it must.
pub(crate) fn limits(args: &JournalArgs) -> Result<Limits, Failure> {
    let default = Limits::default();
    let (journal_size_max, archive_size_max) = match (args.journal_max.map(Size::get), args.sessions_max.map(Size::get))
    {
        (Some(journal), Some(sessions)) if journal > sessions => {
            return Err(Failure::TooLittleRoom { journal, sessions });
        }
        (Some(journal), Some(sessions)) => (journal, sessions),
        (Some(journal), None) => (journal, default.archive_size_max.max(journal)),
        (None, Some(sessions)) => (default.journal_size_max.min(sessions), sessions),
        (None, None) => (default.journal_size_max, default.archive_size_max),
    };
    Ok(Limits { journal_size_max, archive_size_max })
}

/// The size of a lab: seeds, then peers.
pub(crate) fn lab_size(size: &LabSize) -> (usize, usize) {
    let seeds = size.seeds.map_or(LAB_SEEDS, BoundedCount::as_usize);
    (seeds, size.peers.map_or(LAB_PEERS, BoundedCount::as_usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(flags: &str, file: &str, pace: PaceName) -> Result<NodeSettings, Failure> {
        use clap::Parser as _;
        let cli = super::super::args::Cli::try_parse_from(std::iter::once("gossipctl").chain(flags.split(' ')));
        let file: NodeArgs = toml::from_str(file).unwrap();
        NodeSettings::new(&cli.unwrap().node.or(&file), pace, Vec::new(), 0)
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
    fn a_pace_on_the_command_line_wins_over_intervals_of_the_config_file() {
        let file = "gossip-interval = \"20s\"";
        let peer = settings("--pace lively --liveness-interval 1s", file, PaceName::Assignment).unwrap().peer;
        assert_eq!((peer.gossip_interval.as_secs(), peer.liveness_interval.as_secs()), (3, 1));
    }

    #[test]
    fn what_the_classic_dialect_does_not_have_is_told_where_it_was_asked_for() {
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
    fn networks_on_the_command_line_stand_for_those_of_the_config_file() {
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
