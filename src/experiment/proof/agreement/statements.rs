//! What is said of a network at one moment.

use std::collections::BTreeMap;

use super::readings::{self, ToldCopy};
use super::{AskedOf, Statement, ToldBy, ToldClaim, ToldState, ToldTopic, WarnedOf};
use crate::event::{LinkEnd, NodeState};
use crate::model::cause::{ProtocolRule, Question, Reason, reason};
use crate::model::link::LinkKey;
use crate::model::node::{NodeRecord, ObservedState};
use crate::model::rumor::{Counting, Rumor};
use crate::model::warning::{Finding, Warning};
use crate::model::why::{
    Explanation, NamedDeed, about_message, because, named_deeds, why_dead, why_link, why_node, why_not, why_not_each,
    why_seed, why_warning,
};
use crate::model::words::link::ended_by;
use crate::model::{Map, Model, Set};
use crate::proto::addr::Addr;
use crate::proto::message::{DeathCause, Role};
use crate::proto::time::Time;
use crate::session::overview::Overview;

/// The latest messages, of which all is compared.
const MESSAGES_MAX: usize = 8;
/// Peers without a message that are asked about it one by one: each answer is a walk through the network.
const LACKING_MAX: usize = 12;
/// Links that are asked about.
const LINKS_MAX: usize = 256;
/// Questions of one answer that are held against it.
const QUESTIONS_MAX: usize = 12;

/// All that is said at this moment; `overview`: the session so far.
pub(super) fn statements(model: &Model, overview: &Overview, now: Time) -> Vec<Statement> {
    let mut minutes = Minutes { model, now, statements: Vec::new() };
    minutes.header();
    minutes.warnings();
    minutes.nodes();
    minutes.reports();
    minutes.links();
    minutes.messages();
    minutes.seeds();
    minutes.views();
    minutes.load();
    minutes.summary();
    minutes.sessions(overview);
    minutes.statements
}

/// Takes down what is said.
pub(super) struct Minutes<'a> {
    pub(super) model: &'a Model,
    now: Time,
    statements: Vec<Statement>,
}

