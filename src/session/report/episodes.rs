//! What happened, in time: faults, deaths, partings of the overlay and messages that did not reach
//! everybody, those together that happened together.

use std::time::Duration;

use super::deaths::DeathFigures;
use super::deeds::{DeedKind, ReportedDeed};
use super::messages::Spell;
use super::overlay::Parting;
use super::words::{exact_span, moment};
use crate::model::Model;
use crate::model::fault::FaultRecord;
use crate::model::recovery::DeathKind;
use crate::model::words::{count_text, list_text};
use crate::proto::addr::Addr;
use crate::proto::fault::Hindrance;
use crate::proto::time::Time;

/// Episodes that are told.
pub const EPISODES_MAX: usize = 60;
/// Steps of an episode that are told.
pub const STEPS_MAX: usize = 80;
/// What happens within this time of what came before belongs to it.
const GAP: Duration = Duration::from_secs(20);
/// A fault that only hinders, and lasts longer than this, is the weather in which other things
/// happen.
const WEATHER: Duration = Duration::from_secs(600);
/// Deaths within this time are one step.
const TOGETHER: Duration = Duration::from_secs(1);
const NAMES_MAX: usize = 12;
/// Causes that a title names.
const CAUSES_MAX: usize = 3;

/// What a step means for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepTone {
    /// The user did it.
    Done,
    Bad,
    Good,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeStep {
    pub at: Time,
    pub tone: StepTone,
    pub text: String,
}

/// Things that happened together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    pub from: Time,
    pub until: Time,
    /// It was not over at the end.
    pub is_open: bool,
    pub title: String,
    /// What came of it: a word and a sentence.
    pub facts: Vec<(&'static str, String)>,
    pub steps: Vec<EpisodeStep>,
    /// Steps over the limit.
    pub more: usize,
}

/// What episodes are made of.
#[derive(Clone, Copy)]
pub(super) struct EpisodeSources<'a> {
    pub(super) model: &'a Model,
    pub(super) deeds: &'a [ReportedDeed],
    pub(super) deaths: &'a [DeathFigures],
    pub(super) partings: &'a [Parting],
    pub(super) spells: &'a [Spell],
    pub(super) end: Time,
    pub(super) utc_offset_s: i32,
}

/// In order of time, and how many were too many.
pub(super) fn episodes(sources: EpisodeSources<'_>) -> (Vec<Episode>, usize) {
    let spans = joined(sources.spans());
    let more = spans.len().saturating_sub(EPISODES_MAX);
    (spans.into_iter().take(EPISODES_MAX).map(|span| sources.episode(span)).collect(), more)
}

#[derive(Debug, Clone, Copy)]
struct Span {
    from: Time,
    until: Time,
}

impl Span {
    const fn at(at: Time) -> Self {
        Self { from: at, until: at }
    }

    fn holds(self, at: Time) -> bool {
        self.from <= at && at <= self.until
    }

    fn meets(self, from: Time, until: Time) -> bool {
        from <= self.until && until >= self.from
    }
}

fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.from, span.until));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(before) if span.from <= before.until + GAP => before.until = before.until.max(span.until),
            Some(_) | None => joined.push(span),
        }
    }
    joined
}

impl<'a> EpisodeSources<'a> {
    fn spans(self) -> Vec<Span> {
        let begun = self.deeds.first().map(|deed| deed.at);
        let is_event = move |deed: &&ReportedDeed| match deed.kind {
            DeedKind::Say => false,
            // What the session begins with is what ran, not what happened.
            DeedKind::Start => begun.is_none_or(|begun| deed.at.since(begun) > GAP),
            DeedKind::Restart
            | DeedKind::Kill
            | DeedKind::Hang
            | DeedKind::SetFault
            | DeedKind::ClearFault
            | DeedKind::Lie
            | DeedKind::Failure => true,
        };
        let deeds = self.deeds.iter().filter(is_event).map(|deed| Span::at(deed.at));
        let faults = self.model.faults().ever().filter_map(|record| self.fault_span(record));
        let deaths = self.deaths.iter().map(|death| {
            let removed = death.removed.iter().map(|(_, at)| *at).max();
            Span { from: death.at, until: removed.unwrap_or(death.at).max(death.at) }
        });
        let partings = self.partings.iter().map(|parting| self.parting_span(parting));
        let spells = self.spells.iter().map(|spell| Span { from: spell.from, until: spell.until });
        deeds.chain(faults).chain(deaths).chain(partings).chain(spells).collect()
    }

    fn fault_span(self, record: &FaultRecord) -> Option<Span> {
        let until = record.until.unwrap_or(self.end);
        let stops = record.fault.what.class().row().hindrance == Hindrance::Stops;
        (stops || until.since(record.since) <= WEATHER).then_some(Span { from: record.since, until })
    }

    fn parting_span(self, parting: &Parting) -> Span {
        Span { from: parting.from, until: parting.until.unwrap_or(self.end) }
    }

