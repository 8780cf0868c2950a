//! The loop: when it draws, what it does first, how it ends.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::Event;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::fixture::{P3, options, session};
use crate::command::Command;
use crate::event::{DeathEvent, EventKind, GossipEvent, ProbeEvent};
use crate::feed::{Feed, Tap, feed};
use crate::proto::time::Time;
use crate::ui::app::App;
use crate::ui::decode::UserInput;
use crate::ui::host::{FromHost, ToHost};
use crate::ui::input::InputSource;
use crate::ui::keys::Key;
use crate::ui::options::{Options, StartScreen};
use crate::ui::run::{Console, Ended};
use crate::ui::seek::{Destination, Rest, Seek, ShownMoment, Upcoming};
use crate::ui::terminal::Screen;
use crate::ui::theme::NoColor;

/// A user who presses keys at certain moments, and then nothing more.
struct Keys {
    started: Instant,
    keys: VecDeque<(Duration, Key)>,
}

impl Keys {
    fn new(keys: &[(u64, &str)]) -> Self {
        let keys = keys.iter().map(|(millis, key)| (Duration::from_millis(*millis), key.parse().unwrap()));
        Self { started: now(), keys: keys.collect() }
    }
}

impl InputSource for Keys {
    async fn next(&mut self) -> Option<io::Result<UserInput>> {
        let Some((at, key)) = self.keys.front().copied() else { return pending().await };
        tokio::time::sleep_until(self.started + at).await;
        self.keys.pop_front();
        Some(Ok(UserInput::Event(Event::Key(key.into()))))
    }
}

#[expect(clippy::disallowed_methods, reason = "tests run on tokio's paused clock")]
fn now() -> Instant {
    Instant::now()
}

/// What was written to the terminal.
#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that keeps when it was drawn on and what was written.
struct Recorder {
    terminal: Terminal<CrosstermBackend<Paper>>,
    paper: Paper,
    drawn: Vec<Duration>,
    started: Instant,
}

impl Recorder {
    fn new() -> Self {
        let paper = Paper::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 120, 40));
        let terminal =
            Terminal::with_options(CrosstermBackend::new(paper.clone()), TerminalOptions { viewport }).unwrap();
        Self { terminal, paper, drawn: Vec::new(), started: now() }
    }

    fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    fn text(&self) -> String {
        let size = |cells| std::num::NonZeroU16::new(cells).unwrap();
        let mut parser = vt100::Parser::new(size(40), size(120), 0);
        parser.process(&self.paper.0.borrow());
        parser.screen().contents()
    }
}

