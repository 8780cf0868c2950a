//! A session with the console: the terminal on this task, the nodes on the others.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::command_log::CommandLog;
use super::diagnostics;
use super::failure::Failure;
use super::files;
use super::glyphs;
use super::host::{Host, HostThreads, Left};
use super::nodes::{self, RunningNodes};
use super::output;
use super::plan::{Begin, EngineKind, Looks, Plan};
use super::records::{self, Records};
use super::scenario_runner::ScenarioRunner;
use crate::clock::Clock;
use crate::feed::{Feed, Tap, feed};
use crate::model::words::count_text;
use crate::net::next_free;
use crate::platform::StopSignals;
use crate::proto::addr::Addr;
use crate::scenario::{Run, ScenarioNotice, Skipped, Summary};
use crate::session::export::FileFormat;
use crate::session::overview::SessionEnd;
use crate::session::recorder::{News, RecorderReport};
use crate::session::summary::{summary, summary_line};
use crate::ui::{
    self, ConsoleOutcome, Ended, FormDefaults, FromHost, Glyphs, JournalState, Mode, Mouse, Options, Severity,
    StartScreen, ToHost, UiError,
};

/// Batches that wait to be shown: more than a busy lab makes between two frames.
const BATCHES_MAX: usize = 4_096;
/// Requests of the console, and answers, that wait.
pub(super) const TALK_MAX: usize = 64;
/// The first port that is tried for a seed if no list names one.
const FIRST_SEED_PORT: u16 = 5001;
/// The first port that is tried for a peer.
const FIRST_PEER_PORT: u16 = crate::command::Placement::FIRST_PEER_PORT;

/// Runs the plan with a console until the user quits, its time is over, or a signal comes.
pub(crate) async fn run(plan: Plan, looks: Looks) -> Result<ExitCode, Failure> {
    let mut signals = StopSignals::listen().map_err(Failure::system)?;
    let (clock, utc_offset_s, length) = (Clock::start(), plan.node.peer.utc_offset_s, plan.length);
    let (tap, shown) = feed(BATCHES_MAX);
    let (answers, answered) = mpsc::channel(TALK_MAX);
    plan.warnings.iter().for_each(|warning| notify(&answers, Severity::Warning, warning.clone()));
    plan.notes.iter().for_each(|note| notify(&answers, Severity::Info, note.clone()));
    let records = begin_records(&plan, clock, &answers);
    let (glyphs, why) = glyphs::choose(&looks.args, |name| std::env::var(name).ok());
    if let Some(why) = why {
        notify(&answers, Severity::Info, why);
    }
    let options = options(&plan, looks, glyphs, clock);
    let (script_tap, watched) = feed(BATCHES_MAX);
    let mut taps = vec![tap, records.tap()];
    taps.extend(plan.scenario.iter().map(|_| script_tap.clone()));
    drop(script_tap);
    let nodes = match start(&plan, clock, &taps).await {
        Ok(nodes) => nodes,
        Err(failure) => {
            records.finish();
            return Err(failure);
        }
    };
    let mut command_log = CommandLog::default();
    match &plan.begin {
        Begin::Lab { seeds, peers } => command_log.begin(clock.network_now(), *seeds, *peers),
        Begin::Node(_) => command_log.begin_with_nodes(),
        Begin::Choice { .. } | Begin::Recording(_) | Begin::Watch => {}
    }
    let (skips, skipped) = watch::channel(Vec::new());
    let played = played(&plan, nodes.as_ref(), watched, clock, ScenarioObservers { answers: answers.clone(), skips });
    let (to_host, asked) = mpsc::channel(TALK_MAX);
    if let Begin::Recording(start) = &plan.begin {
        // The first request; there is room.
        let _ = to_host.try_send(ToHost::OpenRecording(start.file.clone()));
    }
    let threads = HostThreads::start(&answers).map_err(Failure::system)?;
    let host = Host {
        plan,
        clock,
        taps,
        nodes,
        recorder: watch::channel(records.handle()).1,
        answers,
        replaying: None,
        watching: None,
        threads,
        command_log,
        skipped,
        rerun_plays: Arc::default(),
    };
    let host = tokio::spawn(host.serve(asked));
    let shutdown = CancellationToken::new();
    let console = ui::run(options, shown, to_host, answered, shutdown.clone());
    let (shown, ended) = Box::pin(until_asked(console, shutdown, &mut signals, length)).await;
    let left = host.await.unwrap_or_default();
    let played = match played {
        Some(played) => played.end().await,
        None => None,
    };
    let failed = played.as_ref().map_or(0, |(_, summary)| summary.failed.len());
    let records = EndingRecords { records, ended: ended.after(failed), utc_offset_s };
    let code = end(left, shown, records, &mut signals).await?;
    match played {
        Some((name, summary)) if code == ExitCode::SUCCESS => tell_scenario(&name, &summary),
        Some(_) | None => Ok(code),
    }
}

