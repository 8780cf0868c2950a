//! `gossipctl config`: the current settings as a config file, each with its comment.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Args as _, Command};

use super::args::{ConsoleArgs, JournalArgs, LabSize, NodeArgs};
use super::config_file::ConfigFile;
use super::failure::Failure;
use super::settings::{self, NodeSettings, joiners, policy};
use super::values::{Network, PaceName, ThemeName, name_of};
use crate::model::words::size_text;
use crate::ui::key_table;

/// The separator between the keys of one action in the table of keys.
const KEY_SEPARATOR: &str = " or ";

/// A setting and its value. A setting from the config file stands as it is; the others have a `#`
/// in front.
struct TemplateLine {
    name: &'static str,
    value: String,
    set: bool,
}

/// The template, with the values in this file, and defaults for the rest.
pub(crate) fn template(config: &ConfigFile, file: Option<&Path>) -> Result<String, Failure> {
    let node = NodeSettings::new(&config.node, PaceName::Assignment, Vec::new(), 0)?;
    let mut text = header(file);
    section(&mut text, "node", &node_lines(&config.node, &node), &NodeArgs::augment_args(Command::new("node")));
    section(&mut text, "lab", &lab_lines(&config.lab), &LabSize::augment_args(Command::new("lab")));
    let session = session_lines(&config.session)?;
    section(&mut text, "session", &session, &JournalArgs::augment_args(Command::new("session")));
    section(&mut text, "console", &console_lines(&config.console), &ConsoleArgs::augment_args(Command::new("console")));
    keys(&mut text, config);
    Ok(text)
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

fn section(text: &mut String, name: &str, lines: &[TemplateLine], flags: &Command) {
    let _ = write!(text, "\n[{name}]\n");
    for line in lines {
        if let Some(flag) = flags.get_arguments().find(|flag| flag.get_long() == Some(line.name)) {
            let _ = writeln!(text, "# {}", comment(flag));
        }
        let mark = if line.set { "" } else { "#" };
        let _ = writeln!(text, "{mark}{} = {}", line.name, line.value);
    }
}

/// The flag's help, and its possible values.
fn comment(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = flag.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let is_choice = flag.get_action().takes_values() && !values.is_empty();
    if is_choice { format!("{help} [one of: {}]", values.join(", ")) } else { help }
}

fn node_lines(args: &NodeArgs, node: &NodeSettings) -> Vec<TemplateLine> {
    let peer = &node.peer;
    let span = |span| quoted(&humantime::format_duration(span));
    vec![
        line("wire", quoted(&peer.dialect.to_string()), args.wire.is_some()),
        line("pace", quoted(&name_of(&args.pace.unwrap_or(PaceName::Assignment))), args.pace.is_some()),
        line("gossip-interval", span(peer.gossip_interval), args.gossip_interval.is_some()),
        line("messages", peer.messages.unwrap_or(100).to_string(), args.messages.is_some()),
        line("liveness-interval", span(peer.liveness_interval), args.liveness_interval.is_some()),
        line("liveness-misses", peer.liveness_misses.to_string(), args.liveness_misses.is_some()),
        line("probe-timeout", span(peer.probe_timeout), args.probe_timeout.is_some()),
        line("max-dial", peer.max_dial.to_string(), args.max_dial.is_some()),
        line("max-neighbors", peer.max_neighbors.to_string(), args.max_neighbors.is_some()),
        line("join-policy", quoted(&name_of(&joiners(peer.overlay))), args.join_policy.is_some()),
        line("dead-policy", quoted(&name_of(&policy(node.seed.dead_policy))), args.dead_policy.is_some()),
        line("allow", networks(&args.allow), !args.allow.is_empty()),
        line("rng-seed", node.rng_seed.unwrap_or(1).to_string(), args.rng_seed.is_some()),
        line("log-dir", quoted(&node.log_dir.display()), args.log_dir.is_some()),
    ]
}

/// A TOML list of networks; an example if none is set.
fn networks(allow: &[Network]) -> String {
    let networks: Vec<_> = allow.iter().map(|network| quoted(&network.0)).collect();
    if networks.is_empty() { "[\"192.168.1.0/24\"]".to_owned() } else { format!("[{}]", networks.join(", ")) }
}

fn lab_lines(args: &LabSize) -> Vec<TemplateLine> {
    let (seeds, peers) = settings::lab_size(args);
    vec![line("seeds", seeds.to_string(), args.seeds.is_some()), line("peers", peers.to_string(), args.peers.is_some())]
}

fn session_lines(args: &JournalArgs) -> Result<Vec<TemplateLine>, Failure> {
    let limits = settings::limits(args)?;
    let size = |bytes| quoted(&size_text(bytes));
    Ok(vec![
        line("no-journal", args.no_journal.to_string(), args.no_journal),
        line("journal-max", size(limits.journal_size_max), args.journal_max.is_some()),
        line("sessions-max", size(limits.archive_size_max), args.sessions_max.is_some()),
    ])
}

fn console_lines(args: &ConsoleArgs) -> Vec<TemplateLine> {
    vec![
        line("ascii", args.ascii.to_string(), args.ascii),
        line("unicode", args.unicode.to_string(), args.unicode),
        line("mouse", args.mouse.to_string(), args.mouse),
        line("theme", quoted(&name_of(&args.theme.unwrap_or(ThemeName::Auto))), args.theme.is_some()),
    ]
}

fn line(name: &'static str, value: String, set: bool) -> TemplateLine {
    TemplateLine { name, value, set }
}

/// A TOML string.
fn quoted(text: &impl std::fmt::Display) -> String {
    toml::Value::String(text.to_string()).to_string()
}

#[cfg(test)]
mod tests {
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
        let names = |command: Command| {
            command.get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)).collect::<Vec<_>>()
        };
        let session = names(JournalArgs::augment_args(Command::new("")));
        for name in names(NodeArgs::augment_args(Command::new(""))).into_iter().chain(session) {
            assert!(everything.contains(&format!("\n{name} = ")), "{name} is missing in\n{everything}");
        }
        assert_eq!(read.node.liveness_misses.unwrap().as_u32(), 3);
        assert_eq!(read.node.gossip_interval.unwrap().to_string(), "10s");
        assert_eq!(read.lab.peers.unwrap().as_usize(), 8);
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
