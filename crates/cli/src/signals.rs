//! SIGINT and SIGTERM: the first one asks the run to stop, and begins its last
//! two seconds; the second one ends the process at once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, process, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
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

/// Whether somebody asked the program to stop, and how urgently.
///
/// Two seconds after the first signal the process has ended, whatever a server,
/// a disk or a terminal does: service managers wait longer before they kill
/// (Kubernetes 30 s, systemd 90 s), and so does a person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// Cancelled by the first signal: nothing new begins.
    pub(crate) token: CancellationToken,
    /// Cancelled a second later: what is still in flight fails, and is cleaned up.
    pub(crate) abandon: CancellationToken,
    received: Arc<OnceLock<Signal>>,
}

/// How long what is in flight may take to finish.
const GRACE: Duration = Duration::from_secs(1);

/// How long cleaning up after it may take: aborting uploads, removing temporary files.
pub(crate) const CLEANING_UP: Duration = Duration::from_millis(700);

/// How long saying so may take, and then removing what files are left, before the process ends whatever it is stuck in.
const LAST_WORDS: Duration = Duration::from_millis(100);

impl Stop {
    /// Listens for signals from now on, on a thread of its own: it answers even
    /// when all others are stuck, as they are when nobody reads what they write.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _entered = runtime.enter();
            // Writing beyond the limit on file sizes (ulimit -f) is to fail for that file, not to end the process:
            // a signal that is listened for doesn't.
            drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
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
        let ending = async {
            sleep(GRACE).await;
            self.abandon.cancel();
            sleep(CLEANING_UP + LAST_WORDS).await;
        };
        let last = tokio::select! {
            second = signals.next() => second,
            () = ending => first,
        };
        // On a thread of its own: the disk may be what everything is stuck in.
        let _ = timeout(LAST_WORDS, spawn_blocking(brigade_store::remove_temporary_files)).await;
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
