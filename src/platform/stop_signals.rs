//! Requests to end on systems without signals.

use std::io;

#[cfg(windows)]
use tokio::signal::windows;

use super::StopSignal;

/// Requests to end this process, from the creation of this value on.
#[cfg(windows)]
#[derive(Debug)]
pub struct StopSignals {
    interrupt: windows::CtrlC,
    terminate: windows::CtrlBreak,
    close: windows::CtrlClose,
    log_off: windows::CtrlLogoff,
    shut_down: windows::CtrlShutdown,
}

#[cfg(windows)]
impl StopSignals {
    /// Takes the requests over from the system, which would end the process. After a closed window,
    /// a logoff or a shutdown it still does so after some seconds.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: windows::ctrl_c()?,
            terminate: windows::ctrl_break()?,
            close: windows::ctrl_close()?,
            log_off: windows::ctrl_logoff()?,
            shut_down: windows::ctrl_shutdown()?,
        })
    }

    /// The next request by which a user insists, while the program is leaving already. Cancel safe.
    pub async fn insisted(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }

    /// The next request. Cancel safe.
    pub async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.close.recv() => StopSignal::HangUp,
            _ = self.log_off.recv() => StopSignal::HangUp,
            _ = self.shut_down.recv() => StopSignal::HangUp,
        }
    }
}

/// Requests to end this process: Ctrl-C alone.
#[cfg(not(windows))]
#[derive(Debug)]
pub struct StopSignals(());

#[cfg(not(windows))]
impl StopSignals {
    /// The system ends the process until somebody waits for a request.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(()))
    }

    /// The next request by which a user insists, while the program is leaving already. Cancel safe.
    pub async fn insisted(&mut self) -> StopSignal {
        self.next().await
    }

    /// The next request. Cancel safe: one that comes while nobody waits is forgotten.
    pub async fn next(&mut self) -> StopSignal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => StopSignal::Interrupt,
            // If the system cannot tell, it ends the process.
            Err(_) => std::future::pending().await,
        }
    }
}
