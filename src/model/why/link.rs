//! The history of a connection.

use std::time::Duration;

use super::death::miss_lines;
use super::ending::{end_of, is_loss, is_seen_only};
use super::{Evidence, Explanation, Teller, in_order};
use crate::event::{Direction, EventKind, Purpose, Side};
use crate::model::Model;
use crate::model::link::{Link, LinkState, Step, StepKind};
use crate::model::node::Node;
use crate::model::sentence::{end_text, own_refusal};
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::text::Escaped;
use crate::proto::time::Time;

/// What broke the protocol is told with the link that it ended, if it came so shortly before.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// What happened between these two nodes, as each of them that is ours tells it.
pub fn why_link(model: &Model, a: Addr, b: Addr, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let title = format!("{} and {}", teller.name(a), teller.name(b));
    let rows: Vec<_> = [model.links().get(a, b), model.links().get(b, a)].into_iter().flatten().collect();
    let mut evidence: Vec<Evidence> = rows.iter().flat_map(|link| lines(teller, link)).collect();
    evidence.extend(rows.iter().flat_map(|link| last_words(teller, link)));
    evidence.extend(teller.faults_between(a, b));
    evidence.extend([a, b].into_iter().flat_map(|node| teller.turns(node)));
    let verdict = match rows[..] {
        [] => never(teller, a, b),
        [link] => verdict(teller, link),
        [one, other, ..] => both(teller, one, other),
    };
    Explanation { title, verdict, evidence: in_order(evidence) }
}

/// Both ends tell: they agree, or the link is there for one of them only, or the one that ended it first
/// knows why.
fn both(teller: Teller<'_>, one: &Link, other: &Link) -> String {
    match (one.is_up(), other.is_up()) {
        (true, false) => one_way(teller, one, other),
        (false, true) => one_way(teller, other, one),
        (true, true) => verdict(teller, if other.misses > one.misses { other } else { one }),
        (false, false) => {
            let (first, second) = if knew_first(other, one) { (other, one) } else { (one, other) };
            with_refusal(teller, verdict(teller, first), first, second)
        }
    }
}

