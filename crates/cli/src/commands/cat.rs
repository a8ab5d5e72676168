//! `brigade cat`: an object's content, to standard output.

use std::sync::{Arc, Mutex};

use brigade_engine::reading::read_through;
use brigade_store::{Entry, Failure, FailureKind, Role, Store, Symlinks, Verified, open};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::arguments;
use crate::exit::Exit;
use crate::output::{self, Streams, To};
use crate::resolve::cat::{Asked, resolve};
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Cat, mut streams: Streams, stop: &Stop) -> Exit {
    let asked = match resolve(arguments) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let shown = tokio::select! {
        // Whoever reads may have stopped: nothing more is written, not even what waits.
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        shown = show(&asked, &streams) => shown,
    };
    let mut streams = output::lock(&streams);
    let exit = match shown {
        Ok(()) => Exit::InStep,
        Err(reason) => {
            output::error(&mut streams, &format!("{}: {reason}", asked.bucket));
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut streams, exit)
}

async fn show(asked: &Asked, streams: &Arc<Mutex<Streams>>) -> Result<(), String> {
    // Nothing is begun that would have to be cleaned up: whoever stops this drops it.
    let never = CancellationToken::new();
    let role = Role::Source { symlinks: Symlinks::Skip };
    let store = open(&asked.bucket, role, &asked.s3, &never).await.map_err(|error| error.to_string())?;
    let entry = find(store.as_ref(), asked).await.map_err(|failure| failure.reason)?;
    let part = match asked.range.map(|range| range.of(entry.size)) {
        Some(None) => return Err(format!("it has {} bytes, and none of those that were asked for", entry.size)),
        part => part.flatten(),
    };
    let is_part = part.is_some();
    let mut unwritten = None;
    let take = async |bytes| {
        let written = write(streams, bytes).await;
        written.unwrap_or_else(|reason| {
            unwritten = Some(reason);
            false
        })
    };
    let verified = read_through(store.as_ref(), &entry, part, take).await;
    if let Some(reason) = unwritten {
        return Err(reason);
    }
    match verified {
        // Where no more could be written, not all was read.
        Ok(Verified::Unverifiable) if !is_part && output::lock(streams).takes_more() => {
            tracing::warn!("the service has stored nothing that the content could be checked against");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(Failure { kind: FailureKind::Archived, reason }) => {
            Err(format!("{reason}; brigade restore --request-restore DAYS asks for it"))
        }
        Err(failure) => Err(failure.reason),
    }
}

/// The version that was asked for.
async fn find(store: &dyn Store, asked: &Asked) -> Result<Entry, Failure> {
    let found = match &asked.version {
        Some(version) => store.look_at_version(&asked.key, version).await?,
        None => store.look(&asked.key).await?,
    };
    found.ok_or_else(|| Failure::new(FailureKind::Absent, "there is no such object"))
}

/// Writes where waiting for whoever reads holds nothing up; whether more is wanted, or why that is not known.
async fn write(streams: &Arc<Mutex<Streams>>, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<bool, String> {
    let streams = Arc::clone(streams);
    let writing = spawn_blocking(move || {
        let mut streams = output::lock(&streams);
        streams.bytes(To::Out, bytes.as_ref());
        streams.takes_more()
    });
    writing.await.map_err(|error| format!("writing it ended abnormally: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Write};

    use super::*;

    /// A writer to which this happens.
    struct Writer(fn() -> io::Result<usize>);

    impl Write for Writer {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            (self.0)()
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn that_nobody_reads_any_more_is_no_failure_and_a_panic_is() {
        let written = |how| async move {
            let streams = Arc::new(Mutex::new(Streams::to_writers(Writer(how), io::sink())));
            write(&streams, b"content").await
        };
        assert_eq!(written(|| Ok(7)).await, Ok(true));
        assert_eq!(written(|| Err(ErrorKind::BrokenPipe.into())).await, Ok(false));
        assert!(written(|| panic!("a defect")).await.unwrap_err().contains("ended abnormally"));
    }
}
