//! The gossip log: a line for each message, updated in place, and for what happened between them.
//!
//! ```text
//! 3 Gossip log 1 284, FOLLOW, filter: all
//! 03:12:41.418 + p1#12   8/8 in 2 hops      1.9 ms   35 copies  "hello world"
//! 03:12:42.900   p3 → p5 PROBE   88 no answer (2/3)
//! 03:12:44.102 - p7#3    7/8, p3 lacks it: it was hung at 03:12:40  "hello again"
//! 03:12:44.103   p7 → p1 hop 1 +0.9 ms, dup x3
//! ```

use std::time::Duration;

use super::list::{Fold, ListPane};
use super::log::{Depth, Log, LogLines, PARTS_MAX};
use super::reports::{DeathPart, death, death_part, death_parts};
use super::{PaneInfo, PanePlace, PaneSize, Selection, Selects};
use crate::event::EventKind;
use crate::model::death::DeathCase;
use crate::model::gossip::{Folded, GossipEntry, Spread};
use crate::model::link::LinkKey;
use crate::model::ring::Ring;
use crate::model::rumor::{Counting, DELIVERY_TIME, ForeignCopy, MessageCopy, Rumor};
use crate::model::why::{Lack, why_not_each};
use crate::model::words::{LineTone, count_text, list_text};
use crate::model::{FastHashMap, span_text};
use crate::proto::addr::Addr;
use crate::proto::text::Body;
use crate::proto::time::Time;
use crate::ui::explain::Subject;
use crate::ui::line::{Parts, Sentence, plain_text};
use crate::ui::seek::EventScope;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

/// Bytes of a body that a line shows: more than the widest screen has columns.
const BODY_LEN: usize = 512;
/// Columns from which on there is room for milliseconds.
const MILLIS_WIDTH_MIN: usize = 84;
/// Columns of `8/8 in 2 hops`, of `1.9 ms` and of `35 copies`.
const FIGURES: [usize; 3] = [15, 7, 10];
/// Nodes that lack a message and are named.
const LACKING_SHOWN: usize = 3;
/// Columns of a text that the figures leave to it: `  "Gossip Message 100"`.
const BODY_WIDTH: usize = 22;
/// Lines among which the latest change: what a busy lab writes in [`DELIVERY_TIME`].
const UNSETTLED_MAX: usize = 1_024;

pub(super) const PANE: PaneInfo = PaneInfo {
    number: 3,
    title: "Gossip log",
    word: "gossip",
    help: "gossip log: a line for each message; what happened between them",
    wide: PanePlace { strip: 0, size: PaneSize::Wanted { least: 0, most: 40 } },
    narrow: Some(PanePlace { strip: 1, size: PaneSize::Rest }),
    selects: Selects::Message,
    scope: || EventScope::GossipLog,
    count: Some(|view| (view.model.gossip().len(), Tone::Plain)),
    wanted: |view| view.model.gossip().len() + 2,
    ..PaneInfo::new(ListPane::<LogLines<GossipPane>>::boxed)
};

/// A line that an entry unfolds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GossipPart {
    /// What one end of a link told.
    End(FoldedEnd),
    Death(DeathPart),
    Message(MessagePart),
}

/// Which end of a link: the one that told of it first, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldedEnd {
    First,
    Other,
}

/// A line of a message, by its place among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessagePart {
    /// A node that has it, in the order of arrival.
    Copy(usize),
    /// A node of another process that has it.
    Elsewhere(usize),
    /// A node that lacks it.
    Lacking(usize),
}

struct GossipPane;

/// How far a message came, and who lacks it, in clauses: `, p3 lacks it` `: it was killed at 03:12:40`.
#[derive(Clone)]
pub(super) struct MessageReach {
    spread: Spread,
    lacking: Vec<String>,
}

impl Log for GossipPane {
    type Entry = GossipEntry;
    type Part = GossipPart;
    type Fact = Option<MessageReach>;
    /// Why those that lack a message do, by their places: one walk through the network for all of them.
    type PartsFact = FastHashMap<usize, Lack>;
    const WORD: Option<&'static str> = Some("line");

