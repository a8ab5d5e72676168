//! The gate inside `s3s`, between a request's signature and its operation: who
//! may come in, what the request is, and which fault befalls it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode, header};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3Result, s3_error};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::conditions::Unconditional;
use crate::config::Credentials;
use crate::errors;
use crate::faults::{Action, Faults};
use crate::google;
use crate::operations::restore_object::RestoresTakeLong;
use crate::request_log::Entry;
use crate::terms::Terms;

/// What the layer before `s3s` and the gate tell each other of one request. It
/// travels in the request's extensions.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) entry: Arc<Entry>,
    fault: OnceLock<Action>,
    /// What is wrong with the body, if that is known beforehand. Answered at the
    /// gate, when the signature has been found right.
    refusal: Mutex<Option<S3Error>>,
    /// What is asked in Google's names, where it came to that port: it was looked at there who it is.
    asked_of_google: Option<Arc<google::Asked>>,
}

impl Exchange {
    pub(crate) fn new(
        entry: Arc<Entry>,
        refusal: Option<S3Error>,
        asked_of_google: Option<Arc<google::Asked>>,
    ) -> Self {
        Self { entry, fault: OnceLock::new(), refusal: Mutex::new(refusal), asked_of_google }
    }

    /// What is asked in Google's names, if it came to that port.
    pub(crate) fn asked_of_google(&self) -> Option<&google::Asked> {
        self.asked_of_google.as_deref()
    }

    /// The fault that struck the request, if any.
    pub(crate) fn fault(&self) -> Option<&Action> {
        self.fault.get()
    }
}

/// The one account.
pub(crate) struct Account(pub(crate) Credentials);

#[async_trait]
impl S3Auth for Account {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key {
            Ok(SecretKey::from(self.0.secret_key.as_str()))
        } else {
            Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
        }
    }
}

/// Who and what passes.
pub(crate) struct Gate {
    pub(crate) anonymous: bool,
    pub(crate) terms: Arc<Terms>,
    pub(crate) faults: Arc<Faults>,
    /// Ends what is stalled.
    pub(crate) stop: CancellationToken,
}

#[async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        let path = context.s3_path();
        let bucket = path.get_bucket_name().map(str::to_owned);
        let key = path.get_object_key().map(str::to_owned);
        let exchange = context.extensions_mut().get::<Arc<Exchange>>().cloned();
        let exchange = exchange.ok_or_else(|| s3_error!(InternalError, "The request came past its layer."))?;
        // From before the log has the request: who saw it there may release it.
        let releases = self.faults.releases();
        exchange.entry.identify(&operation, bucket.as_deref(), key.as_deref());
        let is_known = context.credentials().is_some() || exchange.asked_of_google.is_some();
        if !is_known && !self.anonymous {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        self.terms.check(context.uri(), context.headers())?;
        if let Some(refusal) = exchange.refusal.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(refusal);
        }
        context.extensions_mut().insert(Arc::clone(&self.faults));
        if self.terms.ignores_conditions() {
            context.extensions_mut().insert(Unconditional);
        }
        if self.terms.restores_take_long() {
            context.extensions_mut().insert(RestoresTakeLong);
        }
        let query = context.uri().query().unwrap_or_default();
        let struck = self.faults.strike(&operation, key.as_deref(), query, context.headers());
        let Some(action) = struck else { return Ok(()) };
        // Nobody else sets it: a request passes the gate once.
        let action = exchange.fault.get_or_init(|| action);
        self.befall(action, releases).await
    }
}

impl Gate {
    /// The part of a fault that comes before the operation.
    async fn befall(&self, action: &Action, mut releases: watch::Receiver<u64>) -> S3Result<()> {
        match action {
            Action::Status { status, code, retry_after } => Err(refusal(*status, code, *retry_after)),
            // The error is never sent: the layer closes the connection instead.
            Action::Reset => Err(s3_error!(InternalError)),
            Action::Stall => {
                self.stop.cancelled().await;
                Err(s3_error!(InternalError))
            }
            Action::Hold => {
                tokio::select! {
                    // It fails only where there are no rules any more at all.
                    _ = releases.changed() => Ok(()),
                    () = self.stop.cancelled() => Err(s3_error!(InternalError)),
                }
            }
            Action::Delay(duration) => {
                tokio::time::sleep(*duration).await;
                Ok(())
            }
            Action::TruncatedBody | Action::FlippedByte | Action::WrongDigests | Action::ApplyThenReset => Ok(()),
        }
    }
}

fn refusal(status: u16, code: &str, retry_after: Option<u64>) -> S3Error {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut error = errors::error(status, code, "A fault on order.");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn gate() -> Gate {
        Gate { anonymous: true, terms: Arc::default(), faults: Arc::default(), stop: CancellationToken::new() }
    }

    async fn befall(gate: &Gate, action: &Action) -> S3Result<()> {
        gate.befall(action, gate.faults.releases()).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_goes_on_when_the_rules_are_cleared() {
        let gate = gate();
        let mut held = std::pin::pin!(befall(&gate, &Action::Hold));
        assert!(timeout(HOUR, &mut held).await.is_err());
        gate.faults.clear();
        assert!(held.await.is_ok());
    }

    // The clock stands still but for what is waited for: hours pass at once, and nothing else does.
    #[tokio::test(start_paused = true)]
    async fn a_delay_lasts_as_long_as_it_says() {
        let start = Instant::now();
        assert!(befall(&gate(), &Action::Delay(HOUR)).await.is_ok());
        assert!(start.elapsed() >= HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_ends_with_the_server_and_not_before() {
        let gate = gate();
        let mut stalled = std::pin::pin!(befall(&gate, &Action::Stall));
        assert!(timeout(HOUR, &mut stalled).await.is_err());
        gate.stop.cancel();
        assert!(stalled.await.is_err());
    }
}
