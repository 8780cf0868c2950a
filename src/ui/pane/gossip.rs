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
use crate::event::{Direction, LinkEnd, Purpose, ReportAction, Stop};
use crate::model::gossip::{EntryKind, GossipEntry};
use crate::model::link::LinkKey;
use crate::model::ring::Ring;
use crate::model::sentence::end_text;
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
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
    wide: PanePlace { strip: 0, size: PaneSize::Percent(40) },
    narrow: Some(PanePlace { strip: 1, size: PaneSize::Rest }),
    selects: Selects::Message,
    count: |view| (view.model.gossip().len(), Tone::Plain),
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
    let lit = entry.message().is_some() && entry.message() == view.lit.message;
    let mut parts = vec![(Tone::Stale, format!("{moment} "))];
    route(entry, view, &mut parts);
    let (tone, word, rest) = told(entry, view);
    let tone = if lit { Tone::Wave } else { tone };
    parts.push((tone, format!("{word:<7} {rest}")));
    if let Some(body) = entry.body() {
        let tone = if lit { Tone::Wave } else { Tone::Plain };
        parts.push((tone, format!(" \"{}\"", shown(body))));
    }
    parts
}

/// `p2 → p4`: from whom to whom.
fn route(entry: &GossipEntry, view: &View<'_>, parts: &mut Parts) {
    let (from, to) = ends(entry);
    let mut used = 0;
    let mut push = |tone, text: String| {
        used += text::width(&text);
        parts.push((tone, text));
    };
    match to {
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

fn ends(entry: &GossipEntry) -> (Addr, Option<Addr>) {
    let node = entry.node;
    match &entry.what {
        EntryKind::Received { from, .. } => (*from, Some(node)),
        EntryKind::ReportReceived { reporter, .. } => (*reporter, Some(node)),
        EntryKind::LinkUp { peer, direction: Direction::Inbound, .. } => (*peer, Some(node)),
        EntryKind::LinkUp { peer, direction: Direction::Outbound, .. }
        | EntryKind::LinkDown { peer, .. }
        | EntryKind::Died { peer, .. }
        | EntryKind::ProbeMissed { peer, .. } => (node, Some(*peer)),
        EntryKind::Disputed { dead, .. } => (node, Some(*dead)),
        EntryKind::Generated { .. }
        | EntryKind::ReportSent { .. }
        | EntryKind::Started
        | EntryKind::Hung
        | EntryKind::Stopped { .. } => (node, None),
    }
}

/// The color, the word and the rest of a line.
fn told(entry: &GossipEntry, view: &View<'_>) -> (Tone, &'static str, String) {
    match &entry.what {
        EntryKind::Generated { id, forwarded, .. } => {
            (Tone::Up, "GOSSIP", format!("{} begins, to {forwarded}", view.short_message(*id)))
        }
        EntryKind::Received { id, hop, duplicates, .. } => {
            (Tone::Plain, "GOSSIP", received(*id, *hop, *duplicates, view))
        }
        EntryKind::ProbeMissed { seq, misses, limit, .. } => {
            (Tone::Suspect, "PROBE", format!("{seq} no answer ({misses}/{limit})"))
        }
        EntryKind::Died { cause, .. } => (Tone::Dead, "DEATH", cause.to_string()),
        EntryKind::ReportSent { dead, seeds } => {
            let seeds = crate::model::words::count_text(*seeds as u64, "seed");
            (Tone::Dead, "REPORT", format!("{} is dead, to {seeds}", view.short_name(*dead)))
        }
        EntryKind::ReportReceived { dead, action, .. } => {
            (Tone::Dead, "REPORT", format!("{} is dead: {}", view.short_name(*dead), action_word(*action)))
        }
        EntryKind::Disputed { reporter, .. } => {
            (Tone::Suspect, "DISPUTE", format!("alive, {} was wrong", view.short_name(*reporter)))
        }
        EntryKind::LinkUp { purpose: Purpose::Neighbor, .. } => (Tone::Stale, "LINK", "up".to_owned()),
        EntryKind::LinkUp { purpose: Purpose::Registration, .. } => (Tone::Stale, "LINK", "registered".to_owned()),
        // The death has a line beside it that says why.
        EntryKind::LinkDown { end: LinkEnd::Dead { .. }, .. } => (Tone::Stale, "LINK", "down".to_owned()),
        EntryKind::LinkDown { end, .. } => (Tone::Stale, "LINK", format!("down: {}", end_text(*end))),
        EntryKind::Started => (Tone::Up, "NODE", "started".to_owned()),
        EntryKind::Hung => (Tone::Suspect, "NODE", "hung: keeps its sockets, says nothing".to_owned()),
        EntryKind::Stopped { how: Stop::Left } => (Tone::Stale, "NODE", "left".to_owned()),
        EntryKind::Stopped { how: Stop::Killed } => {
            (Tone::Dead, "NODE", "killed: links broken off, no goodbye".to_owned())
        }
    }
}

const fn action_word(action: ReportAction) -> &'static str {
    match action {
        ReportAction::Removed => "removed",
        ReportAction::Verifying => "asking it",
        ReportAction::NotListed => "not listed",
    }
}

fn received(id: MessageId, hop: Option<u16>, duplicates: u32, view: &View<'_>) -> String {
    let hop = hop.map_or_else(String::new, |hop| format!(" hop {hop}"));
    let duplicates = if duplicates == 0 { String::new() } else { format!(", dup x{duplicates}") };
    format!("{}{hop} new{duplicates}", view.short_message(id))
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
