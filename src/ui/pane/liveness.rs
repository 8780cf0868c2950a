//! Liveness: who probed whom, who answered in what time, and what was missed; the newest last. While
//! the newest lines are followed, recent misses stay in sight above them.
//!
//! ```text
//! 4 Liveness every 2 s, 97% answered
//! 03:00:14 p4 asked p3, no answer (3/3)
//! 03:00:15 p1 asked p2, 1.6ms
//! ```

use std::convert::Infallible;
use std::time::Duration;

use super::list::{Fold, ListPane};
use super::log::{Depth, Log, LogLines};
use super::{PaneInfo, PanePlace, PaneSize, Selection, Selects};
use crate::model::link::LinkKey;
use crate::model::liveness::{PROBES_MAX, ProbeEntry, ProbeOutcome};
use crate::model::ring::Ring;
use crate::model::span_text;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::ui::explain::Subject;
use crate::ui::line::{Sentence, plain_text};
use crate::ui::seek::EventScope;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// How long a miss stays in sight: two rounds of probes at the slower pace.
const MISS_SHOWN: Duration = Duration::from_secs(30);
/// How long the share of answered probes may stay as it is: it is taken over a minute.
const SHARE_SHOWN: Duration = Duration::from_secs(10);

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 4,
    title: "Liveness",
    word: "liveness",
    help: "liveness: who probed whom, who answered in what time, and what was missed",
    narrow: Some(PanePlace { strip: 2, size: PaneSize::Percent(43) }),
    wide: PanePlace { strip: 1, size: PaneSize::Log },
    rank: 3,
    selects: Selects::Node,
    // Those that are not heard from.
    scope: || EventScope::Probes,
    count: Some(|view| (view.model.nodes().counts().suspect, Tone::Suspect)),
    wanted: |view| view.model.probes().len() + 2,
    ..PaneInfo::new(ListPane::<LogLines<LivenessLog>>::boxed)
};

struct LivenessLog;

impl Log for LivenessLog {
    type Entry = ProbeEntry;
    /// A line stands for itself.
    type Part = Infallible;
    type Fact = ();
    type PartsFact = ();
    const WORD: Option<&'static str> = Some("probe");
    const LOOK_BACK: usize = PROBES_MAX;

    fn entries<'a>(view: &View<'a>) -> &'a Ring<ProbeEntry> {
        view.model.probes()
    }

    fn fact(_entry: &ProbeEntry, _depth: Depth, _view: &View<'_>) {}

    fn line(entry: &ProbeEntry, (): &(), _fold: Fold, columns: usize, view: &View<'_>) -> Sentence {
        let name = |addr| (name_tone(addr, view), view.name(addr));
        let (tone, outcome, count) = match entry.outcome {
            ProbeOutcome::Answered { rtt_us } => (Tone::Plain, text::rtt_coarse(rtt_us), String::new()),
            ProbeOutcome::Replied => (Tone::Plain, "replied".to_owned(), String::new()),
            ProbeOutcome::Missed { misses, limit } => {
                let tone = if misses < limit { Tone::Suspect } else { Tone::Dead };
                (tone, "no answer".to_owned(), format!(" ({misses}/{limit})"))
            }
        };
        let asked = (Tone::Plain, " asked ".to_owned());
        let mut parts = vec![name(entry.asker), asked, name(entry.asked), (tone, format!(", {outcome}"))];
        let moment = format!("{} ", view.second(entry.at));
        // What came of it is worth more than when.
        if text::width(&moment) + text::width(&plain_text(&parts)) <= columns {
            parts.insert(0, (Tone::Stale, moment));
        }
        parts.push((tone, count));
        parts.into()
    }

    fn summary(_lines: usize, view: &View<'_>) -> Vec<String> {
        let paces = view.model.nodes().iter().filter(|node| node.role == Some(Role::Peer)).filter_map(|node| node.pace);
        let every = paces.map(|pace| pace.liveness_interval_us).max().map(Duration::from_micros);
        let every = every.map(|every| format!("every {}", span_text(every)));
        let answered = view.model.liveness().answered_percent(view.now);
        let answered = answered.inspect(|_| view.aging.note(SHARE_SHOWN)).map(|share| format!("{share}% answered"));
        answered.into_iter().chain(every).collect()
    }

    fn hint(_view: &View<'_>) -> String {
        "Nobody was probed yet. Peers probe their neighbors.".to_owned()
    }

    /// A probe from elsewhere is about the node that asked.
    fn selection(_number: u64, entry: &ProbeEntry, _part: Option<Infallible>, _view: &View<'_>) -> Selection {
        match entry.outcome {
            ProbeOutcome::Answered { .. } => {
                let link = LinkKey { node: entry.asker, peer: entry.asked };
                Selection { subject: Some(Subject::Link(link)), ..Selection::of_node(entry.asked) }
            }
            ProbeOutcome::Missed { .. } => Selection::of_node(entry.asked),
            ProbeOutcome::Replied => Selection::of_node(entry.asker),
        }
    }

    fn stays(entry: &ProbeEntry, view: &View<'_>) -> bool {
        matches!(entry.outcome, ProbeOutcome::Missed { .. }) && !view.is_older(entry.at, MISS_SHOWN)
    }
}

/// The color of a node in trouble; that of all others would only flicker.
fn name_tone(addr: Addr, view: &View<'_>) -> Tone {
    match view.node_tone(addr) {
        Tone::Up => Tone::Plain,
        tone => tone,
    }
}
