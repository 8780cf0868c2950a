//! The state of the console.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::action::{NodeDeed, PaneId};
use super::command_line::chosen_columns;
use super::host::{JournalState, LoneQuestion, Objection, ProofTold, Refusals, Refused, Severity, ToHost};
use super::keys::Key;
use super::modal::start::Start;
use super::modal::{Covers, Modal};
use super::options::{ExportCheck, FormDefaults, Mode, Options, StartScreen};
use super::pane::Panes;
use super::playback::Playback;
use super::prompt::{History, Prompt};
use super::scene::Scene;
use super::seek::OpenedRecording;
use super::seeks::Seeks;
use super::text::rough_text;
use super::theme::{NoColor, Theme};
use super::time_scale::TimeScale;
use super::toast::Toasts;
use super::view::{Lit, Target, View};
use super::wave::Waves;
use super::worker::Work;
use crate::command::Command;
use crate::event::{Event, EventKind, ProbeEvent};
use crate::feed::Delivery;
use crate::model::Model;
use crate::model::identity::SessionIdentity;
use crate::model::node::NodeRecord;
use crate::model::why::AskedAnswer;
use crate::proto::addr::Addr;
use crate::proto::message::Role;
use crate::proto::time::Time;
use crate::scenario::ScenarioView;

/// How long a key stays armed: long enough to press it again, too short to forget it.
pub(crate) const ARMED_TIME: Duration = Duration::from_secs(2);

/// So close to now, a session that runs is shown live again.
const CAUGHT_UP: Duration = Duration::from_secs(2);

/// What the console wants done outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConsoleEffect {
    /// A request for the host.
    Host(ToHost),
    /// Text for the clipboard.
    Copy(String),
    /// Back to the shell for a while.
    Suspend,
    Quit,
}

/// A key that acts when it is pressed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Armed {
    /// What it will do.
    pub(crate) what: String,
    pub(crate) deed: NodeDeed,
    pub(crate) target: Target,
    pub(crate) commands: Vec<Command>,
    pub(crate) until: Time,
}

/// Whether one pane has the whole screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zoom {
    Off,
    On,
}

/// What has changed with time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ticked {
    Nothing,
    /// The clock in the header.
    Clock,
    /// Figures that change all the time.
    Figures,
    Picture,
}

/// What Esc leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// The slow replay of a message.
    Replay,
    Filter,
    /// A pane on the whole screen.
    AllPanes,
    Freeze,
    /// The past of a session that runs.
    Past,
    /// Nothing was entered: the keys go to the first pane.
    FirstPane,
}

/// The state of the console.
pub(crate) struct App {
    pub(crate) scene: Scene,
    /// The moments that were asked for.
    pub(crate) seeks: Seeks,
    /// Where the timeline was last drawn.
    pub(crate) time_scale: Option<TimeScale>,
    pub(crate) panes: Panes,
    /// The columns that new panes show; none: all.
    columns: Vec<&'static str>,
    /// The message whose spread is shown.
    pub(crate) waves: Waves,
    /// What is to be done outside, in order.
    pub(crate) effects: Vec<ConsoleEffect>,
    /// Work for the panes that is wanted and not yet ordered.
    pub(crate) work: Vec<(PaneId, Work)>,
    pub(crate) focus: PaneId,
    /// The pane to go back to from one that has no place beside the others.
    home: PaneId,
    /// Panes that had no place in the last picture.
    pub(crate) hidden: Vec<PaneId>,
    pub(crate) zoom: Zoom,
    /// When the picture will look different if nothing happens.
    changes_at: Option<Time>,
    pub(crate) modals: Vec<Box<dyn Modal>>,
    /// The answer that the host is proving.
    proving: Option<AskedAnswer>,
    /// What the host reads of one node alone.
    reading: Option<LoneQuestion>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) history: History,
    /// Commands of the user that were refused.
    pub(crate) refused: Refusals,
    pub(crate) begun: Option<Key>,
    pub(crate) toasts: Toasts,
    pub(crate) armed: Option<Armed>,
    pub(crate) journal: JournalState,
    /// The scenario, if one is played.
    pub(crate) scenario: Option<ScenarioView>,
    pub(crate) started: Time,
    pub(crate) export_name: PathBuf,
    /// Checks the name of an export.
    pub(crate) export_check: ExportCheck,
    defaults: FormDefaults,
}

