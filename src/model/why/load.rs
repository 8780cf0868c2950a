//! Who carries the messages, and what falls apart without whom.

use super::table::{AnswerCell, AnswerColumn, AnswerTable, NetworkAnswer, share};
use super::{EvidenceLine, Explainer, Explanation};
use crate::model::graph::{Graph, Split};
use crate::model::words::{count_text, list_text};
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::message::Role;

/// Peers that a verdict names in one clause.
const CLAUSES_MAX: usize = 3;
/// Peers whose loss is told with the names of those that would be cut off.
const SPLITS_TOLD_MAX: usize = 20;
/// Peers of an overlay for which those names are looked for: each takes a walk over all of it.
const NAMED_OVERLAY_MAX: usize = 2_000;

const COLUMNS: &[AnswerColumn] = &[
    AnswerColumn { title: "PEER", key: "peer" },
    AnswerColumn { title: "SENT", key: "sent" },
    AnswerColumn { title: "SHARE", key: "sent_percent" },
    AnswerColumn { title: "USEFUL", key: "useful" },
    AnswerColumn { title: "REDUNDANT", key: "redundant" },
    AnswerColumn { title: "NO RECEIPT", key: "no_receipt" },
    AnswerColumn { title: "LINKS", key: "links" },
    AnswerColumn { title: "CUTS OFF", key: "cut_off" },
    AnswerColumn { title: "PARTS", key: "parts" },
];

/// The copies that one peer sent.
#[derive(Debug, Clone, Copy, Default)]
struct CopiesSent {
    /// `None`: it runs elsewhere.
    sent: Option<u64>,
    /// Those that were the first of their message at the receiver.
    useful: u64,
    /// Those that came later.
    redundant: u64,
}

impl CopiesSent {
    /// Lost, on their way, or sent to nodes elsewhere.
    fn without_receipt(self) -> Option<u64> {
        Some(self.sent?.saturating_sub(self.useful + self.redundant))
    }

    /// What is known that it sent.
    fn known(self) -> u64 {
        self.sent.unwrap_or(0).max(self.useful + self.redundant)
    }
}

pub(super) fn load(model: &Model, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let graph = model.overlay().with_one_elsewhere();
    let mut splits = graph.cuts().splits;
    splits.sort_by_cached_key(|split| (std::cmp::Reverse(split.cut_off), model.nodes().order_of(split.node)));
    let copies = explainer.copies_sent();
    let total = copies.values().map(|copies| copies.known()).sum();
    let by_node: Map<Addr, Split> = splits.iter().map(|split| (split.node, *split)).collect();
    let row = |(peer, copies): (&Addr, &CopiesSent)| explainer.load_row(*peer, *copies, total, (&graph, &by_node));
    let table = AnswerTable::new(COLUMNS, copies.iter().map(row).collect());
    let mut evidence = explainer.split_lines(&graph, &splits);
    evidence.extend(explainer.untold_of_load(&copies));
    let forgotten = model.links().forgotten_copies();
    let verdict =
        format!("{} {}", explainer.verdict_of_load(&copies, total), explainer.verdict_of_splits(&graph, &splits));
    NetworkAnswer { title: "Who carries the load", verdict, is_certain: forgotten == 0, evidence, table }.into()
}

