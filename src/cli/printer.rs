//! What `--headless` prints.

use std::io::{self, Write};

use super::args::Format;
use crate::event::Event;
use crate::feed::{Delivery, Feed};
use crate::session::journal::Header;
use crate::session::names::Names;
use crate::session::text::{json_header, json_line, json_skipped, text_line};

/// Prints events as they come.
pub(crate) struct Printer<W> {
    format: Format,
    names: Names,
    header: Header,
    out: W,
    skipped: u64,
}

impl<W: Write> Printer<W> {
    /// A printer that has printed nothing yet. What it prints as JSON is a journal.
    pub(crate) fn new(format: Format, header: Header, out: W) -> Self {
        Self { format, names: Names::new(), header, out, skipped: 0 }
    }

    /// Prints until the feed ends or nobody reads any more. Returns how many events came faster than
    /// they could be printed.
    pub(crate) fn run(mut self, mut feed: Feed) -> io::Result<u64> {
        if self.format == Format::Json {
            writeln!(self.out, "{}", json_header(&self.header)?)?;
        }
        while let Some(delivery) = feed.blocking_recv() {
            self.deliver(&delivery)?;
        }
        self.missing(feed.take_skipped())?;
        self.out.flush()?;
        Ok(self.skipped)
    }

    fn missing(&mut self, events: u64) -> io::Result<()> {
        self.skipped += events;
        if events > 0 && self.format == Format::Json {
            writeln!(self.out, "{}", json_skipped(events)?)?;
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.missing(delivery.skipped)?;
        for event in delivery.batch.iter() {
            self.event(event)?;
        }
        // Whoever reads wants to see what happened when it happens.
        self.out.flush()
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        let line = match self.format {
            Format::Text => text_line(event, &self.names, self.header.utc_offset_s),
            Format::Json => Some(json_line(event)?),
        };
        line.map_or(Ok(()), |line| writeln!(self.out, "{line}"))
    }
}
