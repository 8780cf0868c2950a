//! The sessions of other machines, through the user's own ssh.
//!
//! For each host an ssh runs `gossipctl watch --relay` there. What it tells is kept as journals in a temporary
//! directory ([`Mirror`]), which are then watched as those of this machine are.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::marked_dir::MarkedDir;
use crate::cli::failure::Failure;
use crate::cli::output::{say, warn};
use crate::clock::Clock;
use crate::model::span_text;
use crate::proto::text::printable;
use crate::session::journal::LINE_LEN_MAX;
use crate::session::watch::{Mirror, MirrorError, MirrorNews, POLL_INTERVAL, WatchedDir};

/// News that wait: whoever reads on waits for room.
const NEWS_MAX: usize = 64;
/// Lines of ssh's stderr that are told of a host, and characters of each.
const SAID_MAX: usize = 8;
const SAID_LEN_MAX: usize = 300;
/// How long a host may take to answer, in seconds; ssh takes it as a number.
const CONNECT_TIMEOUT: &str = "ConnectTimeout=15";
/// How long it may then take to tell what was recorded so far.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
/// After how long the user is told what is waited for.
const TOLD_AFTER: Duration = Duration::from_secs(2);
/// The connection is lost when nothing came from the host for three times so long.
const ALIVE_INTERVAL: &str = "ServerAliveInterval=10";

