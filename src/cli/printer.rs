//! What `--headless` prints.

use std::io::{self, Write};

use super::args::Format;
use crate::event::Event;
use crate::feed::{Delivery, Feed};
use crate::session::names::Names;
use crate::session::text::{json_line, text_line};

/// Prints events as they come.
pub(crate) struct Printer<W> {
    format: Format,
    names: Names,
    utc_offset_s: i32,
    out: W,
    skipped: u64,
}

impl<W: Write> Printer<W> {
    /// A printer that has printed nothing yet.
    pub(crate) fn new(format: Format, utc_offset_s: i32, out: W) -> Self {
        Self { format, names: Names::new(), utc_offset_s, out, skipped: 0 }
    }

    /// Prints until the feed ends or nobody reads any more. Returns how many events came faster than
    /// they could be printed.
    pub(crate) fn run(mut self, mut feed: Feed) -> io::Result<u64> {
        while let Some(delivery) = feed.blocking_recv() {
            self.deliver(&delivery)?;
        }
        Ok(self.skipped + feed.take_skipped())
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.skipped += delivery.skipped;
        for event in delivery.batch.iter() {
            self.event(event)?;
        }
        // Whoever reads wants to see what happened when it happens.
        self.out.flush()
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        let line = match self.format {
            Format::Text => text_line(event, &self.names, self.utc_offset_s),
            Format::Json => Some(json_line(event)?),
        };
        line.map_or(Ok(()), |line| writeln!(self.out, "{line}"))
    }
}
