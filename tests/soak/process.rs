//! What this process takes of the machine. Linux only: elsewhere nothing is known and nothing is checked.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) files: usize,
    pub(crate) threads: usize,
    pub(crate) rss_kib: usize,
}

pub(crate) fn taken() -> Option<Taken> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(Taken { files, threads: field("Threads:")?, rss_kib: field("VmRSS:")? })
}

/// Watches how much memory this process takes, on a thread of its own, until it is dropped.
pub(crate) struct PeakWatch {
    peak_kib: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PeakWatch {
    /// Between two looks: a flood that is not held up takes tens of megabytes in this time.
    const PAUSE: Duration = Duration::from_millis(20);

    pub(crate) fn start() -> Self {
        let (peak_kib, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (peak, stopped) = (Arc::clone(&peak_kib), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                peak.fetch_max(taken().map_or(0, |taken| taken.rss_kib), Ordering::Relaxed);
                thread::sleep(Self::PAUSE);
            }
        });
        Self { peak_kib, stop, thread: Some(thread) }
    }

    /// The most since this was asked last.
    pub(crate) fn take(&self) -> usize {
        self.peak_kib.swap(0, Ordering::Relaxed)
    }
}

impl Drop for PeakWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
