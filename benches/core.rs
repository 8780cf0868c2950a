//! What one step of each part costs, without a network: encoding and decoding a message in either dialect,
//! handling one in the core, folding one event, drawing one frame.
//!
//! `cargo bench --bench core`.

#[path = "core/session.rs"]
mod session;

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crossterm::event::KeyCode;
use gossipctl::clock::Clock;
use gossipctl::event::{Batch, Event, EventKind, GossipEvent};
use gossipctl::feed::Delivery;
use gossipctl::model::Model;
use gossipctl::model::why::why_not_each;
use gossipctl::net::wire::{LinkContext, LinkDecoder, LinkEncoder};
use gossipctl::proto::addr::Addr;
use gossipctl::proto::event::{Direction, Purpose};
use gossipctl::proto::machine::{Input, Machine};
use gossipctl::proto::message::{Dialect, Hello, Message, Priority, Role};
use gossipctl::proto::time::ClockTime;
use gossipctl::session::json::{push_event, push_printed_line};
use gossipctl::ui::{FormDefaults, Glyphs, KeyOverrides, Mode, Mouse, Options, StartScreen, Still, ThemeChoice};
use ratatui::Terminal;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use session::{FROM, NOW, Sink, gossip, joined_peer, lab_events, parted_lab, parted_model};
use tokio_util::codec::{Decoder, Encoder};

/// Peers of a lab that fell into two halves.
const PARTED_PEERS: u16 = 500;
/// Lines of the gossip log on a large screen.
const LINES: usize = 50;

/// Messages that are decoded from one buffer: what a busy link reads at once.
const READ_MESSAGES: u64 = 200;

fn context(dialect: Dialect) -> LinkContext {
    LinkContext {
        dialect,
        local: Addr::loopback(3000),
        role: Role::Peer,
        purpose: Purpose::Neighbor,
        direction: Direction::Inbound,
    }
}

fn probe() -> Message {
    let clock = ClockTime::from_seconds(11_131).unwrap();
    Message::Probe { seq: 7, asker: FROM, clock, extras: None }
}

fn codecs(criterion: &mut Criterion) {
    for (name, dialect) in [("framed", Dialect::Framed), ("classic", Dialect::Classic)] {
        for (what, message) in [
            ("gossip 256 B", gossip(dialect, 1, 256)),
            ("gossip 16 KiB", gossip(dialect, 1, 16 * 1024)),
            ("probe", probe()),
        ] {
            if dialect == Dialect::Classic && what == "gossip 16 KiB" {
                // Too long for it.
                continue;
            }
            encode(criterion, &format!("encode {name} {what}"), dialect, &message);
            decode(criterion, &format!("decode {name} {what}"), dialect, &message);
        }
    }
}

fn encode(criterion: &mut Criterion, name: &str, dialect: Dialect, message: &Message) {
    let mut encoder = LinkEncoder::new(context(dialect));
    let mut out = BytesMut::with_capacity(64 * 1024);
    encoder.encode(message, &mut out).unwrap();
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            encoder.encode(black_box(message), &mut out).unwrap();
        });
    });
}

/// A whole read of messages at a time.
fn decode(criterion: &mut Criterion, name: &str, dialect: Dialect, message: &Message) {
    let mut encoder = LinkEncoder::new(context(dialect));
    let mut bytes = BytesMut::new();
    (0..READ_MESSAGES).for_each(|_| encoder.encode(message, &mut bytes).unwrap());
    let mut greeting = BytesMut::new();
    let hello = Message::Hello(Hello { listen: FROM, role: Role::Peer, priority: Priority::Low });
    encoder.encode(&hello, &mut greeting).unwrap();
    let ready = || {
        let mut decoder = LinkDecoder::new(context(dialect));
        decoder.decode(&mut greeting.clone()).unwrap().unwrap();
        (decoder, bytes.clone())
    };
    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::ElementsAndBytes { elements: READ_MESSAGES, bytes: bytes.len() as u64 });
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            ready,
            |(mut decoder, mut bytes)| {
                while let Some(message) = decoder.decode(&mut bytes).unwrap() {
                    black_box(message);
                }
            },
            BatchSize::SmallInput,
        );
    });
}

/// One gossip message in a peer with four neighbors: the first copy, and a further one.
fn handle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core");
    for (name, emits) in [("with events", true), ("without events", false)] {
        let (mut peer, links) = joined_peer();
        let mut sink = Sink { emits };
        let mut seq = 0;
        group.bench_function(format!("handle a new message, {name}"), |bencher| {
            bencher.iter_batched(
                || {
                    seq += 1;
                    Input::Message { link: links[0], message: gossip(Dialect::Framed, seq, 256) }
                },
                |input| peer.handle(NOW, input, &mut sink),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(format!("handle a duplicate, {name}"), |bencher| {
            bencher.iter_batched(
                || Input::Message { link: links[1], message: gossip(Dialect::Framed, seq, 256) },
                |input| peer.handle(NOW, input, &mut sink),
                BatchSize::SmallInput,
            );
        });
    }
}

/// The events of a lab as the lines of a journal, and as they are printed; beside it what serde
/// takes, and what it takes to read them.
fn json(criterion: &mut Criterion) {
    let events = lab_events();
    let mut group = criterion.benchmark_group("json");
    group.sample_size(20);
    group.throughput(Throughput::Elements(events.len() as u64));
    let mut line = Vec::new();
    let mut measure = |name: &str, push: fn(&mut Vec<u8>, &Event)| {
        group.bench_function(format!("{name} the {} events of a lab of 100", events.len()), |bencher| {
            bencher.iter(|| {
                for event in &events {
                    line.clear();
                    push(&mut line, event);
                    black_box(&line);
                }
            });
        });
    };
    measure("write", |line, event| push_event(line, event).unwrap());
    measure("print", |line, event| push_printed_line(line, event).unwrap());
    measure("write with serde", |line, event| serde_json::to_writer(line, event).unwrap());
    let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    group.bench_function(format!("read the {} events of a lab of 100", events.len()), |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(serde_json::from_str::<Event>(line).unwrap());
            }
        });
    });
}

