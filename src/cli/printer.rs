//! What `--headless` prints.

use std::io::{self, Write};

use tokio_util::sync::CancellationToken;

use super::args::PrintFormat;
use crate::event::Event;
use crate::feed::{Delivery, Feed};
use crate::session::journal::Header;
use crate::session::names::NodeNames;
use crate::session::text::{json_header, json_line, json_skipped, text_line};

/// Prints events as they come.
pub(crate) struct Printer<W> {
    format: PrintFormat,
    names: NodeNames,
    header: Header,
    out: W,
    skipped: u64,
    hurry: CancellationToken,
}

impl<W: Write> Printer<W> {
    /// A printer that has printed nothing yet. What it prints as JSON is a journal.
    pub(crate) fn new(format: PrintFormat, header: Header, out: W) -> Self {
        Self { format, names: NodeNames::new(), header, out, skipped: 0, hurry: CancellationToken::new() }
    }

    /// Once this is canceled, what still comes is counted and not printed.
    pub(crate) fn hurry(&self) -> CancellationToken {
        self.hurry.clone()
    }

    /// Prints until the feed ends or nobody reads any more. Returns how many events came faster than
    /// they could be printed.
    pub(crate) fn run(mut self, mut feed: Feed) -> io::Result<u64> {
        self.begin()?;
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

    /// Prints what comes before all events.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        match self.format {
            PrintFormat::Json => writeln!(self.out, "{}", json_header(&self.header)?),
            PrintFormat::Text => Ok(()),
        }
    }

    /// Prints these events.
    pub(crate) fn events(&mut self, events: &[Event]) -> io::Result<()> {
        events.iter().try_for_each(|event| self.event(event))
    }

    /// Nothing waits to be printed any more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn missing(&mut self, events: u64) -> io::Result<()> {
        self.skipped += events;
        if events > 0 && self.format == PrintFormat::Json {
            writeln!(self.out, "{}", json_skipped(events)?)?;
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.missing(delivery.skipped)?;
        self.events(&delivery.batch)?;
        // Whoever reads wants to see what happened when it happens.
        self.flush()
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        let line = match self.format {
            PrintFormat::Text => text_line(event, &self.names, self.header.utc_offset_s),
            PrintFormat::Json => Some(json_line(event)?),
        };
        line.map_or(Ok(()), |line| writeln!(self.out, "{line}"))
    }
}
