//! An answer: the verdict, as of when it holds, and the evidence line by line.
//!
//! ```text
//! + Why is p7 dead? ------------------------------------------+
//! | p7 hangs since 03:00:09, and its neighbors take it ...    |
//! | as of 03:00:21                                            |
//! | changed since 03:00:12: was "p7 hangs since 03:00:09; .. |
//! | Proven: without 'hang p7', p3 does not declare p7 dead    |
//! |                                                           |
//! | 03:00:09.100 p7 hung: its sockets are open, ...           |
//! +------ Enter goes to 03:00:09  Esc closes  p proves  -------+
//! ```
//!
//! It follows the network for as long as it is open: in the past it is as of the moment that is shown.

use std::sync::Arc;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::alone::LoneReader;
use super::proof::ShownProof;
use super::{Modal, Reply, action, columns, foot, framed};
use crate::model::Model;
use crate::model::why::{AskedAnswer, EvidenceLine, Explanation};
use crate::proto::addr::Addr;
use crate::proto::time::Time;
use crate::ui::action::{Action, Move};
use crate::ui::explain::{Subject, explain};
use crate::ui::host::{LoneQuestion, ProofTold};
use crate::ui::keys::{Key, KeyMap};
use crate::ui::line::mark;
use crate::ui::text;
use crate::ui::theme::Tone;
use crate::ui::view::View;

const WIDTH_MAX: u16 = 110;
/// Columns of `HH:MM:SS.mmm` and a space.
const TIME: usize = 13;
/// Columns between two notes on the lower edge.
const GAP: usize = 2;
/// How often the question is asked again: to a reader, this is at once.
const REFRESH: Duration = Duration::from_millis(500);

/// A question that stays asked, and the reader's place in the answer.
#[derive(Debug)]
pub(crate) struct WhyDialog {
    subject: Subject,
    why: Explanation,
    /// The moment that the answer is about.
    as_of: Time,
    /// The verdict when the dialog was opened, and as of when.
    opened: (String, Time),
    place: ReadingPlace,
    proof: ShownProof,
    /// The node that answers alone, if one does.
    reader: Option<LoneReader>,
    begun: Option<Key>,
}

/// Where the reader is.
#[derive(Debug, Default)]
struct ReadingPlace {
    /// The line of evidence that is chosen, by its number.
    chosen: Option<usize>,
    top: usize,
    /// Rows and lines of the last picture, and the first row of each line of evidence.
    rows: usize,
    lines: usize,
    starts: Vec<usize>,
}

impl WhyDialog {
    /// `None` if there is nothing to be asked about any more.
    pub(crate) fn new(subject: Subject, view: &View<'_>) -> Option<Self> {
        Some(Self::showing(explain(subject, view)?, subject, view))
    }

    /// As this node alone could answer it: it opens at once, and says that it reads.
    pub(crate) fn alone(subject: Subject, reader: Addr, view: &View<'_>) -> Self {
        let reader = LoneReader::new(reader, view);
        let dialog = Self::showing(reader.reading(), subject, view);
        Self { reader: Some(reader), ..dialog }
    }

    fn showing(why: Explanation, subject: Subject, view: &View<'_>) -> Self {
        let opened = (why.verdict.clone(), view.now);
        let (place, proof) = (ReadingPlace::default(), ShownProof::default());
        Self { subject, why, as_of: view.now, opened, place, proof, reader: None, begun: None }
    }

    /// Asks again; what is no longer held stays as it was last seen.
    fn refresh(&mut self, view: &View<'_>) {
        let Some(reader) = &mut self.reader else {
            let is_fresh = view.now >= self.as_of && view.now.since(self.as_of) < REFRESH;
            let why = if is_fresh { None } else { explain(self.subject, view) };
            return why.into_iter().for_each(|why| self.take(why, view.now, view));
        };
        let is_first = !reader.has_told();
        if let Some((why, at)) = reader.answer(self.subject, view) {
            if is_first {
                self.opened = (why.verdict.clone(), at);
            }
            self.take(why, at, view);
        }
    }

    fn take(&mut self, why: Explanation, as_of: Time, view: &View<'_>) {
        let chosen = self.chosen().cloned();
        self.place.chosen = chosen.and_then(|line| {
            let same = why.evidence.iter().position(|other| (other.at, &other.text) == (line.at, &line.text));
            same.or(self.place.chosen).filter(|_| !why.evidence.is_empty())
        });
        (self.why, self.as_of) = (why, as_of);
        self.proof.follow(&self.why, view);
    }

    fn chosen(&self) -> Option<&EvidenceLine> {
        self.why.evidence.get(self.place.chosen?)
    }

