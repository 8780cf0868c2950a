//! Writing whole lines or nothing.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

/// Writes all of these bytes at the end of the file, or leaves it as it was: half a line would make
/// the file unreadable from there on. The error is the one of the write.
pub(super) fn append_whole(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let written = file.write_all(bytes);
    if written.is_err() {
        // Should this fail too, a reader finds a torn line and says so.
        let _ = file.set_len(end);
    }
    written
}
