//! `diagram`: the space-time diagram of something in a recorded session.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::args::{DiagramArgs, DiagramFormat};
use super::failure::Failure;
use super::named::{self, NameError};
use super::output;
use super::with;
use crate::model::Model;
use crate::model::death::LINGER;
use crate::model::diagram::grid::{GridStep, GridStyle, Strokes, columns_max, grid};
use crate::model::diagram::subject::{DiagramSpan, DiagramSubject, WINDOW};
use crate::model::diagram::{Diagram, DiagramSpec, diagram};
use crate::model::moment::{Anchor, SessionSpan, WrittenMoment};
use crate::model::why::{SubjectError, is_message};
use crate::proto::addr::Addr;
use crate::session::archive::LAST;
use crate::session::diagram_svg::{SvgPlace, SvgStyle, svg};
use crate::session::export::{self, OverwritePolicy};
use crate::session::past::Past;

/// Columns of a picture that goes to no terminal: more nodes fit than in a text.
const TEXT_WIDTH: usize = 120;
/// Rows of a text: some screens.
const TEXT_ROWS: usize = 200;
/// Columns of a picture: more do not fit on a page.
const SVG_COLUMNS: usize = 14;

pub(crate) fn run(args: &DiagramArgs) -> Result<ExitCode, Failure> {
    let format = format_of(args)?;
    let recorded = with::open(&args.session, &args.with)?;
    let journal = recorded.path();
    let past = Past::open(journal)?;
    let question = DiagramQuestion::read(args, &past)?;
    let columns = match format {
        DiagramFormat::Svg => SVG_COLUMNS,
        DiagramFormat::Text => columns_max(output::text_width_or(TEXT_WIDTH), question.name_width()),
    };
    let drawn = question.draw(&past, columns)?;
    let text = match format {
        DiagramFormat::Svg => svg(&drawn, &caption(args, journal, &drawn, question.session)),
        DiagramFormat::Text => text(args, journal, &drawn, question.session),
    };
    match &args.output {
        Some(file) => {
            let overwrite = if args.force { OverwritePolicy::Replace } else { OverwritePolicy::Refuse };
            export::write_text(file, &text, overwrite)?;
            output::print_lines(&format!("{} drawn to {}\n", drawn.title, file.display()))
        }
        None => output::print_lines(&text),
    }
}

/// The format that was asked for, or that of the file's extension.
fn format_of(args: &DiagramArgs) -> Result<DiagramFormat, Failure> {
    let ending = args.output.as_deref().and_then(Path::extension).map(|ending| ending.to_string_lossy().to_lowercase());
    match (args.format, &args.output, ending.as_deref()) {
        (Some(format), _, _) => Ok(format),
        (None, None, _) | (None, Some(_), Some("txt")) => Ok(DiagramFormat::Text),
        (None, Some(_), Some("svg")) => Ok(DiagramFormat::Svg),
        (None, Some(file), _) => {
            Err(Failure::usage(format_args!("{}: the extension chooses the format: use .svg or .txt", file.display())))
        }
    }
}

/// What is asked, with what is known of it.
struct DiagramQuestion {
    session: SessionSpan,
    model: Model,
    subject: DiagramSubject,
    span: DiagramSpan,
    picked: Vec<Addr>,
}

impl DiagramQuestion {
    fn read(args: &DiagramArgs, past: &Past) -> Result<Self, Failure> {
        let session = past.span()?;
        let around = args.at.map(|at| around(at, args.window, session)).transpose()?;
        // What came of it belongs to a death.
        let until = around.map_or(session.last, |span| session.last.min(span.to + LINGER));
        let mut model = past.at(until)?.model;
        let picked = args.nodes.iter().map(|name| node(name, &model)).collect::<Result<Vec<_>, _>>()?;
        let subject = match args.subject.as_slice() {
            [] => DiagramSubject::Window(picked.clone()),
            [name] if is_message(name) => {
                DiagramSubject::Message(named::message(name, &mut model, past, session).map_err(NameError::usage)?)
            }
            [name] => DiagramSubject::of_node(node(name, &model)?, &model, around),
            [one, other] => link(one, other, &model)?,
            _ => return Err(Failure::usage("expected a message, a node, or the two nodes of a link")),
        };
        let span = match (&subject, around) {
            (DiagramSubject::Message(_) | DiagramSubject::Death { .. }, _) | (_, None) => {
                subject.span(&model, args.window)
            }
            (DiagramSubject::Node(_) | DiagramSubject::Link(..) | DiagramSubject::Window(_), Some(span)) => span,
        };
        Ok(Self { session, model, subject, span, picked })
    }

    /// The widest name of a node of ours.
    fn name_width(&self) -> usize {
        let names = self.model.nodes().iter().filter(|node| node.is_ours());
        names.map(|node| self.model.name_of(node.addr).chars().count()).max().unwrap_or(0)
    }

