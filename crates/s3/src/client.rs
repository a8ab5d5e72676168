//! The client of a service: what it has, and what it learns from answers.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

use crate::address::Endpoint;
pub(crate) use crate::bucket::Bucket;
use crate::checksum::Checksum;
use crate::clock::{Clock, ClockSkew};
use crate::config::{Account, Config};
use crate::connect::{Connections, Pool};
use crate::counters::{Counters, RequestCount};
use crate::credentials::CredentialsOrigin;
use crate::dialect::{Dialect, Provider, Support};
use crate::error::{ConfigError, printable};
pub(crate) use crate::failure::Rejection;
use crate::failure::{Failure, shortened};
use crate::hashing::{Hasher, Hashes, Wanted};
use crate::identity::{Identity, Shown};
use crate::operations::Operation;
use crate::overheard;
use crate::pace::Pace;
use crate::proxy::Proxies;
use crate::request::Request;
use crate::retry::{Budget, Remedy};
use crate::sign::Signer;
use crate::surroundings::Surroundings;
use crate::writing::CustomerKey;

/// How often it is looked into why something is denied.
const BETWEEN_LOOKS: Duration = Duration::from_mins(1);

/// A client of one service. Cheap to clone; clones share their connections,
/// their counters and what they have learnt.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>, pub(crate) Connections);

/// What a client has and has learnt.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) endpoint: Endpoint,
    pub(crate) pool: Pool,
    pub(crate) identity: Identity,
    /// The project that pays, at Google.
    pub(crate) payer: Option<HeaderValue>,
    /// The project that buckets are made in, at Google.
    pub(crate) project: Option<HeaderValue>,
    pub(crate) signer: Signer,
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    region: Arc<str>,
    /// Regions of buckets that aren't in `region`.
    regions: RwLock<HashMap<String, Arc<str>>>,
    pub(crate) counters: Counters,
    pub(crate) budget: Budget,
    pub(crate) pace: Pace,
    pub(crate) hasher: Hasher,
    /// Whether the service has ever answered.
    pub(crate) reached: AtomicBool,
    /// Whether it has ever done what it was asked.
    pub(crate) accepted: AtomicBool,
    /// When it was last looked into why it denies something.
    looked_into: tokio::sync::Mutex<Option<Instant>>,
    /// What the first answer that says so calls its server.
    server: OnceLock<String>,
    /// Whether an answer came from a service that lists out of order.
    pub(crate) lists_otherwise: AtomicBool,
}

impl Client {
    /// Makes a client: reads the environment and the AWS files, and fetches
    /// the first credentials. The service itself isn't asked anything.
    pub async fn connect(config: Config) -> Result<Self, ConfigError> {
        let surroundings = Surroundings::of(&config).await?;
        let url = surroundings.endpoint_url.as_deref();
        let endpoint = Endpoint::choose(url, surroundings.aws_hosts, &surroundings.region)?;
        let proxies = Proxies::choose(&surroundings.proxies, &endpoint)?;
        overheard::check(&config, &surroundings.identity, &endpoint, proxies.as_ref())?;
        let provider = match config.account {
            Account::Aws => config.provider.unwrap_or_else(|| Provider::of_host(endpoint.host())),
            Account::Google => Provider::Gcs,
        };
        let inner = Inner {
            pool: Pool::new(&config, surroundings.ca_bundle.as_deref(), proxies, endpoint.is_encrypted())?,
            endpoint,
            identity: surroundings.identity,
            payer: surroundings.payer,
            project: surroundings.project,
            signer: Signer::default(),
            clock: Clock::default(),
            provider,
            region: surroundings.region.into(),
            regions: RwLock::default(),
            counters: Counters::default(),
            budget: Budget::default(),
            pace: Pace::new(config.request_limit.clone(), provider.refuses_by_prefix()),
            hasher: Hasher::default(),
            reached: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
            looked_into: tokio::sync::Mutex::default(),
            server: OnceLock::new(),
            lists_otherwise: AtomicBool::new(false),
            config,
        };
        Ok(Self(Arc::new(inner), Connections::Kept))
    }

    /// The same client, but that each of its requests has a connection of its
    /// own, to each of the name's addresses in turn. It is slow, and meets whatever
    /// servers there are behind one name, unless something on the way keeps its own
    /// connections or always leads to the same one. A connection that can't be
    /// made is not tried again: the next one would lead to another server.
    #[must_use]
    pub fn on_new_connections(&self) -> Self {
        Self(Arc::clone(&self.0), Connections::New)
    }

    /// How many addresses the service's name has; 1 as long as [`Self::on_new_connections`] has sent nothing.
    pub(crate) fn addresses(&self) -> usize {
        self.0.pool.addresses()
    }

    /// A bucket, by its name. What is remembered of it is looked up now.
    #[must_use]
    pub fn bucket(&self, name: &str) -> Bucket {
        let told = self.0.provider.dialect();
        let remembered = self.0.config.remembered.as_ref();
        let found = remembered.map_or(Dialect::UNKNOWN, |remembered| remembered.of(&self.service(), name));
        Bucket { client: self.clone(), name: name.into(), dialect: told.with_found(found) }
    }

