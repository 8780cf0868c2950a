//! The history of a link.

use std::time::Duration;

use super::ending::{end_of, is_seen_only, reason_of_end};
use super::{EvidenceLine, EvidenceSource, Explainer, Explanation, SourceKind, in_order, is_known, micros};
use crate::event::{Direction, EventKind, LinkEnd, LinkEvent, Purpose};
use crate::model::Model;
use crate::model::cause::Question;
use crate::model::link::{LinkHistory, LinkKey, LinkState, LinkStep, Miss, StepKind};
use crate::model::node::NodeRecord;
use crate::model::words::link::evidence;
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;

/// A violation this shortly before the end of a link belongs to it.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// What happened between these two nodes, as each of ours tells it.
pub fn why_link(model: &Model, a: Addr, b: Addr, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let title = format!("{} and {}", explainer.name(a), explainer.name(b));
    let rows: Vec<_> = model.links().both_ends(a, b).collect();
    let mut evidence: Vec<EvidenceLine> = rows.iter().flat_map(|link| lines(explainer, link)).collect();
    evidence.extend(rows.iter().flat_map(|link| last_words(explainer, link)));
    evidence.extend(explainer.faults_between(a, b));
    evidence.extend([a, b].into_iter().flat_map(|node| explainer.turns(node)));
    let verdict = match rows[..] {
        [] => never(explainer, a, b),
        [link] => verdict(explainer, link),
        [one, other, ..] => both(explainer, one, other),
    };
    let is_certain = match decisive(&rows) {
        Some(link) => is_settled(explainer, link),
        None => [a, b].into_iter().any(|node| model.nodes().get(node).is_some_and(NodeRecord::is_ours)),
    };
    let mut ends = decisive(&rows).into_iter().chain(rows.iter().copied()).filter(|link| !link.is_up());
    let rests_on = ends.find_map(question_of_end).into_iter().collect();
    Explanation { title, verdict, is_certain, evidence: in_order(evidence), table: None, rests_on }
}

/// What the latest end of this link makes one ask, if this end tells of it.
fn question_of_end(link: &LinkHistory) -> Option<Question> {
    let (step, LinkKey { node, peer }) = (last_down(link)?, link.key);
    Some(match step.end()? {
        LinkEnd::Dead { cause } => Question::Death { reporter: node, dead: peer, at: step.at, way: cause },
        end => Question::LinkEnd { node, peer, at: step.at, end },
    })
}

/// The end on which the verdict rests, of those that tell of the link.
fn decisive<'a>(rows: &[&'a LinkHistory]) -> Option<&'a LinkHistory> {
    match *rows {
        [] => None,
        [link] => Some(link),
        [one, other, ..] => Some(match (one.is_up(), other.is_up()) {
            (true, false) => other,
            (false, false) if knew_first(other, one) => other,
            (false | true, true) | (false, false) => one,
        }),
    }
}

/// How it is with this end, and what made it so, is known.
fn is_settled(explainer: Explainer<'_>, link: &LinkHistory) -> bool {
    match (link.state, last_down(link)) {
        (LinkState::Up, _) | (LinkState::Dialing | LinkState::Parked, None) => true,
        (LinkState::Ended | LinkState::Dialing | LinkState::Parked, Some(down)) => {
            reason_of_end(explainer, link, down).as_ref().is_none_or(is_known)
        }
        (LinkState::Ended, None) => link.steps().next().is_some(),
    }
}

/// Both ends tell: they agree, or only one of them has the link, or the one that ended it first
/// knows why.
fn both(explainer: Explainer<'_>, one: &LinkHistory, other: &LinkHistory) -> String {
    match (one.is_up(), other.is_up()) {
        (true, false) => one_way(explainer, one, other),
        (false, true) => one_way(explainer, other, one),
        (true, true) => verdict(explainer, if other.misses > one.misses { other } else { one }),
        (false, false) => {
            let (first, second) = if knew_first(other, one) { (other, one) } else { (one, other) };
            with_refusal(explainer, verdict(explainer, first), first, second)
        }
    }
}