/// A scenario that is played while the console runs.
struct PlayedScenario {
    name: String,
    stop: CancellationToken,
    task: JoinHandle<Summary>,
}

impl PlayedScenario {
    /// Its outcome up to now.
    async fn end(self) -> Option<(String, Summary)> {
        self.stop.cancel();
        self.task.await.ok().map(|summary| (self.name, summary))
    }
}

/// Those that follow a scenario's progress.
struct ScenarioObservers {
    /// The console.
    answers: mpsc::Sender<FromHost>,
    /// The command log, for the lines that were not done.
    skips: watch::Sender<Vec<Skipped>>,
}

/// Begins to play the plan's scenario, if it has one.
fn played(
    plan: &Plan,
    nodes: Option<&RunningNodes>,
    watched: Feed,
    clock: Clock,
    observers: ScenarioObservers,
) -> Option<PlayedScenario> {
    let (file, nodes) = (plan.scenario.as_ref()?, nodes?);
    let ScenarioObservers { answers, skips } = observers;
    let tell = move |run: &Run, notice: Option<ScenarioNotice>| {
        if *skips.borrow() != run.skipped() {
            skips.send_replace(run.skipped().to_vec());
        }
        let notice = notice.map(|ScenarioNotice { severity, text }| FromHost::Notice { severity, text });
        for message in notice.into_iter().chain([FromHost::Scenario(Box::new(run.view()))]) {
            // A console that is this far behind shows the next one.
            let _ = answers.try_send(message);
        }
    };
    let mut runner = ScenarioRunner::new(Run::new(file.script.clone()), watched, nodes.requests(), clock, tell);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = runner.play() => stopped.cancelled().await,
            () = stopped.cancelled() => {}
        }
        runner.run().summary()
    });
    Some(PlayedScenario { name: file.name(), stop, task })
}

/// Reports the outcome of the scenario, after the summary of the session.
fn tell_scenario(name: &str, summary: &Summary) -> Result<ExitCode, Failure> {
    let mut text = summary_line("scenario", &format!("{name}: {}", summary.text()));
    for line in summary.failed.iter().chain(&summary.undecided).chain(&summary.skipped) {
        text += &summary_line("", line);
    }
    let code = output::print_lines(&text)?;
    Ok(if summary.failed.is_empty() { code } else { ExitCode::FAILURE })
}

/// Starts what is planned; nothing if the user is to choose.
async fn start(plan: &Plan, clock: Clock, taps: &[Tap]) -> Result<Option<RunningNodes>, Failure> {
    match plan.begin {
        Begin::Choice { .. } | Begin::Recording(_) | Begin::Watch => Ok(None),
        Begin::Lab { .. } | Begin::Node(_) => Ok(Some(RunningNodes::start(plan, clock, taps.to_vec()).await?)),
    }
}

/// Lets the console run to its end, or ends it when a signal comes or the time is over.
pub(super) async fn until_asked(
    console: impl Future<Output = Result<ConsoleOutcome, UiError>>,
    shutdown: CancellationToken,
    signals: &mut StopSignals,
    length: Option<Duration>,
) -> (Result<ConsoleOutcome, UiError>, SessionEnd) {
    tokio::pin!(console);
    let ended = tokio::select! {
        shown = &mut console => {
            let is_quit = shown.as_ref().is_ok_and(|outcome| outcome.ended == Ended::Quit);
            return (shown, if is_quit { SessionEnd::Left } else { SessionEnd::Interrupted });
        }
        _ = signals.next() => SessionEnd::Interrupted,
        () = nodes::pass(length) => SessionEnd::Over,
    };
    shutdown.cancel();
    (console.await, ended)
}

/// The records of a session that ends so.
struct EndingRecords {
    records: Records,
    ended: SessionEnd,
    utc_offset_s: i32,
}

