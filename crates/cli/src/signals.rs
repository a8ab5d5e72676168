//! SIGINT and SIGTERM: the first one asks the run to stop, the second one
//! ends the process at once.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// 128 and the signal's number, as shells report it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Whether somebody asked the program to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// Cancelled by the first signal.
    pub(crate) token: CancellationToken,
    received: Arc<OnceLock<Signal>>,
}

impl Stop {
    /// Listens for signals from now on.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stopping = stop.clone();
        tokio::spawn(async move {
            loop {
                let received = tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                };
                if stopping.received.set(received).is_err() {
                    std::process::exit(received.exit_code().into());
                }
                stopping.token.cancel();
            }
        });
        Ok(stop)
    }

    /// The signal that asked first; Ctrl-C if the token was cancelled otherwise.
    pub(crate) fn signal(&self) -> Signal {
        self.received.get().copied().unwrap_or(Signal::Interrupt)
    }
}
