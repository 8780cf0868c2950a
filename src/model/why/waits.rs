//! Where messages wait: how long copies took over each link, and what a full queue dropped.

use super::table::{AnswerCell, AnswerColumn, AnswerTable, NetworkAnswer};
use super::{EvidenceLine, EvidenceSource, Explainer, Explanation, SourceKind, in_order, micros as span_of};
use crate::event::{LinkEnd, LossReason};
use crate::model::link::LinkKey;
use crate::model::rumor::{Crossing, Rumor};
use crate::model::words::count_text;
use crate::model::{Map, Model};
use crate::proto::addr::Addr;
use crate::proto::message::{MessageId, Role};
use crate::proto::time::{Time, micros};

/// First copies that are looked at, the latest ones: some milliseconds of work.
const CROSSINGS_MAX: usize = 65_536;
/// Lines about what was dropped, and about copies that took longest.
const DROPS_TOLD_MAX: usize = 100;
const SLOWEST_TOLD: usize = 10;

const COLUMNS: &[AnswerColumn] = &[
    AnswerColumn { title: "FROM", key: "from" },
    AnswerColumn { title: "TO", key: "to" },
    AnswerColumn { title: "QUEUE FULL", key: "queue_full" },
    AnswerColumn { title: "LONGEST", key: "delay_max_us" },
    AnswerColumn { title: "MEDIAN", key: "delay_median_us" },
    AnswerColumn { title: "COPIES", key: "copies" },
    AnswerColumn { title: "LONGEST RTT", key: "rtt_max_us" },
    AnswerColumn { title: "OTHER LOSSES", key: "other_losses" },
];

/// What is told of one direction of a link.
#[derive(Debug, Default)]
struct LinkWaits {
    /// How long each first copy took, in microseconds.
    delays_us: Vec<u64>,
    /// Copies and probes that met a full queue, and links that were dropped because of it.
    queue_full: u64,
    other_losses: u64,
    /// Of the sender's latest probes.
    rtt_max_us: Option<u64>,
}

/// A copy that took long.
struct SlowCopy {
    id: MessageId,
    crossing: Crossing,
}

pub(super) fn waits(model: &Model, utc_offset_s: i32) -> Explanation {
    let explainer = Explainer { model, utc_offset_s };
    let (mut links, slowest) = explainer.crossings();
    explainer.add_losses(&mut links);
    explainer.add_probes(&mut links);
    let mut links: Vec<(LinkKey, LinkWaits)> = links.into_iter().collect();
    for (_, waits) in &mut links {
        waits.delays_us.sort_unstable();
    }
    links.sort_by_cached_key(|(key, waits)| {
        let order = |addr| model.nodes().order_of(addr);
        let worst = (waits.queue_full, waits.delays_us.last().copied(), waits.rtt_max_us, waits.other_losses);
        (std::cmp::Reverse(worst), order(key.node), order(key.peer))
    });
    let verdict = explainer.verdict_of_waits(&links);
    let mut evidence = in_order(explainer.wait_lines(slowest));
    evidence.push(EvidenceLine::now(
        "not told: how full a queue is, only that one was full; and when further copies were sent".to_owned(),
    ));
    let table = AnswerTable::new(COLUMNS, links.iter().map(|(key, waits)| explainer.wait_row(*key, waits)).collect());
    NetworkAnswer { title: "Where messages wait", verdict, is_certain: true, evidence, table }.into()
}

impl LinkWaits {
    fn median_us(&self) -> Option<u64> {
        self.delays_us.get(self.delays_us.len() / 2).copied()
    }
}

