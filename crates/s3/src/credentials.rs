//! Credentials from where AWS's own tools have them, fetched anew in time.

#[cfg(feature = "google")]
mod google;
#[cfg(not(feature = "google"))]
#[path = "credentials/no_google.rs"]
mod google;
mod origin;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::config::Config;
use crate::error::{ConfigError, with_causes};

pub(crate) use google::GoogleTokens;
pub use origin::CredentialsOrigin;
use origin::Giver;

/// How long before they expire credentials are fetched anew, so that none
/// expires on its way.
const MARGIN: Duration = Duration::from_mins(5);

/// How long to wait after new ones could not be had, while the old ones last.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the first credentials may take: a `credential_process` may ask a
/// person for a code.
const FIRST_LIMIT: Duration = Duration::from_mins(5);

/// How long new ones may take while requests wait for them, with all attempts.
const RENEWAL_LIMIT: Duration = Duration::from_mins(1);

/// How often whatever gives new ones is asked, where it fails for a reason that may pass.
const RENEWAL_ATTEMPTS: u32 = 5;

/// The pause after the first of these attempts; each further one is twice as long.
const RENEWAL_PAUSE: Duration = Duration::from_millis(500);

/// How long the metadata service of a cloud machine may take in all: it answers
/// in milliseconds, or isn't there.
const METADATA_LIMIT: Duration = Duration::from_millis(1500);

/// Credentials that are fetched anew before they expire.
pub(crate) struct CachedCredentials {
    provider: SharedCredentialsProvider,
    giver: Giver,
    current: Mutex<Current>,
    /// Held by the request that fetches new ones.
    turn: tokio::sync::Mutex<()>,
    /// When new ones could last not be had, and why.
    failed: Mutex<Option<(Instant, FetchError)>>,
    renewal_limit: Duration,
    renewal_attempts: u32,
}

/// The credentials in use.
#[derive(Clone)]
struct Current {
    credentials: Arc<Credentials>,
    fetched: Instant,
    /// When to fetch new ones; `None` for credentials that never expire.
    renewal: Option<SystemTime>,
}

impl Current {
    fn new(credentials: Credentials) -> Self {
        let renewal = credentials.expiry().map(|expiry| expiry.checked_sub(MARGIN).unwrap_or(expiry));
        Self { credentials: Arc::new(credentials), fetched: Instant::now(), renewal }
    }

    fn is_due(&self, now: SystemTime) -> bool {
        self.renewal.is_some_and(|renewal| now >= renewal)
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.credentials.expiry().is_some_and(|expiry| now >= expiry)
    }
}

/// Why credentials could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// What gives them didn't answer.
    #[error(
        "credentials were waited for in vain for {} s: what gives them (a credential_process, a sign-on, a metadata \
         service) did not answer",
        .0.as_secs()
    )]
    TooLate(Duration),
    /// There are none.
    #[error("{}", in_one_line(&with_causes(.0.as_ref())))]
    Refused(Arc<CredentialsError>),
    /// Google gives none.
    #[error("{}", in_one_line(.0))]
    #[cfg(feature = "google")]
    Google(String),
}

impl From<CredentialsError> for FetchError {
    fn from(error: CredentialsError) -> Self {
        Self::Refused(Arc::new(error))
    }
}

impl CachedCredentials {
    /// Fetches the first ones.
    pub(crate) async fn of(config: &Config, region: &str) -> Result<Self, ConfigError> {
        if let Some(key) = &config.access_key {
            let fixed = Credentials::new(&key.id, &key.secret, key.session_token.clone(), None, "configuration");
            let giver = Giver::default().is("the configuration");
            return Ok(Self::holding(fixed.clone(), SharedCredentialsProvider::new(fixed), giver));
        }
        let region = Region::new(region.to_owned());
        let giver = Giver::default().is(config.profile.as_deref().map_or_else(String::new, the_profile));
        let provider = match &config.profile {
            Some(profile) => of_profile(profile, region),
            None => of_chain(region, &giver),
        };
        let first = first(&provider, FIRST_LIMIT).await.map_err(|reason| {
            let said = reason.to_string();
            match (reason, config.profile.clone()) {
                (FetchError::TooLate(_), None) => ConfigError::SlowCredentials(said),
                (FetchError::TooLate(_), Some(profile)) => {
                    ConfigError::SlowCredentials(format!("profile {profile}: {said}"))
                }
                (_, None) => ConfigError::NoCredentials(said),
                (_, Some(profile)) => ConfigError::ProfileWithoutCredentials { profile, reason: said },
            }
        })?;
        let renewal_attempts = config.max_attempts.clamp(1, RENEWAL_ATTEMPTS);
        Ok(Self { renewal_attempts, ..Self::holding(first, provider, giver) })
    }

    fn holding(first: Credentials, provider: SharedCredentialsProvider, giver: Giver) -> Self {
        let current = Mutex::new(Current::new(first));
        Self {
            provider,
            giver,
            current,
            turn: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
            renewal_limit: RENEWAL_LIMIT,
            renewal_attempts: RENEWAL_ATTEMPTS,
        }
    }

    /// Where those in use come from.
    pub(crate) fn origin(&self) -> CredentialsOrigin {
        CredentialsOrigin::of(&self.held().credentials, &self.giver.name())
    }

    /// The id of the key in use.
    pub(crate) fn access_key_id(&self) -> String {
        self.held().credentials.access_key_id().to_owned()
    }

