//! The loop: takes what comes, and draws when something changed, at most 30 times a second.
//!
//! Keys come first and events are taken in small bites, so a flood of events delays neither a key
//! nor the next picture. While nothing changes nothing is drawn; the loop then sleeps until the
//! next thing that changes with time alone. For the clock, only the line at the top is drawn.

use std::io;
use std::time::Duration;

use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::action::PaneId;
use super::app::{App, ConsoleEffect, Ticked, is_routine};
use super::decode::UserInput;
use super::draw::{draw, redraw_head};
use super::host::{FromHost, Severity, ToHost};
use super::input::{InputSource, Keyboard};
use super::options::Options;
use super::terminal::{Screen, Tty, take_panic_elsewhere, unless_it_panics};
use super::theme::NoColor;
use super::update::{on_event, on_host, on_paste};
use super::worker::{Made, Worker};
use crate::clock::Clock;
use crate::event::{Batch, EventKind, GossipEvent};
use crate::feed::{Delivery, Feed};
use crate::model::Model;
use crate::platform;
use crate::proto::message::MessageId;
use crate::proto::time::Time;

/// Time between two pictures: 30 a second.
const FRAME_TIME: Duration = Duration::from_millis(33);
/// Time from the last picture to one that the user waits for: nobody types fast enough to make many
/// more.
const KEY_FRAME_TIME: Duration = Duration::from_millis(8);
/// Time from the first event after a quiet time to the picture of it: most of what follows from it,
/// such as the spread of a message, is then in the same picture.
const GATHER_TIME: Duration = Duration::from_millis(33);
/// Time between two pictures while nothing but probes is answered: an idle network costs next to
/// nothing to watch.
const DRIFT_TIME: Duration = Duration::from_secs(1);
/// How often to look meanwhile whether something else has happened.
const DRIFT_LOOK: Duration = Duration::from_millis(100);
/// How often to check whether the terminal is ours again, while the shell has it.
const BACKGROUND_LOOK: Duration = Duration::from_millis(100);
/// Events that are taken in full before keys are handled again: some 5 ms of work.
const EVENTS_PER_TURN: usize = 6_000;

/// What the console leaves behind.
#[derive(Debug)]
pub struct ConsoleOutcome {
    /// The network as it was last.
    pub model: Model,
    pub ended: Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Quit,
    /// The host asked for it.
    Shutdown,
    /// The terminal has no more keys to give.
    InputClosed,
}

/// Why the console could not go on. The terminal has been given back.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    #[error("the terminal cannot be used: {0}; --headless works without one")]
    Start(#[source] io::Error),
    #[error("the terminal stopped working: {0}")]
    Terminal(#[source] io::Error),
    /// The console has a fault: file, line and message.
    #[error("{0}")]
    Panicked(String),
}

/// Runs the console on the real terminal until the user quits or `shutdown` is canceled. The
/// terminal is given back before this returns; a panic in it is an error like any other.
pub async fn run(
    options: Options,
    feed: Feed,
    to_host: mpsc::Sender<ToHost>,
    from_host: mpsc::Receiver<FromHost>,
    shutdown: CancellationToken,
) -> Result<ConsoleOutcome, UiError> {
    let clock = options.clock;
    let console = async move {
        let mut tty = Tty::take(options.mouse).map_err(UiError::Start)?;
        let mut keyboard = Keyboard::new(clock).map_err(UiError::Start)?;
        let app = App::new(options, NoColor::from_env());
        let mut console = Console::new(app, clock, to_host).map_err(UiError::Start)?;
        let ended = console.run(&mut tty, &mut keyboard, feed, from_host, shutdown).await.map_err(UiError::Terminal)?;
        Ok(ConsoleOutcome { model: console.app.scene.live, ended })
    };
    unless_it_panics(console).await.unwrap_or_else(|what| Err(UiError::Panicked(what)))
}

/// The state of the console and of its loop.
pub(crate) struct Console {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) to_host: mpsc::Sender<ToHost>,
    worker: Worker,
    /// When waiting events were last taken, and when the picture was last drawn.
    looked_at: Option<Time>,
    drawn_at: Option<Time>,
    /// Until when events are gathered for the next picture.
    gather_until: Option<Time>,
    picture: Picture,
    /// What is on the screen.
    shown: Buffer,
    place: TerminalOwner,
    /// The title that the terminal has.
    title: String,
}

/// How far the screen is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Picture {
    /// It is up to date.
    Fresh,
    /// But for the clock.
    Clock,
    /// Only routine figures have changed.
    Drifting,
    /// Something happened.
    Stale,
    /// The user did something, and waits to see it.
    Awaited,
}

