//! Tables: columns with a heading, of which the least important are left out when it is narrow.

use super::line::Parts;
use super::options::Glyphs;
use super::text;
use super::theme::Tone;
use super::view::View;

/// A column of a table whose rows are of type `R`.
pub(crate) struct Column<R> {
    pub(crate) title: &'static str,
    pub(crate) width: usize,
    /// The highest is left out first; one of rank 0 always stays.
    pub(crate) rank: u8,
    pub(crate) align: Align,
    pub(crate) cell: fn(&R, &View<'_>) -> Parts,
}

/// Where the text of a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// The columns that fit into this width.
pub(crate) fn fitting<R>(mut columns: Vec<Column<R>>, width: usize) -> Vec<Column<R>> {
    let needed = |columns: &[Column<R>]| columns.iter().map(|column| column.width + 1).sum::<usize>();
    while needed(&columns) > width {
        let least = columns.iter().enumerate().max_by_key(|(_, column)| column.rank);
        let Some((place, _)) = least.filter(|(_, column)| column.rank > 0) else { break };
        columns.remove(place);
    }
    columns
}

/// The titles of these columns.
pub(crate) fn heading<R>(columns: &[Column<R>], tone: Tone, glyphs: Glyphs) -> Parts {
    let cell = |column: &Column<R>| column.padded(vec![(tone, column.title.to_owned())], glyphs);
    columns.iter().flat_map(cell).collect()
}

/// The cells of a row, each with a space after it.
pub(crate) fn cells<R>(columns: &[Column<R>], row: &R, view: &View<'_>) -> Parts {
    columns.iter().flat_map(|column| column.padded((column.cell)(row, view), view.theme.glyphs)).collect()
}

impl<R> Column<R> {
    fn padded(&self, mut parts: Parts, glyphs: Glyphs) -> Parts {
        let used: usize = parts.iter().map(|(_, text)| text::width(text)).sum();
        let fill = " ".repeat(self.width.saturating_sub(used));
        match (self.align, parts.as_mut_slice()) {
            (_, []) => return vec![(Tone::Plain, fill + " ")],
            (Align::Right, [(_, first), ..]) => first.insert_str(0, &fill),
            (Align::Left, [.., (_, last)]) => last.push_str(&fill),
        }
        if let Some((_, last)) = parts.last_mut() {
            let room = text::width(last).saturating_sub(used.saturating_sub(self.width));
            *last = text::truncate(last, room, glyphs).into_owned() + " ";
        }
        parts
    }
}
