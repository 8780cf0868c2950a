//! The figures of an answer, row by row.

use serde::Serialize;

use super::matrix::KnowledgeMatrix;
use super::{EvidenceLine, Explanation};
use crate::model::span_text;
use crate::model::words::list_text;

/// Rows of one table: more than anybody reads.
const ROWS_MAX: usize = 500;
/// Names in a cell before it says how many more there are.
const NAMES_MAX: usize = 3;
/// Columns of the screen between two columns of a table.
const GAP: usize = 2;

/// A value, and its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AnswerCell {
    Text(String),
    Count(u64),
    Micros(u64),
    Percent(u64),
    Names(Vec<String>),
    /// Not known, or there is none.
    Nothing,
}

impl AnswerCell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Micros(micros) => span_text(std::time::Duration::from_micros(*micros)),
            Self::Percent(percent) => format!("{percent}%"),
            Self::Names(names) if names.is_empty() => "-".to_owned(),
            Self::Names(names) => list_text(names, NAMES_MAX),
            Self::Nothing => "-".to_owned(),
        }
    }

    const fn is_number(&self) -> bool {
        match self {
            Self::Count(_) | Self::Micros(_) | Self::Percent(_) | Self::Nothing => true,
            Self::Text(_) | Self::Names(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Its head, for people.
    pub title: &'static str,
    /// Its name for programs, with the unit if there is one.
    pub key: &'static str,
}

/// At most [`ROWS_MAX`] rows, those that matter most first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerTable {
    /// The one that can be left out first stands last.
    columns: &'static [AnswerColumn],
    rows: Vec<Vec<AnswerCell>>,
    more: usize,
    /// What people see in place of the rows.
    matrix: Option<KnowledgeMatrix>,
}

impl AnswerTable {
    pub(super) fn new(columns: &'static [AnswerColumn], mut rows: Vec<Vec<AnswerCell>>) -> Self {
        let more = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        Self { columns, rows, more, matrix: None }
    }

    pub(super) fn drawn_as(self, matrix: KnowledgeMatrix) -> Self {
        Self { matrix: Some(matrix), ..self }
    }

    /// The values of each row, by the keys of their columns.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = (&'static str, &AnswerCell)>> {
        self.rows.iter().map(|row| self.columns.iter().map(|column| column.key).zip(row))
    }

    /// Rows that were left out.
    pub const fn more(&self) -> usize {
        self.more
    }

    /// Lines of at most so many columns, as far as the first two columns of the table fit.
    pub fn lines(&self, width: usize) -> Vec<String> {
        if let Some(matrix) = &self.matrix {
            return matrix.lines(width);
        }
        let heads: Vec<String> = self.columns.iter().map(|column| column.title.to_owned()).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(AnswerCell::text).collect()).collect();
        let widths = self.widths(&heads, &rows, width);
        let line = |cells: &Vec<String>| self.line(cells, &widths);
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        let left_out = &heads[widths.len()..];
        let left_out =
            (!left_out.is_empty()).then(|| format!("no room for {}", list_text(left_out, self.columns.len())));
        std::iter::once(&heads).chain(&rows).map(line).chain(more).chain(left_out).collect()
    }

    /// The widths of the columns that fit.
    fn widths(&self, heads: &[String], rows: &[Vec<String>], width: usize) -> Vec<usize> {
        let of_column =
            |at: usize| rows.iter().map(|row| row[at].chars().count()).chain([heads[at].chars().count()]).max();
        let mut widths: Vec<usize> = (0..self.columns.len()).filter_map(of_column).collect();
        while widths.len() > 2 && widths.iter().sum::<usize>() + GAP * (widths.len() - 1) > width {
            widths.pop();
        }
        widths
    }

    /// Numbers stand on the right of their column, with its head.
    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let is_number = |at: usize| at > 0 && self.rows.iter().all(|row| row[at].is_number());
        let cell = |(at, (text, width)): (usize, (&String, &usize))| {
            if is_number(at) { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let cells: Vec<String> = cells.iter().zip(widths).enumerate().map(cell).collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    }
}

/// An answer in figures.
pub(super) struct NetworkAnswer {
    pub(super) title: &'static str,
    pub(super) verdict: String,
    pub(super) is_certain: bool,
    pub(super) evidence: Vec<EvidenceLine>,
    pub(super) table: AnswerTable,
}

impl From<NetworkAnswer> for Explanation {
    fn from(answer: NetworkAnswer) -> Self {
        let NetworkAnswer { title, verdict, is_certain, evidence, table } = answer;
        Self { title: title.to_owned(), verdict, is_certain, evidence, table: Some(table), rests_on: Vec::new() }
    }
}

/// How many in a hundred, rounded.
pub(super) fn share(part: u64, of: u64) -> u64 {
    let hundredfold = u128::from(part) * 100 + u128::from(of) / 2;
    u64::try_from(hundredfold.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(u64::MAX)
}
