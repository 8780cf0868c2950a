//! Watches in the console: the terminal on this task, the sessions on a thread of its own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use tokio::sync::{mpsc, watch as watched};
use tokio_util::sync::CancellationToken;

use super::choice::{self, Choice, ListedNetwork};
use super::marked_dir::MarkedDir;
use super::{READING, WatchSources, damage_lines, deliveries, if_it_takes_long, late_text};
use crate::cli::command_log::CommandLog;
use crate::cli::console::{TALK_MAX, notify, options, told, until_asked};
use crate::cli::failure::Failure;
use crate::cli::glyphs;
use crate::cli::host::{Host, HostThreads, ShowNetwork};
use crate::cli::output;
use crate::cli::plan::{Plan, ScreenMode};
use crate::clock::{Clock, utc_offset_s};
use crate::feed::{Bounds, Delivery, Tap, bounded, feed};
use crate::model::Model;
use crate::model::notice::Severity;
use crate::model::timeline::Timeline;
use crate::platform::StopSignals;
use crate::session::journal::Header;
use crate::session::recorder::{Limits, News, RecordFrom, RecordPaths, Recorder, RecorderHandle};
use crate::session::replay::Damage;
use crate::session::summary::summary;
use crate::session::watch::{Joined, LateJoin, POLL_INTERVAL, ReadProgress, WatchNews};
use crate::ui::{self, FromHost, NetworkRow, WatchedPast, WatchedSession};

/// Batches and events that wait to be shown: as many as the console takes in a turn without leaving any out. Whoever
/// reads the journals waits for room.
const SHOWN_MAX: Bounds = Bounds { batches: 256, events: 4_096, bytes: crate::feed::BYTES_MAX };
/// Batches that wait for the disk.
const RECORDED_MAX: usize = 256;
/// Networks that the user chose and that are not shown yet.
const CHOSEN_MAX: usize = 4;

/// What is shown at first.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) networks: Vec<ListedNetwork>,
    pub(super) choice: Choice,
    /// Of what is recorded for going back.
    pub(super) limits: Limits,
}

/// Runs until the user quits, the time is over, or a signal comes.
pub(super) async fn run(sources: WatchSources, shown: Shown, plan: Plan, clock: Clock) -> Result<ExitCode, Failure> {
    let ScreenMode::Console(looks) = plan.screen.clone() else { return Ok(ExitCode::SUCCESS) };
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    // What is shown as now is what must have been recorded by now.
    clock.fall_behind(sources.watch.delay());
    let length = plan.length;
    let (tap, events) = bounded(SHOWN_MAX);
    let (answers, answered) = mpsc::channel(TALK_MAX);
    plan.warnings.iter().for_each(|warning| notify(&answers, Severity::Warning, warning.clone()));
    let (glyphs, why) = glyphs::choose(&looks.args, |name| std::env::var(name).ok());
    if let Some(why) = why {
        notify(&answers, Severity::Info, why);
    }
    let options = options(&plan, looks, glyphs, clock);
    let (recorders, recorder) = watched::channel(None);
    let records =
        TempRecords { dir: None, limits: shown.limits, made: 0, recorder: None, recorders, answers: answers.clone() };
    let (choices, chosen) = sync_channel(CHOSEN_MAX);
    let watcher = WatchThread {
        sources,
        clock,
        tap,
        answers: answers.clone(),
        records,
        damage: Damage::default(),
        told: 0,
        listed: Vec::new(),
    };
    let watching = std::thread::Builder::new().name("watch".to_owned());
    let watching = watching.spawn(move || watcher.run(shown, &chosen)).map_err(Failure::system)?;
    let (to_host, asked) = mpsc::channel(TALK_MAX);
    let threads = HostThreads::start(&answers).map_err(Failure::system)?;
    let host = Host {
        plan,
        clock,
        taps: Vec::new(),
        nodes: None,
        recorder,
        answers,
        replaying: None,
        watching: Some(choices),
        threads,
        command_log: CommandLog::default(),
        skipped: watched::channel(Vec::new()).1,
        rerun_plays: Arc::default(),
    };
    let host = tokio::spawn(host.serve(asked));
    let shutdown = CancellationToken::new();
    let console = ui::run(options, events, to_host, answered, shutdown.clone());
    let (shown, _) = Box::pin(until_asked(console, shutdown, &mut signals, length)).await;
    // With the host its requests end, and the watcher with them.
    let _ = host.await;
    let _ = tokio::task::spawn_blocking(move || watching.join()).await;
    let shown = shown.map_err(|error| told(error, None))?;
    if shown.model.nodes().iter().next().is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    output::print_lines(&summary(&shown.model, None, utc_offset_s()))
}

