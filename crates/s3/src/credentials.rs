//! Credentials, region and endpoint from where AWS's own tools have them.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::Mutex;

use crate::address::region_of_url;
use crate::config::Config;
use crate::error::{ConfigError, with_causes};

/// How long before they expire credentials are fetched anew, so that none
/// expires on its way.
const MARGIN: Duration = Duration::from_mins(5);

/// How long to wait after new ones could not be had, while the old ones last.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the metadata service of a cloud machine may take: it answers in
/// milliseconds, or isn't there.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// What the environment and the profile say, where the caller says nothing.
pub(crate) struct Surroundings {
    /// `None`: AWS.
    pub(crate) endpoint_url: Option<String>,
    pub(crate) region: String,
    /// `None`: requests aren't signed.
    pub(crate) credentials: Option<CachedCredentials>,
}

impl Surroundings {
    /// Looks around: files and the environment, and with `sign` whatever
    /// gives the credentials.
    pub(crate) async fn of(config: &Config) -> Result<Self, ConfigError> {
        let given_region = match &config.region {
            Some(region) => Some(region.clone()),
            None => region_around(config.profile.as_deref()).await,
        };
        let shared = load(config, given_region.clone()).await;
        let endpoint_url = config.endpoint_url.clone().or_else(|| endpoint_around(&shared));
        let region = given_region
            .or_else(|| endpoint_url.as_deref().and_then(region_of_url))
            .unwrap_or_else(|| "us-east-1".to_owned());
        let credentials = if config.sign { Some(CachedCredentials::of(config, &region).await?) } else { None };
        Ok(Self { endpoint_url, region, credentials })
    }
}

async fn region_around(profile: Option<&str>) -> Option<String> {
    let mut in_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        in_profile = in_profile.profile_name(profile);
    }
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(in_profile.build());
    chain.region().await.map(|region| region.as_ref().to_owned())
}

/// Without credentials and with a region, so that nothing goes over the network.
async fn load(config: &Config, region: Option<String>) -> SdkConfig {
    let region = Region::new(region.unwrap_or_else(|| "us-east-1".to_owned()));
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region).no_credentials();
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// `AWS_ENDPOINT_URL_S3` before `AWS_ENDPOINT_URL`, each in the environment
/// before the profile
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
fn endpoint_around(shared: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let for_s3 = shared.service_config().zip(key.ok()).and_then(|(services, key)| services.load_config(key));
    for_s3.or_else(|| shared.endpoint_url().map(str::to_owned))
}

/// Credentials that are fetched anew before they expire.
pub(crate) struct CachedCredentials {
    provider: SharedCredentialsProvider,
    current: Mutex<Current>,
}

/// The credentials in use.
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
}

impl CachedCredentials {
    async fn of(config: &Config, region: &str) -> Result<Self, ConfigError> {
        if let Some(key) = &config.access_key {
            let fixed = Credentials::new(&key.id, &key.secret, key.session_token.clone(), None, "configuration");
            return Ok(Self::holding(fixed.clone(), SharedCredentialsProvider::new(fixed)));
        }
        let metadata = imds::Client::builder()
            .max_attempts(1)
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT)
            .operation_timeout(METADATA_TIMEOUT)
            .build();
        let mut chain = DefaultCredentialsChain::builder().region(Region::new(region.to_owned())).imds_client(metadata);
        if let Some(profile) = &config.profile {
            chain = chain.profile_name(profile);
        }
        let provider = SharedCredentialsProvider::new(chain.build().await);
        let first = fetch(&provider).await.map_err(|reason| {
            ConfigError::NoCredentials(match &config.profile {
                Some(profile) => format!("profile {profile}: {reason}"),
                None => reason,
            })
        })?;
        Ok(Self::holding(first, provider))
    }

    fn holding(first: Credentials, provider: SharedCredentialsProvider) -> Self {
        Self { provider, current: Mutex::new(Current::new(first)) }
    }

    /// Credentials that count now. Where new ones can't be had, the old ones
    /// are used as long as they last.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Arc<Credentials>, String> {
        let mut current = self.current.lock().await;
        if current.renewal.is_none_or(|renewal| now < renewal) {
            return Ok(current.credentials.clone());
        }
        match fetch(&self.provider).await {
            Ok(fresh) => *current = Current::new(fresh),
            Err(reason) if current.credentials.expiry().is_some_and(|expiry| now >= expiry) => return Err(reason),
            Err(reason) => {
                tracing::warn!("new credentials could not be fetched yet: {reason}");
                current.renewal = Some(now + PAUSE);
            }
        }
        Ok(current.credentials.clone())
    }

    /// Fetches new ones after the service has refused a request that was sent
    /// then, unless another request has had them replaced since.
    pub(crate) async fn replace(&self, sent: Instant) -> Result<(), String> {
        let mut current = self.current.lock().await;
        if current.fetched < sent {
            *current = Current::new(fetch(&self.provider).await?);
        }
        Ok(())
    }
}