impl Minutes<'_> {
    pub(super) fn say(&mut self, speaker: ToldBy, topic: ToldTopic, claim: ToldClaim, text: &str) {
        self.statements.push(Statement { topic, claim, speaker, text: text.to_owned() });
    }

    pub(super) fn is(&mut self, speaker: ToldBy, topic: ToldTopic, is_so: bool, text: &str) {
        self.say(speaker, topic, ToldClaim::Is(is_so), text);
    }

    pub(super) fn count(&mut self, speaker: ToldBy, topic: ToldTopic, count: u64, what: &str) {
        self.say(speaker, topic, ToldClaim::Count(count), &format!("{count} {what}"));
    }

    fn name(&self, node: Addr) -> String {
        self.model.name_of(node).into_owned()
    }

    fn header(&mut self) {
        let model = self.model;
        for node in model.nodes().iter() {
            let state = counted_as(node);
            self.say(ToldBy::Header, ToldTopic::State(node.addr), ToldClaim::State(state), state.word());
        }
        let counts = model.nodes().counts();
        for (state, count) in
            [(ToldState::Up, counts.up), (ToldState::Suspect, counts.suspect), (ToldState::Dead, counts.dead)]
        {
            self.count(ToldBy::Header, ToldTopic::InState(state), count as u64, state.word());
        }
        self.count(ToldBy::Header, ToldTopic::Warnings, model.warnings().count() as u64, "warnings");
        if model.no_seed().is_some() {
            self.is(ToldBy::Header, ToldTopic::SeedReached, false, "no seed reachable");
        }
        if let Some(rumor) = model.latest_rumor() {
            self.reach(ToldBy::Header, rumor);
        }
    }

    fn reach(&mut self, speaker: ToldBy, rumor: &Rumor) {
        let coverage = rumor.coverage(self.model.nodes(), Counting::HadTime);
        let (have, of) = (coverage.have as u64, coverage.of as u64);
        let text = format!("{} reached {have}/{of}", self.model.message_name(rumor.id));
        self.say(speaker, ToldTopic::Reach(rumor.id), ToldClaim::OfAll { have, of }, &text);
    }

    fn warnings(&mut self) {
        let model = self.model;
        let active: Vec<&Warning> = model.warnings().active().map(|(_, warning)| warning).collect();
        self.count(ToldBy::Warning, ToldTopic::Warnings, active.len() as u64, "warnings");
        for warning in active {
            let text = model.warning_text(&warning.finding);
            let mut is = |topic, is_so| self.is(ToldBy::Warning, topic, is_so, &text);
            match &warning.finding {
                Finding::NoSeed { .. } => is(ToldTopic::SeedReached, false),
                Finding::Alone { node } => is(ToldTopic::IsSo(WarnedOf::Alone(*node)), true),
                Finding::Parted { parts } => {
                    self.say(ToldBy::Warning, ToldTopic::Parts, ToldClaim::Count(parts.len() as u64), &text);
                }
                Finding::Fragile { nodes, .. } => {
                    is(ToldTopic::IsSo(WarnedOf::Fragile), true);
                    for node in nodes {
                        is(ToldTopic::HoldsTogether(*node), true);
                    }
                }
                Finding::SeedList { seed, gone, missing } => {
                    gone.iter().chain(missing).for_each(|peer| is(ToldTopic::WrongOnList(*seed, *peer), true));
                }
                Finding::OneWay { link: LinkKey { node, peer } } => {
                    is(ToldTopic::Holds(*node, *peer), true);
                    is(ToldTopic::Holds(*peer, *node), false);
                }
                Finding::Unreached { latest, lacking, .. } => {
                    for node in lacking {
                        self.say(ToldBy::Warning, ToldTopic::Has(*node, *latest), lacks(), &text);
                    }
                }
                Finding::Flapping { .. }
                | Finding::Disputed { .. }
                | Finding::Forged { .. }
                | Finding::Eclipsed { .. } => {}
            }
            self.warning_answer(warning);
        }
    }

    fn warning_answer(&mut self, warning: &Warning) {
        let why = why_warning(self.model, warning, self.now, 0);
        match &warning.finding {
            Finding::Alone { node } => {
                let is_told = why.rests_on.contains(&Question::Alone { node: *node });
                self.is(ToldBy::WarningAnswer, ToldTopic::IsSo(WarnedOf::Alone(*node)), is_told, &why.verdict);
            }
            Finding::Fragile { .. } => {
                let is_so = !why.verdict.starts_with("No single node or link");
                self.is(ToldBy::WarningAnswer, ToldTopic::IsSo(WarnedOf::Fragile), is_so, &why.verdict);
            }
            Finding::Parted { .. } => {
                let parts = readings::parts(&why.verdict).map_or(ToldClaim::Nothing, ToldClaim::Count);
                self.say(ToldBy::WarningAnswer, ToldTopic::Parts, parts, &why.verdict);
            }
            Finding::NoSeed { .. }
            | Finding::SeedList { .. }
            | Finding::Flapping { .. }
            | Finding::OneWay { .. }
            | Finding::Unreached { .. }
            | Finding::Disputed { .. }
            | Finding::Forged { .. }
            | Finding::Eclipsed { .. } => {}
        }
    }

    fn nodes(&mut self) {
        let model = self.model;
        let (mut states, mut lives): (BTreeMap<ToldState, u64>, BTreeMap<NodeState, u64>) = Default::default();
        for node in model.nodes().iter() {
            let why = why_node(model, node.addr, self.now, 0);
            let told = readings::node(&self.name(node.addr), &why.verdict);
            let state = told.map_or(ToldClaim::Nothing, |told| ToldClaim::State(told.state));
            self.say(ToldBy::Node, ToldTopic::State(node.addr), state, &why.verdict);
            if let Some(told) = told {
                *states.entry(told.state).or_default() += 1;
                *lives.entry(told.life.unwrap_or(NodeState::Runs)).or_default() += 1;
                self.life(ToldBy::Node, node.addr, told.life, &why.verdict);
            }
            self.linked(node.addr, &why);
            self.reasons(AskedOf::Node(node.addr), ToldBy::Node, &why);
        }
        for state in [ToldState::Up, ToldState::Suspect, ToldState::Dead] {
            let count = states.get(&state).copied().unwrap_or(0);
            self.count(ToldBy::Nodes, ToldTopic::InState(state), count, state.word());
        }
        for (life, what) in [(NodeState::Killed, "killed"), (NodeState::Hangs, "hung")] {
            self.count(ToldBy::Nodes, ToldTopic::Became(life), lives.get(&life).copied().unwrap_or(0), what);
        }
    }

    fn life(&mut self, speaker: ToldBy, node: Addr, life: Option<NodeState>, text: &str) {
        let Some(life) = life else { return };
        self.say(speaker, ToldTopic::Life(node), ToldClaim::Life(life), text);
        self.is(speaker, ToldTopic::Runs(node), life == NodeState::Runs, text);
        self.is(speaker, ToldTopic::IsGone(node), matches!(life, NodeState::Killed | NodeState::Left), text);
    }

    /// To whom a node is linked, by its answer, unless some are left out there.
    fn linked(&mut self, node: Addr, why: &Explanation) {
        let model = self.model;
        let mut lines = why.evidence.iter().map(|line| line.text.as_str());
        let Some((names, line)) = lines.find_map(|line| Some((readings::names("linked to", line)?, line))) else {
            return;
        };
        let linked: Set<Addr> = names.iter().filter_map(|name| model.nodes().find(name)).map(|it| it.addr).collect();
        let ever: Vec<Addr> = model.links().of(node).map(|link| link.key.peer).collect();
        for peer in linked.iter().chain(ever.iter().filter(|peer| !linked.contains(*peer))) {
            self.is(ToldBy::Node, ToldTopic::Holds(node, *peer), linked.contains(peer), line);
        }
    }

    fn reports(&mut self) {
        let model = self.model;
        let dead: Set<Addr> = model.deaths().cases().iter().map(|(_, case)| case.dead).collect();
        for dead in dead {
            let why = why_dead(model, dead, 0);
            match readings::node(&self.name(dead), &why.verdict) {
                Some(told) => self.life(ToldBy::Report, dead, told.life, &why.verdict),
                None => self.say(ToldBy::Report, ToldTopic::Life(dead), ToldClaim::Nothing, &why.verdict),
            }
            self.reasons(AskedOf::Report(dead), ToldBy::Report, &why);
        }
    }

    fn links(&mut self) {
        let model = self.model;
        let pair = |key: LinkKey| (key.node.min(key.peer), key.node.max(key.peer));
        let pairs: Set<(Addr, Addr)> = model.links().iter().map(|link| pair(link.key)).collect();
        let is_whole = pairs.len() <= LINKS_MAX;
        let mut neighbors: Map<Addr, u64> = model.nodes().running_peers().map(|node| (node.addr, 0)).collect();
        for (one, other) in pairs.into_iter().take(LINKS_MAX) {
            let why = why_link(model, one, other, 0);
            let told = readings::link((&self.name(one), &self.name(other)), &why.verdict);
            for ((node, peer), holds) in
                [((one, other), told.map(|told| told.0)), ((other, one), told.map(|told| told.1))]
            {
                if model.links().get(node, peer).is_some() {
                    let claim = holds.map_or(ToldClaim::Nothing, ToldClaim::Is);
                    self.say(ToldBy::Link, ToldTopic::Holds(node, peer), claim, &why.verdict);
                }
            }
            if told == Some((true, true)) {
                self.both_hold((one, other), &why.verdict, &mut neighbors);
            }
            self.reasons(AskedOf::Link(one, other), ToldBy::Link, &why);
        }
        for (node, count) in neighbors.into_iter().filter(|_| is_whole) {
            self.count(ToldBy::Links, ToldTopic::Neighbors(node), count, "neighbors");
        }
    }

    fn both_hold(&mut self, (one, other): (Addr, Addr), text: &str, neighbors: &mut Map<Addr, u64>) {
        let nodes = [one, other].map(|node| self.model.nodes().get(node));
        let is_seed = |node: &NodeRecord| node.role == Some(Role::Seed);
        for node in nodes.into_iter().flatten().filter(|node| node.is_ours()) {
            self.is(ToldBy::Link, ToldTopic::IsGone(node.addr), false, text);
        }
        let all_run = nodes.iter().all(|node| node.is_some_and(NodeRecord::runs));
        let has_seed = nodes.into_iter().flatten().any(is_seed);
        if all_run && has_seed {
            self.is(ToldBy::Link, ToldTopic::SeedReached, true, text);
        }
        if all_run && !has_seed {
            for node in [one, other] {
                *neighbors.entry(node).or_default() += 1;
            }
        }
    }

    fn messages(&mut self) {
        let model = self.model;
        let rumors: Vec<&Rumor> = model.rumors().ring().iter().rev().take(MESSAGES_MAX).map(|(_, it)| it).collect();
        let mut everywhere = 0;
        for rumor in &rumors {
            let why = about_message(model, rumor.id, 0);
            let told = readings::reach(&why.verdict);
            let claim = told.map_or(ToldClaim::Nothing, |(have, of)| ToldClaim::OfAll { have, of });
            self.say(ToldBy::Message, ToldTopic::Reach(rumor.id), claim, &why.verdict);
            everywhere += u64::from(told.is_some_and(|(have, of)| have == of));
            self.table(rumor);
        }
        if rumors.len() == model.rumors().ring().len() {
            self.count(ToldBy::Message, ToldTopic::Everywhere, everywhere, "messages reached every peer");
        }
    }

    fn table(&mut self, rumor: &Rumor) {
        let (model, id) = (self.model, rumor.id);
        let Some(wave) = model.wave(id) else { return };
        let coverage = wave.coverage();
        let (have, of) = (coverage.have as u64, coverage.of as u64);
        self.say(ToldBy::Table, ToldTopic::Reach(id), ToldClaim::OfAll { have, of }, &format!("reached {have}/{of}"));
        let rows: Set<Addr> = wave.rows.iter().map(|row| row.node).collect();
        let why = why_not_each(model, rumor, &wave.lacking, 0);
        for (node, lack) in wave.lacking.iter().zip(&why) {
            self.say(ToldBy::Table, ToldTopic::WhyLacking(*node, id), ToldClaim::Words(lack.why.clone()), &lack.why);
            self.is(ToldBy::Table, ToldTopic::OnItsWay(*node, id), lack.is_on_its_way, &lack.why);
        }
        let mut asked = 0;
        for peer in model.nodes().iter().filter(|node| node.role == Some(Role::Peer)).map(|node| node.addr) {
            let is_lacking = wave.lacking.contains(&peer);
            let claim = match (rows.contains(&peer), is_lacking) {
                (true, _) => has(),
                (false, true) => lacks(),
                (false, false) => need_not_have(),
            };
            asked += usize::from(claim != has());
            let text = match &claim {
                ToldClaim::Words(words) => format!("{} {words} it", self.name(peer)),
                _ => String::new(),
            };
            self.say(ToldBy::Table, ToldTopic::Has(peer, id), claim, &text);
            if rows.contains(&peer) || asked <= LACKING_MAX {
                self.lack(peer, rumor, why.get(wave.lacking.iter().position(|it| *it == peer).unwrap_or(usize::MAX)));
            }
        }
    }

    /// The answer about a message at a node; `told`: what the table says of it.
    fn lack(&mut self, node: Addr, rumor: &Rumor, told: Option<&crate::model::why::Lack>) {
        let (model, id) = (self.model, rumor.id);
        let why = why_not(model, node, id, 0);
        let (name, message) = (self.name(node), model.message_name(id));
        let claim = match readings::copy((&name, &message), &why.verdict) {
            Some(ToldCopy::Has) => has(),
            Some(ToldCopy::Lacks { is_due: true }) => lacks(),
            Some(ToldCopy::Lacks { is_due: false }) => need_not_have(),
            None => ToldClaim::Nothing,
        };
        self.say(ToldBy::Lack, ToldTopic::Has(node, id), claim, &why.verdict);
        let Some(told) = told else { return };
        let clause = if why.verdict.contains(&told.why) { told.why.clone() } else { why.verdict.clone() };
        self.say(ToldBy::Lack, ToldTopic::WhyLacking(node, id), ToldClaim::Words(clause), &why.verdict);
        let is_on_its_way = why.verdict.contains(&format!("does not have {message} yet"));
        self.is(ToldBy::Lack, ToldTopic::OnItsWay(node, id), is_on_its_way, &why.verdict);
        let reason = reason(model, &Question::Lack { node, message: id });
        let is_by_rule = reason == Reason::Rule(ProtocolRule::OnItsWay);
        if is_by_rule {
            self.is(ToldBy::Reason, ToldTopic::OnItsWay(node, id), true, "a rule: it is on its way");
        }
        self.reasons(AskedOf::Lack(node, id), ToldBy::Lack, &why);
    }

    fn seeds(&mut self) {
        let model = self.model;
        let is_seed = |node: &&NodeRecord| node.is_ours() && node.role == Some(Role::Seed);
        let warned: Vec<(Addr, Addr)> = self
            .statements
            .iter()
            .filter_map(|said| match said.topic {
                ToldTopic::WrongOnList(seed, peer) => Some((seed, peer)),
                _ => None,
            })
            .collect();
        for seed in model.nodes().iter().filter(is_seed).map(|node| node.addr) {
            let why = why_seed(model, seed, self.now, 0);
            let mut wrong: Set<Addr> = Set::default();
            for question in &why.rests_on {
                let (peer, runs) = match *question {
                    Question::Stale { peer, .. } => (peer, false),
                    Question::Unlisted { peer, .. } => (peer, true),
                    _ => continue,
                };
                wrong.insert(peer);
                self.is(ToldBy::Seed, ToldTopic::Runs(peer), runs, &why.verdict);
            }
            for (_, peer) in warned.iter().filter(|(of, _)| *of == seed) {
                self.is(ToldBy::Seed, ToldTopic::WrongOnList(seed, *peer), wrong.contains(peer), &why.verdict);
            }
            self.reasons(AskedOf::Seed(seed), ToldBy::Seed, &why);
        }
    }

    /// Whether an answer is as certain as the reason that is proven, and names it.
    fn reasons(&mut self, asked: AskedOf, speaker: ToldBy, why: &Explanation) {
        let model = self.model;
        let all = why.evidence.iter().map(|line| line.text.as_str()).chain([why.verdict.as_str()]);
        let all = readings::as_deeds_are_named(&all.collect::<Vec<_>>().join("\n"));
        for (place, question) in why.rests_on.iter().take(QUESTIONS_MAX).enumerate() {
            let is_of_other_end = || self.end_told(question).is_some_and(|end| !why.verdict.contains(&end));
            if tells(question) || speaker == ToldBy::Link && is_of_other_end() {
                continue;
            }
            let reason = reason(model, question);
            let is_certain = !matches!(reason, Reason::NotCertain(_));
            let text = because(model, &reason, 0).unwrap_or_else(|| format!("{reason:?}"));
            // Other things may make an answer uncertain: what the seeds did about a report, say. What is seen may be
            // certain, and why it came to that unknown: a peer had no neighbor yet.
            let is_all = matches!(asked, AskedOf::Link(..));
            let is_seen = reason == Reason::NotCertain(Vec::new());
            if is_all || why.is_certain && !is_seen {
                self.is(ToldBy::Reason, ToldTopic::Sure(asked, place), is_certain, &text);
                self.is(speaker, ToldTopic::Sure(asked, place), why.is_certain, &why.verdict);
            }
            if is_certain {
                let deeds = named_deeds(model, &reason, 0);
                let names = |deed: &NamedDeed| {
                    all.contains(&readings::as_deeds_are_named(&deed.what)) && all.contains(&deed.at)
                };
                self.is(ToldBy::Reason, ToldTopic::Named(asked, place), true, &text);
                self.is(speaker, ToldTopic::Named(asked, place), deeds.iter().all(names), &why.verdict);
            }
        }
    }

    /// How an answer about a link tells of this end. It may tell of the other one.
    fn end_told(&self, question: &Question) -> Option<String> {
        let (node, peer, end) = match *question {
            Question::LinkEnd { node, peer, end, .. } => (node, peer, end),
            Question::Death { reporter, dead, way, .. } => (reporter, dead, LinkEnd::Dead { cause: way }),
            _ => return None,
        };
        Some(ended_by(&self.name(node), &self.name(peer), end))
    }
}

/// The events of these say themselves why, so that their answers add no reason.
fn tells(question: &Question) -> bool {
    match question {
        Question::LinkEnd { end, .. } => !matches!(end, LinkEnd::RegistrationLost | LinkEnd::TooSlow),
        Question::Death { way, .. } => matches!(way, DeathCause::Cut | DeathCause::Lie),
        _ => false,
    }
}

fn counted_as(node: &NodeRecord) -> ToldState {
    match node.state() {
        ObservedState::Up => ToldState::Up,
        ObservedState::Suspect { .. } | ObservedState::Hung => ToldState::Suspect,
        ObservedState::Dead | ObservedState::Killed => ToldState::Dead,
        ObservedState::Left => ToldState::Left,
        ObservedState::Known => ToldState::Named,
    }
}

fn has() -> ToldClaim {
    ToldClaim::Words("has".to_owned())
}

fn lacks() -> ToldClaim {
    ToldClaim::Words("lacks".to_owned())
}

fn need_not_have() -> ToldClaim {
    ToldClaim::Words("need not have".to_owned())
}