    fn draw(&self, past: &Past, columns_max: usize) -> Result<Diagram, Failure> {
        let DiagramSpan { from, to } = self.span;
        let spec = DiagramSpec {
            subject: self.subject.clone(),
            from: from.max(self.session.first),
            to: to.min(self.session.last),
            picked: self.picked.clone(),
            columns_max,
            utc_offset_s: self.session.utc_offset_s,
        };
        Ok(diagram(&spec, past.events(spec.from, spec.to)?, &self.model))
    }
}

/// The span around a moment; a moment that was written as a minute is all of it.
fn around(at: WrittenMoment, window: Option<Duration>, session: SessionSpan) -> Result<DiagramSpan, Failure> {
    let within = match at {
        WrittenMoment::Clock { within, .. } => within,
        WrittenMoment::Later(_) | WrittenMoment::Earlier(_) => Duration::ZERO,
    };
    let begin = at.resolve(session, Anchor::Ends).map_err(Failure::usage)?;
    Ok(DiagramSpan::around(begin + within / 2, window.unwrap_or(WINDOW.max(within))))
}

fn node(name: &str, model: &Model) -> Result<Addr, Failure> {
    named::node(name, model).map_err(NameError::usage)
}

fn link(one: &str, other: &str, model: &Model) -> Result<DiagramSubject, Failure> {
    let (from, to) = (node(one, model)?, node(other, model)?);
    if from == to {
        return Err(Failure::usage(SubjectError::OneNode { one: one.to_owned(), other: other.to_owned() }));
    }
    Ok(DiagramSubject::Link(from, to))
}

/// The session as it is named again tomorrow.
fn session_name(args: &DiagramArgs, path: &Path) -> String {
    let file = path.file_name().filter(|_| args.session == LAST).map(|file| file.to_string_lossy().into_owned());
    let name = file.map(|file| file.split_once(".jsonl").map_or(file.clone(), |(name, _)| name.to_owned()));
    name.unwrap_or_else(|| args.session.clone())
}

/// The command that draws the same again.
fn command(args: &DiagramArgs, session: &str) -> String {
    let mut words = vec!["gossipctl diagram".to_owned(), session.to_owned()];
    words.extend(args.with.with.iter().map(|other| format!("--with {other}")));
    words.extend(args.subject.iter().cloned());
    words.extend(args.at.map(|at| format!("--at {at}")));
    words.extend(args.window.map(|window| format!("--window {}", humantime::format_duration(window))));
    words.extend(Some(format!("--nodes {}", args.nodes.join(","))).filter(|_| !args.nodes.is_empty()));
    words.join(" ")
}

fn times(drawn: &Diagram, session: SessionSpan) -> String {
    format!("{} to {}", session.text_of(drawn.from), session.text_of(drawn.to))
}

fn caption(args: &DiagramArgs, path: &Path, drawn: &Diagram, session: SessionSpan) -> SvgStyle {
    let name = session_name(args, path);
    SvgStyle {
        place: SvgPlace::File,
        title: drawn.title.clone(),
        caption: vec![format!("session {name}, {}", times(drawn, session)), command(args, &name)],
    }
}

fn text(args: &DiagramArgs, path: &Path, drawn: &Diagram, session: SessionSpan) -> String {
    let strokes = if args.ascii { Strokes::Ascii } else { Strokes::Box };
    let style = GridStyle { strokes, width: output::text_width_or(TEXT_WIDTH), step: GridStep::Rows(TEXT_ROWS) };
    let picture = grid(drawn, style);
    let name = session_name(args, path);
    let head = format!("{}, session {name}, {}", drawn.title, times(drawn, session));
    let rows =
        std::iter::once(&picture.head).chain(&picture.rows).map(super::super::model::diagram::grid::GridRow::text);
    let lines = [head, command(args, &name), String::new()].into_iter().chain(rows);
    let notes = Some(String::new()).into_iter().chain(drawn.notes()).filter(|_| !drawn.notes().is_empty());
    lines.chain(notes).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::time::Time;

    #[test]
    fn a_minute_is_drawn_whole_and_a_second_with_what_is_around() {
        let at = |seconds: u64| Time::from_micros(seconds * 1_000_000);
        let session = SessionSpan { first: at(0), last: at(7_200), utc_offset_s: 0 };
        let span = |written: &str, window| around(written.parse().unwrap(), window, session).unwrap();
        assert_eq!(span("00:30", None), DiagramSpan { from: at(1_800), to: at(1_860) });
        assert_eq!(span("+60s", None), DiagramSpan { from: at(55), to: at(65) });
        let second = span("00:30:07", Some(Duration::from_secs(3)));
        assert_eq!(second.to.since(second.from), Duration::from_secs(3));
        assert!(second.from < at(1_807) && at(1_807) < second.to);
    }
}
