//! The real program without a terminal: its lines, its exit code, its signals.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use gossipctl::clock::Clock;
use tempfile::TempDir;

/// How long anything may take to happen. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs.
pub(crate) struct Program {
    child: Child,
    lines: Option<Receiver<String>>,
    home: Arc<TempDir>,
}

/// An empty directory, away from the user's files.
pub(crate) fn home() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

/// Runs the program to its end in a directory that is prepared first: exit code, stdout, stderr.
pub(crate) fn run(args: &[&str], prepare: impl FnOnce(&Path)) -> (i32, String, String) {
    let home = home();
    prepare(home.path());
    run_in(home.path(), args)
}

/// Runs the program to its end in this directory: exit code, stdout, stderr.
pub(crate) fn run_in(home: &Path, args: &[&str]) -> (i32, String, String) {
    finished(command(home, args))
}

/// The same with these variables of the environment.
pub(crate) fn run_with(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = command(home, args);
    command.envs(variables.iter().copied());
    finished(command)
}

/// The same where nobody can read what it says on stderr: its terminal is gone, say. The exit code, if it has one.
pub(crate) fn run_unheard(args: &[&str]) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command(home().path(), args).stdout(Stdio::null()).stderr(writer).status().unwrap();
    status.code()
}

/// The same where no file may grow beyond so many KiB.
pub(crate) fn run_with_small_files(home: &Path, size_kib: u32, args: &[&str]) -> (i32, String, String) {
    // POSIX counts in blocks of 512 bytes.
    run_limited(home, &format!("-f {}", size_kib * 2), args)
}

/// The same under a limit of the shell's `ulimit`.
pub(crate) fn run_limited(home: &Path, limit: &str, args: &[&str]) -> (i32, String, String) {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let program = command(home, args);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(program.get_program()).args(program.get_args()).current_dir(home);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null());
    finished(shell)
}

fn finished(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What follows these words in a line.
pub(crate) fn line_of<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    line.split_once(words).map(|(_, rest)| rest)
}

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gossipctl"));
    command.args(args).current_dir(home);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("XDG_STATE_HOME", home.join("state"));
    command.env_remove("GOSSIPCTL_LOG").env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    /// Starts it in a directory of its own.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(&home(), args)
    }

    /// Starts it in this directory.
    pub(crate) fn start_in(home: &Arc<TempDir>, args: &[&str]) -> Self {
        Self::spawn(home, command(home.path(), args))
    }

    /// Starts it in a directory of its own, with these variables.
    pub(crate) fn start_with(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let home = home();
        let mut command = command(home.path(), args);
        command.envs(variables.iter().copied());
        Self::spawn(&home, command)
    }

    fn spawn(home: &Arc<TempDir>, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = follow(child.stdout.take().unwrap());
        Self { child, lines: Some(lines), home: Arc::clone(home) }
    }

    /// Where it runs.
    pub(crate) fn dir(&self) -> &Arc<TempDir> {
        &self.home
    }

    /// Reads on until a line is as it should be.
    pub(crate) fn wait_for(&self, what: &str, mut is_so: impl FnMut(&str) -> bool) -> String {
        let (mut read, clock) = (Vec::new(), Clock::start());
        let until = clock.now() + PATIENCE;
        let lines = self.lines.as_ref().unwrap();
        while let Ok(line) = lines.recv_timeout(until.since(clock.now())) {
            if is_so(&line) {
                return line;
            }
            read.push(line);
        }
        panic!("waited for {what}; the lines were\n{}", read.join("\n"));
    }

    /// Reads to the end.
    pub(crate) fn read_all(&mut self) -> Vec<String> {
        self.lines.take().unwrap().into_iter().collect()
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Nobody reads any more.
    pub(crate) fn close_stdout(&mut self) {
        self.lines = None;
    }

    /// Sends a signal such as `TERM` and waits for the end: exit code, and the lines that came yet.
    pub(crate) fn end_with(mut self, signal: &str) -> (Option<i32>, Vec<String>) {
        self.signal(signal);
        let rest = self.read_all();
        (self.child.wait().unwrap().code(), rest)
    }

    /// Waits for the end: exit code and stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut error = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        (self.child.wait().unwrap().code(), error)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines as they come. When nobody takes them any more, the pipe is closed.
fn follow(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
