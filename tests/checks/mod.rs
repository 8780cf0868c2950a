//! What must hold whatever bytes a reader of ours is handed: by a stranger on a link, or by a file.
//!
//! Each check panics when something does not hold. They run on random bytes (`tests/readers.rs`), on
//! the corpora (`tests/corpora.rs`), and under the fuzzers (`fuzz/`), which share this module.

pub(crate) mod journal;
pub(crate) mod memory;
pub(crate) mod wire;

/// Cuts bytes where the bytes themselves say: the last few of them are the lengths of the pieces, again
/// and again. So a fuzzer chooses the places, and every file is a good corpus as it is.
pub(crate) fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    const LENGTHS: usize = 6;
    const PIECE_LEN_MAX: usize = 61;
    let lengths = &bytes[bytes.len().saturating_sub(LENGTHS)..];
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at(rest.len().min(1 + usize::from(*length) % PIECE_LEN_MAX));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
