//! SIGINT and SIGTERM: the first one asks the run to stop, the second one
//! ends the process at once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, process, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::timeout;
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

/// How long after the first signal the process ends, whatever it is stuck in.
const LAST_RESORT: Duration = Duration::from_secs(15);

impl Stop {
    /// Listens for signals from now on, on a thread of its own: it answers even
    /// when all others are stuck, as they are when nobody reads what they write.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _entered = runtime.enter();
            Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? }
        };
        let stopping = stop.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(stopping.obey(signals)))?;
        Ok(stop)
    }

    async fn obey(self, mut signals: Signals) {
        let first = signals.next().await;
        // Nobody else sets it.
        let _ = self.received.set(first);
        self.token.cancel();
        let last = timeout(LAST_RESORT, signals.next()).await.unwrap_or(first);
        process::exit(last.exit_code().into());
    }

    /// The signal that asked first; Ctrl-C if the token was cancelled otherwise.
    pub(crate) fn signal(&self) -> Signal {
        self.received.get().copied().unwrap_or(Signal::Interrupt)
    }
}

/// The signals that are listened for.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}
