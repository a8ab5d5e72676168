//! Credentials, region and endpoint from where AWS's own tools have them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
    current: Mutex<Arc<Credentials>>,
}

impl CachedCredentials {
    async fn of(config: &Config, region: &str) -> Result<Self, ConfigError> {
        if let Some(key) = &config.access_key {
            let fixed = Credentials::new(&key.id, &key.secret, key.session_token.clone(), None, "configuration");
            let provider = SharedCredentialsProvider::new(fixed.clone());
            return Ok(Self { provider, current: Mutex::new(Arc::new(fixed)) });
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
        let first = fetch(&provider).await.map_err(ConfigError::NoCredentials)?;
        Ok(Self { provider, current: Mutex::new(Arc::new(first)) })
    }

    /// Credentials that count now. Where new ones can't be had, the old ones
    /// are used as long as they last.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Arc<Credentials>, String> {
        let mut current = self.current.lock().await;
        let Some(expiry) = current.expiry() else { return Ok(current.clone()) };
        if now + MARGIN < expiry {
            return Ok(current.clone());
        }
        match fetch(&self.provider).await {
            Ok(fresh) => *current = Arc::new(fresh),
            Err(reason) if now >= expiry => return Err(reason),
            Err(reason) => tracing::warn!("new credentials could not be fetched yet: {reason}"),
        }
        Ok(current.clone())
    }

    /// Fetches new ones after the service has refused the current ones.
    pub(crate) async fn replace(&self) -> Result<(), String> {
        let mut current = self.current.lock().await;
        *current = Arc::new(fetch(&self.provider).await?);
        Ok(())
    }
}

async fn fetch(provider: &SharedCredentialsProvider) -> Result<Credentials, String> {
    provider.provide_credentials().await.map_err(|error| with_causes(&error))
}
