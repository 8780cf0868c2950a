//! What is played again: a recorded session or a scenario, with the settings of its nodes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config_file::ConfigFile;
use super::failure::Failure;
use super::recorded;
use super::script_file::{ScriptFile, node_args};
use super::settings::{NodeArgs, NodeSettings, SettingGroup as _};
use crate::clock::Clock;
use crate::command::limits::NetworkLimits;
use crate::experiment::figures::Figures;
use crate::experiment::recorded::RecordedSession;
use crate::experiment::report::RerunChanges;
use crate::experiment::run::Experiment;
use crate::proto::time::Time;
use crate::scenario::deeds::NoScenario;
use crate::scenario::{Script, Setting};
use crate::session::journal::check_rereadable;
use crate::session::replay::looks_like_recording;
use crate::sim::EPOCH;
use crate::ui::HostRefusal;

/// Of a session on sockets.
pub(super) const RAN_ON_SOCKETS: &str =
    "It ran on sockets: what was done is run again in virtual time, not the same packets.";
/// Notes on what cannot be repeated.
const NOT_REPEATED_MAX: usize = 5;

/// What is played again.
pub(super) struct RerunSubject {
    pub(super) name: String,
    script: Script,
    /// The settings of its nodes, as far as they are known.
    given: NodeArgs,
    epoch: Time,
    utc_offset_s: i32,
    length: Option<Duration>,
    pub(super) rng_seed: u64,
    pub(super) recorded: Option<RecordedFigures>,
    pub(super) notes: Vec<String>,
}

/// The figures of a recording.
pub(super) struct RecordedFigures {
    pub(super) figures: Figures,
    /// It ran in virtual time.
    pub(super) is_virtual: bool,
}

/// A recording as a scenario.
struct Retold {
    text: String,
    /// What the reader should know.
    notes: Vec<String>,
}

impl RerunSubject {
    /// Reads it: the file of a scenario, or a recording.
    pub(super) fn read(what: &str, config: &ConfigFile, clock: Clock) -> Result<Self, Failure> {
        let path = super::files::from_home(PathBuf::from(what));
        let is_script = what != crate::session::archive::LAST && path.exists() && !looks_like_recording(&path);
        if is_script {
            return Self::of_script(ScriptFile::read(&path)?, config, clock);
        }
        let file = recorded::find(what)?;
        check_rereadable(&file)?;
        Self::of_recording(&file, clock)
    }

    /// With the settings that `lab --script` would give its nodes.
    fn of_script(file: ScriptFile, config: &ConfigFile, clock: Clock) -> Result<Self, Failure> {
        let given = file.node.clone().over_file(&config.node);
        let rng_seed = NodeSettings::of_virtual_lab(&given, 0)?.rng_seed_or_new(clock);
        Ok(Self {
            name: file.name(),
            script: file.script,
            given,
            epoch: EPOCH,
            utc_offset_s: 0,
            length: None,
            rng_seed,
            recorded: None,
            notes: Vec::new(),
        })
    }

    /// With the settings that it was recorded with, whatever the config file says now.
    pub(super) fn of_recording(path: &Path, clock: Clock) -> Result<Self, Failure> {
        let session = RecordedSession::read(path)?;
        let told = |why: NoScenario| match why {
            NoScenario::NoLab => Failure::usage(format_args!("{}: {}", path.display(), HostRefusal::NoLab)),
            NoScenario::Empty => Failure::usage(format_args!("{}: {why}", path.display())),
        };
        let Retold { text, notes } = retell(&session).map_err(told)?;
        let unreadable = |why| Failure::other(format_args!("{}: cannot be played again: {why}", path.display()));
        let file = ScriptFile::parse(path, &text).map_err(unreadable)?;
        let rng_seed = NodeSettings::of_virtual_lab(&file.node, 0)?.rng_seed_or_new(clock);
        Ok(Self {
            name: file.name(),
            script: file.script,
            given: file.node,
            epoch: session.began,
            utc_offset_s: session.header.utc_offset_s,
            length: Some(session.lasted),
            rng_seed,
            recorded: Some(RecordedFigures { figures: session.figures, is_virtual: session.header.virtual_time }),
            notes,
        })
    }

