//! Who knows whom, as a picture: a row for those who know, a column for each who is known.
//!
//! ```text
//!           pppppp
//!           123456
//! p1 and p2 #####x
//! p3        ###.##
//! ```

use crate::model::words::list_text;

/// Columns of the picture for the names of a row, at most.
const LABEL_MAX: usize = 26;
/// Cells of one band at least, however narrow the picture is.
const BAND_MIN: usize = 8;
/// Names of a row before it says how many more there are.
const NAMES_MAX: usize = 3;

/// What one node knows of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Knowledge {
    /// It knows it, and it runs; or it is itself.
    True,
    /// It knows it, and it does not run.
    Stale,
    /// It knows it, and whether it runs is not certain.
    Unsure,
    Unknown,
}

impl Knowledge {
    const fn sign(self) -> char {
        match self {
            Self::True => '#',
            Self::Stale => 'x',
            Self::Unsure => '?',
            Self::Unknown => '.',
        }
    }
}

/// The signs that a picture may have, and their meanings.
const LEGEND: [(Knowledge, &str); 4] = [
    (Knowledge::True, "known or listed"),
    (Knowledge::Unknown, "not known"),
    (Knowledge::Stale, "known, does not run"),
    (Knowledge::Unsure, "known, may not run"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnowledgeMatrix {
    /// Who is known.
    pub(super) heads: Vec<String>,
    /// Who knows, with a cell for each head.
    pub(super) rows: Vec<(String, Vec<Knowledge>)>,
}

/// Rows that are equal, by their names.
struct FoldedRow<'a> {
    names: Vec<&'a str>,
    cells: &'a [Knowledge],
}

impl KnowledgeMatrix {
    /// Lines of at most so many columns, if names allow it. Columns for which there is no room follow
    /// below; rows that are equal are folded.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        if self.heads.is_empty() {
            return Vec::new();
        }
        let label = LABEL_MAX.min(width / 2);
        let band = width.saturating_sub(label + 1).max(BAND_MIN);
        let mut lines = Vec::new();
        for from in (0..self.heads.len()).step_by(band) {
            let to = (from + band).min(self.heads.len());
            if from > 0 {
                lines.push(String::new());
            }
            lines.extend(self.band(from, to, label));
        }
        lines.push(String::new());
        lines.push(self.legend());
        lines
    }

    fn band(&self, from: usize, to: usize, label: usize) -> Vec<String> {
        let rows = self.folded(from, to);
        let labels: Vec<String> = rows.iter().map(|row| row.label(label)).collect();
        let label = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let heads = &self.heads[from..to];
        let height = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0);
        let letter = |head: &String, row: usize| {
            let blank = height - head.chars().count();
            row.checked_sub(blank).and_then(|at| head.chars().nth(at)).unwrap_or(' ')
        };
        let head = |row: usize| -> String { heads.iter().map(|head| letter(head, row)).collect() };
        let heads = (0..height).map(|row| format!("{:label$} {}", "", head(row)).trim_end().to_owned());
        let cells = |row: &FoldedRow<'_>| -> String { row.cells.iter().map(|cell| cell.sign()).collect() };
        heads.chain(rows.iter().zip(&labels).map(|(row, name)| format!("{name:label$} {}", cells(row)))).collect()
    }

    fn folded(&self, from: usize, to: usize) -> Vec<FoldedRow<'_>> {
        let mut folded: Vec<FoldedRow<'_>> = Vec::new();
        for (name, cells) in &self.rows {
            let cells = &cells[from..to];
            match folded.iter_mut().find(|row| row.cells == cells) {
                Some(row) => row.names.push(name),
                None => folded.push(FoldedRow { names: vec![name], cells }),
            }
        }
        folded
    }

    fn legend(&self) -> String {
        let is_used = |sign: Knowledge| self.rows.iter().any(|(_, cells)| cells.contains(&sign));
        let used = LEGEND.iter().filter(|(sign, _)| is_used(*sign));
        used.map(|(sign, meaning)| format!("{} {meaning}", sign.sign())).collect::<Vec<_>>().join("   ")
    }
}

impl FoldedRow<'_> {
    /// As many names as fit.
    fn label(&self, columns: usize) -> String {
        let most = (2..=NAMES_MAX).rev().map(|most| list_text(&self.names, most));
        let mut fitting = most.filter(|label| label.chars().count() <= columns);
        fitting.next().unwrap_or_else(|| list_text(&self.names, 2))
    }
}
