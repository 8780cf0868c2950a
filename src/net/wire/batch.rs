//! Many messages, one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use super::{EncodeError, LinkEncoder};
use crate::proto::message::Message;

/// Encoded messages on their way out: heads and small bodies side by side in one buffer, large
/// bodies shared between them.
///
/// A writer fills it from its queue and hands it to `AsyncWriteExt::write_all_buf`, which
/// writes all slices at once where the system can. Written out, it is empty and keeps its memory.
#[derive(Debug, Default)]
pub struct Batch {
    heads: BytesMut,
    bodies: VecDeque<Shared>,
    /// Bytes of heads that are gone from the front of `heads`.
    heads_gone: usize,
    /// Bytes left, heads and bodies.
    left: usize,
}

/// A body, and how many bytes of heads come before it, those that are gone included.
#[derive(Debug)]
struct Shared {
    at: usize,
    body: Bytes,
}

impl Batch {
    /// Adds a message at the end. On an error nothing was added.
    pub fn push(&mut self, encoder: &mut LinkEncoder, message: &Message) -> Result<(), EncodeError> {
        let before = self.heads.len();
        let body = encoder.encode_parts(message, &mut self.heads)?;
        self.left += self.heads.len() - before;
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            self.left += body.len();
            self.bodies.push_back(Shared { at: self.heads_gone + self.heads.len(), body });
        }
        Ok(())
    }

    /// Bytes of heads before the next body, or all.
    fn head_len(&self) -> usize {
        self.bodies.front().map_or(self.heads.len(), |next| next.at - self.heads_gone)
    }

    /// Takes up to `count` bytes off the front and tells how many.
    fn advance_chunk(&mut self, count: usize) -> usize {
        let head_len = self.head_len();
        if head_len > 0 {
            let step = count.min(head_len);
            self.heads.advance(step);
            self.heads_gone += step;
            return step;
        }
        let Some(next) = self.bodies.front_mut() else { return 0 };
        let step = count.min(next.body.len());
        next.body.advance(step);
        if next.body.is_empty() {
            self.bodies.pop_front();
        }
        step
    }
}

impl Buf for Batch {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        match (self.head_len(), self.bodies.front()) {
            (0, Some(next)) => &next.body,
            (len, _) => &self.heads[..len],
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut from = 0;
        let between = self.bodies.iter().flat_map(|shared| {
            let head = &self.heads[from..shared.at - self.heads_gone];
            from += head.len();
            [head, &shared.body]
        });
        let last = &self.heads[self.bodies.back().map_or(0, |shared| shared.at - self.heads_gone)..];
        let chunks = between.chain([last]).filter(|chunk| !chunk.is_empty());
        slices.iter_mut().zip(chunks).map(|(slice, chunk)| *slice = IoSlice::new(chunk)).count()
    }

    /// Past the end it stops there.
    fn advance(&mut self, count: usize) {
        let mut todo = count.min(self.left);
        self.left -= todo;
        while todo > 0 {
            todo -= self.advance_chunk(todo);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::BODY_COPY_MAX;
    use super::super::testing::{context, gossip_with, whole};
    use super::*;
    use crate::proto::message::Dialect;

    fn messages() -> Vec<Message> {
        let lens = [3, BODY_COPY_MAX + 1, 5_000, 0, 7, 60_000];
        lens.iter().map(|len| Message::Gossip(Arc::new(gossip_with(vec![b'x'; *len].into())))).collect()
    }

    fn filled() -> Batch {
        let mut encoder = LinkEncoder::new(context(Dialect::Framed));
        let mut batch = Batch::default();
        for message in messages() {
            batch.push(&mut encoder, &message).unwrap();
        }
        batch
    }

    #[test]
    fn a_batch_writes_what_the_messages_write_one_by_one() {
        let expected = whole(Dialect::Framed, &messages());
        for step in [1, 7, 40, 1_000, 100_000] {
            let mut batch = filled();
            let mut written = Vec::new();
            while batch.has_remaining() {
                let step = step.min(batch.chunk().len());
                written.extend_from_slice(&batch.chunk()[..step]);
                batch.advance(step);
            }
            assert!(written == expected, "in steps of {step}");
        }
    }

    #[test]
    fn one_vectored_write_takes_the_whole_batch_and_copies_no_large_body() {
        let batch = filled();
        let mut slices = [IoSlice::new(&[]); 16];
        let count = batch.chunks_vectored(&mut slices);
        let written: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
        assert!(written == whole(Dialect::Framed, &messages()));
        assert_eq!(count, 6, "two heads and a body, a head and a body, four more heads and small bodies, a body");
    }

    #[test]
    fn a_batch_that_was_written_is_used_again() {
        let mut batch = filled();
        let len = batch.remaining();
        batch.advance(len);
        assert_eq!((batch.remaining(), batch.chunk()), (0, &b""[..]));
        batch.push(&mut LinkEncoder::new(context(Dialect::Framed)), &Message::ListRequest).unwrap();
        assert_eq!(batch.chunk(), [0, 0, 0, 1, 2]);
    }
}