impl Screen for Recorder {
    type Backend = CrosstermBackend<Paper>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        self.drawn.push(now() - self.started);
        &mut self.terminal
    }

    fn copy(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn set_title(&mut self, _title: &str) -> io::Result<()> {
        Ok(())
    }

    fn leave(&mut self) {}

    fn enter(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_ours(&self) -> bool {
        true
    }
}

/// A console with all its surroundings.
struct Stage {
    console: Console,
    screen: Recorder,
    tap: Tap,
    feed: Option<Feed>,
    commands: mpsc::Receiver<ToHost>,
    host: mpsc::Sender<FromHost>,
    from_host: Option<mpsc::Receiver<FromHost>>,
    shutdown: CancellationToken,
}

impl Stage {
    fn new() -> Self {
        Self::with_room_for(1_024)
    }

    /// So many batches can wait to be shown.
    fn with_room_for(batches: usize) -> Self {
        let options = Options { start_screen: StartScreen::Skipped, ..options() };
        let clock = options.clock;
        let app = App::new(options, NoColor::Unset);
        let (tap, feed) = feed(batches);
        let (to_host, commands) = mpsc::channel(1);
        let (host, from_host) = mpsc::channel(8);
        let console = Console::new(app, clock, to_host).unwrap();
        let (screen, shutdown) = (Recorder::new(), CancellationToken::new());
        Self { console, screen, tap, feed: Some(feed), commands, host, from_host: Some(from_host), shutdown }
    }

    /// Runs until the console ends by itself or the time is up.
    async fn run(&mut self, keys: &[(u64, &str)], limit: Duration) -> Option<Ended> {
        let (feed, from_host) = (self.feed.take().unwrap(), self.from_host.take().unwrap());
        let mut keys = Keys::new(keys);
        let run = self.console.run(&mut self.screen, &mut keys, feed, from_host, self.shutdown.clone());
        timeout(limit, run).await.ok().map(Result::unwrap)
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_console_draws_once_a_second_for_its_clock() {
    let mut stage = Stage::new();
    assert_eq!(stage.run(&[], Duration::from_millis(10_500)).await, None);
    let drawn = stage.screen.drawn.len();
    assert!((10..=12).contains(&drawn), "drawn {drawn} times in 10 s");
}

#[tokio::test(start_paused = true)]
async fn a_busy_network_is_drawn_at_most_thirty_times_a_second() {
    let mut stage = Stage::new();
    let tap = stage.tap.clone();
    let busy = async move {
        let gossip = session().into_iter().filter(|event| !matches!(event.kind, EventKind::Probe(_)));
        for event in gossip.collect::<Vec<_>>().into_iter().cycle().take(2_000) {
            tap.publish_one(event);
            sleep(Duration::from_millis(1)).await;
        }
    };
    let ((), ended) = tokio::join!(busy, stage.run(&[], Duration::from_secs(2)));
    assert_eq!(ended, None);
    let drawn = stage.screen.drawn.len();
    assert!((50..=62).contains(&drawn), "drawn {drawn} times in 2 s");
}

/// Probes that are answered, a thousand a second, and after a second and a half one that is not.
async fn probe(tap: Tap, missed: bool) {
    let of = |is_wanted: fn(&EventKind) -> bool| session().into_iter().filter(move |event| is_wanted(&event.kind));
    let answered: Vec<_> = of(|kind| matches!(kind, EventKind::Probe(ProbeEvent::Answered { .. }))).collect();
    let miss = of(|kind| matches!(kind, EventKind::Probe(ProbeEvent::Missed { .. }))).next().unwrap();
    for number in 0..2_000 {
        let is_miss = missed && number == 1_500;
        tap.publish_one(if is_miss { miss.clone() } else { answered[number % answered.len()].clone() });
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_only_probes_is_drawn_once_a_second() {
    let mut stage = Stage::new();
    let quiet = probe(stage.tap.clone(), false);
    let ((), ended) = tokio::join!(quiet, stage.run(&[], Duration::from_millis(2_500)));
    assert_eq!(ended, None);
    let drawn = &stage.screen.drawn;
    assert!((2..=4).contains(&drawn.len()), "drawn at {drawn:?}");
}

#[tokio::test(start_paused = true)]
async fn a_missed_probe_is_not_kept_for_the_next_second() {
    let mut stage = Stage::new();
    let quiet = probe(stage.tap.clone(), true);
    let ((), ended) = tokio::join!(quiet, stage.run(&[], Duration::from_millis(1_700)));
    assert_eq!(ended, None);
    let drawn = &stage.screen.drawn;
    let soon = Duration::from_millis(1_500)..Duration::from_millis(1_650);
    assert!(drawn.iter().any(|at| soon.contains(at)), "drawn at {drawn:?}");
}

#[tokio::test(start_paused = true)]
async fn the_start_screen_is_drawn_once_and_wakes_for_nothing() {
    let mut stage = Stage::new();
    stage.console.app = App::new(Options { start_screen: StartScreen::Shown, ..options() }, NoColor::Unset);
    assert_eq!(stage.run(&[], Duration::from_secs(60)).await, None);
    assert_eq!(stage.screen.drawn.len(), 1, "drawn at {:?}", stage.screen.drawn);
    assert_eq!(stage.console.app.next_tick(), None);
}

#[tokio::test(start_paused = true)]
async fn for_the_clock_nothing_but_the_clock_is_drawn() {
    let mut stage = Stage::new();
    stage.run(&[], Duration::from_millis(500)).await;
    let before = stage.screen.paper.0.borrow().len();
    let (_host, from_host) = mpsc::channel(1);
    (stage.feed, stage.from_host) = (Some(feed(1).1), Some(from_host));
    stage.run(&[], Duration::from_secs(9)).await;
    let wrote = stage.screen.paper.0.borrow().len() - before;
    assert!(wrote < 9 * 40, "{wrote} bytes in 9 s");
    assert!(stage.screen.shows("00:00:09"));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_thinned_and_counted_and_nothing_rare_is_missed() {
    let mut stage = Stage::new();
    let batch: crate::event::Batch = session().into();
    for _ in 0..1_024 {
        stage.tap.publish(&batch);
    }
    let deaths =
        batch.iter().filter(|event| matches!(event.kind, EventKind::Death(DeathEvent::NeighborDied { .. }))).count()
            as u64;
    assert_eq!(stage.run(&[(0, "q")], Duration::from_secs(1)).await, Some(Ended::Quit));
    let totals = stage.console.app.scene.live.totals();
    assert_eq!(totals.events + totals.skipped, 1_024 * batch.len() as u64, "nothing waits for the next picture");
    assert!(totals.skipped > 10_000, "{} skipped", totals.skipped);
    assert_eq!(totals.deaths_declared, 1_024 * deaths);
}

#[tokio::test(start_paused = true)]
async fn of_a_flood_the_way_of_the_message_that_is_watched_is_kept() {
    let mut stage = Stage::new();
    stage.console.app.scene.now = super::fixture::at(13_000);
    let events = session();
    let begins =
        events.iter().position(|event| matches!(event.kind, EventKind::Gossip(GossipEvent::Generated { .. }))).unwrap();
    // The message begins and is watched; then comes a flood, and its copies at the end of that.
    stage.console.app.take(&[super::fixture::delivery(events[..=begins].to_vec())]);
    stage.console.app.prepare();
    let flood: crate::event::Batch = std::iter::repeat_n(events[begins + 1].clone(), 7_000)
        .enumerate()
        .map(|(number, mut event)| {
            if let EventKind::Gossip(GossipEvent::Received { id, .. }) = &mut event.kind {
                id.seq = 1_000 + number as u64;
            }
            event
        })
        .collect();
    stage.tap.publish(&flood);
    stage.tap.publish(&events[begins + 1..begins + 4].to_vec().into());
    stage.run(&[], Duration::from_millis(20)).await;
    let model = &stage.console.app.scene.live;
    assert_eq!(model.totals().skipped, 7_000, "the flood is too much for one turn");
    let watched = model.rumors().ring().iter().map(|(_, rumor)| rumor).find(|rumor| rumor.id.seq == 1).unwrap();
    assert_eq!(watched.reached(), 4, "p1, and the three that have it from others");
}

/// Answers for a host that holds the session of the fixture.
async fn host_a_recording(mut asked: mpsc::Receiver<ToHost>, host: mpsc::Sender<FromHost>) {
    let events = session();
    while let Some(request) = asked.recv().await {
        let answer = match request {
            ToHost::Seek(Seek { id, to: Destination::Time(at), .. }) => {
                let mut model = crate::model::Model::new();
                events.iter().filter(|event| event.at <= at).for_each(|event| model.apply(event));
                FromHost::Moment(ShownMoment { id, at, model: Box::new(model) })
            }
            ToHost::Follow { id, after } => {
                let batch: crate::event::Batch = events.iter().filter(|event| event.at > after).cloned().collect();
                let until = super::fixture::recording("session.jsonl").span.last;
                let deliveries = vec![crate::feed::Delivery { skipped: 0, batch }];
                FromHost::Upcoming(Upcoming { id, deliveries, until, rest: Rest::End })
            }
            other => panic!("{other:?}"),
        };
        host.send(answer).await.unwrap();
    }
}

/// A recording that is played for so long.
async fn replayed(keys: &[(u64, &str)], limit: Duration) -> Stage {
    let mut stage = Stage::new();
    let (_, asked) = mpsc::channel(1);
    let asked = std::mem::replace(&mut stage.commands, asked);
    stage.host.try_send(FromHost::Opened(Box::new(super::fixture::recording("session.jsonl")))).unwrap();
    let host = stage.host.clone();
    tokio::select! {
        () = host_a_recording(asked, host) => {}
        _ = stage.run(keys, limit) => {}
    }
    stage
}

#[tokio::test(start_paused = true)]
async fn a_recording_plays_from_its_beginning_at_its_own_pace() {
    let stage = replayed(&[], Duration::from_millis(5_500)).await;
    assert!(stage.screen.shows("REPLAY 03:00:05 1x"), "{}", stage.screen.text());
    let until = |limit| session().iter().filter(|event| event.at <= super::fixture::at(limit)).count() as u64;
    let events = stage.console.app.scene.live.totals().events;
    assert!((until(5_000)..=until(5_500)).contains(&events), "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_paused_recording_draws_nothing_and_goes_on_from_there() {
    let paused = replayed(&[(3_500, "space")], Duration::from_secs(60)).await;
    assert!(paused.screen.shows("REPLAY 03:00:03 paused"), "{}", paused.screen.text());
    let late = paused.screen.drawn.iter().filter(|drawn| **drawn > Duration::from_secs(15)).count();
    assert_eq!(late, 0);
    let again = replayed(&[(3_500, "space"), (30_000, "space")], Duration::from_millis(31_200)).await;
    assert!(again.screen.shows("REPLAY 03:00:04 1x"), "{}", again.screen.text());
}

#[tokio::test(start_paused = true)]
async fn a_recording_pauses_at_its_end_and_begins_again_there() {
    let ended = replayed(&[], Duration::from_secs(40)).await;
    assert!(ended.screen.shows("REPLAY 03:00:20 paused"), "{}", ended.screen.text());
    assert_eq!(ended.console.app.scene.live.totals().events, session().len() as u64);
    let again = replayed(&[(40_000, "space")], Duration::from_millis(41_500)).await;
    assert!(again.screen.shows("REPLAY 03:00:01 1x"), "{}", again.screen.text());
}

#[tokio::test(start_paused = true)]
async fn a_key_reaches_the_host_and_a_slow_host_holds_nothing_up() {
    let mut stage = Stage::new();
    stage.tap.publish(&session().into());
    let keys = [(100, ":"), (101, "k"), (102, "i"), (103, "l"), (104, "l"), (105, "space"), (106, "p"), (107, "4")];
    let again = [(200, ":"), (201, "up"), (202, "enter")];
    let keys: Vec<_> = keys.into_iter().chain([(108, "enter")]).chain(again).collect();
    stage.run(&keys, Duration::from_secs(1)).await;
    let kill = ToHost::Command(Command::Kill(super::fixture::P4));
    assert_eq!(stage.commands.try_recv(), Ok(kill));
    assert!(stage.screen.shows("busy with earlier requests"), "{}", stage.screen.text());
}

#[tokio::test(start_paused = true)]
async fn the_host_can_end_the_console_and_say_things_before() {
    let mut stage = Stage::new();
    let (host, shutdown) = (stage.host.clone(), stage.shutdown.clone());
    let host = async move {
        let (severity, text) = (crate::ui::Severity::Info, "going down".to_owned());
        host.send(FromHost::Notice { severity, text }).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        shutdown.cancel();
    };
    let ((), ended) = tokio::join!(host, stage.run(&[], Duration::from_secs(1)));
    assert_eq!(ended, Some(Ended::Shutdown));
    assert!(stage.screen.shows("going down"));
}

#[tokio::test(start_paused = true)]
async fn the_console_lives_on_when_the_network_and_the_host_are_gone() {
    let mut stage = Stage::new();
    let (tap, _feed) = feed(1);
    drop(std::mem::replace(&mut stage.tap, tap));
    let (host, _from_host) = mpsc::channel(1);
    drop(std::mem::replace(&mut stage.host, host));
    assert_eq!(stage.run(&[(2_000, "q")], Duration::from_secs(5)).await, Some(Ended::Quit));
    let drawn = stage.screen.drawn.len();
    assert!(drawn < 5, "drawn {drawn} times in 2 s");
}

/// A network in which a message began eleven seconds ago, without its way to three others; and that way.
fn message_and_its_way(now: Time) -> [crate::event::Batch; 2] {
    let mut events = session();
    for event in &mut events {
        event.at = now - Duration::from_secs(20) + event.at.since(super::fixture::at(0));
    }
    let begins = |event: &crate::event::Event| matches!(&event.kind, EventKind::Gossip(GossipEvent::Generated { id, .. }) if id.origin == P3);
    let begin = events.iter().position(begins).unwrap();
    [events[..=begin].into(), events[begin + 1..begin + 4].into()]
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_lost_before_skipped_events_are_told() {
    let unreached = |stage: &Stage| stage.console.app.scene.live.warnings().unreached().is_some();
    let mut stage = Stage::new();
    let [message, _] = message_and_its_way(stage.console.clock.now());
    stage.tap.publish(&message);
    stage.run(&[], Duration::from_secs(1)).await;
    assert!(unreached(&stage), "its copies never came");

    let mut stage = Stage::with_room_for(1);
    let [message, way] = message_and_its_way(stage.console.clock.now());
    stage.tap.publish(&message);
    stage.tap.publish(&way);
    stage.run(&[], Duration::from_secs(1)).await;
    assert!(!unreached(&stage), "its copies came, and were skipped");
}