impl App {
    pub(crate) fn new(options: Options, no_color: NoColor) -> Self {
        let theme = Theme::new(options.theme, no_color, options.glyphs);
        let (now, started) = (options.clock.now(), options.clock.epoch());
        let scene = Scene::new(options.mode, theme, options.keys.into_map(), now, options.utc_offset_s);
        let columns = chosen_columns(options.columns.iter().map(String::as_str)).unwrap_or_default();
        let mut app = Self {
            scene,
            seeks: Seeks::default(),
            time_scale: None,
            panes: Panes::with_columns(&columns),
            columns,
            waves: Waves::default(),
            effects: Vec::new(),
            work: Vec::new(),
            focus: PaneId::FIRST,
            home: PaneId::FIRST,
            hidden: Vec::new(),
            zoom: Zoom::Off,
            changes_at: None,
            modals: Vec::new(),
            proving: None,
            reading: None,
            prompt: None,
            history: History::default(),
            refused: Refusals::default(),
            begun: None,
            toasts: Toasts::default(),
            armed: None,
            journal: JournalState::Off,
            scenario: None,
            started,
            export_name: options.export_name,
            export_check: options.export_check,
            defaults: options.defaults,
        };
        if options.start_screen == StartScreen::Shown {
            app.open(Start::new(app.form_defaults()));
        }
        app
    }

