//! A stranger that connects to a node again and again and sends junk.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::engine::fault::junk;
use crate::proto::addr::Addr;
use crate::proto::chance::Chance;

/// How long a node may take to close the connection: it does so at once, if it runs.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub(super) struct JunkSource {
    pause: Duration,
    _task: AbortOnDropHandle<()>,
}

impl JunkSource {
    /// Connects to `victim` once in each `pause`, or each time that the connection is closed.
    pub(super) fn new(victim: Addr, pause: Duration, chance: Chance) -> Self {
        Self { pause, _task: AbortOnDropHandle::new(tokio::spawn(inject_junk(victim, pause, chance))) }
    }

    pub(super) const fn pause(&self) -> Duration {
        self.pause
    }
}

async fn inject_junk(victim: Addr, pause: Duration, chance: Chance) {
    let mut turns = interval(pause);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in 0.. {
        turns.tick().await;
        // A victim that is gone, or does not answer, is tried again.
        let _ = timeout(PATIENCE, send(victim, &junk(chance.of(turn)))).await;
    }
}

async fn send(victim: Addr, junk: &[u8]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(victim.socket()).await?;
    stream.write_all(junk).await?;
    let mut answer = [0; 1_024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}
