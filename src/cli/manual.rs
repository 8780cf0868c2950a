//! The program's own documentation: completion scripts and the manual page.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::Cli;
use crate::ui::key_table;

/// Environment variables, for the manual page.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("NO_COLOR", "If set, the console uses signs, bold and underlined text instead of colors."),
    ("XDG_CONFIG_HOME", "Directory of the config file gossipctl/config.toml; ~/.config by default."),
    ("XDG_STATE_HOME", "Directory of the recorded sessions, gossipctl/sessions; ~/.local/state by default."),
    ("GOSSIPCTL_LOG", "Level of the diagnostics in gossipctl/gossipctl.log in the state directory, such as debug."),
];

pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gossipctl", &mut script);
    script
}

/// The manual page: the program, then each command with its flags, then the rest.
pub(crate) fn man() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    render(&mut page)?;
    Ok(page)
}

fn render(out: &mut dyn Write) -> io::Result<()> {
    let mut program = Cli::command();
    program.build();
    let page = Man::new(program.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    for command in program.get_subcommands() {
        render_command(command, out)?;
    }
    keys().to_writer(out)?;
    environment().to_writer(out)?;
    page.render_extra_section(out)?;
    page.render_version_section(out)
}

/// A section for each command: what it does, its usage, its flags.
fn render_command(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let mut heading = Roff::new();
    heading.control("SH", [format!("GOSSIPCTL {}", command.get_name().to_uppercase()).as_str()]);
    heading.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    heading.to_writer(out)?;
    let mut flags = Vec::new();
    let page = Man::new(command.clone());
    page.render_synopsis_section(&mut flags)?;
    page.render_options_section(&mut flags)?;
    out.write_all(&demoted(&flags))
}

/// The same page with its sections as subsections, and without what every page repeats.
fn demoted(page: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(page).replace("\n.SH ", "\n.SS ").into_bytes()
}

/// The default keys, with the names by which the config file changes them.
fn keys() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["KEYS OF THE CONSOLE"]);
    section.text([roman(
        "The name in brackets is the name of the action in the config file, which can give it other keys.",
    )]);
    for line in key_table() {
        let name = format!(" [{}]", line.name);
        section.control("TP", []).text([bold(line.keys), roman(name)]).text([roman(line.help)]);
    }
    section
}

fn environment() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        section.control("TP", []).text([bold(name)]).text([roman(meaning)]);
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_manual_tells_of_every_command_and_flag() {
        let page = String::from_utf8(man().unwrap()).unwrap().replace("\\-", "-");
        for command in Cli::command().get_subcommands() {
            assert!(page.contains(&format!("GOSSIPCTL {}", command.get_name().to_uppercase())));
            for flag in command.get_arguments().filter_map(|flag| flag.get_long()) {
                assert!(page.contains(&format!("--{flag}")), "{flag}");
            }
        }
    }

    #[test]
    fn the_manual_tells_of_every_key() {
        let page = String::from_utf8(man().unwrap()).unwrap().replace("\\-", "-");
        for line in key_table() {
            assert!(page.contains(&format!("[{}]", line.name)) && page.contains(line.help), "{}", line.name);
        }
    }

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = String::from_utf8(completions(shell)).unwrap();
            assert!(script.contains("lab") && script.contains("liveness-misses"), "{shell}");
        }
    }
}
