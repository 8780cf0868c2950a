//! What the system says of this process: CPU time, memory, what went over loopback.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Set in a process that has a loopback interface of its own.
const PRIVATE: &str = "FLOOD_BENCH_PRIVATE_LOOPBACK";

/// Runs this program again in a network namespace of its own, where that is allowed (root, Linux), so
/// that the interface's counters are only ours. Returns if it is not, and in the new process.
pub(crate) fn own_loopback() -> bool {
    if std::env::var_os(PRIVATE).is_some() {
        return true;
    }
    let allowed = Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).output();
    if !allowed.is_ok_and(|tried| tried.status.success()) {
        return false;
    }
    let Ok(me) = std::env::current_exe() else { return false };
    let script = "ip link set lo up && exec \"$0\" \"$@\"";
    // Returns only if it fails.
    let _ = Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .arg(me)
        .args(std::env::args_os().skip(1))
        .env(PRIVATE, "1")
        .exec();
    false
}

/// CPU time of this process, all threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) total: Duration,
    /// Share of the total that was spent in the kernel, by the kernel's own hundredths of a second.
    ticks: (u64, u64),
    pub(crate) switches: u64,
}

impl Cpu {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let total = Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0));
        Self { total, ticks: ticks(), switches: switches() }
    }

    /// Total, user and system seconds since then.
    pub(crate) fn since(self, earlier: Self) -> (f64, f64, f64) {
        let total = self.total.saturating_sub(earlier.total).as_secs_f64();
        let (user, system) = (self.ticks.0 - earlier.ticks.0, self.ticks.1 - earlier.ticks.1);
        let share = if user + system == 0 { 0.0 } else { float(system) / float(user + system) };
        (total, total * (1.0 - share), total * share)
    }
}

fn ticks() -> (u64, u64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which is field 2: fields 14 and 15 of proc(5).
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0);
    (field(11), field(12))
}

/// Context switches of all threads that are there.
fn switches() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of = |status: &str| -> u64 {
        let lines = status.lines().filter(|line| line.contains("voluntary_ctxt_switches"));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
    };
    tasks.map(|task| fs::read_to_string(task.path().join("status")).map_or(0, |status| of(&status))).sum()
}

/// A line of this process's status, in KiB where it is a size.
pub(crate) fn status(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Bytes and packets sent over loopback.
pub(crate) fn loopback() -> (u64, u64) {
    let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    let line = table.lines().find_map(|line| line.trim().strip_prefix("lo:"));
    let fields: Vec<u64> = line.unwrap_or("").split_whitespace().filter_map(|field| field.parse().ok()).collect();
    (fields.get(8).copied().unwrap_or(0), fields.get(9).copied().unwrap_or(0))
}

/// CPU seconds that all processes of the machine have used.
pub(crate) fn machine_busy() -> f64 {
    let table = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = table.lines().next().unwrap_or("");
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // All but idle and waiting for a disk.
    [0, 1, 2, 5, 6, 7].iter().map(|at| float(fields.get(*at).copied().unwrap_or(0))).sum::<f64>() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