/// The nodes leave, the records are finished, and the user reads the summary.
async fn end(
    left: Left,
    shown: Result<ConsoleOutcome, UiError>,
    records: EndingRecords,
    signals: &mut StopSignals,
) -> Result<ExitCode, Failure> {
    let EndingRecords { records, ended, utc_offset_s } = records;
    let report = match records.end_session(left.nodes, signals, ended).await {
        Ok(report) => report,
        Err(asked) => return Ok(ExitCode::from(asked.exit_code())),
    };
    let shown = shown.map_err(|error| told(error, report.as_ref()))?;
    let nothing_ran = shown.model.nodes().iter().next().is_none();
    if left.replaying.is_some() || nothing_ran {
        return Ok(ExitCode::SUCCESS);
    }
    let report = report.map(|report| RecorderReport {
        journal: report.journal.map(files::to_home),
        logs: report.logs.into_iter().map(files::to_home).collect(),
        ..report
    });
    output::print_lines(&summary(&shown.model, report.as_ref(), utc_offset_s))
}

/// A fault of ours is useful to its fixer only with the events that led to it.
pub(super) fn told(error: UiError, report: Option<&RecorderReport>) -> Failure {
    match error {
        UiError::Panicked(what) => {
            let log = files::state_dir().map(|dir| diagnostics::file(&dir));
            let files = [("log", log), ("journal", report.and_then(|report| report.journal.clone()))];
            let files = files.map(|(what, file)| file.map(|file| format!("; {what}: {}", file.display())));
            let files: String = files.into_iter().flatten().collect();
            Failure::other(format_args!(
                "{what}: a fault in gossipctl; every node of this process has said goodbye{files}"
            ))
        }
        error @ (UiError::Start(_) | UiError::Terminal(_)) => Failure::other(error),
    }
}

fn begin_records(plan: &Plan, clock: Clock, answers: &mpsc::Sender<FromHost>) -> Records {
    if matches!(plan.begin, Begin::Recording(_)) {
        return Records::none();
    }
    let answers = answers.clone();
    let tell = move |news| tell(&answers, news);
    Records::begin(plan, &plan.header(clock.epoch(), clock), tell)
}

/// Tells the console how recording goes. Never waits.
fn tell(answers: &mpsc::Sender<FromHost>, news: News) {
    let state = match news {
        News::Note(line) => return notify(answers, Severity::Warning, line),
        News::Failing(why) => JournalState::Failed { why },
        News::Recording(path) => JournalState::Recording { path },
        News::Again { journal: path, missing } => {
            let missing = count_text(missing, "event");
            notify(answers, Severity::Info, format!("the session is recorded again; {missing} missing"));
            JournalState::Recording { path }
        }
    };
    // There is room for as many as anybody would read; the rest is not worth waiting for.
    let _ = answers.try_send(FromHost::JournalState(state));
}

/// Shows the user a line. Never waits.
pub(super) fn notify(answers: &mpsc::Sender<FromHost>, severity: Severity, text: String) {
    let _ = answers.try_send(FromHost::Notice { severity, text });
}

pub(super) fn options(plan: &Plan, looks: Looks, glyphs: Glyphs, clock: Clock) -> Options {
    let utc_offset_s = plan.node.peer.utc_offset_s;
    let export_name = format!("gossipctl-{}.txt", records::file_stamp(clock.epoch(), utc_offset_s));
    Options {
        theme: looks.args.theme.unwrap_or_default(),
        glyphs,
        columns: looks.args.columns.unwrap_or_default(),
        mouse: if looks.args.mouse { Mouse::Captured } else { Mouse::Terminal },
        mode: match (&plan.begin, plan.world) {
            (Begin::Watch, _) => Mode::Watch,
            (_, EngineKind::Sockets) => Mode::Live,
            (_, EngineKind::Virtual) => Mode::Virtual,
        },
        start_screen: match plan.begin {
            Begin::Choice { .. } => StartScreen::Shown,
            Begin::Lab { .. } | Begin::Node(_) | Begin::Recording(_) | Begin::Watch => StartScreen::Skipped,
        },
        defaults: form_defaults(plan),
        keys: looks.keys,
        clock,
        utc_offset_s,
        export_name: PathBuf::from(export_name),
        export_check: |file| FileFormat::from_path(file).map(drop).map_err(|error| error.to_string()),
    }
}

fn form_defaults(plan: &Plan) -> FormDefaults {
    let free_from = |port| next_free(Addr::loopback(port)).unwrap_or(Addr::loopback(port));
    FormDefaults {
        seeds: plan.node.peer.seeds.clone(),
        seed_listen: free_from(FIRST_SEED_PORT),
        peer_listen: free_from(FIRST_PEER_PORT),
        lab_seeds: plan.lab_size.0,
        lab_peers: plan.lab_size.1,
    }
}