    /// Credentials that count now. Where new ones can't be had, the old ones
    /// are used as long as they last; as long, only one request waits for the
    /// new ones.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Arc<Credentials>, FetchError> {
        let held = self.held();
        if !held.is_due(now) || (!held.is_over(now) && self.turn.try_lock().is_err()) {
            return Ok(held.credentials);
        }
        match self.renew(|held| held.is_due(now)).await {
            Err(reason) if !held.is_over(now) => {
                tracing::warn!("new credentials could not be fetched yet: {reason}");
                self.postpone(&held, now + PAUSE);
                Ok(held.credentials)
            }
            renewed => renewed,
        }
    }

    /// Fetches new ones after the service has refused a request that was sent
    /// then, unless another request has had them replaced since.
    pub(crate) async fn replace(&self, sent: Instant) -> Result<(), FetchError> {
        self.renew(|held| held.fetched < sent).await.map(drop)
    }

    /// Fetches new ones, unless another request has done so by the time it is
    /// our turn, or has failed to meanwhile. The limit is for the turn too: a
    /// provider that is stuck would else stop one request after the other for the whole of it.
    async fn renew(&self, is_stale: impl Fn(&Current) -> bool) -> Result<Arc<Credentials>, FetchError> {
        let asked = Instant::now();
        within(self.renewal_limit, async {
            let _turn = self.turn.lock().await;
            let held = self.held();
            if !is_stale(&held) {
                return Ok(held.credentials);
            }
            if let Some((when, error)) = self.failed().clone()
                && when > asked
            {
                return Err(error);
            }
            match self.ask_for_others().await {
                Ok(fresh) => {
                    let fresh = Current::new(fresh);
                    self.hold(fresh.clone());
                    Ok(fresh.credentials)
                }
                Err(error) => {
                    *self.failed() = Some((Instant::now(), error.clone()));
                    Err(error)
                }
            }
        })
        .await
    }

    /// Asks for new ones, and again where that fails for a reason that may pass.
    async fn ask_for_others(&self) -> Result<Credentials, FetchError> {
        let mut pause = RENEWAL_PAUSE;
        for _ in 1..self.renewal_attempts {
            match self.provider.provide_credentials().await {
                Err(error) if may_pass(&error) => {
                    tracing::debug!("asking for new credentials again: {}", in_one_line(&with_causes(&error)));
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                provided => return Ok(provided?),
            }
        }
        Ok(self.provider.provide_credentials().await?)
    }

    fn failed(&self) -> MutexGuard<'_, Option<(Instant, FetchError)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, current: Current) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    /// Fetches no others in place of these before then.
    fn postpone(&self, these: &Current, renewal: SystemTime) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.fetched == these.fetched {
            current.renewal = Some(renewal);
        }
    }
}

/// Those of a profile that was named, and no others: whoever names one would
/// else work on the account of whatever the environment holds.
fn of_profile(profile: &str, region: Region) -> SharedCredentialsProvider {
    let around = ProviderConfig::default().with_region(Some(region));
    let provider = ProfileFileCredentialsProvider::builder().configure(&around).profile_name(profile).build();
    SharedCredentialsProvider::new(provider)
}

fn the_profile(name: &str) -> String {
    format!("the profile {name}")
}

/// The first that there are: the environment, the profile, web identity, the
/// container's, the machine's: aws-config's own chain, but for what may hang.
fn of_chain(region: Region, giver: &Giver) -> SharedCredentialsProvider {
    let around = ProviderConfig::default().with_region(Some(region));
    // A proxy can't reach a metadata service, and must not: it would get the
    // credentials of its own machine. aws-config's own client obeys the environment.
    let straight = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    let near = around.clone().with_http_client(straight);
    let imds = imds::Client::builder().configure(&near).max_attempts(1).build();
    let machine = ImdsCredentialsProvider::builder().configure(&near).imds_client(imds).build();
    let container = EcsCredentialsProvider::builder().configure(&near).build();
    let container = giver.noting("the container's metadata service", container);
    let machine = giver.noting("the machine's metadata service (IMDS)", machine);
    let metadata = CredentialsProviderChain::first_try("container", container).or_else("machine", machine);
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(&around).build();
    let environment = EnvironmentVariableCredentialsProvider::new();
    let named = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let profile = ProfileFileCredentialsProvider::builder().configure(&around).build();
    let profile = giver.noting(the_profile(named.as_deref().unwrap_or("default")), profile);
    let chain = CredentialsProviderChain::first_try("environment", giver.noting("AWS_ACCESS_KEY_ID", environment))
        .or_else("profile", profile)
        .or_else("web identity", giver.noting("AWS_WEB_IDENTITY_TOKEN_FILE", web_identity))
        .or_else("metadata", Impatient(metadata));
    SharedCredentialsProvider::new(chain)
}

/// Metadata services, which aren't waited for where there are none: addresses
/// that lead nowhere are silent, and each step has a time limit of its own.
#[derive(Debug)]
struct Impatient<P>(P);

impl<P: ProvideCredentials> ProvideCredentials for Impatient<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let provided = tokio::time::timeout(METADATA_LIMIT, self.0.provide_credentials()).await;
            provided.unwrap_or_else(|_| {
                let reason = format!("no metadata service answered within {} ms", METADATA_LIMIT.as_millis());
                Err(CredentialsError::not_loaded(reason))
            })
        })
    }
}

/// Whether it may give some when it is asked again; not where there are none to be had, or nothing says how.
fn may_pass(error: &CredentialsError) -> bool {
    !matches!(error, CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_))
}

/// A list of reasons, as the chain gives it, in one line.
fn in_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ").replace(":; ", ": ")
}

async fn first(provider: &SharedCredentialsProvider, limit: Duration) -> Result<Credentials, FetchError> {
    within(limit, async { Ok(provider.provide_credentials().await?) }).await
}

async fn within<T>(limit: Duration, fetched: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
    tokio::time::timeout(limit, fetched).await.unwrap_or(Err(FetchError::TooLate(limit)))
}

#[cfg(test)]
mod tests;
