//! Why a node does not have a message.
//!
//! The overlay as it was when the message began says whether a way of open links led from those who
//! have it to the node. If none did, the links that had joined the two sides are named, with what
//! ended them; if one did, the first link on it that the message did not cross.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Evidence, Explanation, Teller, in_order};
use crate::event::LinkEnd;
use crate::model::Model;
use crate::model::fault::Record;
use crate::model::gossip::EntryKind;
use crate::model::link::{Link, Step, StepKind};
use crate::model::node::{Life, Node};
use crate::model::overlay::Overlay;
use crate::model::rumor::{Copy, DELIVERY_TIME, Rumor};
use crate::model::sentence::end_text;
use crate::model::words::{count_text, span_text};
use crate::proto::addr::Addr;
use crate::proto::fault::TroubleKind;
use crate::proto::message::{DeathCause, MessageId, Role};
use crate::proto::time::Time;

/// Links that an answer names.
const LOST_MAX: usize = 3;
/// A link that ended so long before or after a message began may have kept it from getting through:
/// one end knows later than the other.
const LOST_AROUND: Duration = Duration::from_secs(1);

/// Why this node has not got this message; or that it has, and when.
pub fn why_not(model: &Model, node: Addr, id: MessageId, utc_offset_s: i32) -> Explanation {
    let teller = Teller { model, utc_offset_s };
    let (name, message) = (teller.name(node), model.message_name(id));
    let title = format!("{message} and {name}");
    let Some(rumor) = model.rumors().get(id) else {
        let verdict = format!("What became of {message} is not certain: it is no longer held here, or never was.");
        return Explanation { title, verdict, evidence: Vec::new() };
    };
    if let Some(copy) = rumor.copies.get(&node) {
        return Explanation { title, verdict: got_it(teller, node, rumor, *copy), evidence: sender(teller, *copy) };
    }
    let inquiry = Inquiry::new(teller, rumor);
    let reason = inquiry.reason(node);
    let verdict = format!("{}.", inquiry.sentence(node, &reason));
    Explanation {
        title: format!("Why did {name} not get {message}?"),
        verdict,
        evidence: inquiry.evidence(node, &reason),
    }
}

/// Why each of these nodes has not got this message, each in a clause without its name.
pub fn why_not_each(model: &Model, rumor: &Rumor, nodes: &[Addr], utc_offset_s: i32) -> Vec<String> {
    let inquiry = Inquiry::new(Teller { model, utc_offset_s }, rumor);
    nodes.iter().map(|node| inquiry.clause(*node, &inquiry.reason(*node))).collect()
}

fn got_it(teller: Teller<'_>, node: Addr, rumor: &Rumor, copy: Copy) -> String {
    let (name, message) = (teller.name(node), teller.model.message_name(rumor.id));
    let at = teller.clock(copy.at);
    let Some(from) = copy.from else { return format!("{name} has {message}: it generated it at {at}.") };
    let hop = copy.hop.map_or_else(String::new, |hop| format!(", hop {hop}"));
    let delay = span_text(copy.at.since(rumor.began()));
    let more = match copy.duplicates {
        0 => "no copy came after that".to_owned(),
        1 => "1 further copy came later".to_owned(),
        more => format!("{more} further copies came later"),
    };
    format!("{name} did get {message}: at {at} from {}{hop}, {delay} after it began; {more}.", teller.name(from))
}

fn sender(teller: Teller<'_>, copy: Copy) -> Vec<Evidence> {
    let from = copy.from.map(|from| format!("the first copy came from {}", teller.name(from)));
    from.map(|from| Evidence::at(copy.at, from)).into_iter().collect()
}

