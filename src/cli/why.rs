//! `why`: an answer about something in a recorded session, with the evidence, for scripts.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::args::{WhyArgs, WhyFormat};
use super::failure::Failure;
use super::named::{self, NameError};
use super::output;
use super::proof::{self, NotedProof};
use super::recorded::complain_of;
use super::with::{self, RecordedFile};
use crate::experiment::proof::asked::ProofOutcome;
use crate::model::Model;
use crate::model::moment::{Anchor, SessionSpan};
use crate::model::why::{
    AnswerCell, AnswerTable, EvidenceLine, EvidenceSource, Explanation, NameLookup, NamedSubject, SubjectError,
    is_message, why_unprovable,
};
use crate::proto::addr::Addr;
use crate::proto::message::MessageId;
use crate::proto::time::Time;
use crate::session::citation::{EventNumber, cite, cite_merged};
use crate::session::journal::JournalError;
use crate::session::past::{Past, PastMoment};
use crate::session::text::printed_json;
use crate::session::vantage::LoneNode;
use crate::ui::wrap;

pub(crate) fn run(args: &WhyArgs) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = args.subject.iter().map(String::as_str).collect();
    check_words(&words)?;
    let recorded = with::open(&args.session, &args.with)?.read_by(&args.vantage)?;
    let past = Past::open(recorded.path())?;
    let span = past.span()?;
    let at = match args.at {
        Some(at) => at.resolve(span, Anchor::Ends).map_err(Failure::usage)?,
        // How the session ends, all of it tells: alone, a node that is killed then looks like one that crashed.
        None if recorded.vantage().is_some() => Past::open(recorded.whole())?.before_leaving()?,
        None => past.before_leaving()?,
    };
    let PastMoment { model, damage, .. } = past.at(at)?;
    let vantage = recorded.vantage();
    let mut names = RecordedNames { model, as_of: at, asked: None, past: &past, span, vantage };
    let subject = NamedSubject::find(&words, &mut names)?;
    let RecordedNames { model, as_of, .. } = names;
    let why = subject.explain(&model, as_of, span.utc_offset_s);
    let why = match vantage {
        Some(reader) => why.as_seen_by(reader.name()),
        None => why,
    };
    let proof = if args.prove { Some(proof(recorded.path(), (subject, &why), (&model, as_of), span)?) } else { None };
    let events = numbers(&recorded, &past, &why)?;
    let holds = proof.as_ref().is_none_or(|proof| proof.outcome != ProofOutcome::False);
    let answer = CitedExplanation { why, events, as_of, span, proof };
    match args.format {
        WhyFormat::Text => output::print_lines(&answer.text(output::text_width()))?,
        WhyFormat::Json => {
            let json = printed_json(&answer.document()).map_err(|error| Failure::Stdout(error.into()))?;
            output::print(format!("{json}\n").as_bytes())?
        }
    };
    let code = complain_of(&damage);
    Ok(if holds { code } else { ExitCode::FAILURE })
}

/// Plays what was done again without what the answer names.
fn proof(
    journal: &Path,
    (subject, why): (NamedSubject, &Explanation),
    (model, as_of): (&Model, Time),
    span: SessionSpan,
) -> Result<NotedProof, Failure> {
    let answer = why.asked(model, as_of, span.utc_offset_s);
    let impossible = || Some(NotedProof::open(&why_unprovable(model, subject.node())));
    let proof = answer.map_or_else(impossible, |answer| proof::prove(journal, &answer, &|| true));
    proof.ok_or_else(|| Failure::other("the proof was interrupted"))
}

/// Refuses what cannot name anything in any session.
fn check_words(words: &[&str]) -> Result<(), Failure> {
    let is_half =
        |word: &&&str| word.is_empty() || word.split_once('#').is_some_and(|(of, nth)| of.is_empty() || nth.is_empty());
    if let Some(half) = words.iter().find(is_half) {
        return Err(Failure::usage(format_args!("'{half}' names nothing: {}", SubjectError::Unreadable)));
    }
    match *words {
        [one, other] if is_message(one) && is_message(other) => {
            Err(Failure::usage(format_args!("'{one}' and '{other}' are two messages: {}", SubjectError::Unreadable)))
        }
        _ => Ok(()),
    }
}

/// The names of a recorded session. For a message that the model of a moment no longer holds, both
/// model and time become the message's own.
struct RecordedNames<'a> {
    model: Model,
    as_of: Time,
    /// The node that was asked for last.
    asked: Option<(String, Addr)>,
    past: &'a Past,
    span: SessionSpan,
    /// Who reads the session alone, if somebody does.
    vantage: Option<&'a LoneNode>,
}

impl NameLookup for &mut RecordedNames<'_> {
    type Error = Failure;

    fn node(&mut self, name: &str) -> Result<Addr, Failure> {
        let node = match self.vantage.and_then(|vantage| vantage.addr_of(name)) {
            Some(node) if self.model.nodes().get(node).is_some() => node,
            Some(_) => return Err(self.not_heard_of(name)),
            None => named::node(name, &self.model).map_err(NameError::other)?,
        };
        self.asked = Some((name.to_owned(), node));
        Ok(node)
    }

    fn message(&mut self, name: &str) -> Result<MessageId, Failure> {
        let name = &self.name_alone(name);
        let is_held = self.model.find_message(name).is_some();
        let id = named::message(name, &mut self.model, self.past, self.span).map_err(NameError::other)?;
        if !is_held {
            self.as_of = self.model.now();
            self.check_has_started(name)?;
        }
        Ok(id)
    }
}

