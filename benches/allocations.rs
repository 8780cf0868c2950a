//! How often memory is allocated for one gossip message.
//!
//! `cargo bench --bench allocations`. A program of its own, because counting takes time of its own.

#[path = "core/session.rs"]
#[allow(dead_code, reason = "the other benchmark uses all of it")]
mod session;

use allocation_counter::{AllocationInfo, measure};
use bytes::BytesMut;
use gossipctl::model::Model;
use gossipctl::net::wire::{LinkContext, LinkDecoder, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::event::{Direction, Purpose};
use gossipctl::proto::machine::{Input, Machine};
use gossipctl::proto::message::{Dialect, Hello, Message, Priority, Role};
use session::{FROM, NOW, Sink, gossip, joined_peer, lab_events};
use tokio_util::codec::{Decoder, Encoder};

const MESSAGES: u64 = 1_000;
/// Messages before the count begins: by then tables and buffers have their size.
const WARM_UP: u64 = 5_000;

fn main() {
    println!("| what | allocations | bytes |");
    println!("|---|---|---|");
    handling("a new message, events heard", true);
    handling("a new message, nobody listens", false);
    decoding();
    folding();
}

fn row(what: &str, taken: &AllocationInfo, count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "sums of one short run")]
    let each = |sum: u64| sum as f64 / count as f64;
    println!("| {what} | {:.2} | {:.0} |", each(taken.count_total), each(taken.bytes_total));
}

/// The first copy of a message, in a peer with four neighbors; then a further one.
fn handling(what: &str, emits: bool) {
    let (mut peer, links) = joined_peer();
    let mut sink = Sink { emits };
    let message = |link: usize, seq| Input::Message { link: links[link], message: gossip(Dialect::Framed, seq, 256) };
    (0..WARM_UP).for_each(|seq| peer.handle(NOW, message(0, seq), &mut sink));
    for (what, link) in [(format!("handle {what}"), 0), ("handle a duplicate".to_owned(), 1)] {
        let inputs: Vec<Input> = (WARM_UP..WARM_UP + MESSAGES).map(|seq| message(link, seq)).collect();
        let taken = measure(|| inputs.into_iter().for_each(|input| peer.handle(NOW, input, &mut sink)));
        row(&what, &taken, MESSAGES);
    }
}

/// From the bytes of a read to messages that are dropped at once, as duplicates are.
fn decoding() {
    let context = LinkContext {
        dialect: Dialect::Framed,
        local: Addr::loopback(3000),
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Inbound,
    };
    let (mut encoder, mut decoder) = (LinkEncoder::new(context), LinkDecoder::new(context));
    let mut bytes = BytesMut::new();
    let hello = Message::Hello(Hello { listen: FROM, role: Role::Peer, priority: Priority::Low });
    encoder.encode(&hello, &mut bytes).unwrap();
    (0..MESSAGES).for_each(|seq| encoder.encode(&gossip(Dialect::Framed, seq, 256), &mut bytes).unwrap());
    decoder.decode(&mut bytes).unwrap();
    let taken = measure(|| while decoder.decode(&mut bytes).unwrap().is_some() {});
    row("decode a message", &taken, MESSAGES);
}

fn folding() {
    let events = lab_events();
    let mut model = Model::new();
    let taken = measure(|| events.iter().for_each(|event| model.apply(event)));
    row("fold an event of a lab", &taken, events.len() as u64);
}