    fn entries<'a>(view: &View<'a>) -> &'a Ring<GossipEntry> {
        view.model.gossip()
    }

    fn fact(entry: &GossipEntry, depth: Depth, view: &View<'_>) -> Option<MessageReach> {
        let spread = view.model.spread(entry)?;
        let is_late = view.now.since(spread.began) > DELIVERY_TIME;
        let rumor = entry.message().and_then(|id| view.model.rumors().get(id)).filter(|_| is_late);
        let rumor = rumor.filter(|_| !spread.coverage.is_full());
        Some(MessageReach { spread, lacking: rumor.map_or_else(Vec::new, |rumor| lacking(rumor, depth, view)) })
    }

    fn line(
        entry: &GossipEntry,
        reach: &Option<MessageReach>,
        fold: Fold,
        columns: usize,
        view: &View<'_>,
    ) -> Sentence {
        let moment = moment(reach.as_ref().map_or(entry.at, |reach| reach.spread.began), columns, view);
        let (sign, text) = match (&entry.folded, reach, case(entry, view)) {
            (Folded::Message(_), Some(reach), _) => {
                (fold.sign(), message(entry, reach, columns.saturating_sub(text::width(&moment) + 3), view))
            }
            (Folded::Death(_), _, Some(case)) => {
                let tag = (Tone::Dead, format!("{:<7} ", "DEATH"));
                (fold.sign(), [route(case.dead, None, view), vec![tag], death(case, view)].concat())
            }
            (Folded::OtherEnd(_), ..) => (fold.sign(), event(entry, view)),
            (Folded::Nothing | Folded::Message(_) | Folded::Death(_), ..) => (" ", event(entry, view)),
        };
        [vec![(Tone::Stale, format!("{moment} {sign} "))], text].concat().into()
    }

    fn hint(view: &View<'_>) -> String {
        Self::advice(view).unwrap_or_else(|| "Nothing was said yet. Peers gossip once they have neighbors.".to_owned())
    }

    fn advice(view: &View<'_>) -> Option<String> {
        let warning = view.model.no_seed()?;
        Some(format!("Nobody to gossip with: {}.", view.model.warning_text(&warning.finding)))
    }

    fn selection(_number: u64, entry: &GossipEntry, part: Option<GossipPart>, view: &View<'_>) -> Selection {
        let message = entry.message();
        if let (Some(id), Some(node)) = (message, part.and_then(|part| node_of(entry, part, view))) {
            let subject = Some(Subject::Lack { node, id });
            return Selection { node: Some(node), subject, message, ..Selection::default() };
        }
        let (node, subject) = match (message, case(entry, view), entry.peer()) {
            (Some(id), ..) => (entry.node, Subject::Message(id)),
            (None, Some(case), _) => (case.dead, Subject::Death(case.dead)),
            (None, None, Some(peer)) => (entry.node, Subject::Link(LinkKey { node: entry.node, peer })),
            (None, None, None) => (entry.node, Subject::Node(entry.node)),
        };
        Selection { node: Some(node), subject: Some(subject), message, ..Selection::default() }
    }

    fn parts(entry: &GossipEntry, view: &View<'_>) -> Vec<GossipPart> {
        match &entry.folded {
            Folded::Nothing => Vec::new(),
            Folded::OtherEnd(_) => vec![GossipPart::End(FoldedEnd::First), GossipPart::End(FoldedEnd::Other)],
            Folded::Death(_) => case(entry, view).into_iter().flat_map(death_parts).map(GossipPart::Death).collect(),
            Folded::Message(_) => rumor(entry, view).map_or_else(Vec::new, |rumor| {
                let elsewhere = rumor.elsewhere(view.model.nodes()).count();
                let lacking = rumor.lacking(view.model.nodes(), Counting::HadTime).count();
                let copies = (0..rumor.copies.len()).map(MessagePart::Copy);
                let all = copies.chain((0..elsewhere).map(MessagePart::Elsewhere));
                let all = all.chain((0..lacking).map(MessagePart::Lacking));
                all.map(GossipPart::Message).take(PARTS_MAX).collect()
            }),
        }
    }

    fn parts_fact(entry: &GossipEntry, shown: &[GossipPart], view: &View<'_>) -> FastHashMap<usize, Lack> {
        let place = |part: &GossipPart| match part {
            GossipPart::Message(MessagePart::Lacking(place)) => Some(*place),
            GossipPart::Message(MessagePart::Copy(_) | MessagePart::Elsewhere(_))
            | GossipPart::End(_)
            | GossipPart::Death(_) => None,
        };
        let places: Vec<usize> = shown.iter().filter_map(place).collect();
        let Some(rumor) = rumor(entry, view).filter(|_| !places.is_empty()) else { return FastHashMap::default() };
        let lacking: Vec<Addr> = rumor.lacking(view.model.nodes(), Counting::HadTime).map(|node| node.addr).collect();
        let places: Vec<usize> = places.into_iter().filter(|place| *place < lacking.len()).collect();
        let nodes: Vec<Addr> = places.iter().map(|place| lacking[*place]).collect();
        places.into_iter().zip(why_not_each(view.model, rumor, &nodes, view.utc_offset_s)).collect()
    }

    fn part(
        entry: &GossipEntry,
        part: GossipPart,
        lacks: &Self::PartsFact,
        columns: usize,
        view: &View<'_>,
    ) -> Sentence {
        let moment = |at| moment(at, columns, view);
        let parts = match part {
            GossipPart::End(FoldedEnd::First) => Some(end((entry.at, entry.node), &entry.kind, &moment, view)),
            GossipPart::End(FoldedEnd::Other) => {
                let Folded::OtherEnd(other) = &entry.folded else { return Sentence::default() };
                Some(end((other.at, other.node), &other.kind, &moment, view))
            }
            GossipPart::Death(part) => case(entry, view).map(|case| death_part(case, part, &moment, view)),
            GossipPart::Message(part) => rumor(entry, view).and_then(|rumor| hop(rumor, part, lacks, &moment, view)),
        };
        parts.unwrap_or_default().into()
    }

    /// A message may still come somewhere; late ones are rare.
    fn settled(view: &View<'_>) -> u64 {
        let log = view.model.gossip();
        let may_change = |entry: &GossipEntry| view.now.since(entry.at) <= DELIVERY_TIME + Duration::from_secs(1);
        log.end() - log.iter().rev().take(UNSETTLED_MAX).take_while(|(_, entry)| may_change(entry)).count() as u64
    }
}