impl Explainer<'_> {
    /// What each peer sent since the session began, most first.
    fn copies_sent(self) -> Map<Addr, CopiesSent> {
        let nodes = self.model.nodes();
        let peers = nodes.iter().filter(|node| node.is_ours() && node.role == Some(Role::Peer));
        let own = |sent| CopiesSent { sent: Some(sent), ..CopiesSent::default() };
        let mut copies: Map<Addr, CopiesSent> = peers.map(|node| (node.addr, own(node.counters.forwarded))).collect();
        for link in self.model.links().iter() {
            let counts = link.copies;
            if counts.first + counts.further > 0 {
                let sender = copies.entry(link.key.peer).or_default();
                sender.useful += u64::from(counts.first);
                sender.redundant += u64::from(counts.further);
            }
        }
        copies.sort_by(|one, its, other, their| {
            their.known().cmp(&its.known()).then_with(|| nodes.order_of(*one).cmp(&nodes.order_of(*other)))
        });
        copies
    }

    fn load_row(
        self,
        peer: Addr,
        copies: CopiesSent,
        total: u64,
        (graph, splits): (&Graph, &Map<Addr, Split>),
    ) -> Vec<AnswerCell> {
        let split = splits.get(&peer);
        let count = |count: u64| AnswerCell::Count(count);
        let or_nothing = |cell: Option<u64>| cell.map_or(AnswerCell::Nothing, AnswerCell::Count);
        let is_there = graph.contains(peer);
        vec![
            AnswerCell::Text(self.name(peer)),
            or_nothing(copies.sent),
            AnswerCell::Percent(share(copies.known(), total)),
            count(copies.useful),
            count(copies.redundant),
            or_nothing(copies.without_receipt()),
            or_nothing(is_there.then(|| graph.degree(peer) as u64)),
            or_nothing(is_there.then(|| split.map_or(0, |split| split.cut_off as u64))),
            or_nothing(is_there.then(|| split.map_or(1, |split| split.parts as u64))),
        ]
    }

    /// `20 messages took 410 copies: 220 useful (53%), 180 redundant, 10 without a receipt. p3 sent most (24%).`
    fn verdict_of_load(self, copies: &Map<Addr, CopiesSent>, total: u64) -> String {
        if total == 0 {
            return "No copy of a message has been sent yet.".to_owned();
        }
        let sum = |of: fn(&CopiesSent) -> u64| copies.values().map(of).sum::<u64>();
        let (useful, redundant) = (sum(|copies| copies.useful), sum(|copies| copies.redundant));
        let messages = count_text(self.model.totals().generated, "message");
        let took = format!(
            "{messages} took {total} copies: {useful} useful ({}%), {redundant} redundant, {} without a receipt.",
            share(useful, total),
            sum(|copies| copies.without_receipt().unwrap_or(0))
        );
        let most: Vec<String> = copies
            .iter()
            .filter(|(_, copies)| copies.known() > 0)
            .take(CLAUSES_MAX)
            .map(|(peer, copies)| format!("{} ({}%)", self.name(*peer), share(copies.known(), total)))
            .collect();
        format!("{took} {} sent most.", list_text(&most, CLAUSES_MAX))
    }

    fn verdict_of_splits(self, graph: &Graph, splits: &[Split]) -> String {
        let (peers, (alone, parts)) = (graph.nodes().count(), graph.alone_and_parts());
        let parted = if parts.len() > 1 { format!("The overlay is in {} parts. ", parts.len()) } else { String::new() };
        let is = if alone.len() == 1 { "is" } else { "are" };
        let alone = if alone.is_empty() || peers < 2 {
            String::new()
        } else {
            format!("{} {is} alone. ", self.names_in_order(&alone))
        };
        let parted = parted + &alone;
        if splits.is_empty() {
            return match peers {
                0 | 1 => "There is no overlay that could fall apart.".to_owned(),
                _ if parts.len() > 1 => format!("{parted}Whichever peer goes, the others of its part stay together."),
                _ => "Whichever peer goes, the others stay together.".to_owned(),
            };
        }
        let told = splits.iter().map(|split| format!("without {} {}", self.name(split.node), split.cut_off));
        let told: Vec<String> = told.collect();
        format!("{parted}Of {peers} peers would be cut off: {}.", list_text(&told, CLAUSES_MAX))
    }

    fn split_lines(self, graph: &Graph, splits: &[Split]) -> Vec<EvidenceLine> {
        if graph.nodes().count() > NAMED_OVERLAY_MAX {
            return Vec::new();
        }
        let line = |split: &Split| {
            let near: Vec<Addr> = graph.neighbors(split.node).collect();
            let parts = graph.without(split.node).parts().into_iter();
            let parts = parts.filter(|part| part.iter().any(|node| near.contains(node)));
            let sides: Vec<String> = parts.map(|part| self.names_in_order(&part)).collect();
            EvidenceLine::now(format!(
                "without {} there are {} parts: {}",
                self.name(split.node),
                split.parts,
                sides.join(" | ")
            ))
        };
        splits.iter().take(SPLITS_TOLD_MAX).map(line).collect()
    }

    fn untold_of_load(self, copies: &Map<Addr, CopiesSent>) -> Vec<EvidenceLine> {
        let elsewhere: Vec<Addr> =
            copies.iter().filter(|(_, copies)| copies.sent.is_none()).map(|(peer, _)| *peer).collect();
        let elsewhere = (!elsewhere.is_empty()).then(|| {
            let names = self.names_in_order(&elsewhere);
            format!("not told: copies between nodes elsewhere; of {names} only what came here counts")
        });
        let forgotten = self.model.links().forgotten_copies();
        let forgotten = (forgotten > 0).then(|| {
            format!("{forgotten} copies count as without a receipt: they came over links that ended long ago")
        });
        elsewhere.into_iter().chain(forgotten).map(EvidenceLine::now).collect()
    }
}