/// Did this end know first that the link is gone, or why?
fn knew_first(one: &Link, other: &Link) -> bool {
    match (last_down(one), last_down(other)) {
        (Some(first), Some(second)) => (first.at, is_seen_only(first)) < (second.at, is_seen_only(second)),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// One end saw the link go and nothing else; what the other one broke off for is told with it.
fn with_refusal(teller: Teller<'_>, verdict: String, seen: &Link, other: &Link) -> String {
    let Some(down) = last_down(seen).filter(|down| is_seen_only(down)) else { return verdict };
    let is_near = |step: &&Step| step.at <= down.at && down.at.since(step.at) <= LAST_WORDS_WITHIN;
    let broke_off = |step: &&Step| matches!(step.what, StepKind::Violation { .. } | StepKind::OtherDialect { .. });
    match other.history.iter().rev().filter(is_near).find(broke_off) {
        Some(step) => format!("{verdict} {}.", step_text(teller, other, step)),
        None => verdict,
    }
}

/// One end is gone, and the other one does not know, or not yet.
fn one_way(teller: Teller<'_>, up: &Link, down: &Link) -> String {
    let (holder, other) = (teller.name(up.key.node), teller.name(down.key.node));
    if last_down(down).is_some() {
        let unaware = match teller.hung_now([up.key.node; 2]) {
            Some(hung) => format!("{hung} and has not noticed"),
            None => format!("{holder} has not noticed, as far as is known here"),
        };
        return format!("{} {unaware}.", ended(teller, down));
    }
    let (since, never) = (teller.clock(up.since), verdict(teller, down));
    format!("{holder} holds a link to {other} since {since}, of which {other} knows nothing: {never}")
}

fn last_down(link: &Link) -> Option<&Step> {
    link.history.iter().rev().find(|step| is_loss(step))
}

fn verdict(teller: Teller<'_>, link: &Link) -> String {
    let (node, peer, since) = (teller.name(link.key.node), teller.name(link.key.peer), teller.clock(link.since));
    match link.state {
        LinkState::Up => {
            let standing = standing(&node, &peer, link);
            format!("{standing} since {since}: {}{}.", health(teller, link), trouble(teller, link, None))
        }
        LinkState::Dialing => format!("{node} has been dialing {peer} since {since}{}.", trouble(teller, link, None)),
        LinkState::Parked => format!(
            "{peer} has not accepted {node}'s connection: parked since {since}. It is kept and read, {peer} is not dialed \
             again, and it becomes a link when {peer} says something{}.",
            trouble(teller, link, None)
        ),
        LinkState::Ended => ended(teller, link),
    }
}

/// What keeps the two apart now, if that was done after this time.
fn trouble(teller: Teller<'_>, link: &Link, after: Option<Time>) -> String {
    let (node, peer) = (link.key.node, link.key.peer);
    let mut faults = teller.model.faults().ever_between(node, peer);
    let is_new = faults.any(|record| record.until.is_none() && after.is_none_or(|after| record.since > after));
    let hung = teller.hung_now([node, peer]).filter(|_| link.state != LinkState::Ended);
    let told = hung.into_iter().chain(teller.trouble_now(node, peer).filter(|_| is_new));
    told.fold(String::new(), |text, told| format!("{text}; {told}"))
}

/// Why there is no link: who closed it and what for, or what kept it from coming about.
fn ended(teller: Teller<'_>, link: &Link) -> String {
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    let Some(last) = link.history.back() else {
        return format!("{node} has no link to {peer}; why is not certain.");
    };
    let Some(down) = last_down(link) else { return never_came(teller, link, last) };
    let what = if link.purpose == Purpose::Registration { "registration" } else { "link" };
    let up = link.history.iter().rfind(|step| matches!(step.what, StepKind::Up { .. }) && step.at <= down.at);
    let lasted = up.map_or_else(String::new, |up| format!(", after {}", span_text(down.at.since(up.at))));
    let (at, who) = (teller.clock(down.at), end_of(teller, link, down));
    let since = if last.at > down.at {
        format!("; since then {}{}", told(teller, link, last), tries(teller, link, Some(down.at)))
    } else {
        String::new()
    };
    let now = trouble(teller, link, Some(down.at));
    format!("The {what} {node} - {peer} ended at {at}{lasted}: {who}{since}{now}.")
}

fn never_came(teller: Teller<'_>, link: &Link, last: &Step) -> String {
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    let (at, now) = (teller.clock(last.at), trouble(teller, link, None));
    let told = told(teller, link, last);
    let told = told.strip_prefix(&format!("{node} ")).map_or_else(|| told.clone(), |rest| format!("it {rest}"));
    let tries = tries(teller, link, None);
    // Of what is no longer kept nobody can say that there was none.
    let never = if link.forgotten == 0 {
        format!("{node} never had a link to {peer}")
    } else {
        format!("{node} has no link to {peer}, and had none in the steps that are still kept")
    };
    format!("{never}: at {at} {told}{tries}{now}.")
}

/// `; tried 4 times, last at 03:13:02`: dials that came to nothing, after this time, if more than one did.
fn tries(teller: Teller<'_>, link: &Link, after: Option<Time>) -> String {
    let is_late = |step: &&Step| after.is_none_or(|after| step.at > after);
    let dials = link.history.iter().filter(is_late).filter(|step| matches!(step.what, StepKind::Dialing));
    let (count, last) = dials.fold((0, None), |(count, _), step| (count + 1, Some(step.at)));
    let more = if after.is_none() && link.forgotten > 0 { "at least " } else { "" };
    match last {
        Some(last) if count > 1 => format!("; tried {more}{count} times, last at {}", teller.clock(last)),
        Some(_) | None => String::new(),
    }
}

/// A step of a link's history, within a sentence about the node that tells it.
fn told(teller: Teller<'_>, link: &Link, step: &Step) -> String {
    let text = step_text(teller, link, step);
    text.strip_prefix(&format!("{}: ", teller.name(link.key.node))).map_or_else(|| text.clone(), ToOwned::to_owned)
}

/// Nobody dialled: why not, as far as it can be told.
fn never(teller: Teller<'_>, a: Addr, b: Addr) -> String {
    let (one, other) = (teller.name(a), teller.name(b));
    let never = format!("There never was a link between {one} and {other}");
    let nodes = teller.model.nodes();
    let (Some(a), Some(b)) = (nodes.get(a), nodes.get(b)) else { return format!("{never}.") };
    if !a.is_ours() && !b.is_ours() {
        return format!("{never}, as far as is known here: both run in other processes, so that is not certain.");
    }
    let is_seed = |node: &Node| node.role == Some(Role::Seed);
    if is_seed(a) && is_seed(b) {
        return format!("{never}: seeds do not link to each other.");
    }
    if is_seed(a) || is_seed(b) {
        return format!("{never}: a peer registers with more than half of the seeds, not with all.");
    }
    let has =
        |node: &Node| format!("{} has {}", teller.name(node.addr), count_text(u64::from(node.neighbors), "neighbor"));
    let counts: Vec<String> = [a, b].into_iter().filter(|node| node.is_ours()).map(has).collect();
    let now = teller.trouble_now(a.addr, b.addr).map_or_else(String::new, |told| format!(" Now {told}."));
    format!(
        "{never}: neither dialled the other. A peer dials only until it has the links that it aims for; {}.{now}",
        counts.join(", ")
    )
}

/// What the other end said, or broke, shortly before the link ended.
fn last_words(teller: Teller<'_>, link: &Link) -> Vec<Evidence> {
    let Some(down) = last_down(link) else { return Vec::new() };
    let near = |at: Time| at <= down.at && down.at.since(at) <= LAST_WORDS_WITHIN;
    let notices =
        teller.model.notices().iter().filter(|(_, notice)| near(notice.at) && notice.event.node == link.key.node);
    let words = notices.filter_map(|(_, notice)| {
        let EventKind::Violation { peer: Some(peer), .. } = notice.event.kind else { return None };
        (peer == link.key.peer).then_some((notice.at, &notice.event.kind))
    });
    let name = teller.name(link.key.node);
    words.map(|(at, kind)| Evidence::at(at, format!("{name}: {}", teller.model.sentence(kind)))).collect()
}

fn standing(node: &str, peer: &str, link: &Link) -> String {
    match (link.purpose, link.direction) {
        (Purpose::Registration, Direction::Outbound) => format!("{node} is registered with {peer}"),
        (Purpose::Registration, Direction::Inbound) => format!("{peer} is registered with {node}"),
        (Purpose::Neighbor, Direction::Outbound) => format!("{node} is linked to {peer}, which it dialled,"),
        (Purpose::Neighbor, Direction::Inbound) => format!("{node} is linked to {peer}, which dialled it,"),
    }
}

fn health(teller: Teller<'_>, link: &Link) -> String {
    if link.misses > 0 {
        let heard = link.last_heard.map_or_else(|| "never".to_owned(), |at| teller.clock(at));
        let misses = count_text(u64::from(link.misses), "probe");
        return format!("{misses} of {} unanswered, last heard at {heard}", link.limit);
    }
    match link.rtt_us {
        Some(rtt_us) => format!("the last probe was answered after {}", micros(rtt_us)),
        None => "no probe was answered yet, none missed".to_owned(),
    }
}

fn lines(teller: Teller<'_>, link: &Link) -> Vec<Evidence> {
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    let told = |step: &Step| Evidence::at(step.at, step_text(teller, link, step));
    let mut lines: Vec<_> = link.missed.iter().flat_map(|miss| miss_lines(&node, miss)).collect();
    lines.extend(link.history.iter().map(told));
    if let Some(at) = link.last_heard {
        lines.push(Evidence::at(at, format!("{node} last heard from {peer}")));
    }
    if link.forgotten > 0 {
        let earlier = count_text(link.forgotten, "earlier step");
        lines.push(Evidence::now(format!("{earlier} of {node} not kept")));
    }
    lines
}

/// One step of a link's history, with the node that tells it.
pub(super) fn step_text(teller: Teller<'_>, link: &Link, step: &Step) -> String {
    let (node, peer) = (&teller.name(link.key.node), &teller.name(link.key.peer));
    match &step.what {
        StepKind::Dialing => format!("{node} dialled {peer}"),
        StepKind::DialFailed { error, retry_at } => {
            let next = retry_at.map_or_else(String::new, |at| format!("; next try at {}", teller.clock(at)));
            format!("{node} could not connect to {peer}: {}{next}", Escaped(error.as_bytes()))
        }
        StepKind::Refused { by: Side::Us, reason } => format!("{node} refused {peer}: {}", own_refusal(*reason)),
        StepKind::Refused { by: Side::Them, reason } => format!("{peer} refused {node}: {reason}"),
        StepKind::NotAccepted => {
            format!(
                "{node} heard nothing from {peer}: not accepted; the connection is parked: kept, and not dialed again"
            )
        }
        StepKind::HandshakeFailed => format!("{node}: the connection ended before {peer} had named itself"),
        StepKind::Violation { rule } => format!("{node}: {peer} broke the protocol: {rule}"),
        StepKind::OtherDialect { speaks } => format!("{node}: {peer} speaks the {speaks} dialect"),
        StepKind::Up { direction: Direction::Inbound } => format!("{node}: link up, {peer} had dialled"),
        StepKind::Up { direction: Direction::Outbound } => format!("{node}: link up, {node} had dialled"),
        StepKind::Down { end, .. } => format!("{node}: link down, {}", end_text(*end)),
        StepKind::Dropped => format!("{peer} dropped the link while {node} hung"),
        StepKind::NodeStopped => format!("{node} stopped, and its links with it"),
    }
}

fn micros(micros: u64) -> String {
    span_text(std::time::Duration::from_micros(micros))
}