fn moment(at: Time, columns: usize, view: &View<'_>) -> String {
    if columns < MILLIS_WIDTH_MIN { view.second(at) } else { view.moment(at) }
}

fn case<'a>(entry: &GossipEntry, view: &View<'a>) -> Option<&'a DeathCase> {
    let Folded::Death(case) = entry.folded else { return None };
    view.model.deaths().cases().get(case)
}

fn rumor<'a>(entry: &GossipEntry, view: &View<'a>) -> Option<&'a Rumor> {
    view.model.rumors().get(entry.message()?)
}

/// `p1#12   8/8 in 2 hops   1.9 ms  35 copies  "hello"`.
fn message(entry: &GossipEntry, reach: &MessageReach, columns: usize, view: &View<'_>) -> Parts {
    let Some(id) = entry.message() else { return Parts::new() };
    let is_lit = view.lit.message == Some(id);
    let tone = |tone| if is_lit { Tone::Wave } else { tone };
    let name = view.model.message_name(id);
    let fill = view.names.route.saturating_sub(text::width(&name)) + 1;
    let mut parts = vec![(tone(view.node_tone(id.origin)), format!("{name}{:fill$}", ""))];
    let Spread { coverage, took, copies, .. } = &reach.spread;
    let [told, span, number] = FIGURES;
    // Until somebody else has it there is nothing to measure.
    let (took, copies) =
        if *copies == 0 { (String::new(), String::new()) } else { (span_text(*took), count_of(*copies)) };
    let body = entry.body().map_or_else(String::new, |body| format!("  \"{}\"", shown(body)));
    let (room, wanted) = (columns.saturating_sub(text::width(&plain_text(&parts))), text::width(&body).min(BODY_WIDTH));
    let least = format!("{:told$}", reached(&reach.spread, view));
    let some = format!("{least} {took:>span$}");
    let all = format!("{some} {copies:>number$}");
    // What was said is worth more than how many copies it took.
    let figures = [all, some].into_iter().find(|figures| figures.len() + wanted <= room).unwrap_or(least);
    if reach.lacking.is_empty() {
        parts.push((tone(if coverage.is_full() { Tone::Up } else { Tone::Plain }), figures));
    } else {
        let coverage = format!("{}/{}", coverage.have, coverage.of);
        for clause in std::iter::once(&coverage).chain(&reach.lacking) {
            // A clause for which there is no room leaves it to the text.
            if text::width(&plain_text(&parts)) + text::width(clause) <= columns {
                parts.push((tone(Tone::Suspect), clause.clone()));
            }
        }
        let fill = figures.len().saturating_sub(text::width(&plain_text(&parts[1..])));
        parts.push((Tone::Plain, " ".repeat(fill)));
        // Why it is lacked may leave too little for the text, which the name of the message stands for.
        if text::width(&plain_text(&parts)) + wanted > columns {
            return parts;
        }
    }
    parts.push((tone(Tone::Plain), body));
    parts
}