    /// Of this recording, what was done up to then.
    pub(super) fn until(mut self, at: Time) -> Self {
        let length = at.since(self.epoch);
        self.length = Some(self.length.map_or(length, |whole| whole.min(length)));
        self
    }

    /// As it was.
    pub(super) fn as_it_was(&self) -> Result<Experiment, Failure> {
        self.experiment(self.script.clone(), &self.given, self.rng_seed)
    }

    /// With these changes.
    pub(super) fn otherwise(&self, changes: &RerunChanges) -> Result<Experiment, Failure> {
        let mut set = NodeArgs::default();
        for text in &changes.set {
            set = setting(text)?.over(&set);
        }
        let rng_seed = set.rng_seed.unwrap_or(self.rng_seed);
        let mut script = self.script.clone();
        for command in &changes.without {
            let without = script.without(command);
            script = without.map_err(|why| Failure::usage(format_args!("{}: {why}", self.name)))?;
        }
        self.experiment(script, &set.over_file(&self.given), rng_seed)
    }

    fn experiment(&self, script: Script, given: &NodeArgs, rng_seed: u64) -> Result<Experiment, Failure> {
        let node = NodeSettings::of_virtual_lab(given, self.utc_offset_s)?;
        if node.peer.dialect != script.dialect() {
            let told = |why| Failure::usage(format_args!("{}: with another dialect: {why}", self.name));
            script.rehearse(node.peer.dialect, NetworkLimits::VIRTUAL).map_err(told)?;
        }
        let settings = node.network(rng_seed, self.utc_offset_s);
        let experiment = Experiment { script, settings, epoch: self.epoch, length: self.length };
        experiment.check().map_err(|why| Failure::usage(format_args!("{}: {why}", self.name)))?;
        Ok(experiment)
    }
}

/// A setting as it stands behind `set` in a scenario.
fn setting(text: &str) -> Result<NodeArgs, Failure> {
    let wrong = |why: &str| Failure::usage(format_args!("'{text}': {why}"));
    let Some((name, value)) = text.trim().split_once(char::is_whitespace) else {
        return Err(wrong("expected a setting and its value, such as 'max-dial 3'"));
    };
    let setting = Setting { line: 1, name: name.to_owned(), value: value.trim().to_owned() };
    node_args(&[setting]).map_err(|error| wrong(&error.what))
}

/// The scenario that repeats a recorded session.
pub(super) fn scenario_of(path: &Path) -> Result<String, HostRefusal> {
    let session = RecordedSession::read(path).map_err(|error| HostRefusal::File(error.to_string()))?;
    retell(&session).map(|told| told.text).map_err(|_| HostRefusal::NoLab)
}

/// Of a setting that this version does not know, or that stands for something else here, a note is
/// all that is left: a file may hold anything.
fn retell(session: &RecordedSession) -> Result<Retold, NoScenario> {
    let is_known = |name: &str, value: &str| {
        node_args(&[Setting { line: 1, name: name.to_owned(), value: value.to_owned() }]).is_ok()
    };
    let (settings, unknown): (Vec<_>, Vec<_>) =
        session.settings().into_iter().partition(|(name, value)| is_known(name, value));
    let text = session.scenario(settings)?;
    let mut notes = Vec::new();
    if !session.has_settings() {
        notes.push("The recording is older and does not hold all settings: the others are the defaults.".to_owned());
    }
    notes.extend(unknown.iter().map(|(name, value)| format!("Unknown setting, left out: {name} {value}")));
    // The first line says that it was saved; any other comment is a command that cannot be done.
    let not_repeated: Vec<&str> = text.lines().skip(1).filter_map(|line| line.strip_prefix("# ")).collect();
    notes.extend(not_repeated.iter().take(NOT_REPEATED_MAX).map(|what| format!("Not repeated: {what}")));
    if let Some(more) = not_repeated.len().checked_sub(NOT_REPEATED_MAX).filter(|more| *more > 0) {
        notes.push(format!("Not repeated: {more} more"));
    }
    if session.figures.skipped > 0 {
        notes.push(format!(
            "The recording lacks {} events: what they told of is not repeated.",
            session.figures.skipped
        ));
    }
    Ok(Retold { text, notes })
}
