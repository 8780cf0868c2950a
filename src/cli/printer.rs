//! What `--headless` prints.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::args::PrintFormat;
use crate::event::Event;
use crate::feed::{Delivery, Feed};
use crate::session::export::{EventLines, FileFormat, Stamps};
use crate::session::journal::Header;

/// Bytes of whole lines in one write: the most that a pipe holds.
const CHUNK_LEN: usize = 64 * 1024;

/// Prints events as they come.
pub(crate) struct Printer<W> {
    format: PrintFormat,
    lines: EventLines,
    out: W,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    skipped: u64,
    hurry: CancellationToken,
}

impl<W: Write> Printer<W> {
    /// A printer that has printed what comes before all events. Its JSON output is a journal.
    pub(crate) fn new(format: PrintFormat, header: &Header, out: W) -> io::Result<Self> {
        let (mut pending, hurry) = (Vec::new(), CancellationToken::new());
        let file = match format {
            PrintFormat::Text => FileFormat::Txt,
            PrintFormat::Json => FileFormat::Jsonl,
        };
        let lines = EventLines::begin(file, Stamps::Hidden, header, &mut pending)?;
        Ok(Self { format, lines, out, pending, skipped: 0, hurry })
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
        self.flush()?;
        Ok(self.skipped)
    }

    /// Prints this event; it may wait until a chunk is full.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        self.lines.push(&mut self.pending, event)?;
        if self.pending.len() < CHUNK_LEN { Ok(()) } else { self.write() }
    }

    /// Prints what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
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
        if events > 0 && self.format == PrintFormat::Json {
            self.lines.push_missing(&mut self.pending, events, "")?;
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.missing(delivery.skipped)?;
        delivery.batch.iter().try_for_each(|event| self.event(event))?;
        // A reader wants to see events when they happen.
        self.flush()
    }
}
