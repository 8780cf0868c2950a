//! What this process takes of the machine. Linux only: elsewhere nothing is known and nothing is checked.

use std::fs;

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