fn count_of(copies: u64) -> String {
    if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") }
}

/// `8/8 in 2 hops`; of nodes elsewhere, only those that proved it count.
fn reached(spread: &Spread, view: &View<'_>) -> String {
    let hops = spread.hops.as_ref().map_or_else(String::new, |hops| format!(" in {hops}"));
    let (have, of) = (spread.coverage.have, spread.coverage.of);
    match (of, spread.elsewhere) {
        // Whether those have it shows only when one of them passes it on.
        (0 | 1, 0) if spread.copies == 0 && spread.first_sent_to > 0 => format!("sent to {}", spread.first_sent_to),
        (0 | 1, 0) if spread.copies == 0 => "here alone".to_owned(),
        (0 | 1, 0) => format!("here{hops}"),
        (0 | 1, elsewhere) => format!("here, {elsewhere} elsewhere"),
        (_, elsewhere) if elsewhere > 0 => format!("{have}/{of}{}", view.model.beyond_text(elsewhere, view.vantage)),
        (_, _) => format!("{have}/{of}{}{hops}", view.model.beyond_text(0, view.vantage)),
    }
}

/// `, p3 lacks it` `: it was killed at 03:12:40`. Why is said if it is the same for all.
fn lacking(rumor: &Rumor, depth: Depth, view: &View<'_>) -> Vec<String> {
    let nodes = view.model.nodes();
    let all: Vec<Addr> = rumor.lacking(nodes, Counting::HadTime).map(|node| node.addr).collect();
    let names: Vec<_> = all.iter().take(LACKING_SHOWN + 1).map(|addr| view.name(*addr)).collect();
    let names = match all.len() {
        more if more > LACKING_SHOWN => format!("{} and {} more", names[..2].join(", "), more - 2),
        _ => list_text(&names, LACKING_SHOWN),
    };
    let verb = if all.len() == 1 { "lacks" } else { "lack" };
    let shown = &all[..all.len().min(LACKING_SHOWN)];
    let why = match depth {
        Depth::Brief => Vec::new(),
        Depth::Full => why_not_each(view.model, rumor, shown, view.utc_offset_s),
    };
    let why = why.split_first().filter(|(first, others)| others.iter().all(|other| other.why == first.why));
    let why = why.and_then(|(first, _)| first.why.split("; ").next()).map(|why| format!(": {why}"));
    std::iter::once(format!(", {names} {verb} it")).chain(why).collect()
}

/// An event that is a line of its own.
fn event(entry: &GossipEntry, view: &View<'_>) -> Parts {
    let Some(line) = entry.line(&|addr| view.name(addr)) else { return Parts::new() };
    let mut parts = route(line.from, line.to, view);
    parts.push((tone_of(line.tone), format!("{:<7} {}", line.tag, line.text)));
    parts.extend(entry.body().map(|body| (Tone::Plain, format!(" \"{}\"", shown(body)))));
    parts
}

