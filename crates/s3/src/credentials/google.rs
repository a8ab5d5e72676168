//! Tokens of Google's application default credentials
//! (<https://cloud.google.com/docs/authentication/application-default-credentials>),
//! through Google's own crate: it finds a service account, a user, the metadata
//! service of a machine or an external account, and fetches others before they end.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use google_cloud_auth::credentials::{Builder, CacheableResource, Credentials};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap};

use super::{CredentialsOrigin, FIRST_LIMIT, FetchError, RENEWAL_ATTEMPTS, RENEWAL_LIMIT, RENEWAL_PAUSE, within};
use crate::connect::check_system_certificates;
use crate::error::{ConfigError, with_causes};

/// How long the metadata service of a machine may take at first: it answers in
/// milliseconds, but where a machine has just begun, or isn't there.
const METADATA_LIMIT: Duration = Duration::from_secs(5);

/// What names a file of credentials.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Tokens that are fetched anew before they end.
pub(crate) struct GoogleTokens {
    held: Mutex<Held>,
    /// Held by the request that has others fetched.
    turn: tokio::sync::Mutex<()>,
    source: String,
}

/// What gives tokens.
#[derive(Clone)]
struct Held {
    giver: Credentials,
    made: Instant,
}

impl Held {
    fn new() -> Result<Self, String> {
        let made = Instant::now();
        let giver = Builder::default().build().map_err(|error| with_causes(&error))?;
        Ok(Self { giver, made })
    }

    /// What goes with a request.
    async fn headers(&self) -> Result<HeaderMap, CredentialsError> {
        match self.giver.headers(Extensions::new()).await? {
            CacheableResource::New { data, .. } => Ok(data),
            // It was not said that any are known.
            CacheableResource::NotModified => Ok(HeaderMap::new()),
        }
    }
}

impl GoogleTokens {
    /// Finds the credentials, and fetches the first token.
    pub(crate) async fn find() -> Result<Self, ConfigError> {
        check_system_certificates()?;
        // Without it the crate has nothing to encrypt with; another one that was there before is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (source, limit) = match file() {
            Some(source) => (source, FIRST_LIMIT),
            None => ("the metadata service of the machine".to_owned(), METADATA_LIMIT),
        };
        let missing = |reason: String| ConfigError::NoGoogleCredentials(format!("{source}: {reason}"));
        let held = Held::new().map_err(missing)?;
        let first = within(limit, async { Ok(held.headers().await) }).await;
        let first = first.map_err(|late| missing(late.to_string()))?;
        first.map_err(|error| missing(FetchError::from(error).to_string()))?;
        Ok(Self { held: Mutex::new(held), turn: tokio::sync::Mutex::default(), source })
    }

    /// Where they come from.
    pub(crate) fn origin(&self) -> CredentialsOrigin {
        CredentialsOrigin { source: self.source.clone(), access_key_id: None, expires: None }
    }

    /// What goes with a request now: a token that counts, and the project that pays where
    /// the credentials say one.
    pub(crate) async fn headers(&self) -> Result<HeaderMap, FetchError> {
        let held = self.held();
        within(RENEWAL_LIMIT, persist(&held)).await
    }

    /// Has others fetched after the service has refused a request that was sent then,
    /// unless another request has done so since.
    pub(crate) async fn replace(&self, sent: Instant) -> Result<(), FetchError> {
        within(RENEWAL_LIMIT, async {
            let _turn = self.turn.lock().await;
            if self.held().made >= sent {
                return Ok(());
            }
            let fresh = Held::new().map_err(FetchError::Google)?;
            persist(&fresh).await?;
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
            Ok(())
        })
        .await
    }

    fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Asks again where it fails for a reason that may pass.
async fn persist(held: &Held) -> Result<HeaderMap, FetchError> {
    let mut pause = RENEWAL_PAUSE;
    for _ in 1..RENEWAL_ATTEMPTS {
        match held.headers().await {
            Err(error) if error.is_transient() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answered => return Ok(answered?),
        }
    }
    Ok(held.headers().await?)
}

impl From<CredentialsError> for FetchError {
    fn from(error: CredentialsError) -> Self {
        Self::Google(with_causes(&error))
    }
}

/// The file that the credentials are in, if there is one, for people: where Google's crate looks for it too.
fn file() -> Option<String> {
    if std::env::var_os(VARIABLE).is_some() {
        return Some(VARIABLE.to_owned());
    }
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let path = home.join(".config/gcloud/application_default_credentials.json");
    path.exists().then(|| path.display().to_string())
}
