//! The config file: defaults for the flags, and keys, in the XDG directory.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::files::{self, FileError};
use super::settings::{self, ConsoleArgs, JournalArgs, LabSize, NodeArgs, SettingError, SettingGroup};
use crate::ui::{KeyError, KeyOverrides};

/// The longest config file in bytes; the template with everything set is below 8 KiB.
const FILE_LEN_MAX: u64 = 256 * 1024;

#[derive(Debug, Default, Clone)]
pub(crate) struct ConfigFile {
    pub(crate) node: NodeArgs,
    pub(crate) lab: LabSize,
    pub(crate) session: JournalArgs,
    pub(crate) console: ConsoleArgs,
    /// The user's changes to the keys.
    pub(crate) keys: KeyOverrides,
    /// The same as written: the name of an action, and its keys.
    pub(crate) keys_written: BTreeMap<String, Vec<String>>,
    /// Oddities, each in a line that names its place.
    pub(crate) warnings: Vec<String>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ConfigText {
    node: Section,
    lab: Section,
    session: Section,
    console: Section,
    /// The name of an action, and its key or keys.
    keys: BTreeMap<String, Spanned<Keys>>,
}

/// Settings by their names.
type Section = BTreeMap<String, Spanned<Value>>;

/// One key, or several that do the same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a key such as \"x\", or a list of keys such as [\"q\", \"ctrl-c\"]")]
enum Keys {
    /// `"x"`
    One(String),
    /// `["q", "ctrl-c"]`
    Several(Vec<String>),
}

impl Keys {
    fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(key) => vec![key.clone()],
            Self::Several(keys) => keys.clone(),
        }
    }
}

impl ConfigFile {
    /// Reads the file; without one, nothing is set.
    pub(crate) fn read(file: &Path) -> Result<Self, FileError> {
        match files::read(file, FILE_LEN_MAX, "'gossipctl config' prints what belongs in it") {
            Ok(bytes) => Self::parse(file, &bytes),
            Err(FileError::Missing { .. }) => Ok(Self::default()),
            Err(error @ FileError::Wrong(_)) => Err(error),
        }
    }

    pub(crate) fn parse(file: &Path, bytes: &[u8]) -> Result<Self, FileError> {
        let wrong = |(offset, what): (usize, String)| FileError::line(file, line_at(bytes, offset), shown(&what));
        let written: ConfigText = toml::from_slice(bytes)
            .map_err(|error| wrong((error.span().map_or(0, |span| span.start), plain(error.message()))))?;
        let keys_written: BTreeMap<_, _> =
            written.keys.iter().map(|(name, keys)| (name.clone(), keys.get_ref().to_vec())).collect();
        let keys = KeyOverrides::new(keys_written.clone())
            .map_err(|error| wrong((place_of(&error, &written.keys), error.to_string())))?;
        let odd = keys.odd().iter().map(|odd| {
            let line = line_at(bytes, written.keys.get(odd.action()).map_or(0, |keys| keys.span().start));
            shown(&format!("{}:{line}: {odd}", file.display()))
        });
        let warnings = odd.collect();
        let ConfigText { node, lab, session, console, .. } = written;
        let (node, lab) = (section(node).map_err(wrong)?, section(lab).map_err(wrong)?);
        let (session, console) = (section(session).map_err(wrong)?, section(console).map_err(wrong)?);
        Ok(Self { node, lab, session, console, keys, keys_written, warnings })
    }
}

/// Reads a section. The error has its place in the file.
fn section<S: SettingGroup>(written: Section) -> Result<S, (usize, String)> {
    let mut in_order: Vec<_> = written.into_iter().collect();
    in_order.sort_by_key(|(_, value)| value.span().start);
    in_order.into_iter().try_fold(S::default(), |settings, (name, value)| {
        let set = settings::read::<S>(&name, value.get_ref());
        Ok(settings.over(&set.map_err(|error| (value.span().start, told(&name, error)))?))
    })
}

fn told(name: &str, error: SettingError) -> String {
    match error {
        SettingError::NoSuchName(known) => format!("unknown key '{name}', {}", expected(&known)),
        SettingError::NotOneOf(given, valid) => format!("unknown value '{given}', {}", expected(&valid)),
        SettingError::Wrong(what) => what,
    }
}

fn expected(words: &[String]) -> String {
    match words {
        [one, other] => format!("expected '{one}' or '{other}'"),
        several => format!("expected one of '{}'", several.join("', '")),
    }
}

/// Where in the file the error is.
fn place_of(error: &KeyError, written: &BTreeMap<String, Spanned<Keys>>) -> usize {
    let is_at_fault = |name: &str, keys: &Keys| match error {
        KeyError::NoSuchAction { name: wrong, .. } => wrong == name,
        KeyError::NotAKey { text } => keys.to_vec().contains(text),
        KeyError::Twice { one, other, .. } => [*one, *other].contains(&name),
    };
    let at_fault = written.iter().find(|(name, keys)| is_at_fault(name, keys.get_ref()));
    at_fault.map_or(0, |(_, keys)| keys.span().start)
}

