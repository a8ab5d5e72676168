//! A request's body on its way out, with a mark at each step, so that a
//! connection on which nothing moves is noticed.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::bandwidth::{Bandwidth, next_sign};

/// Bytes that are handed to the connection at once: few enough that a slow
/// network which many uploads share still moves each of them now and then.
const STEP: usize = 64 << 10;

/// Bytes of an answer that must come within the stall limit: over the slowest
/// of networks many downloads at once have that.
const LEAST_RECEIVED: u64 = 4 << 10;

/// When something last moved on a request's connection.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    start: Instant,
    /// Milliseconds after the start.
    last: Arc<AtomicU64>,
    /// Bytes that came since then.
    since: Arc<AtomicU64>,
}

impl Progress {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), last: Arc::default(), since: Arc::default() }
    }

    /// Something moved.
    pub(crate) fn mark(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    /// So many bytes of an answer came. A few of them are no movement: else a
    /// service could keep a request busy for ever, byte by byte.
    pub(crate) fn received(&self, bytes: u64) {
        if self.since.fetch_add(bytes, Ordering::Relaxed) + bytes >= LEAST_RECEIVED {
            self.mark();
        }
    }

    /// Waits until nothing has moved for this long.
    pub(crate) async fn stalled(&self, limit: Duration) {
        loop {
            let last = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed));
            if last.elapsed() >= limit {
                return;
            }
            tokio::time::sleep_until(last + limit).await;
        }
    }
}

/// A body that is all in memory.
#[derive(Debug)]
pub(crate) struct Outgoing {
    rest: Bytes,
    progress: Progress,
    bandwidth: Option<Bandwidth>,
    /// The next step, which waits for its turn.
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    step: usize,
    turn: Instant,
    /// Ends at its turn, or before, to show that it is not stuck.
    sleep: Pin<Box<Sleep>>,
}

impl Outgoing {
    /// A body of these bytes.
    pub(crate) fn new(bytes: Bytes, progress: Progress, bandwidth: Option<Bandwidth>) -> Self {
        Self { rest: bytes, progress, bandwidth, waiting: None }
    }

    /// How many bytes go out next, once they may.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let Some(bandwidth) = &self.bandwidth else { return Poll::Ready(self.rest.len().min(STEP)) };
        let waiting = self.waiting.get_or_insert_with(|| {
            let step = bandwidth.step(self.rest.len());
            let turn = bandwidth.reserve(step as u64);
            Waiting { step, turn, sleep: Box::pin(sleep_until(next_sign(turn))) }
        });
        while Instant::now() < waiting.turn {
            ready!(waiting.sleep.as_mut().poll(context));
            self.progress.mark();
            waiting.sleep.as_mut().reset(next_sign(waiting.turn));
        }
        let step = waiting.step;
        self.waiting = None;
        Poll::Ready(step)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.mark();
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let step = ready!(self.poll_step(context));
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(step)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_mins(1);

    /// Whether a request stalls that gets so many bytes a second, for an hour.
    async fn stalls(bytes: u64) -> bool {
        let progress = Progress::new();
        let trickle = async {
            for _ in 0..3600 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                progress.received(bytes);
            }
        };
        tokio::select! {
            () = progress.stalled(LIMIT) => true,
            () = trickle => false,
        }
    }

    // The clock stands still but for what is waited for: an hour passes at once.
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_trickles_stalls() {
        for (bytes, expected) in [(0, true), (1, true), (10, true), (100, false), (1 << 20, false)] {
            assert_eq!(stalls(bytes).await, expected, "{bytes} bytes a second");
        }
    }
}
