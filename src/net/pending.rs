//! What a node's turn has to say to one link, in bytes.
//!
//! A gossip message is encoded once and then added to each link that it goes to: small frames are
//! copied behind each other into one buffer a link, large bodies are shared by all.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;

use super::link::{Load, Outbox, QueueFull, try_write};
use super::wire::{EncodeError, LinkContext, LinkEncoder};
use crate::proto::addr::Addr;
use crate::proto::event::{Direction, Purpose};
use crate::proto::message::{Dialect, Gossip, Message, MessageId, Role, Trace};
use crate::proto::text::Body;
use crate::proto::time::Time;

/// Can a peer send this as a message of the user's own.
pub(super) fn check_body(dialect: Dialect, local: Addr, body: &Body) -> Result<(), EncodeError> {
    let context =
        LinkContext { dialect, local, role: Role::Peer, purpose: Purpose::Neighbor, direction: Direction::Outbound };
    let id = MessageId { origin: local, run: 0, seq: 1 };
    let trace = Some(Trace { sent: Time::from_micros(0), hop: 1 });
    let gossip = Message::Gossip(Arc::new(Gossip { id, body: body.clone(), trace }));
    LinkEncoder::new(context).encode_parts(&gossip, &mut BytesMut::new()).map(drop)
}

/// The message that was encoded last.
#[derive(Debug, Default)]
pub(super) struct Frames {
    gossip: Option<Arc<Gossip>>,
    head: BytesMut,
    body: Option<Bytes>,
}

impl Frames {
    /// Adds a message to what waits for a link. On an error nothing was added.
    pub(super) fn add(&mut self, message: &Message, pending: &mut Pending) -> Result<(), EncodeError> {
        if !self.holds(message) {
            self.forget();
            self.body = pending.encoder.encode_parts(message, &mut self.head)?;
            self.gossip = match message {
                // In neither dialect does a gossip message depend on the link.
                Message::Gossip(gossip) => Some(Arc::clone(gossip)),
                Message::Hello(_)
                | Message::PeerList(_)
                | Message::ListRequest
                | Message::Probe { .. }
                | Message::ProbeReply { .. }
                | Message::DeadReport { .. }
                | Message::Refusal { .. }
                | Message::Goodbye { .. } => None,
            };
        }
        pending.add(&self.head, self.body.as_ref());
        Ok(())
    }

    fn holds(&self, message: &Message) -> bool {
        matches!((message, &self.gossip), (Message::Gossip(new), Some(old)) if Arc::ptr_eq(new, old))
    }

    /// Lets go of the message, whose body may keep much more memory alive.
    pub(super) fn forget(&mut self) {
        self.gossip = None;
        self.body = None;
        self.head.clear();
    }
}

/// What waits for one link until the turn is over.
#[derive(Debug)]
pub(super) struct Pending {
    encoder: LinkEncoder,
    open: BytesMut,
    chunks: VecDeque<Bytes>,
    load: Load,
}

impl Pending {
    pub(super) fn new(context: LinkContext) -> Self {
        Self {
            encoder: LinkEncoder::new(context),
            open: BytesMut::new(),
            chunks: VecDeque::new(),
            load: Load::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.load == Load::default()
    }

    fn add(&mut self, head: &[u8], body: Option<&Bytes>) {
        if head.is_empty() {
            return;
        }
        self.load.messages += 1;
        self.load.bytes += head.len() + body.map_or(0, Bytes::len);
        self.open.extend_from_slice(head);
        if body.is_some() || self.encoder.write_gap().is_some() {
            self.seal();
        }
        self.chunks.extend(body.cloned());
    }

    /// Nothing more goes into the chunk that is being filled.
    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.chunks.push_back(self.open.split().freeze());
        }
    }

    /// Writes what there is as far as the system takes it at once, and leaves the rest to the
    /// link's writer: while a remote keeps up, no other task has to be woken.
    pub(super) fn send(&mut self, stream: &TcpStream, outbox: &Outbox) -> Result<(), QueueFull> {
        self.seal();
        let load = std::mem::take(&mut self.load);
        if self.encoder.write_gap().is_none() && outbox.is_idle() {
            self.write_at_once(stream, outbox);
        }
        if self.chunks.is_empty() {
            return Ok(());
        }
        let bytes = self.chunks.iter().map(Bytes::len).sum();
        outbox.push(&mut self.chunks, load.left(bytes))
    }

    fn write_at_once(&mut self, stream: &TcpStream, outbox: &Outbox) {
        while !self.chunks.is_empty() {
            match try_write(stream, &mut self.chunks) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // The link's reader finds the same, and tells the node.
                    outbox.fail();
                    self.chunks.clear();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::link::QUEUE_MESSAGES_MAX;

    /// A connection whose buffers are small, and the end that is read.
    async fn narrow() -> (TcpStream, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        socket2::SockRef::from(&listener).set_recv_buffer_size(1).unwrap();
        let dialled = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        socket2::SockRef::from(&dialled).set_send_buffer_size(1).unwrap();
        (dialled, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn what_was_written_at_once_does_not_count_as_waiting() {
        let context = LinkContext {
            dialect: Dialect::Framed,
            local: Addr::loopback(3000),
            role: Role::Peer,
            purpose: Purpose::Neighbor,
            direction: Direction::Outbound,
        };
        let (stream, remote) = narrow().await;
        stream.writable().await.unwrap();
        let (mut pending, mut frames, outbox) =
            (Pending::new(context), Frames::default(), Outbox::new(Dialect::Framed));
        let count = QUEUE_MESSAGES_MAX + 1;
        (0..count).for_each(|_| frames.add(&Message::ListRequest, &mut pending).unwrap());
        assert_eq!(pending.send(&stream, &outbox), Ok(()), "some of it is on its way already");
        drop(remote);
    }
}
