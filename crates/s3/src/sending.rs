//! A request is sent until it succeeds, or until trying further is no use.

use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::future::BoxFuture;

use crate::client::{Client, Rejection};
use crate::connect::Connections;
use crate::error::{Error, ErrorKind, printable};
use crate::failure::Failure;
use crate::request::{Request, Response};
use crate::retry::{Course, Next};

/// After so many attempts that failed, whoever waits for more is told.
const TOLD_AFTER: u32 = 10;

/// What comes before a request each time that it is sent, and may forbid it.
pub(crate) type Look<'a> = dyn Fn() -> BoxFuture<'a, Result<(), Error>> + Sync + 'a;

impl Client {
    /// Sends a request until it succeeds and `read` takes the answer, until
    /// trying further is no use, or until nobody waits for it any more.
    pub(crate) async fn send_for<T>(
        &self,
        request: &Request<'_>,
        read: impl Fn(&Response) -> Result<T, Rejection>,
    ) -> Result<T, Error> {
        self.send_after(None, request, read).await
    }

    /// The same, with a look before each attempt: what was so before the first one need not be so before the next.
    pub(crate) async fn send_after<T>(
        &self,
        look: Option<&Look<'_>>,
        request: &Request<'_>,
        read: impl Fn(&Response) -> Result<T, Rejection>,
    ) -> Result<T, Error> {
        let abandoned = async {
            self.0.config.abandon.cancelled().await;
            tokio::time::sleep(request.operation.time_after_abandoning()).await;
        };
        tokio::select! {
            // In this order, so that nothing is sent that nobody waits for.
            biased;
            () = abandoned => {
                let message = "given up unanswered, because the program was asked to stop";
                let error = Error::local(ErrorKind::Abandoned, request.operation, message);
                Err(error.about(request.bucket, request.key))
            }
            answered = self.persist(look, request, read) => answered,
        }
    }

    /// Sends a request as often as it takes.
    async fn persist<T>(
        &self,
        look: Option<&Look<'_>>,
        request: &Request<'_>,
        read: impl Fn(&Response) -> Result<T, Rejection>,
    ) -> Result<T, Error> {
        let inner = &self.0;
        let mut course = Course::new(inner.config.max_attempts, inner.config.retry_pause);
        loop {
            let is_retry = course.begin();
            inner.pace.turn(request.key).await;
            // What it finds may be what an attempt has written whose answer was lost.
            if let Some(look) = look {
                look().await.map_err(|refused| refused.after_lost_reply(course.lost_reply))?;
            }
            inner.counters.sending(request.operation, is_retry);
            let sent = Instant::now();
            let attempt = inner.attempt(request, self.1).await;
            let attempt = attempt.map(|response| Response { after_lost_reply: course.lost_reply, ..response });
            trace(request, course.attempts, sent, &attempt);
            let mut failure = match attempt.and_then(|response| read(&response).map_err(Failure::rejected)) {
                Ok(value) => {
                    inner.budget.earn();
                    inner.pace.taken(request.key);
                    inner.accepted.store(true, Ordering::Relaxed);
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            match failure.kind {
                ErrorKind::Throttled => inner.pace.refused(request.key),
                // Whatever else it objected to, it has worked at it.
                _ if failure.refusal.is_some() => inner.pace.taken(request.key),
                _ => {}
            }
            let reached = inner.reached.load(Ordering::Relaxed);
            let next = match course.next(request.operation, &failure, &inner.budget, reached) {
                Next::Again(_) if self.1 == Connections::New && failure.is_without_connection() => Next::GiveUp,
                next => next,
            };
            match next {
                Next::Mend(remedy) if inner.mend(remedy, request, &mut failure, sent).await => {}
                Next::Mend(_) | Next::GiveUp => {
                    let error = failure.into_error(request, course.lost_reply);
                    return Err(error.unsigned(inner.identity.is_nobody()));
                }
                Next::Again(pause) => {
                    if course.attempts == TOLD_AFTER {
                        tracing::warn!(
                            "{} has failed {TOLD_AFTER} times, and is tried on: {}",
                            request.operation.name(),
                            printable(&failure.message)
                        );
                    }
                    tracing::debug!(
                        operation = request.operation.name(),
                        ?pause,
                        "retrying: {}",
                        printable(&failure.message)
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Tells of an attempt: what was asked, and what came back; never what was
/// signed, or with what.
fn trace(request: &Request<'_>, attempt: u32, sent: Instant, answer: &Result<Response, Failure>) {
    let status = match answer {
        Ok(response) => Some(response.status),
        Err(failure) => failure.refusal.as_ref().map(|refusal| refusal.status),
    };
    tracing::trace!(
        bucket = request.bucket.map(printable),
        key = request.key.map(printable),
        attempt,
        milliseconds = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX),
        "{}: {}",
        request.operation.name(),
        status.map_or_else(|| "no answer".to_owned(), |status| status.as_u16().to_string())
    );
}
