//! What to run, from the command line and the config file.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::address::{Lookup, WrittenAddress, look_up, named, system};
use super::args::{Cli, LabArgs, NodeTaskArgs, PrintFormat, SessionArgs};
use super::config_file::ConfigFile;
use super::failure::Failure;
use super::output::say;
use super::replay::ReplayStart;
use super::script_file::ScriptFile;
use super::seeds_file::SeedList;
use super::settings::{ConsoleArgs, JournalArgs, NodeArgs, NodeSettings, SettingGroup as _};
use super::values::PaceName;
use crate::clock::{Clock, utc_offset_s};
use crate::command::limits::NetworkLimits;
use crate::command::{NodeSpec, Placement};
use crate::engine::Refusal;
use crate::net::name_everywhere;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::scenario::{Script, Summary};
use crate::session::journal::{Header, RecordedLab, SCENARIO_LEN_MAX};
use crate::session::recorder::Limits;
use crate::ui::KeyOverrides;

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What is started at once.
    pub(crate) begin: Begin,
    pub(crate) node: NodeSettings,
    /// Seeds and peers of a lab, if the user starts one.
    pub(crate) lab_size: (usize, usize),
    pub(crate) screen: ScreenMode,
    /// The limits of the journal; `None`: the session is not recorded.
    pub(crate) journal: Option<Limits>,
    /// `None`: until the user ends it.
    pub(crate) length: Option<Duration>,
    /// What the user should know before it begins.
    pub(crate) warnings: Vec<String>,
    /// What is good to know: the addresses of host names.
    pub(crate) notes: Vec<String>,
    /// Where the nodes run.
    pub(crate) world: EngineKind,
    pub(crate) scenario: Option<ScriptFile>,
}

/// Where nodes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineKind {
    Sockets,
    Virtual,
}

impl EngineKind {
    /// How many nodes there can be.
    const fn limits(self) -> NetworkLimits {
        match self {
            Self::Sockets => NetworkLimits::SOCKETS,
            Self::Virtual => NetworkLimits::VIRTUAL,
        }
    }
}

/// What is started at once.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// The user chooses on the start screen.
    Choice {
        /// What is wrong with the seed list, for when a node needs it.
        no_seeds: Option<String>,
        /// The nodes' settings if the user chooses a lab.
        lab: Box<NodeSettings>,
    },
    /// A whole network.
    Lab {
        seeds: usize,
        peers: usize,
    },
    Node(NodeSpec),
    /// No node: a recording is shown.
    Recording(ReplayStart),
    /// No node: those of other sessions are shown.
    Watch,
}