fn fold(criterion: &mut Criterion) {
    let events = lab_events();
    let mut group = criterion.benchmark_group("model");
    group.sample_size(20);
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function(format!("fold the {} events of a lab of 100", events.len()), |bencher| {
        bencher.iter(|| {
            let mut model = Model::new();
            for event in &events {
                model.apply(event);
            }
            model
        });
    });
}

/// What the table of a message asks twice a second of the peers on the screen; here of all that lack it, half of five hundred.
fn why_not(criterion: &mut Criterion) {
    let (model, id) = parted_model(PARTED_PEERS);
    let (rumor, wave) = (model.rumors().get(id).unwrap(), model.wave(id).unwrap());
    assert_eq!(wave.lacking.len(), usize::from(PARTED_PEERS / 2));
    let mut group = criterion.benchmark_group("model");
    group.sample_size(20);
    group.bench_function("why each of the 250 peers in the other half lacks a message", |bencher| {
        bencher.iter(|| why_not_each(&model, rumor, black_box(&wave.lacking), 0));
    });
    // What a line each takes if each is asked about by itself.
    group.bench_function("why each of 50 of them lacks it, one by one", |bencher| {
        bencher.iter(|| {
            wave.lacking.iter().take(LINES).map(|node| why_not_each(&model, rumor, &[*node], 0).len()).sum::<usize>()
        });
    });
    group.bench_function("why each of 50 of them lacks it, at once", |bencher| {
        bencher.iter(|| why_not_each(&model, rumor, black_box(&wave.lacking[..LINES]), 0));
    });
    group.bench_function("the way of a message that half of 500 peers have", |bencher| {
        bencher.iter(|| model.wave(black_box(id)));
    });
}

fn console(events: &[Event]) -> Still {
    let options = Options {
        theme: ThemeChoice::Dark,
        glyphs: Glyphs::Unicode,
        mouse: Mouse::Terminal,
        mode: Mode::Live,
        start_screen: StartScreen::Skipped,
        defaults: FormDefaults { seeds: Vec::new(), seed_listen: FROM, peer_listen: FROM, lab_seeds: 2, lab_peers: 8 },
        columns: Vec::new(),
        keys: KeyOverrides::default(),
        clock: Clock::start(),
        utc_offset_s: 0,
        export_name: "session.jsonl".into(),
        export_check: |_| Ok(()),
    };
    let mut console = Still::new(options);
    console.take(&[Delivery { skipped: 0, batch: Batch::from(events) }]);
    console
}

/// A screen of 200 x 60, 100 nodes and a full log; a message more before each picture.
fn frame(criterion: &mut Criterion) {
    let events = lab_events();
    let mut news =
        events.iter().filter(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Received { .. }))).cycle();
    let mut group = criterion.benchmark_group("console");
    let mut still = console(&events);
    let mut terminal = Terminal::new(TestBackend::new(200, 60)).unwrap();
    let mut next = || Delivery { skipped: 0, batch: Batch::from([news.next().unwrap().clone()]) };
    group.bench_function("draw 200 x 60, 100 nodes, in memory", |bencher| {
        bencher.iter(|| {
            still.take(&[next()]);
            terminal.draw(|frame| still.draw(frame)).unwrap();
        });
    });
    let viewport = Viewport::Fixed(Rect::new(0, 0, 200, 60));
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(std::io::sink()), TerminalOptions { viewport }).unwrap();
    group.bench_function("draw 200 x 60, 100 nodes, as bytes for a terminal", |bencher| {
        bencher.iter(|| {
            still.take(&[next()]);
            terminal.draw(|frame| still.draw(frame)).unwrap();
        });
    });
    // The table looks at the model twice a second; opened anew it does so for every picture.
    group.bench_function("draw 200 x 60, 100 nodes, who has the message, as bytes for a terminal", |bencher| {
        bencher.iter(|| {
            still.take(&[next()]);
            still.press(KeyCode::Esc.into());
            still.press(KeyCode::Char('W').into());
            terminal.draw(|frame| still.draw(frame)).unwrap();
        });
    });
}

/// The gossip log alone on the screen, with a message unfolded that almost all of 500 peers lack, and an event more
/// before each picture.
fn unfolded(criterion: &mut Criterion) {
    let (events, _) = parted_lab(PARTED_PEERS, 2);
    let mut still = console(&events);
    let viewport = Viewport::Fixed(Rect::new(0, 0, 200, 60));
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(std::io::sink()), TerminalOptions { viewport }).unwrap();
    for key in [KeyCode::Char('3'), KeyCode::Char('z'), KeyCode::Up, KeyCode::Down, KeyCode::Right] {
        terminal.draw(|frame| still.draw(frame)).unwrap();
        still.press(key.into());
    }
    let last = events.last().unwrap().clone();
    let mut group = criterion.benchmark_group("console");
    group.bench_function("draw 200 x 60, a message unfolded that 498 of 500 peers lack", |bencher| {
        bencher.iter(|| {
            still.take(&[Delivery { skipped: 0, batch: Batch::from([last.clone()]) }]);
            terminal.draw(|frame| still.draw(frame)).unwrap();
        });
    });
}

criterion_group! {
    name = all;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = codecs, handle, json, fold, why_not, frame, unfolded
}
criterion_main!(all);
