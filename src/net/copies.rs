//! Copies of short texts, for events: many in one piece of memory.
//!
//! A text from the network shares the buffer that it was read into, and a listener must not keep that alive. A copy in
//! memory of its own is allocated by the node and freed by the listener, on another thread: that costs both a lock of
//! the allocator for each message. Here it costs one for some dozens.

use bytes::BytesMut;

use crate::proto::text::Body;

/// Bytes that copies share. A listener that is slow keeps so much more than it has to read.
const PIECE_LEN: usize = 8 * 1024;
/// A longer text gets memory of its own: the end of a piece that it does not fit into is lost.
const SHARING_LEN_MAX: usize = PIECE_LEN / 8;

/// Where the next copies go.
#[derive(Debug, Default)]
pub(super) struct TextCopies(BytesMut);

impl TextCopies {
    /// The same text, apart from the buffer that it was read into.
    pub(super) fn copy(&mut self, text: &Body) -> Body {
        if text.len() > SHARING_LEN_MAX {
            return text.detached();
        }
        if self.0.capacity() < text.len() {
            self.0 = BytesMut::with_capacity(PIECE_LEN);
        }
        self.0.extend_from_slice(text.as_bytes());
        Body::from(self.0.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_memory_with_each_other_and_not_with_a_buffer() {
        let (mut copies, read) = (TextCopies::default(), bytes::Bytes::from(vec![b'x'; 64 * 1024]));
        let texts = [0..0, 0..100, 100..1_000, 0..PIECE_LEN, 7..900].map(|range| Body::from(read.slice(range)));
        let all: Vec<Body> = (0..50).flat_map(|_| texts.each_ref().map(|text| copies.copy(text))).collect();
        assert!(all.chunks(texts.len()).all(|some| some == texts));
        drop(texts);
        assert!(read.is_unique(), "nothing but the test holds the buffer");
        let at = |nth: usize| all[nth].as_bytes().as_ptr() as usize;
        assert_eq!(at(1) + 100, at(2), "one after the other");
    }
}
