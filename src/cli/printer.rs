//! What `--headless` prints.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::args::PrintFormat;
use crate::event::Event;
use crate::feed::{Delivery, Feed};
use crate::session::document::{Document, DocumentFormat};
use crate::session::export::{EventLines, LineFormat, Stamps};
use crate::session::journal::Header;
use crate::session::overlay::OverlayFormat;

/// Bytes of whole lines in one write: the most that a pipe holds.
const CHUNK_LEN: usize = 64 * 1024;

/// Prints events as they come.
pub(crate) struct Printer<W> {
    form: PrintedForm,
    out: W,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    skipped: u64,
    hurry: CancellationToken,
}

/// What events become.
enum PrintedForm {
    /// A line each, as they come.
    Lines(LineFormat, EventLines),
    /// One document at the end.
    Document(Box<Document>),
}

impl PrintedForm {
    fn begin(format: PrintFormat, header: &Header, out: &mut Vec<u8>) -> io::Result<Self> {
        let document = |format| Ok(Self::Document(Box::new(Document::new(format, header))));
        let file = match format {
            PrintFormat::Text => LineFormat::Txt,
            PrintFormat::Json => LineFormat::Jsonl,
            PrintFormat::Csv => LineFormat::Csv,
            PrintFormat::Prometheus => return document(DocumentFormat::Prometheus),
            PrintFormat::Dot => return document(DocumentFormat::Overlay(OverlayFormat::Dot)),
            PrintFormat::Graphml => return document(DocumentFormat::Overlay(OverlayFormat::Graphml)),
            PrintFormat::Markdown => return document(DocumentFormat::Markdown),
        };
        Ok(Self::Lines(file, EventLines::begin(file, Stamps::Hidden, header, out)?))
    }
}

impl<W: Write> Printer<W> {
    /// A printer that has printed what comes before all events. Its JSON output is a journal.
    pub(crate) fn new(format: PrintFormat, header: &Header, out: W) -> io::Result<Self> {
        let (mut pending, hurry) = (Vec::new(), CancellationToken::new());
        let form = PrintedForm::begin(format, header, &mut pending)?;
        Ok(Self { form, out, pending, skipped: 0, hurry })
    }

    /// Once this is canceled, further events are counted and not printed.
    pub(crate) fn hurry(&self) -> CancellationToken {
        self.hurry.clone()
    }

    /// Prints until the feed ends or nobody reads any more. Returns how many events came too fast
    /// to be printed.
    pub(crate) fn run(mut self, mut feed: Feed) -> io::Result<u64> {
        while let Some(delivery) = feed.blocking_recv() {
            if self.hurry.is_cancelled() {
                self.missing(delivery.skipped + delivery.batch.len() as u64)?;
            } else {
                self.deliver(&delivery)?;
            }
        }
        self.missing(feed.take_skipped())?;
        self.finish()?;
        Ok(self.skipped)
    }

    /// Prints this event; it may wait until a chunk is full.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        match &mut self.form {
            PrintedForm::Lines(_, lines) => lines.push(&mut self.pending, event)?,
            PrintedForm::Document(document) => document.take(event),
        }
        if self.pending.len() < CHUNK_LEN { Ok(()) } else { self.write() }
    }

    /// Prints what waits, and what comes after all events.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if let PrintedForm::Document(document) = &mut self.form {
            self.pending.extend_from_slice(document.text().as_bytes());
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.out.flush()
    }

    fn write(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.pending);
        self.pending.clear();
        written
    }

    fn missing(&mut self, events: u64) -> io::Result<()> {
        self.skipped += events;
        match &mut self.form {
            PrintedForm::Lines(LineFormat::Jsonl | LineFormat::Csv, lines) if events > 0 => {
                lines.push_missing(&mut self.pending, events, &format!("{events} events are missing"))
            }
            PrintedForm::Lines(..) => Ok(()),
            PrintedForm::Document(document) => {
                document.note_missing(events);
                Ok(())
            }
        }
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.missing(delivery.skipped)?;
        delivery.batch.iter().try_for_each(|event| self.event(event))?;
        // A reader wants to see events when they happen.
        self.flush()
    }
}