/// This end was the first to know that the link is gone, or why.
fn knew_first(one: &LinkHistory, other: &LinkHistory) -> bool {
    match (last_down(one), last_down(other)) {
        (Some(first), Some(second)) => (first.at, is_seen_only(first)) < (second.at, is_seen_only(second)),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// One end only saw the link go; adds why the other one closed it.
fn with_refusal(explainer: Explainer<'_>, verdict: String, seen: &LinkHistory, other: &LinkHistory) -> String {
    let Some(down) = last_down(seen).filter(|down| is_seen_only(down)) else { return verdict };
    let is_near = |step: &&LinkStep| step.at <= down.at && down.at.since(step.at) <= LAST_WORDS_WITHIN;
    let broke_off =
        |step: &&LinkStep| matches!(step.event(), Some(LinkEvent::Violation { .. } | LinkEvent::OtherDialect { .. }));
    match other.steps().rev().filter(is_near).find(broke_off) {
        Some(step) => format!("{verdict} {}.", step_text(explainer, other, step)),
        None => verdict,
    }
}

/// One end is gone, and the other does not know, or not yet.
fn one_way(explainer: Explainer<'_>, up: &LinkHistory, down: &LinkHistory) -> String {
    let (holder, other) = (explainer.name(up.key.node), explainer.name(down.key.node));
    if last_down(down).is_some() {
        let unaware = match explainer.hung_now([up.key.node; 2]) {
            Some(hung) => format!("{hung} and has not noticed"),
            None => format!("{holder} has not noticed, as far as is known here"),
        };
        return format!("{} {unaware}.", ended(explainer, down));
    }
    let (since, never) = (explainer.clock(up.since), verdict(explainer, down));
    format!("{holder} holds a link to {other} since {since}, of which {other} knows nothing: {never}")
}

fn last_down(link: &LinkHistory) -> Option<&LinkStep> {
    link.steps().rev().find(|step| step.is_loss())
}

fn verdict(explainer: Explainer<'_>, link: &LinkHistory) -> String {
    let (node, peer, since) =
        (explainer.name(link.key.node), explainer.name(link.key.peer), explainer.clock(link.since));
    match link.state {
        LinkState::Up => {
            let relation = relation(&node, &peer, link);
            format!("{relation} since {since}: {}{}.", health(explainer, link), hindrance(explainer, link, None))
        }
        LinkState::Dialing => {
            let now = hindrance(explainer, link, None);
            format!("{node} has been dialing {peer} since {since}{now}.{}", ended_before(explainer, link))
        }
        LinkState::Parked => format!(
            "{peer} has not accepted {node}'s connection: parked since {since}. It is kept and read, {peer} is not dialed \
             again, and it becomes a link when {peer} says something{}.{}",
            hindrance(explainer, link, None),
            ended_before(explainer, link)
        ),
        LinkState::Ended => ended(explainer, link),
    }
}

/// How the link before this attempt ended, if there was one.
fn ended_before(explainer: Explainer<'_>, link: &LinkHistory) -> String {
    last_down(link).map_or_else(String::new, |down| {
        let (at, who) = (explainer.clock(down.at), end_of(explainer, link, down));
        format!(" The one before ended at {at}: {who}.")
    })
}

/// What separates the two now, if that was done after this time.
fn hindrance(explainer: Explainer<'_>, link: &LinkHistory, after: Option<Time>) -> String {
    let (node, peer) = (link.key.node, link.key.peer);
    let mut faults = explainer.model.faults().ever_between(node, peer);
    let is_new = faults.any(|record| record.until.is_none() && after.is_none_or(|after| record.since > after));
    let hung = explainer.hung_now([node, peer]).filter(|_| link.state != LinkState::Ended);
    let told = hung.into_iter().chain(explainer.fault_now(node, peer).filter(|_| is_new));
    told.fold(String::new(), |text, told| format!("{text}; {told}"))
}

/// Why there is no link: who closed it and why, or what kept it from coming up.
fn ended(explainer: Explainer<'_>, link: &LinkHistory) -> String {
    let (node, peer) = (explainer.name(link.key.node), explainer.name(link.key.peer));
    let Some(last) = link.steps().next_back() else {
        return format!("{node} has no link to {peer}; why is not certain.");
    };
    let Some(down) = last_down(link) else { return never_came(explainer, link, last) };
    let what = if link.purpose == Purpose::Registration { "registration" } else { "link" };
    let up = link.steps().rfind(|step| step.is_up() && step.at <= down.at);
    let lasted = up.map_or_else(String::new, |up| format!(", after {}", span_text(down.at.since(up.at))));
    let (at, who) = (explainer.clock(down.at), end_of(explainer, link, down));
    let since = if last.at > down.at {
        format!("; since then {}{}", told(explainer, link, last), tries(explainer, link, Some(down.at)))
    } else {
        String::new()
    };
    let now = hindrance(explainer, link, Some(down.at));
    format!("The {what} {node} - {peer} ended at {at}{lasted}: {who}{since}{now}.")
}

fn never_came(explainer: Explainer<'_>, link: &LinkHistory, last: &LinkStep) -> String {
    let (node, peer) = (explainer.name(link.key.node), explainer.name(link.key.peer));
    let (at, now) = (explainer.clock(last.at), hindrance(explainer, link, None));
    let told = told(explainer, link, last);
    let told = told.strip_prefix(&format!("{node} ")).map_or_else(|| told.clone(), |rest| format!("it {rest}"));
    let tries = tries(explainer, link, None);
    // If steps are no longer remembered, the link may have been up.
    let never = if link.forgotten() == 0 {
        format!("{node} never had a link to {peer}")
    } else {
        format!("{node} has no link to {peer}, and had none in the steps that are still kept")
    };
    format!("{never}: at {at} {told}{tries}{now}.")
}

/// `; tried 4 times, last at 03:13:02`: the failed dials after this time, if there was more than
/// one.
fn tries(explainer: Explainer<'_>, link: &LinkHistory, after: Option<Time>) -> String {
    let is_late = |step: &&LinkStep| after.is_none_or(|after| step.at > after);
    let dials = link.steps().filter(is_late).filter(|step| matches!(step.event(), Some(LinkEvent::Dialing { .. })));
    let (count, last) = dials.fold((0, None), |(count, _), step| (count + 1, Some(step.at)));
    let more = if after.is_none() && link.forgotten() > 0 { "at least " } else { "" };
    match last {
        Some(last) if count > 1 => format!("; tried {more}{count} times, last at {}", explainer.clock(last)),
        Some(_) | None => String::new(),
    }
}

/// A step of a link's history, within a sentence about the node that tells it.
fn told(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> String {
    let text = step_text(explainer, link, step);
    text.strip_prefix(&format!("{}: ", explainer.name(link.key.node))).map_or_else(|| text.clone(), ToOwned::to_owned)
}

/// Why nobody dialed, as far as that is known.
fn never(explainer: Explainer<'_>, a: Addr, b: Addr) -> String {
    let (one, other) = (explainer.name(a), explainer.name(b));
    let never = format!("There never was a link between {one} and {other}");
    let nodes = explainer.model.nodes();
    let (Some(a), Some(b)) = (nodes.get(a), nodes.get(b)) else { return format!("{never}.") };
    if !a.is_ours() && !b.is_ours() {
        return format!("{never}, as far as is known here: both run in other processes, so that is not certain.");
    }
    let is_seed = |node: &NodeRecord| node.role == Some(Role::Seed);
    if is_seed(a) && is_seed(b) {
        return format!("{never}: seeds do not link to each other.");
    }
    if is_seed(a) || is_seed(b) {
        return format!("{never}: a peer registers with more than half of the seeds, not with all.");
    }
    let has = |node: &NodeRecord| {
        format!("{} has {}", explainer.name(node.addr), count_text(u64::from(node.neighbors), "neighbor"))
    };
    let counts: Vec<String> = [a, b].into_iter().filter(|node| node.is_ours()).map(has).collect();
    let now = explainer.fault_now(a.addr, b.addr).map_or_else(String::new, |told| format!(" Now {told}."));
    format!(
        "{never}: neither dialed the other. A peer dials only until it has the links that it aims for; {}.{now}",
        counts.join(", ")
    )
}

/// What the other end said, or broke, shortly before the link ended.
fn last_words(explainer: Explainer<'_>, link: &LinkHistory) -> Vec<EvidenceLine> {
    let Some(down) = last_down(link) else { return Vec::new() };
    let near = |at: Time| at <= down.at && down.at.since(at) <= LAST_WORDS_WITHIN;
    let notices =
        explainer.model.notices().iter().filter(|(_, notice)| near(notice.at) && notice.event.node == link.key.node);
    let words = notices.filter_map(|(_, notice)| {
        let EventKind::Link(LinkEvent::Violation { peer: Some(peer), .. }) = notice.event.kind else { return None };
        (peer == link.key.peer).then_some((notice.at, &notice.event.kind))
    });
    let name = explainer.name(link.key.node);
    let told = |(at, kind)| {
        let said = EvidenceLine::at(at, format!("{name}: {}", explainer.model.sentence(kind)));
        said.told_by(link.key.node, SourceKind::Link(link.key.peer))
    };
    words.map(told).collect()
}

fn relation(node: &str, peer: &str, link: &LinkHistory) -> String {
    match (link.purpose, link.direction) {
        (Purpose::Registration, Direction::Outbound) => format!("{node} is registered with {peer}"),
        (Purpose::Registration, Direction::Inbound) => format!("{peer} is registered with {node}"),
        (Purpose::Neighbor, Direction::Outbound) => format!("{node} is linked to {peer}, which it dialed,"),
        (Purpose::Neighbor, Direction::Inbound) => format!("{node} is linked to {peer}, which dialed it,"),
    }
}

fn health(explainer: Explainer<'_>, link: &LinkHistory) -> String {
    if link.misses > 0 {
        let heard = link.last_heard.map_or_else(|| "never".to_owned(), |at| explainer.clock(at));
        let misses = count_text(u64::from(link.misses), "probe");
        return format!("{misses} of {} unanswered, last heard at {heard}", link.limit);
    }
    if link.rtt_us.is_some() { "its probes are answered" } else { "no probe was answered yet, none missed" }.to_owned()
}

fn lines(explainer: Explainer<'_>, link: &LinkHistory) -> Vec<EvidenceLine> {
    let (node, peer) = (explainer.name(link.key.node), explainer.name(link.key.peer));
    let told = |step: &LinkStep| step_line(explainer, link, step);
    let missed = |miss: &Miss| miss_lines((link.key.node, &node), link.key.peer, miss);
    let mut lines: Vec<_> = link.missed().iter().flat_map(missed).collect();
    lines.extend(link.quiet_steps().iter().chain(link.steps()).map(told));
    let answered = link.rtt_us.map(|rtt_us| format!("{node}: the last probe was answered after {}", micros(rtt_us)));
    lines.extend(answered.map(EvidenceLine::now));
    if let Some(at) = link.last_heard {
        let heard = EvidenceLine::at(at, format!("{node} last heard from {peer}"));
        lines.push(heard.told_by(link.key.node, SourceKind::Heard(link.key.peer)));
    }
    if link.forgotten() > 0 {
        let earlier = count_text(link.forgotten(), "earlier step");
        lines.push(EvidenceLine::now(format!("{earlier} of {node} not kept")));
    }
    lines
}

pub(super) fn step_line(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> EvidenceLine {
    EvidenceLine::at(step.at, step_text(explainer, link, step)).resting_on(EvidenceSource::of_step(link.key, step))
}

/// A step of a link's history, with the node that tells it.
fn step_text(explainer: Explainer<'_>, link: &LinkHistory, step: &LinkStep) -> String {
    let (node, peer) = (&explainer.name(link.key.node), &explainer.name(link.key.peer));
    match &step.what {
        StepKind::Told(event) => evidence(event, node, peer, &|at| explainer.clock(at)),
        StepKind::Dropped => format!("{peer} dropped the link while {node} hung"),
        StepKind::NodeStopped => format!("{node} stopped, and its links with it"),
    }
}

/// A probe, and that it was not answered.
pub(super) fn miss_lines((by, who): (Addr, &str), peer: Addr, miss: &Miss) -> Vec<EvidenceLine> {
    let Miss { seq, misses, limit, .. } = *miss;
    let waited = miss.sent_at.map(|sent| span_text(miss.missed_at.since(sent)));
    let after = waited.map_or_else(|| "when it was sent is not certain".to_owned(), |span| format!("after {span}"));
    let missed = format!("{who}: no answer to probe {seq} {after} ({misses}/{limit})");
    let missed = EvidenceLine::at(miss.missed_at, missed).told_by(by, SourceKind::ProbeMissed(peer));
    let sent =
        |at: Time| EvidenceLine::at(at, format!("{who} sent it probe {seq}")).told_by(by, SourceKind::ProbeSent(peer));
    miss.sent_at.map(sent).into_iter().chain([missed]).collect()
}