    fn copied(&self) -> String {
        let Explanation { title, verdict, evidence, table, .. } = &self.why;
        let figures = table.iter().flat_map(|table| table.lines(WIDTH_MAX.into()));
        let evidence = evidence.iter().map(|line| line.text.clone());
        let head = [title.clone(), verdict.clone()].into_iter().chain(self.proof.told().map(ToOwned::to_owned));
        head.chain(figures).chain(evidence).collect::<Vec<_>>().join("\n")
    }

    /// The verdict, as of when, and what it was before.
    fn head(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let mut lines = view.wrapped(&self.why.verdict, Tone::Strong, columns);
        lines.extend(self.as_of_text(view).iter().flat_map(|text| view.wrapped(text, Tone::Stale, columns)));
        let (was, since) = &self.opened;
        // Figures change all the time.
        if *was != self.why.verdict && self.why.table.is_none() {
            let changed = format!("changed since {}: was \"{was}\"", view.second(*since));
            lines.extend(view.wrapped(&changed, Tone::Suspect, columns));
        }
        lines.extend(self.proof.lines(columns, view));
        lines.push(Line::default());
        lines
    }

    /// The figures, and room before the evidence.
    fn figures(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let Some(table) = &self.why.table else { return Vec::new() };
        let lines = table.lines(columns).into_iter();
        let lines = lines.flat_map(|line| view.wrapped(&line, Tone::Plain, columns));
        lines.chain((!self.why.evidence.is_empty()).then(Line::default)).collect()
    }
}

impl Modal for WhyDialog {
    fn press(&mut self, key: Key, keys: &KeyMap) -> Reply {
        match action(key, &mut self.begun, keys) {
            Some(Action::Move(wanted)) => self.scroll(wanted),
            Some(Action::Details) => {
                return match self.chosen() {
                    None => Reply::Close,
                    Some(EvidenceLine { at: Some(at), .. }) => Reply::GoTo(*at),
                    Some(EvidenceLine { at: None, .. }) => Reply::Stay,
                };
            }
            Some(Action::Prove) if self.reader.is_some() => {
                self.proof =
                    ShownProof::Impossible("one node alone does not know what was done: ask without 'as'".to_owned());
            }
            Some(Action::Prove) => self.proof = ShownProof::Wanted,
            Some(Action::Back) if self.proof.is_running() => self.proof = ShownProof::None,
            Some(Action::Back | Action::Quit) => return Reply::Close,
            Some(Action::Copy) => return Reply::Copy(self.copied()),
            Some(_) | None => {}
        }
        Reply::Stay
    }

    fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        self.refresh(view);
        self.proof.ask(&self.why, self.subject.node(), view);
        let columns = columns(WIDTH_MAX, area);
        let mut lines = self.head(columns, view);
        lines.extend(self.figures(columns, view));
        self.place.starts.clear();
        // If no line has a time, there is no column for it.
        let times = if self.why.evidence.iter().any(|line| line.at.is_some()) { TIME } else { 0 };
        for (number, evidence) in self.why.evidence.iter().enumerate() {
            self.place.starts.push(lines.len());
            let is_chosen = self.place.chosen == Some(number);
            lines.extend(evidence_lines(evidence, times, columns, view).into_iter().map(|mut line| {
                if is_chosen {
                    mark(&mut line, columns);
                }
                line
            }));
        }
        let inside = framed(&self.why.title, (columns, lines.len()), frame, area, view);
        let below = self.place.fit(lines.len(), usize::from(inside.height));
        let top = u16::try_from(self.place.top).unwrap_or(u16::MAX);
        frame.render_widget(Paragraph::new(lines).scroll((top, 0)), inside);
        foot(&self.notes(below, columns, view), frame, inside, view);
    }

    fn scroll(&mut self, wanted: Move) {
        self.place.act(wanted);
    }

    fn unproven(&self) -> Option<&AskedAnswer> {
        self.proof.unproven()
    }

    fn hear_proof(&mut self, answer: &AskedAnswer, told: &ProofTold) {
        self.proof.hear(answer, told);
    }

    fn unread(&self) -> Option<LoneQuestion> {
        self.reader.as_ref().and_then(LoneReader::wanted)
    }

    fn hear_alone(&mut self, question: LoneQuestion, answer: &Result<Arc<Model>, String>) {
        self.reader.iter_mut().for_each(|reader| reader.hear(question, answer));
    }
}

impl WhyDialog {
    /// A notice stays as it was when it came.
    fn as_of_text(&self, view: &View<'_>) -> Option<String> {
        let certain = if self.why.is_certain { "" } else { ", not certain" };
        let is_notice = matches!(self.subject, Subject::Notice(_));
        let is_read = self.reader.as_ref().is_none_or(LoneReader::has_told);
        (!is_notice && is_read).then(|| format!("as of {}{certain}", view.second(self.as_of)))
    }