/// Whether the terminal is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TerminalOwner {
    Foreground,
    /// The shell has it; then nothing is drawn.
    Background,
}

enum ConsoleEvent {
    Shutdown,
    Input(Option<io::Result<UserInput>>),
    Host(Option<FromHost>),
    Events(Option<Delivery>),
    Made(Option<(PaneId, Made)>),
    Time,
}

impl Console {
    pub(crate) fn new(app: App, clock: Clock, to_host: mpsc::Sender<ToHost>) -> io::Result<Self> {
        let worker = Worker::new()?;
        let (picture, place) = (Picture::Stale, TerminalOwner::Foreground);
        let (looked_at, drawn_at, gather_until, shown) = (None, None, None, Buffer::default());
        Ok(Self {
            app,
            clock,
            to_host,
            worker,
            looked_at,
            drawn_at,
            gather_until,
            picture,
            shown,
            place,
            title: String::new(),
        })
    }

    pub(crate) async fn run(
        &mut self,
        screen: &mut impl Screen,
        input: &mut impl InputSource,
        mut feed: Feed,
        mut from_host: mpsc::Receiver<FromHost>,
        shutdown: CancellationToken,
    ) -> io::Result<Ended> {
        let (mut feed_open, mut host_open, mut worker_works) = (true, true, true);
        loop {
            self.draw_if_due(&mut feed, &mut from_host, screen)?;
            // A request that time or the host caused; those of keys are done already.
            for wanted in std::mem::take(&mut self.app.effects) {
                if let Some(ended) = self.carry_out(wanted, screen).await? {
                    return Ok(ended);
                }
            }
            let deadline = self.deadline().map(|deadline| self.clock.instant(deadline));
            let came = tokio::select! {
                biased;
                () = shutdown.cancelled() => ConsoleEvent::Shutdown,
                event = input.next() => ConsoleEvent::Input(event),
                message = from_host.recv(), if host_open => ConsoleEvent::Host(message),
                made = self.worker.next(), if worker_works => ConsoleEvent::Made(made),
                () = sleep_until(deadline) => ConsoleEvent::Time,
                // What comes while a picture is due anyway is taken with it, not one by one.
                delivery = feed.recv(), if feed_open && self.picture <= Picture::Clock => ConsoleEvent::Events(delivery),
            };
            self.pass_time(&feed);
            match came {
                ConsoleEvent::Shutdown => return Ok(Ended::Shutdown),
                ConsoleEvent::Input(None) => return Ok(Ended::InputClosed),
                ConsoleEvent::Input(Some(heard)) => {
                    if let Some(ended) = self.take_input(heard?, screen).await? {
                        return Ok(ended);
                    }
                }
                ConsoleEvent::Host(Some(message)) => self.change(|app| on_host(app, message)),
                ConsoleEvent::Host(None) => host_open = false,
                ConsoleEvent::Events(Some(delivery)) => {
                    self.gather_until = Some(self.clock.now() + GATHER_TIME);
                    self.take_waiting(&mut feed, &mut from_host, Some(delivery));
                }
                ConsoleEvent::Events(None) => feed_open = false,
                ConsoleEvent::Made(Some((pane, made))) => self.change(|app| app.panes.get_mut(pane).take(made)),
                ConsoleEvent::Made(None) => worker_works = false,
                ConsoleEvent::Time => {}
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut App)) {
        change(&mut self.app);
        self.picture = self.picture.max(Picture::Stale);
    }

    fn pass_time(&mut self, feed: &Feed) {
        let now = self.clock.now();
        self.app.scene.is_behind_events = feed.waiting() > 0 || feed.has_skipped();
        self.app.scene.behind = self.clock.behind();
        let behind = match self.app.tick(now) {
            Ticked::Nothing => Picture::Fresh,
            // What drifts is drawn when the clock is.
            Ticked::Clock if self.picture == Picture::Drifting => Picture::Stale,
            Ticked::Clock => Picture::Clock,
            Ticked::Figures => Picture::Drifting,
            Ticked::Picture => Picture::Stale,
        };
        self.picture = self.picture.max(behind);
        if let Some(text) = take_panic_elsewhere() {
            self.change(|app| app.tell(Severity::Error, &text));
        }
    }

    /// When to wake if nothing comes: for a picture that is due, otherwise when time alone changes
    /// something, if it ever does.
    fn deadline(&self) -> Option<Time> {
        [self.draws_at(), self.looks_at(), self.app.next_tick()].into_iter().flatten().min()
    }

    /// When the picture is to be drawn that the screen is behind.
    fn draws_at(&self) -> Option<Time> {
        let after = |from: Option<Time>, span: Duration| from.map_or(self.app.started, |from| from + span);
        match (self.place, self.picture) {
            (_, Picture::Fresh) => None,
            (TerminalOwner::Background, _) => Some(after(self.looked_at, BACKGROUND_LOOK)),
            (TerminalOwner::Foreground, Picture::Clock) => Some(self.app.started),
            (TerminalOwner::Foreground, Picture::Drifting) => Some(after(self.drawn_at, DRIFT_TIME)),
            (TerminalOwner::Foreground, Picture::Stale) => {
                Some(after(self.drawn_at, FRAME_TIME)).max(self.gather_until)
            }
            (TerminalOwner::Foreground, Picture::Awaited) => Some(after(self.drawn_at, KEY_FRAME_TIME)),
        }
    }

    /// When to look, before a picture is due, for something that cannot wait for it.
    fn looks_at(&self) -> Option<Time> {
        let looked_at = self.looked_at.filter(|_| self.picture == Picture::Drifting)?;
        self.gather_until.or(Some(looked_at + DRIFT_LOOK))
    }

    fn draw_if_due(
        &mut self,
        feed: &mut Feed,
        from_host: &mut mpsc::Receiver<FromHost>,
        screen: &mut impl Screen,
    ) -> io::Result<()> {
        let now = self.clock.now();
        let is_due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        if !is_due(self.draws_at()) && !is_due(self.looks_at()) {
            return Ok(());
        }
        self.looked_at = Some(now);
        self.take_waiting(feed, from_host, None);
        self.look_where_we_are(screen)?;
        if self.place == TerminalOwner::Background || !is_due(self.draws_at()) {
            self.gather_until = None;
            return Ok(());
        }
        self.name_window(screen)?;
        if self.picture > Picture::Clock || !self.draw_clock(screen)? {
            let drawn = screen.terminal().draw(|frame| draw(&mut self.app, frame))?;
            self.shown.clone_from(drawn.buffer);
            self.drawn_at = Some(now);
        }
        for order in self.app.work.drain(..) {
            self.worker.order(order);
        }
        for question in self.app.questions() {
            self.tell_host(question);
        }
        (self.picture, self.gather_until) = (Picture::Fresh, None);
        Ok(())
    }

    /// The terminal's title says what runs here.
    fn name_window(&mut self, screen: &mut impl Screen) -> io::Result<()> {
        let title = self.app.title();
        if self.title != title {
            screen.set_title(&title)?;
            self.title = title;
        }
        Ok(())
    }

    /// Draws the line at the top alone, unless the terminal has another size by now.
    fn draw_clock(&mut self, screen: &mut impl Screen) -> io::Result<bool> {
        let terminal = screen.terminal();
        let picture = terminal.current_buffer_mut();
        if picture.area != self.shown.area {
            return Ok(false);
        }
        redraw_head(&self.app, &mut self.shown);
        picture.clone_from(&self.shown);
        terminal.flush()?;
        terminal.swap_buffers();
        terminal.hide_cursor()?;
        terminal.backend_mut().flush()?;
        Ok(true)
    }

    /// Draws nothing while the shell has the terminal, and takes it back as soon as it is ours
    /// again.
    fn look_where_we_are(&mut self, screen: &mut impl Screen) -> io::Result<()> {
        match (self.place, screen.is_ours()) {
            (TerminalOwner::Foreground, true) | (TerminalOwner::Background, false) => {}
            (TerminalOwner::Foreground, false) => self.place = TerminalOwner::Background,
            (TerminalOwner::Background, true) => self.come_back(screen)?,
        }
        Ok(())
    }

    /// The shell has changed the terminal meanwhile.
    fn come_back(&mut self, screen: &mut impl Screen) -> io::Result<()> {
        (self.place, self.picture) = (TerminalOwner::Foreground, Picture::Stale);
        self.title.clear();
        screen.leave();
        screen.enter()
    }

    /// Takes all that waits, after what came already, so that the picture is never older than a
    /// frame. If that is more than a turn can take, only the rare kinds are taken: a message
    /// missing from the log is counted and missed by nobody, but a death would be.
    fn take_waiting(&mut self, feed: &mut Feed, from_host: &mut mpsc::Receiver<FromHost>, first: Option<Delivery>) {
        self.hear(from_host);
        let mut taken = first.as_ref().map_or(0, |delivery| delivery.batch.len());
        let mut came: Vec<Delivery> = first.into_iter().collect();
        let mut shown = None;
        let mut thinned = 0;
        for _ in 0..feed.waiting() {
            let Some(delivery) = feed.try_recv() else { break };
            taken += delivery.batch.len();
            if taken <= EVENTS_PER_TURN {
                came.push(delivery);
            } else {
                let shown = *shown.get_or_insert_with(|| self.app.view().wave.map(|wave| wave.id));
                let rare = rare(&delivery, shown);
                thinned += (delivery.batch.len() - rare.batch.len()) as u64;
                came.push(rare);
            }
        }
        self.app.scene.is_behind_events = feed.has_skipped();
        self.hear(from_host);
        self.take(&came, thinned);
    }

    /// Takes what the host said before it sent these events, such as that a recording is opened:
    /// that discards what was shown before, and nothing that comes after.
    fn hear(&mut self, from_host: &mut mpsc::Receiver<FromHost>) {
        while let Ok(message) = from_host.try_recv() {
            self.change(|app| on_host(app, message));
        }
    }

    /// A frozen picture shows how much is new, so events always change it.
    fn take(&mut self, deliveries: &[Delivery], thinned: u64) {
        let routine = |delivery: &Delivery| delivery.batch.iter().all(|event| is_routine(&event.kind));
        let calm = thinned == 0 && deliveries.iter().all(|delivery| delivery.skipped == 0 && routine(delivery));
        if !deliveries.is_empty() {
            self.picture = self.picture.max(if calm { Picture::Drifting } else { Picture::Stale });
            self.app.take_thinned(deliveries, thinned);
        }
    }

    async fn take_input(&mut self, heard: UserInput, screen: &mut impl Screen) -> io::Result<Option<Ended>> {
        self.picture = Picture::Awaited;
        let effects = match heard {
            UserInput::Event(event) => on_event(&mut self.app, &event),
            UserInput::Pasted(paste) => {
                on_paste(&mut self.app, &paste);
                Vec::new()
            }
            UserInput::Continued => {
                // A process that was stopped without being asked has not left the terminal.
                self.place = TerminalOwner::Background;
                self.look_where_we_are(screen)?;
                Vec::new()
            }
        };
        for effect in effects {
            if let Some(ended) = self.carry_out(effect, screen).await? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    async fn carry_out(&mut self, effect: ConsoleEffect, screen: &mut impl Screen) -> io::Result<Option<Ended>> {
        match effect {
            ConsoleEffect::Host(wanted) => self.tell_host(wanted),
            ConsoleEffect::Copy(text) => screen.copy(&text)?,
            ConsoleEffect::Suspend => {
                screen.leave();
                platform::stop_until_continued().await?;
                (self.place, self.picture) = (TerminalOwner::Background, Picture::Stale);
            }
            ConsoleEffect::Quit => return Ok(Some(Ended::Quit)),
        }
        Ok(None)
    }

    /// Never waits: a slow host must not hold up the screen.
    fn tell_host(&mut self, wanted: ToHost) {
        if let Err(error) = self.to_host.try_send(wanted) {
            let wanted = error.into_inner();
            if let (ToHost::Follow { .. }, Some(playback)) = (&wanted, &mut self.app.scene.playback) {
                return playback.ask_again();
            }
            // Nobody pressed a key for these, and they are asked for again.
            if matches!(wanted, ToHost::Events(_)) {
                return;
            }
            self.app.show(Severity::Error, "not done: the program is busy with earlier requests; try again");
        }
    }
}

/// Sleeps until then, or for good.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// A delivery without its plentiful events, except those about the message that is watched.
fn rare(delivery: &Delivery, shown: Option<MessageId>) -> Delivery {
    let is_kept = |kind: &EventKind| !is_plentiful(kind) || (shown.is_some() && message(kind) == shown);
    let batch: Batch = delivery.batch.iter().filter(|event| is_kept(&event.kind)).cloned().collect();
    Delivery { skipped: delivery.skipped, batch }
}

/// The message of a first copy. Further copies matter only as a number.
const fn message(kind: &EventKind) -> Option<MessageId> {
    if let EventKind::Gossip(GossipEvent::Received { id, .. }) = kind { Some(*id) } else { None }
}

/// Copies of messages, and probes: what a busy network does all the time.
fn is_plentiful(kind: &EventKind) -> bool {
    is_routine(kind) || matches!(kind, EventKind::Gossip(GossipEvent::Received { .. } | GossipEvent::Duplicate { .. }))
}