impl Explainer<'_> {
    /// The times of first copies, by the link that they crossed, and the slowest of them.
    fn crossings(self) -> (Map<LinkKey, LinkWaits>, Vec<SlowCopy>) {
        let mut links: Map<LinkKey, LinkWaits> = Map::default();
        let newest = self.model.rumors().ring().iter().rev().map(|(_, rumor)| rumor);
        let copies =
            newest.flat_map(|rumor: &Rumor| rumor.crossings().map(|crossing| SlowCopy { id: rumor.id, crossing }));
        let mut slowest: Vec<SlowCopy> = Vec::new();
        for copy in copies.take(CROSSINGS_MAX) {
            let Crossing { from, to, took, .. } = copy.crossing;
            links.entry(LinkKey { node: from, peer: to }).or_default().delays_us.push(micros(took));
            let place = slowest.partition_point(|other| other.crossing.took >= took);
            if place < SLOWEST_TOLD {
                slowest.insert(place, copy);
                slowest.truncate(SLOWEST_TOLD);
            }
        }
        (links, slowest)
    }

    fn add_losses(self, links: &mut Map<LinkKey, LinkWaits>) {
        let copies = self.model.all_lost_copies().map(|lost| (lost.from, lost.to, lost.why));
        let probes = self.model.all_lost_probes().map(|lost| {
            let (from, to) = lost.way();
            (from, to, lost.why)
        });
        for (from, to, why) in copies.chain(probes) {
            let waits = links.entry(LinkKey { node: from, peer: to }).or_default();
            match why {
                LossReason::QueueFull => waits.queue_full += 1,
                LossReason::Fault(_) | LossReason::LinkEnded | LossReason::Hung => waits.other_losses += 1,
            }
        }
        for (key, ..) in self.too_slow() {
            links.entry(key).or_default().queue_full += 1;
        }
    }

    fn add_probes(self, links: &mut Map<LinkKey, LinkWaits>) {
        for link in self.model.links().iter() {
            let longest = link.pings().filter_map(|ping| ping.rtt_us).max().or(link.rtt_us);
            if longest.is_some() && !self.is_seed(link.key.peer) && !self.is_seed(link.key.node) {
                links.entry(link.key).or_default().rtt_max_us = longest;
            }
        }
    }

    fn is_seed(self, node: Addr) -> bool {
        self.model.nodes().get(node).is_some_and(|node| node.role == Some(Role::Seed))
    }

    /// Links that a node dropped because the other end read so slowly that its queue was full.
    fn too_slow(self) -> Vec<(LinkKey, Time, EvidenceSource)> {
        let steps = self.model.links().iter().flat_map(|link| link.steps().map(move |step| (link.key, step)));
        let dropped = steps.filter(|(_, step)| step.end() == Some(LinkEnd::TooSlow));
        dropped.map(|(key, step)| (key, step.at, EvidenceSource::of_step(key, step))).collect()
    }

    fn wait_row(self, key: LinkKey, waits: &LinkWaits) -> Vec<AnswerCell> {
        let span = |us: Option<u64>| us.map_or(AnswerCell::Nothing, AnswerCell::Micros);
        vec![
            AnswerCell::Text(self.name(key.node)),
            AnswerCell::Text(self.name(key.peer)),
            AnswerCell::Count(waits.queue_full),
            span(waits.delays_us.last().copied()),
            span(waits.median_us()),
            AnswerCell::Count(waits.delays_us.len() as u64),
            span(waits.rtt_max_us),
            AnswerCell::Count(waits.other_losses),
        ]
    }

    /// `Nothing met a full queue. A copy took longest from p1 to p2: 210 ms; half of all took 1.2 ms or less.`
    fn verdict_of_waits(self, links: &[(LinkKey, LinkWaits)]) -> String {
        let full: u64 = links.iter().map(|(_, waits)| waits.queue_full).sum();
        let way = |key: LinkKey| format!("from {} to {}", self.name(key.node), self.name(key.peer));
        let dropped = match links.first() {
            Some((key, waits)) if full > 0 => {
                format!(
                    "A queue was full {}, most often {} ({}).",
                    count_text(full, "time"),
                    way(*key),
                    waits.queue_full
                )
            }
            Some(_) | None => "No queue was full, as far as events tell.".to_owned(),
        };
        let mut all: Vec<u64> = links.iter().flat_map(|(_, waits)| waits.delays_us.iter().copied()).collect();
        all.sort_unstable();
        let longest = links.iter().max_by_key(|(_, waits)| waits.delays_us.last().copied());
        let (Some((key, waits)), Some(median)) = (longest, all.get(all.len() / 2)) else {
            return format!("{dropped} No message that is held went from one node here to another.");
        };
        let took = waits.delays_us.last().copied().unwrap_or_default();
        let copies = if all.len() == 1 { "1 first copy".to_owned() } else { format!("{} first copies", all.len()) };
        format!(
            "{dropped} Of {copies} that are held, half took {} or less over their last link; the slowest took {} {}.",
            span_of(*median),
            span_of(took),
            way(*key)
        )
    }

    fn wait_lines(self, slowest: Vec<SlowCopy>) -> Vec<EvidenceLine> {
        let slow = slowest.into_iter().map(|SlowCopy { id, crossing }| {
            let Crossing { from, to, at, took } = crossing;
            let (id_name, from, took) = (self.model.message_name(id), self.name(from), span_of(micros(took)));
            let text = format!("{id_name} came from {from} to {}, {took} after {from} had it", self.name(to));
            EvidenceLine::at(at, text).told_by(to, SourceKind::Copy(id))
        });
        let full = self.model.all_lost_copies().filter(|lost| lost.why == LossReason::QueueFull).map(|lost| {
            let name = self.model.message_name(lost.id);
            let text = format!("{name} met a full queue from {} to {}", self.name(lost.from), self.name(lost.to));
            EvidenceLine::at(lost.at, text).told_by_any(SourceKind::Copy(lost.id))
        });
        let dropped = self.too_slow().into_iter().map(|(key, at, source)| {
            let (node, peer) = (self.name(key.node), self.name(key.peer));
            EvidenceLine::at(at, format!("{node} dropped {peer}: it read so slowly that the queue was full"))
                .resting_on(source)
        });
        let full: Vec<EvidenceLine> = full.collect();
        let latest = full.len().saturating_sub(DROPS_TOLD_MAX);
        let delaying = self.model.faults().ever().filter(|record| record.delays());
        let delaying = delaying.flat_map(|record| self.fault_lines(record));
        slow.chain(full.into_iter().skip(latest)).chain(dropped).chain(delaying).collect()
    }
}