    /// What panes and dialogs read, with the selection highlighted.
    pub(crate) fn view(&self) -> View<'_> {
        highlighted(&self.scene, &self.panes, &self.waves, self.focus)
    }

    /// For drawing or moving panes: the panes change, the view does not.
    pub(crate) fn split(&mut self) -> (&mut Panes, View<'_>) {
        let view = highlighted(&self.scene, &self.panes, &self.waves, self.focus);
        (&mut self.panes, view)
    }

    /// Prepares for drawing: follows the newest message, and places new nodes.
    pub(crate) fn prepare(&mut self) {
        let view = self.scene.view();
        // A picture that stands still goes on showing its message.
        if !self.scene.is_still() || !self.waves.follows() {
            self.waves.follow(view.model, self.scene.now);
        }
        self.work.extend(self.panes.update(&view, self.scene.now));
    }

    /// What panes and dialogs have to ask the host, now that they were drawn.
    pub(crate) fn questions(&mut self) -> Vec<ToHost> {
        let now = self.scene.now;
        let asked = [self.proof(), self.reading()].into_iter().flatten();
        self.panes.each().filter_map(|pane| pane.question(now)).map(ToHost::Events).chain(asked).collect()
    }

    /// Asks for the proof that a dialog waits for, or says that none does any more, however it went.
    fn proof(&mut self) -> Option<ToHost> {
        let wanted = self.modals.iter().find_map(|modal| modal.unproven());
        if wanted == self.proving.as_ref() {
            return None;
        }
        self.proving = wanted.cloned();
        Some(self.proving.clone().map_or(ToHost::DropProof, ToHost::Prove))
    }

    /// Asks for what a dialog wants to know of one node alone.
    fn reading(&mut self) -> Option<ToHost> {
        let wanted = self.modals.iter().find_map(|modal| modal.unread())?;
        let is_new = self.reading.replace(wanted) != Some(wanted);
        is_new.then_some(ToHost::ReadAlone(wanted))
    }

    /// Shows what one node alone knew where it is waited for.
    pub(crate) fn hear_alone(&mut self, question: LoneQuestion, answer: &Result<Arc<Model>, String>) {
        self.reading.take_if(|reading| *reading == question);
        self.modals.iter_mut().for_each(|modal| modal.hear_alone(question, answer));
    }

    /// Shows a proof where it is waited for; a stale one is dropped.
    pub(crate) fn hear_proof(&mut self, answer: &AskedAnswer, told: &ProofTold) {
        self.proving.take_if(|proving| proving == answer);
        self.modals.iter_mut().for_each(|modal| modal.hear_proof(answer, told));
    }

    /// What the keys act on.
    pub(crate) fn target(&self, view: &View<'_>) -> Option<Target> {
        self.panes.target(self.focus, view)
    }

    /// A picture was drawn.
    pub(crate) fn settle(&mut self) {
        self.changes_at = self.scene.changes_at().filter(|_| self.has_clock());
    }

    /// These panes have no place in the picture.
    pub(crate) fn hide(&mut self, hidden: Vec<PaneId>) {
        self.hidden = hidden;
        if !self.hidden.contains(&self.focus) {
            self.home = self.focus;
        }
    }

    /// The focused pane has the screen to itself, where others could be beside it.
    pub(crate) fn is_alone(&self) -> bool {
        self.zoom == Zoom::On || self.hidden.contains(&self.focus)
    }

    /// Goes to a pane that may have no place beside the others; the way back leads to the one in front now.
    pub(crate) fn leave_for(&mut self, pane: PaneId) {
        if self.focus != pane && !self.hidden.contains(&self.focus) {
            self.home = self.focus;
        }
        self.focus = pane;
    }

    /// Shows the other panes again.
    pub(crate) fn show_all(&mut self) {
        self.zoom = Zoom::Off;
        if self.hidden.contains(&self.focus) {
            self.focus = self.home;
        }
    }

    /// What Esc leaves now: the innermost of what was entered.
    pub(crate) fn way_back(&self) -> WayBack {
        if self.waves.again(self.scene.now).is_some() {
            WayBack::Replay
        } else if !self.panes.get(self.focus).filter().is_all() {
            WayBack::Filter
        } else if self.is_alone() {
            WayBack::AllPanes
        } else if self.scene.is_frozen() {
            WayBack::Freeze
        } else if self.scene.behind_live().is_some() {
            WayBack::Past
        } else {
            WayBack::FirstPane
        }
    }

    /// Shows another session: what was shown before is forgotten.
    pub(crate) fn begin_again(&mut self, recording: OpenedRecording) {
        self.scene.open(recording);
        self.panes = Panes::with_columns(&self.columns);
        self.modals.clear();
        self.waves = Waves::default();
    }

    /// Opens a dialog on top of the others.
    pub(crate) fn open(&mut self, modal: impl Modal + 'static) {
        self.modals.push(Box::new(modal));
    }

    /// Takes events. Nodes run side by side, so an effect may come before its cause: a batch is
    /// sorted by time.
    pub(crate) fn take(&mut self, deliveries: &[Delivery]) {
        self.take_thinned(deliveries, 0);
    }

    /// The same, when this many plentiful events were left out.
    pub(crate) fn take_thinned(&mut self, deliveries: &[Delivery], thinned: u64) {
        let skipped = deliveries.iter().map(|delivery| delivery.skipped).sum();
        let mut events: Vec<&Event> = deliveries.iter().flat_map(|delivery| delivery.batch.iter()).collect();
        events.sort_by_key(|event| event.at);
        if let Some((severity, text)) = self.scene.take(skipped, thinned, &events) {
            self.toasts.tell(severity, text, PaneId::explaining(severity), self.scene.now);
        }
    }

    /// What the terminal's window is called.
    pub(crate) fn title(&self) -> String {
        let what = self.scene.live.identity().map_or_else(|| "gossipctl".to_owned(), SessionIdentity::text);
        match self.scene.mode {
            Mode::Live | Mode::Virtual => what,
            Mode::Watch => format!("watch of {what}"),
            Mode::Replay { .. } => format!("replay of {what}"),
        }
    }

    /// Shows an answer above the footer for a while.
    pub(crate) fn show(&mut self, severity: Severity, text: impl Into<String>) {
        self.toasts.answer(severity, text.into(), self.scene.now);
    }

    /// Says why a command is refused, and remembers it.
    pub(crate) fn refuse(&mut self, severity: Severity, what: String, why: Objection) {
        self.show(severity, why.to_string());
        self.refused.push(Refused { at: self.scene.network_now(), what, why });
    }

    /// Shows an answer, and keeps it among the notices.
    pub(crate) fn note(&mut self, severity: Severity, text: &str) {
        self.scene.note(severity, text);
        self.show(severity, text);
    }

    /// Shows news, and keeps it among the notices.
    pub(crate) fn tell(&mut self, severity: Severity, text: &str) {
        self.scene.note(severity, text);
        self.toasts.tell(severity, text.to_owned(), None, self.scene.now);
    }

    /// Time has passed. Returns what looks different now.
    pub(crate) fn tick(&mut self, now: Time) -> Ticked {
        let second = self.second();
        self.scene.now = now;
        let played = self.play();
        let clock = self.has_clock() && self.second() != second;
        // What a dialog says of ages is read closely.
        let mut changed = played == Ticked::Picture || clock && (!self.modals.is_empty() || self.prompt.is_some());
        if let Some((severity, text)) = self.scene.pass_time() {
            self.toasts.tell(severity, text, PaneId::explaining(severity), now);
            changed = true;
        }
        changed |= self.toasts.tick(now);
        changed |= self.waves.tick(now);
        changed |= self.changes_at.take_if(|at| *at <= now).is_some();
        changed |= self.armed.take_if(|armed| armed.until <= now).is_some();
        match (changed, clock) {
            (false, true) if played == Ticked::Nothing => Ticked::Clock,
            (true, _) | (false, true) => Ticked::Picture,
            (false, false) => played,
        }
    }

    /// Gives the shown moment what has happened since. Returns what looks different.
    fn play(&mut self) -> Ticked {
        let (now, network_now) = (self.scene.now, self.scene.network_now());
        let is_live = self.scene.behind_live().is_some();
        let Some(playback) = &mut self.scene.playback else { return Ticked::Nothing };
        if is_live && playback.is_playing() {
            playback.go_on_until(network_now);
        }
        let playing = playback.is_playing();
        let elapsed = playback.advance(now);
        let ask = playback.take_ask().map(|after| ToHost::Follow { id: playback.id, after });
        self.effects.extend(ask.map(ConsoleEffect::Host));
        let news = if playing { self.scene.take_past(&elapsed.deliveries) } else { None };
        let has_news = news.is_some();
        if let Some((severity, text)) = news {
            self.toasts.tell(severity, text, PaneId::explaining(severity), now);
        }
        if let Some(silence) = elapsed.silence {
            self.toasts.tell(Severity::Info, format!("skipped {} of silence", rough_text(silence)), None, now);
        }
        if self.has_caught_up() {
            self.scene.go_live();
            return Ticked::Picture;
        }
        let events = || elapsed.deliveries.iter().flat_map(|delivery| delivery.batch.iter());
        let is_news =
            has_news || elapsed.is_over || elapsed.silence.is_some() || !events().all(|event| is_routine(&event.kind));
        match (is_news, events().next()) {
            (true, _) => Ticked::Picture,
            (false, Some(_)) => Ticked::Figures,
            (false, None) => Ticked::Nothing,
        }
    }

    /// What plays of a session that runs is as good as now.
    fn has_caught_up(&self) -> bool {
        let is_close = self.scene.behind_live().is_some_and(|behind| behind < CAUGHT_UP);
        is_close && self.scene.is_playing() && !self.seeks.is_pending()
    }

    /// When something will look different without an event, such as the clock at the next second;
    /// `None`: never.
    pub(crate) fn next_tick(&self) -> Option<Time> {
        let now = self.scene.now;
        let clock = self.has_clock().then(|| self.started + Duration::from_secs(now.since(self.started).as_secs() + 1));
        let is_replay = matches!(self.scene.mode, Mode::Replay { .. });
        let clock = clock.filter(|_| !is_replay);
        let step = self.scene.playback.as_ref().and_then(Playback::next_step);
        let armed = self.armed.iter().map(|armed| armed.until);
        let others = self.toasts.until().into_iter().chain(armed).chain(self.waves.next_tick(now));
        others.chain(self.changes_at).chain(clock).chain(step).min()
    }

    /// What the clock in the header shows.
    fn second(&self) -> u64 {
        match self.scene.mode {
            Mode::Live | Mode::Virtual | Mode::Watch => self.scene.now.since(self.started).as_secs(),
            Mode::Replay { .. } => self.scene.shown_at().as_micros() / 1_000_000,
        }
    }

    /// Time passes on the screen. The start screen covers everything that ages.
    fn has_clock(&self) -> bool {
        self.modals.first().is_none_or(|modal| modal.covers() != Covers::Screen)
    }

    /// What forms are filled in with: addresses that no node here has yet.
    pub(crate) fn form_defaults(&self) -> FormDefaults {
        let mut defaults = FormDefaults { seeds: self.seeds(), ..self.defaults.clone() };
        let in_config = self.defaults.seeds.iter().copied().find(|seed| !self.scene.is_taken(*seed));
        defaults.seed_listen = in_config.unwrap_or_else(|| self.next_free(defaults.seed_listen));
        defaults.peer_listen = self.next_free(defaults.peer_listen);
        defaults
    }

    /// The seeds that a new peer registers with: a lab's own, which are in no list, or those of the
    /// list.
    fn seeds(&self) -> Vec<Addr> {
        let is_seed = |node: &&NodeRecord| node.is_ours() && node.role == Some(Role::Seed);
        let own: Vec<Addr> = self.scene.live.nodes().iter().filter(is_seed).map(|node| node.addr).collect();
        let is_lab = own.first().is_some_and(|first| !self.defaults.seeds.contains(first));
        if is_lab { own } else { self.defaults.seeds.clone() }
    }

    fn next_free(&self, from: Addr) -> Addr {
        let mut addr = from;
        while self.scene.is_taken(addr) && addr.port() < u16::MAX {
            addr = addr.with_port(addr.port() + 1);
        }
        addr
    }
}

/// Probes and their answers: they come all the time, and matter only as figures.
pub(super) fn is_routine(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Probe(ProbeEvent::Sent { .. } | ProbeEvent::Received { .. } | ProbeEvent::Answered { .. })
    )
}

/// The view with what is selected: in the focused pane a message or a node.
fn highlighted<'a>(scene: &'a Scene, panes: &Panes, waves: &Waves, focus: PaneId) -> View<'a> {
    let view = scene.view();
    let view = View { selected: panes.shared(&view), lacked: waves.lacked(), ..view };
    let selection = panes.get(focus).selection(&view);
    let lit = Lit { node: selection.node, message: selection.message };
    View { lit, wave: waves.current(panes.message(&view), scene.now), ..view }
}
