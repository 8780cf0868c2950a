//! `why`: an answer about something in a recorded session, with the evidence, for scripts.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use serde::Serialize;

use super::args::{WhyArgs, WhyFormat};
use super::failure::Failure;
use super::named::{self, NameError};
use super::output;
use super::recorded::complain_of;
use super::with::{self, RecordedFile};
use crate::model::Model;
use crate::model::moment::{Anchor, SessionSpan};
use crate::model::why::{EvidenceLine, Explanation, NamedSubject, is_message};
use crate::proto::time::Time;
use crate::session::citation::{EventNumber, cite, cite_merged};
use crate::session::journal::JournalError;
use crate::session::past::{Past, PastMoment};
use crate::session::text::printed_json;
use crate::ui::wrap;

/// Columns of a text that goes to no terminal.
const TEXT_WIDTH: usize = 100;
/// A line that is narrower than this is no line of text.
const TEXT_WIDTH_MIN: usize = 40;
const USAGE: &str = "expected a node (p7), a message (p3#12), a node and a message (p7 p3#12), or two nodes (p1 p3)";

pub(crate) fn run(args: &WhyArgs) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = args.subject.iter().map(String::as_str).collect();
    check_words(&words)?;
    let recorded = with::open(&args.session, &args.with)?;
    let past = Past::open(recorded.path())?;
    let span = past.span()?;
    let at = match args.at {
        Some(at) => at.resolve(span, Anchor::Ends).map_err(Failure::usage)?,
        None => past.before_leaving()?,
    };
    let PastMoment { mut model, damage, .. } = past.at(at)?;
    let (subject, as_of) = subject(&words, (&mut model, at), &past, span)?;
    let why = subject.explain(&model, as_of, span.utc_offset_s);
    let events = numbers(&recorded, &past, &why)?;
    let answer = CitedExplanation { why, events, as_of, span };
    match args.format {
        WhyFormat::Text => output::print_lines(&answer.text(text_width()))?,
        WhyFormat::Json => {
            let json = printed_json(&answer.document()).map_err(|error| Failure::Stdout(error.into()))?;
            output::print(format!("{json}\n").as_bytes())?
        }
    };
    Ok(complain_of(&damage))
}

/// Refuses what cannot name anything in any session.
fn check_words(words: &[&str]) -> Result<(), Failure> {
    let is_half =
        |word: &&&str| word.is_empty() || word.split_once('#').is_some_and(|(of, nth)| of.is_empty() || nth.is_empty());
    if let Some(half) = words.iter().find(is_half) {
        return Err(Failure::usage(format_args!("'{half}' names nothing: {USAGE}")));
    }
    match *words {
        [one, other] if is_message(one) && is_message(other) => {
            Err(Failure::usage(format_args!("'{one}' and '{other}' are two messages: {USAGE}")))
        }
        [one, other] if one == other => {
            Err(Failure::usage(format_args!("'{one}' and '{other}' are one node: a link has two")))
        }
        _ => Ok(()),
    }
}

/// What the words name, and as of when the answer is: of a message that the model of that moment no
/// longer holds, both model and time are the message's own.
fn subject(
    words: &[&str],
    (model, at): (&mut Model, Time),
    past: &Past,
    span: SessionSpan,
) -> Result<(NamedSubject, Time), Failure> {
    let mut as_of = at;
    for word in words {
        if !is_message(word) {
            named::node(word, model).map_err(NameError::other)?;
        } else if model.find_message(word).is_none() {
            named::message(word, model, past, span).map_err(NameError::other)?;
            as_of = model.now();
        }
    }
    let found = NamedSubject::find(words, model);
    // What was found above is found again.
    found.map(|subject| (subject, as_of)).map_err(|_| Failure::usage(USAGE))
}

fn numbers(recorded: &RecordedFile, past: &Past, why: &Explanation) -> Result<Vec<Option<EventNumber>>, JournalError> {
    match recorded.merge() {
        Some(merge) => cite_merged(merge, &why.evidence),
        None => cite(past, &why.evidence),
    }
}

fn text_width() -> usize {
    let columns = io::stdout().is_terminal().then(|| crossterm::terminal::size().ok()).flatten();
    columns.map_or(TEXT_WIDTH, |(columns, _)| usize::from(columns)).max(TEXT_WIDTH_MIN)
}

/// An answer, with the number of the event behind each line of evidence.
struct CitedExplanation {
    why: Explanation,
    events: Vec<Option<EventNumber>>,
    as_of: Time,
    span: SessionSpan,
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
        let Explanation { title, verdict, is_certain, .. } = &self.why;
        let evidence = self.lines().map(row).collect();
        CitedDocument { title, verdict, certain: *is_certain, as_of: self.as_of, evidence }
    }

    /// For people: the number of an event stands behind its line.
    fn text(&self, columns: usize) -> String {
        let Explanation { title, verdict, is_certain, .. } = &self.why;
        let mut text = format!("{title}\n\n");
        for line in wrap(verdict, columns) {
            let _ = writeln!(text, "{line}");
        }
        let certain = if *is_certain { "" } else { ", not certain" };
        let _ = writeln!(text, "as of {}{certain}\n", self.span.text_of(self.as_of));
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