/// What one end of a link told.
fn end((at, node): (Time, Addr), kind: &EventKind, moment: &dyn Fn(Time) -> String, view: &View<'_>) -> Parts {
    let text = format!("{}: {}", view.name(node), view.model.sentence(kind));
    vec![(Tone::Stale, format!("{}   ", moment(at))), (Tone::Stale, text)]
}

/// The node of a part of a message's line.
fn node_of(entry: &GossipEntry, part: GossipPart, view: &View<'_>) -> Option<Addr> {
    let (rumor, nodes) = (rumor(entry, view)?, view.model.nodes());
    let GossipPart::Message(part) = part else { return None };
    match part {
        MessagePart::Copy(place) => rumor.copies.get_index(place).map(|(node, _)| *node),
        MessagePart::Elsewhere(place) => rumor.elsewhere(nodes).nth(place).map(|(node, _)| node),
        MessagePart::Lacking(place) => rumor.lacking(nodes, Counting::HadTime).nth(place).map(|node| node.addr),
    }
}

/// Who got it from whom, when, and how often again; or who lacks it.
fn hop(
    rumor: &Rumor,
    part: MessagePart,
    lacks: &FastHashMap<usize, Lack>,
    moment: &dyn Fn(Time) -> String,
    view: &View<'_>,
) -> Option<Parts> {
    let nodes = view.model.nodes();
    let time = |at| (Tone::Stale, format!("{}   ", moment(at)));
    Some(match part {
        MessagePart::Lacking(place) => {
            let node = rumor.lacking(nodes, Counting::HadTime).nth(place)?;
            let why = lacks.get(&place).map_or_else(String::new, |lack| format!(": {}", lack.why));
            let blank = " ".repeat(text::width(&moment(rumor.first_seen)) + 3);
            vec![
                (Tone::Plain, blank),
                (view.node_tone(node.addr), view.name(node.addr)),
                (Tone::Suspect, format!(" lacks it{why}")),
            ]
        }
        MessagePart::Elsewhere(place) => {
            let (node, ForeignCopy { to, at, .. }) = rumor.elsewhere(nodes).nth(place)?;
            let name = (view.node_tone(node), view.name(node));
            vec![time(at), name, (Tone::Plain, format!(" has it: it sent a copy to {}", view.name(to)))]
        }
        MessagePart::Copy(place) => {
            let (node, copy) = rumor.copies.get_index(place)?;
            [vec![time(copy.at)], arrival(*node, copy, rumor, view)].concat()
        }
    })
}

/// `p7 → p1 hop 1 +0.9 ms, dup x3`.
fn arrival(node: Addr, copy: &MessageCopy, rumor: &Rumor, view: &View<'_>) -> Parts {
    let text = match (copy.from, copy.hop, copy.hop_known) {
        (None, ..) => format!("begins, to {}", count_text(u64::from(copy.forwarded), "neighbor")),
        (Some(_), Some(hop), _) => format!("hop {hop}"),
        (Some(_), None, Some(hop)) => format!("hop ~{hop}"),
        (Some(_), None, None) => "hop ?".to_owned(),
    };
    let mut parts = route(copy.from.unwrap_or(node), copy.from.map(|_| node), view);
    parts.push((Tone::Plain, text));
    if copy.from.is_some() {
        parts.push((Tone::Plain, format!(" +{}", span_text(copy.at.since(rumor.began())))));
    }
    if copy.duplicates > 0 {
        parts.push((Tone::Stale, format!(", dup x{}", copy.duplicates)));
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
fn route(from: Addr, to: Option<Addr>, view: &View<'_>) -> Parts {
    let mut parts = match to {
        Some(to) => vec![
            (view.node_tone(from), view.padded_name(from)),
            (Tone::Stale, format!(" {} ", view.theme.arrow())),
            (view.node_tone(to), view.name(to)),
        ],
        None => vec![(view.node_tone(from), view.name(from))],
    };
    let used: usize = parts.iter().map(|(_, text)| text::width(text)).sum();
    parts.push((Tone::Plain, " ".repeat(view.names.route.saturating_sub(used) + 1)));
    parts
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
