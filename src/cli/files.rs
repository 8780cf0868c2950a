//! Reading files that a user may have named by mistake.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// All of a file; `None` if it is longer than `len_max`, however long it is.
pub(crate) fn read_bounded(file: &Path, len_max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(len_max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= len_max).then_some(bytes))
}