/// The line of this byte, counted from 1.
fn line_at(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset.min(bytes.len())].split(|byte| *byte == b'\n').count()
}

/// The parser's message as one line, in the words of the config file.
fn plain(message: &str) -> String {
    let line = message.lines().collect::<Vec<_>>().join("; ");
    line.replace("unknown field", "unknown key").replace('`', "'")
}

/// The file's text is shown on a terminal, which must not act on it.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(text: &str) -> Result<ConfigFile, FileError> {
        ConfigFile::parse(Path::new("config.toml"), text.as_bytes())
    }

    fn error(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_section_is_read() {
        let text = "[node]\ngossip-interval = \"500ms\"\nmax-dial = 3\n[lab]\npeers = 20\n[console]\nascii = true\n\
                    [keys]\nkill = \"K\"\nquit = [\"q\", \"ctrl-c\"]\n";
        let config = read(text).unwrap();
        assert_eq!(config.node.gossip_interval.unwrap(), Duration::from_millis(500));
        assert_eq!(config.lab.peers, Some(20));
        assert!(config.console.ascii);
        let keys = [("kill", vec!["K"]), ("quit", vec!["q", "ctrl-c"])];
        let keys = keys.map(|(name, keys)| (name.to_owned(), keys.into_iter().map(str::to_owned).collect()));
        assert_eq!(config.keys, KeyOverrides::new(keys).unwrap());
    }

    #[test]
    fn an_unknown_key_names_file_line_key_and_what_is_known() {
        let error = error("[node]\nwire = \"framed\"\ngossip = \"1s\"\n");
        assert!(error.starts_with("config.toml:3: unknown key 'gossip'"), "{error}");
        assert!(error.contains("'gossip-interval'") && error.contains("'max-dial'"), "{error}");
        let error = super::tests::error("color = 1\n");
        assert!(error.starts_with("config.toml:1: unknown key 'color'") && error.contains("'console'"), "{error}");
    }

    #[test]
    fn a_bad_value_names_its_line_and_what_was_expected() {
        let of = |text| error(text);
        assert!(of("[node]\n\nliveness-misses = 0\n").starts_with("config.toml:3: '0' is not a whole number from 1"));
        assert!(of("[node]\ngossip-interval = \"0s\"\n").starts_with("config.toml:2: 0s is too short"));
        assert!(of("[node]\nwire = \"pickle\"\n").starts_with("config.toml:2: unknown value 'pickle'"));
        assert!(of("[keys]\nkill = 7\n").starts_with("config.toml:2: expected a key such as \"x\""));
        assert!(of("[session]\njournal-max = \"1KiB\"\n").starts_with("config.toml:2: 1KiB is too small"));
        assert!(of("[node\n").starts_with("config.toml:1: "));
    }

    #[test]
    fn a_value_of_the_wrong_kind_says_what_was_expected() {
        assert_eq!(
            error("[node]\nwire = true\n"),
            "config.toml:2: unknown value 'true', expected 'framed' or 'classic'"
        );
        assert_eq!(error("[console]\nascii = 1\n"), "config.toml:2: '1' is unknown: expected true or false");
        assert!(error("[node]\nmax-dial = [3]\n").starts_with("config.toml:2: '[3]' is not a whole number from 1"));
        assert!(error("[lab]\npeers = 1.5\n").starts_with("config.toml:2: '1.5' is not a whole number from 1"));
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for text in ["[node]\nwire = \"a\nb\"\n", "= 1", "[node]\n[node]\n", "\u{0}"] {
            assert_eq!(error(text).lines().count(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_wrong_key_names_its_line() {
        assert!(error("[keys]\nkill = \"K\"\nkil = \"x\"\n").starts_with("config.toml:3: 'kil' is not an action"));
        assert!(
            error("[keys]\nkill = \"K\"\nhang = \"hyper-x\"\n").starts_with("config.toml:3: 'hyper-x' is not a key")
        );
        let clash = error("[keys]\nkill = \"q\"\n");
        assert!(clash.starts_with("config.toml:2: 'q' would mean both"), "{clash}");
    }

    #[test]
    fn a_key_that_is_never_heard_is_a_warning_with_its_place() {
        let warnings = |text| read(text).unwrap().warnings;
        let told = warnings("[keys]\nhang = \"X\"\nkill = [\"K\", \"ctrl-i\"]\n");
        assert_eq!(told, ["config.toml:3: no terminal sends ctrl-i (it arrives as Tab): it cannot be a key for kill"]);
        let told = warnings("[keys]\ncommand = []\n\nquit = []\n");
        assert_eq!(told, ["config.toml:4: neither quit nor command has a key: only ctrl-c leaves"]);
        assert_eq!(warnings("[keys]\nkill = \"K\"\n"), [""; 0]);
    }

    #[test]
    fn control_characters_are_shown_and_not_acted_on() {
        assert!(error("[keys]\nkill = \"\\u001b[2J\"\n").contains(r"'\u{1b}[2J'"));
        assert!(error("\"\\u0007\" = 1\n").contains(r"'\u{7}'"));
    }
}
