//! How to run it again: the command lines.

use maud::{Markup, html};

use super::facts::setups;
use crate::proto::config::Overlay;
use crate::proto::fault::span_word;
use crate::proto::message::Role;
use crate::session::report::SessionReport;

pub(super) fn again(report: &SessionReport) -> Markup {
    let session = report.sources.iter().map(|source| quoted(source)).collect::<Vec<_>>().join(" --with ");
    html! {
        section id="again" {
            h2 { "Run it again" }
            p { "The recording, at any moment of it:" }
            pre { code { "gossipctl replay " (session) "\ngossipctl report " (session) " -o report.html" } }
            @if let Some(line) = command_line(report) {
                @if report.header.merged.is_empty() {
                    p { "What was done, once more in virtual time; with '--set' or '--without' also otherwise, to compare:" }
                    pre { code { "gossipctl rerun " (session) } }
                }
                p { "The same kind of network:" }
                pre { code { (line) } }
                p.soft.small { (kept(report)) }
            }
        }
    }
}

/// How near to this session a new one comes.
fn kept(report: &SessionReport) -> String {
    let settings = if report.header.settings.is_empty() {
        "Settings that the recording does not hold are the defaults. "
    } else {
        ""
    };
    let run = if report.header.virtual_time {
        "With the same '--rng-seed' and the same commands a run in virtual time repeats to the byte."
    } else {
        "On sockets what was done is done again, not the same packets; with '--virtual' and the same '--rng-seed' a \
         run repeats to the byte."
    };
    format!("{settings}{run}")
}

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/+:".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let dash = if word.starts_with('-') { "./" } else { "" };
    format!("'{dash}{}'", word.replace('\'', "'\\''"))
}

/// The command that starts such a network, as far as the recording tells.
fn command_line(report: &SessionReport) -> Option<String> {
    let lab = report.header.lab.or_else(|| crate::session::report::lab_of(&report.model))?;
    let nodes = match &report.header.scenario {
        Some(scenario) => format!("--script {}", quoted(scenario)),
        None => format!("--seeds {} --peers {}", lab.seeds, lab.peers),
    };
    let clock = if report.header.virtual_time { " --virtual" } else { "" };
    let settings = match (report.header.settings.is_empty(), &report.header.scenario) {
        (false, _) => recorded_settings(report),
        (true, None) => told_settings(report),
        // The scenario has them.
        (true, Some(_)) => String::new(),
    };
    Some(format!("gossipctl lab {nodes}{clock}{settings}"))
}

/// The settings in the header of the recording, as flags. Whatever has no name of a flag is left out.
fn recorded_settings(report: &SessionReport) -> String {
    let is_flag = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let settings = report.header.settings.iter().filter(|(name, _)| is_flag(name));
    settings.flat_map(|(name, value)| [" --", name, " ", &quoted(value)].map(str::to_owned)).collect()
}

/// What the first peer told of itself, as flags: an older recording holds no settings.
fn told_settings(report: &SessionReport) -> String {
    let peers = setups(report).into_iter().find(|((role, ..), _)| *role == Some(Role::Peer));
    let Some(((_, dialect, Some(pace), methods), _)) = peers else { return String::new() };
    let span = |us| span_word(std::time::Duration::from_micros(us));
    let mut flags = format!(
        " --gossip-interval {} --liveness-interval {} --liveness-misses {}",
        span(pace.gossip_interval_us),
        span(pace.liveness_interval_us),
        pace.liveness_misses
    );
    flags += &dialect.map_or_else(String::new, |dialect| format!(" --wire {dialect}"));
    if methods.overlay == (Overlay::Assignment { make_room: false }) {
        flags += " --join-policy refuse";
    }
    flags
}
