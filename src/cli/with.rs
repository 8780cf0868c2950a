//! Sessions that are read together: those of several processes, or machines, of one network.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::args::WithArgs;
use super::failure::Failure;
use super::output::{say, warn};
use super::recorded::find;
use crate::model::words::count_text;
use crate::session::merge::{Merge, MergeError};

/// A recording at hand, for as long as this lives.
#[derive(Debug)]
pub(crate) struct RecordedFile {
    path: PathBuf,
    /// Where several were put together, and from what.
    merged: Option<(TempDir, Merge)>,
}

impl RecordedFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The recordings that were put together, if several were.
    pub(crate) fn merge(&self) -> Option<&Merge> {
        self.merged.as_ref().map(|(_, merge)| merge)
    }
}

/// The session that is meant, or the one that it makes with others.
pub(crate) fn open(session: &str, others: &WithArgs) -> Result<RecordedFile, Failure> {
    let first = find(session)?;
    if others.with.is_empty() {
        return Ok(RecordedFile { path: first, merged: None });
    }
    let others = others.with.iter().map(|other| find(other)).collect::<Result<Vec<_>, _>>()?;
    merge(&[vec![first], others].concat())
}

fn merge(recordings: &[PathBuf]) -> Result<RecordedFile, Failure> {
    let merge = Merge::survey(recordings)?;
    merge.told().iter().for_each(say);
    let cannot =
        |error| Failure::other(format_args!("cannot put the recordings together in the temporary directory: {error}"));
    let dir = tempfile::tempdir().map_err(cannot)?;
    let path = dir.path().join("merged.jsonl.zst");
    let merged = merge.write(&path)?;
    merged.damage.told.iter().for_each(warn);
    if merged.damage.lines > 0 {
        warn(format_args!("{} cannot be read", count_text(merged.damage.lines, "line")));
    }
    Ok(RecordedFile { path, merged: Some((dir, merge)) })
}

impl AsRef<Path> for RecordedFile {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::TooMany(_) | MergeError::Twice(_) => Self::usage(error),
            MergeError::Journal(error) => error.into(),
        }
    }
}
