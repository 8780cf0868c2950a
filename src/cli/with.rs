//! Sessions that are read together: those of several processes, or machines, of one network.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::args::{VantageArgs, WithArgs};
use super::failure::Failure;
use super::output::{say, warn};
use super::recorded::find;
use crate::model::words::count_text;
use crate::session::merge::{Merge, MergeError};
use crate::session::replay::Damage;
use crate::session::vantage::{LoneNode, VantageError};

/// A recording at hand, for as long as this lives.
#[derive(Debug)]
pub(crate) struct RecordedFile {
    path: PathBuf,
    /// Where several were put together, and from what.
    merged: Option<(TempDir, Merge)>,
    /// Whose events alone these are, and where.
    alone: Option<ReadAlone>,
}

/// A recording without what other nodes tell.
#[derive(Debug)]
struct ReadAlone {
    path: PathBuf,
    vantage: LoneNode,
    /// Holds the file.
    _dir: TempDir,
}

impl RecordedFile {
    pub(crate) fn path(&self) -> &Path {
        self.alone.as_ref().map_or(&self.path, |alone| &alone.path)
    }

    /// The recording with all that its nodes tell.
    pub(crate) fn whole(&self) -> &Path {
        &self.path
    }

    /// The node that reads it alone, if one does.
    pub(crate) fn vantage(&self) -> Option<&LoneNode> {
        self.alone.as_ref().map(|alone| &alone.vantage)
    }

    /// The same, as this node alone would have recorded it.
    pub(crate) fn read_by(self, reader: &VantageArgs) -> Result<Self, Failure> {
        let Some(node) = &reader.node else { return Ok(self) };
        let vantage = LoneNode::find(&self.path, node)?;
        let dir = temporary_dir()?;
        let path = dir.path().join("alone.jsonl.zst");
        complain(&vantage.write(&self.path, &path)?);
        Ok(Self { alone: Some(ReadAlone { path, vantage, _dir: dir }), ..self })
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
        return Ok(RecordedFile { path: first, merged: None, alone: None });
    }
    let others = others.with.iter().map(|other| find(other)).collect::<Result<Vec<_>, _>>()?;
    merge(&[vec![first], others].concat())
}

fn merge(recordings: &[PathBuf]) -> Result<RecordedFile, Failure> {
    let merge = Merge::survey(recordings)?;
    merge.told().iter().for_each(say);
    let dir = temporary_dir()?;
    let path = dir.path().join("merged.jsonl.zst");
    let merged = merge.write(&path)?;
    complain(&merged.damage);
    Ok(RecordedFile { path, merged: Some((dir, merge)), alone: None })
}

fn temporary_dir() -> Result<TempDir, Failure> {
    let cannot = |error| Failure::other(format_args!("cannot write to the temporary directory: {error}"));
    tempfile::tempdir().map_err(cannot)
}

fn complain(damage: &Damage) {
    damage.told.iter().for_each(warn);
    if damage.lines > 0 {
        warn(format_args!("{} cannot be read", count_text(damage.lines, "line")));
    }
}

impl From<VantageError> for Failure {
    fn from(error: VantageError) -> Self {
        match error {
            VantageError::NoNode { .. } => Self::other(error),
            VantageError::Journal(error) => error.into(),
        }
    }
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