/// Why it was not delivered.
enum Reason<'a> {
    /// Nobody here can tell.
    NotOurs,
    /// Seeds do not gossip.
    Seed,
    /// It did not run yet.
    Later { from: Time },
    /// It did not run any more, or said nothing.
    Down { node: &'a Node },
    /// It stopped before the message had come.
    WentDown { node: &'a Node },
    /// It had no neighbor.
    Alone { lost: Vec<Lost<'a>> },
    /// No way of open links led there.
    Apart { side: usize, lost: Vec<Lost<'a>> },
    /// This far it came, and not over the next link.
    Stuck { holder: Addr, next: Addr, at: Time, fate: Fate<'a> },
}

/// What became of the link that the message did not cross.
enum Fate<'a> {
    /// A fault was on it that keeps messages, or some of them, from arriving.
    Faulty(&'a Record),
    /// It ended.
    Ended(Lost<'a>),
    /// The holder stopped or hung.
    HolderDown(&'a Node),
    /// The next node did.
    NextDown(&'a Node),
    /// It came about only after the holder had the message.
    Late,
    /// Nothing that was seen.
    Open,
}

/// A link that ended, as one of its ends tells.
#[derive(Clone, Copy)]
struct Lost<'a> {
    link: &'a Link,
    step: &'a Step,
}

/// One message, and the overlay as it was when it began.
struct Inquiry<'a> {
    teller: Teller<'a>,
    rumor: &'a Rumor,
    began: Time,
    overlay: Overlay,
}

impl<'a> Inquiry<'a> {
    fn new(teller: Teller<'a>, rumor: &'a Rumor) -> Self {
        let began = rumor.began();
        Self { teller, rumor, began, overlay: teller.model.overlay_at(began) }
    }

    fn reason(&self, node: Addr) -> Reason<'a> {
        let Some(known) = self.teller.model.nodes().get(node) else { return Reason::NotOurs };
        if known.role == Some(Role::Seed) {
            return Reason::Seed;
        }
        let Some(from) = known.ran_from else { return Reason::NotOurs };
        let stopped = (known.life != Life::Running).then_some(known.life_since);
        if from > self.began {
            Reason::Later { from }
        } else if stopped.is_some_and(|at| at <= self.began) {
            Reason::Down { node: known }
        } else if stopped.is_some_and(|at| at < self.began + DELIVERY_TIME) {
            Reason::WentDown { node: known }
        } else if self.overlay.graph.degree(node) == 0 {
            Reason::Alone { lost: self.lost_by(|link| touches(link, node)) }
        } else {
            self.way_to(node)
        }
    }

    /// The way from those who have it, as far as it came.
    fn way_to(&self, node: Addr) -> Reason<'a> {
        let way = self.overlay.graph.way(self.rumor.copies.keys().copied(), node);
        if let [holder, next, ..] = way[..] {
            let at = self.rumor.copies.get(&holder).map_or(self.began, |copy| copy.at);
            return Reason::Stuck { holder, next, at, fate: self.fate(holder, next, at) };
        }
        let side: BTreeSet<Addr> = self.overlay.graph.distances(node).into_iter().map(|(node, _)| node).collect();
        let crosses = |link: &Link| side.contains(&link.key.node) != side.contains(&link.key.peer);
        let with_the_others = |link: &Link| self.holds(link.key.node) || self.holds(link.key.peer);
        let lost = self.lost_by(|link| crosses(link) && with_the_others(link));
        Reason::Apart { side: side.len(), lost }
    }

    fn holds(&self, node: Addr) -> bool {
        self.rumor.copies.contains_key(&node)
    }

    fn fate(&self, holder: Addr, next: Addr, at: Time) -> Fate<'a> {
        let nodes = self.teller.model.nodes();
        let went_down = |node: Addr| {
            let stopped = |node: &&Node| node.life != Life::Running && node.life_since < at + DELIVERY_TIME;
            nodes.get(node).filter(|node| node.is_ours()).filter(stopped)
        };
        let was_on = |record: &&Record| record.was_at(at) && record.fault.what.kind() != TroubleKind::Duplicate;
        if let Some(record) = self.teller.model.faults().ever_on_link(holder, next).find(was_on) {
            return Fate::Faulty(record);
        }
        if let Some(node) = went_down(holder) {
            return Fate::HolderDown(node);
        }
        if let Some(node) = went_down(next) {
            return Fate::NextDown(node);
        }
        let is_it = |link: &Link| touches(link, holder) && touches(link, next);
        let is_around = |lost_at: Time| lost_at + LOST_AROUND > at && lost_at < at + DELIVERY_TIME;
        if let Some(lost) = self.lost_by(is_it).into_iter().find(|lost| is_around(lost.step.at)) {
            return Fate::Ended(lost);
        }
        if self.teller.model.overlay_at(at).graph.are_linked(holder, next) { Fate::Open } else { Fate::Late }
    }

    /// The latest losses of links such as these that a message of that time could have met; one a link.
    fn lost_by(&self, wanted: impl Fn(&Link) -> bool) -> Vec<Lost<'a>> {
        let until = self.rumor.last_first.max(self.began) + LOST_AROUND;
        let last_loss = |link: &'a Link| {
            let is_loss = |step: &&Step| {
                matches!(step.what, StepKind::Down { .. } | StepKind::Dropped | StepKind::NodeStopped)
                    && step.at <= until
            };
            link.history.iter().rev().find(is_loss).map(|step| Lost { link, step })
        };
        let is_neighbor = |link: &&Link| link.purpose == crate::event::Purpose::Neighbor;
        let links = self.teller.model.links().iter().filter(is_neighbor).filter(|link| wanted(link));
        let mut lost: Vec<Lost<'a>> = links.filter_map(last_loss).collect();
        // The end that knew first knows why.
        lost.sort_by_key(|lost| (lost.step.at, is_seen_only(lost.step)));
        let mut pairs = BTreeSet::new();
        lost.retain(|Lost { link, .. }| {
            let pair = (link.key.node.min(link.key.peer), link.key.node.max(link.key.peer));
            pairs.insert(pair)
        });
        lost.reverse();
        lost
    }

    fn sentence(&self, node: Addr, reason: &Reason<'_>) -> String {
        let (name, message) = (self.teller.name(node), self.teller.model.message_name(self.rumor.id));
        let doubt = if self.is_certain() { "" } else { "; not certain, because not all of that time is known here" };
        format!("{name} does not have {message}: {}{doubt}", self.clause(node, reason))
    }

    fn is_certain(&self) -> bool {
        self.overlay.is_certain && self.teller.model.is_complete(self.rumor)
    }

    fn clause(&self, node: Addr, reason: &Reason<'_>) -> String {
        let name = self.teller.name(node);
        match reason {
            Reason::NotOurs => "that is not certain: it does not run in this process, and only it can tell".to_owned(),
            Reason::Seed => "it is a seed, and seeds do not gossip".to_owned(),
            Reason::Later { from } => {
                let (at, after) = (self.teller.clock(*from), span_text(from.since(self.began)));
                format!("it started at {at}, {after} after the message began, and nobody repeats it")
            }
            Reason::Down { node } => format!("it was down when the message began: {}", self.fate_of(node)),
            Reason::WentDown { node } => format!("it went down before the message came: {}", self.fate_of(node)),
            Reason::Alone { lost } => match lost.first() {
                Some(lost) => format!("it had no neighbor; its last link, {}", self.lost_text(*lost)),
                None => "it had no neighbor yet".to_owned(),
            },
            Reason::Apart { side, lost } => self.apart(*side, lost),
            Reason::Stuck { holder, next, at, fate } => self.stuck(&name, (*holder, *next, *at), fate),
        }
    }

    fn apart(&self, side: usize, lost: &[Lost<'_>]) -> String {
        let with = match side {
            1 => "it was".to_owned(),
            more => format!("it and {} were", count_text(more as u64 - 1, "other")),
        };
        let origin = self.teller.name(self.rumor.id.origin);
        let why = match lost.first() {
            Some(lost) => format!("the last link between the two sides, {}", self.lost_text(*lost)),
            None => "no link between the two sides is known here".to_owned(),
        };
        format!("{with} in another part of the overlay than {origin}; {why}")
    }

    fn stuck(&self, name: &str, (holder, next, at): (Addr, Addr, Time), fate: &Fate<'_>) -> String {
        let (from, to) = (self.teller.name(holder), self.teller.name(next));
        let had = format!("{from} had it at {}", self.teller.clock(at));
        let came = if to == name { had } else { format!("it did not come past {to}, on the way to {name}; {had}") };
        let why = match fate {
            Fate::Faulty(record) => self.faulty(record, &to),
            Fate::Ended(lost) => format!("but its link to {to} ended at {}", self.ended_text(*lost)),
            Fate::HolderDown(node) | Fate::NextDown(node) => format!("but {}", self.fate_of(node)),
            Fate::Late => format!("but its link to {to} was not open at that moment"),
            Fate::Open if self.teller.model.now() < at + DELIVERY_TIME => {
                format!("and its link to {to} is open: it may be on its way")
            }
            Fate::Open => format!(
                "and its link to {to} was open, as far as is known here: what became of that copy is not certain"
            ),
        };
        format!("{came}, {why}")
    }

    fn faulty(&self, record: &Record, to: &str) -> String {
        let (fault, since) = (self.teller.fault(record), self.teller.clock(record.since));
        match record.fault.what.kind() {
            TroubleKind::Cut => format!("but nothing passes from it to {to}: {fault}, since {since}"),
            TroubleKind::Delay
            | TroubleKind::Loss
            | TroubleKind::Duplicate
            | TroubleKind::Reorder
            | TroubleKind::Slow
            | TroubleKind::Skew
            | TroubleKind::Junk => {
                format!(
                    "and a fault on its link to {to} may have kept it, which is not certain: {fault}, since {since}"
                )
            }
        }
    }

    /// `p4 was killed at 03:13:02`.
    fn fate_of(&self, node: &Node) -> String {
        let what = match node.life {
            Life::Killed => "was killed",
            Life::Hung => "hangs since",
            Life::Left => "left politely",
            Life::Running | Life::Elsewhere => "is up since",
        };
        let at = if what.ends_with("since") { "" } else { "at " };
        format!("{} {what} {at}{}", self.teller.name(node.addr), self.teller.clock(node.life_since))
    }

    /// `p4 - p7, ended at 03:13:02: p4 was killed`.
    fn lost_text(&self, lost: Lost<'_>) -> String {
        format!("{}, ended at {}", self.pair(lost.link), self.ended_text(lost))
    }

    fn pair(&self, link: &Link) -> String {
        format!("{} - {}", self.teller.name(link.key.node), self.teller.name(link.key.peer))
    }

    fn ended_text(&self, lost: Lost<'_>) -> String {
        format!("{}: {}", self.teller.clock(lost.step.at), end_of(self.teller, lost.link, lost.step))
    }

    fn evidence(&self, node: Addr, reason: &Reason<'_>) -> Vec<Evidence> {
        let message = self.teller.model.message_name(self.rumor.id);
        let mut lines =
            vec![Evidence::at(self.began, format!("{message} began at {}", self.teller.name(self.rumor.id.origin)))];
        lines.extend(self.overlay.graph.neighbors(node).map(|neighbor| self.neighbor(neighbor, node)));
        let lost = match reason {
            Reason::Alone { lost } | Reason::Apart { lost, .. } => lost.as_slice(),
            Reason::Stuck { fate: Fate::Ended(lost), .. } => std::slice::from_ref(lost),
            Reason::NotOurs | Reason::Seed | Reason::Later { .. } | Reason::Down { .. } | Reason::WentDown { .. } => {
                &[]
            }
            Reason::Stuck { holder, .. } => {
                lines.extend(self.forwarded(*holder));
                &[]
            }
        };
        if let Reason::Stuck { holder, next, .. } = reason {
            lines.extend(self.teller.faults_between(*holder, *next));
        }
        for lost in lost.iter().take(LOST_MAX) {
            lines.extend(self.teller.faults_between(lost.link.key.node, lost.link.key.peer));
        }
        lines.extend(lost.iter().take(LOST_MAX).map(|lost| {
            let why = end_of(self.teller, lost.link, lost.step);
            Evidence::at(lost.step.at, format!("link {} ended: {why}", self.pair(lost.link)))
        }));
        lines.extend(self.teller.model.nodes().get(node).and_then(|node| self.life_line(node)));
        in_order(lines)
    }

    fn neighbor(&self, neighbor: Addr, node: Addr) -> Evidence {
        let (neighbor_name, name) = (self.teller.name(neighbor), self.teller.name(node));
        match self.rumor.copies.get(&neighbor) {
            Some(copy) => Evidence::at(copy.at, format!("{neighbor_name}, linked to {name} when it began, had it")),
            None if self.overlay.elsewhere.contains(&neighbor) => Evidence::now(format!(
                "{neighbor_name}, linked to {name}, runs elsewhere: not certain whether it had it"
            )),
            None => Evidence::now(format!("{neighbor_name}, linked to {name} when it began, does not have it either")),
        }
    }

    /// To how many the holder sent it on.
    fn forwarded(&self, holder: Addr) -> Option<Evidence> {
        let copy = self.rumor.copies.get(&holder)?;
        let entry = self.teller.model.gossip().get(copy.entry)?;
        let (EntryKind::Generated { forwarded, .. } | EntryKind::Received { forwarded, .. }) = entry.what else {
            return None;
        };
        let to = count_text(forwarded as u64, "neighbor");
        Some(Evidence::at(entry.at, format!("{} sent it on to {to}", self.teller.name(holder))))
    }

    fn life_line(&self, node: &Node) -> Option<Evidence> {
        match node.life {
            Life::Elsewhere => None,
            Life::Running => {
                node.ran_from.map(|from| Evidence::at(from, format!("{} started", self.teller.name(node.addr))))
            }
            Life::Hung | Life::Left | Life::Killed => Some(Evidence::at(node.life_since, self.fate_of(node))),
        }
    }
}

/// This end only saw the connection go; the other one may know why.
pub(super) fn is_seen_only(step: &Step) -> bool {
    let StepKind::Down { end } = step.what else { return false };
    matches!(end, LinkEnd::Dead { cause: DeathCause::Closed | DeathCause::LinkError } | LinkEnd::RegistrationLost)
}

/// When this link was last lost, if it is, and how: `p2 - p3, ended at 03:13:02: p2 was killed`.
pub(super) fn last_loss(teller: Teller<'_>, link: &Link) -> Option<(Time, String)> {
    let is_loss = |step: &&Step| matches!(step.what, StepKind::Down { .. } | StepKind::Dropped | StepKind::NodeStopped);
    let step = link.history.iter().rev().find(is_loss).filter(|_| !link.is_up())?;
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    let why = end_of(teller, link, step);
    Some((step.at, format!("{node} - {peer}, ended at {}: {why}", teller.clock(step.at))))
}

fn touches(link: &Link, node: Addr) -> bool {
    link.key.node == node || link.key.peer == node
}

/// Why a link ended, told from outside: who did it.
pub(super) fn end_of(teller: Teller<'_>, link: &Link, step: &Step) -> String {
    let (node, peer) = (teller.name(link.key.node), teller.name(link.key.peer));
    match step.what {
        StepKind::Down { end } => ended_by(&node, &peer, end),
        StepKind::Dropped => format!("{peer} dropped it, because {node} hung"),
        StepKind::NodeStopped => format!("{node} stopped"),
        StepKind::Dialing
        | StepKind::DialFailed { .. }
        | StepKind::Refused { .. }
        | StepKind::NotAccepted { .. }
        | StepKind::HandshakeFailed
        | StepKind::Violation { .. }
        | StepKind::OtherDialect { .. }
        | StepKind::Up { .. } => "not certain why".to_owned(),
    }
}

/// Who closed a link of `node` to `peer`, and why.
pub(super) fn ended_by(node: &str, peer: &str, end: LinkEnd) -> String {
    use crate::event::Side;
    match end {
        LinkEnd::Goodbye { side: Side::Us, reason } => format!("{node} closed it and said goodbye: {reason}"),
        LinkEnd::Goodbye { side: Side::Them, reason } => format!("{peer} closed it and said goodbye: {reason}"),
        LinkEnd::Dead { cause } => format!("{node} took {peer} for dead: {cause}"),
        LinkEnd::TooSlow => {
            format!("{node} dropped it, because {peer} read too slowly: the queue was full, and what was in it is lost")
        }
        LinkEnd::Violation => format!("{node} closed it, because {peer} broke the protocol"),
        LinkEnd::NotAccepted => format!("{peer} never accepted it"),
        LinkEnd::Refused { reason } => format!("{peer} refused it: {reason}"),
        LinkEnd::RegistrationLost => format!("{} (seen by {node})", end_text(end)),
    }
}