    /// What keys do here, and how much more there is.
    fn notes(&self, below: usize, columns: usize, view: &View<'_>) -> Vec<String> {
        let key = |action, what: &str| format!("{} {what}", view.keys.key_of(action));
        let way = match self.chosen() {
            Some(EvidenceLine { at: Some(at), .. }) => {
                Some(key(Action::Details, &format!("goes to {}", view.moment(*at))))
            }
            None if self.why.evidence.iter().any(|line| line.at.is_some()) => {
                Some(key(Action::Move(Move::Down), "chooses a moment"))
            }
            Some(EvidenceLine { at: None, .. }) | None => None,
        };
        let more = (below > 0).then(|| format!("{below} more below"));
        let esc = if self.proof.is_running() { "stops the proof" } else { "closes" };
        let can_prove = !self.why.rests_on.is_empty() && !self.proof.is_running() && self.reader.is_none();
        let prove = can_prove.then(|| key(Action::Prove, "proves"));
        let copies = key(Action::Copy, "copies");
        let keys = [Some(key(Action::Back, esc)), prove, Some(copies.clone()), more];
        let notes: Vec<String> = way.into_iter().chain(keys.into_iter().flatten()).collect();
        // Whoever knows the key does not need to be told of it here.
        let is_wide = notes.iter().map(|note| note.len() + GAP).sum::<usize>() <= columns;
        notes.into_iter().filter(|note| is_wide || *note != copies).collect()
    }
}

impl ReadingPlace {
    /// Takes note of a picture; returns how many lines are below it.
    fn fit(&mut self, lines: usize, rows: usize) -> usize {
        (self.lines, self.rows) = (lines, rows);
        self.top = self.top.min(lines.saturating_sub(rows));
        lines.saturating_sub(self.top + rows)
    }

    fn act(&mut self, wanted: Move) {
        let last = self.starts.len().checked_sub(1);
        let page = self.rows.max(2) - 1;
        match wanted {
            Move::Down => self.down(),
            Move::Up => match self.chosen {
                Some(0) | None => self.top_of_all(),
                Some(chosen) => self.choose(chosen - 1),
            },
            Move::PageDown => self.choose_at_row(self.top + page + self.rows.saturating_sub(1)),
            Move::PageUp => match self.top.checked_sub(page).filter(|top| *top > 0) {
                Some(top) => self.choose_at_row(top),
                None => self.top_of_all(),
            },
            Move::Top => self.top_of_all(),
            Move::Bottom => match last {
                Some(last) => self.choose(last),
                None => self.top = self.lines.saturating_sub(self.rows),
            },
            Move::Left
            | Move::Right
            | Move::Follow
            | Move::NextMatch
            | Move::PreviousMatch
            | Move::Sort
            | Move::Reverse
            | Move::ZoomIn
            | Move::ZoomOut => {}
        }
    }

    /// The next line of evidence; before the first one, what does not fit of the verdict.
    fn down(&mut self) {
        match (self.chosen, self.starts.first()) {
            (None, Some(first)) if *first < self.top + self.rows => self.choose(0),
            (None, _) => self.top = (self.top + 1).min(self.lines.saturating_sub(self.rows)),
            (Some(chosen), _) => self.choose((chosen + 1).min(self.starts.len().saturating_sub(1))),
        }
    }

    fn top_of_all(&mut self) {
        (self.chosen, self.top) = (None, 0);
    }

    /// The last line of evidence that begins no later than in this row.
    fn choose_at_row(&mut self, row: usize) {
        match self.starts.partition_point(|start| *start <= row).checked_sub(1) {
            Some(number) => self.choose(number),
            None => self.top = row.min(self.lines.saturating_sub(self.rows)),
        }
    }

    /// Chooses a line of evidence, and shows all of it.
    fn choose(&mut self, number: usize) {
        let Some(start) = self.starts.get(number).copied() else { return };
        let end = self.starts.get(number + 1).copied().unwrap_or(self.lines);
        self.chosen = Some(number);
        self.top = self.top.max(end.saturating_sub(self.rows)).min(start);
    }
}

fn evidence_lines(evidence: &EvidenceLine, times: usize, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let time = evidence.at.map_or_else(String::new, |at| view.moment(at));
    let texts = text::wrap(&evidence.text, columns.saturating_sub(times).max(10));
    let times = std::iter::once(format!("{time:<times$}")).chain(std::iter::repeat(" ".repeat(times)));
    let line = |(time, text): (String, String)| {
        Line::from(vec![Span::styled(time, view.style(Tone::Stale)), view.span(Tone::Plain, text)])
    };
    times.zip(texts).map(line).collect()
}
