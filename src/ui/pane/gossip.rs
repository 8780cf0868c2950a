//! The gossip log: who sent what to whom, with deaths, reports and links between the lines.
//!
//! ```text
//! 3 Gossip log 1 284, FOLLOW, filter: all
//! 03:12.418 p2  → p4  GOSSIP  p1#12 hop 3 new, dup x3 "hello world"
//! 03:12.900 p3  → p5  PROBE   88 no answer (2/3)
//! ```

use super::list::ListPane;
use super::log::{Log, LogLines};
use super::{PaneInfo, PanePlace, PaneSize, Selection, Selects};
use crate::model::gossip::GossipEntry;
use crate::model::link::LinkKey;
use crate::model::ring::Ring;
use crate::model::words::{GossipLine, LineTone};
use crate::proto::text::Body;
use crate::ui::explain::Subject;
use crate::ui::line::{Parts, Sentence};
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Bytes of a body that a line shows: more than the widest screen has columns.
const BODY_LEN: usize = 512;
/// Columns from which on there is room for the hour.
const HOURS_WIDTH_MIN: usize = 78;

pub(super) const PANE: PaneInfo = PaneInfo {
    title: "Gossip log",
    word: "gossip",
    help: "gossip log: the messages between nodes",
    wide: PanePlace { strip: 0, size: PaneSize::Wanted { least: 0, most: 40 } },
    narrow: Some(PanePlace { strip: 1, size: PaneSize::Rest }),
    selects: Selects::Message,
    count: |view| (view.model.gossip().len(), Tone::Plain),
    wanted: |view| view.model.gossip().len() + 2,
    ..PaneInfo::new(ListPane::<LogLines<GossipPane>>::boxed)
};

struct GossipPane;

impl Log for GossipPane {
    type Entry = GossipEntry;
    const WORD: Option<&'static str> = Some("line");

    fn entries<'a>(view: &View<'a>) -> &'a Ring<GossipEntry> {
        view.model.gossip()
    }

    fn line(entry: &GossipEntry, columns: usize, view: &View<'_>) -> Sentence {
        let moment = if columns < HOURS_WIDTH_MIN { view.minute(entry.at) } else { view.moment(entry.at) };
        parts(entry, &moment, view).into()
    }

    fn hint(_view: &View<'_>) -> String {
        "Nothing was said yet. Peers gossip once they have neighbors.".to_owned()
    }

    fn selection(_number: u64, entry: &GossipEntry, view: &View<'_>) -> Selection {
        let subject = match (entry.message(), entry.peer()) {
            (Some(id), _) => Subject::Message(id),
            (None, Some(peer)) if view.model.deaths().latest_of(peer).is_some() => Subject::Death(peer),
            (None, Some(peer)) => Subject::Link(LinkKey { node: entry.node, peer }),
            (None, None) => Subject::Node(entry.node),
        };
        let message = entry.message();
        Selection { node: Some(entry.node), subject: Some(subject), message, ..Selection::default() }
    }
}

fn parts(entry: &GossipEntry, moment: &str, view: &View<'_>) -> Parts {
    let Some(line) = entry.line(&|addr| view.short_name(addr).into_owned()) else { return Parts::new() };
    let lit = entry.message().is_some() && entry.message() == view.lit.message;
    let mut parts = vec![(Tone::Stale, format!("{moment} "))];
    route(&line, view, &mut parts);
    let tone = if lit { Tone::Wave } else { tone_of(line.tone) };
    parts.push((tone, format!("{:<7} {}", line.tag, line.text)));
    if let Some(body) = entry.body() {
        let tone = if lit { Tone::Wave } else { Tone::Plain };
        parts.push((tone, format!(" \"{}\"", shown(body))));
    }
    parts
}

const fn tone_of(tone: LineTone) -> Tone {
    match tone {
        LineTone::Good => Tone::Up,
        LineTone::Plain => Tone::Plain,
        LineTone::Aside => Tone::Stale,
        LineTone::Doubtful => Tone::Suspect,
        LineTone::Bad => Tone::Dead,
    }
}

/// `p2 → p4`: from whom to whom.
fn route(line: &GossipLine, view: &View<'_>, parts: &mut Parts) {
    let mut used = 0;
    let mut push = |tone, text: String| {
        used += text::width(&text);
        parts.push((tone, text));
    };
    let from = line.from;
    match line.to {
        Some(to) => {
            push(view.node_tone(from), view.padded_name(from));
            push(Tone::Stale, format!(" {} ", view.theme.arrow()));
            push(view.node_tone(to), view.short_name(to).into_owned());
        }
        None => push(view.node_tone(from), view.short_name(from).into_owned()),
    }
    let fill = view.names.route.saturating_sub(used) + 1;
    parts.push((Tone::Plain, " ".repeat(fill)));
}

/// The beginning of a body, escaped: the rest of a long one would never be seen.
fn shown(body: &Body) -> String {
    let bytes = body.as_bytes();
    let end = bytes.len().min(BODY_LEN);
    // Not in the middle of a character, which would show as an escape.
    let end = (end.saturating_sub(3)..=end).rev().find(|end| is_boundary(bytes, *end)).unwrap_or(end);
    crate::proto::text::Escaped(&bytes[..end]).to_string()
}

fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}
