//! A scenario's file: read, with its settings as if they were flags.

use std::path::{Path, PathBuf};

use toml::Value;

use super::files::{self, FileError};
use super::settings::{self, NodeArgs, SettingError, SettingGroup as _};
use crate::command::limits::NetworkLimits;
use crate::proto::message::Dialect;
use crate::proto::text::Escaped;
use crate::scenario::{Script, ScriptError, Setting};

/// The longest file in bytes: some thousand lines, no more than anybody writes.
const FILE_LEN_MAX: u64 = 256 * 1024;
/// Bytes of a word that are shown: a binary file may be one long word.
const WORD_LEN_MAX: usize = 32;
/// Flags of a node that a scenario cannot set: where files go is not its business.
const NOT_SET: &str = "log-dir";

/// A scenario and its settings.
#[derive(Debug, Clone)]
pub(crate) struct ScriptFile {
    pub(crate) path: PathBuf,
    pub(crate) script: Script,
    /// What it was read from.
    pub(crate) text: String,
    /// The settings of its nodes.
    pub(crate) node: NodeArgs,
}

impl ScriptFile {
    /// Reads a scenario and checks all of it.
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = files::read(path, FILE_LEN_MAX, "a scenario is a text file, see docs/SCENARIOS.md")?;
        let read = text(&bytes).and_then(|text| Self::parse(path, text));
        read.map_err(|error| FileError::line(path, error.line, error.what))
    }

    /// The scenario in this text, which stands, or could stand, in the file at `path`.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ScriptError> {
        let script = Script::parse(text)?;
        let node = node_args(&script.settings)?;
        Ok(Self { path: path.to_owned(), script, text: text.to_owned(), node })
    }

    /// A flag may select another dialect than the scenario's, in which some lines cannot be done,
    /// and on sockets fewer nodes fit.
    pub(crate) fn rehearse(&self, dialect: Dialect, limits: NetworkLimits) -> Result<(), FileError> {
        if dialect == self.script.dialect() && limits == NetworkLimits::VIRTUAL {
            return Ok(());
        }
        self.script.rehearse(dialect, limits).map_err(|error| FileError::line(&self.path, error.line, error.what))
    }

    /// Its name in a line for the user.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// The file as text; an error names the first word that is none.
fn text(bytes: &[u8]) -> Result<&str, ScriptError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let line = good.split(|byte| *byte == b'\n').count();
        let begin = good.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
        let end = bad.iter().position(u8::is_ascii_whitespace).map_or(bytes.len(), |space| good.len() + space);
        let word = Escaped(&bytes[begin..end.min(begin + WORD_LEN_MAX)]);
        ScriptError { line, what: format!("'{word}' is not UTF-8 text: expected a text file, see docs/SCENARIOS.md") }
    })
}

/// The settings as the flags of the same names would set them.
pub(crate) fn node_args(settings: &[Setting]) -> Result<NodeArgs, ScriptError> {
    let mut node = NodeArgs::default();
    for Setting { line, name, value } in settings {
        let set = match name.as_str() {
            NOT_SET => Err(SettingError::NoSuchName(settings::names::<NodeArgs>())),
            name => settings::read::<NodeArgs>(name, &Value::String(value.clone())),
        };
        node = set.map_err(|error| ScriptError { line: *line, what: told(name, error) })?.over(&node);
    }
    check_links(&node, settings)?;
    Ok(node)
}

/// As for flags, but with the line: the later one of the two that contradict each other.
fn check_links(node: &NodeArgs, settings: &[Setting]) -> Result<(), ScriptError> {
    match (node.max_dial, node.max_neighbors) {
        (Some(dial), Some(accept)) if dial > accept => {
            let is_it = |setting: &&Setting| setting.name == "max-dial" || setting.name == "max-neighbors";
            let line = settings.iter().rev().find(is_it).map_or(1, |setting| setting.line);
            let what = format!(
                "'max-dial {dial}' is more than 'max-neighbors {accept}': expected a max-dial of {accept} at most"
            );
            Err(ScriptError { line, what })
        }
        (_, _) => Ok(()),
    }
}

fn told(name: &str, error: SettingError) -> String {
    match error {
        SettingError::NoSuchName(known) => {
            let known: Vec<String> = known.into_iter().filter(|name| name != NOT_SET).collect();
            format!("'{name}' is not a setting: expected one of {}", known.join(", "))
        }
        SettingError::NotOneOf(given, valid) => format!("'{given}' is unknown: expected {}", valid.join(" or ")),
        SettingError::Wrong(what) => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn parse(text: &str) -> Result<ScriptFile, ScriptError> {
        ScriptFile::parse(Path::new("dir/a.txt"), text)
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn settings_are_those_of_the_flags() {
        let file = parse("set gossip-interval 1s\nset max-neighbors 4\nset join-policy refuse\nlab 1 2\n").unwrap();
        assert_eq!(file.node.gossip_interval.unwrap(), Duration::from_secs(1));
        assert_eq!(file.node.max_neighbors, Some(4));
        assert!(file.node.join_policy.is_some() && file.node.messages.is_none());
        assert_eq!(file.name(), "a.txt");
    }

    #[test]
    fn what_is_no_text_names_its_line_and_its_word() {
        assert_eq!(text(b"lab 1 2\n").unwrap(), "lab 1 2\n");
        let error = text(b"lab 1 2\n5s hang p\xff3 p1\n").unwrap_err().to_string();
        assert_eq!(error, "2: 'p\\xff3' is not UTF-8 text: expected a text file, see docs/SCENARIOS.md");
        assert!(text(&[0xff; 9_000]).unwrap_err().to_string().len() < 250);
    }

    #[test]
    fn a_wrong_setting_names_its_line_and_what_was_expected() {
        assert_eq!(error("lab 1 2\n\nset gossip-interval 0s"), "3: 0s is too short: expected at least 1ms");
        assert_eq!(error("set wire pickle\nlab 1 2"), "1: 'pickle' is unknown: expected framed or classic");
        assert_eq!(
            error("lab 1 2\nset max-dial 9\nset wire framed\nset max-neighbors 3"),
            "4: 'max-dial 9' is more than 'max-neighbors 3': expected a max-dial of 3 at most"
        );
        let unknown = error("lab 1 2\nset gossip 1s\n");
        assert!(
            unknown.starts_with("2: 'gossip' is not a setting: expected one of wire, pace, gossip-interval"),
            "{unknown}"
        );
        assert!(error("set log-dir /tmp\nlab 1 2").starts_with("1: 'log-dir' is not a setting"));
    }
}