/// Reads the journals, and hands what is in them to the console and to the file by which it goes back.
struct WatchThread {
    sources: WatchSources,
    clock: Clock,
    tap: Tap,
    answers: mpsc::Sender<FromHost>,
    records: TempRecords,
    damage: Damage,
    /// Damaged lines that the user was told of.
    told: u64,
    /// The networks from which the user is to choose; empty if one is shown.
    listed: Vec<NetworkRow>,
}

impl WatchThread {
    /// Runs until the console is gone.
    fn run(mut self, shown: Shown, chosen: &Receiver<ShowNetwork>) {
        match shown.choice {
            Choice::Network(members) => self.show(members),
            Choice::Several => self.list(rows(&shown.networks)),
            Choice::Nothing => {}
        }
        loop {
            match chosen.recv_timeout(POLL_INTERVAL) {
                Ok(ShowNetwork { session }) => self.choose(&session),
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return self.records.end(),
            }
        }
    }

    fn send(&self, answer: FromHost) {
        // A console that is gone needs no answer.
        let _ = self.answers.blocking_send(answer);
    }

    fn tell(&self, severity: Severity, text: String) {
        self.send(FromHost::Notice { severity, text });
    }

    fn list(&mut self, rows: Vec<NetworkRow>) {
        self.listed = rows;
        self.send(FromHost::Networks(self.listed.clone()));
    }

    /// Lists the networks that run by now, while the user is to choose one.
    fn list_again(&mut self) {
        let rows = rows(&choice::networks(&self.sources.watch, utc_offset_s()));
        if rows != self.listed {
            self.list(rows);
        }
    }

    /// Shows the network of this session, or what there is by now if it has ended.
    fn choose(&mut self, session: &str) {
        let networks = choice::networks(&self.sources.watch, utc_offset_s());
        let has_it = |network: &&ListedNetwork| {
            let mut sessions = network.members.iter().filter_map(|ix| self.sources.watch.sessions().get(*ix));
            sessions.any(|member| member.name() == session)
        };
        if let Some(network) = networks.iter().find(has_it) {
            self.show(network.members.clone());
        } else {
            self.list(rows(&networks));
            self.tell(Severity::Warning, format!("session {session} has ended"));
        }
    }

    fn show(&mut self, members: Vec<usize>) {
        self.patiently(|watcher| match watcher.sources.watch.open(members) {
            Ok(()) => watcher.begin(),
            Err(error) => watcher.tell(Severity::Error, error.to_string()),
        });
    }

    /// Reads; tells the user of it if that takes long.
    fn patiently(&mut self, read: impl FnOnce(&mut Self)) {
        let answers = self.answers.clone();
        if_it_takes_long(move || notify(&answers, Severity::Info, READING.to_owned()), || read(self));
    }

    /// Shows all that was recorded up to now.
    fn begin(&mut self) {
        let Some(header) = self.sources.watch.header() else { return };
        self.listed.clear();
        self.records.begin(&header);
        let (mut model, mut timeline) = (Model::new(), Timeline::new());
        let mut progress = ReadProgress::Behind;
        while progress == ReadProgress::Behind && !self.tap.is_closed() {
            let (parts, reached) = self.advance();
            progress = reached;
            for Delivery { skipped, batch } in &parts {
                model.note_skipped(*skipped);
                for event in batch.iter() {
                    model.apply(event);
                    timeline.follow(&model, event);
                }
                timeline.missing(model.now(), *skipped);
            }
        }
        self.sources.watch.take_late();
        self.send(FromHost::Watching(Box::new(WatchedPast { model, timeline })));
        self.tell_sessions();
        self.sources.watch.told_clocks().into_iter().for_each(|line| self.tell(Severity::Info, line));
    }

    /// What was recorded since; it is in the file by which the console goes back.
    fn advance(&mut self) -> (Vec<Delivery>, ReadProgress) {
        let (records, progress) = self.sources.watch.advance(self.clock.now());
        let parts = deliveries(records, &mut self.damage);
        for part in &parts {
            self.records.write(part);
        }
        for line in damage_lines(&self.damage, &mut self.told) {
            self.tell(Severity::Warning, line);
        }
        (parts, progress)
    }

