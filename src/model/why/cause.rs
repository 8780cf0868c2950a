//! What the user did that explains why one node did not hear another: a fault between the two, or a
//! hang or stop of the other. An answer names it first.

use super::{EvidenceLine, Explainer};
use crate::event::NodeState;
use crate::model::fault::FaultRecord;
use crate::model::node::{LifeChange, Lives};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::fault::{FaultKind, Hindrance, Scope};
use crate::proto::time::Time;

/// Faults that a sentence names.
const FAULTS_MAX: usize = 2;

/// Why nothing was heard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause<'a> {
    /// Nothing passed between the two.
    Barrier(&'a FaultRecord),
    /// This node hung or stopped.
    Gone(Addr, LifeChange),
    /// A fault on the node that makes it look dead: a slow reader.
    Made(&'a FaultRecord),
    /// A fault that stops some messages, or stopped all of them for part of the time.
    Perhaps(&'a FaultRecord),
}

/// The time during which one node got no answer from another, from the first probe on.
#[derive(Clone, Copy)]
pub(super) struct Silence {
    pub(super) from: Time,
    pub(super) until: Time,
}

impl Silence {
    /// It overlaps this time.
    fn meets(self, since: Time, until: Option<Time>) -> bool {
        since <= self.until && until.is_none_or(|until| until >= self.from)
    }

    /// It covers most of this time.
    fn is_mostly(self, since: Time, until: Option<Time>) -> bool {
        let end = until.map_or(self.until, |until| until.min(self.until));
        end.since(since.max(self.from)) * 2 >= self.until.since(self.from)
    }
}

/// Whether it stops everything.
pub(super) fn is_barrier(record: &FaultRecord) -> bool {
    let what = record.fault.what;
    what == FaultKind::Cut || matches!(what, FaultKind::Loss { percent } if percent.get() == 100)
}

/// Whether it stops or delays some messages.
pub(super) fn is_hindrance(record: &FaultRecord) -> bool {
    record.fault.what.class().row().hindrance != Hindrance::None && record.fault.what != FaultKind::Cut
}

impl<'a> Explainer<'a> {
    /// Why `node` heard nothing from `peer` in this time: the first of the causes that lasted for
    /// most of it.
    pub(super) fn cause_of(self, node: Addr, peer: Addr, silence: Silence) -> Option<Cause<'a>> {
        let met = |record: &&FaultRecord| silence.meets(record.since, record.until);
        let faults = || self.model.faults().ever_between(node, peer).filter(met);
        let whole = |record: &&FaultRecord| is_barrier(record) && silence.is_mostly(record.since, record.until);
        let barrier = faults().filter(whole).min_by_key(|record| record.since);
        let gone = self.gone(peer, silence);
        match (barrier, gone) {
            (Some(record), Some(turn)) if record.since < turn.at => Some(Cause::Barrier(record)),
            (_, Some(turn)) => Some(Cause::Gone(peer, turn)),
            (Some(record), None) => Some(Cause::Barrier(record)),
            (None, None) => faults().find(|record| is_barrier(record) || is_hindrance(record)).map(Cause::Perhaps),
        }
    }

    /// When this node fell silent, in this time or before it.
    fn gone(self, node: Addr, silence: Silence) -> Option<LifeChange> {
        let lives = self.lives(node)?;
        let is_gone = |turn: &&LifeChange| {
            turn.life != NodeState::Runs && silence.meets(turn.at, lives.after(turn.at).map(|next| next.at))
        };
        lives.turns().iter().find(is_gone).copied()
    }

    pub(super) fn lives(self, node: Addr) -> Option<&'a Lives> {
        self.model.nodes().get(node).map(|node| &node.lives)
    }

    /// The cause as a clause; `who`: the two nodes it is about.
    pub(super) fn cause_clause(self, cause: Cause<'_>, who: &str) -> String {
        match cause {
            Cause::Barrier(record) => self.barrier(record, who),
            Cause::Gone(node, turn) => format!("{} {}", self.name(node), self.turn(turn)),
            Cause::Made(record) => format!("the user made it so, by {}", self.named(record)),
            Cause::Perhaps(record) => format!("{} may be why, which is not certain", self.named(record)),
        }
    }

    /// `p1 and p5 were cut from each other by 'cut p1 p5' since 03:13:02`.
    fn barrier(self, record: &FaultRecord, who: &str) -> String {
        if record.fault.what == FaultKind::Cut {
            format!("{who} were cut from each other by {}", self.named(record))
        } else {
            format!("nothing passed between {who}, by {}", self.named(record))
        }
    }

    /// What separates these two now, or may: `nothing passes between them: 'cut p1 p5' since
    /// 03:13:02`.
    pub(super) fn fault_now(self, one: Addr, other: Addr) -> Option<String> {
        let records: Vec<&FaultRecord> =
            self.model.faults().ever_between(one, other).filter(|record| record.until.is_none()).collect();
        if let Some(record) = records.iter().find(|record| is_barrier(record)) {
            return Some(format!("nothing passes between them: {}", self.named(record)));
        }
        let hindrances: Vec<String> =
            records.iter().filter(|record| is_hindrance(record)).map(|record| self.named(record)).collect();
        (!hindrances.is_empty()).then(|| {
            let is = if hindrances.len() == 1 { "is" } else { "are" };
            format!("{} {is} on it", list_text(&hindrances, FAULTS_MAX))
        })
    }

    /// What hinders all messages of a node now: `'delay p5 3s' since 03:13:02 may be why, which is
    /// not certain`.
    pub(super) fn hindered_now(self, node: Addr) -> Option<String> {
        let is_it = |record: &&FaultRecord| record.fault.on.is_at(node) && is_hindrance(record);
        self.model.faults().iter().find(is_it).map(|record| self.cause_clause(Cause::Perhaps(record), ""))
    }

    /// A fault that may have stopped something between two nodes at this time.
    pub(super) fn hindrance_at(self, one: Addr, other: Addr, at: Time) -> Option<Cause<'a>> {
        let is_it = |record: &&FaultRecord| is_hindrance(record) && record.was_at(at);
        self.model.faults().ever_between(one, other).find(is_it).map(Cause::Perhaps)
    }

    /// Which of two nodes hangs now: `p5 hangs since 03:13:02`.
    pub(super) fn hung_now(self, nodes: [Addr; 2]) -> Option<String> {
        let hung = nodes.into_iter().filter_map(|node| self.model.nodes().get(node));
        let mut hung = hung.filter(|node| node.life() == Some(NodeState::Hangs));
        hung.next().map(|node| format!("{} hangs since {}", self.name(node.addr), self.clock(node.life_since())))
    }

    /// `because of 'cut p1 p5' since 03:13:02`; if none is certain, it says so.
    pub(super) fn because(self, causes: &[Cause<'_>]) -> Option<String> {
        let (mut barriers, mut perhaps): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for cause in causes {
            match cause {
                Cause::Barrier(record) | Cause::Made(record) => push_new(&mut barriers, self.named(record)),
                Cause::Perhaps(record) => push_new(&mut perhaps, self.named(record)),
                Cause::Gone(..) => {}
            }
        }
        if barriers.is_empty() && perhaps.is_empty() {
            return None;
        }
        if barriers.is_empty() {
            return Some(format!("perhaps because of {}, which is not certain", list_text(&perhaps, FAULTS_MAX)));
        }
        Some(format!("because of {}", list_text(&barriers, FAULTS_MAX)))
    }

    /// The command that set it, and when: `'cut p1 p5' since 03:13:02`.
    pub(super) fn named(self, record: &FaultRecord) -> String {
        let since = self.clock(record.since);
        match record.until {
            Some(until) => format!("'{}' from {since} to {}", self.fault(record), self.clock(until)),
            None => format!("'{}' since {since}", self.fault(record)),
        }
    }

    /// The first of these, and how many more there are: `'cut p1 p5' since 03:13:02 and 6 more`.
    pub(super) fn named_first(self, records: &[&FaultRecord]) -> Option<String> {
        let first = self.named(records.first()?);
        Some(match records.len() - 1 {
            0 => first,
            more => format!("{first} and {more} more"),
        })
    }

    /// A fault as the command that sets it, with no more names than fit a sentence.
    pub(super) fn fault(self, record: &FaultRecord) -> String {
        match &record.fault.on {
            Scope::Border(nodes) if nodes.len() > super::NAMES_MAX => {
                let names = record.fault.on.names_in_order(&|addr| self.name(addr));
                let first = names[..super::NAMES_MAX - 1].join(" ");
                format!("partition {first} and {} more", nodes.len() + 1 - super::NAMES_MAX)
            }
            Scope::All | Scope::Node(_) | Scope::Link(..) | Scope::Border(_) => {
                record.fault.text(&|addr| self.name(addr))
            }
        }
    }

    /// What became of a node, and when: `was killed at 03:13:02`.
    pub(super) fn turn(self, turn: LifeChange) -> String {
        let at = self.clock(turn.at);
        match turn.life {
            NodeState::Killed => format!("was killed at {at}"),
            NodeState::Hangs => format!("hung at {at}"),
            NodeState::Left => format!("left politely at {at}"),
            NodeState::Runs => format!("started at {at}"),
        }
    }

    /// All changes of a node of ours after its first start.
    pub(super) fn turns(self, node: Addr) -> Vec<EvidenceLine> {
        let name = self.name(node);
        let told = |turn: &LifeChange| {
            let text = match turn.life {
                NodeState::Killed => "was killed: links broken off, no goodbye",
                NodeState::Hangs => "hung: its sockets are open, it says nothing",
                NodeState::Left => "left politely",
                NodeState::Runs => "was started again",
            };
            EvidenceLine::at(turn.at, format!("{name} {text}"))
        };
        let turns = self.lives(node).map(Lives::turns).unwrap_or_default();
        let later = turns.iter().enumerate().filter(|(place, turn)| *place > 0 || turn.life != NodeState::Runs);
        later.map(|(_, turn)| told(turn)).collect()
    }
}

fn push_new(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}
