//! Reasons in words.

use super::{EvidenceLine, Explainer, SourceKind};
use crate::event::NodeState;
use crate::model::Model;
use crate::model::cause::{Causes, Deed, Reason, deeds_of};
use crate::model::fault::FaultRecord;
use crate::model::node::{LifeChange, Lives};
use crate::model::words::list_text;
use crate::proto::addr::Addr;
use crate::proto::fault::{FaultKind, Scope};

/// Deeds of one kind that a sentence names.
const DEEDS_MAX: usize = 6;
/// Deeds that a sentence names if none of them is certain.
const PERHAPS_MAX: usize = 2;

/// A deed as every answer names it, in whatever sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDeed {
    /// `'cut p1 p5'`, `was killed`.
    pub what: String,
    /// `03:13:02`.
    pub at: String,
}

/// The deeds that a reason names.
pub fn named_deeds(model: &Model, reason: &Reason, utc_offset_s: i32) -> Vec<NamedDeed> {
    let explainer = Explainer { model, utc_offset_s };
    let what = |deed: &Deed| match *deed {
        Deed::Fault(fault) => {
            let record = model.faults().find(fault);
            record.map(|record| format!("'{}'", explainer.fault(record))).unwrap_or_default()
        }
        Deed::Turned { at, to, .. } => {
            let turn = explainer.turn(LifeChange { at, life: to });
            turn.split(" at ").next().unwrap_or_default().to_owned()
        }
        Deed::Lied { liar, .. } => format!("{} lied", explainer.name(liar)),
    };
    deeds_of(reason).iter().map(|deed| NamedDeed { what: what(deed), at: explainer.clock(deed.at()) }).collect()
}

impl Explainer<'_> {
    /// `because of 'cut p1 p5' since 03:13:02`; if none is certain, it says so. `None` if nothing is
    /// known that could be why.
    pub(super) fn because(self, reason: &Reason) -> Option<String> {
        match reason {
            Reason::Deeds(causes) => Some(self.because_of(causes)),
            Reason::NotCertain(deeds) => {
                let each = |deed: &Deed| self.together(std::slice::from_ref(deed));
                let named: Vec<String> = deeds.iter().take(PERHAPS_MAX).map(each).collect();
                let more = match deeds.len().saturating_sub(PERHAPS_MAX) {
                    0 => String::new(),
                    more => format!(" or {more} more"),
                };
                (!named.is_empty()).then(|| format!("perhaps {}{more} (not certain)", named.join(" or ")))
            }
            Reason::Rule(_) => None,
        }
    }

    fn because_of(self, causes: &Causes) -> String {
        let sets: Vec<String> = causes.alternatives().iter().map(|set| self.together(set)).collect();
        match sets.as_slice() {
            [one] => one.clone(),
            [one, other] => format!("{one} or {other} (either alone would have done it)"),
            sets => format!("{} (each alone would have done it)", sets.join(" or ")),
        }
    }

    /// `because of 'cut p1 p5' since 03:13:02 and because p7 hung at 03:13:04`.
    fn together(self, set: &[Deed]) -> String {
        let (faults, others): (Vec<Deed>, Vec<Deed>) = set.iter().partition(|deed| matches!(deed, Deed::Fault(_)));
        let faults: Vec<String> = faults.into_iter().map(|deed| self.deed(deed)).collect();
        let faults = (!faults.is_empty()).then(|| format!("because of {}", list_text(&faults, DEEDS_MAX)));
        let others: Vec<String> = others.into_iter().map(|deed| self.deed(deed)).collect();
        let others = (!others.is_empty()).then(|| format!("because {}", list_text(&others, DEEDS_MAX)));
        faults.into_iter().chain(others).collect::<Vec<_>>().join(" and ")
    }

    /// A fault as [`Explainer::named`], anything else as a clause: `p7 hung at 03:13:04`.
    fn deed(self, deed: Deed) -> String {
        match deed {
            Deed::Fault(fault) => match self.model.faults().find(fault) {
                Some(record) => self.named(record),
                None => format!("a fault of {} that is no longer known", self.clock(fault.at)),
            },
            Deed::Turned { node, at, to } => format!("{} {}", self.name(node), self.turn(LifeChange { at, life: to })),
            Deed::Lied { liar, about, at } => {
                format!("{} lied about {} at {}", self.name(liar), self.name(about), self.clock(at))
            }
        }
    }

    /// The reason of what happened between two nodes as a clause of its own: `the two were cut from each
    /// other by 'cut p1 p5' since 03:13:02`. `None` if nothing is known that could be why.
    pub(super) fn reason_clause(self, reason: &Reason) -> Option<String> {
        match reason {
            Reason::Deeds(causes) => Some(match causes.only() {
                Some(deed @ Deed::Fault(_)) => self.fault_clause(deed),
                Some(deed) => self.deed(deed),
                None => format!("it was so {}", self.because_of(causes)),
            }),
            Reason::NotCertain(deeds) => {
                let deeds: Vec<String> = deeds.iter().map(|deed| self.deed(*deed)).collect();
                let named = || list_text(&deeds, PERHAPS_MAX);
                (!deeds.is_empty()).then(|| format!("{} may be why, which is not certain", named()))
            }
            Reason::Rule(_) => None,
        }
    }

    fn fault_clause(self, deed: Deed) -> String {
        let record = match deed {
            Deed::Fault(fault) => self.model.faults().find(fault),
            Deed::Turned { .. } | Deed::Lied { .. } => None,
        };
        match record {
            Some(record) if record.fault.what == FaultKind::Cut => {
                format!("the two were cut from each other by {}", self.named(record))
            }
            Some(record) if record.stops_all() => format!("nothing passed between the two, by {}", self.named(record)),
            Some(record) => format!("the user made it so, by {}", self.named(record)),
            None => format!("it was so because of {}", self.deed(deed)),
        }
    }

    /// What separates these two now, or may: `nothing passes between them: 'cut p1 p5' since
    /// 03:13:02`.
    pub(super) fn fault_now(self, one: Addr, other: Addr) -> Option<String> {
        let records: Vec<&FaultRecord> =
            self.model.faults().ever_between(one, other).filter(|record| record.until.is_none()).collect();
        if let Some(record) = records.iter().find(|record| record.stops_all()) {
            return Some(format!("nothing passes between them: {}", self.named(record)));
        }
        let hindrances: Vec<String> =
            records.iter().filter(|record| record.hinders()).map(|record| self.named(record)).collect();
        (!hindrances.is_empty()).then(|| {
            let is = if hindrances.len() == 1 { "is" } else { "are" };
            format!("{} {is} on it", list_text(&hindrances, PERHAPS_MAX))
        })
    }

    /// Which of two nodes hangs now: `p5 hangs since 03:13:02`.
    pub(super) fn hung_now(self, nodes: [Addr; 2]) -> Option<String> {
        let hung = nodes.into_iter().filter_map(|node| self.model.nodes().get(node));
        let mut hung = hung.filter(|node| node.life() == Some(NodeState::Hangs));
        hung.next().map(|node| format!("{} hangs since {}", self.name(node.addr), self.clock(node.life_since())))
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
            EvidenceLine::at(turn.at, format!("{name} {text}")).told_by(node, SourceKind::Life)
        };
        let turns = self.model.nodes().lives(node).map(Lives::turns).unwrap_or_default();
        let later = turns.iter().enumerate().filter(|(place, turn)| *place > 0 || turn.life != NodeState::Runs);
        later.map(|(_, turn)| told(turn)).collect()
    }
}