    /// Shows what is new.
    fn look(&mut self) {
        let look = match self.sources.look(self.clock) {
            Ok(look) => look,
            Err(error) => return self.tell(Severity::Error, error.to_string()),
        };
        let hosts = self.sources.hear_hosts();
        let is_changed = !(look.news.is_empty() && look.joining.is_empty() && hosts.is_empty());
        for line in hosts {
            self.tell(Severity::Warning, line);
        }
        if self.sources.watch.members().next().is_none() {
            self.list_again();
        }
        self.join(&look.joining);
        let mut progress = ReadProgress::Behind;
        while progress == ReadProgress::Behind && !self.tap.is_closed() {
            let (parts, reached) = self.advance();
            progress = reached;
            for part in parts {
                self.tap.deliver_blocking(part);
            }
        }
        look.news.iter().for_each(|news| self.tell_news(news));
        if let Some(text) = late_text(&mut self.sources.watch) {
            self.tell(Severity::Warning, text);
        }
        if is_changed {
            self.tell_sessions();
        }
    }

    fn join(&mut self, joining: &[usize]) {
        if joining.is_empty() {
            return;
        }
        match self.sources.watch.join(joining, LateJoin::BeginAnew) {
            Ok(Joined::GoesOn) => {}
            Ok(Joined::BegunAnew) => self.patiently(Self::begin),
            Err(error) => return self.tell(Severity::Error, error.to_string()),
        }
        for ix in joining {
            self.tell_news(&self.sources.watch.joined(*ix));
        }
    }

    fn tell_news(&self, news: &WatchNews) {
        self.tell(news.severity(), news.text());
    }

    fn tell_sessions(&self) {
        let sessions = self.sources.watch.members().map(|session| WatchedSession {
            name: session.name().to_owned(),
            nodes: session.nodes().collect(),
            is_running: !session.is_over(),
        });
        self.send(FromHost::Watched(sessions.collect()));
    }
}

/// What is shown, in a temporary file: the console reads the past from it.
struct TempRecords {
    /// Made with the first file; removed at the end.
    dir: Option<MarkedDir>,
    limits: Limits,
    /// Files so far.
    made: u32,
    recorder: Option<(Recorder, Tap)>,
    recorders: watched::Sender<Option<RecorderHandle>>,
    answers: mpsc::Sender<FromHost>,
}

impl TempRecords {
    /// Begins a new file in place of the one before.
    fn begin(&mut self, header: &Header) {
        self.finish();
        if let Err(why) = self.open(header) {
            notify(&self.answers, Severity::Warning, format!("there is no way back: {why}"));
        }
    }

    fn open(&mut self, header: &Header) -> Result<(), String> {
        let path = self.next_path().map_err(|error| format!("no temporary directory: {error}"))?;
        let paths = RecordPaths { from: RecordFrom::Start, journal: Some((path, self.limits)), log_dir: None };
        let (tap, events) = feed(RECORDED_MAX);
        let answers = self.answers.clone();
        let recorder = Recorder::spawn(events, &paths, header, move |news| tell(&answers, news));
        let recorder = recorder.map_err(|error| error.to_string())?;
        self.recorders.send_replace(Some(recorder.handle()));
        self.recorder = Some((recorder, tap));
        Ok(())
    }

    fn next_path(&mut self) -> std::io::Result<PathBuf> {
        let dir = match self.dir.take() {
            Some(dir) => dir,
            None => MarkedDir::make()?,
        };
        self.made += 1;
        Ok(self.dir.insert(dir).path().join(format!("watched-{}.jsonl.zst", self.made)))
    }

    fn write(&self, part: &Delivery) {
        if let Some((_, tap)) = &self.recorder {
            tap.deliver_blocking(part.clone());
        }
    }

    /// Ends the file and removes it.
    fn finish(&mut self) {
        self.recorders.send_replace(None);
        if let Some((recorder, tap)) = self.recorder.take() {
            drop(tap);
            // One that stays is removed with its directory.
            recorder.finish().journal.into_iter().for_each(|journal| drop(std::fs::remove_file(journal)));
        }
    }

    fn end(mut self) {
        self.finish();
    }
}

fn rows(networks: &[ListedNetwork]) -> Vec<NetworkRow> {
    let row = |network: &ListedNetwork| NetworkRow {
        session: network.session.clone(),
        what: network.what.clone(),
        since: network.since.clone(),
    };
    networks.iter().map(row).collect()
}

/// The file has no name that anybody knows.
fn tell(answers: &mpsc::Sender<FromHost>, news: News) {
    match news {
        News::Recording(_) | News::Again { .. } => {}
        News::Failing(why) => notify(answers, Severity::Warning, format!("the way back ends here: {why}")),
        News::Note(line) => notify(answers, Severity::Warning, line),
    }
}