/// What is told of a host.
#[derive(Debug)]
enum HostNews {
    Began {
        gossipctl: String,
        ahead_us: i64,
    },
    /// All that was recorded by now is here.
    Ready,
    /// ssh, or the program there, says this.
    Said(String),
    /// Nothing more comes: why, if that is known here.
    Lost(Option<MirrorError>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostState {
    Connecting,
    Ready,
    Lost,
}

#[derive(Debug)]
struct RemoteHost {
    name: String,
    dir: PathBuf,
    ssh: Child,
    state: HostState,
    said: Vec<String>,
}

/// The machines whose sessions are told here.
#[derive(Debug)]
pub(super) struct RemoteHosts {
    hosts: Vec<RemoteHost>,
    news: Receiver<(usize, HostNews)>,
    /// Where their sessions are kept; removed at the end.
    dir: MarkedDir,
}

/// A host of which nothing more comes.
#[derive(Debug)]
pub(super) struct LostHost {
    pub(super) dir: PathBuf,
    pub(super) text: String,
}

/// Where news of a host go.
#[derive(Debug, Clone)]
struct HostSender {
    host: usize,
    news: SyncSender<(usize, HostNews)>,
}

impl HostSender {
    fn send(&self, news: HostNews) {
        // Whoever watches may be gone.
        let _ = self.news.send((self.host, news));
    }
}

impl RemoteHosts {
    /// Connects to all of them, and waits until each has told what was recorded so far.
    pub(super) fn connect(hosts: &[String], program: &str, size_max: u64, clock: Clock) -> Result<Self, Failure> {
        let dir = MarkedDir::make().map_err(|error| Failure::other(format_args!("no temporary directory: {error}")))?;
        let (to_us, news) = sync_channel(NEWS_MAX);
        let mut connected = Self { hosts: Vec::new(), news, dir };
        for (ix, name) in hosts.iter().enumerate() {
            let place = connected.dir.path().join(ix.to_string());
            let ssh = start(name, program)
                .map_err(|error| Failure::other(format_args!("{name}: ssh cannot be started: {error}")))?;
            let reader = HostReader { mirror: Mirror::new(place.clone(), name, size_max), clock };
            let sender = HostSender { host: ix, news: to_us.clone() };
            let (name, state) = (name.clone(), HostState::Connecting);
            let mut host = RemoteHost { name, dir: place, ssh, state, said: Vec::new() };
            follow(&mut host.ssh, reader, sender).map_err(Failure::system)?;
            connected.hosts.push(host);
        }
        connected.wait(clock)?;
        Ok(connected)
    }

    /// Where the sessions of each are.
    pub(super) fn dirs(&self) -> impl Iterator<Item = WatchedDir> {
        self.hosts.iter().map(|host| WatchedDir::new(host.dir.clone()))
    }

    fn wait(&mut self, clock: Clock) -> Result<(), Failure> {
        let (began, mut is_told) = (clock.now(), false);
        while let Some(host) = self.hosts.iter().find(|host| host.state == HostState::Connecting) {
            let name = host.name.clone();
            match self.news.recv_timeout(POLL_INTERVAL) {
                Ok((ix, news)) => {
                    if let Some(lost) = self.take(ix, news) {
                        return Err(Failure::Other(lost.text));
                    }
                }
                Err(_) if clock.now() >= began + READY_TIMEOUT => {
                    let waited = span_text(READY_TIMEOUT);
                    return Err(Failure::other(format_args!("{name} has not told its sessions within {waited}")));
                }
                Err(_) if !is_told && clock.now() >= began + TOLD_AFTER => {
                    say(format_args!("waiting for {name}"));
                    is_told = true;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Takes news of a host. Before the host is ready its words are kept for the error.
    fn take(&mut self, ix: usize, news: HostNews) -> Option<LostHost> {
        let host = self.hosts.get_mut(ix)?;
        match news {
            HostNews::Began { gossipctl, ahead_us } => host.tell_beginning(&gossipctl, ahead_us),
            HostNews::Ready => {
                host.state = HostState::Ready;
                host.said.clear();
            }
            HostNews::Said(line) => host.said.push(line),
            HostNews::Lost(why) => return Some(host.lose(why)),
        }
        None
    }

    /// What the hosts said since, and those that were lost.
    pub(super) fn take_news(&mut self) -> (Vec<String>, Vec<LostHost>) {
        let (mut said, mut lost) = (Vec::new(), Vec::new());
        while let Ok((ix, news)) = self.news.try_recv() {
            lost.extend(self.take(ix, news));
            let host = self.hosts.get_mut(ix).into_iter();
            said.extend(
                host.flat_map(|host| {
                    host.said.drain(..).map(|line| format!("{}: {line}", host.name)).collect::<Vec<_>>()
                }),
            );
        }
        (said, lost)
    }
}

impl RemoteHost {
    fn tell_beginning(&self, gossipctl: &str, ahead_us: i64) {
        let (name, ours) = (&self.name, env!("CARGO_PKG_VERSION"));
        if gossipctl != ours {
            warn(format_args!(
                "{name} has gossipctl {gossipctl}, and this is {ours}: what one does not know is missing"
            ));
        }
        if ahead_us != 0 {
            let by = span_text(Duration::from_micros(ahead_us.unsigned_abs()));
            let side = if ahead_us < 0 { "behind" } else { "ahead" };
            say(format_args!("{name}: its clock is about {by} {side}; it is taken to agree"));
        }
    }

    fn lose(&mut self, why: Option<MirrorError>) -> LostHost {
        self.state = HostState::Lost;
        let (dir, name) = (self.dir.clone(), self.name.clone());
        if let Some(why) = why {
            let _ = self.ssh.kill();
            let _ = self.ssh.wait();
            return LostHost { dir, text: printable(&format!("{name}: {why}")).into_owned() };
        }
        let ended = self.ssh.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = if self.said.is_empty() { format!("ssh has ended ({ended})") } else { self.said.join("; ") };
        let hint = if words.contains("not found") { "; --remote-program says where gossipctl is there" } else { "" };
        self.said.clear();
        LostHost { dir, text: format!("{name}: {words}{hint}") }
    }
}

impl Drop for RemoteHost {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.ssh.kill();
        let _ = self.ssh.wait();
    }
}

/// ssh hands its arguments to a shell there, so the program is quoted. It asks for no password: the terminal is not
/// its own.
fn start(host: &str, program: &str) -> io::Result<Child> {
    let command = format!("{} watch --relay --headless", quoted(program));
    let mut ssh = Command::new("ssh");
    ssh.args(["-T", "-o", "BatchMode=yes", "-o", CONNECT_TIMEOUT, "-o", ALIVE_INTERVAL, "--", host, &command]);
    ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// The path as one word of a shell; `~/` at its beginning is the home there.
fn quoted(program: &str) -> String {
    let quote = |path: &str| format!("'{}'", path.replace('\'', r"'\''"));
    program.strip_prefix("~/").map_or_else(|| quote(program), |path| format!("~/{}", quote(path)))
}

/// Reads what ssh and the program there say, on two threads.
fn follow(ssh: &mut Child, mut reader: HostReader, sender: HostSender) -> io::Result<()> {
    let (Some(stdout), Some(stderr)) = (ssh.stdout.take(), ssh.stderr.take()) else { return Ok(()) };
    let words = sender.clone();
    let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let listening = thread("ssh words").spawn(move || listen(stderr, &words))?;
    thread("ssh").spawn(move || {
        let why = reader.read(stdout, &sender);
        // Its last words come first.
        if why.is_none() {
            let _ = listening.join();
        }
        sender.send(HostNews::Lost(why));
        // Until that is known, its sessions are not given up.
        drop(reader);
    })?;
    Ok(())
}

/// Passes on the first lines that ssh says, each up to a length.
fn listen(stderr: impl Read, sender: &HostSender) {
    let mut lines = BufReader::new(stderr);
    for told in 0.. {
        let mut line = Vec::new();
        match lines.by_ref().take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if told < SAID_MAX => {
                let said: String = String::from_utf8_lossy(&line).trim_end().chars().take(SAID_LEN_MAX).collect();
                sender.send(HostNews::Said(printable(&said).into_owned()));
            }
            Ok(_) => {}
        }
    }
}

struct HostReader {
    mirror: Mirror,
    clock: Clock,
}

impl HostReader {
    /// Reads to the end, or to the first line that is none of a relay's: why.
    fn read(&mut self, stdout: impl Read, sender: &HostSender) -> Option<MirrorError> {
        let (mut lines, mut is_ready) = (BufReader::new(stdout), false);
        loop {
            let mut line = Vec::new();
            match lines.by_ref().take(LINE_LEN_MAX as u64).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) => match self.mirror.take(&line, self.clock.now()) {
                    Ok(MirrorNews::Nothing) => {}
                    Ok(MirrorNews::Began { gossipctl, ahead_us }) => {
                        sender.send(HostNews::Began { gossipctl, ahead_us });
                    }
                    Ok(MirrorNews::Current) if is_ready => {}
                    Ok(MirrorNews::Current) => {
                        is_ready = true;
                        sender.send(HostNews::Ready);
                    }
                    Err(why) => return Some(why),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_one_word_of_the_shell_there() {
        assert_eq!(quoted("gossipctl"), "'gossipctl'");
        assert_eq!(quoted("/opt/max's $(id)/gossipctl"), r"'/opt/max'\''s $(id)/gossipctl'");
        assert_eq!(quoted("~/a b/gossipctl"), "~/'a b/gossipctl'");
    }
}
