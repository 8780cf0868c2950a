//! What is said of the network as a whole.

use super::statements::Minutes;
use super::{ToldBy, ToldClaim, ToldTopic, readings};
use crate::event::NodeState;
use crate::model::why::{AnswerCell, AnswerTable, NetworkSubject};
use crate::model::words::count_text;
use crate::model::{Map, Set};
use crate::proto::addr::Addr;
use crate::session::overview::Overview;
use crate::session::summary::summary;

impl Minutes<'_> {
    pub(super) fn views(&mut self) {
        let why = NetworkSubject::Views.explain(self.model, 0);
        for row in why.table.iter().flat_map(rows) {
            let Some(viewer) = self.named(&row, "node") else { continue };
            let of = |key| self.all_named(&row, key);
            let (linked, known, stale) = (of("linked"), of("known"), of("stale"));
            for peer in &known {
                if self.model.links().get(viewer, *peer).is_some() {
                    let is_linked = linked.contains(peer);
                    self.is(ToldBy::Views, ToldTopic::Holds(viewer, *peer), is_linked, "linked");
                }
                self.is(ToldBy::Views, ToldTopic::Runs(*peer), !stale.contains(peer), "known, and stale or not");
            }
        }
    }

    pub(super) fn load(&mut self) {
        let why = NetworkSubject::Load.explain(self.model, 0);
        if let Some(parts) = readings::parts(&why.verdict) {
            self.say(ToldBy::Load, ToldTopic::Parts, ToldClaim::Count(parts), &why.verdict);
        }
        for row in why.table.iter().flat_map(rows) {
            let Some(peer) = self.named(&row, "peer") else { continue };
            let count = |key| match row.get(key) {
                Some(AnswerCell::Count(count)) => Some(*count),
                Some(_) | None => None,
            };
            self.is(ToldBy::Load, ToldTopic::Runs(peer), count("links").is_some(), "has links, or none at all");
            if let (Some(links), Some(cut_off)) = (count("links"), count("cut_off")) {
                self.count(ToldBy::Load, ToldTopic::Neighbors(peer), links, "links");
                self.is(ToldBy::Load, ToldTopic::HoldsTogether(peer), cut_off > 0, &format!("cuts off {cut_off}"));
            }
        }
    }

    pub(super) fn summary(&mut self) {
        let lines = readings::summary(&summary(self.model, None, 0));
        let told = |what: &str| lines.get(what).cloned().unwrap_or_default();
        let (nodes, messages, coverage) = (told("nodes"), told("messages"), told("coverage"));
        let count = |what| readings::count_of(&nodes, what);
        for (topic, count) in [
            (ToldTopic::Nodes, count("seed") + count("peer")),
            (ToldTopic::Became(NodeState::Killed), count("killed")),
            (ToldTopic::Became(NodeState::Hangs), count("hung")),
        ] {
            self.say(ToldBy::Summary, topic, ToldClaim::Count(count), &nodes);
        }
        let generated = messages.split(' ').next().and_then(|count| count.parse().ok());
        self.say(
            ToldBy::Summary,
            ToldTopic::Messages,
            generated.map_or(ToldClaim::Nothing, ToldClaim::Count),
            &messages,
        );
        if !told("seeds").is_empty() {
            self.is(ToldBy::Summary, ToldTopic::SeedReached, false, &told("seeds"));
        }
        let (deaths, disputes) = (told("deaths"), told("disputes"));
        self.say(
            ToldBy::Summary,
            ToldTopic::Deaths,
            ToldClaim::Count(readings::entries(&deaths, ", noticed by ")),
            &deaths,
        );
        let false_reports = readings::entries(&disputes, " reported ");
        self.say(ToldBy::Summary, ToldTopic::FalseReports, ToldClaim::Count(false_reports), &disputes);
        if let Some(latest) = self.model.latest_rumor().map(|rumor| rumor.id) {
            let read = readings::coverage(&coverage);
            let last = read.map_or(ToldClaim::Nothing, |it| ToldClaim::OfAll { have: it.last.0, of: it.last.1 });
            self.say(ToldBy::Summary, ToldTopic::Reach(latest), last, &coverage);
            let everywhere = read.map_or(ToldClaim::Nothing, |it| ToldClaim::Count(it.everywhere));
            self.say(ToldBy::Summary, ToldTopic::Everywhere, everywhere, &coverage);
        }
    }

    pub(super) fn sessions(&mut self, overview: &Overview) {
        for (topic, count, what) in [
            (ToldTopic::Nodes, overview.nodes, "node"),
            (ToldTopic::Messages, overview.messages, "message"),
            (ToldTopic::Deaths, overview.deaths, "death"),
            (ToldTopic::FalseReports, overview.disputed, "false report"),
        ] {
            self.say(ToldBy::Sessions, topic, ToldClaim::Count(count), &count_text(count, what));
        }
    }

    fn named(&self, row: &Map<&'static str, &AnswerCell>, key: &str) -> Option<Addr> {
        match row.get(key)? {
            AnswerCell::Text(name) => self.model.nodes().find(name).map(|node| node.addr),
            _ => None,
        }
    }

    fn all_named(&self, row: &Map<&'static str, &AnswerCell>, key: &str) -> Set<Addr> {
        let Some(AnswerCell::Names(names)) = row.get(key) else { return Set::default() };
        names.iter().filter_map(|name| self.model.nodes().find(name)).map(|node| node.addr).collect()
    }
}

fn rows(table: &AnswerTable) -> impl Iterator<Item = Map<&'static str, &AnswerCell>> {
    table.rows().map(Iterator::collect)
}