    fn episode(self, span: Span) -> Episode {
        let (steps, more) = self.steps(span);
        let is_open = span.until >= self.end;
        let facts = self.facts(span);
        Episode { from: span.from, until: span.until, is_open, title: self.title(span), facts, steps, more }
    }

    fn deeds_in(self, span: Span) -> impl Iterator<Item = &'a ReportedDeed> {
        self.deeds.iter().filter(move |deed| span.holds(deed.at))
    }

    fn deaths_in(self, span: Span) -> impl Iterator<Item = &'a DeathFigures> {
        self.deaths.iter().filter(move |death| span.holds(death.at))
    }

    fn partings_in(self, span: Span) -> impl Iterator<Item = &'a Parting> {
        let meets = move |parting: &&Parting| {
            let of = self.parting_span(parting);
            span.meets(of.from, of.until)
        };
        self.partings.iter().filter(meets)
    }

    /// Messages that did not reach everybody.
    fn lacked_in(self, span: Span) -> impl Iterator<Item = &'a Spell> {
        self.spells.iter().filter(move |spell| span.meets(spell.from, spell.until))
    }

    fn names(self, nodes: &[Addr]) -> String {
        self.model.names_in_order(nodes.iter().copied(), NAMES_MAX)
    }

    fn moment(self, at: Time) -> String {
        moment(at, self.utc_offset_s)
    }

    fn title(self, span: Span) -> String {
        let of_kinds = |is_it: fn(DeedKind) -> bool| -> Vec<&str> {
            self.deeds_in(span).filter(|deed| is_it(deed.kind)).map(|deed| deed.text.as_str()).collect()
        };
        let causes = of_kinds(|kind| kind != DeedKind::Say && kind != DeedKind::ClearFault);
        let clears = of_kinds(|kind| kind == DeedKind::ClearFault);
        if let Some(words) = [causes, clears].into_iter().find(|words| !words.is_empty()) {
            return list_text(&words, CAUSES_MAX);
        }
        if let Some(parting) = self.partings_in(span).next() {
            return format!("The overlay in {} parts", parting.parts.len());
        }
        match (self.deaths_in(span).count() as u64, self.lacked_in(span).map(|spell| spell.messages).sum::<u64>()) {
            (0, 0) => "A fault goes on".to_owned(),
            (0, messages) => format!("{} that did not reach everybody", count_text(messages, "message")),
            (deaths, _) => format!("{} taken for dead", count_text(deaths, "node")),
        }
    }

    fn facts(self, span: Span) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        for record in self.model.faults().ever().filter(|record| span.holds(record.since)) {
            facts.push(("Fault", self.fault_text(record)));
        }
        for parting in self.partings_in(span) {
            facts.push(("Cut off", self.parting_text(parting)));
            facts.push(("Whole again", self.healing_text(parting)));
        }
        facts.extend(self.untouched(span).map(|text| ("Cut off", text)));
        facts.extend(self.deaths_text(span).map(|text| ("Taken for dead", text)));
        facts.extend(self.messages_text(span).map(|text| ("Messages", text)));
        facts
    }

    fn fault_text(self, record: &FaultRecord) -> String {
        let fault = record.fault.text(&|addr| self.model.name_of(addr).into_owned());
        match record.until {
            Some(until) => {
                let (from, to) = (self.moment(record.since), self.moment(until));
                format!("{fault}, from {from} to {to} ({})", exact_span(until.since(record.since)))
            }
            None => format!("{fault}, from {} to the end", self.moment(record.since)),
        }
    }

    fn parting_text(self, parting: &Parting) -> String {
        let sides: Vec<String> = parting.parts.iter().map(|part| self.names(part)).collect();
        let from = self.moment(parting.from);
        let until = match parting.until {
            Some(until) => format!("to {} ({})", self.moment(until), exact_span(until.since(parting.from))),
            None => "to the end".to_owned(),
        };
        format!("{} ({} parts of the overlay) from {from} {until}", sides.join(" | "), parting.parts.len())
    }

    /// When, and how long after the fault that parted it was over.
    fn healing_text(self, parting: &Parting) -> String {
        let Some(until) = parting.until else { return "not by the end of the session".to_owned() };
        let after = healed_fault(self.model, parting).map(|(record, took)| {
            let end = record.fault.end_text(&|addr| self.model.name_of(addr).into_owned());
            format!(", {} after '{end}'", exact_span(took))
        });
        format!("at {}{}", self.moment(until), after.unwrap_or_default())
    }

    /// A border that the overlay did not notice.
    fn untouched(self, span: Span) -> Option<String> {
        let mut set = self.model.faults().ever().filter(|record| span.holds(record.since));
        let is_border = set.any(|record| record.fault.is_partition());
        (is_border && self.partings_in(span).next().is_none())
            .then(|| "the links of the overlay held: it stayed in one part".to_owned())
    }

    fn deaths_text(self, span: Span) -> Option<String> {
        let mut nodes: Vec<Addr> = Vec::new();
        for death in self.deaths_in(span).filter(|death| death.kind != DeathKind::Unfounded) {
            if !nodes.contains(&death.dead) {
                nodes.push(death.dead);
            }
        }
        let ran = self.deaths_in(span).filter(|death| death.kind == DeathKind::Unheard).count();
        let ran = if ran > 0 { "; some of them ran, unheard" } else { "" };
        (!nodes.is_empty()).then(|| format!("{}: {}{ran}", count_text(nodes.len() as u64, "node"), self.names(&nodes)))
    }

    fn messages_text(self, span: Span) -> Option<String> {
        let (mut first, mut last, mut messages) = (None::<Time>, None::<Time>, 0);
        for spell in self.lacked_in(span) {
            first = Some(first.map_or(spell.from, |first| first.min(spell.from)));
            last = last.max(Some(spell.until));
            messages += spell.messages;
        }
        let (first, last) = (self.moment(first?), self.moment(last?));
        let did = count_text(messages, "message");
        Some(if messages == 1 {
            format!("{did} did not reach every peer, begun at {first}")
        } else {
            format!("{did} did not reach every peer, begun between {first} and {last}")
        })
    }

    fn steps(self, span: Span) -> (Vec<EpisodeStep>, usize) {
        let step = |at, tone, text| EpisodeStep { at, tone, text };
        let mut steps: Vec<EpisodeStep> =
            self.deeds_in(span).map(|deed| step(deed.at, StepTone::Done, deed.text.clone())).collect();
        for parting in self.partings_in(span) {
            let sides: Vec<String> = parting.parts.iter().map(|part| self.names(part)).collect();
            steps.push(step(parting.from, StepTone::Bad, format!("the overlay parts: {}", sides.join(" | "))));
            let whole = "the overlay is one part again".to_owned();
            steps.extend(parting.until.map(|until| step(until, StepTone::Good, whole)));
        }
        for spell in self.lacked_in(span) {
            let first = format!("the first of {} that did not reach every peer", count_text(spell.messages, "message"));
            steps.push(step(spell.from, StepTone::Bad, first));
            if spell.until > spell.from {
                steps.push(step(spell.until, StepTone::Good, "the last of these messages".to_owned()));
            }
        }
        steps.extend(self.death_steps(span));
        steps.extend(self.warning_steps(span));
        steps.sort_by_key(|step| step.at);
        let more = steps.len().saturating_sub(STEPS_MAX);
        steps.truncate(STEPS_MAX);
        (steps, more)
    }

    fn death_steps(self, span: Span) -> Vec<EpisodeStep> {
        let (false_ones, true_ones): (Vec<_>, Vec<_>) =
            self.deaths_in(span).partition(|death| death.kind == DeathKind::Unfounded);
        let at = |death: &DeathFigures| (death.at, death.dead);
        let declared = true_ones.into_iter().map(at).collect();
        let unfounded = false_ones.into_iter().map(at).collect();
        let removed = self.deaths_in(span).flat_map(|death| death.removed.iter().map(|(_, at)| (*at, death.dead)));
        let back = self.deaths_in(span).filter_map(|death| Some((death.back_at?, death.dead)));
        let removed = removed.collect();
        let back = back.filter(|(at, _)| span.holds(*at)).collect();
        let mut steps = self.grouped(declared, StepTone::Bad, "taken for dead");
        steps.extend(self.grouped(unfounded, StepTone::Bad, "reported dead, and not dead"));
        steps.extend(self.grouped(removed, StepTone::Bad, "taken off the list of a seed"));
        steps.extend(self.grouped(back, StepTone::Good, "heard from again"));
        steps
    }

    /// The same that happens to several nodes at one time is one step.
    fn grouped(self, mut all: Vec<(Time, Addr)>, tone: StepTone, what: &str) -> Vec<EpisodeStep> {
        all.sort();
        let mut groups: Vec<(Time, Vec<Addr>)> = Vec::new();
        for (at, node) in all {
            match groups.last_mut().filter(|(first, _)| at.since(*first) <= TOGETHER) {
                Some((_, nodes)) if nodes.contains(&node) => {}
                Some((_, nodes)) => nodes.push(node),
                None => groups.push((at, vec![node])),
            }
        }
        let step =
            |(at, nodes): (Time, Vec<Addr>)| EpisodeStep { at, tone, text: format!("{} {what}", self.names(&nodes)) };
        groups.into_iter().map(step).collect()
    }

    fn warning_steps(self, span: Span) -> Vec<EpisodeStep> {
        let mut steps = Vec::new();
        for (_, warning) in self.model.warnings().list() {
            let text = self.model.warning_text(&warning.finding);
            if span.holds(warning.since) {
                steps.push(EpisodeStep { at: warning.since, tone: StepTone::Bad, text: format!("warning: {text}") });
            }
            if let Some(at) = warning.gone_at.filter(|at| span.holds(*at)) {
                steps.push(EpisodeStep { at, tone: StepTone::Good, text: format!("no longer: {text}") });
            }
        }
        steps
    }
}

/// The fault whose end let this parting heal, and how long that took.
pub(super) fn healed_fault<'a>(model: &'a Model, parting: &Parting) -> Option<(&'a FaultRecord, Duration)> {
    model.healed_fault(parting.from, parting.until?)
}