impl Begin {
    /// Why it cannot begin when stdout is no terminal, and what to do instead.
    pub(crate) fn without_terminal(&self) -> Failure {
        let instead = match self {
            Self::Choice { .. } => "start a node without a screen, such as 'gossipctl lab --headless'",
            Self::Lab { .. } | Self::Node(_) | Self::Watch => "use --headless",
            Self::Recording(_) => "'gossipctl export' prints a session without one",
        };
        Failure::usage(format_args!("stdout is not a terminal: {instead}"))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum ScreenMode {
    Console(Looks),
    /// Lines on stdout.
    Headless(PrintFormat),
}

/// The looks and keys of the console.
#[derive(Debug, Clone)]
pub(crate) struct Looks {
    /// Characters, mouse, colors.
    pub(crate) args: ConsoleArgs,
    pub(crate) keys: KeyOverrides,
}

/// The plan of `lab`.
pub(crate) fn lab(args: LabArgs, config: &ConfigFile) -> Result<Plan, Failure> {
    let scenario = args.scenario.script.as_deref().map(ScriptFile::read).transpose()?;
    let (seeds, peers) = match &scenario {
        Some(ScriptFile { script, .. }) => (script.seeds, script.peers),
        None => args.size.over(&config.lab).settings(),
    };
    let set = scenario.as_ref().map(|file| file.node.clone()).unwrap_or_default();
    let node = node_settings(args.run.node.over(&set), config, PaceName::Lively, Vec::new())?;
    let world = if args.scenario.in_virtual_time { EngineKind::Virtual } else { EngineKind::Sockets };
    if let Some(file) = &scenario {
        file.rehearse(node.peer.dialect, world.limits())?;
    }
    let plan = Plan::new(Begin::Lab { seeds, peers }, node, args.run.console, config);
    Plan { lab_size: (seeds, peers), world, scenario, ..plan }.in_session(args.run.session, config)
}

/// The plan of `seed`, which needs the seed list only to find an address of its own.
pub(crate) fn seed(args: NodeTaskArgs, config: &ConfigFile) -> Result<Plan, Failure> {
    let mut seeds = match args.listen {
        Some(_) => SeedList::read_if_any(&args.seeds.config, &system)?,
        None => SeedList::read(&args.seeds.config, &system)?,
    };
    let listen = placement(args.listen, args.advertise, &mut seeds.notes, &system)?;
    // Peers that are started beside this seed must find it.
    let own = name(listen).filter(|own| !seeds.seeds.contains(own));
    seeds.seeds.extend(own);
    let node = node_settings(args.run.node, config, PaceName::Assignment, seeds.seeds)?;
    let plan = Plan::new(Begin::Node(NodeSpec { role: Role::Seed, listen }), node, args.run.console, config);
    Ok(plan.in_session(args.run.session, config)?.with_words(seeds.warnings, seeds.notes))
}

/// The plan of `peer`.
pub(crate) fn peer(args: NodeTaskArgs, config: &ConfigFile) -> Result<Plan, Failure> {
    let mut seeds = SeedList::read(&args.seeds.config, &system)?;
    let listen = placement(args.listen, args.advertise, &mut seeds.notes, &system)?;
    let node = node_settings(args.run.node, config, PaceName::Assignment, seeds.seeds)?;
    seeds.warnings.extend(out_of_reach(listen, &node));
    let plan = Plan::new(Begin::Node(NodeSpec { role: Role::Peer, listen }), node, args.run.console, config);
    Ok(plan.in_session(args.run.session, config)?.with_words(seeds.warnings, seeds.notes))
}

/// The plan without a command: the start screen.
pub(crate) fn choice(cli: Cli, config: &ConfigFile) -> Result<Plan, Failure> {
    let seeds = SeedList::read_if_any(&cli.seeds.config, &system)?;
    let lab = node_settings(cli.node.clone(), config, PaceName::Lively, Vec::new())?;
    let node = node_settings(cli.node, config, PaceName::Assignment, seeds.seeds)?;
    let begin = Begin::Choice { no_seeds: seeds.missing, lab: Box::new(lab) };
    let plan = Plan::new(begin, node, cli.console, config).recorded(cli.journal, config)?;
    Ok(plan.with_words(seeds.warnings, seeds.notes))
}

/// The plan of `replay`; a recording is not recorded again.
pub(crate) fn replay(recording: ReplayStart, console: ConsoleArgs, config: &ConfigFile) -> Result<Plan, Failure> {
    let node = node_settings(NodeArgs::default(), config, PaceName::Assignment, Vec::new())?;
    Ok(Plan::new(Begin::Recording(recording), node, console, config))
}

/// The plan of `watch`, which starts nothing.
pub(crate) fn watch(console: ConsoleArgs, config: &ConfigFile) -> Result<Plan, Failure> {
    let node = node_settings(NodeArgs::default(), config, PaceName::Assignment, Vec::new())?;
    Ok(Plan::new(Begin::Watch, node, console, config))
}

impl Plan {
    fn new(begin: Begin, node: NodeSettings, console: ConsoleArgs, config: &ConfigFile) -> Self {
        let looks = Looks { args: console.over_file(&config.console), keys: config.keys.clone() };
        let lab_size = config.lab.settings();
        let warnings = [config.warnings.clone(), node.without_effect.clone()].concat();
        Self {
            begin,
            node,
            lab_size,
            screen: ScreenMode::Console(looks),
            journal: None,
            length: None,
            warnings,
            notes: Vec::new(),
            world: EngineKind::Sockets,
            scenario: None,
        }
    }

    /// Where to begin with this recording.
    pub(crate) fn replay_start(&self, file: &Path) -> ReplayStart {
        match &self.begin {
            Begin::Recording(start) if start.file == file => start.clone(),
            Begin::Choice { .. } | Begin::Lab { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch => {
                ReplayStart::of(file.to_owned())
            }
        }
    }

    /// The first line of its recording. `clock`: the one from which a new seed of random choices is
    /// made.
    pub(crate) fn header(&self, started: Time, clock: Clock) -> Header {
        let lab = match self.begin {
            Begin::Lab { seeds, peers } => Some(RecordedLab { seeds, peers }),
            Begin::Choice { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch => None,
        };
        let node = self.lab_settings();
        let seeded = node.with_rng_seed(node.rng_seed_or_new(clock));
        Header {
            lab,
            scenario: self.scenario.as_ref().map(ScriptFile::name),
            scenario_text: self
                .scenario
                .as_ref()
                .map(|file| file.text.clone())
                .filter(|text| text.len() <= SCENARIO_LEN_MAX),
            virtual_time: self.world == EngineKind::Virtual,
            settings: seeded.written().into_iter().collect(),
            ..Header::new(started, self.node.peer.utc_offset_s)
        }
    }

    /// The scenario; for a lab without one, a scenario without steps.
    pub(crate) fn script(&self) -> Option<Script> {
        match (&self.scenario, &self.begin) {
            (Some(file), _) => Some(file.script.clone()),
            (None, Begin::Lab { seeds, peers }) => Some(Script::of_lab(*seeds, *peers)),
            (None, Begin::Choice { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch) => None,
        }
    }

    /// The settings of a lab's nodes: a lab that is chosen on the start screen has the same pace as
    /// one that is started by name.
    pub(crate) const fn lab_settings(&self) -> &NodeSettings {
        match &self.begin {
            Begin::Choice { lab, .. } => lab,
            Begin::Lab { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch => &self.node,
        }
    }

    /// Reports the scenario's progress on stderr.
    pub(crate) fn tell(&self, text: &str) {
        if let Some(file) = &self.scenario {
            say(format_args!("{}: {text}", file.name()));
        }
    }

    /// Reports the scenario's outcome; the exit code is 1 unless all expectations held.
    pub(crate) fn verdict(&self, summary: &Summary) -> ExitCode {
        summary.undecided.iter().for_each(|line| self.tell(line));
        self.tell(&summary.text());
        if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn in_session(self, session: SessionArgs, config: &ConfigFile) -> Result<Self, Failure> {
        let screen = if session.headless { ScreenMode::Headless(session.format) } else { self.screen };
        Self { screen, length: session.duration, ..self }.recorded(session.journal, config)
    }

    fn recorded(self, args: JournalArgs, config: &ConfigFile) -> Result<Self, Failure> {
        Ok(Self { journal: args.over(&config.session).settings()?.limits(), ..self })
    }

    fn with_words(mut self, warnings: Vec<String>, notes: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self.notes.extend(notes);
        self
    }
}

/// Where a node listens, and under which name. A host name is looked up, and the result is noted.
fn placement(
    listen: Option<WrittenAddress>,
    advertise: Option<Ipv4Addr>,
    notes: &mut Vec<String>,
    lookup: Lookup<'_>,
) -> Result<Placement, Failure> {
    let listen = match listen {
        None => return Ok(Placement::Auto),
        Some(WrittenAddress::Addr(addr)) => addr,
        Some(WrittenAddress::Name { name, port }) => {
            let unusable = |error| Failure::usage(format_args!("--listen: {error}"));
            let ip = look_up(&name, lookup).map_err(unusable)?;
            notes.push(format!("--listen: {name} is {ip}"));
            named(&name, ip, port).map_err(unusable)?
        }
    };
    if listen.ip().is_unspecified() {
        return Ok(Placement::Everywhere(name_everywhere(listen.port(), advertise).map_err(Refusal::from)?));
    }
    match advertise {
        Some(_) => Err(Failure::usage(format_args!(
            "--advertise is for --listen 0.0.0.0:PORT: a node that listens on {listen} is known by that address"
        ))),
        None => Ok(Placement::At(listen)),
    }
}

/// The name of a node that is placed there, if it is known beforehand.
const fn name(listen: Placement) -> Option<Addr> {
    match listen {
        Placement::At(addr) | Placement::Everywhere(addr) => Some(addr),
        Placement::Auto => None,
    }
}

/// A peer of this machine alone whose seeds are elsewhere: nobody there could link to it.
fn out_of_reach(listen: Placement, node: &NodeSettings) -> Option<String> {
    let own = name(listen).unwrap_or(Addr::loopback(Placement::FIRST_PEER_PORT));
    let elsewhere = node.peer.seeds.iter().find(|seed| !seed.ip().is_loopback())?;
    own.ip().is_loopback().then(|| {
        format!(
            "{elsewhere} is not on 127.0.0.1, and this peer listens there only: machines elsewhere cannot link to it; \
             --listen 0.0.0.0:{} makes it one of theirs",
            own.port()
        )
    })
}

fn node_settings(
    args: NodeArgs,
    config: &ConfigFile,
    pace: PaceName,
    seeds: Vec<Addr>,
) -> Result<NodeSettings, Failure> {
    NodeSettings::new(&args.over_file(&config.node), pace, seeds, utc_offset_s())
}