impl RecordedNames<'_> {
    /// A message by the name that it has where its origin is known by address only.
    fn name_alone(&self, name: &str) -> String {
        let addr = |origin| self.vantage?.addr_of(origin).filter(|addr| self.model.nodes().get(*addr).is_some());
        let alone = name.split_once('#').and_then(|(origin, number)| Some(format!("{}#{number}", addr(origin)?)));
        alone.unwrap_or_else(|| name.to_owned())
    }

    fn not_heard_of(&self, name: &str) -> Failure {
        let reader = self.vantage.map_or_else(String::new, |vantage| self.model.name_of(vantage.node()).into_owned());
        Failure::other(format_args!("{reader} had not heard of {name} by {}", self.span.text_of(self.as_of)))
    }

    fn check_has_started(&self, message: &str) -> Result<(), Failure> {
        match &self.asked {
            Some((name, node)) if self.model.nodes().get(*node).is_none() => {
                let at = self.span.text_of(self.as_of);
                Err(Failure::other(format_args!("{name} had not started by {at}, when {message} went around")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        Self::usage(error)
    }
}

fn numbers(recorded: &RecordedFile, past: &Past, why: &Explanation) -> Result<Vec<Option<EventNumber>>, JournalError> {
    let by = recorded.vantage().map(LoneNode::node);
    let told_by = |line: &EvidenceLine| {
        let source = line.source.map(|source| EvidenceSource { by: source.by.or(by), ..source });
        EvidenceLine { source, ..line.clone() }
    };
    let evidence: Vec<EvidenceLine> = why.evidence.iter().map(told_by).collect();
    match (recorded.merge(), by) {
        (Some(merge), _) => cite_merged(merge, &evidence),
        (None, Some(_)) => cite(&Past::open(recorded.whole())?, &evidence),
        (None, None) => cite(past, &evidence),
    }
}

/// An answer, with the number of the event behind each line of evidence.
struct CitedExplanation {
    why: Explanation,
    events: Vec<Option<EventNumber>>,
    as_of: Time,
    span: SessionSpan,
    /// What came of running it again without the cause, if that was wanted.
    proof: Option<NotedProof>,
}

/// An answer as programs read it.
#[derive(Serialize)]
struct CitedDocument<'a> {
    title: &'a str,
    verdict: &'a str,
    certain: bool,
    /// Microseconds since 1970.
    as_of: Time,
    evidence: Vec<EvidenceRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'a NotedProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableDocument<'a>>,
}

/// The figures of an answer, row by row.
#[derive(Serialize)]
struct TableDocument<'a> {
    rows: Vec<TableRow<'a>>,
    /// Rows that were left out.
    more: usize,
}

/// The values of a row, by the names of their columns.
struct TableRow<'a>(Vec<(&'static str, &'a AnswerCell)>);

impl Serialize for TableRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, cell) in &self.0 {
            map.serialize_entry(key, cell)?;
        }
        map.end()
    }
}

impl<'a> TableDocument<'a> {
    fn of(table: &'a AnswerTable) -> Self {
        Self { rows: table.rows().map(|row| TableRow(row.collect())).collect(), more: table.more() }
    }
}

#[derive(Serialize)]
struct EvidenceRow<'a> {
    /// `null` for what holds as of then.
    time: Option<Time>,
    text: &'a str,
    /// `null` if the line rests on no single event.
    event: &'a Option<EventNumber>,
}

impl CitedExplanation {
    fn lines(&self) -> impl Iterator<Item = (&EvidenceLine, &Option<EventNumber>)> {
        self.why.evidence.iter().zip(&self.events)
    }

    fn document(&self) -> CitedDocument<'_> {
        let row = |(line, event)| {
            let EvidenceLine { at, text, .. }: &EvidenceLine = line;
            EvidenceRow { time: *at, text, event }
        };
        let Explanation { title, verdict, is_certain, table, .. } = &self.why;
        let evidence = self.lines().map(row).collect();
        let (table, proof) = (table.as_ref().map(TableDocument::of), self.proof.as_ref());
        CitedDocument { title, verdict, certain: *is_certain, as_of: self.as_of, evidence, proof, table }
    }

    /// For people: the number of an event stands behind its line.
    fn text(&self, columns: usize) -> String {
        let Explanation { title, verdict, is_certain, .. } = &self.why;
        let mut text = format!("{title}\n\n");
        for line in wrap(verdict, columns) {
            let _ = writeln!(text, "{line}");
        }
        let certain = if *is_certain { "" } else { ", not certain" };
        let _ = writeln!(text, "as of {}{certain}", self.span.text_of(self.as_of));
        let proof = self.proof.iter().flat_map(|proof| std::iter::once(&proof.text).chain(&proof.notes));
        for line in proof.flat_map(|line| wrap(line, columns)) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
        for line in self.why.table.iter().flat_map(|table| table.lines(columns)) {
            let _ = writeln!(text, "{line}");
        }
        if self.why.table.is_some() && !self.why.evidence.is_empty() {
            text.push('\n');
        }
        let times = self.why.evidence.iter().filter_map(|line| line.at).map(|at| self.span.text_of(at).len()).max();
        for (line, event) in self.lines() {
            let time = line.at.map_or_else(String::new, |at| self.span.text_of(at));
            let time = times.map_or_else(String::new, |times| format!("{time:times$}  "));
            let event = event.as_ref().map_or_else(String::new, |event| format!("  [{event}]"));
            let _ = writeln!(text, "{time}{}{event}", line.text);
        }
        text
    }
}
