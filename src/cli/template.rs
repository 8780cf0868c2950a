//! `gossipctl config`: the current settings as a config file, each with its comment.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command};

use super::config_file::ConfigFile;
use super::failure::Failure;
use super::settings::{NodeSettings, SettingGroup};
use super::values::PaceName;
use crate::ui::key_table;

/// The separator between the keys of one action in the table of keys.
const KEY_SEPARATOR: &str = " or ";

/// The template, with the values in this file, and defaults for the rest.
pub(crate) fn template(config: &ConfigFile, file: Option<&Path>) -> Result<String, Failure> {
    let node = NodeSettings::new(&config.node, PaceName::Assignment, Vec::new(), 0)?;
    let mut text = header(file);
    section(&mut text, "node", &config.node, &node);
    section(&mut text, "lab", &config.lab, &config.lab.settings());
    section(&mut text, "session", &config.session, &config.session.settings()?);
    section(&mut text, "console", &config.console, &config.console);
    keys(&mut text, config);
    Ok(text)
}

/// Each setting with its help. One from the config file stands as it is; the others have a `#` in
/// front.
fn section<S: SettingGroup>(text: &mut String, name: &str, settings: &S, of: &S::Of) {
    let flags = S::augment_args(Command::new(""));
    let _ = write!(text, "\n[{name}]\n");
    for (flag, row) in flags.get_arguments().zip(settings.rows(of)) {
        let mark = if row.is_set { "" } else { "#" };
        let value = row.value.map_or_else(|| row.example.to_owned(), |value| value.to_string());
        let _ = writeln!(text, "# {}\n{mark}{} = {value}", comment(flag), row.name);
    }
}

/// Every action with its keys, as the file would have them.
fn keys(text: &mut String, config: &ConfigFile) {
    let _ = write!(text, "\n# What the keys do: a key such as \"x\", or a list such as [\"q\", \"ctrl-c\"].\n[keys]\n");
    for shipped in key_table() {
        let set = config.keys_written.get(shipped.name);
        let mark = if set.is_some() { "" } else { "#" };
        let keys = set.map_or_else(
            || shipped.keys.split(KEY_SEPARATOR).collect(),
            |keys| keys.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let keys: Vec<_> = keys.iter().map(quoted).collect();
        let _ = writeln!(text, "# {}\n{mark}{} = [{}]", shipped.help, shipped.name, keys.join(", "));
    }
}

fn header(file: Option<&Path>) -> String {
    let place =
        file.map_or_else(|| "$XDG_CONFIG_HOME/gossipctl/config.toml".to_owned(), |file| file.display().to_string());
    format!(
        "# gossipctl reads this file from {place}.\n\
         # Each setting has the name of its flag, and the flag overrides it. A setting behind a '#' shows the default.\n"
    )
}

/// The flag's help, and its possible values.
fn comment(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = flag.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let is_choice = flag.get_action().takes_values() && !values.is_empty();
    if is_choice { format!("{help} [one of: {}]", values.join(", ")) } else { help }
}

/// A TOML string.
fn quoted(text: &impl std::fmt::Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::settings::{JournalArgs, NodeArgs, names};
    use super::*;
    use crate::ui::KeyOverrides;

    fn of(config: &str) -> String {
        let config = ConfigFile::parse(Path::new("config.toml"), config.as_bytes()).unwrap();
        template(&config, None).unwrap()
    }

    #[test]
    fn every_setting_stands_in_the_template_and_reads_back() {
        let template = of("");
        let set =
            template.lines().map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line));
        let everything = set.collect::<Vec<_>>().join("\n");
        let read = ConfigFile::parse(Path::new("config.toml"), everything.as_bytes()).unwrap();
        for name in names::<NodeArgs>().into_iter().chain(names::<JournalArgs>()) {
            assert!(everything.contains(&format!("\n{name} = ")), "{name} is missing in\n{everything}");
        }
        assert_eq!(read.node.liveness_misses, Some(3));
        assert_eq!(read.node.gossip_interval.unwrap().as_secs(), 10);
        assert_eq!(read.lab.peers, Some(8));
        assert!(read.keys == KeyOverrides::default(), "{everything}");
        assert_eq!(read.keys_written.len(), key_table().count());
    }

    #[test]
    fn what_the_user_has_set_is_set_in_the_template() {
        let text = of("[node]\nmax-dial = 3\n[console]\nascii = true\n[keys]\nkill = \"K\"\n");
        assert!(text.contains("\nmax-dial = 3\n") && text.contains("\n#max-neighbors = 8\n"), "{text}");
        assert!(text.contains("\nkill = [\"K\"]\n") && text.contains("\n#hang = [\"X\"]\n"), "{text}");
        assert!(text.contains("\nascii = true\n") && text.contains("\n#mouse = false\n"), "{text}");
    }

    #[test]
    fn a_choice_names_what_it_can_be() {
        assert!(of("").contains("[one of: framed, classic]\n#wire = \"framed\"\n"));
    }
}