async fn fetch(provider: &SharedCredentialsProvider) -> Result<Credentials, String> {
    provider.provide_credentials().await.map_err(|error| with_causes(&error))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::future;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// Gives credentials that each last an hour longer, and after `good` times none.
    #[derive(Clone, Debug)]
    struct Fleeting {
        given: Arc<AtomicU64>,
        good: u64,
        end: SystemTime,
    }

    impl ProvideCredentials for Fleeting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let given = self.given.fetch_add(1, Ordering::Relaxed) + 1;
            future::ProvideCredentials::ready(if given <= self.good {
                let end = self.end + HOUR * u32::try_from(given).unwrap_or(0);
                Ok(Credentials::new(format!("id{given}"), "secret", None, Some(end), "test"))
            } else {
                Err(CredentialsError::not_loaded("gone"))
            })
        }
    }

    async fn cached(good: u64) -> (CachedCredentials, Arc<AtomicU64>, SystemTime) {
        let start = SystemTime::UNIX_EPOCH;
        let given = Arc::new(AtomicU64::new(0));
        let provider = SharedCredentialsProvider::new(Fleeting { given: given.clone(), good, end: start });
        let first = fetch(&provider).await.unwrap();
        (CachedCredentials::holding(first, provider), given, start)
    }

    async fn id(cached: &CachedCredentials, now: SystemTime) -> Result<String, String> {
        cached.current(now).await.map(|credentials| credentials.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_they_expire() {
        let (cached, given, start) = cached(2).await;
        assert_eq!(id(&cached, start + HOUR - MARGIN - PAUSE).await.as_deref(), Ok("id1"));
        assert_eq!(id(&cached, start + HOUR - MARGIN).await.as_deref(), Ok("id2"));
        assert_eq!(given.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn old_credentials_serve_as_long_as_they_last() {
        let (cached, given, start) = cached(1).await;
        let renewal = start + HOUR - MARGIN;
        assert_eq!(id(&cached, renewal).await.as_deref(), Ok("id1"));
        assert_eq!(id(&cached, renewal + PAUSE / 2).await.as_deref(), Ok("id1"));
        assert_eq!(given.load(Ordering::Relaxed), 2, "it waits before it tries again");
        assert_eq!(id(&cached, renewal + PAUSE).await.as_deref(), Ok("id1"));
        assert!(id(&cached, start + HOUR).await.unwrap_err().contains("gone"));
    }

    #[tokio::test]
    async fn refused_credentials_are_replaced_once_for_all_requests() {
        let before = Instant::now();
        let (cached, given, _) = cached(9).await;
        cached.replace(before).await.unwrap();
        assert_eq!(given.load(Ordering::Relaxed), 1, "they are newer than the request");
        cached.replace(Instant::now()).await.unwrap();
        assert_eq!(given.load(Ordering::Relaxed), 2);
    }
}
