//! Nodes in words.

use super::failure::attempt;
use super::{GossipLine, LineTone, NameOf, Readers, Severity, Words, escaped, list_text, micros};
use crate::event::{Absence, NodeEvent, Stop};
use crate::model::node::ObservedState;
use crate::proto::addr::Addr;

/// Addresses and networks that one sentence lists.
const EXPOSED_SHOWN: usize = 8;

impl Words for NodeEvent {
    fn readers(&self) -> Readers {
        match self {
            Self::Started { .. } | Self::Stopped { .. } | Self::Hung => Readers::BOTH_LOGS,
            Self::Exposed { .. } | Self::WasAway { .. } => Readers::LOG_FILE.and_user(Severity::Warning),
            Self::Failed { .. } => Readers::LOG_FILE.and_user(Severity::Error),
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::Started { name: own, role, dialect, .. } => {
                format!("Started as {role} {}, {dialect} dialect", escaped(own))
            }
            Self::Exposed { bind, opened, allow } => exposed(*bind, opened, allow),
            Self::Stopped { how: Stop::Left } => "Left the network".to_owned(),
            Self::Stopped { how: Stop::Killed } => "Killed: links broken off, no goodbye".to_owned(),
            Self::Hung => "Hung: keeps its sockets and says nothing".to_owned(),
            Self::WasAway { why, span_us } => was_away(*why, *span_us),
            Self::Failed { what, why } => {
                format!("Not done: {}: {}", escaped(&attempt(what, name)), escaped(&why.to_string()))
            }
        }
    }

    fn line(&self, node: Addr, _name: NameOf<'_>) -> Option<GossipLine> {
        let (tone, text) = match self {
            Self::Started { .. } => (LineTone::Good, "started"),
            Self::Hung => (LineTone::Doubtful, "hung: keeps its sockets, says nothing"),
            Self::Stopped { how: Stop::Left } => (LineTone::Aside, "left"),
            Self::Stopped { how: Stop::Killed } => (LineTone::Bad, "killed: links broken off, no goodbye"),
            Self::Exposed { .. } | Self::WasAway { .. } | Self::Failed { .. } => return None,
        };
        Some(GossipLine { from: node, to: None, tag: "NODE", tone, text: text.to_owned() })
    }
}

fn was_away(why: Absence, span_us: u64) -> String {
    let span = micros(span_us);
    match why {
        Absence::Stopped => format!("Was away for {span}: takes nobody for dead for that time"),
        Absence::ReadsLate => format!("Reads late, by {span}: takes nobody for dead meanwhile"),
    }
}

/// What a node opens to other machines, and to which.
fn exposed(bind: Addr, at: &[Addr], allow: &[String]) -> String {
    let at = list_text(&at.iter().map(Addr::to_string).collect::<Vec<_>>(), EXPOSED_SHOWN);
    let place = if bind.ip().is_unspecified() { format!("all interfaces of this machine: {at}") } else { at };
    if allow.is_empty() {
        return format!("Listens on {place}; anyone who can reach that may link; --allow CIDR limits it");
    }
    let allow: Vec<String> = allow.iter().map(|network| escaped(network)).collect();
    format!("Listens on {place}; {} may link, and this machine", list_text(&allow, EXPOSED_SHOWN))
}

/// A state in a word or two.
pub fn state_word(state: ObservedState) -> String {
    match state {
        ObservedState::Up => "up".to_owned(),
        ObservedState::Hung => "hung".to_owned(),
        ObservedState::Suspect { misses, limit } => format!("suspect {misses}/{limit}"),
        ObservedState::Dead => "dead".to_owned(),
        ObservedState::Killed => "killed".to_owned(),
        ObservedState::Left => "left".to_owned(),
        ObservedState::Known => "heard of".to_owned(),
    }
}
