//! Deaths and the reports of them in words.

use super::{GossipLine, LineTone, LogPlace, NameOf, Readers, Severity, Words, count_text, delisted, lost, micros};
use crate::event::{DeathEvent, Event, EventKind, ReportAction, SeedEvent};
use crate::proto::addr::Addr;
use crate::proto::time::ClockTime;

impl Words for DeathEvent {
    fn readers(&self) -> Readers {
        match self {
            Self::NeighborDied { .. } | Self::DeadReportSent { .. } | Self::DeadReportReceived { .. } => {
                Readers::BOTH_LOGS
            }
            Self::ReportLost { .. } => Readers::NOBODY,
            Self::ReportDisputed { .. } => Readers::BOTH_LOGS.and_user(Severity::Warning),
        }
    }

    fn sentence(&self, name: NameOf<'_>) -> String {
        match self {
            Self::NeighborDied { peer, cause, .. } => format!("{} is dead: {cause}", name(*peer)),
            Self::DeadReportSent { dead, seeds, cause, .. } => {
                let to = count_text(seeds.len() as u64, "seed");
                format!("Reported to {to} that {} is dead: {cause}", name(*dead))
            }
            Self::DeadReportReceived { dead, reporter, action, .. } => {
                format!("{} reports that {} is dead: {}", name(*reporter), name(*dead), action_text(*action))
            }
            Self::ReportLost { dead, reporter, loss } => {
                lost(&format!("The report of {} that {} is dead", name(*reporter), name(*dead)), loss, name)
            }
            Self::ReportDisputed { dead, reporter, disputes, rtt_us, .. } => {
                let (dead, reporter, after) = (name(*dead), name(*reporter), micros(*rtt_us));
                format!("{dead} is alive (answered after {after}): {reporter} was wrong, {}", times(*disputes))
            }
        }
    }

    fn line(&self, node: Addr, name: NameOf<'_>) -> Option<GossipLine> {
        let (from, to, tag, text) = match self {
            Self::NeighborDied { peer, cause, .. } => (node, Some(*peer), "DEATH", cause.to_string()),
            Self::DeadReportSent { dead, seeds, .. } => {
                let to = count_text(seeds.len() as u64, "seed");
                (node, None, "REPORT", format!("{} is dead, to {to}", name(*dead)))
            }
            Self::DeadReportReceived { dead, reporter, action, .. } => {
                let text = format!("{} is dead: {}", name(*dead), action_word(*action));
                (*reporter, Some(node), "REPORT", text)
            }
            Self::ReportLost { .. } => return None,
            Self::ReportDisputed { dead, reporter, .. } => {
                let text = format!("alive, {} was wrong", name(*reporter));
                return Some(GossipLine {
                    from: node,
                    to: Some(*dead),
                    tag: "DISPUTE",
                    tone: LineTone::Doubtful,
                    text,
                });
            }
        };
        Some(GossipLine { from, to, tag, tone: LineTone::Bad, text })
    }

    fn python_line(&self, place: LogPlace) -> Option<String> {
        let line = |dead: Addr, clock: ClockTime, reporter: Addr| {
            Some(format!("Dead Node:{}:{clock}:{}", dead.python(), reporter.python()))
        };
        match self {
            Self::DeadReportSent { dead, clock, .. } => line(*dead, *clock, place.node),
            Self::DeadReportReceived { dead, clock, reporter, .. } => line(*dead, *clock, *reporter),
            Self::NeighborDied { .. } | Self::ReportLost { .. } | Self::ReportDisputed { .. } => None,
        }
    }
}

/// What a seed does about a report, in a sentence.
pub fn action_text(action: ReportAction) -> &'static str {
    match action {
        ReportAction::Removed => "taken off the list",
        ReportAction::Verifying => "asking the node itself first",
        ReportAction::NotListed => "not on the list, nothing to do",
    }
}

/// The same in a line.
pub(in crate::model) const fn action_word(action: ReportAction) -> &'static str {
    match action {
        ReportAction::Removed => "removed",
        ReportAction::Verifying => "asking it",
        ReportAction::NotListed => "not listed",
    }
}

fn times(count: u32) -> String {
    if count == 1 { "for the first time".to_owned() } else { format!("{count} times now") }
}

/// What a seed did about a death, as evidence: see `DeathCase::steps`.
pub(in crate::model) fn seed_step(step: &Event, name: NameOf<'_>) -> String {
    let seed = name(step.node);
    match &step.kind {
        EventKind::Death(DeathEvent::DeadReportReceived { reporter, action, .. }) => {
            format!("{seed} got the report of {}: {}", name(*reporter), action_text(*action))
        }
        EventKind::Death(DeathEvent::ReportDisputed { reporter, rtt_us, .. }) => {
            let (reporter, after) = (name(*reporter), micros(*rtt_us));
            format!("{seed} asked it and had an answer after {after}: the report of {reporter} is disputed")
        }
        EventKind::Seed(SeedEvent::PeerDelisted { reason, .. }) => {
            format!("{seed} took it off its list: {}", delisted(*reason, name))
        }
        EventKind::Seed(SeedEvent::PeerListed { .. }) => format!("{seed} put it on its list again"),
        EventKind::Probe(_) => format!("{seed} asked it and had no answer"),
        EventKind::Death(
            DeathEvent::NeighborDied { .. } | DeathEvent::DeadReportSent { .. } | DeathEvent::ReportLost { .. },
        )
        | EventKind::Seed(_)
        | EventKind::Node(_)
        | EventKind::Link(_)
        | EventKind::Gossip(_)
        | EventKind::Fault(_) => format!("{seed}: {}", super::sentence(&step.kind, name)),
    }
}