    /// Who answers, as far as is known.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.0.provider
    }

    /// Whether the provider was said ([`Config::provider`]), and not told from the endpoint's name.
    #[must_use]
    pub fn provider_was_said(&self) -> bool {
        self.0.config.provider.is_some()
    }

    /// What the service's answers call its server, once one has. A proxy may have written it.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.server.get().map(String::as_str)
    }

    /// Where the credentials come from; `None` where requests aren't signed.
    #[must_use]
    pub fn credentials_origin(&self) -> Option<CredentialsOrigin> {
        self.0.identity.origin()
    }

    /// What tells the service from any other: its address, or that it is AWS. Never a secret.
    #[must_use]
    pub fn service(&self) -> String {
        self.0.endpoint.identity()
    }

    /// Whether the service knows both clients as the same: by their settings, or else by the key that they have now.
    #[must_use]
    pub fn is_known_as(&self, other: &Self) -> bool {
        let settings = |client: &Self| {
            let Config { account, profile, access_key, sign, .. } = &client.0.config;
            (*account, profile.clone(), access_key.clone(), *sign)
        };
        let key_id = |client: &Self| client.0.identity.access_key_id();
        settings(self) == settings(other) || (key_id(self).is_some() && key_id(self) == key_id(other))
    }

    /// The customer's key that objects are encrypted with.
    #[must_use]
    pub fn customer_key(&self) -> Option<&CustomerKey> {
        self.0.config.customer_key.as_ref()
    }

    /// The region in which buckets are looked for first.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// Whether it is worth a request to learn why the service denies something that it doesn't give a reason for:
    /// where it has accepted others before, and not again and again. Whoever asks meanwhile waits until it is known.
    pub(crate) async fn look_into_denial(&self) -> Option<tokio::sync::MutexGuard<'_, Option<Instant>>> {
        let mut last = self.0.looked_into.lock().await;
        let is_due = last.is_none_or(|last| last.elapsed() >= BETWEEN_LOOKS);
        if !(is_due && self.0.accepted.load(Ordering::Relaxed)) {
            return None;
        }
        *last = Some(Instant::now());
        Some(last)
    }

    /// How far the service's clock runs from ours, by its newest answer that tells the time;
    /// `None` before the first one.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.0.clock.skew()
    }

    /// Requests sent so far, by operation; those that were never sent are left out.
    #[must_use]
    pub fn request_counts(&self) -> Vec<RequestCount> {
        self.0.counters.read()
    }

    /// The checksum that goes with this body, and what its signature is made of.
    pub(crate) async fn hash_to_send(&self, body: &Bytes, dialect: Dialect) -> (Checksum, Hashes) {
        let is_signed = self.0.identity.signs() && !self.0.endpoint.is_encrypted();
        let wanted = Wanted { sha256: is_signed, ..Checksum::wanted(dialect) };
        let hashes = self.0.hasher.hash(body, wanted).await;
        (Checksum::of(body, &hashes), hashes)
    }
}

impl Inner {
    /// The region to sign for.
    pub(crate) fn region_of(&self, bucket: Option<&str>) -> Arc<str> {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        let elsewhere = bucket.filter(|_| !regions.is_empty()).and_then(|bucket| regions.get(bucket));
        elsewhere.unwrap_or(&self.region).clone()
    }

    /// The headers that carry the customer's key, where requests of this operation take it.
    pub(crate) fn customer_key_headers(&self, operation: Operation) -> impl Iterator<Item = (&'static str, String)> {
        let key = self.config.customer_key.as_ref().filter(|_| operation.takes_customer_key());
        key.into_iter().flat_map(CustomerKey::headers)
    }

    /// What a request shows of who sends it.
    pub(crate) async fn shown(&self) -> Result<Shown, Failure> {
        self.identity.shown().await.map_err(|error| Failure::without_credentials(&error))
    }

    /// Learns from an answer, whatever it says.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        self.reached.store(true, Ordering::Relaxed);
        let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if let Some(date) = header(header::DATE) {
            self.clock.read(date, SystemTime::now());
        }
        let server = header(header::SERVER);
        if let Some(server) = server.filter(|_| self.server.get().is_none()) {
            // Another answer may have come first.
            let _ = self.server.set(shortened(server));
        }
        if self.provider != Provider::Unknown {
            return;
        }
        let provider = server.and_then(Provider::of_server);
        if provider.is_some_and(|provider| provider.dialect().lists_by_bytes == Support::No) {
            self.lists_otherwise.store(true, Ordering::Relaxed);
        }
    }

    /// Mends what made an attempt fail that was sent then; says whether that was possible.
    pub(crate) async fn mend(
        &self,
        remedy: Remedy,
        request: &Request<'_>,
        failure: &mut Failure,
        sent: Instant,
    ) -> bool {
        match remedy {
            Remedy::Clock => {
                self.clock.correct();
                true
            }
            Remedy::Region => {
                let (Some(bucket), Some(region)) = (request.bucket, &failure.region) else { return false };
                tracing::debug!("the bucket {bucket} is in {}", printable(region));
                let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
                regions.insert(bucket.to_owned(), region.as_str().into());
                true
            }
            Remedy::Credentials => {
                // Wrong from the start, they would be no better the second time.
                if !self.may_have_ended(failure) {
                    return false;
                }
                match self.identity.replace(sent).await {
                    None => false,
                    Some(Ok(())) => true,
                    Some(Err(error)) => {
                        failure.message = format!("{} (new credentials could not be had: {error})", failure.message);
                        false
                    }
                }
            }
        }
    }

    /// Whether the credentials were good until now: a session says so when it ends, a key that was taken back is
    /// unknown.
    fn may_have_ended(&self, failure: &Failure) -> bool {
        let code = failure.refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
        code != Some("InvalidAccessKeyId") || self.accepted.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.0.endpoint)
            .field("region", &self.0.region)
            .field("provider", &self.0.provider)
            .finish_non_exhaustive()
    }
}
