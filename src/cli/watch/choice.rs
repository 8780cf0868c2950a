//! Which of the networks that run is watched.

use crate::cli::address::WrittenAddress;
use crate::cli::failure::Failure;
use crate::cli::output::say;
use crate::model::second_text;
use crate::model::words::count_text;
use crate::proto::addr::Addr;
use crate::session::watch::{RunningSession, Watch};

/// Sessions of a network that are named in its line.
const NAMED_MAX: usize = 4;

/// A network in the list.
#[derive(Debug, Clone)]
pub(super) struct ListedNetwork {
    pub(super) members: Vec<usize>,
    /// Its first session.
    pub(super) session: String,
    pub(super) what: String,
    pub(super) since: String,
}

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// No session runs.
    Nothing,
    Network(Vec<usize>),
    /// None of several was chosen.
    Several,
}

pub(super) fn networks(watch: &Watch, utc_offset_s: i32) -> Vec<ListedNetwork> {
    let listed = |members: Vec<usize>| {
        let sessions = || members.iter().filter_map(|ix| watch.sessions().get(*ix));
        let first = sessions().next()?;
        let (session, since) = (first.name().to_owned(), second_text(first.session.header.started, utc_offset_s));
        let mut what: Vec<String> = sessions().take(NAMED_MAX).map(RunningSession::what).collect();
        let more = members.len().saturating_sub(NAMED_MAX);
        what.extend((more > 0).then(|| count_text(more as u64, "more session")));
        Some(ListedNetwork { what: what.join(", "), members, session, since })
    };
    watch.networks().into_iter().filter_map(listed).collect()
}

/// The list as lines: `  1  20:44:12  lab of 2 seeds, 8 peers  2026-11-28T20-44-12-4711`.
pub(super) fn list(networks: &[ListedNetwork]) -> Vec<String> {
    let heading = format!("{} run here:", count_text(networks.len() as u64, "network"));
    let line = |(ix, network): (usize, &ListedNetwork)| {
        format!("  {}  since {}  {}  (session {})", ix + 1, network.since, network.what, network.session)
    };
    std::iter::once(heading).chain(networks.iter().enumerate().map(line)).collect()
}

/// The network that is meant: the only one, or that of the number, the session or the address.
pub(super) fn choose(watch: &Watch, networks: &[ListedNetwork], wanted: Option<&str>) -> Result<Choice, Failure> {
    let chosen = |network: &ListedNetwork| Choice::Network(network.members.clone());
    match (wanted, networks) {
        (_, []) => Ok(Choice::Nothing),
        (None, [only]) => Ok(chosen(only)),
        (None, _) => Ok(Choice::Several),
        (Some(wanted), _) => find(watch, networks, wanted).map(chosen).inspect_err(|_| {
            list(networks).iter().for_each(say);
        }),
    }
}

fn find<'a>(watch: &Watch, networks: &'a [ListedNetwork], wanted: &str) -> Result<&'a ListedNetwork, Failure> {
    let number = wanted.parse::<usize>().ok();
    if let Some(network) = number.and_then(|number| networks.get(number.checked_sub(1)?)) {
        return Ok(network);
    }
    let has = |network: &ListedNetwork, is_meant: &dyn Fn(&RunningSession) -> bool| {
        network.members.iter().filter_map(|ix| watch.sessions().get(*ix)).any(is_meant)
    };
    if let Some(addr) = address(wanted) {
        let with_node =
            networks.iter().find(|network| has(network, &|session| session.nodes().any(|node| node == addr)));
        return with_node.ok_or_else(|| Failure::usage(format_args!("no session that runs here has a node at {addr}")));
    }
    let begins = |session: &RunningSession| session.name().starts_with(wanted);
    let mut fitting = networks.iter().filter(|network| has(network, &begins));
    match (fitting.next(), fitting.next()) {
        (Some(network), None) => Ok(network),
        (Some(_), Some(_)) => Err(Failure::usage(format_args!("'{wanted}' begins sessions of several networks"))),
        (None, _) => Err(Failure::usage(format_args!(
            "'{wanted}' is no network here: give its number, a session or the address of a node"
        ))),
    }
}

/// `127.0.0.1:3000`, `:3000` or `3000`.
fn address(written: &str) -> Option<Addr> {
    let port = written.strip_prefix(':').unwrap_or(written);
    match (port.parse(), WrittenAddress::parse(written)) {
        (Ok(port), _) => Some(Addr::loopback(port)),
        (Err(_), Ok(WrittenAddress::Addr(addr))) => Some(addr),
        (Err(_), Ok(WrittenAddress::Name { .. }) | Err(_)) => None,
    }
}
